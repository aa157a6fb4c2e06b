/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A posted-interrupt descriptor, laid out as VT-x's CPUs read it (SDM 3C 29.6): interrupts
 * for a vCPU whose IRR is not the poster's to write. Owns the order in which its two parts
 * are written; knows no APIC, no vCPU, and not how somebody is notified.
 *
 *	poster				taker: the vCPU's thread, or its CPU
 *	set the vector in PIR		clear ON
 *	set ON				take PIR
 *	was it clear: notify
 *
 * Each line is one locked operation. A vector is taken by whoever clears ON after it was
 * set; a poster who finds ON set is before that.
 */
#ifndef ARCH_X86_IRQCHIP_POSTED_H
#define ARCH_X86_IRQCHIP_POSTED_H

#include <linux/bitops.h>
#include <linux/build_bug.h>

#define X86_POSTED_ON	0	/* outstanding notification */

/**
 * struct x86_posted - the descriptor
 * @pir: posted-interrupt requests, a bit for each vector (a)
 * @control: X86_POSTED_ON; above it SN and NV, for devices behind an IOMMU: unused (a)
 * @ndst: likewise
 * @rest: software's own
 */
struct x86_posted {
	unsigned long pir[256 / BITS_PER_LONG];
	u32 control;
	u32 ndst;
	u32 rest[6];
} __aligned(64);

static_assert(sizeof(struct x86_posted) == 64);
static_assert(offsetof(struct x86_posted, control) == 32);

static inline unsigned long *x86_posted_control(struct x86_posted *p)
{
	return (unsigned long *)&p->control;
}

/** x86_posted_add() - first half of a post. Return: false: the vector is there already, and
 *  who set it does the second half */
static inline bool x86_posted_add(struct x86_posted *p, u8 vector)
{
	return !test_and_set_bit(vector, p->pir);
}

/** x86_posted_ask() - second half: somebody is to take it. A full barrier. Return: false: has
 *  been asked already, and has not begun */
static inline bool x86_posted_ask(struct x86_posted *p)
{
	return !test_and_set_bit(X86_POSTED_ON, x86_posted_control(p));
}

/** x86_posted_outstanding() - is there something to take? Any thread */
static inline bool x86_posted_outstanding(const struct x86_posted *p)
{
	return READ_ONCE(p->control) & BIT(X86_POSTED_ON);
}

/** x86_posted_begin() - before x86_posted_take() of each word: who posts from here on asks
 *  again. A full barrier */
static inline void x86_posted_begin(struct x86_posted *p)
{
	clear_bit(X86_POSTED_ON, x86_posted_control(p));
	smp_mb__after_atomic();
}

/** x86_posted_take() - the vectors of word @i of PIR, which are there no longer */
static inline unsigned long x86_posted_take(struct x86_posted *p, unsigned int i)
{
	return READ_ONCE(p->pir[i]) ? xchg(&p->pir[i], 0) : 0;
}

#endif
