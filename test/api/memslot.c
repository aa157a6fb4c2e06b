// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots: what KVM_SET_USER_MEMORY_REGION takes and refuses, and what a
 * guest sees of slots that are read-only, deleted or moved.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define MB	0x100000ull

static void *ram(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ASSERT(p != MAP_FAILED);
	return p;
}

TEST(alignment, "size, guest and user address of a slot must be page aligned")
{
	struct vm *vm = vm_bare();
	u8 *p = ram(2 * MB);

	EXPECT_ERRNO(vm_slot(vm, 0, 0, 0, MB + 1, p), EINVAL);
	EXPECT_ERRNO(vm_slot(vm, 0, 0, 0, 0x800, p), EINVAL);
	EXPECT_ERRNO(vm_slot(vm, 0, 0, 0x800, MB, p), EINVAL);
	EXPECT_ERRNO(vm_slot(vm, 0, 0, 0, MB, p + 1), EINVAL);
	EXPECT_ERRNO(vm_slot(vm, 0, 0, 0, MB, p + 0x800), EINVAL);
	EXPECT_OK(vm_slot(vm, 0, 0, 0, MB, p));
}

TEST(wrap, "a slot that wraps around the address space is refused")
{
	struct vm *vm = vm_bare();
	u8 *p = ram(2 * MB);

	EXPECT_ERRNO(vm_slot(vm, 0, 0, ~0ull - 0xfff, 2 * MB, p), EINVAL);
	EXPECT_ERRNO(vm_slot(vm, 0, 0, MB, ~0ull - 0xfff, p), EINVAL);
	EXPECT_ERRNO(vm_slot(vm, 0, 0, MB, 1ull << 63, p), EINVAL);
	EXPECT_ERRNO(vm_slot(vm, 0, 0, 0, 2 * MB, (void *)(~0ul - 0xfff)), EINVAL);
	EXPECT_ERRNO(vm_slot(vm, 0, 0, 0, 2 * MB, (void *)(1ul << 63)), EINVAL);
	/* 2^31 pages and more don't fit the bitmap's index */
	EXPECT_ERRNO(vm_slot(vm, 0, 0, 0, 1ull << 44, p), EINVAL);
}

TEST(numbers, "slot numbers and address spaces out of range are refused")
{
	struct vm *vm = vm_bare();
	u32 nr = kvm_cap(vm->kvm, KVM_CAP_NR_MEMSLOTS);
	u8 *p = ram(2 * MB);

	EXPECT_ERRNO(vm_slot(vm, nr, 0, 0, MB, p), EINVAL);
	EXPECT_ERRNO(vm_slot(vm, 0xffff, 0, 0, MB, p), EINVAL);
	EXPECT_ERRNO(vm_slot(vm, 2 << 16, 0, 0, MB, p), EINVAL);
	EXPECT_ERRNO(vm_slot(vm, 0xffff0000, 0, 0, MB, p), EINVAL);
	EXPECT_ERRNO(vm_slot(vm, 0xffffffff, 0, 0, MB, p), EINVAL);
	EXPECT_OK(vm_slot(vm, nr - 1, 0, 0, MB, p));
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, NULL), EFAULT);
}

TEST(spaces, "the second address space is there exactly if MULTI_ADDRESS_SPACE says 2")
{
	struct vm *vm = vm_bare();
	int n = kvm_cap(vm->fd, KVM_CAP_MULTI_ADDRESS_SPACE);
	u8 *p = ram(2 * MB);

	if (n >= 2) {
		EXPECT_OK(vm_slot(vm, 0, 0, 0, MB, p));
		EXPECT_OK(vm_slot(vm, 1 << 16, 0, 0, MB, p + MB));
	} else {
		EXPECT_ERRNO(vm_slot(vm, 1 << 16, 0, 0, MB, p), EINVAL);
	}
}

TEST(flags, "unknown slot flags are refused")
{
	struct vm *vm = vm_bare();
	u8 *p = ram(MB);

	for (int bit = 3; bit < 32; bit++)
		EXPECT_ERRNO(vm_slot(vm, 0, 1u << bit, 0, MB, p), EINVAL);
	/* guest_memfd is not for the first version of the ioctl */
	EXPECT_ERRNO(vm_slot(vm, 0, KVM_MEM_GUEST_MEMFD, 0, MB, p), EINVAL);
}

TEST(overlap, "a slot may not overlap another; EEXIST, and nothing changes")
{
	struct vm *vm = vm_bare();
	u8 *p = ram(8 * MB);

	ASSERT_OK(vm_slot(vm, 0, 0, 4 * MB, 2 * MB, p));
	EXPECT_ERRNO(vm_slot(vm, 1, 0, 4 * MB, 2 * MB, p + 2 * MB), EEXIST);
	EXPECT_ERRNO(vm_slot(vm, 1, 0, 5 * MB, 2 * MB, p + 2 * MB), EEXIST);
	EXPECT_ERRNO(vm_slot(vm, 1, 0, 3 * MB, 2 * MB, p + 2 * MB), EEXIST);
	EXPECT_ERRNO(vm_slot(vm, 1, 0, 3 * MB, 4 * MB, p + 2 * MB), EEXIST);
	EXPECT_ERRNO(vm_slot(vm, 1, 0, 4 * MB + 0x1000, 0x1000, p + 2 * MB), EEXIST);
	EXPECT_ERRNO(vm_slot(vm, 1, 0, 6 * MB - 0x1000, 0x2000, p + 2 * MB), EEXIST);
	EXPECT_OK(vm_slot(vm, 1, 0, 6 * MB, 2 * MB, p + 2 * MB));
	EXPECT_OK(vm_slot(vm, 2, 0, 2 * MB, 2 * MB, p + 4 * MB));
	/* moving one over another is an overlap too */
	EXPECT_ERRNO(vm_slot(vm, 2, 0, 5 * MB, 2 * MB, p + 4 * MB), EEXIST);
}

TEST(change, "an existing slot can't change its size or user address, nor READONLY")
{
	struct vm *vm = vm_bare();
	u8 *p = ram(8 * MB);

	ASSERT_OK(vm_slot(vm, 0, 0, 0, 2 * MB, p));
	EXPECT_ERRNO(vm_slot(vm, 0, 0, 0, MB, p), EINVAL);
	EXPECT_ERRNO(vm_slot(vm, 0, 0, 0, 4 * MB, p), EINVAL);
	EXPECT_ERRNO(vm_slot(vm, 0, 0, 0, 2 * MB, p + 2 * MB), EINVAL);
	EXPECT_ERRNO(vm_slot(vm, 0, KVM_MEM_READONLY, 0, 2 * MB, p), EINVAL);
	EXPECT_OK(vm_slot(vm, 0, 0, 0, 2 * MB, p));	/* no change at all */
	EXPECT_OK(vm_slot(vm, 0, KVM_MEM_LOG_DIRTY_PAGES, 0, 2 * MB, p));
	EXPECT_OK(vm_slot(vm, 0, 0, 4 * MB, 2 * MB, p));	/* a move */
}

TEST(delete, "a slot can be deleted once, and its number used again")
{
	struct vm *vm = vm_bare();
	u8 *p = ram(4 * MB);

	EXPECT_ERRNO(vm_slot(vm, 0, 0, 0, 0, p), EINVAL);
	ASSERT_OK(vm_slot(vm, 0, 0, 0, MB, p));
	EXPECT_OK(vm_slot(vm, 0, 0, 0, 0, NULL));
	EXPECT_ERRNO(vm_slot(vm, 0, 0, 0, 0, NULL), EINVAL);
	EXPECT_OK(vm_slot(vm, 0, 0, MB, 2 * MB, p));
}

TEST(again, "slots come and go a thousand times")
{
	struct vm *vm = vm_bare();
	u8 *p = ram(4 * MB);

	vcpu_bare(vm, 0);
	for (int i = 0; i < 1000; i++) {
		ASSERT_OK(vm_slot(vm, i % 7, 0, (i % 7) * 4 * MB, MB, p));
		ASSERT_OK(vm_slot(vm, i % 7, 0, 0, 0, NULL));
	}
}

TEST_LIMIT(many, 60, "500 slots: each page of the guest is the one it should be")
{
	void g_sum(void);
	struct vcpu *v = vm_guest(false, g_sum);
	u8 *p = ram(500 * 0x2000);

	/* In a scrambled order, with a hole after each page. */
	for (u32 i = 0; i < 500; i++) {
		u32 k = (i * 211) % 500;

		*(u32 *)(p + k * 0x2000) = k;
		ASSERT_OK(vm_slot(v->vm, 1 + i, 0, 0x10000000 + k * 0x2000, 0x1000,
				  p + k * 0x2000));
	}
	vcpu_finish(v);
	for (u32 k = 0; k < 500; k++)
		EXPECT_EQ(*(u32 *)(p + k * 0x2000), k ^ 0xabcd0000);
}

void g_sum(void);
void g_sum(void)
{
	for (u32 k = 0; k < 500; k++) {
		volatile u32 *a = (u32 *)(0x10000000ul + k * 0x2000);

		GUEST_EQ(*a, k);
		*a = k ^ 0xabcd0000;
	}
	guest_done();
}

static void g_readonly(void)
{
	volatile u64 *a = (u64 *)0x10000000;

	GUEST_EQ(a[1], 0x1234);
	a[1] = 0x5678;		/* the host sees it as MMIO */
	GUEST_EQ(a[1], 0x1234);
	guest_done();
}

TEST(readonly, "a write to a READONLY slot is an MMIO exit, and memory keeps its value")
{
	struct vcpu *v = vm_guest(false, g_readonly);
	u64 *p = vm_map(v->vm, 1, 0x10000000, MB, KVM_MEM_READONLY);

	p[1] = 0x1234;
	vcpu_expect_exit(v, KVM_EXIT_MMIO);
	EXPECT_EQ(v->run->mmio.phys_addr, 0x10000008);
	EXPECT_EQ(v->run->mmio.len, 8);
	EXPECT_EQ(v->run->mmio.is_write, 1);
	EXPECT_EQ(*(u64 *)v->run->mmio.data, 0x5678);
	vcpu_finish(v);
	EXPECT_EQ(p[1], 0x1234);
}

static void g_two_reads(void)
{
	volatile u64 *a = (u64 *)0x10000000;

	guest_sync(a[0]);
	guest_sync(a[0]);
	guest_sync(a[0]);
	guest_done();
}

TEST(deleted, "a deleted slot is MMIO to the guest from then on")
{
	struct vcpu *v = vm_guest(false, g_two_reads);
	u64 *p = vm_map(v->vm, 1, 0x10000000, MB, 0);

	p[0] = 77;
	vcpu_expect_sync(v, 77);
	ASSERT_OK(vm_slot(v->vm, 1, 0, 0, 0, NULL));
	vcpu_expect_exit(v, KVM_EXIT_MMIO);
	EXPECT_EQ(v->run->mmio.phys_addr, 0x10000000);
	*(u64 *)v->run->mmio.data = 88;
	vcpu_expect_sync(v, 88);
	ASSERT_OK(vm_slot(v->vm, 1, 0, 0x10000000, MB, p));
	vcpu_expect_sync(v, 77);
}

TEST(replaced, "the guest sees a slot that replaced another at the same place")
{
	struct vcpu *v = vm_guest(false, g_two_reads);
	u64 *p = vm_map(v->vm, 1, 0x10000000, MB, 0), *q = ram(MB);

	p[0] = 77;
	q[0] = 99;
	vcpu_expect_sync(v, 77);
	ASSERT_OK(vm_slot(v->vm, 1, 0, 0, 0, NULL));
	ASSERT_OK(vm_slot(v->vm, 2, 0, 0x10000000, MB, q));
	vcpu_expect_sync(v, 99);
}

TEST(moved, "a moved slot is found at its new place only")
{
	struct vcpu *v = vm_guest(false, g_two_reads);
	u64 *p = vm_map(v->vm, 1, 0x10000000, MB, 0);

	p[0] = 77;
	p[512] = 66;
	vcpu_expect_sync(v, 77);
	ASSERT_OK(vm_slot(v->vm, 1, 0, 0x10000000 - 0x1000, MB, p));
	vcpu_expect_sync(v, 66);
	ASSERT_OK(vm_slot(v->vm, 1, 0, 0x20000000, MB, p));
	vcpu_expect_exit(v, KVM_EXIT_MMIO);
}

TEST(remapped, "memory replaced by mmap under a guest is seen by the guest at once")
{
	struct vcpu *v = vm_guest(false, g_two_reads);
	u64 *p = vm_map(v->vm, 1, 0x10000000, MB, 0);

	p[0] = 77;
	vcpu_expect_sync(v, 77);
	ASSERT(mmap(p, MB, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
	p[0] = 55;
	vcpu_expect_sync(v, 55);
	ASSERT_OK(madvise(p, MB, MADV_DONTNEED));
	vcpu_expect_sync(v, 0);
}

static void g_one_write(void)
{
	*(volatile u64 *)0x10000000 = 1;
	guest_sync(1);
	*(volatile u64 *)0x10000000 = 2;
	guest_done();
}

TEST(unmapped, "guest memory that the process unmapped makes KVM_RUN fail with EFAULT")
{
	struct vcpu *v = vm_guest(false, g_one_write);
	void *p = vm_map(v->vm, 1, 0x10000000, MB, 0);

	vcpu_expect_sync(v, 1);
	ASSERT_OK(munmap(p, MB));
	EXPECT_ERRNO(vcpu_run_once(v), EFAULT);
	EXPECT_ERRNO(vcpu_run_once(v), EFAULT);
	/* and it goes on when the memory is back */
	ASSERT(mmap(p, MB, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
	vcpu_finish(v);
	EXPECT_EQ(*(u64 *)p, 2);
}

TEST(protected, "memory that the process may only read: a guest's write is EFAULT")
{
	struct vcpu *v = vm_guest(false, g_one_write);
	u64 *p = vm_map(v->vm, 1, 0x10000000, MB, 0);

	vcpu_expect_sync(v, 1);
	ASSERT_OK(mprotect(p, MB, PROT_READ));
	EXPECT_ERRNO(vcpu_run_once(v), EFAULT);
	EXPECT_EQ(p[0], 1);
	ASSERT_OK(mprotect(p, MB, PROT_READ | PROT_WRITE));
	vcpu_finish(v);
	EXPECT_EQ(p[0], 2);
}

TEST(truncated, "a file behind guest memory that is truncated: EFAULT, no SIGBUS here")
{
	struct vcpu *v = vm_guest(false, g_one_write);
	int fd = ASSERT_OK(memfd_create("ram", 0));
	void *p;

	ASSERT_OK(ftruncate(fd, MB));
	p = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT(p != MAP_FAILED);
	ASSERT_OK(vm_slot(v->vm, 1, 0, 0x10000000, MB, p));
	vcpu_expect_sync(v, 1);
	ASSERT_OK(ftruncate(fd, 0));
	EXPECT_ERRNO(vcpu_run_once(v), EFAULT);
	ASSERT_OK(ftruncate(fd, MB));
	vcpu_finish(v);
	EXPECT_EQ(*(u64 *)p, 2);
}

TEST(shared, "the guest and a second mapping of its memory see the same bytes")
{
	struct vcpu *v = vm_guest(false, g_two_reads);
	int fd = ASSERT_OK(memfd_create("ram", 0));
	u64 *p, *q;

	ASSERT_OK(ftruncate(fd, MB));
	p = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	q = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT(p != MAP_FAILED && q != MAP_FAILED);
	ASSERT_OK(vm_slot(v->vm, 1, 0, 0x10000000, MB, p));
	q[0] = 11;
	vcpu_expect_sync(v, 11);
	q[0] = 22;
	vcpu_expect_sync(v, 22);
}

TEST(same_hva, "one piece of user memory may be two slots")
{
	void g_alias(void);
	struct vcpu *v = vm_guest(false, g_alias);
	void *p = vm_map(v->vm, 1, 0x10000000, MB, 0);

	ASSERT_OK(vm_slot(v->vm, 2, 0, 0x20000000, MB, p));
	vcpu_finish(v);
}

void g_alias(void);
void g_alias(void)
{
	*(volatile u64 *)0x10000000 = 4711;
	GUEST_EQ(*(volatile u64 *)0x20000000, 4711);
	guest_done();
}

TEST(no_memory, "a VM without memory: the vCPU's first fetch is an error exit, no loop")
{
	struct vcpu *v = vcpu_new(vm_bare(), 0);
	int r;

	vcpu_real(v, 0x1000);
	r = vcpu_run_once(v);
	if (r < 0) {
		EXPECT(errno == EFAULT || errno == ENOMEM || errno == EINVAL ||
		       errno == ENOSPC,
		       "%s", strerrorname_np(errno));
		return;
	}
	EXPECT(v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR ||
	       v->run->exit_reason == KVM_EXIT_SHUTDOWN ||
	       v->run->exit_reason == KVM_EXIT_MMIO,
	       "exit %s", exit_name(v->run->exit_reason));
}

TEST(region2, "KVM_SET_USER_MEMORY_REGION2, where it is there, does the same")
{
	struct vm *vm = vm_bare();
	struct kvm_userspace_memory_region2 r = {
		.memory_size = MB, .userspace_addr = (uintptr_t)ram(MB),
	};

	if (!kvm_cap(vm->kvm, KVM_CAP_USER_MEMORY2)) {
		EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION2, &r), ENOTTY);
		tap_skip("no KVM_CAP_USER_MEMORY2");
	}
	EXPECT_OK(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION2, &r));
	r.flags = 1u << 31;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION2, &r), EINVAL);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION2, NULL), EFAULT);
}

#define PREFAULT_GPA	0x10000000ull
#define PREFAULT_PAGES	1024

static int prefault(struct vcpu *v, struct kvm_pre_fault_memory *range, u64 gpa, u64 size)
{
	*range = (struct kvm_pre_fault_memory) { .gpa = gpa, .size = size };
	return ioctl(v->fd, KVM_PRE_FAULT_MEMORY, range);
}

static void g_read_all(void)
{
	for (int half = 1; half <= 2; half++) {
		guest_sync(half);
		for (u64 n = 0; n < PREFAULT_PAGES; n++)
			(void)*(volatile u64 *)(half * PREFAULT_GPA + n * 0x1000);
	}
	guest_sync(3);
	guest_done();
}

TEST(prefault, "KVM_PRE_FAULT_MEMORY: no fault where it was; partly done is done; its errors")
{
	struct vcpu *v = vm_guest(false, g_read_all);
	u64 size = PREFAULT_PAGES * 0x1000ull, faults[3];
	struct kvm_pre_fault_memory range;

	if (!kvm_cap(v->vm->fd, KVM_CAP_PRE_FAULT_MEMORY)) {
		EXPECT(prefault(v, &range, 0, 0x1000) < 0);
		tap_skip("no KVM_CAP_PRE_FAULT_MEMORY");
	}
	for (u32 half = 1; half <= 2; half++) {
		void *mem = vm_map(v->vm, half, half * PREFAULT_GPA, size, 0);

		madvise(mem, size, MADV_NOHUGEPAGE);
	}
	EXPECT_ERRNO(prefault(v, &range, 0x123, 0x1000), EINVAL);
	EXPECT_ERRNO(prefault(v, &range, 0x1000, 0x123), EINVAL);
	EXPECT_ERRNO(prefault(v, &range, 0x1000, 0), EINVAL);
	EXPECT_ERRNO(prefault(v, &range, 0x1000, -0x1000ull), EINVAL);
	EXPECT_ERRNO(prefault(v, &range, GPA_NONE, 0x1000), ENOENT);
	EXPECT_ERRNO(ioctl(v->fd, KVM_PRE_FAULT_MEMORY, 16l), EFAULT);
	range.flags = 1;
	EXPECT_ERRNO(ioctl(v->fd, KVM_PRE_FAULT_MEMORY, &range), EINVAL);

	/* twice as much as there is: the rest is left, and then an error */
	EXPECT_OK(prefault(v, &range, PREFAULT_GPA, 2 * size));
	EXPECT_EQ(range.gpa, PREFAULT_GPA + size);
	EXPECT_EQ(range.size, size);
	EXPECT_ERRNO(ioctl(v->fd, KVM_PRE_FAULT_MEMORY, &range), ENOENT);
	EXPECT_OK(prefault(v, &range, PREFAULT_GPA, size));	/* again */
	EXPECT_EQ(range.size, 0);

	for (int i = 0; i < 3; i++) {
		vcpu_expect_sync(v, i + 1);
		faults[i] = kvm_stat(v->fd, "pf_taken");
	}
	vcpu_finish(v);
	if (faults[0] == ~0ull)
		tap_skip("no statistic of faults");
	EXPECT(faults[1] - faults[0] < 8, "%llu faults", (unsigned long long)(faults[1] - faults[0]));
	EXPECT(faults[2] - faults[1] >= PREFAULT_PAGES, "%llu faults where nothing was done before",
	       (unsigned long long)(faults[2] - faults[1]));
}
