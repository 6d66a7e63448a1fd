#include "target/proc_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/timed.h"

struct read {
	char path[64];
	size_t cap;
	struct bytes bytes;
	bool cut;
	int ret;
};

static void read_file(void *arg)
{
	struct read *r = arg;

	r->ret = file_read(r->path, r->cap, &r->bytes, &r->cut);
}

static void drop(void *arg)
{
	struct read *r = arg;

	free((void *)(uintptr_t)r->bytes.p);
}

int proc_file_read(pid_t pid, const char *name, size_t cap, struct bytes *out, bool *cut)
{
	struct read r = { .cap = cap };
	int ret;

	snprintf(r.path, sizeof(r.path), "/proc/%d/%s", (int)pid, name);
	ret = timed_call(TIMED_WAIT_NS, read_file, &r, sizeof(r), drop);
	*out = ret ? (struct bytes){ NULL, 0 } : r.bytes;
	if (cut)
		*cut = !ret && r.cut;
	return ret ? ret : r.ret;
}
