/* Four lines on a full screen, two on a small one, one on a tiny one. A line is filled
 * from the left with whole figures; what does not fit is left out, never cut in the
 * middle, so no figure is ever read wrong. "100 %" of CPU is one core. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/chrome.h"
#include "ui/figures.h"
#include "ui/rows.h"

#define FILTER_LEAST 12 /* cells; whatever else there is */

/* A line that grows to the right by whole words. */
struct line {
	struct canvas *c;
	int x, y, end;
};

static void word(struct line *l, enum role role, const char *s)
{
	int cells = canvas_cells(l->c, s, l->end - l->x + 1);

	if (cells > l->end - l->x)
		return;
	l->x += canvas_put(l->c, l->x, l->y, cells, role, s);
}

#define WORD(l, role, ...)                                         \
	do {                                                       \
		char word_buf[320];                                \
		snprintf(word_buf, sizeof(word_buf), __VA_ARGS__); \
		word(l, role, word_buf);                           \
	} while (0)

int header_lines(int width, int height)
{
	if (width >= 60 && height >= 16)
		return 4;
	return width >= 40 && height >= 8 ? 2 : 1;
}

static uint64_t uptime(const struct snapshot *s)
{
	if (s->start_wall_ns == 0 || s->wall_ns < s->start_wall_ns)
		return 0;
	return s->wall_ns - s->start_wall_ns;
}

/* States that no figure may be read without. Returns the cells taken at the right end. */
static int tags(const struct shared *sh, struct canvas *c, int y, int end)
{
	const struct snapshot *s = sh->newest;
	char buf[64];
	int cells;

	snprintf(buf, sizeof(buf), "%s%s%s%s", sh->paused ? "[PAUSED]" : "",
		 s && s->recorded ? "[RECORDING]" : "", s && s->exited ? "[ENDED]" : "",
		 s && s->stopped && !s->exited ? "[STOPPED]" : "");
	if (sh->shown && sh->moment_ns)
		snprintf(buf + strlen(buf), sizeof(buf) - strlen(buf), "[AT %.8s %.10s]",
			 fig_clock(sh->shown->wall_ns).s,
			 fig_span(sh->shown->covered_ns).s);
	if (!buf[0])
		return 0;
	cells = canvas_cells(c, buf, end);
	canvas_right(c, end - cells, y, cells, ROLE_TAG, buf);
	return cells + 1;
}

/* The command line without its folder: what ps shows is too long for a title. */
static const char *title(const struct snapshot *s)
{
	return s->cmdline[0] ? row_command(s->cmdline) : s->command;
}

static void line_target(const struct shared *sh, struct canvas *c)
{
	const struct snapshot *s = sh->shown;
	int end = c->width - tags(sh, c, 0, c->width), cells, x;
	char right[256] = "", *p = right;
	size_t room = sizeof(right);
	int n = 0;

	if (c->width >= 120 && s->host[0])
		n = snprintf(p, room, "host %.40s   ", s->host);
	p += n, room -= (size_t)n;
	n = uptime(s) ? snprintf(p, room, "up %s  ", fig_uptime(uptime(s)).s) : 0;
	p += n, room -= (size_t)n;
	snprintf(p, room, "%s  %s", mode_name(s->mode),
		 c->width >= 120 ? fig_date(s->wall_ns).s : fig_clock(s->wall_ns).s);
	cells = canvas_cells(c, right, end);
	canvas_put(c, end - cells, 0, cells, ROLE_TEXT, right);
	x = canvas_fmt(c, 0, 0, end - cells - 1, ROLE_STRONG, "ptop %d ", (int)s->pid);
	canvas_cut(c, x, 0, end - cells - 1 - x, ROLE_STRONG, title(s), 0);
}

static void cpu_bar(struct line *l, const struct shared *sh, double pct)
{
	int cells = (l->end - 60) / 2 < 40 ? (l->end - 60) / 2 + 10 : 50, full;

	if (l->end < 70 || sh->n_cpus < 1)
		return;
	if (!(pct >= 0)) /* not known */
		pct = 0;
	full = (int)(pct * cells / (100.0 * sh->n_cpus) + 0.5);
	full = full < 0 ? 0 : full > cells ? cells : full;
	word(l, ROLE_TEXT, " [");
	canvas_fill(l->c, l->x, l->y, full, ROLE_OK, '|');
	l->x += cells;
	word(l, ROLE_TEXT, "]");
}

static void line_gauges(const struct shared *sh, struct canvas *c)
{
	const struct snapshot *s = sh->shown;
	struct line l = { c, 0, 1, c->width };

	WORD(&l, ROLE_STRONG, "CPU %s", fig_share(s->target_cpu_pct).s);
	cpu_bar(&l, sh, s->target_cpu_pct);
	if (sh->n_cpus > 0)
		WORD(&l, ROLE_TEXT, " of %d cores", sh->n_cpus);
	WORD(&l, ROLE_STRONG, "  RSS %s", fig_memory(s->target_rss_bytes).s);
	if (fig_slope(s->target_rss_slope).s[0])
		WORD(&l, ROLE_TEXT, " %s", fig_slope(s->target_rss_slope).s);
	if (s->memory.verdict == VERDICT_GROWING)
		word(&l, ROLE_WARN, " LEAK?");
	if (s->gc.all.timed)
		WORD(&l, ROLE_TEXT, "  GC %.1f%% p99 %s", s->gc.all.time_pct,
		     s->gc.all.p99_ns ? fig_pause(s->gc.all.p99_ns).s : "?");
	WORD(&l, ROLE_TEXT, "  user %s sys %s", fig_number(s->target_user_pct).s,
	     fig_number(s->target_system_pct).s);
	if (c->width >= 120 && s->runtime[0])
		WORD(&l, ROLE_TEXT, "   %.60s", s->runtime);
}

/* Failures that are not lost samples; cut and broken stacks are told on the `!` page. */
static uint64_t errors(const struct snapshot *s)
{
	return s->lost[LOSS_BAD_RECORD] + s->lost[LOSS_READ_FAILED] +
	       s->lost[LOSS_NAMES] + s->lost[LOSS_THREADS];
}

static struct fig window_text(const struct snapshot *s)
{
	struct fig f;

	if (s->window_ns && s->covered_ns + NS_PER_SEC < s->window_ns)
		snprintf(f.s, sizeof(f.s), "%.10s of %.10s",
			 fig_span(s->covered_ns + 1).s, fig_span(s->window_ns).s);
	else if (s->window_ns == 0)
		snprintf(f.s, sizeof(f.s), "all %.10s", fig_span(s->covered_ns + 1).s);
	else
		return fig_span(s->window_ns);
	return f;
}

static bool slow(const struct snapshot *s)
{
	return s->samples_due > 0 && s->effective_pct < 90;
}

static void line_measure(const struct shared *sh, struct canvas *c)
{
	const struct snapshot *s = sh->shown;
	bool wide = c->width >= 120;
	struct line l = { c, 0, 2, c->width };

	WORD(&l, ROLE_TEXT, "%s", fig_hz(s->rate_hz).s);
	if (isnan(s->effective_pct))
		word(&l, ROLE_TEXT, " eff -");
	else
		WORD(&l, slow(s) ? ROLE_WARN : ROLE_TEXT, " eff %.1f%s", s->effective_pct,
		     slow(s) ? "!" : "");
	WORD(&l, ROLE_TEXT, "  n %s", fig_count(s->samples).s);
	WORD(&l, ROLE_TEXT, "  win %s", window_text(s).s);
	WORD(&l, s->lost_pct > 1 ? ROLE_WARN : ROLE_TEXT, "  lost %.1f%%%s", s->lost_pct,
	     s->lost_pct > 1 ? "!" : "");
	WORD(&l, ROLE_TEXT, "  ptop %.1f%%", s->own_cpu_pct);
	if (wide)
		WORD(&l, ROLE_TEXT, " CPU %s RSS", fig_bytes(s->own_rss_bytes).s);
	if (errors(s))
		WORD(&l, ROLE_TEXT, "  err %s", fig_count_short(errors(s)).s);
	WORD(&l, ROLE_TEXT, "  target +%.1f%%", s->taken_pct);
	if (wide && s->backend[0])
		WORD(&l, ROLE_TEXT, "   by %.60s", s->backend);
	if (wide && s->broken)
		WORD(&l, ROLE_TEXT, "   incomplete stacks %s", fig_count(s->broken).s);
}

static const char *thread_name(const struct snapshot *s, int32_t tid)
{
	size_t i;

	for (i = 0; i < s->n_threads; i++)
		if (s->threads[i].tid == tid)
			return s->threads[i].name;
	return "";
}

/* Figures of one thread alone are never read without that being said. */
static void state_threads(const struct snapshot *s, struct line *l, int width)
{
	int x = l->x;

	if (!s->only_tid) {
		if (!s->n_threads_all && !s->exited)
			return; /* one that lives has some: not known yet */
		WORD(l, ROLE_TEXT, "  %s%zu %s", width >= 50 ? "threads " : "thr ",
		     s->n_threads_all, s->threads_merged ? "merged" : "apart");
		return;
	}
	WORD(l, ROLE_WARM, "  only thread %d %.20s", (int)s->only_tid,
	     thread_name(s, s->only_tid));
	if (l->x == x)
		WORD(l, ROLE_WARM, "  only %d", (int)s->only_tid);
}

static void state_filter(const struct shared *sh, struct line *l)
{
	const char *text = sh->filter.text;
	int room = l->end - l->x - 9, cells;

	if (!text[0])
		return;
	cells = canvas_cells(l->c, text, room > 0 ? room + 1 : 1);
	if (l->end - l->x < FILTER_LEAST)
		l->x = l->end > FILTER_LEAST ? l->end - FILTER_LEAST : 0;
	word(l, ROLE_WARM, cells <= room || room >= 20 ? "  filter " : "  /");
	l->x += canvas_cut(l->c, l->x, l->y, l->end - l->x, ROLE_WARM, text, 0);
}

void header_state(const struct shared *sh, struct canvas *c, struct box row,
		  const char *status)
{
	const struct snapshot *s = sh->shown;
	struct line l = { c, row.x, row.y, row.x + row.width };

	WORD(&l, ROLE_TEXT, "%s", status);
	if (s->only_tid)
		state_threads(s, &l, row.width);
	state_filter(sh, &l);
	if (!s->only_tid)
		state_threads(s, &l, row.width);
	if (sh->base.set)
		WORD(&l, ROLE_WARM, "  baseline %s", fig_clock(sh->base.wall_ns).s);
	if (sh->settings.folded)
		WORD(&l, ROLE_TEXT, "  libraries folded");
	if (s->mode == MODE_WALL)
		WORD(&l, ROLE_TEXT, "  idle %s", s->idle_shown ? "shown" : "hidden");
}

static void two_lines(const struct shared *sh, struct canvas *c, const char *view)
{
	const struct snapshot *s = sh->shown;
	struct line l = { c, 0, 0, c->width - tags(sh, c, 0, c->width) };

	WORD(&l, ROLE_STRONG, "%d %.16s", (int)s->pid, s->command);
	WORD(&l, ROLE_STRONG, " CPU %s", fig_share(s->target_cpu_pct).s);
	WORD(&l, ROLE_TEXT, " RSS %s", fig_memory(s->target_rss_bytes).s);
	WORD(&l, ROLE_TEXT, " %s", fig_slope(s->target_rss_slope).s);
	l = (struct line){ c, 0, 1, c->width };
	if (view[0])
		WORD(&l, ROLE_STRONG, "[%s] ", view);
	WORD(&l, ROLE_TEXT, "%s", fig_hz(s->rate_hz).s);
	WORD(&l, slow(s) ? ROLE_WARN : ROLE_TEXT, " eff%s %s", slow(s) ? "!" : "",
	     fig_number(s->effective_pct).s);
	WORD(&l, s->lost_pct > 1 ? ROLE_WARN : ROLE_TEXT, " lost%s %.1f%%",
	     s->lost_pct > 1 ? "!" : "", s->lost_pct);
	WORD(&l, ROLE_TEXT, " own %.1f%%", s->own_cpu_pct);
	WORD(&l, ROLE_TEXT, " n %s", fig_count_short(s->samples).s);
	WORD(&l, ROLE_TEXT, " win %s", fig_span(s->window_ns).s);
	WORD(&l, ROLE_TEXT, " %s", mode_name(s->mode));
}

static void tiny_line(const struct shared *sh, struct canvas *c)
{
	const struct snapshot *s = sh->shown;
	struct line l = { c, 0, 0, c->width - tags(sh, c, 0, c->width) };

	WORD(&l, ROLE_STRONG, "%d", (int)s->pid);
	WORD(&l, ROLE_STRONG, " CPU %s", fig_share(s->target_cpu_pct).s);
	WORD(&l, ROLE_TEXT, " %.16s", s->command);
	WORD(&l, ROLE_TEXT, " RSS %s", fig_memory(s->target_rss_bytes).s);
	WORD(&l, ROLE_TEXT, " lost %.1f%%", s->lost_pct);
	WORD(&l, ROLE_TEXT, " own %.1f%%", s->own_cpu_pct);
}

void header_draw(const struct shared *sh, struct canvas *c, int lines, const char *view)
{
	if (!sh->shown) {
		canvas_fmt(c, 0, 0, c->width, ROLE_STRONG, "ptop %s",
			   sh->options->version);
		return;
	}
	if (lines == 1) {
		tiny_line(sh, c);
	} else if (lines == 2) {
		two_lines(sh, c, view);
	} else {
		line_target(sh, c);
		line_gauges(sh, c);
		line_measure(sh, c);
	}
}

void header_one_line(const struct shared *sh, struct canvas *c)
{
	const struct snapshot *s = sh->shown;

	if (s)
		canvas_fmt(c, 0, 0, c->width, ROLE_TEXT, "ptop %d CPU %s", (int)s->pid,
			   fig_share(s->target_cpu_pct).s);
	else
		canvas_put(c, 0, 0, c->width, ROLE_TEXT, "ptop");
}
