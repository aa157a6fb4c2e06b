// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host's mm tells us: that a range of the process is about to change
 * (swap, KSM, migration, munmap, ...), has changed, or is asked for its age.
 * Turns hva ranges into gfn ranges through the slots' interval tree. Owns
 * kvm->invalidate_*, by which a fault knows that its pfn is stale.
 *
 * Between start and end of an invalidation slots do not change (memslot.c's
 * publish() waits), so that both find the same slots.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>

#include "core/arch.h"
#include "core/guest_memory.h"
#include "core/memslot.h"
#include "core/request.h"

/* One piece of an hva range: frames [start, end) of a slot. */
struct gfn_piece {
	struct kvm_memory_slot *slot;
	gfn_t start;
	gfn_t end;
};

static struct kvm *mn_to_kvm(struct mmu_notifier *mn)
{
	return container_of(mn, struct kvm, mn);
}

static void clip(struct gfn_piece *piece, struct kvm_memory_slot *slot,
		 unsigned long start, unsigned long end)
{
	unsigned long from = slot->userspace_addr;
	unsigned long to = from + (slot->npages << PAGE_SHIFT);

	start = max(start, from);
	end = min(end, to);
	piece->slot = slot;
	piece->start = slot->base_gfn + ((start - from) >> PAGE_SHIFT);
	piece->end = slot->base_gfn + (PAGE_ALIGN(end - from) >> PAGE_SHIFT);
}

/*
 * Call fn for each piece of [start, end) in all address spaces. Says whether
 * there was any; *result collects what fn returned.
 */
static bool for_each_piece(struct kvm *kvm, unsigned long start, unsigned long end,
			   bool (*fn)(struct kvm *kvm, const struct gfn_piece *piece,
				      void *arg),
			   void *arg, bool *result)
{
	struct interval_tree_node *n;
	struct kvm_memslots *slots;
	struct gfn_piece piece;
	bool any = false;
	int as;

	if (start >= end)
		return false;
	for (as = 0; as < KVM_ADDRESS_SPACE_NUM; as++) {
		slots = kvm_memslots_as(kvm, as);
		for (n = interval_tree_iter_first(&slots->by_hva, start, end - 1); n;
		     n = interval_tree_iter_next(n, start, end - 1)) {
			any = true;
			if (!fn)
				return true;
			clip(&piece, container_of(n, struct kvm_memory_slot,
						  hva_node[slots->node]), start, end);
			*result |= fn(kvm, &piece, arg);
		}
	}
	return any;
}

static bool any_piece(struct kvm *kvm, unsigned long start, unsigned long end)
{
	return for_each_piece(kvm, start, end, NULL, NULL, NULL);
}

/* ---- what faults must know --------------------------------------------- */

static void invalidate_more(struct kvm *kvm, gfn_t start, gfn_t end)
{
	kvm->invalidate_start = min(kvm->invalidate_start, start);
	kvm->invalidate_end = max(kvm->invalidate_end, end);
}

static void invalidate_one_more(struct kvm *kvm)
{
	lockdep_assert_held_write(&kvm->mmu_lock);
	if (!kvm->invalidate_in_progress++) {
		kvm->invalidate_start = INVALID_GFN;
		kvm->invalidate_end = 0;
	}
}

void kvm_mmu_invalidate_begin(struct kvm *kvm, gfn_t start, gfn_t end)
{
	invalidate_one_more(kvm);
	invalidate_more(kvm, start, end);
}
EXPORT_SYMBOL_GPL(kvm_mmu_invalidate_begin);

void kvm_mmu_invalidate_end(struct kvm *kvm)
{
	lockdep_assert_held_write(&kvm->mmu_lock);
	/*
	 * A fault reads the sequence without the lock, then looks for the pfn,
	 * and compares under the lock: what it found before this is stale.
	 */
	WRITE_ONCE(kvm->invalidate_seq, kvm->invalidate_seq + 1);
	if (!KVM_BUG_ON(kvm->invalidate_in_progress <= 0, kvm))
		kvm->invalidate_in_progress--;
}
EXPORT_SYMBOL_GPL(kvm_mmu_invalidate_end);

/* ---- invalidation ------------------------------------------------------ */

static bool announce_piece(struct kvm *kvm, const struct gfn_piece *piece, void *arg)
{
	invalidate_more(kvm, piece->start, piece->end);
	return false;
}

static bool unmap_piece(struct kvm *kvm, const struct gfn_piece *piece, void *arg)
{
	bool may_block = *(bool *)arg;

	return kvm_arch_unmap_gfns(kvm, piece->slot, piece->start, piece->end, may_block);
}

static int mn_invalidate_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	bool may_block = mmu_notifier_range_blockable(range);
	struct kvm *kvm = mn_to_kvm(mn);
	bool flush = false;
	int idx;

	/* from here on the slots stay as they are, until the end of the range */
	spin_lock(&kvm->mn_lock);
	kvm->mn_active_invalidates++;
	spin_unlock(&kvm->mn_lock);

	idx = srcu_read_lock(&kvm->srcu);
	if (any_piece(kvm, range->start, range->end)) {
		write_lock(&kvm->mmu_lock);
		/* all of it is announced before unmapping may drop the lock */
		invalidate_one_more(kvm);
		for_each_piece(kvm, range->start, range->end, announce_piece, NULL, &flush);
		for_each_piece(kvm, range->start, range->end, unmap_piece, &may_block, &flush);
		if (flush)
			kvm_flush_remote_tlbs(kvm);
		write_unlock(&kvm->mmu_lock);
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return 0;
}

static void mn_invalidate_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct kvm *kvm = mn_to_kvm(mn);
	bool wake;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	if (any_piece(kvm, range->start, range->end)) {
		write_lock(&kvm->mmu_lock);
		kvm_mmu_invalidate_end(kvm);
		write_unlock(&kvm->mmu_lock);
	}
	srcu_read_unlock(&kvm->srcu, idx);

	spin_lock(&kvm->mn_lock);
	if (!WARN_ON_ONCE(!kvm->mn_active_invalidates))
		kvm->mn_active_invalidates--;
	wake = !kvm->mn_active_invalidates;
	spin_unlock(&kvm->mn_lock);
	/* one writer at most waits: it has slots_lock */
	if (wake)
		rcuwait_wake_up(&kvm->mn_waiters);
}

/* ---- age --------------------------------------------------------------- */

static bool age_piece(struct kvm *kvm, const struct gfn_piece *piece, void *arg)
{
	return kvm_arch_age_gfns(kvm, piece->slot, piece->start, piece->end);
}

static bool test_age_piece(struct kvm *kvm, const struct gfn_piece *piece, void *arg)
{
	return kvm_arch_test_age_gfns(kvm, piece->slot, piece->start, piece->end);
}

static bool ask_age(struct mmu_notifier *mn, unsigned long start, unsigned long end,
		    bool (*fn)(struct kvm *kvm, const struct gfn_piece *piece, void *arg),
		    bool flush)
{
	struct kvm *kvm = mn_to_kvm(mn);
	bool young = false;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	if (any_piece(kvm, start, end)) {
		write_lock(&kvm->mmu_lock);
		for_each_piece(kvm, start, end, fn, NULL, &young);
		if (flush && young)
			kvm_flush_remote_tlbs(kvm);
		write_unlock(&kvm->mmu_lock);
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return young;
}

static mmu_notifier_young_t mn_clear_flush_young(struct mmu_notifier *mn, struct mm_struct *mm,
						 unsigned long start, unsigned long end)
{
	return ask_age(mn, start, end, age_piece, true);
}

/*
 * Without a flush: a translation that stays in a TLB only makes a used page
 * look unused for a while, and this is asked of many pages at a time.
 */
static mmu_notifier_young_t mn_clear_young(struct mmu_notifier *mn, struct mm_struct *mm,
					   unsigned long start, unsigned long end)
{
	return ask_age(mn, start, end, age_piece, false);
}

static mmu_notifier_young_t mn_test_young(struct mmu_notifier *mn, struct mm_struct *mm,
					  unsigned long address)
{
	return ask_age(mn, address, address + PAGE_SIZE, test_age_piece, false);
}

/* ---- the process goes -------------------------------------------------- */

static void mn_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct kvm *kvm = mn_to_kvm(mn);
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	kvm_arch_flush_shadow_all(kvm);
	srcu_read_unlock(&kvm->srcu, idx);
}

static const struct mmu_notifier_ops kvm_mn_ops = {
	.invalidate_range_start = mn_invalidate_start,
	.invalidate_range_end = mn_invalidate_end,
	.clear_flush_young = mn_clear_flush_young,
	.clear_young = mn_clear_young,
	.test_young = mn_test_young,
	.release = mn_release,
};

int kvm_mmu_notifier_init(struct kvm *kvm)
{
	kvm->mn.ops = &kvm_mn_ops;
	return mmu_notifier_register(&kvm->mn, kvm->mm);
}

void kvm_mmu_notifier_exit(struct kvm *kvm)
{
	/* calls mn_release(), if the process has not done so already */
	mmu_notifier_unregister(&kvm->mn, kvm->mm);
	/*
	 * An invalidation that had started has no end that we would hear of.
	 * Whoever changes slots from here on must not wait for it.
	 */
	spin_lock(&kvm->mn_lock);
	kvm->mn_active_invalidates = 0;
	spin_unlock(&kvm->mn_lock);
}
