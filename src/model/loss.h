/* Every way a sample can be lost, cut or left unnamed has a counter here. */
#ifndef PTOP_MODEL_LOSS_H
#define PTOP_MODEL_LOSS_H

enum loss {
	LOSS_RING_FULL,	      /* dropped by the kernel: ptop got no CPU in time */
	LOSS_BAD_RECORD,      /* a ring record that does not parse */
	LOSS_STACK_TRUNCATED, /* stack deeper than the copy or than DEPTH_MAX */
	LOSS_STACK_BROKEN,    /* unwinding stopped before the outermost frame */
	LOSS_STACK_RACED,     /* a blocked thread woke while its stack was read */
	LOSS_STACK_REJECTED,  /* an interpreter's stack that moved while it was read */
	LOSS_MERGE,	      /* Python's frames did not fit into the machine's stack */
	LOSS_READ_FAILED,     /* target memory or /proc could not be read */
	LOSS_LATE,	      /* looks skipped because ptop was behind */
	LOSS_HISTORY_FULL, /* runs older than memory allows, dropped before their window
			      ended */
	LOSS_NAMES,	   /* objects whose names could not be loaded */
	LOSS_FUNCTIONS,	   /* functions beyond what is kept: one row for all of them */
	LOSS_THREADS,	   /* threads not attached: limit or no permission */
	LOSS_RECORDING,	   /* runs that did not get into the recording: a slow disk */
	LOSS_COUNT
};

/* Short name ("ring_full", the key in JSON) and one-line explanation. */
const char *loss_name(enum loss l);
const char *loss_help(enum loss l);

#endif
