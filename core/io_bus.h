/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * I/O buses: devices of ours and eventfds at addresses of MMIO and port space,
 * in a sorted array that is copied on change and read under SRCU or RCU.
 */
#ifndef CORE_IO_BUS_H
#define CORE_IO_BUS_H

#include "core/kvm.h"

struct kvm_io_device;

/**
 * struct kvm_io_device_ops - what a device on a bus does
 * @read/@write: @addr within the range it was registered for. Return 0 if
 *	handled, -EOPNOTSUPP to let the next device or user space have it.
 *	@vcpu may be NULL only in tests. Context: SRCU or RCU reader; the device
 *	takes its own lock.
 * @read_irqoff/@write_irqoff: these may be called with IRQs off: no wait for another
 *	CPU, and no lock that is held while somebody waits for one
 * @destructor: free it; called after both grace periods, or at the VM's end. A
 *	device that has one stands at one address only.
 */
struct kvm_io_device_ops {
	int (*read)(struct kvm_vcpu *vcpu, struct kvm_io_device *dev, gpa_t addr, int len, void *val);
	int (*write)(struct kvm_vcpu *vcpu, struct kvm_io_device *dev, gpa_t addr, int len, const void *val);
	void (*destructor)(struct kvm_io_device *dev);
	bool read_irqoff, write_irqoff;
};

/**
 * struct kvm_io_device - a device on one bus, at one or more addresses of it
 * @ops: what it does
 * @uncounted: not subject to the limit of devices on a bus: its number is
 *	limited by something else (an eventfd's file)
 */
struct kvm_io_device {
	const struct kvm_io_device_ops *ops;
	bool uncounted;
};

static inline void kvm_iodevice_init(struct kvm_io_device *dev, const struct kvm_io_device_ops *ops)
{
	dev->ops = ops;
	dev->uncounted = false;
}

/**
 * kvm_io_bus_read() / kvm_io_bus_write() - an access by a vCPU
 * @vcpu: who
 * @bus: which bus
 * @addr: guest address
 * @len: bytes
 * @val: data, little endian
 *
 * Return: 0 handled; -EOPNOTSUPP nobody there: user space must do it.
 * Context: kvm->srcu or rcu_read_lock held.
 */
int kvm_io_bus_write(struct kvm_vcpu *vcpu, enum kvm_bus bus, gpa_t addr, int len, const void *val);
int kvm_io_bus_read(struct kvm_vcpu *vcpu, enum kvm_bus bus, gpa_t addr, int len, void *val);

/**
 * kvm_io_bus_may_listen() - could a device here want an access at this address?
 * @vcpu: the vCPU
 * @bus: enum kvm_bus
 * @addr: where it begins
 *
 * Context: SRCU or RCU reader. Return: false only if nobody does, whatever the length.
 */
bool kvm_io_bus_may_listen(struct kvm_vcpu *vcpu, enum kvm_bus bus, gpa_t addr);

/**
 * kvm_io_bus_write_irqoff() / kvm_io_bus_read_irqoff() - likewise, IRQs off
 *
 * Return: 0 handled; -EOPNOTSUPP: nothing has happened, ask again with IRQs on: nobody is
 * there, or somebody who may not be asked now; always so where spinlocks sleep (PREEMPT_RT).
 * Context: IRQs off, RCU watching.
 */
int kvm_io_bus_write_irqoff(struct kvm_vcpu *vcpu, enum kvm_bus bus, gpa_t addr, int len,
			    const void *val);
int kvm_io_bus_read_irqoff(struct kvm_vcpu *vcpu, enum kvm_bus bus, gpa_t addr, int len,
			   void *val);

/**
 * kvm_io_bus_register_dev() - put a device at [addr, addr + len)
 * @kvm: the VM
 * @bus: which bus
 * @addr: first address
 * @len: bytes; 0: hears accesses of any length to @addr
 * @dev: the device
 *
 * Context: slots_lock held; sleeps.
 * Return: 0, -EINVAL (range), -ENOMEM, -ENOSPC (1000 devices on a bus).
 */
int kvm_io_bus_register_dev(struct kvm *kvm, enum kvm_bus bus, gpa_t addr, int len,
			    struct kvm_io_device *dev);

/**
 * kvm_io_bus_unregister_dev() - take a device off its bus, from all its
 *	addresses, and, after a grace period, call its destructor
 * @kvm: the VM
 * @bus: which bus
 * @dev: the device
 *
 * Context: slots_lock held; sleeps. Return: 0, -ENOENT if it is not there (also
 * after kvm_io_bus_destroy()); there is no other failure.
 */
int kvm_io_bus_unregister_dev(struct kvm *kvm, enum kvm_bus bus, struct kvm_io_device *dev);

/** kvm_io_bus_init() / kvm_io_bus_destroy() - at the VM's birth and death */
int kvm_io_bus_init(struct kvm *kvm);
void kvm_io_bus_destroy(struct kvm *kvm);

/**
 * kvm_ioeventfd() - KVM_IOEVENTFD (ioeventfd.c)
 * @kvm: the VM
 * @args: copy of user space's
 *
 * Return: 0; -EINVAL (flags, length, range, no eventfd), -EBADF, -EEXIST (a
 * write would hit two), -ENOENT (to deassign), -ENOMEM.
 */
int kvm_ioeventfd(struct kvm *kvm, const struct kvm_ioeventfd *args);

/** kvm_coalesced_mmio_init() / kvm_coalesced_mmio_free() - at the VM's birth and death */
int kvm_coalesced_mmio_init(struct kvm *kvm);
void kvm_coalesced_mmio_free(struct kvm *kvm);

/**
 * kvm_register_coalesced_zone() / kvm_unregister_coalesced_zone() -
 *	KVM_(UN)REGISTER_COALESCED_MMIO (coalesced_mmio.c)
 * @kvm: the VM
 * @zone: copy of user space's; unregistering takes all that lie within it
 *
 * Return: 0; -EINVAL (pio is neither 0 nor 1, no or a huge size), -ENOSPC,
 * -ENOMEM. None to unregister is no error.
 */
int kvm_register_coalesced_zone(struct kvm *kvm, const struct kvm_coalesced_mmio_zone *zone);
int kvm_unregister_coalesced_zone(struct kvm *kvm, const struct kvm_coalesced_mmio_zone *zone);

#endif
