// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMX-preemption timer: ends the guest's run when the host's TSC has got somewhere
 * (SDM 3C 26.5.1). Owns what is written of it before an entry, and which CPUs have one
 * that counts right. What it is for is the LAPIC timer's business.
 */
#include <linux/module.h>
#include <asm/cpuid/api.h>
#include <asm/msr.h>

#include "arch-x86/irqchip/irqchip.h"
#include "vendor-vmx/vmx.h"

static bool preemption_timer = true;
module_param(preemption_timer, bool, 0444);
MODULE_PARM_DESC(preemption_timer, "time guests' TSC deadlines by the CPU's own timer");

/* It does not count at the rate it says (errata AAJ124, AAK139, AAT59, AAX65 and kin). */
static bool __init counts_wrong(void)
{
	static const u32 signatures[] __initconst = {
		0x106a0, 0x106a1, 0x106a4, 0x106a5, 0x106e5,
		0x20652, 0x20655, 0x206e6, 0x306a8,
	};
	u32 me = cpuid_eax(1);
	int i;

	for (i = 0; i < ARRAY_SIZE(signatures); i++)
		if (me == signatures[i])
			return true;
	return false;
}

bool __init vmx_timer_init(void)
{
	preemption_timer &= vmx_can(VMX_PIN, VMX_PIN_PREEMPTION_TIMER) && !counts_wrong();
	return preemption_timer;
}

void vmx_set_timer(struct x86_vcpu *vcpu, u64 host_tsc)
{
	vmx_vcpu_of(vcpu)->timer = host_tsc;
}

void vmx_load_timer(struct vmx_vcpu *vmx)
{
	u64 now, ticks = 0;

	vmx_put_control(vmx, VMX_PIN, VMX_PIN_PREEMPTION_TIMER, vmx->timer);
	if (likely(!vmx->timer))
		return;
	now = rdtsc();
	/* One more: the first tick may come at once, and it must not end too early. */
	if (vmx->timer > now)
		ticks = ((vmx->timer - now) >> VMX_MISC_TIMER_RATE(vmx_has.misc)) + 1;
	/* What does not fit is waited for in pieces. */
	vmcs_write(VMCS_PREEMPTION_TIMER, min_t(u64, ticks, U32_MAX));
}

enum x86_fastpath vmx_timer_exit(struct vmx_vcpu *vmx)
{
	vmx->x86.core.stat.hw_timer_exits++;
	x86_lapic_timer_expired(&vmx->x86);
	/* If that made an interrupt, its request ends the loop. */
	return X86_FASTPATH_REENTER;
}
