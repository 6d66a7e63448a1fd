/* What the samples say of collections: the stacks in which they start, those of runtimes that
 * say nothing themselves, and bursts of freeing, which are none. Owner: the GC part. */
#ifndef PTOP_APP_GC_SAMPLES_H
#define PTOP_APP_GC_SAMPLES_H

#include "app/engine_state.h"
#include "base/intern.h"
#include "model/gc_names.h"
#include "model/pauses.h"

#define GC_SAMPLES_KEPT 4096u
#define GC_TOLD_MOST 16u

struct gc_sample {
	uint64_t time_ns, weight_ns;
	uint32_t text; /* interned stack */
	uint32_t count;
};

/* Of one thread: what goes on since when. */
struct gc_spell {
	uint64_t last_ns, weight_ns;
	uint64_t
	    ready_ns; /* waited for a CPU since: part of it when it goes on after that */
	const char *runtime;
};

struct gc_samples {
	uint64_t upto_ns;    /* runs before are accounted for */
	struct intern texts; /* stacks as text; of a bounded number */
	struct gc_sample *ring;
	uint64_t pushed;
	VEC(struct gc_spell) collecting, freeing; /* by thread number */
	VEC(uint8_t) known; /* by function number: enum gc_name + 1 */
	/* By node: the epoch in which it and all its callers were found to be nothing of ours. One
	 * lasts as long as nodes and names stay what they are. */
	VEC(uint32_t) plain;
	uint32_t epoch, names_version, renumbered;
	struct {
		uint64_t time_ns, weight_ns;
	} burst[256];
	uint64_t bursts;
	/* Runtimes whose collections a source tells: no rows of them from samples. */
	const char *told[GC_TOLD_MOST];
	size_t n_told;
};

void gc_samples_init(struct gc_samples *g);
void gc_samples_done(struct gc_samples *g);
void gc_samples_clear(struct gc_samples *g);
/* A source speaks for this runtime ("V8", a static string), until the next clear of n_told. */
void gc_samples_told(struct gc_samples *g, const char *runtime);
/* Goes over what the history got since the last time: collections of runtimes of which no source
 * tells become rows of their own, estimated. */
void gc_samples_take(struct gc_samples *g, struct engine *e, uint64_t now_ns,
		     struct pauses *rows);
/* Names of a function of the engine's, kept. */
enum gc_name gc_samples_name(struct gc_samples *g, const struct engine *e,
			     uint32_t function, const char **runtime);
/* A sample of machine code on which `frees` functions that free stood, in order of time: spells of
 * them are bursts. freeing: of its thread. */
void gc_samples_freeing(struct gc_samples *g, struct gc_spell *freeing, unsigned frees,
			uint64_t time_ns, uint64_t weight_ns);
/* Stacks and bursts of a window that ends at now_ns; 0: of all that is kept. */
void gc_samples_put(const struct gc_samples *g, uint64_t now_ns, uint64_t window_ns,
		    struct arena *arena, struct snapshot_gc *out);

#endif
