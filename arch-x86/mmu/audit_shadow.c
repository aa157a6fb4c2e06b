// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks the invariants of shadow tables (shadow.h, S1 to S7) over all pages of a VM.
 * Called by audit.c, where mmu_audit is on; changes nothing.
 */
#include <linux/mm.h>

#include "arch-x86/mmu/shadow.h"

static bool breach(const char *where, const char *what, const struct shadow_page *sp,
		   unsigned int index)
{
	kvm_err("mmu audit (%s): %s: gfn %llx, role %x, entry %u: %llx\n", where, what,
		sp->gfn, sp->role.word, index, READ_ONCE(sp->entries[index]));
	return false;
}

static bool on_list(const struct hlist_head *head, const struct spte_link *link)
{
	const struct hlist_node *n;

	for (n = head->first; n; n = n->next)
		if (n == &link->node)
			return true;
	return false;
}

static bool audit_leaf(struct x86_vm *vm, const char *where, const struct shadow_page *sp,
		       unsigned int i, u64 spte)
{
	const struct spte_link *link = sp->links[i];
	struct kvm_memory_slot *slot;
	struct hlist_head *rmaps;

	if (sp->role.direct && link->gfn != sp->gfn + i)
		return breach(where, "direct page maps another frame (S1)", sp, i);
	slot = kvm_find_slot(kvm_memslots_as(&vm->core, sp->role.as_id), link->gfn);
	if (!slot || !slot->arch)
		return breach(where, "page outside a slot (S6)", sp, i);
	rmaps = slot->arch;
	if (!on_list(&rmaps[link->gfn - slot->base_gfn], link))
		return breach(where, "not in its frame's reverse map (S2)", sp, i);
	if (!spte_writable(spte))
		return true;
	if (!(spte & SPTE_HOST_WRITABLE) || (slot->flags & KVM_MEM_READONLY))
		return breach(where, "writable against the host's will (S5)", sp, i);
	if (shadow_is_table(vm, sp->role.as_id, link->gfn))
		return breach(where, "a guest's table is writable (S4)", sp, i);
	return true;
}

static bool audit_child(struct x86_vm *vm, const char *where, const struct shadow_page *sp,
			unsigned int i, u64 spte)
{
	const struct shadow_page *child;

	child = (struct shadow_page *)page_private(pfn_to_page(spte_pfn(spte)));
	if (!child || !shadow_fits(sp, i, child))
		return breach(where, "a child that does not belong there (S1)", sp, i);
	if (!on_list(&child->parents, sp->links[i]))
		return breach(where, "a child that does not know its parent (S2)", sp, i);
	return true;
}

static bool audit_page(struct x86_vm *vm, const char *where, const struct shadow_page *sp)
{
	unsigned int i;

	if (sp->dead)
		return breach(where, "a dead page in use (S3)", sp, 0);
	if (sp->unsync && (sp->role.level != 1 || sp->role.direct))
		return breach(where, "unsync above level 1 (S4)", sp, 0);
	for (i = 0; i < SPTE_ENTRIES; i++) {
		u64 spte = READ_ONCE(sp->entries[i]);

		if (!spte_present(spte)) {
			if (spte || sp->links[i])
				return breach(where, "empty but linked (S2)", sp, i);
			continue;
		}
		if (i >= shadow_entries(sp) || !sp->links[i] ||
		    sp->links[i]->sptep != &sp->entries[i])
			return breach(where, "present but not linked (S2)", sp, i);
		if (!(sp->role.level == 1 ? audit_leaf(vm, where, sp, i, spte) :
					    audit_child(vm, where, sp, i, spte)))
			return false;
	}
	return true;
}

/* Looking at all pages after each change would take a guest's boot for ever. */
#define AUDIT_EVERY	64

bool shadow_audit(struct x86_vm *vm, const char *where)
{
	const struct shadow_page *sp;
	struct kvm_vcpu *vcpu;
	unsigned long n = 0;
	int i;

	if (vm->mmu.nr_shadow > AUDIT_EVERY && ++vm->mmu.shadow_audits % AUDIT_EVERY)
		return true;
	list_for_each_entry(sp, &vm->mmu.shadow_pages, node) {
		if (!audit_page(vm, where, sp))
			return false;
		n++;
	}
	if (n != vm->mmu.nr_shadow) {
		kvm_err("mmu audit (%s): %lu shadow pages, not %lu\n", where, n,
			vm->mmu.nr_shadow);
		return false;
	}
	kvm_for_each_vcpu(i, vcpu, &vm->core) {
		const struct x86_mmu *mmu = &x86_vcpu_of(vcpu)->mmu;

		if (mmu->private_root && !audit_page(vm, where, mmu->private_root))
			return false;
		/* A root that died stays with who ran on it, empty, until it looks. */
		if (mmu->root_page && !mmu->root_page->roots)
			return breach(where, "a root that nobody holds (S3)", mmu->root_page, 0);
	}
	return true;
}
