// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty bitmap of a slot (unless the VM has rings: dirty_ring.c): set by
 * whoever writes, fetched and cleared by user space. Owns the rule that a page
 * whose bit is cleared faults (or sets its bit in hardware) on its next write,
 * before user space reads the page.
 */
#include <linux/bitops.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "core/arch.h"
#include "core/dirty_ring.h"
#include "core/memslot.h"
#include "core/request.h"

static struct kvm_vcpu *running_vcpu_of(struct kvm *kvm)
{
	struct kvm_vcpu *vcpu;

	preempt_disable();
	vcpu = kvm_running_vcpu();
	preempt_enable();
	/* It stays this thread's wherever the thread goes. */
	return vcpu && vcpu->kvm == kvm ? vcpu : NULL;
}

void kvm_mark_page_dirty(struct kvm *kvm, struct kvm_vcpu *vcpu,
			 const struct kvm_memory_slot *slot, gfn_t gfn)
{
	unsigned long offset;

	if (!kvm_slot_dirty_tracked(slot))
		return;
	offset = gfn - slot->base_gfn;
	if (KVM_BUG_ON(offset >= slot->npages, kvm))
		return;
	if (kvm->dirty_ring_bytes) {
		/* What is ours and writes does so in a vCPU's thread. */
		vcpu = vcpu ?: running_vcpu_of(kvm);
		if (!KVM_BUG_ON(!vcpu, kvm))
			kvm_dirty_ring_push(vcpu, slot, offset);
		return;
	}
	/* one cache line is hot with all vCPUs: don't write what is set */
	if (!test_bit(offset, slot->dirty_bitmap))
		set_bit(offset, slot->dirty_bitmap);
}
EXPORT_SYMBOL_GPL(kvm_mark_page_dirty);

/* The slot that user space names, with the architecture's buffers collected. */
static struct kvm_memory_slot *logged_slot(struct kvm *kvm, u32 slot_and_as)
{
	struct kvm_memory_slot *slot;
	u32 as = slot_and_as >> 16;
	u32 id = slot_and_as & 0xffff;

	lockdep_assert_held(&kvm->slots_lock);
	if (as >= kvm_nr_address_spaces(kvm) || id >= KVM_USER_MEM_SLOTS)
		return ERR_PTR(-EINVAL);
	slot = kvm_id_to_memslot(kvm_memslots_as(kvm, as), id);
	if (!slot || !slot->dirty_bitmap)
		return ERR_PTR(-ENOENT);
	kvm_arch_sync_dirty_log(kvm, slot);
	return slot;
}

/* Second half of the slot's allocation: what is exchanged with user space. */
static unsigned long *exchange_bitmap(const struct kvm_memory_slot *slot)
{
	return slot->dirty_bitmap + BITS_TO_LONGS(slot->npages);
}

/* User space has bitmaps of whole 64-bit words, whatever our long is. */
static unsigned long user_bytes(unsigned long npages)
{
	return ALIGN(npages, 64) / 8;
}

static int copy_bitmap_out(void __user *to, const unsigned long *from, unsigned long npages)
{
	unsigned long bytes = BITS_TO_LONGS(npages) * sizeof(long);

	if (copy_to_user(to, from, bytes) ||
	    clear_user(to + bytes, user_bytes(npages) - bytes))
		return -EFAULT;
	return 0;
}

void kvm_mmu_give_way(struct kvm *kvm, bool *flush)
{
	if (!need_resched() && !rwlock_needbreak(&kvm->mmu_lock))
		return;
	if (*flush)
		kvm_flush_remote_tlbs(kvm);
	*flush = false;
	cond_resched_rwlock_write(&kvm->mmu_lock);
}

int kvm_get_dirty_log(struct kvm *kvm, const struct kvm_dirty_log *log)
{
	struct kvm_memory_slot *slot;
	unsigned long *out, mask;
	unsigned long i, longs;
	bool flush = false;
	int err = 0;

	if (kvm->dirty_ring_bytes)
		return -ENXIO;
	mutex_lock(&kvm->slots_lock);
	slot = logged_slot(kvm, log->slot);
	if (IS_ERR(slot)) {
		err = PTR_ERR(slot);
		goto unlock;
	}
	if (kvm->manual_dirty_log) {
		/* clearing is up to KVM_CLEAR_DIRTY_LOG */
		err = copy_bitmap_out(log->dirty_bitmap, slot->dirty_bitmap, slot->npages);
		goto unlock;
	}

	out = exchange_bitmap(slot);
	longs = BITS_TO_LONGS(slot->npages);
	write_lock(&kvm->mmu_lock);
	for (i = 0; i < longs; i++) {
		mask = READ_ONCE(slot->dirty_bitmap[i]);
		out[i] = mask ? xchg(&slot->dirty_bitmap[i], 0) : 0;
		if (!out[i])
			continue;
		kvm_arch_write_protect_gfns(kvm, slot, i * BITS_PER_LONG, out[i]);
		flush = true;
		kvm_mmu_give_way(kvm, &flush);
	}
	/* before user space reads the pages: later writes must set the bits again */
	if (flush)
		kvm_flush_remote_tlbs(kvm);
	write_unlock(&kvm->mmu_lock);

	err = copy_bitmap_out(log->dirty_bitmap, out, slot->npages);
	if (err) {
		/* user space has not got them: nothing is lost */
		for (i = 0; i < longs; i++)
			if (out[i])
				set_mask_bits(&slot->dirty_bitmap[i], 0, out[i]);
	}
unlock:
	mutex_unlock(&kvm->slots_lock);
	return err;
}

int kvm_clear_dirty_log(struct kvm *kvm, const struct kvm_clear_dirty_log *log)
{
	struct kvm_memory_slot *slot;
	unsigned long *in, *word, mask, first, i, longs;
	bool flush = false;
	int err = 0;

	if (log->first_page & 63)
		return -EINVAL;

	if (kvm->dirty_ring_bytes)
		return -ENXIO;
	mutex_lock(&kvm->slots_lock);
	slot = logged_slot(kvm, log->slot);
	if (IS_ERR(slot)) {
		err = PTR_ERR(slot);
		goto unlock;
	}
	/* whole words, but for the last of the slot */
	if (log->first_page > slot->npages ||
	    log->num_pages > slot->npages - log->first_page ||
	    ((log->num_pages & 63) && log->num_pages != slot->npages - log->first_page)) {
		err = -EINVAL;
		goto unlock;
	}

	in = exchange_bitmap(slot);
	longs = BITS_TO_LONGS(log->num_pages);
	if (copy_from_user(in, log->dirty_bitmap, longs * sizeof(long))) {
		err = -EFAULT;
		goto unlock;
	}
	if (log->num_pages % BITS_PER_LONG)
		in[longs - 1] &= BITMAP_LAST_WORD_MASK(log->num_pages);

	first = log->first_page;
	word = slot->dirty_bitmap + first / BITS_PER_LONG;
	write_lock(&kvm->mmu_lock);
	for (i = 0; i < longs; i++, word++) {
		if (!in[i])
			continue;
		/* only what was dirty: the rest is write-protected already */
		mask = in[i] & set_mask_bits(word, in[i], 0);
		if (!mask)
			continue;
		kvm_arch_write_protect_gfns(kvm, slot, first + i * BITS_PER_LONG, mask);
		flush = true;
		kvm_mmu_give_way(kvm, &flush);
	}
	if (flush)
		kvm_flush_remote_tlbs(kvm);
	write_unlock(&kvm->mmu_lock);
unlock:
	mutex_unlock(&kvm->slots_lock);
	return err;
}
