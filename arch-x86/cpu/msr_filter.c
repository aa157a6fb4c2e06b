// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_X86_SET_MSR_FILTER: which MSRs user space lets the guest touch. Readers are
 * SRCU readers in the outer loop and RCU readers in the inner one, so a filter is
 * freed after a grace period of both.
 */
#include <linux/export.h>
#include <linux/bitmap.h>
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>

#include "arch-x86/cpu/msr.h"

/**
 * struct x86_msr_filter - a filter; never changes once it is seen
 * @allow: what is in no range
 * @nr: ranges
 * @ranges: bit i of @bitmap: accesses in @flags to MSR @base + i are allowed
 */
struct x86_msr_filter {
	bool allow;
	unsigned int nr;
	struct {
		u32 flags;
		u32 nmsrs;
		u32 base;
		unsigned long *bitmap;
	} ranges[KVM_MSR_FILTER_MAX_RANGES];
};

bool x86_msr_allowed(struct x86_vcpu *vcpu, u32 index, u32 type)
{
	struct x86_msr_filter *filter;
	unsigned int i;

	/* x2APIC's are never filtered (api.rst, KVM_X86_SET_MSR_FILTER). */
	if (index >= 0x800 && index <= 0x8ff)
		return true;
	/* Either reader side will do; lockdep can't be told of "one of two". */
	filter = rcu_dereference_raw(x86_vcpu_vm(vcpu)->msr_filter);
	if (likely(!filter))
		return true;
	for (i = 0; i < filter->nr; i++) {
		u32 offset = index - filter->ranges[i].base;

		if (!(filter->ranges[i].flags & type) || offset >= filter->ranges[i].nmsrs)
			continue;
		offset = array_index_nospec(offset, filter->ranges[i].nmsrs);
		return test_bit(offset, filter->ranges[i].bitmap);
	}
	return filter->allow;
}
EXPORT_SYMBOL_GPL(x86_msr_allowed);

static void free_filter(struct x86_msr_filter *filter)
{
	unsigned int i;

	if (!filter)
		return;
	for (i = 0; i < filter->nr; i++)
		kfree(filter->ranges[i].bitmap);
	kfree(filter);
}

static int add_filter_range(struct x86_msr_filter *filter, const struct kvm_msr_filter_range *range)
{
	unsigned long *bitmap;

	if (!range->nmsrs)
		return 0;
	if (!range->flags || (range->flags & ~KVM_MSR_FILTER_RANGE_VALID_MASK))
		return -EINVAL;
	if (range->nmsrs > KVM_MSR_FILTER_MAX_BITMAP_SIZE * BITS_PER_BYTE)
		return -EINVAL;
	/* Bytes of user space, little-endian: the kernel's longs here are the same. */
	bitmap = kcalloc(BITS_TO_LONGS(range->nmsrs), sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!bitmap)
		return -ENOMEM;
	if (copy_from_user(bitmap, (void __user *)range->bitmap,
			   DIV_ROUND_UP(range->nmsrs, BITS_PER_BYTE))) {
		kfree(bitmap);
		return -EFAULT;
	}
	filter->ranges[filter->nr].flags = range->flags;
	filter->ranges[filter->nr].nmsrs = range->nmsrs;
	filter->ranges[filter->nr].base = range->base;
	filter->ranges[filter->nr].bitmap = bitmap;
	filter->nr++;
	return 0;
}

int x86_vm_set_msr_filter(struct x86_vm *vm, const struct kvm_msr_filter *user)
{
	struct x86_msr_filter *filter, *old;
	unsigned int i;
	int r = 0;

	filter = kzalloc(sizeof(*filter), GFP_KERNEL_ACCOUNT);
	if (!filter)
		return -ENOMEM;
	filter->allow = !(user->flags & KVM_MSR_FILTER_DEFAULT_DENY);
	if (user->flags & ~KVM_MSR_FILTER_VALID_MASK)
		r = -EINVAL;
	for (i = 0; !r && i < ARRAY_SIZE(user->ranges); i++)
		r = add_filter_range(filter, &user->ranges[i]);
	/* No range at all turns filtering off; then there is nothing to deny. */
	if (!r && !filter->nr && !filter->allow)
		r = -EINVAL;
	if (r) {
		free_filter(filter);
		return r;
	}
	if (!filter->nr) {
		free_filter(filter);
		filter = NULL;
	}

	mutex_lock(&vm->core.lock);
	old = rcu_replace_pointer(vm->msr_filter, filter, lockdep_is_held(&vm->core.lock));
	mutex_unlock(&vm->core.lock);
	kvm_make_all_cpus_request(&vm->core, X86_REQ_MSR_FILTER_CHANGED);
	synchronize_srcu(&vm->core.srcu);
	synchronize_rcu();
	free_filter(old);
	return 0;
}

void x86_vm_free_msr_filter(struct x86_vm *vm)
{
	free_filter(rcu_dereference_protected(vm->msr_filter, 1));
	RCU_INIT_POINTER(vm->msr_filter, NULL);
}
