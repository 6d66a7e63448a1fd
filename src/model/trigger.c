/* The expressions of --when: a table of figures, a parser that says where it stopped, and
 * the memory of what held since when.
 *
 *	FIGURE [ "(" FUNCTION ")" ] OP NUMBER UNIT [ "for" NUMBER UNIT ]
 *
 * A function's name runs to the bracket that closes the first one, so names with brackets of
 * their own (C++) need no quoting. */
#include "model/trigger.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum unit { UNIT_TIME, UNIT_BYTES, UNIT_PCT, UNIT_COUNT };

enum what {
	OF_FUNCTION_ROW, /* a figure of a latency row, by the function's name */
	OF_FUNCTION_RATE,
	OF_FUNCTION_SELF,
	OF_FUNCTION_TOTAL,
	OF_SOURCE, /* the worst row of a latency source */
	OF_CPU,
	OF_USER,
	OF_SYSTEM,
	OF_RSS,
	OF_THREADS,
	OF_GC,
	OF_GC_COUNT,
	OF_GC_TIME,
};

struct trigger_figure {
	const char *name;
	enum unit unit;
	enum what what;
	int figure; /* enum latency_figures */
	enum latency_source source;
};

#define PERCENTILES(prefix, what, source)                           \
	{ prefix "p50", UNIT_TIME, what, LATENCY_P50, source },     \
	    { prefix "p95", UNIT_TIME, what, LATENCY_P95, source }, \
	    { prefix "p99", UNIT_TIME, what, LATENCY_P99, source }, \
	{                                                           \
		prefix "max", UNIT_TIME, what, LATENCY_MAX, source  \
	}

static const struct trigger_figure figures[] = {
	PERCENTILES("", OF_FUNCTION_ROW, LATENCY_SOURCES),
	{ "rate", UNIT_COUNT, OF_FUNCTION_RATE, 0, LATENCY_SOURCES },
	{ "self", UNIT_PCT, OF_FUNCTION_SELF, 0, LATENCY_SOURCES },
	{ "total", UNIT_PCT, OF_FUNCTION_TOTAL, 0, LATENCY_SOURCES },
	{ "cpu", UNIT_PCT, OF_CPU, 0, LATENCY_SOURCES },
	{ "user", UNIT_PCT, OF_USER, 0, LATENCY_SOURCES },
	{ "system", UNIT_PCT, OF_SYSTEM, 0, LATENCY_SOURCES },
	{ "rss", UNIT_BYTES, OF_RSS, 0, LATENCY_SOURCES },
	{ "threads", UNIT_COUNT, OF_THREADS, 0, LATENCY_SOURCES },
	PERCENTILES("gc.", OF_GC, LATENCY_SOURCES),
	{ "gc.count", UNIT_COUNT, OF_GC_COUNT, 0, LATENCY_SOURCES },
	{ "gc.time", UNIT_PCT, OF_GC_TIME, 0, LATENCY_SOURCES },
	PERCENTILES("loop.", OF_SOURCE, LATENCY_LOOP),
	PERCENTILES("queue.", OF_SOURCE, LATENCY_QUEUE),
	PERCENTILES("requests.", OF_SOURCE, LATENCY_REQUESTS),
};
#define FIGURES (sizeof(figures) / sizeof(figures[0]))

static const struct {
	const char *name;
	enum unit unit;
	double factor;
} units[] = {
	{ "ns", UNIT_TIME, 1 },
	{ "us", UNIT_TIME, 1e3 },
	{ "ms", UNIT_TIME, 1e6 },
	{ "s", UNIT_TIME, 1e9 },
	{ "m", UNIT_TIME, 6e10 },
	{ "h", UNIT_TIME, 3.6e12 },
	{ "B", UNIT_BYTES, 1 },
	{ "K", UNIT_BYTES, 1024.0 },
	{ "KiB", UNIT_BYTES, 1024.0 },
	{ "M", UNIT_BYTES, 1048576.0 },
	{ "MiB", UNIT_BYTES, 1048576.0 },
	{ "G", UNIT_BYTES, 1073741824.0 },
	{ "GiB", UNIT_BYTES, 1073741824.0 },
	{ "T", UNIT_BYTES, 1099511627776.0 },
	{ "TiB", UNIT_BYTES, 1099511627776.0 },
	{ "%", UNIT_PCT, 1 },
	{ "", UNIT_COUNT, 1 },
};
#define UNITS (sizeof(units) / sizeof(units[0]))

static const char *const unit_help[] = {
	[UNIT_TIME] = "a time: ns us ms s m h",
	[UNIT_BYTES] = "bytes: B K M G T",
	[UNIT_PCT] = "per cent: %",
	[UNIT_COUNT] = "a plain number",
};

/* ---- Parsing ------------------------------------------------------------------------- */

struct parser {
	const char *text, *p;
	struct trigger_mistake *mistake;
};

__attribute__((format(printf, 3, 4))) static bool wrong(struct parser *p, const char *at,
							const char *fmt, ...)
{
	va_list ap;

	p->mistake->at = (size_t)(at - p->text);
	va_start(ap, fmt);
	vsnprintf(p->mistake->why, sizeof(p->mistake->why), fmt, ap);
	va_end(ap);
	return false;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '%';
}

static void spaces(struct parser *p)
{
	while (*p->p == ' ' || *p->p == '\t')
		p->p++;
}

/* Which figures there are, those that begin as the wrong word does first. */
static void list_figures(const char *word, size_t n, char *out, size_t size)
{
	size_t i, used = 0;
	int round;

	out[0] = '\0';
	for (round = 0; round < 2; round++)
		for (i = 0; i < FIGURES && used + 24 < size; i++) {
			bool like =
			    n && strncmp(figures[i].name, word, n < 2 ? n : 2) == 0;

			if (like == (round == 0))
				used += (size_t)snprintf(out + used, size - used, " %s",
							 figures[i].name);
		}
}

static bool take_figure(struct parser *p, struct trigger *t)
{
	const char *start = p->p;
	char list[96];
	size_t n, i;

	while (is_word(*p->p))
		p->p++;
	n = (size_t)(p->p - start);
	for (i = 0; i < FIGURES; i++)
		if (strlen(figures[i].name) == n &&
		    memcmp(figures[i].name, start, n) == 0) {
			t->figure = &figures[i];
			return true;
		}
	list_figures(start, n, list, sizeof(list));
	return wrong(p, start, "no such figure; there are%s ...", list);
}

static bool take_function(struct parser *p, struct trigger *t)
{
	const char *open = p->p, *start;
	size_t n;
	int depth = 0;

	if (t->figure->what > OF_FUNCTION_TOTAL) {
		if (*p->p == '(')
			return wrong(p, open, "%s is not of a function", t->figure->name);
		return true;
	}
	if (*p->p != '(')
		return wrong(p, open, "%s needs a function: %s(NAME)", t->figure->name,
			     t->figure->name);
	for (start = open + 1; *p->p; p->p++) {
		depth += *p->p == '(' ? 1 : *p->p == ')' ? -1 : 0;
		if (depth == 0)
			break;
	}
	if (!*p->p)
		return wrong(p, open, "this bracket is not closed");
	n = (size_t)(p->p - start);
	while (n && start[0] == ' ')
		start++, n--;
	while (n && start[n - 1] == ' ')
		n--;
	if (n == 0 || n >= sizeof(t->function))
		return wrong(p, start,
			     n ? "the name is too long" : "no function is named");
	memcpy(t->function, start, n);
	t->function[n] = '\0';
	p->p++;
	return true;
}

static bool take_op(struct parser *p, struct trigger *t)
{
	bool equal;

	if (*p->p != '>' && *p->p != '<')
		return wrong(p, p->p, "expected > >= < or <= here");
	equal = p->p[1] == '=';
	if (*p->p == '>')
		t->op = equal ? TRIGGER_AT_LEAST : TRIGGER_ABOVE;
	else
		t->op = equal ? TRIGGER_AT_MOST : TRIGGER_BELOW;
	p->p += equal ? 2 : 1;
	return true;
}

/* Digits and a point; no sign, no exponent, no locale. */
static bool take_number(struct parser *p, double *value)
{
	const char *start = p->p;
	double v = 0, scale = 1;
	int digits = 0;
	bool point = false;

	for (; (*p->p >= '0' && *p->p <= '9') || (*p->p == '.' && !point); p->p++) {
		if (*p->p == '.') {
			point = true;
			continue;
		}
		v = v * 10 + (*p->p - '0');
		scale *= point ? 10 : 1;
		if (++digits > 15)
			return wrong(p, start, "the number is too long");
	}
	if (!digits)
		return wrong(p, start, "expected a number here");
	*value = v / scale;
	return true;
}

static bool take_amount(struct parser *p, enum unit unit, const char *of, double *value)
{
	const char *start;
	size_t n, i;

	if (!take_number(p, value))
		return false;
	start = p->p;
	while (is_word(*p->p))
		p->p++;
	n = (size_t)(p->p - start);
	for (i = 0; i < UNITS; i++) {
		if (units[i].unit != unit || strlen(units[i].name) != n ||
		    memcmp(units[i].name, start, n) != 0)
			continue;
		*value *= units[i].factor;
		return true;
	}
	return wrong(p, start, "%s%s%s", of,
		     n ? " is not in that unit but " : " needs a unit, ",
		     unit_help[unit]);
}

static bool take_for(struct parser *p, struct trigger *t)
{
	const char *start = p->p;
	double ns;

	if (!*start)
		return true;
	if (strncmp(start, "for", 3) != 0 || (start[3] != ' ' && start[3] != '\t'))
		return wrong(p, start, "expected the end, or `for` and a time");
	p->p += 3;
	spaces(p);
	start = p->p;
	if (!take_amount(p, UNIT_TIME, "`for`", &ns))
		return false;
	if (ns > (double)TRIGGER_FOR_MOST_NS)
		return wrong(p, start, "longer than an hour");
	t->for_ns = (uint64_t)ns;
	spaces(p);
	return *p->p ? wrong(p, p->p, "nothing may follow here") : true;
}

bool trigger_parse(const char *text, struct trigger *t, struct trigger_mistake *m)
{
	struct parser p = { text, text, m };

	*t = (struct trigger){ .text = "" };
	if (strlen(text) >= sizeof(t->text))
		return wrong(&p, text, "the expression is too long");
	memcpy(t->text, text, strlen(text) + 1);
	spaces(&p);
	if (!take_figure(&p, t))
		return false;
	spaces(&p);
	if (!take_function(&p, t))
		return false;
	spaces(&p);
	if (!take_op(&p, t))
		return false;
	spaces(&p);
	if (!take_amount(&p, t->figure->unit, t->figure->name, &t->value))
		return false;
	spaces(&p);
	return take_for(&p, t);
}

/* ---- Values -------------------------------------------------------------------------- */

bool trigger_name_matches(const char *name, const char *wanted)
{
	size_t n = strlen(wanted);
	const char *at = name;

	for (; (at = strstr(at, wanted)); at++) {
		bool begins =
		    at == name || at[-1] == '.' || at[-1] == ':' || at[-1] == '!';

		if (begins && (at[n] == '\0' || at[n] == '('))
			return true;
	}
	return false;
}

/* The worst of the rows that are meant: a name may be that of several. */
static bool latency_value(const struct trigger *t, const struct snapshot *s,
			  double *value)
{
	bool found = false;
	size_t i;

	*value = 0;
	for (i = 0; i < s->latency.n_rows; i++) {
		const struct snapshot_latency_row *r = &s->latency.rows[i];
		const struct latency_figure *f = &r->figure[t->figure->figure];

		if (t->figure->what == OF_SOURCE
			? r->source != t->figure->source
			: !trigger_name_matches(r->name, t->function))
			continue;
		if (t->figure->what == OF_FUNCTION_RATE) {
			*value += r->per_second;
			found = true;
		} else if (f->known == LATENCY_KNOWN) {
			*value = (double)f->ns > *value ? (double)f->ns : *value;
			found = true;
		}
	}
	return found;
}

static bool share_value(const struct trigger *t, const struct snapshot *s, double *value)
{
	uint64_t ns = 0;
	size_t i;

	for (i = 0; i < s->n_functions; i++) {
		const struct snapshot_function *f = &s->functions[i];

		if (!trigger_name_matches(f->name, t->function))
			continue;
		if (t->figure->what == OF_FUNCTION_SELF)
			ns += f->self_ns;
		else if (f->total_ns > ns)
			ns = f->total_ns;
	}
	*value = snapshot_pct(s, ns);
	return s->samples > 0;
}

static bool gc_value(const struct trigger *t, const struct snapshot *s, double *value)
{
	const struct gc_row *r = &s->gc.all;
	const uint64_t ns[LATENCY_FIGURES] = { r->p50_ns, r->p95_ns, r->p99_ns,
					       r->max_ns };

	if (s->gc.n_rows == 0)
		return false;
	*value = t->figure->what == OF_GC_COUNT	 ? (double)r->count
		 : t->figure->what == OF_GC_TIME ? r->time_pct
						 : (double)ns[t->figure->figure];
	return t->figure->what != OF_GC || r->timed > 0;
}

bool trigger_value(const struct trigger *t, const struct snapshot *s, double *value)
{
	switch (t->figure->what) {
	case OF_FUNCTION_ROW:
	case OF_FUNCTION_RATE:
	case OF_SOURCE:
		return latency_value(t, s, value);
	case OF_FUNCTION_SELF:
	case OF_FUNCTION_TOTAL:
		return share_value(t, s, value);
	case OF_GC:
	case OF_GC_COUNT:
	case OF_GC_TIME:
		return gc_value(t, s, value);
	case OF_CPU:
		*value = s->target_cpu_pct;
		return true;
	case OF_USER:
		*value = s->target_user_pct;
		return true;
	case OF_SYSTEM:
		*value = s->target_system_pct;
		return true;
	case OF_RSS:
		*value = (double)s->target_rss_bytes;
		return true;
	case OF_THREADS:
		*value = (double)s->n_threads_all;
		return true;
	}
	return false;
}

static bool holds(enum trigger_op op, double value, double limit)
{
	return op == TRIGGER_ABOVE	? value > limit
	       : op == TRIGGER_AT_LEAST ? value >= limit
	       : op == TRIGGER_BELOW	? value < limit
					: value <= limit;
}

bool trigger_check(struct trigger *t, const struct snapshot *s)
{
	if (!trigger_value(t, s, &t->seen) || !holds(t->op, t->seen, t->value)) {
		t->since_ns = 0;
		t->told = false;
		return false;
	}
	if (!t->since_ns)
		t->since_ns = s->time_ns ? s->time_ns : 1;
	if (t->told || s->time_ns < t->since_ns + t->for_ns)
		return false;
	t->told = true;
	return true;
}

static const char *time_text(double ns, char *buf, size_t size)
{
	if (ns >= 1e9)
		snprintf(buf, size, "%.3g s", ns / 1e9);
	else if (ns >= 1e6)
		snprintf(buf, size, "%.3g ms", ns / 1e6);
	else
		snprintf(buf, size, "%.3g us", ns / 1e3);
	return buf;
}

const char *trigger_figure_text(const struct trigger *t, double value, char *buf,
				size_t size)
{
	switch (t->figure->unit) {
	case UNIT_TIME:
		return time_text(value, buf, size);
	case UNIT_BYTES:
		if (value >= 1073741824.0)
			snprintf(buf, size, "%.2f GiB", value / 1073741824.0);
		else
			snprintf(buf, size, "%.1f MiB", value / 1048576.0);
		break;
	case UNIT_PCT:
		snprintf(buf, size, "%.1f%%", value);
		break;
	case UNIT_COUNT:
		snprintf(buf, size, "%.6g", value);
	}
	return buf;
}
