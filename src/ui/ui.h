/* The live screen. Knows snapshots and keys; knows no target, no file, no engine.
 *
 * It polls three things: the terminal, a signalfd of its own, and wake_fd, an eventfd
 * that the sampler writes after putting a snapshot into the mailbox. What the user asks
 * for leaves as struct command through command_fd. */
#ifndef PTOP_UI_UI_H
#define PTOP_UI_UI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mailbox.h"
#include "model/processes.h"
#include "model/snapshot.h"

enum ui_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

enum ui_scheme {
	SCHEME_DEFAULT,
	SCHEME_LIGHT,
	SCHEME_MONO,
	SCHEME_HIGH_CONTRAST,
	SCHEME_COLOUR_BLIND,
	SCHEMES
};

/* What the user may set and ptop keeps (ptoprc). */
struct ui_settings {
	enum ui_scheme scheme;
	bool ascii; /* -U */
	bool no_mouse;
	bool folded;	  /* libraries are one row each */
	bool digits_sort; /* 1 to 4 choose the column to sort by, not the view */
	uint64_t delay_ns, window_ns;
};

/* Text for a page: stacks of a process. */
struct ui_text {
	int32_t pid;
	char *text; /* cleaned, ends with a NUL */
};

/* A row of the save menu: what app/ knows of the exporters. */
struct ui_format {
	const char *name, *help, *suffix;
};

/* A source file of the target. */
struct ui_source {
	char *text; /* the caller's to free */
	size_t n;
	uint64_t changed_wall_ns; /* since 1970 */
};

struct ui_options {
	/* What the screen cannot do itself, because it knows no files and no processes;
	 * `app` is their first argument. Any may be NULL. */
	void *app;
	/* Reads a source file by the name it was compiled under; -errno. */
	int (*source)(void *app, int32_t pid, const char *path, struct ui_source *out,
		      struct error *err);
	struct processes *(*processes)(void *app);
	void (*processes_free)(void *app, struct processes *p);
	/* Starts reading all stacks of a process; a struct ui_text comes through
	 * struct ui.texts. */
	void (*dump)(void *app, int32_t pid);
	/* Writes a new file in the current folder; -errno. */
	int (*write_text)(void *app, const char *path, const char *text, size_t n,
			  struct error *err);
	/* Keeps settings for the next time; -errno. */
	int (*save_settings)(void *app, const struct ui_settings *settings,
			     struct error *err);
	bool pick;	    /* begin with the choice of a process */
	const char *notice; /* a warning to begin with, or NULL */
	struct ui_settings settings;
	const char *version; /* "0.1.0" */
	enum ui_color color;
	bool screen_reader;		 /* lines of text, no picture */
	int n_cpus;			 /* of the target's machine; 0: of this one */
	const struct ui_format *formats; /* ends with a NULL name */
	/* Before anything is drawn: why the first picture is not here yet. */
	const char *waiting_for; /* "attaching to 4242" */
};

struct ui {
	struct mailbox *snapshots; /* struct snapshot *: taken and freed by the UI */
	int wake_fd, command_fd; /* -1: there is no sampler; a process is chosen first */
	struct mailbox *texts;	 /* struct ui_text *; or NULL */
	int text_fd;		 /* readable after each; or -1 */
};

void ui_text_free(struct ui_text *t);

/* How the screen ended. */
struct ui_result {
	int signal;		     /* TERM, HUP, QUIT..., or 0 for q and Ctrl-C */
	struct ui_settings settings; /* as they were at the end */
	int32_t picked; /* the user chose this process to look at next; 0 none */
	struct snapshot
	    *last; /* newest picture, for the exit summary; the caller's; or NULL */
};

/* Runs until the user quits, a signal ends it or command_fd breaks. The terminal is as it
 * was before on every return and on a crash. -errno with err when no screen can be
 * opened. */
int ui_run(const struct ui *ui, const struct ui_options *options,
	   struct ui_result *result, struct error *err);

#endif
