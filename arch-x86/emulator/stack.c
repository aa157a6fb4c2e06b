// SPDX-License-Identifier: GPL-2.0-only
/*
 * PUSH and POP of everything but segment registers being loaded, ENTER and
 * LEAVE, and the flags that PUSHF, POPF, CLI and STI may show and change: IOPL,
 * VME and PVI (SDM 3B 21.3, 21.4; SDM 2B POPF table 4-16).
 */
#include "internal.h"
#include "exec.h"

int exec_push(struct x86_emulator *ctx)
{
	u64 value;
	int r = emul_load(ctx, 0, &value);

	return r == EMUL_OK ? emul_push(ctx, &value, 1, ctx->insn.op_size) : r;
}

int exec_push_seg(struct x86_emulator *ctx)
{
	u64 value = emul_segment(ctx, ctx->insn.operand[0].reg)->selector;

	return emul_push(ctx, &value, 1, ctx->insn.op_size);
}

int exec_pop(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.op_size;
	u64 value;
	int r = emul_peek(ctx, 0, &value, size);

	if (r != EMUL_OK)
		return r;
	emul_add_rsp(ctx, size);
	return emul_store(ctx, 0, value);
}

/* An address that uses RSP is computed with RSP already moved (SDM 2B POP). */
int exec_pop_rm(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.op_size;
	u64 value;
	int r = emul_peek(ctx, 0, &value, size);

	if (r != EMUL_OK)
		return r;
	emul_add_rsp(ctx, size);
	emul_resolve(ctx);
	return emul_store(ctx, 0, value);
}

int exec_pusha(struct x86_emulator *ctx)
{
	u64 values[8];
	unsigned int reg;

	for (reg = 0; reg < 8; reg++)
		values[reg] = x86_emulator_get_gpr(ctx, reg);
	return emul_push(ctx, values, 8, ctx->insn.op_size);
}

int exec_popa(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.op_size, i;
	u64 values[8];

	for (i = 0; i < 8; i++) {
		int r = emul_peek(ctx, i * size, &values[i], size);

		if (r != EMUL_OK)
			return r;
	}
	for (i = 0; i < 8; i++) {
		if (7 - i != RSP)
			emul_write_reg(ctx, 7 - i, size, values[i]);
	}
	emul_add_rsp(ctx, 8 * size);
	return EMUL_OK;
}

/* Virtual-8086 mode with IOPL below 3: VME virtualizes 16 bit PUSHF, POPF. */
static bool vme_flags(struct x86_emulator *ctx)
{
	return ctx->insn.op_size == 2 && (ctx->ops->get_cr(ctx, 4) & CR4_VME_BIT);
}

int exec_pushf(struct x86_emulator *ctx)
{
	u64 flags = ctx->rflags & ~(FLAG_RF | FLAG_VM);

	if (ctx->mode == X86_EMULATOR_VM86 && emul_iopl(ctx) < 3) {
		if (!vme_flags(ctx))
			return emul_gp(ctx, 0);
		flags |= FLAG_IOPL;
		flags &= ~FLAG_IF;
		if (flags & FLAG_VIF)
			flags |= FLAG_IF;
	}
	return emul_push(ctx, &flags, 1, ctx->insn.op_size);
}

int exec_popf(struct x86_emulator *ctx)
{
	u64 mask = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT;
	unsigned int size = ctx->insn.op_size;
	bool vm86 = ctx->mode == X86_EMULATOR_VM86;
	u64 flags;
	int r;

	if (vm86 && emul_iopl(ctx) < 3 && !vme_flags(ctx))
		return emul_gp(ctx, 0);
	r = emul_peek(ctx, 0, &flags, size);
	if (r != EMUL_OK)
		return r;

	if (size > 2)
		mask |= FLAG_AC | FLAG_ID;
	if (vm86 && emul_iopl(ctx) < 3) {
		if ((flags & FLAG_TF) || ((flags & FLAG_IF) && (ctx->rflags & FLAG_VIP)))
			return emul_gp(ctx, 0);
		emul_flags_set(ctx, FLAG_VIF, flags & FLAG_IF);
	} else {
		if (ctx->cpl <= emul_iopl(ctx))
			mask |= FLAG_IF;
		if (ctx->cpl == 0)
			mask |= FLAG_IOPL;
	}
	emul_add_rsp(ctx, size);
	ctx->next_rflags = (ctx->next_rflags & ~mask) | (flags & mask);
	return EMUL_OK;
}

/* May this program change IF itself, or VIF in its place, or neither? */
static int interrupt_flag(struct x86_emulator *ctx, u64 *flag)
{
	u64 cr4;

	*flag = FLAG_IF;
	if (ctx->mode == X86_EMULATOR_REAL || ctx->cpl <= emul_iopl(ctx))
		return EMUL_OK;
	*flag = FLAG_VIF;
	cr4 = ctx->ops->get_cr(ctx, 4);
	if (ctx->mode == X86_EMULATOR_VM86 ? (cr4 & CR4_VME_BIT) :
	    (cr4 & CR4_PVI_BIT) && ctx->cpl == 3)
		return EMUL_OK;
	return emul_gp(ctx, 0);
}

int exec_cli(struct x86_emulator *ctx)
{
	u64 flag;
	int r = interrupt_flag(ctx, &flag);

	if (r == EMUL_OK)
		emul_flags_set(ctx, flag, false);
	return r;
}

int exec_sti(struct x86_emulator *ctx)
{
	u64 flag;
	int r = interrupt_flag(ctx, &flag);

	if (r != EMUL_OK)
		return r;
	if (flag == FLAG_VIF && (ctx->rflags & FLAG_VIP))
		return emul_gp(ctx, 0);
	emul_flags_set(ctx, flag, true);
	if (flag == FLAG_IF && !(ctx->rflags & FLAG_IF))
		ctx->interrupt_shadow = X86_EMULATOR_SHADOW_STI;
	return EMUL_OK;
}

/* One slot of ENTER's frame, @n below the stack pointer. */
static int enter_push(struct x86_emulator *ctx, unsigned int n, u64 value)
{
	unsigned int size = ctx->insn.op_size;
	u64 sp = x86_emulator_get_gpr(ctx, RSP) - n * size;

	return emul_write(ctx, SS, sp & emul_mask(emul_stack_size(ctx)), &value, size);
}

/*
 * The old frame pointer, level - 1 pointers of outer frames, the new one. As on
 * CPUs, what has been pushed below RSP stays there if a later step faults.
 */
int exec_enter(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.op_size, stack = emul_stack_size(ctx);
	unsigned int level = ctx->insn.operand[1].value & 31, i;
	u64 bp = x86_emulator_get_gpr(ctx, RBP);
	u64 frame = x86_emulator_get_gpr(ctx, RSP) - size, sp, linear;
	int r;

	r = enter_push(ctx, 1, bp);
	for (i = 1; i < level && r == EMUL_OK; i++) {
		u64 outer = 0;

		r = emul_read(ctx, SS, (bp - i * size) & emul_mask(stack), &outer, size, 0);
		if (r == EMUL_OK)
			r = enter_push(ctx, i + 1, outer);
	}
	if (r == EMUL_OK && level)
		r = enter_push(ctx, level + 1, frame);
	if (r != EMUL_OK)
		return r;

	/* The stack must be writable at its new top (SDM 2A ENTER). */
	sp = (frame - level * size - ctx->insn.operand[0].value) & emul_mask(stack);
	r = emul_linear(ctx, SS, sp, size, X86_EMULATOR_WRITE, &linear);
	if (r == EMUL_OK)
		r = ctx->ops->probe(ctx, linear, size, X86_EMULATOR_WRITE |
				    (ctx->cpl == 3 ? X86_EMULATOR_USER : 0));
	if (r != EMUL_OK)
		return r;
	emul_write_reg(ctx, RSP, stack, sp);
	emul_write_reg(ctx, RBP, size, frame);
	return EMUL_OK;
}

int exec_leave(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.op_size, stack = emul_stack_size(ctx);
	u64 bp = emul_read_reg(ctx, RBP, stack), value = 0;
	int r;

	r = emul_read(ctx, SS, bp, &value, size, 0);
	if (r != EMUL_OK)
		return r;
	emul_write_reg(ctx, RSP, stack, bp + size);
	emul_write_reg(ctx, RBP, size, value);
	return EMUL_OK;
}
