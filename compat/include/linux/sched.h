/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Yielding a rwlock is of 5.12: 5.10 gets the plain form. task_is_runnable() is
 * of 6.12, when a sleeping task could stay on its queue for a while.
 */
#ifndef COMPAT_LINUX_SCHED_H
#define COMPAT_LINUX_SCHED_H

#include_next <linux/sched.h>
#include <compat/config.h>

#ifndef HAVE_COND_RESCHED_RWLOCK
#define rwlock_needbreak(lock)	need_resched()
#define cond_resched_rwlock_read(lock) ({				\
	bool kvmc_r_ = need_resched();					\
	if (kvmc_r_) {							\
		read_unlock(lock);					\
		cond_resched();						\
		read_lock(lock);					\
	}								\
	kvmc_r_;							\
})
#define cond_resched_rwlock_write(lock) ({				\
	bool kvmc_r_ = need_resched();					\
	if (kvmc_r_) {							\
		write_unlock(lock);					\
		cond_resched();						\
		write_lock(lock);					\
	}								\
	kvmc_r_;							\
})
#endif

#ifndef HAVE_TASK_IS_RUNNABLE
#define task_is_runnable(p)	(!!(p)->on_rq)
#endif

#endif
