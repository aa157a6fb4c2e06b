// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers and operands: the context's cache of the vCPU's registers, effective
 * addresses, and reading and writing whatever an operand names. Segment, control
 * and vector registers as operands are for the rooms that own them.
 */
#include "internal.h"

u64 x86_emulator_get_gpr(struct x86_emulator *ctx, unsigned int reg)
{
	reg &= X86_EMULATOR_NR_GPRS - 1;
	if (!(ctx->gpr_valid & (1u << reg))) {
		ctx->gpr[reg] = ctx->ops->get_gpr(ctx, reg);
		ctx->gpr_valid |= 1u << reg;
	}
	return ctx->gpr[reg];
}

void x86_emulator_set_gpr(struct x86_emulator *ctx, unsigned int reg, u64 value)
{
	reg &= X86_EMULATOR_NR_GPRS - 1;
	ctx->gpr[reg] = value;
	ctx->gpr_valid |= 1u << reg;
	ctx->gpr_dirty |= 1u << reg;
}

void emul_write_reg(struct x86_emulator *ctx, unsigned int reg,
		    unsigned int size, u64 value)
{
	if (size < 4) {
		u64 mask = emul_mask(size);

		value = (x86_emulator_get_gpr(ctx, reg) & ~mask) | (value & mask);
	} else {
		value &= emul_mask(size);
	}
	x86_emulator_set_gpr(ctx, reg, value);
}

void emul_writeback(struct x86_emulator *ctx)
{
	while (ctx->gpr_dirty) {
		unsigned int reg = __builtin_ctz(ctx->gpr_dirty);

		ctx->ops->set_gpr(ctx, reg, ctx->gpr[reg]);
		ctx->gpr_dirty &= ctx->gpr_dirty - 1;
	}
}

void emul_forget(struct x86_emulator *ctx)
{
	ctx->gpr_valid = 0;
	ctx->gpr_dirty = 0;
	ctx->segment_valid = 0;
	ctx->no_writeback = false;
	ctx->next_rip = ctx->rip;
	ctx->next_rflags = ctx->rflags;
	ctx->next_dr6 = 0;
}

const struct x86_emulator_segment *emul_segment(struct x86_emulator *ctx, unsigned int seg)
{
	if (!(ctx->segment_valid & (1u << seg))) {
		ctx->ops->get_segment(ctx, seg, &ctx->segment[seg]);
		ctx->segment_valid |= 1u << seg;
	}
	return &ctx->segment[seg];
}

void emul_set_segment(struct x86_emulator *ctx, unsigned int seg,
		      const struct x86_emulator_segment *segment)
{
	ctx->segment[seg] = *segment;
	ctx->segment_valid |= 1u << seg;
	ctx->ops->set_segment(ctx, seg, segment);
}

void emul_set_cpl(struct x86_emulator *ctx, unsigned int cpl)
{
	ctx->cpl = cpl;
	ctx->ops->set_cpl(ctx, cpl);
}

u64 emul_efer(struct x86_emulator *ctx)
{
	u64 efer;

	return ctx->ops->get_msr(ctx, MSR_EFER_NR, &efer) == EMUL_OK ? efer : 0;
}

/* Effective address (SDM 1 3.7.5), truncated to the address size. */
static u64 effective_address(struct x86_emulator *ctx)
{
	const struct x86_emulator_decoded *insn = &ctx->insn;
	u64 ea = insn->displacement;

	if (insn->base < X86_EMULATOR_NR_GPRS)
		ea += x86_emulator_get_gpr(ctx, insn->base);
	if (insn->index < X86_EMULATOR_NR_GPRS)
		ea += x86_emulator_get_gpr(ctx, insn->index) << insn->scale;
	if (insn->rip_relative)
		ea += ctx->rip + insn->length;
	return ea & emul_mask(insn->addr_size);
}

void emul_resolve(struct x86_emulator *ctx)
{
	struct x86_emulator_decoded *insn = &ctx->insn;
	unsigned int i;

	for (i = 0; i < 4 && insn->op->operand[i]; i++) {
		struct x86_emulator_operand *operand = &insn->operand[i];
		unsigned int where = insn->op->operand[i] & 0xff;

		if (operand->kind != X86_EMULATOR_OPERAND_MEMORY)
			continue;
		if (where == WHERE_SI || where == WHERE_DI)
			operand->value = emul_read_reg(ctx, operand->reg, insn->addr_size);
		else
			operand->value = effective_address(ctx);
	}
}

static int load(struct x86_emulator *ctx, const struct x86_emulator_operand *operand,
		u64 *value, u32 access)
{
	switch (operand->kind) {
	case X86_EMULATOR_OPERAND_GPR:
		*value = emul_read_reg(ctx, operand->reg, operand->size);
		return EMUL_OK;
	case X86_EMULATOR_OPERAND_GPR_HIGH:
		*value = (x86_emulator_get_gpr(ctx, operand->reg) >> 8) & 0xff;
		return EMUL_OK;
	case X86_EMULATOR_OPERAND_IMMEDIATE:
		*value = operand->value;
		return EMUL_OK;
	case X86_EMULATOR_OPERAND_MEMORY:
		if (operand->size > 8)
			break;
		*value = 0;
		return emul_read(ctx, operand->seg, operand->value, value,
				 operand->size, access);
	}
	return EMUL_UNHANDLEABLE;
}

int emul_load(struct x86_emulator *ctx, unsigned int n, u64 *value)
{
	return load(ctx, &ctx->insn.operand[n], value, 0);
}

int emul_load_rmw(struct x86_emulator *ctx, u64 *value)
{
	u32 access = X86_EMULATOR_WRITE;

	if (ctx->insn.lock)
		access |= X86_EMULATOR_LOCKED;
	return load(ctx, &ctx->insn.operand[0], value, access);
}

int emul_store(struct x86_emulator *ctx, unsigned int n, u64 value)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[n];
	u64 old;

	switch (operand->kind) {
	case X86_EMULATOR_OPERAND_GPR:
		emul_write_reg(ctx, operand->reg, operand->size, value);
		return EMUL_OK;
	case X86_EMULATOR_OPERAND_GPR_HIGH:
		old = x86_emulator_get_gpr(ctx, operand->reg);
		x86_emulator_set_gpr(ctx, operand->reg,
				     (old & ~0xff00ull) | (value & 0xff) << 8);
		return EMUL_OK;
	case X86_EMULATOR_OPERAND_MEMORY:
		if (operand->size > 8)
			break;
		return emul_write(ctx, operand->seg, operand->value, &value, operand->size);
	}
	return EMUL_UNHANDLEABLE;
}

int emul_probe_store(struct x86_emulator *ctx, unsigned int n)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[n];
	u32 access = X86_EMULATOR_WRITE | (ctx->cpl == 3 ? X86_EMULATOR_USER : 0);
	u64 linear;
	int r;

	if (operand->kind != X86_EMULATOR_OPERAND_MEMORY)
		return EMUL_OK;
	r = emul_linear(ctx, operand->seg, operand->value, operand->size, access, &linear);
	return r == EMUL_OK ? ctx->ops->probe(ctx, linear, operand->size, access) : r;
}

int emul_store_rmw(struct x86_emulator *ctx, u64 old, u64 new, bool atomic)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[0];
	u32 access = X86_EMULATOR_WRITE | X86_EMULATOR_LOCKED;
	u64 linear, seen = old;
	int r;

	if (!atomic || operand->kind != X86_EMULATOR_OPERAND_MEMORY)
		return emul_store(ctx, 0, new);

	r = emul_linear(ctx, operand->seg, operand->value, operand->size, access, &linear);
	if (r != EMUL_OK)
		return r;
	if (ctx->cpl == 3)
		access |= X86_EMULATOR_USER;
	r = (ctx->ops->cmpxchg)(ctx, linear, &seen, &new, operand->size, access);
	if (r == EMUL_OK && seen != old)
		return EMUL_RETRY;
	return r;
}
