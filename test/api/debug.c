// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_SET_GUEST_DEBUG: what a debugger in user space needs.
 */
#include <unistd.h>

#include "guest.h"

static volatile u64 g_target;

/* Three nops with known addresses between, then a store. */
extern u8 dbg_start[], dbg_second[], dbg_store[], dbg_after[], dbg_int3[],
	  dbg_end[];
void g_body(void);
asm(".pushsection .text\n"
    ".globl g_body, dbg_start, dbg_second, dbg_store, dbg_after, dbg_int3, dbg_end\n"
    "g_body:\n"
    "	mov $g_target, %eax\n"
    "dbg_start: nop\n"
    "dbg_second: mov $0x1122, %ecx\n"
    "dbg_store: mov %rcx, (%rax)\n"
    "dbg_after: nop\n"
    "dbg_int3: nop\n"
    "dbg_end: jmp guest_done\n"
    ".popsection");

static int guest_debug(struct vcpu *v, u32 control, u64 dr0, u64 dr7)
{
	struct kvm_guest_debug d = { .control = control };

	d.arch.debugreg[0] = dr0;
	d.arch.debugreg[7] = dr7;
	return ioctl(v->fd, KVM_SET_GUEST_DEBUG, &d);
}

#define ON	KVM_GUESTDBG_ENABLE

TEST(bad, "KVM_SET_GUEST_DEBUG: bad pointers; needs the ENABLE flag to have an effect")
{
	struct vcpu *v = vm_guest(false, g_body);

	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_GUEST_DEBUG, NULL), EFAULT);
	EXPECT_OK(guest_debug(v, KVM_GUESTDBG_SINGLESTEP, 0, 0));
	vcpu_finish(v);
}

/* Bochs 2.7 says so after an EPT violation, too, before anything has been executed. */
static void skip_if_steps_are_early(void)
{
	struct vcpu *v;

	if (!host_is_bochs())
		return;
	v = vm_guest(false, g_body);
	ASSERT_OK(guest_debug(v, ON | KVM_GUESTDBG_SINGLESTEP, 0, 0));
	vcpu_expect_exit(v, KVM_EXIT_DEBUG);
	if (v->run->debug.arch.pc == (uintptr_t)g_body)
		tap_skip("Bochs takes an EPT violation for a step");
}

TEST(step, "single step: one KVM_EXIT_DEBUG after each instruction")
{
	struct vcpu *v = vm_guest(false, g_body);
	const u8 *at[] = { dbg_start, dbg_second, dbg_store, dbg_after, dbg_int3,
			   dbg_end };

	skip_if_steps_are_early();
	ASSERT_OK(guest_debug(v, ON | KVM_GUESTDBG_SINGLESTEP, 0, 0));
	for (u32 i = 0; i < ARRAY_SIZE(at); i++) {
		vcpu_expect_exit(v, KVM_EXIT_DEBUG);
		EXPECT_EQ(v->run->debug.arch.exception, X86_DB);
		EXPECT_EQ(v->run->debug.arch.pc, (uintptr_t)at[i]);
		EXPECT(v->run->debug.arch.dr6 & 1 << 14, "DR6.BS");
	}
	EXPECT_EQ(*IN_GUEST(v->vm, g_target), 0x1122);
	ASSERT_OK(guest_debug(v, 0, 0, 0));
	vcpu_finish(v);
}

TEST(flags_hidden, "single step by the host: the guest's own RFLAGS shows no TF")
{
	void g_pushf(void);
	struct vcpu *v = vm_guest(false, g_pushf);
	struct kvm_regs r;

	ASSERT_OK(guest_debug(v, ON | KVM_GUESTDBG_SINGLESTEP, 0, 0));
	for (int i = 0; i < 20; i++) {
		vcpu_expect_exit(v, KVM_EXIT_DEBUG);
		vcpu_regs(v, &r);
		EXPECT(!(r.rflags & FLAG_TF));
	}
	ASSERT_OK(guest_debug(v, 0, 0, 0));
	vcpu_finish(v);
}

void g_pushf(void);
void g_pushf(void)
{
	for (volatile int i = 0; i < 20; i++)
		;
	GUEST_ASSERT(!(read_flags() & FLAG_TF));
	guest_done();
}

TEST(sw_breakpoint, "software breakpoint: INT3 exits with its address, before the guest sees it")
{
	struct vcpu *v = vm_guest(false, g_body);
	u8 *insn = v->vm->ram + (uintptr_t)dbg_second, saved = *insn;
	struct kvm_regs r;

	if (host_is_tcg())
		tap_skip("QEMU's TCG does not intercept the #BP of an INT3");
	*insn = 0xcc;
	ASSERT_OK(guest_debug(v, ON | KVM_GUESTDBG_USE_SW_BP, 0, 0));
	vcpu_expect_exit(v, KVM_EXIT_DEBUG);
	EXPECT_EQ(v->run->debug.arch.exception, X86_BP);
	EXPECT_EQ(v->run->debug.arch.pc, (uintptr_t)dbg_second);
	vcpu_regs(v, &r);
	EXPECT_EQ(r.rip, (uintptr_t)dbg_second);
	*insn = saved;
	vcpu_finish(v);
	EXPECT_EQ(*IN_GUEST(v->vm, g_target), 0x1122);
}

static void g_int3(void)
{
	guest_handle(X86_BP, guest_count);
	asm volatile("int3");
	GUEST_EQ(guest_counts[X86_BP], 1);
	guest_done();
}

TEST(guest_int3, "without USE_SW_BP an INT3 is the guest's own")
{
	struct vcpu *v = vm_guest(false, g_int3);

	ASSERT_OK(guest_debug(v, ON, 0, 0));
	vcpu_finish(v);
}

TEST(hw_breakpoint, "hardware breakpoint on execution: KVM_EXIT_DEBUG with DR6")
{
	struct vcpu *v = vm_guest(false, g_body);

	if (host_is_tcg())
		tap_skip("QEMU's TCG does not arm DR7 on VMRUN");
	ASSERT_OK(guest_debug(v, ON | KVM_GUESTDBG_USE_HW_BP,
			      (uintptr_t)dbg_store, 0x402));
	vcpu_expect_exit(v, KVM_EXIT_DEBUG);
	EXPECT_EQ(v->run->debug.arch.exception, X86_DB);
	EXPECT_EQ(v->run->debug.arch.pc, (uintptr_t)dbg_store);
	EXPECT(v->run->debug.arch.dr6 & 1);
	EXPECT_EQ(*IN_GUEST(v->vm, g_target), 0);
	ASSERT_OK(guest_debug(v, 0, 0, 0));
	vcpu_finish(v);
}

TEST(watchpoint, "hardware watchpoint on a write: KVM_EXIT_DEBUG after the store")
{
	struct vcpu *v = vm_guest(false, g_body);

	if (host_is_tcg())
		tap_skip("QEMU's TCG does not arm DR7 on VMRUN");
	/* DR7: L0/G0, R/W0 = 1 (write), LEN0 = 2 (8 bytes) */
	ASSERT_OK(guest_debug(v, ON | KVM_GUESTDBG_USE_HW_BP,
			      (uintptr_t)&g_target, 0x400 | 2 | 1 << 16 | 2 << 18));
	vcpu_expect_exit(v, KVM_EXIT_DEBUG);
	EXPECT_EQ(v->run->debug.arch.pc, (uintptr_t)dbg_after);
	EXPECT(v->run->debug.arch.dr6 & 1);
	EXPECT_EQ(*IN_GUEST(v->vm, g_target), 0x1122);
	ASSERT_OK(guest_debug(v, 0, 0, 0));
	vcpu_finish(v);
}

static void g_guest_bp(void)
{
	guest_handle(X86_DB, guest_count);
	asm volatile("mov %0, %%dr0" :: "r"(&g_target));
	asm volatile("mov %0, %%dr7" :: "r"(0x400ul | 2 | 1 << 16 | 2 << 18));
	g_target = 5;
	GUEST_EQ(guest_counts[X86_DB], 1);
	u64 dr6, dr7;

	asm volatile("mov %%dr6, %0" : "=r"(dr6));
	GUEST_EQ(dr6 & 0xf, 1);
	asm volatile("mov %%dr7, %0" : "=r"(dr7));
	GUEST_EQ(dr7, 0x400ul | 2 | 1 << 16 | 2 << 18);
	/* or QEMU's TCG keeps it armed, for the host's own addresses */
	asm volatile("mov %0, %%dr7" :: "r"(0x400ul));
	guest_done();
}

TEST(guest_watch, "the guest's own debug registers work, and its #DB is its own")
{
	vcpu_finish(vm_guest(false, g_guest_bp));
}

static void g_step_all(void)
{
	u32 a, b, c, d;

	outl(0x1234, 7);			/* exits to user space */
	cpuid(0, 0, &a, &b, &c, &d);		/* is emulated */
	guest_counts[1] += inl(0x1234);
	*(volatile u32 *)GPA_NONE = 9;		/* MMIO */
	guest_sync(1);
	guest_done();
}

TEST(step_emulated, "single step over emulated instructions loses none of them, nor a step")
{
	struct vcpu *v = vm_guest(false, g_step_all);
	bool out = false, in = false, mmio = false;
	u64 last = 0;
	int same = 0;

	skip_if_steps_are_early();
	ASSERT_OK(guest_debug(v, ON | KVM_GUESTDBG_SINGLESTEP, 0, 0));
	for (int i = 0; i < 300; i++) {
		enum guest_event e = vcpu_next(v);
		struct kvm_run *run = v->run;

		if (e == GUEST_SYNC)
			break;
		ASSERT(e == GUEST_EXIT);
		if (run->exit_reason == KVM_EXIT_IO) {
			if (run->io.direction)
				out = true;
			else
				in = true;
		} else if (run->exit_reason == KVM_EXIT_MMIO) {
			mmio = true;
		} else {
			ASSERT_EQ(run->exit_reason, KVM_EXIT_DEBUG);
			same += run->debug.arch.pc == last;
			last = run->debug.arch.pc;
		}
	}
	EXPECT(out && in && mmio && v->sync == 1);
	EXPECT_EQ(same, 0);
}

TEST(inject_db, "KVM_GUESTDBG_INJECT_DB hands a #DB to the guest")
{
	void g_wait_db(void);
	struct vcpu *v = vm_guest(false, g_wait_db);

	vcpu_expect_sync(v, 1);
	ASSERT_OK(guest_debug(v, KVM_GUESTDBG_INJECT_DB, 0, 0));
	vcpu_finish(v);
}

void g_wait_db(void);
void g_wait_db(void)
{
	guest_handle(X86_DB, guest_count);
	guest_sync(1);
	GUEST_EQ(guest_counts[X86_DB], 1);
	guest_done();
}

void g_at_int3(void);
asm(".pushsection .text\n"
    ".globl g_at_int3\n"
    "g_at_int3: int3\n"
    "	mov guest_counts + 24, %edi\n"
    "	call guest_sync\n"
    "	jmp guest_done\n"
    ".popsection");

TEST(inject_bp, "KVM_GUESTDBG_INJECT_BP at an INT3: the guest's #BP, once, behind the instruction")
{
	struct vcpu *v;

	guest_handlers[X86_BP] = guest_count;
	v = vm_guest(false, g_at_int3);
	ASSERT_OK(guest_debug(v, KVM_GUESTDBG_INJECT_BP, 0, 0));
	vcpu_expect_sync(v, 1);
	vcpu_finish(v);
}

static void g_no_int3(void)
{
	guest_sync(1);
	guest_done();
}

TEST(inject_bp_anywhere, "INJECT_BP where there is no INT3 is delivered all the same, without a loop")
{
	struct vcpu *v;

	guest_handlers[X86_BP] = guest_count;
	v = vm_guest(false, g_no_int3);
	vcpu_expect_sync(v, 1);
	ASSERT_OK(guest_debug(v, KVM_GUESTDBG_INJECT_BP, 0, 0));
	EXPECT(vcpu_run_for(v, 1000), "it loops");
}
