/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's TSC and the clocks made from it: tsc.c (offset, scaling,
 * synchronisation of vCPUs), kvmclock.c (pvclock pages, the master clock, wall
 * clock).
 */
#ifndef ARCH_X86_TIME_H
#define ARCH_X86_TIME_H

#include "arch-x86/x86.h"

int x86_time_module_init(void);
void x86_time_module_exit(void);
void x86_time_vendor_init(void);	/* scaling limits from the caps */
void x86_time_vm_init(struct x86_vm *vm);
void x86_time_vcpu_load(struct x86_vcpu *vcpu, int cpu);	/* unstable TSC, CPU migration */
void x86_time_vcpu_put(struct x86_vcpu *vcpu);
int x86_time_vcpu_create(struct x86_vcpu *vcpu);
void x86_time_vcpu_postcreate(struct x86_vcpu *vcpu);	/* write TSC 0, synchronised */

/** x86_read_guest_tsc() - the guest's TSC for a host TSC value */
u64 x86_scale_tsc(struct x86_vcpu *vcpu, u64 tsc);
u64 x86_guest_tsc(struct x86_vcpu *vcpu, u64 host_tsc);
/** x86_tsc_unstable() - can the host's CPUs' TSCs not be compared? */
bool x86_tsc_unstable(void);
/** x86_host_cycles() - how many of the host's TSC that many cycles of the guest's are,
 *  below 2^43; exact unless it is scaled */
u64 x86_host_cycles(struct x86_vcpu *vcpu, u64 guest_cycles);
/** x86_write_guest_tsc() - MSR write; @host: by user space (synchronisation heuristics) */
void x86_write_guest_tsc(struct x86_vcpu *vcpu, u64 data, bool host);
void x86_adjust_tsc_offset(struct x86_vcpu *vcpu, s64 delta);
/** x86_set_tsc_khz() - KVM_SET_TSC_KHZ of a vCPU. Loaded. 0, or -EINVAL: 0 kHz, or a rate that
 *  this host can neither scale to nor (a faster one) catch up with */
int x86_set_tsc_khz(struct x86_vcpu *vcpu, u32 khz);
/**
 * x86_tsc_attr() - device attributes of a vCPU: KVM_VCPU_TSC_CTRL
 * @vcpu: loaded
 * @ioctl: KVM_HAS_DEVICE_ATTR, KVM_GET_DEVICE_ATTR or KVM_SET_DEVICE_ATTR
 * @attr: checked nowhere yet
 *
 * Return: 0, -ENXIO (no such attribute), -EFAULT.
 */
int x86_tsc_attr(struct x86_vcpu *vcpu, unsigned int ioctl, const struct kvm_device_attr *attr);

/* kvmclock */
int x86_kvmclock_set_msr(struct x86_vcpu *vcpu, u64 data, bool old_msr, bool host);	/* 0, 1 */
int x86_wall_clock_write(struct x86_vm *vm, gpa_t gpa);
int x86_kvmclock_update(struct x86_vcpu *vcpu);	/* request handler; 0 or retry */
void x86_kvmclock_global_update(struct x86_vcpu *vcpu);
void x86_masterclock_update(struct x86_vm *vm);
u64 x86_kvmclock_ns(struct x86_vm *vm);
int x86_vm_get_clock(struct x86_vm *vm, struct kvm_clock_data *data);
int x86_vm_set_clock(struct x86_vm *vm, const struct kvm_clock_data *data);
int x86_kvmclock_guest_stopped(struct x86_vcpu *vcpu);	/* KVM_KVMCLOCK_CTRL: 0, -EINVAL */
/**
 * x86_clock_pairing() - time of day and guest TSC, read together (KVM_HC_CLOCK_PAIRING)
 * @vcpu: whose TSC
 * @real_ns: CLOCK_REALTIME
 * @guest_tsc: the guest's TSC at that moment
 *
 * Return: false without a master clock. Any context.
 */
bool x86_clock_pairing(struct x86_vcpu *vcpu, u64 *real_ns, u64 *guest_tsc);

#endif
