/* Is a chain of frames one that was? See walk.c for the rules. */
#include "runtime/python/look.h"

/* ---- Where a frame may lie ----------------------------------------------------------- */

/* A frame must begin below the one it called, in the same chunk or an older one. Chunks
 * beyond those we list are taken on trust. */
static bool runs_down(struct look *k, uint64_t address)
{
	const struct python_thread *t = k->walk->t;
	uint32_t chunk = look_chunk_of(t, k->inner_chunk, address);

	if (chunk == t->n_chunks && !t->beyond)
		return false;
	if (k->inner && chunk == k->inner_chunk && chunk < t->n_chunks &&
	    address >= k->inner)
		return false;
	return true;
}

/* Does the caller's frame end where the called one's begins? Counted first: should a
 * version keep the size elsewhere than we think, nothing fits, and the rule is off. */
static bool is_adjacent(struct look *k, uint64_t address, uint32_t frame_bytes)
{
	struct python_reader *r = k->r;
	uint32_t chunk = look_chunk_of(k->walk->t, k->inner_chunk, address);
	bool known = k->inner && frame_bytes && chunk == k->inner_chunk, fits;

	if (!known)
		fits = true;
	else if ((fits = address + frame_bytes == k->inner))
		r->adjacent++;
	else
		r->apart++;
	k->inner = address;
	k->inner_chunk = chunk;
	return fits || r->adjacent < 8 * r->apart;
}

/* ---- Frames ------------------------------------------------------------------------ */

static void add_due(struct look *k, struct python_code *code)
{
	if (code->asked == k->r->walks || k->n_due == DUE_MAX)
		return;
	code->asked = k->r->walks;
	k->due[k->n_due++] = (uint32_t)(code - k->r->codes.v);
}

/* The outermost code of a thread is mostly the program itself, which stays. This one has a
 * caller. */
static void settle_brief(struct look *k)
{
	struct python_code *code;

	if (k->brief > k->r->codes.n) /* the table was emptied since */
		return;
	code = &k->r->codes.v[k->brief - 1];
	k->brief = 0;
	if (look_compare_brief(k, code)) {
		k->fresh |= code->since >= k->reading;
		return;
	}
	add_due(k, code);
	k->overdue = true;
}

/* Was this code what the frame ran? See walk.c. */
static void note_due(struct look *k, struct python_code *code)
{
	struct python_reader *r = k->r;
	bool unproven = code->known_ns == r->now_ns;

	if (k->brief)
		settle_brief(k);
	k->fresh |= code->since >= k->reading;
	if (code->since >= k->reading || code->compared >= k->reading)
		return;
	if (code->brief)
		k->brief = (size_t)(code - r->codes.v) + 1;
	if (unproven || python_code_due(r, code, false)) {
		k->overdue |= unproven || python_code_due(r, code, true);
		add_due(k, code);
	}
}

/* Byte of the bytecode; before 3.11 a number, since then a pointer. -2: one unit before
 * the first, where a frame that has not begun points to in 3.11 and 3.12. */
static bool offset_of(const struct look *k, struct python_code *code,
		      const unsigned char *frame, int64_t *offset)
{
	const struct python_layout *l = &k->r->layout;

	if (l->code_copies)
		*offset = (int64_t)(python_u64(frame + l->frame_instr) -
				    python_code_copy(k->r, code,
						     python_i32(frame + l->frame_copy)));
	else if (l->minor <= 10)
		*offset = (int64_t)python_i32(frame + l->frame_instr) *
			  (l->minor == 10 ? 2 : 1);
	else
		*offset = (int64_t)(python_u64(frame + l->frame_instr) - code->bytecode);
	return *offset >= -2 && *offset < (int64_t)code->bytecode_bytes;
}

/* ---- Calls -------------------------------------------------------------------------- */

#define HELD_BYTES_MAX 1024u

/* Every frame of every look is hashed: one multiplication a word, no finalizer. */
static inline uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

/* Is it the same call as a moment ago? A frame's address and code do not tell: calls in a loop
 * use the same room again. But while a function runs, its caller does not: all the caller's
 * variables and operands, in the data stack and so read already, stay as they are, and between
 * two calls some of them change, the loop's variable if nothing else. So a call is its frame's
 * address, its code, what the caller holds, and the caller's own call, down to the thread's
 * first. */
static uint64_t held_by(struct look *k, uint64_t address, const unsigned char *frame,
			const struct python_code *code)
{
	const struct python_layout *l = &k->r->layout;
	uint32_t bytes = code->frame_bytes;
	const unsigned char *p;
	uint64_t h;
	uint32_t i;

	if (bytes < l->frame_bytes)
		return 0;
	bytes -= l->frame_bytes;
	if (bytes > HELD_BYTES_MAX)
		bytes = HELD_BYTES_MAX;
	p = look_find(k, address + l->frame_bytes, bytes);
	if (!p)
		return 0;
	h = python_u64(frame + l->frame_instr);
	for (i = 0; i + 8 <= bytes; i += 8)
		h = mix(h, python_u64(p + i));
	return 1 | h;
}

static void note_call(struct look *k, uint64_t address, const unsigned char *frame,
		      const struct python_code *code, bool in_stack)
{
	struct python_reader *r = k->r;
	uint32_t at = r->stack.depth;

	if (at == DEPTH_MAX)
		return;
	/* A generator's frame is not its caller's neighbour, and it comes and goes while
	 * the call it belongs to goes on. */
	r->call[at] = in_stack ? 1 | mix(address, code->address << 1) : 0;
	r->held[at] = in_stack ? held_by(k, address, frame, code) : 0;
}

void look_number_calls(struct python_reader *r)
{
	uint64_t outer = 0, held = 1;
	uint32_t i = r->stack.depth;

	while (i-- > 0) {
		uint64_t call = r->call[i];

		outer = mix(mix(outer, held), call);
		if (r->stack.frame[i].kind != FRAME_PYTHON || !call || !held)
			r->call[i] = 0;
		else
			r->call[i] = 1 | outer;
		if (r->stack.frame[i].kind == FRAME_PYTHON)
			held = r->held[i];
	}
}

/* ---- One frame ----------------------------------------------------------------------- */

static void push(struct look *k, uint64_t address, const struct python_code *code,
		 uint32_t line)
{
	struct callstack *cs = &k->r->stack;

	if (cs->depth == DEPTH_MAX) {
		cs->truncated = true;
		return;
	}
	k->r->address[cs->depth] = address;
	if (cs->depth == k->run_start)
		k->r->run = (struct runtime_entry){
			.frame = address,
			.code_start = code->bytecode,
			.code_end = code->bytecode + code->bytecode_bytes,
		};
	cs->frame[cs->depth++] = (struct frame){
		.address = line,
		.object = code->function,
		.kind = FRAME_PYTHON,
	};
	if (cs->depth - k->start == look_leaf(k->r))
		k->leaf_inner = k->inner;
}

static struct python_code *code_of(struct look *k, const unsigned char *frame)
{
	uint64_t address = python_u64(frame + k->r->layout.frame_code) & ~7ull;
	struct python_code *code;

	if (address == k->same_code && k->same_index < k->r->codes.n &&
	    k->r->codes.v[k->same_index].address == address)
		return &k->r->codes.v[k->same_index];
	code = python_code(k->r, address);
	k->same_code = 0;
	return code;
}

/* What was found out of the last frame holds of this one, if it runs the same instruction. */
static uint32_t line_of(struct look *k, struct python_code *code, int64_t offset)
{
	if (k->same_code != code->address || k->same_offset != offset) {
		k->same_line = python_code_line(k->r, code, offset);
		k->same_offset = offset;
	}
	k->same_code = code->brief ? 0 : code->address;
	k->same_index = (size_t)(code - k->r->codes.v);
	return k->same_line;
}

/* The code and the line of one frame. An instruction that is not in the code may be in
 * the one that replaced it. */
static int take_frame(struct look *k, uint64_t address, const unsigned char *frame,
		      bool in_stack)
{
	struct python_code *code;
	int64_t offset;

	code = code_of(k, frame);
	if (!code || (k->captured && !look_proves(k, address, code)))
		return REJECT_CODE;
	if (!offset_of(k, code, frame, &offset)) {
		uint32_t index = (uint32_t)(code - k->r->codes.v);

		k->same_code = 0;
		if (code->checked_ns == k->r->now_ns ||
		    !python_code_check(k->r, &index, 1) ||
		    !offset_of(k, code, frame, &offset))
			return REJECT_INSTRUCTION;
	}
	if (in_stack && !is_adjacent(k, address, code->frame_bytes))
		return REJECT_CHAIN;
	if (!k->captured && (k->same_code != code->address || k->brief))
		note_due(k, code);
	if (!code->hidden && k->r->numbered)
		note_call(k, address, frame, code, in_stack);
	if (!code->hidden)
		push(k, address, code, line_of(k, code, offset));
	return WALK_DONE;
}

int look_take_frame(struct look *k, uint64_t address, const unsigned char *frame)
{
	return take_frame(k, address, frame, false);
}

/* f_executing is 1; FRAME_EXECUTING, in 3.10, is 0. */
bool look_heap_frame_runs(struct python_reader *r, const unsigned char *frame)
{
	const struct python_layout *l = &r->layout;

	return frame[l->frame_running] == (l->minor <= 9 ? 1 : 0) &&
	       python_is_type(r, python_u64(frame + l->object_type), "frame",
			      &r->frame_type);
}

/* The frames since the last entry, or since the start, are one loop's. */
static void end_run(struct look *k, uint64_t border)
{
	struct python_reader *r = k->r;

	r->run.end = r->stack.depth;
	r->run.border = border ? border : k->cframe;
	k->cframe = 0;
	*VEC_PUSH(&r->entries) = r->run;
	k->run_start = r->stack.depth;
	r->run = (struct runtime_entry){ 0 };
}

void look_restart(struct look *k)
{
	struct python_reader *r = k->r;

	r->stack.depth = k->run_start = k->start;
	while (r->entries.n && r->entries.v[r->entries.n - 1].end > k->start)
		r->entries.n--;
}

/* An object on the heap, to 3.10. */
static int take_heap_frame(struct look *k, uint64_t address, const unsigned char *frame)
{
	int outcome;

	if (!look_heap_frame_runs(k->r, frame))
		return REJECT_CHAIN;
	look_note_outside(k->walk->t, address);
	k->at_end = true;
	outcome = take_frame(k, address, frame, false);
	if (outcome == WALK_DONE)
		end_run(k, 0);
	return outcome;
}

static int take_border(struct look *k, uint64_t address)
{
	if (address <= k->border)
		return REJECT_CHAIN;
	k->border = address;
	k->at_end = true;
	look_note_outside(k->walk->t, address);
	return WALK_DONE;
}

enum operands { OPERANDS_KEPT, OPERANDS_IN_USE, OPERANDS_CLEARED };

/* The interpreter takes the top of a frame's operands into its own hands while it runs
 * the frame and puts it back when it calls or returns; a frame that returned has none
 * left, not even locals (from 3.12 on). */
static enum operands operands_of(const struct look *k, uint64_t address,
				 const unsigned char *frame,
				 const struct python_code *code)
{
	const struct python_layout *l = &k->r->layout;
	const unsigned char *p = frame + l->frame_stack;
	bool none;

	if (l->minor <= 13 ? python_i32(p) == -1 : python_u64(p) == 0)
		return OPERANDS_IN_USE;
	none = l->minor <= 13 ? python_i32(p) == 0
			      : python_u64(p) == address + l->frame_bytes;
	return none && code && code->has_locals ? OPERANDS_CLEARED : OPERANDS_KEPT;
}

bool look_in_use(const struct look *k, uint64_t address, const unsigned char *frame)
{
	return operands_of(k, address, frame, NULL) == OPERANDS_IN_USE;
}

/* Forgets the frames of this state so far: they are what a call that has returned left
 * in the data stack, above the frame that really runs. */
static void drop_front(struct look *k)
{
	k->r->stack.depth = k->start;
	k->inner = 0;
	k->doubt = WALK_DONE;
}

/* The address of the innermost frame was read a moment before the frames. When the thread
 * returned from it meanwhile, that frame and some below are remains, perhaps half written
 * over by a new call. The frame that runs tells: it is the only one of its C entry whose
 * operands are in use. What is above it is dropped, and the stack is the one at the moment
 * when the frames were read. */
static int take_thread_frame(struct look *k, uint64_t address, const unsigned char *frame,
			     bool in_stack)
{
	const struct python_code *code;
	enum operands operands;
	int outcome;

	if (!k->in_front)
		return take_frame(k, address, frame, in_stack);
	code = code_of(k, frame);
	operands = operands_of(k, address, frame, code);
	if (operands == OPERANDS_IN_USE) {
		drop_front(k);
		k->in_front = false;
		return take_frame(k, address, frame, in_stack);
	}
	outcome = take_frame(k, address, frame, in_stack);
	if (operands == OPERANDS_CLEARED) {
		drop_front(k);
	} else if (outcome != WALK_DONE) {
		drop_front(k);
		k->doubt = outcome;
	}
	return WALK_DONE;
}

/* A generator has the same caller as a rule, and none while it is suspended. */
static void note_caller(struct look *k, uint64_t address, const unsigned char *frame)
{
	struct python_thread *t = k->walk->t;
	uint64_t caller = python_u64(frame + k->r->layout.frame_previous);
	size_t i = look_outside_of(t, address);

	if (caller && i < t->outside.n)
		t->outside.v[i].back = caller;
}

/* An entry frame ends the part of the stack that one running interpreter loop owns. */
static int take_interpreter_frame(struct look *k, uint64_t address,
				  const unsigned char *frame)
{
	const struct python_layout *l = &k->r->layout;
	int outcome = REJECT_CHAIN;
	bool border = false, entry;

	entry = l->frame_entry && frame[l->frame_entry] == 1 &&
		python_u64(frame + l->frame_previous);
	/* A generator is somebody's, though one that rests does not say whose. */
	k->at_end = l->frame_entry && frame[l->frame_entry] == 1 &&
		    frame[l->frame_owner] != OWNED_BY_GENERATOR;
	switch (frame[l->frame_owner]) {
	case OWNED_BY_THREAD:
		if (runs_down(k, address))
			outcome = take_thread_frame(k, address, frame, true);
		break;
	case OWNED_BY_GENERATOR:
		look_note_outside(k->walk->t, address);
		note_caller(k, address, frame);
		outcome = take_thread_frame(k, address, frame, false);
		break;
	case OWNED_BY_FRAME_OBJECT:
		break;
	default:
		border = l->minor >= 12 && frame[l->frame_owner] <= OWNED_BY_C + 1;
		if (border)
			outcome = take_border(k, address);
	}
	if (outcome == WALK_DONE && (border || entry || k->at_end)) {
		if (k->in_front && k->doubt != WALK_DONE)
			return k->doubt;
		k->in_front = false;
		end_run(k, border ? address : 0);
	}
	return outcome;
}

/* The innermost frame, when nobody knew where it stands, makes all be read again. */
static const unsigned char *frame_at(struct look *k, uint64_t address, bool innermost,
				     int *outcome)
{
	uint32_t bytes = k->r->layout.frame_bytes;
	const unsigned char *p = look_find(k, address, bytes);

	if (p)
		return p;
	*outcome = REJECT_UNREADABLE;
	if (innermost && k->may_repeat) {
		if (look_chunk_of(k->walk->t, 0, address) == k->walk->t->n_chunks)
			look_note_outside(k->walk->t, address);
		*outcome = WALK_AGAIN;
		return NULL;
	}
	return look_fetch_frame(k, address);
}

/* Too much of the chain is left. What is believed so far is the stack's inner part. */
static int cut_chain(struct look *k, uint64_t next)
{
	if (k->in_front && k->doubt != WALK_DONE)
		return k->doubt;
	if (k->r->stack.depth > k->run_start)
		end_run(k, 0);
	look_root(k, next);
	return WALK_DONE;
}

/* A chain of frames that all lie outside the data stack could run in a circle: one of
 * them is kept in mind, a later one each time the steps double (Brent 1980). */
int look_chain(struct look *k, uint64_t address, uint64_t base)
{
	const struct python_layout *l = &k->r->layout;
	uint64_t mark = 0;
	unsigned step;

	for (step = 1; address && address != base; step++) {
		int outcome = WALK_DONE;
		const unsigned char *p = frame_at(k, address, step == 1, &outcome);

		if (!p && k->late_full && k->r->stack.depth > k->start)
			return cut_chain(k, address);
		if (!p)
			return outcome;
		outcome = l->minor <= 10 ? take_heap_frame(k, address, p)
					 : take_interpreter_frame(k, address, p);
		if (outcome != WALK_DONE)
			return outcome;
		if (k->r->stack.truncated)
			return WALK_DONE;
		if (step > LOOK_STEPS_MAX || address == mark)
			return REJECT_CHAIN;
		if ((step & (step - 1)) == 0)
			mark = address;
		k->last = address;
		address = python_u64(p + l->frame_previous);
		k->steps = step;
		if (step >= k->r->whole && address && address != base)
			return cut_chain(k, address);
	}
	return address == base && base ? WALK_DONE : k->at_end ? WALK_DONE : REJECT_END;
}
