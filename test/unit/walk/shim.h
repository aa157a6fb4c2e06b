/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arch-x86/mmu/walk.c in user space: a vCPU that is nothing but control
 * registers and 16 MiB of memory. Included before everything else; the headers
 * that it stands in for are kept out by their own include guards.
 */
#ifndef TEST_UNIT_WALK_SHIM_H
#define TEST_UNIT_WALK_SHIM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ARCH_X86_X86_H
#define ARCH_X86_REGS_H
#define ARCH_X86_EVENTS_H
#define ARCH_X86_CPU_CPUID_H
#define ARCH_X86_VENDOR_CALL_H

#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK_ULL(h, l)	((~0ULL >> (63 - (h))) & (~0ULL << (l)))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define PAGE_SIZE		4096UL
#define EAGAIN			11
#define EFAULT			14
#define EXPORT_SYMBOL_GPL(x)

#include <linux/types.h>
#include "arch-x86/mmu/walk_mode.h"

typedef u64 gpa_t;
#define INVALID_GPA	(~(gpa_t)0)
#define PF_VECTOR	14
#define PFERR_PRESENT	BIT_ULL(0)
#define PFERR_WRITE	BIT_ULL(1)
#define PFERR_USER	BIT_ULL(2)
#define PFERR_RSVD	BIT_ULL(3)
#define PFERR_FETCH	BIT_ULL(4)
#define PFERR_PK	BIT_ULL(5)

#define X86_CR0_WP	BIT_ULL(16)
#define X86_CR0_PG	BIT_ULL(31)
#define X86_CR4_PSE	BIT_ULL(4)
#define X86_CR4_PAE	BIT_ULL(5)
#define X86_CR4_LA57	BIT_ULL(12)
#define X86_CR4_SMEP	BIT_ULL(20)
#define X86_CR4_SMAP	BIT_ULL(21)
#define X86_CR4_PKE	BIT_ULL(22)
#define EFER_LMA	BIT_ULL(10)
#define EFER_NX		BIT_ULL(11)
#define X86_EFLAGS_AC	BIT_ULL(18)

struct x86_fault_info {
	u8 vector;
	bool error_code_valid;
	u16 error_code;
	bool nested_page_fault;
	u64 address;
};

struct kvm_vcpu { int unused; };

struct x86_vcpu {
	struct kvm_vcpu core;
	u64 cr0, cr3, cr4, efer, rflags;
	u64 pdptrs[4];
	u32 pkru;
	u8 maxphyaddr;
	bool gbpages, amd;
};

enum { X86_REG_PDPTRS };
#define X86_FEATURE_GBPAGES	1

#define guest_cpuid_has(v, f)		((v)->gbpages)
#define guest_cpuid_is_amd(v)		((v)->amd)
#define x86_cr0(v)			((v)->cr0)
#define x86_cr3(v)			((v)->cr3)
#define x86_cr4(v)			((v)->cr4)
#define x86_get_rflags(v)		((v)->rflags)
#define x86_reg_available(v, r)		true
#define x86_cache_reg(v, r)		do { } while (0)
#define x86_reg_mark_dirty(v, r)	do { } while (0)
#define x86_mmu_new_cr3(v, cr3)		do { } while (0)

int kvm_vcpu_read_guest(struct kvm_vcpu *vcpu, gpa_t gpa, void *data, unsigned long len);
int kvm_vcpu_read_entry(struct kvm_vcpu *vcpu, gpa_t gpa, void *entry, unsigned int len);
int kvm_vcpu_cmpxchg_guest(struct kvm_vcpu *vcpu, gpa_t gpa, void *old, const void *new,
			   int bytes);
gpa_t x86_gva_to_gpa(struct x86_vcpu *vcpu, u64 gva, u32 access, struct x86_fault_info *fault);
bool x86_load_pdptrs(struct x86_vcpu *vcpu, u64 cr3);

#endif
