// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM ioctls of 32-bit processes whose structures hold a pointer: translated to the
 * 64-bit form. Built only where the kernel has CONFIG_COMPAT.
 */
#include <linux/compat.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "arch-x86/cpu/msr.h"
#include "core/arch.h"

struct msr_filter_range32 {
	u32 flags;
	u32 nmsrs;
	u32 base;
	compat_uptr_t bitmap;
};

struct msr_filter32 {
	u32 flags;
	struct msr_filter_range32 ranges[KVM_MSR_FILTER_MAX_RANGES];
};

#define KVM_X86_SET_MSR_FILTER32	_IOW(KVMIO, 0xc6, struct msr_filter32)

static long set_msr_filter32(struct x86_vm *vm, void __user *argp)
{
	struct msr_filter32 *filter32;
	struct kvm_msr_filter *filter;
	unsigned int i;
	long r;

	filter32 = memdup_user(argp, sizeof(*filter32));
	if (IS_ERR(filter32))
		return PTR_ERR(filter32);
	filter = kzalloc(sizeof(*filter), GFP_KERNEL_ACCOUNT);
	if (!filter) {
		kfree(filter32);
		return -ENOMEM;
	}
	filter->flags = filter32->flags;
	for (i = 0; i < ARRAY_SIZE(filter->ranges); i++) {
		filter->ranges[i].flags = filter32->ranges[i].flags;
		filter->ranges[i].nmsrs = filter32->ranges[i].nmsrs;
		filter->ranges[i].base = filter32->ranges[i].base;
		filter->ranges[i].bitmap = (__force __u8 *)compat_ptr(filter32->ranges[i].bitmap);
	}
	r = x86_vm_set_msr_filter(vm, filter);
	kfree(filter);
	kfree(filter32);
	return r;
}

long kvm_arch_vm_compat_ioctl(struct kvm *kvm, unsigned int ioctl, unsigned long arg)
{
	if (ioctl == KVM_X86_SET_MSR_FILTER32)
		return set_msr_filter32(x86_vm_of(kvm), compat_ptr(arg));
	return -ENOIOCTLCMD;
}
