/* The live screen, or, where there is no terminal for one, a table. */
#include "app/top.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/config.h"
#include "app/save.h"
#include "app/screen_helpers.h"
#include "app/session.h"
#include "base/clock.h"
#include "base/vec.h"
#include "export/exporter.h"
#include "ui/ui.h"

bool top_terminal_can(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term &&
	       strcmp(term, "dumb") != 0;
}

/* One screen; s NULL: there is no process yet, so one is chosen. *picked: the process to
 * go to next, 0 none. */
static int show(struct options *o, struct session *s, const char *notice, int32_t *picked,
		struct error *err)
{
	struct ui_format *list = save_formats();
	struct ui_options uo = { .version = PACKAGE_VERSION,
				 .color = o->color,
				 .screen_reader = o->screen_reader,
				 .settings = o->settings,
				 .formats = list,
				 .pick = s == NULL,
				 .notice = notice,
				 .waiting_for = "first samples" };
	struct ui ui = { .wake_fd = -1, .command_fd = -1 };
	struct screen_helpers *h = screen_helpers_new(o);
	struct ui_result result = { 0 };
	uint64_t start = clock_now_ns();
	int ret;

	if (s)
		ui = (struct ui){ .snapshots = engine_snapshots(s->engine),
				  .wake_fd = engine_wake_fd(s->engine),
				  .command_fd = engine_command_fd(s->engine) };
	screen_helpers_offer(h, &uo, &ui);
	ret = ui_run(&ui, &uo, &result, err);
	screen_helpers_free(h);
	free(list);
	if (result.last && !o->quiet)
		session_summary(result.last, clock_now_ns() - start);
	snapshot_free(result.last);
	*picked = result.picked;
	o->settings = result.settings;
	if (ret)
		return err->exit;
	return result.signal && result.signal != SIGINT ? 128 + result.signal : EXIT_DONE;
}

void top_block_signals(void)
{
	static const int screens[] = { SIGTERM, SIGHUP,	 SIGINT,   SIGQUIT,
				       SIGTSTP, SIGCONT, SIGWINCH, SIGUSR1 };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(screens) / sizeof(screens[0]); i++)
		sigaddset(&set, screens[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Process after process, as they are picked. A process that was chosen on the screen and
 * cannot be had leads back to the choice; one of the command line is an error. */
static int run_screens(const struct options *first, struct error *err)
{
	struct options o = *first;
	bool pick = !o.pid && !o.name && !o.launch, chosen = pick;
	char notice[400];
	int32_t picked;
	int ret;

	config_apply(&o.settings, o.given, notice, sizeof(notice));
	do {
		struct engine_config c = session_config(&o);
		struct session s;

		ret = pick ? 0 : session_open(&o, &c, true, &s, err);
		if (ret && !chosen)
			return err->exit;
		if (ret) {
			snprintf(notice, sizeof(notice), "%.200s: %.180s", err->cause,
				 err->hint);
			*err = (struct error){ 0 };
			pick = true;
		}
		ret = show(&o, pick ? NULL : &s, notice[0] ? notice : NULL, &picked, err);
		if (!pick)
			session_close(&s);
		notice[0] = '\0';
		o.pid = picked;
		o.name = NULL;
		o.launch = false;
		pick = false;
		chosen = true;
	} while (picked);
	return ret;
}

int top_run(const struct options *o, struct error *err)
{
	struct options once = *o;
	int ret;

	if (o->batch || o->json || o->iterations)
		return top_batch_run(o, err);
	if (!top_terminal_can()) {
		once.iterations = 1;
		ret = top_batch_run(&once, err);
		if (!err->cause[0])
			fputs("ptop: no terminal to draw on: one table instead (see "
			      "`ptop top -b`)\n",
			      stderr);
		return ret;
	}
	top_block_signals();
	return run_screens(o, err);
}
