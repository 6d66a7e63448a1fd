/* Names of functions as a target's file has them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/demangle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t rooms[] = { 1, 2, 40, 4096 };
	char *raw = malloc(size + 1);
	size_t i, n;

	memcpy(raw, data, size);
	raw[size] = '\0';
	for (i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
		char *to = malloc(rooms[i]);

		n = demangle(raw, to, rooms[i]);
		if (n >= rooms[i] || strlen(to) != n)
			abort();
		free(to);
	}
	free(raw);
	return 0;
}
