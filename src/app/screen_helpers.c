/* Stacks are read by a thread of their own ("ptop-dump"), which attaches beside the
 * sampler: the screen goes on meanwhile. One at a time; asking again while one runs is
 * answered by that one. */
#include "app/screen_helpers.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "app/config.h"
#include "app/engine.h"
#include "app/processes.h"
#include "app/session.h"
#include "app/source_file.h"
#include "base/file.h"
#include "base/mailbox.h"
#include "base/text.h"
#include "base/thread.h"
#include "export/exporter.h"

struct screen_helpers {
	const struct options *options;
	struct process_lister *lister;
	struct mailbox texts;
	int text_fd;
	pthread_t thread;
	bool started;
	atomic_bool running;
	int32_t pid;
};

struct screen_helpers *screen_helpers_new(const struct options *o)
{
	struct screen_helpers *h = xcalloc(1, sizeof(*h));

	h->options = o;
	h->text_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return h;
}

static void join(struct screen_helpers *h)
{
	if (h->started)
		pthread_join(h->thread, NULL);
	h->started = false;
}

void screen_helpers_free(struct screen_helpers *h)
{
	if (!h)
		return;
	join(h);
	ui_text_free(mailbox_take(&h->texts));
	process_lister_free(h->lister);
	if (h->text_fd != -1)
		close(h->text_fd);
	free(h);
}

static struct processes *list_processes(void *app)
{
	struct screen_helpers *h = app;

	if (!h->lister)
		h->lister = process_lister_new();
	return process_lister_list(h->lister);
}

static void free_processes(void *app, struct processes *p)
{
	(void)app;
	processes_free(p);
}

static void *dump_main(void *arg)
{
	struct screen_helpers *h = arg;
	struct ui_text *t = xcalloc(1, sizeof(*t));
	struct text text = { 0 };
	struct engine_config c = session_config(h->options);
	struct dump *d = NULL;
	struct error err = { 0 };
	uint64_t one = 1;

	c.pid = h->pid;
	c.mode = MODE_WALL;
	c.merged = true;

	pthread_setname_np(pthread_self(), "ptop-dump");
	if (engine_dump(&c, &d, &err) == 0)
		table_dump(d, &text);
	else
		text_fmt(&text, "no stacks: %s\n%s\n", err.cause, err.hint);
	dump_free(d);
	t->pid = h->pid;
	t->text = text.p ? text.p : xstrdup("");
	ui_text_free(mailbox_put(&h->texts, t));
	atomic_store(&h->running, false);
	if (write(h->text_fd, &one, sizeof(one)) == -1)
		return NULL; /* it is readable already */
	return NULL;
}

static void start_dump(void *app, int32_t pid)
{
	struct screen_helpers *h = app;

	if (atomic_load(&h->running))
		return;
	join(h);
	h->pid = pid;
	atomic_store(&h->running, true);
	h->started = thread_start(&h->thread, dump_main, h, NULL) == 0;
	if (!h->started)
		atomic_store(&h->running, false);
}

static int write_text(void *app, const char *path, const char *text, size_t n,
		      struct error *err)
{
	struct outfile out;
	int ret = outfile_open(&out, path, false, err);

	(void)app;
	return ret ? ret : outfile_commit(&out, text, n, err);
}

static int save_settings(void *app, const struct ui_settings *settings, struct error *err)
{
	(void)app;
	return config_write(settings, err);
}

void screen_helpers_offer(struct screen_helpers *h, struct ui_options *uo, struct ui *ui)
{
	uo->app = h;
	uo->source = source_read;
	uo->processes = list_processes;
	uo->processes_free = free_processes;
	uo->dump = start_dump;
	uo->write_text = write_text;
	uo->save_settings = save_settings;
	ui->texts = &h->texts;
	ui->text_fd = h->text_fd;
}
