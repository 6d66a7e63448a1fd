/* Sorting moves 16-byte pairs (figure, index), not rows, and is skipped when the rows
 * already stand right, as the engine delivers them for the default order: with 50,000
 * functions a key press is answered in a few milliseconds. Every order is total: ties go
 * by the order there was, so rows of equal weight do not dance. */
#include "ui/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

struct item {
	uint64_t figure;
	uint32_t row;
};

struct by_text {
	const struct snapshot *s;
	const struct order_spec *spec;
};

/* Rank of each key of the last order: open addressing, half empty. */
struct ranks {
	uint64_t *keys;
	uint32_t *ranks; /* from 1; 0 is an empty slot */
	size_t mask;
};

uint64_t order_key(const struct snapshot *s, const struct snapshot_function *f)
{
	if (f->thread >= s->n_threads)
		return f->id;
	return hash_pair(f->id, (uint64_t)s->threads[f->thread].tid);
}

static void reserve(struct order *o, size_t n)
{
	if (n <= o->cap)
		return;
	o->cap = n;
	o->rows = xrealloc(o->rows, n * sizeof(*o->rows));
	o->keys = xrealloc(o->keys, n * sizeof(*o->keys));
}

static int by_figure(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->figure != y->figure)
		return x->figure < y->figure ? 1 : -1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static const char *thread_name(const struct snapshot *s,
			       const struct snapshot_function *f)
{
	return f->thread < s->n_threads ? s->threads[f->thread].name : "";
}

static const char *text_of(const struct by_text *by, const struct snapshot_function *f)
{
	switch (by->spec->sort) {
	case SORT_FILE:
		return f->file[0] ? f->file : f->module;
	case SORT_MODULE:
		return f->module;
	case SORT_THREAD:
		return thread_name(by->s, f);
	default:
		return f->name;
	}
}

static int by_text(const void *a, const void *b, void *arg)
{
	const struct item *x = a, *y = b;
	const struct by_text *by = arg;
	const struct snapshot_function *f = by->s->functions;
	int d = x->figure < y->figure ? -1 : x->figure > y->figure;

	if (d == 0)
		d = strcmp(text_of(by, &f[x->row]), text_of(by, &f[y->row]));
	if (d)
		return by->spec->inverted ? -d : d;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* The first bytes of each text as a number of the same order: most comparisons end there,
 * without touching the functions. */
static void prefixes(struct item *items, size_t n, const struct by_text *by)
{
	size_t i;
	int k;

	for (i = 0; i < n; i++) {
		const char *t = text_of(by, &by->s->functions[items[i].row]);

		items[i].figure = 0;
		for (k = 0; k < 8; k++) {
			items[i].figure = items[i].figure << 8 | (unsigned char)*t;
			t += *t != '\0';
		}
	}
}

static bool sorted(const struct item *items, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++)
		if (items[i - 1].figure < items[i].figure)
			return false;
	return true;
}

static struct ranks ranks_new(const struct order *o)
{
	struct ranks r = { 0 };
	size_t size = 16, i, at;

	while (size < 2 * o->n)
		size *= 2;
	r.mask = size - 1;
	r.keys = xcalloc(size, sizeof(*r.keys));
	r.ranks = xcalloc(size, sizeof(*r.ranks));
	for (i = 0; i < o->n; i++) {
		for (at = hash_u64(o->keys[i]) & r.mask; r.ranks[at];
		     at = (at + 1) & r.mask)
			;
		r.keys[at] = o->keys[i];
		r.ranks[at] = (uint32_t)i + 1;
	}
	return r;
}

static uint32_t rank_of(const struct ranks *r, uint64_t key)
{
	size_t at;

	for (at = hash_u64(key) & r->mask; r->ranks[at]; at = (at + 1) & r->mask)
		if (r->keys[at] == key)
			return r->ranks[at];
	return 0;
}

double order_delta(const struct snapshot *s, const struct snapshot_function *f,
		   const struct baseline *base)
{
	return snapshot_pct(s, f->self_ns) - baseline_function(base, f->id).self_pct;
}

static uint64_t figure_of(const struct snapshot *s, const struct snapshot_function *f,
			  const struct order_spec *spec)
{
	uint64_t figure = spec->sort == SORT_TOTAL ? f->total_ns : f->self_ns;

	if (spec->sort == SORT_DELTA) /* tenths, from the greatest loss up */
		figure = (uint64_t)(order_delta(s, f, spec->base) * 10 + 10000.5);
	return spec->inverted ? UINT64_MAX - figure : figure;
}

/* Known rows by falling UINT64_MAX - rank; unknown ones get 0 and so follow by their
 * index. */
static void by_old_rank(struct item *items, size_t n, const struct snapshot *s,
			const struct order *o)
{
	struct ranks ranks = ranks_new(o);
	size_t i;

	for (i = 0; i < n; i++) {
		uint32_t rank =
		    rank_of(&ranks, order_key(s, &s->functions[items[i].row]));

		items[i].figure = rank ? UINT64_MAX - rank : 0;
	}
	free(ranks.keys);
	free(ranks.ranks);
	qsort(items, n, sizeof(*items), by_figure);
}

static uint64_t shown_tenths(const struct snapshot *s, uint64_t ns)
{
	return (uint64_t)(snapshot_pct(s, ns) * 10 + 0.5);
}

/* Rows that show the same percentages keep the order they had: rows that swap places each second
 * over a difference nobody sees cannot be read, and cost a slow line more than all else. */
static void by_shown_figures(struct item *items, size_t n, const struct snapshot *s,
			     const struct order *o, const struct order_spec *spec)
{
	struct ranks ranks = ranks_new(o);
	size_t i;

	for (i = 0; i < n; i++) {
		const struct snapshot_function *f = &s->functions[items[i].row];
		uint64_t self = shown_tenths(s, f->self_ns);
		uint64_t total = shown_tenths(s, f->total_ns);
		uint64_t both =
		    spec->sort == SORT_TOTAL ? total << 14 | self : self << 14 | total;
		uint32_t rank = rank_of(&ranks, order_key(s, f));

		if (spec->inverted)
			both = (1u << 30) - both;
		items[i].figure = both << 32 | (rank ? UINT32_MAX - rank : 0);
	}
	free(ranks.keys);
	free(ranks.ranks);
	if (!sorted(items, n))
		qsort(items, n, sizeof(*items), by_figure);
}

static void sort(struct item *items, size_t n, const struct snapshot *s,
		 const struct order *o, const struct order_spec *spec)
{
	struct by_text by = { s, spec };

	if (n < 2)
		return;
	if (spec->keep && o->n) {
		by_old_rank(items, n, s, o);
	} else if (spec->sort >= SORT_NAME) {
		prefixes(items, n, &by);
		qsort_r(items, n, sizeof(*items), by_text, &by);
	} else if (o->n && spec->sort <= SORT_TOTAL) {
		by_shown_figures(items, n, s, o, spec);
	} else if (!sorted(items, n)) {
		qsort(items, n, sizeof(*items), by_figure);
	}
}

static void pin_first(struct order *o, uint64_t pin)
{
	size_t at = order_find(o, pin);
	uint32_t row;

	o->pinned = at < o->n;
	if (!o->pinned)
		return;
	row = o->rows[at];
	memmove(o->rows + 1, o->rows, at * sizeof(*o->rows));
	memmove(o->keys + 1, o->keys, at * sizeof(*o->keys));
	o->rows[0] = row;
	o->keys[0] = pin;
}

void order_build(struct order *o, const struct snapshot *s, const struct order_spec *spec)
{
	struct item *items = xcalloc(s->n_functions + 1, sizeof(*items));
	size_t i, n = 0;

	o->small = 0;
	o->small_ns = 0;
	for (i = 0; i < s->n_functions; i++) {
		const struct snapshot_function *f = &s->functions[i];
		bool pinned = spec->has_pin && order_key(s, f) == spec->pin;

		if (!pinned && !filter_match(spec->filter, f))
			continue;
		if (!pinned && snapshot_pct(s, f->total_ns) < spec->least_pct) {
			o->small++;
			o->small_ns += f->self_ns;
			continue;
		}
		items[n++] = (struct item){ figure_of(s, f, spec), (uint32_t)i };
	}
	sort(items, n, s, o, spec);
	reserve(o, n);
	o->n = n;
	o->self_ns = 0;
	for (i = 0; i < n; i++) {
		const struct snapshot_function *f = &s->functions[items[i].row];

		o->rows[i] = items[i].row;
		o->keys[i] = order_key(s, f);
		o->self_ns += f->self_ns;
	}
	free(items);
	o->pinned = false;
	if (spec->has_pin)
		pin_first(o, spec->pin);
}

size_t order_find(const struct order *o, uint64_t key)
{
	size_t i;

	for (i = 0; i < o->n && o->keys[i] != key; i++)
		;
	return i;
}

void order_done(struct order *o)
{
	free(o->rows);
	free(o->keys);
	*o = (struct order){ 0 };
}
