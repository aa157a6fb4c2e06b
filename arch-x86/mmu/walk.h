/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A walk of the guest's page tables as a context: what the walk depends on, how
 * it reads a table, how it translates a table's own address (a nested guest's
 * tables are themselves translated), and its answer.
 */
#ifndef ARCH_X86_MMU_WALK_H
#define ARCH_X86_MMU_WALK_H

#include "arch-x86/x86.h"

/* One entry met on the way, with the A and D bits that the walk has set. */
struct x86_walk_step {
	gpa_t gpa;
	u64 entry;
	int level;
};

/**
 * struct x86_walk - one translation
 * @vcpu: whose memory
 * @mode: how tables are to be read
 * @cr3: where they start
 * @pdptrs: PAE: the four PDPTEs as loaded
 * @pkru: protection keys' rights
 * @ac: RFLAGS.AC (SMAP)
 * @read: read a table entry of @len bytes at a translated address; 0, or -EFAULT
 * @update: set A/D there: 0; 1: the entry has changed; -EFAULT: can't be written
 * @translate: gpa of a table, where tables are translated themselves; NULL: they
 *	are where they say. INVALID_GPA with @fault filled.
 * @steps: the entries, from the top down; none where paging is off, and none for a PDPTE
 *	of PAE
 * @nr_steps: how many
 * @gpa: answer
 * @page_shift: log2 of the page found
 * @fault: filled if there is none
 */
struct x86_walk {
	struct x86_vcpu *vcpu;
	struct x86_walk_mode mode;
	u64 cr3;
	const u64 *pdptrs;
	u32 pkru;
	bool ac;
	int (*read)(struct x86_walk *w, gpa_t gpa, void *entry, unsigned int len);
	int (*update)(struct x86_walk *w, gpa_t gpa, u64 *old, u64 new, unsigned int len);
	gpa_t (*translate)(struct x86_walk *w, gpa_t gpa, u32 access);

	struct x86_walk_step steps[5];
	int nr_steps;
	gpa_t gpa;
	u8 page_shift;
	struct x86_fault_info *fault;
};

/** x86_walk_mode_of() - how the vCPU's tables are to be read now. Context: loaded. */
void x86_walk_mode_of(struct x86_walk_mode *m, struct x86_vcpu *vcpu);

/**
 * x86_walk_init() - a context for what the vCPU executes now
 * @w: to fill
 * @vcpu: the vCPU, loaded
 * @fault: where a fault goes
 */
void x86_walk_init(struct x86_walk *w, struct x86_vcpu *vcpu, struct x86_fault_info *fault);

/**
 * x86_walk() - translate
 * @w: context
 * @gva: linear address, canonical if it must be
 * @access: X86_ACC_*
 *
 * Sets A and D as the hardware would (SDM 3A 4.8). Sleeps.
 * Return: 0 with w->gpa; 1 with *w->fault.
 */
int x86_walk(struct x86_walk *w, u64 gva, u32 access);

#endif
