/* Interpreters: stacks of the language above the machine's, read from a running process
 * without stopping it.
 *
 * One reader serves one process. All its functions are called by one thread (the
 * sampler). Strings it returns live until detach. Reading memory needs the right to
 * ptrace the process; without it attach() fails with EXIT_NO_PERMISSION. */
#ifndef PTOP_RUNTIME_RUNTIME_H
#define PTOP_RUNTIME_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/vec.h"
#include "model/callstack.h"
#include "model/census.h"
#include "model/chain.h"
#include "target/maps.h"

enum runtime_state {
	RUNTIME_ABSENT,	     /* no such interpreter among the mapped files */
	RUNTIME_STARTING,    /* there, but not initialized (or finalizing): ask again */
	RUNTIME_UNSUPPORTED, /* there; `reason` says why it cannot be read */
	RUNTIME_READY,
};

/* What detect() found; attach() takes it as it is. */
struct runtime_site {
	enum runtime_state state;
	uint64_t address;     /* of the interpreter's root, in the target */
	uint32_t version_hex; /* 0x030b07f0 for 3.11.7 final */
	char version[48];     /* "CPython 3.11.7" */
	char reason[160];     /* for STARTING and UNSUPPORTED, one line */
};

struct runtime_thread {
	pid_t tid;	      /* as ptop's pid namespace numbers it */
	uint32_t interpreter; /* the runtime's own number; 0 is the main one */
	bool main;
	char name[64]; /* as the language names it, cleaned; "" has none */
};
typedef VEC(struct runtime_thread) runtime_thread_list;

/* Frames that one running call of the interpreter's loop executes: between two entries lie
 * frames of C only. */
struct runtime_entry {
	uint32_t end;	 /* index of the frame behind its outermost one */
	uint64_t border; /* an address in the loop's own C frame; 0 not known */
	uint64_t frame;	 /* its innermost frame's address in the target */
	/* Where that one's instructions lie. */
	uint64_t code_start, code_end;
};

/* An argument or variable of a frame: "retries", "3". Strings are the callback's while it
 * runs; cleaned. */
struct runtime_local {
	const char *name, *value;
	bool argument;
};
typedef void runtime_got_local(void *arg, const struct runtime_local *local);

/* A task of an event loop that is not done. */
struct runtime_task {
	const char *name;
	const char *state;  /* "running", "suspended", "not started" */
	const char *awaits; /* "Future", "task fetch", "" */
};
typedef void runtime_got_task(void *arg, const struct runtime_task *task,
			      const struct callstack *cs);

/* An interpreter's lock as it is now. */
struct runtime_gil {
	uint32_t interpreter; /* the first of those that share it */
	pid_t holder;	      /* 0: nobody */
};

/* Machine code of the interpreter's loop, or of what only leads to it when a function of the
 * language calls another, as frames of the machine's stack name it. */
struct runtime_loop {
	uint32_t object;
	bool leads_to;
	uint64_t start, end; /* offsets in its file */
};
#define RUNTIME_LOOPS 16

/* One answer of walk(). */
struct runtime_look {
	pid_t tid;
	uint32_t interpreter;
	bool rejected;	/* the stack is empty then */
	bool holds_gil; /* at the moment of the reading */
	bool gc;	/* this thread is collecting garbage; its stack begins with it */
	/* By frame of the stack: a number that stays the same from look to look as long as
	 * that frame is the same call; 0: not known. NULL: of no frame. Good until got()
	 * returns. */
	const uint64_t *calls;
	/* Addresses of the frames, by their place in the stack. */
	const uint64_t *frames;
	/* Innermost first; they cover the stack. */
	const struct runtime_entry *entries;
	size_t n_entries;
};

/* Stacks that were read and not believed. There is no second try: it would favour the
 * moments when nothing moves. */
enum runtime_reject {
	REJECT_UNREADABLE,
	REJECT_THREAD,
	REJECT_CODE,
	REJECT_INSTRUCTION,
	REJECT_CHAIN,
	REJECT_END,
	REJECT_REASONS
};
const char *runtime_reject_name(enum runtime_reject reason);
const char *runtime_reject_help(enum runtime_reject reason);

struct runtime_counters {
	uint64_t asked;	   /* stacks walk() was asked for of threads it knows */
	uint64_t complete; /* given whole (also with depth 0: no such frame now) */
	uint64_t truncated;
	uint64_t rejected[REJECT_REASONS];
	uint64_t calls; /* system calls made to read memory */
	uint64_t functions;
};

/* What a frame of this language is: frame.object is the id, frame.address the line (0
 * unknown). */
struct runtime_function {
	const char *name; /* qualified where the version has it; cleaned */
	const char *file; /* cleaned */
	uint32_t first_line;
	bool library; /* of the standard library or an installed package */
};

typedef void runtime_got(void *arg, const struct runtime_look *look,
			 const struct callstack *cs);

/* Where a function of the language is entered and left. */
#define RUNTIME_EXITS_MAX 3
struct runtime_exits {
	uint64_t entry, exit[RUNTIME_EXITS_MAX]; /* addresses that are read then */
	size_t n;
	bool read_twice;   /* the interpreter reads each of them twice in a row */
	char problem[120]; /* why it cannot be told; "": no such function was met yet */
};

struct runtime {
	const char *name; /* "python" */
	/* Looks among the mapped files: reads their symbol tables, so only when maps
	 * changed; and again while it says STARTING. */
	void (*detect)(pid_t pid, const struct maps *maps, struct runtime_site *out);
	/* A reader, or NULL and err. */
	void *(*attach)(pid_t pid, const struct runtime_site *site, struct error *err);
	void (*detach)(void *reader);
	/* Reads the list of threads anew, for once or twice a second and when a thread
	 * ran that walk() did not know; names only when `names` (rarer still). False when
	 * the process is gone or the interpreter ended. */
	bool (*threads)(void *reader, bool names, runtime_thread_list *out);
	/* Reads the stacks of these threads, many in one system call, and gives each to
	 * got(), which must not keep the pointers. Threads the runtime does not know are
	 * left out. Returns how many were known; 0 also when all memory is gone. */
	size_t (*walk)(void *reader, const pid_t *tids, size_t n, runtime_got *got,
		       void *arg);
	/* What is to be copied with samples of a thread; false: it is not one that can be. */
	bool (*chain_plan)(const void *reader, pid_t tid, struct chain_plan *out);
	/* The same of its threads that it does not know yet; false: they cannot be found. */
	bool (*chain_births)(const void *reader, struct chain_births *out);
	/* Sets the bits of code that it has known for long, see model/chain.h. */
	void (*chain_known)(void *reader, uint64_t bits[CHAIN_KNOWN_BITS / 64]);
	/* walk() of one thread over such a copy. False: the thread is not known, or the copy
	 * is none or not all that is needed. */
	bool (*chain_walk)(void *reader, pid_t tid, struct bytes record, runtime_got *got,
			   void *arg);
	/* Where the loop's machine code is: reads symbol tables. Returns how many. */
	size_t (*loops)(const struct maps *maps, struct runtime_loop out[RUNTIME_LOOPS]);
	/* Does the word point at an instruction of code that walk() has met? */
	bool (*is_instruction)(void *reader, uint64_t word);
	/* NULL for an id never given out. The struct is good until the next walk(), its
	 * strings until detach(). */
	const struct runtime_function *(*function)(const void *reader, uint32_t id);
	/* Of the frame at this address (runtime_look.frames), as they are now. False: they
	 * are not read in this version. */
	bool (*locals)(void *reader, uint64_t frame, runtime_got_local *got, void *arg);
	/* All tasks that are not done, with the frames of what each awaits. False as
	 * above. *whole false: some may be missing. */
	bool (*tasks)(void *reader, runtime_got_task *got, void *arg, bool *whole);
	/* Reads its locks, at most `max`; returns how many. */
	size_t (*gil)(void *reader, struct runtime_gil *out, size_t max);
	/* Does a thread that waits on this futex wait for the interpreter lock? */
	bool (*is_gil)(const void *reader, uint64_t futex);
	/* Of the function with this name among those that were met; may be NULL. */
	bool (*exits)(void *reader, const char *name, struct runtime_exits *out);
	void (*counters)(const void *reader, struct runtime_counters *out);
	/* The stack a thread had at a moment that is over, of which the machine's registers
	 * and stack words are known, innermost first. False when it is not to be found. May
	 * be NULL. */
	bool (*past)(void *reader, pid_t tid, const uint64_t *words, size_t n,
		     runtime_got *got, void *arg);
	/* Counting its objects by type. census_new() says where to look: free() it; NULL when
	 * it cannot. census_run() takes long and needs no reader, so any thread may call it;
	 * it counts and names, and gives up (cut) at until_ns. False when it found none. Both
	 * may be NULL. */
	void *(*census_new)(const void *reader);
	bool (*census_run)(const void *census, const struct mem *mem, uint64_t until_ns,
			   struct census *out);
};

/* All of them, NULL-terminated. */
extern const struct runtime *const runtimes[];
extern const struct runtime python_runtime;

#endif
