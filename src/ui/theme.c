/* Mostly the eight ANSI colours, because users tune exactly those for their light or dark
 * background; the background itself is touched only under frames and tags, and then the
 * text's colour is set with it. Blue and yellow text are each unreadable on one kind of
 * screen: `default` is for dark ones, `light` for light ones. `colour-blind` tells by
 * blue and orange. */
#include "ui/theme.h"

#include <string.h>

enum { OWN = -1, BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE };
#define ORANGE_256 208
#define BLUE_256 75

struct look {
	enum role role;
	struct style style;
};

#define PLAIN                        \
	{                            \
		.fg = OWN, .bg = OWN \
	}
#define BOLD                                       \
	{                                          \
		.fg = OWN, .bg = OWN, .bold = true \
	}
#define DIM                                       \
	{                                         \
		.fg = OWN, .bg = OWN, .dim = true \
	}
#define REVERSE                                       \
	{                                             \
		.fg = OWN, .bg = OWN, .reverse = true \
	}
#define BOLD_REVERSE                                                \
	{                                                           \
		.fg = OWN, .bg = OWN, .reverse = true, .bold = true \
	}
#define INK(c)                     \
	{                          \
		.fg = c, .bg = OWN \
	}
#define BOLD_INK(c)                              \
	{                                        \
		.fg = c, .bg = OWN, .bold = true \
	}
#define ON(text, ground)                 \
	{                                \
		.fg = text, .bg = ground \
	}

/* What every scheme begins with, and all of `mono`. */
static const struct look mono[] = {
	{ ROLE_TEXT, PLAIN },
	{ ROLE_DIM, DIM },
	{ ROLE_STRONG, BOLD },
	{ ROLE_HEADING, REVERSE },
	{ ROLE_SORTED, BOLD_REVERSE },
	{ ROLE_HOT, BOLD },
	{ ROLE_WARM, PLAIN },
	{ ROLE_COOL, PLAIN },
	{ ROLE_APP, BOLD },
	{ ROLE_LIBRARY, PLAIN },
	{ ROLE_KERNEL, PLAIN },
	{ ROLE_MARK, DIM },
	{ ROLE_WARN, BOLD },
	{ ROLE_OK, PLAIN },
	{ ROLE_TAG, BOLD_REVERSE },
	{ ROLE_BUTTON, REVERSE },
	{ ROLE_FLAME_ROOT, PLAIN },
	{ ROLE_FLAME_APP, BOLD },
	{ ROLE_FLAME_LIBRARY, PLAIN },
	{ ROLE_FLAME_KERNEL, PLAIN },
	{ ROLE_FLAME_SAME, PLAIN },
	{ ROLE_FLAME_MORE, BOLD },
	{ ROLE_FLAME_LESS, DIM },
};

static const struct look dark[] = {
	{ ROLE_HOT, INK(RED) },
	{ ROLE_WARM, INK(YELLOW) },
	{ ROLE_COOL, INK(GREEN) },
	{ ROLE_KERNEL, INK(CYAN) },
	{ ROLE_MARK, INK(CYAN) },
	{ ROLE_WARN, BOLD_INK(RED) },
	{ ROLE_OK, INK(GREEN) },
	{ ROLE_TAG, ON(BLACK, YELLOW) },
	{ ROLE_BUTTON, ON(BLACK, CYAN) },
	{ ROLE_FLAME_ROOT, ON(BLACK, WHITE) },
	{ ROLE_FLAME_APP, ON(BLACK, YELLOW) },
	{ ROLE_FLAME_LIBRARY, ON(BLACK, GREEN) },
	{ ROLE_FLAME_KERNEL, ON(BLACK, CYAN) },
	{ ROLE_FLAME_SAME, ON(BLACK, WHITE) },
	{ ROLE_FLAME_MORE, ON(WHITE, RED) },
	{ ROLE_FLAME_LESS, ON(WHITE, BLUE) },
};

static const struct look light[] = {
	{ ROLE_WARM, INK(MAGENTA) },	  { ROLE_COOL, INK(BLUE) },
	{ ROLE_KERNEL, INK(BLUE) },	  { ROLE_MARK, INK(BLUE) },
	{ ROLE_OK, INK(BLUE) },		  { ROLE_TAG, ON(WHITE, MAGENTA) },
	{ ROLE_BUTTON, ON(WHITE, BLUE) },
};

static const struct look contrast[] = {
	{ ROLE_DIM, PLAIN },
	{ ROLE_TEXT, BOLD },
	{ ROLE_LIBRARY, BOLD },
	{ ROLE_HOT, ON(WHITE, RED) },
	{ ROLE_WARM, ON(BLACK, YELLOW) },
	{ ROLE_COOL, ON(BLACK, GREEN) },
	{ ROLE_KERNEL, BOLD },
	{ ROLE_MARK, BOLD },
	{ ROLE_WARN, ON(WHITE, RED) },
	{ ROLE_OK, BOLD },
	{ ROLE_BUTTON, BOLD_REVERSE },
	{ ROLE_FLAME_ROOT, BOLD_REVERSE },
	{ ROLE_FLAME_SAME, BOLD_REVERSE },
};

/* With 256 colours; with 8 orange is yellow. */
static const struct look blind[] = {
	{ ROLE_HOT, BOLD_INK(ORANGE_256) },
	{ ROLE_WARM, INK(ORANGE_256) },
	{ ROLE_COOL, INK(BLUE_256) },
	{ ROLE_OK, INK(BLUE_256) },
	{ ROLE_WARN, BOLD_INK(ORANGE_256) },
	{ ROLE_KERNEL, DIM },
	{ ROLE_MARK, DIM },
	{ ROLE_TAG, ON(BLACK, ORANGE_256) },
	{ ROLE_FLAME_APP, ON(BLACK, ORANGE_256) },
	{ ROLE_FLAME_LIBRARY, ON(BLACK, BLUE_256) },
	{ ROLE_FLAME_KERNEL, ON(BLACK, WHITE) },
	{ ROLE_FLAME_MORE, ON(BLACK, ORANGE_256) },
	{ ROLE_FLAME_LESS, ON(BLACK, BLUE_256) },
};

#define LAYER(l) l, sizeof(l) / sizeof(*(l))

static const struct {
	const char *name;
	const struct look *looks;
	size_t n;
} schemes[SCHEMES] = {
	[SCHEME_DEFAULT] = { "default", NULL, 0 },
	[SCHEME_LIGHT] = { "light", LAYER(light) },
	[SCHEME_MONO] = { "mono", NULL, 0 },
	[SCHEME_HIGH_CONTRAST] = { "high-contrast", LAYER(contrast) },
	[SCHEME_COLOUR_BLIND] = { "colour-blind", LAYER(blind) },
};

static void lay_over(struct style *s, enum role role, const struct look *looks, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (looks[i].role == role)
			*s = looks[i].style;
}

static short of_eight(short color)
{
	return color == ORANGE_256 ? YELLOW : color == BLUE_256 ? CYAN : color;
}

struct style theme_style(enum role role, bool selected, enum ui_scheme scheme, int colors)
{
	struct style s = PLAIN;

	if ((unsigned)role >= ROLES)
		role = ROLE_TEXT;
	lay_over(&s, role, LAYER(mono));
	if (colors >= 8 && scheme != SCHEME_MONO) {
		lay_over(&s, role, LAYER(dark));
		lay_over(&s, role, schemes[scheme].looks, schemes[scheme].n);
	}
	if (colors < 256) {
		s.fg = of_eight(s.fg);
		s.bg = of_eight(s.bg);
	}
	if (selected) /* one plain bar: colours on a reversed row are hard to read */
		s = (struct style){
			.fg = OWN, .bg = OWN, .reverse = true, .bold = s.bold
		};
	return s;
}

const char *theme_name(enum ui_scheme scheme)
{
	return (unsigned)scheme < SCHEMES ? schemes[scheme].name : NULL;
}
