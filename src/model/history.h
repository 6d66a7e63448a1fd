/* The flight recorder: who stood where, when, for how long; the last minutes of it,
 * always.
 *
 * Frames and stacks are interned: a stack is a node of a trie whose parents are its
 * callers, so node ids grow from root to leaf. What happened is a ring of runs (time,
 * thread, stack, weight). Both are bounded: when the trie is full the oldest runs go
 * until it fits again.
 *
 * A frame belongs to one function, or to several where calls were inlined; who they are
 * is told from outside (history_name), late and more than once. Not thread-safe: the
 * engine owns it. */
#ifndef PTOP_MODEL_HISTORY_H
#define PTOP_MODEL_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "model/callstack.h"
#include "model/frame.h"

#define NO_ID UINT32_MAX
#define INLINE_DEPTH_MAX 31 /* functions of one frame */

struct run {
	uint64_t time_ns;   /* end of the time it stands for */
	uint32_t weight_us; /* of that time, microseconds... */
	uint16_t weight_ns; /* ...and the rest */
	uint16_t count;	    /* samples */
	uint32_t stack, thread;
	bool off_cpu;
	bool counted; /* struct follow's: it is part of the sums, and must not grow */
};

static inline uint64_t run_weight(const struct run *r)
{
	return (uint64_t)r->weight_us * 1000 + r->weight_ns;
}

struct history_node {
	uint32_t parent, frame;
	/* Bit i: function i of the frame (innermost 0) stands on the stack further out
	 * too, so its total is counted there. */
	uint32_t repeated;
};

/* Where a frame is: a function and, when known, the line in it. */
struct place {
	uint32_t function; /* id in model/functions.h */
	uint32_t file;	   /* id of an interned string, NO_ID unknown */
	int32_t line;	   /* 0 unknown */
};

struct history_frame {
	struct frame frame;
	uint32_t places;  /* index in history.places of the first, innermost first */
	uint8_t n_places; /* 0 until named */
	bool asked;	  /* the engine's: its lines were asked for */
};

#define PATH_MOST 4096u

/* The functions on the stack being entered, root first. */
struct path {
	uint32_t function[PATH_MOST];
	size_t n;
};

/* A slot of the table of nodes: by the hash of all frames from the root to it. */
struct node_slot {
	uint32_t tag, node; /* upper half of the hash; node 0: empty */
};

struct history {
	VEC(struct history_frame) frames;
	VEC(struct history_node) nodes; /* node 0 is the root, without a frame */
	VEC(struct place) places;	/* of all frames */
	uint32_t *frame_slots;
	struct node_slot *node_slots;
	size_t n_frame_slots, n_node_slots;
	/* Ring of runs. */
	struct run *runs;
	size_t first, n_runs, cap_runs, max_runs, max_nodes;
	uint64_t dropped;	   /* samples of runs dropped for want of memory */
	uint64_t dropped_until_ns; /* and the time they reached to */
	uint32_t numbering; /* changes when sums of before hold no more: ids changed */
	uint64_t newest_ns; /* of all runs */
	uint64_t looked_until_ns; /* ...or a run came that ends before this */
	VEC(struct run) gone;	  /* dropped though counted; struct follow takes them */
	bool names_changed;	  /* `repeated` of nodes is out of date */
	uint32_t names_version;	  /* counts history_refresh()es that changed something */
	VEC(uint32_t) last_run;	  /* by thread: index+1 from run 0 ever, for merging */
	uint64_t pushed;	  /* runs ever */
	uint64_t namings;	  /* history_name() calls ever */
	uint32_t renumbered;	  /* times that ids of nodes and frames changed */
	struct path path;	  /* scratch */
	uint64_t *hashes;	  /* scratch: of a stack being entered, root first */
	size_t flagged;		  /* nodes below this one have `repeated` */
};

/* max_bytes bounds the runs and the trie together. */
void history_init(struct history *h, size_t max_bytes);
void history_done(struct history *h);
/* Forgets all runs and stacks. */
void history_clear(struct history *h);
/* The node of a stack; a new one calls named(arg, frame id) for every new frame, which
 * answers by history_name. */
uint32_t history_stack(struct history *h, const struct callstack *cs,
		       void (*named)(void *arg, uint32_t frame), void *arg);
/* The number of a frame, or NO_ID when no stack holds it (any more). */
uint32_t history_find(const struct history *h, const struct frame *f);
/* Says what a frame is, innermost place first; at most INLINE_DEPTH_MAX. */
void history_name(struct history *h, uint32_t frame, const struct place *places,
		  size_t n);
/* Forgets the n oldest runs. */
void history_drop(struct history *h, size_t n);
/* Records that `thread` was on `stack` for weight_ns up to time_ns. Runs stand in order of
 * time to a second: what comes later than that is put there. */
void history_add(struct history *h, uint64_t time_ns, uint32_t thread, uint32_t stack,
		 uint64_t weight_ns, uint32_t count, bool off_cpu);
/* The i-th run held, oldest first. */
static inline const struct run *history_run(const struct history *h, size_t i)
{
	return &h->runs[(h->first + i) % h->cap_runs];
}
/* All runs of the threads whose number is in `which` (of n) become runs of `into`. */
void history_merge_threads(struct history *h, const bool *which, size_t n, uint32_t into);
/* Where to begin looking for runs that ended after time_ns. Runs stand nearly in order
 * (the rings of several CPUs are read one after the other), so the reader still compares
 * times. */
size_t history_since(const struct history *h, uint64_t time_ns);
/* Brings node.repeated up to date, of new nodes and after names changed. */
void history_refresh(struct history *h);

/* Weights by node for some runs: self[] in, totals out. Arrays have nodes.n elements. */
void history_totals(const struct history *h, const uint64_t *self, uint64_t *total);

#endif
