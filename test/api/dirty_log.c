// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty logging: the bitmap holds exactly the pages that were written, and
 * KVM_CLEAR_DIRTY_LOG clears exactly what it is told to.
 */
#include <sys/mman.h>

#include "guest.h"

#define GPA	0x10000000ull
#define PAGES	1024u
#define WORDS	(PAGES / 64)

static volatile u32 g_stride;

/* Touches every page, then writes each g_stride-th, round after round. */
static void g_writer(void)
{
	/*
	 * A first read may map a page writable, and then counts as a write: KVM
	 * may say too much here, never too little. From then on it is exact.
	 */
	for (u32 i = 0; i < PAGES; i++)
		(void)*(volatile u64 *)(GPA + i * 0x1000ul);
	guest_sync(~0ull);
	for (u64 round = 0;; round++) {
		for (u32 i = 0; i < PAGES; i++) {
			volatile u64 *a = (u64 *)(GPA + i * 0x1000ul + 8 * (i % 512));

			if (i % g_stride == 0)
				*a = round;
			else
				(void)*a;
		}
		guest_sync(round);
	}
}

static struct vcpu *start(u32 flags)
{
	struct vcpu *v;

	g_stride = 3;
	v = vm_guest(false, g_writer);
	vm_map(v->vm, 1, GPA, PAGES * 0x1000ul, flags);
	return v;
}

static int get_log(struct vm *vm, u32 slot, u64 *bitmap)
{
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = bitmap };

	return ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log);
}

/* The guest has read all pages, and the log of that is thrown away. */
static void warm_up(struct vcpu *v, bool logged)
{
	u64 bitmap[WORDS];

	vcpu_expect_sync(v, ~0ull);
	if (logged)
		ASSERT_OK(get_log(v->vm, 1, bitmap));
}

static void expect_stride(u64 *bitmap, u32 stride)
{
	for (u32 i = 0; i < PAGES; i++) {
		bool dirty = bitmap[i / 64] >> (i % 64) & 1;

		if (dirty != (i % stride == 0)) {
			tap_fail(__FILE__, __LINE__,
				 "page %u is %s, expected multiples of %u", i,
				 dirty ? "dirty" : "clean", stride);
			return;
		}
	}
}

static void expect_clean(u64 *bitmap)
{
	for (u32 i = 0; i < WORDS; i++)
		EXPECT_EQ(bitmap[i], 0);
}

TEST(exact, "the bitmap is exactly the pages written since it was last read")
{
	struct vcpu *v = start(KVM_MEM_LOG_DIRTY_PAGES);
	u64 bitmap[WORDS];

	warm_up(v, true);
	vcpu_expect_sync(v, 0);
	ASSERT_OK(get_log(v->vm, 1, bitmap));
	expect_stride(bitmap, 3);
	ASSERT_OK(get_log(v->vm, 1, bitmap));
	expect_clean(bitmap);
	*IN_GUEST(v->vm, g_stride) = 5;
	vcpu_expect_sync(v, 1);
	ASSERT_OK(get_log(v->vm, 1, bitmap));
	expect_stride(bitmap, 5);
	vcpu_expect_sync(v, 2);
	ASSERT_OK(get_log(v->vm, 1, bitmap));
	expect_stride(bitmap, 5);
}

TEST(switched, "logging can be switched on under pages that are mapped, off and on again")
{
	struct vcpu *v = start(0);
	struct vm *vm = v->vm;
	u64 bitmap[WORDS];
	void *p = NULL;

	/* vm_map()'s address is not kept: map again, to know it */
	ASSERT_OK(vm_slot(vm, 1, 0, 0, 0, NULL));
	p = vm_map(vm, 1, GPA, PAGES * 0x1000ul, 0);
	warm_up(v, false);
	vcpu_expect_sync(v, 0);
	EXPECT_ERRNO(get_log(vm, 1, bitmap), ENOENT);
	ASSERT_OK(vm_slot(vm, 1, KVM_MEM_LOG_DIRTY_PAGES, GPA, PAGES * 0x1000ul, p));
	ASSERT_OK(get_log(vm, 1, bitmap));
	expect_clean(bitmap);
	vcpu_expect_sync(v, 1);
	ASSERT_OK(get_log(vm, 1, bitmap));
	expect_stride(bitmap, 3);
	ASSERT_OK(vm_slot(vm, 1, 0, GPA, PAGES * 0x1000ul, p));
	EXPECT_ERRNO(get_log(vm, 1, bitmap), ENOENT);
	vcpu_expect_sync(v, 2);
	ASSERT_OK(vm_slot(vm, 1, KVM_MEM_LOG_DIRTY_PAGES, GPA, PAGES * 0x1000ul, p));
	ASSERT_OK(get_log(vm, 1, bitmap));
	expect_clean(bitmap);
	vcpu_expect_sync(v, 3);
	ASSERT_OK(get_log(vm, 1, bitmap));
	expect_stride(bitmap, 3);
}

TEST(bad, "KVM_GET_DIRTY_LOG: bad slots, slots without logging and bad pointers")
{
	struct vcpu *v = start(KVM_MEM_LOG_DIRTY_PAGES);
	u64 bitmap[WORDS];

	EXPECT_ERRNO(get_log(v->vm, 0, bitmap), ENOENT);	/* not logged */
	EXPECT_ERRNO(get_log(v->vm, 7, bitmap), ENOENT);	/* no such slot */
	EXPECT_ERRNO(get_log(v->vm, 0xffff, bitmap), EINVAL);
	EXPECT_ERRNO(get_log(v->vm, 9 << 16, bitmap), EINVAL);
	EXPECT_ERRNO(get_log(v->vm, 1, (u64 *)8), EFAULT);
	EXPECT_ERRNO(ioctl(v->vm->fd, KVM_GET_DIRTY_LOG, NULL), EFAULT);
}

static int clear_log(struct vm *vm, u32 slot, u64 first, u32 pages, u64 *bitmap)
{
	struct kvm_clear_dirty_log log = {
		.slot = slot, .num_pages = pages, .first_page = first,
		.dirty_bitmap = bitmap,
	};

	return ioctl(vm->fd, KVM_CLEAR_DIRTY_LOG, &log);
}

static u64 manual_protect(struct vm *vm, u64 flags)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args[0] = flags,
	};

	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

TEST(manual, "MANUAL_DIRTY_LOG_PROTECT2: GET leaves the bits, CLEAR takes those given")
{
	struct vcpu *v = start(0);
	struct vm *vm = v->vm;
	u64 bitmap[WORDS], mask[WORDS];

	if (!kvm_cap(vm->fd, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2))
		tap_skip("no KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2");
	ASSERT_OK(manual_protect(vm, 1));
	ASSERT_OK(vm_slot(vm, 1, 0, 0, 0, NULL));
	vm_map(vm, 1, GPA, PAGES * 0x1000ul, KVM_MEM_LOG_DIRTY_PAGES);
	warm_up(v, true);
	memset(mask, 0xff, sizeof(mask));
	ASSERT_OK(clear_log(vm, 1, 0, PAGES, mask));
	vcpu_expect_sync(v, 0);
	ASSERT_OK(get_log(vm, 1, bitmap));
	expect_stride(bitmap, 3);
	ASSERT_OK(get_log(vm, 1, bitmap));
	expect_stride(bitmap, 3);

	/* clear pages 64..127 only */
	mask[0] = bitmap[1];
	ASSERT_OK(clear_log(vm, 1, 64, 64, mask));
	ASSERT_OK(get_log(vm, 1, bitmap));
	EXPECT_EQ(bitmap[1], 0);
	EXPECT(bitmap[0] && bitmap[2]);

	/* all, then written again */
	memset(mask, 0xff, sizeof(mask));
	ASSERT_OK(clear_log(vm, 1, 0, PAGES, mask));
	ASSERT_OK(get_log(vm, 1, bitmap));
	expect_clean(bitmap);
	vcpu_expect_sync(v, 1);
	ASSERT_OK(get_log(vm, 1, bitmap));
	expect_stride(bitmap, 3);

	/* rules of first_page and num_pages */
	EXPECT_ERRNO(clear_log(vm, 1, 1, 64, mask), EINVAL);
	EXPECT_ERRNO(clear_log(vm, 1, 0, 63, mask), EINVAL);
	EXPECT_ERRNO(clear_log(vm, 1, 0, PAGES + 64, mask), EINVAL);
	EXPECT_ERRNO(clear_log(vm, 1, PAGES + 64, 64, mask), EINVAL);
	EXPECT_ERRNO(clear_log(vm, 1, ~63ull, 64, mask), EINVAL);
	EXPECT_ERRNO(clear_log(vm, 7, 0, 64, mask), ENOENT);
	EXPECT_ERRNO(clear_log(vm, 0xffff, 0, 64, mask), EINVAL);
	EXPECT_ERRNO(clear_log(vm, 1, 0, 64, (u64 *)8), EFAULT);
	ASSERT_OK(get_log(vm, 1, bitmap));
	expect_stride(bitmap, 3);
}

TEST(initially_set, "DIRTY_LOG_INITIALLY_SET: a newly logged slot starts all dirty")
{
	struct vcpu *v = start(0);
	struct vm *vm = v->vm;
	u64 bitmap[WORDS];

	if (!(kvm_cap(vm->fd, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) & 2))
		tap_skip("no KVM_DIRTY_LOG_INITIALLY_SET");
	EXPECT_ERRNO(manual_protect(vm, 4), EINVAL);
	EXPECT_ERRNO(manual_protect(vm, 2), EINVAL);
	ASSERT_OK(manual_protect(vm, 3));
	ASSERT_OK(vm_slot(vm, 1, 0, 0, 0, NULL));
	vm_map(vm, 1, GPA, PAGES * 0x1000ul, KVM_MEM_LOG_DIRTY_PAGES);
	ASSERT_OK(get_log(vm, 1, bitmap));
	for (u32 i = 0; i < WORDS; i++)
		EXPECT_EQ(bitmap[i], ~0ull);
	ASSERT_OK(clear_log(vm, 1, 0, PAGES, bitmap));
	warm_up(v, true);
	memset(bitmap, 0xff, sizeof(bitmap));
	ASSERT_OK(clear_log(vm, 1, 0, PAGES, bitmap));
	vcpu_expect_sync(v, 0);
	ASSERT_OK(get_log(vm, 1, bitmap));
	expect_stride(bitmap, 3);
}

TEST(kernel_writes, "what KVM itself writes for the guest (kvmclock) is logged too")
{
	void g_clock(void);
	struct vcpu *v = vm_guest(false, g_clock);
	u64 bitmap[1] = {};

	vm_map(v->vm, 1, GPA, 64 * 0x1000, KVM_MEM_LOG_DIRTY_PAGES);
	vcpu_expect_sync(v, 1);
	ASSERT_OK(get_log(v->vm, 1, bitmap));
	EXPECT_EQ(bitmap[0], 1ull << 9);
}

void g_clock(void);
void g_clock(void)
{
	wrmsr(MSR_KVM_SYSTEM_TIME_NEW, (GPA + 9 * 0x1000) | 1);
	guest_sync(1);
	guest_done();
}

TEST(rewrite, "a page that was logged and read keeps what the guest wrote")
{
	struct vcpu *v = start(KVM_MEM_LOG_DIRTY_PAGES);
	u64 bitmap[WORDS];
	volatile u64 *p;
	void *mem;

	ASSERT_OK(vm_slot(v->vm, 1, 0, 0, 0, NULL));
	mem = vm_map(v->vm, 1, GPA, PAGES * 0x1000ul, KVM_MEM_LOG_DIRTY_PAGES);
	warm_up(v, true);
	for (u64 round = 0; round < 5; round++) {
		vcpu_expect_sync(v, round);
		ASSERT_OK(get_log(v->vm, 1, bitmap));
		for (u32 i = 0; i < PAGES; i += 3) {
			p = (u64 *)((u8 *)mem + i * 0x1000ul + 8 * (i % 512));
			ASSERT_EQ(*p, round);
		}
	}
}
