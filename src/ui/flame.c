/* The flame graph: a row a level of the stack, a frame as wide as its share of the frame
 * zoomed to. A frame narrower than a column is a dot, and counted. The selection and the
 * zoom are paths, so they hold while figures change. With a baseline, a frame tells its
 * difference in words and in colour. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/children.h"
#include "ui/flame_details.h"
#include "ui/rows.h"
#include "ui/view.h"

#define ABOVE_MOST 3 /* callers of the frame zoomed to that are shown */
#define LAYERS_MOST 500
#define DELTA_POINTS 1.0

/* A frame as laid out. */
struct plate {
	uint32_t node;
	int x, width; /* cells */
	int layer;    /* 0: the frame zoomed to; its callers have negative ones */
	uint64_t from_ns;
	bool dots; /* stands for frames too narrow to draw */
};

struct flame {
	const struct snapshot *of;
	uint64_t of_number;
	unsigned char
	    *hits; /* by function: it matches what is searched; NULL: nothing is */
	struct children children;
	VEC(struct plate) plates; /* by layer, then x */
	uint64_t zoom, selected;  /* paths; 0: all */
	uint32_t zoom_node, selected_node;
	bool stale, root_below;
	int width;	/* laid out for */
	int top;	/* first layer in sight */
	struct box box; /* of the frames */
	size_t narrow, matches;
	uint64_t narrow_ns, matched_ns;
};

static void *flame_open(struct shared *sh)
{
	(void)sh;
	return xcalloc(1, sizeof(struct flame));
}

static void flame_close(void *state)
{
	struct flame *v = state;

	children_done(&v->children);
	VEC_DONE(&v->plates);
	free(v->hits);
	free(v);
}

static void flame_update(void *state, const struct shared *sh)
{
	struct flame *v = state;

	v->stale = true;
	if (sh->shown != v->of || sh->shown->number != v->of_number)
		v->of = NULL;
}

static uint32_t find_path(const struct flame *v, uint64_t path)
{
	size_t i;

	for (i = 1; path && i < v->children.n; i++)
		if (v->children.path[i] == path)
			return (uint32_t)i;
	return 0;
}

static int column_of(const struct flame *v, const struct snapshot *s, uint64_t ns)
{
	uint64_t all = s->nodes[v->zoom_node].total_ns;

	return all ? (int)((double)ns * v->width / (double)all + 0.5) : 0;
}

static void add_dots(struct flame *v, uint32_t node, int layer, int x, int end)
{
	struct plate *p;

	if (x >= end)
		return;
	p = VEC_PUSH(&v->plates);
	*p = (struct plate){
		.node = node, .x = x, .width = 1, .layer = layer, .dots = true
	};
}

/* The children of plate i, on the layer below. */
static void lay_children(struct flame *v, const struct snapshot *s, size_t i)
{
	const struct plate p = v->plates.v[i];
	uint64_t from = p.from_ns;
	int x = p.x, end = p.x + p.width;
	uint32_t k, dotted = 0;

	for (k = v->children.first[p.node]; k < v->children.first[p.node + 1]; k++) {
		uint32_t node = v->children.list[k];
		uint64_t ns = s->nodes[node].total_ns;
		int to = column_of(v, s, from + ns);

		if (to > end)
			to = end;
		if (to > x) {
			struct plate *q = VEC_PUSH(&v->plates);

			*q = (struct plate){ node, x, to - x, p.layer + 1, from, false };
			x = to;
		} else {
			v->narrow++;
			v->narrow_ns += ns;
			dotted = dotted ? dotted : node;
		}
		from += ns;
	}
	if (dotted)
		add_dots(v, dotted, p.layer + 1, x, end);
}

static void count_matches(struct flame *v, const struct snapshot *s,
			  const struct filter *f)
{
	unsigned char *in = xcalloc(s->n_nodes + 1, 1);
	size_t i;

	v->matches = 0;
	v->matched_ns = 0;
	free(v->hits);
	v->hits = filter_functions(f, s);
	for (i = 1; v->hits && i < s->n_nodes; i++) {
		bool is = v->hits[s->nodes[i].function];

		in[i] = in[s->nodes[i].parent] || is;
		v->matches += is;
		if (is && !in[s->nodes[i].parent])
			v->matched_ns += s->nodes[i].total_ns;
	}
	free(in);
}

static void lay(struct flame *v, const struct shared *sh, int width)
{
	const struct snapshot *s = sh->shown;
	uint32_t node;
	int above = 0;
	size_t i;

	if (v->of != s)
		children_build(&v->children, s);
	v->of = s;
	v->of_number = s->number;
	v->stale = false;
	v->width = width;
	v->zoom_node = find_path(v, v->zoom);
	v->selected_node = v->selected ? find_path(v, v->selected) : v->zoom_node;
	v->narrow = 0;
	v->narrow_ns = 0;
	VEC_CLEAR(&v->plates);
	for (node = v->zoom_node; node && above < ABOVE_MOST; above++) {
		node = s->nodes[node].parent;
		*VEC_PUSH(&v->plates) =
		    (struct plate){ node, 0, width, -above - 1, 0, false };
	}
	/* Layers ascend. */
	for (i = 0; i < v->plates.n / 2; i++) {
		struct plate t = v->plates.v[i];

		v->plates.v[i] = v->plates.v[v->plates.n - 1 - i];
		v->plates.v[v->plates.n - 1 - i] = t;
	}
	i = v->plates.n;
	*VEC_PUSH(&v->plates) = (struct plate){ v->zoom_node, 0, width, 0, 0, false };
	for (; i < v->plates.n; i++)
		if (!v->plates.v[i].dots && v->plates.v[i].layer < LAYERS_MOST)
			lay_children(v, s, i);
	count_matches(v, s, &sh->filter);
}

static const struct plate *plate_of(const struct flame *v, uint32_t node)
{
	size_t i;

	for (i = 0; i < v->plates.n; i++)
		if (v->plates.v[i].node == node && !v->plates.v[i].dots)
			return &v->plates.v[i];
	return NULL;
}

/* ---- drawing ---- */

static double delta_of(const struct flame *v, const struct shared *sh, uint32_t node)
{
	return snapshot_pct(sh->shown, sh->shown->nodes[node].total_ns) -
	       baseline_path(&sh->base, v->children.path[node]).total_pct;
}

static enum role plate_role(const struct flame *v, const struct shared *sh,
			    const struct plate *p, bool matched)
{
	const struct snapshot_function *f;
	double d;

	if (matched)
		return ROLE_TAG;
	if (!p->node)
		return ROLE_FLAME_ROOT;
	if (baseline_fits(&sh->base, sh->shown)) {
		d = delta_of(v, sh, p->node);
		return d >= DELTA_POINTS    ? ROLE_FLAME_MORE
		       : d <= -DELTA_POINTS ? ROLE_FLAME_LESS
					    : ROLE_FLAME_SAME;
	}
	f = flame_function(sh->shown, p->node);
	return f->kind == CODE_KERNEL ? ROLE_FLAME_KERNEL
	       : f->kind == CODE_MARK ? ROLE_FLAME_SAME
	       : f->library	      ? ROLE_FLAME_LIBRARY
				      : ROLE_FLAME_APP;
}

static void draw_plate(const struct flame *v, const struct shared *sh, struct canvas *c,
		       const struct plate *p, int y)
{
	const struct snapshot *s = sh->shown;
	bool matched = p->node && v->hits && v->hits[s->nodes[p->node].function];
	enum role role = plate_role(v, sh, p, matched);
	int x = v->box.x + p->x, width = p->width;
	double pct = snapshot_pct(s, s->nodes[p->node].total_ns);
	char text[700], delta[24] = "";

	if (p->dots) {
		canvas_put(c, x, y, 1, ROLE_DIM, ".");
		return;
	}
	canvas_fill(c, x, y, width, role, ' ');
	/* Its end, where no neighbour follows and colours do not tell. */
	if (p->x + width < v->width)
		canvas_put(c, x + width, y, 1, ROLE_DIM, "|");
	if (p->node && baseline_fits(&sh->base, s) &&
	    fabs(delta_of(v, sh, p->node)) >= 0.05)
		snprintf(delta, sizeof(delta), " (%+.1f)", delta_of(v, sh, p->node));
	/* A bar where a frame meets its left neighbour. */
	if (p->x) {
		canvas_put(c, x, y, 1, role, "|");
		x++, width--;
	}
	snprintf(text, sizeof(text), "%s%.600s%s %.1f%%%s", matched ? "*" : "",
		 flame_name(s, p->node), matched ? "*" : "", pct, delta);
	if (canvas_cells(c, text, width + 1) > width)
		snprintf(text, sizeof(text), "%s%.600s", matched ? "*" : "",
			 flame_name(s, p->node));
	if (width > 1)
		canvas_cut(c, x, y, width, role, text, 0);
	if (p->node == v->selected_node && !p->dots) {
		canvas_select(c, v->box.x + p->x, y, p->width);
		c->cursor_x = v->box.x + p->x;
		c->cursor_y = y;
	}
}

static int first_layer(const struct flame *v)
{
	return v->plates.n ? v->plates.v[0].layer : 0;
}

/* Keeps the selected frame in sight. */
static void scroll(struct flame *v, int rows)
{
	const struct plate *p = plate_of(v, v->selected_node);
	int last = v->plates.n ? v->plates.v[v->plates.n - 1].layer : 0;

	if (!p)
		v->selected_node = v->zoom_node;
	else if (p->layer < v->top)
		v->top = p->layer;
	else if (p->layer >= v->top + rows)
		v->top = p->layer - rows + 1;
	if (v->top + rows > last + 1)
		v->top = last + 1 - rows;
	if (v->top < first_layer(v))
		v->top = first_layer(v);
}

static void flame_draw(void *state, const struct shared *sh, struct canvas *c,
		       struct box b)
{
	struct flame *v = state;
	int details = flame_details_lines(b.height);
	size_t i;

	v->box = (struct box){ b.x, b.y, b.width, b.height - details };
	if (!row_tree_there(sh, c, b))
		return;
	if (v->stale || v->of != sh->shown || v->width != b.width)
		lay(v, sh, b.width);
	scroll(v, v->box.height);
	for (i = 0; i < v->plates.n; i++) {
		int row = v->plates.v[i].layer - v->top;

		if (row < 0 || row >= v->box.height)
			continue;
		if (v->root_below)
			row = v->box.height - 1 - row;
		draw_plate(v, sh, c, &v->plates.v[i], v->box.y + row);
	}
	if (details)
		flame_details(
		    &(struct flame_facts){ v->selected_node, v->zoom_node, v->matches,
					   v->matched_ns, v->narrow, v->narrow_ns,
					   &v->children },
		    sh, c,
		    (struct box){ b.x, b.y + b.height - details, b.width, details });
}

/* ---- moving ---- */

static void select_node(struct flame *v, struct shared *sh, uint32_t node)
{
	v->selected_node = node;
	v->selected = node ? v->children.path[node] : 0;
	if (node)
		sh->function = flame_function(sh->shown, node)->function;
}

/* To the frame's caller, or to its widest callee. */
static void move_layer(struct flame *v, struct shared *sh, bool to_caller)
{
	const struct plate *p = plate_of(v, v->selected_node);
	size_t i;

	if (!p)
		return;
	if (to_caller) {
		if (p->layer > first_layer(v))
			select_node(v, sh, sh->shown->nodes[p->node].parent);
		return;
	}
	for (i = 0; i < v->plates.n; i++) {
		const struct plate *q = &v->plates.v[i];

		if (q->layer == p->layer + 1 && !q->dots &&
		    (q->layer <= 0 || sh->shown->nodes[q->node].parent == p->node)) {
			select_node(v, sh, q->node);
			return;
		}
	}
}

/* To the next frame on the same layer. */
static void move_aside(struct flame *v, struct shared *sh, int by)
{
	const struct plate *p = plate_of(v, v->selected_node), *q;

	if (!p)
		return;
	for (q = p + by; q >= v->plates.v && q < v->plates.v + v->plates.n; q += by) {
		if (q->layer != p->layer)
			return;
		if (!q->dots) {
			select_node(v, sh, q->node);
			return;
		}
	}
}

static void zoom_to(struct flame *v, uint32_t node)
{
	v->zoom = node ? v->children.path[node] : 0;
	v->selected = v->zoom;
	v->top = -ABOVE_MOST;
	v->stale = true;
}

/* Through all frames that match, in the order of the tree, whether they are in sight or
 * not: the zoom follows. */
static void next_match(struct flame *v, struct shared *sh, int by)
{
	const struct snapshot *s = sh->shown;
	size_t n = s->n_nodes, i, at = v->selected_node;

	for (i = 0; i < n && v->hits; i++) {
		at = (at + (by > 0 ? 1 : n - 1)) % n;
		if (!at || !v->hits[s->nodes[at].function])
			continue;
		if (!plate_of(v, (uint32_t)at))
			zoom_to(v, s->nodes[at].parent);
		select_node(v, sh, (uint32_t)at);
		return;
	}
}

static bool act_on_zoom(struct flame *v, struct shared *sh, enum action action)
{
	switch (action) {
	case ACTION_OPEN:
		zoom_to(v, v->selected_node);
		return true;
	case ACTION_BACK:
		if (!v->zoom_node)
			return false;
		zoom_to(v, sh->shown->nodes[v->zoom_node].parent);
		return true;
	case ACTION_ALL:
		zoom_to(v, 0);
		return true;
	case ACTION_INVERT:
		v->root_below = !v->root_below;
		return true;
	case ACTION_NEXT_MATCH:
	case ACTION_PREVIOUS_MATCH:
		next_match(v, sh, action == ACTION_NEXT_MATCH ? 1 : -1);
		return true;
	case ACTION_SOURCE:
		if (!v->selected_node)
			return false;
		select_node(v, sh, v->selected_node);
		sh->open_over = &source_view;
		return true;
	default:
		return false;
	}
}

static bool flame_act(void *state, struct shared *sh, enum action action)
{
	struct flame *v = state;
	int k;

	if (!sh->shown || !sh->shown->n_nodes || v->of != sh->shown)
		return false;
	switch (action) {
	case ACTION_UP:
	case ACTION_DOWN:
		move_layer(v, sh, (action == ACTION_UP) != v->root_below);
		return true;
	case ACTION_LEFT:
	case ACTION_RIGHT:
		move_aside(v, sh, action == ACTION_RIGHT ? 1 : -1);
		return true;
	case ACTION_PAGE_UP:
	case ACTION_PAGE_DOWN:
	case ACTION_HALF_UP:
	case ACTION_HALF_DOWN:
		for (k = 0; k < v->box.height / 2; k++)
			move_layer(v, sh,
				   (action == ACTION_PAGE_UP ||
				    action == ACTION_HALF_UP) != v->root_below);
		return true;
	case ACTION_FIRST:
		select_node(v, sh, v->zoom_node);
		return true;
	case ACTION_LAST:
		for (k = 0; k < LAYERS_MOST; k++)
			move_layer(v, sh, false);
		return true;
	default:
		return act_on_zoom(v, sh, action);
	}
}

static void flame_enter(void *state, struct shared *sh)
{
	struct flame *v = state;
	const struct snapshot *s = sh->shown;
	uint32_t best = 0;
	size_t i;

	/* From a view about one function: to where it takes most time. */
	if (!sh->focus || !s || !s->n_nodes)
		return;
	lay(v, sh, v->width ? v->width : 80);
	for (i = 1; i < s->n_nodes; i++)
		if (flame_function(s, (uint32_t)i)->function == sh->function &&
		    (!best || s->nodes[i].total_ns > s->nodes[best].total_ns))
			best = (uint32_t)i;
	if (best)
		zoom_to(v, best);
}

static void flame_click(void *state, struct shared *sh, int x, int y)
{
	struct flame *v = state;
	int row = y - v->box.y;
	size_t i;

	if (row < 0 || row >= v->box.height || v->of != sh->shown)
		return;
	if (v->root_below)
		row = v->box.height - 1 - row;
	for (i = 0; i < v->plates.n; i++) {
		const struct plate *p = &v->plates.v[i];

		if (p->layer != v->top + row || p->dots || x < v->box.x + p->x ||
		    x >= v->box.x + p->x + p->width)
			continue;
		select_node(v, sh, p->node);
		return;
	}
}

static void flame_status(void *state, const struct shared *sh, char *buf, size_t size)
{
	const struct flame *v = state;

	if (v->zoom_node && v->of == sh->shown)
		snprintf(buf, size, "zoom %.40s", flame_name(sh->shown, v->zoom_node));
	else
		snprintf(buf, size, "all");
}

const struct view flame_view = {
	.name = "Flame",
	.short_name = "Flame",
	.place = IN_VIEW,
	.folds = true,
	.shows_lines = true,
	.wants = WANT_TREE,
	.open = flame_open,
	.close = flame_close,
	.update = flame_update,
	.enter = flame_enter,
	.draw = flame_draw,
	.act = flame_act,
	.click = flame_click,
	.status = flame_status,
};
