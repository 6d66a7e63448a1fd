/* The functions of an object, collected and flattened.
 *
 * Functions overlap more often than one would think: aliases, entry points inside
 * hand-written assembly, a JIT that reuses memory, runtimes that first announce a whole
 * region. A search in overlapping ranges is either slow or wrong, so they are cut into
 * disjoint pieces once: a sweep over the starts with a heap of the ranges that are open
 * at that place, the highest rank on top. n log n; at most two pieces a range. Each piece
 * remembers how far before it its function began, because the start is what tells
 * functions apart. */
#include "symbol/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void table_done(struct table *t)
{
	VEC_DONE(&t->spans);
	text_done(&t->names);
}

uint32_t table_name(struct table *t, const char *s, size_t n)
{
	size_t at = t->names.n;

	if (n >= NAME_BYTES_MAX)
		n = NAME_BYTES_MAX - 1;
	if (at + n + 1 > NAMES_BYTES_MAX)
		return NAME_NONE;
	text_add(&t->names, s, n);
	text_char(&t->names, '\0');
	return (uint32_t)at;
}

bool table_add(struct table *t, struct span span)
{
	if (t->spans.n >= FUNCTIONS_MAX || span.start > UINT64_MAX - span.size)
		return false;
	*VEC_PUSH(&t->spans) = span;
	return true;
}

static uint64_t end_of(const struct span *s)
{
	return s->start + s->size;
}

static const char *name_of(const struct table *t, const struct span *s)
{
	return s->name == NAME_NONE ? "" : t->names.p + s->name;
}

/* < 0 when a is the better of two with the same start. */
static int better(const struct table *t, const struct span *a, const struct span *b)
{
	const char *x = name_of(t, a), *y = name_of(t, b);
	size_t x_bars = strspn(x, "_"), y_bars = strspn(y, "_");

	if (a->open != b->open)
		return a->open ? 1 : -1;
	if (!*x != !*y)
		return *x ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank > b->rank ? -1 : 1;
	if (x_bars != y_bars)
		return x_bars < y_bars ? -1 : 1;
	if (strlen(x) != strlen(y))
		return strlen(x) > strlen(y) ? -1 : 1;
	return strcmp(x, y);
}

static int by_start(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static void sort_spans(struct table *t)
{
	size_t i;

	for (i = 1; i < t->spans.n; i++)
		if (t->spans.v[i].start < t->spans.v[i - 1].start)
			break;
	if (i < t->spans.n)
		qsort(t->spans.v, t->spans.n, sizeof(*t->spans.v), by_start);
}

void table_unique(struct table *t)
{
	struct span *v = t->spans.v;
	size_t i, n = 0;
	uint64_t reach = 0; /* how far the functions with a size go */

	sort_spans(t);
	for (i = 0; i < t->spans.n; i++) {
		if (n > 0 && v[i].start == v[n - 1].start) {
			if (better(t, &v[i], &v[n - 1]) < 0)
				v[n - 1] = v[i];
		} else if (!v[i].open || v[i].start >= reach) {
			v[n++] = v[i];
		}
		if (n > 0 && !v[n - 1].open && end_of(&v[n - 1]) > reach)
			reach = end_of(&v[n - 1]);
	}
	t->spans.n = n;
}

void table_close(struct table *t)
{
	struct span *v = t->spans.v;
	size_t i;

	for (i = 0; i < t->spans.n; i++) {
		if (v[i].open && i + 1 < t->spans.n &&
		    v[i + 1].start - v[i].start < v[i].size)
			v[i].size = (uint32_t)(v[i + 1].start - v[i].start);
		v[i].open = false;
	}
}

void table_rank_by_start(struct table *t)
{
	size_t i;

	for (i = 0; i < t->spans.n; i++)
		t->spans.v[i].rank = (uint32_t)i;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void table_pack_names(struct table *t)
{
	uint64_t *key = xmalloc((t->spans.n + 1) * sizeof(*key));
	uint32_t from = NAME_NONE, to = 0;
	size_t i, n = 0, used = 0;

	/* In the order of the block, so that names only ever move down. */
	for (i = 0; i < t->spans.n; i++)
		if (t->spans.v[i].name != NAME_NONE)
			key[n++] = (uint64_t)t->spans.v[i].name << 32 | i;
	qsort(key, n, sizeof(*key), by_value);
	for (i = 0; i < n; i++) {
		struct span *s = &t->spans.v[key[i] & UINT32_MAX];
		size_t bytes;

		if (s->name != from) {
			from = s->name;
			to = (uint32_t)used;
			bytes = strlen(t->names.p + from) + 1;
			memmove(t->names.p + to, t->names.p + from, bytes);
			used += bytes;
		}
		s->name = to;
	}
	t->names.n = used;
	free(key);
}

/* A binary heap of indexes into spans, highest rank on top. */
struct heap {
	const struct span *span;
	uint32_t *v;
	size_t n;
};

static bool above(const struct heap *h, size_t a, size_t b)
{
	return h->span[h->v[a]].rank > h->span[h->v[b]].rank;
}

static void swap(struct heap *h, size_t a, size_t b)
{
	uint32_t x = h->v[a];

	h->v[a] = h->v[b];
	h->v[b] = x;
}

static void heap_push(struct heap *h, uint32_t i)
{
	size_t at = h->n++;

	h->v[at] = i;
	for (; at > 0 && above(h, at, (at - 1) / 2); at = (at - 1) / 2)
		swap(h, at, (at - 1) / 2);
}

static void heap_pop(struct heap *h)
{
	size_t at = 0;

	h->v[0] = h->v[--h->n];
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < h->n && above(h, child + 1, child))
			child++;
		if (child >= h->n || !above(h, child, at))
			return;
		swap(h, at, child);
		at = child;
	}
}

/* The pieces come out by address. */
struct sweep {
	const struct table *t;
	struct symbols *out;
	size_t cap; /* of its arrays */
	const struct span *last;
};

static void emit(struct sweep *w, const struct span *f, uint64_t from, uint64_t to)
{
	struct symbols *s = w->out;
	size_t i = s->n;

	/* The same function going on past a start that did not win. */
	if (w->last == f && s->start[i - 1] + s->size[i - 1] == from) {
		s->size[i - 1] += (uint32_t)(to - from);
		return;
	}
	s->n++;
	s->start[i] = from;
	s->size[i] = (uint32_t)(to - from);
	s->name[i] = f->name;
	w->last = f;
	if (from == f->start)
		return;
	if (!s->lead)
		s->lead = xcalloc(w->cap, sizeof(*s->lead));
	s->lead[i] = (uint32_t)(from - f->start);
}

static void sweep(struct sweep *w)
{
	const struct span *v = w->t->spans.v;
	size_t i = 0, n = w->t->spans.n;
	struct heap h = { v, xmalloc((n + 1) * sizeof(*h.v)), 0 };
	uint64_t at = 0;

	while (i < n || h.n > 0) {
		uint64_t stop;

		if (h.n == 0)
			at = v[i].start;
		while (i < n && v[i].start <= at)
			heap_push(&h, (uint32_t)i++);
		stop = end_of(&v[h.v[0]]);
		if (stop <= at) {
			heap_pop(&h);
			continue;
		}
		if (i < n && v[i].start < stop)
			stop = v[i].start;
		emit(w, &v[h.v[0]], at, stop);
		at = stop;
	}
	free(h.v);
}

/* Gives back what the arrays have too much. */
static void trim(struct symbols *s)
{
	size_t n = s->n ? s->n : 1;

	s->start = xrealloc(s->start, n * sizeof(*s->start));
	s->size = xrealloc(s->size, n * sizeof(*s->size));
	s->name = xrealloc(s->name, n * sizeof(*s->name));
	if (s->lead)
		s->lead = xrealloc(s->lead, n * sizeof(*s->lead));
}

struct symbols *table_finish(struct table *t, const char *source)
{
	struct symbols *s = symbols_empty(source);
	struct sweep w = { .t = t, .out = s, .cap = 2 * t->spans.n + 1 };

	s->note = t->note;
	sort_spans(t);
	s->start = xmalloc(w.cap * sizeof(*s->start));
	s->size = xmalloc(w.cap * sizeof(*s->size));
	s->name = xmalloc(w.cap * sizeof(*s->name));
	sweep(&w);
	trim(s);
	if (t->names.n) {
		s->names = xrealloc(t->names.p, t->names.n);
		s->names_bytes = t->names.n;
		t->names = (struct text){ 0 };
	}
	table_done(t);
	return s;
}
