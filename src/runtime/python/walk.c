/* Stacks of a running interpreter, read without stopping it.
 *
 * One system call reads, for several threads: the lock and the collector's flag of their
 * interpreters, and for each thread its state, the used part of its data stack, and the
 * frames that stand outside of it where the last look met them (generators', entry frames
 * on the C stack; to 3.10 all frames). The target runs on meanwhile, so the picture may be
 * torn. It is believed only if it holds together:
 *
 *   - the thread state is still this thread's;
 *   - a frame of the thread lies in a chunk of its data stack, below the frame it called,
 *     and ends exactly where that one begins; entry frames climb the C stack;
 *   - its code object is one, and its instruction is inside that code;
 *   - the chain ends at an entry frame (to 3.10: every frame says that it runs).
 *
 * The innermost frame's address is older than the frames themselves, so the first frames of
 * the chain may be what a call that returned meanwhile left there; frames.c knows them
 * apart and drops them.
 *
 * What does not hold together is rejected and counted, never read again: that would favour
 * the moments when nothing moves. Only where an address was not known yet (a first look, a new
 * chunk, a new innermost generator) all is read again, with it, at most twice; older
 * frames in unknown places, which cannot move while those above them live, are fetched
 * one by one.
 *
 * A frame names its code object by its address, which may have another owner a moment later.
 * So a code object that was not known before the frames were read proves nothing: they are
 * read again, and the code objects of that look compared after it. What was the same before
 * and after was what the frame ran. Readings are counted, to know what came before what. Of
 * code that lives for one call the head is read in the frames' own system call. */
#include <string.h>

#include "base/clock.h"
#include "runtime/python/look.h"

#define GROUP_WALKS 64u
#define GROUP_BYTES (1u << 20)
#define STATES_OF_THREAD_MAX 16u
#define READ_AGAIN_MAX 6u

/* ---- One thread state -------------------------------------------------------------- */

static void note_cframe(struct python_thread *t, uint64_t address)
{
	size_t i = 0;

	while (i < PYTHON_CFRAMES - 1 && t->cframe[i] != address)
		i++;
	memmove(t->cframe + 1, t->cframe, i * sizeof(*t->cframe));
	t->cframe[0] = address;
}

/* 3.11 and 3.12 keep the innermost frame in a struct on the C stack. */
static int innermost_of_cframe(struct look *k, uint64_t cframe, uint64_t *frame)
{
	const unsigned char *p;

	p = look_find(k, cframe, k->r->layout.cframe_frame + 8);
	if (cframe != k->walk->t->cframe[0])
		note_cframe(k->walk->t, cframe);
	if (!p && k->may_repeat)
		return WALK_AGAIN;
	if (!p)
		p = look_fetch(k, cframe, k->r->layout.cframe_frame + 8);
	if (!p)
		return REJECT_UNREADABLE;
	*frame = python_u64(p + k->r->layout.cframe_frame);
	k->cframe = cframe;
	return WALK_DONE;
}

static bool is_still_ours(const struct look *k, const unsigned char *state)
{
	const struct python_layout *l = &k->r->layout;
	const struct python_thread *t = k->walk->t;

	if (l->thread_tid)
		return python_u64(state + l->thread_tid - k->r->state_from) == t->native;
	return python_u64(state + l->thread_ident - k->r->state_from) == t->ident;
}

static int walk_state(struct look *k)
{
	const struct python_layout *l = &k->r->layout;
	struct python_reader *r = k->r;
	const unsigned char *state =
	    look_find(k, k->walk->t->state + r->state_from, r->state_bytes);
	uint64_t frame, base = 0;
	int outcome;

	k->inner = k->border = 0;
	k->inner_chunk = 0;
	k->leaf_inner = k->top = 0;
	k->steps = 0;
	k->cframe = 0;
	k->at_end = false;
	k->in_front = true;
	k->start = k->run_start = r->stack.depth;
	k->doubt = WALK_DONE;
	if (!state)
		return REJECT_UNREADABLE;
	if (!is_still_ours(k, state))
		return REJECT_THREAD;
	if (l->thread_base)
		base = python_u64(state + l->thread_base - r->state_from);
	frame = python_u64(state + l->thread_frame - r->state_from);
	if (l->thread_chunk) {
		const unsigned char *p = state + l->thread_chunk - r->state_from;
		uint64_t chunk = python_u64(p);

		k->top = python_u64(p + 8);
		if (chunk && !look_update_chunks(k, chunk, python_u64(p + 8)) &&
		    k->may_repeat)
			return WALK_AGAIN;
	}
	if (frame && (l->minor == 11 || l->minor == 12)) {
		outcome = innermost_of_cframe(k, frame, &frame);
		if (outcome != WALK_DONE)
			return outcome;
	}
	if (!frame || frame == base)
		return WALK_DONE;
	return look_follow(k, frame, base);
}

/* ---- One thread -------------------------------------------------------------------- */

/* Walks all states of a thread, newest interpreter innermost, into one stack. */
static int walk_states(struct look *k, struct walk *w, size_t n, bool gc)
{
	struct callstack *cs = &k->r->stack;
	int outcome = WALK_DONE;
	bool any = false;
	size_t i;

	cs->depth = 0;
	VEC_CLEAR(&k->r->entries);
	cs->truncated = cs->complete = cs->inferred = cs->stitched = false;
	k->late = k->r->batch.pieces.n;
	k->late_full = false;
	k->n_due = 0;
	k->overdue = k->fresh = false;
	k->brief = 0;
	k->same_code = 0;
	k->r->walks++;
	k->r->numbered = k->r->layout.minor >= 11;
	for (i = 0; i < n; i++) /* it would be in vain */
		k->r->numbered &= !w[i].t->cut;
	if (gc)
		cs->frame[cs->depth++] = (struct frame){ MARK_GC, 0, FRAME_MARK };
	for (i = 0; i < n && outcome == WALK_DONE && !cs->truncated; i++) {
		k->walk = &w[i];
		k->hit = w[i].first;
		outcome = walk_state(k);
		k->walk->t->reach = k->inner_chunk;
		k->walk->t->cut = cs->truncated;
		k->walk->t->steps = k->steps;
		if (!any && cs->depth > k->start) {
			k->interpreter = w[i].t->info.interpreter;
			any = true;
		}
	}
	return outcome;
}

static void count(struct python_reader *r, int outcome)
{
	if (outcome != WALK_DONE)
		r->counters.rejected[outcome]++;
	else if (r->stack.truncated)
		r->counters.truncated++;
	else
		r->counters.complete++;
}

static void read_again(struct python_reader *r, struct walk *w, size_t n, size_t mark)
{
	size_t i;

	batch_cut(&r->batch, mark);
	for (i = 0; i < n; i++)
		look_plan(r, &w[i]);
	batch_run(&r->batch, mark);
	r->readings++;
}

/* Is the look to be made again? When a code object turns out to be another than it was,
 * nobody knows which of the two the stack has met. */
static bool is_unproven(struct look *k, int outcome)
{
	if (outcome == WALK_AGAIN || (outcome == WALK_DONE && k->fresh))
		return true;
	return k->overdue && python_code_check(k->r, k->due, k->n_due);
}

/* Pieces behind `mark` are this thread's repeats. */
static int look_at(struct python_reader *r, struct walk *w, size_t n, uint64_t reading,
		   bool captured, struct runtime_look *look)
{
	struct look k = {
		.r = r, .reading = reading, .captured = captured, .may_repeat = !captured
	};
	size_t mark = r->batch.pieces.n;
	unsigned again, unknown = 0;
	int outcome;

	for (again = 0;; again++) {
		outcome = walk_states(&k, w, n, look->gc);
		if (captured || !is_unproven(&k, outcome))
			break;
		if (again == READ_AGAIN_MAX) {
			outcome = REJECT_CODE;
			break;
		}
		if (outcome == WALK_AGAIN)
			k.may_repeat = ++unknown < 2;
		read_again(r, w, n, mark);
		k.reading = r->readings;
	}
	batch_cut(&r->batch, mark);
	look->interpreter = k.interpreter;
	return outcome;
}

void look_give(struct python_reader *r, struct walk *w, size_t n, uint64_t reading,
	       bool captured, runtime_got *got, void *arg)
{
	struct runtime_look look = { .tid = w->t->info.tid };
	struct callstack *cs = &r->stack;
	int outcome;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct python_interpreter *p =
		    &r->interpreters.v[w[i].t->interpreter];

		if (p->holder == w[i].t->state) {
			look.holds_gil = true;
			look.gc |= p->collecting;
		}
	}
	outcome = look_at(r, w, n, reading, captured, &look);
	r->counters.asked++;
	count(r, outcome);
	look.rejected = outcome != WALK_DONE;
	if (look.rejected)
		cs->depth = 0;
	if (r->numbered && !cs->truncated) {
		look_number_calls(r);
		look.calls = r->call;
	}
	cs->complete = !look.rejected && !cs->truncated;
	look.frames = r->address;
	look.entries = r->entries.v;
	look.n_entries = r->entries.n;
	got(arg, &look, cs);
}

/* ---- Groups of threads ------------------------------------------------------------- */

struct group {
	struct walk walks[GROUP_WALKS + STATES_OF_THREAD_MAX];
	size_t n;
};

static void run_group(struct python_reader *r, struct group *g, runtime_got *got,
		      void *arg)
{
	uint64_t reading, start;
	size_t i, k;

	if (g->n == 0)
		return;
	start = look_depth_start(g->walks, g->n);
	batch_run(&r->batch, 0);
	reading = ++r->readings;
	for (i = 0; i < r->interpreters.n; i++)
		if (r->interpreters.v[i].asked)
			look_read_interpreter(r, &r->interpreters.v[i]);
	for (i = 0; i < g->n; i = k) {
		for (k = i + 1; k < g->n; k++)
			if (g->walks[k].t->info.tid != g->walks[i].t->info.tid)
				break;
		look_give(r, &g->walks[i], k - i, reading, false, got, arg);
	}
	g->n = 0;
	batch_clear(&r->batch);
	look_depth_spent(r, start);
}

static void add_to_group(struct python_reader *r, struct group *g, size_t index)
{
	pid_t tid = r->threads.v[index]->info.tid;
	size_t states = 0;

	for (; index < r->threads.n && r->threads.v[index]->info.tid == tid &&
	       states < STATES_OF_THREAD_MAX;
	     index++, states++) {
		struct walk *w = &g->walks[g->n++];
		struct python_interpreter *p;

		w->t = r->threads.v[index];
		p = &r->interpreters.v[w->t->interpreter];
		if (!p->asked)
			look_plan_interpreter(r, p);
		look_plan(r, w);
	}
}

size_t python_walk(struct python_reader *r, const pid_t *tids, size_t n, runtime_got *got,
		   void *arg)
{
	struct group g = { .n = 0 };
	size_t i, known = 0;

	r->now_ns = clock_now_ns();
	batch_clear(&r->batch);
	for (i = 0; i < n; i++) {
		size_t index = python_thread_find(r, tids[i]);

		if (index == r->threads.n)
			continue;
		known++;
		add_to_group(r, &g, index);
		if (g.n >= GROUP_WALKS || r->batch.used >= GROUP_BYTES ||
		    r->batch.pieces.n >= BATCH_CALL_PIECES)
			run_group(r, &g, got, arg);
	}
	run_group(r, &g, got, arg);
	return known;
}
