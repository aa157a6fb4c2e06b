/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A segment's attributes as a word: bits 23:8 of a descriptor's upper half (SDM 3A figure
 * 3-8), with the four bits between P and AVL, which belong to the limit there, as 0. SMRAM
 * has them so, and VT-x, which adds a bit; AMD-V leaves out the four.
 */
#ifndef ARCH_X86_CPU_SEGMENT_H
#define ARCH_X86_CPU_SEGMENT_H

#include <linux/kvm.h>

/** x86_segment_attributes() - of a segment as user space gives it: no more than each field's
 *  bits are taken. P and unusable are as they are */
static inline u16 x86_segment_attributes(const struct kvm_segment *s)
{
	return (s->type & 15) | (s->s & 1) << 4 | (s->dpl & 3) << 5 | !!s->present << 7 |
	       (s->avl & 1) << 12 | (s->l & 1) << 13 | (s->db & 1) << 14 | (s->g & 1) << 15;
}

/** x86_segment_set_attributes() - and back: all that is in @attributes; unusable is !P */
static inline void x86_segment_set_attributes(struct kvm_segment *s, u16 attributes)
{
	s->type = attributes & 15;
	s->s = attributes >> 4 & 1;
	s->dpl = attributes >> 5 & 3;
	s->present = attributes >> 7 & 1;
	s->avl = attributes >> 12 & 1;
	s->l = attributes >> 13 & 1;
	s->db = attributes >> 14 & 1;
	s->g = attributes >> 15 & 1;
	s->unusable = !s->present;
}

#endif
