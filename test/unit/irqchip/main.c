// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interrupt controllers by their data sheets, as a guest's ports, MMIO and
 * MSRs see them. One TAP line for each thing that the manual promises.
 */
#include "stubs.h"

#define NR_VCPUS 4

static struct x86_vm vm;
static struct x86_vcpu vcpus[NR_VCPUS];
static int tests, failures;
static bool ok;

#define EXPECT_EQ(a, b)								\
do {										\
	long long __a = (a), __b = (b);						\
	if (__a != __b) {							\
		printf("# line %d: %s is %#llx, expected %#llx\n", __LINE__, #a, __a, __b); \
		ok = false;							\
	}									\
} while (0)

/* ---- the machine --------------------------------------------------------------- */

static void reset_apic(int i, bool x2apic)
{
	struct x86_vcpu *v = &vcpus[i];
	struct x86_lapic *apic = v->apic;

	memset(apic->regs, 0, 4096);
	v->apic_base = 0xfee00000 | MSR_IA32_APICBASE_ENABLE | (x2apic ? X2APIC_ENABLE : 0);
	apic->isr_highest = -1;
	apic->virtualized = apic->posts = apic->apicv = false;
	apic->apicv_mode = X86_APIC_OFF;
	lapic_drop_posted(apic);
	apic->irr_pending = false;
	apic->esr_pending = 0;
	apic->pending_events = 0;
	apic->lowest_prio_count.counter = 0;
	apic->sw_enabled = true;
	lapic_set_reg(apic, APIC_SPIV, 0x1ff);
	lapic_set_reg(apic, APIC_DFR, 0xffffffff);
	lapic_set_reg(apic, APIC_LVTERR, APIC_LVT_MASKED);
	if (x2apic) {
		lapic_set_reg(apic, APIC_ID, i);
		lapic_set_reg(apic, APIC_LDR, lapic_x2apic_ldr(i));
	} else {
		lapic_set_reg(apic, APIC_ID, i << 24);
		lapic_set_reg(apic, APIC_LDR, 1u << (24 + i));
	}
	v->core.requests = 0;
	v->core.kicks = 0;
	v->nmis = 0;
	memset(v->eoi_exit_bitmap, 0, sizeof(v->eoi_exit_bitmap));
}

static void setup(bool x2apic)
{
	int i;

	x86_ioapic_free(&vm);
	x86_pic_free(&vm);
	x86_apic_map_free(&vm);
	for (i = 0; i < NR_VCPUS; i++) {
		if (vcpus[i].apic)
			free(vcpus[i].apic->regs);
		free(vcpus[i].apic);
	}
	memset(&vm, 0, sizeof(vm));
	memset(vcpus, 0, sizeof(vcpus));
	memset(stub_acked, 0, sizeof(stub_acked));
	memset(stub_notifier, 0, sizeof(stub_notifier));
	stub_nr_devices = 0;
	vm.core.online_vcpus.counter = NR_VCPUS;
	x86_pic_create(&vm);
	x86_ioapic_create(&vm);
	vm.irqchip_mode = X86_IRQCHIP_KERNEL;
	for (i = 0; i < NR_VCPUS; i++) {
		vcpus[i].core.kvm = &vm.core;
		vcpus[i].core.id = i;
		vm.core.vcpus[i] = &vcpus[i].core;
		vcpus[i].apic = calloc(1, sizeof(struct x86_lapic));
		vcpus[i].apic->vcpu = &vcpus[i];
		vcpus[i].apic->regs = calloc(1, 4096);
		reset_apic(i, x2apic);
	}
	x86_apic_map_touch(&vm);
	x86_apic_map_update(&vm);
}

static struct stub_device *at(gpa_t addr)
{
	int i;

	for (i = 0; i < stub_nr_devices; i++)
		if (addr >= stub_devices[i].addr && addr < stub_devices[i].addr + stub_devices[i].len)
			return &stub_devices[i];
	abort();
}

static void out(u16 port, u8 val)
{
	at(port)->dev->ops->write(&vcpus[0].core, at(port)->dev, port, 1, &val);
}

static u8 in(u16 port)
{
	u8 val = 0;

	at(port)->dev->ops->read(&vcpus[0].core, at(port)->dev, port, 1, &val);
	return val;
}

static void mmio_w(int cpu, u32 reg, u32 val)
{
	x86_lapic_mmio_write(&vcpus[cpu], 0xfee00000 + reg, 4, &val);
}

static u32 mmio_r(int cpu, u32 reg)
{
	u32 val = 0;

	x86_lapic_mmio_read(&vcpus[cpu], 0xfee00000 + reg, 4, &val);
	return val;
}

static void ioapic_w(u32 index, u32 val)
{
	struct stub_device *d = at(0xfec00000);

	d->dev->ops->write(&vcpus[0].core, d->dev, 0xfec00000, 4, &index);
	d->dev->ops->write(&vcpus[0].core, d->dev, 0xfec00010, 4, &val);
}

static u32 ioapic_r(u32 index)
{
	struct stub_device *d = at(0xfec00000);
	u32 val = 0;

	d->dev->ops->write(&vcpus[0].core, d->dev, 0xfec00000, 4, &index);
	d->dev->ops->read(&vcpus[0].core, d->dev, 0xfec00010, 4, &val);
	return val;
}

static void rte(unsigned int pin, u8 dest, u32 low)
{
	ioapic_w(0x11 + 2 * pin, (u32)dest << 24);
	ioapic_w(0x10 + 2 * pin, low);
}

static void init_pics(u8 icw4)
{
	out(0x20, 0x11); out(0x21, 0x20); out(0x21, 4); out(0x21, icw4);
	out(0xa0, 0x11); out(0xa1, 0x28); out(0xa1, 2); out(0xa1, icw4);
	out(0x21, 0); out(0xa1, 0);
}

static void pic_irq(int irq, int level) { x86_pic_set_irq(&vm, irq, 0, level); }
static void pulse(int irq) { pic_irq(irq, 1); pic_irq(irq, 0); }

static bool irr(int cpu, u8 vec) { return lapic_test_vec(vcpus[cpu].apic, APIC_IRR, vec); }
static bool isr(int cpu, u8 vec) { return lapic_test_vec(vcpus[cpu].apic, APIC_ISR, vec); }

/* Which vCPUs have @vec requested; and forget it. */
static unsigned int who(u8 vec)
{
	unsigned int mask = 0;
	int i;

	for (i = 0; i < NR_VCPUS; i++) {
		if (irr(i, vec))
			mask |= BIT(i);
		clear_bit(vec & 31, lapic_vec_word(vcpus[i].apic, APIC_IRR, vec));
	}
	return mask;
}

/* ---- 8259A ------------------------------------------------------------------------ */

static void pic_vectors(void)
{
	setup(false);
	init_pics(1);
	EXPECT_EQ(x86_pic_output(&vm), 0);
	pulse(3);
	EXPECT_EQ(x86_pic_output(&vm), 1);
	EXPECT_EQ(x86_pic_ack(&vm), 0x23);
	pulse(12);				/* input 2 of the master: above 3 */
	EXPECT_EQ(x86_pic_ack(&vm), 0x2c);
}

static void pic_priority(void)
{
	setup(false);
	init_pics(1);
	pulse(5);
	pulse(1);
	EXPECT_EQ(x86_pic_ack(&vm), 0x21);
	EXPECT_EQ(x86_pic_output(&vm), 0);	/* 5 waits for 1 */
	out(0x20, 0x20);
	EXPECT_EQ(x86_pic_output(&vm), 1);
	EXPECT_EQ(x86_pic_ack(&vm), 0x25);
	pulse(0);				/* interrupts 5 */
	EXPECT_EQ(x86_pic_ack(&vm), 0x20);
	out(0x20, 0x0b);
	EXPECT_EQ(in(0x20), 0x21);		/* both in service */
	out(0x20, 0x60 | 5);			/* specific EOI */
	EXPECT_EQ(in(0x20), 0x01);
	EXPECT_EQ(stub_acked[KVM_IRQCHIP_PIC_MASTER][5], 1);
}

static void pic_slave(void)
{
	setup(false);
	init_pics(1);
	pulse(12);
	pulse(9);
	EXPECT_EQ(x86_pic_ack(&vm), 0x29);
	EXPECT_EQ(x86_pic_output(&vm), 0);
	out(0xa0, 0x20);
	EXPECT_EQ(x86_pic_output(&vm), 0);	/* master still serves its input 2 */
	out(0x20, 0x20);
	EXPECT_EQ(x86_pic_output(&vm), 1);
	EXPECT_EQ(x86_pic_ack(&vm), 0x2c);
	EXPECT_EQ(stub_acked[KVM_IRQCHIP_PIC_SLAVE][1], 1);
	pulse(1);				/* above the slave */
	EXPECT_EQ(x86_pic_ack(&vm), 0x21);
}

static void pic_mask(void)
{
	setup(false);
	init_pics(1);
	out(0x21, 0x08);
	pulse(3);
	EXPECT_EQ(x86_pic_output(&vm), 0);
	EXPECT_EQ(in(0x21), 0x08);
	out(0x20, 0x0a);
	EXPECT_EQ(in(0x20), 0x08);		/* latched all the same */
	out(0x21, 0);
	EXPECT_EQ(x86_pic_ack(&vm), 0x23);
}

static void pic_level(void)
{
	setup(false);
	init_pics(1);
	out(0x4d0, 0xff);
	EXPECT_EQ(in(0x4d0), 0xf8);		/* 0, 1, 2 are edges for ever */
	pic_irq(5, 1);
	EXPECT_EQ(x86_pic_ack(&vm), 0x25);
	out(0x20, 0x20);
	EXPECT_EQ(x86_pic_output(&vm), 1);	/* still high: again */
	pic_irq(5, 0);
	EXPECT_EQ(x86_pic_output(&vm), 0);
	EXPECT_EQ(x86_pic_ack(&vm), 0x27);	/* spurious */
}

static void pic_sources(void)
{
	setup(false);
	init_pics(1);
	out(0x4d0, 0x20);
	x86_pic_set_irq(&vm, 5, 0, 1);
	x86_pic_set_irq(&vm, 5, 2, 1);
	x86_pic_set_irq(&vm, 5, 0, 0);
	EXPECT_EQ(x86_pic_output(&vm), 1);
	x86_pic_drop_source(&vm, 2);
	EXPECT_EQ(x86_pic_output(&vm), 0);
	EXPECT_EQ(x86_pic_set_irq(&vm, 16, 0, 1), -1);
	EXPECT_EQ(x86_pic_set_irq(&vm, 5, 64, 1), -1);
}

static void pic_rotate(void)
{
	setup(false);
	init_pics(1);
	pulse(2 + 1);
	EXPECT_EQ(x86_pic_ack(&vm), 0x23);
	out(0x20, 0xa0);			/* EOI, then 3 is the lowest */
	pulse(3);
	pulse(7);
	EXPECT_EQ(x86_pic_ack(&vm), 0x27);
	init_pics(1);
	out(0x20, 0xc0 | 4);			/* 5 is the highest */
	pulse(0);
	pulse(6);
	EXPECT_EQ(x86_pic_ack(&vm), 0x26);
}

static void pic_auto_eoi(void)
{
	setup(false);
	init_pics(3);
	pulse(4);
	EXPECT_EQ(x86_pic_ack(&vm), 0x24);
	out(0x20, 0x0b);
	EXPECT_EQ(in(0x20), 0);
	EXPECT_EQ(stub_acked[KVM_IRQCHIP_PIC_MASTER][4], 1);
}

static void pic_poll(void)
{
	setup(false);
	init_pics(1);
	pulse(6);
	out(0x20, 0x0c);
	EXPECT_EQ(in(0x20), 0x86);
	EXPECT_EQ(x86_pic_output(&vm), 0);
	out(0x20, 0x0c);
	EXPECT_EQ(in(0x20) & 0x80, 0);
}

static void pic_special_mask(void)
{
	setup(false);
	init_pics(1);
	pulse(1);
	EXPECT_EQ(x86_pic_ack(&vm), 0x21);
	pulse(4);
	EXPECT_EQ(x86_pic_output(&vm), 0);
	out(0x21, 0x02);
	out(0x20, 0x68);			/* set special mask mode */
	EXPECT_EQ(x86_pic_output(&vm), 1);
}

static void pic_state(void)
{
	struct kvm_pic_state s;

	setup(false);
	memset(&s, 0xff, sizeof(s));
	x86_pic_set_state(&vm, 0, &s);
	x86_pic_set_state(&vm, 1, &s);
	x86_pic_ack(&vm);
	x86_pic_get_state(&vm, 0, &s);
	EXPECT_EQ(s.priority_add & ~7, 0);
	EXPECT_EQ(s.elcr_mask, 0xf8);
	out(0x4d0, 0);				/* no levels left that nobody drives */
	out(0x4d1, 0);
	init_pics(1);
	pulse(3);
	EXPECT_EQ(x86_pic_ack(&vm), 0x23);
}

/* ---- 82093AA ------------------------------------------------------------------------ */

static void ioapic_regs(void)
{
	setup(false);
	EXPECT_EQ(ioapic_r(1), 0x170011);
	ioapic_w(0, 0xffffffff);
	EXPECT_EQ(ioapic_r(0), 0x0f000000);
	EXPECT_EQ(ioapic_r(0x10), 0x10000);	/* masked at reset */
	rte(23, 0xff, 0xffffffff);
	EXPECT_EQ(ioapic_r(0x3e), 0x1afff);	/* read-only and reserved bits stay 0 */
	EXPECT_EQ(ioapic_r(0x3f), 0xff000000);
	ioapic_w(0xff, 1);			/* past the table: nothing */
	EXPECT_EQ(ioapic_r(0xff), 0xffffffff);
}

static void ioapic_edge(void)
{
	setup(false);
	rte(4, 1, 0x31);
	EXPECT_EQ(x86_ioapic_set_irq(&vm, 4, 0, 1), 1);
	EXPECT_EQ(who(0x31), BIT(1));
	EXPECT_EQ(x86_ioapic_set_irq(&vm, 4, 0, 1), 0);	/* no new edge */
	EXPECT_EQ(who(0x31), 0);
	x86_ioapic_set_irq(&vm, 4, 0, 0);
	rte(4, 1, 0x10031);
	EXPECT_EQ(x86_ioapic_set_irq(&vm, 4, 0, 1), -1);
	rte(4, 1, 0x31);
	EXPECT_EQ(who(0x31), 0);		/* lost while masked */
}

static void ioapic_level(void)
{
	int i;

	setup(false);
	rte(10, 2, 0x8041);
	x86_ioapic_set_irq(&vm, 10, 0, 1);
	EXPECT_EQ(irr(2, 0x41), 1);
	EXPECT_EQ(lapic_test_vec(vcpus[2].apic, APIC_TMR, 0x41), 1);
	EXPECT_EQ(ioapic_r(0x24) & BIT(14), BIT(14));
	EXPECT_EQ(x86_lapic_ack(&vcpus[2]), 0x41);
	EXPECT_EQ(x86_ioapic_set_irq(&vm, 10, 0, 1), 0);
	mmio_w(2, APIC_EOI, 0);			/* line still high: again */
	EXPECT_EQ(irr(2, 0x41), 1);
	EXPECT_EQ(stub_acked[KVM_IRQCHIP_IOAPIC][10], 1);
	x86_ioapic_set_irq(&vm, 10, 0, 0);
	EXPECT_EQ(x86_lapic_ack(&vcpus[2]), 0x41);
	mmio_w(2, APIC_EOI, 0);
	EXPECT_EQ(irr(2, 0x41), 0);
	EXPECT_EQ(ioapic_r(0x24) & BIT(14), 0);

	/* A storm gets a rest. */
	x86_ioapic_set_irq(&vm, 10, 0, 1);
	for (i = 0; i < 20000 && x86_lapic_ack(&vcpus[2]) == 0x41; i++)
		mmio_w(2, APIC_EOI, 0);
	EXPECT_EQ(i, 10000);
	rte(10, 2, 0x8041);			/* reprogramming delivers at once */
	EXPECT_EQ(irr(2, 0x41), 1);
}

static void ioapic_remote_irr(void)
{
	setup(false);
	rte(11, 0, 0x8051);
	x86_ioapic_set_irq(&vm, 11, 0, 1);
	EXPECT_EQ(ioapic_r(0x26) & BIT(14), BIT(14));
	rte(11, 0, 0x10051);			/* edge: remote IRR goes */
	rte(11, 0, 0x18051);
	EXPECT_EQ(ioapic_r(0x26) & BIT(14), 0);
	who(0x51);
	rte(11, 0, 0x8051);			/* unmasked, line high */
	EXPECT_EQ(who(0x51), BIT(0));
}

static void ioapic_edge_ack(void)
{
	setup(false);
	stub_notifier[2] = true;
	rte(2, 0, 0x30);
	rte(3, 1, 0x30);
	x86_vcpu_scan_ioapic(&vcpus[0]);
	x86_vcpu_scan_ioapic(&vcpus[1]);
	EXPECT_EQ(test_bit(0x30, (unsigned long *)vcpus[0].eoi_exit_bitmap), 1);
	EXPECT_EQ(test_bit(0x30, (unsigned long *)vcpus[1].eoi_exit_bitmap), 0);
	x86_ioapic_set_irq(&vm, 2, 0, 1);
	EXPECT_EQ(x86_lapic_ack(&vcpus[0]), 0x30);
	mmio_w(0, APIC_EOI, 0);
	EXPECT_EQ(stub_acked[KVM_IRQCHIP_IOAPIC][2], 1);
	EXPECT_EQ(stub_acked[KVM_IRQCHIP_IOAPIC][3], 0);
}

static void ioapic_state(void)
{
	struct kvm_ioapic_state s;

	setup(false);
	memset(&s, 0xff, sizeof(s));
	x86_ioapic_set_state(&vm, &s);		/* hostile, no harm */
	memset(&s, 0, sizeof(s));
	s.redirtbl[9].bits = 0x8061 | 3ull << 56;
	s.irr = BIT(9);
	x86_ioapic_set_state(&vm, &s);
	EXPECT_EQ(who(0x61), BIT(3));		/* pending where it was saved */
	x86_ioapic_get_state(&vm, &s);
	EXPECT_EQ(s.irr, BIT(9));
	EXPECT_EQ(s.redirtbl[9].fields.remote_irr, 1);
}

/* ---- local APIC ------------------------------------------------------------------------ */

static void lapic_priorities(void)
{
	setup(false);
	lapic_accept(vcpus[0].apic, X86_DM_FIXED, 0x45, false, true);
	lapic_accept(vcpus[0].apic, X86_DM_FIXED, 0x62, false, true);
	EXPECT_EQ(lapic_accept(vcpus[0].apic, X86_DM_FIXED, 0x62, false, true), 0);
	mmio_w(0, APIC_TASKPRI, 0x6f);
	EXPECT_EQ(mmio_r(0, APIC_PROCPRI), 0x6f);
	EXPECT_EQ(x86_lapic_pending(&vcpus[0]), -1);	/* same class as TPR */
	mmio_w(0, APIC_TASKPRI, 0x50);
	EXPECT_EQ(x86_lapic_ack(&vcpus[0]), 0x62);
	EXPECT_EQ(mmio_r(0, APIC_PROCPRI), 0x60);
	EXPECT_EQ(x86_lapic_pending(&vcpus[0]), -1);
	mmio_w(0, APIC_TASKPRI, 0);
	lapic_accept(vcpus[0].apic, X86_DM_FIXED, 0x71, false, true);
	EXPECT_EQ(x86_lapic_ack(&vcpus[0]), 0x71);	/* nests */
	mmio_w(0, APIC_EOI, 0);
	EXPECT_EQ(isr(0, 0x71), 0);
	EXPECT_EQ(isr(0, 0x62), 1);
	EXPECT_EQ(x86_lapic_pending(&vcpus[0]), -1);
	mmio_w(0, APIC_EOI, 0);
	EXPECT_EQ(x86_lapic_ack(&vcpus[0]), 0x45);
	mmio_w(0, APIC_EOI, 0);
	mmio_w(0, APIC_EOI, 0);			/* nothing in service: ignored */
	EXPECT_EQ(mmio_r(0, APIC_PROCPRI), 0);
}

static void lapic_cr8(void)
{
	setup(false);
	mmio_w(0, APIC_TASKPRI, 0x5c);
	EXPECT_EQ(x86_lapic_get_cr8(&vcpus[0]), 5);
	x86_lapic_set_tpr(&vcpus[0], 5);
	EXPECT_EQ(mmio_r(0, APIC_TASKPRI), 0x50);
}

static void lapic_errors(void)
{
	setup(false);
	mmio_w(0, APIC_LVTERR, 0xfe);
	mmio_w(0, APIC_ICR, APIC_DEST_SELF | 0x0f);
	EXPECT_EQ(mmio_r(0, APIC_ESR), 0);	/* not before a write */
	EXPECT_EQ(irr(0, 0xfe), 1);
	mmio_w(0, APIC_ESR, 0);
	EXPECT_EQ(mmio_r(0, APIC_ESR), APIC_ESR_SENDILL);
	mmio_w(0, APIC_ESR, 0);
	EXPECT_EQ(mmio_r(0, APIC_ESR), 0);
	lapic_accept(vcpus[0].apic, X86_DM_FIXED, 0x0f, false, true);
	mmio_r(0, 0x3f0);
	mmio_w(0, 0x40, 0);
	mmio_w(0, APIC_ESR, 0);
	EXPECT_EQ(mmio_r(0, APIC_ESR), APIC_ESR_RECVILL | APIC_ESR_ILLREGA);
	/* An error vector that is itself illegal must end somewhere. */
	mmio_w(0, APIC_LVTERR, 0x05);
	lapic_accept(vcpus[0].apic, X86_DM_FIXED, 1, false, true);
}

static void lapic_sw_disabled(void)
{
	setup(false);
	mmio_w(0, APIC_LVT0, 0x700);
	mmio_w(0, APIC_SPIV, 0xff);
	EXPECT_EQ(mmio_r(0, APIC_LVT0), 0x10700);
	mmio_w(0, APIC_LVT0, 0x700);
	EXPECT_EQ(mmio_r(0, APIC_LVT0), 0x10700);	/* mask bits can't be cleared */
	EXPECT_EQ(lapic_accept(vcpus[0].apic, X86_DM_FIXED, 0x40, false, true), -1);
	EXPECT_EQ(lapic_accept(vcpus[0].apic, X86_DM_NMI, 0, false, true), 1);
	EXPECT_EQ(vcpus[0].nmis, 1);
	mmio_w(0, APIC_SPIV, 0x1ff);
	mmio_w(0, APIC_LVT0, 0x700);
	EXPECT_EQ(x86_cpu_accepts_extint(&vcpus[0]), 1);
}

static void lapic_mmio_odd(void)
{
	u64 eight = ~0ull;
	u8 byte = 0;

	setup(false);
	EXPECT_EQ(x86_lapic_mmio_read(&vcpus[0], 0xfee01000, 4, &eight), -EOPNOTSUPP);
	EXPECT_EQ(x86_lapic_mmio_read(&vcpus[0], 0xfee00ffc, 8, &eight), -EOPNOTSUPP);
	mmio_w(0, APIC_TASKPRI, 0x12);
	x86_lapic_mmio_write(&vcpus[0], 0xfee00084, 4, &eight);	/* not at a multiple of 16 */
	x86_lapic_mmio_write(&vcpus[0], 0xfee00080, 8, &eight);
	x86_lapic_mmio_write(&vcpus[0], 0xfee00080, 1, &byte);
	EXPECT_EQ(mmio_r(0, APIC_TASKPRI), 0x12);
	x86_lapic_mmio_read(&vcpus[0], 0xfee00080, 1, &byte);
	EXPECT_EQ(byte, 0x12);
	mmio_w(0, APIC_LVR, 0);
	EXPECT_EQ(mmio_r(0, APIC_LVR), 0x50014);
}

static void lapic_x2apic_msrs(void)
{
	struct x86_vcpu *v = &vcpus[1];
	u64 data;

	setup(true);
	EXPECT_EQ(x86_lapic_msr_read(v, 0x802, &data), 0);
	EXPECT_EQ(data, 1);
	EXPECT_EQ(x86_lapic_msr_read(v, 0x80d, &data), 0);
	EXPECT_EQ(data, 2);			/* cluster 0, bit 1 */
	EXPECT_EQ(x86_lapic_msr_read(v, 0x80b, &data), 1);	/* EOI is write-only */
	EXPECT_EQ(x86_lapic_msr_read(v, 0x80e, &data), 1);	/* no DFR */
	EXPECT_EQ(x86_lapic_msr_read(v, 0x831, &data), 1);	/* no ICR2 */
	EXPECT_EQ(x86_lapic_msr_read(v, 0x8ff, &data), 1);
	EXPECT_EQ(x86_lapic_msr_write(v, 0x802, 1), 1);	/* ID is read-only */
	EXPECT_EQ(x86_lapic_msr_write(v, 0x80d, 1), 1);
	EXPECT_EQ(x86_lapic_msr_write(v, 0x80b, 1), 1);	/* EOI takes 0 only */
	EXPECT_EQ(x86_lapic_msr_write(v, 0x80b, 0), 0);
	EXPECT_EQ(x86_lapic_msr_write(v, 0x828, 1), 1);	/* so does ESR */
	EXPECT_EQ(x86_lapic_msr_write(v, 0x808, 0x100), 1);
	EXPECT_EQ(x86_lapic_msr_write(v, 0x808, 0xff), 0);
	EXPECT_EQ(x86_lapic_msr_write(v, 0x80f, 0x1000), 1);
	EXPECT_EQ(x86_lapic_msr_write(v, 0x835, 0x100000), 1);
	EXPECT_EQ(x86_lapic_msr_write(v, 0x83e, 4), 1);
	EXPECT_EQ(x86_lapic_msr_write(v, 0x830, BIT(20) | 0x40), 1);
	EXPECT_EQ(x86_lapic_msr_write(v, 0x83f, 0x140), 1);
	EXPECT_EQ(x86_lapic_msr_write(v, 0x83f, 0x40), 0);
	EXPECT_EQ(who(0x40), BIT(1));
	EXPECT_EQ(x86_lapic_msr_write(v, 0x830, 3ull << 32 | 0x41), 0);
	EXPECT_EQ(x86_lapic_msr_read(v, 0x830, &data), 0);
	EXPECT_EQ(data, 3ull << 32 | 0x41);
	EXPECT_EQ(who(0x41), BIT(3));
	EXPECT_EQ(mmio_r(1, APIC_ID), 0xffffffff);	/* the MMIO page has gone */
	setup(false);
	EXPECT_EQ(x86_lapic_msr_read(v, 0x802, &data), 1);
}

static void ipi(int from, u32 hi, u32 lo)
{
	mmio_w(from, APIC_ICR2, hi << 24);
	mmio_w(from, APIC_ICR, lo);
}

static void ipi_xapic(void)
{
	int i;

	setup(false);
	ipi(0, 2, 0x40);
	EXPECT_EQ(who(0x40), BIT(2));
	ipi(0, 9, 0x40);
	EXPECT_EQ(who(0x40), 0);
	ipi(0, 0xff, 0x40);
	EXPECT_EQ(who(0x40), 0xf);
	ipi(0, 0x0a, APIC_DEST_LOGICAL | 0x40);
	EXPECT_EQ(who(0x40), 0xa);
	ipi(1, 0, 0x40000 | 0x40);
	EXPECT_EQ(who(0x40), BIT(1));
	ipi(1, 0, 0x80000 | 0x40);
	EXPECT_EQ(who(0x40), 0xf);
	ipi(1, 0, 0xc0000 | 0x40);
	EXPECT_EQ(who(0x40), 0xd);
	ipi(0, 0, 0xc0000 | 0x400);
	EXPECT_EQ(vcpus[0].nmis + vcpus[1].nmis + vcpus[3].nmis, 2);

	/* Cluster model: two APICs in each of two clusters. */
	for (i = 0; i < NR_VCPUS; i++) {
		mmio_w(i, APIC_DFR, 0x0fffffff);
		mmio_w(i, APIC_LDR, ((i >> 1) << 4 | 1 << (i & 1)) << 24);
	}
	ipi(0, 0x12, APIC_DEST_LOGICAL | 0x40);
	EXPECT_EQ(who(0x40), BIT(3));
	ipi(0, 0x03, APIC_DEST_LOGICAL | 0x40);
	EXPECT_EQ(who(0x40), 0x3);
	ipi(0, 0xff, APIC_DEST_LOGICAL | 0x40);
	EXPECT_EQ(who(0x40), 0xf);

	/* Mixed models: nobody's map, everybody's rule. */
	mmio_w(0, APIC_DFR, 0xffffffff);
	mmio_w(0, APIC_LDR, 0x10000000);
	ipi(1, 0x12, APIC_DEST_LOGICAL | 0x40);
	EXPECT_EQ(who(0x40), BIT(3) | BIT(0));
}

static void ipi_x2apic(void)
{
	setup(true);
	x86_lapic_msr_write(&vcpus[0], 0x830, 0xffffffffull << 32 | 0x40);
	EXPECT_EQ(who(0x40), 0xf);
	x86_lapic_msr_write(&vcpus[0], 0x830, 0xffull << 32 | 0x40);
	EXPECT_EQ(who(0x40), 0);		/* an ID like any other */
	x86_lapic_msr_write(&vcpus[0], 0x830, 6ull << 32 | APIC_DEST_LOGICAL | 0x40);
	EXPECT_EQ(who(0x40), 0x6);
	x86_lapic_msr_write(&vcpus[0], 0x830, 0x10001ull << 32 | APIC_DEST_LOGICAL | 0x40);
	EXPECT_EQ(who(0x40), 0);		/* the next cluster */
	EXPECT_EQ(x86_lapic_msr_write_irqoff(&vcpus[0], 0x830, 3ull << 32 | 0x40), 1);
	EXPECT_EQ(who(0x40), BIT(3));
	EXPECT_EQ(x86_lapic_msr_write_irqoff(&vcpus[0], 0x830, 3ull << 32 | 0x0f), 0);
	EXPECT_EQ(x86_lapic_msr_write_irqoff(&vcpus[0], 0x830, 3ull << 32 | BIT(20) | 0x40), 0);
}

static int send_msi(u32 lo, u32 hi, u32 data)
{
	struct kvm_kernel_irq_routing_entry e = { .msi = { lo, hi, data } };

	return x86_set_msi(&e, &vm.core, 0, 1, false);
}

static void msis(void)
{
	int i;

	setup(true);
	EXPECT_EQ(send_msi(0xfee02000, 0, 0x44), 1);
	EXPECT_EQ(who(0x44), BIT(2));
	send_msi(0xfeeff000, 0, 0x44);
	EXPECT_EQ(who(0x44), 0xf);		/* 0xff: a broadcast, by quirk */
	vm.x2apic_broadcast_quirk_disabled = true;
	EXPECT_EQ(send_msi(0xfeeff000, 0, 0x44), -1);
	vm.x2apic_format = true;
	EXPECT_EQ(send_msi(0xfee00000, 0x01, 0x44), -1);	/* reserved bits */
	EXPECT_EQ(send_msi(0xfee02000, 0x100, 0x44), -1);	/* ID 0x102: nobody */
	EXPECT_EQ(send_msi(0xfee03000, 0, 0x8044), 1);	/* level */
	EXPECT_EQ(lapic_test_vec(vcpus[3].apic, APIC_TMR, 0x44), 1);
	who(0x44);

	/* Lowest priority takes turns; the disabled don't take part. */
	setup(false);
	mmio_w(3, APIC_SPIV, 0xff);
	for (i = 0; i < 6; i++) {
		send_msi(0xfee0f00c, 0, 0x150);
		EXPECT_EQ(who(0x50), BIT(i % 3));
	}
}

static void ids(void)
{
	setup(false);
	mmio_w(1, APIC_ID, 7 << 24);
	ipi(0, 7, 0x40);
	EXPECT_EQ(who(0x40), BIT(1));
	ipi(0, 1, 0x40);
	EXPECT_EQ(who(0x40), 0);
	mmio_w(2, APIC_ID, 7 << 24);		/* two of one name: both hear it */
	ipi(0, 7, 0x40);
	EXPECT_EQ(who(0x40), 0x6);
}

static void init_sipi(void)
{
	setup(false);
	ipi(0, 1, 0x4500);
	EXPECT_EQ(vcpus[1].apic->pending_events, BIT(LAPIC_EVENT_INIT));
	vcpus[1].apic->pending_events = 0;
	ipi(0, 1, 0x8500);			/* level de-assert */
	EXPECT_EQ(vcpus[1].apic->pending_events, 0);
	ipi(0, 1, 0x4699);
	EXPECT_EQ(vcpus[1].apic->pending_events, BIT(LAPIC_EVENT_SIPI));
	EXPECT_EQ(vcpus[1].apic->sipi_vector, 0x99);
	ipi(0, 1, 0x4500);			/* INIT takes the SIPI back */
	EXPECT_EQ(vcpus[1].apic->pending_events, BIT(LAPIC_EVENT_INIT));
}

static void extint(void)
{
	setup(false);
	init_pics(1);
	mmio_w(0, APIC_LVT0, APIC_LVT_MASKED | 0x700);
	pulse(1);
	EXPECT_EQ(x86_cpu_has_interrupt(&vcpus[0]), 0);
	mmio_w(0, APIC_LVT0, 0x700);
	EXPECT_EQ(x86_cpu_has_interrupt(&vcpus[0]), 1);
	lapic_accept(vcpus[0].apic, X86_DM_FIXED, 0x90, false, true);
	EXPECT_EQ(x86_cpu_get_interrupt(&vcpus[0]), 0x21);	/* ExtINT has no priority */
	EXPECT_EQ(x86_cpu_get_interrupt(&vcpus[0]), 0x90);
	EXPECT_EQ(x86_cpu_get_interrupt(&vcpus[0]), -1);
}

/* ---- the CPU delivers ------------------------------------------------------------ */

static void apicv_on(int i)
{
	struct x86_lapic *apic = vcpus[i].apic;

	memset(&stub_apicv, 0, sizeof(stub_apicv));
	lapic_apicv_init(apic);
	lapic_posted_create(apic);
	x86_lapic_update_apicv(&vcpus[i]);
	EXPECT_EQ(x86_lapic_apicv(&vcpus[i]), true);
	EXPECT_EQ(stub_apicv.changed, 1);
}

/* What the CPU does: the highest requested one goes into service. */
static void cpu_delivers(int i, u8 vec)
{
	struct x86_lapic *apic = vcpus[i].apic;

	EXPECT_EQ(stub_apicv.requested, vec);
	clear_bit(vec & 31, lapic_vec_word(apic, APIC_IRR, vec));
	set_bit(vec & 31, lapic_vec_word(apic, APIC_ISR, vec));
}

static void cpu_ends(int i, u8 vec)
{
	clear_bit(vec & 31, lapic_vec_word(vcpus[i].apic, APIC_ISR, vec));
	x86_lapic_service_ended(&vcpus[i], vec);
}

static void apicv_delivery(void)
{
	struct x86_vcpu *v = &vcpus[0];
	struct x86_lapic *apic;

	setup(false);
	apic = v->apic;
	apicv_on(0);
	v->core.requests = 0;
	EXPECT_EQ(lapic_accept(apic, X86_DM_FIXED, 0x51, false, true), 1);
	EXPECT_EQ(lapic_accept(apic, X86_DM_FIXED, 0x51, false, true), 0);
	/* Not in the CPU's page, but known to whoever asks; and it is ours to tell, not inject. */
	EXPECT_EQ(irr(0, 0x51), 0);
	EXPECT_EQ(v->core.requests & BIT(X86_REQ_EVENT), BIT(X86_REQ_EVENT));
	EXPECT_EQ(v->core.kicks, 1);
	EXPECT_EQ(x86_lapic_pending(v), 0x51);
	EXPECT_EQ(x86_cpu_has_interrupt(v), true);
	EXPECT_EQ(x86_cpu_has_injectable_interrupt(v), false);
	EXPECT_EQ(x86_cpu_get_interrupt(v), -1);
	lapic_accept(apic, X86_DM_FIXED, 0x92, true, true);
	x86_lapic_take_posted(v);
	EXPECT_EQ(irr(0, 0x51), 1);
	EXPECT_EQ(irr(0, 0x92), 1);
	EXPECT_EQ(stub_apicv.eoi_exits[2], 1ull << 0x12);	/* level */
	cpu_delivers(0, 0x92);
	EXPECT_EQ(x86_lapic_pending(v), -1);			/* its class is lower */
	/* While 0x51 is requested another one is lost, and said to be. */
	EXPECT_EQ(lapic_accept(apic, X86_DM_FIXED, 0x51, false, true), 0);
	cpu_ends(0, 0x92);
	x86_lapic_take_posted(v);
	cpu_delivers(0, 0x51);
	EXPECT_EQ(lapic_accept(apic, X86_DM_FIXED, 0x51, false, true), 1);
	/* An EOI that we emulate: the CPU hears of it. */
	stub_apicv.in_service = 0x51;
	mmio_w(0, APIC_EOI, 0);
	EXPECT_EQ(stub_apicv.in_service, -1);
	x86_lapic_take_posted(v);
	EXPECT_EQ(stub_apicv.requested, 0x51);
}

static void apicv_when(void)
{
	struct x86_vcpu *v = &vcpus[0];

	setup(false);
	apicv_on(0);
	lapic_accept(v->apic, X86_DM_FIXED, 0x51, false, true);
	x86_lapic_take_posted(v);
	cpu_delivers(0, 0x51);
	lapic_accept(v->apic, X86_DM_FIXED, 0x81, false, true);
	/* A debugger: what is posted and in service is ours again, and so is its end. */
	v->core.guest_debug = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_BLOCKIRQ;
	x86_lapic_update_apicv(v);
	EXPECT_EQ(x86_lapic_apicv(v), false);
	EXPECT_EQ(stub_apicv.changed, 2);
	EXPECT_EQ(x86_lapic_pending(v), 0x81);
	EXPECT_EQ(x86_lapic_ack(v), 0x81);
	mmio_w(0, APIC_EOI, 0);
	EXPECT_EQ(v->apic->isr_highest, 0x51);
	v->core.guest_debug = 0;
	x86_lapic_update_apicv(v);
	EXPECT_EQ(x86_lapic_apicv(v), true);
	EXPECT_EQ(stub_apicv.in_service, 0x51);
	/* Off by SVR: it takes none, by itself neither. */
	v->core.requests = 0;
	mmio_w(0, APIC_SPIV, 0xff);
	EXPECT_EQ(v->core.requests & BIT(X86_REQ_APICV_UPDATE), BIT(X86_REQ_APICV_UPDATE));
	x86_lapic_update_apicv(v);
	EXPECT_EQ(x86_lapic_apicv(v), false);
	EXPECT_EQ(lapic_accept(v->apic, X86_DM_FIXED, 0x51, false, true), -1);
}

/* The CPU stores whatever the guest writes, and then says where. */
static void cpu_writes(u32 reg, u32 val)
{
	lapic_set_reg(vcpus[0].apic, reg, val);
	x86_lapic_register_written(&vcpus[0], reg);
}

static void apicv_written(void)
{
	struct x86_vcpu *v = &vcpus[0];

	setup(false);
	apicv_on(0);
	cpu_writes(APIC_SPIV, 0xffffffff);
	EXPECT_EQ(mmio_r(0, APIC_SPIV), 0x3ff);
	cpu_writes(APIC_LVT0, 0xffffffff);
	EXPECT_EQ(mmio_r(0, APIC_LVT0), 0x1a7ff);
	cpu_writes(APIC_ID, 0x01234567);
	EXPECT_EQ(mmio_r(0, APIC_ID), 0x01000000);
	cpu_writes(APIC_ID, 0);
	v->apic->timer.mode = APIC_LVT_TIMER_TSCDEADLINE;
	cpu_writes(APIC_TMICT, 1000);
	EXPECT_EQ(mmio_r(0, APIC_TMICT), 0);
	v->apic->timer.mode = 0;
	cpu_writes(APIC_ICR, 0x01000 | APIC_DEST_SELF | 0x61);
	x86_lapic_take_posted(v);
	EXPECT_EQ(stub_apicv.requested, 0x61);
	EXPECT_EQ(mmio_r(0, APIC_ICR), APIC_DEST_SELF | 0x61);
	cpu_writes(APIC_SELF_IPI, 0x71);
	x86_lapic_take_posted(v);
	EXPECT_EQ(stub_apicv.requested, 0x71);
	/* vectors that can't be sent */
	cpu_writes(APIC_SELF_IPI, 0x05);
	mmio_w(0, APIC_ESR, 0);
	EXPECT_EQ(mmio_r(0, APIC_ESR), APIC_ESR_SENDILL);
}

static void apicv_page(void)
{
	u64 base;

	setup(false);
	base = vcpus[1].apic_base;
	memset(&stub_apicv, 0, sizeof(stub_apicv));
	x86_apic_page_create(&vm);
	x86_apic_map_touch(&vm);
	x86_apic_map_update(&vm);
	EXPECT_EQ(vm.apic_page_used, true);
	vcpus[1].apic_base |= X2APIC_ENABLE;
	x86_apic_map_touch(&vm);
	x86_apic_map_update(&vm);
	EXPECT_EQ(vm.apic_page_used, false);
	EXPECT_EQ(stub_apicv.unmapped, 1);
	vcpus[1].apic_base = base + 0x1000;
	x86_apic_map_touch(&vm);
	x86_apic_map_update(&vm);
	EXPECT_EQ(vm.apic_page_used, false);
	vcpus[1].apic_base = base;
	x86_apic_map_touch(&vm);
	x86_apic_map_update(&vm);
	EXPECT_EQ(vm.apic_page_used, true);
	x86_apic_page_free(&vm);
	vm.apic_page_used = false;
}

/* A million random events against the SDM's rules on plain sets. */
static void lapic_random(void)
{
	struct x86_lapic *apic;
	bool m_irr[256] = {}, m_isr[256] = {};
	int i, v, tpr = 0;

	setup(false);
	apic = vcpus[0].apic;
	srand(1);
	for (i = 0; i < 1000000 && ok; i++) {
		int top_irr = -1, top_isr = -1, ppr, want;

		switch (rand() % 4) {
		case 0:
			v = 16 + rand() % 240;
			EXPECT_EQ(lapic_accept(apic, X86_DM_FIXED, v, false, true), !m_irr[v]);
			m_irr[v] = true;
			break;
		case 1:
			tpr = rand() & 0xff;
			mmio_w(0, APIC_TASKPRI, tpr);
			break;
		case 2:
			for (v = 255; v >= 0 && !m_isr[v]; v--)
				;
			if (v >= 0)
				m_isr[v] = false;
			mmio_w(0, APIC_EOI, 0);
			break;
		}
		for (v = 0; v < 256; v++) {
			top_irr = m_irr[v] ? v : top_irr;
			top_isr = m_isr[v] ? v : top_isr;
		}
		ppr = (tpr & 0xf0) >= (top_isr < 0 ? 0 : top_isr & 0xf0) ? tpr : top_isr & 0xf0;
		EXPECT_EQ(mmio_r(0, APIC_PROCPRI), ppr);
		want = top_irr >= 0 && (top_irr & 0xf0) > (ppr & 0xf0) ? top_irr : -1;
		EXPECT_EQ(x86_lapic_pending(&vcpus[0]), want);
		if (rand() % 2 && want >= 0) {
			EXPECT_EQ(x86_lapic_ack(&vcpus[0]), want);
			m_irr[want] = false;
			m_isr[want] = true;
		}
	}
}

#define T(fn, text) { fn, text }
static const struct {
	void (*fn)(void);
	const char *text;
} all[] = {
	T(pic_vectors, "8259A: ICWs set the vectors; an edge raises INTR"),
	T(pic_priority, "8259A: fully nested priorities; specific and non-specific EOI"),
	T(pic_slave, "8259A: the slave is input 2 of the master"),
	T(pic_mask, "8259A: IMR holds back, IRR remembers"),
	T(pic_level, "8259A: ELCR levels come again; INTA without a request is input 7"),
	T(pic_sources, "8259A: sources of one input are ORed; bad inputs are refused"),
	T(pic_rotate, "8259A: rotation on EOI and set priority"),
	T(pic_auto_eoi, "8259A: automatic EOI"),
	T(pic_poll, "8259A: poll mode"),
	T(pic_special_mask, "8259A: special mask mode"),
	T(pic_state, "8259A: hostile state is cut to what the chip can hold"),
	T(ioapic_regs, "IOAPIC: registers, read-only and reserved bits, index past the end"),
	T(ioapic_edge, "IOAPIC: an edge is one message; lost while masked"),
	T(ioapic_level, "IOAPIC: a level repeats after EOI; a storm gets a rest"),
	T(ioapic_remote_irr, "IOAPIC: remote IRR is cleared by the way over edge"),
	T(ioapic_edge_ack, "IOAPIC: EOI of an edge is told to who asked, of that CPU only"),
	T(ioapic_state, "IOAPIC: saved requests are delivered when restored"),
	T(lapic_priorities, "LAPIC: TPR, PPR, nesting and EOI (SDM 3A 10.8)"),
	T(lapic_cr8, "LAPIC: CR8 is TPR[7:4]"),
	T(lapic_errors, "LAPIC: ESR, the error interrupt, and an error in it"),
	T(lapic_sw_disabled, "LAPIC: software-disabled: LVTs masked, NMI taken, fixed not"),
	T(lapic_mmio_odd, "LAPIC: odd sizes and addresses of MMIO"),
	T(lapic_x2apic_msrs, "LAPIC: x2APIC's MSRs: who may be read, written, and with what"),
	T(ipi_xapic, "IPI: xAPIC physical, flat, cluster, mixed, shorthands"),
	T(ipi_x2apic, "IPI: x2APIC physical, logical, broadcast; the fast path agrees"),
	T(msis, "MSI: destinations, broadcast quirk, 32 bit IDs, level, lowest priority"),
	T(ids, "IDs that a guest changes, and two of one name"),
	T(init_sipi, "INIT and SIPI: latched, de-assert ignored, order"),
	T(extint, "ExtINT goes before the APIC, if LVT0 lets it"),
	T(apicv_delivery, "APICv: posted, requested, delivered, ended; what the CPU is told"),
	T(apicv_when, "APICv: not with the APIC off, not while a debugger holds interrupts back"),
	T(apicv_written, "APICv: registers that the CPU has written"),
	T(apicv_page, "APICv: the page is mapped while all APICs are there"),
	T(lapic_random, "LAPIC: a million random events agree with a model of IRR, ISR, TPR"),
};

int main(void)
{
	int n = ARRAY_SIZE(all), i;

	printf("1..%d\n", n);
	for (i = 0; i < n; i++) {
		ok = true;
		all[i].fn();
		tests++;
		failures += !ok;
		printf("%s %d - %s\n", ok ? "ok" : "not ok", tests, all[i].text);
	}
	setup(false);
	return failures ? 1 : 0;
}
