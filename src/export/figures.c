/* All formatting goes through whole numbers: scale, round half up, print digits. */
#include "export/figures.h"

#include <math.h>
#include <time.h>

#include "base/clock.h"

#define DECIMALS_MOST 9u

void figure_fixed(struct text *out, double v, unsigned decimals)
{
	/* With its decimals it is a number of 64 bits. */
	double largest = decimals <= 6 ? 1e12 : 1e9;
	uint64_t scaled, power = 1;
	char digits[DECIMALS_MOST];
	unsigned i;

	decimals = decimals < DECIMALS_MOST ? decimals : DECIMALS_MOST;
	for (i = 0; i < decimals; i++)
		power *= 10;
	if (isnan(v)) { /* not known */
		text_char(out, '-');
		return;
	}
	if (!isfinite(v))
		v = 0;
	v = v > largest ? largest : v < -largest ? -largest : v;
	scaled = (uint64_t)((v < 0 ? -v : v) * (double)power + 0.5);
	if (v < 0 && scaled)
		text_char(out, '-');
	text_dec(out, scaled / power);
	if (!decimals)
		return;
	scaled %= power;
	for (i = decimals; i-- > 0; scaled /= 10)
		digits[i] = (char)('0' + scaled % 10);
	text_char(out, '.');
	text_add(out, digits, decimals);
}

void figure_time(struct text *out, uint64_t ns, const char *gap)
{
	static const struct {
		uint64_t unit;
		const char *name;
	} units[] = { { NS_PER_SEC, "s" }, { NS_PER_MSEC, "ms" }, { 1000, "us" } };
	double v;
	size_t i = 0;

	while (i < 2 && ns && ns < units[i].unit)
		i++;
	v = (double)ns / (double)units[i].unit;
	figure_fixed(out, v, v < 9.995 && ns ? 2 : v < 99.95 && ns ? 1 : 0);
	text_str(out, gap);
	text_str(out, units[i].name);
}

void figure_bytes(struct text *out, uint64_t bytes)
{
	static const char units[] = " KMGTPE";
	double v = (double)bytes;
	size_t i = 0;

	while (v >= 999.5 && i < sizeof(units) - 2) {
		v /= 1024;
		i++;
	}
	figure_fixed(out, v, i == 0 || v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2);
	if (i)
		text_char(out, units[i]);
}

void figure_count(struct text *out, uint64_t v)
{
	struct text plain = { 0 };
	size_t i;

	text_dec(&plain, v);
	for (i = 0; i < plain.n; i++) {
		if (i && (plain.n - i) % 3 == 0)
			text_char(out, ',');
		text_char(out, plain.p[i]);
	}
	text_done(&plain);
}

void figure_date(struct text *out, uint64_t wall_ns, int milliseconds)
{
	time_t t = (time_t)(wall_ns / NS_PER_SEC);
	struct tm tm;

	if (!gmtime_r(&t, &tm))
		tm = (struct tm){ .tm_year = 70, .tm_mday = 1 };
	text_fmt(out, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (milliseconds)
		text_fmt(out, ".%03u", (unsigned)(wall_ns % NS_PER_SEC / NS_PER_MSEC));
	text_char(out, 'Z');
}

void figure_losses(struct text *out, const struct snapshot *s)
{
	const char *comma = "";
	int i;

	for (i = 0; i < LOSS_COUNT; i++) {
		if (!s->lost[i])
			continue;
		text_fmt(out, "%s%s ", comma, loss_name((enum loss)i));
		figure_count(out, s->lost[i]);
		comma = ", ";
	}
	if (!*comma)
		text_str(out, "none");
}

int figure_plain_counts(const struct snapshot *s)
{
	return !(s->rate_hz > 0) && s->samples && s->weight_ns == s->samples;
}
