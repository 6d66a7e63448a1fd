/* Line tables of all three formats, made by the compilers of CPython or by hand. Every
 * table is also cut at each length and changed at each byte, at the end of readable
 * memory: what comes out must still be sorted runs of lines that can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/python/lines.h"
#include "tests/guarded.h"

struct table {
	int minor;
	int32_t first_line;
	struct bytes bytes;
	struct {
		uint32_t offset, line;
	} expected[12]; /* ends with line 0 */
};

#define BYTES(...)                                                 \
	{                                                          \
		(const unsigned char[]){ __VA_ARGS__ },            \
		    sizeof((const unsigned char[]){ __VA_ARGS__ }) \
	}

/* The first of each version is its compiler's, of
 *
 *	def f(x):
 *	    y = x
 *	    for i in range(300):
 *	        y += i
 *
 *	    return (y,
 *	            x)
 */
static const struct table tables[] = {
	/* 3.8 */
	{ 8,
	  41,
	  BYTES(0x00, 0x01, 0x04, 0x01, 0x0c, 0x01, 0x0a, 0x02, 0x02, 0x01, 0x02, 0xff),
	  { { 0, 42 }, { 4, 43 }, { 16, 44 }, { 26, 46 }, { 28, 47 }, { 30, 46 } } },
	/* 3.9 */
	{ 9,
	  41,
	  BYTES(0x00, 0x01, 0x04, 0x01, 0x0c, 0x01, 0x0a, 0x02, 0x02, 0x01, 0x02, 0xff),
	  { { 0, 42 }, { 4, 43 }, { 16, 44 }, { 26, 46 }, { 28, 47 }, { 30, 46 } } },
	/* 3.10 */
	{ 10,
	  41,
	  BYTES(0x04, 0x01, 0x0c, 0x01, 0x0a, 0x01, 0x02, 0x02, 0x02, 0x01, 0x04, 0xff),
	  { { 0, 42 }, { 4, 43 }, { 16, 44 }, { 26, 46 }, { 28, 47 }, { 30, 46 } } },
	/* 3.11 */
	{ 11,
	  41,
	  BYTES(0x80, 0x00, 0xd8, 0x08, 0x09, 0x80, 0x41, 0xdd, 0x0d, 0x12, 0x90, 0x33,
		0x89, 0x5a, 0x8c, 0x5a, 0xf0, 0x00, 0x01, 0x05, 0x0f, 0xf0, 0x00, 0x01,
		0x05, 0x0f, 0x88, 0x01, 0xd8, 0x08, 0x09, 0x88, 0x51, 0x89, 0x06, 0x88,
		0x01, 0x88, 0x01, 0xe0, 0x0c, 0x0d, 0xd8, 0x0c, 0x0d, 0xf0, 0x03, 0x01,
		0x0c, 0x0f, 0xf0, 0x00, 0x01, 0x05, 0x0f),
	  { { 0, 41 },
	    { 2, 42 },
	    { 6, 43 },
	    { 40, 44 },
	    { 52, 46 },
	    { 54, 47 },
	    { 56, 46 } } },
	/* 3.12 */
	{ 12,
	  41,
	  BYTES(0x80, 0x00, 0xd8, 0x08, 0x09, 0x80, 0x41, 0xdc, 0x0d, 0x12, 0x90, 0x33,
		0x8b, 0x5a, 0xf2, 0x00, 0x01, 0x05, 0x0f, 0x88, 0x01, 0xd8, 0x08, 0x09,
		0x88, 0x51, 0x89, 0x06, 0x89, 0x01, 0xf0, 0x03, 0x01, 0x05, 0x0f, 0xf0,
		0x06, 0x00, 0x0d, 0x0e, 0xd8, 0x0c, 0x0d, 0xf0, 0x03, 0x01, 0x0c, 0x0f,
		0xf0, 0x00, 0x01, 0x05, 0x0f),
	  { { 0, 41 },
	    { 2, 42 },
	    { 6, 43 },
	    { 34, 44 },
	    { 46, 43 },
	    { 48, 46 },
	    { 50, 47 },
	    { 52, 46 } } },
	/* 3.13 */
	{ 13,
	  41,
	  BYTES(0x80, 0x00, 0xd8, 0x08, 0x09, 0x80, 0x41, 0xdc, 0x0d, 0x12, 0x90, 0x33,
		0x8e, 0x5a, 0x88, 0x01, 0xd8, 0x08, 0x09, 0x89, 0x06, 0x8a, 0x01, 0xf1,
		0x03, 0x00, 0x0e, 0x18, 0xf0, 0x06, 0x00, 0x0d, 0x0e, 0xd8, 0x0c, 0x0d,
		0xf0, 0x03, 0x01, 0x0c, 0x0f, 0xf0, 0x00, 0x01, 0x05, 0x0f),
	  { { 0, 41 },
	    { 2, 42 },
	    { 6, 43 },
	    { 34, 44 },
	    { 46, 43 },
	    { 50, 46 },
	    { 52, 47 },
	    { 54, 46 } } },
	/* 255 bytes in two steps; lines down by 1 and up by 300 in steps of 127. */
	{ 9,
	  100,
	  BYTES(200, 0, 55, 0xff, 4, 127, 0, 127, 0, 46),
	  { { 0, 100 }, { 199, 100 }, { 255, 99 }, { 258, 99 }, { 259, 399 } } },
	/* Two bytes have no line, and keep the one before. */
	{ 10,
	  7,
	  BYTES(4, 0, 2, 0x80, 2, 1, 0, 100, 2, 1),
	  { { 0, 7 }, { 4, 7 }, { 6, 8 }, { 8, 109 } } },
	/* Long form: 70 lines on, then 3 back; no columns: 1,000 on; none at the end. */
	{ 12,
	  50,
	  BYTES(0xf0, 0x40 | 12, 2, 0, 1, 1, 0xf0, 7, 0, 1, 1, 0xe9, 0x40 | 16, 31, 0xf8),
	  { { 0, 120 }, { 2, 117 }, { 4, 1117 }, { 6, 1117 }, { 8, 1117 } } },
};

static void check_sane(const line_runs *runs)
{
	size_t i;

	for (i = 0; i < runs->n; i++) {
		assert_true(runs->v[i].line >= 0);
		assert_true(i == 0 || runs->v[i].start > runs->v[i - 1].start);
	}
}

static void read_guarded(const struct table *t, const unsigned char *p, size_t n,
			 line_runs *runs)
{
	struct guarded g = guarded_new(p, n);

	VEC_CLEAR(runs);
	python_lines_read(t->minor, g.bytes, t->first_line, runs);
	check_sane(runs);
	guarded_free(&g);
}

static void test_known(void **state)
{
	line_runs runs = { 0 };
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		const struct table *t = &tables[i];

		read_guarded(t, t->bytes.p, t->bytes.n, &runs);
		for (k = 0; t->expected[k].line; k++)
			assert_int_equal(
			    python_line_at(&runs, t->expected[k].offset, t->first_line),
			    t->expected[k].line);
	}
	VEC_DONE(&runs);
}

static void test_cut_and_changed(void **state)
{
	unsigned char bytes[256];
	line_runs runs = { 0 };
	size_t i, n, at, bit;

	(void)state;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		const struct table *t = &tables[i];

		for (n = 0; n < t->bytes.n; n++)
			read_guarded(t, t->bytes.p, n, &runs);
		for (at = 0; at < t->bytes.n; at++)
			for (bit = 0; bit < 8; bit++) {
				memcpy(bytes, t->bytes.p, t->bytes.n);
				bytes[at] ^= (unsigned char)(1 << bit);
				read_guarded(t, bytes, t->bytes.n, &runs);
			}
	}
	VEC_DONE(&runs);
}

/* Larger than any compiler makes, and of one kind of byte. */
static void test_huge(void **state)
{
	static const int minors[] = { 9, 10, 12 };
	unsigned char *p = malloc(LINE_TABLE_MAX);
	line_runs runs = { 0 };
	size_t i;
	int b;

	(void)state;
	assert_non_null(p);
	for (i = 0; i < sizeof(minors) / sizeof(minors[0]); i++)
		for (b = 1; b < 256; b += 63) {
			struct table t = { .minor = minors[i], .first_line = INT32_MAX };

			memset(p, b, LINE_TABLE_MAX);
			read_guarded(&t, p, LINE_TABLE_MAX, &runs);
		}
	VEC_DONE(&runs);
	free(p);
}

static void test_no_runs(void **state)
{
	line_runs none = { 0 };

	(void)state;
	assert_int_equal(python_line_at(&none, 4, 12), 12);
	assert_int_equal(python_line_at(&none, 4, -1), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_cut_and_changed),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_no_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
