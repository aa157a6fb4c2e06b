/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands on its own since 6.15; before, it wanted these to come first.
 * DR7_FIXED_1 is of 6.16.
 */
#ifndef COMPAT_ASM_DEBUGREG_H
#define COMPAT_ASM_DEBUGREG_H

#ifndef __ASSEMBLY__
#include <linux/errno.h>
#include <linux/percpu.h>
#include <asm/processor.h>
#endif
#include_next <asm/debugreg.h>

#ifndef DR7_FIXED_1
#define DR7_FIXED_1	0x00000400	/* SDM 3B 19.2.4: bit 10 reads as 1 */
#endif

#endif
