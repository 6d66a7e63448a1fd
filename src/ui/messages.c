/* The `!` page: what was lost and why, what looking costs, and every message of the
 * engine and of the screen itself, newest first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ui/figures.h"
#include "ui/page.h"
#include "ui/view.h"

#define NEWEST 4 /* messages before the figures, the others after */

struct messages {
	struct scroll scroll;
};

static void *messages_open(struct shared *sh)
{
	(void)sh;
	return xcalloc(1, sizeof(struct messages));
}

static void messages_close(void *state)
{
	free(state);
}

static void add_losses(struct page *p, const struct canvas *c, int width,
		       const struct snapshot *s)
{
	char label[64], text[320];
	int i;

	snprintf(text, sizeof(text), "%.2f%% of samples lost now; %s broken stacks",
		 s->lost_pct, fig_count(s->broken).s);
	page_add(p, c, width, ROLE_STRONG, "LOST OR CUT", text);
	for (i = 0; i < LOSS_COUNT; i++) {
		snprintf(label, sizeof(label), " %-15s %9s", loss_name((enum loss)i),
			 fig_count(s->lost[i]).s);
		page_add(p, c, width, s->lost[i] ? ROLE_TEXT : ROLE_DIM, label,
			 loss_help((enum loss)i));
	}
}

static void add_costs(struct page *p, const struct canvas *c, int width,
		      const struct snapshot *s)
{
	char text[512];

	page_add(p, c, width, ROLE_STRONG, "COST", "");
	snprintf(text, sizeof(text), "%.2f%% of one core, %s of memory", s->own_cpu_pct,
		 fig_bytes(s->own_rss_bytes).s);
	page_add(p, c, width, ROLE_TEXT, " ptop itself", text);
	snprintf(text, sizeof(text), "slowed by about %.2f%% (estimate)", s->taken_pct);
	page_add(p, c, width, ROLE_TEXT, " the target", text);
	snprintf(text, sizeof(text),
		 "%s asked, %.1f%% of it reached: %llu samples taken of %llu due",
		 fig_hz(s->rate_hz).s, s->effective_pct,
		 (unsigned long long)s->samples_ever, (unsigned long long)s->samples_due);
	page_add(p, c, width, ROLE_TEXT, " rate", text);
	page_add(p, c, width, ROLE_TEXT, " source", s->backend);
	if (s->limits[0])
		page_add(p, c, width, ROLE_WARN, " limits", s->limits);
}

static void add_message(struct page *p, const struct canvas *c, int width,
			uint64_t wall_ns, bool warning, const char *text)
{
	char label[48];

	snprintf(label, sizeof(label), " %s %s", fig_clock(wall_ns).s,
		 warning ? "warning" : "");
	page_add(p, c, width, warning ? ROLE_WARN : ROLE_TEXT, label, text);
}

/* Two logs, both oldest first, walked from the newest. */
struct walk {
	const struct shared *sh;
	size_t theirs, ours;
};

static bool add_next(struct walk *w, struct page *p, const struct canvas *c, int width)
{
	const struct snapshot *s = w->sh->newest;
	const struct snapshot_message *m = w->theirs ? &s->messages[w->theirs - 1] : NULL;
	const struct note *n = w->ours ? &w->sh->notes.log.v[w->ours - 1] : NULL;

	if (m && (!n || m->wall_ns >= n->wall_ns)) {
		add_message(p, c, width, m->wall_ns, m->warning, m->text);
		w->theirs--;
	} else if (n) {
		add_message(p, c, width, n->wall_ns, n->warning, n->text);
		w->ours--;
	}
	return m || n;
}

/* A page of lines with one indent each; drawn one below the other. */
enum part { PART_NEWEST, PART_FIGURES, PART_OLDER, PARTS };

static void build(struct page parts[PARTS], const struct shared *sh,
		  const struct canvas *c, int width)
{
	struct walk w = { sh, sh->newest ? sh->newest->n_messages : 0, sh->notes.log.n };
	bool wide = width >= 60;
	int i;

	parts[PART_NEWEST].indent = parts[PART_OLDER].indent = wide ? 18 : 4;
	parts[PART_FIGURES].indent = wide ? 28 : 4;
	page_add(&parts[PART_NEWEST], c, width, ROLE_STRONG, "MESSAGES",
		 w.theirs + w.ours ? "newest first" : "none so far");
	for (i = 0; i < NEWEST && add_next(&w, &parts[PART_NEWEST], c, width); i++)
		;
	if (sh->newest) {
		add_losses(&parts[PART_FIGURES], c, width, sh->newest);
		add_costs(&parts[PART_FIGURES], c, width, sh->newest);
	}
	if (w.theirs + w.ours)
		page_add(&parts[PART_OLDER], c, width, ROLE_STRONG, "OLDER MESSAGES", "");
	while (add_next(&w, &parts[PART_OLDER], c, width))
		;
}

static void messages_draw(void *state, const struct shared *sh, struct canvas *c,
			  struct box b)
{
	struct scroll *s = &((struct messages *)state)->scroll;
	struct page parts[PARTS] = { 0 };
	int i, part, line;

	build(parts, sh, c, b.width);
	s->total = 0;
	for (part = 0; part < PARTS; part++)
		s->total += (int)parts[part].lines.n;
	s->page = b.height;
	scroll_clamp(s);
	for (i = 0; i < b.height; i++)
		for (part = 0, line = s->top + i; part < PARTS; part++) {
			page_draw(&parts[part], line, c, b.x, b.y + i, b.width);
			line -= (int)parts[part].lines.n;
		}
	for (part = 0; part < PARTS; part++)
		page_done(&parts[part]);
}

static bool messages_act(void *state, struct shared *sh, enum action action)
{
	if (action == ACTION_MESSAGES) {
		sh->close_popup = true;
		return true;
	}
	return scroll_act(&((struct messages *)state)->scroll, action);
}

static void messages_status(void *state, const struct shared *sh, char *buf, size_t size)
{
	const struct scroll *s = &((struct messages *)state)->scroll;

	(void)sh;
	if (s->total > s->page)
		snprintf(buf, size, "%d-%d of %d lines", s->top + 1, s->top + s->page,
			 s->total);
}

const struct view messages_view = {
	.name = "Messages",
	.place = IN_POPUP,
	.open = messages_open,
	.close = messages_close,
	.draw = messages_draw,
	.act = messages_act,
	.status = messages_status,
};
