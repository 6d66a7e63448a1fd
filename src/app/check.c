/* `ptop check FILE`: is it as fast as it has to be? A gate for continuous integration:
 * exit status 7 when it is not. A limit is a figure as --when knows them and the most it
 * may be, 'p95(handle)=120ms'; a base turns figures into ratios. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/input.h"
#include "base/text.h"
#include "export/exporter.h"
#include "export/figures.h"
#include "model/trigger.h"
#include "recording/sessions.h"

struct limit {
	struct trigger figure;
	bool absolute; /* the figure has a limit of its own */
};

struct check {
	const struct options *o;
	struct snapshot *s, *base;
	VEC(struct limit) limits;
	struct text json;
	unsigned failed, checked, unknown;
};

/* "p95(f)=120ms" -> "p95(f)<=120ms"; "p95(f)" alone is for ratios. */
static int parse(const char *text, struct limit *l, struct error *err)
{
	const char *close = strrchr(text, ')'),
		   *equal = strchr(close ? close : text, '=');
	struct trigger_mistake m;
	char condition[TRIGGER_TEXT_MAX];
	static const char *const anything[] = { "1h", "1T", "100%", "1" };
	size_t i;

	l->absolute = equal != NULL;
	if (equal) {
		snprintf(condition, sizeof(condition), "%.*s<=%s", (int)(equal - text),
			 text, equal + 1);
		if (trigger_parse(condition, &l->figure, &m))
			return 0;
		error_set(err, EXIT_USAGE, "--max: '%s': %s", text, m.why);
	} else {
		for (i = 0; i < sizeof(anything) / sizeof(anything[0]); i++) {
			snprintf(condition, sizeof(condition), "%s<=%s", text,
				 anything[i]);
			if (trigger_parse(condition, &l->figure, &m))
				return 0;
		}
		error_set(err, EXIT_USAGE, "--max: '%s' is no figure with a limit", text);
	}
	error_hint(
	    err,
	    "like --max 'p95(handle)=120ms', 'rss=1G', 'gc.max=50ms', 'self(f)=10%%'");
	return -1;
}

static void put_value(struct check *c, const char *key, bool known, double v)
{
	text_fmt(&c->json, ",\"%s\":", key);
	if (known)
		figure_fixed(&c->json, v, 3);
	else
		text_str(&c->json, "null");
}

/* "p95(f)": what stands before the comparison. */
static void name_of(const struct limit *l, char *to, size_t size)
{
	const char *end = strstr(l->figure.text, "<=");

	snprintf(to, size, "%.*s", end ? (int)(end - l->figure.text) : 0, l->figure.text);
}

static bool over_ratio(const struct check *c, double now, double base, double *ratio)
{
	*ratio = base > 0 ? now / base : 0;
	return c->base && base > 0 && *ratio > c->o->max_ratio;
}

static void check_one(struct check *c, const struct limit *l)
{
	double now = 0, base = 0, ratio = 0;
	bool known = trigger_value(&l->figure, c->s, &now);
	bool based = c->base && trigger_value(&l->figure, c->base, &base);
	bool over = known && l->absolute && now > l->figure.value;
	bool worse = known && based && over_ratio(c, now, base, &ratio);
	char name[TRIGGER_TEXT_MAX], a[64], b[64];
	const char *verdict = !known ? "unknown" : over || worse ? "FAILED" : "ok";

	name_of(l, name, sizeof(name));
	c->checked++;
	c->failed += over || worse;
	c->unknown += !known;
	if (c->o->json) {
		text_str(&c->json, c->checked > 1 ? ",{\"figure\":" : "{\"figure\":");
		json_string(&c->json, name);
		put_value(c, "value", known, now);
		put_value(c, "limit", l->absolute, l->figure.value);
		put_value(c, "base", based, base);
		put_value(c, "ratio", based && base > 0, ratio);
		text_fmt(&c->json, ",\"ok\":%s}",
			 known && !over && !worse ? "true" : "false");
		return;
	}
	printf("%-8s %-32s %12s", verdict, name,
	       known ? trigger_figure_text(&l->figure, now, a, sizeof(a)) : "-");
	if (l->absolute)
		printf("  most %s",
		       trigger_figure_text(&l->figure, l->figure.value, b, sizeof(b)));
	if (based)
		printf("  base %s, %.2f times",
		       trigger_figure_text(&l->figure, base, b, sizeof(b)), ratio);
	putchar('\n');
}

/* Without --max: what every recording tells. */
static int add_default(struct check *c, struct error *err)
{
	static const char *const always[] = { "cpu", "rss" };
	char text[TRIGGER_TEXT_MAX];
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < 2; i++)
		ret = parse(always[i], VEC_PUSH(&c->limits), err);
	for (i = 0; !ret && i < c->s->latency.n_rows; i++) {
		if (c->s->latency.rows[i].source > LATENCY_PROBE)
			continue;
		snprintf(text, sizeof(text), "p95(%.150s)", c->s->latency.rows[i].name);
		ret = parse(text, VEC_PUSH(&c->limits), err);
	}
	return ret;
}

static int run(struct check *c, struct error *err)
{
	char *words[2] = { NULL, NULL }, path[4096];
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < c->o->n_limits; i++)
		ret = parse(c->o->limits[i], VEC_PUSH(&c->limits), err);
	if (!ret)
		ret = profile_read(c->o, c->o->words, WANT_TREE, &c->s, err);
	if (!ret && c->o->against) {
		ret = sessions_base(c->o->against, path, sizeof(path), err);
		words[0] = path;
		if (!ret)
			ret = profile_read(c->o, words, WANT_TREE, &c->base, err);
	}
	if (!ret && !c->limits.n)
		ret = add_default(c, err);
	if (ret)
		return ret;
	if (c->o->json)
		text_str(&c->json, "{\"schema\":\"ptop.check/1\",\"checks\":[");
	for (i = 0; i < c->limits.n; i++)
		check_one(c, &c->limits.v[i]);
	if (c->o->json)
		printf("%s],\"ok\":%s}\n", c->json.p, c->failed ? "false" : "true");
	return 0;
}

int check_run(const struct options *o, struct error *err)
{
	struct check c = { .o = o };
	int ret;

	if (!o->words[0] || (!o->n_limits && !o->against)) {
		error_set(err, EXIT_USAGE, "check: name a recording and what to check");
		error_hint(err,
			   "ptop check FILE --max 'p95(f)=120ms', or --against BASE");
		return err->exit;
	}
	ret = run(&c, err);
	if (ret) {
		ret = err->exit;
	} else if (c.failed) {
		error_set(err, EXIT_THRESHOLD, "%u of %u figures over their limit",
			  c.failed, c.checked);
		ret = EXIT_THRESHOLD;
	} else if (c.unknown) {
		error_set(err, EXIT_NO_SAMPLES,
			  "%u of %u figures are not in the recording", c.unknown,
			  c.checked);
		error_hint(err,
			   "latencies are there of functions that were measured while "
			   "recording");
		ret = EXIT_NO_SAMPLES;
	}
	snapshot_free(c.s);
	snapshot_free(c.base);
	VEC_DONE(&c.limits);
	text_done(&c.json);
	return ret;
}
