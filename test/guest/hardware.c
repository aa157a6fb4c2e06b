// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the CPU does for a guest without an exit, where it can and no parameter turns it
 * off: counters say whether it did. Without it the guest sees the same.
 */
#include <string.h>

#include "guest.h"

#define VEC	0x61
#define N	100

static volatile u64 g_tsc_khz;

static u64 counter(struct vcpu *v, const char *name)
{
	u64 value = kvm_stat(v->fd, name);

	if (value == ~0ull)
		tap_skip("no counter %s", name);
	return value;
}

/* Did the guest's part between two guest_sync() make @most exits at most? */
static void expect_exits(struct vcpu *v, bool few)
{
	u64 before, exits;

	vcpu_expect_sync(v, 1);
	before = counter(v, "exits");
	vcpu_expect_sync(v, 2);
	exits = counter(v, "exits") - before;
	tap_note("%llu exits", (unsigned long long)exits);
	if (few)
		EXPECT(exits < N / 2, "%llu exits", (unsigned long long)exits);
	else
		EXPECT(exits >= N, "%llu exits", (unsigned long long)exits);
	vcpu_finish(v);
}

/*
 * @n is what the CPU did by itself: @least or more of it where @param is on, else none,
 * nor where it only does what the emulator can't.
 */
static void expect_used(const char *param, u64 n, u64 least, const char *what)
{
	tap_note("%llu %s", (unsigned long long)n, what);
	if (kvm_param(param) && !kvm_param("force_emulation"))
		EXPECT(n >= least, "%llu %s", (unsigned long long)n, what);
	else
		EXPECT_EQ(n, 0);
}

/* ---- the timer --------------------------------------------------------------------- */

static void g_spin(void)
{
	u64 deadline;

	apic_write(APIC_SVR, 0x1ff);
	guest_handle(VEC, guest_count_eoi);
	apic_write(APIC_LVTT, VEC | 2 << 17);
	asm volatile("mfence");
	sti();
	for (int i = 1; i <= 10; i++) {
		deadline = rdtsc() + g_tsc_khz * 2;
		wrmsr(MSR_TSC_DEADLINE, deadline);
		while (guest_counts[VEC] < (u64)i)
			;
		GUEST_ASSERT(rdtsc() >= deadline);
		GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	}
	/* moved, and stopped */
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + g_tsc_khz * 1000);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + g_tsc_khz * 2);
	while (guest_counts[VEC] < 11)
		;
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + g_tsc_khz * 2);
	wrmsr(MSR_TSC_DEADLINE, 0);
	for (deadline = rdtsc() + g_tsc_khz * 5; rdtsc() < deadline;)
		;
	GUEST_EQ(guest_counts[VEC], 11);
	/* armed while it runs, due while it sleeps */
	for (int i = 12; i <= 14; i++) {
		wrmsr(MSR_TSC_DEADLINE, rdtsc() + g_tsc_khz * 20);
		cli();
		while (guest_counts[VEC] < (u64)i) {
			sti_hlt();
			cli();
		}
		sti();
	}
	guest_done();
}

TEST_TIMED(timer, "a TSC deadline of a guest that spins: the CPU's timer, never early; asleep: the host's")
{
	struct vm *vm = vm_new_irqchip();
	struct vcpu *v = vcpu_bare(vm, 0);

	vcpu_deadline_cpuid(v);
	g_tsc_khz = ASSERT_OK(ioctl(v->fd, KVM_GET_TSC_KHZ, 0));
	vcpu_long(v, g_spin);
	vcpu_finish(v);
	expect_used("preemption_timer", counter(v, "hw_timer_exits"), 11, "exits of the timer");
}

/* ---- the APIC's page ------------------------------------------------------------------ */

static void g_tpr(void)
{
	apic_write(APIC_SVR, 0x1ff);
	guest_sync(1);
	for (u32 i = 0; i < N; i++) {
		apic_write(APIC_TPR, (i & 0xf) << 4);
		GUEST_EQ(apic_read(APIC_TPR), (i & 0xf) << 4);
		GUEST_EQ(read_cr8(), i & 0xf);
	}
	apic_write(APIC_TPR, 0);
	guest_sync(2);
	/* the page is the APIC, whatever the width */
	GUEST_EQ(*(volatile u8 *)(APIC_BASE + APIC_VERSION), 0x14);
	GUEST_EQ(apic_read(APIC_VERSION) & 0xff, 0x14);
	GUEST_EQ(apic_read(APIC_SVR), 0x1ff);
	/* elsewhere it is not, and it comes back */
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) + 0x1000);
	GUEST_EQ(mmio_read32(APIC_BASE + 0x1000 + APIC_SVR), 0x1ff);
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) - 0x1000);
	GUEST_EQ(apic_read(APIC_SVR), 0x1ff);
	guest_done();
}

TEST(tpr, "the task priority in the APIC's page: no exits where the CPU keeps it")
{
	skip_if_forced("accesses to the page don't exit either");
	expect_exits(vm_guest(true, g_tpr), kvm_param("flexpriority"));
}

/* An APIC in its page and one in MSRs: for the second one the page is nobody's. */
static void g_mixed_boot(void)
{
	apic_write(APIC_SVR, 0x1ff);
	GUEST_EQ(apic_read(APIC_VERSION) & 0xff, 0x14);
	guest_sync(1);
	GUEST_EQ(apic_read(APIC_VERSION) & 0xff, 0x14);
	apic_write(APIC_TPR, 0x50);
	GUEST_EQ(read_cr8(), 5);
	guest_done();
}

static void g_mixed_other(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 0xc00);
	GUEST_EQ(apic_read(APIC_VERSION), 0xffffffff);
	apic_write(APIC_TPR, 0x70);
	GUEST_EQ(read_cr8(), 0);
	GUEST_EQ(apic_read(APIC_TPR), 0xffffffff);
	guest_done();
}

TEST(mixed, "one APIC in its page, one in MSRs: neither sees the other's")
{
	struct vcpu *boot = vm_guest(true, g_mixed_boot);
	struct vcpu *other = vcpu_new(boot->vm, 1);
	struct kvm_mp_state run = { .mp_state = KVM_MP_STATE_RUNNABLE };

	ASSERT_OK(ioctl(other->fd, KVM_SET_MP_STATE, &run));
	vcpu_long(other, g_mixed_other);
	vcpu_expect_sync(boot, 1);
	vcpu_finish(other);
	vcpu_finish(boot);
}

/* ---- interrupts ---------------------------------------------------------------------- */

static void g_deliver_x2(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 0xc00);
	wrmsr(MSR_X2APIC(APIC_SVR), 0x1ff);
	guest_handle(VEC, guest_count_eoi_x2);
	sti();
	guest_sync(1);
	for (u64 i = 1; i <= N; i++) {
		wrmsr(MSR_X2APIC(APIC_SELF_IPI), VEC);
		GUEST_EQ(guest_counts[VEC], i);
	}
	guest_sync(2);
	/* held back by the TPR, which is let down */
	wrmsr(MSR_X2APIC(APIC_TPR), 0x70);
	wrmsr(MSR_X2APIC(APIC_SELF_IPI), VEC);
	GUEST_EQ(guest_counts[VEC], N);
	GUEST_EQ(rdmsr(MSR_X2APIC(APIC_IRR + 0x30)), 2);
	wrmsr(MSR_X2APIC(APIC_TPR), 0);
	GUEST_EQ(guest_counts[VEC], N + 1);
	GUEST_EQ(rdmsr(MSR_X2APIC(APIC_ISR + 0x30)), 0);
	guest_done();
}

TEST(deliver, "self IPIs and EOIs of an x2APIC: no exits where the CPU delivers")
{
	expect_exits(vm_guest(true, g_deliver_x2), kvm_param("enable_apicv"));
}

static void g_level(void)
{
	outb(0x21, 0xff);		/* the PIC */
	outb(0xa1, 0xff);
	apic_write(APIC_SVR, 0x1ff);
	guest_handle(VEC, guest_count_eoi);
	ioapic_entry(5, VEC | 1 << 15);
	sti();
	guest_sync(1);
	for (u64 i = 1; i <= 3; i++) {
		while (guest_counts[VEC] < i)
			cpu_relax();
		guest_sync(1 + i);
	}
	guest_done();
}

/* The line stays up: each EOI brings the interrupt again, until it falls. */
TEST(level, "a level-triggered interrupt comes again after each EOI while its line is up")
{
	struct vcpu *v = vm_guest(true, g_level);
	struct kvm_irq_level line = { .irq = 5, .level = 1 };

	vcpu_expect_sync(v, 1);
	ASSERT_OK(ioctl(v->vm->fd, KVM_IRQ_LINE, &line));
	vcpu_expect_sync(v, 2);
	vcpu_expect_sync(v, 3);
	vcpu_expect_sync(v, 4);
	line.level = 0;
	ASSERT_OK(ioctl(v->vm->fd, KVM_IRQ_LINE, &line));
	vcpu_finish(v);
	expect_used("enable_apicv", counter(v, "apic_eoi_exits"), 3, "exits for EOIs");
}

static void g_saved(void)
{
	apic_write(APIC_SVR, 0x1ff);
	guest_handle(VEC, guest_count_eoi);
	guest_handle(0x91, guest_count_eoi);
	cli();
	apic_write(APIC_ICR, 0x40000 | VEC);
	guest_sync(1);
	GUEST_EQ(apic_read(APIC_IRR + 0x30), 2);
	GUEST_EQ(apic_read(APIC_IRR + 0x40), 0x20000);
	sti_nop();
	GUEST_EQ(guest_counts[VEC], 1);
	GUEST_EQ(guest_counts[0x91], 1);
	GUEST_EQ(apic_read(APIC_PPR), 0);
	guest_done();
}

TEST(saved, "requested vectors are in KVM_GET_LAPIC, those of KVM_SET_LAPIC are delivered")
{
	struct vcpu *v = vm_guest(true, g_saved);
	struct kvm_lapic_state s;

	vcpu_expect_sync(v, 1);
	ASSERT_OK(ioctl(v->fd, KVM_GET_LAPIC, &s));
	EXPECT_EQ(*(u32 *)(s.regs + APIC_IRR + 0x30), 2);
	*(u32 *)(s.regs + APIC_IRR + 0x40) |= 0x20000;
	ASSERT_OK(ioctl(v->fd, KVM_SET_LAPIC, &s));
	vcpu_finish(v);
}

/* ---- dirty pages ------------------------------------------------------------------------ */

#define GPA	0x10000000ull
#define PAGES	1024u

static void g_write(void)
{
	for (u32 round = 1;; round++) {
		for (u32 i = 0; i < PAGES; i++)
			if (i % (round + 1) == 0)
				*(volatile u32 *)(GPA + i * 0x1000ul) = round;
		guest_sync(round);
	}
}

TEST(dirty, "pages written again after a log: listed by the CPU, not by faults; none missing")
{
	struct vcpu *v = vm_guest(false, g_write);
	u64 bitmap[PAGES / 64], pages, faults;
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bitmap };

	vm_map(v->vm, 1, GPA, PAGES * 0x1000ul, KVM_MEM_LOG_DIRTY_PAGES);
	vcpu_expect_sync(v, 1);
	ASSERT_OK(ioctl(v->vm->fd, KVM_GET_DIRTY_LOG, &log));
	pages = counter(v, "pml_pages");
	faults = counter(v, "pf_taken");
	for (u32 round = 3; round <= 5; round += 2) {
		vcpu_expect_sync(v, round - 1);
		ASSERT_OK(ioctl(v->vm->fd, KVM_GET_DIRTY_LOG, &log));
		vcpu_expect_sync(v, round);
		ASSERT_OK(ioctl(v->vm->fd, KVM_GET_DIRTY_LOG, &log));
		for (u32 i = 0; i < PAGES; i++)
			EXPECT_EQ(bitmap[i / 64] >> (i % 64) & 1, i % (round + 1) == 0);
	}
	pages = counter(v, "pml_pages") - pages;
	faults = counter(v, "pf_taken") - faults;
	tap_note("%llu faults", (unsigned long long)faults);
	/* Every page of rounds 3 and 5 had been written in round 1. */
	expect_used("pml", pages, PAGES / 4, "pages listed");
}
