/* The same key means the same in every view. F-keys are aliases only: terminals and
 * multiplexers swallow them. A key must not stand in two rows of one place; a test
 * watches that. */
#include "ui/keys.h"

#include <stdio.h>

#define LISTS (IN_VIEW | IN_POPUP | IN_SAVE | IN_PICKER | IN_SETUP)
#define PAGES (IN_VIEW | IN_POPUP | IN_PICKER)

static const struct key_row rows[] = {
	{ { '?', K_F1 }, ACTION_HELP, ANYWHERE, GROUP_PROGRAM, "this help", "Help", 1 },

	{ { '1', '2', '3', '4', '5', '6', '7' },
	  ACTION_VIEW,
	  IN_VIEW,
	  GROUP_VIEW,
	  "view of that number",
	  NULL,
	  0 },
	{ { K_TAB },
	  ACTION_NEXT_VIEW,
	  IN_VIEW,
	  GROUP_VIEW,
	  "next, previous view",
	  "View",
	  6 },
	{ { K_BACK_TAB }, ACTION_PREVIOUS_VIEW, IN_VIEW, GROUP_VIEW, NULL, NULL, 0 },
	{ { K_ENTER }, ACTION_OPEN, IN_VIEW, GROUP_VIEW, "open the row", "Open", 5 },
	{ { 'a' }, ACTION_SOURCE, IN_VIEW, GROUP_VIEW, "source lines", "Source", 8 },

	{ { K_UP, 'k' }, ACTION_UP, LISTS, GROUP_MOVE, "row up, down", NULL, 0 },
	{ { K_DOWN, 'j' }, ACTION_DOWN, LISTS, GROUP_MOVE, NULL, NULL, 0 },
	{ { K_PAGE_UP, K_CTRL('B') },
	  ACTION_PAGE_UP,
	  PAGES,
	  GROUP_MOVE,
	  "page",
	  NULL,
	  0 },
	{ { K_PAGE_DOWN, K_CTRL('F') },
	  ACTION_PAGE_DOWN,
	  PAGES,
	  GROUP_MOVE,
	  NULL,
	  NULL,
	  0 },
	{ { K_CTRL('U') }, ACTION_HALF_UP, PAGES, GROUP_MOVE, "half a page", NULL, 0 },
	{ { K_CTRL('D') }, ACTION_HALF_DOWN, PAGES, GROUP_MOVE, NULL, NULL, 0 },
	{ { K_HOME, 'g' }, ACTION_FIRST, PAGES, GROUP_MOVE, "first, last row", NULL, 0 },
	{ { K_END, 'G' }, ACTION_LAST, PAGES, GROUP_MOVE, NULL, NULL, 0 },
	{ { K_LEFT, 'h' },
	  ACTION_LEFT,
	  IN_VIEW | IN_POPUP | IN_SETUP,
	  GROUP_MOVE,
	  "names; time in 5 to 7",
	  NULL,
	  0 },
	{ { K_RIGHT, 'l' },
	  ACTION_RIGHT,
	  IN_VIEW | IN_POPUP | IN_SETUP,
	  GROUP_MOVE,
	  NULL,
	  NULL,
	  0 },
	{ { '/', '\\', K_F3, K_F4 },
	  ACTION_FILTER,
	  IN_VIEW | IN_PICKER,
	  GROUP_FIND,
	  "filter (~ = regex)",
	  "Filter",
	  2 },
	{ { 'n' },
	  ACTION_NEXT_MATCH,
	  IN_VIEW,
	  GROUP_FIND,
	  "next match, hot line",
	  NULL,
	  0 },
	{ { 'N' }, ACTION_PREVIOUS_MATCH, IN_VIEW, GROUP_FIND, NULL, NULL, 0 },
	{ { 'c' },
	  ACTION_CLEAR_FILTER,
	  IN_VIEW,
	  GROUP_FIND,
	  "clear the filter",
	  NULL,
	  0 },
	{ { K_ESC, K_BACKSPACE },
	  ACTION_BACK,
	  ANYWHERE,
	  GROUP_FIND,
	  "close; clear filter",
	  NULL,
	  0 },

	{ { 's', '>', K_F6 },
	  ACTION_SORT_NEXT,
	  IN_VIEW | IN_PICKER,
	  GROUP_LOOK,
	  "sort column",
	  "Sort",
	  8 },
	{ { 'S', '<' },
	  ACTION_SORT_PREVIOUS,
	  IN_VIEW | IN_PICKER,
	  GROUP_LOOK,
	  NULL,
	  NULL,
	  0 },
	{ { 'o' },
	  ACTION_SORT_SELF,
	  IN_VIEW,
	  GROUP_LOOK,
	  "own, total, inverted",
	  NULL,
	  0 },
	{ { 't' }, ACTION_SORT_TOTAL, IN_VIEW, GROUP_LOOK, NULL, NULL, 0 },
	{ { 'I' }, ACTION_INVERT, IN_VIEW, GROUP_LOOK, NULL, NULL, 0 },
	{ { 'L' },
	  ACTION_LINES,
	  IN_VIEW,
	  GROUP_LOOK,
	  "by function, by line",
	  "Lines",
	  17 },
	{ { 'x' },
	  ACTION_LIBRARIES,
	  IN_VIEW,
	  GROUP_LOOK,
	  "fold library frames",
	  "Libs",
	  9 },
	{ { '+' }, ACTION_MORE, IN_VIEW, GROUP_LOOK, "expand; threshold", NULL, 0 },
	{ { '-' }, ACTION_LESS, IN_VIEW, GROUP_LOOK, NULL, NULL, 0 },
	{ { '*' }, ACTION_ALL, IN_VIEW, GROUP_LOOK, NULL, NULL, 0 },
	{ { 'e' }, ACTION_MODE, IN_VIEW, GROUP_LOOK, "CPU, wall or GIL time", "Mode", 7 },
	{ { 'H' }, ACTION_CENSUS, IN_VIEW, GROUP_LOOK, "Memory: who holds it", NULL, 0 },
	{ { 'F' }, ACTION_FAULTS, IN_VIEW, GROUP_LOOK, "Memory: who grows it", NULL, 0 },
	{ { 'i' }, ACTION_IDLE, IN_VIEW, GROUP_LOOK, "idle threads in, out", "Idle", 14 },
	{ { 'm' },
	  ACTION_MERGE,
	  IN_VIEW,
	  GROUP_LOOK,
	  "merge threads, or not",
	  "Merge",
	  13 },
	{ { 'f' }, ACTION_PIN, IN_VIEW, GROUP_LOOK, "pin the row on top", "Pin", 11 },

	{ { ' ', 'p', 'z' },
	  ACTION_PAUSE,
	  IN_VIEW,
	  GROUP_TIME,
	  "pause; sampling goes on",
	  "Pause",
	  4 },
	{ { '[' },
	  ACTION_WINDOW_SHORTER,
	  IN_VIEW,
	  GROUP_TIME,
	  "window, 5 s to all",
	  NULL,
	  0 },
	{ { ']' }, ACTION_WINDOW_LONGER, IN_VIEW, GROUP_TIME, NULL, "Window", 9 },
	{ { 'r' },
	  ACTION_RESET,
	  IN_VIEW,
	  GROUP_TIME,
	  "reset, start afresh",
	  "Reset",
	  15 },
	{ { 'b' },
	  ACTION_BASELINE,
	  IN_VIEW,
	  GROUP_TIME,
	  "baseline: set, clear",
	  "Baseline",
	  16 },
	{ { 'B' }, ACTION_CLEAR_BASELINE, IN_VIEW, GROUP_TIME, NULL, NULL, 0 },
	{ { 'd' },
	  ACTION_DELAY,
	  IN_VIEW,
	  GROUP_TIME,
	  "seconds between frames",
	  "Delay",
	  16 },

	{ { 'w' },
	  ACTION_SAVE,
	  IN_VIEW | IN_POPUP,
	  GROUP_SAVE,
	  "flame graph SVG, now",
	  "Save",
	  3 },
	{ { 'W' },
	  ACTION_SAVE_MENU,
	  IN_VIEW,
	  GROUP_SAVE,
	  "choose format and file",
	  "Formats",
	  10 },
	{ { K_ENTER },
	  ACTION_CONFIRM,
	  IN_SAVE | IN_PICKER | IN_SETUP,
	  GROUP_SAVE,
	  "in menus: do, field",
	  "OK",
	  2 },
	{ { K_TAB },
	  ACTION_NEXT_FIELD,
	  IN_SAVE | IN_PICKER,
	  GROUP_SAVE,
	  NULL,
	  "Field",
	  3 },
	{ { K_BACK_TAB }, ACTION_PREVIOUS_FIELD, IN_SAVE, GROUP_SAVE, NULL, NULL, 0 },
	{ { 'D' },
	  ACTION_DUMP,
	  IN_VIEW | IN_POPUP | IN_PICKER,
	  GROUP_SAVE,
	  "stacks of all threads",
	  "Dump",
	  18 },

	{ { 'v' },
	  ACTION_DIAGNOSIS,
	  IN_VIEW | IN_POPUP,
	  GROUP_PROGRAM,
	  "diagnosis and evidence",
	  "Verdict",
	  15 },
	{ { '!' },
	  ACTION_MESSAGES,
	  ANYWHERE,
	  GROUP_PROGRAM,
	  "messages, losses, cost",
	  "Messages",
	  12 },
	{ { 'P' },
	  ACTION_PICK,
	  IN_VIEW | IN_PICKER,
	  GROUP_PROGRAM,
	  "pick another process",
	  "Process",
	  15 },
	{ { 'O', K_F2 },
	  ACTION_SETUP,
	  IN_VIEW | IN_SETUP,
	  GROUP_PROGRAM,
	  "options, kept",
	  "Options",
	  16 },
	{ { K_CTRL('L') },
	  ACTION_REDRAW,
	  ANYWHERE,
	  GROUP_PROGRAM,
	  "redraw, suspend",
	  NULL,
	  0 },
	{ { K_CTRL('Z') }, ACTION_SUSPEND, ANYWHERE, GROUP_PROGRAM, NULL, NULL, 0 },
	{ { 'q', K_F10 },
	  ACTION_CLOSE,
	  ANYWHERE,
	  GROUP_PROGRAM,
	  "quit; close a pop-up",
	  "Quit",
	  1 },
	{ { K_CTRL('C') },
	  ACTION_QUIT,
	  ANYWHERE,
	  GROUP_PROGRAM,
	  "quit from anywhere",
	  NULL,
	  0 },
};

const struct key_row *keys_row(size_t i)
{
	return i < sizeof(rows) / sizeof(*rows) ? &rows[i] : NULL;
}

enum action keys_action(int key, enum key_place place)
{
	const struct key_row *r;
	size_t i, k;

	if (key == '\n')
		key = K_ENTER;
	for (i = 0; (r = keys_row(i)); i++)
		for (k = 0; k < KEYS_PER_ROW && r->keys[k]; k++)
			if (r->keys[k] == key && (r->places & place))
				return r->action;
	return ACTION_NONE;
}

const char *key_label(int key, char buf[16])
{
	static const struct {
		int key;
		const char *label;
	} names[] = {
		{ ' ', "Space" },	 { K_ENTER, "Enter" }, { K_TAB, "Tab" },
		{ K_ESC, "Esc" },	 { K_UP, "Up" },       { K_DOWN, "Down" },
		{ K_LEFT, "Left" },	 { K_RIGHT, "Right" }, { K_PAGE_UP, "PgUp" },
		{ K_PAGE_DOWN, "PgDn" }, { K_HOME, "Home" },   { K_END, "End" },
		{ K_BACKSPACE, "BkSp" }, { K_DELETE, "Del" },  { K_BACK_TAB, "S-Tab" },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].key == key) {
			snprintf(buf, 16, "%s", names[i].label);
			return buf;
		}
	if (key >= K_F1 && key <= K_F10)
		snprintf(buf, 16, "F%d", key - K_F1 + 1);
	else if (key > 0 && key < ' ')
		snprintf(buf, 16, "^%c", key + '@');
	else
		snprintf(buf, 16, "%c", key < 0x7f ? key : '?');
	return buf;
}

const char *key_group_name(enum key_group g)
{
	static const char *const names[GROUPS] = {
		[GROUP_VIEW] = "VIEWS",	     [GROUP_MOVE] = "MOVE", [GROUP_LOOK] = "LOOK",
		[GROUP_FIND] = "FIND",	     [GROUP_TIME] = "TIME", [GROUP_SAVE] = "SAVE",
		[GROUP_PROGRAM] = "PROGRAM",
	};

	return (unsigned)g < GROUPS ? names[g] : "";
}
