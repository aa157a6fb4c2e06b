// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's segments and descriptor tables: VMCS fields, each read once after an
 * exit, when first asked for.
 */
#include <linux/bitops.h>

#include "arch-x86/cpu/segment.h"
#include "vendor-vmx/vmx.h"

enum seg_part { SEG_SELECTOR, SEG_BASE, SEG_LIMIT, SEG_ACCESS };

/* Fields of ES, CS, SS, DS, FS, GS, LDTR, TR follow each other, two apart. */
static enum vmcs_field seg_field(enum vmcs_field of_es, enum x86_seg seg)
{
	return of_es + 2 * seg;
}

static bool seg_first_use(struct vmx_vcpu *vmx, enum x86_seg seg, enum seg_part part)
{
	unsigned long bit = BIT(seg * 4 + part);

	if (vmx->seg_avail & bit)
		return false;
	vmx->seg_avail |= bit;
	return true;
}

static u16 seg_selector(struct vmx_vcpu *vmx, enum x86_seg seg)
{
	if (seg_first_use(vmx, seg, SEG_SELECTOR))
		vmx->seg[seg].selector = vmcs_read(seg_field(VMCS_GUEST_ES_SELECTOR, seg));
	return vmx->seg[seg].selector;
}

static u32 seg_limit(struct vmx_vcpu *vmx, enum x86_seg seg)
{
	if (seg_first_use(vmx, seg, SEG_LIMIT))
		vmx->seg[seg].limit = vmcs_read(seg_field(VMCS_GUEST_ES_LIMIT, seg));
	return vmx->seg[seg].limit;
}

u32 vmx_segment_access(struct vmx_vcpu *vmx, enum x86_seg seg)
{
	if (seg_first_use(vmx, seg, SEG_ACCESS))
		vmx->seg[seg].access = vmcs_read(seg_field(VMCS_GUEST_ES_ACCESS, seg));
	return vmx->seg[seg].access;
}

u64 vmx_get_segment_base(struct x86_vcpu *vcpu, enum x86_seg seg)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);

	if (seg_first_use(vmx, seg, SEG_BASE))
		vmx->seg[seg].base = vmcs_read(seg_field(VMCS_GUEST_ES_BASE, seg));
	return vmx->seg[seg].base;
}

void vmx_get_segment(struct x86_vcpu *vcpu, struct kvm_segment *var, enum x86_seg seg)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);
	u32 ar = vmx_segment_access(vmx, seg);

	*var = (struct kvm_segment) {
		.base = vmx_get_segment_base(vcpu, seg),
		.limit = seg_limit(vmx, seg),
		.selector = seg_selector(vmx, seg),
	};
	x86_segment_set_attributes(var, ar);
	/*
	 * After a null selector's load the other rights are kept, and P with them, on
	 * some CPUs: for user space, a segment is present if it can be used.
	 */
	var->unusable = !!(ar & VMX_AR_UNUSABLE);
	var->present = !var->unusable;
}

static u32 access_of(const struct kvm_segment *var, enum x86_seg seg)
{
	u16 attributes = x86_segment_attributes(var);

	if (var->unusable || !var->present)
		return VMX_AR_UNUSABLE | (seg == X86_SEG_SS ? (var->dpl & 3) << VMX_AR_DPL_SHIFT : 0);
	/*
	 * What is loaded has been accessed, and TR is busy: the entry wants it said
	 * (SDM 3C 27.3.1.2), others' saved states don't always say so.
	 */
	if (seg == X86_SEG_TR)
		attributes |= 2;
	else if (seg != X86_SEG_LDTR)
		attributes |= 1;
	return attributes | VMX_AR_P;
}

void vmx_set_segment(struct x86_vcpu *vcpu, const struct kvm_segment *var, enum x86_seg seg)
{
	struct vmx_vcpu *vmx = vmx_vcpu_of(vcpu);
	struct vmx_segment *s = &vmx->seg[seg];

	s->selector = var->selector;
	s->base = var->base;
	s->limit = var->limit;
	s->access = access_of(var, seg);
	vmx->seg_avail |= 0xfUL << (seg * 4);
	vmx_state_changed(vcpu);
	vmcs_write(seg_field(VMCS_GUEST_ES_SELECTOR, seg), s->selector);
	vmcs_write(seg_field(VMCS_GUEST_ES_BASE, seg), s->base);
	vmcs_write(seg_field(VMCS_GUEST_ES_LIMIT, seg), s->limit);
	vmcs_write(seg_field(VMCS_GUEST_ES_ACCESS, seg), s->access);
}

void vmx_fix_tr(struct vmx_vcpu *vmx)
{
	u32 ar = vmx_segment_access(vmx, X86_SEG_TR);

	/*
	 * TR may keep a 16 bit TSS from before long mode, which no instruction would
	 * mind until it is used; the entry does.
	 */
	if (VMX_AR_TYPE(ar) == 0xb)
		return;
	vmx->seg[X86_SEG_TR].access = (ar & ~0xfU) | 0xb;
	vmcs_write(seg_field(VMCS_GUEST_ES_ACCESS, X86_SEG_TR), vmx->seg[X86_SEG_TR].access);
}

int vmx_get_cpl(struct x86_vcpu *vcpu)
{
	/* The DPL of SS, whatever the mode (SDM 3C 25.4.1). */
	return (vmx_segment_access(vmx_vcpu_of(vcpu), X86_SEG_SS) >> VMX_AR_DPL_SHIFT) & 3;
}

void vmx_get_cs_db_l(struct x86_vcpu *vcpu, int *db, int *l)
{
	u32 ar = vmx_segment_access(vmx_vcpu_of(vcpu), X86_SEG_CS);

	*db = !!(ar & VMX_AR_DB);
	*l = !!(ar & VMX_AR_L);
}

void vmx_get_idt(struct x86_vcpu *vcpu, struct x86_desc_table *dt)
{
	dt->base = vmcs_read(VMCS_GUEST_IDTR_BASE);
	dt->limit = vmcs_read(VMCS_GUEST_IDTR_LIMIT);
}

void vmx_set_idt(struct x86_vcpu *vcpu, const struct x86_desc_table *dt)
{
	vmcs_write(VMCS_GUEST_IDTR_BASE, dt->base);
	vmcs_write(VMCS_GUEST_IDTR_LIMIT, dt->limit);
}

void vmx_get_gdt(struct x86_vcpu *vcpu, struct x86_desc_table *dt)
{
	dt->base = vmcs_read(VMCS_GUEST_GDTR_BASE);
	dt->limit = vmcs_read(VMCS_GUEST_GDTR_LIMIT);
}

void vmx_set_gdt(struct x86_vcpu *vcpu, const struct x86_desc_table *dt)
{
	vmcs_write(VMCS_GUEST_GDTR_BASE, dt->base);
	vmcs_write(VMCS_GUEST_GDTR_LIMIT, dt->limit);
}
