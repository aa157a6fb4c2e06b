/* SPDX-License-Identifier: GPL-2.0-only */
/* hrtimer_setup() (6.13) takes the function too; hrtimer_init() did not. */
#ifndef COMPAT_LINUX_HRTIMER_H
#define COMPAT_LINUX_HRTIMER_H

#include_next <linux/hrtimer.h>
#include <compat/config.h>

#ifndef HAVE_HRTIMER_SETUP
static inline void kvmc_hrtimer_setup(struct hrtimer *timer,
				      enum hrtimer_restart (*fn)(struct hrtimer *),
				      clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}
#define hrtimer_setup kvmc_hrtimer_setup
#endif

#endif
