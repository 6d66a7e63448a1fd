/* The whole screen without a terminal: snapshots and keys go in, a canvas and commands
 * come out. The loop in ui.c connects it to the world, tests to text. */
#ifndef PTOP_UI_SCREEN_H
#define PTOP_UI_SCREEN_H

#include "ui/chrome.h"
#include "ui/edit.h"
#include "ui/view.h"

#define SCREEN_VIEWS 8	    /* numbers 1 to 7 */
#define SCREEN_DEPTH_MAX 12 /* views over each other */

enum prompt { PROMPT_NONE, PROMPT_FILTER, PROMPT_DELAY };

/* What the screen wants of its loop; the loop sets it back. */
enum ask { ASK_NOTHING, ASK_QUIT, ASK_REDRAW, ASK_SUSPEND, ASK_PICK };

enum mouse_button { MOUSE_LEFT, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN };

/* By number; NULL where there is none. */
extern const struct view *const screen_views[SCREEN_VIEWS];

/* Owner: the loop; one. */
struct screen {
	struct shared sh;
	struct snapshot *shown, *newest; /* ours; the same one unless paused */
	struct ui_text *text;		 /* newest */
	struct snapshot *folded;	 /* made from shown, or NULL */
	void *states[SCREEN_VIEWS];	 /* of screen_views */
	int view;			 /* the current number */
	/* stack[0] is that view; on top of it those opened over it, theirs to close. */
	struct over {
		const struct view *view;
		void *state;
	} stack[SCREEN_DEPTH_MAX];
	int depth;
	const struct view *popup;
	void *popup_state;
	enum prompt prompt;
	struct edit edit;
	struct bar bar, tabs;
	int bar_y, tabs_y;   /* -1: not drawn */
	int cursor_y;	     /* as drawn last: the selected row */
	uint64_t clicked_ns; /* the last click, 0: or it was a double one */
	int clicked_y;
	int width, height; /* as drawn last */
	enum ask ask;
	/* What was asked of the sampler last; its pictures follow later. */
	uint64_t window_ns, delay_ns;
	enum mode mode;
	bool idle_shown, threads_merged;
	unsigned wants;
	bool baseline_due; /* the next picture with a tree becomes the baseline */
	uint64_t at_ns, at_window_ns;
};

/* sh: options, command_fd, ascii, mouse, colors, n_cpus are set by the caller, who also
 * keeps now_ns true before each call below. */
void screen_init(struct screen *s, const struct shared *sh);
/* Frees all but the newest snapshot, which becomes the caller's; NULL if there never was
 * one. */
struct snapshot *screen_done(struct screen *s);

/* A new picture; the screen owns it. */
void screen_take(struct screen *s, struct snapshot *snapshot);
/* Text for a page; the screen owns it. */
void screen_take_text(struct screen *s, struct ui_text *text);
void screen_key(struct screen *s, int key);
void screen_mouse(struct screen *s, int x, int y, enum mouse_button button);
/* What the key w does. */
void screen_save(struct screen *s);
/* When the picture changes by itself; UINT64_MAX never. */
uint64_t screen_deadline(const struct screen *s);
void screen_draw(struct screen *s, struct canvas *c);

/* ---- between the files of the screen ---- */

static inline const struct view *screen_top(const struct screen *s)
{
	return s->stack[s->depth].view;
}
/* screen.c: gives the picture to all views anew. */
void screen_update_views(struct screen *s);
/* screen_prompt.c */
void screen_open_prompt(struct screen *s, enum prompt prompt);
void screen_prompt_key(struct screen *s, int key);
/* Raw bytes that were pasted: into the line that is being typed, if one is. */
void screen_paste(struct screen *s, const char *text, size_t n);
void screen_set_filter(struct screen *s, const char *text);
/* screen_ask.c: a command with a value. */
void screen_ask(struct screen *s, enum command_kind kind, uint64_t value);
/* Only that thread (tid) from now on; the one chosen already: all again. */
void screen_select_thread(struct screen *s, int32_t tid);
/* True when the action was one for the sampler. */
bool screen_act_on_sampler(struct screen *s, enum action action);
/* Asks the sampler for what is needed now and was not asked yet. */
void screen_sync(struct screen *s);
/* screen_draw.c: there is room for side panels beside the current view. */
bool screen_panels_shown(const struct screen *s);
/* screen_cpu.c: as struct view's strip. */
int screen_draw_cpu(const struct shared *sh, struct canvas *c, struct box b);
/* screen_trends.c: the page of trends in the lower part of the box; returns the lines left
 * above it. */
int screen_draw_trends(const struct screen *s, struct canvas *c, struct box b);

#endif
