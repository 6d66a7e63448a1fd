/* The message line's standing hints and the key bar. Both are derived: hints from the
 * picture, the bar from the key table, so neither can promise what is not there. */
#include <stdio.h>
#include <string.h>

#include "base/ended.h"
#include "ui/chrome.h"
#include "ui/figures.h"

static const char *ended(const struct snapshot *s, char *buf, size_t size)
{
	char how[64];

	snprintf(buf, size, "process %s; last picture, w saves it",
		 s->end_note ? s->end_note
			     : ended_text(s->exit_status, how, sizeof(how)));
	return buf;
}

const char *hint_text(const struct shared *sh, char *buf, size_t size, bool *warning)
{
	const struct snapshot *s = sh->newest;

	*warning = true;
	buf[0] = '\0';
	if (!s)
		return buf;
	if (s->exited)
		return ended(s, buf, size);
	if (s->stopped)
		snprintf(buf, size,
			 "stopped (SIGSTOP): nothing runs until it is continued");
	else if (s->lost_pct > 1)
		snprintf(buf, size, "%.1f%% of samples lost: lower --rate (! tells more)",
			 s->lost_pct);
	else if (s->samples_due > 0 && s->effective_pct < 90)
		snprintf(buf, size, "%.0f%% of the asked samples are taken: lower --rate",
			 s->effective_pct);
	if (buf[0])
		return buf;
	*warning = false;
	if (s->mode == MODE_CPU && s->target_cpu_pct < 5)
		snprintf(buf, size, "little CPU used: e shows wall time");
	else if (s->limits[0])
		snprintf(buf, size, "%s", s->limits);
	return buf;
}

/* The key that quits closes a pop-up. */
static const char *word(const struct key_row *r, enum key_place place)
{
	if (r->action == ACTION_BACK)
		return "Back";
	return r->action == ACTION_CLOSE && place != IN_VIEW ? "Close" : r->bar;
}

static int button_cells(const struct key_row *r, enum key_place place, struct canvas *c)
{
	char label[16];

	return canvas_cells(c, key_label(r->keys[0], label), 16) +
	       (int)strlen(word(r, place));
}

/* Lower ranks stay longer; 0: it has no button. Esc has one where there is a way back. */
static int rank_of(const struct key_row *r, enum key_place place, bool back)
{
	if (r->action == ACTION_BACK)
		return back ? 1 : 0;
	if (r->action == ACTION_NEXT_VIEW && back)
		return 0; /* its place is Esc's */
	return r->bar && (r->places & place) ? r->bar_rank : 0;
}

/* The highest rank whose buttons all fit; lower ranks go first. */
static int fitting_rank(enum key_place place, bool back, struct canvas *c, int gap)
{
	const struct key_row *r;
	int rank, fits = 0, sum;
	size_t i;

	for (rank = 1; rank <= BAR_BUTTONS_MAX; rank++) {
		sum = -gap;
		for (i = 0; (r = keys_row(i)); i++)
			if (rank_of(r, place, back) && rank_of(r, place, back) <= rank)
				sum += button_cells(r, place, c) + gap;
		if (sum > c->width)
			break;
		fits = rank;
	}
	return fits ? fits : 1;
}

void bar_draw(struct bar *bar, enum key_place place, bool back, struct canvas *c, int y)
{
	int gap = 1, rank = fitting_rank(place, back, c, gap), x = 0, key, from;
	const struct key_row *r;
	char label[16];
	size_t i;

	bar->n = 0;
	for (i = 0; (r = keys_row(i)) && bar->n < BAR_BUTTONS_MAX; i++) {
		if (!rank_of(r, place, back) || rank_of(r, place, back) > rank)
			continue;
		key = r->keys[0];
		from = x;
		x +=
		    canvas_put(c, x, y, c->width - x, ROLE_STRONG, key_label(key, label));
		x += canvas_put(c, x, y, c->width - x, ROLE_BUTTON, word(r, place));
		bar->buttons[bar->n].x = from;
		bar->buttons[bar->n].width = x - from;
		bar->buttons[bar->n++].key = key;
		x += gap;
	}
}

int bar_hit(const struct bar *bar, int x)
{
	int i;

	for (i = 0; i < bar->n; i++)
		if (x >= bar->buttons[i].x &&
		    x < bar->buttons[i].x + bar->buttons[i].width)
			return bar->buttons[i].key;
	return K_NONE;
}
