// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and writing a vCPU's state: what is written is read back, and state
 * that no CPU could be in is refused.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

TEST(regs, "KVM_SET_REGS and KVM_GET_REGS keep all registers")
{
	struct vcpu *v = vcpu_new(vm_new(), 0);
	struct kvm_regs a = {
		.rax = 1, .rbx = 2, .rcx = 3, .rdx = 4, .rsi = 5, .rdi = 6,
		.rsp = 7, .rbp = 8, .r8 = 9, .r9 = 10, .r10 = 11, .r11 = 12,
		.r12 = 13, .r13 = 14, .r14 = 0xffffffffffffffff,
		.r15 = 0x8000000000000001, .rip = 0x1234, .rflags = 0x202,
	}, b;

	EXPECT_OK(ioctl(v->fd, KVM_SET_REGS, &a));
	EXPECT_OK(ioctl(v->fd, KVM_GET_REGS, &b));
	EXPECT(!memcmp(&a, &b, sizeof(a)));
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_REGS, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_REGS, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_REGS, (void *)-8ul), EFAULT);
}

TEST(reset, "a new vCPU is in the state that the manuals give after RESET")
{
	struct vcpu *v = vcpu_bare(vm_new(), 0);
	struct kvm_regs r;
	struct kvm_sregs s;

	vcpu_regs(v, &r);
	vcpu_sregs(v, &s);
	EXPECT_EQ(r.rip, 0xfff0);
	EXPECT_EQ(r.rflags, 2);
	EXPECT_EQ(s.cs.base, 0xffff0000);
	EXPECT_EQ(s.cs.selector, 0xf000);
	EXPECT_EQ(s.cs.limit, 0xffff);
	EXPECT_EQ(s.cr0, 0x60000010);
	EXPECT_EQ(s.cr4, 0);
	EXPECT_EQ(s.efer, 0);
	EXPECT_EQ(s.idt.limit, 0xffff);
	EXPECT_EQ(s.gdt.limit, 0xffff);
	EXPECT_EQ(s.ds.limit, 0xffff);
	EXPECT_EQ(s.tr.limit, 0xffff);
	EXPECT_EQ(vcpu_msr(v, MSR_PAT), 0x0007040600070406ull);
}

TEST(sregs, "KVM_SET_SREGS and KVM_GET_SREGS keep long mode state")
{
	struct vm *vm = vm_new();
	struct vcpu *v = vcpu_new(vm, 0);
	void g_nothing(void);
	struct kvm_sregs a, b;

	vcpu_long(v, g_nothing);
	vcpu_sregs(v, &a);
	a.cr2 = 0xdeadbeef000;
	a.fs.base = 0x7fff12345678;
	a.gdt.base = 0xffff800000000000;
	EXPECT_OK(ioctl(v->fd, KVM_SET_SREGS, &a));
	vcpu_sregs(v, &b);
	EXPECT(!memcmp(&a, &b, sizeof(a)));
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_SREGS, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_SREGS, NULL), EFAULT);
}

void g_nothing(void);
void g_nothing(void)
{
	guest_done();
}

TEST(sregs_hostile, "KVM_SET_SREGS refuses states that no CPU can be in, and changes nothing")
{
	struct vm *vm = vm_new();
	struct vcpu *v = vcpu_new(vm, 0);
	struct kvm_sregs good, s, now;

	vcpu_long(v, g_nothing);
	vcpu_sregs(v, &good);
#define REFUSED(change)	do {						\
	s = good;							\
	change;								\
	EXPECT(ioctl(v->fd, KVM_SET_SREGS, &s) == -1 && errno == EINVAL, \
	       "%s", #change);						\
	vcpu_sregs(v, &now);						\
	EXPECT(now.cr0 == good.cr0 && now.cr4 == good.cr4 &&		\
	       now.efer == good.efer && now.cr3 == good.cr3,		\
	       "state changed by refused %s", #change);			\
	vcpu_set_sregs(v, &good);					\
} while (0)
	REFUSED(s.cr4 |= 1ull << 31);
	REFUSED(s.cr4 |= 1ull << 40);
	REFUSED(s.cr4 |= 1ull << 15);
	REFUSED(s.efer |= 1ull << 2);
	REFUSED(s.efer |= 1ull << 63);
	REFUSED(s.cr0 |= 1ull << 32);
	REFUSED(s.cr0 &= ~(u64)CR0_PE);		/* PG without PE */
	REFUSED(s.cr0 |= CR0_NW);		/* NW without CD */
	REFUSED(s.cr4 &= ~(u64)CR4_PAE);	/* long mode without PAE */
	REFUSED(s.cr3 |= 1ull << 63);
	REFUSED(s.cr3 |= 1ull << 52);
	REFUSED(s.apic_base |= 1ull << 63);
	/* LMA without LME is no state; nor is 64-bit CS with D */
	REFUSED(s.efer &= ~EFER_LME);
	vcpu_finish(v);
}

TEST(cr4_cpuid, "CR4 bits whose feature the guest's CPUID lacks are refused (CVE-2012-4461)")
{
	struct vm *vm = vm_new();
	struct vcpu *v = vcpu_bare(vm, 0);
	struct {
		struct kvm_cpuid2 h;
		struct kvm_cpuid_entry2 e[2];
	} c = { .h.nent = 2 };
	struct kvm_sregs s;

	/* A CPU that has next to nothing. */
	c.e[0] = (struct kvm_cpuid_entry2) { .function = 0, .eax = 1 };
	c.e[1] = (struct kvm_cpuid_entry2) { .function = 1, .eax = 0x600,
		.edx = supported_cpuid(1, 0)->edx };
	ASSERT_OK(ioctl(v->fd, KVM_SET_CPUID2, &c));
	vcpu_sregs(v, &s);
	s.cr4 |= CR4_OSXSAVE;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_SREGS, &s), EINVAL);
	vcpu_sregs(v, &s);
	EXPECT_EQ(s.cr4, 0);
	s.cr4 |= CR4_SMEP;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_SREGS, &s), EINVAL);
	vcpu_sregs(v, &s);
	s.cr4 |= CR4_FSGSBASE;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_SREGS, &s), EINVAL);
	vcpu_sregs(v, &s);
	s.cr4 |= CR4_LA57;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_SREGS, &s), EINVAL);
}

TEST(cr4_first, "before KVM_SET_CPUID2, CR4 may have all that any guest may have")
{
	struct vcpu *v = vcpu_bare(vm_new(), 0);
	struct kvm_sregs s;
	u64 all = 0x6ff;	/* VME ... OSXMMEXCPT */
	u32 ebx = supported_cpuid(7, 0)->ebx, ecx = supported_cpuid(7, 0)->ecx;

	if (supported_cpuid(1, 0)->ecx & 1u << 26)
		all |= CR4_OSXSAVE;
	if (ebx & 1u << 0)
		all |= CR4_FSGSBASE;
	if (ebx & 1u << 7)
		all |= CR4_SMEP;
	if (supported_cpuid(1, 0)->ecx & 1u << 17)
		all |= CR4_PCIDE;
	vcpu_sregs(v, &s);
	s.cr0 = 0;
	s.cr4 = all;
	EXPECT_OK(ioctl(v->fd, KVM_SET_SREGS, &s));
	vcpu_sregs(v, &s);
	EXPECT_EQ(s.cr4, all);
	if (!(ecx & 1u << 16)) {
		s.cr4 |= CR4_LA57;
		EXPECT_ERRNO(ioctl(v->fd, KVM_SET_SREGS, &s), EINVAL);
	}
	s.cr4 = 1ull << 31;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_SREGS, &s), EINVAL);
}

TEST(get_cpuid2, "KVM_GET_CPUID2: as it was set; E2BIG for too small a table, which stays as it is")
{
	struct vcpu *v = vcpu_bare(vm_new(), 0);
	struct {
		struct kvm_cpuid2 h;
		struct kvm_cpuid_entry2 e[3];
	} c = { .h.nent = 2 }, d;

	c.e[0] = (struct kvm_cpuid_entry2) { .function = 0, .eax = 1 };
	c.e[1] = (struct kvm_cpuid_entry2) { .function = 1, .eax = 0x600 };
	ASSERT_OK(ioctl(v->fd, KVM_SET_CPUID2, &c));
	for (u32 nent = 0; nent < 2; nent++) {
		memset(&d, 0xaa, sizeof(d));
		d.h.nent = nent;
		EXPECT_ERRNO(ioctl(v->fd, KVM_GET_CPUID2, &d), E2BIG);
		EXPECT_EQ(d.h.nent, nent);
		EXPECT_EQ(d.e[0].function, 0xaaaaaaaa);
	}
	d.h.nent = 3;
	EXPECT_OK(ioctl(v->fd, KVM_GET_CPUID2, &d));
	EXPECT_EQ(d.h.nent, 2);
	EXPECT_EQ(d.e[1].eax, 0x600);
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_CPUID2, NULL), EFAULT);
}

TEST(hwcr, "HWCR: two bits can be had, three are ignored, the rest is refused")
{
	struct vcpu *v = vcpu_new(vm_new(), 0);

	for (int bit = 0; bit < 64; bit++) {
		u64 had = 1ull << bit & (1ull << 18 | 1ull << 24);
		bool ignored = bit == 3 || bit == 6 || bit == 8;

		EXPECT_EQ(vcpu_try_set_msr(v, 0xc0010015, 1ull << bit), had || ignored);
		EXPECT_EQ(vcpu_msr(v, 0xc0010015), had);
		vcpu_set_msr(v, 0xc0010015, 0);
	}
}

TEST(sregs2, "KVM_SET_SREGS2 and KVM_GET_SREGS2: PAE's page pointers, unknown flags refused")
{
	struct vm *vm = vm_new();
	struct vcpu *v = vcpu_new(vm, 0);
	struct kvm_sregs2 s = {}, t = {};

	if (!kvm_cap(vm->kvm, KVM_CAP_SREGS2))
		tap_skip("no KVM_CAP_SREGS2");
	EXPECT_OK(ioctl(v->fd, KVM_GET_SREGS2, &s));
	EXPECT_EQ(s.flags, 0);
	s.flags = 1ull << 63;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_SREGS2, &s), EINVAL);
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_SREGS2, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_SREGS2, NULL), EFAULT);
	if (host_is_tcg() && kvm_param("npt"))
		return;
	vcpu_pae(v, GPA_CODE);
	EXPECT_OK(ioctl(v->fd, KVM_GET_SREGS2, &s));
	EXPECT(s.flags & KVM_SREGS2_FLAGS_PDPTRS_VALID);
	EXPECT_EQ(s.pdptrs[0], (GPA_PAE + 0x1000) | 1);
	EXPECT_OK(ioctl(v->fd, KVM_SET_SREGS2, &s));
	EXPECT_OK(ioctl(v->fd, KVM_GET_SREGS2, &t));
	EXPECT(!memcmp(&s, &t, sizeof(s)));
}

TEST(fpu, "KVM_SET_FPU and KVM_GET_FPU keep registers and control words")
{
	struct vcpu *v = vcpu_new(vm_new(), 0);
	struct kvm_fpu a = {}, b;

	ASSERT_OK(ioctl(v->fd, KVM_GET_FPU, &a));
	EXPECT_EQ(a.fcw, 0x37f);
	for (int i = 0; i < 16; i++)
		memset(a.xmm[i], 0x10 + i, 16);
	for (int i = 0; i < 8; i++)
		memset(a.fpr[i], 0x80 + i, 10);
	a.fcw = 0x27f;
	a.fsw = 0x3800;
	a.ftwx = 0xff;
	a.mxcsr = 0x1fa0;
	EXPECT_OK(ioctl(v->fd, KVM_SET_FPU, &a));
	EXPECT_OK(ioctl(v->fd, KVM_GET_FPU, &b));
	EXPECT_EQ(b.fcw, a.fcw);
	EXPECT_EQ(b.fsw, a.fsw);
	EXPECT_EQ(b.ftwx, a.ftwx);
	EXPECT(!memcmp(a.xmm, b.xmm, sizeof(a.xmm)));
	EXPECT(!memcmp(a.fpr[0], b.fpr[0], 10));
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_FPU, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_FPU, NULL), EFAULT);
}

TEST(fpu_hostile, "KVM_SET_FPU and KVM_SET_XSAVE with reserved MXCSR bits never reach the CPU")
{
	struct vcpu *v = vm_guest(false, g_nothing);
	struct kvm_xsave x = {};
	struct kvm_fpu f = {};

	ASSERT_OK(ioctl(v->fd, KVM_GET_FPU, &f));
	f.mxcsr = 0xffffffff;
	ioctl(v->fd, KVM_SET_FPU, &f);	/* refused or masked, no host #GP */
	if (vcpu_run(v) != KVM_EXIT_IO)
		vcpu_describe(v);
	ASSERT_OK(ioctl(v->fd, KVM_GET_XSAVE, &x));
	x.region[6] = 0xffffffff;	/* MXCSR */
	if (ioctl(v->fd, KVM_SET_XSAVE, &x) < 0)
		EXPECT_EQ(errno, EINVAL);
	vcpu_run(v);
}

TEST(xsave, "KVM_GET_XSAVE, KVM_SET_XSAVE: kept; reserved header bits are refused")
{
	struct vcpu *v = vcpu_new(vm_new(), 0);
	struct kvm_xsave a = {}, b = {};

	ASSERT_OK(ioctl(v->fd, KVM_GET_XSAVE, &a));
	/* XMM3 at 160 + 3 * 16; XSTATE_BV at 512 */
	memset((u8 *)a.region + 160 + 48, 0x77, 16);
	*(u64 *)((u8 *)a.region + 512) |= 3;
	EXPECT_OK(ioctl(v->fd, KVM_SET_XSAVE, &a));
	EXPECT_OK(ioctl(v->fd, KVM_GET_XSAVE, &b));
	EXPECT(!memcmp((u8 *)b.region + 160 + 48, (u8 *)a.region + 160 + 48, 16));
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_XSAVE, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_XSAVE, NULL), EFAULT);
	if (!kvm_cap(v->vm->kvm, KVM_CAP_XCRS))
		return;
	b = a;
	*(u64 *)((u8 *)b.region + 512) |= 1ull << 62;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_XSAVE, &b), EINVAL);
	b = a;
	((u8 *)b.region)[512 + 30] = 1;		/* reserved header bytes */
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_XSAVE, &b), EINVAL);
}

TEST(xsave2, "KVM_GET_XSAVE2 fills KVM_CAP_XSAVE2 bytes, and can be set again")
{
	struct vcpu *v = vcpu_new(vm_new(), 0);
	int size = kvm_cap(v->vm->fd, KVM_CAP_XSAVE2);
	u8 *buf;

	if (!size)
		tap_skip("no KVM_CAP_XSAVE2");
	EXPECT(size >= 4096);
	buf = malloc(size + 16);
	ASSERT(buf);
	memset(buf, 0x5a, size + 16);
	EXPECT_OK(ioctl(v->fd, KVM_GET_XSAVE2, buf));
	EXPECT_EQ(buf[size], 0x5a);
	EXPECT_OK(ioctl(v->fd, KVM_SET_XSAVE, buf));
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_XSAVE2, NULL), EFAULT);
}

TEST(xcrs, "KVM_SET_XCRS: XCR0 by the rules of XSETBV; others refused")
{
	struct vcpu *v = vcpu_new(vm_new(), 0);
	struct kvm_xcrs x = {};

	if (!kvm_cap(v->vm->kvm, KVM_CAP_XCRS))
		tap_skip("no KVM_CAP_XCRS");
	ASSERT_OK(ioctl(v->fd, KVM_GET_XCRS, &x));
	EXPECT_EQ(x.nr_xcrs, 1);
	EXPECT_EQ(x.xcrs[0].xcr, 0);
	EXPECT_EQ(x.xcrs[0].value, 1);
	x.xcrs[0].value = 3;
	EXPECT_OK(ioctl(v->fd, KVM_SET_XCRS, &x));
	ASSERT_OK(ioctl(v->fd, KVM_GET_XCRS, &x));
	EXPECT_EQ(x.xcrs[0].value, 3);
	x.xcrs[0].value = 0;		/* x87 must be on */
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_XCRS, &x), EINVAL);
	x.xcrs[0].value = 5;		/* AVX without SSE */
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_XCRS, &x), EINVAL);
	x.xcrs[0].value = 3 | 1ull << 62;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_XCRS, &x), EINVAL);
	x.xcrs[0].value = 3;
	x.nr_xcrs = KVM_MAX_XCRS + 1;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_XCRS, &x), EINVAL);
	x.nr_xcrs = 1;
	x.flags = 1;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_XCRS, &x), EINVAL);
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_XCRS, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_XCRS, NULL), EFAULT);
	ASSERT_OK(ioctl(v->fd, KVM_GET_XCRS, &x));
	EXPECT_EQ(x.xcrs[0].value, 3);
}

TEST(msrs, "KVM_SET_MSRS stops at the first that is refused and says how many were set")
{
	struct { struct kvm_msrs h; struct kvm_msr_entry e[3]; } m = {
		.h.nmsrs = 3,
		.e = {
			{ .index = MSR_SYSENTER_CS, .data = 0x10 },
			{ .index = 0x1234567, .data = 1 },
			{ .index = MSR_SYSENTER_EIP, .data = 0x2000 },
		},
	};
	struct vcpu *v = vcpu_new(vm_new(), 0);

	EXPECT_EQ(ioctl(v->fd, KVM_SET_MSRS, &m), 1);
	EXPECT_EQ(vcpu_msr(v, MSR_SYSENTER_CS), 0x10);
	EXPECT_EQ(vcpu_msr(v, MSR_SYSENTER_EIP), 0);
	EXPECT_EQ(ioctl(v->fd, KVM_GET_MSRS, &m), 1);
	m.h.nmsrs = 0;
	EXPECT_EQ(ioctl(v->fd, KVM_GET_MSRS, &m), 0);
	EXPECT_EQ(ioctl(v->fd, KVM_SET_MSRS, &m), 0);
	m.h.nmsrs = 256;
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_MSRS, &m), E2BIG);
	m.h.nmsrs = 0xffffffff;
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_MSRS, &m), E2BIG);
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_MSRS, &m), E2BIG);
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_MSRS, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_MSRS, NULL), EFAULT);
	/* the header is there, the entries are not */
	u8 *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_msrs *edge = (void *)(pages + 4096 - 8);

	munmap(pages + 4096, 4096);
	edge->nmsrs = 4;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_MSRS, edge), EFAULT);
}

TEST(msr_values, "MSRs keep what is written; reserved bits and non-canonical values refused")
{
	struct vcpu *v = vcpu_new(vm_new_irqchip(), 0);
	const u64 canonical = 0xffff800000001000ull, bad = 0x0080000000000000ull;
	static const u32 addresses[] = {
		MSR_LSTAR, MSR_CSTAR, MSR_FS_BASE, MSR_GS_BASE,
		MSR_KERNEL_GS_BASE,
	};

	for (u32 i = 0; i < ARRAY_SIZE(addresses); i++) {
		vcpu_set_msr(v, addresses[i], canonical);
		EXPECT_EQ(vcpu_msr(v, addresses[i]), canonical);
		EXPECT(!vcpu_try_set_msr(v, addresses[i], bad), "0x%x",
		       addresses[i]);
	}
	vcpu_set_msr(v, MSR_STAR, 0x0023001000000000);
	EXPECT_EQ(vcpu_msr(v, MSR_STAR), 0x0023001000000000);
	vcpu_set_msr(v, MSR_PAT, 0x0606060606060606);
	EXPECT(!vcpu_try_set_msr(v, MSR_PAT, 0x0206060606060606), "PAT type 2");
	EXPECT(!vcpu_try_set_msr(v, MSR_PAT, 0xff), "PAT 0xff");
	EXPECT(!vcpu_try_set_msr(v, MSR_EFER, 1 << 1), "EFER bit 1");
	EXPECT(!vcpu_try_set_msr(v, MSR_EFER, ~0ull), "EFER all ones");
	vcpu_set_msr(v, MSR_EFER, EFER_SCE | EFER_NX);
	EXPECT_EQ(vcpu_msr(v, MSR_EFER), EFER_SCE | EFER_NX);
	EXPECT(!vcpu_try_set_msr(v, MSR_APIC_BASE, ~0ull), "APIC_BASE");
	/* MTRRs: fixed, variable, default type; CVE-2016-3713: 0x2f8 */
	EXPECT(!vcpu_try_set_msr(v, 0x2f8, 0), "MSR 0x2f8");
	EXPECT(!vcpu_try_set_msr(v, 0x2ff, 0xfff2), "MTRRdefType");
	EXPECT(!vcpu_try_set_msr(v, 0x250, 0x0202020202020202), "MTRR type 2");
	vcpu_set_msr(v, 0x250, 0x0606060606060606);
	EXPECT_EQ(vcpu_msr(v, 0x250), 0x0606060606060606);
	EXPECT(!vcpu_try_set_msr(v, 0x200, 0x2), "MTRRphysBase type 2");
	EXPECT(!vcpu_try_set_msr(v, 0xfe, 0xff), "MTRRcap is read-only");
}

TEST(tsc, "MSR_IA32_TSC and TSC_ADJUST: written by the host, the guest's TSC follows")
{
	struct vcpu *v = vcpu_new(vm_new(), 0);
	u64 t;

	vcpu_set_msr(v, MSR_TSC, 1ull << 50);
	t = vcpu_msr(v, MSR_TSC);
	EXPECT(t >= 1ull << 50 && t < (1ull << 50) + 20000000000ull, "0x%llx",
	       (unsigned long long)t);
	if (CPUID_BIT(supported_cpuid(7, 0), ebx, 1)) {
		vcpu_set_msr(v, MSR_TSC_ADJUST, 12345);
		EXPECT_EQ(vcpu_msr(v, MSR_TSC_ADJUST), 12345);
	}
}

TEST(tsc_offset, "the TSC offset attribute of a vCPU can be read, set, and is checked")
{
	struct vcpu *v = vcpu_new(vm_new(), 0);
	u64 offset = 0, again = 0, t0, t1;
	struct kvm_device_attr a = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};

	if (ioctl(v->fd, KVM_HAS_DEVICE_ATTR, &a) < 0)
		tap_skip("no KVM_VCPU_TSC_OFFSET");
	EXPECT_OK(ioctl(v->fd, KVM_GET_DEVICE_ATTR, &a));
	t0 = vcpu_msr(v, MSR_TSC);
	offset += 1ull << 45;
	EXPECT_OK(ioctl(v->fd, KVM_SET_DEVICE_ATTR, &a));
	t1 = vcpu_msr(v, MSR_TSC);
	EXPECT(t1 - t0 >= 1ull << 45 && t1 - t0 < (1ull << 45) + 20000000000ull);
	a.addr = (uintptr_t)&again;
	EXPECT_OK(ioctl(v->fd, KVM_GET_DEVICE_ATTR, &a));
	EXPECT_EQ(again, offset);
	a.addr = 8;
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_DEVICE_ATTR, &a), EFAULT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_DEVICE_ATTR, &a), EFAULT);
	a.attr = 77;
	EXPECT_ERRNO(ioctl(v->fd, KVM_HAS_DEVICE_ATTR, &a), ENXIO);
	a.group = 77;
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_DEVICE_ATTR, &a), ENXIO);
}

TEST(cpuid, "KVM_SET_CPUID2 and KVM_GET_CPUID2: kept, sizes, pointers")
{
	struct { struct kvm_cpuid2 h; struct kvm_cpuid_entry2 e[300]; } c = {};
	struct vcpu *v = vcpu_new(vm_new(), 0);
	u32 nent;

	c.h.nent = 300;
	EXPECT_OK(ioctl(v->fd, KVM_GET_CPUID2, &c));
	nent = c.h.nent;
	EXPECT(nent > 5 && nent < 300);
	c.h.nent = nent - 1;
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_CPUID2, &c), E2BIG);
	c.h.nent = nent;
	EXPECT_OK(ioctl(v->fd, KVM_SET_CPUID2, &c));
	c.h.nent = 100000;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_CPUID2, &c), E2BIG);
	c.h.nent = 0xffffffff;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_CPUID2, &c), E2BIG);
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_CPUID2, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_CPUID2, NULL), EFAULT);
	c.h.nent = 300;
	EXPECT_OK(ioctl(v->fd, KVM_GET_CPUID2, &c));
	EXPECT_EQ(c.h.nent, nent);
}

TEST(cpuid_width, "KVM_SET_CPUID2 refuses an impossible width of virtual addresses")
{
	struct { struct kvm_cpuid2 h; struct kvm_cpuid_entry2 e[1]; } c = {
		.h.nent = 1,
		.e[0] = { .function = 0x80000008, .eax = 0x2028 },
	};
	struct vcpu *v = vcpu_bare(vm_new(), 0);

	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_CPUID2, &c), EINVAL);
	c.e[0].eax = 0x3028;
	EXPECT_OK(ioctl(v->fd, KVM_SET_CPUID2, &c));
}

TEST(cpuid_after_run, "CPUID may not change once the vCPU has run; the same again is fine")
{
	struct vcpu *v = vm_guest(false, g_nothing);
	struct kvm_cpuid2 *c = vcpu_make_cpuid(v);

	vcpu_finish(v);
	EXPECT_OK(ioctl(v->fd, KVM_SET_CPUID2, c));
	c->entries[0].ebx ^= 1;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_CPUID2, c), EINVAL);
}

TEST(debugregs, "KVM_SET_DEBUGREGS: kept; flags and high halves of DR6, DR7 refused")
{
	struct vcpu *v = vcpu_new(vm_new(), 0);
	struct kvm_debugregs d = {}, e = {};

	ASSERT_OK(ioctl(v->fd, KVM_GET_DEBUGREGS, &d));
	EXPECT_EQ(d.dr6, 0xffff0ff0);
	EXPECT_EQ(d.dr7, 0x400);
	d.db[0] = 0x1000;
	d.db[3] = 0xffff800000000000;
	d.dr7 = 0x403;
	EXPECT_OK(ioctl(v->fd, KVM_SET_DEBUGREGS, &d));
	EXPECT_OK(ioctl(v->fd, KVM_GET_DEBUGREGS, &e));
	EXPECT(!memcmp(d.db, e.db, sizeof(d.db)));
	EXPECT_EQ(e.dr7, 0x403);
	e = d;
	e.flags = 1;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_DEBUGREGS, &e), EINVAL);
	e = d;
	e.dr6 |= 1ull << 32;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_DEBUGREGS, &e), EINVAL);
	e = d;
	e.dr7 |= 1ull << 63;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_DEBUGREGS, &e), EINVAL);
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_DEBUGREGS, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_DEBUGREGS, NULL), EFAULT);
}

TEST(events, "KVM_SET_VCPU_EVENTS: kept; unknown flags and vectors out of range refused")
{
	struct vcpu *v = vcpu_new(vm_new_irqchip(), 0);
	struct kvm_vcpu_events e = {}, f = {};

	ASSERT_OK(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e));
	EXPECT_EQ(e.exception.injected, 0);
	EXPECT_EQ(e.nmi.pending, 0);
	f = e;
	f.flags = 1u << 31;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &f), EINVAL);
	f = e;
	f.exception.injected = 1;
	f.exception.nr = 32;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &f), EINVAL);
	f.exception.nr = 2;	/* an NMI is not an exception */
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &f), EINVAL);
	f = e;
	f.nmi.masked = 1;
	f.nmi.pending = 1;
	f.flags |= KVM_VCPUEVENT_VALID_NMI_PENDING;
	EXPECT_OK(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &f));
	ASSERT_OK(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &f));
	EXPECT_EQ(f.nmi.masked, 1);
	EXPECT_EQ(f.nmi.pending, 1);
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_VCPU_EVENTS, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_VCPU_EVENTS, NULL), EFAULT);
}

TEST(mp_state, "KVM_SET_MP_STATE: with an irqchip the known states; without, only RUNNABLE")
{
	struct vcpu *v = vcpu_new(vm_new_irqchip(), 0), *w;
	struct kvm_mp_state s = { .mp_state = KVM_MP_STATE_HALTED };

	EXPECT_OK(ioctl(v->fd, KVM_SET_MP_STATE, &s));
	EXPECT_OK(ioctl(v->fd, KVM_GET_MP_STATE, &s));
	EXPECT_EQ(s.mp_state, KVM_MP_STATE_HALTED);
	s.mp_state = KVM_MP_STATE_RUNNABLE;
	EXPECT_OK(ioctl(v->fd, KVM_SET_MP_STATE, &s));
	s.mp_state = 99;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_MP_STATE, &s), EINVAL);
	s.mp_state = ~0u;
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_MP_STATE, &s), EINVAL);
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_MP_STATE, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_MP_STATE, NULL), EFAULT);
	/* vCPU 1 waits for its INIT */
	w = vcpu_new(v->vm, 1);
	EXPECT_OK(ioctl(w->fd, KVM_GET_MP_STATE, &s));
	EXPECT_EQ(s.mp_state, KVM_MP_STATE_UNINITIALIZED);
	w = vcpu_new(vm_new(), 0);
	s.mp_state = KVM_MP_STATE_INIT_RECEIVED;
	EXPECT_ERRNO(ioctl(w->fd, KVM_SET_MP_STATE, &s), EINVAL);
	s.mp_state = KVM_MP_STATE_RUNNABLE;
	EXPECT_OK(ioctl(w->fd, KVM_SET_MP_STATE, &s));
}

TEST(lapic, "KVM_SET_LAPIC and KVM_GET_LAPIC: kept, the id can't be anyone's else in x2APIC")
{
	struct vcpu *v = vcpu_new(vm_new_irqchip(), 0);
	struct kvm_lapic_state a, b;

	ASSERT_OK(ioctl(v->fd, KVM_GET_LAPIC, &a));
	EXPECT_EQ(*(u32 *)(a.regs + APIC_ID), 0);
	EXPECT_EQ(*(u32 *)(a.regs + APIC_SVR), 0xff);
	EXPECT_EQ(*(u32 *)(a.regs + APIC_DFR), 0xffffffff);
	EXPECT_EQ(*(u32 *)(a.regs + APIC_VERSION) & 0xff, 0x14);
	*(u32 *)(a.regs + APIC_SVR) = 0x1ef;
	*(u32 *)(a.regs + APIC_TPR) = 0x30;
	*(u32 *)(a.regs + APIC_LVT0) = 0x8700;
	*(u32 *)(a.regs + APIC_IRR + 0x30) = 0x10;
	*(u32 *)(a.regs + APIC_IRR) = 0x44001;	/* 0 and 14 will never be delivered */
	EXPECT_OK(ioctl(v->fd, KVM_SET_LAPIC, &a));
	EXPECT_OK(ioctl(v->fd, KVM_GET_LAPIC, &b));
	EXPECT_EQ(*(u32 *)(b.regs + APIC_SVR), 0x1ef);
	EXPECT_EQ(*(u32 *)(b.regs + APIC_TPR), 0x30);
	EXPECT_EQ(*(u32 *)(b.regs + APIC_LVT0), 0x8700);
	EXPECT_EQ(*(u32 *)(b.regs + APIC_IRR + 0x30), 0x10);
	EXPECT_EQ(*(u32 *)(b.regs + APIC_IRR), 0x44001);
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_LAPIC, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_LAPIC, NULL), EFAULT);
	memset(&a, 0xff, sizeof(a));
	ioctl(v->fd, KVM_SET_LAPIC, &a);	/* whatever it says, no harm */
	vcpu_set_msr(v, MSR_APIC_BASE, 0xfee00d00);	/* x2APIC */
	ASSERT_OK(ioctl(v->fd, KVM_GET_LAPIC, &a));
	EXPECT_EQ(*(u32 *)(a.regs + APIC_ID), 0);
	*(u32 *)(a.regs + APIC_ID) = 5u << 24;	/* read-only, so ignored */
	EXPECT_OK(ioctl(v->fd, KVM_SET_LAPIC, &a));
	ASSERT_OK(ioctl(v->fd, KVM_GET_LAPIC, &a));
	EXPECT_EQ(*(u32 *)(a.regs + APIC_ID), 0);
}

TEST(lapic_timer_hostile, "KVM_SET_LAPIC with a periodic timer of zero does not divide by it")
{
	struct vcpu *v = vcpu_new(vm_new_irqchip(), 0);
	struct kvm_lapic_state a;

	ASSERT_OK(ioctl(v->fd, KVM_GET_LAPIC, &a));
	*(u32 *)(a.regs + APIC_SVR) = 0x1ff;
	*(u32 *)(a.regs + APIC_LVTT) = 0x20030;	/* periodic */
	*(u32 *)(a.regs + APIC_TMICT) = 0;
	*(u32 *)(a.regs + APIC_TMCCT) = 5;
	ioctl(v->fd, KVM_SET_LAPIC, &a);
	ioctl(v->fd, KVM_GET_LAPIC, &a);
	*(u32 *)(a.regs + APIC_TMICT) = 1;
	ioctl(v->fd, KVM_SET_LAPIC, &a);
	usleep(5000);
	EXPECT_OK(ioctl(v->fd, KVM_GET_LAPIC, &a));
}

TEST(interrupt, "KVM_INTERRUPT: without irqchip takes one vector; out of range EINVAL")
{
	struct vcpu *v = vcpu_new(vm_new(), 0), *w;
	struct kvm_interrupt irq = { .irq = 0x30 };

	EXPECT_OK(ioctl(v->fd, KVM_INTERRUPT, &irq));
	/* documented as EEXIST; the distro's own replaces it */
	if (ioctl(v->fd, KVM_INTERRUPT, &irq) < 0)
		EXPECT_EQ(errno, EEXIST);
	irq.irq = 256;
	EXPECT_ERRNO(ioctl(v->fd, KVM_INTERRUPT, &irq), EINVAL);
	irq.irq = ~0u;
	EXPECT_ERRNO(ioctl(v->fd, KVM_INTERRUPT, &irq), EINVAL);
	EXPECT_ERRNO(ioctl(v->fd, KVM_INTERRUPT, NULL), EFAULT);
	w = vcpu_new(vm_new_irqchip(), 0);
	irq.irq = 0x30;
	EXPECT_ERRNO(ioctl(w->fd, KVM_INTERRUPT, &irq), ENXIO);
}

TEST(translate, "KVM_TRANSLATE walks the guest's tables")
{
	struct vcpu *v = vm_guest(false, g_nothing);
	struct kvm_translation t = { .linear_address = 0x123456 };
	u64 *pt = vm_split(v->vm, 0x600000);

	EXPECT_OK(ioctl(v->fd, KVM_TRANSLATE, &t));
	EXPECT_EQ(t.valid, 1);
	EXPECT_EQ(t.physical_address, 0x123456);
	pt[5] = 0;
	pt[6] = 0x777000 | 3;
	t.linear_address = 0x605123;
	EXPECT_OK(ioctl(v->fd, KVM_TRANSLATE, &t));
	EXPECT_EQ(t.valid, 0);
	t.linear_address = 0x606123;
	EXPECT_OK(ioctl(v->fd, KVM_TRANSLATE, &t));
	EXPECT_EQ(t.physical_address, 0x777123);
	EXPECT_ERRNO(ioctl(v->fd, KVM_TRANSLATE, NULL), EFAULT);
}

TEST(kvmclock_ctrl, "KVM_KVMCLOCK_CTRL: EINVAL without a kvmclock")
{
	struct vcpu *v = vcpu_new(vm_new(), 0);

	EXPECT_ERRNO(ioctl(v->fd, KVM_KVMCLOCK_CTRL, 0), EINVAL);
	vcpu_set_msr(v, MSR_KVM_SYSTEM_TIME_NEW, GPA_DATA | 1);
	EXPECT_OK(ioctl(v->fd, KVM_KVMCLOCK_CTRL, 0));
}

TEST(nmi_smi, "KVM_NMI is always accepted; KVM_SMI where the capability is there")
{
	struct vcpu *v = vcpu_new(vm_new_irqchip(), 0);
	struct kvm_vcpu_events e;

	EXPECT_OK(ioctl(v->fd, KVM_NMI, 0));
	ASSERT_OK(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e));
	EXPECT_EQ(e.nmi.pending, 1);
	if (kvm_cap(v->vm->fd, KVM_CAP_X86_SMM) > 0)
		EXPECT_OK(ioctl(v->fd, KVM_SMI, 0));
	else
		EXPECT(ioctl(v->fd, KVM_SMI, 0) == -1);
}
