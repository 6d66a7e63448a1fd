/* asyncio's tasks, suspended ones too: from the sets that asyncio.tasks keeps of them and,
 * since 3.14, from the rings of the C module (asyncio.c).
 *
 * A task has a coroutine; a suspended coroutine's frame holds, on top of its operands, what
 * it awaits: another coroutine, whose frame is the next one inwards, or an iterator over a
 * future. The future the whole task waits for stands in the task, before its coroutine; where
 * that is in a task of the C module differs by version and is found by looking for the
 * coroutine once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "runtime/python/objects.h"

#define CHAIN_MAX 256u
#define SET_SLOTS_MAX (1u << 20)
#define NAME_CHARS 80u
#define TASK_BYTES 256u
#define CHILDREN_SHOWN 4u

/* Behind an object's head. */
enum {
	SET_MASK = 32,
	SET_TABLE = 40,
	SET_ENTRY = 16,
	LIST_ITEMS = 24,
	WEAKREF_OBJECT = 16,
	WRAPPED = 16, /* what a FutureIter, coroutine_wrapper or asend is of */
};

/* Of generators: where their frame is; to 3.10 a pointer to it. */
struct places {
	int minor;
	uint32_t frame, state;
	uint32_t top, stack; /* to 3.10: f_stacktop or f_stackdepth, f_valuestack */
};

static const struct places rows[] = {
	{ 8, 16, 0, 72, 64 },
	{ 10, 16, 0, 80, 64 },
	{ 11, 80, 75, 0, 0 },
	{ 12, 72, 67, 0, 0 },
};

struct listing {
	struct python_reader *r;
	const struct places *at;
	uint64_t *task; /* addresses */
	size_t n, cap;
	bool cut;
	uint64_t current[64];
	size_t n_current;
	uint32_t coroutine; /* offset in a C task, 0 not known yet */
	uint64_t frame[CHAIN_MAX];
	runtime_got_task *got;
	void *arg;
};

static const struct places *places_of(int minor)
{
	size_t i = sizeof(rows) / sizeof(rows[0]);

	while (--i > 0 && rows[i].minor > minor)
		;
	return &rows[i];
}

/* ---- Which tasks ------------------------------------------------------------------- */

static void add_task(struct listing *l, uint64_t task)
{
	size_t i;

	if (!task)
		return;
	if (l->n >= PYTHON_TASKS_MAX) {
		l->cut = true;
		return;
	}
	for (i = 0; i < l->n && l->n < 512; i++) /* eager ones may be in both sets */
		if (l->task[i] == task)
			return;
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->task = xrealloc(l->task, l->cap * sizeof(*l->task));
	}
	l->task[l->n++] = task;
}

static void add_set(struct listing *l, uint64_t set, bool weak)
{
	struct python_reader *r = l->r;
	uint64_t table = python_word(r, set + SET_TABLE),
		 slots = python_word(r, set + SET_MASK) + 1;
	unsigned char *p;
	size_t i;

	if (!set || !table || slots == 0 || slots > SET_SLOTS_MAX)
		return;
	p = try_alloc((size_t)slots, SET_ENTRY, SET_SLOTS_MAX * SET_ENTRY);
	if (p && batch_read(&r->side, table, p, (size_t)slots * SET_ENTRY))
		for (i = 0; i < slots; i++) {
			uint64_t key = python_u64(p + i * SET_ENTRY);

			if (key && weak)
				key = python_word(r, key + WEAKREF_OBJECT);
			add_task(l, key);
		}
	free(p);
}

static void note_current(struct listing *l, uint64_t dict)
{
	struct python_entries e = { 0 };
	uint64_t keys, values;
	size_t i;

	if (!dict || !python_dict_parts(l->r, dict, &keys, &values) ||
	    !python_entries_read(l->r, keys, &e))
		return;
	for (i = 0; i < e.n && l->n_current < 64; i++) {
		uint64_t task = python_entry_value(l->r, &e, i, values);

		if (task)
			l->current[l->n_current++] = task;
	}
	free(e.p);
}

static void find_tasks(struct listing *l, const struct python_interpreter *p)
{
	static const char *const weak[] = { "_all_tasks", "_scheduled_tasks" };
	struct python_reader *r = l->r;
	size_t i;

	python_keys_allow(r);
	for (i = 0; i < 2; i++) {
		uint64_t set = python_module_get(r, p, "asyncio.tasks", weak[i]);

		if (set)
			add_set(l, python_attribute(r, set, "data"), true);
	}
	add_set(l, python_module_get(r, p, "asyncio.tasks", "_eager_tasks"), false);
	note_current(l, python_module_get(r, p, "asyncio.tasks", "_current_tasks"));
}

static void got_address(void *arg, uint64_t task, bool running)
{
	struct listing *l = arg;

	if (!running)
		add_task(l, task);
	else if (l->n_current < 64)
		l->current[l->n_current++] = task;
}

/* ---- One task ---------------------------------------------------------------------- */

static bool is_coroutine(struct python_reader *r, uint64_t object)
{
	char type[PYTHON_TYPE_NAME];

	return object && object % 8 == 0 &&
	       python_type_name(r, object, type, sizeof(type)) &&
	       (strcmp(type, "coroutine") == 0 || strcmp(type, "generator") == 0 ||
		strcmp(type, "async_generator") == 0);
}

/* In a C task: 0 when none is there, as of one that is done. */
static uint64_t coroutine_of(struct listing *l, uint64_t task)
{
	uint32_t at;

	if (l->coroutine)
		return python_word(l->r, task + l->coroutine);
	for (at = 24; at < TASK_BYTES; at += 8) {
		uint64_t object = python_word(l->r, task + at);

		if (is_coroutine(l->r, object)) {
			l->coroutine = at;
			return object;
		}
	}
	return 0;
}

struct task {
	uint64_t coroutine, waiter, name;
};

static bool read_task(struct listing *l, uint64_t address, struct task *out)
{
	struct python_reader *r = l->r;
	char type[PYTHON_TYPE_NAME];

	*out = (struct task){ 0 };
	if (!python_type_name(r, address, type, sizeof(type)))
		return false;
	python_keys_allow(r);
	out->coroutine = strstr(type, "_PyTask") || strcmp(type, "Task") == 0
			     ? python_attribute(r, address, "_coro")
			     : 0;
	if (out->coroutine) {
		out->waiter = python_attribute(r, address, "_fut_waiter");
		out->name = python_attribute(r, address, "_name");
		return true;
	}
	out->coroutine = coroutine_of(l, address);
	if (!is_coroutine(r, out->coroutine))
		return false;
	out->waiter = python_word(r, address + l->coroutine - 8);
	out->name = python_word(r, address + l->coroutine + 8);
	return true;
}

static void put_name(struct listing *l, uint64_t object, struct text *out)
{
	char type[PYTHON_TYPE_NAME];

	if (!python_type_name(l->r, object, type, sizeof(type)))
		text_char(out, '?');
	else if (strcmp(type, "int") == 0) /* 3.12+: made when asked for */
		text_fmt(out, "Task-%llu", (unsigned long long)python_int(l->r, object));
	else if (strcmp(type, "str") != 0 ||
		 !python_text(l->r, object, NAME_CHARS, out) || !out->n)
		text_char(out, '?');
}

/* ---- What it waits for ------------------------------------------------------------- */

static const char *last_part(const char *type)
{
	const char *dot = strrchr(type, '.');

	return dot && dot[1] ? dot + 1 : type;
}

static void put_future(struct listing *l, uint64_t object, bool inside, struct text *out);

static void put_children(struct listing *l, uint64_t gathering, struct text *out)
{
	struct python_reader *r = l->r;
	uint64_t list = python_attribute(r, gathering, "_children");
	uint64_t n = list ? python_word(r, list + r->layout.object_size) : 0;
	uint64_t items = python_word(r, list + LIST_ITEMS), i;

	text_fmt(out, "gather of %llu", (unsigned long long)n);
	for (i = 0; i < n && i < CHILDREN_SHOWN; i++) {
		text_str(out, i ? ", " : ": ");
		put_future(l, python_word(r, items + 8 * i), true, out);
	}
	text_str(out, i < n ? ", ..." : "");
}

static void put_future(struct listing *l, uint64_t object, bool inside, struct text *out)
{
	char type[PYTHON_TYPE_NAME];
	struct task task;

	if (!object || !python_type_name(l->r, object, type, sizeof(type)) ||
	    strcmp(type, "NoneType") == 0)
		return;
	if (strstr(type, "Task") && read_task(l, object, &task)) {
		text_str(out, "task ");
		put_name(l, task.name, out);
	} else if (!inside && strstr(type, "GatheringFuture")) {
		put_children(l, object, out);
	} else {
		text_str(out, last_part(type));
	}
}

/* ---- Its stack --------------------------------------------------------------------- */

enum state { STATE_NEW, STATE_SUSPENDED, STATE_RUNNING, STATE_DONE };

/* To 3.10 of the frame's own state; a frame that has not begun has no last instruction. */
static enum state state_of(struct listing *l, uint64_t generator, uint64_t *frame)
{
	struct python_reader *r = l->r;
	int8_t state;

	if (r->layout.minor <= 10) {
		*frame = python_word(r, generator + l->at->frame);
		if (!*frame)
			return STATE_DONE;
		return (int32_t)python_word(r, *frame + r->layout.frame_instr) < 0
			   ? STATE_NEW
			   : STATE_SUSPENDED;
	}
	*frame = generator + l->at->frame;
	if (!batch_read(&r->side, generator + l->at->state, &state, 1))
		return STATE_DONE;
	if (r->layout.minor >= 15) /* 1 to 3: suspended, in three ways */
		return state < 0 || state > 4 ? STATE_DONE
		       : state == 0	      ? STATE_NEW
		       : state == 4	      ? STATE_RUNNING
					      : STATE_SUSPENDED;
	if (state > 0)
		return STATE_DONE;
	if (state == 0)
		return STATE_RUNNING;
	return state == (r->layout.minor >= 13 ? -3 : -2) ? STATE_NEW : STATE_SUSPENDED;
}

/* The top of a suspended frame's operands; in 3.15 a place may follow it that is empty or
 * holds a number. */
static uint64_t awaited_since_14(struct python_reader *r, uint64_t frame)
{
	uint64_t top = python_word(r, frame + r->layout.frame_stack), object;

	if (top < frame + r->layout.frame_bytes + 8 || top > frame + 65536 * 8)
		return 0;
	object = python_reference(r, python_word(r, top - 8));
	if (object || top < frame + r->layout.frame_bytes + 16)
		return object;
	return python_reference(r, python_word(r, top - 16));
}

static uint64_t awaited_by(struct listing *l, uint64_t frame)
{
	struct python_reader *r = l->r;
	uint64_t top;

	if (r->layout.minor >= 14)
		return awaited_since_14(r, frame);
	if (r->layout.minor <= 9) {
		top = python_word(r, frame + l->at->top);
		return top ? python_word(r, top - 8) : 0;
	}
	top = python_word(r, frame + (l->at->top ? l->at->top : r->layout.frame_stack)) &
	      0xffffffff;
	if (top == 0 || top > 65536)
		return 0;
	if (l->at->top)
		return python_word(r,
				   python_word(r, frame + l->at->stack) + 8 * (top - 1));
	return python_word(r, frame + r->layout.frame_bytes + 8 * (top - 1));
}

/* The coroutine inside what is awaited; 0: it is none. */
static uint64_t inner_of(struct listing *l, uint64_t object)
{
	char type[PYTHON_TYPE_NAME];

	if (is_coroutine(l->r, object))
		return object;
	if (!object || !python_type_name(l->r, object, type, sizeof(type)) ||
	    (strcmp(type, "coroutine_wrapper") != 0 &&
	     strncmp(type, "async_generator_a", 17) != 0))
		return 0;
	object = python_word(l->r, object + WRAPPED);
	return is_coroutine(l->r, object) ? object : 0;
}

static void push(struct python_reader *r, uint64_t frame)
{
	const struct python_layout *l = &r->layout;
	struct python_code *code =
	    python_code(r, python_word(r, frame + l->frame_code) & ~7ull);
	struct callstack *cs = &r->stack;
	uint64_t instr = python_word(r, frame + l->frame_instr);
	int64_t offset;

	if (!code)
		return;
	if (l->minor <= 10)
		offset = (int64_t)(int32_t)instr * (l->minor == 10 ? 2 : 1);
	else
		offset = (int64_t)(instr - code->bytecode);
	if (offset >= (int64_t)code->bytecode_bytes)
		return;
	cs->frame[cs->depth++] = (struct frame){
		.address = python_code_line(r, code, offset),
		.object = code->function,
		.kind = FRAME_PYTHON,
	};
}

/* From the task's coroutine inwards; the stack begins with the innermost. */
static enum state read_stack(struct listing *l, uint64_t coroutine)
{
	enum state first = STATE_DONE, state;
	struct callstack *cs = &l->r->stack;
	size_t n = 0;

	cs->depth = 0;
	cs->truncated = cs->inferred = cs->stitched = false;
	while (coroutine && n < CHAIN_MAX) {
		state = state_of(l, coroutine, &l->frame[n]);
		if (n == 0)
			first = state;
		if (state == STATE_DONE)
			break;
		n++;
		if (state != STATE_SUSPENDED)
			break;
		coroutine = inner_of(l, awaited_by(l, l->frame[n - 1]));
	}
	cs->truncated = n == CHAIN_MAX;
	cs->complete = !cs->truncated;
	while (n > 0)
		push(l->r, l->frame[--n]);
	return first;
}

static bool is_current(const struct listing *l, uint64_t task)
{
	size_t i;

	for (i = 0; i < l->n_current; i++)
		if (l->current[i] == task)
			return true;
	return false;
}

static void give(struct listing *l, uint64_t address)
{
	static const char *const words[] = { "not started", "suspended", "running",
					     "done" };
	struct text name = { 0 }, awaits = { 0 };
	struct task task;
	enum state state;

	if (!read_task(l, address, &task))
		return;
	state = read_stack(l, task.coroutine);
	if (state == STATE_DONE)
		return;
	if (is_current(l, address))
		state = STATE_RUNNING;
	put_name(l, task.name, &name);
	put_future(l, task.waiter, false, &awaits);
	l->got(l->arg,
	       &(struct runtime_task){ name.p, words[state], awaits.n ? awaits.p : "" },
	       &l->r->stack);
	text_done(&name);
	text_done(&awaits);
}

/* Are tasks those of the C module? */
static bool uses_module(struct python_reader *r)
{
	size_t i;

	python_keys_allow(r);
	for (i = 0; i < r->interpreters.n; i++)
		if (python_module_get(r, &r->interpreters.v[i], "asyncio.tasks",
				      "_c_all_tasks"))
			return true;
	return false;
}

bool python_tasks(struct python_reader *r, runtime_got_task *got, void *arg, bool *whole)
{
	struct listing l = {
		.r = r, .at = places_of(r->layout.minor), .got = got, .arg = arg
	};
	struct python_asyncio a;
	bool rings;
	size_t i;

	if (r->layout.minor > PYTHON_OBJECTS_NEWEST || r->layout.free_threaded)
		return false;
	r->now_ns = clock_now_ns();
	rings = r->layout.minor >= 14 && python_asyncio_find(r, &a);
	if (rings)
		l.coroutine = a.coroutine;
	else if (r->layout.minor >= 14)
		l.cut = uses_module(r); /* and its table is not to be found */
	for (i = 0; i < r->interpreters.n; i++) {
		find_tasks(&l, &r->interpreters.v[i]);
		if (rings &&
		    !python_asyncio_tasks(r, &r->interpreters.v[i], &a, got_address, &l))
			l.cut = true;
	}
	for (i = 0; i < l.n; i++)
		give(&l, l.task[i]);
	free(l.task);
	*whole = !l.cut;
	return true;
}
