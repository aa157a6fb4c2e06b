// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's FPU state on kernels before 5.17, whose struct fpu belongs to a
 * task: ours holds the guest's registers while the thread is in user mode, and
 * the thread's while the guest's are loaded; in between, the scheduler saves and
 * restores what is loaded with the task, as always. Buffers of the user ABI are
 * in the standard format of XSAVE (SDM 1 13.4), the kernel's may be compacted.
 * Knows no vCPU.
 */
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <compat/fpu.h>

#ifndef HAVE_FPU_GUEST
#include <asm/fpu/internal.h>

#define FCW_INIT	0x37f
#define MXCSR_INIT	0x1f80
#define LEGACY_SIZE	512
/* where the legacy area keeps what (SDM 1 table 10-2) */
#define FXSAVE_XMM	160
#define FXSAVE_XMM_END	416

struct fpstate {
	struct fpu guest;
	struct fpu user;
};

static u64 kvmc_fpu_host_features(void)
{
	return boot_cpu_has(X86_FEATURE_OSXSAVE) ? xgetbv(XCR_XFEATURE_ENABLED_MASK) :
						   XFEATURE_MASK_FPSSE;
}

bool kvmc_fpu_alloc_guest(struct fpu_guest *gfpu)
{
	/* more than a page, so aligned as XSAVE wants it */
	struct fpstate *fps = kzalloc(sizeof(*fps), GFP_KERNEL_ACCOUNT);

	if (!fps)
		return false;
	fpstate_init(&fps->guest.state);
	gfpu->fpstate = fps;
	gfpu->xfeatures = kvmc_fpu_host_features();
	gfpu->xfd_err = 0;
	gfpu->uabi_size = PAGE_SIZE;	/* struct kvm_xsave */
	return true;
}

void kvmc_fpu_free_guest(struct fpu_guest *gfpu)
{
	kfree(gfpu->fpstate);
	gfpu->fpstate = NULL;
}

/* The registers of this thread: on the CPU, or saved when it was preempted. */
static void kvmc_fpu_save(struct fpu *to)
{
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		memcpy(&to->state, &current->thread.fpu.state, fpu_kernel_xstate_size);
	else
		copy_fpregs_to_fpstate(to);
}

int kvmc_fpu_swap(struct fpu_guest *gfpu, bool enter_guest)
{
	struct fpstate *fps = gfpu->fpstate;

	fpregs_lock();
	if (enter_guest) {
		kvmc_fpu_save(&fps->user);
		/* PKRU is switched with the guest's other registers */
		__copy_kernel_to_fpregs(&fps->guest.state, ~XFEATURE_MASK_PKRU);
	} else {
		kvmc_fpu_save(&fps->guest);
		copy_kernel_to_fpregs(&fps->user.state);
	}
	fpregs_mark_activate();
	fpregs_unlock();
	return 0;
}

/* A component's place in the standard format (SDM 1 13.5): 0 if there is none. */
static unsigned int kvmc_xstate_place(unsigned int nr, unsigned int *size)
{
	unsigned int eax, ebx, ecx, edx;

	cpuid_count(0xd, nr, &eax, &ebx, &ecx, &edx);
	*size = eax;
	/* ECX[0]: a supervisor component, which the ABI does not have */
	return ecx & 1 ? 0 : ebx;
}

void kvmc_fpu_to_uabi(struct fpu_guest *gfpu, void *buf, unsigned int size,
		      u64 xfeatures, u32 pkru)
{
	struct xregs_state *from = &gfpu->fpstate->guest.state.xsave;
	struct xregs_state *to = buf;
	unsigned int nr, offset, bytes;
	u64 have;
	void *part;

	memset(buf, 0, size);
	memcpy(&to->i387, &from->i387, LEGACY_SIZE);
	if (!boot_cpu_has(X86_FEATURE_XSAVE)) {
		to->header.xfeatures = XFEATURE_MASK_FPSSE;
		return;
	}

	have = from->header.xfeatures & xfeatures & gfpu->xfeatures;
	/* memory of a component in its initial state may hold anything */
	if (!(have & XFEATURE_MASK_FP)) {
		memset(&to->i387, 0, offsetof(struct fxregs_state, mxcsr));
		to->i387.cwd = FCW_INIT;
		memset(to->i387.st_space, 0, sizeof(to->i387.st_space));
	}
	if (!(have & XFEATURE_MASK_SSE))
		memset((void *)&to->i387 + FXSAVE_XMM, 0, FXSAVE_XMM_END - FXSAVE_XMM);
	if (!(have & (XFEATURE_MASK_SSE | XFEATURE_MASK_YMM)))
		to->i387.mxcsr = MXCSR_INIT;
	to->i387.mxcsr_mask = mxcsr_feature_mask;

	for (nr = XFEATURE_YMM; nr < 63; nr++) {
		if (!(xfeatures & gfpu->xfeatures & BIT_ULL(nr)))
			continue;
		offset = kvmc_xstate_place(nr, &bytes);
		if (!offset || offset + bytes > size)
			continue;
		if (nr == XFEATURE_PKRU) {
			memcpy(buf + offset, &pkru, sizeof(pkru));
			have |= XFEATURE_MASK_PKRU;
			continue;
		}
		part = get_xsave_addr(from, nr);
		if (part)
			memcpy(buf + offset, part, bytes);
	}
	to->header.xfeatures = have;
}

int kvmc_fpu_from_uabi(struct fpu_guest *gfpu, const void *buf, u64 xcr0, u32 *vpkru)
{
	struct xregs_state *to = &gfpu->fpstate->guest.state.xsave;
	const struct xregs_state *from = buf;
	unsigned int nr, offset, bytes;
	u64 have = from->header.xfeatures;
	void *part;

	if (from->i387.mxcsr & ~mxcsr_feature_mask)
		return -EINVAL;
	if (!boot_cpu_has(X86_FEATURE_XSAVE)) {
		if (have & ~XFEATURE_MASK_FPSSE)
			return -EINVAL;
		memcpy(&to->i387, &from->i387, LEGACY_SIZE);
		return 0;
	}
	if (have & ~(xcr0 & gfpu->xfeatures) || from->header.xcomp_bv ||
	    memchr_inv(from->header.reserved, 0, sizeof(from->header.reserved)))
		return -EINVAL;

	memcpy(&to->i387, &from->i387, LEGACY_SIZE);
	if (!(have & (XFEATURE_MASK_SSE | XFEATURE_MASK_YMM)))
		to->i387.mxcsr = MXCSR_INIT;
	/* supervisor components stay as they are */
	to->header.xfeatures = (to->header.xfeatures & ~XFEATURE_MASK_USER_SUPPORTED) | have;

	*vpkru = 0;
	for (nr = XFEATURE_YMM; nr < 63; nr++) {
		if (!(have & BIT_ULL(nr)))
			continue;
		offset = kvmc_xstate_place(nr, &bytes);
		if (!offset || offset + bytes > gfpu->uabi_size)
			continue;
		if (nr == XFEATURE_PKRU)
			memcpy(vpkru, buf + offset, sizeof(*vpkru));
		part = get_xsave_addr(to, nr);
		if (part)
			memcpy(part, buf + offset, bytes);
	}
	return 0;
}

int kvmc_fpu_enable_xfd(struct fpu_guest *gfpu, u64 xfeatures)
{
	return xfeatures & ~gfpu->xfeatures ? -EPERM : 0;
}

void kvmc_fpu_clear_component(struct fpstate *fpstate, unsigned int xfeature)
{
	unsigned int bytes;
	void *part = get_xsave_addr(&fpstate->guest.state.xsave, xfeature);

	kvmc_xstate_place(xfeature, &bytes);
	if (part)
		memset(part, 0, bytes);
}

u64 kvmc_fpu_guest_perm(void)
{
	return kvmc_fpu_host_features();
}

#endif
