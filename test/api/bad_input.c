// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ways a KVM has been broken before: the input of published vulnerabilities,
 * each with a clear answer and no harm to the host. What a guest does comes
 * from a tiny guest; what user space does from ioctls.
 */
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

/* CVE-2013-1796, CVE-2013-1797, CVE-2019-7221's kin: addresses in MSRs */

static void g_pv_msrs(void)
{
	static const u64 evil[] = {
		0x80fff, 0x80ffd, 0x80ff1, 0x80fe1, 0xfffffffffffff001, ~0ull,
		1ull << 40 | 1, 1ull << 63 | 1, GPA_NONE | 1, 0xfee00001,
		0xffffff | 1, 0xfffff8 | 1,
	};
	static const u32 msr[] = {
		MSR_KVM_SYSTEM_TIME, MSR_KVM_SYSTEM_TIME_NEW, MSR_KVM_WALL_CLOCK,
		MSR_KVM_WALL_CLOCK_NEW, MSR_KVM_STEAL_TIME, MSR_KVM_ASYNC_PF_EN,
		MSR_KVM_PV_EOI_EN, MSR_KVM_POLL_CONTROL,
	};

	for (u32 m = 0; m < ARRAY_SIZE(msr); m++) {
		for (u32 i = 0; i < ARRAY_SIZE(evil); i++) {
			u8 vector = try_wrmsr(msr[m], evil[i]);

			GUEST_ASSERT(vector == NO_FAULT || vector == X86_GP);
			guest_sync(msr[m]);
			/* exits and interrupts make KVM use what it was told */
			cpu_relax();
		}
		try_wrmsr(msr[m], 0);
	}
	guest_sync(0);
	guest_done();
}

TEST(pv_addresses, "paravirtual MSRs with unaligned, crossing or absent addresses: #GP or ignored")
{
	struct vcpu *v = vm_guest(true, g_pv_msrs);

	do {
		if (vcpu_next(v) != GUEST_SYNC) {
			vcpu_describe(v);
			tap_die(__FILE__, __LINE__, "after MSR 0x%llx",
				(unsigned long long)v->sync);
		}
	} while (v->sync);
	vcpu_finish(v);
}

static void g_clock_in_slot(void)
{
	wrmsr(MSR_KVM_SYSTEM_TIME_NEW, 0x10000000 | 1);
	wrmsr(MSR_KVM_STEAL_TIME, 0x10001000 | 1);
	for (u64 i = 0;; i++)
		guest_sync(i);
}

TEST(pv_slot_removed, "kvmclock and steal time in memory that is removed, unmapped or moved")
{
	struct vcpu *v = vm_guest(false, g_clock_in_slot);
	void *p = vm_map(v->vm, 1, 0x10000000, 0x10000, 0);

	vcpu_expect_sync(v, 0);
	ASSERT_OK(vm_slot(v->vm, 1, 0, 0, 0, NULL));
	ioctl(v->fd, KVM_KVMCLOCK_CTRL, 0);
	for (u64 i = 1; i < 20; i++)
		vcpu_expect_sync(v, i);
	ASSERT_OK(vm_slot(v->vm, 1, 0, 0x10000000, 0x10000, p));
	vcpu_expect_sync(v, 20);
	ASSERT_OK(munmap(p, 0x10000));
	ioctl(v->fd, KVM_KVMCLOCK_CTRL, 0);
	for (u64 i = 21; i < 40; i++) {
		usleep(1000);
		if (vcpu_run_once(v) < 0) {
			EXPECT(errno == EFAULT || errno == EINTR, "%s",
			       strerrorname_np(errno));
			return;
		}
	}
}

/* CVE-2022-1158 and kin: the guest's page tables point outside its memory */

static void g_wild_tables(void)
{
	/* the entry's target is no memory: reads give ones, or nothing */
	volatile u64 *pd = (u64 *)(GPA_PML4 + 0x2000);
	u8 vector;

	pd[0x20000000 >> 21] = GPA_NONE | 7;	/* a page table in MMIO space */
	write_cr3(read_cr3());
	guest_sync(1);
	vector = TRY("mov (%0), %%rax", :: "r"(0x20000000ul) : "rax", "memory");
	GUEST_ASSERT(vector == X86_PF || vector == NO_FAULT);
	guest_sync(2);
	guest_done();
}

TEST(tables_in_mmio, "guest page tables in memory that is not there: no loop, no harm")
{
	struct vcpu *v = vm_guest(false, g_wild_tables);

	vcpu_expect_sync(v, 1);
	for (int i = 0; i < 20; i++) {
		if (!vcpu_run_for(v, 300))
			tap_die(__FILE__, __LINE__, "it loops");
		if (v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR ||
		    v->run->exit_reason == KVM_EXIT_SHUTDOWN ||
		    (v->run->exit_reason == KVM_EXIT_IO &&
		     v->run->io.port == PORT_SYNC))
			return;
		ASSERT_EQ(v->run->exit_reason, KVM_EXIT_MMIO);
	}
}

static void g_readonly_tables(void)
{
	volatile u64 *pd = (u64 *)(GPA_PML4 + 0x2000);

	pd[0x20000000 >> 21] = 0x10000000 | 7;
	write_cr3(read_cr3());
	guest_sync(1);
	guest_sync(*(volatile u64 *)0x20000000);
	guest_sync(*(volatile u64 *)0x20000000);
	guest_done();
}

TEST(tables_readonly, "guest page tables in a READONLY slot with accessed bits set just work")
{
	struct vcpu *v = vm_guest(false, g_readonly_tables);
	u64 *pt = vm_map(v->vm, 1, 0x10000000, 0x1000, KVM_MEM_READONLY);

	pt[0] = GPA_DATA | 0x67;	/* accessed and dirty already */
	*(u64 *)(v->vm->ram + GPA_DATA) = 0x4242;
	vcpu_expect_sync(v, 1);
	/* some CPUs write accessed bits regardless: MMIO exit or error exit */
	for (int i = 0; i < 10; i++) {
		if (!vcpu_run_for(v, 500))
			tap_die(__FILE__, __LINE__, "it loops");
		if (v->run->exit_reason != KVM_EXIT_MMIO)
			break;
	}
	EXPECT(v->run->exit_reason == KVM_EXIT_IO ||
	       v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR,
	       "%s", exit_name(v->run->exit_reason));
}

/* CVE-2013-1798: the IOAPIC's index register */

static void g_ioapic_index(void)
{
	for (u32 i = 0; i < 256; i++) {
		u32 was = ioapic_read(i);

		ioapic_write(i, 0xffffffff);
		ioapic_write(i, 0x10000);
		if (i > 0x3f)
			GUEST_ASSERT(was == 0 || was == ~0u);
	}
	/* odd sizes and offsets */
	*(volatile u8 *)IOAPIC_BASE = 0xff;
	*(volatile u8 *)(IOAPIC_BASE + 0x10) = 0xff;
	for (u64 off = 0; off < 0x100; off += 4) {
		(void)*(volatile u32 *)(IOAPIC_BASE + off);
		if (off != 0x40)
			*(volatile u32 *)(IOAPIC_BASE + off) = 0xffffffff;
	}
	guest_done();
}

TEST(ioapic_index, "every index of the IOAPIC's register, and every offset (CVE-2013-1798)")
{
	struct vcpu *v = vm_guest(true, g_ioapic_index);

	vcpu_finish(v);
}

static void g_lapic_all(void)
{
	for (u32 reg = 0; reg < 0x1000; reg += 16) {
		u32 old = apic_read(reg);

		if (reg == APIC_ICR)
			continue;	/* would IPI and INIT others */
		apic_write(reg, 0xffffffff);
		apic_write(reg, 0);
		apic_write(reg, old);
	}
	for (u32 reg = 0; reg < 0x400; reg += 4) {
		if ((reg & ~15) != APIC_ICR)
			apic_write(reg, 0xaaaaaaaa);
		(void)apic_read(reg);
	}
	/* sizes that the manual does not define */
	(void)*(volatile u8 *)(APIC_BASE + 0x21);
	(void)*(volatile u64 *)(APIC_BASE + 0x20);
	*(volatile u8 *)(APIC_BASE + 0x81) = 3;
	guest_done();
}

TEST(lapic_all, "every register of the LAPIC, written with all ones and zeros")
{
	struct vcpu *v = vm_guest(true, g_lapic_all);

	vcpu_finish(v);
}

static void g_lapic_timer(void)
{
	apic_write(APIC_SVR, 0x1ff);
	for (u32 mode = 0; mode < 4; mode++) {
		for (u32 div = 0; div < 16; div++) {
			apic_write(APIC_LVTT, 0x10030 | mode << 17);
			apic_write(APIC_TDCR, div);
			apic_write(APIC_TMICT, 0);
			(void)apic_read(APIC_TMCCT);
			apic_write(APIC_TMICT, 1);
			(void)apic_read(APIC_TMCCT);
			apic_write(APIC_TMICT, 0xffffffff);
			(void)apic_read(APIC_TMCCT);
			if (mode == 2) {
				wrmsr(MSR_TSC_DEADLINE, 1);
				wrmsr(MSR_TSC_DEADLINE, ~0ull);
				wrmsr(MSR_TSC_DEADLINE, 0);
			}
		}
	}
	apic_write(APIC_TMICT, 0);
	guest_done();
}

TEST(lapic_timer, "LAPIC timer: all dividers and modes with counts 0 and 1 (CVE-2013-6367)")
{
	vcpu_finish(vm_guest(true, g_lapic_timer));
}

static void g_pit_zero(void)
{
	for (int round = 0; round < 20; round++) {
		for (u32 ch = 0; ch < 3; ch++) {
			for (u32 mode = 0; mode < 8; mode++) {
				outb(0x43, ch << 6 | 0x30 | mode << 1);
				outb(0x40 + ch, 0);
				outb(0x40 + ch, 0);
				outb(0x43, ch << 6);	/* latch */
				(void)inb(0x40 + ch);
				(void)inb(0x40 + ch);
				outb(0x43, ch << 6 | 0x30 | mode << 1);
				outb(0x40 + ch, 1);
				outb(0x40 + ch, 0);
			}
		}
		outb(0x43, 0xff);	/* read-back of everything */
		outb(0x61, 3);
		(void)inb(0x61);
	}
	guest_done();
}

TEST(pit_zero, "PIT: every mode with counts of 0 and 1 (CVE-2015-7513)")
{
	struct vcpu *v = vm_guest(true, g_pit_zero);
	struct kvm_pit_config c = { .flags = KVM_PIT_SPEAKER_DUMMY };

	/* before a vCPU would be usual; the order must not matter */
	ASSERT_OK(ioctl(v->vm->fd, KVM_CREATE_PIT2, &c));
	vcpu_finish(v);
}

/* CVE-2014-3610: non-canonical WRMSR; all MSRs at random */

static void g_all_msrs(void)
{
	static const u64 values[] = { 0, 1, ~0ull, 1ull << 63, 0x0080000000000000ull,
				      0xfffff000, 0x8080808080808080ull };
	static const u32 ranges[][2] = {
		{ 0, 0x200 }, { 0x200, 0x300 }, { 0x300, 0x800 },
		{ 0xc0000080, 0xc0000110 }, { 0xc0010000, 0xc0010140 },
		{ 0xc0011000, 0xc0011040 }, { 0x40000000, 0x40000110 },
		{ 0x4b564d00, 0x4b564d20 }, { 0xfffffff0, 0xffffffff },
	};
	u64 old;

	for (u32 r = 0; r < ARRAY_SIZE(ranges); r++) {
		for (u32 msr = ranges[r][0]; msr < ranges[r][1]; msr++) {
			u8 vector = try_rdmsr(msr, &old);

			GUEST_ASSERT(vector == NO_FAULT || vector == X86_GP);
			if (msr == MSR_EFER || msr == MSR_GS_BASE ||
			    msr == MSR_APIC_BASE)
				continue;	/* we stand on these */
			for (u32 i = 0; i < ARRAY_SIZE(values); i++) {
				u8 w = try_wrmsr(msr, values[i]);

				GUEST_ASSERT(w == NO_FAULT || w == X86_GP);
			}
			if (vector == NO_FAULT)
				try_wrmsr(msr, old);
		}
	}
	guest_done();
}

TEST_LIMIT(all_msrs, 120, "every MSR written by a guest with hostile values: kept, or #GP")
{
	vcpu_finish(vm_guest(true, g_all_msrs));
}

static void g_noncanonical(void)
{
	static const u32 msr[] = {
		MSR_LSTAR, MSR_CSTAR, MSR_FS_BASE, MSR_KERNEL_GS_BASE,
		MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
	};

	for (u32 i = 0; i < ARRAY_SIZE(msr); i++) {
		u8 vector = try_wrmsr(msr[i], 0x0080000000000000ull);

		/* AMD CPUs take the upper half of SYSENTER's addresses away */
		if (i < 4)
			guest_sync(vector);
		else
			GUEST_ASSERT(vector == NO_FAULT || vector == X86_GP);
	}
	guest_done();
}

TEST(noncanonical, "non-canonical addresses in WRMSR are #GP for the guest (CVE-2014-3610)")
{
	struct vcpu *v = vm_guest(false, g_noncanonical);

	for (int i = 0; i < 4; i++) {
		ASSERT(vcpu_next(v) == GUEST_SYNC);
		EXPECT(v->sync == X86_GP ||
		       (host_is_tcg() && v->sync == NO_FAULT),
		       "MSR %d: vector %llu", i, (unsigned long long)v->sync);
	}
	vcpu_finish(v);
}

/* CVE-2018-10853, CVE-2015-0239, ...: privilege checks of what is emulated */

static volatile u64 g_result[8];
static volatile bool g_is_tcg;

static void g_user_privileged(void)
{
	u8 desc[16];

	g_result[0] = TRY("hlt", ::: "memory");
	g_result[1] = TRY("mov %%cr3, %%rax", ::: "rax", "memory");
	g_result[2] = TRY("lgdt %0", :: "m"(desc) : "memory");
	g_result[3] = TRY("rdmsr", :: "c"(MSR_EFER) : "rax", "rdx", "memory");
	g_result[4] = TRY("invlpg (%0)", :: "r"(desc) : "memory");
	g_result[5] = TRY("in $0x70, %%al", ::: "rax", "memory");
	g_result[6] = TRY("wbinvd", ::: "memory");
	g_result[7] = TRY("clts", ::: "memory");
}

static void g_privileged(void)
{
	guest_user(g_user_privileged);
	for (u64 i = 0; i < 8; i++) {
		/* TCG of QEMU 10 intercepts WBINVD before it looks at the CPL */
		if (i == 6 && g_is_tcg && g_result[i] == NO_FAULT)
			continue;
		GUEST_EQ(g_result[i] << 8 | i, X86_GP << 8 | i);
	}
	guest_done();
}

TEST(privileged, "privileged instructions at CPL 3 are #GP, whoever checks")
{
	g_is_tcg = host_is_tcg();
	vcpu_finish(vm_guest(false, g_privileged));
}

static void g_user_svm(void)
{
	g_result[0] = TRY("vmrun %%rax", :: "a"(0x80000ul) : "memory");
	g_result[1] = TRY("stgi", ::: "memory");
	g_result[2] = TRY("clgi", ::: "memory");
	g_result[3] = TRY("vmload %%rax", :: "a"(0x80000ul) : "memory");
	g_result[4] = TRY("vmxoff", ::: "memory");
	g_result[5] = TRY("monitor", :: "a"(0), "c"(0), "d"(0) : "memory");
	g_result[6] = TRY("mwait", :: "a"(0), "c"(0) : "memory");
}

static void g_virt_insns(void)
{
	guest_user(g_user_svm);
	for (int i = 0; i < 5; i++)
		GUEST_ASSERT(g_result[i] == X86_UD || g_result[i] == X86_GP);
	/* at CPL 0 without EFER.SVME: #UD */
	GUEST_EQ(TRY("vmrun %%rax", :: "a"(0x80000ul) : "memory"), X86_UD);
	GUEST_EQ(TRY("vmload %%rax", :: "a"(0x80000ul) : "memory"), X86_UD);
	GUEST_EQ(TRY("vmsave %%rax", :: "a"(0x80000ul) : "memory"), X86_UD);
	GUEST_EQ(TRY("clgi", ::: "memory"), X86_UD);
	GUEST_EQ(TRY("vmxoff", ::: "memory"), X86_UD);
	guest_done();
}

TEST(virt_insns, "SVM and VMX instructions in a guest without them: #UD (CVE-2018-12904)")
{
	vcpu_finish(vm_guest(false, g_virt_insns));
}

/* CVE-2015-5307, CVE-2015-8104: exception delivery that faults for ever */

static void g_endless_db(void)
{
	/* #DB's own delivery hits a data breakpoint on the stack */
	asm volatile("mov %%rsp, %%rax\n\t"
		     "sub $16, %%rax\n\t"
		     "mov %%rax, %%dr0\n\t"
		     "mov %0, %%rax\n\t"
		     "mov %%rax, %%dr7\n\t"
		     "push $0\n\t"
		     "push $0\n\t"
		     "push $0\n\t"
		     "jmp ."
		     :: "i"(0x400 | 2 | 3 << 16 | 3 << 18) : "rax", "memory");
}

TEST(endless_db, "a #DB whose delivery raises #DB does not hold the host (CVE-2015-8104)")
{
	struct vcpu *v = vm_guest(false, g_endless_db);

	/* and takes them for the host's own addresses after the exit */
	if (host_is_tcg())
		tap_skip("QEMU's TCG leaves a guest's watchpoints armed");
	/* a signal must get through, whatever the guest does to itself */
	for (int i = 0; i < 5; i++) {
		if (vcpu_run_for(v, 100))
			return;
	}
}

static void g_endless_ac(void)
{
	asm volatile("pushfq; orq $0x40000, (%%rsp); popfq" ::: "memory");
	asm volatile("mov 1(%0), %%eax" :: "r"(0x80000ul) : "rax");
}

static void g_ac_user(void)
{
	write_cr0(read_cr0() | CR0_AM);
	guest_user(g_endless_ac);
	guest_done();
}

TEST(endless_ac, "an alignment check whose delivery goes wrong does not hold the host (CVE-2015-5307)")
{
	struct vcpu *v = vm_guest(false, g_ac_user);
	u64 *idt = (u64 *)(v->vm->ram + GPA_IDT);

	idt[2 * X86_AC + 1] = 0x0000dead00000000;	/* handler unreachable */
	for (int i = 0; i < 5; i++) {
		if (vcpu_run_for(v, 100))
			break;
	}
}

TEST(spin_signal, "a guest that executes UD2 in its own #UD handler can be stopped")
{
	void g_ud_loop(void);
	struct vcpu *v = vm_guest(false, g_ud_loop);

	for (int i = 0; i < 5; i++)
		EXPECT(!vcpu_run_for(v, 50));
}

static void ud_again(struct trap_frame *f)
{
	/* returns to the UD2: for ever */
}

void g_ud_loop(void);
void g_ud_loop(void)
{
	guest_handle(X86_UD, ud_again);
	asm volatile("ud2");
}

/* CVE-2017-2583, CVE-2017-2584, CVE-2014-3647, CVE-2016-8630 */

static void g_emulated_oddities(void)
{
	u64 mmio = GPA_NONE;

	/* lock on something that may not have it */
	GUEST_EQ(TRY(".byte 0xf0, 0x8b, 0x07", :: "D"(mmio) : "rax", "memory"),
		 X86_UD);
	/* too long for an instruction: 15 bytes at most */
	GUEST_EQ(TRY(".fill 15, 1, 0x66; mov (%0), %%eax", :: "r"(mmio) : "rax", "memory"),
		 X86_GP);
	guest_done();
}

TEST(odd_instructions, "LOCK MOV on MMIO is #UD; more than 15 bytes is #GP")
{
	struct vcpu *v = vm_guest(false, g_emulated_oddities);

	vcpu_finish(v);
}

static void g_far_branch(void)
{
	struct { u64 rip; u16 cs; } __attribute__((packed)) far = {
		0x0080000000000000ull, SEL_CODE64,
	};
	u8 vector = TRY("rex64 ljmp *%0", :: "m"(far) : "memory");

	/*
	 * AMD's CPUs have no 64-bit far jump operand: they jump to the low 32
	 * bits' 0 there, which we have no code at. So only where it faulted.
	 */
	GUEST_ASSERT(vector != NO_FAULT);
	vector = TRY("push %0; ret", :: "r"(far.rip) : "memory");
	GUEST_ASSERT(vector == X86_GP || vector == X86_PF);
	guest_done();
}

TEST(far_branch, "branches to non-canonical addresses fault in the guest (CVE-2014-3647)")
{
	struct vcpu *v = vm_guest(false, g_far_branch);

	v->vm->ram[0] = 0x0f;	/* UD2 at 0 */
	v->vm->ram[1] = 0x0b;
	if (vcpu_next(v) == GUEST_EXIT)
		EXPECT(v->run->exit_reason == KVM_EXIT_SHUTDOWN ||
		       v->run->exit_reason == KVM_EXIT_MMIO, "%s",
		       exit_name(v->run->exit_reason));
}

static void g_mov_ss_null(void)
{
	u8 vector = TRY("mov %0, %%ss", :: "r"(3) : "memory");

	guest_sync(vector);
	GUEST_EQ(TRY("mov %0, %%ss", :: "r"(0) : "memory"), NO_FAULT);
	asm volatile("mov %0, %%ss" :: "r"(SEL_DATA));
	guest_done();
}

TEST(mov_ss_null, "MOV SS with a null selector: allowed at CPL 0 in long mode, RPL 3 is #GP (CVE-2017-2583)")
{
	struct vcpu *v = vm_guest(false, g_mov_ss_null);

	ASSERT(vcpu_next(v) == GUEST_SYNC);
	EXPECT(v->sync == X86_GP || host_is_tcg(), "no fault");
	vcpu_finish(v);
}

/* CVE-2017-17741, CVE-2026-31588: MMIO across pages, of odd lengths */

static void g_mmio_fragments(void)
{
	for (u64 end = 1; end < 16; end++) {
		u64 a = GPA_NONE + 0x2000 - end;

		*(volatile u64 *)a = 0x1122334455667788;
		(void)*(volatile u64 *)a;
		asm volatile("movups %%xmm0, (%0)" :: "r"(a) : "memory");
		asm volatile("movups (%0), %%xmm0" :: "r"(a) : "memory");
	}
	guest_done();
}

TEST(mmio_fragments, "MMIO across pages, 8 and 16 bytes at each offset (CVE-2026-31588)")
{
	struct vcpu *v = vm_guest(false, g_mmio_fragments);
	enum guest_event e;
	u32 exits = 0;

	while ((e = vcpu_next(v)) == GUEST_EXIT) {
		if (v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR) {
			struct kvm_regs r;

			vcpu_regs(v, &r);
			vcpu_describe(v);
			tap_die(__FILE__, __LINE__, "not emulated at %llx", r.rip);
		}
		ASSERT_EQ(v->run->exit_reason, KVM_EXIT_MMIO);
		ASSERT(v->run->mmio.len >= 1 && v->run->mmio.len <= 8);
		ASSERT((v->run->mmio.phys_addr & 0xfff) + v->run->mmio.len <= 0x1000);
		memset(v->run->mmio.data, 0xa5, 8);
		exits++;
		ASSERT(exits < 1000);
	}
	EXPECT(exits >= 15 * 4);
}

/* kvm_run scribbled over while an exit is pending */

TEST(run_scribbled, "kvm_run overwritten with garbage between two KVM_RUNs does no harm")
{
	void g_io_all(void);
	struct vcpu *v = vm_guest(false, g_io_all);
	u32 seed = 1;

	for (int i = 0; i < 300; i++) {
		u8 *p = (u8 *)v->run;

		if (!vcpu_run_for(v, 200))
			continue;
		for (size_t k = 8; k < v->run_size; k++) {
			seed = seed * 1103515245 + 12345;
			p[k] = seed >> 16;
		}
		v->run->immediate_exit = 0;
		v->run->kvm_valid_regs = 0;
		v->run->kvm_dirty_regs = 0;
		v->run->cr8 = 0;
		v->run->request_interrupt_window = 0;
	}
}

void g_io_all(void);
void g_io_all(void)
{
	static u8 buf[4096];

	for (;;) {
		u64 n = 100;
		void *p = buf;

		outl(0x1234, inw(0x1234));
		*(volatile u64 *)GPA_NONE = *(volatile u64 *)(GPA_NONE + 0xffc);
		asm volatile("rep insb" : "+D"(p), "+c"(n) : "d"(0x1234) : "memory");
		p = buf;
		n = 50;
		asm volatile("rep outsw" : "+S"(p), "+c"(n) : "d"(0x1234) : "memory");
	}
}

/* A guest and user space change the same page of code and data all the time. */

static void g_reader(void)
{
	for (;;)
		(void)*(volatile u32 *)GPA_NONE;
}

TEST(code_changes, "the instruction that is being emulated changes under the emulator")
{
	struct vcpu *v = vm_guest(false, g_reader);
	u8 *code = v->vm->ram + (uintptr_t)g_reader;
	u32 seed = 7;

	for (int i = 0; i < 200; i++) {
		u8 saved[64];

		if (!vcpu_run_for(v, 200))
			continue;
		memcpy(saved, code, 64);
		seed = seed * 1103515245 + 12345;
		code[(seed >> 16) % 64] = seed >> 24;
		vcpu_run_for(v, 20);
		memcpy(code, saved, 64);
		vcpu_long(v, g_reader);
	}
}
