/* Two families: x* for sizes ptop chose (memory exhausted means the end, with a word),
 * try_* for sizes read from somewhere (refused above a limit, never fatal). */
#ifndef PTOP_BASE_ALLOC_H
#define PTOP_BASE_ALLOC_H

#include <stddef.h>

/* What a SIGABRT carries (si_code SI_QUEUE) that the x* functions send to their own thread
 * before they end the program: the handler gives the terminal back and returns. */
#define ALLOC_FAILED 0x6d656d

void *xmalloc(size_t bytes);
/* Zeroed. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t bytes);
char *xstrdup(const char *s);
/* n * size zeroed bytes, or NULL when the product exceeds `limit` or memory is short. */
void *try_alloc(size_t n, size_t size, size_t limit);

#endif
