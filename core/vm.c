// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM: its birth and death, its file descriptor and its ioctls, and what core
 * answers to KVM_CHECK_EXTENSION. Each ioctl's work is done in the room that
 * owns its subject; here its argument is copied in, and the door is guarded.
 */
#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core/arch.h"
#include "core/device.h"
#include "core/dirty_ring.h"
#include "core/guest_memory.h"
#include "core/io_bus.h"
#include "core/irq_routing.h"
#include "core/main.h"
#include "core/memslot.h"
#include "core/power.h"
#include "core/vcpu.h"
#include "core/vm.h"

/* Guards vm_list. Innermost of the mutexes. */
static DEFINE_MUTEX(vm_list_lock);
static LIST_HEAD(vm_list);

void kvm_for_each_vm(void (*fn)(struct kvm *kvm, void *arg), void *arg)
{
	struct kvm *kvm;

	mutex_lock(&vm_list_lock);
	list_for_each_entry(kvm, &vm_list, vm_list)
		fn(kvm, arg);
	mutex_unlock(&vm_list_lock);
}
EXPORT_SYMBOL_GPL(kvm_for_each_vm);

int kvm_check_owner(struct kvm *kvm)
{
	if (kvm->mm != current->mm || READ_ONCE(kvm->dead))
		return -EIO;
	return 0;
}

/* ---- what core can do -------------------------------------------------- */

long kvm_check_extension(struct kvm *kvm, long cap)
{
	switch (cap) {
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_USER_MEMORY2:
	case KVM_CAP_DESTROY_MEMORY_REGION_WORKS:
	case KVM_CAP_JOIN_MEMORY_REGIONS_WORKS:
	case KVM_CAP_READONLY_MEM:
	case KVM_CAP_SYNC_MMU:
	case KVM_CAP_IRQFD:
	case KVM_CAP_IRQFD_RESAMPLE:
	case KVM_CAP_IOEVENTFD:
	case KVM_CAP_IOEVENTFD_NO_LENGTH:
	case KVM_CAP_IOEVENTFD_ANY_LENGTH:
	case KVM_CAP_SIGNAL_MSI:
	case KVM_CAP_IRQ_INJECT_STATUS:
	case KVM_CAP_CHECK_EXTENSION_VM:
	case KVM_CAP_ENABLE_CAP_VM:
	case KVM_CAP_HALT_POLL:
	case KVM_CAP_COALESCED_PIO:
	case KVM_CAP_BINARY_STATS_FD:
		return 1;
	case KVM_CAP_COALESCED_MMIO:
		return KVM_COALESCED_MMIO_PAGE_OFFSET;
	case KVM_CAP_IRQ_ROUTING:
		return KVM_MAX_IRQ_ROUTES;
	case KVM_CAP_NR_MEMSLOTS:
		return KVM_USER_MEM_SLOTS;
	case KVM_CAP_NR_VCPUS:
		return min_t(long, num_online_cpus(), kvm ? kvm->max_vcpus : KVM_MAX_VCPUS);
	case KVM_CAP_MAX_VCPUS:
		return kvm ? kvm->max_vcpus : KVM_MAX_VCPUS;
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		return KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET;
	case KVM_CAP_DIRTY_LOG_RING:
	case KVM_CAP_DIRTY_LOG_RING_ACQ_REL:
		return KVM_DIRTY_RING_MAX_BYTES;
	case KVM_CAP_DEVICE_CTRL:
		return kvm_has_device_types();
	default:
		return kvm_arch_check_extension(kvm, cap);
	}
}

/* ---- ioctls ------------------------------------------------------------ */

static long vm_enable_cap(struct kvm *kvm, struct kvm_enable_cap *cap)
{
	u64 allowed;

	switch (cap->cap) {
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		/* the second makes no sense without the first */
		allowed = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE;
		if (cap->args[0] & KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE)
			allowed |= KVM_DIRTY_LOG_INITIALLY_SET;
		if (cap->flags || (cap->args[0] & ~allowed))
			return -EINVAL;
		mutex_lock(&kvm->slots_lock);
		kvm->manual_dirty_log = cap->args[0];
		mutex_unlock(&kvm->slots_lock);
		return 0;
	case KVM_CAP_DIRTY_LOG_RING:
	case KVM_CAP_DIRTY_LOG_RING_ACQ_REL:
		return cap->flags ? -EINVAL : kvm_dirty_ring_enable(kvm, cap->args[0]);
	case KVM_CAP_HALT_POLL:
		if (cap->flags || cap->args[0] > UINT_MAX)
			return -EINVAL;
		WRITE_ONCE(kvm->max_halt_poll_ns, cap->args[0]);
		/* pairs with the acquire in sched.c */
		smp_store_release(&kvm->override_halt_poll_ns, true);
		return 0;
	default:
		return kvm_arch_vm_enable_cap(kvm, cap);
	}
}

static long vm_set_memory(struct kvm *kvm, unsigned int ioctl, void __user *argp)
{
	struct kvm_userspace_memory_region2 mem = { };
	size_t size = sizeof(mem);

	/* the older structure is the start of the newer one */
	if (ioctl == KVM_SET_USER_MEMORY_REGION)
		size = sizeof(struct kvm_userspace_memory_region);
	if (copy_from_user(&mem, argp, size))
		return -EFAULT;
	return kvm_set_memory_region(kvm, &mem);
}

static long vm_set_gsi_routing(struct kvm *kvm, void __user *argp)
{
	struct kvm_irq_routing_entry *entries = NULL;
	struct kvm_irq_routing routing;
	long ret;

	if (copy_from_user(&routing, argp, sizeof(routing)))
		return -EFAULT;
	if (!kvm_arch_irq_routing_allowed(kvm) ||
	    routing.nr > KVM_MAX_IRQ_ROUTES || routing.flags)
		return -EINVAL;
	if (routing.nr) {
		entries = vmemdup_user(argp + sizeof(routing),
				       array_size(routing.nr, sizeof(*entries)));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}
	ret = kvm_set_irq_routing(kvm, entries, routing.nr, routing.flags);
	kvfree(entries);
	return ret;
}

static long vm_irq_line(struct kvm *kvm, unsigned int ioctl, void __user *argp)
{
	struct kvm_irq_level irq;
	bool want_status = ioctl == KVM_IRQ_LINE_STATUS;

	if (copy_from_user(&irq, argp, sizeof(irq)))
		return -EFAULT;
	if (!kvm_arch_irqchip_in_kernel(kvm))
		return -ENXIO;
	irq.status = kvm_set_irq(kvm, KVM_USERSPACE_IRQ_SOURCE_ID, irq.irq,
				 irq.level, want_status);
	if (want_status && copy_to_user(argp, &irq, sizeof(irq)))
		return -EFAULT;
	return 0;
}

static long vm_create_device(struct kvm *kvm, void __user *argp)
{
	struct kvm_create_device cd;
	long ret;

	if (copy_from_user(&cd, argp, sizeof(cd)))
		return -EFAULT;
	/* before the device is made: afterwards its fd can't be taken back */
	if (!(cd.flags & KVM_CREATE_DEVICE_TEST) &&
	    copy_to_user(argp, &cd, sizeof(cd)))
		return -EFAULT;
	ret = kvm_ioctl_create_device(kvm, &cd);
	if (!ret && copy_to_user(argp, &cd, sizeof(cd)))
		return -EFAULT;
	return ret;
}

/*
 * Copy an argument in, then do @call with it as "a"; the ioctls that write
 * nothing back.
 */
#define WITH_ARG(type, call)						\
({									\
	type a;								\
									\
	copy_from_user(&a, argp, sizeof(a)) ? -EFAULT : (call);		\
})

long kvm_vm_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	struct kvm *kvm = filp->private_data;
	void __user *argp = (void __user *)arg;
	int err;

	err = kvm_check_owner(kvm);
	if (err)
		return err;

	switch (ioctl) {
	case KVM_CREATE_VCPU:
		return kvm_create_vcpu(kvm, arg);
	case KVM_CHECK_EXTENSION:
		return kvm_check_extension(kvm, arg);
	case KVM_ENABLE_CAP:
		return WITH_ARG(struct kvm_enable_cap, vm_enable_cap(kvm, &a));
	case KVM_SET_USER_MEMORY_REGION:
	case KVM_SET_USER_MEMORY_REGION2:
		return vm_set_memory(kvm, ioctl, argp);
	case KVM_GET_DIRTY_LOG:
		return WITH_ARG(struct kvm_dirty_log, kvm_get_dirty_log(kvm, &a));
	case KVM_CLEAR_DIRTY_LOG:
		return WITH_ARG(struct kvm_clear_dirty_log, kvm_clear_dirty_log(kvm, &a));
	case KVM_RESET_DIRTY_RINGS:
		return kvm_reset_dirty_rings(kvm);
	case KVM_REGISTER_COALESCED_MMIO:
		return WITH_ARG(struct kvm_coalesced_mmio_zone,
				kvm_register_coalesced_zone(kvm, &a));
	case KVM_UNREGISTER_COALESCED_MMIO:
		return WITH_ARG(struct kvm_coalesced_mmio_zone,
				kvm_unregister_coalesced_zone(kvm, &a));
	case KVM_IRQFD:
		return WITH_ARG(struct kvm_irqfd, kvm_irqfd(kvm, &a));
	case KVM_IOEVENTFD:
		return WITH_ARG(struct kvm_ioeventfd, kvm_ioeventfd(kvm, &a));
	case KVM_SIGNAL_MSI:
		return WITH_ARG(struct kvm_msi, kvm_signal_msi(kvm, &a));
	case KVM_IRQ_LINE:
	case KVM_IRQ_LINE_STATUS:
		return vm_irq_line(kvm, ioctl, argp);
	case KVM_SET_GSI_ROUTING:
		return vm_set_gsi_routing(kvm, argp);
	case KVM_CREATE_DEVICE:
		return vm_create_device(kvm, argp);
	case KVM_GET_STATS_FD:
		return kvm_vm_stats_fd(kvm);
	default:
		return kvm_arch_vm_ioctl(kvm, ioctl, arg);
	}
}

/* ---- birth ------------------------------------------------------------- */

static int vm_init_memslots(struct kvm *kvm)
{
	int as, i;

	for (as = 0; as < KVM_ADDRESS_SPACE_NUM; as++) {
		for (i = 0; i < 2; i++) {
			struct kvm_memslots *slots = &kvm->memslots_storage[as][i];

			slots->generation = as;
			slots->by_gfn = RB_ROOT;
			slots->by_hva = RB_ROOT_CACHED;
			hash_init(slots->by_id);
			slots->node = i;
		}
		rcu_assign_pointer(kvm->memslots[as], &kvm->memslots_storage[as][0]);
	}
	return 0;
}

/* What can't fail. */
static void vm_init_plain(struct kvm *kvm)
{
	refcount_set(&kvm->users, 1);
	mutex_init(&kvm->lock);
	mutex_init(&kvm->slots_lock);
	mutex_init(&kvm->irq_lock);
	rwlock_init(&kvm->mmu_lock);
	spin_lock_init(&kvm->mn_lock);
	rcuwait_init(&kvm->mn_waiters);
	INIT_LIST_HEAD(&kvm->vm_list);
	INIT_LIST_HEAD(&kvm->devices);
	INIT_LIST_HEAD(&kvm->ioeventfds);
	INIT_HLIST_HEAD(&kvm->irq_ack_notifiers);
	xa_init(&kvm->vcpus);
	kvm->max_vcpus = KVM_MAX_VCPUS;
	kvm->userspace_pid = task_pid_nr(current);
	snprintf(kvm->stats_id, sizeof(kvm->stats_id), "kvm-%d", kvm->userspace_pid);
	vm_init_memslots(kvm);
	kvm_irqfd_init(kvm);
}

static struct kvm *vm_new(unsigned long type)
{
	struct kvm *kvm;
	int err;

	kvm = kvm_arch_vm_alloc(type);
	if (IS_ERR(kvm))
		return kvm;
	kvm->vendor = kvm_vendor_get();
	if (!kvm->vendor) {
		err = -ENODEV;
		goto out_free;
	}
	kvm->mm = current->mm;
	mmgrab(kvm->mm);
	vm_init_plain(kvm);

	err = init_srcu_struct(&kvm->srcu);
	if (err)
		goto out_mm;
	err = init_srcu_struct(&kvm->irq_srcu);
	if (err)
		goto out_srcu;
	err = kvm_io_bus_init(kvm);
	if (err)
		goto out_irq_srcu;
	err = kvm_coalesced_mmio_init(kvm);
	if (err)
		goto out_buses;
	err = kvm_power_get();
	if (err)
		goto out_coalesced;
	err = kvm_arch_vm_init(kvm);
	if (err)
		goto out_power;
	err = kvm_mmu_notifier_init(kvm);
	if (err)
		goto out_arch;

	preempt_notifier_inc();
	mutex_lock(&vm_list_lock);
	list_add(&kvm->vm_list, &vm_list);
	mutex_unlock(&vm_list_lock);
	return kvm;

out_arch:
	kvm_arch_vm_pre_destroy(kvm);
	kvm_io_bus_destroy(kvm);
	kvm_arch_vm_destroy(kvm);
	kvm_free_irq_routing(kvm);
	kvm_free_memslots(kvm);
out_power:
	kvm_power_put();
out_coalesced:
	kvm_coalesced_mmio_free(kvm);
out_buses:
	kvm_io_bus_destroy(kvm);
out_irq_srcu:
	cleanup_srcu_struct(&kvm->irq_srcu);
out_srcu:
	cleanup_srcu_struct(&kvm->srcu);
out_mm:
	mmdrop(kvm->mm);
	module_put(kvm->vendor);
out_free:
	kvm_arch_vm_free(kvm);
	return ERR_PTR(err);
}

/* ---- death ------------------------------------------------------------- */

/*
 * Outermost first: what can reach into the VM, then what is reached. irqfds are
 * gone since the VM's own descriptor was closed.
 */
static void vm_delete(struct kvm *kvm)
{
	struct module *vendor = kvm->vendor;
	struct mm_struct *mm = kvm->mm;

	mutex_lock(&vm_list_lock);
	list_del(&kvm->vm_list);
	mutex_unlock(&vm_list_lock);
	kvm_debugfs_remove_vm(kvm);

	kvm_arch_vm_pre_destroy(kvm);
	kvm_destroy_devices(kvm);
	kvm_io_bus_destroy(kvm);
	kvm_coalesced_mmio_free(kvm);
	/* after it, nothing of the host's mm reaches us: drops all translations */
	kvm_mmu_notifier_exit(kvm);
	kvm_arch_vm_destroy(kvm);
	WARN_ON_ONCE(!xa_empty(&kvm->vcpus));
	xa_destroy(&kvm->vcpus);
	kvm_free_irq_routing(kvm);
	kvm_free_memslots(kvm);
	cleanup_srcu_struct(&kvm->irq_srcu);
	cleanup_srcu_struct(&kvm->srcu);
	kvm_arch_vm_free(kvm);

	preempt_notifier_dec();
	kvm_power_put();
	mmdrop(mm);
	module_put(vendor);
}

void kvm_get_kvm(struct kvm *kvm)
{
	refcount_inc(&kvm->users);
}
EXPORT_SYMBOL_GPL(kvm_get_kvm);

bool kvm_get_kvm_safe(struct kvm *kvm)
{
	return refcount_inc_not_zero(&kvm->users);
}
EXPORT_SYMBOL_GPL(kvm_get_kvm_safe);

void kvm_put_kvm(struct kvm *kvm)
{
	if (refcount_dec_and_test(&kvm->users))
		vm_delete(kvm);
}
EXPORT_SYMBOL_GPL(kvm_put_kvm);

/* ---- the descriptor ---------------------------------------------------- */

static int vm_release(struct inode *inode, struct file *filp)
{
	struct kvm *kvm = filp->private_data;

	kvm_irqfd_release(kvm);
	kvm_put_kvm(kvm);
	return 0;
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.release = vm_release,
	.unlocked_ioctl = kvm_vm_ioctl,
	.compat_ioctl = IS_ENABLED(CONFIG_COMPAT) ? kvm_vm_ioctl_compat : NULL,
	.llseek = noop_llseek,
};

int kvm_create_vm(unsigned long type)
{
	struct file *file;
	struct kvm *kvm;
	int fd, err;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	kvm = vm_new(type);
	if (IS_ERR(kvm)) {
		err = PTR_ERR(kvm);
		goto out_fd;
	}
	/* from here on the file owns the VM's first reference */
	file = anon_inode_getfile("kvm-vm", &vm_fops, kvm, O_RDWR);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		kvm_put_kvm(kvm);
		goto out_fd;
	}
	kvm_debugfs_add_vm(kvm, fd);
	fd_install(fd, file);
	return fd;

out_fd:
	put_unused_fd(fd);
	return err;
}
