/* What ties a file to the file of its debug information: the build id and the debug link.
 */
#ifndef PTOP_ELF_NOTES_H
#define PTOP_ELF_NOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "elf/header.h"

/* Longer ones exist in theory only (sha1: 20, md5 and uuid: 16, a fast hash: 8). */
#define BUILD_ID_MAX 64

struct build_id {
	unsigned char byte[BUILD_ID_MAX];
	size_t n; /* 0: none */
};

struct debuglink {
	char name[256]; /* a file name without a slash; "" none */
	uint32_t crc;
};

/* From the bytes of a note section or segment. */
bool notes_build_id(struct bytes notes, struct build_id *out);
/* A place in a program that its author marked for probes (SystemTap's USDT). */
struct probe_note {
	uint64_t location, base, semaphore; /* vaddr; semaphore 0: none */
};
/* The first of that name in the bytes of .note.stapsdt. */
bool notes_probe(struct bytes notes, const char *provider, const char *name,
		 struct probe_note *out);
/* From the bytes of .gnu_debuglink: name, NUL, padding to 4, CRC-32. */
bool notes_debuglink(struct bytes section, struct debuglink *out);
/* The same, found in a file by its sections. out is empty when there is none. */
bool elf_build_id(const struct elf *e, const struct elf_source *src,
		  struct build_id *out);
bool elf_debuglink(const struct elf *e, const struct elf_source *src,
		   struct debuglink *out);

#endif
