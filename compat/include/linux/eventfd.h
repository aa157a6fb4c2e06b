/* SPDX-License-Identifier: GPL-2.0-only */
/* eventfd_signal(ctx) always adds one since 6.8; before, the number was said. */
#ifndef COMPAT_LINUX_EVENTFD_H
#define COMPAT_LINUX_EVENTFD_H

#include_next <linux/eventfd.h>
#include <compat/config.h>

#ifndef HAVE_EVENTFD_SIGNAL_CTX
static inline void kvmc_eventfd_signal(struct eventfd_ctx *ctx)
{
	eventfd_signal(ctx, 1);
}
#define eventfd_signal(ctx)	kvmc_eventfd_signal(ctx)
#endif

#endif
