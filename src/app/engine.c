/* The sampler thread's loop: wait for rings, commands, answers and clocks; serve them;
 * publish. Everything it does is short; what is not is the namer's. */
#include "app/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/chains.h"
#include "app/engine_state.h"
#include "base/clock.h"
#include "base/files_open.h"
#include "base/prompt.h"
#include "base/rights.h"
#include "base/thread.h"

#define FIRST_PICTURE_NS (100 * NS_PER_MSEC)
#define ALIVE_NS (1 * NS_PER_SEC)
#define SERVICE_NS (30 * NS_PER_MSEC) /* between ticks nothing waits longer */
#define LAZY_NS (30 * NS_PER_MSEC)
#define FLOWS_NS \
	(150 * NS_PER_MSEC) /* as long after the last sample they are thought to come */
#define FLOWS_HZ 500.0
#define DRAIN_MOST_NS (200 * NS_PER_MSEC)
#define FDS_MAX 1024u
#define THREADS_NAMED 4096u

static void close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* ---- opening and closing ---- */

static void add_children(struct engine *e)
{
	pid_list pids = { 0 };
	size_t i;

	process_children(e->process.pid, &pids);
	for (i = 0; i < pids.n; i++)
		if (engine_add_space(e, pids.v[i]))
			e->backend->follow(e->sampler, pids.v[i], false);
	VEC_DONE(&pids);
}

static void restart_clock(struct engine *e)
{
	struct usage usage;

	e->first_ns = clock_now_ns();
	e->window_cpu_ns = engine_usage(e, &usage) ? usage.cpu_ns : e->usage.cpu_ns;
	e->next_lines_ns = e->lines_gap_ns = 0;
	e->sampled_ns = e->samples = e->incomplete = 0;
	memset(e->lost, 0, sizeof(e->lost));
}

int engine_prepare(struct engine *e, struct error *err)
{
	int ret = process_find(e->config.pid, &e->process, err);

	if (ret)
		return ret;
	if (e->process.pid == getpid()) {
		error_set(err, EXIT_USAGE, "ptop cannot profile itself");
		error_hint(err, "run a second ptop on this one");
		return -EINVAL;
	}
	e->first_boot_ticks = clock_boot_ticks();
	e->update_ns = clock_kernel_tick_ns();
	e->objects = objects_new();
	e->tables = unwind_tables_new();
	history_init(&e->history,
		     e->config.history_bytes ? e->config.history_bytes : HISTORY_BYTES);
	functions_init(&e->functions);
	e->usage_reader = usage_new();
	series_init(&e->cpu);
	e->namer = namer_start(e->answer_fd, err);
	if (!e->namer)
		return -EAGAIN;
	engine_add_space(e, e->process.pid);
	return 0;
}

/* Threads that never run are threads too: those that are there at the start are known by name. */
static void list_first_threads(struct engine *e)
{
	pid_list tids = { 0 };
	size_t i;

	if (process_threads(e->process.pid, &tids))
		for (i = 0; i < tids.n && i < THREADS_NAMED; i++)
			engine_thread(e, e->process.pid, tids.v[i]);
	VEC_DONE(&tids);
}

static int open_all(struct engine *e, struct error *err)
{
	int ret = engine_prepare(e, err);

	if (!ret)
		ret = engine_attach(e, err);
	if (ret)
		return ret;
	e->pid_fd = (int)syscall(SYS_pidfd_open, e->process.pid, 0);
	if (e->config.children)
		add_children(e);
	list_first_threads(e);
	if (e->merge)
		engine_interp_list(e); /* before the first sample */
	restart_clock(e);
	engine_calibrate(e);
	e->own_cpu_ns = clock_own_cpu_ns();
	engine_measure(e, clock_now_ns());
	parts_open(e);
	return 0;
}

void engine_close(struct engine *e)
{
	bool namer_gone;

	parts_close(e);
	if (e->sampler)
		e->backend->close(e->sampler);
	e->sampler = NULL;
	namer_gone = namer_stop(e->namer);
	engine_naming_done(e);
	engine_threads_done(e);
	if (e->tables)
		unwind_tables_free(e->tables);
	if (e->functions.slots) {
		functions_done(&e->functions);
		history_done(&e->history);
		live_done(&e->live);
	}
	usage_free(e->usage_reader);
	if (namer_gone)
		objects_free(e->objects);
	VEC_DONE(&e->messages);
	free(e->look_buffer);
	chains_close(e);
	merge_free(e->merge);
	VEC_DONE(&e->frame_addresses);
	snapshot_free(mailbox_take(&e->snapshots));
	close_fd(&e->pid_fd);
	if (namer_gone)
		close_fd(&e->answer_fd);
	close_fd(&e->command_read_fd);
	close_fd(&e->command_write_fd);
	close_fd(&e->wake_fd);
	close_fd(&e->ready_read_fd);
	close_fd(&e->ready_write_fd);
	free(e);
}

void engine_drain(struct engine *e)
{
	uint64_t until = clock_now_ns() + DRAIN_MOST_NS;
	struct event ev;
	size_t n = 0;

	/* Commands and pictures wait no longer; what a ring then loses is counted. */
	while (e->backend->next(e->sampler, &ev)) {
		engine_event(e, &ev);
		if (++n % 64 == 0 && clock_now_ns() > until)
			return;
	}
}

/* ---- commands ---- */

static void forget_looks(struct thread *t)
{
	t->looked_ns = t->early_ns = t->stalled_ns = 0;
	t->pending_ns = t->owed_ns = 0;
}

static void reset(struct engine *e)
{
	size_t i;

	history_clear(&e->history);
	live_done(&e->live);
	for (i = 0; i < e->threads.n; i++)
		forget_looks(&e->threads.v[i]);
	restart_clock(e);
	series_init(&e->cpu);
	parts_reset(e);
}

static void set_mode(struct engine *e, enum mode mode)
{
	if (mode == e->mode)
		return;
	if (mode == MODE_GIL)
		chains_pause(e);
	e->mode = mode;
	e->refit = true; /* chains are wanted again, perhaps */
	e->next_look_ns = e->next_list_ns = 0;
	reset(e); /* weights of the two modes do not add up */
}

/* No sample comes after this; what the sampler had to say is kept. */
static void stop_sampling(struct engine *e)
{
	if (!e->sampler)
		return;
	engine_drain(e);
	engine_ticks_end(e);
	e->ended_ns = clock_now_ns();
	e->lost[LOSS_THREADS] += e->backend->missed(e->sampler);
	e->backend->close(e->sampler);
	e->sampler = NULL;
}

static void finish(struct engine *e)
{
	if (e->sampler)
		engine_measure(e, clock_now_ns());
	stop_sampling(e);
	e->finished = true;
	engine_want_all_lines(e);
	e->config.wait_names = true;
}

/* By its number, which it keeps also when it ends. */
static void select_thread(struct engine *e, pid_t tid)
{
	uint32_t number = tid ? engine_find_thread(e, tid) : NO_ID;

	e->only = number == NO_ID ? 0 : number + 1;
	if (tid && number == NO_ID)
		engine_say(e, true, "Thread %d is not known any more", (int)tid);
}

static void obey(struct engine *e, const struct command *c)
{
	if (parts_command(e, c)) {
		e->next_picture_ns = 0;
		return;
	}
	switch ((enum command_kind)c->kind) {
	case COMMAND_WINDOW:
		e->window_ns = c->value;
		break;
	case COMMAND_MODE:
		set_mode(e, c->value < MODES ? (enum mode)c->value : MODE_CPU);
		break;
	case COMMAND_IDLE:
		e->idle = c->value != 0;
		break;
	case COMMAND_MERGE:
		e->merged = c->value != 0;
		break;
	case COMMAND_DELAY:
		e->delay_ns = c->value;
		break;
	case COMMAND_RESET:
		reset(e);
		break;
	case COMMAND_WANT:
		e->wants = (unsigned)c->value;
		break;
	case COMMAND_THREAD:
		select_thread(e, (pid_t)c->value);
		break;
	case COMMAND_AT:
		e->at_ns = c->value;
		e->at_window_ns = c->window_ns;
		break;
	case COMMAND_SAVE:
		engine_save(e, c);
		return; /* the answer publishes */
	case COMMAND_FINISH:
		finish(e);
		break;
	case COMMAND_PSS: /* a part's, and it has none here */
	case COMMAND_CENSUS:
	case COMMAND_FAULTS:
		break;
	case COMMAND_BASELINE: /* the latency part's */
	case COMMAND_TIME:
		break;
	case COMMAND_QUIT:
		e->quit = true;
		return;
	}
	e->next_picture_ns = 0;
}

static void read_commands(struct engine *e)
{
	struct command c;
	ssize_t n;

	while ((n = read(e->command_read_fd, &c, sizeof(c))) == (ssize_t)sizeof(c)) {
		c.text[sizeof(c.text) - 1] = '\0';
		obey(e, &c);
	}
	if (n == 0)
		e->quit = true; /* nobody is there any more */
}

/* ---- the loop ---- */

static void target_ended(struct engine *e)
{
	if (e->exited)
		return;
	stop_sampling(e);
	engine_note_end(e);
	parts_ended(e);
	e->exited = true; /* gauges stay as they were: the picture is the last one */
	close_fd(&e->pid_fd);
	engine_say(e, true, "Process %d (%s) %s; the picture is the last one",
		   (int)e->process.pid, e->process.command, e->end_note);
	e->next_picture_ns = 0;
}

static void turn(struct engine *e, uint64_t now)
{
	if (e->sampler) {
		engine_drain(e);
		engine_interp_retry(e, now);
		if (e->refit)
			engine_fit_backend(e);
		engine_reconsider(e, now);
		parts_turn(e, now); /* reads who ran, which a look need not ask then */
		engine_look(e, now);
	}
	engine_answers(e);
	if (now >= e->next_picture_ns)
		engine_publish(e, now);
}

static uint64_t next_due(struct engine *e, uint64_t now)
{
	uint64_t due = e->next_picture_ns;

	if (e->names_waited_ns)
		due = now + 10 * NS_PER_MSEC;
	if (e->sampler) {
		uint64_t t = e->backend->due_ns(e->sampler);

		due = t < due ? t : due;
		t = engine_interp_due(e);
		due = t < due ? t : due;
		t = parts_due(e);
		due = t < due ? t : due;
		if (e->mode == MODE_WALL && e->next_look_ns < due)
			due = e->next_look_ns;
	}
	return due;
}

/* What cannot wait for a tick. */
static uint64_t next_urgent(const struct engine *e)
{
	uint64_t due = e->next_picture_ns;

	return e->mode == MODE_WALL && e->next_look_ns < due ? e->next_look_ns : due;
}

/* Ticks are many and short: rings, gauges and commands are served once in many of them. */
static void tick_on(struct engine *e)
{
	uint64_t until = clock_now_ns() + SERVICE_NS, due = next_urgent(e);

	engine_ticks(e, due < until ? due : until);
}

/* While samples flow their rings wake the sampler anyway, and a wake-up costs more than most of what
 * it is for. */
uint64_t engine_lazily(const struct engine *e, uint64_t due_ns)
{
	bool flow =
	    e->config.rate_hz > FLOWS_HZ && due_ns < e->sampled_last_ns + FLOWS_NS;

	return flow && due_ns != UINT64_MAX ? due_ns + LAZY_NS : due_ns;
}

/* A wake-up of its own costs more than what most of it is for: where there are ticks, the rest is
 * done at one of them. */
static uint64_t wake_at(struct engine *e, uint64_t now)
{
	uint64_t due = next_due(e, now), tick, urgent = next_urgent(e);

	tick = e->sampler ? engine_ticks_due(e) : UINT64_MAX;
	if (tick < due || tick - due < SERVICE_NS)
		due = tick;
	return urgent < due ? urgent : due;
}

static void wait_for_work(struct engine *e)
{
	struct pollfd fds[FDS_MAX];
	size_t n = 3;
	uint64_t now = clock_now_ns(), due = wake_at(e, now);
	struct timespec wait = { 0, 0 };

	fds[0] = (struct pollfd){ .fd = e->command_read_fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = e->answer_fd, .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = e->pid_fd, .events = POLLIN };
	if (e->sampler) {
		n += e->backend->fds(e->sampler, fds + n, FDS_MAX - n);
		n += parts_fds(e, fds + n, FDS_MAX - n);
	}
	if (due > now) {
		wait.tv_sec = (time_t)((due - now) / NS_PER_SEC);
		wait.tv_nsec = (long)((due - now) % NS_PER_SEC);
	}
	if (ppoll(fds, (nfds_t)n, &wait, NULL) <= 0)
		return;
	if (fds[1].revents) {
		uint64_t count;

		if (read(e->answer_fd, &count, sizeof(count)) == -1)
			return;
	}
	if (fds[0].revents)
		read_commands(e);
	if (fds[2].revents && !process_alive(&e->process))
		target_ended(e);
}

static void *engine_run(void *arg)
{
	struct engine *e = arg;
	uint64_t alive_ns;
	char done = 1;

	pthread_setname_np(pthread_self(), "ptop-sampler");
	rights_of_ptop();
	__atomic_store_n(&e->tid, gettid(), __ATOMIC_RELAXED);
	thread_be_prompt();
	e->start_result = open_all(e, &e->start_error);
	if (write(e->ready_write_fd, &done, 1) != 1 || e->start_result)
		return NULL;
	e->next_picture_ns =
	    clock_now_ns() +
	    (e->delay_ns < FIRST_PICTURE_NS ? e->delay_ns : FIRST_PICTURE_NS);
	if (e->config.wait_names)
		e->next_picture_ns = clock_now_ns() + e->delay_ns;
	alive_ns = clock_now_ns() + ALIVE_NS;
	while (!e->quit) {
		uint64_t now;

		wait_for_work(e);
		if (e->sampler)
			tick_on(e);
		now = clock_now_ns();
		if (!e->exited && now >= alive_ns) {
			alive_ns = now + ALIVE_NS;
			if (!process_alive(&e->process))
				target_ended(e);
		}
		turn(e, now);
	}
	return NULL;
}

static void *engine_main(void *arg)
{
	struct engine *e = arg;

	engine_run(e);
	__atomic_store_n(&e->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

struct engine *engine_new(const struct engine_config *c)
{
	struct engine *e = xcalloc(1, sizeof(*e));

	e->config = *c;
	e->mode = c->mode;
	e->idle = c->idle;
	e->merged = c->merged;
	e->window_ns = c->window_ns;
	e->delay_ns = c->delay_ns;
	e->pid_fd = -1;
	e->command_read_fd = e->command_write_fd = -1;
	e->ready_read_fd = e->ready_write_fd = -1;
	e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	e->answer_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	e->merge = c->native ? merge_new() : NULL;
	return e;
}

int engine_start(const struct engine_config *c, struct engine **out, struct error *err)
{
	struct engine *e;
	int pipes[2] = { -1, -1 }, ready[2] = { -1, -1 }, ret = files_open_prepare(err);

	if (ret)
		return ret;
	e = engine_new(c);
	ret = pipe2(pipes, O_CLOEXEC) | pipe2(ready, O_CLOEXEC);
	e->command_read_fd = pipes[0];
	e->command_write_fd = pipes[1];
	e->ready_read_fd = ready[0];
	e->ready_write_fd = ready[1];
	if (ret || e->wake_fd == -1 || e->answer_fd == -1) {
		ret = error_errno(err, "cannot start");
		engine_close(e);
		return ret;
	}
	fcntl(e->command_read_fd, F_SETFL, O_NONBLOCK);
	ret = thread_start(&e->thread, engine_main, e, err);
	if (ret) {
		engine_close(e);
		return ret;
	}
	ret = engine_wait_ready(e, err);
	if (ret)
		return ret;
	if (e->start_result) {
		ret = e->start_result;
		if (err)
			*err = e->start_error;
		pthread_join(e->thread, NULL);
		engine_close(e);
		return ret;
	}
	*out = e;
	return 0;
}

int engine_wake_fd(const struct engine *e)
{
	return e->wake_fd;
}

int engine_command_fd(const struct engine *e)
{
	return e->command_write_fd;
}

struct mailbox *engine_snapshots(struct engine *e)
{
	return &e->snapshots;
}

void engine_send(struct engine *e, const struct command *c)
{
	while (write(e->command_write_fd, c, sizeof(*c)) == -1 && errno == EINTR)
		;
}

struct snapshot *engine_wait(struct engine *e, uint64_t timeout_ns)
{
	struct pollfd p = { .fd = e->wake_fd, .events = POLLIN };
	uint64_t until = clock_now_ns() + timeout_ns, count;

	for (;;) {
		uint64_t now = clock_now_ns();
		struct timespec wait = { 0, 0 };
		struct snapshot *s;

		/* The count first: a snapshot put after this wakes again. */
		if (read(e->wake_fd, &count, sizeof(count)) == -1 && errno != EAGAIN)
			return NULL;
		s = mailbox_take(&e->snapshots);
		if (s || now >= until)
			return s;
		wait.tv_sec = (time_t)((until - now) / NS_PER_SEC);
		wait.tv_nsec = (long)((until - now) % NS_PER_SEC);
		if (ppoll(&p, 1, &wait, NULL) == -1 && errno != EINTR)
			return NULL;
	}
}

void engine_stop(struct engine *e)
{
	struct command quit = { .kind = COMMAND_QUIT };

	engine_send(e, &quit);
	if (engine_join(e))
		engine_close(e);
}
