/* `ptop sessions` and `ptop baseline`: recordings in the state folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/options.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "export/exporter.h"
#include "export/figures.h"
#include "recording/reader.h"
#include "recording/schema.h"
#include "recording/sessions.h"

static const char *status_of(const struct recording *r)
{
	return r->interrupted ? "interrupted" : r->status;
}

/* NULL: what stands there cannot be read; `why` says so. */
static struct recording *peek(const struct session_entry *e, char *why, size_t size)
{
	struct recording *r = NULL;
	struct error err = { 0 };

	if (recording_peek(e->path, &r, &err))
		snprintf(why, size, "%s", err.cause);
	return r;
}

static bool passes(const struct options *o, const struct recording *r)
{
	uint64_t now = clock_wall_ns(), age;

	if (!r)
		return !o->name && !o->status && !o->older_ns && !o->newer_ns;
	age = now > r->start_wall_ns ? now - r->start_wall_ns : 0;
	return (!o->name || strcmp(r->command, o->name) == 0 ||
		strstr(r->cmdline, o->name)) &&
	       (!o->status || strcmp(o->status, status_of(r)) == 0) &&
	       (!o->older_ns || age > o->older_ns) && (!o->newer_ns || age < o->newer_ns);
}

static void put_json(struct text *out, const struct session_entry *e,
		     const struct recording *r, const char *why)
{
	text_str(out, "{\"id\":");
	json_string(out, e->id);
	text_str(out, ",\"path\":");
	json_string(out, e->path);
	text_fmt(out, ",\"bytes\":%llu", (unsigned long long)e->bytes);
	if (!r) {
		text_str(out, ",\"status\":\"unreadable\",\"error\":");
		json_string(out, why);
		text_char(out, '}');
		return;
	}
	text_str(out, ",\"status\":");
	json_string(out, status_of(r));
	text_str(out, ",\"error\":");
	json_string(out, r->error);
	text_str(out, ",\"command\":");
	json_string(out, r->command);
	text_str(out, ",\"cmdline\":");
	json_string(out, r->cmdline);
	text_fmt(out, ",\"pid\":%d,\"host\":", (int)r->pid);
	json_string(out, r->host);
	text_str(out, ",\"runtime\":");
	json_string(out, r->runtime);
	text_fmt(out, ",\"mode\":\"%s\",\"rate_hz\":", mode_name(r->mode));
	figure_fixed(out, r->rate_hz, 2);
	text_str(out, ",\"start\":\"");
	figure_date(out, r->start_wall_ns, 1);
	text_str(out, "\",\"duration_s\":");
	figure_fixed(out, (double)r->duration_ns / 1e9, 3);
	text_fmt(out,
		 ",\"samples\":%llu,\"own_cpu_pct\":", (unsigned long long)r->samples);
	figure_fixed(out, r->own_cpu_pct, 3);
	text_char(out, '}');
}

static void print_row(const struct session_entry *e, const struct recording *r,
		      const char *why)
{
	struct text size = { 0 }, took = { 0 }, count = { 0 };

	figure_bytes(&size, e->bytes);
	if (!r) {
		printf("%-22s unreadable   %6s  %s\n", e->id, size.p, why);
		text_done(&size);
		return;
	}
	figure_time(&took, r->duration_ns, " ");
	figure_count(&count, r->samples);
	printf("%-22s %-12s %6s %8s %12s  %-7d %.40s\n", e->id, status_of(r), size.p,
	       took.p, count.p, (int)r->pid, r->command);
	text_done(&size);
	text_done(&took);
	text_done(&count);
}

static int list(const struct options *o, const char *below, struct error *err)
{
	session_list all;
	struct text json = { 0 };
	int ret = sessions_list(below, &all, err);
	size_t i, shown = 0;
	char why[400];

	if (ret)
		return ret;
	for (i = 0; i < all.n; i++) {
		struct recording *r = peek(&all.v[i], why, sizeof(why));

		if (passes(o, r)) {
			if (!shown++ && !o->json)
				printf("%-22s %-12s %6s %8s %12s  %-7s %s\n", "ID",
				       "STATUS", "SIZE", "LASTED", "SAMPLES", "PID",
				       "COMMAND");
			if (o->json) {
				text_str(&json, shown > 1 ? ",\n" : "\n");
				put_json(&json, &all.v[i], r, why);
			} else {
				print_row(&all.v[i], r, why);
			}
		}
		recording_free(r);
	}
	if (o->json)
		printf("{\"schema\":\"ptop.sessions/1\",\"sessions\":[%s]}\n",
		       json.p ? json.p : "");
	else if (!shown && !o->quiet)
		fputs("no recordings; `ptop record -p PID` makes one\n", stderr);
	text_done(&json);
	VEC_DONE(&all);
	return 0;
}

static void print_field(const char *name, const char *value)
{
	if (*value)
		printf("%-10s %s\n", name, value);
}

static int show(const struct options *o, const char *word, struct error *err)
{
	struct session_entry e = { .id = "" };
	struct text t = { 0 };
	struct recording *r;
	struct stat st;
	int ret = sessions_path(word, e.path, sizeof(e.path), err);

	if (!ret)
		ret = recording_peek(e.path, &r, err);
	if (ret)
		return ret;
	snprintf(e.id, sizeof(e.id), "%s", r->id);
	e.bytes = stat(e.path, &st) == 0 ? (uint64_t)st.st_size : 0;
	if (o->json) {
		put_json(&t, &e, r, "");
		puts(t.p);
	} else {
		print_field("id", r->id);
		print_field("file", e.path);
		print_field("status", status_of(r));
		print_field("error", r->error);
		recording_missing(r, &t);
		print_field("missing", t.p ? t.p : "");
		text_clear(&t);
		print_field("command", r->cmdline[0] ? r->cmdline : r->command);
		printf("%-10s %d\n", "pid", (int)r->pid);
		print_field("host", r->host);
		print_field("runtime", r->runtime);
		figure_date(&t, r->start_wall_ns, 0);
		print_field("start", t.p);
		text_clear(&t);
		figure_time(&t, r->duration_ns, " ");
		print_field("lasted", t.p);
		printf("%-10s %s, %.4g Hz, by %s\n", "sampled", mode_name(r->mode),
		       r->rate_hz, r->backend);
		printf("%-10s %llu of %llu\n", "samples", (unsigned long long)r->samples,
		       (unsigned long long)r->samples_due);
		printf(
		    "%-10s recorder %.2f%% of one core; target slowed by about %.2f%%\n",
		    "cost", r->own_cpu_pct, r->taken_pct);
	}
	text_done(&t);
	recording_free(r);
	return 0;
}

/* With what may stand beside it when its recorder was killed. */
static int remove_file(const char *path, struct error *err)
{
	static const char *const beside[] = { "-wal", "-shm", "-journal" };
	struct text name = { 0 };
	size_t i;

	if (unlink(path) == -1)
		return error_errno(err, path);
	for (i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		text_clear(&name);
		text_fmt(&name, "%s%s", path, beside[i]);
		unlink(name.p);
	}
	text_done(&name);
	return 0;
}

static int refuse_running(const char *path, const char *word, struct error *err)
{
	struct recording *r;
	bool running;

	if (recording_peek(path, &r, NULL))
		return 0; /* unreadable: may go */
	running = r->running;
	recording_free(r);
	if (!running)
		return 0;
	error_set(err, EXIT_FAILED, "%s: is being recorded", word);
	error_hint(err, "end its recorder first");
	return -EBUSY;
}

/* The file itself stands in the folder of sessions, however its path is written; it is no link. */
static bool is_in_folder(const char *path, const char *folder)
{
	struct stat entry, above, there;
	const char *slash = strrchr(path, '/');
	char parent[4096];

	if (!slash || strlen(path) >= sizeof(parent))
		return false;
	snprintf(parent, sizeof(parent), "%.*s/.", (int)(slash - path), path);
	return stat(parent, &above) == 0 && stat(folder, &there) == 0 &&
	       above.st_dev == there.st_dev && above.st_ino == there.st_ino &&
	       lstat(path, &entry) == 0 && S_ISREG(entry.st_mode);
}

/* Only recordings that stand in the folder of sessions are removed, whatever the word says. What is
 * there and cannot be read goes by its ID. */
static int remove_session(const char *word, struct error *err)
{
	char path[4096], folder[3800];
	struct recording *r;
	int ret = sessions_folder("", false, folder, sizeof(folder), err);

	if (!ret)
		ret = sessions_path(word, path, sizeof(path), err);
	if (ret)
		return ret;
	if (!is_in_folder(path, folder)) {
		ret = error_set(err, EXIT_FAILED, "%s: not a session", word);
		error_hint(err, "`ptop sessions` lists them; remove other files with rm");
		return ret;
	}
	if (strchr(word, '/')) {
		ret = recording_peek(path, &r, err);
		if (ret)
			return ret;
		recording_free(r);
	}
	ret = refuse_running(path, word, err);
	return ret ? ret : remove_file(path, err);
}

static int clean(const struct options *o, struct error *err)
{
	session_list all;
	unsigned removed = 0;
	uint64_t bytes = 0;
	struct text size = { 0 };
	size_t i;
	int ret;

	if (!o->older_ns && !o->name && !o->status) {
		error_set(err, EXIT_USAGE, "clean: say which: --older-than 7d");
		error_hint(
		    err, "or --name, --status; `ptop sessions` with the same lists them");
		return -EINVAL;
	}
	ret = sessions_list("", &all, err);
	for (i = 0; !ret && i < all.n; i++) {
		struct recording *r = NULL;

		if (recording_peek(all.v[i].path, &r, NULL))
			continue;
		if (passes(o, r) && !r->running) {
			ret = remove_file(all.v[i].path, err);
			removed += !ret;
			bytes += all.v[i].bytes;
		}
		recording_free(r);
	}
	figure_bytes(&size, bytes);
	if (!ret && !o->quiet)
		fprintf(stderr, "removed %u recordings (%s)\n", removed, size.p);
	text_done(&size);
	if (!ret)
		VEC_DONE(&all);
	return ret;
}

static int usage(const char *cause, const char *hint, struct error *err)
{
	error_set(err, EXIT_USAGE, "%s", cause);
	error_hint(err, "%s", hint);
	return -EINVAL;
}

static int export_one(const struct options *o, struct error *err)
{
	struct options report = *o;

	report.words = o->words + 1;
	return report_run(&report, err);
}

int sessions_run(const struct options *o, struct error *err)
{
	static const char hint[] =
	    "list, show ID, export ID, rm ID..., clean --older-than 7d";
	const char *word = o->words[0] ? o->words[0] : "list";
	const char *id = o->words[0] ? o->words[1] : NULL;
	char *const *w;
	int ret = 0;

	if (strcmp(word, "list") == 0 && !id)
		ret = list(o, "", err);
	else if (strcmp(word, "clean") == 0 && !id)
		ret = clean(o, err);
	else if (strcmp(word, "show") == 0 && id)
		ret = show(o, id, err);
	else if (strcmp(word, "export") == 0 && id)
		return export_one(o, err);
	else if (strcmp(word, "rm") == 0 && id)
		for (w = o->words + 1; !ret && *w; w++)
			ret = remove_session(*w, err);
	else
		ret = usage("sessions: do not know what to do", hint, err);
	return ret ? (int)err->exit : EXIT_DONE;
}

/* ---- baselines ---- */

static int copy(const char *from, const char *to, bool replace, struct error *err)
{
	struct outfile out;
	struct bytes b;
	int ret = file_read(from, (size_t)2 << 30, &b, NULL);

	if (ret) {
		errno = -ret;
		return error_errno(err, from);
	}
	ret = outfile_open(&out, to, replace, err);
	if (!ret)
		ret = outfile_commit(&out, (const char *)b.p, b.n, err);
	free((void *)(uintptr_t)b.p);
	return ret;
}

static int save(const struct options *o, const char *name, const char *word,
		struct error *err)
{
	char from[4096], folder[3800], to[4096];
	struct recording *r;
	int ret;

	if (!sessions_name_ok(name))
		return usage("baseline: a name has letters, digits, - _ and dots",
			     "ptop baseline save v1.4 FILE", err);
	ret = sessions_path(word, from, sizeof(from), err);
	if (!ret)
		ret = recording_open(from, &r, err);
	if (ret)
		return ret;
	if (r->running || r->interrupted) {
		ret = error_set(err, EXIT_FAILED, "%s: not a finished recording", word);
		error_hint(err,
			   "`ptop report %s -o whole.ptop` makes one of what is there",
			   word);
	}
	recording_free(r);
	if (!ret)
		ret = sessions_folder("baselines", true, folder, sizeof(folder), err);
	snprintf(to, sizeof(to), "%s/%s" RECORDING_SUFFIX, folder, name);
	if (!ret)
		ret = copy(from, to, o->force, err);
	if (!ret)
		fprintf(stderr, "baseline %s: ptop check FILE --against %s\n", name,
			name);
	return ret;
}

static int remove_baseline(const char *name, struct error *err)
{
	char folder[3800], path[4096];
	int ret = sessions_folder("baselines", false, folder, sizeof(folder), err);

	if (!ret && !sessions_name_ok(name))
		ret = usage("baseline: no such name", "`ptop baseline` lists them", err);
	snprintf(path, sizeof(path), "%s/%s" RECORDING_SUFFIX, folder, name);
	return ret ? ret : remove_file(path, err);
}

int baseline_run(const struct options *o, struct error *err)
{
	const char *word = o->words[0] ? o->words[0] : "list";
	const char *name = o->words[0] ? o->words[1] : NULL;
	int ret;

	if (strcmp(word, "list") == 0 && !name)
		ret = list(o, "baselines", err);
	else if (strcmp(word, "save") == 0 && name)
		ret = save(o, name, o->words[2] ? o->words[2] : "last", err);
	else if (strcmp(word, "rm") == 0 && name)
		ret = remove_baseline(name, err);
	else
		ret = usage("baseline: do not know what to do",
			    "list, save NAME [FILE], rm NAME", err);
	return ret ? (int)err->exit : EXIT_DONE;
}
