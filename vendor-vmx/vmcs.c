// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where each VMCS is. A CPU may keep parts of a VMCS that it has loaded in caches of
 * its own, so one is cleared on its CPU before another loads it, before its memory is
 * freed, and before VMX goes off (SDM 3C 25.11.1). Owns the list, per CPU, of what is
 * loaded there, and turning VMX on and off. Knows no field.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/rculist.h>
#include <linux/smp.h>
#include <asm/cpufeature.h>
#include <compat/spec.h>
#include <compat/virt.h>

#include "vendor-vmx/vmx.h"

/*
 * Changed on its own CPU, IRQs off. A crash's NMI may come in between and walks it
 * forward: so entries are linked and unlinked as for an RCU reader.
 */
static DEFINE_PER_CPU(struct list_head, vmx_loaded);
static DEFINE_PER_CPU(struct vmx_vmcs *, vmx_current);

void vmx_insn_failed(const char *what, unsigned long operand)
{
	WARN_ONCE(!virt_rebooting, "kvm_intel: %s %#lx failed\n", what, operand);
}

int vmx_vmcs_alloc(struct vmx_vmcs *vmcs)
{
	vmcs->page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vmcs->page)
		return -ENOMEM;
	/* Bit 31, for a shadow VMCS, stays 0 (SDM 3C 25.2). */
	*(u32 *)vmcs->page = vmx_has.revision;
	vmcs->pa = __pa(vmcs->page);
	vmcs->cpu = -1;
	INIT_LIST_HEAD(&vmcs->loaded);
	return 0;
}

/* On the CPU that has it, IRQs off. */
static void clear_here(void *data)
{
	struct vmx_vmcs *vmcs = data;

	/* It may have been cleared, or have moved, while the call was under way. */
	if (vmcs->cpu != raw_smp_processor_id())
		return;
	if (this_cpu_read(vmx_current) == vmcs)
		this_cpu_write(vmx_current, NULL);
	vmx_vmclear(vmcs->pa);
	list_del_rcu(&vmcs->loaded);
	/* Seen -1, another CPU may take it: all of the above comes first. */
	smp_store_release(&vmcs->cpu, -1);
}

static void clear_anywhere(struct vmx_vmcs *vmcs)
{
	int cpu = READ_ONCE(vmcs->cpu);

	/* An offline CPU has cleared its own when it went. */
	if (cpu >= 0)
		smp_call_function_single(cpu, clear_here, vmcs, 1);
}

void vmx_vmcs_free(struct vmx_vmcs *vmcs)
{
	clear_anywhere(vmcs);
	free_page((unsigned long)vmcs->page);
}

bool vmx_vmcs_load(struct vmx_vcpu *vmx, int cpu)
{
	struct vmx_vmcs *vmcs = &vmx->vmcs;
	bool moved = vmcs->cpu != cpu;
	unsigned long flags;

	if (moved) {
		clear_anywhere(vmcs);
		local_irq_save(flags);
		/* Memory that VMPTRLD has not seen may be cleared as well: listed first. */
		list_add_rcu(&vmcs->loaded, this_cpu_ptr(&vmx_loaded));
		vmcs->cpu = cpu;
		/* A new one has never been cleared. */
		vmx_vmclear(vmcs->pa);
		local_irq_restore(flags);
		vmx->enter.launched = false;
	}
	if (this_cpu_read(vmx_current) != vmcs) {
		this_cpu_write(vmx_current, vmcs);
		vmx_vmptrld(vmcs->pa);
		/* Another guest ran here last: its predictions must not serve this one. */
		kvmc_ibpb();
	}
	return moved;
}

void vmx_emergency_clear(void)
{
	struct list_head *here = this_cpu_ptr(&vmx_loaded);
	struct vmx_vmcs *vmcs;

	list_for_each_entry_rcu(vmcs, here, loaded, true)
		vmx_vmclear(vmcs->pa);
}

void __init vmx_vmcs_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		INIT_LIST_HEAD(per_cpu_ptr(&vmx_loaded, cpu));
}

int vmx_cpu_enable(void)
{
	int r = kvmc_virt_get(X86_FEATURE_VMX);

	if (r)
		return r;
	vmx_flush_cpu();
	return 0;
}

void vmx_cpu_disable(void)
{
	struct vmx_vmcs *vmcs, *next;
	unsigned long flags;

	local_irq_save(flags);
	list_for_each_entry_safe(vmcs, next, this_cpu_ptr(&vmx_loaded), loaded)
		clear_here(vmcs);
	local_irq_restore(flags);
	kvmc_virt_put(X86_FEATURE_VMX);
}
