// SPDX-License-Identifier: GPL-2.0-only
/*
 * Near jumps, calls and returns, loops, and BOUND. The target is checked here
 * (SDM 2A CALL, JMP): a RIP that isn't canonical must not get to VM entry.
 */
#include "internal.h"
#include "exec.h"

int emul_jump(struct x86_emulator *ctx, u64 target)
{
	if (emul_is_64(ctx)) {
		if (!emul_canonical(ctx, target))
			return emul_gp(ctx, 0);
	} else {
		target = (u32)target;
		if (target > emul_segment(ctx, CS)->limit)
			return emul_gp(ctx, 0);
	}
	ctx->next_rip = target;
	return EMUL_OK;
}

static u64 relative_target(struct x86_emulator *ctx)
{
	return (ctx->next_rip + ctx->insn.operand[0].value) & emul_mask(ctx->insn.op_size);
}

int exec_jmp(struct x86_emulator *ctx)
{
	return emul_jump(ctx, relative_target(ctx));
}

int exec_jmp_rm(struct x86_emulator *ctx)
{
	u64 target;
	int r = emul_load(ctx, 0, &target);

	return r == EMUL_OK ? emul_jump(ctx, target) : r;
}

int exec_jcc(struct x86_emulator *ctx)
{
	if (!emul_condition(ctx->rflags, ctx->insn.opcode))
		return EMUL_OK;
	return exec_jmp(ctx);
}

/* The stack's faults come before the target's. */
static int call(struct x86_emulator *ctx, u64 target)
{
	unsigned int size = ctx->insn.op_size;
	u64 back = ctx->next_rip;
	int r;

	r = emul_probe_push(ctx, size);
	if (r == EMUL_OK)
		r = emul_jump(ctx, target);
	return r == EMUL_OK ? emul_push(ctx, &back, 1, size) : r;
}

int exec_call(struct x86_emulator *ctx)
{
	return call(ctx, relative_target(ctx));
}

int exec_call_rm(struct x86_emulator *ctx)
{
	u64 target;
	int r = emul_load(ctx, 0, &target);

	return r == EMUL_OK ? call(ctx, target) : r;
}

int exec_ret(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.op_size;
	u64 target;
	int r = emul_peek(ctx, 0, &target, size);

	if (r == EMUL_OK)
		r = emul_jump(ctx, target);
	if (r == EMUL_OK)
		emul_add_rsp(ctx, size + ctx->insn.operand[0].value);
	return r;
}

/* LOOPNE, LOOPE, LOOP, JCXZ: arg 0 to 3. The counter has the address size. */
int exec_loop(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.addr_size, kind = ctx->insn.op->arg;
	u64 count = emul_read_reg(ctx, RCX, size);
	bool taken;

	if (kind == 3) {
		taken = !count;
	} else {
		count--;
		emul_write_reg(ctx, RCX, size, count);
		taken = count & emul_mask(size);
		/* On AMD's CPUs F2 and F3 replace the condition (seen on Zen). */
		if (kind < 2 && ctx->insn.rep && !emul_has(ctx, X86_EMULATOR_FEAT_INTEL))
			kind = ctx->insn.rep == 0xf3;
		if (kind < 2)
			taken = taken && !(ctx->rflags & FLAG_ZF) == !kind;
	}
	return taken ? exec_jmp(ctx) : EMUL_OK;
}

int exec_bound(struct x86_emulator *ctx)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[1];
	unsigned int size = operand->size;
	u64 index, both = 0;
	s64 value, low, high;
	int r;

	r = emul_load(ctx, 0, &index);
	if (r == EMUL_OK)
		r = emul_read(ctx, operand->seg, operand->value, &both, 2 * size, 0);
	if (r != EMUL_OK)
		return r;
	value = emul_sign_extend(index, size);
	low = emul_sign_extend(both, size);
	high = emul_sign_extend(both >> (8 * size), size);
	if (value < low || value > high)
		return emul_exception(ctx, VEC_BR);
	return EMUL_OK;
}
