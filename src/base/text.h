/* Text that grows: what exporters, the batch tables and messages are written into. */
#ifndef PTOP_BASE_TEXT_H
#define PTOP_BASE_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed struct text is a valid empty one; p is NUL-terminated once anything was added.
 */
struct text {
	char *p;
	size_t n, cap;
};

void text_add(struct text *t, const char *s, size_t n);
void text_str(struct text *t, const char *s);
void text_char(struct text *t, char c);
void text_dec(struct text *t, uint64_t v);
void text_fmt(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds a foreign string as valid UTF-8 without control characters: every byte below 0x20,
 * 0x7f, C1 controls, the bidirectional overrides and malformed sequences become '?'. */
void text_clean(struct text *t, const char *s, size_t n);
void text_clear(struct text *t);
void text_done(struct text *t);

/* The same cleaning into a buffer of `size` bytes, cut at a character's border and always
 * terminated. Returns the bytes written without the NUL. */
size_t clean_copy(char *to, size_t size, const char *s, size_t n);
/* Length in bytes of the well-formed, printable UTF-8 character at s (n bytes left), or 0
 * when what stands there must not reach a terminal or a file. */
size_t clean_char(const char *s, size_t n);

#endif
