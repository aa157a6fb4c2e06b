/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How exits.c tells count.c what it does: an instruction without effect that says it
 * in its displacement. On any other machine it is a NOP.
 */
#ifndef TEST_BENCH_MARKS_H
#define TEST_BENCH_MARKS_H

#define MARK_BEGIN	0x4b564d00	/* a run begins */
#define MARK_END_ONE	0x4b564d01	/* of the exits to be subtracted */
#define MARK_END_TWO	0x4b564d02	/* of twice as many: the row is done */

#define MARK(what)	asm volatile("nopl %c0(%%rax)" : : "i" (what) : "memory")

#endif
