/* The table of parts and the loops over it. */
#include "app/part.h"

#include "app/engine_state.h"

#define PART(name) &name##_part,
const struct part *const parts[] = {
#include "app/parts.def"
	NULL
};
#undef PART

#define EACH_PART(e, i)            \
	for (i = 0; parts[i]; i++) \
		if ((e)->part_states[i])

void parts_open(struct engine *e)
{
	size_t i;

	for (i = 0; parts[i]; i++)
		e->part_states[i] = parts[i]->open(e);
}

void parts_close(struct engine *e)
{
	size_t i;

	EACH_PART(e, i)
	{
		parts[i]->close(e->part_states[i]);
		e->part_states[i] = NULL;
	}
}

void parts_turn(struct engine *e, uint64_t now_ns)
{
	size_t i;

	EACH_PART(e, i)
	if (parts[i]->turn)
		parts[i]->turn(e->part_states[i], now_ns);
}

uint64_t parts_due(const struct engine *e)
{
	uint64_t due = UINT64_MAX;
	size_t i;

	EACH_PART(e, i)
	{
		uint64_t t =
		    parts[i]->due_ns ? parts[i]->due_ns(e->part_states[i]) : UINT64_MAX;

		due = t < due ? t : due;
	}
	return due;
}

size_t parts_fds(struct engine *e, struct pollfd *fds, size_t max)
{
	size_t i, n = 0;

	EACH_PART(e, i)
	if (parts[i]->fds)
		n += parts[i]->fds(e->part_states[i], fds + n, max - n);
	return n;
}

bool parts_command(struct engine *e, const struct command *c)
{
	size_t i;

	EACH_PART(e, i)
	if (parts[i]->command && parts[i]->command(e->part_states[i], c))
		return true;
	return false;
}

void parts_reset(struct engine *e)
{
	size_t i;

	EACH_PART(e, i)
	if (parts[i]->reset)
		parts[i]->reset(e->part_states[i]);
}

void parts_changed(struct engine *e)
{
	size_t i;

	EACH_PART(e, i)
	if (parts[i]->changed)
		parts[i]->changed(e->part_states[i]);
}

void parts_ended(struct engine *e)
{
	size_t i;

	EACH_PART(e, i)
	if (parts[i]->ended)
		parts[i]->ended(e->part_states[i]);
}

void parts_put(struct engine *e, struct snapshot *s)
{
	size_t i;

	EACH_PART(e, i)
	parts[i]->put(e->part_states[i], s);
}
