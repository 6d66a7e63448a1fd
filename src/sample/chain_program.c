/* The program, run at each sample of a thread by the thread's own CPU, which has just left it:
 *
 *	thread's plan unknown, and no state of it among its process's newest: let the sample be
 *		(with a filter: of admitted processes only)
 *	copy the extras, the state, what it points to
 *	copy up to three regions of the data stack, newest first
 *	follow the chain: copy frames that are in no region; of each frame's code copy the proof
 *	write all that to the CPU's ring
 *
 * All it copies goes to a buffer of the CPU; the sample's interrupt is not interrupted by another
 * sample. Whatever is not there (memory that was never touched, or a wild pointer) ends that part.
 * Offsets of the plan are checked before each use, as the verifier wants it. */
#include <linux/bpf_perf_event.h>

#include "sample/chain_emit.h"

#define STEPS 256 /* frames of a state; what more there are may be read later */
#define FAST 32	  /* of these at once: the verifier goes through all */

static int16_t region_slot(unsigned i, unsigned field)
{
	return (int16_t)(REGIONS + 24 * i + 8 * field);
}

static void keep(struct bpf_code *c, int slot, int from)
{
	bpf_store(c, BPF_DW, BUFFER, (int16_t)slot, from);
}

static void recall(struct bpf_code *c, int to, int slot)
{
	bpf_load(c, BPF_DW, to, BUFFER, (int16_t)slot);
}

static void keep_k(struct bpf_code *c, int slot, int32_t value)
{
	bpf_set(c, 1, value);
	keep(c, slot, 1);
}

#define PLAN_FIELD(c, to, field)                                                        \
	bpf_load(c, sizeof(((struct chain_state *)0)->field) == 8 ? BPF_DW : BPF_W, to, \
		 PLAN, offsetof(struct chain_state, field))

/* The address of the piece is that of its bytes: in r1; its length in r2. */
static void set_piece(struct bpf_code *c)
{
	keep(c, TAG, 1);
	keep(c, SOURCE, 1);
	keep(c, LENGTH, 2);
}

/* Appends a piece of LENGTH bytes (at most `most`) at SOURCE, called TAG. To `missing` when it is
 * not there. r0 to r5 are lost. */
static void put_piece(struct bpf_code *c, enum chain_kind kind, int32_t most, int missing,
		      int full)
{
	const int32_t head = sizeof(struct chain_piece);

	bpf_load(c, BPF_DW, 1, BUFFER, RECORD_FIELD(bytes));
	bpf_if_k(c, BPF_JGT, 1, (int32_t)CHAIN_BYTES_MAX - head - most - 8, full);
	recall(c, 2, LENGTH);
	bpf_if_k(c, BPF_JEQ, 2, 0, missing);
	bpf_if_k(c, BPF_JGT, 2, most, missing);
	bpf_mov(c, 3, BUFFER);
	bpf_alu(c, BPF_ADD, 3, 1);
	recall(c, 4, TAG);
	bpf_store(c, BPF_DW, 3, RECORD + offsetof(struct chain_piece, address), 4);
	bpf_store(c, BPF_W, 3, RECORD + offsetof(struct chain_piece, bytes), 2);
	recall(c, 4, OF);
	bpf_alu_k(c, BPF_OR, 4, (int32_t)kind);
	bpf_store(c, BPF_W, 3, RECORD + offsetof(struct chain_piece, kind), 4);
	bpf_alu_k(c, BPF_ADD, 1, head);
	keep(c, PLACE, 1);
	bpf_mov(c, 5, 2);
	bpf_alu_k(c, BPF_ADD, 5, 7);
	bpf_alu_k(c, BPF_AND, 5, -8);
	bpf_alu(c, BPF_ADD, 5, 1);
	keep(c, BEHIND, 5);
	bpf_mov(c, 1, 3);
	bpf_alu_k(c, BPF_ADD, 1, RECORD + head);
	recall(c, 3, SOURCE);
	bpf_call(c, BPF_FUNC_probe_read_user);
	bpf_if_k(c, BPF_JNE, 0, 0, missing);
	recall(c, 1, BEHIND);
	bpf_store(c, BPF_DW, BUFFER, RECORD_FIELD(bytes), 1);
}

/* to = the word at offset r1 in the `most` bytes at PLACE; changes r1 and r2. */
static void load_placed(struct bpf_code *c, int to, int32_t most, int wrong)
{
	bpf_if_k(c, BPF_JGT, 1, most - 8, wrong);
	recall(c, 2, PLACE);
	bpf_if_k(c, BPF_JGT, 2, (int32_t)CHAIN_BYTES_MAX - most, wrong);
	bpf_alu(c, BPF_ADD, 2, 1);
	bpf_mov(c, 1, BUFFER);
	bpf_alu(c, BPF_ADD, 1, 2);
	bpf_load(c, BPF_DW, to, 1, RECORD);
}

/* ---- The data stack ------------------------------------------------------------------ */

/* r2 = 24 + 8 * the number of words that the region at LINK says it has in use. */
static void size_region(struct bpf_code *c)
{
	recall(c, 3, LINK);
	bpf_alu_k(c, BPF_ADD, 3, 16);
	bpf_mov(c, 1, BUFFER);
	bpf_alu_k(c, BPF_ADD, 1, NEXT);
	bpf_set(c, 2, 8);
	bpf_call(c, BPF_FUNC_probe_read_user);
	bpf_if_k(c, BPF_JNE, 0, 0, REGIONS_DONE);
	recall(c, 1, LINK);
	recall(c, 2, NEXT);
	bpf_alu_k(c, BPF_LSH, 2, 3);
	bpf_alu_k(c, BPF_ADD, 2, 24);
}

/* LINK: the newest region; NEXT: its top. Those of the others stand in their own heads. */
static void put_regions(struct bpf_code *c)
{
	int i;

	for (i = 0; i < (int)CHAIN_REGIONS; i++) {
		recall(c, 1, LINK);
		bpf_if_k(c, BPF_JEQ, 1, 0, REGIONS_DONE);
		if (i == 0) {
			recall(c, 2, NEXT);
			bpf_alu(c, BPF_SUB, 2, 1);
		} else {
			size_region(c);
		}
		bpf_if_k(c, BPF_JLE, 2, CHAIN_REGION_MAX, REGION_CLIPPED + i);
		bpf_set(c, 2, CHAIN_REGION_MAX);
		bpf_label(c, REGION_CLIPPED + i);
		set_piece(c);
		put_piece(c, CHAIN_REGION, CHAIN_REGION_MAX, REGIONS_DONE, STATE_FULL);
		recall(c, 1, TAG);
		keep(c, region_slot((unsigned)i, 0), 1);
		/* A frame must begin so far in front of the end as it is long. */
		recall(c, 1, LENGTH);
		PLAN_FIELD(c, 2, frame_bytes);
		bpf_if(c, BPF_JLT, 1, 2, REGION_SHORT + i);
		bpf_alu(c, BPF_SUB, 1, 2);
		bpf_alu_k(c, BPF_ADD, 1, 1);
		keep(c, region_slot((unsigned)i, 1), 1);
		bpf_label(c, REGION_SHORT + i);
		recall(c, 1, PLACE);
		keep(c, region_slot((unsigned)i, 2), 1);
		bpf_set(c, 1, 0);
		load_placed(c, 3, 8, REGIONS_DONE);
		keep(c, LINK, 3);
	}
	bpf_label(c, REGIONS_DONE);
}

/* ---- Frames -------------------------------------------------------------------------- */

/* PLACE = where the frame at FRAME is in the buffer. */
static void find_frame(struct bpf_code *c)
{
	unsigned i;

	for (i = 0; i < CHAIN_REGIONS; i++) {
		bpf_mov(c, 1, FRAME);
		recall(c, 2, region_slot(i, 0));
		bpf_alu(c, BPF_SUB, 1, 2);
		recall(c, 2, region_slot(i, 1));
		bpf_if(c, BPF_JGE, 1, 2, IN_REGION + (int)i);
		recall(c, 2, region_slot(i, 2));
		bpf_alu(c, BPF_ADD, 1, 2);
		keep(c, PLACE, 1);
		bpf_go(c, FRAME_FOUND);
		bpf_label(c, IN_REGION + (int)i);
	}
	bpf_mov(c, 1, FRAME);
	PLAN_FIELD(c, 2, frame_bytes);
	set_piece(c);
	put_piece(c, CHAIN_FRAME, CHAIN_FRAME_MAX, FRAME_LAST, FRAME_FULL);
	bpf_label(c, FRAME_FOUND);
}

static void start_function(struct bpf_code *c, int label)
{
	bpf_function(c, label);
	bpf_mov(c, STACK, 2);
	bpf_load(c, BPF_DW, BUFFER, STACK, BUFFER_SLOT);
	bpf_load(c, BPF_DW, PLAN, STACK, PLAN_SLOT);
}

static void set_full(struct bpf_code *c)
{
	bpf_set(c, 1, 1);
	bpf_store(c, BPF_DW, BUFFER, RECORD_FIELD(full), 1);
}

/* Goes on to `known` when the code in r3 is one of those whose proof is not needed; changes r1, r2
 * and r4. */
static void if_known(struct bpf_code *c, const struct chain_maps *maps, int known)
{
	bpf_mov(c, 1, 3);
	bpf_alu_k(c, BPF_RSH, 1, CHAIN_KNOWN_SHIFT);
	bpf_alu_k(c, BPF_AND, 1, CHAIN_KNOWN_BITS - 1);
	bpf_mov(c, 2, 1);
	bpf_alu_k(c, BPF_RSH, 2, 6);
	bpf_alu_k(c, BPF_LSH, 2, 3);
	bpf_map_value(c, 4, maps->known);
	bpf_alu(c, BPF_ADD, 4, 2);
	bpf_load(c, BPF_DW, 4, 4, 0);
	bpf_alu_k(c, BPF_AND, 1, 63);
	bpf_alu(c, BPF_RSH, 4, 1);
	bpf_alu_k(c, BPF_AND, 4, 1);
	bpf_if_k(c, BPF_JNE, 4, 0, known);
}

/* FRAME is the next one: neither the last nor one too many. */
static void check_frame(struct bpf_code *c)
{
	bpf_if_k(c, BPF_JEQ, FRAME, 0, FRAME_LAST);
	recall(c, 1, BASE);
	bpf_if(c, BPF_JEQ, FRAME, 1, FRAME_LAST);
	recall(c, 1, LEFT);
	bpf_if_k(c, BPF_JEQ, 1, 0, FRAME_FULL);
	bpf_alu_k(c, BPF_SUB, 1, 1);
	keep(c, LEFT, 1);
}

/* From FRAME on, as long as frames are in the newest region and run known code: no call of a helper
 * is needed. Most are. */
static void pass_frames(struct bpf_code *c, const struct chain_maps *maps)
{
	bpf_set(c, ROUNDS, FAST);
	bpf_label(c, FRAME_FAST);
	bpf_if_k(c, BPF_JEQ, ROUNDS, 0, FRAME_WAITS);
	bpf_alu_k(c, BPF_SUB, ROUNDS, 1);
	bpf_mov(c, 5, FRAME);
	recall(c, 2, region_slot(0, 0));
	bpf_alu(c, BPF_SUB, 5, 2);
	recall(c, 2, region_slot(0, 1));
	bpf_if(c, BPF_JGE, 5, 2, FRAME_WAITS);
	recall(c, 2, region_slot(0, 2));
	bpf_alu(c, BPF_ADD, 5, 2);
	bpf_if_k(c, BPF_JGT, 5, (int32_t)(CHAIN_BYTES_MAX - CHAIN_FRAME_MAX),
		 FRAME_WAITS);
	bpf_alu(c, BPF_ADD, 5, BUFFER);
	PLAN_FIELD(c, 1, code);
	bpf_if_k(c, BPF_JGT, 1, CHAIN_FRAME_MAX - 8, FRAME_WAITS);
	bpf_alu(c, BPF_ADD, 1, 5);
	bpf_load(c, BPF_DW, 3, 1, RECORD);
	if_known(c, maps, FRAME_KNOWN);
	bpf_go(c, FRAME_WAITS);
	bpf_label(c, FRAME_KNOWN);
	PLAN_FIELD(c, 1, previous);
	bpf_if_k(c, BPF_JGT, 1, CHAIN_FRAME_MAX - 8, FRAME_LAST);
	bpf_alu(c, BPF_ADD, 5, 1);
	bpf_load(c, BPF_DW, FRAME, 5, RECORD);
	check_frame(c);
	bpf_go(c, FRAME_FAST);
	bpf_label(c, FRAME_WAITS);
	keep(c, NEXT, FRAME);
}

/* The frame at NEXT; NEXT becomes the one that called it. */
static void frame_function(struct bpf_code *c, const struct chain_maps *maps)
{
	start_function(c, FRAME_FUNCTION);
	recall(c, FRAME, NEXT);
	check_frame(c);
	pass_frames(c, maps);
	find_frame(c);
	PLAN_FIELD(c, 1, previous);
	load_placed(c, 3, CHAIN_FRAME_MAX, FRAME_LAST);
	keep(c, NEXT, 3);
	PLAN_FIELD(c, 1, code);
	load_placed(c, 3, CHAIN_FRAME_MAX, FRAME_LAST);
	if_known(c, maps, FRAME_NEXT);
	bpf_alu_k(c, BPF_AND, 3, -8); /* it may be a tagged reference */
	PLAN_FIELD(c, 1, proof);
	bpf_alu(c, BPF_ADD, 3, 1);
	keep(c, TAG, FRAME);
	keep(c, SOURCE, 3);
	PLAN_FIELD(c, 1, proof_bytes);
	keep(c, LENGTH, 1);
	put_piece(c, CHAIN_PROOF, CHAIN_PROOF_MAX, FRAME_NEXT, FRAME_FULL);
	bpf_label(c, FRAME_NEXT);
	emit_return(c, 0);
	bpf_label(c, FRAME_FULL);
	set_full(c);
	bpf_label(c, FRAME_LAST);
	emit_return(c, 1);
}

/* ---- Thread states ------------------------------------------------------------------- */

static void put_extras(struct bpf_code *c)
{
	unsigned i;

	for (i = 0; i < CHAIN_EXTRAS; i++) {
		PLAN_FIELD(c, 1, extra[i]);
		PLAN_FIELD(c, 2, extra_bytes[i]);
		bpf_if_k(c, BPF_JEQ, 2, 0, NO_EXTRA + (int)i);
		set_piece(c);
		put_piece(c, CHAIN_EXTRA, CHAIN_EXTRA_MAX, NO_EXTRA + (int)i, STATE_FULL);
		bpf_label(c, NO_EXTRA + (int)i);
	}
}

/* The word at the offset of `field`, less one, in the state; r3. */
#define LOAD_OPTIONAL(c, field, plus)                           \
	do {                                                    \
		PLAN_FIELD(c, 1, field);                        \
		bpf_alu_k(c, BPF_ADD, 1, (plus)-1);             \
		load_placed(c, 3, CHAIN_STATE_MAX, STATE_DONE); \
	} while (0)

static void state_function(struct bpf_code *c)
{
	unsigned i;

	start_function(c, STATE_FUNCTION);
	PLAN_FIELD(c, 1, state);
	bpf_if_k(c, BPF_JNE, 1, 0, STATE_IS);
	recall(c, 1, YOUNG);
	bpf_if_k(c, BPF_JEQ, 1, 0, STATE_LAST);
	keep_k(c, YOUNG, 0); /* it has no other */
	recall(c, 1, STATE);
	bpf_label(c, STATE_IS);
	keep(c, STATE, 1);
	for (i = 0; i < CHAIN_REGIONS; i++)
		keep_k(c, region_slot(i, 1), 0);
	keep_k(c, BASE, 0);
	put_extras(c);
	recall(c, 1, STATE);
	PLAN_FIELD(c, 2, state_bytes);
	set_piece(c);
	put_piece(c, CHAIN_STATE, CHAIN_STATE_MAX, STATE_DONE, STATE_FULL);
	/* It may have been freed, and be another thread's by now. */
	PLAN_FIELD(c, 1, tid);
	bpf_if_k(c, BPF_JEQ, 1, 0, ANYBODY);
	LOAD_OPTIONAL(c, tid, 0);
	recall(c, 1, TID);
	bpf_if(c, BPF_JNE, 1, 3, STATE_FOREIGN);
	bpf_label(c, ANYBODY);
	PLAN_FIELD(c, 1, head);
	load_placed(c, FRAME, CHAIN_STATE_MAX, STATE_DONE);
	PLAN_FIELD(c, 1, base);
	bpf_if_k(c, BPF_JEQ, 1, 0, NO_BASE);
	LOAD_OPTIONAL(c, base, 0);
	keep(c, BASE, 3);
	bpf_label(c, NO_BASE);
	PLAN_FIELD(c, 1, region);
	bpf_if_k(c, BPF_JEQ, 1, 0, NO_REGION);
	LOAD_OPTIONAL(c, region, 0);
	keep(c, LINK, 3);
	LOAD_OPTIONAL(c, region, 8);
	keep(c, NEXT, 3);
	put_regions(c);
	bpf_label(c, NO_REGION);
	PLAN_FIELD(c, 2, indirect);
	bpf_if_k(c, BPF_JEQ, 2, 0, DIRECT);
	bpf_alu_k(c, BPF_ADD, 2, 7);
	bpf_mov(c, 1, FRAME);
	set_piece(c);
	put_piece(c, CHAIN_INDIRECT, CHAIN_EXTRA_MAX, STATE_DONE, STATE_FULL);
	PLAN_FIELD(c, 1, indirect);
	bpf_alu_k(c, BPF_SUB, 1, 1);
	load_placed(c, FRAME, CHAIN_EXTRA_MAX, STATE_DONE);
	bpf_label(c, DIRECT);
	keep(c, NEXT, FRAME);
	keep_k(c, LEFT, STEPS);
	bpf_set(c, 1, STEPS);
	bpf_function_address(c, 2, FRAME_FUNCTION);
	bpf_mov(c, 3, STACK);
	bpf_set(c, 4, 0);
	bpf_call(c, BPF_FUNC_loop);
	bpf_label(c, STATE_DONE);
	bpf_alu_k(c, BPF_ADD, PLAN, sizeof(struct chain_state));
	bpf_store(c, BPF_DW, STACK, PLAN_SLOT, PLAN);
	recall(c, 1, OF);
	bpf_alu_k(c, BPF_ADD, 1, 1 << 16);
	keep(c, OF, 1);
	emit_return(c, 0);
	bpf_label(c, STATE_FOREIGN);
	keep_k(c, FOREIGN, 1);
	bpf_go(c, STATE_LAST);
	bpf_label(c, STATE_FULL);
	set_full(c);
	bpf_label(c, STATE_LAST);
	emit_return(c, 1);
}

/* ---- The program --------------------------------------------------------------------- */

static void start_record(struct bpf_code *c, const struct chain_maps *maps)
{
	bpf_store(c, BPF_DW, 10, PLAN_SLOT, PLAN);
	bpf_load(c, BPF_W, FRAME, 10, KEY); /* the lower half: the thread */
	bpf_call(c, BPF_FUNC_get_smp_processor_id);
	bpf_store(c, BPF_DW, 10, KEY, 0);
	bpf_look_up(c, maps->buffers, KEY);
	bpf_if_k(c, BPF_JEQ, 0, 0, ADMITTED);
	bpf_mov(c, BUFFER, 0);
	bpf_store(c, BPF_DW, 10, BUFFER_SLOT, BUFFER);
	keep_k(c, OF, 0);
	keep_k(c, FOREIGN, 0);
	keep(c, TID, FRAME);
	bpf_load(c, BPF_DW, 1, 10, FOUND);
	keep(c, STATE, 1);
	keep(c, YOUNG, 1);
	bpf_load(c, BPF_DW, 1, 10, CTX);
	bpf_load(c, BPF_DW, 1, 1, offsetof(struct bpf_perf_event_data, sample_period));
	bpf_store(c, BPF_DW, BUFFER, RECORD_FIELD(period_ns), 1);
	bpf_call(c, BPF_FUNC_ktime_get_ns);
	bpf_store(c, BPF_DW, BUFFER, RECORD_FIELD(began_ns), 0);
	bpf_set(c, 1, sizeof(struct chain_record));
	bpf_store(c, BPF_DW, BUFFER, RECORD_FIELD(bytes), 1);
	bpf_set(c, 1, 0);
	bpf_store(c, BPF_DW, BUFFER, RECORD_FIELD(full), 1);
}

static void send_record(struct bpf_code *c, const struct chain_maps *maps, bool alone)
{
	bpf_call(c, BPF_FUNC_ktime_get_ns);
	bpf_store(c, BPF_DW, BUFFER, RECORD_FIELD(ended_ns), 0);
	recall(c, 1, SENT);
	bpf_store(c, BPF_DW, BUFFER, RECORD_FIELD(sent_ns), 1);
	bpf_load(c, BPF_DW, 1, 10, CTX);
	bpf_map(c, 2, maps->outputs);
	/* BPF_F_CURRENT_CPU */
	bpf_emit(c, (struct bpf_insn){
			.code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = 3, .imm = -1 });
	bpf_mov(c, 4, BUFFER);
	bpf_alu_k(c, BPF_ADD, 4, RECORD);
	bpf_load(c, BPF_DW, 5, BUFFER, RECORD_FIELD(bytes));
	bpf_if_k(c, BPF_JGT, 5, CHAIN_BYTES_MAX, DROP);
	bpf_call(c, BPF_FUNC_perf_event_output);
	bpf_call(c, BPF_FUNC_ktime_get_ns);
	bpf_load(c, BPF_DW, 1, BUFFER, RECORD_FIELD(ended_ns));
	bpf_alu(c, BPF_SUB, 0, 1);
	keep(c, SENT, 0);
	emit_return(c, !alone);
}

int chain_program(const struct chain_maps *maps, bool alone, struct error *why)
{
	struct bpf_code c;

	_Static_assert(FRAME_FULL < BPF_LABELS, "labels");
	bpf_start(&c);
	chain_emit_find(&c, maps);
	start_record(&c, maps);
	bpf_set(&c, 1, CHAIN_STATES);
	bpf_function_address(&c, 2, STATE_FUNCTION);
	bpf_mov(&c, 3, 10);
	bpf_set(&c, 4, 0);
	bpf_call(&c, BPF_FUNC_loop);
	/* Then it is a sample like any other. */
	bpf_load(&c, BPF_DW, 1, BUFFER, FOREIGN);
	bpf_if_k(&c, BPF_JNE, 1, 0, ADMITTED);
	send_record(&c, maps, alone);
	state_function(&c);
	frame_function(&c, maps);
	return bpf_load_program(&c, BPF_PROG_TYPE_PERF_EVENT, why);
}

uint32_t chain_buffer_bytes(void)
{
	return RECORD + CHAIN_BYTES_MAX;
}
