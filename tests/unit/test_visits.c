/* Looks in, calls out: what goes on, what ends, how long it took, and what may be said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/latency_log.h"
#include "model/visits.h"

#define T 10000000ull
#define MS 1000000ull

struct ends {
	struct visit list[2000];
	size_t n;
};

static void ended(void *arg, const struct visit *v)
{
	struct ends *e = arg;

	e->list[e->n++] = *v;
}

/* "main1 f2": functions by letter, calls by number, root first; "f0" is not known. */
static void look(struct visits *v, uint64_t now, const char *text, struct ends *e)
{
	static struct callstack cs;
	uint64_t calls[32];
	size_t words = 0, i;
	const char *p;

	for (p = text; *p; p++)
		words += p == text || p[-1] == ' ';
	cs.depth = (uint32_t)words;
	for (p = text, i = words; i-- > 0; p += strcspn(p, " ") + 1) {
		cs.frame[i] =
		    (struct frame){ .kind = FRAME_PYTHON, .object = (uint32_t)*p };
		calls[i] = strtoul(p + 1, NULL, 10);
	}
	visits_look(v, 3, now, &cs, calls, ended, e);
}

static void same_call_goes_on(void **state)
{
	struct ends e = { .n = 0 };
	struct visits v;

	(void)state;
	visits_init(&v, T);
	look(&v, 1 * T, "m1", &e);
	look(&v, 2 * T, "m1 f5", &e);
	look(&v, 3 * T, "m1 f5 g7", &e);
	look(&v, 4 * T, "m1 f5", &e);
	look(&v, 5 * T, "m1 f6", &e); /* called again */
	look(&v, 6 * T, "m1", &e);
	assert_int_equal(e.n, 3);
	assert_int_equal(e.list[0].function, 'g');
	assert_int_equal(e.list[0].looks, 1);
	assert_int_equal(e.list[0].took_ns, T);
	assert_int_equal(e.list[1].function, 'f');
	assert_int_equal(e.list[1].looks, 3);
	assert_int_equal(e.list[1].took_ns, 3 * T);
	assert_int_equal(e.list[1].end_ns, 4 * T + T / 2);
	assert_int_equal(e.list[2].took_ns, T);
	assert_int_equal(e.list[2].thread, 3);
	visits_done(&v);
}

/* Asleep for 100 periods, nobody looked: it was there until just before the next look. */
static void sleep_is_part_of_a_call(void **state)
{
	struct ends e = { .n = 0 };
	struct visits v;

	(void)state;
	visits_init(&v, T);
	look(&v, 1 * T, "m1", &e);
	look(&v, 2 * T, "m1 f5", &e);
	look(&v, 102 * T, "m1", &e);
	assert_int_equal(e.n, 1);
	assert_int_equal(e.list[0].took_ns, 100 * T);
	visits_done(&v);
}

static void edges_must_be_known(void **state)
{
	struct ends e = { .n = 0 };
	struct visits v;

	(void)state;
	visits_init(&v, T);
	look(&v, 1 * T, "m1 f5", &e); /* began before anybody looked */
	look(&v, 2 * T, "m1", &e);
	assert_int_equal(e.n, 0);
	assert_int_equal(v.unsure, 1);
	look(&v, 3 * T, "m1 f0", &e); /* not known */
	look(&v, 4 * T, "m1", &e);
	assert_int_equal(e.n, 0);
	look(&v, 5 * T, "m1 f5", &e);
	visits_look(&v, 3, 6 * T, &(struct callstack){ .depth = 0 }, NULL, ended, &e);
	look(&v, 7 * T, "m1", &e);
	assert_int_equal(e.n, 0);
	visits_done(&v);
}

static void recursion_counts_once(void **state)
{
	struct ends e = { .n = 0 };
	struct visits v;

	(void)state;
	visits_init(&v, T);
	look(&v, 1 * T, "m1", &e);
	look(&v, 2 * T, "m1 f2 f3 f4", &e);
	look(&v, 3 * T, "m1 f2 f3", &e);
	look(&v, 4 * T, "m1", &e);
	assert_int_equal(e.n, 1);
	assert_int_equal(e.list[0].took_ns, 2 * T);
	visits_done(&v);
}

/* Calls of 25 and 55 ms sampled every 10: figures come out within one period. */
static void figures_are_within_a_period(void **state)
{
	struct ends e = { .n = 0 };
	uint64_t now = 0, ends = 0, call = 1, log_from;
	struct latency_log log = { 0 };
	struct latency_scratch *scratch = latency_scratch_new();
	struct latency_sum sum;
	struct snapshot_latency_row row = { 0 };
	struct latency_figure f[LATENCY_FIGURES];
	struct visits v;
	char text[32];
	size_t i;

	(void)state;
	visits_init(&v, T);
	for (i = 0; i < 1200; i++) {
		now += T;
		while (ends < now) {
			call++;
			ends += (call % 10 ? 25 : 55) * MS + call % 7 * MS / 7;
		}
		snprintf(text, sizeof(text), "m1 f%d", (int)call);
		look(&v, now, text, &e);
	}
	log_from = 1;
	for (i = 0; i < e.n; i++)
		latency_log_add(&log,
				&(struct latency_event){ .end_ns = e.list[i].end_ns,
							 .took_ns = e.list[i].took_ns,
							 .count = 1,
							 .looks = e.list[i].looks });
	latency_log_sum(&log, scratch, log_from, now, &sum, 1);
	latency_log_row(&log, scratch, &sum, log_from, now, &row);
	visits_figures(sum.count, sum.twice, T, f);
	assert_int_equal(f[LATENCY_P50].known, LATENCY_KNOWN);
	assert_in_range(row.figure[LATENCY_P50].ns, 20 * MS, 33 * MS);
	assert_in_range(row.figure[LATENCY_P95].ns, 48 * MS, 63 * MS);
	assert_int_equal(row.count, sum.count);
	latency_log_done(&log);
	latency_scratch_free(scratch);
	visits_done(&v);
}

static void short_calls_are_not_told(void **state)
{
	struct latency_figure f[LATENCY_FIGURES];

	(void)state;
	visits_figures(100, 20, T, f);
	assert_int_equal(f[LATENCY_P50].known, LATENCY_BELOW);
	assert_int_equal(f[LATENCY_P50].ns, 2 * T);
	assert_int_equal(f[LATENCY_P95].known, LATENCY_UNKNOWN);
	visits_figures(100, 60, T, f);
	assert_int_equal(f[LATENCY_P50].known, LATENCY_UNKNOWN);
	visits_figures(29, 29, T, f);
	assert_int_equal(f[LATENCY_P50].known, LATENCY_UNKNOWN);
	visits_figures(99, 99, T, f);
	assert_int_equal(f[LATENCY_P95].known, LATENCY_KNOWN);
	assert_int_equal(f[LATENCY_P99].known, LATENCY_UNKNOWN);
}

/* The ring forgets the oldest; sums are of the window alone. */
static void log_is_bounded(void **state)
{
	struct latency_log log = { 0 };
	struct latency_scratch *scratch = latency_scratch_new();
	struct latency_sum sums[2];
	struct snapshot_latency_row row = { 0 };
	uint64_t i;

	(void)state;
	for (i = 1; i <= LATENCY_EVENTS_MOST + 10; i++)
		latency_log_add(
		    &log, &(struct latency_event){
			      .end_ns = i, .took_ns = i, .thing = i & 1, .count = 1 });
	assert_int_equal(log.ring.n, LATENCY_EVENTS_MOST);
	assert_int_equal(log.dropped_ns, 10);
	latency_log_sum(&log, scratch, LATENCY_EVENTS_MOST, UINT64_MAX, sums, 2);
	assert_int_equal(sums[0].count, 5);
	assert_int_equal(sums[1].count, 5);
	latency_log_row(&log, scratch, &sums[1], LATENCY_EVENTS_MOST,
			LATENCY_EVENTS_MOST + 10, &row);
	assert_int_equal(row.figure[LATENCY_MAX].ns, LATENCY_EVENTS_MOST + 9);
	latency_log_done(&log);
	latency_scratch_free(scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_call_goes_on),
		cmocka_unit_test(sleep_is_part_of_a_call),
		cmocka_unit_test(edges_must_be_known),
		cmocka_unit_test(recursion_counts_once),
		cmocka_unit_test(figures_are_within_a_period),
		cmocka_unit_test(short_calls_are_not_told),
		cmocka_unit_test(log_is_bounded),
	};

	return cmocka_run_group_tests_name("visits", tests, NULL, NULL);
}
