/* What top, batch and record share: a target (found or started), an engine on it, and the
 * signals that end it. */
#ifndef PTOP_APP_SESSION_H
#define PTOP_APP_SESSION_H

#include "app/engine.h"
#include "app/launch.h"
#include "app/options.h"

struct session {
	struct engine *engine;
	struct launch launch;
	bool launched;
	pid_t pid;
};

/* What the command line asks of an engine; the caller sets what is its own. */
struct engine_config session_config(const struct options *o);
/* Finds or starts the target and attaches. */
int session_open(const struct options *o, struct engine_config *c, bool quiet_child,
		 struct session *s, struct error *err);
void session_close(struct session *s);

/* Blocks INT TERM HUP QUIT USR1 for all threads; an fd that tells them, or -1. Before the
 * first thread is made. */
int session_signals(void);
/* The next signal on that fd, or 0. */
int session_signal(int fd);

/* Prints the messages of a snapshot that are newer than *said_wall_ns, one line each. */
void session_say(const struct snapshot *s, uint64_t *said_wall_ns);
/* Says which files of the target did not answer or are out of proportion, on standard error. */
void session_say_files(const struct snapshot *s);

/* The words after the screen is gone, or after a recording. */
void session_summary(const struct snapshot *last, uint64_t ran_ns);

#endif
