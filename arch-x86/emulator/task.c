// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware task switches, 16 and 32 bit (SDM 3A 7). In two halves: up to
 * commit() everything is checked and nothing has changed; behind it the CPU is
 * in the new task, and what is wrong with the new task's segments is the new
 * task's fault.
 */
#include "descriptor.h"

/* Offsets in the two forms of a TSS (SDM 3A 7.2.1, 7.6). */
struct tss_layout {
	u8 size, width;
	u8 ip, flags, gprs, segs, nr_segs, ldt;
};

static const struct tss_layout tss32 = {
	.size = 104, .width = 4, .ip = 32, .flags = 36, .gprs = 40, .segs = 72,
	.nr_segs = 6, .ldt = 96,
};

static const struct tss_layout tss16 = {
	.size = 44, .width = 2, .ip = 14, .flags = 16, .gprs = 18, .segs = 34,
	.nr_segs = 4, .ldt = 42,
};

#define TSS_CR3		28
#define TSS_TRAP	100

struct task {
	const struct tss_layout *layout;
	struct emul_descriptor d;
	struct x86_emulator_segment tr;
	u8 tss[104];
};

static u64 get(const struct task *task, unsigned int offset)
{
	u64 value = 0;

	memcpy(&value, task->tss + offset, task->layout->width);
	return value;
}

static void put(u8 *tss, const struct tss_layout *layout, unsigned int offset, u64 value)
{
	memcpy(tss + offset, &value, layout->width);
}

/* The new TSS: its descriptor's checks (SDM 3A 7.3, steps 2 to 5), its content. */
static int read_new_task(struct x86_emulator *ctx, u16 selector,
			 enum x86_emulator_task_reason reason, struct task *task)
{
	bool back = reason == X86_EMULATOR_TASK_IRET;
	u8 vector = back ? VEC_TS : VEC_GP;
	int r;

	if (selector_is_null(selector) || (selector & 4))
		return emul_selector_fault(ctx, vector, selector);
	r = emul_read_descriptor(ctx, selector, vector, &task->d);
	if (r != EMUL_OK)
		return r;
	emul_unpack(selector, &task->d, &task->tr);
	if (task->tr.s || (task->tr.type & ~(8 | TYPE_BUSY)) != TYPE_TSS16)
		return emul_selector_fault(ctx, vector, selector);
	if (!!(task->tr.type & TYPE_BUSY) != back)
		return emul_selector_fault(ctx, vector, selector);
	if (!task->tr.present)
		return emul_selector_fault(ctx, VEC_NP, selector);
	task->layout = task->tr.type & 8 ? &tss32 : &tss16;
	if (task->tr.limit < task->layout->size - 1u)
		return emul_selector_fault(ctx, VEC_TS, selector);
	return emul_read_system(ctx, task->tr.base, task->tss, task->layout->size);
}

/* What the old task must find again; CR3, LDT and inner stacks aren't saved. */
static int save_old_task(struct x86_emulator *ctx, enum x86_emulator_task_reason reason)
{
	const struct x86_emulator_segment *tr = emul_segment(ctx, TR);
	const struct tss_layout *layout = tr->type & 8 ? &tss32 : &tss16;
	unsigned int first = layout->ip, i;
	unsigned int end = layout->segs + layout->nr_segs * layout->width;
	u64 flags = ctx->next_rflags;
	u8 tss[104];

	if (reason == X86_EMULATOR_TASK_IRET)
		flags &= ~FLAG_NT;
	put(tss, layout, layout->ip, ctx->next_rip);
	put(tss, layout, layout->flags, flags);
	for (i = 0; i < 8; i++)
		put(tss, layout, layout->gprs + i * layout->width,
		    x86_emulator_get_gpr(ctx, i));
	for (i = 0; i < layout->nr_segs; i++)
		put(tss, layout, layout->segs + i * layout->width,
		    emul_segment(ctx, i)->selector);
	return emul_write_system(ctx, tr->base + first, tss + first, end - first);
}

/* Probe all that commit() will write, so that it can't fail half way. */
static int probe_writes(struct x86_emulator *ctx, const struct task *task, bool nested)
{
	const u32 access = X86_EMULATOR_WRITE | X86_EMULATOR_IMPLICIT;
	const struct x86_emulator_segment *tr = emul_segment(ctx, TR);
	const struct tss_layout *layout = tr->type & 8 ? &tss32 : &tss16;
	int r;

	if (tr->unusable || tr->limit < layout->size - 1u)
		return emul_selector_fault(ctx, VEC_TS, tr->selector);
	r = ctx->ops->probe(ctx, tr->base, layout->size, access);
	if (r == EMUL_OK && nested)
		r = ctx->ops->probe(ctx, task->tr.base, 2, access);
	return r;
}

/* Busy bits: the new task's set, the old one's cleared unless it waits nested. */
static int change_busy(struct x86_emulator *ctx, struct task *task,
		       enum x86_emulator_task_reason reason, bool nested)
{
	const u64 busy = (u64)TYPE_BUSY << 40;
	u16 old_selector = emul_segment(ctx, TR)->selector;
	struct emul_descriptor old;
	int r = EMUL_OK;

	if (!nested) {
		r = emul_read_descriptor(ctx, old_selector, VEC_TS, &old);
		if (r == EMUL_OK)
			r = emul_change_descriptor(ctx, old_selector, &old, old.low & ~busy);
	}
	if (r != EMUL_OK || reason == X86_EMULATOR_TASK_IRET)
		return r;
	r = emul_change_descriptor(ctx, task->tr.selector, &task->d, task->d.low | busy);
	if (r != EMUL_OK && !nested)
		emul_change_descriptor(ctx, old_selector, &old, old.low | busy);
	return r;
}

/* Everything but the segments' hidden parts. */
static int commit(struct x86_emulator *ctx, struct task *task,
		  enum x86_emulator_task_reason reason, bool nested)
{
	const struct tss_layout *layout = task->layout;
	u16 link = emul_segment(ctx, TR)->selector;
	u64 cr0 = ctx->ops->get_cr(ctx, 0);
	u32 cr3 = 0;
	unsigned int i;
	int r;

	r = probe_writes(ctx, task, nested);
	if (r == EMUL_OK)
		r = change_busy(ctx, task, reason, nested);
	if (r == EMUL_OK)
		r = save_old_task(ctx, reason);
	if (r == EMUL_OK && nested)
		r = emul_write_system(ctx, task->tr.base, &link, 2);
	if (r != EMUL_OK)
		return r;

	task->tr.type |= TYPE_BUSY;
	emul_set_segment(ctx, TR, &task->tr);
	if (layout == &tss32 && (cr0 & CR0_PG_BIT)) {
		memcpy(&cr3, task->tss + TSS_CR3, 4);
		r = emul_gp_on_fault(ctx, ctx->ops->set_cr(ctx, 3, cr3));
	}
	if (r == EMUL_OK)
		r = emul_gp_on_fault(ctx, ctx->ops->set_cr(ctx, 0, cr0 | CR0_TS_BIT));
	/* Local breakpoints are the old task's (SDM 3B 18.2.4). */
	if (r == EMUL_OK)
		r = ctx->ops->set_dr(ctx, 7, ctx->ops->get_dr(ctx, 7) & ~0x155ull);

	ctx->next_rip = get(task, layout->ip);
	ctx->next_rflags = (get(task, layout->flags) & 0x3f7fd5) | FLAG_FIXED;
	if (nested)
		ctx->next_rflags |= FLAG_NT;
	for (i = 0; i < 8; i++)
		emul_write_reg(ctx, i, layout->width,
			       get(task, layout->gprs + i * layout->width));
	if (layout == &tss32 && (task->tss[TSS_TRAP] & 1))
		ctx->trap_dr6 |= DR6_BT_BIT;
	return r;
}

/* From here on faults are the new task's: #TS with the selector. */
static int load_ldt(struct x86_emulator *ctx, u16 selector)
{
	struct x86_emulator_segment ldt;
	struct emul_descriptor d;
	int r;

	emul_null_segment(selector, &ldt);
	emul_set_segment(ctx, LDTR, &ldt);
	if (selector_is_null(selector))
		return EMUL_OK;
	if (selector & 4)
		return emul_selector_fault(ctx, VEC_TS, selector);
	r = emul_read_descriptor(ctx, selector, VEC_TS, &d);
	if (r != EMUL_OK)
		return r;
	if (desc_s(&d) || desc_type(&d) != TYPE_LDT || !desc_present(&d))
		return emul_selector_fault(ctx, VEC_TS, selector);
	emul_unpack(selector, &d, &ldt);
	emul_set_segment(ctx, LDTR, &ldt);
	return EMUL_OK;
}

static int load_cs(struct x86_emulator *ctx, u16 selector)
{
	struct x86_emulator_segment cs;
	struct emul_descriptor d;
	unsigned int rpl = selector & 3;
	int r;

	if (selector_is_null(selector))
		return emul_selector_fault(ctx, VEC_TS, selector);
	r = emul_read_descriptor(ctx, selector, VEC_TS, &d);
	if (r != EMUL_OK)
		return r;
	if (!desc_is_code(&d) ||
	    (desc_is_conforming(&d) ? desc_dpl(&d) > rpl : desc_dpl(&d) != rpl))
		return emul_selector_fault(ctx, VEC_TS, selector);
	if (!desc_present(&d))
		return emul_selector_fault(ctx, VEC_NP, selector);
	r = emul_set_accessed(ctx, selector, &d);
	if (r != EMUL_OK)
		return r;
	emul_unpack(selector, &d, &cs);
	emul_enter_code(ctx, &cs, rpl, ctx->next_rip);
	return EMUL_OK;
}

/* Selectors as they are in the TSS, with hidden parts to be filled in. */
static void load_selectors(struct x86_emulator *ctx, const struct task *task)
{
	bool vm86 = ctx->next_rflags & FLAG_VM;
	unsigned int i;

	for (i = 0; i < 6; i++) {
		struct x86_emulator_segment s = *emul_segment(ctx, i);

		s.selector = 0;
		if (i < task->layout->nr_segs)
			s.selector = get(task, task->layout->segs + i * task->layout->width);
		if (vm86)
			s = (struct x86_emulator_segment){
				.base = (u32)s.selector << 4, .limit = 0xffff,
				.selector = s.selector, .type = 3, .s = 1, .dpl = 3,
				.present = 1,
			};
		else if (i != CS && i != SS)
			s.unusable = 1;
		emul_set_segment(ctx, i, &s);
	}
	if (vm86)
		emul_set_cpl(ctx, 3);
	emul_update_mode(ctx);
}

static int load_segments(struct x86_emulator *ctx, const struct task *task)
{
	static const u8 segs[] = { ES, DS, FS, GS };
	struct x86_emulator_segment s;
	unsigned int i;
	int r;

	load_selectors(ctx, task);
	r = load_ldt(ctx, get(task, task->layout->ldt));
	if (r != EMUL_OK || (ctx->next_rflags & FLAG_VM))
		return r;
	r = load_cs(ctx, emul_segment(ctx, CS)->selector);
	if (r != EMUL_OK)
		return r;
	r = emul_check_stack_segment(ctx, emul_segment(ctx, SS)->selector, ctx->cpl,
				     VEC_TS, &s);
	if (r != EMUL_OK)
		return r;
	emul_set_segment(ctx, SS, &s);
	for (i = 0; i < 4; i++) {
		r = emul_check_data_segment(ctx, emul_segment(ctx, segs[i])->selector,
					    ctx->cpl, VEC_TS, &s);
		if (r != EMUL_OK)
			return r;
		emul_set_segment(ctx, segs[i], &s);
	}
	return emul_check_entry(ctx, emul_segment(ctx, CS), ctx->next_rip);
}

int emul_task_switch(struct x86_emulator *ctx, u16 selector,
		     enum x86_emulator_task_reason reason,
		     bool has_error_code, u32 error_code)
{
	bool nested = reason == X86_EMULATOR_TASK_CALL || reason == X86_EMULATOR_TASK_GATE;
	u64 code = error_code;
	struct task task;
	int r;

	r = read_new_task(ctx, selector, reason, &task);
	if (r == EMUL_OK)
		r = commit(ctx, &task, reason, nested);
	if (r != EMUL_OK)
		return r;
	r = load_segments(ctx, &task);
	if (r == EMUL_OK && has_error_code)
		r = emul_push(ctx, &code, 1, task.layout->width);
	if (r != EMUL_OK) {
		/* The fault is the new task's: its state stands. */
		emul_writeback(ctx);
		ctx->rip = ctx->next_rip;
		ctx->rflags = ctx->next_rflags;
	}
	return r;
}

/* A software interrupt needs the gate's DPL; others have no say in it. */
static int check_gate(struct x86_emulator *ctx, unsigned int vector)
{
	struct x86_emulator_table idt;
	struct emul_descriptor gate;
	int r;

	ctx->ops->get_idt(ctx, &idt);
	if (vector * 8 + 7 > idt.limit)
		return emul_gp(ctx, vector * 8 + 2);
	r = emul_read_system(ctx, idt.base + vector * 8, &gate.low, 8);
	if (r == EMUL_OK && desc_dpl(&gate) < ctx->cpl)
		return emul_gp(ctx, vector * 8 + 2);
	return r;
}

int x86_emulator_task_switch(struct x86_emulator *ctx, u16 selector, int idt_vector,
			     enum x86_emulator_task_reason reason,
			     bool has_error_code, u32 error_code)
{
	int r = EMUL_OK;

	emul_forget(ctx);
	ctx->interrupt_shadow = 0;
	ctx->trap_dr6 = 0;
	if (idt_vector >= 0 && reason == X86_EMULATOR_TASK_GATE)
		r = check_gate(ctx, idt_vector);
	if (r == EMUL_OK)
		r = emul_task_switch(ctx, selector, reason, has_error_code, error_code);
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
