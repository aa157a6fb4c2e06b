// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model of a TLB that forgets nothing (tlb_model.h). Owns, for each page of entries,
 * what TLBs may hold of it, and a clock that ticks when an entry becomes weaker: a vCPU
 * that has flushed since, or must before it enters, holds nothing of that.
 *
 * Knows no guest, and no more of the tables than where an entry is.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "arch-x86/mmu/shadow.h"
#include "arch-x86/mmu/tdp.h"
#include "arch-x86/mmu/tlb_model.h"
#include "core/request.h"

/**
 * struct model_page - what TLBs may hold of a page of entries (all fields l)
 * @had: the strongest that each entry was
 * @weak: when it became weaker than that; 0: it has not
 * @owner: only this vCPU runs on it; NULL: all may
 */
struct model_page {
	u64 had[SPTE_ENTRIES];
	u64 weak[SPTE_ENTRIES];
	struct x86_vcpu *owner;
};

/* An entry that became weaker, for the report. */
struct weakening {
	u64 clock;
	const u64 *sptep;
	u64 old, new;
};

/**
 * struct tlb_model - a VM's
 * @lock: guards the fields with an l; taken under mmu_lock
 * @clock: ticks when an entry becomes weaker (l)
 * @last: the last one that became so, of those that all vCPUs may hold (l)
 * @pages: by the frame number of the page of entries (l)
 */
struct tlb_model {
	spinlock_t lock;
	u64 clock;
	struct weakening last;
	struct xarray pages;
};

/**
 * struct tlb_model_vcpu - a vCPU's
 * @root: loaded, and flushed since; INVALID_HPA: none
 * @flushed: it holds nothing that was weaker at this time already
 * @flushing: requests are being taken
 * @last: as above, of tables of its own (l)
 * @dead_root: root that was dead at the last entry: the one that a later entry must not have
 */
struct tlb_model_vcpu {
	hpa_t root;
	u64 flushed;
	bool flushing;
	struct weakening last;
	hpa_t dead_root;
};

/* ---- life -------------------------------------------------------------------- */

int __tlb_model_vm_init(struct x86_vm *vm)
{
	struct tlb_model *m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);

	if (!m)
		return -ENOMEM;
	spin_lock_init(&m->lock);
	xa_init(&m->pages);
	vm->mmu.tlb_model = m;
	return 0;
}

void __tlb_model_vm_destroy(struct x86_vm *vm)
{
	struct tlb_model *m = vm->mmu.tlb_model;
	struct model_page *page;
	unsigned long i;

	if (!m)
		return;
	/* A VM that died may have leaked tables. */
	xa_for_each(&m->pages, i, page)
		kfree(page);
	xa_destroy(&m->pages);
	kfree(m);
	vm->mmu.tlb_model = NULL;
}

int __tlb_model_vcpu_create(struct x86_vcpu *vcpu)
{
	struct tlb_model_vcpu *t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);

	if (!t)
		return -ENOMEM;
	t->root = t->dead_root = INVALID_HPA;
	vcpu->mmu.tlb_model = t;
	return 0;
}

void __tlb_model_vcpu_destroy(struct x86_vcpu *vcpu)
{
	kfree(vcpu->mmu.tlb_model);
	vcpu->mmu.tlb_model = NULL;
}

static unsigned long page_key(const u64 *entries)
{
	return page_to_pfn(virt_to_page(entries));
}

int __tlb_model_page_new(struct x86_vm *vm, const u64 *entries)
{
	struct model_page *page = kzalloc(sizeof(*page), GFP_KERNEL_ACCOUNT);
	int err = -ENOMEM;

	if (page)
		err = xa_err(xa_store(&vm->mmu.tlb_model->pages, page_key(entries), page,
				      GFP_KERNEL_ACCOUNT));
	if (err)
		kfree(page);
	return err;
}

void __tlb_model_page_private(struct x86_vcpu *vcpu, const u64 *entries)
{
	struct model_page *page = xa_load(&x86_vcpu_vm(vcpu)->mmu.tlb_model->pages,
					  page_key(entries));

	page->owner = vcpu;
}

/* ---- reports ------------------------------------------------------------------- */

static void breach(struct x86_vm *vm, const char *where, const char *what, const u64 *sptep,
		   u64 old, u64 new)
{
	unsigned int index = offset_in_page(sptep) / sizeof(u64);
	const void *owner = NULL;

	if (vm->core.dead)
		return;
	if (xa_load(&vm->mmu.tlb_model->pages, page_key(sptep)))
		owner = (void *)page_private(virt_to_page(sptep));
	if (!owner) {
		kvm_err("tlb model (%s): %s: a freed table, entry %u: %llx -> %llx\n",
			where, what, index, old, new);
	} else if (x86_mmu_limits.shadow) {
		const struct shadow_page *sp = owner;

		kvm_err("tlb model (%s): %s: gfn %llx, role %x, entry %u: %llx -> %llx\n",
			where, what, sp->gfn, sp->role.word, index, old, new);
	} else {
		const struct x86_table *table = owner;

		kvm_err("tlb model (%s): %s: gfn %llx, level %d, entry %u: %llx -> %llx\n",
			where, what, tdp_entry_gfn(table, index), table->level, index, old, new);
	}
	KVM_BUG_ON(1, &vm->core);
}

static void breach_weak(struct x86_vm *vm, const char *where, const char *what,
			const struct weakening *w)
{
	breach(vm, where, what, w->sptep, w->old, w->new);
}

void __tlb_model_page_gone(struct x86_vm *vm, const u64 *entries)
{
	struct tlb_model *m = vm->mmu.tlb_model;
	struct model_page *page;
	struct kvm_vcpu *vcpu;
	hpa_t root;
	int i;

	spin_lock(&m->lock);
	kvm_for_each_vcpu(i, vcpu, &vm->core) {
		root = READ_ONCE(x86_vcpu_of(vcpu)->mmu.tlb_model->root);
		if (root != INVALID_HPA && spte_pfn(root) == page_key(entries))
			breach(vm, "free", "a root that a vCPU runs on (T3)", entries, root, 0);
	}
	page = xa_erase(&m->pages, page_key(entries));
	spin_unlock(&m->lock);
	kfree(page);
}

/* ---- entries ---------------------------------------------------------------------- */

/* Does a TLB that holds @had allow what tables that say @now do not? */
static bool stale(u64 had, u64 now)
{
	if (!spte_present(had))
		return false;
	if (!spte_present(now) || ((had ^ now) & (SPTE_ADDR_MASK | SPTE_LARGE)))
		return true;
	return (spte_writable(had) && !spte_writable(now)) ||
	       (spte_executable(had) && !spte_executable(now)) ||
	       (had & ~now & x86_spte_fmt.user);
}

static bool other_page(u64 had, u64 now)
{
	return (had ^ now) & (SPTE_ADDR_MASK | SPTE_LARGE);
}

static struct model_page *find_page(struct x86_vm *vm, const u64 *sptep, const char *where)
{
	struct model_page *page = xa_load(&vm->mmu.tlb_model->pages, page_key(sptep));

	if (!page)
		breach(vm, where, "not one of the VM's tables (T4)", sptep, 0, READ_ONCE(*sptep));
	return page;
}

/* Has the vCPU flushed since, or will it before it enters? */
static bool covered(struct x86_vcpu *vcpu, u64 clock)
{
	const struct tlb_model_vcpu *t = vcpu->mmu.tlb_model;

	if (READ_ONCE(t->root) == INVALID_HPA ||
	    kvm_test_request(KVM_REQ_TLB_FLUSH, &vcpu->core) ||
	    kvm_test_request(X86_REQ_TLB_FLUSH_CURRENT, &vcpu->core))
		return true;
	smp_rmb();	/* in the order in which tlb_model_flush_*() write */
	if (READ_ONCE(t->flushing))
		return true;
	smp_rmb();
	return READ_ONCE(t->flushed) >= clock;
}

/* All vCPUs that may hold something of the page. */
static bool all_covered(struct x86_vm *vm, const struct model_page *page, u64 clock)
{
	struct kvm_vcpu *vcpu;
	int i;

	if (page->owner)
		return covered(page->owner, clock);
	kvm_for_each_vcpu(i, vcpu, &vm->core)
		if (!covered(x86_vcpu_of(vcpu), clock))
			return false;
	return true;
}

void __tlb_model_made(struct x86_vm *vm, const u64 *sptep)
{
	struct tlb_model *m = vm->mmu.tlb_model;
	unsigned int i = offset_in_page(sptep) / sizeof(u64);
	struct model_page *page;
	u64 now;

	spin_lock(&m->lock);
	page = find_page(vm, sptep, "made");
	/* Read here: others may have changed it since, and told the model or be about to. */
	now = READ_ONCE(*sptep);
	if (!page || !spte_present(now))
		goto out;
	if (page->weak[i] && all_covered(vm, page, page->weak[i])) {
		page->had[i] = 0;
		page->weak[i] = 0;
	}
	if (page->had[i] && other_page(page->had[i], now)) {
		breach(vm, "made", "an entry over another that TLBs may hold (T1)", sptep,
		       page->had[i], now);
		goto out;
	}
	if (!stale(page->had[i], now)) {
		page->had[i] = now;
		page->weak[i] = 0;
	}
out:
	spin_unlock(&m->lock);
}

void __tlb_model_weakened(struct x86_vm *vm, const u64 *sptep, u64 old, u64 new)
{
	struct tlb_model *m = vm->mmu.tlb_model;
	unsigned int i = offset_in_page(sptep) / sizeof(u64);
	struct weakening w = { .sptep = sptep, .old = old, .new = new };
	struct model_page *page;

	spin_lock(&m->lock);
	w.clock = ++m->clock;
	page = find_page(vm, sptep, "weakened");
	if (!page)
		goto out;
	if (!page->had[i] || other_page(page->had[i], old)) {
		breach(vm, "weakened", "an entry that nobody told of (T4)", sptep,
		       page->had[i], old);
		goto out;
	}
	/* A fast fault may have given W and not said so yet. */
	if (!stale(page->had[i], old))
		page->had[i] = old;
	if (stale(page->had[i], new))
		page->weak[i] = w.clock;
	if (page->owner)
		page->owner->mmu.tlb_model->last = w;
	else
		m->last = w;
out:
	spin_unlock(&m->lock);
}

/* ---- flushes and entries ----------------------------------------------------------- */

void __tlb_model_flush_begin(struct x86_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->mmu.tlb_model->flushing, true);
	smp_mb();	/* before the request is taken */
}

void __tlb_model_flush_end(struct x86_vcpu *vcpu, bool all)
{
	struct tlb_model *m = x86_vcpu_vm(vcpu)->mmu.tlb_model;
	struct tlb_model_vcpu *t = vcpu->mmu.tlb_model;

	if (all) {
		/* What became weaker since the request was taken is one more request. */
		spin_lock(&m->lock);
		WRITE_ONCE(t->flushed, m->clock);
		WRITE_ONCE(t->root, vcpu->mmu.root);
		spin_unlock(&m->lock);
	}
	smp_wmb();
	WRITE_ONCE(t->flushing, false);
}

void __tlb_model_unload(struct x86_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->mmu.tlb_model->root, INVALID_HPA);
	vcpu->mmu.tlb_model->dead_root = INVALID_HPA;
}

static void check_enter(struct x86_vcpu *vcpu)
{
	struct tlb_model_vcpu *t = vcpu->mmu.tlb_model;
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct tlb_model *m = vm->mmu.tlb_model;
	const u64 *root = phys_to_virt(gfn_to_gpa(spte_pfn(vcpu->mmu.root)));

	if (!find_page(vm, root, "enter"))
		return;
	if (t->root != vcpu->mmu.root)
		breach(vm, "enter", "a root that was loaded without a flush (T3)", root,
		       t->root, vcpu->mmu.root);
	/* One that dies between the look at it and here is left before the next entry. */
	if (vcpu->mmu.root_page && vcpu->mmu.root_page->dead) {
		if (t->dead_root == vcpu->mmu.root)
			breach(vm, "enter", "a root that is dead (T3)", root, 0, 0);
		t->dead_root = vcpu->mmu.root;
	} else {
		t->dead_root = INVALID_HPA;
	}
	if (!covered(vcpu, m->last.clock))
		breach_weak(vm, "enter", "held by this vCPU (T2)", &m->last);
	if (!covered(vcpu, t->last.clock))
		breach_weak(vm, "enter", "held by this vCPU alone (T2)", &t->last);
}

void __tlb_model_enter(struct x86_vcpu *vcpu)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);

	/* Whoever holds it for write may have flushes before him. */
	read_lock(&vm->core.mmu_lock);
	spin_lock(&vm->mmu.tlb_model->lock);
	if (!vm->core.dead)
		check_enter(vcpu);
	spin_unlock(&vm->mmu.tlb_model->lock);
	read_unlock(&vm->core.mmu_lock);
}

void __tlb_model_settled(struct x86_vm *vm, const char *where)
{
	struct tlb_model *m = vm->mmu.tlb_model;
	struct kvm_vcpu *core;
	int i;

	lockdep_assert_held_write(&vm->core.mmu_lock);
	spin_lock(&m->lock);
	kvm_for_each_vcpu(i, core, &vm->core) {
		struct x86_vcpu *vcpu = x86_vcpu_of(core);

		if (!covered(vcpu, m->last.clock))
			breach_weak(vm, where, "not flushed (T2)", &m->last);
		if (!covered(vcpu, vcpu->mmu.tlb_model->last.clock))
			breach_weak(vm, where, "not flushed by its vCPU (T2)",
				    &vcpu->mmu.tlb_model->last);
	}
	spin_unlock(&m->lock);
}

/* ---- for audits --------------------------------------------------------------------- */

bool __tlb_model_agrees(struct x86_vm *vm, const char *where, const u64 *entries,
			unsigned int from, unsigned int to)
{
	struct tlb_model *m = vm->mmu.tlb_model;
	struct model_page *page;
	const char *what = NULL;
	unsigned int i;
	u64 had, now;

	spin_lock(&m->lock);
	page = find_page(vm, entries, where);
	for (i = from; page && i < to; i++) {
		had = page->had[i];
		now = READ_ONCE(entries[i]);
		/* A fast fault gives W first and tells then. */
		if (stale(now & ~x86_spte_fmt.write, had))
			what = "an entry that nobody told of (T4)";
		else if (!page->weak[i] && stale(had, now))
			what = "weaker, and nobody told of it (T4)";
		else
			continue;
		breach(vm, where, what, &entries[i], had, now);
		break;
	}
	spin_unlock(&m->lock);
	return page && !what;
}
