// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest can do about speculation, and what is counted of what the host does
 * (docs/mitigations.md). Each bit of SPEC_CTRL, PRED_CMD and FLUSH_CMD goes with its bit of CPUID:
 * what is offered works, all else is #GP.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define MSR_SPEC_CTRL		0x48
#define MSR_PRED_CMD		0x49
#define MSR_FLUSH_CMD		0x10b
#define MSR_VIRT_SPEC_CTRL	0xc001011f
#define BIT(n)			(1ull << (n))

/* One register of a leaf, 0 where there is none. */
static u32 leaf(u32 function, u32 index, int reg)
{
	u32 r[4];

	cpuid(function & 0x80000000, 0, &r[0], &r[1], &r[2], &r[3]);
	if (r[0] < function)
		return 0;
	if (function == 7 && index) {
		cpuid(7, 0, &r[0], &r[1], &r[2], &r[3]);
		if (r[0] < index)
			return 0;
	}
	cpuid(function, index, &r[0], &r[1], &r[2], &r[3]);
	return r[reg];
}

static bool offered(u32 function, u32 index, int reg, int bit)
{
	return leaf(function, index, reg) >> bit & 1;
}

#define L7(bit)		offered(7, 0, 3, bit)
#define L72(bit)	offered(7, 2, 3, bit)
#define AMD(bit)	offered(0x80000008, 0, 1, bit)

/* A bit of a register that is offered can be written, another not. */
static void expect_bits(u32 msr, u64 allowed, bool there)
{
	for (int i = 0; i < 64; i++) {
		u8 vector = try_wrmsr(msr, BIT(i));
		u8 want = there && (allowed & BIT(i)) ? NO_FAULT : X86_GP;

		if (vector != want)
			guest_note("MSR %#llx bit %llu", msr, i, 0, 0);
		GUEST_EQ(vector, want);
		if (vector == NO_FAULT)
			GUEST_EQ(try_wrmsr(msr, 0), NO_FAULT);
	}
}

static void g_msrs(void)
{
	bool spec = L7(26) || L7(27) || L7(31) || AMD(14) || AMD(15) || AMD(24);
	u64 bits = 0, v;

	/* From the lowest up, before the MSR is the guest's own, which it is after the first. */
	if (!spec) {
		expect_bits(MSR_SPEC_CTRL, 0, false);
		GUEST_EQ(try_rdmsr(MSR_SPEC_CTRL, &v), X86_GP);
	} else {
		if (L72(0) || AMD(28))
			GUEST_EQ(try_wrmsr(MSR_SPEC_CTRL, BIT(7)), NO_FAULT);
		if (L72(4))
			GUEST_EQ(try_wrmsr(MSR_SPEC_CTRL, BIT(10)), NO_FAULT);
		GUEST_EQ(try_wrmsr(MSR_SPEC_CTRL, 0), NO_FAULT);
		GUEST_EQ(try_rdmsr(MSR_SPEC_CTRL, &v), NO_FAULT);
	}
	guest_sync(1);

	if (L7(26) || AMD(12))
		bits |= BIT(0);
	if (offered(0x80000021, 0, 0, 27))
		bits |= BIT(7);
	expect_bits(MSR_PRED_CMD, bits, bits);
	GUEST_EQ(try_rdmsr(MSR_PRED_CMD, &v), X86_GP);
	guest_sync(2);

	bits = L7(28) ? BIT(0) : 0;
	expect_bits(MSR_FLUSH_CMD, bits, bits);
	GUEST_EQ(try_rdmsr(MSR_FLUSH_CMD, &v), X86_GP);
	guest_sync(3);

	expect_bits(MSR_VIRT_SPEC_CTRL, BIT(2), AMD(25));
	guest_done();
}

TEST(msrs, "SPEC_CTRL, PRED_CMD, FLUSH_CMD, VIRT_SPEC_CTRL: what CPUID offers works, all else is #GP")
{
	struct vcpu *v = vm_guest(false, g_msrs);

	for (u64 i = 1; i <= 3; i++)
		vcpu_expect_sync(v, i);
	vcpu_finish(v);
}

#define N	50

static void g_exits(void)
{
	for (u64 i = 1; i <= N; i++)
		guest_sync(i);
	guest_done();
}

TEST(l1d, "the L1 data cache is flushed before entries if the kernel says so of l1tf")
{
	struct vcpu *v = vm_guest(false, g_exits);
	char line[256] = "";
	int fd = open("/sys/devices/system/cpu/vulnerabilities/l1tf", O_RDONLY);
	u64 flushes;

	if (fd >= 0 && read(fd, line, sizeof(line) - 1) < 0)
		line[0] = 0;
	close(fd);
	tap_note("%s", line);
	for (u64 i = 1; i <= N; i++)
		vcpu_expect_sync(v, i);
	vcpu_finish(v);
	flushes = kvm_stat(v->fd, "l1d_flush");
	tap_note("%llu flushes", (unsigned long long)flushes);
	if (strstr(line, "cache flushes"))
		EXPECT(flushes >= N, "%llu", (unsigned long long)flushes);
	else
		EXPECT_EQ(flushes, 0);
}
