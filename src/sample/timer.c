/* No samples at all: for targets whose stacks a language runtime's reader gives, on a clock. It
 * only tells who comes and goes. */
#include <stdlib.h>

#include "base/clock.h"
#include "sample/backend.h"
#include "sample/news.h"
#include "target/memory.h"

#define LOOK_NS (500 * NS_PER_MSEC)

struct sampler {
	const struct backend *backend;
	struct news news;
	uint64_t next_ns;
};

static int timer_open(const struct sample_config *c, struct sampler **out,
		      struct error *err)
{
	struct sampler *s;
	int ret = mem_live_prove(c->pid, err); /* all that its stacks are read by */

	if (ret)
		return ret;
	s = xcalloc(1, sizeof(*s));
	s->backend = &timer_backend;
	news_init(&s->news, c->pid, c->children);
	news_update(&s->news); /* who is there is no news */
	VEC_CLEAR(&s->news.came);
	*out = s;
	return 0;
}

static size_t timer_fds(struct sampler *s, struct pollfd *fds, size_t max)
{
	(void)s;
	(void)fds;
	(void)max;
	return 0;
}

static uint64_t timer_due(struct sampler *s)
{
	return s->next_ns;
}

static bool timer_next(struct sampler *s, struct event *e)
{
	uint64_t now = clock_now_ns();

	if (now >= s->next_ns) {
		news_update(&s->news);
		s->next_ns = now + LOOK_NS;
	}
	return news_next(&s->news, e);
}

static void timer_follow(struct sampler *s, pid_t pid, bool born)
{
	(void)born;
	news_follow(&s->news, pid);
}

static void timer_forget(struct sampler *s, pid_t pid)
{
	news_forget(&s->news, pid);
}

static uint64_t timer_missed(struct sampler *s)
{
	(void)s;
	return 0;
}

static void timer_close(struct sampler *s)
{
	news_done(&s->news);
	free(s);
}

const struct backend timer_backend = {
	.name = "timer",
	.help = "a clock: stacks of an interpreter, the target is never interrupted",
	.limits = "threads that run no interpreted code show as one row",
	.open = timer_open,
	.fds = timer_fds,
	.due_ns = timer_due,
	.next = timer_next,
	.follow = timer_follow,
	.forget = timer_forget,
	.missed = timer_missed,
	.close = timer_close,
};
