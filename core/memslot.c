// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots: which guest frames exist, and where in the process they are.
 *
 * Each address space has two copies of its set of slots. Readers see the one
 * that kvm->memslots points to; a writer edits the other, makes it the visible
 * one, waits until the last reader of the old one is gone, and then makes the
 * same edit there. A slot has two sets of tree nodes, one per copy, so that an
 * edit never touches what a reader walks.
 *
 * A deletion (or a move) is two such steps: first the slot is replaced by one
 * that is marked KVM_MEMSLOT_INVALID, so that no new translation is made;
 * translations are dropped; then it goes. Everything that may fail is done
 * before the first step.
 *
 * Does not know how memory is read (guest_memory.c) or mapped (the
 * architecture).
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core/arch.h"
#include "core/memslot.h"
#include "core/vm.h"

/* ---- lookup ------------------------------------------------------------ */

struct kvm_memslots *kvm_memslots_as(struct kvm *kvm, int as_id)
{
	as_id = array_index_nospec(as_id, KVM_ADDRESS_SPACE_NUM);
	return srcu_dereference_check(kvm->memslots[as_id], &kvm->srcu,
				      lockdep_is_held(&kvm->slots_lock) ||
				      rcu_read_lock_any_held() ||
				      !refcount_read(&kvm->users));
}
EXPORT_SYMBOL_GPL(kvm_memslots_as);

int kvm_nr_address_spaces(struct kvm *kvm)
{
	int nr = kvm_arch_check_extension(kvm, KVM_CAP_MULTI_ADDRESS_SPACE);

	return clamp(nr, 1, KVM_ADDRESS_SPACE_NUM);
}

struct kvm_memslots *kvm_vcpu_memslots(struct kvm_vcpu *vcpu)
{
	return kvm_memslots_as(vcpu->kvm, kvm_arch_vcpu_as_id(vcpu));
}
EXPORT_SYMBOL_GPL(kvm_vcpu_memslots);

static bool slot_has_gfn(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	return gfn >= slot->base_gfn && gfn - slot->base_gfn < slot->npages;
}

struct kvm_memory_slot *kvm_find_slot(struct kvm_memslots *slots, gfn_t gfn)
{
	struct kvm_memory_slot *slot = READ_ONCE(slots->last_used);
	struct rb_node *n;

	/* it belongs to this copy, and lives as long as its readers */
	if (slot && slot_has_gfn(slot, gfn))
		return slot;

	for (n = slots->by_gfn.rb_node; n; ) {
		slot = container_of(n, struct kvm_memory_slot, gfn_node[slots->node]);
		if (gfn < slot->base_gfn) {
			n = n->rb_left;
		} else if (gfn - slot->base_gfn >= slot->npages) {
			n = n->rb_right;
		} else {
			WRITE_ONCE(slots->last_used, slot);
			return slot;
		}
	}
	return NULL;
}
EXPORT_SYMBOL_GPL(kvm_find_slot);

struct kvm_memory_slot *gfn_to_memslot(struct kvm *kvm, gfn_t gfn)
{
	return kvm_find_slot(kvm_memslots(kvm), gfn);
}
EXPORT_SYMBOL_GPL(gfn_to_memslot);

struct kvm_memory_slot *kvm_vcpu_gfn_to_memslot(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	return kvm_find_slot(kvm_vcpu_memslots(vcpu), gfn);
}
EXPORT_SYMBOL_GPL(kvm_vcpu_gfn_to_memslot);

struct kvm_memory_slot *kvm_id_to_memslot(struct kvm_memslots *slots, int id)
{
	struct kvm_memory_slot *slot;

	hash_for_each_possible(slots->by_id, slot, id_node[slots->node], id)
		if (slot->id == id)
			return slot;
	return NULL;
}
EXPORT_SYMBOL_GPL(kvm_id_to_memslot);

/* Does any slot but the one with this id reach into [start, end)? */
static bool range_taken(struct kvm_memslots *slots, int id, gfn_t start, gfn_t end)
{
	struct rb_node *n = slots->by_gfn.rb_node;
	struct kvm_memory_slot *slot, *next;

	/* slots don't overlap: the last that begins before end, then backwards */
	next = NULL;
	while (n) {
		slot = container_of(n, struct kvm_memory_slot, gfn_node[slots->node]);
		if (slot->base_gfn < end) {
			next = slot;
			n = n->rb_right;
		} else {
			n = n->rb_left;
		}
	}
	while (next && kvm_slot_end(next) > start) {
		if (next->id != id)
			return true;
		n = rb_prev(&next->gfn_node[slots->node]);
		next = n ? container_of(n, struct kvm_memory_slot,
					gfn_node[slots->node]) : NULL;
	}
	return false;
}

/* ---- editing one copy -------------------------------------------------- */

static void copy_insert(struct kvm_memslots *slots, struct kvm_memory_slot *slot)
{
	struct rb_node **link = &slots->by_gfn.rb_node, *parent = NULL;
	int node = slots->node;

	while (*link) {
		struct kvm_memory_slot *at = container_of(*link, struct kvm_memory_slot,
							  gfn_node[node]);

		parent = *link;
		link = slot->base_gfn < at->base_gfn ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&slot->gfn_node[node], parent, link);
	rb_insert_color(&slot->gfn_node[node], &slots->by_gfn);

	slot->hva_node[node].start = slot->userspace_addr;
	slot->hva_node[node].last = slot->userspace_addr +
				    (slot->npages << PAGE_SHIFT) - 1;
	interval_tree_insert(&slot->hva_node[node], &slots->by_hva);
	hash_add(slots->by_id, &slot->id_node[node], slot->id);
}

static void copy_remove(struct kvm_memslots *slots, struct kvm_memory_slot *slot)
{
	int node = slots->node;

	rb_erase(&slot->gfn_node[node], &slots->by_gfn);
	interval_tree_remove(&slot->hva_node[node], &slots->by_hva);
	hash_del(&slot->id_node[node]);
}

static void copy_edit(struct kvm_memslots *slots, struct kvm_memory_slot *out,
		      struct kvm_memory_slot *in)
{
	slots->last_used = NULL;
	if (out)
		copy_remove(slots, out);
	if (in)
		copy_insert(slots, in);
}

/*
 * Make a copy the visible one, while no invalidation by the host's mm is under
 * way: its end must find the same slots as its start did, and a slot that comes
 * in between would be mapped from pages that are about to go.
 */
static void publish(struct kvm *kvm, int as, struct kvm_memslots *slots)
{
	for (;;) {
		rcuwait_wait_event(&kvm->mn_waiters,
				   !READ_ONCE(kvm->mn_active_invalidates),
				   TASK_UNINTERRUPTIBLE);
		spin_lock(&kvm->mn_lock);
		if (!kvm->mn_active_invalidates)
			break;
		spin_unlock(&kvm->mn_lock);
	}
	rcu_assign_pointer(kvm->memslots[as], slots);
	spin_unlock(&kvm->mn_lock);
}

/* Replace @out by @in (either may be NULL); afterwards nobody sees @out. */
static void replace_slot(struct kvm *kvm, int as, struct kvm_memory_slot *out,
			 struct kvm_memory_slot *in)
{
	struct kvm_memslots *old = kvm_memslots_as(kvm, as);
	struct kvm_memslots *new = &kvm->memslots_storage[as][!old->node];
	u64 generation = old->generation;

	lockdep_assert_held(&kvm->slots_lock);

	copy_edit(new, out, in);
	/*
	 * While old and new are both in use, a reader may combine a slot of one
	 * with the generation of the other: what it caches must not be believed
	 * later. So the generation of the meantime is never used again.
	 */
	new->generation = generation | KVM_MEMSLOT_GEN_UPDATE_IN_PROGRESS;
	publish(kvm, as, new);

	/* readers hold SRCU in the outer loop and RCU in the inner one */
	synchronize_srcu_expedited(&kvm->srcu);
	synchronize_rcu_expedited();

	copy_edit(old, out, in);

	/* the lowest bit stays: it is the address space */
	generation = (generation & ~KVM_MEMSLOT_GEN_UPDATE_IN_PROGRESS) + 2;
	WRITE_ONCE(new->generation, generation);
	kvm_arch_slots_updated(kvm, generation);
}

/* ---- a change ---------------------------------------------------------- */

static size_t bitmap_bytes(unsigned long npages)
{
	return BITS_TO_LONGS(npages) * sizeof(long);
}

static int alloc_dirty_bitmap(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	size_t bytes = bitmap_bytes(slot->npages);

	slot->dirty_bitmap = kvcalloc(2, bytes, GFP_KERNEL_ACCOUNT);
	if (!slot->dirty_bitmap)
		return -ENOMEM;
	if (kvm->manual_dirty_log & KVM_DIRTY_LOG_INITIALLY_SET)
		bitmap_set(slot->dirty_bitmap, 0, slot->npages);
	return 0;
}

/*
 * The bitmap and the architecture's part of @new, which are made, or carried
 * over from @old where only flags change.
 */
static int prepare_new(struct kvm *kvm, struct kvm_memory_slot *old,
		       struct kvm_memory_slot *new, enum kvm_mr_change change)
{
	bool own_bitmap = false;
	int err;

	if (new && kvm_slot_dirty_tracked(new) && !kvm->dirty_ring_bytes) {
		if (change == KVM_MR_FLAGS_ONLY && old->dirty_bitmap) {
			new->dirty_bitmap = old->dirty_bitmap;
		} else {
			err = alloc_dirty_bitmap(kvm, new);
			if (err)
				return err;
			own_bitmap = true;
		}
	}
	if (change == KVM_MR_FLAGS_ONLY)
		new->arch = old->arch;

	err = kvm_arch_prepare_slot(kvm, old, new, change);
	if (err && own_bitmap)
		kvfree(new->dirty_bitmap);
	return err;
}

static void free_slot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	kvm_arch_free_slot(kvm, slot);
	kvfree(slot->dirty_bitmap);
	kfree(slot);
}

/*
 * Do one change. @new is this function's from here on, and freed if it fails;
 * @old is freed if it succeeds.
 */
static int change_slot(struct kvm *kvm, int as, struct kvm_memory_slot *old,
		       struct kvm_memory_slot *new, enum kvm_mr_change change)
{
	struct kvm_memory_slot *invalid = NULL;
	int err;

	if (change == KVM_MR_DELETE || change == KVM_MR_MOVE) {
		invalid = kmemdup(old, sizeof(*old), GFP_KERNEL_ACCOUNT);
		if (!invalid) {
			kfree(new);
			return -ENOMEM;
		}
		invalid->flags |= KVM_MEMSLOT_INVALID;
	}
	err = prepare_new(kvm, old, new, change);
	if (err) {
		kfree(invalid);
		kfree(new);
		return err;
	}

	/* nothing fails from here on */
	if (invalid) {
		replace_slot(kvm, as, old, invalid);
		kvm_arch_flush_shadow_slot(kvm, invalid);
	}
	replace_slot(kvm, as, invalid ?: old, new);

	kvm->nr_memslot_pages += (new && new->id < KVM_USER_MEM_SLOTS ? new->npages : 0) -
				 (old && old->id < KVM_USER_MEM_SLOTS ? old->npages : 0);
	kvm_arch_commit_slot(kvm, old, new, change);

	kfree(invalid);
	if (change == KVM_MR_FLAGS_ONLY) {
		/* what @new has carried over is not @old's any more */
		old->arch = NULL;
		if (new->dirty_bitmap == old->dirty_bitmap)
			old->dirty_bitmap = NULL;
	}
	if (old)
		free_slot(kvm, old);
	return 0;
}

/* Checks of a region that do not depend on what else there is. */
static int check_region(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem,
			int max_id)
{
	u64 end;

	if (mem->flags & ~(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY))
		return -EINVAL;
	if ((mem->memory_size | mem->guest_phys_addr | mem->userspace_addr) & ~PAGE_MASK)
		return -EINVAL;
	if (mem->memory_size >> PAGE_SHIFT > KVM_MEM_MAX_NR_PAGES)
		return -EINVAL;
	if (mem->slot >> 16 >= kvm_nr_address_spaces(kvm) || (mem->slot & 0xffff) >= max_id)
		return -EINVAL;
	if (check_add_overflow(mem->guest_phys_addr, mem->memory_size, &end))
		return -EINVAL;
	/* also one that a 32-bit host can't express, and a tagged one */
	if (mem->userspace_addr != (unsigned long)mem->userspace_addr ||
	    mem->memory_size != (unsigned long)mem->memory_size ||
	    mem->userspace_addr != untagged_addr((unsigned long)mem->userspace_addr) ||
	    !access_ok((void __user *)(unsigned long)mem->userspace_addr, mem->memory_size))
		return -EINVAL;
	return 0;
}

static int set_region_locked(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem)
{
	struct kvm_memory_slot *old, *new;
	enum kvm_mr_change change;
	struct kvm_memslots *slots;
	unsigned long npages, total;
	gfn_t base_gfn;
	int as, id;

	as = array_index_nospec(mem->slot >> 16, KVM_ADDRESS_SPACE_NUM);
	id = array_index_nospec(mem->slot & 0xffff, KVM_MEM_SLOTS_NUM);
	npages = mem->memory_size >> PAGE_SHIFT;
	base_gfn = gpa_to_gfn(mem->guest_phys_addr);

	lockdep_assert_held(&kvm->slots_lock);
	slots = kvm_memslots_as(kvm, as);
	old = kvm_id_to_memslot(slots, id);

	if (!npages) {
		if (!old)
			return -EINVAL;
		return change_slot(kvm, as, old, NULL, KVM_MR_DELETE);
	}

	if (!old) {
		change = KVM_MR_CREATE;
		if (check_add_overflow(kvm->nr_memslot_pages, npages, &total))
			return -EINVAL;
	} else {
		/* memory keeps its place in the process, size and kind */
		if (mem->userspace_addr != old->userspace_addr || npages != old->npages ||
		    (mem->flags ^ old->flags) & KVM_MEM_READONLY)
			return -EINVAL;
		if (base_gfn != old->base_gfn)
			change = KVM_MR_MOVE;
		else if (mem->flags != old->flags)
			change = KVM_MR_FLAGS_ONLY;
		else
			return 0;
	}
	if (change != KVM_MR_FLAGS_ONLY &&
	    range_taken(slots, id, base_gfn, base_gfn + npages))
		return -EEXIST;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->as_id = as;
	new->id = id;
	new->base_gfn = base_gfn;
	new->npages = npages;
	new->flags = mem->flags;
	new->userspace_addr = mem->userspace_addr;
	return change_slot(kvm, as, old, new, change);
}

int kvm_set_memory_region(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem)
{
	int err;

	err = check_region(kvm, mem, KVM_USER_MEM_SLOTS);
	if (err)
		return err;
	mutex_lock(&kvm->slots_lock);
	err = set_region_locked(kvm, mem);
	mutex_unlock(&kvm->slots_lock);
	return err;
}

/* ---- the architecture's own slots -------------------------------------- */

static int set_private_slots(struct kvm *kvm, int id, gpa_t gpa, u32 size,
			     unsigned long hva)
{
	struct kvm_userspace_memory_region2 mem = {
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = hva,
	};
	int as, err = 0;

	for (as = 0; as < kvm_nr_address_spaces(kvm); as++) {
		mem.slot = (as << 16) | (KVM_USER_MEM_SLOTS + id);
		err = check_region(kvm, &mem, KVM_MEM_SLOTS_NUM);
		if (!err)
			err = set_region_locked(kvm, &mem);
		if (err)
			break;
	}
	if (!err || !size)
		return err;

	/* all address spaces have it, or none */
	mem.memory_size = 0;
	while (as--) {
		mem.slot = (as << 16) | (KVM_USER_MEM_SLOTS + id);
		WARN_ON_ONCE(set_region_locked(kvm, &mem));
	}
	return err;
}

static void __user *err_hva(long err)
{
	return (void __force __user *)ERR_PTR(err);
}

void __user *kvm_set_private_region(struct kvm *kvm, int id, gpa_t gpa, u32 size)
{
	struct kvm_memory_slot *slot;
	unsigned long hva = 0, old_hva = 0, old_size = 0;
	int err;

	lockdep_assert_held(&kvm->slots_lock);
	if (WARN_ON_ONCE(id < 0 || id >= KVM_PRIVATE_MEM_SLOTS))
		return err_hva(-EINVAL);

	slot = kvm_id_to_memslot(kvm_memslots(kvm), KVM_USER_MEM_SLOTS + id);
	if (size) {
		if (slot)
			return err_hva(-EEXIST);
		hva = vm_mmap(NULL, 0, size, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, 0);
		if (IS_ERR_VALUE(hva))
			return (void __user *)hva;
	} else {
		if (!slot)
			return NULL;
		old_hva = slot->userspace_addr;
		old_size = slot->npages << PAGE_SHIFT;
	}

	err = set_private_slots(kvm, id, gpa, size, hva);
	if (err) {
		if (size)
			vm_munmap(hva, size);
		return err_hva(err);
	}
	/* at the process's end its memory goes by itself */
	if (!size && current->mm == kvm->mm)
		vm_munmap(old_hva, old_size);
	return (void __user *)hva;
}
EXPORT_SYMBOL_GPL(kvm_set_private_region);

void kvm_free_memslots(struct kvm *kvm)
{
	struct kvm_memslots *slots;
	struct kvm_memory_slot *slot;
	struct hlist_node *next;
	int as, bucket;

	for (as = 0; as < KVM_ADDRESS_SPACE_NUM; as++) {
		slots = rcu_dereference_protected(kvm->memslots[as], 1);
		hash_for_each_safe(slots->by_id, bucket, next, slot, id_node[slots->node])
			free_slot(kvm, slot);
		/* nobody looks any more: leave both copies empty, for the careful */
		memset(kvm->memslots_storage[as], 0, sizeof(kvm->memslots_storage[as]));
	}
}
