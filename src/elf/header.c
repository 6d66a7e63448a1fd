/* The ELF header and its two tables. Everything is read in whole records through the
 * source, so a file that ends early fails there; what a record says is checked where it
 * is used. Layouts: the gABI, chapters 4 and 5; <elf.h> has the structs. A file without
 * section headers, or with broken ones, is still good for unwinding: only the segments
 * are required. */
#include "elf/header.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

#define PROGRAM_HEADERS_MAX 512
#define NAMES_MAX (1u << 20)

static bool section_name(struct bytes names, uint32_t at, char to[32])
{
	size_t n = 0;

	memset(to, 0, 32);
	if (at >= names.n)
		return false;
	while (n < 31 && at + n < names.n && names.p[at + n])
		n++;
	memcpy(to, names.p + at, n);
	return true;
}

/* The segment's end must not wrap, in the file or in memory; others are left out. */
static void add_segment(struct elf *out, const Elf64_Phdr *ph)
{
	uint64_t end;

	if (ph->p_type == PT_GNU_EH_FRAME) {
		out->eh_frame_hdr_vaddr = ph->p_vaddr;
		out->eh_frame_hdr_bytes = ph->p_filesz;
	}
	if (ph->p_type != PT_LOAD || out->n_segments == ELF_SEGMENTS_MAX)
		return;
	if (__builtin_add_overflow(ph->p_vaddr, ph->p_filesz, &end) ||
	    __builtin_add_overflow(ph->p_offset, ph->p_filesz, &end))
		return;
	out->segment[out->n_segments++] = (struct elf_segment){
		.vaddr = ph->p_vaddr,
		.offset = ph->p_offset,
		.file_bytes = ph->p_filesz,
		.executable = (ph->p_flags & PF_X) != 0,
	};
}

static bool read_segments(const struct elf_source *src, const Elf64_Ehdr *eh,
			  struct elf *out)
{
	size_t i;

	if (eh->e_phnum == 0 || eh->e_phnum > PROGRAM_HEADERS_MAX ||
	    eh->e_phentsize != sizeof(Elf64_Phdr))
		return false;
	for (i = 0; i < eh->e_phnum; i++) {
		Elf64_Phdr ph;
		uint64_t at;

		if (__builtin_add_overflow(eh->e_phoff, i * sizeof(ph), &at) ||
		    !src->read(src->arg, at, &ph, sizeof(ph)))
			return false;
		add_segment(out, &ph);
	}
	return out->n_segments > 0;
}

static void fill_sections(const Elf64_Shdr *sh, size_t n, struct bytes names,
			  struct elf *out)
{
	size_t i;

	out->section = xcalloc(n, sizeof(*out->section));
	out->n_sections = n;
	for (i = 0; i < n; i++) {
		struct elf_section *s = &out->section[i];

		section_name(names, sh[i].sh_name, s->name);
		s->type = sh[i].sh_type;
		s->link = sh[i].sh_link;
		s->address = sh[i].sh_addr;
		s->offset = sh[i].sh_offset;
		s->bytes = sh[i].sh_size;
		s->entry_bytes = sh[i].sh_entsize;
	}
}

/* More than 65,279 sections, or names in one beyond that, are told by section 0 (gABI,
 * "Extended Section Header"). Failure leaves out without sections. */
static void read_sections(const struct elf_source *src, const Elf64_Ehdr *eh,
			  struct elf *out)
{
	uint64_t n = eh->e_shnum, names_at = eh->e_shstrndx;
	Elf64_Shdr first, *sh = NULL;
	unsigned char *names = NULL;

	if (!eh->e_shoff || eh->e_shentsize != sizeof(Elf64_Shdr) ||
	    !src->read(src->arg, eh->e_shoff, &first, sizeof(first)))
		return;
	if (n == 0)
		n = first.sh_size;
	if (names_at == SHN_XINDEX)
		names_at = first.sh_link;
	if (n == 0 || n > ELF_SECTIONS_MAX || names_at >= n)
		return;
	sh = xcalloc(n, sizeof(*sh));
	if (!src->read(src->arg, eh->e_shoff, sh, n * sizeof(*sh)))
		goto out;
	names = try_alloc(sh[names_at].sh_size, 1, NAMES_MAX);
	if (!names ||
	    !src->read(src->arg, sh[names_at].sh_offset, names, sh[names_at].sh_size))
		goto out;
	fill_sections(sh, n, (struct bytes){ names, sh[names_at].sh_size }, out);
out:
	free(names);
	free(sh);
}

bool elf_read(const struct elf_source *src, struct elf *out)
{
	unsigned char ident[EI_NIDENT];
	Elf64_Ehdr eh;

	memset(out, 0, sizeof(*out));
	if (!src->read(src->arg, 0, ident, sizeof(ident)) ||
	    memcmp(ident, ELFMAG, SELFMAG) != 0 || ident[EI_DATA] != ELFDATA2LSB)
		return false;
	if (ident[EI_CLASS] == ELFCLASS32) {
		out->class32 = true;
		return true;
	}
	if (ident[EI_CLASS] != ELFCLASS64 || !src->read(src->arg, 0, &eh, sizeof(eh)))
		return false;
	out->machine = eh.e_machine;
	out->type = eh.e_type;
	if (!read_segments(src, &eh, out))
		return false;
	read_sections(src, &eh, out);
	return true;
}

void elf_done(struct elf *e)
{
	free(e->section);
	e->section = NULL;
	e->n_sections = 0;
}

const struct elf_section *elf_section(const struct elf *e, const char *name)
{
	size_t i;

	for (i = 0; i < e->n_sections; i++)
		if (strcmp(e->section[i].name, name) == 0)
			return &e->section[i];
	return NULL;
}

/* Code is asked for most; where segments share a page of the file, the executable one
 * wins. */
bool elf_vaddr_of(const struct elf *e, uint64_t offset, uint64_t *vaddr)
{
	bool found = false;
	size_t i;

	for (i = 0; i < e->n_segments; i++) {
		const struct elf_segment *s = &e->segment[i];

		if (offset < s->offset || offset - s->offset >= s->file_bytes)
			continue;
		if (!found || s->executable)
			*vaddr = offset - s->offset + s->vaddr;
		found = true;
		if (s->executable)
			break;
	}
	return found;
}

bool elf_offset_of(const struct elf *e, uint64_t vaddr, uint64_t *offset)
{
	size_t i;

	for (i = 0; i < e->n_segments; i++) {
		const struct elf_segment *s = &e->segment[i];

		if (vaddr < s->vaddr || vaddr - s->vaddr >= s->file_bytes)
			continue;
		*offset = vaddr - s->vaddr + s->offset;
		return true;
	}
	return false;
}

bool elf_read_fd(void *arg, uint64_t offset, void *to, size_t n)
{
	int fd = *(const int *)arg;
	unsigned char *p = to;

	if (offset > INT64_MAX || n > INT64_MAX - offset)
		return false;
	while (n > 0) {
		ssize_t got = pread(fd, p, n, (off_t)offset);

		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	return true;
}

bool elf_read_bytes(void *arg, uint64_t offset, void *to, size_t n)
{
	const struct bytes *b = arg;

	if (offset > b->n || n > b->n - offset)
		return false;
	memcpy(to, b->p + offset, n);
	return true;
}
