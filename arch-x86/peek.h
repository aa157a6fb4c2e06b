/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A look at the instruction that the CPU has just exited from, without the
 * emulator: how long it is, and what its operands are.
 */
#ifndef ARCH_X86_PEEK_H
#define ARCH_X86_PEEK_H

#include "arch-x86/x86.h"

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
};

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
 * @p: filled
 *
 * Knows CPUID, RDMSR, WRMSR, HLT, VMCALL, VMMCALL, XSETBV, MOV of control registers, and
 * MOV, MOVZX, MOVSX between memory and a register or immediate; any of these with LOCK or
 * REP it doesn't know. Nothing is checked that the CPU has checked before its exit
 * (privilege, limits, reserved encodings): another vCPU may have written other bytes there
 * since, so the caller compares the opcode with what the exit says, and uses no more than a
 * guest may choose.
 *
 * Return: true; false: not one of these, or it can't be read without sleeping.
 * Context: loaded; any: never sleeps. Slots are read: IRQs off or SRCU.
 */
bool x86_peek_insn(struct x86_vcpu *vcpu, struct x86_peek *p);

/** x86_peek_operand_offset() - where in its page the memory operand begins. Loaded. */
unsigned int x86_peek_operand_offset(struct x86_vcpu *vcpu, const struct x86_peek *p);

/** x86_peek_next_rip() - where the instruction behind it begins. Loaded. */
u64 x86_peek_next_rip(struct x86_vcpu *vcpu, const struct x86_peek *p);

#endif
