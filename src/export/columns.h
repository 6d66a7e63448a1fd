/* How wide a name is in cells of a fixed-width font. wcwidth() depends on the locale, a
 * file must not, so a small table of ranges decides: combining marks 0, East Asian wide
 * and emoji 2. */
#ifndef PTOP_EXPORT_COLUMNS_H
#define PTOP_EXPORT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* The length in bytes of the character at s (which ends in NUL; never past it) and its
 * cells. What must not reach a file (see clean_char()) is one byte and one cell. */
size_t columns_char(const char *s, unsigned *cells);
/* The bytes of s that fit in `max` cells, and the cells they take. */
size_t columns_fit(const char *s, size_t max, size_t *cells);
/* Appends s cut to `max` cells, ".." marking the cut end (or start, when the tail
 * matters), and cleaned; padded with spaces when `pad`. max 0: neither cut nor padded. */
void columns_put(struct text *out, const char *s, size_t max, bool pad, bool keep_tail);
size_t columns_of(const char *s);

#endif
