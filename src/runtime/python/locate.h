/* Finding _PyRuntime and the version of CPython in a process. */
#ifndef PTOP_RUNTIME_PYTHON_LOCATE_H
#define PTOP_RUNTIME_PYTHON_LOCATE_H

#include <elf.h>

#include "base/mem.h"
#include "elf/header.h"
#include "runtime/python/layout.h"
#include "runtime/runtime.h"

/* See struct runtime. */
void python_detect(pid_t pid, const struct maps *maps, struct runtime_site *out);
/* The layout that fits what stands at site->address, read anew; fills version_hex,
 * version, state and reason of the site. True when the state is RUNTIME_READY. */
bool python_identify(const struct mem *mem, struct runtime_site *site,
		     struct python_layout *layout);
/* May the i-th mapping be of a file with a Python in it, not seen in an earlier one? */
bool python_may_be_in(const struct maps *maps, size_t i);
/* Gives every defined symbol of a section (".dynsym", ".symtab") and the names they point
 * into. */
typedef void python_symbol(void *arg, struct bytes names, const Elf64_Sym *sym);
void python_symbols(int fd, const struct elf *e, const char *section, python_symbol *got,
		    void *arg);
bool python_symbol_is(struct bytes names, const Elf64_Sym *sym, const char *want);

/* loop.c. See struct runtime. */
size_t python_loops(const struct maps *maps, struct runtime_loop out[RUNTIME_LOOPS]);

#endif
