/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory slots: gfn -> hva. Readers hold kvm->srcu (a vCPU in the outer loop)
 * or rcu_read_lock (the inner loop); what they found stays valid until they
 * let go.
 */
#ifndef CORE_MEMSLOT_H
#define CORE_MEMSLOT_H

#include "core/kvm.h"

/* Kinds of change. */
enum kvm_mr_change { KVM_MR_CREATE, KVM_MR_DELETE, KVM_MR_MOVE, KVM_MR_FLAGS_ONLY };

/* Generation: bit 63 is set while an update is in progress. */
#define KVM_MEMSLOT_GEN_UPDATE_IN_PROGRESS	BIT_ULL(63)

/** kvm_memslots() - slots of an address space, as the caller may read them */
struct kvm_memslots *kvm_memslots_as(struct kvm *kvm, int as_id);
static inline struct kvm_memslots *kvm_memslots(struct kvm *kvm)
{
	return kvm_memslots_as(kvm, 0);
}

/**
 * kvm_nr_address_spaces() - how many of KVM_ADDRESS_SPACE_NUM a VM has
 *
 * As the architecture answers KVM_CAP_MULTI_ADDRESS_SPACE: 2 where it offers SMM.
 */
int kvm_nr_address_spaces(struct kvm *kvm);

/** kvm_vcpu_memslots() - those of the address space that the vCPU sees now */
struct kvm_memslots *kvm_vcpu_memslots(struct kvm_vcpu *vcpu);

/**
 * kvm_find_slot() - the slot that contains a gfn, or NULL
 * @slots: from kvm_memslots*()
 * @gfn: the frame
 */
struct kvm_memory_slot *kvm_find_slot(struct kvm_memslots *slots, gfn_t gfn);

/** gfn_to_memslot() / kvm_vcpu_gfn_to_memslot() - lookup in one step; NULL if none,
 *  KVM_MEMSLOT_INVALID slots included (see kvm_slot_usable) */
struct kvm_memory_slot *gfn_to_memslot(struct kvm *kvm, gfn_t gfn);
struct kvm_memory_slot *kvm_vcpu_gfn_to_memslot(struct kvm_vcpu *vcpu, gfn_t gfn);

/** kvm_id_to_memslot() - slot by its id, or NULL. slots_lock or a reader. */
struct kvm_memory_slot *kvm_id_to_memslot(struct kvm_memslots *slots, int id);

/* In slot->flags, ours only: being deleted or moved; don't map, don't read. */
#define KVM_MEMSLOT_INVALID	BIT(16)

static inline hva_t kvm_slot_hva(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	return slot->userspace_addr + ((gfn - slot->base_gfn) << GFN_SHIFT);
}

static inline gfn_t kvm_slot_end(const struct kvm_memory_slot *slot)
{
	return slot->base_gfn + slot->npages;
}

/** kvm_slot_usable() - may it be read now: exists and is not on its way out */
static inline bool kvm_slot_usable(const struct kvm_memory_slot *slot)
{
	return slot && !(slot->flags & KVM_MEMSLOT_INVALID);
}

/** kvm_slot_writable() - usable and not KVM_MEM_READONLY */
static inline bool kvm_slot_writable(const struct kvm_memory_slot *slot)
{
	return kvm_slot_usable(slot) && !(slot->flags & KVM_MEM_READONLY);
}

static inline bool kvm_slot_dirty_tracked(const struct kvm_memory_slot *slot)
{
	return slot && (slot->flags & KVM_MEM_LOG_DIRTY_PAGES);
}

#define kvm_for_each_memslot(slot, node_idx, slots)			\
	for (struct rb_node *__n = rb_first(&(slots)->by_gfn);		\
	     ((slot) = __n ? container_of(__n, struct kvm_memory_slot,	\
					  gfn_node[(slots)->node]) : NULL);	\
	     __n = rb_next(__n))

/**
 * kvm_set_memory_region() - KVM_SET_USER_MEMORY_REGION(2)
 * @kvm: the VM
 * @mem: checked nowhere yet
 *
 * Return: 0, -EINVAL, -EEXIST (overlap), -ENOMEM. Context: slots_lock not held.
 */
int kvm_set_memory_region(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem);

/**
 * kvm_set_private_region() - a slot of the architecture's own (TSS, identity
 *	map, APIC page): memory is made here by an anonymous shared mapping in kvm->mm
 * @id: 0 .. KVM_PRIVATE_MEM_SLOTS-1
 * @gpa: where
 * @size: bytes; 0 removes it
 *
 * Context: slots_lock held. Return: hva, or an ERR_PTR value as void __user *.
 */
void __user *kvm_set_private_region(struct kvm *kvm, int id, gpa_t gpa, u32 size);

/** kvm_free_memslots() - at the VM's end */
void kvm_free_memslots(struct kvm *kvm);

/**
 * kvm_get_dirty_log() / kvm_clear_dirty_log() - KVM_GET_DIRTY_LOG and
 *	KVM_CLEAR_DIRTY_LOG (dirty_log.c)
 * @kvm: the VM
 * @log: copy of user space's; its bitmap is not
 *
 * Return: 0; -ENXIO: the VM has dirty rings; -EINVAL (slot number, page range),
 * -ENOENT (no such slot, or it doesn't log), -EFAULT (then no bit is lost). Context: takes slots_lock.
 */
int kvm_get_dirty_log(struct kvm *kvm, const struct kvm_dirty_log *log);
int kvm_clear_dirty_log(struct kvm *kvm, const struct kvm_clear_dirty_log *log);

/**
 * kvm_mmu_give_way() - in a long walk under mmu_lock: drop it when somebody waits, with the
 *	TLBs flushed, as every holder of mmu_lock may rely on
 * @kvm: the VM
 * @flush: must TLBs be flushed? Then false.
 *
 * Context: mmu_lock held for write, and again on return. May sleep.
 */
void kvm_mmu_give_way(struct kvm *kvm, bool *flush);

/**
 * kvm_mark_page_dirty() - a page was, or may from now on be, written
 * @kvm: the VM
 * @vcpu: who writes (dirty ring), or NULL
 * @slot: its slot
 * @gfn: the page
 *
 * Any context that may read slots.
 */
void kvm_mark_page_dirty(struct kvm *kvm, struct kvm_vcpu *vcpu,
			 const struct kvm_memory_slot *slot, gfn_t gfn);

#endif
