/* SQLite checks its own structure first (quick_check), then the definitions of the tables
 * are compared (schema.c), then rows are read one by one. Defensive mode, no trusted
 * schema, an authorizer that allows reading and nothing else, and a budget of SQLite's
 * steps: a hostile file costs time and memory in proportion to its size.
 *
 * Stacks are a trie as in the history, with parents that have smaller ids: so every
 * walk to the root ends. */
#include "recording/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "recording/reading.h"
#include "recording/recover.h"
#include "recording/schema.h"

#define FILE_LARGEST ((off_t)8 << 30)
#define STEPS_BETWEEN 100000
#define STEPS_MOST 200000u /* of STEPS_BETWEEN */

/* ---- SQLite on a leash ---- */

static int allow(void *arg, int action, const char *a, const char *b, const char *c,
		 const char *d)
{
	(void)arg, (void)c, (void)d;
	if (action == SQLITE_SELECT || action == SQLITE_READ)
		return SQLITE_OK;
	if (action == SQLITE_PRAGMA && !b && a &&
	    (strcmp(a, "application_id") == 0 || strcmp(a, "user_version") == 0))
		return SQLITE_OK;
	if (action == SQLITE_PRAGMA && a && strcmp(a, "quick_check") == 0)
		return SQLITE_OK;
	return SQLITE_DENY;
}

static int count_steps(void *arg)
{
	uint32_t *steps = arg;

	return ++*steps > STEPS_MOST;
}

static void restrain(struct reading *in)
{
	sqlite3_db_config(in->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(in->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(in->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(in->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_limit(in->db, SQLITE_LIMIT_LENGTH, 16 << 20);
	sqlite3_limit(in->db, SQLITE_LIMIT_SQL_LENGTH, 100000);
	sqlite3_limit(in->db, SQLITE_LIMIT_COLUMN, 100);
	sqlite3_limit(in->db, SQLITE_LIMIT_EXPR_DEPTH, 20);
	sqlite3_limit(in->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(in->db, SQLITE_LIMIT_WORKER_THREADS, 0);
	sqlite3_set_authorizer(in->db, allow, NULL);
	sqlite3_progress_handler(in->db, STEPS_BETWEEN, count_steps, &in->steps);
}

static int quick_check(struct reading *in)
{
	sqlite3_stmt *q = NULL;
	bool good = false;
	int step;

	if (sqlite3_prepare_v2(in->db, "PRAGMA quick_check(1)", -1, &q, NULL) !=
	    SQLITE_OK)
		return schema_error(in->db, in->path, "cannot be read", in->err);
	step = sqlite3_step(q);
	if (step == SQLITE_ROW) {
		const char *said = (const char *)sqlite3_column_text(q, 0);

		good = said && strcmp(said, "ok") == 0;
	}
	sqlite3_finalize(q);
	if (good)
		return 0;
	if (step != SQLITE_ROW)
		return schema_error(in->db, in->path, "cannot be read", in->err);
	error_set(in->err, EXIT_FAILED, "%s: the database is damaged", in->path);
	error_hint(in->err, "`sqlite3 FILE .recover` may save parts of it");
	return -EIO;
}

/* ---- opening ---- */

struct recording *recording_new(void)
{
	struct recording *r = xcalloc(1, sizeof(*r));

	r->id = r->creator = r->host = r->command = r->cmdline = r->runtime = "";
	r->backend = r->limits = r->status = r->error = r->cgroup = "";
	r->exit_status = -1;
	history_init(&r->history, 0);
	/* It never makes room: there is exactly as much as the file has. */
	r->history.max_runs = RECORDING_RUNS;
	r->history.max_nodes = RECORDING_STACKS * 2;
	functions_init(&r->functions);
	return r;
}

void recording_free(struct recording *r)
{
	if (!r)
		return;
	history_done(&r->history);
	functions_done(&r->functions);
	live_done(&r->live);
	VEC_DONE(&r->threads);
	VEC_DONE(&r->points);
	VEC_DONE(&r->pauses);
	VEC_DONE(&r->latencies);
	VEC_DONE(&r->slow);
	VEC_DONE(&r->messages);
	arena_done(&r->arena);
	free(r);
}

/* `in->db` is open; it is closed here. */
static int read_database(struct reading *in, struct recording **out)
{
	int ret;

	in->r = recording_new();
	restrain(in);
	ret = schema_check(in->db, in->path, in->err);
	if (!ret && !in->peek)
		ret = quick_check(in);
	if (!ret)
		ret = in->peek ? reading_session(in) : reading_tables(in);
	sqlite3_close(in->db);
	VEC_DONE(&in->functions);
	VEC_DONE(&in->threads);
	VEC_DONE(&in->frames);
	VEC_DONE(&in->places);
	VEC_DONE(&in->stacks);
	if (ret) {
		recording_free(in->r);
		return ret;
	}
	in->r->interrupted = !in->r->running && strcmp(in->r->status, "running") == 0;
	*out = in->r;
	return 0;
}

bool recording_is(struct bytes head)
{
	return head.n >= 16 && memcmp(head.p, "SQLite format 3", 16) == 0;
}

int recording_read(struct bytes in, struct recording **out, struct error *err)
{
	struct reading *reading = xcalloc(1, sizeof(*reading));
	unsigned char *copy;
	int ret;

	reading->path = "recording";
	reading->err = err;
	if (!recording_is(in) || sqlite3_open(":memory:", &reading->db) != SQLITE_OK) {
		ret = error_set(err, EXIT_FAILED, "not a recording");
		sqlite3_close(reading->db);
		goto out;
	}
	copy = sqlite3_malloc64(in.n);
	if (copy)
		memcpy(copy, in.p, in.n);
	if (!copy || sqlite3_deserialize(reading->db, "main", copy, (sqlite3_int64)in.n,
					 (sqlite3_int64)in.n,
					 SQLITE_DESERIALIZE_FREEONCLOSE |
					     SQLITE_DESERIALIZE_READONLY) != SQLITE_OK) {
		ret = schema_error(reading->db, "recording", "cannot be read", err);
		sqlite3_close(reading->db);
		goto out;
	}
	ret = read_database(reading, out);
out:
	free(reading);
	return ret;
}

/* A regular file of a size worth reading; tells whether somebody records into it. */
static int look(const char *path, bool *running, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), ret = 0;
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1) {
		ret = error_errno(err, path);
	} else if (!S_ISREG(st.st_mode)) {
		ret = error_set(err, EXIT_FAILED, "%s: not a regular file", path);
	} else if (st.st_size > FILE_LARGEST) {
		ret = error_set(err, EXIT_FAILED, "%s: too large for a recording", path);
	} else if (st.st_size == 0) {
		ret = error_set(err, EXIT_FAILED, "%s: empty", path);
		error_hint(err, "it was cut off before anything was recorded");
	} else {
		*running = flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK;
	}
	if (fd != -1)
		close(fd);
	return ret ? (ret < 0 ? ret : -EINVAL) : 0;
}

/* A file name may hold '?', '#' and '%', which mean something in a URI. */
static void uri_of(struct text *out, const char *path, const char *query)
{
	text_str(out, "file:");
	for (; *path; path++)
		if (strchr("?#%", *path))
			text_fmt(out, "%%%02X", (unsigned char)*path);
		else
			text_char(out, *path);
	text_str(out, query);
}

static bool can_read(sqlite3 *db)
{
	return sqlite3_exec(db, "PRAGMA application_id", NULL, NULL, NULL) == SQLITE_OK;
}

static int open_as(const char *path, const char *how, sqlite3 **db)
{
	struct text uri = { 0 };
	int ret;

	uri_of(&uri, path, how);
	ret = sqlite3_open_v2(uri.p, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
	text_done(&uri);
	if (ret == SQLITE_OK) {
		sqlite3_busy_timeout(*db, 3000);
		if (can_read(*db))
			return 0;
	}
	return -EIO;
}

/* One that is written now is read beside its recorder, with its locks. Any other does not
 * change: what a killed recorder left in a log is played into a copy, and without a log
 * SQLite is told that it needs none, so that nothing is made in the file's folder. */
static int open_database(struct reading *in, bool running)
{
	int ret;

	if (!running && !recover_needed(in->path))
		ret = open_as(in->path, "?mode=ro&immutable=1", &in->db);
	else if (running && open_as(in->path, "?mode=ro", &in->db) == 0)
		return 0;
	else {
		sqlite3_close(in->db);
		return recover_open(in->path, &in->db, in->err);
	}
	if (ret) {
		schema_error(in->db, in->path, "cannot be read", in->err);
		sqlite3_close(in->db);
	}
	return ret;
}

/* True when it is in write-ahead mode, as it is until its recorder closes it. */
static bool wants_log(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	unsigned char version = 0;
	bool wants = fd != -1 && pread(fd, &version, 1, WRITE_VERSION_AT) == 1 &&
		     version == VERSION_LOG;

	if (fd != -1)
		close(fd);
	return wants;
}

static int open_file(const char *path, bool peek, struct recording **out,
		     struct error *err)
{
	struct reading *in = xcalloc(1, sizeof(*in));
	bool running = false, has_log;
	int ret = look(path, &running, err);

	*out = NULL;
	in->path = path;
	in->err = err;
	in->peek = peek;
	has_log = !ret && recover_needed(path);
	if (!ret)
		ret = open_database(in, running);
	if (!ret)
		ret = read_database(in, out);
	if (!ret) {
		struct recording *r = *out;

		r->running = running;
		r->interrupted &= !running;
		r->log_missing = r->interrupted && !has_log && wants_log(path);
	}
	free(in);
	return ret;
}

void recording_missing(const struct recording *r, struct text *out)
{
	if (r->log_missing)
		text_str(out,
			 "not closed by its recorder (killed, or this is a copy made "
			 "while it ran), and its log (-wal) is not beside it: all that "
			 "was recorded last may be missing");
	else if (r->interrupted)
		text_str(out,
			 "not closed by its recorder (killed, or this is a copy made "
			 "while it ran): up to one second at the end may be missing");
}

int recording_open(const char *path, struct recording **out, struct error *err)
{
	return open_file(path, false, out, err);
}

int recording_peek(const char *path, struct recording **out, struct error *err)
{
	return open_file(path, true, out, err);
}
