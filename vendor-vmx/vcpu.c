// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a vCPU's VMCS: making it, its content at RESET and INIT, and which controls
 * are set, from what this CPU has, guest debugging, disabled exits and CPUID.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <asm/cpufeature.h>

#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/events.h"
#include "arch-x86/irqchip/lapic.h"
#include "vendor-vmx/vmx.h"

int vmx_vcpu_create(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);
	int r;

	BUILD_BUG_ON(offsetof(struct vmx_vcpu, x86.core) != 0);

	r = vmx_vmcs_alloc(&vmx->vmcs);
	if (r)
		return r;
	vmx->msr_bitmap = vmx_msr_bitmap_alloc();
	r = vmx->msr_bitmap ? vmx_pml_alloc(vmx) : -ENOMEM;
	if (r) {
		vmx_msr_bitmap_free(vmx->msr_bitmap);
		vmx_vmcs_free(&vmx->vmcs);
		return r;
	}
	vmx->vpid = vmx_vpid_alloc();
	return 0;
}

void vmx_vcpu_destroy(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	vmx_vmcs_free(&vmx->vmcs);
	vmx_msr_bitmap_free(vmx->msr_bitmap);
	vmx_pml_free(vmx);
	vmx_vpid_free(vmx->vpid);
}

void vmx_update_exception_bitmap(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);
	/*
	 * #MC is the host's. #DB and #AC must be seen, since a guest can make their
	 * delivery raise them again for ever (CVE-2015-8104, CVE-2015-5307).
	 * #UD may be a hypercall of the other vendor's.
	 */
	u32 bitmap = BIT(MC_VECTOR) | BIT(DB_VECTOR) | BIT(AC_VECTOR) | BIT(UD_VECTOR);

	if (!vmx_caps.npt)
		bitmap |= BIT(PF_VECTOR);
	if (vcpu->core.guest_debug & KVM_GUESTDBG_USE_SW_BP)
		bitmap |= BIT(BP_VECTOR);
	if (vmx->exception_bitmap == bitmap)
		return;
	vmx->exception_bitmap = bitmap;
	vmcs_write(VMCS_EXCEPTION_BITMAP, bitmap);
}

/* What must be 1, and @want as far as the CPU has it. */
static u32 allowed(enum vmx_control_word word, u32 want)
{
	return (want | vmx_has.must[word]) & vmx_has.may[word];
}

static u32 proc_controls(struct vmx_vcpu *vmx)
{
	struct x86_vcpu *vcpu = &vmx->x86;
	struct x86_vm *vm = x86_vcpu_vm(vcpu);
	u32 want = VMX_PROC_TSC_OFFSET | VMX_PROC_RDPMC | VMX_PROC_UNCOND_IO |
		   VMX_PROC_MSR_BITMAP | VMX_PROC_SECONDARY | vmx_cr3_exits(vcpu);

	/* Without an APIC of ours user space must hear of each change. */
	if (vmx_has.tpr_shadow && x86_has_lapic(vcpu))
		want |= VMX_PROC_TPR_SHADOW;
	else if (IS_ENABLED(CONFIG_X86_64))
		want |= VMX_PROC_CR8_LOAD | VMX_PROC_CR8_STORE;
	if (!vm->hlt_in_guest)
		want |= VMX_PROC_HLT;
	if (!vm->mwait_in_guest)
		want |= VMX_PROC_MWAIT | VMX_PROC_MONITOR;
	/* The guest's debug registers: in the CPU only once it uses them. */
	if (!vcpu->dr_dirty)
		want |= VMX_PROC_MOV_DR;
	/* Windows that somebody waits for stay. */
	want |= vmx->controls[VMX_PROC] & (VMX_PROC_INTR_WINDOW | VMX_PROC_NMI_WINDOW);
	return allowed(VMX_PROC, want);
}

static u32 proc2_controls(struct vmx_vcpu *vmx)
{
	struct x86_vcpu *vcpu = &vmx->x86;
	u32 want = VMX_PROC2_WBINVD | vmx_apic_controls(vmx);

	if (vmx_caps.npt)
		want |= VMX_PROC2_EPT;
	if (vmx_has.unrestricted)
		want |= VMX_PROC2_UNRESTRICTED;
	if (vmx->pml)
		want |= VMX_PROC2_PML;
	if (vmx->vpid)
		want |= VMX_PROC2_VPID;
	if (vmx_ple_wanted() && !x86_vcpu_vm(vcpu)->pause_in_guest)
		want |= VMX_PROC2_PAUSE_LOOP;
	if (vmx_caps.tsc_scaling)
		want |= VMX_PROC2_TSC_SCALING;
	/* Instructions that a guest has only if it was told so. */
	if (guest_cpuid_has(vcpu, X86_FEATURE_RDTSCP) ||
	    guest_cpuid_has(vcpu, X86_FEATURE_RDPID))
		want |= VMX_PROC2_RDTSCP;
	if (guest_cpuid_has(vcpu, X86_FEATURE_INVPCID))
		want |= VMX_PROC2_INVPCID;
	if (guest_cpuid_has(vcpu, X86_FEATURE_XSAVES))
		want |= VMX_PROC2_XSAVES;
	if (!guest_cpuid_has(vcpu, X86_FEATURE_RDRAND))
		want |= VMX_PROC2_RDRAND;
	if (!guest_cpuid_has(vcpu, X86_FEATURE_RDSEED))
		want |= VMX_PROC2_RDSEED;
	return allowed(VMX_PROC2, want);
}

void vmx_recalc_intercepts(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	vmx_write_controls(vmx, VMX_PROC, proc_controls(vmx));
	vmx_write_controls(vmx, VMX_PROC2, proc2_controls(vmx));
	/* Only together with virtual-interrupt delivery (SDM 3C 27.2.1.1). */
	vmx_put_control(vmx, VMX_PIN, VMX_PIN_POSTED_INTR,
			vmx_caps.irq_posting && x86_lapic_apicv(vcpu));
	/* x2APIC's MSRs are passed through only where the CPU virtualizes them. */
	vmx_msr_recalc_apic(vmx);
	vmx_update_exception_bitmap(vcpu);
}

/* ---- RESET and INIT ------------------------------------------------------- */

/* What stays as it is for the life of the vCPU. */
static void constant_fields(struct vmx_vcpu *vmx)
{
	u32 entry = VMX_ENTRY_LOAD_DEBUG | VMX_ENTRY_LOAD_EFER;
	u32 exit = VMX_EXIT_SAVE_DEBUG | VMX_EXIT_LOAD_EFER;
	u32 pin = VMX_PIN_EXT_INTR | VMX_PIN_NMI;

	if (IS_ENABLED(CONFIG_X86_64))
		exit |= VMX_EXIT_HOST_64;
	if (vmx_caps.irq_posting)
		exit |= VMX_EXIT_ACK_INTR;
	if (vmx_can(VMX_ENTRY, VMX_ENTRY_LOAD_PAT) && vmx_can(VMX_EXIT, VMX_EXIT_LOAD_PAT)) {
		entry |= VMX_ENTRY_LOAD_PAT;
		exit |= VMX_EXIT_LOAD_PAT;
	}
	if (vmx_has.virtual_nmis)
		pin |= VMX_PIN_VIRTUAL_NMI;
	vmx_write_controls(vmx, VMX_PIN, allowed(VMX_PIN, pin));
	vmx_write_controls(vmx, VMX_EXIT, allowed(VMX_EXIT, exit));
	vmx_write_controls(vmx, VMX_ENTRY, allowed(VMX_ENTRY, entry) & ~VMX_ENTRY_IA32E);

	vmcs_write64(VMCS_MSR_BITMAP, __pa(vmx->msr_bitmap));
	vmcs_write64(VMCS_LINK_POINTER, ~0ULL);
	if (vmx->vpid)
		vmcs_write(VMCS_VPID, vmx->vpid);
	vmx_ple_reset(vmx);
	/* CR8 is bits 7:4 of the TPR in the APIC's own page (SDM 3C 30.3). */
	if (vmx_has.tpr_shadow && x86_has_lapic(&vmx->x86))
		vmcs_write64(VMCS_VIRTUAL_APIC_ADDR, __pa(vmx->x86.apic->regs));
	vmx_apicv_reset(vmx);
	vmx_pml_reset(vmx);
	if (vmx_can(VMX_PROC2, VMX_PROC2_XSAVES))
		vmcs_write64(VMCS_XSS_EXIT_BITMAP, 0);
	/* Which page faults exit: all or none, as the bitmap says (SDM 3C 25.6.3). */
	vmcs_write(VMCS_PF_ERROR_CODE_MASK, 0);
	vmcs_write(VMCS_PF_ERROR_CODE_MATCH, 0);
	vmcs_write(VMCS_CR3_TARGET_COUNT, 0);
	vmcs_write(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmcs_write(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmcs_write(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmx_host_init(vmx);
	vmx_update_cr_masks(vmx);
}

void vmx_vcpu_reset(struct x86_vcpu *vcpu, bool init_event)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	if (!init_event) {
		constant_fields(vmx);
		memset(vmx->msr, 0, sizeof(vmx->msr));
		vmx->cstar = 0;
		vcpu->tsc_aux = 0;
		vmx->enter.guest_spec_ctrl = 0;
		vmx->spec_ctrl_passthrough = false;
		vmx_set_msr(vcpu, MSR_KERNEL_GS_BASE, 0, true);
		vmcs_write(VMCS_GUEST_SYSENTER_CS, 0);
		vmcs_write(VMCS_GUEST_SYSENTER_ESP, 0);
		vmcs_write(VMCS_GUEST_SYSENTER_EIP, 0);
		vmx->pat = ~vcpu->pat;	/* written at the next entry */
	}
	/* arch-x86 writes segments, CRs, EFER, RIP and DRs. */
	vmcs_write64(VMCS_GUEST_DEBUGCTL, 0);
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmcs_write(VMCS_GUEST_ACTIVITY, 0);
	vmcs_write(VMCS_GUEST_PENDING_DEBUG, 0);
	vmcs_write(VMCS_ENTRY_INTR_INFO, 0);
	vmx->idt_info = 0;
	vmx->nmi_masked = false;
	vmx->tpr_threshold = 0;
	if (vmx_has.tpr_shadow)
		vmcs_write(VMCS_TPR_THRESHOLD, 0);
	vmx_put_control(vmx, VMX_PROC, VMX_PROC_INTR_WINDOW | VMX_PROC_NMI_WINDOW, false);

	vmx_msr_recalc(vcpu);
	vmx_recalc_intercepts(vcpu);
}
