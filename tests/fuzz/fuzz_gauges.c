/* Text of /proc and of control groups that the gauges read; the first byte says which. What
 * comes out is terminated, clean and no more than there is room for. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/malloc/glibc.h"
#include "target/cgroup.h"
#include "target/regions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mounts(struct bytes text)
{
	struct cgroup_mounts m;

	cgroup_mounts_parse(&m, text);
	if (!memchr(m.v1, 0, sizeof(m.v1)) || !memchr(m.v2, 0, sizeof(m.v2)) ||
	    !memchr(m.v1_from, 0, sizeof(m.v1_from)) ||
	    !memchr(m.v2_from, 0, sizeof(m.v2_from)))
		abort();
}

static void pressure(struct bytes text)
{
	struct pressure p;

	pressure_parse(text, &p);
	if (!(p.some_pct >= -1 && p.some_pct <= 101) ||
	    !(p.full_pct >= -1 && p.full_pct <= 101))
		abort();
}

static void regions(struct bytes text)
{
	static struct regions r;
	heap_regions heaps = { 0 };
	size_t i;

	regions_parse(&r, text);
	if (r.n > REGION_GROUPS_MOST)
		abort();
	for (i = 0; i < r.n; i++)
		if (!memchr(r.groups[i].name, 0, sizeof(r.groups[i].name)) ||
		    regions_find(&r, &r.groups[i]) != &r.groups[i])
			abort();
	heap_regions_parse(&heaps, text);
	for (i = 0; i < heaps.n; i++)
		if (heaps.v[i].start >= heaps.v[i].end)
			abort();
	VEC_DONE(&heaps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { data + 1, size - 1 };

	if (size < 2)
		return 0;
	if (data[0] % 3 == 0)
		mounts(text);
	else if (data[0] % 3 == 1)
		pressure(text);
	else
		regions(text);
	return 0;
}
