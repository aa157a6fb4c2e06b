// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty logging by write protection, and ageing by the A bit, on nested tables.
 *
 * The log's order (core clears, we protect): a page's bit is taken from the log,
 * then W is taken from its entry, then TLBs are flushed, then user space copies
 * the page. Whoever gives W back sets the bit after that: so a write that the
 * copy misses is in the next log.
 */
#include <linux/sched.h>

#include "arch-x86/mmu/tdp.h"
#include "arch-x86/mmu/tlb_model.h"
#include "arch-x86/vendor.h"

/* Frames per hold of mmu_lock, in walks over a whole slot: 64 leaf tables. */
#define WALK_CHUNK	(64 * SPTE_ENTRIES)

/*
 * What a page that is clean loses: W, and the next write faults; or D alone, and the CPU
 * tells of the next write (x86_mmu_page_written()). A burst of those would be too much
 * for a small dirty ring.
 */
static u64 clean_bits(const struct x86_vm *vm)
{
	if (x86_vendor_caps()->dirty_log && !vm->core.dirty_ring_bytes)
		return x86_spte_fmt.dirty;
	return x86_spte_fmt.write | x86_spte_fmt.dirty;
}

static void clean_leaf(struct mmu_batch *b, u64 *sptep)
{
	if (spte_writable(READ_ONCE(*sptep)))
		mmu_weaken(b, sptep, clean_bits(b->vm));
}

void x86_mmu_page_written(struct x86_vcpu *vcpu, gpa_t gpa)
{
	gfn_t gfn = gpa_to_gfn(gpa);
	struct kvm_memory_slot *slot = kvm_vcpu_gfn_to_memslot(&vcpu->core, gfn);

	if (kvm_slot_dirty_tracked(slot))
		kvm_mark_page_dirty(vcpu->core.kvm, &vcpu->core, slot, gfn);
}
EXPORT_SYMBOL_GPL(x86_mmu_page_written);

enum mmu_result tdp_fast_write(struct x86_vcpu *vcpu, struct x86_table *root, gfn_t gfn)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct kvm_memory_slot *slot;
	enum mmu_result r = MMU_BROKEN;
	u64 *sptep, old;
	int level;

	rcu_read_lock();
	sptep = tdp_leaf(vm, root, gfn, &level);
	if (!sptep || level > 1)
		goto out;
	old = READ_ONCE(*sptep);
	if (!spte_present(old) || !(old & SPTE_HOST_WRITABLE))
		goto out;
	if (spte_writable(old)) {
		r = MMU_SPURIOUS;
		goto out;
	}
	/*
	 * A leaf that was cleared meanwhile fails the exchange. One in a table
	 * that was detached may change: nobody translates through it.
	 */
	if (!try_cmpxchg64(sptep, &old, old | x86_spte_fmt.write | x86_spte_fmt.dirty))
		goto out;
	tlb_model_made(vm, sptep);
	r = MMU_MAPPED;
	/*
	 * Asked only now: logging that starts publishes the slot first and
	 * protects then. Either it takes the W just given, or its slot is seen here.
	 */
	slot = kvm_vcpu_gfn_to_memslot(&vcpu->core, gfn);
	if (kvm_slot_dirty_tracked(slot))
		kvm_mark_page_dirty(&vm->core, &vcpu->core, slot, gfn);
out:
	rcu_read_unlock();
	return r;
}

/* Call @fn for the entries of a slot, with breaks. */
static void visit_slot(struct x86_vm *vm, const struct kvm_memory_slot *slot,
		       tdp_visit_fn fn)
{
	gfn_t gfn = slot->base_gfn, end = kvm_slot_end(slot), stop;
	struct x86_table *root;
	MMU_BATCH(b, vm);

	write_lock(&vm->core.mmu_lock);
	root = vm->mmu.tdp_root[slot->as_id];
	for (; root && gfn < end; gfn = stop) {
		stop = min(end, gfn + WALK_CHUNK);
		tdp_visit(&b, root, gfn, stop, fn, (void *)slot);
		if (need_resched() || rwlock_needbreak(&vm->core.mmu_lock)) {
			mmu_batch_flush(&b);
			cond_resched_rwlock_write(&vm->core.mmu_lock);
		}
	}
	mmu_batch_flush(&b);
	x86_mmu_audit_all(vm, "slot walk");
	write_unlock(&vm->core.mmu_lock);
}

static bool log_start_entry(struct mmu_batch *b, struct x86_table *table, unsigned int index,
			    u64 spte, void *data)
{
	u64 *sptep = &table->entries[index];

	if (!spte_is_leaf(spte, table->level))
		return true;
	/* Logged page by page: a large one comes back as small ones when used. */
	if (table->level > 1)
		tdp_zap_leaf(b, sptep, table->level);
	else
		clean_leaf(b, sptep);
	return false;
}

void tdp_log_start(struct x86_vm *vm, const struct kvm_memory_slot *slot)
{
	visit_slot(vm, slot, log_start_entry);
}

/* Drop the small pages where the host has a large one: the next fault takes it. */
static bool log_stop_entry(struct mmu_batch *b, struct x86_table *table, unsigned int index,
			   u64 spte, void *data)
{
	const struct kvm_memory_slot *slot = data;
	gfn_t gfn = tdp_entry_gfn(table, index);

	if (table->level < 2 || spte_is_leaf(spte, table->level))
		return false;
	if (table->level > x86_mmu_limits.max_leaf_level ||
	    !tdp_slot_fits(slot, gfn, table->level) ||
	    kvm_host_mapping_shift(&b->vm->core, slot, gfn) < spte_level_shift(table->level))
		return true;
	tdp_detach(b, table, index);
	return false;
}

void tdp_log_stop(struct x86_vm *vm, const struct kvm_memory_slot *slot)
{
	if (x86_mmu_limits.max_leaf_level > 1)
		visit_slot(vm, slot, log_stop_entry);
}

void tdp_write_protect(struct x86_vm *vm, const struct kvm_memory_slot *slot,
		       gfn_t base, unsigned long mask)
{
	struct x86_table *root = vm->mmu.tdp_root[slot->as_id];
	bool zapped = false;
	MMU_BATCH(b, vm);

	lockdep_assert_held_write(&vm->core.mmu_lock);
	for (; mask; mask &= mask - 1) {
		gfn_t gfn = slot->base_gfn + base + __ffs(mask);
		int level;
		u64 *sptep = tdp_leaf(vm, root, gfn, &level);

		if (!sptep)
			continue;
		if (level > 1) {
			tdp_zap_leaf(&b, sptep, level);
			zapped = true;
		} else {
			clean_leaf(&b, sptep);
		}
	}
	/* For less W the caller flushes in time; for a page gone it would be late. */
	if (zapped)
		mmu_batch_flush(&b);
}

struct age_walk {
	bool young, clear;
};

static bool age_entry(struct mmu_batch *b, struct x86_table *table, unsigned int index,
		      u64 spte, void *data)
{
	u64 *sptep = &table->entries[index];
	struct age_walk *walk = data;

	if (!spte_is_leaf(spte, table->level))
		return walk->clear || !walk->young;
	if (!x86_spte_fmt.accessed) {
		/* No A bit: present means used; the next use shows by a fault. */
		walk->young = true;
		if (walk->clear)
			tdp_zap_leaf(b, sptep, table->level);
	} else if (spte_accessed(spte)) {
		walk->young = true;
		/* Not a weaker translation: a TLB that still has it delays A, no more. */
		if (walk->clear)
			clear_bit(__ffs64(x86_spte_fmt.accessed), (unsigned long *)sptep);
	}
	return false;
}

bool tdp_age(struct x86_vm *vm, int as_id, gfn_t start, gfn_t end, bool clear)
{
	struct x86_table *root = vm->mmu.tdp_root[as_id];
	struct age_walk walk = { .clear = clear };
	MMU_BATCH(b, vm);

	if (root)
		tdp_visit(&b, root, start, end, age_entry, &walk);
	mmu_batch_flush(&b);
	return walk.young;
}
