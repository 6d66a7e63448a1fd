#include "ui/terminal_size.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ui/canvas.h"

struct winsize terminal_size(void)
{
	struct winsize w = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == -1 || w.ws_col == 0 || w.ws_row == 0)
		w = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	if (w.ws_col > CANVAS_WIDTH_MAX)
		w.ws_col = CANVAS_WIDTH_MAX;
	if (w.ws_row > CANVAS_HEIGHT_MAX)
		w.ws_row = CANVAS_HEIGHT_MAX;
	return w;
}

void terminal_size_tell(bool told)
{
	struct winsize w = terminal_size();
	char size[8];

	unsetenv("LINES");
	unsetenv("COLUMNS");
	if (!told)
		return;
	snprintf(size, sizeof(size), "%u", w.ws_row);
	setenv("LINES", size, 1);
	snprintf(size, sizeof(size), "%u", w.ws_col);
	setenv("COLUMNS", size, 1);
}
