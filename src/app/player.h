/* A recording where a live target would be: the same mailbox, the same commands, the
 * screen does not know the difference. Its clock stands still at the end of the
 * recording, so the same keys give the same pictures. */
#ifndef PTOP_APP_PLAYER_H
#define PTOP_APP_PLAYER_H

#include "base/error.h"
#include "recording/reader.h"
#include "ui/ui.h"

struct player;

/* Takes r over. */
int player_start(struct recording *r, const struct picture_query *q, struct player **out,
		 struct error *err);
struct ui player_ui(struct player *p);
void player_stop(struct player *p);

#endif
