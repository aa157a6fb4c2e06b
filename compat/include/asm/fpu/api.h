/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's FPU state as an object of its own: 5.17; compat/fpu.c for 5.10. */
#ifndef COMPAT_ASM_FPU_API_H
#define COMPAT_ASM_FPU_API_H

#include_next <asm/fpu/api.h>
#include <compat/config.h>

#ifndef HAVE_FPU_GUEST
#include <linux/errno.h>
#include <linux/types.h>

struct fpu_guest;
struct fpstate;

bool kvmc_fpu_alloc_guest(struct fpu_guest *gfpu);
void kvmc_fpu_free_guest(struct fpu_guest *gfpu);
int kvmc_fpu_swap(struct fpu_guest *gfpu, bool enter_guest);
void kvmc_fpu_to_uabi(struct fpu_guest *gfpu, void *buf, unsigned int size,
		      u64 xfeatures, u32 pkru);
int kvmc_fpu_from_uabi(struct fpu_guest *gfpu, const void *buf, u64 xcr0, u32 *vpkru);
int kvmc_fpu_enable_xfd(struct fpu_guest *gfpu, u64 xfeatures);
void kvmc_fpu_clear_component(struct fpstate *fpstate, unsigned int xfeature);
u64 kvmc_fpu_guest_perm(void);

/* switch_fpu_return() is exported there, but not declared here */
void switch_fpu_return(void);

/* that kernel knows no XFD: no feature may ever be disabled by it */
static inline void kvmc_fpu_update_xfd(struct fpu_guest *gfpu, u64 xfd) { }
static inline void kvmc_fpu_sync_xfd(void) { }

#define fpu_alloc_guest_fpstate		kvmc_fpu_alloc_guest
#define fpu_free_guest_fpstate		kvmc_fpu_free_guest
#define fpu_swap_kvm_fpstate		kvmc_fpu_swap
#define fpu_copy_guest_fpstate_to_uabi	kvmc_fpu_to_uabi
#define fpu_copy_uabi_to_guest_fpstate	kvmc_fpu_from_uabi
#define fpu_enable_guest_xfd_features	kvmc_fpu_enable_xfd
#define fpstate_clear_xstate_component	kvmc_fpu_clear_component
#define xstate_get_guest_group_perm	kvmc_fpu_guest_perm
#define fpu_update_guest_xfd		kvmc_fpu_update_xfd
#define fpu_sync_guest_vmexit_xfd_state	kvmc_fpu_sync_xfd
#endif

#endif
