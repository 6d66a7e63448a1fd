/* .gnu_debugdata: a small symbol table, compressed, inside a stripped file
 * ("MiniDebugInfo" of Fedora). Internal to symbol/. */
#ifndef PTOP_SYMBOL_MINIDEBUG_H
#define PTOP_SYMBOL_MINIDEBUG_H

#include <stdbool.h>

#include "base/bytes.h"
#include "elf/header.h"

struct minidebug;

/* Unpacks it from the file; NULL when there is none. fd stays the caller's. */
struct minidebug *minidebug_open(int fd, const struct elf *e);
/* The ELF file that was inside; lives with m. */
struct bytes minidebug_image(const struct minidebug *m);
void minidebug_close(struct minidebug *m);

#endif
