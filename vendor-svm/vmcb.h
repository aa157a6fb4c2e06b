/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual machine control block, laid out as APM 2 appendix B says, with
 * the bits of its fields and the exit codes of appendix C. Nothing else.
 */
#ifndef VENDOR_SVM_VMCB_H
#define VENDOR_SVM_VMCB_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

/* Words of the intercept vector (APM 2 table B-1, offsets 0 to 0x17). */
enum svm_intercept_word {
	SVM_INTERCEPT_CR, SVM_INTERCEPT_DR, SVM_INTERCEPT_EXCEPTION,
	SVM_INTERCEPT_MISC1, SVM_INTERCEPT_MISC2, SVM_INTERCEPT_MISC3,
	SVM_INTERCEPT_WORDS,
};

#define SVM_INTERCEPT(word, bit)	((word) * 32 + (bit))

/* One number per intercept: word * 32 + bit. */
enum svm_intercept {
	SVM_INTERCEPT_CR0_READ	= SVM_INTERCEPT(SVM_INTERCEPT_CR, 0),
	SVM_INTERCEPT_CR3_READ	= SVM_INTERCEPT(SVM_INTERCEPT_CR, 3),
	SVM_INTERCEPT_CR4_READ	= SVM_INTERCEPT(SVM_INTERCEPT_CR, 4),
	SVM_INTERCEPT_CR8_READ	= SVM_INTERCEPT(SVM_INTERCEPT_CR, 8),
	SVM_INTERCEPT_CR0_WRITE	= SVM_INTERCEPT(SVM_INTERCEPT_CR, 16),
	SVM_INTERCEPT_CR3_WRITE	= SVM_INTERCEPT(SVM_INTERCEPT_CR, 19),
	SVM_INTERCEPT_CR4_WRITE	= SVM_INTERCEPT(SVM_INTERCEPT_CR, 20),
	SVM_INTERCEPT_CR8_WRITE	= SVM_INTERCEPT(SVM_INTERCEPT_CR, 24),

	SVM_INTERCEPT_INTR	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 0),
	SVM_INTERCEPT_NMI	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 1),
	SVM_INTERCEPT_SMI	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 2),
	SVM_INTERCEPT_INIT	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 3),
	SVM_INTERCEPT_VINTR	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 4),
	SVM_INTERCEPT_CR0_SEL	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 5),
	SVM_INTERCEPT_RDPMC	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 15),
	SVM_INTERCEPT_CPUID	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 18),
	SVM_INTERCEPT_RSM	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 19),
	SVM_INTERCEPT_IRET	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 20),
	SVM_INTERCEPT_INVD	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 22),
	SVM_INTERCEPT_PAUSE	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 23),
	SVM_INTERCEPT_HLT	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 24),
	SVM_INTERCEPT_INVLPG	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 25),
	SVM_INTERCEPT_INVLPGA	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 26),
	SVM_INTERCEPT_IOIO	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 27),
	SVM_INTERCEPT_MSR	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 28),
	SVM_INTERCEPT_TASK_SWITCH = SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 29),
	SVM_INTERCEPT_SHUTDOWN	= SVM_INTERCEPT(SVM_INTERCEPT_MISC1, 31),

	SVM_INTERCEPT_VMRUN	= SVM_INTERCEPT(SVM_INTERCEPT_MISC2, 0),
	SVM_INTERCEPT_VMMCALL	= SVM_INTERCEPT(SVM_INTERCEPT_MISC2, 1),
	SVM_INTERCEPT_VMLOAD	= SVM_INTERCEPT(SVM_INTERCEPT_MISC2, 2),
	SVM_INTERCEPT_VMSAVE	= SVM_INTERCEPT(SVM_INTERCEPT_MISC2, 3),
	SVM_INTERCEPT_STGI	= SVM_INTERCEPT(SVM_INTERCEPT_MISC2, 4),
	SVM_INTERCEPT_CLGI	= SVM_INTERCEPT(SVM_INTERCEPT_MISC2, 5),
	SVM_INTERCEPT_SKINIT	= SVM_INTERCEPT(SVM_INTERCEPT_MISC2, 6),
	SVM_INTERCEPT_RDTSCP	= SVM_INTERCEPT(SVM_INTERCEPT_MISC2, 7),
	SVM_INTERCEPT_WBINVD	= SVM_INTERCEPT(SVM_INTERCEPT_MISC2, 9),
	SVM_INTERCEPT_MONITOR	= SVM_INTERCEPT(SVM_INTERCEPT_MISC2, 10),
	SVM_INTERCEPT_MWAIT	= SVM_INTERCEPT(SVM_INTERCEPT_MISC2, 11),
	SVM_INTERCEPT_XSETBV	= SVM_INTERCEPT(SVM_INTERCEPT_MISC2, 13),
	SVM_INTERCEPT_RDPRU	= SVM_INTERCEPT(SVM_INTERCEPT_MISC2, 14),

	SVM_INTERCEPT_INVLPGB	= SVM_INTERCEPT(SVM_INTERCEPT_MISC3, 0),
	SVM_INTERCEPT_INVPCID	= SVM_INTERCEPT(SVM_INTERCEPT_MISC3, 2),
	SVM_INTERCEPT_TLBSYNC	= SVM_INTERCEPT(SVM_INTERCEPT_MISC3, 4),
};

struct vmcb_control {
	u32 intercepts[SVM_INTERCEPT_WORDS];	/* 0x000 */
	u8 reserved_018[0x3c - 0x18];
	u16 pause_filter_threshold;		/* 0x03c */
	u16 pause_filter_count;
	u64 iopm_base_pa;			/* 0x040 */
	u64 msrpm_base_pa;
	u64 tsc_offset;				/* 0x050 */
	u32 asid;
	u8 tlb_control;				/* 0x05c */
	u8 reserved_05d[3];
	u8 v_tpr;				/* 0x060 */
	u8 v_irq;
	u8 v_intr_prio;
	u8 v_intr_masking;
	u8 v_intr_vector;			/* 0x064 */
	u8 reserved_065[3];
	u64 interrupt_state;			/* 0x068 */
	u64 exit_code;				/* 0x070 */
	u64 exit_info_1;
	u64 exit_info_2;			/* 0x080 */
	u64 exit_int_info;
	u64 nested_ctl;				/* 0x090 */
	u64 avic_apic_bar;
	u64 ghcb_gpa;				/* 0x0a0 */
	u64 event_inj;
	u64 n_cr3;				/* 0x0b0 */
	u64 lbr_ctl;
	u32 clean;				/* 0x0c0 */
	u32 reserved_0c4;
	u64 next_rip;				/* 0x0c8 */
	u8 insn_len;				/* 0x0d0 */
	u8 insn_bytes[15];
	u8 reserved_0e0[0x400 - 0xe0];
} __packed;

struct vmcb_seg {
	u16 selector;
	u16 attrib;
	u32 limit;
	u64 base;
} __packed;

struct vmcb_save {
	struct vmcb_seg es, cs, ss, ds, fs, gs;	/* 0x000 */
	struct vmcb_seg gdtr, ldtr, idtr, tr;	/* 0x060 */
	u8 reserved_0a0[0xcb - 0xa0];
	u8 cpl;					/* 0x0cb */
	u32 reserved_0cc;
	u64 efer;				/* 0x0d0 */
	u8 reserved_0d8[0x148 - 0xd8];
	u64 cr4, cr3, cr0;			/* 0x148 */
	u64 dr7, dr6;				/* 0x160 */
	u64 rflags, rip;			/* 0x170 */
	u8 reserved_180[0x1d8 - 0x180];
	u64 rsp;				/* 0x1d8 */
	u64 s_cet, ssp, isst_addr;
	u64 rax;				/* 0x1f8 */
	u64 star, lstar, cstar, sfmask;		/* 0x200 */
	u64 kernel_gs_base;			/* 0x220 */
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 cr2;				/* 0x240 */
	u8 reserved_248[0x268 - 0x248];
	u64 g_pat;				/* 0x268 */
	u64 dbgctl;
	u64 br_from, br_to, lastexcpfrom, lastexcpto;
	u8 reserved_298[0x2e0 - 0x298];
	u64 spec_ctrl;				/* 0x2e0 */
	u8 reserved_2e8[0xc00 - 0x2e8];
} __packed;

struct vmcb {
	struct vmcb_control control;
	struct vmcb_save save;
} __packed;

static_assert(offsetof(struct vmcb_control, asid) == 0x58);
static_assert(offsetof(struct vmcb_control, exit_code) == 0x70);
static_assert(offsetof(struct vmcb_control, n_cr3) == 0xb0);
static_assert(offsetof(struct vmcb_control, insn_len) == 0xd0);
static_assert(offsetof(struct vmcb, save) == 0x400);
static_assert(offsetof(struct vmcb_save, cpl) == 0xcb);
static_assert(offsetof(struct vmcb_save, cr4) == 0x148);
static_assert(offsetof(struct vmcb_save, rsp) == 0x1d8);
static_assert(offsetof(struct vmcb_save, rax) == 0x1f8);
static_assert(offsetof(struct vmcb_save, g_pat) == 0x268);
static_assert(offsetof(struct vmcb_save, spec_ctrl) == 0x2e0);
static_assert(sizeof(struct vmcb) == 4096);

/* tlb_control (APM 2 15.16.1) */
#define SVM_TLB_DO_NOTHING	0
#define SVM_TLB_FLUSH_ALL	1
#define SVM_TLB_FLUSH_ASID	3

/* v_irq and v_intr_prio bytes (offset 0x60, bits 8 to 23) */
#define SVM_V_IRQ		BIT(0)
#define SVM_V_INTR_PRIO_MASK	0x0f
#define SVM_V_IGN_TPR		BIT(4)
/* v_intr_masking byte (bits 24 to 31) */
#define SVM_V_INTR_MASKING	BIT(0)
#define SVM_V_TPR_MASK		0x0f

/* interrupt_state */
#define SVM_INTERRUPT_SHADOW	BIT_ULL(0)

/* nested_ctl */
#define SVM_NP_ENABLE		BIT_ULL(0)

/* event_inj and exit_int_info (APM 2 15.20) */
#define SVM_EVENT_VECTOR	0xffULL
#define SVM_EVENT_TYPE		(7ULL << 8)
#define SVM_EVENT_INTR		(0ULL << 8)
#define SVM_EVENT_NMI		(2ULL << 8)
#define SVM_EVENT_EXCEPTION	(3ULL << 8)
#define SVM_EVENT_SOFT_INT	(4ULL << 8)
#define SVM_EVENT_EV		BIT_ULL(11)
#define SVM_EVENT_VALID		BIT_ULL(31)

/* Clean bits (APM 2 15.15.3): set: the CPU may use what it has cached. */
#define SVM_CLEAN_INTERCEPTS	BIT(0)	/* intercepts, TSC offset, pause filter */
#define SVM_CLEAN_PERM_MAP	BIT(1)
#define SVM_CLEAN_ASID		BIT(2)
#define SVM_CLEAN_TPR		BIT(3)	/* V_TPR, V_IRQ ... */
#define SVM_CLEAN_NPT		BIT(4)	/* nested paging, N_CR3, G_PAT */
#define SVM_CLEAN_CR		BIT(5)	/* CR0, CR3, CR4, EFER */
#define SVM_CLEAN_DR		BIT(6)
#define SVM_CLEAN_DT		BIT(7)	/* GDT, IDT */
#define SVM_CLEAN_SEG		BIT(8)	/* CS, DS, SS, ES, CPL */
#define SVM_CLEAN_CR2		BIT(9)
#define SVM_CLEAN_LBR		BIT(10)
#define SVM_CLEAN_AVIC		BIT(11)
#define SVM_CLEAN_CET		BIT(12)
#define SVM_CLEAN_ALL		GENMASK(12, 0)
/* Never clean: written at each entry. */
#define SVM_ALWAYS_DIRTY	(SVM_CLEAN_TPR | SVM_CLEAN_CR2)

/* attrib of a segment: the descriptor's bits 40 to 47 and 52 to 55 */
#define SVM_SEG_P	BIT(7)
#define SVM_SEG_L	BIT(9)
#define SVM_SEG_DB	BIT(10)

/* Exit codes (APM 2 appendix C). */
#define SVM_EXIT_READ_CR0	0x000
#define SVM_EXIT_READ_CR3	0x003
#define SVM_EXIT_READ_CR4	0x004
#define SVM_EXIT_READ_CR8	0x008
#define SVM_EXIT_WRITE_CR0	0x010
#define SVM_EXIT_WRITE_CR3	0x013
#define SVM_EXIT_WRITE_CR4	0x014
#define SVM_EXIT_WRITE_CR8	0x018
#define SVM_EXIT_READ_DR0	0x020
#define SVM_EXIT_WRITE_DR0	0x030
#define SVM_EXIT_WRITE_DR15	0x03f
#define SVM_EXIT_EXCP_BASE	0x040
#define SVM_EXIT_INTR		0x060
#define SVM_EXIT_NMI		0x061
#define SVM_EXIT_SMI		0x062
#define SVM_EXIT_INIT		0x063
#define SVM_EXIT_VINTR		0x064
#define SVM_EXIT_CR0_SEL_WRITE	0x065
#define SVM_EXIT_RDPMC		0x06f
#define SVM_EXIT_CPUID		0x072
#define SVM_EXIT_RSM		0x073
#define SVM_EXIT_IRET		0x074
#define SVM_EXIT_INVD		0x076
#define SVM_EXIT_PAUSE		0x077
#define SVM_EXIT_HLT		0x078
#define SVM_EXIT_INVLPG		0x079
#define SVM_EXIT_INVLPGA	0x07a
#define SVM_EXIT_IOIO		0x07b
#define SVM_EXIT_MSR		0x07c
#define SVM_EXIT_TASK_SWITCH	0x07d
#define SVM_EXIT_SHUTDOWN	0x07f
#define SVM_EXIT_VMRUN		0x080
#define SVM_EXIT_VMMCALL	0x081
#define SVM_EXIT_VMLOAD		0x082
#define SVM_EXIT_VMSAVE		0x083
#define SVM_EXIT_STGI		0x084
#define SVM_EXIT_CLGI		0x085
#define SVM_EXIT_SKINIT		0x086
#define SVM_EXIT_RDTSCP		0x087
#define SVM_EXIT_WBINVD		0x089
#define SVM_EXIT_MONITOR	0x08a
#define SVM_EXIT_MWAIT		0x08b
#define SVM_EXIT_XSETBV		0x08d
#define SVM_EXIT_RDPRU		0x08e
#define SVM_EXIT_INVLPGB	0x0a0
#define SVM_EXIT_INVPCID	0x0a2
#define SVM_EXIT_TLBSYNC	0x0a4
#define SVM_EXIT_NPF		0x400
#define SVM_EXIT_INVALID	(~0ULL)

/* exit_info_1 of an I/O exit (APM 2 15.10.2) */
#define SVM_IOIO_IN		BIT(0)
#define SVM_IOIO_STR		BIT(2)
#define SVM_IOIO_SIZE_SHIFT	4
#define SVM_IOIO_SIZE_MASK	7
#define SVM_IOIO_PORT_SHIFT	16

/* exit_info_2 of a task switch (APM 2 15.14.1) */
#define SVM_TASK_IRET		BIT_ULL(36)
#define SVM_TASK_JMP		BIT_ULL(38)
#define SVM_TASK_HAS_ERROR_CODE	BIT_ULL(44)

/* exit_info_1 of a CR or DR access with decode assists (APM 2 15.8.1) */
#define SVM_CR_MOV		BIT_ULL(63)
#define SVM_CR_GPR_MASK		0xf

#endif
