// SPDX-License-Identifier: GPL-2.0-only
/*
 * Port and memory-mapped I/O as user space sees it: every size, string
 * instructions, and every form of instruction that touches memory.
 */
#include "guest.h"

#define PORT	0x1234
#define MMIO	GPA_NONE

static void *io_data(struct vcpu *v)
{
	return (u8 *)v->run + v->run->io.data_offset;
}

static void expect_out(struct vcpu *v, u32 size, u32 value)
{
	u32 got = 0;

	vcpu_expect_exit(v, KVM_EXIT_IO);
	EXPECT_EQ(v->run->io.direction, KVM_EXIT_IO_OUT);
	EXPECT_EQ(v->run->io.port, PORT);
	EXPECT_EQ(v->run->io.size, size);
	EXPECT_EQ(v->run->io.count, 1);
	memcpy(&got, io_data(v), size);
	EXPECT_EQ(got, value);
}

static void give_in(struct vcpu *v, u32 size, u32 value)
{
	vcpu_expect_exit(v, KVM_EXIT_IO);
	EXPECT_EQ(v->run->io.direction, KVM_EXIT_IO_IN);
	EXPECT_EQ(v->run->io.port, PORT);
	EXPECT_EQ(v->run->io.size, size);
	memcpy(io_data(v), &value, size);
}

static void g_ports(void)
{
	u64 rax;

	outb(PORT, 0x12);
	outw(PORT, 0x3456);
	outl(PORT, 0x789abcde);
	asm volatile("outb %%al, $0x80" :: "a"(0x55));
	rax = 0x1111111111111111;
	asm volatile("inb %%dx, %%al" : "+a"(rax) : "d"(PORT));
	GUEST_EQ(rax, 0x11111111111111aa);
	rax = 0x1111111111111111;
	asm volatile("inw %%dx, %%ax" : "+a"(rax) : "d"(PORT));
	GUEST_EQ(rax, 0x111111111111bbbb);
	rax = 0x1111111111111111;
	asm volatile("inl %%dx, %%eax" : "+a"(rax) : "d"(PORT));
	GUEST_EQ(rax, 0xcccccccc);
	guest_done();
}

TEST(ports, "IN and OUT of 1, 2 and 4 bytes; IN leaves or clears the rest of RAX as it should")
{
	struct vcpu *v = vm_guest(false, g_ports);

	expect_out(v, 1, 0x12);
	expect_out(v, 2, 0x3456);
	expect_out(v, 4, 0x789abcde);
	vcpu_expect_exit(v, KVM_EXIT_IO);
	EXPECT_EQ(v->run->io.port, 0x80);
	give_in(v, 1, 0xaa);
	give_in(v, 2, 0xbbbb);
	give_in(v, 4, 0xcccccccc);
	vcpu_finish(v);
}

static volatile u16 g_buf[5000];

static void g_string(void)
{
	volatile void *p = g_buf;
	u64 n = 3000;

	for (int i = 0; i < 3000; i++)
		g_buf[i] = i * 7;
	asm volatile("rep outsw" : "+S"(p), "+c"(n) : "d"(PORT) : "memory");
	GUEST_EQ(n, 0);
	GUEST_EQ((u64)p, (u64)(g_buf + 3000));
	guest_sync(1);
	p = g_buf;
	n = 3000;
	asm volatile("rep insw" : "+D"(p), "+c"(n) : "d"(PORT) : "memory");
	GUEST_EQ(n, 0);
	GUEST_EQ((u64)p, (u64)(g_buf + 3000));
	for (int i = 0; i < 3000; i++)
		GUEST_EQ(g_buf[i], (u16)(i * 3));
	/* none at all */
	n = 0;
	asm volatile("rep outsb" : "+S"(p), "+c"(n) : "d"(PORT) : "memory");
	guest_sync(2);
	p = g_buf;
	asm volatile("insl" : "+D"(p) : "d"(PORT) : "memory");
	GUEST_EQ((u64)p, (u64)(g_buf + 2));
	GUEST_EQ(*(volatile u32 *)g_buf, 0x12345678);
	guest_done();
}

TEST_LIMIT(string, 60, "REP OUTSW, REP INSW and INSL: every element, in order, pointers and counts")
{
	struct vcpu *v = vm_guest(false, g_string);
	u32 n = 0;

	while (vcpu_next(v) == GUEST_EXIT) {
		ASSERT_EQ(v->run->exit_reason, KVM_EXIT_IO);
		ASSERT_EQ(v->run->io.size, 2);
		ASSERT(v->run->io.direction == KVM_EXIT_IO_OUT);
		for (u32 i = 0; i < v->run->io.count; i++)
			ASSERT_EQ(((u16 *)io_data(v))[i], (u16)(n++ * 7));
	}
	ASSERT_EQ(v->sync, 1);
	ASSERT_EQ(n, 3000);
	n = 0;
	while (vcpu_next(v) == GUEST_EXIT) {
		ASSERT_EQ(v->run->exit_reason, KVM_EXIT_IO);
		ASSERT(v->run->io.direction == KVM_EXIT_IO_IN);
		for (u32 i = 0; i < v->run->io.count; i++)
			((u16 *)io_data(v))[i] = n++ * 3;
	}
	ASSERT_EQ(v->sync, 2);
	ASSERT_EQ(n, 3000);
	give_in(v, 4, 0x12345678);
	vcpu_finish(v);
}

static void g_string_fault(void)
{
	void *p = (void *)0x604ff8;	/* 8 bytes, then a page that is not there */
	u64 n = 6;
	u8 vector;

	vector = TRY("rep insw", : "+D"(p), "+c"(n) : "d"(PORT) : "memory");
	GUEST_EQ(vector, X86_PF);
	GUEST_EQ(this_cpu()->cr2, 0x605000);
	guest_sync(n);
	guest_sync((u64)p);
	guest_done();
}

TEST(string_fault, "REP INSW into a page that is not there: #PF, with what was done before it")
{
	struct vm *vm = vm_new();
	struct vcpu *v = vcpu_new(vm, 0);
	u64 *pt = vm_split(vm, 0x600000);
	u32 n = 0;

	vcpu_long(v, g_string_fault);
	pt[5] = 0;
	while (vcpu_next(v) == GUEST_EXIT) {
		ASSERT_EQ(v->run->exit_reason, KVM_EXIT_IO);
		for (u32 i = 0; i < v->run->io.count; i++)
			((u16 *)io_data(v))[i] = 0x100 + n++;
		ASSERT(n < 100);
	}
	EXPECT_EQ(v->sync, 2);
	vcpu_expect_sync(v, 0x605000);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(((u16 *)(vm->ram + 0x604ff8))[i], 0x100 + i);
}

static volatile u64 g_vector;

static void g_user_port(void)
{
	g_vector = TRY("outb %%al, %%dx", :: "a"(1), "d"(PORT) : "memory");
}

static void g_iopl(void)
{
	guest_user(g_user_port);
	GUEST_EQ(g_vector, X86_GP);
	guest_done();
}

TEST(port_privilege, "a port at CPL 3 without IOPL or bitmap is #GP, not an exit")
{
	vcpu_finish(vm_guest(false, g_iopl));
}

/* The next exit must be this access; a read is answered with @data. */
static void expect_mmio(struct vcpu *v, u64 addr, u32 len, bool write, u64 data)
{
	struct kvm_run *run = v->run;
	u64 got = 0;

	if (vcpu_next(v) != GUEST_EXIT || run->exit_reason != KVM_EXIT_MMIO) {
		vcpu_describe(v);
		tap_die(__FILE__, __LINE__, "expected MMIO %s of %u at 0x%llx",
			write ? "write" : "read", len, (unsigned long long)addr);
	}
	memcpy(&got, run->mmio.data, len);
	if (run->mmio.phys_addr != addr || run->mmio.len != len ||
	    run->mmio.is_write != write || (write && got != data)) {
		vcpu_describe(v);
		tap_die(__FILE__, __LINE__,
			"MMIO %s 0x%llx len %u data 0x%llx, expected %s 0x%llx len %u data 0x%llx",
			run->mmio.is_write ? "write" : "read",
			run->mmio.phys_addr, run->mmio.len,
			(unsigned long long)got, write ? "write" : "read",
			(unsigned long long)addr, len, (unsigned long long)data);
	}
	if (!write)
		memcpy(run->mmio.data, &data, len);
}

static void g_x87(void)
{
	u16 unmasked = 0x37e;
	u8 vector;

	asm volatile("fninit; fildl (%0); fistpl 4(%0); flds (%0); fstpl 8(%0)"
		     : : "r"(MMIO) : "memory");
	/* 0 / 0 is invalid, and waits to be reported. */
	asm volatile("fldcw %0; fldz; fdiv %%st(0), %%st" : : "m"(unmasked));
	vector = TRY("movq (%0), %%mm0", : : "r"(MMIO) : "memory");
	GUEST_EQ(vector, X86_MF);
	asm volatile("fninit");
	guest_done();
}

TEST(x87, "x87 loads and stores of MMIO convert; a pending exception is the guest's #MF")
{
	struct vcpu *v = vm_guest(false, g_x87);

	expect_mmio(v, MMIO, 4, false, 1234);
	expect_mmio(v, MMIO + 4, 4, true, 1234);
	expect_mmio(v, MMIO, 4, false, 0x3fc00000);		/* 1.5 */
	expect_mmio(v, MMIO + 8, 8, true, 0x3ff8000000000000);
	vcpu_finish(v);
}

static void g_watch(void)
{
	u8 vector;
	u64 dr6;

	asm volatile("mov %0, %%dr0" : : "r"(MMIO + 8));
	asm volatile("mov %0, %%dr7" : : "r"(1ul | 0xdul << 16));	/* writes of 4 */
	vector = TRY("movl $1, (%0)", : : "r"(MMIO + 8) : "memory");
	GUEST_EQ(vector, X86_DB);
	asm volatile("mov %%dr6, %0" : "=r"(dr6));
	GUEST_EQ(dr6 & 0xf, 1);
	vector = TRY("movl $1, (%0)", : : "r"(MMIO + 12) : "memory");
	GUEST_EQ(vector, NO_FAULT);
	asm volatile("mov %0, %%dr7" : : "r"(0ul));
	guest_done();
}

TEST(watch, "a breakpoint on data in MMIO traps behind the instruction")
{
	struct vcpu *v = vm_guest(false, g_watch);

	expect_mmio(v, MMIO + 8, 4, true, 1);
	expect_mmio(v, MMIO + 12, 4, true, 1);
	vcpu_finish(v);
}

static void g_mov(void)
{
	u64 r;

	*(volatile u8 *)(MMIO + 1) = 0x11;
	*(volatile u16 *)(MMIO + 2) = 0x2222;
	*(volatile u32 *)(MMIO + 4) = 0x44444444;
	asm volatile("movq %0, (%1)" :: "r"(0x8888888888888888), "r"(MMIO + 8) : "memory");
	asm volatile("movb $0x7f, (%0)" :: "r"(MMIO) : "memory");
	asm volatile("movw $0x7ffe, (%0)" :: "r"(MMIO) : "memory");
	asm volatile("movl $0x7ffffffd, (%0)" :: "r"(MMIO) : "memory");
	asm volatile("movq $-2, (%0)" :: "r"(MMIO) : "memory");
	r = ~0ull;
	asm volatile("movb (%1), %b0" : "+r"(r) : "r"(MMIO) : "memory");
	GUEST_EQ(r, 0xffffffffffffff81);
	r = ~0ull;
	asm volatile("movw (%1), %w0" : "+r"(r) : "r"(MMIO) : "memory");
	GUEST_EQ(r, 0xffffffffffff8182);
	r = ~0ull;
	asm volatile("movl (%1), %k0" : "+r"(r) : "r"(MMIO) : "memory");
	GUEST_EQ(r, 0x81828384);
	asm volatile("movq (%1), %0" : "=r"(r) : "r"(MMIO) : "memory");
	GUEST_EQ(r, 0x8182838485868788);
	asm volatile("movzbl (%1), %k0" : "=r"(r) : "r"(MMIO) : "memory");
	GUEST_EQ(r, 0x81);
	asm volatile("movsbq (%1), %0" : "=r"(r) : "r"(MMIO) : "memory");
	GUEST_EQ(r, 0xffffffffffffff81);
	asm volatile("movzwq (%1), %0" : "=r"(r) : "r"(MMIO) : "memory");
	GUEST_EQ(r, 0x8182);
	asm volatile("movswl (%1), %k0" : "=r"(r) : "r"(MMIO) : "memory");
	GUEST_EQ(r, 0xffff8182);
	asm volatile("movslq (%1), %0" : "=r"(r) : "r"(MMIO) : "memory");
	GUEST_EQ(r, 0xffffffff81828384);
	/* the forms of the accumulator with a 64-bit address, high bytes, r8-r15 */
	asm volatile("movabs 0x40000000, %%al" : "=a"(r) :: "memory");
	GUEST_EQ(r & 0xff, 0x81);
	asm volatile("movabs %%eax, 0x40000000" :: "a"(0x5a5a5a5a) : "memory");
	asm volatile("movb %%ah, (%1)" :: "a"(0x3300), "r"(MMIO) : "memory");
	asm volatile("mov %1, %%r9; movl %%r9d, (%0)" :: "r"(MMIO), "r"(0x99999999ul) : "r9", "memory");
	asm volatile("movl %%ecx, -8(%%rax,%%rbx,4)" :: "a"(MMIO), "b"(4ul), "c"(0x1234) : "memory");
	guest_done();
}

TEST(mov, "MOV, MOVZX, MOVSX, MOVABS of every size to and from MMIO")
{
	struct vcpu *v = vm_guest(false, g_mov);

	expect_mmio(v, MMIO + 1, 1, true, 0x11);
	expect_mmio(v, MMIO + 2, 2, true, 0x2222);
	expect_mmio(v, MMIO + 4, 4, true, 0x44444444);
	expect_mmio(v, MMIO + 8, 8, true, 0x8888888888888888);
	expect_mmio(v, MMIO, 1, true, 0x7f);
	expect_mmio(v, MMIO, 2, true, 0x7ffe);
	expect_mmio(v, MMIO, 4, true, 0x7ffffffd);
	expect_mmio(v, MMIO, 8, true, 0xfffffffffffffffe);
	expect_mmio(v, MMIO, 1, false, 0x81);
	expect_mmio(v, MMIO, 2, false, 0x8182);
	expect_mmio(v, MMIO, 4, false, 0x81828384);
	expect_mmio(v, MMIO, 8, false, 0x8182838485868788);
	expect_mmio(v, MMIO, 1, false, 0x81);
	expect_mmio(v, MMIO, 1, false, 0x81);
	expect_mmio(v, MMIO, 2, false, 0x8182);
	expect_mmio(v, MMIO, 2, false, 0x8182);
	expect_mmio(v, MMIO, 4, false, 0x81828384);
	expect_mmio(v, MMIO, 1, false, 0x81);
	expect_mmio(v, MMIO, 4, true, 0x5a5a5a5a);
	expect_mmio(v, MMIO, 1, true, 0x33);
	expect_mmio(v, MMIO, 4, true, 0x99999999);
	expect_mmio(v, MMIO + 8, 4, true, 0x1234);
	vcpu_finish(v);
}

static void g_arith(void)
{
	u32 r;
	u64 f;
	u8 c;

	asm volatile("orl $0x100, (%0)" :: "r"(MMIO) : "memory", "cc");
	asm volatile("andb $0xf0, (%0)" :: "r"(MMIO) : "memory", "cc");
	asm volatile("addw %w1, (%0)" :: "r"(MMIO), "r"(0x10) : "memory", "cc");
	asm volatile("subl (%1), %k0; pushfq; popq %2"
		     : "=r"(r), "+r"((u64){ MMIO }), "=r"(f) : "0"(5) : "memory", "cc");
	GUEST_EQ(r, 0xffffffff);	/* 5 - 6 */
	GUEST_EQ(f & 0x8d5, 0x95);	/* CF PF AF SF */
	asm volatile("cmpl $7, (%1); sete %0" : "=qm"(c) : "r"(MMIO) : "memory", "cc");
	GUEST_EQ(c, 1);
	asm volatile("testb $0x80, (%1); setnz %0" : "=qm"(c) : "r"(MMIO) : "memory", "cc");
	GUEST_EQ(c, 1);
	asm volatile("incl (%0)" :: "r"(MMIO) : "memory", "cc");
	asm volatile("notw (%0)" :: "r"(MMIO) : "memory");
	asm volatile("negb (%0)" :: "r"(MMIO) : "memory", "cc");
	asm volatile("shll $4, (%0)" :: "r"(MMIO) : "memory", "cc");
	asm volatile("btsl $3, (%1); setc %0" : "=qm"(c) : "r"(MMIO) : "memory", "cc");
	GUEST_EQ(c, 0);
	asm volatile("btl %2, (%1); setc %0" : "=qm"(c) : "r"(MMIO), "r"(33) : "memory", "cc");
	GUEST_EQ(c, 1);
	r = 0x77;
	asm volatile("xchgl %0, (%1)" : "+r"(r) : "r"(MMIO) : "memory");
	GUEST_EQ(r, 0x99);
	r = 3;
	asm volatile("lock xaddl %0, (%1)" : "+r"(r) : "r"(MMIO) : "memory", "cc");
	GUEST_EQ(r, 4);
	asm volatile("lock cmpxchgl %2, (%3); setz %0"
		     : "=qm"(c), "=a"(r) : "r"(0x55), "r"(MMIO), "a"(0x44)
		     : "memory", "cc");
	GUEST_EQ(c, 1);
	asm volatile("pushq (%0); popq %%rax; mov %%eax, %1"
		     : "+r"((u64){ MMIO }), "=r"(r) :: "rax", "memory");
	GUEST_EQ(r, 0x31);
	asm volatile("pushq $0x32; popq (%0)" :: "r"(MMIO) : "memory");
	guest_done();
}

TEST(arithmetic, "OR, AND, ADD, SUB, CMP, TEST, INC, NOT, SHL, BTS, XCHG, XADD, CMPXCHG, PUSH, POP on MMIO")
{
	struct vcpu *v = vm_guest(false, g_arith);

	expect_mmio(v, MMIO, 4, false, 0x11);
	expect_mmio(v, MMIO, 4, true, 0x111);
	expect_mmio(v, MMIO, 1, false, 0xaf);
	expect_mmio(v, MMIO, 1, true, 0xa0);
	expect_mmio(v, MMIO, 2, false, 0xfff8);
	expect_mmio(v, MMIO, 2, true, 0x0008);
	expect_mmio(v, MMIO, 4, false, 6);
	expect_mmio(v, MMIO, 4, false, 7);
	expect_mmio(v, MMIO, 1, false, 0x80);
	expect_mmio(v, MMIO, 4, false, 0xffffffff);
	expect_mmio(v, MMIO, 4, true, 0);
	expect_mmio(v, MMIO, 2, false, 0x00ff);
	expect_mmio(v, MMIO, 2, true, 0xff00);
	expect_mmio(v, MMIO, 1, false, 1);
	expect_mmio(v, MMIO, 1, true, 0xff);
	expect_mmio(v, MMIO, 4, false, 0x12345678);
	expect_mmio(v, MMIO, 4, true, 0x23456780);
	expect_mmio(v, MMIO, 4, false, 0);
	expect_mmio(v, MMIO, 4, true, 8);
	expect_mmio(v, MMIO + 4, 4, false, 2);	/* bit 33 */
	expect_mmio(v, MMIO, 4, false, 0x99);
	expect_mmio(v, MMIO, 4, true, 0x77);
	expect_mmio(v, MMIO, 4, false, 4);
	expect_mmio(v, MMIO, 4, true, 7);
	expect_mmio(v, MMIO, 4, false, 0x44);
	expect_mmio(v, MMIO, 4, true, 0x55);
	expect_mmio(v, MMIO, 8, false, 0x31);
	expect_mmio(v, MMIO, 8, true, 0x32);
	vcpu_finish(v);
}

static void g_strings(void)
{
	static u32 buf[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	void *src = buf, *dst = (void *)MMIO;
	u64 n = 3;
	u32 r;

	asm volatile("rep movsl" : "+S"(src), "+D"(dst), "+c"(n) :: "memory");
	GUEST_EQ(n, 0);
	GUEST_EQ((u64)dst, MMIO + 12);
	src = (void *)MMIO;
	dst = buf;
	n = 2;
	asm volatile("rep movsl" : "+S"(src), "+D"(dst), "+c"(n) :: "memory");
	GUEST_EQ(buf[0], 0x10);
	GUEST_EQ(buf[1], 0x20);
	GUEST_EQ(buf[2], 3);
	dst = (void *)MMIO;
	n = 3;
	asm volatile("rep stosb" : "+D"(dst), "+c"(n) : "a"(0x66) : "memory");
	src = (void *)MMIO;
	asm volatile("lodsl" : "+S"(src), "=a"(r) :: "memory");
	GUEST_EQ(r, 0xabcdef01);
	dst = (void *)MMIO;
	n = 5;
	asm volatile("repne scasb" : "+D"(dst), "+c"(n) : "a"(0x33) : "memory", "cc");
	GUEST_EQ(n, 2);
	GUEST_EQ((u64)dst, MMIO + 3);
	asm volatile("std" ::: "cc");
	dst = (void *)MMIO + 8;
	n = 2;
	asm volatile("rep stosl" : "+D"(dst), "+c"(n) : "a"(0x1) : "memory");
	asm volatile("cld" ::: "cc");
	GUEST_EQ((u64)dst, MMIO);
	guest_done();
}

TEST(strings, "MOVS, STOS, LODS and SCAS with MMIO on either side, with REP, downward too")
{
	struct vcpu *v = vm_guest(false, g_strings);

	for (u32 i = 0; i < 3; i++)
		expect_mmio(v, MMIO + 4 * i, 4, true, i + 1);
	for (u32 i = 0; i < 2; i++)
		expect_mmio(v, MMIO + 4 * i, 4, false, 0x10 * (i + 1));
	for (u32 i = 0; i < 3; i++)
		expect_mmio(v, MMIO + i, 1, true, 0x66);
	expect_mmio(v, MMIO, 4, false, 0xabcdef01);
	expect_mmio(v, MMIO, 1, false, 0x31);
	expect_mmio(v, MMIO + 1, 1, false, 0x32);
	expect_mmio(v, MMIO + 2, 1, false, 0x33);
	expect_mmio(v, MMIO + 8, 4, true, 1);
	expect_mmio(v, MMIO + 4, 4, true, 1);
	vcpu_finish(v);
}

static void between_iterations(struct trap_frame *f)
{
	guest_count(f);
	guest_sync(f->rcx);
}

static void g_interrupted(void)
{
	u64 dst = MMIO, n = 6;

	guest_handle(0x55, between_iterations);
	sti();
	asm volatile("rep stosb" : "+D"(dst), "+c"(n) : "a"(0x66) : "memory");
	GUEST_EQ(dst, MMIO + 6);
	GUEST_EQ(guest_counts[0x55], 1);
	guest_done();
}

/* The iterations go on in KVM_RUN; what ends it, or must come first, does all the same. */
TEST(interrupted, "REP STOS to MMIO: stopped, moved and interrupted between two iterations")
{
	struct vcpu *v = vm_guest(false, g_interrupted);
	struct kvm_interrupt irq = { .irq = 0x55 };
	struct kvm_regs r;

	expect_mmio(v, MMIO, 1, true, 0x66);
	expect_mmio(v, MMIO + 1, 1, true, 0x66);
	v->run->immediate_exit = 1;
	EXPECT_ERRNO(vcpu_run_once(v), EINTR);
	vcpu_regs(v, &r);
	EXPECT_EQ(r.rcx, 4);
	EXPECT_EQ(r.rdi, MMIO + 2);
	v->run->immediate_exit = 0;
	expect_mmio(v, MMIO + 2, 1, true, 0x66);
	v->run->request_interrupt_window = 1;
	vcpu_expect_exit(v, KVM_EXIT_IRQ_WINDOW_OPEN);
	v->run->request_interrupt_window = 0;
	ASSERT_OK(ioctl(v->fd, KVM_INTERRUPT, &irq));
	vcpu_expect_sync(v, 3);
	expect_mmio(v, MMIO + 3, 1, true, 0x66);
	vcpu_regs(v, &r);
	r.rdi = MMIO + 8;
	r.rcx = 1;
	ASSERT_OK(ioctl(v->fd, KVM_SET_REGS, &r));
	expect_mmio(v, MMIO + 8, 1, true, 0x66);
	vcpu_regs(v, &r);
	EXPECT_EQ(r.rcx, 0);
	r.rdi = MMIO + 6;
	ASSERT_OK(ioctl(v->fd, KVM_SET_REGS, &r));
	vcpu_finish(v);
}

static void g_sse(void)
{
	u64 x[2] __attribute__((aligned(16))) = { 0x1111111122222222, 0x3333333344444444 };
	u64 y[2] __attribute__((aligned(16)));

	asm volatile("movdqu %0, %%xmm1" :: "m"(x) : "xmm1");
	asm volatile("movdqu %%xmm1, (%0)" :: "r"(MMIO) : "memory");
	asm volatile("movaps %%xmm1, (%0)" :: "r"(MMIO) : "memory");
	asm volatile("movups (%0), %%xmm2" :: "r"(MMIO) : "memory", "xmm2");
	asm volatile("movdqa %%xmm2, %0" : "=m"(y));
	GUEST_EQ(y[0], 0x5555555566666666);
	GUEST_EQ(y[1], 0x7777777788888888);
	guest_done();
}

TEST(sse, "16 bytes by MOVDQU, MOVAPS and MOVUPS to and from MMIO")
{
	struct vcpu *v = vm_guest(false, g_sse);

	for (int i = 0; i < 2; i++) {
		expect_mmio(v, MMIO, 8, true, 0x1111111122222222);
		expect_mmio(v, MMIO + 8, 8, true, 0x3333333344444444);
	}
	expect_mmio(v, MMIO, 8, false, 0x5555555566666666);
	expect_mmio(v, MMIO + 8, 8, false, 0x7777777788888888);
	vcpu_finish(v);
}

static void g_cross(void)
{
	*(volatile u32 *)(MMIO + 0xffe) = 0x44332211;
	GUEST_EQ(*(volatile u32 *)(MMIO + 0xffd), 0x88776655);
	*(volatile u64 *)(MMIO + 0xfff) = 0x1122334455667788;
	guest_done();
}

TEST(cross, "MMIO that crosses a page is two exits, each within its page")
{
	struct vcpu *v = vm_guest(false, g_cross);

	expect_mmio(v, MMIO + 0xffe, 2, true, 0x2211);
	expect_mmio(v, MMIO + 0x1000, 2, true, 0x4433);
	expect_mmio(v, MMIO + 0xffd, 3, false, 0x776655);
	expect_mmio(v, MMIO + 0x1000, 1, false, 0x88);
	expect_mmio(v, MMIO + 0xfff, 1, true, 0x88);
	expect_mmio(v, MMIO + 0x1000, 7, true, 0x11223344556677);
	vcpu_finish(v);
}

static void g_half(void)
{
	/* the last bytes of RAM, and the first of nothing */
	*(volatile u32 *)(VM_RAM - 2) = 0x44332211;
	GUEST_EQ(*(volatile u32 *)(VM_RAM - 2), 0x66552211);
	guest_done();
}

TEST(half, "an access half to memory and half to MMIO does both halves")
{
	struct vcpu *v = vm_guest(false, g_half);

	expect_mmio(v, VM_RAM, 2, true, 0x4433);
	EXPECT_EQ(*(u16 *)(v->vm->ram + VM_RAM - 2), 0x2211);
	expect_mmio(v, VM_RAM, 2, false, 0x6655);
	vcpu_finish(v);
}

static void g_mmio_fault(void)
{
	/* user-visible tables say read-only: #PF comes before MMIO */
	g_vector = TRY("movl $1, (%0)", :: "r"(0x605000ul) : "memory");
	GUEST_EQ(g_vector, X86_PF);
	GUEST_EQ(this_cpu()->error, 3);
	GUEST_EQ(*(volatile u32 *)0x605000, 0x777);
	guest_done();
}

TEST(mmio_fault, "a read-only mapping of MMIO: a write is the guest's #PF, a read is MMIO")
{
	struct vm *vm = vm_new();
	struct vcpu *v = vcpu_new(vm, 0);
	u64 *pt = vm_split(vm, 0x600000);

	vcpu_long(v, g_mmio_fault);
	pt[5] = MMIO | 1;
	expect_mmio(v, MMIO, 4, false, 0x777);
	vcpu_finish(v);
}

static void g_exec(void)
{
	((void (*)(void))MMIO)();
	guest_done();
}

TEST(execute, "a fetch from MMIO ends in INTERNAL_ERROR, no loop")
{
	struct vcpu *v = vm_guest(false, g_exec);

	ASSERT(vcpu_run_for(v, 2000), "it loops");
	EXPECT(v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR ||
	       v->run->exit_reason == KVM_EXIT_MMIO, "%s",
	       exit_name(v->run->exit_reason));
}
