// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions and NMIs on their way to the guest: queueing, what two of them become,
 * their payload; and the user's view of it (KVM_GET/SET_VCPU_EVENTS). When they are
 * injected is run.c's.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/smm.h"
#include "arch-x86/events.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/regs.h"
#include "arch-x86/run.h"
#include "arch-x86/vendor_call.h"

/* SDM 3A table 6-4, APM 2 table 8-4. */
enum exception_class { BENIGN, CONTRIBUTORY, PAGE_FAULT };

static enum exception_class class_of(u8 vector)
{
	switch (vector) {
	case DE_VECTOR:
	case TS_VECTOR:
	case NP_VECTOR:
	case SS_VECTOR:
	case GP_VECTOR:
	case CP_VECTOR:
		return CONTRIBUTORY;
	case PF_VECTOR:
	case VE_VECTOR:
		return PAGE_FAULT;
	default:
		return BENIGN;
	}
}

static void triple_fault(struct x86_vcpu *vcpu)
{
	x86_clear_exception_queue(vcpu);
	kvm_make_request(X86_REQ_TRIPLE_FAULT, &vcpu->core);
}

/* One that arrives while @first is waiting or being delivered (SDM 3A table 6-5). */
static bool make_double_fault(u8 first, u8 second)
{
	switch (class_of(first)) {
	case CONTRIBUTORY:
		return class_of(second) == CONTRIBUTORY;
	case PAGE_FAULT:
		return class_of(second) != BENIGN;
	default:
		return false;
	}
}

static void queue(struct x86_vcpu *vcpu, const struct x86_exception_state *new)
{
	struct x86_exception_state *ex = &vcpu->exception;

	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	if (ex->pending || ex->injected) {
		if (ex->vector == DF_VECTOR) {
			if (class_of(new->vector) != BENIGN) {
				triple_fault(vcpu);
				return;
			}
		} else if (make_double_fault(ex->vector, new->vector)) {
			/* CR2 keeps what the first, and then the second, left there. */
			x86_deliver_exception_payload(vcpu);
			*ex = *new;
			if (ex->vector == PF_VECTOR)
				x86_deliver_exception_payload(vcpu);
			*ex = (struct x86_exception_state) {
				.pending = true,
				.vector = DF_VECTOR,
				.has_error_code = x86_is_protected(vcpu),
			};
			return;
		}
		/* Else they are serial: the first one's instruction runs again. */
	}
	*ex = *new;
	/* Real mode's handlers have no error code on their stack. */
	if (!x86_is_protected(vcpu))
		ex->has_error_code = false;
}

void x86_queue_exception(struct x86_vcpu *vcpu, u8 vector)
{
	const struct x86_exception_state ex = { .pending = true, .vector = vector };

	queue(vcpu, &ex);
}
EXPORT_SYMBOL_GPL(x86_queue_exception);

void x86_queue_exception_e(struct x86_vcpu *vcpu, u8 vector, u32 error_code)
{
	const struct x86_exception_state ex = {
		.pending = true, .vector = vector,
		.has_error_code = true, .error_code = error_code,
	};

	queue(vcpu, &ex);
}
EXPORT_SYMBOL_GPL(x86_queue_exception_e);

void x86_queue_exception_p(struct x86_vcpu *vcpu, u8 vector, u64 payload)
{
	const struct x86_exception_state ex = {
		.pending = true, .vector = vector,
		.has_payload = true, .payload = payload,
	};

	queue(vcpu, &ex);
}
EXPORT_SYMBOL_GPL(x86_queue_exception_p);

/*
 * Its delivery had begun and was cut off by an exit: again as it was. What its
 * payload changed is in the registers already.
 */
void x86_requeue_exception(struct x86_vcpu *vcpu, u8 vector, bool has_ec, u32 ec)
{
	vcpu->exception = (struct x86_exception_state) {
		.injected = true, .vector = vector,
		.has_error_code = has_ec, .error_code = ec,
	};
	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
}
EXPORT_SYMBOL_GPL(x86_requeue_exception);

void x86_inject_page_fault(struct x86_vcpu *vcpu, const struct x86_fault_info *fault)
{
	const struct x86_exception_state ex = {
		.pending = true, .vector = PF_VECTOR,
		.has_error_code = true, .error_code = fault->error_code,
		.has_payload = true, .payload = fault->address,
	};

	vcpu->core.stat.pf_guest++;
	queue(vcpu, &ex);
}
EXPORT_SYMBOL_GPL(x86_inject_page_fault);

void x86_inject_fault(struct x86_vcpu *vcpu, const struct x86_fault_info *fault)
{
	if (fault->vector == PF_VECTOR)
		x86_inject_page_fault(vcpu, fault);
	else if (fault->error_code_valid)
		x86_queue_exception_e(vcpu, fault->vector, fault->error_code);
	else
		x86_queue_exception(vcpu, fault->vector);
}
EXPORT_SYMBOL_GPL(x86_inject_fault);

/*
 * The payload of #DB is what changes in DR6, with those bits inverted that are
 * active when clear (the ABI's exception_payload; SDM 3C 24.4.2).
 */
void x86_deliver_exception_payload(struct x86_vcpu *vcpu)
{
	struct x86_exception_state *ex = &vcpu->exception;
	u64 payload = ex->payload;

	if (!ex->has_payload)
		return;
	ex->has_payload = false;
	ex->payload = 0;

	switch (ex->vector) {
	case DB_VECTOR:
		/* B0-B3 are set afresh; the others are sticky (SDM 3B 17.2.3). */
		vcpu->dr6 &= ~0xfULL;
		vcpu->dr6 |= DR6_RTM | DR6_BUS_LOCK;
		vcpu->dr6 |= payload & ~(DR6_RTM | DR6_BUS_LOCK | BIT_ULL(12));
		vcpu->dr6 &= ~(payload & (DR6_RTM | DR6_BUS_LOCK));
		vendor_call(set_dr6)(vcpu, vcpu->dr6);
		break;
	case PF_VECTOR:
		vcpu->cr2 = payload;
		break;
	}
}
EXPORT_SYMBOL_GPL(x86_deliver_exception_payload);

void x86_exception_payload_quirk(struct x86_vcpu *vcpu)
{
	if (!x86_vcpu_vm(vcpu)->exception_payload_enabled && vcpu->exception.pending)
		x86_deliver_exception_payload(vcpu);
}

void x86_inject_nmi(struct x86_vcpu *vcpu)
{
	atomic_inc(&vcpu->nmi_queued);
	kvm_make_request(X86_REQ_NMI, &vcpu->core);
	kvm_vcpu_kick(&vcpu->core);
}
EXPORT_SYMBOL_GPL(x86_inject_nmi);

bool x86_require_cpl(struct x86_vcpu *vcpu, int required)
{
	if (vendor_call(get_cpl)(vcpu) <= required)
		return true;
	x86_inject_gp(vcpu, 0);
	return false;
}
EXPORT_SYMBOL_GPL(x86_require_cpl);

/* ---- KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS ----------------------------- */

void x86_vcpu_get_events(struct x86_vcpu *vcpu, struct kvm_vcpu_events *events)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct x86_exception_state *ex = &vcpu->exception;

	x86_exception_payload_quirk(vcpu);
	memset(events, 0, sizeof(*events));

	/*
	 * Without the payload capability user space knows one state only: what is
	 * pending is given as injected, and comes back as that.
	 */
	if (vm->exception_payload_enabled) {
		events->exception.injected = ex->injected;
		events->exception.pending = ex->pending;
		events->exception_has_payload = ex->has_payload;
		events->exception_payload = ex->payload;
		events->flags |= KVM_VCPUEVENT_VALID_PAYLOAD;
	} else {
		events->exception.injected = ex->injected || ex->pending;
		events->exception.pending = ex->pending;
	}
	events->exception.nr = ex->vector;
	events->exception.has_error_code = ex->has_error_code;
	events->exception.error_code = ex->error_code;

	events->interrupt.injected = vcpu->interrupt.injected && !vcpu->interrupt.soft;
	events->interrupt.nr = vcpu->interrupt.vector;
	events->interrupt.shadow = vendor_call(get_interrupt_shadow)(vcpu);

	events->nmi.injected = vcpu->nmi_injected;
	events->nmi.pending = vcpu->nmi_pending || atomic_read(&vcpu->nmi_queued);
	events->nmi.masked = vendor_call(get_nmi_mask)(vcpu);

	/* Handed back by who saves and restores, although no flag says that it is valid. */
	events->sipi_vector = x86_lapic_sipi_vector(vcpu);

	events->flags |= KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;

	events->smi.smm = vcpu->in_smm;
	events->smi.pending = vcpu->smi_pending || kvm_test_request(X86_REQ_SMI, &vcpu->core);
	events->smi.smm_inside_nmi = vcpu->smm_inside_nmi;
	events->smi.latched_init = vcpu->in_smm && x86_lapic_init_latched(vcpu);
	events->flags |= KVM_VCPUEVENT_VALID_SMM;
	if (vm->triple_fault_event) {
		events->triple_fault.pending = kvm_test_request(X86_REQ_TRIPLE_FAULT,
								&vcpu->core);
		events->flags |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	}
}

int x86_vcpu_set_events(struct x86_vcpu *vcpu, const struct kvm_vcpu_events *events)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	u32 known = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR |
		    KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_SMM;
	bool pending = false, injected = events->exception.injected;

	if (vm->exception_payload_enabled)
		known |= KVM_VCPUEVENT_VALID_PAYLOAD;
	if (vm->triple_fault_event)
		known |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	if (events->flags & ~known)
		return -EINVAL;

	if (events->flags & KVM_VCPUEVENT_VALID_PAYLOAD) {
		pending = events->exception.pending;
		if (pending)
			injected = false;
	}
	if ((injected || pending) &&
	    (events->exception.nr > 31 || events->exception.nr == NMI_VECTOR_NR))
		return -EINVAL;

	vcpu->exception_from_userspace = true;
	vcpu->exception = (struct x86_exception_state) {
		.pending = pending,
		.injected = injected,
		.vector = events->exception.nr,
		.has_error_code = events->exception.has_error_code,
		.error_code = events->exception.error_code,
		.has_payload = pending && events->exception_has_payload,
		.payload = pending && events->exception_has_payload ?
			   events->exception_payload : 0,
	};

	vcpu->interrupt.injected = events->interrupt.injected;
	vcpu->interrupt.vector = events->interrupt.nr;
	vcpu->interrupt.soft = events->interrupt.soft;
	if (events->flags & KVM_VCPUEVENT_VALID_SHADOW)
		vendor_call(set_interrupt_shadow)(vcpu, events->interrupt.shadow &
						  (KVM_X86_SHADOW_INT_STI |
						   KVM_X86_SHADOW_INT_MOV_SS));

	vcpu->nmi_injected = events->nmi.injected;
	if (events->flags & KVM_VCPUEVENT_VALID_NMI_PENDING) {
		vcpu->nmi_pending = 0;
		atomic_set(&vcpu->nmi_queued, events->nmi.pending ? 1 : 0);
		if (events->nmi.pending)
			kvm_make_request(X86_REQ_NMI, &vcpu->core);
	}
	vendor_call(set_nmi_mask)(vcpu, events->nmi.masked);

	if ((events->flags & KVM_VCPUEVENT_VALID_SIPI_VECTOR) && x86_has_lapic(vcpu))
		x86_lapic_set_sipi_vector(vcpu, events->sipi_vector);

	if (events->flags & KVM_VCPUEVENT_VALID_SMM) {
		x86_smm_switch(vcpu, events->smi.smm);
		kvm_clear_request(X86_REQ_SMI, &vcpu->core);
		vcpu->smi_pending = events->smi.pending;
		vcpu->smm_inside_nmi = events->smi.smm && events->smi.smm_inside_nmi;
		if (events->smi.smm)
			x86_lapic_latch_init(vcpu, events->smi.latched_init);
	}
	if (events->flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT) {
		if (events->triple_fault.pending)
			kvm_make_request(X86_REQ_TRIPLE_FAULT, &vcpu->core);
		else
			kvm_clear_request(X86_REQ_TRIPLE_FAULT, &vcpu->core);
	}
	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	return 0;
}
