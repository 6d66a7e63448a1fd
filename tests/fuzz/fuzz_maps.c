/* /proc/PID/maps of a stranger, and insertions in between: mappings stay sorted and
 * disjoint, and each is found at both of its ends. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "target/maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct maps *m)
{
	size_t i;

	for (i = 0; i < m->list.n; i++) {
		const struct mapping *v = &m->list.v[i];

		if (v->start >= v->end || !v->object ||
		    (i && m->list.v[i - 1].end > v->start))
			abort();
		if (maps_find(m, v->start) != v || maps_find(m, v->end - 1) != v)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct objects *os = objects_new();
	struct maps m;
	size_t i;

	maps_init(&m);
	maps_parse(&m, os, 4242, (struct bytes){ data, size });
	check(&m);
	for (i = 0; i + 4 <= size && i < 256; i += 4) {
		struct mapping new = { .start = (uint64_t)data[i] << 12 |
						0x1000u * data[i + 1],
				       .object = objects_jit(os, 1) };

		new.end = new.start + ((uint64_t)data[i + 2] << 12) + data[i + 3];
		new.offset = new.start;
		maps_insert(&m, new);
		check(&m);
	}
	maps_done(&m);
	objects_free(os);
	return 0;
}
