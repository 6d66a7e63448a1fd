/* Finding the compilation unit of an address, in the file itself or its debug file.
 *
 * .debug_aranges leads to it where the compiler wrote that (gcc does, clang and rustc do
 * not); otherwise the units' own ranges are listed once. Units looked into stay, as libdw
 * keeps what it decoded of them. Nothing outside the two files is opened: neither split
 * units (.dwo) nor a shared file that was not verified, as DWARF may name any path. */
#include "symbol/lines.h"

#include <elf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "symbol/debugfile.h"
#include "symbol/inlines.h"
#include "symbol/symbols.h"

#define UNITS_MAX (1u << 20)
#define UNIT_RANGES_MAX (8u << 20)
/* A mapped file that somebody truncates means SIGBUS, so small files are read; a large
 * one is nearly always a package's, and those are replaced, not rewritten. */
#define READ_MAX (8ll << 20)
/* Real debug information is packed to a third. */
#define UNPACKED_TIMES 10u
#define UNPACKED_LEAST (16u << 20)
#define UNPACKED_MOST (2ull << 30)

struct dwarf_file {
	int fd; /* -1: none */
	Elf *elf;
	Dwarf *dw;
};

struct unit_range {
	uint64_t start, end;
	Dwarf_Off die;
};

struct lines {
	struct elf code; /* segments only */
	struct dwarf_file own, shared;
	VEC(struct unit) units;	       /* by offset */
	VEC(struct unit_range) ranges; /* by start */
	bool has_ranges;
	const char *note;
};

static void close_dwarf(struct dwarf_file *f)
{
	if (f->dw)
		dwarf_end(f->dw);
	if (f->elf)
		elf_end(f->elf);
	if (f->fd != -1)
		close(f->fd);
	*f = (struct dwarf_file){ .fd = -1 };
}

/* What a compressed section unpacks to, as it says itself: libelf gives it no more. 0: it is
 * not compressed. */
static uint64_t unpacked_bytes(Elf_Scn *section, const GElf_Shdr *h, const char *name)
{
	unsigned char head[12];
	GElf_Chdr c;
	Elf_Data *d;
	uint64_t n = 0;
	size_t i;

	if (h->sh_flags & SHF_COMPRESSED)
		return gelf_getchdr(section, &c) ? c.ch_size : 0;
	if (!name || strncmp(name, ".zdebug", 7) != 0 || h->sh_size < sizeof(head))
		return 0;
	/* "ZLIB" and eight bytes, the highest first. */
	d = elf_rawdata(section, NULL);
	if (!d || !d->d_buf || d->d_size < sizeof(head))
		return 0;
	memcpy(head, d->d_buf, sizeof(head));
	for (i = 4; i < sizeof(head); i++)
		n = n << 8 | head[i];
	return n;
}

/* Do the sections unpack to no more than the file is worth? libdw unpacks all it uses. */
static bool fits(Elf *elf, uint64_t file_bytes)
{
	uint64_t sum = 0, limit = UNPACKED_TIMES * file_bytes;
	Elf_Scn *section = NULL;
	size_t names = 0, n = 0;

	if (limit < UNPACKED_LEAST)
		limit = UNPACKED_LEAST;
	if (limit > UNPACKED_MOST)
		limit = UNPACKED_MOST;
	if (elf_getshdrstrndx(elf, &names))
		return true;
	while ((section = elf_nextscn(elf, section)) && n++ < ELF_SECTIONS_MAX) {
		GElf_Shdr h;
		uint64_t bytes;

		if (!gelf_getshdr(section, &h))
			continue;
		bytes = unpacked_bytes(section, &h, elf_strptr(elf, names, h.sh_name));
		if (bytes > limit - sum)
			return false;
		sum += bytes;
	}
	return true;
}

/* Takes the fd. */
static bool open_dwarf(struct lines *l, struct dwarf_file *f, int fd)
{
	struct stat st;

	f->fd = fd;
	if (fd == -1 || fstat(fd, &st) == -1)
		return false;
	elf_version(EV_CURRENT);
	f->elf =
	    elf_begin(fd, st.st_size <= READ_MAX ? ELF_C_READ : ELF_C_READ_MMAP, NULL);
	if (f->elf && !fits(f->elf, (uint64_t)st.st_size))
		l->note =
		    "its compressed debug information " UNPACKS_TO_MORE ": no lines";
	else if (f->elf)
		f->dw = dwarf_begin_elf(f->elf, DWARF_C_READ, NULL);
	return f->dw != NULL;
}

static bool has_dwarf(const struct elf *e)
{
	const struct elf_section *s = elf_section(e, ".debug_info");

	if (!s)
		s = elf_section(e, ".zdebug_info");
	return s && s->type != SHT_NOBITS && s->bytes > 0;
}

/* Strings that stand in another file: without it the rest is of little use, and libdw
 * would go and look for it by itself. */
static bool attach_shared(struct lines *l, const struct object *o)
{
	struct build_id id = { .n = 0 };
	const char *path = NULL;
	const void *bits = NULL;
	ssize_t n = dwelf_dwarf_gnu_debugaltlink(l->own.dw, &path, &bits);

	if (n <= 0)
		return n == 0;
	if (n > BUILD_ID_MAX)
		return false;
	memcpy(id.byte, bits, (size_t)n);
	id.n = (size_t)n;
	if (!open_dwarf(l, &l->shared, debugfile_open_shared(o, path, &id)))
		return false;
	dwarf_setalt(l->own.dw, l->shared.dw);
	return true;
}

static void open_file(struct lines *l, const struct object *o)
{
	int fd = object_open(o, NULL);
	struct elf_source src = { elf_read_fd, &fd };
	bool inside;

	if (fd < 0)
		return;
	if (!elf_read(&src, &l->code) || l->code.class32) {
		close(fd);
		return;
	}
	inside = has_dwarf(&l->code);
	if (!inside) {
		int other = debugfile_open(o, &l->code, &src);

		close(fd);
		fd = other;
	}
	elf_done(&l->code);
	if (!open_dwarf(l, &l->own, fd) || !attach_shared(l, o)) {
		close_dwarf(&l->own);
		close_dwarf(&l->shared);
	}
}

const char *lines_note(const struct lines *l)
{
	return l->note;
}

struct lines *lines_open(const struct object *o)
{
	struct lines *l = xcalloc(1, sizeof(*l));

	l->own.fd = l->shared.fd = -1;
	if (o->kind == OBJECT_FILE)
		open_file(l, o);
	return l;
}

void lines_free(struct lines *l)
{
	size_t i;

	if (!l)
		return;
	for (i = 0; i < l->units.n; i++)
		unit_done(&l->units.v[i]);
	VEC_DONE(&l->units);
	VEC_DONE(&l->ranges);
	close_dwarf(&l->own);
	close_dwarf(&l->shared);
	free(l);
}

static void add_unit_ranges(struct lines *l, Dwarf_Die *cu, size_t *left)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	for (; *left > 0; --*left) {
		at = dwarf_ranges(cu, at, &base, &start, &end);
		if (at <= 0)
			return;
		if (start < end)
			*VEC_PUSH(&l->ranges) =
			    (struct unit_range){ start, end, dwarf_dieoffset(cu) };
	}
}

static int by_start(const void *a, const void *b)
{
	const struct unit_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static void list_ranges(struct lines *l)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	size_t i, left = UNIT_RANGES_MAX;

	l->has_ranges = true;
	for (i = 0; i < UNITS_MAX; i++) {
		if (dwarf_get_units(l->own.dw, cu, &cu, NULL, NULL, &die, NULL) != 0)
			break;
		add_unit_ranges(l, &die, &left);
	}
	if (l->ranges.n)
		qsort(l->ranges.v, l->ranges.n, sizeof(*l->ranges.v), by_start);
}

static bool unit_by_range(struct lines *l, uint64_t vaddr, Dwarf_Die *cu)
{
	size_t low = 0, high;

	if (!l->has_ranges)
		list_ranges(l);
	high = l->ranges.n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->ranges.v[mid].start <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 && vaddr < l->ranges.v[low - 1].end &&
	       dwarf_offdie(l->own.dw, l->ranges.v[low - 1].die, cu) != NULL;
}

/* The unit with this DIE, read when it is new. */
static const struct unit *unit_get(struct lines *l, Dwarf_Die *cu)
{
	Dwarf_Off offset = dwarf_dieoffset(cu);
	size_t low = 0, high = l->units.n;
	struct unit *u;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->units.v[mid].offset < offset)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < l->units.n && l->units.v[low].offset == offset)
		return &l->units.v[low];
	VEC_PUSH(&l->units);
	u = &l->units.v[low];
	memmove(u + 1, u, (l->units.n - 1 - low) * sizeof(*u));
	*u = (struct unit){ .offset = offset };
	unit_read(u, cu);
	return u;
}

size_t lines_find(struct lines *l, uint64_t address, struct source_line out[INLINE_MAX])
{
	uint64_t vaddr;
	Dwarf_Die cu;

	if (!l->own.dw || !elf_vaddr_of(&l->code, address, &vaddr))
		return 0;
	if (!dwarf_addrdie(l->own.dw, vaddr, &cu) && !unit_by_range(l, vaddr, &cu))
		return 0;
	return unit_find(unit_get(l, &cu), l->own.dw, &cu, vaddr, out);
}
