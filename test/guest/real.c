// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real mode: what a BIOS and a boot loader do. Code blobs at GPA_CODE.
 */
#include <sys/mman.h>

#include "guest.h"

#define DONE	"mov $0x5050, %dx; out %al, (%dx)\n"
#define FAIL	"mov $0x5051, %dx; out %al, (%dx)\n"
#define SYNC	"mov $0x5052, %dx; out %al, (%dx)\n"

static struct vcpu *real_mode(const void *code, size_t len)
{
	struct vcpu *v = vcpu_new(vm_new(), 0);

	vm_code(v->vm, GPA_CODE, code, len);
	vcpu_real(v, GPA_CODE);
	return v;
}
#define REAL(blob)	real_mode(blob, BLOB_LEN(blob))

static u16 *ivt(struct vcpu *v)
{
	return (u16 *)(v->vm->ram + GPA_IVT);
}

BLOB(b_segments, ".code16",
     "mov $0x1234, %ax; mov %ax, %ds\n"
     "movw $0xbeef, 0x10\n"			/* 12350 */
     "mov $0x8000, %ax; mov %ax, %es\n"
     "mov $0x20, %di; mov $0x5a, %al; mov $16, %cx; cld; rep stosb\n"
     "mov $0x7000, %sp; push $0x1111; pop %bx; cmp $0x1111, %bx; jne 1f\n"
     DONE "1:" FAIL);

TEST(segments, "segment times 16 plus offset, string stores, the stack")
{
	struct vcpu *v = REAL(b_segments);

	vcpu_finish(v);
	EXPECT_EQ(*(u16 *)(v->vm->ram + 0x12350), 0xbeef);
	for (int i = 0; i < 16; i++)
		EXPECT_EQ(v->vm->ram[0x80020 + i], 0x5a);
	EXPECT_EQ(v->vm->ram[0x80030], 0);
}

BLOB(b_interrupt, ".code16",
     "xor %ax, %ax; mov %ax, %ds; mov $5, %bx; sti\n"
     "int $0x21\n"
     "cmp $6, %bx; jne 1f\n"
     "pushf; pop %ax; test $0x200, %ax; jz 1f\n"	/* IF came back */
     DONE "1:" FAIL
     ".org b_interrupt + 0x100\n"
     "pushf; pop %ax; test $0x200, %ax; jnz 1b\n"	/* IF off in here */
     "inc %bx; iret");

TEST(interrupt, "INT through the vector table, IRET back, flags kept")
{
	struct vcpu *v = REAL(b_interrupt);

	ivt(v)[2 * 0x21] = GPA_CODE + 0x100;
	vcpu_finish(v);
}

BLOB(b_exceptions, ".code16",
     "xor %ax, %ax; mov %ax, %ds; xor %bp, %bp\n"
     "xor %cx, %cx; div %cx\n"			/* 0, 2 bytes */
     "ud2\n"					/* 6, 2 bytes */
     "cmp $2, %bp; jne 1f\n"
     DONE "1:" FAIL
     ".org b_exceptions + 0x100\n"
     "inc %bp; push %bx; mov %sp, %bx; addw $2, %ss:2(%bx); pop %bx; iret");

TEST(exceptions, "#DE and #UD through the vector table, at the instruction")
{
	struct vcpu *v = REAL(b_exceptions);

	ivt(v)[2 * X86_DE] = GPA_CODE + 0x100;
	ivt(v)[2 * X86_UD] = GPA_CODE + 0x100;
	vcpu_finish(v);
}

BLOB(b_events, ".code16",
     "xor %ax, %ax; mov %ax, %ds; xor %bp, %bp\n"
     SYNC "cmp $1, %bp; jne 1f\n"
     "sti; nop\n"
     SYNC "cmp $0x11, %bp; jne 1f\n"
     "pushf; pop %ax; test $0x200, %ax; jz 1f\n"
     "mov $0x7fff, %eax; vmcall; cmp $-1000, %eax; jne 1f\n"	/* -KVM_ENOSYS */
     DONE "1:" FAIL
     ".org b_events + 0x100\n"
     "inc %bp; iret\n"
     ".org b_events + 0x110\n"
     "add $0x10, %bp; iret");

TEST(events, "an NMI, an interrupt, and a hypercall")
{
	struct vcpu *v = REAL(b_events);
	struct kvm_interrupt irq = { .irq = 0x30 };

	ivt(v)[2 * X86_NMI] = GPA_CODE + 0x100;
	ivt(v)[2 * 0x30] = GPA_CODE + 0x110;
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	ASSERT_OK(ioctl(v->fd, KVM_NMI, 0));
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	ASSERT_OK(ioctl(v->fd, KVM_INTERRUPT, &irq));
	vcpu_finish(v);
}

BLOB(b_x87, ".code16",
     "xor %ax, %ax; mov %ax, %ds\n"
     "mov $0x5a5a, %ax; fninit; fnstsw %ax; test %ax, %ax; jnz 1f\n"	/* as kernels look for one */
     "fnstcw 0x3000; cmpw $0x37f, 0x3000; jne 1f\n"
     "movw $20, 0x3000; fld1; fadd %st(0); fimuls 0x3000; fldz; fcomip %st(1), %st; jae 1f\n"
     "fistps 0x3000; cmpw $40, 0x3000; jne 1f\n"
     DONE "1:" FAIL);

TEST(x87, "x87: looking for one, arithmetic, comparison")
{
	vcpu_finish(REAL(b_x87));
}

BLOB(b_limit, ".code16",
     "xor %ax, %ax; mov %ax, %ds; xor %bp, %bp\n"
     "mov $0xffff, %bx; mov (%bx), %ax\n"	/* 2 bytes */
     "cmp $1, %bp; jne 1f\n"
     DONE "1:" FAIL
     ".org b_limit + 0x100\n"
     "inc %bp; push %bx; mov %sp, %bx; addw $2, %ss:2(%bx); pop %bx; iret");

TEST(limit, "a word at offset ffff is #GP")
{
	struct vcpu *v = REAL(b_limit);

	if (host_is_tcg())
		tap_skip("QEMU's TCG checks no segment limits");
	ivt(v)[2 * X86_GP] = GPA_CODE + 0x100;
	vcpu_finish(v);
}

BLOB(b_unreal, ".code16",
     "cli; xor %ax, %ax; mov %ax, %ds\n"
     "lgdtl b_unreal_gdt - b_unreal + 0x8000\n"
     "mov %cr0, %eax; or $1, %al; mov %eax, %cr0; jmp 2f; 2:\n"
     "mov $0x10, %bx; mov %bx, %ds\n"
     "and $0xfe, %al; mov %eax, %cr0; jmp 3f; 3:\n"
     "mov $0x200000, %ebx; movl $0x11223344, (%ebx)\n"
     "cmpl $0x11223344, (%ebx); jne 1f\n"
     "xor %ax, %ax; mov %ax, %ds\n"		/* the limit stays, the base not */
     "cmpl $0x11223344, (%ebx); jne 1f\n"
     DONE "1:" FAIL
     "b_unreal_gdt: .word 0x4f; .long 0x1000");

TEST(unreal, "big real mode: a 4 GB limit survives the way back from protected mode")
{
	struct vcpu *v = REAL(b_unreal);

	vcpu_finish(v);
	EXPECT_EQ(*(u32 *)(v->vm->ram + 0x200000), 0x11223344);
}

BLOB(b_to_long, ".code16",
     "cli; xor %ax, %ax; mov %ax, %ds\n"
     "lgdtl b_to_long_gdt - b_to_long + 0x8000\n"
     "mov %cr0, %eax; or $1, %al; mov %eax, %cr0\n"
     "ljmpl $0x18, $(b_to_long32 - b_to_long + 0x8000)\n"
     ".code32\n"
     "b_to_long32: mov $0x10, %ax; mov %ax, %ds; mov %ax, %es; mov %ax, %ss\n"
     "mov $0x7000, %esp\n"
     "mov $0x5052, %dx; out %al, (%dx)\n"
     "mov %cr4, %eax; or $0x20, %eax; mov %eax, %cr4\n"
     "mov $0x10000, %eax; mov %eax, %cr3\n"
     "mov $0xc0000080, %ecx; rdmsr; or $0x100, %eax; wrmsr\n"
     "mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0\n"
     "rdmsr; test $0x400, %eax; jz 1f\n"		/* LMA */
     "ljmp $0x08, $(b_to_long64 - b_to_long + 0x8000)\n"
     ".code64\n"
     "b_to_long64: mov $0x1122334455667788, %rax; mov %rax, %r15\n"
     "mov $0x5052, %dx; out %al, (%dx)\n"
     /* and back to compatibility mode, protected mode, real mode */
     "pushq $0x18; pushq $(b_to_long_c - b_to_long + 0x8000); lretq\n"
     ".code32\n"
     "b_to_long_c: mov %cr0, %eax; and $0x7fffffff, %eax; mov %eax, %cr0\n"
     "mov $0xc0000080, %ecx; rdmsr; test $0x400, %eax; jnz 1f\n"
     "and $~0x100, %eax; wrmsr\n"
     "ljmp $0x38, $(b_to_long16 - b_to_long + 0x8000)\n"
     "1: mov $0x5051, %dx; out %al, (%dx)\n"
     ".code16\n"
     "b_to_long16: mov $0x40, %ax; mov %ax, %ds; mov %ax, %ss\n"
     "mov %cr0, %eax; and $0xfe, %al; mov %eax, %cr0\n"
     "ljmp $0, $(b_to_long_r - b_to_long + 0x8000)\n"
     "b_to_long_r: xor %ax, %ax; mov %ax, %ds; mov %ax, %ss\n"
     DONE
     "b_to_long_gdt: .word 0x4f; .long 0x1000");

TEST(to_long, "the guest's own way: real, protected, long, compatibility, protected, real mode")
{
	struct vcpu *v = REAL(b_to_long);
	struct kvm_sregs s;
	struct kvm_regs r;

	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	vcpu_sregs(v, &s);
	EXPECT_EQ(s.cs.db, 1);
	EXPECT_EQ(s.cr0 & (CR0_PE | CR0_PG), CR0_PE);
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	vcpu_sregs(v, &s);
	vcpu_regs(v, &r);
	EXPECT_EQ(s.cs.l, 1);
	EXPECT_EQ(s.efer & (EFER_LME | EFER_LMA), EFER_LME | EFER_LMA);
	EXPECT_EQ(r.r15, 0x1122334455667788);
	vcpu_finish(v);
	vcpu_sregs(v, &s);
	EXPECT_EQ(s.cr0 & (CR0_PE | CR0_PG), 0);
	EXPECT_EQ(s.efer & EFER_LMA, 0);
}

BLOB(b_reset, ".code16",
     ".org b_reset + 0xff0\n"
     "1: mov $0x5052, %dx; out %al, (%dx)\n"
     "ljmp $0, $0x8000\n"
     ".org b_reset + 0x1000");
BLOB(b_after_reset, ".code16", DONE);

TEST(reset_vector, "a fresh vCPU starts at fffffff0 in a ROM, and jumps to low memory")
{
	struct vm *vm = vm_new();
	struct vcpu *v = vcpu_new(vm, 0);
	u8 *rom = mmap(NULL, 0x10000, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(rom != MAP_FAILED);
	memcpy(rom + 0xf000, b_reset, BLOB_LEN(b_reset));
	ASSERT_OK(vm_slot(vm, 1, KVM_MEM_READONLY, 0xffff0000, 0x10000, rom));
	vm_code(vm, GPA_CODE, b_after_reset, BLOB_LEN(b_after_reset));
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	vcpu_finish(v);
}

BLOB(b_a20, ".code16",
     "mov $0xffff, %ax; mov %ax, %ds; movw $0x7777, 0x10\n" DONE);

TEST(above_1m, "ffff:0010 is the first byte above 1 MB")
{
	struct vcpu *v = REAL(b_a20);

	vcpu_finish(v);
	EXPECT_EQ(*(u16 *)(v->vm->ram + 0x100000), 0x7777);
	EXPECT_EQ(*(u16 *)(v->vm->ram), 0);
}

BLOB(b_mixed, ".code16",
     "xor %ax, %ax; mov %ax, %ds\n"
     "mov $0x12345678, %eax; mov %eax, 0x6000\n"		/* 66 prefix */
     "mov $0x6000, %ebx; addr32 mov (%ebx), %cx\n"		/* 67 prefix */
     "cmp $0x5678, %cx; jne 1f\n"
     "mov $0x6002, %bx; mov $2, %si; cmpw $0, (%bx,%si); jne 1f\n"
     "lcall $0x0, $(b_mixed_far - b_mixed + 0x8000)\n"
     "cmp $0x99, %di; jne 1f\n"
     "pushfl; popl %eax; pusha; popa; enter $8, $0; leave\n"
     "mov $3, %cx; xor %si, %si; 2: inc %si; loop 2b; cmp $3, %si; jne 1f\n"
     DONE "1:" FAIL
     "b_mixed_far: mov $0x99, %di; lret");

TEST(mixed, "32-bit operands and addresses, far calls, enter and leave in 16-bit code")
{
	vcpu_finish(REAL(b_mixed));
}

BLOB(b_mmio, ".code16",
     "mov $0xb800, %ax; mov %ax, %es; xor %di, %di\n"
     "mov $0x4142, %ax; stosw; stosb; movb $7, %es:(%di)\n"
     "mov %es:0x10, %bx\n"
     "mov $0x6000, %si; mov %es, %ax; mov %ax, %ds; xor %ax, %ax; mov %ax, %es\n"
     "mov $0x10, %si; mov $0x6000, %di; mov $2, %cx; rep movsw\n"
     DONE);

TEST(mmio, "real mode MMIO: stosw, stosb, mov, rep movsw")
{
	struct vm *vm = vm_bare();
	struct vcpu *v;
	struct kvm_regs r;
	u16 fill = 0x1111;

	/* RAM with a hole where a screen would be */
	vm->ram = vm_map(vm, 0, 0, 0xa0000, 0);
	vm->ram_size = 0xa0000;
	v = vcpu_new(vm, 0);
	vm_code(vm, GPA_CODE, b_mmio, BLOB_LEN(b_mmio));
	vcpu_real(v, GPA_CODE);
	vcpu_expect_exit(v, KVM_EXIT_MMIO);
	EXPECT_EQ(v->run->mmio.phys_addr, 0xb8000);
	EXPECT_EQ(v->run->mmio.len, 2);
	EXPECT_EQ(*(u16 *)v->run->mmio.data, 0x4142);
	vcpu_expect_exit(v, KVM_EXIT_MMIO);
	EXPECT_EQ(v->run->mmio.phys_addr, 0xb8002);
	EXPECT_EQ(v->run->mmio.len, 1);
	EXPECT_EQ(v->run->mmio.data[0], 0x42);
	vcpu_expect_exit(v, KVM_EXIT_MMIO);
	EXPECT_EQ(v->run->mmio.phys_addr, 0xb8003);
	EXPECT_EQ(v->run->mmio.data[0], 7);
	vcpu_expect_exit(v, KVM_EXIT_MMIO);
	EXPECT_EQ(v->run->mmio.is_write, 0);
	*(u16 *)v->run->mmio.data = 0xcafe;
	while (vcpu_next(v) == GUEST_EXIT) {
		ASSERT_EQ(v->run->exit_reason, KVM_EXIT_MMIO);
		ASSERT_EQ(v->run->mmio.is_write, 0);
		ASSERT(v->run->mmio.len == 2 || v->run->mmio.len == 4);
		for (u32 i = 0; i < v->run->mmio.len; i += 2) {
			*(u16 *)(v->run->mmio.data + i) = fill;
			fill += 0x1111;
		}
	}
	vcpu_regs(v, &r);
	EXPECT_EQ(r.rbx & 0xffff, 0xcafe);
	EXPECT_EQ(*(u16 *)(vm->ram + 0x6000), 0x1111);
	EXPECT_EQ(*(u16 *)(vm->ram + 0x6002), 0x2222);
}

BLOB(b_rep_io, ".code16",
     "xor %ax, %ax; mov %ax, %ds; mov %ax, %es; cld\n"
     "mov $0x6000, %di; mov $0x1234, %dx; mov $5, %cx; rep insb\n"
     "mov $0x6000, %si; mov $5, %cx; rep outsb\n"
     "std; mov $0x6003, %si; mov $4, %cx; rep outsb\n"
     DONE);

TEST(rep_io, "REP INSB and OUTSB in real mode, upward and downward")
{
	struct vcpu *v = REAL(b_rep_io);
	static const u8 up[] = { 1, 2, 3, 4, 5 }, down[] = { 4, 3, 2, 1 };
	u8 next = 1, got[16];
	u32 n = 0;

	while (vcpu_next(v) == GUEST_EXIT) {
		struct kvm_run *run = v->run;
		u8 *data = (u8 *)run + run->io.data_offset;

		ASSERT_EQ(run->exit_reason, KVM_EXIT_IO);
		ASSERT_EQ(run->io.port, 0x1234);
		ASSERT_EQ(run->io.size, 1);
		for (u32 i = 0; i < run->io.count; i++) {
			if (run->io.direction == KVM_EXIT_IO_IN) {
				data[i] = next++;
			} else {
				ASSERT(n < sizeof(got));
				got[n++] = data[i];
			}
		}
	}
	ASSERT_EQ(n, 9);
	EXPECT(!memcmp(got, up, 5));
	EXPECT(!memcmp(got + 5, down, 4));
}
