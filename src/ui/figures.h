/* Numbers as the screen writes them: short, of stable width, changing no more than the
 * eye needs. They return by value, so that `fig_bytes(n).s` can stand in an argument
 * list. */
#ifndef PTOP_UI_FIGURES_H
#define PTOP_UI_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

struct fig {
	char s[32];
};

struct fig fig_memory(uint64_t bytes);	  /* the same, "-" of 0: not known */
struct fig fig_number(double v);	  /* "12", "-" of NaN: not known */
struct fig fig_share(double pct);	  /* "12%" "-" */
struct fig fig_bytes(uint64_t bytes);	  /* "1.42G" "212M" "48K" */
struct fig fig_slope(double bytes_per_s); /* "+2.1M/m", or "" when it rounds to nothing */
struct fig fig_count(uint64_t n);	  /* "59,412"; "12.3M" from ten millions */
struct fig fig_count_short(uint64_t n);	  /* "950" "59k" "1.2M" */
struct fig fig_time(uint64_t ns);	/* CPU time: "18.5s" "0.2s" "52ms" "412s" "21m" */
struct fig fig_duration(uint64_t ns);	/* to three figures: "47.7ms" "104ms" "1.25s" */
struct fig fig_pause(uint64_t ns);	/* a duration: "9us" "0.42ms" "14.2ms" "1.24s" */
struct fig fig_span(uint64_t ns);	/* a window: "60s" "10m", 0 is "all" */
struct fig fig_uptime(uint64_t ns);	/* "3h12m" "4d2h" */
struct fig fig_clock(uint64_t wall_ns); /* local "14:02:31" */
struct fig fig_date(uint64_t wall_ns);	/* local "2026-11-20 14:02:31" */
struct fig fig_stamp(uint64_t wall_ns); /* local "20261120T140231", for file names */
struct fig fig_pct(double pct, bool few); /* "31.2", "~31" marks when few samples */
struct fig fig_hz(double hz);		  /* "997Hz" */

/* '!' over 60, '*' over 20, '+' over 5, else ' '. */
char fig_mark(double pct);

#endif
