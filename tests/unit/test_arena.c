/* Allocations of an arena are aligned, apart from each other, and outlive its growth; and
 * the two families of alloc.h keep their promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/vec.h"

static void test_apart_and_aligned(void **state)
{
	struct arena a = { 0 };
	unsigned char *p[500];
	size_t i, k;

	(void)state;
	for (i = 0; i < 500; i++) {
		p[i] = arena_alloc(&a, i);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		memset(p[i], (int)(i & 0xff), i);
	}
	for (i = 0; i < 500; i++)
		for (k = 0; k < i; k++)
			assert_int_equal(p[i][k], i & 0xff);
	assert_true(a.total_bytes >= 500 * 499 / 2);
	arena_done(&a);
	assert_null(a.chunk);
	assert_int_equal(a.total_bytes, 0);
}

static void test_larger_than_a_chunk(void **state)
{
	struct arena a = { 0 };
	char *small = arena_str(&a, "before");
	char *big = arena_alloc(&a, 3u << 20);
	char *after = arena_str(&a, "after");

	(void)state;
	memset(big, 'x', 3u << 20);
	assert_string_equal(small, "before");
	assert_string_equal(after, "after");
	arena_done(&a);
}

/* A big one must not make every later chunk as big. */
static void test_growth_is_bounded(void **state)
{
	struct arena a = { 0 };
	size_t before;

	(void)state;
	(void)arena_alloc(&a, 8u << 20);
	before = a.total_bytes;
	(void)arena_alloc(&a, 1);
	assert_true(a.total_bytes - before <= 256u * 1024u);
	arena_done(&a);
}

static void test_strings(void **state)
{
	struct arena a = { 0 };
	char *p = arena_strn(&a, "truncated here", 9);

	(void)state;
	assert_string_equal(p, "truncated");
	assert_string_equal(arena_strn(&a, "x", 0), "");
	assert_string_equal(arena_str(&a, ""), "");
	arena_done(&a);
	arena_done(&a); /* an emptied arena is an empty one */
}

static void test_try_alloc(void **state)
{
	unsigned char *p = try_alloc(10, 10, 100);
	size_t i;

	(void)state;
	assert_non_null(p);
	for (i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	free(p);
	assert_null(try_alloc(10, 10, 99));
	assert_null(try_alloc(SIZE_MAX / 2, 3, SIZE_MAX)); /* the product wraps */
	p = try_alloc(0, 8, 100);
	assert_non_null(p);
	free(p);
}

static void test_vec(void **state)
{
	VEC(int) v = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		int *new = VEC_PUSH(&v);

		assert_int_equal(*new, 0);
		*new = i;
	}
	assert_int_equal(v.n, 1000);
	for (i = 0; i < 1000; i++)
		assert_int_equal(v.v[i], i);
	VEC_CLEAR(&v);
	assert_int_equal(*VEC_PUSH(&v), 0); /* zeroed although the room was used before */
	VEC_DONE(&v);
	assert_null(v.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apart_and_aligned),
		cmocka_unit_test(test_larger_than_a_chunk),
		cmocka_unit_test(test_growth_is_bounded),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_try_alloc),
		cmocka_unit_test(test_vec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
