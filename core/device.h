/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM_CREATE_DEVICE: objects of a VM with a file descriptor and attributes.
 */
#ifndef CORE_DEVICE_H
#define CORE_DEVICE_H

#include "core/kvm.h"

struct kvm_device;

struct kvm_device_ops {
	const char *name;
	int (*create)(struct kvm_device *dev, u32 type);	/* kvm->lock held */
	void (*init)(struct kvm_device *dev);			/* lock dropped */
	void (*destroy)(struct kvm_device *dev);		/* at the VM's end */
	void (*release)(struct kvm_device *dev);		/* at its fd's end, or NULL */
	int (*set_attr)(struct kvm_device *dev, struct kvm_device_attr *attr);
	int (*get_attr)(struct kvm_device *dev, struct kvm_device_attr *attr);
	int (*has_attr)(struct kvm_device *dev, struct kvm_device_attr *attr);
};

struct kvm_device {
	const struct kvm_device_ops *ops;
	struct kvm *kvm;
	void *private;
	struct list_head node;
};

/** kvm_ioctl_create_device() - the ioctl. -ENODEV unknown type, else as ops->create */
int kvm_ioctl_create_device(struct kvm *kvm, struct kvm_create_device *cd);
/** kvm_has_device_types() - is there any type to create? (KVM_CAP_DEVICE_CTRL) */
bool kvm_has_device_types(void);
void kvm_destroy_devices(struct kvm *kvm);
/** kvm_register_device_ops() - -ENOSPC, -EEXIST */
int kvm_register_device_ops(const struct kvm_device_ops *ops, u32 type);
void kvm_unregister_device_ops(u32 type);

#endif
