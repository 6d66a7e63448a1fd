/* What the screen asks of the sampler: one fixed-size message, written whole to a pipe.
 */
#ifndef PTOP_MODEL_COMMAND_H
#define PTOP_MODEL_COMMAND_H

#include <limits.h>
#include <stdint.h>

enum command_kind {
	COMMAND_WINDOW, /* value: ns, 0 is all */
	COMMAND_MODE,	/* value: enum mode */
	COMMAND_IDLE,	/* value: show idle threads, 0 or 1 */
	COMMAND_MERGE,	/* value: merge threads, 0 or 1 */
	COMMAND_DELAY,	/* value: ns between snapshots */
	COMMAND_RESET,	/* forget everything up to now */
	COMMAND_WANT,	/* value: enum want bits; what no view shows is not worked out */
	COMMAND_THREAD, /* value: only this thread (tid), 0 is all */
	/* Pictures of a moment of the past. value: its end (CLOCK_MONOTONIC, 0: of now
	 * again); window_ns: how long it was. */
	COMMAND_AT,
	COMMAND_PSS,	/* value: read PSS and USS (again), or 0: no more */
	COMMAND_CENSUS, /* who holds memory: heap and objects, now */
	COMMAND_FAULTS, /* value: sample page faults, or 0: no more */
	/* Write a file. value: the window's end (time_ns of the snapshot shown, or 0:
	 * now). text: "FORMAT PATH"; without a path the default name in the current
	 * folder. The answer is a message in a later snapshot. */
	COMMAND_SAVE,
	/* Stop sampling, load all names, publish a last snapshot of everything, with its
	 * tree. */
	COMMAND_FINISH,
	COMMAND_BASELINE, /* of latencies: value 1 sets it to what is now, 0 clears it */
	/* Time exactly: value 1 the function in text ("FILE:FUNCTION" or "FUNCTION"),
	 * value 0 no longer the latency row whose id is in window_ns. */
	COMMAND_TIME,
	COMMAND_QUIT,
};

struct command {
	uint32_t kind;
	uint64_t value;
	uint64_t window_ns; /* COMMAND_SAVE: the window, 0 is all */
	int32_t thread;	    /* COMMAND_SAVE: tid; -1: all; 0: those that are shown */
	char text[1024];
};
_Static_assert(sizeof(struct command) <= PIPE_BUF, "a command is written atomically");

#endif
