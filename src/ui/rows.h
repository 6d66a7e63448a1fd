/* Pieces that rows about functions are made of, the same in every view. */
#ifndef PTOP_UI_ROWS_H
#define PTOP_UI_ROWS_H

#include "ui/view.h"

enum role row_role(const struct snapshot_function *f);
/* "31.2*": a percentage and its mark in the cell after it. */
void row_pct(struct canvas *c, int x, int y, int width, double pct, bool few);
/* "+9.1": points of percentage against the baseline. */
void row_delta(struct canvas *c, int x, int y, int width, double points);
/* "json/decoder.c:353", or the module where no file is known and it is not shown. A path loses its first
 * folders until it fits. */
void row_place(struct canvas *c, int x, int y, int width,
	       const struct snapshot_function *f, bool module_shown);
/* Cells for that column on a view of this width; 0 when there is no room. */
int row_file_cells(int width);
/* False, with a word instead, while the picture has no tree yet. */
bool row_tree_there(const struct shared *sh, struct canvas *c, struct box b);
/* A command line without the folder of its program: a short line shows what follows. */
const char *row_command(const char *cmdline);
/* Says why a list is empty. */
void row_nothing(const struct shared *sh, struct canvas *c, struct box row);

#endif
