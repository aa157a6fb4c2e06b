/* SPDX-License-Identifier: GPL-2.0-only */
/* Moved out of asm/ in 6.12. */
#ifndef COMPAT_LINUX_UNALIGNED_H
#define COMPAT_LINUX_UNALIGNED_H

#include <compat/config.h>

#ifdef HAVE_UNALIGNED_HEADER
#include_next <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#endif
