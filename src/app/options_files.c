/* Options of files, and of the commands that read them: report, diff, check, sessions,
 * baseline. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/options.h"
#include "export/exporter.h"

enum {
	LONG_ONLY_THREADS = 500,
	LONG_FOCUS,
	LONG_IGNORE,
	LONG_HIDE,
	LONG_FROM,
	LONG_TO,
	LONG_SHOW_ALL,
	LONG_FAIL_ABOVE,
	LONG_MAX,
	LONG_AGAINST,
	LONG_MAX_RATIO,
	LONG_STATUS,
	LONG_OLDER_THAN,
	LONG_NEWER_THAN,
	LONG_MAX_SIZE,
	LONG_METRICS_FUNCTIONS,
	LONG_DETACH,
};

#define SIZE_LEAST (64u << 10)
#define FUNCTIONS_MOST 1000u

bool *options_file_switch(struct options *o, int option)
{
	switch (option) {
	case 'L':
		return &o->lines;
	case LONG_SHOW_ALL:
		return &o->show_all;
	case LONG_DETACH:
		return &o->detach;
	default:
		return NULL;
	}
}

static int take_span(uint64_t *to, const char *name, const char *value, struct error *err)
{
	if (parse_time(value, to))
		return 0;
	return options_wrong(err, name, value, "a time: 10, 1.5s, 2m, 1h, 7d");
}

static int take_number(double *to, const char *name, const char *value, double most,
		       struct error *err)
{
	char *end;

	if (isdigit((unsigned char)value[0]) || value[0] == '.') {
		*to = strtod(value, &end);
		if (end != value && (!*end || strcmp(end, "%") == 0) && *to <= most)
			return 0;
	}
	return options_wrong(err, name, value,
			     most > 100 ? "a number from 0 to 1000000"
					: "a number from 0 to 100");
}

/* "500K" "1.5M" "2G"; a bare number is bytes. */
static int take_size(uint64_t *to, const char *value, struct error *err)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end = NULL;
	double v = isdigit((unsigned char)value[0]) ? strtod(value, &end) : -1;

	if (v >= 0 && *end && (unit = strchr(units, toupper((unsigned char)*end)))) {
		v *= (double)(1024ull << 10 * (unit - units));
		end++;
	}
	if (v < SIZE_LEAST || v > 0x1p50 || *end)
		return options_wrong(err, "max-size", value, "a size from 64K to 1024T");
	*to = (uint64_t)v;
	return 0;
}

static int take_functions(unsigned *to, const char *value, struct error *err)
{
	char *end = NULL;
	unsigned long n = isdigit((unsigned char)value[0]) ? strtoul(value, &end, 10) : 0;

	if (n < 1 || n > FUNCTIONS_MOST || *end)
		return options_wrong(err, "metrics-functions", value,
				     "a number from 1 to 1000");
	*to = (unsigned)n;
	return 0;
}

static int take_status(struct options *o, const char *value, struct error *err)
{
	static const char *const words[] = { "running", "completed", "failed",
					     "interrupted" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(value, words[i]) == 0) {
			o->status = words[i];
			return 0;
		}
	return options_wrong(err, "status", value,
			     "running, completed, failed or interrupted");
}

static const char **text_of(struct options *o, int option)
{
	switch (option) {
	case LONG_ONLY_THREADS:
		return &o->only_threads;
	case LONG_FOCUS:
		return &o->focus;
	case LONG_IGNORE:
		return &o->ignore;
	case LONG_HIDE:
		return &o->hide;
	case LONG_AGAINST:
		return &o->against;
	default:
		return NULL;
	}
}

bool options_take_file(struct options *o, int option, const char *value, int *ret,
		       struct error *err)
{
	const char **text = text_of(o, option);

	*ret = 0;
	if (text) {
		*text = value;
		return true;
	}
	switch (option) {
	case LONG_FROM:
		*ret = take_span(&o->from_ns, "from", value, err);
		return true;
	case LONG_TO:
		*ret = take_span(&o->to_ns, "to", value, err);
		return true;
	case LONG_OLDER_THAN:
		*ret = take_span(&o->older_ns, "older-than", value, err);
		return true;
	case LONG_NEWER_THAN:
		*ret = take_span(&o->newer_ns, "newer-than", value, err);
		return true;
	case LONG_FAIL_ABOVE:
		o->fail_above_on = true;
		*ret = take_number(&o->fail_above, "fail-above", value, 100, err);
		return true;
	case LONG_MAX_RATIO:
		*ret = take_number(&o->max_ratio, "max-ratio", value, 1e6, err);
		return true;
	case LONG_MAX:
		if (o->n_limits == LIMITS_MOST)
			*ret = options_wrong(err, "max", value, "one of the first 64");
		else
			o->limits[o->n_limits++] = value;
		return true;
	case LONG_MAX_SIZE:
		*ret = take_size(&o->max_bytes, value, err);
		return true;
	case LONG_METRICS_FUNCTIONS:
		*ret = take_functions(&o->metrics_functions, value, err);
		return true;
	case LONG_STATUS:
		*ret = take_status(o, value, err);
		return true;
	default:
		return false;
	}
}

int options_fit_format(const struct options *o, const struct exporter *x,
		       struct error *err)
{
	if (o->max_bytes && x) {
		error_set(err, EXIT_USAGE, "--max-size is of recordings, not of %s",
			  x->name);
		error_hint(err, "-d ends by time; or record with -o FILE.ptop");
		return -EINVAL;
	}
	if (o->metrics_functions && !(x && strcmp(x->name, "prometheus") == 0)) {
		error_set(err, EXIT_USAGE, "--metrics-functions is of prometheus alone");
		error_hint(err, "add -f prometheus");
		return -EINVAL;
	}
	return 0;
}
