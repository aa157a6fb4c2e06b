// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest registers that live in the VMCB's save area: segments, descriptor
 * tables, RFLAGS, control and debug registers. Knows no exit and no event.
 */
#include <linux/percpu.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/special_insns.h>

#include "arch-x86/cpu/segment.h"
#include "vendor-svm/svm.h"

void svm_cache_reg(struct x86_vcpu *vcpu, enum x86_reg reg)
{
	struct vmcb_save *save = &svm_vcpu_of(vcpu)->vmcb->save;

	switch (reg) {
	case X86_REG_CR0:
		/* Only TS and MP can have changed without an exit. */
		vcpu->cr0 &= ~(X86_CR0_TS | X86_CR0_MP);
		vcpu->cr0 |= save->cr0 & (X86_CR0_TS | X86_CR0_MP);
		break;
	case X86_REG_CR3:
		vcpu->cr3 = save->cr3;
		break;
	case X86_REG_PDPTRS:
		/* With nested paging they are read from memory (APM 2 15.25.10). */
		x86_load_pdptrs(vcpu, x86_cr3(vcpu));
		break;
	default:
		KVM_BUG_ON(1, vcpu->core.kvm);
	}
	x86_reg_mark_available(vcpu, reg);
}

unsigned long svm_get_rflags(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	unsigned long rflags = svm->vmcb->save.rflags;

	if (svm->nmi_singlestep) {
		/* TF is ours. */
		if (!(svm->nmi_singlestep_rflags & X86_EFLAGS_TF))
			rflags &= ~X86_EFLAGS_TF;
		if (!(svm->nmi_singlestep_rflags & X86_EFLAGS_RF))
			rflags &= ~X86_EFLAGS_RF;
	}
	return rflags;
}

void svm_set_rflags(struct x86_vcpu *vcpu, unsigned long rflags)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	if (svm->nmi_singlestep) {
		svm->nmi_singlestep_rflags = rflags;
		rflags |= X86_EFLAGS_TF | X86_EFLAGS_RF;
	}
	svm->vmcb->save.rflags = rflags;
}

bool svm_get_if_flag(struct x86_vcpu *vcpu)
{
	return svm_vcpu_of(vcpu)->vmcb->save.rflags & X86_EFLAGS_IF;
}

/* Bits 15:12 of the attributes are 11:8 in the VMCB (APM 2 15.5.1). */
static u16 attributes_of(u16 attrib)
{
	return (attrib & 0xff) | (attrib & 0xf00) << 4;
}

static u16 attrib_of(u16 attributes)
{
	return (attributes & 0xff) | (attributes >> 4 & 0xf00);
}

static struct vmcb_seg *svm_seg(struct svm_vcpu *svm, enum x86_seg seg)
{
	struct vmcb_save *save = &svm->vmcb->save;

	switch (seg) {
	case X86_SEG_ES: return &save->es;
	case X86_SEG_CS: return &save->cs;
	case X86_SEG_SS: return &save->ss;
	case X86_SEG_DS: return &save->ds;
	case X86_SEG_FS: return &save->fs;
	case X86_SEG_GS: return &save->gs;
	case X86_SEG_LDTR: return &save->ldtr;
	default: return &save->tr;
	}
}

u64 svm_get_segment_base(struct x86_vcpu *vcpu, enum x86_seg seg)
{
	return svm_seg(svm_vcpu_of(vcpu), seg)->base;
}

void svm_get_segment(struct x86_vcpu *vcpu, struct kvm_segment *var, enum x86_seg seg)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	const struct vmcb_seg *s = svm_seg(svm, seg);

	*var = (struct kvm_segment) {
		.base = s->base,
		.limit = s->limit,
		.selector = s->selector,
	};
	x86_segment_set_attributes(var, attributes_of(s->attrib));
	/* The CPU does not keep G of every segment: the limit tells. */
	var->g = s->limit > 0xfffff;

	switch (seg) {
	case X86_SEG_CS:
		break;
	case X86_SEG_SS:
		/* The CPL stands beside SS, whose DPL is not kept (APM 2 15.5.1). */
		if (var->unusable)
			var->db = 0;
		var->dpl = svm->vmcb->save.cpl;
		break;
	case X86_SEG_TR:
		/* A loaded TR is busy; the CPU does not save the bit. */
		var->type |= 2;
		break;
	case X86_SEG_LDTR:
		break;
	default:
		/* A usable data segment is accessed: user space may hand it to VMX. */
		if (!var->unusable)
			var->type |= 1;
		break;
	}
}

void svm_set_segment(struct x86_vcpu *vcpu, const struct kvm_segment *var, enum x86_seg seg)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	struct vmcb_seg *s = svm_seg(svm, seg);

	s->base = var->base;
	s->limit = var->limit;
	s->selector = var->selector;
	s->attrib = attrib_of(x86_segment_attributes(var));
	if (var->unusable)
		s->attrib &= ~SVM_SEG_P;

	if (seg == X86_SEG_SS)
		svm->vmcb->save.cpl = var->dpl & 3;
	svm_mark_dirty(svm, SVM_CLEAN_SEG);
}

int svm_get_cpl(struct x86_vcpu *vcpu)
{
	return svm_vcpu_of(vcpu)->vmcb->save.cpl;
}

void svm_get_cs_db_l(struct x86_vcpu *vcpu, int *db, int *l)
{
	u16 attrib = svm_vcpu_of(vcpu)->vmcb->save.cs.attrib;

	*db = !!(attrib & SVM_SEG_DB);
	*l = !!(attrib & SVM_SEG_L);
}

void svm_get_idt(struct x86_vcpu *vcpu, struct x86_desc_table *dt)
{
	const struct vmcb_seg *s = &svm_vcpu_of(vcpu)->vmcb->save.idtr;

	dt->base = s->base;
	dt->limit = s->limit;
}

void svm_set_idt(struct x86_vcpu *vcpu, const struct x86_desc_table *dt)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	svm->vmcb->save.idtr.base = dt->base;
	svm->vmcb->save.idtr.limit = dt->limit;
	svm_mark_dirty(svm, SVM_CLEAN_DT);
}

void svm_get_gdt(struct x86_vcpu *vcpu, struct x86_desc_table *dt)
{
	const struct vmcb_seg *s = &svm_vcpu_of(vcpu)->vmcb->save.gdtr;

	dt->base = s->base;
	dt->limit = s->limit;
}

void svm_set_gdt(struct x86_vcpu *vcpu, const struct x86_desc_table *dt)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	svm->vmcb->save.gdtr.base = dt->base;
	svm->vmcb->save.gdtr.limit = dt->limit;
	svm_mark_dirty(svm, SVM_CLEAN_DT);
}

static u64 hw_efer(const struct x86_vcpu *vcpu)
{
	/* VMRUN wants SVME set in the guest's EFER (APM 2 15.5.1). */
	return x86_hw_efer(vcpu) | EFER_SVME;
}

void svm_set_cr0(struct x86_vcpu *vcpu, u64 cr0)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);
	u64 hw;

	/* Paging turns long mode on and off (APM 2 14.6). */
	if (vcpu->efer & EFER_LME) {
		if (cr0 & X86_CR0_PG)
			vcpu->efer |= EFER_LMA;
		else
			vcpu->efer &= ~EFER_LMA;
		svm->vmcb->save.efer = hw_efer(vcpu);
	}

	vcpu->cr0 = cr0;
	x86_reg_mark_available(vcpu, X86_REG_CR0);

	/*
	 * PG without PE is allowed here (APM 2 15.19).
	 * Where it differs from what the guest wrote, all its reads and writes must be seen.
	 */
	hw = x86_hw_cr0(vcpu);
	svm->vmcb->save.cr0 = hw;
	svm->vmcb->save.cr4 = x86_hw_cr4(vcpu);
	svm_put_intercept(svm, SVM_INTERCEPT_CR0_READ, hw != cr0);
	svm_put_intercept(svm, SVM_INTERCEPT_CR0_WRITE, hw != cr0);
	svm_mark_dirty(svm, SVM_CLEAN_CR);
}

void svm_set_cr3(struct x86_vcpu *vcpu, u64 cr3)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	svm->vmcb->save.cr3 = cr3;
	svm_mark_dirty(svm, SVM_CLEAN_CR);
}

bool svm_is_valid_cr4(struct x86_vcpu *vcpu, u64 cr4)
{
	return !(cr4 & X86_CR4_VMXE);
}

void svm_set_cr4(struct x86_vcpu *vcpu, u64 cr4)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	vcpu->cr4 = cr4;
	x86_reg_mark_available(vcpu, X86_REG_CR4);
	svm->vmcb->save.cr4 = x86_hw_cr4(vcpu);
	svm_mark_dirty(svm, SVM_CLEAN_CR);
}

int svm_set_efer(struct x86_vcpu *vcpu, u64 efer)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	vcpu->efer = efer;
	svm->vmcb->save.efer = hw_efer(vcpu);
	svm_mark_dirty(svm, SVM_CLEAN_CR);
	return 0;
}

void svm_set_dr7(struct x86_vcpu *vcpu, u64 dr7)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	if (svm->vmcb->save.dr7 == dr7)
		return;
	svm->vmcb->save.dr7 = dr7;
	svm_mark_dirty(svm, SVM_CLEAN_DR);
}

void svm_set_dr6(struct x86_vcpu *vcpu, u64 dr6)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	if (svm->vmcb->save.dr6 == dr6)
		return;
	svm->vmcb->save.dr6 = dr6;
	svm_mark_dirty(svm, SVM_CLEAN_DR);
}

void svm_sync_dirty_debug_regs(struct x86_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu_of(vcpu);

	get_debugreg(vcpu->db[0], 0);
	get_debugreg(vcpu->db[1], 1);
	get_debugreg(vcpu->db[2], 2);
	get_debugreg(vcpu->db[3], 3);
	vcpu->dr6 = svm->vmcb->save.dr6;
	vcpu->dr7 = svm->vmcb->save.dr7;
	vcpu->dr_dirty = false;
	svm_recalc_intercepts(vcpu);
}
