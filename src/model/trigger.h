/* Conditions on figures of a snapshot: what --when waits for.
 *
 *	p95(handle_request)>120ms      rss>1.5G      gc.max>50ms      cpu>95% for 10s
 *
 * A figure, a comparison (> >= < <=), a value with the figure's unit, and how long it has
 * to hold without a break. Percentages of CPU are of one core. */
#ifndef PTOP_MODEL_TRIGGER_H
#define PTOP_MODEL_TRIGGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

#define TRIGGERS_MAX 16u
#define TRIGGER_TEXT_MAX 256u
#define TRIGGER_FUNCTION_MAX 160u
#define TRIGGER_FOR_MOST_NS (3600 * 1000000000ull)

enum trigger_op { TRIGGER_ABOVE, TRIGGER_AT_LEAST, TRIGGER_BELOW, TRIGGER_AT_MOST };

struct trigger {
	char text[TRIGGER_TEXT_MAX]; /* as it was given */
	const struct trigger_figure *figure;
	char function[TRIGGER_FUNCTION_MAX]; /* "" when the figure is not of one */
	enum trigger_op op;
	double value; /* ns, bytes, per cent or a number */
	uint64_t for_ns;
	/* Since when it has held, 0: it does not; and whether that has been told. */
	uint64_t since_ns;
	bool told;
	double seen; /* the value that was compared last */
};

/* What is wrong with an expression, and where: a byte of it, from 0. */
struct trigger_mistake {
	size_t at;
	char why[160];
};

bool trigger_parse(const char *text, struct trigger *t, struct trigger_mistake *m);
/* The figure now; false when the snapshot does not tell (nothing was measured). */
bool trigger_value(const struct trigger *t, const struct snapshot *s, double *value);
/* True once each time the condition comes to hold (for as long as asked); it has to fail
 * before it can come again. */
bool trigger_check(struct trigger *t, const struct snapshot *s);
/* "143 ms", "1.62 GiB", "97.1%": a value of this trigger's figure into buf. */
const char *trigger_figure_text(const struct trigger *t, double value, char *buf,
				size_t size);
/* Is the row of a function or other thing called so? "handle" is also "Server.handle",
 * "ns::handle(int)". */
bool trigger_name_matches(const char *name, const char *wanted);

#endif
