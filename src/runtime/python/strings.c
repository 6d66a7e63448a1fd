/* str objects are compact since 3.3 wherever names and paths are concerned: a head, then
 * characters of 1, 2 or 4 bytes. The head of one that is all ASCII is shorter. Its state
 * is a bit field that begins with `interned`, 2 bits of it or, in some versions, 8 or 16;
 * as the character size that follows is never 0, the place that makes sense is the right
 * one. */
#include <stdlib.h>
#include <string.h>

#include "runtime/python/reader.h"

/* Most names fit in what the first call reads behind the head. */
#define AHEAD 192u

struct text_head {
	unsigned width; /* bytes a character */
	bool ascii;
	uint64_t length;
};

static bool read_state(uint32_t state, struct text_head *out)
{
	static const unsigned shifts[] = { 2, 8, 16 };
	size_t i;

	for (i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
		uint32_t s = state >> shifts[i];

		out->width = s & 7;
		out->ascii = s >> 4 & 1;
		if (s >> 3 & 1 && (out->width == 1 ||
				   (!out->ascii && (out->width == 2 || out->width == 4))))
			return true;
	}
	return false;
}

/* One character as UTF-8; what is no scalar value becomes '?' in cleaning. */
static size_t utf8(uint32_t c, char to[4])
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 63));
		to[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	if (c > 0x10ffff) {
		to[0] = '?';
		return 1;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 63));
	to[2] = (char)(0x80 | (c >> 6 & 63));
	to[3] = (char)(0x80 | (c & 63));
	return 4;
}

/* A surrogate is one '?', not one for each byte of its forbidden encoding. */
static void add_characters(struct text *out, const unsigned char *p, size_t n,
			   unsigned width)
{
	size_t i;

	for (i = 0; i < n; i++) {
		uint32_t c = 0;
		char one[4];
		size_t bytes;

		memcpy(&c, p + i * width, width);
		bytes = c >= 0xd800 && c < 0xe000 ? 0 : utf8(c, one);
		text_clean(out, bytes ? one : "?", bytes ? bytes : 1);
	}
}

bool python_text(struct python_reader *r, uint64_t object, size_t limit, struct text *out)
{
	const struct python_layout *l = &r->layout;
	unsigned char near[128 + AHEAD], *far = NULL;
	size_t have = l->text_compact + AHEAD, head, n, bytes;
	const unsigned char *p;
	struct text_head h;

	if (have > sizeof(near))
		return false;
	if (!batch_read(&r->side, object, near, have)) {
		have = l->text_compact;
		if (!batch_read(&r->side, object, near, have))
			return false;
	}
	h.length = python_u64(near + l->text_length);
	if (!read_state((uint32_t)python_i32(near + l->text_state), &h))
		return false;
	n = h.length < limit ? (size_t)h.length : limit;
	head = h.ascii ? l->text_ascii : l->text_compact;
	bytes = n * h.width;
	p = near + head;
	if (head + bytes > have) {
		far = try_alloc(bytes, 1, limit * 4);
		if (!far || !batch_read(&r->side, object + head, far, bytes)) {
			free(far);
			return false;
		}
		p = far;
	}
	add_characters(out, p, n, h.width);
	if (n < h.length)
		text_str(out, "...");
	free(far);
	return true;
}

bool python_bytes(struct python_reader *r, uint64_t object, size_t limit,
		  struct bytes *out)
{
	unsigned char head[64], *p;
	uint64_t n;

	*out = (struct bytes){ 0 };
	if (r->layout.bytes_data > sizeof(head) ||
	    !batch_read(&r->side, object, head, r->layout.bytes_data))
		return false;
	n = python_u64(head + r->layout.object_size);
	if (n == 0)
		return true;
	p = try_alloc((size_t)n, 1, limit);
	if (!p || !batch_read(&r->side, object + r->layout.bytes_data, p, (size_t)n)) {
		free(p);
		return false;
	}
	*out = (struct bytes){ p, (size_t)n };
	return true;
}

bool python_is_type(struct python_reader *r, uint64_t type_address, const char *name,
		    uint64_t *type)
{
	char text[16] = "";
	uint64_t at;

	if (*type)
		return type_address == *type;
	if (!batch_read(&r->side, type_address + r->layout.type_name, &at, sizeof(at)) ||
	    !batch_read(&r->side, at, text, strlen(name) + 1) ||
	    memcmp(text, name, strlen(name) + 1) != 0)
		return false;
	*type = type_address;
	return true;
}
