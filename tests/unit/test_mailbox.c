/* Two threads and a mailbox, four and a queue: nothing is lost, doubled, torn or out of
 * order. What ThreadSanitizer watches is that the plain fields of a parcel need no other
 * protection. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/mailbox.h"

#define LETTERS 50000u
#define WRITERS 4u

struct letter {
	struct parcel parcel;
	unsigned writer, number;
	unsigned copy[16]; /* all equal number */
};

static struct letter *letter_new(unsigned writer, unsigned number)
{
	struct letter *l = xcalloc(1, sizeof(*l));
	size_t i;

	l->writer = writer;
	l->number = number;
	for (i = 0; i < 16; i++)
		l->copy[i] = number;
	return l;
}

static void assert_whole(const struct letter *l)
{
	size_t i;

	for (i = 0; i < 16; i++)
		assert_int_equal(l->copy[i], l->number);
}

static void test_newest_wins(void **state)
{
	struct mailbox m = { NULL };
	int a, b;

	(void)state;
	assert_null(mailbox_take(&m));
	assert_null(mailbox_put(&m, &a));
	assert_ptr_equal(mailbox_put(&m, &b), &a);
	assert_ptr_equal(mailbox_take(&m), &b);
	assert_null(mailbox_take(&m));
}

static void test_queue_order(void **state)
{
	struct queue q = { NULL };
	struct parcel p[3];

	(void)state;
	assert_null(queue_take(&q));
	queue_put(&q, &p[0]);
	queue_put(&q, &p[1]);
	queue_put(&q, &p[2]);
	assert_ptr_equal(queue_take(&q), &p[0]);
	assert_ptr_equal(p[0].next, &p[1]);
	assert_ptr_equal(p[1].next, &p[2]);
	assert_null(p[2].next);
	assert_null(queue_take(&q));
}

struct post {
	struct mailbox mailbox;
	unsigned replaced; /* the writer's; read after it ended */
};

static void *write_mailbox(void *arg)
{
	struct post *post = arg;
	unsigned i;

	for (i = 1; i <= LETTERS; i++) {
		struct letter *old = mailbox_put(&post->mailbox, letter_new(0, i));

		post->replaced += old != NULL;
		free(old);
	}
	return NULL;
}

static void test_mailbox_between_threads(void **state)
{
	struct post post = { { NULL }, 0 };
	unsigned last = 0, taken = 0;
	pthread_t writer;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, write_mailbox, &post), 0);
	while (last != LETTERS) {
		struct letter *l = mailbox_take(&post.mailbox);

		if (!l) {
			sched_yield();
			continue;
		}
		assert_whole(l);
		assert_true(l->number > last);
		last = l->number;
		taken++;
		free(l);
	}
	pthread_join(writer, NULL);
	assert_int_equal(taken + post.replaced, LETTERS);
	assert_null(mailbox_take(&post.mailbox));
}

struct writer {
	struct queue *queue;
	unsigned number;
	pthread_t thread;
};

static void *write_queue(void *arg)
{
	struct writer *w = arg;
	unsigned i;

	for (i = 1; i <= LETTERS / WRITERS; i++)
		queue_put(w->queue, &letter_new(w->number, i)->parcel);
	return NULL;
}

static void test_queue_between_threads(void **state)
{
	struct queue queue = { NULL };
	struct writer writers[WRITERS];
	unsigned last[WRITERS] = { 0 }, taken = 0, i;

	(void)state;
	for (i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ .queue = &queue, .number = i };
		assert_int_equal(
		    pthread_create(&writers[i].thread, NULL, write_queue, &writers[i]),
		    0);
	}
	while (taken < LETTERS / WRITERS * WRITERS) {
		struct parcel *p = queue_take(&queue);

		if (!p)
			sched_yield();
		while (p) {
			struct letter *l = (struct letter *)p;

			p = p->next;
			assert_whole(l);
			assert_int_equal(l->number, last[l->writer] + 1);
			last[l->writer] = l->number;
			taken++;
			free(l);
		}
	}
	for (i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	assert_null(queue_take(&queue));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newest_wins),
		cmocka_unit_test(test_queue_order),
		cmocka_unit_test(test_mailbox_between_threads),
		cmocka_unit_test(test_queue_between_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
