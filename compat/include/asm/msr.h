/* SPDX-License-Identifier: GPL-2.0-only */
/* The 64-bit MSR accessors have been called ...q since 6.16. */
#ifndef COMPAT_ASM_MSR_H
#define COMPAT_ASM_MSR_H

#include_next <asm/msr.h>

#ifndef __ASSEMBLY__
#include <compat/config.h>

#ifndef HAVE_RDMSRQ
#define rdmsrq(msr, val)		rdmsrl(msr, val)
#define wrmsrq(msr, val)		wrmsrl(msr, val)
#define rdmsrq_safe(msr, p)		rdmsrl_safe(msr, p)
#define wrmsrq_safe(msr, val)		wrmsrl_safe(msr, val)
#define native_rdmsrq(msr)		__rdmsr(msr)
#define native_wrmsrq(msr, val)		native_wrmsrl(msr, val)
#define rdmsrq_on_cpu(cpu, msr, p)	rdmsrl_on_cpu(cpu, msr, p)
#define wrmsrq_on_cpu(cpu, msr, val)	wrmsrl_on_cpu(cpu, msr, val)
#define rdmsrq_safe_on_cpu(cpu, msr, p)	rdmsrl_safe_on_cpu(cpu, msr, p)
#endif
#endif

#endif
