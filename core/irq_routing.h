/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GSI routing: from a GSI (an interrupt line of user space or an irqfd) to pins
 * of interrupt controllers and to MSIs. The table is replaced whole; readers
 * hold kvm->irq_srcu.
 */
#ifndef CORE_IRQ_ROUTING_H
#define CORE_IRQ_ROUTING_H

#include "core/kvm.h"

#define KVM_MAX_IRQ_ROUTES	4096
#define KVM_NR_IRQCHIP_PINS	120	/* of the largest controller */
#define KVM_MAX_IRQCHIPS	3

/* Who raises a level: each source holds its own bit of the wire-OR. */
#define KVM_USERSPACE_IRQ_SOURCE_ID	0
#define KVM_IRQFD_RESAMPLE_SOURCE_ID	1
#define KVM_ARCH_IRQ_SOURCE_BASE	2

/**
 * struct kvm_kernel_irq_routing_entry - one route, as the kernel uses it
 * @gsi: number
 * @type: KVM_IRQ_ROUTING_*
 * @set: deliver. @level 1/0; @line_status: caller wants the coalesced answer.
 *	Return: >0 delivered (to how many), 0 coalesced, <0 masked/ignored.
 * @irqchip: chip and pin, for KVM_IRQ_ROUTING_IRQCHIP
 * @msi: address and data, for KVM_IRQ_ROUTING_MSI
 */
struct kvm_kernel_irq_routing_entry {
	u32 gsi;
	u32 type;
	int (*set)(struct kvm_kernel_irq_routing_entry *e, struct kvm *kvm,
		   int irq_source_id, int level, bool line_status);
	union {
		struct {
			unsigned int irqchip;
			unsigned int pin;
		} irqchip;
		struct {
			u32 address_lo;
			u32 address_hi;
			u32 data;
			u32 flags;
			u32 devid;
		} msi;
	};
	struct hlist_node link;
};

/**
 * kvm_set_irq() - drive a GSI
 * Sleeps not, but takes the chips' spinlocks. Return: as entry->set(), the largest; -1 if no route.
 */
int kvm_set_irq(struct kvm *kvm, int irq_source_id, u32 gsi, int level, bool line_status);

/** kvm_set_irq_inatomic() - likewise from hard IRQ context; -EWOULDBLOCK: use kvm_set_irq */
int kvm_set_irq_inatomic(struct kvm *kvm, int irq_source_id, u32 gsi, int level, bool line_status);

/** kvm_irq_map_gsi() - copy the routes of a GSI. Context: irq_srcu. Return: how many */
int kvm_irq_map_gsi(struct kvm *kvm, struct kvm_kernel_irq_routing_entry *entries, u32 gsi);

/** kvm_irq_map_chip_pin() - the GSI behind a chip's pin, or -1. Context: irq_srcu */
int kvm_irq_map_chip_pin(struct kvm *kvm, unsigned int irqchip, unsigned int pin);

/** kvm_set_irq_routing() - replace the table (KVM_SET_GSI_ROUTING, default tables).
 *  0, -EINVAL, -ENOMEM. Takes irq_lock. */
int kvm_set_irq_routing(struct kvm *kvm, const struct kvm_irq_routing_entry *entries,
			unsigned int nr, unsigned int flags);

/** kvm_free_irq_routing() - at the VM's end: nobody reads the table any more */
void kvm_free_irq_routing(struct kvm *kvm);

/**
 * kvm_signal_msi() - KVM_SIGNAL_MSI
 *
 * Return: to how many it was delivered, 0 where the guest blocks it; -EINVAL for
 * flags, and without an in-kernel irqchip.
 */
int kvm_signal_msi(struct kvm *kvm, const struct kvm_msi *msi);

/**
 * struct kvm_irq_ack_notifier - told when the guest has handled (EOI) a level GSI
 * @gsi: number
 * @irq_acked: called under irq_srcu, no chip lock held
 */
struct kvm_irq_ack_notifier {
	struct hlist_node link;
	unsigned int gsi;
	void (*irq_acked)(struct kvm_irq_ack_notifier *kian);
};

/**
 * kvm_register_irq_ack_notifier() / kvm_unregister_irq_ack_notifier()
 * @kvm: the VM
 * @kian: gsi and irq_acked set; not called any more once unregistering returns
 *
 * Context: sleeps; takes irq_lock, and calls kvm_arch_irq_routing_updated().
 */
void kvm_register_irq_ack_notifier(struct kvm *kvm, struct kvm_irq_ack_notifier *kian);
void kvm_unregister_irq_ack_notifier(struct kvm *kvm, struct kvm_irq_ack_notifier *kian);
/** kvm_notify_acked_irq() - a chip saw the EOI of a pin. No chip lock held. */
void kvm_notify_acked_irq(struct kvm *kvm, unsigned int irqchip, unsigned int pin);

/** kvm_notify_acked_gsi() - likewise by GSI. Context: irq_srcu held, no chip lock */
void kvm_notify_acked_gsi(struct kvm *kvm, int gsi);
/** kvm_irq_has_notifier() - does anyone want to know of EOIs on this pin? */
bool kvm_irq_has_notifier(struct kvm *kvm, unsigned int irqchip, unsigned int pin);

/**
 * kvm_irqfd() - KVM_IRQFD (irqfd.c)
 * @kvm: the VM
 * @args: copy of user space's
 *
 * Return: 0; -EINVAL (flags, no irqchip that could, no eventfd), -EBADF, -EBUSY
 * (the eventfd raises a GSI of this VM already), -ENOMEM.
 */
int kvm_irqfd(struct kvm *kvm, const struct kvm_irqfd *args);

/** kvm_irqfd_init() - at the VM's birth; can't fail */
void kvm_irqfd_init(struct kvm *kvm);

/** kvm_irqfd_release() - end all; when it returns none is left. Sleeps */
void kvm_irqfd_release(struct kvm *kvm);

/** kvm_irqfd_module_init() / kvm_irqfd_module_exit() - the queue of shutdowns. -ENOMEM */
int kvm_irqfd_module_init(void);
void kvm_irqfd_module_exit(void);

#endif
