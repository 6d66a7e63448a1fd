/* Bytes beyond what a line can hold are counted by nobody and kept nowhere: a paste may be
 * of any size. */
#include "ui/paste.h"

void paste_begin(struct paste *p)
{
	*p = (struct paste){ .open = true };
}

static void keep(struct paste *p, char byte)
{
	if (p->n < EDIT_MAX && byte)
		p->text[p->n++] = byte;
}

/* The mark begins with the only ESC in it, so a mismatch can only be the start of another. */
bool paste_byte(struct paste *p, unsigned char byte)
{
	static const char mark[] = PASTE_END;
	size_t i;

	if (byte == (unsigned char)mark[p->matched]) {
		if (++p->matched < sizeof(mark) - 1)
			return false;
		p->text[p->n] = '\0';
		p->open = false;
		return true;
	}
	for (i = 0; i < p->matched; i++)
		keep(p, mark[i]);
	p->matched = byte == (unsigned char)mark[0];
	if (!p->matched)
		keep(p, (char)byte);
	return false;
}
