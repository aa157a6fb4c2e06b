// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments of a 32 bit host around a guest's run. FS, and GS where it has the stack
 * canary, are the kernel's own and come back at each exit; user's GS when the vCPU
 * leaves the CPU. DS and ES are set by enter_32.S.
 */
#include <asm/segment.h>

#include "vendor-vmx/vmx.h"

void vmx_host_cpu_segs(void)
{
	u16 fs;

	savesegment(fs, fs);
	vmcs_write(VMCS_HOST_FS_SELECTOR, fs & ~7);
	vmcs_write(VMCS_HOST_FS_BASE, vmx_descriptor_base(fs));
	vmcs_write(VMCS_HOST_DS_SELECTOR, __KERNEL_DS);
	vmcs_write(VMCS_HOST_ES_SELECTOR, __KERNEL_DS);
}

/* In the kernel's GDT, for the kernel: it can be in the VMCS. */
static bool is_kernels(u16 selector)
{
	return selector && !(selector & 7);
}

void vmx_host_save_segs(struct vmx_vcpu *vmx)
{
	struct vmx_host_state *h = &vmx->host;

	savesegment(gs, h->gs_sel);
	vmcs_write(VMCS_HOST_GS_SELECTOR, is_kernels(h->gs_sel) ? h->gs_sel : 0);
	vmcs_write(VMCS_HOST_GS_BASE,
		   is_kernels(h->gs_sel) ? vmx_descriptor_base(h->gs_sel) : 0);
}

void vmx_host_restore_segs(struct vmx_vcpu *vmx)
{
	struct vmx_host_state *h = &vmx->host;

	/* User space may have taken the segment away meanwhile: the load is checked. */
	if (h->gs_sel && !is_kernels(h->gs_sel))
		loadsegment(gs, h->gs_sel);
}
