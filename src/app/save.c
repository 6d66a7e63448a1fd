/* May take as long as the disk does: the namer's thread, or a thread nobody waits for. */
#include "app/save.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "export/figures.h"
#include "recording/schema.h"
#include "recording/writer.h"

#define CREATOR "ptop " PACKAGE_VERSION
#define RECORDING_FORMAT "ptop"

static void default_path(struct save *s, int pid)
{
	time_t now = time(NULL);
	char stamp[32];
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
	snprintf(s->path, sizeof(s->path), "ptop-%d-%s%s", pid, stamp,
		 s->exporter ? s->exporter->suffix : RECORDING_SUFFIX);
}

bool save_parse(const char *text, int pid, struct save *s, char *format, size_t size)
{
	const char *space = strchr(text, ' ');
	size_t n = space ? (size_t)(space - text) : strlen(text);

	snprintf(format, size, "%.*s", (int)n, n ? text : "svg");
	if (!n)
		snprintf(format, size, "svg");
	s->exporter = exporter_named(format);
	if (!s->exporter && strcmp(format, RECORDING_FORMAT) != 0)
		return false;
	if (space && space[1])
		snprintf(s->path, sizeof(s->path), "%s", space + 1);
	else
		default_path(s, pid);
	return true;
}

static int write_file(const struct save *s, size_t *bytes, struct error *err)
{
	struct export_options o = { .creator = CREATOR, .show_cmdline = s->show_cmdline };
	struct text text = { 0 };
	struct outfile out;
	int ret = outfile_open(&out, s->path, s->replace, err);

	if (ret)
		return ret;
	ret = s->exporter->write(s->snapshot, &o, &text, err);
	if (ret)
		outfile_abort(&out);
	else
		ret = outfile_commit(&out, text.p, text.n, err);
	*bytes = text.n;
	text_done(&text);
	return ret;
}

static int write_recording(const struct save *s, size_t *bytes, struct error *err)
{
	struct writer_options o = { .creator = CREATOR,
				    .replace = s->replace,
				    .show_cmdline = s->show_cmdline };
	char id[32];

	recording_id(id, sizeof(id));
	o.id = id;
	return writer_save(s->path, &o, s->batch, bytes, err);
}

bool save_run(const struct save *s, char *message, size_t size)
{
	struct text text = { 0 };
	struct error err = { 0 };
	char full[PATH_MAX];
	size_t bytes = 0;
	int ret =
	    s->exporter ? write_file(s, &bytes, &err) : write_recording(s, &bytes, &err);

	if (ret) {
		snprintf(message, size, "Not saved: %s", err.cause);
		return false;
	}
	text_fmt(&text, "Saved %s  ", realpath(s->path, full) ? full : s->path);
	figure_bytes(&text, bytes);
	text_str(&text, "  ");
	text_dec(&text,
		 s->snapshot ? s->snapshot->samples : s->batch->facts->samples_ever);
	text_str(&text, " samples");
	clean_copy(message, size, text.p, text.n);
	text_done(&text);
	return true;
}

void save_done(struct save *s)
{
	snapshot_free(s->snapshot);
	batch_free(s->batch);
	s->snapshot = NULL;
	s->batch = NULL;
}

struct ui_format *save_formats(void)
{
	struct ui_format *list;
	size_t n = 0, i;

	while (exporters[n])
		n++;
	list = xcalloc(n + 2, sizeof(*list));
	for (i = 0; i < n; i++)
		list[i] = (struct ui_format){ exporters[i]->name, exporters[i]->help,
					      exporters[i]->suffix };
	list[n] = (struct ui_format){ RECORDING_FORMAT, "recording: every format, later",
				      RECORDING_SUFFIX };
	return list;
}
