// SPDX-License-Identifier: GPL-2.0-only
/*
 * The LAPIC in the kernel: priorities, timers, IPIs, xAPIC and x2APIC.
 */
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define VEC	0x61
#define VEC2	0x71

static void apic_on(void)
{
	apic_write(APIC_SVR, 0x1ff);
	guest_handle(VEC, guest_count_eoi);
	guest_handle(VEC2, guest_count_eoi);
}

static void x2apic_on(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 0xc00);
	wrmsr(MSR_X2APIC(APIC_SVR), 0x1ff);
	guest_handle(VEC, guest_count_eoi_x2);
	guest_handle(VEC2, guest_count_eoi_x2);
}

static void wait_for(u8 vector, u64 n)
{
	cli();
	while (guest_counts[vector] < n) {
		sti_hlt();
		cli();
	}
	sti();
}

static void g_self(void)
{
	apic_on();
	sti();
	for (int i = 1; i <= 100; i++) {
		apic_write(APIC_ICR, 0x40000 | VEC);
		GUEST_EQ(guest_counts[VEC], i);
	}
	GUEST_EQ(apic_read(APIC_ICR) & 1 << 12, 0);	/* idle */
	/* to its own id, physical and logical */
	apic_write(APIC_ICR2, 0);
	apic_write(APIC_ICR, VEC);
	GUEST_EQ(guest_counts[VEC], 101);
	apic_write(APIC_LDR, 4u << 24);
	apic_write(APIC_ICR2, 4u << 24);
	apic_write(APIC_ICR, 0x800 | VEC);
	GUEST_EQ(guest_counts[VEC], 102);
	apic_write(APIC_ICR2, 8u << 24);	/* nobody */
	apic_write(APIC_ICR, 0x800 | VEC);
	GUEST_EQ(guest_counts[VEC], 102);
	guest_done();
}

TEST(self_ipi, "self IPIs: shorthand, physical and logical destination")
{
	vcpu_finish(vm_guest(true, g_self));
}

static volatile u64 g_order[4], g_order_n;

static void order_handler(struct trap_frame *f)
{
	if (g_order_n < 4)
		g_order[g_order_n] = f->vector;
	g_order_n++;
	apic_write(APIC_EOI, 0);
}

static void nest_handler(struct trap_frame *f)
{
	guest_counts[(u8)f->vector]++;
	GUEST_EQ(apic_read(APIC_PPR), f->vector & 0xf0);
	GUEST_ASSERT(apic_read(APIC_ISR + (f->vector >> 5) * 16) & 1u << (f->vector & 31));
	if (f->vector == 0x40) {
		apic_write(APIC_ICR, 0x40000 | 0x45);	/* same class: waits */
		apic_write(APIC_ICR, 0x40000 | 0x80);	/* higher: nests */
		sti_nop();
		GUEST_EQ(guest_counts[0x80], 1);
		GUEST_EQ(guest_counts[0x45], 0);
		cli();
	}
	apic_write(APIC_EOI, 0);
}

static volatile bool g_no_cr8;	/* CR8 with an interrupt pending aborts QEMU's TCG */

static void set_priority(u64 class)
{
	if (g_no_cr8)
		apic_write(APIC_TPR, class << 4);
	else
		write_cr8(class);
	asm volatile("nop");
}

static void g_priority(void)
{
	apic_on();
	for (u32 v = 0x40; v < 0x100; v++)
		guest_handle(v, order_handler);
	cli();
	apic_write(APIC_ICR, 0x40000 | 0x51);
	apic_write(APIC_ICR, 0x40000 | 0xf1);
	apic_write(APIC_ICR, 0x40000 | 0x52);
	apic_write(APIC_ICR, 0x40000 | 0x91);
	GUEST_EQ(apic_read(APIC_IRR + 0x20), 0x60000);
	/* CR8 holds back all of class 9 and below */
	set_priority(9);
	GUEST_EQ(apic_read(APIC_TPR), 0x90);
	sti_nop();
	GUEST_EQ(g_order_n, 1);
	GUEST_EQ(g_order[0], 0xf1);
	apic_write(APIC_TPR, 0x50);
	GUEST_EQ(read_cr8(), 5);
	GUEST_EQ(g_order_n, 2);
	GUEST_EQ(g_order[1], 0x91);
	set_priority(0);
	GUEST_EQ(g_order_n, 4);
	GUEST_EQ(g_order[2], 0x52);
	GUEST_EQ(g_order[3], 0x51);
	guest_handle(0x40, nest_handler);
	guest_handle(0x45, nest_handler);
	guest_handle(0x80, nest_handler);
	apic_write(APIC_ICR, 0x40000 | 0x40);
	GUEST_EQ(guest_counts[0x40], 1);
	GUEST_EQ(guest_counts[0x45], 1);
	guest_done();
}

TEST(priority, "vectors by priority; TPR and CR8 are one and hold back; nesting by class")
{
	g_no_cr8 = host_is_tcg();
	vcpu_finish(vm_guest(true, g_priority));
}

static void g_oneshot(void)
{
	u32 last, v;

	apic_on();
	apic_write(APIC_TDCR, 0xb);		/* divide by 1 */
	apic_write(APIC_LVTT, VEC);
	sti();
	apic_write(APIC_TMICT, 20000000);	/* 20 ms of KVM's 1 GHz bus */
	last = apic_read(APIC_TMCCT);
	GUEST_ASSERT(last > 0 && last <= 20000000);
	for (int i = 0; i < 5; i++) {
		v = apic_read(APIC_TMCCT);
		GUEST_ASSERT(v <= last);
		last = v;
	}
	wait_for(VEC, 1);
	GUEST_EQ(apic_read(APIC_TMCCT), 0);
	guest_sync(1);
	apic_write(APIC_TMICT, 200000000);
	wait_for(VEC, 2);
	guest_sync(2);
	/* stopped: nothing comes while the host sleeps for longer */
	apic_write(APIC_TMICT, 200000000);
	apic_write(APIC_TMICT, 0);
	GUEST_EQ(apic_read(APIC_TMCCT), 0);
	guest_sync(3);
	GUEST_EQ(guest_counts[VEC], 2);
	/* masked: counts, does not interrupt */
	apic_write(APIC_LVTT, VEC | 1 << 16);
	apic_write(APIC_TMICT, 100000);
	while (apic_read(APIC_TMCCT))
		;
	GUEST_EQ(guest_counts[VEC], 2);
	guest_done();
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

TEST_TIMED(oneshot, "LAPIC timer, one shot: counts down, fires once, on time, can be stopped and masked")
{
	struct vcpu *v = vm_guest(true, g_oneshot);
	double t;

	vcpu_expect_sync(v, 1);
	t = now();
	vcpu_expect_sync(v, 2);
	t = now() - t;
	EXPECT(t > 0.19 && t < 0.45, "200 ms took %.3f s", t);
	vcpu_expect_sync(v, 3);
	usleep(300000);
	vcpu_finish(v);
}

static void g_periodic(void)
{
	apic_on();
	apic_write(APIC_TDCR, 0x3);		/* divide by 16 */
	apic_write(APIC_LVTT, VEC | 1 << 17);
	apic_write(APIC_TMICT, 10000000 / 16);
	wait_for(VEC, 2);
	guest_sync(guest_counts[VEC]);
	wait_for(VEC, 42);
	guest_sync(guest_counts[VEC]);
	apic_write(APIC_TMICT, 0);
	guest_done();
}

TEST_TIMED(periodic, "LAPIC timer, periodic at 100 Hz, with a divider: 40 ticks in 0.4 s")
{
	struct vcpu *v = vm_guest(true, g_periodic);
	double t;
	u64 n;

	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	t = now();
	n = v->sync;
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	t = now() - t;
	n = v->sync - n;
	EXPECT(n >= 39 && n <= 41 && t > 0.3 && t < 0.7, "%llu in %.3f s",
	       (unsigned long long)n, t);
	vcpu_finish(v);
}

static volatile u64 g_tsc_khz;

static void g_deadline(void)
{
	u64 t0, t1;

	apic_on();
	apic_write(APIC_LVTT, VEC | 2 << 17);
	asm volatile("mfence");
	GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	for (int i = 1; i <= 10; i++) {
		t0 = rdtsc();
		wrmsr(MSR_TSC_DEADLINE, t0 + g_tsc_khz * 10);
		wait_for(VEC, i);
		t1 = rdtsc();
		GUEST_ASSERT(t1 - t0 >= g_tsc_khz * 10);
		GUEST_ASSERT(t1 - t0 < g_tsc_khz * 200);
		GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	}
	/* in the past: at once */
	sti();
	wrmsr(MSR_TSC_DEADLINE, 1);
	for (int i = 0; i < 100000 && guest_counts[VEC] < 11; i++)
		cpu_relax();
	GUEST_EQ(guest_counts[VEC], 11);
	/* disarmed */
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + g_tsc_khz * 5);
	GUEST_ASSERT(rdmsr(MSR_TSC_DEADLINE));
	wrmsr(MSR_TSC_DEADLINE, 0);
	t0 = rdtsc();
	while (rdtsc() - t0 < g_tsc_khz * 20)
		cpu_relax();
	GUEST_EQ(guest_counts[VEC], 11);
	/* in another mode the MSR ignores writes */
	apic_write(APIC_LVTT, VEC);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + g_tsc_khz);
	GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	guest_done();
}

TEST_TIMED(deadline, "LAPIC timer, TSC deadline: never early, past deadlines at once, 0 disarms")
{
	struct vm *vm = vm_new_irqchip();
	struct vcpu *v = vcpu_bare(vm, 0);

	vcpu_deadline_cpuid(v);
	g_tsc_khz = ASSERT_OK(ioctl(v->fd, KVM_GET_TSC_KHZ, 0));
	vcpu_long(v, g_deadline);
	vcpu_finish(v);
}

static void g_x2apic(void)
{
	u64 v;

	GUEST_EQ(try_rdmsr(MSR_X2APIC(APIC_ID), NULL), X86_GP);	/* xAPIC mode */
	x2apic_on();
	GUEST_EQ(rdmsr(MSR_X2APIC(APIC_ID)), 0);
	GUEST_EQ(rdmsr(MSR_X2APIC(APIC_VERSION)) & 0xff, 0x14);
	GUEST_EQ(rdmsr(MSR_X2APIC(APIC_LDR)), 1);
	sti();
	wrmsr(MSR_X2APIC(APIC_SELF_IPI), VEC);
	GUEST_EQ(guest_counts[VEC], 1);
	wrmsr(MSR_X2APIC(APIC_ICR), VEC);		/* to id 0 */
	GUEST_EQ(guest_counts[VEC], 2);
	wrmsr(MSR_X2APIC(APIC_ICR), 1ull << 32 | 0x800 | VEC);	/* logical */
	GUEST_EQ(guest_counts[VEC], 3);
	v = rdmsr(MSR_X2APIC(APIC_ICR));
	GUEST_EQ(v & 0xfff, 0x800 | VEC);
	/* read-only, reserved, absent registers */
	GUEST_EQ(try_wrmsr(MSR_X2APIC(APIC_ID), 1), X86_GP);
	GUEST_EQ(try_wrmsr(MSR_X2APIC(APIC_VERSION), 1), X86_GP);
	GUEST_EQ(try_wrmsr(MSR_X2APIC(APIC_LDR), 1), X86_GP);
	GUEST_EQ(try_wrmsr(MSR_X2APIC(APIC_EOI), 1), X86_GP);
	GUEST_EQ(try_rdmsr(MSR_X2APIC(APIC_EOI), NULL), X86_GP);
	GUEST_EQ(try_rdmsr(MSR_X2APIC(APIC_SELF_IPI), NULL), X86_GP);
	GUEST_EQ(try_rdmsr(MSR_X2APIC(APIC_DFR), NULL), X86_GP);
	GUEST_EQ(try_rdmsr(MSR_X2APIC(APIC_ICR2), NULL), X86_GP);
	GUEST_EQ(try_wrmsr(MSR_X2APIC(APIC_TPR), 0x100), X86_GP);
	GUEST_EQ(try_rdmsr(0x8ff, NULL), X86_GP);
	/* from x2APIC to xAPIC directly is #GP; through disabled it works */
	v = rdmsr(MSR_APIC_BASE);
	GUEST_EQ(try_wrmsr(MSR_APIC_BASE, v & ~0x400ull), X86_GP);
	GUEST_EQ(try_wrmsr(MSR_APIC_BASE, (v & ~0x800ull)), X86_GP);
	wrmsr(MSR_APIC_BASE, v & ~0xc00ull);
	GUEST_EQ(try_wrmsr(MSR_APIC_BASE, v), X86_GP);	/* disabled to x2APIC */
	wrmsr(MSR_APIC_BASE, (v & ~0x400ull));
	GUEST_EQ(apic_read(APIC_VERSION) & 0xff, 0x14);
	guest_done();
}

TEST(x2apic, "x2APIC: registers, self IPI, #GP for what isn't there, mode changes")
{
	vcpu_finish(vm_guest(true, g_x2apic));
}

static void g_x2apic_timer(void)
{
	x2apic_on();
	wrmsr(MSR_X2APIC(APIC_TDCR), 0xb);
	wrmsr(MSR_X2APIC(APIC_LVTT), VEC);
	wrmsr(MSR_X2APIC(APIC_TMICT), 5000000);
	GUEST_ASSERT(rdmsr(MSR_X2APIC(APIC_TMCCT)) <= 5000000);
	wait_for(VEC, 1);
	GUEST_EQ(rdmsr(MSR_X2APIC(APIC_TMCCT)), 0);
	guest_done();
}

TEST(x2apic_timer, "the timer by x2APIC registers wakes HLT")
{
	vcpu_finish(vm_guest(true, g_x2apic_timer));
}

static void g_disabled(void)
{
	/* software-disabled: no interrupts but LVTs are masked */
	apic_write(APIC_SVR, 0x0ff);
	GUEST_ASSERT(apic_read(APIC_LVTT) & 1 << 16);
	apic_write(APIC_LVTT, VEC);
	GUEST_ASSERT(apic_read(APIC_LVTT) & 1 << 16);
	guest_handle(VEC, guest_count_eoi);
	sti();
	apic_write(APIC_ICR, 0x40000 | VEC);
	asm volatile("nop");
	GUEST_EQ(guest_counts[VEC], 0);
	/* hardware-disabled: its page is no APIC any more */
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) & ~0x800ull);
	guest_sync(apic_read(APIC_VERSION));
	guest_done();
}

TEST(disabled, "LAPIC disabled by SVR: nothing accepted; by APIC_BASE: its page is none of it")
{
	struct vcpu *v = vm_guest(true, g_disabled);

	/* or it reads as ones: KVM_X86_QUIRK_LAPIC_MMIO_HOLE, on by default */
	if (vcpu_next(v) == GUEST_EXIT) {
		ASSERT_EQ(v->run->exit_reason, KVM_EXIT_MMIO);
		EXPECT_EQ(v->run->mmio.phys_addr, APIC_BASE + APIC_VERSION);
		*(u32 *)v->run->mmio.data = 0xffffffff;
		vcpu_expect_sync(v, 0xffffffff);
	} else {
		EXPECT_EQ(v->sync, 0xffffffff);
	}
	vcpu_finish(v);
}

static void g_esr(void)
{
	apic_on();
	apic_write(APIC_ESR, 0);
	GUEST_EQ(apic_read(APIC_ESR), 0);
	/* a vector below 16 is illegal to send */
	apic_write(APIC_ICR2, 0);
	apic_write(APIC_ICR, 0x40000 | 5);
	apic_write(APIC_ESR, 0);
	guest_sync(apic_read(APIC_ESR));
	guest_done();
}

TEST(esr, "an IPI with an illegal vector is not delivered, and does no harm")
{
	struct vcpu *v = vm_guest(true, g_esr);

	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	tap_note("ESR is 0x%llx", (unsigned long long)v->sync);
	vcpu_finish(v);
}
