/* Every output format on profiles with known content: figures, totals, order, escaping.
 * Outside readers (xmllint, jq, a browser) look at the same profiles in tests/export. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "export/columns.h"
#include "export/exporter.h"
#include "export/figures.h"
#include "export/sample.h"
#include "export/svg.h"
#include "model/folded_in.h"

#define assert_has(text, word) assert_non_null(strstr((text).p, word))
#define assert_lacks(text, word) assert_null(strstr((text).p, word))

static const struct export_options options = { .creator = "ptop 9.9",
					       .show_cmdline = false };

static void write_as(const char *format, const struct snapshot *s, struct text *out)
{
	text_clear(out);
	assert_int_equal(exporter_named(format)->write(s, &options, out, NULL), 0);
}

static size_t count_of(const struct text *t, const char *word)
{
	const char *p = t->p;
	size_t n = 0;

	for (; (p = strstr(p, word)); p++)
		n++;
	return n;
}

static void formats_are_found(void **state)
{
	(void)state;
	assert_string_equal(exporter_named("svg")->suffix, ".svg");
	assert_ptr_equal(exporter_for("a/b.folded"), exporter_named("folded"));
	assert_ptr_equal(exporter_for("x.folded.svg"), exporter_named("svg"));
	assert_null(exporter_named("SVG"));
	assert_null(exporter_for("svg"));
	assert_null(exporter_for(""));
	assert_true(exporters[0] == exporter_named("svg"));
}

static const char *fixed(struct text *t, double v, unsigned decimals)
{
	text_clear(t);
	figure_fixed(t, v, decimals);
	return t->p;
}

static const char *time_of(struct text *t, uint64_t ns)
{
	text_clear(t);
	figure_time(t, ns, " ");
	return t->p;
}

static void figures(void **state)
{
	struct text t = { 0 };

	(void)state;
	assert_string_equal(fixed(&t, 0, 2), "0.00");
	assert_string_equal(fixed(&t, 99.996, 2), "100.00");
	assert_string_equal(fixed(&t, 1.05, 0), "1");
	assert_string_equal(fixed(&t, -0.001, 2), "0.00");
	assert_string_equal(fixed(&t, -12.5, 1), "-12.5");
	assert_string_equal(fixed(&t, NAN, 1), "-");
	assert_string_equal(fixed(&t, INFINITY, 1), "0.0");
	assert_string_equal(fixed(&t, 1e300, 0), "1000000000000");
	assert_string_equal(fixed(&t, 0.000001, 9), "0.000001000");
	assert_string_equal(time_of(&t, 0), "0 s");
	assert_string_equal(time_of(&t, 999), "1.00 us");
	assert_string_equal(time_of(&t, 45600000), "45.6 ms");
	assert_string_equal(time_of(&t, 18500000000ull), "18.5 s");
	assert_string_equal(time_of(&t, 1234000000000ull), "1234 s");
	text_clear(&t);
	figure_bytes(&t, 1524713390);
	text_char(&t, ' ');
	figure_bytes(&t, 0);
	text_char(&t, ' ');
	figure_bytes(&t, 999500);
	text_char(&t, ' ');
	figure_count(&t, 1234567);
	text_char(&t, ' ');
	figure_date(&t, 1795176000123000000ull, 1);
	assert_string_equal(t.p, "1.42G 0 976K 1,234,567 2026-11-20T12:00:00.123Z");
	text_done(&t);
}

static void columns(void **state)
{
	struct text t = { 0 };

	(void)state;
	assert_int_equal(columns_of("abc"), 3);
	assert_int_equal(columns_of("\xe6\xbc\xa2\xe5\xad\x97"), 4);
	assert_int_equal(columns_of("e\xcc\x81"), 1);
	assert_int_equal(columns_of("\xff\x1b"), 2);
	columns_put(&t, "abcdef", 4, true, false);
	columns_put(&t, "|abcdef", 5, true, true);
	columns_put(&t, "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 5, true, false);
	columns_put(&t, "|x", 4, true, false);
	assert_string_equal(t.p, "ab....def\xe6\xbc\xa2.. |x  ");
	text_done(&t);
}

/* Lines as LC_ALL=C sort would put them, each count a whole number; returns the sum. */
static uint64_t check_lines(const struct text *folded)
{
	struct text line = { 0 }, before = { 0 };
	const char *p = folded->p, *end, *space;
	uint64_t sum = 0;

	for (; p && *p; p = end + 1) {
		end = strchr(p, '\n');
		assert_non_null(end);
		text_clear(&line);
		text_add(&line, p, (size_t)(end - p));
		space = strrchr(line.p, ' ');
		assert_non_null(space);
		assert_int_equal(strspn(space + 1, "0123456789"), strlen(space + 1));
		sum += strtoull(space + 1, NULL, 10);
		assert_true(!before.p || strcmp(before.p, line.p) < 0);
		text_clear(&before);
		text_str(&before, line.p);
	}
	text_done(&line);
	text_done(&before);
	return sum;
}

static void folded_has_every_stack(void **state)
{
	struct snapshot *s = sample_snapshot();
	struct text t = { 0 };

	(void)state;
	write_as("folded", s, &t);
	assert_has(t,
		   "\n_start;main;serve;handle;parse_order;json_loads;raw_decode 312\n");
	assert_has(t, ";write;sys_write_[k];tcp_sendmsg_[k] 76\n");
	assert_has(t, ";~template_[j] 120\n");
	assert_has(t, "clone3;start_thread;worker;main (app.py:10) 25\n");
	assert_int_equal(count_of(&t, "\n"), 15);
	assert_int_equal(check_lines(&t), 1000);
	text_done(&t);
	snapshot_free(s);
}

static void folded_comes_back(void **state)
{
	static const char text[] = "a 7\na (x) 2\na;b 1\na;b c 9\nb 1000000007\n";
	struct folded_counts counts;
	struct snapshot *s = folded_read(
	    (struct bytes){ (const unsigned char *)text, sizeof(text) - 1 }, 0, &counts);
	struct text t = { 0 };

	(void)state;
	write_as("folded", s, &t);
	assert_string_equal(t.p, "a (x) 2\na 7\na;b 1\na;b c 9\nb 1000000007\n");
	check_lines(&t);
	text_done(&t);
	snapshot_free(s);
}

/* Three stacks of 1.5 periods each make 4.5 samples: the sum is kept, not each rounding.
 */
static void folded_rounds_to_the_samples(void **state)
{
	struct snapshot *s = sample_of("a 1\nb 1\nc 1\n", 100);
	struct text t = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < s->n_nodes; i++)
		s->nodes[i].self_ns = s->nodes[i].self_ns * 3 / 2;
	s->samples = 5;
	write_as("folded", s, &t);
	assert_string_equal(t.p, "a 2\nb 2\nc 1\n");
	s->samples = 1; /* one look at threads that slept: time decides */
	write_as("folded", s, &t);
	assert_int_equal(check_lines(&t), 5);
	s->rate_hz = 0; /* no period: microseconds */
	write_as("folded", s, &t);
	assert_string_equal(t.p, "a 15000\nb 15000\nc 15000\n");
	text_done(&t);
	snapshot_free(s);
}

static void folded_merges_equal_names(void **state)
{
	struct snapshot *s = sample_of("a;x 3\na;y 4\n", 100);
	struct text t = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < s->n_functions; i++)
		if (strcmp(s->functions[i].name, "y") == 0)
			s->functions[i].name = "x";
	write_as("folded", s, &t);
	assert_string_equal(t.p, "a;x 7\n");
	text_done(&t);
	snapshot_free(s);
}

static void folded_refuses_a_broken_tree(void **state)
{
	struct snapshot *s = sample_of("a;b 1\n", 100);
	struct text t = { 0 };
	struct error err;

	(void)state;
	s->nodes[1].parent = 2;
	assert_true(exporter_named("folded")->write(s, &options, &t, &err) < 0);
	write_as("svg", s, &t); /* leaves out what is not sound */
	assert_int_equal(count_of(&t, "role=\"treeitem\""), 1);
	text_done(&t);
	snapshot_free(s);
}

static void svg_has_the_tree(void **state)
{
	struct snapshot *s = sample_snapshot();
	struct text t = { 0 };

	(void)state;
	write_as("svg", s, &t);
	assert_int_equal(count_of(&t, "role=\"treeitem\""), s->n_nodes);
	assert_int_equal(count_of(&t, "<title>"), s->n_nodes + 3);
	assert_has(t, "<title>raw_decode\n(libjansson.so.4) 3.46 s, 34.60% of all, "
		      "self 31.20%</title>");
	assert_has(t, "<title>all\n10.0 s, 100.00% of all, self 0.00%</title>");
	assert_has(t, "src/order.c:88</title>");
	assert_has(t, "<desc>target: shopd (pid 4242)\n");
	assert_has(t, "creator: ptop 9.9</desc>");
	assert_has(t, "\nlost: none\n");
	assert_has(t, "2026-11-20T12:00:00Z");
	assert_has(t, "tabindex=\"0\"");
	assert_has(t, "prefers-color-scheme:dark");
	assert_lacks(t, "hunter2");
	assert_lacks(t, "xlink");
	assert_lacks(t, "<!DOCTYPE");
	assert_int_equal(count_of(&t, "http"), 2); /* two namespaces, no address */
	text_done(&t);
	snapshot_free(s);
}

static void svg_says_what_is_doubtful(void **state)
{
	const struct export_options open_options = { .creator = "ptop 9.9",
						     .show_cmdline = true };
	struct snapshot *s = sample_of("a 50\n", 100);
	struct text t = { 0 };

	(void)state;
	s->lost[LOSS_RING_FULL] = 1234;
	s->limits = "kernel frames";
	exporter_named("svg")->write(s, &open_options, &t, NULL);
	assert_has(t, "lost or cut: ring_full 1,234; kernel frames</text>");
	assert_has(t, "fewer than 100 samples");
	assert_has(t, "--password=hunter2");
	text_done(&t);
	snapshot_free(s);
}

static void svg_without_samples(void **state)
{
	struct snapshot *s = snapshot_new();
	struct text t = { 0 };

	(void)state;
	write_as("svg", s, &t);
	assert_has(t, "No samples in this window.");
	assert_int_equal(count_of(&t, "role=\"treeitem\""), 0);
	write_as("folded", s, &t);
	assert_int_equal(t.n, 0);
	text_done(&t);
	snapshot_free(s);
}

/* Siblings do not overlap, children stand within their parents, and their widths add up.
 */
static void svg_boxes_fit(void **state)
{
	struct snapshot *s = sample_snapshot();
	uint64_t level_ns[64] = { 0 }, end[64] = { 0 };
	struct svg_layout l;
	size_t i;

	(void)state;
	svg_layout(&l, s);
	assert_int_equal(l.n, s->n_nodes);
	assert_int_equal(l.levels, 10);
	for (i = 0; i < l.n; i++) {
		const struct svg_box *b = &l.boxes[i];

		assert_true(b->start_ns >= end[b->level]);
		end[b->level] = b->start_ns + b->total_ns;
		if (b->level)
			assert_true(end[b->level] <= end[b->level - 1]);
		level_ns[b->level] += b->total_ns;
	}
	assert_int_equal(level_ns[0], 10000000000ull);
	assert_int_equal(level_ns[1], 10000000000ull);
	svg_layout_done(&l);
	snapshot_free(s);
}

/* 30,000 frames of different widths: the widest SVG_BOXES_MAX stay and the file says so.
 */
static void svg_leaves_out_narrow_boxes(void **state)
{
	struct text folded = { 0 }, t = { 0 };
	struct snapshot *s;
	struct svg_layout l;
	unsigned i;

	(void)state;
	for (i = 0; i < 30000; i++)
		text_fmt(&folded, "main;f%05u %u\n", i, 1000000 + i);
	s = sample_of(folded.p, 0);
	svg_layout(&l, s);
	assert_int_equal(l.n, 2); /* a tenth of a pixel is too narrow */
	assert_int_equal(l.left_out, 30000);
	assert_int_equal(l.left_out_ns, s->weight_ns);
	svg_layout_done(&l);
	snapshot_free(s);
	text_clear(&folded);
	for (i = 0; i < 600; i++) /* 24 levels of 600 */
		text_fmt(&folded,
			 "a;a;a;a;a;a;a;a;f%u;f;f;f;f;f;f;f;f;f;f;f;f;f;f;f;f;f;f;f"
			 " %u\n",
			 i, 1000 + i);
	s = sample_of(folded.p, 0);
	svg_layout(&l, s);
	assert_in_range(l.n, SVG_BOXES_MAX - 30, SVG_BOXES_MAX);
	assert_int_equal(l.n + l.left_out, s->n_nodes);
	svg_layout_done(&l);
	write_as("svg", s, &t);
	assert_has(t, " px are not drawn (");
	text_done(&t);
	text_done(&folded);
	snapshot_free(s);
}

static void colours_are_stable(void **state)
{
	struct snapshot_function f = {
		.name = "f", .module = "m", .file = "", .kind = CODE_KERNEL
	};
	struct text t = { 0 };
	unsigned first = svg_colour(&f);

	(void)state;
	f.self_ns = 77;
	f.id = 12;
	assert_int_equal(svg_colour(&f), first);
	svg_colour_class(&t, first);
	assert_int_equal(t.p[0], 'k');
	f.name = "g"; /* another shade, the same hue */
	assert_int_equal(svg_colour(&f) / SVG_SHADES, first / SVG_SHADES);
	f.kind = (enum code_kind)99;
	assert_true(svg_colour(&f) < SVG_COLOURS);
	text_done(&t);
}

/* Text outside the script and the style, which are ours. */
static void assert_markup_is_ours(const struct text *t)
{
	assert_lacks(*t, "<b>");
	assert_lacks(*t, "<evil");
	assert_lacks(*t, "<none>");
	assert_int_equal(count_of(t, "</script>"), 1);
	assert_int_equal(count_of(t, "]]>"), 1);
}

static void hostile_names(void **state)
{
	static const char *const formats[] = { "svg", "folded", "json", "table" };
	struct snapshot *s = sample_hostile();
	struct text t = { 0 };
	size_t f, i;

	(void)state;
	for (f = 0; f < 4; f++) {
		text_clear(&t);
		if (f < 2)
			write_as(formats[f], s, &t);
		else if (f == 2)
			json_top(s, &t);
		else
			table_top(s, 80, 0, &t);
		for (i = 0; i < t.n;) {
			size_t len = clean_char(t.p + i, t.n - i);

			assert_true(len > 0 || t.p[i] == '\n');
			i += len ? len : 1;
		}
		if (f == 0)
			assert_markup_is_ours(&t);
		if (f == 1)
			assert_has(t,
				   "?[31mred??????\?:end;]]>;</script><b>&amp;\"' 5\n");
	}
	text_done(&t);
	snapshot_free(s);
}

static void json_strings(void **state)
{
	struct text t = { 0 };

	(void)state;
	json_string(&t, "");
	json_string(&t, "a\"b\\c/\xe6\xbc\xa2");
	json_string(&t, "\x1b[0m\n\xff");
	assert_string_equal(t.p, "\"\"\"a\\\"b\\\\c/\xe6\xbc\xa2\"\"?[0m??\"");
	text_done(&t);
}

static void json_of_a_window(void **state)
{
	struct snapshot *s = sample_snapshot();
	struct text t = { 0 };
	int i;

	(void)state;
	s->target_cpu_pct = NAN;
	s->functions[0].self_ns = 0; /* keeps the rest as it is */
	json_top(s, &t);
	assert_has(t, "{\"schema\":\"ptop.top/1\",\"pid\":4242,");
	assert_has(t, "\"time\":\"2026-11-20T12:00:00.123Z\",\"window_s\":5.000000,"
		      "\"mode\":\"cpu\",\"samples\":1000,");
	assert_has(t, "{\"name\":\"parse_order\",\"module\":\"shopd\","
		      "\"file\":\"src/order.c\",\"line\":88,\"runtime\":\"native\","
		      "\"library\":false,"
		      "\"self_pct\":6.00,\"total_pct\":40.60,\"self_s\":0.600000,"
		      "\"total_s\":4.060000}");
	assert_has(t, "{\"name\":\"strtod\",\"module\":\"libc.so.6\",\"file\":null,"
		      "\"line\":null,");
	assert_has(t, "\"self\":{\"cpu_pct\":0.70,\"rss_bytes\":12582912},"
		      "\"target\":{\"cpu_pct\":null,\"rss_bytes\":1524713390,"
		      "\"taken_pct\":0.30},"
		      "\"memory\":null}\n");
	for (i = 0; i < LOSS_COUNT; i++)
		assert_has(t, loss_name((enum loss)i));
	assert_int_equal(count_of(&t, "\"self_pct\""), s->n_functions);
	text_done(&t);
	snapshot_free(s);
}

static void json_of_a_dump(void **state)
{
	struct text t = { 0 };
	struct dump d;

	(void)state;
	sample_dump(&d);
	json_dump(&d, &t);
	assert_has(t, "{\"schema\":\"ptop.dump/1\",\"pid\":4242,");
	assert_has(t, "{\"tid\":4250,\"name\":\"worker-0\",\"state\":\"S\","
		      "\"note\":\"no permission\",\"frames\":[]}");
	assert_has(t, "{\"name\":\"main\",\"module\":\"shopd\",\"file\":\"src/main.c\","
		      "\"line\":88,\"runtime\":\"native\"}]}");
	text_done(&t);
}

static size_t widest_line(const struct text *t)
{
	struct text line = { 0 };
	size_t widest = 0, i;

	for (i = 0; i < t->n; i++) {
		if (t->p[i] != '\n') {
			text_char(&line, t->p[i]);
			continue;
		}
		if (line.n && columns_of(line.p) > widest)
			widest = columns_of(line.p);
		text_clear(&line);
	}
	text_done(&line);
	return widest;
}

static void table_fits(void **state)
{
	static const size_t widths[] = { 80, 40, 20, 5, 1, 200 };
	struct snapshot *s = sample_snapshot(), *bad = sample_hostile();
	struct text t = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
		text_clear(&t);
		table_top(s, widths[i], 0, &t);
		table_top(bad, widths[i], 0, &t);
		assert_true(widest_line(&t) <= widths[i]);
	}
	text_clear(&t);
	table_top(bad, 0, 0, &t);
	assert_true(widest_line(&t) > 4000); /* uncut */
	text_done(&t);
	snapshot_free(s);
	snapshot_free(bad);
}

static void table_of_a_window(void **state)
{
	struct snapshot *s = sample_snapshot();
	struct text t = { 0 };

	(void)state;
	table_top(s, 80, 3, &t);
	assert_string_equal(
	    t.p, "ptop 4242 shopd (native)  cpu  2026-11-20T12:00:00Z\n"
		 "CPU 187.3% (user 150.1 system 37.2)  RSS 1.42G  threads 2\n"
		 "100Hz eff 100.0%  n 1,000  win 5.00s  lost 0.0%  ptop 0.7% 12.0M  "
		 "target +0.3%\n"
		 "\n"
		 " SELF% TOTAL%    SELF   TOTAL  FUNCTION                      "
		 "FILE:LINE or MODULE\n"
		 "  31.2   34.6   3.12s   3.46s  raw_decode                    "
		 "libjansson.so.4\n"
		 "  12.0   12.0   1.20s   1.20s  ~template\n"
		 "   9.8    9.8   980ms   980ms  aes_gcm_encrypt               "
		 "libcrypto.so.3\n");
	snapshot_free(s);
	s = sample_of("a 99\n", 1000);
	text_clear(&t);
	s->lost[LOSS_LATE] = 3;
	table_top(s, 80, 0, &t);
	assert_has(t, "~100.0 ~100.0 ");
	assert_has(t, "\nlittle CPU used: try -m wall");
	assert_has(t, "\nlost or cut since start: late 3\n");
	text_done(&t);
	snapshot_free(s);
}

static void table_of_a_dump(void **state)
{
	struct text t = { 0 };
	struct dump d;

	(void)state;
	sample_dump(&d);
	table_dump(&d, &t);
	assert_string_equal(t.p, "Thread 4242 \"shopd\" R\n"
				 "  raw_decode   libjansson.so.4\n"
				 "  parse_order  shopd  src/order.c:88  (inlined)\n"
				 "  main         shopd  src/main.c:88\n"
				 "\n"
				 "Thread 4250 \"worker-0\" S  (no permission)\n"
				 "\n"
				 "Thread 4251 (pid 4251) \"child\"\\\" D\n"
				 "  raw_decode  libjansson.so.4\n");
	text_done(&t);
}

/* A locale with a decimal comma, where there is one, changes nothing. */
static void no_locale(void **state)
{
	struct snapshot *s = sample_snapshot();
	struct text before = { 0 }, after = { 0 };
	bool found;

	(void)state;
	json_top(s, &before);
	found = setlocale(LC_ALL, "de_DE.UTF-8") || setlocale(LC_ALL, "fr_FR.UTF-8");
	json_top(s, &after);
	assert_string_equal(before.p, after.p);
	setlocale(LC_ALL, "C");
	text_done(&before);
	text_done(&after);
	snapshot_free(s);
	if (!found)
		skip();
}

static void json_of_memory(void **state)
{
	struct memory_grower growers[] = {
		{ .kind = GROWER_MAPPING, .name = "[stack]", .stack = "", .bytes = 5 },
		{ .kind = GROWER_CHUNKS,
		  .name = "60016 bytes",
		  .stack = "",
		  .bytes = 120032,
		  .count = 2,
		  .bytes_more = 60016,
		  .count_more = 1,
		  .span_ns = 5000000000 },
	};
	struct snapshot *s = sample_snapshot();
	struct text t = { 0 };

	(void)state;
	s->memory.known = true;
	s->memory.rss_bytes = 1024;
	s->memory.verdict = VERDICT_GROWING;
	s->memory.slope =
	    (struct memory_slope){ true, 209715.2, 205000, 212000, 300000000000 };
	s->memory.limit = LIMIT_CGROUP;
	s->memory.limit_name = "/a";
	s->memory.limit_bytes = 5000000000000;
	s->memory.limit_s = 3600.4;
	s->memory.growers = growers;
	s->memory.n_growers = 2;
	json_top(s, &t);
	assert_has(t, "\"memory\":{\"rss_bytes\":1024,");
	assert_has(t, "\"slope_bytes_per_s\":209715,");
	assert_has(t, "\"verdict\":\"growing\",\"limit_bytes\":5000000000000,"
		      "\"limit_of\":\"/a\",");
	assert_has(t, "\"seconds_to_limit\":3600,");
	assert_has(t, "\"growers\":[{\"kind\":\"chunks\",\"name\":\"60016 bytes\","
		      "\"stack\":null,\"bytes\":120032,\"bytes_more\":60016,\"count\":2,"
		      "\"count_more\":1,\"span_s\":5.000000}],\"looks\":[]}}\n");
	text_done(&t);
	s->memory.slope.known = false;
	s->memory.limit_s = -1;
	json_top(s, &t);
	assert_has(t, "\"slope_bytes_per_s\":null,");
	assert_has(t, "\"seconds_to_limit\":null,");
	text_done(&t);
	snapshot_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_are_found),
		cmocka_unit_test(figures),
		cmocka_unit_test(columns),
		cmocka_unit_test(folded_has_every_stack),
		cmocka_unit_test(folded_comes_back),
		cmocka_unit_test(folded_rounds_to_the_samples),
		cmocka_unit_test(folded_merges_equal_names),
		cmocka_unit_test(folded_refuses_a_broken_tree),
		cmocka_unit_test(svg_has_the_tree),
		cmocka_unit_test(svg_says_what_is_doubtful),
		cmocka_unit_test(svg_without_samples),
		cmocka_unit_test(svg_boxes_fit),
		cmocka_unit_test(svg_leaves_out_narrow_boxes),
		cmocka_unit_test(colours_are_stable),
		cmocka_unit_test(hostile_names),
		cmocka_unit_test(json_strings),
		cmocka_unit_test(json_of_a_window),
		cmocka_unit_test(json_of_memory),
		cmocka_unit_test(json_of_a_dump),
		cmocka_unit_test(table_fits),
		cmocka_unit_test(table_of_a_window),
		cmocka_unit_test(table_of_a_dump),
		cmocka_unit_test(no_locale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
