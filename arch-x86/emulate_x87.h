/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x87 instructions by the CPU that this runs on: what the emulator's operations
 * x87_load(), x87_store() and x87_register() do with the x87 that is loaded. No kernel
 * header but types: the emulator's test in user space includes it, too.
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

/* Their numbers: of a form with a memory operand, and of one without. */
#define X87_INSN(opcode, reg)		(((opcode) & 7) << 3 | (reg))
#define X87_INSN_REG(opcode, modrm)	(((opcode) & 7) << 6 | ((modrm) & 63))

/* The instruction with its operand in memory; *data has room for ten bytes. */
static inline void x87_execute(unsigned int insn, u8 (*data)[10])
{
#define X87_LOAD(opcode, reg, name) \
	case X87_INSN(opcode, reg): asm volatile(name " %0" : : "m" (*data)); break;
#define X87_STORE(opcode, reg, name) \
	case X87_INSN(opcode, reg): asm volatile(name " %0" : "+m" (*data)); break;
#define X87_ARITH(opcode, i, size) \
	X87_LOAD(opcode, 0, "f" i "add" size) X87_LOAD(opcode, 1, "f" i "mul" size) \
	X87_LOAD(opcode, 2, "f" i "com" size) X87_LOAD(opcode, 3, "f" i "comp" size) \
	X87_LOAD(opcode, 4, "f" i "sub" size) X87_LOAD(opcode, 5, "f" i "subr" size) \
	X87_LOAD(opcode, 6, "f" i "div" size) X87_LOAD(opcode, 7, "f" i "divr" size)
	switch (insn) {
	X87_ARITH(0xd8, "", "s")
	X87_ARITH(0xda, "i", "l")
	X87_ARITH(0xdc, "", "l")
	X87_ARITH(0xde, "i", "s")
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
#undef X87_ARITH
#undef X87_LOAD
#undef X87_STORE
}

/*
 * The instruction without one: its two bytes. FCMOVcc reads flags, FCOMI and its kin
 * write them; @flags is the low byte of RFLAGS. FNSTSW AX is not among them, nor are
 * encodings that the manuals reserve, which may be #UD.
 */
static inline void x87_execute_register(unsigned int insn, u8 *flags)
{
	u16 ax = *flags << 8;

#define X87_REG(n) \
	case n: \
		asm volatile("sahf\n\t.byte %c1, %c2\n\tlahf" : "+a" (ax) \
			     : "i" (0xd8 | (n) >> 6), "i" (0xc0 | ((n) & 63)) : "cc"); \
		break;
#define X87_REG2(n)	X87_REG(n) X87_REG((n) + 1)
#define X87_REG8(n)	X87_REG2(n) X87_REG2((n) + 2) X87_REG2((n) + 4) X87_REG2((n) + 6)
#define X87_REG32(n)	X87_REG8(n) X87_REG8((n) + 8) X87_REG8((n) + 16) X87_REG8((n) + 24)
	switch (insn) {
	X87_REG32(X87_INSN_REG(0xd8, 0xc0)) X87_REG32(X87_INSN_REG(0xd8, 0xe0))
	X87_REG8(X87_INSN_REG(0xd9, 0xc0)) X87_REG8(X87_INSN_REG(0xd9, 0xc8))
	X87_REG(X87_INSN_REG(0xd9, 0xd0))				/* FNOP */
	X87_REG2(X87_INSN_REG(0xd9, 0xe0)) X87_REG2(X87_INSN_REG(0xd9, 0xe4))
	X87_REG2(X87_INSN_REG(0xd9, 0xe8)) X87_REG2(X87_INSN_REG(0xd9, 0xea))
	X87_REG2(X87_INSN_REG(0xd9, 0xec)) X87_REG(X87_INSN_REG(0xd9, 0xee))
	X87_REG8(X87_INSN_REG(0xd9, 0xf0)) X87_REG8(X87_INSN_REG(0xd9, 0xf8))
	X87_REG32(X87_INSN_REG(0xda, 0xc0))
	X87_REG(X87_INSN_REG(0xda, 0xe9))				/* FUCOMPP */
	X87_REG32(X87_INSN_REG(0xdb, 0xc0))
	X87_REG2(X87_INSN_REG(0xdb, 0xe2))				/* FNCLEX, FNINIT */
	X87_REG8(X87_INSN_REG(0xdb, 0xe8)) X87_REG8(X87_INSN_REG(0xdb, 0xf0))
	X87_REG8(X87_INSN_REG(0xdc, 0xc0)) X87_REG8(X87_INSN_REG(0xdc, 0xc8))
	X87_REG32(X87_INSN_REG(0xdc, 0xe0))
	X87_REG8(X87_INSN_REG(0xdd, 0xc0))
	X87_REG8(X87_INSN_REG(0xdd, 0xd0)) X87_REG8(X87_INSN_REG(0xdd, 0xd8))
	X87_REG8(X87_INSN_REG(0xdd, 0xe0)) X87_REG8(X87_INSN_REG(0xdd, 0xe8))
	X87_REG8(X87_INSN_REG(0xde, 0xc0)) X87_REG8(X87_INSN_REG(0xde, 0xc8))
	X87_REG(X87_INSN_REG(0xde, 0xd9))				/* FCOMPP */
	X87_REG32(X87_INSN_REG(0xde, 0xe0))
	X87_REG8(X87_INSN_REG(0xdf, 0xc0))
	X87_REG8(X87_INSN_REG(0xdf, 0xe8)) X87_REG8(X87_INSN_REG(0xdf, 0xf0))
	}
#undef X87_REG
#undef X87_REG2
#undef X87_REG8
#undef X87_REG32
	*flags = ax >> 8;
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
 * x87_run_register - x87_register() of the emulator's operations
 * @insn: (opcode & 7) << 6 | (modrm & 63).
 * @flags: low byte of RFLAGS, read and written.
 * @where: what FIP, FCS and FOP become. There is no operand: FDP stays.
 *
 * As x87_run().
 */
static inline void x87_run_register(unsigned int insn, u8 *flags, const struct x87_env *where)
{
	struct x87_env before, after;

	x87_get_env(&before);
	x87_set_env(&before);
	x87_execute_register(insn, flags);
	x87_get_env(&after);
	/* Of these, FNINIT clears the pointers, and FNCLEX leaves them (SDM 1 8.1.8). */
	if (insn != X87_INSN_REG(0xdb, 0xe3)) {
		const struct x87_env *from =
			insn == X87_INSN_REG(0xdb, 0xe2) ? &before : where;

		after.fip = from->fip;
		after.fcs_fop = from->fcs_fop;
		after.fdp = before.fdp;
		after.fds = before.fds;
	}
	x87_set_env(&after);
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
