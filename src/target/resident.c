/* libproc2 where it has the figure; statm and status by files kept open, for the RSS many
 * times a second and for VmHWM, which libproc2 leaves out. */
#include "target/resident.h"

#include <fcntl.h>
#include <libproc2/meminfo.h>
#include <libproc2/pids.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cursor.h"

#define KB 1024ull

enum {
	ITEM_RSS,
	ITEM_ANON,
	ITEM_FILE,
	ITEM_SHMEM,
	ITEM_SWAP,
	ITEM_MINOR,
	ITEM_MAJOR,
	ITEMS
};
enum { ITEM_PSS, ITEM_USS, SMAP_ITEMS };

struct resident_reader {
	pid_t pid;
	int statm_fd, status_fd;
	long page_bytes;
	struct pids_info *pids;
	struct meminfo_info *machine;
};

static int open_file(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

struct resident_reader *resident_new(pid_t pid)
{
	enum pids_item items[ITEMS] = {
		[ITEM_RSS] = PIDS_VM_RSS,	[ITEM_ANON] = PIDS_VM_RSS_ANON,
		[ITEM_FILE] = PIDS_VM_RSS_FILE, [ITEM_SHMEM] = PIDS_VM_RSS_SHARED,
		[ITEM_SWAP] = PIDS_VM_SWAP,	[ITEM_MINOR] = PIDS_FLT_MIN,
		[ITEM_MAJOR] = PIDS_FLT_MAJ,
	};
	struct resident_reader *r = xcalloc(1, sizeof(*r));

	r->pid = pid;
	r->page_bytes = sysconf(_SC_PAGESIZE);
	r->statm_fd = open_file(pid, "statm");
	r->status_fd = open_file(pid, "status");
	if (procps_pids_new(&r->pids, items, ITEMS) < 0)
		r->pids = NULL;
	if (procps_meminfo_new(&r->machine) < 0)
		r->machine = NULL;
	if (r->statm_fd == -1 || r->status_fd == -1) {
		resident_free(r);
		return NULL;
	}
	return r;
}

void resident_free(struct resident_reader *r)
{
	if (!r)
		return;
	if (r->statm_fd != -1)
		close(r->statm_fd);
	if (r->status_fd != -1)
		close(r->status_fd);
	if (r->pids)
		procps_pids_unref(&r->pids);
	if (r->machine)
		procps_meminfo_unref(&r->machine);
	free(r);
}

/* "size resident shared ...": pages. */
bool resident_rss(struct resident_reader *r, uint64_t *bytes)
{
	unsigned char text[128];
	ssize_t n = pread(r->statm_fd, text, sizeof(text), 0);
	struct cursor c = cursor_over((struct bytes){ text, n > 0 ? (size_t)n : 0 });
	uint64_t size, pages;

	if (!cursor_dec(&c, &size) || !cursor_accept(&c, ' ') || !cursor_dec(&c, &pages))
		return false;
	*bytes = pages * (uint64_t)r->page_bytes;
	return true;
}

/* "VmHWM:     1234 kB" */
static uint64_t peak(struct resident_reader *r)
{
	static const char key[] = "VmHWM:";
	unsigned char text[4096];
	ssize_t n = pread(r->status_fd, text, sizeof(text), 0);
	struct cursor c = cursor_over((struct bytes){ text, n > 0 ? (size_t)n : 0 });
	struct bytes line;

	while (cursor_line(&c, &line)) {
		struct cursor l = cursor_over(line);
		uint64_t kb;

		if (line.n < sizeof(key) || memcmp(line.p, key, sizeof(key) - 1) != 0)
			continue;
		cursor_skip(&l, sizeof(key) - 1);
		while (cursor_accept(&l, ' ') || cursor_accept(&l, '\t'))
			;
		return cursor_dec(&l, &kb) && kb < UINT64_MAX / KB ? kb * KB : 0;
	}
	return 0;
}

bool resident_read(struct resident_reader *r, struct resident *out)
{
	unsigned id = (unsigned)r->pid;
	struct pids_fetch *got;
	struct pids_stack *s;

	*out = (struct resident){ 0 };
	if (!r->pids || !resident_rss(r, &out->rss_bytes))
		return false;
	got = procps_pids_select(r->pids, &id, 1, PIDS_SELECT_PID);
	if (!got || got->counts->total < 1)
		return false;
	s = got->stacks[0];
	out->rss_bytes = PIDS_VAL(ITEM_RSS, ul_int, s, r->pids) * KB;
	out->anon_bytes = PIDS_VAL(ITEM_ANON, ul_int, s, r->pids) * KB;
	out->file_bytes = PIDS_VAL(ITEM_FILE, ul_int, s, r->pids) * KB;
	out->shmem_bytes = PIDS_VAL(ITEM_SHMEM, ul_int, s, r->pids) * KB;
	out->swap_bytes = PIDS_VAL(ITEM_SWAP, ul_int, s, r->pids) * KB;
	out->minor_faults = PIDS_VAL(ITEM_MINOR, ul_int, s, r->pids);
	out->major_faults = PIDS_VAL(ITEM_MAJOR, ul_int, s, r->pids);
	out->peak_bytes = peak(r);
	return true;
}

bool resident_proportional(pid_t pid, uint64_t *pss_bytes, uint64_t *uss_bytes)
{
	enum pids_item items[SMAP_ITEMS] = {
		[ITEM_PSS] = PIDS_SMAP_PSS, [ITEM_USS] = PIDS_SMAP_PRV_TOTAL
	};
	struct pids_info *info = NULL;
	struct pids_fetch *got;
	unsigned id = (unsigned)pid;
	bool ok = false;

	if (procps_pids_new(&info, items, SMAP_ITEMS) < 0)
		return false;
	got = procps_pids_select(info, &id, 1, PIDS_SELECT_PID);
	if (got && got->counts->total == 1) {
		*pss_bytes = PIDS_VAL(ITEM_PSS, ul_int, got->stacks[0], info) * KB;
		*uss_bytes = PIDS_VAL(ITEM_USS, ul_int, got->stacks[0], info) * KB;
		ok = *pss_bytes > 0; /* libproc2 leaves 0 where it may not read */
	}
	procps_pids_unref(&info);
	return ok;
}

bool resident_machine(struct resident_reader *r, uint64_t *total_bytes,
		      uint64_t *available_bytes)
{
	enum meminfo_item items[] = { MEMINFO_MEM_TOTAL, MEMINFO_MEM_AVAILABLE };
	struct meminfo_stack *s =
	    r->machine ? procps_meminfo_select(r->machine, items, 2) : NULL;

	if (!s)
		return false;
	*total_bytes = s->head[0].result.ul_int * KB;
	*available_bytes = s->head[1].result.ul_int * KB;
	return *available_bytes > 0;
}
