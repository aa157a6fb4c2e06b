/* SPDX-License-Identifier: GPL-2.0-only */
/* IPIs have gone through static calls since 6.6. */
#ifndef COMPAT_ASM_APIC_H
#define COMPAT_ASM_APIC_H

#include_next <asm/apic.h>

#ifndef __ASSEMBLY__
#include <compat/config.h>

#ifndef HAVE_APIC_SEND_IPI_MASK
#undef __apic_send_IPI_mask
#define __apic_send_IPI_mask kvmc_apic_send_IPI_mask
static inline void kvmc_apic_send_IPI_mask(const struct cpumask *mask, int vector)
{
	apic->send_IPI_mask(mask, vector);
}
#endif
#endif

#endif
