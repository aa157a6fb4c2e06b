// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty rings: filled by a vCPU's thread, emptied by user space, taken back by
 * KVM_RESET_DIRTY_RINGS (api.rst 8.29). An entry goes from 0 to DIRTY (ours) to RESET
 * (user space's) to 0 (ours again). Owns both indices, which user space never sees.
 *
 * The entries are in memory that user space writes: what comes back in one is copied
 * once and checked, and may protect a page needlessly, no more.
 */
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/vmalloc.h>

#include "core/arch.h"
#include "core/dirty_ring.h"
#include "core/memslot.h"
#include "core/request.h"

/*
 * How many pages a vCPU may dirty between two looks at its requests: what one emulated
 * instruction or one ioctl writes, with much to spare. A ring is full that much earlier.
 */
#define RESERVED	128

static u32 ring_entries(const struct kvm *kvm)
{
	return kvm->dirty_ring_bytes / sizeof(struct kvm_dirty_gfn);
}

static struct kvm_dirty_gfn *ring_entry(struct kvm_vcpu *vcpu, u32 index)
{
	return &vcpu->dirty_ring.entries[index & (ring_entries(vcpu->kvm) - 1)];
}

static u32 ring_used(struct kvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->dirty_ring.head) - READ_ONCE(vcpu->dirty_ring.tail);
}

/* ---- life -------------------------------------------------------------- */

int kvm_dirty_ring_enable(struct kvm *kvm, u64 bytes)
{
	int err = -EINVAL;

	BUILD_BUG_ON(PAGE_SIZE / sizeof(struct kvm_dirty_gfn) <= RESERVED);
	if (!is_power_of_2(bytes) || bytes < PAGE_SIZE || bytes > KVM_DIRTY_RING_MAX_BYTES)
		return -EINVAL;
	mutex_lock(&kvm->lock);
	if (!kvm->created_vcpus && !kvm->dirty_ring_bytes) {
		kvm->dirty_ring_bytes = bytes;
		err = 0;
	}
	mutex_unlock(&kvm->lock);
	return err;
}

int kvm_dirty_ring_create(struct kvm_vcpu *vcpu)
{
	if (!vcpu->kvm->dirty_ring_bytes)
		return 0;
	vcpu->dirty_ring.entries = __vmalloc(vcpu->kvm->dirty_ring_bytes,
					     GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	return vcpu->dirty_ring.entries ? 0 : -ENOMEM;
}

void kvm_dirty_ring_destroy(struct kvm_vcpu *vcpu)
{
	vfree(vcpu->dirty_ring.entries);
}

struct page *kvm_dirty_ring_page(struct kvm_vcpu *vcpu, unsigned long n)
{
	unsigned long pages = vcpu->kvm->dirty_ring_bytes >> PAGE_SHIFT;

	if (n >= pages)
		return NULL;
	return vmalloc_to_page((void *)vcpu->dirty_ring.entries +
			       array_index_nospec(n, pages) * PAGE_SIZE);
}

/* ---- filling ------------------------------------------------------------- */

bool kvm_dirty_ring_soft_full(struct kvm_vcpu *vcpu)
{
	return vcpu->dirty_ring.entries &&
	       ring_used(vcpu) >= ring_entries(vcpu->kvm) - RESERVED;
}
EXPORT_SYMBOL_GPL(kvm_dirty_ring_soft_full);

void kvm_dirty_ring_push(struct kvm_vcpu *vcpu, const struct kvm_memory_slot *slot,
			 unsigned long offset)
{
	struct kvm_dirty_gfn *entry = ring_entry(vcpu, vcpu->dirty_ring.head);

	/* Overwriting one would lose a page: rather lose the VM. */
	if (KVM_BUG_ON(ring_used(vcpu) >= ring_entries(vcpu->kvm), vcpu->kvm))
		return;
	entry->slot = (u32)slot->as_id << 16 | (u16)slot->id;
	entry->offset = offset;
	/* The rest first: user space reads the flags with acquire. */
	smp_store_release(&entry->flags, KVM_DIRTY_GFN_F_DIRTY);
	WRITE_ONCE(vcpu->dirty_ring.head, vcpu->dirty_ring.head + 1);
	if (kvm_dirty_ring_soft_full(vcpu))
		kvm_make_request(KVM_REQ_DIRTY_RING_SOFT_FULL, vcpu);
}

/* ---- taking back ---------------------------------------------------------- */

/*
 * Pages of one slot that are protected again at once: neighbours mostly come together.
 * @flush: TLBs do not know it yet.
 */
struct reset_batch {
	u32 slot;
	gfn_t base;
	unsigned long mask;
	bool flush;
};

static void reset_flush(struct kvm *kvm, struct reset_batch *b)
{
	struct kvm_memory_slot *slot;
	u32 as = b->slot >> 16, id = b->slot & 0xffff;

	if (!b->mask || as >= kvm_nr_address_spaces(kvm) || id >= KVM_USER_MEM_SLOTS)
		return;
	as = array_index_nospec(as, KVM_ADDRESS_SPACE_NUM);
	slot = kvm_id_to_memslot(kvm_memslots_as(kvm, as), id);
	/* Gone meanwhile, or never there: user space has written something else. */
	if (!slot || b->base >= slot->npages)
		return;
	if (slot->npages - b->base < BITS_PER_LONG)
		b->mask &= BIT(slot->npages - b->base) - 1;
	kvm_arch_write_protect_gfns(kvm, slot, b->base, b->mask);
	b->flush = true;
}

static int reset_ring(struct kvm_vcpu *vcpu, struct reset_batch *b)
{
	struct kvm_dirty_gfn *entry;
	int count = 0;
	u64 offset;
	u32 slot;

	for (;;) {
		entry = ring_entry(vcpu, vcpu->dirty_ring.tail);
		if (vcpu->dirty_ring.tail == READ_ONCE(vcpu->dirty_ring.head) ||
		    !(smp_load_acquire(&entry->flags) & KVM_DIRTY_GFN_F_RESET))
			return count;
		slot = READ_ONCE(entry->slot);
		offset = READ_ONCE(entry->offset);
		/* Before the vCPU may use it again. */
		WRITE_ONCE(entry->flags, 0);
		smp_store_release(&vcpu->dirty_ring.tail, vcpu->dirty_ring.tail + 1);
		count++;

		if (slot != b->slot || ALIGN_DOWN(offset, BITS_PER_LONG) != b->base) {
			reset_flush(vcpu->kvm, b);
			b->slot = slot;
			b->base = ALIGN_DOWN(offset, BITS_PER_LONG);
			b->mask = 0;
		}
		b->mask |= BIT(offset % BITS_PER_LONG);
		kvm_mmu_give_way(vcpu->kvm, &b->flush);
	}
}

int kvm_reset_dirty_rings(struct kvm *kvm)
{
	struct reset_batch batch = { };
	struct kvm_vcpu *vcpu;
	int i, count = 0;

	if (!kvm->dirty_ring_bytes)
		return -EINVAL;
	mutex_lock(&kvm->slots_lock);
	write_lock(&kvm->mmu_lock);
	kvm_for_each_vcpu(i, vcpu, kvm)
		count += reset_ring(vcpu, &batch);
	reset_flush(kvm, &batch);
	/* Before user space reads the pages, and before anyone else finds them protected. */
	if (batch.flush)
		kvm_flush_remote_tlbs(kvm);
	write_unlock(&kvm->mmu_lock);
	mutex_unlock(&kvm->slots_lock);
	return count;
}
