/* Writing pauses, latencies and slow calls of a batch: one statement each, of ptop's own
 * tables, prepared by the writer. False when SQLite refuses a row. */
#ifndef PTOP_RECORDING_PUT_DURATIONS_H
#define PTOP_RECORDING_PUT_DURATIONS_H

#include <sqlite3.h>
#include <stdbool.h>

#include "recording/batch.h"

bool durations_put_pauses(sqlite3_stmt *q, const struct batch *b);
bool durations_put_latencies(sqlite3_stmt *q, const struct batch *b);
bool durations_put_slow(sqlite3_stmt *q, const struct batch *b);

#endif
