/* A flame graph as one page for graphs beyond what an SVG can bear: any browser, offline,
 * threads, search, keyboard, light and dark, and two profiles compared. The data is JSON
 * in a script element that is not run:
 *
 *	{"unit":"ns","functions":[["loads","json",1,"python","json/__init__.py:299"],...],
 *	 "parents":[0,0,1],"calls":[0,4,7],"self":[0,12,90],"threads":[{"name":..,
 *	 "nodes":[..],"weights":[..]}],"base":null}
 *
 * `<` in strings is written \u003c, so nothing in a name can end the element. Without
 * scripts there is a table of the fifty functions with the most time of their own. */
#include "export/html.h"

#include <string.h>

#include "base/vec.h"
#include "export/exporter.h"
#include "export/figures.h"
#include "model/compare.h"

#define TABLE_ROWS 50u

static void put_json(struct text *out, const char *s)
{
	struct text quoted = { 0 };
	size_t i;

	json_string(&quoted, s);
	for (i = 0; i < quoted.n; i++) {
		unsigned char c = (unsigned char)quoted.p[i];

		if (c == '<' || c == '>' || c == '&')
			text_fmt(out, "\\u%04x", c);
		else if (c == 0xe2 && i + 2 < quoted.n &&
			 (unsigned char)quoted.p[i + 1] == 0x80 &&
			 ((unsigned char)quoted.p[i + 2] & 0xfe) == 0xa8)
			text_fmt(out, "\\u%04x",
				 0x2000u + ((unsigned char)quoted.p[i += 2] & 0x3f));
		else
			text_char(out, (char)c);
	}
	text_done(&quoted);
}

static void put_html(struct text *out, const char *s)
{
	struct text clean = { 0 };
	size_t i;

	text_clean(&clean, s, strlen(s));
	for (i = 0; i < clean.n; i++) {
		switch (clean.p[i]) {
		case '&':
			text_str(out, "&amp;");
			break;
		case '<':
			text_str(out, "&lt;");
			break;
		case '>':
			text_str(out, "&gt;");
			break;
		default:
			text_char(out, clean.p[i]);
		}
	}
	text_done(&clean);
}

static void put_functions(struct text *out, const struct snapshot *s)
{
	size_t i;

	text_str(out, "\"functions\":[");
	for (i = 0; i < s->n_functions; i++) {
		const struct snapshot_function *f = &s->functions[i];
		struct text where = { 0 };

		text_str(out, i ? ",\n[" : "[");
		put_json(out, f->name);
		text_char(out, ',');
		put_json(out, f->module);
		text_fmt(out, ",%d,\"%s\",", f->library, code_kind_name(f->kind));
		if (*f->file)
			text_str(&where, f->file);
		if (*f->file && f->line > 0)
			text_fmt(&where, ":%d", f->line);
		put_json(out, where.p ? where.p : "");
		text_char(out, ']');
		text_done(&where);
	}
	text_str(out, "],\n");
}

enum column { PARENTS, CALLS, SELF, BASE };

static void put_column(struct text *out, const char *name, const struct snapshot *s,
		       enum column column)
{
	size_t i;

	text_fmt(out, "\"%s\":[", name);
	for (i = 0; i < s->n_nodes; i++) {
		const struct snapshot_node *n = &s->nodes[i];

		if (i)
			text_char(out, ',');
		text_dec(out, column == PARENTS ? n->parent
			      : column == CALLS ? n->function
			      : column == SELF	? n->self_ns
						: s->compared->nodes[i].self_ns);
	}
	text_str(out, "],\n");
}

struct share {
	uint32_t thread, node;
	uint64_t weight_ns;
};

static int by_thread(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static void put_thread(struct text *out, const struct snapshot *s,
		       const struct share *list, size_t n)
{
	struct text weights = { 0 }, name = { 0 };
	size_t i, k;

	if (list->thread < s->n_threads)
		text_fmt(&name, "%s (%d)", s->threads[list->thread].name,
			 (int)s->threads[list->thread].tid);
	text_str(out, "{\"name\":");
	put_json(out, name.p ? name.p : "others");
	text_str(out, ",\"nodes\":[");
	for (i = 0; i < n; i = k) {
		uint64_t sum = 0;

		for (k = i; k < n && list[k].node == list[i].node; k++)
			sum += list[k].weight_ns;
		text_fmt(out, i ? ",%u" : "%u", list[i].node);
		text_fmt(&weights, i ? ",%llu" : "%llu", (unsigned long long)sum);
	}
	text_str(out, "],\"weights\":[");
	text_add(out, weights.p ? weights.p : "", weights.n);
	text_str(out, "]}");
	text_done(&weights);
	text_done(&name);
}

static void put_threads(struct text *out, const struct snapshot *s)
{
	struct share *list = xcalloc(s->n_runs + 1, sizeof(*list));
	size_t i, first;

	for (i = 0; i < s->n_runs; i++)
		list[i] = (struct share){ s->runs[i].thread, s->runs[i].node,
					  s->runs[i].weight_ns };
	qsort(list, s->n_runs, sizeof(*list), by_thread);
	text_str(out, "\"threads\":[");
	for (first = 0; first < s->n_runs; first = i) {
		for (i = first; i < s->n_runs && list[i].thread == list[first].thread;)
			i++;
		if (first)
			text_str(out, ",\n");
		put_thread(out, s, list + first, i - first);
	}
	text_str(out, "],\n");
	free(list);
}

static void put_data(struct text *out, const struct snapshot *s)
{
	text_fmt(out,
		 "<script id=\"data\" type=\"application/json\">\n{\"unit\":\"%s\",\n",
		 figure_plain_counts(s) ? "samples" : "ns");
	put_functions(out, s);
	put_column(out, "parents", s, PARENTS);
	put_column(out, "calls", s, CALLS);
	put_column(out, "self", s, SELF);
	put_threads(out, s);
	if (s->compared) {
		put_column(out, "base", s, BASE);
		text_fmt(out, "\"baseTotal\":%llu,\"scale\":",
			 (unsigned long long)s->compared->weight_ns);
		figure_fixed(out,
			     s->compared->weight_ns
				 ? (double)s->weight_ns / (double)s->compared->weight_ns
				 : 1,
			     6);
		text_str(out, "}\n</script>\n");
	} else {
		text_str(out, "\"base\":null}\n</script>\n");
	}
}

static void put_table(struct text *out, const struct snapshot *s)
{
	size_t i;

	text_str(out, "<noscript><table><tr><th>self</th><th>total</th><th>function</th>"
		      "</tr>\n");
	for (i = 0; i < s->n_functions && i < TABLE_ROWS; i++) {
		text_str(out, "<tr><td>");
		figure_fixed(out, snapshot_pct(s, s->functions[i].self_ns), 2);
		text_str(out, "%</td><td>");
		figure_fixed(out, snapshot_pct(s, s->functions[i].total_ns), 2);
		text_str(out, "%</td><td>");
		put_html(out, s->functions[i].name);
		text_str(out, "</td></tr>\n");
	}
	text_str(out, "</table></noscript>\n");
}

static void put_heading(struct text *out, const struct snapshot *s,
			const struct export_options *o)
{
	text_str(out, "<p>");
	if (o->show_cmdline && *s->cmdline) {
		put_html(out, s->cmdline);
		text_str(out, "<br>");
	}
	if (!figure_plain_counts(s)) {
		text_str(out, s->mode == MODE_WALL ? "Wall-clock time " : "CPU time ");
		figure_time(out, s->weight_ns, " ");
		text_str(out, " in ");
		figure_time(out, s->covered_ns, " ");
		text_str(out, ", ");
	}
	figure_count(out, s->samples);
	text_str(out, " samples");
	if (s->rate_hz > 0) {
		text_str(out, " at ");
		figure_fixed(out, s->rate_hz, 0);
		text_str(out, " Hz");
	}
	if (*s->host) {
		text_str(out, " on ");
		put_html(out, s->host);
	}
	if (s->wall_ns) {
		text_str(out, ", until ");
		figure_date(out, s->wall_ns, 0);
	}
	text_str(out, "; lost: ");
	figure_losses(out, s);
	if (s->compared)
		text_str(out,
			 ". Compared: red grew, blue shrank, in points of the whole");
	text_str(out, "</p>\n");
}

static int html_write(const struct snapshot *s, const struct export_options *o,
		      struct text *out, struct error *err)
{
	struct text title = { 0 };

	(void)err;
	text_str(&title, *s->command ? s->command : "profile");
	if (s->pid)
		text_fmt(&title, " (pid %d)", (int)s->pid);
	text_str(out, html_head);
	text_str(out, "<title>");
	put_html(out, title.p);
	text_str(out, "</title></head><body><header><h1>");
	put_html(out, title.p);
	text_str(out, "</h1>\n");
	put_heading(out, s, o);
	text_str(out, html_body);
	put_table(out, s);
	put_data(out, s);
	text_str(out, "<script>\n");
	text_str(out, html_script);
	text_str(out, "</script></body></html>\n");
	text_done(&title);
	return 0;
}

const struct exporter html_exporter = {
	.name = "html",
	.help = "flame graph page: threads, dark mode, large graphs",
	.suffix = ".html",
	.wants_tree = true,
	.wants_runs = true,
	.write = html_write,
};
