/* A recording whose recorder could not close it has a log beside it (-wal, or -journal of an
 * older ptop) that has to be played into it first. That is done to a private copy: reading
 * needs no right to write and leaves the original as it is. */
#ifndef PTOP_RECORDING_RECOVER_H
#define PTOP_RECORDING_RECOVER_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/error.h"

/* True when a log that is not empty stands beside the file. */
bool recover_needed(const char *path);
/* Opens a recovered copy; it has no name any more, and goes when *db is closed. */
int recover_open(const char *path, sqlite3 **db, struct error *err);

#endif
