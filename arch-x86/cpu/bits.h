/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Architectural bits and vectors that the kernel's public headers lack or name
 * differently from release to release. Numbers from the SDM and the APM.
 */
#ifndef ARCH_X86_CPU_BITS_H
#define ARCH_X86_CPU_BITS_H

#include <linux/bits.h>
#include <asm/debugreg.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

/* Exception vectors (SDM 3A table 6-1). */
#define DE_VECTOR	0
#define DB_VECTOR	1
#define NMI_VECTOR_NR	2
#define BP_VECTOR	3
#define OF_VECTOR	4
#define BR_VECTOR	5
#define UD_VECTOR	6
#define NM_VECTOR	7
#define DF_VECTOR	8
#define TS_VECTOR	10
#define NP_VECTOR	11
#define SS_VECTOR	12
#define GP_VECTOR	13
#define PF_VECTOR	14
#define MF_VECTOR	16
#define AC_VECTOR	17
#define MC_VECTOR	18
#define XM_VECTOR	19
#define VE_VECTOR	20
#define CP_VECTOR	21

/* Page fault error code (SDM 3A 4.7); nested bits of APM 2 15.25.6. */
#define PFERR_PRESENT	BIT_ULL(0)
#define PFERR_WRITE	BIT_ULL(1)
#define PFERR_USER	BIT_ULL(2)
#define PFERR_RSVD	BIT_ULL(3)
#define PFERR_FETCH	BIT_ULL(4)
#define PFERR_PK	BIT_ULL(5)
#define PFERR_GUEST_FINAL	BIT_ULL(32)
#define PFERR_GUEST_PAGE	BIT_ULL(33)

/* EFER (APM 2 3.1.7). */
#define X86_EFER_AUTOIBRS	BIT_ULL(21)

/* CR3 with CR4.PCIDE (SDM 3A 2.5). */
#define CR3_PCID	0xfffULL

/* Interrupt shadow, as in struct kvm_vcpu_events. */
#define X86_SHADOW_INT_MOV_SS	BIT(0)
#define X86_SHADOW_INT_STI	BIT(1)

/* Debug registers (SDM 3B 17.2). */
#define DR6_FIXED_1	0xfffe0ff0ULL
#define DR6_ACTIVE_LOW	0xffff0ff0ULL
#define DR6_BD		BIT_ULL(13)
#define DR6_BS		BIT_ULL(14)
#define DR6_BT		BIT_ULL(15)
#define DR6_RTM		BIT_ULL(16)
#define DR6_BUS_LOCK	BIT_ULL(11)
#define DR7_GD		BIT_ULL(13)

#endif
