/* SPDX-License-Identifier: GPL-2.0-only */
/* struct fpu_guest is of 5.17; 5.10's is ours, and so is its fpstate. */
#ifndef COMPAT_ASM_FPU_TYPES_H
#define COMPAT_ASM_FPU_TYPES_H

#include_next <asm/fpu/types.h>
#include <compat/config.h>

#ifndef HAVE_FPU_GUEST
struct fpstate;

/* the fields that code written to the newest kernel may use */
struct fpu_guest {
	u64 xfeatures;
	u64 xfd_err;
	unsigned int uabi_size;
	struct fpstate *fpstate;
};
#endif

#endif
