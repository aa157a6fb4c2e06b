// SPDX-License-Identifier: GPL-2.0-only
/*
 * MOVS, CMPS, STOS, LODS, SCAS, and the loop that REP makes of them (SDM 2B
 * REP). Each iteration is committed on its own: a fault, an interrupt or
 * data on its way to user space leaves RIP at the instruction, and RCX, RSI, RDI
 * where the next iteration starts.
 */
#include "internal.h"
#include "exec.h"
#include "repeat.h"

/* Enough to make the cost of starting over small, not enough to starve others. */
#define MAX_ITERATIONS	1024

void emul_string_advance(struct x86_emulator *ctx, unsigned int reg, unsigned int bytes)
{
	u64 value = x86_emulator_get_gpr(ctx, reg);

	value = ctx->rflags & FLAG_DF ? value - bytes : value + bytes;
	emul_write_reg(ctx, reg, ctx->insn.addr_size, value);
}

u64 emul_string_count(struct x86_emulator *ctx)
{
	return emul_read_reg(ctx, RCX, ctx->insn.addr_size);
}

void emul_string_commit(struct x86_emulator *ctx)
{
	emul_writeback(ctx);
	if (ctx->ops->retired)
		ctx->ops->retired(ctx);
}

bool emul_string_pause(struct x86_emulator *ctx)
{
	return ctx->io_pending || (ctx->rflags & FLAG_TF) || ctx->next_dr6 ||
	       (ctx->ops->should_yield && ctx->ops->should_yield(ctx));
}

void emul_string_stay(struct x86_emulator *ctx)
{
	ctx->repeating = true;
	ctx->next_rip = ctx->rip;
	ctx->next_rflags |= ctx->rflags & FLAG_RF;
}

/* @compare: REPE and REPNE look at ZF after each iteration. */
static int repeat(struct x86_emulator *ctx, int (*step)(struct x86_emulator *ctx),
		  bool compare)
{
	unsigned int iterations;
	u64 count;

	if (!ctx->insn.rep)
		return step(ctx);

	for (iterations = 1; ; iterations++) {
		int r;

		count = emul_string_count(ctx);
		if (!count)
			return EMUL_OK;
		if (iterations > 1)
			emul_resolve(ctx);
		r = step(ctx);
		if (r != EMUL_OK)
			return r;
		emul_write_reg(ctx, RCX, ctx->insn.addr_size, --count);
		if (!count)
			return EMUL_OK;
		if (compare && !(ctx->next_rflags & FLAG_ZF) == (ctx->insn.rep == 0xf3))
			return EMUL_OK;
		/*
		 * If a later iteration faults, AMD's CPUs leave the flags of the
		 * last one that didn't; Intel's those from before (SDM 2B REP).
		 */
		if (compare && !emul_has(ctx, X86_EMULATOR_FEAT_INTEL))
			ctx->rflags = (ctx->rflags & ~FLAGS_ARITH) |
				      (ctx->next_rflags & FLAGS_ARITH);
		emul_string_commit(ctx);
		if (iterations == MAX_ITERATIONS || emul_string_pause(ctx)) {
			emul_string_stay(ctx);
			return EMUL_OK;
		}
	}
}

static int step_movs(struct x86_emulator *ctx)
{
	const struct x86_emulator_operand *to = &ctx->insn.operand[0], *from = to + 1;
	unsigned int size = to->size;
	u64 value;
	int r;

	r = emul_read(ctx, from->seg, from->value, &value, size, 0);
	if (r == EMUL_OK)
		r = emul_write(ctx, to->seg, to->value, &value, size);
	if (r != EMUL_OK)
		return r;
	emul_string_advance(ctx, RSI, size);
	emul_string_advance(ctx, RDI, size);
	return EMUL_OK;
}

static int step_cmps(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size;
	u64 a, b;
	int r;

	r = emul_load(ctx, 0, &a);
	if (r == EMUL_OK)
		r = emul_load(ctx, 1, &b);
	if (r != EMUL_OK)
		return r;
	emul_alu(ctx, 7, a, b, size);
	emul_string_advance(ctx, RSI, size);
	emul_string_advance(ctx, RDI, size);
	return EMUL_OK;
}

static int step_stos(struct x86_emulator *ctx)
{
	int r = exec_mov(ctx);

	if (r == EMUL_OK)
		emul_string_advance(ctx, RDI, ctx->insn.operand[0].size);
	return r;
}

static int step_lods(struct x86_emulator *ctx)
{
	int r = exec_mov(ctx);

	if (r == EMUL_OK)
		emul_string_advance(ctx, RSI, ctx->insn.operand[0].size);
	return r;
}

static int step_scas(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size;
	u64 a, b;
	int r;

	r = emul_load(ctx, 0, &a);
	if (r == EMUL_OK)
		r = emul_load(ctx, 1, &b);
	if (r != EMUL_OK)
		return r;
	emul_alu(ctx, 7, a, b, size);
	emul_string_advance(ctx, RDI, size);
	return EMUL_OK;
}

int exec_movs(struct x86_emulator *ctx)
{
	return repeat(ctx, step_movs, false);
}

int exec_cmps(struct x86_emulator *ctx)
{
	return repeat(ctx, step_cmps, true);
}

int exec_stos(struct x86_emulator *ctx)
{
	return repeat(ctx, step_stos, false);
}

int exec_lods(struct x86_emulator *ctx)
{
	return repeat(ctx, step_lods, false);
}

int exec_scas(struct x86_emulator *ctx)
{
	return repeat(ctx, step_scas, true);
}
