/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU's life as the architecture sees it: load and put, blocking, signals,
 * and the module's front door.
 */
#ifndef CORE_VCPU_H
#define CORE_VCPU_H

#include "core/kvm.h"

/** kvm_vcpu_load() / kvm_vcpu_put() - put the vCPU on this CPU; preempt notifier on.
 *  Context: vcpu->mutex held, preemptible. */
void kvm_vcpu_load(struct kvm_vcpu *vcpu);
void kvm_vcpu_put(struct kvm_vcpu *vcpu);

/**
 * kvm_vcpu_halt() - the guest executed HLT: poll, then sleep until
 *	kvm_arch_vcpu_runnable(), a pending signal or KVM_REQ_UNBLOCK
 * Context: preemptible, SRCU not held. Vendor state is put while asleep.
 */
void kvm_vcpu_halt(struct kvm_vcpu *vcpu);

/** kvm_vcpu_block() - sleep without polling (mp_state waits). True if it slept. */
bool kvm_vcpu_block(struct kvm_vcpu *vcpu);

/** kvm_vcpu_on_spin() - PAUSE-loop exit: yield to a vCPU that could release the lock */
void kvm_vcpu_on_spin(struct kvm_vcpu *vcpu, bool in_kernel);
/** kvm_vcpu_yield_to() - give the CPU to @target: 1 yielded, 0 not, -ESRCH */
int kvm_vcpu_yield_to(struct kvm_vcpu *target);

/** kvm_sigset_activate() / _deactivate() - KVM_SET_SIGNAL_MASK's mask around waits in KVM_RUN */
void kvm_sigset_activate(struct kvm_vcpu *vcpu);
void kvm_sigset_deactivate(struct kvm_vcpu *vcpu);

/** kvm_vcpu_srcu_read_lock() / _unlock() - the outer loop's reader, dropped before entry */
static inline void kvm_vcpu_srcu_read_lock(struct kvm_vcpu *vcpu)
{
	WARN_ON_ONCE(vcpu->srcu_held);
	vcpu->srcu_idx = srcu_read_lock(&vcpu->kvm->srcu);
	vcpu->srcu_held = true;
}

static inline void kvm_vcpu_srcu_read_unlock(struct kvm_vcpu *vcpu)
{
	vcpu->srcu_held = false;
	srcu_read_unlock(&vcpu->kvm->srcu, vcpu->srcu_idx);
}

/** kvm_vcpus_destroy() - called by the architecture at the VM's end */
void kvm_vcpus_destroy(struct kvm *kvm);

/**
 * kvm_register() - a vendor is ready: enable this and let /dev/kvm appear
 * @owner: vendor module, pinned by each VM
 *
 * Return: 0, -EEXIST (another vendor is there), -EIO if a CPU can't, -errno.
 */
int kvm_register(struct module *owner);
void kvm_unregister(void);

/**
 * kvm_cpu_usable() - is virtualization on, on this CPU?
 *
 * False on a CPU that came online later and could not be turned on, and while
 * the machine goes down: KVM_EXIT_FAIL_ENTRY instead of a VM entry.
 * Context: preemption off.
 */
bool kvm_cpu_usable(void);

#endif
