/* Dictionaries and attributes of Python objects.
 *
 * Dictionaries are an index, skipped here, and entries in order of insertion, either with
 * their hash or, since 3.11 for string keys, without. Values of an instance may lie apart:
 * behind a pointer in front of the object (3.11, 3.12) or behind the object (3.13), in the
 * order of the keys that its class keeps. */
#include "runtime/python/objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define ENTRIES_MAX 65536u
#define KEYS_A_CALL 65536u /* read in one go, however the dictionaries look */
#define MODULE_DICT 16u	   /* PyModuleObject.md_dict */
#define INT_DIGITS 24u	   /* PyLongObject: behind the head and the size */

void python_keys_allow(struct python_reader *r)
{
	r->keys_left = KEYS_A_CALL;
}

/* PyDictKeysObject: {refcnt, size, lookup, usable, nentries, indices} to 3.10, then
 * {refcnt, u8 log2 size, u8 log2 bytes of the index, u8 kind, version, usable, nentries,
 * indices}. */
bool python_entries_read(struct python_reader *r, uint64_t keys,
			 struct python_entries *out)
{
	bool old = r->layout.minor <= 10;
	unsigned char head[40];
	uint64_t n, index_bytes, size, start;

	*out = (struct python_entries){ .stride = 24, .key = 8 };
	if (!batch_read(&r->side, keys, head, sizeof(head)))
		return false;
	if (old) {
		size = python_u64(head + 8);
		n = python_u64(head + 32);
		if (size > ENTRIES_MAX * 2)
			return false;
		index_bytes = size <= 0xff ? size : size <= 0xffff ? size * 2 : size * 4;
		start = 40;
	} else {
		n = python_u64(head + 24);
		if (head[9] > 20)
			return false;
		index_bytes = 1ull << head[9];
		start = 32;
		if (head[10] != 0) {
			out->stride = 16;
			out->key = 0;
		}
	}
	out->p = n ? try_alloc((size_t)n, out->stride, ENTRIES_MAX * 24) : NULL;
	if (!out->p || !batch_read(&r->side, keys + start + index_bytes, out->p,
				   (size_t)n * out->stride)) {
		free(out->p);
		out->p = NULL;
		return false;
	}
	out->n = (size_t)n;
	return true;
}

uint64_t python_entry_key(const struct python_entries *e, size_t i)
{
	return python_u64(e->p + i * e->stride + e->key);
}

uint64_t python_entry_value(struct python_reader *r, const struct python_entries *e,
			    size_t i, uint64_t values)
{
	uint64_t v = 0;

	if (!values)
		return python_u64(e->p + i * e->stride + e->key + 8);
	return batch_read(&r->side, values + i * 8, &v, sizeof(v)) ? v : 0;
}

static bool is_text(struct python_reader *r, uint64_t object, const char *want)
{
	struct text t = { 0 };
	bool same = python_text(r, object, 32, &t) && t.n && strcmp(t.p, want) == 0;

	text_done(&t);
	return same;
}

/* The value under a key, 0 when there is none; values 0: they stand beside the keys. */
static uint64_t look_up(struct python_reader *r, uint64_t keys, uint64_t values,
			const char *name)
{
	struct python_entries e;
	uint64_t found = 0;
	size_t i;

	if (!python_entries_read(r, keys, &e))
		return 0;
	for (i = 0; i < e.n && !found && r->keys_left; i++) {
		uint64_t key = python_entry_key(&e, i);

		r->keys_left--;
		if (key && is_text(r, key, name))
			found = python_entry_value(r, &e, i, values);
	}
	free(e.p);
	return found;
}

bool python_dict_parts(struct python_reader *r, uint64_t dict, uint64_t *keys,
		       uint64_t *values)
{
	if (!batch_read(&r->side, dict + r->layout.dict_keys, keys, sizeof(*keys)) ||
	    !batch_read(&r->side, dict + r->layout.dict_values, values, sizeof(*values)))
		return false;
	if (*values && r->layout.minor >= 13)
		*values += 8; /* capacity, size, embedded, valid */
	return true;
}

uint64_t python_dict_get(struct python_reader *r, uint64_t dict, const char *name)
{
	uint64_t keys, values;

	return dict && python_dict_parts(r, dict, &keys, &values)
		   ? look_up(r, keys, values, name)
		   : 0;
}

/* ---- Attributes of an instance ----------------------------------------------------- */

uint64_t python_word(struct python_reader *r, uint64_t address)
{
	uint64_t v = 0;

	return batch_read(&r->side, address, &v, sizeof(v)) ? v : 0;
}

/* An instance's dictionary, or else where its values are; both 0 when neither. */
static void instance_parts(struct python_reader *r, uint64_t object, uint64_t type,
			   uint64_t *dict, uint64_t *values)
{
	const struct python_layout *l = &r->layout;
	/* In front of it: the collector's head, where there is one, behind that this. */
	uint64_t before = object - (l->free_threaded ? 8 : 24);

	int64_t at = (int64_t)python_word(r, type + l->type_dict_offset);

	*dict = *values = 0;
	if (at > 0 && at < 4096) { /* a field of its own; in 3.11+ of types made in C */
		*dict = python_word(r, object + (uint64_t)at);
		return;
	}
	if (l->minor <= 10)
		return;
	*dict = python_word(r, before);
	if (l->minor == 11 && !*dict) {
		*values = python_word(r, object - 32);
	} else if (l->minor == 12 && *dict & 1) {
		*values = *dict + 1;
		*dict = 0;
	} else if (l->minor >= 13 && !*dict) {
		uint64_t size = python_word(r, type + l->type_basic_bytes);

		*values = size && size < 4096 ? object + size + 8 : 0;
	}
}

uint64_t python_attribute(struct python_reader *r, uint64_t object, const char *name)
{
	uint64_t type = python_word(r, object + r->layout.object_type), dict, values;

	instance_parts(r, object, type, &dict, &values);
	if (dict)
		return python_dict_get(r, dict, name);
	return values ? look_up(r, python_word(r, type + r->layout.type_cached_keys),
				values, name)
		      : 0;
}

/* An int of one to three digits of 30 bits; its sign and count stand in one word. */
uint64_t python_int(struct python_reader *r, uint64_t object)
{
	unsigned char bytes[INT_DIGITS + 32];
	const unsigned char *digits = bytes + INT_DIGITS + r->layout.longer_head;
	uint64_t v = 0, n;
	size_t i;

	if (r->layout.longer_head > 16 ||
	    !batch_read(&r->side, object, bytes, INT_DIGITS + r->layout.longer_head + 12))
		return 0;
	n = python_u64(bytes + r->layout.object_size);
	if (r->layout.minor >= 12)
		n >>= 3;
	for (i = 0; i < n && i < 3; i++)
		v |= (uint64_t)(uint32_t)python_i32(digits + i * 4) << 30 * i % 64;
	return v;
}

/* ---- Modules ----------------------------------------------------------------------- */

uint64_t python_module_get(struct python_reader *r,
			   const struct python_interpreter *interpreter,
			   const char *module, const char *name)
{
	uint64_t modules =
	    python_word(r, interpreter->address + r->layout.interp_modules);
	uint64_t object = python_dict_get(r, modules, module);

	return object
		   ? python_dict_get(
			 r, python_word(r, object + MODULE_DICT + r->layout.longer_head),
			 name)
		   : 0;
}

bool python_type_name(struct python_reader *r, uint64_t object, char *to, size_t size)
{
	uint64_t name = python_word(r, python_word(r, object + r->layout.object_type) +
					   r->layout.type_name);
	char raw[PYTHON_TYPE_NAME];
	size_t n;

	/* A name may end with its page. */
	for (n = sizeof(raw); n >= 16 && !batch_read(&r->side, name, raw, n); n /= 2)
		;
	if (!name || n < 16)
		return false;
	clean_copy(to, size, raw, strnlen(raw, n));
	return *to != '\0';
}
