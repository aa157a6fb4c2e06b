// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest registers that live in the VMCS: RIP, RSP, RFLAGS, control and debug
 * registers, EFER, PDPTEs. Read when first asked for after an exit; RIP, RSP and
 * PDPTEs are written back before the entry if they changed. Segments are in segs.c.
 */
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/special_insns.h>

#include "vendor-vmx/vmx.h"

/* What the guest may change without an exit; the MMU reads them when it walks. */
#define CR0_GUEST_OWNED	(X86_CR0_TS | X86_CR0_MP | X86_CR0_EM | X86_CR0_WP | X86_CR0_AM)
#define CR4_GUEST_OWNED	(X86_CR4_PVI | X86_CR4_DE | X86_CR4_TSD | X86_CR4_PCE | X86_CR4_PGE | \
			 X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_FSGSBASE)

static u64 cr0_owned(void)
{
	/* The meaning of shadow tables depends on it, and the hardware always has it. */
	return vmx_caps.npt ? CR0_GUEST_OWNED : CR0_GUEST_OWNED & ~X86_CR0_WP;
}

static u64 cr4_owned(struct x86_vcpu *vcpu)
{
	/* A change of PGE is a flush, of which shadow tables must hear. */
	u64 owned = vmx_caps.npt ? CR4_GUEST_OWNED : CR4_GUEST_OWNED & ~X86_CR4_PGE;

	/* A bit that its CPUID denies the guest must not be set behind our back. */
	return owned & ~vcpu->cr4_guest_rsvd_bits;
}

void vmx_cache_reg(struct x86_vcpu *vcpu, enum x86_reg reg)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);
	u64 owned;
	int i;

	switch (reg) {
	case X86_REG_RIP:
		vcpu->regs[reg] = vmcs_read(VMCS_GUEST_RIP);
		break;
	case X86_REG_RSP:
		vcpu->regs[reg] = vmcs_read(VMCS_GUEST_RSP);
		break;
	case X86_REG_RFLAGS:
		vmx->rflags = vmcs_read(VMCS_GUEST_RFLAGS);
		break;
	case X86_REG_CR0:
		owned = cr0_owned();
		vcpu->cr0 = (vcpu->cr0 & ~owned) | (vmcs_read(VMCS_GUEST_CR0) & owned);
		break;
	case X86_REG_CR4:
		owned = cr4_owned(vcpu);
		vcpu->cr4 = (vcpu->cr4 & ~owned) | (vmcs_read(VMCS_GUEST_CR4) & owned);
		break;
	case X86_REG_CR3:
		if (!x86_mmu_own_tables(vcpu))
			vcpu->cr3 = vmcs_read(VMCS_GUEST_CR3);
		break;
	case X86_REG_PDPTRS:
		/* The CPU keeps what MOV to CR3 read, not what is in memory now. */
		for (i = 0; i < 4 && !x86_mmu_own_tables(vcpu); i++)
			vcpu->pdptrs[i] = vmcs_read64(VMCS_GUEST_PDPTE + 2 * i);
		break;
	default:
		KVM_BUG_ON(1, vcpu->core.kvm);
	}
	x86_reg_mark_available(vcpu, reg);
}

void vmx_write_dirty_regs(struct vmx_vcpu *vmx)
{
	struct x86_vcpu *vcpu = &vmx->x86;
	int i;

	if (x86_reg_is_dirty(vcpu, X86_REG_RIP))
		vmcs_write(VMCS_GUEST_RIP, vcpu->regs[X86_REG_RIP]);
	if (x86_reg_is_dirty(vcpu, X86_REG_RSP))
		vmcs_write(VMCS_GUEST_RSP, vcpu->regs[X86_REG_RSP]);
	/* Loaded at entry in PAE mode only (SDM 3C 27.3.2.4). */
	if (unlikely(x86_reg_is_dirty(vcpu, X86_REG_PDPTRS)) && !x86_mmu_own_tables(vcpu))
		for (i = 0; i < 4; i++)
			vmcs_write64(VMCS_GUEST_PDPTE + 2 * i, vcpu->pdptrs[i]);
}

/* ---- RFLAGS --------------------------------------------------------------- */

unsigned long vmx_get_rflags(struct x86_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	if (!x86_reg_available(vcpu, X86_REG_RFLAGS))
		vmx_cache_reg(vcpu, X86_REG_RFLAGS);
	return vmx->rflags;
}

void vmx_set_rflags(struct x86_vcpu *vcpu, unsigned long rflags)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	/* Virtual-8086 mode has segments of its own. */
	if ((vmx_get_rflags(vcpu) ^ rflags) & X86_EFLAGS_VM)
		vmx_state_changed(vcpu);
	vmx->rflags = rflags;
	x86_reg_mark_available(vcpu, X86_REG_RFLAGS);
	vmcs_write(VMCS_GUEST_RFLAGS, rflags);
}

bool vmx_get_if_flag(struct x86_vcpu *vcpu)
{
	return vmx_get_rflags(vcpu) & X86_EFLAGS_IF;
}

/* ---- control registers ------------------------------------------------------- */

static unsigned long hw_cr4(const struct x86_vcpu *vcpu)
{
	return x86_hw_cr4(vcpu) | vmx_has.cr4_must;
}

void vmx_update_cr_masks(struct vmx_vcpu *vmx)
{
	vmcs_write(VMCS_CR0_MASK, ~(unsigned long)cr0_owned());
	vmcs_write(VMCS_CR4_MASK, ~(unsigned long)cr4_owned(&vmx->x86));
}

u32 vmx_cr3_exits(struct x86_vcpu *vcpu)
{
	u32 exits = 0;

	if (x86_mmu_own_tables(vcpu))
		exits |= VMX_PROC_CR3_LOAD | VMX_PROC_CR3_STORE;
	return vmx_caps.npt ? exits : exits | VMX_PROC_INVLPG;
}

/*
 * The guest's PG is another, perhaps: with it changes whose tables CR3 names, and what of
 * CR4 and EFER is the guest's.
 */
static void update_paging(struct vmx_vcpu *vmx)
{
	u32 exits = VMX_PROC_CR3_LOAD | VMX_PROC_CR3_STORE;
	struct x86_vcpu *vcpu = &vmx->x86;
	bool own = x86_mmu_own_tables(vcpu);

	vmcs_write(VMCS_GUEST_CR4, hw_cr4(vcpu));
	vmcs_write64(VMCS_GUEST_EFER, x86_hw_efer(vcpu));
	/* With shadow tables CR3 is the root's, and these exits are always on. */
	if (!vmx_caps.npt)
		return;
	vmx_put_control(vmx, VMX_PROC, exits & ~vmx_has.must[VMX_PROC], own);
	vmcs_write(VMCS_GUEST_CR3, own ? x86_mmu_identity_cr3(vcpu) : vcpu->cr3);
}

void vmx_set_cr0(struct x86_vcpu *vcpu, u64 cr0)
{
	/* Before the fields that they are read from change hands. */
	if (!vmx_has.unrestricted) {
		x86_cr3(vcpu);
		x86_cr4(vcpu);
	}
	vcpu->cr0 = cr0;
	x86_reg_mark_available(vcpu, X86_REG_CR0);
	vmcs_write(VMCS_CR0_SHADOW, cr0);
	vmcs_write(VMCS_GUEST_CR0, x86_hw_cr0(vcpu) | vmx_has.cr0_must);
	if (!vmx_has.unrestricted)
		update_paging(vmx_vcpu_of(vcpu));
	vmx_state_changed(vcpu);
}

void vmx_set_cr3(struct x86_vcpu *vcpu, u64 cr3)
{
	if (!x86_mmu_own_tables(vcpu))
		vmcs_write(VMCS_GUEST_CR3, cr3);
}

bool vmx_is_valid_cr4(struct x86_vcpu *vcpu, u64 cr4)
{
	return !(cr4 & X86_CR4_VMXE) && !(cr4 & ~vmx_has.cr4_may);
}

void vmx_set_cr4(struct x86_vcpu *vcpu, u64 cr4)
{
	vcpu->cr4 = cr4;
	x86_reg_mark_available(vcpu, X86_REG_CR4);
	vmcs_write(VMCS_CR4_SHADOW, cr4);
	vmcs_write(VMCS_GUEST_CR4, hw_cr4(vcpu));
}

int vmx_set_efer(struct x86_vcpu *vcpu, u64 efer)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	vcpu->efer = efer;
	vmcs_write64(VMCS_GUEST_EFER, x86_hw_efer(vcpu));
	/* The control and LMA must agree (SDM 3C 27.3.1.1). */
	vmx_put_control(vmx, VMX_ENTRY, VMX_ENTRY_IA32E, efer & EFER_LMA);
	if (efer & EFER_LMA)
		vmx_fix_tr(vmx);
	vmx_state_changed(vcpu);
	return 0;
}

/* ---- debug registers --------------------------------------------------------- */

void vmx_set_dr7(struct x86_vcpu *vcpu, u64 dr7)
{
	vmcs_write(VMCS_GUEST_DR7, dr7);
}

void vmx_set_dr6(struct x86_vcpu *vcpu, u64 dr6)
{
	/* Not in the VMCS: enter() loads it for a guest that has its debug registers. */
}

void vmx_sync_dirty_debug_regs(struct x86_vcpu *vcpu)
{
	unsigned long dr6;

	get_debugreg(vcpu->db[0], 0);
	get_debugreg(vcpu->db[1], 1);
	get_debugreg(vcpu->db[2], 2);
	get_debugreg(vcpu->db[3], 3);
	get_debugreg(dr6, 6);
	vcpu->dr6 = dr6;
	vcpu->dr7 = vmcs_read(VMCS_GUEST_DR7);
	/* The host's next #DB must not find the guest's causes. */
	set_debugreg(DR6_ACTIVE_LOW, 6);
	vcpu->dr_dirty = false;
	vmx_recalc_intercepts(vcpu);
}
