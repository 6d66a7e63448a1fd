/* What `perf script` prints, for Firefox Profiler, FlameScope and stackcollapse-perf.pl:
 *
 *	python3 4242/4250 1000.010000:          1 ptop:
 *		             161 decode (json/decoder.py)
 *		              0c main (app.py)
 *
 * Times are seconds of the clock of the recording; frames innermost first. The period is
 * 1 a sample, because readers add periods up where they want counts; a run of several
 * samples is written as several events. The address is the line in hexadecimal and the
 * object the source file, or the library where no file is known. */
#include <string.h>

#include "base/clock.h"
#include "export/exporter.h"

#define EVENTS_OF_A_RUN 4096u

/* Blanks would end a field. */
static void put_word(struct text *out, const char *s, const char *without)
{
	size_t i = out->n;

	text_clean(out, s, strlen(s));
	for (; i < out->n; i++)
		if (strchr(without, out->p[i]))
			out->p[i] = '_';
}

static void put_frame(struct text *out, const struct snapshot_function *f)
{
	const char *object = *f->file ? f->file : *f->module ? f->module : "unknown";

	text_fmt(out, "\t%16x ", (unsigned)(f->line > 0 ? f->line : 1));
	put_word(out, *f->name ? f->name : "unknown", "()");
	text_str(out, " (");
	put_word(out, f->kind == CODE_KERNEL ? "[kernel.kallsyms]" : object, "()");
	text_str(out, ")\n");
}

static void put_head(struct text *out, const struct snapshot *s,
		     const struct snapshot_run *r, uint64_t time_ns)
{
	const struct snapshot_thread *t =
	    r->thread < s->n_threads ? &s->threads[r->thread] : NULL;

	put_word(out, t && *t->name ? t->name : *s->command ? s->command : "all", " \t:");
	text_fmt(out, " %d/%d %llu.%06llu: %10d ptop:\n", t ? t->pid : s->pid,
		 t ? t->tid : s->pid, (unsigned long long)(time_ns / NS_PER_SEC),
		 (unsigned long long)(time_ns % NS_PER_SEC / 1000), 1);
}

static void put_run(struct text *out, const struct snapshot *s,
		    const struct snapshot_run *r)
{
	uint32_t n = r->samples ? r->samples : 1, i, node;

	for (i = 0; i < n && i < EVENTS_OF_A_RUN; i++) {
		uint64_t back = r->weight_ns / n * (n - 1 - i);

		put_head(out, s, r, r->time_ns > back ? r->time_ns - back : 0);
		for (node = r->node; node; node = s->nodes[node].parent)
			put_frame(out, &s->functions[s->nodes[node].function]);
		text_char(out, '\n');
	}
}

static int perf_script_write(const struct snapshot *s, const struct export_options *o,
			     struct text *out, struct error *err)
{
	size_t i;

	(void)o;
	if (!s->n_runs && s->n_nodes > 1) {
		error_set(err, EXIT_FAILED,
			  "perf script text needs times, and there are none");
		error_hint(err,
			   "folded stacks have no times: choose -f speedscope or svg");
		return -1;
	}
	for (i = 0; i < s->n_runs; i++)
		if (s->runs[i].node)
			put_run(out, s, &s->runs[i]);
	return 0;
}

const struct exporter perf_script_exporter = {
	.name = "perf-script",
	.help = "Firefox Profiler, FlameScope, stackcollapse-perf.pl",
	.suffix = ".perf",
	.wants_tree = true,
	.wants_runs = true,
	.write = perf_script_write,
};
