/* The bytecode of a function that is to be watched: the first byte says of which Python. Its ways
 * out lie inside of it, and where there are none it is said why. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/python/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct runtime_exits e = { .entry = 4096 };
	size_t i;
	bool ok;

	if (size < 1)
		return 0;
	ok = python_exits_scan(10 + data[0] % 5, data + 1, size - 1, &e);
	if (ok == (e.problem[0] != 0) || e.n > RUNTIME_EXITS_MAX || (ok && e.n == 0))
		abort();
	for (i = 0; i < e.n; i++)
		if (e.exit[i] < e.entry || e.exit[i] + 2 > e.entry + size - 1 ||
		    (e.exit[i] - e.entry) % 2 || (i && e.exit[i] <= e.exit[i - 1]))
			abort();
	return 0;
}
