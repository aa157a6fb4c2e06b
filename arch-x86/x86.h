/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The x86 machine: a VM (struct x86_vm) and a vCPU (struct x86_vcpu) as every
 * room of arch-x86/ and both vendors see them. Owns the structures and the
 * register accessors; the rooms own the code. Names no VMCS and no VMCB field.
 *
 * Guards: the letters of core/kvm.h. Fields of struct x86_vcpu are v (the
 * vCPU's own thread) unless a letter says otherwise.
 */
#ifndef ARCH_X86_X86_H
#define ARCH_X86_X86_H

#include <linux/kvm.h>
#include <linux/hrtimer.h>
#include <asm/kvm_para.h>
#include <compat/fpu.h>

#include "core/kvm.h"
#include "core/request.h"
#include "core/guest_memory.h"
#include "arch-x86/cpu/bits.h"
#include "arch-x86/emulator/emulator.h"
#include "arch-x86/mmu/mmu.h"
#include "arch-x86/peek.h"

struct x86_pic;
struct x86_ioapic;
struct x86_pit;
struct x86_lapic;
struct x86_apic_map;
struct x86_cpuid;
struct x86_msr_filter;

#define X86_MAX_VCPU_IDS	(4 * KVM_MAX_VCPUS)	/* KVM_CAP_MAX_VCPU_ID */
#define X86_MAX_MCE_BANKS	32			/* KVM_CAP_MCE */

/* ---- requests of this architecture --------------------------------------- */

#define X86_REQ(n)		(KVM_REQ_ARCH_BASE + (n))
#define X86_REQ_EVENT		X86_REQ(0)	/* re-evaluate what to inject */
#define X86_REQ_TRIPLE_FAULT	X86_REQ(1)
#define X86_REQ_MMU_RELOAD	(X86_REQ(2) | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define X86_REQ_MMU_SYNC	X86_REQ(3)	/* sync unsync shadow pages, flush own TLB */
#define X86_REQ_LOAD_ROOT	X86_REQ(4)	/* write the root to the hardware */
#define X86_REQ_TLB_FLUSH_GUEST	(X86_REQ(5) | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define X86_REQ_TLB_FLUSH_CURRENT X86_REQ(6)
#define X86_REQ_CLOCK_UPDATE	X86_REQ(7)
#define X86_REQ_MASTERCLOCK_UPDATE X86_REQ(8)
#define X86_REQ_GLOBAL_CLOCK_UPDATE X86_REQ(9)
#define X86_REQ_STEAL_UPDATE	X86_REQ(10)
#define X86_REQ_NMI		X86_REQ(11)
#define X86_REQ_SMI		X86_REQ(12)
#define X86_REQ_PMU		X86_REQ(13)
#define X86_REQ_PMI		X86_REQ(14)
#define X86_REQ_SCAN_IOAPIC	(X86_REQ(15) | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define X86_REQ_IOAPIC_EOI_EXIT	X86_REQ(16)
#define X86_REQ_APF_READY	X86_REQ(18)	/* a page has come that it waited for */
#define X86_REQ_APICV_UPDATE	(X86_REQ(19) | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define X86_REQ_APIC_PAGE_RELOAD (X86_REQ(20) | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)
#define X86_REQ_MSR_FILTER_CHANGED X86_REQ(21)
#define X86_REQ_RECALC_INTERCEPTS X86_REQ(22)
#define X86_REQ_GET_NESTED_PAGES X86_REQ(23)
#define X86_REQ_REPORT_TPR_ACCESS X86_REQ(24)	/* KVM_EXIT_TPR_ACCESS: kvm_run is filled */
/* Holds vCPUs out of guest mode while the master clock changes; never consumed,
 * cleared by who set it. */
#define X86_REQ_MCLOCK_INPROGRESS (X86_REQ(25) | KVM_REQUEST_WAIT | KVM_REQUEST_NO_WAKEUP)

/* ---- registers ------------------------------------------------------------ */

/* In the order of ModRM encoding; then what is cached lazily. */
enum x86_reg {
	X86_REG_RAX, X86_REG_RCX, X86_REG_RDX, X86_REG_RBX,
	X86_REG_RSP, X86_REG_RBP, X86_REG_RSI, X86_REG_RDI,
	X86_REG_R8, X86_REG_R9, X86_REG_R10, X86_REG_R11,
	X86_REG_R12, X86_REG_R13, X86_REG_R14, X86_REG_R15,
	X86_REG_RIP,
	X86_NR_REGS,

	/* Not in regs[]: bits of regs_avail/regs_dirty only. */
	X86_REG_RFLAGS = X86_NR_REGS,
	X86_REG_CR0, X86_REG_CR3, X86_REG_CR4, X86_REG_SEGMENTS,
	X86_REG_PDPTRS, X86_REG_EXIT_INFO_1, X86_REG_EXIT_INFO_2,
};

enum x86_seg {
	X86_SEG_ES, X86_SEG_CS, X86_SEG_SS, X86_SEG_DS, X86_SEG_FS, X86_SEG_GS,
	X86_SEG_LDTR, X86_SEG_TR, X86_NR_SEGS,
};

struct x86_desc_table {
	u64 base;
	u16 limit;
};

/* ---- events waiting to be delivered -------------------------------------- */

/*
 * An exception is pending until its delivery is written to the hardware; from
 * then on, if delivery is interrupted by an exit, it is injected: it must be
 * delivered again as it is (SDM 3A 6.15, APM 2 15.20). The payload (CR2, DR6)
 * reaches the register only at delivery.
 */
struct x86_exception_state {
	bool pending;
	bool injected;
	bool has_error_code;
	bool has_payload;
	u8 vector;
	u32 error_code;
	u64 payload;
};

struct x86_interrupt_state {
	bool injected;
	bool soft;
	u8 vector;
};

/* What an exception wants to be (arguments of x86_inject_*). */
struct x86_fault_info {
	u8 vector;
	bool error_code_valid;
	u16 error_code;
	bool nested_page_fault;
	u64 address;		/* CR2 or L2 gpa */
};

/* ---- port I/O and MMIO in flight (arch-x86/io.c) -------------------------- */

/* A port access that user space must do, or is doing, through vcpu->pio_data. */
struct x86_pio {
	u16 port;
	u8 size;
	bool in;
	u32 count;
};

/* A MOV from MMIO that waits for user space's answer. */
struct x86_mov {
	struct x86_peek insn;
	gpa_t gpa;
	u8 size;
};

/* A read with side effects that the instruction being emulated has made. */
struct x86_io_read {
	u64 addr;		/* gpa, or port */
	u16 offset;		/* of its bytes in x86_io.data */
	u16 len;
	u16 filled;		/* bytes that have come so far */
	u8 size;		/* of one port access; 0: MMIO */
};

/* A write to memory that is none, for user space: at most 8 bytes each. */
struct x86_mmio_write {
	gpa_t gpa;
	u8 len;
	u8 data[8];
};

#define X86_IO_READS		16
#define X86_IO_DATA		(X86_EMULATOR_IO_BUFFER + 256)
#define X86_MMIO_WRITES		16

struct x86_io {
	/* Reads, in the order in which the instruction asks for them. */
	struct x86_io_read reads[X86_IO_READS];
	u8 data[X86_IO_DATA];
	u8 nr_reads;		/* in the log */
	u8 next_read;		/* that the instruction will ask for */
	u16 data_used;
	u16 asked_len;		/* what user space was asked for, of reads[next_read] */

	/* Writes, to be shown to user space one by one. */
	struct x86_mmio_write writes[X86_MMIO_WRITES];
	u8 nr_writes;
	u8 next_write;
	bool pio_out;		/* pio is to be shown first */
	struct x86_pio pio;
	struct x86_mov mov;
	unsigned long linear_rip;	/* of what user space has a part of, and is not skipped yet */

	/* What the instruction wants of KVM_RUN. */
	u64 debug_dr6;		/* KVM_EXIT_DEBUG with this when all is done; 0: no */
	bool halted;
	bool tpr_exit;		/* KVM_EXIT_SET_TPR */
	bool again;		/* behind the writes, iterations of the same instruction */
	int error;		/* -errno instead of an emulation failure */
};

/* ---- a vCPU --------------------------------------------------------------- */

struct x86_mtrr_state {
	u64 fixed[11];
	u64 var[8][2];
	u64 deftype;
};

/* A page that iterations of REP have accessed: walked to once for all of them. */
struct x86_rep_page {
	u64 page;			/* linear; ~0: none */
	u64 cr3;
	gpa_t gpa;
	u32 access;
};

struct x86_vcpu {
	struct kvm_vcpu core;		/* first: see x86_vcpu_of() */

	/* Registers. regs_avail: the value here is current; regs_dirty: it must
	 * be written to the hardware before entry. */
	u64 regs[X86_NR_REGS];
	unsigned long regs_avail;
	unsigned long regs_dirty;
	u64 cr0, cr2, cr3, cr4, cr8;
	u64 cr4_guest_rsvd_bits;	/* by CPUID */
	u64 efer;
	u64 pdptrs[4];
	u64 xcr0, guest_supported_xcr0;
	u64 ia32_xss;
	u64 pat;
	u32 pkru, host_pkru;
	u64 apic_base;
	u64 smbase;
	u64 misc_enable;		/* MSR_IA32_MISC_ENABLE */
	u64 arch_capabilities;
	u64 microcode_version;
	u64 msr_platform_info, msr_misc_features;
	u64 hwcr;			/* MSR_K7_HWCR */
	u64 tsc_aux;

	/* Debug registers (cpu/debug.c). */
	u64 db[4], dr6, dr7;
	u64 eff_db[4];			/* what the guest runs with */
	u64 guest_debug_dr7;
	bool switch_db_regs;		/* guest's (or debugger's) DRs are live in guest mode */
	bool dr_dirty;			/* they are in the CPU: read back after exit */
	unsigned long singlestep_rip;

	/* Events (cpu/exception.c, run.c). */
	struct x86_exception_state exception;
	struct x86_interrupt_state interrupt;
	atomic_t nmi_queued;		/* a: by other threads; at most 2 taken */
	unsigned int nmi_pending;
	bool nmi_injected;
	bool smi_pending;
	bool in_smm;			/* cpu/smm.c */
	bool smm_inside_nmi;		/* NMIs were blocked when SMM began */
	bool halted_at_smi;		/* HLT goes on after RSM */
	u32 smi_count;			/* MSR_SMI_COUNT */
	bool exception_from_userspace;
	u32 mp_state;			/* KVM_MP_STATE_* (a: read by others) */
	u32 sipi_vector;
	bool apf_halted;		/* waits for a page of the host (pv/async_pf.c) */
	bool preempted_in_kernel;	/* a */

	/* What CPUID and capabilities allow (cpu/cpuid.c). */
	struct x86_cpuid *cpuid;
	bool has_run;			/* entered KVM_RUN: CPUID may not change any more */
	unsigned int maxphyaddr;
	u64 reserved_gpa_bits;
	struct {
		u32 features;		/* KVM_FEATURE_* the guest may use */
		bool enforce;
	} pv_cpuid;

	/* FPU (cpu/fpu.c). */
	struct fpu_guest guest_fpu;
	bool fpu_loaded;
	u64 loaded_xcr0, loaded_xss;	/* what the CPU has in the inner loop */
	bool pkru_loaded;

	/* Memory (mmu/). */
	struct x86_mmu mmu;

	/* Emulator, port I/O, MMIO (emulate.c, io.c). */
	struct x86_emulator emul;
	struct x86_io io;
	bool check_entry;		/* the vendor's: can_enter() may answer otherwise now */
	bool emulated;			/* it said no: the guest runs in the emulator (forced.c) */
	void *pio_data;			/* page shared with user space; hostile */
	int (*complete_userspace_io)(struct x86_vcpu *vcpu);

	/* Interrupt controller. */
	struct x86_lapic *apic;
	struct x86_posted *posted;	/* for the CPU to take (irqchip/posted.h); NULL: it can't */
	bool pending_external_vector_valid;
	u8 pending_external_vector;	/* KVM_INTERRUPT with split irqchip */
	u64 eoi_exit_bitmap[4];
	u8 pending_ioapic_eoi;

	/* Time (time/). */
	u64 tsc_offset;
	u64 tsc_scaling_ratio;
	u32 virtual_tsc_khz;
	u32 hw_tsc_khz;			/* what the pvclock page was made for */
	s64 ia32_tsc_adjust;
	u64 last_host_tsc, last_guest_tsc;
	u64 tsc_lost_seen;		/* made up for the host's TSC falling back so far */
	int last_cpu;			/* that the APIC timer was started for */
	bool tsc_catchup, tsc_always_catchup;
	u64 kvmclock_msr;		/* MSR_KVM_SYSTEM_TIME(_NEW) as written */
	bool kvmclock_active, pvclock_set_guest_stopped_request;
	struct kvm_gpa_cache kvmclock_cache;
	u32 kvmclock_version;
	u8 kvmclock_flags;

	/* Paravirtual (pv/). */
	struct {
		u64 msr;
		u64 last_steal;
		struct kvm_gpa_cache cache;
		bool preempted;
	} steal;
	struct {
		u64 msr;
		bool pending;
		struct kvm_gpa_cache cache;
	} pv_eoi;
	struct {
		u64 msr;		/* MSR_KVM_ASYNC_PF_EN */
		u8 vector;		/* MSR_KVM_ASYNC_PF_INT */
		bool ready_sent;	/* "page ready", not acknowledged yet */
		bool wake_all;		/* to be sent once the vCPU runs */
		u32 last_id;		/* of tokens */
		struct kvm_gpa_cache cache;
	} apf;
	u64 pv_poll_control;

	/* Machine check (cpu/mce.c). */
	u64 mcg_cap, mcg_status, mcg_ctl, mcg_ext_ctl;
	u64 *mce_banks;
	struct x86_mtrr_state mtrr;

	struct x86_peeked peeked[X86_NR_PEEKED];	/* peek.c */

	/* What the last exit was, for tracing and async work. */
	u64 next_rip;			/* where its instruction ends; 0: not known yet */
	u64 last_guest_rip;
	bool l1tf_flush_l1d;
	bool gpa_available;
	gpa_t gpa_val;			/* faulting gpa, valid if gpa_available */
	bool gpa_write;			/* it was a write */
	struct x86_rep_page rep_page[2];	/* read [0] and written [1] (emulate_mem.c) */
};

/* ---- a VM ----------------------------------------------------------------- */

enum x86_irqchip_mode { X86_IRQCHIP_NONE, X86_IRQCHIP_KERNEL, X86_IRQCHIP_SPLIT };

struct x86_vm {
	struct kvm core;		/* first: see x86_vm_of() */

	/* Interrupts. */
	enum x86_irqchip_mode irqchip_mode;	/* a: release/acquire, writer l */
	struct x86_pic *pic;
	struct x86_ioapic *ioapic;
	struct x86_pit *pit;		/* l */
	struct mutex apic_map_lock;
	struct x86_apic_map __rcu *apic_map;
	atomic_t apic_map_dirty;
	unsigned long irq_sources_bitmap;
	u32 nr_reserved_ioapic_pins;
	atomic_t lvt0_nmi_count;	/* APICs whose LVT0 is in NMI mode */
	bool x2apic_format;
	bool x2apic_broadcast_quirk_disabled;
	bool boot_vcpu_set;
	u32 boot_vcpu_id;
	u64 apic_bus_cycle_ns;

	/* Memory. */
	struct x86_vm_mmu mmu;
	gpa_t identity_map_addr;	/* of one page; no vCPU has been made yet when it changes */
	struct page *apic_page;		/* (c) mapped at the APIC's address: the CPU sees through it */
	bool apic_page_used;		/* all APICs are there (apic_map_lock, m) */

	/* Time (time/tsc.c, time/kvmclock.c). */
	raw_spinlock_t tsc_write_lock;
	u64 last_tsc_nsec, last_tsc_write;	/* tsc_write_lock: the last write ... */
	u64 cur_tsc_nsec, cur_tsc_write, cur_tsc_offset; /* ... and the first of its kind */
	u64 tsc_lost_seen;
	u32 last_tsc_khz, default_tsc_khz;
	struct mutex masterclock_lock;
	seqcount_raw_spinlock_t pvclock_sc;
	bool use_master_clock, master_clock_stale;	/* pvclock_sc, with those below */
	u64 master_kernel_ns, master_cycle_now;
	s64 kvmclock_offset;
	u64 wall_clock_msr;

	/* Settings by KVM_ENABLE_CAP and ioctls (l). */
	u32 max_vcpu_ids;		/* KVM_CAP_MAX_VCPU_ID; 0: not said */
	u64 disabled_quirks;
	bool mwait_in_guest, hlt_in_guest, pause_in_guest, cstate_in_guest;
	bool exception_payload_enabled;
	bool triple_fault_event;
	bool exit_on_emulation_error;
	bool hide_platform_info;	/* KVM_CAP_MSR_PLATFORM_INFO = 0 */
	u32 user_space_msr_mask;
	u64 hypercall_exit_enabled;
	struct x86_msr_filter __rcu *msr_filter;
};

static inline struct x86_vcpu *x86_vcpu_of(struct kvm_vcpu *vcpu)
{
	return container_of(vcpu, struct x86_vcpu, core);
}

static inline struct x86_vm *x86_vm_of(struct kvm *kvm)
{
	return container_of(kvm, struct x86_vm, core);
}

static inline struct x86_vm *x86_vcpu_vm(const struct x86_vcpu *vcpu)
{
	return x86_vm_of(vcpu->core.kvm);
}

#endif
