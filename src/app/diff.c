/* `ptop diff OLD NEW`: where the time went that it did not take before. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/input.h"
#include "app/report.h"
#include "base/clock.h"
#include "export/columns.h"
#include "export/figures.h"
#include "model/compare.h"

#define ROWS 30u
#define LEAST_POINTS 0.05

struct change {
	uint32_t function;
	double self, total; /* percentage points */
};

static int by_change(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	double dx = fabs(x->self), dy = fabs(y->self);

	if (dx != dy)
		return dx < dy ? 1 : -1;
	dx = fabs(x->total);
	dy = fabs(y->total);
	if (dx != dy)
		return dx < dy ? 1 : -1;
	return x->function < y->function ? -1 : x->function > y->function;
}

static struct change *changes(const struct snapshot *s)
{
	struct change *list = xcalloc(s->n_functions + 1, sizeof(*list));
	size_t i;

	for (i = 0; i < s->n_functions; i++) {
		const struct snapshot_function *f = &s->functions[i];
		const struct compared *old = &s->compared->functions[i];

		list[i] =
		    (struct change){ (uint32_t)i,
				     compare_points(s, old->self_ns, f->self_ns),
				     compare_points(s, old->total_ns, f->total_ns) };
	}
	qsort(list, s->n_functions, sizeof(*list), by_change);
	return list;
}

static double old_pct(const struct snapshot *s, uint64_t ns)
{
	return s->compared->weight_ns
		   ? 100.0 * (double)ns / (double)s->compared->weight_ns
		   : 0;
}

/* ---- the table ---- */

static void put_side(struct text *out, const struct snapshot *s, const char *name,
		     uint64_t weight_ns, uint64_t covered_ns, uint64_t samples)
{
	text_fmt(out, "%s  ", name);
	if (figure_plain_counts(s)) {
		figure_count(out, samples);
		text_str(out, " samples\n");
		return;
	}
	figure_time(out, weight_ns, " ");
	text_str(out, s->mode == MODE_WALL ? " wall-clock time in " : " CPU time in ");
	figure_time(out, covered_ns, " ");
	if (covered_ns) {
		text_str(out, " (");
		figure_fixed(out, (double)weight_ns / (double)covered_ns, 2);
		text_str(out, " cores)");
	}
	text_str(out, ", ");
	figure_count(out, samples);
	text_str(out, " samples\n");
}

static void put_right(struct text *out, size_t width, double v, bool sign)
{
	struct text t = { 0 };
	size_t i;

	if (sign && v > 0)
		text_char(&t, '+');
	figure_fixed(&t, v, 1);
	for (i = t.n; i < width; i++)
		text_char(out, ' ');
	text_add(out, t.p, t.n);
	text_done(&t);
}

static void put_pair(struct text *out, const struct snapshot *s, uint64_t old,
		     uint64_t now)
{
	double points = compare_points(s, old, now);

	put_right(out, 6, old_pct(s, old), false);
	put_right(out, 7, snapshot_pct(s, now), false);
	put_right(out, 8, points, true);
	text_char(out, compare_significant(s, old, now) ? '*' : ' ');
}

static void put_table(struct text *out, const struct snapshot *s, bool all)
{
	struct change *list = changes(s);
	size_t i, most = all ? s->n_functions : ROWS, shown = 0;

	put_side(out, s, "old", s->compared->weight_ns, s->compared->covered_ns,
		 s->compared->samples);
	put_side(out, s, "new", s->weight_ns, s->covered_ns, s->samples);
	text_str(out, "\n        SELF %                TOTAL %\n"
		      "   old    new  points     old    new  points  FUNCTION   "
		      "(*: more than chance, 1 in 1000)\n");
	for (i = 0; i < s->n_functions && shown < most; i++) {
		const struct snapshot_function *f = &s->functions[list[i].function];
		const struct compared *old = &s->compared->functions[list[i].function];

		if (!all && fabs(list[i].self) < LEAST_POINTS &&
		    fabs(list[i].total) < LEAST_POINTS)
			continue;
		put_pair(out, s, old->self_ns, f->self_ns);
		text_char(out, ' ');
		put_pair(out, s, old->total_ns, f->total_ns);
		text_char(out, ' ');
		columns_put(out, f->name, 60, false, false);
		if (*f->module) {
			text_str(out, "  ");
			columns_put(out, f->module, 40, false, false);
		}
		text_str(out, !old->total_ns ? "  (new)\n"
			      : !f->total_ns ? "  (gone)\n"
					     : "\n");
		shown++;
	}
	if (shown == 0)
		text_str(out, "  no share differs by 0.05 points or more\n");
	free(list);
}

/* ---- JSON ---- */

static void put_number(struct text *out, const char *key, double v, unsigned decimals)
{
	text_fmt(out, "\"%s\":", key);
	figure_fixed(out, v, decimals);
}

static void put_json_side(struct text *out, const char *key, uint64_t weight_ns,
			  uint64_t covered_ns, uint64_t samples)
{
	text_fmt(out, "\"%s\":{", key);
	put_number(out, "weight_s", (double)weight_ns / 1e9, 6);
	text_char(out, ',');
	put_number(out, "window_s", (double)covered_ns / 1e9, 6);
	text_fmt(out, ",\"samples\":%llu},", (unsigned long long)samples);
}

static void put_json(struct text *out, const struct snapshot *s)
{
	struct change *list = changes(s);
	size_t i;

	text_str(out, "{\"schema\":\"ptop.diff/1\",");
	put_json_side(out, "old", s->compared->weight_ns, s->compared->covered_ns,
		      s->compared->samples);
	put_json_side(out, "new", s->weight_ns, s->covered_ns, s->samples);
	text_str(out, "\"functions\":[");
	for (i = 0; i < s->n_functions; i++) {
		const struct snapshot_function *f = &s->functions[list[i].function];
		const struct compared *old = &s->compared->functions[list[i].function];

		text_str(out, i ? ",\n{\"name\":" : "\n{\"name\":");
		json_string(out, f->name);
		text_str(out, ",\"module\":");
		json_string(out, f->module);
		text_char(out, ',');
		put_number(out, "old_self_pct", old_pct(s, old->self_ns), 3);
		text_char(out, ',');
		put_number(out, "new_self_pct", snapshot_pct(s, f->self_ns), 3);
		text_char(out, ',');
		put_number(out, "self_points", list[i].self, 3);
		text_char(out, ',');
		put_number(out, "old_total_pct", old_pct(s, old->total_ns), 3);
		text_char(out, ',');
		put_number(out, "new_total_pct", snapshot_pct(s, f->total_ns), 3);
		text_char(out, ',');
		put_number(out, "total_points", list[i].total, 3);
		text_fmt(out, ",\"significant\":%s}",
			 compare_significant(s, old->self_ns, f->self_ns) ||
				 compare_significant(s, old->total_ns, f->total_ns)
			     ? "true"
			     : "false");
	}
	text_str(out, "]}\n");
	free(list);
}

static int table_write(const struct snapshot *s, const struct export_options *o,
		       struct text *out, struct error *err)
{
	(void)err;
	put_table(out, s, o->show_all);
	return 0;
}

static int json_write(const struct snapshot *s, const struct export_options *o,
		      struct text *out, struct error *err)
{
	(void)o, (void)err;
	put_json(out, s);
	return 0;
}

static const struct exporter table = { .name = "table",
				       .suffix = ".txt",
				       .write = table_write };
static const struct exporter json = { .name = "json",
				      .suffix = ".json",
				      .write = json_write };

/* A comparison has formats of its own, and two that every profile has. */
static int choose(const struct options *o, const struct exporter **x, struct error *err)
{
	const char *path = o->output ? o->output : "-", *name = o->format;
	const struct exporter *by_suffix = exporter_for(path);

	*x = NULL;
	if (o->json || (name && strcmp(name, "json") == 0))
		*x = &json;
	else if (name && (strcmp(name, "table") == 0 || strcmp(name, "tree") == 0))
		*x = &table;
	else if (name && (strcmp(name, "svg") == 0 || strcmp(name, "html") == 0))
		*x = exporter_named(name);
	else if (!name && strcmp(path, "-") == 0)
		*x = &table;
	else if (!name && by_suffix && strcmp(by_suffix->name, "json") == 0)
		*x = &json;
	else if (!name && by_suffix && strcmp(by_suffix->name, "tree") == 0)
		*x = &table;
	else if (!name && by_suffix &&
		 (strcmp(by_suffix->name, "svg") == 0 ||
		  strcmp(by_suffix->name, "html") == 0))
		*x = by_suffix;
	if (*x)
		return 0;
	error_set(err, EXIT_USAGE, "a comparison is written as table, json, svg or html");
	error_hint(err, "choose one with -f, or a file's suffix .txt .json .svg .html");
	return -1;
}

/* The largest growth of a share of its own that is no chance. */
static int judge(const struct options *o, const struct snapshot *s, struct error *err)
{
	const struct snapshot_function *worst = NULL;
	double most = o->fail_above;
	size_t i;

	for (i = 0; i < s->n_functions; i++) {
		const struct snapshot_function *f = &s->functions[i];
		uint64_t old = s->compared->functions[i].self_ns;
		double points = compare_points(s, old, f->self_ns);

		if (points > most && compare_significant(s, old, f->self_ns)) {
			most = points;
			worst = f;
		}
	}
	if (!worst)
		return EXIT_DONE;
	error_set(err, EXIT_THRESHOLD,
		  "%.100s grew by %.1f points of the whole (over %.4g)", worst->name,
		  most, o->fail_above);
	return EXIT_THRESHOLD;
}

int diff_run(const struct options *o, struct error *err)
{
	char *old_word[2] = { NULL, NULL };
	struct snapshot *old = NULL, *now = NULL, *both = NULL;
	const struct exporter *x;
	struct outfile out = { .fd = -1 };
	int ret;

	if (!o->words[0] || !o->words[1] || o->words[2]) {
		error_set(err, EXIT_USAGE, "diff: name two recordings");
		error_hint(err, "ptop diff OLD NEW");
		return err->exit;
	}
	ret = choose(o, &x, err);
	if (!ret)
		ret = report_open(o, x, &out, err);
	if (ret)
		return err->exit;
	old_word[0] = o->words[0];
	ret = profile_read(o, old_word, WANT_TREE, &old, err);
	if (!ret)
		ret = profile_read(o, o->words + 1, WANT_TREE, &now, err);
	if (!ret && old->mode != now->mode)
		fputs(
		    "ptop: one is CPU time, the other wall-clock time: shares differ for "
		    "that alone\n",
		    stderr);
	if (ret) {
		outfile_abort(&out);
	} else {
		both = compare_snapshots(old, now);
		ret = report_write(o, x, both, &out, err);
	}
	ret = ret ? (int)err->exit : o->fail_above_on ? judge(o, both, err) : EXIT_DONE;
	snapshot_free(old);
	snapshot_free(now);
	snapshot_free(both);
	return ret;
}
