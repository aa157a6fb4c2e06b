// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asynchronous page faults: a page that the host must fetch from somewhere (here: from
 * this program, by userfaultfd) is announced to the guest, which goes on meanwhile.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define MSR_KVM_ASYNC_PF_INT	0x4b564d06
#define MSR_KVM_ASYNC_PF_ACK	0x4b564d07
#define APF_ENABLED		1
#define APF_ALWAYS		2
#define APF_INT			8

#define READY_VECTOR	0x51
#define TICK_VECTOR	0x52
#define FAR		0x40000000ull	/* a slot that user space fills page by page */
#define FAR_PAGES	128
#define PAGE		4096

/* ---- the host's side: pages that come when they are told to ------------------- */

struct far {
	int uffd;
	u8 *hva;
	pthread_t thread;
	unsigned int delay_ms;
	volatile bool stop;
	volatile unsigned int faults;
};

/* Pages come beside the guest for accesses that the CPU makes. */
#define WAITS	"the emulator waits for pages itself"

static void far_fill(struct far *f, u64 page)
{
	static u8 data[PAGE] __attribute__((aligned(PAGE)));
	struct uffdio_copy copy = {
		.dst = (uintptr_t)f->hva + page * PAGE, .src = (uintptr_t)data, .len = PAGE,
	};

	memset(data, 0x40 + page, sizeof(data));
	ioctl(f->uffd, UFFDIO_COPY, &copy);
}

static void *far_serve(void *arg)
{
	struct far *f = arg;
	struct uffd_msg msg;
	struct pollfd p = { .fd = f->uffd, .events = POLLIN };

	while (!f->stop) {
		if (poll(&p, 1, 20) <= 0 || read(f->uffd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		f->faults++;
		usleep(f->delay_ms * 1000);
		far_fill(f, (msg.arg.pagefault.address - (uintptr_t)f->hva) / PAGE);
	}
	return NULL;
}

static struct far *far_new(struct vm *vm, unsigned int delay_ms)
{
	static struct far f;
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	f.delay_ms = delay_ms;
	f.uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (f.uffd < 0 || ioctl(f.uffd, UFFDIO_API, &api))
		tap_skip("no userfaultfd here");
	f.hva = vm_map(vm, 5, FAR, FAR_PAGES * PAGE, 0);
	reg.range.start = (uintptr_t)f.hva;
	reg.range.len = FAR_PAGES * PAGE;
	ASSERT_OK(ioctl(f.uffd, UFFDIO_REGISTER, &reg));
	ASSERT_EQ(pthread_create(&f.thread, NULL, far_serve, &f), 0);
	return &f;
}

static void far_end(struct far *f)
{
	f->stop = true;
	pthread_join(f->thread, NULL);
}

/* ---- the guest's ------------------------------------------------------------- */

static struct { u32 flags, token; u8 pad[56]; } g_apf __attribute__((aligned(64)));
static volatile u32 g_wanted, g_ready;
static volatile u64 g_absent, g_idle, g_ready_count;

static void ready_handler(struct trap_frame *f)
{
	g_ready = g_apf.token;
	g_ready_count++;
	g_apf.token = 0;
	wrmsr(MSR_KVM_ASYNC_PF_ACK, 1);
	apic_write(APIC_EOI, 0);
}

/* A guest without a scheduler: what it does meanwhile is to count. */
static void absent_handler(struct trap_frame *f)
{
	GUEST_EQ(g_apf.flags, 1);
	g_wanted = read_cr2();
	g_apf.flags = 0;
	g_absent++;
	GUEST_ASSERT(f->rflags & FLAG_IF);
	sti();
	while (g_ready != g_wanted)
		g_idle++;
	cli();
}

static bool apf_setup(u64 flags)
{
	u32 a, b, c, d;

	cpuid(0x40000001, 0, &a, &b, &c, &d);
	if (!(a & 1 << 4) || !(a & 1 << 14))
		return false;
	apic_write(APIC_SVR, 0x1ff);
	guest_handle(READY_VECTOR, ready_handler);
	guest_handle(X86_PF, absent_handler);
	wrmsr(MSR_KVM_ASYNC_PF_INT, READY_VECTOR);
	wrmsr(MSR_KVM_ASYNC_PF_EN, (u64)&g_apf | flags);
	return true;
}

static u8 far_read(u64 page)
{
	return *(volatile u8 *)(FAR + page * PAGE);
}

static void g_msrs(void)
{
	u64 v;

	if (!apf_setup(APF_ENABLED | APF_INT))
		guest_sync(0);
	guest_sync(1);
	GUEST_EQ(rdmsr(MSR_KVM_ASYNC_PF_EN), (u64)&g_apf | APF_ENABLED | APF_INT);
	GUEST_EQ(rdmsr(MSR_KVM_ASYNC_PF_INT), READY_VECTOR);
	GUEST_EQ(try_rdmsr(MSR_KVM_ASYNC_PF_ACK, &v), NO_FAULT);
	GUEST_EQ(try_wrmsr(MSR_KVM_ASYNC_PF_EN, (u64)&g_apf | 0x10 | 9), X86_GP);
	GUEST_EQ(try_wrmsr(MSR_KVM_ASYNC_PF_EN, (u64)&g_apf | 0x20 | 9), X86_GP);
	GUEST_EQ(try_wrmsr(MSR_KVM_ASYNC_PF_EN, 0xffff00000000ull | 9), X86_GP);
	GUEST_EQ(try_wrmsr(MSR_KVM_ASYNC_PF_INT, 0x100), X86_GP);
	/* a refused write changes nothing */
	GUEST_EQ(rdmsr(MSR_KVM_ASYNC_PF_EN), (u64)&g_apf | APF_ENABLED | APF_INT);
	wrmsr(MSR_KVM_ASYNC_PF_ACK, 1);
	wrmsr(MSR_KVM_ASYNC_PF_EN, 0);
	GUEST_EQ(rdmsr(MSR_KVM_ASYNC_PF_EN), 0);
	guest_done();
}

TEST(msrs, "async PF: its MSRs, reserved bits are #GP")
{
	struct vcpu *v = vm_guest(true, g_msrs);

	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	if (!v->sync)
		tap_skip("no async PF in CPUID");
	vcpu_finish(v);
}

static void g_told(void)
{
	if (!apf_setup(APF_ENABLED | APF_INT | APF_ALWAYS)) {
		guest_sync(0);
		guest_done();
	}
	guest_sync(1);
	sti();
	for (u64 i = 0; i < 10; i++)
		GUEST_EQ(far_read(i), 0x40 + i);
	cli();
	guest_sync(g_absent);
	guest_sync(g_idle);
	guest_done();
}

TEST(told, "async PF: #PF with a token, the guest goes on, an interrupt says that the page is there")
{
	struct vcpu *v = vm_guest(true, g_told);
	struct far *f = far_new(v->vm, 20);

	skip_if_forced(WAITS);
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	if (!v->sync)
		tap_skip("no async PF in CPUID");
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	EXPECT_EQ(v->sync, 10);
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	EXPECT(v->sync > 1000, "it counted to %llu", (unsigned long long)v->sync);
	vcpu_finish(v);
	far_end(f);
	EXPECT_EQ(f->faults, 10);
}


static void g_user_only(void)
{
	if (!apf_setup(APF_ENABLED | APF_INT)) {
		guest_sync(0);
		guest_done();
	}
	guest_sync(1);
	/* the kernel's own accesses are not announced: the vCPU waits */
	sti();
	GUEST_EQ(far_read(11), 0x40 + 11);
	cli();
	GUEST_EQ(g_absent, 0);
	guest_sync(2);
	guest_done();
}

TEST(user_only, "async PF: without SEND_ALWAYS nothing is announced at CPL 0")
{
	struct vcpu *v = vm_guest(true, g_user_only);
	struct far *f = far_new(v->vm, 20);

	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	if (!v->sync)
		tap_skip("no async PF in CPUID");
	vcpu_expect_sync(v, 2);
	vcpu_finish(v);
	far_end(f);
}

static void g_tick(void)
{
	apic_write(APIC_SVR, 0x1ff);
	guest_handle(TICK_VECTOR, guest_count_eoi);
	apic_write(APIC_TDCR, 0xb);
	apic_write(APIC_LVTT, 0x20000 | TICK_VECTOR);
	apic_write(APIC_TMICT, 5000000);	/* 5 ms */
	sti();
	while (!guest_counts[TICK_VECTOR])
		cpu_relax();
	guest_counts[TICK_VECTOR] = 0;
	GUEST_EQ(far_read(30), 0x40 + 30);
	cli();
	guest_sync(guest_counts[TICK_VECTOR]);
	/* with interrupts off there is nothing to do but wait */
	guest_counts[TICK_VECTOR] = 0;
	GUEST_EQ(far_read(31), 0x40 + 31);
	guest_sync(guest_counts[TICK_VECTOR]);
	guest_done();
}

TEST(halt, "a vCPU that waits for a page takes interrupts, without any async PF set up")
{
	struct vcpu *v = vm_guest(true, g_tick);
	struct far *f = far_new(v->vm, 300);

	skip_if_forced(WAITS);
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	EXPECT(v->sync >= 5, "%llu ticks in 300 ms", (unsigned long long)v->sync);
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	EXPECT_EQ(v->sync, 0);
	vcpu_finish(v);
	far_end(f);
}

static void g_off(void)
{
	if (!apf_setup(APF_ENABLED | APF_INT | APF_ALWAYS)) {
		guest_sync(0);
		guest_done();
	}
	guest_sync(1);
	wrmsr(MSR_KVM_ASYNC_PF_EN, 0);
	sti();
	GUEST_EQ(far_read(40), 0x40 + 40);
	GUEST_EQ(g_absent, 0);
	GUEST_EQ(g_ready_count, 0);
	guest_sync(2);
	/* user space restores it, as after a migration: all waiters are woken, once */
	while (!g_ready_count)
		cpu_relax();
	GUEST_EQ(g_ready, 0xffffffff);
	guest_sync(3);
	GUEST_EQ(g_ready_count, 1);
	guest_done();
}

TEST(restore, "async PF switched off is silent; restored by user space it wakes all waiters")
{
	struct vcpu *v = vm_guest(true, g_off);
	struct far *f = far_new(v->vm, 20);
	u64 en;

	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	if (!v->sync)
		tap_skip("no async PF in CPUID");
	en = vcpu_msr(v, MSR_KVM_ASYNC_PF_EN);
	EXPECT_EQ(en & 0x3f, APF_ENABLED | APF_INT | APF_ALWAYS);
	EXPECT_EQ(vcpu_msr(v, MSR_KVM_ASYNC_PF_INT), READY_VECTOR);
	vcpu_expect_sync(v, 2);
	vcpu_set_msr(v, MSR_KVM_ASYNC_PF_EN, en);
	vcpu_expect_sync(v, 3);
	vcpu_finish(v);
	far_end(f);
}

static void g_touch_one(void)
{
	sti();
	guest_sync(1);
	far_read(50);
	guest_done();
}

TEST(killed, "a VM ends while a page is on its way, and the page comes afterwards")
{
	struct vcpu *v = vm_guest(true, g_touch_one);
	struct vm *vm = v->vm;
	struct far *f = far_new(vm, 400);

	skip_if_forced(WAITS);
	vcpu_expect_sync(v, 1);
	EXPECT(!vcpu_run_for(v, 100));
	vcpu_close(v);
	close(vm->fd);
	usleep(600000);
	far_end(f);
	EXPECT_EQ(f->faults, 1);
}

TEST(abandoned, "a process ends while a page is on its way that it would have to bring itself")
{
	struct vcpu *v = vm_guest(true, g_touch_one);

	skip_if_forced(WAITS);
	far_new(v->vm, 1000000);
	vcpu_expect_sync(v, 1);
	EXPECT(!vcpu_run_for(v, 100));
}
