/* Numbers as text, the same in every locale: printf's %f follows LC_NUMERIC, these do
 * not. */
#ifndef PTOP_EXPORT_FIGURES_H
#define PTOP_EXPORT_FIGURES_H

#include <stdint.h>

#include "base/text.h"
#include "model/snapshot.h"

/* v rounded to `decimals` (at most 9) digits. What is not finite becomes 0; beyond +-1e12
 * (1e9 with more than 6 decimals) it is cut to that. */
void figure_fixed(struct text *out, double v, unsigned decimals);
/* "18.5 s", "312 ms", "45 us" (three digits or so), `gap` between number and unit. */
void figure_time(struct text *out, uint64_t ns, const char *gap);
/* "1.42G", "214K", "12". */
void figure_bytes(struct text *out, uint64_t bytes);
/* "59,412". */
void figure_count(struct text *out, uint64_t v);
/* "2026-11-20T12:00:00Z", with milliseconds when asked for. */
void figure_date(struct text *out, uint64_t wall_ns, int milliseconds);
/* "ring_full 3, late 1", or "none". */
void figure_losses(struct text *out, const struct snapshot *s);
/* True when nobody knows what time a count stands for (a folded file): weights are plain
 * counts of samples then. */
int figure_plain_counts(const struct snapshot *s);

#endif
