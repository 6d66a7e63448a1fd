/* Writing what the screen asked for: a snapshot in some format, or a recording. */
#ifndef PTOP_APP_SAVE_H
#define PTOP_APP_SAVE_H

#include <stdbool.h>
#include <stddef.h>

#include "export/exporter.h"
#include "recording/batch.h"
#include "ui/ui.h"

struct save {
	const struct exporter *exporter; /* NULL: a recording, of batch */
	struct snapshot *snapshot;	 /* owned, or NULL */
	struct batch *batch;		 /* owned, or NULL */
	bool show_cmdline, replace;
	char path[1024];
};

/* Reads a COMMAND_SAVE's "FORMAT PATH"; without a path a default one. False: no such
 * format, which `format` then holds. */
bool save_parse(const char *text, int pid, struct save *s, char *format, size_t size);
/* Writes it. The message says what came of it; false when nothing was saved. */
bool save_run(const struct save *s, char *message, size_t size);
void save_done(struct save *s);
/* The rows of the save menu; the caller frees them. */
struct ui_format *save_formats(void);

#endif
