/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shadow paging between the rooms of mmu/: where the hardware has no nested
 * paging, it runs on tables of ours that translate from gva to pfn at once, made
 * from the guest's own. Nobody outside mmu/ includes it.
 *
 * A shadow page is what one guest table means in one role: its level, its place
 * in a table of another size, the rights that the way down to it leaves, how the
 * guest's paging is set up. Tables that the guest does not have (paging off, small
 * pages of ours under a large one of the guest's) are direct: frame by frame. All
 * leaves are 4 KiB. The hardware always walks 64-bit entries: four or five levels
 * for a guest in long mode, else PAE, from four entries in a page of the vCPU's own
 * (its private root).
 *
 * Invariants (checked by audit_shadow.c and, where they are made, in shadow.c):
 *  S1 shadow_link() alone makes an entry name a page. The child is the one level
 *     below, in the same paging mode, with no more rights than its parent, direct
 *     below direct at the frame that the entry covers; neither is dead; the entry
 *     was empty (shadow_fits()).
 *  S2 Each present entry has one link (struct spte_link): on the parents' list of
 *     the page that it names, or on the reverse map of the frame that it maps; an
 *     empty entry has none. So whoever takes a page or a frame away finds every
 *     entry that leads to it.
 *  S3 A dead page is empty, in no hash and on no list, and nothing names it. A vCPU
 *     whose root dies finds nothing in it, faults, and takes another.
 *  S4 A guest table that is shadowed is mapped writable nowhere, unless each of
 *     its shadow pages is unsync. Only those at level 1 can be.
 *  S5 W is set only with SPTE_HOST_WRITABLE, never in a read-only slot.
 *  S6 Nothing is mapped outside a slot.
 *  S7 An entry that is present never comes to name another page: it goes through 0
 *     and a TLB flush.
 *
 * A shadow page that is not unsync agrees with the guest's table: an entry is made
 * from one that was read after the table had been write-protected and the TLBs
 * flushed, under mmu_lock; whoever writes the table afterwards drops the entry
 * (x86_mmu_guest_wrote()). One that is unsync may show what the table was when the
 * guest last flushed its TLB, as a TLB may; then it is compared (shadow_sync.c).
 *
 * All of it is guarded by mmu_lock, held for write: also faults.
 */
#ifndef ARCH_X86_MMU_SHADOW_H
#define ARCH_X86_MMU_SHADOW_H

#include <linux/list.h>
#include <linux/mm.h>

#include "arch-x86/mmu/internal.h"
#include "arch-x86/mmu/spte.h"
#include "arch-x86/mmu/walk.h"

#define SHADOW_HASH_BITS	12
#define SHADOW_CACHE_PAGES	SPTE_MAX_LEVEL		/* a fault needs no more, ... */
#define SHADOW_CACHE_LINKS	(SPTE_MAX_LEVEL + 1)	/* ... and one link each, and the leaf's */

#define SHADOW_WRITE	BIT(0)
#define SHADOW_USER	BIT(1)
#define SHADOW_EXEC	BIT(2)
#define SHADOW_ALL	(SHADOW_WRITE | SHADOW_USER | SHADOW_EXEC)

/**
 * union shadow_role - all that an entry's meaning depends on, but the guest's table
 * @word: to compare
 * @level: 1 (leaves) to 5
 * @direct: no guest table: frames in a row
 * @quadrant: which part of a table of 4-byte entries, which cover more
 * @access: rights that the way down leaves, SHADOW_*
 * @private: a vCPU's own root, of 4 entries
 * @paging: levels of the guest's paging, 0: off
 * @pse, @nx, @wp, @smep, @smap: as in struct x86_walk_mode
 * @as_id: address space
 */
union shadow_role {
	u32 word;
	struct {
		u32 level:3;
		u32 direct:1;
		u32 quadrant:2;
		u32 access:3;
		u32 private:1;
		u32 paging:3;
		u32 pse:1;
		u32 nx:1;
		u32 wp:1;
		u32 smep:1;
		u32 smap:1;
		u32 as_id:1;
	};
};

/**
 * struct spte_link - one present entry, seen from what it names
 * @node: on a shadow page's parents or on a frame's reverse map
 * @sptep: the entry
 * @gfn: of a leaf: the frame
 */
struct spte_link {
	struct hlist_node node;
	u64 *sptep;
	gfn_t gfn;
};

/**
 * struct shadow_page - a page of entries for the hardware (all fields m)
 * @entries: the page
 * @links: for each entry
 * @gfn: the guest's table, or, if direct, the first frame
 * @role: what it is
 * @dead: see S3
 * @unsync: the guest may write the table without our knowing
 * @roots: vCPUs that run on it
 * @writes: emulated writes to the table since it was last used in a fault
 * @parents: links of the entries that name it
 * @hash: by @gfn
 * @node: on the VM's list, the most recently used first; or in a vCPU's cache (v); or
 *	in a batch
 * @unsync_node: on the VM's list of such
 */
struct shadow_page {
	u64 *entries;
	struct spte_link **links;
	gfn_t gfn;
	union shadow_role role;
	bool dead, unsync;
	unsigned int roots, writes;
	struct hlist_head parents;
	struct hlist_node hash;
	struct list_head node;
	struct list_head unsync_node;
};

/* The page that an entry is in, and where. */
static inline struct shadow_page *shadow_page_of(const u64 *sptep)
{
	return (struct shadow_page *)page_private(virt_to_page(sptep));
}

static inline unsigned int shadow_index_of(const u64 *sptep)
{
	return offset_in_page(sptep) / sizeof(u64);
}

/* Entries of a page that are in use. */
static inline unsigned int shadow_entries(const struct shadow_page *sp)
{
	return sp->role.private ? 4 : SPTE_ENTRIES;
}

static inline unsigned int shadow_gpte_size(const struct shadow_page *sp)
{
	return sp->role.paging == 2 ? 4 : 8;
}

/* ---- shadow.c: pages and their entries --------------------------------------- */

/** shadow_vm_init() / shadow_vm_destroy() - 0, -ENOMEM. Destroy: no vCPU is left. */
int shadow_vm_init(struct x86_vm *vm);
void shadow_vm_destroy(struct x86_vm *vm);
/** shadow_vcpu_create() / shadow_vcpu_destroy() - the private root. 0, -ENOMEM */
int shadow_vcpu_create(struct x86_vcpu *vcpu);
void shadow_vcpu_destroy(struct x86_vcpu *vcpu);

/** shadow_topup() - fill the vCPU's caches for one fault. 0, -ENOMEM. Sleeps. */
int shadow_topup(struct x86_vcpu *vcpu);

/**
 * shadow_fits() - may entry @index of @parent name @child? (S1)
 */
bool shadow_fits(const struct shadow_page *parent, unsigned int index,
		 const struct shadow_page *child);

/** shadow_child() - the page that a present entry names, or NULL if the tables are
 *  broken (then the VM is dead) */
struct shadow_page *shadow_child(struct x86_vm *vm, const struct shadow_page *parent,
				 unsigned int index);

/**
 * shadow_get() - the shadow page of a guest table in a role; if it is new, the table
 *	is write-protected from here on
 * @vcpu: the vCPU; its cache is used, topped up
 * @b: TLBs may have to be flushed before the table is read
 * @gfn: table, or first frame if role.direct
 * @role: role
 *
 * Return: the page, or NULL if the cache is empty.
 */
struct shadow_page *shadow_get(struct x86_vcpu *vcpu, struct mmu_batch *b, gfn_t gfn,
			       union shadow_role role);

/** shadow_link() - make an empty entry name a page. False: an invariant does not
 *  hold, the VM is dead; or the cache is empty. */
bool shadow_link(struct x86_vcpu *vcpu, struct shadow_page *parent, unsigned int index,
		 struct shadow_page *child);

/** shadow_link_leaf() - make an empty entry map a frame of a slot. As shadow_link(). */
bool shadow_link_leaf(struct x86_vcpu *vcpu, struct shadow_page *sp, unsigned int index,
		      const struct kvm_memory_slot *slot, gfn_t gfn, u64 spte);

/** shadow_unlink() - empty a present entry */
void shadow_unlink(struct mmu_batch *b, struct shadow_page *sp, unsigned int index);

/** shadow_zap_page() - empty a page, empty what names it, and take it out of use */
void shadow_zap_page(struct mmu_batch *b, struct shadow_page *sp);

/** shadow_zap_all() - every page of the VM */
void shadow_zap_all(struct mmu_batch *b);

/** shadow_reclaim() - the least recently used pages go, until a fault's worth of new
 *  ones keeps to the bound of KVM_SET_NR_MMU_PAGES. Flushes. */
void shadow_reclaim(struct mmu_batch *b);

/** shadow_free_dead() - free a batch's dead pages; TLBs are flushed */
void shadow_free_dead(struct mmu_batch *b);

/** shadow_put_root() - a vCPU no longer runs on the page */
void shadow_put_root(struct x86_vm *vm, struct shadow_page *sp);

/** for_each_shadow() - shadow pages of the guest table @_gfn; the current one may be zapped */
#define for_each_shadow(vm, sp, next, _gfn, _as_id)					\
	hlist_for_each_entry_safe(sp, next, shadow_bucket(vm, _gfn), hash)		\
		if ((sp)->gfn != (_gfn) || (sp)->role.direct ||				\
		    (sp)->role.as_id != (_as_id)) {} else

struct hlist_head *shadow_bucket(struct x86_vm *vm, gfn_t gfn);

/* ---- shadow_map.c: from the guest's tables to ours --------------------------- */

/** shadow_load_root() - have vcpu->mmu.root for what the guest runs on. 0, -ENOMEM.
 *  Takes mmu_lock; sleeps. */
int shadow_load_root(struct x86_vcpu *vcpu);

/**
 * shadow_map() - put the page of a fault into the vCPU's tables
 * @vcpu: the vCPU; its caches are topped up
 * @f: fault with ->walk
 *
 * Return: MMU_MAPPED, MMU_SPURIOUS, MMU_RETRY, MMU_EMULATE, MMU_BROKEN. Context: mmu_lock,
 * and f->pfn verified under it.
 */
enum mmu_result shadow_map(struct x86_vcpu *vcpu, struct mmu_fault *f);

/* ---- shadow_sync.c: the guest writes its tables ------------------------------- */

/** shadow_is_table() - must the frame stay write-protected (S4)? */
bool shadow_is_table(struct x86_vm *vm, int as_id, gfn_t gfn);

/**
 * shadow_allow_write() - the guest writes a frame: make it an ordinary one, if that
 *	is sensible
 * @b: batch
 * @w: the walk that led to it: tables on its way stay
 * @gfn: frame
 * @must: the write can't be emulated
 *
 * Return: true: it may be mapped writable; false: the write is to be emulated.
 */
bool shadow_allow_write(struct mmu_batch *b, const struct x86_walk *w, gfn_t gfn, bool must);

/** shadow_sync_gfn() - all shadow pages of a table agree with it again */
void shadow_sync_gfn(struct x86_vcpu *vcpu, struct mmu_batch *b, gfn_t gfn);

/** shadow_sync_all() - the guest flushes its TLB. Takes mmu_lock. */
void shadow_sync_all(struct x86_vcpu *vcpu);

/** shadow_agrees() - would a present entry be made again from what the guest's table says
 *  now? Of a page that has a table; true also if that can't be read. @vcpu: any. */
bool shadow_agrees(struct x86_vcpu *vcpu, const struct shadow_page *sp, unsigned int index);

/** shadow_invlpg() - the guest drops one translation. Takes mmu_lock. */
void shadow_invlpg(struct x86_vcpu *vcpu, u64 gva);

/* Rights that an entry of the guest's gives. */
static inline unsigned int shadow_gpte_access(u64 gpte, bool nx)
{
	return (gpte & BIT_ULL(1) ? SHADOW_WRITE : 0) | (gpte & BIT_ULL(2) ? SHADOW_USER : 0) |
	       (nx && (gpte & BIT_ULL(63)) ? 0 : SHADOW_EXEC);
}

/* ---- rmap.c: from a frame to the entries that map it --------------------------- */

/** rmap_alloc() - a slot's reverse maps, all empty. 0, -ENOMEM. Sleeps. */
int rmap_alloc(struct kvm_memory_slot *slot);
void rmap_free(struct kvm_memory_slot *slot);
/** rmap_add() - a leaf maps @gfn of @slot */
void rmap_add(const struct kvm_memory_slot *slot, gfn_t gfn, struct spte_link *link);
/** rmap_write_protect() - no entry that maps @gfn has W */
void rmap_write_protect(struct mmu_batch *b, const struct kvm_memory_slot *slot, gfn_t gfn);
/** rmap_zap() - no entry maps [start, end) */
void rmap_zap(struct mmu_batch *b, const struct kvm_memory_slot *slot, gfn_t start, gfn_t end);
/** rmap_age() - was a page of [start, end) used? @clear: and begin anew. */
bool rmap_age(const struct kvm_memory_slot *slot, gfn_t start, gfn_t end, bool clear);
/** rmap_log_start() - the slot logs from now on: no W. Takes mmu_lock. */
void rmap_log_start(struct x86_vm *vm, const struct kvm_memory_slot *slot);

/* ---- audit_shadow.c ------------------------------------------------------------- */

/** shadow_audit() - S1 to S7. @all: of all pages, else the next few entries in turn;
 *  @agrees: and what is not unsync agrees with the guest's tables. False: a breach was
 *  reported. */
bool shadow_audit(struct x86_vm *vm, const char *where, bool all, bool agrees);

#endif
