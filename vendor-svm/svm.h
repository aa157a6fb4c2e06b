/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AMD-V as the rooms of vendor-svm/ share it: struct svm_vcpu, the CPU's
 * features, and what each room offers the others.
 */
#ifndef VENDOR_SVM_SVM_H
#define VENDOR_SVM_SVM_H

#include "arch-x86/vendor.h"
#include "arch-x86/regs.h"
#include "vendor-svm/vmcb.h"

/**
 * struct svm_features - what this CPU's SVM has (CPUID 8000_000A) and the
 *	module's parameters allow; constant after init
 */
struct svm_features {
	bool nrips;		/* next RIP saved at exit */
	bool decode_assists;	/* operands and instruction bytes at exit */
	bool flush_by_asid;
	bool clean_bits;
	bool pause_filter;
	bool pause_threshold;
	bool tsc_scaling;
	bool v_spec_ctrl;	/* SPEC_CTRL is switched by VMRUN */
	u32 nr_asids;
};

extern struct svm_features svm_features;

struct svm_vm {
	struct x86_vm x86;	/* first */
};

/*
 * What enter.S reads and writes; its offsets are SVM_ENTER_* below.
 */
struct svm_enter_state {
	u64 vmcb_pa;
	u64 host_save_pa;	/* of this CPU */
	u64 guest_spec_ctrl;
	u64 host_spec_ctrl;
	u64 switch_spec_ctrl;	/* 0: leave the MSR alone */
	u64 faulted;		/* VMRUN raised an exception: SVME was off */
};

struct svm_vcpu {
	struct x86_vcpu x86;	/* first */

	struct vmcb *vmcb;
	struct svm_enter_state enter;
	unsigned long *msrpm;	/* MSR permission map, 2 pages */

	/* ASID: valid while its generation is the CPU's (asid.c). */
	u64 asid_generation;
	int asid_cpu;

	u8 entry_tpr;		/* V_TPR of the last entry */
	bool host_saved;	/* prepare_enter() has run since vcpu_load() */
	u64 virt_spec_ctrl;	/* MSR_AMD64_VIRT_SPEC_CTRL */
	bool spec_ctrl_passthrough;

	/* NMI blocking until IRET completes, by hand (APM 2 15.21.9). */
	bool nmi_masked;
	bool nmi_iret_pending;	/* IRET was intercepted, has not completed */
	u64 nmi_iret_rip;
	bool nmi_singlestep;	/* TF is ours, to get to an NMI window */
	u64 nmi_singlestep_rflags;	/* the guest's TF and RF */

	/* #BP or #OF that we injected, with RIP moved behind it (events.c). */
	bool soft_exception;	/* #BP or #OF is being delivered, from soft_exception_rip */
	u64 soft_exception_rip;

	u64 tsc_multiplier;
};

static inline struct svm_vcpu *svm_vcpu_of(struct x86_vcpu *vcpu)
{
	return container_of(vcpu, struct svm_vcpu, x86);
}

/* ---- intercepts ---------------------------------------------------------- */

static inline void svm_mark_dirty(struct svm_vcpu *svm, u32 clean_bits)
{
	svm->vmcb->control.clean &= ~clean_bits;
}

static inline void svm_set_intercept(struct svm_vcpu *svm, unsigned int i)
{
	svm->vmcb->control.intercepts[i / 32] |= BIT(i % 32);
	svm_mark_dirty(svm, SVM_CLEAN_INTERCEPTS);
}

static inline void svm_clear_intercept(struct svm_vcpu *svm, unsigned int i)
{
	svm->vmcb->control.intercepts[i / 32] &= ~BIT(i % 32);
	svm_mark_dirty(svm, SVM_CLEAN_INTERCEPTS);
}

static inline void svm_put_intercept(struct svm_vcpu *svm, unsigned int i, bool on)
{
	if (on)
		svm_set_intercept(svm, i);
	else
		svm_clear_intercept(svm, i);
}

static inline bool svm_is_intercepted(struct svm_vcpu *svm, unsigned int i)
{
	return svm->vmcb->control.intercepts[i / 32] & BIT(i % 32);
}

/* ---- caps.c ---------------------------------------------------------------- */

/** svm_caps_init() - read CPUID 8000_000A once. 0, -EOPNOTSUPP with one sentence logged */
int svm_caps_init(void);
extern struct x86_vendor_caps svm_caps;
void svm_adjust_cpu_caps(void);

/** svm_cpu_init()/_exit() - the per-CPU host save areas. 0 or -ENOMEM */
int svm_cpu_init(void);
void svm_cpu_exit(void);
int svm_cpu_enable(void);
void svm_cpu_disable(void);

/** svm_host_save_pa() - this CPU's area for VMSAVE. Preemption off. */
u64 svm_host_save_pa(void);

/* ---- asid.c ----------------------------------------------------------------- */

/** svm_asid_cpu_init() - start over on this CPU; every vCPU gets a new ASID here */
void svm_asid_cpu_init(void);
/** svm_asid_prepare() - give the vCPU an ASID that is valid while it is on this CPU, and no
 *  flush is asked for. Preemption off. */
void svm_asid_prepare(struct svm_vcpu *svm);
/** svm_flush_tlb_asid() - nothing that this vCPU's ASID cached is used by its next entry */
void svm_flush_tlb_asid(struct x86_vcpu *vcpu);
void svm_flush_tlb_gva(struct x86_vcpu *vcpu, gva_t gva);

/* ---- vmcb.c ----------------------------------------------------------------- */

int svm_vcpu_create(struct x86_vcpu *vcpu);
void svm_vcpu_destroy(struct x86_vcpu *vcpu);
void svm_vcpu_reset(struct x86_vcpu *vcpu, bool init_event);
/** svm_recalc_intercepts() - from guest debugging, disabled exits and CPUID */
void svm_recalc_intercepts(struct x86_vcpu *vcpu);
void svm_update_exception_bitmap(struct x86_vcpu *vcpu);
void svm_dump_state(struct x86_vcpu *vcpu);
int svm_perm_maps_init(void);
void svm_perm_maps_exit(void);

/* ---- msr.c ------------------------------------------------------------------ */

/** svm_msrpm_alloc() - an MSR permission map that intercepts all. NULL: no memory */
unsigned long *svm_msrpm_alloc(void);
void svm_msrpm_free(unsigned long *msrpm);
/** svm_msr_recalc() - rebuild the map: passed through, unless a filter denies it */
void svm_msr_recalc(struct x86_vcpu *vcpu);
bool svm_has_msr(u32 index);
int svm_get_msr(struct x86_vcpu *vcpu, u32 index, u64 *data, bool host);
int svm_set_msr(struct x86_vcpu *vcpu, u32 index, u64 data, bool host);
int svm_get_msr_feature(u32 index, u64 *data);
extern int svm_tsc_aux_slot;

/* ---- regs.c ----------------------------------------------------------------- */

void svm_cache_reg(struct x86_vcpu *vcpu, enum x86_reg reg);
unsigned long svm_get_rflags(struct x86_vcpu *vcpu);
void svm_set_rflags(struct x86_vcpu *vcpu, unsigned long rflags);
bool svm_get_if_flag(struct x86_vcpu *vcpu);
void svm_get_segment(struct x86_vcpu *vcpu, struct kvm_segment *var, enum x86_seg seg);
void svm_set_segment(struct x86_vcpu *vcpu, const struct kvm_segment *var, enum x86_seg seg);
u64 svm_get_segment_base(struct x86_vcpu *vcpu, enum x86_seg seg);
int svm_get_cpl(struct x86_vcpu *vcpu);
void svm_get_cs_db_l(struct x86_vcpu *vcpu, int *db, int *l);
void svm_get_idt(struct x86_vcpu *vcpu, struct x86_desc_table *dt);
void svm_set_idt(struct x86_vcpu *vcpu, const struct x86_desc_table *dt);
void svm_get_gdt(struct x86_vcpu *vcpu, struct x86_desc_table *dt);
void svm_set_gdt(struct x86_vcpu *vcpu, const struct x86_desc_table *dt);
void svm_set_cr0(struct x86_vcpu *vcpu, u64 cr0);
void svm_set_cr3(struct x86_vcpu *vcpu, u64 cr3);
bool svm_is_valid_cr4(struct x86_vcpu *vcpu, u64 cr4);
void svm_set_cr4(struct x86_vcpu *vcpu, u64 cr4);
int svm_set_efer(struct x86_vcpu *vcpu, u64 efer);
void svm_set_dr7(struct x86_vcpu *vcpu, u64 dr7);
void svm_set_dr6(struct x86_vcpu *vcpu, u64 dr6);
void svm_sync_dirty_debug_regs(struct x86_vcpu *vcpu);

/* ---- events.c --------------------------------------------------------------- */

void svm_inject_exception(struct x86_vcpu *vcpu);
void svm_inject_nmi(struct x86_vcpu *vcpu);
void svm_inject_irq(struct x86_vcpu *vcpu, bool reinjected);
void svm_cancel_injection(struct x86_vcpu *vcpu);
int svm_nmi_allowed(struct x86_vcpu *vcpu, bool for_injection);
int svm_irq_allowed(struct x86_vcpu *vcpu, bool for_injection);
bool svm_get_nmi_mask(struct x86_vcpu *vcpu);
void svm_set_nmi_mask(struct x86_vcpu *vcpu, bool masked);
void svm_enable_nmi_window(struct x86_vcpu *vcpu);
void svm_step_once(struct x86_vcpu *vcpu);
void svm_enable_irq_window(struct x86_vcpu *vcpu);
void svm_clear_irq_window(struct svm_vcpu *svm);
u32 svm_get_interrupt_shadow(struct x86_vcpu *vcpu);
void svm_set_interrupt_shadow(struct x86_vcpu *vcpu, u32 mask);
void svm_update_cr8_intercept(struct x86_vcpu *vcpu, int tpr, int irr);
/** svm_complete_interrupts() - take back what the last exit kept from being delivered */
void svm_complete_interrupts(struct svm_vcpu *svm);
/** svm_handle_iret() - IRET intercepted while NMIs are blocked */
int svm_handle_iret(struct svm_vcpu *svm);
/** svm_end_nmi_singlestep() - the TF was ours. Return: the guest wants no #DB */
bool svm_end_nmi_singlestep(struct svm_vcpu *svm);

/* ---- skip.c ----------------------------------------------------------------- */

u64 svm_next_rip(struct x86_vcpu *vcpu);
/**
 * svm_insn_ends() - can the intercepted instruction be stepped over without sleeping?
 * @svm: the vCPU
 * @opcode: which it is, as struct x86_peek has it
 *
 * Afterwards vcpu->next_rip is its end. IRQs may be off.
 */
bool svm_insn_ends(struct svm_vcpu *svm, u32 opcode);

/* ---- srso.c ----------------------------------------------------------------- */

/** svm_srso_vm_created() / svm_srso_vm_destroyed() - CPUs that need it speculate less while there
 *  is a VM. Sleeps. */
void svm_srso_vm_created(void);
void svm_srso_vm_destroyed(void);
/** svm_srso_cpu_on() / svm_srso_cpu_off() - this CPU comes, or goes. Context: on it. */
void svm_srso_cpu_on(void);
void svm_srso_cpu_off(void);

/* ---- exits.c, enter.c -------------------------------------------------------- */

int svm_handle_exit(struct x86_vcpu *vcpu);
/** svm_fast_exit() - the inner loop's part of it */
enum x86_fastpath svm_fast_exit(struct x86_vcpu *vcpu);
void svm_exit_info(struct x86_vcpu *vcpu, u32 *reason, u64 *info1, u64 *info2,
		   u32 *intr_info, u32 *error_code);
void svm_enter(struct x86_vcpu *vcpu);
void svm_prepare_enter(struct x86_vcpu *vcpu);
void svm_vcpu_load(struct x86_vcpu *vcpu, int cpu);
void svm_vcpu_put(struct x86_vcpu *vcpu);
/** svm_forget_vcpu() - a vCPU is about to be freed */
void svm_forget_vcpu(struct svm_vcpu *svm);

/**
 * svm_enter_guest() - VMRUN, with everything that must be next to it (enter_64.S)
 * @state: addresses and SPEC_CTRL values
 * @regs: the general registers; RAX and RSP are in the VMCB
 *
 * Context: noinstr, IRQs off; NMIs are held from CLGI to STGI inside.
 */
asmlinkage void svm_enter_guest(struct svm_enter_state *state, u64 *regs);

#endif
