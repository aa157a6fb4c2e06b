/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exceptions, NMIs and the order of injection. cpu/exception.c queues and
 * merges; run.c injects.
 */
#ifndef ARCH_X86_EVENTS_H
#define ARCH_X86_EVENTS_H

#include "arch-x86/x86.h"

/**
 * x86_queue_exception() and friends - deliver an exception at the next entry
 * If one is already on its way they are merged by SDM 3A table 6-5: #DF, or a
 * triple fault. _e: with error code; _p: with payload (DR6 bits for #DB).
 */
void x86_queue_exception(struct x86_vcpu *vcpu, u8 vector);
void x86_queue_exception_e(struct x86_vcpu *vcpu, u8 vector, u32 error_code);
void x86_queue_exception_p(struct x86_vcpu *vcpu, u8 vector, u64 payload);
void x86_requeue_exception(struct x86_vcpu *vcpu, u8 vector, bool has_ec, u32 ec);
void x86_inject_page_fault(struct x86_vcpu *vcpu, const struct x86_fault_info *fault);
/** x86_inject_fault() - whatever @fault says */
void x86_inject_fault(struct x86_vcpu *vcpu, const struct x86_fault_info *fault);
static inline void x86_inject_gp(struct x86_vcpu *vcpu, u32 error_code)
{
	x86_queue_exception_e(vcpu, GP_VECTOR, error_code);
}
/** x86_inject_nmi() - any thread: queue an NMI and kick */
void x86_inject_nmi(struct x86_vcpu *vcpu);

/** x86_deliver_payload() - CR2/DR6 take the pending exception's payload */
void x86_deliver_exception_payload(struct x86_vcpu *vcpu);

/**
 * x86_exception_payload_quirk() - before user space reads CR2, DR6 or the events
 * @vcpu: the vCPU, loaded
 *
 * Without KVM_CAP_EXCEPTION_PAYLOAD user space can't carry the payload of a pending
 * exception: the register gets it now.
 */
void x86_exception_payload_quirk(struct x86_vcpu *vcpu);

/**
 * x86_vcpu_get_events() / x86_vcpu_set_events() - KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS
 * @vcpu: the vCPU, loaded
 * @events: to fill; a checked copy
 *
 * Return: 0; -EINVAL with nothing changed: unknown flags, a vector that is no exception,
 * SMM where there is none.
 */
void x86_vcpu_get_events(struct x86_vcpu *vcpu, struct kvm_vcpu_events *events);
int x86_vcpu_set_events(struct x86_vcpu *vcpu, const struct kvm_vcpu_events *events);

static inline void x86_clear_exception_queue(struct x86_vcpu *vcpu)
{
	vcpu->exception.pending = false;
	vcpu->exception.injected = false;
}
static inline void x86_queue_interrupt(struct x86_vcpu *vcpu, u8 vector, bool soft)
{
	vcpu->interrupt.injected = true;
	vcpu->interrupt.soft = soft;
	vcpu->interrupt.vector = vector;
}
static inline void x86_clear_interrupt_queue(struct x86_vcpu *vcpu)
{
	vcpu->interrupt.injected = false;
}
static inline bool x86_event_reinjection(const struct x86_vcpu *vcpu)
{
	return vcpu->exception.injected || vcpu->interrupt.injected || vcpu->nmi_injected;
}

/** x86_require_cpl() - true, or #GP(0) queued */
bool x86_require_cpl(struct x86_vcpu *vcpu, int required);
/** x86_require_dr() - DR4/5 and CR4.DE: true, or #UD queued */
bool x86_require_dr(struct x86_vcpu *vcpu, int dr);

/* cpu/debug.c */
int x86_set_dr(struct x86_vcpu *vcpu, int dr, u64 val);	/* 0, 1 (#GP) */
u64 x86_get_dr(struct x86_vcpu *vcpu, int dr);
void x86_update_dr7(struct x86_vcpu *vcpu);
int x86_handle_guest_debug_exit(struct x86_vcpu *vcpu, u64 dr6, unsigned long pc, u8 vector);
void x86_debug_load(struct x86_vcpu *vcpu);	/* before entry, IRQs off */
void x86_debug_unload(struct x86_vcpu *vcpu);	/* after exit, IRQs off */
/**
 * x86_skip_insn_singlestep() - an emulated instruction is done and TF was set: the
 *	debugger's step ends (KVM_EXIT_DEBUG), or the guest gets #DB
 * Return: X86_RESUME, X86_USER.
 */
int x86_skip_insn_singlestep(struct x86_vcpu *vcpu);

/** KVM_SET_GUEST_DEBUG: 0; -EINVAL: unknown flags; -EBUSY: an exception waits. Loaded. */
int x86_vcpu_set_guest_debug(struct x86_vcpu *vcpu, const struct kvm_guest_debug *dbg);
/** KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS: 0; -EINVAL: flags, or upper halves set. Loaded. */
void x86_vcpu_get_debugregs(struct x86_vcpu *vcpu, struct kvm_debugregs *regs);
int x86_vcpu_set_debugregs(struct x86_vcpu *vcpu, const struct kvm_debugregs *regs);

#endif
