/* What is written once is compared when read: a table counts as ours only when its
 * definition in the file is the very text below, so no view, virtual table, generated
 * column or CHECK of a stranger is ever evaluated. Further tables and indexes somebody
 * added for their own queries are not looked at. Tables that came after the first recordings
 * of this version were written may be missing. */
#include "recording/schema.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *sql;
} tables[] = {
	{ "session",
	  "CREATE TABLE session(id TEXT, creator TEXT, host TEXT, pid INTEGER, "
	  "command TEXT, cmdline TEXT, runtime TEXT, backend TEXT, limits TEXT, "
	  "mode TEXT, rate_hz REAL, cpus INTEGER, target_start_ns INTEGER, "
	  "start_ns INTEGER, end_ns INTEGER, status TEXT, error TEXT, "
	  "exit_status INTEGER, samples INTEGER, samples_due INTEGER, broken INTEGER, "
	  "own_cpu_pct REAL, own_rss_bytes INTEGER, taken_pct REAL)" },
	{ "function", "CREATE TABLE function(id INTEGER PRIMARY KEY, name TEXT, "
		      "module TEXT, kind TEXT, runtime TEXT, library INTEGER)" },
	{ "frame", "CREATE TABLE frame(id INTEGER PRIMARY KEY, kind TEXT, "
		   "object INTEGER, address INTEGER)" },
	{ "place", "CREATE TABLE place(frame INTEGER, depth INTEGER, function INTEGER, "
		   "file TEXT, line INTEGER, PRIMARY KEY(frame, depth)) WITHOUT ROWID" },
	{ "stack", "CREATE TABLE stack(id INTEGER PRIMARY KEY, parent INTEGER, "
		   "frame INTEGER)" },
	{ "thread", "CREATE TABLE thread(id INTEGER PRIMARY KEY, pid INTEGER, "
		    "tid INTEGER, name TEXT, process TEXT)" },
	{ "run", "CREATE TABLE run(time_ms INTEGER, thread INTEGER, stack INTEGER, "
		 "weight_us INTEGER, samples INTEGER, off_cpu INTEGER)" },
	{ "series", "CREATE TABLE series(time_ms INTEGER, name TEXT, value REAL)" },
	{ "pause", "CREATE TABLE pause(time_ms INTEGER, runtime TEXT, source TEXT, "
		   "generation TEXT, cause TEXT, interval_ns INTEGER, count INTEGER, "
		   "timed INTEGER, total_ns INTEGER, p50_ns INTEGER, p95_ns INTEGER, "
		   "p99_ns INTEGER, max_ns INTEGER, collected INTEGER)" },
	{ "latency", "CREATE TABLE latency(time_ms INTEGER, name TEXT, source TEXT, "
		     "exactness TEXT, count INTEGER, p50_ns INTEGER, p95_ns INTEGER, "
		     "p99_ns INTEGER, max_ns INTEGER)" },
	{ "loss", "CREATE TABLE loss(reason TEXT, samples INTEGER)" },
	{ "message", "CREATE TABLE message(wall_ns INTEGER, warning INTEGER, "
		     "text TEXT)" },
	{ "slow",
	  "CREATE TABLE slow(start_us INTEGER, tid INTEGER, name TEXT, took_ns INTEGER, "
	  "thread TEXT, stack TEXT, stack_pct REAL, PRIMARY KEY(start_us, tid, name)) "
	  "WITHOUT ROWID" },
	{ "fact", "CREATE TABLE fact(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID" },
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))
#define TABLES_ALWAYS 12u /* those after them may be missing */

/* The errno of SQLite's last failure, which may have been of the log. */
static int errno_of(sqlite3 *db)
{
	static const int which[] = { SQLITE_FCNTL_JOURNAL_POINTER,
				     SQLITE_FCNTL_FILE_POINTER };
	size_t i;

	for (i = 0; i < sizeof(which) / sizeof(which[0]); i++) {
		sqlite3_file *f = NULL;
		int e = 0;

		if (sqlite3_file_control(db, "main", which[i], &f) == SQLITE_OK && f &&
		    f->pMethods &&
		    f->pMethods->xFileControl(f, SQLITE_FCNTL_LAST_ERRNO, &e) ==
			SQLITE_OK &&
		    e)
			return e;
	}
	return sqlite3_system_errno(db);
}

int schema_error(sqlite3 *db, const char *path, const char *what, struct error *err)
{
	int code = db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;
	const char *said = db ? sqlite3_errmsg(db) : "out of memory";

	/* Of an error in writing the errno is the cause. */
	errno = code == SQLITE_FULL ? ENOSPC : 0;
	if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN)
		errno = errno_of(db);
	if (errno)
		return recording_errno(path, what, err);
	error_set(err, EXIT_FAILED, "%s: %s: %s", path, what, said);
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		error_hint(err, "the file is damaged or no recording; "
				"`sqlite3 FILE .recover` may save parts of it");
	return -EIO;
}

int recording_errno(const char *path, const char *what, struct error *err)
{
	int e = errno;

	error_set(err, EXIT_FAILED, "%s: %s: %s", path, what,
		  e == ENOSPC  ? "no space left on the disk"
		  : e == EFBIG ? "larger than the limit on file sizes allows"
			       : strerror(e));
	if (e == ENOSPC)
		error_hint(err, "free some space, or record elsewhere with -o");
	else if (e == EDQUOT)
		error_hint(err, "`quota` shows your limit; free some space, or record "
				"elsewhere with -o");
	else if (e == EFBIG)
		error_hint(err, "`ulimit -f` shows the limit, `ulimit -f unlimited` "
				"lifts it");
	else if (e == EROFS)
		error_hint(err, "the file system is mounted read-only; record elsewhere "
				"with -o");
	return -e;
}

int schema_create(sqlite3 *db, struct error *err)
{
	char pragma[96];
	size_t i;

	snprintf(pragma, sizeof(pragma),
		 "PRAGMA application_id=%d; PRAGMA user_version=%d",
		 RECORDING_APPLICATION, RECORDING_VERSION);
	if (sqlite3_exec(db, pragma, NULL, NULL, NULL) != SQLITE_OK)
		return schema_error(db, "recording", "cannot be set up", err);
	for (i = 0; i < TABLES; i++)
		if (sqlite3_exec(db, tables[i].sql, NULL, NULL, NULL) != SQLITE_OK)
			return schema_error(db, "recording", "cannot be set up", err);
	return 0;
}

static int pragma_number(sqlite3 *db, const char *sql, int64_t *v)
{
	sqlite3_stmt *q = NULL;
	int ret = -EIO;

	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_ROW) {
		*v = sqlite3_column_int64(q, 0);
		ret = 0;
	}
	sqlite3_finalize(q);
	return ret;
}

/* Which tables are there and ours. */
static int find_tables(sqlite3 *db, bool seen[TABLES])
{
	sqlite3_stmt *q = NULL;
	size_t i;
	int step;

	memset(seen, 0, TABLES * sizeof(*seen));
	if (sqlite3_prepare_v2(db, "SELECT name, sql FROM sqlite_schema", -1, &q, NULL) !=
	    SQLITE_OK)
		return -EIO;
	while ((step = sqlite3_step(q)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(q, 0);
		const char *sql = (const char *)sqlite3_column_text(q, 1);

		for (i = 0; name && sql && i < TABLES; i++)
			if (strcmp(name, tables[i].name) == 0)
				seen[i] |= strcmp(sql, tables[i].sql) == 0;
	}
	sqlite3_finalize(q);
	return step == SQLITE_DONE ? 0 : -EIO;
}

static int check_tables(sqlite3 *db, const char *path, struct error *err)
{
	bool seen[TABLES];
	size_t i;

	if (find_tables(db, seen))
		return schema_error(db, path, "cannot be read", err);
	for (i = 0; i < TABLES_ALWAYS; i++)
		if (!seen[i]) {
			error_set(err, EXIT_FAILED,
				  "%s: not a recording as ptop writes it (table %s)",
				  path, tables[i].name);
			error_hint(err,
				   "recordings are made by `ptop record -o FILE.ptop`");
			return -EINVAL;
		}
	return 0;
}

bool schema_has(sqlite3 *db, const char *table)
{
	bool seen[TABLES];
	size_t i;

	if (find_tables(db, seen))
		return false;
	for (i = 0; i < TABLES; i++)
		if (strcmp(tables[i].name, table) == 0)
			return seen[i];
	return false;
}

int schema_check(sqlite3 *db, const char *path, struct error *err)
{
	int64_t application, version;

	if (pragma_number(db, "PRAGMA application_id", &application) ||
	    pragma_number(db, "PRAGMA user_version", &version))
		return schema_error(db, path, "cannot be read", err);
	if (application != RECORDING_APPLICATION) {
		error_set(err, EXIT_FAILED, "%s: an SQLite file, but not of ptop", path);
		error_hint(err, "recordings are made by `ptop record -o FILE.ptop`");
		return -EINVAL;
	}
	if (version > RECORDING_VERSION) {
		error_set(err, EXIT_FAILED,
			  "%s: written by a newer ptop (format %lld, this one reads %d)",
			  path, (long long)version, RECORDING_VERSION);
		error_hint(err, "open it with that ptop, or with sqlite3");
		return -EINVAL;
	}
	return check_tables(db, path, err);
}
