/* What a program that ptop started prints while the screen is in use: read from a pipe by a
 * thread, the end of it kept in memory until the screen is gone. */
#ifndef PTOP_APP_CHILD_OUTPUT_H
#define PTOP_APP_CHILD_OUTPUT_H

#include <stdio.h>

#define CHILD_OUTPUT_KEPT ((size_t)256 << 10)

struct child_output;

/* Takes over the read end of a pipe. NULL: no thread or no memory. */
struct child_output *child_output_start(int fd);
/* Takes what is in the pipe, closes it, prints what was kept to `out` and, to `notes`, how
 * many bytes before that were dropped. NULL is allowed. */
void child_output_end(struct child_output *o, FILE *out, FILE *notes);

#endif
