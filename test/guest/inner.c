// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits that never leave the inner loop: plain MOVs to the local APIC and to eventfds,
 * control registers and MSRs, by every encoding that is taken apart without the
 * emulator, and by some that must not be.
 */
#include <sys/eventfd.h>
#include <unistd.h>

#include "guest.h"

#define MMIO	GPA_NONE

#define LOAD(insn, seed, expect)						\
	do {									\
		register u64 r8v asm("r8") = p;					\
		u64 rax = (seed);						\
										\
		asm volatile(insn : "+a"(rax), "+r"(r8v)			\
			     : "b"(p), "c"(p - 0x70), "d"(p / 4), "S"(p - 0x12345678)	\
			     : "memory");					\
		GUEST_EQ(rax, expect);						\
	} while (0)

static void g_loads(void)
{
	u64 p = APIC_BASE + APIC_VERSION;
	u64 seed = 0x1122334455667788, v = apic_read(APIC_VERSION);

	GUEST_EQ(v & 0xff, 0x14);
	LOAD("movl (%%rbx), %%eax", seed, v);
	LOAD("movl 0x70(%%rcx), %%eax", seed, v);
	LOAD("movl 0x12345678(%%rsi), %%eax", seed, v);
	LOAD("movl (%%r8), %%eax", seed, v);
	LOAD("movl (,%%rdx,4), %%eax", seed, v);
	LOAD(".byte 0x8b, 0x84, 0x66, 0x78, 0x56, 0x34, 0x12", seed, v);	/* index none */
	LOAD("movl (%%ebx), %%eax", seed, v);
	LOAD("movl %%es:(%%rbx), %%eax", seed, v);
	LOAD("push %%r12; mov %%rbx, %%r12; movl (%%r12), %%eax; pop %%r12", seed, v);
	LOAD("push %%r13; mov %%rbx, %%r13; movl (%%r13), %%eax; pop %%r13", seed, v);
	LOAD("push %%rbp; mov %%rbx, %%rbp; movl (%%rbp), %%eax; pop %%rbp", seed, v);
	LOAD("movl (%%rbx), %%r8d; mov %%r8, %%rax", seed, v);
	LOAD("movw (%%rbx), %%ax", seed, (seed & ~0xffffull) | (v & 0xffff));
	LOAD("movb (%%rbx), %%al", seed, (seed & ~0xffull) | 0x14);
	LOAD("movb (%%rbx), %%ah", seed, (seed & ~0xff00ull) | 0x1400);
	LOAD("mov $-1, %%r8; movb (%%rbx), %%r8b; mov %%r8, %%rax", seed, ~0xffull | 0x14);
	LOAD("push %%rsi; mov $-1, %%rsi; movb (%%rbx), %%sil; mov %%rsi, %%rax; pop %%rsi",
	     seed, ~0xffull | 0x14);
	LOAD("movzbl 2(%%rbx), %%eax", seed, v >> 16 & 0xff);
	LOAD("movzbw (%%rbx), %%ax", seed, (seed & ~0xffffull) | 0x14);
	LOAD("movzwl (%%rbx), %%eax", seed, v & 0xffff);
	LOAD("movzwq (%%rbx), %%rax", seed, v & 0xffff);

	apic_write(APIC_ICR2, 0xf1000000);
	p = APIC_BASE + APIC_ICR2;
	LOAD("movsbl 3(%%rbx), %%eax", seed, 0xfffffff1);
	LOAD("movsbq 3(%%rbx), %%rax", seed, 0xfffffffffffffff1);
	LOAD("movswl 2(%%rbx), %%eax", seed, 0xfffff100);
	LOAD("movswq 2(%%rbx), %%rax", seed, 0xfffffffffffff100);
	/* What is not taken apart: it is emulated. */
	LOAD("addl (%%rbx), %%eax", 0x1000000, 0xf2000000);
	LOAD("cmpl $0xf1000000, (%%rbx); sete %%al; movzbl %%al, %%eax", 0, 1);

	wrmsr(MSR_FS_BASE, APIC_BASE);
	asm volatile("movl %%fs:0x310, %%eax" : "=a"(v));
	GUEST_EQ(v, 0xf1000000);
	guest_done();
}

TEST(loads, "loads from the local APIC: each MOV, MOVZX, MOVSX and addressing")
{
	vcpu_finish(vm_guest(true, g_loads));
}

#define STORE(insn, expect)							\
	do {									\
		register u64 r9v asm("r9") = 0x9900000099ull;			\
										\
		apic_write(APIC_ICR2, 0);					\
		asm volatile(insn : : "b"(p), "a"(0x5511000000ull), "r"(r9v),	\
			     "c"(p - 0x1234), "d"(2) : "memory");		\
		GUEST_EQ(apic_read(APIC_ICR2), expect);				\
	} while (0)

static void g_stores(void)
{
	u64 p = APIC_BASE + APIC_ICR2;

	STORE("movl %%eax, (%%rbx)", 0x11000000);
	STORE("movl %%eax, 0x1234(%%rcx)", 0x11000000);
	STORE("movl %%eax, -8(%%rbx,%%rdx,4)", 0x11000000);
	STORE("movl $0x22000000, (%%rbx)", 0x22000000);
	STORE("movl $0x33000000, 0x1234(%%rcx)", 0x33000000);
	STORE("movl $0x44000000, -16(%%rbx,%%rdx,8)", 0x44000000);
	STORE("mov $0x55000000, %%r9d; movl %%r9d, (%%rbx)", 0x55000000);
	/* Not 32 bits: ignored (SDM 3A 10.4.1) */
	STORE("movw $0x6600, (%%rbx)", 0);
	STORE("movb $0x77, 3(%%rbx)", 0);
	/* A self-IPI behind whose store another instruction stands */
	apic_write(APIC_SVR, 0x1ff);
	guest_handle(0x61, guest_count_eoi);
	sti();
	for (int i = 1; i <= 50; i++) {
		asm volatile("movl $0x40061, 0x300(%0)\n\tnop" : : "r"(APIC_BASE) : "memory");
		GUEST_EQ(guest_counts[0x61], i);
	}
	guest_done();
}

TEST(stores, "stores to the local APIC: register and immediate, each addressing")
{
	vcpu_finish(vm_guest(true, g_stores));
}

static void g_crossing(void)
{
	volatile void *p = (void *)(MMIO + 0xffe);

	asm volatile("movl %1, (%0)" : : "r"(p), "r"(0x44332211) : "memory");
	asm volatile("movl %1, 2(%0)" : : "r"(p), "r"(0x88776655) : "memory");
	guest_done();
}

TEST(crossing, "a store that reaches into an eventfd's page from the one before is not its")
{
	struct vcpu *v = vm_guest(false, g_crossing);
	struct kvm_ioeventfd event = {
		.addr = MMIO + 0x1000, .len = 4, .fd = eventfd(0, EFD_NONBLOCK),
	};
	u64 n;

	ASSERT(!ioctl(v->vm->fd, KVM_IOEVENTFD, &event));
	vcpu_expect_exit(v, KVM_EXIT_MMIO);
	EXPECT_EQ(v->run->mmio.phys_addr, MMIO + 0xffe);
	EXPECT_EQ(v->run->mmio.len, 2);
	EXPECT(!memcmp(v->run->mmio.data, "\x11\x22", 2));
	vcpu_expect_exit(v, KVM_EXIT_MMIO);
	EXPECT_EQ(v->run->mmio.phys_addr, MMIO + 0x1000);
	EXPECT_EQ(v->run->mmio.len, 2);
	EXPECT(!memcmp(v->run->mmio.data, "\x33\x44", 2));
	vcpu_finish(v);
	EXPECT_EQ(read(event.fd, &n, 8), 8);
	EXPECT_EQ(n, 1);
}

static void g_registers(void)
{
	u64 cr4, r;

	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	asm volatile("mov %1, %%r9; or $0x4, %%r9; mov %%r9, %%cr4; mov %%cr4, %%r10; mov %%r10, %0"
		     : "=r"(r) : "r"(cr4) : "r9", "r10");
	GUEST_EQ(r, cr4 | 4);		/* TSD */
	asm volatile("mov %0, %%cr4" : : "r"(cr4));
	asm volatile("mov %%cr4, %0" : "=r"(r));
	GUEST_EQ(r, cr4);
	GUEST_EQ(TRY("mov %0, %%cr4", : : "r"(cr4 | 1ull << 40)), X86_GP);
	/* Prefixes that mean nothing here count as length. */
	asm volatile(".byte 0x66, 0x2e, 0x48, 0x0f, 0x32" : "=a"(r) : "c"(MSR_PAT) : "rdx");
	GUEST_EQ((u32)r, (u32)rdmsr(MSR_PAT));
	wrmsr(MSR_PAT, 0x0007040600070401);
	GUEST_EQ(rdmsr(MSR_PAT), 0x0007040600070401);
	GUEST_EQ(TRY("wrmsr", : : "c"(MSR_PAT), "a"(2), "d"(0)), X86_GP);
	GUEST_EQ(rdmsr(MSR_PAT), 0x0007040600070401);
	GUEST_EQ(TRY("rdmsr", : : "c"(0x12345678) : "rax", "rdx"), X86_GP);
	guest_done();
}

TEST(registers, "CR4 and MSRs: values, prefixes, and #GP")
{
	vcpu_finish(vm_guest(true, g_registers));
}

