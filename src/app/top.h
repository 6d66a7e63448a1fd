/* What commands with a screen share. */
#ifndef PTOP_APP_TOP_H
#define PTOP_APP_TOP_H

#include <signal.h>
#include <stdbool.h>

/* Standard input and output are a terminal that can be drawn on. */
bool top_terminal_can(void);
/* Blocks the screen's signals; before the first thread is made, so that all inherit it. */
void top_block_signals(void);

#endif
