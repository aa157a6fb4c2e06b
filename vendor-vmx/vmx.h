/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VT-x as the rooms of vendor-vmx/ share it: struct vmx_vcpu, what this CPU
 * allows, and what each room offers the others.
 */
#ifndef VENDOR_VMX_VMX_H
#define VENDOR_VMX_VMX_H

#include <linux/list.h>

#include "arch-x86/vendor.h"
#include "arch-x86/regs.h"
#include "vendor-vmx/vmx_ops.h"

/* The five words of controls (SDM 3C 25.6 to 25.8). */
enum vmx_control_word { VMX_PIN, VMX_PROC, VMX_PROC2, VMX_EXIT, VMX_ENTRY, VMX_NR_CONTROLS };

/**
 * struct vmx_capabilities - what this CPU's VMX has (SDM 3D appendix A) and the module's
 *	parameters allow; constant after init
 * @revision: VMCS revision identifier
 * @vmcs_size: bytes of a VMCS
 * @must: per word, controls that can't be 0
 * @may: per word, controls that can be 1
 * @ept_vpid: IA32_VMX_EPT_VPID_CAP
 * @misc: IA32_VMX_MISC
 * @cr0_must, @cr0_may, @cr4_must, @cr4_may: fixed bits of guest and host registers
 * @unrestricted: guests may run without protection and paging; only with EPT
 * @virtual_nmis: NMI blocking is the CPU's business
 * @vpid: translations are tagged
 * @tpr_shadow: the CPU reads and writes the TPR for CR8
 */
struct vmx_capabilities {
	u32 revision;
	u32 vmcs_size;
	u32 must[VMX_NR_CONTROLS];
	u32 may[VMX_NR_CONTROLS];
	u64 ept_vpid;
	u64 misc;
	u64 cr0_must, cr0_may, cr4_must, cr4_may;
	bool unrestricted;
	bool virtual_nmis;
	bool vpid;
	bool tpr_shadow;
};

extern struct vmx_capabilities vmx_has;

static inline bool vmx_can(enum vmx_control_word word, u32 bits)
{
	return (vmx_has.may[word] & bits) == bits;
}

/*
 * A VMCS and where it is: at most one CPU has it, in memory or in its caches, until it
 * is cleared there (SDM 3C 25.11.1). @cpu and @loaded change on that CPU only, IRQs off.
 */
struct vmx_vmcs {
	void *page;
	u64 pa;
	int cpu;		/* -1: cleared */
	struct list_head loaded;	/* on that CPU's list */
};

/*
 * What enter_*.S reads and writes; its offsets are VMX_ENTER_*.
 */
struct vmx_enter_state {
	u64 launched;		/* VMRESUME, not VMLAUNCH */
	u64 host_rsp;		/* what the VMCS has */
	u64 guest_spec_ctrl;
	u64 host_spec_ctrl;
	u64 switch_spec_ctrl;	/* 0: leave the MSR alone */
	u64 failed;		/* the instruction failed: the guest has not run */
};

/* A segment as far as it has been read since the last exit. */
struct vmx_segment {
	u16 selector;
	u32 limit;
	u32 access;
	unsigned long base;
};

/* The host's state that is kept from prepare_enter() to vcpu_put(). */
struct vmx_host_state {
	bool saved;
	u16 fs_sel, gs_sel, ldt_sel;
	u16 ds_sel, es_sel;
	unsigned long fs_base, gs_base;		/* user's, of 64 bit hosts */
	unsigned long cr3, cr4, debugctl;	/* as the VMCS has it, or for us */
};

/* MSRs that guest and host have at the same place: loaded at entry, by hand. */
enum vmx_user_msr { VMX_MSR_STAR, VMX_MSR_LSTAR, VMX_MSR_FMASK, VMX_MSR_TSC_AUX, VMX_NR_USER_MSRS };

struct vmx_vm {
	struct x86_vm x86;	/* first */
};

struct vmx_vcpu {
	struct x86_vcpu x86;	/* first */

	struct vmx_vmcs vmcs;
	struct vmx_enter_state enter;
	struct vmx_host_state host;
	unsigned long *msr_bitmap;
	u64 *pml;			/* NULL: pages written are not logged so */
	u32 controls[VMX_NR_CONTROLS];	/* as the VMCS has them */
	u32 exception_bitmap;
	u16 vpid;			/* 0: none was left, or none is used */
	u64 eptp;

	/* The last exit; what is not read at every exit has a bit in x86.regs_avail. */
	u32 exit_reason;
	u32 idt_info;			/* vectoring information */
	u32 intr_info;			/* X86_REG_EXIT_INFO_2 */
	unsigned long qualification;	/* X86_REG_EXIT_INFO_1 */

	/* Guest state that is read when first asked for. */
	unsigned long rflags;		/* X86_REG_RFLAGS */
	unsigned long seg_avail;	/* 4 bits each */
	struct vmx_segment seg[X86_NR_SEGS];
	u64 pat;			/* what the VMCS has */

	u64 msr[VMX_NR_USER_MSRS];
	u64 cstar;			/* only kept: no CPU of Intel's uses it */
	u64 kernel_gs_base;		/* the guest's, while host.saved is false */
	bool spec_ctrl_passthrough;
	u64 x2apic_reads, x2apic_writes;	/* MSRs from 800H on that don't exit */

	u8 tpr_threshold;		/* as the VMCS has it */
	u32 ple_window;			/* likewise */
	bool first_entry;		/* host code has run since the last one */
	u64 timer;			/* exit when the host's TSC is there; 0: none */
	u8 soft_insn_len;		/* of the INT3, INTO or INT n to be injected */

	/* Without virtual NMIs (events.c): since when, by ktime_get_ns(). */
	bool nmi_masked;
	u64 nmi_masked_at;
};

static inline struct vmx_vcpu *vmx_vcpu_of(struct x86_vcpu *vcpu)
{
	return container_of(vcpu, struct vmx_vcpu, x86);
}

/* ---- controls ------------------------------------------------------------- */

static inline void vmx_write_controls(struct vmx_vcpu *vmx, enum vmx_control_word word, u32 value)
{
	static const enum vmcs_field field[VMX_NR_CONTROLS] = {
		VMCS_PIN_CONTROLS, VMCS_PROC_CONTROLS, VMCS_PROC2_CONTROLS,
		VMCS_EXIT_CONTROLS, VMCS_ENTRY_CONTROLS,
	};

	if (vmx->controls[word] == value)
		return;
	vmx->controls[word] = value;
	vmcs_write(field[word], value);
}

static inline void vmx_put_control(struct vmx_vcpu *vmx, enum vmx_control_word word,
				   u32 bits, bool on)
{
	u32 now = vmx->controls[word];

	vmx_write_controls(vmx, word, on ? now | bits : now & ~bits);
}

static inline unsigned long vmx_qualification(struct vmx_vcpu *vmx)
{
	if (!x86_reg_available(&vmx->x86, X86_REG_EXIT_INFO_1)) {
		x86_reg_mark_available(&vmx->x86, X86_REG_EXIT_INFO_1);
		vmx->qualification = vmcs_read(VMCS_EXIT_QUALIFICATION);
	}
	return vmx->qualification;
}

static inline u32 vmx_intr_info(struct vmx_vcpu *vmx)
{
	if (!x86_reg_available(&vmx->x86, X86_REG_EXIT_INFO_2)) {
		x86_reg_mark_available(&vmx->x86, X86_REG_EXIT_INFO_2);
		vmx->intr_info = vmcs_read(VMCS_EXIT_INTR_INFO);
	}
	return vmx->intr_info;
}

/* Was the last exit this exception? */
static inline bool vmx_exit_is_exception(struct vmx_vcpu *vmx, u8 vector)
{
	return (u16)vmx->exit_reason == VMX_EXIT_EXCEPTION_NMI &&
	       (vmx_intr_info(vmx) & (VMX_EVENT_VECTOR | VMX_EVENT_TYPE | VMX_EVENT_VALID)) ==
	       (vector | VMX_EVENT_HARD_EXCEPTION | VMX_EVENT_VALID);
}

/* ---- caps.c ----------------------------------------------------------------- */

/** vmx_caps_init() - read the capability MSRs once. 0, -EOPNOTSUPP with one sentence logged */
int vmx_caps_init(void);
extern struct x86_vendor_caps vmx_caps;
void vmx_adjust_cpu_caps(void);

/* ---- vmcs.c: where each VMCS is ------------------------------------------------ */

/** vmx_vmcs_init() - nothing is loaded anywhere; at module init */
void vmx_vmcs_init(void);
/** vmx_vmcs_alloc() / vmx_vmcs_free() - a cleared VMCS; freed, on no CPU. 0, -ENOMEM. Sleeps */
int vmx_vmcs_alloc(struct vmx_vmcs *vmcs);
void vmx_vmcs_free(struct vmx_vmcs *vmcs);
/**
 * vmx_vmcs_load() - make it this CPU's current VMCS
 * @vmx: whose; if it was on another CPU, or cleared, it is taken from there and launched anew
 * @cpu: this one; preemption off, IRQs on
 *
 * Return: it was not this CPU's before: what depends on the CPU must be written.
 */
bool vmx_vmcs_load(struct vmx_vcpu *vmx, int cpu);
/** vmx_emergency_clear() - a crash: no VMCS may be in this CPU's caches. NMI context */
void vmx_emergency_clear(void);
int vmx_cpu_enable(void);
void vmx_cpu_disable(void);

/* ---- tlb.c: VPID and INVVPID, INVEPT -------------------------------------------- */

/** vmx_vpid_alloc() / vmx_vpid_free() - a tag for a vCPU's translations; 0: none is left */
u16 vmx_vpid_alloc(void);
void vmx_vpid_free(u16 vpid);
/** vmx_flush_cpu() - VMX goes on here: nothing that firmware or kexec left is used */
void vmx_flush_cpu(void);
void vmx_load_root(struct x86_vcpu *vcpu, hpa_t root, int level);
void vmx_flush_tlb_all(struct x86_vcpu *vcpu);
void vmx_flush_tlb_current(struct x86_vcpu *vcpu);
void vmx_flush_tlb_gva(struct x86_vcpu *vcpu, gva_t gva);
void vmx_flush_tlb_guest(struct x86_vcpu *vcpu);

/* ---- vcpu.c: life of a vCPU ------------------------------------------------------ */

int vmx_vcpu_create(struct x86_vcpu *vcpu);
void vmx_vcpu_destroy(struct x86_vcpu *vcpu);
void vmx_vcpu_reset(struct x86_vcpu *vcpu, bool init_event);
/** vmx_recalc_intercepts() - from guest debugging, disabled exits and CPUID. Loaded */
void vmx_recalc_intercepts(struct x86_vcpu *vcpu);
void vmx_update_exception_bitmap(struct x86_vcpu *vcpu);

/* ---- dump.c ----------------------------------------------------------------------- */

void vmx_dump_state(struct x86_vcpu *vcpu);

/* ---- host.c, host_64.c, host_32.c: the host's state ------------------------------------ */

/** vmx_host_init() - host fields of a new VMCS that never change. Loaded */
void vmx_host_init(struct vmx_vcpu *vmx);
/** vmx_host_cpu_changed() - host fields that differ from CPU to CPU. Preemption off */
void vmx_host_cpu_changed(struct vmx_vcpu *vmx);
/** vmx_host_save() - keep what the guest's state replaces; once until vmx_host_restore() */
void vmx_host_save(struct vmx_vcpu *vmx);
void vmx_host_restore(struct vmx_vcpu *vmx);
/** vmx_host_save_segs() / _restore_segs() - the part that differs with the word size */
void vmx_host_save_segs(struct vmx_vcpu *vmx);
void vmx_host_restore_segs(struct vmx_vcpu *vmx);
/** vmx_host_cpu_segs() - likewise, of vmx_host_cpu_changed() */
void vmx_host_cpu_segs(void);
/** vmx_descriptor_base() - base of a segment of the host's, by its descriptor in the GDT */
unsigned long vmx_descriptor_base(u16 selector);

/* ---- l1tf.c --------------------------------------------------------------------------- */

/** vmx_l1d_init() / vmx_l1d_exit() - choose how L1D is flushed before entries. 0, -ENOMEM */
int vmx_l1d_init(void);
void vmx_l1d_exit(void);
/** vmx_l1d_flush() - before an entry, IRQs off. @host_ran: more than what moves registers */
void vmx_l1d_flush(struct x86_vcpu *vcpu, bool host_ran);

/* ---- timer.c ------------------------------------------------------------------------- */

/** vmx_timer_init() - is there a timer that can be used? At module init, after the controls */
bool vmx_timer_init(void);
void vmx_set_timer(struct x86_vcpu *vcpu, u64 host_tsc);
/** vmx_load_timer() - before an entry, IRQs off: what is left of the time */
void vmx_load_timer(struct vmx_vcpu *vmx);
/** vmx_timer_exit() - it has run out, or a piece of it. IRQs off */
enum x86_fastpath vmx_timer_exit(struct vmx_vcpu *vmx);

/* ---- apicv.c ------------------------------------------------------------------------- */

/** vmx_apicv_init() - which of it this CPU has. At module init, after the controls */
void vmx_apicv_init(void);
extern const struct x86_apicv_ops vmx_apicv_ops;
/** vmx_apic_controls() - secondary controls for the APIC's mode of now */
u32 vmx_apic_controls(struct vmx_vcpu *vmx);
/**
 * vmx_apicv_in_service() - SVI, the vector that the CPU delivered last by itself and that
 * has had no EOI (SDM 3C 30.2.2). Loaded, apicv in use
 */
u8 vmx_apicv_in_service(void);
/** vmx_apicv_reset() - fields of a new VMCS. Loaded */
void vmx_apicv_reset(struct vmx_vcpu *vmx);
/** exits: an access that the CPU leaves to us; a register that it has written; an EOI that
 *  it has done */
int vmx_apic_access(struct vmx_vcpu *vmx);
int vmx_apic_write(struct vmx_vcpu *vmx);
int vmx_eoi(struct vmx_vcpu *vmx);

/* ---- pml.c --------------------------------------------------------------------------- */

/** vmx_pml_init() - can pages be logged by the CPU? At module init, after EPT */
bool vmx_pml_init(void);
/** vmx_pml_alloc() / vmx_pml_free() - a vCPU's list. 0, -ENOMEM */
int vmx_pml_alloc(struct vmx_vcpu *vmx);
void vmx_pml_free(struct vmx_vcpu *vmx);
/** vmx_pml_reset() - fields of a new VMCS. Loaded */
void vmx_pml_reset(struct vmx_vcpu *vmx);
/** vmx_pml_flush() - hand over what it has; there is one. Loaded, SRCU held */
void vmx_pml_flush(struct vmx_vcpu *vmx);
/** vmx_pml_full() - exit: it was full */
int vmx_pml_full(struct vmx_vcpu *vmx);

/* ---- ple.c --------------------------------------------------------------------------- */

/** vmx_ple_wanted() - are loops of PAUSEs to exit, if the CPU can have them do so? */
bool vmx_ple_wanted(void);
/** vmx_ple_reset() - fields of a new VMCS. Loaded */
void vmx_ple_reset(struct vmx_vcpu *vmx);
/** vmx_ple_grow() / _shrink() - the window, after such an exit; when the thread is back on a
 *  CPU. Loaded */
void vmx_ple_grow(struct vmx_vcpu *vmx);
void vmx_ple_shrink(struct vmx_vcpu *vmx);

/* ---- msr.c ------------------------------------------------------------------ */

/** vmx_msr_init() - which MSRs this CPU has, at module init */
void vmx_msr_init(void);
/** vmx_msr_bitmap_alloc() - a bitmap that intercepts all. NULL: no memory */
unsigned long *vmx_msr_bitmap_alloc(void);
void vmx_msr_bitmap_free(unsigned long *bitmap);
/** vmx_msr_recalc() - rebuild the bitmap: passed through, unless a filter denies it */
void vmx_msr_recalc(struct x86_vcpu *vcpu);
/** vmx_msr_recalc_apic() - likewise x2APIC's, by the controls as they are. Loaded or not */
void vmx_msr_recalc_apic(struct vmx_vcpu *vmx);
/** vmx_msr_load_guest() - the guest's user-return MSRs. Preemption off */
void vmx_msr_load_guest(struct vmx_vcpu *vmx);
bool vmx_has_msr(u32 index);
int vmx_get_msr(struct x86_vcpu *vcpu, u32 index, u64 *data, bool host);
int vmx_set_msr(struct x86_vcpu *vcpu, u32 index, u64 data, bool host);
int vmx_get_msr_feature(u32 index, u64 *data);

/* ---- regs.c, segs.c ------------------------------------------------------------- */

void vmx_cache_reg(struct x86_vcpu *vcpu, enum x86_reg reg);
/** vmx_write_dirty_regs() - RIP, RSP and PDPTEs, where they changed. IRQs off */
void vmx_write_dirty_regs(struct vmx_vcpu *vmx);
unsigned long vmx_get_rflags(struct x86_vcpu *vcpu);
void vmx_set_rflags(struct x86_vcpu *vcpu, unsigned long rflags);
bool vmx_get_if_flag(struct x86_vcpu *vcpu);
void vmx_set_cr0(struct x86_vcpu *vcpu, u64 cr0);
void vmx_set_cr3(struct x86_vcpu *vcpu, u64 cr3);
bool vmx_is_valid_cr4(struct x86_vcpu *vcpu, u64 cr4);
void vmx_set_cr4(struct x86_vcpu *vcpu, u64 cr4);
/** vmx_cr3_exits() - primary controls for who owns CR3 now, and translations */
u32 vmx_cr3_exits(struct x86_vcpu *vcpu);
/** vmx_update_cr_masks() - which bits of CR0 and CR4 the guest may change unseen */
void vmx_update_cr_masks(struct vmx_vcpu *vmx);
int vmx_set_efer(struct x86_vcpu *vcpu, u64 efer);
void vmx_set_dr7(struct x86_vcpu *vcpu, u64 dr7);
void vmx_set_dr6(struct x86_vcpu *vcpu, u64 dr6);
void vmx_sync_dirty_debug_regs(struct x86_vcpu *vcpu);
void vmx_get_segment(struct x86_vcpu *vcpu, struct kvm_segment *var, enum x86_seg seg);
void vmx_set_segment(struct x86_vcpu *vcpu, const struct kvm_segment *var, enum x86_seg seg);
u64 vmx_get_segment_base(struct x86_vcpu *vcpu, enum x86_seg seg);
/** vmx_segment_access() - access rights as the VMCS has them (SDM 3C table 25-2) */
u32 vmx_segment_access(struct vmx_vcpu *vmx, enum x86_seg seg);
/** vmx_fix_tr() - long mode is on: TR must name a 64 bit TSS (SDM 3C 27.3.1.2) */
void vmx_fix_tr(struct vmx_vcpu *vmx);
int vmx_get_cpl(struct x86_vcpu *vcpu);
void vmx_get_cs_db_l(struct x86_vcpu *vcpu, int *db, int *l);
void vmx_get_idt(struct x86_vcpu *vcpu, struct x86_desc_table *dt);
void vmx_set_idt(struct x86_vcpu *vcpu, const struct x86_desc_table *dt);
void vmx_get_gdt(struct x86_vcpu *vcpu, struct x86_desc_table *dt);
void vmx_set_gdt(struct x86_vcpu *vcpu, const struct x86_desc_table *dt);

/* ---- entry_state.c ----------------------------------------------------------- */

bool vmx_can_enter(struct x86_vcpu *vcpu);
/** vmx_state_changed() - before the next entry the guest's state must be looked at */
static inline void vmx_state_changed(struct x86_vcpu *vcpu)
{
	vcpu->check_entry = !vmx_has.unrestricted;
}

/* ---- events.c --------------------------------------------------------------- */

void vmx_inject_exception(struct x86_vcpu *vcpu);
void vmx_inject_nmi(struct x86_vcpu *vcpu);
void vmx_inject_irq(struct x86_vcpu *vcpu, bool reinjected);
void vmx_cancel_injection(struct x86_vcpu *vcpu);
int vmx_nmi_allowed(struct x86_vcpu *vcpu, bool for_injection);
int vmx_irq_allowed(struct x86_vcpu *vcpu, bool for_injection);
bool vmx_get_nmi_mask(struct x86_vcpu *vcpu);
void vmx_set_nmi_mask(struct x86_vcpu *vcpu, bool masked);
void vmx_enable_nmi_window(struct x86_vcpu *vcpu);
void vmx_enable_irq_window(struct x86_vcpu *vcpu);
u32 vmx_get_interrupt_shadow(struct x86_vcpu *vcpu);
void vmx_set_interrupt_shadow(struct x86_vcpu *vcpu, u32 mask);
void vmx_update_cr8_intercept(struct x86_vcpu *vcpu, int tpr, int irr);
/** vmx_clamp_tpr_threshold() - before an entry: not above the TPR that it is compared with */
void vmx_clamp_tpr_threshold(struct vmx_vcpu *vmx);
/** vmx_complete_interrupts() - take back what the last exit kept from being delivered */
void vmx_complete_interrupts(struct vmx_vcpu *vmx);
/** vmx_irq_window() / vmx_nmi_window() - exits: the guest can take one now */
int vmx_irq_window(struct vmx_vcpu *vmx);
int vmx_nmi_window(struct vmx_vcpu *vmx);
/** vmx_iret_faulted() - the exit came of an IRET that had unblocked NMIs: block them again */
void vmx_iret_faulted(struct vmx_vcpu *vmx);

/* ---- exits.c, enter.c -------------------------------------------------------- */

int vmx_handle_exit(struct x86_vcpu *vcpu);
/** vmx_fast_exit() - the inner loop's part of it */
enum x86_fastpath vmx_fast_exit(struct x86_vcpu *vcpu);
void vmx_exit_info(struct x86_vcpu *vcpu, u32 *reason, u64 *info1, u64 *info2,
		   u32 *intr_info, u32 *error_code);
u64 vmx_next_rip(struct x86_vcpu *vcpu);
void vmx_enter(struct x86_vcpu *vcpu);
void vmx_exit_irqoff(struct x86_vcpu *vcpu);
void vmx_prepare_enter(struct x86_vcpu *vcpu);
void vmx_vcpu_load(struct x86_vcpu *vcpu, int cpu);
void vmx_vcpu_put(struct x86_vcpu *vcpu);

/**
 * vmx_enter_guest() - VMLAUNCH or VMRESUME, with what must be next to it (enter_64.S)
 * @state: how, and SPEC_CTRL values; ->failed is set if the guest has not run
 * @regs: the general registers; RSP is in the VMCS
 *
 * Context: noinstr, IRQs off.
 */
asmlinkage void vmx_enter_guest(struct vmx_enter_state *state, u64 *regs);
/** vmx_exit_point - where the CPU goes on after an exit: the host's RIP. Not a function */
extern const char vmx_exit_point[];

#endif
