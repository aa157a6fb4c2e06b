/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exceptions, NMIs and the order of injection. cpu/exception.c queues and
 * merges; run.c injects.
 */
#ifndef ARCH_X86_EVENTS_H
#define ARCH_X86_EVENTS_H

#include "arch-x86/x86.h"

/**
 * x86_queue_exception() / _e() / _p() - deliver an exception at the next entry
 * @vcpu: the vCPU, in its thread
 * @vector: 0 to 31, not NMI
 * @error_code: pushed, but in real mode
 * @payload: what it changes in CR2 (#PF) or DR6 (#DB: bits that are set, those that are
 *	active when clear inverted), when it is delivered and not before
 *
 * If one is already on its way they are merged by SDM 3A table 6-5 (APM 2 table 8-5):
 * #DF, or a triple fault (X86_REQ_TRIPLE_FAULT); else the new one replaces it, since the
 * first one's instruction runs again. Context: loaded; may run in the inner loop.
 */
void x86_queue_exception(struct x86_vcpu *vcpu, u8 vector);
void x86_queue_exception_e(struct x86_vcpu *vcpu, u8 vector, u32 error_code);
void x86_queue_exception_p(struct x86_vcpu *vcpu, u8 vector, u64 payload);

/**
 * x86_requeue_exception() - an exit cut its delivery off: again as it was
 * @vcpu: the vCPU
 * @vector: as the vendor's exit information says
 * @has_ec: with an error code
 * @ec: error code
 *
 * No merging, no payload: CR2 and DR6 have it already (SDM 3C 27.2.4, APM 2 15.7.2).
 */
void x86_requeue_exception(struct x86_vcpu *vcpu, u8 vector, bool has_ec, u32 ec);

/**
 * x86_inject_page_fault() / x86_inject_fault() - queue #PF / whatever @fault says
 * @vcpu: the vCPU
 * @fault: error code, and for #PF the linear address
 */
void x86_inject_page_fault(struct x86_vcpu *vcpu, const struct x86_fault_info *fault);
void x86_inject_fault(struct x86_vcpu *vcpu, const struct x86_fault_info *fault);

static inline void x86_inject_gp(struct x86_vcpu *vcpu, u32 error_code)
{
	x86_queue_exception_e(vcpu, GP_VECTOR, error_code);
}

/** x86_inject_nmi() - queue an NMI and kick. Any thread, any context. */
void x86_inject_nmi(struct x86_vcpu *vcpu);

/**
 * x86_deliver_exception_payload() - CR2 or DR6 take the pending exception's payload
 * @vcpu: the vCPU, loaded
 *
 * Called when it is injected. Once: the exception has no payload afterwards.
 */
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
 * Return: 0; -EINVAL with nothing changed: unknown flags, a vector that is no exception.
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

/** x86_require_cpl() - CPL <= @required: true; else #GP(0) is queued. Loaded. */
bool x86_require_cpl(struct x86_vcpu *vcpu, int required);
/** x86_require_dr() - true; DR4 or DR5 with CR4.DE: #UD is queued (SDM 3B 17.2.2). Loaded. */
bool x86_require_dr(struct x86_vcpu *vcpu, int dr);

/**
 * x86_set_dr() / x86_get_dr() - MOV to and from a debug register
 * @vcpu: the vCPU, loaded
 * @dr: 0 to 7; 4 and 5 are 6 and 7
 * @val: value
 *
 * CPL, DE and GD have been checked. Return: 0; 1: #GP, upper half of DR6 or DR7 not 0
 * (SDM 3B 17.2.6).
 */
int x86_set_dr(struct x86_vcpu *vcpu, int dr, u64 val);
u64 x86_get_dr(struct x86_vcpu *vcpu, int dr);

/** x86_update_dr7() - DR7 that the guest runs with, after a change of it or of the
 *  debugger's. Loaded; IRQs may be off. */
void x86_update_dr7(struct x86_vcpu *vcpu);

/**
 * x86_debug_reg_access() - an intercepted MOV to or from a debug register
 * @vcpu: the vCPU, loaded
 *
 * The guest gets its debug registers until it next leaves guest mode for long, unless
 * a debugger uses them. Return: X86_RESUME, X86_USER, -errno.
 */
int x86_debug_reg_access(struct x86_vcpu *vcpu);

/**
 * x86_handle_guest_debug_exit() - KVM_EXIT_DEBUG
 * @vcpu: the vCPU
 * @dr6: what happened
 * @pc: linear RIP
 * @vector: #DB or #BP
 *
 * Return: X86_USER, kvm_run is filled.
 */
int x86_handle_guest_debug_exit(struct x86_vcpu *vcpu, u64 dr6, unsigned long pc, u8 vector);

/**
 * x86_debug_load() / x86_debug_unload() - DR0-DR3 into the CPU before the inner loop; out
 *	of it, and the host's back in, afterwards
 * @vcpu: the vCPU; IRQs off
 */
void x86_debug_load(struct x86_vcpu *vcpu);
void x86_debug_unload(struct x86_vcpu *vcpu);

/**
 * x86_skip_insn_singlestep() - an emulated instruction is done and TF was set: the
 *	debugger's step ends (KVM_EXIT_DEBUG), or the guest gets #DB
 * Return: X86_RESUME, X86_USER.
 */
int x86_skip_insn_singlestep(struct x86_vcpu *vcpu);

/**
 * x86_vcpu_set_guest_debug() - KVM_SET_GUEST_DEBUG
 * Return: 0; -EINVAL: unknown flags; -EBUSY: to inject, but an exception waits. Loaded.
 */
int x86_vcpu_set_guest_debug(struct x86_vcpu *vcpu, const struct kvm_guest_debug *dbg);

/**
 * x86_vcpu_get_debugregs() / x86_vcpu_set_debugregs() - KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS
 * Return: 0; -EINVAL: flags, or upper halves of DR6, DR7 set; nothing changed. Loaded.
 */
void x86_vcpu_get_debugregs(struct x86_vcpu *vcpu, struct kvm_debugregs *regs);
int x86_vcpu_set_debugregs(struct x86_vcpu *vcpu, const struct kvm_debugregs *regs);

#endif
