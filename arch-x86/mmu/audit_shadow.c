// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks the invariants of shadow tables (shadow.h, S1 to S7) over all pages of a VM.
 * Called by audit.c, where mmu_audit is on; changes nothing.
 */
#include <linux/mm.h>

#include "arch-x86/mmu/shadow.h"
#include "arch-x86/mmu/tlb_model.h"

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

/*
 * Does the guest's table still say what the entry was made from? Not asked of one that is
 * being written at this moment, nor of one that is in use no more.
 */
static bool audit_agrees(struct x86_vm *vm, const char *where, const struct shadow_page *sp,
			 unsigned int i)
{
	struct kvm_vcpu *vcpu;
	int n;

	if (sp->unsync || sp->role.direct || sp->role.private ||
	    (hlist_empty(&sp->parents) && !sp->roots))
		return true;
	vcpu = kvm_get_vcpu(&vm->core, 0);
	if (!vcpu || shadow_agrees(x86_vcpu_of(vcpu), sp, i))
		return true;
	smp_rmb();	/* pairs with x86_mmu_guest_writes() */
	kvm_for_each_vcpu(n, vcpu, &vm->core)
		if (READ_ONCE(x86_vcpu_of(vcpu)->mmu.writing) == sp->gfn)
			return true;
	return breach(where, "not what the guest's table says", sp, i);
}

/* Entries [from, to) of a page. */
static bool audit_page(struct x86_vm *vm, const char *where, const struct shadow_page *sp,
		       unsigned int from, unsigned int to, bool agrees)
{
	unsigned int i;

	if (sp->dead)
		return breach(where, "a dead page in use (S3)", sp, 0);
	if (sp->unsync && (sp->role.level != 1 || sp->role.direct))
		return breach(where, "unsync above level 1 (S4)", sp, 0);
	if (!tlb_model_agrees(vm, where, sp->entries, from, to))
		return false;
	for (i = from; i < to; i++) {
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
		if (agrees && !audit_agrees(vm, where, sp, i))
			return false;
	}
	return true;
}

#define AUDIT_ENTRIES	64	/* looked at in each turn, ... */
#define AUDIT_BUCKETS	64	/* ... and as many buckets, mostly empty, to find them */

/* The next few entries, in the order of the hash. */
static bool audit_next(struct x86_vm *vm, const char *where)
{
	struct x86_vm_mmu *mmu = &vm->mmu;
	const struct shadow_page *sp;
	unsigned int tries, n;

	for (tries = 0; tries < AUDIT_BUCKETS; tries++) {
		n = 0;
		hlist_for_each_entry(sp, &mmu->shadow_hash[mmu->audit_bucket], hash) {
			unsigned int from = mmu->audit_entry - n;

			n += SPTE_ENTRIES;
			if (mmu->audit_entry >= n)
				continue;
			mmu->audit_entry += AUDIT_ENTRIES;
			return audit_page(vm, where, sp, from, from + AUDIT_ENTRIES, false);
		}
		mmu->audit_bucket = (mmu->audit_bucket + 1) % BIT(SHADOW_HASH_BITS);
		mmu->audit_entry = 0;
	}
	return true;
}

static bool audit_all(struct x86_vm *vm, const char *where, bool agrees)
{
	const struct shadow_page *sp;
	unsigned long n = 0;

	list_for_each_entry(sp, &vm->mmu.shadow_pages, node) {
		if (!audit_page(vm, where, sp, 0, SPTE_ENTRIES, agrees))
			return false;
		n++;
	}
	if (n == vm->mmu.nr_shadow)
		return true;
	kvm_err("mmu audit (%s): %lu shadow pages, not %lu\n", where, n, vm->mmu.nr_shadow);
	return false;
}

#define AUDIT_MANY	64	/* more pages than this are looked at every so many times */

bool shadow_audit(struct x86_vm *vm, const char *where, bool all, bool agrees)
{
	struct kvm_vcpu *vcpu;
	int i;

	if (all && vm->mmu.nr_shadow > AUDIT_MANY && ++vm->mmu.audits % AUDIT_MANY)
		all = false;
	if (!(all ? audit_all(vm, where, agrees) : audit_next(vm, where)))
		return false;
	kvm_for_each_vcpu(i, vcpu, &vm->core) {
		const struct x86_mmu *mmu = &x86_vcpu_of(vcpu)->mmu;

		if (mmu->private_root &&
		    !audit_page(vm, where, mmu->private_root, 0, all ? SPTE_ENTRIES : 4, false))
			return false;
		/* A root that died stays with who ran on it, empty, until it looks. */
		if (mmu->root_page && !mmu->root_page->roots)
			return breach(where, "a root that nobody holds (S3)", mmu->root_page, 0);
	}
	return true;
}
