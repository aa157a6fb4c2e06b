/* SPDX-License-Identifier: GPL-2.0-only */
/* Consumers are registered with their eventfd since 6.17, as a token before. */
#ifndef COMPAT_LINUX_IRQBYPASS_H
#define COMPAT_LINUX_IRQBYPASS_H

#include_next <linux/irqbypass.h>
#include <compat/config.h>

#ifndef HAVE_IRQ_BYPASS_EVENTFD
struct eventfd_ctx;

static inline int kvmc_irq_bypass_register_consumer(struct irq_bypass_consumer *cons,
						    struct eventfd_ctx *eventfd)
{
	cons->token = eventfd;
	return irq_bypass_register_consumer(cons);
}
#define irq_bypass_register_consumer kvmc_irq_bypass_register_consumer
#endif

#endif
