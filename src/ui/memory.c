/* Why it grows: resident memory over the window, the verdict and the time left, and below
 * them who was seen growing, kind after kind. What a kind does and does not say stands in
 * its heading: new pages are touched by whoever comes first, not by who keeps them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ui/figures.h"
#include "ui/graph.h"
#include "ui/view.h"

#define GRAPH_MOST 10
#define WORDS_GAP 2

/* What the graph and the first figure are of. */
enum measure { MEASURE_RSS, MEASURE_PSS, MEASURE_USS, MEASURES };

struct memory {
	enum measure measure;
	bool faults;
	struct scroll scroll;
};

static void *memory_open(struct shared *sh)
{
	(void)sh;
	return xcalloc(1, sizeof(struct memory));
}

static void memory_close(void *state)
{
	free(state);
}

/* ---- figures ---- */

/* A line filled with whole words from the left; what does not fit is left out. */
struct words {
	struct canvas *c;
	int x, y, end;
};

static void put(struct words *w, enum role role, const char *text)
{
	int cells = canvas_cells(w->c, text, w->end - w->x + 1);

	if (!text[0] || cells > w->end - w->x)
		return;
	w->x += canvas_put(w->c, w->x, w->y, cells, role, text) + WORDS_GAP;
}

#define PUT(w, role, ...)                                        \
	do {                                                     \
		char put_buf[320];                               \
		snprintf(put_buf, sizeof(put_buf), __VA_ARGS__); \
		put(w, role, put_buf);                           \
	} while (0)

static struct fig more(int64_t bytes)
{
	struct fig f = { "0" };
	uint64_t n = bytes < 0 ? 0 - (uint64_t)bytes : (uint64_t)bytes;

	if (n)
		snprintf(f.s, sizeof(f.s), "%c%.20s", bytes < 0 ? '-' : '+',
			 fig_bytes(n).s);
	return f;
}

static struct fig slope(double bytes_per_s)
{
	struct fig f = fig_slope(bytes_per_s);

	if (!f.s[0])
		snprintf(f.s, sizeof(f.s), "0/m");
	return f;
}

static void line_verdict(const struct snapshot_memory *m, struct words *w)
{
	switch (m->verdict) {
	case VERDICT_GROWING:
		PUT(w, ROLE_WARN, "LEAK? yes, %s", fig_span(m->slope.span_ns).s);
		break;
	case VERDICT_STEADY:
		PUT(w, ROLE_OK, "steady, %s", fig_span(m->slope.span_ns).s);
		break;
	case VERDICT_UNKNOWN:
		if (m->verdict_in_ns)
			PUT(w, ROLE_DIM, "leak verdict in %s",
			    fig_uptime(m->verdict_in_ns).s);
		else
			PUT(w, ROLE_DIM, "too little seen for a leak verdict");
		break;
	}
}

static void line_size(const struct snapshot_memory *m, enum measure measure,
		      struct words w)
{
	uint64_t span_ns;
	int64_t grown;

	if (measure != MEASURE_RSS && m->pss_known)
		PUT(&w, ROLE_STRONG, "%s %s", measure == MEASURE_PSS ? "PSS" : "USS",
		    fig_bytes(measure == MEASURE_PSS ? m->pss_bytes : m->uss_bytes).s);
	PUT(&w, ROLE_STRONG, "RSS %s%s", fig_bytes(m->rss_bytes).s,
	    m->alone ? " without children" : "");
	if (m->slope.known)
		PUT(&w, ROLE_STRONG, "%s", slope(m->slope.per_s).s);
	else if (memory_grown(m, &grown, &span_ns)) /* no rate yet, but what was seen */
		PUT(&w, ROLE_STRONG, "%s in %s", more(grown).s, fig_span(span_ns).s);
	line_verdict(m, &w);
	PUT(&w, ROLE_TEXT, "peak %s", fig_bytes(m->peak_bytes).s);
	PUT(&w, ROLE_TEXT, "min %s", fig_bytes(m->least_bytes).s);
	if (m->slope.known)
		PUT(&w, ROLE_DIM, "(%s to %s)", slope(m->slope.low).s,
		    slope(m->slope.high).s);
}

static void line_kinds(const struct snapshot_memory *m, enum measure measure,
		       struct words w)
{
	PUT(&w, ROLE_TEXT, "anon %s", fig_bytes(m->anon_bytes).s);
	PUT(&w, ROLE_TEXT, "file %s", fig_bytes(m->file_bytes).s);
	PUT(&w, ROLE_TEXT, "shm %s", fig_bytes(m->shmem_bytes).s);
	PUT(&w, m->swap_bytes ? ROLE_WARN : ROLE_TEXT, "swap %s",
	    fig_bytes(m->swap_bytes).s);
	if (measure == MEASURE_RSS)
		return;
	if (m->pss_problem[0])
		PUT(&w, ROLE_WARN, "PSS %s", m->pss_problem);
	else if (!m->pss_known)
		PUT(&w, ROLE_DIM, "PSS is being read");
	else
		PUT(&w, ROLE_TEXT, "PSS %s  USS %s  (%s to read)",
		    fig_bytes(m->pss_bytes).s, fig_bytes(m->uss_bytes).s,
		    fig_time(m->pss_read_ns).s);
}

static struct fig left(double seconds)
{
	struct fig f;

	if (seconds < 120)
		snprintf(f.s, sizeof(f.s), "%.0fs", seconds);
	else
		f = fig_uptime((uint64_t)(seconds * 1e9));
	return f;
}

static void line_limit(const struct snapshot_memory *m, struct words w)
{
	int x;

	if (m->limit == LIMIT_NONE)
		return;
	PUT(&w, ROLE_TEXT, "left %s of %s", fig_bytes(m->headroom_bytes).s,
	    fig_bytes(m->limit_bytes).s);
	if (m->limit_s >= 0)
		PUT(&w, ROLE_WARN, "gone in %s", left(m->limit_s).s);
	if (m->limit_s >= 0 && m->limit_soonest_s >= 0 && m->limit_latest_s >= 0)
		PUT(&w, ROLE_TEXT, "(%s to %s)", left(m->limit_soonest_s).s,
		    left(m->limit_latest_s).s);
	x = w.x;
	PUT(&w, ROLE_DIM, "limit of %s%.100s", m->limit == LIMIT_CGROUP ? "cgroup " : "",
	    m->limit_name);
	if (w.x == x) /* the innermost group alone */
		PUT(&w, ROLE_DIM, "%s%.40s", m->limit == LIMIT_CGROUP ? "cgroup " : "",
		    strrchr(m->limit_name, '/') ? strrchr(m->limit_name, '/') + 1
						: m->limit_name);
	if (m->limit_hits)
		PUT(&w, ROLE_WARN, "hit %s times", fig_count(m->limit_hits).s);
}

static void line_faults(const struct snapshot_memory *m, struct words w)
{
	PUT(&w, ROLE_TEXT, "faults %.0f/s minor", m->minor_per_s);
	PUT(&w, m->major_per_s >= 1 ? ROLE_WARN : ROLE_TEXT, "%.0f/s major",
	    m->major_per_s);
	if (m->pressure_some_pct >= 0)
		PUT(&w, m->pressure_some_pct >= 10 ? ROLE_WARN : ROLE_TEXT,
		    "pressure %.1f%% of %s", m->pressure_some_pct,
		    m->pressure_of_group ? "its group" : "the machine");
	if (m->available_bytes)
		PUT(&w, ROLE_DIM, "available %s", fig_bytes(m->available_bytes).s);
}

/* ---- who ---- */

static const char *const titles[GROWER_KINDS] = {
	[GROWER_FAULTS] = "TOUCHES NEW PAGES (pushes the high-water mark)",
	[GROWER_CHUNKS] = "HELD BY SIZE OF CHUNK (C heap)",
	[GROWER_OBJECTS] = "HELD BY TYPE (objects)",
	[GROWER_MAPPING] = "ADDRESS SPACE (touched or not)",
};

static const struct memory_look *look_of(const struct snapshot_memory *m,
					 enum grower_kind k)
{
	return k == GROWER_FAULTS    ? &m->faults_look
	       : k == GROWER_CHUNKS  ? &m->heap_look
	       : k == GROWER_OBJECTS ? &m->objects_look
				     : NULL;
}

/* What is to be known about a census besides its rows; "" for nothing. */
static void look_text(const struct memory_look *l, enum grower_kind k, char *buf,
		      size_t size)
{
	const char *things = k == GROWER_OBJECTS  ? "objects"
			     : k == GROWER_FAULTS ? "samples"
						  : "chunks";
	size_t n;

	if (l->problem[0]) {
		snprintf(buf, size, "%s", l->problem);
		return;
	}
	if (k != GROWER_FAULTS && l->looks == 0) {
		snprintf(buf, size, "counting ...");
		return;
	}
	n = (size_t)snprintf(buf, size, "%s %s", fig_count(l->things).s, things);
	if (n < size && k == GROWER_FAULTS)
		n += (size_t)snprintf(buf + n, size - n, ", %s of the growth is theirs",
				      fig_bytes(l->bytes).s);
	if (n < size && k != GROWER_FAULTS)
		n += (size_t)snprintf(buf + n, size - n, ", %s, in %s%s",
				      fig_bytes(l->bytes).s, fig_time(l->took_ns).s,
				      l->looks == 1 ? "; H again: the difference" : "");
	if (n < size && (l->torn || l->cut))
		n += (size_t)snprintf(buf + n, size - n, "; %s torn%s",
				      fig_count(l->torn).s, l->cut ? ", cut short" : "");
	if (n < size && l->lost)
		n += (size_t)snprintf(buf + n, size - n, "; %s lost",
				      fig_count(l->lost).s);
	if (n < size && l->late)
		snprintf(buf + n, size - n, "; %s stacks a moment late",
			 fig_count(l->late).s);
}

/* Rows of the list, one after the other; draws those in sight. */
struct rows {
	struct canvas *c;
	struct box b;
	int top, line;
};

static int next_line(struct rows *r)
{
	int y = r->line++ - r->top;

	return y >= 0 && y < r->b.height ? r->b.y + y : -1;
}

#define NAME_LEAST 16
#define FIGURES_CELLS 34

static int name_cells(const struct rows *r)
{
	int width = r->b.width - FIGURES_CELLS;

	return width > NAME_LEAST ? width : r->b.width - 18;
}

static void draw_title(struct rows *r, enum grower_kind k, uint64_t span_ns)
{
	int y = next_line(r), x = r->b.x + name_cells(r);
	char since[40] = "+MORE";

	if (y == -1)
		return;
	if (span_ns)
		snprintf(since, sizeof(since), "+%.10s", fig_uptime(span_ns).s);
	canvas_fill(r->c, r->b.x, y, r->b.width, ROLE_HEADING, ' ');
	canvas_put(r->c, r->b.x + 1, y, name_cells(r) - 2, ROLE_HEADING, titles[k]);
	canvas_right(r->c, x, y, 8, ROLE_HEADING, "NOW");
	canvas_right(r->c, x + 9, y, 8, ROLE_HEADING, since);
	canvas_right(r->c, x + 18, y, 7, ROLE_HEADING,
		     k == GROWER_FAULTS ? "FAULTS" : "COUNT");
	canvas_right(r->c, x + 26, y, 7, ROLE_HEADING, "+MORE");
}

static void draw_grower(struct rows *r, const struct memory_grower *g)
{
	int y = next_line(r), x = r->b.x + name_cells(r);
	enum role role = g->bytes_more > 0 ? ROLE_TEXT : ROLE_DIM;
	char name[400], count[24];

	if (y == -1)
		return;
	snprintf(name, sizeof(name), "%.150s%s%.240s", g->name, g->stack[0] ? "  < " : "",
		 g->stack);
	canvas_cut(r->c, r->b.x + 2, y, name_cells(r) - 3, role, name, 0);
	canvas_right(r->c, x, y, 8, role, fig_bytes(g->bytes).s);
	if (g->span_ns)
		canvas_right(r->c, x + 9, y, 8,
			     g->bytes_more > 0 ? ROLE_STRONG : ROLE_DIM,
			     more(g->bytes_more).s);
	canvas_right(r->c, x + 18, y, 7, role, fig_count_short(g->count).s);
	if (!g->span_ns || !g->count_more)
		return;
	snprintf(count, sizeof(count), "%c%.20s", g->count_more < 0 ? '-' : '+',
		 fig_count_short(g->count_more < 0 ? 0 - (uint64_t)g->count_more
						   : (uint64_t)g->count_more)
		     .s);
	canvas_right(r->c, x + 26, y, 7, role, count);
}

static void draw_kind(struct rows *r, const struct snapshot_memory *m, enum grower_kind k)
{
	const struct memory_look *l = look_of(m, k);
	uint64_t span = 0;
	char text[320];
	size_t i;
	int y;

	if (l && !l->on)
		return;
	for (i = 0; i < m->n_growers; i++)
		if (m->growers[i].kind == k && m->growers[i].span_ns > span)
			span = m->growers[i].span_ns;
	draw_title(r, k, span);
	if (l) {
		look_text(l, k, text, sizeof(text));
		y = next_line(r);
		if (y != -1)
			canvas_cut(r->c, r->b.x + 2, y, r->b.width - 2, ROLE_DIM, text,
				   0);
	}
	for (i = 0; i < m->n_growers; i++)
		if (m->growers[i].kind == k)
			draw_grower(r, &m->growers[i]);
}

static void draw_growers(struct memory *v, const struct snapshot_memory *m,
			 struct canvas *c, struct box b)
{
	static const enum grower_kind order[] = { GROWER_FAULTS, GROWER_OBJECTS,
						  GROWER_CHUNKS, GROWER_MAPPING };
	struct rows r = { c, b, v->scroll.top, 0 };
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		draw_kind(&r, m, order[i]);
	v->scroll.total = r.line;
	v->scroll.page = b.height;
	scroll_clamp(&v->scroll);
}

/* ---- the view ---- */

static int draw_lines(const struct memory *v, const struct snapshot_memory *m,
		      struct canvas *c, struct box b)
{
	struct words w = { c, b.x + 1, b.y, b.x + b.width };

	line_size(m, v->measure, w);
	w.y++;
	line_kinds(m, v->measure, w);
	if (b.height < 3)
		return 2;
	w.y++;
	if (m->limit != LIMIT_NONE) {
		line_limit(m, w);
		w.y++;
	}
	line_faults(m, w);
	return w.y + 1 - b.y;
}

static void memory_draw(void *state, const struct shared *sh, struct canvas *c,
			struct box b)
{
	struct memory *v = state;
	const struct snapshot_memory *m = &sh->shown->memory;
	int graph = b.height / 3 < GRAPH_MOST ? b.height / 3 : GRAPH_MOST, y = b.y;

	if (!m->known) {
		canvas_put(c, b.x + 1, b.y, b.width - 1, ROLE_DIM,
			   "nothing is known of its memory");
		return;
	}
	if (b.height >= 10 && !sh->trends) {
		graph_draw(&m->rss, &m->anon, sh->cursor_ns, c,
			   (struct box){ b.x, y, b.width, graph });
		y += graph;
	}
	y += draw_lines(v, m, c, (struct box){ b.x, y, b.width, b.y + b.height - y });
	if (sh->shown->recorded) /* who grew is looked for in what lives */
		return;
	if (b.height >= 14 && !m->heap_look.on && !m->faults_look.on)
		canvas_put(c, b.x + 1, y++, b.width - 1, ROLE_DIM,
			   "H: who holds it (heap, objects)   F: who touches new pages"
			   "   e: PSS, USS");
	if (y < b.y + b.height)
		draw_growers(v, m, c,
			     (struct box){ b.x, y, b.width, b.y + b.height - y });
}

static void send(struct shared *sh, enum command_kind kind, uint64_t value)
{
	struct command c = { .kind = kind, .value = value };

	shared_send(sh, &c);
}

static bool ended(struct shared *sh)
{
	if (sh->newest && sh->newest->exited)
		notes_show(&sh->notes, sh->now_ns, false,
			   "the process has ended: there is nothing to look into");
	return sh->newest && sh->newest->exited;
}

static bool memory_act(void *state, struct shared *sh, enum action action)
{
	struct memory *v = state;

	if (scroll_act(&v->scroll, action))
		return true;
	switch (action) {
	case ACTION_MODE:
		v->measure = (enum measure)((v->measure + 1) % MEASURES);
		/* One reading serves both. */
		if (v->measure != MEASURE_USS)
			send(sh, COMMAND_PSS, v->measure == MEASURE_PSS);
		return true;
	case ACTION_CENSUS:
		if (ended(sh))
			return true;
		notes_show(&sh->notes, sh->now_ns, false,
			   "counting what is in its heap ...");
		send(sh, COMMAND_CENSUS, 0);
		return true;
	case ACTION_FAULTS:
		if (ended(sh))
			return true;
		v->faults = !v->faults;
		notes_show(&sh->notes, sh->now_ns, false,
			   v->faults ? "sampling page faults from now on"
				     : "page faults are not sampled any more");
		send(sh, COMMAND_FAULTS, v->faults);
		return true;
	default:
		return false;
	}
}

#define PANEL_GRAPH 5 /* lines of it, in a panel that has room */

static int memory_panel(void *state, const struct shared *sh, struct canvas *c,
			struct box b)
{
	const struct snapshot_memory *m = &sh->shown->memory;
	struct words w = { c, b.x, b.y, b.x + b.width };
	int lines = 2;

	(void)state;
	if (!m->known || b.height < lines)
		return 0;
	PUT(&w, ROLE_STRONG, "MEMORY RSS %s%s", fig_bytes(m->rss_bytes).s,
	    m->alone ? " without children" : "");
	if (m->slope.known)
		PUT(&w, ROLE_STRONG, "%s", slope(m->slope.per_s).s);
	if (b.height >= lines + PANEL_GRAPH) {
		graph_draw(&m->rss, &m->anon, sh->cursor_ns, c,
			   (struct box){ b.x, b.y + 1, b.width, PANEL_GRAPH });
		lines += PANEL_GRAPH;
	}
	w = (struct words){ c, b.x + 1, b.y + lines - 1, b.x + b.width };
	line_verdict(m, &w);
	if (m->limit != LIMIT_NONE)
		PUT(&w, ROLE_TEXT, "left %s", fig_bytes(m->headroom_bytes).s);
	if (m->limit_s >= 0)
		PUT(&w, ROLE_WARN, "gone in %s", left(m->limit_s).s);
	return lines;
}

/* On the page of trends. */
static int memory_strip(void *state, const struct shared *sh, struct canvas *c,
			struct box b)
{
	const struct snapshot_memory *m = &sh->shown->memory;
	struct graph_axis a = graph_axis_of(sh->shown, b.x, b.width);
	int column = graph_axis_column(&a, sh->cursor_ns);
	int lines = m->known && m->rss.n ? b.height : 1;
	struct words w = { c, b.x + 1, b.y, b.x + b.width };
	struct series_cell cell;

	(void)state;
	if (!c)
		return lines;
	canvas_fill(c, b.x, b.y, b.width, ROLE_HEADING, ' ');
	if (!m->known) {
		PUT(&w, ROLE_HEADING, "MEMORY  nothing is known of it");
		return lines;
	}
	PUT(&w, ROLE_HEADING, "MEMORY  RSS %s%s", fig_bytes(m->rss_bytes).s,
	    m->alone ? " without children" : "");
	if (m->slope.known)
		PUT(&w, ROLE_HEADING, "%s", slope(m->slope.per_s).s);
	if (lines == 1)
		return lines;
	graph_columns(&m->rss, &m->anon, c,
		      (struct box){ b.x, b.y + 1, b.width, b.height - 1 });
	if (column < 0)
		return lines;
	cell = series_view_cell(&m->rss, (size_t)column, (size_t)a.width);
	if (cell.n)
		PUT(&w, ROLE_SORTED, "at the cursor: %s",
		    fig_bytes((uint64_t)cell.last).s);
	return lines;
}

const struct view memory_view = {
	.name = "Memory",
	.short_name = "Mem",
	.place = IN_VIEW,
	.time_axis = true,
	.open = memory_open,
	.close = memory_close,
	.draw = memory_draw,
	.act = memory_act,
	.panel = memory_panel,
	.strip = memory_strip,
};
