// SPDX-License-Identifier: GPL-2.0-only
/*
 * x87 instructions but those that move its environment or all of its state: what they
 * must look at first, and their memory operands. The registers and all arithmetic are
 * behind the owner's operations.
 */
#include "internal.h"
#include "exec.h"

int emul_x87_check_pending(struct x86_emulator *ctx)
{
	int r = ctx->ops->x87_pending(ctx);

	return r == EMUL_FAULT ? emul_exception(ctx, VEC_MF) : r;
}

/* SDM 3A 14.1, table 2-2: no #UD as of the vector instructions. */
static int check_x87(struct x86_emulator *ctx, bool waits)
{
	if (ctx->ops->get_cr(ctx, 0) & (CR0_EM_BIT | CR0_TS_BIT))
		return emul_exception(ctx, VEC_NM);
	return waits ? emul_x87_check_pending(ctx) : EMUL_OK;
}

static unsigned int x87_insn(const struct x86_emulator *ctx)
{
	return (ctx->insn.opcode & 7) << 3 | ((ctx->insn.modrm >> 3) & 7);
}

int exec_fwait(struct x86_emulator *ctx)
{
	u64 cr0 = ctx->ops->get_cr(ctx, 0);

	if ((cr0 & CR0_MP_BIT) && (cr0 & CR0_TS_BIT))
		return emul_exception(ctx, VEC_NM);
	return emul_x87_check_pending(ctx);
}

/*
 * Operands of ten bytes are eight and two to CPUs: the first eight may fault where the last
 * two would, too, but otherwise.
 */
static int read_operand(struct x86_emulator *ctx, u8 *data)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[0];
	unsigned int first = operand->size > 8 ? 8 : operand->size;
	int r = emul_read(ctx, operand->seg, operand->value, data, first, 0);

	if (r != EMUL_OK || first == operand->size)
		return r;
	return emul_read(ctx, operand->seg,
			 (operand->value + first) & emul_mask(ctx->insn.addr_size),
			 data + first, operand->size - first, 0);
}

static int probe_operand(struct x86_emulator *ctx)
{
	struct x86_emulator_operand *operand = &ctx->insn.operand[0];
	unsigned int size = operand->size;
	int r;

	operand->size = size > 8 ? 8 : size;
	r = emul_probe_store(ctx, 0);
	operand->size = size;
	return r == EMUL_OK && size > 8 ? emul_probe_store(ctx, 0) : r;
}

/* FLD, FILD, FBLD, FLDCW; arithmetic with an operand in memory. */
int exec_x87_load(struct x86_emulator *ctx)
{
	u8 *data = ctx->wide[0];
	int r;

	r = check_x87(ctx, true);
	if (r == EMUL_OK)
		r = read_operand(ctx, data);
	if (r == EMUL_OK)
		ctx->ops->x87_load(ctx, x87_insn(ctx), data);
	return r;
}

/*
 * FST, FSTP, FIST, FISTP, FISTTP, FBSTP; arg 1: FNSTCW, FNSTSW, which don't wait.
 * The stack moves when memory has taken the value.
 */
int exec_x87_store(struct x86_emulator *ctx)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[0];
	u8 *data = ctx->wide[0];
	int r;

	r = check_x87(ctx, !ctx->insn.op->arg);
	/* Memory faults even if an unmasked exception means that nothing is stored. */
	if (r == EMUL_OK)
		r = probe_operand(ctx);
	if (r != EMUL_OK)
		return r;
	if (ctx->ops->x87_store(ctx, x87_insn(ctx), data, false))
		r = emul_write(ctx, operand->seg, operand->value, data, operand->size);
	if (r == EMUL_OK)
		ctx->ops->x87_store(ctx, x87_insn(ctx), data, true);
	return r;
}

int exec_fnstsw_ax(struct x86_emulator *ctx)
{
	u16 status = 0;
	int r = check_x87(ctx, false);

	if (r != EMUL_OK)
		return r;
	/* As FNSTSW to memory. */
	ctx->ops->x87_store(ctx, 5 << 3 | 7, &status, true);
	emul_write_reg(ctx, RAX, 2, status);
	return EMUL_OK;
}

static int run_register(struct x86_emulator *ctx, u8 *flags)
{
	unsigned int insn = (ctx->insn.opcode & 7) << 6 | (ctx->insn.modrm & 63);
	int r = check_x87(ctx, !ctx->insn.op->arg);

	if (r == EMUL_OK)
		ctx->ops->x87_register(ctx, insn, flags);
	return r;
}

/* What has no operand in memory, and doesn't write flags; arg 1: FNCLEX, FNINIT don't wait. */
int exec_x87_register(struct x86_emulator *ctx)
{
	u8 flags = ctx->rflags;

	return run_register(ctx, &flags);
}

/*
 * FCOMI, FCOMIP, FUCOMI, FUCOMIP clear OF, SF and AF. Whether an unmasked exception keeps
 * them from all that is the CPU's to say: none of their results is PF alone.
 */
int exec_x87_compare(struct x86_emulator *ctx)
{
	u8 flags = FLAG_PF;
	int r = run_register(ctx, &flags);

	flags &= FLAG_CF | FLAG_PF | FLAG_ZF;
	if (r == EMUL_OK && flags != FLAG_PF)
		ctx->next_rflags = (ctx->next_rflags & ~FLAGS_ARITH) | flags;
	return r;
}
