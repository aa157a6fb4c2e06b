// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events into the guest: injection by the entry, windows for interrupts and NMIs, NMI
 * blocking with and without the CPU's help, and taking back what an exit interrupted
 * (SDM 3C 27.6, 28.2.4, 32.7). Decides nothing: arch-x86/run.c says what and when.
 */
#include <linux/ktime.h>

#include "arch-x86/events.h"
#include "arch-x86/irqchip/lapic.h"
#include "vendor-vmx/vmx.h"

#define BLOCKED_BY_SHADOW	(VMX_BLOCKED_BY_STI | VMX_BLOCKED_BY_MOV_SS)

/* Exceptions with an error code (SDM 3A table 6-1); the entry insists (SDM 3C 27.2.1.3). */
#define HAS_ERROR_CODE	(BIT(DF_VECTOR) | BIT(TS_VECTOR) | BIT(NP_VECTOR) | BIT(SS_VECTOR) | \
			 BIT(GP_VECTOR) | BIT(PF_VECTOR) | BIT(AC_VECTOR))

u32 vmx_get_interrupt_shadow(struct x86_vcpu *vcpu)
{
	u32 state = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);

	return (state & VMX_BLOCKED_BY_STI ? X86_SHADOW_INT_STI : 0) |
	       (state & VMX_BLOCKED_BY_MOV_SS ? X86_SHADOW_INT_MOV_SS : 0);
}

void vmx_set_interrupt_shadow(struct x86_vcpu *vcpu, u32 mask)
{
	u32 old = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	u32 new = old & ~BLOCKED_BY_SHADOW;

	/* At most one of the two (SDM 3C 27.3.1.5). */
	if (mask & X86_SHADOW_INT_MOV_SS)
		new |= VMX_BLOCKED_BY_MOV_SS;
	else if (mask & X86_SHADOW_INT_STI)
		new |= VMX_BLOCKED_BY_STI;
	if (new == old)
		return;
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, new);
	/* In a shadow, with TF, a single step must be pending (27.3.1.5). */
	if ((new & BLOCKED_BY_SHADOW) && (vmx_get_rflags(vcpu) & X86_EFLAGS_TF))
		vmcs_write(VMCS_GUEST_PENDING_DEBUG,
			   vmcs_read(VMCS_GUEST_PENDING_DEBUG) | VMX_PENDING_DEBUG_BS);
}

/* ---- injection ------------------------------------------------------------ */

static void inject(struct vmx_vcpu *vmx, u32 event)
{
	u32 type = event & VMX_EVENT_TYPE;

	if (type == VMX_EVENT_SOFT_INTR || type == VMX_EVENT_SOFT_EXCEPTION)
		vmcs_write(VMCS_ENTRY_INSN_LEN, vmx->soft_insn_len);
	vmcs_write(VMCS_ENTRY_INTR_INFO, event | VMX_EVENT_VALID);
}

void vmx_inject_exception(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);
	const struct x86_exception_state *ex = &vcpu->exception;
	u32 event = ex->vector | VMX_EVENT_HARD_EXCEPTION;

	if (ex->vector == BP_VECTOR || ex->vector == OF_VECTOR) {
		/* A trap: what is pushed is the RIP behind the INT3 or INTO. */
		event = ex->vector | VMX_EVENT_SOFT_EXCEPTION;
		if (!vmx->soft_insn_len)
			vmx->soft_insn_len = 1;
	} else if ((HAS_ERROR_CODE & BIT(ex->vector)) && x86_is_protected(vcpu)) {
		event |= VMX_EVENT_ERROR_CODE;
		/* The entry refuses more than 16 bits (27.2.1.3). */
		vmcs_write(VMCS_ENTRY_ERROR_CODE,
			   ex->has_error_code ? (u16)ex->error_code : 0);
	}
	inject(vmx, event);
}

void vmx_inject_irq(struct x86_vcpu *vcpu, bool reinjected)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);
	u32 type = VMX_EVENT_EXT_INTR;

	if (vcpu->interrupt.soft) {
		type = VMX_EVENT_SOFT_INTR;
		if (!vmx->soft_insn_len)
			vmx->soft_insn_len = 2;
	}
	vcpu->core.stat.irq_injections += !reinjected;
	inject(vmx, vcpu->interrupt.vector | type);
}

void vmx_inject_nmi(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	/* With virtual NMIs the entry blocks further ones by itself. */
	if (!vmx_has.virtual_nmis)
		vmx_set_nmi_mask(vcpu, true);
	inject(vmx, NMI_VECTOR_NR | VMX_EVENT_NMI);
	vcpu->core.stat.nmi_injections++;
}

void vmx_cancel_injection(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);
	u32 event = vmcs_read(VMCS_ENTRY_INTR_INFO);

	if (!(event & VMX_EVENT_VALID))
		return;
	/* As if the entry had exited before delivery. */
	vmcs_write(VMCS_ENTRY_INTR_INFO, 0);
	switch (event & VMX_EVENT_TYPE) {
	case VMX_EVENT_NMI:
		vcpu->nmi_injected = true;
		vmx->nmi_masked = false;
		break;
	case VMX_EVENT_HARD_EXCEPTION:
	case VMX_EVENT_SOFT_EXCEPTION:
		x86_requeue_exception(vcpu, event & VMX_EVENT_VECTOR,
				      event & VMX_EVENT_ERROR_CODE,
				      vmcs_read(VMCS_ENTRY_ERROR_CODE));
		break;
	default:
		x86_queue_interrupt(vcpu, event & VMX_EVENT_VECTOR,
				    (event & VMX_EVENT_TYPE) == VMX_EVENT_SOFT_INTR);
	}
}

/* ---- NMI blocking -------------------------------------------------------- */

/*
 * Without virtual NMIs nobody tells when the guest's IRET unblocks them. A guest that
 * takes interrupts, that halts, or that has had a second for it is not in its NMI handler
 * any more, as a rule: then the next one is let in.
 */
#define NMI_HANDLER_NS	NSEC_PER_SEC

bool vmx_get_nmi_mask(struct x86_vcpu *vcpu)
{
	if (!vmx_has.virtual_nmis)
		return vmx_vcpu_of(vcpu)->nmi_masked;
	return vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & VMX_BLOCKED_BY_NMI;
}

void vmx_set_nmi_mask(struct x86_vcpu *vcpu, bool masked)
{
	u32 state;

	if (!vmx_has.virtual_nmis) {
		vmx_vcpu_of(vcpu)->nmi_masked = masked;
		vmx_vcpu_of(vcpu)->nmi_masked_at = ktime_get_ns();
		return;
	}
	state = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	if (masked)
		state |= VMX_BLOCKED_BY_NMI;
	else
		state &= ~VMX_BLOCKED_BY_NMI;
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, state);
}

void vmx_iret_faulted(struct vmx_vcpu *vmx)
{
	/*
	 * The IRET unblocked NMIs before its fault, which we handle, not the guest: it
	 * will be executed again (SDM 3C 28.2.3).
	 */
	if (vmx_has.virtual_nmis && !(vmx->idt_info & VMX_EVENT_VALID))
		vmx_set_nmi_mask(&vmx->x86, true);
}

int vmx_nmi_allowed(struct x86_vcpu *vcpu, bool for_injection)
{
	u32 state = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);

	if (!vmx_has.virtual_nmis && vmx_vcpu_of(vcpu)->nmi_masked)
		return 0;
	return !(state & (BLOCKED_BY_SHADOW | VMX_BLOCKED_BY_NMI));
}

void vmx_enable_nmi_window(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	/*
	 * STI's shadow may or may not hold back an NMI-window exit, by model: it ends
	 * with an interrupt window.
	 */
	if (!vmx_has.virtual_nmis || (vmx_get_interrupt_shadow(vcpu) & X86_SHADOW_INT_STI))
		vmx_enable_irq_window(vcpu);
	else
		vmx_put_control(vmx, VMX_PROC, VMX_PROC_NMI_WINDOW, true);
}

int vmx_nmi_window(struct vmx_vcpu *vmx)
{
	vmx_put_control(vmx, VMX_PROC, VMX_PROC_NMI_WINDOW, false);
	vmx->x86.core.stat.nmi_window_exits++;
	kvm_make_request(X86_REQ_EVENT, &vmx->x86.core);
	return X86_RESUME;
}

/* After an exit. */
static void end_nmi_mask(struct vmx_vcpu *vmx)
{
	if ((u16)vmx->exit_reason != VMX_EXIT_HLT &&
	    ktime_get_ns() - vmx->nmi_masked_at < NMI_HANDLER_NS)
		return;
	vmx->nmi_masked = false;
	kvm_make_request(X86_REQ_EVENT, &vmx->x86.core);
}

/* ---- interrupts ---------------------------------------------------------- */

int vmx_irq_allowed(struct x86_vcpu *vcpu, bool for_injection)
{
	return vmx_get_if_flag(vcpu) &&
	       !(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKED_BY_SHADOW);
}

void vmx_enable_irq_window(struct x86_vcpu *vcpu)
{
	vmx_put_control(vmx_vcpu_of(vcpu), VMX_PROC, VMX_PROC_INTR_WINDOW, true);
}

int vmx_irq_window(struct vmx_vcpu *vmx)
{
	vmx_put_control(vmx, VMX_PROC, VMX_PROC_INTR_WINDOW, false);
	vmx->nmi_masked = false;
	vmx->x86.core.stat.irq_window_exits++;
	kvm_make_request(X86_REQ_EVENT, &vmx->x86.core);
	return X86_RESUME;
}

static void set_tpr_threshold(struct vmx_vcpu *vmx, u8 threshold)
{
	if (vmx->tpr_threshold == threshold)
		return;
	vmx->tpr_threshold = threshold;
	vmcs_write(VMCS_TPR_THRESHOLD, threshold);
}

void vmx_update_cr8_intercept(struct x86_vcpu *vcpu, int tpr, int irr)
{
	/* A lowered TPR matters only when an interrupt waits for it, and for us to inject it. */
	if (vmx_has.tpr_shadow)
		set_tpr_threshold(vmx_vcpu_of(vcpu),
				  irr == -1 || tpr < irr || x86_lapic_apicv(vcpu) ? 0 : irr);
}

void vmx_clamp_tpr_threshold(struct vmx_vcpu *vmx)
{
	u8 tpr;

	/* The entry refuses a TPR that is below it already (SDM 3C 27.2.1.1). */
	if (likely(!vmx->tpr_threshold))
		return;
	tpr = lapic_reg(vmx->x86.apic, APIC_TASKPRI) >> 4 & 0xf;
	if (tpr < vmx->tpr_threshold)
		set_tpr_threshold(vmx, tpr);
}

/* ---- what an exit interrupted -------------------------------------------- */

void vmx_complete_interrupts(struct vmx_vcpu *vmx)
{
	struct x86_vcpu *vcpu = &vmx->x86;
	u32 info = vmx->idt_info;
	u8 vector = info & VMX_EVENT_VECTOR;
	bool injected = vcpu->interrupt.injected;

	vcpu->nmi_injected = false;
	x86_clear_exception_queue(vcpu);
	x86_clear_interrupt_queue(vcpu);
	vmx->soft_insn_len = 0;
	if (unlikely(vmx->nmi_masked))
		end_nmi_mask(vmx);
	if (likely(!(info & VMX_EVENT_VALID)))
		return;

	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	switch (info & VMX_EVENT_TYPE) {
	case VMX_EVENT_NMI:
		/* Its delivery blocked NMIs, itself too, when it comes again (32.7.1.2). */
		vcpu->nmi_injected = true;
		vmx_set_nmi_mask(vcpu, false);
		break;
	case VMX_EVENT_SOFT_EXCEPTION:
		vmx->soft_insn_len = vmcs_read(VMCS_EXIT_INSN_LEN);
		fallthrough;
	case VMX_EVENT_HARD_EXCEPTION:
		x86_requeue_exception(vcpu, vector, info & VMX_EVENT_ERROR_CODE,
				      info & VMX_EVENT_ERROR_CODE ?
				      vmcs_read(VMCS_IDT_VECTORING_ERROR_CODE) : 0);
		break;
	case VMX_EVENT_SOFT_INTR:
		vmx->soft_insn_len = vmcs_read(VMCS_EXIT_INSN_LEN);
		x86_queue_interrupt(vcpu, vector, true);
		break;
	case VMX_EVENT_EXT_INTR:
		if (!injected && x86_lapic_apicv(vcpu))
			vector = vmx_apicv_in_service();
		x86_queue_interrupt(vcpu, vector, false);
		break;
	case VMX_EVENT_PRIV_EXCEPTION:
		/* INT1 is executed again: RIP is still at it. */
		break;
	}
}
