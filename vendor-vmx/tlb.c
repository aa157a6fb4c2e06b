// SPDX-License-Identifier: GPL-2.0-only
/*
 * Translations that the CPU has cached: their tags (VPID), and dropping them by the
 * narrowest instruction that this CPU has (SDM 3C 29.4). With EPT there are
 * guest-physical translations, tagged by EPTP, and combined ones, tagged by VPID and
 * EPTP: INVEPT drops both kinds of an EPTP, INVVPID the combined ones of a VPID. Without
 * EPT there are linear ones, of shadow tables, tagged by VPID.
 *
 * All of it works on this CPU. What a vCPU left on others is dropped when it comes
 * there again: vmx_vcpu_load() asks for it.
 */
#include <linux/bitmap.h>
#include <linux/spinlock.h>

#include "vendor-vmx/vmx.h"

#define VMX_NR_VPIDS	(1 << 16)

static DEFINE_SPINLOCK(vpid_lock);	/* guards vpids */
static DECLARE_BITMAP(vpids, VMX_NR_VPIDS);

u16 vmx_vpid_alloc(void)
{
	unsigned long vpid;

	if (!vmx_has.vpid)
		return 0;
	spin_lock(&vpid_lock);
	/* 0 is the host's. */
	vpid = find_next_zero_bit(vpids, VMX_NR_VPIDS, 1);
	if (vpid < VMX_NR_VPIDS)
		__set_bit(vpid, vpids);
	else
		vpid = 0;
	spin_unlock(&vpid_lock);
	return vpid;
}

void vmx_vpid_free(u16 vpid)
{
	if (!vpid)
		return;
	spin_lock(&vpid_lock);
	__clear_bit(vpid, vpids);
	spin_unlock(&vpid_lock);
}

static void flush_ept(u64 eptp)
{
	if (vmx_has.ept_vpid & VMX_EPT_INVEPT_SINGLE)
		vmx_invept(VMX_INVEPT_SINGLE, eptp);
	else
		vmx_invept(VMX_INVEPT_ALL, 0);
}

static void flush_vpid(u16 vpid)
{
	/* Without a tag of its own, entries and exits drop everything. */
	if (!vpid)
		return;
	if (vmx_has.ept_vpid & VMX_VPID_INVVPID_SINGLE)
		vmx_invvpid(VMX_INVVPID_SINGLE, vpid, 0);
	else
		vmx_invvpid(VMX_INVVPID_ALL, 0, 0);
}

void vmx_flush_cpu(void)
{
	if (vmx_has.ept_vpid & VMX_EPT_INVEPT_ALL)
		vmx_invept(VMX_INVEPT_ALL, 0);
	if (vmx_has.vpid && (vmx_has.ept_vpid & VMX_VPID_INVVPID_ALL))
		vmx_invvpid(VMX_INVVPID_ALL, 0, 0);
}

void vmx_load_root(struct x86_vcpu *vcpu, hpa_t root, int level)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);
	u64 eptp = root | VMX_EPTP_WB | VMX_EPTP_WALK(level);

	if (!vmx_caps.npt) {
		/* Of a guest in PAE mode the entry reads the PDPTEs anew (SDM 3C 27.3.2.4). */
		vmcs_write(VMCS_GUEST_CR3, root);
		return;
	}
	if (vmx_caps.tdp_has_ad)
		eptp |= VMX_EPTP_AD;
	vmx->eptp = eptp;
	vmcs_write64(VMCS_EPT_POINTER, eptp);
}

void vmx_flush_tlb_current(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	if (!vmx_caps.npt)
		flush_vpid(vmx->vpid);
	else if (vmx->eptp)
		flush_ept(vmx->eptp);
}

void vmx_flush_tlb_guest(struct x86_vcpu *vcpu)
{
	flush_vpid(vmx_vcpu_of(vcpu)->vpid);
}

void vmx_flush_tlb_all(struct x86_vcpu *vcpu)
{
	/* A VPID may have been another vCPU's, with another EPTP, or the EPTP another VM's. */
	vmx_flush_tlb_current(vcpu);
	vmx_flush_tlb_guest(vcpu);
}

void vmx_flush_tlb_gva(struct x86_vcpu *vcpu, gva_t gva)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	/* Nothing is cached of an address that can't be used, and it is an error to ask. */
	if (!vmx->vpid || x86_is_noncanonical(vcpu, gva))
		return;
	if (vmx_has.ept_vpid & VMX_VPID_INVVPID_ADDRESS)
		vmx_invvpid(VMX_INVVPID_ADDRESS, vmx->vpid, gva);
	else
		flush_vpid(vmx->vpid);
}
