/* Messages that arise in the screen itself (captured stderr, refused keys), and the one
 * message that is on the message line now. The engine's own come with each snapshot. */
#ifndef PTOP_UI_NOTES_H
#define PTOP_UI_NOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/vec.h"
#include "model/snapshot.h"

#define NOTES_MAX 200
#define NOTE_SHOWN_NS (10 * NS_PER_SEC)

struct note {
	uint64_t wall_ns;
	bool warning;
	char *text; /* cleaned; ours */
};

/* Zeroed is empty. */
struct notes {
	VEC(struct note) log;  /* oldest first */
	char shown[1024];      /* on the message line, "" is none */
	bool shown_warning;    /* stays until a key is pressed */
	uint64_t shown_until;  /* CLOCK_MONOTONIC */
	uint64_t seen_wall_ns; /* newest engine message shown so far */
};

void notes_done(struct notes *n);
/* Logs a message and shows it. */
void notes_add(struct notes *n, uint64_t now_ns, bool warning, const char *text);
/* Shows without logging: hints that answer a key. */
void notes_show(struct notes *n, uint64_t now_ns, bool warning, const char *text);
/* Shows the newest message of a snapshot if it was not shown before. */
void notes_take(struct notes *n, uint64_t now_ns, const struct snapshot *s);
/* A key was pressed: a warning has been read. */
void notes_read(struct notes *n);
/* Drops a message whose time is over; true when that changed the line. */
bool notes_expire(struct notes *n, uint64_t now_ns);

#endif
