/* Lines about the selected frame: which it is, its figures and those of the search, and on
 * a tall screen how one comes there and what it calls. */
#include "ui/flame_details.h"

#include <stdio.h>
#include <string.h>

#include "ui/figures.h"

#define TALL 24
#define NAMED_MOST 12u /* of callers, of callees */

int flame_details_lines(int height)
{
	return height >= TALL ? 4 : height >= 8 ? 2 : height >= 4 ? 1 : 0;
}

const struct snapshot_function *flame_function(const struct snapshot *s, uint32_t node)
{
	return &s->functions[s->nodes[node].function];
}

const char *flame_name(const struct snapshot *s, uint32_t node)
{
	return node ? flame_function(s, node)->name : "all";
}

static double part(uint64_t ns, uint64_t of)
{
	return of ? 100.0 * (double)ns / (double)of : 0;
}

static void line_frame(const struct snapshot *s, uint32_t node, struct canvas *c,
		       struct box b)
{
	char line[700], place[300] = "";

	if (node && flame_function(s, node)->file[0])
		snprintf(place, sizeof(place), "  %.250s:%d",
			 flame_function(s, node)->file, flame_function(s, node)->line);
	else if (node)
		snprintf(place, sizeof(place), "  %.250s",
			 flame_function(s, node)->module);
	snprintf(line, sizeof(line), "%.300s%s", flame_name(s, node), place);
	canvas_cut(c, b.x, b.y, b.width, ROLE_STRONG, line, 0);
}

static void line_figures(const struct flame_facts *f, const struct shared *sh,
			 struct canvas *c, struct box b)
{
	const struct snapshot *s = sh->shown;
	const struct snapshot_node *n = &s->nodes[f->selected];
	uint64_t zoomed = s->nodes[f->zoom].total_ns;
	char line[400];
	size_t at = 0;

#define ADD(...) at += (size_t)snprintf(line + at, sizeof(line) - at, __VA_ARGS__)
	ADD("%.20s  %.12s%% of all", fig_time(n->total_ns).s,
	    fig_pct(snapshot_pct(s, n->total_ns), shared_few(s)).s);
	if (f->zoom && zoomed)
		ADD("  %.1f%% of zoom", part(n->total_ns, zoomed));
	ADD("  self %.20s", fig_time(n->self_ns).s);
	if (sh->filter.text[0])
		ADD("   %zu match, %.1f%%", f->matches, snapshot_pct(s, f->matched_ns));
	if (f->narrow)
		ADD("   %zu too narrow (.), %.1f%%", f->narrow,
		    snapshot_pct(s, f->narrow_ns));
	if (b.width >= 60)
		ADD("   a column is %.2f%%", snapshot_pct(s, zoomed) / (double)b.width);
#undef ADD
	canvas_cut(c, b.x, b.y, b.width, ROLE_TEXT, line, 0);
}

/* The nearest ones, outermost first. */
static void line_path(const struct snapshot *s, uint32_t node, struct canvas *c,
		      struct box b)
{
	uint32_t path[NAMED_MOST], n = 0;
	int x = canvas_put(c, b.x, b.y, b.width, ROLE_DIM, "called by  ");

	for (; node && s->nodes[node].parent && n < NAMED_MOST; n++)
		path[n] = node = s->nodes[node].parent;
	if (n == 0)
		canvas_put(c, b.x + x, b.y, b.width - x, ROLE_DIM,
			   "nobody: where all begins");
	if (node && s->nodes[node].parent)
		x += canvas_put(c, b.x + x, b.y, b.width - x, ROLE_DIM, ".. > ");
	while (n--) {
		x += canvas_fmt(c, b.x + x, b.y, b.width - x, ROLE_TEXT, "%.80s",
				flame_name(s, path[n]));
		if (n)
			x += canvas_put(c, b.x + x, b.y, b.width - x, ROLE_DIM, " > ");
	}
}

/* Heaviest first; per cent of the frame, its own time among them. */
static void line_callees(const struct flame_facts *f, const struct snapshot *s,
			 struct canvas *c, struct box b)
{
	const struct snapshot_node *n = &s->nodes[f->selected];
	uint32_t i = f->children->first[f->selected], end;
	int x = canvas_put(c, b.x, b.y, b.width, ROLE_DIM, "calls      ");

	end = f->children->first[f->selected + 1];
	end = end - i > NAMED_MOST ? i + NAMED_MOST : end;
	if (n->self_ns)
		x += canvas_fmt(c, b.x + x, b.y, b.width - x, ROLE_DIM,
				"[self] %.1f%%   ", part(n->self_ns, n->total_ns));
	for (; i < end; i++) {
		uint32_t child = f->children->list[i];

		x += canvas_fmt(c, b.x + x, b.y, b.width - x, ROLE_TEXT,
				"%.80s %.1f%%   ", flame_name(s, child),
				part(s->nodes[child].total_ns, n->total_ns));
	}
}

void flame_details(const struct flame_facts *f, const struct shared *sh, struct canvas *c,
		   struct box b)
{
	struct box row = { b.x, b.y, b.width, 1 };

	line_frame(sh->shown, f->selected, c, row);
	row.y++;
	if (b.height >= 2)
		line_figures(f, sh, c, row);
	row.y++;
	if (b.height < 4)
		return;
	line_path(sh->shown, f->selected, c, row);
	row.y++;
	line_callees(f, sh->shown, c, row);
}
