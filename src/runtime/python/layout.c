/* Rows for 3.7 to 3.12, and the reading of _Py_DebugOffsets: an array of u64 that begins
 *
 *	"xdebugpy" 0x030d00f0 0 size finalizing interpreters.head ...
 *
 * Its numbers are found by an index, one row of indexes a minor version: python 3.14 and
 * 3.15 put new ones in between. What the array does not tell is derived from a
 * neighbouring field that has not moved since 3.11 (marked below) and is used only where
 * a wrong guess cannot make a wrong stack. */
#include "runtime/python/layout.h"

#include <string.h>

#define GIL_BYTES 208u /* of struct _gil_runtime_state, since 3.7 */

static const struct python_layout rows[] = {
#include "runtime/python/layout_rows.h"
};

const struct python_layout *python_layout_row(int minor)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].minor == minor)
			return &rows[i];
	return NULL;
}

/* Common to all: version 1, free-threaded 2, runtime size 3, finalizing 4, head 5,
 * interpreter size 6, id 7, next 8, threads 9. Within a struct the order is stable, so a
 * struct's first index is enough where the rest follows it. */
struct index {
	int minor;
	unsigned gc, modules, ceval_gil, gil, gil_locked;
	unsigned thread_size, current_frame, base_frame, thread_id, chunk;
	unsigned frame_size, owner;
	unsigned filename, firstlineno, bytecode;
	unsigned collecting;
	unsigned cached_keys; /* 0: not told */
};

static const struct index indexes[] = {
#include "runtime/python/offset_rows.h"
};

static const struct index *index_of(int minor)
{
	size_t i = sizeof(indexes) / sizeof(indexes[0]);

	while (--i > 0 && indexes[i].minor > minor)
		;
	return &indexes[i];
}

/* A struct of the interpreter is at most 16 MiB (the interpreter's own is 0.4), and every
 * field lies inside its struct, where a pointer may lie. */
static uint32_t inside(const uint64_t *o, unsigned index, uint64_t bytes, bool *ok)
{
	if (o[index] + 4 > bytes || o[index] > (16u << 20) || o[index] % 4)
		*ok = false;
	return (uint32_t)o[index];
}

static bool sizes_plausible(const uint64_t *o, const struct index *x)
{
	return o[3] >= 1024 && o[3] < (16u << 20) && o[6] >= 1024 && o[6] < (16u << 20) &&
	       o[x->thread_size] >= 128 && o[x->thread_size] < (1u << 20) &&
	       o[x->frame_size] >= 64 && o[x->frame_size] <= 512 &&
	       o[x->filename - 1] >= 64 && o[x->filename - 1] <= 4096;
}

/* Without the lock a head is { thread, padding, mutex, bits, u32 count, count, type }. */
#define LONGER_HEAD 16u

/* Objects of builds with a GIL: their heads are part of the stable binary interface. */
static void fill_objects(struct python_layout *out)
{
	const struct python_layout *like = python_layout_row(12);
	uint32_t by = out->free_threaded ? LONGER_HEAD : 0;

	if (!like)
		return;
	out->longer_head = by;
	out->object_type = like->object_type + by;
	out->object_size = like->object_size + by;
	out->type_name = like->type_name + by;
	out->type_basic_bytes = like->type_basic_bytes + by;
	out->type_dict_offset = like->type_dict_offset + by;
	out->type_cached_keys = like->type_cached_keys + by;
	out->bytes_data = like->bytes_data + by;
	out->text_length = like->text_length + by;
	out->text_state = like->text_state + by;
	out->text_ascii = like->text_ascii + by;
	out->text_compact = like->text_compact + by;
	out->dict_keys = like->dict_keys + by;
	out->dict_values = like->dict_values + by;
}

static bool fill(const uint64_t *o, const struct index *x, struct python_layout *out)
{
	uint64_t thread = o[x->thread_size] < 4096 ? o[x->thread_size] : 4096;
	uint64_t frame = o[x->frame_size], code = o[x->filename - 1];
	bool ok = sizes_plausible(o, x);

	out->finalizing = inside(o, 4, o[3], &ok);
	out->interpreters_head = inside(o, 5, o[3], &ok);
	out->interp_id = inside(o, 7, o[6], &ok);
	out->interp_next = inside(o, 8, o[6], &ok);
	out->interp_threads = inside(o, 9, o[6], &ok);
	out->interp_collecting =
	    inside(o, x->gc, o[6], &ok) + inside(o, x->collecting, o[6], &ok);
	/* Behind it in the table: frame, generation_stats_size, generation_stats. */
	if (x->minor >= 15 && o[x->collecting + 3] + 8 == o[x->collecting] &&
	    o[x->collecting + 2] < 65536)
		out->gc_ring_bytes = (uint32_t)o[x->collecting + 2];
	out->interp_modules = inside(o, x->modules, o[6], &ok);
	out->interp_gil = inside(o, x->ceval_gil, o[6], &ok);
	/* Told as fields of the interpreter's own lock. */
	out->gil_locked = inside(o, x->gil_locked, o[6], &ok) - (uint32_t)o[x->gil];
	out->gil_holder = inside(o, x->gil_locked + 1, o[6], &ok) - (uint32_t)o[x->gil];
	out->gil_bytes = GIL_BYTES;
	ok = ok && out->gil_locked < 256 && out->gil_holder < 256;
	out->thread_next = inside(o, x->thread_size + 2, thread, &ok);
	out->thread_interp = inside(o, x->thread_size + 3, thread, &ok);
	out->thread_frame = inside(o, x->current_frame, thread, &ok);
	out->thread_base = x->base_frame ? inside(o, x->base_frame, thread, &ok) : 0;
	out->thread_ident = inside(o, x->thread_id, thread, &ok);
	out->thread_tid = inside(o, x->thread_id + 1, thread, &ok);
	out->thread_chunk = inside(o, x->chunk, thread, &ok);
	out->frame_previous = inside(o, x->frame_size + 1, frame, &ok);
	out->frame_code = inside(o, x->frame_size + 2, frame, &ok);
	out->frame_instr = inside(o, x->frame_size + 3, frame, &ok);
	out->frame_bytes = inside(o, x->frame_size + 4, frame, &ok);
	out->frame_owner = (uint32_t)o[x->owner];
	ok = ok && o[x->owner] < out->frame_bytes && o[x->owner] >= 6 &&
	     out->frame_previous + 8 <= out->frame_bytes &&
	     out->frame_code + 8 <= out->frame_bytes &&
	     out->frame_instr + 8 <= out->frame_bytes;
	out->code_file = inside(o, x->filename, code, &ok);
	out->code_name = inside(o, x->filename + 2, code, &ok);
	out->code_lines = inside(o, x->filename + 3, code, &ok);
	out->code_first_line = inside(o, x->firstlineno, code, &ok);
	out->code_bytecode = inside(o, x->bytecode, code, &ok);
	if (x->cached_keys)
		out->type_cached_keys = inside(o, x->cached_keys, 4096, &ok);
	/* Told since 3.14; before, `int stacktop; uint16_t return_offset; char owner`. */
	out->frame_stack =
	    (uint32_t)(out->minor >= 14 ? o[x->owner + 1] : o[x->owner] - 6);
	ok = ok && out->frame_stack + 8 <= out->frame_bytes;
	/* Each stands behind the one named. */
	if (out->free_threaded && out->minor >= 14) {
		out->frame_copy = inside(o, x->owner + 2, frame, &ok);
		out->code_copies = inside(o, x->bytecode + 1, code, &ok);
	}
	/* Not told: behind co_firstlineno stand co_nlocalsplus, co_framesize, three counts
	 * and co_version. */
	out->code_locals = out->code_first_line + 4;
	out->code_frame_words = out->code_first_line + 8;
	out->code_version = out->code_first_line + 24;
	return ok && code >= out->code_version + 4;
}

enum python_offsets python_layout_read(const uint64_t offsets[PYTHON_OFFSETS_MAX],
				       uint32_t *version_hex, struct python_layout *out)
{
	*out = (struct python_layout){ 0 };
	*version_hex = 0;
	if (memcmp(offsets, "xdebugpy", 8) != 0)
		return PYTHON_OFFSETS_ABSENT;
	*version_hex = (uint32_t)offsets[1];
	out->minor = (int)(*version_hex >> 16 & 0xff);
	if (offsets[1] >> 24 != 3 || out->minor < PYTHON_MINOR_OFFSETS)
		return PYTHON_OFFSETS_STRANGE;
	out->free_threaded = offsets[2] != 0;
	fill_objects(out);
	if (!fill(offsets, index_of(out->minor), out))
		return PYTHON_OFFSETS_STRANGE;
	return PYTHON_OFFSETS_OK;
}
