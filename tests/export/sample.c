/* Stacks are text; modules and places come from a table by name. Two roots (a server's
 * main and a thread's start) so that siblings at the lowest level occur. */
#include "sample.h"

#include <string.h>

#include "base/text.h"
#include "model/folded_in.h"

static const char stacks[] =
    "_start;main;serve;accept_one;sys_accept4_[k] 10\n"
    "_start;main;serve;handle;parse_order 60\n"
    "_start;main;serve;handle;parse_order;json_loads;raw_decode 312\n"
    "_start;main;serve;handle;parse_order;json_loads;raw_decode;strtod 34\n"
    "_start;main;serve;handle;reply;SSL_write;aes_gcm_encrypt 98\n"
    "_start;main;serve;handle;reply;SSL_write;write;sys_write_[k];tcp_sendmsg_[k] 76\n"
    "_start;main;serve;handle;query;pq_exec 44\n"
    "_start;main;serve;handle;query;pq_exec;recv;sys_recvfrom_[k] 61\n"
    "_start;main;serve;handle;render;Interpreter;~template_[j] 120\n"
    "_start;main;serve;handle;render;Interpreter;~escape_[j] 40\n"
    "clone3;start_thread;worker;main (app.py:10);work (app.py:42) 75\n"
    "clone3;start_thread;worker;main (app.py:10) 25\n"
    "clone3;start_thread;worker;quick_sort;quick_sort;quick_sort;compare 20\n"
    "clone3;start_thread;worker;quick_sort;quick_sort;swap 15\n"
    "[truncated];memcpy 10\n";

static const struct {
	const char *name, *module, *file;
	int line;
	enum code_kind kind;
} places[] = {
	{ "_start", "shopd", "", 0, CODE_APP },
	{ "main", "shopd", "src/main.c", 88, CODE_APP },
	{ "serve", "shopd", "src/serve.c", 214, CODE_APP },
	{ "accept_one", "shopd", "src/serve.c", 61, CODE_APP },
	{ "handle", "shopd", "src/handle.c", 120, CODE_APP },
	{ "parse_order", "shopd", "src/order.c", 88, CODE_APP },
	{ "reply", "shopd", "src/handle.c", 205, CODE_APP },
	{ "query", "shopd", "src/query.c", 17, CODE_APP },
	{ "render", "shopd", "src/render.c", 40, CODE_APP },
	{ "worker", "shopd", "src/worker.c", 31, CODE_APP },
	{ "quick_sort", "shopd", "src/sort.c", 12, CODE_APP },
	{ "compare", "shopd", "src/sort.c", 3, CODE_APP },
	{ "swap", "shopd", "src/sort.c", 7, CODE_APP },
	{ "json_loads", "libjansson.so.4", "", 0, CODE_LIBRARY },
	{ "raw_decode", "libjansson.so.4", "", 0, CODE_LIBRARY },
	{ "strtod", "libc.so.6", "", 0, CODE_LIBRARY },
	{ "SSL_write", "libssl.so.3", "", 0, CODE_LIBRARY },
	{ "aes_gcm_encrypt", "libcrypto.so.3", "", 0, CODE_LIBRARY },
	{ "write", "libc.so.6", "", 0, CODE_LIBRARY },
	{ "recv", "libc.so.6", "", 0, CODE_LIBRARY },
	{ "memcpy", "libc.so.6", "", 0, CODE_LIBRARY },
	{ "clone3", "libc.so.6", "", 0, CODE_LIBRARY },
	{ "start_thread", "libc.so.6", "", 0, CODE_LIBRARY },
	{ "pq_exec", "libpq.so.5", "", 0, CODE_LIBRARY },
	{ "Interpreter", "libv8.so", "", 0, CODE_LIBRARY },
};

static void name_places(struct snapshot *s)
{
	size_t i, k;

	for (i = 0; i < s->n_functions; i++)
		for (k = 0; k < sizeof(places) / sizeof(*places); k++)
			if (strcmp(s->functions[i].name, places[k].name) == 0) {
				s->functions[i].module = places[k].module;
				s->functions[i].file = places[k].file;
				s->functions[i].line = places[k].line;
				s->functions[i].kind = places[k].kind;
			}
}

static void name_target(struct snapshot *s)
{
	static struct snapshot_thread threads[] = {
		{ .pid = 4242,
		  .tid = 4242,
		  .name = "shopd",
		  .process = "shopd",
		  .state = 'R',
		  .cpu_pct = 187.0,
		  .gil_pct = -1,
		  .gil_wait_pct = -1 },
		{ .pid = 4242,
		  .tid = 4250,
		  .name = "worker-\"0\"",
		  .process = "shopd",
		  .state = 'S',
		  .cpu_pct = 0.5,
		  .idle = true,
		  .gil_pct = -1,
		  .gil_wait_pct = -1 },
	};

	s->pid = 4242;
	s->command = "shopd";
	s->cmdline = "/srv/shopd --port 8000 --password=hunter2";
	s->runtime = "native";
	s->host = "web-3";
	s->wall_ns = 1795176000123000000ull; /* 2026-11-20T12:00:00.123Z */
	s->covered_ns = 5000000000ull;
	s->backend = "perf";
	s->own_cpu_pct = 0.7;
	s->own_rss_bytes = 12u << 20;
	s->taken_pct = 0.3;
	s->target_cpu_pct = 187.25;
	s->target_user_pct = 150.1;
	s->target_system_pct = 37.15;
	s->target_rss_bytes = 1524713390;
	s->threads = threads;
	s->n_threads = 2;
	s->n_threads_all = 2;
}

struct snapshot *sample_of(const char *folded, double rate_hz)
{
	struct folded_counts counts;
	struct bytes in = { (const unsigned char *)folded, strlen(folded) };
	struct snapshot *s = folded_read(in, rate_hz, &counts);

	name_places(s);
	name_target(s);
	return s;
}

struct snapshot *sample_snapshot(void)
{
	return sample_of(stacks, 100);
}

struct snapshot *sample_hostile(void)
{
	struct text folded = { 0 };
	struct snapshot *s;
	size_t i;

	text_str(&folded, "A;]]>;</script><b>&amp;\"' 5\n");
	for (i = 0; i < 4000; i++)
		text_char(&folded, 'x');
	text_str(&folded, ";\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97 4\n");
	s = sample_of(folded.p, 100);
	text_done(&folded);
	/* Cleaning is the reader's duty; an exporter must hold without it. */
	for (i = 0; i < s->n_functions; i++)
		if (strcmp(s->functions[i].name, "A") == 0)
			s->functions[i].name =
			    "\x1b[31mred\xff\xc0\x80\xed\xa0\x80\n;end";
	s->command = "<evil & \"quoted\">\x1b]0;";
	s->cmdline = "]]> \x01";
	s->limits = "<none>";
	return s;
}

void sample_dump(struct dump *d)
{
	static struct dump_frame main_frames[] = {
		{ "raw_decode", "libjansson.so.4", "", "native", 0, false, NULL, 0 },
		{ "parse_order", "shopd", "src/order.c", "native", 88, true, NULL, 0 },
		{ "main", "shopd", "src/main.c", "native", 88, false, NULL, 0 },
	};
	static struct dump_thread threads[] = {
		{ 4242, 4242, "shopd", 'R', "", main_frames, 3 },
		{ 4242, 4250, "worker-0", 'S', "no permission", NULL, 0 },
		{ 4251, 4251, "child\"\\", 'D', "", main_frames, 1 },
	};

	*d = (struct dump){ .pid = 4242, .command = "shopd" };
	d->threads = threads;
	d->n_threads = 3;
}
