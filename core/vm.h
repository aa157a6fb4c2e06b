/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM's life, as the other rooms of core see it.
 */
#ifndef CORE_VM_H
#define CORE_VM_H

#include "core/kvm.h"

/**
 * kvm_create_vm() - KVM_CREATE_VM
 * @type: the ioctl's argument
 *
 * Return: a file descriptor; -EINVAL (type), -ENODEV (no vendor), -EMFILE,
 * -ENOMEM, or what turning virtualization on says.
 */
int kvm_create_vm(unsigned long type);

/**
 * kvm_check_extension() - KVM_CHECK_EXTENSION, on the system or on a VM
 * @kvm: the VM, or NULL
 * @cap: KVM_CAP_*
 *
 * Return: 0 if absent, else what the ABI document says.
 */
long kvm_check_extension(struct kvm *kvm, long cap);

/**
 * kvm_check_owner() - may this process use the VM?
 * @kvm: the VM
 *
 * Return: 0; -EIO for another process than the one that made it, and for a
 * dead VM.
 */
int kvm_check_owner(struct kvm *kvm);

/**
 * kvm_for_each_vm() - call a function for every VM
 * @fn: may not sleep on the VM's destruction; the list is locked
 * @arg: passed through
 */
void kvm_for_each_vm(void (*fn)(struct kvm *kvm, void *arg), void *arg);

/** kvm_vm_ioctl_compat() / kvm_vcpu_ioctl_compat() - 32-bit callers (compat_ioctl.c) */
long kvm_vm_ioctl_compat(struct file *filp, unsigned int ioctl, unsigned long arg);
long kvm_vcpu_ioctl_compat(struct file *filp, unsigned int ioctl, unsigned long arg);
long kvm_vm_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg);
long kvm_vcpu_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg);

/**
 * kvm_create_vcpu() - KVM_CREATE_VCPU
 * @kvm: the VM
 * @id: the ioctl's argument
 *
 * Return: a file descriptor; -EINVAL (id, too many), -EEXIST, -EMFILE, -ENOMEM.
 */
int kvm_create_vcpu(struct kvm *kvm, unsigned long id);

/** kvm_vcpu_mmap_size() - KVM_GET_VCPU_MMAP_SIZE, bytes */
int kvm_vcpu_mmap_size(void);

/** kvm_vcpu_set_signal_mask() - KVM_SET_SIGNAL_MASK; vcpu->mutex. NULL: none */
void kvm_vcpu_set_signal_mask(struct kvm_vcpu *vcpu, const sigset_t *set);

#endif
