/* The outermost frames of a stack that is too deep to be read whole.
 *
 * The cost of a stack must not grow with its depth: of a chain longer than reader.whole three
 * quarters of that are kept of its innermost frames, then [truncated], then some of the outermost
 * ones. These are read with the rest, each time; what is remembered is only where they stand, in
 * `line`:
 *
 *   - from 3.11 on the addresses of the thread's chunks. A chunk's link to the older one is
 *     written once, and the stack is used in order: so while a chunk is in use, all that is
 *     older is in use, too, and the frames in the oldest one are the outermost. They are
 *     followed from its start up, each by the size of the one before it, as long as each
 *     names the one before as its caller.
 *   - to 3.10 the addresses of the frames. A frame that runs was called by what it names as its
 *     caller, and that waits for it: so if the chain meets a frame of the line, all that is
 *     further out is as it was. Each frame that is shown must still run and name the next.
 *
 * What this can miss: that between two readings the stack was taken down to below the place where
 * the chain meets the line, and built up again there on other frames (another greenlet's) while
 * the outermost ones still run. So the line is read anew now and then. That costs as many calls as
 * there are chunks (a chunk holds some 150 frames) or pages of frames, so it has a limit, and a
 * share of the time. Where no line is known the stack ends with the mark. */
#include <stdlib.h>

#include "base/clock.h"
#include "runtime/python/look.h"

#define SURVEY_TURN_NS (10 * NS_PER_MSEC) /* of CPU; then samples come first */
#define SURVEY_CREDIT_NS (150 * NS_PER_MSEC)
#define SURVEY_COST 300u /* of which a 300th of the time is spent at most */
#define SURVEY_JOINS 64u /* so near the inner end a known line is looked for */
#define SURVEY_AGAIN_NS (1 * NS_PER_SEC)
#define SURVEY_LINKS (1u << 20)
#define WINDOW_BYTES 65536u
#define PAGE_BYTES 4096u

/* ---- The line ------------------------------------------------------------------------ */

/* Its place in the line + 1; 0: it is not in it. Mostly it is where it was, or near the inner end. */
static size_t find_in_line(const struct python_thread *t, uint64_t address)
{
	size_t i = t->line_at;

	if (i && i <= t->line.n && t->line.v[i - 1] == address)
		return i;
	for (i = t->line.n; i > 0 && t->line.v[i - 1] != address; i--)
		;
	return i;
}

/* Bytes of the target's memory, with those around them, so that neighbours cost no call. */
struct window {
	struct python_reader *r;
	unsigned char *buffer; /* WINDOW_BYTES and a page */
	uint64_t start;
	size_t bytes;
};

static bool fill(struct window *w, uint64_t start, size_t bytes)
{
	w->start = start;
	w->bytes = batch_read(&w->r->side, start, w->buffer, bytes) ? bytes : 0;
	return w->bytes > 0;
}

static const unsigned char *in_window(struct window *w, uint64_t address, size_t bytes,
				      size_t around)
{
	uint64_t start = address & ~(uint64_t)(around - 1);

	if (w->bytes >= bytes && address >= w->start &&
	    address - w->start <= w->bytes - bytes)
		return w->buffer + (address - w->start);
	if (!fill(w, start, around + PAGE_BYTES) &&
	    !fill(w, address & ~(uint64_t)(PAGE_BYTES - 1), PAGE_BYTES) &&
	    !fill(w, address, bytes))
		return NULL;
	if (address - w->start + bytes > w->bytes && !fill(w, address, bytes))
		return NULL;
	return w->buffer + (address - w->start);
}

/* What this chunk, or frame, names as the next one further out. */
static bool outward(struct window *w, uint64_t address, uint64_t *next)
{
	const struct python_layout *l = &w->r->layout;
	const unsigned char *p;

	if (l->thread_chunk) {
		p = in_window(w, address, LOOK_CHUNK_HEAD, PAGE_BYTES);
		*next = p ? python_u64(p) : 0;
		return p != NULL;
	}
	p = in_window(w, address, l->frame_bytes, WINDOW_BYTES);
	*next = p ? python_u64(p + l->frame_previous) : 0;
	return p && look_heap_frame_runs(w->r, p);
}

/* From where the survey stands to the end; or to what the line has, when that is believed. Returns
 * whether it went on as long as it might. */
static bool follow(struct window *w, struct python_thread *t, bool believe, size_t *joins)
{
	uint64_t until = clock_thread_cpu_ns() + SURVEY_TURN_NS;
	uint64_t next;
	unsigned n;

	for (n = 1; t->survey_next && t->survey.n < SURVEY_LINKS; n++) {
		if (believe && t->survey.n < SURVEY_JOINS &&
		    (*joins = find_in_line(t, t->survey_next)))
			return true;
		if (n % 64 == 0 && clock_thread_cpu_ns() > until)
			return false;
		*VEC_PUSH(&t->survey) = t->survey_next;
		if (!outward(w, t->survey_next, &next))
			return true; /* it is no chain any more */
		t->survey_next = next;
	}
	return true;
}

/* Surveys have some CPU time at first, then a share of the time; to read a known line anew can wait
 * until all of it is paid back. */
static bool may_survey(struct python_reader *r, const struct python_thread *t)
{
	uint64_t now = clock_now_ns(), back = (now - r->survey_paid_ns) / SURVEY_COST;

	r->survey_debt_ns -= back < r->survey_debt_ns ? back : r->survey_debt_ns;
	r->survey_paid_ns = now;
	return t->line.n && !t->survey.n ? r->survey_debt_ns == 0
					 : r->survey_debt_ns < SURVEY_CREDIT_NS;
}

/* Goes on with the last turn's survey as long as the chain is what it was there. */
static void begin_or_go_on(struct window *w, struct python_thread *t, uint64_t from)
{
	uint64_t next;

	if (t->survey.n && outward(w, t->survey.v[t->survey.n - 1], &next) &&
	    next == t->survey_next)
		return;
	VEC_CLEAR(&t->survey);
	t->survey_next = from;
}

/* Reads the line from this chunk, or frame, outward. */
static void survey(struct look *k, uint64_t from)
{
	struct python_thread *t = k->walk->t;
	bool believe = t->line.n && clock_now_ns() - t->line_ns < SURVEY_AGAIN_NS, ends;
	struct window w = { .r = k->r };
	size_t joins = 0;
	uint64_t start;

	if (!may_survey(k->r, t))
		return;
	w.buffer = xmalloc(WINDOW_BYTES + PAGE_BYTES);
	start = clock_thread_cpu_ns();
	begin_or_go_on(&w, t, from);
	ends = follow(&w, t, believe, &joins);
	if (ends && (joins || !t->survey_next)) {
		t->line.n = joins;
		while (t->survey.n)
			*VEC_PUSH(&t->line) = t->survey.v[--t->survey.n];
		if (!joins)
			t->line_ns = clock_now_ns();
	}
	if (ends)
		VEC_CLEAR(&t->survey);
	k->r->survey_debt_ns += clock_thread_cpu_ns() - start;
	free(w.buffer);
}

/* Where the chain meets the line, + 1; 0: nowhere. `from` is as far in, or further. */
static size_t meet_line(struct look *k, uint64_t at, uint64_t from)
{
	struct python_thread *t = k->walk->t;
	size_t i = find_in_line(t, at);

	if (!i || clock_now_ns() - t->line_ns > SURVEY_AGAIN_NS) {
		survey(k, from);
		i = find_in_line(t, at);
	}
	t->line_at = i;
	return i;
}

uint64_t look_root_chunk(const struct python_thread *t)
{
	if (t->n_chunks && !t->beyond)
		return t->chunk[t->n_chunks - 1].address;
	return t->beyond && find_in_line(t, t->beyond) ? t->line.v[0] : 0;
}

/* ---- The frames ---------------------------------------------------------------------- */

static const unsigned char *read_frame(struct look *k, uint64_t address)
{
	const unsigned char *p = look_find(k, address, k->r->layout.frame_bytes);

	return p ? p : look_fetch_frame(k, address);
}

/* Is `caller` who called this frame, if only through an entry frame on the C stack? */
static bool is_called_by(struct look *k, const unsigned char *frame, uint64_t caller)
{
	const struct python_layout *l = &k->r->layout;
	uint64_t previous = python_u64(frame + l->frame_previous);

	if (previous == caller || l->minor < 12)
		return previous == caller;
	if (look_chunk_of(k->walk->t, 0, previous) < k->walk->t->n_chunks)
		return false;
	look_note_outside(k->walk->t, previous);
	frame = previous ? read_frame(k, previous) : NULL;
	return frame && frame[l->frame_owner] >= OWNED_BY_C &&
	       python_u64(frame + l->frame_previous) == caller;
}

/* Frames in the oldest chunk, outermost first. */
static void take_from_chunk(struct look *k, uint64_t chunk)
{
	const struct python_layout *l = &k->r->layout;
	const struct python_thread *t = k->walk->t;
	const unsigned char *p = look_find(k, chunk, LOOK_ROOT_BYTES);
	uint64_t at = chunk + LOOK_CHUNK_HEAD + 8, below = 0, end;
	unsigned n;

	if (!p)
		p = look_fetch(k, chunk, LOOK_ROOT_BYTES);
	if (!p || python_u64(p) != 0)
		return;
	end = t->chunk[0].address == chunk
		  ? k->top
		  : chunk + LOOK_CHUNK_HEAD + (python_u64(p + 16) & UINT32_MAX) * 8;
	for (n = 0; n < look_roots(k->r) && at != k->leaf_inner && at < end; n++) {
		const struct python_code *code;

		p = look_find(k, at, l->frame_bytes);
		if (!p || p[l->frame_owner] != OWNED_BY_THREAD ||
		    (n && !is_called_by(k, p, below)) ||
		    look_take_frame(k, at, p) != WALK_DONE)
			return;
		code = python_code(k->r, python_u64(p + l->frame_code) & ~7ull);
		if (!code || !code->frame_bytes)
			return;
		below = at;
		at += code->frame_bytes;
	}
}

/* To 3.10: the first n frames of the line. */
static void take_from_line(struct look *k, size_t n)
{
	const struct python_layout *l = &k->r->layout;
	struct python_thread *t = k->walk->t;
	size_t i;

	for (i = 0; i < n && i < look_roots(k->r); i++) {
		uint64_t at = t->line.v[i];
		const unsigned char *p = read_frame(k, at);

		if (!p || !look_heap_frame_runs(k->r, p) ||
		    python_u64(p + l->frame_previous) != (i ? t->line.v[i - 1] : 0) ||
		    look_take_frame(k, at, p) != WALK_DONE)
			break;
		look_note_outside(t, at);
	}
	if (i < n && i < look_roots(k->r))
		t->line.n = 0; /* it is another stack */
	else
		t->outermost = t->line.v[0];
}

static void reverse(struct python_reader *r, uint32_t from)
{
	uint32_t to = r->stack.depth;

	for (; from + 1 < to; from++) {
		struct frame f = r->stack.frame[from];
		uint64_t address = r->address[from];

		to--;
		r->stack.frame[from] = r->stack.frame[to];
		r->address[from] = r->address[to];
		r->stack.frame[to] = f;
		r->address[to] = address;
	}
}

/* To 3.10: the line has frames further in than the cut, which moves when `whole` changes. */
static uint64_t line_start(const struct look *k, uint64_t cut)
{
	uint32_t at = k->start + PYTHON_WHOLE_LEAST / 2;

	return at < k->r->stack.depth ? k->r->address[at] : cut;
}

/* Keeps the innermost frames; entries cover no more than these. */
static void keep_leaf(struct look *k)
{
	struct python_reader *r = k->r;
	struct callstack *cs = &r->stack;

	if (cs->depth - k->start < look_leaf(r))
		k->leaf_inner = k->inner;
	else
		cs->depth = k->start + look_leaf(r);
	while (r->entries.n > 1 && r->entries.v[r->entries.n - 2].end >= cs->depth)
		r->entries.n--;
	if (r->entries.n && r->entries.v[r->entries.n - 1].end > cs->depth)
		r->entries.v[r->entries.n - 1].end = cs->depth;
}

void look_root(struct look *k, uint64_t next)
{
	struct callstack *cs = &k->r->stack;
	struct python_thread *t = k->walk->t;
	uint32_t root;
	size_t met;

	keep_leaf(k);
	cs->truncated = true;
	if (cs->depth == DEPTH_MAX)
		cs->depth--;
	k->r->address[cs->depth] = 0;
	cs->frame[cs->depth++] =
	    (struct frame){ .kind = FRAME_MARK, .address = MARK_TRUNCATED };
	root = k->run_start = cs->depth;
	if (k->r->layout.minor <= 10) {
		met = meet_line(k, next, line_start(k, next));
		if (met)
			take_from_line(k, met);
	} else {
		if (t->beyond)
			(void)meet_line(k, t->beyond, t->beyond);
		if (look_root_chunk(t))
			take_from_chunk(k, look_root_chunk(t));
	}
	reverse(k->r, root);
}

/* ---- How deep is too deep ------------------------------------------------------------ */

#define DEEP_NS (1 * NS_PER_SEC)
#define DEEP_SHARE 160u /* of which so much of the time is spent on deep stacks */

uint64_t look_depth_start(const struct walk *w, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (w[i].t->steps > PYTHON_WHOLE_LEAST)
			return clock_thread_cpu_ns();
	return 0;
}

/* As many frames as there is time for; not fewer than most programs have. */
void look_depth_spent(struct python_reader *r, uint64_t start)
{
	uint64_t now, most;

	if (!start)
		return;
	now = clock_now_ns();
	r->deep_ns += clock_thread_cpu_ns() - start;
	r->deep_cut |= r->stack.truncated;
	if (now - r->deep_since_ns < DEEP_NS)
		return;
	most = (now - r->deep_since_ns) / DEEP_SHARE;
	if (!r->deep_since_ns)
		;
	else if (r->deep_ns > most && r->whole > PYTHON_WHOLE_LEAST)
		r->whole /= 2;
	else if (r->deep_ns < most / 3 && r->whole < DEPTH_MAX && r->deep_cut)
		r->whole *= 2;
	r->deep_since_ns = now;
	r->deep_ns = 0;
	r->deep_cut = false;
}
