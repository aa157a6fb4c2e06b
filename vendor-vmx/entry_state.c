// SPDX-License-Identifier: GPL-2.0-only
/*
 * Would the CPU accept the guest's state at an entry? Without unrestricted guest it wants
 * protected mode and segments that fit it, or virtual-8086 mode; a guest in real mode, or
 * on its way to other segments, is run by the emulator until they do. Owns the checks of
 * SDM 3C 27.3.1.2 on CR0.PE, RFLAGS.VM and segments; what else an entry refuses is a
 * failed entry.
 */
#include <linux/moduleparam.h>

#include "vendor-vmx/vmx.h"

static bool emulate_invalid_guest_state = true;
module_param(emulate_invalid_guest_state, bool, 0444);
MODULE_PARM_DESC(emulate_invalid_guest_state,
		 "emulate a guest whose segments the CPU refuses; off: the entry fails");

#define RPL	3
#define TI	4

#define AR_RESERVED	(GENMASK(31, 17) | GENMASK(11, 8))
#define AR_VM86		0xf3		/* present, DPL 3, data, writable, accessed */

#define TYPE_ACCESSED	BIT(0)
#define TYPE_READABLE	BIT(1)		/* of code */
#define TYPE_CONFORMING	BIT(2)		/* of code */
#define TYPE_CODE	BIT(3)
#define TYPE_LDT	2
#define TYPE_TSS16_BUSY	3
#define TYPE_TSS_BUSY	11

static bool usable(const struct kvm_segment *s)
{
	return !s->unusable;
}

static unsigned int dpl_of(u32 ar)
{
	return (ar >> VMX_AR_DPL_SHIFT) & 3;
}

/* Of a segment that is used: present, S as it must be, the limit as G says. */
static bool form_ok(const struct kvm_segment *s, u32 ar, bool system)
{
	if ((ar & (VMX_AR_P | AR_RESERVED)) != VMX_AR_P || !(ar & VMX_AR_S) != system)
		return false;
	if ((s->limit & 0xfff) != 0xfff && (ar & VMX_AR_G))
		return false;
	return !(s->limit >> 20) || (ar & VMX_AR_G);
}

/* 63:32 of a base that is added to 32 bits. */
static bool base_ok(const struct kvm_segment *s)
{
	return !(s->base >> 32);
}

static bool vm86_ok(const struct kvm_segment *seg, const u32 *ar)
{
	enum x86_seg i;

	for (i = X86_SEG_ES; i <= X86_SEG_GS; i++)
		if (seg[i].base != (u32)seg[i].selector << 4 || seg[i].limit != 0xffff ||
		    ar[i] != AR_VM86)
			return false;
	return true;
}

static bool cs_ok(const struct kvm_segment *cs, u32 ar, unsigned int cpl, bool long_mode)
{
	u32 type = VMX_AR_TYPE(ar);

	if (!usable(cs) || !form_ok(cs, ar, false) || !base_ok(cs))
		return false;
	if (!(type & TYPE_CODE) || !(type & TYPE_ACCESSED))
		return false;
	if (long_mode && (ar & VMX_AR_L) && (ar & VMX_AR_DB))
		return false;
	return type & TYPE_CONFORMING ? dpl_of(ar) <= cpl : dpl_of(ar) == cpl;
}

static bool ss_ok(const struct kvm_segment *ss, u32 ar, const struct kvm_segment *cs)
{
	u32 type = VMX_AR_TYPE(ar);

	if ((ss->selector & RPL) != (cs->selector & RPL) || (ss->selector & RPL) != dpl_of(ar))
		return false;
	/* Data, writable, accessed; it may expand down. */
	return !usable(ss) || ((type == 3 || type == 7) && form_ok(ss, ar, false) && base_ok(ss));
}

static bool data_ok(const struct kvm_segment *s, u32 ar, enum x86_seg i)
{
	u32 type = VMX_AR_TYPE(ar);

	if (!usable(s))
		return true;
	if (!(type & TYPE_ACCESSED) || ((type & TYPE_CODE) && !(type & TYPE_READABLE)))
		return false;
	/* Data, or code that is not conforming. */
	if (type < (TYPE_CODE | TYPE_CONFORMING) && dpl_of(ar) < (s->selector & RPL))
		return false;
	/* FS and GS have all 64 bits, which whoever loads them has checked. */
	return form_ok(s, ar, false) && (i >= X86_SEG_FS || base_ok(s));
}

static bool tr_ok(const struct kvm_segment *tr, u32 ar, bool long_mode)
{
	u32 type = VMX_AR_TYPE(ar);

	return usable(tr) && form_ok(tr, ar, true) && !(tr->selector & TI) &&
	       (type == TYPE_TSS_BUSY || (type == TYPE_TSS16_BUSY && !long_mode));
}

static bool ldtr_ok(const struct kvm_segment *ldtr, u32 ar)
{
	return !usable(ldtr) || (VMX_AR_TYPE(ar) == TYPE_LDT && form_ok(ldtr, ar, true) &&
				 !(ldtr->selector & TI));
}

static bool segments_ok(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);
	bool long_mode = x86_is_long_mode(vcpu);
	struct kvm_segment seg[X86_NR_SEGS];
	u32 ar[X86_NR_SEGS];
	enum x86_seg i;

	for (i = 0; i < X86_NR_SEGS; i++) {
		vmx_get_segment(vcpu, &seg[i], i);
		ar[i] = vmx_segment_access(vmx, i);
	}
	if (!tr_ok(&seg[X86_SEG_TR], ar[X86_SEG_TR], long_mode) ||
	    !ldtr_ok(&seg[X86_SEG_LDTR], ar[X86_SEG_LDTR]))
		return false;
	if (!long_mode && (vmx_get_rflags(vcpu) & X86_EFLAGS_VM))
		return vm86_ok(seg, ar);
	if (!cs_ok(&seg[X86_SEG_CS], ar[X86_SEG_CS], dpl_of(ar[X86_SEG_SS]), long_mode) ||
	    !ss_ok(&seg[X86_SEG_SS], ar[X86_SEG_SS], &seg[X86_SEG_CS]))
		return false;
	for (i = X86_SEG_ES; i <= X86_SEG_GS; i++)
		if (i != X86_SEG_CS && i != X86_SEG_SS && !data_ok(&seg[i], ar[i], i))
			return false;
	return true;
}

bool vmx_can_enter(struct x86_vcpu *vcpu)
{
	/* There is no other way to run real mode. */
	if (!x86_is_protected(vcpu))
		return false;
	return !emulate_invalid_guest_state || segments_ok(vcpu);
}
