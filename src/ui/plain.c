/* A picture every few seconds, or after a key; nothing when nothing changed. A reader of
 * screens is told the whole picture once, then the lines that are new. */
#include "ui/plain.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "ui/keys.h"

#define PAUSE_NS (5 * NS_PER_SEC)
#define HEADER_LINES 2 /* of a picture of that size: figures that always change */

void plain_forget(struct plain *p)
{
	text_clear(&p->printed);
}

void plain_done(struct plain *p)
{
	text_done(&p->printed);
}

static bool has_line(const struct text *t, const char *line, size_t n)
{
	size_t i, end;

	for (i = 0; i < t->n; i = end + 1) {
		const char *p = memchr(t->p + i, '\n', t->n - i);

		end = p ? (size_t)(p - t->p) : t->n;
		if (end - i == n && memcmp(t->p + i, line, n) == 0)
			return true;
	}
	return false;
}

/* Lines of the body that were not in the last picture. */
static void print_new(const struct plain *p, const struct canvas *c)
{
	struct text line = { 0 };
	int y;

	for (y = HEADER_LINES; y < c->height - 1; y++) {
		text_clear(&line);
		canvas_line(c, y, &line);
		if (line.n && !has_line(&p->printed, line.p, line.n))
			printf("%s\n", line.p);
	}
	text_done(&line);
}

bool plain_show(struct plain *p, const struct canvas *c)
{
	uint64_t now_ns = clock_now_ns();
	struct text picture = { 0 };
	size_t before;
	int y;

	/* The first one says what is waited for, the second is the first real one. */
	if (!p->answer && p->prints >= 2 && now_ns - p->printed_ns < PAUSE_NS)
		return false;
	for (y = 0; y < c->height; y++) {
		before = picture.n;
		canvas_line(c, y, &picture);
		if (picture.n > before)
			text_char(&picture, '\n');
	}
	p->answer = false;
	if (picture.n == p->printed.n &&
	    (!picture.n || memcmp(picture.p, p->printed.p, picture.n) == 0)) {
		text_done(&picture);
		return true;
	}
	if (p->reader && p->prints >= 2 && p->printed.n) {
		print_new(p, c);
	} else {
		fwrite(picture.p, 1, picture.n, stdout);
		if (!p->reader)
			fputs("--\n", stdout);
	}
	fflush(stdout);
	text_done(&p->printed);
	p->printed = picture;
	p->printed_ns = now_ns;
	p->prints += p->prints < 2;
	return true;
}

void plain_modes(void)
{
	struct termios raw_modes;

	if (tcgetattr(STDIN_FILENO, &raw_modes) == -1)
		return;
	raw_modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	raw_modes.c_cc[VMIN] = 0;
	raw_modes.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw_modes);
}

int plain_key(void)
{
	unsigned char byte;

	if (read(STDIN_FILENO, &byte, 1) != 1)
		return K_NONE;
	return byte == 0x7f || byte == '\b' ? K_BACKSPACE
	       : byte == '\n'		    ? K_ENTER
	       : byte < 0x80		    ? byte
					    : '?';
}
