// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that load, store or ask about segment registers and selectors.
 */
#include "descriptor.h"
#include "exec.h"

int exec_mov_from_seg(struct x86_emulator *ctx)
{
	return emul_store(ctx, 0, emul_segment(ctx, ctx->insn.operand[1].reg)->selector);
}

static int load(struct x86_emulator *ctx, unsigned int seg, u16 selector, bool shadow)
{
	int r = emul_load_segment(ctx, seg, selector);

	if (r == EMUL_OK && seg == SS && shadow)
		ctx->interrupt_shadow = X86_EMULATOR_SHADOW_MOV_SS;
	return r;
}

int exec_mov_to_seg(struct x86_emulator *ctx)
{
	u64 selector;
	int r = emul_load(ctx, 1, &selector);

	return r == EMUL_OK ? load(ctx, ctx->insn.operand[0].reg, selector, true) : r;
}

int exec_pop_seg(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.op_size, stack = emul_stack_size(ctx);
	u64 selector, sp = x86_emulator_get_gpr(ctx, RSP);
	int r = emul_peek(ctx, 0, &selector, size);

	if (r == EMUL_OK)
		r = load(ctx, ctx->insn.operand[0].reg, selector, true);
	/* By the stack size of before, which SS may just have changed. */
	if (r == EMUL_OK)
		emul_write_reg(ctx, RSP, stack, sp + size);
	return r;
}

/* LDS, LES, LSS, LFS, LGS: arg is the segment register. */
int exec_load_far_pointer(struct x86_emulator *ctx)
{
	const struct x86_emulator_operand *memory = &ctx->insn.operand[1];
	unsigned int size = ctx->insn.op_size;
	u8 pointer[10];
	u64 offset = 0;
	u16 selector;
	int r;

	r = emul_read(ctx, memory->seg, memory->value, pointer, size + 2, 0);
	if (r != EMUL_OK)
		return r;
	memcpy(&offset, pointer, size);
	memcpy(&selector, pointer + size, 2);
	r = load(ctx, ctx->insn.op->arg, selector, false);
	return r == EMUL_OK ? emul_store(ctx, 0, offset) : r;
}

int exec_lldt(struct x86_emulator *ctx)
{
	struct x86_emulator_segment segment;
	struct emul_descriptor d;
	u64 selector;
	int r = emul_load(ctx, 0, &selector);

	if (r != EMUL_OK)
		return r;
	if (selector_is_null(selector)) {
		emul_null_segment(selector, &segment);
		emul_set_segment(ctx, LDTR, &segment);
		return EMUL_OK;
	}
	if (selector & 4)
		return emul_selector_fault(ctx, VEC_GP, selector);
	r = emul_read_descriptor(ctx, selector, VEC_GP, &d);
	if (r != EMUL_OK)
		return r;
	if (desc_s(&d) || desc_type(&d) != TYPE_LDT)
		return emul_selector_fault(ctx, VEC_GP, selector);
	if (!desc_present(&d))
		return emul_selector_fault(ctx, VEC_NP, selector);
	emul_unpack(selector, &d, &segment);
	if (emul_long_mode(ctx) && !emul_canonical(ctx, segment.base))
		return emul_selector_fault(ctx, VEC_GP, selector);
	emul_set_segment(ctx, LDTR, &segment);
	return EMUL_OK;
}

int exec_ltr(struct x86_emulator *ctx)
{
	struct x86_emulator_segment segment;
	struct emul_descriptor d;
	u64 selector;
	int r = emul_load(ctx, 0, &selector);

	if (r != EMUL_OK)
		return r;
	if (selector_is_null(selector))
		return emul_gp(ctx, 0);
	if (selector & 4)
		return emul_selector_fault(ctx, VEC_GP, selector);
	r = emul_read_descriptor(ctx, selector, VEC_GP, &d);
	if (r != EMUL_OK)
		return r;
	if (desc_s(&d) || (desc_type(&d) != TYPE_TSS &&
			   (desc_type(&d) != TYPE_TSS16 || emul_long_mode(ctx))))
		return emul_selector_fault(ctx, VEC_GP, selector);
	if (!desc_present(&d))
		return emul_selector_fault(ctx, VEC_NP, selector);
	emul_unpack(selector, &d, &segment);
	if (emul_long_mode(ctx) && !emul_canonical(ctx, segment.base))
		return emul_selector_fault(ctx, VEC_GP, selector);
	r = emul_change_descriptor(ctx, selector, &d, d.low | (u64)TYPE_BUSY << 40);
	if (r != EMUL_OK)
		return r;
	segment.type |= TYPE_BUSY;
	emul_set_segment(ctx, TR, &segment);
	return EMUL_OK;
}

/*
 * LAR, LSL, VERR and VERW ask whether a selector could be used: faults of the
 * selector only clear ZF. Returns EMUL_OK with *visible.
 */
static int look_up(struct x86_emulator *ctx, u16 selector, struct emul_descriptor *d,
		   bool *visible)
{
	unsigned int dpl;
	int r;

	*visible = false;
	if (selector_is_null(selector))
		return EMUL_OK;
	r = emul_read_descriptor(ctx, selector, VEC_GP, d);
	if (r == EMUL_FAULT && ctx->exception.vector == VEC_GP)
		return EMUL_OK;
	dpl = desc_dpl(d);
	*visible = desc_is_conforming(d) || (ctx->cpl <= dpl && (selector & 3u) <= dpl);
	return r;
}

int exec_lar(struct x86_emulator *ctx)
{
	/* Types that LAR accepts, as bits: SDM 2A table 3-53, 3-54. */
	u32 types = emul_long_mode(ctx) ? 0x1a04 : 0x1a3e;
	struct emul_descriptor d;
	u64 selector;
	bool ok;
	int r;

	r = emul_load(ctx, 1, &selector);
	if (r == EMUL_OK)
		r = look_up(ctx, selector, &d, &ok);
	if (r != EMUL_OK)
		return r;
	if (ok && !desc_s(&d))
		ok = types & (1u << desc_type(&d));
	emul_flags_set(ctx, FLAG_ZF, ok);
	return ok ? emul_store(ctx, 0, (d.low >> 32) & 0xffff00) : EMUL_OK;
}

int exec_lsl(struct x86_emulator *ctx)
{
	u32 types = emul_long_mode(ctx) ? 0x0a04 : 0x0a0e;
	struct x86_emulator_segment segment;
	struct emul_descriptor d;
	u64 selector;
	bool ok;
	int r;

	r = emul_load(ctx, 1, &selector);
	if (r == EMUL_OK)
		r = look_up(ctx, selector, &d, &ok);
	if (r != EMUL_OK)
		return r;
	if (ok && !desc_s(&d))
		ok = types & (1u << desc_type(&d));
	emul_flags_set(ctx, FLAG_ZF, ok);
	if (!ok)
		return EMUL_OK;
	emul_unpack(selector, &d, &segment);
	return emul_store(ctx, 0, segment.limit);
}

/* VERR (arg 0), VERW. */
int exec_verr_verw(struct x86_emulator *ctx)
{
	struct emul_descriptor d;
	u64 selector;
	bool ok;
	int r;

	r = emul_load(ctx, 0, &selector);
	if (r == EMUL_OK)
		r = look_up(ctx, selector, &d, &ok);
	if (r != EMUL_OK)
		return r;
	if (ok && ctx->insn.op->arg)
		ok = desc_is_writable(&d);
	else if (ok)
		ok = desc_s(&d) && (desc_type(&d) & 10) != 8;
	emul_flags_set(ctx, FLAG_ZF, ok);
	return EMUL_OK;
}

int exec_arpl(struct x86_emulator *ctx)
{
	u64 selector, rpl;
	bool raise;
	int r;

	r = emul_load(ctx, 1, &rpl);
	if (r == EMUL_OK)
		r = emul_load_rmw(ctx, &selector);
	if (r != EMUL_OK)
		return r;
	raise = (selector & 3) < (rpl & 3);
	emul_flags_set(ctx, FLAG_ZF, raise);
	if (!raise)
		return EMUL_OK;
	return emul_store_rmw(ctx, selector, (selector & ~3ull) | (rpl & 3), false);
}
