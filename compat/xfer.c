// SPDX-License-Identifier: GPL-2.0-only
/*
 * xfer_to_guest_mode_handle_work() of kernels up to 6.18. With a signal pending
 * it writes vcpu->run->exit_reason and counts vcpu->stat.signal_exits, in the
 * layout of that kernel's own struct kvm_vcpu: neither our vCPU nor NULL may be
 * given to it. It gets a stand-in whose every word points to a scratch page, so
 * that both writes land in it, wherever they are. What they say is said again
 * by our caller, on -EINTR.
 */
#include <linux/entry-virt.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include <compat/config.h>

#ifndef HAVE_XFER_HANDLE_WORK_VOID
#undef xfer_to_guest_mode_handle_work

/* kvm_run as far as it is written: exit_reason, at 8 */
static u64 scratch_run[8];

/* The in-tree struct is 6 to 12 KB. Counters in it go up; the pointer stays. */
static unsigned long scratch_vcpu[SZ_32K / sizeof(long)] = {
	[0 ... SZ_32K / sizeof(long) - 1] = (unsigned long)scratch_run,
};

int kvmc_xfer_to_guest_mode_handle_work(void)
{
	return xfer_to_guest_mode_handle_work((void *)scratch_vcpu);
}
#endif
