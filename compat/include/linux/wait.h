/* SPDX-License-Identifier: GPL-2.0-only */
/* add_wait_queue_priority() is of 5.11: 5.10's waiters have no order. */
#ifndef COMPAT_LINUX_WAIT_H
#define COMPAT_LINUX_WAIT_H

#include_next <linux/wait.h>
#include <compat/config.h>

#ifndef HAVE_ADD_WAIT_QUEUE_PRIORITY
#define add_wait_queue_priority	add_wait_queue
#endif

#endif
