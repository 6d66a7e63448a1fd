/* Reads .symtab or .dynsym in slices: first the entries, of which functions are kept with
 * the place of their name, then the names in the order in which they stand in the string
 * table, through a window. So the peak is little above what stays, also for tables of a
 * hundred megabytes, and no file of a stranger is mapped: one that shrinks meanwhile is a
 * failed read, not a SIGBUS. */
#include "symbol/elfsyms.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define SLICE 2048 /* symbols read at once */
#define WINDOW (256u << 10)
/* A function without a size ends where the next symbol starts, its section at the latest,
 * but not later than this. */
#define OPEN_SIZE_MAX (1u << 20)
#define SYMBOLS_MAX (32u << 20)
#define STRINGS_MAX (1ull << 30)
/* Names may share their ends ("puts" in "fputs"); a table in which they come to more than this
 * many times its bytes was made to fill memory. */
#define NAMES_TIMES 4u
#define NAMES_SLACK (64u << 10)

/* What decides between two names of one address. */
static uint32_t rank(const Elf64_Sym *sym)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);

	return (type != STT_NOTYPE ? 2 : 0) +
	       (ELF64_ST_BIND(sym->st_info) != STB_LOCAL ? 1 : 0);
}

/* The size of a symbol whose own is 0: to the end of its section. */
static uint64_t open_size(const struct elf *e, const Elf64_Sym *sym)
{
	const struct elf_section *s;
	uint64_t into;

	if (sym->st_shndx >= e->n_sections)
		return 0;
	s = &e->section[sym->st_shndx];
	into = sym->st_value - s->address;
	if (sym->st_value < s->address || into >= s->bytes)
		return 0;
	return s->bytes - into < OPEN_SIZE_MAX ? s->bytes - into : OPEN_SIZE_MAX;
}

static bool in_code(const struct elf *code, uint64_t vaddr)
{
	size_t i;

	for (i = 0; i < code->n_segments; i++) {
		const struct elf_segment *s = &code->segment[i];

		if (s->executable && vaddr >= s->vaddr &&
		    vaddr - s->vaddr < s->file_bytes)
			return true;
	}
	return false;
}

/* Functions, and labels of assembly that nobody gave a type. */
static bool is_function(const struct elf *code, const Elf64_Sym *sym)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);

	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS || sym->st_name == 0)
		return false;
	if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
		return false;
	return in_code(code, sym->st_value);
}

static void add_symbol(struct table *t, const struct elf *e, const struct elf *code,
		       const Elf64_Sym *sym)
{
	struct span f = { .name = sym->st_name, .rank = rank(sym) };
	uint64_t size = sym->st_size;

	if (!is_function(code, sym) || !elf_offset_of(code, sym->st_value, &f.start))
		return;
	if (size == 0) {
		f.open = true;
		size = open_size(e, sym);
	}
	f.size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
	if (f.size > 0)
		table_add(t, f);
}

static void add_symbols(struct table *t, const struct elf_file *from,
			const struct elf *code, const struct elf_section *s)
{
	Elf64_Sym *slice = xmalloc(SLICE * sizeof(*slice));
	uint64_t n = s->bytes / sizeof(*slice), at, i;

	if (n > SYMBOLS_MAX)
		n = SYMBOLS_MAX;
	for (at = 0; at < n; at += SLICE) {
		uint64_t here = n - at < SLICE ? n - at : SLICE;

		if (!from->source.read(from->source.arg, s->offset + at * sizeof(*slice),
				       slice, here * sizeof(*slice)))
			break;
		for (i = 0; i < here; i++)
			add_symbol(t, &from->elf, code, &slice[i]);
	}
	free(slice);
}

static int by_name(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->name > y->name) - (x->name < y->name);
}

/* A slice of the string table: [at, at + n). */
struct window {
	const struct elf_file *file;
	const struct elf_section *strings;
	uint64_t at;
	size_t n;
	char *p;
};

static bool window_move(struct window *w, uint64_t at)
{
	uint64_t left = w->strings->bytes - at;

	w->at = at;
	w->n = left < WINDOW ? left : WINDOW;
	if (w->file->source.read(w->file->source.arg, w->strings->offset + at, w->p,
				 w->n))
		return true;
	w->n = 0;
	return false;
}

/* The name at this offset; n is its length, cut to what is ever shown. NULL when there is
 * none: the table ends first, or the read fails. */
static const char *window_name(struct window *w, uint64_t at, size_t *n)
{
	const char *s;

	if (at >= w->strings->bytes)
		return NULL;
	if (at < w->at || at + NAME_BYTES_MAX > w->at + w->n) {
		bool at_end =
		    at >= w->at && w->at + w->n == w->strings->bytes && at < w->at + w->n;

		if (!at_end && !window_move(w, at))
			return NULL;
	}
	s = w->p + (at - w->at);
	*n = strnlen(s, w->n - (at - w->at) < NAME_BYTES_MAX ? w->n - (at - w->at)
							     : NAME_BYTES_MAX);
	return s;
}

/* Assembler-local labels and mapping symbols are no functions. GNU versions
 * ("@@GLIBC_2.2.5") belong to the linker. */
static uint32_t keep_name(struct table *t, const char *s, size_t n)
{
	const char *at = n > 1 ? memchr(s + 1, '@', n - 1) : NULL;

	if (n == 0 || s[0] == '$' || (n > 1 && s[0] == '.' && s[1] == 'L'))
		return NAME_NONE;
	return table_name(t, s, at ? (size_t)(at - s) : n);
}

/* Replaces the places of names in the string table by places in ours, for spans from
 * `first` on; spans without a name are dropped. */
static void read_names(struct table *t, size_t first, const struct elf_file *from,
		       const struct elf_section *strings)
{
	struct window w = { .file = from, .strings = strings, .p = xmalloc(WINDOW) };
	struct span *v = t->spans.v;
	uint32_t offset = NAME_NONE, name = NAME_NONE;
	uint64_t limit = t->names.n + NAMES_TIMES * strings->bytes + NAMES_SLACK;
	size_t i, kept = first;

	if (t->spans.n > first)
		qsort(v + first, t->spans.n - first, sizeof(*v), by_name);
	for (i = first; i < t->spans.n; i++) {
		if (t->names.n > limit) {
			t->note = "its symbols' names overlap: many are left out";
			break;
		}
		if (v[i].name != offset) {
			size_t n = 0;
			const char *s = window_name(&w, v[i].name, &n);

			offset = v[i].name;
			name = s ? keep_name(t, s, n) : NAME_NONE;
		}
		if (name == NAME_NONE)
			continue;
		v[kept] = v[i];
		v[kept++].name = name;
	}
	t->spans.n = kept;
	free(w.p);
}

bool elfsyms_add(struct table *t, const struct elf_file *from, const struct elf *code,
		 const char *section)
{
	const struct elf_section *s = elf_section(&from->elf, section), *strings;
	size_t first = t->spans.n;

	if (!s || (s->type != SHT_SYMTAB && s->type != SHT_DYNSYM) ||
	    s->entry_bytes != sizeof(Elf64_Sym) || s->link >= from->elf.n_sections)
		return false;
	strings = &from->elf.section[s->link];
	if (strings->type != SHT_STRTAB || strings->bytes > STRINGS_MAX ||
	    s->offset > UINT64_MAX / 2 || strings->offset > UINT64_MAX / 2)
		return false;
	add_symbols(t, from, code, s);
	read_names(t, first, from, strings);
	return t->spans.n > first;
}
