/* Go's function table from a stranger's file. What is found must hold the address. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "elf/gopclntab.h"

#define LOOKED_AT 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct gopclntab *t, uint64_t vaddr)
{
	struct go_function f;
	int64_t depth;

	if (gopclntab_find(t, vaddr, &f)) {
		if (vaddr < f.start || vaddr - f.start >= f.size)
			abort();
		(void)gopclntab_is_root(f.name);
	}
	if (gopclntab_sp_delta(t, vaddr, &depth) && depth < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gopclntab t;
	struct go_function f;
	size_t i;

	if (!gopclntab_init(&t, (struct bytes){ data, size }, 0x401000))
		return 0;
	for (i = 0; i < LOOKED_AT; i++) {
		look(&t, 0x401000 + 16 * i);
		if (!gopclntab_nth(&t, i, &f))
			continue;
		if (strlen(f.name) >= size)
			abort();
		look(&t, f.start);
		look(&t, f.start + f.size - 1);
	}
	return 0;
}
