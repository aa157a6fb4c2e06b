/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nested page tables between the rooms of mmu/: the table and what is done to it.
 * Nobody outside mmu/ includes it.
 *
 * Invariants (checked by audit.c and by the one function that links, tdp.c):
 *  I1 A table at level n holds, in entry i, nothing, a page of its own size at
 *     a frame aligned to it, or a table at level n-1 whose base_gfn is the one
 *     that entry i covers.
 *  I2 A table has exactly one parent entry, from the moment that it is linked to
 *     the moment that it is detached; a detached one is never linked again.
 *  I3 An entry that is present never comes to name another page or table: it
 *     goes through 0 and a TLB flush.
 *  I4 W is set only with SPTE_HOST_WRITABLE; in a slot that logs dirty pages,
 *     only where the log says dirty (if the CPU logs what it sets D of: only W with
 *     D), and never in a page larger than 4 KiB that
 *     was mapped after logging started.
 *  I5 Nothing is mapped outside a slot, but pages of ours, each at its own address: the
 *     one that the CPU sees the APIC through (vm->apic_page), and the identity table
 *     (own_tables.c).
 *  I6 A detached table is freed after a TLB flush and an RCU grace period.
 *  I7 Where vm->mmu.nx_huge is set, a page larger than 4 KiB has no X.
 *
 * Who changes entries:
 *  - faults, mmu_lock held for read, by cmpxchg, only to strengthen (0 to
 *    something, or W added to a leaf);
 *  - the fast fault (dirty.c), under RCU only: W added to a leaf, by cmpxchg;
 *  - everybody who weakens: mmu_lock held for write, through a mmu_batch;
 *  - the CPU: A and D bits, at any time.
 */
#ifndef ARCH_X86_MMU_TDP_H
#define ARCH_X86_MMU_TDP_H

#include "arch-x86/mmu/internal.h"
#include "arch-x86/mmu/spte.h"

/**
 * struct x86_table - one page of nested page table entries
 * @entries: the page (entries: see above)
 * @base_gfn: first frame that it covers (c)
 * @level: 1 (leaves of 4 KiB) to 5 (c)
 * @as_id: address space whose tree it is in (c)
 * @node: in a vCPU's cache (v), or in a batch or on the VM's dead list (m)
 * @split: in the VM's list of tables that a fetch made (nx_huge.c), or alone
 */
struct x86_table {
	u64 *entries;
	gfn_t base_gfn;
	u8 level;
	u8 as_id;
	struct list_head node;
	struct list_head split;
};

/* ---- tdp.c: the tree ------------------------------------------------------ */

/**
 * tdp_map() - put the page of a fault into the tree
 * @vcpu: the vCPU; its table cache is used
 * @root: tree
 * @f: fault, filled up to ->level
 *
 * Context: mmu_lock held for read, and f->pfn verified under it.
 */
enum mmu_result tdp_map(struct x86_vcpu *vcpu, struct x86_table *root, struct mmu_fault *f);

/**
 * tdp_split() - a page larger than the fault may have makes way for a table, at once:
 *	otherwise another vCPU could put it back before the next fault, for ever
 * @vcpu: the vCPU; its table cache is used
 * @root: tree
 * @f: fault whose tdp_map() said MMU_TOO_LARGE
 *
 * Takes mmu_lock. The access must be tried again.
 */
void tdp_split(struct x86_vcpu *vcpu, struct x86_table *root, const struct mmu_fault *f);

/**
 * tdp_leaf() - find the entry that translates a frame
 * @vm: the VM
 * @root: tree, or NULL
 * @gfn: frame
 * @level: level of the table that the entry is in
 *
 * Context: mmu_lock, or RCU (then the entry may be detached at any time).
 * Return: address of the present leaf or NULL.
 */
u64 *tdp_leaf(struct x86_vm *vm, struct x86_table *root, gfn_t gfn, int *level);

/** tdp_child() - the table that a present entry names, or NULL if the tree is
 *  broken (then the VM is dead). Context: as tdp_leaf(). */
struct x86_table *tdp_child(struct x86_vm *vm, const struct x86_table *parent,
			    unsigned int index, u64 spte);

/** tdp_topup() - fill the vCPU's cache of tables for one fault. 0, -ENOMEM. Sleeps. */
int tdp_topup(struct x86_vcpu *vcpu);
void tdp_drop_cache(struct x86_vcpu *vcpu);

struct x86_table *tdp_table_alloc(struct x86_vm *vm);
void tdp_table_free(struct x86_vm *vm, struct x86_table *table);

/**
 * tdp_visit() - call @fn for the present entries that cover part of [start, end)
 * @table: where to start
 * @fn: returns whether to go into the table that the entry names
 * @data: for @fn
 *
 * From low to high, parents first. Context: mmu_lock held for write.
 */
typedef bool (*tdp_visit_fn)(struct mmu_batch *b, struct x86_table *table,
			     unsigned int index, u64 spte, void *data);
void tdp_visit(struct mmu_batch *b, struct x86_table *table, gfn_t start, gfn_t end,
	       tdp_visit_fn fn, void *data);

/* The frame that an entry starts at. */
static inline gfn_t tdp_entry_gfn(const struct x86_table *table, unsigned int index)
{
	return table->base_gfn + index * spte_level_pages(table->level);
}

/* Would a page of this level's size lie in the slot, and be aligned in gpa and hva alike? */
static inline bool tdp_slot_fits(const struct kvm_memory_slot *slot, gfn_t gfn, int level)
{
	gfn_t pages = spte_level_pages(level);
	gfn_t base = gfn & ~(pages - 1);

	return base >= slot->base_gfn && base + pages <= kvm_slot_end(slot) &&
	       !((slot->base_gfn ^ (slot->userspace_addr >> GFN_SHIFT)) & (pages - 1));
}

/* ---- zap.c: weaker, and gone ---------------------------------------------- */

/** tdp_zap_leaf() - clear a present leaf of a table at @level */
void tdp_zap_leaf(struct mmu_batch *b, u64 *sptep, int level);

/** tdp_detach() - take the table that entry @index of @parent names out of the tree */
void tdp_detach(struct mmu_batch *b, struct x86_table *parent, unsigned int index);

/** tdp_zap_range() - drop every translation of [start, end) in one address space.
 *  Quick: whole tables are only detached. Context: mmu_lock held for write. */
void tdp_zap_range(struct mmu_batch *b, int as_id, gfn_t start, gfn_t end);

/** tdp_reap() - free detached tables: work function of x86_vm_mmu.reaper */
void tdp_reap(struct work_struct *work);
/** tdp_free_tree() - free a table and all below it; nobody can reach it. Sleeps. */
void tdp_free_tree(struct x86_vm *vm, struct x86_table *table);

/* ---- dirty.c: dirty logging and ageing ------------------------------------ */

/** tdp_fast_write() - give W back to a leaf that lost it to the dirty log
 *  Return: MMU_MAPPED, MMU_SPURIOUS: try the access again; MMU_BROKEN: this is not
 *  such a fault. Context: SRCU. */
enum mmu_result tdp_fast_write(struct x86_vcpu *vcpu, struct x86_table *root, gfn_t gfn);
/** tdp_log_start() - the slot logs from now on: no W, no large pages. Takes mmu_lock. */
void tdp_log_start(struct x86_vm *vm, const struct kvm_memory_slot *slot);
/** tdp_log_stop() - large pages may come back. Takes mmu_lock. */
void tdp_log_stop(struct x86_vm *vm, const struct kvm_memory_slot *slot);
/** tdp_write_protect() - what kvm_arch_write_protect_gfns() promises */
void tdp_write_protect(struct x86_vm *vm, const struct kvm_memory_slot *slot,
		       gfn_t base, unsigned long mask);
/** tdp_age() - was a page of [start, end) used? @clear: and begin anew.
 *  Context: mmu_lock held for write. */
bool tdp_age(struct x86_vm *vm, int as_id, gfn_t start, gfn_t end, bool clear);

#endif
