/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address and frame types. gva: guest virtual; gpa/gfn: guest physical address
 * and frame number; hva: host virtual; hpa/pfn: host physical.
 */
#ifndef CORE_TYPES_H
#define CORE_TYPES_H

#include <linux/types.h>

/* Length of a name in the binary statistics, zero byte included. */
#define KVM_STATS_NAME_SIZE	48

typedef unsigned long gva_t;
typedef u64 gpa_t;
typedef u64 gfn_t;
typedef unsigned long hva_t;
typedef u64 hpa_t;
typedef u64 hfn_t;
typedef hfn_t kvm_pfn_t;

#define INVALID_GPA	(~(gpa_t)0)
#define INVALID_GFN	(~(gfn_t)0)
#define INVALID_HPA	(~(hpa_t)0)

#define GFN_SHIFT	12

static inline gpa_t gfn_to_gpa(gfn_t gfn) { return (gpa_t)gfn << GFN_SHIFT; }
static inline gfn_t gpa_to_gfn(gpa_t gpa) { return (gfn_t)(gpa >> GFN_SHIFT); }

#endif
