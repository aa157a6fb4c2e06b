/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between arch-x86/ and a vendor (vendor-svm/, vendor-vmx/): one
 * const table of operations, every one mandatory, bound with static calls when
 * the vendor registers. Static calls stay inside kvm.ko.
 *
 * Unless said otherwise an operation runs in the vCPU's thread with the vCPU
 * loaded (preemption may be on: the preempt notifier reloads it).
 */
#ifndef ARCH_X86_VENDOR_H
#define ARCH_X86_VENDOR_H

#include "arch-x86/x86.h"

/* What fast_exit() has done with IRQs off. */
enum x86_fastpath {
	X86_FASTPATH_NONE,		/* nothing: handle_exit() must look at it */
	X86_FASTPATH_REENTER,		/* handled; enter again, unless somebody wants us elsewhere */
	X86_FASTPATH_USER,		/* handled; kvm_run is filled, for user space */
};

/*
 * Results of exit handlers, here and in all of arch-x86/:
 *   X86_RESUME (1)  go on with the guest
 *   X86_USER   (0)  return to user space; kvm_run is filled
 *   < 0             return to user space with this errno
 */
#define X86_RESUME	1
#define X86_USER	0

/* What the vendor's CPU can do, filled before x86_vendor_register(). */
struct x86_vendor_caps {
	bool npt;			/* nested paging in use (EPT/NPT) */
	bool always_paging;		/* the CPU can't run a guest that has paging off */
	int tdp_max_level;		/* 4 or 5 */
	int tdp_max_page_shift;		/* 12, 21 or 30 */
	bool tdp_has_ad;		/* hardware sets A/D in the nested tables */
	bool tdp_ept_format;		/* EPT's entry format, else legacy's (NPT) */
	bool tsc_scaling;
	u8 tsc_scaling_frac_bits;
	u64 tsc_scaling_max_ratio;
	bool nmi_window_needs_iret;
	u64 xss;			/* supported IA32_XSS bits */
	bool pause_loop_exit;
	bool bus_lock_exit, notify_vmexit;
	bool decode_assist;
	bool irq_delivery;		/* apicv's other operations are used */
	bool irq_posting;		/* the CPU takes what is posted while the guest runs */
	bool apic_page;			/* the CPU sees through a page in its tables */
	bool tpr_in_hardware;		/* no exit for the TPR in the APIC's page */
	bool exit_timer;		/* set_timer works */
	bool dirty_log;			/* the CPU lists what it sets D of (PML) */
};

/*
 * Interrupts that the CPU delivers from the APIC's page by itself. All of it by the
 * vCPU's thread, loaded.
 */
struct x86_apicv_ops {
	/** changed: mode (x86_lapic_mode()) or x86_lapic_apicv() is another: set controls. */
	void (*changed)(struct x86_vcpu *vcpu);
	/** set_requested/set_in_service: the highest vector in IRR, ISR; -1: none */
	void (*set_requested)(struct x86_vcpu *vcpu, int vector);
	void (*set_in_service)(struct x86_vcpu *vcpu, int vector);
	/** set_eoi_exits: vectors whose EOI must exit */
	void (*set_eoi_exits)(struct x86_vcpu *vcpu, const u64 bitmap[4]);
};

struct x86_vendor_ops {
	const char *name;			/* "AMD-V", "VT-x" */
	struct module *owner;
	size_t vm_size, vcpu_size;		/* of the vendor's structs, which embed ours first */
	const struct x86_vendor_caps *caps;

	/* -- machine: preemption off on the CPU in question */
	int (*cpu_enable)(void);
	void (*cpu_disable)(void);

	/* -- CPUID and MSRs */
	/** adjust_caps: last word on what CPUID may offer (x86_cpu_cap_set/clear); once, at registration. */
	void (*adjust_caps)(void);
	/** has_msr: does the vendor emulate this MSR (for the index list)? */
	bool (*has_msr)(u32 index);
	/** get_msr/set_msr: asked for MSRs that arch-x86 does not own.
	 *  0; 1: #GP (unknown or bad value). @host: from user space. */
	int (*get_msr)(struct x86_vcpu *vcpu, u32 index, u64 *data, bool host);
	int (*set_msr)(struct x86_vcpu *vcpu, u32 index, u64 data, bool host);
	/** get_msr_feature: KVM_GET_MSRS on the system fd. 0, 1 unknown. */
	int (*get_msr_feature)(u32 index, u64 *data);
	/** cpuid_changed: recompute intercepts and what depends on the guest's CPUID. */
	void (*cpuid_changed)(struct x86_vcpu *vcpu);

	/* -- life */
	int (*vm_init)(struct x86_vm *vm);
	void (*vm_destroy)(struct x86_vm *vm);
	int (*vcpu_create)(struct x86_vcpu *vcpu);	/* may sleep, not loaded */
	void (*vcpu_destroy)(struct x86_vcpu *vcpu);
	void (*vcpu_reset)(struct x86_vcpu *vcpu, bool init_event);	/* loaded; vendor's part of RESET/INIT */
	void (*vcpu_load)(struct x86_vcpu *vcpu, int cpu);	/* preemption off */
	void (*vcpu_put)(struct x86_vcpu *vcpu);		/* preemption off */

	/* -- run loop */
	/** prepare_enter: save host state that guest state will replace (segments,
	 *  SYSCALL MSRs by user-return). Preemption off, IRQs on. Idempotent until vcpu_put. */
	void (*prepare_enter)(struct x86_vcpu *vcpu);
	/** enter: IRQs off. Loads what is dirty, enters, comes back, saves what is
	 *  volatile, deals with #MC and NMI before returning (SVM: NMIs by STGI).
	 *  IRQs are still off on return; guest timing and context tracking are the
	 *  caller's, state_enter/exit (noinstr) the callee's. */
	void (*enter)(struct x86_vcpu *vcpu);
	/** fast_exit: the exit, if it needs nothing that sleeps (arch-x86/inner.h). IRQs off, the
	 *  guest's FPU, XCR0 and PKRU loaded, RCU watching; SRCU is not held. */
	enum x86_fastpath (*fast_exit)(struct x86_vcpu *vcpu);
	/** exit_irqoff: first thing after the loop, IRQs off: the host's external
	 *  interrupt, if that is why we left (VMX). */
	void (*exit_irqoff)(struct x86_vcpu *vcpu);
	/** handle_exit: X86_RESUME, X86_USER, -errno. IRQs and preemption on, SRCU held. */
	int (*handle_exit)(struct x86_vcpu *vcpu);
	/** exit_info: for tracing. */
	void (*exit_info)(struct x86_vcpu *vcpu, u32 *reason, u64 *info1, u64 *info2,
			  u32 *intr_info, u32 *error_code);
	/** next_rip: where the intercepted instruction ends, as far as the CPU tells it; 0: it
	 *  doesn't. IRQs may be off. */
	u64 (*next_rip)(struct x86_vcpu *vcpu);

	/* -- registers */
	void (*cache_reg)(struct x86_vcpu *vcpu, enum x86_reg reg);	/* fill regs_avail lazily */
	unsigned long (*get_rflags)(struct x86_vcpu *vcpu);
	void (*set_rflags)(struct x86_vcpu *vcpu, unsigned long rflags);
	bool (*get_if_flag)(struct x86_vcpu *vcpu);
	void (*get_segment)(struct x86_vcpu *vcpu, struct kvm_segment *var, enum x86_seg seg);
	void (*set_segment)(struct x86_vcpu *vcpu, const struct kvm_segment *var, enum x86_seg seg);
	u64 (*get_segment_base)(struct x86_vcpu *vcpu, enum x86_seg seg);
	int (*get_cpl)(struct x86_vcpu *vcpu);
	void (*get_cs_db_l)(struct x86_vcpu *vcpu, int *db, int *l);
	void (*get_idt)(struct x86_vcpu *vcpu, struct x86_desc_table *dt);
	void (*set_idt)(struct x86_vcpu *vcpu, const struct x86_desc_table *dt);
	void (*get_gdt)(struct x86_vcpu *vcpu, struct x86_desc_table *dt);
	void (*set_gdt)(struct x86_vcpu *vcpu, const struct x86_desc_table *dt);
	/** set_cr0/set_cr4/set_efer: the value is already checked; also stores
	 *  vcpu->cr0/cr4/efer. set_cr3: after vcpu->cr3 changed, NPT/EPT only. */
	void (*set_cr0)(struct x86_vcpu *vcpu, u64 cr0);
	void (*set_cr3)(struct x86_vcpu *vcpu, u64 cr3);
	bool (*is_valid_cr4)(struct x86_vcpu *vcpu, u64 cr4);
	void (*set_cr4)(struct x86_vcpu *vcpu, u64 cr4);
	int (*set_efer)(struct x86_vcpu *vcpu, u64 efer);
	void (*set_dr7)(struct x86_vcpu *vcpu, u64 dr7);	/* the effective one */
	void (*set_dr6)(struct x86_vcpu *vcpu, u64 dr6);
	void (*sync_dirty_debug_regs)(struct x86_vcpu *vcpu);

	/* -- translations */
	/** load_root: the nested (or shadow) root that the next entry runs on. */
	void (*load_root)(struct x86_vcpu *vcpu, hpa_t root, int level);
	void (*flush_tlb_all)(struct x86_vcpu *vcpu);
	void (*flush_tlb_current)(struct x86_vcpu *vcpu);
	void (*flush_tlb_gva)(struct x86_vcpu *vcpu, gva_t gva);
	void (*flush_tlb_guest)(struct x86_vcpu *vcpu);

	/* -- events */
	void (*update_exception_bitmap)(struct x86_vcpu *vcpu);
	void (*inject_exception)(struct x86_vcpu *vcpu);	/* vcpu->exception */
	void (*inject_nmi)(struct x86_vcpu *vcpu);
	void (*inject_irq)(struct x86_vcpu *vcpu, bool reinjected);	/* vcpu->interrupt */
	void (*cancel_injection)(struct x86_vcpu *vcpu);	/* entry was called off */
	/** nmi_allowed/irq_allowed: 1 now, 0 blocked, -EBUSY: retry after an immediate exit.
	 *  @for_injection: it will be injected (else just asked by HLT). */
	int (*nmi_allowed)(struct x86_vcpu *vcpu, bool for_injection);
	int (*irq_allowed)(struct x86_vcpu *vcpu, bool for_injection);
	bool (*get_nmi_mask)(struct x86_vcpu *vcpu);
	void (*set_nmi_mask)(struct x86_vcpu *vcpu, bool masked);
	void (*enable_nmi_window)(struct x86_vcpu *vcpu);
	void (*enable_irq_window)(struct x86_vcpu *vcpu);
	u32 (*get_interrupt_shadow)(struct x86_vcpu *vcpu);	/* KVM_X86_SHADOW_INT_* */
	void (*set_interrupt_shadow)(struct x86_vcpu *vcpu, u32 mask);
	void (*update_cr8_intercept)(struct x86_vcpu *vcpu, int tpr, int irr);

	/* -- time */
	void (*write_tsc_offset)(struct x86_vcpu *vcpu, u64 offset);
	void (*write_tsc_multiplier)(struct x86_vcpu *vcpu, u64 multiplier);
	/** set_timer: leave the guest when the host's TSC is there, and call
	 *  x86_lapic_timer_expired(); 0: never. Loaded or not, IRQs on or off. Called
	 *  only with caps->exit_timer. */
	void (*set_timer)(struct x86_vcpu *vcpu, u64 host_tsc);

	/* -- hypercall and emulation */
	/** patch_hypercall: this vendor's VMCALL/VMMCALL bytes (3). */
	void (*patch_hypercall)(struct x86_vcpu *vcpu, u8 *insn);
	/** can_emulate: false: the bytes can't be had or trusted; the vendor has
	 *  queued what should happen instead. */
	bool (*can_emulate)(struct x86_vcpu *vcpu, const void *insn, int len);
	/** msr_filter_changed: rebuild the MSR permission map. */
	void (*msr_filter_changed)(struct x86_vcpu *vcpu);
	/** intercepts_changed: exits disabled, guest-debug, CPUID: rebuild intercepts. */
	void (*intercepts_changed)(struct x86_vcpu *vcpu);
	/** can_enter: does the CPU accept the guest's state? Asked when vcpu->check_entry has
	 *  been set; while it says no, the emulator runs the guest. Optional: always. */
	bool (*can_enter)(struct x86_vcpu *vcpu);
	/** step_once: the next entry executes one instruction at most and the guest
	 *  sees nothing of it. No event is injected there, no debugger is at work.
	 *  Optional: without it force_emulation enters for as long as the guest runs. */
	void (*step_once)(struct x86_vcpu *vcpu);
	/** dump_state: to the log, for an entry failure. */
	void (*dump_state)(struct x86_vcpu *vcpu);
	/** apicv: optional */
	const struct x86_apicv_ops *apicv;
};

/**
 * x86_vendor_register() - a vendor module's init: bind its operations, compute what
 *	guests may be offered, make /dev/kvm appear
 * @ops: lives as long as the module
 *
 * Return: 0, -EEXIST if another vendor is registered, -errno.
 */
int x86_vendor_register(const struct x86_vendor_ops *ops);

/** x86_vendor_unregister() - a vendor module's exit; no VM is left */
void x86_vendor_unregister(void);

/** x86_vendor_caps() - the registered vendor's capabilities (constant while any VM exists) */
const struct x86_vendor_caps *x86_vendor_caps(void);

/** x86_vendor_ops() - the registered vendor's table; for sizes and names, kvm.ko only */
const struct x86_vendor_ops *x86_vendor_ops(void);

/* Inside kvm.ko only: arch-x86/vendor_call.h has vendor_call(op)(args). */

#endif
