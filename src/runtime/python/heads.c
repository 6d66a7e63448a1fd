/* Where does a chain of frames begin? The thread state says it, a moment before the frames are
 * read: when the thread returned or yielded meanwhile, what stands there is no chain any more.
 * The frames that were read with it then tell which of them ran when they were read. */
#include "runtime/python/look.h"

/* ---- Frames on the heap, to 3.10 --------------------------------------------------- */

/* Who ran when the frames were read, and who was called by one that ran. */
static void mark_running(struct look *k)
{
	struct python_thread *t = k->walk->t;
	size_t i, caller;

	for (i = 0; i < t->outside.n; i++) {
		struct python_outside *o = &t->outside.v[i];
		const unsigned char *p =
		    look_find(k, o->address, k->r->layout.frame_bytes);

		o->called = false;
		o->runs = p && look_heap_frame_runs(k->r, p);
		o->back = o->runs ? python_u64(p + k->r->layout.frame_previous) : 0;
	}
	for (i = 0; i < t->outside.n; i++) {
		caller = look_outside_of(t, t->outside.v[i].back);
		if (t->outside.v[i].runs && caller < t->outside.n)
			t->outside.v[caller].called = true;
	}
}

/* Does the chain from here end at the thread's outermost frame? */
static bool is_of_thread(const struct python_thread *t, size_t i)
{
	unsigned step;

	for (step = 0; step < LOOK_STEPS_MAX; step++) {
		if (i == t->outside.n || !t->outside.v[i].runs)
			return false;
		if (!t->outside.v[i].back)
			return t->outside.v[i].address == t->outermost;
		i = look_outside_of(t, t->outside.v[i].back);
	}
	return false;
}

/* A frame that returned has no caller any more, so when the innermost one did between the reading
 * of its address and its own, the chain is cut. But frames are used again, so those of the last
 * looks were all read: the innermost is the one that runs and called none that does. */
static int follow_running(struct look *k)
{
	const struct python_thread *t = k->walk->t;
	uint64_t head = 0;
	size_t i;

	mark_running(k);
	for (i = 0; i < t->outside.n; i++) {
		if (!t->outside.v[i].runs || t->outside.v[i].called ||
		    !is_of_thread(t, i))
			continue;
		if (head)
			return REJECT_CHAIN;
		head = t->outside.v[i].address;
	}
	if (!head)
		return REJECT_CHAIN;
	look_restart(k);
	k->at_end = false;
	return look_chain(k, head, 0);
}

/* ---- The frame that runs, from 3.11 on --------------------------------------------- */

/* The last frame of the data stack whose operands are in use. Each one begins where the one it
 * was called by ends, so the newest chunk can be gone through from its start. */
static uint64_t running_in_stack(struct look *k)
{
	const struct python_layout *l = &k->r->layout;
	const struct python_thread *t = k->walk->t;
	uint64_t at, found = 0;
	const unsigned char *p;
	unsigned step;

	p = t->n_chunks ? look_find(k, t->chunk[0].address, LOOK_CHUNK_HEAD) : NULL;
	if (!p)
		return 0;
	at = t->chunk[0].address + LOOK_CHUNK_HEAD;
	if (python_u64(p) == 0) /* the oldest chunk leaves its first word free */
		at += 8;
	for (step = 0; step < LOOK_STEPS_MAX && (p = look_find(k, at, l->frame_bytes));
	     step++) {
		const struct python_code *code;

		if (p[l->frame_owner] != OWNED_BY_THREAD)
			break;
		code = python_code(k->r, python_u64(p + l->frame_code) & ~7ull);
		if (!code || !code->frame_bytes)
			break;
		if (look_in_use(k, at, p))
			found = at;
		at += code->frame_bytes;
	}
	return found;
}

/* Is `below` among the callers of the frame at this address? */
static bool is_above(struct look *k, uint64_t address, uint64_t below)
{
	const struct python_layout *l = &k->r->layout;
	const unsigned char *p;
	unsigned step;

	for (step = 0; step < LOOK_STEPS_MAX && address; step++) {
		if (address == below)
			return true;
		p = look_find(k, address, l->frame_bytes);
		address = p ? python_u64(p + l->frame_previous) : 0;
	}
	return false;
}

static uint64_t frame_in_use(struct look *k)
{
	const struct python_thread *t = k->walk->t;
	uint64_t head = running_in_stack(k);
	size_t i;

	for (i = 0; i < t->outside.n && head; i++) {
		uint64_t at = t->outside.v[i].address;
		const unsigned char *p = look_find(k, at, k->r->layout.frame_bytes);

		if (p && p[k->r->layout.frame_owner] == OWNED_BY_GENERATOR &&
		    look_in_use(k, at, p) && is_above(k, at, head))
			head = at;
	}
	return head;
}

/* The innermost frame as it was when all the others had been read. */
static uint64_t frame_at_end(const struct look *k)
{
	const struct batch *b = &k->r->batch;
	const struct piece *p = k->walk->again ? &b->pieces.v[k->walk->again - 1] : NULL;

	return p && p->ok ? python_u64(batch_bytes(b, p)) : 0;
}

static uint64_t last_caller(const struct python_thread *t, uint64_t generator)
{
	size_t i = look_outside_of(t, generator);

	return i < t->outside.n ? t->outside.v[i].back : 0;
}

/* A generator that yields forgets its caller; it did so between the reading of the innermost
 * frame's address and its own. It ran when the look began and its caller is the one it had before,
 * so the chain goes on there. A generator not met before leaves the frame that runs now: that of
 * the look's end, or the last one of the data stack whose operands are in use. */
static int follow_other(struct look *k, uint64_t address, uint64_t base)
{
	uint64_t head = last_caller(k->walk->t, k->last);

	k->in_front = false;
	if (head && look_chain(k, head, base) == WALK_DONE)
		return WALK_DONE;
	head = frame_at_end(k);
	if (!head || head == address)
		head = frame_in_use(k);
	if (!head || head == address)
		return REJECT_END;
	look_restart(k);
	k->inner = k->border = 0;
	k->inner_chunk = 0;
	k->at_end = false;
	k->in_front = true;
	k->doubt = WALK_DONE;
	return look_chain(k, head, base);
}

int look_follow(struct look *k, uint64_t address, uint64_t base)
{
	int outcome = look_chain(k, address, base);

	if (k->captured) /* nothing moved while it was copied */
		return outcome;
	if (k->r->layout.minor > 10)
		return outcome == REJECT_END && k->in_front
			   ? follow_other(k, address, base)
			   : outcome;
	if (outcome == WALK_DONE)
		k->walk->t->outermost = k->last;
	else if (outcome != WALK_AGAIN)
		outcome = follow_running(k);
	return outcome;
}
