/* Functions of one ELF symbol table, added to a struct table. Internal to symbol/. */
#ifndef PTOP_SYMBOL_ELFSYMS_H
#define PTOP_SYMBOL_ELFSYMS_H

#include <stdbool.h>

#include "elf/header.h"
#include "symbol/table.h"

/* A file to read, and what its headers say. */
struct elf_file {
	struct elf elf;
	struct elf_source source;
};

/* Adds the functions of `section` (".symtab", ".dynsym") of `from`. Addresses become file
 * offsets by the segments of `code`, the file that is mapped: those of a debug file say
 * nothing about it. False when there is no such table or no function in it. */
bool elfsyms_add(struct table *t, const struct elf_file *from, const struct elf *code,
		 const char *section);
/* Adds the functions that unwind tables know and no symbol covers, without a name, and
 * corrects the sizes of symbols that start where an FDE does. Sorts the table. */
void functions_add(struct table *t, const struct elf_file *code);
/* Adds the functions of .gopclntab; false when there is none. */
bool gosyms_add(struct table *t, const struct elf_file *code);

#endif
