/* Go's function table in its four layouts, built here byte by byte: whole, cut and
 * damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf/gopclntab.h"
#include "tests/guarded.h"

#define TEXT 0x401000u
#define FUNCTIONS 3

struct layout {
	uint32_t magic;
	unsigned pointer_bytes;
};

static const struct layout layouts[] = {
	{ 0xfffffffb, 8 }, { 0xfffffffa, 8 }, { 0xfffffff0, 8 }, { 0xfffffff1, 8 },
	{ 0xfffffffb, 4 }, { 0xfffffffa, 4 }, { 0xfffffff0, 4 }, { 0xfffffff1, 4 },
};
#define LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

/* Starts relative to TEXT; the last is the end. */
static const uint32_t starts[FUNCTIONS + 1] = { 0, 0x40, 0x100, 0x180 };
static const char *const names[FUNCTIONS] = { "runtime.goexit", "main.work",
					      "main.main" };
/* Depth 0 for 4 bytes, 24 for 48, 8 for the rest: zig-zag of +1, +24, -16. */
static const unsigned char pcsp[] = { 2, 4, 48, 48, 31, 12, 0 };

struct image {
	unsigned char p[2048];
	size_t n;
};

static void put(struct image *b, uint64_t v, unsigned bytes)
{
	unsigned i;

	for (i = 0; i < bytes; i++)
		b->p[b->n++] = (unsigned char)(v >> 8 * i);
}

static void put_at(struct image *b, size_t at, uint64_t v, unsigned bytes)
{
	size_t n = b->n;

	b->n = at;
	put(b, v, bytes);
	b->n = n;
}

/* Parts in the order: header, names, pc tables, pairs, records. */
static void build(struct image *b, const struct layout *l, uint64_t text_in_header)
{
	bool old = l->magic == 0xfffffffb;
	bool narrow = l->magic == 0xfffffff0 || l->magic == 0xfffffff1;
	unsigned w = l->pointer_bytes, half = narrow ? 4 : w;
	uint64_t base = narrow ? 0 : TEXT, name_at[FUNCTIONS], pcsp_at;
	size_t names_at, pc_at, pairs_at, places_at = 0, i;

	memset(b, 0, sizeof(*b));
	put(b, l->magic, 4);
	put(b, 0, 2);
	put(b, 1, 1);
	put(b, w, 1);
	put(b, FUNCTIONS, w);
	if (old) {
		pairs_at = b->n;
		b->n += (2 * FUNCTIONS + 1) * half + 4;
		names_at = pc_at = 0;
	} else {
		put(b, 0, w);
		if (narrow)
			put(b, text_in_header, w);
		places_at = b->n;
		b->n += 5 * w;
		names_at = b->n;
	}
	for (i = 0; i < FUNCTIONS; i++) {
		name_at[i] = b->n - names_at;
		memcpy(b->p + b->n, names[i], strlen(names[i]) + 1);
		b->n += strlen(names[i]) + 1;
	}
	if (!old)
		pc_at = b->n;
	put(b, 0, 1); /* offset 0 means none */
	pcsp_at = b->n - pc_at;
	memcpy(b->p + b->n, pcsp, sizeof(pcsp));
	b->n += sizeof(pcsp);
	if (!old) {
		b->n = (b->n + 7) / 8 * 8;
		pairs_at = b->n;
		put_at(b, places_at, names_at, w);
		put_at(b, places_at + 3 * w, pc_at, w);
		put_at(b, places_at + 4 * w, pairs_at, w);
		b->n += (2 * FUNCTIONS + 1) * half;
	}
	for (i = 0; i < FUNCTIONS; i++) {
		put_at(b, pairs_at + 2 * i * half, base + starts[i], half);
		put_at(b, pairs_at + (2 * i + 1) * half, b->n - (old ? 0 : pairs_at),
		       half);
		put(b, base + starts[i], half);
		put(b, name_at[i], 4);
		put(b, 0, 8); /* args, deferreturn */
		put(b, i == 0 ? 0 : pcsp_at, 4);
	}
	put_at(b, pairs_at + 2 * FUNCTIONS * half, base + starts[FUNCTIONS], half);
}

static void check_all(const struct gopclntab *t)
{
	struct go_function f;
	int64_t depth;
	size_t i;

	assert_int_equal(t->functions, FUNCTIONS);
	for (i = 0; i < FUNCTIONS; i++) {
		assert_true(gopclntab_nth(t, i, &f));
		assert_int_equal(f.start, TEXT + starts[i]);
		assert_int_equal(f.size, starts[i + 1] - starts[i]);
		assert_string_equal(f.name, names[i]);
		assert_true(gopclntab_find(t, TEXT + starts[i], &f));
		assert_string_equal(f.name, names[i]);
		assert_true(gopclntab_find(t, TEXT + starts[i + 1] - 1, &f));
		assert_string_equal(f.name, names[i]);
	}
	assert_false(gopclntab_nth(t, FUNCTIONS, &f));
	assert_false(gopclntab_nth(t, SIZE_MAX, &f));
	assert_false(gopclntab_find(t, TEXT - 1, &f));
	assert_false(gopclntab_find(t, TEXT + starts[FUNCTIONS], &f));
	assert_false(gopclntab_find(t, 0, &f));
	assert_false(gopclntab_find(t, UINT64_MAX, &f));
	assert_false(gopclntab_sp_delta(t, TEXT + 8, &depth)); /* it has no list */
	assert_true(gopclntab_sp_delta(t, TEXT + 0x40, &depth));
	assert_int_equal(depth, 0);
	assert_true(gopclntab_sp_delta(t, TEXT + 0x43, &depth));
	assert_int_equal(depth, 0);
	assert_true(gopclntab_sp_delta(t, TEXT + 0x44, &depth));
	assert_int_equal(depth, 24);
	assert_true(gopclntab_sp_delta(t, TEXT + 0x40 + 51, &depth));
	assert_int_equal(depth, 24);
	assert_true(gopclntab_sp_delta(t, TEXT + 0x40 + 52, &depth));
	assert_int_equal(depth, 8);
	assert_false(
	    gopclntab_sp_delta(t, TEXT + 0x40 + 64, &depth)); /* the list is over */
	assert_false(gopclntab_sp_delta(t, TEXT - 1, &depth));
	assert_false(gopclntab_sp_delta(t, TEXT + starts[FUNCTIONS], &depth));
}

static void test_layouts(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < LAYOUTS; i++) {
		struct gopclntab t;
		struct guarded g;
		struct image b;

		build(&b, &layouts[i], TEXT);
		g = guarded_new(b.p, b.n);
		assert_true(gopclntab_init(&t, g.bytes, 0x999));
		check_all(&t);
		guarded_free(&g);
		/* The text start left to the dynamic linker. */
		build(&b, &layouts[i], 0);
		g = guarded_new(b.p, b.n);
		assert_true(gopclntab_init(&t, g.bytes, TEXT));
		check_all(&t);
		guarded_free(&g);
	}
}

static void test_refused(void **state)
{
	struct gopclntab t;
	struct image b, c;

	(void)state;
	build(&b, &layouts[2], TEXT);
	c = b;
	c.p[0] = 0xf2; /* magic */
	assert_false(gopclntab_init(&t, (struct bytes){ c.p, c.n }, 0));
	c = b;
	c.p[4] = 1; /* must be zero */
	assert_false(gopclntab_init(&t, (struct bytes){ c.p, c.n }, 0));
	c = b;
	c.p[6] = 3; /* quantum */
	assert_false(gopclntab_init(&t, (struct bytes){ c.p, c.n }, 0));
	c = b;
	c.p[7] = 2; /* pointer size */
	assert_false(gopclntab_init(&t, (struct bytes){ c.p, c.n }, 0));
	c = b;
	memset(c.p + 8, 0xff, 8); /* number of functions */
	assert_false(gopclntab_init(&t, (struct bytes){ c.p, c.n }, 0));
	c = b;
	memset(c.p + 64, 0xff, 8); /* place of the pairs */
	assert_false(gopclntab_init(&t, (struct bytes){ c.p, c.n }, 0));
	assert_false(gopclntab_init(&t, (struct bytes){ NULL, 0 }, 0));
}

static void walk(const struct gopclntab *t)
{
	struct go_function f;
	int64_t depth;
	uint64_t at;
	size_t i;

	for (i = 0; i <= t->functions && i < 64; i++)
		if (gopclntab_nth(t, i, &f))
			assert_true(strlen(f.name) < 2048);
	for (at = TEXT - 64; at < TEXT + 0x200; at += 7) {
		if (gopclntab_find(t, at, &f))
			assert_true(f.start <= at && at - f.start < f.size);
		if (gopclntab_sp_delta(t, at, &depth))
			assert_true(depth >= 0);
	}
}

static void test_truncated(void **state)
{
	size_t i, n;

	(void)state;
	for (i = 0; i < LAYOUTS; i++) {
		struct image b;

		build(&b, &layouts[i], TEXT);
		for (n = 0; n <= b.n; n++) {
			struct guarded g = guarded_new(b.p, n);
			struct gopclntab t;

			if (gopclntab_init(&t, g.bytes, TEXT))
				walk(&t);
			guarded_free(&g);
		}
	}
}

static void test_garbage(void **state)
{
	unsigned seed = 5;
	size_t i, k, round;

	(void)state;
	for (round = 0; round < 3000; round++) {
		struct guarded g;
		struct gopclntab t;
		struct image b;

		i = round % LAYOUTS;
		build(&b, &layouts[i], TEXT);
		for (k = 0; k < 1 + round % 5; k++) /* but the magic */
			b.p[8 + (size_t)rand_r(&seed) % (b.n - 8)] =
			    (unsigned char)rand_r(&seed);
		g = guarded_new(b.p, b.n);
		if (gopclntab_init(&t, g.bytes, TEXT))
			walk(&t);
		guarded_free(&g);
	}
}

static void test_roots(void **state)
{
	static const char *const roots[] = {
		"runtime.goexit",      "runtime.goexit.abi0", "runtime.mstart",
		"runtime.mstart.abi0", "runtime.mcall",	      "runtime.systemstack",
		"runtime.rt0_go",      "_rt0_amd64_linux",
	};
	static const char *const others[] = {
		"",
		"main.main",
		"runtime.main",
		"runtime.goexit1",
		"runtime.mstart1",
		"runtime.",
		"goexit",
		"main.goexit",
		"runtime.mcall.func1",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		assert_true(gopclntab_is_root(roots[i]));
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(gopclntab_is_root(others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),	  cmocka_unit_test(test_refused),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_roots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
