/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory as core reads and writes it: through the process's page tables,
 * never pinned. By gpa; by a cache of one small range; and the pfn behind a
 * gfn for the MMU.
 *
 * "sleeps" below means: may fault the page in. The _atomic forms never do.
 */
#ifndef CORE_GUEST_MEMORY_H
#define CORE_GUEST_MEMORY_H

#include "core/kvm.h"

/**
 * kvm_read_guest() / kvm_write_guest() - copy between host and guest memory
 * @kvm: the VM (address space 0)
 * @gpa: start; may cross pages and slots
 * @data: kernel buffer
 * @len: bytes
 *
 * Sleeps. Return: 0, -EFAULT (no slot, read-only, or the process's page is gone).
 */
int kvm_read_guest(struct kvm *kvm, gpa_t gpa, void *data, unsigned long len);
int kvm_write_guest(struct kvm *kvm, gpa_t gpa, const void *data, unsigned long len);
int kvm_clear_guest(struct kvm *kvm, gpa_t gpa, unsigned long len);

/** kvm_vcpu_read_guest() / kvm_vcpu_write_guest() - likewise, as the vCPU sees memory */
int kvm_vcpu_read_guest(struct kvm_vcpu *vcpu, gpa_t gpa, void *data, unsigned long len);
int kvm_vcpu_write_guest(struct kvm_vcpu *vcpu, gpa_t gpa, const void *data, unsigned long len);

/** kvm_vcpu_read_guest_atomic() - within one page, never sleeps. 0 or -EFAULT */
int kvm_vcpu_read_guest_atomic(struct kvm_vcpu *vcpu, gpa_t gpa, void *data, unsigned long len);

/**
 * kvm_vcpu_read_entry() - likewise, of a page table: by one load
 * @vcpu: the vCPU
 * @gpa: naturally aligned
 * @entry: 8 bytes
 * @len: 4 or 8; the upper half of an entry of 4 is left alone
 *
 * Sleeps, unless page faults are disabled. Return: 0, -EFAULT.
 */
int kvm_vcpu_read_entry(struct kvm_vcpu *vcpu, gpa_t gpa, void *entry, unsigned int len);

/**
 * kvm_vcpu_peek_guest() - likewise, of code: 16 bytes at most, by two loads where it can
 * @vcpu: the vCPU
 * @gpa: start
 * @data: at least 16 bytes; what is behind @len is undefined
 * @len: 1 to 16, within one page
 *
 * Context: pagefault_disable(); slots are read. Return: 0, -EFAULT.
 */
int kvm_vcpu_peek_guest(struct kvm_vcpu *vcpu, gpa_t gpa, void *data, unsigned int len);

/**
 * kvm_vcpu_cmpxchg_guest() - compare and exchange in guest memory
 * @vcpu: the vCPU
 * @gpa: naturally aligned
 * @old: expected; receives what was there
 * @new: to store
 * @bytes: 1, 2, 4, 8 (16 where the CPU has it)
 *
 * Sleeps. Return: 0 exchanged, 1 not equal, -EFAULT, -EOPNOTSUPP for a size.
 */
int kvm_vcpu_cmpxchg_guest(struct kvm_vcpu *vcpu, gpa_t gpa, void *old,
			   const void *new, int bytes);

/**
 * struct kvm_gpa_cache - a small range that is read or written again and again
 *	(kvmclock, steal time, pv eoi). Revalidated when slots change.
 */
struct kvm_gpa_cache {
	u64 generation;
	gpa_t gpa;
	unsigned long hva;
	unsigned long len;
	struct kvm_memory_slot *slot;
};

/** kvm_gpa_cache_init() - 0, or -EINVAL/-EFAULT if it does not lie in slots */
int kvm_gpa_cache_init(struct kvm *kvm, struct kvm_gpa_cache *ghc, gpa_t gpa, unsigned long len);
/** kvm_write_guest_cached() / kvm_read_guest_cached() - at an offset; sleeps.
 *  Context: kvm->srcu held. 0 or -EFAULT */
int kvm_write_guest_cached(struct kvm *kvm, struct kvm_gpa_cache *ghc, const void *data,
			   unsigned int offset, unsigned long len);
int kvm_read_guest_cached(struct kvm *kvm, struct kvm_gpa_cache *ghc, void *data,
			  unsigned int offset, unsigned long len);

/**
 * struct kvm_page_fault_pfn - the answer of kvm_faultin_pfn()
 * @pfn: frame
 * @writable: may be mapped writable
 * @page: referenced page to release with kvm_release_faultin(), or NULL for a
 *	frame without struct page (VM_PFNMAP)
 */
struct kvm_faultin {
	kvm_pfn_t pfn;
	bool writable;
	struct page *page;
};

/* How far kvm_faultin_pfn() may go for a page that is not there. */
enum kvm_faultin_how {
	KVM_FAULTIN_WAIT,	/* as far as it takes */
	KVM_FAULTIN_NOWAIT,	/* no waiting for a device or for user space; may sleep */
};

/**
 * kvm_faultin_pfn() - make the page behind a gfn present and name its frame
 * @slot: usable slot that contains @gfn
 * @gfn: the frame
 * @write: the guest wants to write
 * @how: enum kvm_faultin_how
 * @out: answer; on success call kvm_release_faultin()
 *
 * The caller reads kvm->invalidate_seq first and calls
 * kvm_invalidate_retry() under mmu_lock before it maps.
 * Return: 0; -EFAULT (bad hva, or write to what the process may not write);
 * -EHWPOISON; -EINTR (signal pending); -EAGAIN; -EBUSY: it would have to wait.
 * Sleeps.
 */
int kvm_faultin_pfn(struct kvm_memory_slot *slot, gfn_t gfn, bool write,
		    enum kvm_faultin_how how, struct kvm_faultin *out);

/**
 * kvm_faultin_pfn_irqoff() - likewise, if the process has used and written the page itself,
 *	and may still: then its own page tables say all that is to be said of it
 * @kvm: the VM
 * @slot: its slot, writable
 * @gfn: page
 * @pfn: frame, writable; there is nothing to release
 * @shift: log2 of the size of the host's page
 *
 * Context: IRQs off, mmu_lock held, and kvm_invalidating() is false: what is read stays true
 * until the lock drops, since an invalidation takes it before anything changes.
 * Return: false: not such a page, or it needs a closer look: kvm_faultin_pfn().
 */
bool kvm_faultin_pfn_irqoff(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn,
			    kvm_pfn_t *pfn, int *shift);

/** kvm_release_faultin() - drop the reference; @dirty: it was mapped writable.
 *  Callable under mmu_lock. */
void kvm_release_faultin(struct kvm_faultin *f, bool dirty);

/** kvm_host_mapping_level() - log2 of the host's mapping at hva of (slot,gfn):
 *  12, 21 or 30. Context: mmu_lock (IRQs may be on), after the retry check. */
int kvm_host_mapping_shift(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn);

/** kvm_invalidating() - is the host invalidating anything around @gfn? mmu_lock held. */
static inline bool kvm_invalidating(struct kvm *kvm, gfn_t gfn)
{
	lockdep_assert_held(&kvm->mmu_lock);
	return kvm->invalidate_in_progress &&
	       gfn >= kvm->invalidate_start && gfn < kvm->invalidate_end;
}

/**
 * kvm_invalidate_retry() - did the host invalidate anything around @gfn since @seq?
 * Context: mmu_lock held (read or write).
 */
static inline bool kvm_invalidate_retry(struct kvm *kvm, unsigned long seq, gfn_t gfn)
{
	return kvm_invalidating(kvm, gfn) || kvm->invalidate_seq != seq;
}

/** kvm_mmu_invalidate_begin()/_end() - also used by slot zapping in the arch.
 *  Context: mmu_lock for write. */
void kvm_mmu_invalidate_begin(struct kvm *kvm, gfn_t start, gfn_t end);
void kvm_mmu_invalidate_end(struct kvm *kvm);

/** kvm_mmu_notifier_init()/_exit() - register with the process's mm (mmu_notifier.c) */
int kvm_mmu_notifier_init(struct kvm *kvm);
void kvm_mmu_notifier_exit(struct kvm *kvm);

#endif
