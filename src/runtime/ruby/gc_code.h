/* Where Ruby (MRI) keeps its collector's figures, read from the machine code of two functions. */
#ifndef PTOP_RUNTIME_RUBY_GC_CODE_H
#define PTOP_RUNTIME_RUBY_GC_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

#define RUBY_GC_OFFSET_MAX 65536u

struct ruby_gc_code {
	uint64_t space;		    /* address of the object space */
	uint32_t count_at, flag_at; /* in it: the count; the byte that holds the bit */
	unsigned shift;		    /* of the bit in its byte */
};

/* From the addresses of rb_gc_count and rb_during_gc; false when their code is any other. */
bool ruby_gc_code_read(const struct mem *mem, uint64_t count, uint64_t during,
		       struct ruby_gc_code *out);

#endif
