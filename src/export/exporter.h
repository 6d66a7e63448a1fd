/* Output formats: one file and one line of exporters.def each. */
#ifndef PTOP_EXPORT_EXPORTER_H
#define PTOP_EXPORT_EXPORTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "model/dump.h"
#include "model/snapshot.h"

struct export_options {
	const char *creator; /* "ptop 0.1.0" */
	bool show_cmdline;   /* false: the command's name only */
	bool color;	     /* for a terminal that shows colours */
	bool ascii;	     /* nothing beyond ASCII but in names */
	bool show_all;	     /* library frames and small shares, too */
	unsigned functions;  /* whose names may be labels of metrics; 0: none */
};

struct exporter {
	const char *name;   /* "svg": the -f word */
	const char *help;   /* "flame graph, any browser, offline" */
	const char *suffix; /* ".svg" */
	bool wants_tree;    /* reads snapshot.nodes */
	bool wants_runs;    /* reads snapshot.runs where there are any */
	bool binary;	    /* nothing to print on a terminal */
	/* Appends the whole file to out. 0 or -errno with err. */
	int (*write)(const struct snapshot *s, const struct export_options *o,
		     struct text *out, struct error *err);
};

extern const struct exporter *const exporters[]; /* NULL-terminated, in .def order */
/* By name; NULL when there is none. */
const struct exporter *exporter_named(const char *name);
/* The enum want bits of what it reads; NULL: a tree. */
unsigned exporter_wants(const struct exporter *x);
/* By the longest suffix that ends `path`; NULL when none does. */
const struct exporter *exporter_for(const char *path);

/* Not files but what batch mode and dump print: one JSON object and a newline (schemas
 * "ptop.top/1" and "ptop.dump/1" in ptop(1)), or a plain table. `width` 0: do not cut. */
void json_top(const struct snapshot *s, struct text *out);
void json_dump(const struct dump *d, struct text *out);
void table_top(const struct snapshot *s, size_t width, size_t rows, struct text *out);
void table_dump(const struct dump *d, struct text *out);
/* Appends s as a quoted JSON string. */
void json_string(struct text *out, const char *s);

#endif
