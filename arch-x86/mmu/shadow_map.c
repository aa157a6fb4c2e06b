// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the guest's tables to ours: which root the vCPU runs on, and, at a fault, the
 * way down from there to a leaf, each entry made from one of the guest's that has
 * been read again under mmu_lock. Owns what a leaf's bits are: the guest's rights,
 * less what must be seen (the first write of a clean page, of a logged one, of a
 * table), and WP=0, which the hardware never has (SDM 3A 4.6.1).
 *
 * Knows nothing of how pages are kept and linked (shadow.c).
 */
#include <linux/io.h>
#include <linux/mm.h>

#include "core/arch.h"
#include "arch-x86/events.h"
#include "arch-x86/mmu/shadow.h"
#include "arch-x86/mmu/tlb_model.h"
#include "arch-x86/regs.h"

static union shadow_role role_of_mode(const struct x86_walk_mode *m, int as_id)
{
	union shadow_role role = { .word = 0 };

	role.access = SHADOW_ALL;
	role.as_id = as_id;
	role.paging = m->level;
	if (!m->level)
		return role;
	role.pse = m->pse;
	role.nx = m->nx;
	role.wp = m->wp;
	role.smep = m->smep;
	role.smap = m->smap;
	return role;
}

/* What entry @index of a private root must name. False: nothing (an absent PDPTE). */
static bool private_child(const struct x86_walk *w, const struct shadow_page *root,
			  unsigned int index, gfn_t *gfn, union shadow_role *role)
{
	*role = root->role;
	role->private = 0;
	role->level = 2;
	switch (root->role.paging) {
	case 0:
		role->direct = 1;
		*gfn = index * spte_level_pages(3);
		return true;
	case 2:
		role->quadrant = index;
		*gfn = gpa_to_gfn(w->cr3 & 0xfffff000);
		return true;
	default:
		*gfn = gpa_to_gfn(w->pdptrs[index] & GENMASK_ULL(51, 12));
		return w->pdptrs[index] & GPTE_PRESENT;
	}
}

/* ---- roots -------------------------------------------------------------------- */

/* Make the vCPU's own root this mode's; entries that still hold stay. */
static struct shadow_page *use_private_root(struct x86_vcpu *vcpu, struct mmu_batch *b,
					    const struct x86_walk *w, union shadow_role mode)
{
	struct shadow_page *root = vcpu->mmu.private_root, *child;
	union shadow_role role;
	unsigned int i;
	gfn_t gfn;

	mode.private = 1;
	mode.level = 3;
	for (i = 0; i < shadow_entries(root); i++) {
		if (!root->links[i])
			continue;
		child = shadow_child(b->vm, root, i);
		if (child && root->role.word == mode.word &&
		    private_child(w, root, i, &gfn, &role) &&
		    child->gfn == gfn && child->role.word == role.word)
			continue;
		shadow_unlink(b, root, i);
	}
	/* No other vCPU has been here, and this one flushes when it loads the root. */
	b->flush = false;
	root->role = mode;
	return root;
}

static struct shadow_page *find_root(struct x86_vcpu *vcpu, struct mmu_batch *b,
				     const struct x86_walk *w)
{
	union shadow_role role = role_of_mode(&w->mode, kvm_arch_vcpu_as_id(&vcpu->core));

	if (w->mode.level < 4)
		return use_private_root(vcpu, b, w, role);
	shadow_reclaim(b);
	role.level = w->mode.level;
	return shadow_get(vcpu, b, gpa_to_gfn(w->cr3 & GENMASK_ULL(51, 12)), role);
}

int shadow_load_root(struct x86_vcpu *vcpu)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct x86_mmu *mmu = &vcpu->mmu;
	struct shadow_page *root;
	struct x86_fault_info fault;
	struct x86_walk w;
	MMU_BATCH(b, vm);
	int r;

	r = shadow_topup(vcpu);
	if (r)
		return r;
	x86_walk_init(&w, vcpu, &fault);

	write_lock(&vm->core.mmu_lock);
	root = find_root(vcpu, &b, &w);
	if (root) {
		root->roots++;
		mmu->root_page = root;
		mmu->root_level = root->role.level;
		mmu->root = virt_to_phys(root->entries) | x86_spte_fmt.enc;
	}
	mmu_batch_flush(&b);
	x86_mmu_audit(vm, "root");
	write_unlock(&vm->core.mmu_lock);
	return root ? 0 : -EIO;
}

/* ---- the way down ----------------------------------------------------------------- */

static unsigned int index_of(const struct shadow_page *sp, u64 gva)
{
	return (gva >> spte_level_shift(sp->role.level)) & (shadow_entries(sp) - 1);
}

/* The guest's entry that those of a page at this level are made from. */
static const struct x86_walk_step *step_at(const struct x86_walk *w, int level)
{
	int i;

	for (i = 0; i < w->nr_steps; i++)
		if (w->steps[i].level == level)
			return &w->steps[i];
	return NULL;
}

/*
 * Is the guest's entry still what the walk has seen? The table is write-protected and
 * no TLB thinks otherwise: what is written from now on, its writer makes known.
 */
static bool step_holds(const struct x86_walk *w, const struct x86_walk_step *step)
{
	u64 now = 0;

	return !kvm_vcpu_read_guest_atomic(&w->vcpu->core, step->gpa, &now,
					   x86_gpte_size(&w->mode)) && now == step->entry;
}

/* Rights below an entry of the guest's. W comes with the guest's D, the first write. */
static unsigned int step_access(const struct x86_walk *w, const struct x86_walk_step *step,
				unsigned int access, bool write)
{
	access &= shadow_gpte_access(step->entry, w->mode.nx);
	if (x86_gpte_is_leaf(&w->mode, step->level, step->entry) && !write &&
	    !(step->entry & GPTE_DIRTY))
		access &= ~SHADOW_WRITE;
	return access;
}

/* What the entry for the fault's address in @sp must name. MMU_MAPPED: the answer is there. */
static enum mmu_result wanted_child(const struct shadow_page *sp, const struct mmu_fault *f,
				    gfn_t *gfn, union shadow_role *role)
{
	const struct x86_walk *w = f->walk;
	gfn_t pages = spte_level_pages(sp->role.level);
	const struct x86_walk_step *step;

	if (sp->role.private)
		return private_child(w, sp, index_of(sp, f->gva), gfn, role) ?
		       MMU_MAPPED : MMU_RETRY;

	*role = sp->role;
	role->level--;
	role->quadrant = 0;
	if (sp->role.direct) {
		*gfn = sp->gfn + index_of(sp, f->gva) * pages;
		return MMU_MAPPED;
	}
	step = step_at(w, sp->role.level);
	if (!step || !step_holds(w, step))
		return MMU_RETRY;
	role->access = step_access(w, step, sp->role.access, f->write);
	if (x86_gpte_is_leaf(&w->mode, step->level, step->entry)) {
		/* Of a page of 4 MiB this is one half. */
		role->direct = 1;
		*gfn = f->gfn & ~(pages - 1);
	} else if (w->mode.level == 2) {
		role->quadrant = index_of(sp, f->gva) & 1;
		*gfn = gpa_to_gfn(step->entry & 0xfffff000);
	} else {
		*gfn = gpa_to_gfn(step->entry & GENMASK_ULL(51, 12));
	}
	return MMU_MAPPED;
}

/* One level down, over an entry that is right already or is made so. */
static enum mmu_result go_down(struct x86_vcpu *vcpu, struct mmu_batch *b,
			       const struct mmu_fault *f, struct shadow_page **sp)
{
	unsigned int index = index_of(*sp, f->gva);
	struct shadow_page *child;
	union shadow_role role;
	enum mmu_result r;
	gfn_t gfn;

	r = wanted_child(*sp, f, &gfn, &role);
	if (r != MMU_MAPPED)
		return r;
	if ((*sp)->links[index]) {
		child = shadow_child(b->vm, *sp, index);
		if (!child)
			return MMU_BROKEN;
		if (child->gfn == gfn && child->role.word == role.word) {
			*sp = child;
			return MMU_MAPPED;
		}
		/* The guest has changed it, or asks for more than the clean half of it. */
		shadow_unlink(b, *sp, index);
	}
	child = shadow_get(vcpu, b, gfn, role);
	/* Before the entry names another page, and before the table is read. */
	mmu_batch_flush(b);
	if (!child || !shadow_link(vcpu, *sp, index, child))
		return MMU_BROKEN;
	*sp = child;
	return MMU_MAPPED;
}

/* ---- the leaf ------------------------------------------------------------------------ */

/*
 * The entry that the fault wants. MMU_EMULATE: no entry could let this write through
 * and nothing else.
 */
static enum mmu_result make_leaf(struct mmu_batch *b, const struct mmu_fault *f,
				 union shadow_role role, bool must, u64 *spte)
{
	bool user = role.access & SHADOW_USER, write = role.access & SHADOW_WRITE;
	bool exec = role.access & SHADOW_EXEC;
	bool logged = kvm_slot_dirty_tracked(f->slot);

	if (f->write && !write) {
		/*
		 * WP=0: the supervisor writes where the page says read-only. The hardware
		 * has WP=1, so W must be there, and CPL 3 must be kept out until it asks;
		 * that makes it a supervisor's page, where SMEP and SMAP don't apply.
		 */
		if (KVM_BUG_ON(role.wp, &b->vm->core))
			return MMU_BROKEN;
		if (user && role.smap)
			return MMU_EMULATE;
		exec = exec && !(user && role.smep);
		user = false;
		write = true;
	}
	write = write && f->host_writable && (f->write || !logged);
	if (write && shadow_is_table(b->vm, role.as_id, f->gfn)) {
		if (!f->write)
			write = false;
		else if (!shadow_allow_write(b, f->walk, f->gfn, must))
			return MMU_EMULATE;
	}
	*spte = spte_make_shadow(f->pfn, write, user, exec, f->host_writable);
	return MMU_MAPPED;
}

/* Does an entry allow all that another does, and forbid all that it does? A and D aside. */
static bool same_rights(u64 a, u64 b)
{
	return !((a ^ b) & ~(x86_spte_fmt.accessed | x86_spte_fmt.dirty));
}

/* An entry may be replaced in place by one that has W in addition, and no other difference. */
static bool only_adds_write(u64 old, u64 new)
{
	return same_rights(old | x86_spte_fmt.write, new);
}

static enum mmu_result map_leaf(struct x86_vcpu *vcpu, struct mmu_batch *b, struct mmu_fault *f,
				struct shadow_page *sp)
{
	unsigned int index = index_of(sp, f->gva);
	union shadow_role role = sp->role;
	const struct x86_walk_step *step;
	enum mmu_result r;
	u64 old, new;

	if (!sp->role.direct) {
		step = step_at(f->walk, 1);
		if (!step || !step_holds(f->walk, step))
			return MMU_RETRY;
		role.access = step_access(f->walk, step, sp->role.access, f->write);
	}
	/* What the CPU was delivering can't be emulated. */
	r = make_leaf(b, f, role, x86_event_reinjection(vcpu), &new);
	if (r != MMU_MAPPED)
		return r;
	/* The frame was a table, and its shadow was on our way. */
	if (sp->dead)
		return MMU_RETRY;

	old = READ_ONCE(sp->entries[index]);
	if (spte_present(old)) {
		if (sp->links[index]->gfn == f->gfn &&
		    same_rights(old, new | (old & x86_spte_fmt.write)))
			return MMU_SPURIOUS;
		if (sp->links[index]->gfn == f->gfn && only_adds_write(old, new)) {
			/* The CPU may set A meanwhile. */
			while (!try_cmpxchg64(&sp->entries[index], &old, old | new))
				;
			tlb_model_made(b->vm, &sp->entries[index]);
			sp->writes = 0;
			return MMU_MAPPED;
		}
		shadow_unlink(b, sp, index);
		mmu_batch_flush(b);
	}
	return shadow_link_leaf(vcpu, sp, index, f->slot, f->gfn, new) ? MMU_MAPPED : MMU_BROKEN;
}

enum mmu_result shadow_map(struct x86_vcpu *vcpu, struct mmu_fault *f)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct shadow_page *sp = vcpu->mmu.root_page;
	enum mmu_result r = MMU_MAPPED;
	MMU_BATCH(b, vm);

	lockdep_assert_held_write(&vm->core.mmu_lock);
	/* Thrown away by another vCPU, perhaps: x86_mmu_load() finds a new one. */
	if (!sp || sp->dead)
		return MMU_RETRY;
	if (KVM_BUG_ON(sp->role.paging != f->walk->mode.level, &vm->core))
		return MMU_BROKEN;
	shadow_reclaim(&b);
	while (r == MMU_MAPPED && sp->role.level > 1)
		r = go_down(vcpu, &b, f, &sp);
	if (r == MMU_MAPPED)
		r = map_leaf(vcpu, &b, f, sp);
	mmu_batch_flush(&b);
	x86_mmu_audit(vm, "fault");
	return r;
}
