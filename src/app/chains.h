/* Stacks of a language that come with the samples, copied in the kernel at the same instant
 * (sample/chain.h), where ptop may and the kernel can. Else ticks.c reads them by a clock. */
#ifndef PTOP_APP_CHAINS_H
#define PTOP_APP_CHAINS_H

#include "app/engine_state.h"

/* Gets ready to, if there is a language to be read; sets e->sample.chain. */
void chains_open(struct engine *e);
/* From now on they do not: says why. */
void chains_refuse(struct engine *e, const char *why);
void chains_close(struct engine *e);
/* Do stacks come with the samples now? */
bool chains_is_on(const struct engine *e);
/* After threads of a process were listed, and before its reader is closed. */
void chains_threads(struct engine *e, struct space *s);
void chains_forget(struct engine *e, const struct space *s);
/* Before its number is given away; when sampling ends. */
void chains_thread_gone(struct engine *e, uint32_t number);
void chains_end(struct engine *e);
/* Are chains found of threads that are in no list yet, in every process, or may yet be? */
bool chains_find_births(const struct engine *e);
/* Looks at threads of the language where they rest, for their calls; when that is next due, if not
 * later than `due`. */
void chains_rests(struct engine *e, uint64_t now_ns);
uint64_t chains_due(const struct engine *e, const struct space *s, uint64_t due);
/* A clock does better here. */
void chains_give_up(struct engine *e, const char *why);
/* Not as long as nobody wants samples; chains_open() opens them again. */
void chains_pause(struct engine *e);
/* Now and then: does it? */
void chains_reconsider(struct engine *e);
/* What copying takes of the target's time, ns a sample; 0: nothing is copied. */
double chains_taken_ns(const struct engine *e);
void chains_note_cost(struct engine *e, const struct event *ev);
/* A sample of a thread of the language. False: it runs nothing of it now. */
bool chains_sample(struct engine *e, struct space *s, const struct event *ev);

#endif
