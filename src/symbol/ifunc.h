/* Symbols that are not what their address says: aliases, of which struct symbols keeps one, and
 * indirect functions (STT_GNU_IFUNC), whose address is that of a resolver which runs once and
 * chooses the function that is called (strlen, memcpy). */
#ifndef PTOP_SYMBOL_IFUNC_H
#define PTOP_SYMBOL_IFUNC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "symbol/symbols.h"
#include "target/maps.h"

/* The function of this raw name in the file's own symbol tables; *indirect: it is a resolver.
 * start and size as in struct symbol; the name is the caller's. */
bool symbol_alias(const struct object *o, const char *name, struct symbol *out,
		  bool *indirect);
/* Is the function at this file offset a resolver? */
bool symbol_is_indirect(const struct object *o, uint64_t start);
/* The address that a process calls for such a symbol, as the relocations of its files have it in
 * its memory (the one most of them have); false when none of them was resolved yet. */
bool symbol_resolved(const struct maps *maps, const struct mem *mem,
		     const struct object *o, const char *name, uint64_t start,
		     uint64_t *address);

#endif
