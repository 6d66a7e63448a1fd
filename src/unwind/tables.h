/* Inside unwind/: what is known about one object's code, loaded when first asked for. */
#ifndef PTOP_UNWIND_TABLES_H
#define PTOP_UNWIND_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "elf/eh_frame.h"
#include "elf/gopclntab.h"
#include "elf/header.h"
#include "target/object.h"
#include "unwind/unwind.h"

struct unwind_table {
	struct elf elf;	    /* segments only */
	struct eh_frame eh; /* no entries when there is nothing to use */
	struct gopclntab go;
	bool has_go;
	bool failed; /* could not be opened, or is no x86-64 ELF file */
	unsigned char *owned_hdr, *owned_frame; /* what eh's bytes are in */
};

/* NULL for a file that has not answered yet (ask again) and for all that is neither file nor
 * vdso. Lives as long as t. */
const struct unwind_table *unwind_tables_get(struct unwind_tables *t,
					     const struct object *o);
uint64_t unwind_tables_failed(const struct unwind_tables *t);

#endif
