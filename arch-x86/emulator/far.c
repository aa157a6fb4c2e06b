// SPDX-License-Identifier: GPL-2.0-only
/*
 * Far jumps, calls and returns, call gates, and IRET (SDM 2A CALL, JMP, IRET,
 * SDM 2B RET; APM 2 4.8, 4.9). Everything is checked and the stack written
 * before CS, CPL and SS change: these can't be undone.
 */
#include "descriptor.h"
#include "exec.h"

/* Real and virtual-8086 mode: CS is the selector times 16. */
static int real_transfer(struct x86_emulator *ctx, u16 selector, u64 offset, bool call)
{
	struct x86_emulator_segment cs;
	u64 frame[2] = { emul_segment(ctx, CS)->selector, ctx->next_rip };
	int r;

	emul_real_segment(ctx, CS, selector, &cs);
	r = emul_check_entry(ctx, &cs, offset);
	if (r == EMUL_OK && call)
		r = emul_push(ctx, frame, 2, ctx->insn.op_size);
	if (r == EMUL_OK)
		emul_enter_code(ctx, &cs, ctx->cpl, offset);
	return r;
}

/* A code descriptor for CS: type and L against D, then presence. */
static int check_code(struct x86_emulator *ctx, u16 selector, struct emul_descriptor *d,
		      struct x86_emulator_segment *cs)
{
	int r;

	if (!desc_present(d))
		return emul_selector_fault(ctx, VEC_NP, selector);
	emul_unpack(selector, d, cs);
	if (cs->l && cs->db && emul_long_mode(ctx))
		return emul_selector_fault(ctx, VEC_GP, selector);
	r = emul_set_accessed(ctx, selector, d);
	cs->type |= 1;
	return r;
}

/* Straight to a code segment: the privilege level stays. */
static int direct_transfer(struct x86_emulator *ctx, u16 selector,
			   struct emul_descriptor *d, u64 offset, bool call)
{
	u64 frame[2] = { emul_segment(ctx, CS)->selector, ctx->next_rip };
	unsigned int dpl = desc_dpl(d), rpl = selector & 3;
	struct x86_emulator_segment cs;
	int r;

	if (desc_is_conforming(d) ? dpl > ctx->cpl : rpl > ctx->cpl || dpl != ctx->cpl)
		return emul_selector_fault(ctx, VEC_GP, selector);
	r = check_code(ctx, selector, d, &cs);
	if (r == EMUL_OK)
		r = emul_check_entry(ctx, &cs, offset);
	if (r == EMUL_OK && call)
		r = emul_push(ctx, frame, 2, ctx->insn.op_size);
	if (r != EMUL_OK)
		return r;
	cs.selector = (selector & ~3) | ctx->cpl;
	emul_enter_code(ctx, &cs, ctx->cpl, offset);
	return EMUL_OK;
}

/* Parameters that a call gate copies from the caller's stack. */
static int copy_parameters(struct x86_emulator *ctx, u64 *values, unsigned int count,
			   unsigned int size)
{
	unsigned int i;
	int r = EMUL_OK;

	for (i = 0; i < count && r == EMUL_OK; i++)
		r = emul_peek(ctx, (count - 1 - i) * size, &values[i], size);
	return r;
}

/* Through a call gate to an inner privilege level. */
static int inner_call(struct x86_emulator *ctx, const struct emul_descriptor *gate,
		      const struct x86_emulator_segment *cs, unsigned int size)
{
	unsigned int count = size == 8 ? 0 : (gate->low >> 32) & 31;
	struct emul_stack stack;
	u64 values[35];
	int r;

	r = emul_inner_stack(ctx, cs->dpl, 0, &stack);
	if (r != EMUL_OK)
		return r;
	values[0] = emul_segment(ctx, SS)->selector;
	values[1] = x86_emulator_get_gpr(ctx, RSP);
	r = copy_parameters(ctx, values + 2, count, size);
	if (r != EMUL_OK)
		return r;
	values[2 + count] = emul_segment(ctx, CS)->selector;
	values[3 + count] = ctx->next_rip;
	r = emul_push_frame(ctx, &stack, values, 4 + count, size);
	if (r != EMUL_OK)
		return r;
	emul_enter_code(ctx, cs, cs->dpl, gate_offset(gate));
	emul_commit_stack(ctx, &stack, true);
	return EMUL_OK;
}

static int call_gate(struct x86_emulator *ctx, u16 selector, struct emul_descriptor *gate,
		     bool call)
{
	unsigned int type = desc_type(gate), rpl = selector & 3;
	bool long_mode = emul_long_mode(ctx);
	unsigned int size = type == TYPE_CALL16 ? 2 : long_mode ? 8 : 4;
	u16 code = gate_selector(gate);
	struct x86_emulator_segment cs;
	struct emul_descriptor d;
	u64 frame[2];
	int r;

	if (desc_dpl(gate) < ctx->cpl || rpl > desc_dpl(gate))
		return emul_selector_fault(ctx, VEC_GP, selector);
	if (!desc_present(gate))
		return emul_selector_fault(ctx, VEC_NP, selector);
	if (type == TYPE_CALL16)
		gate->low &= 0x0000ffffffffffff;
	if (selector_is_null(code))
		return emul_gp(ctx, 0);
	r = emul_read_descriptor(ctx, code, VEC_GP, &d);
	if (r != EMUL_OK)
		return r;
	if (!desc_is_code(&d) || desc_dpl(&d) > ctx->cpl)
		return emul_selector_fault(ctx, VEC_GP, code);
	if (long_mode && ((d.low >> 53) & 3) != 1)	/* L set, D clear */
		return emul_selector_fault(ctx, VEC_GP, code);
	if (!call && !desc_is_conforming(&d) && desc_dpl(&d) != ctx->cpl)
		return emul_selector_fault(ctx, VEC_GP, code);
	r = check_code(ctx, code, &d, &cs);
	if (r == EMUL_OK)
		r = emul_check_entry(ctx, &cs, gate_offset(gate));
	if (r != EMUL_OK)
		return r;

	if (call && !desc_is_conforming(&d) && cs.dpl < ctx->cpl) {
		cs.selector = (code & ~3) | cs.dpl;
		return inner_call(ctx, gate, &cs, size);
	}
	cs.selector = (code & ~3) | ctx->cpl;
	if (call) {
		frame[0] = emul_segment(ctx, CS)->selector;
		frame[1] = ctx->next_rip;
		r = emul_push(ctx, frame, 2, size);
		if (r != EMUL_OK)
			return r;
	}
	emul_enter_code(ctx, &cs, ctx->cpl, gate_offset(gate));
	return EMUL_OK;
}

static int task_transfer(struct x86_emulator *ctx, u16 selector,
			 const struct emul_descriptor *d, bool call)
{
	unsigned int rpl = selector & 3;

	if (desc_dpl(d) < ctx->cpl || desc_dpl(d) < rpl)
		return emul_selector_fault(ctx, VEC_GP, selector);
	if (!desc_present(d))
		return emul_selector_fault(ctx, VEC_NP, selector);
	if (desc_type(d) == TYPE_TASK_GATE)
		selector = gate_selector(d);
	return emul_task_switch(ctx, selector, call ? X86_EMULATOR_TASK_CALL :
				X86_EMULATOR_TASK_JMP, false, 0);
}

static int transfer(struct x86_emulator *ctx, u16 selector, u64 offset, bool call)
{
	struct emul_descriptor d;
	int r;

	if (!emul_is_protected(ctx))
		return real_transfer(ctx, selector, offset, call);
	if (selector_is_null(selector))
		return emul_gp(ctx, 0);
	r = emul_read_descriptor(ctx, selector, VEC_GP, &d);
	if (r != EMUL_OK)
		return r;
	if (desc_is_code(&d))
		return direct_transfer(ctx, selector, &d, offset, call);
	if (!desc_s(&d)) {
		switch (desc_type(&d)) {
		case TYPE_CALL16:
			if (emul_long_mode(ctx))
				break;
			return call_gate(ctx, selector, &d, call);
		case TYPE_CALL:
			return call_gate(ctx, selector, &d, call);
		case TYPE_TSS16:
		case TYPE_TSS:
		case TYPE_TASK_GATE:
			if (emul_long_mode(ctx))
				break;
			return task_transfer(ctx, selector, &d, call);
		}
	}
	return emul_selector_fault(ctx, VEC_GP, selector);
}

static int transfer_mem(struct x86_emulator *ctx, bool call)
{
	const struct x86_emulator_operand *memory = &ctx->insn.operand[0];
	unsigned int size = ctx->insn.op_size;
	u8 pointer[10];
	u64 offset = 0;
	u16 selector;
	int r;

	/* AMD's CPUs have no 16:64 pointers: REX.W is ignored (APM 3 CALL far). */
	if (size == 8 && !emul_has(ctx, X86_EMULATOR_FEAT_INTEL))
		size = 4;
	r = emul_read(ctx, memory->seg, memory->value, pointer, size + 2, 0);
	if (r != EMUL_OK)
		return r;
	memcpy(&offset, pointer, size);
	memcpy(&selector, pointer + size, 2);
	return transfer(ctx, selector, offset, call);
}

int exec_jmp_far_imm(struct x86_emulator *ctx)
{
	return transfer(ctx, ctx->insn.displacement, ctx->insn.operand[0].value, false);
}

int exec_call_far_imm(struct x86_emulator *ctx)
{
	return transfer(ctx, ctx->insn.displacement, ctx->insn.operand[0].value, true);
}

int exec_jmp_far_mem(struct x86_emulator *ctx)
{
	return transfer_mem(ctx, false);
}

int exec_call_far_mem(struct x86_emulator *ctx)
{
	return transfer_mem(ctx, true);
}

/* CS for RETF and IRET: the same level, or an outer one. */
static int check_return(struct x86_emulator *ctx, u16 selector, u64 rip,
			struct x86_emulator_segment *cs)
{
	struct emul_descriptor d;
	unsigned int rpl = selector & 3;
	int r;

	if (selector_is_null(selector))
		return emul_gp(ctx, 0);
	r = emul_read_descriptor(ctx, selector, VEC_GP, &d);
	if (r != EMUL_OK)
		return r;
	if (rpl < ctx->cpl || !desc_is_code(&d) ||
	    (desc_is_conforming(&d) ? desc_dpl(&d) > rpl : desc_dpl(&d) != rpl))
		return emul_selector_fault(ctx, VEC_GP, selector);
	r = check_code(ctx, selector, &d, cs);
	return r == EMUL_OK ? emul_check_entry(ctx, cs, rip) : r;
}

/* SS for a return: it may be null below CPL 3, to 64 bit code. */
static int check_return_stack(struct x86_emulator *ctx, u16 selector,
			      const struct x86_emulator_segment *cs,
			      struct emul_stack *stack)
{
	unsigned int rpl = cs->selector & 3;
	int r = EMUL_OK;

	if (selector_is_null(selector) && cs->l && emul_long_mode(ctx) && rpl != 3 &&
	    (selector & 3) == rpl) {
		emul_null_segment(selector, &stack->ss);
		stack->ss.dpl = rpl;
	} else {
		r = emul_check_stack_segment(ctx, selector, rpl, VEC_GP, &stack->ss);
	}
	stack->size = cs->l && emul_long_mode(ctx) ? 8 : stack->ss.db ? 4 : 2;
	return r;
}

/* Data segments that the outer level may not use become null (SDM 3A 5.8.6). */
static void drop_data_segments(struct x86_emulator *ctx)
{
	static const u8 segs[] = { ES, DS, FS, GS };
	unsigned int i;

	for (i = 0; i < sizeof(segs); i++) {
		struct x86_emulator_segment s = *emul_segment(ctx, segs[i]);
		bool conforming = s.s && (s.type & 12) == 12;
		u64 base = s.base;

		if (!s.unusable && (conforming || s.dpl >= ctx->cpl))
			continue;
		if (s.unusable && selector_is_null(s.selector))
			continue;
		emul_null_segment(0, &s);
		if (!emul_has(ctx, X86_EMULATOR_FEAT_INTEL))
			s.base = base;
		emul_set_segment(ctx, segs[i], &s);
	}
}

/*
 * The tail of RETF and IRET to an outer level: @skip bytes above RSP are SP and
 * SS; @extra is added to the outer stack, too.
 */
static int outer_return(struct x86_emulator *ctx, const struct x86_emulator_segment *cs,
			u64 rip, unsigned int skip, unsigned int size, unsigned int extra)
{
	unsigned int cpl = cs->selector & 3;
	struct emul_stack stack;
	u64 sp, ss;
	int r;

	r = emul_peek(ctx, skip, &sp, size);
	if (r == EMUL_OK)
		r = emul_peek(ctx, skip + size, &ss, size);
	if (r == EMUL_OK)
		r = check_return_stack(ctx, ss, cs, &stack);
	if (r != EMUL_OK)
		return r;
	stack.sp = sp + extra;
	emul_commit_stack(ctx, &stack, true);
	if (cpl != ctx->cpl) {
		emul_enter_code(ctx, cs, cpl, rip);
		drop_data_segments(ctx);
	} else {
		emul_enter_code(ctx, cs, cpl, rip);
	}
	return EMUL_OK;
}

int exec_ret_far(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.op_size, extra = ctx->insn.operand[0].value;
	struct x86_emulator_segment cs;
	u64 rip, selector;
	int r;

	r = emul_peek(ctx, 0, &rip, size);
	if (r == EMUL_OK)
		r = emul_peek(ctx, size, &selector, size);
	if (r != EMUL_OK)
		return r;
	if (!emul_is_protected(ctx)) {
		r = real_transfer(ctx, selector, rip, false);
		if (r == EMUL_OK)
			emul_add_rsp(ctx, 2 * size + extra);
		return r;
	}
	r = check_return(ctx, selector, rip, &cs);
	if (r != EMUL_OK)
		return r;
	if ((selector & 3) != ctx->cpl)
		return outer_return(ctx, &cs, rip, 2 * size + extra, size, extra);
	/* The stack pointer's width is that of before the change of CS. */
	emul_add_rsp(ctx, 2 * size + extra);
	emul_enter_code(ctx, &cs, ctx->cpl, rip);
	return EMUL_OK;
}

/* Which flags an image may change (SDM 2A IRET). */
static u64 iret_flags(struct x86_emulator *ctx, unsigned int size)
{
	u64 mask = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT;

	if (size > 2)
		mask |= FLAG_RF | FLAG_AC | FLAG_ID;
	if (ctx->mode == X86_EMULATOR_REAL || ctx->cpl <= emul_iopl(ctx))
		mask |= FLAG_IF;
	if (ctx->mode != X86_EMULATOR_VM86 && ctx->cpl == 0) {
		mask |= FLAG_IOPL;
		if (size > 2)
			mask |= FLAG_VIF | FLAG_VIP;
	}
	return mask;
}

static void set_flags(struct x86_emulator *ctx, u64 image, u64 mask)
{
	ctx->next_rflags = (ctx->rflags & ~mask & ~FLAG_RF) | (image & mask);
}

static int iret_real(struct x86_emulator *ctx, u64 rip, u64 selector, u64 flags,
		     unsigned int size)
{
	u64 mask = iret_flags(ctx, size);
	int r;

	if (ctx->mode == X86_EMULATOR_VM86 && emul_iopl(ctx) < 3) {
		/* Only with VME, 16 bit, and IF as VIF (SDM 3B 21.3). */
		if (size != 2 || !(ctx->ops->get_cr(ctx, 4) & CR4_VME_BIT))
			return emul_gp(ctx, 0);
		if ((flags & FLAG_TF) || ((flags & FLAG_IF) && (ctx->rflags & FLAG_VIP)))
			return emul_gp(ctx, 0);
	}
	r = real_transfer(ctx, selector, rip, false);
	if (r != EMUL_OK)
		return r;
	emul_add_rsp(ctx, 3 * size);
	set_flags(ctx, flags, mask);
	if (ctx->mode == X86_EMULATOR_VM86 && emul_iopl(ctx) < 3)
		emul_flags_set(ctx, FLAG_VIF, flags & FLAG_IF);
	return EMUL_OK;
}

/* Segments in virtual-8086 mode have fixed attributes (SDM 3B 21.2.1). */
static void set_vm86_segment(struct x86_emulator *ctx, unsigned int seg, u16 selector)
{
	struct x86_emulator_segment s = {
		.base = (u32)selector << 4, .limit = 0xffff, .selector = selector,
		.type = 3, .s = 1, .dpl = 3, .present = 1,
	};

	emul_set_segment(ctx, seg, &s);
}

static int iret_to_vm86(struct x86_emulator *ctx, u64 rip, u64 selector, u64 flags)
{
	static const u8 segs[] = { SS, ES, DS, FS, GS };
	u64 values[6];
	unsigned int i;
	int r = EMUL_OK;

	/* ESP, SS, ES, DS, FS, GS. */
	for (i = 0; i < 6 && r == EMUL_OK; i++)
		r = emul_peek(ctx, 12 + 4 * i, &values[i], 4);
	if (r == EMUL_OK && rip > 0xffff)
		r = emul_gp(ctx, 0);
	if (r != EMUL_OK)
		return r;
	set_flags(ctx, flags, 0x3f7fd5);
	set_vm86_segment(ctx, CS, selector);
	for (i = 0; i < 5; i++)
		set_vm86_segment(ctx, segs[i], values[i + 1]);
	emul_set_cpl(ctx, 3);
	x86_emulator_set_gpr(ctx, RSP, (u32)values[0]);
	emul_update_mode(ctx);
	ctx->next_rip = rip;
	return EMUL_OK;
}

static int iret_task(struct x86_emulator *ctx)
{
	const struct x86_emulator_segment *tr = emul_segment(ctx, TR);
	struct emul_descriptor d;
	u16 link;
	int r;

	if (emul_long_mode(ctx))
		return emul_gp(ctx, 0);
	r = emul_read_system(ctx, tr->base, &link, 2);
	if (r != EMUL_OK)
		return r;
	if (selector_is_null(link) || (link & 4))
		return emul_selector_fault(ctx, VEC_TS, link);
	r = emul_read_descriptor(ctx, link, VEC_TS, &d);
	if (r != EMUL_OK)
		return r;
	if (desc_s(&d) || (desc_type(&d) | 8) != (TYPE_TSS | TYPE_BUSY))
		return emul_selector_fault(ctx, VEC_TS, link);
	if (!desc_present(&d))
		return emul_selector_fault(ctx, VEC_NP, link);
	return emul_task_switch(ctx, link, X86_EMULATOR_TASK_IRET, false, 0);
}

static int iret_protected(struct x86_emulator *ctx, u64 rip, u64 selector, u64 flags,
			  unsigned int size)
{
	struct x86_emulator_segment cs;
	u64 mask = iret_flags(ctx, size);
	int r;

	if ((flags & FLAG_VM) && size == 4 && ctx->cpl == 0 && !emul_long_mode(ctx))
		return iret_to_vm86(ctx, rip, selector, flags);
	r = check_return(ctx, selector, rip, &cs);
	if (r != EMUL_OK)
		return r;
	if (emul_is_64(ctx) || (selector & 3) != ctx->cpl) {
		/* Flags first: the new mode depends on VM, which stays clear. */
		set_flags(ctx, flags, mask);
		return outer_return(ctx, &cs, rip, 3 * size, size, 0);
	}
	set_flags(ctx, flags, mask);
	emul_add_rsp(ctx, 3 * size);
	emul_enter_code(ctx, &cs, ctx->cpl, rip);
	return EMUL_OK;
}

int exec_iret(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.op_size;
	u64 rip, selector, flags;
	int r;

	if (emul_is_protected(ctx) && (ctx->rflags & FLAG_NT)) {
		r = iret_task(ctx);
	} else {
		r = emul_peek(ctx, 0, &rip, size);
		if (r == EMUL_OK)
			r = emul_peek(ctx, size, &selector, size);
		if (r == EMUL_OK)
			r = emul_peek(ctx, 2 * size, &flags, size);
		if (r != EMUL_OK)
			return r;
		if (emul_is_protected(ctx))
			r = iret_protected(ctx, rip, selector, flags, size);
		else
			r = iret_real(ctx, rip, selector, flags, size);
	}
	if (r == EMUL_OK && ctx->ops->unblock_nmi)
		ctx->ops->unblock_nmi(ctx);
	return r;
}
