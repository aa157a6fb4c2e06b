// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's state around a guest's run: what the VMCS loads at each exit (SDM 3C
 * 28.5), and what it does not, or not fully, and is put right when the vCPU leaves the
 * CPU. Segments are in host_64.c and host_32.c.
 */
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/segment.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>

#include "vendor-vmx/vmx.h"

unsigned long vmx_descriptor_base(u16 selector)
{
	struct desc_ptr gdt;
	const struct desc_struct *d;
	unsigned long base;

	native_store_gdt(&gdt);
	d = (void *)(gdt.address + (selector & ~7));
	base = d->base0 | d->base1 << 16 | (unsigned long)d->base2 << 24;
	/* System descriptors of 64 bit mode have 16 bytes (SDM 3A 3.5). */
	if (IS_ENABLED(CONFIG_X86_64) && !d->s)
		base |= (u64)*(const u32 *)(d + 1) << 32;
	return base;
}

void vmx_host_init(struct vmx_vcpu *vmx)
{
	struct desc_ptr idt;
	u64 value;

	vmcs_write(VMCS_HOST_CR0, read_cr0() & ~X86_CR0_TS);
	vmcs_write(VMCS_HOST_CS_SELECTOR, __KERNEL_CS);
	vmcs_write(VMCS_HOST_SS_SELECTOR, __KERNEL_DS);
	vmcs_write(VMCS_HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	store_idt(&idt);
	vmcs_write(VMCS_HOST_IDTR_BASE, idt.address);
	vmcs_write(VMCS_HOST_RIP, (unsigned long)vmx_exit_point);

	rdmsrq(MSR_IA32_SYSENTER_CS, value);
	vmcs_write(VMCS_HOST_SYSENTER_CS, value);
	rdmsrq(MSR_IA32_SYSENTER_EIP, value);
	vmcs_write(VMCS_HOST_SYSENTER_EIP, value);
	rdmsrq(MSR_EFER, value);
	vmcs_write64(VMCS_HOST_EFER, value);
	if (vmx_can(VMX_EXIT, VMX_EXIT_LOAD_PAT)) {
		rdmsrq(MSR_IA32_CR_PAT, value);
		vmcs_write64(VMCS_HOST_PAT, value);
	}
	vmx->enter.host_rsp = 0;
	vmx->host.cr3 = 0;
	vmx->host.cr4 = 0;
}

void vmx_host_cpu_changed(struct vmx_vcpu *vmx)
{
	struct desc_ptr gdt;
	u64 esp;

	native_store_gdt(&gdt);
	vmcs_write(VMCS_HOST_GDTR_BASE, gdt.address);
	vmcs_write(VMCS_HOST_TR_BASE, vmx_descriptor_base(GDT_ENTRY_TSS * 8));
	rdmsrq(MSR_IA32_SYSENTER_ESP, esp);
	vmcs_write(VMCS_HOST_SYSENTER_ESP, esp);
	vmx_host_cpu_segs();
}

void vmx_host_save(struct vmx_vcpu *vmx)
{
	struct vmx_host_state *h = &vmx->host;
	unsigned long cr4;

	if (h->saved)
		return;
	store_ldt(h->ldt_sel);
	vmx_host_save_segs(vmx);
	cr4 = cr4_read_shadow();
	if (h->cr4 != cr4) {
		vmcs_write(VMCS_HOST_CR4, cr4);
		h->cr4 = cr4;
	}
	rdmsrq(MSR_IA32_DEBUGCTLMSR, h->debugctl);
	h->saved = true;
}

void vmx_host_restore(struct vmx_vcpu *vmx)
{
	struct vmx_host_state *h = &vmx->host;

	if (!h->saved)
		return;
	vmx_host_restore_segs(vmx);
	/* An exit leaves LDTR unusable, and limits of TSS and GDT of its own. */
	if (h->ldt_sel)
		asm volatile("lldt %0" : : "m" (h->ldt_sel));
	invalidate_tss_limit();
	load_fixmap_gdt(raw_smp_processor_id());
	h->saved = false;
}
