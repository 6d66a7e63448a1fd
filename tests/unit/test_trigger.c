/* Conditions of --when: what they mean, where a wrong one is wrong, and when one tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/trigger.h"

#define S 1000000000ull

static void values_have_units(void **state)
{
	static const struct {
		const char *text;
		double value;
		uint64_t for_ns;
		const char *function;
	} good[] = {
		{ "p95(handle_request)>120ms", 120e6, 0, "handle_request" },
		{ "rss>1.5G", 1.5 * 1073741824, 0, "" },
		{ "gc.max>50ms", 50e6, 0, "" },
		{ "cpu>95% for 10s", 95, 10 * S, "" },
		{ "  cpu  >=  0.5 % ", 0.5, 0, "" },
		{ "p99( ns::f(int, char (*)(void)) ) < 3us", 3e3, 0,
		  "ns::f(int, char (*)(void))" },
		{ "rate(step)>1000", 1000, 0, "step" },
		{ "threads>200 for 1m", 200, 60 * S, "" },
		{ "loop.max>200ms", 200e6, 0, "" },
		{ "rss<=10MiB", 10 * 1048576.0, 0, "" },
	};
	struct trigger_mistake m;
	struct trigger t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		bool ok = trigger_parse(good[i].text, &t, &m);

		/* "0.5 %": a unit stands at its number */
		if (i == 4) {
			assert_false(ok);
			continue;
		}
		if (!ok)
			fail_msg("%s: %zu %s", good[i].text, m.at, m.why);
		assert_true(t.value == good[i].value);
		assert_int_equal(t.for_ns, good[i].for_ns);
		assert_string_equal(t.function, good[i].function);
	}
}

static void mistakes_have_places(void **state)
{
	static const struct {
		const char *text;
		size_t at;
		const char *why;
	} bad[] = {
		{ "", 0, "no such figure" },
		{ "p94(f)>1ms", 0, "no such figure" },
		{ "p95>1ms", 3, "needs a function" },
		{ "p95(>1ms", 3, "not closed" },
		{ "p95()>1ms", 4, "no function" },
		{ "rss(f)>1G", 3, "not of a function" },
		{ "p95(f)120ms", 6, "expected >" },
		{ "p95(f)>ms", 7, "number" },
		{ "p95(f)>-1ms", 7, "number" },
		{ "p95(f)>120", 10, "needs a unit" },
		{ "p95(f)>120%", 10, "not in that unit" },
		{ "rss>1.5", 7, "needs a unit" },
		{ "rss>1.5Gx", 7, "not in that unit" },
		{ "rss>1.5.2G", 7, "not in that unit" },
		{ "cpu>95", 6, "per cent" },
		{ "cpu>95% fo 10s", 8, "expected the end" },
		{ "cpu>95% for", 8, "expected the end" },
		{ "cpu>95% for 10", 14, "needs a unit" },
		{ "cpu>95% for 2h", 12, "an hour" },
		{ "cpu>95% for 10s x", 16, "nothing may follow" },
		{ "rss>1111111111111111G", 4, "too long" },
		{ "threads>5ms", 9, "plain number" },
		{ "cpu=>95%", 3, "expected >" },
	};
	struct trigger_mistake m;
	struct trigger t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (trigger_parse(bad[i].text, &t, &m))
			fail_msg("taken: %s", bad[i].text);
		if (m.at != bad[i].at || !strstr(m.why, bad[i].why))
			fail_msg("%s: at %zu, should be %zu: %s", bad[i].text, m.at,
				 bad[i].at, m.why);
	}
}

static struct trigger parsed(const char *text)
{
	struct trigger_mistake m;
	struct trigger t;

	assert_true(trigger_parse(text, &t, &m));
	return t;
}

static bool check_cpu(struct trigger *t, uint64_t seconds, double pct)
{
	struct snapshot s = { .time_ns = seconds * S, .target_cpu_pct = pct };

	return trigger_check(t, &s);
}

static void tells_once_each_time(void **state)
{
	struct trigger t = parsed("cpu>95%");

	(void)state;
	assert_false(check_cpu(&t, 1, 95));
	assert_true(check_cpu(&t, 2, 96));
	assert_false(check_cpu(&t, 3, 99)); /* still the same time */
	assert_false(check_cpu(&t, 4, 10));
	assert_true(check_cpu(&t, 5, 100));
}

static void for_means_without_a_break(void **state)
{
	struct trigger t = parsed("cpu>95% for 10s");

	(void)state;
	assert_false(check_cpu(&t, 1, 100));
	assert_false(check_cpu(&t, 10, 100));
	assert_false(check_cpu(&t, 11, 20));
	assert_false(check_cpu(&t, 12, 100));
	assert_false(check_cpu(&t, 21, 100));
	assert_true(check_cpu(&t, 22, 100));
	assert_false(check_cpu(&t, 40, 100));
}

static void rows_are_found_by_name(void **state)
{
	struct snapshot_latency_row rows[] = {
		{ .name = "Server.handle",
		  .source = LATENCY_VISITS,
		  .per_second = 7,
		  .figure = { { LATENCY_KNOWN, 5000000 },
			      { LATENCY_KNOWN, 150000000 } } },
		{ .name = "handler",
		  .figure = { { LATENCY_KNOWN, 1 }, { LATENCY_KNOWN, 999000000 } } },
		{ .name = "handle",
		  .figure = { { LATENCY_BELOW, 20 }, { LATENCY_BELOW, 20 } } },
		{ .name = "event loop main",
		  .source = LATENCY_LOOP,
		  .figure = { [LATENCY_MAX] = { LATENCY_KNOWN, 210000000 } } },
	};
	struct snapshot s = { .time_ns = S };
	struct trigger t = parsed("p95(handle)>120ms"), loop = parsed("loop.max>200ms"),
		       none = parsed("p99(handle)>1us");
	double v;

	(void)state;
	s.latency.rows = rows;
	s.latency.n_rows = 4;
	assert_true(trigger_check(&t, &s));
	assert_true(t.seen == 150e6);
	assert_true(trigger_check(&loop, &s));
	assert_false(trigger_value(&none, &s, &v)); /* unknown is not 0 */
	assert_false(trigger_check(&none, &s));
}

static void names_are_whole_words(void **state)
{
	(void)state;
	assert_true(trigger_name_matches("a.b.handle", "handle"));
	assert_true(trigger_name_matches("ns::handle(int)", "handle"));
	assert_true(trigger_name_matches("libssl.so!SSL_read", "SSL_read"));
	assert_false(trigger_name_matches("handle_all", "handle"));
	assert_false(trigger_name_matches("mishandle", "handle"));
	assert_true(trigger_name_matches("mishandle.handle", "handle"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_have_units),
		cmocka_unit_test(mistakes_have_places),
		cmocka_unit_test(tells_once_each_time),
		cmocka_unit_test(for_means_without_a_break),
		cmocka_unit_test(rows_are_found_by_name),
		cmocka_unit_test(names_are_whole_words),
	};

	return cmocka_run_group_tests_name("trigger", tests, NULL, NULL);
}
