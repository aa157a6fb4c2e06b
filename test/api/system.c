// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctls on /dev/kvm itself: version, capabilities, VM types, CPUID and MSR
 * lists, feature MSRs.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

TEST(version, "KVM_GET_API_VERSION is 12, and takes no argument")
{
	int kvm = kvm_open();

	EXPECT_EQ(ioctl(kvm, KVM_GET_API_VERSION, 0), 12);
	EXPECT_ERRNO(ioctl(kvm, KVM_GET_API_VERSION, 1), EINVAL);
}

TEST(unknown, "unknown ioctls on /dev/kvm and on a VM are refused")
{
	struct vm *vm = vm_bare();
	struct vcpu *v = vcpu_bare(vm, 0);

	EXPECT_ERRNO(ioctl(vm->kvm, _IO(KVMIO, 0xff), 0), EINVAL);
	EXPECT_ERRNO(ioctl(vm->kvm, _IO('z', 0), 0), EINVAL);
	EXPECT_ERRNO(ioctl(vm->fd, _IO(KVMIO, 0xff), 0), ENOTTY);
	EXPECT_ERRNO(ioctl(v->fd, _IO(KVMIO, 0xff), 0), EINVAL);
	/* an ioctl of another file descriptor's */
	EXPECT_ERRNO(ioctl(vm->kvm, KVM_RUN, 0), EINVAL);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_RUN, 0), ENOTTY);
	EXPECT_ERRNO(ioctl(v->fd, KVM_CREATE_VCPU, 0), EINVAL);
}

TEST(extensions, "KVM_CHECK_EXTENSION: the basic ones are there, unknown ones 0")
{
	static const struct { long cap; const char *name; } must[] = {
#define C(x)	{ KVM_CAP_##x, #x }
		C(IRQCHIP), C(HLT), C(USER_MEMORY), C(SET_TSS_ADDR),
		C(EXT_CPUID), C(NOP_IO_DELAY), C(MP_STATE),
		C(COALESCED_MMIO), C(SYNC_MMU), C(DESTROY_MEMORY_REGION_WORKS),
		C(USER_NMI), C(SET_GUEST_DEBUG), C(REINJECT_CONTROL),
		C(IRQ_ROUTING), C(IRQ_INJECT_STATUS),
		C(JOIN_MEMORY_REGIONS_WORKS), C(PIT2), C(PIT_STATE2),
		C(IOEVENTFD), C(SET_IDENTITY_MAP_ADDR), C(ADJUST_CLOCK),
		C(INTERNAL_ERROR_DATA), C(VCPU_EVENTS), C(DEBUGREGS),
		C(X86_ROBUST_SINGLESTEP), C(ENABLE_CAP), C(XSAVE),
		C(GET_TSC_KHZ), C(MAX_VCPUS), C(NR_VCPUS), C(NR_MEMSLOTS),
		C(SIGNAL_MSI), C(READONLY_MEM), C(CHECK_EXTENSION_VM),
		C(SPLIT_IRQCHIP), C(IOEVENTFD_ANY_LENGTH), C(MAX_VCPU_ID),
		C(IMMEDIATE_EXIT), C(SET_BOOT_CPU_ID), C(IRQFD),
	};
	static const long absent[] = { 0x7fffffff, -1, 99999, 1ul << 32 };
	int kvm = kvm_open();

	for (size_t i = 0; i < ARRAY_SIZE(must); i++)
		EXPECT(ioctl(kvm, KVM_CHECK_EXTENSION, must[i].cap) > 0,
		       "KVM_CAP_%s", must[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		EXPECT(ioctl(kvm, KVM_CHECK_EXTENSION, absent[i]) == 0,
		       "capability %ld", absent[i]);
}

TEST(limits, "the limits that KVM_CHECK_EXTENSION names make sense")
{
	struct vm *vm = vm_bare();
	int nr = kvm_cap(vm->kvm, KVM_CAP_NR_VCPUS);
	int max = kvm_cap(vm->kvm, KVM_CAP_MAX_VCPUS);
	int id = kvm_cap(vm->kvm, KVM_CAP_MAX_VCPU_ID);

	EXPECT(nr >= 1 && nr <= max);
	EXPECT(max >= 8);
	EXPECT(id >= max);
	EXPECT(kvm_cap(vm->kvm, KVM_CAP_NR_MEMSLOTS) >= 509);
	EXPECT_EQ(kvm_cap(vm->fd, KVM_CAP_NR_MEMSLOTS),
		  kvm_cap(vm->kvm, KVM_CAP_NR_MEMSLOTS));
}

TEST(mmap_size, "KVM_GET_VCPU_MMAP_SIZE is pages, holds kvm_run and the PIO page")
{
	int kvm = kvm_open();
	int size = ASSERT_OK(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));

	EXPECT_EQ(size % 4096, 0);
	EXPECT(size >= 8192);
	EXPECT_ERRNO(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 1), EINVAL);
}

TEST(vm_types, "KVM_CREATE_VM takes type 0 and refuses impossible ones")
{
	int kvm = kvm_open();

	EXPECT_ERRNO(ioctl(kvm, KVM_CREATE_VM, 0x1000ul), EINVAL);
	EXPECT_ERRNO(ioctl(kvm, KVM_CREATE_VM, ~0ul), EINVAL);
	EXPECT_OK(ioctl(kvm, KVM_CREATE_VM, 0));
}

TEST(cloexec, "VM, vCPU and statistics file descriptors are close-on-exec")
{
	struct vm *vm = vm_bare();
	struct vcpu *v = vcpu_bare(vm, 0);

	EXPECT(fcntl(vm->fd, F_GETFD) & FD_CLOEXEC);
	EXPECT(fcntl(v->fd, F_GETFD) & FD_CLOEXEC);
	if (kvm_cap(vm->kvm, KVM_CAP_BINARY_STATS_FD) > 0) {
		int fd = ASSERT_OK(ioctl(vm->fd, KVM_GET_STATS_FD, 0));

		EXPECT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
}

TEST(many_vms, "a hundred VMs can be open at once, and all be closed")
{
	int kvm = kvm_open(), fd[100];

	for (int i = 0; i < 100; i++)
		fd[i] = ASSERT_OK(ioctl(kvm, KVM_CREATE_VM, 0));
	for (int i = 0; i < 100; i++)
		EXPECT_OK(close(fd[i]));
}

/* KVM_GET_SUPPORTED_CPUID and KVM_GET_EMULATED_CPUID share their rules. */
static void cpuid_sizes(unsigned long request, u32 slack)
{
	struct { struct kvm_cpuid2 h; struct kvm_cpuid_entry2 e[512]; } c = {};
	int kvm = kvm_open();
	u32 full;

	c.h.nent = 0;
	EXPECT_ERRNO(ioctl(kvm, request, &c), E2BIG);
	c.h.nent = 512;
	ASSERT_OK(ioctl(kvm, request, &c));
	full = c.h.nent;
	if (!full && slack)
		return;		/* nothing is emulated beside what is supported */
	ASSERT(full >= 1 && full < 512);
	c.h.nent = full - 1;
	EXPECT_ERRNO(ioctl(kvm, request, &c), E2BIG);
	memset(&c.e[full + slack], 0x5a, sizeof(c.e[0]));
	c.h.nent = full + slack;
	EXPECT_OK(ioctl(kvm, request, &c));
	EXPECT_EQ(c.h.nent, full);
	/* nothing written past the entries that were asked for (CVE-2019-19332) */
	EXPECT_EQ(c.e[full + slack].function, 0x5a5a5a5a);
	EXPECT_ERRNO(ioctl(kvm, request, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(kvm, request, (void *)-4096ul), EFAULT);
}

TEST(supported_cpuid, "KVM_GET_SUPPORTED_CPUID: too small a table is E2BIG, no overrun")
{
	cpuid_sizes(KVM_GET_SUPPORTED_CPUID, 0);
}

TEST(emulated_cpuid, "KVM_GET_EMULATED_CPUID: too small a table is E2BIG, no overrun")
{
	if (!kvm_cap(kvm_open(), KVM_CAP_EXT_EMUL_CPUID))
		tap_skip("no KVM_CAP_EXT_EMUL_CPUID");
	/* the distro's own wants room for one more than it fills */
	cpuid_sizes(KVM_GET_EMULATED_CPUID, 1);
}

TEST(cpuid_huge, "a CPUID table of absurd size is taken as the largest possible")
{
	struct { struct kvm_cpuid2 h; struct kvm_cpuid_entry2 e[512]; } *c;

	c = calloc(1, sizeof(*c));
	ASSERT(c);
	c->h.nent = 0xffffffff;
	EXPECT_OK(ioctl(kvm_open(), KVM_GET_SUPPORTED_CPUID, c));
	EXPECT(c->h.nent < 512);
}

TEST(cpuid_sane, "KVM_GET_SUPPORTED_CPUID holds what a long mode guest needs")
{
	const struct kvm_cpuid_entry2 *l0 = supported_cpuid(0, 0);
	const struct kvm_cpuid_entry2 *l1 = supported_cpuid(1, 0);
	const struct kvm_cpuid_entry2 *e0 = supported_cpuid(0x80000000, 0);
	const struct kvm_cpuid_entry2 *e1 = supported_cpuid(0x80000001, 0);
	const struct kvm_cpuid_entry2 *k0 = supported_cpuid(0x40000000, 0);

	ASSERT(l0 && l1 && e0 && e1 && k0);
	EXPECT(l0->eax >= 1);
	EXPECT(CPUID_BIT(l1, edx, 0), "FPU");
	EXPECT(CPUID_BIT(l1, edx, 4), "TSC");
	EXPECT(CPUID_BIT(l1, edx, 5), "MSR");
	EXPECT(CPUID_BIT(l1, edx, 6), "PAE");
	EXPECT(CPUID_BIT(l1, edx, 8), "CX8");
	EXPECT(CPUID_BIT(l1, edx, 9), "APIC");
	EXPECT(CPUID_BIT(l1, edx, 24), "FXSR");
	EXPECT(CPUID_BIT(l1, edx, 26), "SSE2");
	EXPECT(!CPUID_BIT(l1, ecx, 27), "OSXSAVE is the guest's CR4, not a feature");
	EXPECT(CPUID_BIT(l1, ecx, 21), "x2APIC");
	EXPECT(CPUID_BIT(e1, edx, 11), "SYSCALL");
	EXPECT(CPUID_BIT(e1, edx, 20), "NX");
	EXPECT(CPUID_BIT(e1, edx, 29), "LM");
	EXPECT(e0->eax >= 0x80000008);
	EXPECT(!memcmp(&k0->ebx, "KVMK", 4) && !memcmp(&k0->ecx, "VMKV", 4) &&
	       !memcmp(&k0->edx, "M\0\0\0", 4), "the KVM signature");
	EXPECT(k0->eax >= 0x40000001);
}

static void list_sizes(unsigned long request, bool may_be_empty)
{
	struct { struct kvm_msr_list h; u32 index[4096]; } l = {};
	int kvm = kvm_open();
	u32 full;

	l.h.nmsrs = 0;
	if (ioctl(kvm, request, &l) == 0) {
		EXPECT(may_be_empty && l.h.nmsrs == 0);
		return;
	}
	EXPECT_EQ(errno, E2BIG);
	full = l.h.nmsrs;
	ASSERT(full > 0 && full < 4096);
	l.h.nmsrs = full - 1;
	EXPECT_ERRNO(ioctl(kvm, request, &l), E2BIG);
	EXPECT_EQ(l.h.nmsrs, full);
	l.index[full] = 0x5a5a5a5a;
	EXPECT_OK(ioctl(kvm, request, &l));
	EXPECT_EQ(l.index[full], 0x5a5a5a5a);
	for (u32 i = 0; i < full; i++) {
		for (u32 j = 0; j < i; j++)
			EXPECT(l.index[i] != l.index[j], "0x%x twice", l.index[i]);
	}
	EXPECT_ERRNO(ioctl(kvm, request, NULL), EFAULT);
}

TEST(msr_list, "KVM_GET_MSR_INDEX_LIST: too small a list is E2BIG with the size")
{
	list_sizes(KVM_GET_MSR_INDEX_LIST, false);
}

TEST(feature_list, "KVM_GET_MSR_FEATURE_INDEX_LIST: likewise")
{
	if (!kvm_cap(kvm_open(), KVM_CAP_GET_MSR_FEATURES))
		tap_skip("no KVM_CAP_GET_MSR_FEATURES");
	list_sizes(KVM_GET_MSR_FEATURE_INDEX_LIST, true);
}

TEST(msr_list_reads, "every MSR in the index list can be read, or is refused alone")
{
	struct { struct kvm_msr_list h; u32 index[1024]; } l = {
		.h.nmsrs = 1024,
	};
	struct vcpu *v = vcpu_new(vm_bare(), 0);
	unsigned int refused = 0;
	u64 value;

	ASSERT_OK(ioctl(v->vm->kvm, KVM_GET_MSR_INDEX_LIST, &l));
	for (u32 i = 0; i < l.h.nmsrs; i++) {
		if (!vcpu_try_msr(v, l.index[i], &value)) {
			tap_note("MSR 0x%x is listed but can't be read", l.index[i]);
			refused++;
		}
	}
	/* A list of all hosts' MSRs names some that this CPU lacks. */
	EXPECT(refused < l.h.nmsrs / 2, "%u of %u refused", refused, l.h.nmsrs);
}

TEST(msr_list_restore, "every MSR of the index list can be written back as read")
{
	struct { struct kvm_msr_list h; u32 index[1024]; } l = {
		.h.nmsrs = 1024,
	};
	struct vcpu *v = vcpu_new(vm_new_irqchip(), 0);
	u64 value;

	ASSERT_OK(ioctl(v->vm->kvm, KVM_GET_MSR_INDEX_LIST, &l));
	for (u32 i = 0; i < l.h.nmsrs; i++) {
		if (vcpu_try_msr(v, l.index[i], &value))
			EXPECT(vcpu_try_set_msr(v, l.index[i], value),
			       "MSR 0x%x value 0x%llx", l.index[i],
			       (unsigned long long)value);
	}
}

TEST(feature_msrs, "KVM_GET_MSRS on /dev/kvm reads feature MSRs only")
{
	struct { struct kvm_msr_list h; u32 index[1024]; } l = {
		.h.nmsrs = 1024,
	};
	struct { struct kvm_msrs h; struct kvm_msr_entry e[1]; } m = {};
	int kvm = kvm_open();

	if (!kvm_cap(kvm, KVM_CAP_GET_MSR_FEATURES))
		tap_skip("no KVM_CAP_GET_MSR_FEATURES");
	ASSERT_OK(ioctl(kvm, KVM_GET_MSR_FEATURE_INDEX_LIST, &l));
	for (u32 i = 0; i < l.h.nmsrs; i++) {
		m.h.nmsrs = 1;
		m.e[0].index = l.index[i];
		EXPECT(ioctl(kvm, KVM_GET_MSRS, &m) == 1, "MSR 0x%x", l.index[i]);
	}
	m.h.nmsrs = 1;
	m.e[0].index = MSR_EFER;
	EXPECT_EQ(ioctl(kvm, KVM_GET_MSRS, &m), 0);
	m.h.nmsrs = 0xffffffff;
	EXPECT_ERRNO(ioctl(kvm, KVM_GET_MSRS, &m), E2BIG);
	EXPECT_ERRNO(ioctl(kvm, KVM_GET_MSRS, NULL), EFAULT);
}

TEST(device_attr, "KVM_HAS_DEVICE_ATTR on /dev/kvm answers for XCOMP_GUEST_SUPP")
{
	struct kvm_device_attr attr = { .group = 12345, .attr = 1 };
	u64 value = 0;
	int kvm = kvm_open();

	if (!kvm_cap(kvm, KVM_CAP_SYS_ATTRIBUTES))
		tap_skip("no KVM_CAP_SYS_ATTRIBUTES");
	EXPECT_ERRNO(ioctl(kvm, KVM_HAS_DEVICE_ATTR, &attr), ENXIO);
	EXPECT_ERRNO(ioctl(kvm, KVM_GET_DEVICE_ATTR, &attr), ENXIO);
	EXPECT_ERRNO(ioctl(kvm, KVM_HAS_DEVICE_ATTR, NULL), EFAULT);
	attr = (struct kvm_device_attr) {
		.attr = KVM_X86_XCOMP_GUEST_SUPP, .addr = (uintptr_t)&value,
	};
	EXPECT_OK(ioctl(kvm, KVM_HAS_DEVICE_ATTR, &attr));
	EXPECT_OK(ioctl(kvm, KVM_GET_DEVICE_ATTR, &attr));
	attr.addr = 8;
	EXPECT_ERRNO(ioctl(kvm, KVM_GET_DEVICE_ATTR, &attr), EFAULT);
}
