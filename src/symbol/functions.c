/* What is known about functions without a symbol table: the FDEs of .eh_frame give start
 * and size of nearly every function of compiled code, and Go's own table names too.
 *
 * The tables are read, turned into spans and freed: they are larger than what is kept of
 * them, and a lookup must not depend on a file any more. */
#include "symbol/elfsyms.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "elf/eh_frame.h"
#include "elf/gopclntab.h"

#define EH_FRAME_MAX (128u << 20)
#define ENTRY_BYTES 8 /* of the search table: two signed 32-bit distances */
/* Compilers align functions to 16 (some to 32): a symbol that ends so near the next FDE
 * is as long as its own FDE. */
#define PADDING 32

static struct bytes load(const struct elf_source *src, uint64_t offset, uint64_t n)
{
	unsigned char *p = n ? try_alloc(n, 1, EH_FRAME_MAX) : NULL;

	if (!p || !src->read(src->arg, offset, p, n)) {
		free(p);
		return (struct bytes){ NULL, 0 };
	}
	return (struct bytes){ p, n };
}

static void unload(struct eh_frame *f)
{
	eh_frame_done(f);
	free((void *)(uintptr_t)f->hdr.p);
	free((void *)(uintptr_t)f->frame.p);
}

/* Bytes of the file from vaddr to the end of its segment. */
static uint64_t segment_rest(const struct elf *e, uint64_t vaddr)
{
	size_t i;

	for (i = 0; i < e->n_segments; i++) {
		const struct elf_segment *s = &e->segment[i];

		if (vaddr >= s->vaddr && vaddr - s->vaddr < s->file_bytes)
			return s->file_bytes - (vaddr - s->vaddr);
	}
	return 0;
}

/* With section headers or, where they are stripped too, by the header alone. */
static bool load_eh_frame(const struct elf_file *code, struct eh_frame *f)
{
	const struct elf_section *s = elf_section(&code->elf, ".eh_frame");
	uint64_t at, vaddr = 0, bytes = 0;

	memset(f, 0, sizeof(*f));
	if (code->elf.eh_frame_hdr_bytes &&
	    elf_offset_of(&code->elf, code->elf.eh_frame_hdr_vaddr, &at)) {
		f->hdr_vaddr = code->elf.eh_frame_hdr_vaddr;
		f->hdr = load(&code->source, at, code->elf.eh_frame_hdr_bytes);
	}
	if (s && s->type != SHT_NOBITS) {
		vaddr = s->address;
		at = s->offset;
		bytes = s->bytes;
	} else if (eh_frame_pointer(f->hdr, f->hdr_vaddr, &vaddr) &&
		   elf_offset_of(&code->elf, vaddr, &at)) {
		bytes = segment_rest(&code->elf, vaddr);
	}
	if (bytes)
		f->frame = load(&code->source, at, bytes);
	f->frame_vaddr = vaddr;
	if (f->frame.p && eh_frame_init(f))
		return true;
	unload(f);
	return false;
}

/* The start that the i-th entry of the search table gives. */
static uint64_t entry_start(const struct eh_frame *f, size_t i)
{
	const unsigned char *table = f->own_table ? f->own_table : f->hdr.p + f->table_at;
	uint64_t base = f->own_table ? f->frame_vaddr : f->hdr_vaddr;
	int32_t distance;

	memcpy(&distance, table + i * ENTRY_BYTES, sizeof(distance));
	return base + (uint64_t)(int64_t)distance;
}

/* One walk along both sorted lists. */
struct merge {
	struct table *t;
	size_t n;	     /* spans of the table before anything was added */
	size_t next;	     /* the first of them that starts behind the FDE at hand */
	uint64_t last_start; /* of the FDE before: a table that is not sorted is not
				followed */
	const struct elf *code;
	const struct eh_frame *f;
};

/* Does the table know enough of what starts here, so that the FDE need not be read? */
static bool is_known(const struct merge *m, uint64_t start, uint64_t next_start)
{
	const struct span *before = m->next > 0 ? &m->t->spans.v[m->next - 1] : NULL;
	uint64_t end;

	if (!before || before->open)
		return false;
	end = before->start + before->size;
	if (before->start < start)
		return end > start;
	return next_start > start && end + PADDING >= next_start;
}

static void merge_fde(struct merge *m, uint64_t start, uint64_t size)
{
	struct span *v = m->t->spans.v;
	struct span *before = m->next > 0 ? &v[m->next - 1] : NULL;

	if (size > UINT32_MAX)
		return;
	if (!before || before->start != start) {
		if (before && before->open && start - before->start < before->size)
			before->size = (uint32_t)(start - before->start);
		table_add(m->t, (struct span){ .start = start,
					       .size = (uint32_t)size,
					       .name = NAME_NONE });
		return;
	}
	if (!before->open && before->size >= size)
		return;
	before->open = false;
	before->size = (uint32_t)size;
	if (m->next < m->n && v[m->next].start - start < size)
		before->size = (uint32_t)(v[m->next].start - start);
}

static void merge_entry(struct merge *m, size_t i)
{
	uint64_t vaddr = entry_start(m->f, i), start, next = 0, fde, size;

	if (!elf_offset_of(m->code, vaddr, &start) || start < m->last_start)
		return;
	m->last_start = start;
	if (i + 1 < m->f->entries)
		next = start + (entry_start(m->f, i + 1) - vaddr);
	while (m->next < m->n && m->t->spans.v[m->next].start <= start)
		m->next++;
	if (!is_known(m, start, next) && eh_frame_function(m->f, vaddr, &fde, &size) &&
	    fde == vaddr && size > 0)
		merge_fde(m, start, size);
}

void functions_add(struct table *t, const struct elf_file *code)
{
	struct merge m = { .t = t, .code = &code->elf };
	struct eh_frame f;
	size_t i;

	table_unique(t);
	if (!load_eh_frame(code, &f))
		return;
	m.n = t->spans.n;
	m.f = &f;
	for (i = 0; i < f.entries && i < FUNCTIONS_MAX; i++)
		merge_entry(&m, i);
	unload(&f);
	if (t->spans.n > m.n)
		table_unique(t);
}

bool gosyms_add(struct table *t, const struct elf_file *code)
{
	size_t i, first = t->spans.n;
	struct gopclntab go;

	if (!gopclntab_open(&go, &code->elf, &code->source))
		return false;
	for (i = 0; i < go.functions && i < FUNCTIONS_MAX; i++) {
		struct span f = { .rank = 1 };
		struct go_function g;

		if (!gopclntab_nth(&go, i, &g) || g.size > UINT32_MAX ||
		    !elf_offset_of(&code->elf, g.start, &f.start))
			continue;
		f.size = (uint32_t)g.size;
		f.name = table_name(t, g.name, strlen(g.name));
		table_add(t, f);
	}
	gopclntab_close(&go);
	return t->spans.n > first;
}
