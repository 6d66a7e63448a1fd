/* Lines that are typed at the bottom of the screen: the filter, which acts as it is typed,
 * and the delay. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ui/screen.h"

#define DELAY_MIN_S 0.1
#define DELAY_MAX_S 60.0

void screen_open_prompt(struct screen *s, enum prompt prompt)
{
	s->prompt = prompt;
	edit_set(&s->edit, prompt == PROMPT_FILTER ? s->sh.filter.text : "");
}

void screen_set_filter(struct screen *s, const char *text)
{
	if (strcmp(text, s->sh.filter.text) == 0)
		return;
	filter_set(&s->sh.filter, text);
	screen_update_views(s);
}

static void set_delay(struct screen *s)
{
	char *end;
	double seconds = strtod(s->edit.text, &end);

	if (s->edit.n == 0)
		return;
	if (end == s->edit.text || *end || !isfinite(seconds) || seconds < DELAY_MIN_S ||
	    seconds > DELAY_MAX_S) {
		notes_show(&s->sh.notes, s->sh.now_ns, true,
			   "the delay must be a number of seconds from 0.1 to 60");
		return;
	}
	s->delay_ns = (uint64_t)(seconds * 1e9);
	s->sh.settings.delay_ns = s->delay_ns;
	screen_ask(s, COMMAND_DELAY, s->delay_ns);
}

/* The filter acts as it is typed, and keeps a shorter text than the line could. */
static void edited(struct screen *s)
{
	if (s->prompt != PROMPT_FILTER)
		return;
	if (s->edit.n >= sizeof(s->sh.filter.text))
		edit_set(&s->edit, s->sh.filter.text);
	screen_set_filter(s, s->edit.text);
}

void screen_paste(struct screen *s, const char *text, size_t n)
{
	size_t room;

	notes_read(&s->sh.notes);
	if (s->prompt) {
		room = sizeof(s->sh.filter.text) - 1 - s->edit.n;
		edit_paste(&s->edit, text,
			   s->prompt == PROMPT_FILTER && n > room ? room : n);
		edited(s);
	} else if (!s->popup || !s->popup->paste ||
		   !s->popup->paste(s->popup_state, text, n)) {
		notes_show(&s->sh.notes, s->sh.now_ns, false,
			   "pasted text is not taken for keys");
	}
}

static bool is_move(enum action a)
{
	return a >= ACTION_UP && a <= ACTION_HALF_DOWN;
}

void screen_prompt_key(struct screen *s, int key)
{
	enum action a;

	if (key == K_ENTER || key == '\n') {
		if (s->prompt == PROMPT_DELAY)
			set_delay(s);
		s->prompt = PROMPT_NONE;
		return;
	}
	if (key == K_ESC || (key == K_BACKSPACE && s->edit.n == 0)) {
		if (s->prompt == PROMPT_FILTER)
			screen_set_filter(s, "");
		s->prompt = PROMPT_NONE;
		return;
	}
	if (edit_key(&s->edit, key)) {
		edited(s);
		return;
	}
	a = keys_action(key, IN_VIEW);
	if (s->prompt == PROMPT_FILTER && is_move(a))
		screen_top(s)->act(s->stack[s->depth].state, &s->sh, a);
}
