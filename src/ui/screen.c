/* Keys become actions by the key table; what is common to all views is done here, the
 * rest by the view or by the pop-up over it. Nothing here waits: a command is written to
 * a pipe and its effect shows in a later snapshot. */
#include "ui/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/fold.h"
#include "ui/figures.h"

#define WHEEL_ROWS 3
#define DOUBLE_CLICK_NS (500 * NS_PER_MSEC)
#define TIME_STEPS 120 /* of the time cursor across a window */
#define VIEW_OF_MEMORY 5
#define MOMENT_LEAST_NS (2 * NS_PER_SEC)
#define VIEW_OF_A_MOMENT 3 /* the flame graph */

#define VIEW(v, number) [number] = &v,
#define DETAIL(v)
#define POPUP(v, action)
const struct view *const screen_views[SCREEN_VIEWS] = {
#include "ui/views.def"
};
#undef VIEW
#undef POPUP

#define VIEW(v, number)
#define POPUP(v, action) { &v, action },
static const struct {
	const struct view *view;
	enum action action;
} popups[] = {
#include "ui/views.def"
};
#undef VIEW
#undef DETAIL
#undef POPUP

static bool open_popup(struct screen *s, enum action action);

void screen_init(struct screen *s, const struct shared *sh)
{
	int i;

	*s = (struct screen){ .sh = *sh, .bar_y = -1, .tabs_y = -1 };
	s->window_ns = sh->settings.window_ns;
	s->delay_ns = sh->settings.delay_ns;
	s->threads_merged = true;
	for (i = 0; i < SCREEN_VIEWS; i++)
		if (screen_views[i])
			s->states[i] = screen_views[i]->open(&s->sh);
	s->view = 1;
	s->stack[0] = (struct over){ screen_views[1], s->states[1] };
	if (sh->options->pick)
		open_popup(s, ACTION_PICK);
	if (sh->options->notice)
		notes_add(&s->sh.notes, sh->now_ns, true, sh->options->notice);
}

static void close_popup(struct screen *s)
{
	if (s->popup && s->popup->leave)
		s->popup->leave(s->popup_state, &s->sh);
	if (s->popup)
		s->popup->close(s->popup_state);
	s->popup = NULL;
	s->popup_state = NULL;
	s->sh.close_popup = false;
}

static void close_detail(struct screen *s)
{
	struct over *o = &s->stack[s->depth];

	if (s->depth == 0)
		return;
	o->view->close(o->state);
	s->depth--;
}

static void close_details(struct screen *s)
{
	while (s->depth)
		close_detail(s);
}

struct snapshot *screen_done(struct screen *s)
{
	struct snapshot *last = s->newest;
	int i;

	snapshot_free(s->folded);
	close_popup(s);
	close_details(s);
	ui_text_free(s->text);
	for (i = 0; i < SCREEN_VIEWS; i++)
		if (screen_views[i])
			screen_views[i]->close(s->states[i]);
	if (s->shown != s->newest)
		snapshot_free(s->shown);
	filter_done(&s->sh.filter);
	baseline_clear(&s->sh.base);
	notes_done(&s->sh.notes);
	return last;
}

static void update(struct screen *s, const struct view *v, void *state)
{
	if (v && v->update && s->shown)
		v->update(state, &s->sh);
}

/* Also those not on the screen: they keep selections and orders, and some a panel. */
void screen_update_views(struct screen *s)
{
	int i;

	for (i = 0; i < SCREEN_VIEWS; i++)
		update(s, screen_views[i], s->states[i]);
	for (i = 1; i <= s->depth; i++)
		update(s, s->stack[i].view, s->stack[i].state);
}

/* The picture as the view on the screen is shown it. */
static void fit_picture(struct screen *s)
{
	bool fold = s->sh.settings.folded && screen_top(s)->folds && s->shown &&
		    s->shown->n_nodes;

	if (fold && !s->folded)
		s->folded = fold_libraries(s->shown);
	s->sh.shown = fold ? s->folded : s->shown;
}

/* After the view or the way it is shown has changed. */
static void refit_picture(struct screen *s)
{
	const struct snapshot *before = s->sh.shown;

	fit_picture(s);
	if (s->sh.shown != before)
		screen_update_views(s);
}

static void take_baseline(struct screen *s)
{
	char text[80];

	s->baseline_due = false;
	baseline_set(&s->sh.base, s->shown);
	snprintf(text, sizeof(text), "baseline: %s (B clears it)",
		 fig_clock(s->shown->wall_ns).s);
	notes_show(&s->sh.notes, s->sh.now_ns, false, text);
}

static void show_newest(struct screen *s)
{
	if (s->shown != s->newest)
		snapshot_free(s->shown);
	s->shown = s->newest;
	snapshot_free(s->folded);
	s->folded = NULL;
	fit_picture(s);
	if (s->baseline_due && s->shown->wants & WANT_TREE)
		take_baseline(s);
	screen_update_views(s);
}

void screen_take_text(struct screen *s, struct ui_text *text)
{
	ui_text_free(s->text);
	s->text = text;
	s->sh.text = text;
}

void screen_take(struct screen *s, struct snapshot *snapshot)
{
	if (!s->newest) { /* the sampler starts in a mode of its own */
		s->mode = snapshot->mode;
		s->idle_shown = snapshot->idle_shown;
		s->threads_merged = snapshot->threads_merged;
		s->window_ns = s->sh.settings.window_ns = snapshot->window_ns;
	}
	if (s->newest != s->shown)
		snapshot_free(s->newest);
	s->newest = snapshot;
	s->sh.newest = snapshot;
	notes_take(&s->sh.notes, s->sh.now_ns, snapshot);
	/* Paused, only more of the same moment is shown. */
	if (!s->sh.paused || !s->shown ||
	    (snapshot->past && snapshot->time_ns == s->shown->time_ns))
		show_newest(s);
}

static bool open_popup(struct screen *s, enum action action)
{
	size_t i;

	if (action == ACTION_DUMP && !s->sh.dump_pid) {
		ui_text_free(s->text);
		s->text = NULL;
		s->sh.text = NULL;
	}
	for (i = 0; i < sizeof(popups) / sizeof(*popups); i++) {
		if (popups[i].action != action || s->popup == popups[i].view)
			continue;
		close_popup(s);
		s->popup = popups[i].view;
		s->popup_state = s->popup->open(&s->sh);
		return true;
	}
	return false;
}

static void pause_or_resume(struct screen *s)
{
	s->sh.paused = !s->sh.paused && s->shown;
	if (!s->sh.paused && s->newest && !s->newest->past)
		show_newest(s);
}

/* ---- views ---- */

static void enter_view(struct screen *s)
{
	const struct view *v = screen_top(s);

	refit_picture(s);

	if (v->enter)
		v->enter(s->stack[s->depth].state, &s->sh);
}

static void show_view(struct screen *s, int number)
{
	if (number < 0 || number >= SCREEN_VIEWS || !screen_views[number])
		return;
	s->sh.focus = s->depth > 0;
	close_details(s);
	s->view = number;
	s->stack[0] = (struct over){ screen_views[number], s->states[number] };
	enter_view(s);
}

static void step_view(struct screen *s, int by)
{
	int n = s->view;

	do
		n = (n + by + SCREEN_VIEWS) % SCREEN_VIEWS;
	while (!screen_views[n]);
	show_view(s, n);
}

static void open_detail(struct screen *s, const struct view *v)
{
	struct over *o;

	if (s->depth + 1 == SCREEN_DEPTH_MAX) { /* the oldest step is forgotten */
		s->stack[1].view->close(s->stack[1].state);
		memmove(&s->stack[1], &s->stack[2],
			(SCREEN_DEPTH_MAX - 2) * sizeof(s->stack[1]));
		s->depth--;
	}
	o = &s->stack[++s->depth];
	*o = (struct over){ v, v->open(&s->sh) };
	update(s, v, o->state);
	enter_view(s);
}

/* What the page of options changed. */
static void apply_settings(struct screen *s)
{
	const struct ui_settings *set = &s->sh.settings;

	if (set->delay_ns != s->delay_ns) {
		s->delay_ns = set->delay_ns;
		screen_ask(s, COMMAND_DELAY, s->delay_ns);
	}
	if (set->window_ns != s->window_ns) {
		s->window_ns = set->window_ns;
		screen_ask(s, COMMAND_WINDOW, s->window_ns);
	}
	refit_picture(s);
}

/* Of a process chosen in the picker, over it. */
static void open_dump(struct screen *s)
{
	ui_text_free(s->text);
	s->text = NULL;
	s->sh.text = NULL;
	open_popup(s, ACTION_DUMP);
}

/* What a view asked for during its call. */
static void do_asked(struct screen *s)
{
	const struct view *over = s->sh.open_over;
	int go = s->sh.go, tid = s->sh.ask_thread;

	if (s->sh.dump_pid && !(s->popup && s->popup->place == IN_POPUP))
		open_dump(s);
	if (s->sh.pick_pid)
		s->ask = ASK_PICK;
	apply_settings(s);
	s->sh.open_over = NULL;
	s->sh.go = 0;
	s->sh.ask_thread = 0;
	if (tid)
		screen_select_thread(s, tid);
	if (over)
		open_detail(s, over);
	if (go)
		show_view(s, go);
	screen_sync(s);
}

/* ---- the time cursor ---- */

/* The stretch that the cursor's column stands for, but long enough for some samples. */
static void set_moment(struct screen *s, uint64_t middle_ns, uint64_t span_ns)
{
	uint64_t end;

	if (span_ns < MOMENT_LEAST_NS)
		span_ns = MOMENT_LEAST_NS;
	end = middle_ns + span_ns / 2;
	s->sh.moment_ns = end < s->shown->time_ns ? end : s->shown->time_ns;
	s->sh.moment_span_ns = span_ns;
}

static bool act_on_time(struct screen *s, enum action a)
{
	uint64_t from, span, step;

	if ((!screen_top(s)->time_axis && !s->sh.trends) || !s->shown)
		return false;
	span = s->shown->covered_ns;
	from = s->shown->time_ns - span;
	step = span / TIME_STEPS + 1;
	if (a == ACTION_OPEN && s->sh.cursor_ns) {
		set_moment(s, s->sh.cursor_ns, step);
		s->sh.cursor_ns = 0;
		s->sh.go = VIEW_OF_A_MOMENT;
		return true;
	}
	if (a != ACTION_LEFT && a != ACTION_RIGHT)
		return false;
	if (!s->sh.cursor_ns)
		s->sh.cursor_ns = s->shown->time_ns;
	s->sh.cursor_ns =
	    a == ACTION_LEFT ? s->sh.cursor_ns - step : s->sh.cursor_ns + step;
	if (s->sh.cursor_ns < from)
		s->sh.cursor_ns = from;
	if (s->sh.cursor_ns >= s->shown->time_ns)
		s->sh.cursor_ns = 0; /* back at now */
	return true;
}

/* One level back: a view opened over another, the cursor, the moment, the filter. */
static void back(struct screen *s)
{
	if (s->depth) {
		close_detail(s);
		refit_picture(s);
	} else if (s->sh.cursor_ns)
		s->sh.cursor_ns = 0;
	else if (s->sh.moment_ns)
		s->sh.moment_ns = s->sh.moment_span_ns = 0;
	else
		screen_set_filter(s, "");
}

static bool act_on_looks(struct screen *s, enum action a)
{
	switch (a) {
	case ACTION_LINES:
		if (!screen_top(s)->shows_lines)
			return false;
		s->sh.by_line = !s->sh.by_line;
		notes_show(&s->sh.notes, s->sh.now_ns, false,
			   s->sh.by_line ? "a row is a line" : "a row is a function");
		return true;
	case ACTION_LIBRARIES:
		if (!screen_top(s)->folds)
			return false;
		s->sh.settings.folded = !s->sh.settings.folded;
		notes_show(&s->sh.notes, s->sh.now_ns, false,
			   s->sh.settings.folded ? "each library is one row"
						 : "libraries unfolded");
		refit_picture(s);
		return true;
	case ACTION_NEXT_MATCH: /* lists show nothing but matches */
	case ACTION_PREVIOUS_MATCH:
		return screen_top(s)->act(s->stack[s->depth].state, &s->sh,
					  a == ACTION_NEXT_MATCH ? ACTION_DOWN
								 : ACTION_UP);
	case ACTION_BASELINE:
		shared_send(&s->sh,
			    &(struct command){ .kind = COMMAND_BASELINE, .value = 1 });
		if (s->shown && s->shown->n_nodes)
			take_baseline(s);
		else
			s->baseline_due = s->shown != NULL;
		return true;
	case ACTION_CLEAR_BASELINE:
		shared_send(&s->sh, &(struct command){ .kind = COMMAND_BASELINE });
		baseline_clear(&s->sh.base);
		notes_show(&s->sh.notes, s->sh.now_ns, false, "no baseline");
		return true;
	default:
		return false;
	}
}

/* Actions that mean the same in every view. */
static bool act_common(struct screen *s, enum action a)
{
	switch (a) {
	case ACTION_CLOSE:
	case ACTION_BACK:
		if (s->popup && s->sh.command_fd < 0 && s->popup == &picker_view)
			s->ask = ASK_QUIT; /* there is nothing behind it */
		else if (s->popup)
			close_popup(s);
		else if (a == ACTION_CLOSE)
			s->ask = ASK_QUIT;
		else
			back(s);
		return true;
	case ACTION_CENSUS:
	case ACTION_FAULTS: /* of one view, from all of them */
		show_view(s, VIEW_OF_MEMORY);
		return screen_top(s)->act(s->stack[s->depth].state, &s->sh, a);
	case ACTION_QUIT:
		s->ask = ASK_QUIT;
		return true;
	case ACTION_REDRAW:
		s->ask = ASK_REDRAW;
		return true;
	case ACTION_SUSPEND:
		s->ask = ASK_SUSPEND;
		return true;
	case ACTION_PAUSE:
		pause_or_resume(s);
		return true;
	case ACTION_FILTER:
		screen_open_prompt(s, PROMPT_FILTER);
		return true;
	case ACTION_CLEAR_FILTER:
		screen_set_filter(s, "");
		return true;
	case ACTION_DELAY:
		screen_open_prompt(s, PROMPT_DELAY);
		return true;
	case ACTION_NEXT_VIEW:
		step_view(s, 1);
		return true;
	case ACTION_PREVIOUS_VIEW:
		step_view(s, -1);
		return true;
	default:
		return act_on_looks(s, a) || screen_act_on_sampler(s, a);
	}
}

static void key_on_popup(struct screen *s, int key)
{
	enum action a;

	if (!s->popup->key || !s->popup->key(s->popup_state, &s->sh, key)) {
		a = keys_action(key, s->popup->place);
		if (!s->popup->act(s->popup_state, &s->sh, a) && !open_popup(s, a))
			act_common(s, a);
	}
	if (s->sh.close_popup)
		close_popup(s);
	if (!s->popup && s->sh.command_fd < 0)
		open_popup(s, ACTION_PICK);
}

/* A key that is bound and means nothing in this view says so. */
static void say_nothing_happens(struct screen *s, int key)
{
	char label[16], text[80];

	snprintf(text, sizeof(text), "%s does nothing in %.40s", key_label(key, label),
		 screen_top(s)->name);
	notes_show(&s->sh.notes, s->sh.now_ns, false, text);
}

/* The digits of py-spy: own, total, and both again in seconds. */
static bool sort_by_digit(struct screen *s, int key)
{
	const struct over *o = &s->stack[s->depth];

	if (!s->sh.settings.digits_sort || key > '4')
		return false;
	return o->view->act(o->state, &s->sh,
			    (key - '0') % 2 ? ACTION_SORT_SELF : ACTION_SORT_TOTAL);
}

static void key_on_view(struct screen *s, int key)
{
	const struct over *o = &s->stack[s->depth];
	enum action a = keys_action(key, IN_VIEW);

	if (o->view->key && o->view->key(o->state, &s->sh, key))
		return;
	if (a == ACTION_VIEW && !sort_by_digit(s, key))
		show_view(s, key - '0');
	else if (a == ACTION_VIEW)
		return;
	else if (!act_on_time(s, a) && !open_popup(s, a) &&
		 !o->view->act(o->state, &s->sh, a) && !act_common(s, a) && a)
		say_nothing_happens(s, key);
}

void screen_key(struct screen *s, int key)
{
	enum action a;

	notes_read(&s->sh.notes);
	a = keys_action(key, IN_VIEW);
	if (a == ACTION_QUIT || a == ACTION_SUSPEND || a == ACTION_REDRAW)
		act_common(s, a); /* even while text is typed */
	else if (s->prompt)
		screen_prompt_key(s, key);
	else if (s->popup)
		key_on_popup(s, key);
	else
		key_on_view(s, key);
	do_asked(s);
}

/* The second click on a row that the first one selected. */
static bool is_double(struct screen *s, int y)
{
	uint64_t before_ns = s->clicked_ns, now_ns = s->sh.now_ns;
	bool again = before_ns && now_ns - before_ns < DOUBLE_CLICK_NS &&
		     y == s->clicked_y && y == s->cursor_y;

	s->clicked_ns = again ? 0 : now_ns;
	s->clicked_y = y;
	return again;
}

static void click(struct screen *s, int x, int y)
{
	const struct over *o = &s->stack[s->depth];
	const struct view *v = s->popup ? s->popup : o->view;
	int key;

	if (is_double(s, y)) {
		screen_key(s, K_ENTER);
	} else if (y == s->tabs_y) {
		key = bar_hit(&s->tabs, x);
		if (key != K_NONE)
			show_view(s, key - '0');
	} else if (y == s->bar_y) {
		key = bar_hit(&s->bar, x);
		if (key != K_NONE)
			screen_key(s, key);
	} else if (v->click) {
		v->click(s->popup ? s->popup_state : o->state, &s->sh, x, y);
	}
}

void screen_mouse(struct screen *s, int x, int y, enum mouse_button button)
{
	const struct over *o = &s->stack[s->depth];
	const struct view *v = s->popup ? s->popup : o->view;
	void *state = s->popup ? s->popup_state : o->state;
	int i;

	notes_read(&s->sh.notes);
	if (button == MOUSE_LEFT) {
		click(s, x, y);
	} else {
		for (i = 0; i < WHEEL_ROWS; i++)
			v->act(state, &s->sh,
			       button == MOUSE_WHEEL_UP ? ACTION_UP : ACTION_DOWN);
	}
	do_asked(s);
}

uint64_t screen_deadline(const struct screen *s)
{
	const struct notes *n = &s->sh.notes;

	uint64_t at = n->shown[0] && !n->shown_warning ? n->shown_until : UINT64_MAX;
	uint64_t due =
	    s->popup && s->popup->due ? s->popup->due(s->popup_state) : UINT64_MAX;

	return due < at ? due : at;
}
