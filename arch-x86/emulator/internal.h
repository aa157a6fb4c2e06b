/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rooms of the emulator share: the form of an opcode table row, RFLAGS
 * and CR bits, exceptions, and access to registers, memory and the stack.
 * Nobody outside this directory includes it.
 */
#ifndef ARCH_X86_EMULATOR_INTERNAL_H
#define ARCH_X86_EMULATOR_INTERNAL_H

#include "emulator.h"

/* Short names for the results within the emulator. */
enum {
	EMUL_OK			= X86_EMULATOR_CONTINUE,
	EMUL_UNHANDLEABLE	= X86_EMULATOR_UNHANDLEABLE,
	EMUL_FAULT		= X86_EMULATOR_FAULT,
	EMUL_RETRY		= X86_EMULATOR_RETRY,
	EMUL_IO_NEEDED		= X86_EMULATOR_IO_NEEDED,
};

/* And for registers. */
enum {
	RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11,
};

enum {
	ES = X86_EMULATOR_ES, CS = X86_EMULATOR_CS, SS = X86_EMULATOR_SS,
	DS = X86_EMULATOR_DS, FS = X86_EMULATOR_FS, GS = X86_EMULATOR_GS,
	LDTR = X86_EMULATOR_LDTR, TR = X86_EMULATOR_TR,
};

/* RFLAGS (SDM 1 3.4.3) */
#define FLAG_CF		(1ull << 0)
#define FLAG_FIXED	(1ull << 1)
#define FLAG_PF		(1ull << 2)
#define FLAG_AF		(1ull << 4)
#define FLAG_ZF		(1ull << 6)
#define FLAG_SF		(1ull << 7)
#define FLAG_TF		(1ull << 8)
#define FLAG_IF		(1ull << 9)
#define FLAG_DF		(1ull << 10)
#define FLAG_OF		(1ull << 11)
#define FLAG_IOPL	(3ull << 12)
#define FLAG_NT		(1ull << 14)
#define FLAG_RF		(1ull << 16)
#define FLAG_VM		(1ull << 17)
#define FLAG_AC		(1ull << 18)
#define FLAG_VIF	(1ull << 19)
#define FLAG_VIP	(1ull << 20)
#define FLAG_ID		(1ull << 21)
#define FLAGS_ARITH	(FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

/* Control registers (SDM 3A 2.5) */
#define CR0_PE_BIT	(1ull << 0)
#define CR0_MP_BIT	(1ull << 1)
#define CR0_EM_BIT	(1ull << 2)
#define CR0_TS_BIT	(1ull << 3)
#define CR0_AM_BIT	(1ull << 18)
#define CR0_PG_BIT	(1ull << 31)
#define CR3_LAM_U57_BIT	(1ull << 61)
#define CR3_LAM_U48_BIT	(1ull << 62)
#define CR4_VME_BIT	(1ull << 0)
#define CR4_PVI_BIT	(1ull << 1)
#define CR4_TSD_BIT	(1ull << 2)
#define CR4_DE_BIT	(1ull << 3)
#define CR4_PCE_BIT	(1ull << 8)
#define CR4_OSFXSR_BIT	(1ull << 9)
#define CR4_UMIP_BIT	(1ull << 11)
#define CR4_LA57_BIT	(1ull << 12)
#define CR4_FSGSBASE_BIT (1ull << 16)
#define CR4_OSXSAVE_BIT	(1ull << 18)
#define CR4_LAM_SUP_BIT	(1ull << 28)

/* Debug registers (SDM 3B 18.2) */
#define DR6_BD_BIT	(1u << 13)
#define DR6_BS_BIT	(1u << 14)
#define DR6_BT_BIT	(1u << 15)
#define DR7_GD_BIT	(1u << 13)

/* MSRs that instructions refer to (SDM 4) */
#define MSR_SYSENTER_CS_NR	0x174
#define MSR_SYSENTER_ESP_NR	0x175
#define MSR_SYSENTER_EIP_NR	0x176
#define MSR_EFER_NR		0xc0000080
#define MSR_STAR_NR		0xc0000081
#define MSR_LSTAR_NR		0xc0000082
#define MSR_CSTAR_NR		0xc0000083
#define MSR_SFMASK_NR		0xc0000084
#define MSR_FS_BASE_NR		0xc0000100
#define MSR_GS_BASE_NR		0xc0000101
#define MSR_KERNEL_GS_BASE_NR	0xc0000102
#define MSR_TSC_AUX_NR		0xc0000103
#define EFER_SCE_BIT		(1ull << 0)
#define EFER_LME_BIT		(1ull << 8)
#define EFER_LMA_BIT		(1ull << 10)

/* Exceptions (SDM 3A 6.3.1) */
enum {
	VEC_DE = 0, VEC_DB = 1, VEC_BP = 3, VEC_OF = 4, VEC_BR = 5, VEC_UD = 6,
	VEC_NM = 7, VEC_DF = 8, VEC_TS = 10, VEC_NP = 11, VEC_SS = 12, VEC_GP = 13,
	VEC_PF = 14, VEC_MF = 16, VEC_AC = 17, VEC_XM = 19,
};

/*
 * The form of a table row.
 *
 * kind says what a row is; all but OPCODE_INSN lead on to a row in @sub.
 */
enum opcode_kind {
	OPCODE_UNKNOWN,		/* not in the table */
	OPCODE_INSN,
	OPCODE_UD,		/* the manuals say: undefined */
	OPCODE_REG,		/* sub[modrm.reg] */
	OPCODE_MODREG,		/* sub[modrm.reg + (register form ? 8 : 0)] */
	OPCODE_RM,		/* sub[modrm.rm] */
	OPCODE_PREFIX,		/* sub[none, 66, F3, F2] */
	OPCODE_MODE,		/* sub[other modes, 64 bit mode] */
};

/* Where an operand comes from; the low byte of a table row's operand. */
enum operand_where {
	WHERE_NONE,
	WHERE_RM,		/* general register or memory, by ModRM */
	WHERE_RM_MEM,		/* memory only; a register is #UD */
	WHERE_RM_REG,		/* register only; memory is #UD */
	WHERE_RM_GPR,		/* a register whatever mod says (MOV CR, DR) */
	WHERE_REG,		/* general register, modrm.reg */
	WHERE_OPCODE,		/* general register, low 3 bits of the opcode */
	WHERE_VVVV,		/* general register, VEX.vvvv */
	WHERE_ACC,
	WHERE_CL,
	WHERE_DX,
	WHERE_ONE,		/* the constant 1 */
	WHERE_IMM,		/* zero extended if one byte */
	WHERE_SIMM,		/* sign extended */
	WHERE_REL,		/* sign extended, relative to the next RIP */
	WHERE_MOFFS,		/* memory, offset in the instruction */
	WHERE_FAR,		/* selector:offset in the instruction */
	WHERE_SEG,		/* segment register, modrm.reg */
	WHERE_ES, WHERE_CS, WHERE_SS, WHERE_DS, WHERE_FS, WHERE_GS,
	WHERE_CR, WHERE_DR,	/* modrm.reg */
	WHERE_SI,		/* string source, overridable */
	WHERE_DI,		/* string destination, ES */
	WHERE_VREG,		/* vector register, modrm.reg */
	WHERE_VRM,		/* vector register or memory */
	WHERE_VRM_REG,		/* vector register, memory is #UD */
	WHERE_MREG,		/* MMX register, modrm.reg */
	WHERE_MRM,		/* MMX register or memory */
	WHERE_MRM_REG,		/* MMX register, memory is #UD */
};

/* Its size; the high byte. */
enum operand_size {
	SIZE_NONE, SIZE_1, SIZE_2, SIZE_4, SIZE_8, SIZE_10, SIZE_16,
	SIZE_V,			/* operand size: 2, 4, 8 */
	SIZE_Z,			/* 2, 4; 4 where the operand size is 8 */
	SIZE_Y,			/* 4; 8 with REX.W */
	SIZE_X,			/* 16; 32 with VEX.L; 64 with EVEX.L' */
	SIZE_P,			/* operand size and a selector */
	SIZE_2V,		/* 2 in memory, operand size in a register */
	SIZE_NATIVE,		/* 8 in 64 bit mode, else 4 */
};

/* Row flags. */
enum {
	ROW_MODRM	= 1 << 0,	/* has a ModRM byte though no operand says so */
	ROW_LOCK	= 1 << 1,	/* LOCK is allowed if operand 0 is memory */
	ROW_DEF64	= 1 << 2,	/* operand size is 8 in 64 bit mode, or 2 */
	ROW_BRANCH64	= 1 << 3,	/* near branch: 8 in 64 bit mode; 66 is AMD's */
	ROW_NO64	= 1 << 4,	/* #UD in 64 bit mode */
	ROW_ONLY64	= 1 << 5,	/* #UD elsewhere */
	ROW_PRIV	= 1 << 6,	/* #GP(0) if CPL is not 0 */
	ROW_PROT	= 1 << 7,	/* #UD in real and virtual-8086 mode */
	ROW_NO_PREFIX	= 1 << 8,	/* 66, F2, F3 are #UD */
	ROW_NO_F3F2	= 1 << 9,	/* F2, F3 are #UD */
	ROW_VVVV	= 1 << 10,	/* VEX.vvvv is an operand (else must be 1111b) */
	ROW_L0		= 1 << 11,	/* VEX.L must be 0 */
	ROW_W0		= 1 << 12,	/* VEX.W must be 0 */
	ROW_STRING	= 1 << 13,	/* F2 and F3 repeat it */
	ROW_L1		= 1 << 14,	/* VEX.L must be 1 */
	ROW_VSIB	= 1 << 15,	/* VSIB memory operand: length only */
	ROW_W1		= 1 << 16,	/* VEX.W must be 1 */
	ROW_VVVV_REG	= 1 << 18,	/* VEX.vvvv is one in the register form */
	ROW_NO66	= 1 << 17,	/* 66 is #UD */
};

/**
 * struct x86_emulator_opcode - a row of an opcode table
 * @flags: ROW_*.
 * @kind: enum opcode_kind.
 * @id: enum x86_emulator_insn.
 * @arg: a small constant for @exec, which several rows share.
 * @operand: enum operand_where | enum operand_size << 8, in the manual's order.
 * @exec: executes it; NULL: only its length is known.
 * @sub: the next table.
 */
struct x86_emulator_opcode {
	u32 flags;
	u8 kind;
	u8 id;
	u8 arg;
	u16 operand[4];
	union {
		int (*exec)(struct x86_emulator *ctx);
		const struct x86_emulator_opcode *sub;
	};
};

extern const struct x86_emulator_opcode emul_table_one[256];
extern const struct x86_emulator_opcode emul_table_0f[256];
extern const struct x86_emulator_opcode emul_table_0f38[256];
extern const struct x86_emulator_opcode emul_table_0f3a[256];
extern const struct x86_emulator_opcode emul_table_vex_0f[256];
extern const struct x86_emulator_opcode emul_table_vex_0f38[256];
extern const struct x86_emulator_opcode emul_table_vex_0f3a[256];
extern const struct x86_emulator_opcode emul_table_evex_0f[256];
extern const struct x86_emulator_opcode emul_table_evex_0f38[256];

/* Exceptions: each fills ctx->exception and returns EMUL_FAULT. */

static inline int emul_exception(struct x86_emulator *ctx, u8 vector)
{
	ctx->exception = (struct x86_emulator_exception){ .vector = vector };
	return EMUL_FAULT;
}

static inline int emul_exception_code(struct x86_emulator *ctx, u8 vector, u32 code)
{
	ctx->exception = (struct x86_emulator_exception){
		.vector = vector, .has_error_code = true, .error_code = code,
	};
	return EMUL_FAULT;
}

static inline int emul_ud(struct x86_emulator *ctx)
{
	return emul_exception(ctx, VEC_UD);
}

static inline int emul_gp(struct x86_emulator *ctx, u32 code)
{
	return emul_exception_code(ctx, VEC_GP, code);
}

/**
 * emul_gp_on_fault - give a FAULT of a register operation its #GP(0)
 * @ctx: context.
 * @r: what get_msr(), set_cr() ... returned.
 *
 * Return: @r.
 */
static inline int emul_gp_on_fault(struct x86_emulator *ctx, int r)
{
	return r == EMUL_FAULT ? emul_gp(ctx, 0) : r;
}

/* Modes. */

static inline bool emul_is_64(const struct x86_emulator *ctx)
{
	return ctx->mode == X86_EMULATOR_PROT64;
}

/* The register that VEX.vvvv names: outside 64 bit mode there are eight (SDM 2A 2.3.5.6). */
static inline unsigned int emul_vvvv(const struct x86_emulator *ctx)
{
	return emul_is_64(ctx) ? ctx->insn.vvvv : ctx->insn.vvvv & 7;
}

static inline bool emul_is_protected(const struct x86_emulator *ctx)
{
	return ctx->mode >= X86_EMULATOR_PROT16;
}

static inline bool emul_has(const struct x86_emulator *ctx, u64 features)
{
	return (ctx->features & features) == features;
}

static inline unsigned int emul_iopl(const struct x86_emulator *ctx)
{
	return (ctx->rflags >> 12) & 3;
}

/**
 * emul_efer - the guest's EFER
 * @ctx: context.
 *
 * Return: it; 0 if there is none.
 */
u64 emul_efer(struct x86_emulator *ctx);

/* Widths: @size is 1, 2, 4 or 8 bytes. */

static inline u64 emul_mask(unsigned int size)
{
	return ~0ull >> (64 - 8 * size);
}

static inline u64 emul_sign_bit(unsigned int size)
{
	return 1ull << (8 * size - 1);
}

static inline s64 emul_sign_extend(u64 value, unsigned int size)
{
	unsigned int shift = 64 - 8 * size;

	return (s64)(value << shift) >> shift;
}

/**
 * emul_read_reg - the low @size bytes of a general register, zero extended
 * @ctx: context.
 * @reg: number.
 * @size: 1, 2, 4, 8.
 *
 * Return: the value.
 */
static inline u64 emul_read_reg(struct x86_emulator *ctx, unsigned int reg,
				unsigned int size)
{
	return x86_emulator_get_gpr(ctx, reg) & emul_mask(size);
}

/**
 * emul_write_reg - write as an instruction of that operand size does
 * @ctx: context.
 * @reg: number.
 * @size: 1, 2: merged; 4: zero extended; 8.
 * @value: its upper bits are ignored.
 */
void emul_write_reg(struct x86_emulator *ctx, unsigned int reg,
		    unsigned int size, u64 value);

/**
 * emul_segment - a segment register, from the context's cache
 * @ctx: context.
 * @seg: number.
 *
 * Return: pointer into the context, valid until emul_set_segment().
 */
const struct x86_emulator_segment *emul_segment(struct x86_emulator *ctx, unsigned int seg);

/**
 * emul_set_segment - write a segment register, at once
 * @ctx: context.
 * @seg: number.
 * @segment: checked content.
 */
void emul_set_segment(struct x86_emulator *ctx, unsigned int seg,
		      const struct x86_emulator_segment *segment);

/**
 * emul_set_cpl - the privilege level changes
 * @ctx: context.
 * @cpl: new one.
 */
void emul_set_cpl(struct x86_emulator *ctx, unsigned int cpl);

/**
 * emul_canonical - is this a canonical linear address (SDM 1 3.3.7.1)
 * @ctx: context; CR4.LA57 decides between 48 and 57 bits.
 * @linear: address.
 *
 * Return: true if it is.
 */
bool emul_canonical(struct x86_emulator *ctx, u64 linear);

/**
 * emul_watch - do breakpoints match this access (SDM 3B 17.2.4, 17.2.5)?
 * @ctx: context; hits go to next_dr6, and become a trap if the instruction succeeds.
 * @address: linear address, or port.
 * @len: bytes, from 1.
 * @types: bits by DR7.RW: 1 << 1 writes, 1 << 2 ports, 1 << 3 reads and writes.
 */
void emul_watch(struct x86_emulator *ctx, u64 address, unsigned int len, unsigned int types);

/**
 * emul_linear - segmentation: offset in a segment to linear address
 * @ctx: context.
 * @seg: segment register.
 * @offset: effective address.
 * @len: bytes that will be accessed, from 1; 0: no limit check (LEA-like, INVLPG).
 * @access: WRITE and FETCH matter for the segment's type.
 * @linear: result.
 *
 * Checks limit, type and canonical form (SDM 3A 5.3, 5.5; #SS(0) for SS, #GP(0)
 * for the others) and alignment (#AC); notes breakpoints.
 *
 * Return: EMUL_OK or EMUL_FAULT.
 */
int emul_linear(struct x86_emulator *ctx, unsigned int seg, u64 offset,
		unsigned int len, u32 access, u64 *linear);

/**
 * emul_read - read memory through a segment
 * @ctx: context.
 * @seg: segment register.
 * @offset: effective address.
 * @data: result.
 * @len: bytes.
 * @access: WRITE: a write to the same place will follow; LOCKED. USER is added.
 *
 * Return: any result.
 */
int emul_read(struct x86_emulator *ctx, unsigned int seg, u64 offset,
	      void *data, unsigned int len, u32 access);

/**
 * emul_write - write memory through a segment
 * @ctx: context.
 * @seg: segment register.
 * @offset: effective address.
 * @data: bytes.
 * @len: number of bytes.
 *
 * Return: any result.
 */
int emul_write(struct x86_emulator *ctx, unsigned int seg, u64 offset,
	       const void *data, unsigned int len);

/**
 * emul_read_system - read a descriptor table or TSS, with supervisor rights
 * @ctx: context.
 * @linear: address, not checked for canonical form.
 * @data: result.
 * @len: bytes.
 *
 * Return: any result.
 */
int emul_read_system(struct x86_emulator *ctx, u64 linear, void *data, unsigned int len);

/**
 * emul_write_system - write a descriptor table or TSS, with supervisor rights
 * @ctx: context.
 * @linear: address.
 * @data: bytes.
 * @len: number of bytes.
 *
 * Return: any result.
 */
int emul_write_system(struct x86_emulator *ctx, u64 linear, const void *data,
		      unsigned int len);

/**
 * emul_stack_size - bytes of the stack pointer in use
 * @ctx: context.
 *
 * Return: 2, 4 or 8 by SS.B and mode (SDM 1 6.2.3).
 */
unsigned int emul_stack_size(struct x86_emulator *ctx);

/**
 * emul_push - push @count values of @size bytes, all or nothing
 * @ctx: context.
 * @values: the first is pushed first (ends at the highest address).
 * @count: at most 8.
 * @size: 2, 4, 8.
 *
 * Return: any result. RSP moves on success only.
 */
int emul_push(struct x86_emulator *ctx, const u64 *values, unsigned int count,
	      unsigned int size);

/**
 * emul_probe_push - would a push fault?
 * @ctx: context.
 * @size: bytes that will be pushed, in one piece.
 *
 * Return: EMUL_OK, EMUL_FAULT or EMUL_RETRY.
 */
int emul_probe_push(struct x86_emulator *ctx, unsigned int size);

/**
 * emul_peek - read a stack slot without popping it
 * @ctx: context.
 * @skip: bytes above RSP.
 * @value: result, zero extended.
 * @size: 2, 4, 8.
 *
 * Return: any result.
 */
int emul_peek(struct x86_emulator *ctx, unsigned int skip, u64 *value, unsigned int size);

/**
 * emul_add_rsp - move the stack pointer in its width
 * @ctx: context.
 * @delta: bytes, may be negative.
 */
void emul_add_rsp(struct x86_emulator *ctx, s64 delta);

/**
 * emul_load - read an operand
 * @ctx: context.
 * @n: 0 to 3.
 * @value: result, zero extended; immediates sign extended to its width.
 *
 * Return: any result.
 */
int emul_load(struct x86_emulator *ctx, unsigned int n, u64 *value);

/**
 * emul_load_rmw - read operand 0, which emul_store_rmw() will write
 * @ctx: context.
 * @value: result.
 *
 * Faults as the write would.
 *
 * Return: any result.
 */
int emul_load_rmw(struct x86_emulator *ctx, u64 *value);

/**
 * emul_store - write an operand
 * @ctx: context.
 * @n: 0 to 3.
 * @value: its low bytes count.
 *
 * Return: any result.
 */
int emul_store(struct x86_emulator *ctx, unsigned int n, u64 value);

/**
 * emul_store_rmw - write operand 0 after emul_load_rmw()
 * @ctx: context.
 * @old: what emul_load_rmw() gave.
 * @new: to be written.
 * @atomic: with regard to other CPUs (LOCK, XCHG); ignored for registers.
 *
 * Return: any result; EMUL_RETRY if somebody changed it in between.
 */
int emul_store_rmw(struct x86_emulator *ctx, u64 old, u64 new, bool atomic);

/**
 * emul_probe_store - would emul_store() fault?
 * @ctx: context.
 * @n: 0 to 3: memory; for registers there is nothing to do.
 *
 * For instructions that change more than their operand when they have stored it.
 *
 * Return: EMUL_OK, EMUL_FAULT or EMUL_RETRY.
 */
int emul_probe_store(struct x86_emulator *ctx, unsigned int n);

/**
 * emul_resolve - compute the effective addresses of memory operands
 * @ctx: decoded instruction.
 */
void emul_resolve(struct x86_emulator *ctx);

/**
 * emul_writeback - hand the dirty general registers to the owner
 * @ctx: context.
 *
 * At the end of an instruction, or of an iteration of a repeated one.
 */
void emul_writeback(struct x86_emulator *ctx);

/**
 * emul_forget - drop everything cached of the vCPU
 * @ctx: context.
 */
void emul_forget(struct x86_emulator *ctx);

/**
 * emul_x87_check_pending - before an x87 or MMX instruction that waits
 * @ctx: context.
 *
 * Return: EMUL_OK, or #MF for what an earlier instruction left (SDM 1 8.7).
 */
int emul_x87_check_pending(struct x86_emulator *ctx);

/* Flags into ctx->next_rflags; results may have bits above @size. */

/**
 * emul_flags_szp - SF, ZF and PF of a result
 * @ctx: context.
 * @result: value.
 * @size: 1, 2, 4, 8.
 */
void emul_flags_szp(struct x86_emulator *ctx, u64 result, unsigned int size);

/**
 * emul_flags_set - set or clear flags
 * @ctx: context.
 * @flags: mask.
 * @on: to set.
 */
static inline void emul_flags_set(struct x86_emulator *ctx, u64 flags, bool on)
{
	ctx->next_rflags = on ? ctx->next_rflags | flags : ctx->next_rflags & ~flags;
}

/**
 * emul_alu - one of the eight operations, with all its flags
 * @ctx: context; ADC and SBB use CF of next_rflags.
 * @op: 0 ADD, OR, ADC, SBB, AND, SUB, XOR, 7 CMP.
 * @a: first operand.
 * @b: second operand.
 * @size: 1, 2, 4, 8.
 *
 * Return: the result (for CMP: the difference).
 */
u64 emul_alu(struct x86_emulator *ctx, unsigned int op, u64 a, u64 b, unsigned int size);

/**
 * emul_condition - Jcc, SETcc, CMOVcc
 * @rflags: flags.
 * @cc: 0 to 15, low bits of the opcode.
 *
 * Return: true if it holds.
 */
bool emul_condition(u64 rflags, unsigned int cc);

/**
 * emul_jump - near branch target: check and set next_rip
 * @ctx: context.
 * @target: new RIP, truncated to the operand size by the caller.
 *
 * Return: EMUL_OK, or #GP(0) outside the limit or not canonical.
 */
int emul_jump(struct x86_emulator *ctx, u64 target);

#endif
