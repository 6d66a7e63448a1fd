/* A table of known processes by pid and start time: command, owner, language and rights
 * are looked up once, CPU time and memory at every list. The language is told by the names
 * of mapped files, which is good enough to choose by; attaching looks closer. */
#include "app/processes.h"

#include <dirent.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "base/vec.h"
#include "target/access.h"
#include "target/proc_file.h"
#include "target/process.h"

#define MAPS_BYTES (512u << 10)
#define PROCESSES_MOST 32768u

struct known {
	struct process process;
	int32_t parent;
	char user[24], runtime[32], directory[256];
	const char *attach;
	char why[120];
	uint64_t cpu_ns, seen_ns;
	double cpu_pct;
	bool kernel, listed;
};

struct process_lister {
	VEC(struct known) known;
};

struct process_lister *process_lister_new(void)
{
	return xcalloc(1, sizeof(struct process_lister));
}

void process_lister_free(struct process_lister *l)
{
	if (!l)
		return;
	VEC_DONE(&l->known);
	free(l);
}

/* "libpython3.11.so" or "python3.11" -> 3.11 */
static void python_version(const char *at, char *buf, size_t size)
{
	size_t n = strspn(at, "0123456789.");

	while (n && at[n - 1] == '.')
		n--;
	snprintf(buf, size, "CPython%s%.*s", n ? " " : "", n < 8 ? (int)n : 0, at);
}

static void find_runtime(struct known *k)
{
	static const struct {
		const char *file, *name;
	} files[] = {
		{ "/libjvm.so", "JVM" },      { "/libruby", "Ruby" },
		{ "/bin/ruby", "Ruby" },      { "/bin/node", "Node.js" },
		{ "/libnode", "Node.js" },    { "/bin/php", "PHP" },
		{ "/libphp", "PHP" },	      { "/bin/perl", "Perl" },
		{ "/libcoreclr.so", ".NET" },
	};
	struct bytes maps = { 0 };
	char *text, *at;
	size_t i;

	snprintf(k->runtime, sizeof(k->runtime), "native");
	if (proc_file_read(k->process.pid, "maps", MAPS_BYTES, &maps, NULL) != 0)
		return;
	text = xrealloc((void *)(uintptr_t)maps.p, maps.n + 1);
	text[maps.n] = '\0';
	if ((at = strstr(text, "/libpython")))
		python_version(at + strlen("/libpython"), k->runtime, sizeof(k->runtime));
	else if ((at = strstr(text, "/bin/python")))
		python_version(at + strlen("/bin/python"), k->runtime,
			       sizeof(k->runtime));
	else
		for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
			if (strstr(text, files[i].file)) {
				snprintf(k->runtime, sizeof(k->runtime), "%s",
					 files[i].name);
				break;
			}
	free(text);
}

static void find_rights(struct known *k, const struct error *err, bool refused)
{
	struct access a;

	k->attach = "ok";
	k->why[0] = '\0';
	if (refused) {
		k->attach = "no";
		snprintf(k->why, sizeof(k->why), "%.110s", err->cause);
		return;
	}
	access_read(k->process.pid, &a);
	if (!a.maps && a.root) {
		k->attach = "no";
		snprintf(k->why, sizeof(k->why),
			 "not readable for root: the container lacks CAP_SYS_PTRACE");
	} else if (!a.maps) {
		k->attach = "sudo";
		snprintf(k->why, sizeof(k->why), "%s",
			 a.same_user ? "not readable: run with sudo"
				     : "of another user: run with sudo");
	} else if (!a.memory) {
		k->attach = "part";
		snprintf(k->why, sizeof(k->why),
			 "its memory may not be read: no interpreted stacks");
	}
}

static void look_closer(struct known *k, pid_t pid)
{
	struct error err = { 0 };
	bool refused = process_find(pid, &k->process, &err) != 0;
	const struct passwd *pw;
	char path[64], target[256];
	ssize_t n;

	k->kernel = k->process.kernel_thread;
	if (k->kernel)
		return;
	pw = getpwuid(k->process.uid);
	if (pw)
		clean_copy(k->user, sizeof(k->user), pw->pw_name, strlen(pw->pw_name));
	else
		snprintf(k->user, sizeof(k->user), "%u", (unsigned)k->process.uid);
	find_rights(k, &err, refused);
	find_runtime(k);
	snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	n = readlink(path, target, sizeof(target) - 1);
	if (n > 0)
		clean_copy(k->directory, sizeof(k->directory), target, (size_t)n);
}

static struct known *known_process(struct process_lister *l, pid_t pid,
				   const struct process_stat *st)
{
	struct known *k;
	size_t i;

	for (i = 0; i < l->known.n; i++)
		if (l->known.v[i].process.pid == pid) {
			if (l->known.v[i].process.start_ticks == st->start_ticks)
				return &l->known.v[i];
			break;
		}
	k = i < l->known.n ? &l->known.v[i] : VEC_PUSH(&l->known);
	*k = (struct known){ .attach = "no", .cpu_pct = -1 };
	look_closer(k, pid);
	k->process.pid = pid;
	k->process.start_ticks = st->start_ticks;
	return k;
}

static void measure(struct known *k, uint64_t now)
{
	uint64_t cpu = process_cpu_ns(k->process.pid);

	if (k->seen_ns && now > k->seen_ns && cpu >= k->cpu_ns)
		k->cpu_pct =
		    100.0 * (double)(cpu - k->cpu_ns) / (double)(now - k->seen_ns);
	k->cpu_ns = cpu;
	k->seen_ns = now;
}

static uint64_t rss_of(pid_t pid)
{
	char path[64], line[128];
	unsigned long long size, resident;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	if (!file_line(path, line, sizeof(line)) ||
	    sscanf(line, "%llu %llu", &size, &resident) != 2)
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void put(struct processes *out, const struct known *k,
		const struct process_stat *st)
{
	struct arena *a = &out->arena;

	out->rows[out->n++] = (struct process_row){
		.pid = k->process.pid,
		.parent = st->parent,
		.user = arena_str(a, k->user),
		.command =
		    arena_str(a, k->process.command[0] ? k->process.command : st->comm),
		.cmdline =
		    arena_str(a, k->process.cmdline[0] ? k->process.cmdline : st->comm),
		.directory = arena_str(a, k->directory),
		.runtime = arena_str(a, k->runtime),
		.attach = k->attach,
		.why = arena_str(a, k->why),
		.cpu_pct = k->cpu_pct,
		.rss_bytes = rss_of(k->process.pid),
		.start_wall_ns = k->process.start_wall_ns,
		.threads = st->threads,
	};
}

static size_t pids(pid_list *out)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d)) && out->n < PROCESSES_MOST) {
		char *end;
		long pid = strtol(e->d_name, &end, 10);

		if (pid > 0 && !*end)
			*VEC_PUSH(out) = (pid_t)pid;
	}
	if (d)
		closedir(d);
	return out->n;
}

struct processes *process_lister_list(struct process_lister *l)
{
	struct processes *out = xcalloc(1, sizeof(*out));
	pid_list list = { 0 };
	uint64_t now = clock_now_ns();
	size_t i, n = pids(&list);

	out->rows = arena_alloc(&out->arena, (n + 1) * sizeof(*out->rows));
	for (i = 0; i < l->known.n; i++)
		l->known.v[i].listed = false;
	for (i = 0; i < n; i++) {
		struct process_stat st;
		struct known *k;

		if (list.v[i] == getpid() || !process_stat(list.v[i], 0, &st) ||
		    st.state == 'Z' || st.state == 'X')
			continue;
		k = known_process(l, list.v[i], &st);
		k->listed = true;
		if (k->kernel)
			continue;
		measure(k, now);
		put(out, k, &st);
	}
	for (i = 0; i < l->known.n; i++)
		if (!l->known.v[i].listed)
			l->known.v[i--] = l->known.v[--l->known.n];
	VEC_DONE(&list);
	return out;
}

void processes_free(struct processes *p)
{
	if (!p)
		return;
	arena_done(&p->arena);
	free(p);
}
