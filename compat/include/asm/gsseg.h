/* SPDX-License-Identifier: GPL-2.0-only */
/* asm/gsseg.h, since 6.3; load_gs_index() was in asm/special_insns.h before. */
#ifndef COMPAT_ASM_GSSEG_H
#define COMPAT_ASM_GSSEG_H

#include <compat/config.h>

#ifdef HAVE_GSSEG_HEADER
#include_next <asm/gsseg.h>
#else
#include <asm/special_insns.h>
#endif

#endif
