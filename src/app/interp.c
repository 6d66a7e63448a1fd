/* Interpreted targets: finds the reader of their language, keeps its list of threads, and reads one
 * stack when asked. The clock by which stacks are read is in ticks.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/chains.h"
#include "app/engine_state.h"
#include "app/latency.h"
#include "base/clock.h"
#include "base/text.h"

#define REJECTED_IN_ROW 12u
#define NAMES_NS (5 * NS_PER_SEC)
#define NAMES_COST 1000u	 /* they take a 1000th of the time at most */
#define SOON_NS (1 * NS_PER_SEC) /* an interpreter that starts is looked at often */
#define RETRY_SOON_NS (8 * NS_PER_MSEC)
#define RETRY_NS (500 * NS_PER_MSEC)

/* ---- readers ---- */

/* Said in the messages and, of the target itself, with what is not seen. */
static void say_native(struct engine *e, const struct space *s, const char *why)
{
	engine_say(e, true, "Process %d runs %s: %s; showing native stacks", (int)s->pid,
		   s->site.version, why);
	if (s->pid == e->process.pid)
		snprintf(e->note, sizeof(e->note), "%s is not read: %.160s",
			 s->site.version, why);
}

static void attach(struct engine *e, struct space *s, const struct runtime *rt)
{
	struct error err = { 0 };

	s->reader = rt->attach(s->pid, &s->site, &err);
	if (!s->reader) {
		say_native(e, s, err.cause);
		return;
	}
	s->runtime = rt;
	e->threads_changed = true;
	e->refit = true;
	s->threads_ns = s->names_ns = 0;
	s->known_ns = process_cpu_ns(s->pid);
	s->interp = ++e->interps; /* its code ids count from the start again */
	s->rejected_in_row = 0;
	s->loops_learnt = false;
	s->n_loops = e->merge ? rt->loops(&s->maps, s->loops) : 0;
	if (e->merge && s->n_loops == 0)
		engine_say(e, true,
			   "Process %d: %s has no symbol for its interpreter's loop; its "
			   "functions show as [python?]",
			   (int)s->pid, s->site.version);
	if (s->pid == e->process.pid)
		snprintf(e->runtime_name, sizeof(e->runtime_name), "%s", s->site.version);
}

void engine_interp_open(struct engine *e, struct space *s)
{
	size_t i;

	if (e->config.native_only || s->gone)
		return;
	engine_interp_close(e, s);
	if (s->pid == e->process.pid)
		e->runtime_name[0] = e->note[0] = '\0';
	for (i = 0; runtimes[i]; i++) {
		runtimes[i]->detect(s->pid, &s->maps, &s->site);
		if (s->site.state == RUNTIME_ABSENT)
			continue;
		if (s->site.state == RUNTIME_READY)
			attach(e, s, runtimes[i]);
		else if (s->site.state == RUNTIME_UNSUPPORTED)
			say_native(e, s, s->site.reason);
		else
			s->retry_ns = clock_now_ns() + RETRY_SOON_NS;
		return;
	}
}

void engine_interp_close(struct engine *e, struct space *s)
{
	chains_forget(e, s);
	if (s->reader)
		s->runtime->detach(s->reader);
	s->reader = NULL;
	s->runtime = NULL;
	s->retry_ns = 0;
	VEC_DONE(&s->language_threads);
}

/* ---- threads ---- */

bool engine_interp_knows(const struct engine *e, const struct space *s, pid_t tid)
{
	uint32_t number = s->reader ? engine_find_thread(e, tid) : NO_ID;

	return number != NO_ID && e->threads.v[number].language;
}

size_t engine_interp_threads(struct engine *e, struct space *s, uint64_t now)
{
	bool names = now >= s->names_ns;
	size_t i, fresh = 0;

	s->threads_ns = now + INTERP_THREADS_NS;
	if (!s->runtime->threads(s->reader, names, &s->language_threads)) {
		/* It is being torn down, or became another; lists may come faster than that. */
		if (!s->retry_ns)
			s->retry_ns = now + RETRY_NS;
		return 0;
	}
	if (names) {
		uint64_t gap = (clock_now_ns() - now) * NAMES_COST;

		s->names_ns = now + (gap > NAMES_NS ? gap : NAMES_NS);
	}
	for (i = 0; i < e->threads.n; i++)
		if (e->threads.v[i].pid == s->pid)
			e->threads.v[i].language = false;
	for (i = 0; i < s->language_threads.n; i++) {
		const struct runtime_thread *rt = &s->language_threads.v[i];
		uint32_t n = engine_thread(e, s->pid, rt->tid);

		fresh += !e->threads.v[n].listed; /* a record may have told of it */
		e->threads.v[n].language = true;
		if (names && rt->name[0])
			clean_copy(e->threads.v[n].name, sizeof(e->threads.v[n].name),
				   rt->name, strlen(rt->name));
	}
	for (i = 0; i < e->threads.n; i++)
		if (e->threads.v[i].pid == s->pid)
			e->threads.v[i].listed = true;
	chains_threads(e, s);
	return fresh;
}

void engine_interp_list(struct engine *e)
{
	size_t i;

	for (i = 0; i < e->spaces.n; i++)
		if (e->spaces.v[i].reader)
			(void)engine_interp_threads(e, &e->spaces.v[i], clock_now_ns());
}

/* ---- stacks ---- */

/* Code ids are each reader's own; with the reader's number they are one process's. */
void engine_interp_adopt(struct engine *e, const struct space *s,
			 const struct callstack *cs)
{
	struct callstack *to = &e->stack;
	uint32_t i;

	for (i = 0; i < cs->depth && to->depth < DEPTH_MAX; i++) {
		struct frame f = cs->frame[i];

		if (f.kind == FRAME_PYTHON)
			f.object |= s->interp << INTERP_SHIFT;
		to->frame[to->depth++] = f;
	}
	to->complete = cs->complete;
	to->truncated = cs->truncated;
	to->inferred = to->stitched = false;
}

void engine_interp_rejected(struct engine *e, struct space *s, uint64_t now)
{
	e->lost[LOSS_STACK_REJECTED]++;
	if (++s->rejected_in_row == REJECTED_IN_ROW && !s->retry_ns)
		s->retry_ns = now;
}

void engine_interp_take(struct engine *e, struct space *s, const struct callstack *cs)
{
	s->rejected_in_row = 0;
	e->stack.depth = 0;
	engine_interp_adopt(e, s, cs);
	if (e->stack.depth == 0) /* in the interpreter, but in no function yet */
		e->stack.frame[e->stack.depth++] =
		    (struct frame){ .kind = FRAME_MARK, .address = MARK_NATIVE_THREAD };
}

struct space *engine_interp_space(struct engine *e, uint32_t object)
{
	size_t i;

	for (i = 0; i < e->spaces.n; i++)
		if (e->spaces.v[i].interp == object >> INTERP_SHIFT)
			return &e->spaces.v[i];
	return NULL;
}

void engine_interp_note(struct engine *e, const struct runtime_look *look,
			const struct callstack *cs)
{
	uint32_t i;

	if (!e->config.locals)
		return;
	VEC_CLEAR(&e->frame_addresses);
	for (i = 0; i < cs->depth; i++)
		if (cs->frame[i].kind == FRAME_PYTHON)
			*VEC_PUSH(&e->frame_addresses) = look->frames[i];
}

struct one {
	struct engine *e;
	struct space *s;
	bool ok;
};

static void got_one(void *arg, const struct runtime_look *look,
		    const struct callstack *cs)
{
	struct one *one = arg;

	one->ok = !look->rejected;
	if (!one->ok)
		return;
	engine_interp_adopt(one->e, one->s, cs);
	engine_interp_note(one->e, look, cs);
}

bool engine_interp_stack(struct engine *e, struct space *s, pid_t tid)
{
	struct one one = { e, s, false };

	return s->runtime->walk(s->reader, &tid, 1, got_one, &one) == 1 && one.ok;
}

/* ---- interpreters that start ---- */

static void retry(struct engine *e, struct space *s, uint64_t now)
{
	engine_remap(e, s);
	engine_interp_open(e, s);
	parts_changed(e);
	if (s->retry_ns)
		s->retry_ns =
		    now + (now - s->maps_first_ns < SOON_NS ? RETRY_SOON_NS : RETRY_NS);
	e->refit = true;
}

uint64_t engine_interp_due(const struct engine *e)
{
	uint64_t due = UINT64_MAX;
	size_t i;

	for (i = 0; i < e->spaces.n; i++) {
		const struct space *s = &e->spaces.v[i];

		if (!s->gone && s->retry_ns && s->retry_ns < due)
			due = s->retry_ns;
	}
	return due;
}

void engine_interp_retry(struct engine *e, uint64_t now)
{
	size_t i;

	for (i = 0; i < e->spaces.n; i++) {
		struct space *s = &e->spaces.v[i];

		if (!s->gone && s->retry_ns && now >= s->retry_ns)
			retry(e, s, now);
	}
}
