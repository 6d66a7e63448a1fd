/* A selected row and the part of a list that is in sight: what every list on the screen
 * moves by the same keys. The rows are the owner's. */
#ifndef PTOP_UI_LIST_H
#define PTOP_UI_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/canvas.h"
#include "ui/keys.h"

/* Zeroed is an empty list. */
struct list {
	size_t n, selected, top;
	int page; /* rows in sight, at least 1 */
	int x, y; /* of the first row, as drawn last */
};

/* A new number of rows, a new place; keeps the selected row in sight. */
void list_lay(struct list *l, size_t n, struct box b);
void list_select(struct list *l, size_t row);
/* Moves by one of the moving actions; false when it is none. */
bool list_act(struct list *l, enum action action);
/* The row at line y, or n. */
size_t list_hit(const struct list *l, int y);
/* Marks the selected row as drawn at y, and puts the cursor there. */
void list_mark(const struct list *l, struct canvas *c, int y, int width);
/* "1-18 of 412" */
void list_status(const struct list *l, char *buf, size_t size);

#endif
