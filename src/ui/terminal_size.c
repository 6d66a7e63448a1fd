#include "ui/terminal_size.h"

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
