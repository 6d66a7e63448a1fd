/* What is timed exactly because the user asked for it: the requests of a server, calls of functions.
 * Native functions are exact_native.c's, those of a language are watched here. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/latency.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"

#define READ_NS (250 * NS_PER_MSEC)

/* ---- Requests -------------------------------------------------------------------------- */

static void open_requests(struct latency *l)
{
	struct requests_source *r = &l->requests;
	struct error err = { 0 };
	int ret = requests_open(l->e->process.pid, l->slow_ns, &r->requests, &err);

	if (ret == 0) {
		r->sums.times = r->requests->times;
		engine_say(
		    l->e, false,
		    "Timing requests (%llu connections are open); each system call of "
		    "the machine costs some 0.1 us more meanwhile",
		    (unsigned long long)r->requests->connections);
		return;
	}
	r->requests = NULL;
	latency_limit(l, "requests are not timed: %s; sampled calls are shown",
		      err.cause);
	engine_say(l->e, true, "Requests are not timed: %s", err.cause);
}

static void tell_marks(struct latency *l)
{
	struct requests_source *r = &l->requests;
	uint64_t marks = r->requests->times->marks & ~r->marks;

	if (marks & REQUESTS_IO_URING)
		latency_limit(l, "it uses io_uring: requests on it are not seen");
	if (marks & REQUESTS_HTTP2)
		latency_limit(l,
			      "HTTP/2 connections: their requests overlap, so they are "
			      "left out");
	r->marks |= marks;
}

static void read_requests(struct latency *l, uint64_t now)
{
	uint32_t thing = latency_thing(l, LATENCY_REQUESTS, 0, "requests");

	latency_read_sums(l, &l->requests.sums, thing, now);
	tell_marks(l);
}

void exact_refuse(struct latency *l, struct exact *x, const char *fmt, ...)
{
	struct latency_thing *t = &l->things.v[x->thing];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->note, sizeof(t->note), fmt, ap);
	va_end(ap);
	x->state = EXACT_REFUSED;
	engine_say(l->e, true, "%s is not timed: %s", t->name, t->note);
}

/* ---- Python functions ------------------------------------------------------------------ */

#define WATCH_NS (20 * NS_PER_MSEC)
#define WATCH_THREADS_NS (500 * NS_PER_MSEC)
#define OPEN_CALLS_MOST 256u

/* An entry and the next exit of that thread are a call; the part of the hits' own cost that lies
 * between them, as it was measured, is none of its time. One that an exception ended has no
 * exit; the calls above it still pair, and it goes when there are too many. */
static void on_hit(void *arg, const struct watch_hit *h)
{
	struct exact *x = arg;
	struct latency *l = x->l;
	size_t i;

	x->hits++;
	if (x->read_twice && h->address == x->last_address && h->tid == x->last_tid) {
		x->last_address = 0;
		return;
	}
	x->last_address = h->address;
	x->last_tid = h->tid;
	if (h->address == x->entry) {
		if (x->open.n == OPEN_CALLS_MOST)
			VEC_CLEAR(&x->open);
		*VEC_PUSH(&x->open) = (struct open_call){ h->tid, h->time_ns };
		return;
	}
	for (i = x->open.n; i-- > 0;) {
		uint64_t since = x->open.v[i].since_ns + x->bias_ns;

		if (x->open.v[i].tid != h->tid)
			continue;
		x->open.n--;
		memmove(&x->open.v[i], &x->open.v[i + 1],
			(x->open.n - i) * sizeof(*x->open.v));
		latency_note(l,
			     &(struct latency_event){
				 .end_ns = h->time_ns,
				 .took_ns = h->time_ns > since ? h->time_ns - since : 0,
				 .thing = x->thing,
				 .thread = engine_find_thread(l->e, h->tid),
				 .count = 1 });
		return;
	}
}

static void watch_all_threads(struct latency *l, struct exact *x, const struct space *s)
{
	struct error err = { 0 };
	size_t i;

	for (i = 0; i < s->language_threads.n; i++) {
		int ret = watch_thread(x->watch, s->language_threads.v[i].tid, &err);

		if (ret == 0 || ret == -ESRCH)
			continue;
		watch_free(x->watch);
		x->watch = NULL;
		exact_refuse(l, x, "%.100s", err.cause);
		return;
	}
}

static void arm_watch(struct latency *l, struct exact *x, const struct space *s,
		      const struct runtime_exits *exits)
{
	struct watch_point points[WATCH_POINTS_MAX] = {
		{ .address = exits->entry, .read = true, .bytes = 2 }
	};
	struct latency_thing *t = &l->things.v[x->thing];
	struct watch_cost cost;
	struct error err = { 0 };
	size_t i;

	if (!watch_measure(&cost, &err)) {
		exact_refuse(l, x, "%.100s", err.cause);
		return;
	}
	for (i = 0; i < exits->n; i++)
		points[i + 1] = (struct watch_point){ .address = exits->exit[i],
						      .read = true,
						      .bytes = 2 };
	x->l = l;
	x->entry = exits->entry;
	x->cost_ns = 2 * cost.hit_ns;
	x->read_twice = exits->read_twice;
	x->bias_ns = exits->read_twice ? 2 * cost.apart_ns : cost.apart_ns;
	x->watch = watch_new(points, exits->n + 1);
	x->state = EXACT_ARMED;
	x->read_ns = clock_now_ns();
	t->source = LATENCY_WATCH;
	watch_all_threads(l, x, s);
	if (x->watch)
		engine_say(
		    l->e, false,
		    "Timing %s exactly by %zu debug registers: nothing of the process "
		    "changes; each call costs %.1f us here",
		    t->name, exits->n + 1, (double)x->cost_ns / 1e3);
}

/* True when the name is one of the language, or its search is over otherwise. */
static bool search_language(struct latency *l, struct exact *x)
{
	const struct space *s = engine_space(l->e, l->e->process.pid);
	struct runtime_exits exits = { .n = 0 };

	if (x->file[0] || !s || !s->reader || !s->runtime->exits)
		return false;
	if (s->runtime->exits(s->reader, x->function, &exits)) {
		/* What else holds one lets go of it before the next turn. */
		x->all_registers = exits.n + 1 == WATCH_POINTS_MAX;
		if (!x->all_registers || l->e->registers_wanted)
			arm_watch(l, x, s, &exits);
	} else if (exits.problem[0])
		exact_refuse(l, x, "%s", exits.problem);
	else
		snprintf(l->things.v[x->thing].note, sizeof(l->things.v[x->thing].note),
			 "no sample had this function yet; native ones: FILE:FUNCTION");
	return true;
}

static void watch_turn(struct latency *l, struct exact *x, uint64_t now)
{
	const struct space *s = engine_space(l->e, l->e->process.pid);
	struct latency_thing *t = &l->things.v[x->thing];
	uint64_t span = now - x->read_ns;

	if (now < x->watch_ns)
		return;
	x->watch_ns = now + WATCH_NS;
	watch_read(x->watch, on_hit, x);
	if (s && now >= x->threads_ns) {
		x->threads_ns = now + WATCH_THREADS_NS;
		watch_all_threads(l, x, s);
	}
	if (!x->watch || span < READ_NS)
		return;
	x->cost_pct = 100.0 * (double)(x->hits * x->cost_ns / 2) / (double)span;
	if (x->cost_pct > EXACT_COST_MOST_PCT) {
		watch_free(x->watch);
		x->watch = NULL;
		exact_refuse(l, x,
			     "stopped: at %.0f calls a second it cost %.1f%% of a core",
			     (double)(x->hits / 2) * 1e9 / (double)span, x->cost_pct);
		x->cost_pct = 0;
		return;
	}
	snprintf(t->note, sizeof(t->note), "costs %.1f us a call, %.2f%% of a core%s",
		 (double)x->cost_ns / 1e3, x->cost_pct,
		 watch_lost(x->watch) ? "; some calls were missed" : "");
	x->hits = 0;
	x->read_ns = now;
}

/* ---- All of them --------------------------------------------------------------------------- */

static void turn_one(struct latency *l, struct exact *x, uint64_t now)
{
	if (x->watch)
		watch_turn(l, x, now);
	if (now < x->next_ns)
		return;
	x->next_ns = now + READ_NS;
	if (x->state == EXACT_SEARCHED && search_language(l, x))
		return;
	if (x->state == EXACT_SEARCHED && !exact_native_search(l, x)) {
		snprintf(l->things.v[x->thing].note, sizeof(l->things.v[x->thing].note),
			 "not found yet: its file is not mapped, or its names are being "
			 "loaded");
	} else if (x->state == EXACT_ARMED && x->probe)
		exact_native_read(l, x, now);
}

/* The colon behind the file of FILE:NAME; those of ns::name stand in pairs. */
static const char *file_end(const char *what)
{
	const char *at, *found = NULL;

	for (at = what; *at; at++)
		if (*at == ':' && at[1] == ':')
			at++;
		else if (*at == ':' && at > what)
			found = at;
	return found;
}

void latency_exact_add(struct latency *l, const char *what)
{
	struct exact *x = &l->exact[l->n_exact];
	const char *colon = file_end(what);
	char name[300];

	if (l->n_exact == EXACT_MOST) {
		engine_say(l->e, true, "At most %u functions are timed exactly",
			   EXACT_MOST);
		return;
	}
	*x = (struct exact){ .next_ns = 0 };
	if (colon)
		snprintf(x->file, sizeof(x->file), "%.*s", (int)(colon - what), what);
	snprintf(x->function, sizeof(x->function), "%s", colon ? colon + 1 : what);
	clean_copy(name, sizeof(name), what, strlen(what));
	x->thing = latency_thing(l, LATENCY_PROBE, hash_bytes(name, strlen(name)), name);
	if (x->thing == UINT32_MAX)
		return;
	l->things.v[x->thing].pinned = true;
	l->n_exact++;
}

static void close_one(struct exact *x)
{
	probe_close(x->probe);
	watch_free(x->watch);
	x->probe = NULL;
	x->watch = NULL;
	VEC_DONE(&x->open);
}

void latency_exact_drop(struct latency *l, uint32_t thing)
{
	size_t i;

	for (i = 0; i < l->n_exact; i++) {
		if (l->exact[i].thing != thing)
			continue;
		close_one(&l->exact[i]);
		l->things.v[thing].note[0] = '\0';
		l->things.v[thing].pinned = false;
		l->exact[i] = l->exact[--l->n_exact];
		return;
	}
}

void latency_exact_names(const struct latency *l, char *to, size_t size)
{
	size_t i, n = 0;

	to[0] = '\0';
	for (i = 0; i < l->n_exact && n < size; i++)
		if (l->exact[i].probe)
			n += (size_t)snprintf(to + n, size - n, "%s%s", n ? ", " : "",
					      l->things.v[l->exact[i].thing].name);
}

double latency_exact_cost(const struct latency *l)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < l->n_exact; i++)
		sum += l->exact[i].cost_pct;
	return sum;
}

/* ---- The part of the part ---------------------------------------------------------------- */

void latency_exact_open(struct latency *l)
{
	size_t i;

	l->requests.next_ns = UINT64_MAX;
	for (i = 0; i < l->e->config.n_probes; i++)
		latency_exact_add(l, l->e->config.probes[i]);
	if (!l->e->config.requests)
		return;
	open_requests(l);
	l->requests.next_ns = clock_now_ns() + READ_NS;
}

void latency_exact_close(struct latency *l)
{
	size_t i;

	requests_close(l->requests.requests);
	l->requests.requests = NULL;
	for (i = 0; i < l->n_exact; i++)
		close_one(&l->exact[i]);
	l->n_exact = 0;
}

void latency_exact_turn(struct latency *l, uint64_t now)
{
	size_t i;

	l->e->registers_wanted = false;
	for (i = 0; i < l->n_exact; i++)
		l->e->registers_wanted |=
		    l->exact[i].all_registers && l->exact[i].state != EXACT_REFUSED;
	for (i = 0; i < l->n_exact; i++)
		turn_one(l, &l->exact[i], now);
	if (now < l->requests.next_ns)
		return;
	l->requests.next_ns = now + READ_NS;
	if (l->requests.requests)
		read_requests(l, now);
}
