/* Go's .gopclntab: function names and stack depths in binaries without .symtab and
 * .eh_frame. Layouts of Go 1.2, 1.16, 1.18 and 1.20 (magics 0xfffffffb, fa, f0, f1); Go's
 * source: src/internal/abi/symtab.go, src/runtime/symtab.go. */
#ifndef PTOP_ELF_GOPCLNTAB_H
#define PTOP_ELF_GOPCLNTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "elf/header.h"

struct gopclntab {
	struct bytes bytes; /* borrowed, unless gopclntab_open() read them */
	unsigned char *own; /* where they were read to, or NULL */
	uint32_t magic;
	uint8_t quantum, pointer_bytes;
	uint64_t functions, text; /* count; base address (vaddr) of 1.18+ offsets */
	uint64_t names_at, pc_at, functab_at, funcdata_at; /* offsets in bytes */
};

struct go_function {
	uint64_t start, size; /* vaddr */
	const char *name;     /* in the table, NUL-terminated, raw */
};

/* Finds the table of a Go executable, reads it and inits; false when there is none. Its
 * bytes are then owned: gopclntab_close() frees them. */
bool gopclntab_open(struct gopclntab *t, const struct elf *e,
		    const struct elf_source *src);
void gopclntab_close(struct gopclntab *t);

/* `text` is the vaddr of .text for 1.18+, where the header's own value is 0 (1.2x and
 * PIE). */
bool gopclntab_init(struct gopclntab *t, struct bytes bytes, uint64_t text);
/* The i-th function, by address; false when its entry lies. */
bool gopclntab_nth(const struct gopclntab *t, size_t i, struct go_function *out);
bool gopclntab_find(const struct gopclntab *t, uint64_t vaddr, struct go_function *out);
/* Bytes between sp at this address and the return address' slot; false when unknown. */
bool gopclntab_sp_delta(const struct gopclntab *t, uint64_t vaddr, int64_t *bytes);
/* runtime.goexit, mstart, systemstack, mcall, rt0_go ...: a stack ends here. */
bool gopclntab_is_root(const char *name);

#endif
