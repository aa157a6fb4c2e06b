/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NMIs, machine checks and acknowledged interrupts that arrived while a guest ran and
 * that the CPU has left to software: the host's own handlers, called as if they had come
 * now. For vendor modules: part of it is in compat/host_events_*.S before 7.1.
 */
#ifndef COMPAT_HOST_EVENTS_H
#define COMPAT_HOST_EVENTS_H

#include <asm/cpufeature.h>
#include <asm/mce.h>
#include <asm/ptrace.h>
#include <asm/segment.h>
#include <compat/config.h>

#include <asm/desc.h>
#ifdef HAVE_X86_ENTRY_FROM_KVM
#include <asm/entry-common.h>
#include <asm/trapnr.h>
#else
asmlinkage void kvmc_call_nmi(void);
asmlinkage void kvmc_call_gate(unsigned long handler);
#endif

/**
 * kvmc_host_nmi() - have the host's NMI handler run
 *
 * Context: IRQs off, on an ordinary kernel stack; NMIs are blocked since a VM exit,
 * and are not when it returns.
 */
static inline void kvmc_host_nmi(void)
{
#ifdef HAVE_X86_ENTRY_FROM_KVM
	x86_entry_from_kvm(EVENT_TYPE_NMI, X86_TRAP_NMI);
#else
	kvmc_call_nmi();
#endif
}

/** kvmc_has_host_interrupt() - can kvmc_host_interrupt() be called on this host? */
static inline bool kvmc_has_host_interrupt(void)
{
#if defined(HAVE_X86_ENTRY_FROM_KVM) || !defined(X86_FEATURE_FRED)
	return true;
#else
	/* With FRED there are no gates; older kernels have another way in, for 64 bits only. */
	return !cpu_feature_enabled(X86_FEATURE_FRED);
#endif
}

/**
 * kvmc_host_interrupt() - have the host's handler of an interrupt run
 * @vector: acknowledged by the CPU at a VM exit (SDM 3C 28.2.2)
 *
 * Context: IRQs off, on an ordinary kernel stack; still off when it returns.
 */
static inline void kvmc_host_interrupt(u8 vector)
{
#ifdef HAVE_X86_ENTRY_FROM_KVM
	x86_entry_from_kvm(EVENT_TYPE_EXTINT, vector);
#else
	struct desc_ptr idt;

	store_idt(&idt);
	kvmc_call_gate(gate_offset((gate_desc *)idt.address + vector));
#endif
}

/**
 * kvmc_host_machine_check() - have the host's machine check handler run
 *
 * Context: IRQs off.
 */
static inline void kvmc_host_machine_check(void)
{
#ifdef X86_FEATURE_FRED
	/* With FRED there is no gate to go through. */
	if (cpu_feature_enabled(X86_FEATURE_FRED)) {
		struct pt_regs regs = { .cs = __USER_CS, .flags = X86_EFLAGS_IF };

		do_machine_check(&regs);
		return;
	}
#endif
	asm volatile("int $18" : : : "memory");
}

#endif
