/* One perf ring record of any bytes. What an event points to must lie inside the record.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sample/perf_ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const void *p, size_t n, const uint8_t *data, size_t size)
{
	const uint8_t *u = p;

	if (p && (u < data || u > data + size || n > (size_t)(data + size - u)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct perf_layout layouts[] = {
		{ .callchain = true, .stack = true, .stack_asked = 16384 },
		{ .stack = true, .stack_asked = 16384 },
		{ .stack = false },
		{ .callchain = true,
		  .address = true,
		  .stack = true,
		  .stack_asked = 16384 },
	};
	size_t i;

	for (i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		struct event e;

		if (!perf_record_parse(&layouts[i], (struct bytes){ data, size }, &e) ||
		    e.kind == EVENT_BAD)
			continue;
		inside(e.kernel, e.n_kernel * 8, data, size);
		inside(e.stack.p, e.stack.n, data, size);
		if (e.text)
			inside(e.text, strlen(e.text) + 1, data, size);
	}
	return 0;
}
