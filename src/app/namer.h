/* The namer thread: everything that may take seconds. It opens symbol files and debug
 * information, and writes files the screen asked for; the sampler never waits for it.
 *
 * Requests and answers travel through queues; an answer belongs to the engine, which
 * frees it with name_job_free(). Objects are immutable and outlive the namer. */
#ifndef PTOP_APP_NAMER_H
#define PTOP_APP_NAMER_H

#include <stdbool.h>
#include <stdint.h>

#include "app/save.h"
#include "base/arena.h"
#include "base/mailbox.h"
#include "model/snapshot.h"
#include "symbol/symbols.h"
#include "target/object.h"

enum name_kind {
	NAME_OBJECT, /* symbols of a file or the vdso */
	NAME_JIT,    /* the perf map of process object->pid */
	NAME_KERNEL,
	NAME_LINES, /* lines and inlined calls of some addresses of object */
	NAME_SAVE,  /* write a snapshot to a file */
	NAME_WORK,  /* whatever else takes long: see struct work */
	NAME_STOP,  /* namer_stop()'s own */
};

/* In the message of each job whose file did not answer. */
#define UNANSWERED "does not answer"

struct named_place {
	const char *function; /* cleaned; NULL: the function the symbol table names */
	const char *file;     /* cleaned; NULL unknown */
	int line;
};

struct named_address {
	uint64_t address;
	const struct named_place *places; /* innermost first; NULL: nothing known */
	uint32_t n_places;
};

/* Work of a part. run() is on the namer's thread and touches nothing but this struct (the
 * first member of a larger one); done() is on the sampler's, afterwards; drop() frees it,
 * also without either. */
struct work {
	void (*run)(struct work *w);
	void (*done)(struct work *w);
	void (*drop)(struct work *w);
};

/* Request and answer in one: the engine fills the upper part, the namer the lower. */
struct name_job {
	struct parcel parcel;
	enum name_kind kind;
	const struct object *object;
	struct named_address *addresses; /* NAME_LINES; in arena */
	size_t n_addresses;
	struct work *work; /* NAME_WORK; owned */
	uint64_t stamp;	   /* NAME_JIT: of the map that is known; of the one read */
	struct save save;  /* NAME_SAVE; what it holds is the job's */

	struct symbols *symbols; /* owned until taken */
	bool failed;
	bool unanswered;    /* its file does not answer (yet) */
	bool same;	    /* NAME_JIT: still as `stamp` says, or there is none */
	char message[1200]; /* why it failed; what was saved */
	struct arena arena;
};

struct namer;

/* answer_fd is an eventfd written after each answer. */
struct namer *namer_start(int answer_fd, struct error *err);
/* Gives up a request that does nothing but wait: its file does not answer. For now and then. */
void namer_watch(struct namer *n, uint64_t now_ns);
/* Ends the thread (unfinished requests are dropped, a file being written is finished). False
 * when one did not end in time and is left behind: it may still use the objects. */
bool namer_stop(struct namer *n);
struct name_job *name_job_new(enum name_kind kind, const struct object *object);
void namer_ask(struct namer *n, struct name_job *job);
/* Answers so far as a list through parcel.next, or NULL. */
struct name_job *namer_answers(struct namer *n);
void name_job_free(struct name_job *job);

#endif
