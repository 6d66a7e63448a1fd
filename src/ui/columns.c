/*  0      7       15     22     29         40                     63
 *  > SELF%v TOTAL%   SELF  TOTAL TREND 60s  FUNCTION               FILE:LINE
 * Figures have fixed places, so that a wider screen never moves what the eye has found;
 * names share what is left. */
#include "ui/columns.h"

#include <string.h>

static const struct {
	const char *title;
	bool left;
	enum sort_key sort;
} columns[COLUMNS] = {
	[COLUMN_SELF_PCT] = { "SELF%", false, SORT_SELF },
	[COLUMN_TOTAL_PCT] = { "TOTAL%", false, SORT_TOTAL },
	[COLUMN_DELTA] = { "vs base", false, SORT_DELTA },
	[COLUMN_SELF] = { "SELF", false, SORT_SELF },
	[COLUMN_TOTAL] = { "TOTAL", false, SORT_TOTAL },
	[COLUMN_TREND] = { "TREND", true, SORT_KEYS },
	[COLUMN_THREAD] = { "THREAD", true, SORT_THREAD },
	[COLUMN_FUNCTION] = { "FUNCTION", true, SORT_NAME },
	[COLUMN_MODULE] = { "MODULE", true, SORT_MODULE },
	[COLUMN_FILE] = { "FILE:LINE", true, SORT_FILE },
};

static void place(struct columns *cols, enum column col, int x, int width)
{
	cols->at[col].x = x;
	cols->at[col].width = width;
}

/* Names from x on. The module has a column of its own on wide screens only; else it
 * stands where a file is not known. */
static void lay_names(struct columns *cols, int x, int width, bool threads, bool wide)
{
	int file = 0, module = 0, rest = width - x;

	if (threads) {
		place(cols, COLUMN_THREAD, x, 12);
		x += 13;
		rest -= 13;
	}
	if (rest >= 34)
		file = wide ? rest * 2 / 7 : rest * 9 / 20 < 18 ? rest * 9 / 20 : 18;
	if (wide)
		module = rest / 6 < 24 ? rest / 6 : 24;
	if (file > 40)
		file = 40;
	rest -= (file ? file + 1 : 0) + (module ? module + 1 : 0);
	place(cols, COLUMN_FUNCTION, x, rest > 0 ? rest : 0);
	if (module)
		place(cols, COLUMN_MODULE, x + rest + 1, module);
	if (file)
		place(cols, COLUMN_FILE, width - file, file);
}

struct columns columns_lay(int width, bool threads, bool delta)
{
	struct columns cols = { 0 };
	int x = 0;

	place(&cols, COLUMN_SELF_PCT, 1, 5);
	if (width < 40) {
		place(&cols, COLUMN_FUNCTION, 8, width > 8 ? width - 8 : 0);
		return cols;
	}
	if (width < 60) {
		place(&cols, COLUMN_TOTAL_PCT, 8, 5);
		place(&cols, COLUMN_FUNCTION, 15, width - 15);
		return cols;
	}
	place(&cols, COLUMN_TOTAL_PCT, 8, 6);
	if (delta) { /* in place of times where there is no room for both */
		place(&cols, COLUMN_DELTA, 15, 7);
		x = 8;
	}
	if (!delta || width >= 80)
		place(&cols, COLUMN_SELF, x + 16, 5);
	if (width < 80) {
		lay_names(&cols, 23, width, threads, false);
		return cols;
	}
	if (!delta || width >= 100) {
		place(&cols, COLUMN_TOTAL, x + 23, 5);
		x += 6;
	}
	place(&cols, COLUMN_TREND, x + 23, TREND_CELLS);
	lay_names(&cols, x + 34, width, threads, width >= 120);
	return cols;
}

void columns_title(const struct columns *cols, struct canvas *c, struct box row,
		   const struct order_spec *spec, const char *trend)
{
	bool marked = false;
	int i;

	canvas_fill(c, row.x, row.y, row.width, ROLE_HEADING, ' ');
	for (i = 0; i < COLUMNS; i++) {
		const char *title = i == COLUMN_TREND ? trend : columns[i].title;
		int x = row.x + cols->at[i].x, width = cols->at[i].width, cells;
		bool by = !marked && columns[i].sort == spec->sort;
		enum role role = by ? ROLE_SORTED : ROLE_HEADING;

		if (width == 0)
			continue;
		if (width == 5 && i == COLUMN_TOTAL_PCT)
			title = "TOT%";
		cells = (int)strlen(title) < width ? (int)strlen(title) : width;
		if (!columns[i].left)
			x += width - cells;
		canvas_put(c, x, row.y, cells, role, title);
		if (by)
			canvas_put(c, x + cells, row.y, 1, role,
				   spec->inverted ? "^" : "v");
		marked = marked || by;
	}
}

enum sort_key columns_sort(enum column col)
{
	return (unsigned)col < COLUMNS ? columns[col].sort : SORT_KEYS;
}

enum column columns_hit(const struct columns *cols, int x)
{
	int i;

	for (i = 0; i < COLUMNS; i++)
		if (cols->at[i].width && x >= cols->at[i].x - (i == COLUMN_SELF_PCT) &&
		    x <= cols->at[i].x + cols->at[i].width)
			return (enum column)i;
	return COLUMNS;
}
