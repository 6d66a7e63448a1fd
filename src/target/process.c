/* Everything /proc says of a process in words and numbers. The name in a stat line is the
 * target's to choose and may hold ") R 1": the last ')' ends it. */
#include "target/process.h"

#include <ctype.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/text.h"
#include "target/access.h"
#include "target/proc_file.h"

#define PIDS_MAX 100000u
#define PAGE_BYTES 4096u
#define KERNEL_THREAD 0x200000u /* PF_KTHREAD of linux/sched.h */

static void free_bytes(struct bytes b)
{
	free((void *)(uintptr_t)b.p);
}

bool process_parse_stat(const char *text, size_t n, struct process_stat *out)
{
	const char *open = memchr(text, '(', n), *close = memrchr(text, ')', n);
	uint64_t field[23] = { 0 };
	struct cursor c;
	size_t i;

	*out = (struct process_stat){ .state = '?' };
	if (!open || !close || close < open)
		return false;
	clean_copy(out->comm, sizeof(out->comm), open + 1, (size_t)(close - open - 1));
	c = cursor_over((struct bytes){ (const unsigned char *)close + 1,
					n - (size_t)(close + 1 - text) });
	cursor_spaces(&c);
	out->state = (char)cursor_u8(&c);
	for (i = 4; i <= 22 && !c.failed; i++) {
		cursor_spaces(&c);
		cursor_accept(&c, '-');
		if (!cursor_dec(&c, &field[i]))
			return false;
	}
	out->parent = (pid_t)field[4];
	out->flags = field[9];
	out->minor_faults = field[10];
	out->major_faults = field[12];
	out->user_ticks = field[14];
	out->system_ticks = field[15];
	out->threads = (int)field[20];
	out->start_ticks = field[22];
	return !c.failed;
}

bool process_stat(pid_t pid, pid_t tid, struct process_stat *out)
{
	char path[64];
	struct bytes b;
	bool ok;
	int ret;

	if (tid)
		snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)tid);
	else
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	ret = file_read(path, 4096, &b, NULL);
	if (ret) {
		errno = -ret;
		return false;
	}
	ok = process_parse_stat((const char *)b.p, b.n, out);
	free_bytes(b);
	return ok;
}

static uint64_t boot_wall_ns(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return clock_wall_ns() -
	       ((uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* An interpreter is not what people call their service: `python3 /srv/app.py` is app.py.
 */
static bool is_interpreter(const char *name)
{
	static const char *const known[] = { "python", "node", "ruby", "perl",
					     "php",    "bash", "sh",   "java" };
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t n = strlen(known[i]);

		if (strncmp(name, known[i], n) == 0 &&
		    (name[n] == '\0' || isdigit((unsigned char)name[n])))
			return true;
	}
	return false;
}

static void read_command(struct process *p)
{
	char first[sizeof(p->command)], second[sizeof(p->command)];
	size_t at = 0, out = 0, args = 0;
	bool code_given = false;
	struct bytes b;

	snprintf(p->command, sizeof(p->command), "%s", p->comm);
	snprintf(p->cmdline, sizeof(p->cmdline), "%s", p->comm);
	if (proc_file_read(process_body(p->pid), "cmdline", 64 << 10, &b, NULL))
		return;
	first[0] = second[0] = '\0';
	while (at < b.n && out + 2 < sizeof(p->cmdline)) {
		const char *arg = (const char *)b.p + at;
		size_t n = strnlen(arg, b.n - at);

		if (args == 0)
			clean_copy(first, sizeof(first), arg, n);
		else if (n == 2 && memcmp(arg, "-c", 2) == 0)
			code_given = true;
		else if (second[0] == '\0' && n && arg[0] != '-' && !code_given)
			clean_copy(second, sizeof(second), arg, n);
		if (args++ > 0)
			p->cmdline[out++] = ' ';
		out += clean_copy(p->cmdline + out, sizeof(p->cmdline) - out, arg, n);
		at += n + 1;
	}
	free_bytes(b);
	if (!first[0])
		return;
	snprintf(p->command, sizeof(p->command), "%s", base_name(first));
	if (second[0] && is_interpreter(p->command))
		snprintf(p->command, sizeof(p->command), "%s", base_name(second));
}

/* By the width of the words that the kernel gave it at its start: the file itself may be one
 * that does not answer. */
static bool is_class32(pid_t pid)
{
	struct bytes b;
	uint32_t word[2];
	uint64_t wide[2];
	bool narrow = false, is_wide = false;
	size_t i;

	if (proc_file_read(process_body(pid), "auxv", 64 << 10, &b, NULL))
		return false;
	for (i = 0; i + sizeof(wide) <= b.n && !is_wide; i += sizeof(wide)) {
		memcpy(wide, b.p + i, sizeof(wide));
		is_wide = wide[0] == AT_PAGESZ && wide[1] == PAGE_BYTES;
	}
	for (i = 0; i + sizeof(word) <= b.n && !narrow; i += sizeof(word)) {
		memcpy(word, b.p + i, sizeof(word));
		narrow = word[0] == AT_PAGESZ && word[1] == PAGE_BYTES;
	}
	free_bytes(b);
	return narrow && !is_wide;
}

static int by_pid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

/* Numeric entries of a folder. */
static bool list_pids(const char *path, pid_list *out)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	out->n = 0;
	if (!dir)
		return false;
	while (out->n < PIDS_MAX && (e = readdir(dir))) {
		char *end;
		long v = strtol(e->d_name, &end, 10);

		if (v > 0 && !*end)
			*VEC_PUSH(out) = (pid_t)v;
	}
	closedir(dir);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_pid);
	return true;
}

bool process_threads(pid_t pid, pid_list *out)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	if (list_pids(path, out)) {
		if (out->n)
			return true;
		errno = ESRCH;
	} else if (errno == ENOENT) {
		errno = ESRCH;
	}
	return false;
}

/* A process whose first thread ended shows as a zombie while its other threads live on.
 */
static bool has_other_threads(pid_t pid)
{
	pid_list tids = { 0 };
	bool more = process_threads(pid, &tids) && tids.n > 1;

	VEC_DONE(&tids);
	return more;
}

static bool has_ended(char state)
{
	return state == 'Z' || state == 'X';
}

pid_t process_body(pid_t pid)
{
	struct process_stat now;
	pid_list tids = { 0 };
	pid_t body = pid;
	size_t i;

	if (!process_stat(pid, 0, &now) || !has_ended(now.state))
		return pid;
	process_threads(pid, &tids);
	for (i = 0; i < tids.n && body == pid; i++)
		if (process_stat(pid, tids.v[i], &now) && !has_ended(now.state))
			body = tids.v[i];
	VEC_DONE(&tids);
	return body;
}

/* A number from /proc/PID/status ("Tgid:"), or `missing`. The last one of the line when
 * there are several. */
static pid_t status_number(pid_t pid, const char *key, pid_t missing)
{
	struct bytes b, line;
	struct cursor c;
	char path[64];
	pid_t found = missing;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (file_read(path, 64 << 10, &b, NULL))
		return missing;
	c = cursor_over(b);
	while (cursor_line(&c, &line)) {
		size_t at = line.n, n = strlen(key);
		uint64_t v;
		struct cursor last;

		if (line.n <= n || memcmp(line.p, key, n) != 0)
			continue;
		while (at > 0 && isdigit(line.p[at - 1]))
			at--;
		last = cursor_over((struct bytes){ line.p + at, line.n - at });
		if (cursor_dec(&last, &v))
			found = (pid_t)v;
	}
	free_bytes(b);
	return found;
}

/* A process can be there without an entry in /proc, or with one that tells nothing. */
static int not_shown(pid_t pid, const char *path, struct error *err)
{
	int why = errno, there = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (there != -1)
		close(there);
	if (there != -1 && access_proc_hides()) {
		error_set(err, EXIT_NO_PERMISSION,
			  "process %d is another user's, and hidepid= of /proc hides it",
			  (int)pid);
		error_hint(err,
			   "sudo mount -o remount,hidepid=off /proc, or be in the group "
			   "of its gid= option, or root");
		return -EACCES;
	}
	if (why != ENOENT && why != ESRCH && why != ENOTDIR) {
		errno = why;
		error_errno(err, path);
		error_hint(err, "ptop could not look, which does not tell whether the "
				"process is there");
		return -EIO;
	}
	error_set(err, EXIT_NO_PROCESS, "no process with pid %d", (int)pid);
	error_hint(err, "see `pgrep -a NAME`, or use `ptop -n NAME`");
	return -ESRCH;
}

int process_find(pid_t pid, struct process *out, struct error *err)
{
	struct process_stat stat_now;
	struct stat st;
	char path[64];
	pid_t tgid;

	*out = (struct process){ .pid = pid };
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	errno = ESRCH;
	if (pid <= 0 || stat(path, &st) == -1 || !process_stat(pid, 0, &stat_now))
		return not_shown(pid, path, err);
	out->uid = st.st_uid;
	out->start_ticks = stat_now.start_ticks;
	out->start_wall_ns = boot_wall_ns() + stat_now.start_ticks * NS_PER_SEC /
						  (uint64_t)sysconf(_SC_CLK_TCK);
	snprintf(out->comm, sizeof(out->comm), "%s", stat_now.comm);
	tgid = status_number(pid, "Tgid:", pid);
	if (tgid != pid) {
		error_set(err, EXIT_NO_PROCESS, "%d is a thread of process %d", (int)pid,
			  (int)tgid);
		error_hint(err, "use -p %d", (int)tgid);
		return -ESRCH;
	}
	if (has_ended(stat_now.state) && !has_other_threads(pid)) {
		error_set(err, EXIT_NO_PROCESS,
			  "process %d (%s) is a zombie: it has ended and waits for its "
			  "parent %d",
			  (int)pid, out->comm, (int)stat_now.parent);
		error_hint(err, "there is nothing left to sample; look at the parent");
		return -ESRCH;
	}
	out->kernel_thread = stat_now.flags & KERNEL_THREAD;
	if (out->kernel_thread) {
		error_set(err, EXIT_UNSUPPORTED, "process %d (%s) is a kernel thread",
			  (int)pid, out->comm);
		error_hint(err, "ptop profiles programs; for the kernel use `perf top`");
		return -ENOTSUP;
	}
	read_command(out);
	out->class32 = is_class32(pid);
	if (out->class32) {
		error_set(err, EXIT_UNSUPPORTED,
			  "process %d (%s) is a 32-bit program, which is not supported",
			  (int)pid, out->comm);
		error_hint(err, "use `perf record -g -p %d`", (int)pid);
		return -ENOTSUP;
	}
	return 0;
}

bool process_alive(const struct process *p)
{
	struct process_stat now;
	char path[64];

	if (!process_stat(p->pid, 0, &now)) {
		/* Too many open files is not a death. */
		snprintf(path, sizeof(path), "/proc/%d", (int)p->pid);
		return access(path, F_OK) == 0 || (errno != ENOENT && errno != ESRCH);
	}
	if (now.start_ticks != p->start_ticks)
		return false;
	return !has_ended(now.state) || has_other_threads(p->pid);
}

/* Field 52 of a zombie's stat, the last one; 0 to who may not look into the process. */
static bool zombie_status(pid_t pid, int *status)
{
	struct process_stat now;
	struct bytes b;
	char path[64];
	size_t at;
	bool ok;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_read(path, 4096, &b, NULL))
		return false;
	ok = process_parse_stat((const char *)b.p, b.n, &now) && now.state == 'Z';
	while (b.n && !isdigit(b.p[b.n - 1]))
		b.n--;
	for (at = b.n; at && isdigit(b.p[at - 1]);)
		at--;
	*status = 0;
	for (; ok && at < b.n && *status < 1 << 20; at++)
		*status = *status * 10 + (b.p[at] - '0');
	free_bytes(b);
	return ok;
}

/* linux/pidfd.h of 6.15; the headers of those who build are older. */
struct exit_info {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};
#define EXIT_INFO_ASKED (1u << 3)
#define EXIT_INFO _IOWR(0xff, 11, struct exit_info)

/* Of a child of ours; it stays for whoever started it to reap. */
static int child_status(pid_t pid)
{
	siginfo_t si = { 0 };

	if (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == -1 ||
	    si.si_pid != pid)
		return -1;
	return si.si_code == CLD_EXITED ? si.si_status << 8 : si.si_status;
}

int process_end_status(pid_t pid, int pid_fd)
{
	struct exit_info info = { .mask = EXIT_INFO_ASKED };
	int status = child_status(pid);

	if (status != -1)
		return status;
	/* 0 may also be what somebody without the right is shown. */
	if (zombie_status(pid, &status) && status != 0)
		return status;
	if (pid_fd == -1 || ioctl(pid_fd, EXIT_INFO, &info) == -1 ||
	    !(info.mask & EXIT_INFO_ASKED))
		return -1;
	return info.exit_code;
}
_Static_assert(sizeof(struct exit_info) == 64, "PIDFD_INFO_SIZE_VER0");

static void add_children_of(pid_t pid, pid_t tid, pid_list *out)
{
	char path[96];
	struct bytes b;
	struct cursor c;
	uint64_t child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)tid);
	if (file_read(path, 1 << 20, &b, NULL))
		return;
	c = cursor_over(b);
	while (out->n < PIDS_MAX && cursor_dec(&c, &child)) {
		*VEC_PUSH(out) = (pid_t)child;
		cursor_spaces(&c);
	}
	free_bytes(b);
}

void process_children(pid_t pid, pid_list *out)
{
	pid_list tids = { 0 };
	size_t i, next = 0;

	out->n = 0;
	do {
		pid_t parent = next ? out->v[next - 1] : pid;

		if (process_threads(parent, &tids))
			for (i = 0; i < tids.n; i++)
				add_children_of(parent, tids.v[i], out);
	} while (next++ < out->n);
	VEC_DONE(&tids);
}

pid_t process_tracer(pid_t pid)
{
	return status_number(pid, "TracerPid:", 0);
}

pid_t process_ns_pid(pid_t pid)
{
	return status_number(pid, "NSpid:", pid);
}

static uint64_t switches_of(pid_t pid, pid_t tid)
{
	char path[96];
	uint64_t run, wait, slices = 0;
	struct bytes b;
	struct cursor c;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", (int)pid, (int)tid);
	if (file_read(path, 256, &b, NULL))
		return 0;
	c = cursor_over(b);
	if (cursor_dec(&c, &run) && cursor_accept(&c, ' ') && cursor_dec(&c, &wait) &&
	    cursor_accept(&c, ' '))
		cursor_dec(&c, &slices);
	free_bytes(b);
	return slices;
}

uint64_t process_switches(pid_t pid)
{
	pid_list tids = { 0 };
	uint64_t sum = 0;
	size_t i;

	if (process_threads(pid, &tids))
		for (i = 0; i < tids.n; i++)
			sum += switches_of(pid, tids.v[i]);
	VEC_DONE(&tids);
	return sum;
}

uint64_t process_cpu_ns(pid_t pid)
{
	/* What clock_getcpuclockid() makes of it, which checks it by a system call more. */
	clockid_t scheduler_clock = (clockid_t)(~(unsigned)pid << 3 | 2);
	struct timespec ts;

	if (clock_gettime(scheduler_clock, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

static void add_match(match_list *out, const struct process *p)
{
	struct process_match *m = VEC_PUSH(out);

	m->pid = p->pid;
	clean_copy(m->text, sizeof(m->text), p->cmdline, strlen(p->cmdline));
}

void process_named(const char *pattern, match_list *out)
{
	pid_list pids = { 0 };
	match_list loose = { 0 };
	size_t i;

	out->n = 0;
	list_pids("/proc", &pids);
	for (i = 0; i < pids.n; i++) {
		struct process p;

		if (pids.v[i] == getpid() || process_find(pids.v[i], &p, NULL))
			continue;
		if (strcmp(p.comm, pattern) == 0 || strcmp(p.command, pattern) == 0)
			add_match(out, &p);
		else if (strstr(p.cmdline, pattern) && pids.v[i] != getppid())
			add_match(&loose, &p);
	}
	VEC_DONE(&pids);
	if (out->n == 0) {
		VEC_DONE(out);
		*out = loose;
	} else {
		VEC_DONE(&loose);
	}
}
