/* The only things threads share. A mailbox holds at most one parcel: a newer one replaces
 * one that was not taken (newest wins). A queue keeps them all, handed over in one grab,
 * oldest first. A parcel belongs to whoever took it last. */
#ifndef PTOP_BASE_MAILBOX_H
#define PTOP_BASE_MAILBOX_H

#include <stdatomic.h>
#include <stddef.h>

struct mailbox {
	_Atomic(void *) parcel;
};

/* Puts p in; returns the parcel it replaced, now the caller's to free, or NULL. */
static inline void *mailbox_put(struct mailbox *m, void *p)
{
	return atomic_exchange_explicit(&m->parcel, p, memory_order_acq_rel);
}

/* Takes what is there, or NULL. */
static inline void *mailbox_take(struct mailbox *m)
{
	return atomic_exchange_explicit(&m->parcel, NULL, memory_order_acq_rel);
}

/* First member of everything sent through a queue. */
struct parcel {
	struct parcel *next;
};

struct queue {
	_Atomic(struct parcel *) newest;
};

static inline void queue_put(struct queue *q, struct parcel *p)
{
	p->next = atomic_load_explicit(&q->newest, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(
	    &q->newest, &p->next, p, memory_order_acq_rel, memory_order_relaxed))
		;
}

/* The whole content as a list in the order it was put, or NULL. */
static inline struct parcel *queue_take(struct queue *q)
{
	struct parcel *p =
	    atomic_exchange_explicit(&q->newest, NULL, memory_order_acq_rel);
	struct parcel *list = NULL;

	while (p) {
		struct parcel *next = p->next;

		p->next = list;
		list = p;
		p = next;
	}
	return list;
}

#endif
