/* Settings kept from one run to the next: $XDG_CONFIG_HOME/ptop/ptoprc (ptop(5)). */
#ifndef PTOP_APP_CONFIG_H
#define PTOP_APP_CONFIG_H

#include <stddef.h>

#include "base/error.h"
#include "ui/ui.h"

/* The file's path; false when there is no home to put it in. */
bool config_path(char *buf, size_t size);
/* Reads what the file sets; without one nothing is changed. A line that is not understood
 * is left out, and told in `warning` ("" when there was none). */
void config_read(struct ui_settings *s, char *warning, size_t size);
/* The same from text. */
void config_parse(const char *text, size_t n, struct ui_settings *s, char *warning,
		  size_t size);
/* Replaces the file as a whole; makes its folders. Lines that are not ours are kept. */
/* Into *s what the file says and the command line (struct options.given) does not. */
void config_apply(struct ui_settings *s, unsigned given, char *warning, size_t size);
int config_write(const struct ui_settings *s, struct error *err);

#endif
