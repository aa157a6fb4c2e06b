/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The nouns of the house: a VM (struct kvm), its vCPUs (struct kvm_vcpu), its
 * memory slots, and the requests by which one thread asks a vCPU for
 * something. Owns the structures; the rooms of core/ own the code.
 * Knows no architecture: an architecture embeds these structures in its own
 * (core/arch.h).
 *
 * Who may touch a field (the letter in its comment):
 *   c  constant once the object is visible to others
 *   l  kvm->lock            s  kvm->slots_lock (readers: kvm->srcu or RCU)
 *   m  kvm->mmu_lock        q  kvm->irq_lock (readers: kvm->irq_srcu)
 *   v  vcpu->mutex (the thread that runs the vCPU)
 *   a  atomic, or READ_ONCE/WRITE_ONCE with the barriers said beside it
 *   n  kvm->mn_lock
 */
#ifndef CORE_KVM_H
#define CORE_KVM_H

#include "core/types.h"		/* first: <linux/kvm.h> wants KVM_STATS_NAME_SIZE */

#include <linux/kvm.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rbtree.h>
#include <linux/interval_tree.h>
#include <linux/hashtable.h>
#include <linux/rcuwait.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/swait.h>
#include <linux/xarray.h>

#include "core/stats.h"

struct kvm_io_bus;
struct kvm_irq_routing_table;
struct module;

/* ---- memory slots ------------------------------------------------------ */

#define KVM_ADDRESS_SPACE_NUM	2	/* 1 is the view of SMM */
#define KVM_USER_MEM_SLOTS	32764	/* KVM_CAP_NR_MEMSLOTS */
#define KVM_PRIVATE_MEM_SLOTS	3	/* made by the architecture */
#define KVM_MEM_SLOTS_NUM	(KVM_USER_MEM_SLOTS + KVM_PRIVATE_MEM_SLOTS)
#define KVM_MEM_MAX_NR_PAGES	((1UL << 31) - 1)	/* of one slot */

#define KVM_MAX_VCPUS		1024	/* KVM_CAP_MAX_VCPUS */

/**
 * struct kvm_memory_slot - one range of guest physical memory
 * @gfn_node: place in the address space's tree, ordered by base_gfn (s)
 * @hva_node: place in the address space's interval tree of hvas (s)
 * @id_node: place in the hash by id (s)
 * @base_gfn: first gfn (c)
 * @npages: length in 4 KiB pages (c)
 * @userspace_addr: hva of the first page (c)
 * @flags: KVM_MEM_* (c; a change makes a new slot)
 * @id: slot number within the address space; private slots follow user's (c)
 * @as_id: address space (c)
 * @dirty_bitmap: one bit a page, and a second map of the same size behind it
 *	that KVM_GET_DIRTY_LOG copies from; NULL without
 *	KVM_MEM_LOG_DIRTY_PAGES (c; bits a)
 * @arch: what the architecture hangs on a slot (its own allocation) (c)
 *
 * A slot is immutable once published: every change publishes a new one and
 * frees the old after an SRCU and an RCU grace period.
 */
struct kvm_memory_slot {
	struct rb_node gfn_node[2];
	struct interval_tree_node hva_node[2];
	struct hlist_node id_node[2];
	gfn_t base_gfn;
	unsigned long npages;
	unsigned long userspace_addr;
	u32 flags;
	short id;
	u16 as_id;
	unsigned long *dirty_bitmap;
	void *arch;
};

/**
 * struct kvm_memslots - what one address space looks like at one moment
 * @generation: grows with every change; bit 63 set while one is under way;
 *	bit 0 is the address space, so that no two share a value
 * @last_used: the slot that the last lookup found (a)
 * @by_gfn: slots ordered by base_gfn
 * @by_hva: slots by userspace address
 * @by_id: slots by id
 * @node: which of a slot's two sets of nodes this copy uses
 */
struct kvm_memslots {
	u64 generation;
	struct kvm_memory_slot *last_used;
	struct rb_root by_gfn;
	struct rb_root_cached by_hva;
	DECLARE_HASHTABLE(by_id, 7);
	int node;
};

/* ---- requests ---------------------------------------------------------- */

/*
 * A request is a bit in vcpu->requests. The flags say what the requester
 * needs: WAIT returns only when the vCPU has left guest mode; NO_WAKEUP does
 * not wake a blocked vCPU.
 */
#define KVM_REQUEST_MASK	0xff
#define KVM_REQUEST_NO_WAKEUP	BIT(8)
#define KVM_REQUEST_WAIT	BIT(9)
#define KVM_REQ_TLB_FLUSH	(0 | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define KVM_REQ_VM_DEAD		(1 | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define KVM_REQ_UNBLOCK		2
#define KVM_REQ_DIRTY_RING_SOFT_FULL	3
#define KVM_REQ_OUTSIDE_GUEST_MODE	(4 | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define KVM_REQ_ARCH_BASE	8

/* Where a vCPU is, published for those who kick it (vcpu->mode). */
enum kvm_vcpu_mode {
	KVM_VCPU_OUTSIDE_GUEST,
	KVM_VCPU_IN_GUEST,
	KVM_VCPU_EXITING,		/* has been kicked, will leave soon */
	KVM_VCPU_READING_TABLES,	/* lockless walk of shadow page tables */
};

/* ---- a vCPU ------------------------------------------------------------ */

enum kvm_bus { KVM_MMIO_BUS, KVM_PIO_BUS, KVM_FAST_MMIO_BUS, KVM_NR_BUSES };

/**
 * struct kvm_vcpu - one virtual CPU, run by one thread at a time
 * @kvm: its VM (c)
 * @id: the number that user space gave it (c)
 * @idx: its index in creation order (c)
 * @mutex: held over every vCPU ioctl
 * @run: the page shared with user space; hostile (v)
 * @cpu: physical CPU that it is, or was last, loaded on; -1 before the first
 *	time. Written by core after kvm_arch_vcpu_load() (a)
 * @mode: enum kvm_vcpu_mode (a; ordered against @requests, see request.h)
 * @requests: bits of KVM_REQ_* (a)
 * @srcu_idx: token of the SRCU read lock held in the outer loop (v)
 * @srcu_held: nesting check for @srcu_idx (v)
 * @wait: where it sleeps in HLT
 * @blocking: sleeping or about to (a)
 * @pid: last thread that ran it, guarded by @pid_lock
 * @preempt_notifier: tells us when that thread loses and regains the CPU
 * @preempted: the thread lost the CPU while runnable (a)
 * @ready: preempted or just woken: worth a directed yield (a)
 * @scheduled_out: schedule-out (not vcpu_put) put it (v)
 * @sigset: mask for KVM_RUN, from KVM_SET_SIGNAL_MASK (v)
 * @sigset_active: @sigset is used (v)
 * @guest_debug: KVM_GUESTDBG_* (v)
 * @halt_poll_ns: how long HLT polls before it sleeps (v)
 * @valid_wakeup: the last block ended with an event (v)
 * @spin_loop: in a PAUSE loop, and whether directed yield may pick it (a)
 * @async_pf: pages on their way, and those that have come (async_pf.c's lock); how
 *	many there are (v)
 * @dirty_ring: entries shared with user space, hostile; @head: written (v), @tail:
 *	taken back (s); both read by the other (a)
 * @mmio_needed: user space has an MMIO or port exit to complete (v)
 * @bus_hint: where on each bus it has found something (v)
 * @debugfs: its folder
 * @stats_id: how its statistics fd names it (c)
 * @stat: counters, read without locks by the statistics files
 */
struct kvm_vcpu {
	struct kvm *kvm;
	int id;
	int idx;
	struct mutex mutex;
	struct kvm_run *run;

	int cpu;
	int mode;
	u64 requests;

	int srcu_idx;
	bool srcu_held;

	struct rcuwait wait;
	bool blocking;
	struct pid *pid;
	rwlock_t pid_lock;
	struct preempt_notifier preempt_notifier;
	bool preempted;
	bool ready;
	bool scheduled_out;

	sigset_t sigset;
	bool sigset_active;
	u32 guest_debug;

	unsigned int halt_poll_ns;
	bool valid_wakeup;
	struct {
		bool in_spin_loop;
		bool dy_eligible;
	} spin_loop;

	struct {
		struct list_head waiting;
		struct list_head done;
		unsigned int nr;
	} async_pf;

	struct {
		struct kvm_dirty_gfn *entries;
		u32 head;
		u32 tail;
	} dirty_ring;

	bool mmio_needed;
	unsigned int bus_hint[KVM_NR_BUSES];
	struct dentry *debugfs;
	char stats_id[KVM_STATS_NAME_SIZE];
	struct kvm_vcpu_stats stat;
};

/* ---- a VM -------------------------------------------------------------- */

/**
 * struct kvm - one virtual machine
 * @mm: the process that it lives in; ioctls from another get -EIO (c)
 * @users: file descriptors (VM, vCPUs, devices, stats) and others' references
 * @vm_list: place in the list of all VMs (vm.c)
 * @lock: creation of vCPUs, irqchip, devices; VM-wide settings
 * @slots_lock: writers of memslots and of the I/O buses
 * @srcu: readers of memslots and buses; never held in guest mode
 * @memslots: per address space, one of its two in @memslots_storage (s)
 * @nr_memslot_pages: pages in user slots (s)
 * @mmu_lock: read: faults; write: invalidation, zapping
 * @mn: MMU notifier
 * @mn_lock: guards @mn_active_invalidates and its waiters
 * @mn_active_invalidates: ranges between start and end (n)
 * @mn_waiters: slot changes waiting for it to be 0
 * @invalidate_seq: grows at each end of invalidation (m write; read under m)
 * @invalidate_in_progress: ranges being invalidated (m)
 * @invalidate_start/@invalidate_end: gfns, hull of the ranges (m)
 * @vcpus: by creation index (writers l; readers RCU)
 * @created_vcpus: made or being made (l)
 * @online_vcpus: visible in @vcpus (a, release/acquire)
 * @buses: I/O devices and eventfds (s)
 * @irq_lock: writers of routing and irqfds
 * @irq_srcu: readers of @irq_routing
 * @irq_routing: GSI table (q)
 * @irqfds: see irqfd.c
 * @irq_ack_notifiers: who wants to know of EOIs (writers q; readers irq_srcu)
 * @ioeventfds: (s) see ioeventfd.c
 * @coalesced_zones: (s) see coalesced_mmio.c
 * @coalesced_page: ring shared with user space; hostile (@coalesced_lock)
 * @devices: KVM_CREATE_DEVICE (l)
 * @dead: a broken invariant was found; all ioctls fail with -EIO (a)
 * @manual_dirty_log: flags of KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 (s)
 * @dirty_ring_bytes: size of each vCPU's dirty ring; 0: bitmaps instead (l; c once
 *	there is a vCPU)
 * @max_vcpus: how many vCPUs may be created; KVM_MAX_VCPUS unless the
 *	architecture says less when the VM is made (l)
 * @last_boosted_vcpu: where directed yield looks next (a)
 * @max_halt_poll_ns: KVM_CAP_HALT_POLL, used if @override_halt_poll_ns (a)
 * @vendor: module that is pinned while the VM lives (c)
 * @userspace_pid: of the process that made it, for names (c)
 * @debugfs: its folder
 * @debugfs_files: what the files in it show, see debugfs.c
 * @stats_id: how its statistics fd names it (c)
 * @stat: VM-wide counters
 */
struct kvm {
	struct mm_struct *mm;
	refcount_t users;
	struct mutex lock;
	struct mutex slots_lock;
	struct srcu_struct srcu;
	struct list_head vm_list;

	struct kvm_memslots __rcu *memslots[KVM_ADDRESS_SPACE_NUM];
	struct kvm_memslots memslots_storage[KVM_ADDRESS_SPACE_NUM][2];
	unsigned long nr_memslot_pages;

	rwlock_t mmu_lock;
	struct mmu_notifier mn;
	spinlock_t mn_lock;
	unsigned long mn_active_invalidates;
	struct rcuwait mn_waiters;
	unsigned long invalidate_seq;
	long invalidate_in_progress;
	gfn_t invalidate_start;
	gfn_t invalidate_end;

	struct xarray vcpus;
	int created_vcpus;
	atomic_t online_vcpus;
	int max_vcpus;
	int last_boosted_vcpu;

	struct kvm_io_bus __rcu *buses[KVM_NR_BUSES];
	struct list_head ioeventfds;
	struct page *coalesced_page;
	spinlock_t coalesced_lock;
	struct list_head coalesced_zones;

	struct mutex irq_lock;
	struct srcu_struct irq_srcu;
	struct kvm_irq_routing_table __rcu *irq_routing;
	struct {
		struct mutex mutex;
		spinlock_t lock;
		struct list_head items;
		struct list_head resamplers;
	} irqfds;
	struct hlist_head irq_ack_notifiers;

	struct list_head devices;
	bool dead;
	u32 manual_dirty_log;
	u32 dirty_ring_bytes;
	unsigned int max_halt_poll_ns;
	bool override_halt_poll_ns;
	struct module *vendor;
	pid_t userspace_pid;
	struct dentry *debugfs;
	struct kvm_debugfs_file *debugfs_files;
	char stats_id[KVM_STATS_NAME_SIZE];
	struct kvm_vm_stats stat;
};

/**
 * kvm_mark_dead() - no vCPU of this VM runs again
 * @kvm: the VM
 *
 * For broken invariants and for what can't be undone. Any context.
 */
void kvm_mark_dead(struct kvm *kvm);

/*
 * KVM_BUG_ON - an invariant of one VM: warn once, kill that VM, tell whether.
 * The host and the other VMs go on.
 */
#define KVM_BUG_ON(cond, kvm)						\
({									\
	bool __broken = !!(cond);					\
									\
	if (WARN_ON_ONCE(__broken) && !(kvm)->dead)			\
		kvm_mark_dead(kvm);					\
	unlikely(__broken);						\
})

/**
 * kvm_get_vcpu() - a vCPU by creation index
 * @kvm: the VM
 * @idx: 0 .. online_vcpus-1
 *
 * Return: the vCPU, or NULL. It lives as long as the VM.
 */
static inline struct kvm_vcpu *kvm_get_vcpu(struct kvm *kvm, int idx)
{
	if (idx >= atomic_read(&kvm->online_vcpus))
		return NULL;
	smp_rmb();	/* pairs with the release of online_vcpus at creation */
	return xa_load(&kvm->vcpus, idx);
}

/**
 * kvm_get_vcpu_by_id() - a vCPU by the id that user space gave it
 * @kvm: the VM
 * @id: vcpu id
 *
 * Return: the vCPU, or NULL.
 */
struct kvm_vcpu *kvm_get_vcpu_by_id(struct kvm *kvm, int id);

#define kvm_for_each_vcpu(i, vcpu, kvm)					\
	for ((i) = 0; ((vcpu) = kvm_get_vcpu((kvm), (i))); (i)++)

/**
 * kvm_get_kvm() / kvm_put_kvm() / kvm_get_kvm_safe() - references to a VM
 * @kvm: the VM
 *
 * The last put destroys it (may sleep). _safe fails (false) if it is going.
 * kvm_get_kvm_safe and kvm_put_kvm are looked up by vfio by these names.
 */
void kvm_get_kvm(struct kvm *kvm);
bool kvm_get_kvm_safe(struct kvm *kvm);
void kvm_put_kvm(struct kvm *kvm);

/**
 * kvm_running_vcpu() - the vCPU loaded on this CPU, or NULL
 *
 * For interrupt handlers (perf callbacks, posted interrupts). Preemption off.
 */
struct kvm_vcpu *kvm_running_vcpu(void);

#define kvm_err(fmt, ...)	pr_err("kvm: " fmt, ##__VA_ARGS__)
#define kvm_info(fmt, ...)	pr_info("kvm: " fmt, ##__VA_ARGS__)

#endif
