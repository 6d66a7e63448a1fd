/* Source lines and inlined calls of one object, from DWARF. Namer thread only: an answer
 * may take milliseconds. */
#ifndef PTOP_SYMBOL_LINES_H
#define PTOP_SYMBOL_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "target/object.h"

#define INLINE_MAX 32

/* The strings live with struct lines. */
struct source_line {
	const char *function; /* raw name of the (inlined) function, or NULL */
	const char *file;     /* as in DWARF; NULL unknown */
	int line;	      /* 0 unknown */
};

struct lines;

/* Never NULL; one without debug information finds nothing. */
struct lines *lines_open(const struct object *o);
/* Why there are none, when the file is out of proportion; or NULL. */
const char *lines_note(const struct lines *l);
void lines_free(struct lines *l);
/* The inlined calls at an address (file offset), innermost first; the last is the
 * function the symbol table names. Returns how many; 0 when nothing is known. */
size_t lines_find(struct lines *l, uint64_t address, struct source_line out[INLINE_MAX]);

#endif
