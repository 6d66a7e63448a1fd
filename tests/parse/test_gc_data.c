/* HotSpot's counters and Go's ring: whole, cut at every length, changed at every byte, at the
 * end of readable memory. What comes out must lie inside of what went in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "elf/notes.h"
#include "runtime/go/ring.h"
#include "runtime/jvm/perfdata.h"
#include "runtime/python/gc_ring.h"
#include "tests/guarded.h"

#define SECOND 1000000000ull
#define NOW (1795183351ull * SECOND)

/* ---- counters ---- */

static void put32(unsigned char *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static size_t put_entry(unsigned char *p, const char *name, char type, const void *data,
			uint32_t bytes)
{
	uint32_t names = 20, at = (names + (uint32_t)strlen(name) + 1 + 7) & ~7u;
	uint32_t length = (at + bytes + 7) & ~7u;

	memset(p, 0, length);
	put32(p, length);
	put32(p + 4, names);
	put32(p + 8, type == 'B' ? bytes : 0);
	p[12] = (unsigned char)type;
	put32(p + 16, at);
	memcpy(p + names, name, strlen(name));
	memcpy(p + at, data, bytes);
	return length;
}

static size_t made(unsigned char *p)
{
	uint64_t n = 67;
	size_t at = 32;

	memset(p, 0, 32);
	memcpy(p, "\xca\xfe\xc0\xc0\x01\x02\x00\x01", 8);
	put32(p + 24, 32);
	put32(p + 28, 2);
	at += put_entry(p + at, "sun.gc.collector.0.invocations", 'J', &n, 8);
	at += put_entry(p + at, "sun.gc.cause", 'B', "No GC", 6);
	put32(p + 8, (uint32_t)at);
	return at;
}

struct seen {
	struct bytes in;
	size_t n;
	uint64_t value;
};

static void got(void *arg, const struct perfdata_entry *e)
{
	struct seen *s = arg;
	size_t size = e->type == 'J' ? 8 : e->elements ? e->elements : 1;

	assert_true(e->at < s->in.n && size <= s->in.n - e->at);
	assert_true((const unsigned char *)e->name + strlen(e->name) < s->in.p + s->in.n);
	if (strcmp(e->name, "sun.gc.collector.0.invocations") == 0 && e->type == 'J')
		memcpy(&s->value, s->in.p + e->at, 8);
	s->n++;
}

static size_t each(const void *p, size_t n, uint64_t *value)
{
	struct guarded g = guarded_new(p, n);
	struct seen s = { g.bytes, 0, 0 };
	size_t told = perfdata_each(g.bytes, got, &s);

	assert_int_equal(told, s.n);
	if (value)
		*value = s.value;
	guarded_free(&g);
	return told;
}

static void test_counters(void **state)
{
	unsigned char p[512];
	size_t n = made(p), i;
	uint64_t value;

	(void)state;
	assert_int_equal(each(p, n, &value), 2);
	assert_int_equal(value, 67);
	assert_int_equal(perfdata_bytes((struct bytes){ p, PERFDATA_HEAD }), n);
	for (i = 0; i < n; i++)
		assert_int_equal(each(p, i, NULL), 0);
	for (i = 0; i < n; i++) {
		unsigned char old = p[i];
		unsigned v;

		for (v = 0; v < 256; v += 17) {
			p[i] = (unsigned char)v;
			each(p, n, NULL);
		}
		p[i] = old;
	}
}

static void test_counters_that_lie(void **state)
{
	unsigned char p[512];
	size_t n = made(p);

	(void)state;
	put32(p + 32, 0); /* an entry that never ends */
	assert_int_equal(each(p, n, NULL), 0);
	made(p);
	put32(p + 28, UINT32_MAX);
	assert_int_equal(each(p, n, NULL), 0);
	made(p);
	p[4] = 0; /* big-endian */
	assert_int_equal(perfdata_bytes((struct bytes){ p, PERFDATA_HEAD }), 0);
	made(p);
	p[7] = 0; /* not accessible yet */
	assert_int_equal(perfdata_bytes((struct bytes){ p, PERFDATA_HEAD }), 0);
}

/* ---- the ring ---- */

static void make_ring(unsigned char *p, uint32_t n)
{
	uint32_t i;

	memset(p, 0, GO_RING_BYTES);
	for (i = n > GO_RING ? n - GO_RING : 0; i < n; i++) {
		uint64_t took = 50000 + i, end = NOW - (n - i) * SECOND;

		memcpy(p + 8 * (i % GO_RING), &took, 8);
		memcpy(p + 8 * (GO_RING + i % GO_RING), &end, 8);
	}
	put32(p + 16 * GO_RING, n);
}

static bool is_ring(const void *p, size_t n, struct go_ring *out)
{
	struct guarded g = guarded_new(p, n);
	bool is = go_ring_read(g.bytes, NOW, out);

	guarded_free(&g);
	return is;
}

static void test_ring(void **state)
{
	static const uint32_t counts[] = { 1, 2, 255, 256, 257, 1000, 256000 };
	unsigned char p[GO_RING_BYTES];
	struct go_ring ring;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		make_ring(p, counts[i]);
		assert_true(is_ring(p, sizeof(p), &ring));
		assert_int_equal(ring.n, counts[i]);
		assert_int_equal(ring.pause_ns[(counts[i] - 1) % GO_RING],
				 50000 + counts[i] - 1);
		assert_false(is_ring(p, sizeof(p) - 1, &ring));
	}
}

static void test_what_is_no_ring(void **state)
{
	unsigned char p[GO_RING_BYTES];
	struct go_ring ring;
	uint64_t v;

	(void)state;
	make_ring(p, 0);
	assert_false(is_ring(p, sizeof(p), &ring));
	make_ring(p, 5);
	put32(p + 16 * GO_RING, 6); /* one more than there are */
	assert_false(is_ring(p, sizeof(p), &ring));
	make_ring(p, 5);
	put32(p + 16 * GO_RING, 4);
	assert_false(is_ring(p, sizeof(p), &ring));
	make_ring(p, 5);
	v = NOW + 7200 * SECOND; /* from the future */
	memcpy(p + 8 * (GO_RING + 4), &v, 8);
	assert_false(is_ring(p, sizeof(p), &ring));
	make_ring(p, 300);
	v = 0;
	memcpy(p + 8 * 17, &v, 8);
	assert_false(is_ring(p, sizeof(p), &ring));
	memset(p, 0xff, sizeof(p));
	assert_false(is_ring(p, sizeof(p), &ring));
}

static void test_finding(void **state)
{
	size_t n = GO_RING_BYTES + 40000, i;
	unsigned char *p = malloc(n);
	uint32_t noise = 1;

	(void)state;
	for (i = 0; i < n; i++) {
		noise = noise * 1664525 + 1013904223;
		p[i] = i % 64 < 32 ? 0 : (unsigned char)(noise >> 24);
	}
	assert_true(go_ring_find((struct bytes){ p, n }, NOW) == SIZE_MAX);
	make_ring(p + 8 * 1234, 7);
	assert_int_equal(go_ring_find((struct bytes){ p, n }, NOW), 8 * 1234);
	assert_true(go_ring_find((struct bytes){ p, 100 }, NOW) == SIZE_MAX);
	free(p);
}

/* ---- CPython's ring ---- */

static void put_item(unsigned char *p, uint64_t begin, uint64_t end, uint64_t number)
{
	memcpy(p, &begin, 8);
	memcpy(p + 8, &end, 8);
	memcpy(p + 16, &number, 8);
}

static void test_python_ring(void **state)
{
	unsigned char p[PYTHON_RING_BYTES] = { 0 };
	struct python_collection c[PYTHON_RING_YOUNG];
	struct guarded g;
	size_t i;

	(void)state;
	for (i = 0; i < PYTHON_RING_YOUNG; i++)
		put_item(p + 64 * i, 1000 * i + 1, 1000 * i + 401, i + 7);
	put_item(p + 712, 5, 4, 1);			    /* ends before it begins */
	put_item(p + 712 + 64, 5, 5 + 3601 * SECOND, 2);    /* longer than an hour */
	put_item(p + 912 + 128, 5 * SECOND, 6 * SECOND, 3); /* the last of the oldest */
	put32(p + 1112, 42);
	g = guarded_new(p, sizeof(p));
	assert_int_equal(python_ring_read(g.bytes, 0, c), PYTHON_RING_YOUNG);
	assert_int_equal(c[10].number, 17);
	assert_int_equal(c[10].end_ns - c[10].begin_ns, 400);
	assert_int_equal(python_ring_read(g.bytes, 1, c), 0);
	assert_int_equal(python_ring_read(g.bytes, 2, c), 1);
	assert_int_equal(c[0].number, 3);
	assert_int_equal(python_ring_read(g.bytes, 3, c), 0);
	assert_int_equal(python_ring_version(g.bytes), 42);
	guarded_free(&g);
	for (i = 0; i < sizeof(p); i += 7) {
		g = guarded_new(p, i);
		assert_int_equal(python_ring_read(g.bytes, 0, c), 0);
		python_ring_version(g.bytes);
		guarded_free(&g);
	}
}

/* ---- probe notes ---- */

static size_t put_note(unsigned char *p, const char *owner, const char *name, uint64_t at)
{
	static const char provider[] = "python";
	size_t text = sizeof(provider) + strlen(name) + 1 + 1, n = 24 + text;

	memset(p, 0, 64 + n);
	put32(p, (uint32_t)strlen(owner) + 1);
	put32(p + 4, (uint32_t)n);
	put32(p + 8, 3);
	memcpy(p + 12, owner, strlen(owner)); /* 8 with its NUL: no padding */
	memcpy(p + 20, &at, 8);
	memcpy(p + 44, provider, sizeof(provider));
	memcpy(p + 44 + sizeof(provider), name, strlen(name));
	return 20 + (n + 3) / 4 * 4;
}

static void test_probe_notes(void **state)
{
	unsigned char p[512];
	struct probe_note note;
	struct guarded g;
	size_t n = 0, i;

	(void)state;
	n += put_note(p + n, "strange", "gc__start", 1);
	n += put_note(p + n, "stapsdt", "gc__stop", 2);
	n += put_note(p + n, "stapsdt", "gc__start", 0x426fc1);
	assert_true(notes_probe((struct bytes){ p, n }, "python", "gc__start", &note));
	assert_int_equal(note.location, 0x426fc1);
	assert_false(notes_probe((struct bytes){ p, n }, "python", "gc__", &note));
	assert_false(notes_probe((struct bytes){ p, n }, "pytho", "gc__start", &note));
	for (i = 0; i < n - 4; i++) {
		g = guarded_new(p, i);
		assert_false(notes_probe(g.bytes, "python", "gc__start", &note));
		guarded_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_counters_that_lie),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_what_is_no_ring),
		cmocka_unit_test(test_finding),
		cmocka_unit_test(test_python_ring),
		cmocka_unit_test(test_probe_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
