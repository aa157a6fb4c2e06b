// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks the invariants of the nested tables (tdp.h) or has those of the shadow
 * tables checked (audit_shadow.c), where the parameter mmu_audit says so. A breach is
 * reported and kills the VM.
 *
 *  1: at each change the next few entries in turn, all of them when much has gone at
 *     once. What a breach leaves behind is found sooner or later; a stock guest boots.
 *  2: all entries at each change; of many shadow pages, at some. For tiny guests.
 *  3: and shadow tables must agree with the guest's: only where nobody but the guest's
 *     CPUs writes those.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <asm/apicdef.h>

#include "arch-x86/mmu/shadow.h"
#include "arch-x86/mmu/tdp.h"
#include "arch-x86/mmu/tlb_model.h"

static unsigned int __read_mostly mmu_audit;
module_param(mmu_audit, uint, 0644);
MODULE_PARM_DESC(mmu_audit,
	"check the invariants of guests' page tables: 1 in turn, 2 all (slow), 3 and the guest's");

static bool breach(struct x86_vm *vm, const char *where, const char *what,
		   const struct x86_table *table, unsigned int index, u64 spte)
{
	kvm_err("mmu audit (%s): %s: level %d, gfn %llx, entry %llx\n", where, what,
		table->level, tdp_entry_gfn(table, index), spte);
	KVM_BUG_ON(1, &vm->core);
	return false;
}

static bool audit_leaf(struct x86_vm *vm, const char *where, const struct x86_table *table,
		       unsigned int i, u64 spte)
{
	gfn_t gfn = tdp_entry_gfn(table, i), pages = spte_level_pages(table->level);
	struct kvm_memory_slot *slot;

	if (table->level > x86_mmu_limits.max_leaf_level)
		return breach(vm, where, "page too large for the CPU", table, i, spte);
	if (spte_pfn(spte) & (pages - 1))
		return breach(vm, where, "page not aligned (I1)", table, i, spte);
	if (table->level > 1 && vm->mmu.nx_huge && spte_executable(spte))
		return breach(vm, where, "large and executable (I7)", table, i, spte);
	if (spte_writable(spte) && !(spte & SPTE_HOST_WRITABLE))
		return breach(vm, where, "writable against the host's will (I4)", table, i, spte);
	if (vm->apic_page && spte_pfn(spte) == page_to_pfn(vm->apic_page))
		return gfn == gpa_to_gfn(APIC_DEFAULT_PHYS_BASE) ||
		       breach(vm, where, "the APIC's page elsewhere (I5)", table, i, spte);
	if (identity_page(vm, gfn))
		return spte_pfn(spte) == page_to_pfn(identity_page(vm, gfn)) ||
		       breach(vm, where, "not the identity table (I5)", table, i, spte);
	slot = kvm_find_slot(kvm_memslots_as(&vm->core, table->as_id), gfn);
	if (!slot || gfn + pages > kvm_slot_end(slot))
		return breach(vm, where, "page outside a slot (I5)", table, i, spte);
	if (spte_writable(spte) && (slot->flags & KVM_MEM_READONLY))
		return breach(vm, where, "read-only slot written (I4)", table, i, spte);
	return true;
}

/*
 * @only: below the root, only what is on the way to this frame; INVALID_GFN: all.
 * Return: level of the last table on the way, 0: a breach.
 */
static int audit_table(struct x86_vm *vm, const char *where, const struct x86_table *table,
		       gfn_t only)
{
	int deepest = table->level;
	unsigned int i;

	if (!tlb_model_agrees(vm, where, table->entries, 0, SPTE_ENTRIES))
		return 0;
	for (i = 0; i < SPTE_ENTRIES; i++) {
		u64 spte = READ_ONCE(table->entries[i]);
		const struct x86_table *child;
		int r;

		if (!spte) {
			continue;
		} else if (!spte_present(spte)) {
			return breach(vm, where, "absent but not empty", table, i, spte);
		} else if (spte_is_leaf(spte, table->level)) {
			if (!audit_leaf(vm, where, table, i, spte))
				return 0;
		} else {
			child = tdp_child(vm, table, i, spte);
			if (!child)
				return breach(vm, where, "foreign child (I1)", table, i, spte);
			if (!list_empty(&child->node))
				return breach(vm, where, "dead child (I2)", table, i, spte);
			if (only != INVALID_GFN && spte_index(only, table->level) != i)
				continue;
			r = audit_table(vm, where, child, only);
			if (!r)
				return 0;
			if (only != INVALID_GFN)
				deepest = r;
		}
	}
	return deepest;
}

/* The next table of leaves, and the way to it. */
static void audit_next(struct x86_vm *vm, const char *where, const struct x86_table *root)
{
	gfn_t gfn = vm->mmu.audit_gfn < x86_mmu_limits.max_gfn ? vm->mmu.audit_gfn : 0;
	int level = audit_table(vm, where, root, gfn);

	vm->mmu.audit_gfn = (gfn | (spte_level_pages(max(level, 2)) - 1)) + 1;
}

static void audit(struct x86_vm *vm, const char *where, bool all)
{
	unsigned int how = READ_ONCE(mmu_audit);
	int as_id, idx;

	tlb_model_settled(vm, where);
	if (likely(!how) || vm->core.dead)
		return;
	lockdep_assert_held_write(&vm->core.mmu_lock);
	idx = srcu_read_lock(&vm->core.srcu);
	all |= how > 1;
	if (x86_mmu_limits.shadow)
		KVM_BUG_ON(!shadow_audit(vm, where, all, how > 2), &vm->core);
	for (as_id = 0; as_id < KVM_ADDRESS_SPACE_NUM; as_id++) {
		struct x86_table *root = vm->mmu.tdp_root[as_id];

		if (!root)
			continue;
		if (all)
			audit_table(vm, where, root, INVALID_GFN);
		else
			audit_next(vm, where, root);
	}
	srcu_read_unlock(&vm->core.srcu, idx);
}

void x86_mmu_audit(struct x86_vm *vm, const char *where)
{
	audit(vm, where, false);
}

void x86_mmu_audit_all(struct x86_vm *vm, const char *where)
{
	audit(vm, where, true);
}
