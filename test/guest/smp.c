// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several vCPUs: start-up by INIT and SIPI, IPIs between them, a TSC and a
 * kvmclock that all agree on, page table changes seen by all.
 */
#include <sched.h>
#include <unistd.h>

#include "guest.h"

#define VEC	0x61
#define NR	4

static volatile u64 g_alive[NR], g_stop;

/* The trampoline at 0x8000 in real mode says where it is, then HLTs. */
BLOB(b_ap, ".code16",
     "mov %cs, %ax; mov %ax, %ds\n"
     "lock incw b_ap_count - b_ap\n"
     "cli; 1: hlt; jmp 1b\n"
     "b_ap_count: .word 0");

static void icr(u32 apic, u32 low)
{
	apic_write(APIC_ICR2, apic << 24);
	apic_write(APIC_ICR, low);
}

static void delay(u64 loops)
{
	for (volatile u64 i = 0; i < loops; i++)
		cpu_relax();
}

static volatile u16 *g_count;

static void g_start_aps(void)
{
	apic_write(APIC_SVR, 0x1ff);
	/* INIT, then SIPI twice: the second must not restart it */
	for (u32 i = 1; i < NR; i++) {
		icr(i, 0x4500);
		delay(1000);
		icr(i, 0x4600 | 8);
		delay(1000);
		icr(i, 0x4600 | 8);
	}
	while (*g_count < NR - 1)
		cpu_relax();
	delay(20000);
	GUEST_EQ(*g_count, NR - 1);
	/* all but self */
	apic_write(APIC_ICR, 0xc4500);
	delay(1000);
	apic_write(APIC_ICR, 0xc4600 | 8);
	while (*g_count < 2 * (NR - 1))
		cpu_relax();
	guest_done();
}

static void *ap_thread(void *arg)
{
	struct vcpu *v = arg;

	for (;;) {
		/* EAGAIN: what it waited for, its INIT, has come */
		if (vcpu_run_once(v) < 0) {
			if (errno != EINTR && errno != EAGAIN)
				break;
			continue;
		}
		if (v->run->exit_reason != KVM_EXIT_INTR)
			break;
	}
	return NULL;
}

static void start_thread(struct vcpu *v)
{
	ASSERT(!pthread_create(&v->thread, NULL, ap_thread, v));
}

TEST(init_sipi, "APs start by INIT and SIPI in real mode at the vector's page; a second SIPI is nothing")
{
	extern const u8 b_ap_count[];
	struct vm *vm = vm_new_irqchip();
	struct vcpu *v[NR];

	for (int i = 0; i < NR; i++)
		v[i] = vcpu_new(vm, i);
	vm_code(vm, 0x8000, b_ap, BLOB_LEN(b_ap));
	g_count = (u16 *)(0x8000 + (b_ap_count - b_ap));
	vcpu_long(v[0], g_start_aps);
	for (int i = 1; i < NR; i++)
		start_thread(v[i]);
	vcpu_finish(v[0]);
}

/* APs that the host puts into long mode itself, to test the rest. */
static struct vm *smp_vm(unsigned int nr, void (*bsp)(void), void (*ap)(void))
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_mp_state run = { .mp_state = KVM_MP_STATE_RUNNABLE };

	for (unsigned int i = 0; i < nr; i++) {
		struct vcpu *v = vcpu_new(vm, i);

		vcpu_long(v, i ? ap : bsp);
		ASSERT_OK(ioctl(v->fd, KVM_SET_MP_STATE, &run));
	}
	for (unsigned int i = 1; i < nr; i++)
		vcpu_start(vm->vcpus[i]);
	return vm;
}

static void finish(struct vm *vm)
{
	vcpu_finish(vm->vcpus[0]);
	for (unsigned int i = 1; i < vm->nr_vcpus; i++)
		vcpu_join(vm->vcpus[i]);
}

static volatile u64 g_ipi[NR];

static void ipi_handler(struct trap_frame *f)
{
	g_ipi[this_cpu()->id]++;
	apic_write(APIC_EOI, 0);
}

static void g_ipi_ap(void)
{
	apic_write(APIC_SVR, 0x1ff);
	apic_write(APIC_LDR, 1u << (24 + this_cpu()->id));
	g_alive[this_cpu()->id] = 1;
	cli();
	while (!g_stop) {
		sti_hlt();
		cli();
	}
	guest_done();
}

static void expect_ipis(u64 a, u64 b, u64 c, u64 d)
{
	for (u64 i = 0; i < 100000000; i++) {
		if (g_ipi[0] >= a && g_ipi[1] >= b && g_ipi[2] >= c && g_ipi[3] >= d)
			break;
		cpu_relax();
	}
	delay(1000);
	GUEST_EQ(g_ipi[0], a);
	GUEST_EQ(g_ipi[1], b);
	GUEST_EQ(g_ipi[2], c);
	GUEST_EQ(g_ipi[3], d);
}

static void g_ipi_bsp(void)
{
	apic_write(APIC_SVR, 0x1ff);
	apic_write(APIC_LDR, 1u << 24);
	guest_handle(VEC, ipi_handler);
	while (!g_alive[1] || !g_alive[2] || !g_alive[3])
		cpu_relax();
	sti();
	icr(2, VEC);				/* physical */
	expect_ipis(0, 0, 1, 0);
	icr(0xff, VEC);				/* physical broadcast */
	expect_ipis(1, 1, 2, 1);
	icr(0x0a, 0x800 | VEC);			/* logical: 1 and 3 */
	expect_ipis(1, 2, 2, 2);
	apic_write(APIC_ICR, 0x80000 | VEC);	/* all */
	expect_ipis(2, 3, 3, 3);
	apic_write(APIC_ICR, 0xc0000 | VEC);	/* all but self */
	expect_ipis(2, 4, 4, 4);
	for (int i = 0; i < 200; i++) {
		icr(1, VEC);
		while (g_ipi[1] < 5u + i)
			cpu_relax();
	}
	g_stop = 1;
	apic_write(APIC_ICR, 0xc0000 | VEC);
	guest_done();
}

TEST_LIMIT(ipi, 60, "IPIs: physical, logical, broadcast, shorthands, and 200 that wake from HLT")
{
	finish(smp_vm(4, g_ipi_bsp, g_ipi_ap));
}

static void g_x2_ap(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 0xc00);
	wrmsr(MSR_X2APIC(APIC_SVR), 0x1ff);
	GUEST_EQ(rdmsr(MSR_X2APIC(APIC_ID)), this_cpu()->id);
	g_alive[this_cpu()->id] = 1;
	cli();
	while (!g_stop) {
		sti_hlt();
		cli();
	}
	guest_done();
}

static void ipi_handler_x2(struct trap_frame *f)
{
	g_ipi[this_cpu()->id]++;
	wrmsr(MSR_X2APIC(APIC_EOI), 0);
}

static void g_x2_bsp(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 0xc00);
	wrmsr(MSR_X2APIC(APIC_SVR), 0x1ff);
	guest_handle(VEC, ipi_handler_x2);
	while (!g_alive[1] || !g_alive[2] || !g_alive[3])
		cpu_relax();
	sti();
	wrmsr(MSR_X2APIC(APIC_ICR), 3ull << 32 | VEC);
	expect_ipis(0, 0, 0, 1);
	wrmsr(MSR_X2APIC(APIC_ICR), 0xffffffffull << 32 | VEC);
	expect_ipis(1, 1, 1, 2);
	wrmsr(MSR_X2APIC(APIC_ICR), 0x6ull << 32 | 0x800 | VEC);	/* 1, 2 */
	expect_ipis(1, 2, 2, 2);
	g_stop = 1;
	wrmsr(MSR_X2APIC(APIC_ICR), 0xc0000 | VEC);
	guest_done();
}

TEST_LIMIT(x2apic, 60, "IPIs in x2APIC mode: physical, broadcast, cluster")
{
	finish(smp_vm(4, g_x2_bsp, g_x2_ap));
}

static void nmi_handler(struct trap_frame *f)
{
	g_ipi[this_cpu()->id]++;
}

static void g_nmi_ap(void)
{
	apic_write(APIC_SVR, 0x1ff);
	g_alive[this_cpu()->id] = 1;
	cli();
	while (!g_stop)
		asm volatile("hlt" ::: "memory");
	guest_done();
}

static void g_nmi_bsp(void)
{
	apic_write(APIC_SVR, 0x1ff);
	guest_handle(X86_NMI, nmi_handler);
	while (!g_alive[1])
		cpu_relax();
	for (u64 i = 1; i <= 50; i++) {
		if (i == 50)
			g_stop = 1;
		icr(1, 0x4400);
		while (g_ipi[1] < i)
			cpu_relax();
	}
	guest_done();
}

TEST_LIMIT(nmi, 60, "NMI IPIs wake another vCPU from HLT with interrupts off, 50 times")
{
	finish(smp_vm(2, g_nmi_bsp, g_nmi_ap));
}

static volatile u64 g_turn, g_last_tsc;

static void g_tsc_turns(void)
{
	u64 me = this_cpu()->id, t;

	for (u64 i = 0; i < 2000; i++) {
		while (g_turn % 2 != me)
			cpu_relax();
		t = rdtsc();
		GUEST_ASSERT(t > g_last_tsc);
		g_last_tsc = t;
		barrier();
		g_turn++;
	}
	guest_done();
}

TEST_LIMIT(tsc, 60, "the TSC never goes back from one vCPU to the other")
{
	finish(smp_vm(2, g_tsc_turns, g_tsc_turns));
}

struct pvclock {
	u32 version, pad0;
	u64 tsc, system;
	u32 mul;
	signed char shift;
	u8 flags, pad[2];
};

static struct pvclock g_pvclock[2] __attribute__((aligned(64)));

static u64 pvclock_read(volatile struct pvclock *p)
{
	u64 delta, ns;
	u32 version;

	do {
		version = p->version & ~1u;
		barrier();
		delta = rdtsc() - p->tsc;
		delta = p->shift >= 0 ? delta << p->shift : delta >> -p->shift;
		ns = (u64)((unsigned __int128)delta * p->mul >> 32) + p->system;
		barrier();
	} while (version != p->version);
	return ns;
}

static volatile u64 g_last_ns;

static void g_clock_turns(void)
{
	u64 me = this_cpu()->id, t;
	u32 a, b, c, d;

	wrmsr(MSR_KVM_SYSTEM_TIME_NEW, (u64)&g_pvclock[me] | 1);
	cpuid(0, 0, &a, &b, &c, &d);
	for (u64 i = 0; i < 1000; i++) {
		while (g_turn % 2 != me)
			cpu_relax();
		t = pvclock_read(&g_pvclock[me]);
		/* the stable flag promises this for all vCPUs */
		if (g_pvclock[0].flags & g_pvclock[1].flags & 1)
			GUEST_ASSERT(t >= g_last_ns);
		g_last_ns = t;
		barrier();
		g_turn++;
		if (i % 50 == 0)
			cpuid(0, 0, &a, &b, &c, &d);
	}
	guest_done();
}

TEST_LIMIT(kvmclock, 60, "kvmclock, where it says stable, never goes back between vCPUs")
{
	finish(smp_vm(2, g_clock_turns, g_clock_turns));
}

static volatile u64 g_phase;

static void flush_handler(struct trap_frame *f)
{
	invlpg(0x605000);
	g_ipi[this_cpu()->id]++;
	apic_write(APIC_EOI, 0);
}

static void g_shoot_ap(void)
{
	apic_write(APIC_SVR, 0x1ff);
	sti();
	g_alive[1] = 1;
	while (!g_phase)
		cpu_relax();
	while (!g_stop) {
		u64 phase = g_phase;
		u64 got = *(volatile u64 *)0x605000;

		barrier();
		/* if no change was under way, we must have seen the right page */
		if (g_phase == phase && !(phase & 1))
			GUEST_EQ(got, phase / 2 % 2 ? 0x6666 : 0x5555);
	}
	guest_done();
}

static volatile u64 *g_pt;

static void g_shoot_bsp(void)
{
	apic_write(APIC_SVR, 0x1ff);
	guest_handle(VEC, flush_handler);
	*(volatile u64 *)0x605000 = 0x5555;
	*(volatile u64 *)0x606000 = 0x6666;
	while (!g_alive[1])
		cpu_relax();
	for (u64 i = 1; i <= 300; i++) {
		g_phase = 2 * i - 1;
		g_pt[5] = (i % 2 ? 0x606000 : 0x605000) | 7;
		invlpg(0x605000);
		icr(1, VEC);
		while (g_ipi[1] < i)
			cpu_relax();
		g_phase = 2 * i;
	}
	g_stop = 1;
	guest_done();
}

TEST_LIMIT(shootdown, 60, "a page table changed by one vCPU, flushed by IPI and INVLPG on the other")
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_mp_state run = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct vcpu *a = vcpu_new(vm, 0), *b = vcpu_new(vm, 1);

	g_pt = (u64 *)(uintptr_t)((u8 *)vm_split(vm, 0x600000) - vm->ram);
	vcpu_long(a, g_shoot_bsp);
	vcpu_long(b, g_shoot_ap);
	ASSERT_OK(ioctl(b->fd, KVM_SET_MP_STATE, &run));
	vcpu_start(b);
	vcpu_finish(a);
	vcpu_join(b);
}

static volatile u64 g_sum;

static void g_atomic(void)
{
	for (u64 i = 0; i < 100000; i++)
		asm volatile("lock incq %0" : "+m"(g_sum) :: "memory", "cc");
	while (g_sum < 400000)
		cpu_relax();
	guest_done();
}

TEST_LIMIT(faults, 60, "four vCPUs count in shared memory, and fault in its pages at once")
{
	void g_touch(void);
	struct vm *vm = smp_vm(4, g_atomic, g_atomic);

	finish(vm);
	EXPECT_EQ(*IN_GUEST(vm, g_sum), 400000);
	vm_free(vm);
	vm = smp_vm(4, g_touch, g_touch);
	finish(vm);
}

void g_touch(void);
void g_touch(void)
{
	u64 me = this_cpu()->id;

	for (u64 a = 0x900000; a < 0x1000000; a += 0x1000)
		((volatile u64 *)a)[me] = a + me;
	for (u64 a = 0x900000; a < 0x1000000; a += 0x1000)
		GUEST_EQ(((volatile u64 *)a)[me], a + me);
	guest_done();
}
