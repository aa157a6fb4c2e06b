/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's FPU state as 7.3 has it: struct fpu_guest and the fpu_*guest*
 * functions of asm/fpu/api.h.
 */
#ifndef COMPAT_FPU_H
#define COMPAT_FPU_H

#include <asm/fpu/types.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xstate.h>

#endif
