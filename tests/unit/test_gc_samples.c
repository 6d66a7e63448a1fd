/* What samples say of collections and of cascades of frees: which functions are whose, and when
 * samples that free are one burst, several, or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "app/gc_samples.h"
#include "base/arena.h"
#include "base/clock.h"

#define PERIOD (20 * NS_PER_MSEC)
#define DEEP 8u	   /* frames of a cascade */
#define SHALLOW 2u /* one object that frees another */

struct sampled {
	struct gc_samples samples;
	struct gc_spell spell; /* of one thread */
	uint64_t now;
};

static void begin(struct sampled *l)
{
	gc_samples_init(&l->samples);
	l->spell = (struct gc_spell){ .runtime = "" };
	l->now = 100 * NS_PER_SEC;
}

static void samples(struct sampled *l, unsigned frees, unsigned n)
{
	while (n-- > 0) {
		l->now += PERIOD;
		gc_samples_freeing(&l->samples, &l->spell, frees, l->now, PERIOD);
	}
}

static struct snapshot_gc end(struct sampled *l, uint64_t window)
{
	struct snapshot_gc gc = { 0 };
	struct arena arena = { 0 };

	gc_samples_put(&l->samples, l->now, window, &arena, &gc);
	arena_done(&arena);
	gc_samples_done(&l->samples);
	return gc;
}

static void test_a_cascade_is_one_burst(void **state)
{
	struct sampled l;
	struct snapshot_gc gc;

	(void)state;
	begin(&l);
	samples(&l, DEEP, 3);
	samples(&l, 0, 1);
	samples(&l, DEEP, 2);
	samples(&l, 0, 1);
	gc = end(&l, 0);
	assert_int_equal(gc.bursts, 2);
	assert_int_equal(gc.bursts_ns, 5 * PERIOD);
}

static void test_what_else_frees_is_none(void **state)
{
	struct sampled l;

	(void)state;
	begin(&l);
	samples(&l, SHALLOW, 50);
	samples(&l, 0, 1);
	assert_int_equal(end(&l, 0).bursts, 0);
}

/* A thread that was off the CPU for long has begun another one. */
static void test_a_gap_ends_a_burst(void **state)
{
	struct sampled l;
	struct snapshot_gc gc;

	(void)state;
	begin(&l);
	samples(&l, DEEP, 2);
	l.now += 5 * PERIOD;
	samples(&l, DEEP, 1);
	samples(&l, 0, 1);
	gc = end(&l, 0);
	assert_int_equal(gc.bursts, 2);
	assert_int_equal(gc.bursts_ns, 3 * PERIOD);
}

static void test_only_those_of_the_window(void **state)
{
	struct sampled l;

	(void)state;
	begin(&l);
	samples(&l, DEEP, 1);
	samples(&l, 0, 100);
	samples(&l, DEEP, 1);
	samples(&l, 0, 1);
	assert_int_equal(end(&l, NS_PER_SEC).bursts, 1);
}

/* More than are kept: the newest are there. */
static void test_many(void **state)
{
	struct sampled l;
	unsigned i;

	(void)state;
	begin(&l);
	for (i = 0; i < 1000; i++) {
		samples(&l, DEEP, 1);
		samples(&l, 0, 1);
	}
	assert_int_equal(end(&l, 0).bursts, 256);
}

static void test_names(void **state)
{
	static const struct {
		const char *name, *runtime; /* NULL: no collector */
	} names[] = {
		{ "caml_major_collection_slice", "OCaml" },
		{ "luaC_step", "Lua" },
		{ "lj_gc_step", "LuaJIT" },
		{ "GC_collect_or_expand", "Boehm GC" },
		{ "_jl_gc_collect", "Julia" },
		{ "sgen_collect_minor", "Mono" },
		{ "JS_RunGC", "QuickJS" },
		{ "js::gc::GCRuntime::collect(bool)", "SpiderMonkey" },
		{ "WKS::gc_heap::garbage_collect(int)", ".NET" },
		{ "SVR::gc_heap::mark_phase(int)", ".NET" },
		{ "main", NULL },
		{ "gcc_main", NULL },
		{ "", NULL },
	};
	const char *runtime;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		enum gc_name is = gc_name_of(names[i].name, &runtime);

		assert_int_equal(is, names[i].runtime ? GC_NAME_COLLECTS : GC_NAME_NONE);
		if (names[i].runtime)
			assert_string_equal(runtime, names[i].runtime);
	}
	assert_int_equal(gc_name_of("subtype_dealloc", &runtime), GC_NAME_FREES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_cascade_is_one_burst),
		cmocka_unit_test(test_what_else_frees_is_none),
		cmocka_unit_test(test_a_gap_ends_a_burst),
		cmocka_unit_test(test_only_those_of_the_window),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
