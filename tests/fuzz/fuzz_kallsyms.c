/* The kernel's list of names, which a container may have covered with a file of its own. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct symbols *s = symbols_parse_kallsyms((const char *)data, size);
	struct symbol found;
	size_t i;

	if (!s)
		return 0;
	if (symbols_count(s) > size)
		abort();
	for (i = 0; i + 8 <= size && i < 512; i++) {
		uint64_t at;

		memcpy(&at, data + i, 8);
		if (symbols_find(s, at, &found) && found.start > at)
			abort();
		if (symbols_find(s, 0xffffffff81000000ull + i * 64, &found) &&
		    found.name && strlen(found.name) > size)
			abort();
	}
	symbols_free(s);
	return 0;
}
