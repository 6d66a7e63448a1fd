/* The innermost function that is neither the kernel's nor a word of ours is where a thread
 * "is"; the word ("[lock wait]") says what it does there. */
#include "model/threads_now.h"

#include <string.h>

void threads_now(const struct history *h, uint64_t end_ns, uint64_t span_ns,
		 struct thread_now *out, size_t n)
{
	uint64_t from = span_ns < end_ns ? end_ns - span_ns : 0;
	uint64_t cell_ns = span_ns / TREND_CELLS + 1;
	size_t i;

	for (i = 0; i < n; i++)
		out[i].cell_ns = cell_ns;
	for (i = history_since(h, from); i < h->n_runs; i++) {
		const struct run *r = history_run(h, i);

		if (r->time_ns <= from || r->time_ns > end_ns || r->thread >= n)
			continue;
		if (r->time_ns >= out[r->thread].time_ns) {
			out[r->thread].time_ns = r->time_ns;
			out[r->thread].stack = r->stack;
		}
		if (!r->off_cpu)
			out[r->thread].on_ns[(r->time_ns - from - 1) / cell_ns] +=
			    run_weight(r);
	}
}

static const char *string_of(const struct functions *fs, struct arena *a, uint32_t id)
{
	return id == NO_ID ? "" : arena_str(a, intern_get(&fs->strings, id));
}

/* False for frames that say only how it waits. */
static bool put_place(const struct functions *fs, const struct place *p, struct arena *a,
		      struct snapshot_thread *out)
{
	const struct function *f = &fs->list.v[p->function];

	if (f->kind == CODE_MARK && !out->wait[0])
		out->wait = string_of(fs, a, f->name);
	/* The kernel's function stays when there is nothing further out. */
	if (f->kind != CODE_MARK) {
		out->top = string_of(fs, a, f->name);
		out->top_file = string_of(fs, a, p->file);
		out->top_line = p->line;
	}
	return f->kind != CODE_MARK && f->kind != CODE_KERNEL;
}

void threads_now_put(const struct history *h, const struct functions *fs,
		     const struct thread_now *now, struct arena *arena,
		     struct snapshot_thread *out)
{
	uint32_t node;
	size_t i;

	for (i = 0; i < TREND_CELLS; i++) {
		uint64_t level = now->on_ns[i] * 255 / now->cell_ns;

		out->trend[i] = (uint8_t)(level < 255 ? level : 255);
	}
	for (node = now->stack; node; node = h->nodes.v[node].parent) {
		const struct history_frame *f = &h->frames.v[h->nodes.v[node].frame];

		if (f->n_places && put_place(fs, &h->places.v[f->places], arena, out))
			return;
	}
}
