/* The ELF header, program and section headers of a file, read from hostile bytes. 64-bit
 * little-endian only; ELF32 is recognised so that it can be refused by name. */
#ifndef PTOP_ELF_HEADER_H
#define PTOP_ELF_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define ELF_SEGMENTS_MAX 64
#define ELF_SECTIONS_MAX 4096

struct elf_segment { /* a PT_LOAD */
	uint64_t vaddr, offset, file_bytes;
	bool executable;
};

struct elf_section {
	char name[32]; /* cut */
	uint32_t type, link;
	uint64_t address, offset, bytes, entry_bytes;
};

struct elf {
	bool class32;	  /* the rest is empty then */
	uint16_t machine; /* EM_X86_64 ... */
	uint16_t type;	  /* ET_EXEC, ET_DYN */
	struct elf_segment segment[ELF_SEGMENTS_MAX];
	size_t n_segments;
	uint64_t eh_frame_hdr_vaddr,
	    eh_frame_hdr_bytes; /* PT_GNU_EH_FRAME; 0 when none */
	struct elf_section
	    *section; /* owned; NULL when there are none or they do not parse */
	size_t n_sections;
};

/* Reads through `read`, which copies exactly n bytes at a file offset or returns false;
 * so the same code serves files, mapped images and test bytes. */
struct elf_source {
	bool (*read)(void *arg, uint64_t offset, void *to, size_t n);
	void *arg;
};

/* False when this is no ELF file that can be used. elf_done() frees the sections. */
bool elf_read(const struct elf_source *src, struct elf *out);
void elf_done(struct elf *e);
/* By exact name, or NULL. */
const struct elf_section *elf_section(const struct elf *e, const char *name);
/* File offset <-> address in the file's own numbering; false outside every segment. */
bool elf_vaddr_of(const struct elf *e, uint64_t offset, uint64_t *vaddr);
bool elf_offset_of(const struct elf *e, uint64_t vaddr, uint64_t *offset);
/* An elf_source over a file descriptor (arg: pointer to the int) and over bytes (arg:
 * struct bytes *). */
bool elf_read_fd(void *arg, uint64_t offset, void *to, size_t n);
bool elf_read_bytes(void *arg, uint64_t offset, void *to, size_t n);

#endif
