/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Turning virtualization on and off on a CPU, in one shape for three
 * generations of kernels: 7.1 and later own CR4.VMXE/VMXON and EFER.SVME
 * themselves and count users; 6.1 to 7.0 leave both to the module and call it
 * back in a crash; 5.10 turns both off in a crash by itself.
 */
#ifndef COMPAT_VIRT_H
#define COMPAT_VIRT_H

#include <linux/cpuhotplug.h>
#include <linux/types.h>
#include <compat/config.h>

#ifdef HAVE_X86_VIRT_GET_REF
#include <asm/virt.h>
#else
/*
 * Set when the machine goes down: other CPUs may turn virtualization off under
 * us, so an instruction of the extension that faults is to be ignored.
 */
extern bool kvmc_virt_rebooting;
#define virt_rebooting kvmc_virt_rebooting
#endif

/*
 * The cpuhp_setup_state() slot for it. Before 6.4 the callback there runs with
 * IRQs off and must return 0: remember a failure per CPU and don't run there.
 */
#ifdef HAVE_CPUHP_KVM_ONLINE
#define KVMC_CPUHP_STATE	CPUHP_AP_KVM_ONLINE
#else
#define KVMC_CPUHP_STATE	CPUHP_AP_KVM_STARTING
#endif

/**
 * kvmc_virt_get() - turn virtualization on, on this CPU
 * @feature: X86_FEATURE_VMX (does VMXON; SDM 3C 24.7) or X86_FEATURE_SVM
 *	(sets EFER.SVME; APM 2 15.4)
 *
 * Context: preemption off; doesn't sleep.
 * Return: 0; -EOPNOTSUPP if the CPU has it not or firmware disabled it;
 * -EBUSY if somebody else uses it; -EIO if VMXON failed.
 */
int kvmc_virt_get(unsigned int feature);

/**
 * kvmc_virt_put() - undo kvmc_virt_get() on this CPU
 * @feature: as then
 *
 * Context: preemption off.
 */
void kvmc_virt_put(unsigned int feature);

/**
 * kvmc_virt_prepare_vmx() - what VMXON needs, before the first
 *	kvmc_virt_get(X86_FEATURE_VMX)
 *
 * Context: sleeps. Return: 0, -EOPNOTSUPP without VMX, -ENOMEM.
 */
int kvmc_virt_prepare_vmx(void);

/** kvmc_virt_unprepare_vmx() - undo it, after the last kvmc_virt_put() */
void kvmc_virt_unprepare_vmx(void);

/**
 * kvmc_virt_register_emergency() - be called on each CPU that uses
 *	virtualization when the machine crashes or reboots in an emergency
 * @cb: takes vendor state off the CPU (VMCLEAR); runs in NMI context; compat
 *	or the kernel turns the extension itself off afterwards. NULL if there
 *	is nothing to do before that.
 */
void kvmc_virt_register_emergency(void (*cb)(void));

/**
 * kvmc_virt_unregister_emergency() - no more; no call is running afterwards
 * @cb: as then
 *
 * Context: sleeps.
 */
void kvmc_virt_unregister_emergency(void (*cb)(void));

/**
 * kvmc_virt_begin_shutdown() - say that virtualization goes off everywhere
 *	because the machine goes down, before it does
 */
void kvmc_virt_begin_shutdown(void);

#endif
