/* Prometheus text, version 0.0.4, for a textfile collector: how the target and the sampler
 * did over the time covered. Function names only where asked for, and only so many: each is
 * a series of its own for as long as the database keeps it. */
#include <math.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "export/exporter.h"
#include "export/figures.h"

static void put_label(struct text *out, const char *name, const char *value)
{
	const char *p;

	text_fmt(out, "%s=\"", name);
	for (p = value; *p; p++) {
		if (*p == '\\' || *p == '"')
			text_char(out, '\\');
		text_char(out, *p);
	}
	text_char(out, '"');
}

static void put_target(struct text *out, const struct snapshot *s)
{
	text_fmt(out, "{pid=\"%d\",", (int)s->pid);
	put_label(out, "command", s->command);
	text_char(out, '}');
}

static void put_head(struct text *out, const char *name, const char *type,
		     const char *help)
{
	text_fmt(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_gauge(struct text *out, const struct snapshot *s, const char *name,
		      const char *type, double v, const char *help)
{
	if (isnan(v)) /* not known: no series */
		return;
	put_head(out, name, type, help);
	text_str(out, name);
	put_target(out, s);
	text_char(out, ' ');
	figure_fixed(out, v, v > 1e6 ? 0 : 6);
	text_char(out, '\n');
}

static void put_losses(struct text *out, const struct snapshot *s)
{
	enum loss l;

	put_head(out, "ptop_samples_lost_total", "counter",
		 "Samples lost, cut or left unnamed, by reason");
	for (l = 0; l < LOSS_COUNT; l++) {
		text_fmt(out, "ptop_samples_lost_total{pid=\"%d\",reason=\"%s\"} ",
			 (int)s->pid, loss_name(l));
		text_dec(out, s->lost[l]);
		text_char(out, '\n');
	}
}

static void put_summary(struct text *out, const char *name, const char *label,
			const char *value, double quantile, double seconds)
{
	text_fmt(out, "%s{", name);
	put_label(out, label, value);
	text_str(out, ",quantile=\"");
	figure_fixed(out, quantile, 2);
	text_str(out, "\"} ");
	figure_fixed(out, seconds, 6);
	text_char(out, '\n');
}

static void put_total(struct text *out, const char *name, const char *suffix,
		      const char *label, const char *value, double v, unsigned decimals)
{
	text_fmt(out, "%s%s{", name, suffix);
	put_label(out, label, value);
	text_str(out, "} ");
	figure_fixed(out, v, decimals);
	text_char(out, '\n');
}

static void put_pauses(struct text *out, const struct snapshot *s)
{
	static const char name[] = "ptop_gc_pause_seconds";
	size_t i;

	if (!s->gc.n_rows)
		return;
	put_head(out, name, "summary", "Garbage collections by generation");
	for (i = 0; i < s->gc.n_rows; i++) {
		const struct gc_row *r = &s->gc.rows[i];

		if (r->timed) {
			put_summary(out, name, "generation", r->generation, 0.5,
				    (double)r->p50_ns / 1e9);
			put_summary(out, name, "generation", r->generation, 0.95,
				    (double)r->p95_ns / 1e9);
			put_summary(out, name, "generation", r->generation, 0.99,
				    (double)r->p99_ns / 1e9);
		}
		put_total(out, name, "_sum", "generation", r->generation,
			  (double)r->total_ns / 1e9, 6);
		put_total(out, name, "_count", "generation", r->generation,
			  (double)r->count, 0);
	}
}

/* Only what the user asked for by name: all else is too many series. */
static void put_calls(struct text *out, const struct snapshot *s)
{
	static const double quantiles[] = { 0.5, 0.95, 0.99, 1 };
	static const char name[] = "ptop_call_seconds";
	bool headed = false;
	size_t i, k;

	for (i = 0; i < s->latency.n_rows; i++) {
		const struct snapshot_latency_row *r = &s->latency.rows[i];

		if (!r->pinned)
			continue;
		if (!headed)
			put_head(out, name, "summary", "How long functions take");
		headed = true;
		for (k = 0; k < LATENCY_FIGURES; k++)
			if (r->figure[k].known == LATENCY_KNOWN)
				put_summary(out, name, "function", r->name, quantiles[k],
					    (double)r->figure[k].ns / 1e9);
		put_total(out, name, "_count", "function", r->name, (double)r->count, 0);
	}
}

struct named_share {
	const char *name, *module;
	uint64_t self_ns;
};

static int by_name(const void *a, const void *b)
{
	const struct named_share *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->module, y->module);
}

static int by_share(const void *a, const void *b)
{
	const struct named_share *x = a, *y = b;

	if (x->self_ns != y->self_ns)
		return x->self_ns < y->self_ns ? 1 : -1;
	return by_name(a, b);
}

/* Rows of one name (lines, threads) become one: labels may not stand twice. */
static size_t join_names(struct named_share *f, size_t n)
{
	size_t i, kept = 0;

	if (n == 0)
		return 0;
	qsort(f, n, sizeof(*f), by_name);
	for (i = 1; i < n; i++)
		if (by_name(&f[kept], &f[i]) == 0)
			f[kept].self_ns += f[i].self_ns;
		else
			f[++kept] = f[i];
	qsort(f, kept + 1, sizeof(*f), by_share);
	return kept + 1;
}

static void put_functions(struct text *out, const struct snapshot *s, unsigned most)
{
	static const char name[] = "ptop_function_self_ratio";
	struct named_share *f;
	size_t i, n = 0;

	if (!most || !s->weight_ns)
		return;
	f = xcalloc(s->n_functions + 1, sizeof(*f));
	for (i = 0; i < s->n_functions; i++)
		if (s->functions[i].self_ns)
			f[n++] = (struct named_share){ s->functions[i].name,
						       s->functions[i].module,
						       s->functions[i].self_ns };
	n = join_names(f, n);
	put_head(out, name, "gauge", "Share of all that was sampled, by function");
	for (i = 0; i < n && i < most; i++) {
		text_fmt(out, "%s{pid=\"%d\",", name, (int)s->pid);
		put_label(out, "function", f[i].name);
		text_char(out, ',');
		put_label(out, "module", f[i].module);
		text_str(out, "} ");
		figure_fixed(out, (double)f[i].self_ns / (double)s->weight_ns, 6);
		text_char(out, '\n');
	}
	free(f);
}

static int prometheus_write(const struct snapshot *s, const struct export_options *o,
			    struct text *out, struct error *err)
{
	(void)err;
	put_head(out, "ptop_build_info", "gauge", "The ptop that wrote this");
	text_str(out, "ptop_build_info{");
	put_label(out, "version", o->creator ? o->creator : "ptop");
	text_str(out, "} 1\n");
	put_gauge(out, s, "ptop_samples_total", "counter", (double)s->samples,
		  "Samples taken in the time covered");
	put_losses(out, s);
	put_gauge(out, s, "ptop_sampled_seconds_total", "counter",
		  figure_plain_counts(s) ? 0 : (double)s->weight_ns / 1e9,
		  s->mode == MODE_WALL ? "Wall-clock time of the threads sampled"
				       : "CPU time sampled");
	put_gauge(out, s, "ptop_covered_seconds", "gauge", (double)s->covered_ns / 1e9,
		  "The time the figures are of");
	put_gauge(out, s, "ptop_target_cpu_ratio", "gauge", s->target_cpu_pct / 100,
		  "CPU of the target, cores");
	put_gauge(out, s, "ptop_target_rss_bytes", "gauge",
		  s->target_rss_bytes ? (double)s->target_rss_bytes : NAN,
		  "Resident memory of the target");
	if (s->memory.known && s->memory.pss_known)
		put_gauge(out, s, "ptop_target_pss_bytes", "gauge",
			  (double)s->memory.pss_bytes, "Its proportional share");
	put_gauge(out, s, "ptop_self_cpu_ratio", "gauge", s->own_cpu_pct / 100,
		  "CPU of the sampler itself, cores");
	put_gauge(out, s, "ptop_self_rss_bytes", "gauge", (double)s->own_rss_bytes,
		  "Resident memory of the sampler itself");
	put_pauses(out, s);
	put_calls(out, s);
	put_functions(out, s, o->functions);
	return 0;
}

const struct exporter prometheus_exporter = {
	.name = "prometheus",
	.help = "a textfile collector's metrics",
	.suffix = ".prom",
	.write = prometheus_write,
};
