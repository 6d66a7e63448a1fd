/* Decodes only what clean_char() has found well-formed. */
#include "export/columns.h"

#include <stdint.h>
#include <string.h>

static const struct {
	uint32_t first, last;
	uint8_t cells;
} ranges[] = {
	{ 0x0300, 0x036f, 0 },	 { 0x1100, 0x115f, 2 },	  { 0x200b, 0x200d, 0 },
	{ 0x20d0, 0x20ff, 0 },	 { 0x2e80, 0xa4cf, 2 },	  { 0xac00, 0xd7a3, 2 },
	{ 0xf900, 0xfaff, 2 },	 { 0xfe00, 0xfe0f, 0 },	  { 0xfe30, 0xfe6f, 2 },
	{ 0xff00, 0xff60, 2 },	 { 0xffe0, 0xffe6, 2 },	  { 0x1f300, 0x1f64f, 2 },
	{ 0x1f900, 0x1f9ff, 2 }, { 0x20000, 0x3fffd, 2 },
};

static uint32_t decode(const unsigned char *u, size_t len)
{
	uint32_t c = len == 1 ? u[0] : u[0] & (0x7fu >> len);
	size_t i;

	for (i = 1; i < len; i++)
		c = c << 6 | (u[i] & 0x3f);
	return c;
}

size_t columns_char(const char *s, unsigned *cells)
{
	size_t len, i;
	uint32_t c;

	*cells = 1;
	if ((unsigned char)*s < 0x80)
		return 1;
	len = clean_char(s, strnlen(s, 4));
	if (len == 0)
		return 1;
	c = decode((const unsigned char *)s, len);
	for (i = 0; i < sizeof(ranges) / sizeof(*ranges) && c >= ranges[i].first; i++)
		if (c <= ranges[i].last)
			*cells = ranges[i].cells;
	return len;
}

size_t columns_fit(const char *s, size_t max, size_t *cells)
{
	size_t at = 0, used = 0;

	while (s[at]) {
		unsigned wide;
		size_t len = columns_char(s + at, &wide);

		if (used + wide > max)
			break;
		used += wide;
		at += len;
	}
	*cells = used;
	return at;
}

size_t columns_of(const char *s)
{
	size_t cells;

	columns_fit(s, SIZE_MAX, &cells);
	return cells;
}

/* Where the last `max` cells of s begin; `all` is what s takes. */
static size_t tail_of(const char *s, size_t all, size_t max, size_t *cells)
{
	size_t at = 0;

	while (all > max && s[at]) {
		unsigned wide;

		at += columns_char(s + at, &wide);
		all -= wide;
	}
	*cells = all;
	return at;
}

void columns_put(struct text *out, const char *s, size_t max, bool pad, bool keep_tail)
{
	size_t used = 0, all = columns_of(s), at;

	if (max == 0 || all <= max) {
		text_clean(out, s, strlen(s));
		used = all;
	} else if (keep_tail && max > 2) {
		at = tail_of(s, all, max - 2, &used);
		text_str(out, "..");
		text_clean(out, s + at, strlen(s + at));
		used += 2;
	} else {
		at = columns_fit(s, max > 2 ? max - 2 : max, &used);
		text_clean(out, s, at);
		if (max > 2) {
			text_str(out, "..");
			used += 2;
		}
	}
	for (; pad && used < max; used++)
		text_char(out, ' ');
}
