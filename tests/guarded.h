/* Bytes that end exactly where the next page cannot be touched: a parser that reads one
 * byte too far dies at once, without any sanitizer. */
#ifndef PTOP_TESTS_GUARDED_H
#define PTOP_TESTS_GUARDED_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"

struct guarded {
	unsigned char *map; /* whole pages, then one without rights */
	size_t map_bytes;
	struct bytes bytes; /* ends where the rights end */
};

/* A copy of n bytes; the test dies when the kernel has no memory left. */
static inline struct guarded guarded_new(const void *p, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = (n + page - 1) / page * page;
	struct guarded g = { .map_bytes = room + page };

	g.map = mmap(NULL, g.map_bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g.map == MAP_FAILED || mprotect(g.map + room, page, PROT_NONE) == -1)
		abort();
	if (n)
		memcpy(g.map + room - n, p, n);
	g.bytes = (struct bytes){ g.map + room - n, n };
	return g;
}

static inline void guarded_free(struct guarded *g)
{
	munmap(g->map, g->map_bytes);
	*g = (struct guarded){ 0 };
}

#endif
