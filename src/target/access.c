/* Rights are tried where trying is harmless (opening files, reading eight bytes of
 * memory), and read where it is not. */
#include "target/access.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/file.h"
#include "target/loader.h"
#include "target/maps.h"
#include "target/memory.h"
#include "target/process.h"

static int read_number(const char *path, int missing)
{
	char line[32], *end;
	long v;

	if (!file_line(path, line, sizeof(line)))
		return missing;
	v = strtol(line, &end, 10);
	return end == line ? missing : (int)v;
}

static uint64_t effective_capabilities(void)
{
	struct bytes b, line;
	struct cursor c;
	uint64_t v = 0;

	if (file_read("/proc/self/status", 64 << 10, &b, NULL))
		return 0;
	c = cursor_over(b);
	while (cursor_line(&c, &line)) {
		struct cursor l;

		if (line.n < 8 || memcmp(line.p, "CapEff:", 7) != 0)
			continue;
		l = cursor_over((struct bytes){ line.p + 7, line.n - 7 });
		cursor_spaces(&l);
		cursor_hex(&l, &v);
	}
	free((void *)(uintptr_t)b.p);
	return v;
}

/* pid: the process's body. */
static bool can_open(pid_t pid, const char *what, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return false;
	close(fd);
	return true;
}

/* Opening says little: some files check only when they are read. */
static bool can_read(pid_t pid, const char *what)
{
	char path[128], line[256];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	return file_line(path, line, sizeof(line)) && line[0];
}

static void use_nothing(int fd, const struct object *o, void *arg)
{
	(void)fd, (void)o, (void)arg;
}

static void read_target(struct access *a)
{
	struct objects *os = objects_new();
	struct maps maps;
	pid_t body = process_body(a->pid);
	uint64_t word;
	int flags = O_RDONLY, ret;
	char what[64];

	maps_init(&maps);
	ret = maps_read(&maps, os, a->pid);
	a->unanswered = ret == -ETIMEDOUT;
	a->maps = ret == 0 && maps.list.n;
	if (a->maps) {
		/* The way to a file that does not answer is looked at, not the file. */
		if (object_use(maps.list.v[0].object,
			       &(struct loader_request){ .use = use_nothing }) ==
		    -ETIMEDOUT)
			flags = O_PATH;
		a->memory = mem_live_read_some(a->pid, maps.list.v[0].start, &word,
					       sizeof(word)) == (ssize_t)sizeof(word);
		snprintf(what, sizeof(what), "map_files/%llx-%llx",
			 (unsigned long long)maps.list.v[0].start,
			 (unsigned long long)maps.list.v[0].end);
		a->map_files = can_open(body, what, flags);
	}
	a->files = can_open(body, "exe", flags);
	a->blocked = a->memory && can_read(body, "syscall");
	maps_done(&maps);
	objects_free(os);
}

void access_read(pid_t pid, struct access *out)
{
	char path[64];
	struct stat st;

	*out = (struct access){ .pid = pid };
	out->capabilities = effective_capabilities();
	out->paranoid = read_number("/proc/sys/kernel/perf_event_paranoid", INT_MAX);
	out->ptrace_scope = read_number("/proc/sys/kernel/yama/ptrace_scope", -1);
	out->kptr_restrict = read_number("/proc/sys/kernel/kptr_restrict", 0);
	out->root = geteuid() == 0;
	if (!pid)
		return;
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (stat(path, &st) == 0) {
		out->owner = st.st_uid;
		out->same_user = st.st_uid == geteuid();
	}
	read_target(out);
}

/* The value of a line of /proc/self/status, or NULL: "Seccomp:\t2". */
static bool own_status_is(const char *line_wanted)
{
	struct bytes b, line;
	struct cursor c;
	size_t n = strlen(line_wanted);
	bool is = false;

	if (file_read("/proc/self/status", 64 << 10, &b, NULL))
		return false;
	c = cursor_over(b);
	while (!is && cursor_line(&c, &line))
		is = line.n == n && memcmp(line.p, line_wanted, n) == 0;
	free((void *)(uintptr_t)b.p);
	return is;
}

bool access_filtered(void)
{
	return own_status_is("Seccomp:\t2");
}

/* The initial user namespace maps all IDs to themselves: "0 0 4294967295". */
static bool in_user_namespace(void)
{
	unsigned long inside, outside, count;
	char line[96];

	return file_line("/proc/self/uid_map", line, sizeof(line)) &&
	       sscanf(line, "%lu %lu %lu", &inside, &outside, &count) == 3 &&
	       (inside != 0 || outside != 0 || count != 4294967295ul);
}

/* "proc /proc proc rw,nosuid,hidepid=invisible 0 0" */
bool access_proc_hides(void)
{
	struct bytes b, line;
	struct cursor c;
	bool hides = false;

	if (file_read("/proc/self/mounts", 1 << 20, &b, NULL))
		return false;
	c = cursor_over(b);
	while (!hides && cursor_line(&c, &line))
		hides = memmem(line.p, line.n, " /proc proc ", 12) &&
			memmem(line.p, line.n, "hidepid=", 8) &&
			!memmem(line.p, line.n, "hidepid=0", 9) &&
			!memmem(line.p, line.n, "hidepid=off", 11);
	free((void *)(uintptr_t)b.p);
	return hides;
}

const char *access_cure(const struct access *a)
{
	char lockdown[96];

	if (a->unanswered)
		return "see where it hangs with `cat /proc/PID/task/*/wchan`, and bring "
		       "the "
		       "file server or device back that it waits for";
	if (access_filtered())
		return "run ptop outside of this sandbox, or let its seccomp filter "
		       "through "
		       "(docker: --security-opt seccomp=unconfined); setcap does not "
		       "help "
		       "against a filter";
	if (!a->root && own_status_is("NoNewPrivs:\t1"))
		return "start ptop without no_new_privs, under which neither sudo nor "
		       "setcap "
		       "give anything";
	if (in_user_namespace())
		return "run ptop outside of this user namespace (on the host); "
		       "capabilities of "
		       "one in it do not count";
	if (!a->root && access_proc_hides())
		return "sudo mount -o remount,hidepid=off /proc, or be in the group of "
		       "its "
		       "gid= option";
	if (a->root &&
	    file_line("/sys/kernel/security/lockdown", lockdown, sizeof(lockdown)) &&
	    strstr(lockdown, "[confidentiality]"))
		return "boot with lockdown=integrity: kernel lockdown forbids it, also "
		       "to root";
	return NULL;
}

bool access_has(const struct access *a, int capability)
{
	return a->capabilities >> capability & 1;
}
