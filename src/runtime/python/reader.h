/* What one attached Python process is to the files of this folder; the world sees it as
 * struct runtime's opaque reader. */
#ifndef PTOP_RUNTIME_PYTHON_READER_H
#define PTOP_RUNTIME_PYTHON_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/intern.h"
#include "base/text.h"
#include "base/vec.h"
#include "runtime/python/batch.h"
#include "runtime/python/layout.h"
#include "runtime/python/lines.h"
#include "runtime/runtime.h"

#define PYTHON_INTERPRETERS_MAX 1024u
#define PYTHON_THREADS_MAX 32768u
/* Chunks of a thread's data stack that are read with it; more are read when asked for. */
#define PYTHON_CHUNKS_MAX 32u
/* Of a deeper chain (frames, and entry frames on the C stack) only the innermost and the
 * outermost frames are read: see root.c. */
#define PYTHON_WHOLE_LEAST 256u
#define PYTHON_WHOLE_FIRST 1024u
#define PYTHON_ROOT_MOST 256u
#define PYTHON_CFRAMES 4u
#define PYTHON_BRIEFS 4u
#define PYTHON_PREFIXES 4u
/* What stands before the collector's flag: three times { collections, collected,
 * uncollectable }; since 3.15 the address of its ring. */
#define PYTHON_GC_BYTES 72u
#define PYTHON_GC_RING_BYTES 8u
#define PYTHON_GIL_BYTES 32u /* of the lock */

/* A code object, known by its address as long as what stands there is the same. */
struct python_code {
	uint64_t address;
	/* What tells it from another one at the same address: object pointers, and as
	 * those are reused too, its version or, to 3.11, the text of its file's name. */
	uint64_t name, file, lines;
	uint64_t version;
	uint64_t bytecode; /* address of the first instruction */
	uint32_t bytecode_bytes;
	uint32_t frame_bytes; /* of its frames in a chunk; 0 unknown */
	int32_t first_line;
	uint32_t function; /* id */
	bool has_locals;   /* its frames' operands do not begin where its locals do */
	bool hidden;	   /* a trampoline of the interpreter's */
	bool runs_read;
	line_runs runs;
	VEC(uint64_t)
	copies; /* addresses of threads' own bytecode, by number; 0 not read */
	bool
	    brief; /* a module's body, or what exec() runs: it may be gone the next moment */
	uint64_t known_ns, checked_ns;
	uint64_t same_ns; /* when it was found to be the same last */
	/* Numbers of readings, see walk.c: the last one before this was read, before it was
	 * compared; and the walk that asked for a comparison last. */
	uint64_t since, compared, asked;
};

struct python_interpreter {
	uint64_t address, gil;
	uint32_t id;
	/* Of the current group of threads: where its pieces are, and what they said. */
	size_t gil_piece, gc_piece;
	bool asked, collecting;
	unsigned char gc[PYTHON_GC_BYTES]; /* see gc.c */
	uint64_t gc_ns;			   /* when that and the flag were read; 0 never */
	uint64_t holder;		   /* thread state that has the lock, 0 none */
};

struct python_chunk {
	uint64_t address;
	uint32_t bytes; /* what is read of it */
	uint32_t size;	/* of all of it; 0 not known */
};

/* A frame outside the data stack: a generator's, an entry frame on the C stack, and all of
 * them to 3.10. */
struct python_outside {
	uint64_t address;
	uint64_t back; /* its caller: see frames.c */
	uint32_t seen; /* thread's count of looks when it was met last */
	bool runs, called;
};

struct python_thread {
	struct runtime_thread info;
	uint64_t state;	      /* address */
	uint64_t ident;	      /* pthread_self() */
	uint32_t interpreter; /* index */
	uint32_t native;      /* tid in the target's own namespace */
	uint32_t looks;
	uint64_t cframe[PYTHON_CFRAMES];	      /* newest first; 3.11, 3.12 */
	struct python_chunk chunk[PYTHON_CHUNKS_MAX]; /* newest first */
	uint32_t n_chunks;
	uint64_t
	    beyond; /* the chunk behind the oldest listed one; 0: that is the oldest */
	uint32_t reach; /* index of the oldest chunk that the last walk needed */
	VEC(struct python_outside) outside; /* by address */
	size_t outside_at;		    /* where the last one was noted */
	/* Brief codes of the last looks, whose heads are read with the frames. */
	struct python_brief {
		uint64_t address, file;
		uint32_t seen; /* as in python_outside */
	} brief[PYTHON_BRIEFS];
	uint32_t n_briefs;
	uint64_t outermost; /* frame of the last good stack, to 3.10 */
	/* Of a stack that is too deep: see root.c. */
	bool cut;	      /* the last walk's was */
	uint32_t steps;	      /* links that the last walk followed */
	VEC(uint64_t) line;   /* outermost first: its chunks, to 3.10 its frames */
	uint64_t line_ns;     /* when it was read whole */
	size_t line_at;	      /* where the chain met it last */
	VEC(uint64_t) survey; /* the next line as far as it is read, innermost first */
	uint64_t survey_next; /* where that goes on */
	bool kept;	      /* still in the list: see threads.c */
};

/* Where an interpreter keeps threading._active: see names.c. */
struct python_active {
	uint64_t interpreter, dict;
	size_t searched_with; /* threads when it was searched in vain */
};

struct python_range {
	uint64_t start, end;
};

struct python_reader {
	pid_t pid;
	uint64_t runtime;
	struct python_layout layout;
	struct runtime_site site;
	struct batch batch, side;	  /* side: what is read between two looks */
	uint32_t state_from, state_bytes; /* what is read of a PyThreadState */
	/* Longer chains are cut; what they cost since when, to adapt that. */
	uint32_t whole;
	uint64_t survey_debt_ns, survey_paid_ns; /* see root.c */
	uint64_t deep_ns, deep_since_ns;
	bool deep_cut;
	bool numbered; /* the calls of the stack are told apart */
	uint64_t now_ns;
	uint64_t readings, walks; /* of frames; through frames */

	VEC(struct python_interpreter) interpreters;
	VEC(struct python_thread *) threads; /* by tid */
	pid_t ns_pid;
	bool same_namespace;
	VEC(struct python_active) active;
	uint32_t keys_left;  /* names.c: dictionary keys still to be read */
	uint32_t tid_offset; /* to 3.10: in the thread descriptor; 0 not known */

	VEC(struct python_code) codes;
	uint32_t *code_slots; /* index + 1 by address */
	size_t n_code_slots;
	uint64_t code_type, frame_type; /* learnt; 0 not yet */
	struct intern strings;
	uint32_t prefix[PYTHON_PREFIXES]; /* strings: see library.c */
	size_t n_prefixes, prefix_tries;
	VEC(struct runtime_function) functions;
	uint32_t *function_slots;
	size_t n_function_slots;
	/* Instructions of the first `ranged` codes, by address: see ranges.c. */
	VEC(struct python_range) ranges;
	size_t ranged;
	uint64_t adjacent, apart; /* frames that lie, do not lie at their caller's end */

	struct runtime_counters counters;
	struct callstack stack;
	/* By frame of `stack`: the call it is, and what it keeps as it is while it calls
	 * another (see frames.c). */
	uint64_t call[DEPTH_MAX], held[DEPTH_MAX];
	uint64_t address[DEPTH_MAX]; /* of the stack's frames */
	/* Of the stack; `run` is the one being filled. */
	VEC(struct runtime_entry) entries;
	struct runtime_entry run;
	struct captured *captured; /* captured.c */
	struct python_thread
	    young; /* of the copy that is read, when no list had it yet */
};

static inline uint64_t python_u64(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline int32_t python_i32(const unsigned char *p)
{
	int32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t python_gc_ahead(const struct python_reader *r)
{
	return r->layout.minor < 15 ? PYTHON_GC_BYTES : PYTHON_GC_RING_BYTES;
}

/* What tells who has an interpreter's lock: where it is, and how many bytes. */
static inline uint64_t python_lock(const struct python_reader *r,
				   const struct python_interpreter *p, uint32_t *bytes)
{
	*bytes = r->layout.runtime_current ? 8 : PYTHON_GIL_BYTES;
	return r->layout.runtime_current ? r->runtime + r->layout.runtime_current
					 : p->gil;
}

/* Where the collector's flag of an interpreter is. */
static inline uint64_t python_gc_flag(const struct python_reader *r,
				      const struct python_interpreter *p)
{
	return r->layout.runtime_collecting ? r->runtime + r->layout.runtime_collecting
					    : p->address + r->layout.interp_collecting;
}

/* attach.c. A reader over test bytes when mem is not NULL (then pid is not used). */
struct python_reader *python_reader_new(pid_t pid, const struct mem *mem,
					const struct python_layout *layout,
					uint64_t runtime);
void python_reader_free(struct python_reader *r);

/* strings.c: text objects and bytes objects. */

/* Appends at most `limit` characters of a str object, cleaned, "..." when there were more.
 * False when it is none. */
bool python_text(struct python_reader *r, uint64_t object, size_t limit,
		 struct text *out);
/* The content of a bytes object, at most limit bytes; the caller frees out->p. */
bool python_bytes(struct python_reader *r, uint64_t object, size_t limit,
		  struct bytes *out);
/* Is the object's type called so? Remembers the type's address in *type. */
bool python_is_type(struct python_reader *r, uint64_t type_address, const char *name,
		    uint64_t *type);

/* code.c */

/* The code object at an address, read when new; NULL when it is none. The pointer is good
 * until the next call. */
struct python_code *python_code(struct python_reader *r, uint64_t address);
/* Where the bytecode of this number begins. */
uint64_t python_code_copy(struct python_reader *r, struct python_code *code,
			  int32_t number);
/* The line of the instruction at this byte of the bytecode; -1 and less: not begun. */
uint32_t python_code_line(struct python_reader *r, struct python_code *code,
			  int64_t offset);
/* Is it time to look whether the address still holds the same? */
bool python_code_due(const struct python_reader *r, const struct python_code *code,
		     bool overdue);
/* Bytes of a code object that tell it from another, and of its file's name; 0: none. */
size_t python_code_head_bytes(const struct python_reader *r);
size_t python_code_file_bytes(const struct python_reader *r);
/* Are these the words from python_code_proof() on? */
bool python_code_proved(const struct python_reader *r, const struct python_code *code,
			const unsigned char *words);
/* Where in a code object the words are that tell it from others; how many bytes. */
uint32_t python_code_proof(const struct python_reader *r, uint32_t *bytes);
/* Is it another than these pieces, which follow each other in `b`, say? Then it is read. */
bool python_code_compare(struct python_reader *r, struct python_code *code,
			 const struct batch *b, const struct piece *head);
/* Looks at these codes (indexes); true when any of them is another now. */
bool python_code_check(struct python_reader *r, const uint32_t *codes, size_t n);
void python_codes_done(struct python_reader *r);

/* threads.c */
bool python_threads(struct python_reader *r, bool names, runtime_thread_list *out);
/* Index of the first state of a thread, threads.n when it has none. Its other states, in
 * older interpreters, follow. */
size_t python_thread_find(const struct python_reader *r, pid_t tid);
void python_threads_done(struct python_reader *r);

/* gil.c: see struct runtime. */
size_t python_gil(struct python_reader *r, struct runtime_gil *out, size_t max);

/* library.c: is this the file of a library? */
bool python_is_library(struct python_reader *r, const char *file);

/* ranges.c: is there an instruction of a known code object at this address? */
bool python_is_instruction(struct python_reader *r, uint64_t word);

/* names.c: fills info.name of all threads from threading._active. */
void python_thread_names(struct python_reader *r);

/* exits.c */
bool python_exits(struct python_reader *r, const char *name, struct runtime_exits *out);
/* The same of bytecode that begins at out->entry, of Python 3.minor. For tests. */
bool python_exits_scan(int minor, const unsigned char *code, size_t n,
		       struct runtime_exits *out);

/* walk.c */
size_t python_walk(struct python_reader *r, const pid_t *tids, size_t n, runtime_got *got,
		   void *arg);

/* captured.c: see struct runtime. */
bool python_chain_plan(const struct python_reader *r, pid_t tid, struct chain_plan *out);
bool python_chain_births(const struct python_reader *r, struct chain_births *out);
void python_chain_known(const struct python_reader *r,
			uint64_t bits[CHAIN_KNOWN_BITS / 64]);
bool python_chain_walk(struct python_reader *r, pid_t tid, struct bytes record,
		       runtime_got *got, void *arg);
void python_captured_done(struct python_reader *r);

/* past.c: fills r->stack; false when it is not to be found. */
bool python_past(struct python_reader *r, pid_t tid, const uint64_t *words, size_t n);

#endif
