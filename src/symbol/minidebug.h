/* .gnu_debugdata: a small symbol table, compressed, inside a stripped file
 * ("MiniDebugInfo" of Fedora). Internal to symbol/. */
#ifndef PTOP_SYMBOL_MINIDEBUG_H
#define PTOP_SYMBOL_MINIDEBUG_H

#include <stddef.h>

#include "base/bytes.h"
#include "elf/header.h"

enum minidebug_result {
	MINIDEBUG_OK,
	MINIDEBUG_NONE,
	MINIDEBUG_BROKEN,
	MINIDEBUG_TOO_BIG, /* it would unpack to more than its file is worth */
};

/* Unpacks the section of a file into image; the caller frees image->p. */
enum minidebug_result minidebug_read(int fd, const struct elf *e, struct bytes *image);
/* The same of bytes, of which no more than `limit` may come out. */
enum minidebug_result minidebug_unpack(struct bytes packed, size_t limit,
				       struct bytes *image);

#endif
