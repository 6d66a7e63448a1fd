/* How long things take: a row for each thing that is timed, and below it the selected one's
 * durations as bars and the slow calls. A figure that is not known is a dash, one that is only
 * known to be below something says so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ui/figures.h"
#include "ui/graph.h"
#include "ui/latency_bars.h"
#include "ui/list.h"
#include "ui/view.h"

#define FIGURE_CELLS 8
#define PANEL_BARS 5

struct latency_view {
	size_t *rows; /* indices into snapshot.latency.rows */
	size_t n;
	uint64_t selected_id;
	struct list list;
	struct box box;
};

static void *latency_open(struct shared *sh)
{
	(void)sh;
	return xcalloc(1, sizeof(struct latency_view));
}

static void latency_close(void *state)
{
	struct latency_view *v = state;

	free(v->rows);
	free(v);
}

static void latency_update(void *state, const struct shared *sh)
{
	struct latency_view *v = state;
	const struct snapshot_latency *l = &sh->shown->latency;
	size_t i;

	free(v->rows);
	v->rows = xcalloc(l->n_rows + 1, sizeof(*v->rows));
	v->n = 0;
	for (i = 0; i < l->n_rows; i++)
		if (filter_text(&sh->filter, l->rows[i].name))
			v->rows[v->n++] = i;
	for (i = 0; i < v->n && v->selected_id; i++)
		if (l->rows[v->rows[i]].id == v->selected_id)
			v->list.selected = i;
}

/* ---- Words ----------------------------------------------------------------------------- */

/* Without a fraction: the end of a step of bars, a little rounded. */
static struct fig round_duration(uint64_t ns)
{
	struct fig f;

	if (ns >= 1000000000ull)
		snprintf(f.s, sizeof(f.s), "%.0fs", (double)ns / 1e9);
	else if (ns >= 1000000)
		snprintf(f.s, sizeof(f.s), "%.0fms", (double)ns / 1e6);
	else
		snprintf(f.s, sizeof(f.s), "%.0fus", (double)ns / 1e3);
	return f;
}

static struct fig figure_text(const struct latency_figure *f)
{
	struct fig out = { "-" };

	if (f->known == LATENCY_KNOWN)
		return fig_duration(f->ns);
	if (f->known == LATENCY_BELOW)
		snprintf(out.s, sizeof(out.s), "<%.20s", fig_duration(f->ns).s);
	return out;
}

/* ---- The table ------------------------------------------------------------------------- */

struct shape {
	int name, count, rate, figures, trend, source; /* widths; 0: not shown */
	int n_figures;
};

static struct shape shape_of(int width)
{
	struct shape s = { .n_figures = 2 };

	if (width >= 60) {
		s.n_figures = LATENCY_FIGURES;
		s.count = 9;
	}
	s.rate = width >= 76 ? 7 : 0;
	s.trend = width >= 76 ? LATENCY_TREND_CELLS + 1 : 0;
	s.source = width >= 110 ? 22 : 0;
	s.figures = s.n_figures * FIGURE_CELLS;
	s.name = width - 1 - s.count - s.rate - s.figures - s.trend - s.source;
	return s;
}

static void draw_title(const struct shape *s, struct canvas *c, struct box b)
{
	static const char *const titles[LATENCY_FIGURES] = { "P50", "P95", "P99", "MAX" };
	int x = b.x + 1, i;

	canvas_fill(c, b.x, b.y, b.width, ROLE_HEADING, ' ');
	canvas_put(c, x, b.y, s->name, ROLE_HEADING, "WHAT");
	x += s->name;
	canvas_right(c, x, b.y, s->count, ROLE_HEADING, "COUNT");
	x += s->count;
	canvas_right(c, x, b.y, s->rate, ROLE_HEADING, "/s");
	x += s->rate;
	for (i = 0; i < s->n_figures; i++, x += FIGURE_CELLS)
		canvas_right(c, x, b.y, FIGURE_CELLS, ROLE_HEADING, titles[i]);
	canvas_put(c, x + 1, b.y, s->trend, ROLE_HEADING, "TREND P95");
	canvas_put(c, x + s->trend + 1, b.y, s->source, ROLE_HEADING, "HOW");
}

static void draw_trend(const struct snapshot_latency_row *r, struct canvas *c, int x,
		       int y)
{
	static const char ascii[] = " .:-=+*#%@";
	uint64_t most = 1;
	int i;

	for (i = 0; i < LATENCY_TREND_CELLS; i++)
		most = r->trend_ns[i] > most ? r->trend_ns[i] : most;
	for (i = 0; i < LATENCY_TREND_CELLS; i++) {
		int level = r->trend_ns[i] ? 1 + (int)(r->trend_ns[i] * 7 / most) : 0;
		uint32_t ch = level == 0 ? ' '
			      : c->ascii ? (uint32_t)ascii[level]
					 : 0x2580u + (uint32_t)level;

		canvas_fill(c, x + i, y, 1, r->level ? ROLE_WARN : ROLE_TEXT, ch);
	}
}

static enum role level_role(int level)
{
	return level == 2 ? ROLE_HOT : level == 1 ? ROLE_WARN : ROLE_TEXT;
}

static void draw_row(const struct shape *s, const struct snapshot_latency_row *r,
		     struct canvas *c, struct box b, int y)
{
	char how[80], rate[24];
	int x = b.x + 1, i;

	canvas_cut(c, x, y, s->name - 1, r->pinned ? ROLE_STRONG : ROLE_TEXT, r->name, 0);
	x += s->name;
	canvas_right(c, x, y, s->count, ROLE_TEXT, fig_count(r->count).s);
	x += s->count;
	snprintf(rate, sizeof(rate), "%.*f", r->per_second < 10 ? 1 : 0, r->per_second);
	canvas_right(c, x, y, s->rate, ROLE_TEXT, rate);
	x += s->rate;
	for (i = 0; i < s->n_figures; i++, x += FIGURE_CELLS)
		canvas_right(c, x, y, FIGURE_CELLS,
			     i == LATENCY_P95 ? level_role(r->level) : ROLE_TEXT,
			     figure_text(&r->figure[i]).s);
	if (r->level)
		canvas_put(c, x, y, 1, level_role(r->level), r->level == 2 ? "!" : "*");
	if (s->trend)
		draw_trend(r, c, x + 1, y);
	snprintf(how, sizeof(how), "%.20s %.50s", latency_source_name(r->source),
		 r->source == LATENCY_VISITS ? "sampled" : r->exactness);
	canvas_cut(c, x + s->trend + 1, y, s->source, ROLE_DIM, how, 0);
}

/* ---- The selected one --------------------------------------------------------------------- */

static int draw_selected(const struct snapshot_latency_row *r, struct canvas *c,
			 struct box b)
{
	int y = b.y;

	if (b.height < 3)
		return 0;
	canvas_fmt(c, b.x + 1, y++, b.width - 1, ROLE_STRONG, "%s: %s, %s", r->name,
		   latency_source_name(r->source), r->exactness);
	if (r->note[0])
		canvas_cut(c, b.x + 1, y++, b.width - 1, ROLE_WARN, r->note, 0);
	if (r->base_p95.known == LATENCY_KNOWN)
		canvas_fmt(c, b.x + 1, y++, b.width - 1, level_role(r->level),
			   "baseline p50 %s p95 %s", fig_duration(r->base_p50.ns).s,
			   fig_duration(r->base_p95.ns).s);
	y += latency_bars_draw(r, c, (struct box){ b.x, y, b.width, b.y + b.height - y });
	return y - b.y;
}

static void draw_slow(const struct snapshot_latency *l, struct canvas *c, struct box b)
{
	size_t i;
	int y = b.y;

	if (b.height < 2 || !l->slow_ns) /* no limit: of a recording */
		return;
	canvas_fmt(c, b.x + 1, y++, b.width - 1, ROLE_STRONG, "slower than %s: %llu%s",
		   fig_duration(l->slow_ns).s, (unsigned long long)l->slow_count,
		   l->n_slow ? "   (time, took, what, where most of it went)" : "");
	for (i = 0; i < l->n_slow && y < b.y + b.height; i++, y++) {
		const struct snapshot_slow *s = &l->slow[i];
		const char *leaf = s->stack;
		size_t n = strlen(leaf), keep = b.width > 60 ? (size_t)b.width - 44 : 16;
		int x;

		leaf += n > keep ? n - keep : 0;
		x = canvas_fmt(c, b.x + 1, y, b.width - 1, ROLE_TEXT, "%s %8s %-20.20s ",
			       fig_clock(s->wall_ns).s, fig_duration(s->took_ns).s,
			       s->name);
		canvas_cut(c, b.x + 1 + x, y, b.width - 1 - x, ROLE_DIM, leaf, 0);
	}
}

static void draw_empty(const struct shared *sh, struct canvas *c, struct box b)
{
	const char *limits = sh->shown->latency.limits;

	canvas_put(c, b.x + 1, b.y, b.width - 1, ROLE_TEXT,
		   sh->filter.text[0] ? "nothing matches the filter"
				      : "nothing was timed in this window");
	if (limits && b.height > 1)
		canvas_cut(c, b.x + 1, b.y + 1, b.width - 1, ROLE_WARN, limits, 0);
}

static void latency_draw(void *state, const struct shared *sh, struct canvas *c,
			 struct box b)
{
	struct latency_view *v = state;
	const struct snapshot_latency *l = &sh->shown->latency;
	struct shape shape = shape_of(b.width);
	int rows = b.height - 1, i, y, slow_lines = l->n_slow && b.height >= 16 ? 5 : 0;

	v->box = b;
	draw_title(&shape, c, b);
	if (v->n == 0 || l->n_rows == 0) {
		draw_empty(sh, c, (struct box){ b.x, b.y + 1, b.width, b.height - 1 });
		return;
	}
	if (b.height >= 12 && (int)v->n > b.height / 2)
		rows = b.height / 2;
	list_lay(&v->list, v->n, (struct box){ b.x, b.y + 1, b.width, rows });
	for (i = 0; i < rows && v->list.top + (size_t)i < v->n; i++) {
		size_t row = v->list.top + (size_t)i;

		if (v->rows[row] >= l->n_rows)
			continue;
		draw_row(&shape, &l->rows[v->rows[row]], c, b, b.y + 1 + i);
		if (row == v->list.selected)
			list_mark(&v->list, c, b.y + 1 + i, b.width);
	}
	y = b.y + 2 + i;
	if (v->rows[v->list.selected] < l->n_rows)
		y += draw_selected(
		    &l->rows[v->rows[v->list.selected]], c,
		    (struct box){ b.x, y, b.width, b.y + b.height - y - slow_lines });
	draw_slow(l, c, (struct box){ b.x, y + 1, b.width, b.y + b.height - y - 1 });
}

/* The first row that has figures; NULL. */
static const struct snapshot_latency_row *first_known(const struct snapshot_latency *l)
{
	size_t i;

	for (i = 0; i < l->n_rows; i++)
		if (l->rows[i].figure[LATENCY_P50].known == LATENCY_KNOWN &&
		    l->rows[i].source <= LATENCY_LOOP)
			return &l->rows[i];
	return NULL;
}

/* In steps of four, the lowest together: at most PANEL_BARS lines. Returns how many. */
static int panel_bars(const struct snapshot_latency_row *r, struct canvas *c,
		      struct box b)
{
	uint32_t sum[LATENCY_BARS / 2] = { 0 }, most = 1;
	int first = LATENCY_BARS / 2, last = -1, i, y = b.y;
	int label = 9, count = 8, cells = b.width - label - count - 2;

	for (i = 0; i < LATENCY_BARS; i++)
		sum[i / 2] += r->bars[i];
	for (i = 0; i < LATENCY_BARS / 2; i++)
		if (sum[i]) {
			first = first < i ? first : i;
			last = i;
		}
	if (last < 0 || b.height < 1 || cells < 1)
		return 0;
	for (; last - first >= (b.height < PANEL_BARS ? b.height : PANEL_BARS); first++)
		sum[first + 1] += sum[first];
	for (i = first; i <= last; i++)
		most = sum[i] > most ? sum[i] : most;
	for (i = first; i <= last; i++, y++) {
		int part = (int)((uint64_t)sum[i] * (uint64_t)cells / most);

		canvas_put(c, b.x + 1, y, 1, ROLE_DIM, "<");
		canvas_right(c, b.x + 2, y, label - 3, ROLE_DIM,
			     round_duration(1000ull << (2 * i + 2)).s);
		part = sum[i] && !part ? 1 : part;
		canvas_fill(c, b.x + label, y, part, ROLE_COOL, c->ascii ? '#' : 0x2588);
		canvas_right(c, b.x + b.width - count, y, count, ROLE_TEXT,
			     fig_count(sum[i]).s);
	}
	return y - b.y;
}

/* Beside other views. */
static int latency_panel(void *state, const struct shared *sh, struct canvas *c,
			 struct box b)
{
	const struct snapshot_latency *l = &sh->shown->latency;
	const struct snapshot_latency_row *r = first_known(l);

	(void)state;
	if (!r || b.height < 3)
		return 0;
	canvas_put(c, b.x, b.y, b.width, ROLE_HEADING, "LATENCY");
	canvas_cut(c, b.x + 8, b.y, b.width - 8, ROLE_STRONG, r->name, 0);
	canvas_fmt(c, b.x + 1, b.y + 1, b.width - 1, level_role(r->level),
		   "p50 %s p95 %s p99 %s", figure_text(&r->figure[LATENCY_P50]).s,
		   figure_text(&r->figure[LATENCY_P95]).s,
		   figure_text(&r->figure[LATENCY_P99]).s);
	canvas_fmt(c, b.x + 1, b.y + 2, b.width - 1, ROLE_TEXT, "%.1f/s, slow %llu",
		   r->per_second, (unsigned long long)l->slow_count);
	/* The threads below it need a few lines. */
	return 3 +
	       panel_bars(r, c, (struct box){ b.x, b.y + 3, b.width, b.height - 3 - 8 });
}

static const struct snapshot_latency_row *selected(const struct latency_view *v,
						   const struct shared *sh)
{
	const struct snapshot_latency *l = &sh->shown->latency;

	if (!sh->shown || v->list.selected >= v->n ||
	    v->rows[v->list.selected] >= l->n_rows)
		return NULL;
	return &l->rows[v->rows[v->list.selected]];
}

/* The function of the selected row, or, in another row, the one that was selected in another
 * view: timed exactly; an exact row no longer. */
static void ask_exact(struct latency_view *v, struct shared *sh, bool on)
{
	const struct snapshot_latency_row *r = selected(v, sh);
	struct command c = { .kind = COMMAND_TIME, .value = on };
	const char *name = r && r->source == LATENCY_VISITS ? r->name : NULL;
	size_t i;

	if (!on) {
		if (!r || (r->source != LATENCY_WATCH && r->source != LATENCY_PROBE)) {
			notes_show(&sh->notes, sh->now_ns, false, "- drops an exact row");
			return;
		}
		c.window_ns = r->id;
		shared_send(sh, &c);
		return;
	}
	for (i = 0; i < sh->shown->n_functions && !name && sh->function; i++)
		if (sh->shown->functions[i].function == sh->function) {
			const struct snapshot_function *f = &sh->shown->functions[i];

			name = f->name;
			if (f->kind == CODE_LIBRARY || f->kind == CODE_APP)
				snprintf(c.text, sizeof(c.text), "%s:%s", f->module,
					 f->name);
		}
	if (!name) {
		notes_show(
		    &sh->notes, sh->now_ns, false,
		    "+ times the selected function, or the one selected in Functions");
		return;
	}
	if (!c.text[0])
		snprintf(c.text, sizeof(c.text), "%s", name);
	notes_show(&sh->notes, sh->now_ns, false, "timing it exactly ...");
	shared_send(sh, &c);
}

static uint64_t longest_tenth(const struct snapshot_latency_row *r)
{
	uint64_t most = 0;
	int i;

	for (i = 0; i < LATENCY_TREND_CELLS; i++)
		most = r->trend_ns[i] > most ? r->trend_ns[i] : most;
	return most;
}

static void strip_bars(const struct snapshot_latency_row *r, const struct graph_axis *a,
		       struct canvas *c, struct box b)
{
	uint64_t most = longest_tenth(r);
	int i;

	for (i = 0; i < b.height; i++)
		graph_label(c, b.x, b.y + i,
			    i % 2 ? ""
				  : fig_duration(most / (uint64_t)b.height *
						 (uint64_t)(b.height - i))
					.s);
	for (i = 0; i < a->width; i++)
		graph_bar(c, b, a->x + i,
			  (double)r->trend_ns[i * LATENCY_TREND_CELLS / a->width] /
			      (double)most,
			  r->level ? ROLE_WARN : ROLE_COOL);
}

/* On the page of trends: the selected row, or the first that has figures. */
static int latency_strip(void *state, const struct shared *sh, struct canvas *c,
			 struct box b)
{
	const struct latency_view *v = state;
	const struct snapshot_latency_row *r = selected(v, sh);
	struct graph_axis a = graph_axis_of(sh->shown, b.x, b.width);
	int column = graph_axis_column(&a, sh->cursor_ns), x = b.x + 1;
	bool drawn;
	uint64_t at;

	if (!r || !v->selected_id)
		r = first_known(&sh->shown->latency) ? first_known(&sh->shown->latency)
						     : r;
	drawn = r && a.width > 0 && longest_tenth(r);
	if (!c)
		return drawn ? b.height : 1;
	canvas_fill(c, b.x, b.y, b.width, ROLE_HEADING, ' ');
	if (!drawn) {
		canvas_fmt(c, x, b.y, b.width - 1, ROLE_HEADING, "LATENCY  %.60s",
			   r ? r->name : "nothing was timed in this window");
		canvas_right(c, x, b.y, b.width - 2, ROLE_HEADING,
			     r ? "too few for figures" : "");
		return 1;
	}
	x += canvas_fmt(c, x, b.y, b.width - 1, ROLE_HEADING,
			"LATENCY  %.60s  p50 %s p95 %s p99 %s  height: p95 of a tenth  ",
			r->name, figure_text(&r->figure[LATENCY_P50]).s,
			figure_text(&r->figure[LATENCY_P95]).s,
			figure_text(&r->figure[LATENCY_P99]).s);
	strip_bars(r, &a, c, (struct box){ b.x, b.y + 1, b.width, b.height - 1 });
	if (column < 0)
		return b.height;
	at = r->trend_ns[column * LATENCY_TREND_CELLS / a.width];
	canvas_fmt(c, x, b.y, b.x + b.width - x, ROLE_SORTED, "at the cursor: %s",
		   at ? fig_duration(at).s : "-");
	return b.height;
}

static bool latency_act(void *state, struct shared *sh, enum action action)
{
	struct latency_view *v = state;
	const struct snapshot_latency_row *r;

	if (action == ACTION_MORE || action == ACTION_LESS) {
		ask_exact(v, sh, action == ACTION_MORE);
		return true;
	}
	if (!list_act(&v->list, action))
		return false;
	r = selected(v, sh);
	v->selected_id = r && action != ACTION_FIRST ? r->id : 0;
	return true;
}

static void latency_click(void *state, struct shared *sh, int x, int y)
{
	struct latency_view *v = state;
	size_t row = list_hit(&v->list, y);
	const struct snapshot_latency_row *r;

	(void)x;
	if (row >= v->n)
		return;
	list_select(&v->list, row);
	r = selected(v, sh);
	v->selected_id = r ? r->id : 0;
}

static void latency_status(void *state, const struct shared *sh, char *buf, size_t size)
{
	(void)sh;
	list_status(&((struct latency_view *)state)->list, buf, size);
}

const struct view latency_view = {
	.name = "Latency",
	.short_name = "Lat",
	.place = IN_VIEW,
	.open = latency_open,
	.close = latency_close,
	.update = latency_update,
	.draw = latency_draw,
	.panel = latency_panel,
	.strip = latency_strip,
	.act = latency_act,
	.click = latency_click,
	.status = latency_status,
};
