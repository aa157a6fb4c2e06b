// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O APIC: 24 pins, each with a redirection entry, at 0xfec00000 (Intel
 * 82093AA data sheet). Turns the level of a pin into messages on the interrupt
 * bus, and hears of EOIs of level-triggered ones.
 *
 * Locks: ioapic->lock (spinlock_t). Under it a message may be delivered (RCU,
 * kicks). Acknowledge notifiers run without it: they may drive a pin again.
 */
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "arch-x86/irqchip/lapic.h"
#include "core/io_bus.h"

#define IOAPIC_BASE		0xfec00000ULL
#define IOAPIC_LEN		0x100
#define IOAPIC_VERSION		(0x11 | (KVM_IOAPIC_NUM_PINS - 1) << 16)

#define IOAPIC_REG_SELECT	0x00
#define IOAPIC_REG_WINDOW	0x10

#define IOAPIC_IND_ID		0x00
#define IOAPIC_IND_VERSION	0x01
#define IOAPIC_IND_ARB		0x02
#define IOAPIC_IND_TABLE	0x10

/* A redirection entry. */
#define RTE_VECTOR(e)		((u8)(e))
#define RTE_MODE(e)		(((e) >> 8) & 7)
#define RTE_LOGICAL		BIT_ULL(11)
#define RTE_STATUS		BIT_ULL(12)
#define RTE_REMOTE_IRR		BIT_ULL(14)
#define RTE_LEVEL		BIT_ULL(15)
#define RTE_MASK		BIT_ULL(16)
#define RTE_DEST(e)		((e) >> 56)
#define RTE_RSVD		GENMASK_ULL(55, 17)

/*
 * A guest whose handler does not silence its device would take the interrupt
 * again at once, for ever, and never come to fix it. After so many in a row it
 * gets a tick's rest.
 */
#define STORM_EOIS		10000
#define STORM_REST		(HZ / 100 ?: 1)

/**
 * struct x86_ioapic - the chip
 * @lock: guards all below
 * @vm: whose (c)
 * @select: index register
 * @id: ID register
 * @level: level of each pin
 * @table: redirection entries
 * @sources: who holds each pin high
 * @eois: EOIs in a row that found the pin still high
 * @rest: re-delivers after a storm
 * @dev: on the MMIO bus
 */
struct x86_ioapic {
	spinlock_t lock;
	struct x86_vm *vm;
	u32 select;
	u32 id;
	u32 level;
	u64 table[KVM_IOAPIC_NUM_PINS];
	unsigned long sources[KVM_IOAPIC_NUM_PINS];
	u32 eois[KVM_IOAPIC_NUM_PINS];
	struct delayed_work rest;
	struct kvm_io_device dev;
};

static void rte_to_msg(u64 rte, struct x86_irq_msg *msg)
{
	*msg = (struct x86_irq_msg) {
		.dest = RTE_DEST(rte),
		.vector = RTE_VECTOR(rte),
		.mode = RTE_MODE(rte),
		.logical = rte & RTE_LOGICAL,
		.level = rte & RTE_LEVEL,
		.assert = true,
	};
}

/* ---- pins -------------------------------------------------------------------------- */

/* Send a pin's message. Return: as x86_irq_deliver(); -1 if masked. */
static int pin_deliver(struct x86_ioapic *ioapic, unsigned int pin)
{
	u64 rte = ioapic->table[pin];
	struct x86_irq_msg msg;
	int ret;

	if (rte & RTE_MASK)
		return -1;
	rte_to_msg(rte, &msg);
	ret = x86_irq_deliver(ioapic->vm, NULL, &msg);
	/* Accepted: nothing more from this pin until its EOI. */
	if (ret >= 0 && (rte & RTE_LEVEL))
		ioapic->table[pin] |= RTE_REMOTE_IRR;
	return ret;
}

/* A level-triggered pin that is high and has nothing on its way. */
static bool pin_due(const struct x86_ioapic *ioapic, unsigned int pin)
{
	return (ioapic->level & BIT(pin)) && (ioapic->table[pin] & RTE_LEVEL) &&
	       !(ioapic->table[pin] & (RTE_REMOTE_IRR | RTE_MASK));
}

static int pin_set(struct x86_ioapic *ioapic, unsigned int pin, bool high)
{
	bool was_high = ioapic->level & BIT(pin);

	if (!high) {
		ioapic->level &= ~BIT(pin);
		return 1;
	}
	ioapic->level |= BIT(pin);
	if (ioapic->table[pin] & RTE_LEVEL) {
		if (ioapic->table[pin] & RTE_REMOTE_IRR)
			return 0;
		return pin_deliver(ioapic, pin);
	}
	/* Edges on a masked pin are lost (82093AA 3.2.4, interrupt mask). */
	return was_high ? 0 : pin_deliver(ioapic, pin);
}

int x86_ioapic_set_irq(struct x86_vm *vm, unsigned int pin, int source, int level)
{
	struct x86_ioapic *ioapic = vm->ioapic;
	int ret;

	if (!ioapic || pin >= KVM_IOAPIC_NUM_PINS || source < 0 || source >= BITS_PER_LONG)
		return -1;
	pin = array_index_nospec(pin, KVM_IOAPIC_NUM_PINS);
	spin_lock(&ioapic->lock);
	if (level)
		__set_bit(source, &ioapic->sources[pin]);
	else
		__clear_bit(source, &ioapic->sources[pin]);
	ret = pin_set(ioapic, pin, ioapic->sources[pin]);
	spin_unlock(&ioapic->lock);
	return ret;
}

void x86_ioapic_drop_source(struct x86_vm *vm, int source)
{
	struct x86_ioapic *ioapic = vm->ioapic;
	unsigned int pin;

	if (!ioapic)
		return;
	spin_lock(&ioapic->lock);
	for (pin = 0; pin < KVM_IOAPIC_NUM_PINS; pin++)
		if (__test_and_clear_bit(source, &ioapic->sources[pin]))
			pin_set(ioapic, pin, ioapic->sources[pin]);
	spin_unlock(&ioapic->lock);
}

/* ---- EOI ------------------------------------------------------------------------------ */

static void ioapic_rest_over(struct work_struct *work)
{
	struct x86_ioapic *ioapic = container_of(work, struct x86_ioapic, rest.work);
	unsigned int pin;

	spin_lock(&ioapic->lock);
	for (pin = 0; pin < KVM_IOAPIC_NUM_PINS; pin++)
		if (pin_due(ioapic, pin))
			pin_deliver(ioapic, pin);
	spin_unlock(&ioapic->lock);
}

/* The line may still be high after its EOI. */
static void pin_redeliver(struct x86_ioapic *ioapic, unsigned int pin)
{
	if (!pin_due(ioapic, pin)) {
		ioapic->eois[pin] = 0;
	} else if (++ioapic->eois[pin] < STORM_EOIS) {
		pin_deliver(ioapic, pin);
	} else {
		ioapic->eois[pin] = 0;
		schedule_delayed_work(&ioapic->rest, STORM_REST);
	}
}

void x86_ioapic_eoi(struct x86_vm *vm, struct x86_lapic *apic, u8 vector)
{
	struct x86_ioapic *ioapic = vm->ioapic;
	struct x86_irq_msg msg;
	unsigned int pin;

	spin_lock(&ioapic->lock);
	for (pin = 0; pin < KVM_IOAPIC_NUM_PINS; pin++) {
		u64 rte = ioapic->table[pin];

		if (RTE_VECTOR(rte) != vector)
			continue;
		rte_to_msg(rte, &msg);
		/*
		 * The EOI message of a level carries the vector only. An edge has
		 * none: it is we who want to know, and of our own alone.
		 */
		if (msg.level ? !(rte & RTE_REMOTE_IRR) : !x86_apic_match(apic, NULL, &msg))
			continue;

		ioapic->table[pin] &= ~RTE_REMOTE_IRR;
		spin_unlock(&ioapic->lock);
		kvm_notify_acked_irq(&vm->core, KVM_IRQCHIP_IOAPIC, pin);
		spin_lock(&ioapic->lock);
		if (msg.level)
			pin_redeliver(ioapic, pin);
	}
	spin_unlock(&ioapic->lock);
}

void x86_ioapic_scan(struct x86_vm *vm, struct x86_lapic *apic, unsigned long *bitmap)
{
	struct x86_ioapic *ioapic = vm->ioapic;
	struct x86_irq_msg msg;
	unsigned int pin;

	spin_lock(&ioapic->lock);
	for (pin = 0; pin < KVM_IOAPIC_NUM_PINS; pin++) {
		rte_to_msg(ioapic->table[pin], &msg);
		if (!msg.level && !kvm_irq_has_notifier(&vm->core, KVM_IRQCHIP_IOAPIC, pin))
			continue;
		if (x86_apic_match(apic, NULL, &msg))
			__set_bit(msg.vector, bitmap);
	}
	spin_unlock(&ioapic->lock);
}

/* ---- registers --------------------------------------------------------------------------- */

/* Return: whether the vectors or destinations that matter at EOI may be others now. */
static bool rte_write(struct x86_ioapic *ioapic, u32 index, u32 val)
{
	unsigned int pin = array_index_nospec(index >> 1, KVM_IOAPIC_NUM_PINS);
	u64 old = ioapic->table[pin];
	u64 read_only = old & (RTE_REMOTE_IRR | RTE_STATUS);
	u64 new;

	if (index & 1)
		new = (old & GENMASK_ULL(31, 0)) | (u64)val << 32;
	else
		new = (old & GENMASK_ULL(63, 32)) | val;
	new &= ~(RTE_RSVD | RTE_REMOTE_IRR | RTE_STATUS);
	new |= read_only;
	/* Guests make a pin edge-triggered to get rid of its remote IRR. */
	if (!(new & RTE_LEVEL))
		new &= ~RTE_REMOTE_IRR;
	ioapic->table[pin] = new;

	if (pin_due(ioapic, pin))
		pin_deliver(ioapic, pin);
	return (old ^ new) & ~(RTE_MASK | RTE_REMOTE_IRR | RTE_STATUS);
}

static bool ioapic_write_window(struct x86_ioapic *ioapic, u32 val)
{
	u32 index = ioapic->select - IOAPIC_IND_TABLE;

	if (ioapic->select == IOAPIC_IND_ID) {
		ioapic->id = (val >> 24) & 0xf;
		return false;
	}
	if (index >= 2 * KVM_IOAPIC_NUM_PINS)
		return false;		/* read-only or reserved */
	return rte_write(ioapic, index, val);
}

static u32 ioapic_read_window(struct x86_ioapic *ioapic)
{
	u32 index = ioapic->select - IOAPIC_IND_TABLE;
	u64 rte;

	switch (ioapic->select) {
	case IOAPIC_IND_ID:
	case IOAPIC_IND_ARB:
		return (ioapic->id & 0xf) << 24;
	case IOAPIC_IND_VERSION:
		return IOAPIC_VERSION;
	}
	if (index >= 2 * KVM_IOAPIC_NUM_PINS)
		return 0xffffffff;
	rte = ioapic->table[array_index_nospec(index >> 1, KVM_IOAPIC_NUM_PINS)];
	return index & 1 ? rte >> 32 : rte;
}

static int ioapic_read(struct kvm_vcpu *vcpu, struct kvm_io_device *dev, gpa_t addr,
		       int len, void *val)
{
	struct x86_ioapic *ioapic = container_of(dev, struct x86_ioapic, dev);
	u32 data = 0;

	if (len > 8)
		return -EOPNOTSUPP;
	spin_lock(&ioapic->lock);
	switch (addr - IOAPIC_BASE) {
	case IOAPIC_REG_SELECT:
		data = ioapic->select;
		break;
	case IOAPIC_REG_WINDOW:
		data = ioapic_read_window(ioapic);
		break;
	}
	spin_unlock(&ioapic->lock);
	memset(val, 0, len);
	memcpy(val, &data, min_t(int, len, sizeof(data)));
	return 0;
}

static int ioapic_write(struct kvm_vcpu *vcpu, struct kvm_io_device *dev, gpa_t addr,
			int len, const void *val)
{
	struct x86_ioapic *ioapic = container_of(dev, struct x86_ioapic, dev);
	bool changed = false;
	u32 data = 0;

	if (len > 8)
		return -EOPNOTSUPP;
	memcpy(&data, val, min_t(int, len, sizeof(data)));
	spin_lock(&ioapic->lock);
	switch (addr - IOAPIC_BASE) {
	case IOAPIC_REG_SELECT:
		ioapic->select = data & 0xff;
		break;
	case IOAPIC_REG_WINDOW:
		changed = ioapic_write_window(ioapic, data);
		break;
	}
	spin_unlock(&ioapic->lock);
	if (changed)
		x86_make_scan_ioapic_request(ioapic->vm);
	return 0;
}

static const struct kvm_io_device_ops ioapic_ops = {
	.read = ioapic_read,
	.read_irqoff = true,
	.write = ioapic_write,
};

/* ---- state ---------------------------------------------------------------------------------- */

void x86_ioapic_get_state(struct x86_vm *vm, struct kvm_ioapic_state *s)
{
	struct x86_ioapic *ioapic = vm->ioapic;
	unsigned int pin;

	memset(s, 0, sizeof(*s));
	spin_lock(&ioapic->lock);
	s->base_address = IOAPIC_BASE;
	s->ioregsel = ioapic->select;
	s->id = ioapic->id;
	for (pin = 0; pin < KVM_IOAPIC_NUM_PINS; pin++) {
		s->redirtbl[pin].bits = ioapic->table[pin];
		/* An edge has been delivered or is lost: none is pending. */
		if (ioapic->table[pin] & RTE_LEVEL)
			s->irr |= ioapic->level & BIT(pin);
	}
	spin_unlock(&ioapic->lock);
}

void x86_ioapic_set_state(struct x86_vm *vm, const struct kvm_ioapic_state *s)
{
	struct x86_ioapic *ioapic = vm->ioapic;
	unsigned int pin;

	spin_lock(&ioapic->lock);
	ioapic->select = s->ioregsel & 0xff;
	ioapic->id = s->id & 0xf;
	ioapic->level = 0;
	for (pin = 0; pin < KVM_IOAPIC_NUM_PINS; pin++) {
		ioapic->table[pin] = s->redirtbl[pin].bits & ~(RTE_RSVD | RTE_STATUS);
		ioapic->eois[pin] = 0;
	}
	/* Requests that were pending where the state was saved. */
	for (pin = 0; pin < KVM_IOAPIC_NUM_PINS; pin++)
		if (s->irr & BIT(pin))
			pin_set(ioapic, pin, true);
	spin_unlock(&ioapic->lock);
	x86_make_scan_ioapic_request(vm);
}

/* ---- life -------------------------------------------------------------------------------------- */

int x86_ioapic_create(struct x86_vm *vm)
{
	struct x86_ioapic *ioapic = kzalloc(sizeof(*ioapic), GFP_KERNEL_ACCOUNT);
	unsigned int pin;
	int r;

	if (!ioapic)
		return -ENOMEM;
	spin_lock_init(&ioapic->lock);
	INIT_DELAYED_WORK(&ioapic->rest, ioapic_rest_over);
	ioapic->vm = vm;
	for (pin = 0; pin < KVM_IOAPIC_NUM_PINS; pin++)
		ioapic->table[pin] = RTE_MASK;
	kvm_iodevice_init(&ioapic->dev, &ioapic_ops);
	r = kvm_io_bus_register_dev(&vm->core, KVM_MMIO_BUS, IOAPIC_BASE, IOAPIC_LEN,
				    &ioapic->dev);
	if (r) {
		kfree(ioapic);
		return r;
	}
	WRITE_ONCE(vm->ioapic, ioapic);
	return 0;
}

void x86_ioapic_unregister(struct x86_vm *vm)
{
	if (vm->ioapic)
		kvm_io_bus_unregister_dev(&vm->core, KVM_MMIO_BUS, &vm->ioapic->dev);
}

void x86_ioapic_stop(struct x86_vm *vm)
{
	if (vm->ioapic)
		cancel_delayed_work_sync(&vm->ioapic->rest);
}

void x86_ioapic_free(struct x86_vm *vm)
{
	kfree(vm->ioapic);
	vm->ioapic = NULL;
}
