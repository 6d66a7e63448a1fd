/* Text is broken at blanks, or in a word when it is longer than the line. A label that is
 * wider than the indent pushes the first line's text. */
#include "ui/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static char *copy(const char *s, size_t n)
{
	char *p = xmalloc(n + 1);

	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

/* Bytes of the first line of s. */
static size_t first_line(const struct canvas *c, const char *s, int width)
{
	size_t n = canvas_fit(c, s, width), at;

	if (!s[n])
		return n;
	for (at = n; at > 0 && s[at] != ' '; at--)
		;
	if (at > 0)
		return at;
	return n ? n : 1; /* always forward */
}

void page_add(struct page *p, const struct canvas *c, int width, enum role role,
	      const char *label, const char *text)
{
	int room = width - p->indent,
	    pushed = canvas_cells(c, label, width) - p->indent + 2;
	int first = pushed > 0 ? room - pushed : room;

	if (room < 8)
		room = first = 8;
	do {
		size_t n = first_line(c, text, first < 4 ? 4 : first);
		struct page_line *l;

		if (p->lines.n >= PAGE_LINES_MAX)
			return;
		l = VEC_PUSH(&p->lines);
		l->role = role;
		l->label = xstrdup(label);
		l->text = copy(text, n);
		text += n;
		text += *text == ' ';
		label = "";
		first = room;
	} while (*text);
}

void page_draw(const struct page *p, int i, struct canvas *c, int x, int y, int width)
{
	const struct page_line *l;
	int used = 0;

	if (i < 0 || (size_t)i >= p->lines.n)
		return;
	l = &p->lines.v[i];
	if (l->label[0])
		used = canvas_put(c, x, y, width, ROLE_STRONG, l->label) + 1;
	if (used < p->indent)
		used = p->indent;
	canvas_put(c, x + used, y, width - used, l->role, l->text);
}

void page_done(struct page *p)
{
	size_t i;

	for (i = 0; i < p->lines.n; i++) {
		free(p->lines.v[i].label);
		free(p->lines.v[i].text);
	}
	VEC_DONE(&p->lines);
}
