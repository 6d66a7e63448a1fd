/* The engine's half of naming: what is known is looked up at once (a binary search in an
 * immutable table), what is not is asked of the namer, and when it answers the frames of
 * that object are named again. Until then a frame belongs to one provisional row an
 * object. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/engine_state.h"
#include "base/clock.h"
#include "base/text.h"
#include "symbol/demangle.h"
#include "target/loader.h"

#define LINES_AT_ONCE 64u
#define RETRY_NS (2 * NS_PER_SEC)
#define JIT_STAMP_NS (1 * NS_PER_SEC)

static void ask(struct engine *e, struct name_job *job)
{
	e->jobs++;
	namer_ask(e->namer, job);
}

void engine_work(struct engine *e, struct work *work)
{
	struct name_job *job = name_job_new(NAME_WORK, objects_get(e->objects, 0));

	job->work = work;
	ask(e, job);
}

static struct object_names *names_of(struct engine *e, uint32_t object)
{
	while (e->names.n <= object)
		(void)VEC_PUSH(&e->names);
	return &e->names.v[object];
}

static uint32_t add_function(struct engine *e, const char *name, const char *module,
			     enum code_kind kind, const char *runtime)
{
	return functions_intern(&e->functions, name, module, kind, runtime);
}

static uint32_t symbol_function(struct engine *e, const struct symbols *symbols,
				uint64_t address, const char *module, enum code_kind kind,
				const char *runtime)
{
	char name[1024], raw[600];
	struct symbol sym;

	if (!symbols_find(symbols, address, &sym)) {
		snprintf(name, sizeof(name), "%s+?", module);
		return add_function(e, name, module, kind, runtime);
	}
	if (sym.name) {
		demangle(sym.name, name, sizeof(name));
		return add_function(e, name, module, kind, runtime);
	}
	snprintf(raw, sizeof(raw), "%s+0x%llx", module, (unsigned long long)sym.vaddr);
	return add_function(e, raw, module, kind, runtime);
}

static uint32_t kernel_function(struct engine *e, uint64_t address)
{
	struct object_names *k = &e->kernel_names;
	struct symbol sym;
	char name[256];

	if (!k->asked) {
		k->asked = true;
		ask(e, name_job_new(NAME_KERNEL, objects_get(e->objects, 0)));
	}
	if (!k->symbols || !symbols_find(k->symbols, address, &sym) || !sym.name)
		return add_function(e, "[kernel]", "[kernel]", CODE_KERNEL, "kernel");
	clean_copy(name, sizeof(name), sym.name, strlen(sym.name));
	return add_function(e, name, "[kernel]", CODE_KERNEL, "kernel");
}

static uint32_t jit_function(struct engine *e, const struct frame *f)
{
	const struct object *o = objects_get(e->objects, f->object);
	struct object_names *n = names_of(e, f->object);
	uint64_t now = clock_now_ns();
	struct name_job *job;
	struct symbol sym;
	char name[1024];

	if (n->symbols && symbols_find(n->symbols, f->address, &sym) && sym.name) {
		clean_copy(name, sizeof(name), sym.name, strlen(sym.name));
		return add_function(e, name, "[jit]", CODE_JIT, "jit");
	}
	if (!n->asked && now - n->stamp_ns > JIT_STAMP_NS) {
		n->stamp_ns = now;
		n->asked = true;
		job = name_job_new(NAME_JIT, o);
		job->stamp = n->stamp;
		ask(e, job);
	}
	return add_function(e, "[jit code]", "[jit]", CODE_JIT, "jit");
}

static uint32_t file_function(struct engine *e, const struct frame *f)
{
	const struct object *o = objects_get(e->objects, f->object);
	struct object_names *n = names_of(e, f->object);
	enum code_kind kind = o->main ? CODE_APP : CODE_LIBRARY;
	char name[300];

	if (!n->asked) {
		n->asked = true;
		ask(e, name_job_new(NAME_OBJECT, o));
	}
	if (n->symbols)
		return symbol_function(e, n->symbols, f->address, o->name, kind,
				       "native");
	/* Being loaded, or could not be: one row for all of the file. */
	snprintf(name, sizeof(name),
		 n->retry_gap_ns ? "%s (does not answer)"
		 : n->answered	 ? "%s+?"
				 : "%s (loading names)",
		 o->name);
	return add_function(e, name, o->name, kind, "native");
}

const struct symbols *engine_symbols(struct engine *e, const struct object *o,
				     bool *failed)
{
	struct object_names *n = names_of(e, o->id);

	if (!n->asked) {
		n->asked = true;
		ask(e, name_job_new(NAME_OBJECT, o));
	}
	*failed = n->answered && !n->symbols;
	return n->symbols;
}

/* "json/decoder.py" of ".../lib/python3.12/json/decoder.py": where it was installed says nothing
 * about a library. Of the program's own files the whole path is kept. */
static const char *module_of(const struct runtime_function *fn)
{
	static const char *const roots[] = { "/site-packages/", "/dist-packages/",
					     "/lib/python" };
	size_t i;

	for (i = 0; fn->library && i < sizeof(roots) / sizeof(roots[0]); i++) {
		const char *at = strstr(fn->file, roots[i]);

		if (!at)
			continue;
		at = strchr(at + strlen(roots[i]) - 1, '/');
		if (at && at[1])
			return at + 1;
	}
	return fn->file;
}

static void python_place(struct engine *e, const struct frame *f, struct place *out)
{
	const struct space *s = engine_interp_space(e, f->object);
	const struct runtime_function *fn =
	    s && s->reader
		? s->runtime->function(s->reader, f->object & ((1u << INTERP_SHIFT) - 1))
		: NULL;

	if (!fn) {
		out->function = add_function(e, "[gone]", "", CODE_PYTHON, "python");
		return;
	}
	out->function =
	    add_function(e, fn->name, module_of(fn), CODE_PYTHON, s->runtime->name);
	e->functions.list.v[out->function].library = fn->library;
	out->file = intern_add(&e->functions.strings, fn->file);
	out->line = (int32_t)f->address;
}

size_t engine_places(struct engine *e, const struct frame *f,
		     struct place out[INLINE_DEPTH_MAX])
{
	out[0] = (struct place){ .file = NO_ID };
	switch ((enum frame_kind)f->kind) {
	case FRAME_KERNEL:
		out[0].function = kernel_function(e, f->address);
		break;
	case FRAME_JIT:
		out[0].function = jit_function(e, f);
		break;
	case FRAME_NATIVE:
		out[0].function = file_function(e, f);
		break;
	case FRAME_PYTHON:
		python_place(e, f, &out[0]);
		break;
	default:
		out[0].function =
		    add_function(e, frame_mark_name(f->address), "", CODE_MARK, "");
		break;
	}
	return 1;
}

void engine_name_frame(void *engine, uint32_t frame)
{
	struct engine *e = engine;
	struct place places[INLINE_DEPTH_MAX];
	struct frame f = e->history.frames.v[frame].frame;
	size_t n = engine_places(e, &f, places);

	history_name(&e->history, frame, places, n);
}

static void name_again(struct engine *e, enum frame_kind kind, uint32_t object)
{
	size_t i;

	for (i = 0; i < e->history.frames.n; i++) {
		struct history_frame *f = &e->history.frames.v[i];

		if (f->frame.kind == kind && f->frame.object == object) {
			f->asked = false;
			engine_name_frame(e, (uint32_t)i);
		}
	}
}

static void take_symbols(struct engine *e, struct name_job *job)
{
	struct object_names *n =
	    job->kind == NAME_KERNEL ? &e->kernel_names : names_of(e, job->object->id);

	if (job->kind == NAME_JIT) {
		n->asked = false; /* it may grow */
		if (job->same || job->unanswered)
			return;
		n->stamp = job->stamp;
	}
	symbols_free(n->symbols);
	n->symbols = job->symbols;
	job->symbols = NULL;
	n->answered = true;
	if (job->failed && job->kind != NAME_JIT && !n->retry_gap_ns) {
		e->lost[LOSS_NAMES]++;
		engine_say(e, job->unanswered, "No names for %s: %s", job->object->name,
			   job->message);
	}
	if (!job->failed && job->message[0]) {
		e->lost[LOSS_NAMES]++;
		engine_say(e, true, "%s: %s", job->object->name, job->message);
	}
	if (job->unanswered) {
		n->retry_gap_ns = n->retry_gap_ns ? 2 * n->retry_gap_ns : RETRY_NS;
		n->retry_ns = clock_now_ns() + n->retry_gap_ns;
	} else {
		if (n->retry_gap_ns)
			engine_say(e, false, "%s answers again", job->object->name);
		n->retry_gap_ns = n->retry_ns = 0;
	}
	name_again(e,
		   job->kind == NAME_KERNEL ? FRAME_KERNEL
		   : job->kind == NAME_JIT  ? FRAME_JIT
					    : FRAME_NATIVE,
		   job->object->id);
}

/* The last place is the function the symbol table names: it keeps its row. */
static void take_address(struct engine *e, const struct object *o,
			 const struct named_address *a)
{
	struct frame f = { .kind = FRAME_NATIVE, .object = o->id, .address = a->address };
	uint32_t frame = history_find(&e->history, &f);
	struct place places[INLINE_DEPTH_MAX], own;
	size_t i, n = a->n_places < INLINE_DEPTH_MAX ? a->n_places : INLINE_DEPTH_MAX;

	if (frame == NO_ID || n == 0)
		return;
	own.function = file_function(e, &f);
	for (i = 0; i < n; i++) {
		const struct named_place *from = &a->places[i];

		places[i].function =
		    i + 1 < n && from->function
			? add_function(e, from->function, o->name,
				       o->main ? CODE_APP : CODE_LIBRARY, "native")
			: own.function;
		places[i].line = from->line;
		places[i].file =
		    from->file ? intern_add(&e->functions.strings, from->file) : NO_ID;
	}
	history_name(&e->history, frame, places, n);
}

static void say_lines(struct engine *e, const struct name_job *job)
{
	struct object_names *n = names_of(e, job->object->id);

	if (!job->message[0] || job->unanswered || n->lines_said)
		return;
	n->lines_said = true;
	engine_say(e, true, "%s: %s", job->object->name, job->message);
}

/* Files that did not answer are asked again. */
static void ask_again(struct engine *e, uint64_t now_ns)
{
	size_t i;

	if (now_ns < e->names_again_ns)
		return;
	e->names_again_ns = now_ns + RETRY_NS / 4;
	namer_watch(e->namer, now_ns);
	for (i = 0; i < e->names.n; i++) {
		struct object_names *n = &e->names.v[i];
		const struct object *o = objects_get(e->objects, (uint32_t)i);

		if (!n->retry_ns || now_ns < n->retry_ns || !object_answers(o))
			continue;
		n->retry_ns = 0;
		ask(e, name_job_new(NAME_OBJECT, o));
	}
}

void engine_answers(struct engine *e)
{
	struct name_job *job = namer_answers(e->namer);

	ask_again(e, clock_now_ns());

	while (job) {
		struct name_job *next = (struct name_job *)job->parcel.next;
		size_t i;

		e->jobs--;
		if (job->kind == NAME_SAVE) {
			engine_say(e, job->failed, "%s", job->message);
			if (!e->config.wait_names) /* a table more is not asked for */
				engine_publish(e, clock_now_ns());
		} else if (job->kind == NAME_WORK) {
			job->work->done(job->work);
		} else if (job->kind == NAME_LINES) {
			say_lines(e, job);
			for (i = 0; i < job->n_addresses; i++)
				if (job->addresses[i].n_places)
					take_address(e, job->object, &job->addresses[i]);
		} else {
			take_symbols(e, job);
		}
		name_job_free(job);
		job = next;
	}
}

/* Lines inside of the system's own libraries are seldom what somebody looks for, and their debug
 * files are large and compressed: the live screen does without, a file or a dump gets them. */
static bool is_system(const struct object *o)
{
	return !o->main &&
	       (strncmp(o->path, "/usr/lib", 8) == 0 || strncmp(o->path, "/lib", 4) == 0);
}

void engine_want_all_lines(struct engine *e)
{
	size_t i;

	e->all_lines = true;
	for (i = 0; i < e->history.frames.n; i++) {
		struct history_frame *f = &e->history.frames.v[i];

		if (f->frame.kind == FRAME_NATIVE &&
		    is_system(objects_get(e->objects, f->frame.object)))
			f->asked = false; /* it was passed over */
	}
}

static void ask_object_lines(struct engine *e, uint32_t object, const uint32_t *frames,
			     size_t n)
{
	const struct object *o = objects_get(e->objects, object);
	struct name_job *job;
	size_t i;

	if (!o || o->kind != OBJECT_FILE || (!e->all_lines && is_system(o)))
		return;
	job = name_job_new(NAME_LINES, o);
	job->addresses = arena_alloc(&job->arena, n * sizeof(*job->addresses));
	for (i = 0; i < n; i++) {
		const struct frame *f = &e->history.frames.v[frames[i]].frame;

		if (f->object == object)
			job->addresses[job->n_addresses++] =
			    (struct named_address){ .address = f->address };
	}
	ask(e, job);
}

/* By the sums of the last live picture where there is one, else by those of all runs. */
static size_t wanted_lines(struct engine *e, double least_pct, uint32_t *frames)
{
	struct picture_query q = { .end_ns = engine_picture_ns(e), .mode = e->mode };
	const struct follow *f = &e->live.follow;
	struct sums all = { 0 };
	size_t n;

	if (!e->finished && f->valid && f->numbering == e->history.numbering)
		return picture_wants_lines(&e->history, &f->sums, least_pct, frames,
					   LINES_AT_ONCE);
	picture_sums(&e->history, &q, &all);
	n = picture_wants_lines(&e->history, &all, least_pct, frames, LINES_AT_ONCE);
	sums_done(&all);
	return n;
}

void engine_ask_lines(struct engine *e, double least_pct)
{
	uint32_t frames[LINES_AT_ONCE];
	size_t i, k, n = wanted_lines(e, least_pct, frames);

	for (i = 0; i < n; i++) {
		uint32_t object = e->history.frames.v[frames[i]].frame.object;
		bool first = true;

		for (k = 0; k < i && first; k++)
			first = e->history.frames.v[frames[k]].frame.object != object;
		if (first)
			ask_object_lines(e, object, frames, n);
	}
}

void engine_naming_done(struct engine *e)
{
	size_t i;

	for (i = 0; i < e->names.n; i++)
		symbols_free(e->names.v[i].symbols);
	symbols_free(e->kernel_names.symbols);
	VEC_DONE(&e->names);
}
