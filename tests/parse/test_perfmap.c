/* Perf maps: good lines, bad lines, lines that overlap, and the file's owner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbol/symbols.h"
#include "tests/guarded.h"

static struct symbols *parse(const char *text)
{
	struct guarded g = guarded_new(text, strlen(text));
	struct symbols *s = symbols_parse_perfmap((const char *)g.bytes.p, g.bytes.n);

	guarded_free(&g);
	assert_non_null(s);
	return s;
}

/* NULL: nobody's. */
static void is(const struct symbols *s, uint64_t address, const char *name)
{
	struct symbol y = { 0 };

	if (!name) {
		assert_false(symbols_find(s, address, &y));
		return;
	}
	assert_true(symbols_find(s, address, &y));
	assert_non_null(y.name);
	assert_string_equal(y.name, name);
	assert_true(y.start <= address && address - y.start < y.size);
	assert_int_equal(y.vaddr, y.start);
}

static void test_lines(void **state)
{
	struct symbols *s =
	    parse("3c58b4a90840 1e4 LazyCompile:*parse /srv/json.js:12:3\n"
		  "0x1000 0x10 with 0x prefix\r\n"
		  "2000  20   spaces\n"
		  "  3000 8 indented\n"
		  "4000 10 no newline at the end");

	(void)state;
	assert_string_equal(symbols_source(s), "perf map");
	assert_int_equal(symbols_count(s), 5);
	is(s, 0x3c58b4a90840, "LazyCompile:*parse /srv/json.js:12:3");
	is(s, 0x3c58b4a90840 + 0x1e3, "LazyCompile:*parse /srv/json.js:12:3");
	is(s, 0x3c58b4a90840 + 0x1e4, NULL);
	is(s, 0x3c58b4a9083f, NULL);
	is(s, 0x1008, "with 0x prefix");
	is(s, 0x201f, "spaces");
	is(s, 0x3000, "indented");
	is(s, 0x4000, "no newline at the end");
	symbols_free(s);
}

static void test_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"\n\n\n",
		"hello world\n",
		"1000\n",
		"1000 10\n",
		"1000 10 \n",
		"1000 0 empty\n",
		"-1000 10 negative\n",
		"1000 -10 negative\n",
		"ffffffffffffffff0 10 too large\n",
		"1000 ffffffffffffffff0 too large\n",
		"ffffffffffffff00 200 wraps\n",
		"1000 100000000 beyond 4 GiB\n",
		"0x 10 nothing\n",
		"10001 0x10\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct symbols *s = parse(lines[i]);

		assert_int_equal(symbols_count(s), 0);
		symbols_free(s);
	}
}

/* A NUL does not end the world, nor hide what follows. */
static void test_nul(void **state)
{
	static const char text[] = "1000 10 a\0b\n2000 10 c\n";
	struct symbols *s = symbols_parse_perfmap(text, sizeof(text) - 1);

	(void)state;
	is(s, 0x1000, NULL);
	is(s, 0x2000, "c");
	symbols_free(s);
}

static void test_later_wins(void **state)
{
	struct symbols *s = parse("1000 100 old\n"
				  "1040 20 new inside\n"
				  "2000 100 first\n"
				  "2080 100 across the end\n"
				  "3080 100 behind\n"
				  "3000 100 across the start\n"
				  "4040 10 covered\n"
				  "4000 100 all over it\n"
				  "5000 10 same place\n"
				  "5000 10 same place again\n");

	(void)state;
	is(s, 0x103f, "old");
	is(s, 0x1040, "new inside");
	is(s, 0x105f, "new inside");
	is(s, 0x1060, "old");
	is(s, 0x10ff, "old");
	is(s, 0x207f, "first");
	is(s, 0x2080, "across the end");
	is(s, 0x217f, "across the end");
	is(s, 0x3080, "across the start");
	is(s, 0x30ff, "across the start");
	is(s, 0x3100, "behind");
	is(s, 0x317f, "behind");
	is(s, 0x4048, "all over it");
	is(s, 0x40ff, "all over it");
	is(s, 0x5000, "same place again");
	symbols_free(s);
}

/* Against a model that paints every byte in the order of the lines. */
static void test_against_model(void **state)
{
	enum { ROOM = 2048, LINES = 200 };
	static int painted[ROOM];
	static char text[LINES * 32];
	unsigned seed = 3;
	int round;

	(void)state;
	for (round = 0; round < 50; round++) {
		size_t n = 0, i;
		struct symbols *s;

		memset(painted, -1, sizeof(painted));
		for (i = 0; i < LINES; i++) {
			unsigned start = (unsigned)rand_r(&seed) % (ROOM - 64);
			unsigned size = 1 + (unsigned)rand_r(&seed) % 64, k;

			n += (size_t)snprintf(text + n, sizeof(text) - n, "%x %x f%zu\n",
					      start, size, i);
			for (k = 0; k < size; k++)
				painted[start + k] = (int)i;
		}
		s = parse(text);
		for (i = 0; i < ROOM; i++) {
			char name[16];

			snprintf(name, sizeof(name), "f%d", painted[i]);
			is(s, i, painted[i] < 0 ? NULL : name);
		}
		symbols_free(s);
	}
}

static void test_truncated(void **state)
{
	static const char text[] = "3c58b4a90840 1e4 LazyCompile:*parse x\n7000 10 y\n";
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(text); n++) {
		struct guarded g = guarded_new(text, n);
		struct symbols *s =
		    symbols_parse_perfmap((const char *)g.bytes.p, g.bytes.n);

		assert_in_range(symbols_count(s), 0, 2);
		symbols_free(s);
		guarded_free(&g);
	}
}

static void test_long_name(void **state)
{
	static char text[40000];
	struct symbols *s;
	struct symbol y;
	int n = snprintf(text, sizeof(text), "1000 10 ");

	(void)state;
	memset(text + n, 'x', 30000);
	snprintf(text + n + 30000, sizeof(text) - (size_t)n - 30000, "\n2000 10 next\n");
	s = parse(text);
	assert_true(symbols_find(s, 0x1000, &y));
	assert_in_range(strlen(y.name), 1000, 1024);
	is(s, 0x2000, "next");
	symbols_free(s);
}

static void map_path(char to[64])
{
	snprintf(to, 64, "/tmp/perf-%d.map", (int)getpid());
}

static void put(const char *path, size_t times)
{
	FILE *f = fopen(path, "w");
	size_t i;

	assert_non_null(f);
	for (i = 0; i < times; i++)
		assert_true(fprintf(f, "%zx000 10 function number %zu\n", i, i) > 0);
	assert_int_equal(fclose(f), 0);
}

/* This process' own map: found, seen to grow, read across the border of the buffer. */
static void test_file(void **state)
{
	struct symbols *s = NULL;
	struct error err = { 0 };
	uint64_t before, after;
	char path[64];

	(void)state;
	map_path(path);
	unlink(path);
	assert_true(symbols_load_perfmap(getpid(), &s, &err) < 0);
	assert_non_null(s);
	assert_int_equal(symbols_count(s), 0);
	assert_string_not_equal(err.cause, "");
	assert_string_not_equal(err.hint, "");
	symbols_free(s);
	assert_false(perfmap_stamp(getpid(), &before));

	put(path, 1);
	assert_true(perfmap_stamp(getpid(), &before));
	put(path, 20000);
	assert_true(perfmap_stamp(getpid(), &after));
	assert_true(before != after);
	assert_int_equal(symbols_load_perfmap(getpid(), &s, &err), 0);
	unlink(path);
	assert_int_equal(symbols_count(s), 20000);
	is(s, 0x1234000, "function number 4660");
	is(s, UINT64_C(19999) << 12, "function number 19999");
	symbols_free(s);
}

/* Lines longer than the buffer that reads them. */
static void test_file_long_lines(void **state)
{
	struct symbols *s = NULL;
	char path[64];
	FILE *f;
	int i;

	(void)state;
	map_path(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "1000 10 before\n2000 10 long");
	for (i = 0; i < 500000; i++)
		fputc('x', f);
	fprintf(f, "\n3000 10 after\n");
	assert_int_equal(fclose(f), 0);
	assert_int_equal(symbols_load_perfmap(getpid(), &s, NULL), 0);
	unlink(path);
	is(s, 0x1000, "before");
	is(s, 0x3000, "after");
	assert_in_range(symbols_count(s), 2, 3);
	symbols_free(s);
}

static void refuse(const char *path)
{
	struct symbols *s = NULL;
	uint64_t stamp;

	assert_true(symbols_load_perfmap(getpid(), &s, NULL) < 0);
	assert_int_equal(symbols_count(s), 0);
	symbols_free(s);
	assert_false(perfmap_stamp(getpid(), &stamp));
	unlink(path);
}

/* What somebody else may have put there. */
static void test_file_refused(void **state)
{
	char path[64];

	(void)state;
	map_path(path);
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	refuse(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	refuse(path);
	if (geteuid() != 0) {
		fprintf(stderr, "# SKIP: another owner needs root\n");
		skip();
	}
	put(path, 10);
	assert_int_equal(chown(path, 12345, 12345), 0);
	refuse(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_later_wins),
		cmocka_unit_test(test_against_model),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_long_lines),
		cmocka_unit_test(test_file_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
