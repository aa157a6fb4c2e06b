/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dirty rings (KVM_CAP_DIRTY_LOG_RING): instead of bitmaps of slots, each vCPU tells in a
 * ring, shared with user space, which pages it has dirtied.
 */
#ifndef CORE_DIRTY_RING_H
#define CORE_DIRTY_RING_H

#include "core/kvm.h"

#define KVM_DIRTY_RING_MAX_BYTES	(65536 * sizeof(struct kvm_dirty_gfn))

/**
 * kvm_dirty_ring_enable() - KVM_ENABLE_CAP of KVM_CAP_DIRTY_LOG_RING(_ACQ_REL)
 * @kvm: the VM; takes its lock
 * @bytes: size of each ring
 *
 * Return: 0; -EINVAL: no power of two, below a page or above KVM_DIRTY_RING_MAX_BYTES,
 * there is a vCPU, or rings have been asked for before.
 */
int kvm_dirty_ring_enable(struct kvm *kvm, u64 bytes);

/** kvm_dirty_ring_create() - the ring of a new vCPU, if its VM has rings. 0, -ENOMEM */
int kvm_dirty_ring_create(struct kvm_vcpu *vcpu);
void kvm_dirty_ring_destroy(struct kvm_vcpu *vcpu);

/** kvm_dirty_ring_page() - page @n of a vCPU's ring for user space's mapping, or NULL */
struct page *kvm_dirty_ring_page(struct kvm_vcpu *vcpu, unsigned long n);

/**
 * kvm_dirty_ring_push() - a page was, or may from now on be, written
 * @vcpu: whose ring; its thread
 * @slot: the page's slot
 * @offset: in pages from the slot's start
 *
 * Any context. Asks with KVM_REQ_DIRTY_RING_SOFT_FULL for an exit before it is full.
 */
void kvm_dirty_ring_push(struct kvm_vcpu *vcpu, const struct kvm_memory_slot *slot,
			 unsigned long offset);

/** kvm_dirty_ring_soft_full() - must user space collect before the vCPU runs? Its thread. */
bool kvm_dirty_ring_soft_full(struct kvm_vcpu *vcpu);

/**
 * kvm_reset_dirty_rings() - KVM_RESET_DIRTY_RINGS: take back what user space has collected
 * @kvm: the VM; takes slots_lock
 *
 * From then on writes to these pages are logged again.
 * Return: how many; -EINVAL: the VM has no rings.
 */
int kvm_reset_dirty_rings(struct kvm *kvm);

#endif
