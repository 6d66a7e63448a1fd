/* What a place in a program is called before anyone has named it. */
#ifndef PTOP_MODEL_FRAME_H
#define PTOP_MODEL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

enum frame_kind {
	FRAME_NATIVE, /* object: id of a struct object; address: file offset in it */
	FRAME_JIT,    /* object: id of a process's JIT object; address: absolute */
	FRAME_KERNEL, /* object 0; address: absolute kernel address */
	FRAME_MARK, /* object 0; address: enum frame_mark or a wait (see model/marks.h) */
	FRAME_PYTHON, /* object: code id; address: line (runtime/python) */
	FRAME_KINDS
};

/* Frames that are words of ours, shown in square brackets. */
enum frame_mark {
	MARK_TRUNCATED,	    /* frames are missing here: the root end, or the middle */
	MARK_UNKNOWN_CODE,  /* an address outside every mapping */
	MARK_OFF_CPU,	    /* blocked, stack not seen */
	MARK_RUNNABLE,	    /* wanted a CPU and got none */
	MARK_NATIVE_THREAD, /* no interpreted code on this thread */
	MARK_GC,	    /* an interpreter collects garbage */
	MARK_BETWEEN,	    /* ran, but never when it was looked at */
	MARK_PYTHON,	    /* an interpreter's loop, whose frames did not fit */
	MARK_WAIT_FIRST,    /* + enum wait_reason: blocked in that kind of system call */
};

enum wait_reason {
	WAIT_OTHER,
	WAIT_LOCK,   /* futex */
	WAIT_GIL,    /* futex that is an interpreter's lock */
	WAIT_POLL,   /* poll, select, epoll */
	WAIT_SOCKET, /* recv, send, accept, connect */
	WAIT_DISK,   /* uninterruptible */
	WAIT_READ,   /* read and write: pipe, tty, file, socket */
	WAIT_CHILD,  /* wait4, waitid */
	WAIT_SLEEP,  /* nanosleep, pause, sigtimedwait */
	WAIT_STOPPED,
	WAIT_REASONS
};

struct frame {
	uint64_t address;
	uint32_t object;
	uint32_t kind; /* enum frame_kind */
};

/* "[lock wait]" ... for FRAME_MARK frames; never NULL. */
const char *frame_mark_name(uint64_t mark);
/* "native" ... of enum frame_kind; never NULL. */
const char *frame_kind_name(uint32_t kind);
/* The kind of a name, FRAME_KINDS when it is none. */
uint32_t frame_kind_named(const char *name);

#endif
