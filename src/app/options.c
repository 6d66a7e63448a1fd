/* getopt_long over the table, one row an option. The same short letter may mean different
 * things to different commands (-d), so each command sees only its own rows. */
#include "app/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/engine.h"
#include "base/text.h"
#include "sample/backend.h"
#include "target/process.h"
#include "ui/theme.h"

#define OPTION(s, l, a, h, c) { s, l, a, h, c },
const struct option_row option_rows[] = {
#include "app/options.def"
	{ 0, NULL, NULL, NULL, 0 }
};
#undef OPTION

#define COMMAND(n, u, h, b, r) { n, u, h, b, r },
const struct command_row command_rows[] = {
#include "app/commands.def"
	{ NULL, NULL, NULL, 0, NULL }
};
#undef COMMAND

enum {
	LONG_INTERVAL = 256,
	LONG_COLOR,
	LONG_NO_MOUSE,
	LONG_BACKEND,
	LONG_FULL_CMDLINE,
	LONG_NO_CMDLINE,
	LONG_NATIVE_ONLY,
	LONG_NATIVE = 270,
	LONG_LOCALS,
	LONG_TASKS,
	LONG_HELP,
	LONG_VERSION,
	LONG_WHEN = 300,
	LONG_WHEN_LIMIT,
	LONG_REQUESTS = 302,
	LONG_SLOW,
	LONG_PROBE,
	LONG_SCHEME = 310,
	LONG_SCREEN_READER,
	LONG_EXACT = 320,
	LONG_GROWERS = 400,
};

#define OPTIONS_MOST 80

/* ---- values ---- */

static bool decimal(const char *s, char **end, double *v)
{
	if (!isdigit((unsigned char)s[0]) && s[0] != '.')
		return false;
	errno = 0;
	*v = strtod(s, end);
	return *end != s && errno == 0 && *v >= 0 && *v < 1e15;
}

bool parse_time(const char *s, uint64_t *ns)
{
	static const struct {
		const char *suffix;
		double ns;
	} units[] = { { "", 1e9 },   { "s", 1e9 },    { "ms", 1e6 },   { "us", 1e3 },
		      { "m", 6e10 }, { "h", 3.6e12 }, { "d", 8.64e13 } };
	char *end;
	double v;
	size_t i;

	if (!decimal(s, &end, &v))
		return false;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].suffix) != 0 || v * units[i].ns > 1e18)
			continue;
		*ns = (uint64_t)(v * units[i].ns);
		return true;
	}
	return false;
}

bool parse_rate(const char *s, double *hz)
{
	char *end;

	if (!decimal(s, &end, hz))
		return false;
	if (*end == 'k' || *end == 'K') {
		*hz *= 1000;
		end++;
	}
	return *end == '\0' || strcasecmp(end, "hz") == 0;
}

int options_wrong(struct error *err, const char *option, const char *value,
		  const char *want)
{
	error_set(err, EXIT_USAGE, "--%s: '%s' is not %s", option, value, want);
	error_hint(err, "see `ptop --help`");
	return -EINVAL;
}

static int take_rate(struct options *o, const char *value, struct error *err)
{
	o->rate_given = true;
	if (!parse_rate(value, &o->rate_hz) || o->rate_hz < RATE_LEAST ||
	    o->rate_hz > RATE_MOST)
		return options_wrong(err, "rate", value,
				     "a rate from 1 to 20000 Hz (20k)");
	return 0;
}

static int take_interval(struct options *o, const char *value, struct error *err)
{
	const char *last = value + strlen(value);
	uint64_t ns;

	/* A bare number leaves open whether it is milli- or microseconds: refused. */
	if (last == value || isdigit((unsigned char)last[-1]) ||
	    !parse_time(value, &ns) || ns < 50000 || ns > 1000000000)
		return options_wrong(err, "interval", value,
				     "a time with a unit, from 50us to 1s (10ms)");
	o->rate_hz = 1e9 / (double)ns;
	return 0;
}

static int take_pid(struct options *o, const char *value, struct error *err)
{
	char *end;
	long v = strtol(value, &end, 10);

	if (end == value || *end || v <= 0 || v > INT_MAX)
		return options_wrong(err, "pid", value, "a process number");
	o->pid = (pid_t)v;
	return 0;
}

static int take_scheme(struct options *o, const char *value, struct error *err)
{
	int i;

	for (i = 0; i < SCHEMES; i++)
		if (strcmp(value, theme_name((enum ui_scheme)i)) == 0) {
			o->settings.scheme = (enum ui_scheme)i;
			o->given |= GIVEN_SCHEME;
			return 0;
		}
	return options_wrong(err, "scheme", value,
			     "default, light, mono, high-contrast or colour-blind");
}

static int take_mode(struct options *o, const char *value, struct error *err)
{
	int m = 0;

	while (m < MODES && strcmp(value, mode_name((enum mode)m)) != 0)
		m++;
	o->mode = (enum mode)m;
	return m < MODES ? 0 : options_wrong(err, "mode", value, "cpu, wall or gil");
}

static int take_word(struct options *o, int option, const char *value, struct error *err)
{
	char *end;

	switch (option) {
	case 'm':
		return take_mode(o, value, err);
	case LONG_COLOR:
		if (strcmp(value, "auto") != 0 && strcmp(value, "always") != 0 &&
		    strcmp(value, "never") != 0)
			return options_wrong(err, "color", value,
					     "auto, always or never");
		o->color = value[1] == 'u'   ? COLOR_AUTO
			   : value[0] == 'n' ? COLOR_NEVER
					     : COLOR_ALWAYS;
		return 0;
	case LONG_SCHEME:
		return take_scheme(o, value, err);
	case LONG_BACKEND:
		if (!backend_named(value))
			return options_wrong(
			    err, "backend", value,
			    "perf, perf-cpu, perf-user, ptrace or timer");
		o->backend = value;
		return 0;
	default: /* 'N' */
		o->iterations = strtoul(value, &end, 10);
		if (!isdigit((unsigned char)value[0]) || *end || o->iterations == 0 ||
		    o->iterations > 1000000000)
			return options_wrong(err, "iterations", value,
					     "a number above 0");
		return 0;
	}
}

static void show_mistake(const char *text, const struct trigger_mistake *m)
{
	char clean[TRIGGER_TEXT_MAX + 1];

	clean_copy(clean, sizeof(clean), text, strlen(text));
	fprintf(stderr, "  %s\n  %*s^\n", clean, (int)m->at, "");
}

static int take_when(struct options *o, const char *value, struct error *err)
{
	struct trigger_mistake m;

	if (o->n_triggers == TRIGGERS_MAX) {
		error_set(err, EXIT_USAGE, "--when: at most %u conditions", TRIGGERS_MAX);
		return -EINVAL;
	}
	if (trigger_parse(value, &o->triggers[o->n_triggers], &m)) {
		o->n_triggers++;
		return 0;
	}
	if (strlen(value) < TRIGGER_TEXT_MAX)
		show_mistake(value, &m);
	error_set(err, EXIT_USAGE, "--when, column %zu: %s", m.at + 1, m.why);
	error_hint(err, "as in --when 'p95(handle)>120ms', 'rss>1.5G', 'gc.max>50ms', "
			"'cpu>95%% for 10s'; man ptop lists the figures");
	return -EINVAL;
}

static int take_probe(struct options *o, const char *value, struct error *err)
{
	const char *colon = strrchr(value, ':');

	if (!*value || colon == value || (colon && !colon[1]) || strlen(value) > 250)
		return options_wrong(err, "probe", value, "FILE:FUNCTION or FUNCTION");
	if (o->n_probes == sizeof(o->probes) / sizeof(o->probes[0]))
		return options_wrong(err, "probe", value, "one of the first eight");
	o->probes[o->n_probes++] = value;
	return 0;
}

static int take_when_limit(struct options *o, const char *value, struct error *err)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (!isdigit((unsigned char)value[0]) || *end || n == 0 ||
	    n > TRIGGERS_MOST_AN_HOUR)
		return options_wrong(err, "when-limit", value,
				     "a number of files from 1 to 60");
	o->triggers_an_hour = (unsigned)n;
	return 0;
}

static int take_times(struct options *o, int option, const char *value, unsigned command,
		      struct error *err)
{
	if (option == 'w') {
		o->given |= GIVEN_WINDOW;
		if (!parse_time(value, &o->settings.window_ns) ||
		    (o->settings.window_ns && o->settings.window_ns < 1000000000ull))
			return options_wrong(err, "window", value,
					     "a time of 1 s or more, or 0");
		return 0;
	}
	if (command == FOR_TOP) {
		o->given |= GIVEN_DELAY;
		if (!parse_time(value, &o->settings.delay_ns) ||
		    o->settings.delay_ns < 100000000ull ||
		    o->settings.delay_ns > 60000000000ull)
			return options_wrong(err, "delay", value,
					     "a time from 0.1 to 60 seconds");
		return 0;
	}
	if (!parse_time(value, &o->duration_ns) || o->duration_ns < 100000000ull ||
	    o->duration_ns > 86400000000000ull)
		return options_wrong(err, "duration", value, "a time from 0.1 s to 24 h");
	return 0;
}

static int take(struct options *o, int option, const char *value, unsigned command,
		struct error *err)
{
	int ret = 0;

	switch (option) {
	case 'p':
		return take_pid(o, value, err);
	case 'r':
		return take_rate(o, value, err);
	case LONG_INTERVAL:
		return take_interval(o, value, err);
	case 'd':
	case 'w':
		return take_times(o, option, value, command, err);
	case 'm':
	case 'N':
	case LONG_COLOR:
	case LONG_BACKEND:
	case LONG_SCHEME:
		return take_word(o, option, value, err);
	case LONG_WHEN:
		return take_when(o, value, err);
	case LONG_PROBE:
		return take_probe(o, value, err);
	case LONG_SLOW:
		if (!parse_time(value, &o->slow_ns) || o->slow_ns < 1000 ||
		    o->slow_ns > 3600000000000ull)
			return options_wrong(err, "slow", value, "a time from 1us to 1h");
		return 0;
	case LONG_WHEN_LIMIT:
		return take_when_limit(o, value, err);
	case 'n':
		o->name = value;
		return 0;
	case 'o':
		o->output = value;
		return 0;
	case 'f':
		o->format = value;
		return 0;
	default:
		return options_take_file(o, option, value, &ret, err) ? ret : -EINVAL;
	}
}

static bool *switch_of(struct options *o, int option)
{
	switch (option) {
	case 'i':
		return &o->idle;
	case 'C':
		return &o->children;
	case 't':
		return &o->threads;
	case 'b':
		return &o->batch;
	case 'j':
		return &o->json;
	case 'F':
		return &o->force;
	case 'q':
		return &o->quiet;
	case 'U':
		o->given |= GIVEN_ASCII;
		return &o->settings.ascii;
	case LONG_NO_MOUSE:
		o->given |= GIVEN_NO_MOUSE;
		return &o->settings.no_mouse;
	case LONG_SCREEN_READER:
		return &o->screen_reader;
	case LONG_FULL_CMDLINE:
		return &o->full_cmdline;
	case LONG_NO_CMDLINE:
		return &o->no_cmdline;
	case LONG_REQUESTS:
		return &o->requests;
	case LONG_LOCALS:
		return &o->locals;
	case LONG_TASKS:
		return &o->tasks;
	case LONG_NATIVE:
		return &o->native;
	case LONG_NATIVE_ONLY:
		return &o->native_only;
	case LONG_GROWERS:
		return &o->growers;
	case LONG_EXACT:
		return &o->exact;
	default:
		return options_file_switch(o, option);
	}
}

/* ---- parsing ---- */

static void make_tables(unsigned command, struct option *longs, char *shorts)
{
	const struct option_row *r;
	size_t n = 0;

	if (!(command & FOR_FILES))
		*shorts++ = '+'; /* what follows the first word belongs to it */
	*shorts++ = ':';
	for (r = option_rows; r->long_name && n < OPTIONS_MOST - 3; r++) {
		if (!(r->commands & command))
			continue;
		longs[n++] = (struct option){ r->long_name, r->argument != NULL, NULL,
					      r->short_name };
		if (r->short_name > 255)
			continue;
		*shorts++ = (char)r->short_name;
		if (r->argument)
			*shorts++ = ':';
	}
	*shorts++ = 'h';
	*shorts = '\0';
	longs[n++] = (struct option){ "help", 0, NULL, LONG_HELP };
	longs[n++] = (struct option){ "version", 0, NULL, LONG_VERSION };
	longs[n] = (struct option){ NULL, 0, NULL, 0 };
}

static int bad_option(int got, char **argv, struct error *err)
{
	const char *word = argv[optind - 1];

	if (got == ':')
		error_set(err, EXIT_USAGE, "option %s needs a value", word);
	else if (optopt && optopt < 256)
		error_set(err, EXIT_USAGE, "unknown option -%c", optopt);
	else
		error_set(err, EXIT_USAGE, "unknown option %s", word);
	error_hint(err, "see `ptop --help`");
	return -EINVAL;
}

static const struct command_row *command_named(const char *word)
{
	const struct command_row *row;

	for (row = command_rows; row->name; row++)
		if (strcmp(row->name, word) == 0)
			return row;
	return NULL;
}

/* A bare number is a pid; any other word is a mistake worth a hint. */
static int take_words(struct options *o, char **argv, int at, bool after_dashes,
		      const struct command_row *row, struct error *err)
{
	o->words = argv + at;
	if (!argv[at] || !row->bit || (row->bit & FOR_FILES))
		return 0;
	if (after_dashes && (row->bit & (FOR_TOP | FOR_RECORD))) {
		o->launch = true;
		return 0;
	}
	if (isdigit((unsigned char)argv[at][0]) && !argv[at + 1] && !o->pid)
		return take_pid(o, argv[at], err);
	error_set(err, EXIT_USAGE, "do not know what '%s' means here", argv[at]);
	error_hint(err, "a process: -p PID or -n NAME; a program to start: ptop -- %s",
		   argv[at]);
	return -EINVAL;
}

static int parse_all(int argc, char **argv, struct options *o,
		     const struct command_row *row, struct error *err)
{
	struct option longs[OPTIONS_MOST];
	char shorts[128];
	int got, ret = 0;

	make_tables(row->bit, longs, shorts);
	opterr = 0;
	optind = 1;
	while (!ret && (got = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		bool *flag = switch_of(o, got);

		if (got == 'h' || got == LONG_HELP) {
			if (o->command_name)
				help_of_command(row);
			else
				help_print();
			return 1;
		}
		if (got == LONG_VERSION) {
			puts("ptop " PACKAGE_VERSION);
			return 1;
		}
		if (got == '?' || got == ':')
			return bad_option(got, argv, err);
		if (flag)
			*flag = true;
		else
			ret = take(o, got, optarg, row->bit, err);
		/* `ptop 4242 -b`: a pid may stand before options. */
		if (!ret && optind < argc && argv[optind][0] != '-' &&
		    (row->bit & FOR_TARGET) && !o->pid &&
		    isdigit((unsigned char)argv[optind][0]))
			ret = take_pid(o, argv[optind++], err);
	}
	if (!ret)
		ret = take_words(o, argv, optind,
				 optind > 1 && strcmp(argv[optind - 1], "--") == 0, row,
				 err);
	if (!ret && (o->pid != 0) + (o->name != NULL) + o->launch > 1) {
		error_set(err, EXIT_USAGE, "one target at a time: -p, -n or -- COMMAND");
		error_hint(err, "leave out all but one of them");
		ret = -EINVAL;
	}
	return ret;
}

int options_parse(int argc, char **argv, struct options *o,
		  const struct command_row **row, struct error *err)
{
	int skip = 0;

	*o = (struct options){ .rate_hz = RATE_DEFAULT,
			       .max_ratio = 1.5,
			       .settings = { .delay_ns = 1000000000ull,
					     .window_ns = WINDOW_DEFAULT_NS },
			       .triggers_an_hour = TRIGGERS_AN_HOUR };
	*row = argc > 1 ? command_named(argv[1]) : NULL;
	if (*row) {
		o->command_name = (*row)->name;
		skip = 1;
	} else {
		*row = &command_rows[0];
	}
	argv += skip;
	argc -= skip;
	/* `ptop 4242 -b` and `ptop dump 4242 -j`: the pid may come first. */
	if (argc > 2 && ((*row)->bit & FOR_TARGET) &&
	    isdigit((unsigned char)argv[1][0])) {
		int ret = take_pid(o, argv[1], err);

		if (ret)
			return ret;
		argv[1] = argv[0];
		argv++;
		argc--;
	}
	return parse_all(argc, argv, o, *row, err);
}

int options_target(const struct options *o, pid_t *pid, struct error *err)
{
	match_list found = { 0 };
	size_t i;
	int ret = 0;

	*pid = o->pid;
	if (o->pid)
		return 0;
	if (!o->name) {
		error_set(err, EXIT_USAGE, "no process given");
		error_hint(err,
			   "ptop -p PID, ptop -n NAME, or ptop -- COMMAND; see --help");
		return -EINVAL;
	}
	process_named(o->name, &found);
	if (found.n == 0) {
		ret =
		    error_set(err, EXIT_NO_PROCESS, "no process is called '%s'", o->name);
		error_hint(err, "see `pgrep -a .`; give the number with -p");
	} else if (found.n > 1) {
		fprintf(stderr, "ptop: %zu processes match '%s':\n", found.n, o->name);
		for (i = 0; i < found.n && i < 20; i++)
			fprintf(stderr, "  %7d  %.68s\n", (int)found.v[i].pid,
				found.v[i].text);
		ret = error_set(err, EXIT_USAGE, "'%s' is not one process", o->name);
		error_hint(err, "choose one: ptop -p %d", (int)found.v[0].pid);
	} else {
		*pid = found.v[0].pid;
	}
	VEC_DONE(&found);
	return ret;
}
