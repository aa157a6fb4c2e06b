/* SPDX-License-Identifier: GPL-2.0-only */
/* 5.10 has static calls, but none that return 0 until they are bound. */
#ifndef COMPAT_LINUX_STATIC_CALL_H
#define COMPAT_LINUX_STATIC_CALL_H

#include_next <linux/static_call.h>

#ifndef DEFINE_STATIC_CALL_RET0
static inline long kvmc_static_call_return0(void)
{
	return 0;
}
#define DEFINE_STATIC_CALL_RET0(name, _func)				\
	DECLARE_STATIC_CALL(name, _func);				\
	struct static_call_key STATIC_CALL_KEY(name) = {		\
		.func = kvmc_static_call_return0,			\
	};								\
	ARCH_DEFINE_STATIC_CALL_TRAMP(name, kvmc_static_call_return0)
#endif

#endif
