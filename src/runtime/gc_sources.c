/* The table of sources, and finding symbols for them. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "elf/header.h"
#include "elf/notes.h"
#include "runtime/gc.h"
#include "target/object.h"

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

struct wanted {
	const char *const *names;
	uint64_t *addresses;
	size_t n, found;
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

bool gc_probe(const struct maps *maps, size_t mapping, const char *provider,
	      const char *name, struct gc_point *out)
{
	struct elf_source src = { elf_read_fd, NULL };
	const struct mapping *map;
	struct probe_note note;
	bool ok = false;
	uint64_t vaddr;
	struct elf e;
	int fd;

	if (mapping >= maps->list.n)
		return false;
	map = &maps->list.v[mapping];
	fd = object_open(map->object, NULL);
	if (fd < 0)
		return false;
	src.arg = &fd;
	*out = (struct gc_point){ .execute = true };
	if (elf_read(&src, &e)) {
		ok = !e.class32 && elf_vaddr_of(&e, map->offset, &vaddr) &&
		     read_probe(fd, &e, provider, name, &note) &&
		     (!note.semaphore ||
		      elf_offset_of(&e, note.semaphore, &out->semaphore));
		if (ok)
			out->address = note.location + map->start - vaddr;
		elf_done(&e);
	}
	close(fd);
	return ok;
}

size_t gc_symbols(const struct maps *maps, size_t mapping, const char *const *names,
		  uint64_t *addresses, size_t n)
{
	struct wanted w = { names, addresses, n, 0 };
	const struct mapping *map;
	struct elf_source src = { elf_read_fd, NULL };
	uint64_t vaddr;
	struct elf e;
	size_t i;
	int fd;

	memset(addresses, 0, n * sizeof(*addresses));
	if (mapping >= maps->list.n)
		return 0;
	map = &maps->list.v[mapping];
	fd = object_open(map->object, NULL);
	if (fd < 0)
		return 0;
	src.arg = &fd;
	if (elf_read(&src, &e)) {
		if (!e.class32 && elf_vaddr_of(&e, map->offset, &vaddr)) {
			search_table(fd, &e, ".dynsym", &w);
			search_table(fd, &e, ".symtab", &w);
			for (i = 0; i < n; i++)
				if (addresses[i])
					addresses[i] += map->start - vaddr;
		}
		elf_done(&e);
	}
	close(fd);
	return w.found;
}
