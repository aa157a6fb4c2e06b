// SPDX-License-Identifier: GPL-2.0-only
/*
 * System management mode (SDM 3C 31, APM 2 10): what SMI saves at SMBASE + FE00H and
 * what RSM loads from there. State is read and set as user space does it (sregs.c), so
 * RSM can't load what KVM_SET_SREGS would refuse. Nested paging, segments' formats and
 * how NMIs are held off are the vendor's.
 */
#include <linux/build_bug.h>
#include <linux/string.h>
#include <asm/cpufeatures.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>

#include "core/guest_memory.h"
#include "core/request.h"
#include "arch-x86/cpu/cpuid.h"
#include "arch-x86/cpu/segment.h"
#include "arch-x86/cpu/smm.h"
#include "arch-x86/events.h"
#include "arch-x86/regs.h"
#include "arch-x86/run.h"
#include "arch-x86/trace.h"
#include "arch-x86/vendor_call.h"

#define SMM_SAVE_AREA		0xfe00	/* from SMBASE */
#define SMM_ENTRY		0x8000
#define SMM_REVISION_64		0x00020064	/* bit 17: SMBASE can be moved */
#define SMM_REVISION_32		0x00020000

/* A CPU with long mode: APM 2 table 10-1. */
struct smram_segment64 {
	u16 selector;
	u16 attributes;		/* bits 8-23 of a descriptor's upper half */
	u32 limit;
	u64 base;
};

struct smram64 {
	struct smram_segment64 es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u64 io_restart_rip, io_restart_rcx, io_restart_rsi, io_restart_rdi;
	u32 io_restart, reserved1;
	u8 io_instruction_restart, auto_halt_restart;
	u8 interrupt_shadow;	/* reserved there: KVM_X86_SHADOW_INT_* */
	u8 reserved2[5];
	u64 efer;
	u64 svm_state[3];
	u32 reserved3[3];
	u32 revision;
	u32 smbase, reserved4[17];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rsp, rbx, rdx, rcx, rax;
};

/* One without: SDM 3C table 31-1; what it leaves reserved is where P6 CPUs have it. */
struct smram_segment32 {
	u32 attributes;		/* a descriptor's upper half */
	u32 limit;
	u32 base;
};

struct smram32 {
	u32 reserved1[62];
	u32 smbase;
	u32 revision;
	u16 io_instruction_restart, auto_halt_restart;
	u32 reserved2[4];
	u32 cr4;
	u32 interrupt_shadow;	/* reserved there: KVM_X86_SHADOW_INT_* */
	u32 reserved3[4];
	struct smram_segment32 ds, fs, gs;
	u32 reserved4;
	u32 idt_limit, idt_base;
	struct smram_segment32 tr;
	u32 reserved5[2];
	u32 gdt_limit, gdt_base;
	struct smram_segment32 ldt, es, cs, ss;
	u32 es_selector, cs_selector, ss_selector, ds_selector, fs_selector, gs_selector;
	u32 ldt_selector, tr_selector;
	u32 dr7, dr6;
	u32 eax, ecx, edx, ebx, esp, ebp, esi, edi;
	u32 eip, eflags, cr3, cr0;
};

#define SMRAM_AT(type, field, offset)	static_assert(offsetof(struct type, field) == (offset))
SMRAM_AT(smram64, idtr, 0x80);
SMRAM_AT(smram64, auto_halt_restart, 0xc9);
SMRAM_AT(smram64, efer, 0xd0);
SMRAM_AT(smram64, revision, 0xfc);
SMRAM_AT(smram64, cr4, 0x148);
SMRAM_AT(smram64, rip, 0x178);
SMRAM_AT(smram64, rax, 0x1f8);
SMRAM_AT(smram32, smbase, 0xf8);
SMRAM_AT(smram32, cr4, 0x114);
SMRAM_AT(smram32, ds, 0x12c);
SMRAM_AT(smram32, idt_limit, 0x154);
SMRAM_AT(smram32, gdt_limit, 0x170);
SMRAM_AT(smram32, es, 0x184);
SMRAM_AT(smram32, es_selector, 0x1a8);
SMRAM_AT(smram32, cr0, 0x1fc);

union smram {
	struct smram64 l;
	struct smram32 s;
};
static_assert(sizeof(union smram) == 0x200);

/* What is saved, in the form in which it is read and set. */
struct smm_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	u64 dr6, dr7;
	u32 smbase;
	bool relocatable;
	bool halted;
	u8 interrupt_shadow;
};

/* ---- segments ------------------------------------------------------------------- */

static void set_segment(struct kvm_segment *s, u16 selector, u16 attributes, u32 limit, u64 base)
{
	*s = (struct kvm_segment) { .selector = selector, .limit = limit, .base = base };
	x86_segment_set_attributes(s, attributes);
}

static void save_segment64(struct smram_segment64 *to, const struct kvm_segment *s)
{
	to->selector = s->selector;
	to->attributes = x86_segment_attributes(s);
	to->limit = s->limit;
	to->base = s->base;
}

static void load_segment64(struct kvm_segment *s, const struct smram_segment64 *from)
{
	set_segment(s, from->selector, from->attributes, from->limit, from->base);
}

static void save_segment32(struct smram_segment32 *to, u32 *selector, const struct kvm_segment *s)
{
	*selector = s->selector;
	to->attributes = x86_segment_attributes(s) << 8;
	to->limit = s->limit;
	to->base = s->base;
}

static void load_segment32(struct kvm_segment *s, const struct smram_segment32 *from, u32 selector)
{
	set_segment(s, selector, from->attributes >> 8, from->limit, from->base);
}

/* ---- the two layouts ---------------------------------------------------------------- */

/* OP(saved, state) for what both layouts have under one name. */
#define EACH_SYSTEM_REG(OP, m, st)					\
	OP((m)->cr0, (st)->sregs.cr0) OP((m)->cr3, (st)->sregs.cr3)	\
	OP((m)->cr4, (st)->sregs.cr4)					\
	OP((m)->dr6, (st)->dr6) OP((m)->dr7, (st)->dr7)			\
	OP((m)->smbase, (st)->smbase)					\
	OP((m)->auto_halt_restart, (st)->halted)			\
	OP((m)->interrupt_shadow, (st)->interrupt_shadow)
#define EACH_REG64(OP, m, r)						\
	OP((m)->rax, (r)->rax) OP((m)->rcx, (r)->rcx) OP((m)->rdx, (r)->rdx)	\
	OP((m)->rbx, (r)->rbx) OP((m)->rsp, (r)->rsp) OP((m)->rbp, (r)->rbp)	\
	OP((m)->rsi, (r)->rsi) OP((m)->rdi, (r)->rdi) OP((m)->r8, (r)->r8)	\
	OP((m)->r9, (r)->r9) OP((m)->r10, (r)->r10) OP((m)->r11, (r)->r11)	\
	OP((m)->r12, (r)->r12) OP((m)->r13, (r)->r13) OP((m)->r14, (r)->r14)	\
	OP((m)->r15, (r)->r15) OP((m)->rip, (r)->rip) OP((m)->rflags, (r)->rflags)
#define EACH_REG32(OP, m, r)						\
	OP((m)->eax, (r)->rax) OP((m)->ecx, (r)->rcx) OP((m)->edx, (r)->rdx)	\
	OP((m)->ebx, (r)->rbx) OP((m)->esp, (r)->rsp) OP((m)->ebp, (r)->rbp)	\
	OP((m)->esi, (r)->rsi) OP((m)->edi, (r)->rdi)			\
	OP((m)->eip, (r)->rip) OP((m)->eflags, (r)->rflags)
#define SAVE(saved, state)	(saved) = (state);
#define LOAD(saved, state)	(state) = (saved);

static void save64(struct smram64 *m, const struct smm_state *st)
{
	const struct kvm_sregs *s = &st->sregs;

	EACH_SYSTEM_REG(SAVE, m, st)
	EACH_REG64(SAVE, m, &st->regs)
	m->efer = s->efer;
	save_segment64(&m->es, &s->es);
	save_segment64(&m->cs, &s->cs);
	save_segment64(&m->ss, &s->ss);
	save_segment64(&m->ds, &s->ds);
	save_segment64(&m->fs, &s->fs);
	save_segment64(&m->gs, &s->gs);
	save_segment64(&m->ldtr, &s->ldt);
	save_segment64(&m->tr, &s->tr);
	m->gdtr = (struct smram_segment64) { .limit = s->gdt.limit, .base = s->gdt.base };
	m->idtr = (struct smram_segment64) { .limit = s->idt.limit, .base = s->idt.base };
	m->revision = SMM_REVISION_64;
}

static void load64(struct smm_state *st, const struct smram64 *m)
{
	struct kvm_sregs *s = &st->sregs;

	EACH_SYSTEM_REG(LOAD, m, st)
	EACH_REG64(LOAD, m, &st->regs)
	s->efer = m->efer;
	load_segment64(&s->es, &m->es);
	load_segment64(&s->cs, &m->cs);
	load_segment64(&s->ss, &m->ss);
	load_segment64(&s->ds, &m->ds);
	load_segment64(&s->fs, &m->fs);
	load_segment64(&s->gs, &m->gs);
	load_segment64(&s->ldt, &m->ldtr);
	load_segment64(&s->tr, &m->tr);
	s->gdt = (struct kvm_dtable) { .limit = m->gdtr.limit, .base = m->gdtr.base };
	s->idt = (struct kvm_dtable) { .limit = m->idtr.limit, .base = m->idtr.base };
	st->relocatable = m->revision & BIT(17);
}

static void save32(struct smram32 *m, const struct smm_state *st)
{
	const struct kvm_sregs *s = &st->sregs;

	EACH_SYSTEM_REG(SAVE, m, st)
	EACH_REG32(SAVE, m, &st->regs)
	save_segment32(&m->es, &m->es_selector, &s->es);
	save_segment32(&m->cs, &m->cs_selector, &s->cs);
	save_segment32(&m->ss, &m->ss_selector, &s->ss);
	save_segment32(&m->ds, &m->ds_selector, &s->ds);
	save_segment32(&m->fs, &m->fs_selector, &s->fs);
	save_segment32(&m->gs, &m->gs_selector, &s->gs);
	save_segment32(&m->ldt, &m->ldt_selector, &s->ldt);
	save_segment32(&m->tr, &m->tr_selector, &s->tr);
	m->gdt_limit = s->gdt.limit;
	m->gdt_base = s->gdt.base;
	m->idt_limit = s->idt.limit;
	m->idt_base = s->idt.base;
	m->revision = SMM_REVISION_32;
}

static void load32(struct smm_state *st, const struct smram32 *m)
{
	struct kvm_sregs *s = &st->sregs;

	EACH_SYSTEM_REG(LOAD, m, st)
	EACH_REG32(LOAD, m, &st->regs)
	s->efer = 0;
	load_segment32(&s->es, &m->es, m->es_selector);
	load_segment32(&s->cs, &m->cs, m->cs_selector);
	load_segment32(&s->ss, &m->ss, m->ss_selector);
	load_segment32(&s->ds, &m->ds, m->ds_selector);
	load_segment32(&s->fs, &m->fs, m->fs_selector);
	load_segment32(&s->gs, &m->gs, m->gs_selector);
	load_segment32(&s->ldt, &m->ldt, m->ldt_selector);
	load_segment32(&s->tr, &m->tr, m->tr_selector);
	s->gdt = (struct kvm_dtable) { .limit = m->gdt_limit, .base = m->gdt_base };
	s->idt = (struct kvm_dtable) { .limit = m->idt_limit, .base = m->idt_base };
	st->relocatable = m->revision & BIT(17);
}

/* ---- registers of the vCPU ------------------------------------------------------------ */

static void read_state(struct x86_vcpu *vcpu, struct smm_state *st)
{
	x86_vcpu_get_regs(vcpu, &st->regs);
	x86_vcpu_get_sregs(vcpu, &st->sregs);
	st->dr6 = vcpu->dr6;
	st->dr7 = vcpu->dr7;
	st->smbase = vcpu->smbase;
	st->interrupt_shadow = vendor_call(get_interrupt_shadow)(vcpu);
}

/* Return: 0; -EINVAL: no CPU can have it, part of it may be loaded. */
static int load_state(struct x86_vcpu *vcpu, const struct smm_state *st)
{
	if (x86_vcpu_set_sregs(vcpu, &st->sregs))
		return -EINVAL;
	x86_vcpu_set_regs(vcpu, &st->regs);
	vcpu->dr6 = (u32)st->dr6;
	vendor_call(set_dr6)(vcpu, vcpu->dr6);
	vcpu->dr7 = (u32)st->dr7 | DR7_FIXED_1;
	x86_update_dr7(vcpu);
	vendor_call(set_interrupt_shadow)(vcpu, st->interrupt_shadow &
					  (KVM_X86_SHADOW_INT_STI | KVM_X86_SHADOW_INT_MOV_SS));
	return 0;
}

/* SDM 3C table 31-4, APM 2 table 10-2: a real mode without limits. */
static void smm_initial_state(struct smm_state *st)
{
	struct kvm_sregs *s = &st->sregs;
	struct kvm_segment data = {
		.limit = 0xffffffff, .type = 3, .present = 1, .s = 1, .g = 1,
	};

	s->cr0 &= ~(X86_CR0_PE | X86_CR0_EM | X86_CR0_TS | X86_CR0_PG);
	s->cr4 = 0;
	s->efer = 0;
	s->ds = s->es = s->fs = s->gs = s->ss = data;
	s->cs = data;
	s->cs.type = 0xb;
	s->cs.selector = st->smbase >> 4;
	s->cs.base = st->smbase;
	st->regs.rip = SMM_ENTRY;
	st->regs.rflags = X86_EFLAGS_FIXED;
	st->dr7 = DR7_FIXED_1;
	st->interrupt_shadow = 0;
}

/* ---- in and out ------------------------------------------------------------------------- */

void x86_inject_smi(struct x86_vcpu *vcpu)
{
	kvm_make_request(X86_REQ_SMI, &vcpu->core);
	kvm_vcpu_kick(&vcpu->core);
}

bool x86_smi_due(struct x86_vcpu *vcpu)
{
	return (vcpu->smi_pending || kvm_test_request(X86_REQ_SMI, &vcpu->core)) &&
	       !vcpu->in_smm && !(vcpu->core.guest_debug & KVM_GUESTDBG_BLOCKIRQ);
}

void x86_smm_switch(struct x86_vcpu *vcpu, bool in_smm)
{
	if (vcpu->in_smm == in_smm)
		return;
	vcpu->in_smm = in_smm;
	x86_mmu_reset_context(vcpu);
	/* Combined translations, too: the nested tables are others. */
	kvm_make_request(KVM_REQ_TLB_FLUSH, &vcpu->core);
}

static void enter_smm(struct x86_vcpu *vcpu)
{
	union smram m = {};
	struct smm_state st = { .halted = vcpu->halted_at_smi };

	read_state(vcpu, &st);
	if (guest_cpuid_has(vcpu, X86_FEATURE_LM))
		save64(&m.l, &st);
	else
		save32(&m.s, &st);

	trace_kvm_smm_transition(vcpu->core.id, vcpu->smbase, true);
	vcpu->smi_pending = false;
	vcpu->halted_at_smi = false;
	vcpu->smi_count++;
	x86_smm_switch(vcpu, true);
	vcpu->smm_inside_nmi = vendor_call(get_nmi_mask)(vcpu);
	vendor_call(set_nmi_mask)(vcpu, true);
	/* Where there is no memory, what is written is lost, as on any machine. */
	kvm_vcpu_write_guest(&vcpu->core, vcpu->smbase + SMM_SAVE_AREA, &m, sizeof(m));

	smm_initial_state(&st);
	KVM_BUG_ON(load_state(vcpu, &st), vcpu->core.kvm);
}

void x86_take_smi(struct x86_vcpu *vcpu)
{
	if (x86_smi_due(vcpu) && !x86_event_reinjection(vcpu) && !vcpu->exception.pending)
		enter_smm(vcpu);
}

void x86_smm_leave(struct x86_vcpu *vcpu)
{
	/* What SMRAM doesn't hold stays. */
	struct smm_state st = { .sregs = {
		.cr2 = vcpu->cr2, .cr8 = x86_get_cr8(vcpu), .apic_base = vcpu->apic_base,
	} };
	union smram m;

	if (kvm_vcpu_read_guest(&vcpu->core, vcpu->smbase + SMM_SAVE_AREA, &m, sizeof(m)))
		goto shutdown;
	if (guest_cpuid_has(vcpu, X86_FEATURE_LM))
		load64(&st, &m.l);
	else
		load32(&st, &m.s);

	trace_kvm_smm_transition(vcpu->core.id, vcpu->smbase, false);
	if (st.relocatable)
		vcpu->smbase = st.smbase;
	x86_smm_switch(vcpu, false);
	vendor_call(set_nmi_mask)(vcpu, vcpu->smm_inside_nmi);
	if (load_state(vcpu, &st))
		goto shutdown;
	if (st.halted)
		x86_set_mp_state(vcpu, KVM_MP_STATE_HALTED);
	/* What SMM held off: SMI, INIT, NMIs. */
	kvm_make_request(X86_REQ_EVENT, &vcpu->core);
	return;
shutdown:
	kvm_make_request(X86_REQ_TRIPLE_FAULT, &vcpu->core);
}
