// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator's view of a vCPU: registers, segments, tables, control and debug
 * registers, MSRs, CPUID, vectors; all by the calls that the intercepts of the
 * same instructions use, so that their checks are made in one place.
 */
#include <linux/sched/signal.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/msr.h"
#include "arch-x86/cpu/smm.h"
#include "arch-x86/emulate.h"
#include "arch-x86/events.h"
#include "arch-x86/io.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/regs.h"
#include "arch-x86/time/time.h"
#include "arch-x86/vendor_call.h"

/* The handlers say 1 for #GP(0); the emulator fills it in. */
static int gp_if(int err)
{
	return err ? X86_EMULATOR_FAULT : X86_EMULATOR_CONTINUE;
}

/* ---- registers -------------------------------------------------------------- */

static u64 emul_get_gpr(struct x86_emulator *ctx, unsigned int reg)
{
	return x86_reg_read(emul_vcpu(ctx), reg & 15);
}

static void emul_set_gpr(struct x86_emulator *ctx, unsigned int reg, u64 value)
{
	x86_reg_write(emul_vcpu(ctx), reg & 15, value);
}

static enum x86_seg seg_of(unsigned int seg)
{
	static const u8 map[X86_EMULATOR_NR_SEGMENTS] = {
		[X86_EMULATOR_ES] = X86_SEG_ES, [X86_EMULATOR_CS] = X86_SEG_CS,
		[X86_EMULATOR_SS] = X86_SEG_SS, [X86_EMULATOR_DS] = X86_SEG_DS,
		[X86_EMULATOR_FS] = X86_SEG_FS, [X86_EMULATOR_GS] = X86_SEG_GS,
		[X86_EMULATOR_LDTR] = X86_SEG_LDTR, [X86_EMULATOR_TR] = X86_SEG_TR,
	};

	return map[seg];
}

static void emul_get_segment(struct x86_emulator *ctx, unsigned int seg,
			     struct x86_emulator_segment *s)
{
	struct kvm_segment var = {};

	vendor_call(get_segment)(emul_vcpu(ctx), &var, seg_of(seg));
	*s = (struct x86_emulator_segment) {
		.base = var.base, .limit = var.limit, .selector = var.selector,
		.type = var.type, .s = var.s, .dpl = var.dpl, .present = var.present,
		.avl = var.avl, .l = var.l, .db = var.db, .g = var.g,
		.unusable = var.unusable,
	};
}

static void emul_set_segment(struct x86_emulator *ctx, unsigned int seg,
			     const struct x86_emulator_segment *s)
{
	struct kvm_segment var = {
		.base = s->base, .limit = s->limit, .selector = s->selector,
		.type = s->type, .s = s->s, .dpl = s->dpl, .present = s->present,
		.avl = s->avl, .l = s->l, .db = s->db, .g = s->g,
		.unusable = s->unusable,
	};

	vendor_call(set_segment)(emul_vcpu(ctx), &var, seg_of(seg));
}

static void emul_get_gdt(struct x86_emulator *ctx, struct x86_emulator_table *t)
{
	struct x86_desc_table dt;

	vendor_call(get_gdt)(emul_vcpu(ctx), &dt);
	*t = (struct x86_emulator_table) { dt.base, dt.limit };
}

static void emul_set_gdt(struct x86_emulator *ctx, const struct x86_emulator_table *t)
{
	struct x86_desc_table dt = { t->base, t->limit };

	vendor_call(set_gdt)(emul_vcpu(ctx), &dt);
}

static void emul_get_idt(struct x86_emulator *ctx, struct x86_emulator_table *t)
{
	struct x86_desc_table dt;

	vendor_call(get_idt)(emul_vcpu(ctx), &dt);
	*t = (struct x86_emulator_table) { dt.base, dt.limit };
}

static void emul_set_idt(struct x86_emulator *ctx, const struct x86_emulator_table *t)
{
	struct x86_desc_table dt = { t->base, t->limit };

	vendor_call(set_idt)(emul_vcpu(ctx), &dt);
}

static void emul_set_cpl(struct x86_emulator *ctx, unsigned int cpl)
{
	/*
	 * Nothing of its own: whatever changes CPL loads SS with that DPL, too
	 * (SDM 3A 5.5), and the vendor takes CPL from there.
	 */
}

/* ---- control, debug, MSRs, CPUID ---------------------------------------------- */

static u64 emul_get_cr(struct x86_emulator *ctx, unsigned int cr)
{
	struct x86_vcpu *vcpu = emul_vcpu(ctx);

	switch (cr) {
	case 0:
		return x86_cr0(vcpu);
	case 2:
		return vcpu->cr2;
	case 3:
		return x86_cr3(vcpu);
	case 4:
		return x86_cr4(vcpu);
	case 8:
		return x86_get_cr8(vcpu);
	}
	return 0;
}

static int emul_set_cr(struct x86_emulator *ctx, unsigned int cr, u64 value)
{
	struct x86_vcpu *vcpu = emul_vcpu(ctx);
	u64 old;

	switch (cr) {
	case 0:
		return gp_if(x86_set_cr0(vcpu, value));
	case 2:
		vcpu->cr2 = value;
		return X86_EMULATOR_CONTINUE;
	case 3:
		return gp_if(x86_set_cr3(vcpu, value));
	case 4:
		return gp_if(x86_set_cr4(vcpu, value));
	case 8:
		old = x86_get_cr8(vcpu);
		if (x86_set_cr8(vcpu, value))
			return X86_EMULATOR_FAULT;
		/* User space has the APIC, and waits for a lower priority. */
		if (!x86_has_lapic(vcpu) && value < old)
			vcpu->io.tpr_exit = true;
		return X86_EMULATOR_CONTINUE;
	}
	return X86_EMULATOR_UNHANDLEABLE;
}

static u64 emul_get_dr(struct x86_emulator *ctx, unsigned int dr)
{
	return x86_get_dr(emul_vcpu(ctx), dr);
}

static int emul_set_dr(struct x86_emulator *ctx, unsigned int dr, u64 value)
{
	return gp_if(x86_set_dr(emul_vcpu(ctx), dr, value));
}

static u64 emul_get_xcr0(struct x86_emulator *ctx)
{
	return emul_vcpu(ctx)->xcr0;
}

static int emul_set_xcr(struct x86_emulator *ctx, u32 index, u64 value)
{
	return gp_if(x86_set_xcr(emul_vcpu(ctx), index, value));
}

/*
 * SYSCALL and the like read MSRs, too, but only RDMSR and WRMSR ask the filter, and
 * only these can be finished by user space (KVM_CAP_X86_USER_SPACE_MSR).
 */
static int emul_get_msr(struct x86_emulator *ctx, u32 index, u64 *value)
{
	struct x86_vcpu *vcpu = emul_vcpu(ctx);
	bool insn = ctx->insn.id == X86_EMULATOR_INSN_RDMSR;
	bool filtered = insn && !x86_msr_allowed(vcpu, index, KVM_MSR_FILTER_READ);

	if (!filtered && !x86_get_msr(vcpu, index, value, false))
		return X86_EMULATOR_CONTINUE;
	if (insn && x86_msr_user_exit(vcpu, index, false, 0, filtered))
		return X86_EMULATOR_IO_NEEDED;
	return X86_EMULATOR_FAULT;
}

static int emul_set_msr(struct x86_emulator *ctx, u32 index, u64 value)
{
	struct x86_vcpu *vcpu = emul_vcpu(ctx);
	bool insn = ctx->insn.id == X86_EMULATOR_INSN_WRMSR;
	bool filtered = insn && !x86_msr_allowed(vcpu, index, KVM_MSR_FILTER_WRITE);

	if (!filtered && !x86_set_msr(vcpu, index, value, false))
		return X86_EMULATOR_CONTINUE;
	if (insn && x86_msr_user_exit(vcpu, index, true, value, filtered))
		return X86_EMULATOR_IO_NEEDED;
	return X86_EMULATOR_FAULT;
}

static int emul_cpuid(struct x86_emulator *ctx, u32 regs[4])
{
	struct x86_vcpu *vcpu = emul_vcpu(ctx);
	u32 ecx = regs[1];

	if ((vcpu->msr_misc_features & MSR_MISC_FEATURES_ENABLES_CPUID_FAULT) && ctx->cpl)
		return X86_EMULATOR_FAULT;
	x86_cpuid(vcpu, &regs[0], &regs[1], &ecx, &regs[3], NULL);
	regs[2] = ecx;
	return X86_EMULATOR_CONTINUE;
}

static u64 emul_rdtsc(struct x86_emulator *ctx)
{
	return x86_guest_tsc(emul_vcpu(ctx), rdtsc());
}

static int emul_rdpmc(struct x86_emulator *ctx, u32 index, u64 *value)
{
	/* There is no PMU yet: no counter has a valid index. */
	return X86_EMULATOR_FAULT;
}

/* ---- instructions that reach outside --------------------------------------------- */

static int emul_io_in(struct x86_emulator *ctx, u16 port, unsigned int size, void *data,
		      unsigned int count)
{
	return x86_io_read(emul_vcpu(ctx), port, size, data, size * count);
}

static int emul_io_out(struct x86_emulator *ctx, u16 port, unsigned int size,
		       const void *data, unsigned int count)
{
	return x86_io_write_port(emul_vcpu(ctx), port, size, data, count);
}

static void emul_retired(struct x86_emulator *ctx)
{
	struct x86_vcpu *vcpu = emul_vcpu(ctx);
	struct x86_io *io = &vcpu->io;

	io->nr_reads = 0;
	io->next_read = 0;
	io->data_used = 0;
	/* The next iteration's address is another one. */
	vcpu->gpa_available = false;
}

static bool emul_should_yield(struct x86_emulator *ctx)
{
	return kvm_request_pending(&emul_vcpu(ctx)->core) || signal_pending(current) ||
	       need_resched();
}

static int emul_hlt(struct x86_emulator *ctx)
{
	emul_vcpu(ctx)->io.halted = true;
	return X86_EMULATOR_CONTINUE;
}

static int emul_invlpg(struct x86_emulator *ctx, u64 linear)
{
	x86_mmu_invlpg(emul_vcpu(ctx), linear);
	return X86_EMULATOR_CONTINUE;
}

/* SDM 2A, INVPCID: 0 one address, 1 one PCID, 2 all with globals, 3 all. */
static int emul_invpcid(struct x86_emulator *ctx, u64 type, u64 pcid, u64 linear)
{
	struct x86_vcpu *vcpu = emul_vcpu(ctx);
	unsigned int bits = x86_cr4_is(vcpu, X86_CR4_LA57) ? 57 : 48;

	if (type > 3 || pcid >> 12)
		return X86_EMULATOR_FAULT;
	if (type <= 1 && pcid && !x86_cr4_is(vcpu, X86_CR4_PCIDE))
		return X86_EMULATOR_FAULT;
	if (type == 0 && sign_extend64(linear, bits - 1) != linear)
		return X86_EMULATOR_FAULT;
	kvm_make_request(X86_REQ_TLB_FLUSH_GUEST, &vcpu->core);
	return X86_EMULATOR_CONTINUE;
}

static int emul_wbinvd(struct x86_emulator *ctx)
{
	/* No device of the guest's is incoherent with the caches: nothing to write back. */
	return X86_EMULATOR_CONTINUE;
}

bool x86_emul_is_hypercall(const struct x86_emulator *ctx)
{
	u8 insn[3];

	vendor_call(patch_hypercall)(container_of(ctx, struct x86_vcpu, emul), insn);
	return ctx->insn.nr_bytes >= 3 && ctx->insn.length == 3 &&
	       !memcmp(ctx->insn.bytes, insn, 3);
}

/*
 * VMCALL on AMD or VMMCALL on Intel: written over with the one that this CPU
 * traps, once, and executed again. Where that can't be written, it is the #UD that
 * the CPU says. The right one is never emulated: the guest executes it.
 */
static int emul_hypercall(struct x86_emulator *ctx)
{
	struct x86_vcpu *vcpu = emul_vcpu(ctx);
	struct x86_emulator_segment cs;
	u8 insn[3];
	int r;

	if (x86_emul_is_hypercall(ctx))
		return X86_EMULATOR_RETRY;
	if (x86_vcpu_vm(vcpu)->disabled_quirks & KVM_X86_QUIRK_FIX_HYPERCALL_INSN)
		goto ud;
	vendor_call(patch_hypercall)(vcpu, insn);
	emul_get_segment(ctx, X86_EMULATOR_CS, &cs);
	r = vcpu_emul_write(ctx, ctx->mode == X86_EMULATOR_PROT64 ? ctx->rip :
			(u32)(cs.base + ctx->rip), insn, sizeof(insn), 0);
	if (r == X86_EMULATOR_FAULT)
		goto ud;
	if (r != X86_EMULATOR_CONTINUE)
		return r;
	/* Code in ROM stays what it is: executed again, it would come back for ever. */
	if (!ctx->io_pending)
		return X86_EMULATOR_RETRY;
	x86_io_begin(vcpu);
ud:
	ctx->exception = (struct x86_emulator_exception) { .vector = UD_VECTOR };
	return X86_EMULATOR_FAULT;
}

static int emul_rsm(struct x86_emulator *ctx)
{
	struct x86_vcpu *vcpu = emul_vcpu(ctx);

	if (!vcpu->in_smm) {
		ctx->exception = (struct x86_emulator_exception) { .vector = UD_VECTOR };
		return X86_EMULATOR_FAULT;
	}
	x86_smm_leave(vcpu);
	return X86_EMULATOR_CONTINUE;
}

static void emul_unblock_nmi(struct x86_emulator *ctx)
{
	vendor_call(set_nmi_mask)(emul_vcpu(ctx), false);
	/* One may have waited. */
	kvm_make_request(X86_REQ_EVENT, &emul_vcpu(ctx)->core);
}

/* ---- all together --------------------------------------------------------------------- */

const struct x86_emulator_ops x86_emul_ops = {
	.get_gpr = emul_get_gpr,
	.set_gpr = emul_set_gpr,
	.read = vcpu_emul_read,
	.write = vcpu_emul_write,
	.probe = emul_probe,
	.cmpxchg = emul_cmpxchg,
	.io_in = emul_io_in,
	.io_out = emul_io_out,
	.retired = emul_retired,
	.should_yield = emul_should_yield,
	.get_segment = emul_get_segment,
	.set_segment = emul_set_segment,
	.get_gdt = emul_get_gdt,
	.set_gdt = emul_set_gdt,
	.get_idt = emul_get_idt,
	.set_idt = emul_set_idt,
	.set_cpl = emul_set_cpl,
	.get_cr = emul_get_cr,
	.set_cr = emul_set_cr,
	.get_dr = emul_get_dr,
	.set_dr = emul_set_dr,
	.get_xcr0 = emul_get_xcr0,
	.set_xcr = emul_set_xcr,
	.get_msr = emul_get_msr,
	.set_msr = emul_set_msr,
	.cpuid = emul_cpuid,
	.rdtsc = emul_rdtsc,
	.rdpmc = emul_rdpmc,
	.hlt = emul_hlt,
	.invlpg = emul_invlpg,
	.invpcid = emul_invpcid,
	.wbinvd = emul_wbinvd,
	.hypercall = emul_hypercall,
	.rsm = emul_rsm,
	.unblock_nmi = emul_unblock_nmi,
	.read_vector = emul_read_vector,
	.write_vector = emul_write_vector,
	.x87_pending = emul_x87_pending,
	.x87_load = emul_x87_load,
	.x87_store = emul_x87_store,
	.x87_register = emul_x87_register,
	.read_mmx = emul_read_mmx,
	.write_mmx = emul_write_mmx,
};

struct x86_fault_info x86_emul_get_exception(const struct x86_emulator *ctx)
{
	const struct x86_emulator_exception *e = &ctx->exception;

	return (struct x86_fault_info) {
		.vector = e->vector,
		.error_code_valid = e->has_error_code,
		.error_code = e->error_code,
		.address = e->address,
		.nested_page_fault = e->nested_page_fault,
	};
}

void x86_vcpu_emulator_init(struct x86_vcpu *vcpu)
{
	vcpu->emul.ops = &x86_emul_ops;
}

void x86_emulator_cpuid_changed(struct x86_vcpu *vcpu)
{
	static const struct {
		u64 emul;
		unsigned int feature;
	} map[] = {
		{ X86_EMULATOR_FEAT_LM, X86_FEATURE_LM },
		{ X86_EMULATOR_FEAT_MMX, X86_FEATURE_MMX },
		{ X86_EMULATOR_FEAT_SSE, X86_FEATURE_XMM },
		{ X86_EMULATOR_FEAT_SSE2, X86_FEATURE_XMM2 },
		{ X86_EMULATOR_FEAT_SSE3, X86_FEATURE_XMM3 },
		{ X86_EMULATOR_FEAT_SSE4_1, X86_FEATURE_XMM4_1 },
		{ X86_EMULATOR_FEAT_SSE4_2, X86_FEATURE_XMM4_2 },
		{ X86_EMULATOR_FEAT_AVX, X86_FEATURE_AVX },
		{ X86_EMULATOR_FEAT_AVX2, X86_FEATURE_AVX2 },
		{ X86_EMULATOR_FEAT_MOVBE, X86_FEATURE_MOVBE },
		{ X86_EMULATOR_FEAT_POPCNT, X86_FEATURE_POPCNT },
		{ X86_EMULATOR_FEAT_LZCNT, X86_FEATURE_ABM },
		{ X86_EMULATOR_FEAT_BMI1, X86_FEATURE_BMI1 },
		{ X86_EMULATOR_FEAT_BMI2, X86_FEATURE_BMI2 },
		{ X86_EMULATOR_FEAT_ADX, X86_FEATURE_ADX },
		{ X86_EMULATOR_FEAT_CX8, X86_FEATURE_CX8 },
		{ X86_EMULATOR_FEAT_CX16, X86_FEATURE_CX16 },
		{ X86_EMULATOR_FEAT_CMOV, X86_FEATURE_CMOV },
		{ X86_EMULATOR_FEAT_SEP, X86_FEATURE_SEP },
		{ X86_EMULATOR_FEAT_SYSCALL, X86_FEATURE_SYSCALL },
		{ X86_EMULATOR_FEAT_RDTSCP, X86_FEATURE_RDTSCP },
		{ X86_EMULATOR_FEAT_RDPID, X86_FEATURE_RDPID },
		{ X86_EMULATOR_FEAT_FSGSBASE, X86_FEATURE_FSGSBASE },
		{ X86_EMULATOR_FEAT_SMAP, X86_FEATURE_SMAP },
		{ X86_EMULATOR_FEAT_INVPCID, X86_FEATURE_INVPCID },
		{ X86_EMULATOR_FEAT_XSAVE, X86_FEATURE_XSAVE },
		{ X86_EMULATOR_FEAT_MONITOR, X86_FEATURE_MWAIT },
		{ X86_EMULATOR_FEAT_CLFLUSH, X86_FEATURE_CLFLUSH },
		{ X86_EMULATOR_FEAT_SVM, X86_FEATURE_SVM },
		{ X86_EMULATOR_FEAT_WBNOINVD, X86_FEATURE_WBNOINVD },
		{ X86_EMULATOR_FEAT_LAHF64, X86_FEATURE_LAHF_LM },
		{ X86_EMULATOR_FEAT_AVX512F, X86_FEATURE_AVX512F },
		{ X86_EMULATOR_FEAT_AVX512VL, X86_FEATURE_AVX512VL },
		{ X86_EMULATOR_FEAT_AVX512BW, X86_FEATURE_AVX512BW },
		{ X86_EMULATOR_FEAT_MOVDIRI, X86_FEATURE_MOVDIRI },
	};
	u64 features = guest_cpuid_is_intel(vcpu) ? X86_EMULATOR_FEAT_INTEL : 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(map); i++)
		if (guest_cpuid_has(vcpu, map[i].feature))
			features |= map[i].emul;
	vcpu->emul.features = features;
}
