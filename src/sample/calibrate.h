/* What one sample costs the thread it interrupts, measured on ptop itself. */
#ifndef PTOP_SAMPLE_CALIBRATE_H
#define PTOP_SAMPLE_CALIBRATE_H

#include <stdint.h>

#define CALIBRATE_NO_STACK 8u /* the least that the kernel takes */

/* Nanoseconds taken by an interrupt that copies registers and stack_bytes of stack: `percent` of
 * them take less; 0 when it cannot be measured. Spins for about 4 ms. */
uint64_t calibrate_sample_ns(uint32_t stack_bytes, unsigned percent);

#endif
