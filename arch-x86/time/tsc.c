// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's TSC: host TSC * scale + offset (SDM 3C 25.6.5, APM 2 15.30.5).
 * Owns the offset, the rate, the ways to write it so that all vCPUs of a VM
 * keep the same TSC, and what to do on hosts whose own TSC can't be trusted.
 * Clocks made from it are kvmclock.c's.
 *
 * Locks: vm->tsc_write_lock (raw, IRQs off, innermost) guards the last write.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/syscore_ops.h>
#include <linux/uaccess.h>
#include <asm/tsc.h>
#include <compat/clock.h>

#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/time/clock.h"
#include "arch-x86/vendor_call.h"

static unsigned int tsc_tolerance_ppm = 250;
module_param(tsc_tolerance_ppm, uint, 0644);
MODULE_PARM_DESC(tsc_tolerance_ppm,
		 "how far from the host's a guest's TSC rate may be and still run unscaled");

/* Set when the vendor registers: scale factor 1, and how it is written. */
static u64 tsc_ratio_one = 1;
static u8 tsc_frac_bits;

/*
 * How far the host's TSC has fallen back in all suspends so far. Each vCPU and VM
 * remembers up to where it has made up for it.
 */
static u64 tsc_lost;
static u64 tsc_at_suspend;

/* ---- reading ------------------------------------------------------------------- */

u64 x86_scale_tsc(struct x86_vcpu *vcpu, u64 tsc)
{
	u64 ratio = vcpu->tsc_scaling_ratio;

	return ratio == tsc_ratio_one ? tsc : mul_u64_u64_shr(tsc, ratio, tsc_frac_bits);
}

u64 x86_guest_tsc(struct x86_vcpu *vcpu, u64 host_tsc)
{
	return x86_scale_tsc(vcpu, host_tsc) + READ_ONCE(vcpu->tsc_offset);
}
EXPORT_SYMBOL_GPL(x86_guest_tsc);

u64 x86_host_cycles(struct x86_vcpu *vcpu, u64 guest_cycles)
{
	if (vcpu->tsc_scaling_ratio == tsc_ratio_one)
		return guest_cycles;
	return mul_u64_u32_div(guest_cycles, tsc_khz, vcpu->virtual_tsc_khz);
}

/* Rate at which the guest's TSC really runs. */
u32 x86_guest_tsc_khz(struct x86_vcpu *vcpu)
{
	return x86_scale_tsc(vcpu, tsc_khz);
}

bool x86_tsc_unstable(void)
{
	return check_tsc_unstable();
}

/* ---- writing -------------------------------------------------------------------- */

static void set_offset(struct x86_vcpu *vcpu, u64 offset)
{
	WRITE_ONCE(vcpu->tsc_offset, offset);
	vendor_call(write_tsc_offset)(vcpu, offset);
}

/* Others may now have the same TSC, or no longer: the master clock depends on it. */
static void tsc_changed(struct x86_vcpu *vcpu)
{
	x86_lapic_tsc_changed(vcpu);
	kvm_make_request(X86_REQ_MASTERCLOCK_UPDATE, &vcpu->core);
	kvm_make_request(X86_REQ_CLOCK_UPDATE, &vcpu->core);
}

static u64 cycles_in(u64 ns, u32 khz)
{
	return mul_u64_u32_div(ns, khz, 1000000);
}

/* What a TSC that was @tsc at @since is at @now. */
static u64 tsc_advanced(u64 tsc, u64 since, u64 now, u32 khz)
{
	return tsc + (now > since ? cycles_in(now - since, khz) : 0);
}

/*
 * Write a vCPU's TSC, guessing what user space means. It can write one vCPU at a
 * time only, so a write that says what the last one would have become by now
 * (within a second) means: the same TSC for both. @join: whatever is written,
 * this vCPU joins those that are there (a new vCPU, or a write of 0, which user
 * space does for each vCPU that it makes).
 */
static void write_synchronised(struct x86_vcpu *vcpu, u64 data, bool join)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	u32 khz = vcpu->virtual_tsc_khz;
	unsigned long flags;
	u64 now, host, offset;

	raw_spin_lock_irqsave(&vm->tsc_write_lock, flags);
	now = ktime_get_boottime_ns();
	host = rdtsc();
	offset = data - x86_scale_tsc(vcpu, host);

	if (vm->last_tsc_khz && vm->last_tsc_khz == khz) {
		u64 expected = tsc_advanced(vm->last_tsc_write, vm->last_tsc_nsec, now, khz);
		u64 distance = data > expected ? data - expected : expected - data;

		join |= distance < (u64)khz * MSEC_PER_SEC;
	} else {
		join = false;
	}

	if (!join) {
		vm->cur_tsc_nsec = now;
		vm->cur_tsc_write = data;
		vm->cur_tsc_offset = offset;
	} else if (!check_tsc_unstable()) {
		offset = vm->cur_tsc_offset;
	} else {
		/* No two host CPUs agree: time is all there is. */
		offset = tsc_advanced(vm->cur_tsc_write, vm->cur_tsc_nsec, now, khz) -
			 x86_scale_tsc(vcpu, host);
	}
	vm->last_tsc_khz = khz;
	vm->last_tsc_nsec = now;
	vm->last_tsc_write = x86_scale_tsc(vcpu, host) + offset;
	set_offset(vcpu, offset);
	raw_spin_unlock_irqrestore(&vm->tsc_write_lock, flags);
	tsc_changed(vcpu);
}

void x86_write_guest_tsc(struct x86_vcpu *vcpu, u64 data, bool host)
{
	u64 delta;

	if (host) {
		write_synchronised(vcpu, data, !data);
		return;
	}
	/* SDM 3B 17.17.3: writing the TSC moves TSC_ADJUST by as much. */
	delta = data - x86_guest_tsc(vcpu, rdtsc());
	vcpu->ia32_tsc_adjust += delta;
	x86_adjust_tsc_offset(vcpu, delta);
}

void x86_adjust_tsc_offset(struct x86_vcpu *vcpu, s64 delta)
{
	set_offset(vcpu, vcpu->tsc_offset + delta);
	tsc_changed(vcpu);
}

/* KVM_VCPU_TSC_OFFSET: user space says it exactly; nothing is guessed. */
static void write_offset(struct x86_vcpu *vcpu, u64 offset)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	unsigned long flags;

	raw_spin_lock_irqsave(&vm->tsc_write_lock, flags);
	vm->cur_tsc_nsec = ktime_get_boottime_ns();
	vm->cur_tsc_write = x86_scale_tsc(vcpu, rdtsc()) + offset;
	vm->cur_tsc_offset = offset;
	vm->last_tsc_khz = vcpu->virtual_tsc_khz;
	vm->last_tsc_nsec = vm->cur_tsc_nsec;
	vm->last_tsc_write = vm->cur_tsc_write;
	set_offset(vcpu, offset);
	raw_spin_unlock_irqrestore(&vm->tsc_write_lock, flags);
	tsc_changed(vcpu);
}

int x86_tsc_attr(struct x86_vcpu *vcpu, unsigned int ioctl, const struct kvm_device_attr *attr)
{
	u64 __user *uaddr = u64_to_user_ptr(attr->addr);
	u64 offset;

	if (attr->group != KVM_VCPU_TSC_CTRL || attr->attr != KVM_VCPU_TSC_OFFSET)
		return -ENXIO;
	switch (ioctl) {
	case KVM_HAS_DEVICE_ATTR:
		return 0;
	case KVM_GET_DEVICE_ATTR:
		offset = vcpu->tsc_offset;
		return copy_to_user(uaddr, &offset, sizeof(offset)) ? -EFAULT : 0;
	case KVM_SET_DEVICE_ATTR:
		if (copy_from_user(&offset, uaddr, sizeof(offset)))
			return -EFAULT;
		write_offset(vcpu, offset);
		return 0;
	}
	return -ENXIO;
}

/* ---- rate --------------------------------------------------------------------------- */

static bool within_tolerance(u32 khz)
{
	u64 slack = (u64)tsc_khz * min(READ_ONCE(tsc_tolerance_ppm), 1000000u);

	slack = div_u64(slack, 1000000);
	return khz >= tsc_khz - slack && khz <= tsc_khz + slack;
}

/* Set the fields; the hardware is told by who has loaded the vCPU. */
static int choose_rate(struct x86_vcpu *vcpu, u32 khz)
{
	u64 ratio = tsc_ratio_one;
	bool catchup = false;

	if (!khz || !tsc_khz)
		return -EINVAL;
	if (!within_tolerance(khz)) {
		if (x86_vendor_caps()->tsc_scaling) {
			ratio = mul_u64_u32_div(tsc_ratio_one, khz, tsc_khz);
			if (!ratio || ratio > x86_vendor_caps()->tsc_scaling_max_ratio)
				return -EINVAL;
		} else if (khz > tsc_khz) {
			/* Runs at the host's rate, and is set forward at each exit. */
			catchup = true;
		} else {
			return -EINVAL;
		}
	}
	vcpu->virtual_tsc_khz = khz;
	vcpu->tsc_scaling_ratio = ratio;
	vcpu->tsc_catchup = catchup;
	vcpu->tsc_always_catchup = catchup;
	return 0;
}

int x86_set_tsc_khz(struct x86_vcpu *vcpu, u32 khz)
{
	int r = choose_rate(vcpu, khz);

	if (r)
		return r;
	vendor_call(write_tsc_multiplier)(vcpu, vcpu->tsc_scaling_ratio);
	tsc_changed(vcpu);
	return 0;
}

void x86_tsc_catch_up(struct x86_vcpu *vcpu)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	unsigned long flags;
	u64 want, have;

	if (!vcpu->tsc_catchup)
		return;
	raw_spin_lock_irqsave(&vm->tsc_write_lock, flags);
	want = tsc_advanced(vm->cur_tsc_write, vm->cur_tsc_nsec, ktime_get_boottime_ns(),
			    vcpu->virtual_tsc_khz);
	have = x86_guest_tsc(vcpu, rdtsc());
	if ((s64)(want - have) > 0)
		set_offset(vcpu, vcpu->tsc_offset + (want - have));
	raw_spin_unlock_irqrestore(&vm->tsc_write_lock, flags);
}

/* ---- CPUs, suspend ------------------------------------------------------------------- */

/* The host's TSC began anew: the guest's goes on from where it was. */
static void make_up_for_suspend(struct x86_vcpu *vcpu, u64 lost)
{
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	unsigned long flags;

	raw_spin_lock_irqsave(&vm->tsc_write_lock, flags);
	if (vm->tsc_lost_seen != lost) {
		vm->cur_tsc_offset += x86_scale_tsc(vcpu, lost - vm->tsc_lost_seen);
		vm->tsc_lost_seen = lost;
		vm->master_clock_stale = true;
	}
	set_offset(vcpu, vcpu->tsc_offset + x86_scale_tsc(vcpu, lost - vcpu->tsc_lost_seen));
	vcpu->tsc_lost_seen = lost;
	raw_spin_unlock_irqrestore(&vm->tsc_write_lock, flags);
	tsc_changed(vcpu);
}

void x86_time_vcpu_load(struct x86_vcpu *vcpu, int cpu)
{
	u64 lost = READ_ONCE(tsc_lost);

	if (unlikely(vcpu->tsc_lost_seen != lost))
		make_up_for_suspend(vcpu, lost);

	if (unlikely(check_tsc_unstable()) && vcpu->last_host_tsc) {
		/*
		 * This CPU's TSC says nothing about the last one's. Go on from the
		 * last value seen; time makes up for the rest.
		 */
		set_offset(vcpu, vcpu->last_guest_tsc - x86_scale_tsc(vcpu, rdtsc()));
		vcpu->tsc_catchup = true;
		kvm_make_request(X86_REQ_CLOCK_UPDATE, &vcpu->core);
		x86_lapic_tsc_changed(vcpu);
	}
	if (vcpu->last_cpu != cpu) {
		vcpu->last_cpu = cpu;
		x86_lapic_migrate_timer(vcpu);
	}
}

void x86_time_vcpu_put(struct x86_vcpu *vcpu)
{
	vcpu->last_host_tsc = rdtsc();
	vcpu->last_guest_tsc = x86_guest_tsc(vcpu, vcpu->last_host_tsc);
}

static int tsc_suspend(void *data)
{
	tsc_at_suspend = rdtsc();
	return 0;
}

static void tsc_resume(void *data)
{
	u64 now = rdtsc();

	if (now < tsc_at_suspend)
		WRITE_ONCE(tsc_lost, tsc_lost + (tsc_at_suspend - now));
}

static const struct syscore_ops tsc_syscore_ops = {
	.suspend = tsc_suspend,
	.resume = tsc_resume,
};

static struct syscore tsc_syscore = {
	.ops = &tsc_syscore_ops,
};

/* ---- life --------------------------------------------------------------------------------- */

int x86_time_module_init(void)
{
	int r = x86_kvmclock_module_init();

	if (!r)
		register_syscore(&tsc_syscore);
	return r;
}

void x86_time_module_exit(void)
{
	unregister_syscore(&tsc_syscore);
	x86_kvmclock_module_exit();
}

void x86_time_vendor_init(void)
{
	const struct x86_vendor_caps *caps = x86_vendor_caps();

	tsc_frac_bits = caps->tsc_scaling ? caps->tsc_scaling_frac_bits : 0;
	tsc_ratio_one = BIT_ULL(tsc_frac_bits);
}

void x86_time_vm_init(struct x86_vm *vm)
{
	raw_spin_lock_init(&vm->tsc_write_lock);
	vm->default_tsc_khz = tsc_khz;
	vm->tsc_lost_seen = READ_ONCE(tsc_lost);
	x86_kvmclock_vm_init(vm);
}

int x86_time_vcpu_create(struct x86_vcpu *vcpu)
{
	vcpu->tsc_lost_seen = READ_ONCE(tsc_lost);
	vcpu->last_cpu = -1;
	return choose_rate(vcpu, READ_ONCE(x86_vcpu_vm(vcpu)->default_tsc_khz));
}

void x86_time_vcpu_postcreate(struct x86_vcpu *vcpu)
{
	vendor_call(write_tsc_multiplier)(vcpu, vcpu->tsc_scaling_ratio);
	write_synchronised(vcpu, 0, true);
}
