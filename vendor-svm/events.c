// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events into the guest: injection through EVENTINJ, windows for interrupts and
 * NMIs, NMI blocking by hand, and taking back what an exit interrupted
 * (APM 2 15.20, 15.21). Decides nothing: arch-x86/run.c says what and when.
 */
#include "arch-x86/events.h"
#include "arch-x86/io.h"
#include "vendor-svm/svm.h"

u32 svm_get_interrupt_shadow(struct x86_vcpu *vcpu)
{
	/* The CPU does not tell STI's from MOV SS's. */
	if (svm_vcpu_of(vcpu)->vmcb->control.interrupt_state & SVM_INTERRUPT_SHADOW)
		return X86_SHADOW_INT_STI | X86_SHADOW_INT_MOV_SS;
	return 0;
}

void svm_set_interrupt_shadow(struct x86_vcpu *vcpu, u32 mask)
{
	struct vmcb_control *control = &svm_vcpu_of(vcpu)->vmcb->control;

	if (mask)
		control->interrupt_state |= SVM_INTERRUPT_SHADOW;
	else
		control->interrupt_state &= ~SVM_INTERRUPT_SHADOW;
}

/*
 * #BP and #OF are traps of INT3 and INTO: what is pushed is the RIP behind the
 * instruction. Without a saved next RIP, RIP is moved there by us, and back
 * again if the delivery does not complete.
 */
static void svm_prepare_soft_exception(struct svm_vcpu *svm)
{
	struct x86_vcpu *vcpu = &svm->x86;
	u64 rip = x86_rip_read(vcpu);

	if (x86_emulate(vcpu, X86_EMUL_SKIP) == X86_RESUME) {
		switch (vcpu->emul.insn.id) {
		case X86_EMULATOR_INSN_INT3:
		case X86_EMULATOR_INSN_INT_N:
		case X86_EMULATOR_INSN_INTO:
			break;
		default:
			x86_rip_write(vcpu, rip);
		}
	}
	svm->soft_exception_rip = rip;
	svm->soft_exception = true;
}

void svm_inject_exception(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	const struct x86_exception_state *ex = &vcpu->exception;
	u64 event = ex->vector | SVM_EVENT_EXCEPTION | SVM_EVENT_VALID;

	/*
	 * A debugger may inject #BP where there is no INT3, or nothing that can
	 * be decoded: then it is delivered where it stands, rather than never.
	 */
	if (ex->vector == BP_VECTOR || ex->vector == OF_VECTOR)
		svm_prepare_soft_exception(svm);
	if (ex->has_error_code)
		event |= SVM_EVENT_EV | (u64)ex->error_code << 32;
	svm->vmcb->control.event_inj = event;
}

void svm_inject_irq(struct x86_vcpu *vcpu, bool reinjected)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	u64 type = vcpu->interrupt.soft ? SVM_EVENT_SOFT_INT : SVM_EVENT_INTR;

	vcpu->core.stat.irq_injections += !reinjected;
	svm->vmcb->control.event_inj = vcpu->interrupt.vector | type | SVM_EVENT_VALID;
}

void svm_inject_nmi(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	svm->vmcb->control.event_inj = NMI_VECTOR_NR | SVM_EVENT_NMI | SVM_EVENT_VALID;
	svm_set_nmi_mask(vcpu, true);
	vcpu->core.stat.nmi_injections++;
}

/* ---- NMI blocking -------------------------------------------------------- */

bool svm_get_nmi_mask(struct x86_vcpu *vcpu)
{
	return svm_vcpu_of(vcpu)->nmi_masked;
}

void svm_set_nmi_mask(struct x86_vcpu *vcpu, bool masked)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	svm->nmi_masked = masked;
	svm_put_intercept(svm, SVM_INTERCEPT_IRET, masked);
	if (!masked)
		svm->nmi_iret_pending = false;
}

int svm_handle_iret(struct svm_vcpu *svm)
{
	/*
	 * The IRET has not been executed yet: NMIs are blocked until it has.
	 * It has when an exit finds RIP elsewhere.
	 */
	svm->x86.core.stat.nmi_window_exits++;
	svm->nmi_iret_pending = true;
	svm->nmi_iret_rip = x86_rip_read(&svm->x86);
	svm_clear_intercept(svm, SVM_INTERCEPT_IRET);
	kvm_make_request(X86_REQ_EVENT, &svm->x86.core);
	return X86_RESUME;
}

int svm_nmi_allowed(struct x86_vcpu *vcpu, bool for_injection)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	return !svm->nmi_masked && !svm_get_interrupt_shadow(vcpu);
}

void svm_enable_nmi_window(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	/* IRET will exit by itself. */
	if (svm->nmi_masked && !svm->nmi_iret_pending)
		return;

	/* Behind an interrupt shadow or an IRET: one step, then look again. */
	svm_step_once(vcpu);
}

void svm_step_once(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	if (svm->nmi_singlestep)
		return;
	svm->nmi_singlestep_rflags = svm->vmcb->save.rflags;
	svm->nmi_singlestep = true;
	svm->vmcb->save.rflags |= X86_EFLAGS_TF | X86_EFLAGS_RF;
}

bool svm_end_nmi_singlestep(struct svm_vcpu *svm)
{
	bool unwanted;

	if (!svm->nmi_singlestep)
		return false;
	svm->nmi_singlestep = false;
	unwanted = !(svm->nmi_singlestep_rflags & X86_EFLAGS_TF);
	if (!(svm->x86.core.guest_debug & KVM_GUESTDBG_SINGLESTEP)) {
		if (unwanted)
			svm->vmcb->save.rflags &= ~X86_EFLAGS_TF;
		if (!(svm->nmi_singlestep_rflags & X86_EFLAGS_RF))
			svm->vmcb->save.rflags &= ~X86_EFLAGS_RF;
	}
	kvm_make_request(X86_REQ_EVENT, &svm->x86.core);
	return unwanted;
}

/* ---- interrupts ---------------------------------------------------------- */

int svm_irq_allowed(struct x86_vcpu *vcpu, bool for_injection)
{
	return svm_get_if_flag(vcpu) && !svm_get_interrupt_shadow(vcpu);
}

/*
 * A virtual interrupt of the highest priority, which never reaches the guest: the
 * intercept comes first, as soon as IF and the shadow allow (APM 2 15.21.4).
 */
void svm_enable_irq_window(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	struct vmcb_control *control = &svm->vmcb->control;

	control->v_intr_vector = 0;
	control->v_irq |= SVM_V_IRQ;
	control->v_intr_prio = SVM_V_INTR_PRIO_MASK | SVM_V_IGN_TPR;
	svm_set_intercept(svm, SVM_INTERCEPT_VINTR);
}

void svm_clear_irq_window(struct svm_vcpu *svm)
{
	svm->vmcb->control.v_irq &= ~SVM_V_IRQ;
	svm_clear_intercept(svm, SVM_INTERCEPT_VINTR);
}

void svm_update_cr8_intercept(struct x86_vcpu *vcpu, int tpr, int irr)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	/*
	 * A lowered TPR matters only when an interrupt waits for it. While a window is
	 * open, the CPU would weigh V_IRQ again at each write: QEMU's TCG dies of that.
	 */
	svm_put_intercept(svm, SVM_INTERCEPT_CR8_WRITE,
			  irr != -1 && (tpr >= irr || svm->vmcb->control.v_irq & SVM_V_IRQ));
}

/* ---- what an exit interrupted -------------------------------------------- */

static void svm_requeue_exception(struct svm_vcpu *svm, u8 vector, u64 info)
{
	struct x86_vcpu *vcpu = &svm->x86;

	if (vector == BP_VECTOR || vector == OF_VECTOR) {
		/*
		 * The guest's own INT3 or INTO is executed again. One that we
		 * injected comes again from its instruction.
		 */
		if (!svm->soft_exception)
			return;
		x86_rip_write(vcpu, svm->soft_exception_rip);
	}
	x86_requeue_exception(vcpu, vector, info & SVM_EVENT_EV, info >> 32);
}

void svm_complete_interrupts(struct svm_vcpu *svm)
{
	struct x86_vcpu *vcpu = &svm->x86;
	u64 info = svm->vmcb->control.exit_int_info;
	u8 vector = info & SVM_EVENT_VECTOR;

	if (svm->nmi_iret_pending && x86_rip_read(vcpu) != svm->nmi_iret_rip) {
		svm->nmi_iret_pending = false;
		svm->nmi_masked = false;
		kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	}

	vcpu->nmi_injected = false;
	x86_clear_exception_queue(vcpu);
	x86_clear_interrupt_queue(vcpu);

	if (likely(!(info & SVM_EVENT_VALID))) {
		svm->soft_exception = false;
		return;
	}

	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	switch (info & SVM_EVENT_TYPE) {
	case SVM_EVENT_NMI:
		vcpu->nmi_injected = true;
		break;
	case SVM_EVENT_EXCEPTION:
		svm_requeue_exception(svm, vector, info);
		break;
	case SVM_EVENT_INTR:
		x86_queue_interrupt(vcpu, vector, false);
		break;
	case SVM_EVENT_SOFT_INT:
		/* INT n is executed again: RIP is still at it. */
		break;
	}
	svm->soft_exception = false;
}

void svm_cancel_injection(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	struct vmcb_control *control = &svm->vmcb->control;

	/* As if the entry had exited before delivery. */
	control->exit_int_info = control->event_inj;
	control->event_inj = 0;
	svm_complete_interrupts(svm);
}
