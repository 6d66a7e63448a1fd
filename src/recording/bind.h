/* Values into a prepared statement; columns count from 1. */
#ifndef PTOP_RECORDING_BIND_H
#define PTOP_RECORDING_BIND_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

static inline void bind_int(sqlite3_stmt *q, int column, uint64_t v)
{
	sqlite3_bind_int64(q, column, (sqlite3_int64)v);
}

/* Borrowed until bind_done(); NULL is an empty text. */
static inline void bind_text(sqlite3_stmt *q, int column, const char *s)
{
	sqlite3_bind_text(q, column, s ? s : "", -1, SQLITE_STATIC);
}

/* Runs it; false when SQLite refuses. */
static inline bool bind_done(sqlite3_stmt *q)
{
	int step = sqlite3_step(q);

	sqlite3_reset(q);
	return step == SQLITE_DONE;
}

#endif
