/* What collectors keep of their pauses: HotSpot's counters, Go's and CPython's rings. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "elf/notes.h"
#include "runtime/go/ring.h"
#include "runtime/jvm/perfdata.h"
#include "runtime/python/gc_ring.h"

#define NOW_UNIX_NS 1795183351000000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void got(void *arg, const struct perfdata_entry *e)
{
	const struct bytes *in = arg;
	size_t n = e->type == 'J' ? 8 : e->elements ? e->elements : 1;

	if (e->at >= in->n || n > in->n - e->at ||
	    (const unsigned char *)e->name + strlen(e->name) >= in->p + in->n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	struct python_collection c[PYTHON_RING_YOUNG];
	struct probe_note note;
	struct go_ring ring;
	size_t at;

	if (perfdata_each(in, got, &in) > PERFDATA_ENTRIES_MAX)
		abort();
	at = go_ring_find(in, NOW_UNIX_NS);
	if (at != SIZE_MAX &&
	    (at + GO_RING_BYTES > size ||
	     !go_ring_read((struct bytes){ data + at, size - at }, NOW_UNIX_NS, &ring)))
		abort();
	for (at = 0; at < 4; at++)
		if (python_ring_read(in, at, c) > PYTHON_RING_YOUNG)
			abort();
	python_ring_version(in);
	notes_probe(in, "python", "gc__start", &note);
	return 0;
}
