// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vendor that runs this machine: binding its operations, and what must be
 * computed once when it arrives. Owns the static calls of vendor_call.h.
 */
#include <linux/module.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/fpu.h"
#include "arch-x86/cpu/msr.h"
#include "arch-x86/mmu/mmu.h"
#include "arch-x86/time/time.h"
#include "arch-x86/vendor_call.h"
#include "core/arch.h"
#include "core/vcpu.h"

#define X86_VENDOR_DEFINE(op)						\
	DEFINE_STATIC_CALL_NULL(x86_vendor_##op,			\
				*(((struct x86_vendor_ops *)0)->op));
X86_VENDOR_OPS(X86_VENDOR_DEFINE)

static const struct x86_vendor_ops *x86_vendor;
static DEFINE_MUTEX(x86_vendor_lock);

const struct x86_vendor_caps *x86_vendor_caps(void)
{
	return x86_vendor->caps;
}
EXPORT_SYMBOL_GPL(x86_vendor_caps);

const struct x86_vendor_ops *x86_vendor_ops(void)
{
	return x86_vendor;
}

/* An operation left out would be a jump to nothing: find it now. */
static bool x86_vendor_complete(const struct x86_vendor_ops *ops)
{
	bool complete = true;

#define X86_VENDOR_CHECK(op)						\
	if (WARN(!ops->op, "kvm: %s lacks %s\n", ops->name, #op))	\
		complete = false;
	X86_VENDOR_OPS(X86_VENDOR_CHECK)
	return complete;
}

int x86_vendor_register(const struct x86_vendor_ops *ops)
{
	int r;

	if (!x86_vendor_complete(ops))
		return -EINVAL;

	mutex_lock(&x86_vendor_lock);
	r = -EEXIST;
	if (x86_vendor)
		goto out;
	x86_vendor = ops;
#define X86_VENDOR_BIND(op)	static_call_update(x86_vendor_##op, ops->op);
	X86_VENDOR_OPS(X86_VENDOR_BIND)

	x86_cpuid_init_caps();
	vendor_call(adjust_caps)();
	x86_msr_init_lists();
	x86_mmu_vendor_init();
	x86_time_vendor_init();

	/* /dev/kvm appears: from here on VMs may be made. */
	r = kvm_register(ops->owner);
	if (r)
		x86_vendor = NULL;
out:
	mutex_unlock(&x86_vendor_lock);
	return r;
}
EXPORT_SYMBOL_GPL(x86_vendor_register);

void x86_vendor_unregister(void)
{
	mutex_lock(&x86_vendor_lock);
	kvm_unregister();
	x86_vendor = NULL;
	mutex_unlock(&x86_vendor_lock);
}
EXPORT_SYMBOL_GPL(x86_vendor_unregister);

/* ---- per CPU ---------------------------------------------------------------- */

int kvm_arch_cpu_enable(void)
{
	int r = vendor_call(cpu_enable)();

	if (r)
		return r;
	x86_user_return_cpu_online();
	return 0;
}

void kvm_arch_cpu_disable(void)
{
	vendor_call(cpu_disable)();
	x86_user_return_cpu_offline();
}

/* ---- the module --------------------------------------------------------------- */

int kvm_arch_module_init(void)
{
	int r = x86_mmu_module_init();

	if (r)
		return r;
	r = x86_user_return_init();
	if (r)
		goto err_mmu;
	r = x86_time_module_init();
	if (r)
		goto err_user_return;
	return 0;

err_user_return:
	x86_user_return_exit();
err_mmu:
	x86_mmu_module_exit();
	return r;
}

void kvm_arch_module_exit(void)
{
	x86_time_module_exit();
	x86_user_return_exit();
	x86_mmu_module_exit();
}
