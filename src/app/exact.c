/* What is timed exactly because the user asked for it, summed in the kernel and read four times
 * a second: the requests of a server, calls of native functions. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/latency.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "elf/header.h"
#include "symbol/symbols.h"

#define READ_NS (250 * NS_PER_MSEC)
#define COST_MOST_PCT 2.0

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

/* ---- Native functions --------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void
refuse(struct latency *l, struct exact *x, const char *fmt, ...)
{
	struct latency_thing *t = &l->things.v[x->thing];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->note, sizeof(t->note), fmt, ap);
	va_end(ap);
	x->state = EXACT_REFUSED;
	engine_say(l->e, true, "%s is not timed: %s", t->name, t->note);
}

static bool is_file(const struct object *o, const char *wanted)
{
	const char *at = strstr(o->name, wanted);

	if (o->kind != OBJECT_FILE)
		return false;
	if (!wanted[0])
		return true;
	/* "sqlite3" and "libsqlite3" are libsqlite3.so.0. */
	return at &&
	       (at == o->name || (at == o->name + 3 && memcmp(o->name, "lib", 3) == 0));
}

/* Of a file all of whose calls may be left by other ways than a return, why a return probe, which
 * exchanges return addresses, would kill the program; NULL of plain C. Names alone do not tell:
 * exceptions pass through extern "C" functions, too. A table of what to do when one passes is in
 * every file of C++ and of Rust, stripped or not, and in no C library but libc. */
static const char *deadly(const struct elf *elf, const struct object *o)
{
	if (!elf->section)
		return "it has no sections, so its language is not known";
	if (elf_section(elf, ".gopclntab") || elf_section(elf, ".go.buildinfo"))
		return "a return probe would crash Go, which moves its stacks";
	if (elf_section(elf, ".gcc_except_table") && strncmp(o->name, "libc.so.", 8) != 0)
		return "a return probe is deadly where C++ or Rust unwinds; plain C only";
	return NULL;
}

static int read_code(const struct object *o, uint64_t offset, unsigned char code[16],
		     const char **why)
{
	struct error err;
	struct elf elf;
	int fd = object_open(o, &err);
	ssize_t n;

	*why = "it is no ELF file";
	if (fd < 0)
		return fd;
	if (elf_read(&(struct elf_source){ elf_read_fd, &fd }, &elf)) {
		*why = deadly(&elf, o);
		elf_done(&elf);
	}
	n = pread(fd, code, 16, (off_t)offset);
	close(fd);
	return n == 16 ? 0 : -EIO;
}

static void path_of(const struct object *o, char *path, size_t size)
{
	struct stat st;

	snprintf(path, size, "/proc/%d/root%s", (int)o->pid, o->path);
	if (stat(path, &st) == 0 && st.st_ino == o->inode)
		return;
	snprintf(path, size, "%s", o->path);
}

static void arm(struct latency *l, struct exact *x, const struct object *o,
		const struct symbol *sym)
{
	struct latency_thing *t = &l->things.v[x->thing];
	struct error err = { 0 };
	enum probe_start how;
	unsigned char code[16];
	const char *why;
	uint64_t place;
	char path[4200];

	if (read_code(o, sym->start, code, &why)) {
		refuse(l, x, "%s cannot be read", o->name);
		return;
	}
	if (why) {
		refuse(l, x, "%s", why);
		return;
	}
	place = probe_place(code, sizeof(code), &how);
	path_of(o, path, sizeof(path));
	x->cost_ns = probe_cost(how);
	if (probe_open(l->e->process.pid, path, sym->start + place, l->slow_ns, &x->probe,
		       &err)) {
		refuse(l, x, "%.100s", err.cause);
		return;
	}
	x->sums = (struct sums_source){ .times = x->probe->times };
	x->state = EXACT_ARMED;
	x->read_ns = clock_now_ns();
	x->next_ns = x->read_ns + READ_NS;
	snprintf(t->note, sizeof(t->note), "%.1f us a call", (double)x->cost_ns / 1e3);
	engine_say(
	    l->e, false,
	    "Timing %s exactly: a breakpoint byte in a private copy of its page; each "
	    "call costs %.1f us here",
	    t->name, (double)x->cost_ns / 1e3);
}

static void offer_near(struct latency *l, struct exact *x, const struct object *o,
		       const struct symbols *symbols)
{
	const char *near[4];
	size_t n = symbols_near(symbols, x->function, near, 4), i;
	char text[90] = "", clean[40];

	for (i = 0; i < n && strlen(text) + 45 < sizeof(text); i++) {
		clean_copy(clean, sizeof(clean), near[i], strlen(near[i]));
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			 i ? ", " : "; near: ", clean);
	}
	refuse(l, x, "no such function in %.30s%s", o->name, text);
}

/* Looks through the files that fit; true when the search is over. */
static bool search(struct latency *l, struct exact *x)
{
	const struct space *s = engine_space(l->e, l->e->process.pid);
	const struct object *last = NULL;
	const struct symbols *last_symbols = NULL;
	bool waits = false;
	size_t i;

	for (i = 0; s && i < s->maps.list.n; i++) {
		const struct object *o = s->maps.list.v[i].object;
		const struct symbols *symbols;
		struct symbol sym;
		bool failed = false;

		if (!is_file(o, x->file))
			continue;
		symbols = engine_symbols(l->e, o, &failed);
		waits |= !symbols && !failed;
		if (!symbols)
			continue;
		if (!last || o->main) {
			last = o;
			last_symbols = symbols;
		}
		if (symbols_named(symbols, x->function, &sym)) {
			arm(l, x, o, &sym);
			return true;
		}
	}
	if (waits || (x->file[0] && !last))
		return false; /* names are being loaded; or it is not mapped (yet) */
	if (!last_symbols)
		refuse(l, x, "no file of it has symbols");
	else
		offer_near(l, x, last, last_symbols);
	return true;
}

/* More than COST_MOST of a core: it stops by itself. */
static void watch_cost(struct latency *l, struct exact *x, uint64_t calls, uint64_t now)
{
	uint64_t span = now - x->read_ns;
	double pct = span ? 100.0 * (double)(calls * x->cost_ns) / (double)span : 0;
	struct latency_thing *t = &l->things.v[x->thing];

	x->read_ns = now;
	x->cost_pct = pct;
	if (pct <= COST_MOST_PCT) {
		snprintf(t->note, sizeof(t->note),
			 "costs %.1f us a call, %.2f%% of a core",
			 (double)x->cost_ns / 1e3, pct);
		return;
	}
	probe_close(x->probe);
	x->probe = NULL;
	x->cost_pct = 0;
	refuse(l, x, "stopped: at %.0f calls a second it cost %.1f%% of a core",
	       (double)calls * 1e9 / (double)span, pct);
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
		refuse(l, x, "%.100s", err.cause);
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
		refuse(l, x, "%.100s", err.cause);
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
		refuse(l, x, "%s", exits.problem);
	else
		snprintf(l->things.v[x->thing].note, sizeof(l->things.v[x->thing].note),
			 "no sample has met it yet");
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
	if (x->cost_pct > COST_MOST_PCT) {
		watch_free(x->watch);
		x->watch = NULL;
		refuse(l, x, "stopped: at %.0f calls a second it cost %.1f%% of a core",
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
	if (x->state == EXACT_SEARCHED && !search(l, x)) {
		snprintf(l->things.v[x->thing].note, sizeof(l->things.v[x->thing].note),
			 "not found yet: its file is not mapped, or its names are being "
			 "loaded");
	} else if (x->state == EXACT_ARMED && x->probe)
		watch_cost(l, x, latency_read_sums(l, &x->sums, x->thing, now), now);
}

void latency_exact_add(struct latency *l, const char *what)
{
	struct exact *x = &l->exact[l->n_exact];
	const char *colon = strrchr(what, ':');
	char name[300];

	if (l->n_exact == EXACT_MOST) {
		engine_say(l->e, true, "At most %u functions are timed exactly",
			   EXACT_MOST);
		return;
	}
	if (colon && colon > what && colon[-1] == ':') /* ns::function */
		colon = NULL;
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
