/* Unwind tables: two bytes with the length of .eh_frame_hdr, that section, then
 * .eh_frame. They stand one behind the other from VADDR on. Rules are asked for where
 * functions start and a bit inside, with the table of the file and with the one made from
 * .eh_frame. */
#include <stdlib.h>
#include <string.h>

#include "elf/eh_frame.h"

#define VADDR 0x2000
#define ENTRIES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct eh_frame *f, uint64_t vaddr)
{
	struct unwind_rule rule;
	uint64_t start, bytes;

	if (eh_frame_function(f, vaddr, &start, &bytes) && vaddr - start >= bytes)
		abort();
	eh_frame_rule(f, vaddr, &rule);
	if (rule.cfa > CFA_OTHER || rule.rbp > SAVE_RBP || rule.ra > SAVE_RBP)
		abort();
	if (rule.cfa > CFA_END && rule.cfa < CFA_OTHER && rule.ra == SAVE_SAME)
		abort();
}

static void ask_all(struct eh_frame *f)
{
	const unsigned char *table = f->own_table ? f->own_table : f->hdr.p + f->table_at;
	uint64_t base = f->own_table ? f->frame_vaddr : f->hdr_vaddr;
	int32_t start;
	size_t i;

	for (i = 0; i < f->entries && i < ENTRIES_MAX; i++) {
		memcpy(&start, table + i * 8, sizeof(start));
		ask(f, base + (uint64_t)(int64_t)start);
		ask(f, base + (uint64_t)(int64_t)start + 5);
		ask(f, base + (uint64_t)(int64_t)start + 200);
	}
	ask(f, 0);
	ask(f, UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eh_frame f = { .hdr_vaddr = VADDR };
	uint64_t vaddr;
	size_t n;

	if (size < 2)
		return 0;
	n = data[0] | (size_t)data[1] << 8;
	if (n > size - 2)
		n = size - 2;
	f.hdr = (struct bytes){ data + 2, n };
	f.frame = (struct bytes){ data + 2 + n, size - 2 - n };
	f.frame_vaddr = VADDR + n;
	eh_frame_pointer(f.hdr, f.hdr_vaddr, &vaddr);
	if (eh_frame_init(&f))
		ask_all(&f);
	eh_frame_done(&f);
	f.hdr.n = 0;
	if (eh_frame_init(&f))
		ask_all(&f);
	eh_frame_done(&f);
	return 0;
}
