// SPDX-License-Identifier: GPL-2.0-only
/*
 * APIC virtualization (SDM 3C chapter 30): the APIC-access page, x2APIC's MSRs, the
 * registers in the virtual-APIC page, which is the LAPIC's own, virtual-interrupt
 * delivery and posted interrupts. Owns the controls for it and the exits that come of it. When the CPU may
 * deliver is arch-x86/irqchip/apicv.c's business.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <asm/irq_vectors.h>
#include <compat/host_events.h>

#include "arch-x86/irqchip/irqchip.h"
#include "arch-x86/events.h"
#include "vendor-vmx/vmx.h"

static bool flexpriority = true;
module_param(flexpriority, bool, 0444);
MODULE_PARM_DESC(flexpriority, "let the CPU keep the task priority, in CR8 and in the APIC");

/* Off unless asked for: docs/lab.md says what the lab can't show of it. */
static bool enable_apicv;
module_param(enable_apicv, bool, 0444);
MODULE_PARM_DESC(enable_apicv, "let the CPU read the APIC's registers and deliver interrupts");

#define APIC_CONTROLS	(VMX_PROC2_APIC_ACCESS | VMX_PROC2_X2APIC | \
			 VMX_PROC2_APIC_REGISTERS | VMX_PROC2_INTR_DELIVERY)

/* Exit qualification of an APIC access (table 28-6). */
enum {
	ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH, ACCESS_DELIVERY,
	ACCESS_PHYSICAL_DELIVERY = 10, ACCESS_PHYSICAL = 15,
};

void __init vmx_apicv_init(void)
{
	/* Users read in the parameters what is in use. */
	vmx_has.tpr_shadow = flexpriority && vmx_can(VMX_PROC, VMX_PROC_TPR_SHADOW);
	flexpriority = vmx_has.tpr_shadow && vmx_can(VMX_PROC2, VMX_PROC2_APIC_ACCESS) &&
		       vmx_caps.npt;
	/* Shadow tables map no page of ours, and all the rest needs the TPR (27.2.1.1). */
	if (!vmx_has.tpr_shadow || !vmx_caps.npt) {
		vmx_has.may[VMX_PROC2] &= ~APIC_CONTROLS;
		enable_apicv = false;
		return;
	}
	/*
	 * Registers without delivery would save the reads only; delivery without one of the
	 * two ways to the registers would exit for the EOIs. CPUs have all, or none.
	 */
	if (!vmx_can(VMX_PROC2, APIC_CONTROLS))
		enable_apicv = false;
	if (!enable_apicv)
		vmx_has.may[VMX_PROC2] &= ~(VMX_PROC2_APIC_REGISTERS | VMX_PROC2_INTR_DELIVERY);
	vmx_caps.irq_delivery = enable_apicv;
	/* It wants host interrupts acknowledged at exits (SDM 3C 26.2.1.1). */
	vmx_caps.irq_posting = enable_apicv && vmx_can(VMX_PIN, VMX_PIN_POSTED_INTR) &&
			       vmx_can(VMX_EXIT, VMX_EXIT_ACK_INTR) && kvmc_has_host_interrupt();
	vmx_caps.apic_page = flexpriority;
	vmx_caps.tpr_in_hardware = flexpriority;
}

u32 vmx_apic_controls(struct vmx_vcpu *vmx)
{
	struct x86_vcpu *vcpu = &vmx->x86;
	u32 want = 0;

	/* Never both of them (SDM 3C 27.2.1.1). */
	switch (x86_lapic_mode(vcpu)) {
	case X86_APIC_OFF:
		break;
	case X86_APIC_PAGE:
		if (x86_vcpu_vm(vcpu)->apic_page)
			want = VMX_PROC2_APIC_ACCESS;
		break;
	case X86_APIC_MSRS:
		want = VMX_PROC2_X2APIC;
		break;
	}
	if (x86_lapic_apicv(vcpu))
		want |= VMX_PROC2_APIC_REGISTERS | VMX_PROC2_INTR_DELIVERY;
	return want;
}

void vmx_apicv_reset(struct vmx_vcpu *vmx)
{
	struct page *page = x86_vcpu_vm(&vmx->x86)->apic_page;
	int i;

	if (page)
		vmcs_write64(VMCS_APIC_ACCESS_ADDR, page_to_phys(page));
	if (!vmx_caps.irq_delivery)
		return;
	vmcs_write(VMCS_GUEST_INTR_STATUS, 0);
	if (vmx_caps.irq_posting && vmx->x86.posted) {
		/* The kernel's vector for it, whose handler has nothing to do. */
		vmcs_write(VMCS_POSTED_INTR_VECTOR, POSTED_INTR_VECTOR);
		vmcs_write64(VMCS_POSTED_INTR_DESC, __pa(vmx->x86.posted));
	}
	for (i = 0; i < 4; i++)
		vmcs_write64(VMCS_EOI_EXIT_BITMAP + 2 * i, 0);
}

/* ---- operations ---------------------------------------------------------------- */

static void apicv_changed(struct x86_vcpu *vcpu)
{
	vmx_recalc_intercepts(vcpu);
}

/* Guest interrupt status: RVI in the low byte, SVI in the high one (SDM 3C 25.4.2). */
static void put_status(u8 vector, unsigned int shift)
{
	u16 old = vmcs_read(VMCS_GUEST_INTR_STATUS);
	u16 new = (old & ~(0xff << shift)) | vector << shift;

	if (new != old)
		vmcs_write(VMCS_GUEST_INTR_STATUS, new);
}

u8 vmx_apicv_in_service(void)
{
	return vmcs_read(VMCS_GUEST_INTR_STATUS) >> 8;
}

static void apicv_set_requested(struct x86_vcpu *vcpu, int vector)
{
	put_status(max(vector, 0), 0);
}

static void apicv_set_in_service(struct x86_vcpu *vcpu, int vector)
{
	put_status(max(vector, 0), 8);
}

static void apicv_set_eoi_exits(struct x86_vcpu *vcpu, const u64 bitmap[4])
{
	int i;

	for (i = 0; i < 4; i++)
		vmcs_write64(VMCS_EOI_EXIT_BITMAP + 2 * i, bitmap[i]);
}

const struct x86_apicv_ops vmx_apicv_ops = {
	.changed = apicv_changed,
	.set_requested = apicv_set_requested,
	.set_in_service = apicv_set_in_service,
	.set_eoi_exits = apicv_set_eoi_exits,
};

/* ---- exits ------------------------------------------------------------------------ */

int vmx_apic_access(struct vmx_vcpu *vmx)
{
	unsigned long q = vmx_qualification(vmx);
	u64 error_code;

	vmx->x86.core.stat.apic_access_exits++;
	switch (VMX_APIC_TYPE(q)) {
	case ACCESS_READ:
		error_code = PFERR_PRESENT | PFERR_GUEST_FINAL;
		break;
	case ACCESS_WRITE:
		error_code = PFERR_PRESENT | PFERR_GUEST_FINAL | PFERR_WRITE;
		break;
	case ACCESS_FETCH:
		error_code = PFERR_PRESENT | PFERR_GUEST_FINAL | PFERR_FETCH;
		break;
	default:
		/* Delivery of an event, or a walk of the guest's tables. */
		error_code = PFERR_PRESENT | PFERR_GUEST_PAGE;
		break;
	}
	return x86_mmu_apic_access(&vmx->x86, APIC_DEFAULT_PHYS_BASE | VMX_APIC_OFFSET(q),
				   error_code);
}

int vmx_apic_write(struct vmx_vcpu *vmx)
{
	/* Like a trap: the instruction is done (SDM 3C 30.4.3.2). */
	vmx->x86.core.stat.apic_write_exits++;
	x86_lapic_register_written(&vmx->x86, VMX_APIC_OFFSET(vmx_qualification(vmx)));
	return X86_RESUME;
}

int vmx_eoi(struct vmx_vcpu *vmx)
{
	/* Likewise; ISR and SVI are right already (SDM 3C 30.1.4). */
	vmx->x86.core.stat.apic_eoi_exits++;
	x86_lapic_service_ended(&vmx->x86, vmx_qualification(vmx));
	return X86_RESUME;
}
