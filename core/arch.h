/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between core/ and an architecture: what core calls, resolved
 * at link time. An architecture embeds struct kvm and struct kvm_vcpu in its
 * own structures; core never looks inside those.
 *
 * Results: 0 or a positive value on success, -errno as the ABI document says.
 */
#ifndef CORE_ARCH_H
#define CORE_ARCH_H

#include "core/kvm.h"

struct kvm_irq_routing_entry;
struct kvm_kernel_irq_routing_entry;
struct file;

/* ---- the machine ------------------------------------------------------- */

/**
 * kvm_arch_module_init() / kvm_arch_module_exit() - kvm.ko comes and goes: what
 *	the architecture needs before any vendor (caches, work queues)
 *
 * Return: 0, -ENOMEM.
 */
int kvm_arch_module_init(void);
void kvm_arch_module_exit(void);

/**
 * kvm_arch_cpu_enable() / kvm_arch_cpu_disable() - virtualization on this CPU
 *
 * Context: preemption off on the CPU in question (hotplug or IPI).
 * Return: 0, or -EBUSY/-EIO if this CPU can't.
 */
int kvm_arch_cpu_enable(void);
void kvm_arch_cpu_disable(void);

/**
 * kvm_arch_check_extension() - KVM_CHECK_EXTENSION
 * @kvm: the VM, or NULL on the system fd
 * @cap: KVM_CAP_*
 *
 * Asked for what core itself does not answer. Return: 0 if absent.
 */
int kvm_arch_check_extension(struct kvm *kvm, long cap);

/**
 * kvm_arch_dev_ioctl() - system ioctls that core does not know
 * @filp: open /dev/kvm
 * @ioctl: number
 * @arg: argument
 *
 * Return: >= 0, or -errno; -EINVAL for an unknown number.
 */
long kvm_arch_dev_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg);

/* ---- a VM -------------------------------------------------------------- */

/**
 * kvm_arch_vm_alloc() - memory for a VM of this type, zeroed
 * @type: argument of KVM_CREATE_VM
 *
 * Return: the embedded struct kvm, ERR_PTR(-EINVAL) for an unknown type,
 * ERR_PTR(-ENOMEM).
 */
struct kvm *kvm_arch_vm_alloc(unsigned long type);
void kvm_arch_vm_free(struct kvm *kvm);

/**
 * kvm_arch_vm_init() - make the arch half of a VM
 * @kvm: its core half is ready (locks, empty slots, buses, mm)
 *
 * Return: 0 or -errno; then nothing is left behind.
 */
int kvm_arch_vm_init(struct kvm *kvm);

/**
 * kvm_arch_vm_pre_destroy() - stop timers and workers that reach into the VM
 * @kvm: no vCPU runs any more; buses and slots still exist
 */
void kvm_arch_vm_pre_destroy(struct kvm *kvm);

/**
 * kvm_arch_vm_destroy() - undo kvm_arch_vm_init(), free all vCPUs first with
 *	kvm_vcpus_destroy()
 * @kvm: no notifier, no bus device, no user is left
 */
void kvm_arch_vm_destroy(struct kvm *kvm);

/**
 * kvm_arch_vm_ioctl() - VM ioctls that core does not know
 * Return: >= 0, or -errno; -ENOTTY for an unknown number.
 */
long kvm_arch_vm_ioctl(struct kvm *kvm, unsigned int ioctl, unsigned long arg);

/**
 * kvm_arch_vm_compat_ioctl() - VM ioctls of a 32-bit process whose structures differ
 * Where the kernel has CONFIG_COMPAT.
 * Return: as kvm_arch_vm_ioctl(); -ENOIOCTLCMD: the same in 32 and 64 bit.
 */
long kvm_arch_vm_compat_ioctl(struct kvm *kvm, unsigned int ioctl, unsigned long arg);

/**
 * kvm_arch_vm_enable_cap() - KVM_ENABLE_CAP on a VM, for caps core does not know
 * Return: 0 or -EINVAL.
 */
int kvm_arch_vm_enable_cap(struct kvm *kvm, struct kvm_enable_cap *cap);

/* ---- a vCPU ------------------------------------------------------------ */

/**
 * kvm_arch_vcpu_precreate() - may a vCPU of this id be made now?
 * Context: kvm->lock held. Return: 0, -EINVAL.
 */
int kvm_arch_vcpu_precreate(struct kvm *kvm, unsigned int id);

/**
 * kvm_arch_vcpu_alloc() / kvm_arch_vcpu_free() - memory for a vCPU, zeroed
 * Return: the embedded struct kvm_vcpu or ERR_PTR.
 */
struct kvm_vcpu *kvm_arch_vcpu_alloc(struct kvm *kvm);
void kvm_arch_vcpu_free(struct kvm_vcpu *vcpu);

/**
 * kvm_arch_vcpu_create() - make the arch half
 * @vcpu: kvm, id and run are set; not yet visible to others
 *
 * Return: 0 or -errno (nothing left behind).
 */
int kvm_arch_vcpu_create(struct kvm_vcpu *vcpu);

/**
 * kvm_arch_vcpu_postcreate() - it is visible now
 * Context: kvm->lock dropped; sleeps.
 */
void kvm_arch_vcpu_postcreate(struct kvm_vcpu *vcpu);
void kvm_arch_vcpu_destroy(struct kvm_vcpu *vcpu);

/**
 * kvm_arch_vcpu_load() / kvm_arch_vcpu_put() - the thread came onto / leaves @cpu
 * Context: preemption off.
 */
void kvm_arch_vcpu_load(struct kvm_vcpu *vcpu, int cpu);
void kvm_arch_vcpu_put(struct kvm_vcpu *vcpu);

/**
 * kvm_arch_vcpu_run() - KVM_RUN
 * @vcpu: loaded by core, vcpu->mutex held, signal mask set
 *
 * Return: 0 with vcpu->run->exit_reason filled, -EINTR with KVM_EXIT_INTR,
 * or -errno.
 */
int kvm_arch_vcpu_run(struct kvm_vcpu *vcpu);

/**
 * kvm_arch_vcpu_ioctl() - vCPU ioctls that core does not know, vcpu->mutex held
 * Not loaded: an ioctl that needs vendor state calls kvm_vcpu_load/put itself.
 * Return: >= 0 or -errno; -EINVAL for an unknown number.
 */
long kvm_arch_vcpu_ioctl(struct kvm_vcpu *vcpu, unsigned int ioctl, unsigned long arg);

/**
 * kvm_arch_vcpu_async_ioctl() - those that must not wait for vcpu->mutex
 *	(KVM_INTERRUPT and the like)
 * Return: -ENOIOCTLCMD if it is not one of these.
 */
long kvm_arch_vcpu_async_ioctl(struct kvm_vcpu *vcpu, unsigned int ioctl, unsigned long arg);

/**
 * kvm_arch_vcpu_fault() - pages of the vCPU's mmap behind those of core
 * @vcpu: the vCPU
 * @pgoff: page offset
 *
 * Return: the page (no reference taken), or NULL (SIGBUS).
 */
struct page *kvm_arch_vcpu_page(struct kvm_vcpu *vcpu, unsigned long pgoff);

/**
 * kvm_arch_vcpu_runnable() - is there something for a halted vCPU to do?
 *
 * Context: the vCPU's thread, loaded: its registers are asked.
 */
bool kvm_arch_vcpu_runnable(struct kvm_vcpu *vcpu);

/**
 * kvm_arch_vcpu_awaited() - has anything arrived for a sleeping vCPU, which will have it
 *	run once it is awake? Any thread may ask; a hint for directed yield.
 */
bool kvm_arch_vcpu_awaited(struct kvm_vcpu *vcpu);

/**
 * kvm_arch_vcpu_in_kernel() - was it preempted in supervisor mode? (yield_to)
 */
bool kvm_arch_vcpu_in_kernel(struct kvm_vcpu *vcpu);

/**
 * kvm_arch_vcpu_should_kick() - does an IPI make it leave guest mode?
 * Does cmpxchg(mode, IN_GUEST -> EXITING). Context: preemption off.
 */
bool kvm_arch_vcpu_should_kick(struct kvm_vcpu *vcpu);

/**
 * kvm_arch_async_pf_done() - a page that the vCPU waits for has come, or never will
 * (core/async_pf.h): make it look
 *
 * Context: a worker, spinlock held. Does not sleep.
 */
void kvm_arch_async_pf_done(struct kvm_vcpu *vcpu);

/* ---- memory ------------------------------------------------------------ */

/**
 * kvm_arch_prepare_slot() - may this change be made; allocate new->arch
 * @old: slot that goes, or NULL
 * @new: slot that comes, or NULL (deletion)
 * @change: CREATE and MOVE: allocate new->arch. FLAGS_ONLY: new->arch is
 *	old->arch already, and is carried over (the MMU's state in it is live).
 *
 * Called before anything is visible; nothing fails after it.
 * Context: slots_lock. Return: 0, -EINVAL, -ENOMEM; then nothing is left.
 */
int kvm_arch_prepare_slot(struct kvm *kvm, const struct kvm_memory_slot *old,
			  struct kvm_memory_slot *new, enum kvm_mr_change change);

/**
 * kvm_arch_commit_slot() - the change is published: start or stop write
 *	protection, free large page bookkeeping ...
 */
void kvm_arch_commit_slot(struct kvm *kvm, struct kvm_memory_slot *old,
			  const struct kvm_memory_slot *new, enum kvm_mr_change change);

/**
 * kvm_arch_free_slot() - free slot->arch; no reader is left
 *
 * slot->arch may be NULL: carried over to another slot, or never made.
 */
void kvm_arch_free_slot(struct kvm *kvm, struct kvm_memory_slot *slot);

/**
 * kvm_arch_flush_shadow_slot() - drop every translation into a slot that is
 *	about to be deleted or moved (already invisible); flushes TLBs
 */
void kvm_arch_flush_shadow_slot(struct kvm *kvm, struct kvm_memory_slot *slot);

/** kvm_arch_flush_shadow_all() - the process is going: drop all translations */
void kvm_arch_flush_shadow_all(struct kvm *kvm);

/**
 * kvm_arch_slots_updated() - the generation of an address space changed (MMIO
 *	caches). Context: slots_lock.
 */
void kvm_arch_slots_updated(struct kvm *kvm, u64 generation);

/**
 * kvm_arch_unmap_gfns() / kvm_arch_age_gfns() / kvm_arch_test_age_gfns() -
 *	what the host's mm asks of the translations of [start, end)
 * @slot: the slot that they are in
 * @may_block: may drop mmu_lock to reschedule
 *
 * Context: mmu_lock held for write.
 * Return: whether TLBs must be flushed / whether one was young.
 */
bool kvm_arch_unmap_gfns(struct kvm *kvm, struct kvm_memory_slot *slot,
			 gfn_t start, gfn_t end, bool may_block);
bool kvm_arch_age_gfns(struct kvm *kvm, struct kvm_memory_slot *slot,
		       gfn_t start, gfn_t end);
bool kvm_arch_test_age_gfns(struct kvm *kvm, struct kvm_memory_slot *slot,
			    gfn_t start, gfn_t end);

/**
 * kvm_arch_write_protect_gfns() - make pages of a slot fault on their next
 *	write (or clear their D bits)
 * @slot: the slot
 * @base: first page, relative to the slot, a multiple of BITS_PER_LONG
 * @mask: which of the next BITS_PER_LONG
 *
 * Context: mmu_lock held for write. The caller flushes TLBs.
 */
void kvm_arch_write_protect_gfns(struct kvm *kvm, struct kvm_memory_slot *slot,
				 gfn_t base, unsigned long mask);

/** kvm_arch_sync_dirty_log() - collect what hardware buffers hold (PML) */
void kvm_arch_sync_dirty_log(struct kvm *kvm, struct kvm_memory_slot *slot);

/** kvm_arch_vcpu_as_id() - address space that the vCPU sees now (SMM: 1) */
int kvm_arch_vcpu_as_id(struct kvm_vcpu *vcpu);

/* ---- interrupts -------------------------------------------------------- */

/** kvm_arch_irqchip_in_kernel() - is there any in-kernel interrupt controller? */
bool kvm_arch_irqchip_in_kernel(struct kvm *kvm);

/** kvm_arch_irqfd_allowed() - may an irqfd (with resample) be made? */
bool kvm_arch_irqfd_allowed(struct kvm *kvm, const struct kvm_irqfd *args);

/**
 * kvm_arch_set_routing_entry() - fill the kernel's form of a GSI route
 * @e: to fill: type, gsi set; set() and its parameters are the arch's
 * @ue: checked copy from user space
 *
 * Return: 0 or -EINVAL.
 */
int kvm_arch_set_routing_entry(struct kvm *kvm,
			       struct kvm_kernel_irq_routing_entry *e,
			       const struct kvm_irq_routing_entry *ue);

/** kvm_arch_irq_routing_updated() - a new table is visible (IOAPIC scan) */
void kvm_arch_irq_routing_updated(struct kvm *kvm);

/** kvm_arch_irq_routing_allowed() - KVM_SET_GSI_ROUTING possible? */
bool kvm_arch_irq_routing_allowed(struct kvm *kvm);

/**
 * kvm_arch_set_irq_inatomic() - deliver without sleeping or taking sleeping
 *	locks
 * Return: -EWOULDBLOCK if the slow way must be taken; else as ->set().
 */
int kvm_arch_set_irq_inatomic(struct kvm_kernel_irq_routing_entry *e,
			      struct kvm *kvm, int irq_source_id, int level,
			      bool line_status);

#endif
