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
/* Linux's stack segment for user space. */
#define NATIVE_SS64	0x2b
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
#define NATIVE_SEGMENTS	0xb8		/* ES, CS, SS, DS, FS, GS */
#define NATIVE_HOST_FS	0xc8
#define NATIVE_AVX512	0xd0
#define NATIVE_X87	0x400
#define NATIVE_VECTORS	0x800

#ifndef __ASSEMBLER__
#include "arch-x86/emulator/types.h"

/**
 * struct native_state - what is loaded before, and found after
 * @gpr: general registers.
 * @rflags: flags.
 * @rip: start; afterwards where it stopped.
 * @host_rsp: ours.
 * @far_rip: start.
 * @far_cs: its code segment; 0: this process's own, and no segment is loaded (where
 *	a kernel is a guest without an MMU of its own, that has been seen to end it).
 * @trap: the vector of the fault, -1: none.
 * @error: its error code.
 * @address: CR2.
 * @segment: selectors; FS and GS are loaded only if FS isn't 0.
 * @host_fs: base of our own FS.
 * @avx512: there are 32 registers of 64 bytes; else 16 of 32.
 * @x87: as FNSAVE has it.
 * @vector: the registers.
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
	u16 segment[6];
	u16 pad[2];
	u64 host_fs;
	u8 avx512;
	u8 more_pad[NATIVE_X87 - NATIVE_AVX512 - 1];
	u8 x87[108];
	u8 even_more_pad[NATIVE_VECTORS - NATIVE_X87 - 108];
	u8 vector[32][64];
};

/**
 * native_init - map the fixed regions and catch faults
 * @gs_base: what GS is to point to.
 *
 * Return: true; false where this machine can't (no AVX).
 */
bool native_init(u64 gs_base);

/**
 * native_set_segment - make a segment for code in 32 or 16 bit mode, in the LDT
 * @seg: X86_EMULATOR_ES ... GS; of CS only base, limit and D count.
 * @base: linear address of its first byte.
 * @limit: in bytes, below 1 MB.
 * @type: descriptor type: 3 writable data, 1 read-only data, 7 expand-down, 11 code.
 * @db: the D or B bit.
 *
 * Return: the selector; 0 where this machine lets no process have an LDT (some
 * hypervisors and kernels don't).
 */
u16 native_set_segment(unsigned int seg, u32 base, u32 limit, unsigned int type, bool db);

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
 * @rip: in the code region: an offset in CS.
 * @base: CS's.
 * @code: bytes.
 * @len: how many; a way out is placed behind them if there is room.
 * @bits: 64, or 32 or 16 with all segments set.
 *
 * Return: true; false if the CPU faulted on the way out, which nothing there can cause
 * (seen under a hypervisor, once in millions of cases, not again with the same ones): only
 * @trap of the state, and what the code wrote to memory, count then.
 */
bool native_run(u64 rip, u64 base, const u8 *code, unsigned int len, unsigned int bits);
#endif

#endif
