/* What perf tells by records, found out by looking: threads and processes that came and went, a
 * process that became another program. For event sources without a kernel's help. */
#ifndef PTOP_SAMPLE_NEWS_H
#define PTOP_SAMPLE_NEWS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/vec.h"
#include "sample/backend.h"
#include "target/process.h"

struct news_task {
	pid_t pid, tid;
};
typedef VEC(struct news_task) task_list;

struct news {
	pid_t pid;
	bool children;
	pid_list pids; /* followed: the target first */
	task_list now; /* by tid, ascending */
	task_list came, went;
	ino_t exe;
	bool exec_told;
};

void news_init(struct news *n, pid_t pid, bool children);
void news_done(struct news *n);
/* Looks at /proc: microseconds a thread. */
void news_update(struct news *n);
/* The next EVENT_EXIT, EVENT_FORK or EVENT_EXEC since; false when all is told. */
bool news_next(struct news *n, struct event *e);
void news_follow(struct news *n, pid_t pid);
void news_forget(struct news *n, pid_t pid);

#endif
