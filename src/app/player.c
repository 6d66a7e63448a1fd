/* A thread, because a picture of an hour may take longer than a key press should, and a
 * file is written where the screen asks for one. It sleeps but for commands. */
#include "app/player.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "app/save.h"
#include "base/clock.h"
#include "base/thread.h"
#include "model/command.h"

#define SAID_MOST 100u

struct said {
	bool warning;
	char text[1200];
};

struct player {
	struct recording *recording;
	struct picture_query query;
	pthread_t thread;
	struct mailbox snapshots;
	int wake_fd, command_read_fd, command_write_fd;
	uint64_t window_ns; /* of pictures of the end */
	unsigned wants;	    /* of the view shown */
	uint64_t number;
	VEC(struct said) said; /* answers to commands */
	bool quit;
};

/* Their time is the recording's end: this clock stands still. */
static void put_said(const struct player *p, struct snapshot *s)
{
	struct snapshot_message *all =
	    arena_alloc(&s->arena, (s->n_messages + p->said.n + 1) * sizeof(*all));
	size_t i;

	if (s->n_messages)
		memcpy(all, s->messages, s->n_messages * sizeof(*all));
	for (i = 0; i < p->said.n; i++)
		all[s->n_messages + i] =
		    (struct snapshot_message){ s->wall_ns, p->said.v[i].warning,
					       arena_str(&s->arena, p->said.v[i].text) };
	s->messages = all;
	s->n_messages += p->said.n;
}

static void publish(struct player *p)
{
	struct snapshot *s = recording_picture(p->recording, &p->query, p->wants, true);
	uint64_t one = 1;

	s->number = ++p->number;
	put_said(p, s);
	snapshot_free(mailbox_put(&p->snapshots, s));
	if (write(p->wake_fd, &one, sizeof(one)) == -1)
		return; /* it is readable already */
}

static void say(struct player *p, bool warning, const char *text)
{
	struct said *s;

	if (p->said.n == SAID_MOST)
		return;
	s = VEC_PUSH(&p->said);
	s->warning = warning;
	clean_copy(s->text, sizeof(s->text), text, strlen(text));
}

static void save(struct player *p, const struct command *c)
{
	struct picture_query q = p->query;
	struct save s = { .show_cmdline = true, .replace = true };
	char format[32], message[1200];

	if (!save_parse(c->text, (int)p->recording->pid, &s, format, sizeof(format))) {
		snprintf(message, sizeof(message), "Not saved: no format \"%s\"", format);
		say(p, true, message);
		return;
	}
	q.window_ns = c->window_ns;
	if (c->value)
		q.end_ns = c->value;
	if (c->thread)
		q.only = c->thread > 0 ? recording_thread(p->recording, c->thread) : 0;
	if (c->thread > 0 && !q.only) {
		say(p, true, "Not saved: that thread is not in the recording");
		return;
	}
	s.snapshot =
	    recording_picture(p->recording, &q, exporter_wants(s.exporter), false);
	if (!s.exporter)
		s.batch = recording_batch(p->recording, &q, s.snapshot);
	say(p, !save_run(&s, message, sizeof(message)), message);
	save_done(&s);
}

static void obey(struct player *p, const struct command *c)
{
	switch ((enum command_kind)c->kind) {
	case COMMAND_WINDOW:
		p->query.window_ns = p->window_ns = c->value;
		break;
	case COMMAND_IDLE:
		p->query.idle_shown = c->value != 0;
		break;
	case COMMAND_MERGE:
		p->query.merged = c->value != 0;
		break;
	case COMMAND_WANT:
		p->wants = (unsigned)c->value;
		break;
	case COMMAND_THREAD:
		p->query.only = recording_thread(p->recording, (int32_t)c->value);
		break;
	case COMMAND_AT:
		p->query.end_ns = c->value;
		p->query.window_ns = c->value ? c->window_ns : p->window_ns;
		break;
	case COMMAND_SAVE:
		save(p, c);
		break;
	case COMMAND_QUIT:
		p->quit = true;
		return;
	case COMMAND_MODE:
		if (c->value != p->recording->mode)
			say(p, true,
			    p->recording->mode == MODE_CPU
				? "CPU time is all that was recorded (record -m wall)"
				: "Recorded with -m wall: that is what is shown");
		break;
	default:
		say(p, true, "A recording cannot do that: it is over");
		break;
	}
	publish(p);
}

static void *player_main(void *arg)
{
	struct player *p = arg;
	struct pollfd fd = { .fd = p->command_read_fd, .events = POLLIN };
	struct command c;
	ssize_t n;

	pthread_setname_np(pthread_self(), "ptop-player");
	publish(p);
	while (!p->quit) {
		if (poll(&fd, 1, -1) == -1 && errno != EINTR)
			break;
		n = read(p->command_read_fd, &c, sizeof(c));
		if (n == 0)
			break;
		if (n != (ssize_t)sizeof(c))
			continue;
		c.text[sizeof(c.text) - 1] = '\0';
		obey(p, &c);
	}
	return NULL;
}

static void player_free(struct player *p)
{
	int fds[] = { p->wake_fd, p->command_read_fd, p->command_write_fd };
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] != -1)
			close(fds[i]);
	snapshot_free(mailbox_take(&p->snapshots));
	recording_free(p->recording);
	VEC_DONE(&p->said);
	free(p);
}

int player_start(struct recording *r, const struct picture_query *q, struct player **out,
		 struct error *err)
{
	struct player *p = xcalloc(1, sizeof(*p));
	int fds[2] = { -1, -1 }, ret;

	p->recording = r;
	p->query = *q;
	p->window_ns = q->window_ns;
	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1)
		fds[0] = fds[1] = -1;
	p->command_read_fd = fds[0];
	p->command_write_fd = fds[1];
	ret = p->wake_fd == -1 || fds[0] == -1
		  ? error_errno(err, "cannot start a thread")
		  : thread_start(&p->thread, player_main, p, err);
	if (ret) {
		player_free(p);
		return ret;
	}
	*out = p;
	return 0;
}

struct ui player_ui(struct player *p)
{
	return (struct ui){ .snapshots = &p->snapshots,
			    .wake_fd = p->wake_fd,
			    .command_fd = p->command_write_fd,
			    .text_fd = -1 };
}

void player_stop(struct player *p)
{
	struct command quit = { .kind = COMMAND_QUIT };

	while (write(p->command_write_fd, &quit, sizeof(quit)) == -1 &&
	       (errno == EINTR || errno == EAGAIN))
		usleep(1000);
	pthread_join(p->thread, NULL);
	player_free(p);
}
