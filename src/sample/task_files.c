/* schedstat: "RUN WAIT SLICES\n" in ns; syscall: see proc(5). */
#include "sample/task_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/files_open.h"

void task_files_init(struct task_files *f)
{
	*f = (struct task_files){ -1, -1, -1 };
}

void task_files_close(struct task_files *f)
{
	if (f->schedstat_fd != -1)
		close(f->schedstat_fd);
	if (f->syscall_fd != -1)
		close(f->syscall_fd);
	if (f->status_fd != -1)
		close(f->status_fd);
	task_files_init(f);
}

/* Near the limit of open files each read opens it anew. */
static ssize_t read_kept(int *fd, pid_t pid, pid_t tid, const char *name, char *to,
			 size_t n)
{
	char path[64];
	ssize_t got;
	int e;

	if (*fd != -1)
		return pread(*fd, to, n, 0);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", (int)pid, (int)tid, name);
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd == -1)
		return -1;
	got = pread(*fd, to, n, 0);
	if (files_open_may_keep(*fd))
		return got;
	e = errno;
	close(*fd);
	*fd = -1;
	errno = e;
	return got;
}

bool task_sched_read(struct task_files *f, pid_t pid, pid_t tid, struct task_sched *out)
{
	char text[96];
	ssize_t n =
	    read_kept(&f->schedstat_fd, pid, tid, "schedstat", text, sizeof(text));
	struct cursor c;

	if (n <= 0) {
		errno = n == 0 ? ESRCH : errno;
		return false;
	}
	errno = EINVAL;
	c = cursor_over((struct bytes){ (const unsigned char *)text, (size_t)n });
	return cursor_dec(&c, &out->run_ns) && cursor_accept(&c, ' ') &&
	       cursor_dec(&c, &out->wait_ns) && cursor_accept(&c, ' ') &&
	       cursor_dec(&c, &out->slices);
}

static bool hex_word(struct cursor *c, uint64_t *v)
{
	return cursor_accept(c, ' ') && cursor_accept(c, '0') && cursor_accept(c, 'x') &&
	       cursor_hex(c, v);
}

bool task_syscall_parse(const char *text, size_t n, struct task_syscall *out)
{
	struct cursor c = cursor_over((struct bytes){ (const unsigned char *)text, n });
	uint64_t number, arg;
	int i;

	*out = (struct task_syscall){ 0 };
	if (n >= 7 && memcmp(text, "running", 7) == 0) {
		out->running = true;
		return true;
	}
	if (cursor_accept(&c, '-')) {
		if (!cursor_dec(&c, &number))
			return false;
		out->number = -1;
	} else {
		if (!cursor_dec(&c, &number) || number > 100000)
			return false;
		out->number = (int64_t)number;
		for (i = 0; i < 6; i++)
			if (!hex_word(&c, i ? &arg : &out->first))
				return false;
	}
	out->blocked = hex_word(&c, &out->sp) && hex_word(&c, &out->ip);
	return out->blocked;
}

int task_running(struct task_files *f, pid_t pid, pid_t tid)
{
	char text[8];
	ssize_t n = read_kept(&f->syscall_fd, pid, tid, "syscall", text, sizeof(text));

	return n <= 0 ? -1 : text[0] == 'r';
}

bool task_syscall_read(struct task_files *f, pid_t pid, pid_t tid,
		       struct task_syscall *out)
{
	char text[256];
	ssize_t n = read_kept(&f->syscall_fd, pid, tid, "syscall", text, sizeof(text));

	return n > 0 && task_syscall_parse(text, (size_t)n, out);
}

/* "...\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n" */
bool task_switches_parse(const char *text, size_t n, uint64_t *switches)
{
	static const char *const names[] = { "\nvoluntary_ctxt_switches:\t",
					     "\nnonvoluntary_ctxt_switches:\t" };
	size_t i;

	*switches = 0;
	for (i = 0; i < 2; i++) {
		size_t bytes = strlen(names[i]);
		const char *at = memmem(text, n, names[i], bytes);
		struct cursor c;
		uint64_t v;

		if (!at)
			return false;
		at += bytes;
		c = cursor_over(
		    (struct bytes){ (const unsigned char *)at, n - (size_t)(at - text) });
		if (!cursor_dec(&c, &v))
			return false;
		*switches += v;
	}
	return true;
}

bool task_on_cpu(struct task_files *f, pid_t pid, pid_t tid)
{
	struct task_sched sched;
	uint64_t switches;
	char text[4096];
	ssize_t n = read_kept(&f->status_fd, pid, tid, "status", text, sizeof(text));

	/* In this order: one that gives up its CPU in between had it a moment ago. */
	if (n <= 0 || !task_switches_parse(text, (size_t)n, &switches) ||
	    !task_sched_read(f, pid, tid, &sched))
		return true;
	return sched.slices > switches;
}
