/* Where the fields of one CPython version are, in bytes from the start of their struct.
 *
 * 3.7 to 3.12: one row each, made from that version's headers by contrib/python-layout.
 * From 3.13 on the target carries most of the offsets itself (_Py_DebugOffsets, at the
 * start of _PyRuntime); which of its numbers is which changes with the minor version. */
#ifndef PTOP_RUNTIME_PYTHON_LAYOUT_H
#define PTOP_RUNTIME_PYTHON_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first that describes itself. */
#define PYTHON_MINOR_OFFSETS 13

/* 0 in a field means the version has none, except where 0 is an offset that can be. */
struct python_layout {
	int minor;
	/* A build without the interpreter lock. Heads of objects are longer by so much, and
	 * threads may have copies of bytecode of their own (3.14+): a frame tells the number
	 * of its, a code object points to all of them. */
	bool free_threaded;
	uint32_t longer_head;
	uint32_t frame_copy, code_copies; /* int; pointer to { count, addresses } */
	/* _PyRuntimeState */
	uint32_t interpreters_head;
	uint32_t finalizing; /* pointer, NULL while alive */
	uint32_t runtime_current,
	    runtime_gil;	     /* to 3.11: thread with the GIL; its lock */
	uint32_t runtime_collecting; /* to 3.8 */
	/* PyInterpreterState */
	uint32_t interp_next, interp_id, interp_threads, interp_modules;
	uint32_t interp_collecting; /* int: the collector runs */
	uint32_t gc_ring_bytes; /* 3.15+: of what the pointer in front of it leads to */
	uint32_t interp_gil;	/* 3.12+: pointer */
	/* struct _gil_runtime_state */
	uint32_t gil_locked, gil_holder, gil_bytes;
	/* PyThreadState; thread_frame points to the frame, in 3.11 and 3.12 to a
	 * _PyCFrame whose field cframe_frame does */
	uint32_t thread_next, thread_interp, thread_ident, thread_tid;
	uint32_t thread_frame, thread_base; /* base: 3.15+, pointer to the last frame */
	uint32_t thread_chunk;		    /* 3.11+; the top of the stack follows it */
	uint32_t cframe_frame;
	/* _PyInterpreterFrame; to 3.10 PyFrameObject */
	uint32_t frame_previous, frame_code, frame_instr;
	uint32_t frame_owner, frame_entry; /* entry: 3.11 */
	uint32_t frame_stack; /* 3.11+: top of its operands; an int, a pointer in 3.14+ */
	uint32_t frame_running; /* to 3.10: f_executing or f_state */
	uint32_t frame_bytes;	/* what of it is read */
	/* PyCodeObject */
	uint32_t code_first_line, code_file, code_name, code_lines, code_bytecode;
	uint32_t code_frame_words;	  /* 3.12+; 3.11 adds these up: */
	uint32_t code_locals, code_stack; /* and the frame's own words */
	uint32_t code_version;		  /* 3.12+: a number no other code has */
	/* Objects */
	uint32_t object_type, object_size, type_name;
	uint32_t type_basic_bytes, type_dict_offset, type_cached_keys;
	uint32_t bytes_data;
	uint32_t text_length, text_state, text_ascii, text_compact;
	uint32_t dict_keys, dict_values;
};

/* The row of 3.MINOR, or NULL when there is none. */
const struct python_layout *python_layout_row(int minor);

/* u64 numbers of _Py_DebugOffsets worth reading: more than any version has. */
#define PYTHON_OFFSETS_MAX 160

enum python_offsets {
	PYTHON_OFFSETS_OK,
	PYTHON_OFFSETS_ABSENT,	/* no cookie */
	PYTHON_OFFSETS_STRANGE, /* sizes or offsets that cannot be */
};
/* Makes the row from the numbers the target carries. *version_hex is set unless absent.
 * A minor version newer than ours is taken as the newest we know. */
enum python_offsets python_layout_read(const uint64_t offsets[PYTHON_OFFSETS_MAX],
				       uint32_t *version_hex, struct python_layout *out);

#endif
