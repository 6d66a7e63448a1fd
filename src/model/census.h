/* What a memory is full of, counted by kind: chunks by size, objects by type. Two of them
 * make a difference, and the difference names what leaks. */
#ifndef PTOP_MODEL_CENSUS_H
#define PTOP_MODEL_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/vec.h"
#include "model/memory.h"

#define CENSUS_KINDS_MOST 16384u
#define CENSUS_OTHERS UINT64_MAX /* key of all that found no room */

struct census_row {
	uint64_t key;
	uint64_t count, bytes;
	const char *name; /* in the arena; NULL not named yet */
};

struct census {
	VEC(struct census_row) rows;
	uint32_t *slots; /* index + 1 */
	uint64_t things, bytes;
	uint64_t torn; /* places where it did not fit together */
	bool cut;      /* time ran out: not everything was counted */
	uint64_t time_ns, took_ns;
	struct arena arena;
};

void census_init(struct census *c);
void census_done(struct census *c);
/* The row of a key, made when new; when there are too many, that of CENSUS_OTHERS. Good
 * until the next call. */
struct census_row *census_row(struct census *c, uint64_t key);
void census_add(struct census *c, uint64_t key, uint64_t bytes);
/* The row, or NULL. */
const struct census_row *census_find(const struct census *c, uint64_t key);
/* The `most` kinds of `now` that grew most since `before` (NULL: the biggest), most growth
 * first; names are copied into the arena. Returns how many. */
size_t census_growers(const struct census *before, const struct census *now,
		      enum grower_kind kind, struct arena *a, struct memory_grower *out,
		      size_t most);

#endif
