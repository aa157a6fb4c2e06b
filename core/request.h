/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests and kicks: how one thread makes a vCPU notice something.
 *
 * Requester: write the state; set the bit (release); smp_mb; read vcpu->mode;
 * IPI if IN_GUEST. Runner, IRQs off: mode = IN_GUEST; smp_mb; read requests;
 * enter. One of the two sees the other. Implemented in core/request.c.
 */
#ifndef CORE_REQUEST_H
#define CORE_REQUEST_H

#include "core/kvm.h"

/**
 * kvm_make_request() - set a request bit, without a kick
 * @req: KVM_REQ_*
 * @vcpu: the vCPU
 *
 * Orders all earlier writes before the bit. Any context.
 */
static inline void kvm_make_request(int req, struct kvm_vcpu *vcpu)
{
	smp_wmb();	/* pairs with smp_mb__after_atomic in kvm_check_request */
	set_bit(req & KVM_REQUEST_MASK, (unsigned long *)&vcpu->requests);
}

static inline bool kvm_request_pending(struct kvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->requests);
}

static inline bool kvm_test_request(int req, struct kvm_vcpu *vcpu)
{
	return test_bit(req & KVM_REQUEST_MASK, (unsigned long *)&vcpu->requests);
}

static inline void kvm_clear_request(int req, struct kvm_vcpu *vcpu)
{
	clear_bit(req & KVM_REQUEST_MASK, (unsigned long *)&vcpu->requests);
}

/**
 * kvm_check_request() - consume a request
 * @req: KVM_REQ_*
 * @vcpu: the vCPU, by its own thread
 *
 * Return: whether it was set; what was written before it is then visible.
 */
static inline bool kvm_check_request(int req, struct kvm_vcpu *vcpu)
{
	if (!kvm_test_request(req, vcpu))
		return false;
	kvm_clear_request(req, vcpu);
	smp_mb__after_atomic();
	return true;
}

/**
 * kvm_vcpu_kick() - make a vCPU look at its requests: wake it, or IPI it out
 *	of guest mode
 * @vcpu: the vCPU
 *
 * Any context that may take rcu_read_lock; callable with IRQs off.
 */
void kvm_vcpu_kick(struct kvm_vcpu *vcpu);

/**
 * kvm_vcpu_leave_at_once() - the guest that is about to be entered is left again as soon
 *	as what is injected has been delivered
 * @vcpu: the vCPU, this thread's
 *
 * Context: IRQs off until the entry.
 */
void kvm_vcpu_leave_at_once(struct kvm_vcpu *vcpu);

/**
 * kvm_vcpu_wake_up() - wake a vCPU that sleeps in HLT
 * @vcpu: the vCPU
 *
 * Return: true if it slept. Any context.
 */
bool kvm_vcpu_wake_up(struct kvm_vcpu *vcpu);

/**
 * kvm_make_all_cpus_request() - a request for every vCPU of a VM
 * @kvm: the VM
 * @req: KVM_REQ_*; with KVM_REQUEST_WAIT returns only when each vCPU that was
 *	in guest mode has left it
 *
 * Return: true if an IPI was sent. Context: preemptible or not; IRQs on.
 */
bool kvm_make_all_cpus_request(struct kvm *kvm, unsigned int req);

/**
 * kvm_make_vcpus_request_mask() - likewise for the vCPUs whose index is set
 * @kvm: the VM
 * @req: KVM_REQ_*
 * @vcpus: bitmap by vcpu->idx
 */
bool kvm_make_vcpus_request_mask(struct kvm *kvm, unsigned int req,
				 const unsigned long *vcpus);

/**
 * kvm_flush_remote_tlbs() - no vCPU uses a translation made before this call
 * @kvm: the VM
 *
 * Returns when every vCPU in guest mode has left it. Callable under mmu_lock.
 */
void kvm_flush_remote_tlbs(struct kvm *kvm);

#endif
