/* When what is recorded is synced to the disk. */
#ifndef PTOP_RECORDING_SYNCS_H
#define PTOP_RECORDING_SYNCS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct syncs {
	bool begun;	 /* the beginning is synced */
	bool hurried;	 /* nothing is synced any more */
	uint64_t ns;	 /* that the last sync took */
	uint64_t due_ns; /* of the next one */
	const char *set; /* of SQLite */
};

/* Before a transaction of the file fd; false: the disk fails. */
bool syncs_choose(struct syncs *s, sqlite3 *db, int fd);
/* Ends the transaction. */
bool syncs_commit(struct syncs *s, sqlite3 *db);
/* From here on nothing is synced, if the disk was slow: true then. */
bool syncs_hurry(struct syncs *s, sqlite3 *db);

#endif
