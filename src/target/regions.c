/* Anonymous mappings have no name; their neighbours tell what they are:
 *
 *	7f2a34000000-7f2a34c21000 rw-p ...	an arena of glibc's: starts at a multiple of
 *	7f2a34c21000-7f2a38000000 ---p ...	64 MiB, its reserve reaches up to the next
 *	7f2a3b7fe000-7f2a3b7ff000 ---p ...	a thread's stack: behind its guard page
 *	7f2a3b7ff000-7f2a3bfff000 rw-p ...
 */
#include "target/regions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "target/maps.h"
#include "target/proc_file.h"
#include "target/process.h"

#define MAPS_CAP (16u << 20)
#define ARENA_BYTES (64ull << 20)
#define GUARD_MOST (1ull << 20)

static bool anonymous(const struct maps_line *l)
{
	return l->inode == 0 && l->path.n == 0;
}

static bool reserved(const struct maps_line *l)
{
	return !l->readable && !l->writable && !l->executable;
}

/* Neighbours that are none have end 0. */
static const char *anonymous_name(const struct maps_line *before,
				  const struct maps_line *l,
				  const struct maps_line *after)
{
	uint64_t border = l->start + ARENA_BYTES;

	if (l->start % ARENA_BYTES == 0 && l->end <= border &&
	    (l->end == border ||
	     (after->start == l->end && reserved(after) && after->end == border)))
		return "[malloc arenas]";
	if (before->end == l->start && reserved(before) && anonymous(before) &&
	    before->end - before->start <= GUARD_MOST && l->writable)
		return "[thread stacks]";
	return "[anonymous]";
}

static void name_of(const struct maps_line *before, const struct maps_line *l,
		    const struct maps_line *after, char *to, size_t size)
{
	const char *path = (const char *)l->path.p;
	size_t n = l->path.n, from = 0, i;

	if (anonymous(l)) {
		snprintf(to, size, "%s", anonymous_name(before, l, after));
		return;
	}
	for (i = 0; i < n && path[0] == '/'; i++)
		if (path[i] == '/')
			from = i + 1;
	if (from == n)
		snprintf(to, size, "[unnamed]");
	else
		clean_copy(to, size, path + from, n - from);
}

static struct region_group *group(struct regions *r, const char *name)
{
	uint64_t hash = hash_bytes(name, strlen(name));
	struct region_group *g;
	size_t i;

	for (i = r->n; i > 0; i--)
		if (r->groups[i - 1].hash == hash)
			return &r->groups[i - 1];
	if (r->n + 1 >= REGION_GROUPS_MOST && strcmp(name, "[others]") != 0)
		return group(r, "[others]");
	g = &r->groups[r->n++];
	*g = (struct region_group){ .hash = hash };
	snprintf(g->name, sizeof(g->name), "%s", name);
	return g;
}

static void add(struct regions *r, const struct maps_line *before,
		const struct maps_line *l, const struct maps_line *after)
{
	char name[sizeof(r->groups[0].name)];
	struct region_group *g;

	if (l->end == 0 || reserved(l))
		return;
	name_of(before, l, after, name, sizeof(name));
	g = group(r, name);
	g->bytes += l->end - l->start;
	g->mappings++;
}

void regions_parse(struct regions *r, struct bytes text)
{
	struct maps_line before = { 0 }, now = { 0 }, after = { 0 };
	struct cursor c = cursor_over(text);
	struct bytes line;

	r->n = 0;
	while (cursor_line(&c, &line)) {
		if (!maps_parse_line(line, &after))
			continue;
		add(r, &before, &now, &after);
		before = now;
		now = after;
	}
	after = (struct maps_line){ 0 };
	add(r, &before, &now, &after);
}

int regions_read(struct regions *r, pid_t pid)
{
	struct bytes text;
	int ret = proc_file_read(process_body(pid), "maps", MAPS_CAP, &text, NULL);

	r->n = 0;
	if (ret)
		return ret;
	regions_parse(r, text);
	free((void *)(uintptr_t)text.p);
	return r->n ? 0 : -ESRCH;
}

const struct region_group *regions_find(const struct regions *r,
					const struct region_group *like)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->groups[i].hash == like->hash)
			return &r->groups[i];
	return NULL;
}
