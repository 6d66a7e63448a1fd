/* The values are read right after the stack, while most of its frames stand; of a thread
 * that runs they may be of the next moment. */
#include "app/dump_language.h"

#include <stdlib.h>
#include <string.h>

#include "app/engine_state.h"

#define VALUES_MAX 20000u

struct reading {
	struct engine *e;
	struct space *s;
	struct dump *d;
	dump_values *values;
	dump_pendings *tasks;
	uint32_t frame;
};

static void got_local(void *arg, const struct runtime_local *local)
{
	struct reading *r = arg;

	if (r->values->n >= VALUES_MAX)
		return;
	*VEC_PUSH(r->values) = (struct dump_value){
		r->frame,
		{ arena_str(&r->d->arena, local->name),
		  arena_str(&r->d->arena, local->value), local->argument },
	};
}

void dump_read_values(struct engine *e, struct space *s, struct dump *d, dump_values *out)
{
	struct reading r = { .e = e, .s = s, .d = d, .values = out };

	VEC_CLEAR(out);
	if (!s->runtime->locals)
		return;
	for (; r.frame < e->frame_addresses.n; r.frame++)
		if (!s->runtime->locals(s->reader, e->frame_addresses.v[r.frame],
					got_local, &r)) {
			d->locals_note = "values are not read in this version";
			return;
		}
}

static void got_task(void *arg, const struct runtime_task *task,
		     const struct callstack *cs)
{
	struct reading *r = arg;
	struct callstack *copy = &r->e->stack;
	struct dump_pending *p = VEC_PUSH(r->tasks);
	size_t bytes;

	copy->depth = 0;
	engine_interp_adopt(r->e, r->s, cs);
	bytes = offsetof(struct callstack, frame) + copy->depth * sizeof(copy->frame[0]);
	p->stack = xmalloc(bytes);
	memcpy(p->stack, copy, bytes);
	p->task = (struct dump_task){ .name = arena_str(&r->d->arena, task->name),
				      .state = arena_str(&r->d->arena, task->state),
				      .awaits = arena_str(&r->d->arena, task->awaits) };
}

void dump_read_tasks(struct engine *e, struct space *s, struct dump *d,
		     dump_pendings *out)
{
	struct reading r = { .e = e, .s = s, .d = d, .tasks = out };
	bool whole = true;

	d->tasks_note = "";
	if (!s || !s->reader)
		d->tasks_note = "no interpreter that ptop reads runs here";
	else if (!s->runtime->tasks ||
		 !s->runtime->tasks(s->reader, got_task, &r, &whole))
		d->tasks_note = "tasks are not read in this version";
	else if (!whole)
		d->tasks_note = "some may be missing: too many, changed while they "
				"were read, or kept where ptop cannot find them";
}
