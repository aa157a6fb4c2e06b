// SPDX-License-Identifier: GPL-2.0-only
/*
 * SYSCALL, SYSENTER, their returns, SWAPGS and the FS and GS base instructions
 * (SDM 2B; APM 3; where Intel and AMD differ, the guest's vendor decides).
 */
#include "descriptor.h"
#include "exec.h"

static void flat_segment(u16 selector, unsigned int type, bool l, bool db,
			 struct x86_emulator_segment *segment)
{
	*segment = (struct x86_emulator_segment){
		.limit = 0xffffffff, .selector = selector, .type = type, .s = 1,
		.dpl = selector & 3, .present = 1, .l = l, .db = db, .g = 1,
	};
}

/*
 * SYSCALL and SYSRET trap by the TF that they leave (APM 2 13.1.4): a kernel that masks
 * it must not have its first instruction interrupted, on the program's stack.
 */
static void step_by_new_flags(struct x86_emulator *ctx)
{
	ctx->next_step = ctx->next_rflags & FLAG_TF;
}

/* CS and SS of the far side: flat, of the level that CS's RPL says. */
static void enter_flat(struct x86_emulator *ctx, u16 cs_selector, u16 ss_selector,
		       bool l, u64 rip)
{
	struct x86_emulator_segment cs, ss;

	flat_segment(cs_selector, 11, l, !l, &cs);
	flat_segment(ss_selector, 3, false, true, &ss);
	emul_set_segment(ctx, SS, &ss);
	emul_enter_code(ctx, &cs, cs_selector & 3, rip);
}

static int msr(struct x86_emulator *ctx, u32 index, u64 *value)
{
	return emul_gp_on_fault(ctx, ctx->ops->get_msr(ctx, index, value));
}

int exec_syscall(struct x86_emulator *ctx)
{
	bool intel = emul_has(ctx, X86_EMULATOR_FEAT_INTEL), long_mode;
	u64 efer = emul_efer(ctx), star, target, mask;
	u16 selector;
	int r;

	if (!emul_is_protected(ctx) || !emul_has(ctx, X86_EMULATOR_FEAT_SYSCALL) ||
	    !(efer & EFER_SCE_BIT) || (intel && !emul_is_64(ctx)))
		return emul_ud(ctx);
	long_mode = efer & EFER_LMA_BIT;
	r = msr(ctx, MSR_STAR_NR, &star);
	if (r == EMUL_OK && long_mode)
		r = msr(ctx, emul_is_64(ctx) ? MSR_LSTAR_NR : MSR_CSTAR_NR, &target);
	if (r == EMUL_OK && long_mode)
		r = msr(ctx, MSR_SFMASK_NR, &mask);
	if (r != EMUL_OK)
		return r;
	selector = (star >> 32) & 0xfffc;
	if (long_mode) {
		x86_emulator_set_gpr(ctx, RCX, ctx->next_rip);
		x86_emulator_set_gpr(ctx, R11, ctx->next_rflags);
		ctx->next_rflags &= ~mask;
		ctx->next_rflags = (ctx->next_rflags & ~FLAG_RF) | FLAG_FIXED;
	} else {
		x86_emulator_set_gpr(ctx, RCX, (u32)ctx->next_rip);
		ctx->next_rflags &= ~(FLAG_IF | FLAG_VM | FLAG_RF);
		target = (u32)star;
	}
	step_by_new_flags(ctx);
	enter_flat(ctx, selector, selector + 8, long_mode, target);
	return EMUL_OK;
}

int exec_sysret(struct x86_emulator *ctx)
{
	bool intel = emul_has(ctx, X86_EMULATOR_FEAT_INTEL), to_64 = ctx->insn.op_size == 8;
	u64 efer = emul_efer(ctx), star, rip = x86_emulator_get_gpr(ctx, RCX);
	u64 mask = 0x3c7fd7;
	u16 selector;
	int r;

	if (!emul_is_protected(ctx) || !emul_has(ctx, X86_EMULATOR_FEAT_SYSCALL) ||
	    !(efer & EFER_SCE_BIT) || (intel && !emul_is_64(ctx)))
		return emul_ud(ctx);
	if (ctx->cpl)
		return emul_gp(ctx, 0);
	/* AMD's CPUs would fault behind the return; VM entry wants it never there. */
	if (to_64 && !emul_canonical(ctx, rip))
		return emul_gp(ctx, 0);
	r = msr(ctx, MSR_STAR_NR, &star);
	if (r != EMUL_OK)
		return r;
	selector = star >> 48;
	if (efer & EFER_LMA_BIT)
		ctx->next_rflags = (x86_emulator_get_gpr(ctx, R11) & mask) | FLAG_FIXED;
	else
		ctx->next_rflags |= FLAG_IF;
	step_by_new_flags(ctx);
	enter_flat(ctx, (to_64 ? selector + 16 : selector) | 3, (selector + 8) | 3, to_64,
		   to_64 ? rip : (u32)rip);
	return EMUL_OK;
}

/* Where SYSENTER and SYSEXIT aren't: AMD's long mode (APM 3 SYSENTER). */
static bool no_sysenter(struct x86_emulator *ctx)
{
	return !emul_has(ctx, X86_EMULATOR_FEAT_SEP) ||
	       (!emul_has(ctx, X86_EMULATOR_FEAT_INTEL) && emul_long_mode(ctx));
}

int exec_sysenter(struct x86_emulator *ctx)
{
	bool long_mode = emul_long_mode(ctx);
	u64 cs, rip, rsp;
	int r;

	if (no_sysenter(ctx))
		return emul_ud(ctx);
	if (ctx->mode == X86_EMULATOR_REAL)
		return emul_gp(ctx, 0);
	r = msr(ctx, MSR_SYSENTER_CS_NR, &cs);
	if (r == EMUL_OK)
		r = msr(ctx, MSR_SYSENTER_EIP_NR, &rip);
	if (r == EMUL_OK)
		r = msr(ctx, MSR_SYSENTER_ESP_NR, &rsp);
	if (r != EMUL_OK)
		return r;
	if (!(cs & 0xfffc))
		return emul_gp(ctx, 0);
	cs &= 0xfffc;
	ctx->next_rflags &= ~(FLAG_VM | FLAG_IF | FLAG_RF);
	enter_flat(ctx, cs, cs + 8, long_mode, long_mode ? rip : (u32)rip);
	x86_emulator_set_gpr(ctx, RSP, long_mode ? rsp : (u32)rsp);
	return EMUL_OK;
}

int exec_sysexit(struct x86_emulator *ctx)
{
	bool to_64 = ctx->insn.op_size == 8;
	u64 cs, rip = x86_emulator_get_gpr(ctx, RDX), rsp = x86_emulator_get_gpr(ctx, RCX);
	int r;

	if (no_sysenter(ctx))
		return emul_ud(ctx);
	if (!emul_is_protected(ctx) || ctx->cpl)
		return emul_gp(ctx, 0);
	r = msr(ctx, MSR_SYSENTER_CS_NR, &cs);
	if (r != EMUL_OK)
		return r;
	if (!(cs & 0xfffc))
		return emul_gp(ctx, 0);
	if (to_64 && (!emul_canonical(ctx, rip) || !emul_canonical(ctx, rsp)))
		return emul_gp(ctx, 0);
	cs = (cs & 0xfffc) + (to_64 ? 32 : 16);
	enter_flat(ctx, cs | 3, (cs + 8) | 3, to_64, to_64 ? rip : (u32)rip);
	x86_emulator_set_gpr(ctx, RSP, to_64 ? rsp : (u32)rsp);
	return EMUL_OK;
}

/* Both values are read before either is written. */
int exec_swapgs(struct x86_emulator *ctx)
{
	u64 kernel, base;
	int r;

	r = msr(ctx, MSR_KERNEL_GS_BASE_NR, &kernel);
	if (r == EMUL_OK)
		r = msr(ctx, MSR_GS_BASE_NR, &base);
	if (r == EMUL_OK)
		r = emul_gp_on_fault(ctx, ctx->ops->set_msr(ctx, MSR_KERNEL_GS_BASE_NR, base));
	if (r == EMUL_OK)
		r = emul_gp_on_fault(ctx, ctx->ops->set_msr(ctx, MSR_GS_BASE_NR, kernel));
	ctx->segment_valid &= ~(1 << GS);
	return r;
}

/* RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE: arg 0 to 3. */
int exec_fsgsbase(struct x86_emulator *ctx)
{
	u32 index = ctx->insn.op->arg & 1 ? MSR_GS_BASE_NR : MSR_FS_BASE_NR;
	u64 value;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_FSGSBASE) ||
	    !(ctx->ops->get_cr(ctx, 4) & CR4_FSGSBASE_BIT))
		return emul_ud(ctx);
	if (ctx->insn.op->arg < 2) {
		r = msr(ctx, index, &value);
		return r == EMUL_OK ? emul_store(ctx, 0, value) : r;
	}
	r = emul_load(ctx, 0, &value);
	if (r != EMUL_OK)
		return r;
	if (!emul_canonical(ctx, value))
		return emul_gp(ctx, 0);
	ctx->segment_valid &= ~(1 << FS | 1 << GS);
	return emul_gp_on_fault(ctx, ctx->ops->set_msr(ctx, index, value));
}
