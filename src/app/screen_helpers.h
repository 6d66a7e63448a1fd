/* What the live screen needs of files and processes (the callbacks of struct ui_options). */
#ifndef PTOP_APP_SCREEN_HELPERS_H
#define PTOP_APP_SCREEN_HELPERS_H

#include "app/options.h"
#include "ui/ui.h"

struct screen_helpers;

struct screen_helpers *screen_helpers_new(const struct options *o);
/* Waits for a dump that is under way. */
void screen_helpers_free(struct screen_helpers *h);
/* Sets the callbacks, and where the texts come from. */
void screen_helpers_offer(struct screen_helpers *h, struct ui_options *uo, struct ui *ui);

#endif
