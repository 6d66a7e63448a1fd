/* How the two stacks are put together.
 *
 * Loops and entries are paired from the innermost. Their numbers must agree (where the
 * machine's stack is cut, there may be more entries), and where an entry names an address in
 * its loop's C frame, it must lie in there. That the innermost run is the one of the sample
 * and not a later one, the machine tells itself: the loop keeps the next instruction and the
 * frame in registers and on its stack, see was_running().
 *
 * Of the frames outside the outermost loop those of the interpreter itself and of the C library
 * (main, Py_RunMain, start_thread) are left out. */
#include "app/merge.h"

#include <string.h>

#include "app/engine_state.h"
#include "symbol/symbols.h"
#include "unwind/kept.h"

struct loop_frames {
	uint32_t at[DEPTH_MAX]; /* indexes in the machine's stack */
	uint32_t n;
};

struct merge *merge_new(void)
{
	return xcalloc(1, sizeof(struct merge));
}

void merge_free(struct merge *m)
{
	if (!m)
		return;
	VEC_DONE(&m->entries);
	kept_free(m->kept);
	free(m);
}

/* ---- the language's half ---- */

struct reading {
	struct merge *m;
	struct engine *e;
	struct space *s;
};

static void got(void *arg, const struct runtime_look *look, const struct callstack *cs)
{
	struct reading *to = arg;
	struct merge *m = to->m;
	size_t i;

	m->ok = !look->rejected;
	if (!m->ok)
		return;
	m->stack.depth = cs->depth;
	m->stack.truncated = cs->truncated;
	memcpy(m->stack.frame, cs->frame, cs->depth * sizeof(cs->frame[0]));
	for (i = 0; i < cs->depth; i++)
		if (m->stack.frame[i].kind == FRAME_PYTHON)
			m->stack.frame[i].object |= to->s->interp << INTERP_SHIFT;
	engine_interp_note(to->e, look, cs);
	for (i = 0; i < look->n_entries; i++)
		*VEC_PUSH(&m->entries) = look->entries[i];
}

static void forget(struct merge *m, bool same_instant)
{
	m->ok = false;
	m->same_instant = same_instant;
	m->stack.depth = 0;
	VEC_CLEAR(&m->entries);
}

void merge_read_now(struct merge *m, struct engine *e, struct space *s, pid_t tid)
{
	struct reading to = { m, e, s };

	forget(m, false);
	s->runtime->walk(s->reader, &tid, 1, got, &to);
}

void merge_read(struct merge *m, struct engine *e, struct space *s,
		const struct event *ev)
{
	struct reading to = { m, e, s };

	forget(m, true);
	if (!ev->chain.n ||
	    !s->runtime->chain_walk(s->reader, ev->tid, ev->chain, got, &to))
		merge_read_now(m, e, s, ev->tid);
}

#define FRAMES_OF_CALL 4u   /* of the machine, that a call in an older version takes */
#define FRAMES_AT_LEAF 256u /* and what native code may stand above it */

uint32_t merge_most(const struct merge *m)
{
	uint64_t most = DEPTH_MAX;

	if (m->ok && m->stack.truncated)
		most = FRAMES_AT_LEAF + m->entries.n * FRAMES_OF_CALL;
	return most < DEPTH_MAX ? (uint32_t)most : DEPTH_MAX;
}

/* ---- the machine's half ---- */

static bool is_loop(const struct space *s, const struct frame *f, bool leads_to)
{
	size_t i;

	for (i = 0; i < s->n_loops; i++)
		if (f->kind == FRAME_NATIVE && f->object == s->loops[i].object &&
		    f->address >= s->loops[i].start && f->address < s->loops[i].end)
			return s->loops[i].leads_to == leads_to;
	return false;
}

static void find_loops(const struct space *s, const struct callstack *cs,
		       struct loop_frames *out)
{
	uint32_t i;

	out->n = 0;
	for (i = 0; i < cs->depth; i++)
		if (is_loop(s, &cs->frame[i], false))
			out->at[out->n++] = i;
}

/* Does the address lie in the C frame of that loop? Its return address ends it. */
static bool in_c_frame(const struct merge *m, const struct callstack *cs, uint32_t at,
		       uint64_t address)
{
	if (at + 1 >= cs->depth || !m->sp[at + 1])
		return true; /* nobody knows where it ends */
	return address >= m->sp[at] && address < m->sp[at + 1];
}

/* What the words said so far. */
struct witness {
	const struct runtime_entry *entry;
	bool frame, code, other;
};

static void hear(struct witness *w, const struct space *s, uint64_t word)
{
	w->frame |= word == w->entry->frame;
	if (w->code || w->other)
		return;
	w->code = word >= w->entry->code_start && word < w->entry->code_end;
	w->other = !w->code && s->runtime->is_instruction(s->reader, word);
}

static uint32_t first_of_user(const struct callstack *cs)
{
	uint32_t i = 0;

	while (i < cs->depth && cs->frame[i].kind == FRAME_KERNEL)
		i++;
	return i;
}

/* Was the innermost function running at the sample? The loop's registers tell, as they were when
 * it called what stands above it; what it has in no register, it put aside in its own frame,
 * where older words stay behind, too. When the loop's frame reaches beyond the copied stack
 * nobody knows, and it is believed. */
static bool was_running(const struct merge *m, struct engine *e, const struct space *s,
			uint32_t loop, const struct unwind_input *in)
{
	struct witness w = { .entry = &m->entries.v[0] };
	const struct callstack *cs = &e->stack;
	uint64_t sp = in->reg[DWARF_RSP], reg[KEPT_REGS], at, end;
	size_t i;

	if (loop + 1 >= cs->depth || m->sp[loop] < sp || m->sp[loop + 1] < m->sp[loop] ||
	    m->sp[loop + 1] - sp > in->stack.n)
		return true;
	if (kept_registers(m->kept, in, cs, first_of_user(cs), loop, reg))
		for (i = 0; i < KEPT_REGS; i++)
			hear(&w, s, reg[i]);
	end = (m->sp[loop + 1] - sp) & ~7ull;
	for (at = (m->sp[loop] - sp) & ~7ull; at + 8 <= end; at += 8) {
		uint64_t word;

		memcpy(&word, in->stack.p + at, sizeof(word));
		hear(&w, s, word);
	}
	return w.code && w.frame;
}

/* A language's stack that is cut has fewer entries: what is further out of the machine's has no
 * partner, and is left out, too. */
static void pair(const struct merge *m, struct loop_frames *loops)
{
	if (m->ok && m->stack.truncated && loops->n > m->entries.n)
		loops->n = (uint32_t)m->entries.n;
}

static bool fits(const struct merge *m, struct engine *e, const struct space *s,
		 const struct loop_frames *loops, const struct unwind_input *in)
{
	const struct callstack *cs = &e->stack;
	uint32_t i;

	if (!m->ok || loops->n > m->entries.n)
		return false;
	if (loops->n < m->entries.n && !cs->truncated && !m->stack.truncated)
		return false;
	for (i = 0; i < loops->n; i++)
		if (m->entries.v[i].border &&
		    !in_c_frame(m, cs, loops->at[i], m->entries.v[i].border))
			return false;
	return !in || in->only_sp_and_ip || loops->n == 0 || m->same_instant ||
	       was_running(m, e, s, loops->at[0], in);
}

/* ---- both ---- */

static void put(struct callstack *to, const struct frame *from, uint32_t n)
{
	if (n > DEPTH_MAX - to->depth) {
		n = DEPTH_MAX - to->depth;
		to->truncated = true;
	}
	memcpy(to->frame + to->depth, from, n * sizeof(*from));
	to->depth += n;
}

static bool is_plumbing(const struct engine *e, const struct space *s,
			const struct frame *f)
{
	static const char *const names[] = { "libc.", "libc-", "libpthread", "ld-musl" };
	const struct object *o;
	size_t i;

	if (f->kind != FRAME_NATIVE)
		return false;
	o = objects_get(e->objects, f->object);
	if (!o || o->id == s->loops[0].object)
		return o != NULL;
	if (o->main)
		return strncmp(o->name, "python", 6) == 0;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(o->name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* The root end: what called the outermost loop. */
static void put_root(struct merge *m, const struct engine *e, const struct space *s,
		     uint32_t from)
{
	const struct callstack *cs = &e->stack;

	while (from < cs->depth && is_plumbing(e, s, &cs->frame[from]))
		from++;
	put(&m->both, cs->frame + from, cs->depth - from);
}

/* The first frame behind a loop that says something: the interpreter's own way from a call to
 * its loop does not. */
static uint32_t behind_loop(const struct callstack *cs, const struct space *s,
			    uint32_t loop)
{
	uint32_t i = loop + 1;

	while (i < cs->depth && is_loop(s, &cs->frame[i], true))
		i++;
	return i;
}

/* Each loop's frame becomes its run; entries that the cut machine stack does not show follow at
 * the root end. */
static void splice(struct merge *m, const struct engine *e, const struct space *s,
		   const struct loop_frames *loops)
{
	static const struct frame cut = { .kind = FRAME_MARK, .address = MARK_TRUNCATED };
	const struct callstack *cs = &e->stack;
	uint32_t i, from = 0, run = 0;

	/* All that is known of the machine's is above the language. */
	if (loops->n == 0) {
		put(&m->both, cs->frame, cs->depth);
		put(&m->both, &cut, 1);
	}
	for (i = 0; i < loops->n; i++) {
		put(&m->both, cs->frame + from, loops->at[i] - from);
		put(&m->both, m->stack.frame + run, m->entries.v[i].end - run);
		run = m->entries.v[i].end;
		from = behind_loop(cs, s, loops->at[i]);
	}
	if (run < m->stack.depth)
		put(&m->both, m->stack.frame + run, m->stack.depth - run);
	else
		put_root(m, e, s, from);
}

static void mark(struct merge *m, const struct engine *e, const struct space *s,
		 const struct loop_frames *loops)
{
	static const struct frame python = { .kind = FRAME_MARK, .address = MARK_PYTHON };
	const struct callstack *cs = &e->stack;
	uint32_t i, from = 0;

	for (i = 0; i < loops->n; i++) {
		put(&m->both, cs->frame + from, loops->at[i] - from);
		put(&m->both, &python, 1);
		from = behind_loop(cs, s, loops->at[i]);
	}
	if (loops->n)
		put_root(m, e, s, from);
	else { /* no loop is known in it */
		put(&m->both, cs->frame, cs->depth);
		put(&m->both, &python, 1);
	}
}

/* The part that the compiler moved out of the loop has no dynamic symbol; where debug
 * information is installed the namer finds its name. */
static void learn_loops(const struct engine *e, struct space *s)
{
	uint32_t object = s->n_loops ? s->loops[0].object : NO_ID;
	struct symbol sym;

	if (s->loops_learnt || object >= e->names.n || !e->names.v[object].symbols)
		return;
	s->loops_learnt = true;
	if (s->n_loops < RUNTIME_LOOPS &&
	    symbols_named(e->names.v[object].symbols, "_PyEval_EvalFrameDefault.cold",
			  &sym))
		s->loops[s->n_loops++] = (struct runtime_loop){
			.object = object, .start = sym.start, .end = sym.start + sym.size
		};
}

void merge_stacks(struct merge *m, struct engine *e, struct space *s,
		  const struct unwind_input *in)
{
	struct callstack *cs = &e->stack;
	struct loop_frames loops;

	if (!m->kept)
		m->kept = kept_new(e->tables, e->objects);
	learn_loops(e, s);
	find_loops(s, cs, &loops);
	pair(m, &loops);
	if (loops.n == 0 && m->ok && m->entries.n == 0)
		return; /* it runs no Python */
	m->both.depth = 0;
	m->both.truncated = cs->truncated || m->stack.truncated;
	if (fits(m, e, s, &loops, in)) {
		splice(m, e, s, &loops);
		m->both.complete = cs->complete && !m->stack.truncated;
	} else {
		e->lost[LOSS_MERGE]++;
		mark(m, e, s, &loops);
		m->both.complete = cs->complete;
	}
	cs->depth = m->both.depth;
	cs->truncated = m->both.truncated;
	cs->complete = m->both.complete;
	memcpy(cs->frame, m->both.frame, cs->depth * sizeof(cs->frame[0]));
}
