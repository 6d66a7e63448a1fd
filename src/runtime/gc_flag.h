/* Pauses of a runtime that has a flag in memory while it collects, and counters: what looks at
 * the flag say (± their distance), or, with a debug register on it, the times at which it
 * was written.
 *
 * A write does not say what was written. Which instruction writes which value is learnt: if the
 * newest write is older than a look, the look saw what it wrote. Until an instruction is
 * known, writes are taken to alternate. A collection has been counted when the flag falls,
 * so a pause is given to a generation at the first look behind it; where several ended
 * between two looks, the longest are taken to be of the oldest generation. */
#ifndef PTOP_RUNTIME_GC_FLAG_H
#define PTOP_RUNTIME_GC_FLAG_H

#include "runtime/gc.h"

#define GC_FLAG_GENERATIONS 3u
#define GC_FLAG_WRITERS 16u

struct gc_flag_config {
	const char *runtime;
	const char *counters;			      /* what counts them: "counters" */
	const char *generations[GC_FLAG_GENERATIONS]; /* youngest first */
	size_t n_generations;
	bool collected; /* objects are counted, too */
	/* A collection goes in steps, each a pause; it is counted once. */
	bool steps;
};

struct gc_flag_counts {
	uint64_t collections[GC_FLAG_GENERATIONS], collected[GC_FLAG_GENERATIONS];
};

struct gc_flag_pause {
	uint64_t end_ns, duration_ns;
};

struct gc_flag {
	struct gc_flag_config config;
	struct pauses *to; /* borrowed */
	char runtime[48];
	size_t row[3][GC_FLAG_GENERATIONS]; /* by looks, register, probes */
	bool rows_made[3];
	bool known; /* counts are */
	struct gc_flag_counts counts;
	uint64_t
	    owed[GC_FLAG_GENERATIONS]; /* counted, but the pause not seen to end yet */
	uint64_t looked_ns;
	/* By the looks. */
	bool was_on;
	uint64_t on_ns;	   /* of the pause that is under way... */
	uint32_t on_looks; /* ...and the looks that met it */
	/* By the register. */
	bool watched, on;
	uint64_t probe[2]; /* end, begin; 0: the hits are writes */
	uint64_t apart_ns, began_ns, last_hit_ns, last_ip; /* began 0: not seen */
	/* An instruction that writes it, and how often it was seen to write 0 and 1. */
	struct {
		uint64_t ip;
		uint32_t wrote[2];
	} writer[GC_FLAG_WRITERS];
	size_t n_writers;
	VEC(struct gc_flag_pause) ended;
	/* Collections in a second. */
	uint64_t rate_ns, rate_n;
	double per_s;
};

void gc_flag_init(struct gc_flag *f, const struct gc_flag_config *c, struct pauses *to);
void gc_flag_done(struct gc_flag *f);
/* What a look at look_ns found. Hits up to then must have been told before. */
void gc_flag_look(struct gc_flag *f, uint64_t look_ns, bool on,
		  const struct gc_flag_counts *counts);
void gc_flag_armed(struct gc_flag *f, bool on, uint64_t apart_ns);
void gc_flag_hit(struct gc_flag *f, const struct gc_hit *hit);
/* The hits are of these two places instead, where a collection begins and ends. */
void gc_flag_probed(struct gc_flag *f, uint64_t begin, uint64_t end);

#endif
