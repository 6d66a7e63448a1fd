/* What a dump tells of a language beyond its stacks: variables of frames, tasks of event
 * loops. */
#ifndef PTOP_APP_DUMP_LANGUAGE_H
#define PTOP_APP_DUMP_LANGUAGE_H

#include <stdint.h>

#include "base/vec.h"
#include "model/callstack.h"
#include "model/dump.h"

struct engine;
struct space;

/* A variable of the n-th frame of the language, counted from the innermost. */
struct dump_value {
	uint32_t frame;
	struct dump_local local;
};
typedef VEC(struct dump_value) dump_values;

/* A task before its frames have names. */
struct dump_pending {
	struct callstack *stack;
	struct dump_task task;
};
typedef VEC(struct dump_pending) dump_pendings;

/* Reads the variables of the frames of the stack read last (engine.frame_addresses), for
 * which strings go to the dump's arena. */
void dump_read_values(struct engine *e, struct space *s, struct dump *d,
		      dump_values *out);
/* Reads the tasks of the process; d->tasks_note says why when it cannot. */
void dump_read_tasks(struct engine *e, struct space *s, struct dump *d,
		     dump_pendings *out);

#endif
