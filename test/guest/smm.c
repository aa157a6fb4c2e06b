// SPDX-License-Identifier: GPL-2.0-only
/*
 * System management mode (SDM 3C 31, APM 2 10): what SMI saves, the mode it begins in,
 * the memory that nobody else sees, what waits until RSM, and what RSM can't load.
 */
#include <string.h>
#include <unistd.h>

#include "guest.h"

#define SMRAM		0x2000000ul	/* behind the RAM: only in address space 1 */
#define SMRAM_SIZE	0x20000
#define SLOT_SMRAM	(1u << 16 | 1)
#define PORT_IN_SMM	0x6000
#define ENTRY		0x8000
#define SAVED		0xfe00		/* of 512 bytes */

/* Offsets in the save area of a CPU with long mode (APM 2 table 10-1). */
#define S64_CS		0x10
#define S64_AUTO_HALT	0xc9
#define S64_EFER	0xd0
#define S64_REVISION	0xfc
#define S64_SMBASE	0x100
#define S64_CR4		0x148
#define S64_CR3		0x150
#define S64_CR0		0x158
#define S64_RFLAGS	0x170
#define S64_RIP		0x178
#define S64_R15		0x180
#define S64_RAX		0x1f8
/* Without (SDM 3C table 31-1). */
#define S32_REVISION	0x0fc
#define S32_EAX		0x1d0
#define S32_EIP		0x1f0
#define S32_CR0		0x1fc

/* Says that it is there, and leaves. */
BLOB(smm_code, ".code16", "mov $0x6000, %dx; out %al, %dx; rsm");

static u8 *smram;

/* The handler for a vCPU whose SMBASE is SMRAM. */
static void smm_set_up(struct vcpu *v)
{
	struct vm *vm = v->vm;

	if (!kvm_cap(vm->fd, KVM_CAP_X86_SMM))
		tap_skip("no KVM_CAP_X86_SMM");
	EXPECT_EQ(kvm_cap(vm->fd, KVM_CAP_MULTI_ADDRESS_SPACE), 2);
	/* In SMM, the RAM is where it always is, and SMRAM is there too. */
	ASSERT_OK(vm_slot(vm, 1u << 16, 0, 0, vm->ram_size, vm->ram));
	smram = vm_map(vm, SLOT_SMRAM, SMRAM, SMRAM_SIZE, 0);
	memcpy(smram + ENTRY, smm_code, BLOB_LEN(smm_code));
	vcpu_set_msr(v, 0x9e, SMRAM);
}

#define saved(type, offset)	(*(type *)(smram + SAVED + (offset)))

static void expect_smm(struct vcpu *v)
{
	vcpu_expect_exit(v, KVM_EXIT_IO);
	ASSERT_EQ(v->run->io.port, PORT_IN_SMM);
	EXPECT(v->run->flags & KVM_RUN_X86_SMM);
}

/* The instruction that has exited is finished, and no other begun. */
static void complete_io(struct vcpu *v)
{
	v->run->immediate_exit = 1;
	EXPECT_ERRNO(vcpu_run_once(v), EINTR);
	v->run->immediate_exit = 0;
}

static void g_state(void)
{
	register u64 r15 asm("r15") = 0x1515151515151515;
	u64 rax = 0x1234567890abcdef;
	u64 cr0 = read_cr0(), cr3 = read_cr3(), cr4 = read_cr4(), efer = rdmsr(MSR_EFER);

	/* The SMI comes between OUT and the next instruction. */
	asm volatile("mov %2, %%edx; outl %%eax, %%dx" : "+a"(rax), "+r"(r15)
		     : "i"(PORT_SYNC) : "rdx", "memory");
	GUEST_EQ(rax, 0x1234567890abcdef);
	GUEST_EQ(r15, 0x1515151515151515);
	GUEST_EQ(read_cr0(), cr0);
	GUEST_EQ(read_cr3(), cr3);
	GUEST_EQ(read_cr4(), cr4);
	GUEST_EQ(rdmsr(MSR_EFER), efer);
	guest_sync(2);
	guest_done();
}

TEST(state, "SMI: state saved, SMM begins in real mode with 4 GB limits, RSM brings all back")
{
	struct vcpu *v = vm_guest(false, g_state);
	struct kvm_sregs before, s;
	struct kvm_regs r, rb;

	smm_set_up(v);
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	EXPECT(!(v->run->flags & KVM_RUN_X86_SMM));
	ASSERT_OK(ioctl(v->fd, KVM_SMI));
	vcpu_sregs(v, &before);
	expect_smm(v);
	vcpu_regs(v, &r);
	vcpu_sregs(v, &s);
	EXPECT_EQ(s.cs.base, SMRAM);
	EXPECT_EQ(s.cs.selector, (SMRAM >> 4) & 0xffff);
	EXPECT_EQ(s.cs.limit, 0xffffffff);
	EXPECT_EQ(s.ds.base, 0);
	EXPECT_EQ(s.ds.limit, 0xffffffff);
	EXPECT_EQ(s.cr0 & (CR0_PE | CR0_PG), 0);
	EXPECT_EQ(s.cr4, 0);
	EXPECT_EQ(s.efer, 0);
	EXPECT(r.rip >= ENTRY && r.rip < ENTRY + BLOB_LEN(smm_code));
	EXPECT_EQ(r.rflags, 2);
	EXPECT_EQ(saved(u32, S64_REVISION), 0x20064);
	EXPECT_EQ(saved(u32, S64_SMBASE), SMRAM);
	EXPECT_EQ(saved(u64, S64_RAX), 0x1234567890abcdef);
	EXPECT_EQ(saved(u64, S64_R15), 0x1515151515151515);
	EXPECT_EQ(saved(u64, S64_CR0), before.cr0);
	EXPECT_EQ(saved(u64, S64_CR3), before.cr3);
	EXPECT_EQ(saved(u64, S64_CR4), before.cr4);
	EXPECT_EQ(saved(u64, S64_EFER), before.efer);
	EXPECT_EQ(saved(u16, S64_CS), before.cs.selector);
	EXPECT_EQ(saved(u8, S64_AUTO_HALT), 0);
	EXPECT_EQ(vcpu_msr(v, 0x34), 1);
	ASSERT_EQ(vcpu_next(v), GUEST_SYNC);
	EXPECT_EQ(v->sync, 2);
	EXPECT(!(v->run->flags & KVM_RUN_X86_SMM));
	vcpu_sregs(v, &s);
	EXPECT(!memcmp(&s.cs, &before.cs, sizeof(s.cs)));
	EXPECT(!memcmp(&s.ss, &before.ss, sizeof(s.ss)));
	EXPECT(!memcmp(&s.tr, &before.tr, sizeof(s.tr)));
	EXPECT_EQ(s.gdt.base, before.gdt.base);
	EXPECT_EQ(s.idt.limit, before.idt.limit);
	vcpu_regs(v, &rb);
	EXPECT_EQ(rb.rflags & ~0x8d5ull, saved(u64, S64_RFLAGS) & ~0x8d5ull);
	vcpu_finish(v);
}

static void g_outside(void)
{
	guest_sync(1);
	guest_sync(*(volatile u32 *)SMRAM);
	guest_done();
}

TEST(hidden, "SMRAM is memory in SMM only")
{
	struct vcpu *v = vm_guest(false, g_outside);

	smm_set_up(v);
	vcpu_expect_sync(v, 1);
	ASSERT_OK(ioctl(v->fd, KVM_SMI));
	expect_smm(v);
	vcpu_expect_exit(v, KVM_EXIT_MMIO);
	EXPECT_EQ(v->run->mmio.phys_addr, SMRAM);
	EXPECT(!(v->run->flags & KVM_RUN_X86_SMM));
	memcpy(v->run->mmio.data, "\x44\x33\x22\x11", 4);
	vcpu_expect_sync(v, 0x11223344);
	vcpu_finish(v);
}

static void g_syncs(void)
{
	for (int i = 1; i < 100; i++)
		guest_sync(i);
	guest_done();
}

TEST(smbase, "RSM takes a new SMBASE from the save area: the next SMI is there")
{
	struct vcpu *v = vm_guest(false, g_syncs);
	struct kvm_sregs s;

	smm_set_up(v);
	memcpy(smram + 0x10000 + ENTRY, smm_code, BLOB_LEN(smm_code));
	vcpu_expect_sync(v, 1);
	ASSERT_OK(ioctl(v->fd, KVM_SMI));
	expect_smm(v);
	saved(u32, S64_SMBASE) = SMRAM + 0x10000;
	vcpu_expect_sync(v, 2);
	EXPECT_EQ(vcpu_msr(v, 0x9e), SMRAM + 0x10000);
	ASSERT_OK(ioctl(v->fd, KVM_SMI));
	expect_smm(v);
	vcpu_sregs(v, &s);
	EXPECT_EQ(s.cs.base, SMRAM + 0x10000);
	vcpu_expect_sync(v, 3);
}

/* In Bochs 2.7 an entry that blocks no NMIs leaves those blocked that were (docs/tests.md). */
static void skip_if_nmis_stay_blocked(void)
{
	struct kvm_vcpu_events e;
	struct vcpu *v;

	if (!host_is_bochs())
		return;
	v = vm_guest(false, g_syncs);
	for (u64 masked = 1; masked < 3; masked++) {
		vcpu_expect_sync(v, masked);
		ASSERT_OK(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e));
		e.nmi.masked = masked == 1;
		ASSERT_OK(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e));
	}
	vcpu_expect_sync(v, 3);
	ASSERT_OK(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e));
	if (e.nmi.masked)
		tap_skip("Bochs keeps NMIs blocked");
}

TEST(latched, "an SMI during SMM, and an NMI, wait for RSM")
{
	struct kvm_vcpu_events e;
	struct vcpu *v;

	skip_if_nmis_stay_blocked();
	v = vm_guest(false, g_syncs);
	smm_set_up(v);
	vcpu_expect_sync(v, 1);
	ASSERT_OK(ioctl(v->fd, KVM_SMI));
	expect_smm(v);
	ASSERT_OK(ioctl(v->fd, KVM_SMI));
	ASSERT_OK(ioctl(v->fd, KVM_SMI));
	ASSERT_OK(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e));
	EXPECT(e.flags & KVM_VCPUEVENT_VALID_SMM);
	EXPECT_EQ(e.smi.smm, 1);
	EXPECT_EQ(e.smi.pending, 1);
	EXPECT_EQ(e.smi.smm_inside_nmi, 0);
	EXPECT_EQ(e.nmi.masked, 1);
	expect_smm(v);			/* the two were one */
	vcpu_expect_sync(v, 2);
	EXPECT_EQ(vcpu_msr(v, 0x34), 2);
	ASSERT_OK(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e));
	EXPECT_EQ(e.smi.smm, 0);
	EXPECT_EQ(e.smi.pending, 0);
	EXPECT_EQ(e.nmi.masked, 0);
}

static void g_nmi(void)
{
	guest_handle(X86_NMI, guest_count);
	guest_sync(1);
	GUEST_EQ(guest_counts[X86_NMI], 1);
	guest_done();
}

TEST(nmi, "an NMI during SMM is taken right behind RSM")
{
	struct kvm_regs r;
	struct vcpu *v;

	skip_if_nmis_stay_blocked();
	v = vm_guest(false, g_nmi);
	smm_set_up(v);
	vcpu_expect_sync(v, 1);
	ASSERT_OK(ioctl(v->fd, KVM_SMI));
	expect_smm(v);
	ASSERT_OK(ioctl(v->fd, KVM_NMI));
	complete_io(v);
	vcpu_regs(v, &r);
	EXPECT(r.rip < 0x10000);	/* still SMM's */
	vcpu_finish(v);
}

TEST(events, "KVM_SET_VCPU_EVENTS: in SMM or not, SMI pending, as another vCPU left it")
{
	struct vcpu *v = vm_guest(false, g_syncs), *w;
	struct kvm_vcpu_events e;
	struct kvm_sregs s;
	struct kvm_regs r;

	smm_set_up(v);
	vcpu_expect_sync(v, 1);
	ASSERT_OK(ioctl(v->fd, KVM_SMI));
	expect_smm(v);
	complete_io(v);
	ASSERT_OK(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e));
	vcpu_sregs(v, &s);
	vcpu_regs(v, &r);

	w = vcpu_new(v->vm, 1);
	vcpu_set_sregs(w, &s);
	vcpu_set_regs(w, &r);
	vcpu_set_msr(w, 0x9e, vcpu_msr(v, 0x9e));
	vcpu_set_msr(w, MSR_GS_BASE, vcpu_msr(v, MSR_GS_BASE));
	e.smi.pending = 1;
	ASSERT_OK(ioctl(w->fd, KVM_SET_VCPU_EVENTS, &e));
	expect_smm(w);			/* RSM, and again */
	ASSERT_EQ(vcpu_next(w), GUEST_SYNC);
	ASSERT_OK(ioctl(w->fd, KVM_GET_VCPU_EVENTS, &e));
	EXPECT_EQ(e.smi.smm, 0);
}

static void g_halt(void)
{
	guest_handle(0x70, guest_count_eoi);
	apic_write(APIC_SVR, 0x1ff);
	guest_sync(1);
	asm volatile("sti; hlt; cli" ::: "memory");
	guest_sync(100 + guest_counts[0x70]);
	guest_done();
}

/* Halted? It may take a moment. */
static bool halts(struct vcpu *v)
{
	struct kvm_mp_state mp;

	if (vcpu_run_for(v, 300))
		return false;
	ASSERT_OK(ioctl(v->fd, KVM_GET_MP_STATE, &mp));
	return mp.mp_state == KVM_MP_STATE_HALTED;
}

TEST_TIMED(halt, "an SMI interrupts HLT; RSM goes back to it, or on, as the save area says")
{
	struct vcpu *v = vm_guest(true, g_halt);
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = 0x70 };

	smm_set_up(v);
	vcpu_expect_sync(v, 1);
	EXPECT(halts(v));
	ASSERT_OK(ioctl(v->fd, KVM_SMI));
	expect_smm(v);
	EXPECT_EQ(saved(u8, S64_AUTO_HALT), 1);
	EXPECT(halts(v));
	EXPECT(ioctl(v->vm->fd, KVM_SIGNAL_MSI, &msi) > 0);
	vcpu_expect_sync(v, 101);
	vcpu_finish(v);
	vm_free(v->vm);

	v = vm_guest(true, g_halt);
	smm_set_up(v);
	vcpu_expect_sync(v, 1);
	EXPECT(halts(v));
	ASSERT_OK(ioctl(v->fd, KVM_SMI));
	expect_smm(v);
	saved(u8, S64_AUTO_HALT) = 0;
	vcpu_expect_sync(v, 100);
	vcpu_finish(v);
}

static void g_self(void)
{
	apic_write(APIC_SVR, 0x1ff);
	apic_write(APIC_ICR2, 0);
	for (int i = 0; i < 10; i++)
		apic_write(APIC_ICR, 0x40200);	/* SMI, to itself */
	guest_done();
}

TEST(ipi, "an SMI by the local APIC")
{
	struct vcpu *v = vm_guest(true, g_self);

	smm_set_up(v);
	for (int i = 0; i < 10; i++)
		expect_smm(v);
	vcpu_finish(v);
}

static void g_rsm(void)
{
	GUEST_EQ(TRY(".byte 0x0f, 0xaa", ::: "memory"), X86_UD);
	guest_done();
}

TEST(rsm_ud, "RSM outside SMM is #UD")
{
	vcpu_finish(vm_guest(false, g_rsm));
}

TEST(shutdown, "RSM to a state that no CPU can have is a shutdown; so is SMRAM without memory")
{
	for (int i = 0; i < 4; i++) {
		struct vcpu *v = vm_guest(false, g_syncs);

		smm_set_up(v);
		vcpu_expect_sync(v, 1);
		ASSERT_OK(ioctl(v->fd, KVM_SMI));
		expect_smm(v);
		switch (i) {
		case 0: saved(u64, S64_CR4) |= 1u << 31; break;
		case 1: saved(u64, S64_CR0) &= ~(u64)CR0_PE; break;
		case 2: saved(u64, S64_EFER) |= 1u << 1; break;
		case 3: complete_io(v);
			ASSERT_OK(vm_slot(v->vm, SLOT_SMRAM, KVM_MEM_READONLY, SMRAM, 0, NULL));
			memcpy(v->vm->ram + GPA_CODE, smm_code, BLOB_LEN(smm_code));
			struct kvm_sregs s;

			/* The RSM stands in the RAM that is left. */
			vcpu_sregs(v, &s);
			s.cs.base = 0;
			vcpu_set_sregs(v, &s);
			break;
		}
		vcpu_expect_exit(v, KVM_EXIT_SHUTDOWN);
		vm_free(v->vm);
	}
}

BLOB(triple_fault, ".code16", "lidt %cs:0x9000; ud2");

TEST(triple_fault, "a triple fault in SMM: KVM_EXIT_SHUTDOWN, and the VM can be used again (CVE-2025-37957)")
{
	struct vcpu *v = vm_guest(false, g_syncs);
	struct kvm_vcpu_events e;

	smm_set_up(v);
	memcpy(smram + ENTRY, triple_fault, BLOB_LEN(triple_fault));
	vcpu_expect_sync(v, 1);
	ASSERT_OK(ioctl(v->fd, KVM_SMI));
	vcpu_expect_exit(v, KVM_EXIT_SHUTDOWN);
	/* As user space resets it. */
	ASSERT_OK(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e));
	e.smi.smm = 0;
	e.smi.pending = 0;
	e.nmi.masked = 0;
	e.exception.injected = 0;
	ASSERT_OK(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e));
	vcpu_long(v, g_syncs);
	vcpu_expect_sync(v, 1);
	EXPECT(!(v->run->flags & KVM_RUN_X86_SMM));
	memcpy(smram + ENTRY, smm_code, BLOB_LEN(smm_code));
	ASSERT_OK(ioctl(v->fd, KVM_SMI));
	expect_smm(v);
	vcpu_expect_sync(v, 2);
}

static void g_gp(void)
{
	guest_handle(X86_GP, guest_count);
	guest_sync(1);
	for (;;)
		cpu_relax();
}

TEST(delivery, "an exception whose delivery has begun comes first: SMM interrupts its handler")
{
	struct vcpu *v = vm_guest(false, g_gp);
	struct kvm_vcpu_events e;

	smm_set_up(v);
	vcpu_expect_sync(v, 1);
	complete_io(v);
	ASSERT_OK(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e));
	e.exception.injected = 1;
	e.exception.nr = X86_GP;
	e.exception.has_error_code = 1;
	e.smi.pending = 1;
	ASSERT_OK(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e));
	expect_smm(v);
	/* At, or little behind, the first instruction of the handler. */
	EXPECT(saved(u64, S64_RIP) - (u64)(guest_trap_stubs + 16 * X86_GP) < 16);
}

BLOB(prot_code, ".code32",
     "mov $0x12345678, %eax\n"
     "mov $0x6001, %edx\n"
     "out %al, %dx\n"
     "cmp $0x12345678, %eax\n"
     "jne 1f\n"
     "mov $0x6002, %edx\n"
     "1: out %al, %dx\n"
     "hlt");

TEST(layout32, "without long mode the save area is that of 32-bit CPUs")
{
	struct vm *vm = vm_new();
	struct vcpu *v = vcpu_bare(vm, 0);
	struct kvm_cpuid2 *c = vcpu_make_cpuid(v);

	for (u32 i = 0; i < c->nent; i++)
		if (c->entries[i].function == 0x80000001)
			c->entries[i].edx &= ~(1u << 29);
	ASSERT_OK(ioctl(v->fd, KVM_SET_CPUID2, c));
	smm_set_up(v);
	vm_code(vm, GPA_CODE, prot_code, BLOB_LEN(prot_code));
	vcpu_prot(v, GPA_CODE);
	vcpu_expect_exit(v, KVM_EXIT_IO);
	EXPECT_EQ(v->run->io.port, 0x6001);
	ASSERT_OK(ioctl(v->fd, KVM_SMI));
	expect_smm(v);
	EXPECT_EQ(saved(u32, S32_REVISION), 0x20000);
	EXPECT_EQ(saved(u32, S32_EAX), 0x12345678);
	EXPECT_EQ(saved(u32, S32_EIP), GPA_CODE + 11);
	EXPECT(saved(u32, S32_CR0) & CR0_PE);
	vcpu_expect_exit(v, KVM_EXIT_IO);
	EXPECT_EQ(v->run->io.port, 0x6002);
}
