/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x87 moves by the CPU that this runs on: what the emulator's operations x87_load()
 * and x87_store() do with the x87 that is loaded. No kernel header but types: the
 * emulator's test in user space includes it, too.
 */
#ifndef ARCH_X86_EMULATE_X87_H
#define ARCH_X86_EMULATE_X87_H

/**
 * struct x87_env - what FNSTENV stores outside real mode (SDM 1 figure 8-9)
 * @control: and @status, @tag: in the low halves.
 * @fip: where the last instruction was, not a control one; @fcs_fop: its CS, and
 *	its opcode in bits 16 to 26.
 * @fdp: where its operand was; @fds: the segment.
 */
struct x87_env {
	u32 control, status, tag, fip, fcs_fop, fdp, fds;
};

#define X87_INSN(opcode, reg)	((opcode - 0xd8) << 3 | (reg))

/* The instruction with its operand in memory; *data has room for ten bytes. */
static inline void x87_execute(unsigned int insn, u8 (*data)[10])
{
#define X87_LOAD(opcode, reg, name) \
	case X87_INSN(opcode, reg): asm volatile(name " %0" : : "m" (*data)); break;
#define X87_STORE(opcode, reg, name) \
	case X87_INSN(opcode, reg): asm volatile(name " %0" : "+m" (*data)); break;
	switch (insn) {
	X87_LOAD(0xd9, 0, "flds")
	X87_STORE(0xd9, 2, "fsts")
	X87_STORE(0xd9, 3, "fstps")
	X87_LOAD(0xd9, 5, "fldcw")
	X87_STORE(0xd9, 7, "fnstcw")
	X87_LOAD(0xdb, 0, "fildl")
	X87_STORE(0xdb, 1, "fisttpl")
	X87_STORE(0xdb, 2, "fistl")
	X87_STORE(0xdb, 3, "fistpl")
	X87_LOAD(0xdb, 5, "fldt")
	X87_STORE(0xdb, 7, "fstpt")
	X87_LOAD(0xdd, 0, "fldl")
	X87_STORE(0xdd, 1, "fisttpll")
	X87_STORE(0xdd, 2, "fstl")
	X87_STORE(0xdd, 3, "fstpl")
	X87_STORE(0xdd, 7, "fnstsw")
	X87_LOAD(0xdf, 0, "filds")
	X87_STORE(0xdf, 1, "fisttps")
	X87_STORE(0xdf, 2, "fists")
	X87_STORE(0xdf, 3, "fistps")
	X87_LOAD(0xdf, 4, "fbld")
	X87_LOAD(0xdf, 5, "fildll")
	X87_STORE(0xdf, 6, "fbstp")
	X87_STORE(0xdf, 7, "fistpll")
	}
#undef X87_LOAD
#undef X87_STORE
}

/* FLDCW, FNSTCW and FNSTSW leave the pointers alone (SDM 1 8.1.8). */
static inline bool x87_is_control(unsigned int insn)
{
	return insn == X87_INSN(0xd9, 5) || insn == X87_INSN(0xd9, 7) ||
	       insn == X87_INSN(0xdd, 7);
}

/* FNSTENV masks all exceptions, so that FLDENV does not report one. */
static inline void x87_get_env(struct x87_env *env)
{
	asm volatile("fnstenv %0" : "=m" (*env));
}

static inline void x87_set_env(const struct x87_env *env)
{
	asm volatile("fldenv %0" : : "m" (*env));
}

/**
 * x87_run - x87_load() and x87_store() of the emulator's operations
 * @insn: (opcode & 7) << 3 | modrm.reg.
 * @data: operand.
 * @where: what the pointers become: FIP, FCS and FOP, FDP, FDS; ours must not leak.
 * @commit: false: the x87 is as before afterwards.
 *
 * No exception is pending, or the instruction doesn't wait. The x87 may not be
 * used by anybody else meanwhile.
 *
 * Return: false: an unmasked exception of this instruction kept it from storing.
 * Precision alone does not.
 */
static inline bool x87_run(unsigned int insn, u8 (*data)[10], const struct x87_env *where,
			   bool commit)
{
	struct x87_env before, after;

	x87_get_env(&before);
	x87_set_env(&before);
	x87_execute(insn, data);
	x87_get_env(&after);
	if (!commit) {
		x87_set_env(&before);
	} else {
		const struct x87_env *from = x87_is_control(insn) ? &before : where;

		after.fip = from->fip;
		after.fcs_fop = from->fcs_fop;
		after.fdp = from->fdp;
		after.fds = from->fds;
		x87_set_env(&after);
	}
	return x87_is_control(insn) || !(after.status & ~after.control & 0x1f);
}

/**
 * x87_where - the pointers for x87_run()
 * @ctx: the emulator's context.
 * @where: filled.
 */
static inline void x87_where(const struct x86_emulator *ctx, struct x87_env *where)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[0];

	*where = (struct x87_env){
		.fip = ctx->rip,
		.fcs_fop = (ctx->insn.opcode & 7) << 24 | ctx->insn.modrm << 16,
		.fdp = operand->value,
	};
}

#endif
