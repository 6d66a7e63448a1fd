/* Source files for the screen (struct ui_options.source). */
#ifndef PTOP_APP_SOURCE_FILE_H
#define PTOP_APP_SOURCE_FILE_H

#include "ui/ui.h"

int source_read(void *app, int32_t pid, const char *path, struct ui_source *out,
		struct error *err);
/* The same for a process that is over: whatever has its number now is another one. */
int source_read_here(void *app, int32_t pid, const char *path, struct ui_source *out,
		     struct error *err);

#endif
