// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadow pages and their entries: made, found, linked, unlinked, thrown away. Owns
 * the one function that makes an entry name a page, and the one that empties an
 * entry. Knows nothing of what a guest's entry says (shadow_map.c, shadow_sync.c).
 *
 * The invariants are in shadow.h.
 */
#include <linux/hash.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "arch-x86/mmu/shadow.h"
#include "arch-x86/mmu/tlb_model.h"

#define MIN_PAGES	512	/* bound of a VM whose user space sets none: at least this, ... */
#define PAGES_SHARE	32	/* ... and one for so many pages of the guest */
#define RECLAIM_AT_ONCE	16

struct hlist_head *shadow_bucket(struct x86_vm *vm, gfn_t gfn)
{
	return &vm->mmu.shadow_hash[hash_64(gfn, SHADOW_HASH_BITS)];
}

/* ---- memory ---------------------------------------------------------------- */

static void page_free(struct x86_vm *vm, struct shadow_page *sp)
{
	tlb_model_page_gone(vm, sp->entries);
	set_page_private(virt_to_page(sp->entries), 0);
	free_page((unsigned long)sp->entries);
	kfree(sp->links);
	kfree(sp);
	atomic64_dec(&vm->mmu.nr_pages);
}

/* @zone: where the hardware can reach the page from. */
static struct shadow_page *page_alloc(struct x86_vm *vm, gfp_t zone)
{
	struct shadow_page *sp = kzalloc(sizeof(*sp), GFP_KERNEL_ACCOUNT);

	if (!sp)
		return NULL;
	sp->links = kcalloc(SPTE_ENTRIES, sizeof(*sp->links), GFP_KERNEL_ACCOUNT);
	sp->entries = (u64 *)__get_free_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO | zone);
	if (!sp->links || !sp->entries || tlb_model_page_new(vm, sp->entries)) {
		free_page((unsigned long)sp->entries);
		kfree(sp->links);
		kfree(sp);
		return NULL;
	}
	/* From an entry to its struct: by the page that it is in. */
	set_page_private(virt_to_page(sp->entries), (unsigned long)sp);
	INIT_LIST_HEAD(&sp->node);
	INIT_LIST_HEAD(&sp->unsync_node);
	atomic64_inc(&vm->mmu.nr_pages);
	return sp;
}

int shadow_topup(struct x86_vcpu *vcpu)
{
	struct x86_mmu *mmu = &vcpu->mmu;

	while (mmu->page_cache_count < SHADOW_CACHE_PAGES) {
		struct shadow_page *sp = page_alloc(x86_vcpu_vm(vcpu), 0);

		if (!sp)
			return -ENOMEM;
		list_add(&sp->node, &mmu->page_cache);
		mmu->page_cache_count++;
	}
	while (mmu->link_cache_count < SHADOW_CACHE_LINKS) {
		struct spte_link *link = kzalloc(sizeof(*link), GFP_KERNEL_ACCOUNT);

		if (!link)
			return -ENOMEM;
		hlist_add_head(&link->node, &mmu->link_cache);
		mmu->link_cache_count++;
	}
	return 0;
}

static void drop_caches(struct x86_vcpu *vcpu)
{
	struct x86_mmu *mmu = &vcpu->mmu;
	struct shadow_page *sp, *next;
	struct spte_link *link;
	struct hlist_node *n;

	list_for_each_entry_safe(sp, next, &mmu->page_cache, node)
		page_free(x86_vcpu_vm(vcpu), sp);
	INIT_LIST_HEAD(&mmu->page_cache);
	mmu->page_cache_count = 0;
	hlist_for_each_entry_safe(link, n, &mmu->link_cache, node)
		kfree(link);
	INIT_HLIST_HEAD(&mmu->link_cache);
	mmu->link_cache_count = 0;
}

static struct shadow_page *take_page(struct x86_mmu *mmu)
{
	struct shadow_page *sp = list_first_entry_or_null(&mmu->page_cache,
							  struct shadow_page, node);

	if (sp) {
		list_del_init(&sp->node);
		mmu->page_cache_count--;
	}
	return sp;
}

static struct spte_link *take_link(struct x86_mmu *mmu)
{
	struct spte_link *link;

	if (hlist_empty(&mmu->link_cache))
		return NULL;
	link = hlist_entry(mmu->link_cache.first, struct spte_link, node);
	hlist_del_init(&link->node);
	mmu->link_cache_count--;
	return link;
}

/* ---- life -------------------------------------------------------------------- */

int shadow_vm_init(struct x86_vm *vm)
{
	struct x86_vm_mmu *mmu = &vm->mmu;

	INIT_LIST_HEAD(&mmu->shadow_pages);
	INIT_LIST_HEAD(&mmu->shadow_unsync);
	mmu->shadow_hash = kvcalloc(BIT(SHADOW_HASH_BITS), sizeof(*mmu->shadow_hash),
				    GFP_KERNEL_ACCOUNT);
	mmu->shadow_scratch = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (mmu->shadow_hash && mmu->shadow_scratch)
		return 0;
	shadow_vm_destroy(vm);
	return -ENOMEM;
}

void shadow_vm_destroy(struct x86_vm *vm)
{
	kvfree(vm->mmu.shadow_hash);
	free_page((unsigned long)vm->mmu.shadow_scratch);
	vm->mmu.shadow_hash = NULL;
	vm->mmu.shadow_scratch = NULL;
}

int shadow_vcpu_create(struct x86_vcpu *vcpu)
{
	/* CR3 has 32 bits outside long mode: the root must be below 4 GiB. */
	struct shadow_page *sp = page_alloc(x86_vcpu_vm(vcpu), GFP_DMA32);

	INIT_HLIST_HEAD(&vcpu->mmu.link_cache);
	if (!sp)
		return -ENOMEM;
	sp->role.private = 1;
	sp->role.level = 3;
	sp->role.access = SHADOW_ALL;
	vcpu->mmu.private_root = sp;
	tlb_model_page_private(vcpu, sp->entries);
	return 0;
}

void shadow_vcpu_destroy(struct x86_vcpu *vcpu)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct shadow_page *root = vcpu->mmu.private_root;
	MMU_BATCH(b, vm);
	int i;

	drop_caches(vcpu);
	if (!root)
		return;
	write_lock(&vm->core.mmu_lock);
	for (i = 0; i < shadow_entries(root); i++)
		if (root->links[i])
			shadow_unlink(&b, root, i);
	mmu_batch_flush(&b);
	vcpu->mmu.private_root = NULL;
	write_unlock(&vm->core.mmu_lock);
	page_free(vm, root);
}

/* ---- entries --------------------------------------------------------------------- */

/* The part of a role that a child has from its parent. */
static u32 paging_of(union shadow_role role)
{
	role.level = role.direct = role.quadrant = role.access = role.private = 0;
	return role.word;
}

/* Frames below an entry of a page. */
static gfn_t entry_pages(const struct shadow_page *sp)
{
	return spte_level_pages(sp->role.level);
}

bool shadow_fits(const struct shadow_page *parent, unsigned int index,
		 const struct shadow_page *child)
{
	union shadow_role p = parent->role, c = child->role;

	if (parent->dead || child->dead || c.private || index >= shadow_entries(parent))
		return false;
	if (c.level != p.level - 1 || paging_of(c) != paging_of(p) || (c.access & ~p.access))
		return false;

	if (p.private) {
		/* Paging off: a GiB each. 2-level: a quarter of the one table. PAE: a table each. */
		if (c.direct != !p.paging || c.quadrant != (p.paging == 2 ? index : 0))
			return false;
		return !c.direct || child->gfn == index * entry_pages(parent);
	}
	if (p.direct)
		return c.direct && c.access == p.access &&
		       child->gfn == parent->gfn + index * entry_pages(parent);
	/* Small pages of ours under a large one of the guest's. */
	if (c.direct)
		return !c.quadrant && IS_ALIGNED(child->gfn, entry_pages(parent));
	return c.quadrant == (p.paging == 2 ? index & 1 : 0);
}

struct shadow_page *shadow_child(struct x86_vm *vm, const struct shadow_page *parent,
				 unsigned int index)
{
	u64 spte = parent->entries[index];
	struct shadow_page *child;

	child = (struct shadow_page *)page_private(pfn_to_page(spte_pfn(spte)));
	if (KVM_BUG_ON(!child || !shadow_fits(parent, index, child), &vm->core))
		return NULL;
	return child;
}

/* The entry was empty, and is not any more. */
static bool fill_entry(struct x86_vm *vm, struct shadow_page *sp, unsigned int index,
		       struct spte_link *link, u64 spte)
{
	u64 empty = 0;

	if (KVM_BUG_ON(sp->links[index], &vm->core))
		return false;
	link->sptep = &sp->entries[index];
	sp->links[index] = link;
	sp->writes = 0;
	/* At once, 64 bits wide: another CPU may be walking here. */
	if (KVM_BUG_ON(!try_cmpxchg64(link->sptep, &empty, spte), &vm->core))
		return false;
	tlb_model_made(vm, link->sptep);
	return true;
}

bool shadow_link(struct x86_vcpu *vcpu, struct shadow_page *parent, unsigned int index,
		 struct shadow_page *child)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	hpa_t pa = virt_to_phys(child->entries);
	struct spte_link *link;

	lockdep_assert_held_write(&vm->core.mmu_lock);
	if (KVM_BUG_ON(!shadow_fits(parent, index, child), &vm->core))
		return false;
	link = take_link(&vcpu->mmu);
	if (KVM_BUG_ON(!link, &vm->core))
		return false;
	hlist_add_head(&link->node, &child->parents);
	/* PDPTEs of PAE have neither rights nor an A bit: reserved (SDM 3A 4.4.1). */
	return fill_entry(vm, parent, index, link,
			  parent->role.private ? pa | x86_spte_fmt.present : spte_make_table(pa));
}

bool shadow_link_leaf(struct x86_vcpu *vcpu, struct shadow_page *sp, unsigned int index,
		      const struct kvm_memory_slot *slot, gfn_t gfn, u64 spte)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct spte_link *link;

	lockdep_assert_held_write(&vm->core.mmu_lock);
	if (KVM_BUG_ON(sp->dead || sp->role.level != 1 ||
		       (sp->role.direct && gfn != sp->gfn + index), &vm->core))
		return false;
	link = take_link(&vcpu->mmu);
	if (KVM_BUG_ON(!link, &vm->core))
		return false;
	link->gfn = gfn;
	rmap_add(slot, gfn, link);
	atomic64_inc(&vm->core.stat.pages_4k);
	return fill_entry(vm, sp, index, link, spte);
}

void shadow_unlink(struct mmu_batch *b, struct shadow_page *sp, unsigned int index)
{
	struct spte_link *link = sp->links[index];
	u64 old = mmu_weaken(b, &sp->entries[index], ~0ULL);

	if (KVM_BUG_ON(!link || !spte_present(old), &b->vm->core))
		return;
	sp->links[index] = NULL;
	hlist_del(&link->node);
	kfree(link);
	if (sp->role.level == 1)
		atomic64_dec(&b->vm->core.stat.pages_4k);
}

/* ---- pages -------------------------------------------------------------------------- */

/* Nobody maps the table writable from here on, and what others of its pages missed is made up for. */
static void protect_table(struct x86_vcpu *vcpu, struct mmu_batch *b, gfn_t gfn, int as_id)
{
	struct kvm_memory_slot *slot;

	shadow_sync_gfn(vcpu, b, gfn);
	slot = kvm_find_slot(kvm_memslots_as(vcpu->core.kvm, as_id), gfn);
	if (kvm_slot_usable(slot))
		rmap_write_protect(b, slot, gfn);
}

struct shadow_page *shadow_get(struct x86_vcpu *vcpu, struct mmu_batch *b, gfn_t gfn,
			       union shadow_role role)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct x86_vm_mmu *mmu = &vm->mmu;
	struct shadow_page *sp;

	lockdep_assert_held_write(&vm->core.mmu_lock);
	hlist_for_each_entry(sp, shadow_bucket(vm, gfn), hash) {
		if (sp->gfn == gfn && sp->role.word == role.word) {
			list_move(&sp->node, &mmu->shadow_pages);
			/* Who comes here anew has no old translations to excuse it. */
			if (sp->unsync)
				shadow_sync_gfn(vcpu, b, gfn);
			return sp;
		}
	}
	sp = take_page(&vcpu->mmu);
	if (KVM_BUG_ON(!sp, &vm->core))
		return NULL;
	/* Before it is one of the table's pages: those are what is looked at. */
	if (!role.direct)
		protect_table(vcpu, b, gfn, role.as_id);
	sp->gfn = gfn;
	sp->role = role;
	hlist_add_head(&sp->hash, shadow_bucket(vm, gfn));
	list_add(&sp->node, &mmu->shadow_pages);
	mmu->nr_shadow++;
	vm->core.stat.mmu_cache_miss++;
	return sp;
}

void shadow_zap_page(struct mmu_batch *b, struct shadow_page *sp)
{
	struct x86_vm_mmu *mmu = &b->vm->mmu;
	struct spte_link *link;
	struct hlist_node *n;
	unsigned int i;

	if (KVM_BUG_ON(sp->dead || sp->role.private, &b->vm->core))
		return;
	for (i = 0; i < SPTE_ENTRIES; i++)
		if (sp->links[i])
			shadow_unlink(b, sp, i);
	hlist_for_each_entry_safe(link, n, &sp->parents, node)
		shadow_unlink(b, shadow_page_of(link->sptep), shadow_index_of(link->sptep));

	if (sp->unsync) {
		list_del_init(&sp->unsync_node);
		b->vm->core.stat.mmu_unsync--;
	}
	sp->unsync = false;
	sp->dead = true;
	hlist_del_init(&sp->hash);
	list_del_init(&sp->node);
	/* Who runs on it finds it empty; the last one to leave frees it. */
	if (!sp->roots)
		list_add(&sp->node, &b->dead_pages);
	mmu->nr_shadow--;
	b->vm->core.stat.mmu_shadow_zapped++;
}

void shadow_zap_all(struct mmu_batch *b)
{
	struct shadow_page *sp, *next;

	list_for_each_entry_safe(sp, next, &b->vm->mmu.shadow_pages, node)
		shadow_zap_page(b, sp);
}

void shadow_free_dead(struct mmu_batch *b)
{
	struct shadow_page *sp, *next;

	list_for_each_entry_safe(sp, next, &b->dead_pages, node) {
		list_del(&sp->node);
		page_free(b->vm, sp);
	}
}

void shadow_put_root(struct x86_vm *vm, struct shadow_page *sp)
{
	lockdep_assert_held_write(&vm->core.mmu_lock);
	if (KVM_BUG_ON(!sp->roots, &vm->core))
		return;
	if (--sp->roots || !sp->dead)
		return;
	tlb_model_settled(vm, "dead root");
	page_free(vm, sp);
}

static unsigned long bound(struct x86_vm *vm)
{
	unsigned long set = READ_ONCE(vm->mmu.max_pages);

	return set != ULONG_MAX ? set :
	       max_t(unsigned long, MIN_PAGES, vm->core.nr_memslot_pages / PAGES_SHARE);
}

void shadow_reclaim(struct mmu_batch *b)
{
	struct x86_vm_mmu *mmu = &b->vm->mmu;
	struct shadow_page *sp, *next;
	unsigned long max = bound(b->vm);
	unsigned int n = 0;

	if (likely(mmu->nr_shadow + SHADOW_CACHE_PAGES <= max))
		return;
	list_for_each_entry_safe_reverse(sp, next, &mmu->shadow_pages, node) {
		if (n >= RECLAIM_AT_ONCE && mmu->nr_shadow + SHADOW_CACHE_PAGES <= max)
			break;
		if (sp->roots)
			continue;
		shadow_zap_page(b, sp);
		b->vm->core.stat.mmu_recycled++;
		n++;
	}
	mmu_batch_flush(b);
}
