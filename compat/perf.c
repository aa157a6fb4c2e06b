// SPDX-License-Identifier: GPL-2.0-only
/*
 * perf's questions about the guest, on kernels that ask them one by one: is
 * the CPU in a guest, in its user mode, where. Knows nothing of vCPUs.
 */
#define KVMC_PERF_C
#include <linux/perf_event.h>

#ifndef HAVE_PERF_GUEST_STATE

static struct kvmc_perf_guest_info_callbacks *kvmc_perf_cbs;

static int kvmc_perf_in_guest(void)
{
	return !!kvmc_perf_cbs->state();
}

static int kvmc_perf_user_mode(void)
{
	return !!(kvmc_perf_cbs->state() & PERF_GUEST_USER);
}

static unsigned long kvmc_perf_ip(void)
{
	return kvmc_perf_cbs->get_ip();
}

static void kvmc_perf_pt_intr(void)
{
	if (kvmc_perf_cbs->handle_intel_pt_intr)
		kvmc_perf_cbs->handle_intel_pt_intr();
}

static kvmc_kernel_perf_cbs kvmc_kernel_cbs = {
	.is_in_guest = kvmc_perf_in_guest,
	.is_user_mode = kvmc_perf_user_mode,
	.get_guest_ip = kvmc_perf_ip,
	.handle_intel_pt_intr = kvmc_perf_pt_intr,
};

void kvmc_perf_register_guest(struct kvmc_perf_guest_info_callbacks *cbs)
{
	kvmc_perf_cbs = cbs;
	perf_register_guest_info_callbacks(&kvmc_kernel_cbs);
}

void kvmc_perf_unregister_guest(struct kvmc_perf_guest_info_callbacks *cbs)
{
	perf_unregister_guest_info_callbacks(&kvmc_kernel_cbs);
	kvmc_perf_cbs = NULL;
}

#endif
