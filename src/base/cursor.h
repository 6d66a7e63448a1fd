/* Reading untrusted bytes front to back without ever leaving them.
 *
 * Every getter returns 0 (or an empty result) and sets `failed` when the bytes run out;
 * once failed, a cursor stays failed, so a parser may read a whole record and check once.
 */
#ifndef PTOP_BASE_CURSOR_H
#define PTOP_BASE_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct cursor {
	struct bytes in; /* borrowed */
	size_t at;
	bool failed;
};

struct cursor cursor_over(struct bytes in);
/* Bytes not read yet. */
size_t cursor_left(const struct cursor *c);
/* Moves to an absolute place; past the end fails. */
void cursor_seek(struct cursor *c, size_t at);
void cursor_skip(struct cursor *c, size_t n);
uint8_t cursor_u8(struct cursor *c);
/* Little-endian, any alignment. */
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
/* DWARF LEB128; more than 64 bits of value fails. */
uint64_t cursor_uleb(struct cursor *c);
int64_t cursor_sleb(struct cursor *c);
/* n bytes in place, or { NULL, 0 } and failed. */
struct bytes cursor_take(struct cursor *c, size_t n);
/* A NUL-terminated string in place; NULL and failed when there is no NUL. */
const char *cursor_str(struct cursor *c);
/* The next text line without its newline; false at the end. Never fails the cursor. */
bool cursor_line(struct cursor *c, struct bytes *line);
/* Text numbers: digits up to the first character that is none; false when there is no
 * digit or the value does not fit. */
bool cursor_hex(struct cursor *c, uint64_t *value);
bool cursor_dec(struct cursor *c, uint64_t *value);
/* Consumes `want` if it is next. */
bool cursor_accept(struct cursor *c, char want);
void cursor_spaces(struct cursor *c);

#endif
