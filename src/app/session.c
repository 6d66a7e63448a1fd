/* Opening in the order that fails early: options, target, rights, then threads. */
#include "app/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/namer.h"
#include "base/clock.h"
#include "base/text.h"

#define SUMMARY_FUNCTIONS 3u
#define SUMMARY_LEAST_PCT 1.0
#define SUMMARY_WIDTH 60u

struct engine_config session_config(const struct options *o)
{
	return (struct engine_config){ .rate_hz = o->rate_hz,
				       .mode = o->mode,
				       .children = o->children,
				       .idle = o->idle,
				       .merged = !o->threads,
				       .backend = o->backend,
				       .native = o->native && !o->native_only,
				       .native_only = o->native_only,
				       .growers = o->growers,
				       .exact = o->exact,
				       .show_cmdline = o->full_cmdline,
				       .hide_cmdline = o->no_cmdline,
				       .delay_ns = o->settings.delay_ns,
				       .window_ns = o->settings.window_ns,
				       .probes = o->probes,
				       .n_probes = o->n_probes,
				       .requests = o->requests,
				       .slow_ns = o->slow_ns,
				       .triggers = o->triggers,
				       .n_triggers = o->n_triggers,
				       .triggers_an_hour = o->triggers_an_hour };
}

int session_open(const struct options *o, struct engine_config *c, bool quiet_child,
		 struct session *s, struct error *err)
{
	int ret;

	*s = (struct session){ .launch = { .go_fd = -1 } };
	if (o->launch) {
		ret = launch_prepare(o->words, quiet_child, &s->launch, err);
		s->launched = ret == 0;
		s->pid = s->launch.pid;
		c->from_exec = true;
	} else {
		ret = options_target(o, &s->pid, err);
	}
	if (ret)
		return ret;
	c->pid = s->pid;
	ret = engine_start(c, &s->engine, err);
	if (!ret && s->launched)
		ret = launch_go(&s->launch, o->words[0], err);
	if (ret)
		session_close(s);
	return ret;
}

void session_close(struct session *s)
{
	if (s->engine)
		engine_stop(s->engine);
	s->engine = NULL;
	if (s->launched)
		launch_end(&s->launch);
	s->launched = false;
}

int session_signals(void)
{
	static const int ours[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaddset(&set, ours[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int session_signal(int fd)
{
	struct signalfd_siginfo si;

	return read(fd, &si, sizeof(si)) == (ssize_t)sizeof(si) ? (int)si.ssi_signo : 0;
}

void session_say(const struct snapshot *s, uint64_t *said_wall_ns)
{
	size_t i;

	for (i = 0; i < s->n_messages; i++) {
		if (s->messages[i].wall_ns <= *said_wall_ns)
			continue;
		*said_wall_ns = s->messages[i].wall_ns;
		fprintf(stderr, "ptop: %s\n", s->messages[i].text);
	}
}

void session_say_files(const struct snapshot *s)
{
	size_t i;

	for (i = 0; s && i < s->n_messages; i++)
		if (strstr(s->messages[i].text, UNANSWERED) ||
		    strstr(s->messages[i].text, UNPACKS_TO_MORE))
			fprintf(stderr, "ptop: %s\n", s->messages[i].text);
}

static void print_hottest(const struct snapshot *s)
{
	size_t i, used = 0;

	fputs("  hottest  ", stderr);
	for (i = 0; i < s->n_functions && i < SUMMARY_FUNCTIONS; i++) {
		const struct snapshot_function *f = &s->functions[i];
		double pct = snapshot_pct(s, f->self_ns);

		if (pct < SUMMARY_LEAST_PCT || used + strlen(f->name) > SUMMARY_WIDTH)
			break;
		used += strlen(f->name) + 8;
		fprintf(stderr, " %s %.1f%%", f->name, pct);
	}
	fputs(used ? "   (self)\n" : " nothing stood out\n", stderr);
}

static void print_memory(const struct snapshot *s)
{
	int64_t grown;
	uint64_t span_ns;

	fputs("  memory    RSS", stderr);
	if (s->first_rss_bytes)
		fprintf(stderr, " %.1f ->", (double)s->first_rss_bytes / (1 << 20));
	fprintf(stderr, " %.1f MiB", (double)s->target_rss_bytes / (1 << 20));
	if (s->memory.slope.known)
		fprintf(stderr, ", %+.1f MiB/min",
			s->memory.slope.per_s * 60 / (1 << 20));
	else if (memory_grown(&s->memory, &grown, &span_ns))
		fprintf(stderr, ", %+.1f MiB in %llu s", (double)grown / (1 << 20),
			(unsigned long long)(span_ns / NS_PER_SEC));
	if (s->gc.all.count)
		fprintf(stderr, "     GC %llu runs, longest %.1f ms, %.2f%% of time",
			(unsigned long long)s->gc.all.count,
			(double)s->gc.all.max_ns / 1e6, s->gc.all.time_pct);
	fputc('\n', stderr);
}

/* The first of what was timed, if it was called often enough for figures. */
static void print_latency(const struct snapshot *s)
{
	const struct snapshot_latency_row *r = NULL;
	size_t i;

	for (i = 0; i < s->latency.n_rows && !r; i++)
		if (s->latency.rows[i].source <= LATENCY_LOOP &&
		    s->latency.rows[i].figure[LATENCY_P95].known == LATENCY_KNOWN)
			r = &s->latency.rows[i];
	if (r)
		fprintf(stderr, "  latency   %.60s  p50 %.1f ms  p95 %.1f ms  (n %llu)\n",
			r->name, (double)r->figure[LATENCY_P50].ns / 1e6,
			(double)r->figure[LATENCY_P95].ns / 1e6,
			(unsigned long long)r->count);
}

void session_summary(const struct snapshot *s, uint64_t ran_ns)
{
	uint64_t seconds = ran_ns / NS_PER_SEC;
	size_t i;

	fprintf(stderr,
		"ptop: pid %d (%s) %02llu:%02llu:%02llu, %s, %.4g Hz, %llu samples, lost "
		"%.1f%%\n",
		s->pid, s->command, (unsigned long long)(seconds / 3600),
		(unsigned long long)(seconds / 60 % 60),
		(unsigned long long)(seconds % 60), mode_name(s->mode), s->rate_hz,
		(unsigned long long)s->samples_ever, s->lost_pct);
	print_hottest(s);
	print_memory(s);
	print_latency(s);
	fprintf(stderr, "  cost      ptop %.1f%% of one core, %.0f MiB", s->own_cpu_pct,
		(double)s->own_rss_bytes / (1 << 20));
	if (s->taken_pct > 0)
		fprintf(stderr, "; target slowed by about %.2f%%", s->taken_pct);
	fputc('\n', stderr);
	for (i = 0; i < s->n_messages; i++)
		if (strncmp(s->messages[i].text, "Saved ", 6) == 0)
			fprintf(stderr, "  saved     %s\n", s->messages[i].text + 6);
}
