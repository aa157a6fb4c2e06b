/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands on its own since 5.14; before, it wanted errno numbers first. */
#ifndef COMPAT_ASM_SPECIAL_INSNS_H
#define COMPAT_ASM_SPECIAL_INSNS_H

#include <linux/errno.h>
#include_next <asm/special_insns.h>

#endif
