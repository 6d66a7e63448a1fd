/* What a terminal sends: keys, clicks and pastes, in any order and in any size of the screen.
 *
 * A byte below 0x80 is that key, 0xfe and two bytes are a click, 0xff and two bytes a size, others
 * special keys; PASTE_BEGIN begins a paste. The picture is drawn after each 16 of them. */
#include <stdint.h>

#include "ui/paste.h"
#include "unit/ui_made.h"

#define INPUT_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void draw(struct made *m)
{
	char dropped[4096];

	m->screen.sh.now_ns += NS_PER_MSEC;
	m->screen.ask = ASK_NOTHING;
	screen_draw(&m->screen, &m->canvas);
	while (read(m->pipe[0], dropped, sizeof(dropped)) > 0)
		;
}

/* Returns the bytes used. */
static size_t one(struct made *m, struct paste *p, const uint8_t *data, size_t n)
{
	static const size_t mark = sizeof(PASTE_BEGIN) - 1;

	if (p->open) {
		if (paste_byte(p, data[0])) {
			if (p->n > EDIT_MAX)
				abort();
			screen_paste(&m->screen, p->text, p->n);
		}
		return 1;
	}
	if (n >= mark && memcmp(data, PASTE_BEGIN, mark) == 0) {
		paste_begin(p);
		return mark;
	}
	if (data[0] >= 0xfe && n >= 3) {
		if (data[0] == 0xfe)
			screen_mouse(&m->screen, data[1], data[2],
				     data[1] & 1 ? MOUSE_LEFT : MOUSE_WHEEL_DOWN);
		else
			canvas_resize(&m->canvas, data[1], data[2]);
		return 3;
	}
	screen_key(&m->screen, data[0] < 0x80 ? data[0] : K_SPECIAL + (data[0] & 0x3f));
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot *s = made_snapshot();
	struct paste paste = { 0 };
	struct made m;
	size_t at, n = 0;

	if (size > INPUT_MAX)
		size = INPUT_MAX;
	made_open(&m, 80, 24, size & 1);
	made_tree(s);
	screen_take(&m.screen, s);
	draw(&m);
	for (at = 0; at < size; n++) {
		at += one(&m, &paste, data + at, size - at);
		if (n % 16 == 15)
			draw(&m);
	}
	draw(&m);
	made_close(&m);
	return 0;
}
