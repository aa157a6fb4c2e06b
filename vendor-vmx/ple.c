// SPDX-License-Identifier: GPL-2.0-only
/*
 * PAUSE-loop exiting (SDM 3C 25.6.13): how long a guest's loop of PAUSEs may last until its
 * vCPU makes room for another. Owns that window, of each vCPU: it grows with every such
 * exit, since the one that was waited for may have had its turn and the loop lasts all the
 * same, and shrinks when the vCPU has been off its CPU.
 */
#include <linux/minmax.h>
#include <linux/moduleparam.h>

#include "vendor-vmx/vmx.h"

static unsigned int ple_gap = 128;
module_param(ple_gap, uint, 0444);
MODULE_PARM_DESC(ple_gap, "cycles between two PAUSEs of one loop; 0: loops are not watched for");

static unsigned int ple_window = 4096;
module_param(ple_window, uint, 0444);
MODULE_PARM_DESC(ple_window, "cycles that a loop of PAUSEs may last, at first");

static unsigned int ple_window_grow = 2;
module_param(ple_window_grow, uint, 0444);
MODULE_PARM_DESC(ple_window_grow,
		 "after each exit: times this, or, from ple_window on, plus this; 0: as at first");

static unsigned int ple_window_shrink;
module_param(ple_window_shrink, uint, 0444);
MODULE_PARM_DESC(ple_window_shrink,
		 "after a time off the CPU: by this, or, from ple_window on, less this; 0: as at first");

static unsigned int ple_window_max = UINT_MAX;
module_param(ple_window_max, uint, 0444);
MODULE_PARM_DESC(ple_window_max, "what it grows to at most");

bool vmx_ple_wanted(void)
{
	return ple_gap;
}

static void set_window(struct vmx_vcpu *vmx, u64 window)
{
	window = min_t(u64, window, max(ple_window, ple_window_max));
	if (window == vmx->ple_window)
		return;
	vmx->ple_window = window;
	vmcs_write(VMCS_PLE_WINDOW, window);
}

void vmx_ple_reset(struct vmx_vcpu *vmx)
{
	if (!vmx_can(VMX_PROC2, VMX_PROC2_PAUSE_LOOP))
		return;
	vmcs_write(VMCS_PLE_GAP, ple_gap);
	vmx->ple_window = ple_window;
	vmcs_write(VMCS_PLE_WINDOW, ple_window);
}

void vmx_ple_grow(struct vmx_vcpu *vmx)
{
	u64 now = vmx->ple_window;

	if (!ple_window_grow)
		set_window(vmx, ple_window);
	else if (ple_window_grow < ple_window)
		set_window(vmx, now * ple_window_grow);
	else
		set_window(vmx, now + ple_window_grow);
}

void vmx_ple_shrink(struct vmx_vcpu *vmx)
{
	u32 now = vmx->ple_window;

	if (now == ple_window || !(vmx->controls[VMX_PROC2] & VMX_PROC2_PAUSE_LOOP))
		return;
	if (!ple_window_shrink)
		now = 0;
	else if (ple_window_shrink < ple_window)
		now /= ple_window_shrink;
	else
		now -= min(now, ple_window_shrink);
	set_window(vmx, max(now, ple_window));
}
