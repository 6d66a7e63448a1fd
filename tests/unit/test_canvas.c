/* The grid of cells: clipping, widths, and that nothing but printable text gets through.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ui/canvas.h"
#include "ui/theme.h"

static void line_is(const struct canvas *c, int y, const char *want)
{
	struct text t = { 0 };

	canvas_line(c, y, &t);
	assert_string_equal(t.p ? t.p : "", want);
	text_done(&t);
}

static int make(void **state)
{
	struct canvas *c = calloc(1, sizeof(*c));

	canvas_resize(c, 10, 3);
	*state = c;
	return 0;
}

static int drop(void **state)
{
	canvas_done(*state);
	free(*state);
	return 0;
}

static void test_put_clips(void **state)
{
	struct canvas *c = *state;

	assert_int_equal(canvas_put(c, 0, 0, 4, ROLE_TEXT, "abcdef"), 4);
	assert_int_equal(canvas_put(c, 8, 1, 9, ROLE_TEXT, "abcdef"), 2);
	line_is(c, 0, "abcd");
	line_is(c, 1, "        ab");
	/* Outside of the grid nothing happens. */
	canvas_put(c, 0, 3, 4, ROLE_TEXT, "x");
	canvas_put(c, 0, -1, 4, ROLE_TEXT, "x");
	canvas_put(c, 10, 0, 4, ROLE_TEXT, "x");
	canvas_put(c, -2, 2, 4, ROLE_TEXT, "abcd");
	canvas_put(c, 2, 0, -5, ROLE_TEXT, "x");
	canvas_fill(c, 8, 2, 100, ROLE_TEXT, '#');
	canvas_select(c, -3, 2, 100);
	line_is(c, 0, "abcd");
	line_is(c, 2, "cd      ##");
}

static void test_control_characters(void **state)
{
	struct canvas *c = *state;

	canvas_put(c, 0, 0, 10, ROLE_TEXT, "\033[31m\a\n\177x");
	line_is(c, 0, "?[31m???x");
	canvas_put(c, 0, 1, 10, ROLE_TEXT,
		   "a\xe2\x80\xae"
		   "b\xc2\x9b"
		   "c\xff\xc0");
	line_is(c, 1, "a???b??c??");
}

static void test_wide_characters(void **state)
{
	struct canvas *c = *state;

	assert_int_equal(canvas_put(c, 0, 0, 10, ROLE_TEXT, "\xe6\xbc\xa2\xe5\xad\x97x"),
			 5);
	line_is(c, 0, "\xe6\xbc\xa2\xe5\xad\x97x");
	/* No half of one at a border, and none left when the other half is overwritten.
	 */
	assert_int_equal(canvas_put(c, 0, 1, 3, ROLE_TEXT, "\xe6\xbc\xa2\xe5\xad\x97"),
			 3);
	line_is(c, 1, "\xe6\xbc\xa2");
	canvas_put(c, 1, 0, 1, ROLE_TEXT, "|");
	line_is(c, 0, " |\xe5\xad\x97x");
	canvas_put(c, 2, 0, 1, ROLE_TEXT, "|");
	line_is(c, 0, " || x");
	/* A combining mark takes no cell. */
	assert_int_equal(canvas_put(c, 0, 2, 10, ROLE_TEXT, "e\xcc\x81x"), 2);
	line_is(c, 2, "ex");
}

static void test_ascii(void **state)
{
	struct canvas *c = *state;

	c->ascii = true;
	canvas_put(c, 0, 0, 10, ROLE_TEXT, "\xe6\xbc\xa2 \xc3\xa9");
	line_is(c, 0, "? ?");
}

static void test_cut_and_right(void **state)
{
	struct canvas *c = *state;

	canvas_cut(c, 0, 0, 8, ROLE_TEXT, "abcdefgh", 0);
	line_is(c, 0, "abcdefgh");
	canvas_cut(c, 0, 0, 8, ROLE_TEXT, "abcdefghi", 0);
	line_is(c, 0, "abcdef..");
	canvas_cut(c, 0, 1, 8, ROLE_TEXT, "abcdefghi", 3);
	line_is(c, 1, "defghi");
	canvas_cut(c, 0, 1, 8, ROLE_TEXT, "abcdefghijklmn", 3);
	line_is(c, 1, "defghi..");
	/* ".." comes on a character's border. */
	canvas_clear(c);
	canvas_cut(c, 0, 0, 5, ROLE_TEXT, "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2", 0);
	line_is(c, 0, "\xe6\xbc\xa2 ..");
	canvas_right(c, 0, 2, 6, ROLE_TEXT, "12.4");
	canvas_right(c, 7, 2, 3, ROLE_TEXT, "12345");
	line_is(c, 2, "  12.4 123");
}

static void test_sizes(void **state)
{
	struct canvas *c = *state;

	canvas_resize(c, 0, -7);
	assert_int_equal(c->width, 1);
	assert_int_equal(c->height, 1);
	canvas_put(c, 0, 0, 5, ROLE_TEXT, "\xe6\xbc\xa2");
	canvas_put(c, 0, 0, 5, ROLE_TEXT, "ab");
	line_is(c, 0, "a");
	canvas_resize(c, 1 << 20, 1 << 20);
	assert_int_equal(c->width, CANVAS_WIDTH_MAX);
	assert_int_equal(c->height, CANVAS_HEIGHT_MAX);
}

static void test_fit(void **state)
{
	struct canvas *c = *state;

	assert_int_equal(canvas_fit(c, "abc", 2), 2);
	assert_int_equal(canvas_fit(c, "abc", 9), 3);
	assert_int_equal(canvas_fit(c, "\xe6\xbc\xa2\xe6\xbc\xa2", 3), 3);
	assert_int_equal(canvas_cells(c, "abcdef", 4), 4);
	assert_int_equal(canvas_cells(c, "\xe6\xbc\xa2", 9), 2);
}

/* Without colours every role that says something still differs from plain text, by its
 * look or by a character that is always beside it (the marks of shares, the brackets of
 * our own words). */
static void test_theme(void **state)
{
	static const enum role shown[] = { ROLE_STRONG, ROLE_HEADING, ROLE_SORTED,
					   ROLE_HOT,	ROLE_APP,     ROLE_WARN,
					   ROLE_TAG,	ROLE_BUTTON };
	size_t i;
	int role;

	(void)state;
	for (i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		struct style s = theme_style(shown[i], false, SCHEME_DEFAULT, 0);

		assert_true(s.bold || s.reverse || s.dim);
	}
	for (role = 0; role < ROLES; role++) {
		int scheme;

		for (scheme = 0; scheme < SCHEMES; scheme++) {
			enum role r = (enum role)role;
			enum ui_scheme sc = (enum ui_scheme)scheme;
			struct style s = theme_style(r, false, sc, 8);

			assert_int_equal(theme_style(r, false, sc, 0).fg, -1);
			assert_true(theme_style(r, true, sc, 8).reverse);
			assert_true(s.fg < 8 && s.bg < 8);
			/* A ground of ours is never under a text colour that is not. */
			s = theme_style(r, false, sc, 256);
			assert_true(s.bg == -1 || s.fg != -1);
			assert_non_null(theme_name(sc));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_put_clips, make, drop),
		cmocka_unit_test_setup_teardown(test_control_characters, make, drop),
		cmocka_unit_test_setup_teardown(test_wide_characters, make, drop),
		cmocka_unit_test_setup_teardown(test_ascii, make, drop),
		cmocka_unit_test_setup_teardown(test_cut_and_right, make, drop),
		cmocka_unit_test_setup_teardown(test_sizes, make, drop),
		cmocka_unit_test_setup_teardown(test_fit, make, drop),
		cmocka_unit_test(test_theme),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
