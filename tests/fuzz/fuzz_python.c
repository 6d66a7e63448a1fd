/* A Python process whose memory is any bytes.
 *
 * The input is: a byte, the minor version; u64, the address of _PyRuntime; then pieces of
 * memory until the end: u64 address, u16 length, bytes. (The corpus was recorded from
 * running interpreters: every read of attach, threads and two walks; -tasks and -values
 * also those of tasks and variables.) From 3.13 on the layout, too, is read from there.
 * Whatever stands in it, walks end, stay inside the pieces and give stacks within their
 * limits, and values are short and clean. Walks over copies of chains too: what the kernel's
 * program would copy of that memory, the same with a byte changed, and the input itself. */
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

/* ---- Copies of chains ---- */

struct copy {
	const struct memory *m;
	unsigned char bytes[CHAIN_BYTES_MAX];
	size_t n;
};

static const unsigned char *put(struct copy *c, enum chain_kind kind, uint16_t of,
				uint64_t tag, uint64_t address, uint32_t bytes)
{
	struct chain_piece p = { tag, bytes, (uint16_t)kind, of };
	unsigned char *to = c->bytes + c->n + sizeof(p);

	if (bytes == 0 || c->n + sizeof(p) + bytes + 8 > sizeof(c->bytes) ||
	    !c->m->mem.read(&c->m->mem, address, to, bytes))
		return NULL;
	memcpy(c->bytes + c->n, &p, sizeof(p));
	c->n += sizeof(p) + ((bytes + 7) & ~7u);
	return to;
}

/* As sample/chain_program.c has it, but frames are never taken from regions. */
static void copy_state(struct copy *c, const struct chain_state *s, uint16_t of)
{
	const unsigned char *state, *p;
	uint64_t frame, base = 0, code;
	size_t i;

	for (i = 0; i < CHAIN_EXTRAS; i++)
		put(c, CHAIN_EXTRA, of, s->extra[i], s->extra[i], s->extra_bytes[i]);
	state = put(c, CHAIN_STATE, of, s->state, s->state, s->state_bytes);
	if (!state)
		return;
	frame = python_u64(state + s->head);
	if (s->base)
		base = python_u64(state + s->base - 1);
	if (s->region) {
		uint64_t from = python_u64(state + s->region - 1),
			 to = python_u64(state + s->region + 7);

		put(c, CHAIN_REGION, of, from, from,
		    to - from > 4096 ? 4096 : (uint32_t)(to - from));
	}
	if (s->indirect) {
		p = put(c, CHAIN_INDIRECT, of, frame, frame, s->indirect + 7);
		frame = p ? python_u64(p + s->indirect - 1) : 0;
	}
	for (i = 0; i < 64 && frame && frame != base; i++) {
		p = put(c, CHAIN_FRAME, of, frame, frame, s->frame_bytes);
		if (!p)
			return;
		code = python_u64(p + s->code) & ~7ull;
		put(c, CHAIN_PROOF, of, frame, code + s->proof, s->proof_bytes);
		frame = python_u64(p + s->previous);
	}
}

static void walk_copies(struct python_reader *r, const struct memory *m, pid_t tid)
{
	static struct copy c;
	struct chain_record head = { .period_ns = 1 };
	struct chain_plan plan;
	size_t i;

	if (!python_chain_plan(r, tid, &plan))
		return;
	c.m = m;
	c.n = sizeof(head);
	for (i = 0; i < CHAIN_STATES && plan.of[i].state; i++)
		copy_state(&c, &plan.of[i], (uint16_t)i);
	head.bytes = c.n;
	head.full = m->n & 1;
	memcpy(c.bytes, &head, sizeof(head));
	for (i = 0; i < 4; i++) {
		python_chain_walk(r, tid, (struct bytes){ c.bytes, c.n }, got, r);
		python_chain_walk(r, tid + 100, (struct bytes){ c.bytes, c.n }, got, r);
		c.bytes[sizeof(head) +
			(m->n * 131 + i * 977) % (c.n - sizeof(head) + 1)] ^=
		    (unsigned char)(1 + m->n);
	}
}

static void exercise_copies(struct python_reader *r, const struct memory *m,
			    const pid_t *tids, size_t n, struct bytes input)
{
	static uint64_t bits[CHAIN_KNOWN_BITS / 64];
	struct chain_births births;
	size_t i;

	python_chain_births(r, &births);
	python_chain_known(r, bits);
	for (i = 0; i < n && i < 4; i++) {
		walk_copies(r, m, tids[i]);
		python_chain_walk(r, tids[i], input, got, r);
	}
}

/* Words of a stack by which a frame is looked for that is over by now: those of the frames seen. */
static void exercise_past(struct python_reader *r, const pid_t *tids, size_t n)
{
	size_t i;

	for (i = 0; i < n && i < 4; i++)
		if (python_past(r, tids[i], frames.at, frames.n) &&
		    r->stack.depth > DEPTH_MAX)
			abort();
}

static void exercise(struct python_reader *r, const struct memory *m, struct bytes input)
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
	exercise_copies(r, m, tids, n, input);
	exercise_past(r, tids, n);
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
	exercise(r, &memory, (struct bytes){ data, size });
	python_reader_free(r);
	return 0;
}
