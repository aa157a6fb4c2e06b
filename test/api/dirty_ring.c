// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty rings: KVM_CAP_DIRTY_LOG_RING, KVM_RESET_DIRTY_RINGS, KVM_EXIT_DIRTY_RING_FULL.
 */
#include <sys/mman.h>

#include "guest.h"

#define LOGGED		0x40000000ull	/* slot 5, logged */
#define PAGE		4096
#define PAGES		2048
#define RING_OFFSET	(64 * PAGE)	/* KVM_DIRTY_LOG_PAGE_OFFSET */

static int enable(struct vm *vm, u64 bytes)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_DIRTY_LOG_RING_ACQ_REL, .args = { bytes },
	};

	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

static volatile u64 g_pages, g_stride;

/* Writes @g_pages pages, says so, and does it again. */
static void g_write(void)
{
	for (u64 round = 1;; round++) {
		for (u64 i = 0; i < g_pages; i++)
			*(volatile u64 *)(LOGGED + i * g_stride * PAGE) = round;
		guest_sync(round);
	}
}

static struct kvm_dirty_gfn *ring;
static u32 ring_size, ring_next;

static struct vcpu *ring_vm(u32 entries, u64 pages, u64 stride)
{
	struct vm *vm = vm_new();
	struct vcpu *v;

	if (!kvm_cap(vm->fd, KVM_CAP_DIRTY_LOG_RING_ACQ_REL))
		tap_skip("no KVM_CAP_DIRTY_LOG_RING_ACQ_REL");
	ring_size = entries;
	ASSERT_OK(enable(vm, entries * sizeof(*ring)));
	v = vcpu_new(vm, 0);
	g_pages = pages;
	g_stride = stride;
	vm_map(vm, 5, LOGGED, PAGES * PAGE, KVM_MEM_LOG_DIRTY_PAGES);
	vcpu_long(v, g_write);
	ring = mmap(NULL, entries * sizeof(*ring), PROT_READ | PROT_WRITE, MAP_SHARED, v->fd,
		    RING_OFFSET);
	ASSERT(ring != MAP_FAILED);
	return v;
}

/* Collect what is there; count[] by page. */
static u32 collect(u8 *count)
{
	u32 n = 0;

	for (;; n++) {
		struct kvm_dirty_gfn *e = &ring[ring_next % ring_size];

		if (__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) != KVM_DIRTY_GFN_F_DIRTY)
			return n;
		ASSERT_EQ(e->slot, 5);
		ASSERT(e->offset < PAGES, "offset %llu", e->offset);
		count[e->offset]++;
		__atomic_store_n(&e->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
		ring_next++;
	}
}

TEST(ring_enable, "dirty ring sizes: powers of two from a page to the capability's value, before any vCPU")
{
	struct vm *vm = vm_bare();
	long max = kvm_cap(vm->fd, KVM_CAP_DIRTY_LOG_RING_ACQ_REL);
	struct kvm_enable_cap cap = { .cap = KVM_CAP_DIRTY_LOG_RING_ACQ_REL, .flags = 1,
				      .args = { 65536 } };
	struct vm *other;

	if (!max)
		tap_skip("no KVM_CAP_DIRTY_LOG_RING_ACQ_REL");
	EXPECT_EQ(kvm_cap(vm->fd, KVM_CAP_DIRTY_LOG_RING), max);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_RESET_DIRTY_RINGS, 0), EINVAL);
	EXPECT_ERRNO(enable(vm, 0), EINVAL);
	EXPECT_ERRNO(enable(vm, 65536 + 16), EINVAL);
	EXPECT_ERRNO(enable(vm, 1024), EINVAL);
	EXPECT(enable(vm, max * 2) == -1);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	EXPECT_OK(enable(vm, max));
	EXPECT_ERRNO(enable(vm, max), EINVAL);
	EXPECT_EQ(ioctl(vm->fd, KVM_RESET_DIRTY_RINGS, 0), 0);

	other = vm_bare();
	vcpu_bare(other, 0);
	EXPECT_ERRNO(enable(other, 65536), EINVAL);
}

TEST(ring_instead, "with dirty rings there are no bitmaps: KVM_GET_DIRTY_LOG, _CLEAR_DIRTY_LOG are ENXIO")
{
	struct vcpu *v = ring_vm(1024, 1, 1);
	static u64 bitmap[PAGES / 64];
	struct kvm_dirty_log get = { .slot = 5, .dirty_bitmap = bitmap };
	struct kvm_clear_dirty_log clear = { .slot = 5, .num_pages = 64, .dirty_bitmap = bitmap };

	EXPECT_ERRNO(ioctl(v->vm->fd, KVM_GET_DIRTY_LOG, &get), ENXIO);
	EXPECT_ERRNO(ioctl(v->vm->fd, KVM_CLEAR_DIRTY_LOG, &clear), ENXIO);
}

TEST(ring_mmap, "a dirty ring can be mapped shared and not executable")
{
	struct vcpu *v = ring_vm(1024, 1, 1);
	size_t len = 1024 * sizeof(*ring);

	EXPECT(mmap(NULL, len, PROT_READ, MAP_PRIVATE, v->fd, RING_OFFSET) == MAP_FAILED);
	EXPECT(mmap(NULL, len, PROT_READ | PROT_EXEC, MAP_SHARED, v->fd, RING_OFFSET) ==
	       MAP_FAILED);
	EXPECT(mmap(NULL, len, PROT_READ, MAP_SHARED, v->fd, RING_OFFSET) != MAP_FAILED);
}

TEST(ring_log, "pages are logged once, and again after KVM_RESET_DIRTY_RINGS")
{
	struct vcpu *v = ring_vm(1024, 100, 3);
	static u8 count[PAGES];

	vcpu_expect_sync(v, 1);
	EXPECT_EQ(collect(count), 100);
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(count[i * 3], 1);
	/* collected, but not taken back: still writable */
	vcpu_expect_sync(v, 2);
	EXPECT_EQ(collect(count), 0);
	EXPECT_EQ(ioctl(v->vm->fd, KVM_RESET_DIRTY_RINGS, 0), 100);
	EXPECT_EQ(ioctl(v->vm->fd, KVM_RESET_DIRTY_RINGS, 0), 0);
	vcpu_expect_sync(v, 3);
	EXPECT_EQ(collect(count), 100);
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(count[i * 3], 2);
}

TEST(ring_full, "KVM_EXIT_DIRTY_RING_FULL, until user space has collected; no page is lost")
{
	struct vcpu *v = ring_vm(1024, PAGES, 1);
	static u8 count[PAGES];
	u32 fulls = 0, n = 0;

	while (vcpu_next(v) != GUEST_SYNC) {
		ASSERT_EQ(v->run->exit_reason, KVM_EXIT_DIRTY_RING_FULL);
		/* it stays full */
		vcpu_expect_exit(v, KVM_EXIT_DIRTY_RING_FULL);
		n += collect(count);
		/* collected is not enough */
		vcpu_expect_exit(v, KVM_EXIT_DIRTY_RING_FULL);
		ASSERT(ioctl(v->vm->fd, KVM_RESET_DIRTY_RINGS, 0) > 0);
		fulls++;
	}
	n += collect(count);
	EXPECT(fulls >= 2, "%u", fulls);
	/* one that was logged before its write, and taken back, is logged again by it */
	EXPECT(n >= PAGES && n <= PAGES + fulls, "%u logged, %u times full", n, fulls);
	for (int i = 0; i < PAGES; i++)
		ASSERT(count[i], "page %d is not logged", i);
}

TEST(ring_hostile, "nonsense in a ring's entries is taken back like anything else, and the VM goes on")
{
	struct vcpu *v = ring_vm(1024, 50, 1);
	static u8 count[PAGES];

	vcpu_expect_sync(v, 1);
	for (int i = 0; i < 50; i++) {
		ring[i].slot = i & 1 ? -1 - i : 5 + i;
		ring[i].offset = ~0ull >> i;
		ring[i].flags = KVM_DIRTY_GFN_F_RESET;
	}
	/* more than was ever written */
	for (int i = 50; i < 1024; i++)
		ring[i].flags = KVM_DIRTY_GFN_F_RESET;
	EXPECT_EQ(ioctl(v->vm->fd, KVM_RESET_DIRTY_RINGS, 0), 50);
	vcpu_expect_sync(v, 2);
	ring_next = 50;
	for (int i = 50; i < 1024; i++)
		ring[i].flags = 0;
	EXPECT_EQ(collect(count), 0);
}
