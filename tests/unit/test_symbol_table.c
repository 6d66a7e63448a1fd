/* How functions that overlap become a table, and names that come from no file: the
 * kernel's and the vdso's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "symbol/symbols.h"
#include "symbol/table.h"

static void test_vdso(void **state)
{
	struct object o = { .kind = OBJECT_VDSO, .path = "[vdso]", .name = "[vdso]" };
	struct symbols *s;
	bool found = false;
	uint64_t at;

	(void)state;
	if (symbols_load(&o, &s, NULL) != 0) {
		symbols_free(s);
		fprintf(stderr, "# SKIP: no vdso\n");
		skip();
	}
	for (at = 0; at < 65536 && !found; at += 16) {
		struct symbol y;

		found =
		    symbols_find(s, at, &y) && y.name && strstr(y.name, "clock_gettime");
	}
	assert_true(found);
	symbols_free(s);
}

static void test_kernel(void **state)
{
	struct error err = { 0 };
	struct symbols *s;
	int ret = symbols_load_kernel(&s, &err);

	(void)state;
	assert_non_null(s);
	if (ret == 0) {
		assert_string_equal(symbols_source(s), "kallsyms");
		assert_true(symbols_count(s) > 1000);
	} else {
		assert_int_equal(symbols_count(s), 0);
		assert_string_not_equal(err.cause, "");
	}
	symbols_free(s);
}

static void test_kallsyms_text(void **state)
{
	static const char text[] = "ffffffff81000000 T _stext\n"
				   "ffffffff81000000 t aaa\n"
				   "ffffffff81000100 D data\n"
				   "ffffffff81000200 W weak_one\n"
				   "garbage\n"
				   "0000000000000000 T hidden\n"
				   "ffffffffc0a01010 t ext4_x\t[ext4]\n";
	struct symbols *s = symbols_parse_kallsyms(text, sizeof(text) - 1);
	struct symbol y;

	(void)state;
	assert_int_equal(symbols_count(s), 3);
	assert_true(symbols_find(s, 0xffffffff810001ff, &y));
	assert_string_equal(y.name, "_stext");
	assert_true(symbols_find(s, 0xffffffff81000200, &y));
	assert_string_equal(y.name, "weak_one");
	assert_true(symbols_find(s, 0xffffffffc0a01011, &y));
	assert_string_equal(y.name, "ext4_x [ext4]");
	assert_int_equal(y.vaddr, 0xffffffffc0a01010);
	assert_false(symbols_find(s, 0xffffffff91000000, &y)); /* far behind the text */
	symbols_free(s);
}

static void add(struct table *t, uint64_t start, uint32_t size, const char *name)
{
	struct span f = { .start = start, .size = size };

	f.name = table_name(t, name, strlen(name));
	assert_true(table_add(t, f));
}

/* An entry point inside a function: it ends, and the function goes on, with its own
 * start. */
static void test_nested(void **state)
{
	struct table t = { 0 };
	struct symbols *s;
	struct symbol y;

	(void)state;
	add(&t, 140, 10, "inner");
	add(&t, 100, 100, "outer");
	add(&t, 140, 10, "__inner");
	add(&t, 300, 5, "alone");
	table_unique(&t);
	table_pack_names(&t);
	table_rank_by_start(&t);
	s = table_finish(&t, "none");
	assert_true(symbols_find(s, 139, &y));
	assert_string_equal(y.name, "outer");
	assert_true(symbols_find(s, 140, &y));
	assert_string_equal(y.name, "inner");
	assert_int_equal(y.start, 140);
	assert_true(symbols_find(s, 150, &y));
	assert_string_equal(y.name, "outer");
	assert_int_equal(y.start, 100);
	assert_int_equal(y.start + y.size, 200);
	assert_false(symbols_find(s, 200, &y));
	assert_false(symbols_find(s, 99, &y));
	assert_true(symbols_find(s, 304, &y));
	assert_false(symbols_find(s, 305, &y));
	symbols_free(s);
}

static void test_empty_table(void **state)
{
	struct table t = { 0 };
	struct symbols *s = table_finish(&t, "none");
	struct symbol y;

	(void)state;
	assert_int_equal(symbols_count(s), 0);
	assert_false(symbols_find(s, 0, &y));
	assert_false(table_add(&t, (struct span){ .start = UINT64_MAX, .size = 2 }));
	symbols_free(s);
	symbols_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vdso),	      cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_kallsyms_text), cmocka_unit_test(test_nested),
		cmocka_unit_test(test_empty_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
