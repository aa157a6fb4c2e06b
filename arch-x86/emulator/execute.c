// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a decoded instruction to its effect: what comes before all functions of
 * the tables (privilege, intercepts, addresses) and what comes after (commit,
 * RFLAGS.RF, the single-step trap).
 */
#include "internal.h"

static u64 rip_behind(const struct x86_emulator *ctx)
{
	u64 rip = ctx->rip + ctx->insn.length;

	return emul_is_64(ctx) ? rip : (u32)rip;
}

static int execute(struct x86_emulator *ctx)
{
	const struct x86_emulator_opcode *op = ctx->insn.op;
	int r;

	if ((op->flags & ROW_PRIV) && ctx->cpl != 0)
		return emul_gp(ctx, 0);
	if (op->id && ctx->ops->intercept) {
		r = ctx->ops->intercept(ctx, op->id);
		if (r != EMUL_OK)
			return r;
	}
	emul_resolve(ctx);
	return op->exec(ctx);
}

int x86_emulator_execute(struct x86_emulator *ctx)
{
	int r;

	if (!ctx->insn.op || ctx->insn.op->kind != OPCODE_INSN || !ctx->insn.op->exec)
		return EMUL_UNHANDLEABLE;

	emul_forget(ctx);
	ctx->next_rip = rip_behind(ctx);
	ctx->next_rflags = ctx->rflags & ~FLAG_RF;
	ctx->next_step = ctx->rflags & FLAG_TF;
	ctx->interrupt_shadow = 0;
	ctx->trap_dr6 = 0;
	ctx->repeating = false;

	r = execute(ctx);
	if (r != EMUL_OK) {
		emul_forget(ctx);
		return r;
	}
	if (ctx->no_writeback)
		return EMUL_OK;

	emul_writeback(ctx);
	ctx->rip = ctx->next_rip;
	ctx->rflags = ctx->next_rflags;
	/*
	 * Traps wait behind MOV SS and POP SS (SDM 3A 6.8.3): the step's is that of the
	 * next instruction, and a breakpoint on what SS was read from is lost, as
	 * there is nowhere to keep it. To raise it here would surprise a handler.
	 */
	if (!(ctx->interrupt_shadow & X86_EMULATOR_SHADOW_MOV_SS))
		ctx->trap_dr6 |= ctx->next_dr6 | (ctx->next_step ? DR6_BS_BIT : 0);
	if (ctx->ops->retired)
		ctx->ops->retired(ctx);
	return EMUL_OK;
}

void x86_emulator_skip(struct x86_emulator *ctx)
{
	ctx->rip = rip_behind(ctx);
	ctx->interrupt_shadow = 0;
	ctx->trap_dr6 = ctx->rflags & FLAG_TF ? DR6_BS_BIT : 0;
	ctx->rflags &= ~FLAG_RF;
}
