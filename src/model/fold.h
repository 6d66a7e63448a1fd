/* A picture in which each library is one function. */
#ifndef PTOP_MODEL_FOLD_H
#define PTOP_MODEL_FOLD_H

#include "model/snapshot.h"

/* Rows of library functions become one row a library ("[lib] libc.so.6"), frames of one
 * library that call each other become one node. Needs the tree of s; the rest of s is
 * shared and must outlive the result, which snapshot_free() frees. */
struct snapshot *fold_libraries(const struct snapshot *s);

#endif
