/* The list of output formats, from exporters.def, and the two ways to choose one. */
#include "export/exporter.h"

#include <string.h>

#define EXPORTER(name) extern const struct exporter name##_exporter;
#include "export/exporters.def"
#undef EXPORTER

const struct exporter *const exporters[] = {
#define EXPORTER(name) &name##_exporter,
#include "export/exporters.def"
#undef EXPORTER
	NULL
};

const struct exporter *exporter_named(const char *name)
{
	size_t i;

	for (i = 0; exporters[i]; i++)
		if (strcmp(exporters[i]->name, name) == 0)
			return exporters[i];
	return NULL;
}

unsigned exporter_wants(const struct exporter *x)
{
	return WANT_TREE | (x && x->wants_runs ? WANT_RUNS : 0);
}

const struct exporter *exporter_for(const char *path)
{
	const struct exporter *best = NULL;
	size_t n = strlen(path), longest = 0, i;

	for (i = 0; exporters[i]; i++) {
		size_t len = strlen(exporters[i]->suffix);

		if (len > longest && len <= n &&
		    strcmp(path + n - len, exporters[i]->suffix) == 0) {
			best = exporters[i];
			longest = len;
		}
	}
	return best;
}
