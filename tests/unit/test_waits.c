/* Switches and looks in, waits and turns of loops out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/waits.h"
#include "sample/switches.h"

#define MS 1000000ull

struct said {
	struct wait_told list[200];
	size_t n;
};

static void said(void *arg, const struct wait_told *w)
{
	struct said *s = arg;

	s->list[s->n++] = *w;
}

/* Waits `off` ms for events, runs `on` ms; several times, so that it is known as a loop. */
static uint64_t loop(struct waits *w, uint64_t at, int times, uint64_t off, uint64_t on,
		     struct said *s)
{
	while (times--) {
		waits_out(w, 1, at * MS, false);
		if (off >= 20)
			waits_reason(w, 1, WAIT_POLL, true, said, s);
		waits_in(w, 1, (at + off) * MS, said, s);
		at += off + on;
	}
	return at;
}

static const struct wait_told *last(const struct said *s, enum wait_kind kind)
{
	size_t i;

	for (i = s->n; i-- > 0;)
		if (s->list[i].kind == kind)
			return &s->list[i];
	fail_msg("nothing of kind %d", (int)kind);
	return NULL;
}

static void turns_of_a_loop(void **state)
{
	struct waits w = { { NULL, 0, 0 } };
	struct said s = { .n = 0 };
	uint64_t at;

	(void)state;
	at = loop(&w, 1, 5, 50, 3, &s);
	assert_true(waits_is_loop(&w, 1));
	/* now a block of 200 ms: it runs, is taken off in between, and waits again */
	at -= 3;
	waits_out(&w, 1, (at + 120) * MS, true);
	waits_in(&w, 1, (at + 130) * MS, said, &s);
	assert_int_equal(last(&s, WAIT_PREEMPT)->took_ns, 10 * MS);
	waits_out(&w, 1, (at + 200) * MS, false);
	waits_in(&w, 1, (at + 205) * MS, said, &s); /* too short to be looked at */
	assert_int_equal(last(&s, WAIT_TURN)->took_ns, 200 * MS);
	assert_int_equal(last(&s, WAIT_TURN)->end_ns, (at + 200) * MS);
	waits_done(&w);
}

/* A callback that sleeps 200 ms blocks the loop as one that computes. */
static void sleep_in_a_turn(void **state)
{
	struct waits w = { { NULL, 0, 0 } };
	struct said s = { .n = 0 };
	uint64_t at;

	(void)state;
	at = loop(&w, 1, 5, 50, 3, &s);
	waits_out(&w, 1, at * MS, false);
	waits_reason(&w, 1, WAIT_SLEEP, false, said, &s);
	waits_in(&w, 1, (at + 200) * MS, said, &s);
	assert_int_equal(last(&s, WAIT_ENDED)->reason, WAIT_SLEEP);
	assert_int_equal(last(&s, WAIT_ENDED)->took_ns, 200 * MS);
	waits_out(&w, 1, (at + 201) * MS, false);
	waits_reason(&w, 1, WAIT_POLL, true, said, &s); /* told at once */
	assert_int_equal(last(&s, WAIT_TURN)->took_ns, 204 * MS);
	waits_done(&w);
}

static void workers_are_no_loops(void **state)
{
	struct waits w = { { NULL, 0, 0 } };
	struct said s = { .n = 0 };
	int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		waits_out(&w, 2, (100 + 60 * (uint64_t)i) * MS, false);
		waits_reason(&w, 2, WAIT_LOCK, false, said, &s);
		waits_in(&w, 2, (140 + 60 * (uint64_t)i) * MS, said, &s);
	}
	assert_false(waits_is_loop(&w, 2));
	for (i = 0; i < (int)s.n; i++)
		assert_int_equal(s.list[i].kind, WAIT_ENDED);
	waits_done(&w);
}

static void doubled_and_late_records(void **state)
{
	struct waits w = { { NULL, 0, 0 } };
	struct said s = { .n = 0 };

	(void)state;
	waits_in(&w, 1, 5 * MS, said, &s); /* nobody saw it go */
	assert_int_equal(s.n, 0);
	waits_out(&w, 1, 10 * MS, false);
	waits_out(&w, 1, 10 * MS, false);
	waits_in(&w, 1, 12 * MS, said, &s);
	waits_in(&w, 1, 12 * MS, said, &s);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.list[0].took_ns, 2 * MS);
	assert_int_equal(s.list[0].reason, WAIT_REASONS);
	waits_out(&w, 1, 11 * MS, false); /* before what is known */
	waits_in(&w, 1, 20 * MS, said, &s);
	assert_int_equal(s.n, 1);
	waits_done(&w);
}

static void records_are_decoded(void **state)
{
	unsigned char r[24] = { 14, 0, 0, 0, 0, 0x60, 24, 0, 7, 0, 0, 0, 9 };
	struct switch_event e;
	uint64_t lost = 0;
	size_t n;

	(void)state;
	r[16] = 0x40;
	assert_true(switches_parse((struct bytes){ r, 24 }, &e, &lost));
	assert_int_equal(e.pid, 7);
	assert_int_equal(e.tid, 9);
	assert_int_equal(e.time_ns, 0x40);
	assert_true(e.out && e.preempted);
	for (n = 0; n < 24; n++)
		assert_false(switches_parse((struct bytes){ r, n }, &e, &lost));
	r[0] = 2; /* LOST */
	assert_false(switches_parse((struct bytes){ r, 24 }, &e, &lost));
	assert_int_equal(lost, 0x40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turns_of_a_loop),
		cmocka_unit_test(sleep_in_a_turn),
		cmocka_unit_test(workers_are_no_loops),
		cmocka_unit_test(doubled_and_late_records),
		cmocka_unit_test(records_are_decoded),
	};

	return cmocka_run_group_tests_name("waits", tests, NULL, NULL);
}
