/* The little that views share: sending a command, and scrolling. */
#include "ui/view.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* A pipe that is ready takes PIPE_BUF bytes whole, and a command is smaller: so this
 * neither blocks nor tears. */
void shared_send(struct shared *sh, const struct command *c)
{
	struct pollfd p = { .fd = sh->command_fd, .events = POLLOUT };

	if (sh->command_fd < 0)
		return; /* no sampler: a process is being chosen */
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) &&
	    write(sh->command_fd, c, sizeof(*c)) == (ssize_t)sizeof(*c))
		return;
	notes_show(&sh->notes, sh->now_ns, true,
		   "the sampler is busy: try that key again");
}

bool shared_few(const struct snapshot *s)
{
	return s->samples < 100;
}

void scroll_clamp(struct scroll *s)
{
	if (s->top > s->total - s->page)
		s->top = s->total - s->page;
	if (s->top < 0)
		s->top = 0;
}

bool scroll_act(struct scroll *s, enum action action)
{
	int page = s->page > 1 ? s->page - 1 : 1;

	switch (action) {
	case ACTION_UP:
		s->top--;
		break;
	case ACTION_DOWN:
		s->top++;
		break;
	case ACTION_PAGE_UP:
		s->top -= page;
		break;
	case ACTION_PAGE_DOWN:
		s->top += page;
		break;
	case ACTION_HALF_UP:
		s->top -= (page + 1) / 2;
		break;
	case ACTION_HALF_DOWN:
		s->top += (page + 1) / 2;
		break;
	case ACTION_FIRST:
		s->top = 0;
		break;
	case ACTION_LAST:
		s->top = s->total;
		break;
	default:
		return false;
	}
	scroll_clamp(s);
	return true;
}
