/* From the engine's state to a snapshot: measures the target and ptop itself, builds the
 * picture of the window, puts it into the mailbox. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/chains.h"
#include "app/engine_state.h"
#include "app/latency.h"
#include "app/recorder.h"
#include "base/clock.h"
#include "base/ended.h"
#include "base/text.h"
#include "model/threads_now.h"

#define DUE_LEAST 8.0 /* samples: when none of so many came, that is no chance */
#define SECOND_PICTURE_NS (350 * NS_PER_MSEC)
#define MESSAGES_KEPT 100u
#define THREADS_LISTED 256u
#define STATES_READ 64u
#define NAMES_WAIT_NS (2 * NS_PER_SEC)
#define NAMES_WAIT_AT_END_NS (5 * NS_PER_SEC)
#define LINES_LEAST_PCT 0.2
#define LINES_EARLY_NS (3 * NS_PER_SEC)
#define LINES_LATER_PCT 1.0
#define LINES_GAP_NS (30 * NS_PER_SEC)
#define LINE_ROUNDS 64u
#define LINES_LEAST_AT_END_PCT 0.01

void engine_say(struct engine *e, bool warning, const char *fmt, ...)
{
	struct message *m;
	char text[sizeof(m->text)];
	va_list ap;

	if (e->messages.n >= MESSAGES_KEPT) {
		memmove(e->messages.v, e->messages.v + 1,
			(MESSAGES_KEPT - 1) * sizeof(*e->messages.v));
		e->messages.n--;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	m = VEC_PUSH(&e->messages);
	m->wall_ns = clock_wall_ns();
	m->warning = warning;
	clean_copy(m->text, sizeof(m->text), text, strlen(text));
}

/* ---- gauges ---- */

/* A child that lives shorter than two measurements apart is never measured; but its parent has
 * its time when it was waited for. One that nobody waits for is in no account of the kernel's. */
static void add_ended(struct engine *e, struct usage *sum)
{
	const struct usage *ended = &e->ended_usage;
	uint64_t tick_ns = NS_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK), user = 0,
		 system = 0;

	if (e->config.children && !e->waited_known) {
		e->waited_user_ticks = sum->waited_user_ticks;
		e->waited_system_ticks = sum->waited_system_ticks;
		e->waited_known = true;
	}
	if (e->config.children && sum->waited_user_ticks > e->waited_user_ticks)
		user = sum->waited_user_ticks - e->waited_user_ticks;
	if (e->config.children && sum->waited_system_ticks > e->waited_system_ticks)
		system = sum->waited_system_ticks - e->waited_system_ticks;
	sum->cpu_ns += (user + system) * tick_ns > ended->cpu_ns
			   ? (user + system) * tick_ns
			   : ended->cpu_ns;
	sum->user_ticks += user > ended->user_ticks ? user : ended->user_ticks;
	sum->system_ticks += system > ended->system_ticks ? system : ended->system_ticks;
}

bool engine_usage(struct engine *e, struct usage *out)
{
	size_t i;

	*out = (struct usage){ .state = '?' };
	for (i = 0; i < e->spaces.n; i++) {
		struct usage u;

		if (e->spaces.v[i].gone ||
		    !usage_read(e->usage_reader, e->spaces.v[i].pid, &u))
			continue;
		e->spaces.v[i].usage = u;
		if (e->spaces.v[i].pid == e->process.pid)
			out->state = u.state;
		out->cpu_ns += u.cpu_ns;
		out->user_ticks += u.user_ticks;
		out->system_ticks += u.system_ticks;
		out->waited_user_ticks += u.waited_user_ticks;
		out->waited_system_ticks += u.waited_system_ticks;
		out->rss_bytes += u.rss_bytes;
		out->threads += u.threads;
	}
	if (!out->threads)
		return false;
	add_ended(e, out);
	return true;
}

void engine_note_end(struct engine *e)
{
	char how[64], probed[160] = "";

	e->exit_status = process_end_status(e->process.pid, e->pid_fd);
	ended_text(e->exit_status, how, sizeof(how));
	if (e->latency)
		latency_exact_names(e->latency, probed, sizeof(probed));
	snprintf(e->end_note, sizeof(e->end_note), "%s%s%s", how,
		 probed[0] ? " while probes were on " : "", probed);
}

static double share(uint64_t part, uint64_t before, uint64_t span)
{
	return span && part > before ? 100.0 * (double)(part - before) / (double)span : 0;
}

/* Once: the figures themselves are shown as missing for as long as that lasts. */
static void say_unknown(struct engine *e, int why)
{
	if (e->usage_unknown_said || !process_alive(&e->process))
		return;
	e->usage_unknown_said = true;
	engine_say(e, true, "CPU time and memory of the process cannot be read: %s",
		   why ? strerror(why) : "the reason is not known");
}

void engine_measure(struct engine *e, uint64_t now)
{
	struct usage usage;

	e->own_cpu_before_ns = e->own_cpu_ns;
	e->own_cpu_ns = clock_own_cpu_ns();
	e->usage_before = e->usage;
	e->usage_before_ns = e->usage_ns;
	if (!e->exited) {
		errno = 0;
		e->usage_unknown = !engine_usage(e, &usage);
		if (!e->usage_unknown)
			e->usage = usage;
		else
			say_unknown(e, errno);
	}
	e->usage_ns = now;
	/* At the start of the span that it stands for. */
	if (e->usage_before_ns && now > e->usage_before_ns && !e->usage_unknown)
		series_add(&e->cpu, e->usage_before_ns,
			   share(e->usage.cpu_ns, e->usage_before.cpu_ns,
				 now - e->usage_before_ns));
}

static void put_course(const struct engine *e, struct snapshot *s)
{
	uint64_t to = s->time_ns + 1;
	uint64_t from = s->window_ns && s->window_ns < to ? to - s->window_ns : 0;

	s->cpu = series_look(&e->cpu, &s->arena, from, to, true, MEMORY_CELLS);
}

static void put_gauges(struct engine *e, struct snapshot *s)
{
	uint64_t span = e->usage_ns - e->usage_before_ns;
	uint64_t tick = NS_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t cpu = e->usage.cpu_ns - e->window_cpu_ns;

	if (e->usage_before_ns == 0)
		span = 0;
	s->target_cpu_pct = share(e->usage.cpu_ns, e->usage_before.cpu_ns, span);
	s->target_user_pct =
	    share(e->usage.user_ticks * tick, e->usage_before.user_ticks * tick, span);
	s->target_system_pct = share(e->usage.system_ticks * tick,
				     e->usage_before.system_ticks * tick, span);
	s->target_rss_bytes = e->usage.rss_bytes;
	if (e->usage_unknown) {
		s->target_cpu_pct = s->target_user_pct = s->target_system_pct = NAN;
		s->target_rss_bytes = 0;
	}
	if (!e->first_rss_bytes)
		e->first_rss_bytes = e->usage.rss_bytes;
	s->first_rss_bytes = e->first_rss_bytes;
	s->own_cpu_pct = share(e->own_cpu_ns, e->own_cpu_before_ns, span);
	s->own_rss_bytes = usage_own_rss();
	s->taken_pct = (e->taken_ns_per_sample + chains_taken_ns(e)) * s->target_cpu_pct /
		       100.0 * e->config.rate_hz / (double)NS_PER_SEC * 100.0;
	s->samples_ever = e->samples;
	s->samples_due = e->samples;
	s->effective_pct = 100;
	if (e->mode == MODE_CPU && e->usage.cpu_ns > e->window_cpu_ns &&
	    cpu > NS_PER_SEC / 5) {
		s->effective_pct = 100.0 * (double)e->sampled_ns / (double)cpu;
		s->samples_due =
		    (uint64_t)((double)cpu / (double)NS_PER_SEC * e->config.rate_hz);
	} else if (e->mode == MODE_CPU && e->usage_unknown) {
		s->effective_pct = NAN;
	} else if (e->mode == MODE_CPU && e->samples == 0 &&
		   (double)cpu * e->config.rate_hz > DUE_LEAST * (double)NS_PER_SEC) {
		s->effective_pct = 0; /* few were due, but none came */
		s->samples_due =
		    (uint64_t)((double)cpu / (double)NS_PER_SEC * e->config.rate_hz);
	} else if (e->mode == MODE_WALL && e->look_period_ns) {
		s->effective_pct = 100.0 * (double)NS_PER_SEC / e->config.rate_hz /
				   (double)e->look_period_ns;
	}
	if (s->effective_pct > 100)
		s->effective_pct = 100;
}

/* ---- content ---- */

static char *short_cmdline(struct engine *e, struct snapshot *s)
{
	const char *all = e->process.cmdline, *p = all;
	int words = 0;

	if (e->config.hide_cmdline)
		return arena_str(&s->arena, e->process.command);
	if (e->config.show_cmdline)
		return arena_str(&s->arena, all);
	for (; *p; p++)
		if (*p == ' ' && ++words == 3)
			break;
	return arena_strn(&s->arena, all, (size_t)(p - all));
}

static void put_target(struct engine *e, struct snapshot *s)
{
	char host[256] = "", limits[sizeof(e->note) + sizeof(e->limits) + 2];

	gethostname(host, sizeof(host) - 1);
	s->pid = e->process.pid;
	s->command = arena_str(&s->arena, e->process.command);
	s->cmdline = short_cmdline(e, s);
	s->runtime =
	    e->runtime_name[0] ? arena_str(&s->arena, e->runtime_name) : "native";
	s->host = arena_str(&s->arena, host);
	s->start_wall_ns = e->process.start_wall_ns;
	s->exited = e->exited;
	s->exit_status = e->exited ? e->exit_status : -1;
	s->end_note = e->exited ? arena_str(&s->arena, e->end_note) : NULL;
	s->stopped = !e->exited && (e->usage.state == 'T' || e->usage.state == 't');
	s->number = ++e->number;
	s->wall_ns = clock_wall_ns();
	s->backend = e->backend ? e->backend->name : "";
	snprintf(limits, sizeof(limits), "%s%s%s", e->note,
		 e->note[0] && e->limits[0] ? "; " : "", e->limits);
	s->limits = arena_str(&s->arena, limits);
	s->rate_hz = e->config.rate_hz;
}

static void put_losses(struct engine *e, struct snapshot *s)
{
	uint64_t dropped, wanted_from = e->first_ns;

	if (s->window_ns && s->time_ns - s->window_ns > e->first_ns)
		wanted_from = s->time_ns - s->window_ns;

	memcpy(s->lost, e->lost, sizeof(s->lost));
	s->lost[LOSS_THREADS] += e->sampler ? e->backend->missed(e->sampler) : 0;
	s->lost[LOSS_FUNCTIONS] = e->functions.refused;
	/* Dropped for want of memory, and still wanted by this window. */
	if (e->history.dropped_until_ns > wanted_from)
		s->lost[LOSS_HISTORY_FULL] = e->history.dropped;
	dropped = s->lost[LOSS_RING_FULL] + s->lost[LOSS_BAD_RECORD] +
		  s->lost[LOSS_STACK_RACED] + s->lost[LOSS_READ_FAILED];
	s->broken = e->incomplete;
	s->lost_pct =
	    dropped ? 100.0 * (double)dropped / (double)(dropped + e->samples) : 0;
}

struct listed {
	uint32_t number;
	uint64_t on_ns, off_ns;
};

static int by_time(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	if (x->on_ns != y->on_ns)
		return x->on_ns < y->on_ns ? 1 : -1;
	if (x->off_ns != y->off_ns)
		return x->off_ns < y->off_ns ? 1 : -1;
	return x->number < y->number ? -1 : x->number > y->number;
}

const char *engine_process_name(struct engine *e, pid_t pid)
{
	const struct space *s = engine_space(e, pid);

	return s ? s->command : "";
}

static void put_thread(struct engine *e, const struct listed *l, bool read_state,
		       uint64_t covered, struct snapshot *s, struct snapshot_thread *out)
{
	const struct thread *t = &e->threads.v[l->number];
	struct process_stat st;

	*out = (struct snapshot_thread){
		.pid = t->pid,
		.tid = t->tid,
		.name = arena_str(&s->arena, t->name),
		.process = arena_str(&s->arena, engine_process_name(e, t->pid)),
		.gil_pct = -1,
		.gil_wait_pct = -1,
		.state = t->gone || e->exited ? 'X' : '?',
		.self_ns = e->mode == MODE_WALL ? l->on_ns + l->off_ns : l->on_ns,
		.cpu_pct = covered ? 100.0 * (double)l->on_ns / (double)covered : 0,
		.idle = l->on_ns == 0 && t->ran_ns == 0,
		.top = "",
		.top_file = "",
		.wait = "",
	};
	if (read_state && !t->gone && !e->exited)
		out->state = process_stat(t->pid, t->tid, &st) ? st.state : 'X';
}

/* History numbers of threads become indexes of snapshot.threads. */
static void renumber(struct snapshot *s, const struct listed *list, size_t n, size_t all)
{
	uint32_t *to = xmalloc((all + 1) * sizeof(*to));
	size_t i;

	memset(to, 0xff, (all + 1) * sizeof(*to));
	for (i = 0; i < n; i++)
		to[list[i].number] = (uint32_t)i;
	for (i = 0; i < s->n_functions && !s->threads_merged; i++)
		if (s->functions[i].thread < all)
			s->functions[i].thread = to[s->functions[i].thread];
	for (i = 0; i < s->n_runs; i++)
		s->runs[i].thread = to[s->runs[i].thread];
	free(to);
}

/* Where each thread listed is now, and how busy it was. */
static void put_stacks(struct engine *e, const struct listed *list, size_t n,
		       struct snapshot *s)
{
	struct thread_now *now = xcalloc(e->threads.n, sizeof(*now));
	size_t i;

	threads_now(&e->history, s->time_ns, s->covered_ns, now, e->threads.n);
	for (i = 0; i < n; i++)
		threads_now_put(&e->history, &e->functions, &now[list[i].number],
				&s->arena, &s->threads[i]);
	free(now);
}

static void put_threads(struct engine *e, const struct picture_thread *did,
			struct snapshot *s)
{
	struct listed *list = xcalloc(e->threads.n, sizeof(*list));
	size_t i, n = 0, most;

	for (i = 0; i < e->threads.n; i++) {
		const struct thread *t = &e->threads.v[i];

		if (did[i].on_ns == 0 && did[i].off_ns == 0 && t->gone)
			continue;
		list[n++] = (struct listed){ (uint32_t)i, did[i].on_ns, did[i].off_ns };
	}
	if (n)
		qsort(list, n, sizeof(*list), by_time);
	most = s->threads_merged && n > THREADS_LISTED ? THREADS_LISTED : n;
	s->threads = arena_alloc(&s->arena, (most + 1) * sizeof(*s->threads));
	for (i = 0; i < most; i++)
		put_thread(e, &list[i], i < STATES_READ, s->covered_ns, s,
			   &s->threads[i]);
	s->n_threads = most;
	s->n_threads_all = n;
	if (s->wants & WANT_STACKS)
		put_stacks(e, list, most, s);
	if (!s->threads_merged || s->n_runs)
		renumber(s, list, most, e->threads.n);
	free(list);
}

static void put_messages(struct engine *e, struct snapshot *s)
{
	size_t i;

	s->messages = arena_alloc(&s->arena, (e->messages.n + 1) * sizeof(*s->messages));
	for (i = 0; i < e->messages.n; i++)
		s->messages[i] = (struct snapshot_message){
			e->messages.v[i].wall_ns, e->messages.v[i].warning,
			arena_str(&s->arena, e->messages.v[i].text)
		};
	s->n_messages = e->messages.n;
}

static struct snapshot *build(struct engine *e, uint64_t end_ns, uint64_t window_ns,
			      unsigned wants, struct live *live)
{
	struct picture_thread *did = xcalloc(e->threads.n, sizeof(*did));
	struct picture_query q = { .end_ns = end_ns,
				   .window_ns = window_ns,
				   .mode = e->mode,
				   .merged =
				       e->merged || (wants & (WANT_TREE | WANT_LINES)),
				   .idle_shown = e->idle,
				   .only = e->only,
				   .tree = wants & WANT_TREE,
				   .lines = wants & WANT_LINES,
				   .hot_lines = wants & WANT_HOT_LINES,
				   .spread = wants & WANT_SPREAD,
				   .runs = wants & WANT_RUNS };
	struct snapshot *s = snapshot_new();
	uint64_t from = window_ns && window_ns < end_ns ? end_ns - window_ns : 0;
	size_t i;

	for (i = 0; i < e->threads.n; i++)
		did[i].ran = e->threads.v[i].ran_ns > from;
	picture_build(&e->history, &e->functions, &q, live, did, e->threads.n, s);
	from = from > e->first_ns ? from : e->first_ns;
	from = from > e->history.dropped_until_ns ? from : e->history.dropped_until_ns;
	s->covered_ns = end_ns > from ? end_ns - from : 0;
	s->wants = wants;
	s->only_tid = e->only ? e->threads.v[e->only - 1].tid : 0;
	put_target(e, s);
	put_losses(e, s);
	put_gauges(e, s);
	put_course(e, s);
	put_threads(e, did, s);
	parts_put(e, s);
	put_messages(e, s);
	free(did);
	return s;
}

struct snapshot *engine_picture(struct engine *e, uint64_t end_ns, uint64_t window_ns,
				unsigned wants, bool live)
{
	return build(e, end_ns, window_ns, wants, live ? &e->live : NULL);
}

struct snapshot *engine_figures(struct engine *e, uint64_t end_ns, uint64_t window_ns)
{
	uint64_t number = e->number;
	uint32_t only = e->only;
	struct snapshot *s;

	e->only = 0;
	s = build(e, end_ns, window_ns, 0, NULL);
	e->only = only;
	e->number = number;
	return s;
}

static void put_in_mailbox(struct engine *e, struct snapshot *s)
{
	uint64_t one = 1;

	snapshot_free(mailbox_put(&e->snapshots, s));
	if (write(e->wake_fd, &one, sizeof(one)) == -1)
		return; /* it is readable already */
}

/* The last picture waits for the names of all that counts, a live one for none. */
static bool names_awaited(struct engine *e, uint64_t now)
{
	size_t round, before = e->jobs + 1;

	if (e->finished) {
		for (round = 0; round < LINE_ROUNDS && e->jobs != before; round++) {
			before = e->jobs;
			engine_ask_lines(e, LINES_LEAST_AT_END_PCT);
		}
	} else if (now >= e->next_lines_ns) {
		/* Often at first, then seldom: opening debug information is dear, and
		 * what is hot has been asked about by then. */
		engine_ask_lines(e, now - e->first_ns < LINES_EARLY_NS ? LINES_LEAST_PCT
								       : LINES_LATER_PCT);
		e->next_lines_ns = now + e->lines_gap_ns;
		e->lines_gap_ns = e->lines_gap_ns < LINES_GAP_NS / 2
				      ? e->lines_gap_ns * 2 + NS_PER_SEC / 4
				      : LINES_GAP_NS;
	}
	if (!e->config.wait_names || !e->jobs)
		return false;
	if (e->names_waited_ns == 0)
		e->names_waited_ns = now;
	return now - e->names_waited_ns <
	       (e->finished ? NAMES_WAIT_AT_END_NS : NAMES_WAIT_NS);
}

uint64_t engine_picture_ns(const struct engine *e)
{
	return e->ended_ns ? e->ended_ns : clock_now_ns();
}

/* What is shown: a moment of the past, all at the end, else the window up to now. */
static struct snapshot *newest_picture(struct engine *e, uint64_t now)
{
	struct snapshot *s;

	if (e->finished)
		return engine_picture(e, now, 0, WANT_TREE | e->config.last_wants, false);
	if (!e->at_ns)
		return engine_picture(e, now, e->window_ns, e->wants, true);
	s = engine_picture(e, e->at_ns, e->at_window_ns, e->wants, false);
	s->past = true;
	s->wall_ns -= now - e->at_ns;
	return s;
}

void engine_publish(struct engine *e, uint64_t now)
{
	uint64_t gap;

	if (names_awaited(e, now))
		return; /* the loop comes back soon */
	e->names_waited_ns = 0;
	if (!e->finished && !e->exited)
		engine_measure(e, now);
	put_in_mailbox(e, newest_picture(e, now));
	/* The first one comes early and with few names: the second does not wait for long. */
	gap = e->number == 1 && !e->config.wait_names && SECOND_PICTURE_NS < e->delay_ns
		  ? SECOND_PICTURE_NS
		  : e->delay_ns;
	e->next_picture_ns = now + gap;
}

/* Which thread a file is about, as struct engine's `only`; NO_ID: it is not known. */
static uint32_t thread_to_save(const struct engine *e, const struct command *c)
{
	uint32_t number;

	if (c->thread <= 0)
		return c->thread ? 0 : e->only;
	number = engine_find_thread(e, c->thread);
	return number == NO_ID ? NO_ID : number + 1;
}

void engine_save(struct engine *e, const struct command *c)
{
	struct name_job *job = name_job_new(NAME_SAVE, objects_get(e->objects, 0));
	uint64_t end = c->value ? c->value : engine_picture_ns(e);
	uint32_t shown = e->only, only = thread_to_save(e, c);
	char format[32];

	if (!save_parse(c->text, (int)e->process.pid, &job->save, format,
			sizeof(format))) {
		engine_say(e, true, "Not saved: no format \"%s\"", format);
		name_job_free(job);
		return;
	}
	if (only == NO_ID) {
		engine_say(e, true, "Not saved: thread %d is not known", (int)c->thread);
		name_job_free(job);
		return;
	}
	e->only = only;
	job->save.show_cmdline = !e->config.hide_cmdline;
	job->save.replace = true;
	job->save.snapshot = engine_picture(e, end, c->window_ns,
					    exporter_wants(job->save.exporter), false);
	if (!job->save.exporter)
		job->save.batch = recorder_take(e, end, c->window_ns, job->save.snapshot);
	e->only = shown;
	e->jobs++;
	namer_ask(e->namer, job);
}
