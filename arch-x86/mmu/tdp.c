// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree of nested page tables: from gpa to pfn. Owns tables, the walk down,
 * and the one function that links. Many faults work here at once, with mmu_lock
 * held for read; entries change by cmpxchg. What makes a translation weaker is
 * in zap.c. Knows no vendor: only the format of an entry (spte.h).
 *
 * The invariants are in tdp.h.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "arch-x86/mmu/tdp.h"
#include "arch-x86/mmu/tlb_model.h"

/* A fault needs at most one table for each level below the root. */
#define TDP_CACHE_SIZE	(SPTE_MAX_LEVEL - 1)

struct x86_table *tdp_table_alloc(struct x86_vm *vm)
{
	struct x86_table *table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);

	if (!table)
		return NULL;
	table->entries = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!table->entries || tlb_model_page_new(vm, table->entries)) {
		free_page((unsigned long)table->entries);
		kfree(table);
		return NULL;
	}
	/* From an entry to its struct: by the page that it names. */
	set_page_private(virt_to_page(table->entries), (unsigned long)table);
	INIT_LIST_HEAD(&table->node);
	INIT_LIST_HEAD(&table->split);
	atomic64_inc(&vm->mmu.nr_pages);
	return table;
}

void tdp_table_free(struct x86_vm *vm, struct x86_table *table)
{
	nx_split_del(vm, table);
	tlb_model_page_gone(vm, table->entries);
	set_page_private(virt_to_page(table->entries), 0);
	free_page((unsigned long)table->entries);
	kfree(table);
	atomic64_dec(&vm->mmu.nr_pages);
}

int tdp_topup(struct x86_vcpu *vcpu)
{
	struct x86_mmu *mmu = &vcpu->mmu;

	while (mmu->page_cache_count < TDP_CACHE_SIZE) {
		struct x86_table *table = tdp_table_alloc(x86_vcpu_vm(vcpu));

		if (!table)
			return -ENOMEM;
		list_add(&table->node, &mmu->page_cache);
		mmu->page_cache_count++;
	}
	return 0;
}

void tdp_drop_cache(struct x86_vcpu *vcpu)
{
	struct x86_mmu *mmu = &vcpu->mmu;
	struct x86_table *table, *next;

	list_for_each_entry_safe(table, next, &mmu->page_cache, node)
		tdp_table_free(x86_vcpu_vm(vcpu), table);
	INIT_LIST_HEAD(&mmu->page_cache);
	mmu->page_cache_count = 0;
}

static struct x86_table *cache_take(struct x86_mmu *mmu)
{
	struct x86_table *table;

	table = list_first_entry_or_null(&mmu->page_cache, struct x86_table, node);
	if (table) {
		list_del_init(&table->node);
		mmu->page_cache_count--;
	}
	return table;
}

static void cache_give_back(struct x86_mmu *mmu, struct x86_table *table)
{
	list_add(&table->node, &mmu->page_cache);
	mmu->page_cache_count++;
}

struct x86_table *tdp_child(struct x86_vm *vm, const struct x86_table *parent,
			    unsigned int index, u64 spte)
{
	struct x86_table *child;

	child = (struct x86_table *)page_private(pfn_to_page(spte_pfn(spte)));
	if (KVM_BUG_ON(!child || child->level != parent->level - 1 ||
		       child->base_gfn != tdp_entry_gfn(parent, index) ||
		       child->as_id != parent->as_id, &vm->core))
		return NULL;
	return child;
}

/*
 * The only place where a table gets a parent. The entry must be empty: what is
 * present is never linked over (I3), and what is linked fits (I1, I2).
 */
static bool tdp_link(struct x86_vm *vm, struct x86_table *parent, unsigned int index,
		     struct x86_table *child)
{
	u64 empty = 0;

	child->level = parent->level - 1;
	child->base_gfn = tdp_entry_gfn(parent, index);
	child->as_id = parent->as_id;
	if (KVM_BUG_ON(!child->level || !list_empty(&child->node), &vm->core))
		return false;
	/* The cmpxchg also makes the child's zeroes visible before the link. */
	if (!try_cmpxchg64(&parent->entries[index], &empty,
			   spte_make_table(virt_to_phys(child->entries))))
		return false;
	tlb_model_made(vm, &parent->entries[index]);
	return true;
}

static bool leaf_allows(u64 spte, const struct mmu_fault *f)
{
	return (!f->write || spte_writable(spte)) && (!f->exec || spte_executable(spte));
}

static void count_leaf(struct x86_vm *vm, int level)
{
	switch (level) {
	case 1:
		atomic64_inc(&vm->core.stat.pages_4k);
		break;
	case 2:
		atomic64_inc(&vm->core.stat.pages_2m);
		break;
	case 3:
		atomic64_inc(&vm->core.stat.pages_1g);
		break;
	}
}

/* Make or strengthen the leaf. -EAGAIN: somebody changed the entry; look again. */
static int tdp_install_leaf(struct x86_vm *vm, u64 *sptep, u64 old, int level,
			    const struct mmu_fault *f)
{
	kvm_pfn_t pfn = f->pfn & ~(spte_level_pages(level) - 1);
	bool logged = kvm_slot_dirty_tracked(f->slot);
	/* A page that is logged becomes writable only by a write. */
	bool write = f->host_writable && (f->write || !logged);
	bool exec = level == 1 || !vm->mmu.nx_huge;
	u64 new;

	if (KVM_BUG_ON(f->write && !write, &vm->core))
		return MMU_BROKEN;
	if (spte_present(old)) {
		if (KVM_BUG_ON(spte_pfn(old) != pfn, &vm->core))
			return MMU_BROKEN;
		if (leaf_allows(old, f))
			return MMU_SPURIOUS;
		new = old | spte_make_leaf(pfn, level, write, f->host_writable, exec);
	} else {
		new = spte_make_leaf(pfn, level, write, f->host_writable, exec);
	}
	if (!try_cmpxchg64(sptep, &old, new))
		return -EAGAIN;
	tlb_model_made(vm, sptep);
	if (!spte_present(old))
		count_leaf(vm, level);
	return MMU_MAPPED;
}

/* Link a table for a fault. It may be that only the fetch wants it. */
static bool link_for(struct x86_vm *vm, struct x86_table *parent, unsigned int index,
		     struct x86_table *child, const struct mmu_fault *f)
{
	if (!tdp_link(vm, parent, index, child))
		return false;
	if (parent->level <= f->split)
		nx_split_add(vm, child);
	return true;
}

enum mmu_result tdp_map(struct x86_vcpu *vcpu, struct x86_table *root, struct mmu_fault *f)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct x86_mmu *mmu = &vcpu->mmu;
	struct x86_table *table = root, *child;
	int r;

	lockdep_assert_held_read(&vm->core.mmu_lock);
	for (;;) {
		unsigned int index = spte_index(f->gfn, table->level);
		u64 *sptep = &table->entries[index];
		u64 old = READ_ONCE(*sptep);

		/* Smaller pages are there already: stay with them. */
		if (spte_present_table(old, table->level)) {
			table = tdp_child(vm, table, index, old);
			if (!table)
				return MMU_BROKEN;
			continue;
		}
		if (table->level > f->level) {
			if (spte_present(old))
				return leaf_allows(old, f) ? MMU_SPURIOUS : MMU_TOO_LARGE;
			child = cache_take(mmu);
			if (!child)
				return MMU_NO_TABLES;
			if (link_for(vm, table, index, child, f))
				table = child;
			else
				cache_give_back(mmu, child);
			continue;
		}
		r = tdp_install_leaf(vm, sptep, old, table->level, f);
		if (r != -EAGAIN) {
			f->level = table->level;
			return r;
		}
	}
}

void tdp_split(struct x86_vcpu *vcpu, struct x86_table *root, const struct mmu_fault *f)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct x86_table *parent, *child;
	MMU_BATCH(b, vm);
	u64 *sptep;
	int level;

	write_lock(&vm->core.mmu_lock);
	sptep = tdp_leaf(vm, root, f->gfn, &level);
	if (sptep && level > f->level) {
		tdp_zap_leaf(&b, sptep, level);
		mmu_batch_flush(&b);	/* I3 */
		parent = (struct x86_table *)page_private(virt_to_page(sptep));
		child = cache_take(&vcpu->mmu);
		if (child && !link_for(vm, parent, spte_index(f->gfn, level), child, f))
			cache_give_back(&vcpu->mmu, child);
	}
	x86_mmu_audit(vm, "split");
	write_unlock(&vm->core.mmu_lock);
}

u64 *tdp_leaf(struct x86_vm *vm, struct x86_table *root, gfn_t gfn, int *level)
{
	struct x86_table *table = root;

	while (table) {
		unsigned int index = spte_index(gfn, table->level);
		u64 spte = READ_ONCE(table->entries[index]);

		if (!spte_present(spte))
			return NULL;
		if (spte_is_leaf(spte, table->level)) {
			*level = table->level;
			return &table->entries[index];
		}
		table = tdp_child(vm, table, index, spte);
	}
	return NULL;
}

void tdp_visit(struct mmu_batch *b, struct x86_table *table, gfn_t start, gfn_t end,
	       tdp_visit_fn fn, void *data)
{
	gfn_t pages = spte_level_pages(table->level);
	gfn_t gfn = max(start, table->base_gfn);
	gfn_t stop = min(end, table->base_gfn + SPTE_ENTRIES * pages);

	lockdep_assert_held_write(&b->vm->core.mmu_lock);
	for (; gfn < stop; gfn = (gfn | (pages - 1)) + 1) {
		unsigned int index = spte_index(gfn, table->level);
		u64 spte = READ_ONCE(table->entries[index]);
		struct x86_table *child;

		if (!spte_present(spte) || !fn(b, table, index, spte, data) ||
		    spte_is_leaf(spte, table->level))
			continue;
		child = tdp_child(b->vm, table, index, spte);
		if (child)
			tdp_visit(b, child, gfn, stop, fn, data);
	}
}
