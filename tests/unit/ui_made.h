/* A screen on a canvas, a pipe for its commands, and snapshots with known figures. */
#ifndef PTOP_TESTS_UI_MADE_H
#define PTOP_TESTS_UI_MADE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ui/screen.h"

#define MADE_WALL_NS (1795183351ull * NS_PER_SEC) /* 2026-11-20 14:02:31 UTC */

struct made {
	struct screen screen;
	struct canvas canvas;
	struct ui_options options;
	int pipe[2];
};

/* Rows of a made snapshot: seconds of CPU in a window of 60 s. */
struct made_row {
	const char *name, *module, *file;
	int line;
	enum code_kind kind;
	double self_s, total_s;
};

static const struct made_row made_rows[] = {
	{ "raw_decode", "app", "json/decoder.c", 353, CODE_APP, 18.5, 18.5 },
	{ "parse_order", "app", "/srv/src/app/orders.c", 88, CODE_APP, 7.4, 27.9 },
	{ "ssl_read", "libssl.so.3", "", 0, CODE_LIBRARY, 5.8, 5.8 },
	{ "std::__detail::_Map_base<std::string, Order*>::operator[]", "app",
	  "/usr/include/c++/12/bits/hashtable_policy.h", 702, CODE_APP, 3.6, 13.1 },
	{ "libz.so.1+0x1a20", "libz.so.1", "", 0, CODE_LIBRARY, 2.6, 2.6 },
	{ "handle_request", "app", "app/server.c", 88, CODE_APP, 1.8, 52.3 },
	{ "__x64_sys_read", "[kernel]", "", 0, CODE_KERNEL, 1.3, 4.4 },
	{ "[truncated]", "", "", 0, CODE_MARK, 0.04, 0.9 },
};
#define MADE_ROWS (sizeof(made_rows) / sizeof(*made_rows))

static inline struct snapshot *made_snapshot(void)
{
	struct snapshot *s = snapshot_new();
	size_t i, k;

	s->pid = 4242;
	s->command = "orders";
	s->cmdline = "/srv/app/orders --port 8000";
	s->host = "web-3";
	s->runtime = "native";
	s->start_wall_ns = MADE_WALL_NS - 11520 * NS_PER_SEC;
	s->number = 1;
	s->time_ns = 1000 * NS_PER_SEC;
	s->wall_ns = MADE_WALL_NS;
	s->window_ns = s->covered_ns = 60 * NS_PER_SEC;
	s->weight_ns = 59 * NS_PER_SEC;
	s->samples = s->samples_ever = 59412;
	s->samples_due = 60010;
	s->backend = "perf";
	s->rate_hz = 997;
	s->effective_pct = 98.9;
	s->lost[LOSS_READ_FAILED] = 3;
	s->own_cpu_pct = 0.7;
	s->own_rss_bytes = 11u << 20;
	s->taken_pct = 0.3;
	s->target_cpu_pct = 187;
	s->target_user_pct = 171;
	s->target_system_pct = 16;
	s->target_rss_bytes = 1524713390;
	s->target_rss_slope = 36000;
	s->n_threads = s->n_threads_all = 2;
	s->threads = arena_alloc(&s->arena, 2 * sizeof(*s->threads));
	s->threads[0] = (struct snapshot_thread){ .pid = 4242,
						  .tid = 4242,
						  .name = "main",
						  .process = "demo",
						  .gil_pct = -1,
						  .gil_wait_pct = -1,
						  .state = 'R',
						  .cpu_pct = 100,
						  .top = "raw_decode",
						  .top_file = "json/decoder.c",
						  .top_line = 353,
						  .wait = "" };
	s->threads[1] = (struct snapshot_thread){ .pid = 4242,
						  .tid = 4250,
						  .name = "worker",
						  .process = "demo",
						  .gil_pct = -1,
						  .gil_wait_pct = -1,
						  .state = 'S',
						  .cpu_pct = 87,
						  .top = "ssl_read",
						  .top_file = "",
						  .wait = "[socket wait]" };
	s->n_functions = MADE_ROWS;
	s->functions = arena_alloc(&s->arena, MADE_ROWS * sizeof(*s->functions));
	for (i = 0; i < MADE_ROWS; i++) {
		const struct made_row *r = &made_rows[i];

		s->functions[i] = (struct snapshot_function){
			.name = r->name,
			.module = r->module,
			.file = r->file,
			.line = r->line,
			.kind = r->kind,
			.runtime = "native",
			.thread = UINT32_MAX,
			.self_ns = (uint64_t)(r->self_s * 1e9),
			.total_ns = (uint64_t)(r->total_s * 1e9),
			.library = r->kind == CODE_LIBRARY || r->kind == CODE_KERNEL,
			.id = 100 + i,
			.function = 100 + i,
		};
		for (k = 0; k < TREND_CELLS; k++)
			s->functions[i].trend[k] = (uint8_t)(k * 255 / 9 / (i + 1));
	}
	return s;
}

/* A call tree of those rows, whose totals add up to theirs:
 * handle_request 52.3 > parse_order 27.9 > raw_decode 18.5, libz 2.0
 *                     > _Map_base 13.1 > ssl_read 5.8, sys_read 3.7
 *                     > libz 0.6, sys_read 0.7, [truncated] 0.04 ... */
static inline void made_tree(struct snapshot *s)
{
	static const struct {
		uint32_t parent, function;
		double self_s;
	} nodes[] = {
		{ 0, 0, 0 },	{ 0, 5, 1.8 },	 { 1, 1, 7.4 },	 { 2, 0, 18.5 },
		{ 2, 4, 2.0 },	{ 1, 3, 3.6 },	 { 5, 2, 5.8 },	 { 5, 6, 0.6 },
		{ 1, 4, 0.6 },	{ 1, 6, 0.7 },	 { 0, 7, 0.04 }, { 4, 2, 0.1 },
		{ 11, 6, 0.2 }, { 12, 4, 0.01 },
	};
	size_t i, n = sizeof(nodes) / sizeof(nodes[0]);

	s->nodes = arena_alloc(&s->arena, n * sizeof(*s->nodes));
	s->n_nodes = n;
	for (i = 0; i < n; i++)
		s->nodes[i] =
		    (struct snapshot_node){ nodes[i].parent, nodes[i].function,
					    (uint64_t)(nodes[i].self_s * 1e9), 0 };
	for (i = 0; i < n; i++)
		s->nodes[i].total_ns += s->nodes[i].self_ns;
	for (i = n; i-- > 1;)
		s->nodes[s->nodes[i].parent].total_ns += s->nodes[i].total_ns;
	s->wants |= WANT_TREE | WANT_STACKS;
}

static inline void made_open(struct made *m, int width, int height, bool ascii)
{
	static const struct ui_format formats[] = {
		{ "svg", "flame graph, any browser, offline", ".svg" },
		{ "folded", "one stack a line", ".folded" },
		{ NULL, NULL, NULL },
	};
	struct shared sh = { 0 };

	memset(m, 0, sizeof(*m));
	if (pipe2(m->pipe, O_NONBLOCK) == -1)
		abort();
	m->options = (struct ui_options){ .version = "0.1.0",
					  .settings = { .delay_ns = NS_PER_SEC,
							.window_ns = 60 * NS_PER_SEC },
					  .formats = formats,
					  .waiting_for = "attaching to 4242" };
	sh.options = &m->options;
	sh.settings = m->options.settings;
	sh.command_fd = m->pipe[1];
	sh.ascii = ascii;
	sh.mouse = true;
	sh.n_cpus = 4;
	sh.now_ns = 1000 * NS_PER_SEC;
	screen_init(&m->screen, &sh);
	m->canvas.ascii = ascii;
	canvas_resize(&m->canvas, width, height);
}

static inline void made_close(struct made *m)
{
	snapshot_free(screen_done(&m->screen));
	canvas_done(&m->canvas);
	close(m->pipe[0]);
	close(m->pipe[1]);
}

/* The picture as lines; the caller frees it. */
static inline char *made_picture(struct made *m)
{
	struct text t = { 0 };
	int y;

	screen_draw(&m->screen, &m->canvas);
	for (y = 0; y < m->canvas.height; y++) {
		canvas_line(&m->canvas, y, &t);
		text_char(&t, '\n');
	}
	return t.p;
}

static inline bool made_shows(struct made *m, const char *what)
{
	char *p = made_picture(m);
	bool shows = strstr(p, what) != NULL;

	if (!shows)
		fprintf(stderr, "no \"%s\" in:\n%s", what, p);
	free(p);
	return shows;
}

static inline void made_keys(struct made *m, const char *keys)
{
	while (*keys)
		screen_key(&m->screen, (unsigned char)*keys++);
}

/* The next command that was sent; kind is UINT32_MAX when there is none. */
static inline struct command made_command(struct made *m)
{
	struct command c;

	if (read(m->pipe[0], &c, sizeof(c)) != (ssize_t)sizeof(c))
		c = (struct command){ .kind = UINT32_MAX };
	return c;
}

#endif
