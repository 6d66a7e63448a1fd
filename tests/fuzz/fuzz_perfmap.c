/* A perf map of a stranger. What is found must hold the address, at its borders too, and
 * be named. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct symbols *s, uint64_t address)
{
	struct symbol y, again;

	if (!symbols_find(s, address, &y))
		return;
	if (!y.name || !*y.name || y.start > address || address - y.start >= y.size)
		abort();
	if (!symbols_find(s, y.start + y.size - 1, &again) || again.start != y.start)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct symbols *s = symbols_parse_perfmap((const char *)data, size);
	uint64_t at;
	size_t i;

	for (i = 0; i + 4 <= size && i < 4096; i += 4) {
		char digits[17] = { 0 };

		memcpy(digits, data + i, size - i < 16 ? size - i : 16);
		at = strtoull(digits, NULL, 16);
		look(s, at);
		look(s, at - 1);
	}
	for (at = 0; at < 0x4000; at += 0x40)
		look(s, at);
	if (symbols_count(s) > size)
		abort();
	symbols_free(s);
	return 0;
}
