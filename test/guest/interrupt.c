// SPDX-License-Identifier: GPL-2.0-only
/*
 * The in-kernel PIC, IOAPIC and PIT with a guest behind them; interrupt
 * shadows, windows, NMIs.
 */
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define PIC_BASE	0x30	/* vector of IRQ 0 */

static void pic_init(u8 mask1, u8 mask2)
{
	outb(0x20, 0x11);
	outb(0x21, PIC_BASE);
	outb(0x21, 4);
	outb(0x21, 1);
	outb(0xa0, 0x11);
	outb(0xa1, PIC_BASE + 8);
	outb(0xa1, 2);
	outb(0xa1, 1);
	outb(0x21, mask1);
	outb(0xa1, mask2);
}

/* LINT0 as ExtINT: the PIC's way into a CPU whose LAPIC is on. */
static void lint0_extint(void)
{
	apic_write(APIC_SVR, 0x1ff);
	apic_write(APIC_LVT0, 0x700);
}

/* IRQ lines go to the PIC too, which is no one's business in IOAPIC tests. */
static void pic_off(void)
{
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

static void pic_handler(struct trap_frame *f)
{
	guest_counts[(u8)f->vector]++;
	if (f->vector >= PIC_BASE + 8)
		outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

static int line(struct vm *vm, u32 irq, u32 level)
{
	struct kvm_irq_level l = { .irq = irq, .level = level };

	return ioctl(vm->fd, KVM_IRQ_LINE_STATUS, &l);
}

static void wait_for(u8 vector, u64 n)
{
	/* STI; HLT is atomic: an interrupt can't slip in between */
	cli();
	while (guest_counts[vector] < n) {
		sti_hlt();
		cli();
	}
	sti();
}

static void g_pic(void)
{
	pic_init(0xff & ~(1 << 4 | 1 << 2), 0xff & ~(1 << 2));
	lint0_extint();
	guest_handle(PIC_BASE + 4, pic_handler);
	guest_handle(PIC_BASE + 10, pic_handler);
	sti();
	guest_sync(1);
	GUEST_EQ(guest_counts[PIC_BASE + 4], 1);
	guest_sync(2);
	GUEST_EQ(guest_counts[PIC_BASE + 4], 1);	/* an edge: once */
	guest_sync(3);
	GUEST_EQ(guest_counts[PIC_BASE + 4], 2);
	guest_sync(4);
	GUEST_EQ(guest_counts[PIC_BASE + 10], 1);
	cli();
	guest_sync(5);			/* pending while interrupts are off */
	GUEST_EQ(guest_counts[PIC_BASE + 4], 2);
	outb(0x20, 0x0a);		/* read IRR */
	GUEST_EQ(inb(0x20) & 0x10, 0x10);
	sti_nop();
	GUEST_EQ(guest_counts[PIC_BASE + 4], 3);
	guest_done();
}

TEST(pic, "PIC: edges of master and slave reach the guest, once, and wait for STI")
{
	struct vcpu *v = vm_guest(true, g_pic);
	struct vm *vm = v->vm;

	vcpu_expect_sync(v, 1);
	EXPECT(line(vm, 4, 1) >= 0);
	vcpu_expect_sync(v, 2);
	vcpu_expect_sync(v, 3);
	line(vm, 4, 0);
	line(vm, 4, 1);
	vcpu_expect_sync(v, 4);
	line(vm, 10, 1);
	vcpu_expect_sync(v, 5);
	line(vm, 4, 0);
	line(vm, 4, 1);
	vcpu_finish(v);
}

static void g_pic_hlt(void)
{
	pic_init(0xff & ~(1 << 4), 0xff);
	lint0_extint();
	guest_handle(PIC_BASE + 4, pic_handler);
	guest_sync(1);
	wait_for(PIC_BASE + 4, 1);
	guest_done();
}

TEST(hlt_wake, "an interrupt line raised by another thread wakes the guest from HLT")
{
	struct vcpu *v = vm_guest(true, g_pic_hlt);

	vcpu_expect_sync(v, 1);
	vcpu_start(v);
	usleep(100000);
	line(v->vm, 4, 1);
	vcpu_join(v);
}

static void g_pit(void)
{
	u16 count = 11932;		/* 100 Hz */

	pic_init(0xff & ~1, 0xff);
	lint0_extint();
	guest_handle(PIC_BASE, pic_handler);
	outb(0x43, 0x34);		/* channel 0, mode 2 */
	outb(0x40, count);
	outb(0x40, count >> 8);
	wait_for(PIC_BASE, 5);
	guest_sync(guest_counts[PIC_BASE]);
	wait_for(PIC_BASE, 55);
	guest_sync(guest_counts[PIC_BASE]);
	guest_done();
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

TEST_TIMED(pit, "PIT: channel 0 at 100 Hz interrupts 50 times in half a second")
{
	struct vcpu *v = vm_guest(true, g_pit);
	struct kvm_pit_config c = { .flags = KVM_PIT_SPEAKER_DUMMY };
	double t;
	u64 n;

	ASSERT_OK(ioctl(v->vm->fd, KVM_CREATE_PIT2, &c));
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	t = now();
	n = v->sync;
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	t = now() - t;
	n = v->sync - n;
	EXPECT(n >= 49 && n <= 51 && t > 0.35 && t < 0.8, "%llu in %.3f s",
	       (unsigned long long)n, t);
	vcpu_finish(v);
}

static void g_pit_oneshot(void)
{
	u32 last = 0xffff, now_, low = 0;

	pic_init(0xff & ~1, 0xff);
	lint0_extint();
	guest_handle(PIC_BASE, pic_handler);
	outb(0x43, 0x30);		/* channel 0, mode 0: one shot */
	outb(0x40, 0x00);
	outb(0x40, 0x80);
	for (int i = 0; i < 5; i++) {
		outb(0x43, 0);		/* latch */
		now_ = inb(0x40);
		now_ |= inb(0x40) << 8;
		GUEST_ASSERT(now_ <= last);
		last = now_;
	}
	wait_for(PIC_BASE, 1);
	/* channel 2 and the speaker port, as used to calibrate a TSC */
	outb(0x61, (inb(0x61) & ~2) | 1);
	outb(0x43, 0xb0);
	outb(0x42, 0xff);
	outb(0x42, 0x20);
	GUEST_ASSERT(!(inb(0x61) & 0x20));
	while (!(inb(0x61) & 0x20)) {
		low++;
		GUEST_ASSERT(low < 10000000);
	}
	guest_sync(guest_counts[PIC_BASE]);
	guest_done();
}

TEST_TIMED(pit_oneshot, "PIT: one shot on channel 0, latched counts go down, channel 2's output in port 61")
{
	struct vcpu *v = vm_guest(true, g_pit_oneshot);
	struct kvm_pit_config c = { .flags = KVM_PIT_SPEAKER_DUMMY };

	ASSERT_OK(ioctl(v->vm->fd, KVM_CREATE_PIT2, &c));
	vcpu_expect_sync(v, 1);
	vcpu_finish(v);
}

#define VEC	0x61

static void g_ioapic_edge(void)
{
	pic_off();
	apic_write(APIC_SVR, 0x1ff);
	guest_handle(VEC, guest_count_eoi);
	ioapic_entry(7, VEC);		/* edge, physical, APIC 0 */
	GUEST_EQ(ioapic_read(0x10 + 14) & 0xffff, VEC);
	GUEST_EQ(ioapic_read(1), 0x170011);
	sti();
	guest_sync(1);
	GUEST_EQ(guest_counts[VEC], 1);
	guest_sync(2);
	GUEST_EQ(guest_counts[VEC], 1);
	ioapic_entry(7, VEC | 1 << 16);	/* masked */
	guest_sync(3);
	GUEST_EQ(guest_counts[VEC], 1);
	guest_done();
}

TEST(ioapic_edge, "IOAPIC: an edge is delivered once; masked, not at all")
{
	struct vcpu *v = vm_guest(true, g_ioapic_edge);

	vcpu_expect_sync(v, 1);
	line(v->vm, 7, 1);
	vcpu_expect_sync(v, 2);
	line(v->vm, 7, 0);
	vcpu_expect_sync(v, 3);
	line(v->vm, 7, 1);
	vcpu_finish(v);
}

static void level_handler(struct trap_frame *f)
{
	guest_counts[VEC]++;
	GUEST_ASSERT(ioapic_read(0x10 + 22) & 1 << 14);	/* remote IRR */
	if (guest_counts[VEC] == 3)
		guest_sync(2);		/* the host lowers the line */
	apic_write(APIC_EOI, 0);
}

static void g_ioapic_level(void)
{
	pic_off();
	apic_write(APIC_SVR, 0x1ff);
	guest_handle(VEC, level_handler);
	ioapic_entry(11, VEC | 1 << 15);
	sti();
	guest_sync(1);
	/* delivered again after each EOI, until it is lowered */
	GUEST_EQ(guest_counts[VEC], 3);
	GUEST_ASSERT(!(ioapic_read(0x10 + 22) & 1 << 14));
	guest_done();
}

TEST(ioapic_level, "IOAPIC: a level comes again after EOI until it is lowered; remote IRR")
{
	struct vcpu *v = vm_guest(true, g_ioapic_level);

	vcpu_expect_sync(v, 1);
	line(v->vm, 11, 1);
	vcpu_expect_sync(v, 2);
	line(v->vm, 11, 0);
	vcpu_finish(v);
}

static void g_resample(void)
{
	pic_off();
	apic_write(APIC_SVR, 0x1ff);
	guest_handle(VEC, guest_count_eoi);
	ioapic_entry(11, VEC | 1 << 15);
	sti();
	for (u64 i = 1; i < 4; i++) {
		guest_sync(i);
		GUEST_EQ(guest_counts[VEC], i);
	}
	guest_done();
}

TEST(resample, "irqfd with resample: EOI lowers the line and tells the resample eventfd")
{
	struct vcpu *v = vm_guest(true, g_resample);
	int fd = eventfd(0, 0), re = eventfd(0, EFD_NONBLOCK);
	struct kvm_irqfd f = {
		.fd = fd, .gsi = 11, .flags = KVM_IRQFD_FLAG_RESAMPLE,
		.resamplefd = re,
	};
	u64 one = 1, n = 0;

	ASSERT_OK(ioctl(v->vm->fd, KVM_IRQFD, &f));
	for (u64 i = 1; i < 4; i++) {
		vcpu_expect_sync(v, i);
		EXPECT(read(re, &n, 8) == (i == 1 ? -1 : 8));
		ASSERT(write(fd, &one, 8) == 8);
		usleep(20000);
	}
	vcpu_finish(v);
}

static void g_msi(void)
{
	apic_write(APIC_SVR, 0x1ff);
	guest_handle(VEC, guest_count_eoi);
	sti();
	guest_sync(1);
	GUEST_EQ(guest_counts[VEC], 1);
	guest_done();
}

TEST(msi, "KVM_SIGNAL_MSI interrupts the guest")
{
	struct vcpu *v = vm_guest(true, g_msi);
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = VEC };

	vcpu_expect_sync(v, 1);
	EXPECT_EQ(ioctl(v->vm->fd, KVM_SIGNAL_MSI, &msi), 1);
	vcpu_finish(v);
}

TEST(msi_wakes, "an irqfd routed as MSI wakes a halted guest")
{
	void g_msi_hlt(void);
	struct vcpu *v = vm_guest(true, g_msi_hlt);
	struct { struct kvm_irq_routing h; struct kvm_irq_routing_entry e[1]; } r = {
		.h.nr = 1,
		.e[0] = {
			.gsi = 33, .type = KVM_IRQ_ROUTING_MSI,
			.u.msi = { .address_lo = 0xfee00000, .data = VEC },
		},
	};
	int fd = eventfd(0, 0);
	struct kvm_irqfd f = { .fd = fd, .gsi = 33 };
	u64 one = 1;

	ASSERT_OK(ioctl(v->vm->fd, KVM_SET_GSI_ROUTING, &r));
	ASSERT_OK(ioctl(v->vm->fd, KVM_IRQFD, &f));
	vcpu_expect_sync(v, 1);
	vcpu_start(v);
	usleep(100000);
	ASSERT(write(fd, &one, 8) == 8);
	vcpu_join(v);
}

void g_msi_hlt(void);
void g_msi_hlt(void)
{
	apic_write(APIC_SVR, 0x1ff);
	guest_handle(VEC, guest_count_eoi);
	guest_sync(1);
	wait_for(VEC, 1);
	guest_done();
}

static volatile u64 g_after_sti;

static void shadow_handler(struct trap_frame *f)
{
	guest_counts[VEC]++;
	g_after_sti = f->rip;
	apic_write(APIC_EOI, 0);
}

static void g_shadow(void)
{
	u64 expected;

	apic_write(APIC_SVR, 0x1ff);
	guest_handle(VEC, shadow_handler);
	cli();
	apic_write(APIC_ICR, 0x40000 | VEC);	/* self */
	asm volatile("lea 1f(%%rip), %0; sti; nop; 1: nop"
		     : "=&r"(expected) :: "memory");
	GUEST_EQ(guest_counts[VEC], 1);
	GUEST_EQ(g_after_sti, expected);	/* not before the NOP */
	/* MOV SS has a shadow too */
	cli();
	apic_write(APIC_ICR, 0x40000 | VEC);
	asm volatile("lea 1f(%%rip), %0; sti; mov %1, %%ss; nop; 1: nop"
		     : "=&r"(expected) : "r"(SEL_DATA) : "memory");
	GUEST_EQ(guest_counts[VEC], 2);
	/* STI; CLI opens no window */
	cli();
	apic_write(APIC_ICR, 0x40000 | VEC);
	asm volatile("sti; cli" ::: "memory");
	GUEST_EQ(guest_counts[VEC], 2);
	sti_nop();
	GUEST_EQ(guest_counts[VEC], 3);
	guest_done();
}

TEST(shadow, "the shadow of STI and MOV SS: no interrupt before the next instruction is done")
{
	vcpu_finish(vm_guest(true, g_shadow));
}

static void g_shadow_exit(void)
{
	u32 a = 0, b, c = 0, d;

	apic_write(APIC_SVR, 0x1ff);
	guest_handle(VEC, shadow_handler);
	cli();
	apic_write(APIC_ICR, 0x40000 | VEC);
	/* the instruction in the shadow exits, and is emulated */
	asm volatile("sti; cpuid; cli" : "+a"(a), "=b"(b), "+c"(c), "=d"(d)
		     :: "memory");
	GUEST_EQ(guest_counts[VEC], 1);
	asm volatile("sti; outb %%al, $0x80; nop; cli" ::: "memory");
	guest_done();
}

TEST(shadow_exit, "an emulated instruction ends the shadow of STI")
{
	struct vcpu *v = vm_guest(true, g_shadow_exit);

	vcpu_expect_exit(v, KVM_EXIT_IO);
	vcpu_finish(v);
}

static volatile u64 g_nmi_depth, g_nmi_max;

static void nmi_handler(struct trap_frame *f)
{
	g_nmi_depth++;
	if (g_nmi_depth > g_nmi_max)
		g_nmi_max = g_nmi_depth;
	if (!guest_counts[X86_NMI]++)
		guest_sync(2);		/* the host sends another meanwhile */
	g_nmi_depth--;
}

static void g_nmi_window(void)
{
	guest_handle(X86_NMI, nmi_handler);
	guest_sync(1);
	GUEST_EQ(guest_counts[X86_NMI], 2);
	GUEST_EQ(g_nmi_max, 1);
	guest_done();
}

/* Without virtual NMIs nobody hears of an IRET: the next NMI comes when it comes. */
static void need_iret(void)
{
	if (vendor_is("kvm_intel") && !kvm_param("vnmi"))
		tap_skip("no virtual NMIs");
}

TEST(nmi_window, "an NMI during an NMI waits for the IRET, and then comes")
{
	struct vcpu *v;

	need_iret();
	v = vm_guest(true, g_nmi_window);

	vcpu_expect_sync(v, 1);
	ASSERT_OK(ioctl(v->fd, KVM_NMI, 0));
	vcpu_expect_sync(v, 2);
	ASSERT_OK(ioctl(v->fd, KVM_NMI, 0));
	vcpu_finish(v);
}

static void nmi_fault_handler(struct trap_frame *f)
{
	guest_counts[X86_NMI]++;
	/* an IRET in here (the fault's) unblocks NMIs: that is the CPU's way */
	GUEST_EQ(TRY("ud2", ::: "memory"), X86_UD);
}

static void g_nmi_fault(void)
{
	guest_handle(X86_NMI, nmi_fault_handler);
	for (u64 i = 1; i < 10; i++) {
		guest_sync(i);
		GUEST_EQ(guest_counts[X86_NMI], i);
	}
	guest_done();
}

TEST(nmi_fault, "a fault in the NMI handler, its IRET, and NMIs after that")
{
	struct vcpu *v;

	need_iret();
	v = vm_guest(true, g_nmi_fault);

	for (u64 i = 1; i < 10; i++) {
		vcpu_expect_sync(v, i);
		ASSERT_OK(ioctl(v->fd, KVM_NMI, 0));
	}
	vcpu_finish(v);
}

static void g_nmi_hlt(void)
{
	guest_handle(X86_NMI, guest_count);
	apic_write(APIC_SVR, 0x1ff);
	guest_sync(1);
	cli();
	asm volatile("hlt" ::: "memory");
	GUEST_EQ(guest_counts[X86_NMI], 1);
	guest_done();
}

TEST(nmi_hlt, "an NMI wakes HLT with interrupts off")
{
	struct vcpu *v = vm_guest(true, g_nmi_hlt);
	struct kvm_msi nmi = { .address_lo = 0xfee00000, .data = 4 << 8 };

	vcpu_expect_sync(v, 1);
	vcpu_start(v);
	usleep(50000);
	/* KVM_NMI would wait for the vCPU to come out: an MSI, then */
	ASSERT_EQ(ioctl(v->vm->fd, KVM_SIGNAL_MSI, &nmi), 1);
	vcpu_join(v);
}

static void g_paging_in_delivery(void)
{
	apic_write(APIC_SVR, 0x1ff);
	guest_handle(VEC, guest_count_eoi);
	sti();
	for (u64 i = 1; i < 50; i++) {
		guest_sync(i);
		GUEST_EQ(guest_counts[VEC], i);
	}
	guest_done();
}

TEST(lost_memory, "an interrupt whose delivery needs memory that was dropped is not lost")
{
	struct vcpu *v = vm_guest(true, g_paging_in_delivery);
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = VEC };
	u8 saved[4096], *page = v->vm->ram + GPA_IDT;

	for (u64 i = 1; i < 50; i++) {
		vcpu_expect_sync(v, i);
		ASSERT_EQ(ioctl(v->vm->fd, KVM_SIGNAL_MSI, &msi), 1);
		/* zap the mapping of the IDT's page: delivery faults on it */
		memcpy(saved, page, 4096);
		ASSERT_OK(madvise(page, 4096, MADV_DONTNEED));
		memcpy(page, saved, 4096);
	}
	vcpu_finish(v);
}
