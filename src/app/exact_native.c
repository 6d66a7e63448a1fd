/* Native functions timed exactly: finds the function that a name means in the files of the process,
 * then the instructions at which its calls end, and puts probes there (sample/probe.h). What is
 * not certain is refused with the reason. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/exact_code.h"
#include "app/latency.h"
#include "base/clock.h"
#include "base/text.h"
#include "elf/exits.h"
#include "elf/header.h"
#include "symbol/ifunc.h"
#include "symbol/symbols.h"
#include "target/loader.h"

#define READ_NS (250 * NS_PER_MSEC)
#define WITHOUT_END_PCT 1.0 /* below, a call that is still open explains it */

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

/* ---- Arming ------------------------------------------------------------------------------ */

/* Go's functions, but not C's in a program of Go, have the goroutine in r14, from Go 1.17 on. The
 * names of Go's have a dot behind the package. */
static bool is_go(const struct object *o, const char *name)
{
	struct elf elf;
	int fd = object_answers(o) ? object_open(o, NULL) : -1;
	bool go = false;

	if (fd < 0)
		return false;
	if (elf_read(&(struct elf_source){ elf_read_fd, &fd }, &elf)) {
		go =
		    elf_section(&elf, ".gopclntab") || elf_section(&elf, ".go.buildinfo");
		elf_done(&elf);
	}
	close(fd);
	return go && strchr(name, '.');
}

/* Does the process have a library that exchanges stacks in place? Greenlet is the one in use: gevent
 * and eventlet build on it. */
static bool exchanges_stacks(const struct space *s)
{
	size_t i;

	for (i = 0; i < s->maps.list.n; i++)
		if (strstr(s->maps.list.v[i].object->name, "greenlet"))
			return true;
	return false;
}

/* The kernel copies 16 bytes at most, and the last function of a file may be shorter. */
static bool entry_is_emulated(struct code *c, uint64_t entry)
{
	unsigned char first[2];

	return code_read(c, entry, first, sizeof(first)) &&
	       exits_is_emulated(first, sizeof(first));
}

/* The kernel puts none into a mapping that is shared or was made writable once, and says nothing. */
static bool has_breakpoint(const struct code *c, uint64_t address)
{
	const struct mem *mem = &c->space->mem.mem;
	unsigned char there;

	return !mem->read(mem, address, &there, 1) || there == CODE_BREAKPOINT;
}

static bool open_probe(struct code *c, struct exact *x, const struct object *o,
		       const struct exits *exits, struct error *err)
{
	struct latency *l = x->l;
	struct probe_place place[EXITS_MAX + 1];
	struct probe_options options = {
		.slow_ns = l->slow_ns,
		.stack = is_go(o, x->function)	      ? PROBE_GO
			 : exchanges_stacks(c->space) ? PROBE_EXCHANGED
						      : PROBE_FIXED,
		.restarts = exits->restarts,
	};
	struct probe_cost cost =
	    probe_cost(options.stack, entry_is_emulated(c, exits->entry));
	uint64_t entry = exits->entry;
	size_t i, later = options.stack == PROBE_GO ? exits->n_later : 0;
	int ret = -EINVAL;
	bool ok = code_locate(c, entry, &place[0]);

	options.bias_ns = l->things.v[x->thing].bias_ns = cost.bias_ns;
	x->cost_ns = cost.call_ns;
	for (i = 0; ok && i < exits->n; i++)
		ok = code_locate(c, exits->at[i], &place[i + 1]);
	if (!ok) {
		error_set(err, EXIT_FAILED, "its code is not in a file");
		return false;
	}
	for (;;) {
		ret = probe_open(l->e->process.pid, place, exits->n + 1, &options,
				 &x->probe, err);
		if (ret != -EOPNOTSUPP || later == exits->n_later)
			break;
		entry = exits->later[later++];
		code_locate(c, entry, &place[0]);
	}
	ok = ret == 0;
	if (ok && !has_breakpoint(c, entry)) {
		ok = false;
		probe_close(x->probe);
		x->probe = NULL;
		error_set(
		    err, EXIT_UNSUPPORTED,
		    "the kernel puts no breakpoint there: its file is mapped shared "
		    "or writable");
	}
	return ok;
}
_Static_assert(EXITS_MAX + 1 <= PROBE_PLACES_MAX, "the entry is one of them");

/* Puts the probes on the function at this address; false when names of other files that it leads to
 * are still awaited, or its file was unmapped. */
static bool arm(struct code *c, struct exact *x, const struct object *o, uint64_t address)
{
	struct latency *l = x->l;
	struct latency_thing *t = &l->things.v[x->thing];
	struct error err = { 0 };
	struct exits exits;
	const char *why;
	bool found, opened;

	code_open(c);
	found = exits_find(&c->source, address, &exits, &why);
	opened = found && !c->waits && open_probe(c, x, o, &exits, &err);
	code_close(c);
	if (!opened && c->waits)
		return false;
	if (!opened) {
		exact_refuse(l, x, "%.100s",
			     found ? err.cause
			     : c->changed
				 ? "its code in memory is not the code in its file"
				 : why);
		return true;
	}
	x->exchanged = exchanges_stacks(c->space);
	x->sums = (struct sums_source){ .times = x->probe->times };
	x->state = EXACT_ARMED;
	x->read_ns = clock_now_ns();
	x->next_ns = x->read_ns + READ_NS;
	snprintf(t->note, sizeof(t->note), "%.1f us a call", (double)x->cost_ns / 1e3);
	engine_say(
	    l->e, false,
	    "Timing %s exactly: breakpoints at its entry and %zu exits, in a private "
	    "copy of the pages; each call costs %.1f us here",
	    t->name, exits.n, (double)x->cost_ns / 1e3);
	return true;
}

/* The row is called by what is really timed: strlen (__strlen_evex). */
static void name_variant(struct latency *l, struct exact *x, const struct space *s,
			 uint64_t address)
{
	const struct mapping *map = maps_find(&s->maps, address);
	const struct symbols *symbols;
	struct latency_thing *t = &l->things.v[x->thing];
	struct symbol sym = { 0 };
	char name[400], clean[100] = "";
	bool failed;

	symbols = map ? engine_symbols(l->e, map->object, &failed) : NULL;
	if (symbols && symbols_find(symbols, mapping_offset(map, address), &sym) &&
	    sym.name)
		clean_copy(clean, sizeof(clean), sym.name, strlen(sym.name));
	else
		snprintf(clean, sizeof(clean), "%.60s+0x%llx",
			 map ? map->object->name : "?", (unsigned long long)sym.vaddr);
	if (strchr(t->name, '('))
		return;
	snprintf(name, sizeof(name), "%s (%s)", t->name, clean);
	free(t->name);
	t->name = xstrdup(name);
}

/* A function was found by its name: in the end this, or what a resolver chose. */
static bool found(struct code *c, struct exact *x, const struct mapping *map,
		  const struct symbol *sym, bool indirect)
{
	uint64_t address = map->start + (sym->start - map->offset);
	const struct mapping *variant;

	if (!indirect && !symbol_is_indirect(map->object, sym->start))
		return arm(c, x, map->object, address);
	if (!symbol_resolved(&c->space->maps, &c->space->mem.mem, map->object,
			     x->function, sym->start, &address)) {
		exact_refuse(x->l, x,
			     "one of several variants is called for it, and which one is "
			     "not known: nothing of the process has called it yet");
		return true;
	}
	name_variant(x->l, x, c->space, address);
	variant = maps_find(&c->space->maps, address);
	if (!variant || variant->object->kind != OBJECT_FILE) {
		exact_refuse(
		    x->l, x,
		    "its code is the kernel's (vdso), which no probe can be put on");
		return true;
	}
	return arm(c, x, variant->object, address);
}

/* ---- Searching ---------------------------------------------------------------------------- */

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
	exact_refuse(l, x, "no such function in %.30s%s", o->name, text);
}

static bool holds(const struct mapping *map, uint64_t offset)
{
	return offset >= map->offset && offset - map->offset < map->end - map->start;
}

/* By the name that rows show, which is not the symbol's in C++ and Rust. */
static bool search_displayed(struct code *c, struct exact *x, bool *over)
{
	size_t i;

	for (i = 0; i < c->space->maps.list.n; i++) {
		const struct mapping *map = &c->space->maps.list.v[i];
		const struct symbols *symbols;
		struct symbol sym[2];
		bool failed = false;
		size_t n;

		if (!is_file(map->object, x->file))
			continue;
		symbols = engine_symbols(x->l->e, map->object, &failed);
		n = symbols ? symbols_displayed(symbols, x->function, sym) : 0;
		if (n == 0 || !holds(map, sym[0].start))
			continue;
		*over = true;
		if (n == 1)
			*over = found(c, x, map, &sym[0], false);
		else
			exact_refuse(x->l, x,
				     "%zu functions have this name: give one by its "
				     "symbol: %.60s, %.60s",
				     n, sym[0].name, sym[1].name);
		return true;
	}
	return false;
}

/* By a name that another one of the same address is known by. */
static bool search_aliases(struct code *c, struct exact *x, bool *over)
{
	const struct object *last = NULL;
	size_t i;

	for (i = 0; i < c->space->maps.list.n; i++) {
		const struct mapping *map = &c->space->maps.list.v[i];
		struct symbol sym;
		bool indirect;

		if (map->object == last || !is_file(map->object, x->file))
			continue;
		last = map->object;
		if (!symbol_alias(map->object, x->function, &sym, &indirect))
			continue;
		map = maps_find(&c->space->maps, map->start + (sym.start - map->offset));
		if (!map || map->object != last)
			continue;
		*over = found(c, x, map, &sym, indirect);
		return true;
	}
	return false;
}

bool exact_native_search(struct latency *l, struct exact *x)
{
	struct code c = { .e = l->e, .space = engine_space(l->e, l->e->process.pid) };
	const struct object *last = NULL;
	const struct symbols *last_symbols = NULL;
	bool waits = false, over;
	size_t i;

	x->l = l;
	for (i = 0; c.space && i < c.space->maps.list.n; i++) {
		const struct mapping *map = &c.space->maps.list.v[i];
		const struct symbols *symbols;
		struct symbol sym;
		bool failed = false;

		if (!is_file(map->object, x->file))
			continue;
		symbols = engine_symbols(l->e, map->object, &failed);
		waits |= !symbols && !failed;
		if (!symbols)
			continue;
		if (!last || map->object->main) {
			last = map->object;
			last_symbols = symbols;
		}
		if (symbols_named(symbols, x->function, &sym) && holds(map, sym.start))
			return found(&c, x, map, &sym, false);
	}
	if (waits || (x->file[0] && !last))
		return false; /* names are being loaded; or it is not mapped (yet) */
	if (!last_symbols)
		exact_refuse(l, x, "no file of it has symbols");
	else if (search_displayed(&c, x, &over) || search_aliases(&c, x, &over))
		return over;
	else
		offer_near(l, x, last, last_symbols);
	return true;
}

/* ---- Reading ------------------------------------------------------------------------------ */

/* Calls that an exception, longjmp() or a jump to an unknown place ended are no durations: how many
 * they are is said, so that nobody takes the others for all. */
static void tell_ends(const struct exact *x, char *to, size_t size)
{
	uint64_t begun = __atomic_load_n(&x->probe->times->begun, __ATOMIC_RELAXED),
		 replaced = __atomic_load_n(&x->probe->times->replaced, __ATOMIC_RELAXED);
	uint64_t missing = begun > x->calls ? begun - x->calls : 0,
		 otherwise = missing < replaced ? replaced : missing;

	to[0] = '\0';
	if (replaced > 0 || (double)missing * 100 > WITHOUT_END_PCT * (double)begun + 400)
		snprintf(to, size, "; %llu of %llu calls were left otherwise or are open",
			 (unsigned long long)otherwise, (unsigned long long)begun);
}

void exact_native_read(struct latency *l, struct exact *x, uint64_t now)
{
	uint64_t hits = __atomic_load_n(&x->probe->times->hits, __ATOMIC_RELAXED),
		 span = now - x->read_ns, calls = (hits - x->hits_before + 1) / 2;
	double pct = span ? 100.0 * (double)(calls * x->cost_ns) / (double)span : 0;
	const struct space *s = engine_space(l->e, l->e->process.pid);
	struct latency_thing *t = &l->things.v[x->thing];
	char ends[80];

	if (s && !x->exchanged && exchanges_stacks(s)) {
		/* Loaded since: what is kept of calls cannot tell them apart any more. */
		probe_close(x->probe);
		x->probe = NULL;
		x->state = EXACT_SEARCHED;
		return;
	}
	x->calls += latency_read_sums(l, &x->sums, x->thing, now);
	x->hits_before = hits;
	x->read_ns = now;
	x->cost_pct = pct;
	if (pct <= EXACT_COST_MOST_PCT) {
		tell_ends(x, ends, sizeof(ends));
		snprintf(t->note, sizeof(t->note),
			 "costs %.1f us a call, %.2f%% of a core%s",
			 (double)x->cost_ns / 1e3, pct, ends);
		return;
	}
	probe_close(x->probe);
	x->probe = NULL;
	x->cost_pct = 0;
	exact_refuse(l, x, "stopped: at %.0f calls a second it cost %.1f%% of a core",
		     (double)calls * 1e9 / (double)span, pct);
}
