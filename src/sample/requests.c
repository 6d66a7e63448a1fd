/* One program at the exit of system calls, where their result is known; the arguments are still
 * in the registers the kernel saved. Its state per connection is {start, last write, bucket}:
 * a response that is written in pieces is counted at its first one and corrected with each
 * more, so nothing has to be waited for. */
#include "sample/requests.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/file.h"
#include "base/vec.h"

#define CONNECTIONS_MOST 16384u
#define FDS_MOST 65536u
#define TABLE_BYTES (8u << 20)
#define SERVED_NS (5 * 1000000000ull)

/* The kernel's struct pt_regs begins as user_regs_struct does. */
#define REG(name) ((int16_t)offsetof(struct user_regs_struct, name))

struct connection {
	uint64_t start_ns, written; /* written: 1 + bucket, 0 not yet */
};

/* On the program's stack, from r10 down. */
enum {
	KEY = -8,
	VALUE = -24,
	REGS = -40,
	WORD = -48,
	NUMBER = -56,
	FD = -64,
	BUFFER = -72
};

enum label {
	OUT,
	READ,
	WRITE,
	CLOSE,
	ACCEPT,
	URING,
	BEGIN,
	NOT_PRI,
	FIRST_WRITE,
	REMOVED,
	ADD_LABELS = 20,
};

static void mark(struct bpf_code *c, int map_fd, int bit)
{
	bpf_map_value(c, 1, map_fd);
	bpf_load(c, BPF_DW, 2, 1, offsetof(struct bpf_times, marks));
	bpf_alu_k(c, BPF_OR, 2, bit);
	bpf_store(c, BPF_DW, 1, offsetof(struct bpf_times, marks), 2);
}

/* r6 = struct pt_regs *, r7 = result; only of the process; into r8 the call's number. */
static void prologue(struct bpf_code *c, pid_t pid)
{
	bpf_load(c, BPF_DW, 6, 1, 0);
	bpf_load(c, BPF_DW, 7, 1, 8);
	bpf_call(c, BPF_FUNC_get_current_pid_tgid);
	bpf_alu_k(c, BPF_RSH, 0, 32);
	bpf_if_k(c, BPF_JNE, 0, pid, OUT);
	/* orig_rax and, behind it, nothing more of use: read alone */
	bpf_mov(c, 1, 10);
	bpf_alu_k(c, BPF_ADD, 1, NUMBER);
	bpf_set(c, 2, 8);
	bpf_mov(c, 3, 6);
	bpf_alu_k(c, BPF_ADD, 3, REG(orig_rax));
	bpf_call(c, BPF_FUNC_probe_read_kernel);
	bpf_load(c, BPF_DW, 8, 10, NUMBER);
}

static void choose(struct bpf_code *c)
{
	static const struct {
		int number;
		enum label label;
	} calls[] = {
		{ SYS_read, READ },
		{ SYS_readv, READ },
		{ SYS_recvfrom, READ },
		{ SYS_recvmsg, READ },
		{ SYS_write, WRITE },
		{ SYS_writev, WRITE },
		{ SYS_sendto, WRITE },
		{ SYS_sendmsg, WRITE },
		{ SYS_sendfile, WRITE },
		{ SYS_close, CLOSE },
		{ SYS_accept, ACCEPT },
		{ SYS_accept4, ACCEPT },
		{ SYS_io_uring_enter, URING },
	};
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		bpf_if_k(c, BPF_JEQ, 8, calls[i].number, calls[i].label);
	bpf_go(c, OUT);
}

/* The connection of the first argument into r9, or out. Signed results: 0 and below go. */
static void find_connection(struct bpf_code *c, int connections_fd, bool result)
{
	if (result) {
		bpf_if_k(c, BPF_JEQ, 7, 0, OUT);
		bpf_if_k(c, BPF_JSLT, 7, 0, OUT);
	}
	bpf_mov(c, 1, 10);
	bpf_alu_k(c, BPF_ADD, 1, FD);
	bpf_set(c, 2, 8);
	bpf_mov(c, 3, 6);
	bpf_alu_k(c, BPF_ADD, 3, REG(rdi));
	bpf_call(c, BPF_FUNC_probe_read_kernel);
	bpf_load(c, BPF_W, 1, 10, FD);
	bpf_store(c, BPF_W, 10, KEY, 1);
	bpf_look_up(c, connections_fd, KEY);
	bpf_if_k(c, BPF_JEQ, 0, 0, OUT);
	bpf_mov(c, 9, 0);
}

/* "PRI " is how HTTP/2 begins: such a connection is let go of. */
static void look_for_http2(struct bpf_code *c, int times_fd, int connections_fd)
{
	bpf_mov(c, 1, 10);
	bpf_alu_k(c, BPF_ADD, 1, BUFFER);
	bpf_set(c, 2, 8);
	bpf_mov(c, 3, 6);
	bpf_alu_k(c, BPF_ADD, 3, REG(rsi));
	bpf_call(c, BPF_FUNC_probe_read_kernel);
	bpf_set(c, 1, 0);
	bpf_store(c, BPF_DW, 10, WORD, 1);
	bpf_mov(c, 1, 10);
	bpf_alu_k(c, BPF_ADD, 1, WORD);
	bpf_set(c, 2, 4);
	bpf_load(c, BPF_DW, 3, 10, BUFFER);
	bpf_call(c, BPF_FUNC_probe_read_user);
	bpf_load(c, BPF_W, 1, 10, WORD);
	bpf_if_k(c, BPF_JNE, 1, 0x20495250, NOT_PRI);
	mark(c, times_fd, REQUESTS_HTTP2);
	bpf_map(c, 1, connections_fd);
	bpf_mov(c, 2, 10);
	bpf_alu_k(c, BPF_ADD, 2, KEY);
	bpf_call(c, BPF_FUNC_map_delete_elem);
	bpf_go(c, OUT);
	bpf_label(c, NOT_PRI);
}

static void on_read(struct bpf_code *c, int times_fd, int connections_fd)
{
	bpf_label(c, READ);
	find_connection(c, connections_fd, true);
	bpf_load(c, BPF_DW, 1, 9, offsetof(struct connection, written));
	bpf_if_k(c, BPF_JNE, 1, 0, BEGIN);
	bpf_load(c, BPF_DW, 1, 9, offsetof(struct connection, start_ns));
	bpf_if_k(c, BPF_JNE, 1, 0, OUT); /* more of the same request */
	look_for_http2(c, times_fd, connections_fd);
	bpf_label(c, BEGIN);
	bpf_call(c, BPF_FUNC_ktime_get_ns);
	bpf_store(c, BPF_DW, 9, offsetof(struct connection, start_ns), 0);
	bpf_set(c, 1, 0);
	bpf_store(c, BPF_DW, 9, offsetof(struct connection, written), 1);
	bpf_go(c, OUT);
}

/* r9, the connection, is kept on the stack while r9 is a bucket. */
static void on_write(struct bpf_code *c, int times_fd, int connections_fd)
{
	bpf_label(c, WRITE);
	find_connection(c, connections_fd, true);
	bpf_load(c, BPF_DW, 6, 9, offsetof(struct connection, start_ns));
	bpf_if_k(c, BPF_JEQ, 6, 0, OUT);
	bpf_store(c, BPF_DW, 10, VALUE, 9);
	bpf_load(c, BPF_DW, 1, 9, offsetof(struct connection, written));
	bpf_mov(c, 9, 1);
	bpf_if_k(c, BPF_JEQ, 9, 0, FIRST_WRITE);
	bpf_alu_k(c, BPF_SUB, 9, 1);
	bpf_times_remove(c, times_fd, REMOVED);
	bpf_label(c, FIRST_WRITE);
	bpf_call(c, BPF_FUNC_ktime_get_ns);
	bpf_mov(c, 7, 0);
	bpf_alu(c, BPF_SUB, 0, 6);
	bpf_mov(c, 6, 0);
	bpf_call(c, BPF_FUNC_get_current_pid_tgid);
	bpf_alu_k(c, BPF_LSH, 0, 32); /* the thread above, the connection below */
	bpf_load(c, BPF_W, 8, 10, FD);
	bpf_alu(c, BPF_OR, 8, 0);
	bpf_times_add(c, times_fd, ADD_LABELS);
	bpf_load(c, BPF_DW, 1, 10, VALUE);
	bpf_alu_k(c, BPF_ADD, 9, 1);
	bpf_store(c, BPF_DW, 1, offsetof(struct connection, written), 9);
	bpf_go(c, OUT);
}

static void on_accept(struct bpf_code *c, int connections_fd)
{
	bpf_label(c, ACCEPT);
	bpf_if_k(c, BPF_JSLT, 7, 0, OUT);
	bpf_store(c, BPF_W, 10, KEY, 7);
	bpf_set(c, 1, 0);
	bpf_store(c, BPF_DW, 10, VALUE, 1);
	bpf_store(c, BPF_DW, 10, VALUE + 8, 1);
	bpf_map(c, 1, connections_fd);
	bpf_mov(c, 2, 10);
	bpf_alu_k(c, BPF_ADD, 2, KEY);
	bpf_mov(c, 3, 10);
	bpf_alu_k(c, BPF_ADD, 3, VALUE);
	bpf_set(c, 4, BPF_ANY);
	bpf_call(c, BPF_FUNC_map_update_elem);
	bpf_go(c, OUT);
}

static void on_close(struct bpf_code *c, int connections_fd)
{
	bpf_label(c, CLOSE);
	find_connection(c, connections_fd, false);
	bpf_map(c, 1, connections_fd);
	bpf_mov(c, 2, 10);
	bpf_alu_k(c, BPF_ADD, 2, KEY);
	bpf_call(c, BPF_FUNC_map_delete_elem);
	bpf_go(c, OUT);
}

static int load(struct requests *r, pid_t pid, struct error *err)
{
	struct bpf_code *c = xcalloc(1, sizeof(*c));
	int fd;

	bpf_start(c);
	prologue(c, pid);
	choose(c);
	on_read(c, r->times_fd, r->connections_fd);
	on_write(c, r->times_fd, r->connections_fd);
	on_accept(c, r->connections_fd);
	on_close(c, r->connections_fd);
	bpf_label(c, URING);
	mark(c, r->times_fd, REQUESTS_IO_URING);
	bpf_label(c, OUT);
	bpf_set(c, 0, 0);
	bpf_exit(c);
	fd = bpf_load_program(c, BPF_PROG_TYPE_RAW_TRACEPOINT, err);
	free(c);
	return fd;
}

/* ---- Connections there were before ----------------------------------------------------------- */

static void take_line(struct tcp_table *t, const char *line, bool listening)
{
	unsigned port, state;
	unsigned long inode;

	if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*u %*u %lu", &port,
		   &state, &inode) != 3 ||
	    port > 65535)
		return;
	if (listening && state == 10)
		t->listens[port / 8] |= (unsigned char)(1u << port % 8);
	if (!listening && state == 1 && (t->listens[port / 8] >> port % 8 & 1))
		*VEC_PUSH(&t->inodes) = inode;
}

void tcp_table_parse(struct tcp_table *t, struct bytes text, bool listening)
{
	struct cursor c = cursor_over(text);
	struct bytes l;
	char line[256];

	while (cursor_line(&c, &l)) {
		snprintf(line, sizeof(line), "%.*s", (int)(l.n < 250 ? l.n : 250),
			 (const char *)l.p);
		take_line(t, line, listening);
	}
}

static void read_table(struct tcp_table *t, pid_t pid, const char *name, bool listening)
{
	char path[64];
	struct bytes in;

	snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid, name);
	if (file_read(path, TABLE_BYTES, &in, NULL))
		return;
	tcp_table_parse(t, in, listening);
	free((void *)(uintptr_t)in.p);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void read_tables(struct tcp_table *t, pid_t pid)
{
	read_table(t, pid, "tcp", true);
	read_table(t, pid, "tcp6", true);
	read_table(t, pid, "tcp", false);
	read_table(t, pid, "tcp6", false);
	if (t->inodes.n)
		qsort(t->inodes.v, t->inodes.n, sizeof(uint64_t), by_value);
}

void served_done(struct served *s)
{
	VEC_DONE(&s->inodes);
}

bool served_has(struct served *s, pid_t pid, uint64_t fd, uint64_t now_ns)
{
	char path[64], link[64];
	uint64_t inode;
	ssize_t n;

	if (!s->read_ns || now_ns - s->read_ns > SERVED_NS) {
		struct tcp_table *t = xcalloc(1, sizeof(*t));

		read_tables(t, pid);
		VEC_DONE(&s->inodes);
		s->inodes.v = t->inodes.v;
		s->inodes.n = t->inodes.n;
		s->inodes.cap = t->inodes.cap;
		s->read_ns = now_ns;
		free(t);
	}
	snprintf(path, sizeof(path), "/proc/%d/fd/%llu", (int)pid,
		 (unsigned long long)fd);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 9 || memcmp(link, "socket:[", 8) != 0 || !s->inodes.n)
		return false;
	link[n] = '\0';
	inode = strtoull(link + 8, NULL, 10);
	return bsearch(&inode, s->inodes.v, s->inodes.n, sizeof(inode), by_value) != NULL;
}

static void add_open(struct requests *r, pid_t pid)
{
	struct tcp_table *t = xcalloc(1, sizeof(*t));
	char path[64], link[64];
	struct dirent *d;
	size_t seen = 0;
	DIR *dir;

	read_tables(t, pid);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = t->inodes.n ? opendir(path) : NULL;
	while (dir && (d = readdir(dir)) && seen++ < FDS_MOST) {
		ssize_t n = readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1);
		uint32_t fd = (uint32_t)strtoul(d->d_name, NULL, 10);
		struct connection none = { 0, 0 };
		uint64_t inode;

		if (n < 9 || memcmp(link, "socket:[", 8) != 0)
			continue;
		link[n] = '\0';
		inode = strtoull(link + 8, NULL, 10);
		if (bsearch(&inode, t->inodes.v, t->inodes.n, sizeof(inode), by_value) &&
		    bpf_map_put(r->connections_fd, &fd, &none) == 0)
			r->connections++;
	}
	if (dir)
		closedir(dir);
	VEC_DONE(&t->inodes);
	free(t);
}

/* ---- Open and close ---------------------------------------------------------------------------- */

static int open_all(struct requests *r, pid_t pid, struct error *err)
{
	r->times_fd = bpf_times_open(&r->times, err);
	if (r->times_fd < 0)
		return r->times_fd;
	r->connections_fd = bpf_map_open(BPF_MAP_TYPE_LRU_HASH, 4,
					 sizeof(struct connection), CONNECTIONS_MOST, 0);
	if (r->connections_fd < 0) {
		errno = -r->connections_fd;
		return error_errno(err, "memory for connections");
	}
	r->program_fd = load(r, pid, err);
	if (r->program_fd < 0)
		return r->program_fd;
	r->link_fd = bpf_raw_tracepoint("sys_exit", r->program_fd);
	if (r->link_fd >= 0)
		return 0;
	errno = -r->link_fd;
	return error_errno(err, "tracepoint sys_exit (needs CAP_PERFMON)");
}

int requests_open(pid_t pid, uint64_t slow_ns, struct requests **out, struct error *err)
{
	struct requests *r;
	int ret;

	if (!bpf_sees_our_pids())
		return error_set(
		    err, EXIT_UNSUPPORTED,
		    "requests cannot be timed from inside of a pid namespace");
	r = xcalloc(1, sizeof(*r));
	r->times_fd = r->connections_fd = r->program_fd = r->link_fd = -1;
	ret = open_all(r, pid, err);
	if (ret) {
		requests_close(r);
		return ret;
	}
	r->times->slow_ns = slow_ns;
	add_open(r, pid);
	*out = r;
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void requests_close(struct requests *r)
{
	if (!r)
		return;
	close_fd(r->link_fd);
	close_fd(r->program_fd);
	close_fd(r->connections_fd);
	bpf_times_close(r->times_fd, r->times);
	free(r);
}
