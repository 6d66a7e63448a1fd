/* `ptop doctor [PID]`: each thing ptop does, whether it may, and the line that grants it.
 * Rights are tried, not guessed: the backends are really opened, for an instant. */
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "app/options.h"
#include "base/rights.h"
#include "base/text.h"
#include "export/exporter.h"
#include "sample/backend.h"
#include "sample/chain.h"
#include "target/access.h"
#include "target/process.h"

#define SETCAP                                                                \
	"sudo setcap cap_perfmon,cap_bpf,cap_sys_ptrace,cap_dac_read_search," \
	"cap_checkpoint_restore,cap_syslog+ep \"$(command -v ptop)\""

struct check {
	const char *name, *key;
	bool ok;
	char why[320];
	char cure[320];
};

#define CHECKS_MAX 16u

struct report {
	struct check check[CHECKS_MAX];
	size_t n;
	const char *cure; /* what helps where setcap does not; NULL */
};

static void add(struct report *r, const char *key, const char *name, bool ok,
		const char *why, const char *cure)
{
	struct check *c = &r->check[r->n++];

	if (r->cure && strstr(cure, "setcap")) {
		cure = r->cure;
		if (strncmp(why, "needs CAP_", 10) == 0)
			why = "the kernel refuses it, whatever the capabilities (EPERM)";
	}
	*c = (struct check){ .name = name, .key = key, .ok = ok };
	snprintf(c->why, sizeof(c->why), "%s", ok ? "" : why);
	snprintf(c->cure, sizeof(c->cure), "%s", ok ? "" : cure);
}

static void try_backend(struct report *r, const struct backend *b, pid_t pid)
{
	struct sample_config c = { .pid = pid, .rate_hz = 99, .stack_bytes = 8192 };
	struct error err = { 0 };
	struct sampler *s = NULL;
	bool ok = b->open(&c, &s, &err) == 0;
	const char *cure = SETCAP;

	if (ok)
		b->close(s);
	/* Its own hint, where that is not the general one, which leads here. */
	if (err.hint[0] && !strstr(err.hint, "setcap"))
		cure = err.hint;
	else if (b == &perf_user_backend)
		cure = "run as the process's own user, or as root";
	add(r, b->name, b->help, ok, err.cause, cure);
}

static void check_target(struct report *r, const struct access *a)
{
	const char *hangs =
	    "the process hangs in the kernel and holds the lock of its memory";
	size_t i;

	for (i = 0; backends[i]; i++)
		try_backend(r, backends[i], a->pid);
	add(r, "maps", "its memory map (which file an address is in)", a->maps,
	    a->unanswered  ? hangs
	    : a->same_user ? "not readable"
			   : "it belongs to another user",
	    SETCAP);
	add(r, "memory", "its memory (deep stacks)", a->memory,
	    a->unanswered			  ? hangs
	    : a->ptrace_scope > 0 && a->same_user ? "kernel.yama.ptrace_scope forbids it"
						  : "not readable",
	    a->ptrace_scope > 0 && a->same_user
		? "sudo sysctl kernel.yama.ptrace_scope=0, or: " SETCAP
		: SETCAP);
	add(r, "blocked", "stacks of its blocked threads (wall mode, dump)", a->blocked,
	    "needs CAP_SYS_PTRACE, and CAP_DAC_READ_SEARCH for other users' processes",
	    SETCAP);
	add(r, "files", "its files (names of functions)", a->files, "not readable",
	    SETCAP);
	add(r, "map_files", "its deleted and container files", a->map_files,
	    "needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE", SETCAP);
}

static void try_chain(struct report *r)
{
	struct error err = { 0 };
	struct chain *c = chain_open(true, &err);

	add(r, "chain", "Python stacks copied with samples", c != NULL, err.cause,
	    SETCAP);
	chain_close(c);
}

static void check_system(struct report *r, const struct access *a)
{
	try_chain(r);
	add(r, "kernel_symbols", "names of kernel functions",
	    access_has(a, CAP_SYSLOG) ? a->kptr_restrict < 2
				      : a->kptr_restrict == 0 && a->paranoid <= 1,
	    "they need CAP_SYSLOG, or kernel.kptr_restrict=0 with "
	    "kernel.perf_event_paranoid=1",
	    SETCAP);
	add(r, "kernel_samples", "time inside the kernel",
	    a->paranoid <= 1 || access_has(a, CAP_PERFMON) ||
		access_has(a, CAP_SYS_ADMIN),
	    "kernel.perf_event_paranoid forbids it",
	    "sudo sysctl kernel.perf_event_paranoid=1, or: " SETCAP);
}

static void print_text(const struct access *a, const struct process *p,
		       const struct report *r)
{
	size_t i;

	printf("perf_event_paranoid %d   yama.ptrace_scope ", a->paranoid);
	if (a->ptrace_scope < 0)
		fputs("none", stdout);
	else
		printf("%d", a->ptrace_scope);
	printf("   user %s   capabilities:%s%s%s%s%s%s\n", a->root ? "root" : "not root",
	       access_has(a, CAP_PERFMON) ? " perfmon" : "",
	       access_has(a, CAP_BPF) ? " bpf" : "",
	       access_has(a, CAP_SYS_PTRACE) ? " sys_ptrace" : "",
	       access_has(a, CAP_DAC_READ_SEARCH) ? " dac_read_search" : "",
	       access_has(a, CAP_CHECKPOINT_RESTORE) ? " checkpoint_restore" : "",
	       access_has(a, CAP_SYSLOG) ? " syslog" : "");
	if (a->pid)
		printf("process %d (%s), uid %u\n", (int)p->pid, p->command,
		       (unsigned)p->uid);
	for (i = 0; i < r->n; i++) {
		const struct check *c = &r->check[i];

		printf("  %-4s %-15s %s\n", c->ok ? "ok" : "NO", c->key, c->name);
		if (!c->ok)
			printf("       why: %s\n       fix: %s\n", c->why, c->cure);
	}
}

static void print_json(const struct access *a, const struct report *r)
{
	struct text t = { 0 };
	size_t i;

	text_str(&t, "{\"schema\":\"ptop.doctor/1\",\"pid\":");
	if (a->pid)
		text_dec(&t, (uint64_t)a->pid);
	else
		text_str(&t, "null");
	text_fmt(&t, ",\"perf_event_paranoid\":%d,\"ptrace_scope\":%d,\"checks\":[",
		 a->paranoid, a->ptrace_scope);
	for (i = 0; i < r->n; i++) {
		text_fmt(&t, "%s{\"check\":\"%s\",\"ok\":%s,\"why\":", i ? "," : "",
			 r->check[i].key, r->check[i].ok ? "true" : "false");
		json_string(&t, r->check[i].why);
		text_str(&t, ",\"fix\":");
		json_string(&t, r->check[i].cure);
		text_char(&t, '}');
	}
	text_str(&t, "]}\n");
	fwrite(t.p, 1, t.n, stdout);
	text_done(&t);
}

/* Attachable by some backend, or nothing was asked about. */
static bool usable(const struct report *r, pid_t pid)
{
	size_t i, k;

	for (i = 0; i < r->n; i++)
		for (k = 0; backends[k]; k++)
			if (r->check[i].ok &&
			    strcmp(r->check[i].key, backends[k]->name) == 0)
				return true;
	return pid == 0;
}

int doctor_run(const struct options *o, struct error *err)
{
	struct report r = { .n = 0 };
	struct process p = { 0 };
	struct rights rights;
	struct access a;
	pid_t pid = 0;

	if ((o->pid || o->name) &&
	    (options_target(o, &pid, err) || process_find(pid, &p, err)))
		return err->exit;
	rights = rights_of_ptop();
	access_read(pid, &a);
	r.cure = access_cure(&a);
	check_system(&r, &a);
	if (pid)
		check_target(&r, &a);
	rights_back(rights);
	if (o->json)
		print_json(&a, &r);
	else
		print_text(&a, &p, &r);
	return usable(&r, pid) ? EXIT_DONE : EXIT_NO_PERMISSION;
}
