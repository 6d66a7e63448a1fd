/* `ptop open FILE`: the live screen on a recording. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/config.h"
#include "app/player.h"
#include "app/save.h"
#include "app/screen_helpers.h"
#include "app/session.h"
#include "app/source_file.h"
#include "app/top.h"
#include "base/text.h"
#include "recording/sessions.h"

static int show(const struct options *o, struct player *p, int cpus, struct error *err)
{
	struct ui_settings settings = o->settings;
	char warning[200];
	struct ui_format *list = save_formats();
	struct ui_options uo = { .version = PACKAGE_VERSION,
				 .color = o->color,
				 .screen_reader = o->screen_reader,
				 .n_cpus = cpus,
				 .formats = list,
				 .waiting_for = "the recording" };
	struct ui ui = player_ui(p);
	struct ui_result result = { 0 };
	struct screen_helpers *h = screen_helpers_new(o);
	int ret;

	screen_helpers_offer(h, &uo, &ui);
	config_apply(&settings, o->given, warning, sizeof(warning));
	uo.settings = settings;
	uo.notice = warning[0] ? warning : NULL;
	uo.source = source_read_here;
	uo.processes = NULL; /* what is shown is over */
	uo.dump = NULL;
	ret = ui_run(&ui, &uo, &result, err);
	screen_helpers_free(h);
	free(list);
	snapshot_free(result.last);
	if (ret)
		return err->exit;
	return result.signal && result.signal != SIGINT ? 128 + result.signal : EXIT_DONE;
}

/* What the file says of itself is worth knowing before the figures. */
static void warn(const struct recording *r)
{
	struct text missing = { 0 };

	recording_missing(r, &missing);
	if (missing.n)
		fprintf(stderr, "ptop: %s\n", missing.p);
	text_done(&missing);
	if (r->refused)
		fprintf(stderr, "ptop: %llu rows of it make no sense and are left out\n",
			(unsigned long long)r->refused);
}

int open_run(const struct options *o, struct error *err)
{
	struct picture_query q = { .window_ns = o->settings.window_ns,
				   .merged = !o->threads,
				   .idle_shown = o->idle };
	struct recording *r;
	struct player *p;
	char path[4096];
	int ret, cpus;

	if (!o->words[0] || o->words[1]) {
		error_set(err, EXIT_USAGE, "give one recording to open");
		error_hint(err, "ptop open FILE.ptop; `ptop sessions` lists those "
				"without a file name");
		return err->exit;
	}
	if (!top_terminal_can()) {
		error_set(err, EXIT_FAILED, "no terminal to draw on");
		error_hint(err, "`ptop report %s` prints it", o->words[0]);
		return err->exit;
	}
	ret = sessions_path(o->words[0], path, sizeof(path), err);
	if (!ret)
		ret = recording_open(path, &r, err);
	if (ret)
		return err->exit;
	warn(r);
	cpus = r->cpus;
	top_block_signals();
	ret = player_start(r, &q, &p, err);
	if (ret)
		return err->exit;
	ret = show(o, p, cpus, err);
	player_stop(p);
	return ret;
}
