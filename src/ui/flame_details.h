/* What the flame graph says in words below itself. */
#ifndef PTOP_UI_FLAME_DETAILS_H
#define PTOP_UI_FLAME_DETAILS_H

#include "model/children.h"
#include "ui/view.h"

struct flame_facts {
	uint32_t selected, zoom; /* nodes of sh->shown */
	size_t matches;
	uint64_t matched_ns;
	size_t narrow; /* frames drawn as dots */
	uint64_t narrow_ns;
	const struct children *children;
};

/* Of a node that is not the root. */
const struct snapshot_function *flame_function(const struct snapshot *s, uint32_t node);
const char *flame_name(const struct snapshot *s, uint32_t node);

/* How many lines there is room for. */
int flame_details_lines(int height);
void flame_details(const struct flame_facts *f, const struct shared *sh, struct canvas *c,
		   struct box b);

#endif
