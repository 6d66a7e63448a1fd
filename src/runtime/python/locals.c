/* Arguments and variables of a frame: names from its code object, values from the room
 * behind the frame. A frame that ran on since its stack was read gives other values, and
 * one that ended gives what stands there now; each value is checked as an object on its own
 * (values.c). */
#include "runtime/python/objects.h"

#define LOCALS_MAX 64u
#define NAME_CHARS 60u

enum { FLAG_VARARGS = 4, FLAG_VARKEYWORDS = 8 };

/* Offsets that differ by version; frame: to 3.10 of PyFrameObject.f_localsplus, later the
 * end of the frame's head, which the layout knows. */
struct places {
	int minor; /* the first it holds for */
	uint32_t frame, names, args, keyword_args, flags;
};

static const struct places rows[] = {
	{ 8, 360, 72, 16, 24, 36 },
	{ 10, 352, 72, 16, 24, 36 },
	{ 11, 0, 96, 56, 64, 48 },
	{ 12, 0, 96, 52, 60, 48 },
};

static const struct places *places_of(int minor)
{
	size_t i = sizeof(rows) / sizeof(rows[0]);

	while (--i > 0 && rows[i].minor > minor)
		;
	return &rows[i];
}

static uint32_t u32_at(struct python_reader *r, uint64_t address)
{
	uint32_t v = 0;

	return batch_read(&r->side, address, &v, sizeof(v)) ? v : 0;
}

static uint64_t arguments_of(struct python_reader *r, const struct places *p,
			     uint64_t code)
{
	uint32_t flags = u32_at(r, code + p->flags);

	return (uint64_t)u32_at(r, code + p->args) + u32_at(r, code + p->keyword_args) +
	       !!(flags & FLAG_VARARGS) + !!(flags & FLAG_VARKEYWORDS);
}

bool python_locals(struct python_reader *r, uint64_t frame, runtime_got_local *got,
		   void *arg)
{
	const struct places *p = places_of(r->layout.minor);
	uint64_t code, names, n, args, values, i;
	struct text name = { 0 }, value = { 0 };

	if (r->layout.minor > PYTHON_OBJECTS_NEWEST || r->layout.free_threaded)
		return false;
	code = python_word(r, frame + r->layout.frame_code) & ~7ull;
	if (!python_code(r, code))
		return true;
	names = python_word(r, code + p->names);
	n = python_word(r, names + r->layout.object_size);
	args = arguments_of(r, p, code);
	values = frame + (p->frame ? p->frame : r->layout.frame_bytes);
	for (i = 0; i < n && i < LOCALS_MAX; i++) {
		uint64_t object = python_reference(r, python_word(r, values + 8 * i));

		text_clear(&name);
		text_clear(&value);
		if (!object ||
		    !python_text(r, python_word(r, python_tuple_items(r, names) + 8 * i),
				 NAME_CHARS, &name))
			continue;
		python_value(r, object, &value);
		got(arg,
		    &(struct runtime_local){ name.p ? name.p : "", value.p, i < args });
	}
	text_done(&name);
	text_done(&value);
	return true;
}
