/* SPDX-License-Identifier: GPL-2.0-only */
/* WQ_PERCPU (6.17, and 6.12 stable) names what was the default before. */
#ifndef COMPAT_LINUX_WORKQUEUE_H
#define COMPAT_LINUX_WORKQUEUE_H

#include_next <linux/workqueue.h>
#include <compat/config.h>

#ifndef HAVE_WQ_PERCPU
#define WQ_PERCPU	0
#endif

#endif
