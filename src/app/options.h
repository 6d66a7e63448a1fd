/* The command line: one table of options, one of commands. Help, the man page's check and
 * the completions are made from them. */
#ifndef PTOP_APP_OPTIONS_H
#define PTOP_APP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/snapshot.h"
#include "model/trigger.h"
#include "ui/ui.h"

/* Bits of the commands an option belongs to. */
enum {
	FOR_TOP = 1,
	FOR_RECORD = 2,
	FOR_DUMP = 4,
	FOR_DOCTOR = 8,
	FOR_TARGET = FOR_TOP | FOR_RECORD | FOR_DUMP | FOR_DOCTOR,
	FOR_OPEN = 16,
	FOR_REPORT = 32,
	FOR_DIFF = 64,
	FOR_CHECK = 128,
	FOR_SESSIONS = 256,
	FOR_BASELINE = 512,
	/* Their words may stand anywhere. */
	FOR_FILES =
	    FOR_OPEN | FOR_REPORT | FOR_DIFF | FOR_CHECK | FOR_SESSIONS | FOR_BASELINE,
};

/* Settings of the command line, which come before those of ptoprc. */
enum {
	GIVEN_DELAY = 1,
	GIVEN_WINDOW = 2,
	GIVEN_ASCII = 4,
	GIVEN_NO_MOUSE = 8,
	GIVEN_SCHEME = 16
};

#define LIMITS_MOST 64u

struct options {
	const char *command_name;
	pid_t pid;
	const char *name;
	char **words; /* what follows --, or the command's own words; NULL-terminated */
	bool launch;  /* words are a program to start */
	double rate_hz;
	uint64_t duration_ns;
	struct ui_settings settings; /* of the screen: defaults and the command line... */
	unsigned given;		     /* ...and which of them it gave: GIVEN_ bits */
	enum mode mode;
	bool idle, children, batch, json, force, quiet, screen_reader;
	bool full_cmdline, no_cmdline, threads, native, native_only, growers, exact;
	bool locals, tasks;
	uint64_t iterations; /* 0: endless */
	const char *output, *format, *backend;
	enum ui_color color;
	struct trigger triggers[TRIGGERS_MAX]; /* --when */
	size_t n_triggers;
	bool requests;
	const char *probes[8]; /* --probe */
	size_t n_probes;
	uint64_t slow_ns;
	unsigned triggers_an_hour;
	/* Of the commands with files (options_files.c). */
	bool rate_given, lines, show_all, fail_above_on, detach;
	const char *only_threads, *focus, *ignore, *hide, *against, *status;
	uint64_t from_ns, to_ns, older_ns, newer_ns;
	const char *limits[LIMITS_MOST]; /* --max */
	size_t n_limits;
	double fail_above, max_ratio;
	uint64_t max_bytes;	    /* of a recording; 0: any */
	unsigned metrics_functions; /* with names in prometheus's labels */
};

struct option_row {
	int short_name; /* a character, or a number above 255 for long ones only */
	const char *long_name, *argument, *help;
	unsigned commands;
};
extern const struct option_row option_rows[]; /* ends with a NULL long_name */

struct command_row {
	const char *name, *usage, *help;
	unsigned bit; /* 0: takes words, not options */
	int (*run)(const struct options *o, struct error *err);
};
extern const struct command_row command_rows[]; /* ends with a NULL name */

/* Parses argv. 0: run *row; 1: all was said already (--help), end with 0; -errno: usage
 * error. */
int options_parse(int argc, char **argv, struct options *o,
		  const struct command_row **row, struct error *err);
/* "10ms" "1.5" "2m" "1h" -> ns; a bare number is seconds. False when it is none of these.
 */
bool parse_time(const char *s, uint64_t *ns);
/* "99", "1k", "9.9k". */
bool parse_rate(const char *s, double *hz);
/* help.c: --help, without a command and with one. */
void help_print(void);
void help_of_command(const struct command_row *row);
/* options_files.c: the options of commands with files. False: none of them. */
bool options_take_file(struct options *o, int option, const char *value, int *ret,
		       struct error *err);
bool *options_file_switch(struct options *o, int option);
/* "--OPTION: 'VALUE' is not WANT"; -EINVAL. */
int options_wrong(struct error *err, const char *option, const char *value,
		  const char *want);
/* Refuses what would do nothing in that format; NULL: a recording. 0 or -errno. */
struct exporter;
int options_fit_format(const struct options *o, const struct exporter *x,
		       struct error *err);
/* Resolves --pid/--name; says which processes match when several do. */
int options_target(const struct options *o, pid_t *pid, struct error *err);

/* One function per command (commands.def); each returns an exit code. */
int top_run(const struct options *o, struct error *err);
int top_batch_run(const struct options *o, struct error *err);
int record_run(const struct options *o, struct error *err);
int report_run(const struct options *o, struct error *err);
int diff_run(const struct options *o, struct error *err);
int check_run(const struct options *o, struct error *err);
int sessions_run(const struct options *o, struct error *err);
int baseline_run(const struct options *o, struct error *err);
int open_run(const struct options *o, struct error *err);
int dump_run(const struct options *o, struct error *err);
int doctor_run(const struct options *o, struct error *err);
int completion_run(const struct options *o, struct error *err);

#endif
