/* Values as text: None, bool, int, float, str and bytes as they are, containers by their
 * first elements and their length, everything else by its type. Never more than some dozen
 * characters each, whatever the object says of itself. */
#include <stdlib.h>
#include <string.h>

#include "runtime/python/objects.h"

#define TEXT_CHARS 60u
#define BYTES_SHOWN 40u
#define ELEMENTS_SHOWN 4u
#define DIGITS_SHOWN 2u /* of 30 bits */

/* Behind an object's head; the same in all versions with a GIL. */
enum {
	LIST_ITEMS = 24,
	DICT_USED = 16,
	SET_USED = 24,
	FLOAT_VALUE = 16,
	INT_FIRST_DIGIT = 24,
	CELL_VALUE = 16,
};

static void value(struct python_reader *r, uint64_t object, bool inside,
		  struct text *out);

static void put_int(struct python_reader *r, uint64_t object, struct text *out)
{
	uint64_t size = python_word(r, object + r->layout.object_size), n, v = 0;
	bool negative;
	size_t i;

	if (r->layout.minor >= 12) {
		n = size >> 3;
		negative = (size & 3) == 2;
	} else {
		negative = (int64_t)size < 0;
		n = negative ? -size : size;
	}
	if (n > DIGITS_SHOWN) {
		uint64_t top =
		    python_word(r, object + INT_FIRST_DIGIT + 4 * (n - 1)) & 0x3fffffff;

		n = 30 * (n - 1);
		for (; top; top >>= 1)
			n++;
		text_fmt(out, "<int of %llu bits>", (unsigned long long)n);
		return;
	}
	for (i = 0; i < n; i++) {
		uint64_t at = object + INT_FIRST_DIGIT + 4 * i;

		v |= (python_word(r, at) & 0x3fffffff) << 30 * i;
	}
	text_str(out, negative ? "-" : "");
	text_dec(out, v);
}

static void put_float(struct python_reader *r, uint64_t object, struct text *out)
{
	uint64_t bits = python_word(r, object + FLOAT_VALUE);
	double v;

	memcpy(&v, &bits, sizeof(v));
	text_fmt(out, "%.12g", v);
}

static void put_text(struct python_reader *r, uint64_t object, struct text *out)
{
	text_char(out, '\'');
	if (!python_text(r, object, TEXT_CHARS, out))
		text_char(out, '?');
	text_char(out, '\'');
}

static void put_bytes(struct python_reader *r, uint64_t object, struct text *out)
{
	uint64_t size = python_word(r, object + r->layout.object_size);
	size_t n = size < BYTES_SHOWN ? (size_t)size : BYTES_SHOWN, i;
	unsigned char b[BYTES_SHOWN];

	text_str(out, "b'");
	if (n && !batch_read(&r->side, object + r->layout.bytes_data, b, n))
		n = 0;
	for (i = 0; i < n; i++)
		if (b[i] >= 0x20 && b[i] < 0x7f && b[i] != '\\')
			text_char(out, (char)b[i]);
		else
			text_fmt(out, "\\x%02x", b[i]);
	text_str(out, n < size ? "...'" : "'");
}

static void put_rest(uint64_t shown, uint64_t all, struct text *out)
{
	if (shown < all)
		text_fmt(out, "%s... %llu in all", shown ? ", " : "",
			 (unsigned long long)all);
}

static void put_items(struct python_reader *r, uint64_t items, uint64_t n, bool inside,
		      struct text *out)
{
	uint64_t i = 0;

	for (; i < n && i < ELEMENTS_SHOWN && !inside; i++) {
		text_str(out, i ? ", " : "");
		value(r, python_word(r, items + 8 * i), true, out);
	}
	put_rest(i, n, out);
}

static void put_dict(struct python_reader *r, uint64_t dict, bool inside,
		     struct text *out)
{
	uint64_t n = python_word(r, dict + DICT_USED), keys, values, shown = 0;
	struct python_entries e = { 0 };
	size_t i;

	if (!inside && python_dict_parts(r, dict, &keys, &values) &&
	    python_entries_read(r, keys, &e))
		for (i = 0; i < e.n && shown < n && shown < ELEMENTS_SHOWN; i++) {
			uint64_t v = python_entry_value(r, &e, i, values);

			if (!v || !python_entry_key(&e, i))
				continue;
			text_str(out, shown++ ? ", " : "");
			value(r, python_entry_key(&e, i), true, out);
			text_str(out, ": ");
			value(r, v, true, out);
		}
	free(e.p);
	put_rest(shown, n, out);
}

static void put_container(struct python_reader *r, uint64_t object, const char *type,
			  bool inside, struct text *out)
{
	uint64_t size = python_word(r, object + r->layout.object_size);

	if (strcmp(type, "list") == 0) {
		text_char(out, '[');
		put_items(r, python_word(r, object + LIST_ITEMS), size, inside, out);
		text_char(out, ']');
	} else if (strcmp(type, "tuple") == 0) {
		text_char(out, '(');
		put_items(r, python_tuple_items(r, object), size, inside, out);
		text_str(out, size == 1 && !inside ? ",)" : ")");
	} else if (strcmp(type, "dict") == 0) {
		text_char(out, '{');
		put_dict(r, object, inside, out);
		text_char(out, '}');
	} else {
		text_fmt(out, "<%s of %llu>", type,
			 (unsigned long long)python_word(r, object + SET_USED));
	}
}

static bool is_one_of(const char *type, const char *const *names)
{
	while (*names && strcmp(*names, type) != 0)
		names++;
	return *names != NULL;
}

static void value(struct python_reader *r, uint64_t object, bool inside, struct text *out)
{
	static const char *const containers[] = { "list", "tuple",     "dict",
						  "set",  "frozenset", NULL };
	char type[PYTHON_TYPE_NAME];

	if (!python_type_name(r, object, type, sizeof(type)))
		text_char(out, '?');
	else if (strcmp(type, "NoneType") == 0)
		text_str(out, "None");
	else if (strcmp(type, "bool") == 0)
		text_str(out, python_int(r, object) ? "True" : "False");
	else if (strcmp(type, "int") == 0)
		put_int(r, object, out);
	else if (strcmp(type, "float") == 0)
		put_float(r, object, out);
	else if (strcmp(type, "str") == 0)
		put_text(r, object, out);
	else if (strcmp(type, "bytes") == 0)
		put_bytes(r, object, out);
	else if (strcmp(type, "cell") == 0 && !inside)
		value(r, python_word(r, object + CELL_VALUE), true, out);
	else if (is_one_of(type, containers))
		put_container(r, object, type, inside, out);
	else
		text_fmt(out, "<%s>", type);
}

void python_value(struct python_reader *r, uint64_t object, struct text *out)
{
	python_keys_allow(r);
	value(r, object, false, out);
}
