/* Every stack is entered anew, function by function. A frame of the result carries what
 * it is in its own number: the line and the file in the address, the function in the
 * object; so it names itself and needs no table beside it. */
#include "recording/sift.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum verdict { UNKNOWN, DROPPED, KEPT };

struct sifting {
	const struct sift *how;
	struct recording *to;
	const struct recording *from;
	VEC(uint32_t) function; /* of `from` in `to`, + 1; 0 not yet */
	VEC(uint8_t) matches;	/* bits of MATCH_ */
	VEC(uint32_t) node;	/* of `from` in `to`; valid when KEPT */
	VEC(uint8_t) verdict;
	VEC(uint32_t) thread; /* + 1; 0: left out */
	struct callstack stack;
};

enum { MATCH_FOCUS = 1, MATCH_IGNORE = 2, MATCH_HIDE = 4, MATCH_ASKED = 8 };

static struct frame frame_of(uint32_t function, uint32_t file, int32_t line,
			     uint32_t kind)
{
	return (struct frame){ (uint64_t)(uint32_t)line << 32 | file, function, kind };
}

static void name_frame(void *arg, uint32_t frame)
{
	struct history *h = arg;
	const struct frame *f = &h->frames.v[frame].frame;
	struct place p = { f->object, (uint32_t)f->address, (int32_t)(f->address >> 32) };

	history_name(h, frame, &p, 1);
}

static bool matches(const regex_t *re, const char *name, const char *module)
{
	return re && (regexec(re, name, 0, NULL, 0) == 0 ||
		      (*module && regexec(re, module, 0, NULL, 0) == 0));
}

static unsigned match(struct sifting *s, uint32_t function)
{
	const struct function *f = &s->from->functions.list.v[function];
	const char *name = intern_get(&s->from->functions.strings, f->name);
	const char *module = intern_get(&s->from->functions.strings, f->module);
	uint8_t *m;

	while (s->matches.n <= function)
		*VEC_PUSH(&s->matches) = 0;
	m = &s->matches.v[function];
	if (!*m)
		*m =
		    (uint8_t)(MATCH_ASKED |
			      (matches(s->how->focus, name, module) ? MATCH_FOCUS : 0) |
			      (matches(s->how->ignore, name, module) ? MATCH_IGNORE : 0) |
			      (matches(s->how->hide, name, module) ? MATCH_HIDE : 0));
	return *m;
}

static uint32_t function_of(struct sifting *s, const struct place *p)
{
	const struct functions *fs = &s->from->functions;
	const struct function *f = &fs->list.v[p->function];
	const char *name = intern_get(&fs->strings, f->name);
	char with_line[RECORDING_STRING_MAX + 16];
	uint32_t id;

	while (s->function.n <= p->function)
		*VEC_PUSH(&s->function) = 0;
	if (!s->how->lines && s->function.v[p->function])
		return s->function.v[p->function] - 1;
	if (s->how->lines && p->line > 0) {
		snprintf(with_line, sizeof(with_line), "%s:%d", name, p->line);
		name = with_line;
	}
	id =
	    functions_intern(&s->to->functions, name, intern_get(&fs->strings, f->module),
			     f->kind, arena_str(&s->to->arena, f->runtime));
	s->to->functions.list.v[id].library = f->library;
	s->function.v[p->function] = id + 1;
	return id;
}

/* Adds the functions of one frame, innermost first. */
static unsigned add_frame(struct sifting *s, const struct history_frame *f)
{
	struct callstack *cs = &s->stack;
	unsigned met = 0;
	size_t i;

	for (i = 0; i < f->n_places && cs->depth < DEPTH_MAX; i++) {
		const struct place *p = &s->from->history.places.v[f->places + i];
		unsigned m = match(s, p->function);
		uint32_t file = p->file;

		met |= m;
		if (m & MATCH_HIDE)
			continue;
		if (file != NO_ID)
			file = intern_add(&s->to->functions.strings,
					  intern_get(&s->from->functions.strings, file));
		cs->frame[cs->depth++] =
		    frame_of(function_of(s, p), file, p->line, f->frame.kind);
	}
	return met;
}

static bool keep_stack(struct sifting *s, uint32_t node)
{
	const struct history *h = &s->from->history;
	unsigned met = 0;
	uint32_t up;

	if (s->verdict.v[node])
		return s->verdict.v[node] == KEPT;
	s->stack.depth = 0;
	for (up = node; up; up = h->nodes.v[up].parent)
		met |= add_frame(s, &h->frames.v[h->nodes.v[up].frame]);
	if ((s->how->focus && !(met & MATCH_FOCUS)) || (met & MATCH_IGNORE)) {
		s->verdict.v[node] = DROPPED;
		return false;
	}
	s->node.v[node] =
	    history_stack(&s->to->history, &s->stack, name_frame, &s->to->history);
	s->verdict.v[node] = KEPT;
	return true;
}

/* ---- threads ---- */

static bool wanted_word(const char *word, size_t n, const struct recording_thread *t)
{
	char pattern[256], tid[16];

	snprintf(pattern, sizeof(pattern), "%.*s", (int)n, word);
	snprintf(tid, sizeof(tid), "%d", t->tid);
	return strcmp(pattern, tid) == 0 || fnmatch(pattern, t->name, 0) == 0;
}

static bool wanted(const char *list, const struct recording_thread *t)
{
	if (!list)
		return true;
	for (;;) {
		size_t n = strcspn(list, ",");

		if (n && wanted_word(list, n, t))
			return true;
		if (!list[n])
			return false;
		list += n + 1;
	}
}

static void add_threads(struct sifting *s)
{
	size_t i, k;

	for (i = 0; i < s->from->threads.n; i++) {
		const struct recording_thread *t = &s->from->threads.v[i];
		struct recording *to = s->to;

		*VEC_PUSH(&s->thread) = 0;
		if (!wanted(s->how->threads, t))
			continue;
		for (k = 0; k < to->threads.n; k++)
			if (to->threads.v[k].tid == t->tid &&
			    to->threads.v[k].pid == t->pid &&
			    strcmp(to->threads.v[k].name, t->name) == 0)
				break;
		if (k == to->threads.n)
			*VEC_PUSH(&to->threads) = (struct recording_thread){
				t->pid, t->tid, arena_str(&to->arena, t->name),
				arena_str(&to->arena, t->process)
			};
		s->thread.v[i] = (uint32_t)k + 1;
	}
}

/* ---- all of it ---- */

static void add_runs(struct sifting *s, uint64_t offset, uint64_t from, uint64_t to)
{
	const struct history *h = &s->from->history;
	size_t i;

	for (i = 0; i < h->n_runs; i++) {
		const struct run *r = history_run(h, i);
		uint64_t time = r->time_ns - RECORDING_ZERO_NS;

		if ((from && time <= from) || time > to || !s->thread.v[r->thread] ||
		    !keep_stack(s, r->stack))
			continue;
		history_add(&s->to->history, RECORDING_ZERO_NS + offset + time - from,
			    s->thread.v[r->thread] - 1, s->node.v[r->stack],
			    run_weight(r), r->count, r->off_cpu);
	}
}

static void add_points(struct sifting *s, uint64_t offset, uint64_t from, uint64_t to)
{
	size_t i;

	for (i = 0; i < s->from->points.n; i++) {
		struct recording_point p = s->from->points.v[i];

		if (p.time_ns < from || p.time_ns > to)
			continue;
		p.time_ns += offset - from;
		p.name = intern_get(&s->to->functions.strings,
				    intern_add(&s->to->functions.strings, p.name));
		*VEC_PUSH(&s->to->points) = p;
	}
}

static const char *again(struct sifting *s, const char *text)
{
	struct intern *strings = &s->to->functions.strings;

	return intern_get(strings, intern_add(strings, text));
}

static void add_slow(struct sifting *s, uint64_t offset, uint64_t from, uint64_t to)
{
	size_t i;

	for (i = 0; i < s->from->slow.n; i++) {
		struct recording_slow c = s->from->slow.v[i];
		const struct recording_thread t = { 0, c.tid, c.thread, "" };

		if ((from && c.time_ns <= from) || c.time_ns > to ||
		    !wanted(s->how->threads, &t))
			continue;
		c.time_ns += offset - from;
		c.name = again(s, c.name);
		c.thread = again(s, c.thread);
		c.stack = again(s, c.stack);
		*VEC_PUSH(&s->to->slow) = c;
	}
}

static void add_durations(struct sifting *s, uint64_t offset, uint64_t from, uint64_t to)
{
	size_t i;

	for (i = 0; i < s->from->pauses.n; i++) {
		struct recording_pause p = s->from->pauses.v[i];

		if (p.time_ns < from || p.time_ns > to)
			continue;
		p.time_ns += offset - from;
		p.runtime = again(s, p.runtime);
		p.source = again(s, p.source);
		p.generation = again(s, p.generation);
		p.cause = again(s, p.cause);
		*VEC_PUSH(&s->to->pauses) = p;
	}
	for (i = 0; i < s->from->latencies.n; i++) {
		struct recording_latency l = s->from->latencies.v[i];

		if (l.time_ns < from || l.time_ns > to)
			continue;
		l.time_ns += offset - from;
		l.name = again(s, l.name);
		l.exactness = again(s, l.exactness);
		*VEC_PUSH(&s->to->latencies) = l;
	}
	add_slow(s, offset, from, to);
}

static void copy_session(struct recording *to, const struct recording *from)
{
	struct arena *a = &to->arena;

	to->id = arena_str(a, from->id);
	to->creator = arena_str(a, from->creator);
	to->host = arena_str(a, from->host);
	to->command = arena_str(a, from->command);
	to->cmdline = arena_str(a, from->cmdline);
	to->runtime = arena_str(a, from->runtime);
	to->backend = arena_str(a, from->backend);
	to->limits = arena_str(a, from->limits);
	to->cgroup = arena_str(a, from->cgroup);
	to->slow_ns = from->slow_ns;
	to->pid = from->pid;
	to->mode = from->mode;
	to->rate_hz = from->rate_hz;
	to->own_cpu_pct = from->own_cpu_pct;
	to->own_rss_bytes = from->own_rss_bytes;
	to->taken_pct = from->taken_pct;
	to->cpus = from->cpus;
	to->exit_status = from->exit_status;
	to->target_start_ns = from->target_start_ns;
	to->start_wall_ns = from->start_wall_ns;
	to->counted = from->counted;
}

static void add_one(struct sifting *s, const struct recording *from)
{
	struct recording *to = s->to;
	uint64_t end = from->duration_ns, begin = s->how->from_ns,
		 offset = to->duration_ns;
	enum loss l;
	size_t i;

	if (s->how->to_ns && s->how->to_ns < end)
		end = s->how->to_ns;
	s->from = from;
	VEC_CLEAR(&s->function);
	VEC_CLEAR(&s->matches);
	VEC_CLEAR(&s->node);
	VEC_CLEAR(&s->verdict);
	VEC_CLEAR(&s->thread);
	for (i = 0; i < from->history.nodes.n; i++) {
		*VEC_PUSH(&s->node) = 0;
		*VEC_PUSH(&s->verdict) = UNKNOWN;
	}
	add_threads(s);
	if (begin <= end) {
		add_runs(s, offset, begin, end);
		add_points(s, offset, begin, end);
		add_durations(s, offset, begin, end);
		to->duration_ns += end - begin;
	}
	to->samples += from->samples;
	to->samples_due += from->samples_due;
	to->broken += from->broken;
	to->refused += from->refused;
	to->interrupted |= from->interrupted;
	to->log_missing |= from->log_missing;
	for (l = 0; l < LOSS_COUNT; l++)
		to->lost[l] += from->lost[l];
}

struct recording *recording_sift(struct recording *const *in, size_t n,
				 const struct sift *how)
{
	struct sifting *s = xcalloc(1, sizeof(*s));
	struct recording *to = recording_new();
	size_t i;

	s->how = how;
	s->to = to;
	copy_session(to, in[0]);
	to->start_wall_ns += how->from_ns;
	for (i = 0; i < n; i++)
		add_one(s, in[i]);
	VEC_DONE(&s->function);
	VEC_DONE(&s->matches);
	VEC_DONE(&s->node);
	VEC_DONE(&s->verdict);
	VEC_DONE(&s->thread);
	free(s);
	return to;
}

/* ---- of a tree ---- */

#define WEIGHT_OF_A_RUN 1000000000000ull

static uint32_t kind_of(const struct snapshot_function *f)
{
	switch (f->kind) {
	case CODE_KERNEL:
		return FRAME_KERNEL;
	case CODE_JIT:
		return FRAME_JIT;
	case CODE_PYTHON:
		return FRAME_PYTHON;
	default:
		return FRAME_NATIVE;
	}
}

static struct frame tree_frame(struct recording *r, const struct snapshot_function *f)
{
	uint32_t id = functions_intern(&r->functions, f->name, f->module, f->kind,
				       arena_str(&r->arena, f->runtime));

	r->functions.list.v[id].library = f->library;
	return frame_of(id, *f->file ? intern_add(&r->functions.strings, f->file) : NO_ID,
			f->line, kind_of(f));
}

struct recording *recording_of_tree(const struct snapshot *s)
{
	struct recording *r = recording_new();
	struct callstack *cs = xcalloc(1, sizeof(*cs));
	size_t i;

	r->counted = true;
	r->rate_hz = s->rate_hz;
	r->command = arena_str(&r->arena, s->command);
	r->mode = s->mode;
	*VEC_PUSH(&r->threads) = (struct recording_thread){ 0, 0, "all", "" };
	for (i = 1; i < s->n_nodes; i++) {
		uint64_t left = s->nodes[i].self_ns;
		uint32_t node = (uint32_t)i;

		if (!left)
			continue;
		cs->depth = 0;
		for (; node && cs->depth < DEPTH_MAX; node = s->nodes[node].parent)
			cs->frame[cs->depth++] =
			    tree_frame(r, &s->functions[s->nodes[node].function]);
		node = history_stack(&r->history, cs, name_frame, &r->history);
		while (left && r->history.n_runs < RECORDING_RUNS - 1) {
			uint64_t part = left < WEIGHT_OF_A_RUN ? left : WEIGHT_OF_A_RUN;

			history_add(&r->history, RECORDING_ZERO_NS, 0, node, part, 1,
				    false);
			left -= part;
		}
	}
	free(cs);
	return r;
}
