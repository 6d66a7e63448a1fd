/* Chunks double up to 256 KiB; a request larger than that gets a chunk of its own. */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define CHUNK_MIN 4096u
#define CHUNK_MAX (256u * 1024u)

struct arena_chunk {
	struct arena_chunk *next;
	_Alignas(16) unsigned char data[];
};

void *arena_alloc(struct arena *a, size_t bytes)
{
	void *p;

	bytes = (bytes + 15) & ~(size_t)15;
	if (!a->chunk || bytes > a->cap - a->used) {
		size_t cap = a->cap ? a->cap * 2 : CHUNK_MIN;
		struct arena_chunk *c;

		if (cap > CHUNK_MAX)
			cap = CHUNK_MAX;
		if (cap < bytes)
			cap = bytes;
		c = xmalloc(sizeof(*c) + cap);
		c->next = a->chunk;
		a->chunk = c;
		a->cap = cap;
		a->used = 0;
		a->total_bytes += cap;
	}
	p = a->chunk->data + a->used;
	a->used += bytes;
	return p;
}

char *arena_strn(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *arena_str(struct arena *a, const char *s)
{
	return arena_strn(a, s, strlen(s));
}

void arena_done(struct arena *a)
{
	while (a->chunk) {
		struct arena_chunk *next = a->chunk->next;

		free(a->chunk);
		a->chunk = next;
	}
	*a = (struct arena){ 0 };
}
