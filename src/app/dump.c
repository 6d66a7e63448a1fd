/* `ptop dump`: every thread's stack once. Blocked threads are read without a stop, proved
 * by schedstat; running ones are met by a short burst of samples. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "app/dump_language.h"
#include "app/engine_state.h"
#include "app/options.h"
#include "base/clock.h"
#include "base/files_open.h"
#include "base/rights.h"
#include "base/text.h"
#include "export/exporter.h"

#define BURST_HZ 997.0
#define BURST_NS (300 * NS_PER_MSEC)
#define NAMES_NS (10 * NS_PER_SEC)
#define LOOK_BYTES 16384u
#define LANGUAGE_TRIES 20
#define NOTE_DENIED "not readable: needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"

struct dumped {
	pid_t tid;
	struct callstack *stack; /* NULL: none yet */
	char state;
	const char *note;
	struct blocked_thread blocked;
	dump_values values;
};

struct dumper {
	struct engine *e;
	struct dump *out;
	VEC(struct dumped) threads;
	dump_pendings tasks;
};

/* e->stack; the variables of its frames, too, where they are wanted. */
static void keep(struct dumper *all, struct dumped *d, char state)
{
	const struct callstack *cs = &all->e->stack;
	struct space *s = engine_space(all->e, all->e->process.pid);
	size_t bytes =
	    offsetof(struct callstack, frame) + cs->depth * sizeof(cs->frame[0]);

	d->stack = xrealloc(d->stack, bytes);
	memcpy(d->stack, cs, bytes);
	d->state = state;
	d->note = cs->truncated	  ? "the root end is missing"
		  : !cs->complete ? "unwinding stopped early"
		  : cs->inferred  ? "partly inferred"
				  : "";
	if (all->e->config.locals && s && engine_interp_knows(all->e, s, d->tid))
		dump_read_values(all->e, s, all->out, &d->values);
}

/* S or D (or T): it was blocked when it was read, whatever it does now. */
static char blocked_state(pid_t pid, pid_t tid)
{
	struct process_stat st;

	return process_stat(pid, tid, &st) && st.state != 'R' ? st.state : 'S';
}

/* The stack of its language, read as it runs or sleeps; a rejected one is read again. A
 * thread that is in no function of the language has the machine's. */
static void read_language(struct dumper *d, struct space *s, struct dumped *t,
			  struct look *look)
{
	struct callstack *cs = &d->e->stack;
	bool blocked = look->state == LOOK_BLOCKED;
	int tries;

	for (tries = 0; tries < LANGUAGE_TRIES; tries++) {
		cs->depth = 0;
		cs->truncated = cs->inferred = cs->stitched = false;
		if (blocked)
			cs->frame[cs->depth++] =
			    (struct frame){ .kind = FRAME_MARK,
					    .address = MARK_WAIT_FIRST +
						       (uint64_t)look->reason };
		if (!engine_interp_stack(d->e, s, t->tid))
			continue;
		if (cs->depth > blocked)
			cs->complete = !cs->truncated;
		else if (!blocked || !engine_blocked_stack(d->e, s, &t->blocked, look))
			return; /* a sample will tell, or the next look */
		keep(d, t,
		     look->state == LOOK_RUNNING
			 ? 'R'
			 : blocked_state(d->e->process.pid, t->tid));
		return;
	}
}

/* Those that are blocked now; returns how many have no stack yet. */
static size_t read_blocked(struct dumper *d)
{
	struct space *s = engine_space(d->e, d->e->process.pid);
	size_t i, open = 0;

	for (i = 0; i < d->threads.n; i++) {
		struct dumped *t = &d->threads.v[i];
		struct look look;

		if (t->stack)
			continue;
		blocked_look(&t->blocked, d->e->look_buffer, LOOK_BYTES, &look);
		if (!d->e->merge && engine_interp_knows(d->e, s, t->tid))
			read_language(d, s, t, &look);
		else if (look.state == LOOK_BLOCKED &&
			 engine_blocked_stack(d->e, s, &t->blocked, &look))
			keep(d, t, blocked_state(d->e->process.pid, t->tid));
		else if (look.state == LOOK_DENIED)
			t->note = NOTE_DENIED;
		else if (look.state == LOOK_GONE)
			t->note = "ended meanwhile";
		open += !t->stack;
	}
	return open;
}

static void take_sample(struct dumper *d, const struct event *ev)
{
	struct space *s = engine_space(d->e, ev->pid);
	struct unwind_input in = { .stack = ev->stack };
	struct callstack *cs = &d->e->stack;
	bool language;
	size_t i;

	for (i = 0; i < d->threads.n && d->threads.v[i].tid != ev->tid; i++)
		;
	if (i == d->threads.n || d->threads.v[i].stack || !s || !ev->has_user)
		return;
	language = d->e->merge && engine_interp_knows(d->e, s, ev->tid);
	if (language)
		merge_read_now(d->e->merge, d->e, s, ev->tid);
	cs->depth = 0;
	cs->complete = cs->truncated = cs->inferred = cs->stitched = false;
	engine_kernel_frames(cs, ev);
	memcpy(in.reg, ev->reg, sizeof(in.reg));
	in.live = &s->mem.mem;
	in.sp = language ? d->e->merge->sp : NULL;
	unwinder_walk(s->unwinder, &in, cs);
	if (language)
		merge_stacks(d->e->merge, d->e, s, &in);
	keep(d, &d->threads.v[i], 'R');
}

static void sample_running(struct dumper *d)
{
	uint64_t until = clock_now_ns() + BURST_NS;
	struct engine *e = d->e;
	struct error err = { 0 };
	struct event ev;
	size_t i;

	if (engine_attach(e, &err)) {
		for (i = 0; i < d->threads.n; i++)
			if (!d->threads.v[i].stack)
				d->threads.v[i].note = NOTE_DENIED;
		return;
	}
	do {
		poll(NULL, 0, 5);
		while (e->backend->next(e->sampler, &ev)) {
			if (ev.kind == EVENT_SAMPLE)
				take_sample(d, &ev);
			else if (ev.kind == EVENT_MAP || ev.kind == EVENT_EXEC)
				engine_event(e, &ev);
		}
	} while (read_blocked(d) && clock_now_ns() < until);
	e->backend->close(e->sampler);
	e->sampler = NULL;
}

/* ---- names ---- */

static void wait_names(struct engine *e)
{
	uint64_t until = clock_now_ns() + NAMES_NS, count;
	struct pollfd p = { .fd = e->answer_fd, .events = POLLIN };

	while (e->jobs && clock_now_ns() < until) {
		poll(&p, 1, 100);
		if (read(e->answer_fd, &count, sizeof(count)) == -1 && errno != EAGAIN)
			return;
		engine_answers(e);
	}
}

static void name_all(struct dumper *d)
{
	size_t i;

	for (i = 0; i < d->threads.n; i++) {
		uint32_t node;

		if (!d->threads.v[i].stack)
			continue;
		node = history_stack(&d->e->history, d->threads.v[i].stack,
				     engine_name_frame, d->e);
		history_add(&d->e->history, clock_now_ns(), (uint32_t)i, node, 1000, 1,
			    false);
	}
	for (i = 0; i < d->tasks.n; i++)
		history_stack(&d->e->history, d->tasks.v[i].stack, engine_name_frame,
			      d->e);
	wait_names(d->e);
	engine_want_all_lines(d->e);
	/* Rounds: one asks for a limited number of lines. */
	for (i = 0; i < 64; i++) {
		engine_ask_lines(d->e, 0);
		if (!d->e->jobs)
			break;
		wait_names(d->e);
	}
	history_refresh(&d->e->history);
}

static struct dump_frame frame_of(struct engine *e, const struct place *p,
				  struct dump *out)
{
	const struct function *fn = &e->functions.list.v[p->function];
	const struct intern *strings = &e->functions.strings;

	return (struct dump_frame){
		.name = arena_str(&out->arena, intern_get(strings, fn->name)),
		.module = arena_str(&out->arena, intern_get(strings, fn->module)),
		.file = p->file == NO_ID
			    ? ""
			    : arena_str(&out->arena, intern_get(strings, p->file)),
		.runtime = fn->runtime,
		.line = p->line,
	};
}

/* Those of the n-th frame of the language; they stand in its order. */
static void put_locals(const dump_values *values, uint32_t n, struct dump *out,
		       struct dump_frame *to)
{
	size_t i;

	to->locals = arena_alloc(&out->arena, (values->n + 1) * sizeof(*to->locals));
	for (i = 0; i < values->n; i++)
		if (values->v[i].frame == n)
			to->locals[to->n_locals++] = values->v[i].local;
}

/* values NULL: none were asked for. Returns how many. */
static size_t put_frames(struct engine *e, const struct callstack *cs,
			 const dump_values *values, struct dump *out,
			 struct dump_frame **to)
{
	uint32_t language = 0;
	size_t i, n = 0;

	for (i = 0; i < cs->depth; i++) {
		uint32_t id = history_find(&e->history, &cs->frame[i]);

		n += id == NO_ID ? 0 : e->history.frames.v[id].n_places;
	}
	*to = arena_alloc(&out->arena, (n + 1) * sizeof(**to));
	n = 0;
	for (i = 0; i < cs->depth; i++) {
		uint32_t id = history_find(&e->history, &cs->frame[i]), k;
		const struct history_frame *f =
		    id == NO_ID ? NULL : &e->history.frames.v[id];

		for (k = 0; f && k < f->n_places; k++) {
			(*to)[n] = frame_of(e, &e->history.places.v[f->places + k], out);
			(*to)[n++].inlined = k + 1u < f->n_places;
		}
		if (cs->frame[i].kind != FRAME_PYTHON)
			continue;
		if (values && n)
			put_locals(values, language, out, &(*to)[n - 1]);
		language++;
	}
	return n;
}

static void put_threads(struct dumper *d, struct dump *out)
{
	const dump_values *none = NULL;
	size_t i;

	out->threads =
	    arena_alloc(&out->arena, (d->threads.n + 1) * sizeof(*out->threads));
	for (i = 0; i < d->threads.n; i++) {
		struct dumped *t = &d->threads.v[i];
		struct dump_thread *to = &out->threads[out->n_threads++];
		uint32_t number = engine_thread(d->e, out->pid, t->tid);

		*to = (struct dump_thread){
			.pid = out->pid, .tid = t->tid, .state = t->state, .note = t->note
		};
		to->name = arena_str(&out->arena, d->e->threads.v[number].name);
		if (t->stack)
			to->n_frames =
			    put_frames(d->e, t->stack, t->values.n ? &t->values : none,
				       out, &to->frames);
		else if (!*to->note)
			to->note =
			    t->state == 'Z'
				? "has ended; the others live on"
				: "did not run and did not block while ptop looked";
	}
}

static void put_tasks(struct dumper *d, struct dump *out)
{
	size_t i;

	out->tasks = arena_alloc(&out->arena, (d->tasks.n + 1) * sizeof(*out->tasks));
	for (i = 0; i < d->tasks.n; i++) {
		struct dump_task *to = &out->tasks[out->n_tasks++];

		*to = d->tasks.v[i].task;
		to->n_frames =
		    put_frames(d->e, d->tasks.v[i].stack, NULL, out, &to->frames);
	}
}

static void make_dump(struct dumper *d)
{
	d->out->pid = d->e->process.pid;
	d->out->command = arena_str(&d->out->arena, d->e->process.command);
	put_threads(d, d->out);
	put_tasks(d, d->out);
}

static int list_threads(struct dumper *d, struct error *err)
{
	pid_list tids = { 0 };
	size_t i;

	if (!process_threads(d->e->process.pid, &tids)) {
		int ret = -errno;

		VEC_DONE(&tids);
		if (ret != -ESRCH)
			return error_errno(err, "the list of its threads");
		error_set(err, EXIT_NO_PROCESS, "process %d ended",
			  (int)d->e->process.pid);
		return ret;
	}
	for (i = 0; i < tids.n; i++) {
		struct dumped *t = VEC_PUSH(&d->threads);
		struct process_stat st;

		t->tid = tids.v[i];
		t->note = "";
		t->state = process_stat(d->e->process.pid, t->tid, &st) ? st.state : '?';
		blocked_init(&t->blocked, d->e->process.pid, t->tid);
	}
	VEC_DONE(&tids);
	return 0;
}

static void dumper_done(struct dumper *d)
{
	size_t i;

	for (i = 0; i < d->threads.n; i++) {
		blocked_done(&d->threads.v[i].blocked);
		free(d->threads.v[i].stack);
		VEC_DONE(&d->threads.v[i].values);
	}
	for (i = 0; i < d->tasks.n; i++)
		free(d->tasks.v[i].stack);
	VEC_DONE(&d->tasks);
	VEC_DONE(&d->threads);
	engine_close(d->e);
}

static int dump_all(const struct engine_config *c, struct dump **out, struct error *err)
{
	struct dumper d = { .e = engine_new(c), .out = xcalloc(1, sizeof(*d.out)) };
	bool nothing = true;
	size_t i;
	int ret = engine_prepare(d.e, err);

	if (!ret)
		ret = list_threads(&d, err);
	if (!ret) {
		engine_interp_list(d.e);
		d.e->look_buffer = xmalloc(BLOCKED_STACK_MAX);
		if (c->tasks)
			dump_read_tasks(d.e, engine_space(d.e, d.e->process.pid), d.out,
					&d.tasks);
		if (read_blocked(&d))
			sample_running(&d);
		for (i = 0; i < d.threads.n && nothing; i++)
			nothing = !d.threads.v[i].stack &&
				  strcmp(d.threads.v[i].note, NOTE_DENIED) == 0;
		if (nothing) {
			ret = -EPERM;
			error_set(err, EXIT_NO_PERMISSION,
				  "the memory of process %d may not be read",
				  (int)d.e->process.pid);
			error_hint(err,
				   "run with sudo, or give ptop cap_sys_ptrace and "
				   "cap_dac_read_search; "
				   "`ptop doctor %d` says how",
				   (int)d.e->process.pid);
		}
	}
	if (!ret) {
		name_all(&d);
		make_dump(&d);
		*out = d.out;
	} else {
		dump_free(d.out);
	}
	dumper_done(&d);
	return ret;
}

int engine_dump(const struct engine_config *c, struct dump **out, struct error *err)
{
	struct rights rights = rights_of_ptop();
	int ret = files_open_prepare(err);

	if (!ret)
		ret = dump_all(c, out, err);

	rights_back(rights);
	return ret;
}

void dump_free(struct dump *d)
{
	if (!d)
		return;
	arena_done(&d->arena);
	free(d);
}

int dump_run(const struct options *o, struct error *err)
{
	struct engine_config c = { .rate_hz = BURST_HZ,
				   .mode = MODE_WALL,
				   .merged = true,
				   .backend = o->backend,
				   .native = o->native && !o->native_only,
				   .native_only = o->native_only,
				   .locals = o->locals,
				   .tasks = o->tasks,
				   .delay_ns = NS_PER_SEC };
	struct text text = { 0 };
	struct dump *d = NULL;
	int ret = options_target(o, &c.pid, err);

	if (!ret)
		ret = engine_dump(&c, &d, err);
	if (ret)
		return err->exit;
	if (o->json)
		json_dump(d, &text);
	else
		table_dump(d, &text);
	dump_free(d);
	fwrite(text.p, 1, text.n, stdout); /* main() looks whether it went well */
	text_done(&text);
	return EXIT_DONE;
}
