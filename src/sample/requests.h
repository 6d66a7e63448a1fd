/* Requests of a server, from outside: from a readable request to the last written byte of its
 * response, per connection, seen at the system calls that read and write.
 *
 * A connection is a socket the process accepted, or has accepted before (it is connected to a
 * port somebody listens on). The first read after a write begins a request, the last write
 * before the next read ends it. Not seen: io_uring, requests that are sent before the answer
 * to the one before, several at once on one connection (HTTP/2); of these the first two are
 * noticed and told. Every system call of the machine becomes dearer by some 0.1 us. */
#ifndef PTOP_SAMPLE_REQUESTS_H
#define PTOP_SAMPLE_REQUESTS_H

#include "base/bytes.h"
#include "base/vec.h"
#include "sample/bpf_times.h"

enum { REQUESTS_IO_URING = 1, REQUESTS_HTTP2 = 2 }; /* bits of marks */

struct requests {
	int times_fd, connections_fd, program_fd, link_fd;
	struct bpf_times *times;
	uint64_t connections; /* found open at the start */
};

/* -errno with the cause. */
int requests_open(pid_t pid, uint64_t slow_ns, struct requests **out, struct error *err);
void requests_close(struct requests *r);

/* Which sockets are of connections that came in: inodes, sorted. Zeroed is empty. */
struct served {
	VEC(uint64_t) inodes;
	uint64_t read_ns; /* when; it is read again when it is old */
};

void served_done(struct served *s);
/* Is this socket of the process one that somebody else connected to it? Waiting there is waiting
 * for work. */
bool served_has(struct served *s, pid_t pid, uint64_t fd, uint64_t now_ns);

/* Local ports that are listened on (state 0A), a bit each, and inodes of connected sockets (01)
 * with such a port, from lines of /proc/net/tcp:
 * "  0: 0100007F:1F90 00000000:0000 0A 0:0 00:0 0 uid timeout inode". For tests. */
struct tcp_table {
	unsigned char listens[65536 / 8];
	VEC(uint64_t) inodes;
};

/* Once with listening, to know the ports, then without. */
void tcp_table_parse(struct tcp_table *t, struct bytes text, bool listening);

#endif
