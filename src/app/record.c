/* `ptop record`: sample for a while, into a recording or one file of another format. The
 * output is opened before anything else, so a bad path costs milliseconds, and every way
 * to end (duration, INT, TERM, HUP, the target's exit) finishes it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/output_name.h"
#include "app/recorder.h"
#include "app/session.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "base/thread.h"
#include "export/exporter.h"
#include "export/figures.h"
#include "recording/schema.h"
#include "recording/sessions.h"

#define RECORD_HISTORY ((size_t)512 << 20)
#define PROGRESS_NS (250 * NS_PER_MSEC)
#define BAR_CELLS 20
#define OPEN_POLL_NS (50 * NS_PER_MSEC)
#define SAMPLES_FEW 10u
#define FILES_MOST 100000u
#define LATE_NS (2500 * NS_PER_MSEC) /* pictures are due each second */
/* How long the sampler may wait inside the kernel at the end. */
#define STUCK_NS (5 * NS_PER_SEC)
#define STUCK_SIGNAL_NS (500 * NS_PER_MSEC)
#define WAITS "the kernel does not answer: a disk or file system hangs"

/* What the command makes: a file of one format when all is over, or a recording that is
 * on the disk from the first second. */
struct job {
	const struct options *o;
	struct session session;
	struct outfile out;
	const struct exporter *exporter; /* NULL: a recording */
	struct recorder *recorder;
	struct snapshot *last;
	int signals, ended_by;
	bool exited, stuck;
	uint64_t picture_ns, waited_ns; /* the last picture; the longest without one */
	uint64_t start_ns, said_wall_ns;
	unsigned files, number; /* of a recording that was rotated; the last name's */
	bool moved;		/* its recording has another name now, or none */
	bool hung_up;		/* --detach: its terminal is gone */
	char id[32], path[4096];
};

static bool is_recording(const char *path)
{
	size_t n = strlen(path), suffix = strlen(RECORDING_SUFFIX);

	return n >= suffix && strcmp(path + n - suffix, RECORDING_SUFFIX) == 0;
}

static int no_such_format(const struct options *o, struct error *err)
{
	struct text names = { 0 };
	size_t i;

	for (i = 0; exporters[i]; i++)
		text_fmt(&names, "%s, ", exporters[i]->name);
	if (o->format)
		error_set(err, EXIT_USAGE, "no format is called '%s'", o->format);
	else
		error_set(err, EXIT_USAGE, "%s: the suffix names no format", o->output);
	error_hint(err, "choose one with -f: %sptop", names.p);
	text_done(&names);
	return -EINVAL;
}

/* Without -o a recording is a session of the state folder, any other format a file with
 * the time in its name. */
static int choose_path(struct job *r, struct error *err)
{
	const struct options *o = r->o;
	time_t now = time(NULL);
	char stamp[32];
	struct tm tm;
	size_t n;
	int ret;

	if (o->output)
		return output_name_for(o, r->path, sizeof(r->path), err);
	if (!r->exporter) {
		ret = sessions_folder("", true, r->path, sizeof(r->path) - 64, err);
		n = strlen(r->path);
		snprintf(r->path + n, sizeof(r->path) - n, "/%s" RECORDING_SUFFIX, r->id);
		return ret;
	}
	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
	snprintf(r->path, sizeof(r->path), "ptop-%s%s", stamp, r->exporter->suffix);
	return 0;
}

static int choose_format(struct job *r, struct error *err)
{
	const struct options *o = r->o;
	const char *path = o->output ? o->output : RECORDING_SUFFIX;
	bool recording = o->format ? strcmp(o->format, "ptop") == 0 : is_recording(path);

	if (recording && strcmp(path, "-") == 0) {
		error_set(err, EXIT_USAGE, "a recording cannot go to standard output");
		error_hint(err, "it is a database: name a file, or choose another -f");
		return -EINVAL;
	}
	if (recording)
		return 0;
	r->exporter = o->format ? exporter_named(o->format) : exporter_for(path);
	if (!r->exporter && !o->format && strcmp(path, "-") == 0)
		r->exporter = exporter_named("folded");
	return r->exporter ? 0 : no_such_format(o, err);
}

static struct writer_options writer_options(const struct job *r)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return (struct writer_options){ .id = r->id,
					.creator = "ptop " PACKAGE_VERSION,
					.replace = r->o->force,
					.show_cmdline = !r->o->no_cmdline,
					.cpus = cpus > 0 ? (unsigned)cpus : 0 };
}

static int open_output(struct job *r, struct error *err)
{
	struct writer_options w = writer_options(r);
	int ret;

	recording_id(r->id, sizeof(r->id));
	ret = choose_format(r, err);
	if (!ret)
		ret = options_fit_format(r->o, r->exporter, err);
	if (!ret)
		ret = choose_path(r, err);
	if (ret)
		return ret;
	if (r->exporter)
		return outfile_open(&r->out, r->path, r->o->force || !r->o->output, err);
	return recorder_open(r->path, &w, &r->recorder, err);
}

/* The file may be on a server that is dead: it is opened on a thread that can be left behind, so that
 * a signal still ends ptop, which waits for as long as nobody sends one. */
struct opening {
	struct job *job;
	struct error err;
	int ret;
	bool ended; /* atomic */
};

static void *open_main(void *arg)
{
	struct opening *o = arg;

	o->ret = open_output(o->job, &o->err);
	__atomic_store_n(&o->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

static int open_or_end(struct job *r, struct error *err)
{
	struct opening *o = xcalloc(1, sizeof(*o));
	pthread_t thread;
	int got, ret;

	o->job = r;
	if (thread_start(&thread, open_main, o, NULL))
		open_main(o);
	else
		while (!thread_ended_in(thread, &o->ended, OPEN_POLL_NS)) {
			got = session_signal(r->signals);
			if (got == 0 || got == SIGUSR1 || got == SIGUSR2)
				continue;
			error_set(err, (enum exit_code)(128 + got),
				  "ended by a signal before its file was open");
			error_hint(err, "the file system of %s does not answer",
				   r->path[0] ? r->path : "the output");
			pthread_detach(thread);
			return -EINTR; /* the job is that thread's */
		}
	ret = o->ret;
	if (ret)
		*err = o->err;
	free(o);
	return ret;
}

static void clock_text(struct text *out, uint64_t ns)
{
	unsigned long long s = ns / NS_PER_SEC;

	if (s >= 3600)
		text_fmt(out, "%llu:", s / 3600);
	text_fmt(out, "%02llu:%02llu", s / 60 % 60, s % 60);
}

/* "record 00:12/00:30 [#########           ] 1,188 samples 98.9 Hz lost 0.1% 42K". */
static void progress(const struct job *r, uint64_t now)
{
	uint64_t ran = now - r->start_ns, all = r->o->duration_ns;
	uint64_t samples = r->last ? r->last->samples_ever : 0;
	struct text line = { 0 };
	size_t full, i;

	if (r->o->quiet || r->hung_up || !isatty(STDERR_FILENO))
		return;
	text_str(&line, "\rrecord ");
	clock_text(&line, ran);
	if (all) {
		full = (size_t)((double)BAR_CELLS * (double)ran / (double)all);
		text_char(&line, '/');
		clock_text(&line, all);
		text_str(&line, " [");
		for (i = 0; i < BAR_CELLS; i++)
			text_char(&line, i < full ? '#' : ' ');
		text_char(&line, ']');
	}
	text_char(&line, ' ');
	figure_count(&line, samples);
	text_str(&line, " samples ");
	figure_fixed(&line, ran ? (double)samples * 1e9 / (double)ran : 0, 1);
	text_str(&line, " Hz lost ");
	figure_fixed(&line, r->last ? r->last->lost_pct : 0, 1);
	text_str(&line, "% ");
	if (r->recorder)
		figure_bytes(&line, recorder_bytes(r->recorder));
	text_str(&line, all ? "  " : "  Ctrl-C to finish  ");
	fwrite(line.p, 1, line.n, stderr);
	text_done(&line);
}

/* Pictures come each second; where they do not, ptop itself was kept waiting. */
static void note_picture(struct job *r)
{
	uint64_t now = clock_now_ns(),
		 gap = now - (r->picture_ns ? r->picture_ns : r->start_ns);

	r->picture_ns = now;
	if (gap > r->waited_ns)
		r->waited_ns = gap;
}

static void take_picture(struct job *r)
{
	struct snapshot *s = engine_wait(r->session.engine, 0);

	if (!s)
		return;
	note_picture(r);
	snapshot_free(r->last);
	r->last = s;
	r->exited = s->exited;
	if (r->o->n_triggers && !r->o->quiet)
		session_say(s, &r->said_wall_ns);
}

/* A name for the next file: a session of its own, what -o makes of the present time, or
 * web.ptop, web.2.ptop, web.3.ptop. */
static int choose_next(struct job *r, struct error *err)
{
	char first[sizeof(r->path)];
	int ret = choose_path(r, err), stem;

	if (ret)
		return ret;
	snprintf(first, sizeof(first), "%s", r->path);
	stem = (int)strlen(first) -
	       (is_recording(first) ? (int)strlen(RECORDING_SUFFIX) : 0);
	while (access(r->path, F_OK) == 0 && r->number < FILES_MOST)
		if (snprintf(r->path, sizeof(r->path), "%.*s.%u" RECORDING_SUFFIX, stem,
			     first, ++r->number) >= (int)sizeof(r->path))
			return error_set(err, EXIT_FAILED, "the path is too long");
	return 0;
}

/* USR2: what was recorded so far is a file, the rest is another. */
static void rotate(struct job *r)
{
	struct writer_options w = writer_options(r);
	char before[sizeof(r->path)], id[sizeof(r->id)];
	struct error err = { 0 };

	if (!r->recorder) {
		fputs("ptop: SIGUSR2 begins a new recording; this is another format\n",
		      stderr);
		return;
	}
	memcpy(before, r->path, sizeof(before));
	memcpy(id, r->id, sizeof(id));
	recording_id(r->id, sizeof(r->id));
	w.replace = false;
	if (choose_next(r, &err) == 0 &&
	    recorder_rotate(r->recorder, r->path, &w, &err) == 0) {
		r->files++;
		if (!r->o->quiet)
			fprintf(stderr, "%sptop: %s ends here, %s begins\n",
				isatty(STDERR_FILENO) ? "\n" : "", before, r->path);
		return;
	}
	fprintf(stderr, "ptop: no new file: %s\n", err.cause);
	memcpy(r->path, before, sizeof(before));
	memcpy(r->id, id, sizeof(id));
}

static void take_signal(struct job *r)
{
	int got = session_signal(r->signals);

	if (got == SIGUSR1)
		engine_send(r->session.engine,
			    &(struct command){ .kind = COMMAND_SAVE, .text = "svg " });
	else if (got == SIGUSR2)
		rotate(r);
	else if (got == SIGHUP && r->o->detach)
		r->hung_up = true;
	else if (got)
		r->ended_by = got;
}

/* Once: that the recording lost its name. */
static void watch_place(struct job *r)
{
	enum writer_place place = r->recorder ? recorder_place(r->recorder) : WRITER_HERE;

	if (place == WRITER_HERE || r->moved)
		return;
	r->moved = true;
	if (!r->o->quiet)
		fprintf(stderr, "%sptop: %s %s\n", isatty(STDERR_FILENO) ? "\n" : "",
			r->path,
			place == WRITER_GONE
			    ? "was deleted: what is recorded into it will be lost"
			    : "was moved or replaced: the recording goes on in the "
			      "file that had this name");
}

static bool full(const struct job *r)
{
	return r->recorder && r->o->max_bytes &&
	       recorder_bytes(r->recorder) >= r->o->max_bytes;
}

static void sample(struct job *r)
{
	uint64_t end = r->o->duration_ns ? r->start_ns + r->o->duration_ns : UINT64_MAX;
	struct pollfd p[2] = { { .fd = engine_wake_fd(r->session.engine),
				 .events = POLLIN },
			       { .fd = r->signals, .events = POLLIN } };

	while (!r->ended_by && !r->exited &&
	       !(r->recorder && recorder_failed(r->recorder)) && !full(r)) {
		uint64_t now = clock_now_ns(), wait;
		struct timespec ts;

		if (now >= end)
			break;
		wait = end - now < PROGRESS_NS ? end - now : PROGRESS_NS;
		ts = (struct timespec){ 0, (long)wait };
		if (ppoll(p, 2, &ts, NULL) == -1)
			continue;
		if (p[0].revents)
			take_picture(r);
		if (p[1].revents)
			take_signal(r);
		watch_place(r);
		progress(r, clock_now_ns());
	}
}

/* Asks for the last picture with everything in it, and waits for it: however long that
 * takes, only another Ctrl-C gives up what was recorded. */
static bool finish(struct job *r)
{
	note_picture(r);
	engine_send(r->session.engine, &(struct command){ .kind = COMMAND_FINISH });
	for (;;) {
		struct snapshot *s = engine_wait(r->session.engine, 100 * NS_PER_MSEC);
		int got = session_signal(r->signals);

		if (s) {
			snapshot_free(r->last);
			r->last = s;
			if (s->nodes)
				return true;
		}
		if (got == SIGINT)
			return false;
		if (got == SIGTERM || (got == SIGHUP && !r->o->detach) || got == SIGQUIT)
			r->ended_by = got;
		if (!s && engine_is_stuck(r->session.engine,
					  r->ended_by ? STUCK_SIGNAL_NS : STUCK_NS)) {
			note_picture(r);
			r->stuck = true;
			return false;
		}
	}
}

/* What was made, and what to do with it next. */
static void say_done(const struct job *r, uint64_t bytes)
{
	struct text line = { 0 };
	bool svg = r->exporter && strcmp(r->exporter->name, "svg") == 0;
	bool session = r->recorder && !r->o->output && !r->moved;

	if (r->o->quiet || !r->last || (r->exporter && r->out.to_stdout))
		return;
	text_str(&line, session ? "recorded " : "wrote ");
	text_str(&line, session ? r->id : r->path);
	text_str(&line, " (");
	figure_bytes(&line, bytes);
	text_str(&line, ", ");
	figure_count(&line, r->recorder ? r->last->samples_ever : r->last->samples);
	text_str(&line, " samples");
	if (r->files > 1)
		text_fmt(&line, " in %u files", r->files);
	text_str(&line, ").");
	if (r->last->end_note)
		text_fmt(&line, " Process %d %s.", (int)r->last->pid, r->last->end_note);
	if (svg)
		text_str(&line, " Open it in a browser.");
	else if (r->recorder)
		text_fmt(&line, " Next: ptop report %s, or: ptop open %s",
			 session ? r->id : r->path, session ? r->id : r->path);
	fprintf(stderr, "%s\n", line.p);
	text_done(&line);
}

static int write_file(struct job *r, struct error *err)
{
	struct export_options eo = { .creator = "ptop " PACKAGE_VERSION,
				     .show_cmdline = !r->o->no_cmdline };
	struct text text = { 0 };
	int ret = r->exporter->write(r->last, &eo, &text, err);

	if (!ret)
		ret = outfile_commit(&r->out, text.p, text.n, err);
	if (!ret)
		say_done(r, text.n);
	text_done(&text);
	return ret;
}

/* The engine has ended: nothing is put any more. */
static int close_recording(struct job *r, bool whole, struct error *err)
{
	struct stat st;
	bool hurried = false;
	int ret = recorder_close(r->recorder,
				 whole	    ? NULL
				 : r->stuck ? WAITS
					    : "given up by the user",
				 r->path, sizeof(r->path), &hurried, err);

	if (hurried && !ret && !r->o->quiet)
		fputs("ptop: the disk is slow: `sync` tells when the recording is safe "
		      "from a power cut\n",
		      stderr);
	if (ret) {
		if (!err->hint[0])
			error_hint(err, "what was recorded before is in %s", r->path);
		return ret;
	}
	say_done(r, stat(r->path, &st) == 0 ? (uint64_t)st.st_size : 0);
	return 0;
}

static int run(struct job *r, struct error *err)
{
	bool tty = !r->o->quiet && isatty(STDERR_FILENO), whole;
	int ret = 0;

	r->start_ns = clock_now_ns();
	if (!r->o->quiet && !tty)
		fprintf(stderr, "ptop: recording pid %d\n", (int)r->session.pid);
	sample(r);
	if (tty)
		fputs("\n", stderr);
	if (!r->o->quiet && full(r))
		fputs("ptop: the recording is as big as --max-size allows\n", stderr);
	whole = finish(r);
	if (r->exporter && whole)
		ret = write_file(r, err);
	else if (r->exporter)
		ret = error_set(err, EXIT_FAILED, "%s",
				r->stuck ? WAITS : "stopped before the file was written");
	session_close(&r->session);
	if (r->recorder)
		ret = close_recording(r, whole, err);
	return ret;
}

/* Why there is next to nothing in the file, and what helps. */
static void say_few(const struct job *r, uint64_t samples)
{
	const struct snapshot *s = r->last;

	fprintf(stderr, "ptop: only %llu samples: ", (unsigned long long)samples);
	if (s && s->stopped)
		fprintf(stderr,
			"the process is stopped (SIGSTOP)\n"
			"hint: `kill -CONT %d` lets it go on; `ptop dump %d` shows where "
			"it stands\n",
			(int)s->pid, (int)s->pid);
	else if (!s || r->waited_ns > LATE_NS)
		fprintf(stderr,
			"ptop itself had to wait for up to %.1f s, so this says nothing "
			"about the process\n"
			"hint: a disk or a file system that it needs answers slowly; "
			"record again when it is calm\n",
			(double)r->waited_ns / 1e9);
	else if (s->mode == MODE_WALL)
		fputs("none of its threads ran\n"
		      "hint: -i records the waiting ones, too; or record for longer, "
		      "-d 60\n",
		      stderr);
	else if (s && s->samples_due <= SAMPLES_FEW)
		fputs("the process used hardly any CPU\n"
		      "hint: -m wall shows where it waits; or record for longer, -d 60\n",
		      stderr);
	else
		fprintf(stderr,
			"the process used CPU time for %llu, which could not be taken\n"
			"hint: `ptop doctor %d` says what the kernel refuses here\n",
			s ? (unsigned long long)s->samples_due : 0ull,
			s ? (int)s->pid : 0);
}

static int exit_code(const struct job *r)
{
	uint64_t samples = !r->last	 ? 0
			   : r->recorder ? r->last->samples_ever
					 : r->last->samples;

	if (r->ended_by && r->ended_by != SIGINT)
		return 128 + r->ended_by;
	if (samples < SAMPLES_FEW) {
		say_few(r, samples);
		return EXIT_NO_SAMPLES;
	}
	return EXIT_DONE;
}

int record_run(const struct options *o, struct error *err)
{
	struct engine_config c = session_config(o);
	struct job *r = xcalloc(1, sizeof(*r));
	int ret;

	r->o = o;
	r->out.fd = -1;
	r->files = r->number = 1;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error like a full disk */
	/* Before the recorder's thread is made: it would die of them, and all with it. */
	r->signals = session_signals();
	ret = open_or_end(r, err);
	if (ret == -EINTR)
		return err->exit;
	if (ret)
		goto out;
	c.delay_ns = c.window_ns = NS_PER_SEC;
	c.recorder = r->recorder;
	c.last_wants = r->exporter ? exporter_wants(r->exporter) : 0;
	c.history_bytes = r->recorder ? 0 : RECORD_HISTORY;
	ret = session_open(o, &c, false, &r->session, err);
	if (ret && r->recorder) {
		recorder_close(r->recorder, err->cause, NULL, 0, NULL, NULL);
		unlink(r->path);
	}
	if (!ret)
		ret = run(r, err);
	if (ret)
		outfile_abort(&r->out);
	if (!o->quiet)
		session_say_files(r->last);
out:
	ret = ret ? (int)err->exit : exit_code(r);
	snapshot_free(r->last);
	free(r);
	return ret;
}
