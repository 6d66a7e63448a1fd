/* What the sampler does beside sampling: the gauges behind the panels (memory, garbage
 * collection, latency...). A part is one file that ends in a `const struct part` and one
 * line of parts.def; it knows the engine, the engine knows it by this table only.
 *
 * Sampler thread only. Nothing in it may wait or open a large file; what it costs is
 * ptop's own cost, so it does its work when due and not at every turn. */
#ifndef PTOP_APP_PART_H
#define PTOP_APP_PART_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/command.h"
#include "model/snapshot.h"

struct engine;

/* Every slot but open, close and put may be NULL. `state` is what open() returned. */
struct part {
	const char *name;
	/* After the target was attached; NULL: nothing to do here (then no other slot is
	 * called). */
	void *(*open)(struct engine *e);
	void (*close)(void *state);
	/* Called whenever the loop turns, also long before due_ns(). Not after the target
	 * ended. */
	void (*turn)(void *state, uint64_t now_ns);
	/* When the loop must turn for it at the latest, CLOCK_MONOTONIC; UINT64_MAX
	 * never. */
	uint64_t (*due_ns)(const void *state);
	/* What to poll for; at most `max`. Returns how many. */
	size_t (*fds)(void *state, struct pollfd *fds, size_t max);
	/* True when the command was this part's. */
	bool (*command)(void *state, const struct command *c);
	/* The user asked to forget everything up to now. */
	void (*reset)(void *state);
	/* The target executed another program, or became one whose language is read. */
	void (*changed)(void *state);
	/* The target is gone; what is known stays. */
	void (*ended)(void *state);
	/* Fills its fields of a snapshot whose window fields are set. */
	void (*put)(void *state, struct snapshot *s);
};

#define PART(name) extern const struct part name##_part;
#include "app/parts.def"
#undef PART

#define PART(name) +1
enum {
	PARTS = 0
#include "app/parts.def"
};
#undef PART

/* The table, in the order of parts.def. */
extern const struct part *const parts[];

void parts_open(struct engine *e);
void parts_close(struct engine *e);
void parts_turn(struct engine *e, uint64_t now_ns);
uint64_t parts_due(const struct engine *e);
size_t parts_fds(struct engine *e, struct pollfd *fds, size_t max);
bool parts_command(struct engine *e, const struct command *c);
void parts_reset(struct engine *e);
void parts_changed(struct engine *e);
void parts_ended(struct engine *e);
void parts_put(struct engine *e, struct snapshot *s);

#endif
