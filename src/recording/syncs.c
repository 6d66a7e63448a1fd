/* PRAGMA synchronous=FULL syncs the log at each commit, which is what makes "at most one second lost"
 * true of a power cut, too; it is one fdatasync a second on a thread that nobody waits for.
 *
 * A sync waits for what others wrote, tens of seconds when that is much. Beside them the log is
 * synced less often, and a recording that ends does not wait for the disk. */
#include "recording/syncs.h"

#include <unistd.h>

#include "base/clock.h"

#define SLOW_NS (100 * NS_PER_MSEC) /* slower syncs are made less often: */
#define COST 20u		    /* they take a 20th of the time */

/* The log is folded into the file when it has so many pages; the default 1000 would do, fewer keep
 * the two small on a disk that is nearly full. Without syncs nothing is taken out of it: its rows
 * have sums, and what a power cut leaves of it is good up to some row. */
static const char full[] = "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=500";
static const char off[] = "PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=0";

static bool set(struct syncs *s, sqlite3 *db, const char *pragma)
{
	if (s->set == pragma)
		return true;
	s->set = pragma;
	return sqlite3_exec(db, pragma, NULL, NULL, NULL) == SQLITE_OK;
}

static void note(struct syncs *s, uint64_t start)
{
	uint64_t end = clock_now_ns();

	s->ns = end - start;
	s->due_ns = s->ns > SLOW_NS ? end + s->ns * COST : 0;
}

/* The beginning is synced here, and not when the file is made: that would keep the sampler from
 * beginning. */
bool syncs_choose(struct syncs *s, sqlite3 *db, int fd)
{
	uint64_t start = clock_now_ns();

	if (!s->begun && !s->hurried) {
		if (fdatasync(fd) == -1)
			return false;
		note(s, start);
	}
	s->begun = true;
	return set(s, db, !s->hurried && clock_now_ns() >= s->due_ns ? full : off);
}

bool syncs_commit(struct syncs *s, sqlite3 *db)
{
	uint64_t start = clock_now_ns();

	if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		return false;
	if (s->set == full)
		note(s, start);
	return true;
}

bool syncs_hurry(struct syncs *s, sqlite3 *db)
{
	s->hurried = s->ns > SLOW_NS && set(s, db, off);
	return s->hurried;
}
