// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fetching, checking and unpacking descriptors, and entering code segments. Each
 * check here is a line of the manuals' pseudocode of MOV, CALL, RET and INT; who
 * may call what from where is in far.c and interrupt.c.
 */
#include "descriptor.h"

bool emul_long_mode(struct x86_emulator *ctx)
{
	if (emul_is_64(ctx))
		return true;
	return emul_is_protected(ctx) && (emul_efer(ctx) & EFER_LMA_BIT);
}

/* Where a selector's descriptor is. */
static int locate(struct x86_emulator *ctx, u16 selector, unsigned int len, u8 vector,
		  u64 *linear)
{
	u32 offset = selector & ~7, limit;
	u64 base;

	if (selector & 4) {
		const struct x86_emulator_segment *ldt = emul_segment(ctx, LDTR);

		if (ldt->unusable || !ldt->present)
			return emul_selector_fault(ctx, vector, selector);
		base = ldt->base;
		limit = ldt->limit;
	} else {
		struct x86_emulator_table gdt;

		ctx->ops->get_gdt(ctx, &gdt);
		base = gdt.base;
		limit = gdt.limit;
	}
	if (offset + len - 1 > limit)
		return emul_selector_fault(ctx, vector, selector);
	*linear = base + offset;
	if (!emul_long_mode(ctx))
		*linear = (u32)*linear;
	return EMUL_OK;
}

int emul_read_descriptor(struct x86_emulator *ctx, u16 selector, u8 vector,
			 struct emul_descriptor *d)
{
	u64 linear;
	int r;

	d->high = 0;
	r = locate(ctx, selector, 8, vector, &linear);
	if (r == EMUL_OK)
		r = emul_read_system(ctx, linear, &d->low, 8);
	if (r != EMUL_OK || desc_s(d) || !emul_long_mode(ctx))
		return r;
	/* LDT, TSS and call gates have 16 bytes (SDM 3A 3.5.2). */
	if (desc_type(d) == TYPE_TASK_GATE)
		return EMUL_OK;
	r = locate(ctx, selector, 16, vector, &linear);
	if (r == EMUL_OK)
		r = emul_read_system(ctx, linear + 8, &d->high, 8);
	if (r == EMUL_OK && ((d->high >> 40) & 31))
		return emul_selector_fault(ctx, vector, selector);
	return r;
}

int emul_change_descriptor(struct x86_emulator *ctx, u16 selector,
			   struct emul_descriptor *d, u64 low)
{
	u64 linear, seen = d->low;
	int r;

	r = locate(ctx, selector, 8, VEC_GP, &linear);
	if (r != EMUL_OK)
		return r;
	r = (ctx->ops->cmpxchg)(ctx, linear, &seen, &low, 8, X86_EMULATOR_WRITE |
			      X86_EMULATOR_IMPLICIT | X86_EMULATOR_LOCKED);
	if (r == EMUL_OK && seen != d->low)
		return EMUL_RETRY;
	d->low = low;
	return r;
}

int emul_set_accessed(struct x86_emulator *ctx, u16 selector, struct emul_descriptor *d)
{
	u64 accessed = d->low | 1ull << 40;

	return d->low == accessed ? EMUL_OK :
	       emul_change_descriptor(ctx, selector, d, accessed);
}

void emul_unpack(u16 selector, const struct emul_descriptor *d,
		 struct x86_emulator_segment *segment)
{
	u32 limit = (d->low & 0xffff) | ((d->low >> 32) & 0xf0000);
	bool g = (d->low >> 55) & 1;

	*segment = (struct x86_emulator_segment){
		.base = ((d->low >> 16) & 0xffffff) | ((d->low >> 32) & 0xff000000) |
			d->high << 32,
		.limit = g ? limit << 12 | 0xfff : limit,
		.selector = selector,
		.type = desc_type(d),
		.s = desc_s(d),
		.dpl = desc_dpl(d),
		.present = desc_present(d),
		.avl = (d->low >> 52) & 1,
		.l = (d->low >> 53) & 1,
		.db = (d->low >> 54) & 1,
		.g = g,
	};
}

void emul_null_segment(u16 selector, struct x86_emulator_segment *segment)
{
	*segment = (struct x86_emulator_segment){ .selector = selector, .unusable = 1 };
}

int emul_check_stack_segment(struct x86_emulator *ctx, u16 selector, unsigned int cpl,
			     u8 vector, struct x86_emulator_segment *segment)
{
	struct emul_descriptor d;
	int r;

	if (selector_is_null(selector))
		return emul_exception_code(ctx, vector, 0);
	r = emul_read_descriptor(ctx, selector, vector, &d);
	if (r != EMUL_OK)
		return r;
	if ((selector & 3) != cpl || desc_dpl(&d) != cpl || !desc_is_writable(&d))
		return emul_selector_fault(ctx, vector, selector);
	if (!desc_present(&d))
		return emul_selector_fault(ctx, VEC_SS, selector);
	r = emul_set_accessed(ctx, selector, &d);
	emul_unpack(selector, &d, segment);
	return r;
}

int emul_check_data_segment(struct x86_emulator *ctx, u16 selector, unsigned int cpl,
			    u8 vector, struct x86_emulator_segment *segment)
{
	struct emul_descriptor d;
	unsigned int rpl = selector & 3;
	int r;

	if (selector_is_null(selector)) {
		emul_null_segment(selector, segment);
		return EMUL_OK;
	}
	r = emul_read_descriptor(ctx, selector, vector, &d);
	if (r != EMUL_OK)
		return r;
	/* Data, or code that may be read. */
	if (!desc_s(&d) || (desc_type(&d) & 10) == 8)
		return emul_selector_fault(ctx, vector, selector);
	if (!desc_is_conforming(&d) && (rpl > desc_dpl(&d) || cpl > desc_dpl(&d)))
		return emul_selector_fault(ctx, vector, selector);
	if (!desc_present(&d))
		return emul_selector_fault(ctx, VEC_NP, selector);
	r = emul_set_accessed(ctx, selector, &d);
	emul_unpack(selector, &d, segment);
	return r;
}

void emul_real_segment(struct x86_emulator *ctx, unsigned int seg, u16 selector,
		       struct x86_emulator_segment *segment)
{
	*segment = *emul_segment(ctx, seg);
	segment->selector = selector;
	segment->base = (u32)selector << 4;
	segment->unusable = 0;
}

int emul_load_segment(struct x86_emulator *ctx, unsigned int seg, u16 selector)
{
	struct x86_emulator_segment segment;
	int r = EMUL_OK;

	if (!emul_is_protected(ctx)) {
		emul_real_segment(ctx, seg, selector, &segment);
	} else if (seg == SS) {
		/* In 64 bit mode below CPL 3, SS may be null (SDM 2B MOV). */
		if (emul_is_64(ctx) && ctx->cpl != 3 && selector_is_null(selector) &&
		    (selector & 3) == ctx->cpl) {
			emul_null_segment(selector, &segment);
			segment.dpl = ctx->cpl;
		} else {
			r = emul_check_stack_segment(ctx, selector, ctx->cpl, VEC_GP,
						     &segment);
		}
	} else {
		r = emul_check_data_segment(ctx, selector, ctx->cpl, VEC_GP, &segment);
		/* AMD's CPUs leave the base when FS or GS becomes null (APM 2 4.5.3). */
		if (r == EMUL_OK && segment.unusable &&
		    !emul_has(ctx, X86_EMULATOR_FEAT_INTEL))
			segment.base = emul_segment(ctx, seg)->base;
	}
	if (r == EMUL_OK)
		emul_set_segment(ctx, seg, &segment);
	return r;
}

int emul_check_entry(struct x86_emulator *ctx, const struct x86_emulator_segment *cs, u64 rip)
{
	if (cs->l && emul_long_mode(ctx))
		return emul_canonical(ctx, rip) ? EMUL_OK : emul_gp(ctx, 0);
	return (u32)rip <= cs->limit ? EMUL_OK : emul_gp(ctx, 0);
}

void emul_update_mode(struct x86_emulator *ctx)
{
	const struct x86_emulator_segment *cs = emul_segment(ctx, CS);
	enum x86_emulator_mode mode;

	if (!(ctx->ops->get_cr(ctx, 0) & CR0_PE_BIT))
		mode = X86_EMULATOR_REAL;
	else if (ctx->next_rflags & FLAG_VM)
		mode = X86_EMULATOR_VM86;
	else if (cs->l && (emul_efer(ctx) & EFER_LMA_BIT))
		mode = X86_EMULATOR_PROT64;
	else
		mode = cs->db ? X86_EMULATOR_PROT32 : X86_EMULATOR_PROT16;
	ctx->mode = mode;
	if (ctx->ops->update_mode)
		ctx->ops->update_mode(ctx);
}

void emul_enter_code(struct x86_emulator *ctx, const struct x86_emulator_segment *cs,
		     unsigned int cpl, u64 rip)
{
	emul_set_segment(ctx, CS, cs);
	emul_set_cpl(ctx, cpl);
	emul_update_mode(ctx);
	ctx->next_rip = emul_is_64(ctx) ? rip : (u32)rip;
}

void emul_current_stack(struct x86_emulator *ctx, struct emul_stack *stack)
{
	*stack = (struct emul_stack){
		.ss = *emul_segment(ctx, SS),
		.sp = x86_emulator_get_gpr(ctx, RSP),
		.cpl = ctx->cpl,
		.size = emul_stack_size(ctx),
	};
}

/* Offset of the first byte of a TSS field, and the TSS's limit (SDM 3A 7.2). */
static int read_tss(struct x86_emulator *ctx, unsigned int offset, void *data,
		    unsigned int len)
{
	const struct x86_emulator_segment *tr = emul_segment(ctx, TR);

	if (tr->unusable || offset + len - 1 > tr->limit)
		return emul_selector_fault(ctx, VEC_TS, tr->selector);
	return emul_read_system(ctx, tr->base + offset, data, len);
}

int emul_inner_stack(struct x86_emulator *ctx, unsigned int cpl, unsigned int ist,
		     struct emul_stack *stack)
{
	u8 type = emul_segment(ctx, TR)->type & ~TYPE_BUSY;
	u16 ss = 0;
	int r;

	*stack = (struct emul_stack){ .cpl = cpl };
	if (emul_long_mode(ctx)) {
		stack->size = 8;
		emul_null_segment(cpl, &stack->ss);
		stack->ss.dpl = cpl;
		r = read_tss(ctx, ist ? 28 + 8 * ist : 4 + 8 * cpl, &stack->sp, 8);
		if (r == EMUL_OK && !emul_canonical(ctx, stack->sp))
			r = emul_exception_code(ctx, VEC_SS, 0);
		return r;
	}
	if (type == TYPE_TSS) {
		r = read_tss(ctx, 4 + 8 * cpl, &stack->sp, 4);
		if (r == EMUL_OK)
			r = read_tss(ctx, 8 + 8 * cpl, &ss, 2);
	} else {
		r = read_tss(ctx, 2 + 4 * cpl, &stack->sp, 2);
		if (r == EMUL_OK)
			r = read_tss(ctx, 4 + 4 * cpl, &ss, 2);
	}
	if (r == EMUL_OK)
		r = emul_check_stack_segment(ctx, ss, cpl, VEC_TS, &stack->ss);
	stack->size = stack->ss.db ? 4 : 2;
	stack->fault_selector = ss & ~3;
	return r;
}

static bool stack_has_room(const struct emul_stack *stack, u64 low, unsigned int bytes)
{
	const struct x86_emulator_segment *ss = &stack->ss;
	u64 last = low + bytes - 1;

	if (ss->s && (ss->type & 12) == 4)
		return low > ss->limit && last <= (ss->db ? 0xffffffffu : 0xffffu);
	return last <= ss->limit;
}

int emul_push_frame(struct x86_emulator *ctx, struct emul_stack *stack,
		    const u64 *values, unsigned int count, unsigned int size)
{
	unsigned int bytes = count * size, i;
	u64 low = (stack->sp - bytes) & emul_mask(stack->size);
	u64 linear = low;
	u32 access = X86_EMULATOR_WRITE | (stack->cpl == 3 ? X86_EMULATOR_USER : 0);
	u8 frame[36 * 4];
	int r;

	if (bytes > sizeof(frame))
		return EMUL_UNHANDLEABLE;
	if (stack->size == 8) {
		if (!emul_canonical(ctx, low) || !emul_canonical(ctx, low + bytes - 1))
			return emul_exception_code(ctx, VEC_SS, stack->fault_selector);
	} else {
		if (!stack_has_room(stack, low, bytes))
			return emul_exception_code(ctx, VEC_SS, stack->fault_selector);
		linear = (u32)(stack->ss.base + low);
	}
	for (i = 0; i < count; i++)
		memcpy(frame + bytes - (i + 1) * size, &values[i], size);
	if (ctx->watch_dr7)
		emul_watch(ctx, linear, bytes, 1 << 1 | 1 << 3);
	r = ctx->ops->write(ctx, linear, frame, bytes, access);
	if (r == EMUL_OK)
		stack->sp = low;
	return r;
}

void emul_commit_stack(struct x86_emulator *ctx, const struct emul_stack *stack,
		       bool switched)
{
	if (switched)
		emul_set_segment(ctx, SS, &stack->ss);
	/* A 16 bit stack pointer leaves the upper half of ESP alone. */
	emul_write_reg(ctx, RSP, stack->size, stack->sp);
}
