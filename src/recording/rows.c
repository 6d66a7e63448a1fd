/* The rows of a recording, table by table, into a history. Each is checked by itself: a
 * type that is wrong, a number out of range, a reference to nothing make it a row that is
 * left out and counted. A stack's parent has a smaller id, so walks to the root end. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "recording/reading.h"
#include "recording/schema.h"

#define WEIGHT_MOST_US 3600000000ull

static bool is_int(sqlite3_stmt *q, int column, int64_t least, int64_t most)
{
	int64_t v;

	if (sqlite3_column_type(q, column) != SQLITE_INTEGER)
		return false;
	v = sqlite3_column_int64(q, column);
	return v >= least && v <= most;
}

static uint64_t whole(sqlite3_stmt *q, int column)
{
	int64_t v = sqlite3_column_type(q, column) == SQLITE_INTEGER
			? sqlite3_column_int64(q, column)
			: 0;

	return v > 0 ? (uint64_t)v : 0;
}

static double real(sqlite3_stmt *q, int column, double most)
{
	double v = sqlite3_column_double(q, column);

	return isfinite(v) && v >= 0 && v <= most ? v : 0;
}

/* Cleaned: what a recording holds may have been written by anybody. */
static size_t words(sqlite3_stmt *q, int column, char to[RECORDING_STRING_MAX + 1])
{
	const unsigned char *s = NULL;
	size_t n = 0;

	if (sqlite3_column_type(q, column) == SQLITE_TEXT) {
		s = sqlite3_column_text(q, column);
		n = (size_t)sqlite3_column_bytes(q, column);
	}
	return clean_copy(to, RECORDING_STRING_MAX + 1, s ? (const char *)s : "", n);
}

static const char *kept(struct reading *in, sqlite3_stmt *q, int column)
{
	char buf[RECORDING_STRING_MAX + 1];

	words(q, column, buf);
	return arena_str(&in->r->arena, buf);
}

/* Calls take() for each row; a false of it is a row that makes no sense. */
static int each(struct reading *in, const char *sql, size_t most,
		bool (*take)(struct reading *in, sqlite3_stmt *q))
{
	sqlite3_stmt *q = NULL;
	size_t n = 0;
	int step;

	if (sqlite3_prepare_v2(in->db, sql, -1, &q, NULL) != SQLITE_OK)
		return schema_error(in->db, in->path, "cannot be read", in->err);
	while ((step = sqlite3_step(q)) == SQLITE_ROW && n++ < most)
		if (!take(in, q))
			in->r->refused++;
	sqlite3_finalize(q);
	if (step == SQLITE_ROW) {
		error_set(in->err, EXIT_FAILED, "%s: too large (over %zu rows)", in->path,
			  most);
		error_hint(in->err, "record for a shorter time, or at a lower rate");
		return -E2BIG;
	}
	if (step != SQLITE_DONE)
		return schema_error(in->db, in->path, "cannot be read", in->err);
	return 0;
}

static bool take_session(struct reading *in, sqlite3_stmt *q)
{
	struct recording *r = in->r;
	char mode[RECORDING_STRING_MAX + 1];
	enum mode m;
	uint64_t end;

	r->id = kept(in, q, 0);
	r->creator = kept(in, q, 1);
	r->host = kept(in, q, 2);
	r->pid = is_int(q, 3, 0, INT32_MAX) ? (int32_t)whole(q, 3) : 0;
	r->command = kept(in, q, 4);
	r->cmdline = kept(in, q, 5);
	r->runtime = kept(in, q, 6);
	r->backend = kept(in, q, 7);
	r->limits = kept(in, q, 8);
	words(q, 9, mode);
	r->mode = MODE_CPU;
	for (m = 0; m < MODES; m++)
		if (strcmp(mode, mode_name(m)) == 0)
			r->mode = m;
	r->rate_hz = real(q, 10, 1e6);
	r->cpus = is_int(q, 11, 0, 1 << 20) ? (int)whole(q, 11) : 0;
	r->target_start_ns = whole(q, 12);
	r->start_wall_ns = whole(q, 13);
	end = whole(q, 14);
	r->status = kept(in, q, 15);
	r->error = kept(in, q, 16);
	r->exit_status = is_int(q, 17, -1, 1 << 20) ? sqlite3_column_int(q, 17) : -1;
	r->samples = whole(q, 18);
	r->samples_due = whole(q, 19);
	r->broken = whole(q, 20);
	r->own_cpu_pct = real(q, 21, 1e6);
	r->own_rss_bytes = whole(q, 22);
	r->taken_pct = real(q, 23, 100);
	if (end < r->start_wall_ns ||
	    end - r->start_wall_ns > DURATION_MOST_MS * NS_PER_MSEC)
		return false;
	r->duration_ns = end - r->start_wall_ns;
	return true;
}

static bool take_function(struct reading *in, sqlite3_stmt *q)
{
	char name[RECORDING_STRING_MAX + 1], module[RECORDING_STRING_MAX + 1],
	    word[RECORDING_STRING_MAX + 1];
	enum code_kind kind;
	uint64_t id = whole(q, 0);
	uint32_t number;

	if (id == 0 || id > RECORDING_FUNCTIONS)
		return false;
	words(q, 1, name);
	words(q, 2, module);
	words(q, 3, word);
	kind = code_kind_named(word);
	words(q, 4, word);
	while (in->functions.n < id)
		*VEC_PUSH(&in->functions) = 0;
	number = functions_intern(&in->r->functions, name, module, kind,
				  arena_str(&in->r->arena, word));
	in->r->functions.list.v[number].library = whole(q, 5) != 0;
	in->functions.v[id - 1] = number + 1;
	return true;
}

static bool take_frame(struct reading *in, sqlite3_stmt *q)
{
	char kind[RECORDING_STRING_MAX + 1];
	uint64_t id = whole(q, 0);
	struct file_frame *f;

	words(q, 1, kind);
	if (id == 0 || id > RECORDING_FRAMES || frame_kind_named(kind) == FRAME_KINDS ||
	    sqlite3_column_type(q, 3) != SQLITE_INTEGER)
		return false;
	while (in->frames.n < id)
		(void)VEC_PUSH(&in->frames);
	f = &in->frames.v[id - 1];
	/* The file's number instead of the object: frames of two objects stay two. */
	f->frame = (struct frame){ (uint64_t)sqlite3_column_int64(q, 3), (uint32_t)id,
				   frame_kind_named(kind) };
	f->known = true;
	return true;
}

/* In order of frame and depth. */
static bool take_place(struct reading *in, sqlite3_stmt *q)
{
	uint64_t frame = whole(q, 0), function = whole(q, 2);
	char file[RECORDING_STRING_MAX + 1];
	struct file_frame *f;

	if (frame == 0 || frame > in->frames.n || function == 0 ||
	    function > in->functions.n || !in->functions.v[function - 1] ||
	    !is_int(q, 4, 0, INT32_MAX))
		return false;
	f = &in->frames.v[frame - 1];
	if (f->n == INLINE_DEPTH_MAX)
		return false;
	if (f->n == 0)
		f->first = (uint32_t)in->places.n;
	f->n++;
	words(q, 3, file);
	*VEC_PUSH(&in->places) =
	    (struct file_place){ (uint32_t)frame, in->functions.v[function - 1] - 1,
				 file[0] ? intern_add(&in->r->functions.strings, file)
					 : NO_ID,
				 (int32_t)whole(q, 4) };
	return true;
}

static bool take_stack(struct reading *in, sqlite3_stmt *q)
{
	uint64_t id = whole(q, 0), parent = whole(q, 1), frame = whole(q, 2);

	if (id == 0 || id > RECORDING_STACKS || parent >= id || frame == 0 ||
	    frame > in->frames.n || !in->frames.v[frame - 1].known)
		return false;
	while (in->stacks.n < id)
		VEC_PUSH(&in->stacks)->node = NO_ID;
	in->stacks.v[id - 1].parent = (uint32_t)parent;
	in->stacks.v[id - 1].frame = (uint32_t)frame;
	return true;
}

static bool take_thread(struct reading *in, sqlite3_stmt *q)
{
	uint64_t id = whole(q, 0);

	if (id == 0 || id > RECORDING_THREADS || !is_int(q, 1, 0, INT32_MAX) ||
	    !is_int(q, 2, 0, INT32_MAX))
		return false;
	while (in->threads.n < id)
		*VEC_PUSH(&in->threads) = 0;
	*VEC_PUSH(&in->r->threads) =
	    (struct recording_thread){ (int32_t)whole(q, 1), (int32_t)whole(q, 2),
				       kept(in, q, 3), kept(in, q, 4) };
	in->threads.v[id - 1] = (uint32_t)in->r->threads.n;
	return true;
}

static void name_frame(void *arg, uint32_t frame)
{
	struct reading *in = arg;
	struct history *h = &in->r->history;
	const struct file_frame *f = &in->frames.v[h->frames.v[frame].frame.object - 1];
	struct place list[INLINE_DEPTH_MAX];
	size_t i;

	for (i = 0; i < f->n; i++) {
		const struct file_place *p = &in->places.v[f->first + i];

		list[i] = (struct place){ p->function, p->file, p->line };
	}
	if (f->n == 0) /* lost its name: still a frame */
		list[0] =
		    (struct place){ functions_intern(&in->r->functions, "[unknown code]",
						     "", CODE_MARK, "native"),
				    NO_ID, 0 };
	history_name(h, frame, list, f->n ? f->n : 1);
}

static uint32_t enter_stack(struct reading *in, uint32_t id)
{
	struct file_stack *s = &in->stacks.v[id - 1];
	struct callstack *cs = &in->stack;
	uint32_t up;

	if (s->node != NO_ID)
		return s->node;
	cs->depth = 0;
	for (up = id; up && in->stacks.v[up - 1].frame && cs->depth < DEPTH_MAX;
	     up = in->stacks.v[up - 1].parent)
		cs->frame[cs->depth++] =
		    in->frames.v[in->stacks.v[up - 1].frame - 1].frame;
	s->node = history_stack(&in->r->history, cs, name_frame, in);
	return s->node;
}

static bool take_run(struct reading *in, sqlite3_stmt *q)
{
	uint64_t thread = whole(q, 1), stack = whole(q, 2), time = whole(q, 0);

	if (!is_int(q, 0, 0, (int64_t)DURATION_MOST_MS) || thread == 0 ||
	    thread > in->threads.n || !in->threads.v[thread - 1] ||
	    stack > in->stacks.n || (stack && !in->stacks.v[stack - 1].frame) ||
	    !is_int(q, 3, 0, (int64_t)WEIGHT_MOST_US) || !is_int(q, 4, 0, UINT32_MAX))
		return false;
	/* A row may stand for more samples than a run can hold. */
	history_add(&in->r->history, RECORDING_ZERO_NS + time * NS_PER_MSEC,
		    in->threads.v[thread - 1] - 1,
		    stack ? enter_stack(in, (uint32_t)stack) : 0, whole(q, 3) * 1000,
		    (uint32_t)whole(q, 4), whole(q, 5) != 0);
	if (time * NS_PER_MSEC > in->r->duration_ns)
		in->r->duration_ns = time * NS_PER_MSEC;
	return true;
}

static bool take_point(struct reading *in, sqlite3_stmt *q)
{
	char name[RECORDING_STRING_MAX + 1];
	struct recording *r = in->r;
	double v = sqlite3_column_double(q, 2);
	uint32_t id;

	if (!is_int(q, 0, 0, (int64_t)DURATION_MOST_MS) || !isfinite(v))
		return false;
	words(q, 1, name);
	id = intern_add(&r->functions.strings, name);
	*VEC_PUSH(&r->points) =
	    (struct recording_point){ whole(q, 0) * NS_PER_MSEC,
				      intern_get(&r->functions.strings, id), v };
	return true;
}

/* Text of few different values, kept once. */
static const char *common(struct reading *in, sqlite3_stmt *q, int column)
{
	struct intern *strings = &in->r->functions.strings;
	char buf[RECORDING_STRING_MAX + 1];

	words(q, column, buf);
	return intern_get(strings, intern_add(strings, buf));
}

static bool take_pause(struct reading *in, sqlite3_stmt *q)
{
	/* A collection may be timed in one second and counted in the next. */
	if (!is_int(q, 0, 0, (int64_t)DURATION_MOST_MS) ||
	    (whole(q, 6) == 0 && whole(q, 7) == 0))
		return false;
	*VEC_PUSH(&in->r->pauses) = (struct recording_pause){
		.time_ns = whole(q, 0) * NS_PER_MSEC,
		.runtime = common(in, q, 1),
		.source = common(in, q, 2),
		.generation = common(in, q, 3),
		.cause = common(in, q, 4),
		.interval_ns = whole(q, 5),
		.count = whole(q, 6),
		.timed = whole(q, 7),
		.total_ns = whole(q, 8),
		.ns = { whole(q, 9), whole(q, 10), whole(q, 11), whole(q, 12) },
		.collected = whole(q, 13),
	};
	return true;
}

static bool take_latency(struct reading *in, sqlite3_stmt *q)
{
	char source[RECORDING_STRING_MAX + 1];
	struct recording_latency *l;
	enum latency_source k = 0;
	int i;

	words(q, 2, source);
	while (k < LATENCY_SOURCES && strcmp(source, latency_source_name(k)) != 0)
		k++;
	if (!is_int(q, 0, 0, (int64_t)DURATION_MOST_MS) || k == LATENCY_SOURCES ||
	    whole(q, 4) == 0)
		return false;
	l = VEC_PUSH(&in->r->latencies);
	l->time_ns = whole(q, 0) * NS_PER_MSEC;
	l->name = common(in, q, 1);
	l->exactness = common(in, q, 3);
	l->source = k;
	l->count = whole(q, 4);
	for (i = 0; i < LATENCY_FIGURES; i++)
		l->ns[i] = whole(q, 5 + i);
	return true;
}

/* When it ended, in microseconds since the start, which it may have begun before. */
static bool take_slow(struct reading *in, sqlite3_stmt *q)
{
	const int64_t most_us = (int64_t)DURATION_MOST_MS * 1000;
	struct recording_slow *c;
	int64_t end_us;

	if (!is_int(q, 0, -most_us, most_us) || !is_int(q, 1, 0, INT32_MAX) ||
	    !is_int(q, 3, 0, 2 * most_us * 1000))
		return false;
	end_us = sqlite3_column_int64(q, 0) + sqlite3_column_int64(q, 3) / 1000;
	if (end_us < 0 || end_us > most_us)
		return false;
	c = VEC_PUSH(&in->r->slow);
	c->time_ns = (uint64_t)end_us * 1000;
	c->tid = (int32_t)whole(q, 1);
	c->name = common(in, q, 2);
	c->took_ns = whole(q, 3);
	c->thread = common(in, q, 4);
	c->stack = common(in, q, 5);
	c->stack_pct = real(q, 6, 100);
	return true;
}

static bool take_fact(struct reading *in, sqlite3_stmt *q)
{
	char name[RECORDING_STRING_MAX + 1], value[RECORDING_STRING_MAX + 1];
	int64_t number = sqlite3_column_int64(q, 1);

	words(q, 0, name);
	words(q, 1, value);
	if (strcmp(name, "cgroup") == 0)
		in->r->cgroup = arena_str(&in->r->arena, value);
	if (strcmp(name, "slow_ns") == 0) {
		if (number < 0 || (uint64_t)number > DURATION_MOST_MS * NS_PER_MSEC)
			return false;
		in->r->slow_ns = (uint64_t)number;
	}
	return true; /* what else a later ptop knows */
}

static bool take_loss(struct reading *in, sqlite3_stmt *q)
{
	char reason[RECORDING_STRING_MAX + 1];
	enum loss l;

	words(q, 0, reason);
	for (l = 0; l < LOSS_COUNT; l++)
		if (strcmp(reason, loss_name(l)) == 0)
			in->r->lost[l] = whole(q, 1);
	return true; /* another version's reasons are not ours to judge */
}

static bool take_message(struct reading *in, sqlite3_stmt *q)
{
	*VEC_PUSH(&in->r->messages) =
	    (struct snapshot_message){ whole(q, 0), whole(q, 1) != 0, kept(in, q, 2) };
	return true;
}

int reading_session(struct reading *in)
{
	int ret = each(in, "SELECT * FROM session LIMIT 1", 1, take_session);

	if (!ret && !in->r->id[0]) {
		error_set(in->err, EXIT_FAILED, "%s: a recording without a session",
			  in->path);
		error_hint(in->err, "it was cut off before its first second");
		ret = -EINVAL;
	}
	return ret;
}

int reading_tables(struct reading *in)
{
	static const struct {
		const char *sql;
		size_t most;
		bool (*take)(struct reading *in, sqlite3_stmt *q);
	} steps[] = {
		{ "SELECT * FROM function ORDER BY id", RECORDING_FUNCTIONS,
		  take_function },
		{ "SELECT * FROM frame ORDER BY id", RECORDING_FRAMES, take_frame },
		{ "SELECT * FROM place ORDER BY frame, depth", RECORDING_FRAMES * 2,
		  take_place },
		{ "SELECT * FROM stack ORDER BY id", RECORDING_STACKS, take_stack },
		{ "SELECT * FROM thread ORDER BY id", RECORDING_THREADS, take_thread },
		{ "SELECT * FROM run ORDER BY rowid", RECORDING_RUNS, take_run },
		{ "SELECT * FROM series ORDER BY rowid", RECORDING_SERIES, take_point },
		{ "SELECT * FROM pause ORDER BY rowid", RECORDING_SERIES, take_pause },
		{ "SELECT * FROM latency ORDER BY rowid", RECORDING_SERIES,
		  take_latency },
		{ "SELECT * FROM loss LIMIT 1000", 1000, take_loss },
		{ "SELECT * FROM message ORDER BY rowid LIMIT 1000", RECORDING_MESSAGES,
		  take_message },
	};
	size_t i;
	int ret = reading_session(in);

	for (i = 0; !ret && i < sizeof(steps) / sizeof(steps[0]); i++)
		ret = each(in, steps[i].sql, steps[i].most, steps[i].take);
	if (!ret && schema_has(in->db, "slow"))
		ret = each(in, "SELECT * FROM slow ORDER BY start_us + took_ns / 1000",
			   RECORDING_SLOW, take_slow);
	if (!ret && schema_has(in->db, "fact"))
		ret = each(in, "SELECT * FROM fact LIMIT 1000", 1000, take_fact);
	return ret;
}
