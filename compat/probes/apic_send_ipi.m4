dnl SPDX-License-Identifier: GPL-2.0-only
dnl __apic_send_IPI_mask(): an IPI through a static call.
dnl Linux 6.6, "x86/apic: Wrap IPI calls into helper functions".
KVM_PROBE([APIC_SEND_IPI_MASK], [[#include <linux/cpumask.h>
#include <asm/apic.h>]],
[[	__apic_send_IPI_mask(cpumask_of(0), 0);]])
