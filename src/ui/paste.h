/* Text that the terminal marks as pasted (DECSET 2004). It is no keys: it goes into the line
 * that is being typed, or nowhere. */
#ifndef PTOP_UI_PASTE_H
#define PTOP_UI_PASTE_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/edit.h"

#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"
#define PASTE_BEGIN "\033[200~"
#define PASTE_END "\033[201~"

/* A zeroed one is ready. */
struct paste {
	char text[EDIT_MAX + 1]; /* raw bytes, the first ones; terminated */
	size_t n;
	size_t matched; /* bytes of PASTE_END seen */
	bool open;	/* between the two marks */
};

void paste_begin(struct paste *p);
/* The next byte after PASTE_BEGIN. True when it ends the paste: `text` is complete. */
bool paste_byte(struct paste *p, unsigned char byte);

#endif
