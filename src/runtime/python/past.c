/* The stack a thread had at a moment that is over: at a page fault, say, whose sample brings
 * the machine's registers and stack of that moment.
 *
 * The interpreter's loop holds the address of the frame it runs, in a register or, further
 * in, on the C stack. So the innermost word that leads to a frame of this thread's data
 * stack is it; and a frame that has returned since lies there until another call takes its
 * room. Its callers are found through `previous`. A frame is believed when its code is a
 * code object and its instruction lies in it. From 3.11 on, where frames have such a
 * stack; functions that are generators count for their callers. */
#include "base/cursor.h"
#include "runtime/python/reader.h"

#define CANDIDATES_MOST 48u
#define FRAMES_MOST 128u
#define FRAME_BYTES_MOST 512u
#define CHUNK_BYTES_LEAST (16u << 10)
#define OWNED_BY_C_FIRST 3u /* borders, from 3.12 on */

struct past {
	struct python_reader *r;
	const struct python_thread *t;
	unsigned char frame[FRAME_BYTES_MOST];
};

static bool in_data_stack(const struct python_thread *t, uint64_t address)
{
	uint32_t i;

	for (i = 0; i < t->n_chunks; i++) {
		uint64_t bytes = t->chunk[i].size ? t->chunk[i].size : CHUNK_BYTES_LEAST;

		if (address > t->chunk[i].address &&
		    address - t->chunk[i].address < bytes)
			return true;
	}
	return false;
}

static bool read_frame(struct past *p, uint64_t address)
{
	uint32_t bytes = p->r->layout.frame_bytes;

	return address % 8 == 0 && bytes <= sizeof(p->frame) &&
	       batch_read(&p->r->side, address, p->frame, bytes);
}

static bool is_border(const struct past *p)
{
	const struct python_layout *l = &p->r->layout;

	return l->minor >= 12 && p->frame[l->frame_owner] >= OWNED_BY_C_FIRST;
}

/* The code of the frame read, and the byte of it; NULL when it is none. */
static struct python_code *code_of(struct past *p, int64_t *offset)
{
	const struct python_layout *l = &p->r->layout;
	struct python_code *code =
	    python_code(p->r, python_u64(p->frame + l->frame_code) & ~7ull);

	if (!code)
		return NULL;
	*offset = (int64_t)(python_u64(p->frame + l->frame_instr) - code->bytecode);
	return *offset >= -2 && *offset < (int64_t)code->bytecode_bytes ? code : NULL;
}

static uint64_t innermost(struct past *p, const uint64_t *words, size_t n)
{
	uint32_t tried = 0;
	int64_t offset;
	size_t i;

	for (i = 0; i < n && tried < CANDIDATES_MOST; i++) {
		if (words[i] % 8 || !in_data_stack(p->t, words[i]))
			continue;
		tried++;
		if (read_frame(p, words[i]) && !is_border(p) && code_of(p, &offset))
			return words[i];
	}
	return 0;
}

bool python_past(struct python_reader *r, pid_t tid, const uint64_t *words, size_t n)
{
	size_t at = python_thread_find(r, tid), i;
	struct past p = { .r = r };
	uint64_t address;

	r->stack.depth = 0;
	r->stack.complete = r->stack.truncated = false;
	if (r->layout.minor < 11 || at == r->threads.n)
		return false;
	p.t = r->threads.v[at];
	address = innermost(&p, words, n);
	for (i = 0; i < FRAMES_MOST && address && read_frame(&p, address); i++) {
		struct python_code *code;
		int64_t offset;

		address = python_u64(p.frame + r->layout.frame_previous);
		if (is_border(&p))
			continue;
		code = code_of(&p, &offset);
		if (!code)
			break;
		if (!code->hidden)
			r->stack.frame[r->stack.depth++] = (struct frame){
				.address = python_code_line(r, code, offset),
				.object = code->function,
				.kind = FRAME_PYTHON,
			};
	}
	r->stack.complete = address == 0;
	return r->stack.depth > 0;
}
