/* A sample is a page and a stack. Pages stand in a table, each with the stack that touched
 * it last; every few seconds the namer's thread asks the kernel's page map which of them
 * are still present, and forgets the others: what was freed does not count. Both tables are
 * bounded, and what found no room is counted as lost.
 *
 * A grower is the innermost function of a stack that is the program's own (else the
 * innermost there is): libraries allocate for whoever calls them. */
#include "app/faults.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"

#define STACKS_MOST 4096u
#define STACK_SLOTS (4 * STACKS_MOST)
#define FRAMES_MOST 40u
#define PAGES_MOST (1u << 16)
#define PROBES_MOST 16u
#define PAGE_BYTES 4096u
#define CHECK_NS (3 * NS_PER_SEC)
#define DRAIN_NS (100 * NS_PER_MSEC)
#define EVENTS_AT_ONCE 5000u
#define STACK_BYTES (16u << 10)
#define NAMED_MOST 256u /* stacks looked at for a picture */
#define CALLERS_MOST 8u
#define PAGE_PRESENT (1ull << 63)

struct fault_stack {
	uint64_t hash, samples, live; /* live: pages of the table, at the last picture */
	uint32_t n;
	struct frame frames[FRAMES_MOST]; /* innermost first */
};

struct fault_page {
	uint64_t page;	/* address / PAGE_BYTES */
	uint32_t stack; /* index + 1; 0: none here */
};

struct fault_watch {
	struct engine *e;
	const struct backend *backend;
	struct sampler *sampler; /* NULL once the target ended */
	uint32_t period;
	uint64_t first_rss_bytes;
	VEC(struct fault_stack) stacks;
	uint32_t *stack_slots;
	struct fault_page *pages;
	uint64_t samples, lost, late, began_ns, due_ns, check_ns;
	struct check_work *check; /* under way; the namer's */
};

/* ---- which pages are still there ---- */

struct check_work {
	struct work work;
	struct fault_watch *to; /* NULL: nobody waits for it any more */
	pid_t pid;
	bool ok;
	struct fault_page pages[PAGES_MOST]; /* stack 0: gone */
};

static void check_run(struct work *work)
{
	struct check_work *w = (struct check_work *)work;
	char path[64];
	size_t i;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)w->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	w->ok = true;
	for (i = 0; i < PAGES_MOST && w->ok; i++) {
		uint64_t entry;

		if (!w->pages[i].stack)
			continue;
		if (pread(fd, &entry, 8, (off_t)(w->pages[i].page * 8)) != 8)
			w->ok = false; /* the process is gone: all stays as it was */
		else if (!(entry & PAGE_PRESENT))
			w->pages[i].stack = 0;
	}
	close(fd);
}

/* A page touched again meanwhile has another stack, or the same: then it counts next time. */
static void check_done(struct work *work)
{
	struct check_work *w = (struct check_work *)work;
	size_t i;

	if (!w->to)
		return;
	w->to->check = NULL;
	for (i = 0; w->ok && i < PAGES_MOST; i++)
		if (!w->pages[i].stack && w->to->pages[i].page == w->pages[i].page)
			w->to->pages[i].stack = 0;
}

static void check_drop(struct work *work)
{
	free(work);
}

static void check(struct fault_watch *w)
{
	struct check_work *c = xcalloc(1, sizeof(*c));

	c->work = (struct work){ check_run, check_done, check_drop };
	c->to = w;
	c->pid = w->e->process.pid;
	memcpy(c->pages, w->pages, sizeof(c->pages));
	w->check = c;
	engine_work(w->e, &c->work);
}

/* ---- samples ---- */

static uint64_t hash_stack(const struct callstack *cs, uint32_t n)
{
	uint64_t h = n;
	uint32_t i;

	for (i = 0; i < n; i++)
		h = hash_pair(hash_pair(h, cs->frame[i].address),
			      (uint64_t)cs->frame[i].object << 8 | cs->frame[i].kind);
	return h;
}

/* Index + 1; 0 when there is no room. */
static uint32_t intern(struct fault_watch *w, const struct callstack *cs)
{
	uint32_t n = cs->depth < FRAMES_MOST ? cs->depth : FRAMES_MOST;
	uint64_t hash = hash_stack(cs, n);
	size_t at = hash % STACK_SLOTS;
	struct fault_stack *s;

	while (w->stack_slots[at] && w->stacks.v[w->stack_slots[at] - 1].hash != hash)
		at = (at + 1) % STACK_SLOTS;
	if (w->stack_slots[at])
		return w->stack_slots[at];
	if (w->stacks.n >= STACKS_MOST)
		return 0;
	s = VEC_PUSH(&w->stacks);
	s->hash = hash;
	s->n = n;
	memcpy(s->frames, cs->frame, n * sizeof(s->frames[0]));
	w->stack_slots[at] = (uint32_t)w->stacks.n;
	return (uint32_t)w->stacks.n;
}

/* The slot of a page, of its last owner or an empty one; NULL when all near are taken. */
static struct fault_page *page_slot(struct fault_watch *w, uint64_t page)
{
	size_t at = hash_u64(page) % PAGES_MOST, i;
	struct fault_page *empty = NULL;

	for (i = 0; i < PROBES_MOST; i++) {
		struct fault_page *p = &w->pages[(at + i) % PAGES_MOST];

		if (p->stack && p->page == page)
			return p;
		if (!p->stack && !empty)
			empty = p;
	}
	return empty;
}

struct found {
	struct engine *e;
	struct space *s;
};

static void got_past(void *arg, const struct runtime_look *look,
		     const struct callstack *cs)
{
	struct found *f = arg;

	(void)look;
	engine_interp_adopt(f->e, f->s, cs);
}

/* The language's stack at the fault, by what the sample holds of that moment. Where that
 * cannot be, the one it has now, which may be another already. */
static bool language_stack(struct fault_watch *w, struct space *s, const struct event *ev)
{
	struct engine *e = w->e;
	uint64_t words[SAMPLE_REGISTERS + STACK_BYTES / 8];
	struct found f = { e, s };
	size_t n = ev->stack.n / 8;

	if (s->runtime->past && ev->has_user) {
		n = n < STACK_BYTES / 8 ? n : STACK_BYTES / 8;
		memcpy(words, ev->reg, sizeof(ev->reg));
		if (n)
			memcpy(words + SAMPLE_REGISTERS, ev->stack.p, n * 8);
		if (s->runtime->past(s->reader, ev->tid, words, SAMPLE_REGISTERS + n,
				     got_past, &f))
			return e->stack.depth > 0;
	}
	w->late++;
	return engine_interp_stack(e, s, ev->tid) && e->stack.depth;
}

/* The stack of a sample into e->stack. */
static bool walk(struct fault_watch *w, struct space *s, const struct event *ev)
{
	struct engine *e = w->e;
	struct unwind_input in = { .stack = ev->stack, .live = &s->mem.mem };
	struct callstack *cs = &e->stack;

	cs->depth = 0;
	cs->complete = cs->truncated = cs->inferred = cs->stitched = false;
	if (engine_interp_knows(e, s, ev->tid))
		return language_stack(w, s, ev);
	if (!ev->has_user)
		return false;
	memcpy(in.reg, ev->reg, sizeof(in.reg));
	unwinder_walk(s->unwinder, &in, cs);
	return cs->depth > 0;
}

static void on_sample(struct fault_watch *w, const struct event *ev)
{
	struct space *s = engine_space(w->e, ev->pid);
	struct fault_page *page;
	uint32_t stack;

	if (!s)
		return;
	w->samples++;
	stack = walk(w, s, ev) ? intern(w, &w->e->stack) : 0;
	page = stack ? page_slot(w, ev->address / PAGE_BYTES) : NULL;
	if (stack)
		w->stacks.v[stack - 1].samples++;
	if (page)
		*page = (struct fault_page){ ev->address / PAGE_BYTES, stack };
	else
		w->lost++;
}

static void drain(struct fault_watch *w)
{
	struct event ev;
	size_t n = 0;

	while (n++ < EVENTS_AT_ONCE && w->backend->next(w->sampler, &ev)) {
		if (ev.kind == EVENT_SAMPLE)
			on_sample(w, &ev);
		else if (ev.kind == EVENT_LOST)
			w->lost += ev.count;
	}
}

int faults_open(struct engine *e, uint32_t period, uint64_t rss_bytes,
		struct fault_watch **out, struct error *err)
{
	struct sample_config c = { .pid = e->process.pid,
				   .rate_hz = 1,
				   .stack_bytes = STACK_BYTES,
				   .fault_period = period };
	const struct backend *b = &perf_thread_backend;
	struct sampler *sampler;
	struct fault_watch *w;
	int ret = b->open(&c, &sampler, err);

	if (ret) {
		b = &perf_user_backend;
		ret = b->open(&c, &sampler, err);
	}
	if (ret)
		return ret;
	w = xcalloc(1, sizeof(*w));
	w->e = e;
	w->backend = b;
	w->sampler = sampler;
	w->period = period;
	w->first_rss_bytes = rss_bytes;
	w->stack_slots = xcalloc(STACK_SLOTS, sizeof(*w->stack_slots));
	w->pages = xcalloc(PAGES_MOST, sizeof(*w->pages));
	w->began_ns = clock_now_ns();
	*out = w;
	return 0;
}

void faults_ended(struct fault_watch *w)
{
	if (!w || !w->sampler)
		return;
	drain(w);
	w->backend->close(w->sampler);
	w->sampler = NULL;
}

void faults_close(struct fault_watch *w)
{
	if (!w)
		return;
	faults_ended(w);
	if (w->check)
		w->check->to = NULL;
	VEC_DONE(&w->stacks);
	free(w->stack_slots);
	free(w->pages);
	free(w);
}

size_t faults_fds(struct fault_watch *w, struct pollfd *fds, size_t max)
{
	return w && w->sampler ? w->backend->fds(w->sampler, fds, max) : 0;
}

uint64_t faults_due_ns(const struct fault_watch *w)
{
	return w && w->sampler ? w->due_ns : UINT64_MAX;
}

void faults_turn(struct fault_watch *w, uint64_t now)
{
	if (!w || !w->sampler)
		return;
	drain(w);
	w->due_ns = now + DRAIN_NS;
	if (!w->check && w->samples && now >= w->check_ns) {
		w->check_ns = now + CHECK_NS;
		check(w);
	}
}

/* ---- growers ---- */

struct grower {
	uint32_t function;	      /* of the engine's */
	uint64_t live, samples, best; /* best: live pages of its heaviest stack */
	const struct fault_stack *stack;
	uint32_t at; /* frame of that stack */
};

static bool is_own(const struct engine *e, uint32_t function)
{
	uint32_t kind = e->functions.list.v[function].kind;

	return kind == CODE_APP || kind == CODE_PYTHON || kind == CODE_JIT;
}

/* The function a stack counts for, and its frame. */
static uint32_t blamed(struct engine *e, const struct fault_stack *s, uint32_t *at)
{
	struct place places[INLINE_DEPTH_MAX];
	uint32_t i;

	for (i = 0; i < s->n; i++) {
		engine_places(e, &s->frames[i], places);
		if (is_own(e, places[0].function)) {
			*at = i;
			return places[0].function;
		}
	}
	*at = 0;
	engine_places(e, &s->frames[0], places);
	return places[0].function;
}

static int by_live(const void *a, const void *b)
{
	const struct fault_stack *const *x = a, *const *y = b;

	if ((*x)->live != (*y)->live)
		return (*x)->live < (*y)->live ? 1 : -1;
	return (*x)->samples < (*y)->samples ? 1 : (*x)->samples > (*y)->samples ? -1 : 0;
}

static int by_size(const void *a, const void *b)
{
	const struct grower *x = a, *y = b;

	if (x->live != y->live)
		return x->live < y->live ? 1 : -1;
	return x->samples < y->samples ? 1 : x->samples > y->samples ? -1 : 0;
}

/* Stacks by the pages they still have, most first; at most NAMED_MOST. */
static size_t sort_stacks(struct fault_watch *w, const struct fault_stack **out)
{
	const struct fault_stack **all = xcalloc(w->stacks.n + 1, sizeof(*all));
	size_t i, n;

	for (i = 0; i < w->stacks.n; i++) {
		w->stacks.v[i].live = 0;
		all[i] = &w->stacks.v[i];
	}
	for (i = 0; i < PAGES_MOST; i++)
		if (w->pages[i].stack)
			w->stacks.v[w->pages[i].stack - 1].live++;
	if (w->stacks.n)
		qsort(all, w->stacks.n, sizeof(*all), by_live);
	n = w->stacks.n < NAMED_MOST ? w->stacks.n : NAMED_MOST;
	memcpy(out, all, n * sizeof(*out));
	free(all);
	return n;
}

static size_t group(struct fault_watch *w, struct grower *out)
{
	const struct fault_stack *stacks[NAMED_MOST];
	size_t i, k, n = 0, n_stacks = sort_stacks(w, stacks);

	for (i = 0; i < n_stacks; i++) {
		const struct fault_stack *s = stacks[i];
		uint32_t at, function = blamed(w->e, s, &at);

		for (k = 0; k < n && out[k].function != function; k++)
			;
		if (k == n)
			out[n++] = (struct grower){ .function = function,
						    .best = s->live,
						    .stack = s,
						    .at = at };
		out[k].live += s->live;
		out[k].samples += s->samples;
	}
	if (n)
		qsort(out, n, sizeof(*out), by_size);
	return n;
}

static const char *name_of(const struct engine *e, uint32_t function)
{
	return intern_get(&e->functions.strings, e->functions.list.v[function].name);
}

/* "dispatch < main": who called the grower in its heaviest stack. */
static const char *callers(struct engine *e, const struct grower *g, struct arena *a)
{
	struct place places[INLINE_DEPTH_MAX];
	struct text t = { 0 };
	const char *copy;
	uint32_t i, end = g->at + 1 + CALLERS_MOST;

	for (i = g->at + 1; i < g->stack->n && i < end; i++) {
		engine_places(e, &g->stack->frames[i], places);
		if (t.n)
			text_str(&t, " < ");
		text_str(&t, name_of(e, places[0].function));
	}
	copy = arena_strn(a, t.p ? t.p : "", t.n);
	text_done(&t);
	return copy;
}

/* Bytes that a page of the table stands for. Of every 16th fault that is 16 pages, but a
 * page touched again and again is in the table sooner: all together are never more than
 * what the process has grown by. */
static double page_weight(const struct fault_watch *w, const struct grower *g, size_t n,
			  uint64_t rss_bytes)
{
	double live = 0, each = (double)w->period * PAGE_BYTES, grown = 0;
	size_t i;

	for (i = 0; i < n; i++)
		live += (double)g[i].live * each;
	if (rss_bytes > w->first_rss_bytes)
		grown = (double)(rss_bytes - w->first_rss_bytes);
	return live > grown ? each * grown / live : each;
}

size_t faults_put(struct fault_watch *w, struct snapshot *s, struct memory_grower *out,
		  size_t most)
{
	struct grower growers[NAMED_MOST];
	double weight;
	size_t i, n;

	if (!w)
		return 0;
	s->memory.faults_look = (struct memory_look){ .on = true,
						      .looks = 1,
						      .things = w->samples,
						      .lost = w->lost,
						      .late = w->late,
						      .problem = "" };
	n = group(w, growers);
	weight = page_weight(w, growers, n, s->memory.rss_bytes);
	n = n < most ? n : most;
	for (i = 0; i < n; i++) {
		uint64_t bytes = (uint64_t)((double)growers[i].live * weight);

		s->memory.faults_look.bytes += bytes;
		out[i] = (struct memory_grower){
			.kind = GROWER_FAULTS,
			.name = arena_str(&s->arena, name_of(w->e, growers[i].function)),
			.stack = callers(w->e, &growers[i], &s->arena),
			.bytes = bytes,
			.bytes_more = (int64_t)bytes,
			.count = growers[i].samples * w->period,
			.count_more = (int64_t)(growers[i].samples * w->period),
			.span_ns =
			    s->time_ns > w->began_ns ? s->time_ns - w->began_ns : 1,
		};
	}
	return n;
}
