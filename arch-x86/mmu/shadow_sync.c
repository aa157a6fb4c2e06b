// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to shadow pages when the guest writes its tables, or says that it
 * has (INVLPG, a flush of the TLB). Owns the choice what a write to a table does:
 *
 *  - a table that nothing uses any more is one no longer;
 *  - a page of leaves (level 1) becomes unsync: the guest writes as it likes, and we
 *    compare when it flushes its TLB, as it must before it may rely on the change;
 *  - at upper levels, which change rarely, the write is emulated, and the entry made
 *    from what was written is dropped; but many writes in a row and no use in between
 *    mean a page being cleared, for which the shadow page is given up.
 *
 * Knows nothing of how an entry is made (shadow_map.c).
 */
#include <linux/mm.h>

#include "arch-x86/cpu/cpuid.h"
#include "core/arch.h"
#include "arch-x86/mmu/shadow.h"
#include "arch-x86/regs.h"

#define FLOOD	3	/* writes in a row that don't look like the change of a table in use */

bool shadow_is_table(struct x86_vm *vm, int as_id, gfn_t gfn)
{
	struct shadow_page *sp;
	struct hlist_node *n;

	for_each_shadow(vm, sp, n, gfn, as_id)
		if (!sp->unsync)
			return true;
	return false;
}

static void set_unsync(struct x86_vm *vm, struct shadow_page *sp)
{
	sp->unsync = true;
	list_add(&sp->unsync_node, &vm->mmu.shadow_unsync);
	vm->core.stat.mmu_unsync++;
}

/* Does the walk to the frame lead through it? Then its shadow would be needed again at once. */
static bool on_the_way(const struct x86_walk *w, gfn_t gfn)
{
	int i;

	for (i = 0; i < w->nr_steps; i++)
		if (gpa_to_gfn(w->steps[i].gpa) == gfn)
			return true;
	return false;
}

bool shadow_allow_write(struct mmu_batch *b, const struct x86_walk *w, gfn_t gfn, bool must)
{
	int as_id = kvm_arch_vcpu_as_id(&w->vcpu->core);
	bool needed = on_the_way(w, gfn), allow = true;
	struct shadow_page *sp;
	struct hlist_node *n;

	for_each_shadow(b->vm, sp, n, gfn, as_id) {
		if (hlist_empty(&sp->parents) && !sp->roots) {
			shadow_zap_page(b, sp);
		} else if (sp->role.level > 1) {
			bool flood = sp->writes++ >= FLOOD;

			b->vm->core.stat.mmu_flooded += flood;
			if (!needed && (flood || must))
				shadow_zap_page(b, sp);
			else
				allow = false;
		}
	}
	if (!allow)
		return false;
	for_each_shadow(b->vm, sp, n, gfn, as_id)
		if (!sp->unsync)
			set_unsync(b->vm, sp);
	return true;
}

/* ---- emulated writes --------------------------------------------------------------- */

static void drop_entry(struct mmu_batch *b, struct shadow_page *sp, unsigned int index)
{
	if (sp->links[index])
		shadow_unlink(b, sp, index);
}

/* Entry @i of the guest's table has been written: what was made from it goes. */
static void drop_made_from(struct mmu_batch *b, struct shadow_page *sp, unsigned int i)
{
	if (sp->role.paging != 2) {
		drop_entry(b, sp, i);
		return;
	}
	/* Of 1,024: those of level 2 make two entries each, of 2 MiB. */
	if (sp->role.level == 2)
		i *= 2;
	if (i / SPTE_ENTRIES != sp->role.quadrant)
		return;
	i %= SPTE_ENTRIES;
	drop_entry(b, sp, i);
	if (sp->role.level == 2)
		drop_entry(b, sp, i + 1);
}

void x86_mmu_guest_wrote(struct x86_vcpu *vcpu, gpa_t gpa, unsigned int len)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	unsigned int offset = offset_in_page(gpa);
	struct shadow_page *sp;
	struct hlist_node *n;
	MMU_BATCH(b, vm);

	if (!x86_mmu_limits.shadow)
		return;
	write_lock(&vm->core.mmu_lock);
	for_each_shadow(vm, sp, n, gpa_to_gfn(gpa), kvm_arch_vcpu_as_id(&vcpu->core)) {
		unsigned int size = shadow_gpte_size(sp), i;

		vm->core.stat.mmu_pte_write++;
		for (i = offset / size; i <= (offset + len - 1) / size; i++)
			drop_made_from(&b, sp, i);
	}
	vcpu->mmu.writing = INVALID_GFN;
	mmu_batch_flush(&b);
	x86_mmu_audit(vm, "table written");
	write_unlock(&vm->core.mmu_lock);
}

/* ---- comparing ------------------------------------------------------------------------- */

/* How the guest's table of a page is to be read, whatever the vCPU's mode is now. */
static struct x86_walk_mode mode_of(struct x86_vcpu *vcpu, const struct shadow_page *sp)
{
	return (struct x86_walk_mode) {
		.level = sp->role.paging,
		.pae = sp->role.paging != 2,
		.pse = sp->role.pse,
		.nx = sp->role.nx,
		.amd = guest_cpuid_is_amd(vcpu),
		.maxphyaddr = vcpu->maxphyaddr,
	};
}

/* Does the guest's entry still name the page that this leaf maps? */
static bool leaf_maps(const struct shadow_page *sp, const struct x86_walk_mode *m,
		      unsigned int index, u64 gpte)
{
	gfn_t gfn;

	if (!(gpte & GPTE_PRESENT) || !(gpte & GPTE_ACCESSED) ||
	    (gpte & x86_gpte_reserved(m, 1, gpte)))
		return false;
	gfn = gpa_to_gfn(m->level == 2 ? gpte & 0xfffff000 : gpte & GENMASK_ULL(51, 12));
	return gfn == sp->links[index]->gfn;
}

/* Would this leaf, or a stronger one, be made again from the guest's entry? */
static bool leaf_holds(const struct shadow_page *sp, const struct x86_walk_mode *m,
		       unsigned int index, u64 gpte)
{
	u64 spte = READ_ONCE(sp->entries[index]);
	unsigned int access;

	if (!leaf_maps(sp, m, index, gpte))
		return false;
	access = sp->role.access & shadow_gpte_access(gpte, m->nx);
	if (!(gpte & GPTE_DIRTY))
		access &= ~SHADOW_WRITE;
	if (!(spte & x86_spte_fmt.user) != !(access & SHADOW_USER))
		return false;
	if (spte_writable(spte) && !(access & SHADOW_WRITE))
		return false;
	return !spte_executable(spte) || (access & SHADOW_EXEC);
}

/* As leaf_holds(), of an entry that names a shadow page. */
static bool child_holds(struct x86_vcpu *vcpu, const struct shadow_page *sp,
			const struct x86_walk_mode *m, unsigned int index, u64 gpte)
{
	const struct shadow_page *child = shadow_child(x86_vcpu_vm(vcpu), sp, index);
	gfn_t gfn = gpa_to_gfn(m->level == 2 ? gpte & 0xfffff000 : gpte & GENMASK_ULL(51, 12));

	if (!child || !(gpte & GPTE_PRESENT) || !(gpte & GPTE_ACCESSED) ||
	    (gpte & x86_gpte_reserved(m, sp->role.level, gpte)) ||
	    (child->role.access & ~shadow_gpte_access(gpte, m->nx)))
		return false;
	if (!x86_gpte_is_leaf(m, sp->role.level, gpte))
		return !child->role.direct && child->gfn == gfn;
	/* Of pages of 4 MiB, and above, half will do here. */
	return child->role.direct && (m->level == 2 || child->gfn >> 9 == gfn >> 9);
}

bool shadow_agrees(struct x86_vcpu *vcpu, const struct shadow_page *sp, unsigned int index)
{
	struct x86_walk_mode m = mode_of(vcpu, sp);
	unsigned int size = shadow_gpte_size(sp), at;
	u64 gpte = 0;

	m.gbpages = true;	/* it could be mapped, so they are there */
	at = sp->role.quadrant * SPTE_ENTRIES + index;
	/* Of two levels, an entry of level 2 makes two. */
	if (m.level == 2 && sp->role.level == 2)
		at /= 2;
	if (kvm_vcpu_read_guest_atomic(&vcpu->core, gfn_to_gpa(sp->gfn) + at * size, &gpte, size))
		return true;
	if (sp->role.level > 1)
		return child_holds(vcpu, sp, &m, index, gpte);
	/* With WP=0 a leaf may have other rights than the guest's (shadow_map.c). */
	return sp->role.wp ? leaf_holds(sp, &m, index, gpte) : leaf_maps(sp, &m, index, gpte);
}

/* @gptes: the part of the guest's table that the page is made from; NULL: can't be read. */
static void compare(struct x86_vcpu *vcpu, struct mmu_batch *b, struct shadow_page *sp,
		    const void *gptes)
{
	struct x86_walk_mode m = mode_of(vcpu, sp);
	unsigned int size = shadow_gpte_size(sp), i;

	for (i = 0; i < SPTE_ENTRIES; i++) {
		u64 gpte = 0;

		if (!sp->links[i])
			continue;
		if (gptes)
			memcpy(&gpte, gptes + i * size, size);
		if (!leaf_holds(sp, &m, i, gpte))
			shadow_unlink(b, sp, i);
	}
}

static gpa_t gptes_of(const struct shadow_page *sp)
{
	return gfn_to_gpa(sp->gfn) + sp->role.quadrant * SPTE_ENTRIES * shadow_gpte_size(sp);
}

static void sync_page(struct x86_vcpu *vcpu, struct mmu_batch *b, struct shadow_page *sp)
{
	void *gptes = b->vm->mmu.shadow_scratch;

	list_del_init(&sp->unsync_node);
	sp->unsync = false;
	b->vm->core.stat.mmu_unsync--;
	if (kvm_vcpu_read_guest_atomic(&vcpu->core, gptes_of(sp), gptes,
				       SPTE_ENTRIES * shadow_gpte_size(sp)))
		gptes = NULL;
	compare(vcpu, b, sp, gptes);
}

void shadow_sync_gfn(struct x86_vcpu *vcpu, struct mmu_batch *b, gfn_t gfn)
{
	int as_id = kvm_arch_vcpu_as_id(&vcpu->core);
	struct kvm_memory_slot *slot;
	struct shadow_page *sp;
	struct hlist_node *n;
	bool any = false;

	for_each_shadow(b->vm, sp, n, gfn, as_id)
		any |= sp->unsync;
	if (!any)
		return;
	/* No more writes, then the comparison. */
	slot = kvm_find_slot(kvm_memslots_as(vcpu->core.kvm, as_id), gfn);
	if (kvm_slot_usable(slot))
		rmap_write_protect(b, slot, gfn);
	mmu_batch_flush(b);
	for_each_shadow(b->vm, sp, n, gfn, as_id)
		if (sp->unsync)
			sync_page(vcpu, b, sp);
}

void shadow_sync_all(struct x86_vcpu *vcpu)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct kvm_memory_slot *slot;
	struct shadow_page *sp, *next;
	MMU_BATCH(b, vm);

	/* Who made one unsync for a write that we must see, did so before the guest wrote. */
	if (list_empty(&vm->mmu.shadow_unsync))
		return;
	write_lock(&vm->core.mmu_lock);
	/* One flush for all: no more writes to any, then the comparisons. */
	list_for_each_entry(sp, &vm->mmu.shadow_unsync, unsync_node) {
		slot = kvm_find_slot(kvm_memslots_as(&vm->core, sp->role.as_id), sp->gfn);
		if (kvm_slot_usable(slot))
			rmap_write_protect(&b, slot, sp->gfn);
	}
	mmu_batch_flush(&b);
	list_for_each_entry_safe(sp, next, &vm->mmu.shadow_unsync, unsync_node) {
		if (sp->role.as_id == kvm_arch_vcpu_as_id(&vcpu->core))
			sync_page(vcpu, &b, sp);
		else
			shadow_zap_page(&b, sp);
	}
	mmu_batch_flush(&b);
	x86_mmu_audit(vm, "sync");
	write_unlock(&vm->core.mmu_lock);
}

void shadow_invlpg(struct x86_vcpu *vcpu, u64 gva)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct shadow_page *sp;
	unsigned int i = 0;
	MMU_BATCH(b, vm);
	u64 gpte = 0;

	if (list_empty(&vm->mmu.shadow_unsync))
		return;
	write_lock(&vm->core.mmu_lock);
	for (sp = vcpu->mmu.root_page; sp; sp = shadow_child(vm, sp, i)) {
		i = (gva >> spte_level_shift(sp->role.level)) & (shadow_entries(sp) - 1);
		if (sp->role.level == 1 || !sp->links[i])
			break;
	}
	/* Above level 1, and where the table is write-protected, we know of all changes. */
	if (sp && sp->role.level == 1 && sp->unsync && sp->links[i]) {
		struct x86_walk_mode m = mode_of(vcpu, sp);
		unsigned int size = shadow_gpte_size(sp);

		if (kvm_vcpu_read_guest_atomic(&vcpu->core, gptes_of(sp) + i * size, &gpte, size) ||
		    !leaf_holds(sp, &m, i, gpte))
			shadow_unlink(&b, sp, i);
	}
	mmu_batch_flush(&b);
	x86_mmu_audit(vm, "invlpg");
	write_unlock(&vm->core.mmu_lock);
}
