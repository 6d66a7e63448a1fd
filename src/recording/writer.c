/* Prepared statements, one a table; the transaction is the second. */
#include "recording/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "recording/bind.h"
#include "recording/put_durations.h"
#include "recording/recording_file.h"
#include "recording/schema.h"
#include "recording/syncs.h"

#define PATH_LONGEST 3900u
#define SETTINGS                                             \
	"PRAGMA journal_mode=WAL; PRAGMA cache_size=-2048; " \
	"PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=4194304"

enum statement {
	PUT_FUNCTION,
	PUT_FRAME,
	PUT_PLACE,
	PUT_STACK,
	PUT_THREAD,
	PUT_RUN,
	PUT_SERIES,
	PUT_PAUSE,
	PUT_LATENCY,
	PUT_SLOW,
	PUT_FACT,
	PUT_LOSS,
	PUT_MESSAGE,
	SET_FACTS,
	SET_END,
	SET_STATUS,
	STATEMENTS
};

static const char *const texts[STATEMENTS] = {
	[PUT_FUNCTION] = "INSERT OR REPLACE INTO function VALUES(?,?,?,?,?,?)",
	[PUT_FRAME] = "INSERT OR REPLACE INTO frame VALUES(?,?,?,?)",
	[PUT_PLACE] = "INSERT OR REPLACE INTO place VALUES(?,?,?,?,?)",
	[PUT_STACK] = "INSERT OR REPLACE INTO stack VALUES(?,?,?)",
	[PUT_THREAD] = "INSERT OR REPLACE INTO thread VALUES(?,?,?,?,?)",
	[PUT_RUN] = "INSERT INTO run VALUES(?,?,?,?,?,?)",
	[PUT_SERIES] = "INSERT INTO series VALUES(?,?,?)",
	[PUT_PAUSE] = "INSERT INTO pause VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[PUT_LATENCY] = "INSERT INTO latency VALUES(?,?,?,?,?,?,?,?,?)",
	[PUT_SLOW] = "INSERT OR REPLACE INTO slow VALUES(?,?,?,?,?,?,?)",
	[PUT_FACT] = "INSERT OR REPLACE INTO fact VALUES(?,?)",
	[PUT_LOSS] = "UPDATE loss SET samples=?2 WHERE reason=?1",
	[PUT_MESSAGE] = "INSERT INTO message VALUES(?,?,?)",
	[SET_FACTS] = "UPDATE session SET host=?, pid=?, command=?, cmdline=?, "
		      "runtime=?, backend=?, limits=?, mode=?, rate_hz=?, "
		      "target_start_ns=?, exit_status=?, samples=?, samples_due=?, "
		      "broken=?, own_cpu_pct=?, own_rss_bytes=?, taken_pct=?",
	[SET_END] = "UPDATE session SET start_ns=?, end_ns=?",
	[SET_STATUS] = "UPDATE session SET status=?, error=?",
};

struct writer {
	sqlite3 *db;
	sqlite3_stmt *put[STATEMENTS];
	struct recording_file file;
	struct writer_options o;
	uint64_t start_wall_ns;
	double own_cpu_sum; /* of the pictures so far */
	uint64_t pictures;
	bool failed;
	struct syncs syncs;
	uint64_t slow_ns; /* as written */
	bool grouped;	  /* the name of the control group is written */
	char path[PATH_LONGEST + 1];
};

static int failed(struct writer *w, const char *what, struct error *err)
{
	w->failed = true;
	return schema_error(w->db, w->path, what, err);
}

/* ---- opening ---- */

void recording_id(char *to, size_t size)
{
	unsigned short salt = (unsigned short)getpid();
	time_t t = time(NULL);
	struct tm tm;
	size_t n;

	if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) == -1)
		salt ^= (unsigned short)clock_now_ns();
	localtime_r(&t, &tm);
	n = strftime(to, size, "%Y%m%d-%H%M%S", &tm);
	snprintf(to + n, size - n, "-%04x", salt);
}

static int start_session(struct writer *w, struct error *err)
{
	static const char sql[] =
	    "INSERT INTO session(id, creator, cpus, start_ns, end_ns, status, error) "
	    "VALUES(?1,?2,?3,?4,?4,'running','')";
	sqlite3_stmt *q = NULL;
	enum loss l;
	bool ok = sqlite3_prepare_v2(w->db, sql, -1, &q, NULL) == SQLITE_OK;

	if (ok) {
		sqlite3_bind_text(q, 1, w->o.id, -1, SQLITE_STATIC);
		sqlite3_bind_text(q, 2, w->o.creator, -1, SQLITE_STATIC);
		sqlite3_bind_int64(q, 3, w->o.cpus);
		sqlite3_bind_int64(q, 4, (sqlite3_int64)w->start_wall_ns);
		ok = sqlite3_step(q) == SQLITE_DONE;
	}
	sqlite3_finalize(q);
	q = NULL;
	ok = ok && sqlite3_prepare_v2(w->db, "INSERT INTO loss VALUES(?, 0)", -1, &q,
				      NULL) == SQLITE_OK;
	for (l = 0; ok && l < LOSS_COUNT; l++) {
		sqlite3_bind_text(q, 1, loss_name(l), -1, SQLITE_STATIC);
		ok = sqlite3_step(q) == SQLITE_DONE;
		sqlite3_reset(q);
	}
	sqlite3_finalize(q);
	return ok ? 0 : failed(w, "cannot be written", err);
}

/* The whole beginning of a recording, made in memory: on the disk it is there completely or
 * not at all. Its header says that a log may be beside it, so that no journal is needed to
 * switch to one. */
static int make_beginning(struct writer *w, unsigned char **image, size_t *n,
			  struct error *err)
{
	sqlite3_int64 size = 0;
	int ret;

	if (sqlite3_open(":memory:", &w->db) != SQLITE_OK)
		return failed(w, "cannot be set up", err);
	ret = schema_create(w->db, err);
	if (!ret)
		ret = start_session(w, err);
	*image = ret ? NULL : sqlite3_serialize(w->db, "main", &size, 0);
	if (!ret && !*image)
		ret = failed(w, "cannot be set up", err);
	sqlite3_close(w->db);
	w->db = NULL;
	if (!*image)
		return ret;
	*n = (size_t)size;
	(*image)[WRITE_VERSION_AT] = (*image)[READ_VERSION_AT] = VERSION_LOG;
	return 0;
}

static int prepare(struct writer *w, struct error *err)
{
	int i;

	for (i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(w->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &w->put[i], NULL) != SQLITE_OK)
			return failed(w, "cannot be written", err);
	return 0;
}

static int open_database(struct writer *w, struct error *err)
{
	if (sqlite3_open_v2(w->path, &w->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		return failed(w, "cannot be opened", err);
	sqlite3_busy_timeout(w->db, 5000); /* somebody reads it while we write */
	if (sqlite3_exec(w->db, SETTINGS, NULL, NULL, NULL) != SQLITE_OK)
		return failed(w, "cannot be written", err);
	return prepare(w, err);
}

static void release(struct writer *w)
{
	int i;

	for (i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(w->put[i]);
	sqlite3_close(w->db);
	/* Last: closing any descriptor of the file drops SQLite's own locks on it. */
	if (w->file.lock_fd != -1)
		close(w->file.lock_fd);
	if (w->file.name_fd != -1)
		close(w->file.name_fd);
	free(w);
}

int writer_open(const char *path, const struct writer_options *o, struct writer **out,
		struct error *err)
{
	struct writer *w = xcalloc(1, sizeof(*w));
	unsigned char *image = NULL;
	size_t n = 0;
	bool taken = false;
	int ret;

	*out = NULL;
	w->o = *o;
	w->start_wall_ns = clock_wall_ns();
	w->file = (struct recording_file){ w->path, o->replace, -1, -1 };
	if (strlen(path) > PATH_LONGEST) {
		ret =
		    error_set(err, EXIT_FAILED, "the path of the recording is too long");
		goto out;
	}
	snprintf(w->path, sizeof(w->path), "%s", path);
	ret = make_beginning(w, &image, &n, err);
	if (!ret)
		ret = recording_file_create(&w->file, image, n, err);
	sqlite3_free(image);
	if (ret)
		goto out;
	taken = true;
	ret = open_database(w, err);
	if (ret)
		goto out;
	*out = w;
	w = NULL;
out:
	if (w) {
		if (taken)
			unlink(w->path);
		release(w);
		if (taken) {
			recording_file_remove_beside(path, "-wal");
			recording_file_remove_beside(path, "-shm");
		}
	}
	return ret;
}

/* ---- rows ---- */

static bool put_functions(struct writer *w, const struct batch *b)
{
	sqlite3_stmt *q = w->put[PUT_FUNCTION];
	bool ok = true;
	size_t i;

	for (i = 0; ok && i < b->functions.n; i++) {
		const struct batch_function *f = &b->functions.v[i];

		bind_int(q, 1, f->id);
		bind_text(q, 2, f->name);
		bind_text(q, 3, f->module);
		bind_text(q, 4, code_kind_name(f->kind));
		bind_text(q, 5, f->runtime);
		bind_int(q, 6, f->library);
		ok = bind_done(q);
	}
	return ok;
}

static bool put_frames(struct writer *w, const struct batch *b)
{
	sqlite3_stmt *q = w->put[PUT_FRAME];
	bool ok = true;
	size_t i;

	for (i = 0; ok && i < b->frames.n; i++) {
		const struct batch_frame *f = &b->frames.v[i];

		bind_int(q, 1, f->id);
		bind_text(q, 2, frame_kind_name(f->frame.kind));
		bind_int(q, 3, f->frame.object);
		bind_int(q, 4, f->frame.address);
		ok = bind_done(q);
	}
	q = w->put[PUT_PLACE];
	for (i = 0; ok && i < b->places.n; i++) {
		const struct batch_place *p = &b->places.v[i];

		bind_int(q, 1, p->frame);
		bind_int(q, 2, p->depth);
		bind_int(q, 3, p->function);
		bind_text(q, 4, p->file);
		sqlite3_bind_int64(q, 5, p->line);
		ok = bind_done(q);
	}
	return ok;
}

static bool put_stacks(struct writer *w, const struct batch *b)
{
	sqlite3_stmt *q = w->put[PUT_STACK];
	bool ok = true;
	size_t i;

	for (i = 0; ok && i < b->stacks.n; i++) {
		bind_int(q, 1, b->stacks.v[i].id);
		bind_int(q, 2, b->stacks.v[i].parent);
		bind_int(q, 3, b->stacks.v[i].frame);
		ok = bind_done(q);
	}
	q = w->put[PUT_THREAD];
	for (i = 0; ok && i < b->threads.n; i++) {
		bind_int(q, 1, b->threads.v[i].id);
		sqlite3_bind_int64(q, 2, b->threads.v[i].pid);
		sqlite3_bind_int64(q, 3, b->threads.v[i].tid);
		bind_text(q, 4, b->threads.v[i].name);
		bind_text(q, 5, b->threads.v[i].process);
		ok = bind_done(q);
	}
	return ok;
}

static bool put_runs(struct writer *w, const struct batch *b)
{
	sqlite3_stmt *q = w->put[PUT_RUN];
	bool ok = true;
	size_t i;

	for (i = 0; ok && i < b->runs.n; i++) {
		const struct batch_run *r = &b->runs.v[i];

		bind_int(q, 1, r->time_ns / NS_PER_MSEC);
		bind_int(q, 2, r->thread);
		bind_int(q, 3, r->stack);
		bind_int(q, 4, (r->weight_ns + 500) / 1000);
		bind_int(q, 5, r->samples);
		bind_int(q, 6, r->off_cpu);
		ok = bind_done(q);
	}
	q = w->put[PUT_SERIES];
	for (i = 0; ok && i < b->series.n; i++) {
		bind_int(q, 1, b->time_ns / NS_PER_MSEC);
		bind_text(q, 2, b->series.v[i].name);
		sqlite3_bind_double(q, 3, b->series.v[i].value);
		ok = bind_done(q);
	}
	return ok;
}

static bool put_fact(struct writer *w, const char *name, const char *value)
{
	sqlite3_stmt *q = w->put[PUT_FACT];

	bind_text(q, 1, name);
	bind_text(q, 2, value);
	return bind_done(q);
}

/* Once, and when they change. */
static bool put_named(struct writer *w, const struct batch *b)
{
	char number[24];

	if (b->slow_ns && b->slow_ns != w->slow_ns) {
		snprintf(number, sizeof(number), "%llu", (unsigned long long)b->slow_ns);
		if (!put_fact(w, "slow_ns", number))
			return false;
		w->slow_ns = b->slow_ns;
	}
	if (b->cgroup && !w->grouped) {
		if (!put_fact(w, "cgroup", b->cgroup))
			return false;
		w->grouped = true;
	}
	return true;
}

static bool put_facts(struct writer *w, const struct snapshot *s)
{
	sqlite3_stmt *q = w->put[SET_FACTS];
	bool ok;
	enum loss l;

	w->own_cpu_sum += s->own_cpu_pct;
	w->pictures++;
	bind_text(q, 1, s->host);
	sqlite3_bind_int64(q, 2, s->pid);
	bind_text(q, 3, s->command);
	bind_text(q, 4, w->o.show_cmdline ? s->cmdline : "");
	bind_text(q, 5, s->runtime);
	bind_text(q, 6, s->backend);
	bind_text(q, 7, s->limits);
	bind_text(q, 8, mode_name(s->mode));
	sqlite3_bind_double(q, 9, s->rate_hz);
	bind_int(q, 10, s->start_wall_ns);
	sqlite3_bind_int64(q, 11, s->exit_status);
	bind_int(q, 12, s->samples_ever);
	bind_int(q, 13, s->samples_due);
	bind_int(q, 14, s->broken);
	sqlite3_bind_double(q, 15, w->own_cpu_sum / (double)w->pictures);
	bind_int(q, 16, s->own_rss_bytes);
	sqlite3_bind_double(q, 17, s->taken_pct);
	ok = bind_done(q);
	q = w->put[PUT_LOSS];
	for (l = 0; ok && l < LOSS_COUNT; l++) {
		bind_text(q, 1, loss_name(l));
		bind_int(q, 2, s->lost[l]);
		ok = bind_done(q);
	}
	return ok;
}

static bool put_all(struct writer *w, const struct batch *b)
{
	sqlite3_stmt *q = w->put[SET_END];

	if (!put_functions(w, b) || !put_frames(w, b) || !put_stacks(w, b) ||
	    !put_runs(w, b) || !durations_put_pauses(w->put[PUT_PAUSE], b) ||
	    !durations_put_latencies(w->put[PUT_LATENCY], b) ||
	    !durations_put_slow(w->put[PUT_SLOW], b) || !put_named(w, b) ||
	    (b->facts && !put_facts(w, b->facts)))
		return false;
	bind_int(q, 1, b->start_wall_ns);
	bind_int(q, 2, b->start_wall_ns + b->time_ns);
	return bind_done(q);
}

int writer_put(struct writer *w, const struct batch *b, struct error *err)
{
	int ret;

	if (syncs_choose(&w->syncs, w->db, w->file.lock_fd) &&
	    sqlite3_exec(w->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK &&
	    put_all(w, b) && syncs_commit(&w->syncs, w->db))
		return 0;
	ret = failed(w, "cannot be written", err);
	if (!sqlite3_get_autocommit(w->db))
		sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
	return ret;
}

int writer_say(struct writer *w, uint64_t wall_ns, bool warning, const char *text,
	       struct error *err)
{
	sqlite3_stmt *q = w->put[PUT_MESSAGE];

	bind_int(q, 1, wall_ns);
	bind_int(q, 2, warning);
	bind_text(q, 3, text);
	return bind_done(q) ? 0 : failed(w, "cannot be written", err);
}

/* ---- the end ---- */

bool writer_hurry(struct writer *w)
{
	return syncs_hurry(&w->syncs, w->db);
}

/* Even when the disk is full: what was written before stays, and a status of "running"
 * without a writer says as much to whoever reads it. */
static bool end_session(struct writer *w, const char *failure)
{
	sqlite3_stmt *q = w->put[SET_STATUS];

	bind_text(q, 1, failure ? "failed" : "completed");
	bind_text(q, 2, failure);
	return bind_done(q);
}

enum writer_place writer_place(const struct writer *w)
{
	return recording_file_place(&w->file);
}

void writer_where(const struct writer *w, char *to, size_t size)
{
	recording_file_where(&w->file, to, size);
}

/* Out of the log, then no log any more: one file that any reader can open. SQLite would use
 * a journal for the second; two bytes of one write need none, so that there is no moment at
 * which a killed recorder leaves what cannot be read. */
static int finish_file(struct writer *w, enum writer_place place, struct error *err)
{
	static const unsigned char alone[2] = { VERSION_ALONE, VERSION_ALONE };
	int keep = 1, ret = 0, i;

	for (i = 0; i < STATEMENTS; i++) {
		sqlite3_finalize(w->put[i]);
		w->put[i] = NULL;
	}
	/* SQLite removes its log by name; that may be another recording's by now. */
	if (place != WRITER_HERE)
		sqlite3_file_control(w->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
	if (sqlite3_wal_checkpoint_v2(w->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
				      NULL) != SQLITE_OK)
		ret = failed(w, "cannot be finished", err);
	sqlite3_close(w->db);
	w->db = NULL;
	if (!ret &&
	    (pwrite(w->file.lock_fd, alone, sizeof(alone), WRITE_VERSION_AT) == -1 ||
	     (!w->syncs.hurried && fdatasync(w->file.lock_fd) == -1)))
		ret = recording_errno(w->path, "cannot be finished", err);
	if (place != WRITER_HERE && access(w->path, F_OK) == -1) {
		recording_file_remove_beside(w->path, "-wal");
		recording_file_remove_beside(w->path, "-shm");
	}
	return ret;
}

int writer_close(struct writer *w, const char *failure, struct error *err)
{
	enum writer_place place;
	int ret = 0, finished;

	if (!w)
		return 0;
	place = writer_place(w);
	/* On a full disk the log gives its room back when it has been played. */
	if (!end_session(w, failure) &&
	    (sqlite3_wal_checkpoint_v2(w->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
				       NULL) != SQLITE_OK ||
	     !end_session(w, failure)))
		ret = failed(w, "cannot be finished", err);
	finished = finish_file(w, place, ret ? NULL : err);
	if (!ret)
		ret = finished;
	if (!ret && place == WRITER_GONE) {
		error_set(err, EXIT_FAILED,
			  "%s: was deleted while it was recorded; nothing of it is left",
			  w->path);
		error_hint(err, "end the recorder before its file is removed");
		ret = -ENOENT;
	}
	release(w);
	return ret;
}

int writer_save(const char *path, const struct writer_options *o, const struct batch *b,
		size_t *bytes, struct error *err)
{
	struct writer_options once = *o;
	struct text partial = { 0 };
	struct writer *w;
	struct stat st;
	int ret;

	text_fmt(&partial, "%s.%d", path, (int)getpid());
	once.replace = true;
	ret = writer_open(partial.p, &once, &w, err);
	if (ret)
		goto out;
	ret = writer_put(w, b, err);
	if (ret)
		writer_close(w, "could not be written", NULL);
	else
		ret = writer_close(w, NULL, err);
	*bytes = !ret && stat(partial.p, &st) == 0 ? (size_t)st.st_size : 0;
	if (!ret &&
	    o->replace) { /* of one that is replaced and was not closed: not this one's */
		recording_file_remove_beside(path, "-wal");
		recording_file_remove_beside(path, "-journal");
	}
	if (!ret &&
	    (o->replace ? rename(partial.p, path) : link(partial.p, path)) == -1) {
		ret = errno == EEXIST
			  ? error_set(err, EXIT_FAILED, "%s: exists already", path)
			  : error_errno(err, path);
		error_hint(err, "choose another name");
	}
	if (ret || !o->replace) {
		unlink(partial.p);
		recording_file_remove_beside(partial.p, "-wal");
		recording_file_remove_beside(partial.p, "-shm");
	}
out:
	text_done(&partial);
	return ret;
}

/* The log beside the file counts: it becomes a part of it. */
uint64_t writer_bytes(const struct writer *w)
{
	sqlite3_stmt *q = NULL;
	uint64_t bytes = 0;

	if (sqlite3_prepare_v2(w->db,
			       "SELECT page_count * page_size FROM "
			       "pragma_page_count, pragma_page_size",
			       -1, &q, NULL) == SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_ROW)
		bytes = (uint64_t)sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return bytes;
}
