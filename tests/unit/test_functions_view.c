/* The whole screen as text: what the views draw at the sizes people have, and what every
 * state adds to it. A difference here is a difference a user sees. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

#include "ui_made.h"

static void picture_is(struct made *m, const char *const *want, size_t n)
{
	struct text t = { 0 };
	size_t i;

	screen_draw(&m->screen, &m->canvas);
	assert_int_equal(m->canvas.height, n);
	for (i = 0; i < n; i++) {
		text_clear(&t);
		canvas_line(&m->canvas, (int)i, &t);
		if (screen_panels_shown(&m->screen) && i >= 4 && t.n > 124) {
			/* ASCII. The panels beside it are their views' affair. */
			for (t.n = 124; t.n && t.p[t.n - 1] == ' '; t.n--)
				;
			t.p[t.n] = '\0';
		}
		if (want[i]) /* what the tables of views and keys make is left out */
			assert_string_equal(t.p ? t.p : "", want[i]);
	}
	text_done(&t);
}

#define PICTURE_IS(m, want) picture_is(m, want, sizeof(want) / sizeof(*(want)))

static void test_80x24(void **state)
{
	/* clang-format off */
	static const char *const want[] = {
		"ptop 4242 orders --port 8000                             up 3h12m  cpu  14:02:31",
		"CPU 187% [|||||||||           ] of 4 cores  RSS 1.42G +2.06M/m  user 171 sys 16",
		"997Hz eff 98.9  n 59,412  win 60s  lost 0.0%  ptop 0.7%  err 3  target +0.3%",
		NULL, /* tabs: see test_screen.c */
		" SELF%v TOTAL%   SELF  TOTAL TREND 60s  FUNCTION              FILE:LINE",
		"> 31.4*   31.4* 18.5s  18.5s  ▁▂▃▄▅▆▇██ raw_decode            json/decoder.c:353",
		"  12.5+   47.3*  7.4s  27.9s  ▁▁▂▂▃▃▄▄▄ parse_order           app/orders.c:88",
		"   9.8+    9.8+  5.8s   5.8s  ▁▁▁▂▂▂▃▃▃ ssl_read              libssl.so.3",
		"   6.1+   22.2*  3.6s  13.1s  ▁▁▁▁▂▂▂▂▂ std::__detail::_Map.. hashtable_po..:702",
		"   4.4     4.4   2.6s   2.6s  ▁▁▁▁▁▂▂▂▂ libz.so.1+0x1a20      libz.so.1",
		"   3.1    88.6!  1.8s  52.3s  ▁▁▁▁▁▁▂▂▂ handle_request        app/server.c:88",
		"   2.2     7.5+  1.3s   4.4s  ▁▁▁▁▁▁▁▂▂ __x64_sys_read        [kernel]",
		"   0.1     1.5   40ms   0.9s  ▁▁▁▁▁▁▁▁▁ [truncated]",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		NULL, /* the key bar */
	};
	/* clang-format on */
	struct made m;

	(void)state;
	made_open(&m, 80, 24, false);
	screen_take(&m.screen, made_snapshot());
	PICTURE_IS(&m, want);
	made_close(&m);
}

static void test_60x16(void **state)
{
	/* clang-format off */
	static const char *const want[] = {
		"ptop 4242 orders --port 8000         up 3h12m  cpu  14:02:31",
		"CPU 187% of 4 cores  RSS 1.42G +2.06M/m  user 171 sys 16",
		"997Hz eff 98.9  n 59,412  win 60s  lost 0.0%  ptop 0.7%",
		NULL,
		" SELF%v TOTAL%   SELF  FUNCTION             FILE:LINE",
		"> 31.4*   31.4* 18.5s  raw_decode           decoder.c:353",
		"  12.5+   47.3*  7.4s  parse_order          app/orders.c:88",
		"   9.8+    9.8+  5.8s  ssl_read             libssl.so.3",
		"   6.1+   22.2*  3.6s  std::__detail::_Ma.. hashtable_..:702",
		"   4.4     4.4   2.6s  libz.so.1+0x1a20     libz.so.1",
		"   3.1    88.6!  1.8s  handle_request       app/server.c:88",
		"   2.2     7.5+  1.3s  __x64_sys_read       [kernel]",
		"   0.1     1.5   40ms  [truncated]",
		"",
		"",
		NULL, /* the key bar */
	};
	/* clang-format on */
	struct made m;

	(void)state;
	made_open(&m, 60, 16, true);
	screen_take(&m.screen, made_snapshot());
	PICTURE_IS(&m, want);
	made_close(&m);
}

static void test_40x12(void **state)
{
	/* clang-format off */
	static const char *const want[] = {
		"4242 orders CPU 187% RSS 1.42G +2.06M/m",
		"997Hz eff 99 lost 0.0% own 0.7% n 59k",
		" SELF%v  TOT%  FUNCTION",
		"> 31.4*  31.4* raw_decode",
		"  12.5+  47.3* parse_order",
		"   9.8+   9.8+ ssl_read",
		"   6.1+  22.2* std::__detail::_Map_bas..",
		"   4.4    4.4  libz.so.1+0x1a20",
		"   3.1   88.6! handle_request",
		"   2.2    7.5+ __x64_sys_read",
		"",
		NULL, /* the key bar */
	};
	/* clang-format on */
	struct made m;

	(void)state;
	made_open(&m, 40, 12, true);
	screen_take(&m.screen, made_snapshot());
	PICTURE_IS(&m, want);
	made_close(&m);
}

static void test_20x5(void **state)
{
	/* clang-format off */
	static const char *const want[] = {
		"4242 CPU 187% orders",
		" SELF%v FUNCTION",
		"> 31.4* raw_decode",
		"  12.5+ parse_order",
		NULL, /* the key bar */
	};
	/* clang-format on */
	struct made m;

	(void)state;
	made_open(&m, 20, 5, true);
	screen_take(&m.screen, made_snapshot());
	PICTURE_IS(&m, want);
	made_close(&m);
}

static void test_19x4(void **state)
{
	/* clang-format off */
	static const char *const want[] = {
		"ptop 4242 CPU 187%",
		"",
		"",
		"",
	};
	/* clang-format on */
	struct made m;

	(void)state;
	made_open(&m, 19, 4, true);
	screen_take(&m.screen, made_snapshot());
	PICTURE_IS(&m, want);
	made_close(&m);
}

static void test_160x50(void **state)
{
	/* clang-format off */
	static const char *const want[] = {
		"ptop 4242 orders --port 8000                                                                                     host web-3   up 3h12m  cpu  2026-11-20 14:02:31",
		"CPU 187% [|||||||||||||||||||||||                           ] of 4 cores  RSS 1.42G +2.06M/m  user 171 sys 16   native",
		"997Hz eff 98.9  n 59,412  win 60s  lost 0.0%  ptop 0.7% CPU 11.0M RSS  err 3  target +0.3%   by perf",
		NULL,
		" SELF%v TOTAL%   SELF  TOTAL TREND 60s  FUNCTION                                     MODULE         FILE:LINE",
		"> 31.4*   31.4* 18.5s  18.5s  .:-=+*#%% raw_decode                                   app            json/decoder.c:353",
		"  12.5+   47.3*  7.4s  27.9s  ..::--=== parse_order                                  app            /srv/src/app/orders.c:88",
		"   9.8+    9.8+  5.8s   5.8s  ...:::--- ssl_read                                     libssl.so.3",
		"   6.1+   22.2*  3.6s  13.1s  ....::::: std::__detail::_Map_base<std::string, Orde.. app            hashtable_policy.h:702",
		"   4.4     4.4   2.6s   2.6s  .....:::: libz.so.1+0x1a20                             libz.so.1",
		"   3.1    88.6!  1.8s  52.3s  ......::: handle_request                               app            app/server.c:88",
		"   2.2     7.5+  1.3s   4.4s  .......:: __x64_sys_read                               [kernel]",
		"   0.1     1.5   40ms   0.9s  ......... [truncated]",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		" asking for the call tree ...",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		NULL, /* the key bar */
	};
	/* clang-format on */
	struct made m;

	(void)state;
	made_open(&m, 160, 50, true);
	screen_take(&m.screen, made_snapshot());
	PICTURE_IS(&m, want);
	made_close(&m);
}

/* Down to one cell nothing is refused and nothing overflows. */
static void test_every_size(void **state)
{
	static const char keys[] = "?jq!jqW\tjq/x";
	struct made m;
	int w, h;

	(void)state;
	for (w = 1; w < 45; w++)
		for (h = 1; h < 20; h++) {
			made_open(&m, w, h, w % 2);
			screen_draw(&m.screen, &m.canvas);
			screen_take(&m.screen, made_snapshot());
			for (size_t i = 0; i < sizeof(keys) - 1; i++) {
				screen_key(&m.screen, keys[i]);
				screen_draw(&m.screen, &m.canvas);
			}
			made_close(&m);
		}
}

static void test_before_the_first_picture(void **state)
{
	struct made m;

	(void)state;
	made_open(&m, 80, 24, true);
	assert_true(made_shows(&m, "attaching to 4242 ..."));
	made_keys(&m, "jkGgsSotIfwp[]mieW?q!qr");
	assert_true(made_shows(&m, "attaching to 4242 ..."));
	made_close(&m);
}

static struct made states_made;

static void with(struct snapshot *s)
{
	made_open(&states_made, 80, 24, true);
	screen_take(&states_made.screen, s);
}

static void test_states(void **state)
{
	struct made *m = &states_made;
	struct snapshot *s = made_snapshot();

	(void)state;
	s->exited = true;
	s->exit_status = 9;
	with(s);
	assert_true(made_shows(m, "[ENDED]"));
	assert_true(
	    made_shows(m, "process ended by signal 9 (KILL); last picture, w saves it"));
	made_keys(m, "t");
	assert_true(made_shows(m, "TOTAL%v"));
	made_close(m);

	s = made_snapshot();
	s->stopped = true;
	with(s);
	assert_true(made_shows(m, "[STOPPED]"));
	assert_true(made_shows(m, "stopped (SIGSTOP)"));
	made_close(m);

	s = made_snapshot();
	s->samples = 99;
	with(s);
	assert_true(made_shows(m, ">~31.4*  ~31.4*"));
	made_close(m);

	s = made_snapshot();
	s->target_cpu_pct = 4.9;
	with(s);
	assert_true(made_shows(m, "little CPU used: e shows wall time"));
	made_close(m);

	s = made_snapshot();
	s->lost_pct = 1.5;
	with(s);
	assert_true(made_shows(m, "lost 1.5%!"));
	assert_true(made_shows(m, "1.5% of samples lost: lower --rate"));
	made_close(m);

	s = made_snapshot();
	s->effective_pct = 62;
	with(s);
	assert_true(made_shows(m, "eff 62.0!"));
	assert_true(made_shows(m, "62% of the asked samples are taken: lower --rate"));
	made_close(m);

	s = made_snapshot();
	s->limits = "the kernel's frames are not seen (perf_event_paranoid 2)";
	with(s);
	assert_true(made_shows(m, s->limits));
	made_close(m);

	s = made_snapshot();
	s->mode = MODE_WALL;
	with(s);
	assert_true(made_shows(m, "wall  14:02:31"));
	assert_true(made_shows(m, "idle hidden"));
	made_close(m);

	s = made_snapshot();
	s->n_functions = 0;
	with(s);
	assert_true(made_shows(m, "no CPU time in this window; e shows wall time"));
	made_keys(m, "jkGgf/x\rc");
	assert_true(made_shows(m, "0 of 0"));
	made_close(m);
}

/* Names of a target are hostile even if whoever cleaned them forgot to. */
static void test_hostile_names(void **state)
{
	static char longest[4097], wide[100];
	struct made *m = &states_made;
	struct snapshot *s = made_snapshot();
	char *p;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	s->functions[0].name = "\033]0;evil\a\033[2J";
	s->functions[1].name = longest;
	for (size_t i = 0; i + 3 < sizeof(wide); i += 3)
		memcpy(wide + i, "\xe6\xbc\xa2", 3);
	s->functions[2].name = wide;
	s->cmdline = "\033c\n\t<&;";
	made_open(m, 80, 24, false);
	screen_take(&m->screen, s);
	p = made_picture(m);
	for (size_t i = 0; p[i]; i++)
		assert_true(p[i] == '\n' || (unsigned char)p[i] >= ' ');
	free(p);
	assert_true(made_shows(m, "?]0;evil??[2J"));
	assert_true(made_shows(m, "xxxxxxxxxxxxxxxxxxx.. app/orders.c:88"));
	assert_true(made_shows(m, "\xe6\xbc\xa2\xe6\xbc\xa2 .. libssl"));
	made_close(m);
}

/* The cell in which `word` begins on the line of the picture that holds it; -1. */
static int cell_of(struct made *m, const char *word)
{
	char *p = made_picture(m), *at = strstr(p, word), *from;
	mbstate_t mb = { 0 };
	int cells = 0;

	if (!at) {
		free(p);
		return -1;
	}
	for (from = at; from > p && from[-1] != '\n';)
		from--;
	while (from < at) {
		wchar_t ch;
		size_t n = mbrtowc(&ch, from, MB_CUR_MAX, &mb);

		assert_true(n > 0 && n < 5);
		cells += wcwidth(ch);
		from += n;
	}
	free(p);
	return cells;
}

/* 4 KB of double-width characters, and of letters with combining marks: what stands right
 * of them stays where it is, at every width and however far the name is scrolled. */
static void test_wide_names(void **state)
{
	static const int widths[] = { 80, 81, 100, 119, 160 };
	static const char *const right[] = { "decoder.c:353", "orders.c:88",
					     "server.c:88" };
	static char wide[4097], marked[4097];
	struct made *m = &states_made;
	int at[3];
	size_t i, k;

	(void)state;
	for (i = 0; i + 3 < sizeof(wide); i += 3) {
		memcpy(wide + i, "\xe6\xbc\xa2", 3);
		memcpy(marked + i, "e\xcc\x81", 3);
	}
	for (i = 0; i < sizeof(widths) / sizeof(widths[0]) * 2; i++) {
		struct snapshot *s = made_snapshot();

		if (i % 2) {
			s->functions[0].name = wide;
			s->functions[1].name = marked;
		}
		made_open(m, widths[i / 2], 24, false);
		screen_take(&m->screen, s);
		for (k = 0; k < 12; k++) {
			int cell = cell_of(m, right[k % 3]);

			assert_true(cell > 0);
			if (i % 2)
				assert_int_equal(cell, at[k % 3]);
			at[k % 3] = cell;
			if (k % 3 == 2)
				made_keys(m, "l");
		}
		made_close(m);
	}
}

static void test_threads_apart(void **state)
{
	struct made *m = &states_made;
	struct snapshot *s = made_snapshot();

	(void)state;
	s->threads_merged = false;
	for (size_t i = 0; i < s->n_functions; i++)
		s->functions[i].thread = i % 2;
	s->functions[3].thread = 77; /* out of range is no thread */
	with(s);
	assert_true(made_shows(m, "THREAD       FUNCTION"));
	assert_true(made_shows(m, "worker       parse_order"));
	canvas_resize(&m->canvas, 40, 12);
	assert_true(made_shows(m, "worker"));
	made_close(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_80x24),
		cmocka_unit_test(test_60x16),
		cmocka_unit_test(test_40x12),
		cmocka_unit_test(test_20x5),
		cmocka_unit_test(test_19x4),
		cmocka_unit_test(test_160x50),
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_before_the_first_picture),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_wide_names),
		cmocka_unit_test(test_threads_apart),
	};

	setenv("TZ", "UTC", 1);
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
