/* Three significant digits are what a glance takes in; more only makes cells flicker and
 * costs bytes on a slow line. */
#include "ui/figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

struct fig fig_bytes(uint64_t bytes)
{
	static const char units[] = "BKMGTPE";
	double v = (double)bytes;
	struct fig f;
	size_t u = 0;

	while (v >= 999.5 && u + 2 < sizeof(units)) {
		v /= 1024;
		u++;
	}
	snprintf(f.s, sizeof(f.s), "%.*f%c",
		 u && v < 9.995	  ? 2
		 : u && v < 99.95 ? 1
				  : 0,
		 v, units[u]);
	return f;
}

struct fig fig_slope(double bytes_per_s)
{
	double a_minute = fabs(bytes_per_s) * 60;
	struct fig f = { "" };

	/* 64 KiB a minute is the noise of any allocator. */
	if (isfinite(a_minute) && a_minute >= 65536 && a_minute < 1e18)
		snprintf(f.s, sizeof(f.s), "%c%.20s/m", bytes_per_s < 0 ? '-' : '+',
			 fig_bytes((uint64_t)a_minute).s);
	return f;
}

struct fig fig_memory(uint64_t bytes)
{
	return bytes ? fig_bytes(bytes) : (struct fig){ "-" };
}

struct fig fig_number(double v)
{
	struct fig f = { "-" };

	if (!isnan(v))
		snprintf(f.s, sizeof(f.s), "%.0f", v);
	return f;
}

struct fig fig_share(double pct)
{
	struct fig f = { "-" };

	if (!isnan(pct))
		snprintf(f.s, sizeof(f.s), "%.0f%%", pct);
	return f;
}

struct fig fig_count(uint64_t n)
{
	struct fig f;

	if (n >= 10000000)
		return fig_count_short(n);
	if (n >= 1000000)
		snprintf(f.s, sizeof(f.s), "%u,%03u,%03u", (unsigned)(n / 1000000),
			 (unsigned)(n / 1000 % 1000), (unsigned)(n % 1000));
	else if (n >= 1000)
		snprintf(f.s, sizeof(f.s), "%u,%03u", (unsigned)(n / 1000),
			 (unsigned)(n % 1000));
	else
		snprintf(f.s, sizeof(f.s), "%u", (unsigned)n);
	return f;
}

struct fig fig_count_short(uint64_t n)
{
	static const char units[] = " kMGTPE";
	double v = (double)n;
	struct fig f;
	size_t u = 0;

	while (v >= 999.5 && u + 2 < sizeof(units)) {
		v /= 1000;
		u++;
	}
	if (u == 0)
		snprintf(f.s, sizeof(f.s), "%.0f", v);
	else
		snprintf(f.s, sizeof(f.s), "%.*f%c", v < 9.95 ? 1 : 0, v, units[u]);
	return f;
}

struct fig fig_time(uint64_t ns)
{
	double s = (double)ns / 1e9;
	struct fig f;

	if (s >= 5999.5)
		snprintf(f.s, sizeof(f.s), "%.0fh", s / 3600);
	else if (s >= 999.5)
		snprintf(f.s, sizeof(f.s), "%.0fm", s / 60);
	else if (s >= 99.95)
		snprintf(f.s, sizeof(f.s), "%.0fs", s);
	else if (s >= 0.0995)
		snprintf(f.s, sizeof(f.s), "%.1fs", s);
	else
		snprintf(f.s, sizeof(f.s), "%.0fms", s * 1e3);
	return f;
}

struct fig fig_pause(uint64_t ns)
{
	double ms = (double)ns / 1e6;
	struct fig f;

	if (ms >= 99950)
		return fig_time(ns);
	if (ms >= 999.5)
		snprintf(f.s, sizeof(f.s), "%.*fs", ms < 9995 ? 2 : 1, ms / 1e3);
	else if (ms >= 99.95)
		snprintf(f.s, sizeof(f.s), "%.0fms", ms);
	else if (ms >= 0.0995)
		snprintf(f.s, sizeof(f.s), "%.*fms", ms < 9.995 ? 2 : 1, ms);
	else
		snprintf(f.s, sizeof(f.s), "%.0fus", ms * 1e3);
	return f;
}

struct fig fig_span(uint64_t ns)
{
	uint64_t s = (ns + NS_PER_SEC / 2) / NS_PER_SEC;
	struct fig f;

	if (ns == 0)
		snprintf(f.s, sizeof(f.s), "all");
	else if (s < 120)
		snprintf(f.s, sizeof(f.s), "%us", (unsigned)s);
	else if (s < 7200)
		snprintf(f.s, sizeof(f.s), "%um", (unsigned)(s / 60));
	else
		return fig_uptime(ns);
	return f;
}

struct fig fig_uptime(uint64_t ns)
{
	unsigned long long s = ns / NS_PER_SEC, m = s / 60, h = m / 60, d = h / 24;
	struct fig f;

	if (d)
		snprintf(f.s, sizeof(f.s), "%llud%lluh", d, h % 24);
	else if (h)
		snprintf(f.s, sizeof(f.s), "%lluh%llum", h, m % 60);
	else if (m)
		snprintf(f.s, sizeof(f.s), "%llum", m);
	else
		snprintf(f.s, sizeof(f.s), "%llus", s);
	return f;
}

static struct fig local(uint64_t wall_ns, const char *fmt)
{
	time_t t = (time_t)(wall_ns / NS_PER_SEC);
	struct fig f = { "" };
	struct tm tm;

	if (!localtime_r(&t, &tm))
		return f;
	if (strcmp(fmt, "clock") == 0)
		strftime(f.s, sizeof(f.s), "%H:%M:%S", &tm);
	else if (strcmp(fmt, "date") == 0)
		strftime(f.s, sizeof(f.s), "%Y-%m-%d %H:%M:%S", &tm);
	else
		strftime(f.s, sizeof(f.s), "%Y%m%dT%H%M%S", &tm);
	return f;
}

struct fig fig_clock(uint64_t wall_ns)
{
	return local(wall_ns, "clock");
}

struct fig fig_date(uint64_t wall_ns)
{
	return local(wall_ns, "date");
}

struct fig fig_stamp(uint64_t wall_ns)
{
	return local(wall_ns, "stamp");
}

struct fig fig_pct(double pct, bool few)
{
	struct fig f;

	if (!(pct >= 0)) /* also refuses a NaN */
		pct = 0;
	if (pct > 99999)
		pct = 99999;
	snprintf(f.s, sizeof(f.s), "%s%.*f", few ? "~" : "", few && pct > 99.9 ? 0 : 1,
		 pct);
	return f;
}

struct fig fig_hz(double hz)
{
	struct fig f;

	snprintf(f.s, sizeof(f.s), "%.*fHz", hz < 10 ? 1 : 0,
		 hz >= 0 && hz < 1e7 ? hz : 0.0);
	return f;
}

char fig_mark(double pct)
{
	return pct > 60 ? '!' : pct > 20 ? '*' : pct > 5 ? '+' : ' ';
}

struct fig fig_duration(uint64_t ns)
{
	struct fig f;
	double v = (double)ns;

	if (ns >= 1000000000ull)
		snprintf(f.s, sizeof(f.s), "%.*fs",
			 v < 1e10   ? 2
			 : v < 1e11 ? 1
				    : 0,
			 v / 1e9);
	else if (ns >= 1000000)
		snprintf(f.s, sizeof(f.s), "%.*fms", v < 1e8 ? 1 : 0, v / 1e6);
	else
		snprintf(f.s, sizeof(f.s), "%.*fus", v < 1e4 ? 1 : 0, v / 1e3);
	return f;
}
