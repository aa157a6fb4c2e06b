// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page-modification logging (SDM 3C 29.3.6): the CPU lists the guest-physical addresses
 * of EPT entries whose D bit it sets. Owns that list, of 512 entries, which the CPU fills
 * from the end; hands it over after exits, while any slot is logged, and when it is full.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "arch-x86/mmu/mmu.h"
#include "vendor-vmx/vmx.h"

static bool pml = true;
module_param(pml, bool, 0444);
MODULE_PARM_DESC(pml, "let the CPU log the pages that guests write");

#define PML_ENTRIES	(PAGE_SIZE / sizeof(u64))

bool __init vmx_pml_init(void)
{
	pml &= vmx_caps.tdp_has_ad && vmx_can(VMX_PROC2, VMX_PROC2_PML);
	return pml;
}

int vmx_pml_alloc(struct vmx_vcpu *vmx)
{
	/* Rings are filled by write faults. */
	if (!vmx_caps.dirty_log || vmx->x86.core.kvm->dirty_ring_bytes)
		return 0;
	vmx->pml = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return vmx->pml ? 0 : -ENOMEM;
}

void vmx_pml_free(struct vmx_vcpu *vmx)
{
	free_page((unsigned long)vmx->pml);
}

void vmx_pml_reset(struct vmx_vcpu *vmx)
{
	if (!vmx->pml)
		return;
	vmcs_write64(VMCS_PML_ADDRESS, __pa(vmx->pml));
	vmcs_write(VMCS_GUEST_PML_INDEX, PML_ENTRIES - 1);
}

void vmx_pml_flush(struct vmx_vcpu *vmx)
{
	struct x86_vcpu *vcpu = &vmx->x86;
	u16 index = vmcs_read(VMCS_GUEST_PML_INDEX);

	/* The next free entry; beyond the list: none is free. */
	if (index == PML_ENTRIES - 1)
		return;
	index = index < PML_ENTRIES ? index + 1 : 0;
	vcpu->core.stat.pml_pages += PML_ENTRIES - index;
	for (; index < PML_ENTRIES; index++)
		x86_mmu_page_written(vcpu, vmx->pml[index]);
	vmcs_write(VMCS_GUEST_PML_INDEX, PML_ENTRIES - 1);
}

int vmx_pml_full(struct vmx_vcpu *vmx)
{
	/* The list was handed over before any exit was looked at. */
	if (vmx_qualification(vmx) & VMX_EPTV_NMI_UNBLOCKED)
		vmx_iret_faulted(vmx);
	return X86_RESUME;
}
