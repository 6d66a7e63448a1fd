/* Growth doubles. Cleaning is a security rule: a target can put escape sequences into a
 * function or thread name, so no foreign byte reaches a screen or file except through
 * clean_char(). */
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void room(struct text *t, size_t more)
{
	size_t need = t->n + more + 1;

	if (need <= t->cap)
		return;
	t->cap = t->cap ? t->cap : 256;
	while (t->cap < need)
		t->cap *= 2;
	t->p = xrealloc(t->p, t->cap);
}

void text_add(struct text *t, const char *s, size_t n)
{
	room(t, n);
	if (n)
		memcpy(t->p + t->n, s, n);
	t->n += n;
	t->p[t->n] = '\0';
}

void text_str(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_char(struct text *t, char c)
{
	text_add(t, &c, 1);
}

void text_dec(struct text *t, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	text_add(t, digits + at, sizeof(digits) - at);
}

void text_fmt(struct text *t, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	room(t, 128);
	n = vsnprintf(t->p + t->n, t->cap - t->n, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n >= t->cap - t->n) {
		room(t, (size_t)n);
		n = vsnprintf(t->p + t->n, t->cap - t->n, fmt, again);
	}
	va_end(again);
	if (n > 0)
		t->n += (size_t)n;
}

/* Code points that are well-formed but steer a terminal or reorder text. */
static int steers(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
	       (c >= 0xd800 && c <= 0xdfff) || c == 0xfeff || (c & 0xfffe) == 0xfffe ||
	       c > 0x10ffff;
}

size_t clean_char(const char *s, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)s;
	size_t len, i;
	uint32_t c;

	if (n == 0)
		return 0;
	if (u[0] < 0x80)
		return steers(u[0]) ? 0 : 1;
	len = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : u[0] >= 0xc0 ? 2 : 0;
	if (len == 0 || len > n || u[0] >= 0xf8)
		return 0;
	c = u[0] & (0x7fu >> len);
	for (i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	return c < least[len] || steers(c) ? 0 : len;
}

void text_clean(struct text *t, const char *s, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t len = clean_char(s + at, n - at);

		text_add(t, len ? s + at : "?", len ? len : 1);
		at += len ? len : 1;
	}
}

size_t clean_copy(char *to, size_t size, const char *s, size_t n)
{
	size_t at = 0, out = 0;

	if (size == 0)
		return 0;
	while (at < n) {
		size_t len = clean_char(s + at, n - at), put = len ? len : 1;

		if (out + put >= size)
			break;
		memcpy(to + out, len ? s + at : "?", put);
		out += put;
		at += put;
	}
	to[out] = '\0';
	return out;
}

void text_clear(struct text *t)
{
	t->n = 0;
	if (t->p)
		t->p[0] = '\0';
}

void text_done(struct text *t)
{
	free(t->p);
	*t = (struct text){ 0 };
}
