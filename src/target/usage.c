/* libproc2 reads /proc/PID/stat and statm for the items asked; CPU time in nanoseconds
 * comes from the process's CPU clock, which any user may read. */
#include "target/usage.h"

#include <libproc2/pids.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cursor.h"
#include "base/file.h"
#include "target/process.h"

enum {
	ITEM_USER,
	ITEM_SYSTEM,
	ITEM_USER_ALL, /* its own and of children it waited for */
	ITEM_SYSTEM_ALL,
	ITEM_RSS,
	ITEM_STATE,
	ITEM_THREADS,
	ITEMS
};

struct usage_reader {
	struct pids_info *info; /* NULL: libproc2 would not start */
};

struct usage_reader *usage_new(void)
{
	enum pids_item items[ITEMS] = {
		[ITEM_USER] = PIDS_TICS_USER,
		[ITEM_SYSTEM] = PIDS_TICS_SYSTEM,
		[ITEM_USER_ALL] = PIDS_TICS_USER_C,
		[ITEM_SYSTEM_ALL] = PIDS_TICS_SYSTEM_C,
		[ITEM_RSS] = PIDS_MEM_RES,
		[ITEM_STATE] = PIDS_STATE,
		[ITEM_THREADS] = PIDS_NLWP,
	};
	struct usage_reader *r = xcalloc(1, sizeof(*r));

	if (procps_pids_new(&r->info, items, ITEMS) < 0)
		r->info = NULL;
	return r;
}

void usage_free(struct usage_reader *r)
{
	if (!r)
		return;
	if (r->info)
		procps_pids_unref(&r->info);
	free(r);
}

/* libproc2 knows no memory of a process whose first thread has ended. */
static uint64_t body_rss(pid_t pid)
{
	pid_t body = process_body(pid);
	uint64_t all, resident = 0;
	struct bytes b;
	struct cursor c;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)body);
	if (body == pid || file_read(path, 256, &b, NULL))
		return 0;
	c = cursor_over(b);
	if (!cursor_dec(&c, &all) || !cursor_accept(&c, ' ') ||
	    !cursor_dec(&c, &resident))
		resident = 0;
	free((void *)(uintptr_t)b.p);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

bool usage_read(struct usage_reader *r, pid_t pid, struct usage *out)
{
	unsigned id = (unsigned)pid;
	struct pids_fetch *got;
	struct pids_stack *s;

	*out = (struct usage){ .state = '?' };
	if (!r->info)
		return false;
	got = procps_pids_select(r->info, &id, 1, PIDS_SELECT_PID);
	if (!got || got->counts->total < 1)
		return false;
	s = got->stacks[0];
	out->cpu_ns = process_cpu_ns(pid);
	out->user_ticks = PIDS_VAL(ITEM_USER, ull_int, s, r->info);
	out->system_ticks = PIDS_VAL(ITEM_SYSTEM, ull_int, s, r->info);
	out->waited_user_ticks =
	    PIDS_VAL(ITEM_USER_ALL, ull_int, s, r->info) - out->user_ticks;
	out->waited_system_ticks =
	    PIDS_VAL(ITEM_SYSTEM_ALL, ull_int, s, r->info) - out->system_ticks;
	out->rss_bytes = (uint64_t)PIDS_VAL(ITEM_RSS, ul_int, s, r->info) * 1024;
	out->state = PIDS_VAL(ITEM_STATE, s_ch, s, r->info);
	if (out->state == 'Z')
		out->rss_bytes = body_rss(pid);
	out->threads = PIDS_VAL(ITEM_THREADS, s_int, s, r->info);
	return true;
}

uint64_t usage_own_rss(void)
{
	uint64_t size, pages = 0;
	struct bytes b;
	struct cursor c;

	if (file_read("/proc/self/statm", 256, &b, NULL))
		return 0;
	c = cursor_over(b);
	if (cursor_dec(&c, &size) && cursor_accept(&c, ' '))
		cursor_dec(&c, &pages);
	free((void *)(uintptr_t)b.p);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
