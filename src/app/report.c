/* `ptop report FILE...`: what was recorded, in any format. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/input.h"
#include "app/report.h"
#include "app/save.h"
#include "base/file.h"
#include "export/figures.h"
#include "recording/schema.h"

int report_format(const struct options *o, const struct exporter **x, struct error *err)
{
	const char *path = o->output ? o->output : "-";
	struct text names = { 0 };
	size_t i;

	if (o->json)
		*x = exporter_named("json");
	else if (o->format)
		*x = exporter_named(o->format);
	else
		*x = strcmp(path, "-") == 0 ? exporter_named("tree") : exporter_for(path);
	if (*x)
		return 0;
	for (i = 0; exporters[i]; i++)
		text_fmt(&names, i ? ", %s" : "%s", exporters[i]->name);
	if (o->format)
		error_set(err, EXIT_USAGE, "no format is called '%s'", o->format);
	else
		error_set(err, EXIT_USAGE, "%s: the suffix names no format", path);
	error_hint(err, "choose one with -f: %s", names.p);
	text_done(&names);
	return -EINVAL;
}

static bool colours(const struct options *o)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (o->color != COLOR_AUTO)
		return o->color == COLOR_ALWAYS;
	return (!o->output || strcmp(o->output, "-") == 0) && isatty(STDOUT_FILENO) &&
	       !(no && *no) && term && strcmp(term, "dumb") != 0;
}

int report_open(const struct options *o, const struct exporter *x, struct outfile *out,
		struct error *err)
{
	const char *path = o->output ? o->output : "-";

	if (x && x->binary && strcmp(path, "-") == 0 && isatty(STDOUT_FILENO)) {
		error_set(err, EXIT_USAGE, "%s is not for a terminal", x->name);
		error_hint(err, "name a file: -o profile%s", x->suffix);
		return -EINVAL;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return outfile_open(out, path, o->force, err);
}

int report_write(const struct options *o, const struct exporter *x,
		 const struct snapshot *s, struct outfile *out, struct error *err)
{
	struct export_options eo = { .creator = "ptop " PACKAGE_VERSION,
				     .show_cmdline = !o->no_cmdline,
				     .color = colours(o),
				     .ascii = o->settings.ascii,
				     .show_all = o->show_all,
				     .functions = o->metrics_functions };
	struct text text = { 0 }, line = { 0 };
	int ret = x->write(s, &eo, &text, err);

	if (ret)
		outfile_abort(out);
	else
		ret = outfile_commit(out, text.p ? text.p : "", text.n, err);
	if (ret == -EPIPE) { /* `ptop report x.ptop | head` is no error */
		*err = (struct error){ 0 };
		ret = 0;
	} else if (!ret && !o->quiet && !out->to_stdout) {
		text_fmt(&line, "wrote %s (", out->path);
		figure_bytes(&line, text.n);
		text_str(&line, ", ");
		figure_count(&line, s->samples);
		fprintf(stderr, "%s samples)\n", line.p);
	}
	text_done(&text);
	text_done(&line);
	return ret;
}

static bool wants_recording(const struct options *o)
{
	const char *path = o->output ? o->output : "";
	size_t n = strlen(path), suffix = strlen(RECORDING_SUFFIX);

	if (o->format || o->json)
		return o->format && !o->json && strcmp(o->format, "ptop") == 0;
	return n > suffix && strcmp(path + n - suffix, RECORDING_SUFFIX) == 0;
}

/* Several recordings as one, or a part of one. */
static int write_recording(const struct options *o, struct error *err)
{
	struct picture_query q = { .merged = true };
	struct save save = { .show_cmdline = !o->no_cmdline, .replace = o->force };
	struct recording *r;
	char message[1200];
	int ret;

	if (!o->output || strcmp(o->output, "-") == 0) {
		error_set(err, EXIT_USAGE, "a recording cannot go to standard output");
		error_hint(err, "name a file with -o");
		return -EINVAL;
	}
	ret = profile_recording(o, o->words, &r, err);
	if (ret)
		return ret;
	snprintf(save.path, sizeof(save.path), "%s", o->output);
	save.snapshot = recording_picture(r, &q, 0, false);
	save.batch = recording_batch(r, &q, save.snapshot);
	if (!save_run(&save, message, sizeof(message)))
		ret = error_set(err, EXIT_FAILED, "%s", message);
	else if (!o->quiet)
		fprintf(stderr, "%s\n", message);
	save_done(&save);
	recording_free(r);
	return ret;
}

int report_run(const struct options *o, struct error *err)
{
	const struct exporter *x;
	struct snapshot *s = NULL;
	struct outfile out;
	int ret;

	if (!o->words[0]) {
		error_set(err, EXIT_USAGE, "report: name a recording");
		error_hint(err,
			   "ptop report FILE, or `last`; `ptop sessions` lists those "
			   "without a file name");
		return err->exit;
	}
	if (wants_recording(o)) {
		ret = options_fit_format(o, NULL, err);
		return ret || write_recording(o, err) ? (int)err->exit : EXIT_DONE;
	}
	ret = report_format(o, &x, err);
	if (!ret)
		ret = options_fit_format(o, x, err);
	if (!ret)
		ret = report_open(o, x, &out, err);
	if (ret)
		return err->exit;
	ret = profile_read(o, o->words, exporter_wants(x), &s, err);
	if (ret)
		outfile_abort(&out);
	else
		ret = report_write(o, x, s, &out, err);
	snapshot_free(s);
	return ret ? (int)err->exit : EXIT_DONE;
}
