// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control registers, EFER, XCR0 and RFLAGS as the guest writes them: every check
 * that the manuals ask for, then the vendor, then those who depend on the value
 * (MMU, CPUID, TLB). And the lazily read registers. The user's interface to all of
 * it (KVM_SET_SREGS ...) is in sregs.c.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <asm/fpu/xcr.h>
#include <asm/fpu/xstate.h>
#include <asm/processor-flags.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/fpu.h"
#include "arch-x86/events.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/regs.h"
#include "arch-x86/vendor_call.h"

void x86_cache_reg(struct x86_vcpu *vcpu, enum x86_reg reg)
{
	vendor_call(cache_reg)(vcpu, reg);
	__set_bit(reg, &vcpu->regs_avail);
}
EXPORT_SYMBOL_GPL(x86_cache_reg);

bool x86_is_64bit_mode(struct x86_vcpu *vcpu)
{
	int db, l;

	if (!x86_is_long_mode(vcpu))
		return false;
	vendor_call(get_cs_db_l)(vcpu, &db, &l);
	return l;
}
EXPORT_SYMBOL_GPL(x86_is_64bit_mode);

unsigned long x86_get_linear_rip(struct x86_vcpu *vcpu)
{
	if (x86_is_64bit_mode(vcpu))
		return x86_rip_read(vcpu);
	return (u32)(vendor_call(get_segment_base)(vcpu, X86_SEG_CS) + x86_rip_read(vcpu));
}
EXPORT_SYMBOL_GPL(x86_get_linear_rip);

unsigned long x86_get_rflags(struct x86_vcpu *vcpu)
{
	unsigned long rflags = vendor_call(get_rflags)(vcpu);

	if (vcpu->core.guest_debug & KVM_GUESTDBG_SINGLESTEP)
		rflags &= ~X86_EFLAGS_TF;
	return rflags;
}
EXPORT_SYMBOL_GPL(x86_get_rflags);

void x86_set_rflags(struct x86_vcpu *vcpu, unsigned long rflags)
{
	if ((vcpu->core.guest_debug & KVM_GUESTDBG_SINGLESTEP) &&
	    vcpu->singlestep_rip == x86_get_linear_rip(vcpu))
		rflags |= X86_EFLAGS_TF;
	/*
	 * Only IF decides what can be injected. A request for no reason would
	 * cancel an injection that is under way, again and again.
	 */
	if ((vendor_call(get_rflags)(vcpu) ^ rflags) & X86_EFLAGS_IF)
		kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	vendor_call(set_rflags)(vcpu, rflags | X86_EFLAGS_FIXED);
}
EXPORT_SYMBOL_GPL(x86_set_rflags);

/* ---- CR0 ------------------------------------------------------------------ */

#define CR0_DEFINED	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | \
			 X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | \
			 X86_CR0_PG)

bool x86_cr0_valid(u64 cr0)
{
	if (cr0 >> 32)
		return false;
	if ((cr0 & X86_CR0_PG) && !(cr0 & X86_CR0_PE))
		return false;
	return !(cr0 & X86_CR0_NW) || (cr0 & X86_CR0_CD);
}

void x86_cr0_written(struct x86_vcpu *vcpu, u64 old, u64 new)
{
	u64 changed = old ^ new;

	/* EFER.LMA is LME and PG (SDM 3A 9.8.5, APM 2 14.6.1). */
	if ((changed & X86_CR0_PG) && (vcpu->efer & EFER_LME)) {
		u64 efer = vcpu->efer & ~EFER_LMA;

		if (new & X86_CR0_PG)
			efer |= EFER_LMA;
		vendor_call(set_efer)(vcpu, efer);
	}
	/* SDM 3A 4.10.4.1: a change of PG drops all translations. */
	if (changed & X86_CR0_PG)
		kvm_make_request(X86_REQ_TLB_FLUSH_GUEST, &vcpu->core);
	if (changed & (X86_CR0_PG | X86_CR0_WP | X86_CR0_PE))
		x86_mmu_reset_context(vcpu);
}
EXPORT_SYMBOL_GPL(x86_cr0_written);

int x86_set_cr0(struct x86_vcpu *vcpu, u64 cr0)
{
	u64 old = x86_cr0(vcpu);
	u64 changed;

	if (!x86_cr0_valid(cr0))
		return 1;
	/* Reserved bits of the low half are ignored; ET is always 1 (SDM 3A 2.5). */
	cr0 = (cr0 & CR0_DEFINED) | X86_CR0_ET;
	changed = old ^ cr0;

	if ((changed & X86_CR0_PG) && (cr0 & X86_CR0_PG)) {
		if (vcpu->efer & EFER_LME) {
			int db, l;

			/* Into long mode: needs PAE, and not from a 64-bit CS. */
			if (!x86_is_pae(vcpu))
				return 1;
			vendor_call(get_cs_db_l)(vcpu, &db, &l);
			if (l)
				return 1;
		}
	} else if (changed & X86_CR0_PG) {
		if (x86_cr4_is(vcpu, X86_CR4_PCIDE) || x86_is_64bit_mode(vcpu))
			return 1;
	}
	/* PAE paging (re)loads the PDPTEs on a change of PG, CD or NW (SDM 3A 4.4.1). */
	if ((cr0 & X86_CR0_PG) && !(vcpu->efer & EFER_LME) && x86_is_pae(vcpu) &&
	    (changed & (X86_CR0_PG | X86_CR0_CD | X86_CR0_NW)) &&
	    !x86_load_pdptrs(vcpu, x86_cr3(vcpu)))
		return 1;

	vendor_call(set_cr0)(vcpu, cr0);
	x86_cr0_written(vcpu, old, cr0);
	return 0;
}
EXPORT_SYMBOL_GPL(x86_set_cr0);

/* ---- CR3 ------------------------------------------------------------------ */

bool x86_cr3_valid(struct x86_vcpu *vcpu, u64 cr3)
{
	return !(cr3 & vcpu->reserved_gpa_bits);
}

int x86_set_cr3(struct x86_vcpu *vcpu, u64 cr3)
{
	bool keep_tlb = false;

	if (x86_is_long_mode(vcpu)) {
		/* Bit 63 asks to keep the new PCID's translations; it is not stored. */
		if (x86_cr4_is(vcpu, X86_CR4_PCIDE)) {
			keep_tlb = cr3 & X86_CR3_PCID_NOFLUSH;
			cr3 &= ~X86_CR3_PCID_NOFLUSH;
		}
		if (!x86_cr3_valid(vcpu, cr3))
			return 1;
	} else {
		cr3 = (u32)cr3;
		if (x86_is_pae_paging(vcpu) && !x86_load_pdptrs(vcpu, cr3))
			return 1;
	}
	vcpu->cr3 = cr3;
	x86_reg_mark_dirty(vcpu, X86_REG_CR3);
	x86_mmu_new_cr3(vcpu, cr3);
	if (x86_vendor_caps()->npt)
		vendor_call(set_cr3)(vcpu, cr3);
	if (!keep_tlb)
		kvm_make_request(X86_REQ_TLB_FLUSH_GUEST, &vcpu->core);
	return 0;
}
EXPORT_SYMBOL_GPL(x86_set_cr3);

/* ---- CR4 ------------------------------------------------------------------ */

bool x86_cr4_valid(struct x86_vcpu *vcpu, u64 cr4)
{
	return !(cr4 & vcpu->cr4_guest_rsvd_bits) && vendor_call(is_valid_cr4)(vcpu, cr4);
}

void x86_cr4_written(struct x86_vcpu *vcpu, u64 old, u64 new)
{
	u64 changed = old ^ new;

	if (changed & (X86_CR4_OSXSAVE | X86_CR4_PKE))
		x86_cpuid_update_runtime(vcpu);
	/* SDM 3A 4.10.4.1: what these changes invalidate. */
	if ((changed & (X86_CR4_PGE | X86_CR4_PAE | X86_CR4_PSE | X86_CR4_LA57)) ||
	    (changed & old & X86_CR4_PCIDE) || (changed & new & X86_CR4_SMEP))
		kvm_make_request(X86_REQ_TLB_FLUSH_GUEST, &vcpu->core);
	if (changed & (X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_LA57 | X86_CR4_SMEP |
		       X86_CR4_SMAP | X86_CR4_PKE | X86_CR4_PCIDE))
		x86_mmu_reset_context(vcpu);
}
EXPORT_SYMBOL_GPL(x86_cr4_written);

int x86_set_cr4(struct x86_vcpu *vcpu, u64 cr4)
{
	u64 old = x86_cr4(vcpu);
	u64 changed = old ^ cr4;

	if (!x86_cr4_valid(vcpu, cr4))
		return 1;
	if (x86_is_long_mode(vcpu)) {
		if (!(cr4 & X86_CR4_PAE) || (changed & X86_CR4_LA57))
			return 1;
	} else if (x86_is_paging(vcpu) && (cr4 & X86_CR4_PAE) &&
		   (changed & (X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PSE | X86_CR4_SMEP)) &&
		   !x86_load_pdptrs(vcpu, x86_cr3(vcpu))) {
		return 1;
	}
	if ((changed & cr4 & X86_CR4_PCIDE) &&
	    (!x86_is_long_mode(vcpu) || (x86_cr3(vcpu) & CR3_PCID)))
		return 1;

	vendor_call(set_cr4)(vcpu, cr4);
	x86_cr4_written(vcpu, old, cr4);
	return 0;
}
EXPORT_SYMBOL_GPL(x86_set_cr4);

/* ---- CR8 ------------------------------------------------------------------ */

int x86_set_cr8(struct x86_vcpu *vcpu, u64 cr8)
{
	if (cr8 & ~0xfULL)
		return 1;
	if (x86_has_lapic(vcpu))
		x86_lapic_set_tpr(vcpu, cr8);
	else
		vcpu->cr8 = cr8;
	return 0;
}
EXPORT_SYMBOL_GPL(x86_set_cr8);

u64 x86_get_cr8(struct x86_vcpu *vcpu)
{
	return x86_has_lapic(vcpu) ? x86_lapic_get_cr8(vcpu) : vcpu->cr8;
}
EXPORT_SYMBOL_GPL(x86_get_cr8);

/* ---- EFER ----------------------------------------------------------------- */

/* Bits that this host can run a guest with, or with @vcpu, that it may set. */
static u64 efer_allowed(struct x86_vcpu *vcpu)
{
	static const struct {
		u64 bit;
		unsigned int feature;
	} gated[] = {
		{ EFER_SCE, X86_FEATURE_SYSCALL },
		{ EFER_LME | EFER_LMA, X86_FEATURE_LM },
		{ EFER_NX, X86_FEATURE_NX },
		{ EFER_SVME, X86_FEATURE_SVM },
		{ EFER_FFXSR, X86_FEATURE_FXSR_OPT },
		{ X86_EFER_AUTOIBRS, GUEST_FEATURE_AUTOIBRS },
	};
	u64 allowed = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(gated); i++)
		if (vcpu ? guest_cpuid_has(vcpu, gated[i].feature) :
			   x86_cpu_cap_has(gated[i].feature))
			allowed |= gated[i].bit;
	/* Intel shows SYSCALL's bit in 64-bit mode only; the MSR takes SCE in all. */
	if (vcpu && (allowed & EFER_LME))
		allowed |= EFER_SCE;
	return allowed;
}

bool x86_efer_valid(u64 efer)
{
	return !(efer & ~efer_allowed(NULL));
}

int x86_set_efer(struct x86_vcpu *vcpu, u64 efer, bool host)
{
	u64 old = vcpu->efer;

	if (!x86_efer_valid(efer))
		return 1;
	if (!host) {
		if (efer & ~efer_allowed(vcpu))
			return 1;
		if (x86_is_paging(vcpu) && ((efer ^ old) & EFER_LME))
			return 1;
	}
	/* LMA is the CPU's. */
	efer = (efer & ~EFER_LMA) | (old & EFER_LMA);
	if (efer == old)
		return 0;
	if (vendor_call(set_efer)(vcpu, efer))
		return 1;
	if ((efer ^ old) & EFER_NX) {
		kvm_make_request(X86_REQ_TLB_FLUSH_GUEST, &vcpu->core);
		x86_mmu_reset_context(vcpu);
	}
	return 0;
}
EXPORT_SYMBOL_GPL(x86_set_efer);

/* ---- XCR0 ----------------------------------------------------------------- */

/* SDM 1 13.3: combinations of state components that may be enabled. */
static bool xcr0_consistent(u64 xcr0)
{
	if (!(xcr0 & XFEATURE_MASK_FP))
		return false;
	if ((xcr0 & XFEATURE_MASK_YMM) && !(xcr0 & XFEATURE_MASK_SSE))
		return false;
	if (!(xcr0 & XFEATURE_MASK_BNDREGS) != !(xcr0 & XFEATURE_MASK_BNDCSR))
		return false;
	if (xcr0 & XFEATURE_MASK_AVX512) {
		if (!(xcr0 & XFEATURE_MASK_YMM) ||
		    (xcr0 & XFEATURE_MASK_AVX512) != XFEATURE_MASK_AVX512)
			return false;
	}
	return true;
}

int x86_set_xcr(struct x86_vcpu *vcpu, u32 index, u64 xcr)
{
	u64 old = vcpu->xcr0;

	if (index != XCR_XFEATURE_ENABLED_MASK)
		return 1;
	/* x87 may be "set" without CPUID: it is what RESET leaves. */
	if (xcr & ~(vcpu->guest_supported_xcr0 | XFEATURE_MASK_FP))
		return 1;
	if (!xcr0_consistent(xcr))
		return 1;
	vcpu->xcr0 = xcr;
	if (xcr != old)
		x86_cpuid_update_runtime(vcpu);
	return 0;
}
EXPORT_SYMBOL_GPL(x86_set_xcr);
