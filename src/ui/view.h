/* What a view and a pop-up are made of, and what they see of the rest.
 *
 * A view is one file that ends in a `const struct view` and one line in views.def. Its
 * state is its own; between calls it keeps ids, never pointers into a snapshot. */
#ifndef PTOP_UI_VIEW_H
#define PTOP_UI_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "model/command.h"
#include "model/snapshot.h"
#include "ui/baseline.h"
#include "ui/canvas.h"
#include "ui/filter.h"
#include "ui/keys.h"
#include "ui/notes.h"
#include "ui/ui.h"

/* What is common to all views. Owner: the screen (screen.c). */
struct shared {
	const struct ui_options *options;
	const struct snapshot *shown;  /* NULL before the first picture */
	const struct snapshot *newest; /* differs from shown while paused */
	uint64_t now_ns;
	int command_fd;
	bool ascii, mouse;
	int colors; /* of the terminal; below 8: none */
	int n_cpus;
	bool paused;
	/* The screen has room for more than the view's own list, and the pictures may
	 * hold what that takes. */
	bool roomy;
	/* The graphs of all views with a time axis stand below the view on the screen:
	 * it leaves out its own, and left and right move the cursor. */
	bool trends;
	struct filter filter;
	/* What is looked at, whatever the view; a view sets `function` as its selection
	 * moves. */
	uint64_t function; /* snapshot_function.function, 0 none */
	bool focus;	   /* a view about that function was left for another one */
	int32_t thread;	   /* tid of the one thread that figures are of; 0: all */
	int32_t marked;	   /* tid of the row last selected in Threads; 0: none */
	bool by_line;	   /* rows are lines where a view can show them */
	struct baseline base;
	/* The time cursor of views with a time axis: a moment of the window, or 0. */
	uint64_t cursor_ns;
	/* What a view asks of the screen; done after its call. */
	const struct view *open_over;	    /* a view over this one; Esc comes back */
	int go;				    /* number of a view to change to */
	uint64_t moment_ns, moment_span_ns; /* pictures of that moment (its end); 0 */
	int32_t ask_thread; /* tid, 0 none: from now on only that thread; again: all */
	struct notes notes;
	bool close_popup; /* set by a pop-up that is done */
	struct ui_settings settings;
	const struct ui_text *text; /* newest that came; NULL: none since the last dump */
	int32_t pick_pid;	    /* set by the picker: the process to go to */
	int32_t dump_pid;	    /* set by the picker: whose stacks to show */
};

struct view {
	const char *name, *short_name; /* in the strip of tabs, wide and narrow */
	enum key_place place;
	unsigned wants; /* enum want: what a snapshot must hold while this is shown */
	unsigned wants_roomy; /* the same in addition where sh->roomy */
	bool
	    folds; /* settings.folded, key x: it is shown a picture with each library folded to one row */
	bool shows_lines; /* its rows may be lines (key L) */
	bool side_panels; /* on a wide screen it leaves room for the others' panels */
	bool time_axis;	  /* left and right move sh->cursor_ns, Enter opens that moment */
	void *(*open)(struct shared *sh);
	void (*close)(void *state);
	/* A new snapshot is shown or the filter changed. May be NULL. */
	void (*update)(void *state, const struct shared *sh);
	void (*draw)(void *state, const struct shared *sh, struct canvas *c,
		     struct box b);
	/* Before close(), with what it must give back by. May be NULL. */
	void (*leave)(void *state, struct shared *sh);
	/* When it is to be drawn again by itself. May be NULL. */
	uint64_t (*due)(const void *state);
	/* It comes on the screen. May be NULL. */
	void (*enter)(void *state, struct shared *sh);
	/* A few lines about its matter beside another view on a wide screen. Returns the
	 * lines used, at most b.height; 0 when there is nothing to say. May be NULL. */
	int (*panel)(void *state, const struct shared *sh, struct canvas *c,
		     struct box b);
	/* On the page of trends: a heading and a graph over the common time axis
	 * (ui/graph.h), with what it is at the cursor. Returns the lines it takes, at
	 * most b.height; canvas NULL: draws nothing. May be NULL. */
	int (*strip)(void *state, const struct shared *sh, struct canvas *c,
		     struct box b);
	/* A key before the table is asked; true when it was used up. May be NULL. */
	bool (*key)(void *state, struct shared *sh, int key);
	/* Bytes that were pasted; false when no line is being typed. May be NULL. */
	bool (*paste)(void *state, const char *s, size_t n);
	/* An action of the table; false when it means nothing here. */
	bool (*act)(void *state, struct shared *sh, enum action action);
	/* A click in the box last drawn. May be NULL. */
	void (*click)(void *state, struct shared *sh, int x, int y);
	/* "1-18 of 412": for the state line. May be NULL. */
	void (*status)(void *state, const struct shared *sh, char *buf, size_t size);
};

#define VIEW(v, number) extern const struct view v;
#define DETAIL(v) extern const struct view v;
#define POPUP(v, action) extern const struct view v;
#include "ui/views.def"
#undef VIEW
#undef DETAIL
#undef POPUP

/* Writes a command to the sampler without ever waiting; when its pipe is full the message
 * line says so. */
void shared_send(struct shared *sh, const struct command *c);
/* True while percentages rest on too few samples to be taken at their word. */
bool shared_few(const struct snapshot *s);

/* Scrolling of a page of `total` lines of which `page` fit. */
struct scroll {
	int top, total, page;
};

bool scroll_act(struct scroll *s, enum action action);
void scroll_clamp(struct scroll *s);

#endif
