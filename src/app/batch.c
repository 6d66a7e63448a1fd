/* `ptop top -b`: tables or JSON lines on standard output. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/session.h"
#include "base/clock.h"
#include "base/text.h"
#include "export/exporter.h"

#define ROWS 30u

static size_t width_of_output(void)
{
	struct winsize w;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0)
		return w.ws_col;
	return 0;
}

static int print(const struct options *o, const struct snapshot *s, struct error *err)
{
	struct text out = { 0 };
	size_t at = 0;

	if (o->json)
		json_top(s, &out);
	else if (s->number > 1)
		text_char(&out, '\n');
	if (!o->json)
		table_top(s, width_of_output(), ROWS, &out);
	while (at < out.n) {
		ssize_t n = write(STDOUT_FILENO, out.p + at, out.n - at);

		if (n == -1 && errno != EINTR) {
			int ret = -errno;

			if (ret != -EPIPE) /* `ptop -b | head` is no error */
				error_errno(err, "standard output");
			text_done(&out);
			return ret;
		}
		at += n > 0 ? (size_t)n : 0;
	}
	text_done(&out);
	return 0;
}

/* Waits for a snapshot or a signal; the snapshot, or NULL with the signal. */
static struct snapshot *next_snapshot(struct session *s, int signals, int *signal_number)
{
	struct pollfd p[2] = { { .fd = engine_wake_fd(s->engine), .events = POLLIN },
			       { .fd = signals, .events = POLLIN } };

	*signal_number = 0;
	while (poll(p, 2, -1) == -1 && errno == EINTR)
		;
	if (p[1].revents) {
		*signal_number = session_signal(signals);
		if (*signal_number == SIGUSR1) {
			engine_send(s->engine, &(struct command){ .kind = COMMAND_SAVE,
								  .text = "svg " });
			*signal_number = 0;
		}
		return NULL;
	}
	return engine_wait(s->engine, 0);
}

static int loop(const struct options *o, struct session *s, int signals,
		struct error *err)
{
	uint64_t left = o->iterations, said_wall_ns = 0;
	bool ended = false, nothing = false;

	while (!ended) {
		int got, ret;
		struct snapshot *pic = next_snapshot(s, signals, &got);

		if (got)
			return got == SIGINT ? EXIT_DONE : 128 + got;
		if (!pic)
			continue;
		ended = pic->exited;
		if (o->n_triggers && !o->quiet)
			session_say(pic, &said_wall_ns);
		ret = print(o, pic, err);
		nothing = pic->samples_ever == 0 && pic->samples_due > 0;
		if (ended || left == 1)
			session_say_files(pic);
		snapshot_free(pic);
		if (ret == -EPIPE)
			return EXIT_DONE;
		if (ret)
			return err->exit;
		if (left && --left == 0)
			break;
	}
	if (!nothing)
		return EXIT_DONE;
	error_set(err, EXIT_NO_SAMPLES,
		  "no sample was taken, though the process used CPU time");
	error_hint(err, "`ptop doctor %d` says what the kernel refuses here",
		   (int)s->pid);
	return err->exit;
}

int top_batch_run(const struct options *o, struct error *err)
{
	struct engine_config c = session_config(o);
	struct session s;
	int signals = session_signals(), ret;

	c.wait_names = true;
	signal(SIGPIPE, SIG_IGN);
	ret = session_open(o, &c, true, &s, err);
	if (ret)
		return err->exit;
	ret = loop(o, &s, signals, err);
	session_close(&s);
	close(signals);
	return ret;
}
