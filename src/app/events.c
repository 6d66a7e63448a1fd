/* What the sampler does with each event: a sample becomes a stack in the history, news of
 * the target's life change what is known of its memory and threads. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/chains.h"
#include "app/engine_state.h"
#include "base/clock.h"
#include "base/text.h"

void engine_kernel_frames(struct callstack *cs, const struct event *ev)
{
	size_t i;

	for (i = 0; i < ev->n_kernel && cs->depth < DEPTH_MAX / 2; i++) {
		uint64_t ip;

		memcpy(&ip, ev->kernel + i * 8, sizeof(ip));
		/* All but the first are return addresses: the call stands one byte
		 * before. */
		cs->frame[cs->depth++] =
		    (struct frame){ .kind = FRAME_KERNEL, .address = i ? ip - 1 : ip };
	}
}

/* A reader may have said where frames are missing. */
static bool is_marked(const struct callstack *cs)
{
	uint32_t i;

	for (i = 0; i < cs->depth; i++)
		if (cs->frame[i].kind == FRAME_MARK &&
		    cs->frame[i].address == MARK_TRUNCATED)
			return true;
	return false;
}

void engine_judge_stack(struct engine *e)
{
	struct callstack *cs = &e->stack;

	if (cs->complete)
		return;
	e->incomplete++;
	e->lost[cs->truncated ? LOSS_STACK_TRUNCATED : LOSS_STACK_BROKEN]++;
	if (!cs->truncated || is_marked(cs))
		return;
	if (cs->depth == DEPTH_MAX)
		cs->depth--;
	cs->frame[cs->depth++] =
	    (struct frame){ .kind = FRAME_MARK, .address = MARK_TRUNCATED };
}

/* Code nobody announced: a mapping's event was lost, or came before ptop did. */
static void remap_if_unknown(struct engine *e, struct space *s, uint64_t now)
{
	const struct callstack *cs = &e->stack;
	const struct frame *last = cs->depth ? &cs->frame[cs->depth - 1] : NULL;

	if (last && last->kind == FRAME_MARK && last->address == MARK_UNKNOWN_CODE &&
	    now > s->maps_read_ns + NS_PER_SEC)
		engine_remap(e, s);
}

static void on_sample(struct engine *e, const struct event *ev)
{
	struct space *s = engine_space(e, ev->pid);
	struct unwind_input in = { .stack = ev->stack };
	struct callstack *cs = &e->stack;
	uint32_t thread, node;
	bool language;

	if (!s || e->mode == MODE_GIL) /* weighs what app/gil.c finds */
		return;
	language = s->reader && (ev->chain.n || engine_interp_knows(e, s, ev->tid));
	chains_note_cost(e, ev);
	if (language && !e->merge && (!chains_is_on(e) || chains_sample(e, s, ev)))
		return;
	if (ev->chain.n && !ev->has_user && !e->merge) {
		/* Of a program that is not there any more, and nothing else is known. */
		e->lost[LOSS_STACK_REJECTED]++;
		return;
	}
	language = language && e->merge;
	if (language)
		merge_read(e->merge, e, s, ev);
	cs->depth = 0;
	cs->complete = cs->truncated = cs->inferred = cs->stitched = false;
	engine_kernel_frames(cs, ev);
	if (ev->has_user) {
		_Static_assert(SAMPLE_REGISTERS == DWARF_REGS, "one order of registers");
		memcpy(in.reg, ev->reg, sizeof(in.reg));
		in.live = &s->mem.mem;
		in.sp = language ? e->merge->sp : NULL;
		in.most = language ? merge_most(e->merge) : 0;
		unwinder_walk(s->unwinder, &in, cs);
		if (language)
			merge_stacks(e->merge, e, s, &in);
		remap_if_unknown(e, s, ev->time_ns);
		e->stacks++;
		e->stacks_cut +=
		    (cs->truncated || cs->stitched) && ev->stack.n < STACK_MOST;
		engine_judge_stack(e);
	}
	if (cs->depth == 0)
		cs->frame[cs->depth++] =
		    (struct frame){ .kind = FRAME_MARK, .address = MARK_UNKNOWN_CODE };
	thread = engine_thread(e, ev->pid, ev->tid);
	node = history_stack(&e->history, cs, engine_name_frame, e);
	history_add(&e->history, ev->time_ns, thread, node, ev->weight_ns, 1, false);
	e->threads.v[thread].last_ns = ev->time_ns;
	e->samples++;
	e->sampled_last_ns = ev->time_ns;
	e->sampled_ns += ev->weight_ns;
}

static void on_map(struct engine *e, const struct event *ev)
{
	struct space *s = engine_space(e, ev->pid);
	struct maps_line l = { .start = ev->start,
			       .end = ev->start + ev->length,
			       .offset = ev->offset,
			       .device = ev->device,
			       .inode = ev->inode };
	struct mapping m = { .start = l.start, .end = l.end, .offset = l.start };

	if (!s || l.end <= l.start)
		return;
	l.path = (struct bytes){ (const unsigned char *)ev->text, strlen(ev->text) };
	maps_cut_deleted(&l);
	m.object = maps_object(e->objects, ev->pid, s->maps.list.n == 0, &l);
	if (m.object->kind == OBJECT_FILE)
		m.offset = l.offset;
	else if (m.object->kind == OBJECT_VDSO)
		m.offset = 0;
	maps_insert(&s->maps, m);
	/* An interpreter's library comes after the exec, or much later in an embedding. */
	if (!s->reader && m.object->kind == OBJECT_FILE &&
	    strstr(m.object->name, "python"))
		s->retry_ns = clock_now_ns();
}

/* Who the process is after its exec. A 32-bit program would have been refused at the start;
 * now its name and the reason of the missing functions are shown. */
static void become(struct engine *e)
{
	struct error err = { 0 };
	struct process now;
	int ret = process_find(e->process.pid, &now, &err);

	if (ret && !now.class32)
		return;
	if (e->process.class32)
		e->note[0] = '\0';
	e->process = now;
	if (!ret)
		return;
	snprintf(e->note, sizeof(e->note), "%.200s", err.cause);
	engine_say(e, true, "%s", err.cause);
}

/* The new program's mappings come as events, but its first ones may have been read
 * already. */
static void on_exec(struct engine *e, const struct event *ev)
{
	struct space *s = engine_space(e, ev->pid);
	uint32_t thread;

	if (!s)
		return;
	unwinder_free(s->unwinder);
	VEC_CLEAR(&s->maps.list);
	s->maps.generation++;
	engine_remap(e, s);
	s->unwinder = unwinder_new(e->tables, &s->maps);
	s->maps_first_ns = s->maps_read_ns;
	engine_space_named(s);
	engine_interp_open(e, s);
	parts_changed(e);
	e->refit = true; /* not now: this event still stands in a ring */
	thread = engine_find_thread(e, ev->tid);
	if (thread != NO_ID && ev->text[0])
		clean_copy(e->threads.v[thread].name, sizeof(e->threads.v[thread].name),
			   ev->text, strlen(ev->text));
	if (ev->pid == e->process.pid)
		become(e);
}

static void on_comm(struct engine *e, const struct event *ev)
{
	uint32_t thread = engine_find_thread(e, ev->tid);

	if (thread != NO_ID && engine_space(e, ev->pid))
		clean_copy(e->threads.v[thread].name, sizeof(e->threads.v[thread].name),
			   ev->text, strlen(ev->text));
}

/* Has the new thread been met already, by a record of its first switch? */
static bool is_met(const struct engine *e, const struct event *ev)
{
	uint32_t number = engine_find_thread(e, ev->tid);
	const struct thread *t = number == NO_ID ? NULL : &e->threads.v[number];

	/* The timer's events tell of it later, and twice of a number only when it was missing. */
	return t && t->pid == ev->pid &&
	       (e->backend == &timer_backend || t->switched_ns >= ev->time_ns);
}

static void on_fork(struct engine *e, const struct event *ev)
{
	struct space *parent = engine_space(e, ev->parent), *s;

	if (!parent)
		return;
	if (!is_met(e, ev))
		engine_thread_gone(e, ev->tid); /* of one whose end was not told */
	e->births += ev->pid == ev->parent;
	if (ev->pid == ev->parent && parent->reader)
		engine_thread(e, ev->pid, ev->tid);
	if (ev->pid == ev->parent || !e->config.children || engine_space(e, ev->pid))
		return;
	s = engine_add_space(e, ev->pid);
	if (!s) {
		e->lost[LOSS_THREADS]++;
		return;
	}
	if (s->maps.list.n ==
	    0) /* gone already: it lived in a copy of its parent's memory */
		engine_copy_maps(s, parent);
	e->backend->follow(e->sampler, ev->pid, true);
}

/* Its last thread may not be its first: a process ends when /proc says so. */
static void on_exit_event(struct engine *e, const struct event *ev)
{
	struct space *s = engine_space(e, ev->pid);
	pid_list tids = { 0 };

	if (!s)
		return;
	engine_thread_gone(e, ev->tid);
	if (ev->pid != e->process.pid &&
	    (process_threads(ev->pid, &tids) ? tids.n == 1 && tids.v[0] == ev->tid
					     : errno == ESRCH)) {
		engine_space_gone(e, s);
		e->backend->forget(e->sampler, ev->pid);
	}
	VEC_DONE(&tids);
}

/* What was lost may have been a mapping or an exec: read the maps again, once a second.
 */
static void on_lost(struct engine *e, const struct event *ev)
{
	uint64_t now = clock_now_ns();
	size_t i;

	e->lost[LOSS_RING_FULL] += ev->count;
	for (i = 0; i < e->spaces.n; i++)
		if (!e->spaces.v[i].gone &&
		    now > e->spaces.v[i].maps_read_ns + NS_PER_SEC)
			engine_remap(e, &e->spaces.v[i]);
}

/* The kernel has no numbers any more for a thread that is about to be gone: it gives -1 for
 * the thread, and for its process as well once that has been waited for. Only what the
 * target does is asked for, so the time is the process's: its first thread stands for it. */
static void on_sample_of(struct engine *e, const struct event *ev)
{
	struct event own = *ev;

	if (own.pid <= 0)
		own.pid = e->process.pid;
	if (own.tid <= 0)
		own.tid = own.pid;
	on_sample(e, &own);
}

void engine_event(struct engine *e, const struct event *ev)
{
	switch (ev->kind) {
	case EVENT_SAMPLE:
		on_sample_of(e, ev);
		break;
	case EVENT_MAP:
		on_map(e, ev);
		break;
	case EVENT_EXEC:
		on_exec(e, ev);
		break;
	case EVENT_COMM:
		on_comm(e, ev);
		break;
	case EVENT_FORK:
		on_fork(e, ev);
		break;
	case EVENT_EXIT:
		on_exit_event(e, ev);
		break;
	case EVENT_LOST:
		on_lost(e, ev);
		break;
	case EVENT_CHAIN: /* joined with its sample already */
		break;
	case EVENT_BAD:
		e->lost[LOSS_BAD_RECORD]++;
		break;
	}
}
