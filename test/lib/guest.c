// SPDX-License-Identifier: GPL-2.0-only
/*
 * What runs inside the guest beside the test's own functions: trap entry,
 * talking to the host, the way to CPL 3 and back. No libc here.
 */
#include "guest.h"

struct guest_cpu guest_cpus[MAX_VCPUS];
struct guest_failure guest_failure;
struct guest_note_args guest_note_args;
void (*guest_handlers[256])(struct trap_frame *);
volatile u64 guest_counts[256];

#define STR_(x)	#x
#define STR(x)	STR_(x)

/*
 * Trap stubs, 16 bytes each: a zero where the CPU pushes no error code, the
 * vector, then the common part. The CPU aligned the stack before it pushed.
 */
asm(".pushsection .text\n"
    ".globl guest_trap_stubs, guest_user_return\n"
    ".balign 16\n"
    "guest_trap_stubs:\n"
    "vec = 0\n"
    ".rept 256\n"
    "	.balign 16\n"
    "	.if !(vec == 8 || (vec >= 10 && vec <= 14) || vec == 17 || vec == 21 || vec == 29 || vec == 30)\n"
    "	pushq $0\n"
    "	.endif\n"
    "	pushq $vec\n"
    "	jmp guest_trap_common\n"
    "	vec = vec + 1\n"
    ".endr\n"
    ".balign 16\n"
    "guest_trap_common:\n"
    "	push %rax; push %rcx; push %rdx; push %rbx; push %rbp\n"
    "	push %rsi; push %rdi; push %r8; push %r9; push %r10; push %r11\n"
    "	push %r12; push %r13; push %r14; push %r15\n"
    "	cld\n"
    "	mov %rsp, %rdi\n"
    "	call guest_trap\n"
    "	pop %r15; pop %r14; pop %r13; pop %r12; pop %r11; pop %r10\n"
    "	pop %r9; pop %r8; pop %rdi; pop %rsi; pop %rbp; pop %rbx\n"
    "	pop %rdx; pop %rcx; pop %rax\n"
    "	add $16, %rsp\n"
    "	iretq\n"
    /* guest_user(fn): the user stack is the lowest page of this vCPU's. */
    ".globl guest_user\n"
    "guest_user:\n"
    "	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "	pushfq\n"
    "	mov %rsp, %gs:64\n"
    "	mov %rsp, %rax\n"
    "	and $~0x3fff, %rax\n"
    "	add $0x1000 - 8, %rax\n"
    "	movq $guest_user_exit, (%rax)\n"
    "	pushq $" STR(0x28 | 3) "\n"
    "	push %rax\n"
    "	pushfq\n"
    "	pushq $" STR(0x30 | 3) "\n"
    "	push %rdi\n"
    "	iretq\n"
    "guest_user_exit:\n"
    "	int $0x81\n"
    "guest_user_return:\n"
    "	mov %gs:64, %rsp\n"
    "	mov $0x10, %eax\n"
    "	mov %eax, %ss\n"
    "	popfq\n"
    "	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "	ret\n"
    ".popsection");
_Static_assert(offsetof(struct guest_cpu, fixup) == 16, "TRY() knows this");
_Static_assert(offsetof(struct guest_cpu, user_rsp) == 64, "guest_user() too");

void guest_trap(struct trap_frame *f);

void __attribute__((used)) guest_trap(struct trap_frame *f)
{
	struct guest_cpu *c = this_cpu();
	void (*fn)(struct trap_frame *) = guest_handlers[(u8)f->vector];

	if (fn) {
		fn(f);
		return;
	}
	if (c->fixup) {
		c->vector = f->vector;
		c->error = f->error;
		c->fault_rip = f->rip;
		c->cr2 = read_cr2();
		f->rip = c->fixup;
		c->fixup = 0;
		return;
	}
	guest_note("trap: vector %lld, error code 0x%llx, rip 0x%llx, cr2 0x%llx",
		   f->vector, f->error, f->rip, read_cr2());
	guest_fail("guest", 0, "no unexpected trap", true, f->vector, 0);
}

void guest_done(void)
{
	for (;;)
		outb(PORT_DONE, 0);
}

void guest_sync(u64 value)
{
	this_cpu()->sync = value;
	barrier();
	outb(PORT_SYNC, 0);
	barrier();
}

void guest_fail(const char *file, int line, const char *expr, bool values,
		u64 a, u64 b)
{
	guest_failure.file = file;
	guest_failure.line = line;
	guest_failure.expr = expr;
	guest_failure.values = values;
	guest_failure.a = a;
	guest_failure.b = b;
	barrier();
	for (;;)
		outb(PORT_FAIL, 0);
}

void guest_note(const char *fmt, u64 a, u64 b, u64 c, u64 d)
{
	guest_note_args.fmt = fmt;
	guest_note_args.arg[0] = a;
	guest_note_args.arg[1] = b;
	guest_note_args.arg[2] = c;
	guest_note_args.arg[3] = d;
	barrier();
	outb(PORT_NOTE, 0);
	barrier();
}

void guest_handle(u8 vector, void (*fn)(struct trap_frame *))
{
	guest_handlers[vector] = fn;
}

void guest_count(struct trap_frame *f)
{
	guest_counts[(u8)f->vector]++;
}

void guest_count_eoi(struct trap_frame *f)
{
	guest_counts[(u8)f->vector]++;
	apic_write(APIC_EOI, 0);
}

void guest_count_eoi_x2(struct trap_frame *f)
{
	guest_counts[(u8)f->vector]++;
	wrmsr(MSR_X2APIC(APIC_EOI), 0);
}
