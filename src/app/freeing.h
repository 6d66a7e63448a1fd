/* Bursts of freeing in interpreted targets, whose machine stacks nobody samples: a few user
 * samples a second beside the looks at the language's stacks. Owner: the GC part. */
#ifndef PTOP_APP_FREEING_H
#define PTOP_APP_FREEING_H

#include "app/gc_samples.h"

struct freeing;

struct freeing *freeing_new(struct engine *e);
void freeing_free(struct freeing *f);
/* The target is gone or another program. */
void freeing_stop(struct freeing *f);
/* Opens, drains and tells `to` when due. */
void freeing_turn(struct freeing *f, struct gc_samples *to, uint64_t now_ns);
uint64_t freeing_due_ns(const struct freeing *f);
/* Says in a snapshot why bursts are not looked for, when they are not. */
void freeing_put(const struct freeing *f, struct arena *arena, struct snapshot_gc *out);

#endif
