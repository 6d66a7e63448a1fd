/* The call tree as text, for a terminal or a ticket:
 *
 *	 TOTAL%   TOTAL  CALL TREE
 *	  100.0   59.4 s main  app/main.py:12
 *	! 88.1    52.3 s `- handle_request  app/server.py:88
 *	* 31.2    18.5 s    `- loads  json/__init__.py:299
 *	* 31.2    18.5 s       `- [3 frames hidden]  json
 *
 * Heaviest first. Two or more library frames below a library's first one are one line;
 * shown all the same is a frame with a fifth of the time to itself, and one that calls
 * back into the program. What is below one per cent is summed up in a line. */
#include <stdlib.h>
#include <string.h>

#include "base/ended.h"
#include "base/vec.h"
#include "export/columns.h"
#include "export/exporter.h"
#include "export/figures.h"

#define LEAST_PCT 1.0
#define HOT_PCT 20.0
#define MODULES_CELLS 40u

struct tree_text {
	const struct snapshot *s;
	const struct export_options *o;
	struct text *out;
	struct text prefix;
	uint32_t *first, *next; /* children, heaviest first; 0 none */
};

/* What stands below one printed line. */
struct below {
	VEC(uint32_t) nodes;
	size_t hidden; /* library frames folded into the line */
	VEC(const char *) modules;
	uint64_t hidden_self_ns;
};

static double pct(const struct tree_text *t, uint64_t ns)
{
	return snapshot_pct(t->s, ns);
}

static const struct snapshot_function *function_of(const struct tree_text *t,
						   uint32_t node)
{
	return &t->s->functions[t->s->nodes[node].function];
}

static bool is_library(const struct tree_text *t, uint32_t node)
{
	return node && function_of(t, node)->library;
}

/* ---- the order ---- */

struct weighted {
	uint64_t total_ns;
	uint32_t parent, node;
};

static int by_weight(const void *a, const void *b)
{
	const struct weighted *x = a, *y = b;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	if (x->total_ns != y->total_ns)
		return x->total_ns < y->total_ns ? 1 : -1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static void link_children(struct tree_text *t)
{
	const struct snapshot *s = t->s;
	size_t n = s->n_nodes > 1 ? s->n_nodes - 1 : 0, i;
	struct weighted *list = xcalloc(n + 1, sizeof(*list));

	t->first = xcalloc(s->n_nodes + 1, sizeof(*t->first));
	t->next = xcalloc(s->n_nodes + 1, sizeof(*t->next));
	for (i = 0; i < n; i++)
		list[i] = (struct weighted){ s->nodes[i + 1].total_ns,
					     s->nodes[i + 1].parent, (uint32_t)i + 1 };
	qsort(list, n, sizeof(*list), by_weight);
	for (i = n; i-- > 0;) {
		t->next[list[i].node] = t->first[list[i].parent];
		t->first[list[i].parent] = list[i].node;
	}
	free(list);
}

/* ---- what is folded ---- */

/* A library frame that stays visible inside its library. */
static bool stands_out(const struct tree_text *t, uint32_t node)
{
	uint32_t c;

	if (pct(t, t->s->nodes[node].self_ns) > HOT_PCT)
		return true;
	for (c = t->first[node]; c; c = t->next[c])
		if (!is_library(t, c) && function_of(t, c)->kind != CODE_MARK &&
		    pct(t, t->s->nodes[c].total_ns) >= LEAST_PCT)
			return true;
	return false;
}

static void add_module(struct below *b, const char *module)
{
	size_t i;

	for (i = 0; i < b->modules.n; i++)
		if (strcmp(b->modules.v[i], module) == 0)
			return;
	if (*module)
		*VEC_PUSH(&b->modules) = module;
}

/* The frames below `node`, those of the same library business folded. */
static void fold(const struct tree_text *t, uint32_t node, struct below *b)
{
	uint32_t c;

	for (c = t->first[node]; c; c = t->next[c]) {
		if (!is_library(t, c) || stands_out(t, c)) {
			*VEC_PUSH(&b->nodes) = c;
			continue;
		}
		b->hidden++;
		b->hidden_self_ns += t->s->nodes[c].self_ns;
		add_module(b, function_of(t, c)->module);
		fold(t, c, b);
	}
}

static void below_done(struct below *b)
{
	VEC_DONE(&b->nodes);
	VEC_DONE(&b->modules);
}

/* ---- lines ---- */

static const char *colour(const struct tree_text *t, double p)
{
	if (!t->o->color)
		return "";
	return p > 60 ? "\033[31m" : p > 20 ? "\033[33m" : p > 5 ? "\033[32m" : "\033[2m";
}

static void put_padded(struct text *out, size_t width, const struct text *v)
{
	size_t i;

	for (i = v->n; i < width; i++)
		text_char(out, ' ');
	text_add(out, v->p ? v->p : "", v->n);
}

/* "* 46.9   27.9 s  |  |- ": of the whole, and in words without colours. */
static void put_left(struct tree_text *t, uint64_t ns, bool root, bool last)
{
	struct text v = { 0 };
	double p = pct(t, ns);

	text_fmt(t->out, "%s%c ", colour(t, p),
		 p > 60	  ? '!'
		 : p > 20 ? '*'
		 : p > 5  ? '+'
			  : ' ');
	figure_fixed(&v, p, 1);
	put_padded(t->out, 5, &v);
	text_clear(&v);
	if (figure_plain_counts(t->s))
		figure_count(&v, ns);
	else
		figure_time(&v, ns, " ");
	put_padded(t->out, 10, &v);
	text_str(t->out, t->o->color ? "\033[0m  " : "  ");
	text_add(t->out, t->prefix.p ? t->prefix.p : "", t->prefix.n);
	if (!root)
		text_str(t->out, t->o->ascii ? (last ? "`- " : "|- ")
				 : last	     ? "\xe2\x94\x94\xe2\x94\x80 "
					     : "\xe2\x94\x9c\xe2\x94\x80 ");
	text_done(&v);
}

static void put_function(struct tree_text *t, uint32_t node)
{
	const struct snapshot_function *f = function_of(t, node);
	const char *file = *f->file ? f->file : f->module;

	if (t->o->color)
		text_str(t->out, f->library ? "\033[2m" : "\033[1m");
	text_clean(t->out, f->name, strlen(f->name));
	if (t->o->color)
		text_str(t->out, "\033[0;2m");
	if (*file) {
		text_str(t->out, "  ");
		text_clean(t->out, file, strlen(file));
		if (f->line > 0)
			text_fmt(t->out, ":%d", f->line);
	}
	text_str(t->out, t->o->color ? "\033[0m\n" : "\n");
}

static size_t deeper(struct tree_text *t, bool root, bool last)
{
	size_t before = t->prefix.n;

	if (!root)
		text_str(&t->prefix, last	   ? "   "
				     : t->o->ascii ? "|  "
						   : "\xe2\x94\x82  ");
	return before;
}

static void back(struct tree_text *t, size_t before)
{
	t->prefix.n = before;
	if (t->prefix.p)
		t->prefix.p[before] = '\0';
}

static void put_node(struct tree_text *t, uint32_t node, bool root, bool last);

/* Children that count, then their caller's own time, then a line for the rest. */
static void put_below(struct tree_text *t, const uint32_t *nodes, size_t n,
		      uint64_t self_ns)
{
	double least = t->o->show_all ? 0 : LEAST_PCT;
	uint64_t rest_ns = 0;
	size_t shown = 0, i;
	bool self;

	while (shown < n && pct(t, t->s->nodes[nodes[shown]].total_ns) >= least)
		shown++;
	for (i = shown; i < n; i++)
		rest_ns += t->s->nodes[nodes[i]].total_ns;
	self = n && self_ns && pct(t, self_ns) >= least;
	for (i = 0; i < shown; i++)
		put_node(t, nodes[i], false, i + 1 == shown && !self && shown == n);
	if (self) {
		put_left(t, self_ns, false, shown == n);
		text_str(t->out, "[self]\n");
	}
	if (shown < n) {
		put_left(t, rest_ns, false, true);
		text_fmt(t->out, "%zu more below %.0f%%\n", n - shown, LEAST_PCT);
	}
}

static int by_total(const void *a, const void *b, void *arg)
{
	const struct tree_text *t = arg;
	uint64_t x = t->s->nodes[*(const uint32_t *)a].total_ns;
	uint64_t y = t->s->nodes[*(const uint32_t *)b].total_ns;

	if (x != y)
		return x < y ? 1 : -1;
	return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

static void put_folded(struct tree_text *t, uint32_t node, struct below *b)
{
	uint64_t total = b->hidden_self_ns, cells = 0;
	size_t i, before;
	bool self =
	    t->s->nodes[node].self_ns && pct(t, t->s->nodes[node].self_ns) >= LEAST_PCT;

	for (i = 0; i < b->nodes.n; i++)
		total += t->s->nodes[b->nodes.v[i]].total_ns;
	if (pct(t, total) >= LEAST_PCT) {
		put_left(t, total, false, !self);
		text_fmt(t->out, "[%zu frames hidden] ", b->hidden);
		for (i = 0; i < b->modules.n; i++) {
			cells += columns_of(b->modules.v[i]) + 2;
			if (i && cells > MODULES_CELLS) {
				text_str(t->out, ", ...");
				break;
			}
			text_str(t->out, i ? ", " : " ");
			text_clean(t->out, b->modules.v[i], strlen(b->modules.v[i]));
		}
		text_char(t->out, '\n');
		before = deeper(t, false, !self);
		put_below(t, b->nodes.v, b->nodes.n, b->hidden_self_ns);
		back(t, before);
	}
	if (self) {
		put_left(t, t->s->nodes[node].self_ns, false, true);
		text_str(t->out, "[self]\n");
	}
}

static void put_node(struct tree_text *t, uint32_t node, bool root, bool last)
{
	struct below b = { 0 }, all = { 0 };
	size_t before;
	uint32_t c;

	put_left(t, t->s->nodes[node].total_ns, root, last);
	put_function(t, node);
	before = deeper(t, root, last);
	if (is_library(t, node) && !t->o->show_all)
		fold(t, node, &b);
	if (b.hidden >= 2) {
		if (b.nodes.n)
			qsort_r(b.nodes.v, b.nodes.n, sizeof(*b.nodes.v), by_total, t);
		put_folded(t, node, &b);
	} else {
		for (c = t->first[node]; c; c = t->next[c])
			*VEC_PUSH(&all.nodes) = c;
		put_below(t, all.nodes.v, all.nodes.n, t->s->nodes[node].self_ns);
	}
	below_done(&b);
	below_done(&all);
	back(t, before);
}

static void put_title(struct tree_text *t)
{
	const struct snapshot *s = t->s;
	char how[64];

	if (*s->command)
		text_clean(t->out, s->command, strlen(s->command));
	else
		text_str(t->out, "profile");
	if (s->pid)
		text_fmt(t->out, " (pid %d)", (int)s->pid);
	if (!figure_plain_counts(s)) {
		text_str(t->out,
			 s->mode == MODE_WALL ? ": wall-clock time " : ": CPU time ");
		figure_time(t->out, s->weight_ns, " ");
		text_str(t->out, " in ");
		figure_time(t->out, s->covered_ns, " ");
	}
	text_str(t->out, ", ");
	figure_count(t->out, s->samples);
	text_str(t->out, " samples");
	if (s->rate_hz > 0) {
		text_str(t->out, " at ");
		figure_fixed(t->out, s->rate_hz, 0);
		text_str(t->out, " Hz");
	}
	text_str(t->out, ", lost: ");
	figure_losses(t->out, s);
	if (s->exit_status != -1)
		text_fmt(t->out, "; process %s",
			 ended_text(s->exit_status, how, sizeof(how)));
	text_str(t->out, "\n\n TOTAL%     TOTAL  CALL TREE  (! > 60%, * > 20%, + > 5%");
	text_str(t->out, s->samples < 100 ? "; few samples: rough figures)\n" : ")\n");
}

static int tree_write(const struct snapshot *s, const struct export_options *o,
		      struct text *out, struct error *err)
{
	struct tree_text t = { .s = s, .o = o, .out = out };
	uint64_t rest_ns = 0;
	size_t rest = 0;
	uint32_t c;

	(void)err;
	link_children(&t);
	put_title(&t);
	for (c = t.first[0]; c; c = t.next[c]) {
		if (o->show_all || pct(&t, s->nodes[c].total_ns) >= LEAST_PCT) {
			put_node(&t, c, true, true);
			continue;
		}
		rest_ns += s->nodes[c].total_ns;
		rest++;
	}
	if (rest) {
		put_left(&t, rest_ns, true, true);
		text_fmt(out, "%zu more below %.0f%%\n", rest, LEAST_PCT);
	}
	free(t.first);
	free(t.next);
	text_done(&t.prefix);
	return 0;
}

const struct exporter tree_exporter = {
	.name = "tree",
	.help = "call tree as text: paste it in a ticket",
	.suffix = ".txt",
	.wants_tree = true,
	.write = tree_write,
};
