/* Text grows without losing a byte, and nothing that steers a terminal survives cleaning.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/guarded.h"

static void test_adding(void **state)
{
	struct text t = { 0 };

	(void)state;
	text_str(&t, "a");
	text_char(&t, ':');
	text_add(&t, "xyz", 2);
	text_fmt(&t, " %d%%", 42);
	text_dec(&t, 0);
	text_dec(&t, UINT64_MAX);
	assert_string_equal(t.p, "a:xy 42%018446744073709551615");
	assert_int_equal(t.n, strlen(t.p));
	text_clear(&t);
	assert_string_equal(t.p, "");
	assert_int_equal(t.n, 0);
	text_done(&t);
	assert_null(t.p);
}

/* Formatted text of every length around the room that is kept free. */
static void test_growth(void **state)
{
	char *want = malloc(3001);
	size_t n;

	(void)state;
	memset(want, 'w', 3000);
	want[3000] = '\0';
	for (n = 0; n < 3000; n += 7) {
		struct text t = { 0 };

		text_str(&t, "<");
		text_fmt(&t, "%.*s", (int)n, want);
		text_str(&t, ">");
		assert_int_equal(t.n, n + 2);
		assert_int_equal(strlen(t.p), n + 2);
		assert_memory_equal(t.p + 1, want, n);
		assert_int_equal(t.p[n + 1], '>');
		text_done(&t);
	}
	free(want);
}

static const struct {
	const char *in, *out;
} cleaned[] = {
	{ "plain", "plain" },
	{ "", "" },
	{ "tab\there", "tab?here" },
	{ "two\nlines\r", "two?lines?" },
	{ "\x1b[31mred", "?[31mred" },
	{ "del\x7f", "del?" },
	{ "caf\xc3\xa9", "caf\xc3\xa9" },
	{ "\xe6\xbc\xa2\xe5\xad\x97", "\xe6\xbc\xa2\xe5\xad\x97" },
	{ "\xf0\x9f\x94\xa5", "\xf0\x9f\x94\xa5" },
	{ "\xc2\x9b"
	  "31m",
	  "??31m" },			     /* C1 control CSI */
	{ "\xe2\x80\xae", "???" },	     /* right-to-left override */
	{ "\xe2\x81\xa6", "???" },	     /* isolate */
	{ "\xe2\x80\xa8", "???" },	     /* line separator */
	{ "\xef\xbb\xbf", "???" },	     /* byte order mark */
	{ "\xc0\x9b", "??" },		     /* overlong ESC */
	{ "\xe0\x80\x9b", "???" },	     /* overlong ESC, three bytes */
	{ "\xf0\x80\x80\x9b", "????" },	     /* overlong ESC, four bytes */
	{ "\xed\xa0\x80", "???" },	     /* surrogate */
	{ "\xf4\x90\x80\x80", "????" },	     /* above U+10FFFF */
	{ "\xf8\x88\x80\x80\x80", "?????" }, /* five-byte form */
	{ "\x80\xbf", "??" },		     /* stray continuation */
	{ "\xc3", "?" },		     /* cut off */
	{ "\xe6\xbc", "??" },		     /* cut off */
	{ "\xc3\x1b[2J", "??[2J" },	     /* an ESC where a continuation should be */
	{ "\xff\xfe", "??" },
	{ "\xef\xbf\xbe", "???" }, /* U+FFFE */
};

static void test_clean_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cleaned) / sizeof(*cleaned); i++) {
		struct guarded g = guarded_new(cleaned[i].in, strlen(cleaned[i].in));
		struct text t = { 0 };
		char buf[64];

		text_str(&t, "");
		text_clean(&t, (const char *)g.bytes.p, g.bytes.n);
		assert_string_equal(t.p, cleaned[i].out);
		assert_int_equal(
		    clean_copy(buf, sizeof(buf), (const char *)g.bytes.p, g.bytes.n),
		    strlen(cleaned[i].out));
		assert_string_equal(buf, cleaned[i].out);
		text_done(&t);
		guarded_free(&g);
	}
}

static void test_nul_inside(void **state)
{
	struct text t = { 0 };

	(void)state;
	text_clean(&t, "a\0b", 3);
	assert_string_equal(t.p, "a?b");
	text_done(&t);
}

/* Every code point: what comes through is what may, and it is re-read as one character.
 */
static void test_every_code_point(void **state)
{
	uint32_t c;
	size_t kept = 0;

	(void)state;
	for (c = 0x80; c < 0x110000; c++) {
		unsigned char s[4];
		size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, len;

		s[0] = (unsigned char)(n == 2	? 0xc0 | c >> 6
				       : n == 3 ? 0xe0 | c >> 12
						: 0xf0 | c >> 18);
		s[1] = (unsigned char)(0x80 | (c >> (6 * (n - 2)) & 0x3f));
		s[2] = (unsigned char)(0x80 | (c >> (n == 4 ? 6 : 0) & 0x3f));
		s[3] = (unsigned char)(0x80 | (c & 0x3f));
		len = clean_char((const char *)s, n);
		assert_true(len == 0 || len == n);
		kept += len != 0;
		if (c < 0xa0 || (c >= 0xd800 && c < 0xe000) ||
		    (c >= 0x202a && c <= 0x202e))
			assert_int_equal(len, 0);
	}
	assert_true(kept > 1000000);
}

/* Cut at each size: terminated, within the size, and never inside a character. */
static void test_copy_sizes(void **state)
{
	static const char in[] = "a\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x94\xa5z";
	static const size_t borders[] = { 0, 1, 3, 6, 10, 11 };
	size_t size, k;

	(void)state;
	for (size = 1; size < 16; size++) {
		char to[16];
		size_t want = 0, n;

		memset(to, '#', sizeof(to));
		for (k = 0; k < sizeof(borders) / sizeof(*borders); k++)
			if (borders[k] < size)
				want = borders[k];
		n = clean_copy(to, size, in, strlen(in));
		assert_int_equal(n, want);
		assert_int_equal(strlen(to), want);
		assert_memory_equal(to, in, want);
		assert_int_equal(to[size], '#');
	}
	assert_int_equal(clean_copy(NULL, 0, in, strlen(in)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_adding),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_clean_table),
		cmocka_unit_test(test_nul_inside),
		cmocka_unit_test(test_every_code_point),
		cmocka_unit_test(test_copy_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
