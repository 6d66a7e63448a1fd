/* One immutable picture of a window of the history: all that the screen, the exporters
 * and the batch tables know. The engine builds it, a mailbox carries it, whoever holds it
 * frees it.
 *
 * Strings are cleaned (base/text.h): they may go to a terminal or file as they are,
 * escaped only as the format demands. Times are nanoseconds, CLOCK_MONOTONIC where
 * absolute. A percentage of a function is self_ns or total_ns of `weight_ns`. */
#ifndef PTOP_MODEL_SNAPSHOT_H
#define PTOP_MODEL_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/diagnose.h"
#include "model/latency.h"
#include "model/loss.h"
#include "model/memory.h"
#include "model/pauses.h"

#define TREND_CELLS 10

enum mode { MODE_CPU, MODE_WALL, MODE_GIL, MODES };

/* What of a snapshot costs extra, so that it is there only while a view on the screen
 * wants it (struct view.wants). A set of these. */
enum want {
	WANT_TREE = 1,	/* nodes */
	WANT_LINES = 2, /* a row (and a node) is a line of a function, not a function */
	WANT_RUNS = 8,	/* who was where when; needs WANT_TREE */
	WANT_HOT_LINES = 16, /* the lines of the functions, beside the rows */
	WANT_SPREAD = 32,    /* on how many threads a function was; needs WANT_TREE */
	WANT_STACKS = 4,     /* of each thread: where it is now, and its trend */
};

/* What a function is part of; exporters choose hues, the screen a colour role. */
enum code_kind {
	CODE_APP,     /* the program's own binary */
	CODE_LIBRARY, /* a shared library */
	CODE_KERNEL,
	CODE_JIT,
	CODE_MARK, /* a word of ours in brackets: wait reasons, truncation */
	CODE_PYTHON,
	CODE_KINDS
};

/* A function (or function of one thread when thread rows are not merged). */
struct snapshot_function {
	const char
	    *name; /* "parse_order", "[lock wait]", "libz.so.1+0x1a20" while unnamed */
	const char *module; /* "libz.so.1", "[kernel]", "" for marks */
	const char *file;   /* source of the hottest line, or "" */
	int line;	    /* 0 when unknown */
	enum code_kind kind;
	const char *runtime; /* "native", "kernel", "python"... */
	/* Not the program's own: a shared library, the kernel, a standard library or an
	 * installed package of a language. */
	bool library;
	uint32_t thread; /* index in threads, or UINT32_MAX: all */
	uint64_t self_ns, total_ns;
	uint64_t id;	   /* the same row keeps its id from snapshot to snapshot */
	uint64_t function; /* the same for all rows (lines, threads) of one function */
	/* Share of the window's tenths spent with it on the stack, oldest first; 0..255
	 * is 0..100 % of that tenth. */
	uint8_t trend[TREND_CELLS];
	/* With WANT_SPREAD: threads that had it on the stack in the window. */
	uint32_t n_threads;
};

/* A node of the call tree. Nodes stand parents first; node 0 is the root ("all"), its own
 * parent. A child's function is an index in functions. */
struct snapshot_node {
	uint32_t parent, function;
	uint64_t self_ns, total_ns;
};

struct snapshot_thread {
	int32_t pid, tid;
	const char *name;
	const char *process; /* short name of its process: "worker.py" */
	char state;	     /* of /proc: R S D T Z X, '?' unknown; G: waits for a GIL */
	uint64_t self_ns;    /* weight of its samples in the window */
	double cpu_pct;	     /* of one core, over the window */
	bool idle;	     /* not on the CPU in the window */
	/* Per cent of the time covered that it held an interpreter's lock (GIL) and that
	 * it waited for one, by looks; -1: not a thread of a language with one. */
	double gil_pct, gil_wait_pct;
	bool holds_gil; /* at the last look */
	/* With WANT_STACKS: the innermost function of its newest stack, and what it waits
	 * for ("[lock wait]"); "" when not known. */
	const char *top, *top_file, *wait;
	int top_line;
	uint8_t trend[TREND_CELLS]; /* 0..255 is 0..100 % of one core */
};

/* Equal samples of one thread that follow each other. */
struct snapshot_run {
	uint64_t time_ns; /* end of the time it stands for, on time_ns's clock */
	uint64_t weight_ns;
	uint32_t thread; /* index in threads, or UINT32_MAX: one that is not listed */
	uint32_t node;	 /* its leaf, in nodes */
	uint32_t samples;
	bool off_cpu;
};

struct snapshot_message {
	uint64_t wall_ns; /* since 1970 */
	bool warning;
	const char *text;
};

struct comparison;

struct snapshot {
	/* The target. */
	int32_t pid;
	const char *command; /* short: "redis-server" */
	const char *cmdline; /* argv[0..2] or the whole of it */
	const char *runtime; /* "native", "CPython 3.11" */
	const char *host;
	uint64_t start_wall_ns; /* when the target started, since 1970; 0 unknown */
	bool exited;		/* the target is gone; the picture is the last one */
	bool stopped;		/* state T: SIGSTOPped */
	bool recorded;		/* out of a file: nothing changes any more */
	int exit_status;	/* wait status when it ended, -1: not known */
	const char *end_note;	/* how it ended: "ended by signal 11 (SEGV)"; NULL */

	/* The window. */
	uint64_t number;     /* counts snapshots */
	uint64_t time_ns;    /* its end */
	uint64_t wall_ns;    /* the same moment since 1970 */
	uint64_t window_ns;  /* asked for; 0 is "all" */
	uint64_t covered_ns; /* how much of it there was to see */
	uint64_t weight_ns;  /* 100 %: CPU time (MODE_CPU), wall time of the threads shown
			  (MODE_WALL), time covered (MODE_GIL) */
	uint64_t samples;    /* in the window */
	uint64_t samples_ever, samples_due; /* since start or reset */
	enum mode mode;
	bool idle_shown, threads_merged;
	unsigned wants;	  /* enum want: what was asked for and is here */
	bool by_line;	  /* a row is a line of a function */
	int32_t only_tid; /* figures are of this thread alone; 0: of all */
	bool past;	  /* a moment that was asked for (COMMAND_AT), not now */

	/* How it is measured. */
	const char *backend; /* "perf", "perf cpu-wide", "perf user-only", "ptrace" */
	const char *limits;  /* what is not seen with the present rights, or "" */
	double rate_hz, effective_pct;
	uint64_t lost[LOSS_COUNT]; /* since start or reset */
	double lost_pct; /* samples dropped of samples taken, in the window's period */
	uint64_t broken; /* incomplete stacks in all, for information */

	/* Costs and gauges. */
	double own_cpu_pct; /* of one core, last refresh period */
	uint64_t own_rss_bytes;
	double taken_pct; /* estimated slow-down of the target by interrupts, per cent */
	double target_cpu_pct; /* of one core */
	double target_user_pct, target_system_pct;
	struct series_view cpu; /* target_cpu_pct over the window */
	uint64_t target_rss_bytes;
	uint64_t first_rss_bytes; /* when it was first measured; 0 unknown */
	double target_rss_slope;  /* bytes a second over the window; 0 when unknown */

	struct snapshot_memory memory;

	/* The content. */
	struct snapshot_function *functions; /* by self_ns, falling */
	size_t n_functions;
	/* With WANT_HOT_LINES: a row a line of a function, by self_ns, falling. Where rows
	 * are lines anyway, those rows. */
	struct snapshot_function *lines;
	size_t n_lines;
	struct snapshot_node *nodes; /* NULL unless a tree was asked for */
	size_t n_nodes;
	struct snapshot_run *runs; /* by time, nearly; NULL unless asked for */
	size_t n_runs;
	struct snapshot_thread *threads;   /* by cpu_pct, falling */
	size_t n_threads, n_threads_all;   /* all: including ones not listed */
	struct snapshot_message *messages; /* oldest first */
	size_t n_messages;

	/* NULL, or the older profile it is compared with (model/compare.h). */
	const struct comparison *compared;

	/* Of the parts (app/part.h). */
	struct snapshot_gc gc;

	struct snapshot_latency latency;
	struct snapshot_diagnosis diagnosis;

	/* All strings and arrays live here. */
	struct arena arena;
};

/* An empty snapshot whose strings are all "" and never NULL. */
struct snapshot *snapshot_new(void);
void snapshot_free(struct snapshot *s);
/* Sorts functions by self_ns, falling; ties by total, then name. Only before a tree
 * refers to them. */
void snapshot_sort(struct snapshot *s);
const char *mode_name(enum mode m);
const char *code_kind_name(enum code_kind k);
/* The kind of a name; CODE_APP when it is none. */
enum code_kind code_kind_named(const char *name);
/* Per cent of weight_ns; 0 when there is none. */
double snapshot_pct(const struct snapshot *s, uint64_t ns);

#endif
