// SPDX-License-Identifier: GPL-2.0-only
/*
 * Long mode: exceptions and their error codes, page tables, system calls,
 * CPUID and MSRs as a guest sees them.
 */
#include "guest.h"

static void g_exceptions(void)
{
	u64 one = 1, zero = 0;

	GUEST_EQ(TRY("div %0", :: "r"(zero), "a"(one), "d"(zero) : "memory", "cc"), X86_DE);
	GUEST_EQ(TRY("ud2", ::: "memory"), X86_UD);
	GUEST_EQ(TRY("int3", ::: "memory"), X86_BP);
	GUEST_EQ(TRY("int $0x70", ::: "memory"), 0x70);
	GUEST_EQ(TRY("mov %0, %%ds", :: "r"(0xfff8) : "memory"), X86_GP);
	GUEST_EQ(this_cpu()->error, 0xfff8);
	GUEST_EQ(TRY("mov %0, %%ss", :: "r"(SEL_CODE64) : "memory"), X86_GP);
	GUEST_EQ(this_cpu()->error, SEL_CODE64);
	GUEST_EQ(TRY("mov (%0), %%rax", :: "r"(0x8000000000000000ul) : "rax", "memory"), X86_GP);
	GUEST_EQ(this_cpu()->error, 0);
	GUEST_EQ(TRY("mov 0x12345678(%0), %%rax", :: "r"(0x100000000ul) : "rax", "memory"), X86_PF);
	GUEST_EQ(this_cpu()->error, 0);
	GUEST_EQ(this_cpu()->cr2, 0x112345678ul);
	GUEST_EQ(TRY("movq $0, (%0)", :: "r"(0x100000000ul) : "memory"), X86_PF);
	GUEST_EQ(this_cpu()->error, 2);
	GUEST_EQ(TRY("mov %0, %%cr4", :: "r"(1ul << 31) : "memory"), X86_GP);
	guest_sync(TRY("mov %0, %%cr0", :: "r"(1ul << 32 | read_cr0()) : "memory"));
	GUEST_EQ(TRY("mov %0, %%cr0", :: "r"(read_cr0() & ~(u64)CR0_PE) : "memory"), X86_GP);
	GUEST_EQ(TRY("mov %0, %%cr0", :: "r"((read_cr0() & ~(u64)CR0_CD) | CR0_NW) : "memory"), X86_GP);
	GUEST_EQ(TRY("mov %0, %%cr4", :: "r"(read_cr4() & ~(u64)CR4_PAE) : "memory"), X86_GP);
	GUEST_EQ(TRY("mov %0, %%cr8", :: "r"(16ul) : "memory"), X86_GP);
	guest_done();
}

TEST(exceptions, "exceptions reach the guest with vector, error code and CR2")
{
	struct vcpu *v = vm_guest(false, g_exceptions);

	/* not intercepted by all; QEMU's TCG then drops the upper half */
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	EXPECT(v->sync == X86_GP || host_is_tcg(), "CR0 bit 32: no #GP");
	vcpu_finish(v);
}

static void g_cr2(void)
{
	u64 mine = this_cpu()->id + 0x1000;

	GUEST_EQ(read_cr2(), mine << 12);
	for (int i = 0; i < 4; i++) {
		asm volatile("mov %0, %%cr2" :: "r"(mine + i));
		guest_sync(i);
		GUEST_EQ(read_cr2(), mine + i);
	}
	guest_done();
}

TEST(cr2, "CR2 is each vCPU's own: two that take turns on one CPU")
{
	struct vcpu *v[2];
	struct vm *vm;

	if (host_is_bochs() && vendor_is("kvm_amd"))
		tap_skip("Bochs' VMRUN does not load CR2");
	vm = vm_new();
	for (int i = 0; i < 2; i++) {
		struct kvm_sregs sregs;

		v[i] = vcpu_new(vm, i);
		vcpu_long(v[i], g_cr2);
		ASSERT_OK(ioctl(v[i]->fd, KVM_GET_SREGS, &sregs));
		sregs.cr2 = (i + 0x1000) << 12;
		ASSERT_OK(ioctl(v[i]->fd, KVM_SET_SREGS, &sregs));
	}
	for (int turn = 0; turn < 4; turn++)
		for (int i = 0; i < 2; i++)
			vcpu_expect_sync(v[i], turn);
	for (int i = 0; i < 2; i++)
		vcpu_finish(v[i]);
}

static void g_fpu_faults(void)
{
	u64 cr0 = read_cr0();
	u16 cw = 0x340;			/* zero divide unmasked */

	write_cr0(cr0 | CR0_TS);
	GUEST_EQ(TRY("fnop", ::: "memory"), X86_NM);
	GUEST_EQ(TRY("movups %%xmm0, %%xmm1", ::: "memory"), X86_NM);
	asm volatile("clts");
	GUEST_EQ(TRY("fnop", ::: "memory"), NO_FAULT);
	write_cr0(cr0 | CR0_EM);
	GUEST_EQ(TRY("fnop", ::: "memory"), X86_NM);
	GUEST_EQ(TRY("movups %%xmm0, %%xmm1", ::: "memory"), X86_UD);
	write_cr0(cr0);
	asm volatile("fninit; fldcw %0; fldz; fld1; fdivp" :: "m"(cw));
	GUEST_EQ(TRY("fwait", ::: "memory"), X86_MF);
	asm volatile("fnclex; fninit");
	guest_done();
}

TEST(fpu_faults, "#NM by CR0.TS and EM, #MF by an unmasked x87 error")
{
	vcpu_finish(vm_guest(false, g_fpu_faults));
}

static void on_double(struct trap_frame *f)
{
	guest_counts[X86_DF]++;
	guest_done();
}

static void g_double_fault(void)
{
	guest_handle(X86_DF, on_double);
	guest_sync(1);		/* the host makes #GP's gate not present */
	asm volatile("mov (%0), %%rax" :: "r"(0x8000000000000000ul) : "rax");
	GUEST_ASSERT(false);
}

TEST(double_fault, "a #GP whose gate is not present is a double fault")
{
	struct vcpu *v = vm_guest(false, g_double_fault);
	u64 *idt = (u64 *)(v->vm->ram + GPA_IDT);

	vcpu_expect_sync(v, 1);
	idt[2 * X86_GP] &= ~(1ull << 47);
	idt[2 * X86_NP] &= ~(1ull << 47);
	vcpu_finish(v);
}

static volatile u64 *g_pt;

static void g_paging(void)
{
	volatile u64 *pt = g_pt;
	u64 base = 0x600000;

	/* every page of 0x600000..0x7fffff is mapped by g_pt, identity */
	*(volatile u64 *)(base + 0x5000) = 5;
	GUEST_EQ(pt[5] & 0x60, 0x60);
	(void)*(volatile u64 *)(base + 0x6000);
	GUEST_EQ(pt[6] & 0x60, 0x20);
	pt[7] = 0;
	invlpg(base + 0x7000);
	GUEST_EQ(TRY("mov (%0), %%rax", :: "r"(base + 0x7000) : "rax", "memory"), X86_PF);
	GUEST_EQ(this_cpu()->error, 0);
	/* an alias */
	pt[8] = (base + 0x5000) | 7;
	invlpg(base + 0x8000);
	GUEST_EQ(*(volatile u64 *)(base + 0x8000), 5);
	/* read-only */
	pt[9] &= ~2ull;
	invlpg(base + 0x9000);
	GUEST_EQ(TRY("movq $1, (%0)", :: "r"(base + 0x9000) : "memory"), X86_PF);
	GUEST_EQ(this_cpu()->error, 3);
	write_cr0(read_cr0() & ~(u64)CR0_WP);
	GUEST_EQ(TRY("movq $1, (%0)", :: "r"(base + 0x9000) : "memory"), NO_FAULT);
	write_cr0(read_cr0() | CR0_WP);
	/* no execution */
	pt[10] |= 1ull << 63;
	*(volatile u8 *)(base + 0xa000) = 0xc3;
	invlpg(base + 0xa000);
	GUEST_EQ(TRY("call *%0", :: "r"(base + 0xa000) : "memory"), X86_PF);
	GUEST_EQ(this_cpu()->error, 0x11);
	/* CR2's instruction fetch left a return address on the stack: fine */
	pt[10] &= ~(1ull << 63);
	invlpg(base + 0xa000);
	asm volatile("call *%0" :: "r"(base + 0xa000) : "memory");
	/* reserved bits */
	pt[11] |= 1ull << 51;
	invlpg(base + 0xb000);
	guest_sync(TRY("mov (%0), %%rax", :: "r"(base + 0xb000) : "rax", "memory"));
	guest_sync(this_cpu()->error);
	guest_done();
}

TEST(paging, "4 KB pages: accessed and dirty, present, alias, read-only, WP, NX, reserved bits")
{
	struct vm *vm = vm_new();
	struct vcpu *v = vcpu_new(vm, 0);
	u64 *pt = vm_split(vm, 0x600000);

	g_pt = (u64 *)(uintptr_t)((u8 *)pt - vm->ram);
	vcpu_long(v, g_paging);
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	EXPECT_EQ(v->sync, X86_PF);
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	/* QEMU's TCG leaves P out of a reserved bit's error code */
	EXPECT(v->sync == 9 || (host_is_tcg() && v->sync == 8), "0x%llx",
	       (unsigned long long)v->sync);
	vcpu_finish(v);
}

static volatile u64 g_user_vector, g_user_error;

static void g_user_touch(void)
{
	g_user_vector = TRY("mov (%0), %%rax", :: "r"(0x605000ul) : "rax", "memory");
	g_user_error = this_cpu()->error;
}

static void g_user_pages(void)
{
	g_pt[5] &= ~4ull;
	invlpg(0x605000);
	guest_user(g_user_touch);
	GUEST_EQ(g_user_vector, X86_PF);
	GUEST_EQ(g_user_error, 5);
	g_pt[5] |= 4;
	invlpg(0x605000);
	guest_user(g_user_touch);
	GUEST_EQ(g_user_vector, NO_FAULT);
	guest_done();
}

TEST(user_pages, "CPL 3 and supervisor pages")
{
	struct vm *vm = vm_new();
	struct vcpu *v = vcpu_new(vm, 0);

	g_pt = (u64 *)(uintptr_t)((u8 *)vm_split(vm, 0x600000) - vm->ram);
	vcpu_long(v, g_user_pages);
	vcpu_finish(v);
}

TEST(smap_present, "CR4.SMAP and SMEP can be set exactly if CPUID says so")
{
	void g_smxp(void);
	struct vcpu *v = vm_guest(false, g_smxp);
	bool smep = CPUID_BIT(supported_cpuid(7, 0), ebx, 7);
	bool smap = CPUID_BIT(supported_cpuid(7, 0), ebx, 20);
	bool umip = CPUID_BIT(supported_cpuid(7, 0), ecx, 2);

	vcpu_expect_sync(v, smep ? NO_FAULT : X86_GP);
	vcpu_expect_sync(v, smap ? NO_FAULT : X86_GP);
	vcpu_expect_sync(v, umip ? NO_FAULT : X86_GP);
	vcpu_finish(v);
}

/* Setting them with user pages under our feet would fault: clear at once. */
static u8 try_cr4_bit(u64 bit)
{
	u64 cr4 = read_cr4();
	u8 vector;

	/* the code page is a user page: SMEP faults at the next fetch */
	vector = TRY("mov %0, %%cr4", :: "r"(cr4 | bit) : "memory");
	if (vector == NO_FAULT)
		write_cr4(cr4);
	return vector;
}

void g_smxp(void);
void g_smxp(void)
{
	/* make all our pages supervisor pages */
	volatile u64 *pd = (u64 *)(GPA_PML4 + 0x2000);

	for (int i = 0; i < 8; i++)
		pd[i] &= ~4ull;
	write_cr3(read_cr3());
	guest_sync(try_cr4_bit(CR4_SMEP));
	guest_sync(try_cr4_bit(CR4_SMAP));
	guest_sync(try_cr4_bit(CR4_UMIP));
	guest_done();
}

extern u8 syscall_entry[];
asm(".pushsection .text\n"
    ".globl syscall_entry\n"
    "syscall_entry: incq guest_counts + 8\n"
    "	mov %r11, guest_counts + 16\n"
    "	sysretq\n"
    ".popsection");

static volatile u64 g_sys_cs;

static void g_user_syscall(void)
{
	u64 cs;

	asm volatile("syscall" ::: "rcx", "r11", "memory");
	asm volatile("mov %%cs, %0" : "=r"(cs));
	g_sys_cs = cs;
	asm volatile("syscall" ::: "rcx", "r11", "memory");
}

static void g_syscall(void)
{
	wrmsr(MSR_STAR, (0x20ull | 3) << 48 | (u64)SEL_CODE64 << 32);
	wrmsr(MSR_LSTAR, (u64)syscall_entry);
	wrmsr(MSR_SFMASK, 0x700);
	GUEST_EQ(TRY("syscall", ::: "rcx", "r11", "memory"), X86_UD);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
	guest_user(g_user_syscall);
	GUEST_EQ(guest_counts[1], 2);
	GUEST_EQ(g_sys_cs, SEL_USER64);
	guest_done();
}

TEST(syscall, "SYSCALL and SYSRET; #UD while EFER.SCE is clear")
{
	vcpu_finish(vm_guest(false, g_syscall));
}

static void g_cpuid(void)
{
	u32 a, b, c, d, a2, b2, c2, d2;

	cpuid(0, 0, &a, &b, &c, &d);
	guest_sync(a);
	cpuid(1, 0, &a, &b, &c, &d);
	guest_sync(b >> 24);			/* initial APIC id */
	GUEST_ASSERT(!(c & 1u << 27));		/* OSXSAVE follows CR4 */
	if (c & 1u << 26) {
		write_cr4(read_cr4() | CR4_OSXSAVE);
		cpuid(1, 0, &a, &b, &c, &d);
		GUEST_ASSERT(c & 1u << 27);
		write_cr4(read_cr4() & ~(u64)CR4_OSXSAVE);
	}
	GUEST_ASSERT(c & 1u << 31);		/* set by the test */
	cpuid(0x40000000, 0, &a, &b, &c, &d);
	GUEST_EQ(b, 0x4b4d564b);		/* KVMK */
	/* beyond the last basic leaf: AMD answers zeros */
	cpuid(0x8fffffff, 0, &a, &b, &c, &d);
	cpuid(0x8ffffff0, 0, &a2, &b2, &c2, &d2);
	GUEST_ASSERT(a == a2 && b == b2 && c == c2 && d == d2);
	guest_done();
}

TEST(cpuid, "CPUID is what user space set; OSXSAVE follows CR4")
{
	struct vm *vm = vm_new();
	struct vcpu *v;

	vcpu_new(vm, 0);
	v = vcpu_new(vm, 5);
	vcpu_long(v, g_cpuid);
	vcpu_expect_sync(v, supported_cpuid(0, 0)->eax);
	vcpu_expect_sync(v, 5);
	vcpu_finish(v);
}

TEST(cpuid_index, "CPUID leaves with subleaves; a subleaf that was not given is zeros")
{
	void g_sub(void);
	const struct kvm_cpuid_entry2 leaf7[2] = {
		{ .function = 7, .index = 0, .eax = 1, .ebx = 0x1234,
		  .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
		{ .function = 7, .index = 1, .eax = 2, .ebx = 0x5678,
		  .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
	};
	struct vcpu *v = vcpu_bare(vm_new(), 0);
	struct kvm_cpuid2 *all = vcpu_make_cpuid(v), *c;

	c = calloc(1, sizeof(*c) + (all->nent + 2) * sizeof(c->entries[0]));
	ASSERT(c);
	/* long mode needs its bits: leaves 0, 1 and the extended ones stay */
	for (u32 i = 0; i < all->nent; i++) {
		u32 fn = all->entries[i].function;

		if (fn <= 1 || fn >= 0x80000000)
			c->entries[c->nent++] = all->entries[i];
	}
	c->entries[c->nent++] = leaf7[0];
	c->entries[c->nent++] = leaf7[1];
	ASSERT_OK(ioctl(v->fd, KVM_SET_CPUID2, c));
	vcpu_long(v, g_sub);
	vcpu_expect_sync(v, 0x1234);
	vcpu_expect_sync(v, 0x5678);
	vcpu_expect_sync(v, 0);
	vcpu_finish(v);
}

void g_sub(void);
void g_sub(void)
{
	u32 a, b, c, d;

	for (u32 i = 0; i < 3; i++) {
		cpuid(7, i, &a, &b, &c, &d);
		guest_sync(b);
	}
	guest_done();
}

static void g_msrs(void)
{
	u64 v;

	GUEST_EQ(try_rdmsr(0xdeadbeef, NULL), X86_GP);
	GUEST_EQ(this_cpu()->error, 0);
	GUEST_EQ(try_wrmsr(0xdeadbeef, 1), X86_GP);
	GUEST_EQ(try_wrmsr(MSR_EFER, rdmsr(MSR_EFER) | 2), X86_GP);
	GUEST_EQ(try_wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_LME), X86_GP);
	GUEST_EQ(try_wrmsr(MSR_PAT, 0x0202020202020202), X86_GP);
	GUEST_EQ(try_wrmsr(MSR_PAT, 0x0007040600070406), NO_FAULT);
	GUEST_EQ(rdmsr(MSR_PAT), 0x0007040600070406);
	wrmsr(MSR_FS_BASE, 0x123456789);
	GUEST_EQ(rdmsr(MSR_FS_BASE), 0x123456789);
	wrmsr(MSR_KERNEL_GS_BASE, 0xffff800000001000);
	GUEST_EQ(rdmsr(MSR_KERNEL_GS_BASE), 0xffff800000001000);
	v = rdmsr(MSR_GS_BASE);
	asm volatile("swapgs; swapgs");
	GUEST_EQ(rdmsr(MSR_GS_BASE), v);
	wrmsr(MSR_STAR, 0x1122334455667788);
	GUEST_EQ(rdmsr(MSR_STAR), 0x1122334455667788);
	wrmsr(MSR_SYSENTER_EIP, 0x77777777);
	GUEST_EQ(rdmsr(MSR_SYSENTER_EIP), 0x77777777);
	v = rdmsr(MSR_APIC_BASE);
	GUEST_EQ(v & 0xfffff000, APIC_BASE);
	GUEST_ASSERT(v & 1 << 11);
	GUEST_EQ(rdmsr(0xfe) & 0xff, 8);	/* MTRRcap: 8 variable */
	GUEST_EQ(try_wrmsr(0xfe, 0), X86_GP);
	wrmsr(0x200, 0xc0000006);
	wrmsr(0x201, 0xffc0000800);
	GUEST_EQ(rdmsr(0x200), 0xc0000006);
	GUEST_EQ(rdmsr(0x201), 0xffc0000800);
	wrmsr(0x2ff, 0xc06);
	GUEST_EQ(rdmsr(0x2ff), 0xc06);
	GUEST_EQ(try_wrmsr(0x1fc, 2), NO_FAULT);	/* POWER_CTL */
	GUEST_EQ(try_rdmsr(0x1fc, NULL), NO_FAULT);
	guest_done();
}

TEST(msrs, "RDMSR and WRMSR: kept values, #GP for unknown ones and reserved bits")
{
	vcpu_finish(vm_guest(true, g_msrs));
}

static void g_tsc(void)
{
	u64 last = rdtsc(), t, adjust;
	u32 a, b, c, d, lo, hi, aux;

	for (int i = 0; i < 1000; i++) {
		t = rdtsc();
		GUEST_ASSERT(t > last);
		last = t;
		if (i % 100 == 0)
			cpuid(0, 0, &a, &b, &c, &d);	/* an exit */
	}
	cpuid(0x80000001, 0, &a, &b, &c, &d);
	if (d & 1 << 27) {
		wrmsr(MSR_TSC_AUX, 0x77);
		asm volatile("rdtscp" : "=a"(lo), "=d"(hi), "=c"(aux));
		GUEST_EQ(aux, 0x77);
		GUEST_ASSERT((lo | (u64)hi << 32) > last);
	}
	cpuid(7, 0, &a, &b, &c, &d);
	if (b & 2) {
		adjust = rdmsr(MSR_TSC_ADJUST);
		wrmsr(MSR_TSC_ADJUST, adjust + (1ull << 40));
		t = rdtsc();
		GUEST_ASSERT(t - last >= 1ull << 40);
		GUEST_ASSERT(t - last < (1ull << 40) + (1ull << 36));
		wrmsr(MSR_TSC, 1000);
		t = rdtsc();
		GUEST_ASSERT(t < 1ull << 36);
		GUEST_ASSERT(rdmsr(MSR_TSC_ADJUST) != adjust + (1ull << 40));
	}
	guest_done();
}

TEST(tsc, "the TSC goes up, follows TSC_ADJUST and WRMSR; RDTSCP gives TSC_AUX")
{
	vcpu_finish(vm_guest(false, g_tsc));
}

static void g_debug_exceptions(void)
{
	u64 dr6;

	guest_handle(X86_DB, guest_count);
	asm volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop; pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
	guest_sync(guest_counts[X86_DB]);
	asm volatile("mov %%dr6, %0" : "=r"(dr6));
	guest_sync(dr6 >> 14 & 1);
	guest_counts[X86_DB] = 0;
	guest_sync(TRY(".byte 0xf1", ::: "memory"));	/* ICEBP */
	/* TF over an instruction that is emulated, CPUID */
	guest_counts[X86_DB] = 0;
	asm volatile("xor %%eax, %%eax; pushfq; orq $0x100, (%%rsp); popfq; cpuid; nop; pushfq; andq $~0x100, (%%rsp); popfq"
		     ::: "rax", "rbx", "rcx", "rdx", "memory", "cc");
	guest_sync(guest_counts[X86_DB]);
	guest_done();
}

TEST(single_step, "the guest's own single step, over emulated instructions too; ICEBP")
{
	struct vcpu *v = vm_guest(false, g_debug_exceptions);

	/* nop, nop, pushfq, andq, popfq */
	vcpu_expect_sync(v, 5);
	vcpu_expect_sync(v, 1);
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	/* ICEBP's #DB went to the handler; to QEMU's TCG it is no instruction */
	EXPECT(v->sync == NO_FAULT || (host_is_tcg() && v->sync == X86_UD));
	vcpu_expect_sync(v, 5);
	vcpu_finish(v);
}

static void g_invalid(void)
{
	/* memory that is MMIO, by an instruction that fetches the x87's environment */
	guest_sync(1);
	asm volatile("fldenv (%0)" :: "a"(GPA_NONE) : "memory");
	guest_done();
}

TEST(unemulatable, "an instruction on MMIO that can't be emulated: INTERNAL_ERROR with its bytes, no loop")
{
	struct vcpu *v = vm_guest(false, g_invalid);
	struct kvm_regs a, b;

	vcpu_expect_sync(v, 1);
	vcpu_expect_exit(v, KVM_EXIT_INTERNAL_ERROR);
	EXPECT_EQ(v->run->internal.suberror, KVM_INTERNAL_ERROR_EMULATION);
	vcpu_regs(v, &a);
	if (v->run->internal.ndata >= 3 && v->run->emulation_failure.flags &
	    KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) {
		u8 *in = v->vm->ram + a.rip;
		u8 n = v->run->emulation_failure.insn_size;

		EXPECT(n >= 2 && n <= 15, "%u", n);
		EXPECT(!memcmp(v->run->emulation_failure.insn_bytes, in, n));
	} else {
		tap_fail(__FILE__, __LINE__, "no instruction bytes");
	}
	/* user space may skip it itself */
	b = a;
	b.rip += 2;
	vcpu_set_regs(v, &b);
	vcpu_finish(v);
}
