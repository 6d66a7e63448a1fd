/* Records of the kernel's rings: switches of threads, hits of debug registers. What is cut short is
 * neither. */
#include <stdint.h>
#include <stdlib.h>

#include "sample/switches.h"
#include "sample/watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes record = { data, size };
	struct switch_event e = { 0 };
	struct watch_hit h = { 0 };
	uint64_t lost = 0;

	if (switches_parse(record, &e, &lost) &&
	    (size < 24 || e.pid <= 0 || e.tid <= 0 || (e.preempted && !e.out)))
		abort();
	if (watch_parse(record, &h, &lost) && size < 40)
		abort();
	return 0;
}
