/* Go's collections by the ring the runtime keeps of them: what debug.ReadGCStats() would
 * say, bit for bit. A pause there is the sum of a cycle's two stops of the world. Until the
 * program's first collection there is nothing to find, so it is looked for again now and
 * then. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "elf/header.h"
#include "runtime/gc.h"
#include "runtime/go/ring.h"
#include "target/loader.h"
#include "target/memory.h"

#define LOOK_NS (250 * NS_PER_MSEC)
#define SEARCH_FIRST_NS (500 * NS_PER_MSEC)
#define SEARCH_LAST_NS (8 * NS_PER_SEC)
#define SECTION_MAX (16u << 20)
#define SECTIONS 3u

struct section {
	uint64_t address, bytes;
};

struct section_search {
	uint64_t start, offset; /* of the mapping */
	struct section section[SECTIONS];
	bool is_go;
};

struct source {
	pid_t pid;
	struct pauses *to;
	size_t row;
	struct section section[SECTIONS];
	uint64_t since_unix_ns; /* collections before are not told */
	uint64_t address;	/* of the ring; 0 not found */
	uint32_t n;		/* told */
	uint64_t search_ns, gap_ns;
	struct go_ring ring;
};

/* The sections that may hold it, in the order of likelihood, where they are in the target. */
static void search_sections(int fd, const struct object *o, void *arg)
{
	static const char *const names[SECTIONS] = { ".noptrbss", ".bss", ".data" };
	struct elf_source src = { elf_read_fd, &fd };
	struct section_search *s = arg;
	uint64_t vaddr;
	struct elf e;
	size_t i;

	(void)o;
	if (!elf_read(&src, &e))
		return;
	s->is_go = !e.class32 && elf_vaddr_of(&e, s->offset, &vaddr) &&
		   (elf_section(&e, ".gopclntab") || elf_section(&e, ".go.buildinfo") ||
		    elf_section(&e, ".data.rel.ro.gopclntab"));
	for (i = 0; s->is_go && i < SECTIONS; i++) {
		const struct elf_section *x = elf_section(&e, names[i]);

		if (!x)
			continue;
		s->section[i].address = x->address + s->start - vaddr;
		s->section[i].bytes = x->bytes < SECTION_MAX ? x->bytes : SECTION_MAX;
	}
	elf_done(&e);
}

static bool find_sections(struct source *s, const struct mapping *map)
{
	struct section_search search;
	int ret;

	memset(&search, 0, sizeof(search)); /* compared as bytes */
	search.start = map->start;
	search.offset = map->offset;
	ret = object_use(map->object, &(struct loader_request){ search_sections, &search,
								sizeof(search), NULL });
	memcpy(s->section, search.section, sizeof(s->section));
	return !ret && search.is_go;
}

static uint64_t search(const struct source *s)
{
	uint64_t found = 0, now = clock_wall_ns();
	size_t i, at;

	for (i = 0; i < SECTIONS && !found; i++) {
		size_t n = s->section[i].bytes;
		unsigned char *p = n ? malloc(n) : NULL;
		ssize_t got =
		    p ? mem_live_read_some(s->pid, s->section[i].address, p, n) : 0;

		if (got > 0) {
			at = go_ring_find((struct bytes){ p, (size_t)got }, now);
			if (at != SIZE_MAX)
				found = s->section[i].address + at;
		}
		free(p);
	}
	return found;
}

static uint32_t told_before(const struct source *s)
{
	uint32_t n = s->ring.n, back = 0;

	while (back < GO_RING && back < n &&
	       s->ring.end_unix_ns[(n - 1 - back) % GO_RING] >= s->since_unix_ns)
		back++;
	return n - back;
}

/* The program's clock may have been set since; a time ahead of ours is now. */
static uint64_t to_monotonic(uint64_t unix_ns, uint64_t now)
{
	uint64_t wall = clock_wall_ns(), ago = wall > unix_ns ? wall - unix_ns : 0;

	return ago < now ? now - ago : now;
}

static void tell(struct source *s, uint64_t now)
{
	uint32_t n = s->ring.n - s->n, i;

	if (n == 0)
		return;
	pauses_count(s->to, s->row, now, n);
	if (n > GO_RING) {
		s->to->unseen += n - GO_RING;
		n = GO_RING;
	}
	for (i = s->ring.n - n; i != s->ring.n; i++)
		pauses_time(s->to, s->row,
			    to_monotonic(s->ring.end_unix_ns[i % GO_RING], now),
			    s->ring.pause_ns[i % GO_RING], 1);
	s->n = s->ring.n;
}

static bool look(void *source, uint64_t now)
{
	struct source *s = source;
	unsigned char bytes[GO_RING_BYTES];
	bool fresh = s->address == 0;
	uint32_t n;

	if (fresh && now >= s->search_ns) {
		s->address = search(s);
		s->search_ns = now + s->gap_ns;
		s->gap_ns = s->gap_ns < SEARCH_LAST_NS ? 2 * s->gap_ns : SEARCH_LAST_NS;
	}
	if (!s->address)
		return true;
	if (!fresh) {
		if (mem_live_read_some(s->pid, s->address + 16 * GO_RING, &n,
				       sizeof(n)) != sizeof(n))
			return false;
		if (n == s->n)
			return true;
	}
	if (mem_live_read_some(s->pid, s->address, bytes, sizeof(bytes)) !=
	    (ssize_t)sizeof(bytes))
		return false;
	/* Torn, for it is being written: the next look will do. */
	if (!go_ring_read((struct bytes){ bytes, sizeof(bytes) }, clock_wall_ns(),
			  &s->ring))
		return true;
	if (fresh || s->ring.n - s->n > GC_STEP_MOST)
		s->n = told_before(s);
	tell(s, now);
	return true;
}

static void *open_source(const struct gc_place *place, struct pauses *to)
{
	size_t main = gc_mapping(place->maps, NULL);
	struct source *s;

	if (main == place->maps->list.n)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	if (!find_sections(s, &place->maps->list.v[main])) {
		free(s);
		return NULL;
	}
	s->pid = place->pid;
	s->to = to;
	s->gap_ns = SEARCH_FIRST_NS;
	s->since_unix_ns = clock_wall_ns();
	s->row = pauses_row(to, "Go", "runtime.memstats", "cycle");
	return s;
}

static void close_source(void *source)
{
	free(source);
}

const struct gc_source go_gc_source = {
	.name = "Go",
	.open = open_source,
	.close = close_source,
	.period_ns = LOOK_NS,
	.armed_period_ns = LOOK_NS,
	.look = look,
};
