/* `perf script` text, events that blank lines separate:
 *
 *	python3  4242/4250  [001]  1000.010000:   10101010 cpu-clock:u:
 *	            4011f0 work+0x10 (/srv/app.py)
 *	            401000 main+0x0 (/srv/app.py)
 *
 * An event counts as one sample; the period is not used, because nothing says what it is
 * of. Which field is the time is told by its form, digits.digits and a colon: what stands
 * before it is a command that may have blanks, a pid or pid/tid, and perhaps a CPU. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "recording/sift.h"

#define NAME_MAX_BYTES 4096u
#define TIME_MOST_S 1000000000ull

struct perf_in {
	struct recording *r;
	struct callstack cs;
	uint64_t first_ns, time_ns, bad;
	uint32_t thread;
	bool open; /* an event's frames are being read */
};

struct line {
	const char *p;
	size_t n;
};

static bool next_line(struct bytes in, size_t *at, struct line *l)
{
	const char *end;

	if (*at >= in.n)
		return false;
	l->p = (const char *)in.p + *at;
	end = memchr(l->p, '\n', in.n - *at);
	l->n = end ? (size_t)(end - l->p) : in.n - *at;
	*at += l->n + 1;
	while (l->n && (l->p[l->n - 1] == ' ' || l->p[l->n - 1] == '\r'))
		l->n--;
	return true;
}

static size_t digits(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && isdigit((unsigned char)p[i]))
		i++;
	return i;
}

static uint64_t number(const char *p, size_t n)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < n && i < 18; i++)
		v = v * 10 + (uint64_t)(p[i] - '0');
	return v;
}

struct head {
	struct line command;
	int32_t pid, tid;
	uint64_t time_ns;
};

/* "1000.010000:" at p; its length, or 0. */
static size_t time_at(const char *p, size_t n, uint64_t *ns)
{
	size_t whole = digits(p, n), part;
	uint64_t fraction;

	if (!whole || whole >= n || p[whole] != '.')
		return 0;
	part = digits(p + whole + 1, n - whole - 1);
	if (!part || part > 9 || whole + 1 + part >= n || p[whole + 1 + part] != ':' ||
	    number(p, whole) > TIME_MOST_S)
		return 0;
	fraction = number(p + whole + 1, part);
	for (; part < 9; part++)
		fraction *= 10;
	*ns = number(p, whole) * 1000000000ull + fraction;
	return whole + 1;
}

/* The word that ends before `end`; its start, blanks before it skipped in *end. */
static size_t word_before(const char *p, size_t *end)
{
	size_t at;

	while (*end && p[*end - 1] == ' ')
		--*end;
	for (at = *end; at && p[at - 1] != ' ';)
		at--;
	return at;
}

static bool pids(const char *p, size_t n, struct head *h)
{
	size_t a = digits(p, n), b;

	if (!a || a > 9)
		return false;
	h->pid = h->tid = (int32_t)number(p, a);
	if (a == n)
		return true;
	b = p[a] == '/' ? digits(p + a + 1, n - a - 1) : 0;
	h->tid = (int32_t)number(p + a + 1, b);
	return b && b <= 9 && a + 1 + b == n;
}

static bool parse_head(const struct line *l, struct head *h)
{
	size_t i, at, end;

	if (!l->n || isspace((unsigned char)l->p[0]))
		return false;
	for (i = 1; i < l->n; i++) {
		if (l->p[i - 1] != ' ' || !time_at(l->p + i, l->n - i, &h->time_ns))
			continue;
		end = i;
		at = word_before(l->p, &end);
		if (end > at && l->p[at] == '[') { /* the CPU */
			end = at;
			at = word_before(l->p, &end);
		}
		if (!pids(l->p + at, end - at, h))
			continue;
		end = at;
		word_before(l->p, &end);
		h->command = (struct line){ l->p, end };
		return end > 0;
	}
	return false;
}

static uint32_t thread_of(struct perf_in *p, const struct head *h)
{
	struct recording *r = p->r;
	char name[64];
	size_t i;

	clean_copy(name, sizeof(name), h->command.p, h->command.n);
	/* The newest are looked at first; a process with 10,000 threads is rare in text. */
	for (i = r->threads.n; i-- > 0;)
		if (r->threads.v[i].tid == h->tid && r->threads.v[i].pid == h->pid &&
		    strcmp(r->threads.v[i].name, name) == 0)
			return (uint32_t)i;
	if (r->threads.n == RECORDING_THREADS / 64)
		return (uint32_t)r->threads.n - 1;
	*VEC_PUSH(&r->threads) =
	    (struct recording_thread){ h->pid, h->tid, arena_str(&r->arena, name), "" };
	return (uint32_t)r->threads.n - 1;
}

static void name_frame(void *arg, uint32_t frame)
{
	struct recording *r = arg;
	const struct frame *f = &r->history.frames.v[frame].frame;
	struct place place = { f->object, NO_ID, 0 };

	history_name(&r->history, frame, &place, 1);
}

static void end_event(struct perf_in *p)
{
	struct history *h = &p->r->history;
	uint64_t at = p->time_ns > p->first_ns ? p->time_ns - p->first_ns : 0;

	if (!p->open)
		return;
	p->open = false;
	if (p->cs.depth == 0 || h->n_runs >= RECORDING_RUNS - 1 ||
	    h->nodes.n >= RECORDING_STACKS) {
		p->bad++;
		return;
	}
	history_add(h, RECORDING_ZERO_NS + at, p->thread,
		    history_stack(h, &p->cs, name_frame, p->r), 1, 1, false);
	if (at > p->r->duration_ns)
		p->r->duration_ns = at;
}

static enum code_kind kind_of(const char *object)
{
	size_t n = strlen(object);

	if (strncmp(object, "[kernel", 7) == 0 || strstr(object, ".ko"))
		return CODE_KERNEL;
	if (strncmp(object, "/tmp/perf-", 10) == 0)
		return CODE_JIT;
	if (n > 3 && strcmp(object + n - 3, ".py") == 0)
		return CODE_PYTHON;
	return strstr(object, ".so") ? CODE_LIBRARY : CODE_APP;
}

/* "4011f0 work+0x10 (/srv/app.py)": the name may hold blanks and brackets. */
static void add_frame(struct perf_in *p, const struct line *l)
{
	char name[NAME_MAX_BYTES], object[NAME_MAX_BYTES];
	size_t at = 0, end = l->n, open, plus, slash;
	enum code_kind kind;
	uint32_t id;

	while (at < l->n && isspace((unsigned char)l->p[at]))
		at++;
	while (at < l->n && isxdigit((unsigned char)l->p[at]))
		at++;
	while (at < l->n && l->p[at] == ' ')
		at++;
	if (at >= l->n || p->cs.depth >= DEPTH_MAX) {
		p->bad += at >= l->n;
		return;
	}
	object[0] = '\0';
	for (open = l->n; open > at && l->p[open - 1] != '(';)
		open--;
	if (l->p[l->n - 1] == ')' && open > at) {
		clean_copy(object, sizeof(object), l->p + open, l->n - 1 - open);
		end = open - 1;
	}
	while (end > at && l->p[end - 1] == ' ')
		end--;
	for (plus = end; plus > at && l->p[plus - 1] != '+';)
		plus--;
	if (plus > at && plus + 1 < end && l->p[plus] == '0' && l->p[plus + 1] == 'x')
		end = plus - 1;
	clean_copy(name, sizeof(name), l->p + at, end - at);
	kind = kind_of(object);
	for (slash = strlen(object); slash && object[slash - 1] != '/';)
		slash--;
	id = functions_intern(&p->r->functions, name[0] ? name : "[unknown]",
			      kind == CODE_KERNEL ? "[kernel]" : object + slash, kind,
			      kind == CODE_KERNEL ? "kernel" : "native");
	p->r->functions.list.v[id].library = kind == CODE_LIBRARY || kind == CODE_KERNEL;
	p->cs.frame[p->cs.depth++] = (struct frame){ 0, id, FRAME_NATIVE };
}

bool recording_is_perf(struct bytes in)
{
	struct line l;
	struct head h;
	size_t at = 0;

	while (next_line(in, &at, &l))
		if (l.n && l.p[0] != '#')
			return parse_head(&l, &h);
	return false;
}

struct recording *recording_of_perf(struct bytes in, uint64_t *bad)
{
	struct perf_in *p = xcalloc(1, sizeof(*p));
	struct recording *r;
	struct line l;
	struct head h;
	size_t at = 0;

	p->r = r = recording_new();
	r->counted = true;
	while (next_line(in, &at, &l)) {
		if (l.n && l.p[0] == '#')
			continue;
		if (l.n == 0) {
			end_event(p);
		} else if (parse_head(&l, &h)) {
			end_event(p);
			p->thread = thread_of(p, &h);
			p->first_ns = p->first_ns ? p->first_ns : h.time_ns;
			p->time_ns = h.time_ns;
			p->cs.depth = 0;
			p->open = true;
		} else if (p->open && isspace((unsigned char)l.p[0])) {
			add_frame(p, &l);
		} else {
			p->bad++;
		}
	}
	end_event(p);
	*bad = p->bad;
	free(p);
	if (r->history.n_runs)
		return r;
	recording_free(r);
	return NULL;
}
