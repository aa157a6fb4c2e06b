/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A look at the instruction that the CPU has just exited from, without the
 * emulator: how long it is, and what its operands are.
 */
#ifndef ARCH_X86_PEEK_H
#define ARCH_X86_PEEK_H

#include <linux/types.h>

#include "core/types.h"

struct kvm_memslots;
struct x86_vcpu;

/**
 * struct x86_peek - a plain instruction
 * @opcode: 0x100 and above: behind 0F; 0x10100 and above: 0F 01, with its ModRM byte
 * @length: bytes, 1 to 15
 * @modrm: if it has one
 * @rex: its REX prefix, or 0
 * @op_size: of the operand by mode and prefixes: 2, 4 or 8
 * @memory: @modrm names memory
 * @addr16: by 16-bit addressing
 * @sib: behind @modrm, if it has one
 * @seg: segment override, or X86_NR_SEGS
 * @disp: displacement, sign-extended
 * @imm: MOV's immediate, sign-extended
 * @code64: it is 64-bit code
 */
struct x86_peek {
	u32 opcode;
	u8 length;
	u8 modrm;
	u8 rex;
	u8 op_size;
	bool memory;
	bool addr16;
	u8 sib;
	u8 seg;
	s32 disp;
	u64 imm;
	bool code64;
};

/**
 * struct x86_peeked - one that was looked at, and what says that it is still the same: the
 *	mode, the guest's page table entries on the way to it, its bytes
 * @linear: its address
 * @cr3: with paging
 * @mode: of the walk and of the code (peek.c); 0: nothing is remembered here
 * @nr_entries: on the way
 * @entry_at: where in the process they are
 * @entry: what they were
 * @bytes_at: likewise the bytes at @linear
 * @bytes: 16 of them
 * @slots: which said so
 * @generation: theirs then
 * @insn: the instruction
 */
struct x86_peeked {
	u64 linear;
	u64 cr3;
	u32 mode;
	u32 nr_entries;
	const u64 __user *entry_at[5];
	u64 entry[5];
	const u64 __user *bytes_at;
	u64 bytes[2];
	const struct kvm_memslots *slots;
	u64 generation;
	struct x86_peek insn;
};

#define X86_NR_PEEKED	8	/* power of 2 */

#define X86_PEEK_0F(op)		(0x100 | (op))
#define X86_PEEK_0F01(modrm)	(0x10100 | (modrm))

/* ModRM.reg with REX.R, ModRM.rm of a register with REX.B: numbers of enum x86_reg. */
static inline unsigned int x86_peek_reg(const struct x86_peek *p)
{
	return ((p->modrm >> 3) & 7) | (p->rex & 4) << 1;
}

static inline unsigned int x86_peek_rm(const struct x86_peek *p)
{
	return (p->modrm & 7) | (p->rex & 1) << 3;
}

/**
 * x86_peek_insn() - read and take apart what is at RIP
 * @vcpu: the vCPU, after an exit that its instruction has caused
 *
 * Knows CPUID, RDMSR, WRMSR, HLT, VMCALL, VMMCALL, XSETBV, MOV of control registers, and
 * MOV, MOVZX, MOVSX between memory and a register or immediate; any of these with LOCK or
 * REP it doesn't know. Nothing is checked that the CPU has checked before its exit
 * (privilege, limits, reserved encodings): another vCPU may have written other bytes there
 * since, so the caller compares the opcode with what the exit says, and uses no more than a
 * guest may choose.
 *
 * Return: the instruction, until the next look; NULL: not one of these, or it can't be read
 * without sleeping.
 * Context: loaded; any: never sleeps. Slots are read: IRQs off or SRCU.
 */
const struct x86_peek *x86_peek_insn(struct x86_vcpu *vcpu);

/** x86_peek_operand_offset() - where in its page the memory operand begins. Loaded. */
unsigned int x86_peek_operand_offset(struct x86_vcpu *vcpu, const struct x86_peek *p);

/** x86_peek_access() - bytes that a MOV to (@write) or from memory moves; 0: it is none */
unsigned int x86_peek_access(const struct x86_peek *p, bool write);

/** x86_peek_stored() - what a MOV to memory stores; upper bytes are undefined. Loaded. */
u64 x86_peek_stored(struct x86_vcpu *vcpu, const struct x86_peek *p);

/** x86_peek_load() - what a MOV from memory does to its register. Loaded.
 *  @val: what it read, zero-extended */
void x86_peek_load(struct x86_vcpu *vcpu, const struct x86_peek *p, u64 val);

/** x86_peek_next_rip() - where the instruction behind it begins. Loaded. */
u64 x86_peek_next_rip(struct x86_vcpu *vcpu, const struct x86_peek *p);

#endif
