// SPDX-License-Identifier: GPL-2.0-only
/*
 * 32-bit protected mode, with and without paging, and PAE: exceptions with
 * their error codes, page faults, rings, gates, tasks, virtual 8086.
 */
#include "guest.h"

#define TRAP_STUBS	0x9000	/* 16 bytes for each of 32 vectors */
#define TRAP_COMMON	0x9800
/* What the last trap left, at GPA_DATA; and where the code goes on. */
struct trap32 {
	u32 vector, error, eip, cs, eflags, cr2, pad[2], resume;
};

BLOB(b_common, ".code32",
     "mov $0x10, %ax; mov %ax, %ds; mov %ax, %es\n"	/* null, from another ring */
     "popl 0x80000; popl 0x80004; popl 0x80008; popl 0x8000c; popl 0x80010\n"
     "mov %cr2, %eax; mov %eax, 0x80014\n"
     "jmp *0x80020");

/* TRY32(blob, insn): run it; then tell the host, who looks at GPA_DATA. */
#define TRY32(blob, insn)						\
	"movl $0xff, 0x80000; movl $0, 0x80004\n"			\
	"movl $(1f - " #blob " + 0x8000), 0x80020\n"			\
	insn "\n1: mov $0x5052, %dx; out %al, (%dx)\n"
#define DONE32	"mov $0x5050, %dx; out %al, (%dx)\n"

static void set_idt32(struct vm *vm)
{
	u8 *ram = vm->ram;

	for (u32 i = 0; i < 32; i++) {
		bool error = i == 8 || (i >= 10 && i <= 14) || i == 17;
		u32 at = TRAP_STUBS + i * 16, k = 0;
		u8 *p = ram + at;
		u64 dpl = i == 3 || i == 4 ? 3 : 0;

		if (!error) {
			p[k++] = 0x6a;	/* push 0 */
			p[k++] = 0;
		}
		p[k++] = 0x6a;		/* push vector */
		p[k++] = i;
		p[k++] = 0xe9;		/* jmp */
		*(u32 *)(p + k) = TRAP_COMMON - (at + k + 4);
		*(u64 *)(ram + GPA_IDT + i * 8) = (at & 0xffff) |
			(u64)SEL_CODE32 << 16 | (0x8e00 | dpl << 13) << 32;
	}
	memcpy(ram + TRAP_COMMON, b_common, BLOB_LEN(b_common));
	/* esp0, ss0 of the 32-bit TSS at GPA_TSS */
	*(u32 *)(ram + GPA_TSS + 4) = GPA_STACKS + 0x2000;
	*(u32 *)(ram + GPA_TSS + 8) = SEL_DATA;
}

static struct vcpu *start(const void *code, size_t len,
			  void (*mode)(struct vcpu *, u64))
{
	struct vcpu *v = vcpu_new(vm_new(), 0);

	vm_code(v->vm, GPA_CODE, code, len);
	set_idt32(v->vm);
	mode(v, GPA_CODE);
	return v;
}
#define START(blob, mode)	start(blob, BLOB_LEN(blob), mode)

static void expect_trap(struct vcpu *v, const char *what, u32 vector, u32 error)
{
	volatile struct trap32 *t = (void *)(v->vm->ram + GPA_DATA);

	if (vcpu_next(v) != GUEST_SYNC) {
		vcpu_describe(v);
		tap_die(__FILE__, __LINE__, "%s: unexpected exit %s", what,
			exit_name(v->run->exit_reason));
	}
	if (t->vector != vector || (vector != NO_FAULT && t->error != error))
		tap_fail(__FILE__, __LINE__,
			 "%s: vector %u error 0x%x, expected %u, 0x%x", what,
			 t->vector, t->error, vector, error);
}

static void skip_pae(void)
{
	if (host_is_tcg() && kvm_param("npt"))
		tap_skip("QEMU's TCG sets accessed bits in a nested guest's PDPTEs");
}

BLOB(b_faults, ".code32",
     TRY32(b_faults, "nop")
     TRY32(b_faults, "xor %ecx, %ecx; div %ecx")
     TRY32(b_faults, "ud2")
     TRY32(b_faults, "int3")
     TRY32(b_faults, "mov $0x7fffffff, %eax; inc %eax; into")
     TRY32(b_faults, "mov $0xfff8, %eax; mov %ax, %ds")	/* beyond the GDT */
     TRY32(b_faults, "mov $0x1c, %eax; mov %ax, %ds")	/* LDT: there is none */
     TRY32(b_faults, "mov $0x158, %eax; mov %ax, %fs")
     TRY32(b_faults, "mov $0x00, %eax; mov %ax, %ss")	/* null SS */
     TRY32(b_faults, "mov $0x18, %eax; mov %ax, %ss")	/* code as SS */
     TRY32(b_faults, "int $0x21")			/* no gate: IDT limit */
     TRY32(b_faults, "ljmp $0x10, $0")			/* to a data segment */
     TRY32(b_faults, "movl $1, %eax; mov %eax, %cr4; mov %cr0, %eax; or $1, %eax; and $~0x20000000, %eax; mov %eax, %cr0")
     TRY32(b_faults, "mov %cr4, %eax; or $0x80000000, %eax; mov %eax, %cr4")
     TRY32(b_faults, "mov %cr0, %eax; or $0x80000000, %eax; and $~1, %eax; mov %eax, %cr0")
     DONE32);

TEST(faults, "exceptions in flat 32-bit mode, with their error codes")
{
	struct vcpu *v = START(b_faults, vcpu_prot);

	expect_trap(v, "nop", NO_FAULT, 0);
	expect_trap(v, "div", X86_DE, 0);
	expect_trap(v, "ud2", X86_UD, 0);
	expect_trap(v, "int3", X86_BP, 0);
	expect_trap(v, "into", X86_OF, 0);
	expect_trap(v, "selector beyond GDT", X86_GP, 0xfff8);
	expect_trap(v, "selector in no LDT", X86_GP, 0x1c);
	expect_trap(v, "selector at GDT end", X86_GP, 0x158);
	expect_trap(v, "null SS", X86_GP, 0);
	expect_trap(v, "code in SS", X86_GP, 0x18);
	expect_trap(v, "no gate", X86_GP, 0x21 * 8 + 2);
	expect_trap(v, "jump to data", X86_GP, 0x10);
	expect_trap(v, "CR4.VME", NO_FAULT, 0);
	expect_trap(v, "CR4 reserved", X86_GP, 0);
	expect_trap(v, "CR0.PG without PE", X86_GP, 0);
	vcpu_finish(v);
}

BLOB(b_limits, ".code32",
     /* FS: base 0x85000, limit 0xfff, from an LDT at 0x84000 */
     "mov $0x60, %ax; lldt %ax; mov $4, %ax; mov %ax, %fs; mov $0xc, %ax; mov %ax, %gs\n"
     TRY32(b_limits, "movl $77, %fs:0xffc")
     TRY32(b_limits, "movl $77, %fs:0xffd")
     TRY32(b_limits, "movl $77, %gs:0x10")		/* read-only */
     TRY32(b_limits, "movl %gs:0x10, %eax")
     TRY32(b_limits, "mov $0x14, %ax; mov %ax, %gs")	/* not present */
     TRY32(b_limits, "mov $0x14, %ax; mov %ax, %ss")
     TRY32(b_limits, "mov $0, %ax; mov %ax, %gs; movl %gs:0, %eax")	/* null */
     DONE32);

/* QEMU's TCG checks no limits, types or null selectors of data segments. */
static void expect_limit(struct vcpu *v, const char *what)
{
	if (host_is_tcg())
		ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	else
		expect_trap(v, what, X86_GP, 0);
}

TEST(limits, "segments from an LDT: limit, read-only, not present, null")
{
	struct vcpu *v = START(b_limits, vcpu_prot);
	u64 *gdt = (u64 *)(v->vm->ram + GPA_GDT), *ldt = (u64 *)(v->vm->ram + 0x84000);

	ldt[0] = 0x0040920000000000ull | 0x0fff | 0x085000ull << 16;
	ldt[1] = 0x0040900000000000ull | 0x0fff | 0x085000ull << 16;
	ldt[2] = 0x0040120000000000ull | 0x0fff | 0x085000ull << 16;
	gdt[0x60 / 8] = 0x0000820000000000ull | 0x17 | 0x084000ull << 16;
	expect_trap(v, "last dword", NO_FAULT, 0);
	EXPECT_EQ(*(u32 *)(v->vm->ram + 0x85ffc), 77);
	expect_limit(v, "beyond the limit");
	expect_limit(v, "write to read-only");
	expect_trap(v, "read of read-only", NO_FAULT, 0);
	expect_trap(v, "not present in GS", X86_NP, 0x14);
	expect_trap(v, "not present in SS", X86_SS, 0x14);
	expect_limit(v, "null selector");
	vcpu_finish(v);
}

#define PAGE_FAULTS(blob)						\
     TRY32(blob, "movl 0x600000, %eax")		/* mapped */		\
     TRY32(blob, "movl $1, 0x800010")		/* not present, write */ \
     TRY32(blob, "movl 0x800010, %eax")		/* not present, read */	\
     TRY32(blob, "movl $1, 0xc00000")		/* read-only, CR0.WP */	\
     TRY32(blob, "movl 0xc00000, %eax")					\
     "mov %cr0, %eax; and $~0x10000, %eax; mov %eax, %cr0\n"		\
     TRY32(blob, "movl $1, 0xc00000")		/* WP off */		\
     "mov %cr0, %eax; or $0x10000, %eax; mov %eax, %cr0\n"

static void page_faults(struct vcpu *v)
{
	volatile struct trap32 *t = (void *)(v->vm->ram + GPA_DATA);

	expect_trap(v, "mapped", NO_FAULT, 0);
	expect_trap(v, "write to absent", X86_PF, 2);
	EXPECT_EQ(t->cr2, 0x800010);
	expect_trap(v, "read of absent", X86_PF, 0);
	expect_trap(v, "write to read-only", X86_PF, 3);
	EXPECT_EQ(t->cr2, 0xc00000);
	expect_trap(v, "read of read-only", NO_FAULT, 0);
	expect_trap(v, "write with WP off", NO_FAULT, 0);
}

BLOB(b_paging32, ".code32", PAGE_FAULTS(b_paging32) DONE32);

TEST(paging32, "two-level paging: page faults, write protection, accessed and dirty bits")
{
	struct vcpu *v = START(b_paging32, vcpu_paging32);
	u32 *pd = (u32 *)(v->vm->ram + GPA_PD32), *pt = (u32 *)(v->vm->ram + GPA_PT);

	for (u32 i = 0; i < 1024; i++)
		pt[i] = (0x400000 + i * 0x1000) | 7;
	pd[1] = GPA_PT | 7;	/* 4 MB..8 MB by 4 KB pages */
	pd[2] = 0;		/* 8 MB.. */
	pd[3] &= ~2u;		/* 12 MB.. read-only */
	page_faults(v);
	vcpu_finish(v);
	EXPECT(pt[0x200] & 0x20, "accessed bit of a 4 KB page: 0x%x", pt[0x200]);
	EXPECT(!(pt[0x200] & 0x40), "dirty bit: 0x%x", pt[0x200]);
	EXPECT(pd[3] & 0x40, "dirty bit of a 4 MB page: 0x%x", pd[3]);
	EXPECT(!(pt[0x201] & 0x20));
}

BLOB(b_pae, ".code32",
     PAGE_FAULTS(b_pae)
     "mov $0xc0000080, %ecx; rdmsr; or $0x800, %eax; wrmsr\n"
     TRY32(b_pae, "mov $0xa00000, %eax; call *%eax")	/* NX */
     DONE32);

TEST(pae, "PAE paging: page faults, write protection, NX")
{
	struct vcpu *v;
	u64 *pd;

	skip_pae();
	v = START(b_pae, vcpu_pae);
	pd = (u64 *)(v->vm->ram + GPA_PAE + 0x1000);
	pd[4] = 0;			/* 8 MB..10 MB */
	pd[6] &= ~2ull;			/* 12 MB.. */
	page_faults(v);
	pd[5] |= 1ull << 63;		/* 10 MB.. */
	expect_trap(v, "execution of an NX page", X86_PF, 0x11);
	vcpu_finish(v);
	EXPECT(pd[6] & 0x40, "dirty bit: 0x%llx", (unsigned long long)pd[6]);
}

BLOB(b_pae_pdpte, ".code32",
     TRY32(b_pae_pdpte, "nop")
     TRY32(b_pae_pdpte, "mov %cr3, %eax; mov %eax, %cr3")	/* reserved bits */
     DONE32);

TEST(pae_reserved, "PAE: reserved bits in a page directory pointer make MOV CR3 fault")
{
	struct vcpu *v;

	skip_pae();
	v = START(b_pae_pdpte, vcpu_pae);
	expect_trap(v, "nop", NO_FAULT, 0);
	((u64 *)(v->vm->ram + GPA_PAE))[2] |= 1ull << 8 | 1ull << 5;
	expect_trap(v, "mov to CR3", X86_GP, 0);
}

BLOB(b_ring3, ".code32",
     "mov $0x50, %ax; movb $0x89, 0x1055; ltr %ax\n"
     "movl $0xff, 0x80000; movl $(1f - b_ring3 + 0x8000), 0x80020\n"
     "pushl $0x2b; pushl $0x31000; pushl $2; pushl $0x23; pushl $(2f - b_ring3 + 0x8000); iretl\n"
     "2: mov $0x2b, %ax; mov %ax, %ds; movl $0x33, 0x80040; mov %cs, %eax; mov %eax, 0x80044\n"
     "cli\n"					/* #GP at CPL 3 */
     "1: mov $0x5052, %dx; out %al, (%dx)\n"
     "movl $0xff, 0x80000; movl $(1f - b_ring3 + 0x8000), 0x80020\n"
     "pushl $0x2b; pushl $0x31000; pushl $2; pushl $0x23; pushl $(2f - b_ring3 + 0x8000); iretl\n"
     "2: int3\n"
     "1: mov $0x5052, %dx; out %al, (%dx)\n"
     DONE32);

TEST(ring3, "IRET to ring 3, back by #GP and by INT3 through the TSS's stack")
{
	struct vcpu *v = START(b_ring3, vcpu_prot);
	volatile struct trap32 *t = (void *)(v->vm->ram + GPA_DATA);

	expect_trap(v, "cli in ring 3", X86_GP, 0);
	EXPECT_EQ(t->cs & 3, 3);
	EXPECT_EQ(*(u32 *)(v->vm->ram + 0x80040), 0x33);
	EXPECT_EQ(*(u32 *)(v->vm->ram + 0x80044), SEL_USER32);
	expect_trap(v, "int3 in ring 3", X86_BP, 0);
	EXPECT_EQ(t->cs & 3, 3);
	vcpu_finish(v);
}

BLOB(b_task, ".code32",
     "mov $0x50, %ax; movb $0x89, 0x1055; ltr %ax\n"
     "mov $0x1111, %ebx\n"
     "ljmp $0x60, $0\n"				/* to the other task */
     "b_task_back: cmp $0x1111, %ebx; jne 1f\n"
     "mov $0x5052, %dx; out %al, (%dx)\n"
     "lcall $0x60, $0\n"				/* and as a nested one */
     "mov $0x5052, %dx; out %al, (%dx)\n"
     DONE32
     "1: mov $0x5051, %dx; out %al, (%dx)\n"
     "b_task_other: mov $0x2222, %ebx; incl 0x80060\n"
     "ljmp $0x50, $0\n"
     /* entered again, by CALL: NT is set, IRET goes back */
     "incl 0x80060; pushf; popl 0x80064; iret\n");

TEST(task_switch, "hardware task switches: JMP there and back, CALL and IRET")
{
	extern const u8 b_task_other[];
	struct vcpu *v;
	u64 *gdt;
	u32 *tss;
	u8 *ram;

	if (host_is_tcg() && !kvm_param("npt"))
		tap_skip("QEMU's TCG loads CR3 from the TSS over that of the shadow tables");
	v = START(b_task, vcpu_prot);
	ram = v->vm->ram;
	tss = (u32 *)(ram + 0x84000);
	gdt = (u64 *)(ram + GPA_GDT);

	gdt[0x60 / 8] = 0x0000890000000000ull | 0x67 | 0x084000ull << 16;
	gdt[0x68 / 8] = 0;
	tss[8] = GPA_CODE + (b_task_other - b_task);	/* EIP */
	tss[9] = 2;					/* EFLAGS */
	tss[14] = 0x33000;				/* ESP */
	tss[18] = SEL_DATA;				/* ES */
	tss[19] = SEL_CODE32;
	tss[20] = tss[21] = tss[22] = tss[23] = SEL_DATA;
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	EXPECT_EQ(*(u32 *)(ram + 0x80060), 1);
	EXPECT_EQ(tss[13], 0x2222);	/* EBX of the other, saved */
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	EXPECT_EQ(*(u32 *)(ram + 0x80060), 2);
	EXPECT(*(u32 *)(ram + 0x80064) & 1 << 14, "EFLAGS.NT");
	vcpu_finish(v);
}

BLOB(b_vm86, ".code32",
     "mov $0x50, %ax; movb $0x89, 0x1055; ltr %ax\n"
     "movl $0xff, 0x80000; movl $(1f - b_vm86 + 0x8000), 0x80020\n"
     /* gs fs ds es ss esp eflags(VM, IOPL 3) cs eip */
     "pushl $0; pushl $0; pushl $0x8000; pushl $0x8000; pushl $0x0; pushl $0x6000\n"
     "pushl $0x23002; pushl $0x800; pushl $(2f - b_vm86); iretl\n"
     ".code16\n"
     "2: movw $0x8686, 0x50\n"			/* 8000:50 */
     "hlt\n"					/* #GP: out of VM86 */
     ".code32\n"
     "1: mov $0x5052, %dx; out %al, (%dx)\n"
     DONE32);

TEST(vm86, "virtual 8086 mode: entered by IRET, left by #GP")
{
	struct vcpu *v = START(b_vm86, vcpu_prot);
	volatile struct trap32 *t = (void *)(v->vm->ram + GPA_DATA);

	expect_trap(v, "hlt in VM86", X86_GP, 0);
	EXPECT(t->eflags & 1 << 17, "EFLAGS.VM 0x%x", t->eflags);
	EXPECT_EQ(t->cs, 0x800);
	EXPECT_EQ(*(u16 *)(v->vm->ram + 0x80050), 0x8686);
	vcpu_finish(v);
}

/* GDT for SYSENTER_CS 0x70: ring 0 code, data, ring 3 code, data, in a row. */
BLOB(b_sysenter, ".code32",
     "mov $0x174, %ecx; mov $0x70, %eax; xor %edx, %edx; wrmsr\n"
     "inc %ecx; mov $0x32000, %eax; wrmsr\n"
     "inc %ecx; mov $(b_sysenter_in - b_sysenter + 0x8000), %eax; wrmsr\n"
     "pushl $0x8b; pushl $0x31000; pushl $2; pushl $0x83; pushl $(2f - b_sysenter + 0x8000); iretl\n"
     "2: mov $0x8b, %ax; mov %ax, %ds; mov %esp, %ecx\n"
     "mov $(3f - b_sysenter + 0x8000), %edx; sysenter\n"
     "3: mov %cs, %eax; mov %eax, 0x80040; sysenter\n"
     "b_sysenter_in: incl 0x80044; cmpl $2, 0x80044; je 1f; sysexit\n"
     "1: mov %esp, 0x80048; mov $0x5052, %dx; out %al, (%dx)\n"
     DONE32);

TEST(sysenter, "SYSENTER and SYSEXIT in 32-bit mode")
{
	struct vcpu *v = START(b_sysenter, vcpu_prot);
	u64 *gdt = (u64 *)(v->vm->ram + GPA_GDT);

	gdt[0x70 / 8] = 0x00cf9b000000ffffull;
	gdt[0x78 / 8] = 0x00cf93000000ffffull;
	gdt[0x80 / 8] = 0x00cffb000000ffffull;
	gdt[0x88 / 8] = 0x00cff3000000ffffull;
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	EXPECT_EQ(*(u32 *)(v->vm->ram + 0x80040), 0x83);
	EXPECT_EQ(*(u32 *)(v->vm->ram + 0x80044), 2);
	EXPECT_EQ(*(u32 *)(v->vm->ram + 0x80048), 0x32000);
	vcpu_finish(v);
}

BLOB(b_selfmod, ".code32",
     "mov $100, %ebp; xor %edi, %edi\n"
     "2: mov %ebp, %eax; mov %al, 3f - b_selfmod + 0x8000 + 1\n"
     "3: mov $0, %al; movzx %al, %eax; add %eax, %edi\n"
     "dec %ebp; jnz 2b\n"
     DONE32);

TEST(self_modifying, "code that changes its next instruction a hundred times")
{
	struct vcpu *v = START(b_selfmod, vcpu_paging32);
	struct kvm_regs r;

	vcpu_finish(v);
	vcpu_regs(v, &r);
	/* QEMU's TCG misses the very first change of a translated page */
	EXPECT(r.rdi == 5050 || (host_is_tcg() && r.rdi == 4950), "%lld", r.rdi);
}
