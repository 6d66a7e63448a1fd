/* In which function threads wait for what: the stack of a thread that was found off the CPU is
 * read once in that wait, a few of all threads a second, and the time it goes on waiting belongs
 * to that stack. The innermost function of the program's own names it: that "acquire" of a
 * library waits for a lock helps nobody. */
#include <stdlib.h>

#include "app/latency.h"
#include "base/clock.h"

#define READ_NS (80 * NS_PER_MSEC) /* from one stack that is read to the next */
#define STACK_BYTES 8192u
#define PLACES_MOST 256u
#define PATH_LOOKED 256u

/* Waits whose rule can name a place. */
static bool is_told(enum wait_reason r)
{
	return r == WAIT_LOCK || r == WAIT_GIL || r == WAIT_DISK || r == WAIT_SOCKET ||
	       r == WAIT_CHILD;
}

/* The node of the thread's stack, 0: it woke, or may not be read. */
static uint32_t read_node(struct latency *l, uint32_t number)
{
	struct engine *e = l->e;
	const struct thread *t = &e->threads.v[number];
	struct thread_waits *tw = &l->waits.threads.v[number];
	struct space *s = engine_space(e, t->pid);
	struct blocked_thread b = { .pid = t->pid, .tid = t->tid, .files = tw->files };
	struct look look;
	bool read;

	if (!s)
		return 0;
	if (!e->look_buffer)
		e->look_buffer = xmalloc(BLOCKED_STACK_MAX);
	blocked_look(&b, e->look_buffer, STACK_BYTES, &look);
	read = look.state == LOOK_BLOCKED && engine_off_stack(e, s, &b, &look);
	tw->files = b.files;
	return read ? history_stack(&e->history, &e->stack, engine_name_frame, e) : 0;
}

static struct waited *place_of(struct waits_source *w, const struct waited *key)
{
	struct waited *p;
	size_t i;

	for (i = 0; i < w->waited.n; i++) {
		p = &w->waited.v[i];
		if (p->thread == key->thread && p->reason == key->reason &&
		    p->node == key->node && p->renumbered == key->renumbered)
			return p;
	}
	if (w->waited.n >= PLACES_MOST)
		return NULL;
	p = VEC_PUSH(&w->waited);
	*p = *key;
	return p;
}

void waited_note(struct latency *l, uint32_t number, enum wait_reason reason,
		 uint64_t span_ns, uint64_t now)
{
	struct waits_source *w = &l->waits;
	struct thread_waits *tw = &w->threads.v[number];
	struct waited *p;

	if (!is_told(reason))
		return;
	if (!tw->node || tw->renumbered != l->e->history.renumbered) {
		if (now < w->stack_ns)
			return;
		w->stack_ns = now + READ_NS;
		tw->node = read_node(l, number);
		tw->renumbered = l->e->history.renumbered;
	}
	if (!tw->node)
		return;
	p = place_of(w, &(struct waited){ .thread = number,
					  .reason = reason,
					  .node = tw->node,
					  .renumbered = tw->renumbered });
	if (p)
		p->now_ns += span_ns;
}

void waited_turn(struct waits_source *w)
{
	size_t i, kept = 0;

	for (i = 0; i < w->waited.n; i++) {
		struct waited p = w->waited.v[i];

		p.before_ns = p.now_ns;
		p.now_ns = 0;
		if (p.before_ns)
			w->waited.v[kept++] = p;
	}
	w->waited.n = kept;
}

/* The program's own function that is innermost, else the innermost of all. */
static uint32_t function_of(const struct engine *e, uint32_t node)
{
	const struct history *h = &e->history;
	uint32_t any = NO_ID;
	size_t depth;
	int i;

	for (depth = 0; node && depth < PATH_LOOKED; depth++) {
		const struct history_frame *f = &h->frames.v[h->nodes.v[node].frame];

		for (i = 0; i < f->n_places; i++) {
			uint32_t id = h->places.v[f->places + (uint32_t)i].function;
			const struct function *fn = &e->functions.list.v[id];

			if (fn->kind == CODE_MARK || fn->kind == CODE_KERNEL)
				continue;
			if (!fn->library)
				return id;
			any = any == NO_ID ? id : any;
		}
		node = h->nodes.v[node].parent;
	}
	return any;
}

const char *waited_most(const struct latency *l, enum wait_reason reason,
			const bool *counted)
{
	const struct waits_source *w = &l->waits;
	const struct engine *e = l->e;
	struct {
		uint32_t function;
		uint64_t ns;
	} sum[PLACES_MOST];
	size_t i, k, n = 0, best = 0;
	uint64_t all = 0;

	for (i = 0; i < w->waited.n; i++) {
		const struct waited *p = &w->waited.v[i];
		uint32_t function;

		if (p->reason != reason || p->renumbered != e->history.renumbered ||
		    p->thread >= e->threads.n || !counted[p->thread])
			continue;
		function = function_of(e, p->node);
		for (k = 0; k < n && sum[k].function != function; k++)
			;
		if (k == n)
			sum[n++].ns = 0;
		sum[k].function = function;
		sum[k].ns += p->now_ns + p->before_ns;
		all += p->now_ns + p->before_ns;
		if (sum[k].ns > sum[best].ns)
			best = k;
	}
	if (!all || sum[best].ns * 2 <= all || sum[best].function == NO_ID)
		return NULL;
	return intern_get(&e->functions.strings,
			  e->functions.list.v[sum[best].function].name);
}
