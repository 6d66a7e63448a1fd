/* A call of an indirect function goes through a pointer that a relocation filled in: IRELATIVE, which
 * names the resolver by its address, in the file itself; JUMP_SLOT, GLOB_DAT or a plain word, which
 * name the symbol, in the files that use it. A slot not yet bound leads to a linkage table, which
 * is no function of the file that defines the symbol, and is passed over. */
#include "symbol/ifunc.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "elf/header.h"
#include "target/loader.h"

#define TABLE_MAX (64u << 20)
#define FILES_MAX 512u
#define VOTES_MAX 8u

/* A symbol table with its strings. */
struct symtab {
	struct bytes symbols, strings;
};

static void drop(struct bytes *b)
{
	free((void *)(uintptr_t)b->p);
	*b = (struct bytes){ NULL, 0 };
}

static void symtab_done(struct symtab *t)
{
	drop(&t->symbols);
	drop(&t->strings);
}

static bool read_section(int fd, const struct elf_section *s, struct bytes *out)
{
	return s->type != SHT_NOBITS && s->bytes &&
	       file_read_at(fd, s->offset, s->bytes, TABLE_MAX, out) == 0;
}

static bool read_symtab(int fd, const struct elf *e, const struct elf_section *s,
			struct symtab *t)
{
	*t = (struct symtab){ 0 };
	if (!s || s->entry_bytes != sizeof(Elf64_Sym) || s->link >= e->n_sections)
		return false;
	if (read_section(fd, s, &t->symbols) &&
	    read_section(fd, &e->section[s->link], &t->strings))
		return true;
	symtab_done(t);
	return false;
}

static bool symbol_at(const struct symtab *t, size_t i, Elf64_Sym *out)
{
	if (i >= t->symbols.n / sizeof(*out))
		return false;
	memcpy(out, t->symbols.p + i * sizeof(*out), sizeof(*out));
	return true;
}

/* Versions ("@@GLIBC_2.14") stand behind the names of .symtab. */
static bool is_named(const struct symtab *t, const Elf64_Sym *sym, const char *name)
{
	size_t n = strlen(name);

	return sym->st_name < t->strings.n && t->strings.n - sym->st_name > n &&
	       memcmp(t->strings.p + sym->st_name, name, n) == 0 &&
	       (t->strings.p[sym->st_name + n] == '\0' ||
		t->strings.p[sym->st_name + n] == '@');
}

static bool is_code(const Elf64_Sym *sym)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);

	return sym->st_shndx != SHN_UNDEF && sym->st_value != 0 &&
	       (type == STT_FUNC || type == STT_GNU_IFUNC);
}

/* A file that is open, with its header. */
struct opened {
	int fd;
	struct elf elf;
};

static bool open_file(const struct object *o, struct opened *f)
{
	f->fd = o->kind == OBJECT_FILE && object_answers(o) ? object_open(o, NULL) : -1;
	if (f->fd < 0)
		return false;
	if (elf_read(&(struct elf_source){ elf_read_fd, &f->fd }, &f->elf))
		return true;
	close(f->fd);
	return false;
}

static void close_file(struct opened *f)
{
	elf_done(&f->elf);
	close(f->fd);
}

/* Calls fn for the functions of both tables until it returns true. */
static bool each_function(const struct object *o,
			  bool (*fn)(void *arg, const struct opened *f,
				     const struct symtab *t, const Elf64_Sym *sym),
			  void *arg)
{
	static const char *const names[] = { ".dynsym", ".symtab" };
	struct opened f;
	bool found = false;
	size_t k, i;

	if (!open_file(o, &f))
		return false;
	for (k = 0; k < 2 && !found; k++) {
		struct symtab t;
		Elf64_Sym sym;

		if (!read_symtab(f.fd, &f.elf, elf_section(&f.elf, names[k]), &t))
			continue;
		for (i = 0; !found && symbol_at(&t, i, &sym); i++)
			found = is_code(&sym) && fn(arg, &f, &t, &sym);
		symtab_done(&t);
	}
	close_file(&f);
	return found;
}

struct wanted {
	const char *name;
	struct symbol *out;
	bool *indirect;
	uint64_t start;
};

static bool has_name(void *arg, const struct opened *f, const struct symtab *t,
		     const Elf64_Sym *sym)
{
	struct wanted *w = arg;

	if (!is_named(t, sym, w->name) ||
	    !elf_offset_of(&f->elf, sym->st_value, &w->out->start))
		return false;
	w->out->name = w->name;
	w->out->size = sym->st_size;
	w->out->vaddr = sym->st_value;
	*w->indirect = ELF64_ST_TYPE(sym->st_info) == STT_GNU_IFUNC;
	return true;
}

bool symbol_alias(const struct object *o, const char *name, struct symbol *out,
		  bool *indirect)
{
	struct wanted w = { .name = name, .out = out, .indirect = indirect };

	return each_function(o, has_name, &w);
}

static bool is_resolver(void *arg, const struct opened *f, const struct symtab *t,
			const Elf64_Sym *sym)
{
	const struct wanted *w = arg;
	uint64_t offset;

	(void)t;
	return ELF64_ST_TYPE(sym->st_info) == STT_GNU_IFUNC &&
	       elf_offset_of(&f->elf, sym->st_value, &offset) && offset == w->start;
}

bool symbol_is_indirect(const struct object *o, uint64_t start)
{
	return each_function(o, is_resolver, &(struct wanted){ .start = start });
}

/* ---- What it was resolved to -------------------------------------------------------------- */

struct votes {
	const struct maps *maps;
	const struct mem *mem;
	const struct object *object;
	const char *name;
	uint64_t vaddr; /* of the resolver, as its file numbers it */
	uint64_t address[VOTES_MAX];
	unsigned n[VOTES_MAX];
	size_t used;
};

/* The variants stand in the file that has the resolver, or in the vdso. */
static void vote(struct votes *v, uint64_t slot)
{
	const struct mapping *map;
	uint64_t address;
	size_t i;

	if (!v->mem->read(v->mem, slot, &address, sizeof(address)))
		return;
	map = maps_find(v->maps, address);
	if (!map || (map->object != v->object && map->object->kind != OBJECT_VDSO))
		return;
	for (i = 0; i < v->used && v->address[i] != address; i++)
		;
	if (i == VOTES_MAX)
		return;
	if (i == v->used)
		v->address[v->used++] = address;
	v->n[i]++;
}

static void read_relocations(struct votes *v, const struct opened *f, const char *section,
			     const struct symtab *t, uint64_t bias, bool own)
{
	const struct elf_section *s = elf_section(&f->elf, section);
	struct bytes b;
	size_t i;

	if (!s || s->entry_bytes != sizeof(Elf64_Rela) || !read_section(f->fd, s, &b))
		return;
	for (i = 0; i < b.n / sizeof(Elf64_Rela); i++) {
		Elf64_Rela r;
		Elf64_Sym sym;

		memcpy(&r, b.p + i * sizeof(r), sizeof(r));
		switch (ELF64_R_TYPE(r.r_info)) {
		case R_X86_64_IRELATIVE:
			if (own && (uint64_t)r.r_addend == v->vaddr)
				vote(v, bias + r.r_offset);
			break;
		case R_X86_64_JUMP_SLOT:
		case R_X86_64_GLOB_DAT:
		case R_X86_64_64:
			if (symbol_at(t, ELF64_R_SYM(r.r_info), &sym) &&
			    is_named(t, &sym, v->name))
				vote(v, bias + r.r_offset);
			break;
		default:
			break;
		}
	}
	drop(&b);
}

static void read_file(struct votes *v, const struct mapping *map)
{
	struct symtab t = { 0 };
	struct opened f;
	uint64_t vaddr;

	if (!open_file(map->object, &f))
		return;
	read_symtab(f.fd, &f.elf, elf_section(&f.elf, ".dynsym"), &t);
	if (elf_vaddr_of(&f.elf, map->offset, &vaddr)) {
		bool own = map->object == v->object;

		read_relocations(v, &f, ".rela.plt", &t, map->start - vaddr, own);
		read_relocations(v, &f, ".rela.dyn", &t, map->start - vaddr, own);
	}
	symtab_done(&t);
	close_file(&f);
}

bool symbol_resolved(const struct maps *maps, const struct mem *mem,
		     const struct object *o, const char *name, uint64_t start,
		     uint64_t *address)
{
	struct votes v = { .maps = maps, .mem = mem, .object = o, .name = name };
	const struct object *last = NULL;
	struct opened f;
	size_t i, files = 0, best = 0;
	bool ok;

	if (!open_file(o, &f))
		return false;
	ok = elf_vaddr_of(&f.elf, start, &v.vaddr);
	close_file(&f);
	for (i = 0; ok && i < maps->list.n && files < FILES_MAX; i++) {
		const struct mapping *map = &maps->list.v[i];

		if (map->object == last || map->object->kind != OBJECT_FILE)
			continue;
		last = map->object;
		files++;
		read_file(&v, map);
	}
	for (i = 1; i < v.used; i++)
		if (v.n[i] > v.n[best])
			best = i;
	if (v.used > 0)
		*address = v.address[best];
	return v.used > 0;
}
