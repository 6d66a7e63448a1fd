/* A chunk (glibc 2.3 to 2.42, 64 bit): 8 bytes that belong to the chunk before it, then
 *
 *	size, a multiple of 16; bit 0 the chunk before is in use, bit 1 a mapping of its own,
 *	bit 2 of an arena that is not the main one
 *
 * A heap ends in its top chunk, or in two chunks of no use of 16 and 0 bytes. An arena's
 * heap starts with { arena, previous heap, size, size that may be touched }; the arena
 * itself stands behind that in its first heap, so where the chunks begin depends on the
 * version: it is searched. */
#include "runtime/malloc/glibc.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/mem_cache.h"
#include "target/maps.h"

#define REGIONS_MOST 100000u
#define ALIGN 16u
#define LEAST 32u
#define IN_USE_BEFORE 1u
#define FLAGS 7u
#define ARENA_BYTES (64ull << 20)
#define ARENA_HEAD_MOST 0xc00u
#define CHUNK_MOST (1ull << 40)
#define CHAIN 8
#define RESYNC_BYTES (1u << 20)
#define RESYNCS_MOST 1000u
#define STEPS_A_LOOK 1024u
#define MISSES_MOST (1u << 18) /* pages of a region that begin no chunk */
#define PROBES_MOST (1u << 21)
#define BLOCKS 64u

struct walk {
	struct mem_cache cache;
	struct census *out;
	uint64_t until_ns;
	uint32_t steps, probes, resyncs;
};

static bool over(struct walk *w)
{
	if (++w->steps % STEPS_A_LOOK == 0 && clock_now_ns() > w->until_ns)
		w->out->cut = true;
	return w->out->cut;
}

static bool word(struct walk *w, uint64_t address, uint64_t *out)
{
	return mem_cache_read(&w->cache, address, out, sizeof(*out));
}

/* ---- one heap ---- */

/* Do CHAIN chunks follow each other from here, or fewer up to the end? */
static bool chain(struct walk *w, uint64_t p, uint64_t end)
{
	int i;

	for (i = 0; i < CHAIN && p < end; i++) {
		uint64_t head, size;

		if (end - p < ALIGN || !word(w, p + 8, &head))
			return false;
		size = head & ~(uint64_t)FLAGS;
		if (size < LEAST || size % ALIGN || size > end - p ||
		    (size == end - p && i == 0))
			return false;
		p += size;
	}
	return true;
}

/* The next place from `p` on, before `limit`, from which chunks follow; 0 none. */
static uint64_t resync(struct walk *w, uint64_t p, uint64_t limit, uint64_t end)
{
	for (; p < limit && !over(w); p += ALIGN)
		if (chain(w, p, end))
			return p;
	return 0;
}

static void count(struct walk *w, uint64_t size, bool in_use)
{
	if (size && in_use)
		census_add(w->out, size, size);
	else if (size)
		census_add(w->out, HEAP_FREE, size);
}

/* A chunk that reaches past the end as it was when the maps were read: the heap has grown
 * since, and all that is beyond is news. */
static bool grown(struct walk *w, uint64_t next)
{
	uint64_t head;

	return next % MEM_PAGE == 0 || word(w, next + 8, &head);
}

static void walk_heap(struct walk *w, uint64_t p, uint64_t end)
{
	uint64_t before = 0, head, size; /* before: size of a chunk not counted yet */

	while (p < end && !over(w)) {
		if (end - p < ALIGN || !word(w, p + 8, &head)) {
			w->out->torn++; /* swapped out, or gone */
			return;
		}
		size = head & ~(uint64_t)FLAGS;
		count(w, before, head & IN_USE_BEFORE);
		before = 0;
		if (size == 0)
			return; /* behind the last chunk of a heap that is full */
		if (size == ALIGN) {
			p += size;
			continue;
		}
		if (size >= LEAST && size % ALIGN == 0 && size <= CHUNK_MOST &&
		    (size < end - p || grown(w, p + size))) {
			before = size;
			p += size;
			continue; /* the top chunk ends the loop, uncounted */
		}
		w->out->torn++;
		if (++w->resyncs > RESYNCS_MOST)
			return;
		p = resync(w, p + ALIGN, end - p > RESYNC_BYTES ? p + RESYNC_BYTES : end,
			   end);
		if (!p)
			return;
	}
}

/* ---- arenas and mappings ---- */

/* Bytes of the arena's heap that starts here, or 0. */
static uint64_t arena_heap(struct walk *w, uint64_t at, uint64_t end)
{
	uint64_t head[4], first = at + 0x20, limit, p;
	bool own;

	if (at % ARENA_BYTES || !mem_cache_read(&w->cache, at, head, sizeof(head)))
		return 0;
	own = head[0] - at >= 0x20 && head[0] - at < 0x100; /* the arena is in it */
	if (head[2] % MEM_PAGE || head[2] < MEM_PAGE || head[2] > ARENA_BYTES ||
	    head[3] < head[2] || head[3] > ARENA_BYTES || head[1] % ARENA_BYTES ||
	    head[0] % 8 || (!own && (head[0] % ARENA_BYTES >= 0x100 || !head[1])))
		return 0;
	limit = end - at < head[2] ? end : at + head[2];
	first = own ? at + 0x800 : first;
	p = resync(w, first, at + ARENA_HEAD_MOST < limit ? at + ARENA_HEAD_MOST : limit,
		   limit);
	if (p)
		walk_heap(w, p, limit);
	return head[2];
}

/* Bytes of the chunk with a mapping of its own that starts at this page, or 0. */
static uint64_t mapped_chunk(struct walk *w, uint64_t at, uint64_t end)
{
	uint64_t head[2], size;

	if (!mem_cache_read(&w->cache, at, head, sizeof(head)))
		return 0;
	size = head[1] & ~(uint64_t)FLAGS;
	if (head[0] || (head[1] & FLAGS) != HEAP_MAPPED || size < MEM_PAGE ||
	    size % MEM_PAGE || size > end - at)
		return 0;
	census_add(w->out, size | HEAP_MAPPED, size);
	return size;
}

/* A reserve of terabytes is not asked page by page: beyond so many only where an arena may
 * begin. */
static void walk_region(struct walk *w, const struct heap_region *r)
{
	uint64_t p = r->start, n;
	uint32_t misses = 0;

	while (p < r->end && !over(w)) {
		n = arena_heap(w, p, r->end);
		if (!n)
			n = mapped_chunk(w, p, r->end);
		if (!n) {
			n = misses++ < MISSES_MOST ? MEM_PAGE
						   : ARENA_BYTES - p % ARENA_BYTES;
			w->out->cut |= ++w->probes > PROBES_MOST;
		}
		if (n > r->end - p)
			return;
		p += n;
	}
}

static void walk_brk(struct walk *w, const struct heap_region *r)
{
	uint64_t limit = r->end - r->start < MEM_PAGE ? r->end : r->start + MEM_PAGE;
	uint64_t p = resync(w, r->start, limit, r->end);

	if (p)
		walk_heap(w, p, r->end);
}

/* ---- names ---- */

static void name_rows(struct census *c)
{
	size_t i;

	for (i = 0; i < c->rows.n; i++) {
		struct census_row *r = &c->rows.v[i];
		unsigned long long size = r->key & ~(uint64_t)FLAGS;
		char text[64];

		if (r->key == CENSUS_OTHERS)
			snprintf(text, sizeof(text), "[other sizes]");
		else if (r->key == HEAP_FREE)
			snprintf(text, sizeof(text), "[free]");
		else if (r->key & HEAP_MAPPED)
			snprintf(text, sizeof(text), "%llu bytes, mapped", size);
		else /* what was asked for: 8 bytes and the rounding less */
			snprintf(text, sizeof(text), "%llu bytes (malloc %llu-%llu)",
				 size, size == LEAST ? 0 : size - 23, size - 8);
		r->name = arena_str(&c->arena, text);
	}
}

void heap_regions_parse(heap_regions *out, struct bytes maps)
{
	struct cursor c = cursor_over(maps);
	struct bytes line;
	struct maps_line l;

	while (out->n < REGIONS_MOST && cursor_line(&c, &line)) {
		struct heap_region *last = out->n ? &out->v[out->n - 1] : NULL;
		bool brk, anonymous;

		if (!maps_parse_line(line, &l) || !l.readable || !l.writable)
			continue;
		brk = l.path.n == 6 && memcmp(l.path.p, "[heap]", 6) == 0;
		anonymous = l.inode == 0 &&
			    (l.path.n == 0 ||
			     (l.path.n > 6 && memcmp(l.path.p, "[anon:", 6) == 0));
		if (!brk && !anonymous)
			continue;
		if (last && last->end == l.start && last->brk == brk) {
			last->end = l.end;
			continue;
		}
		*VEC_PUSH(out) = (struct heap_region){ l.start, l.end, brk };
	}
}

void heap_census(const heap_regions *regions, const struct mem *mem, uint64_t until_ns,
		 struct census *out)
{
	struct walk w = { .out = out, .until_ns = until_ns };
	size_t i;

	out->time_ns = clock_now_ns();
	mem_cache_init(&w.cache, mem, BLOCKS, MEM_BLOCK_PAGES_MOST);
	for (i = 0; i < regions->n && !out->cut; i++)
		if (regions->v[i].brk)
			walk_brk(&w, &regions->v[i]);
		else
			walk_region(&w, &regions->v[i]);
	mem_cache_done(&w.cache);
	name_rows(out);
	out->took_ns = clock_now_ns() - out->time_ns;
}
