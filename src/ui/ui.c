/* The loop: waits for keys, signals, snapshots and captured text; draws when something
 * happened. It never sleeps on anything else, and it ends when the terminal is gone: a
 * loop that reads end of file for ever has filled many a disk and CPU. */
#include "ui/ui.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ui/capture.h"
#include "ui/screen.h"
#include "ui/signals.h"
#include "ui/term.h"

/* A resize repaints everything; a window that is dragged sends dozens a second. */
#define RESIZE_PAUSE_NS (200 * NS_PER_MSEC)
#define RETRY_NS (500 * NS_PER_MSEC)
/* Nobody types so many between two pictures: what is more has piled up, and is dropped until
 * none came for a moment. Only the last of them counts. */
#define KEYS_A_TURN 256
#define BACKLOG_QUIET_NS (100 * NS_PER_MSEC)
#define BACKLOG_TURN_NS (50 * NS_PER_MSEC) /* signals wait no longer */
#define LINES_A_TURN 50

enum source {
	SOURCE_KEYS,
	SOURCE_SIGNALS,
	SOURCE_WAKE,
	SOURCE_STDERR,
	SOURCE_COMMANDS,
	SOURCE_TEXT,
	SOURCES
};

struct loop {
	const struct ui *ui;
	struct terminal *term;
	struct signals signals;
	struct capture capture;
	struct screen screen;
	struct canvas canvas;
	bool over, dirty, resized;
	uint64_t resized_ns; /* last repaint because of a resize */
	uint64_t backlog_ns; /* last key that was dropped; 0: none are */
	struct term_event backlog_last;
	int signal;
	int32_t picked;
};

static void ask_done(struct loop *l)
{
	enum ask ask = l->screen.ask;

	l->screen.ask = ASK_NOTHING;
	if (ask == ASK_QUIT || ask == ASK_PICK) {
		l->over = true;
		l->picked = ask == ASK_PICK ? l->screen.sh.pick_pid : 0;
	} else if (ask == ASK_REDRAW) {
		term_redraw(l->term);
	} else if (ask == ASK_SUSPEND) {
		term_leave(l->term);
		signals_stop(&l->signals, true);
		term_enter(l->term);
		l->resized = true;
	}
}

static void take_event(struct loop *l, const struct term_event *e)
{
	l->screen.sh.now_ns = clock_now_ns();
	switch (e->kind) {
	case TERM_KEY:
		screen_key(&l->screen, e->key);
		break;
	case TERM_CLICK:
		screen_mouse(&l->screen, e->x, e->y, MOUSE_LEFT);
		break;
	case TERM_WHEEL_UP:
		screen_mouse(&l->screen, e->x, e->y, MOUSE_WHEEL_UP);
		break;
	case TERM_WHEEL_DOWN:
		screen_mouse(&l->screen, e->x, e->y, MOUSE_WHEEL_DOWN);
		break;
	case TERM_PASTE:
		screen_paste(&l->screen, e->text, e->n);
		break;
	case TERM_NOTHING:
		return;
	}
	ask_done(l);
	l->dirty = true;
}

static void drop_backlog(struct loop *l)
{
	uint64_t start_ns = clock_now_ns();
	struct term_event e;

	while (!l->over && l->backlog_ns < start_ns + BACKLOG_TURN_NS &&
	       term_event(l->term, &e)) {
		l->backlog_ns = clock_now_ns();
		if (e.kind == TERM_KEY)
			l->backlog_last = e;
		if (e.kind == TERM_PASTE || (e.kind == TERM_KEY && e.key == K_CTRL('C')))
			take_event(l, &e);
	}
}

static void end_backlog(struct loop *l)
{
	l->backlog_ns = 0;
	notes_show(&l->screen.sh.notes, l->screen.sh.now_ns, false,
		   "more keys than could be followed: all but the last dropped");
	if (l->backlog_last.kind == TERM_KEY)
		take_event(l, &l->backlog_last);
	l->backlog_last.kind = TERM_NOTHING;
	l->dirty = true;
}

/* Ready to read and nothing there is the end of the terminal. */
static void take_keys(struct loop *l, short revents)
{
	struct term_event e;
	int waiting = 1, i;

	if (revents & POLLIN) {
		if (ioctl(STDIN_FILENO, FIONREAD, &waiting) == -1)
			waiting = 0;
		for (i = 0; i < KEYS_A_TURN && !l->over && !l->backlog_ns; i++) {
			if (!term_event(l->term, &e))
				break;
			take_event(l, &e);
		}
		if (i == KEYS_A_TURN)
			l->backlog_ns = clock_now_ns();
		if (l->backlog_ns)
			drop_backlog(l);
	}
	if (!l->over && ((revents & (POLLHUP | POLLERR | POLLNVAL)) || waiting == 0)) {
		l->signal = SIGHUP;
		l->over = true;
	}
}

static void take_signal(struct loop *l, int sig)
{
	l->dirty = true;
	switch (sig) {
	case SIGWINCH:
		l->resized = true;
		break;
	case SIGUSR1:
		screen_save(&l->screen);
		break;
	case SIGTSTP:
		term_leave(l->term);
		signals_stop(&l->signals, false);
		term_enter(l->term);
		l->resized = true;
		break;
	case SIGCONT: /* whoever stopped us may have used the terminal */
		term_enter(l->term);
		l->resized = true;
		break;
	default:
		l->signal = sig == SIGINT ? 0 : sig;
		l->over = true;
	}
}

static void take_snapshot(struct loop *l)
{
	struct snapshot *s;
	uint64_t count;

	if (read(l->ui->wake_fd, &count, sizeof(count)) == -1 && errno != EAGAIN)
		l->over = true;
	s = mailbox_take(l->ui->snapshots);
	if (!s)
		return;
	screen_take(&l->screen, s);
	l->dirty = true;
}

void ui_text_free(struct ui_text *t)
{
	if (!t)
		return;
	free(t->text);
	free(t);
}

static void take_text(struct loop *l)
{
	struct ui_text *t;
	uint64_t count;

	if (read(l->ui->text_fd, &count, sizeof(count)) == -1)
		return;
	t = mailbox_take(l->ui->texts);
	if (!t)
		return;
	screen_take_text(&l->screen, t);
	l->dirty = true;
}

static void take_stderr(struct loop *l)
{
	char line[1024], note[1100];
	int i;

	for (i = 0; i < LINES_A_TURN && capture_line(&l->capture, line, sizeof(line));
	     i++) {
		snprintf(note, sizeof(note), "stderr: %s", line);
		notes_add(&l->screen.sh.notes, l->screen.sh.now_ns, true, note);
		l->dirty = true;
	}
}

static void draw(struct loop *l)
{
	uint64_t now_ns = clock_now_ns();
	int width, height;

	if (!l->dirty && !l->resized)
		return;
	if (l->resized) {
		if (now_ns - l->resized_ns < RESIZE_PAUSE_NS)
			return; /* the deadline brings us back */
		l->resized_ns = now_ns;
	}
	term_measure(l->term, &width, &height);
	canvas_resize(&l->canvas, width, height);
	l->screen.sh.now_ns = now_ns;
	l->screen.sh.ascii = !term_utf8(l->term) || l->screen.sh.settings.ascii;
	l->canvas.ascii = l->screen.sh.ascii;
	l->canvas.plain = l->screen.sh.options->screen_reader;
	term_scheme(l->term, l->screen.sh.settings.scheme);
	l->screen.sh.mouse = !l->screen.sh.settings.no_mouse;
	term_mouse(l->term, l->screen.sh.mouse);
	screen_draw(&l->screen, &l->canvas);
	l->dirty = !term_show(l->term, &l->canvas);
	l->resized = false;
}

/* Milliseconds until something changes by itself, -1 never. */
static int patience(const struct loop *l)
{
	uint64_t now_ns = clock_now_ns(), at_ns = screen_deadline(&l->screen);

	if (l->dirty) /* a picture that was put off */
		at_ns = now_ns + RETRY_NS;
	if (l->resized && l->resized_ns + RESIZE_PAUSE_NS < at_ns)
		at_ns = l->resized_ns + RESIZE_PAUSE_NS;
	if (l->backlog_ns && l->backlog_ns + BACKLOG_QUIET_NS < at_ns)
		at_ns = l->backlog_ns + BACKLOG_QUIET_NS;
	if (at_ns == UINT64_MAX)
		return -1;
	return at_ns > now_ns ? (int)((at_ns - now_ns) / NS_PER_MSEC + 1) : 0;
}

static void turn(struct loop *l)
{
	struct pollfd fds[SOURCES] = {
		[SOURCE_KEYS] = { .fd = STDIN_FILENO, .events = POLLIN },
		[SOURCE_SIGNALS] = { .fd = l->signals.fd, .events = POLLIN },
		[SOURCE_WAKE] = { .fd = l->ui->wake_fd, .events = POLLIN },
		[SOURCE_STDERR] = { .fd = l->capture.fd, .events = POLLIN },
		[SOURCE_COMMANDS] = { .fd = l->ui->command_fd },
		[SOURCE_TEXT] = { .fd = l->ui->texts ? l->ui->text_fd : -1,
				  .events = POLLIN },
	};
	int n, sig;

	draw(l);
	n = poll(fds, SOURCES, patience(l));
	l->screen.sh.now_ns = clock_now_ns();
	if (n == -1 && errno != EINTR)
		l->over = true;
	if (l->backlog_ns && l->screen.sh.now_ns - l->backlog_ns >= BACKLOG_QUIET_NS)
		end_backlog(l);
	if (n == 0)
		l->dirty = true;
	if (n <= 0)
		return;
	if (fds[SOURCE_SIGNALS].revents)
		while (!l->over && (sig = signals_next(&l->signals)))
			take_signal(l, sig);
	if (fds[SOURCE_STDERR].revents)
		take_stderr(l);
	if (fds[SOURCE_TEXT].revents)
		take_text(l);
	if (fds[SOURCE_WAKE].revents)
		take_snapshot(l);
	if (!l->over && fds[SOURCE_KEYS].revents)
		take_keys(l, fds[SOURCE_KEYS].revents);
	if (fds[SOURCE_COMMANDS].revents) /* the sampler is gone */
		l->over = true;
}

static void start(struct loop *l, const struct ui_options *options, const char *note)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct shared sh = { .options = options,
			     .now_ns = clock_now_ns(),
			     .command_fd = l->ui->command_fd,
			     .mouse = !options->settings.no_mouse,
			     .settings = options->settings,
			     .colors = term_colors(l->term),
			     .ascii = !term_utf8(l->term) || options->settings.ascii,
			     .n_cpus = options->n_cpus ? options->n_cpus
				       : cpus > 0      ? (int)cpus
						       : 0 };

	capture_open(&l->capture);
	signals_guard_stderr(l->capture.saved_fd);
	screen_init(&l->screen, &sh);
	l->canvas.ascii = sh.ascii;
	if (note[0])
		notes_add(&l->screen.sh.notes, sh.now_ns, true, note);
	l->dirty = true;
}

int ui_run(const struct ui *ui, const struct ui_options *options,
	   struct ui_result *result, struct error *err)
{
	struct loop *l = xcalloc(1, sizeof(*l));
	char note[160];
	int ret;

	*result = (struct ui_result){ 0 };
	l->ui = ui;
	ret = signals_open(&l->signals, err);
	if (ret)
		goto out;
	ret = term_open(&l->term, options, note, sizeof(note), err);
	if (ret) {
		signals_close(&l->signals);
		goto out;
	}
	start(l, options, note);
	while (!l->over)
		turn(l);
	result->signal = l->signal;
	result->picked = l->picked;
	result->settings = l->screen.sh.settings;
	result->last = screen_done(&l->screen);
	term_close(l->term);
	signals_unguard();
	capture_close(&l->capture);
	signals_close(&l->signals);
	canvas_done(&l->canvas);
out:
	free(l);
	return ret;
}
