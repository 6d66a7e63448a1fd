/* A bucket is known by its number, time / width, and stands at number % SERIES_BUCKETS, so
 * that adding and reading are arithmetic and nothing is ever moved, but when the level of
 * all time doubles its width. */
#include "model/series.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"

static const uint64_t widths[SERIES_LEVELS] = { 200 * NS_PER_MSEC, 2 * NS_PER_SEC,
						NS_PER_SEC };
#define ALL_TIME (SERIES_LEVELS - 1)

void series_init(struct series *s)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < SERIES_LEVELS; i++)
		s->levels[i].width_ns = widths[i];
}

static void join(struct series_cell *to, const struct series_cell *later)
{
	if (later->n == 0)
		return;
	if (to->n == 0) {
		*to = *later;
		return;
	}
	to->min = later->min < to->min ? later->min : to->min;
	to->max = later->max > to->max ? later->max : to->max;
	to->last = later->last;
	to->n += later->n;
	to->sum += later->sum;
}

/* Pairs become one until bucket `number` has room. Numbers are at most 2^64 / 1 s, so this
 * ends after a few dozen rounds whatever a clock says. */
static uint64_t widen(struct series_level *l, uint64_t number)
{
	while (number - l->first >= SERIES_BUCKETS) {
		struct series_cell joined[SERIES_BUCKETS];
		uint64_t i, first = l->first / 2;

		memset(joined, 0, sizeof(joined));
		for (i = l->first; i <= l->newest; i++)
			join(&joined[(i / 2) % SERIES_BUCKETS],
			     &l->cells[i % SERIES_BUCKETS]);
		memcpy(l->cells, joined, sizeof(joined));
		l->first = first;
		l->newest /= 2;
		l->width_ns *= 2;
		number /= 2;
	}
	return number;
}

static void advance(struct series_level *l, uint64_t number)
{
	uint64_t i = l->newest + 1;

	if (number - l->newest > SERIES_BUCKETS)
		i = number - SERIES_BUCKETS + 1;
	for (; i <= number; i++)
		memset(&l->cells[i % SERIES_BUCKETS], 0, sizeof(l->cells[0]));
	l->newest = number;
}

static void add(struct series_level *l, bool any, bool all_time, uint64_t time_ns,
		const struct series_cell *one)
{
	uint64_t number = time_ns / l->width_ns;

	if (!any)
		l->first = l->newest = number;
	if (number < l->first)
		return;
	if (all_time)
		number = widen(l, number);
	if (number > l->newest)
		advance(l, number);
	if (l->newest - number < SERIES_BUCKETS)
		join(&l->cells[number % SERIES_BUCKETS], one);
}

void series_add(struct series *s, uint64_t time_ns, double value)
{
	struct series_cell one = { (float)value, (float)value, (float)value, 1, value };
	size_t i;

	if (!isfinite(value))
		return;
	for (i = 0; i < SERIES_LEVELS; i++)
		add(&s->levels[i], s->any, i == ALL_TIME, time_ns, &one);
	s->any = true;
}

/* The number of the oldest bucket a level still has. */
static uint64_t oldest(const struct series_level *l)
{
	uint64_t kept = l->newest >= SERIES_BUCKETS ? l->newest - SERIES_BUCKETS + 1 : 0;

	return kept > l->first ? kept : l->first;
}

static const struct series_level *level_for(const struct series *s, uint64_t from_ns)
{
	size_t i;

	for (i = 0; i < ALL_TIME; i++) {
		const struct series_level *l = &s->levels[i];

		if (oldest(l) == l->first || oldest(l) * l->width_ns <= from_ns)
			return l;
	}
	return &s->levels[ALL_TIME];
}

/* The last value before a bucket; looks back as far as the level goes. */
static struct series_cell before(const struct series_level *l, uint64_t number)
{
	struct series_cell none = { 0 };
	uint64_t i = number > l->newest ? l->newest + 1 : number;

	for (; i > oldest(l); i--) {
		const struct series_cell *c = &l->cells[(i - 1) % SERIES_BUCKETS];

		if (c->n)
			return (struct series_cell){ c->last, c->last, c->last, 1,
						     (double)c->last };
	}
	return none;
}

/* Every bucket goes whole into the cell in which it begins; of cells narrower than a bucket
 * the others hold what was last, or stay empty. */
void series_read(const struct series *s, uint64_t from_ns, uint64_t to_ns, bool hold,
		 struct series_cell *cells, size_t n)
{
	const struct series_level *l = level_for(s, from_ns);
	struct series_cell last;
	uint64_t number, end;
	size_t i;

	memset(cells, 0, n * sizeof(*cells));
	if (!s->any || n == 0 || to_ns <= from_ns)
		return;
	number = from_ns / l->width_ns;
	number = number < oldest(l) ? oldest(l) : number;
	last = before(l, number);
	end = (to_ns - 1) / l->width_ns;
	for (; number <= end && number <= l->newest; number++) {
		uint64_t at = number * l->width_ns;
		double part = at > from_ns ? (double)(at - from_ns) : 0;

		i = (size_t)(part / (double)(to_ns - from_ns) * (double)n);
		join(&cells[i < n ? i : n - 1], &l->cells[number % SERIES_BUCKETS]);
	}
	for (i = 0; hold && i < n; i++) {
		if (cells[i].n == 0)
			cells[i] = last;
		else
			last = (struct series_cell){ cells[i].last, cells[i].last,
						     cells[i].last, 1,
						     (double)cells[i].last };
	}
}

struct series_view series_look(const struct series *s, struct arena *a, uint64_t from_ns,
			       uint64_t to_ns, bool hold, size_t n)
{
	const struct series_level *all = &s->levels[ALL_TIME];
	struct series_view v = { .from_ns = from_ns, .to_ns = to_ns };
	struct series_cell *cells;

	if (!s->any || n == 0 || n > SERIES_CELLS_MOST)
		return v;
	if (from_ns == 0)
		v.from_ns = all->first * all->width_ns;
	cells = arena_alloc(a, n * sizeof(*cells));
	series_read(s, v.from_ns, to_ns, hold, cells, n);
	v.n = n;
	v.cells = cells;
	return v;
}

struct series_cell series_view_cell(const struct series_view *v, size_t i, size_t of)
{
	struct series_cell sum = { 0 };
	size_t k, end;

	if (v->n == 0 || of == 0 || i >= of)
		return sum;
	k = i * v->n / of;
	end = (i + 1) * v->n / of;
	for (end = end > k ? end : k + 1; k < end && k < v->n; k++)
		join(&sum, &v->cells[k]);
	return sum;
}
