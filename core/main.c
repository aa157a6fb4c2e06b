// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's front door: /dev/kvm, its system ioctls, and the vendor that
 * stands behind it. Without a vendor there is no /dev/kvm. Knows nothing of
 * what a VM is made of: vm.c does.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include "core/arch.h"
#include "core/async_pf.h"
#include "core/irq_routing.h"
#include "core/main.h"
#include "core/power.h"
#include "core/vcpu.h"
#include "core/vm.h"

static bool enable_virt_at_load = true;
module_param(enable_virt_at_load, bool, 0444);
MODULE_PARM_DESC(enable_virt_at_load,
		 "turn virtualization on when a vendor module loads, not with the first VM");

/* Guards vendor. */
static DEFINE_MUTEX(vendor_lock);
static struct module *vendor;

struct module *kvm_vendor_get(void)
{
	struct module *owner;

	mutex_lock(&vendor_lock);
	owner = vendor;
	if (owner && !try_module_get(owner))
		owner = NULL;
	mutex_unlock(&vendor_lock);
	return owner;
}

static long kvm_dev_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	switch (ioctl) {
	case KVM_GET_API_VERSION:
		return arg ? -EINVAL : KVM_API_VERSION;
	case KVM_CREATE_VM:
		return kvm_create_vm(arg);
	case KVM_CHECK_EXTENSION:
		return kvm_check_extension(NULL, arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return arg ? -EINVAL : kvm_vcpu_mmap_size();
	default:
		return kvm_arch_dev_ioctl(filp, ioctl, arg);
	}
}

/*
 * Its owner is the vendor, not us: an open /dev/kvm asks the vendor what it
 * can do, and the vendor's use of our symbols pins us.
 */
static struct file_operations kvm_dev_fops = {
	.unlocked_ioctl = kvm_dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice kvm_dev = {
	.minor = KVM_MINOR,
	.name = "kvm",
	.fops = &kvm_dev_fops,
};

int kvm_register(struct module *owner)
{
	int err = -EEXIST;

	mutex_lock(&vendor_lock);
	if (vendor)
		goto out;

	/* Always tried once, so that a CPU that can't is known now. */
	err = kvm_power_get();
	if (err)
		goto out;

	kvm_dev_fops.owner = owner;
	vendor = owner;
	err = misc_register(&kvm_dev);
	if (err) {
		kvm_err("/dev/kvm can't be registered (%d)\n", err);
		vendor = NULL;
	}
	if (err || !enable_virt_at_load)
		kvm_power_put();
out:
	mutex_unlock(&vendor_lock);
	return err;
}
EXPORT_SYMBOL_GPL(kvm_register);

void kvm_unregister(void)
{
	/*
	 * The vendor is in its exit function: nobody has /dev/kvm open, and no
	 * VM is left, since both pin it.
	 */
	misc_deregister(&kvm_dev);

	mutex_lock(&vendor_lock);
	vendor = NULL;
	if (enable_virt_at_load)
		kvm_power_put();
	mutex_unlock(&vendor_lock);
}
EXPORT_SYMBOL_GPL(kvm_unregister);

static int __init kvm_init(void)
{
	int err;

	err = kvm_request_init();
	if (err)
		return err;
	err = kvm_irqfd_module_init();
	if (err)
		goto out_request;
	err = kvm_async_pf_module_init();
	if (err)
		goto out_irqfd;
	kvm_debugfs_init();

	err = kvm_arch_module_init();
	if (err)
		goto out_debugfs;
	return 0;

out_debugfs:
	kvm_debugfs_exit();
	kvm_async_pf_module_exit();
out_irqfd:
	kvm_irqfd_module_exit();
out_request:
	kvm_request_exit();
	return err;
}

static void __exit kvm_exit(void)
{
	kvm_arch_module_exit();
	kvm_debugfs_exit();
	kvm_async_pf_module_exit();
	kvm_irqfd_module_exit();
	kvm_request_exit();

	/*
	 * mmu_notifier_put(), call_rcu() and the like of ours have run before
	 * our text goes.
	 */
	mmu_notifier_synchronize();
	rcu_barrier();
}

module_init(kvm_init);
module_exit(kvm_exit);

MODULE_DESCRIPTION("KVM: the hypervisor's part that every vendor shares");
MODULE_AUTHOR("The kvm-kmod authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(KVM_KMOD_VERSION);
MODULE_ALIAS_MISCDEV(KVM_MINOR);
MODULE_ALIAS("devname:kvm");
