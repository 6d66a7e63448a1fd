/* How much stack a sample carries, by the room there is in a ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sample/perf_room.h"

#define WHOLE 64512u

static uint32_t of(size_t cpus, double rate_hz)
{
	struct sample_config c = { .rate_hz = rate_hz,
				   .stack_bytes = 16384,
				   .stack_wanted = WHOLE };

	return perf_stack_bytes(perf_ring_bytes(cpus), &c);
}

static void test_whole_stacks_where_there_is_room(void **state)
{
	(void)state;
	assert_int_equal(of(1, 997), WHOLE);
	assert_int_equal(of(4, 997), WHOLE);
	assert_int_equal(of(64, 49), WHOLE);
}

static void test_less_where_there_is_not(void **state)
{
	(void)state;
	assert_in_range(of(8, 997), 30000, 32768);
	assert_in_range(of(2, 9973), 16000, 16384);
	assert_int_equal(of(64, 997), 16384);
	assert_int_equal(of(64, 20000), 16384);
}

static void test_no_more_than_is_wanted(void **state)
{
	struct sample_config c = { .rate_hz = 99, .stack_bytes = 8192 };

	(void)state;
	assert_int_equal(perf_stack_bytes(8 << 20, &c), 8192);
	c.stack_bytes = c.stack_wanted = WHOLE;
	assert_int_equal(perf_stack_bytes(64 << 10, &c), WHOLE);
}

static void test_wakes_before_it_is_full(void **state)
{
	size_t cpus;

	(void)state;
	for (cpus = 1; cpus < 1000; cpus = cpus * 2 + 1) {
		size_t ring = perf_ring_bytes(cpus);

		assert_int_equal(ring & (ring - 1), 0);
		assert_in_range(perf_wake_bytes(ring, of(cpus, 997)), 1, ring / 2);
	}
	assert_int_equal(perf_wake_bytes(8 << 20, 16384), 2 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_stacks_where_there_is_room),
		cmocka_unit_test(test_less_where_there_is_not),
		cmocka_unit_test(test_no_more_than_is_wanted),
		cmocka_unit_test(test_wakes_before_it_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
