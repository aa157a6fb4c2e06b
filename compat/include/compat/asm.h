/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an assembly file of ours needs on all kernels: SYM_FUNC_START/END and
 * RET as the kernel has them, and KVMC_ENDBR for a target of indirect calls
 * (SYM_FUNC_START has one on some kernels; two do no harm).
 */
#ifndef COMPAT_ASM_H
#define COMPAT_ASM_H

#ifdef __ASSEMBLY__
#include <linux/linkage.h>
#include <asm/asm.h>

#if __has_include(<asm/ibt.h>)
#include <asm/ibt.h>
#define KVMC_ENDBR	ENDBR
#else
#define KVMC_ENDBR
#endif
#endif

#endif
