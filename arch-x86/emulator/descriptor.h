/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors as memory has them, and what segment loads, far transfers,
 * interrupts and task switches share: fetching, checking and committing them
 * (SDM 3A 3.4.5, 5; APM 2 4.7, 4.8).
 */
#ifndef ARCH_X86_EMULATOR_DESCRIPTOR_H
#define ARCH_X86_EMULATOR_DESCRIPTOR_H

#include "internal.h"

/* System descriptor types (SDM 3A table 3-2). */
enum {
	TYPE_TSS16 = 1, TYPE_LDT = 2, TYPE_CALL16 = 4, TYPE_TASK_GATE = 5,
	TYPE_INT16 = 6, TYPE_TRAP16 = 7, TYPE_TSS = 9, TYPE_CALL = 12,
	TYPE_INT = 14, TYPE_TRAP = 15,
	TYPE_BUSY = 2,			/* or'ed to a TSS's */
};

/**
 * struct emul_descriptor - 8 bytes, or 16 for system descriptors in long mode
 * @low: the first 8.
 * @high: the second 8, or 0.
 */
struct emul_descriptor {
	u64 low, high;
};

static inline unsigned int desc_type(const struct emul_descriptor *d)
{
	return (d->low >> 40) & 15;
}

static inline bool desc_s(const struct emul_descriptor *d)
{
	return (d->low >> 44) & 1;
}

static inline unsigned int desc_dpl(const struct emul_descriptor *d)
{
	return (d->low >> 45) & 3;
}

static inline bool desc_present(const struct emul_descriptor *d)
{
	return (d->low >> 47) & 1;
}

static inline bool desc_is_code(const struct emul_descriptor *d)
{
	return desc_s(d) && (desc_type(d) & 8);
}

static inline bool desc_is_conforming(const struct emul_descriptor *d)
{
	return desc_is_code(d) && (desc_type(d) & 4);
}

static inline bool desc_is_writable(const struct emul_descriptor *d)
{
	return desc_s(d) && (desc_type(d) & 10) == 2;
}

static inline u16 gate_selector(const struct emul_descriptor *d)
{
	return d->low >> 16;
}

static inline u64 gate_offset(const struct emul_descriptor *d)
{
	return (d->low & 0xffff) | ((d->low >> 32) & 0xffff0000) | d->high << 32;
}

static inline bool selector_is_null(u16 selector)
{
	return !(selector & ~3);
}

/**
 * emul_selector_fault - an exception whose error code is a selector
 * @ctx: context.
 * @vector: #TS, #NP, #SS, #GP.
 * @selector: its RPL is dropped.
 *
 * Return: EMUL_FAULT.
 */
static inline int emul_selector_fault(struct x86_emulator *ctx, u8 vector, u16 selector)
{
	return emul_exception_code(ctx, vector, selector & ~3);
}

/**
 * emul_long_mode - is EFER.LMA set (64 bit or compatibility mode)
 * @ctx: context.
 *
 * Return: true if so.
 */
bool emul_long_mode(struct x86_emulator *ctx);

/**
 * emul_read_descriptor - fetch from the GDT or LDT
 * @ctx: context.
 * @selector: not null.
 * @vector: what to raise outside the table's limit.
 * @d: result; for system descriptors in long mode all 16 bytes.
 *
 * Return: any result.
 */
int emul_read_descriptor(struct x86_emulator *ctx, u16 selector, u8 vector,
			 struct emul_descriptor *d);

/**
 * emul_change_descriptor - atomically replace the first 8 bytes
 * @ctx: context.
 * @selector: of it.
 * @d: as read; updated.
 * @low: new ones.
 *
 * Return: any result; EMUL_RETRY if it has changed.
 */
int emul_change_descriptor(struct x86_emulator *ctx, u16 selector,
			   struct emul_descriptor *d, u64 low);

/**
 * emul_set_accessed - set the A bit of a code or data descriptor, if clear
 * @ctx: context.
 * @selector: of it.
 * @d: as read; updated.
 *
 * Return: any result.
 */
int emul_set_accessed(struct x86_emulator *ctx, u16 selector, struct emul_descriptor *d);

/**
 * emul_unpack - descriptor to segment register
 * @selector: visible part.
 * @d: descriptor.
 * @segment: result.
 */
void emul_unpack(u16 selector, const struct emul_descriptor *d,
		 struct x86_emulator_segment *segment);

/**
 * emul_null_segment - what a null selector leaves in a register
 * @selector: 0 to 3.
 * @segment: result.
 */
void emul_null_segment(u16 selector, struct x86_emulator_segment *segment);

/**
 * emul_check_stack_segment - a selector on its way to SS
 * @ctx: context.
 * @selector: it.
 * @cpl: privilege level that it will serve.
 * @vector: #GP, or #TS where it comes from a TSS.
 * @segment: result, not committed.
 *
 * Return: any result.
 */
int emul_check_stack_segment(struct x86_emulator *ctx, u16 selector, unsigned int cpl,
			     u8 vector, struct x86_emulator_segment *segment);

/**
 * emul_check_data_segment - a selector on its way to DS, ES, FS or GS
 * @ctx: context.
 * @selector: it.
 * @cpl: privilege level.
 * @vector: #GP or #TS.
 * @segment: result, not committed.
 *
 * Return: any result.
 */
int emul_check_data_segment(struct x86_emulator *ctx, u16 selector, unsigned int cpl,
			    u8 vector, struct x86_emulator_segment *segment);

/**
 * emul_load_segment - MOV, POP, Lxx of a segment register in any mode
 * @ctx: context.
 * @seg: ES, SS, DS, FS, GS.
 * @selector: new one.
 *
 * Return: any result; nothing has changed unless EMUL_OK.
 */
int emul_load_segment(struct x86_emulator *ctx, unsigned int seg, u16 selector);

/**
 * emul_check_entry - may RIP be that in this code segment?
 * @ctx: context.
 * @cs: new CS.
 * @rip: offset.
 *
 * Return: EMUL_OK, or #GP(0).
 */
int emul_check_entry(struct x86_emulator *ctx, const struct x86_emulator_segment *cs, u64 rip);

/**
 * emul_enter_code - commit a far transfer
 * @ctx: context.
 * @cs: checked code segment.
 * @cpl: new privilege level.
 * @rip: checked offset.
 *
 * Sets CS and CPL at once, next_rip, and ctx->mode by them and next_rflags.
 */
void emul_enter_code(struct x86_emulator *ctx, const struct x86_emulator_segment *cs,
		     unsigned int cpl, u64 rip);

/**
 * emul_update_mode - recompute ctx->mode from CR0, EFER, CS, next_rflags
 * @ctx: context.
 */
void emul_update_mode(struct x86_emulator *ctx);

/**
 * emul_real_segment - a segment register as real mode or virtual-8086 mode loads it
 * @ctx: context.
 * @seg: register, whose limit and attributes stay in real mode.
 * @selector: new one.
 * @segment: result.
 */
void emul_real_segment(struct x86_emulator *ctx, unsigned int seg, u16 selector,
		       struct x86_emulator_segment *segment);

/**
 * struct emul_stack - a stack that isn't in SS:RSP yet
 * @ss: its segment.
 * @sp: its pointer.
 * @cpl: privilege level of accesses to it.
 * @size: bytes of the pointer: 2, 4, 8.
 * @fault_selector: error code where it is too small.
 */
struct emul_stack {
	struct x86_emulator_segment ss;
	u64 sp;
	u8 cpl;
	u8 size;
	u16 fault_selector;
};

/**
 * emul_current_stack - SS:RSP
 * @ctx: context.
 * @stack: result.
 */
void emul_current_stack(struct x86_emulator *ctx, struct emul_stack *stack);

/**
 * emul_inner_stack - the stack that the TSS has for a privilege level
 * @ctx: context.
 * @cpl: level, 0 to 2.
 * @ist: 1 to 7: that interrupt stack (long mode), 0: none.
 * @stack: result.
 *
 * Return: any result; faults are #TS, #SS.
 */
int emul_inner_stack(struct x86_emulator *ctx, unsigned int cpl, unsigned int ist,
		     struct emul_stack *stack);

/**
 * emul_push_frame - write values to a stack, in one piece
 * @ctx: context.
 * @stack: moved by it.
 * @values: in the order of pushing.
 * @count: up to 36.
 * @size: 2, 4, 8.
 *
 * Return: any result.
 */
int emul_push_frame(struct x86_emulator *ctx, struct emul_stack *stack,
		    const u64 *values, unsigned int count, unsigned int size);

/**
 * emul_commit_stack - make it SS:RSP
 * @ctx: context.
 * @stack: its segment is set only if @switched.
 * @switched: it came from emul_inner_stack().
 */
void emul_commit_stack(struct x86_emulator *ctx, const struct emul_stack *stack,
		       bool switched);

/**
 * emul_task_switch - x86_emulator_task_switch() from within an instruction
 * @ctx: context; next_rip and next_rflags are what the old TSS gets.
 * @selector: of the new TSS.
 * @reason: X86_EMULATOR_TASK_*.
 * @has_error_code: push @error_code.
 * @error_code: it.
 *
 * Return: any result; on EMUL_OK registers and next_* are the new task's.
 */
int emul_task_switch(struct x86_emulator *ctx, u16 selector,
		     enum x86_emulator_task_reason reason,
		     bool has_error_code, u32 error_code);

/**
 * emul_deliver - x86_emulator_deliver() from within an instruction
 * @ctx: context; next_rip is pushed.
 * @vector: 0 to 255.
 * @event: what it is.
 * @has_error_code: push @error_code.
 * @error_code: it.
 *
 * Return: any result.
 */
int emul_deliver(struct x86_emulator *ctx, u8 vector, enum x86_emulator_event event,
		 bool has_error_code, u32 error_code);

#endif
