/* A service for ptop to look at: it takes orders, prices them, keeps an index, and writes
 * reports. The orders are made up and nothing leaves the process, but it is built like a
 * real one:
 *
 *	orders    reads text, checks its sum, prices it; most of the CPU time
 *	indexer   sorts what came in, again and again, and searches it
 *	reporter  formats a summary twice a second, and sleeps
 *
 * The threads meet at one lock. It uses about one core, and ends with the shell that
 * started it or after the seconds given as its argument. */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define ORDERS 20000u
#define BATCH 2000u
/* ptop shows functions: what is inlined into its caller is not one to look at here. */
#define SHOWN __attribute__((noinline))

struct order {
	uint32_t id, customer, quantity;
	double price;
};

struct service {
	pthread_mutex_t lock;
	struct order orders[ORDERS]; /* a ring: the newest replace the oldest */
	size_t taken;
	double revenue;
	char report[512];
};

static SHOWN uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* "order 17 customer 5 quantity 3" and some words to check. */
static SHOWN size_t receive_order(char *line, size_t size, uint32_t id, uint32_t *seed)
{
	int n = snprintf(line, size, "order %u customer %u quantity %u note %08x%08x%08x",
			 id, next_random(seed) % 5000, next_random(seed) % 90 + 1,
			 next_random(seed), next_random(seed), next_random(seed));

	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

static SHOWN uint32_t checksum(const char *p, size_t n)
{
	uint32_t crc = ~0u;
	size_t i;
	int bit;

	for (i = 0; i < n; i++) {
		crc ^= (unsigned char)p[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static SHOWN uint32_t parse_number(const char *line, const char *word)
{
	const char *at = strstr(line, word);

	return at ? (uint32_t)strtoul(at + strlen(word), NULL, 10) : 0;
}

static SHOWN struct order parse_order(const char *line)
{
	return (struct order){
		.id = parse_number(line, "order "),
		.customer = parse_number(line, "customer "),
		.quantity = parse_number(line, "quantity "),
	};
}

static SHOWN double discount(const struct order *o, int level)
{
	double share = (double)(o->customer % 17) / 100.0;

	return level == 0 ? share : share * 0.5 + discount(o, level - 1) * 0.5;
}

static SHOWN double price_order(const struct order *o)
{
	double price = 0, piece = 9.99;
	uint32_t i;

	for (i = 0; i < o->quantity; i++) {
		price += piece;
		piece *= 0.999;
	}
	return price * (1.0 - discount(o, 12));
}

static SHOWN void store_order(struct service *s, const struct order *o)
{
	pthread_mutex_lock(&s->lock);
	s->orders[s->taken++ % ORDERS] = *o;
	s->revenue += o->price;
	pthread_mutex_unlock(&s->lock);
}

static SHOWN void handle_order(struct service *s, const char *line, size_t n)
{
	struct order o = parse_order(line);

	if (checksum(line, n) == 0)
		return;
	o.price = price_order(&o);
	store_order(s, &o);
}

static void pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void *run_orders(void *arg)
{
	struct service *s = arg;
	uint32_t seed = 2463534242u, id = 0;
	char line[160];
	size_t n;

	prctl(PR_SET_NAME, "orders");
	for (;;) {
		n = receive_order(line, sizeof(line), ++id, &seed);
		handle_order(s, line, n);
		if (id % BATCH == 0)
			pause_ms(1);
	}
	return NULL;
}

static SHOWN int compare_orders(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (x->customer != y->customer)
		return x->customer < y->customer ? -1 : 1;
	return x->price < y->price ? -1 : x->price > y->price;
}

static SHOWN size_t copy_orders(struct service *s, struct order *to)
{
	size_t n;

	pthread_mutex_lock(&s->lock);
	n = s->taken < ORDERS ? s->taken : ORDERS;
	memcpy(to, s->orders, n * sizeof(*to));
	pthread_mutex_unlock(&s->lock);
	return n;
}

static SHOWN size_t search_index(const struct order *index, size_t n, uint32_t *seed)
{
	size_t found = 0, i;

	for (i = 0; i < 20000; i++) {
		struct order key = { .customer = next_random(seed) % 5000 };
		size_t low = 0, high = n;

		while (low < high) {
			size_t middle = low + (high - low) / 2;

			if (compare_orders(&index[middle], &key) < 0)
				low = middle + 1;
			else
				high = middle;
		}
		found += low < n && index[low].customer == key.customer;
	}
	return found;
}

static void *run_indexer(void *arg)
{
	struct order *index = calloc(ORDERS, sizeof(*index));
	struct service *s = arg;
	uint32_t seed = 88172645u;
	volatile size_t found = 0;

	prctl(PR_SET_NAME, "indexer");
	while (index) {
		size_t n = copy_orders(s, index);

		qsort(index, n, sizeof(*index), compare_orders);
		found = found + search_index(index, n, &seed);
		pause_ms(10);
	}
	return NULL;
}

static SHOWN void write_report(struct service *s)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->report, sizeof(s->report), "%zu orders, revenue %.2f", s->taken,
		 s->revenue);
	pthread_mutex_unlock(&s->lock);
}

static void *run_reporter(void *arg)
{
	prctl(PR_SET_NAME, "reporter");
	for (;;) {
		write_report(arg);
		pause_ms(500);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static void *(*const threads[])(void *) = { run_orders, run_indexer,
						    run_reporter };
	struct service *s = calloc(1, sizeof(*s));
	pid_t parent = getppid();
	pthread_t thread;
	size_t i;

	/* Yama lets only ancestors look; ptop is no ancestor of ours. */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (!s || getppid() != parent)
		return 1;
	pthread_mutex_init(&s->lock, NULL);
	for (i = 0; i < sizeof(threads) / sizeof(*threads); i++)
		if (pthread_create(&thread, NULL, threads[i], s) != 0)
			return 1;
	if (argc > 1)
		sleep((unsigned)strtoul(argv[1], NULL, 10));
	else
		pause();
	return 0;
}
