/* The two JSON objects of batch mode and dump. Written by hand because they are ours:
 * strings are escaped as RFC 8259 asks, numbers are finite and never localised, unknown
 * places are null. Each object is one line, so a stream of them is NDJSON. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "export/exporter.h"
#include "export/figures.h"
#include "export/json_latency.h"

/* Percentages and seconds. */
#define DECIMALS_PCT 2
#define DECIMALS_S 6
#define DECIMALS_PAUSE_S 9

void json_string(struct text *out, const char *s)
{
	size_t n = strlen(s), at = 0;

	text_char(out, '"');
	while (at < n) {
		size_t len = clean_char(s + at, n - at);

		if (len == 0)
			text_char(out, '?');
		else if (s[at] == '"' || s[at] == '\\')
			text_fmt(out, "\\%c", s[at]);
		else
			text_add(out, s + at, len);
		at += len ? len : 1;
	}
	text_char(out, '"');
}

/* `before` ends in the quoted key and the colon. */
static void put_string(struct text *out, const char *before, const char *s)
{
	text_str(out, before);
	json_string(out, s);
}

static void put_known(struct text *out, const char *before, const char *s)
{
	text_str(out, before);
	if (*s)
		json_string(out, s);
	else
		text_str(out, "null");
}

static void put_line(struct text *out, int line)
{
	text_str(out, ",\"line\":");
	if (line > 0)
		text_dec(out, (uint64_t)line);
	else
		text_str(out, "null");
}

static void put_fixed(struct text *out, const char *before, double v, unsigned decimals)
{
	text_str(out, before);
	if (isnan(v))
		text_str(out, "null");
	else
		figure_fixed(out, v, decimals);
}

/* Of memory: 0 is not known, for nothing that lives has none. */
static void put_bytes(struct text *out, const char *before, uint64_t v)
{
	text_str(out, before);
	if (v)
		text_dec(out, v);
	else
		text_str(out, "null");
}

static void put_seconds(struct text *out, const char *before, uint64_t ns)
{
	put_fixed(out, before, (double)ns / (double)NS_PER_SEC, DECIMALS_S);
}

static void put_count(struct text *out, const char *before, uint64_t v)
{
	text_str(out, before);
	text_dec(out, v);
}

static void put_state(struct text *out, char state)
{
	const char s[2] = { state ? state : '?', '\0' };

	put_string(out, ",\"state\":", s);
}

static void put_head(const struct snapshot *s, struct text *out)
{
	text_fmt(out, "{\"schema\":\"ptop.top/1\",\"pid\":%d", (int)s->pid);
	put_string(out, ",\"command\":", s->command);
	put_string(out, ",\"runtime\":", s->runtime);
	text_str(out, ",\"time\":\"");
	figure_date(out, s->wall_ns, 1);
	text_char(out, '"');
	put_seconds(out, ",\"window_s\":", s->covered_ns);
	put_string(out, ",\"mode\":", mode_name(s->mode));
	put_count(out, ",\"samples\":", s->samples);
	put_seconds(out, ",\"weight_s\":", s->weight_ns);
	put_fixed(out, ",\"rate_hz\":", s->rate_hz, DECIMALS_PCT);
	put_fixed(out, ",\"effective_pct\":", s->effective_pct, DECIMALS_PCT);
	put_string(out, ",\"backend\":", s->backend);
	put_string(out, ",\"limits\":", s->limits);
	text_fmt(out, ",\"exited\":%s", s->exited ? "true" : "false");
	if (s->end_note)
		put_string(out, ",\"end\":", s->end_note);
	else
		text_str(out, ",\"end\":null");
}

static void put_losses(const struct snapshot *s, struct text *out)
{
	int i;

	for (i = 0; i < LOSS_COUNT; i++) {
		text_fmt(out, "%s\"%s\":", i ? "," : ",\"lost\":{",
			 loss_name((enum loss)i));
		text_dec(out, s->lost[i]);
	}
	text_char(out, '}');
}

static void put_threads(const struct snapshot *s, struct text *out)
{
	size_t i;

	text_str(out, ",\"threads\":[");
	for (i = 0; i < s->n_threads; i++) {
		const struct snapshot_thread *t = &s->threads[i];

		text_fmt(out, "%s{\"tid\":%d", i ? "," : "", (int)t->tid);
		put_string(out, ",\"name\":", t->name);
		if (t->pid != s->pid) {
			text_fmt(out, ",\"pid\":%d", (int)t->pid);
			put_string(out, ",\"process\":", t->process);
		}
		put_fixed(out, ",\"cpu_pct\":", t->cpu_pct, DECIMALS_PCT);
		if (t->gil_pct >= 0) {
			put_fixed(out, ",\"gil_pct\":", t->gil_pct, DECIMALS_PCT);
			put_fixed(out, ",\"gil_wait_pct\":", t->gil_wait_pct,
				  DECIMALS_PCT);
		}
		put_state(out, t->state);
		text_char(out, '}');
	}
	text_char(out, ']');
}

static void put_functions(const struct snapshot *s, struct text *out)
{
	size_t i;

	text_str(out, ",\"functions\":[");
	for (i = 0; i < s->n_functions; i++) {
		const struct snapshot_function *f = &s->functions[i];

		put_string(out, i ? ",{\"name\":" : "{\"name\":", f->name);
		put_string(out, ",\"module\":", f->module);
		put_known(out, ",\"file\":", f->file);
		put_line(out, f->line);
		put_string(out, ",\"runtime\":", f->runtime);
		text_fmt(out, ",\"library\":%s", f->library ? "true" : "false");
		put_fixed(out, ",\"self_pct\":", snapshot_pct(s, f->self_ns),
			  DECIMALS_PCT);
		put_fixed(out, ",\"total_pct\":", snapshot_pct(s, f->total_ns),
			  DECIMALS_PCT);
		put_seconds(out, ",\"self_s\":", f->self_ns);
		put_seconds(out, ",\"total_s\":", f->total_ns);
		if (f->thread < s->n_threads)
			text_fmt(out, ",\"tid\":%d", (int)s->threads[f->thread].tid);
		text_char(out, '}');
	}
	text_char(out, ']');
}

static const char *exactness_name(enum gc_exactness e)
{
	static const char *const names[] = { "exact", "interval", "estimated" };

	return names[e];
}

/* Durations nobody timed, and percentiles that fall among those, are null, not nought. */
static void put_timed(struct text *out, const char *before, const struct gc_row *r,
		      uint64_t ns)
{
	if (r->timed && (ns || r->interval_ns == 0))
		put_fixed(out, before, (double)ns / (double)NS_PER_SEC, DECIMALS_PAUSE_S);
	else
		text_fmt(out, "%snull", before);
}

static void put_gc(const struct snapshot *s, struct text *out)
{
	size_t i;

	text_str(out, ",\"gc\":[");
	for (i = 0; i < s->gc.n_rows; i++) {
		const struct gc_row *r = &s->gc.rows[i];

		put_string(out, i ? ",{\"runtime\":" : "{\"runtime\":", r->runtime);
		put_string(out, ",\"source\":", r->source);
		put_string(out, ",\"exactness\":", exactness_name(r->exactness));
		put_string(out, ",\"generation\":", r->generation);
		put_count(out, ",\"count\":", r->count);
		put_timed(out, ",\"total_s\":", r, r->total_ns);
		put_timed(out, ",\"p50_s\":", r, r->p50_ns);
		put_timed(out, ",\"p95_s\":", r, r->p95_ns);
		put_timed(out, ",\"max_s\":", r, r->max_ns);
		text_char(out, '}');
	}
	text_char(out, ']');
	put_count(out, ",\"dealloc_bursts\":{\"count\":", s->gc.bursts);
	put_fixed(out, ",\"total_s\":", (double)s->gc.bursts_ns / (double)NS_PER_SEC,
		  DECIMALS_PAUSE_S);
	if (s->gc.bursts_unseen && s->gc.bursts_unseen[0])
		put_string(out, ",\"reason\":", s->gc.bursts_unseen);
	text_char(out, '}');
}

/* Whole bytes or seconds. */
static void put_maybe(struct text *out, const char *before, double v, bool known)
{
	text_str(out, before);
	if (known && v > -9e18 && v < 9e18)
		text_fmt(out, "%lld", (long long)(v < 0 ? v - 0.5 : v + 0.5));
	else
		text_str(out, "null");
}

static void put_signed(struct text *out, const char *before, int64_t v)
{
	text_fmt(out, "%s%lld", before, (long long)v);
}

static void put_growers(const struct snapshot_memory *m, struct text *out)
{
	bool first = true;
	size_t i;

	text_str(out, ",\"growers\":[");
	for (i = 0; i < m->n_growers; i++) {
		const struct memory_grower *g = &m->growers[i];

		if (g->bytes_more <= 0)
			continue;
		put_string(out, first ? "{\"kind\":" : ",{\"kind\":",
			   memory_grower_kind_name(g->kind));
		first = false;
		put_string(out, ",\"name\":", g->name);
		put_known(out, ",\"stack\":", g->stack);
		put_count(out, ",\"bytes\":", g->bytes);
		put_signed(out, ",\"bytes_more\":", g->bytes_more);
		put_count(out, ",\"count\":", g->count);
		put_signed(out, ",\"count_more\":", g->count_more);
		put_seconds(out, ",\"span_s\":", g->span_ns);
		text_char(out, '}');
	}
	text_char(out, ']');
}

/* How good a look was: what it saw, how long it took, what it could not follow. */
static void put_look(const struct memory_look *l, enum grower_kind k, bool *first,
		     struct text *out)
{
	if (!l->looks)
		return;
	put_string(out,
		   *first ? "{\"kind\":" : ",{\"kind\":", memory_grower_kind_name(k));
	*first = false;
	put_count(out, ",\"looks\":", l->looks);
	put_count(out, ",\"things\":", l->things);
	put_count(out, ",\"bytes\":", l->bytes);
	put_seconds(out, ",\"took_s\":", l->took_ns);
	put_count(out, ",\"torn\":", l->torn);
	put_count(out, ",\"lost\":", l->lost);
	put_count(out, ",\"late\":", l->late);
	text_fmt(out, ",\"cut\":%s}", l->cut ? "true" : "false");
}

static void put_looks(const struct snapshot_memory *m, struct text *out)
{
	bool first = true;

	text_str(out, ",\"looks\":[");
	put_look(&m->faults_look, GROWER_FAULTS, &first, out);
	put_look(&m->heap_look, GROWER_CHUNKS, &first, out);
	put_look(&m->objects_look, GROWER_OBJECTS, &first, out);
	text_char(out, ']');
}

static void put_memory(const struct snapshot_memory *m, struct text *out)
{
	text_str(out, ",\"memory\":");
	if (!m->known) {
		text_str(out, "null");
		return;
	}
	put_count(out, "{\"rss_bytes\":", m->rss_bytes);
	put_count(out, ",\"peak_bytes\":", m->peak_bytes);
	put_count(out, ",\"anon_bytes\":", m->anon_bytes);
	put_count(out, ",\"file_bytes\":", m->file_bytes);
	put_count(out, ",\"shmem_bytes\":", m->shmem_bytes);
	put_count(out, ",\"swap_bytes\":", m->swap_bytes);
	put_maybe(out, ",\"slope_bytes_per_s\":", m->slope.per_s, m->slope.known);
	put_maybe(out, ",\"slope_low\":", m->slope.low, m->slope.known);
	put_maybe(out, ",\"slope_high\":", m->slope.high, m->slope.known);
	put_seconds(out, ",\"slope_span_s\":", m->slope.span_ns);
	put_string(out, ",\"verdict\":", memory_verdict_name(m->verdict));
	put_maybe(out, ",\"limit_bytes\":", (double)m->limit_bytes,
		  m->limit != LIMIT_NONE);
	put_known(out, ",\"limit_of\":", m->limit_name);
	put_maybe(out, ",\"headroom_bytes\":", (double)m->headroom_bytes,
		  m->limit != LIMIT_NONE);
	put_maybe(out, ",\"seconds_to_limit\":", m->limit_s, m->limit_s >= 0);
	put_fixed(out, ",\"minor_faults_per_s\":", m->minor_per_s, 1);
	put_fixed(out, ",\"major_faults_per_s\":", m->major_per_s, 1);
	put_growers(m, out);
	put_looks(m, out);
	text_char(out, '}');
}

void json_top(const struct snapshot *s, struct text *out)
{
	put_head(s, out);
	put_losses(s, out);
	put_threads(s, out);
	put_functions(s, out);
	put_gc(s, out);
	json_latency(s, out);
	json_diagnosis(s, out);
	put_fixed(out, ",\"self\":{\"cpu_pct\":", s->own_cpu_pct, DECIMALS_PCT);
	put_bytes(out, ",\"rss_bytes\":", s->own_rss_bytes);
	put_fixed(out, "},\"target\":{\"cpu_pct\":", s->target_cpu_pct, DECIMALS_PCT);
	put_bytes(out, ",\"rss_bytes\":", s->target_rss_bytes);
	put_fixed(out, ",\"taken_pct\":", s->taken_pct, DECIMALS_PCT);
	text_char(out, '}');
	put_memory(&s->memory, out);
	text_str(out, "}\n");
}

static void put_locals(const struct dump_frame *f, struct text *out)
{
	size_t i;

	text_str(out, ",\"locals\":[");
	for (i = 0; i < f->n_locals; i++) {
		const struct dump_local *l = &f->locals[i];

		put_string(out, i ? ",{\"name\":" : "{\"name\":", l->name);
		put_string(out, ",\"value\":", l->value);
		text_fmt(out, ",\"argument\":%s}", l->argument ? "true" : "false");
	}
	text_char(out, ']');
}

static void put_frames(const struct dump_frame *frames, size_t n, struct text *out)
{
	size_t i;

	text_str(out, ",\"frames\":[");
	for (i = 0; i < n; i++) {
		const struct dump_frame *f = &frames[i];

		put_string(out, i ? ",{\"name\":" : "{\"name\":", f->name);
		put_string(out, ",\"module\":", f->module);
		put_known(out, ",\"file\":", f->file);
		put_line(out, f->line);
		put_string(out, ",\"runtime\":", f->runtime);
		if (f->inlined)
			text_str(out, ",\"inlined\":true");
		if (f->locals)
			put_locals(f, out);
		text_char(out, '}');
	}
	text_char(out, ']');
}

static void put_tasks(const struct dump *d, struct text *out)
{
	size_t i;

	text_str(out, ",\"tasks\":[");
	for (i = 0; i < d->n_tasks; i++) {
		const struct dump_task *t = &d->tasks[i];

		put_string(out, i ? ",{\"name\":" : "{\"name\":", t->name);
		put_string(out, ",\"state\":", t->state);
		put_known(out, ",\"awaits\":", t->awaits);
		put_frames(t->frames, t->n_frames, out);
		text_char(out, '}');
	}
	text_char(out, ']');
	put_known(out, ",\"tasks_note\":", d->tasks_note);
}

void json_dump(const struct dump *d, struct text *out)
{
	size_t i;

	text_fmt(out, "{\"schema\":\"ptop.dump/1\",\"pid\":%d", (int)d->pid);
	put_string(out, ",\"command\":", d->command);
	text_str(out, ",\"threads\":[");
	for (i = 0; i < d->n_threads; i++) {
		const struct dump_thread *t = &d->threads[i];

		text_fmt(out, "%s{\"tid\":%d", i ? "," : "", (int)t->tid);
		if (t->pid != d->pid)
			text_fmt(out, ",\"pid\":%d", (int)t->pid);
		put_string(out, ",\"name\":", t->name);
		put_state(out, t->state);
		if (*t->note)
			put_string(out, ",\"note\":", t->note);
		put_frames(t->frames, t->n_frames, out);
		text_char(out, '}');
	}
	text_char(out, ']');
	if (d->tasks_note)
		put_tasks(d, out);
	if (d->locals_note)
		put_string(out, ",\"locals_note\":", d->locals_note);
	text_str(out, "}\n");
}

static int json_write(const struct snapshot *s, const struct export_options *o,
		      struct text *out, struct error *err)
{
	(void)o, (void)err;
	json_top(s, out);
	return 0;
}

const struct exporter json_exporter = {
	.name = "json",
	.help = "scripts: functions, threads, losses",
	.suffix = ".json",
	.write = json_write,
};
