/* SPDX-License-Identifier: GPL-2.0-only */
/* asm/gsseg.h, since 6.3; load_gs_index() was in asm/special_insns.h before. */
#ifndef COMPAT_ASM_GSSEG_H
#define COMPAT_ASM_GSSEG_H

#if __has_include_next(<asm/gsseg.h>)
#include_next <asm/gsseg.h>
#else
#include <asm/special_insns.h>
#endif

#endif
