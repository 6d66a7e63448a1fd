/* The screen on a synthetic process: a thread makes snapshots of a program that does not
 * exist, with figures that change as sampled ones do, and obeys commands. For tests and
 * for trying out.
 *
 *	ui_demo keys=1		lists the key table: tmux's name, the help's, whether views have it
 *	ui_demo [functions=412] [hz=1000] [log=FILE] [color=auto|always|never] [ascii=1]
 *		[mouse=0] [cpu=187] [exit=SECONDS] [noise=1] [crash=PICTURES]
 * [delay_ms=1000] [frozen=1] [lost=PCT] [hostile=1] [window=60]
 *
 * Per second and function it keeps a count of samples, drawn anew each second around a
 * share that follows Zipf's law; a snapshot sums them over the window, as the real history
 * does. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "model/command.h"
#include "ui/keys.h"
#include "ui/ui.h"

#define SECONDS 60
#define MESSAGES 8

struct options {
	const char *log, *color;
	int functions, hz, cpu, window, exit_s, crash_s, delay_ms;
	double lost;
	bool ascii, mouse, noise, frozen, hostile;
};

struct feed {
	struct options o;
	struct mailbox mailbox;
	int wake_fd, command_fd;
	FILE *log;
	uint16_t *counts; /* [SECONDS][functions] */
	double *shares;
	uint64_t start_ns, window_ns, delay_ns, number, samples_ever;
	enum mode mode;
	bool idle, apart, quit;
	int second; /* newest of counts */
	char message[MESSAGES][1200];
	uint64_t message_wall_ns[MESSAGES];
	int n_messages;
	uint64_t seed;
};

static double drawn(struct feed *f)
{
	f->seed = f->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (double)(f->seed >> 11) / 9007199254740992.0;
}

/* Poisson by a normal of the same mean: close enough above a few. */
static unsigned around(struct feed *f, double mean)
{
	double z = 0;
	int i;

	if (mean < 4) {
		double limit = exp(-mean), p = drawn(f);
		unsigned n = 0;

		while (p > limit) {
			p *= drawn(f);
			n++;
		}
		return n;
	}
	for (i = 0; i < 12; i++)
		z += drawn(f);
	z = mean + (z - 6) * sqrt(mean);
	return z > 0 ? (unsigned)z : 0;
}

static void fill_second(struct feed *f, int second)
{
	double per_s = f->o.hz * (double)f->o.cpu / 100.0;
	int i;

	f->second = second;
	for (i = 0; i < f->o.functions; i++) {
		double drift = 1 + 0.4 * sin((double)second / 9 + i);

		f->counts[(size_t)(second % SECONDS) * (size_t)f->o.functions +
			  (size_t)i] = (uint16_t)around(f, f->shares[i] * per_s * drift);
	}
}

static void say(struct feed *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void say(struct feed *f, const char *fmt, ...)
{
	va_list ap;

	if (f->n_messages == MESSAGES) {
		memmove(f->message, f->message + 1,
			sizeof(f->message) - sizeof(f->message[0]));
		memmove(f->message_wall_ns, f->message_wall_ns + 1,
			(MESSAGES - 1) * sizeof(uint64_t));
		f->n_messages--;
	}
	va_start(ap, fmt);
	vsnprintf(f->message[f->n_messages], sizeof(f->message[0]), fmt, ap);
	va_end(ap);
	f->message_wall_ns[f->n_messages++] = clock_wall_ns();
}

static void make_name(char *buf, size_t size, const struct feed *f, int i)
{
	static const char *const verbs[] = { "parse", "read", "hash_lookup", "compress",
					     "send",  "lock", "alloc_pages", "encode",
					     "walk",  "merge" };
	static const char *const nouns[] = { "order",
					     "json",
					     "bucket",
					     "stream",
					     "reply",
					     "index",
					     "tree<std::string, Node*>::rebalance",
					     "row",
					     "page",
					     "header" };

	if (f->o.hostile && i % 3 == 0)
		snprintf(buf, size,
			 "\033[31mevil\a\n%d \xe6\xbc\xa2\xe5\xad\x97\xe2\x80\xae", i);
	else if (i % 7 == 6)
		snprintf(buf, size, "libz.so.1+0x%x", 0x1000 + i * 16);
	else
		snprintf(buf, size, "%s_%s_%d", verbs[i % 10], nouns[i / 3 % 10], i);
}

static void fill_function(const struct feed *f, struct snapshot *s, int i, int seconds)
{
	static const char *const modules[] = { "demo", "libc.so.6", "libcrypto.so.3",
					       "[kernel]" };
	static const enum code_kind kinds[] = { CODE_APP, CODE_LIBRARY, CODE_LIBRARY,
						CODE_KERNEL };
	struct snapshot_function *fn = &s->functions[i];
	char text[256];
	int second, kind = i % 5 < 2 ? 0 : i % 4;
	uint64_t tenths[TREND_CELLS] = { 0 }, one = NS_PER_SEC / (uint64_t)f->o.hz;

	make_name(text, sizeof(text), f, i);
	fn->name = arena_str(&s->arena, text);
	fn->module = modules[kind];
	fn->kind = kinds[kind];
	snprintf(text, sizeof(text), "/srv/build/src/part%d/file_%d.c", i % 6, i % 40);
	fn->file = kind == 0 ? arena_str(&s->arena, text) : "";
	fn->line = kind == 0 ? 10 + i : 0;
	fn->runtime = "native";
	fn->thread = f->apart ? (uint32_t)i % 3 : UINT32_MAX;
	fn->id = 1000 + (uint64_t)i;
	for (second = 0; second < seconds; second++) {
		int slot = (f->second - seconds + 1 + second + SECONDS) % SECONDS;
		unsigned n = f->counts[(size_t)slot * (size_t)f->o.functions + (size_t)i];

		fn->self_ns += n * one;
		tenths[second * TREND_CELLS / seconds] += n;
	}
	for (second = 0; second < TREND_CELLS; second++) {
		uint64_t level =
		    tenths[second] * 255 * 4 * one * 10 / NS_PER_SEC / (uint64_t)seconds;

		fn->trend[second] = (uint8_t)(level > 255 ? 255 : level);
	}
}

/* Function i was called by function i / 2: totals add up to the root, which is function
 * 0. */
static void add_totals(struct snapshot *s)
{
	size_t i;

	for (i = s->n_functions; i-- > 0;)
		s->functions[i].total_ns += s->functions[i].self_ns;
	for (i = s->n_functions; i-- > 1;)
		s->functions[i / 2].total_ns += s->functions[i].total_ns;
	for (i = 0; i < s->n_functions; i++)
		s->weight_ns += s->functions[i].self_ns;
}

static void fill_gauges(struct feed *f, struct snapshot *s, bool exited)
{
	s->pid = 4242;
	s->command = "demo";
	s->cmdline = "/srv/demo/bin/demo --port 8000 --workers 4";
	s->runtime = "native";
	s->host = "web-3";
	s->start_wall_ns = clock_wall_ns() - 11520 * NS_PER_SEC;
	s->exited = exited;
	s->exit_status = exited ? 3 << 8 : -1;
	s->number = ++f->number;
	s->time_ns = clock_now_ns();
	s->wall_ns = clock_wall_ns();
	s->window_ns = f->window_ns;
	s->covered_ns = f->window_ns ? f->window_ns : SECONDS * NS_PER_SEC;
	s->samples = s->weight_ns * (uint64_t)f->o.hz / NS_PER_SEC;
	f->samples_ever += (uint64_t)(f->o.hz * f->o.cpu / 100);
	s->samples_ever = f->samples_ever;
	s->samples_due = f->samples_ever + 7;
	s->mode = f->mode;
	s->idle_shown = f->idle;
	s->threads_merged = !f->apart;
	s->backend = "perf";
	s->rate_hz = f->o.hz - 2;
	s->effective_pct = 98.5 + drawn(f);
	s->lost[LOSS_READ_FAILED] = 3;
	s->lost[LOSS_RING_FULL] = (uint64_t)(f->o.lost * 100);
	s->lost_pct = f->o.lost;
	s->own_cpu_pct = 0.5 + drawn(f) / 4;
	s->own_rss_bytes = 11u << 20;
	s->taken_pct = 0.2 + drawn(f) / 10;
	s->target_cpu_pct = f->o.cpu - 2 + drawn(f) * 4;
	s->target_user_pct = s->target_cpu_pct * 0.9;
	s->target_system_pct = s->target_cpu_pct * 0.1;
	s->target_rss_bytes = 1520000000ull + (uint64_t)(drawn(f) * 4e6);
	s->target_rss_slope = 36000;
}

static void fill_threads(struct snapshot *s)
{
	static const char *const names[] = { "demo", "worker-0", "worker-1" };
	size_t i;

	s->n_threads = s->n_threads_all = 3;
	s->threads = arena_alloc(&s->arena, 3 * sizeof(*s->threads));
	for (i = 0; i < 3; i++)
		s->threads[i] = (struct snapshot_thread){
			.pid = 4242,
			.tid = 4242 + (int)i * 8,
			.name = names[i],
			.process = "demo",
			.state = 'R',
			.cpu_pct = 60,
			.gil_pct = -1,
			.gil_wait_pct = -1,
			.top = i ? "parse_order_0" : "read_order_1",
			.top_file = "",
			.wait = "",
			.trend = { 100, 120, 140, 160, 150 },
		};
}

static struct snapshot *picture(struct feed *f, bool exited)
{
	struct snapshot *s = snapshot_new();
	int i, seconds = f->window_ns ? (int)(f->window_ns / NS_PER_SEC) : SECONDS;

	s->n_functions = (size_t)f->o.functions;
	s->functions = arena_alloc(&s->arena, s->n_functions * sizeof(*s->functions));
	memset(s->functions, 0, s->n_functions * sizeof(*s->functions));
	for (i = 0; i < f->o.functions; i++)
		fill_function(f, s, i, seconds < SECONDS ? seconds : SECONDS);
	add_totals(s);
	snapshot_sort(s);
	fill_threads(s);
	fill_gauges(f, s, exited);
	s->n_messages = (size_t)f->n_messages;
	s->messages = arena_alloc(&s->arena, MESSAGES * sizeof(*s->messages));
	for (i = 0; i < f->n_messages; i++)
		s->messages[i] =
		    (struct snapshot_message){ f->message_wall_ns[i],
					       strstr(f->message[i], "cannot") != NULL,
					       arena_str(&s->arena, f->message[i]) };
	return s;
}

static void send_picture(struct feed *f, bool exited)
{
	uint64_t one = 1;

	snapshot_free(mailbox_put(&f->mailbox, picture(f, exited)));
	if (write(f->wake_fd, &one, sizeof(one)) == -1)
		f->quit = true;
}

static void obey(struct feed *f, const struct command *c)
{
	static const char *const names[] = {
		[COMMAND_WINDOW] = "WINDOW", [COMMAND_MODE] = "MODE",
		[COMMAND_IDLE] = "IDLE",     [COMMAND_MERGE] = "MERGE",
		[COMMAND_DELAY] = "DELAY",   [COMMAND_RESET] = "RESET",
		[COMMAND_SAVE] = "SAVE",     [COMMAND_QUIT] = "QUIT",
	};
	size_t n = sizeof(names) / sizeof(names[0]);
	const char *path = strchr(c->text, ' ');

	if (f->log) {
		fprintf(f->log, "%s %llu %llu %s\n",
			c->kind < n && names[c->kind] ? names[c->kind] : "?",
			(unsigned long long)c->value, (unsigned long long)c->window_ns,
			c->text);
		fflush(f->log);
	}
	if (c->kind == COMMAND_WINDOW)
		f->window_ns = c->value;
	else if (c->kind == COMMAND_MODE)
		f->mode = c->value ? MODE_WALL : MODE_CPU;
	else if (c->kind == COMMAND_IDLE)
		f->idle = c->value;
	else if (c->kind == COMMAND_MERGE)
		f->apart = !c->value;
	else if (c->kind == COMMAND_DELAY)
		f->delay_ns = c->value;
	else if (c->kind == COMMAND_SAVE && strstr(c->text, " /nonexist"))
		say(f, "cannot write%s: No such file or directory", path);
	else if (c->kind == COMMAND_SAVE && path)
		say(f, "Saved %s  214 KB  5,940 samples  window 60s",
		    path[1] ? path + 1 : "/tmp/ptop-4242-140228.svg");
	send_picture(f, false);
}

static void misbehave(struct feed *f, int second)
{
	if (f->o.noise && second % 5 == 2)
		fprintf(stderr, "noise on stderr in second %d\n", second);
	if (f->o.crash_s && second == f->o.crash_s)
		raise(SIGSEGV);
}

static void *feed_main(void *arg)
{
	struct feed *f = arg;
	struct pollfd p = { .fd = f->command_fd, .events = POLLIN };
	uint64_t due_ns = clock_now_ns();
	int second = SECONDS;
	struct command c;

	while (!f->quit) {
		uint64_t now_ns = clock_now_ns();
		int wait_ms =
		    now_ns < due_ns ? (int)((due_ns - now_ns) / NS_PER_MSEC) + 1 : 0;
		bool exited = f->o.exit_s && second - SECONDS > f->o.exit_s;

		if (poll(&p, 1, wait_ms) == 1) {
			if (read(f->command_fd, &c, sizeof(c)) != (ssize_t)sizeof(c))
				break;
			obey(f, &c);
			continue;
		}
		due_ns = clock_now_ns() + f->delay_ns;
		if (!exited && !(f->o.frozen && second > SECONDS + 1))
			fill_second(f, second);
		if (!(f->o.frozen && second > SECONDS + 1))
			send_picture(f, exited);
		second++;
		misbehave(f, second - SECONDS);
	}
	return NULL;
}

static const char *value_of(int argc, char **argv, const char *name, const char *none)
{
	size_t n = strlen(name);
	int i;

	for (i = 1; i < argc; i++)
		if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=')
			return argv[i] + n + 1;
	return none;
}

static int number_of(int argc, char **argv, const char *name, int none)
{
	const char *v = value_of(argc, argv, name, NULL);

	return v ? (int)strtol(v, NULL, 10) : none;
}

static void read_options(struct options *o, int argc, char **argv)
{
	o->functions = number_of(argc, argv, "functions", 412);
	o->hz = number_of(argc, argv, "hz", 1000);
	o->window = number_of(argc, argv, "window", SECONDS);
	o->cpu = number_of(argc, argv, "cpu", 187);
	o->exit_s = number_of(argc, argv, "exit", 0);
	o->crash_s = number_of(argc, argv, "crash", 0);
	o->delay_ms = number_of(argc, argv, "delay_ms", 1000);
	o->ascii = number_of(argc, argv, "ascii", 0);
	o->mouse = number_of(argc, argv, "mouse", 1);
	o->noise = number_of(argc, argv, "noise", 0);
	o->frozen = number_of(argc, argv, "frozen", 0);
	o->hostile = number_of(argc, argv, "hostile", 0);
	o->lost = number_of(argc, argv, "lost", 0);
	o->log = value_of(argc, argv, "log", NULL);
	o->color = value_of(argc, argv, "color", "auto");
	if (o->functions < 0 || o->hz < 1 || o->cpu < 0 || o->delay_ms < 1)
		exit(EXIT_USAGE);
}

static void prepare(struct feed *f)
{
	double sum = 0;
	int i;

	f->delay_ns = (uint64_t)f->o.delay_ms * NS_PER_MSEC;
	f->window_ns = (uint64_t)f->o.window * NS_PER_SEC;
	f->seed = 42;
	f->counts =
	    xcalloc((size_t)SECONDS * (size_t)f->o.functions + 1, sizeof(*f->counts));
	f->shares = xcalloc((size_t)f->o.functions + 1, sizeof(*f->shares));
	for (i = 0; i < f->o.functions; i++)
		sum += 1.0 / pow(i + 1, 1.2);
	for (i = 0; i < f->o.functions; i++)
		f->shares[i] = 1.0 / pow((i * 7) % f->o.functions + 1, 1.2) / sum;
	for (i = 0; i < SECONDS; i++)
		fill_second(f, i);
	f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->o.log)
		f->log = fopen(f->o.log, "w");
	if (f->log) {
		fprintf(f->log, "PID %d\n", (int)getpid());
		fflush(f->log);
	}
}

static const char *tmux_name(int key, char buf[16])
{
	static const struct {
		int key;
		const char *name;
	} names[] = { { K_BACKSPACE, "BSpace" }, { K_ESC, "Escape" },
		      { K_PAGE_UP, "PPage" },	 { K_PAGE_DOWN, "NPage" },
		      { K_BACK_TAB, "BTab" },	 { K_DELETE, "DC" } };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].key == key)
			return names[i].name;
	if (key > 0 && key < ' ' && key != K_TAB && key != K_ENTER)
		snprintf(buf, 16, "C-%c", key + '`');
	else
		key_label(key, buf);
	return buf;
}

static int list_keys(void)
{
	const struct key_row *r;
	char label[16], name[16];
	size_t i, k;

	for (i = 0; (r = keys_row(i)); i++)
		for (k = 0; k < KEYS_PER_ROW && r->keys[k]; k++)
			printf("%s %s %d\n", tmux_name(r->keys[k], name),
			       key_label(r->keys[k], label), !!(r->places & IN_VIEW));
	return EXIT_DONE;
}

/* All signals stay with the main thread. */
static int start_feed(struct feed *f, pthread_t *thread, int *command_fd)
{
	sigset_t all, before;
	int ends[2], ret;

	if (pipe(ends) == -1)
		return errno;
	f->command_fd = ends[0];
	*command_fd = ends[1];
	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	ret = pthread_create(thread, NULL, feed_main, f);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret;
}

int main(int argc, char **argv)
{
	static const struct ui_format formats[] = {
		{ "svg", "flame graph, any browser, offline", ".svg" },
		{ "folded", "one stack a line: flamegraph.pl, diff, speedscope",
		  ".folded" },
		{ "json", "the tables as data", ".json" },
		{ NULL, NULL, NULL }
	};
	struct ui_options options = { .version = "0.1.0",
				      .settings = { .delay_ns = NS_PER_SEC },
				      .formats = formats,
				      .waiting_for = "attaching to 4242" };
	struct feed f = { 0 };
	struct ui_result result;
	struct error err = { 0 };
	pthread_t thread;
	struct ui ui = { .text_fd = -1 };
	int ret;

	if (number_of(argc, argv, "keys", 0))
		return list_keys();
	read_options(&f.o, argc, argv);
	options.settings.window_ns = (uint64_t)f.o.window * NS_PER_SEC;
	options.settings.ascii = f.o.ascii;
	options.settings.no_mouse = !f.o.mouse;
	options.color = strcmp(f.o.color, "never") == 0	   ? COLOR_NEVER
			: strcmp(f.o.color, "always") == 0 ? COLOR_ALWAYS
							   : COLOR_AUTO;
	prepare(&f);
	if (start_feed(&f, &thread, &ui.command_fd) != 0)
		return EXIT_FAILED;
	ui.snapshots = &f.mailbox;
	ui.wake_fd = f.wake_fd;
	ret = ui_run(&ui, &options, &result, &err);
	close(ui.command_fd); /* ends the feed */
	pthread_join(thread, NULL);
	if (ret)
		fprintf(stderr, "ui_demo: %s\n%s\n", err.cause, err.hint);
	printf("ended: ret %d signal %d samples %llu\n", ret, result.signal,
	       result.last ? (unsigned long long)result.last->samples : 0);
	snapshot_free(result.last);
	snapshot_free(mailbox_take(&f.mailbox));
	free(f.counts);
	free(f.shares);
	if (f.log)
		fclose(f.log);
	close(f.command_fd);
	close(f.wake_fd);
	return ret ? EXIT_FAILED : EXIT_DONE;
}
