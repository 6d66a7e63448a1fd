/* The latency part of the sampler: one log of what took how long, and the sources that write
 * it, each in a file of its own. Sampler thread only. */
#ifndef PTOP_APP_LATENCY_H
#define PTOP_APP_LATENCY_H

#include "app/engine_state.h"
#include "model/latency_log.h"
#include "model/visits.h"
#include "model/waits.h"
#include "sample/probe.h"
#include "sample/requests.h"
#include "sample/switches.h"
#include "sample/watch.h"

#define SLOW_DEFAULT_NS (100 * 1000000ull)
#define SLOW_KEPT 64u

/* What is measured: a function by one source, a loop, a kind of wait. */
struct latency_thing {
	enum latency_source source;
	uint64_t id; /* of that source */
	char *name;
	char note[120];
	/* Of each call so much was taken off as the probes' own: what is shorter is not known. */
	uint64_t bias_ns;
	bool pinned;
	bool ours; /* a function of the program, not of a library */
	struct latency_figure base_p50, base_p95;
};

struct slow_call {
	uint64_t end_ns, took_ns, wall_ns;
	uint32_t thing, thread;
	char *stack;   /* or NULL */
	bool searched; /* among the samples, in vain */
	bool taken;    /* by a recording */
	double stack_pct;
};

/* Where a thread stood from its last look to this one. */
struct stood {
	uint64_t from_ns, to_ns;
	uint32_t node, numbering;
};
#define STOOD_KEPT 512u

struct stood_thread {
	struct stood ring[STOOD_KEPT];
	size_t n; /* ever */
};

/* Positions of the threads that ended last: their calls may be asked for a second later. */
struct stood_gone {
	uint32_t thread;
	struct stood_thread *positions; /* NULL: free */
};
#define STOOD_GONE_KEPT 128u
#define STOOD_THREADS 1024u /* 12 KB each */

/* What a thread did in one stretch of ACCOUNT_NS. */
struct thread_account {
	uint64_t run_ns, queued_ns, slices;
	uint64_t reason_ns[WAIT_REASONS]; /* looked at */
	uint64_t waits, wait_ns;	  /* all of its own will */
};
#define ACCOUNT_NS (10 * 1000000000ull)

struct thread_waits {
	pid_t tid; /* whose this is: numbers are used again */
	struct task_files files;
	struct task_sched sched;
	bool sched_known;
	uint64_t off_ns; /* it had no CPU then; 0: it may have one */
	struct thread_account now, before;
	uint32_t node, renumbered; /* the stack of its present wait; node 0: not read */
};

/* How long a thread waited in one place, in the present stretch and the one before. */
struct waited {
	uint32_t thread, node, renumbered;
	enum wait_reason reason;
	uint64_t now_ns, before_ns;
};

/* Of one process: the target, or a child that is followed. */
struct process_switches {
	pid_t pid;
	struct switches *switches;
};

struct waits_source {
	VEC(struct process_switches) processes; /* none: not to be had, or too many */
	bool given_up;
	struct waits waits;
	VEC(struct thread_waits) threads; /* by number */
	uint64_t next_ns, turned_ns, sched_ns, account_ns, account_began_ns;
	uint64_t second_ns, records; /* in the present second */
	int busy_seconds;
	struct served served;
	size_t next_look; /* whose turn it is to be looked at */
	VEC(struct waited) waited;
	uint64_t stack_ns; /* when the next stack may be read */
};

/* Durations summed in the kernel, as far as they were read. */
struct sums_source {
	struct bpf_times *times;
	uint64_t before[HISTOGRAM_BUCKETS];
	uint64_t slow_seen;
};

struct requests_source {
	struct requests *requests; /* NULL: off */
	struct sums_source sums;
	uint64_t next_ns;
	uint64_t marks; /* told of */
};

enum exact_state {
	EXACT_SEARCHED, /* for its file, its symbols */
	EXACT_ARMED,
	EXACT_REFUSED, /* or stopped; the note says why */
};

/* A function that is timed exactly. */
struct exact {
	char file[128], function[1024]; /* file "": any */
	enum exact_state state;
	uint32_t thing;
	struct probe *probe;
	/* A Python function: watchpoints instead, and the calls that are open, by thread. */
	struct watch *watch;
	uint64_t entry;
	VEC(struct open_call {
		pid_t tid;
		uint64_t since_ns;
	})
	open;
	uint64_t hits, threads_ns, watch_ns;
	bool all_registers;    /* it needs them all */
	bool read_twice;       /* every hit has a double */
	uint64_t last_address; /* of the last hit; 0: it had its double */
	pid_t last_tid;
	struct latency *l;
	struct sums_source sums;
	uint64_t hits_before, calls; /* of a probe */
	bool exchanged;	  /* it was opened for stacks that are exchanged in place */
	uint64_t cost_ns; /* of a call */
	uint64_t bias_ns; /* of that, between its two hits */
	double cost_pct;  /* of a core, of late */
	uint64_t next_ns, read_ns;
};
#define EXACT_MOST 8u

struct latency {
	struct engine *e;
	struct latency_log log;
	struct latency_scratch *scratch;
	VEC(struct latency_thing) things;
	uint32_t *slots; /* of things by source and id, + 1 */
	size_t n_slots;
	VEC(struct latency_sum) sums; /* by thing; scratch */

	uint64_t slow_ns;
	struct slow_call slow[SLOW_KEPT]; /* a ring */
	size_t n_slow;			  /* ever */

	struct visits visits;
	bool visits_on;
	VEC(struct stood_thread *) stood; /* by thread */
	size_t n_stood;			  /* of those */
	struct stood_gone stood_gone[STOOD_GONE_KEPT];
	size_t n_stood_gone; /* ever */
	struct waits_source waits;
	struct requests_source requests;
	struct exact exact[EXACT_MOST];
	size_t n_exact;
	char limits[400];
};

/* The number of a thing, made when new (name is copied, cleaned before); UINT32_MAX when there
 * are too many. */
uint32_t latency_thing(struct latency *l, enum latency_source source, uint64_t id,
		       const char *name);
/* Appends to what cannot be had, "; " between. */
void latency_limit(struct latency *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Notes an event, and keeps it with its stack when it was slow. */
void latency_note(struct latency *l, const struct latency_event *ev);
/* A look at a thread of an interpreted language: e->stack is its stack, node that stack's. */
void latency_looked(struct latency *l, uint32_t thread, uint32_t node, uint64_t now_ns,
		    const uint64_t *calls);

/* waits.c: the engine's threads get the switches that were recorded up to now. */
void latency_read_switches(struct latency *l, const struct space *s);

/* slow.c: where a thread stands now; a slow call, kept; what a snapshot shows of them. */
void latency_stood(struct latency *l, uint32_t thread, uint32_t node, uint64_t now_ns);
/* The thread has ended: its positions are kept a while, for its last calls. */
void latency_stood_gone(struct latency *l, uint32_t thread);
void latency_stood_free(struct latency *l);
void latency_keep_slow(struct latency *l, const struct latency_event *ev);
void latency_put_slow(struct latency *l, uint64_t from_ns, struct snapshot *s);
/* For a recording: the snapshot's latencies become those since from_ns, its slow calls the
 * longest of those that nobody took. */
void latency_take(struct latency *l, uint64_t from_ns, struct snapshot *s);
void latency_take_slow(struct latency *l, struct snapshot *s);
/* Keeps a slow one with its stack; the same one again (its end was put off) replaces it. */
void latency_slow(struct latency *l, const struct latency_event *ev);
/* Reads what came since into the log; returns how many there were. */
uint64_t latency_read_sums(struct latency *l, struct sums_source *s, uint32_t thing,
			   uint64_t now_ns);

/* exact.c: requests and probes, when they are asked for. */
void latency_exact_open(struct latency *l);
void latency_exact_close(struct latency *l);
void latency_exact_turn(struct latency *l, uint64_t now_ns);
/* "FILE:FUNCTION" or "FUNCTION": timed from now on, or no longer. */
void latency_exact_add(struct latency *l, const char *what);
void latency_exact_drop(struct latency *l, uint32_t thing);
/* Gives up timing it, for this reason. */
void exact_refuse(struct latency *l, struct exact *x, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* exact_native.c: looks for a native function by its name and puts a probe on it; true when the
 * search is over, whichever way. */
bool exact_native_search(struct latency *l, struct exact *x);
/* Reads what the probe counted; gives it up when it costs the target too much. */
void exact_native_read(struct latency *l, struct exact *x, uint64_t now_ns);
/* Above that share of a core what is timed exactly stops by itself. */
#define EXACT_COST_MOST_PCT 2.0
/* The native functions that probes are on, ", " between; "": none. */
void latency_exact_names(const struct latency *l, char *to, size_t size);
/* What all probes take from the target, per cent of a core. */
double latency_exact_cost(const struct latency *l);

/* waits.c: waits, event loops, time ready without a CPU. */
void latency_waits_open(struct latency *l);
void latency_waits_close(struct latency *l);
/* Closes the files held for a thread that ended; its account stays. */
void latency_thread_gone(struct latency *l, uint32_t number);
void latency_waits_settle(struct latency *l, uint64_t now_ns);
void latency_waits_turn(struct latency *l, uint64_t now_ns);
uint64_t latency_waits_due(const struct latency *l);
/* waited.c: where they wait. A thread is found waiting, as it was for this long. */
void waited_note(struct latency *l, uint32_t thread, enum wait_reason reason,
		 uint64_t span_ns, uint64_t now_ns);
void waited_turn(struct waits_source *w);
/* The function that most of such waiting of the threads counted (by number) was in; NULL
 * when no function has more than half of it. */
const char *waited_most(const struct latency *l, enum wait_reason reason,
			const bool *counted);

/* The present account and the one before of a thread, added up; false: none. */
bool latency_account(const struct latency *l, uint32_t thread,
		     struct thread_account *out);

#endif
