/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands on its own since 5.15; 5.10's, with PREEMPT_RT, wanted this first. */
#ifndef COMPAT_LINUX_RTMUTEX_H
#define COMPAT_LINUX_RTMUTEX_H

#include <linux/rbtree.h>
#include_next <linux/rtmutex.h>

#endif
