/* The DIEs of one compilation unit around an address. Internal to symbol/. */
#ifndef PTOP_SYMBOL_INLINES_H
#define PTOP_SYMBOL_INLINES_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"
#include "symbol/lines.h"

struct unit_function {
	uint64_t start, end; /* vaddr */
	Dwarf_Off die;
};

/* A compilation unit that was looked into, with its functions by start. */
struct unit {
	Dwarf_Off offset; /* of its DIE */
	VEC(struct unit_function) functions;
};

void unit_read(struct unit *u, Dwarf_Die *cu);
void unit_done(struct unit *u);
/* Fills out as lines_find() promises. */
size_t unit_find(const struct unit *u, Dwarf *dw, Dwarf_Die *cu, uint64_t vaddr,
		 struct source_line out[INLINE_MAX]);

#endif
