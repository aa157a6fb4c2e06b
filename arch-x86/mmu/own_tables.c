// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the hardware's CR3 names tables of ours, not the guest's: always with shadow
 * paging; with nested paging while the guest does not page, on a CPU that can't run it
 * so (VT-x without unrestricted guest). Owns what CR0, CR4 and EFER are then, for both
 * vendors, and the identity table of the second case: a page directory of 4 MiB pages, in
 * a page of ours, where user space has left room for it (KVM_SET_IDENTITY_MAP_ADDR).
 *
 * It is not PAE's, whose PDPTEs the CPU would read anew from CR3 when the guest writes
 * CR0 or CR4, and CR3 can't name more than 4 GiB.
 */
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <asm/tlbflush.h>

#include "arch-x86/mmu/internal.h"
#include "arch-x86/regs.h"
#include "arch-x86/vendor.h"

/* P, W, U, A, D, PS: the CPU finds nothing to set. */
#define IDENTITY_ENTRY	0xe7
#define IDENTITY_SHIFT	22

bool x86_mmu_own_tables(const struct x86_vcpu *vcpu)
{
	const struct x86_vendor_caps *caps = x86_vendor_caps();

	return !caps->npt || (caps->always_paging && !(vcpu->cr0 & X86_CR0_PG));
}
EXPORT_SYMBOL_GPL(x86_mmu_own_tables);

/* ---- control registers ------------------------------------------------------ */

/*
 * On shadow tables the hardware pages by 64-bit entries, with WP and NX, whatever the guest
 * does. Only what gives the guest's U bits another meaning is the guest's.
 */
u64 x86_hw_cr0(const struct x86_vcpu *vcpu)
{
	/*
	 * A guest that turns caching off is not slowed down by it: memory is coherent
	 * all the same.
	 */
	u64 cr0 = vcpu->cr0 & ~(u64)(X86_CR0_CD | X86_CR0_NW);

	if (x86_mmu_own_tables(vcpu))
		cr0 |= X86_CR0_PG;
	return x86_mmu_limits.shadow ? cr0 | X86_CR0_WP : cr0;
}
EXPORT_SYMBOL_GPL(x86_hw_cr0);

u64 x86_hw_cr4(const struct x86_vcpu *vcpu)
{
	/* A machine check of the host's must not shut the CPU down in a guest without MCE. */
	u64 cr4 = vcpu->cr4 | (cr4_read_shadow() & X86_CR4_MCE);

	if (!x86_mmu_own_tables(vcpu))
		return cr4;
	cr4 &= ~(u64)X86_CR4_PCIDE;
	if (x86_mmu_limits.shadow)
		cr4 |= X86_CR4_PAE;
	else
		cr4 = (cr4 & ~(u64)X86_CR4_PAE) | X86_CR4_PSE;
	if (!(vcpu->cr0 & X86_CR0_PG))
		cr4 &= ~(u64)(X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PKE);
	return cr4;
}
EXPORT_SYMBOL_GPL(x86_hw_cr4);

u64 x86_hw_efer(const struct x86_vcpu *vcpu)
{
	u64 efer = vcpu->efer;

	/*
	 * LME does nothing until the guest sets PG, which exits; under tables of ours,
	 * where the hardware's PG is set, it must be clear (SDM 3C 27.3.1.1). Emulators
	 * have been seen to enter long mode by it at #VMEXIT (docs/lab.md).
	 */
	if (!(efer & EFER_LMA))
		efer &= ~(u64)EFER_LME;
	return x86_mmu_limits.shadow ? efer | EFER_NX : efer;
}
EXPORT_SYMBOL_GPL(x86_hw_efer);

/* ---- the identity table --------------------------------------------------------- */

int identity_alloc(struct x86_vm *vm)
{
	unsigned int i;
	u32 *entry;

	if (!x86_vendor_caps()->always_paging)
		return 0;
	vm->mmu.identity = alloc_page(GFP_KERNEL_ACCOUNT);
	if (!vm->mmu.identity)
		return -ENOMEM;
	entry = page_address(vm->mmu.identity);
	for (i = 0; i < PAGE_SIZE / sizeof(*entry); i++)
		entry[i] = i << IDENTITY_SHIFT | IDENTITY_ENTRY;
	return 0;
}

void identity_free(struct x86_vm *vm)
{
	if (vm->mmu.identity)
		__free_page(vm->mmu.identity);
	vm->mmu.identity = NULL;
}

struct page *identity_page(struct x86_vm *vm, gfn_t gfn)
{
	return gfn == gpa_to_gfn(vm->identity_map_addr) ? vm->mmu.identity : NULL;
}

u64 x86_mmu_identity_cr3(const struct x86_vcpu *vcpu)
{
	return x86_vcpu_vm(vcpu)->identity_map_addr & PAGE_MASK;
}
EXPORT_SYMBOL_GPL(x86_mmu_identity_cr3);
