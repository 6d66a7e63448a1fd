/* Which columns the function list has at a width, and where. */
#ifndef PTOP_UI_COLUMNS_H
#define PTOP_UI_COLUMNS_H

#include <stdbool.h>

#include "ui/canvas.h"
#include "ui/order.h"

enum column {
	COLUMN_SELF_PCT,
	COLUMN_TOTAL_PCT,
	COLUMN_DELTA,
	COLUMN_SELF,
	COLUMN_TOTAL,
	COLUMN_TREND,
	COLUMN_THREAD,
	COLUMN_FUNCTION,
	COLUMN_MODULE,
	COLUMN_FILE,
	COLUMNS
};

struct columns {
	struct {
		int x, width; /* width 0: not shown. The cell after it is the mark's */
	} at[COLUMNS];
};

/* threads: a row is a function of one thread, so the thread must be named. delta: there
 * is a baseline to compare with. */
struct columns columns_lay(int width, bool threads, bool delta);
/* Titles, with the mark of the order on the column sorted by. `trend` is "TREND 60s". */
void columns_title(const struct columns *cols, struct canvas *c, struct box row,
		   const struct order_spec *spec, const char *trend);
/* What a column sorts by; SORT_KEYS for the trend. */
enum sort_key columns_sort(enum column col);
/* The column at x, or COLUMNS. */
enum column columns_hit(const struct columns *cols, int x);

#endif
