/* Standard error while a picture is on the screen: kept, shown as messages, printed at
 * the end. */
#ifndef PTOP_UI_CAPTURE_H
#define PTOP_UI_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct capture {
	int fd;	      /* to read from; -1: nothing is captured */
	int saved_fd; /* the standard error before */
	struct text kept;
	size_t dropped_bytes;
	char line[512]; /* being put together */
	size_t n;
};

void capture_open(struct capture *c);
/* Puts the next whole line, cleaned, into buf; false when there is none yet. */
bool capture_line(struct capture *c, char *buf, size_t size);
/* Gives standard error back and prints what was kept. */
void capture_close(struct capture *c);

#endif
