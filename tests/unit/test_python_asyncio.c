/* asyncio's own table of offsets, and rings of tasks in test bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/python/objects.h"

#define BASE 0x10000u
#define RING_OF_THREAD 64u
#define RING_OF_INTERPRETER 128u

/* The table of Debian's 3.14.10. */
static const uint64_t good[PYTHON_ASYNCIO_WORDS] = { 232,  200, 112, 0,	 124, 192, 216,
						     8192, 128, 512, 24, 32,  64 };

struct world {
	struct mem mem;
	uint64_t word[512]; /* from BASE on */
	uint64_t task[8];
	size_t n, running;
};

static bool read_world(const struct mem *m, uint64_t address, void *to, size_t n)
{
	const struct world *w = (const struct world *)m;

	if (address < BASE || address - BASE > sizeof(w->word) ||
	    n > sizeof(w->word) - (address - BASE))
		return false;
	memcpy(to, (const char *)w->word + (address - BASE), n);
	return true;
}

static void got(void *arg, uint64_t task, bool running)
{
	struct world *w = arg;

	if (running)
		w->running++;
	else if (w->n < 8)
		w->task[w->n++] = task;
}

static void put(struct world *w, uint32_t at, uint64_t v)
{
	w->word[at / 8] = v;
}

/* A ring of these places; the first is its head. */
static void make_ring(struct world *w, const uint32_t *at, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		put(w, at[i], BASE + at[(i + 1) % n]);
		put(w, at[(i + 1) % n] + 8, BASE + at[i]);
	}
}

static bool list(struct world *w)
{
	static const struct python_layout layout = { .minor = 14,
						     .interp_threads = 8,
						     .thread_next = 16 };
	struct python_interpreter p = { .address = BASE };
	struct python_asyncio a;
	struct python_reader *r;
	bool whole;

	w->mem.read = read_world;
	w->n = w->running = 0;
	assert_true(python_asyncio_read(good, &a));
	r = python_reader_new(0, &w->mem, &layout, BASE);
	whole = python_asyncio_tasks(r, &p, &a, got, w);
	python_reader_free(r);
	return whole;
}

static const uint32_t of_thread[] = { 1024 + RING_OF_THREAD, 2048 + 216, 2560 + 216 };
static const uint32_t of_interpreter[] = { RING_OF_INTERPRETER, 3072 + 216 };

static void build(struct world *w)
{
	memset(w, 0, sizeof(*w));
	put(w, 8, BASE + 1024);
	put(w, 1024 + 32, BASE + 2048); /* runs */
	make_ring(w, of_thread, 3);
	make_ring(w, of_interpreter, 2);
}

static void test_rings(void **state)
{
	struct world w;

	(void)state;
	build(&w);
	assert_true(list(&w));
	assert_int_equal(w.running, 1);
	assert_int_equal(w.n, 3);
	assert_int_equal(w.task[0], BASE + 2048);
	assert_int_equal(w.task[1], BASE + 2560);
	assert_int_equal(w.task[2], BASE + 3072);
}

/* Torn ones end where they are torn, and it is said. */
static void test_torn(void **state)
{
	struct world w;

	(void)state;
	build(&w);
	put(&w, 2560 + 216 + 8, BASE + 64); /* not back to where it came from */
	assert_false(list(&w));
	assert_int_equal(w.n, 2);
	build(&w);
	put(&w, 2560 + 216, BASE + 2048 + 216); /* a circle past its head */
	assert_false(list(&w));
	build(&w);
	put(&w, 2560 + 216, 0x1234567890); /* nowhere */
	assert_false(list(&w));
	build(&w);
	put(&w, 1024 + 16, BASE + 1024); /* threads in a circle */
	assert_false(list(&w));
}

static void test_table(void **state)
{
	static const struct {
		size_t word;
		uint64_t value;
	} wrong[] = { { 0, 1 << 20 },	 { 1, 228 },	{ 5, 8 },    { 6, 232 },
		      { 5, 193 },	 { 8, 0 },	{ 8, 8192 }, { 11, 512 },
		      { 12, ~0ull - 7 }, { 7, 1 << 30 } };
	uint64_t words[PYTHON_ASYNCIO_WORDS];
	struct python_asyncio a;
	size_t i;

	(void)state;
	assert_true(python_asyncio_read(good, &a));
	assert_int_equal(a.coroutine, 192);
	assert_int_equal(a.of_thread, 64);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memcpy(words, good, sizeof(words));
		words[wrong[i].word] = wrong[i].value;
		assert_false(python_asyncio_read(words, &a));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rings),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
