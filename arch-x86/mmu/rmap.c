// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reverse maps: from a frame of a slot to the shadow leaves that map it; exists only
 * where shadow paging does. So it is what the host's mm and the dirty log work on.
 * Owns slot->arch: a list for each frame. mmu_lock, held for write, guards them all.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "arch-x86/mmu/shadow.h"

/* Frames per hold of mmu_lock, in walks over a whole slot. */
#define WALK_CHUNK	4096

int rmap_alloc(struct kvm_memory_slot *slot)
{
	slot->arch = kvcalloc(slot->npages, sizeof(struct hlist_head),
			      GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	return slot->arch ? 0 : -ENOMEM;
}

void rmap_free(struct kvm_memory_slot *slot)
{
	kvfree(slot->arch);
	slot->arch = NULL;
}

static struct hlist_head *rmap_of(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	struct hlist_head *rmaps = slot->arch;

	return &rmaps[gfn - slot->base_gfn];
}

void rmap_add(const struct kvm_memory_slot *slot, gfn_t gfn, struct spte_link *link)
{
	hlist_add_head(&link->node, rmap_of(slot, gfn));
}

void rmap_write_protect(struct mmu_batch *b, const struct kvm_memory_slot *slot, gfn_t gfn)
{
	struct spte_link *link;

	hlist_for_each_entry(link, rmap_of(slot, gfn), node)
		if (spte_writable(READ_ONCE(*link->sptep)))
			mmu_weaken(b, link->sptep, x86_spte_fmt.write | x86_spte_fmt.dirty);
}

void rmap_zap(struct mmu_batch *b, const struct kvm_memory_slot *slot, gfn_t start, gfn_t end)
{
	struct spte_link *link;
	struct hlist_node *n;
	gfn_t gfn;

	for (gfn = start; gfn < end; gfn++)
		hlist_for_each_entry_safe(link, n, rmap_of(slot, gfn), node)
			shadow_unlink(b, shadow_page_of(link->sptep),
				      shadow_index_of(link->sptep));
}

bool rmap_age(const struct kvm_memory_slot *slot, gfn_t start, gfn_t end, bool clear)
{
	struct spte_link *link;
	bool young = false;
	gfn_t gfn;

	for (gfn = start; gfn < end; gfn++) {
		hlist_for_each_entry(link, rmap_of(slot, gfn), node) {
			if (!spte_accessed(READ_ONCE(*link->sptep)))
				continue;
			young = true;
			if (!clear)
				return true;
			/* Not a weaker translation: a TLB that still has it delays A, no more. */
			clear_bit(__ffs64(x86_spte_fmt.accessed),
				  (unsigned long *)link->sptep);
		}
	}
	return young;
}

void rmap_log_start(struct x86_vm *vm, const struct kvm_memory_slot *slot)
{
	gfn_t gfn = slot->base_gfn, end = kvm_slot_end(slot), stop;
	MMU_BATCH(b, vm);

	write_lock(&vm->core.mmu_lock);
	for (; gfn < end; gfn = stop) {
		for (stop = min(end, gfn + WALK_CHUNK); gfn < stop; gfn++)
			rmap_write_protect(&b, slot, gfn);
		if (need_resched() || rwlock_needbreak(&vm->core.mmu_lock)) {
			mmu_batch_flush(&b);
			cond_resched_rwlock_write(&vm->core.mmu_lock);
		}
	}
	mmu_batch_flush(&b);
	x86_mmu_audit_all(vm, "logging starts");
	write_unlock(&vm->core.mmu_lock);
}
