/* SPDX-License-Identifier: GPL-2.0-only */
/* try_cmpxchg64() is of 6.0 (5.18 on some architectures). */
#ifndef COMPAT_LINUX_ATOMIC_H
#define COMPAT_LINUX_ATOMIC_H

#include_next <linux/atomic.h>

#ifndef try_cmpxchg64
#define try_cmpxchg64(ptr, oldp, new) ({				\
	typeof(*(ptr)) *kvmc_oldp_ = (oldp), kvmc_old_ = *kvmc_oldp_;	\
	typeof(*(ptr)) kvmc_was_ = cmpxchg64(ptr, kvmc_old_, new);	\
									\
	if (kvmc_was_ != kvmc_old_)					\
		*kvmc_oldp_ = kvmc_was_;				\
	kvmc_was_ == kvmc_old_;						\
})
#endif

#endif
