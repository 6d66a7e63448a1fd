/* Lines and inlined calls of a program compiled here, by gcc and (it writes no
 * .debug_aranges) by clang, with the debug information inside, apart and missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "symbol/lines.h"
#include "tests/unit/made.h"

/* Line numbers matter: innermost() is on line 2, its call on 4, that one's on 6. */
static const char source[] =
    "volatile int sink;\n"
    "static inline __attribute__((always_inline)) int innermost(int x) { return sink += "
    "x; }\n"
    "static inline __attribute__((always_inline)) int middle(int x)\n"
    "{ return innermost(x) * 2; }\n"
    "__attribute__((noinline)) int outer(int x)\n"
    "{ return middle(x) + 1; }\n";

static struct made made;

static int setup(void **state)
{
	(void)state;
	made_open(&made);
	made_write(&made, "lib.c", source, sizeof(source) - 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	made_close(&made);
	return 0;
}

static struct lines *open_lines(const char *file)
{
	char path[PATH_MAX];
	struct object o = made_object(&made, file, path);
	struct lines *l = lines_open(&o);

	assert_non_null(l);
	return l;
}

static void ends_in(const char *s, const char *tail)
{
	assert_non_null(s);
	assert_true(strlen(s) >= strlen(tail));
	assert_string_equal(s + strlen(s) - strlen(tail), tail);
}

/* Some instruction of outer() comes from innermost(), by way of middle(). */
static void check(const char *file, const char *symbols)
{
	struct source_line out[INLINE_MAX];
	struct lines *l = open_lines(file);
	uint64_t vaddr, size, start, at;
	size_t n = 0;

	assert_true(made_symbol(&made, symbols, "outer", &vaddr, &size));
	start = made_offset(&made, symbols, vaddr);
	for (at = start; at < start + size; at++) {
		n = lines_find(l, at, out);
		assert_true(n >= 1);
		assert_string_equal(out[n - 1].function, "outer");
		if (n == 3)
			break;
	}
	assert_int_equal(n, 3);
	assert_string_equal(out[0].function, "innermost");
	assert_int_equal(out[0].line, 2);
	ends_in(out[0].file, "lib.c");
	assert_string_equal(out[1].function, "middle");
	assert_int_equal(out[1].line, 4);
	ends_in(out[1].file, "lib.c");
	assert_int_equal(out[2].line, 6);
	ends_in(out[2].file, "lib.c");
	/* Again, from what was kept. */
	assert_int_equal(lines_find(l, at, out), 3);
	assert_int_equal(lines_find(l, UINT64_MAX, out), 0);
	assert_int_equal(lines_find(l, 0, out), 0);
	lines_free(l);
}

static bool compile(const char *cc)
{
	if (made_run(&made,
		     "nm -V && %s -g -O1 -fPIC -shared -Wl,--build-id -o lib.so lib.c",
		     cc))
		return true;
	fprintf(stderr, "# SKIP: no %s or no nm\n", cc);
	return false;
}

static void test_inside(void **state)
{
	(void)state;
	if (!compile("cc"))
		skip();
	check("lib.so", "lib.so");
}

static void test_clang(void **state)
{
	(void)state;
	if (!compile("clang"))
		skip();
	check("lib.so", "lib.so");
}

/* libdw reads small files to the heap and large ones by mapping them. */
static void test_large_file(void **state)
{
	(void)state;
	if (!compile("cc"))
		skip();
	assert_true(made_run(&made, "truncate -s 9M lib.so"));
	check("lib.so", "lib.so");
}

static void test_apart(void **state)
{
	(void)state;
	if (!compile("cc") || !made_run(&made, "objcopy -V"))
		skip();
	assert_true(made_run(&made, "objcopy --only-keep-debug lib.so lib.debug && "
				    "strip -s -o bare.so lib.so && "
				    "objcopy --add-gnu-debuglink=lib.debug bare.so"));
	check("bare.so", "lib.so");
}

static void finds_nothing(const char *file)
{
	struct source_line out[INLINE_MAX];
	struct lines *l = open_lines(file);
	uint64_t at;

	for (at = 0; at < 0x4000; at += 16)
		assert_int_equal(lines_find(l, at, out), 0);
	lines_free(l);
}

static void test_nothing(void **state)
{
	struct object vdso = { .kind = OBJECT_VDSO, .path = "[vdso]", .name = "[vdso]" };
	struct source_line out[INLINE_MAX];
	struct lines *l = lines_open(&vdso);

	(void)state;
	assert_int_equal(lines_find(l, 0x100, out), 0);
	lines_free(l);
	lines_free(NULL);
	made_write(&made, "text", "hello\n", 6);
	finds_nothing("text");
	finds_nothing("not-there");
	if (!compile("cc"))
		skip();
	assert_true(made_run(&made, "strip -g -o plain.so lib.so"));
	finds_nothing("plain.so");
}

/* A chain of inlined calls longer than an answer holds: the innermost ones stay. */
static void test_deep(void **state)
{
	struct source_line out[INLINE_MAX];
	uint64_t vaddr, size, start, at;
	char text[8192];
	struct lines *l;
	size_t n = 0, i, deepest = 0;

	(void)state;
	if (!compile("cc"))
		skip();
	n = (size_t)snprintf(text, sizeof(text),
			     "volatile int sink;\n#define I static inline "
			     "__attribute__((always_inline)) int\n"
			     "I f0(int x) { return sink += x; }\n");
	for (i = 1; i < 50; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "I f%zu(int x) { return f%zu(x) + sink; }\n", i,
				      i - 1);
	n += (size_t)snprintf(text + n, sizeof(text) - n,
			      "int outer(int x) { return f49(x); }\n");
	made_write(&made, "deep.c", text, n);
	assert_true(made_run(&made, "cc -g -O1 -fPIC -shared -o deep.so deep.c"));
	assert_true(made_symbol(&made, "deep.so", "outer", &vaddr, &size));
	start = made_offset(&made, "deep.so", vaddr);
	l = open_lines("deep.so");
	for (at = start; at < start + size; at++) {
		n = lines_find(l, at, out);
		assert_in_range(n, 1, INLINE_MAX);
		assert_string_equal(out[n - 1].function, "outer");
		if (strcmp(out[0].function, "f0") == 0)
			deepest = n;
	}
	assert_int_equal(deepest, INLINE_MAX);
	lines_free(l);
}

static void look(const char *file)
{
	struct source_line out[INLINE_MAX];
	struct lines *l = open_lines(file);
	uint64_t at;
	size_t i, n;

	for (at = 0x1000; at < 0x1400; at += 8) {
		n = lines_find(l, at, out);
		assert_true(n <= INLINE_MAX);
		for (i = 0; i < n; i++)
			assert_true(!out[i].function || strlen(out[i].function) < 65536);
	}
	lines_free(l);
}

static void test_corrupt(void **state)
{
	static unsigned char p[1u << 18], copy[sizeof(p)];
	char path[PATH_MAX];
	unsigned seed = 7;
	size_t n, i, k;
	FILE *f;

	(void)state;
	if (!compile("cc"))
		skip();
	snprintf(path, sizeof(path), "%s/lib.so", made.dir);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(p, 1, sizeof(p), f);
	fclose(f);
	for (i = 0; i < 300; i++) {
		memcpy(copy, p, n);
		/* From the first section that is not loaded on: DWARF and tables. */
		for (k = 0; k < 6; k++)
			copy[n / 2 + (size_t)rand_r(&seed) % (n / 2)] =
			    (unsigned char)rand_r(&seed);
		made_write(&made, "broken.so", copy, n);
		look("broken.so");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inside),	   cmocka_unit_test(test_clang),
		cmocka_unit_test(test_large_file), cmocka_unit_test(test_apart),
		cmocka_unit_test(test_nothing),	   cmocka_unit_test(test_deep),
		cmocka_unit_test(test_corrupt),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
