/* Growable arrays: struct vec_of(T) { T *v; size_t n, cap; }.
 *
 *	VEC(struct thread) threads = { 0 };
 *	struct thread *t = VEC_PUSH(&threads);   // zeroed new element
 *	VEC_DONE(&threads);
 */
#ifndef PTOP_BASE_VEC_H
#define PTOP_BASE_VEC_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define VEC(T)                 \
	struct {               \
		T *v;          \
		size_t n, cap; \
	}

/* Room for one more; the pointer to v may change. */
#define VEC_GROW(vec)                                                \
	((vec)->n < (vec)->cap                                       \
	     ? (void)0                                               \
	     : (void)((vec)->cap = (vec)->cap ? (vec)->cap * 2 : 16, \
		      (vec)->v = xrealloc((vec)->v, (vec)->cap * sizeof(*(vec)->v))))

/* Pointer to a new zeroed element at the end. */
#define VEC_PUSH(vec)                                                      \
	(VEC_GROW(vec), memset(&(vec)->v[(vec)->n], 0, sizeof(*(vec)->v)), \
	 &(vec)->v[(vec)->n++])

#define VEC_CLEAR(vec) ((void)((vec)->n = 0))
#define VEC_DONE(vec) \
	(free((vec)->v), (vec)->v = NULL, (vec)->n = 0, (vec)->cap = 0, (void)0)

#endif
