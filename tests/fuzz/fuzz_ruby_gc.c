/* Machine code and memory that may or may not be Ruby's: what is decoded lies within its limits. The
 * functions stand at the start and at 64. */
#include <stdint.h>
#include <stdlib.h>

#include "runtime/ruby/gc_code.h"

#define BASE 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ruby_gc_code code;
	struct mem_bytes mem;

	mem_bytes_init(&mem, BASE, (struct bytes){ data, size });
	if (!ruby_gc_code_read(&mem.mem, BASE, BASE + 64, &code))
		return 0;
	if (!code.space || code.count_at >= RUBY_GC_OFFSET_MAX || code.flag_at > 255 ||
	    code.shift > 7)
		abort();
	return 0;
}
