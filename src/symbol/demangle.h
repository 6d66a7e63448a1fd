/* C++, Rust legacy and Rust v0 names for display: without parameters, clones marked. */
#ifndef PTOP_SYMBOL_DEMANGLE_H
#define PTOP_SYMBOL_DEMANGLE_H

#include <stddef.h>

/* Writes the demangled name, or the raw one when it is not mangled or too long to try
 * safely, cleaned and cut to `size`. Returns its length. */
size_t demangle(const char *raw, char *to, size_t size);

#endif
