/* The table of sources, and finding symbols for them. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "elf/header.h"
#include "elf/notes.h"
#include "runtime/gc.h"
#include "target/loader.h"

#define TABLE_BYTES_MAX (64u << 20)

#define GC_SOURCE(name) extern const struct gc_source name##_source;
#include "runtime/gc_sources.def"
#undef GC_SOURCE

#define GC_SOURCE(name) &name##_source,
const struct gc_source *const gc_sources[] = {
#include "runtime/gc_sources.def"
	NULL
};
#undef GC_SOURCE

size_t gc_mapping(const struct maps *maps, const char *part)
{
	size_t i;

	for (i = 0; i < maps->list.n; i++) {
		const struct object *o = maps->list.v[i].object;

		if (o->kind == OBJECT_FILE &&
		    (part ? strstr(o->name, part) != NULL : o->main))
			return i;
	}
	return maps->list.n;
}

#define WANTED_MAX 16u

/* Names are literals: a thread that is left behind may use them later. */
struct wanted {
	const char *names[WANTED_MAX];
	uint64_t addresses[WANTED_MAX];
	size_t n, found;
	uint64_t start, offset; /* of the mapping */
};

static bool is_named(struct bytes names, uint32_t at, const char *want)
{
	size_t n = strlen(want) + 1;

	return at < names.n && names.n - at >= n && memcmp(names.p + at, want, n) == 0;
}

static void search(struct bytes symbols, struct bytes names, struct wanted *w)
{
	size_t i, k;

	for (i = 0; i < symbols.n / sizeof(Elf64_Sym) && w->found < w->n; i++) {
		Elf64_Sym sym;

		memcpy(&sym, symbols.p + i * sizeof(sym), sizeof(sym));
		if (sym.st_shndx == SHN_UNDEF || sym.st_value == 0)
			continue;
		for (k = 0; k < w->n; k++)
			if (!w->addresses[k] &&
			    is_named(names, sym.st_name, w->names[k])) {
				w->addresses[k] = sym.st_value;
				w->found++;
			}
	}
}

static void search_table(int fd, const struct elf *e, const char *section,
			 struct wanted *w)
{
	const struct elf_section *s = elf_section(e, section), *names;
	struct bytes a = { 0 }, b = { 0 };

	if (!s || s->link >= e->n_sections || w->found == w->n)
		return;
	names = &e->section[s->link];
	if (file_read_at(fd, s->offset, s->bytes, TABLE_BYTES_MAX, &a) == 0 &&
	    file_read_at(fd, names->offset, names->bytes, TABLE_BYTES_MAX, &b) == 0)
		search(a, b, w);
	free((void *)(uintptr_t)a.p);
	free((void *)(uintptr_t)b.p);
}

static bool read_probe(int fd, const struct elf *e, const char *provider,
		       const char *name, struct probe_note *out)
{
	const struct elf_section *s = elf_section(e, ".note.stapsdt");
	const struct elf_section *base = elf_section(e, ".stapsdt.base");
	struct bytes b = { 0 };
	bool ok = false;

	if (s && file_read_at(fd, s->offset, s->bytes, TABLE_BYTES_MAX, &b) == 0)
		ok = notes_probe(b, provider, name, out);
	free((void *)(uintptr_t)b.p);
	/* A file that was moved after linking says so by its base. */
	if (ok && base)
		out->location += base->address - out->base;
	return ok;
}

/* Provider and name are literals: a thread that is left behind may use them later. */
struct probe_search {
	const char *provider, *name;
	uint64_t start, offset, address, semaphore;
	bool ok;
};

static void search_probe(int fd, const struct object *o, void *arg)
{
	struct elf_source src = { elf_read_fd, &fd };
	struct probe_search *s = arg;
	struct probe_note note;
	uint64_t vaddr;
	struct elf e;

	(void)o;
	if (!elf_read(&src, &e))
		return;
	s->ok = !e.class32 && elf_vaddr_of(&e, s->offset, &vaddr) &&
		read_probe(fd, &e, s->provider, s->name, &note) &&
		(!note.semaphore || elf_offset_of(&e, note.semaphore, &s->semaphore));
	if (s->ok)
		s->address = note.location + s->start - vaddr;
	elf_done(&e);
}

bool gc_probe(const struct maps *maps, size_t mapping, const char *provider,
	      const char *name, struct gc_point *out)
{
	const struct mapping *map;
	struct probe_search s;

	if (mapping >= maps->list.n)
		return false;
	map = &maps->list.v[mapping];
	memset(&s, 0, sizeof(s)); /* compared as bytes */
	s.provider = provider;
	s.name = name;
	s.start = map->start;
	s.offset = map->offset;
	if (object_use(map->object,
		       &(struct loader_request){ search_probe, &s, sizeof(s), NULL }))
		return false;
	*out = (struct gc_point){ .execute = true,
				  .address = s.address,
				  .semaphore = s.semaphore };
	return s.ok;
}

static void search_tables(int fd, const struct object *o, void *arg)
{
	struct elf_source src = { elf_read_fd, &fd };
	struct wanted *w = arg;
	uint64_t vaddr;
	struct elf e;
	size_t i;

	(void)o;
	if (!elf_read(&src, &e))
		return;
	if (!e.class32 && elf_vaddr_of(&e, w->offset, &vaddr)) {
		search_table(fd, &e, ".dynsym", w);
		search_table(fd, &e, ".symtab", w);
		for (i = 0; i < w->n; i++)
			if (w->addresses[i])
				w->addresses[i] += w->start - vaddr;
	}
	elf_done(&e);
}

size_t gc_symbols(const struct maps *maps, size_t mapping, const char *const *names,
		  uint64_t *addresses, size_t n)
{
	const struct mapping *map;
	struct wanted w;

	memset(addresses, 0, n * sizeof(*addresses));
	if (mapping >= maps->list.n || n > WANTED_MAX)
		return 0;
	map = &maps->list.v[mapping];
	memset(&w, 0, sizeof(w)); /* compared as bytes */
	memcpy(w.names, names, n * sizeof(*names));
	w.n = n;
	w.start = map->start;
	w.offset = map->offset;
	if (object_use(map->object,
		       &(struct loader_request){ search_tables, &w, sizeof(w), NULL }))
		return 0;
	memcpy(addresses, w.addresses, n * sizeof(*addresses));
	return w.found;
}
