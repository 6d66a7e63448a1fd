/* process_vm_readv never stops the target. It reads whole pages up to the first one that
 * is not there, so a short read at a stack's end is normal. */
#include "target/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/file.h"
#include "target/proc_file.h"
#include "target/process.h"

static ssize_t read_once(pid_t pid, uint64_t address, void *to, size_t n)
{
	struct iovec local = { to, n }, remote = { (void *)(uintptr_t)address, n };
	ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);

	return got == -1 ? -errno : got;
}

ssize_t mem_live_read_some(pid_t pid, uint64_t address, void *to, size_t n)
{
	size_t page_rest = 4096 - (address & 4095);
	ssize_t got = read_once(pid, address, to, n);
	pid_t body;

	if (got == -ESRCH) { /* its first thread has no memory any more? */
		body = process_body(pid);
		if (body == pid)
			return got;
		pid = body;
		got = read_once(pid, address, to, n);
	}
	/* Old kernels fail as a whole when the first iovec cannot be read whole. */
	if (got == -EFAULT && n > page_rest)
		got = read_once(pid, address, to, page_rest);
	return got;
}

/* Lines of maps: "7f..-7f.. r--p ...". Some mappings are readable and have no memory behind them
 * ([vvar]), so several are tried. */
int mem_live_prove(pid_t pid, struct error *err)
{
	uint64_t start, word;
	struct bytes text, line;
	struct cursor c;
	int ret = proc_file_read(process_body(pid), "maps", 1 << 20, &text, NULL),
	    tried = 0;

	if (ret) {
		errno = -ret;
		return error_errno(err, "its memory map (/proc/PID/maps)");
	}
	ret = -EFAULT;
	c = cursor_over(text);
	while (ret && ret != -EPERM && ret != -ENOSYS && tried < 16 &&
	       cursor_line(&c, &line)) {
		struct cursor l = cursor_over(line);
		ssize_t got;

		if (!cursor_hex(&l, &start) || !memmem(line.p, line.n, " r", 2))
			continue;
		tried++;
		got = mem_live_read_some(pid, start, &word, sizeof(word));
		ret = got == (ssize_t)sizeof(word) ? 0 : got < 0 ? (int)got : -EFAULT;
	}
	free((void *)(uintptr_t)text.p);
	if (!ret)
		return 0;
	errno = -ret;
	return error_errno(err, "process_vm_readv");
}

static bool live_read(const struct mem *mem, uint64_t address, void *to, size_t len)
{
	const struct mem_live *m = (const struct mem_live *)mem;

	return mem_live_read_some(m->pid, address, to, len) == (ssize_t)len;
}

void mem_live_init(struct mem_live *m, pid_t pid)
{
	*m = (struct mem_live){ { live_read }, pid };
}

/* ---- only what is there ---- */

#define PAGE_BYTES 4096u
#define PAGES_AT_ONCE 64u
#define PAGE_PRESENT (1ull << 63)

/* A u64 a page, by address: see the kernel's admin-guide/mm/pagemap.rst. */
static bool all_present(const struct mem_present *m, uint64_t address, size_t len)
{
	uint64_t entries[PAGES_AT_ONCE];
	uint64_t page = address / PAGE_BYTES;
	uint64_t last = (address + len - 1) / PAGE_BYTES;

	while (page <= last) {
		size_t i, n = last - page + 1 < PAGES_AT_ONCE ? (size_t)(last - page + 1)
							      : PAGES_AT_ONCE;

		if (pread(m->pagemap_fd, entries, n * 8, (off_t)(page * 8)) !=
		    (ssize_t)(n * 8))
			return false;
		for (i = 0; i < n; i++)
			if (!(entries[i] & PAGE_PRESENT))
				return false;
		page += n;
	}
	return true;
}

static bool present_read(const struct mem *mem, uint64_t address, void *to, size_t len)
{
	const struct mem_present *m = (const struct mem_present *)mem;

	if (len == 0 || address > UINT64_MAX - len || address > INT64_MAX / 8)
		return false;
	return all_present(m, address, len) &&
	       mem_live_read_some(m->pid, address, to, len) == (ssize_t)len;
}

int mem_present_open(struct mem_present *m, pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)process_body(pid));
	*m = (struct mem_present){ { present_read }, pid, -1 };
	m->pagemap_fd = open(path, O_RDONLY | O_CLOEXEC);
	return m->pagemap_fd == -1 ? -errno : 0;
}

void mem_present_close(struct mem_present *m)
{
	if (m->pagemap_fd != -1)
		close(m->pagemap_fd);
	m->pagemap_fd = -1;
}
