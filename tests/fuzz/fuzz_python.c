/* A Python process whose memory is any bytes.
 *
 * The input is: a byte, the minor version; u64, the address of _PyRuntime; then pieces of
 * memory until the end: u64 address, u16 length, bytes. (The corpus was recorded from
 * running interpreters: every read of attach, threads and two walks; -tasks and -values
 * also those of tasks and variables.) From 3.13 on the layout, too, is read from there.
 * Whatever stands in it, walks end, stay inside the pieces and give stacks within their
 * limits, and values are short and clean. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "runtime/python/locate.h"
#include "runtime/python/objects.h"

#define PIECES_MAX 4096
#define TIDS_MAX 64

struct memory {
	struct mem mem;
	struct {
		uint64_t address;
		struct bytes bytes;
	} piece[PIECES_MAX];
	size_t n;
	unsigned reads;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* So many reads are more than any of our limits lets through for inputs of this size. */
#define READS_MAX 4000000u

static bool read_piece(const struct mem *mem, uint64_t address, void *to, size_t len)
{
	struct memory *m = (struct memory *)(uintptr_t)mem;
	size_t i;

	if (m->reads++ > READS_MAX)
		abort();
	for (i = 0; i < m->n; i++) {
		uint64_t at = address - m->piece[i].address;

		if (address < m->piece[i].address || at > m->piece[i].bytes.n ||
		    len > m->piece[i].bytes.n - at)
			continue;
		memcpy(to, m->piece[i].bytes.p + at, len);
		return true;
	}
	return false;
}

static void parse_pieces(struct memory *m, struct cursor *c)
{
	m->mem.read = read_piece;
	m->n = 0;
	m->reads = 0;
	while (m->n < PIECES_MAX) {
		uint64_t address = cursor_u64(c);
		struct bytes b = cursor_take(c, cursor_u16(c));

		if (c->failed)
			return;
		m->piece[m->n].address = address;
		m->piece[m->n++].bytes = b;
	}
}

static void check_text(const char *s, size_t most)
{
	size_t n = strlen(s), i, step;

	if (n > most)
		abort();
	for (i = 0; i < n; i += step) {
		step = clean_char(s + i, n - i);
		if (step == 0)
			abort();
	}
}

#define VALUE_MOST 4096u

static void got_local(void *arg, const struct runtime_local *local)
{
	(void)arg;
	check_text(local->name, VALUE_MOST);
	check_text(local->value, VALUE_MOST);
}

static void got_task(void *arg, const struct runtime_task *task,
		     const struct callstack *cs)
{
	(void)arg;
	check_text(task->name, VALUE_MOST);
	check_text(task->awaits, VALUE_MOST);
	if (cs->depth > DEPTH_MAX)
		abort();
}

#define FRAMES_KEPT 64

static struct {
	uint64_t at[FRAMES_KEPT];
	size_t n;
} frames;

static void got(void *arg, const struct runtime_look *look, const struct callstack *cs)
{
	struct python_reader *r = arg;
	uint32_t i;

	if (cs->depth > DEPTH_MAX || (look->rejected && cs->depth) ||
	    (cs->complete && cs->truncated))
		abort();
	for (i = 0; i < cs->depth; i++)
		if (cs->frame[i].kind == FRAME_PYTHON &&
		    !python_runtime.function(r, cs->frame[i].object))
			abort();
	for (i = 0; i < cs->depth && frames.n < FRAMES_KEPT; i++)
		if (cs->frame[i].kind == FRAME_PYTHON)
			frames.at[frames.n++] = look->frames[i];
	if (!look->rejected && look->n_entries &&
	    look->entries[look->n_entries - 1].end > cs->depth)
		abort();
}

static void got_address(void *arg, uint64_t task, bool running)
{
	size_t *n = arg;

	(void)task;
	*n += !running;
}

/* The first piece is taken for asyncio's table. */
static void exercise_rings(struct python_reader *r, const struct memory *m)
{
	uint64_t words[PYTHON_ASYNCIO_WORDS] = { 0 };
	struct python_asyncio a;
	size_t i, n = 0;

	if (m->n == 0)
		return;
	if (m->piece[0].bytes.n)
		memcpy(words, m->piece[0].bytes.p,
		       m->piece[0].bytes.n < sizeof(words) ? m->piece[0].bytes.n
							   : sizeof(words));
	if (!python_asyncio_read(words, &a))
		return;
	for (i = 0; i < r->interpreters.n; i++)
		python_asyncio_tasks(r, &r->interpreters.v[i], &a, got_address, &n);
	if (n > 4 * PYTHON_TASKS_MAX)
		abort();
}

static void exercise_objects(struct python_reader *r, const struct memory *m)
{
	struct runtime_gil gil[4];
	struct text text = { 0 };
	bool whole;
	size_t i;

	if (python_gil(r, gil, 4) > 4)
		abort();
	for (i = 0; i < frames.n; i++)
		python_locals(r, frames.at[i], got_local, NULL);
	python_tasks(r, got_task, NULL, &whole);
	exercise_rings(r, m);
	for (i = 0; i < m->n && i < FRAMES_KEPT; i++) {
		text_clear(&text);
		python_value(r, m->piece[i].address, &text);
		check_text(text.n ? text.p : "", VALUE_MOST);
		python_is_instruction(r, m->piece[i].address);
	}
	text_done(&text);
}

static void exercise(struct python_reader *r, const struct memory *m)
{
	runtime_thread_list threads = { 0 };
	pid_t tids[TIDS_MAX];
	size_t i, n;

	r->same_namespace = true;
	r->pid = 0;	       /* whose /proc is not there */
	r->tid_offset = 0x2d0; /* glibc, as the corpus has it */
	python_threads(r, true, &threads);
	for (n = 0; n < threads.n && n < TIDS_MAX; n++)
		tids[n] = threads.v[n].tid;
	for (i = 0; i < 3; i++)
		if (python_walk(r, tids, n, got, r) > n)
			abort();
	exercise_objects(r, m);
	python_threads(r, false, &threads);
	VEC_DONE(&threads);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memory memory;
	struct cursor c = cursor_over((struct bytes){ data, size });
	struct runtime_site site = { 0 };
	struct python_layout layout;
	struct python_reader *r;
	uint8_t minor = cursor_u8(&c);

	site.address = cursor_u64(&c);
	site.version_hex = 3u << 24 | (uint32_t)minor << 16 | 1u << 8;
	if (c.failed)
		return 0;
	parse_pieces(&memory, &c);
	if (!python_identify(&memory.mem, &site, &layout))
		return 0;
	r = python_reader_new(0, &memory.mem, &layout, site.address);
	frames.n = 0;
	exercise(r, &memory);
	python_reader_free(r);
	return 0;
}
