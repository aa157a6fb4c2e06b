// SPDX-License-Identifier: GPL-2.0-only
/*
 * Into the guest and back: what is loaded before VMRUN and saved after it, and
 * what a vCPU needs when it comes onto a CPU. The instructions around VMRUN
 * itself are in enter_64.S (enter_32.S).
 */
#include <linux/percpu.h>
#include <linux/smp.h>
#include <trace/events/ipi.h>	/* smp_send_reschedule() traces */
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <compat/guest_entry.h>
#include <compat/host_events.h>
#include <compat/spec.h>
#include <compat/virt.h>

#include "arch-x86/cpu/msr.h"
#include "arch-x86/events.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/run.h"
#include "vendor-svm/enter_offsets.h"
#include "vendor-svm/svm.h"

static_assert(offsetof(struct svm_enter_state, vmcb_pa) == SVM_ENTER_VMCB_PA);
static_assert(offsetof(struct svm_enter_state, host_save_pa) == SVM_ENTER_HOST_PA);
static_assert(offsetof(struct svm_enter_state, guest_spec_ctrl) == SVM_ENTER_GUEST_SPEC);
static_assert(offsetof(struct svm_enter_state, host_spec_ctrl) == SVM_ENTER_HOST_SPEC);
static_assert(offsetof(struct svm_enter_state, switch_spec_ctrl) == SVM_ENTER_SWITCH_SPEC);
static_assert(offsetof(struct svm_enter_state, faulted) == SVM_ENTER_FAULTED);

/* The vCPU that ran last on this CPU: another one must not feel its predictions. */
static DEFINE_PER_CPU(struct svm_vcpu *, svm_last_vcpu);

void svm_vcpu_load(struct x86_vcpu *vcpu, int cpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	if (this_cpu_read(svm_last_vcpu) != svm) {
		this_cpu_write(svm_last_vcpu, svm);
		kvmc_ibpb();
	}
	if (svm->asid_cpu != cpu) {
		/* This CPU has cached nothing of this VMCB, or something old. */
		svm->asid_generation = 0;
		svm->vmcb->control.clean = 0;
	}
	svm->host_saved = false;
}

void svm_vcpu_put(struct x86_vcpu *vcpu)
{
	svm_vcpu_of(vcpu)->host_saved = false;
}

/* A freed vCPU's address may come back as another's: it must not pass as the last one. */
void svm_forget_vcpu(struct svm_vcpu *svm)
{
	int cpu;

	for_each_possible_cpu(cpu)
		cmpxchg(per_cpu_ptr(&svm_last_vcpu, cpu), svm, NULL);
}

void svm_prepare_enter(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	/* Until this CPU is given away, only a request can take it from us again. */
	svm_asid_prepare(svm);
	if (svm->host_saved)
		return;

	/* What VMLOAD of the guest's replaces: FS, GS, TR, LDTR, SYSCALL and SYSENTER MSRs. */
	svm->enter.host_save_pa = svm_host_save_pa();
	asm volatile("vmsave" : : "a" ((unsigned long)svm->enter.host_save_pa) : "memory");
	if (svm_features.tsc_scaling)
		wrmsrq(MSR_AMD64_TSC_RATIO, svm->tsc_multiplier);
	if (svm_tsc_aux_slot >= 0)
		x86_user_return_set(svm_tsc_aux_slot, vcpu->tsc_aux, -1ull);
	svm->host_saved = true;
}

static noinstr void svm_run_guest(struct svm_vcpu *svm)
{
	kvmc_guest_state_enter_irqoff();
	kvmc_clear_divider();
	svm_enter_guest(&svm->enter, svm->x86.regs);
	kvmc_guest_state_exit_irqoff();
}

static void svm_load_state(struct svm_vcpu *svm)
{
	struct x86_vcpu *vcpu = &svm->x86;
	struct vmcb_control *control = &svm->vmcb->control;
	struct vmcb_save *save = &svm->vmcb->save;

	save->rax = vcpu->regs[X86_REG_RAX];
	save->rsp = vcpu->regs[X86_REG_RSP];
	save->rip = vcpu->regs[X86_REG_RIP];
	save->cr2 = vcpu->cr2;
	if (unlikely(save->g_pat != vcpu->pat)) {
		save->g_pat = vcpu->pat;
		svm_mark_dirty(svm, SVM_CLEAN_NPT);
	}

	if (x86_has_lapic(vcpu))
		control->v_tpr = x86_lapic_get_cr8(vcpu) & SVM_V_TPR_MASK;
	else
		control->v_tpr = vcpu->cr8 & SVM_V_TPR_MASK;
	svm->entry_tpr = control->v_tpr;

	svm->enter.switch_spec_ctrl = 0;
	if (!svm_features.v_spec_ctrl && boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL)) {
		svm->enter.host_spec_ctrl = kvmc_host_spec_ctrl();
		svm->enter.switch_spec_ctrl = svm->spec_ctrl_passthrough ||
			svm->enter.host_spec_ctrl != svm->enter.guest_spec_ctrl;
	}
}

static void svm_save_state(struct svm_vcpu *svm)
{
	struct x86_vcpu *vcpu = &svm->x86;
	struct vmcb_control *control = &svm->vmcb->control;
	const struct vmcb_save *save = &svm->vmcb->save;

	vcpu->regs[X86_REG_RAX] = save->rax;
	vcpu->regs[X86_REG_RSP] = save->rsp;
	vcpu->regs[X86_REG_RIP] = save->rip;
	vcpu->cr2 = save->cr2;
	/* TS and MP change without an exit; so does CR3, unless it is ours; PDPTEs lie in memory. */
	vcpu->regs_avail = ~BIT(X86_REG_CR0);
	if (svm_caps.npt)
		vcpu->regs_avail &= ~(BIT(X86_REG_CR3) | BIT(X86_REG_PDPTRS));
	vcpu->regs_dirty = 0;

	control->tlb_control = SVM_TLB_DO_NOTHING;
	control->event_inj = 0;
	control->clean = svm_features.clean_bits ? SVM_CLEAN_ALL & ~SVM_ALWAYS_DIRTY : 0;

	/* CR8 writes go to V_TPR without an exit. */
	if (unlikely((control->v_tpr ^ svm->entry_tpr) & SVM_V_TPR_MASK) &&
	    !svm_is_intercepted(svm, SVM_INTERCEPT_CR8_WRITE))
		x86_lapic_set_tpr(vcpu, control->v_tpr & SVM_V_TPR_MASK);
}

void svm_enter(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	struct vmcb_control *control = &svm->vmcb->control;

	svm_load_state(svm);
	kvmc_spec_ctrl_set_guest(svm->virt_spec_ctrl);
	svm_run_guest(svm);
	kvmc_spec_ctrl_restore_host(svm->virt_spec_ctrl);

	if (unlikely(svm->enter.faulted)) {
		svm->enter.faulted = 0;
		WARN_ONCE(!virt_rebooting, "kvm_amd: VMRUN faulted");
		control->exit_code = SVM_EXIT_INVALID;
		control->exit_int_info = 0;
	}
	svm_save_state(svm);
	svm_complete_interrupts(svm);

	if (unlikely(control->exit_code == SVM_EXIT_EXCP_BASE + MC_VECTOR))
		kvmc_host_machine_check();
}
