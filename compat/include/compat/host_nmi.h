/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NMIs and machine checks that arrived while a guest ran and that the CPU has left to
 * software: the host's own handlers, called as if they had come now. For vendor
 * modules: the NMI's part is in compat/host_nmi_*.S before 7.1.
 */
#ifndef COMPAT_HOST_NMI_H
#define COMPAT_HOST_NMI_H

#include <asm/cpufeature.h>
#include <asm/mce.h>
#include <asm/ptrace.h>
#include <asm/segment.h>
#include <compat/config.h>

#ifdef HAVE_X86_ENTRY_FROM_KVM
#include <asm/desc.h>
#include <asm/entry-common.h>
#include <asm/trapnr.h>
#else
asmlinkage void kvmc_call_nmi(void);
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
