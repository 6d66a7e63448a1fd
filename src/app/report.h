/* What commands that write a format share. */
#ifndef PTOP_APP_REPORT_H
#define PTOP_APP_REPORT_H

#include "app/options.h"
#include "base/file.h"
#include "export/exporter.h"

/* By -j, -f, or the suffix of -o; the call tree on standard output. */
int report_format(const struct options *o, const struct exporter **x, struct error *err);
/* Opens -o, or standard output. x may be NULL. */
int report_open(const struct options *o, const struct exporter *x, struct outfile *out,
		struct error *err);
/* Writes and closes it, and says so. */
int report_write(const struct options *o, const struct exporter *x,
		 const struct snapshot *s, struct outfile *out, struct error *err);

#endif
