// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMCS in the log, when the CPU refuses to enter with it.
 */
#include <linux/printk.h>

#include "vendor-vmx/vmx.h"

void vmx_dump_state(struct x86_vcpu *vcpu)
{
	static const char * const names[] = { "es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr" };
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);
	int i;

	pr_err("kvm_intel: vcpu %d: VMCS\n", vcpu->core.id);
	pr_err("pin %08x proc %08x proc2 %08x exit %08x entry %08x exceptions %08x\n",
	       vmx->controls[VMX_PIN], vmx->controls[VMX_PROC], vmx->controls[VMX_PROC2],
	       vmx->controls[VMX_EXIT], vmx->controls[VMX_ENTRY], vmx->exception_bitmap);
	pr_err("cr0 %lx mask %lx shadow %lx cr3 %lx cr4 %lx mask %lx shadow %lx efer %llx\n",
	       vmcs_read(VMCS_GUEST_CR0), vmcs_read(VMCS_CR0_MASK), vmcs_read(VMCS_CR0_SHADOW),
	       vmcs_read(VMCS_GUEST_CR3), vmcs_read(VMCS_GUEST_CR4), vmcs_read(VMCS_CR4_MASK),
	       vmcs_read(VMCS_CR4_SHADOW), vmcs_read64(VMCS_GUEST_EFER));
	pr_err("pdptes %llx %llx %llx %llx\n", vmcs_read64(VMCS_GUEST_PDPTE),
	       vmcs_read64(VMCS_GUEST_PDPTE + 2), vmcs_read64(VMCS_GUEST_PDPTE + 4),
	       vmcs_read64(VMCS_GUEST_PDPTE + 6));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		pr_err("%-4s sel %04lx access %05lx limit %08lx base %016lx\n", names[i],
		       vmcs_read(VMCS_GUEST_ES_SELECTOR + 2 * i),
		       vmcs_read(VMCS_GUEST_ES_ACCESS + 2 * i),
		       vmcs_read(VMCS_GUEST_ES_LIMIT + 2 * i),
		       vmcs_read(VMCS_GUEST_ES_BASE + 2 * i));
	pr_err("gdtr %lx:%lx idtr %lx:%lx\n",
	       vmcs_read(VMCS_GUEST_GDTR_BASE), vmcs_read(VMCS_GUEST_GDTR_LIMIT),
	       vmcs_read(VMCS_GUEST_IDTR_BASE), vmcs_read(VMCS_GUEST_IDTR_LIMIT));
	pr_err("rip %lx rsp %lx rflags %lx dr7 %lx debugctl %llx interruptibility %lx activity %lx pending debug %lx\n",
	       vmcs_read(VMCS_GUEST_RIP), vmcs_read(VMCS_GUEST_RSP), vmcs_read(VMCS_GUEST_RFLAGS),
	       vmcs_read(VMCS_GUEST_DR7), vmcs_read64(VMCS_GUEST_DEBUGCTL),
	       vmcs_read(VMCS_GUEST_INTERRUPTIBILITY), vmcs_read(VMCS_GUEST_ACTIVITY),
	       vmcs_read(VMCS_GUEST_PENDING_DEBUG));
	pr_err("entry event %lx error %lx length %lx eptp %llx vpid %x tsc offset %llx pat %llx\n",
	       vmcs_read(VMCS_ENTRY_INTR_INFO), vmcs_read(VMCS_ENTRY_ERROR_CODE),
	       vmcs_read(VMCS_ENTRY_INSN_LEN), vmx->eptp, vmx->vpid,
	       vmcs_read64(VMCS_TSC_OFFSET), vmx->pat);
	pr_err("exit reason %lx qualification %lx instruction error %lx vectoring %lx\n",
	       vmcs_read(VMCS_EXIT_REASON), vmcs_read(VMCS_EXIT_QUALIFICATION),
	       vmcs_read(VMCS_INSN_ERROR), vmcs_read(VMCS_IDT_VECTORING_INFO));
	pr_err("host cr0 %lx cr3 %lx cr4 %lx efer %llx rip %lx rsp %lx\n",
	       vmcs_read(VMCS_HOST_CR0), vmcs_read(VMCS_HOST_CR3), vmcs_read(VMCS_HOST_CR4),
	       vmcs_read64(VMCS_HOST_EFER), vmcs_read(VMCS_HOST_RIP), vmcs_read(VMCS_HOST_RSP));
	pr_err("host cs %lx ss %lx ds %lx es %lx fs %lx:%lx gs %lx:%lx tr %lx:%lx gdtr %lx idtr %lx\n",
	       vmcs_read(VMCS_HOST_CS_SELECTOR), vmcs_read(VMCS_HOST_SS_SELECTOR),
	       vmcs_read(VMCS_HOST_DS_SELECTOR), vmcs_read(VMCS_HOST_ES_SELECTOR),
	       vmcs_read(VMCS_HOST_FS_SELECTOR), vmcs_read(VMCS_HOST_FS_BASE),
	       vmcs_read(VMCS_HOST_GS_SELECTOR), vmcs_read(VMCS_HOST_GS_BASE),
	       vmcs_read(VMCS_HOST_TR_SELECTOR), vmcs_read(VMCS_HOST_TR_BASE),
	       vmcs_read(VMCS_HOST_GDTR_BASE), vmcs_read(VMCS_HOST_IDTR_BASE));
}
