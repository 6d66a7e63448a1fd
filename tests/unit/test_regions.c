/* What anonymous mappings are for, told by their neighbours; and text that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "target/regions.h"

static struct regions r;

static uint64_t bytes_of(const char *name)
{
	size_t i;

	for (i = 0; i < r.n; i++)
		if (strcmp(r.groups[i].name, name) == 0)
			return r.groups[i].bytes;
	return 0;
}

static void parse(const char *text)
{
	regions_parse(&r, (struct bytes){ (const unsigned char *)text, strlen(text) });
}

static void neighbours_tell(void **state)
{
	(void)state;
	parse("555555554000-555555556000 r-xp 00000000 fe:00 12 /usr/bin/a b\n"
	      "555555556000-555555559000 rw-p 00002000 fe:00 12 /usr/bin/a b\n"
	      "555555560000-555555660000 rw-p 00000000 00:00 0 [heap]\n"
	      "7f2a34000000-7f2a34021000 rw-p 00000000 00:00 0 \n"
	      "7f2a34021000-7f2a38000000 ---p 00000000 00:00 0 \n"
	      "7f2a3b7fe000-7f2a3b7ff000 ---p 00000000 00:00 0 \n"
	      "7f2a3b7ff000-7f2a3bfff000 rw-p 00000000 00:00 0 \n"
	      "7f2a40000000-7f2a44000000 rw-p 00000000 00:00 0 \n"
	      "7f2a50000000-7f2a50002000 rw-p 00000000 00:00 0 \n"
	      "7f2a60000000-7f2a60001000 rw-s 00000000 00:01 99 /memfd:x (deleted)\n"
	      "7f2a61000000-7f2a61001000 r--p 00000000 fe:00 98 \n"
	      "7f2a61002000-7f2a61003000 r--p 00000000 fe:00 98 /usr/\n"
	      "nonsense\n"
	      "7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0 [stack]\n");
	assert_int_equal(bytes_of("a b"), 0x5000);
	assert_int_equal(bytes_of("[heap]"), 0x100000);
	assert_int_equal(bytes_of("[malloc arenas]"), 0x21000 + 0x4000000);
	assert_int_equal(bytes_of("[thread stacks]"), 0x800000);
	assert_int_equal(bytes_of("[anonymous]"), 0x2000);
	assert_int_equal(bytes_of("memfd:x"), 0x1000);
	assert_int_equal(bytes_of("[stack]"), 0x21000);
	assert_int_equal(bytes_of("[unnamed]"), 0x2000);
}

static void very_many_files(void **state)
{
	static char text[100000];
	size_t n = 0;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "%x000-%x000 r--p 0 fe:00 %d /lib/%d\n", 2 * i + 1,
				      2 * i + 2, i + 1, i);
	parse(text);
	assert_int_equal(r.n, REGION_GROUPS_MOST);
	assert_int_equal(bytes_of("[others]"), (1000 - REGION_GROUPS_MOST + 1) * 4096);
}

static void our_own(void **state)
{
	(void)state;
	assert_int_equal(regions_read(&r, getpid()), 0);
	assert_true(bytes_of("[anonymous]") > 0 && bytes_of("[stack]") > 0);
	assert_true(regions_read(&r, -1) < 0);
	assert_int_equal(r.n, 0);
	parse("");
	assert_int_equal(r.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_tell),
		cmocka_unit_test(very_many_files),
		cmocka_unit_test(our_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
