/* SPDX-License-Identifier: GPL-2.0-only */
/* timer_delete() (6.1.84, 6.2) was del_timer(); timer_container_of() (6.16) was from_timer(). */
#ifndef COMPAT_LINUX_TIMER_H
#define COMPAT_LINUX_TIMER_H

#include_next <linux/timer.h>
#include <compat/config.h>

#ifndef HAVE_TIMER_DELETE
#define timer_delete(t)		del_timer(t)
#endif
#ifndef timer_container_of
#define timer_container_of	from_timer
#endif

#endif
