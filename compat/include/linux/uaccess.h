/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unsafe_try_cmpxchg_user() is of 5.18; 5.10 stable has a macro of that name
 * that does not compile.
 */
#ifndef COMPAT_LINUX_UACCESS_H
#define COMPAT_LINUX_UACCESS_H

#include_next <linux/uaccess.h>
#include <compat/config.h>

#ifndef HAVE_UNSAFE_TRY_CMPXCHG_USER
#undef unsafe_try_cmpxchg_user

/*
 * One size: err stays -EFAULT if the access faults, since the fixup continues
 * behind the instruction that clears it.
 */
#define kvmc_cmpxchg_user(sz, ptr, old, new, label) ({			\
	int kvmc_err_ = -EFAULT;					\
	bool kvmc_ok_ = false;						\
									\
	asm volatile("\n1:\tlock cmpxchg" sz " %[n], %[p]\n"		\
		     "\tsete %[ok]\n"					\
		     "\tmovl $0, %[err]\n"				\
		     "2:\n"						\
		     _ASM_EXTABLE_UA(1b, 2b)				\
		     : [err] "+rm" (kvmc_err_), [ok] "+qm" (kvmc_ok_),	\
		       [p] "+m" (*(ptr)), "+a" (*(old))			\
		     : [n] "q" (new)					\
		     : "memory", "cc");					\
	if (unlikely(kvmc_err_))					\
		goto label;						\
	kvmc_ok_;							\
})

#ifdef CONFIG_X86_64
#define kvmc_cmpxchg_user8(ptr, old, new, label) \
	kvmc_cmpxchg_user("q", (u64 __force *)(ptr), (u64 *)(old), (u64)(new), label)
#else
#define kvmc_cmpxchg_user8(ptr, old, new, label) ({			\
	int kvmc_err_ = -EFAULT;					\
	bool kvmc_ok_ = false;						\
	u64 kvmc_n_ = (u64)(new);					\
									\
	asm volatile("\n1:\tlock cmpxchg8b %[p]\n"			\
		     "\tsete %[ok]\n"					\
		     "\tmovl $0, %[err]\n"				\
		     "2:\n"						\
		     _ASM_EXTABLE_UA(1b, 2b)				\
		     : [err] "+m" (kvmc_err_), [ok] "+m" (kvmc_ok_),	\
		       [p] "+m" (*(u64 __force *)(ptr)),		\
		       "+A" (*(u64 *)(old))				\
		     : "b" ((u32)kvmc_n_), "c" ((u32)(kvmc_n_ >> 32))	\
		     : "memory", "cc");					\
	if (unlikely(kvmc_err_))					\
		goto label;						\
	kvmc_ok_;							\
})
#endif

#define unsafe_try_cmpxchg_user(ptr, old, new, label) ({		\
	bool kvmc_eq_;							\
									\
	switch (sizeof(*(ptr))) {					\
	case 1:								\
		kvmc_eq_ = kvmc_cmpxchg_user("b", (u8 __force *)(ptr),	\
				(u8 *)(old), (u8)(new), label);		\
		break;							\
	case 2:								\
		kvmc_eq_ = kvmc_cmpxchg_user("w", (u16 __force *)(ptr), \
				(u16 *)(old), (u16)(new), label);	\
		break;							\
	case 4:								\
		kvmc_eq_ = kvmc_cmpxchg_user("l", (u32 __force *)(ptr), \
				(u32 *)(old), (u32)(new), label);	\
		break;							\
	default:							\
		kvmc_eq_ = kvmc_cmpxchg_user8(ptr, old, new, label);	\
	}								\
	kvmc_eq_;							\
})
#endif

#endif
