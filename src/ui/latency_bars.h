/* How the durations of one thing are spread, as bars of text. */
#ifndef PTOP_UI_LATENCY_BARS_H
#define PTOP_UI_LATENCY_BARS_H

#include "model/latency.h"
#include "ui/canvas.h"

/* Lines drawn, at most as many as the box has; it says where p50, p95 and p99 lie. */
int latency_bars_draw(const struct snapshot_latency_row *r, struct canvas *c,
		      struct box b);

#endif
