// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest that knows KVM uses: kvmclock, hypercalls, steal time, PV EOI.
 */
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define KVM_ENOSYS	1000
#define KVM_EFAULT	14
#define KVM_EPERM	1

static s64 hypercall(u64 nr, u64 a, u64 b)
{
	s64 r;

	/* VMMCALL on AMD; KVM patches or handles VMCALL as well */
	asm volatile("vmmcall" : "=a"(r) : "a"(nr), "b"(a), "c"(b), "d"(0), "S"(0)
		     : "memory");
	return r;
}

static void g_hypercalls(void)
{
	GUEST_EQ(hypercall(0x12345, 0, 0), -KVM_ENOSYS);
	GUEST_EQ(hypercall(2, 0, 0), -KVM_ENOSYS);	/* MMU_OP is gone */
	GUEST_EQ(hypercall(1, 0, 0), 0);		/* VAPIC_POLL_IRQ */
	GUEST_EQ(hypercall(5, 0, 0), 0);		/* KICK_CPU, ourselves */
	guest_done();
}

TEST(hypercalls, "hypercalls: unknown ones are -KVM_ENOSYS, the known ones answer")
{
	vcpu_finish(vm_guest(true, g_hypercalls));
}

static volatile s64 g_user_result;

static void g_user_call(void)
{
	s64 r;

	asm volatile("vmmcall" : "=a"(r) : "a"(1), "b"(0), "c"(0), "d"(0), "S"(0)
		     : "memory");
	g_user_result = r;
}

static void g_hypercall_user(void)
{
	guest_user(g_user_call);
	GUEST_EQ(g_user_result, -KVM_EPERM);
	guest_done();
}

TEST(hypercall_user, "a hypercall from CPL 3 is -KVM_EPERM")
{
	vcpu_finish(vm_guest(true, g_hypercall_user));
}

#define HC_MAP_GPA_RANGE	12
#define KVM_EINVAL		22

static s64 map_gpa_range(u64 gpa, u64 npages, u64 attrs)
{
	s64 r;

	asm volatile("vmmcall" : "=a"(r)
		     : "a"(HC_MAP_GPA_RANGE), "b"(gpa), "c"(npages), "d"(attrs), "S"(0)
		     : "memory");
	return r;
}

static void g_map_gpa(void)
{
	/* not switched on yet */
	GUEST_EQ(map_gpa_range(0x10000, 2, 0x10), -KVM_ENOSYS);
	guest_sync(1);
	GUEST_EQ(map_gpa_range(0x10010, 2, 0x10), -KVM_EINVAL);
	GUEST_EQ(map_gpa_range(0x10000, 0, 0x10), -KVM_EINVAL);
	GUEST_EQ(map_gpa_range(0x10000, -1ull, 0x10), -KVM_EINVAL);
	GUEST_EQ(map_gpa_range(0x10000, 2, 0x10), 77);
	GUEST_EQ(map_gpa_range(0x20000, 1, 0), -5);
	guest_done();
}

TEST(map_gpa_range, "KVM_CAP_EXIT_HYPERCALL: MAP_GPA_RANGE is done by user space, once it asks")
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXIT_HYPERCALL };
	struct vcpu *v = vm_guest(true, g_map_gpa);
	struct kvm_run *run = v->run;

	if (!kvm_cap(v->vm->fd, KVM_CAP_EXIT_HYPERCALL))
		tap_skip("no KVM_CAP_EXIT_HYPERCALL");
	EXPECT_EQ(kvm_cap(v->vm->fd, KVM_CAP_EXIT_HYPERCALL), 1 << HC_MAP_GPA_RANGE);
	cap.args[0] = 1 << 5;
	EXPECT_ERRNO(ioctl(v->vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	vcpu_expect_sync(v, 1);
	cap.args[0] = 1 << HC_MAP_GPA_RANGE;
	ASSERT_OK(ioctl(v->vm->fd, KVM_ENABLE_CAP, &cap));

	vcpu_expect_exit(v, KVM_EXIT_HYPERCALL);
	EXPECT_EQ(run->hypercall.nr, HC_MAP_GPA_RANGE);
	EXPECT_EQ(run->hypercall.args[0], 0x10000);
	EXPECT_EQ(run->hypercall.args[1], 2);
	EXPECT_EQ(run->hypercall.args[2], 0x10);
	EXPECT_EQ(run->hypercall.longmode, 1);	/* KVM_EXIT_HYPERCALL_LONG_MODE */
	run->hypercall.ret = 77;
	vcpu_expect_exit(v, KVM_EXIT_HYPERCALL);
	EXPECT_EQ(run->hypercall.args[0], 0x20000);
	run->hypercall.ret = -5;
	vcpu_finish(v);
}

struct pvclock {
	u32 version, pad0;
	u64 tsc, system;
	u32 mul;
	signed char shift;
	u8 flags, pad[2];
};

static struct pvclock g_clock __attribute__((aligned(64)));
static struct { u32 version, sec, nsec; } g_wall __attribute__((aligned(16)));

static u64 read_clock(volatile struct pvclock *p)
{
	u64 delta = rdtsc() - p->tsc;

	delta = p->shift >= 0 ? delta << p->shift : delta >> -p->shift;
	return (u64)((unsigned __int128)delta * p->mul >> 32) + p->system;
}

static void g_kvmclock(void)
{
	u32 a, b, c, d;

	wrmsr(MSR_KVM_SYSTEM_TIME_NEW, (u64)&g_clock | 1);
	GUEST_EQ(rdmsr(MSR_KVM_SYSTEM_TIME_NEW), (u64)&g_clock | 1);
	cpuid(0, 0, &a, &b, &c, &d);
	GUEST_ASSERT(g_clock.version && !(g_clock.version & 1));
	GUEST_ASSERT(g_clock.mul);
	for (;;)
		guest_sync(read_clock(&g_clock));
}

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

TEST_TIMED(kvmclock, "kvmclock runs as the host's clock does, and agrees with KVM_GET_CLOCK")
{
	struct vcpu *v = vm_guest(true, g_kvmclock);
	struct kvm_clock_data k = { .clock = 123000000000ull };
	u64 t0, t1, g0, g1;

	ASSERT_OK(ioctl(v->vm->fd, KVM_SET_CLOCK, &k));
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	g0 = v->sync;
	t0 = now_ns();
	ASSERT_OK(ioctl(v->vm->fd, KVM_GET_CLOCK, &k));
	EXPECT(g0 >= 123000000000ull && g0 <= k.clock + 1000000,
	       "guest %llu, KVM_GET_CLOCK %llu", (unsigned long long)g0, k.clock);
	EXPECT(k.clock - g0 < 50000000, "%lld", k.clock - g0);
	usleep(300000);
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	g1 = v->sync;
	t1 = now_ns();
	EXPECT((s64)(g1 - g0) - (s64)(t1 - t0) < 15000000 &&
	       (s64)(g1 - g0) - (s64)(t1 - t0) > -15000000,
	       "guest %llu ns, host %llu ns", (unsigned long long)(g1 - g0),
	       (unsigned long long)(t1 - t0));
}

static void g_wall_clock(void)
{
	wrmsr(MSR_KVM_WALL_CLOCK_NEW, (u64)&g_wall);
	wrmsr(MSR_KVM_SYSTEM_TIME_NEW, (u64)&g_clock | 1);
	guest_sync(g_wall.sec);
	guest_sync(read_clock(&g_clock));
	guest_done();
}

TEST_TIMED(wall_clock, "the wall clock MSR gives the time of the VM's boot")
{
	struct vcpu *v = vm_guest(true, g_wall_clock);
	u64 boot;

	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	boot = v->sync;
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	boot += v->sync / 1000000000;
	EXPECT(boot + 2 >= (u64)time(NULL) && boot <= (u64)time(NULL) + 2,
	       "%llu, now %lld", (unsigned long long)boot, (long long)time(NULL));
}

static void g_paused(void)
{
	wrmsr(MSR_KVM_SYSTEM_TIME_NEW, (u64)&g_clock | 1);
	guest_sync(1);
	GUEST_ASSERT(g_clock.flags & 2);	/* PVCLOCK_GUEST_STOPPED */
	guest_done();
}

TEST(paused, "KVM_KVMCLOCK_CTRL sets the guest-stopped flag in kvmclock")
{
	struct vcpu *v = vm_guest(true, g_paused);

	vcpu_expect_sync(v, 1);
	ASSERT_OK(ioctl(v->fd, KVM_KVMCLOCK_CTRL, 0));
	vcpu_finish(v);
}

static struct {
	u64 steal;
	u32 version, flags;
	u8 preempted, pad8[3];
	u32 pad[11];
} g_steal __attribute__((aligned(64)));

static void g_steal_time(void)
{
	u32 a, b, c, d;

	cpuid(0x40000001, 0, &a, &b, &c, &d);
	if (!(a & 1 << 5)) {
		GUEST_EQ(try_wrmsr(MSR_KVM_STEAL_TIME, (u64)&g_steal | 1), X86_GP);
		guest_sync(0);
		guest_done();
	}
	GUEST_EQ(try_wrmsr(MSR_KVM_STEAL_TIME, (u64)&g_steal | 0x21), X86_GP);
	wrmsr(MSR_KVM_STEAL_TIME, (u64)&g_steal | 1);
	guest_sync(1);
	GUEST_ASSERT(!(g_steal.version & 1));
	GUEST_EQ(g_steal.preempted, 0);
	guest_sync(g_steal.steal);
	guest_done();
}

TEST(steal, "steal time, where CPUID announces it, is kept up; reserved bits are #GP")
{
	struct vcpu *v = vm_guest(true, g_steal_time);

	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	if (!v->sync)
		tap_skip("no steal time in CPUID");
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	vcpu_finish(v);
}

static volatile u64 g_pv_eoi;

static void pv_eoi_handler(struct trap_frame *f)
{
	guest_counts[0x61]++;
	/* the guest may skip the EOI if the bit was set, and clears it */
	if (__atomic_exchange_n((u8 *)&g_pv_eoi, 0, __ATOMIC_SEQ_CST) & 1) {
		guest_counts[0]++;
		return;
	}
	apic_write(APIC_EOI, 0);
}

static void g_pv_eoi_use(void)
{
	u32 a, b, c, d;

	cpuid(0x40000001, 0, &a, &b, &c, &d);
	if (!(a & 1 << 6)) {
		guest_sync(0);
		guest_done();
	}
	apic_write(APIC_SVR, 0x1ff);
	guest_handle(0x61, pv_eoi_handler);
	wrmsr(MSR_KVM_PV_EOI_EN, (u64)&g_pv_eoi | 1);
	sti();
	for (u64 i = 1; i <= 20; i++) {
		apic_write(APIC_ICR, 0x40000 | 0x61);
		GUEST_EQ(guest_counts[0x61], i);
	}
	guest_sync(1);
	guest_sync(guest_counts[0]);
	guest_done();
}

TEST(pv_eoi, "PV EOI, where CPUID announces it: skipped EOIs lose no interrupt")
{
	struct vcpu *v = vm_guest(true, g_pv_eoi_use);

	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	if (!v->sync)
		tap_skip("no PV EOI in CPUID");
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	tap_note("%llu of 20 EOIs skipped", (unsigned long long)v->sync);
	vcpu_finish(v);
}
