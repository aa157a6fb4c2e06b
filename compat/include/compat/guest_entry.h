/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel must be told when a CPU enters and leaves a guest: whose
 * time it is, that RCU need not wait for this CPU, that interrupts are as good
 * as on. The kernel has this in a header that we never include; here it is
 * built from exported functions, for every kernel. The order around an entry,
 * IRQs off all the time:
 *
 *	timing_enter; noinstr { state_enter; VM entry; state_exit }; let
 *	pending host interrupts in; timing_exit
 *
 * The state functions may be called from noinstr code; RCU does not watch
 * between them.
 */
#ifndef COMPAT_GUEST_ENTRY_H
#define COMPAT_GUEST_ENTRY_H

#include <linux/context_tracking.h>
#include <linux/ftrace.h>
#include <linux/instrumentation.h>
#include <linux/irqflags.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/vtime.h>
#include <compat/config.h>

/* A guest is a quiescent state: tell RCU. */
static __always_inline void kvmc_rcu_guest_qs(void)
{
#ifdef HAVE_RCU_VIRT_VOID
	rcu_virt_note_context_switch();
#else
	rcu_virt_note_context_switch(smp_processor_id());
#endif
}

/* Before 5.18 both halves were one function each; the parts are exported. */
static __always_inline void kvmc_ct_guest_enter(void)
{
#ifdef HAVE_GUEST_TIMING
	context_tracking_guest_enter();
#elif defined(CONFIG_CONTEXT_TRACKING)
	if (context_tracking_enabled())
		__context_tracking_enter(CONTEXT_GUEST);
#endif
}

static __always_inline void kvmc_vtime_guest_enter(void)
{
#ifdef HAVE_GUEST_TIMING
	vtime_account_guest_enter();
#elif defined(CONFIG_VIRT_CPU_ACCOUNTING_GEN)
	if (vtime_accounting_enabled_this_cpu())
		vtime_guest_enter(current);
	else
		current->flags |= PF_VCPU;
#else
	vtime_account_kernel(current);
	current->flags |= PF_VCPU;
#endif
}

/**
 * kvmc_guest_timing_enter_irqoff() - from here on, time is the guest's
 *
 * RCU is told once, not at each of the entries that follow: whoever needs to hear
 * it again interrupts this CPU, and comes by here. The caller is no RCU reader.
 *
 * Context: IRQs off, RCU watching.
 */
static __always_inline void kvmc_guest_timing_enter_irqoff(void)
{
	instrumentation_begin();
	kvmc_vtime_guest_enter();
	kvmc_rcu_guest_qs();
	instrumentation_end();
}

/**
 * kvmc_guest_timing_exit_irqoff() - time is the host's again
 *
 * A timer tick that arrived in the guest must have been handled before.
 * Context: IRQs off, RCU watching.
 */
static __always_inline void kvmc_guest_timing_exit_irqoff(void)
{
	instrumentation_begin();
	vtime_account_guest_exit();
	instrumentation_end();
}

/**
 * kvmc_guest_state_enter_irqoff() - the last thing before the VM entry
 *
 * Context: noinstr, IRQs off. Afterwards RCU may not be watching and lockdep
 * believes that IRQs are on.
 */
static __always_inline void kvmc_guest_state_enter_irqoff(void)
{
	instrumentation_begin();
	trace_hardirqs_on_prepare();
#ifdef HAVE_HARDIRQS_ON_PREPARE_VOID
	lockdep_hardirqs_on_prepare();
#else
	lockdep_hardirqs_on_prepare(CALLER_ADDR0);
#endif
	instrumentation_end();

	kvmc_ct_guest_enter();
	lockdep_hardirqs_on(CALLER_ADDR0);
}

/**
 * kvmc_guest_state_exit_irqoff() - the first thing after the VM exit
 *
 * Context: noinstr, IRQs off. Afterwards RCU is watching.
 */
static __always_inline void kvmc_guest_state_exit_irqoff(void)
{
	lockdep_hardirqs_off(CALLER_ADDR0);
	context_tracking_guest_exit();

	instrumentation_begin();
	trace_hardirqs_off_finish();
	instrumentation_end();
}

#endif
