/* Sources: Sen 1968 (slope), Mann 1945 and Kendall 1975 (test, with the correction for
 * ties). Twelve points have 66 pairs, so everything here is a few hundred steps. */
#include "model/trend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define Z_GROWING 2.58
#define GROWTH_LEAST 0.01 /* of the figure */
#define HALF_LEAST 0.3	  /* of the whole's slope */
#define POINTS_LEAST 5u	  /* for a slope */
#define POINTS_VERDICT 9u
#define PAIRS_MOST (TREND_WINDOWS * (TREND_WINDOWS - 1) / 2)

struct point {
	double s, value;
};

void trend_add(struct trend *t, uint64_t time_ns, double value)
{
	uint64_t number = time_ns / TREND_SLOT_NS, i;
	struct trend_slot *slot = &t->slots[number % TREND_SLOTS_MOST];

	if (!isfinite(value) || (t->any && number < t->newest))
		return;
	if (!t->any || number - t->newest >= TREND_SLOTS_MOST) {
		*t = (struct trend){ .any = true, .first = number, .newest = number };
	} else {
		for (i = t->newest + 1; i <= number; i++)
			t->slots[i % TREND_SLOTS_MOST].any = false;
		t->newest = number;
	}
	if (!slot->any || value < slot->least)
		*slot = (struct trend_slot){ true, value };
	t->last = value;
}

/* The least of each window, oldest first; windows nothing was seen in are left out. The
 * slot being filled belongs to none: its least is not known yet. */
static size_t floors(const struct trend *t, struct point *out, size_t *per_window)
{
	uint64_t have = t->newest - t->first;
	size_t n = have >= TREND_SLOTS_MOST ? TREND_SLOTS_MOST - 1 : (size_t)have;
	size_t each = n / TREND_WINDOWS ? n / TREND_WINDOWS : 1, w, i, count = 0;
	size_t windows = n / each < TREND_WINDOWS ? n / each : TREND_WINDOWS;

	*per_window = each;
	for (w = 0; w < windows; w++) {
		bool any = false;
		double least = 0;

		for (i = 0; i < each; i++) {
			uint64_t number = t->newest - (windows - w) * each + i;
			const struct trend_slot *s = &t->slots[number % TREND_SLOTS_MOST];

			if (s->any && (!any || s->least < least))
				least = s->least;
			any = any || s->any;
		}
		if (any)
			out[count++] = (struct point){
				(double)(w * each) * (double)TREND_SLOT_NS / 1e9, least
			};
	}
	return count;
}

static int rising(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double at(const double *sorted, size_t n, double part)
{
	double where = part * (double)(n - 1);
	size_t i = (size_t)where;

	if (i + 1 >= n)
		return sorted[n - 1];
	return sorted[i] + (where - (double)i) * (sorted[i + 1] - sorted[i]);
}

static bool theil_sen(const struct point *p, size_t n, struct memory_slope *out)
{
	double slopes[PAIRS_MOST];
	size_t i, k, count = 0;

	if (n < 2)
		return false;
	for (i = 0; i < n; i++)
		for (k = i + 1; k < n; k++)
			slopes[count++] = (p[k].value - p[i].value) / (p[k].s - p[i].s);
	qsort(slopes, count, sizeof(slopes[0]), rising);
	out->per_s = at(slopes, count, 0.5);
	out->low = at(slopes, count, 0.1);
	out->high = at(slopes, count, 0.9);
	return true;
}

static double mann_kendall(const struct point *p, size_t n)
{
	double s = 0, ties = 0, var;
	size_t i, k;

	for (i = 0; i < n; i++) {
		double same = 1;
		bool counted = false;

		for (k = 0; k < n; k++) {
			if (k > i)
				s +=
				    (p[k].value > p[i].value) - (p[k].value < p[i].value);
			if (k == i || p[k].value < p[i].value || p[k].value > p[i].value)
				continue;
			counted = counted || k < i;
			same++;
		}
		if (!counted)
			ties += same * (same - 1) * (2 * same + 5);
	}
	var = ((double)(n * (n - 1) * (2 * n + 5)) - ties) / 18;
	if (var <= 0 || s == 0)
		return 0;
	return (s > 0 ? s - 1 : s + 1) / sqrt(var);
}

static bool growing(const struct trend *t, const struct point *p, size_t n,
		    const struct memory_slope *whole)
{
	struct memory_slope half = { 0 };
	double span = p[n - 1].s - p[0].s;

	return mann_kendall(p, n) > Z_GROWING &&
	       whole->per_s * span > GROWTH_LEAST * t->last &&
	       theil_sen(p + n / 2, n - n / 2, &half) &&
	       half.per_s > HALF_LEAST * whole->per_s;
}

void trend_read(const struct trend *t, struct trend_answer *out)
{
	struct point p[TREND_WINDOWS];
	uint64_t have = t->any ? t->newest - t->first : 0;
	size_t per_window, n;

	memset(out, 0, sizeof(*out));
	if (have < TREND_VERDICT_SLOTS)
		out->verdict_in_ns = (TREND_VERDICT_SLOTS - have) * TREND_SLOT_NS;
	if (have < TREND_SLOPE_SLOTS)
		return;
	n = floors(t, p, &per_window);
	if (n < POINTS_LEAST || !theil_sen(p, n, &out->slope))
		return;
	out->slope.known = true;
	out->slope.span_ns = per_window * TREND_WINDOWS * TREND_SLOT_NS;
	if (have < TREND_WINDOWS * per_window)
		out->slope.span_ns = have * TREND_SLOT_NS;
	if (have < TREND_VERDICT_SLOTS)
		return;
	out->verdict = VERDICT_STEADY;
	if (n >= POINTS_VERDICT && growing(t, p, n, &out->slope))
		out->verdict = VERDICT_GROWING;
}

double trend_seconds(double room, double per_s)
{
	double s = per_s > 0 ? room / per_s : -1;

	return s >= 0 && s < 1e9 ? s : -1;
}
