dnl SPDX-License-Identifier: GPL-2.0-only
dnl irq_bypass_register_consumer() takes the eventfd.
dnl Linux 6.17, "irqbypass: Take ownership of producer/consumer token tracking".
KVM_PROBE([IRQ_BYPASS_EVENTFD], [[#include <linux/irqbypass.h>]],
[[	(void)irq_bypass_register_consumer(NULL, (struct eventfd_ctx *)0);]])
