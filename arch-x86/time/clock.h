/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between tsc.c and kvmclock.c only.
 */
#ifndef ARCH_X86_TIME_CLOCK_H
#define ARCH_X86_TIME_CLOCK_H

#include "arch-x86/time/time.h"

/** x86_guest_tsc_khz() - rate at which the guest's TSC really advances */
u32 x86_guest_tsc_khz(struct x86_vcpu *vcpu);

/**
 * x86_tsc_catch_up() - set a TSC that runs slower than it should forward to where it
 *	should be; nothing for others
 * @vcpu: loaded
 */
void x86_tsc_catch_up(struct x86_vcpu *vcpu);

/** x86_kvmclock_module_init() / _exit() - follow the host's timekeeping. 0, -errno */
int x86_kvmclock_module_init(void);
void x86_kvmclock_module_exit(void);

/** x86_kvmclock_vm_init() - the clock of a new VM starts at 0 */
void x86_kvmclock_vm_init(struct x86_vm *vm);

#endif
