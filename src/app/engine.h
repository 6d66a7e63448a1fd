/* The sampler thread: it attaches, reads events, unwinds, keeps the history, and puts a
 * snapshot into the mailbox once per delay. Whoever wants something writes a struct
 * command. */
#ifndef PTOP_APP_ENGINE_H
#define PTOP_APP_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/mailbox.h"
#include "model/command.h"
#include "model/dump.h"
#include "model/snapshot.h"
#include "model/trigger.h"

#define RATE_DEFAULT 99.0
#define RATE_LEAST 1.0
#define RATE_MOST 20000.0
#define HISTORY_BYTES ((size_t)24 << 20)
#define WINDOW_DEFAULT_NS (60 * 1000000000ull)
#define TRIGGERS_AN_HOUR 6u
#define TRIGGERS_MOST_AN_HOUR 60u

struct recorder;

struct engine_config {
	pid_t pid;
	double rate_hz;
	enum mode mode;
	bool children, idle, merged;
	bool from_exec;	   /* pid is a child of ours that waits to exec */
	bool wait_names;   /* a snapshot waits up to 2 s for names being loaded */
	bool show_cmdline; /* whole command line, else argv[0..2]... */
	bool hide_cmdline; /* ...else the command's name alone */
	bool growers;	   /* watch who grows: page faults and censuses, from the start */
	bool exact;	   /* probes may be set in the target */
	bool native;	   /* a language's frames and the machine's in one stack */
	bool locals, tasks;  /* of a dump: variables, tasks of event loops */
	bool native_only;    /* machine stacks even where a language is known */
	const char *backend; /* name, or NULL: by the ladder */
	uint64_t delay_ns, window_ns;
	size_t history_bytes;		/* 0: HISTORY_BYTES */
	const struct trigger *triggers; /* --when; the caller's, outlives the engine */
	size_t n_triggers;
	unsigned triggers_an_hour; /* files at most */
	uint64_t slow_ns;	   /* what is a slow call; 0: the default */
	unsigned last_wants; /* enum want bits of the last picture, beside the tree */
	struct recorder *recorder; /* NULL, or what each second is written to */
	const char *const *probes; /* FILE:FUNCTION each */
	size_t n_probes;
	bool requests; /* time the requests of a server */
};

struct engine;

/* Starts the thread and waits until it is attached. -errno with cause and cure. */
int engine_start(const struct engine_config *c, struct engine **out, struct error *err);
/* Readable after each new snapshot. */
int engine_wake_fd(const struct engine *e);
/* Write end of the command pipe. */
int engine_command_fd(const struct engine *e);
struct mailbox *engine_snapshots(struct engine *e);
void engine_send(struct engine *e, const struct command *c);
/* Waits up to timeout_ns for the next snapshot; NULL on time-out. */
struct snapshot *engine_wait(struct engine *e, uint64_t timeout_ns);
/* Ends the thread, gives back everything. Files being written are finished first. A thread
 * that waits for a file or a lock of the kernel is left behind: for the end of ptop. */
void engine_stop(struct engine *e);
/* Has the thread waited inside the kernel for wait_ns without running? Ask often. */
bool engine_is_stuck(struct engine *e, uint64_t wait_ns);

/* Every thread's stack once, without the sampler thread. */
int engine_dump(const struct engine_config *c, struct dump **out, struct error *err);
void dump_free(struct dump *d);

#endif
