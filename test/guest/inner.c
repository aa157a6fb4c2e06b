// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits that never leave the inner loop: plain MOVs to the local APIC and to eventfds,
 * control registers and MSRs, by every encoding that is taken apart without the
 * emulator, and by some that must not be.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
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


/* ---- what was looked at before is looked at again ---------------------------------- */

/* Code at 512 GiB of the guest's addresses: by tables of the test's own, from pages of its own. */
#define VA		0x8000000000ul
#define TABLE(n)	((volatile u64 *)(GPA_FREE + (n) * 0x1000ul))
#define PAGE(n)		(0x200000ul + (n) * 0x1000ul)
#define LEAF(n)		(PAGE(n) | 3)

/* CPUID, with n prefixes that mean nothing; then EAX = n. */
static void put_code(u64 at, u32 n)
{
	volatile u8 *p = (volatile u8 *)at;

	for (u32 i = 0; i < n; i++)
		*p++ = 0x2e;
	*p++ = 0x0f; *p++ = 0xa2;
	*p++ = 0xb8; *p++ = n; *p++ = 0; *p++ = 0; *p++ = 0;
	*p++ = 0xc3;
}

static u32 call_code(u64 at)
{
	u32 eax;

	asm volatile("xor %%eax, %%eax; xor %%ecx, %%ecx; call *%1"
		     : "=&a"(eax) : "r"(at) : "rbx", "rcx", "rdx", "memory");
	return eax;
}

static void map_code(void)
{
	for (u32 i = 0; i < 8; i++)
		put_code(PAGE(i) + 0x100, i);
	((volatile u64 *)(u64)GPA_PML4)[1] = (u64)TABLE(0) | 3;
	TABLE(0)[0] = (u64)TABLE(1) | 3;
	TABLE(1)[0] = (u64)TABLE(2) | 3;
	TABLE(1)[1] = (u64)TABLE(3) | 3;
	TABLE(2)[0] = LEAF(0);
	TABLE(3)[0] = LEAF(7);
}

static void g_remapped(void)
{
	map_code();
	for (u32 i = 0; i < 64; i++) {
		/* the page's entry, an upper one, another root: none of them exits */
		TABLE(2)[0] = LEAF(i & 7);
		invlpg(VA + 0x100);
		GUEST_EQ(call_code(VA + 0x100), i & 7);
		GUEST_EQ(call_code(VA + 0x100), i & 7);
		TABLE(1)[0] = (u64)TABLE(3) | 3;
		invlpg(VA + 0x100);
		GUEST_EQ(call_code(VA + 0x100), 7);
		TABLE(1)[0] = (u64)TABLE(2) | 3;
		invlpg(VA + 0x100);
		GUEST_EQ(call_code(VA + 0x100), i & 7);
	}
	guest_done();
}

TEST(remapped, "CPUID at one address, whose page the guest changes without an exit")
{
	vcpu_finish(vm_guest(true, g_remapped));
}

static void g_two_roots(void)
{
	volatile u64 *other = TABLE(8);
	u64 cr3 = read_cr3();

	map_code();
	for (u32 i = 0; i < 512; i++)
		other[i] = ((volatile u64 *)(u64)GPA_PML4)[i];
	/* Below the other root the same address is page 5. */
	other[1] = (u64)TABLE(9) | 3;
	TABLE(9)[0] = (u64)TABLE(10) | 3;
	TABLE(10)[0] = (u64)TABLE(11) | 3;
	TABLE(11)[0] = LEAF(5);
	for (u32 i = 0; i < 64; i++) {
		write_cr3((u64)other);
		GUEST_EQ(call_code(VA + 0x100), 5);
		write_cr3(cr3);
		GUEST_EQ(call_code(VA + 0x100), 0);
	}
	guest_done();
}

TEST(two_roots, "the same below two roots of page tables")
{
	vcpu_finish(vm_guest(true, g_two_roots));
}

#define GPA_SLOT	0x20000000ul

static void g_slot(void)
{
	for (u32 i = 0; i < 4; i++) {
		GUEST_EQ(call_code(GPA_SLOT + 0x100), i);
		GUEST_EQ(call_code(GPA_SLOT + 0x100), i);
		guest_sync(i);
	}
	guest_done();
}

static void host_code(u8 *p, u32 n)
{
	memset(p, 0x2e, n);
	memcpy(p + n, (u8[]){ 0x0f, 0xa2, 0xb8, n, 0, 0, 0, 0xc3 }, 8);
}

TEST(slot, "the same in a slot that user space replaces")
{
	struct vcpu *v = vm_guest(true, g_slot);
	u8 *ram = mmap(NULL, 4 * 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	for (u32 i = 0; i < 4; i++) {
		host_code(ram + i * 0x1000 + 0x100, i);
		if (i)
			ASSERT(!vm_slot(v->vm, 1, 0, GPA_SLOT, 0, NULL));
		ASSERT(!vm_slot(v->vm, 1, 0, GPA_SLOT, 0x1000, ram + i * 0x1000));
		vcpu_expect_sync(v, i);
	}
	vcpu_finish(v);
}

/* ---- the end of the address space ---------------------------------------------------- */

BLOB(b_wrapped, ".code32", "mov $0x5050, %dx; out %al, (%dx)");

TEST(last_bytes, "CPUID in the last two bytes of 4 GiB: on at 0, as any other CPU")
{
	struct vcpu *v = vcpu_new(vm_new_irqchip(), 0);
	u8 *top = vm_map(v->vm, 1, 0xfffff000, 0x1000, 0);

	memcpy(top + 0xffe, "\x0f\xa2", 2);
	memcpy(v->vm->ram, b_wrapped, BLOB_LEN(b_wrapped));
	vcpu_prot(v, 0xfffffffe);
	vcpu_finish(v);
}

/* ---- user space's part ----------------------------------------------------------------- */

static void g_user_loads(void)
{
	u64 p = MMIO + 0x10, seed = 0x1122334455667788;

	LOAD("movb (%%rbx), %%al", seed, 0x11223344556677f1);
	LOAD("movb (%%rbx), %%ah", seed, 0x112233445566f188);
	LOAD("movw (%%rbx), %%ax", seed, 0x112233445566f2f1);
	LOAD("movl (%%rbx), %%eax", seed, 0xf4f3f2f1);
	LOAD("movq (%%rbx), %%rax", seed, 0xf8f7f6f5f4f3f2f1);
	LOAD("movzbl (%%rbx), %%eax", seed, 0xf1);
	LOAD("movsbl (%%rbx), %%eax", seed, 0xfffffff1);
	LOAD("movsbq (%%r8), %%rax", seed, 0xfffffffffffffff1);
	LOAD("movzwl (%%rbx), %%eax", seed, 0xf2f1);
	LOAD("movswq 0x70(%%rcx), %%rax", seed, 0xfffffffffffff2f1);
	LOAD("addl (%%rbx), %%eax", 1, 0xf4f3f2f2);
	guest_done();
}

static void answer(struct vcpu *v)
{
	for (u32 i = 0; i < 8; i++)
		v->run->mmio.data[i] = i < v->run->mmio.len ? 0xf1 + i : 0x5a;
}

TEST(user_loads, "loads from nobody's address: user space's bytes, by each MOV")
{
	static const u32 lens[] = { 1, 1, 2, 4, 8, 1, 1, 1, 2, 2, 4 };
	struct vcpu *v = vm_guest(false, g_user_loads);

	for (u32 i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		vcpu_expect_exit(v, KVM_EXIT_MMIO);
		EXPECT(!v->run->mmio.is_write);
		EXPECT_EQ(v->run->mmio.phys_addr, MMIO + 0x10);
		EXPECT_EQ(v->run->mmio.len, lens[i]);
		answer(v);
	}
	vcpu_finish(v);
}

static void g_user_stores(void)
{
	asm volatile("movb %%al, (%0); movb %%ah, (%0); movw %%ax, (%0); movl %%eax, (%0);"
		     "movq %%rax, (%0); movb $-2, (%0); movl $-3, (%0); movq $-4, (%0)"
		     : : "r"(MMIO + 0x20), "a"(0x1122334455667788) : "memory");
	guest_done();
}

TEST(user_stores, "stores to nobody's address, and what user space sees of them")
{
	static const struct { u32 len; u64 val; } want[] = {
		{ 1, 0x88 }, { 1, 0x77 }, { 2, 0x7788 }, { 4, 0x55667788 },
		{ 8, 0x1122334455667788 }, { 1, 0xfe }, { 4, 0xfffffffd }, { 8, -4ull },
	};
	struct vcpu *v = vm_guest(false, g_user_stores);

	for (u32 i = 0; i < sizeof(want) / sizeof(*want); i++) {
		vcpu_expect_exit(v, KVM_EXIT_MMIO);
		EXPECT(v->run->mmio.is_write);
		EXPECT_EQ(v->run->mmio.phys_addr, MMIO + 0x20);
		EXPECT_EQ(v->run->mmio.len, want[i].len);
		EXPECT_EQ(*(u64 *)v->run->mmio.data, want[i].val);
	}
	vcpu_finish(v);
}

static volatile u64 moved_to;

static void g_moved(void)
{
	guest_done();
}

static void g_stays(void)
{
	moved_to = (u64)g_moved;
	rdmsr(0x12345678);
	mmio_read32(MMIO);
	guest_sync(1);
	guest_done();
}

/* User space puts the vCPU elsewhere: what it was at is not stepped over there. */
static void expect_moved(bool msr)
{
	struct vcpu *v = vm_guest(false, g_stays);
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR, .args = { KVM_MSR_EXIT_REASON_UNKNOWN },
	};
	struct kvm_regs regs;

	ASSERT(!ioctl(v->vm->fd, KVM_ENABLE_CAP, &cap));
	vcpu_expect_exit(v, KVM_EXIT_X86_RDMSR);
	if (!msr)
		vcpu_expect_exit(v, KVM_EXIT_MMIO);
	vcpu_regs(v, &regs);
	regs.rip = *IN_GUEST(v->vm, moved_to);
	vcpu_set_regs(v, &regs);
	vcpu_finish(v);
}

TEST(moved_msr, "RIP changed while user space has an RDMSR: on from there")
{
	expect_moved(true);
}

TEST(moved_mmio, "RIP changed while user space has an MMIO read: on from there")
{
	expect_moved(false);
}

static void g_stepped(void)
{
	asm volatile("movl (%0), %%eax; nop; nop" : : "b"(MMIO) : "rax", "memory");
	guest_done();
}

TEST(stepped, "a debugger begins to step while user space has an MMIO read")
{
	struct vcpu *v = vm_guest(false, g_stepped);
	struct kvm_guest_debug dbg = { .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP };
	struct kvm_regs regs;
	u64 rip;

	vcpu_expect_exit(v, KVM_EXIT_MMIO);
	vcpu_regs(v, &regs);
	rip = regs.rip;
	ASSERT(!ioctl(v->fd, KVM_SET_GUEST_DEBUG, &dbg));
	answer(v);
	vcpu_expect_exit(v, KVM_EXIT_DEBUG);
	vcpu_regs(v, &regs);
	EXPECT_EQ(regs.rip, rip + 2);
	EXPECT_EQ((u32)regs.rax, 0xf4f3f2f1);
}
