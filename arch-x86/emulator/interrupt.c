// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delivery through the IDT and the real-mode vector table: INT n, INT3, INTO,
 * and for owners whose CPU can't inject (SDM 3A 6, 21.1; SDM 2A INT).
 */
#include "descriptor.h"
#include "exec.h"

/* Error codes about the IDT: vector, IDT bit; EXT is added at the end. */
static int idt_fault(struct x86_emulator *ctx, u8 vector, u8 idt_vector)
{
	return emul_exception_code(ctx, vector, idt_vector * 8u + 2);
}

/* Through the table of far pointers at @table, as the 8086 did. */
static int deliver_8086(struct x86_emulator *ctx, u64 table, u8 vector, u64 flags, u64 clear)
{
	struct x86_emulator_segment cs;
	u64 frame[3] = { flags, emul_segment(ctx, CS)->selector, ctx->next_rip };
	u16 entry[2];
	int r;

	r = emul_read_system(ctx, table + vector * 4, entry, 4);
	if (r != EMUL_OK)
		return r;
	emul_real_segment(ctx, CS, entry[1], &cs);
	r = emul_check_entry(ctx, &cs, entry[0]);
	if (r == EMUL_OK)
		r = emul_push(ctx, frame, 3, 2);
	if (r != EMUL_OK)
		return r;
	ctx->next_rflags &= ~clear;
	emul_enter_code(ctx, &cs, ctx->cpl, entry[0]);
	return EMUL_OK;
}

static int deliver_real(struct x86_emulator *ctx, u8 vector)
{
	struct x86_emulator_table idt;

	ctx->ops->get_idt(ctx, &idt);
	if (vector * 4u + 3 > idt.limit)
		return idt_fault(ctx, VEC_GP, vector);
	return deliver_8086(ctx, idt.base, vector, ctx->next_rflags,
			    FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
}

/*
 * INT n in virtual-8086 mode with VME: the TSS's redirection bitmap, 32 bytes
 * below the I/O bitmap, says who handles it (SDM 3B 21.3.3). @redirect: the
 * 8086 program itself.
 */
static int vme_redirects(struct x86_emulator *ctx, u8 vector, bool *redirect)
{
	const struct x86_emulator_segment *tr = emul_segment(ctx, TR);
	u16 base;
	u8 bits;
	int r;

	*redirect = false;
	if (!(ctx->ops->get_cr(ctx, 4) & CR4_VME_BIT))
		return EMUL_OK;
	if (tr->limit < 103)
		return emul_gp(ctx, 0);
	r = emul_read_system(ctx, tr->base + 102, &base, 2);
	if (r != EMUL_OK)
		return r;
	if (base < 32 || base - 32u + vector / 8 > tr->limit)
		return emul_gp(ctx, 0);
	r = emul_read_system(ctx, tr->base + base - 32 + vector / 8, &bits, 1);
	*redirect = !(bits & (1 << (vector & 7)));
	return r;
}

static int deliver_vme(struct x86_emulator *ctx, u8 vector)
{
	u64 flags = ctx->next_rflags;

	if (emul_iopl(ctx) == 3)
		return deliver_8086(ctx, 0, vector, flags, FLAG_IF | FLAG_TF);
	flags |= FLAG_IOPL;
	flags &= ~FLAG_IF;
	if (flags & FLAG_VIF)
		flags |= FLAG_IF;
	return deliver_8086(ctx, 0, vector, flags, FLAG_VIF | FLAG_TF);
}

static int read_gate(struct x86_emulator *ctx, u8 vector, bool software,
		     struct emul_descriptor *gate)
{
	bool long_mode = emul_long_mode(ctx);
	unsigned int len = long_mode ? 16 : 8, type;
	struct x86_emulator_table idt;
	int r;

	ctx->ops->get_idt(ctx, &idt);
	if (vector * len + len - 1 > idt.limit)
		return idt_fault(ctx, VEC_GP, vector);
	gate->high = 0;
	r = emul_read_system(ctx, idt.base + vector * len, gate, len);
	if (r != EMUL_OK)
		return r;
	type = desc_type(gate);
	if (desc_s(gate) || !(type == TYPE_INT || type == TYPE_TRAP ||
			      (!long_mode && (type == TYPE_INT16 || type == TYPE_TRAP16 ||
					      type == TYPE_TASK_GATE))))
		return idt_fault(ctx, VEC_GP, vector);
	if (software && desc_dpl(gate) < ctx->cpl)
		return idt_fault(ctx, VEC_GP, vector);
	if (!desc_present(gate))
		return idt_fault(ctx, VEC_NP, vector);
	return EMUL_OK;
}

/* The handler's code segment, and the privilege level that it runs at. */
static int check_handler(struct x86_emulator *ctx, u16 selector, u64 offset,
			 struct x86_emulator_segment *cs, unsigned int *cpl)
{
	bool vm86 = ctx->mode == X86_EMULATOR_VM86;
	struct emul_descriptor d;
	int r;

	if (selector_is_null(selector))
		return emul_gp(ctx, 0);
	r = emul_read_descriptor(ctx, selector, VEC_GP, &d);
	if (r != EMUL_OK)
		return r;
	if (!desc_is_code(&d) || desc_dpl(&d) > ctx->cpl)
		return emul_selector_fault(ctx, VEC_GP, selector);
	if (emul_long_mode(ctx) && ((d.low >> 53) & 3) != 1)
		return emul_selector_fault(ctx, VEC_GP, selector);
	if (!desc_present(&d))
		return emul_selector_fault(ctx, VEC_NP, selector);
	*cpl = desc_is_conforming(&d) ? ctx->cpl : desc_dpl(&d);
	if (vm86 && *cpl != 0)
		return emul_selector_fault(ctx, VEC_GP, selector);
	r = emul_set_accessed(ctx, selector, &d);
	if (r != EMUL_OK)
		return r;
	emul_unpack((selector & ~3) | *cpl, &d, cs);
	return emul_check_entry(ctx, cs, offset);
}

/* What is pushed, first to last; returns how many. */
static unsigned int build_frame(struct x86_emulator *ctx, u64 values[10], bool switched,
				bool has_error_code, u32 error_code)
{
	static const u8 segs[] = { GS, FS, DS, ES };
	unsigned int n = 0, i;

	if (ctx->mode == X86_EMULATOR_VM86) {
		for (i = 0; i < 4; i++)
			values[n++] = emul_segment(ctx, segs[i])->selector;
	}
	if (switched || emul_long_mode(ctx)) {
		values[n++] = emul_segment(ctx, SS)->selector;
		values[n++] = x86_emulator_get_gpr(ctx, RSP);
	}
	values[n++] = ctx->next_rflags;
	values[n++] = emul_segment(ctx, CS)->selector;
	values[n++] = ctx->next_rip;
	if (has_error_code)
		values[n++] = error_code;
	return n;
}

static int deliver_gate(struct x86_emulator *ctx, const struct emul_descriptor *gate,
			bool has_error_code, u32 error_code)
{
	bool vm86 = ctx->mode == X86_EMULATOR_VM86, long_mode = emul_long_mode(ctx);
	unsigned int type = desc_type(gate), cpl, count, ist, size, i;
	u64 offset = gate_offset(gate), values[10];
	struct x86_emulator_segment cs, null;
	struct emul_stack stack;
	bool switched;
	int r;

	if (type < TYPE_TSS)
		offset &= 0xffff;
	r = check_handler(ctx, gate_selector(gate), offset, &cs, &cpl);
	if (r != EMUL_OK)
		return r;
	ist = long_mode ? (gate->low >> 32) & 7 : 0;
	switched = cpl < ctx->cpl || ist;
	if (switched)
		r = emul_inner_stack(ctx, cpl, ist, &stack);
	else
		emul_current_stack(ctx, &stack);
	if (r != EMUL_OK)
		return r;
	size = long_mode ? 8 : type < TYPE_TSS ? 2 : 4;
	if (long_mode) {
		stack.sp &= ~15ull;
		stack.size = 8;
	}
	count = build_frame(ctx, values, switched, has_error_code, error_code);
	r = emul_push_frame(ctx, &stack, values, count, size);
	if (r != EMUL_OK)
		return r;

	ctx->next_rflags &= ~(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM);
	if (type == TYPE_INT || type == TYPE_INT16)
		ctx->next_rflags &= ~FLAG_IF;
	/* SS changes with the level only; an IST stack keeps it (SDM 3A 6.14.4). */
	emul_commit_stack(ctx, &stack, cpl < ctx->cpl);
	if (vm86) {
		static const u8 segs[] = { ES, DS, FS, GS };

		emul_null_segment(0, &null);
		for (i = 0; i < 4; i++)
			emul_set_segment(ctx, segs[i], &null);
	}
	emul_enter_code(ctx, &cs, cpl, offset);
	return EMUL_OK;
}

static int deliver_protected(struct x86_emulator *ctx, u8 vector, bool software,
			     bool has_error_code, u32 error_code)
{
	struct emul_descriptor gate;
	int r = read_gate(ctx, vector, software, &gate);

	if (r != EMUL_OK)
		return r;
	if (desc_type(&gate) == TYPE_TASK_GATE)
		return emul_task_switch(ctx, gate_selector(&gate), X86_EMULATOR_TASK_GATE,
					has_error_code, error_code);
	return deliver_gate(ctx, &gate, has_error_code, error_code);
}

int emul_deliver(struct x86_emulator *ctx, u8 vector, enum x86_emulator_event event,
		 bool has_error_code, u32 error_code)
{
	bool software = event == X86_EMULATOR_EVENT_INT_N ||
			event == X86_EMULATOR_EVENT_INT3;
	bool redirect;
	int r;

	if (ctx->mode == X86_EMULATOR_REAL)
		return deliver_real(ctx, vector);
	if (ctx->mode == X86_EMULATOR_VM86 && event == X86_EMULATOR_EVENT_INT_N) {
		r = vme_redirects(ctx, vector, &redirect);
		if (r != EMUL_OK)
			return r;
		if (redirect)
			return deliver_vme(ctx, vector);
		if (emul_iopl(ctx) < 3)
			return emul_gp(ctx, 0);
	}
	r = deliver_protected(ctx, vector, software, has_error_code, error_code);
	/* EXT: not the program's doing (SDM 3A 6.13). */
	if (r == EMUL_FAULT && !software && ctx->exception.has_error_code &&
	    ctx->exception.vector >= VEC_TS && ctx->exception.vector <= VEC_GP)
		ctx->exception.error_code |= 1;
	return r;
}

int x86_emulator_deliver(struct x86_emulator *ctx, u8 vector,
			 enum x86_emulator_event event,
			 bool has_error_code, u32 error_code)
{
	int r;

	emul_forget(ctx);
	ctx->interrupt_shadow = 0;
	ctx->trap_dr6 = 0;
	r = emul_deliver(ctx, vector, event, has_error_code, error_code);
	if (r != EMUL_OK) {
		emul_forget(ctx);
		return r;
	}
	emul_writeback(ctx);
	ctx->rip = ctx->next_rip;
	ctx->rflags = ctx->next_rflags;
	if (ctx->ops->retired)
		ctx->ops->retired(ctx);
	return EMUL_OK;
}

/* A delivery clears TF, and with it the trap behind this instruction (SDM 3B 18.3.1.4). */
static int interrupt(struct x86_emulator *ctx, u8 vector, enum x86_emulator_event event)
{
	ctx->next_step = false;
	return emul_deliver(ctx, vector, event, false, 0);
}

/* INT n; INT3 (arg 3). */
int exec_int(struct x86_emulator *ctx)
{
	if (ctx->insn.op->arg)
		return interrupt(ctx, ctx->insn.op->arg, X86_EMULATOR_EVENT_INT3);
	return interrupt(ctx, ctx->insn.operand[0].value, X86_EMULATOR_EVENT_INT_N);
}

int exec_into(struct x86_emulator *ctx)
{
	if (!(ctx->rflags & FLAG_OF))
		return EMUL_OK;
	return interrupt(ctx, VEC_OF, X86_EMULATOR_EVENT_INT3);
}

/* INT1 is a #DB without a bit in DR6, and without a DPL check. */
int exec_icebp(struct x86_emulator *ctx)
{
	return interrupt(ctx, VEC_DB, X86_EMULATOR_EVENT_EXCEPTION);
}
