/* The tables of a .ptop file, an SQLite database; ptop(5) describes them column by column.
 * The version is that of these texts: whoever changes a table raises it. One more table does
 * not: readers pass over tables they do not know, and over those that are missing. */
#ifndef PTOP_RECORDING_SCHEMA_H
#define PTOP_RECORDING_SCHEMA_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/error.h"

#define RECORDING_SUFFIX ".ptop"
#define RECORDING_APPLICATION 0x50544f50 /* "PTOP", PRAGMA application_id */
#define RECORDING_VERSION 1		 /* PRAGMA user_version */

/* SQLite's header: the versions needed to write and to read; 2 says that a log may be beside. */
#define WRITE_VERSION_AT 18
#define READ_VERSION_AT 19
#define VERSION_LOG 2
#define VERSION_ALONE 1

/* Makes the tables in an empty database. */
int schema_create(sqlite3 *db, struct error *err);
/* 0 when the database is one of ours, of this version, with exactly our tables. It runs
 * nothing that the file defines. */
int schema_check(sqlite3 *db, const char *path, struct error *err);
/* True when it has a table, of those that may be missing, as ptop writes it. */
bool schema_has(sqlite3 *db, const char *table);
/* "PATH: WHAT: SQLite's message"; returns -EIO. A full disk is named as such. */
int schema_error(sqlite3 *db, const char *path, const char *what, struct error *err);
/* The same of an errno, with a cure for each that has one; returns -errno. */
int recording_errno(const char *path, const char *what, struct error *err);

#endif
