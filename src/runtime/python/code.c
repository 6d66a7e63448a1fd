/* Code objects are read once and known by their address. A program may free one and make
 * another in its place (templates, exec, notebooks), so what stands there is compared from
 * time to time: soon while the code is new, every 200 ms when it is old. An address that
 * changes hands starts anew, and so is looked at nearly every time it is met; what exec()
 * runs mostly lives for that one call, and is looked at every time.
 *
 * Functions are what the world sees: name, file and first line. They are never forgotten
 * and two code objects that agree in all three are one function, so a program that makes
 * the same function again and again does not fill the memory. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "runtime/python/reader.h"

#define CODES_MAX 262144u
#define FUNCTIONS_MAX 1048576u
#define NAME_MAX_CHARS 512u
#define FILE_MAX_CHARS 4096u
#define CODE_HEAD_MAX 512u
#define BYTECODE_MAX (256u << 20)
#define CHECK_NS 200000000ull
#define CHECKS_A_CALL 64u

/* ---- Functions -------------------------------------------------------------------- */

static uint64_t function_hash(uint32_t name, uint32_t file, uint32_t line)
{
	return hash_pair((uint64_t)name << 32 | file, line);
}

static void function_slots_grow(struct python_reader *r)
{
	size_t n = r->n_function_slots ? r->n_function_slots * 2 : 1024, i;

	free(r->function_slots);
	r->function_slots = xcalloc(n, sizeof(*r->function_slots));
	r->n_function_slots = n;
	for (i = 0; i < r->functions.n; i++) {
		const struct runtime_function *f = &r->functions.v[i];
		size_t at =
		    function_hash(intern_add(&r->strings, f->name),
				  intern_add(&r->strings, f->file), f->first_line) &
		    (n - 1);

		while (r->function_slots[at])
			at = (at + 1) & (n - 1);
		r->function_slots[at] = (uint32_t)i + 1;
	}
}

/* Strings of a function are interned, so equal ones are the same pointer. */
static uint32_t function_add(struct python_reader *r, const char *name, const char *file,
			     uint32_t line)
{
	uint32_t name_id = intern_add(&r->strings, name),
		 file_id = intern_add(&r->strings, file);
	struct runtime_function *f;
	size_t at;

	name = intern_get(&r->strings, name_id);
	file = intern_get(&r->strings, file_id);
	if (r->functions.n * 2 >= r->n_function_slots)
		function_slots_grow(r);
	at = function_hash(name_id, file_id, line) & (r->n_function_slots - 1);
	for (; r->function_slots[at]; at = (at + 1) & (r->n_function_slots - 1)) {
		f = &r->functions.v[r->function_slots[at] - 1];
		if (f->name == name && f->file == file && f->first_line == line)
			return r->function_slots[at] - 1;
	}
	f = VEC_PUSH(&r->functions);
	*f = (struct runtime_function){ name, file, line, python_is_library(r, file) };
	r->function_slots[at] = (uint32_t)r->functions.n;
	return (uint32_t)r->functions.n - 1;
}

/* Function 0 stands for all that came after the table was full. */
static uint32_t function_of(struct python_reader *r, uint64_t name_object,
			    uint64_t file_object, int32_t line, bool *hidden)
{
	struct text name = { 0 }, file = { 0 };
	uint32_t id = 0;

	if (r->functions.n == 0)
		function_add(r, "[too many functions]", "", 0);
	if (!python_text(r, name_object, NAME_MAX_CHARS, &name) || name.n == 0)
		text_str(&name, "?");
	if (!python_text(r, file_object, FILE_MAX_CHARS, &file) || file.n == 0)
		text_str(&file, "?");
	/* 3.12+ puts a code object of its own between a class and its __init__. */
	*hidden = r->layout.minor >= 12 && strcmp(file.p, "__init__") == 0;
	if (r->functions.n < FUNCTIONS_MAX)
		id = function_add(r, name.p, file.p, line > 0 ? (uint32_t)line : 0);
	text_done(&name);
	text_done(&file);
	return id;
}

/* ---- Code objects ------------------------------------------------------------------ */

/* Everything of the struct that is read, from its start. */
static size_t head_bytes(const struct python_layout *l)
{
	const uint32_t fields[] = {
		l->object_type,
		l->object_size,
		l->code_first_line,
		l->code_name,
		l->code_file,
		l->code_lines,
		l->code_locals,
		l->code_stack,
		l->code_frame_words,
		l->code_version,
		l->minor <= 10 ? l->code_bytecode : 0,
	};
	size_t most = 0, i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i] > most)
			most = fields[i];
	return most + 8;
}

/* Words of a frame in a data stack: told since 3.12; in 3.11 the head of the frame (one
 * word less than the struct, whose last field is the first local), locals and stack. */
static uint32_t frame_bytes(const struct python_layout *l, const unsigned char *head)
{
	int64_t words = 0;

	if (l->code_frame_words)
		words = python_i32(head + l->code_frame_words);
	else if (l->code_stack)
		words = (int64_t)l->frame_bytes / 8 + python_i32(head + l->code_locals) +
			python_i32(head + l->code_stack);
	return words > 0 && words < 1 << 24 ? (uint32_t)words * 8 : 0;
}

/* What of a file's name is compared: the end of a path is what differs, but the start is
 * what can be read at once. */
#define FILE_BYTES 96u

/* The number that no other code object has had; before 3.12 there is none, and the head of
 * its file's name stands for it. `file` has those bytes, NULL: they are read. */
static uint64_t version_of(struct python_reader *r, uint64_t object,
			   const unsigned char *head, const unsigned char *file)
{
	const struct python_layout *l = &r->layout;
	unsigned char own[FILE_BYTES];

	if (l->minor >= 12)
		return (uint32_t)python_i32(head + l->code_version);
	if (!file && !batch_read(&r->side, object, own, sizeof(own)))
		return 0;
	if (!file)
		file = own;
	return hash_pair(python_u64(file + l->text_length),
			 hash_bytes(file + l->text_ascii, FILE_BYTES - l->text_ascii));
}

/* Reads what the head says; false when it is not that of a code object. */
static bool read_head(struct python_reader *r, uint64_t address,
		      const unsigned char *head, struct python_code *out)
{
	const struct python_layout *l = &r->layout;
	uint64_t units = python_u64(head + l->object_size);

	if (!python_is_type(r, python_u64(head + l->object_type), "code", &r->code_type))
		return false;
	*out = (struct python_code){ .address = address };
	out->name = python_u64(head + l->code_name);
	out->file = python_u64(head + l->code_file);
	out->lines = python_u64(head + l->code_lines);
	out->first_line = python_i32(head + l->code_first_line);
	if (l->minor <= 10) {
		uint64_t object = python_u64(head + l->code_bytecode);

		if (!batch_read(&r->side, object + l->object_size, &units, sizeof(units)))
			return false;
		out->bytecode = object + l->bytes_data;
	} else {
		out->bytecode = address + l->code_bytecode;
		out->frame_bytes = frame_bytes(l, head);
		out->has_locals = python_i32(head + l->code_locals) > 0;
		units = units < BYTECODE_MAX ? units * 2 : BYTECODE_MAX;
	}
	out->bytecode_bytes = (uint32_t)(units < BYTECODE_MAX ? units : BYTECODE_MAX);
	return out->bytecode_bytes > 0;
}

static bool load(struct python_reader *r, uint64_t address, struct python_code *out)
{
	unsigned char head[CODE_HEAD_MAX];
	size_t n = head_bytes(&r->layout);

	if (n > sizeof(head) || !batch_read(&r->side, address, head, n) ||
	    !read_head(r, address, head, out))
		return false;
	out->version = version_of(r, out->file, head, NULL);
	out->function =
	    function_of(r, out->name, out->file, out->first_line, &out->hidden);
	out->brief = strcmp(r->functions.v[out->function].name, "<module>") == 0;
	out->known_ns = out->checked_ns = r->now_ns;
	out->since = r->readings;
	return true;
}

static void code_slots_fill(struct python_reader *r, size_t n)
{
	size_t i;

	free(r->code_slots);
	r->code_slots = xcalloc(n, sizeof(*r->code_slots));
	r->n_code_slots = n;
	for (i = 0; i < r->codes.n; i++) {
		size_t at = hash_u64(r->codes.v[i].address) & (n - 1);

		while (r->code_slots[at])
			at = (at + 1) & (n - 1);
		r->code_slots[at] = (uint32_t)i + 1;
	}
}

void python_codes_done(struct python_reader *r)
{
	size_t i;

	for (i = 0; i < r->codes.n; i++) {
		VEC_DONE(&r->codes.v[i].runs);
		VEC_DONE(&r->codes.v[i].copies);
	}
	VEC_DONE(&r->codes);
	free(r->code_slots);
	r->code_slots = NULL;
	r->n_code_slots = 0;
}

/* A program with more live code than the table holds reads it anew. */
static void make_room(struct python_reader *r)
{
	if (r->codes.n >= CODES_MAX)
		python_codes_done(r);
	if (r->codes.n * 2 >= r->n_code_slots)
		code_slots_fill(r, r->n_code_slots ? r->n_code_slots * 2 : 1024);
}

struct python_code *python_code(struct python_reader *r, uint64_t address)
{
	struct python_code new;
	size_t at;

	if (r->n_code_slots) {
		at = hash_u64(address) & (r->n_code_slots - 1);
		for (; r->code_slots[at]; at = (at + 1) & (r->n_code_slots - 1))
			if (r->codes.v[r->code_slots[at] - 1].address == address)
				return &r->codes.v[r->code_slots[at] - 1];
	}
	if (!load(r, address, &new))
		return NULL;
	make_room(r);
	at = hash_u64(address) & (r->n_code_slots - 1);
	while (r->code_slots[at])
		at = (at + 1) & (r->n_code_slots - 1);
	*VEC_PUSH(&r->codes) = new;
	r->code_slots[at] = (uint32_t)r->codes.n;
	return &r->codes.v[r->codes.n - 1];
}

#define COPIES_MAX 4096

/* A frame that runs a copy points into that. One that cannot be found is taken for the code's own,
 * where the instruction then is not. */
uint64_t python_code_copy(struct python_reader *r, struct python_code *code,
			  int32_t number)
{
	uint64_t all, count = 0, at = 0;

	if (number <= 0 || number > COPIES_MAX)
		return code->bytecode;
	if ((size_t)number < code->copies.n && code->copies.v[number])
		return code->copies.v[number];
	if (!batch_read(&r->side, code->address + r->layout.code_copies, &all,
			sizeof(all)) ||
	    !batch_read(&r->side, all, &count, sizeof(count)) ||
	    (uint64_t)number >= count ||
	    !batch_read(&r->side, all + 8 + 8 * (uint64_t)number, &at, sizeof(at)) || !at)
		return code->bytecode;
	while (code->copies.n <= (size_t)number)
		*VEC_PUSH(&code->copies) = 0;
	code->copies.v[number] = at;
	return at;
}

/* The table is read when the first line is asked for. One that cannot be read, because
 * the code is gone or it is larger than any compiler makes, leaves the first line. */
static void read_runs(struct python_reader *r, struct python_code *code)
{
	struct bytes table;

	code->runs_read = true;
	if (!python_bytes(r, code->lines, LINE_TABLE_MAX, &table))
		return;
	python_lines_read(r->layout.minor, table, code->first_line, &code->runs);
	free((void *)(uintptr_t)table.p);
}

uint32_t python_code_line(struct python_reader *r, struct python_code *code,
			  int64_t offset)
{
	if (!code->runs_read)
		read_runs(r, code);
	if (offset < 0)
		return code->first_line > 0 ? (uint32_t)code->first_line : 0;
	return python_line_at(&code->runs, (uint32_t)offset, code->first_line);
}

/* ---- Validity ---------------------------------------------------------------------- */

bool python_code_due(const struct python_reader *r, const struct python_code *code,
		     bool overdue)
{
	uint64_t interval = (r->now_ns - code->known_ns) / 8;

	/* Copies are of the past. */
	if (r->now_ns < code->known_ns || r->now_ns < code->checked_ns)
		return false;
	if (interval > CHECK_NS)
		interval = CHECK_NS;
	/* Codes of one stack are looked at together, not each in a call of its own. */
	return r->now_ns - code->checked_ns > (overdue ? interval : interval / 2);
}

size_t python_code_head_bytes(const struct python_reader *r)
{
	return head_bytes(&r->layout);
}

size_t python_code_file_bytes(const struct python_reader *r)
{
	return r->layout.minor <= 11 ? FILE_BYTES : 0;
}

uint32_t python_code_proof(const struct python_reader *r, uint32_t *bytes)
{
	const struct python_layout *l = &r->layout;
	uint32_t low = l->code_file, high = l->code_file;

	*bytes = 4;
	if (l->minor >= 12)
		return l->code_version;
	low = l->code_name < low ? l->code_name : low;
	low = l->code_lines < low ? l->code_lines : low;
	high = l->code_name > high ? l->code_name : high;
	high = l->code_lines > high ? l->code_lines : high;
	*bytes = high + 8 - low;
	return low;
}

bool python_code_proved(const struct python_reader *r, const struct python_code *code,
			const unsigned char *words)
{
	const struct python_layout *l = &r->layout;
	uint32_t bytes, from = python_code_proof(r, &bytes);

	if (l->minor >= 12)
		return (uint32_t)python_i32(words) == code->version;
	return python_u64(words + l->code_file - from) == code->file &&
	       python_u64(words + l->code_name - from) == code->name &&
	       python_u64(words + l->code_lines - from) == code->lines;
}

/* One that was read while it was being made may have had no length yet. */
static bool has_same_bytecode(const struct python_layout *l,
			      const struct python_code *code, const unsigned char *head)
{
	uint64_t units;

	if (l->minor <= 10)
		return python_u64(head + l->code_bytecode) + l->bytes_data ==
		       code->bytecode;
	units = python_u64(head + l->object_size);
	return units < BYTECODE_MAX && units * 2 == code->bytecode_bytes;
}

static bool is_same(struct python_reader *r, const struct python_code *code,
		    const struct batch *b, const struct piece *head)
{
	const struct piece *file = r->layout.minor <= 11 ? head + 1 : NULL;
	const struct python_layout *l = &r->layout;
	const unsigned char *p = batch_bytes(b, head);
	uint64_t version = 0;

	if (!head->ok)
		return false;
	if (!file || file->ok)
		version =
		    version_of(r, code->file, p, file ? batch_bytes(b, file) : NULL);
	return has_same_bytecode(l, code, p) &&
	       python_u64(p + l->code_name) == code->name &&
	       python_u64(p + l->code_file) == code->file &&
	       python_u64(p + l->code_lines) == code->lines &&
	       python_i32(p + l->code_first_line) == code->first_line &&
	       python_u64(p + l->object_type) == r->code_type && version == code->version;
}

/* Is what stands there now something else? Then it is read anew in its place, or, where
 * no code is any more, left such that no instruction fits it. */
bool python_code_compare(struct python_reader *r, struct python_code *code,
			 const struct batch *b, const struct piece *head)
{
	struct python_code new;

	code->checked_ns = r->now_ns;
	code->compared = r->readings;
	if (is_same(r, code, b, head)) {
		code->same_ns = r->now_ns;
		return false;
	}
	VEC_DONE(&code->runs);
	VEC_DONE(&code->copies);
	code->runs_read = false;
	if (load(r, code->address, &new)) {
		*code = new;
	} else {
		code->name = code->file = code->lines = 0;
		code->bytecode_bytes = 0;
		code->known_ns = r->now_ns;
		code->since = r->readings;
	}
	return true;
}

/* One call's worth; returns how many were looked at. */
static size_t check_some(struct python_reader *r, const uint32_t *codes, size_t n,
			 bool *changed)
{
	size_t bytes = head_bytes(&r->layout), k, asked = 0;
	size_t file_bytes = python_code_file_bytes(r);

	batch_clear(&r->side);
	for (k = 0; k < n && asked < CHECKS_A_CALL; k++) {
		const struct python_code *code;

		if (codes[k] >= r->codes.n) /* the table was emptied since */
			break;
		code = &r->codes.v[codes[k]];
		if (!batch_add(&r->side, code->address, bytes) ||
		    (file_bytes && !batch_add(&r->side, code->file, file_bytes)))
			break;
		asked += file_bytes ? 2 : 1;
	}
	batch_run(&r->side, 0);
	n = k;
	for (k = 0; k < n; k++) {
		const struct piece *p = &r->side.pieces.v[file_bytes ? 2 * k : k];

		*changed |= python_code_compare(r, &r->codes.v[codes[k]], &r->side, p);
	}
	return n;
}

bool python_code_check(struct python_reader *r, const uint32_t *codes, size_t n)
{
	bool changed = false;
	size_t i = 0, k;

	while (i < n && (k = check_some(r, codes + i, n - i, &changed)) > 0)
		i += k;
	return changed;
}
