/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands on its own since 6.15; before, it wanted these to come first. */
#ifndef COMPAT_ASM_DEBUGREG_H
#define COMPAT_ASM_DEBUGREG_H

#ifndef __ASSEMBLY__
#include <linux/errno.h>
#include <linux/percpu.h>
#include <asm/processor.h>
#endif
#include_next <asm/debugreg.h>

#endif
