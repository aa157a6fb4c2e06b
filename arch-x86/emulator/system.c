// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control and debug registers, descriptor-table registers, MSRs, counters, and
 * the other instructions that reach the machine rather than memory. What a
 * value means and whether it is legal is the owner's to say; here are the checks
 * of mode, CPL and CR4.
 */
#include "internal.h"
#include "exec.h"

int exec_mov_from_cr(struct x86_emulator *ctx)
{
	return emul_store(ctx, 0, ctx->ops->get_cr(ctx, ctx->insn.operand[1].reg));
}

int exec_mov_to_cr(struct x86_emulator *ctx)
{
	u64 value;
	int r = emul_load(ctx, 1, &value);

	if (r != EMUL_OK)
		return r;
	return emul_gp_on_fault(ctx, ctx->ops->set_cr(ctx, ctx->insn.operand[0].reg, value));
}

/*
 * DR4 and DR5 are DR6 and DR7, or #UD with CR4.DE; any access with DR7.GD set is
 * a #DB fault that says BD (SDM 3B 18.2.2, 18.2.4).
 */
static int debug_register(struct x86_emulator *ctx, unsigned int operand, unsigned int *dr)
{
	*dr = ctx->insn.operand[operand].reg;
	if (*dr == 4 || *dr == 5) {
		if (ctx->ops->get_cr(ctx, 4) & CR4_DE_BIT)
			return emul_ud(ctx);
		*dr += 2;
	}
	if (ctx->ops->get_dr(ctx, 7) & DR7_GD_BIT) {
		u64 dr6 = ctx->ops->get_dr(ctx, 6) | DR6_BD_BIT;
		int r = ctx->ops->set_dr(ctx, 6, dr6);

		return r == EMUL_OK ? emul_exception(ctx, VEC_DB) : r;
	}
	return EMUL_OK;
}

int exec_mov_from_dr(struct x86_emulator *ctx)
{
	unsigned int dr;
	int r = debug_register(ctx, 1, &dr);

	return r == EMUL_OK ? emul_store(ctx, 0, ctx->ops->get_dr(ctx, dr)) : r;
}

int exec_mov_to_dr(struct x86_emulator *ctx)
{
	unsigned int dr;
	u64 value;
	int r = debug_register(ctx, 0, &dr);

	if (r == EMUL_OK)
		r = emul_load(ctx, 1, &value);
	if (r != EMUL_OK)
		return r;
	return emul_gp_on_fault(ctx, ctx->ops->set_dr(ctx, dr, value));
}

int exec_clts(struct x86_emulator *ctx)
{
	u64 cr0 = ctx->ops->get_cr(ctx, 0) & ~CR0_TS_BIT;

	return emul_gp_on_fault(ctx, ctx->ops->set_cr(ctx, 0, cr0));
}

/* The low four bits; PE can be set but not cleared. */
int exec_lmsw(struct x86_emulator *ctx)
{
	u64 cr0 = ctx->ops->get_cr(ctx, 0), value;
	int r;

	if (ctx->cpl)
		return emul_gp(ctx, 0);
	r = emul_load(ctx, 0, &value);
	if (r != EMUL_OK)
		return r;
	cr0 = (cr0 & ~0xeull) | (value & 0xf);
	return emul_gp_on_fault(ctx, ctx->ops->set_cr(ctx, 0, cr0));
}

static int check_umip(struct x86_emulator *ctx)
{
	if (ctx->cpl && (ctx->ops->get_cr(ctx, 4) & CR4_UMIP_BIT))
		return emul_gp(ctx, 0);
	return EMUL_OK;
}

int exec_smsw(struct x86_emulator *ctx)
{
	int r = check_umip(ctx);

	return r == EMUL_OK ? emul_store(ctx, 0, ctx->ops->get_cr(ctx, 0)) : r;
}

/* LGDT, LIDT (arg 1). With 16 bit operands the base has 24 bits. */
int exec_load_table(struct x86_emulator *ctx)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[0];
	unsigned int len = emul_is_64(ctx) ? 8 : 4;
	struct x86_emulator_table table = {};
	u8 data[10];
	int r;

	r = emul_read(ctx, operand->seg, operand->value, data, 2 + len, 0);
	if (r != EMUL_OK)
		return r;
	memcpy(&table.limit, data, 2);
	memcpy(&table.base, data + 2, len);
	if (emul_is_64(ctx)) {
		if (!emul_canonical(ctx, table.base))
			return emul_gp(ctx, 0);
	} else if (ctx->insn.op_size == 2) {
		table.base &= 0xffffff;
	}
	if (ctx->insn.op->arg)
		ctx->ops->set_idt(ctx, &table);
	else
		ctx->ops->set_gdt(ctx, &table);
	return EMUL_OK;
}

/* SGDT, SIDT (arg 1). All CPUs since the 386 store the whole base. */
int exec_store_table(struct x86_emulator *ctx)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[0];
	unsigned int len = emul_is_64(ctx) ? 8 : 4;
	struct x86_emulator_table table = {};
	u8 data[10];
	int r;

	r = check_umip(ctx);
	if (r != EMUL_OK)
		return r;
	if (ctx->insn.op->arg)
		ctx->ops->get_idt(ctx, &table);
	else
		ctx->ops->get_gdt(ctx, &table);
	memcpy(data, &table.limit, 2);
	memcpy(data + 2, &table.base, len);
	return emul_write(ctx, operand->seg, operand->value, data, 2 + len);
}

/* SLDT, STR (arg 1). */
int exec_sldt_str(struct x86_emulator *ctx)
{
	int r = check_umip(ctx);

	if (r != EMUL_OK)
		return r;
	return emul_store(ctx, 0, emul_segment(ctx, ctx->insn.op->arg ? TR : LDTR)->selector);
}

int exec_invlpg(struct x86_emulator *ctx)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[0];
	u64 linear;
	int r;

	r = emul_linear(ctx, operand->seg, operand->value, 0, 0, &linear);
	if (r != EMUL_OK)
		return r;
	/* Without effect where the address is not canonical. */
	if (emul_is_64(ctx) && !emul_canonical(ctx, linear))
		return EMUL_OK;
	return ctx->ops->invlpg(ctx, linear);
}

int exec_invpcid(struct x86_emulator *ctx)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[1];
	u64 type, descriptor[2];
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_INVPCID))
		return emul_ud(ctx);
	r = emul_load(ctx, 0, &type);
	if (r == EMUL_OK)
		r = emul_read(ctx, operand->seg, operand->value, descriptor, 16, 0);
	if (r != EMUL_OK)
		return r;
	if (type > 3 || descriptor[0] >> 12)
		return emul_gp(ctx, 0);
	if (type == 0 && !emul_canonical(ctx, descriptor[1]))
		return emul_gp(ctx, 0);
	return emul_gp_on_fault(ctx, ctx->ops->invpcid(ctx, type, descriptor[0],
						       descriptor[1]));
}

int exec_wbinvd(struct x86_emulator *ctx)
{
	return ctx->ops->wbinvd(ctx);
}

/* CLFLUSH, CLFLUSHOPT, CLWB: a byte load for paging and segments, no more. */
int exec_clflush(struct x86_emulator *ctx)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[0];
	u64 linear;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_CLFLUSH))
		return emul_ud(ctx);
	r = emul_linear(ctx, operand->seg, operand->value, 1, 0, &linear);
	if (r != EMUL_OK)
		return r;
	return ctx->ops->probe(ctx, linear, 1, ctx->cpl == 3 ? X86_EMULATOR_USER : 0);
}

static void write_edx_eax(struct x86_emulator *ctx, u64 value)
{
	emul_write_reg(ctx, RAX, 4, value);
	emul_write_reg(ctx, RDX, 4, value >> 32);
}

static u64 read_edx_eax(struct x86_emulator *ctx)
{
	return emul_read_reg(ctx, RDX, 4) << 32 | emul_read_reg(ctx, RAX, 4);
}

int exec_rdmsr(struct x86_emulator *ctx)
{
	u64 value;
	int r = ctx->ops->get_msr(ctx, emul_read_reg(ctx, RCX, 4), &value);

	if (r == EMUL_OK)
		write_edx_eax(ctx, value);
	return emul_gp_on_fault(ctx, r);
}

int exec_wrmsr(struct x86_emulator *ctx)
{
	u32 index = emul_read_reg(ctx, RCX, 4);

	return emul_gp_on_fault(ctx, ctx->ops->set_msr(ctx, index, read_edx_eax(ctx)));
}

int exec_rdtsc(struct x86_emulator *ctx)
{
	if (ctx->cpl && (ctx->ops->get_cr(ctx, 4) & CR4_TSD_BIT))
		return emul_gp(ctx, 0);
	write_edx_eax(ctx, ctx->ops->rdtsc(ctx));
	return EMUL_OK;
}

int exec_rdtscp(struct x86_emulator *ctx)
{
	u64 aux;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_RDTSCP))
		return emul_ud(ctx);
	r = exec_rdtsc(ctx);
	if (r == EMUL_OK)
		r = emul_gp_on_fault(ctx, ctx->ops->get_msr(ctx, MSR_TSC_AUX_NR, &aux));
	if (r == EMUL_OK)
		emul_write_reg(ctx, RCX, 4, aux);
	return r;
}

int exec_rdpid(struct x86_emulator *ctx)
{
	u64 aux;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_RDPID))
		return emul_ud(ctx);
	r = emul_gp_on_fault(ctx, ctx->ops->get_msr(ctx, MSR_TSC_AUX_NR, &aux));
	return r == EMUL_OK ? emul_store(ctx, 0, (u32)aux) : r;
}

int exec_rdpmc(struct x86_emulator *ctx)
{
	u64 value;
	int r;

	if (ctx->cpl && !(ctx->ops->get_cr(ctx, 4) & CR4_PCE_BIT))
		return emul_gp(ctx, 0);
	r = ctx->ops->rdpmc(ctx, emul_read_reg(ctx, RCX, 4), &value);
	if (r == EMUL_OK)
		write_edx_eax(ctx, value);
	return emul_gp_on_fault(ctx, r);
}

int exec_cpuid(struct x86_emulator *ctx)
{
	u32 regs[4] = { emul_read_reg(ctx, RAX, 4), emul_read_reg(ctx, RCX, 4) };
	int r = emul_gp_on_fault(ctx, ctx->ops->cpuid(ctx, regs));

	if (r != EMUL_OK)
		return r;
	emul_write_reg(ctx, RAX, 4, regs[0]);
	emul_write_reg(ctx, RBX, 4, regs[1]);
	emul_write_reg(ctx, RCX, 4, regs[2]);
	emul_write_reg(ctx, RDX, 4, regs[3]);
	return EMUL_OK;
}

static bool has_xcr(struct x86_emulator *ctx)
{
	return emul_has(ctx, X86_EMULATOR_FEAT_XSAVE) &&
	       (ctx->ops->get_cr(ctx, 4) & CR4_OSXSAVE_BIT);
}

int exec_xgetbv(struct x86_emulator *ctx)
{
	u32 index = emul_read_reg(ctx, RCX, 4);

	if (!has_xcr(ctx))
		return emul_ud(ctx);
	/* XCR1 is which state is in use: only the CPU knows. */
	if (index == 1)
		return EMUL_UNHANDLEABLE;
	if (index)
		return emul_gp(ctx, 0);
	write_edx_eax(ctx, ctx->ops->get_xcr0(ctx));
	return EMUL_OK;
}

int exec_xsetbv(struct x86_emulator *ctx)
{
	u32 index = emul_read_reg(ctx, RCX, 4);

	if (!has_xcr(ctx))
		return emul_ud(ctx);
	if (ctx->cpl)
		return emul_gp(ctx, 0);
	return emul_gp_on_fault(ctx, ctx->ops->set_xcr(ctx, index, read_edx_eax(ctx)));
}

int exec_hlt(struct x86_emulator *ctx)
{
	return ctx->ops->hlt(ctx);
}

int exec_hypercall(struct x86_emulator *ctx)
{
	return ctx->ops->hypercall(ctx);
}

int exec_rsm(struct x86_emulator *ctx)
{
	int r;

	if (!ctx->ops->rsm)
		return emul_ud(ctx);
	r = ctx->ops->rsm(ctx);
	if (r == EMUL_OK)
		ctx->no_writeback = true;
	return r;
}

/* CLAC (arg 0), STAC. #UD, not #GP, above CPL 0. */
int exec_ac(struct x86_emulator *ctx)
{
	if (!emul_has(ctx, X86_EMULATOR_FEAT_SMAP) || ctx->cpl)
		return emul_ud(ctx);
	emul_flags_set(ctx, FLAG_AC, ctx->insn.op->arg);
	return EMUL_OK;
}
