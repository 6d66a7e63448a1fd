/* Where a Go executable keeps its .gopclntab. Usually that is a section of this name; a
 * linker that is not Go's own puts a position-independent executable's table into
 * .data.rel.ro, where only its header tells it apart. There the address of Go's first
 * function, to which all others are relative, is 0 in the file and made by the dynamic
 * linker: so it is in .rela.dyn. */
#include "elf/gopclntab.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define TABLE_MAX (256u << 20)
#define RELOCATIONS_MAX (64u << 20) /* bytes of .rela.dyn */
/* The table is aligned to 32 in its section, and .data.rel.ro as much as its members. */
#define TABLE_ALIGN 32
/* Offset of the text start in the headers of 1.18 and later, with 8-byte pointers. */
#define TEXT_START_AT 24

static unsigned char *read_section(const struct elf_section *s,
				   const struct elf_source *src, size_t limit)
{
	unsigned char *p = s->type == SHT_NOBITS ? NULL : try_alloc(s->bytes, 1, limit);

	if (p && !src->read(src->arg, s->offset, p, s->bytes)) {
		free(p);
		p = NULL;
	}
	return p;
}

/* The addend of the relative relocation that writes the word at `vaddr`. */
static uint64_t relocated(const struct elf *e, const struct elf_source *src,
			  uint64_t vaddr)
{
	const struct elf_section *s = elf_section(e, ".rela.dyn");
	unsigned char *p = s ? read_section(s, src, RELOCATIONS_MAX) : NULL;
	uint64_t found = 0;
	Elf64_Rela r;
	size_t i;

	for (i = 0; p && i + sizeof(r) <= s->bytes && !found; i += sizeof(r)) {
		memcpy(&r, p + i, sizeof(r));
		if (r.r_offset == vaddr && ELF64_R_TYPE(r.r_info) == R_X86_64_RELATIVE)
			found = (uint64_t)r.r_addend;
	}
	free(p);
	return found;
}

static uint64_t text_start(const struct elf *e, const struct elf_source *src,
			   uint64_t table_vaddr)
{
	const struct elf_section *text = elf_section(e, ".text");
	uint64_t at = relocated(e, src, table_vaddr + TEXT_START_AT);

	if (at == 0 && text)
		at = text->address;
	return at;
}

/* The table in the bytes of a section, from its own start on. */
static bool find_header(const struct elf *e, const struct elf_source *src,
			const struct elf_section *s, struct bytes b, struct gopclntab *t)
{
	static const unsigned char tail[] = { 0xff, 0xff, 0xff, 0, 0 };
	size_t i;

	for (i = 0; i + 8 <= b.n; i += TABLE_ALIGN) {
		struct bytes rest = { b.p + i, b.n - i };

		if (memcmp(rest.p + 1, tail, sizeof(tail)) != 0 ||
		    !gopclntab_init(t, rest, 0))
			continue;
		if (t->text == 0)
			t->text = text_start(e, src, s->address + i);
		return true;
	}
	return false;
}

bool gopclntab_open(struct gopclntab *t, const struct elf *e,
		    const struct elf_source *src)
{
	const struct elf_section *s = elf_section(e, ".gopclntab");
	unsigned char *p;

	memset(t, 0, sizeof(*t));
	if (!s)
		s = elf_section(e, ".data.rel.ro.gopclntab");
	if (!s && elf_section(e, ".go.buildinfo"))
		s = elf_section(e, ".data.rel.ro");
	p = s && s->bytes > 0 ? read_section(s, src, TABLE_MAX) : NULL;
	if (!p)
		return false;
	if (find_header(e, src, s, (struct bytes){ p, s->bytes }, t)) {
		t->own = p;
		return true;
	}
	free(p);
	memset(t, 0, sizeof(*t));
	return false;
}

void gopclntab_close(struct gopclntab *t)
{
	free(t->own);
	memset(t, 0, sizeof(*t));
}
