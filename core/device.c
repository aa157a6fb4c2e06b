// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_CREATE_DEVICE: objects of a VM that user space holds by a file descriptor
 * and talks to by attributes. Owns the types and the descriptors; what a device
 * is, its operations know.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core/arch.h"
#include "core/device.h"
#include "core/vm.h"

/* Guards device_types; a type comes and goes with a module, not while VMs live. */
static DEFINE_MUTEX(device_types_lock);
static const struct kvm_device_ops *device_types[KVM_DEV_TYPE_MAX];

int kvm_register_device_ops(const struct kvm_device_ops *ops, u32 type)
{
	int err = 0;

	if (type >= ARRAY_SIZE(device_types))
		return -ENOSPC;
	mutex_lock(&device_types_lock);
	if (device_types[type])
		err = -EEXIST;
	else
		WRITE_ONCE(device_types[type], ops);
	mutex_unlock(&device_types_lock);
	return err;
}
EXPORT_SYMBOL_GPL(kvm_register_device_ops);

void kvm_unregister_device_ops(u32 type)
{
	if (type >= ARRAY_SIZE(device_types))
		return;
	mutex_lock(&device_types_lock);
	WRITE_ONCE(device_types[type], NULL);
	mutex_unlock(&device_types_lock);
}
EXPORT_SYMBOL_GPL(kvm_unregister_device_ops);

bool kvm_has_device_types(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(device_types); i++)
		if (READ_ONCE(device_types[i]))
			return true;
	return false;
}

/* ---- the descriptor ---------------------------------------------------- */

static long device_attr(struct kvm_device *dev, void __user *argp,
			int (*fn)(struct kvm_device *dev, struct kvm_device_attr *attr))
{
	struct kvm_device_attr attr;

	if (!fn)
		return -EPERM;
	if (copy_from_user(&attr, argp, sizeof(attr)))
		return -EFAULT;
	return fn(dev, &attr);
}

static long device_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	struct kvm_device *dev = filp->private_data;
	void __user *argp = (void __user *)arg;
	int err;

	err = kvm_check_owner(dev->kvm);
	if (err)
		return err;
	switch (ioctl) {
	case KVM_SET_DEVICE_ATTR:
		return device_attr(dev, argp, dev->ops->set_attr);
	case KVM_GET_DEVICE_ATTR:
		return device_attr(dev, argp, dev->ops->get_attr);
	case KVM_HAS_DEVICE_ATTR:
		return device_attr(dev, argp, dev->ops->has_attr);
	default:
		return -ENOTTY;
	}
}

static int device_release(struct inode *inode, struct file *filp)
{
	struct kvm_device *dev = filp->private_data;
	struct kvm *kvm = dev->kvm;

	if (dev->ops->release) {
		mutex_lock(&kvm->lock);
		list_del(&dev->node);
		dev->ops->release(dev);
		mutex_unlock(&kvm->lock);
	}
	kvm_put_kvm(kvm);
	return 0;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

/* ---- birth and death --------------------------------------------------- */

int kvm_ioctl_create_device(struct kvm *kvm, struct kvm_create_device *cd)
{
	const struct kvm_device_ops *ops;
	struct kvm_device *dev;
	struct file *file;
	int fd, err;

	if (cd->flags & ~KVM_CREATE_DEVICE_TEST)
		return -EINVAL;
	if (cd->type >= ARRAY_SIZE(device_types))
		return -ENODEV;
	ops = READ_ONCE(device_types[array_index_nospec(cd->type, ARRAY_SIZE(device_types))]);
	if (!ops)
		return -ENODEV;
	if (cd->flags & KVM_CREATE_DEVICE_TEST)
		return 0;

	dev = kzalloc(sizeof(*dev), GFP_KERNEL_ACCOUNT);
	if (!dev)
		return -ENOMEM;
	dev->ops = ops;
	dev->kvm = kvm;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		kfree(dev);
		return fd;
	}

	mutex_lock(&kvm->lock);
	err = ops->create(dev, cd->type);
	if (!err)
		list_add(&dev->node, &kvm->devices);
	mutex_unlock(&kvm->lock);
	if (err) {
		kfree(dev);
		goto out_fd;
	}
	if (ops->init)
		ops->init(dev);

	/* the file's reference, before there is a file */
	kvm_get_kvm(kvm);
	file = anon_inode_getfile(ops->name, &device_fops, dev, O_RDWR);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		kvm_put_kvm(kvm);
		mutex_lock(&kvm->lock);
		list_del(&dev->node);
		if (ops->release)
			ops->release(dev);
		else
			ops->destroy(dev);
		mutex_unlock(&kvm->lock);
		goto out_fd;
	}
	cd->fd = fd;
	fd_install(fd, file);
	return 0;

out_fd:
	put_unused_fd(fd);
	return err;
}

void kvm_destroy_devices(struct kvm *kvm)
{
	struct kvm_device *dev, *next;

	list_for_each_entry_safe(dev, next, &kvm->devices, node) {
		list_del(&dev->node);
		dev->ops->destroy(dev);
	}
}
