/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The *_young operations return bool since 7.2, int before: declare them as
 * mmu_notifier_young_t. Operations that older kernels have besides (change_pte,
 * invalidate_range) need not be supplied: every such change is bracketed by
 * invalidate_range_start and _end as well.
 */
#ifndef COMPAT_LINUX_MMU_NOTIFIER_H
#define COMPAT_LINUX_MMU_NOTIFIER_H

#include_next <linux/mmu_notifier.h>
#include <compat/config.h>

#ifdef HAVE_MMU_NOTIFIER_YOUNG_BOOL
typedef bool mmu_notifier_young_t;
#else
typedef int mmu_notifier_young_t;
#endif

#endif
