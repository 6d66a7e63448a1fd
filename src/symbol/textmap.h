/* Line-wise text files of functions, read in slices. Internal to symbol/. */
#ifndef PTOP_SYMBOL_TEXTMAP_H
#define PTOP_SYMBOL_TEXTMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "symbol/table.h"

/* Takes one line, without its newline. */
typedef void textmap_line(struct table *t, struct bytes line);

/* Calls for every line of a file, up to `limit` bytes of it. Lines too long to be true
 * are cut. 0 or -errno of the read. */
int textmap_read(int fd, uint64_t limit, struct table *t, textmap_line *line);
void textmap_parse(struct bytes text, struct table *t, textmap_line *line);

#endif
