// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's x87 for the emulator: what is pending there, its MMX registers, and its
 * instructions, which this CPU executes. It is loaded and locked into this CPU meanwhile, see
 * emulate_vector.c.
 */
#include <asm/asm.h>
#include <asm/fpu/api.h>

#include "arch-x86/emulate.h"
#include "arch-x86/emulate_x87.h"

/*
 * An exception that the guest has left pending would be taken here, in the host's
 * kernel, by the first x87 or MMX instruction that waits for it: so ask first.
 */
int emul_x87_pending(struct x86_emulator *ctx)
{
	emul_fpu_lock();
	asm goto("1: fwait\n\t"
		 _ASM_EXTABLE(1b, %l[pending])
		 : : : "memory" : pending);
	fpregs_unlock();
	return X86_EMULATOR_CONTINUE;
pending:
	fpregs_unlock();
	return X86_EMULATOR_FAULT;
}

u64 emul_read_mmx(struct x86_emulator *ctx, unsigned int reg)
{
	u64 val = 0;

#define OP(n) case n: asm volatile("movq %%mm" #n ", %0" : "=m" (val)); break;
	emul_fpu_lock();
	switch (reg & 7) { OP(0) OP(1) OP(2) OP(3) OP(4) OP(5) OP(6) OP(7) }
	fpregs_unlock();
#undef OP
	return val;
}

void emul_write_mmx(struct x86_emulator *ctx, unsigned int reg, u64 val)
{
#define OP(n) case n: asm volatile("movq %0, %%mm" #n : : "m" (val)); break;
	emul_fpu_lock();
	switch (reg & 7) { OP(0) OP(1) OP(2) OP(3) OP(4) OP(5) OP(6) OP(7) }
	fpregs_unlock();
#undef OP
}

void emul_x87_load(struct x86_emulator *ctx, unsigned int insn, const void *data)
{
	struct x87_env where;
	u8 operand[10];

	memcpy(operand, data, sizeof(operand));
	x87_where(ctx, &where);
	emul_fpu_lock();
	x87_run(insn, &operand, &where, true);
	fpregs_unlock();
}

bool emul_x87_store(struct x86_emulator *ctx, unsigned int insn, void *data, bool commit)
{
	unsigned int size = ctx->insn.operand[0].size ?: 2;	/* FNSTSW AX has none */
	struct x87_env where;
	u8 operand[10] = {};
	bool stored;

	x87_where(ctx, &where);
	emul_fpu_lock();
	stored = x87_run(insn, &operand, &where, commit);
	fpregs_unlock();
	memcpy(data, operand, size);
	return stored;
}

void emul_x87_register(struct x86_emulator *ctx, unsigned int insn, u8 *flags)
{
	struct x87_env where;

	x87_where(ctx, &where);
	emul_fpu_lock();
	x87_run_register(insn, flags, &where);
	fpregs_unlock();
}
