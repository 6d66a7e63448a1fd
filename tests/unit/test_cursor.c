/* The cursor reads what is there, in the order it is there, and nothing beyond: every
 * buffer here ends at an unmapped page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "tests/guarded.h"

#define BYTES(...) ((const unsigned char[]){ __VA_ARGS__ })
#define GUARDED(...) guarded_new(BYTES(__VA_ARGS__), sizeof(BYTES(__VA_ARGS__)))

static void test_fixed_width(void **state)
{
	struct guarded g = GUARDED(0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x10,
				   0x32, 0x54, 0x76, 0x98, 0xba, 0xdc);
	struct cursor c = cursor_over(g.bytes);

	(void)state;
	assert_int_equal(cursor_u8(&c), 0x01);
	assert_int_equal(cursor_u16(&c), 0x4523);
	assert_int_equal(cursor_u32(&c), 0xcdab8967);
	assert_true(cursor_u64(&c) == 0xdcba9876543210efull);
	assert_int_equal(cursor_left(&c), 0);
	assert_false(c.failed);
	assert_int_equal(cursor_u8(&c), 0);
	assert_true(c.failed);
	guarded_free(&g);
}

/* One byte too few for each width: zero, failed, and failed for good. */
static void test_truncated_widths(void **state)
{
	static const unsigned char ones[8] = { 255, 255, 255, 255, 255, 255, 255, 255 };
	size_t n;

	(void)state;
	for (n = 0; n < 8; n++) {
		struct guarded g = guarded_new(ones, n);
		struct cursor c = cursor_over(g.bytes);
		uint64_t v = n < 1   ? cursor_u8(&c)
			     : n < 2 ? cursor_u16(&c)
			     : n < 4 ? cursor_u32(&c)
				     : cursor_u64(&c);

		assert_true(v == 0);
		assert_true(c.failed);
		assert_int_equal(cursor_left(&c), 0);
		assert_int_equal(cursor_u8(&c), 0);
		assert_null(cursor_str(&c));
		assert_null(cursor_take(&c, 0).p);
		guarded_free(&g);
	}
}

static void test_seek_and_skip(void **state)
{
	struct guarded g = GUARDED(1, 2, 3, 4);
	struct cursor c = cursor_over(g.bytes);

	(void)state;
	cursor_seek(&c, 4); /* the end itself is a place */
	assert_false(c.failed);
	cursor_seek(&c, 1);
	assert_int_equal(cursor_u8(&c), 2);
	cursor_skip(&c, 2);
	assert_int_equal(cursor_left(&c), 0);
	assert_false(c.failed);
	cursor_skip(&c, 1);
	assert_true(c.failed);

	c = cursor_over(g.bytes);
	cursor_seek(&c, 5);
	assert_true(c.failed);
	c = cursor_over(g.bytes);
	cursor_skip(&c, 2);
	cursor_skip(&c, SIZE_MAX); /* must not wrap round to a place inside */
	assert_true(c.failed);
	guarded_free(&g);
}

static void test_take(void **state)
{
	struct guarded g = GUARDED(1, 2, 3);
	struct cursor c = cursor_over(g.bytes);
	struct bytes b = cursor_take(&c, 2);

	(void)state;
	assert_ptr_equal(b.p, g.bytes.p);
	assert_int_equal(b.n, 2);
	b = cursor_take(&c, 0);
	assert_int_equal(b.n, 0);
	assert_false(c.failed);
	b = cursor_take(&c, 2);
	assert_null(b.p);
	assert_int_equal(b.n, 0);
	assert_true(c.failed);
	guarded_free(&g);
}

static const struct {
	const unsigned char *p;
	size_t n;
	uint64_t value;
	bool failed;
} ulebs[] = {
	{ BYTES(0x00), 1, 0, false },
	{ BYTES(0x7f), 1, 127, false },
	{ BYTES(0x80, 0x01), 2, 128, false },
	{ BYTES(0xe5, 0x8e, 0x26), 3, 624485, false },
	{ BYTES(0x80, 0x80, 0x00), 3, 0, false }, /* padded: legal */
	{ BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), 10,
	  UINT64_MAX, false },
	{ BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01), 11, 0,
	  true },
	{ BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02), 10, 0,
	  true },
	{ BYTES(0xff), 1, 0, true },
	{ BYTES(0x80, 0x80), 2, 0, true },
	{ NULL, 0, 0, true },
};

static void test_uleb(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ulebs) / sizeof(*ulebs); i++) {
		struct guarded g = guarded_new(ulebs[i].p, ulebs[i].n);
		struct cursor c = cursor_over(g.bytes);
		uint64_t v = cursor_uleb(&c);

		assert_int_equal(c.failed, ulebs[i].failed);
		assert_true(v == ulebs[i].value);
		guarded_free(&g);
	}
}

static const struct {
	const unsigned char *p;
	size_t n;
	int64_t value;
	bool failed;
} slebs[] = {
	{ BYTES(0x00), 1, 0, false },
	{ BYTES(0x3f), 1, 63, false },
	{ BYTES(0x40), 1, -64, false },
	{ BYTES(0x7f), 1, -1, false },
	{ BYTES(0x80, 0x7f), 2, -128, false },
	{ BYTES(0xff, 0x00), 2, 127, false },
	{ BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f), 10,
	  INT64_MIN, false },
	{ BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f), 11, 0,
	  true },
	{ BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01), 10, 0,
	  true },
	{ BYTES(0xff), 1, 0, true },
};

static void test_sleb(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(slebs) / sizeof(*slebs); i++) {
		struct guarded g = guarded_new(slebs[i].p, slebs[i].n);
		struct cursor c = cursor_over(g.bytes);
		int64_t v = cursor_sleb(&c);

		assert_int_equal(c.failed, slebs[i].failed);
		assert_true(v == slebs[i].value);
		guarded_free(&g);
	}
}

static void test_strings(void **state)
{
	struct guarded g = guarded_new("ab\0\0c", 5);
	struct cursor c = cursor_over(g.bytes);

	(void)state;
	assert_string_equal(cursor_str(&c), "ab");
	assert_string_equal(cursor_str(&c), "");
	assert_null(cursor_str(&c)); /* "c" has no end */
	assert_true(c.failed);
	guarded_free(&g);
}

static void test_no_bytes_at_all(void **state)
{
	struct cursor c = cursor_over((struct bytes){ NULL, 0 });
	struct bytes line;

	(void)state;
	assert_false(cursor_line(&c, &line));
	assert_null(cursor_str(&c));
	assert_true(c.failed);
}

static void assert_line(struct cursor *c, const char *want)
{
	struct bytes line;

	assert_true(cursor_line(c, &line));
	assert_int_equal(line.n, strlen(want));
	assert_memory_equal(line.p, want, line.n);
}

static void test_lines(void **state)
{
	struct guarded g = guarded_new("one\n\nthree", 10);
	struct cursor c = cursor_over(g.bytes);
	struct bytes line;

	(void)state;
	assert_line(&c, "one");
	assert_line(&c, "");
	assert_line(&c, "three");
	assert_false(cursor_line(&c, &line));
	assert_false(c.failed);
	guarded_free(&g);

	g = guarded_new("x\n",
			2); /* a final newline ends a line, it does not begin one */
	c = cursor_over(g.bytes);
	assert_line(&c, "x");
	assert_false(cursor_line(&c, &line));
	guarded_free(&g);
}

static const struct {
	const char *text;
	bool dec_ok, hex_ok;
	uint64_t dec, hex;
} numbers[] = {
	{ "0", true, true, 0, 0 },
	{ "42", true, true, 42, 0x42 },
	{ "7fA0-", true, true, 7, 0x7fa0 },
	{ "18446744073709551615", true, false, UINT64_MAX, 0 },
	{ "18446744073709551616", false, false, 0, 0 },
	{ "ffffffffffffffff", false, true, 0, UINT64_MAX },
	{ "10000000000000000", true, false, 10000000000000000ull, 0 },
	{ "", false, false, 0, 0 },
	{ "-1", false, false, 0, 0 },
	{ " 1", false, false, 0, 0 },
	{ "x", false, false, 0, 0 },
};

static void test_numbers(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		struct guarded g = guarded_new(numbers[i].text, strlen(numbers[i].text));
		struct cursor dec = cursor_over(g.bytes), hex = cursor_over(g.bytes);
		uint64_t v = 0;

		assert_int_equal(cursor_dec(&dec, &v), numbers[i].dec_ok);
		if (numbers[i].dec_ok)
			assert_true(v == numbers[i].dec);
		assert_int_equal(cursor_hex(&hex, &v), numbers[i].hex_ok);
		if (numbers[i].hex_ok)
			assert_true(v == numbers[i].hex);
		guarded_free(&g);
	}
}

/* A line of /proc/PID/maps, read the way its parser does. */
static void test_text_record(void **state)
{
	static const char text[] = "7f00-7fff r-xp \t 0010";
	struct guarded g = guarded_new(text, strlen(text));
	struct cursor c = cursor_over(g.bytes);
	uint64_t from, to, offset;

	(void)state;
	assert_true(cursor_hex(&c, &from));
	assert_false(cursor_accept(&c, ' '));
	assert_true(cursor_accept(&c, '-'));
	assert_true(cursor_hex(&c, &to));
	cursor_spaces(&c);
	assert_memory_equal(cursor_take(&c, 4).p, "r-xp", 4);
	cursor_spaces(&c);
	assert_true(cursor_hex(&c, &offset));
	assert_int_equal(from, 0x7f00);
	assert_int_equal(to, 0x7fff);
	assert_int_equal(offset, 0x10);
	cursor_spaces(&c); /* at the end: nothing to skip, nothing to fail */
	assert_false(cursor_accept(&c, '\0'));
	assert_false(c.failed);
	guarded_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed_width),
		cmocka_unit_test(test_truncated_widths),
		cmocka_unit_test(test_seek_and_skip),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_uleb),
		cmocka_unit_test(test_sleb),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_text_record),
		cmocka_unit_test(test_no_bytes_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
