// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's frame behind a guest frame, for the MMU to map. The reference that
 * is taken here lasts until the translation is installed, no longer: from then
 * on the MMU notifier is what keeps it true. Knows nothing of translations.
 */
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>

#include <compat/host_map.h>

#include "core/guest_memory.h"
#include "core/memslot.h"

/* Is it there now, writable? Never sleeps. */
static bool try_present_writable(hva_t hva, struct kvm_faultin *out)
{
	if (get_user_pages_fast_only(hva, 1, FOLL_WRITE, &out->page) != 1)
		return false;
	out->pfn = page_to_pfn(out->page);
	out->writable = true;
	return true;
}

/*
 * Fault it in. A read is tried for a writable page first only where that costs
 * nothing: a write fault would break sharing (KSM, fork, zero page).
 */
static int fault_page(hva_t hva, bool write, bool may_write, enum kvm_faultin_how how,
		      struct kvm_faultin *out)
{
	unsigned int flags = FOLL_HWPOISON | FOLL_INTERRUPTIBLE;
	struct page *page, *writable;
	long got;

	if (write)
		flags |= FOLL_WRITE;
	if (how == KVM_FAULTIN_NOWAIT)
		flags |= FOLL_NOWAIT;
	got = get_user_pages_unlocked(hva, 1, &page, flags);
	if (got < 0)
		return got;
	if (got != 1 && how == KVM_FAULTIN_NOWAIT)
		return -EBUSY;
	if (got != 1)
		return signal_pending(current) ? -EINTR : -EFAULT;

	out->page = page;
	out->writable = write;
	if (!write && may_write &&
	    get_user_pages_fast_only(hva, 1, FOLL_WRITE, &writable) == 1) {
		put_page(page);
		out->page = writable;
		out->writable = true;
	}
	out->pfn = page_to_pfn(out->page);
	return 0;
}

/*
 * A device's memory that the process has mapped (VM_PFNMAP, VM_IO): no page to
 * refer to, the MMU notifier is all there is.
 */
static int fault_pfnmap(struct mm_struct *mm, hva_t hva, bool write,
			struct kvm_faultin *out)
{
	struct follow_pfnmap_args args = { .address = hva };
	bool unlocked;
	int err, tries;

	for (tries = 0; tries < 3; tries++) {
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		args.vma = vma_lookup(mm, hva);
		if (!args.vma || !(args.vma->vm_flags & (VM_IO | VM_PFNMAP)) ||
		    !(args.vma->vm_flags & (write ? VM_WRITE : VM_READ))) {
			err = -EFAULT;
			goto unlock;
		}
		err = follow_pfnmap_start(&args);
		if (!err && write && !args.writable) {
			follow_pfnmap_end(&args);
			err = -EAGAIN;
		}
		if (!err) {
			out->pfn = args.pfn;
			out->writable = args.writable;
			out->page = NULL;
			follow_pfnmap_end(&args);
			goto unlock;
		}
		unlocked = false;
		err = fixup_user_fault(mm, hva, write ? FAULT_FLAG_WRITE : 0, &unlocked);
		mmap_read_unlock(mm);
		if (err)
			return err == -EINTR ? -EINTR : -EFAULT;
	}
	/* it comes and goes faster than we look: the guest will ask again */
	return -EAGAIN;
unlock:
	mmap_read_unlock(mm);
	return err;
}

int kvm_faultin_pfn(struct kvm_memory_slot *slot, gfn_t gfn, bool write,
		    enum kvm_faultin_how how, struct kvm_faultin *out)
{
	bool may_write = kvm_slot_writable(slot);
	hva_t hva;
	int err;

	out->page = NULL;
	if (!kvm_slot_usable(slot) || (write && !may_write))
		return -EFAULT;
	hva = kvm_slot_hva(slot, gfn);

	if (may_write && try_present_writable(hva, out))
		return 0;

	might_sleep();
	err = fault_page(hva, write, may_write, how, out);
	switch (err) {
	case 0:
	case -EBUSY:
	case -EHWPOISON:
	case -EINTR:
	case -EAGAIN:
		return err;
	case -ERESTARTSYS:
		return -EINTR;
	}
	err = fault_pfnmap(current->mm, hva, write, out);
	if (!err && !may_write)
		out->writable = false;
	return err;
}
EXPORT_SYMBOL_GPL(kvm_faultin_pfn);

bool kvm_faultin_pfn_irqoff(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn,
			    kvm_pfn_t *pfn, int *shift)
{
	hva_t hva = kvm_slot_hva(slot, gfn);
	u64 leaf;

	lockdep_assert_held(&kvm->mmu_lock);
	lockdep_assert_irqs_disabled();
	*shift = kvmc_host_map(kvm->mm, hva, &leaf);
	if (!*shift || !kvmc_host_leaf_ready(leaf))
		return false;
	*pfn = kvmc_host_leaf_pfn(leaf, *shift, hva);
	/* Older kernels don't tell a device's large entries from others. */
	return (*shift == PAGE_SHIFT || pfn_valid(*pfn)) && kvmc_page_swaps(pfn_to_page(*pfn));
}
EXPORT_SYMBOL_GPL(kvm_faultin_pfn_irqoff);

void kvm_release_faultin(struct kvm_faultin *f, bool dirty)
{
	if (!f->page)
		return;
	/*
	 * The guest will write through our translation, and the process's own
	 * page-table entry will not say so. Reserved pages (the zero page, a
	 * device's) have no such state.
	 */
	if (!PageReserved(f->page)) {
		if (dirty)
			SetPageDirty(f->page);
		mark_page_accessed(f->page);
	}
	put_page(f->page);
	f->page = NULL;
}
EXPORT_SYMBOL_GPL(kvm_release_faultin);

int kvm_host_mapping_shift(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn)
{
	unsigned long flags;
	int shift;

	/* with IRQs off, no page table is freed under the walk */
	local_irq_save(flags);
	shift = kvmc_host_map(kvm->mm, kvm_slot_hva(slot, gfn), NULL);
	local_irq_restore(flags);
	/* gone since: the notifier will say so; a small page is never wrong */
	return shift ?: PAGE_SHIFT;
}
EXPORT_SYMBOL_GPL(kvm_host_mapping_shift);
