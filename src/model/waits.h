/* What threads do between two moments on a CPU: waits by reason, turns of event loops, and time
 * lost to other programs. From switches, told in order of time, and from looks at threads that
 * are off the CPU, which say what they wait for.
 *
 * An event loop is a thread a good part of whose waits, as far as they were looked at, are for
 * events (epoll). A turn of it lasts from its return out of such a wait to the
 * next one; a wait for anything else in between, a sleep in a callback say, is part of the
 * turn. A loop that never has to wait has no end of a turn: it is told when it waits again. */
#ifndef PTOP_MODEL_WAITS_H
#define PTOP_MODEL_WAITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "model/frame.h"

enum wait_kind {
	WAIT_ENDED,   /* off the CPU by its own will, back again */
	WAIT_PREEMPT, /* taken off, back again */
	WAIT_TURN,    /* of an event loop */
};

struct wait_told {
	enum wait_kind kind;
	uint32_t thread;
	uint64_t end_ns, took_ns;
	enum wait_reason reason; /* WAIT_ENDED: as it was looked at, else WAIT_REASONS */
};

typedef void waits_told(void *arg, const struct wait_told *w);

struct waits_thread {
	bool known, off, preempted, looked, events;
	enum wait_reason reason;
	uint64_t since_ns;	/* in this state */
	uint64_t turn_ns;	/* start of the present turn; 0: none */
	uint64_t polls, others; /* looked-at waits; halved once in a while */
};

struct waits {
	VEC(struct waits_thread) threads; /* by number */
};

void waits_done(struct waits *w);
/* Switches of a thread; out of order or doubled ones are left out. */
void waits_out(struct waits *w, uint32_t thread, uint64_t time_ns, bool preempted);
void waits_in(struct waits *w, uint32_t thread, uint64_t time_ns, waits_told *told,
	      void *arg);
/* A look found the thread, which is off, waiting for this; events: as a loop does. */
void waits_reason(struct waits *w, uint32_t thread, enum wait_reason reason, bool events,
		  waits_told *told, void *arg);
/* Nothing is known of it any more. */
void waits_forget(struct waits *w, uint32_t thread);
bool waits_is_loop(const struct waits *w, uint32_t thread);

#endif
