/* Many small allocations that die together. */
#ifndef PTOP_BASE_ARENA_H
#define PTOP_BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;
struct arena {
	struct arena_chunk *chunk; /* newest first */
	size_t used, cap;	   /* of the newest */
	size_t total_bytes;	   /* of all chunks */
};

/* 16-byte aligned, not zeroed. A zeroed struct arena is a valid empty one. */
void *arena_alloc(struct arena *a, size_t bytes);
/* Copies n bytes and a NUL. */
char *arena_strn(struct arena *a, const char *s, size_t n);
char *arena_str(struct arena *a, const char *s);
void arena_done(struct arena *a);

#endif
