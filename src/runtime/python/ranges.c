/* Where the known code objects' instructions lie, by address: is this word of a stack one
 * that points at an instruction? The table is made anew when enough new codes are known;
 * those that came since are few and looked at one by one. Codes that moved or ended are
 * still in it: they cost an answer too many, which makes a stack rejected, not wrong. */
#include <stdlib.h>

#include "runtime/python/reader.h"

static int by_start(const void *a, const void *b)
{
	const struct python_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void update(struct python_reader *r)
{
	size_t i;

	if (r->codes.n >= r->ranged && r->codes.n - r->ranged <= r->ranged / 8)
		return;
	VEC_CLEAR(&r->ranges);
	for (i = 0; i < r->codes.n; i++) {
		const struct python_code *c = &r->codes.v[i];

		if (c->bytecode && c->bytecode_bytes)
			*VEC_PUSH(&r->ranges) =
			    (struct python_range){ c->bytecode,
						   c->bytecode + c->bytecode_bytes };
	}
	if (r->ranges.n)
		qsort(r->ranges.v, r->ranges.n, sizeof(*r->ranges.v), by_start);
	r->ranged = r->codes.n;
}

bool python_is_instruction(struct python_reader *r, uint64_t word)
{
	size_t low = 0, high, i;

	update(r);
	high = r->ranges.n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->ranges.v[mid].start <= word)
			low = mid + 1;
		else
			high = mid;
	}
	if (low && word < r->ranges.v[low - 1].end)
		return true;
	for (i = r->ranged; i < r->codes.n; i++)
		if (word - r->codes.v[i].bytecode < r->codes.v[i].bytecode_bytes)
			return true;
	return false;
}
