/* Bounds are checked in one place, have(); everything else is built on it. */
#include "base/cursor.h"

#include <string.h>

struct cursor cursor_over(struct bytes in)
{
	return (struct cursor){ .in = in };
}

size_t cursor_left(const struct cursor *c)
{
	return c->failed ? 0 : c->in.n - c->at;
}

static bool have(struct cursor *c, size_t n)
{
	if (n > cursor_left(c))
		c->failed = true;
	return !c->failed;
}

void cursor_seek(struct cursor *c, size_t at)
{
	if (at > c->in.n)
		c->failed = true;
	else
		c->at = at;
}

void cursor_skip(struct cursor *c, size_t n)
{
	if (have(c, n))
		c->at += n;
}

static void get(struct cursor *c, void *to, size_t n)
{
	if (!have(c, n))
		return;
	memcpy(to, c->in.p + c->at, n);
	c->at += n;
}

uint8_t cursor_u8(struct cursor *c)
{
	uint8_t v = 0;

	get(c, &v, sizeof(v));
	return v;
}

uint16_t cursor_u16(struct cursor *c)
{
	uint16_t v = 0;

	get(c, &v, sizeof(v));
	return v;
}

uint32_t cursor_u32(struct cursor *c)
{
	uint32_t v = 0;

	get(c, &v, sizeof(v));
	return v;
}

uint64_t cursor_u64(struct cursor *c)
{
	uint64_t v = 0;

	get(c, &v, sizeof(v));
	return v;
}

/* Of 64 bits the tenth byte holds one: it is 0, or 1, or in a signed number all ones. */
static uint64_t leb(struct cursor *c, bool is_signed)
{
	unsigned shift = 0;
	uint64_t v = 0;
	uint8_t b;

	do {
		b = cursor_u8(c);
		if (shift == 63 && b != 0 && b != (is_signed ? 0x7f : 1))
			c->failed = true;
		if (c->failed)
			return 0;
		v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
	} while (b & 0x80);
	if (is_signed && shift < 64 && (b & 0x40))
		v |= ~(uint64_t)0 << shift;
	return v;
}

uint64_t cursor_uleb(struct cursor *c)
{
	return leb(c, false);
}

int64_t cursor_sleb(struct cursor *c)
{
	return (int64_t)leb(c, true);
}

struct bytes cursor_take(struct cursor *c, size_t n)
{
	struct bytes b = { NULL, 0 };

	if (!have(c, n))
		return b;
	b = (struct bytes){ c->in.p + c->at, n };
	c->at += n;
	return b;
}

const char *cursor_str(struct cursor *c)
{
	const unsigned char *start, *nul;

	if (!have(c, 1))
		return NULL;
	start = c->in.p + c->at;
	nul = memchr(start, 0, cursor_left(c));
	if (!nul) {
		c->failed = true;
		return NULL;
	}
	c->at += (size_t)(nul - start) + 1;
	return (const char *)start;
}

bool cursor_line(struct cursor *c, struct bytes *line)
{
	const unsigned char *start, *nl;
	size_t left = cursor_left(c);

	if (left == 0)
		return false;
	start = c->in.p + c->at;
	nl = memchr(start, '\n', left);
	*line = (struct bytes){ start, nl ? (size_t)(nl - start) : left };
	c->at += line->n + (nl ? 1 : 0);
	return true;
}

static int digit_of(unsigned char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return 99;
}

static bool number(struct cursor *c, unsigned base, uint64_t *value)
{
	uint64_t v = 0;
	size_t digits = 0;

	while (cursor_left(c) > 0) {
		unsigned d = (unsigned)digit_of(c->in.p[c->at]);

		if (d >= base)
			break;
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			return false;
		c->at++;
		digits++;
	}
	*value = v;
	return digits > 0;
}

bool cursor_hex(struct cursor *c, uint64_t *value)
{
	return number(c, 16, value);
}

bool cursor_dec(struct cursor *c, uint64_t *value)
{
	return number(c, 10, value);
}

bool cursor_accept(struct cursor *c, char want)
{
	if (cursor_left(c) == 0 || c->in.p[c->at] != (unsigned char)want)
		return false;
	c->at++;
	return true;
}

void cursor_spaces(struct cursor *c)
{
	while (cursor_accept(c, ' ') || cursor_accept(c, '\t'))
		;
}
