// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a vCPU's VMCB: making it, its state at RESET and INIT, which
 * intercepts are set, and showing it when an entry fails.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <asm/cpufeature.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/events.h"
#include "arch-x86/irqchip/irqchip.h"
#include "vendor-svm/svm.h"

static unsigned short pause_filter_count = 3000;
module_param(pause_filter_count, ushort, 0444);
MODULE_PARM_DESC(pause_filter_count, "PAUSE instructions in a loop before the guest exits; 0: never");

static unsigned short pause_filter_thresh = 128;
module_param(pause_filter_thresh, ushort, 0444);
MODULE_PARM_DESC(pause_filter_thresh, "cycles between two PAUSEs of one loop");

#define IOPM_ORDER	2	/* 12 KiB (APM 2 15.10.1) in 16 */

static struct page *svm_iopm;	/* all ports exit: one map for all guests */

int svm_perm_maps_init(void)
{
	svm_iopm = alloc_pages(GFP_KERNEL, IOPM_ORDER);
	if (!svm_iopm)
		return -ENOMEM;
	memset(page_address(svm_iopm), 0xff, PAGE_SIZE << IOPM_ORDER);
	return 0;
}

void svm_perm_maps_exit(void)
{
	__free_pages(svm_iopm, IOPM_ORDER);
}

int svm_vcpu_create(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	BUILD_BUG_ON(offsetof(struct svm_vcpu, x86.core) != 0);

	svm->vmcb = (struct vmcb *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!svm->vmcb)
		return -ENOMEM;
	svm->msrpm = svm_msrpm_alloc();
	if (!svm->msrpm) {
		free_page((unsigned long)svm->vmcb);
		return -ENOMEM;
	}
	svm->enter.vmcb_pa = __pa(svm->vmcb);
	svm->asid_cpu = -1;
	return 0;
}

void svm_vcpu_destroy(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	svm_forget_vcpu(svm);
	svm_msrpm_free(svm->msrpm);
	free_page((unsigned long)svm->vmcb);
}

void svm_update_exception_bitmap(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	u32 *bitmap = &svm->vmcb->control.intercepts[SVM_INTERCEPT_EXCEPTION];

	/*
	 * #MC is the host's. #DB and #AC must be seen, since a guest can make their
	 * delivery raise them again for ever (CVE-2015-8104, CVE-2015-5307).
	 * #UD may be a hypercall of the other vendor's.
	 */
	*bitmap = BIT(MC_VECTOR) | BIT(DB_VECTOR) | BIT(AC_VECTOR) | BIT(UD_VECTOR);
	if (!svm_caps.npt)
		*bitmap |= BIT(PF_VECTOR);
	if (vcpu->core.guest_debug & KVM_GUESTDBG_USE_SW_BP)
		*bitmap |= BIT(BP_VECTOR);
	svm_mark_dirty(svm, SVM_CLEAN_INTERCEPTS);
}

void svm_recalc_intercepts(struct x86_vcpu *vcpu)
{
	static const u16 always[] = {
		SVM_INTERCEPT_CR0_SEL, SVM_INTERCEPT_CR4_READ, SVM_INTERCEPT_CR4_WRITE,
		SVM_INTERCEPT_INTR, SVM_INTERCEPT_NMI, SVM_INTERCEPT_SMI, SVM_INTERCEPT_INIT,
		SVM_INTERCEPT_RDPMC, SVM_INTERCEPT_CPUID, SVM_INTERCEPT_RSM, SVM_INTERCEPT_INVD,
		SVM_INTERCEPT_INVLPGA, SVM_INTERCEPT_IOIO, SVM_INTERCEPT_MSR,
		SVM_INTERCEPT_TASK_SWITCH, SVM_INTERCEPT_SHUTDOWN,
		SVM_INTERCEPT_VMRUN, SVM_INTERCEPT_VMMCALL, SVM_INTERCEPT_VMLOAD,
		SVM_INTERCEPT_VMSAVE, SVM_INTERCEPT_STGI, SVM_INTERCEPT_CLGI,
		SVM_INTERCEPT_SKINIT, SVM_INTERCEPT_WBINVD, SVM_INTERCEPT_XSETBV,
		SVM_INTERCEPT_RDPRU, SVM_INTERCEPT_INVLPGB, SVM_INTERCEPT_TLBSYNC,
	};
	/* Shadow tables: CR3 is ours, and we must hear of all that drops translations. */
	static const u16 shadow[] = {
		SVM_INTERCEPT_CR3_READ, SVM_INTERCEPT_CR3_WRITE, SVM_INTERCEPT_INVLPG,
		SVM_INTERCEPT_INVPCID,
	};
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(always); i++)
		svm_set_intercept(svm, always[i]);
	for (i = 0; i < ARRAY_SIZE(shadow); i++)
		svm_put_intercept(svm, shadow[i], !svm_caps.npt);

	/* User space that has the APIC must hear of a lower TPR: KVM_EXIT_SET_TPR. */
	if (!x86_has_lapic(vcpu))
		svm_set_intercept(svm, SVM_INTERCEPT_CR8_WRITE);
	svm_put_intercept(svm, SVM_INTERCEPT_HLT, !vm->hlt_in_guest);
	svm_put_intercept(svm, SVM_INTERCEPT_MONITOR, !vm->mwait_in_guest);
	svm_put_intercept(svm, SVM_INTERCEPT_MWAIT, !vm->mwait_in_guest);
	svm_put_intercept(svm, SVM_INTERCEPT_PAUSE,
			  !vm->pause_in_guest && svm_features.pause_filter && pause_filter_count);
	/* A CPU that has RDTSCP must not show it to a guest that was told otherwise. */
	svm_put_intercept(svm, SVM_INTERCEPT_RDTSCP,
			  boot_cpu_has(X86_FEATURE_RDTSCP) &&
			  !guest_cpuid_has(vcpu, X86_FEATURE_RDTSCP));

	/* The guest's debug registers: in the CPU only once it uses them. */
	svm->vmcb->control.intercepts[SVM_INTERCEPT_DR] = vcpu->dr_dirty ? 0 : ~0u;
	svm_update_exception_bitmap(vcpu);
}

static void svm_reset_segment(struct vmcb_seg *s, u16 attrib)
{
	s->selector = 0;
	s->attrib = attrib;
	s->limit = 0xffff;
	s->base = 0;
}

void svm_vcpu_reset(struct x86_vcpu *vcpu, bool init_event)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	struct vmcb_control *control = &svm->vmcb->control;
	struct vmcb_save *save = &svm->vmcb->save;

	control->iopm_base_pa = page_to_phys(svm_iopm);
	control->msrpm_base_pa = __pa(svm->msrpm);
	control->v_intr_masking = SVM_V_INTR_MASKING;
	if (svm_caps.npt)
		control->nested_ctl |= SVM_NP_ENABLE;
	if (svm_features.pause_filter) {
		control->pause_filter_count = pause_filter_count;
		if (svm_features.pause_threshold)
			control->pause_filter_threshold = pause_filter_thresh;
	}
	control->event_inj = 0;
	control->exit_int_info = 0;
	control->interrupt_state = 0;
	control->v_irq = 0;
	svm_clear_intercept(svm, SVM_INTERCEPT_VINTR);

	svm->soft_exception = false;
	svm->nmi_singlestep = false;
	svm_set_nmi_mask(vcpu, false);

	/* SDM 3A table 10-1; arch-x86 writes CRs, EFER, CS, RIP and DRs. */
	svm_reset_segment(&save->es, 0x93);
	svm_reset_segment(&save->ss, 0x93);
	svm_reset_segment(&save->ds, 0x93);
	svm_reset_segment(&save->fs, 0x93);
	svm_reset_segment(&save->gs, 0x93);
	svm_reset_segment(&save->cs, 0x9b);
	save->cs.selector = 0xf000;
	save->cs.base = 0xffff0000;
	svm_reset_segment(&save->gdtr, 0);
	svm_reset_segment(&save->idtr, 0);
	svm_reset_segment(&save->ldtr, 0x82);
	svm_reset_segment(&save->tr, 0x8b);
	save->cpl = 0;
	save->dbgctl = 0;
	if (!init_event) {
		save->star = save->lstar = save->cstar = save->sfmask = 0;
		save->kernel_gs_base = 0;
		save->sysenter_cs = save->sysenter_esp = save->sysenter_eip = 0;
		save->spec_ctrl = 0;
		svm->enter.guest_spec_ctrl = 0;
		svm->spec_ctrl_passthrough = false;
		svm->virt_spec_ctrl = 0;
		vcpu->tsc_aux = 0;
	}
	svm->vmcb->save.g_pat = vcpu->pat;

	svm_msr_recalc(vcpu);
	svm_recalc_intercepts(vcpu);
	control->clean = 0;
	svm->asid_generation = 0;
}

void svm_dump_state(struct x86_vcpu *vcpu)
{
	const struct vmcb *vmcb = svm_vcpu_of(vcpu)->vmcb;
	const struct vmcb_control *c = &vmcb->control;
	const struct vmcb_save *s = &vmcb->save;
	static const char * const names[] = { "es", "cs", "ss", "ds", "fs", "gs",
					      "gdtr", "ldtr", "idtr", "tr" };
	const struct vmcb_seg *seg = &s->es;
	int i;

	pr_err("kvm_amd: vcpu %d: VMCB\n", vcpu->core.id);
	pr_err("intercepts %08x %08x %08x %08x %08x %08x asid %u tlb %u tsc_offset %llx\n",
	       c->intercepts[0], c->intercepts[1], c->intercepts[2], c->intercepts[3],
	       c->intercepts[4], c->intercepts[5], c->asid, c->tlb_control, c->tsc_offset);
	pr_err("exit %llx info %llx %llx int_info %llx event_inj %llx int_state %llx n_cr3 %llx next_rip %llx\n",
	       c->exit_code, c->exit_info_1, c->exit_info_2, c->exit_int_info,
	       c->event_inj, c->interrupt_state, c->n_cr3, c->next_rip);
	for (i = 0; i < ARRAY_SIZE(names); i++, seg++)
		pr_err("%-4s sel %04x attrib %04x limit %08x base %016llx\n", names[i],
		       seg->selector, seg->attrib, seg->limit, seg->base);
	pr_err("cpl %u efer %llx cr0 %llx cr2 %llx cr3 %llx cr4 %llx dr6 %llx dr7 %llx\n",
	       s->cpl, s->efer, s->cr0, s->cr2, s->cr3, s->cr4, s->dr6, s->dr7);
	pr_err("rip %llx rsp %llx rax %llx rflags %llx g_pat %llx\n",
	       s->rip, s->rsp, s->rax, s->rflags, s->g_pat);
}
