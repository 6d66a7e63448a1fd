/* /proc/PID/cgroup names the groups, one line a hierarchy:
 *
 *	4:memory:/system.slice/x.service	(version 1)
 *	0::/system.slice/x.service		(version 2)
 *
 * and /proc/self/mountinfo where they stand; in a container only a subtree may be mounted,
 * whose path is cut off then. "Used" is usage less inactive file pages, as the kernel drops
 * those before it kills; otherwise whoever reads files would always be at the limit. */
#include "target/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/file.h"
#include "base/text.h"

#define TEXT_CAP (256u << 10)
#define MOUNTS_CAP (4u << 20)
#define ANCESTORS_MOST 64
#define UNLIMITED (1ull << 60) /* version 1 writes 2^63 less a page */
#define PATH_ROOM 1100

static void copy(char *to, size_t size, struct bytes from)
{
	size_t n = from.n < size ? from.n : size - 1;

	memcpy(to, from.p ? from.p : (const unsigned char *)"", n);
	to[n] = '\0';
}

static bool is(struct bytes b, const char *s)
{
	return b.n == strlen(s) && memcmp(b.p, s, b.n) == 0;
}

/* The next word, up to a blank. */
static struct bytes word(struct cursor *c)
{
	size_t from;

	cursor_spaces(c);
	for (from = c->at; c->at < c->in.n && c->in.p[c->at] != ' '; c->at++)
		;
	return (struct bytes){ c->in.p + from, c->at - from };
}

/* Is `want` one of the words between commas? */
static bool has(struct bytes list, const char *want)
{
	size_t n = strlen(want), at = 0, end;

	for (; at < list.n; at = end + 1) {
		for (end = at; end < list.n && list.p[end] != ','; end++)
			;
		if (end - at == n && memcmp(list.p + at, want, n) == 0)
			return true;
	}
	return false;
}

/* "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory" */
static void mount_line(struct cgroup_mounts *m, struct bytes line)
{
	struct cursor c = cursor_over(line);
	struct bytes from, at, w, type;
	int i;

	for (i = 0; i < 3; i++)
		word(&c);
	from = word(&c);
	at = word(&c);
	do
		w = word(&c);
	while (w.n && !is(w, "-"));
	type = word(&c);
	word(&c);
	w = word(&c);
	if (is(type, "cgroup2") && !m->v2[0]) {
		copy(m->v2, sizeof(m->v2), at);
		copy(m->v2_from, sizeof(m->v2_from), from);
	} else if (is(type, "cgroup") && has(w, "memory") && !m->v1[0]) {
		copy(m->v1, sizeof(m->v1), at);
		copy(m->v1_from, sizeof(m->v1_from), from);
	}
}

void cgroup_mounts_parse(struct cgroup_mounts *m, struct bytes mountinfo)
{
	struct cursor c = cursor_over(mountinfo);
	struct bytes line;

	*m = (struct cgroup_mounts){ 0 };
	while (cursor_line(&c, &line))
		mount_line(m, line);
}

void cgroup_mounts_read(struct cgroup_mounts *m, const char *root)
{
	char path[PATH_ROOM];
	struct bytes text;

	*m = (struct cgroup_mounts){ 0 };
	snprintf(path, sizeof(path), "%.500s/proc/self/mountinfo", root);
	if (file_read(path, MOUNTS_CAP, &text, NULL))
		return;
	cgroup_mounts_parse(m, text);
	free((void *)(uintptr_t)text.p);
}

/* ---- one group ---- */

/* A group's folder, and the file of it asked for. */
struct group {
	const char *root, *mount, *path;
};

static bool read_text(const struct group *g, const char *file, struct bytes *out)
{
	char path[PATH_ROOM * 2];

	snprintf(path, sizeof(path), "%.500s%.512s%.512s/%s", g->root, g->mount, g->path,
		 file);
	return file_read(path, TEXT_CAP, out, NULL) == 0;
}

/* A number; "max" and what version 1 takes for it are none. */
static bool read_number(const struct group *g, const char *file, uint64_t *out)
{
	struct bytes text;
	struct cursor c;
	bool ok;

	if (!read_text(g, file, &text))
		return false;
	c = cursor_over(text);
	ok = cursor_dec(&c, out) && *out < UNLIMITED;
	free((void *)(uintptr_t)text.p);
	return ok;
}

/* "inactive_file 4096": the value behind a key of memory.stat or memory.events. */
static uint64_t read_key(const struct group *g, const char *file, const char *key)
{
	struct bytes text, line;
	uint64_t v = 0;
	struct cursor c;

	if (!read_text(g, file, &text))
		return 0;
	c = cursor_over(text);
	while (cursor_line(&c, &line)) {
		struct cursor l = cursor_over(line);

		if (!is(word(&l), key))
			continue;
		cursor_spaces(&l);
		if (!cursor_dec(&l, &v))
			v = 0;
		break;
	}
	free((void *)(uintptr_t)text.p);
	return v;
}

static uint64_t room(uint64_t limit, uint64_t used)
{
	return limit > used ? limit - used : 0;
}

/* Of this group, when it has less room than what is known so far. */
static void consider(const struct group *g, bool v2, struct cgroup_memory *out)
{
	uint64_t limit = 0, high, used = 0, idle;
	bool any = read_number(g, v2 ? "memory.max" : "memory.limit_in_bytes", &limit);

	if (v2 && read_number(g, "memory.high", &high) && (!any || high < limit)) {
		any = true;
		limit = high;
	}
	if (!any ||
	    !read_number(g, v2 ? "memory.current" : "memory.usage_in_bytes", &used))
		return;
	idle = read_key(g, "memory.stat", v2 ? "inactive_file" : "total_inactive_file");
	used -= idle < used ? idle : used;
	if (out->limited && room(limit, used) >= room(out->limit_bytes, out->used_bytes))
		return;
	out->limited = true;
	out->limit_bytes = limit;
	out->used_bytes = used;
	out->hits = 0;
	if (v2)
		out->hits = read_key(g, "memory.events", "max");
	else if (!read_number(g, "memory.failcnt", &out->hits))
		out->hits = 0;
	clean_copy(out->name, sizeof(out->name), g->path[0] ? g->path : "/",
		   g->path[0] ? strlen(g->path) : 1);
}

/* The group as seen from where the hierarchy is mounted. */
static void cut_mounted(char *path, const char *from)
{
	size_t n = strlen(from);

	if (n > 1 && strncmp(path, from, n) == 0 && (path[n] == '/' || !path[n]))
		memmove(path, path + n, strlen(path + n) + 1);
	if (strcmp(path, "/") == 0 || strstr(path, ".."))
		path[0] = '\0'; /* the mounted one itself, or none we can see */
}

/* From the group to the root of what is mounted. */
static void climb(struct group *g, bool v2, char *path, struct cgroup_memory *out)
{
	int i;

	g->path = path;
	for (i = 0; i < ANCESTORS_MOST; i++) {
		char *slash = strrchr(path, '/');

		consider(g, v2, out);
		if (!slash)
			return;
		*slash = '\0';
	}
}

static void keep_pressure(const struct group *g, const char *path,
			  struct cgroup_memory *out)
{
	struct group own = { g->root, g->mount, path };
	struct bytes text;

	if (!path[0] || !read_text(&own, "memory.pressure", &text))
		return;
	free((void *)(uintptr_t)text.p);
	snprintf(out->pressure_path, sizeof(out->pressure_path),
		 "%.512s%.512s/memory.pressure", g->mount, path);
}

static bool group_line(const struct cgroup_mounts *m, const char *root, struct bytes line,
		       struct cgroup_memory *out)
{
	struct cursor c = cursor_over(line);
	struct bytes names;
	uint64_t number;
	char path[512];
	size_t from;
	bool v2;

	if (!cursor_dec(&c, &number) || !cursor_accept(&c, ':'))
		return false;
	for (from = c.at; c.at < c.in.n && c.in.p[c.at] != ':'; c.at++)
		;
	names = (struct bytes){ c.in.p + from, c.at - from };
	v2 = number == 0 && names.n == 0;
	if (!cursor_accept(&c, ':') || (!v2 && !has(names, "memory")) ||
	    !(v2 ? m->v2 : m->v1)[0])
		return false;
	copy(path, sizeof(path), cursor_take(&c, cursor_left(&c)));
	cut_mounted(path, v2 ? m->v2_from : m->v1_from);
	struct group g = { root, v2 ? m->v2 : m->v1, path };
	if (v2)
		keep_pressure(&g, path, out);
	climb(&g, v2, path, out);
	return true;
}

bool cgroup_memory(const struct cgroup_mounts *m, const char *root, pid_t pid,
		   struct cgroup_memory *out)
{
	struct bytes text, line;
	char path[PATH_ROOM];
	struct cursor c;
	bool any = false;

	*out = (struct cgroup_memory){ 0 };
	snprintf(path, sizeof(path), "%.500s/proc/%d/cgroup", root, (int)pid);
	if (file_read(path, TEXT_CAP, &text, NULL))
		return false;
	c = cursor_over(text);
	while (cursor_line(&c, &line))
		any |= group_line(m, root, line, out);
	free((void *)(uintptr_t)text.p);
	return any;
}

/* ---- pressure ---- */

/* "avg10=1.25": no strtod, whose comma depends on the locale. */
static double average(struct cursor *c)
{
	uint64_t whole, part = 0;
	double tenth = 1;
	size_t from;

	cursor_spaces(c);
	if (!is(cursor_take(c, 6), "avg10=") || !cursor_dec(c, &whole) || whole > 100)
		return -1;
	if (!cursor_accept(c, '.'))
		return (double)whole;
	from = c->at;
	if (!cursor_dec(c, &part))
		return (double)whole;
	for (; from < c->at && from < c->in.n; from++)
		tenth /= 10;
	return (double)whole + (double)part * tenth;
}

void pressure_parse(struct bytes text, struct pressure *out)
{
	struct cursor c = cursor_over(text);
	struct bytes line;

	*out = (struct pressure){ -1, -1 };
	while (cursor_line(&c, &line)) {
		struct cursor l = cursor_over(line);
		struct bytes kind = word(&l);

		if (is(kind, "some"))
			out->some_pct = average(&l);
		else if (is(kind, "full"))
			out->full_pct = average(&l);
	}
}

void pressure_read(const char *root, const char *path, struct pressure *out)
{
	char full[PATH_ROOM * 2];
	struct bytes text;

	*out = (struct pressure){ -1, -1 };
	snprintf(full, sizeof(full), "%.500s%s", root,
		 path[0] ? path : "/proc/pressure/memory");
	if (file_read(full, TEXT_CAP, &text, NULL))
		return;
	pressure_parse(text, out);
	free((void *)(uintptr_t)text.p);
}
