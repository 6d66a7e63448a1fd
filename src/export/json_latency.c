/* "latency" and "diagnosis" of the JSON of a picture. A figure nobody knows is null; one that
 * is only known to be below something is null as well, and `below_s` says what. */
#include "export/json_latency.h"

#include "export/exporter.h"
#include "export/figures.h"

#define DECIMALS 6 /* microseconds */

static void put_string(struct text *out, const char *before, const char *s)
{
	text_str(out, before);
	json_string(out, s);
}

static void put_seconds(struct text *out, const char *before, uint64_t ns)
{
	text_str(out, before);
	figure_fixed(out, (double)ns / 1e9, DECIMALS);
}

static void put_row(const struct snapshot_latency_row *r, struct text *out)
{
	static const char *const names[LATENCY_FIGURES] = {
		",\"p50_s\":", ",\"p95_s\":", ",\"p99_s\":", ",\"max_s\":"
	};
	uint64_t below = 0;
	int i;

	put_string(out, "{\"name\":", r->name);
	put_string(out, ",\"source\":", latency_source_name(r->source));
	put_string(out, ",\"exactness\":", r->exactness);
	text_str(out, ",\"count\":");
	text_dec(out, r->count);
	for (i = 0; i < LATENCY_FIGURES; i++) {
		const struct latency_figure *f = &r->figure[i];

		if (f->known == LATENCY_KNOWN)
			put_seconds(out, names[i], f->ns);
		else
			text_fmt(out, "%snull", names[i]);
		if (f->known == LATENCY_BELOW)
			below = f->ns;
	}
	if (below)
		put_seconds(out, ",\"below_s\":", below);
	if (r->note[0])
		put_string(out, ",\"note\":", r->note);
	text_char(out, '}');
}

static void put_slow(const struct snapshot_slow *s, struct text *out)
{
	put_string(out, "{\"name\":", s->name);
	put_seconds(out, ",\"took_s\":", s->took_ns);
	text_str(out, ",\"time\":\"");
	figure_date(out, s->wall_ns, 1);
	put_string(out, "\",\"thread\":", s->thread);
	put_string(out, ",\"stack\":", s->stack);
	text_char(out, '}');
}

void json_latency(const struct snapshot *s, struct text *out)
{
	size_t i;

	text_str(out, ",\"latency\":[");
	for (i = 0; i < s->latency.n_rows; i++) {
		if (i)
			text_char(out, ',');
		put_row(&s->latency.rows[i], out);
	}
	text_char(out, ']');
	if (s->latency.limits)
		put_string(out, ",\"latency_limits\":", s->latency.limits);
	put_seconds(out, ",\"slow\":{\"limit_s\":", s->latency.slow_ns);
	text_str(out, ",\"count\":");
	text_dec(out, s->latency.slow_count);
	text_str(out, ",\"calls\":[");
	for (i = 0; i < s->latency.n_slow; i++) {
		if (i)
			text_char(out, ',');
		put_slow(&s->latency.slow[i], out);
	}
	text_str(out, "]}");
}

void json_diagnosis(const struct snapshot *s, struct text *out)
{
	size_t i;

	text_str(out, ",\"diagnosis\":[");
	for (i = 0; i < s->diagnosis.n; i++) {
		const struct snapshot_finding *f = &s->diagnosis.findings[i];

		put_string(out, i ? ",{\"rule\":" : "{\"rule\":", f->rule);
		put_string(out, ",\"text\":", f->text);
		text_str(out, ",\"confidence\":");
		figure_fixed(out, f->confidence, 2);
		put_string(out, ",\"evidence\":", f->evidence);
		text_char(out, '}');
	}
	text_char(out, ']');
}
