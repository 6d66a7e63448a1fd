/* Feeds the bytes of a file to the ELF header parser and asks what others ask of the
 * result. */
#include <stdlib.h>

#include "elf/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = { data, size };
	struct elf_source src = { elf_read_bytes, &bytes };
	uint64_t there, back;
	struct elf e;
	size_t i;

	if (!elf_read(&src, &e))
		return 0;
	if (e.n_segments > ELF_SEGMENTS_MAX || e.n_sections > ELF_SECTIONS_MAX)
		abort();
	elf_section(&e, ".eh_frame");
	for (i = 0; i < e.n_segments; i++) {
		uint64_t offset = e.segment[i].offset;

		if (!e.segment[i].file_bytes)
			continue;
		if (!elf_vaddr_of(&e, offset, &there) || !elf_offset_of(&e, there, &back))
			abort();
	}
	for (i = 0; i < e.n_sections; i++)
		elf_vaddr_of(&e, e.section[i].offset, &there);
	elf_done(&e);
	return 0;
}
