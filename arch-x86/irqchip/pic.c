// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two 8259A interrupt controllers, the slave on the master's input 2, at ports
 * 0x20, 0xa0 and (edge/level control) 0x4d0, as in a PC. Behaviour from Intel's
 * 8259A data sheet and the 82371 (PIIX) one. Knows of vCPUs only that they may
 * want to look at INTR.
 *
 * Locks: pic->lock (spinlock_t, innermost). Acknowledge notifiers and kicks are
 * collected under it and run after it is dropped: see pic_unlock().
 */
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "arch-x86/irqchip/lapic.h"
#include "core/io_bus.h"

#define PIC_MASTER	0
#define PIC_SLAVE	1
#define PIC_CASCADE	2		/* master's input that the slave drives */

#define ICW1_INIT	BIT(4)
#define ICW1_IC4	BIT(0)
#define OCW3_SELECT	BIT(3)

/**
 * struct x86_pic - both chips
 * @lock: guards all below; a register alone is read without it
 * @vm: whose (c)
 * @chip: registers, in the layout that user space saves
 * @sources: who holds each of the 16 inputs high
 * @acked: inputs whose notifiers pic_unlock() must call
 * @output: the master's INTR (a: read without the lock)
 * @kick: INTR rose: tell the vCPUs
 * @dev: on the port bus: master, slave, ELCR
 */
struct x86_pic {
	spinlock_t lock;
	struct x86_vm *vm;
	struct kvm_pic_state chip[2];
	unsigned long sources[16];
	u16 acked;
	bool output;
	bool kick;
	struct kvm_io_device dev[3];
};

static struct kvm_pic_state *master(struct x86_pic *pic)
{
	return &pic->chip[PIC_MASTER];
}

static struct kvm_pic_state *slave(struct x86_pic *pic)
{
	return &pic->chip[PIC_SLAVE];
}

/* ---- lock ----------------------------------------------------------------------- */

static void pic_lock(struct x86_pic *pic) __acquires(&pic->lock)
{
	spin_lock(&pic->lock);
}

static void pic_kick_vcpus(struct x86_vm *vm)
{
	struct kvm_vcpu *vcpu;
	int i;

	kvm_for_each_vcpu(i, vcpu, &vm->core) {
		if (!x86_cpu_accepts_extint(x86_vcpu_of(vcpu)))
			continue;
		kvm_make_request(X86_REQ_EVENT, vcpu);
		kvm_vcpu_kick(vcpu);
	}
}

static void pic_unlock(struct x86_pic *pic) __releases(&pic->lock)
{
	unsigned long acked = pic->acked;
	bool kick = pic->kick;
	unsigned int irq;

	pic->acked = 0;
	pic->kick = false;
	spin_unlock(&pic->lock);
	if (likely(!acked && !kick))
		return;

	for_each_set_bit(irq, &acked, 16)
		kvm_notify_acked_irq(&pic->vm->core, irq < 8 ? KVM_IRQCHIP_PIC_MASTER :
				     KVM_IRQCHIP_PIC_SLAVE, irq & 7);
	if (kick)
		pic_kick_vcpus(pic->vm);
}

/* ---- one chip -------------------------------------------------------------------- */

/* Highest priority among @bits (0 is the highest), or 8. */
static unsigned int chip_priority(const struct kvm_pic_state *s, u8 bits)
{
	unsigned int shift = s->priority_add & 7;
	u8 rotated = bits >> shift | bits << (8 - shift);

	return rotated ? __ffs(rotated) : 8;
}

/* The input that should interrupt now, or -1. */
static int chip_pending(struct x86_pic *pic, const struct kvm_pic_state *s)
{
	u8 in_service = s->isr;
	unsigned int prio = chip_priority(s, s->irr & ~s->imr);

	if (prio == 8)
		return -1;
	/* Special mask mode: what is masked blocks nobody. */
	if (s->special_mask)
		in_service &= ~s->imr;
	/* Special fully nested mode: the slave may interrupt its own service. */
	if (s->special_fully_nested_mode && s == master(pic))
		in_service &= ~BIT(PIC_CASCADE);
	if (prio >= chip_priority(s, in_service))
		return -1;
	return (prio + s->priority_add) & 7;
}

static void chip_end_service(struct x86_pic *pic, struct kvm_pic_state *s, unsigned int irq)
{
	if (!(s->isr & BIT(irq)))
		return;
	s->isr &= ~BIT(irq);
	pic->acked |= BIT(irq + (s == slave(pic) ? 8 : 0));
}

/* The INTA cycle as one chip sees it. */
static void chip_ack(struct x86_pic *pic, struct kvm_pic_state *s, unsigned int irq)
{
	s->isr |= BIT(irq);
	/* A level stays requested for as long as the line is high. */
	if (!(s->elcr & BIT(irq)))
		s->irr &= ~BIT(irq);
	if (s->auto_eoi) {
		if (s->rotate_on_auto_eoi)
			s->priority_add = (irq + 1) & 7;
		chip_end_service(pic, s, irq);
	}
}

/* The slave drives the master's input; the master drives INTR. */
static void pic_update(struct x86_pic *pic)
{
	bool output;

	if (chip_pending(pic, slave(pic)) >= 0)
		master(pic)->irr |= BIT(PIC_CASCADE);
	else
		master(pic)->irr &= ~BIT(PIC_CASCADE);

	output = chip_pending(pic, master(pic)) >= 0;
	if (output && !pic->output)
		pic->kick = true;
	WRITE_ONCE(pic->output, output);
}

/* ---- inputs ------------------------------------------------------------------------- */

static int chip_set_input(struct kvm_pic_state *s, unsigned int irq, bool high)
{
	u8 mask = BIT(irq);
	bool was_requested = s->irr & mask;

	if (s->elcr & mask) {
		if (high)
			s->irr |= mask;
		else
			s->irr &= ~mask;
	} else if (high && !(s->last_irr & mask)) {
		s->irr |= mask;
	}
	if (high)
		s->last_irr |= mask;
	else
		s->last_irr &= ~mask;

	if (s->imr & mask)
		return -1;
	return high && was_requested ? 0 : 1;
}

static int pic_set_sources(struct x86_pic *pic, unsigned int irq, int source, int level)
{
	if (level)
		__set_bit(source, &pic->sources[irq]);
	else
		__clear_bit(source, &pic->sources[irq]);
	return chip_set_input(&pic->chip[irq >> 3], irq & 7, pic->sources[irq]);
}

int x86_pic_set_irq(struct x86_vm *vm, int irq, int source, int level)
{
	struct x86_pic *pic = vm->pic;
	int ret;

	if (!pic || irq < 0 || irq >= 16 || source < 0 || source >= BITS_PER_LONG)
		return -1;
	pic_lock(pic);
	ret = pic_set_sources(pic, irq, source, level);
	pic_update(pic);
	pic_unlock(pic);
	return ret;
}

void x86_pic_drop_source(struct x86_vm *vm, int source)
{
	struct x86_pic *pic = vm->pic;
	unsigned int irq;

	if (!pic)
		return;
	pic_lock(pic);
	for (irq = 0; irq < 16; irq++)
		if (test_bit(source, &pic->sources[irq]))
			pic_set_sources(pic, irq, source, 0);
	pic_update(pic);
	pic_unlock(pic);
}

/* ---- output ---------------------------------------------------------------------------- */

bool x86_pic_output(struct x86_vm *vm)
{
	struct x86_pic *pic = READ_ONCE(vm->pic);

	return pic && READ_ONCE(pic->output);
}

int x86_pic_ack(struct x86_vm *vm)
{
	struct x86_pic *pic = vm->pic;
	int irq, vector;

	pic_lock(pic);
	irq = chip_pending(pic, master(pic));
	if (irq < 0) {
		/* The request is gone: a spurious interrupt, input 7. */
		vector = master(pic)->irq_base + 7;
	} else if (irq != PIC_CASCADE) {
		chip_ack(pic, master(pic), irq);
		vector = master(pic)->irq_base + irq;
	} else {
		chip_ack(pic, master(pic), PIC_CASCADE);
		irq = chip_pending(pic, slave(pic));
		if (irq >= 0)
			chip_ack(pic, slave(pic), irq);
		else
			irq = 7;
		vector = slave(pic)->irq_base + irq;
	}
	pic_update(pic);
	pic_unlock(pic);
	return vector & 0xff;
}

/* ---- ports ------------------------------------------------------------------------------- */

/* ICW1 begins initialization: only levels stay requested. */
static void chip_write_icw1(struct x86_pic *pic, struct kvm_pic_state *s, u8 val)
{
	/* Who waits for an EOI of what is now forgotten would wait forever. */
	u8 forgotten = s->isr | (s->irr & ~s->elcr);

	pic->acked |= (u16)forgotten << (s == slave(pic) ? 8 : 0);
	s->last_irr = 0;
	s->irr &= s->elcr;
	s->imr = 0;
	s->isr = 0;
	s->priority_add = 0;
	s->special_mask = 0;
	s->read_reg_select = 0;
	s->poll = 0;
	s->init4 = val & ICW1_IC4;
	if (!s->init4) {
		s->special_fully_nested_mode = 0;
		s->auto_eoi = 0;
	}
	s->rotate_on_auto_eoi = 0;
	s->init_state = 1;
}

/* OCW2: EOI and rotation, command in bits 7:5. */
static void chip_write_ocw2(struct x86_pic *pic, struct kvm_pic_state *s, u8 val)
{
	unsigned int prio, irq = val & 7;

	switch (val >> 5) {
	case 0:
	case 4:
		s->rotate_on_auto_eoi = val >> 7;
		break;
	case 1:
	case 5:
		prio = chip_priority(s, s->special_mask ? s->isr & ~s->imr : s->isr);
		if (prio == 8)
			break;
		irq = (prio + s->priority_add) & 7;
		chip_end_service(pic, s, irq);
		if (val & BIT(7))
			s->priority_add = (irq + 1) & 7;
		break;
	case 3:
	case 7:
		chip_end_service(pic, s, irq);
		if (val & BIT(7))
			s->priority_add = (irq + 1) & 7;
		break;
	case 6:
		s->priority_add = (irq + 1) & 7;
		break;
	default:
		break;		/* 2: no operation */
	}
}

static void chip_write_ocw3(struct kvm_pic_state *s, u8 val)
{
	if (val & BIT(2))
		s->poll = 1;
	if (val & BIT(1))
		s->read_reg_select = val & 1;
	if (val & BIT(6))
		s->special_mask = (val >> 5) & 1;
}

static void chip_write(struct x86_pic *pic, struct kvm_pic_state *s, bool a0, u8 val)
{
	if (!a0) {
		if (val & ICW1_INIT)
			chip_write_icw1(pic, s, val);
		else if (val & OCW3_SELECT)
			chip_write_ocw3(s, val);
		else
			chip_write_ocw2(pic, s, val);
		return;
	}
	switch (s->init_state) {
	case 1:				/* ICW2 */
		s->irq_base = val & 0xf8;
		s->init_state = 2;
		break;
	case 2:				/* ICW3: the cascade is wired */
		s->init_state = s->init4 ? 3 : 0;
		break;
	case 3:				/* ICW4 */
		s->special_fully_nested_mode = (val >> 4) & 1;
		s->auto_eoi = (val >> 1) & 1;
		s->init_state = 0;
		break;
	default:			/* OCW1 */
		s->imr = val;
		break;
	}
}

static u8 chip_read(const struct kvm_pic_state *s, bool a0)
{
	if (a0)
		return READ_ONCE(s->imr);
	return READ_ONCE(s->read_reg_select) ? READ_ONCE(s->isr) : READ_ONCE(s->irr);
}

/* Poll mode: the read is the INTA cycle; 0: nothing is requested. */
static noinline u8 chip_poll(struct x86_pic *pic, struct kvm_pic_state *s, bool a0)
{
	u8 val = 0;
	int irq;

	pic_lock(pic);
	if (s->poll) {
		s->poll = 0;
		irq = chip_pending(pic, s);
		if (irq >= 0) {
			chip_ack(pic, s, irq);
			val = BIT(7) | irq;
		}
		pic_update(pic);
	} else {
		/* Another vCPU was faster. */
		val = chip_read(s, a0);
	}
	pic_unlock(pic);
	return val;
}

static int pic_write(struct x86_pic *pic, int nr, gpa_t addr, int len, const void *val)
{
	if (len != 1)
		return -EOPNOTSUPP;
	pic_lock(pic);
	chip_write(pic, &pic->chip[nr], addr & 1, *(const u8 *)val);
	pic_update(pic);
	pic_unlock(pic);
	return 0;
}

/* Registers are bytes, and reading them changes nothing: no lock. */
static __always_inline int pic_read(struct x86_pic *pic, int nr, gpa_t addr, int len, void *val)
{
	struct kvm_pic_state *s = &pic->chip[nr];

	if (len != 1)
		return -EOPNOTSUPP;
	*(u8 *)val = unlikely(READ_ONCE(s->poll)) ? chip_poll(pic, s, addr & 1)
						  : chip_read(s, addr & 1);
	return 0;
}

/* The two chips have neighbouring ports, from @nr on. */
static int elcr_write(struct x86_pic *pic, int nr, gpa_t addr, int len, const void *val)
{
	struct kvm_pic_state *s = &pic->chip[nr + (addr & 1)];

	if (len != 1)
		return -EOPNOTSUPP;
	pic_lock(pic);
	s->elcr = *(const u8 *)val & s->elcr_mask;
	pic_unlock(pic);
	return 0;
}

static int elcr_read(struct x86_pic *pic, int nr, gpa_t addr, int len, void *val)
{
	if (len != 1)
		return -EOPNOTSUPP;
	*(u8 *)val = READ_ONCE(pic->chip[nr + (addr & 1)].elcr);
	return 0;
}

#define PIC_DEVICE(name, index, access, nr)						\
static int pic_##name##_read(struct kvm_vcpu *vcpu, struct kvm_io_device *dev,		\
			     gpa_t addr, int len, void *val)				\
{											\
	return access##_read(container_of(dev, struct x86_pic, dev[index]), nr,		\
			     addr, len, val);						\
}											\
static int pic_##name##_write(struct kvm_vcpu *vcpu, struct kvm_io_device *dev,		\
			      gpa_t addr, int len, const void *val)			\
{											\
	return access##_write(container_of(dev, struct x86_pic, dev[index]), nr,	\
			      addr, len, val);						\
}											\
static const struct kvm_io_device_ops pic_##name##_ops = {				\
	.read = pic_##name##_read,							\
	.write = pic_##name##_write,							\
	.read_irqoff = true,								\
	.write_irqoff = true,								\
}

PIC_DEVICE(master, 0, pic, PIC_MASTER);
PIC_DEVICE(slave, 1, pic, PIC_SLAVE);
PIC_DEVICE(elcr, 2, elcr, 0);

/* ---- state ---------------------------------------------------------------------------------- */

void x86_pic_get_state(struct x86_vm *vm, int chip, struct kvm_pic_state *s)
{
	struct x86_pic *pic = vm->pic;

	pic_lock(pic);
	*s = pic->chip[chip];
	pic_unlock(pic);
}

void x86_pic_set_state(struct x86_vm *vm, int chip, const struct kvm_pic_state *s)
{
	struct x86_pic *pic = vm->pic;
	struct kvm_pic_state *to = &pic->chip[chip];
	u8 elcr_mask = to->elcr_mask;

	pic_lock(pic);
	*to = *s;
	/* What is used as an index, a shift or a state must be one. */
	to->elcr_mask = elcr_mask;
	to->elcr &= elcr_mask;
	to->priority_add &= 7;
	to->irq_base &= 0xf8;
	to->init_state &= 3;
	pic_update(pic);
	pic_unlock(pic);
}

/* ---- life -------------------------------------------------------------------------------------- */

int x86_pic_create(struct x86_vm *vm)
{
	static const struct {
		const struct kvm_io_device_ops *ops;
		u16 port;
	} devs[3] = {
		{ &pic_master_ops, 0x20 }, { &pic_slave_ops, 0xa0 }, { &pic_elcr_ops, 0x4d0 },
	};
	struct x86_pic *pic = kzalloc(sizeof(*pic), GFP_KERNEL_ACCOUNT);
	int i, r;

	if (!pic)
		return -ENOMEM;
	spin_lock_init(&pic->lock);
	pic->vm = vm;
	/* Inputs 0, 1, 2, 8 and 13 can't be level-triggered in a PC. */
	master(pic)->elcr_mask = 0xf8;
	slave(pic)->elcr_mask = 0xde;

	for (i = 0; i < 3; i++) {
		kvm_iodevice_init(&pic->dev[i], devs[i].ops);
		r = kvm_io_bus_register_dev(&vm->core, KVM_PIO_BUS, devs[i].port, 2, &pic->dev[i]);
		if (r)
			goto undo;
	}
	WRITE_ONCE(vm->pic, pic);
	return 0;
undo:
	while (--i >= 0)
		kvm_io_bus_unregister_dev(&vm->core, KVM_PIO_BUS, &pic->dev[i]);
	kfree(pic);
	return r;
}

void x86_pic_unregister(struct x86_vm *vm)
{
	int i;

	for (i = 0; vm->pic && i < 3; i++)
		kvm_io_bus_unregister_dev(&vm->core, KVM_PIO_BUS, &vm->pic->dev[i]);
}

void x86_pic_free(struct x86_vm *vm)
{
	kfree(vm->pic);
	vm->pic = NULL;
}
