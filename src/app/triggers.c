/* --when: conditions looked at twice a second; one that comes to hold writes a flame graph of
 * the seconds before, which the history still has.
 *
 * Figures are of the last TRIGGER_WINDOW_NS, CPU and memory of the last second, whatever the
 * screen's window and delay. So many files an hour, no more: a condition that flickers must not
 * fill a disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/engine_state.h"
#include "base/clock.h"
#include "base/text.h"
#include "model/trigger.h"

#define TRIGGER_WINDOW_NS (10 * NS_PER_SEC)
#define LOOK_NS (500 * NS_PER_MSEC)
#define HOUR_NS (3600 * NS_PER_SEC)
#define SILENT_NS (30 * NS_PER_SEC) /* without a figure: then that is said */

struct moment {
	uint64_t time_ns, cpu_ns, user_ticks, system_ticks, rss_bytes;
};

struct triggers {
	struct engine *e;
	struct trigger list[TRIGGERS_MAX];
	size_t n;
	bool known[TRIGGERS_MAX], complained[TRIGGERS_MAX];
	uint64_t opened_ns, next_ns;
	struct moment before[2]; /* the last two looks, newest first */
	uint64_t fired_ns[TRIGGERS_MOST_AN_HOUR];
	size_t fired, suppressed;
	uint32_t files;
};

static void *triggers_open(struct engine *e)
{
	struct triggers *t;

	if (!e->config.n_triggers)
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->e = e;
	t->n = e->config.n_triggers;
	memcpy(t->list, e->config.triggers, t->n * sizeof(*t->list));
	t->opened_ns = clock_now_ns();
	t->next_ns = t->opened_ns + LOOK_NS;
	return t;
}

static void triggers_close(void *state)
{
	free(state);
}

static uint64_t triggers_due(const void *state)
{
	const struct triggers *t = state;

	return engine_lazily(t->e, t->next_ns);
}

/* ---- Figures that must be of now ----------------------------------------------------- */

static struct moment measure(struct engine *e, uint64_t now)
{
	struct usage u = e->usage;

	(void)engine_usage(e, &u);
	return (struct moment){ now, u.cpu_ns, u.user_ticks, u.system_ticks,
				u.rss_bytes };
}

static double share(uint64_t part, uint64_t before, uint64_t span)
{
	return span && part > before ? 100.0 * (double)(part - before) / (double)span : 0;
}

static void put_moment(struct triggers *t, uint64_t now, struct snapshot *s)
{
	const struct moment m = measure(t->e, now), *b = &t->before[1];
	uint64_t tick = NS_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t span = b->time_ns ? now - b->time_ns : 0;

	s->target_cpu_pct = share(m.cpu_ns, b->cpu_ns, span);
	s->target_user_pct = share(m.user_ticks * tick, b->user_ticks * tick, span);
	s->target_system_pct = share(m.system_ticks * tick, b->system_ticks * tick, span);
	if (m.rss_bytes)
		s->target_rss_bytes = m.rss_bytes;
	t->before[1] = t->before[0];
	t->before[0] = m;
}

/* ---- Firing -------------------------------------------------------------------------- */

static bool allowed(struct triggers *t, uint64_t now)
{
	size_t most = t->e->config.triggers_an_hour, i, kept = 0;

	for (i = 0; i < t->fired; i++)
		if (now - t->fired_ns[i] < HOUR_NS)
			t->fired_ns[kept++] = t->fired_ns[i];
	t->fired = kept;
	if (t->fired >= most || t->fired >= TRIGGERS_MOST_AN_HOUR)
		return false;
	t->fired_ns[t->fired++] = now;
	return true;
}

/* A number behind the time: two conditions may come true in one second. */
static void file_name(struct triggers *t, char *path, size_t size)
{
	time_t now = time(NULL);
	char stamp[32];
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
	snprintf(path, size, "ptop-%d-%s-when%u.svg", (int)t->e->process.pid, stamp,
		 ++t->files);
}

static void fire(struct triggers *t, const struct trigger *tr, uint64_t now)
{
	struct command c = { .kind = COMMAND_SAVE,
			     .value = now,
			     .window_ns = TRIGGER_WINDOW_NS + tr->for_ns };
	char path[128], value[48];

	trigger_figure_text(tr, tr->seen, value, sizeof(value));
	if (!allowed(t, now)) {
		if (t->suppressed++ == 0)
			engine_say(
			    t->e, true,
			    "%s holds (%s); no file: %u were written within an hour "
			    "(--when-limit)",
			    tr->text, value, t->e->config.triggers_an_hour);
		return;
	}
	t->suppressed = 0;
	file_name(t, path, sizeof(path));
	snprintf(c.text, sizeof(c.text), "svg %s", path);
	engine_say(t->e, true, "%s holds: it is %s; writing %s, the %.0f s before",
		   tr->text, value, path, (double)c.window_ns / (double)NS_PER_SEC);
	engine_save(t->e, &c);
}

/* A condition nobody can judge is worse than none. */
static void complain(struct triggers *t, size_t i, uint64_t now)
{
	if (t->known[i] || t->complained[i] || now - t->opened_ns < SILENT_NS)
		return;
	t->complained[i] = true;
	engine_say(t->e, true,
		   "%s: nothing was measured yet that this could be judged by",
		   t->list[i].text);
}

static void triggers_turn(void *state, uint64_t now)
{
	struct triggers *t = state;
	struct snapshot *s;
	size_t i;

	if (now < t->next_ns)
		return;
	t->next_ns = now + LOOK_NS;
	s = engine_figures(t->e, now, TRIGGER_WINDOW_NS);
	put_moment(t, now, s);
	for (i = 0; i < t->n; i++) {
		double value;

		t->known[i] |= trigger_value(&t->list[i], s, &value);
		complain(t, i, now);
		if (t->before[1].time_ns && trigger_check(&t->list[i], s))
			fire(t, &t->list[i], now);
	}
	snapshot_free(s);
}

static void triggers_put(void *state, struct snapshot *s)
{
	(void)state;
	(void)s; /* its words are messages */
}

const struct part triggers_part = {
	.name = "triggers",
	.open = triggers_open,
	.close = triggers_close,
	.turn = triggers_turn,
	.due_ns = triggers_due,
	.put = triggers_put,
};
