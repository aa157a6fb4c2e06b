/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small machine for the emulator to run on in user space: registers, segments,
 * a few regions of memory with page rights, ports and MSRs. All tests of this
 * directory use it; it knows nothing of what they test.
 */
#ifndef TEST_UNIT_EMULATOR_MACHINE_H
#define TEST_UNIT_EMULATOR_MACHINE_H

#include "arch-x86/emulator/emulator.h"

#define MACHINE_REGIONS	8

/**
 * struct machine_region - linear memory
 * @start: first address, page aligned.
 * @size: bytes, whole pages.
 * @data: where its bytes are.
 * @writable: else a write is #PF.
 * @user: CPL 3 may access it.
 * @fetch_only: only instruction fetches may read it.
 * @mmio: reads must be asked for twice, as if user space supplied them.
 */
struct machine_region {
	u64 start, size;
	u8 *data;
	bool writable, user, fetch_only, mmio;
};

/* What FNSAVE stores outside real mode (SDM 1 figure 8-9); st[0] is the stack's top. */
struct machine_x87 {
	u32 control, status, tag, fip, fcs_fop, fdp, fds;
	u8 st[8][10];
};

struct machine_io_log {
	u64 addr;
	u8 data[64];
	unsigned int len;
};

struct machine {
	struct x86_emulator ctx;
	u64 gpr[16];
	struct x86_emulator_segment seg[X86_EMULATOR_NR_SEGMENTS];
	struct x86_emulator_table gdt, idt;
	u64 cr[9], dr[8], xcr0, efer;
	u64 star, lstar, cstar, sfmask, sysenter[3], kernel_gs_base, tsc_aux;
	u8 vector[32][64];
	struct machine_x87 x87;
	struct machine_region region[MACHINE_REGIONS];
	unsigned int nr_regions;

	/* What happened. */
	unsigned int halts, hypercalls, flushes, nmi_unblocked, rsms;
	u64 flushed;
	u8 port_in[4096];		/* what IN returns, in order */
	unsigned int port_in_pos;
	u8 port_out[4096];
	unsigned int port_out_len;
	u16 port;
	bool port_answered;		/* the next io_in() has its data */
	struct machine_io_log log[64];	/* MMIO reads answered */
	unsigned int log_len, log_pos;
	bool log_pending;
	unsigned int retired;
	unsigned int yield_after;	/* should_yield() says yes then; 0: never */
};

/**
 * machine_init - a machine in flat 64 bit mode at CPL 0, without memory
 * @m: machine.
 */
void machine_init(struct machine *m);

/**
 * machine_mode - flat segments and control registers for a mode
 * @m: machine.
 * @mode: mode.
 * @cpl: privilege level.
 */
void machine_mode(struct machine *m, enum x86_emulator_mode mode, unsigned int cpl);

/**
 * machine_x87_mmx - an MMX register
 * @x87: where it is.
 * @reg: 0 to 7.
 *
 * Return: its place.
 */
u8 *machine_x87_mmx(struct machine_x87 *x87, unsigned int reg);

/**
 * machine_map - add memory
 * @m: machine.
 * @start: linear address.
 * @size: bytes.
 * @data: content, the caller's.
 * @writable: may be written.
 *
 * Return: the region.
 */
struct machine_region *machine_map(struct machine *m, u64 start, u64 size, void *data,
				   bool writable);

/**
 * machine_run - decode and execute one instruction, answering what it asks
 * @m: machine; ctx.rip and rflags are set.
 *
 * IO_NEEDED is answered and execution repeated; repeated string instructions run
 * to their end.
 *
 * Return: the final result.
 */
int machine_run(struct machine *m);

#endif
