/* A bar for each power of two. Where there is no room for all, the shortest are one bar: slow ones
 * are what one looks for. */
#include "ui/latency_bars.h"

#include <stdio.h>

#include "ui/figures.h"

#define BAR_CELLS 24
#define BARS_SHOWN 12

/* A power of two of the durations; the least one shown may stand for all below, too. */
struct bar {
	int number;
	bool and_below;
	uint64_t count;
};

static struct fig bar_label(const struct bar *bar)
{
	uint64_t from = bar->number ? 1000ull << bar->number : 0;
	uint64_t to = 2000ull << bar->number;
	struct fig f;

	if (bar->and_below)
		snprintf(f.s, sizeof(f.s), "<%.20s", fig_duration(to).s);
	else
		snprintf(f.s, sizeof(f.s), "%.12s-%.12s",
			 from ? fig_duration(from).s : "0", fig_duration(to).s);
	return f;
}

static bool is_in_bar(uint64_t ns, const struct bar *bar)
{
	return (bar->number == 0 || bar->and_below || ns >= 1000ull << bar->number) &&
	       (bar->number == LATENCY_BARS - 1 || ns < 2000ull << bar->number);
}

/* "<- p95 104ms": the percentiles that fall into a bar. */
static void draw_marks(const struct snapshot_latency_row *r, const struct bar *bar,
		       struct canvas *c, struct box b)
{
	static const char *const names[LATENCY_FIGURES] = { "p50", "p95", "p99", NULL };
	const char *before = "<- ";
	int i;

	for (i = 0; i < LATENCY_FIGURES; i++) {
		const struct latency_figure *f = &r->figure[i];
		char text[48];
		int n;

		if (!names[i] || f->known != LATENCY_KNOWN || !is_in_bar(f->ns, bar))
			continue;
		n = snprintf(text, sizeof(text), "%s%s %s", before, names[i],
			     fig_duration(f->ns).s);
		if (n > b.width)
			return;
		canvas_put(c, b.x, b.y, b.width, ROLE_DIM, text);
		b.x += n;
		b.width -= n;
		before = ", ";
	}
}

static void draw_bar(const struct snapshot_latency_row *r, const struct bar *bar,
		     uint64_t most, struct canvas *c, struct box b)
{
	int room = b.width - 30 < BAR_CELLS ? b.width - 30 : BAR_CELLS;
	int cells = (int)(bar->count * (uint64_t)(room > 0 ? room : 0) / most);
	int x = 18 + cells;

	canvas_right(c, b.x, b.y, 15, ROLE_DIM, bar_label(bar).s);
	canvas_put(c, b.x + 16, b.y, 1, ROLE_DIM, "|");
	canvas_fill(c, b.x + 17, b.y, cells, ROLE_COOL, c->ascii ? '#' : 0x2588);
	x +=
	    canvas_fmt(c, b.x + x, b.y, 12, ROLE_TEXT, "%s", fig_count(bar->count).s) + 2;
	draw_marks(r, bar, c, (struct box){ b.x + x, b.y, b.width - x, 1 });
}

int latency_bars_draw(const struct snapshot_latency_row *r, struct canvas *c,
		      struct box b)
{
	int first = LATENCY_BARS, last = -1, i, y = b.y;
	int shown = b.height < BARS_SHOWN ? b.height : BARS_SHOWN;
	uint64_t most = 1, below = 0;

	for (i = 0; i < LATENCY_BARS; i++) {
		if (!r->bars[i])
			continue;
		first = first < i ? first : i;
		last = i;
	}
	for (; shown > 0 && last - first >= shown; first++)
		below += r->bars[first];
	for (i = first; i <= last; i++) {
		uint64_t n = r->bars[i] + (i == first ? below : 0);

		most = n > most ? n : most;
	}
	for (i = first; i <= last && shown > 0; i++, y++) {
		bool least = i == first && below;
		struct bar bar = { i, least, r->bars[i] + (least ? below : 0) };

		draw_bar(r, &bar, most, c, (struct box){ b.x, y, b.width, 1 });
	}
	return y - b.y;
}
