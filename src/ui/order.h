/* Which functions are listed, and in which order: an index array over a snapshot's
 * functions. */
#ifndef PTOP_UI_ORDER_H
#define PTOP_UI_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"
#include "ui/baseline.h"
#include "ui/filter.h"

enum sort_key {
	SORT_SELF,
	SORT_TOTAL,
	SORT_DELTA, /* against the baseline, own time */
	SORT_NAME,
	SORT_FILE,
	SORT_MODULE,
	SORT_THREAD,
	SORT_KEYS
};

struct order_spec {
	enum sort_key sort;
	bool inverted;
	bool keep; /* rows known from the last time stay in their old order, new ones
		      follow */
	bool has_pin;
	uint64_t pin; /* key of the row that stands first whatever the sort or filter */
	const struct filter *filter;
	double least_pct; /* rows of a smaller total share are left out */
	const struct baseline *base;
};

/* Owner: a view. Zeroed is empty. */
struct order {
	uint32_t *rows; /* indices into snapshot.functions */
	uint64_t *keys; /* order_key() of each row */
	size_t n, cap;
	bool pinned;	   /* row 0 is the pinned one */
	uint64_t self_ns;  /* sum over the rows */
	size_t small;	   /* rows left out as below least_pct... */
	uint64_t small_ns; /* ...and their own time */
};

/* The same row keeps its key from snapshot to snapshot, also with threads apart. */
uint64_t order_key(const struct snapshot *s, const struct snapshot_function *f);
void order_build(struct order *o, const struct snapshot *s,
		 const struct order_spec *spec);
/* Points of own percentage more than in the baseline. */
double order_delta(const struct snapshot *s, const struct snapshot_function *f,
		   const struct baseline *base);
/* Index of the row with this key, or o->n. */
size_t order_find(const struct order *o, uint64_t key);
void order_done(struct order *o);

#endif
