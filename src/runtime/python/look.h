/* One look at some threads, as the files that make it share it: plan.c says what is read
 * and finds it again, frames.c judges it, walk.c goes over threads. */
#ifndef PTOP_RUNTIME_PYTHON_LOOK_H
#define PTOP_RUNTIME_PYTHON_LOOK_H

#include "runtime/python/reader.h"

#define DUE_MAX 256u
#define LOOK_CHUNK_HEAD 24u /* previous, size, top */

/* What became of a walk: a reason of rejection, or one of these. */
enum { WALK_DONE = REJECT_REASONS, WALK_AGAIN };

/* One thread state in the current group. */
struct walk {
	struct python_thread *t;
	size_t first, chunks, outside, end; /* its pieces, by kind */
	size_t briefs, briefs_end;
	size_t again; /* + 1: the innermost frame's address, read behind all of them; 0 */
};

/* The look that is being made at one thread; it may have states in several interpreters.
 */
struct look {
	struct python_reader *r;
	struct walk *walk;
	uint64_t reading; /* the number of the one that its frames come from */
	bool may_repeat;
	bool fresh; /* a code object was read after the frames */
	size_t
	    brief; /* index + 1 of a code that is compared if it is not the outermost */
	bool captured; /* from a copy; else it is live */
	size_t late;   /* first piece fetched during the walk */
	size_t hit;    /* piece of the last frame */
	/* The chain so far. */
	uint64_t inner;	      /* last frame of the thread in the data stack, 0 none */
	uint32_t inner_chunk; /* index of its chunk */
	uint64_t border;      /* last entry frame on the C stack */
	uint64_t last;	      /* frame met last */
	uint64_t leaf_inner;  /* `inner` when the stack had look_leaf() frames */
	uint32_t steps;	      /* links followed */
	/* Of the last frame: recursion repeats it. */
	uint64_t same_code;
	size_t same_index;
	int64_t same_offset;
	uint32_t same_line;
	uint64_t top;	/* end of what is used of the newest chunk */
	bool late_full; /* no more may be fetched during this walk */
	bool at_end;	/* the last frame may be the outermost */
	/* The innermost frames may be remains: see take_interpreter_frame(). */
	bool in_front;	    /* no border met, no running frame met */
	uint32_t start;	    /* of this state's frames in the stack */
	uint32_t run_start; /* of the frames since the last entry */
	uint64_t cframe;    /* 3.11, 3.12: in the C frame of the innermost loop; 0 used */
	int doubt;	    /* why a frame in front was not believed; WALK_DONE: none */
	/* Codes to be looked at again; overdue: there is one that cannot wait. */
	uint32_t due[DUE_MAX];
	size_t n_due;
	bool overdue;
	uint32_t interpreter; /* of the innermost frame */
};

/* plan.c */

/* Asks for what a look at a thread state, or at an interpreter's lock and collector,
 * needs. */
void look_plan(struct python_reader *r, struct walk *w);
void look_plan_interpreter(struct python_reader *r, struct python_interpreter *p);
/* Notes what the pieces of an interpreter say. */
void look_read_interpreter(struct python_reader *r, struct python_interpreter *p);
/* Bytes of the target among what was read for this walk, or NULL. */
const unsigned char *look_find(struct look *k, uint64_t address, uint32_t bytes);
/* Reads a piece now, on top; NULL when it is not there. */
const unsigned char *look_fetch(struct look *k, uint64_t address, uint32_t bytes);
/* Compares a brief code with its head as it was read with the frames; false when it was not.
 * Next time it will be. */
bool look_compare_brief(struct look *k, struct python_code *code);
/* The same of a frame, with what is around it. */
const unsigned char *look_fetch_frame(struct look *k, uint64_t address);
/* Notes where a frame outside the data stack stands, for the next looks. */
void look_note_outside(struct python_thread *t, uint64_t address);
/* Its index; t->outside.n: not noted. */
size_t look_outside_of(const struct python_thread *t, uint64_t address);
/* Brings the list of chunks up to what the thread state says; false when it had to be
 * read anew, so that what was read of the stack is not all there is. */
bool look_update_chunks(struct look *k, uint64_t chunk, uint64_t top);
/* The newest chunks are these now; older ones are listed. */
void look_adopt_chunks(struct python_reader *r, struct python_thread *t,
		       const struct piece *chunk, size_t n);
/* Index of the chunk, `from` or older, that holds this address; n_chunks: none. */
uint32_t look_chunk_of(const struct python_thread *t, uint32_t from, uint64_t address);

/* frames.c */

#define LOOK_STEPS_MAX (4u * DEPTH_MAX)

/* Pushes a frame whose chain has been judged already. */
int look_take_frame(struct look *k, uint64_t address, const unsigned char *frame);
/* From 3.12 on; larger ones are borders that the C stack owns. */
enum owner { OWNED_BY_THREAD, OWNED_BY_GENERATOR, OWNED_BY_FRAME_OBJECT, OWNED_BY_C };

/* Forgets the frames of this state. */
void look_restart(struct look *k);
/* Follows the chain from this frame to its end, or to `base`, and puts it on the reader's
 * stack. */
int look_chain(struct look *k, uint64_t address, uint64_t base);
/* To 3.10: does it run, or wait for a call it made? */
bool look_heap_frame_runs(struct python_reader *r, const unsigned char *frame);
/* From 3.11 on: is it the one that runs? See take_thread_frame(). */
bool look_in_use(const struct look *k, uint64_t address, const unsigned char *frame);

/* root.c */

#define LOOK_ROOT_BYTES 16384u /* no chunk is smaller */

/* Frames that are kept of the innermost ones, and of the outermost ones. */
static inline uint32_t look_leaf(const struct python_reader *r)
{
	return r->whole / 4 * 3;
}

static inline uint32_t look_roots(const struct python_reader *r)
{
	return r->whole / 4 < PYTHON_ROOT_MOST ? r->whole / 4 : PYTHON_ROOT_MOST;
}

/* Where the thread's oldest chunk is, as far as it is known; 0 not. */
uint64_t look_root_chunk(const struct python_thread *t);
/* The chain is too long and goes on at `next`: keeps the innermost frames, adds the mark and,
 * where they are found, the outermost ones. */
void look_root(struct look *k, uint64_t next);

/* CPU time now, when one of these states had a deep stack; else 0. */
uint64_t look_depth_start(const struct walk *w, size_t n);
/* What was spent on it since then tells how deep a stack may be. */
void look_depth_spent(struct python_reader *r, uint64_t start);

/* captured.c: was this the code of that frame, when it was copied? */
bool look_proves(struct look *k, uint64_t frame, struct python_code *code);

/* walk.c: walks n states of a thread and gives what it found. */
void look_give(struct python_reader *r, struct walk *w, size_t n, uint64_t reading,
	       bool captured, runtime_got *got, void *arg);

/* heads.c: the same from the innermost frame on, which may be another by now. */
int look_follow(struct look *k, uint64_t address, uint64_t base);
/* Makes of the frames of a finished stack the numbers of their calls. */
void look_number_calls(struct python_reader *r);

#endif
