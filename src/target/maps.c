/* /proc/PID/maps, reduced to executable memory. A line looks like
 *
 *	7f0c1c000000-7f0c1c021000 r-xp 00026000 fe:00 1835 /usr/lib/libc.so.6 (deleted)
 *
 * The path may hold spaces and, escaped as \012, newlines; it is taken as it stands. */
#include "target/maps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/cursor.h"
#include "base/file.h"
#include "target/proc_file.h"
#include "target/process.h"

#define MAPS_CAP (64u << 20)
#define MAPPINGS_MAX 1000000u
#define PATH_CAP 4096u

void maps_init(struct maps *m)
{
	*m = (struct maps){ 0 };
}

void maps_done(struct maps *m)
{
	VEC_DONE(&m->list);
}

const struct mapping *maps_find(const struct maps *m, uint64_t address)
{
	size_t low = 0, high = m->list.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->list.v[mid].end <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < m->list.n && m->list.v[low].start <= address)
		return &m->list.v[low];
	return NULL;
}

void maps_cut_deleted(struct maps_line *out)
{
	static const char mark[] = " (deleted)";
	size_t n = sizeof(mark) - 1;

	if (out->path.n > n && memcmp(out->path.p + out->path.n - n, mark, n) == 0) {
		out->deleted = true;
		out->path.n -= n;
	}
}

bool maps_parse_line(struct bytes line, struct maps_line *out)
{
	struct cursor c = cursor_over(line);
	uint64_t major, minor;
	struct bytes rights;

	*out = (struct maps_line){ 0 };
	if (!cursor_hex(&c, &out->start) || !cursor_accept(&c, '-') ||
	    !cursor_hex(&c, &out->end) || !cursor_accept(&c, ' '))
		return false;
	rights = cursor_take(&c, 4);
	if (c.failed || !cursor_accept(&c, ' ') || !cursor_hex(&c, &out->offset) ||
	    !cursor_accept(&c, ' ') || !cursor_hex(&c, &major) ||
	    !cursor_accept(&c, ':') || !cursor_hex(&c, &minor) ||
	    !cursor_accept(&c, ' ') || !cursor_dec(&c, &out->inode))
		return false;
	out->readable = rights.p[0] == 'r';
	out->writable = rights.p[1] == 'w';
	out->executable = rights.p[2] == 'x';
	out->device = makedev((unsigned)major, (unsigned)minor);
	cursor_spaces(&c);
	out->path = cursor_take(&c, cursor_left(&c));
	maps_cut_deleted(out);
	return out->start < out->end;
}

const struct object *maps_object(struct objects *os, pid_t pid, bool main,
				 const struct maps_line *l)
{
	char path[PATH_CAP];
	struct object like;

	if (l->path.n == 6 && memcmp(l->path.p, "[vdso]", 6) == 0)
		return objects_vdso(os);
	if (l->inode == 0 || l->path.n < 2 || l->path.p[0] != '/' || l->path.p[1] == '/')
		return objects_jit(os, pid);
	snprintf(path, sizeof(path), "%.*s",
		 (int)(l->path.n < PATH_CAP ? l->path.n : PATH_CAP - 1),
		 (const char *)l->path.p);
	like = (struct object){ .kind = OBJECT_FILE,
				.path = path,
				.device = l->device,
				.inode = l->inode,
				.deleted = l->deleted,
				.main = main,
				.pid = pid,
				.map_start = l->start,
				.map_end = l->end };
	return objects_file(os, &like);
}

void maps_parse(struct maps *m, struct objects *os, pid_t pid, struct bytes text)
{
	struct cursor c = cursor_over(text);
	struct bytes line;
	struct maps_line l;
	bool seen_file = false;

	VEC_CLEAR(&m->list);
	m->generation++;
	while (m->list.n < MAPPINGS_MAX && cursor_line(&c, &line)) {
		struct mapping *map;

		if (!maps_parse_line(line, &l) || !l.executable)
			continue;
		if (m->list.n && l.start < m->list.v[m->list.n - 1].end)
			continue; /* out of order: the text is not the kernel's */
		map = VEC_PUSH(&m->list);
		map->start = l.start;
		map->end = l.end;
		map->object = maps_object(os, pid, !seen_file, &l);
		map->offset = map->object->kind == OBJECT_FILE	 ? l.offset
			      : map->object->kind == OBJECT_VDSO ? 0
								 : l.start;
		seen_file |= map->object->kind == OBJECT_FILE;
	}
}

int maps_read(struct maps *m, struct objects *os, pid_t pid)
{
	struct bytes text;
	int ret = proc_file_read(process_body(pid), "maps", MAPS_CAP, &text, NULL);

	if (ret)
		return ret;
	if (text.n)
		maps_parse(m, os, pid, text);
	free((void *)(uintptr_t)text.p);
	return text.n ? 0 : -ESRCH;
}

/* What is left of `old` on either side of the new mapping goes to `out`. */
static void put_remains(struct maps *out, const struct mapping *old,
			const struct mapping *new)
{
	struct mapping part;

	if (old->start < new->start) {
		part = *old;
		part.end = old->end < new->start ? old->end : new->start;
		*VEC_PUSH(&out->list) = part;
	}
}

static void put_tail(struct maps *out, const struct mapping *old,
		     const struct mapping *new)
{
	struct mapping part;

	if (old->end > new->end) {
		part = *old;
		if (part.start < new->end) {
			part.offset += new->end - part.start;
			part.start = new->end;
		}
		*VEC_PUSH(&out->list) = part;
	}
}

void maps_insert(struct maps *m, struct mapping mapping)
{
	struct maps out = { .generation = m->generation + 1 };
	size_t i = 0;

	if (mapping.start >= mapping.end || m->list.n >= MAPPINGS_MAX)
		return;
	for (; i < m->list.n && m->list.v[i].start < mapping.start; i++)
		put_remains(&out, &m->list.v[i], &mapping);
	*VEC_PUSH(&out.list) = mapping;
	for (i = 0; i < m->list.n; i++)
		put_tail(&out, &m->list.v[i], &mapping);
	VEC_DONE(&m->list);
	*m = out;
}
