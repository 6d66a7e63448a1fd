/* Unwind tables are read whole into the heap from the *file*, by its own offsets. Never
 * mapped (a rebuild would SIGBUS us) and never read at the target's addresses: V8 maps a
 * part of node's text a second time elsewhere, with no tables near it. Files without
 * section headers give .eh_frame from where .eh_frame_hdr points to the end of that
 * segment; the entry of length zero ends it. */
#include "unwind/tables.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "target/loader.h"

#define TABLE_BYTES_MAX (64u << 20)
#define VDSO_PAGE 4096u
#define VDSO_MAX (64u << 10)

struct unwind_tables {
	VEC(struct unwind_table *) by_id;
	uint64_t failed;
};

struct unwind_tables *unwind_tables_new(void)
{
	return xcalloc(1, sizeof(struct unwind_tables));
}

static void table_done(void *table)
{
	struct unwind_table *t = table;

	eh_frame_done(&t->eh);
	free(t->owned_hdr);
	free(t->owned_frame);
	if (t->has_go)
		gopclntab_close(&t->go);
	elf_done(&t->elf);
}

void unwind_tables_free(struct unwind_tables *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; i < t->by_id.n; i++)
		if (t->by_id.v[i]) {
			table_done(t->by_id.v[i]);
			free(t->by_id.v[i]);
		}
	VEC_DONE(&t->by_id);
	free(t);
}

uint64_t unwind_tables_failed(const struct unwind_tables *t)
{
	return t->failed;
}

static struct bytes load(const struct elf_source *src, uint64_t offset, uint64_t n,
			 unsigned char **owned)
{
	unsigned char *p = n ? try_alloc(n, 1, TABLE_BYTES_MAX) : NULL;

	if (!p || !src->read(src->arg, offset, p, n)) {
		free(p);
		return (struct bytes){ NULL, 0 };
	}
	*owned = p;
	return (struct bytes){ p, n };
}

static const struct elf_section *file_section(const struct elf *e, const char *name)
{
	const struct elf_section *s = elf_section(e, name);

	return s && s->type != SHT_NOBITS && s->bytes ? s : NULL;
}

/* Bytes of the file from vaddr to the end of its segment. */
static uint64_t rest_of_segment(const struct elf *e, uint64_t vaddr)
{
	size_t i;

	for (i = 0; i < e->n_segments; i++)
		if (vaddr - e->segment[i].vaddr < e->segment[i].file_bytes)
			return e->segment[i].file_bytes - (vaddr - e->segment[i].vaddr);
	return 0;
}

static void load_eh_frame(const struct elf_source *src, struct unwind_table *t)
{
	const struct elf_section *s = file_section(&t->elf, ".eh_frame");
	struct eh_frame *eh = &t->eh;
	uint64_t at, vaddr, bytes;
	bool pointed = false;

	if (t->elf.eh_frame_hdr_bytes &&
	    elf_offset_of(&t->elf, t->elf.eh_frame_hdr_vaddr, &at)) {
		eh->hdr_vaddr = t->elf.eh_frame_hdr_vaddr;
		eh->hdr = load(src, at, t->elf.eh_frame_hdr_bytes, &t->owned_hdr);
		pointed = eh_frame_pointer(eh->hdr, eh->hdr_vaddr, &vaddr);
	}
	if (s && (!pointed || s->address == vaddr)) {
		at = s->offset;
		vaddr = s->address;
		bytes = s->bytes;
	} else if (pointed && elf_offset_of(&t->elf, vaddr, &at)) {
		bytes = rest_of_segment(&t->elf, vaddr);
	} else {
		return;
	}
	eh->frame_vaddr = vaddr;
	eh->frame = load(src, at, bytes, &t->owned_frame);
	if (!eh_frame_init(eh))
		eh_frame_done(eh);
}

static void load_all(const struct elf_source *src, struct unwind_table *t)
{
	if (!elf_read(src, &t->elf) || t->elf.class32 || t->elf.machine != EM_X86_64) {
		t->failed = true;
		elf_done(&t->elf);
		t->elf.n_segments = 0;
		return;
	}
	load_eh_frame(src, t);
	t->has_go = gopclntab_open(&t->go, &t->elf, src);
	elf_done(&t->elf);
}

/* The kernel's own image, as mapped into ptop. Its size is told by no one: the first page
 * is there, and that page says where the segment ends. */
static void load_vdso(struct unwind_table *t)
{
	const unsigned char *image =
	    (const unsigned char *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
	struct bytes bytes = { image, VDSO_PAGE };
	struct elf_source src = { elf_read_bytes, &bytes };
	struct elf first;
	size_t i;

	t->failed = !image || !elf_read(&src, &first);
	if (t->failed)
		return;
	for (i = 0; i < first.n_segments; i++) {
		uint64_t end = first.segment[i].offset + first.segment[i].file_bytes;

		if (end > bytes.n && end <= VDSO_MAX)
			bytes.n = end;
	}
	elf_done(&first);
	load_all(&src, t);
}

static void use_file(int fd, const struct object *o, void *table)
{
	struct elf_source src = { elf_read_fd, &fd };

	(void)o;
	load_all(&src, table);
}

/* False when the file has not answered. */
static bool load_file(struct unwind_table *t, const struct object *o)
{
	int ret = object_use(
	    o, &(struct loader_request){ use_file, t, sizeof(*t), table_done });

	if (ret && ret != -ETIMEDOUT)
		t->failed = true;
	return ret != -ETIMEDOUT;
}

const struct unwind_table *unwind_tables_get(struct unwind_tables *t,
					     const struct object *o)
{
	struct unwind_table **slot, *new;

	if (o->kind != OBJECT_FILE && o->kind != OBJECT_VDSO)
		return NULL;
	while (t->by_id.n <= o->id)
		VEC_PUSH(&t->by_id);
	slot = &t->by_id.v[o->id];
	if (*slot)
		return *slot;
	new = xcalloc(1, sizeof(*new));
	if (o->kind == OBJECT_VDSO) {
		load_vdso(new);
	} else if (!load_file(new, o)) {
		free(new);
		return NULL;
	}
	*slot = new;
	t->failed += new->failed;
	return new;
}
