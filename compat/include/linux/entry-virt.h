/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work before a thread enters a guest: linux/entry-kvm.h until 6.18, whose
 * xfer_to_guest_mode_handle_work() took a vCPU and wrote to it: see xfer.c.
 */
#ifndef COMPAT_LINUX_ENTRY_VIRT_H
#define COMPAT_LINUX_ENTRY_VIRT_H

#include <compat/config.h>

#ifdef HAVE_ENTRY_VIRT_HEADER
#include_next <linux/entry-virt.h>
#else
#include <linux/entry-kvm.h>

#ifndef HAVE_XFER_HANDLE_WORK_VOID
int kvmc_xfer_to_guest_mode_handle_work(void);
#define xfer_to_guest_mode_handle_work() kvmc_xfer_to_guest_mode_handle_work()
#endif

#ifndef HAVE_XFER_PREPARE
/* 5.10 keeps no RCU callbacks back that would have to be woken here */
static inline void kvmc_xfer_to_guest_mode_prepare(void)
{
	lockdep_assert_irqs_disabled();
}
#define xfer_to_guest_mode_prepare kvmc_xfer_to_guest_mode_prepare
#endif
#endif

#endif
