/* Names of output files: what stands for what, and what a target cannot do with its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "app/output_name.h"

static struct output_words words = {
	.pid = 42, .name = "/usr/bin/shop", .host = "web-3", .time = 1795183231
};

static void makes(const char *pattern, const char *wanted)
{
	struct error err = { 0 };
	char got[256] = "?";

	if (output_name(pattern, &words, got, sizeof(got), &err))
		fail_msg("%s: %s", pattern, err.cause);
	assert_string_equal(got, wanted);
}

static void refuses(const char *pattern, const char *with)
{
	struct error err = { 0 };
	char got[64];

	assert_int_not_equal(output_name(pattern, &words, got, sizeof(got), &err), 0);
	assert_int_equal(err.exit, EXIT_USAGE);
	assert_non_null(strstr(err.cause, with));
}

static void words_are_put_in(void **state)
{
	(void)state;
	makes("plain.svg", "plain.svg");
	makes("/tmp/%h-%n-%p-%t.ptop", "/tmp/web-3-shop-42-20261120T140031.ptop");
	makes("100%%", "100%");
	makes("%%p", "%p");
	refuses("a%q.svg", "'%q'");
	refuses("a%", "'%'");
	refuses("0123456789012345678901234567890123456789012345678901234567890123",
		"too long");
}

static void strangers_stay_in_the_folder(void **state)
{
	const char *name = words.name, *host = words.host;

	(void)state;
	words.name = "../../..";
	words.host = "../x";
	makes("d/%n", "d/_.");
	makes("d/%h", "d/_._x");
	words.name = "a\033[2J\n";
	makes("%n", "a?[2J?");
	words.name = name;
	words.host = host;
}

static void no_pid_before_the_start(void **state)
{
	(void)state;
	words.pid = 0;
	refuses("%p", "before the program starts");
	makes("%n", "shop");
	words.pid = 42;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_put_in),
		cmocka_unit_test(strangers_stay_in_the_folder),
		cmocka_unit_test(no_pid_before_the_start),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests_name("output_name", tests, NULL, NULL);
}
