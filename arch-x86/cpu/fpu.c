// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's FPU: the kernel keeps it as a second state of the thread and swaps
 * the two; here is when, and how user space reads and sets it. XCR0, XSS and PKRU are
 * no part of that state and are loaded around the inner loop.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/special_insns.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/fpu.h"
#include "arch-x86/regs.h"
#include "arch-x86/vendor_call.h"

/* What we know how to hand on. Not MPX (gone), not AMX (needs XFD). */
#define KNOWN_XCR0	(XFEATURE_MASK_FP | XFEATURE_MASK_SSE | XFEATURE_MASK_YMM | \
			 XFEATURE_MASK_AVX512 | XFEATURE_MASK_PKRU)

static u64 host_xcr0, host_xss;

/*
 * Where the "CPU" is a hypervisor's, XSETBV may not be intercepted although it
 * should (QEMU's TCG): then what the guest has written is found out afterwards.
 */
static bool xsetbv_may_escape;

void x86_fpu_init(void)
{
	host_xcr0 = XFEATURE_MASK_FPSSE;
	host_xss = 0;
	/* Not OSXSAVE: kernels read that bit before they set CR4, and keep it clear. */
	if (boot_cpu_has(X86_FEATURE_XSAVE))
		host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		rdmsrq(MSR_IA32_XSS, host_xss);
	xsetbv_may_escape = boot_cpu_has(X86_FEATURE_HYPERVISOR) &&
			    boot_cpu_has(X86_FEATURE_XSAVE);
}

u64 x86_supported_xcr0(void)
{
	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		return 0;
	return host_xcr0 & KNOWN_XCR0;
}

int x86_fpu_create(struct x86_vcpu *vcpu)
{
	return fpu_alloc_guest_fpstate(&vcpu->guest_fpu) ? 0 : -ENOMEM;
}

void x86_fpu_destroy(struct x86_vcpu *vcpu)
{
	if (vcpu->guest_fpu.fpstate)
		fpu_free_guest_fpstate(&vcpu->guest_fpu);
}

void x86_fpu_load_guest(struct x86_vcpu *vcpu)
{
	if (WARN_ON_ONCE(vcpu->fpu_loaded))
		return;
	fpu_swap_kvm_fpstate(&vcpu->guest_fpu, true);
	vcpu->fpu_loaded = true;
	vcpu->core.stat.fpu_reload++;
}

void x86_fpu_put_guest(struct x86_vcpu *vcpu)
{
	if (!vcpu->fpu_loaded)
		return;
	fpu_swap_kvm_fpstate(&vcpu->guest_fpu, false);
	vcpu->fpu_loaded = false;
}

void x86_fpu_ensure_loaded(struct x86_vcpu *vcpu)
{
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
}

/* May the guest read or change PKRU at all? Then it holds the guest's value in guest mode. */
static bool pkru_is_guests(struct x86_vcpu *vcpu)
{
	return cpu_feature_enabled(X86_FEATURE_OSPKE) &&
	       (x86_cr4_is(vcpu, X86_CR4_PKE) || (vcpu->xcr0 & XFEATURE_MASK_PKRU));
}

void x86_load_guest_xstate(struct x86_vcpu *vcpu)
{
	vcpu->loaded_xcr0 = host_xcr0;
	vcpu->loaded_xss = host_xss;
	/* Without OSXSAVE the guest can't see the difference. */
	if (x86_cr4_is(vcpu, X86_CR4_OSXSAVE)) {
		if (vcpu->xcr0 != host_xcr0) {
			xsetbv(XCR_XFEATURE_ENABLED_MASK, vcpu->xcr0);
			vcpu->loaded_xcr0 = vcpu->xcr0;
		}
		if (vcpu->ia32_xss != host_xss && guest_cpuid_has(vcpu, X86_FEATURE_XSAVES)) {
			wrmsrq(MSR_IA32_XSS, vcpu->ia32_xss);
			vcpu->loaded_xss = vcpu->ia32_xss;
		}
	}
	vcpu->pkru_loaded = pkru_is_guests(vcpu);
	if (vcpu->pkru_loaded) {
		vcpu->host_pkru = rdpkru();
		if (vcpu->pkru != vcpu->host_pkru)
			wrpkru(vcpu->pkru);
	}
}

static void catch_escaped_xsetbv(struct x86_vcpu *vcpu)
{
	u64 now = xgetbv(XCR_XFEATURE_ENABLED_MASK);

	if (now == vcpu->loaded_xcr0)
		return;
	vcpu->loaded_xcr0 = now;
	/* What the guest may not have, it loses again at the next entry. */
	x86_set_xcr(vcpu, XCR_XFEATURE_ENABLED_MASK, now);
}

/* Undoes what was loaded, whatever an exit has made of CR4 or XCR0 since. */
void x86_load_host_xstate(struct x86_vcpu *vcpu)
{
	if (vcpu->pkru_loaded) {
		vcpu->pkru = rdpkru();
		if (vcpu->pkru != vcpu->host_pkru)
			wrpkru(vcpu->host_pkru);
	}
	if (unlikely(xsetbv_may_escape) && x86_cr4_is(vcpu, X86_CR4_OSXSAVE))
		catch_escaped_xsetbv(vcpu);
	if (vcpu->loaded_xcr0 != host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, host_xcr0);
	if (vcpu->loaded_xss != host_xss)
		wrmsrq(MSR_IA32_XSS, host_xss);
}

void x86_fpu_reset(struct x86_vcpu *vcpu, bool init_event)
{
	if (init_event)
		return;
	vcpu->xcr0 = XFEATURE_MASK_FP;
	vcpu->ia32_xss = 0;
	vcpu->pkru = 0;
}

/* ---- user space's view ---------------------------------------------------- */

int x86_fpu_uabi_size(struct x86_vm *vm)
{
	u32 size = x86_cpuid_xsave_size(x86_supported_xcr0(), false);

	return max_t(u32, size, sizeof(struct kvm_xsave));
}

/* What user space gets, whatever the host's CPU has beyond it. */
static u64 visible_xfeatures(struct x86_vcpu *vcpu)
{
	return vcpu->guest_supported_xcr0 | XFEATURE_MASK_FPSSE;
}

int x86_vcpu_get_xsave(struct x86_vcpu *vcpu, void *state, unsigned int size)
{
	memset(state, 0, size);
	fpu_copy_guest_fpstate_to_uabi(&vcpu->guest_fpu, state, size,
				       visible_xfeatures(vcpu), vcpu->pkru);
	return 0;
}

int x86_vcpu_set_xsave(struct x86_vcpu *vcpu, const struct kvm_xsave *xsave)
{
	int r;

	r = fpu_copy_uabi_to_guest_fpstate(&vcpu->guest_fpu, xsave,
					   x86_supported_xcr0() | XFEATURE_MASK_FPSSE,
					   &vcpu->pkru);
	return r ? -EINVAL : 0;
}

/*
 * struct kvm_fpu is the legacy region in another order. It goes through the XSAVE
 * form, so that MXCSR is checked there and nowhere else.
 */
int x86_vcpu_get_fpu(struct x86_vcpu *vcpu, struct kvm_fpu *fpu)
{
	unsigned int size = x86_fpu_uabi_size(NULL);
	struct fxregs_state *fx;
	void *buf;

	buf = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	x86_vcpu_get_xsave(vcpu, buf, size);
	fx = buf;
	memset(fpu, 0, sizeof(*fpu));
	memcpy(fpu->fpr, fx->st_space, sizeof(fpu->fpr));
	fpu->fcw = fx->cwd;
	fpu->fsw = fx->swd;
	fpu->ftwx = fx->twd;
	fpu->last_opcode = fx->fop;
	fpu->last_ip = fx->rip;
	fpu->last_dp = fx->rdp;
	fpu->mxcsr = fx->mxcsr;
	memcpy(fpu->xmm, fx->xmm_space, sizeof(fpu->xmm));
	kvfree(buf);
	return 0;
}

int x86_vcpu_set_fpu(struct x86_vcpu *vcpu, const struct kvm_fpu *fpu)
{
	unsigned int size = x86_fpu_uabi_size(NULL);
	struct xregs_state *xs;
	void *buf;
	int r;

	buf = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	x86_vcpu_get_xsave(vcpu, buf, size);
	xs = buf;
	memcpy(xs->i387.st_space, fpu->fpr, sizeof(fpu->fpr));
	xs->i387.cwd = fpu->fcw;
	xs->i387.swd = fpu->fsw;
	xs->i387.twd = fpu->ftwx;
	xs->i387.fop = fpu->last_opcode;
	xs->i387.rip = fpu->last_ip;
	xs->i387.rdp = fpu->last_dp;
	xs->i387.mxcsr = fpu->mxcsr;
	memcpy(xs->i387.xmm_space, fpu->xmm, sizeof(fpu->xmm));
	if (boot_cpu_has(X86_FEATURE_XSAVE))
		xs->header.xfeatures |= XFEATURE_MASK_FPSSE;
	r = x86_vcpu_set_xsave(vcpu, buf);
	kvfree(buf);
	return r;
}

int x86_vcpu_get_xcrs(struct x86_vcpu *vcpu, struct kvm_xcrs *xcrs)
{
	memset(xcrs, 0, sizeof(*xcrs));
	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		return 0;
	xcrs->nr_xcrs = 1;
	xcrs->xcrs[0].xcr = XCR_XFEATURE_ENABLED_MASK;
	xcrs->xcrs[0].value = vcpu->xcr0;
	return 0;
}

int x86_vcpu_set_xcrs(struct x86_vcpu *vcpu, const struct kvm_xcrs *xcrs)
{
	u32 i;

	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		return -EINVAL;
	if (xcrs->nr_xcrs > KVM_MAX_XCRS || xcrs->flags)
		return -EINVAL;
	for (i = 0; i < xcrs->nr_xcrs; i++) {
		/* Only XCR0 is known; others are for newer readers of this ABI. */
		if (xcrs->xcrs[i].xcr != XCR_XFEATURE_ENABLED_MASK)
			continue;
		return x86_set_xcr(vcpu, XCR_XFEATURE_ENABLED_MASK, xcrs->xcrs[i].value) ?
		       -EINVAL : 0;
	}
	return 0;
}
