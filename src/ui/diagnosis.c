/* The page behind the line under the header: every finding, how sure it is, and the figures it
 * rests on. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "ui/page.h"
#include "ui/view.h"

static void *diagnosis_open(struct shared *sh)
{
	(void)sh;
	return xcalloc(1, sizeof(struct scroll));
}

static void build(struct page *p, const struct shared *sh, const struct canvas *c,
		  int width)
{
	const struct snapshot_diagnosis *d = sh->shown ? &sh->shown->diagnosis : NULL;
	char sure[40];
	size_t i;

	p->indent = width >= 60 ? 14 : 4;
	page_add(p, c, width, ROLE_STRONG, "DIAGNOSIS",
		 d && d->n ? "weightiest first; of the last 10 to 20 seconds"
			   : "nothing that is sure enough to be said");
	for (i = 0; d && i < d->n; i++) {
		const struct snapshot_finding *f = &d->findings[i];

		page_add(p, c, width, ROLE_TEXT, "", "");
		page_add(p, c, width, ROLE_STRONG, f->rule, f->text);
		page_add(p, c, width, ROLE_TEXT, "  because", f->evidence);
		snprintf(sure, sizeof(sure), "%.0f%%", 100 * f->confidence);
		page_add(p, c, width, ROLE_TEXT, "  sure", sure);
	}
}

static void diagnosis_draw(void *state, const struct shared *sh, struct canvas *c,
			   struct box b)
{
	struct scroll *s = state;
	struct page p = { 0 };
	int i;

	build(&p, sh, c, b.width);
	s->total = (int)p.lines.n;
	s->page = b.height;
	scroll_clamp(s);
	for (i = 0; i < b.height; i++)
		page_draw(&p, s->top + i, c, b.x, b.y + i, b.width);
	page_done(&p);
}

static bool diagnosis_act(void *state, struct shared *sh, enum action action)
{
	if (action == ACTION_DIAGNOSIS) {
		sh->close_popup = true;
		return true;
	}
	return scroll_act(state, action);
}

const struct view diagnosis_view = {
	.name = "Diagnosis",
	.place = IN_POPUP,
	.open = diagnosis_open,
	.close = free,
	.draw = diagnosis_draw,
	.act = diagnosis_act,
};
