// SPDX-License-Identifier: GPL-2.0-only
/*
 * All registers at once: as user space reads and sets them (KVM_GET_REGS to
 * KVM_SET_SREGS2), and as RESET and INIT leave them. Single writes by the guest are
 * in regs.c.
 */
#include <linux/bitmap.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/srcu.h>
#include <linux/string.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/fpu.h"
#include "arch-x86/cpu/msr.h"
#include "arch-x86/cpu/mtrr.h"
#include "arch-x86/cpu/smm.h"
#include "arch-x86/events.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/pv/pv.h"
#include "arch-x86/regs.h"
#include "arch-x86/time/time.h"
#include "arch-x86/vendor_call.h"

/* ---- KVM_GET_REGS, KVM_SET_REGS ------------------------------------------- */

void x86_vcpu_get_regs(struct x86_vcpu *vcpu, struct kvm_regs *regs)
{
	memset(regs, 0, sizeof(*regs));
	regs->rax = x86_reg_read(vcpu, X86_REG_RAX);
	regs->rbx = x86_reg_read(vcpu, X86_REG_RBX);
	regs->rcx = x86_reg_read(vcpu, X86_REG_RCX);
	regs->rdx = x86_reg_read(vcpu, X86_REG_RDX);
	regs->rsi = x86_reg_read(vcpu, X86_REG_RSI);
	regs->rdi = x86_reg_read(vcpu, X86_REG_RDI);
	regs->rsp = x86_reg_read(vcpu, X86_REG_RSP);
	regs->rbp = x86_reg_read(vcpu, X86_REG_RBP);
	if (IS_ENABLED(CONFIG_X86_64)) {
		regs->r8 = x86_reg_read(vcpu, X86_REG_R8);
		regs->r9 = x86_reg_read(vcpu, X86_REG_R9);
		regs->r10 = x86_reg_read(vcpu, X86_REG_R10);
		regs->r11 = x86_reg_read(vcpu, X86_REG_R11);
		regs->r12 = x86_reg_read(vcpu, X86_REG_R12);
		regs->r13 = x86_reg_read(vcpu, X86_REG_R13);
		regs->r14 = x86_reg_read(vcpu, X86_REG_R14);
		regs->r15 = x86_reg_read(vcpu, X86_REG_R15);
	}
	regs->rip = x86_rip_read(vcpu);
	regs->rflags = x86_get_rflags(vcpu);
}

void x86_vcpu_set_regs(struct x86_vcpu *vcpu, const struct kvm_regs *regs)
{
	x86_reg_write(vcpu, X86_REG_RAX, regs->rax);
	x86_reg_write(vcpu, X86_REG_RBX, regs->rbx);
	x86_reg_write(vcpu, X86_REG_RCX, regs->rcx);
	x86_reg_write(vcpu, X86_REG_RDX, regs->rdx);
	x86_reg_write(vcpu, X86_REG_RSI, regs->rsi);
	x86_reg_write(vcpu, X86_REG_RDI, regs->rdi);
	x86_reg_write(vcpu, X86_REG_RSP, regs->rsp);
	x86_reg_write(vcpu, X86_REG_RBP, regs->rbp);
	if (IS_ENABLED(CONFIG_X86_64)) {
		x86_reg_write(vcpu, X86_REG_R8, regs->r8);
		x86_reg_write(vcpu, X86_REG_R9, regs->r9);
		x86_reg_write(vcpu, X86_REG_R10, regs->r10);
		x86_reg_write(vcpu, X86_REG_R11, regs->r11);
		x86_reg_write(vcpu, X86_REG_R12, regs->r12);
		x86_reg_write(vcpu, X86_REG_R13, regs->r13);
		x86_reg_write(vcpu, X86_REG_R14, regs->r14);
		x86_reg_write(vcpu, X86_REG_R15, regs->r15);
	}
	x86_rip_write(vcpu, regs->rip);
	x86_set_rflags(vcpu, regs->rflags | X86_EFLAGS_FIXED);
	/* An exception that waits belongs to the instruction that was at the old RIP. */
	vcpu->exception.pending = false;
	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
}

/* ---- KVM_GET_SREGS, KVM_SET_SREGS ----------------------------------------- */

/*
 * struct kvm_sregs2 begins as struct kvm_sregs does, up to the APIC base: what
 * both have is handled in the form of the latter.
 */
#define SREGS_COMMON	offsetof(struct kvm_sregs, interrupt_bitmap)
static_assert(offsetof(struct kvm_sregs2, flags) == SREGS_COMMON);
static_assert(offsetof(struct kvm_sregs2, apic_base) == offsetof(struct kvm_sregs, apic_base));

static void get_common(struct x86_vcpu *vcpu, struct kvm_sregs *s)
{
	struct x86_desc_table dt;

	memset(s, 0, sizeof(*s));
	vendor_call(get_segment)(vcpu, &s->cs, X86_SEG_CS);
	vendor_call(get_segment)(vcpu, &s->ds, X86_SEG_DS);
	vendor_call(get_segment)(vcpu, &s->es, X86_SEG_ES);
	vendor_call(get_segment)(vcpu, &s->fs, X86_SEG_FS);
	vendor_call(get_segment)(vcpu, &s->gs, X86_SEG_GS);
	vendor_call(get_segment)(vcpu, &s->ss, X86_SEG_SS);
	vendor_call(get_segment)(vcpu, &s->tr, X86_SEG_TR);
	vendor_call(get_segment)(vcpu, &s->ldt, X86_SEG_LDTR);
	vendor_call(get_idt)(vcpu, &dt);
	s->idt.base = dt.base;
	s->idt.limit = dt.limit;
	vendor_call(get_gdt)(vcpu, &dt);
	s->gdt.base = dt.base;
	s->gdt.limit = dt.limit;

	x86_exception_payload_quirk(vcpu);
	s->cr0 = x86_cr0(vcpu);
	s->cr2 = vcpu->cr2;
	s->cr3 = x86_cr3(vcpu);
	s->cr4 = x86_cr4(vcpu);
	s->cr8 = x86_get_cr8(vcpu);
	s->efer = vcpu->efer;
	s->apic_base = x86_lapic_get_base(vcpu);
}

/* SDM 3A 2.5, 4.1.1, 9.8.5; APM 2 14.6, 15.5.1 (what VMRUN refuses). */
static bool sregs_valid(struct x86_vcpu *vcpu, const struct kvm_sregs *s)
{
	if (!x86_cr0_valid(s->cr0) || !x86_cr4_valid(vcpu, s->cr4) || !x86_efer_valid(s->efer))
		return false;
	if ((s->cr8 & ~0xfULL) || !x86_cr3_valid(vcpu, s->cr3))
		return false;
	if ((s->efer & EFER_LME) && (s->cr0 & X86_CR0_PG)) {
		/* Long mode. */
		if (!(s->cr4 & X86_CR4_PAE) || !(s->efer & EFER_LMA))
			return false;
		/* A 64-bit CS has no D bit. */
		return !(s->cs.l && s->cs.db);
	}
	return !(s->efer & EFER_LMA) && !s->cs.l;
}

static bool wants_pae_paging(const struct kvm_sregs *s)
{
	return (s->cr0 & X86_CR0_PG) && (s->cr4 & X86_CR4_PAE) && !(s->efer & EFER_LMA);
}

/*
 * Everything has been checked but the APIC base, whose owner does it: it comes
 * first, so that a refusal changes nothing.
 */
static int set_common(struct x86_vcpu *vcpu, const struct kvm_sregs *s, const u64 *pdptrs)
{
	u64 old_cr0 = x86_cr0(vcpu), old_cr4 = x86_cr4(vcpu), old_efer = vcpu->efer;
	struct x86_desc_table dt;
	u64 cr0 = s->cr0 | X86_CR0_ET;
	bool mmu_changed;
	int idx;

	if (!sregs_valid(vcpu, s))
		return -EINVAL;
	if (x86_lapic_set_base(vcpu, s->apic_base, true))
		return -EINVAL;

	dt.base = s->idt.base;
	dt.limit = s->idt.limit;
	vendor_call(set_idt)(vcpu, &dt);
	dt.base = s->gdt.base;
	dt.limit = s->gdt.limit;
	vendor_call(set_gdt)(vcpu, &dt);

	/* PDPTEs may be others under the same CR3. */
	mmu_changed = x86_cr3(vcpu) != s->cr3 || old_cr0 != cr0 || old_cr4 != s->cr4 ||
		      old_efer != s->efer || wants_pae_paging(s);
	vcpu->cr2 = s->cr2;
	vcpu->cr3 = s->cr3;
	x86_reg_mark_dirty(vcpu, X86_REG_CR3);
	if (x86_vendor_caps()->npt)
		vendor_call(set_cr3)(vcpu, s->cr3);
	x86_set_cr8(vcpu, s->cr8);

	/*
	 * EFER before CR0 and CR4: what they are written into depends on LME. A
	 * vendor may refuse only what x86_efer_valid() does.
	 */
	if (old_efer != s->efer)
		vendor_call(set_efer)(vcpu, s->efer);
	if (old_cr0 != cr0)
		vendor_call(set_cr0)(vcpu, cr0);
	if (old_cr4 != s->cr4)
		vendor_call(set_cr4)(vcpu, s->cr4);
	/* A vendor's set_cr0() may have followed PG with LMA: the user's word counts. */
	if (vcpu->efer != s->efer)
		vendor_call(set_efer)(vcpu, s->efer);
	if ((old_cr4 ^ s->cr4) & (X86_CR4_OSXSAVE | X86_CR4_PKE))
		x86_cpuid_update_runtime(vcpu);

	vendor_call(set_segment)(vcpu, &s->cs, X86_SEG_CS);
	vendor_call(set_segment)(vcpu, &s->ds, X86_SEG_DS);
	vendor_call(set_segment)(vcpu, &s->es, X86_SEG_ES);
	vendor_call(set_segment)(vcpu, &s->fs, X86_SEG_FS);
	vendor_call(set_segment)(vcpu, &s->gs, X86_SEG_GS);
	vendor_call(set_segment)(vcpu, &s->ss, X86_SEG_SS);
	vendor_call(set_segment)(vcpu, &s->tr, X86_SEG_TR);
	vendor_call(set_segment)(vcpu, &s->ldt, X86_SEG_LDTR);
	x86_lapic_update_cr8_intercept(vcpu);

	if (pdptrs) {
		memcpy(vcpu->pdptrs, pdptrs, sizeof(vcpu->pdptrs));
		x86_reg_mark_dirty(vcpu, X86_REG_PDPTRS);
	} else if (wants_pae_paging(s)) {
		/* Memory may be filled later: then the guest faults, as it should. */
		idx = srcu_read_lock(&vcpu->core.kvm->srcu);
		x86_load_pdptrs(vcpu, s->cr3);
		srcu_read_unlock(&vcpu->core.kvm->srcu, idx);
	}
	if (mmu_changed) {
		x86_mmu_reset_context(vcpu);
		kvm_make_request(X86_REQ_TLB_FLUSH_GUEST, &vcpu->core);
	}
	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	return 0;
}

void x86_vcpu_get_sregs(struct x86_vcpu *vcpu, struct kvm_sregs *sregs)
{
	get_common(vcpu, sregs);
	/* An external interrupt that is being delivered is not in the APIC any more. */
	if (vcpu->interrupt.injected && !vcpu->interrupt.soft)
		sregs->interrupt_bitmap[vcpu->interrupt.vector / 64] |=
			BIT_ULL(vcpu->interrupt.vector % 64);
}

int x86_vcpu_set_sregs(struct x86_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	unsigned int i;
	int r;

	r = set_common(vcpu, sregs, NULL);
	if (r)
		return r;
	for (i = 0; i < ARRAY_SIZE(sregs->interrupt_bitmap); i++) {
		if (!sregs->interrupt_bitmap[i])
			continue;
		x86_queue_interrupt(vcpu, i * 64 + __ffs64(sregs->interrupt_bitmap[i]), false);
		break;
	}
	return 0;
}

void x86_vcpu_get_sregs2(struct x86_vcpu *vcpu, struct kvm_sregs2 *sregs2)
{
	struct kvm_sregs s;

	get_common(vcpu, &s);
	memset(sregs2, 0, sizeof(*sregs2));
	memcpy(sregs2, &s, SREGS_COMMON);
	if (x86_is_pae_paging(vcpu)) {
		int idx = srcu_read_lock(&vcpu->core.kvm->srcu);

		if (!x86_reg_available(vcpu, X86_REG_PDPTRS))
			x86_cache_reg(vcpu, X86_REG_PDPTRS);
		srcu_read_unlock(&vcpu->core.kvm->srcu, idx);
		memcpy(sregs2->pdptrs, vcpu->pdptrs, sizeof(sregs2->pdptrs));
		sregs2->flags |= KVM_SREGS2_FLAGS_PDPTRS_VALID;
	}
}

int x86_vcpu_set_sregs2(struct x86_vcpu *vcpu, const struct kvm_sregs2 *sregs2)
{
	bool pdptrs = sregs2->flags & KVM_SREGS2_FLAGS_PDPTRS_VALID;
	struct kvm_sregs s = {};

	if (sregs2->flags & ~(u64)KVM_SREGS2_FLAGS_PDPTRS_VALID)
		return -EINVAL;
	memcpy(&s, sregs2, SREGS_COMMON);
	if (pdptrs && !wants_pae_paging(&s))
		return -EINVAL;
	return set_common(vcpu, &s, pdptrs ? sregs2->pdptrs : NULL);
}

/* ---- RESET and INIT ------------------------------------------------------- */

static void reset_segments(struct x86_vcpu *vcpu)
{
	struct kvm_segment data = {
		.limit = 0xffff, .type = 3, .present = 1, .s = 1,
	};
	struct kvm_segment code = data;
	struct kvm_segment ldt = { .limit = 0xffff, .type = 2, .present = 1 };
	struct kvm_segment tr = { .limit = 0xffff, .type = 0xb, .present = 1 };
	struct x86_desc_table dt = { .limit = 0xffff };

	code.base = 0xffff0000;
	code.selector = 0xf000;
	code.type = 0xb;
	vendor_call(set_segment)(vcpu, &code, X86_SEG_CS);
	vendor_call(set_segment)(vcpu, &data, X86_SEG_DS);
	vendor_call(set_segment)(vcpu, &data, X86_SEG_ES);
	vendor_call(set_segment)(vcpu, &data, X86_SEG_FS);
	vendor_call(set_segment)(vcpu, &data, X86_SEG_GS);
	vendor_call(set_segment)(vcpu, &data, X86_SEG_SS);
	vendor_call(set_segment)(vcpu, &ldt, X86_SEG_LDTR);
	vendor_call(set_segment)(vcpu, &tr, X86_SEG_TR);
	vendor_call(set_idt)(vcpu, &dt);
	vendor_call(set_gdt)(vcpu, &dt);
}

static void reset_events(struct x86_vcpu *vcpu)
{
	x86_clear_exception_queue(vcpu);
	x86_clear_interrupt_queue(vcpu);
	vcpu->exception.has_payload = false;
	atomic_set(&vcpu->nmi_queued, 0);
	vcpu->nmi_pending = 0;
	vcpu->nmi_injected = false;
	vcpu->smi_pending = false;
	vcpu->halted_at_smi = false;
	x86_async_pf_reset(vcpu);
	vcpu->apf.vector = 0;
	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
}

/* Only RESET touches these. */
static void power_on_msrs(struct x86_vcpu *vcpu)
{
	vcpu->smbase = 0x30000;
	vcpu->smi_count = 0;
	vcpu->misc_enable = MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL |
			    MSR_IA32_MISC_ENABLE_BTS_UNAVAIL |
			    MSR_IA32_MISC_ENABLE_FAST_STRING;
	vcpu->msr_platform_info = BIT_ULL(31);	/* CPUID faulting can be had */
	vcpu->msr_misc_features = 0;
	vcpu->pat = X86_PAT_RESET;
	vcpu->hwcr = 0;		/* TSC_FREQ_SEL is for user space to say */
	vcpu->mcg_status = 0;
	vcpu->pv_poll_control = 1;
	x86_mtrr_reset(vcpu);
}

/* SDM 3A table 9-1, APM 2 table 14-1. */
void x86_vcpu_reset(struct x86_vcpu *vcpu, bool init_event)
{
	u64 old_cr0 = x86_cr0(vcpu), old_cr4 = x86_cr4(vcpu);
	const struct kvm_cpuid_entry2 *e;
	u64 cr0 = X86_CR0_ET | X86_CR0_NW | X86_CR0_CD;
	int i;

	/* INIT waits for the end of SMM, but what follows a shutdown there does not. */
	x86_smm_switch(vcpu, false);
	vcpu->smm_inside_nmi = false;
	x86_lapic_reset(vcpu, init_event);
	reset_events(vcpu);

	memset(vcpu->db, 0, sizeof(vcpu->db));
	if (!(vcpu->core.guest_debug & KVM_GUESTDBG_USE_HW_BP))
		memset(vcpu->eff_db, 0, sizeof(vcpu->eff_db));
	vcpu->dr6 = DR6_ACTIVE_LOW;
	vcpu->dr7 = DR7_FIXED_1;
	vcpu->cr2 = 0;
	if (!init_event)
		power_on_msrs(vcpu);
	x86_fpu_reset(vcpu, init_event);

	vendor_call(vcpu_reset)(vcpu, init_event);
	vendor_call(set_dr6)(vcpu, vcpu->dr6);
	x86_update_dr7(vcpu);

	for (i = 0; i < X86_NR_REGS; i++)
		x86_reg_write(vcpu, i, 0);
	/* EDX: family, model, stepping; 0x600 is what a P6 says. */
	e = x86_find_cpuid(vcpu, 1, 0);
	x86_reg_write(vcpu, X86_REG_RDX, e ? e->eax : 0x600);
	x86_rip_write(vcpu, 0xfff0);
	reset_segments(vcpu);

	vcpu->cr3 = 0;
	x86_reg_mark_dirty(vcpu, X86_REG_CR3);
	if (x86_vendor_caps()->npt)
		vendor_call(set_cr3)(vcpu, 0);
	/* INIT leaves CD and NW as they are. */
	if (init_event)
		cr0 = X86_CR0_ET | (old_cr0 & (X86_CR0_NW | X86_CR0_CD));
	vendor_call(set_cr0)(vcpu, cr0);
	vendor_call(set_cr4)(vcpu, 0);
	vendor_call(set_efer)(vcpu, 0);
	vendor_call(set_rflags)(vcpu, X86_EFLAGS_FIXED);
	x86_set_cr8(vcpu, 0);
	vendor_call(update_exception_bitmap)(vcpu);

	x86_cr0_written(vcpu, old_cr0, cr0);
	x86_cr4_written(vcpu, old_cr4, 0);
	x86_cpuid_update_runtime(vcpu);
	x86_mmu_reset_context(vcpu);
	kvm_make_request(X86_REQ_TLB_FLUSH_GUEST, &vcpu->core);
}
EXPORT_SYMBOL_GPL(x86_vcpu_reset);
