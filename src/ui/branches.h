/* The call tree as lines: which nodes are shown, which stand for others, in which order.
 * What is left out is a line of its own ("9 more below 1%"), never silence. */
#ifndef PTOP_UI_BRANCHES_H
#define PTOP_UI_BRANCHES_H

#include "base/vec.h"
#include "model/children.h"
#include "ui/filter.h"

#define BRANCHES_MAX 20000 /* lines; one more says how it goes on */

enum branch_kind {
	BRANCH_NODE,
	BRANCH_SELF,   /* time of a function that has children too */
	BRANCH_HIDDEN, /* library frames that one line stands for */
	BRANCH_SMALL,  /* children below the threshold */
	BRANCH_CUT     /* too many lines */
};

struct branch {
	enum branch_kind kind;
	uint32_t node;	/* of BRANCH_HIDDEN: the first hidden one; else its parent */
	uint32_t count; /* nodes it stands for */
	uint64_t total_ns;
	uint64_t path;	/* its name from picture to picture */
	uint64_t rails; /* bit d: at depth d another branch follows below */
	uint16_t depth;
	bool last;   /* of its family */
	bool closed; /* has children that are not shown */
};

/* What the user opened and closed, by path. */
struct branch_marks {
	VEC(uint64_t) opened, closed;
	bool all_closed; /* only the first level, and what was opened */
};

struct branches {
	VEC(struct branch) lines;
};

struct branch_spec {
	double least_pct;
	bool fold_libraries;
	const struct branch_marks *marks;
	const struct filter *filter;
};

void branches_build(struct branches *b, const struct snapshot *s,
		    const struct children *c, const struct branch_spec *spec);
void branches_done(struct branches *b);
/* Modules of the nodes that a BRANCH_HIDDEN line stands for: "sqlalchemy, psycopg2". */
void branches_modules(const struct snapshot *s, const struct children *c,
		      const struct branch *line, char *buf, size_t size);

bool branch_marked(const uint64_t *list, size_t n, uint64_t path);

#endif
