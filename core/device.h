/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM_CREATE_DEVICE: objects of a VM with a file descriptor and attributes.
 */
#ifndef CORE_DEVICE_H
#define CORE_DEVICE_H

#include "core/kvm.h"

struct kvm_device;

/**
 * struct kvm_device_ops - a type of device
 * @name: of its file, as /proc shows it
 * @create: make it; 0 or -errno. Context: kvm->lock held
 * @init: what must be done without kvm->lock; may be NULL
 * @destroy: undo @create and free @dev, at the VM's end
 * @release: the same at the end of its descriptor, kvm->lock held; NULL for one
 *	that lives as long as the VM
 * @set_attr/@get_attr/@has_attr: KVM_*_DEVICE_ATTR; NULL: -EPERM
 */
struct kvm_device_ops {
	const char *name;
	int (*create)(struct kvm_device *dev, u32 type);
	void (*init)(struct kvm_device *dev);
	void (*destroy)(struct kvm_device *dev);
	void (*release)(struct kvm_device *dev);
	int (*set_attr)(struct kvm_device *dev, struct kvm_device_attr *attr);
	int (*get_attr)(struct kvm_device *dev, struct kvm_device_attr *attr);
	int (*has_attr)(struct kvm_device *dev, struct kvm_device_attr *attr);
};

/**
 * struct kvm_device - a device of a VM
 * @ops: its type
 * @kvm: the VM; its descriptor holds the reference
 * @private: the type's own
 * @node: in kvm->devices (kvm->lock)
 */
struct kvm_device {
	const struct kvm_device_ops *ops;
	struct kvm *kvm;
	void *private;
	struct list_head node;
};

/**
 * kvm_ioctl_create_device() - KVM_CREATE_DEVICE
 * @kvm: the VM
 * @cd: copy of user space's; receives the descriptor
 *
 * Return: 0; -EINVAL (flags), -ENODEV (type), -ENOMEM, -EMFILE, or what its
 * create() says.
 */
int kvm_ioctl_create_device(struct kvm *kvm, struct kvm_create_device *cd);
/** kvm_has_device_types() - is there any type to create? (KVM_CAP_DEVICE_CTRL) */
bool kvm_has_device_types(void);

/** kvm_destroy_devices() - at the VM's end: no descriptor is left */
void kvm_destroy_devices(struct kvm *kvm);

/**
 * kvm_register_device_ops() / kvm_unregister_device_ops() - offer a type
 * @ops: it
 * @type: KVM_DEV_TYPE_*
 *
 * Return: 0, -ENOSPC (no such number), -EEXIST.
 */
int kvm_register_device_ops(const struct kvm_device_ops *ops, u32 type);
void kvm_unregister_device_ops(u32 type);

#endif
