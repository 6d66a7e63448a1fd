/* What the screen asks of the sampler: what pictures hold, of which time, threads and mode
 * they are, and files. Commands go into a pipe; what they change shows in a later
 * picture. */
#include <stdio.h>

#include "ui/screen.h"

static const uint64_t windows[] = { 5 * NS_PER_SEC, 10 * NS_PER_SEC, 60 * NS_PER_SEC,
				    600 * NS_PER_SEC, 0 };
#define WINDOWS ((int)(sizeof(windows) / sizeof(*windows)))

/* What the picture must hold for what is on a screen of this size. */
static unsigned wanted(const struct screen *s)
{
	const struct view *v = screen_top(s);
	unsigned wants = v->wants;
	int i;

	for (i = 0; i < SCREEN_VIEWS; i++)
		if (screen_views[i] && screen_views[i]->panel && screen_views[i] != v &&
		    screen_panels_shown(s))
			wants |= screen_views[i]->wants;
	if (s->sh.roomy)
		wants |= v->wants_roomy;
	if (s->sh.by_line && v->shows_lines)
		wants |= WANT_LINES;
	if (s->sh.settings.folded && v->folds)
		wants |= WANT_TREE;
	if (s->baseline_due) /* the flame graph compares trees */
		wants |= WANT_TREE;
	return wants;
}

/* During a pause it is asked for the moment that is shown. */
static void ask_moment(struct screen *s)
{
	struct command c = { .kind = COMMAND_AT };

	if (s->sh.moment_ns) {
		c.value = s->sh.moment_ns;
		c.window_ns = s->sh.moment_span_ns;
	} else if (s->sh.paused && s->shown) {
		c.value = s->shown->time_ns;
		c.window_ns = s->shown->window_ns;
	}
	if (c.value == s->at_ns && c.window_ns == s->at_window_ns)
		return;
	s->at_ns = c.value;
	s->at_window_ns = c.window_ns;
	shared_send(&s->sh, &c);
}

void screen_sync(struct screen *s)
{
	struct command c = { .kind = COMMAND_WANT, .value = wanted(s) };

	if (s->sh.paused && c.value != s->wants)
		ask_moment(s);
	else if (!s->sh.paused || s->sh.moment_ns)
		ask_moment(s);
	if (c.value == s->wants)
		return;
	s->wants = (unsigned)c.value;
	shared_send(&s->sh, &c);
}

void screen_ask(struct screen *s, enum command_kind kind, uint64_t value)
{
	struct command c = { .kind = kind, .value = value };

	shared_send(&s->sh, &c);
	if (s->sh.paused)
		notes_show(&s->sh.notes, s->sh.now_ns, false,
			   "paused: it shows when the pause ends (Space)");
}

static void step_window(struct screen *s, int by)
{
	int i = WINDOWS - 1;

	/* From a window of somebody else's choice to the nearest of ours that way. */
	if (s->window_ns)
		for (i = 0; i < WINDOWS - 1 && windows[i] < s->window_ns; i++)
			;
	if (windows[i] == s->window_ns || by < 0)
		i += by;
	if (i < 0 || i >= WINDOWS)
		return;
	s->window_ns = s->sh.settings.window_ns = windows[i];
	screen_ask(s, COMMAND_WINDOW, s->window_ns);
}

void screen_save(struct screen *s)
{
	struct command c = { .kind = COMMAND_SAVE, .text = "svg " };

	if (!s->shown) {
		notes_show(&s->sh.notes, s->sh.now_ns, false, "nothing to save yet");
		return;
	}
	c.value = s->sh.paused || s->shown->past ? s->shown->time_ns : 0;
	c.window_ns = s->shown->window_ns;
	notes_show(&s->sh.notes, s->sh.now_ns, false, "saving the flame graph ...");
	shared_send(&s->sh, &c);
}

void screen_select_thread(struct screen *s, int32_t tid)
{
	s->sh.thread = tid == s->sh.thread ? 0 : tid;
	screen_ask(s, COMMAND_THREAD, (uint64_t)s->sh.thread);
}

/* Some thread is of a language with one lock for all. */
static bool has_gil(const struct screen *s)
{
	size_t i;

	for (i = 0; s->newest && i < s->newest->n_threads; i++)
		if (s->newest->threads[i].gil_pct >= 0)
			return true;
	return false;
}

bool screen_act_on_sampler(struct screen *s, enum action a)
{
	switch (a) {
	case ACTION_MODE:
		s->mode = (enum mode)((s->mode + 1) % MODES);
		if (s->mode == MODE_GIL && !has_gil(s))
			s->mode = MODE_CPU;
		screen_ask(s, COMMAND_MODE, s->mode);
		return true;
	case ACTION_IDLE:
		s->idle_shown = !s->idle_shown;
		screen_ask(s, COMMAND_IDLE, s->idle_shown);
		if (s->mode == MODE_CPU && !s->sh.paused)
			notes_show(&s->sh.notes, s->sh.now_ns, false,
				   "idle threads have no CPU time: e shows wall time");
		return true;
	case ACTION_MERGE:
		if (s->sh.thread) { /* all of them again */
			screen_select_thread(s, s->sh.thread);
			return true;
		}
		s->threads_merged = !s->threads_merged;
		screen_ask(s, COMMAND_MERGE, s->threads_merged);
		return true;
	case ACTION_RESET:
		screen_ask(s, COMMAND_RESET, 0);
		return true;
	case ACTION_WINDOW_SHORTER:
		step_window(s, -1);
		return true;
	case ACTION_WINDOW_LONGER:
		step_window(s, 1);
		return true;
	case ACTION_SAVE:
		screen_save(s);
		return true;
	default:
		return false;
	}
}
