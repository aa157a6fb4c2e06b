// SPDX-License-Identifier: GPL-2.0-only
/*
 * Translations that become weaker, and tables that go. Owns the rule that
 * nothing weakened leaves mmu_lock unflushed, and that a table is freed only
 * when neither a TLB nor a lockless walker can be in it:
 *
 *	write_lock(mmu_lock); weaken, detach ...; mmu_batch_flush(); write_unlock();
 *	reaper: RCU grace period; free
 *
 * (Shadow pages have no lockless walkers: they are freed at the flush.)
 * The flush comes before the unlock because whoever takes the lock next sees an
 * empty entry, concludes that there is nothing to flush, and frees the page.
 */
#include <linux/sched.h>
#include <linux/workqueue.h>
#include <asm/apicdef.h>

#include "arch-x86/mmu/shadow.h"
#include "arch-x86/mmu/tdp.h"
#include "arch-x86/mmu/tlb_model.h"

u64 mmu_weaken(struct mmu_batch *b, u64 *sptep, u64 bits)
{
	u64 old = READ_ONCE(*sptep);

	lockdep_assert_held_write(&b->vm->core.mmu_lock);
	/* The CPU (A, D) and the fast fault (W) may be at it, too. */
	while (!try_cmpxchg64(sptep, &old, old & ~bits))
		;
	if (spte_present(old) && (old & bits)) {
		b->flush = true;
		tlb_model_weakened(b->vm, sptep, old, old & ~bits);
	}
	return old;
}

static void uncount_leaf(struct x86_vm *vm, int level)
{
	switch (level) {
	case 1:
		atomic64_dec(&vm->core.stat.pages_4k);
		break;
	case 2:
		atomic64_dec(&vm->core.stat.pages_2m);
		break;
	case 3:
		atomic64_dec(&vm->core.stat.pages_1g);
		break;
	}
}

void tdp_zap_leaf(struct mmu_batch *b, u64 *sptep, int level)
{
	u64 old = mmu_weaken(b, sptep, ~0ULL);

	if (!KVM_BUG_ON(!spte_present_leaf(old, level), &b->vm->core))
		uncount_leaf(b->vm, level);
}

void tdp_detach(struct mmu_batch *b, struct x86_table *parent, unsigned int index)
{
	u64 old = mmu_weaken(b, &parent->entries[index], ~0ULL);
	struct x86_table *table;

	if (KVM_BUG_ON(!spte_present_table(old, parent->level), &b->vm->core))
		return;
	table = tdp_child(b->vm, parent, index, old);
	/* If the tree is broken, better to leak than to free what is not ours. */
	if (table) {
		nx_split_del(b->vm, table);
		list_add(&table->node, &b->dead);
	}
}

void mmu_batch_flush(struct mmu_batch *b)
{
	struct x86_vm_mmu *mmu = &b->vm->mmu;

	lockdep_assert_held_write(&b->vm->core.mmu_lock);
	if (b->flush)
		kvm_flush_remote_tlbs(&b->vm->core);
	b->flush = false;
	tlb_model_settled(b->vm, "flush");
	shadow_free_dead(b);
	if (list_empty(&b->dead))
		return;
	spin_lock(&mmu->dead_lock);
	list_splice_init(&b->dead, &mmu->dead);
	spin_unlock(&mmu->dead_lock);
	queue_work(x86_mmu_wq, &mmu->reaper);
}

static bool zap_entry(struct mmu_batch *b, struct x86_table *table, unsigned int index,
		      u64 spte, void *data)
{
	const gfn_t *range = data;
	gfn_t gfn = tdp_entry_gfn(table, index);

	if (spte_is_leaf(spte, table->level)) {
		tdp_zap_leaf(b, &table->entries[index], table->level);
		return false;
	}
	if (gfn < range[0] || gfn + spte_level_pages(table->level) > range[1])
		return true;
	tdp_detach(b, table, index);
	return false;
}

void tdp_zap_range(struct mmu_batch *b, int as_id, gfn_t start, gfn_t end)
{
	struct x86_table *root = b->vm->mmu.tdp_root[as_id];
	gfn_t range[2] = { start, end };

	if (root)
		tdp_visit(b, root, start, end, zap_entry, range);
}

void x86_mmu_unmap_apic_page(struct x86_vm *vm)
{
	MMU_BATCH(b, vm);
	u64 *sptep;
	int level;

	write_lock(&vm->core.mmu_lock);
	sptep = tdp_leaf(vm, vm->mmu.tdp_root[0], gpa_to_gfn(APIC_DEFAULT_PHYS_BASE), &level);
	if (sptep)
		tdp_zap_leaf(&b, sptep, level);
	mmu_batch_flush(&b);
	x86_mmu_audit(vm, "the APIC's page");
	write_unlock(&vm->core.mmu_lock);
}

void mmu_zap_all(struct x86_vm *vm)
{
	MMU_BATCH(b, vm);
	int as_id;

	write_lock(&vm->core.mmu_lock);
	if (x86_mmu_limits.shadow)
		shadow_zap_all(&b);
	for (as_id = 0; as_id < KVM_ADDRESS_SPACE_NUM; as_id++)
		tdp_zap_range(&b, as_id, 0, x86_mmu_limits.max_gfn);
	nx_vm_update(vm);
	mmu_batch_flush(&b);
	x86_mmu_audit_all(vm, "zap all");
	write_unlock(&vm->core.mmu_lock);
}

void tdp_free_tree(struct x86_vm *vm, struct x86_table *table)
{
	unsigned int i;

	for (i = 0; i < SPTE_ENTRIES; i++) {
		u64 spte = table->entries[i];
		struct x86_table *child;

		if (!spte_present(spte))
			continue;
		if (spte_is_leaf(spte, table->level)) {
			uncount_leaf(vm, table->level);
			continue;
		}
		child = tdp_child(vm, table, i, spte);
		if (child)
			tdp_free_tree(vm, child);
	}
	tdp_table_free(vm, table);
	cond_resched();
}

void tdp_reap(struct work_struct *work)
{
	struct x86_vm_mmu *mmu = container_of(work, struct x86_vm_mmu, reaper);
	struct x86_vm *vm = container_of(mmu, struct x86_vm, mmu);
	struct x86_table *table, *next;
	LIST_HEAD(dead);

	spin_lock(&mmu->dead_lock);
	list_splice_init(&mmu->dead, &dead);
	spin_unlock(&mmu->dead_lock);
	if (list_empty(&dead))
		return;
	/* Fast faults walk without a lock. */
	synchronize_rcu();
	list_for_each_entry_safe(table, next, &dead, node) {
		list_del_init(&table->node);
		tdp_free_tree(vm, table);
	}
}
