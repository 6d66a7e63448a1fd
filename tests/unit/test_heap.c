/* The heap of a real process, whose leaks are known: the main arena, arenas of threads and
 * chunks with mappings of their own. And heaps made of bytes, that lie. */
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "runtime/malloc/glibc.h"
#include "target/memory.h"

/* ---- a real one ---- */

static void *volatile kept;

static void hold(size_t bytes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		char *p = malloc(bytes);

		memset(p, 1, bytes);
		kept = p;
	}
}

/* Orders of each thread for itself: else the faster one takes the other's. */
static int orders[2][2], answers[2];

static void wait_for_order(int who)
{
	char c;

	if (write(answers[1], "x", 1) != 1 || read(orders[who][0], &c, 1) != 1)
		_exit(1);
}

static void *other_thread(void *arg)
{
	(void)arg;
	hold(3000, 5000);
	wait_for_order(1);
	hold(3000, 700);
	wait_for_order(1);
	return NULL;
}

static void child(void)
{
	pthread_t t;
	size_t i;

	mallopt(M_MMAP_THRESHOLD, 128 * 1024); /* fixed: else it grows with each free */
	mallopt(M_ARENA_MAX, 8);
	hold(100, 20000);
	hold(60000, 100);
	for (i = 0; i < 1000; i++) /* holes */
		free(malloc(500 + i));
	hold(1000000, 5);
	pthread_create(&t, NULL, other_thread, NULL);
	wait_for_order(0);
	hold(60000, 40);
	hold(1000000, 3);
	wait_for_order(0);
	_exit(0);
}

static void look(pid_t pid, struct census *out)
{
	heap_regions regions = { 0 };
	struct mem_present mem;
	struct bytes maps;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	assert_int_equal(file_read(path, 1 << 20, &maps, NULL), 0);
	heap_regions_parse(&regions, maps);
	assert_int_equal(mem_present_open(&mem, pid), 0);
	census_init(out);
	heap_census(&regions, &mem.mem, clock_now_ns() + 10 * NS_PER_SEC, out);
	mem_present_close(&mem);
	VEC_DONE(&regions);
	free((void *)(uintptr_t)maps.p);
}

static void both_ready(void)
{
	char c[2];
	size_t n = 0;

	while (n < 2) {
		ssize_t got = read(answers[0], c, 2 - n);

		assert_true(got > 0);
		n += (size_t)got;
	}
}

static uint64_t held(const struct census *c, uint64_t key)
{
	const struct census_row *r = census_find(c, key);

	return r ? r->count : 0;
}

static void leaks_of_a_real_process(void **state)
{
	const char *sanitizers = getenv("PTOP_SANITIZERS");
	struct memory_grower growers[4];
	struct arena a = { 0 };
	struct census first, second;
	size_t n;
	pid_t pid;

	(void)state;
	if (sanitizers && strstr(sanitizers, "address"))
		skip(); /* its malloc is not glibc's */
	assert_int_equal(pipe(orders[0]) | pipe(orders[1]) | pipe(answers), 0);
	pid = fork();
	if (pid == 0)
		child();
	both_ready();
	look(pid, &first);
	assert_int_equal(write(orders[0][1], "x", 1), 1);
	assert_int_equal(write(orders[1][1], "x", 1), 1);
	both_ready();
	look(pid, &second);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);

	assert_int_equal(first.torn + second.torn, 0);
	assert_false(first.cut);
	assert_in_range(held(&first, 112), 20000, 20100);
	assert_int_equal(held(&first, 60016), 100);
	assert_int_equal(held(&first, 1003520 | HEAP_MAPPED), 5);
	assert_int_equal(held(&first, 3008), 5000);
	n = census_growers(&first, &second, GROWER_CHUNKS, &a, growers, 4);
	assert_true(n >= 3);
	assert_string_equal(growers[0].name, "1003520 bytes, mapped");
	assert_int_equal(growers[0].count_more, 3);
	assert_string_equal(growers[1].name, "60016 bytes (malloc 59993-60008)");
	assert_int_equal(growers[1].count_more, 40);
	assert_int_equal(growers[1].bytes_more, 40 * 60016);
	assert_string_equal(growers[2].name, "3008 bytes (malloc 2985-3000)");
	assert_int_equal(growers[2].count_more, 700);
	census_done(&first);
	census_done(&second);
	arena_done(&a);
}

/* ---- made of bytes ---- */

#define BASE 0x10000000ull
#define WORDS 8192u

static uint64_t heap[WORDS];

static void chunk(size_t at, uint64_t size, bool before_in_use)
{
	heap[at / 8 + 1] = size | (before_in_use ? 1 : 0);
}

static void count_it(bool brk, struct census *out)
{
	heap_regions regions = { 0 };
	struct mem_bytes mem;

	*VEC_PUSH(&regions) = (struct heap_region){ BASE, BASE + sizeof(heap), brk };
	mem_bytes_init(&mem, BASE,
		       (struct bytes){ (const unsigned char *)heap, sizeof(heap) });
	census_init(out);
	heap_census(&regions, &mem.mem, clock_now_ns() + NS_PER_SEC, out);
	VEC_DONE(&regions);
}

/* 64-byte chunks up to `end`, the rest is the top chunk. */
static void fill(size_t end)
{
	size_t at;

	memset(heap, 0, sizeof(heap));
	for (at = 0; at < end; at += 64)
		chunk(at, 64, true);
	chunk(end, sizeof(heap) - end, true);
}

static void a_plain_one(void **state)
{
	struct census c;

	(void)state;
	fill(64 * 100);
	chunk(64 * 51, 64, false); /* number 50 is free */
	count_it(true, &c);
	assert_int_equal(held(&c, 64), 99);
	assert_int_equal(held(&c, HEAP_FREE), 1);
	assert_int_equal(c.torn, 0);
	census_done(&c);
}

static void torn_in_the_middle(void **state)
{
	static const uint64_t lies[] = { 24, 1ull << 50, UINT64_MAX, 64 * 8 + 8,
					 4096ull << 20 };
	struct census c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		fill(64 * 200);
		chunk(64 * 50, lies[i], true);
		count_it(true, &c);
		assert_true(held(&c, 64) >= 190 && held(&c, 64) <= 200);
		assert_int_equal(c.torn, 1);
		census_done(&c);
	}
	/* Size 0, also behind one of 16, ends a heap that is full. */
	for (i = 0; i <= 16; i += 16) {
		fill(64 * 200);
		chunk(64 * 50, i, true);
		count_it(true, &c);
		assert_int_equal(held(&c, 64), 50);
		assert_int_equal(c.torn, 0);
		census_done(&c);
	}
}

static void bytes_that_are_no_heap(void **state)
{
	struct census c;
	uint64_t x = 88172645463325252ull;
	size_t i, run;

	(void)state;
	for (run = 0; run < 20; run++) {
		for (i = 0; i < WORDS; i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			heap[i] = run & 1 ? x & 0x3ff : x;
		}
		count_it(run & 2, &c);
		assert_true(c.bytes <= sizeof(heap));
		census_done(&c);
	}
}

static void kinds_are_bounded(void **state)
{
	struct census c;
	uint64_t i;

	(void)state;
	census_init(&c);
	for (i = 0; i < 3 * CENSUS_KINDS_MOST; i++)
		census_add(&c, i * 16 + 32, 1);
	assert_int_equal(c.rows.n, CENSUS_KINDS_MOST + 1);
	assert_int_equal(held(&c, CENSUS_OTHERS), 2 * CENSUS_KINDS_MOST);
	census_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaks_of_a_real_process),
		cmocka_unit_test(a_plain_one),
		cmocka_unit_test(torn_in_the_middle),
		cmocka_unit_test(bytes_that_are_no_heap),
		cmocka_unit_test(kinds_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
