// SPDX-License-Identifier: GPL-2.0-only
/*
 * The in-kernel interrupt controllers seen from the VM's file descriptor: when
 * they can be created, their state, routing, lines, MSIs and irqfds.
 */
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "guest.h"

static int irqchip(struct vm *vm, unsigned long request, u32 id,
		   struct kvm_irqchip *c)
{
	c->chip_id = id;
	return ioctl(vm->fd, request, c);
}

TEST(create, "KVM_CREATE_IRQCHIP: once; EEXIST the second time")
{
	struct vm *vm = vm_bare();

	EXPECT_OK(ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0));
	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0), EEXIST);
}

TEST(create_late, "KVM_CREATE_IRQCHIP after a vCPU was created: EINVAL")
{
	struct vm *vm = vm_bare();

	vcpu_bare(vm, 0);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0), EINVAL);
}

TEST(without, "without an irqchip its ioctls fail with ENXIO and change nothing")
{
	struct vm *vm = vm_bare();
	struct kvm_irqchip c = {};
	struct kvm_pit_config pit = {};
	struct kvm_pit_state2 ps = {};
	struct kvm_irq_level irq = { .irq = 1, .level = 1 };
	struct kvm_msi msi = { .address_lo = 0xfee00000 };
	struct kvm_lapic_state lapic;
	struct vcpu *v = vcpu_bare(vm, 0);

	EXPECT_ERRNO(irqchip(vm, KVM_GET_IRQCHIP, 0, &c), ENXIO);
	EXPECT_ERRNO(irqchip(vm, KVM_SET_IRQCHIP, 0, &c), ENXIO);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_IRQ_LINE, &irq), ENXIO);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_GET_PIT2, &ps), ENXIO);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_PIT2, &ps), ENXIO);
	EXPECT(ioctl(vm->fd, KVM_CREATE_PIT2, &pit) == -1);
	EXPECT(ioctl(vm->fd, KVM_SIGNAL_MSI, &msi) <= 0);
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_LAPIC, &lapic), EINVAL);
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_LAPIC, &lapic), EINVAL);
}

TEST(chips, "KVM_GET_IRQCHIP and KVM_SET_IRQCHIP: three chips, others EINVAL")
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_irqchip c = {};

	for (u32 id = 0; id < 3; id++) {
		EXPECT_OK(irqchip(vm, KVM_GET_IRQCHIP, id, &c));
		EXPECT_OK(irqchip(vm, KVM_SET_IRQCHIP, id, &c));
	}
	EXPECT_ERRNO(irqchip(vm, KVM_GET_IRQCHIP, 3, &c), EINVAL);
	EXPECT_ERRNO(irqchip(vm, KVM_SET_IRQCHIP, 3, &c), EINVAL);
	EXPECT_ERRNO(irqchip(vm, KVM_GET_IRQCHIP, 0xffffffff, &c), EINVAL);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_GET_IRQCHIP, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_IRQCHIP, NULL), EFAULT);
}

TEST(ioapic_reset, "a new IOAPIC has its base at fec00000, all entries masked")
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_irqchip c = {};

	ASSERT_OK(irqchip(vm, KVM_GET_IRQCHIP, KVM_IRQCHIP_IOAPIC, &c));
	EXPECT_EQ(c.chip.ioapic.base_address, 0xfec00000);
	EXPECT_EQ(c.chip.ioapic.irr, 0);
	for (int i = 0; i < KVM_IOAPIC_NUM_PINS; i++)
		EXPECT_EQ(c.chip.ioapic.redirtbl[i].fields.mask, 1);
}

TEST(ioapic_state, "IOAPIC and PIC state written by KVM_SET_IRQCHIP is read back")
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_irqchip c = {}, d = {};

	ASSERT_OK(irqchip(vm, KVM_GET_IRQCHIP, KVM_IRQCHIP_IOAPIC, &c));
	c.chip.ioapic.ioregsel = 0x12;
	c.chip.ioapic.id = 5;
	c.chip.ioapic.redirtbl[7].bits = 0x0300000000018031ull;
	c.chip.ioapic.redirtbl[23].bits = 0x0000000000010040ull;
	ASSERT_OK(irqchip(vm, KVM_SET_IRQCHIP, KVM_IRQCHIP_IOAPIC, &c));
	ASSERT_OK(irqchip(vm, KVM_GET_IRQCHIP, KVM_IRQCHIP_IOAPIC, &d));
	EXPECT(!memcmp(&c.chip.ioapic, &d.chip.ioapic, sizeof(c.chip.ioapic)));

	for (u32 id = 0; id < 2; id++) {
		memset(&c, 0, sizeof(c));
		ASSERT_OK(irqchip(vm, KVM_GET_IRQCHIP, id, &c));
		c.chip.pic.imr = 0xa5;
		c.chip.pic.irq_base = 0x40 + id * 8;
		c.chip.pic.elcr = id ? 0x0e : 0x20;
		ASSERT_OK(irqchip(vm, KVM_SET_IRQCHIP, id, &c));
		memset(&d, 0, sizeof(d));
		ASSERT_OK(irqchip(vm, KVM_GET_IRQCHIP, id, &d));
		EXPECT_EQ(d.chip.pic.imr, 0xa5);
		EXPECT_EQ(d.chip.pic.irq_base, 0x40 + id * 8);
		EXPECT_EQ(d.chip.pic.elcr, c.chip.pic.elcr);
	}
}

TEST(irqchip_hostile, "KVM_SET_IRQCHIP with all bits set does no harm")
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_irq_level irq = { .level = 1 };
	struct kvm_irqchip c;

	vcpu_new(vm, 0);
	for (u32 id = 0; id < 3; id++) {
		memset(&c, 0xff, sizeof(c));
		irqchip(vm, KVM_SET_IRQCHIP, id, &c);
		for (irq.irq = 0; irq.irq < 24; irq.irq++) {
			irq.level = 1;
			EXPECT_OK(ioctl(vm->fd, KVM_IRQ_LINE, &irq));
			irq.level = 0;
			EXPECT_OK(ioctl(vm->fd, KVM_IRQ_LINE, &irq));
		}
		EXPECT_OK(irqchip(vm, KVM_GET_IRQCHIP, id, &c));
	}
}

TEST(line, "KVM_IRQ_LINE: bad lines and pointers; IRQ_LINE_STATUS reports")
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_irq_level irq = { .irq = 4, .level = 1 };

	vcpu_new(vm, 0);
	EXPECT_OK(ioctl(vm->fd, KVM_IRQ_LINE, &irq));
	irq.level = 0;
	EXPECT_OK(ioctl(vm->fd, KVM_IRQ_LINE_STATUS, &irq));
	EXPECT_ERRNO(ioctl(vm->fd, KVM_IRQ_LINE, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_IRQ_LINE_STATUS, NULL), EFAULT);
	/* far out of any routing table: no effect, no harm */
	irq.irq = 0xffffffff;
	ioctl(vm->fd, KVM_IRQ_LINE_STATUS, &irq);
	irq.irq = 4096;
	ioctl(vm->fd, KVM_IRQ_LINE_STATUS, &irq);
}

TEST(pit, "KVM_CREATE_PIT2: needs the irqchip, once")
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_pit_config good = {};
	struct kvm_pit_state2 a = {}, b = {};

	EXPECT_ERRNO(ioctl(vm->fd, KVM_GET_PIT2, &a), ENXIO);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_PIT2, NULL), EFAULT);
	EXPECT_OK(ioctl(vm->fd, KVM_CREATE_PIT2, &good));
	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_PIT2, &good), EEXIST);
	EXPECT_OK(ioctl(vm->fd, KVM_GET_PIT2, &a));
	a.channels[2].count = 0x1234;
	a.channels[2].mode = 3;
	EXPECT_OK(ioctl(vm->fd, KVM_SET_PIT2, &a));
	EXPECT_OK(ioctl(vm->fd, KVM_GET_PIT2, &b));
	EXPECT_EQ(b.channels[2].count, 0x1234);
	EXPECT_EQ(b.channels[2].mode, 3);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_GET_PIT2, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_PIT2, NULL), EFAULT);
}

TEST(pit_hostile, "KVM_SET_PIT2 with zero counts and all bits set does no harm")
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_pit_config config = {};
	struct kvm_pit_state2 s = {};

	vcpu_new(vm, 0);
	ASSERT_OK(ioctl(vm->fd, KVM_CREATE_PIT2, &config));
	/* mode 2 and 3 with a count of 0 is 65536, not a division by zero */
	for (u8 mode = 0; mode < 8; mode++) {
		memset(&s, 0, sizeof(s));
		for (int i = 0; i < 3; i++)
			s.channels[i].mode = mode;
		ioctl(vm->fd, KVM_SET_PIT2, &s);
		ioctl(vm->fd, KVM_GET_PIT2, &s);
	}
	for (int round = 0; round < 20; round++) {
		memset(&s, 0xff, sizeof(s));
		ioctl(vm->fd, KVM_SET_PIT2, &s);
		ioctl(vm->fd, KVM_GET_PIT2, &s);
		memset(&s, 0, sizeof(s));
		s.channels[0].mode = 2;
		s.channels[0].count = 1;
		s.channels[0].gate = 1;
		ioctl(vm->fd, KVM_SET_PIT2, &s);
	}
	usleep(20000);
}

TEST(reinject, "KVM_REINJECT_CONTROL: with a PIT only")
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_reinject_control c = { .pit_reinject = 0 };
	struct kvm_pit_config config = {};

	EXPECT_ERRNO(ioctl(vm->fd, KVM_REINJECT_CONTROL, &c), ENXIO);
	ASSERT_OK(ioctl(vm->fd, KVM_CREATE_PIT2, &config));
	EXPECT_OK(ioctl(vm->fd, KVM_REINJECT_CONTROL, &c));
	c.pit_reinject = 1;
	EXPECT_OK(ioctl(vm->fd, KVM_REINJECT_CONTROL, &c));
	EXPECT_ERRNO(ioctl(vm->fd, KVM_REINJECT_CONTROL, NULL), EFAULT);
}

struct routing {
	struct kvm_irq_routing h;
	struct kvm_irq_routing_entry e[64];
};

TEST(routing, "KVM_SET_GSI_ROUTING: bad types, pins, GSIs, flags and sizes")
{
	struct vm *vm = vm_new_irqchip();
	u32 max = kvm_cap(vm->kvm, KVM_CAP_IRQ_ROUTING);
	struct routing r = { .h.nr = 1 };

	r.e[0] = (struct kvm_irq_routing_entry) {
		.gsi = 5, .type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = KVM_IRQCHIP_IOAPIC, .pin = 5 },
	};
	EXPECT_OK(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r));
	r.e[0].u.irqchip.pin = 24;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), EINVAL);
	r.e[0].u.irqchip.pin = 0xffffffff;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), EINVAL);
	r.e[0].u.irqchip.pin = 5;
	r.e[0].u.irqchip.irqchip = 3;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), EINVAL);
	r.e[0].u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
	r.e[0].type = 99;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), EINVAL);
	r.e[0].type = KVM_IRQ_ROUTING_IRQCHIP;
	r.e[0].flags = 1;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), EINVAL);
	r.e[0].flags = 0;
	r.e[0].gsi = max;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), EINVAL);
	r.e[0].gsi = 0xffffffff;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), EINVAL);
	r.e[0].gsi = max - 1;
	EXPECT_OK(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r));
	r.h.flags = 1;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), EINVAL);
	r.h.flags = 0;
	r.h.nr = max + 1;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), EINVAL);
	r.h.nr = 0xffffffff;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), EINVAL);
	r.h.nr = 0;
	EXPECT_OK(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r));
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_GSI_ROUTING, NULL), EFAULT);
}

TEST(routing_dup, "one GSI may go to a pin of each chip, not to two of one, nor MSI beside")
{
	struct vm *vm = vm_new_irqchip();
	struct routing r = { .h.nr = 2 };

	r.e[0] = (struct kvm_irq_routing_entry) {
		.gsi = 5, .type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = KVM_IRQCHIP_IOAPIC, .pin = 5 },
	};
	r.e[1] = r.e[0];
	r.e[1].u.irqchip.irqchip = KVM_IRQCHIP_PIC_MASTER;
	EXPECT_OK(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r));
	r.e[1] = r.e[0];
	r.e[1].u.irqchip.pin = 6;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), EINVAL);
	r.e[1].type = KVM_IRQ_ROUTING_MSI;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), EINVAL);
}

TEST(msi, "KVM_SIGNAL_MSI: delivered, unknown flags refused")
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = 0x31 };
	struct kvm_lapic_state lapic;
	struct vcpu *v = vcpu_new(vm, 0);

	/* software-disabled LAPIC: not delivered */
	EXPECT_EQ(ioctl(vm->fd, KVM_SIGNAL_MSI, &msi), 0);
	ASSERT_OK(ioctl(v->fd, KVM_GET_LAPIC, &lapic));
	*(u32 *)(lapic.regs + APIC_SVR) = 0x1ff;
	ASSERT_OK(ioctl(v->fd, KVM_SET_LAPIC, &lapic));
	EXPECT_EQ(ioctl(vm->fd, KVM_SIGNAL_MSI, &msi), 1);
	ASSERT_OK(ioctl(v->fd, KVM_GET_LAPIC, &lapic));
	EXPECT_EQ(*(u32 *)(lapic.regs + APIC_IRR + 0x10), 1u << 17);
	msi.flags = 0xff;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SIGNAL_MSI, &msi), EINVAL);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SIGNAL_MSI, NULL), EFAULT);
}

static int irqfd(struct vm *vm, int fd, u32 gsi, u32 flags, int resample)
{
	struct kvm_irqfd f = {
		.fd = fd, .gsi = gsi, .flags = flags, .resamplefd = resample,
	};

	return ioctl(vm->fd, KVM_IRQFD, &f);
}

TEST(irqfd, "KVM_IRQFD: assign, EBUSY when the eventfd is taken, deassign, bad input")
{
	struct vm *vm = vm_new_irqchip();
	int e = eventfd(0, 0), pipefd[2];

	ASSERT_OK(pipe(pipefd));
	EXPECT_OK(irqfd(vm, e, 5, 0, 0));
	EXPECT_ERRNO(irqfd(vm, e, 5, 0, 0), EBUSY);
	EXPECT_ERRNO(irqfd(vm, e, 6, 0, 0), EBUSY);
	EXPECT_OK(irqfd(vm, e, 5, KVM_IRQFD_FLAG_DEASSIGN, 0));
	EXPECT_OK(irqfd(vm, e, 5, 0, 0));
	EXPECT_ERRNO(irqfd(vm, pipefd[0], 5, 0, 0), EINVAL);
	EXPECT_ERRNO(irqfd(vm, -1, 5, 0, 0), EBADF);
	EXPECT_ERRNO(irqfd(vm, e, 5, 1u << 31, 0), EINVAL);
	EXPECT_ERRNO(irqfd(vm, -1, 5, KVM_IRQFD_FLAG_DEASSIGN, 0), EBADF);
	EXPECT_ERRNO(irqfd(vm, eventfd(0, 0), 5, KVM_IRQFD_FLAG_RESAMPLE, -1), EBADF);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_IRQFD, NULL), EFAULT);
}

TEST(irqfd_none, "KVM_IRQFD without an irqchip is refused")
{
	struct vm *vm = vm_bare();

	EXPECT_ERRNO(irqfd(vm, eventfd(0, 0), 5, 0, 0), EINVAL);
}

TEST(irqfd_signal, "a signalled irqfd becomes pending in the LAPIC by its MSI route")
{
	struct vm *vm = vm_new_irqchip();
	struct routing r = { .h.nr = 1 };
	struct kvm_lapic_state lapic;
	struct vcpu *v = vcpu_new(vm, 0);
	int e = eventfd(0, 0);
	u64 one = 1;
	u32 irr = 0;

	r.e[0] = (struct kvm_irq_routing_entry) {
		.gsi = 40, .type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee00000, .data = 0x42 },
	};
	ASSERT_OK(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r));
	ASSERT_OK(ioctl(v->fd, KVM_GET_LAPIC, &lapic));
	*(u32 *)(lapic.regs + APIC_SVR) = 0x1ff;
	ASSERT_OK(ioctl(v->fd, KVM_SET_LAPIC, &lapic));
	ASSERT_OK(irqfd(vm, e, 40, 0, 0));
	ASSERT_EQ(write(e, &one, 8), 8);
	for (int i = 0; i < 100 && !irr; i++) {
		ASSERT_OK(ioctl(v->fd, KVM_GET_LAPIC, &lapic));
		irr = *(u32 *)(lapic.regs + APIC_IRR + 0x20);
		usleep(1000);
	}
	EXPECT_EQ(irr, 1u << 2);
}

TEST(irqfd_early, "an eventfd already signalled fires as soon as it becomes an irqfd")
{
	struct vm *vm = vm_new_irqchip();
	struct routing r = { .h.nr = 1 };
	struct kvm_lapic_state lapic;
	struct vcpu *v = vcpu_new(vm, 0);
	u32 irr = 0;

	r.e[0] = (struct kvm_irq_routing_entry) {
		.gsi = 1, .type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee00000, .data = 0x43 },
	};
	ASSERT_OK(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r));
	ASSERT_OK(ioctl(v->fd, KVM_GET_LAPIC, &lapic));
	*(u32 *)(lapic.regs + APIC_SVR) = 0x1ff;
	ASSERT_OK(ioctl(v->fd, KVM_SET_LAPIC, &lapic));
	ASSERT_OK(irqfd(vm, eventfd(1, 0), 1, 0, 0));
	for (int i = 0; i < 100 && !irr; i++) {
		ASSERT_OK(ioctl(v->fd, KVM_GET_LAPIC, &lapic));
		irr = *(u32 *)(lapic.regs + APIC_IRR + 0x20);
		usleep(1000);
	}
	EXPECT_EQ(irr, 1u << 3);
}

TEST(irqfd_close, "closing an eventfd that is an irqfd, in any order, is safe")
{
	for (int i = 0; i < 50; i++) {
		struct vm *vm = vm_new_irqchip();
		int e = eventfd(0, 0), r = eventfd(0, 0);
		u64 one = 1;

		vcpu_new(vm, 0);
		ASSERT_OK(irqfd(vm, e, 5, i & 1 ? KVM_IRQFD_FLAG_RESAMPLE : 0, r));
		if (write(e, &one, 8) != 8)
			tap_note("write failed");
		if (i & 2)
			close(e);
		vm_free(vm);
		if (!(i & 2))
			close(e);
		close(r);
	}
}

TEST(split, "split irqchip: KVM_ENABLE_CAP gives LAPICs without PIC and IOAPIC")
{
	struct vm *vm = vm_new();
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args[0] = 24 };
	struct kvm_irqchip c = {};
	struct kvm_lapic_state lapic;
	struct kvm_enable_cap bad = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args[0] = 100000 };

	if (!kvm_cap(vm->fd, KVM_CAP_SPLIT_IRQCHIP))
		tap_skip("no KVM_CAP_SPLIT_IRQCHIP");
	EXPECT_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &bad), EINVAL);
	EXPECT_OK(ioctl(vm->fd, KVM_ENABLE_CAP, &cap));
	EXPECT_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EEXIST);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0), EEXIST);
	EXPECT_ERRNO(irqchip(vm, KVM_GET_IRQCHIP, 0, &c), ENXIO);
	EXPECT_OK(ioctl(vcpu_new(vm, 0)->fd, KVM_GET_LAPIC, &lapic));
}

TEST(split_late, "split irqchip after a vCPU: EEXIST")
{
	struct vm *vm = vm_new();
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args[0] = 24 };

	if (!kvm_cap(vm->fd, KVM_CAP_SPLIT_IRQCHIP))
		tap_skip("no KVM_CAP_SPLIT_IRQCHIP");
	vcpu_bare(vm, 0);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EEXIST);
}
