/* Whose sample is it? A thread that has a plan, or one whose state is among its process's newest. */
#include "sample/chain_emit.h"

#define NEWEST 16 /* states that a thread is looked for in */

/* r1 = `bytes` at the address in r3; to UNKNOWN when they are not there. */
static void peek(struct bpf_code *c, int32_t bytes)
{
	bpf_set(c, 1, 0);
	bpf_store(c, BPF_DW, 10, WORD, 1);
	bpf_mov(c, 1, 10);
	bpf_alu_k(c, BPF_ADD, 1, WORD);
	bpf_set(c, 2, bytes);
	bpf_call(c, BPF_FUNC_probe_read_user);
	bpf_if_k(c, BPF_JNE, 0, 0, UNKNOWN);
	bpf_load(c, BPF_DW, 1, 10, WORD);
}

#define BIRTHS_FIELD(c, to, field)                                                       \
	bpf_load(c, sizeof(((struct chain_births *)0)->field) == 8 ? BPF_DW : BPF_W, to, \
		 BIRTHS, offsetof(struct chain_births, field))

/* The state among the newest whose thread this is, into FOUND; else to UNKNOWN. */
static void find_state(struct bpf_code *c)
{
	BIRTHS_FIELD(c, 3, list);
	peek(c, 8);
	bpf_mov(c, FRAME, 1);
	bpf_set(c, ROUNDS, NEWEST);
	bpf_label(c, NEXT_STATE);
	bpf_if_k(c, BPF_JEQ, ROUNDS, 0, UNKNOWN);
	bpf_alu_k(c, BPF_SUB, ROUNDS, 1);
	bpf_if_k(c, BPF_JEQ, FRAME, 0, UNKNOWN);
	BIRTHS_FIELD(c, 3, tid);
	bpf_alu(c, BPF_ADD, 3, FRAME);
	peek(c, 8);
	BIRTHS_FIELD(c, 2, descriptor);
	bpf_if_k(c, BPF_JEQ, 2, 0, NO_DESCRIPTOR);
	bpf_mov(c, 3, 1);
	bpf_alu_k(c, BPF_SUB, 3, 1);
	bpf_alu(c, BPF_ADD, 3, 2);
	peek(c, 4);
	bpf_label(c, NO_DESCRIPTOR);
	bpf_load(c, BPF_W, 2, 10, KEY); /* the lower half: the thread */
	bpf_if(c, BPF_JEQ, 1, 2, STATE_FOUND);
	BIRTHS_FIELD(c, 3, next);
	bpf_alu(c, BPF_ADD, 3, FRAME);
	peek(c, 8);
	bpf_mov(c, FRAME, 1);
	bpf_go(c, NEXT_STATE);
	bpf_label(c, STATE_FOUND);
	BIRTHS_FIELD(c, 1, state);
	bpf_alu(c, BPF_ADD, FRAME, 1);
	bpf_store(c, BPF_DW, 10, FOUND, FRAME);
}

void chain_emit_find(struct bpf_code *c, const struct chain_maps *maps)
{
	bpf_store(c, BPF_DW, 10, CTX, 1);
	bpf_set(c, 1, 0);
	bpf_store(c, BPF_DW, 10, FOUND, 1);
	bpf_call(c, BPF_FUNC_get_current_pid_tgid);
	bpf_store(c, BPF_DW, 10, KEY, 0);
	bpf_look_up(c, maps->threads, KEY);
	bpf_mov(c, PLAN, 0);
	bpf_if_k(c, BPF_JNE, 0, 0, KNOWN);
	bpf_look_up(c, maps->births, KEY + 4); /* the upper half: the process */
	bpf_if_k(c, BPF_JEQ, 0, 0, UNKNOWN);
	bpf_mov(c, BIRTHS, 0);
	find_state(c);
	bpf_load(c, BPF_W, 1, 10, KEY + 4);
	bpf_alu_k(c, BPF_LSH, 1, 32);
	bpf_store(c, BPF_DW, 10, WORD, 1);
	bpf_look_up(c, maps->threads, WORD);
	bpf_mov(c, PLAN, 0);
	bpf_if_k(c, BPF_JNE, 0, 0, KNOWN);
	bpf_label(c, UNKNOWN);
	bpf_map_value(c, 1, maps->filter);
	bpf_load(c, BPF_DW, 1, 1, 0);
	bpf_if_k(c, BPF_JEQ, 1, 0, ADMITTED);
	bpf_look_up(c, maps->admitted, KEY + 4);
	bpf_if_k(c, BPF_JEQ, 0, 0, DROP);
	bpf_label(c, ADMITTED);
	emit_return(c, 1);
	bpf_label(c, DROP);
	emit_return(c, 0);
	bpf_label(c, KNOWN);
}
