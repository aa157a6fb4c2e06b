// SPDX-License-Identifier: GPL-2.0-only
/*
 * Into the guest and back: what is written before the entry and read after the exit,
 * and what a vCPU needs when it comes onto a CPU. The instructions around VMLAUNCH and
 * VMRESUME themselves are in enter_64.S (enter_32.S).
 */
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/mmu_context.h>
#include <asm/msr.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>
#include <compat/guest_entry.h>
#include <compat/host_events.h>
#include <compat/spec.h>
#include <compat/virt.h>

#include "arch-x86/cpu/msr.h"
#include "arch-x86/events.h"
#include "arch-x86/run.h"
#include "vendor-vmx/enter_offsets.h"
#include "vendor-vmx/vmx.h"

static_assert(offsetof(struct vmx_enter_state, launched) == VMX_ENTER_LAUNCHED);
static_assert(offsetof(struct vmx_enter_state, host_rsp) == VMX_ENTER_HOST_RSP);
static_assert(offsetof(struct vmx_enter_state, guest_spec_ctrl) == VMX_ENTER_GUEST_SPEC);
static_assert(offsetof(struct vmx_enter_state, host_spec_ctrl) == VMX_ENTER_HOST_SPEC);
static_assert(offsetof(struct vmx_enter_state, switch_spec_ctrl) == VMX_ENTER_SWITCH_SPEC);
static_assert(offsetof(struct vmx_enter_state, failed) == VMX_ENTER_FAILED);

/* Read when first asked for; the other general registers are in memory. */
#define LAZY_REGS	(BIT(X86_REG_RSP) | BIT(X86_REG_RIP) | BIT(X86_REG_RFLAGS) | \
			 BIT(X86_REG_CR0) | BIT(X86_REG_CR3) | BIT(X86_REG_CR4) | \
			 BIT(X86_REG_PDPTRS) | BIT(X86_REG_EXIT_INFO_1) | \
			 BIT(X86_REG_EXIT_INFO_2))

/* The exit that no guest has: the instruction itself failed. */
#define EXIT_NOT_ENTERED	U32_MAX

void vmx_vcpu_load(struct x86_vcpu *vcpu, int cpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	if (vmx_vmcs_load(vmx, cpu)) {
		vmx_host_cpu_changed(vmx);
		/* What it left here when it was here last may be stale. */
		kvm_make_request(KVM_REQ_TLB_FLUSH, &vcpu->core);
	}
	if (vcpu->core.scheduled_out)
		vmx_ple_shrink(vmx);
}

void vmx_vcpu_put(struct x86_vcpu *vcpu)
{
	vmx_host_restore(vmx_vcpu_of(vcpu));
}

void vmx_prepare_enter(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	vmx_host_save(vmx);
	vmx_msr_load_guest(vmx);
	vmx->first_entry = true;
}

void vmx_exit_irqoff(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	/*
	 * An interrupt ended the guest's run. Unless the CPU has acknowledged it, it is
	 * still pending, and taken when the loop enables IRQs.
	 */
	if (vmx->exit_reason == VMX_EXIT_EXT_INTR &&
	    (vmx->controls[VMX_EXIT] & VMX_EXIT_ACK_INTR))
		kvmc_host_interrupt(vmx_intr_info(vmx) & VMX_EVENT_VECTOR);
}

static noinstr void vmx_run_guest(struct vmx_vcpu *vmx)
{
	kvmc_guest_state_enter_irqoff();
	/* Not in the VMCS; a write is slow. */
	if (vmx->x86.cr2 != native_read_cr2())
		native_write_cr2(vmx->x86.cr2);
	vmx_enter_guest(&vmx->enter, vmx->x86.regs);
	kvmc_clear_branch_history();
	vmx->x86.cr2 = native_read_cr2();
	kvmc_guest_state_exit_irqoff();
}

static void vmx_load_state(struct vmx_vcpu *vmx)
{
	struct x86_vcpu *vcpu = &vmx->x86;
	unsigned long cr;

	vmx_write_dirty_regs(vmx);
	vmx_load_timer(vmx);
	vmx_clamp_tpr_threshold(vmx);
	if (unlikely(vmx->pat != vcpu->pat)) {
		vmx->pat = vcpu->pat;
		if (vmx_can(VMX_ENTRY, VMX_ENTRY_LOAD_PAT))
			vmcs_write64(VMCS_GUEST_PAT, vcpu->pat);
	}

	/* They follow the task and the kernel's wishes, by interrupts even now. */
	cr = __get_current_cr3_fast();
	if (unlikely(vmx->host.cr3 != cr)) {
		vmcs_write(VMCS_HOST_CR3, cr);
		vmx->host.cr3 = cr;
	}
	cr = cr4_read_shadow();
	if (unlikely(vmx->host.cr4 != cr)) {
		vmcs_write(VMCS_HOST_CR4, cr);
		vmx->host.cr4 = cr;
	}

	if (unlikely(vcpu->dr_dirty && vmx->first_entry))
		set_debugreg(vcpu->dr6, 6);
	/* A debugger steps an instruction, not its shadow. */
	if (unlikely(vcpu->core.guest_debug & KVM_GUESTDBG_SINGLESTEP))
		vmx_set_interrupt_shadow(vcpu, 0);

	vmx->enter.switch_spec_ctrl = 0;
	if (boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL)) {
		vmx->enter.host_spec_ctrl = kvmc_host_spec_ctrl();
		vmx->enter.switch_spec_ctrl = vmx->spec_ctrl_passthrough ||
			vmx->enter.host_spec_ctrl != vmx->enter.guest_spec_ctrl ||
			kvmc_ibrs_needs_write();
	}
	/* An MMIO access in the inner loop has read guest memory, and woken others perhaps. */
	vmx_l1d_flush(vcpu, vmx->first_entry || vmx->exit_reason == VMX_EXIT_EPT_VIOLATION);
	kvmc_clear_mmio_stale_data();
	vmx->first_entry = false;
}

/* IRQs off, right after the exit: what the CPU leaves to software. */
static void vmx_host_events(struct vmx_vcpu *vmx)
{
	u16 reason = vmx->exit_reason;
	u32 info;

	if (likely(reason != VMX_EXIT_EXCEPTION_NMI)) {
		if (unlikely(reason == VMX_EXIT_MC_DURING_ENTRY))
			kvmc_host_machine_check();
		return;
	}
	info = vmx_intr_info(vmx);
	/* NMIs are blocked until the host's handler has run (SDM 3C 28.1). */
	if ((info & VMX_EVENT_TYPE) == VMX_EVENT_NMI)
		kvmc_host_nmi();
	else if (unlikely(vmx_exit_is_exception(vmx, MC_VECTOR)))
		kvmc_host_machine_check();
}

static void vmx_save_state(struct vmx_vcpu *vmx)
{
	struct x86_vcpu *vcpu = &vmx->x86;

	vcpu->regs_avail = ~(unsigned long)LAZY_REGS;
	vcpu->regs_dirty = 0;
	vmx->seg_avail = 0;
	vmx->idt_info = 0;
	if (unlikely(vmx->enter.failed)) {
		vmx->exit_reason = EXIT_NOT_ENTERED;
		return;
	}
	vmx->exit_reason = vmcs_read(VMCS_EXIT_REASON);
	if (unlikely(vmx->exit_reason & VMX_EXIT_REASON_ENTRY_FAILED))
		return;
	vmx->enter.launched = true;
	vmx->idt_info = vmcs_read(VMCS_IDT_VECTORING_INFO);
}

void vmx_enter(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	vmx_load_state(vmx);
	vmx_run_guest(vmx);
	/* The exit has cleared it (SDM 3C 28.5.1). */
	if (unlikely(vmx->host.debugctl))
		wrmsrq(MSR_IA32_DEBUGCTLMSR, vmx->host.debugctl);

	vmx_save_state(vmx);
	vmx_host_events(vmx);
	if (unlikely(vmx->exit_reason & VMX_EXIT_REASON_ENTRY_FAILED)) {
		/* What was to be injected waits for better state. */
		vmx_cancel_injection(vcpu);
		return;
	}
	vmx_complete_interrupts(vmx);
}
