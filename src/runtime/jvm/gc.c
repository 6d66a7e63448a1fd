/* HotSpot's collections by its own counters. A collector counts a pause when it begins, notes
 * the ticks of the last beginning and of the last end, and adds what it took to a sum. So at every
 * look: how many ended, how long the last one took, and what the others took together.
 *
 * Collectors that work beside the program (ZGC, Shenandoah) sum up whole cycles; of those only
 * the time at safepoints is a pause, and that is told for all safepoints together.
 *
 * The file is read, not mapped: its owner could cut it, and a mapping would end ptop. With
 * -XX:+PerfDisableSharedMem the same bytes are read from the process's memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/timed.h"
#include "runtime/gc.h"
#include "runtime/jvm/perfdata.h"
#include "target/memory.h"
#include "target/proc_file.h"

#define COLLECTORS 4u
#define LOOK_NS (40 * NS_PER_MSEC)
#define MAPS_BYTES_MAX (8u << 20)
#define PAUSE_MOST_NS (3600 * NS_PER_SEC)

enum field { INVOCATIONS, TIME, ENTRY, EXIT, NAME, FIELDS };
enum global {
	FREQUENCY,
	CAUSE,
	SAFEPOINTS,
	SAFEPOINT_TIME,
	SYNC_TIME,
	JAVA_VERSION,
	GLOBALS
};

/* A figure that only grows, as of the last look. */
struct figures {
	uint64_t n, ticks;
	bool known;
};

struct collector {
	uint32_t at[FIELDS]; /* 0: not there */
	uint32_t name_bytes;
	struct figures last;
	bool concurrent; /* its figures are not pauses */
	size_t row;
};

struct source {
	pid_t pid;
	int fd;		  /* -1: by memory */
	uint64_t address; /* of the counters */
	struct pauses *to;
	unsigned char *bytes;
	size_t n, cap;
	uint32_t global[GLOBALS], global_bytes[GLOBALS];
	struct collector collector[COLLECTORS];
	bool any_concurrent;
	size_t safepoint_row;
	struct figures safepoints;
	uint64_t frequency;
};

/* ---- where the counters are ---- */

/* The last word of a line of maps when it is such a file's path. */
static bool is_perfdata(struct bytes line, char *path, size_t size)
{
	struct maps_line l;
	const char *part;

	if (!maps_parse_line(line, &l) || l.deleted || l.path.n == 0 || l.path.n >= size)
		return false;
	memcpy(path, l.path.p, l.path.n);
	path[l.path.n] = '\0';
	part = strstr(path, "/hsperfdata_");
	return part && path[0] == '/' && strchr(part + 1, '/');
}

/* Opens what the process has mapped; a file of another one's is refused. */
static int open_mapped_now(pid_t pid)
{
	char path[512], full[600];
	struct bytes text = { 0 }, line;
	struct stat file, process;
	struct cursor c;
	int fd = -1;

	if (proc_file_read(pid, "maps", MAPS_BYTES_MAX, &text, NULL))
		return -1;
	c = cursor_over(text);
	while (fd == -1 && cursor_line(&c, &line))
		if (is_perfdata(line, path, sizeof(path))) {
			snprintf(full, sizeof(full), "/proc/%d/root%s", (int)pid, path);
			fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		}
	free((void *)(uintptr_t)text.p);
	snprintf(full, sizeof(full), "/proc/%d", (int)pid);
	if (fd != -1 && (fstat(fd, &file) || stat(full, &process) ||
			 !S_ISREG(file.st_mode) || file.st_uid != process.st_uid)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

struct opening {
	pid_t pid;
	int fd;
};

static void open_it(void *arg)
{
	struct opening *o = arg;

	o->fd = open_mapped_now(o->pid);
}

static void close_it(void *arg)
{
	struct opening *o = arg;

	if (o->fd != -1)
		close(o->fd);
}

static int open_mapped(pid_t pid)
{
	struct opening o = { pid, -1 };

	timed_call(TIMED_WAIT_NS, open_it, &o, sizeof(o), close_it);
	return o.fd;
}

static uint64_t find_in_memory(const struct gc_place *place, size_t libjvm)
{
	static const char *const name = "_ZN10PerfMemory6_startE";
	uint64_t at, start = 0;

	if (gc_symbols(place->maps, libjvm, &name, &at, 1) == 1 &&
	    mem_live_read_some(place->pid, at, &start, sizeof(start)) == sizeof(start))
		return start;
	return 0;
}

static bool fetch(const struct source *s, size_t n)
{
	if (s->fd != -1)
		return pread(s->fd, s->bytes, n, 0) == (ssize_t)n;
	return mem_live_read_some(s->pid, s->address, s->bytes, n) == (ssize_t)n;
}

/* ---- which counters are what ---- */

static bool starts(const char *name, const char *with, const char **rest)
{
	size_t n = strlen(with);

	*rest = name + n;
	return strncmp(name, with, n) == 0;
}

static void note_collector(struct source *s, const struct perfdata_entry *e,
			   const char *rest)
{
	static const char *const names[FIELDS] = { ".invocations", ".time",
						   ".lastEntryTime", ".lastExitTime",
						   ".name" };
	struct collector *c;
	size_t i;

	if (rest[0] < '0' || rest[0] >= '0' + (int)COLLECTORS)
		return;
	c = &s->collector[rest[0] - '0'];
	for (i = 0; i < FIELDS; i++)
		if (strcmp(rest + 1, names[i]) == 0 &&
		    e->type == (i == NAME ? 'B' : 'J')) {
			c->at[i] = e->at;
			if (i == NAME)
				c->name_bytes = e->elements;
		}
}

static void note(void *arg, const struct perfdata_entry *e)
{
	static const struct {
		const char *name;
		char type;
	} globals[GLOBALS] = {
		{ "sun.os.hrt.frequency", 'J' },
		{ "sun.gc.lastCause", 'B' },
		{ "sun.rt.safepoints", 'J' },
		{ "sun.rt.safepointTime", 'J' },
		{ "sun.rt.safepointSyncTime", 'J' },
		{ "java.property.java.version", 'B' },
	};
	struct source *s = arg;
	const char *rest;
	size_t i;

	if (starts(e->name, "sun.gc.collector.", &rest)) {
		note_collector(s, e, rest);
		return;
	}
	for (i = 0; i < GLOBALS; i++)
		if (strcmp(e->name, globals[i].name) == 0 && e->type == globals[i].type) {
			s->global[i] = e->at;
			s->global_bytes[i] = e->elements;
		}
}

static uint64_t number(const struct source *s, uint32_t at)
{
	uint64_t v;

	if (at == 0)
		return 0;
	memcpy(&v, s->bytes + at, sizeof(v));
	return v;
}

/* A byte string, as far as it goes. */
static void words(const struct source *s, uint32_t at, uint32_t bytes, char *to,
		  size_t size)
{
	size_t n = 0;

	while (at && n < bytes && n + 1 < size && s->bytes[at + n]) {
		to[n] = (char)s->bytes[at + n];
		n++;
	}
	to[n] = '\0';
}

static bool is_concurrent(const char *name)
{
	return strncmp(name, "Z", 1) == 0 || strstr(name, "Shenandoah");
}

static bool complete(const struct collector *c)
{
	return c->at[INVOCATIONS] && c->at[TIME] && c->at[ENTRY] && c->at[EXIT];
}

static void make_rows(struct source *s)
{
	char runtime[48], version[32], name[48];
	const char *source = s->fd != -1 ? "hsperfdata" : "hsperfdata in memory";
	size_t i;

	words(s, s->global[JAVA_VERSION], s->global_bytes[JAVA_VERSION], version,
	      sizeof(version));
	snprintf(runtime, sizeof(runtime), "HotSpot %s", version);
	for (i = 0; i < COLLECTORS; i++) {
		struct collector *c = &s->collector[i];

		if (!complete(c))
			continue;
		words(s, c->at[NAME], c->name_bytes, name, sizeof(name));
		c->concurrent = is_concurrent(name);
		s->any_concurrent |= c->concurrent;
		if (!c->concurrent)
			c->row = pauses_row(s->to, runtime, source, *name ? name : "gc");
	}
	if (s->any_concurrent)
		s->safepoint_row = pauses_row(s->to, runtime, source, "safepoints");
}

static bool read_names(struct source *s)
{
	size_t i, n = 0;

	s->n = 0;
	if (!fetch(s, PERFDATA_HEAD))
		return false;
	n = perfdata_bytes((struct bytes){ s->bytes, PERFDATA_HEAD });
	if (n == 0 || n > s->cap || !fetch(s, n) ||
	    perfdata_each((struct bytes){ s->bytes, n }, note, s) == 0)
		return false;
	s->n = n;
	s->frequency = number(s, s->global[FREQUENCY]);
	for (i = 0; i < COLLECTORS; i++)
		if (complete(&s->collector[i]))
			return s->frequency != 0;
	return false;
}

/* ---- what they say ---- */

static uint64_t to_ns(const struct source *s, uint64_t ticks)
{
	return (uint64_t)((double)ticks * 1e9 / (double)s->frequency);
}

/* Tells of n pauses that took `ticks` together, the newest of them `newest` (0: unknown). */
static void tell(struct source *s, size_t row, uint64_t now, uint64_t n, uint64_t ticks,
		 uint64_t newest)
{
	uint64_t all = to_ns(s, ticks), last = to_ns(s, newest);
	char cause[64];

	if (all > PAUSE_MOST_NS)
		all = 0;
	pauses_count(s->to, row, now, n);
	words(s, s->global[CAUSE], s->global_bytes[CAUSE], cause, sizeof(cause));
	pauses_cause(s->to, row, cause);
	if (n <= 1 || last == 0 || last > all) {
		n = n ? n : 1;
		pauses_time(s->to, row, now, all / n, n);
		return;
	}
	pauses_time(s->to, row, now, last, 1);
	pauses_time(s->to, row, now, (all - last) / (n - 1), n - 1);
}

/* Moves on to what is known now and tells of it. The time is added a moment after the last
 * end is noted, and a pause is counted a moment before its beginning is: so while the sum has not
 * moved there is nothing to tell, and a step may have time and no count. */
static void advance(struct source *s, struct figures *last, struct figures f, size_t row,
		    uint64_t newest, uint64_t now)
{
	uint64_t n = f.n - last->n, ticks = f.ticks - last->ticks;
	bool known = last->known;

	if (known && ticks == 0)
		return;
	*last = f;
	last->known = true;
	if (!known || n > GC_STEP_MOST || ticks > UINT64_MAX / 2)
		return;
	tell(s, row, now, n, ticks, newest);
}

static void look_collector(struct source *s, struct collector *c, uint64_t now)
{
	uint64_t entry = number(s, c->at[ENTRY]), exit = number(s, c->at[EXIT]);
	struct figures f = { number(s, c->at[INVOCATIONS]), number(s, c->at[TIME]),
			     true };

	if (entry <= exit) /* else one is under way: it is told when it ends */
		advance(s, &c->last, f, c->row, exit - entry, now);
}

static void look_safepoints(struct source *s, uint64_t now)
{
	struct figures f = { number(s, s->global[SAFEPOINTS]),
			     number(s, s->global[SAFEPOINT_TIME]) +
				 number(s, s->global[SYNC_TIME]),
			     true };

	advance(s, &s->safepoints, f, s->safepoint_row, 0, now);
}

static bool look(void *source, uint64_t now)
{
	struct source *s = source;
	size_t i;

	if (!fetch(s, s->n) || perfdata_bytes((struct bytes){ s->bytes, s->n }) < s->n)
		return false;
	for (i = 0; i < COLLECTORS; i++)
		if (complete(&s->collector[i]) && !s->collector[i].concurrent)
			look_collector(s, &s->collector[i], now);
	if (s->any_concurrent)
		look_safepoints(s, now);
	return true;
}

/* ---- the source ---- */

static void close_source(void *source)
{
	struct source *s = source;

	if (s->fd != -1)
		close(s->fd);
	free(s->bytes);
	free(s);
}

static void *open_source(const struct gc_place *place, struct pauses *to)
{
	size_t libjvm = gc_mapping(place->maps, "libjvm.so");
	struct source *s;

	if (libjvm == place->maps->list.n)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->pid = place->pid;
	s->to = to;
	s->cap = PERFDATA_BYTES_MAX;
	s->bytes = xmalloc(s->cap);
	s->fd = open_mapped(place->pid);
	if (s->fd == -1)
		s->address = find_in_memory(place, libjvm);
	if ((s->fd == -1 && !s->address) || !read_names(s)) {
		close_source(s);
		return NULL;
	}
	make_rows(s);
	return s;
}

const struct gc_source hotspot_gc_source = {
	.name = "HotSpot",
	.open = open_source,
	.close = close_source,
	.period_ns = LOOK_NS,
	.armed_period_ns = LOOK_NS,
	.look = look,
};
