// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctls of 32-bit processes whose structures hold a pointer or a sigset_t.
 * Built only where the kernel has CONFIG_COMPAT.
 */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/uaccess.h>

#include "core/arch.h"
#include "core/memslot.h"
#include "core/vm.h"

struct kvm_dirty_log32 {
	u32 slot;
	u32 padding1;
	union {
		compat_uptr_t dirty_bitmap;
		u64 padding2;
	};
};

struct kvm_clear_dirty_log32 {
	u32 slot;
	u32 num_pages;
	u64 first_page;
	union {
		compat_uptr_t dirty_bitmap;
		u64 padding2;
	};
};

#define KVM_CLEAR_DIRTY_LOG32	_IOWR(KVMIO, 0xc0, struct kvm_clear_dirty_log32)
#define KVM_GET_DIRTY_LOG32	_IOW(KVMIO, 0x42, struct kvm_dirty_log32)

static long get_dirty_log32(struct kvm *kvm, void __user *argp)
{
	struct kvm_dirty_log32 log32;
	struct kvm_dirty_log log = { };

	if (copy_from_user(&log32, argp, sizeof(log32)))
		return -EFAULT;
	log.slot = log32.slot;
	log.dirty_bitmap = compat_ptr(log32.dirty_bitmap);
	return kvm_get_dirty_log(kvm, &log);
}

static long clear_dirty_log32(struct kvm *kvm, void __user *argp)
{
	struct kvm_clear_dirty_log32 log32;
	struct kvm_clear_dirty_log log = { };

	if (copy_from_user(&log32, argp, sizeof(log32)))
		return -EFAULT;
	log.slot = log32.slot;
	log.num_pages = log32.num_pages;
	log.first_page = log32.first_page;
	log.dirty_bitmap = compat_ptr(log32.dirty_bitmap);
	return kvm_clear_dirty_log(kvm, &log);
}

long kvm_vm_ioctl_compat(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	struct kvm *kvm = filp->private_data;
	void __user *argp = compat_ptr(arg);
	long err;

	err = kvm_check_owner(kvm);
	if (err)
		return err;
	err = kvm_arch_vm_compat_ioctl(kvm, ioctl, arg);
	if (err != -ENOIOCTLCMD)
		return err;
	switch (ioctl) {
	case KVM_GET_DIRTY_LOG32:
		return get_dirty_log32(kvm, argp);
	case KVM_CLEAR_DIRTY_LOG32:
		return clear_dirty_log32(kvm, argp);
	default:
		return kvm_vm_ioctl(filp, ioctl, (unsigned long)argp);
	}
}

static long set_signal_mask32(struct kvm_vcpu *vcpu, void __user *argp)
{
	struct kvm_signal_mask mask;
	sigset_t set;

	if (argp) {
		if (copy_from_user(&mask, argp, sizeof(mask)))
			return -EFAULT;
		if (mask.len != sizeof(compat_sigset_t))
			return -EINVAL;
		if (get_compat_sigset(&set, argp + offsetof(struct kvm_signal_mask, sigset)))
			return -EFAULT;
	}
	if (mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	kvm_vcpu_set_signal_mask(vcpu, argp ? &set : NULL);
	mutex_unlock(&vcpu->mutex);
	return 0;
}

long kvm_vcpu_ioctl_compat(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	struct kvm_vcpu *vcpu = filp->private_data;
	void __user *argp = compat_ptr(arg);
	int err;

	if (ioctl != KVM_SET_SIGNAL_MASK)
		return kvm_vcpu_ioctl(filp, ioctl, (unsigned long)argp);
	err = kvm_check_owner(vcpu->kvm);
	return err ?: set_signal_mask32(vcpu, argp);
}
