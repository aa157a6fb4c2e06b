/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct perf_guest_info_callbacks has state() and get_ip() since 5.17; 5.10
 * asks three questions instead and gets its answers through compat/perf.c.
 */
#ifndef COMPAT_LINUX_PERF_EVENT_H
#define COMPAT_LINUX_PERF_EVENT_H

#include_next <linux/perf_event.h>
#include <compat/config.h>

#ifndef HAVE_PERF_GUEST_STATE
#define PERF_GUEST_ACTIVE	0x01
#define PERF_GUEST_USER		0x02

typedef struct perf_guest_info_callbacks kvmc_kernel_perf_cbs;

struct kvmc_perf_guest_info_callbacks {
	unsigned int (*state)(void);
	unsigned long (*get_ip)(void);
	unsigned int (*handle_intel_pt_intr)(void);
};
#define perf_guest_info_callbacks kvmc_perf_guest_info_callbacks

void kvmc_perf_register_guest(struct kvmc_perf_guest_info_callbacks *cbs);
void kvmc_perf_unregister_guest(struct kvmc_perf_guest_info_callbacks *cbs);

#ifndef KVMC_PERF_C
#define perf_register_guest_info_callbacks kvmc_perf_register_guest
#define perf_unregister_guest_info_callbacks kvmc_perf_unregister_guest
#endif
#endif

#endif
