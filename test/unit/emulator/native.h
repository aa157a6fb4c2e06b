/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running a few bytes of code on this machine's own CPU, in this process, in 64
 * or 32 bit (compatibility) mode at CPL 3: registers are loaded, the code is
 * jumped to, and whatever ends it, falling through, a jump or a fault, is
 * caught.
 */
#ifndef TEST_UNIT_EMULATOR_NATIVE_H
#define TEST_UNIT_EMULATOR_NATIVE_H

/* Fixed addresses, below 2 GB so that absolute addressing reaches them. */
#define NATIVE_STATE	0x10000000
#define NATIVE_EXIT	0x10001000
#define NATIVE_EXIT32	(NATIVE_EXIT + 0x800)
#define NATIVE_CODE	0x10010000
#define NATIVE_CODE_SIZE 0x2000
#define NATIVE_DATA	0x10020000
#define NATIVE_DATA_SIZE 0x2000
#define NATIVE_RO	(NATIVE_DATA + NATIVE_DATA_SIZE)
#define NATIVE_RO_SIZE	0x1000

/* Offsets in the state, for the assembly. */
#define NATIVE_RFLAGS	0x80
#define NATIVE_RIP	0x88
#define NATIVE_HOST_RSP	0x90
#define NATIVE_FAR	0x98		/* where the code is, and its CS */
#define NATIVE_VECTORS	0x200
#define NATIVE_MMX	0x400

#ifndef __ASSEMBLER__
#include "arch-x86/emulator/types.h"

/**
 * struct native_state - what is loaded before, and found after
 * @gpr: general registers.
 * @rflags: flags.
 * @rip: start; afterwards where it stopped.
 * @host_rsp: ours.
 * @far_rip: start.
 * @far_cs: code segment: Linux's for 64 or 32 bits.
 * @trap: the vector of the fault, -1: none.
 * @error: its error code.
 * @address: CR2.
 * @label: what to say when all goes wrong.
 * @vector: YMM registers.
 * @mmx: MM registers.
 */
struct native_state {
	u64 gpr[16];
	u64 rflags;
	u64 rip;
	u64 host_rsp;
	u32 far_rip, far_cs;
	s64 trap;
	u64 error;
	u64 address;
	u64 label;
	u8 pad[NATIVE_VECTORS - 0xc0];
	u8 vector[16][32];
	u64 mmx[8];
};

/**
 * native_init - map the fixed regions and catch faults
 * @gs_base: what GS is to point to.
 *
 * Return: true; false where this machine can't (no AVX).
 */
bool native_init(u64 gs_base);

/**
 * native_has_32bit - does this machine let a process enter 32 bit mode?
 *
 * Return: true if Linux's 32 bit user code segment is there (some hypervisors
 * and kernels have none).
 */
bool native_has_32bit(void);

/**
 * native_fill_ro - set the content of the read-only region
 * @data: NATIVE_RO_SIZE bytes.
 */
void native_fill_ro(const u8 *data);

/**
 * native_state - the state page
 *
 * Return: it.
 */
struct native_state *native_state(void);

/**
 * native_run - run @len bytes at @rip
 * @rip: in the code region.
 * @code: bytes.
 * @len: how many; a way out is placed behind them if there is room.
 * @bits: 64 or 32.
 */
void native_run(u64 rip, const u8 *code, unsigned int len, unsigned int bits);
#endif

#endif
