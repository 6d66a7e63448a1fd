/* ncursesw opens the terminal and reads its keys; what is sent to it are the differences
 * that paint.c finds, one write a frame, and nothing when there are none. Modes: raw, so that ^C and ^Z
 * come as keys and a target in our process group does not get them; alternate screen; own
 * cursor hidden but moved to the selected row. No ACS line drawing anywhere (PuTTY shows
 * letters for it).
 *
 * A terminal that cannot move its cursor (TERM=dumb) gets plain text: the whole picture,
 * when it changed, at most every few seconds or after a key. */
#define NCURSES_NOMACROS
#include "ui/term.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ui/keys.h"
#include "ui/paint.h"
#include "ui/paste.h"
#include "ui/plain.h"
#include "ui/signals.h"
#include "ui/terminal_home.h"
#include "ui/terminal_size.h"
#include "ui/theme.h"

#define ESC_DELAY_MS 25
#define KEY_PASTE (KEY_MAX + 1000) /* above curses' own and those of terminfo */
/* A paste in which nothing comes for so long has lost its end: what comes then are keys. */
#define PASTE_SILENCE_NS (2 * NS_PER_SEC)
#define PASTE_BYTES_A_CALL 4096

struct terminal {
	struct termios saved;
	SCREEN *screen; /* NULL: plain text */
	WINDOW *keys;	/* a pad: reading from it never draws */
	struct paint paint;
	struct text bytes; /* of a frame */
	char sgr0[32], clear[32], clear_line[16];
	bool steps;	  /* line feed and backspace move as they should */
	int cursor_shown; /* -1 unknown */
	bool utf8, mouse;
	bool out; /* between term_leave and term_enter */
	int colors;
	enum ui_scheme scheme;
	int width, height; /* what curses was told */
	char reset[256];
	size_t reset_bytes;
	struct plain plain; /* without a screen */
	struct paste paste;
	uint64_t paste_ns; /* its last byte came */
	bool pastes;	   /* the terminal understands PASTE_ON */
};

/* A terminfo string without its padding marks "$<5/>": nothing that is sent here can wait. "" when
 * there is none. */
static void copy_capability(char *to, size_t size, const char *capability)
{
	const char *s = tigetstr(capability);
	size_t n = 0;

	to[0] = '\0';
	if (!s || s == (const char *)-1)
		return;
	while (*s && n + 1 < size) {
		if (s[0] == '$' && s[1] == '<') {
			while (*s && *s++ != '>')
				;
			continue;
		}
		to[n++] = *s++;
	}
	to[n] = '\0';
}

static void add_reset(struct terminal *t, const char *capability)
{
	char *end = t->reset + t->reset_bytes;

	copy_capability(end, sizeof(t->reset) - t->reset_bytes, capability);
	t->reset_bytes += strlen(end);
}

static void build_reset(struct terminal *t)
{
	static const char reports_off[] = "\033[?1006l\033[?1000l" PASTE_OFF;

	memcpy(t->reset, reports_off, sizeof(reports_off) - 1);
	t->reset_bytes = sizeof(reports_off) - 1;
	add_reset(t, "sgr0");
	add_reset(t, "cnorm");
	add_reset(t, "rmkx");
	add_reset(t, "rmcup");
}

/* A name terminfo knows: TERM, or the common ground of today's terminals. NULL if there
 * is none. *moves: it can place its cursor. Notes what gives it back. */
static const char *known_terminal(struct terminal *t, bool *moves)
{
	static const char *const others[] = { "xterm-256color", "xterm", "ansi",
					      "vt100" };
	const char *name = getenv("TERM"), *cup;
	size_t i;
	int err;

	if (!name || !name[0])
		name = "dumb";
	for (i = 0; i <= sizeof(others) / sizeof(*others); i++) {
		const char *try = i ? others[i - 1] : name;

		if (setupterm(try, STDOUT_FILENO, &err) != OK)
			continue;
		cup = tigetstr("cup");
		*moves = cup && cup != (const char *)-1;
		if (*moves)
			build_reset(t);
		del_curterm(cur_term);
		return try;
	}
	return NULL;
}

static int colors_wanted(const struct ui_options *options)
{
	const char *no_color = getenv("NO_COLOR"), *name = getenv("TERM");
	int n = tigetnum("colors");

	if (options->color == COLOR_NEVER || n < 8)
		return 0;
	if (options->color == COLOR_ALWAYS)
		return n;
	if ((no_color && no_color[0]) || (name && strcmp(name, "dumb") == 0))
		return 0;
	return n;
}

static void build_strings(struct terminal *t)
{
	copy_capability(t->sgr0, sizeof(t->sgr0), "sgr0");
	copy_capability(t->clear, sizeof(t->clear), "clear");
	copy_capability(t->clear_line, sizeof(t->clear_line), "el");
	t->steps = tigetstr("cud1") && tigetstr("cub1") &&
		   tigetstr("cuf") != (const char *)-1 && tigetstr("cuf") &&
		   strcmp(tigetstr("cud1"), "\n") == 0 &&
		   strcmp(tigetstr("cub1"), "\b") == 0;
	/* What xterm's kin add to it changes character sets, which we never do. */
	if (strstr(t->sgr0, "\033[m") || strstr(t->sgr0, "\033[0m"))
		snprintf(t->sgr0, sizeof(t->sgr0), "\033[m");
}

static void add_parm(struct text *out, const char *capability, int a, int b);
static void write_all(const struct text *bytes);

static void set_mouse(const struct terminal *t)
{
	mousemask(t->mouse ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0,
		  NULL);
}

/* Pasted text comes between two marks. Terminals of the ANSI kind ignore a mode that they
 * do not have. */
static void set_paste(const struct terminal *t, bool on)
{
	struct text s = { 0 };

	if (!t->pastes)
		return;
	text_str(&s, on ? PASTE_ON : PASTE_OFF);
	write_all(&s);
	text_done(&s);
}

static int open_curses(struct terminal *t, const struct ui_options *options,
		       const char *name)
{
	/* Within what is drawn, whatever the terminal claims. Not use_env(FALSE): some
	 * descriptions have no size (linux), and without any newterm() fails. */
	terminal_size_tell(true);
	t->screen = newterm(name, stdout, stdin);
	terminal_size_tell(false);
	if (!t->screen)
		return -EINVAL;
	raw();
	noecho();
	nonl();
	t->keys = newpad(1, 1);
	if (!t->keys)
		return -ENOMEM;
	keypad(t->keys, TRUE);
	nodelay(t->keys, TRUE);
	intrflush(t->keys, FALSE);
	refresh(); /* the alternate screen; nothing is drawn by curses after this */
	set_escdelay(ESC_DELAY_MS);
	t->cursor_shown = -1;
	t->colors = colors_wanted(options);
	t->scheme = options->settings.scheme;
	mouseinterval(0);
	set_mouse(t);
	build_strings(t);
	t->pastes = strncmp(t->clear, "\033[", 2) == 0 &&
		    define_key(PASTE_BEGIN, KEY_PASTE) == OK;
	set_paste(t, true);
	return 0;
}

int term_open(struct terminal **out, const struct ui_options *options, char *note,
	      size_t size, struct error *err)
{
	const char *name = getenv("TERM"), *known;
	struct terminal *t = xcalloc(1, sizeof(*t));
	bool moves = false;
	char *home;

	note[0] = '\0';
	*out = NULL;
	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &t->saved) == -1) {
		free(t);
		error_set(err, EXIT_FAILED,
			  "standard input and output are not a terminal");
		error_hint(err, "without a terminal use ptop top -b, or ptop record");
		return -ENOTTY;
	}
	/* The caller may have set a locale before it started threads. */
	if (strcmp(setlocale(LC_CTYPE, NULL), "C") == 0)
		setlocale(LC_CTYPE, "");
	t->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	t->mouse = !options->settings.no_mouse;
	home = terminal_home_hide();
	known = known_terminal(t, &moves);
	if (known && name && name[0] && strcmp(known, name) != 0)
		snprintf(note, size, "TERM=%.40s is not known here: treated as %s", name,
			 known);
	t->plain.reader = options->screen_reader;
	moves = moves && !options->screen_reader;
	signals_guard(t->reset, moves ? t->reset_bytes : 0, &t->saved);
	if (signals_draw_begin()) {
		if (!moves || open_curses(t, options, known) != 0)
			plain_modes();
		signals_draw_end();
	}
	terminal_home_show(home);
	*out = t;
	return 0;
}

void term_leave(struct terminal *t)
{
	if (t->out)
		return;
	t->out = true;
	if (t->screen) {
		/* Without an alternate screen the shell goes on below the picture. */
		text_clear(&t->bytes);
		add_parm(&t->bytes, "cnorm", 0, 0);
		add_parm(&t->bytes, "cup", t->height > 0 ? t->height - 1 : 0, 0);
		write_all(&t->bytes);
		set_paste(t, false);
		endwin();
	}
	tcsetattr(STDIN_FILENO, TCSADRAIN, &t->saved);
}

void term_enter(struct terminal *t)
{
	if (!t->out)
		endwin(); /* SIGSTOP gave no time to leave; take the modes anew all the
			     same */
	t->out = false;
	if (!t->screen) {
		plain_modes();
		plain_forget(&t->plain);
		return;
	}
	if (signals_draw_begin()) {
		reset_prog_mode();
		refresh(); /* the alternate screen */
		set_paste(t, true);
		signals_draw_end();
	}
	term_redraw(t);
}

void term_close(struct terminal *t)
{
	if (!t)
		return;
	term_leave(t);
	if (t->screen) {
		delwin(t->keys);
		delscreen(t->screen);
	}
	paint_done(&t->paint);
	text_done(&t->bytes);
	plain_done(&t->plain);
	free(t);
}

void term_measure(struct terminal *t, int *width, int *height)
{
	struct winsize w = terminal_size();

	*width = w.ws_col;
	*height = w.ws_row;
	if (t->plain.reader) {
		*width = PLAIN_READER_WIDTH;
		*height = PLAIN_READER_HEIGHT;
	}
	if (*width == t->width && *height == t->height)
		return;
	t->width = *width;
	t->height = *height;
	if (!t->screen)
		return;
	resize_term(*height, *width);
	untouchwin(stdscr);
	term_redraw(t); /* terminals differ in what they do to the old content */
}

void term_redraw(struct terminal *t)
{
	paint_forget(&t->paint);
	t->cursor_shown = -1;
	plain_forget(&t->plain);
}

/* ---- what paint.c asks ---- */

static void add_parm(struct text *out, const char *capability, int a, int b)
{
	const char *s = tigetstr(capability);

	if (s && s != (const char *)-1 && (s = tparm(s, a, b, 0, 0, 0, 0, 0, 0, 0)))
		for (; *s; s++) {
			if (s[0] == '$' && s[1] == '<')
				while (*s && *s != '>')
					s++;
			else
				text_char(out, *s);
		}
}

/* On its row by the shorter of the ways there are. */
static void add_aside(struct text *out, int from, int x)
{
	static const char back[] = "\b\b\b\b";
	struct text hpa = { 0 }, step = { 0 };
	int n = x - from;

	if (n == 0)
		return;
	add_parm(&hpa, "hpa", x, 0);
	if (n < 0 && -n <= 4)
		text_add(&step, back, (size_t)-n);
	else
		add_parm(&step, n > 0 ? "cuf" : "cub", n > 0 ? n : -n, 0);
	if (!step.n || (hpa.n && hpa.n < step.n))
		text_add(out, hpa.p, hpa.n);
	else
		text_add(out, step.p, step.n);
	text_done(&hpa);
	text_done(&step);
}

/* A line feed keeps the column: curses has switched the terminal's own idea of it off. */
static void paint_move(void *arg, struct text *out, struct paint_at from, int x, int y)
{
	struct terminal *t = arg;
	struct text way = { 0 }, cup = { 0 };
	int down = y - from.y, i;

	add_parm(&cup, "cup", y, x);
	if (from.y >= 0 && down >= 0 && down <= 3 && t->steps) {
		for (i = 0; i < down; i++)
			text_char(&way, '\n');
		add_aside(&way, from.x, x);
	}
	if (from.y >= 0 && down >= 0 && down <= 3 && t->steps && way.n < cup.n)
		text_add(out, way.p ? way.p : "", way.n);
	else
		text_add(out, cup.p, cup.n);
	text_done(&way);
	text_done(&cup);
}

/* A style as a number: 0 is the terminal's own. */
static unsigned paint_look(void *arg, enum role role, bool selected)
{
	const struct terminal *t = arg;
	struct style s = theme_style(role, selected, t->scheme, t->colors);

	return (unsigned)(s.fg + 1) << 12 | (unsigned)(s.bg + 1) << 3 |
	       (unsigned)s.bold << 2 | (unsigned)s.dim << 1 | (unsigned)s.reverse;
}

static bool paint_has_ground(void *arg, unsigned look)
{
	(void)arg;
	return (look & 1) || (look >> 3 & 0x1ff);
}

static void paint_set_look(void *arg, struct text *out, unsigned look)
{
	struct terminal *t = arg;
	int fg = (int)(look >> 12) - 1, bg = (int)(look >> 3 & 0x1ff) - 1;

	text_str(out, t->sgr0);
	if (look & 4)
		add_parm(out, "bold", 0, 0);
	if (look & 2)
		add_parm(out, "dim", 0, 0);
	if (look & 1)
		add_parm(out, "rev", 0, 0);
	if (fg >= 0)
		add_parm(out, "setaf", fg, 0);
	if (bg >= 0)
		add_parm(out, "setab", bg, 0);
}

/* All of it, however slow the line is; the screen's loop has nothing better to do. */
static void write_all(const struct text *bytes)
{
	size_t at = 0;

	while (at < bytes->n) {
		ssize_t n = write(STDOUT_FILENO, bytes->p + at, bytes->n - at);
		struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

		if (n > 0)
			at += (size_t)n;
		else if (n == -1 && errno == EAGAIN)
			poll(&p, 1, 1000);
		else if (n == -1 && errno != EINTR)
			return; /* the loop sees that the terminal is gone */
	}
}

bool term_show(struct terminal *t, const struct canvas *c)
{
	const struct paint_terminal how = {
		.arg = t,
		.move = paint_move,
		.look = paint_look,
		.set_look = paint_set_look,
		.has_ground = paint_has_ground,
		.clear = t->clear,
		.clear_line = t->clear_line[0] ? t->clear_line : NULL,
	};

	if (t->out)
		return true;
	if (!t->screen)
		return plain_show(&t->plain, c);
	if (!signals_draw_begin())
		return true;
	text_clear(&t->bytes);
	if (c->cursor_shown != t->cursor_shown) {
		add_parm(&t->bytes, c->cursor_shown ? "cnorm" : "civis", 0, 0);
		t->cursor_shown = c->cursor_shown;
	}
	paint(&t->paint, &how, c, &t->bytes);
	write_all(&t->bytes);
	signals_draw_end();
	return true;
}

static int special_key(wint_t code)
{
	static const struct {
		int code, key;
	} map[] = {
		{ KEY_UP, K_UP },
		{ KEY_DOWN, K_DOWN },
		{ KEY_LEFT, K_LEFT },
		{ KEY_RIGHT, K_RIGHT },
		{ KEY_PPAGE, K_PAGE_UP },
		{ KEY_NPAGE, K_PAGE_DOWN },
		{ KEY_HOME, K_HOME },
		{ KEY_FIND, K_HOME },
		{ KEY_END, K_END },
		{ KEY_SELECT, K_END },
		{ KEY_BACKSPACE, K_BACKSPACE },
		{ KEY_DC, K_DELETE },
		{ KEY_BTAB, K_BACK_TAB },
		{ KEY_ENTER, K_ENTER },
	};
	size_t i;

	for (i = 0; i < sizeof(map) / sizeof(*map); i++)
		if ((wint_t)map[i].code == code)
			return map[i].key;
	if (code >= (wint_t)KEY_F(1) && code <= (wint_t)KEY_F(10))
		return K_F1 + (int)(code - (wint_t)KEY_F(1));
	return K_OTHER;
}

static void mouse_event(struct term_event *e)
{
	MEVENT m;

	e->kind = TERM_NOTHING;
	if (getmouse(&m) != OK)
		return;
	e->x = m.x;
	e->y = m.y;
	if (m.bstate & BUTTON1_PRESSED)
		e->kind = TERM_CLICK;
	else if (m.bstate & BUTTON4_PRESSED)
		e->kind = TERM_WHEEL_UP;
	else if (m.bstate & BUTTON5_PRESSED)
		e->kind = TERM_WHEEL_DOWN;
}

/* Read without curses, which has taken no byte beyond the mark. */
static bool paste_event(struct terminal *t, struct term_event *e)
{
	unsigned char byte;
	int waiting = 0, i;

	e->kind = TERM_NOTHING;
	if (ioctl(STDIN_FILENO, FIONREAD, &waiting) == -1 || waiting <= 0)
		return false;
	t->paste_ns = clock_now_ns();
	for (i = 0; i < waiting && i < PASTE_BYTES_A_CALL && t->paste.open; i++) {
		if (read(STDIN_FILENO, &byte, 1) != 1)
			return false;
		if (paste_byte(&t->paste, byte)) {
			e->kind = TERM_PASTE;
			e->text = t->paste.text;
			e->n = t->paste.n;
		}
	}
	return true;
}

bool term_event(struct terminal *t, struct term_event *e)
{
	wint_t code;
	int got;

	*e = (struct term_event){ .kind = TERM_KEY };
	if (!t->screen) {
		e->key = plain_key();
		t->plain.answer = t->plain.answer || e->key != K_NONE;
		return e->key != K_NONE;
	}
	if (t->paste.open && clock_now_ns() - t->paste_ns < PASTE_SILENCE_NS)
		return paste_event(t, e);
	got = wget_wch(t->keys, &code);
	if (got == ERR)
		return false;
	t->paste.open = false;
	if (got == KEY_CODE_YES && code == (wint_t)KEY_PASTE) {
		e->kind = TERM_NOTHING;
		paste_begin(&t->paste);
		t->paste_ns = clock_now_ns();
	} else if (got == KEY_CODE_YES && code == KEY_MOUSE)
		mouse_event(e);
	else if (got == KEY_CODE_YES)
		e->key = special_key(code);
	else
		e->key = code == 0x7f || code == '\b' ? K_BACKSPACE
			 : code == '\n'		      ? K_ENTER
						      : (int)code;
	return true;
}

void term_scheme(struct terminal *t, enum ui_scheme scheme)
{
	if (scheme != t->scheme)
		term_redraw(t);
	t->scheme = scheme;
}

void term_mouse(struct terminal *t, bool used)
{
	if (!t->screen || t->mouse == used || !signals_draw_begin())
		return;
	t->mouse = used;
	set_mouse(t);
	signals_draw_end();
}

bool term_utf8(const struct terminal *t)
{
	return t->utf8;
}

int term_colors(const struct terminal *t)
{
	return t->colors;
}
