/* An earlier picture's percentages, kept to compare with: by function and by path of the
 * call tree. Owner: the screen. Zeroed is none. */
#ifndef PTOP_UI_BASELINE_H
#define PTOP_UI_BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

struct share {
	double self_pct, total_pct;
};

struct baseline {
	bool set;
	uint64_t wall_ns; /* of that picture */
	bool by_line;
	enum mode mode;
	int32_t only_tid;
	struct share_slot {
		uint64_t key; /* 0: empty */
		struct share share;
	} * slots;
	size_t mask;
};

/* s needs its tree, or only functions can be compared. */
void baseline_set(struct baseline *b, const struct snapshot *s);
void baseline_clear(struct baseline *b);
/* There is one, and it is of the same kind of picture as s. */
bool baseline_fits(const struct baseline *b, const struct snapshot *s);
/* Nothing in the baseline is 0 %. */
struct share baseline_function(const struct baseline *b, uint64_t id);
struct share baseline_path(const struct baseline *b, uint64_t path);

#endif
