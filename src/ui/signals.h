/* Signals belong to the UI thread. Those that mean something are read from a descriptor
 * like any other input; a crash gets a handler that gives the terminal back and lets the
 * crash go on. */
#ifndef PTOP_UI_SIGNALS_H
#define PTOP_UI_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "base/error.h"

struct signals {
	int fd; /* signalfd: TERM HUP INT QUIT TSTP CONT WINCH USR1 */
	sigset_t set, old_mask;
	struct sigaction old_pipe, old_usr2;
};

/* Blocks the signals in this thread; the caller has blocked them before it started
 * others. */
int signals_open(struct signals *s, struct error *err);
void signals_close(struct signals *s);
/* The next one, or 0. */
int signals_next(struct signals *s);
/* Stops this process as SIGTSTP does (by_key: with its process group, as a terminal does)
 * and returns when it was continued. The terminal must have been left. */
void signals_stop(struct signals *s, bool by_key);

/* From now on every signal that would end the process first writes `reset` to the terminal and sets
 * `modes`; those that were ignored stay so. Before either is changed. */
void signals_guard(const char *reset, size_t n, const struct termios *modes);
/* They also make this the standard error again. */
void signals_guard_stderr(int fd);
/* Around everything that is written to the terminal or changes its modes; begin is false once a crash has come. */
bool signals_draw_begin(void);
void signals_draw_end(void);
void signals_unguard(void);

#endif
