/* A Python process's objects counted by type: what it holds, not who made it.
 *
 * Of the objects the collector tracks: containers and instances; text, bytes and numbers
 * are not in its lists. Sizes are the objects' own and, of lists, dictionaries and sets,
 * about what their tables take. */
#ifndef PTOP_RUNTIME_PYTHON_CENSUS_H
#define PTOP_RUNTIME_PYTHON_CENSUS_H

#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "model/census.h"
#include "runtime/python/reader.h"

#define PYTHON_CENSUS_INTERPRETERS 16u

/* Where to look; independent of the reader it was made from. */
struct python_census {
	uint64_t
	    flags[PYTHON_CENSUS_INTERPRETERS]; /* address of each one's `collecting` */
	size_t n;
};

/* False when there is none to look into. */
bool python_census_plan(const struct python_reader *r, struct python_census *out);
/* Counts and names; gives up (cut) at until_ns. False when no list of objects was found. */
bool python_census_run(const struct python_census *p, const struct mem *mem,
		       uint64_t until_ns, struct census *out);

#endif
