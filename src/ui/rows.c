/* What a colour says is said by a character too: `!` `*` `+` beside a percentage, the sign
 * of a difference. */
#include "ui/rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/figures.h"

enum role row_role(const struct snapshot_function *f)
{
	if (f->kind == CODE_MARK)
		return ROLE_MARK;
	if (f->kind == CODE_KERNEL)
		return ROLE_KERNEL;
	return f->library ? ROLE_LIBRARY : ROLE_APP;
}

const char *row_command(const char *cmdline)
{
	const char *end = cmdline + strcspn(cmdline, " "), *p = end;

	while (p > cmdline && p[-1] != '/')
		p--;
	return p == end ? cmdline : p;
}

void row_pct(struct canvas *c, int x, int y, int width, double pct, bool few)
{
	char mark[2] = { fig_mark(pct), '\0' };
	enum role role = mark[0] == '!'	  ? ROLE_HOT
			 : mark[0] == '*' ? ROLE_WARM
			 : mark[0] == '+' ? ROLE_COOL
					  : ROLE_TEXT;

	canvas_right(c, x, y, width, role, fig_pct(pct, few).s);
	canvas_put(c, x + width, y, 1, role, mark);
}

void row_delta(struct canvas *c, int x, int y, int width, double points)
{
	char buf[16];

	if (fabs(points) < 0.05)
		points = 0;
	snprintf(buf, sizeof(buf), "%+.1f", points);
	canvas_right(c, x, y, width,
		     points >= 1    ? ROLE_HOT
		     : points <= -1 ? ROLE_OK
				    : ROLE_TEXT,
		     buf);
}

void row_place(struct canvas *c, int x, int y, int width,
	       const struct snapshot_function *f, bool module_shown)
{
	const char *p = f->file, *slash;
	char line[16] = "";
	int room = width;

	if (!f->file[0]) {
		canvas_cut(c, x, y, width, ROLE_DIM, module_shown ? "" : f->module, 0);
		return;
	}
	if (f->line > 0)
		room -= snprintf(line, sizeof(line), ":%d", f->line);
	while (canvas_cells(c, p, room + 1) > room && (slash = strchr(p, '/')) &&
	       slash[1])
		p = slash + 1;
	x += canvas_cut(c, x, y, room, ROLE_DIM, p, 0);
	canvas_put(c, x, y, width, ROLE_DIM, line);
}

int row_file_cells(int width)
{
	return width >= 120 ? 36 : width >= 100 ? 26 : width >= 72 ? 20 : 0;
}

bool row_tree_there(const struct shared *sh, struct canvas *c, struct box b)
{
	if (sh->shown->n_nodes)
		return true;
	canvas_put(c, b.x + 1, b.y + 1, b.width - 1, ROLE_DIM,
		   sh->shown->wants & WANT_TREE ? "no samples in this window"
						: "asking for the call tree ...");
	return false;
}

void row_nothing(const struct shared *sh, struct canvas *c, struct box row)
{
	const struct snapshot *s = sh->shown;
	int x = row.x + 1, width = row.width - 1;

	if (sh->filter.invalid)
		canvas_put(c, x, row.y, width, ROLE_WARN,
			   "not a regular expression (yet)");
	else if (s->n_functions && sh->filter.text[0])
		canvas_fmt(c, x, row.y, width, ROLE_WARN, "nothing matches %s",
			   sh->filter.text);
	else if (s->mode == MODE_CPU)
		canvas_put(c, x, row.y, width, ROLE_TEXT,
			   "no CPU time in this window; e shows wall time");
	else
		canvas_put(c, x, row.y, width, ROLE_TEXT, "no samples in this window");
}
