// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of a vCPU: copying arguments in and out, the checks that the ABI document
 * asks for, loading the vCPU where its registers are needed. What they do is
 * in the room that owns it.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>

#include "core/arch.h"
#include "core/vcpu.h"
#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/fpu.h"
#include "arch-x86/cpu/mce.h"
#include "arch-x86/cpu/msr.h"
#include "arch-x86/cpu/smm.h"
#include "arch-x86/events.h"
#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/mmu/mmu.h"
#include "arch-x86/regs.h"
#include "arch-x86/run.h"
#include "arch-x86/time/time.h"
#include "arch-x86/vendor_call.h"

/*
 * The common shape: an argument that fits on the heap, of a fixed size; "get" fills
 * it, "set" is given a copy. The vCPU is loaded.
 */
typedef int (*arg_fn)(struct x86_vcpu *vcpu, void *arg);

static long loaded_get(struct x86_vcpu *vcpu, void __user *argp, size_t size, arg_fn fn)
{
	void *arg = kzalloc(size, GFP_KERNEL_ACCOUNT);
	long r;

	if (!arg)
		return -ENOMEM;
	kvm_vcpu_load(&vcpu->core);
	r = fn(vcpu, arg);
	kvm_vcpu_put(&vcpu->core);
	if (!r && copy_to_user(argp, arg, size))
		r = -EFAULT;
	kfree(arg);
	return r;
}

static long loaded_set(struct x86_vcpu *vcpu, void __user *argp, size_t size, arg_fn fn)
{
	void *arg = memdup_user(argp, size);
	long r;

	if (IS_ERR(arg))
		return PTR_ERR(arg);
	kvm_vcpu_load(&vcpu->core);
	r = fn(vcpu, arg);
	kvm_vcpu_put(&vcpu->core);
	kfree(arg);
	return r;
}

/* ---- registers ----------------------------------------------------------------- */

static int get_regs(struct x86_vcpu *vcpu, void *arg)
{
	x86_vcpu_get_regs(vcpu, arg);
	return 0;
}

static int set_regs(struct x86_vcpu *vcpu, void *arg)
{
	x86_vcpu_set_regs(vcpu, arg);
	return 0;
}

static int get_sregs(struct x86_vcpu *vcpu, void *arg)
{
	x86_vcpu_get_sregs(vcpu, arg);
	return 0;
}

static int set_sregs(struct x86_vcpu *vcpu, void *arg)
{
	return x86_vcpu_set_sregs(vcpu, arg);
}

static int get_sregs2(struct x86_vcpu *vcpu, void *arg)
{
	x86_vcpu_get_sregs2(vcpu, arg);
	return 0;
}

static int set_sregs2(struct x86_vcpu *vcpu, void *arg)
{
	return x86_vcpu_set_sregs2(vcpu, arg);
}

static int get_debugregs(struct x86_vcpu *vcpu, void *arg)
{
	x86_vcpu_get_debugregs(vcpu, arg);
	return 0;
}

static int set_debugregs(struct x86_vcpu *vcpu, void *arg)
{
	return x86_vcpu_set_debugregs(vcpu, arg);
}

static int set_guest_debug(struct x86_vcpu *vcpu, void *arg)
{
	return x86_vcpu_set_guest_debug(vcpu, arg);
}

static int get_events(struct x86_vcpu *vcpu, void *arg)
{
	x86_vcpu_get_events(vcpu, arg);
	return 0;
}

static int set_events(struct x86_vcpu *vcpu, void *arg)
{
	return x86_vcpu_set_events(vcpu, arg);
}

static int translate(struct x86_vcpu *vcpu, void *arg)
{
	struct kvm_translation *tr = arg;
	struct x86_fault_info fault;
	int idx;
	gpa_t gpa;

	idx = srcu_read_lock(&vcpu->core.kvm->srcu);
	gpa = x86_gva_to_gpa(vcpu, tr->linear_address, X86_ACC_READ, &fault);
	srcu_read_unlock(&vcpu->core.kvm->srcu, idx);
	tr->physical_address = gpa;
	tr->valid = gpa != INVALID_GPA;
	tr->writeable = 1;
	tr->usermode = 0;
	return 0;
}

static long vcpu_translate(struct x86_vcpu *vcpu, void __user *argp)
{
	struct kvm_translation tr;

	if (copy_from_user(&tr, argp, sizeof(tr)))
		return -EFAULT;
	kvm_vcpu_load(&vcpu->core);
	translate(vcpu, &tr);
	kvm_vcpu_put(&vcpu->core);
	return copy_to_user(argp, &tr, sizeof(tr)) ? -EFAULT : 0;
}

/* What was done is said even if the rest could not be: the next call says why. */
static long vcpu_prefault(struct x86_vcpu *vcpu, void __user *argp)
{
	struct kvm_pre_fault_memory range;
	u64 size;
	gpa_t end;
	int idx, r;

	if (copy_from_user(&range, argp, sizeof(range)))
		return -EFAULT;
	if (range.flags || !range.size || !PAGE_ALIGNED(range.gpa) || !PAGE_ALIGNED(range.size) ||
	    range.gpa + range.size < range.gpa)
		return -EINVAL;

	size = range.size;
	kvm_vcpu_load(&vcpu->core);
	idx = srcu_read_lock(&vcpu->core.kvm->srcu);
	do {
		r = x86_mmu_prefault(vcpu, range.gpa, &end);
		if (r)
			break;
		end = min(end, range.gpa + range.size);
		range.size -= end - range.gpa;
		range.gpa = end;
	} while (range.size);
	srcu_read_unlock(&vcpu->core.kvm->srcu, idx);
	kvm_vcpu_put(&vcpu->core);
	if (range.size == size)
		return r;
	return copy_to_user(argp, &range, sizeof(range)) ? -EFAULT : 0;
}

/* ---- FPU: in memory while KVM_RUN is not on ------------------------------------- */

static int get_fpu(struct x86_vcpu *vcpu, void *arg)
{
	return x86_vcpu_get_fpu(vcpu, arg);
}

static int set_fpu(struct x86_vcpu *vcpu, void *arg)
{
	return x86_vcpu_set_fpu(vcpu, arg);
}

static int get_xcrs(struct x86_vcpu *vcpu, void *arg)
{
	return x86_vcpu_get_xcrs(vcpu, arg);
}

static int set_xcrs(struct x86_vcpu *vcpu, void *arg)
{
	return x86_vcpu_set_xcrs(vcpu, arg);
}

static long vcpu_get_xsave(struct x86_vcpu *vcpu, unsigned int ioctl, void __user *argp)
{
	size_t size = x86_fpu_uabi_size(x86_vcpu_vm(vcpu));
	void *state;
	long r;

	/* The older one's structure is too short for a bigger state. */
	if (ioctl == KVM_GET_XSAVE) {
		if (size > sizeof(struct kvm_xsave))
			return -EINVAL;
		size = sizeof(struct kvm_xsave);
	}
	state = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!state)
		return -ENOMEM;
	r = x86_vcpu_get_xsave(vcpu, state, size);
	if (!r && copy_to_user(argp, state, size))
		r = -EFAULT;
	kvfree(state);
	return r;
}

static long vcpu_set_xsave(struct x86_vcpu *vcpu, void __user *argp)
{
	void *state = vmemdup_user(argp, x86_fpu_uabi_size(x86_vcpu_vm(vcpu)));
	long r;

	if (IS_ERR(state))
		return PTR_ERR(state);
	r = x86_vcpu_set_xsave(vcpu, state);
	kvfree(state);
	return r;
}

/* ---- interrupts and states ------------------------------------------------------ */

static long vcpu_interrupt(struct x86_vcpu *vcpu, void __user *argp)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	struct kvm_interrupt irq;
	long r = 0;

	if (copy_from_user(&irq, argp, sizeof(irq)))
		return -EFAULT;
	if (irq.irq >= KVM_NR_INTERRUPTS)
		return -EINVAL;
	/* The in-kernel PIC delivers its own. */
	if (x86_irqchip_full(vm))
		return -ENXIO;

	kvm_vcpu_load(&vcpu->core);
	if (!x86_irqchip_in_kernel(vm)) {
		x86_queue_interrupt(vcpu, irq.irq, false);
	} else if (vcpu->pending_external_vector_valid) {
		r = -EEXIST;
	} else {
		vcpu->pending_external_vector = irq.irq;
		vcpu->pending_external_vector_valid = true;
	}
	if (!r)
		kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	kvm_vcpu_put(&vcpu->core);
	return r;
}

static int get_mp_state(struct x86_vcpu *vcpu, void *arg)
{
	struct kvm_mp_state *state = arg;
	int idx, r;

	/* INIT and SIPI that have arrived count. */
	idx = srcu_read_lock(&vcpu->core.kvm->srcu);
	r = x86_lapic_accept_events(vcpu);
	srcu_read_unlock(&vcpu->core.kvm->srcu, idx);
	if (r < 0)
		return r;
	state->mp_state = vcpu->mp_state;
	/* Kicked out of its halt by a hypercall, but not run since. */
	if (state->mp_state == KVM_MP_STATE_HALTED && x86_lapic_pv_unhalted(vcpu, false))
		state->mp_state = KVM_MP_STATE_RUNNABLE;
	return 0;
}

static int set_mp_state(struct x86_vcpu *vcpu, void *arg)
{
	const struct kvm_mp_state *state = arg;

	switch (state->mp_state) {
	case KVM_MP_STATE_RUNNABLE:
		x86_set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
		break;
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_HALTED:
	case KVM_MP_STATE_INIT_RECEIVED:
	case KVM_MP_STATE_SIPI_RECEIVED:
		/* Without an in-kernel APIC user space keeps these itself. */
		if (!x86_has_lapic(vcpu))
			return -EINVAL;
		if (state->mp_state == KVM_MP_STATE_SIPI_RECEIVED) {
			x86_set_mp_state(vcpu, KVM_MP_STATE_INIT_RECEIVED);
			x86_lapic_set_sipi_pending(vcpu);
		} else {
			x86_set_mp_state(vcpu, state->mp_state);
		}
		break;
	default:
		return -EINVAL;
	}
	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	return 0;
}

static int get_lapic(struct x86_vcpu *vcpu, void *arg)
{
	return x86_vcpu_get_lapic(vcpu, arg);
}

static int set_lapic(struct x86_vcpu *vcpu, void *arg)
{
	return x86_vcpu_set_lapic(vcpu, arg);
}

static long vcpu_set_vapic_addr(struct x86_vcpu *vcpu, void __user *argp)
{
	struct kvm_vapic_addr va;

	if (!x86_has_lapic(vcpu))
		return -EINVAL;
	if (copy_from_user(&va, argp, sizeof(va)))
		return -EFAULT;
	return x86_vcpu_set_vapic_addr(vcpu, va.vapic_addr);
}

static long vcpu_tpr_reporting(struct x86_vcpu *vcpu, void __user *argp)
{
	struct kvm_tpr_access_ctl ctl;
	long r;

	if (copy_from_user(&ctl, argp, sizeof(ctl)))
		return -EFAULT;
	if (ctl.flags)
		return -EINVAL;
	r = x86_lapic_set_tpr_reporting(vcpu, ctl.enabled);
	if (!r && copy_to_user(argp, &ctl, sizeof(ctl)))
		r = -EFAULT;
	return r;
}

/* ---- machine check, clocks, capabilities ----------------------------------------- */

static long vcpu_setup_mce(struct x86_vcpu *vcpu, void __user *argp)
{
	u64 cap;

	if (copy_from_user(&cap, argp, sizeof(cap)))
		return -EFAULT;
	return x86_mce_setup(vcpu, cap);
}

static int report_mce(struct x86_vcpu *vcpu, void *arg)
{
	return x86_mce_report(vcpu, arg);
}

static long vcpu_set_tsc_khz(struct x86_vcpu *vcpu, unsigned long khz)
{
	long r;

	if (khz > U32_MAX)
		return -EINVAL;
	kvm_vcpu_load(&vcpu->core);
	r = x86_set_tsc_khz(vcpu, khz ?: tsc_khz);
	kvm_vcpu_put(&vcpu->core);
	return r ? -EINVAL : 0;
}

static long vcpu_enable_cap(struct x86_vcpu *vcpu, void __user *argp)
{
	struct kvm_enable_cap cap;

	if (copy_from_user(&cap, argp, sizeof(cap)))
		return -EFAULT;
	if (cap.flags)
		return -EINVAL;
	switch (cap.cap) {
	case KVM_CAP_ENFORCE_PV_FEATURE_CPUID:
		vcpu->pv_cpuid.enforce = cap.args[0];
		return 0;
	default:
		return -EINVAL;
	}
}

static long vcpu_device_attr(struct x86_vcpu *vcpu, unsigned int ioctl, void __user *argp)
{
	struct kvm_device_attr attr;
	long r;

	if (copy_from_user(&attr, argp, sizeof(attr)))
		return -EFAULT;
	if (attr.group != KVM_VCPU_TSC_CTRL)
		return -ENXIO;
	kvm_vcpu_load(&vcpu->core);
	r = x86_tsc_attr(vcpu, ioctl, &attr);
	kvm_vcpu_put(&vcpu->core);
	return r;
}

/* ---- the switch ------------------------------------------------------------------- */

long kvm_arch_vcpu_ioctl(struct kvm_vcpu *core, unsigned int ioctl, unsigned long arg)
{
	struct x86_vcpu *vcpu = x86_vcpu_of(core);
	void __user *argp = (void __user *)arg;

	switch (ioctl) {
	case KVM_GET_REGS:
		return loaded_get(vcpu, argp, sizeof(struct kvm_regs), get_regs);
	case KVM_SET_REGS:
		return loaded_set(vcpu, argp, sizeof(struct kvm_regs), set_regs);
	case KVM_GET_SREGS:
		return loaded_get(vcpu, argp, sizeof(struct kvm_sregs), get_sregs);
	case KVM_SET_SREGS:
		return loaded_set(vcpu, argp, sizeof(struct kvm_sregs), set_sregs);
	case KVM_GET_SREGS2:
		return loaded_get(vcpu, argp, sizeof(struct kvm_sregs2), get_sregs2);
	case KVM_SET_SREGS2:
		return loaded_set(vcpu, argp, sizeof(struct kvm_sregs2), set_sregs2);
	case KVM_GET_DEBUGREGS:
		return loaded_get(vcpu, argp, sizeof(struct kvm_debugregs), get_debugregs);
	case KVM_SET_DEBUGREGS:
		return loaded_set(vcpu, argp, sizeof(struct kvm_debugregs), set_debugregs);
	case KVM_SET_GUEST_DEBUG:
		return loaded_set(vcpu, argp, sizeof(struct kvm_guest_debug), set_guest_debug);
	case KVM_GET_VCPU_EVENTS:
		return loaded_get(vcpu, argp, sizeof(struct kvm_vcpu_events), get_events);
	case KVM_SET_VCPU_EVENTS:
		return loaded_set(vcpu, argp, sizeof(struct kvm_vcpu_events), set_events);
	case KVM_TRANSLATE:
		return vcpu_translate(vcpu, argp);
	case KVM_PRE_FAULT_MEMORY:
		return vcpu_prefault(vcpu, argp);

	case KVM_GET_FPU:
		return loaded_get(vcpu, argp, sizeof(struct kvm_fpu), get_fpu);
	case KVM_SET_FPU:
		return loaded_set(vcpu, argp, sizeof(struct kvm_fpu), set_fpu);
	case KVM_GET_XSAVE:
	case KVM_GET_XSAVE2:
		return vcpu_get_xsave(vcpu, ioctl, argp);
	case KVM_SET_XSAVE:
		return vcpu_set_xsave(vcpu, argp);
	case KVM_GET_XCRS:
		return loaded_get(vcpu, argp, sizeof(struct kvm_xcrs), get_xcrs);
	case KVM_SET_XCRS:
		return loaded_set(vcpu, argp, sizeof(struct kvm_xcrs), set_xcrs);

	case KVM_SET_CPUID:
		return x86_vcpu_set_cpuid(vcpu, argp);
	case KVM_SET_CPUID2:
		return x86_vcpu_set_cpuid2(vcpu, argp);
	case KVM_GET_CPUID2:
		return x86_vcpu_get_cpuid2(vcpu, argp);
	case KVM_GET_MSRS:
		return x86_vcpu_get_msrs(vcpu, argp);
	case KVM_SET_MSRS:
		return x86_vcpu_set_msrs(vcpu, argp);

	case KVM_INTERRUPT:
		return vcpu_interrupt(vcpu, argp);
	case KVM_NMI:
		x86_inject_nmi(vcpu);
		return 0;
	case KVM_SMI:
		x86_inject_smi(vcpu);
		return 0;
	case KVM_GET_MP_STATE:
		return loaded_get(vcpu, argp, sizeof(struct kvm_mp_state), get_mp_state);
	case KVM_SET_MP_STATE:
		return loaded_set(vcpu, argp, sizeof(struct kvm_mp_state), set_mp_state);
	case KVM_GET_LAPIC:
		if (!x86_has_lapic(vcpu))
			return -EINVAL;
		return loaded_get(vcpu, argp, sizeof(struct kvm_lapic_state), get_lapic);
	case KVM_SET_LAPIC:
		if (!x86_has_lapic(vcpu))
			return -EINVAL;
		return loaded_set(vcpu, argp, sizeof(struct kvm_lapic_state), set_lapic);
	case KVM_SET_VAPIC_ADDR:
		return vcpu_set_vapic_addr(vcpu, argp);
	case KVM_TPR_ACCESS_REPORTING:
		return vcpu_tpr_reporting(vcpu, argp);

	case KVM_X86_SETUP_MCE:
		return vcpu_setup_mce(vcpu, argp);
	case KVM_X86_SET_MCE:
		return loaded_set(vcpu, argp, sizeof(struct kvm_x86_mce), report_mce);
	case KVM_GET_TSC_KHZ:
		return READ_ONCE(vcpu->virtual_tsc_khz);
	case KVM_SET_TSC_KHZ:
		return vcpu_set_tsc_khz(vcpu, arg);
	case KVM_KVMCLOCK_CTRL:
		return x86_kvmclock_guest_stopped(vcpu);
	case KVM_ENABLE_CAP:
		return vcpu_enable_cap(vcpu, argp);
	case KVM_HAS_DEVICE_ATTR:
	case KVM_GET_DEVICE_ATTR:
	case KVM_SET_DEVICE_ATTR:
		return vcpu_device_attr(vcpu, ioctl, argp);
	}
	return -EINVAL;
}

long kvm_arch_vcpu_async_ioctl(struct kvm_vcpu *core, unsigned int ioctl, unsigned long arg)
{
	/* All of them want the vCPU at rest. */
	return -ENOIOCTLCMD;
}
