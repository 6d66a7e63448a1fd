/* What the files of the engine share. Sampler thread only, but for the mailbox and the
 * fds. */
#ifndef PTOP_APP_ENGINE_STATE_H
#define PTOP_APP_ENGINE_STATE_H

#include <pthread.h>

#include "app/engine.h"
#include "app/merge.h"
#include "app/namer.h"
#include "app/part.h"
#include "base/vec.h"
#include "model/callstack.h"
#include "model/functions.h"
#include "model/history.h"
#include "model/picture.h"
#include "runtime/runtime.h"
#include "sample/backend.h"
#include "sample/blocked.h"
#include "target/maps.h"
#include "target/memory.h"
#include "target/object.h"
#include "target/process.h"
#include "target/usage.h"
#include "unwind/unwind.h"

typedef VEC(uint32_t) thread_numbers;

/* An address space: the target, and each child followed. */
struct space {
	pid_t pid;
	char command[128]; /* short name */
	struct maps maps;
	struct unwinder *unwinder;
	struct mem_live mem;
	bool gone;
	uint64_t maps_read_ns;
	uint64_t maps_retry_ns; /* not before: it did not answer */
	struct usage usage;	/* at the last measurement */
	/* The language it runs; reader NULL: none, or none that can be read. */
	const struct runtime *runtime;
	struct runtime_site site;
	void *reader;
	struct runtime_loop loops[RUNTIME_LOOPS]; /* with config.native */
	size_t n_loops;
	bool loops_learnt; /* from the names that the namer found, too */
	uint32_t interp;   /* 1.. : the upper bits of its code ids */
	runtime_thread_list language_threads;
	uint32_t rejected_in_row;
	uint64_t maps_first_ns;			 /* since when it is this program */
	uint64_t threads_ns, names_ns, retry_ns; /* when to look again; retry 0: never */
	/* Its threads by number, and the process's CPU time that theirs explains: ticks.c. */
	thread_numbers awake, asleep;
	uint64_t explained_ns, scan_ns, scan_gap_ns;
	/* Its CPU time that is not shared: that threads have an account for, or stacks got. */
	uint64_t known_ns;
	uint64_t list_ns,
	    list_gap_ns;   /* the next list because of shared time, not before */
	uint64_t birth_ns; /* when a thread was met for the first time */
	bool listed_now;   /* in this tick */
	/* Its switches as they are recorded. */
	uint64_t records_ns; /* from then on all of them; 0: none */
	uint64_t switches;
	uint32_t births_missed; /* lists in a row without: chains_find_births() */
	/* One of its language's threads has gone to rest, and did so lately: chains.c. */
	bool rested;
	uint64_t restless_ns, rests_ns; /* when the next look at those is due */
	bool woke;			/* one of `asleep` did */
	uint64_t proof_ns;		/* when that is not believed the next time */
};

#define INTERP_SHIFT 22			      /* bits of a code id */
#define INTERP_THREADS_NS (500 * NS_PER_MSEC) /* between two lists of threads */

/* A thread by its number in the history. */
struct thread {
	pid_t pid, tid;
	char name[32];
	bool gone;
	uint64_t last_ns; /* last sample */
	/* Interpreted targets: see ticks.c. */
	struct task_files files;
	struct task_sched sched; /* as last read */
	bool sched_known;
	bool listed;   /* was there when the interpreter's threads were listed, */
	bool language; /* and was one of them */
	bool awake;    /* looked at in each tick */
	bool moved;    /* ran since its last look */
	bool queued;   /* was found without a CPU, and got none since */
	bool waits;    /* was found so, and has not run since */
	bool young;    /* its time is shared with others: see ticks.c */
	uint32_t idle_ticks;
	uint64_t met_ns;
	int64_t owed_ns; /* CPU time not given to a stack yet; below 0: given ahead */
	uint64_t lately_ran_ns, lately_queued_ns;
	uint64_t rested_ns; /* when it was found blocked last */
	uint64_t asked_ns;  /* when its counters were read */
	uint64_t told_ns;   /* its CPU time is known up to here */
	uint64_t given_ns;  /* when a stack was last given of that time */
	/* Wall mode. */
	bool watched;
	struct blocked_thread blocked;
	struct callstack *kept; /* that stack itself (node numbers change) */
	bool has_stack;
	uint64_t looked_ns, ran_ns;    /* last look; last look that found it had run */
	int64_t pending_ns;	       /* off-CPU time not yet given to a stack */
	uint64_t early_ns, stalled_ns; /* see count_queued() */
	uint32_t same;		       /* looks in a row that found it had not run */
	uint64_t checked_ns;	       /* what is known of it is of then */
	/* By the records of switches (waits.c). */
	uint64_t switched_ns; /* the last one, */
	bool off, preempted;  /* and what it said */
	uint64_t in_ns;	      /* when it got a CPU last */
	uint64_t rest_ns;     /* when it was looked at where it rests */
	uint64_t captured;    /* what is copied of it, as a hash; 0: nothing */
};

/* Names of one object, by object id. */
struct object_names {
	struct symbols *symbols;
	bool asked, answered;
	uint64_t stamp, stamp_ns; /* of the perf map when it was loaded */
	bool lines_said;	  /* why it has no lines */
	/* Of a file that did not answer; gap 0: it does. */
	uint64_t retry_ns, retry_gap_ns;
};

struct message {
	uint64_t wall_ns;
	bool warning;
	char text[1200];
};

#define STACK_MOST 64512u /* of one sample: its record's size has 16 bits */

struct engine {
	struct engine_config config;
	pthread_t thread;
	bool ended; /* atomic: the thread has done all it does */
	struct mailbox snapshots;
	int wake_fd, command_read_fd, command_write_fd, answer_fd, ready_read_fd,
	    ready_write_fd;
	struct error start_error;
	int start_result;
	/* engine_is_stuck(), by whoever started the thread: its CPU time, since when. */
	pid_t tid;
	uint64_t ran_ns, still_ns;

	struct process process;
	int pid_fd;
	bool exited, quit;
	uint64_t ended_ns;  /* sampling ended: pictures are of the time up to then; 0 */
	int exit_status;    /* wait status once it ended, -1 unknown */
	char end_note[260]; /* how it ended; "": it lives */
	bool all_lines;
	bool finished; /* COMMAND_FINISH came: only names are still awaited */

	const struct backend *backend;
	struct sampler *sampler;
	struct sample_config sample;
	/* app/chains.h: why stacks do not come with the samples; "": they do, or need not. */
	char no_chains[240];
	uint64_t chains_known_ns; /* when the kernel was told of known code */
	uint64_t live_ns;	  /* no stack is read live before: chains.c */
	uint32_t chains_judged, chains_rejected;
	bool chains_brief;		     /* much is rejected */
	uint64_t chain_cost_ns, chain_costs; /* in the target, of so many samples */
	char limits[256], note[240], runtime_name[48];
	uint32_t interps; /* readers ever attached */
	bool refit;	  /* see engine_fit_backend() */
	bool ladder;	  /* the backend may still be changed for a better one */
	uint64_t switches, switches_ns, ladder_ns, stacks_ns;
	uint64_t births, births_ns;  /* of threads, since when */
	uint64_t sampled_last_ns;    /* when the last sample was taken */
	uint64_t stacks, stacks_cut; /* since the stack size was chosen */

	struct objects *objects;
	struct unwind_tables *tables;
	VEC(struct space) spaces;
	VEC(struct thread) threads;
	uint32_t *tid_slots; /* hash tid -> thread number + 1 */
	size_t n_tid_slots;
	VEC(uint32_t) free_threads;  /* numbers of threads that ended, oldest first */
	size_t first_free, n_merged; /* the oldest of them, whose runs are one thread's */
	uint32_t ended_threads;	     /* number of that one; 0: there is none */
	struct callstack stack;
	struct history history;
	struct functions functions;
	struct live live;

	struct namer *namer;
	size_t jobs; /* asked, not answered */
	VEC(struct object_names) names;
	struct object_names kernel_names;

	enum mode mode;
	bool idle, merged;
	unsigned wants; /* enum want: of the view on the screen */
	uint32_t only;	/* 1 + number of the one thread that is looked at; 0: all */
	uint64_t at_ns, at_window_ns; /* a moment of the past that is looked at; 0: now */
	uint64_t window_ns, delay_ns, next_picture_ns, names_waited_ns;
	uint64_t next_lines_ns, lines_gap_ns;
	uint64_t names_again_ns; /* when files that did not answer are looked at */
	uint64_t lost[LOSS_COUNT], samples, incomplete;
	uint64_t first_ns; /* start or reset */
	uint64_t
	    update_ns; /* between two of the kernel's of a running thread's CPU time */
	uint64_t first_boot_ticks; /* start, as /proc/PID/stat counts */
	VEC(struct message) messages;

	/* Wall mode. */
	uint64_t next_look_ns, look_period_ns, next_list_ns;
	uint64_t tick_slot_ns, tick_random;
	uint64_t next_tick_ns;	     /* of interpreters */
	bool threads_changed;	     /* since the last of those */
	uint64_t tick;		     /* looks at all threads, ever */
	uint64_t ticks, look_cpu_ns; /* since the period was chosen */
	uint64_t records_read_ns;    /* records of switches before that were read */
	unsigned char *look_buffer;
	VEC(uint64_t)
	frame_addresses;     /* with config.locals: of the language's frames
					  read last */
	struct merge *merge; /* with config.native, else NULL */

	/* Gauges. */
	struct usage_reader *usage_reader;
	struct usage usage, usage_before;
	bool usage_unknown, usage_unknown_said; /* the last reading of it failed */
	uint64_t first_rss_bytes;		/* at the first measurement of it */
	/* Of children that have ended: as they were last measured, and as the kernel has
	 * it of those that were waited for, since the first reading. */
	struct usage ended_usage;
	uint64_t waited_user_ticks, waited_system_ticks;
	bool waited_known;
	uint64_t usage_ns, usage_before_ns, own_cpu_ns, own_cpu_before_ns;
	struct series cpu;	/* target's, per cent of one core */
	uint64_t window_cpu_ns; /* target's CPU time at first_ns */
	uint64_t sampled_ns;	/* weight of CPU samples since first_ns */
	double taken_ns_per_sample;
	uint64_t number; /* of snapshots */

	struct pauses *pauses; /* of app/gc.c; NULL: none */
	/* A watch the user asked for needs all of them: gauges let go of theirs. */
	bool registers_wanted;
	struct gc_part *gc;	 /* app/gc.c */
	struct latency *latency; /* app/latency.h; NULL before parts are open */
	void *part_states[PARTS + 1];
};

/* stuck.c, for the thread that started the sampler's. Waits until that is attached; signals are
 * blocked then, so they are looked for. */
int engine_wait_ready(struct engine *e, struct error *err);
/* Leaves it behind: it ends itself when what it waits for comes; all it uses stays. */
void engine_leave(struct engine *e);
/* Waits for its end; false when it was left behind. */
bool engine_join(struct engine *e);

/* engine.c: takes what the backend has. */
void engine_drain(struct engine *e);

/* attach.c: the ladder of backends. */
int engine_attach(struct engine *e, struct error *err);
/* After a process became, or ceased to be, one whose language is read. */
void engine_fit_backend(struct engine *e);
/* After e->sample.chain was taken away; 0 or -errno. */
int engine_reattach(struct engine *e);
/* Learns what a sample takes of the target's time. */
void engine_calibrate(struct engine *e);
/* Do samples bring the machine's stacks of threads that run a language? */
bool engine_unwinds(const struct engine *e);
/* A step up or down when the target's behaviour asks for it; once in a while. */
void engine_reconsider(struct engine *e, uint64_t now_ns);

/* threads.c */
struct space *engine_space(struct engine *e, pid_t pid);
struct space *engine_add_space(struct engine *e, pid_t pid);
void engine_remap(struct engine *e, struct space *s);
/* Looks up what its process is called now. */
void engine_space_named(struct space *s);
void engine_copy_maps(struct space *to, const struct space *from);
/* A child has ended: frees what is known of it, keeps what it used. */
void engine_space_gone(struct engine *e, struct space *s);
uint32_t engine_thread(struct engine *e, pid_t pid, pid_t tid);
/* The number of a thread already known, or NO_ID. */
uint32_t engine_find_thread(const struct engine *e, pid_t tid);
void engine_thread_gone(struct engine *e, pid_t tid);
void engine_threads_done(struct engine *e);

/* events.c */
void engine_event(struct engine *e, const struct event *ev);
/* Appends the kernel's frames of a sample. */
void engine_kernel_frames(struct callstack *cs, const struct event *ev);
/* Counts what the walker found wrong with e->stack. */
void engine_judge_stack(struct engine *e);

/* offcpu.c: looks at blocked threads. */
void engine_look(struct engine *e, uint64_t now_ns);
/* The stack of a blocked thread into e->stack; false when it cannot be had. */
bool engine_blocked_stack(struct engine *e, struct space *s, struct blocked_thread *t,
			  struct look *look);
/* The same, but the language's stack where the thread has one. */
bool engine_off_stack(struct engine *e, struct space *s, struct blocked_thread *t,
		      struct look *look);

/* It was blocked at its last look and has not run since, as the records of switches tell. */
bool engine_sleeps_on(struct engine *e, const struct thread *t);

/* interp.c: readers of interpreted languages */
void engine_interp_open(struct engine *e, struct space *s);
void engine_interp_close(struct engine *e, struct space *s);
/* Looks again at interpreters that are starting, and when that is next due. */
void engine_interp_retry(struct engine *e, uint64_t now_ns);
uint64_t engine_interp_due(const struct engine *e);
/* Lists the threads of one reader, or of all, now. Returns how many of it are new. */
size_t engine_interp_threads(struct engine *e, struct space *s, uint64_t now_ns);
void engine_interp_list(struct engine *e);
/* Is this thread one of the language's? */
bool engine_interp_knows(const struct engine *e, const struct space *s, pid_t tid);
/* Appends what a reader gave to e->stack. */
void engine_interp_adopt(struct engine *e, const struct space *s,
			 const struct callstack *cs);
/* A stack of this process was rejected: counts it; after many in a row the process may have become
 * another program. */
void engine_interp_rejected(struct engine *e, struct space *s, uint64_t now_ns);
/* One was not: it becomes e->stack, of one frame at least. */
void engine_interp_take(struct engine *e, struct space *s, const struct callstack *cs);
/* Appends such a thread's stack, as it is now, to e->stack; false when it was rejected. */
bool engine_interp_stack(struct engine *e, struct space *s, pid_t tid);
/* With config.locals notes where the frames of this look are. */
void engine_interp_note(struct engine *e, const struct runtime_look *look,
			const struct callstack *cs);
/* The space a code id is of, or NULL. */
struct space *engine_interp_space(struct engine *e, uint32_t object);

/* gc.c: a look at the stacks of this process read what its collector says, too. */
void engine_gc_looked(struct engine *e, struct space *s, uint64_t time_ns);

/* ticks.c: their stacks, by a clock */

/* When the next tick is due; UINT64_MAX: none ever. */
uint64_t engine_ticks_due(const struct engine *e);

/* engine.c: when a wake-up for what may come a little late is due. */
uint64_t engine_lazily(const struct engine *e, uint64_t due_ns);
/* Makes the ticks that are due, and sleeps between them, up to this time at most. */
void engine_ticks(struct engine *e, uint64_t until_ns);
/* Sampling ends: gives a row to time that found no stack. */
void engine_ticks_end(struct engine *e);

/* naming.c */
void engine_name_frame(void *engine, uint32_t frame);
void engine_answers(struct engine *e);
/* Gives work to the namer's thread; it belongs to the engine from now on. */
void engine_work(struct engine *e, struct work *work);
void engine_ask_lines(struct engine *e, double least_pct);
/* The symbols of a file, asked for if need be; NULL: not here yet, *failed: never. */
const struct symbols *engine_symbols(struct engine *e, const struct object *o,
				     bool *failed);
/* From now on also of system libraries. */
void engine_want_all_lines(struct engine *e);
void engine_naming_done(struct engine *e);
/* Places of one frame now: for dumps. Returns how many. */
size_t engine_places(struct engine *e, const struct frame *f,
		     struct place out[INLINE_DEPTH_MAX]);

/* publish.c */
/* What the target uses and, with -C, its children: those that live and those that lived. False
 * when none is left. */
bool engine_usage(struct engine *e, struct usage *out);
void engine_measure(struct engine *e, uint64_t now_ns);
/* The target has ended: how, and which probes were on it, as far as that is known. */
void engine_note_end(struct engine *e);
struct snapshot *engine_picture(struct engine *e, uint64_t end_ns, uint64_t window_ns,
				unsigned wants, bool live);
/* The figures of a window without its tree and trends, for parts to judge by: not a picture
 * of its own, it is not counted. */
struct snapshot *engine_figures(struct engine *e, uint64_t end_ns, uint64_t window_ns);
void engine_publish(struct engine *e, uint64_t now_ns);
/* The end of the newest picture: now, or when sampling ended. */
uint64_t engine_picture_ns(const struct engine *e);
void engine_save(struct engine *e, const struct command *c);
/* Short name of a process that is looked at; valid until spaces change. */
const char *engine_process_name(struct engine *e, pid_t pid);
void engine_say(struct engine *e, bool warning, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* engine.c: an engine without its thread: found and named, not attached. */
struct engine *engine_new(const struct engine_config *c);
int engine_prepare(struct engine *e, struct error *err);
void engine_close(struct engine *e);

#endif
