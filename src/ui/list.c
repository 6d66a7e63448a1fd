/* Selection and scrolling, clamped after every step. */
#include "ui/list.h"

#include <stdio.h>

static void settle(struct list *l)
{
	size_t page = l->page > 0 ? (size_t)l->page : 1;

	if (l->selected >= l->n)
		l->selected = l->n ? l->n - 1 : 0;
	if (l->selected < l->top)
		l->top = l->selected;
	if (l->selected >= l->top + page)
		l->top = l->selected - page + 1;
	if (l->top + page > l->n)
		l->top = l->n > page ? l->n - page : 0;
}

void list_lay(struct list *l, size_t n, struct box b)
{
	l->n = n;
	l->page = b.height > 0 ? b.height : 1;
	l->x = b.x;
	l->y = b.y;
	settle(l);
}

void list_select(struct list *l, size_t row)
{
	l->selected = row;
	settle(l);
}

static void move(struct list *l, bool up, int by)
{
	size_t step = by > 0 ? (size_t)by : 1;

	if (up)
		list_select(l, l->selected > step ? l->selected - step : 0);
	else
		list_select(l, l->selected + step);
}

bool list_act(struct list *l, enum action action)
{
	switch (action) {
	case ACTION_UP:
	case ACTION_DOWN:
		move(l, action == ACTION_UP, 1);
		return true;
	case ACTION_PAGE_UP:
	case ACTION_PAGE_DOWN:
		move(l, action == ACTION_PAGE_UP, l->page - 1);
		return true;
	case ACTION_HALF_UP:
	case ACTION_HALF_DOWN:
		move(l, action == ACTION_HALF_UP, l->page / 2);
		return true;
	case ACTION_FIRST:
		list_select(l, 0);
		return true;
	case ACTION_LAST:
		list_select(l, l->n);
		return true;
	default:
		return false;
	}
}

size_t list_hit(const struct list *l, int y)
{
	size_t row;

	if (y < l->y || y >= l->y + l->page)
		return l->n;
	row = l->top + (size_t)(y - l->y);
	return row < l->n ? row : l->n;
}

void list_mark(const struct list *l, struct canvas *c, int y, int width)
{
	canvas_put(c, l->x, y, 1, ROLE_STRONG, ">");
	canvas_select(c, l->x, y, width);
	c->cursor_x = l->x;
	c->cursor_y = y;
}

void list_status(const struct list *l, char *buf, size_t size)
{
	size_t last = l->top + (size_t)(l->page > 0 ? l->page : 1);

	if (l->n == 0)
		snprintf(buf, size, "none");
	else
		snprintf(buf, size, "%zu-%zu of %zu", l->top + 1,
			 last < l->n ? last : l->n, l->n);
}
