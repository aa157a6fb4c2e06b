// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments of a 64 bit host around a guest's run. The kernel's GS base is per CPU; FS,
 * GS and the swapped GS base are the task's, and come back when the vCPU leaves the
 * CPU: the kernel itself uses none of them.
 */
#include <linux/sched.h>
#include <asm/gsseg.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/segment.h>

#include "vendor-vmx/vmx.h"

void vmx_host_cpu_segs(void)
{
	u64 gs_base;

	rdmsrq(MSR_GS_BASE, gs_base);
	vmcs_write(VMCS_HOST_GS_BASE, gs_base);
	vmcs_write(VMCS_HOST_GS_SELECTOR, 0);
	vmcs_write(VMCS_HOST_DS_SELECTOR, 0);
	vmcs_write(VMCS_HOST_ES_SELECTOR, 0);
}

void vmx_host_save_segs(struct vmx_vcpu *vmx)
{
	struct vmx_host_state *h = &vmx->host;

	current_save_fsgs();
	h->fs_sel = current->thread.fsindex;
	h->gs_sel = current->thread.gsindex;
	h->fs_base = current->thread.fsbase;
	h->gs_base = current->thread.gsbase;
	savesegment(ds, h->ds_sel);
	savesegment(es, h->es_sel);

	/* A selector in the VMCS has neither RPL nor TI (SDM 3C 27.2.3): user's have. */
	vmcs_write(VMCS_HOST_FS_SELECTOR, 0);
	vmcs_write(VMCS_HOST_FS_BASE, h->fs_base);
	wrmsrq(MSR_KERNEL_GS_BASE, vmx->kernel_gs_base);
}

void vmx_host_restore_segs(struct vmx_vcpu *vmx)
{
	struct vmx_host_state *h = &vmx->host;

	rdmsrq(MSR_KERNEL_GS_BASE, vmx->kernel_gs_base);
	/* A selector's load replaces the base, which comes after it. */
	if (unlikely(h->fs_sel)) {
		loadsegment(fs, h->fs_sel);
		wrmsrq(MSR_FS_BASE, h->fs_base);
	}
	if (unlikely(h->gs_sel))
		load_gs_index(h->gs_sel);
	wrmsrq(MSR_KERNEL_GS_BASE, h->gs_base);
	if (unlikely(h->ds_sel | h->es_sel)) {
		loadsegment(ds, h->ds_sel);
		loadsegment(es, h->es_sel);
	}
}
