// SPDX-License-Identifier: GPL-2.0-only
/*
 * FPU, SSE and AVX state: the guest's survives exits, the process's own is not
 * touched, two VMs never see each other's.
 */
#include <sched.h>
#include <unistd.h>

#include "guest.h"

static void g_sse(void)
{
	u64 x[2], y[2];

	for (u64 i = 0; i < 100; i++) {
		x[0] = i * 0x0101010101010101;
		x[1] = ~x[0];
		asm volatile("movdqu %0, %%xmm0; movdqu %0, %%xmm15"
			     :: "m"(x) : "xmm0", "xmm15");
		guest_sync(i);
		asm volatile("movdqu %%xmm0, %0" : "=m"(y));
		GUEST_EQ(y[0], x[0]);
		GUEST_EQ(y[1], x[1]);
		asm volatile("movdqu %%xmm15, %0" : "=m"(y));
		GUEST_EQ(y[0], x[0]);
		GUEST_EQ(y[1], x[1]);
	}
	guest_done();
}

TEST(sse, "XMM registers survive exits to user space that uses them itself")
{
	struct vcpu *v = vm_guest(false, g_sse);

	for (u64 i = 0; i < 100; i++) {
		vcpu_expect_sync(v, i);
		asm volatile("pcmpeqd %%xmm0, %%xmm0; pxor %%xmm15, %%xmm15"
			     ::: "xmm0", "xmm15");
	}
	vcpu_finish(v);
}

TEST(two_vms, "two VMs in one thread, alternating, keep their own XMM registers")
{
	struct vcpu *a = vm_guest(false, g_sse), *b = vm_guest(false, g_sse);

	for (u64 i = 0; i < 100; i++) {
		vcpu_expect_sync(a, i);
		vcpu_expect_sync(b, i);
	}
	vcpu_finish(b);
	vcpu_finish(a);
}

static void g_clobber(void)
{
	for (u64 i = 0;; i++) {
		asm volatile("pcmpeqd %%xmm1, %%xmm1; pcmpeqd %%xmm9, %%xmm9; fninit; fld1"
			     ::: "xmm1", "xmm9");
		guest_sync(i);
	}
}

TEST(host_kept, "the process's own x87 and XMM registers are as before after KVM_RUN")
{
	struct vcpu *v = vm_guest(false, g_clobber);
	u64 x[2] = { 0x1234567812345678, 0x8765432187654321 }, y[2], z[2];
	double pi = 3.14159, back;

	vcpu_expect_sync(v, 0);
	for (int i = 0; i < 50; i++) {
		long r = 16 /* ioctl */;

		asm volatile("fninit; fldl %[pi]; movdqu %[x], %%xmm1; movdqu %[x], %%xmm9\n\t"
			     "syscall\n\t"
			     "movdqu %%xmm1, %[y]; movdqu %%xmm9, %[z]; fstpl %[back]"
			     : "+a"(r), [y] "=m"(y), [z] "=m"(z), [back] "=m"(back)
			     : "D"((long)v->fd), "S"((long)KVM_RUN), "d"(0l),
			       [pi] "m"(pi), [x] "m"(x)
			     : "rcx", "r11", "memory", "xmm1", "xmm9");
		ASSERT_EQ(r, 0);
		ASSERT(back == pi);
		ASSERT(!memcmp(x, y, 16) && !memcmp(x, z, 16));
	}
}

static void g_x87(void)
{
	double d = 2.5, back;
	u16 cw = 0x27f, cw2;
	u32 mxcsr = 0x3f80, mxcsr2;

	asm volatile("fninit; fldcw %0; fldl %1; ldmxcsr %2" :: "m"(cw), "m"(d), "m"(mxcsr));
	for (u64 i = 0; i < 20; i++) {
		guest_sync(i);
		asm volatile("fnstcw %0; stmxcsr %1" : "=m"(cw2), "=m"(mxcsr2));
		GUEST_EQ(cw2, cw);
		GUEST_EQ(mxcsr2, mxcsr);
	}
	asm volatile("fstpl %0" : "=m"(back));
	GUEST_ASSERT(*(u64 *)&back == *(u64 *)&d);
	guest_done();
}

TEST(x87, "x87 stack, control word and MXCSR survive exits")
{
	struct vcpu *v = vm_guest(false, g_x87);

	for (u64 i = 0; i < 20; i++)
		vcpu_expect_sync(v, i);
	vcpu_finish(v);
}

/*
 * QEMU's TCG does not intercept XSETBV: a KVM that does not look for itself
 * never learns of it. Ours, which has a version, does.
 */
static void skip_without_xsetbv(void)
{
	if (host_is_tcg() && access("/sys/module/kvm/version", R_OK))
		tap_skip("QEMU's TCG does not intercept XSETBV");
}

static void g_avx(void)
{
	u64 x[4], y[4];

	write_cr4(read_cr4() | CR4_OSXSAVE);
	asm volatile("xsetbv" :: "c"(0), "a"(7), "d"(0));
	for (u64 i = 0; i < 50; i++) {
		for (int k = 0; k < 4; k++)
			x[k] = i * 4 + k + 0x5a5a0000;
		asm volatile("vmovdqu %0, %%ymm5" :: "m"(x) : "xmm5");
		guest_sync(i);
		asm volatile("vmovdqu %%ymm5, %0" : "=m"(y));
		for (int k = 0; k < 4; k++)
			GUEST_EQ(y[k], x[k]);
	}
	guest_done();
}

TEST(avx, "YMM registers of two VMs survive exits and each other")
{
	struct vcpu *a, *b;

	if (!CPUID_BIT(supported_cpuid(1, 0), ecx, 28))
		tap_skip("no AVX");
	skip_without_xsetbv();
	a = vm_guest(false, g_avx);
	b = vm_guest(false, g_avx);
	for (u64 i = 0; i < 50; i++) {
		vcpu_expect_sync(a, i);
		vcpu_expect_sync(b, i);
	}
	vcpu_finish(a);
	vcpu_finish(b);
}

static void g_xsetbv(void)
{
	u32 lo, hi;

	GUEST_EQ(TRY("xsetbv", :: "c"(0), "a"(1), "d"(0) : "memory"), X86_UD);
	write_cr4(read_cr4() | CR4_OSXSAVE);
	GUEST_EQ(TRY("xsetbv", :: "c"(0), "a"(0), "d"(0) : "memory"), X86_GP);
	GUEST_EQ(TRY("xsetbv", :: "c"(0), "a"(5), "d"(0) : "memory"), X86_GP);
	GUEST_EQ(TRY("xsetbv", :: "c"(1), "a"(1), "d"(0) : "memory"), X86_GP);
	GUEST_EQ(TRY("xsetbv", :: "c"(0), "a"(1), "d"(0x40000000) : "memory"), X86_GP);
	GUEST_EQ(TRY("xsetbv", :: "c"(0), "a"(3), "d"(0) : "memory"), NO_FAULT);
	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	GUEST_EQ(lo | (u64)hi << 32, 3);
	guest_done();
}

TEST(xsetbv, "XSETBV: #UD without OSXSAVE, #GP for what XCR0 can't be")
{
	if (!CPUID_BIT(supported_cpuid(1, 0), ecx, 26))
		tap_skip("no XSAVE");
	skip_without_xsetbv();
	vcpu_finish(vm_guest(false, g_xsetbv));
}

static void g_leak(void)
{
	u64 y[2];

	/* a new vCPU: all of this must be zero, whatever ran before here */
	asm volatile("movdqu %%xmm3, %0" : "=m"(y));
	GUEST_EQ(y[0] | y[1], 0);
	asm volatile("movdqu %%xmm12, %0" : "=m"(y));
	GUEST_EQ(y[0] | y[1], 0);
	guest_done();
}

TEST(leak, "a new vCPU's registers hold nothing of the host's or another guest's")
{
	asm volatile("pcmpeqd %%xmm3, %%xmm3; pcmpeqd %%xmm12, %%xmm12"
		     ::: "xmm3", "xmm12");
	vcpu_finish(vm_guest(false, g_leak));
}

static void *one_step(void *arg)
{
	struct { struct vcpu *v; u64 i; } *job = arg;

	vcpu_expect_sync(job->v, job->i);
	return NULL;
}

TEST(threads, "a vCPU that changes its thread at each exit keeps its state")
{
	struct vcpu *v = vm_guest(false, g_sse);
	pthread_t t;

	for (u64 i = 0; i < 50; i++)
		vcpu_expect_sync(v, i);
	/* the last half in other threads */
	for (u64 i = 50; i < 100; i++) {
		struct { struct vcpu *v; u64 i; } job = { v, i };

		ASSERT(!pthread_create(&t, NULL, one_step, &job));
		ASSERT(!pthread_join(t, NULL));
	}
	vcpu_finish(v);
}
