/* Inside sample/: chains that come through a ring, and the samples they belong to. */
#ifndef PTOP_SAMPLE_PERF_CHAIN_H
#define PTOP_SAMPLE_PERF_CHAIN_H

#include "sample/backend.h"
#include "sample/chain.h"

/* Of one ring: the chain that came last, until its sample does. */
struct perf_chain {
	int fd; /* -1: none come */
	unsigned char *kept;
	size_t bytes;
	pid_t tid;
	uint64_t time_ns;
};

/* 0 or -errno. */
int perf_chain_open(struct perf_chain *k, int cpu, int ring_fd);
void perf_chain_close(struct perf_chain *k);
/* Gives a sample its chain, and makes a sample of a chain that is one. False: it is to wait for
 * its sample. Other events stay as they are. */
bool perf_chain_event(struct perf_chain *k, const struct chain *c, struct event *e);

#endif
