/* A thread that wakes on time. */
#ifndef PTOP_BASE_PROMPT_H
#define PTOP_BASE_PROMPT_H

/* Takes the slack from the calling thread's timers and asks for short slices: it may then take a
 * CPU from one in the middle of a longer slice (Linux 6.12 or newer; others ignore it), at the same
 * share of the CPU. Else looks on a CPU that is shared come when slices end, and what a thread does
 * first when it gets a CPU is never seen. */
void thread_be_prompt(void);

#endif
