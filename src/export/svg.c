/* A flame graph in one file: any browser, no network, readable as a still picture in a
 * mail or a ticket, live (zoom, search, keyboard) where scripts run. Root at the
 * bottom, widths are weight, siblings by name. A box:
 *
 *	<g class="a21" role="treeitem" aria-level="3" data-x="0" data-w="7500000">
 *	<title>read_row
 *	(libdb.so) 1.2 s, 12.00% of all, self 3.00%</title>
 *	<rect x="10" y="68" width="885" height="15"/>
 *	<text x="13" y="79">read_row</text></g>
 *
 * data-x and data-w are ten-millionths of the whole, which keeps edges exact at any
 * zoom. Names are foreign: they stand in element content only, escaped, in XML 1.0's
 * characters. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "export/columns.h"
#include "export/exporter.h"
#include "export/figures.h"
#include "export/svg.h"
#include "model/compare.h"

#define ROW 16u	     /* pixels from box to box */
#define HEAD 64u     /* above the boxes */
#define FOOT 30u     /* below */
#define CELL_PX 7.25 /* of the 12 px fixed-width font; the script has the same */
#define SHARES 1e7   /* unit of data-x and data-w */
#define FEW_SAMPLES 100u
#define GONE_COLOUR "#9fb2d8" /* of two that are compared */

static void put_escaped(struct text *out, const char *s, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t len = clean_char(s + at, n - at);

		switch (len ? s[at] : '\0') {
		case '\0':
			text_char(out, '?');
			break;
		case '&':
			text_str(out, "&amp;");
			break;
		case '<':
			text_str(out, "&lt;");
			break;
		case '>':
			text_str(out, "&gt;");
			break;
		case '"':
			text_str(out, "&quot;");
			break;
		case '\'':
			text_str(out, "&#39;");
			break;
		default:
			text_add(out, s + at, len);
		}
		at += len ? len : 1;
	}
}

static void put_foreign(struct text *out, const char *before, const char *s)
{
	text_str(out, before);
	put_escaped(out, s, strlen(s));
}

/* Seconds, or samples when nobody knows what time one stands for. */
static void put_weight(struct text *out, const struct snapshot *s, uint64_t ns)
{
	if (!figure_plain_counts(s)) {
		figure_time(out, ns, " ");
		return;
	}
	figure_count(out, ns);
	text_str(out, ns == 1 ? " sample" : " samples");
}

static void put_pct(struct text *out, const struct snapshot *s, uint64_t ns)
{
	figure_fixed(out, snapshot_pct(s, ns), 2);
	text_char(out, '%');
}

/* ---- what it is of ---- */

static const char *mode_words(const struct snapshot *s)
{
	if (figure_plain_counts(s))
		return "Samples";
	return s->mode == MODE_WALL  ? "Wall-clock time"
	       : s->mode == MODE_GIL ? "Time with the GIL"
				     : "CPU time";
}

static void put_target(struct text *out, const struct snapshot *s)
{
	put_foreign(out, "", *s->command ? s->command : "flame graph");
	if (s->pid > 0)
		text_fmt(out, " (pid %d)", (int)s->pid);
}

static void put_known(struct text *out, const char *key, const char *value)
{
	if (!*value)
		return;
	text_fmt(out, "\n%s: ", key);
	put_escaped(out, value, strlen(value));
}

/* "key: value" a line, for people who read the source and for scripts. */
static void put_desc(struct text *out, const struct snapshot *s,
		     const struct export_options *o)
{
	text_str(out, "<desc>target: ");
	put_target(out, s);
	put_known(out, "command", o->show_cmdline ? s->cmdline : "");
	put_known(out, "runtime", s->runtime);
	put_known(out, "host", s->host);
	if (s->wall_ns) {
		text_str(out, "\ntime: ");
		figure_date(out, s->wall_ns, 0);
	}
	if (s->covered_ns) {
		text_str(out, "\nwindow: ");
		figure_time(out, s->covered_ns, " ");
	}
	text_fmt(out, "\nmode: %s\nrate: ", mode_name(s->mode));
	figure_fixed(out, s->rate_hz, 0);
	text_str(out, " Hz, effective ");
	figure_fixed(out, s->effective_pct, 1);
	text_str(out, "%\nsamples: ");
	text_dec(out, s->samples);
	text_str(out, "\nweight: ");
	put_weight(out, s, s->weight_ns);
	text_str(out, "\nlost: ");
	figure_losses(out, s);
	put_known(out, "backend", s->backend);
	put_known(out, "limits", s->limits);
	put_known(out, "creator", o->creator ? o->creator : "ptop");
	text_str(out, "</desc>\n");
}

/* "CPU time 18.5 s in 10.0 s (1.85 cores) until 2026-11-20T12:00:00Z on web-3, 9,970
 * samples at 997 Hz". */
static void put_subtitle(struct text *out, const struct snapshot *s)
{
	if (!figure_plain_counts(s))
		text_fmt(out, "%s ", mode_words(s));
	put_weight(out, s, s->weight_ns);
	if (!figure_plain_counts(s) && s->covered_ns) {
		text_str(out, " in ");
		figure_time(out, s->covered_ns, " ");
		text_str(out, s->mode == MODE_CPU ? " (" : "");
		if (s->mode == MODE_CPU) {
			figure_fixed(out, (double)s->weight_ns / (double)s->covered_ns,
				     2);
			text_str(out, " cores)");
		}
	}
	if (s->wall_ns) {
		text_str(out, " until ");
		figure_date(out, s->wall_ns, 0);
	}
	if (*s->host)
		put_foreign(out, " on ", s->host);
	if (s->compared)
		text_str(out, ", compared: red grew, blue shrank");
	if (figure_plain_counts(s))
		return;
	text_str(out, ", ");
	figure_count(out, s->samples);
	text_str(out, " samples at ");
	figure_fixed(out, s->rate_hz, 0);
	text_str(out, " Hz");
}

/* What the reader must not overlook: omissions, losses, blind spots. */
static void put_notes(struct text *out, const struct snapshot *s,
		      const struct svg_layout *l)
{
	uint64_t lost = 0;
	size_t start = out->n, i;

	if (l->left_out) {
		figure_count(out, l->left_out);
		text_str(out, " frames narrower than ");
		figure_fixed(out, l->least_px, 2);
		text_str(out, " px are not drawn (");
		put_pct(out, s, l->left_out_ns);
		text_str(out, " of all ends in them)");
	}
	if (l->n && s->samples < FEW_SAMPLES)
		text_fmt(out, "%sfewer than %u samples: shares are rough",
			 out->n > start ? "; " : "", FEW_SAMPLES);
	for (i = 0; i < LOSS_COUNT; i++)
		lost += s->lost[i];
	if (lost) {
		text_fmt(out, "%slost or cut: ", out->n > start ? "; " : "");
		figure_losses(out, s);
	}
	if (*s->limits)
		put_foreign(out, out->n > start ? "; " : "", s->limits);
}

static void put_head(struct text *out, const struct snapshot *s,
		     const struct svg_layout *l)
{
	text_fmt(out,
		 "<g id=\"head\"><rect class=\"paper\" width=\"100%%\" height=\"%u\"/>\n"
		 "<text class=\"big\" x=\"%u\" y=\"23\">",
		 HEAD - 4, SVG_MARGIN);
	put_target(out, s);
	text_fmt(out, "</text>\n<text x=\"%u\" y=\"41\">", SVG_MARGIN);
	put_subtitle(out, s);
	text_fmt(out, "</text>\n<text class=\"dim\" x=\"%u\" y=\"57\">", SVG_MARGIN);
	put_notes(out, s, l);
	text_str(out,
		 "</text>\n<g id=\"right\">"
		 "<g id=\"reset\" class=\"button off\" role=\"button\" "
		 "tabindex=\"0\"><title>Esc</title>"
		 "<rect x=\"1010\" y=\"8\" width=\"96\" height=\"22\" rx=\"4\"/>"
		 "<text x=\"1058\" y=\"23\" text-anchor=\"middle\">Reset zoom</text></g>"
		 "<g id=\"search\" class=\"button off\" role=\"button\" "
		 "tabindex=\"0\"><title>/ or Ctrl-F</title>"
		 "<rect x=\"1114\" y=\"8\" width=\"76\" height=\"22\" rx=\"4\"/>"
		 "<text x=\"1152\" y=\"23\" text-anchor=\"middle\">Search</text></g>"
		 "<text id=\"matched\" x=\"1190\" y=\"57\" text-anchor=\"end\" "
		 "aria-live=\"polite\"></text></g></g>\n");
}

/* One colour and its word, left of x; returns where that begins. `how` are the attributes of
 * the colour. */
static unsigned put_key(struct text *out, const char *how, const char *word, unsigned x,
			unsigned y)
{
	x -= 22 + 8 * (unsigned)strlen(word);
	text_fmt(out,
		 "<g %s><rect x=\"%u\" y=\"%u\" width=\"11\" height=\"11\"/></g>"
		 "<text class=\"dim\" x=\"%u\" y=\"%u\">%s</text>",
		 how, x, y - 10, x + 15, y, word);
	return x;
}

/* The colours of two that are compared. */
static void put_change_legend(struct text *out, unsigned y)
{
	unsigned x = SVG_WIDTH - SVG_MARGIN;

	text_str(out, "<g id=\"legend\" aria-hidden=\"true\">");
	x = put_key(out, "style=\"fill:" GONE_COLOUR "\"", "gone", x, y);
	x = put_key(out, "style=\"fill:rgb(75,75,245)\"", "shrank", x, y);
	put_key(out, "style=\"fill:rgb(245,75,75)\"", "grew", x, y);
	text_str(out, "</g>");
}

/* The families of colours that occur, right-aligned. */
static void put_legend(struct text *out, const bool used[SVG_COLOURS], unsigned y)
{
	static const char *const words[CODE_KINDS] = {
		[CODE_APP] = "program",	  [CODE_LIBRARY] = "library",
		[CODE_KERNEL] = "kernel", [CODE_JIT] = "JIT",
		[CODE_MARK] = "[...]",	  [CODE_PYTHON] = "Python",
	};
	unsigned per = SVG_HUES * SVG_SHADES, x = SVG_WIDTH - SVG_MARGIN, kind, i;
	struct text how = { 0 };

	text_str(out, "<g id=\"legend\" aria-hidden=\"true\">");
	for (kind = CODE_KINDS; kind-- > 0;) {
		for (i = 0; i < per && !used[kind * per + i]; i++)
			;
		if (i == per)
			continue;
		text_clear(&how);
		text_str(&how, "class=\"");
		svg_colour_class(&how, kind * per + i);
		text_char(&how, '"');
		x = put_key(out, how.p, words[kind], x, y);
	}
	text_done(&how);
	text_str(out, "</g>");
}

static void put_foot(struct text *out, const struct snapshot *s,
		     const bool used[SVG_COLOURS], unsigned height)
{
	text_fmt(out,
		 "<g id=\"foot\"><rect class=\"paper\" y=\"%u\" width=\"100%%\" "
		 "height=\"%u\"/><text id=\"details\" x=\"%u\" y=\"%u\"></text>",
		 height - FOOT + 4, FOOT - 4, SVG_MARGIN, height - 10);
	if (s->compared)
		put_change_legend(out, height - 10);
	else
		put_legend(out, used, height - 10);
	text_str(out, "</g>\n");
}

/* ---- boxes ---- */

static double part_of(uint64_t ns, const struct svg_layout *l)
{
	return (double)ns / (double)l->total_ns;
}

/* "; was 12.10%, +3.40 points", or that it is gone. */
static void put_change(struct text *out, const struct snapshot *s, uint32_t node)
{
	uint64_t now = s->nodes[node].total_ns, old = s->compared->nodes[node].total_ns;
	double points = compare_points(s, old, now);

	text_str(out, now ? "; was " : "; gone: was ");
	figure_fixed(out, points < 100 ? snapshot_pct(s, now) - points : 0, 2);
	text_str(out, points >= 0 ? "%, +" : "%, ");
	figure_fixed(out, points, 2);
	text_str(out, " points");
}

/* Red grew, blue shrank, grey-blue is gone; full colour from a tenth of the whole. */
static void put_change_colour(struct text *out, const struct snapshot *s, uint32_t node)
{
	uint64_t now = s->nodes[node].total_ns, old = s->compared->nodes[node].total_ns;
	double by = compare_points(s, old, now) / 10;
	unsigned pale;

	by = by > 1 ? 1 : by < -1 ? -1 : by;
	pale = (unsigned)(235 - 160 * (by < 0 ? -by : by));
	if (!now && old)
		text_str(out, "\" style=\"fill:" GONE_COLOUR ";color:#111");
	else if (by >= 0)
		text_fmt(out, "\" style=\"fill:rgb(245,%u,%u);color:#111", pale, pale);
	else
		text_fmt(out, "\" style=\"fill:rgb(%u,%u,245);color:%s", pale, pale,
			 pale < 100 ? "#fff" : "#111");
}

static void put_tooltip(struct text *out, const struct snapshot *s,
			const struct svg_box *b, const struct snapshot_function *f)
{
	/* A comparison's boxes are as wide as the wider of the two. */
	uint64_t total_ns = s->compared ? s->nodes[b->node].total_ns : b->total_ns;

	text_str(out, "<title>");
	put_foreign(out, "", f ? f->name : "all");
	text_char(out, '\n');
	if (f && *f->module) {
		put_foreign(out, "(", f->module);
		text_str(out, ") ");
	}
	put_weight(out, s, total_ns);
	text_str(out, ", ");
	put_pct(out, s, total_ns);
	text_str(out, " of all, self ");
	put_pct(out, s, s->nodes[b->node].self_ns);
	if (s->compared)
		put_change(out, s, b->node);
	if (f && *f->file) {
		put_foreign(out, "\n", f->file);
		if (f->line > 0)
			text_fmt(out, ":%d", f->line);
	}
	text_str(out, "</title>");
}

static void put_label(struct text *out, const char *name, double x, double width,
		      unsigned y)
{
	size_t room = width > 6 ? (size_t)((width - 6) / CELL_PX) : 0, cells, fit;

	if (room < 3)
		return;
	fit = columns_fit(name, room, &cells);
	if (name[fit])
		fit = columns_fit(name, room - 2, &cells);
	text_str(out, "<text x=\"");
	figure_fixed(out, x + 3, 1);
	text_fmt(out, "\" y=\"%u\">", y + 11);
	put_escaped(out, name, fit);
	text_str(out, name[fit] ? "..</text>" : "</text>");
}

static void put_box(struct text *out, const struct snapshot *s,
		    const struct svg_layout *l, const struct svg_box *b, unsigned colour)
{
	const struct snapshot_function *f =
	    b->level ? &s->functions[s->nodes[b->node].function] : NULL;
	double first = part_of(b->start_ns, l),
	       last = part_of(b->start_ns + b->total_ns, l);
	double x = SVG_MARGIN + first * SVG_PLOT_WIDTH;
	double width = (last - first) * SVG_PLOT_WIDTH;
	unsigned y = HEAD + (l->levels - 1 - b->level) * ROW;

	text_str(out, "<g class=\"");
	svg_colour_class(out, colour);
	if (s->compared)
		put_change_colour(out, s, b->node);
	text_str(out, "\" role=\"treeitem\" aria-level=\"");
	text_dec(out, b->level + 1);
	text_str(out, b->level ? "\" data-x=\"" : "\" tabindex=\"0\" data-x=\"");
	text_dec(out, (uint64_t)(first * SHARES));
	text_str(out, "\" data-w=\"");
	text_dec(out, (uint64_t)(last * SHARES) - (uint64_t)(first * SHARES));
	text_str(out, "\">");
	put_tooltip(out, s, b, f);
	text_str(out, "<rect x=\"");
	figure_fixed(out, x, 2);
	text_str(out, "\" y=\"");
	text_dec(out, y);
	text_str(out, "\" width=\"");
	figure_fixed(out, width > 3 ? width - 0.5 : width, 2); /* a gap between names */
	text_str(out, "\" height=\"15\"/>");
	put_label(out, f ? f->name : "all", x, width, y);
	text_str(out, "</g>\n");
}

static unsigned colour_of(const struct snapshot *s, const struct svg_box *b)
{
	if (b->level == 0)
		return CODE_MARK * SVG_HUES * SVG_SHADES;
	return svg_colour(&s->functions[s->nodes[b->node].function]);
}

static void put_boxes(struct text *out, const struct snapshot *s,
		      const struct svg_layout *l)
{
	size_t i;

	text_fmt(out,
		 "<g id=\"frames\" role=\"tree\" aria-label=\"flame graph\" "
		 "data-margin=\"%u\" data-share=\"",
		 SVG_MARGIN);
	figure_fixed(out, snapshot_pct(s, l->total_ns), 4);
	text_str(out, "\">\n");
	for (i = 0; i < l->n; i++)
		put_box(out, s, l, &l->boxes[i], colour_of(s, &l->boxes[i]));
	text_str(out, "</g>\n");
}

/* ---- the file ---- */

static void put_start(struct text *out, const struct snapshot *s,
		      const struct export_options *o, const bool used[SVG_COLOURS],
		      unsigned height)
{
	text_fmt(out,
		 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		 "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%u\" "
		 "height=\"%u\" viewBox=\"0 0 %u %u\">\n<title>",
		 SVG_WIDTH, height, SVG_WIDTH, height);
	put_target(out, s);
	text_fmt(out, " - %s - ptop</title>\n", mode_words(s));
	put_desc(out, s, o);
	text_str(out, "<style>");
	svg_style(out, used);
	text_str(out,
		 "</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
}

/* The tree as drawn when two are compared: every stack as wide as in the one where it has
 * the larger share, so what vanished is there to be seen. The caller frees nodes. */
static struct snapshot widest(const struct snapshot *s)
{
	const struct comparison *c = s->compared;
	double scale = c->weight_ns ? (double)s->weight_ns / (double)c->weight_ns : 0;
	struct snapshot w = *s;
	size_t i;

	if (!s->weight_ns)
		scale = 1;
	w.nodes = xcalloc(s->n_nodes + 1, sizeof(*w.nodes));
	for (i = 0; i < s->n_nodes; i++) {
		uint64_t old = (uint64_t)((double)c->nodes[i].self_ns * scale);

		w.nodes[i] = s->nodes[i];
		if (old > w.nodes[i].self_ns)
			w.nodes[i].self_ns = old;
		w.nodes[i].total_ns = w.nodes[i].self_ns;
	}
	for (i = s->n_nodes; i-- > 1;)
		w.nodes[w.nodes[i].parent].total_ns += w.nodes[i].total_ns;
	return w;
}

static int svg_write(const struct snapshot *s, const struct export_options *o,
		     struct text *out, struct error *err)
{
	bool used[SVG_COLOURS] = { false };
	struct svg_layout l;
	unsigned height;
	size_t i;

	(void)err;
	if (s->compared) {
		struct snapshot w = widest(s);

		svg_layout(&l, &w);
		free(w.nodes);
	} else {
		svg_layout(&l, s);
	}
	for (i = 0; i < l.n; i++)
		used[colour_of(s, &l.boxes[i])] = true;
	height = HEAD + (l.n ? l.levels : 3) * ROW + FOOT;
	put_start(out, s, o, used, height);
	if (l.n)
		put_boxes(out, s, &l);
	put_head(out, s, &l);
	if (l.n) {
		put_foot(out, s, used, height);
		text_str(out, "<script><![CDATA[");
		text_str(out, svg_script);
		text_str(out, "]]></script>\n");
	} else {
		text_fmt(out,
			 "<text x=\"%u\" y=\"%u\" text-anchor=\"middle\">No samples "
			 "in this window.</text>\n",
			 SVG_WIDTH / 2, HEAD + 2 * ROW);
	}
	text_str(out, "</svg>\n");
	svg_layout_done(&l);
	return 0;
}

const struct exporter svg_exporter = {
	.name = "svg",
	.help = "flame graph, any browser, offline",
	.suffix = ".svg",
	.wants_tree = true,
	.write = svg_write,
};
