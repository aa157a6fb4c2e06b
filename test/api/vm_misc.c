// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM's remaining ioctls: vCPU creation, clock, TSC, capabilities to
 * enable, devices, addresses for old CPUs, statistics.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

TEST(vcpu_ids, "KVM_CREATE_VCPU: duplicate ids are EEXIST, ids out of range EINVAL")
{
	struct vm *vm = vm_bare();
	long max_id = kvm_cap(vm->fd, KVM_CAP_MAX_VCPU_ID);

	EXPECT_OK(ioctl(vm->fd, KVM_CREATE_VCPU, 0l));
	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_VCPU, 0l), EEXIST);
	EXPECT_OK(ioctl(vm->fd, KVM_CREATE_VCPU, 5l));
	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_VCPU, 5l), EEXIST);
	EXPECT_OK(ioctl(vm->fd, KVM_CREATE_VCPU, max_id - 1));
	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_VCPU, max_id), EINVAL);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_VCPU, -1l), EINVAL);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_VCPU, 0x7fffffffl), EINVAL);
}

TEST_LIMIT(vcpu_max, 120, "KVM_CAP_MAX_VCPUS vCPUs (or 256) can be created, one more is EINVAL")
{
	struct vm *vm = vm_bare();
	long max = kvm_cap(vm->fd, KVM_CAP_MAX_VCPUS), n = max < 256 ? max : 256;

	for (long i = 0; i < n; i++)
		ASSERT_OK(ioctl(vm->fd, KVM_CREATE_VCPU, i));
	if (n == max)
		EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_VCPU, n), EINVAL);
}

TEST(boot_cpu, "KVM_SET_BOOT_CPU_ID: before the first vCPU; that vCPU is the BSP")
{
	struct vm *vm = vm_new_irqchip();
	struct vcpu *a, *b;
	u64 base;

	EXPECT_OK(ioctl(vm->fd, KVM_SET_BOOT_CPU_ID, 1l));
	a = vcpu_new(vm, 0);
	b = vcpu_new(vm, 1);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_BOOT_CPU_ID, 0l), EBUSY);
	base = vcpu_msr(a, MSR_APIC_BASE);
	EXPECT(!(base & 1 << 8), "vCPU 0 is no BSP: 0x%llx", (unsigned long long)base);
	base = vcpu_msr(b, MSR_APIC_BASE);
	EXPECT(base & 1 << 8, "vCPU 1 is the BSP: 0x%llx", (unsigned long long)base);
}

TEST_TIMED(clock, "KVM_SET_CLOCK and KVM_GET_CLOCK: nanoseconds that go on from the value set")
{
	struct vm *vm = vm_bare();
	struct kvm_clock_data a = { .clock = 1000000000000ull }, b = {}, c = {};

	EXPECT_OK(ioctl(vm->fd, KVM_SET_CLOCK, &a));
	EXPECT_OK(ioctl(vm->fd, KVM_GET_CLOCK, &b));
	usleep(50000);
	EXPECT_OK(ioctl(vm->fd, KVM_GET_CLOCK, &c));
	EXPECT(b.clock >= a.clock && b.clock < a.clock + 2000000000ull, "%lld",
	       b.clock);
	EXPECT(c.clock - b.clock >= 50000000 && c.clock - b.clock < 1000000000,
	       "%lld", c.clock - b.clock);
	a.flags = 1u << 31;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_CLOCK, &a), EINVAL);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_CLOCK, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_GET_CLOCK, NULL), EFAULT);
	EXPECT(!(b.flags & ~kvm_cap(vm->fd, KVM_CAP_ADJUST_CLOCK)));
}

TEST(clock_realtime, "KVM_CLOCK_REALTIME: the clock advances by what passed since then")
{
	struct vm *vm = vm_bare();
	struct kvm_clock_data a = {}, b = {};
	struct timespec now;

	if (!(kvm_cap(vm->fd, KVM_CAP_ADJUST_CLOCK) & KVM_CLOCK_REALTIME))
		tap_skip("no KVM_CLOCK_REALTIME");
	clock_gettime(CLOCK_REALTIME, &now);
	a.clock = 5000000000000ull;
	a.flags = KVM_CLOCK_REALTIME;
	a.realtime = (now.tv_sec - 100) * 1000000000ull;	/* 100 s ago */
	EXPECT_OK(ioctl(vm->fd, KVM_SET_CLOCK, &a));
	EXPECT_OK(ioctl(vm->fd, KVM_GET_CLOCK, &b));
	EXPECT(b.clock - a.clock > 99000000000ull &&
	       b.clock - a.clock < 103000000000ull, "advanced by %lld",
	       b.clock - a.clock);
}

TEST(enable_cap, "KVM_ENABLE_CAP: unknown capability, flags, pointer")
{
	struct vm *vm = vm_bare();
	struct kvm_enable_cap cap = { .cap = 99999 };
	struct vcpu *v = vcpu_bare(vm, 0);

	EXPECT_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	EXPECT_ERRNO(ioctl(v->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.cap = KVM_CAP_SPLIT_IRQCHIP;
	cap.flags = 1;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, NULL), EFAULT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_ENABLE_CAP, NULL), EFAULT);
}

TEST(exception_payload, "KVM_CAP_EXCEPTION_PAYLOAD and X86_DISABLE_EXITS check their arguments")
{
	struct vm *vm = vm_bare();
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXCEPTION_PAYLOAD };
	int disable = kvm_cap(vm->fd, KVM_CAP_X86_DISABLE_EXITS);

	if (kvm_cap(vm->fd, KVM_CAP_EXCEPTION_PAYLOAD)) {
		cap.args[0] = 1;
		EXPECT_OK(ioctl(vm->fd, KVM_ENABLE_CAP, &cap));
	}
	if (disable) {
		cap = (struct kvm_enable_cap) {
			.cap = KVM_CAP_X86_DISABLE_EXITS, .args[0] = 1ull << 40,
		};
		EXPECT_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
		cap.args[0] = disable;
		EXPECT_OK(ioctl(vm->fd, KVM_ENABLE_CAP, &cap));
	}
}

TEST(device, "KVM_CREATE_DEVICE: unknown types are ENODEV; VFIO, where it is, works once")
{
	struct vm *vm = vm_bare();
	struct kvm_create_device d = { .type = 9999 };

	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_DEVICE, &d), ENODEV);
	d.type = ~0u;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_DEVICE, &d), ENODEV);
	d.type = KVM_DEV_TYPE_ARM_VGIC_V3;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_DEVICE, &d), ENODEV);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_DEVICE, NULL), EFAULT);
	d = (struct kvm_create_device) {
		.type = KVM_DEV_TYPE_VFIO, .flags = KVM_CREATE_DEVICE_TEST,
	};
	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &d) < 0)
		return;
	d.flags = 0;
	EXPECT_OK(ioctl(vm->fd, KVM_CREATE_DEVICE, &d));
	struct kvm_device_attr a = { .group = 77 };

	EXPECT_ERRNO(ioctl(d.fd, KVM_HAS_DEVICE_ATTR, &a), ENXIO);
	EXPECT_ERRNO(ioctl(d.fd, KVM_SET_DEVICE_ATTR, &a), ENXIO);
	d.flags = 0;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_DEVICE, &d), EBUSY);
}

TEST(tsc_khz, "KVM_GET_TSC_KHZ, KVM_SET_TSC_KHZ: plausible, absurd values refused")
{
	struct vcpu *v = vcpu_new(vm_bare(), 0);
	long khz = ASSERT_OK(ioctl(v->fd, KVM_GET_TSC_KHZ, 0));

	EXPECT(khz > 10000 && khz < 100000000, "%ld", khz);
	EXPECT_OK(ioctl(v->fd, KVM_SET_TSC_KHZ, khz));
	EXPECT_EQ(ioctl(v->fd, KVM_GET_TSC_KHZ, 0), khz);
	EXPECT_OK(ioctl(v->fd, KVM_SET_TSC_KHZ, 0l));	/* the default */
	EXPECT_EQ(ioctl(v->fd, KVM_GET_TSC_KHZ, 0), khz);
	if (kvm_cap(v->vm->kvm, KVM_CAP_TSC_CONTROL))
		EXPECT_ERRNO(ioctl(v->fd, KVM_SET_TSC_KHZ, 0xfffffffful), EINVAL);
	EXPECT_EQ(ioctl(v->fd, KVM_GET_TSC_KHZ, 0), khz);
}

TEST(tss_addr, "KVM_SET_TSS_ADDR and KVM_SET_IDENTITY_MAP_ADDR: ranges and order")
{
	struct vm *vm = vm_bare();
	u64 addr = 0xfeffc000;

	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffffffful), EINVAL);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffff000ul), EINVAL);
	EXPECT_OK(ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000ul));
	EXPECT_OK(ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &addr));
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, NULL), EFAULT);
	vcpu_bare(vm, 0);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &addr), EINVAL);
}

TEST(mce, "KVM_X86_SETUP_MCE: banks and capabilities out of range are refused")
{
	struct vcpu *v = vcpu_new(vm_bare(), 0);
	u64 supported = 0, cap;
	struct kvm_x86_mce mce = { .bank = 0 };

	ASSERT_OK(ioctl(v->vm->kvm, KVM_X86_GET_MCE_CAP_SUPPORTED, &supported));
	EXPECT(kvm_cap(v->vm->kvm, KVM_CAP_MCE) >= 1);
	EXPECT_ERRNO(ioctl(v->vm->kvm, KVM_X86_GET_MCE_CAP_SUPPORTED, NULL), EFAULT);
	cap = (supported & 0x100) | 10;
	EXPECT_OK(ioctl(v->fd, KVM_X86_SETUP_MCE, &cap));
	EXPECT_EQ(vcpu_msr(v, 0x179) & 0xff, 10);
	cap = 0;
	EXPECT_ERRNO(ioctl(v->fd, KVM_X86_SETUP_MCE, &cap), EINVAL);
	cap = 0xff;
	EXPECT_ERRNO(ioctl(v->fd, KVM_X86_SETUP_MCE, &cap), EINVAL);
	cap = 10 | 1ull << 40;
	EXPECT_ERRNO(ioctl(v->fd, KVM_X86_SETUP_MCE, &cap), EINVAL);
	EXPECT_ERRNO(ioctl(v->fd, KVM_X86_SETUP_MCE, NULL), EFAULT);
	mce.bank = 10;
	mce.status = 1ull << 63;
	EXPECT_ERRNO(ioctl(v->fd, KVM_X86_SET_MCE, &mce), EINVAL);
	mce.bank = 255;
	EXPECT_ERRNO(ioctl(v->fd, KVM_X86_SET_MCE, &mce), EINVAL);
	mce.bank = 0;
	mce.status = 0;		/* not valid */
	EXPECT_ERRNO(ioctl(v->fd, KVM_X86_SET_MCE, &mce), EINVAL);
	EXPECT_ERRNO(ioctl(v->fd, KVM_X86_SET_MCE, NULL), EFAULT);
}

static void check_stats(int fd, const char *prefix)
{
	struct kvm_stats_header h;
	u8 *desc, id[64] = {};
	size_t size;

	ASSERT_EQ(pread(fd, &h, sizeof(h), 0), sizeof(h));
	EXPECT(h.name_size >= 8 && h.name_size <= 128 && h.num_desc > 0);
	EXPECT_EQ(h.id_offset, sizeof(h));
	EXPECT(h.desc_offset >= h.id_offset + h.name_size);
	EXPECT(h.data_offset >= h.desc_offset);
	ASSERT(pread(fd, id, 8, h.id_offset) == 8);
	EXPECT(!strncmp((char *)id, prefix, strlen(prefix)), "id is %s", id);
	size = sizeof(struct kvm_stats_desc) + h.name_size;
	desc = malloc(size * h.num_desc);
	ASSERT(desc);
	ASSERT_EQ(pread(fd, desc, size * h.num_desc, h.desc_offset),
		  size * h.num_desc);
	for (u32 i = 0; i < h.num_desc; i++) {
		struct kvm_stats_desc *d = (void *)(desc + i * size);
		u64 value;

		EXPECT(strnlen(d->name, h.name_size) > 0 &&
		       strnlen(d->name, h.name_size) < h.name_size);
		EXPECT((d->flags & KVM_STATS_TYPE_MASK) <= KVM_STATS_TYPE_MAX);
		EXPECT((d->flags & KVM_STATS_UNIT_MASK) <= KVM_STATS_UNIT_MAX);
		EXPECT(d->size >= 1);
		EXPECT(pread(fd, &value, 8, h.data_offset + d->offset) == 8,
		       "%s", d->name);
	}
	free(desc);
}

TEST(stats, "KVM_GET_STATS_FD of a VM and a vCPU: header, descriptors and data agree")
{
	struct vcpu *v = vcpu_new(vm_bare(), 0);
	int fd;

	if (!kvm_cap(v->vm->fd, KVM_CAP_BINARY_STATS_FD))
		tap_skip("no KVM_CAP_BINARY_STATS_FD");
	fd = ASSERT_OK(ioctl(v->vm->fd, KVM_GET_STATS_FD, 0));
	check_stats(fd, "kvm-");
	fd = ASSERT_OK(ioctl(v->fd, KVM_GET_STATS_FD, 0));
	check_stats(fd, "kvm-");
	/* it outlives the vCPU's own descriptor */
	vcpu_close(v);
	check_stats(fd, "kvm-");
	EXPECT(write(fd, "x", 1) == -1);
	EXPECT(pread(fd, &fd, 4, 1 << 30) == 0);
}

TEST(msr_filter, "KVM_X86_SET_MSR_FILTER: bad flags, sizes and pointers")
{
	struct vm *vm = vm_bare();
	struct kvm_msr_filter f = {};
	u8 bitmap[0x600] = {};

	if (!kvm_cap(vm->fd, KVM_CAP_X86_MSR_FILTER))
		tap_skip("no KVM_CAP_X86_MSR_FILTER");
	EXPECT_OK(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f));
	f.flags = 1u << 31;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f), EINVAL);
	f.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	/* deny everything with no range: refused */
	EXPECT_ERRNO(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f), EINVAL);
	f.ranges[0] = (struct kvm_msr_filter_range) {
		.flags = KVM_MSR_FILTER_READ, .nmsrs = 0x3000 * 8,
		.base = 0, .bitmap = bitmap,
	};
	EXPECT_ERRNO(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f), EINVAL);
	f.ranges[0].nmsrs = 8;
	f.ranges[0].flags = 1u << 31;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f), EINVAL);
	f.ranges[0].flags = KVM_MSR_FILTER_READ;
	f.ranges[0].bitmap = (u8 *)8;
	EXPECT(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f) == -1);
	f.ranges[0].bitmap = bitmap;
	EXPECT_OK(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f));
	EXPECT_ERRNO(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, NULL), EFAULT);
}

/* The structure as a 32-bit process has it, below 4 GB as its pointers must be. */
static struct {
	u32 flags;
	struct {
		u32 flags, nmsrs, base, bitmap;
	} ranges[KVM_MSR_FILTER_MAX_RANGES];
} filter32;
static u8 filter32_bitmap[16];

/* A system call of the 32-bit ABI: 54 is ioctl. */
static long ioctl32(int fd, u32 nr, void *arg)
{
	long r;

	asm volatile("int $0x80" : "=a"(r)
		     : "a"(54l), "b"((long)fd), "c"((long)nr), "d"(arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return r;
}

/* A kernel without 32-bit emulation has no such gate: SIGSEGV. */
static bool has_ioctl32(int fd)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		signal(SIGSEGV, _exit);		/* and not a word in the kernel's log */
		_exit(ioctl32(fd, KVM_GET_API_VERSION, NULL) != KVM_API_VERSION);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

static void g_read_filtered(void)
{
	guest_sync(try_rdmsr(MSR_STAR, NULL));
	guest_sync(try_rdmsr(MSR_LSTAR, NULL));
	guest_done();
}

TEST(msr_filter32, "KVM_X86_SET_MSR_FILTER of a 32-bit process")
{
	struct vcpu *v = vm_guest(false, g_read_filtered);
	u32 nr = _IOW(KVMIO, 0xc6, filter32);

	if (!has_ioctl32(v->vm->kvm))
		tap_skip("no 32-bit system calls here");
	filter32.flags = 1u << 31;
	EXPECT_EQ(ioctl32(v->vm->fd, nr, &filter32), -EINVAL);
	EXPECT_EQ(ioctl32(v->vm->fd, nr, NULL), -EFAULT);
	filter32.flags = 0;
	filter32.ranges[0].flags = KVM_MSR_FILTER_READ;
	filter32.ranges[0].nmsrs = 2;
	filter32.ranges[0].base = MSR_STAR;
	filter32.ranges[0].bitmap = (uintptr_t)filter32_bitmap;
	filter32_bitmap[0] = 2;		/* LSTAR only */
	EXPECT_EQ(ioctl32(v->vm->fd, nr, &filter32), 0);
	vcpu_expect_sync(v, X86_GP);
	vcpu_expect_sync(v, NO_FAULT);
	vcpu_finish(v);
}

static int enable_cap(struct vm *vm, u32 nr, u64 arg)
{
	struct kvm_enable_cap cap = { .cap = nr, .args = { arg } };

	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

TEST(max_vcpu_id, "KVM_CAP_MAX_VCPU_ID: a bound set once, not below the boot CPU, kept by KVM_CREATE_VCPU")
{
	struct vm *vm = vm_bare();
	long max = kvm_cap(vm->fd, KVM_CAP_MAX_VCPU_ID);

	EXPECT_ERRNO(enable_cap(vm, KVM_CAP_MAX_VCPU_ID, max + 1), EINVAL);
	ASSERT_OK(ioctl(vm->fd, KVM_SET_BOOT_CPU_ID, 2l));
	EXPECT_ERRNO(enable_cap(vm, KVM_CAP_MAX_VCPU_ID, 1), EINVAL);
	EXPECT_OK(enable_cap(vm, KVM_CAP_MAX_VCPU_ID, 4));
	EXPECT_OK(enable_cap(vm, KVM_CAP_MAX_VCPU_ID, 4));
	EXPECT_ERRNO(enable_cap(vm, KVM_CAP_MAX_VCPU_ID, 5), EINVAL);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_CREATE_VCPU, 4l), EINVAL);
	EXPECT_OK(ioctl(vm->fd, KVM_CREATE_VCPU, 3l));
}

TEST(apic_bus, "KVM_CAP_X86_APIC_BUS_CYCLES_NS: with an APIC and before any vCPU")
{
	struct vm *vm = vm_bare(), *with = vm_new_irqchip();

	if (!kvm_cap(vm->fd, KVM_CAP_X86_APIC_BUS_CYCLES_NS))
		tap_skip("no KVM_CAP_X86_APIC_BUS_CYCLES_NS");
	EXPECT_ERRNO(enable_cap(vm, KVM_CAP_X86_APIC_BUS_CYCLES_NS, 40), ENXIO);
	EXPECT_ERRNO(enable_cap(with, KVM_CAP_X86_APIC_BUS_CYCLES_NS, 0), EINVAL);
	EXPECT_ERRNO(enable_cap(with, KVM_CAP_X86_APIC_BUS_CYCLES_NS, ~0ull), EINVAL);
	EXPECT_OK(enable_cap(with, KVM_CAP_X86_APIC_BUS_CYCLES_NS, 40));
	vcpu_bare(with, 0);
	EXPECT_ERRNO(enable_cap(with, KVM_CAP_X86_APIC_BUS_CYCLES_NS, 40), EINVAL);
}

TEST(unhalt, "KVM_CAP_X86_DISABLE_EXITS with HLT takes KVM_FEATURE_PV_UNHALT from the guest's CPUID")
{
	struct { struct kvm_cpuid2 head; struct kvm_cpuid_entry2 entries[256]; } cpuid = {
		.head.nent = 256,
	};
	const struct kvm_cpuid_entry2 *offered = supported_cpuid(0x40000001, 0);
	struct vm *vm = vm_new_irqchip();
	struct vcpu *v;

	if (!CPUID_BIT(offered, eax, 7))
		tap_skip("no KVM_FEATURE_PV_UNHALT");
	ASSERT_OK(enable_cap(vm, KVM_CAP_X86_DISABLE_EXITS, KVM_X86_DISABLE_EXITS_HLT));
	v = vcpu_new(vm, 0);
	ASSERT_OK(ioctl(v->fd, KVM_GET_CPUID2, &cpuid));
	for (u32 i = 0; i < cpuid.head.nent; i++)
		if (cpuid.entries[i].function == 0x40000001)
			EXPECT_EQ(cpuid.entries[i].eax, offered->eax & ~(1u << 7));
	vcpu_default_cpuid(v);
	EXPECT_ERRNO(enable_cap(vm, KVM_CAP_X86_DISABLE_EXITS, KVM_X86_DISABLE_EXITS_HLT),
		     EINVAL);
}

/* "Emulate this", if kvm's parameter force_emulation_prefix is set. */
#define PREFIX	".byte 0x0f, 0x0b; .ascii \"kvm\"; "

static void g_msr_emulated(void)
{
	u32 lo, hi;

	asm volatile(PREFIX "rdmsr" : "=a"(lo), "=d"(hi) : "c"(MSR_STAR));
	guest_sync(lo | (u64)hi << 32);
	guest_sync(TRY(PREFIX "rdmsr", : "=a"(lo), "=d"(hi) : "c"(MSR_STAR) : "memory"));
	guest_sync(TRY(PREFIX "wrmsr", :: "c"(MSR_STAR), "a"(5), "d"(6) : "memory"));
	guest_sync(TRY(PREFIX "wrmsr", :: "c"(MSR_STAR), "a"(5), "d"(6) : "memory"));
	guest_done();
}

static bool set_prefix(const char *value)
{
	FILE *f = fopen("/sys/module/kvm/parameters/force_emulation_prefix", "w");

	return f && fputs(value, f) >= 0 && !fclose(f);
}

TEST(msr_emulated, "an RDMSR or WRMSR that is emulated exits to user space as any other does")
{
	struct vcpu *v = vm_guest(false, g_msr_emulated);
	static u8 none[16];
	struct kvm_msr_filter f = {
		.ranges[0] = { .flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			       .nmsrs = 1, .base = MSR_STAR, .bitmap = none },
	};
	struct kvm_run *run = v->run;

	if (!set_prefix("1"))
		tap_skip("no force_emulation_prefix");
	ASSERT_OK(ioctl(v->vm->fd, KVM_X86_SET_MSR_FILTER, &f));
	ASSERT_OK(enable_cap(v->vm, KVM_CAP_X86_USER_SPACE_MSR, KVM_MSR_EXIT_REASON_FILTER));

	vcpu_expect_exit(v, KVM_EXIT_X86_RDMSR);
	EXPECT_EQ(run->msr.index, MSR_STAR);
	EXPECT_EQ(run->msr.reason, KVM_MSR_EXIT_REASON_FILTER);
	run->msr.data = 0x1234567887654321ull;
	vcpu_expect_sync(v, 0x1234567887654321ull);
	vcpu_expect_exit(v, KVM_EXIT_X86_RDMSR);
	run->msr.error = 1;
	vcpu_expect_sync(v, X86_GP);
	vcpu_expect_exit(v, KVM_EXIT_X86_WRMSR);
	EXPECT_EQ(run->msr.data, 0x600000005ull);
	vcpu_expect_sync(v, NO_FAULT);
	vcpu_expect_exit(v, KVM_EXIT_X86_WRMSR);
	run->msr.error = 1;
	vcpu_expect_sync(v, X86_GP);
	vcpu_finish(v);
	set_prefix("0");
}
