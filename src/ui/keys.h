/* The key table: the only place that binds a key, and what the help screen and the bar at
 * the bottom are generated from. */
#ifndef PTOP_UI_KEYS_H
#define PTOP_UI_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/* A key is a Unicode code point or one of these. */
enum key {
	K_NONE = 0,
	K_ENTER = '\r',
	K_TAB = '\t',
	K_ESC = 0x1b,
	K_SPECIAL = 0x200000, /* above Unicode */
	K_UP,
	K_DOWN,
	K_LEFT,
	K_RIGHT,
	K_PAGE_UP,
	K_PAGE_DOWN,
	K_HOME,
	K_END,
	K_BACKSPACE,
	K_DELETE,
	K_BACK_TAB,
	K_F1,
	K_F2,
	K_F3,
	K_F4,
	K_F6 = K_F1 + 5,
	K_F10 = K_F1 + 9,
	K_OTHER, /* something the terminal knows and ptop does not */
};
#define K_CTRL(c) ((c)&0x1f)

enum action {
	ACTION_NONE,
	ACTION_UP,
	ACTION_DOWN,
	ACTION_PAGE_UP,
	ACTION_PAGE_DOWN,
	ACTION_HALF_UP,
	ACTION_HALF_DOWN,
	ACTION_FIRST,
	ACTION_LAST,
	ACTION_LEFT,
	ACTION_RIGHT,
	ACTION_VIEW, /* a digit: the view of that number */
	ACTION_NEXT_VIEW,
	ACTION_PREVIOUS_VIEW,
	ACTION_OPEN, /* drill in */
	ACTION_SORT_NEXT,
	ACTION_SORT_PREVIOUS,
	ACTION_SORT_SELF,
	ACTION_SORT_TOTAL,
	ACTION_INVERT,
	ACTION_MODE,
	ACTION_CENSUS, /* memory: who holds it */
	ACTION_FAULTS, /* memory: who touches new pages */
	ACTION_IDLE,
	ACTION_MERGE,
	ACTION_PIN,
	ACTION_LIBRARIES, /* fold them or not */
	ACTION_LINES,	  /* rows are lines or functions */
	ACTION_MORE,	  /* expand; a higher threshold */
	ACTION_LESS,
	ACTION_ALL,
	ACTION_SOURCE,
	ACTION_NEXT_MATCH,
	ACTION_PREVIOUS_MATCH,
	ACTION_BASELINE,
	ACTION_CLEAR_BASELINE,
	ACTION_FILTER,
	ACTION_CLEAR_FILTER,
	ACTION_BACK,
	ACTION_PAUSE,
	ACTION_WINDOW_SHORTER,
	ACTION_WINDOW_LONGER,
	ACTION_RESET,
	ACTION_DELAY,
	ACTION_SAVE,
	ACTION_SAVE_MENU,
	ACTION_CONFIRM,
	ACTION_NEXT_FIELD,
	ACTION_PREVIOUS_FIELD,
	ACTION_DIAGNOSIS,
	ACTION_MESSAGES,
	ACTION_DUMP,
	ACTION_PICK,
	ACTION_SETUP,
	ACTION_HELP,
	ACTION_REDRAW,
	ACTION_SUSPEND,
	ACTION_CLOSE, /* the pop-up; without one: quit */
	ACTION_QUIT
};

/* Where a key acts: a set of these. */
enum key_place {
	IN_VIEW = 1,
	IN_POPUP = 2, /* pages to read: help, messages */
	IN_SAVE = 4,
	IN_PICKER = 8,
	IN_SETUP = 16,
	ANYWHERE = IN_VIEW | IN_POPUP | IN_SAVE | IN_PICKER | IN_SETUP
};

enum key_group {
	GROUP_VIEW,
	GROUP_MOVE,
	GROUP_LOOK,
	GROUP_FIND,
	GROUP_TIME,
	GROUP_SAVE,
	GROUP_PROGRAM,
	GROUPS
};

#define KEYS_PER_ROW 7

struct key_row {
	int keys[KEYS_PER_ROW]; /* ends with 0 */
	enum action action;
	unsigned places; /* enum key_place */
	enum key_group group;
	const char *help; /* NULL: the row above explains this one too */
	const char *bar;  /* word in the bar, or NULL */
	int bar_rank;	  /* the narrower the screen, the lower a rank must be; from 1 */
};

/* Row i of the table, NULL after the last. */
const struct key_row *keys_row(size_t i);
/* What a key means in a place; ACTION_NONE when nothing. */
enum action keys_action(int key, enum key_place place);
/* "Up", "^L", "Space", "F6", "k" into buf of 16 bytes; returns buf. */
const char *key_label(int key, char buf[16]);
const char *key_group_name(enum key_group g);

#endif
