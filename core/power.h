/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtualization on and off, as main.c and vm.c see it.
 */
#ifndef CORE_POWER_H
#define CORE_POWER_H

/**
 * kvm_power_get() - one more who needs virtualization on
 *
 * The first one turns it on on every CPU, and on those that come online later.
 * Sleeps. Return: 0; -EBUSY if another hypervisor has a CPU, -EIO or
 * -EOPNOTSUPP if one can't, -ESHUTDOWN while the machine goes down.
 */
int kvm_power_get(void);

/** kvm_power_put() - one less; the last turns it off. Sleeps. */
void kvm_power_put(void);

#endif
