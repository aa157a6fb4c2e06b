// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest accesses that user space hears of without an exit (ioeventfd) or later
 * (coalesced MMIO and PIO).
 */
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define PORT	0x1234
#define MMIO	GPA_NONE

static int io_eventfd(struct vm *vm, int fd, u64 addr, u32 len, u32 flags,
		      u64 match)
{
	struct kvm_ioeventfd e = {
		.fd = fd, .addr = addr, .len = len, .flags = flags,
		.datamatch = match,
	};

	return ioctl(vm->fd, KVM_IOEVENTFD, &e);
}

#define PIO		KVM_IOEVENTFD_FLAG_PIO
#define MATCH		KVM_IOEVENTFD_FLAG_DATAMATCH
#define DEASSIGN	KVM_IOEVENTFD_FLAG_DEASSIGN

TEST(lengths, "KVM_IOEVENTFD: lengths 1, 2, 4, 8, and 0 for any; others EINVAL")
{
	static const u32 good[] = { 1, 2, 4, 8, 0 }, bad[] = { 3, 5, 6, 7, 9, 16, ~0u };
	struct vm *vm = vm_bare();

	for (u32 i = 0; i < ARRAY_SIZE(good); i++)
		EXPECT_OK(io_eventfd(vm, eventfd(0, 0), MMIO + i * 16, good[i], 0, 0));
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_ERRNO(io_eventfd(vm, eventfd(0, 0), MMIO, bad[i], 0, 0), EINVAL);
	EXPECT_ERRNO(io_eventfd(vm, eventfd(0, 0), MMIO + 99, 0, MATCH, 0), EINVAL);
}

TEST(bad, "KVM_IOEVENTFD: bad flags, files, wrapping addresses, pointers")
{
	struct vm *vm = vm_bare();
	int p[2];

	ASSERT_OK(pipe(p));
	EXPECT_ERRNO(io_eventfd(vm, eventfd(0, 0), MMIO, 4, 1u << 31, 0), EINVAL);
	EXPECT_ERRNO(io_eventfd(vm, eventfd(0, 0), ~0ull, 8, 0, 0), EINVAL);
	EXPECT_ERRNO(io_eventfd(vm, -1, MMIO, 4, 0, 0), EBADF);
	EXPECT_ERRNO(io_eventfd(vm, p[0], MMIO, 4, 0, 0), EINVAL);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_IOEVENTFD, NULL), EFAULT);
}

TEST(duplicate, "KVM_IOEVENTFD: the same address and value twice is EEXIST")
{
	struct vm *vm = vm_bare();
	int a = eventfd(0, 0), b = eventfd(0, 0);

	ASSERT_OK(io_eventfd(vm, a, MMIO, 4, MATCH, 1));
	EXPECT_OK(io_eventfd(vm, b, MMIO, 4, MATCH, 2));
	EXPECT_ERRNO(io_eventfd(vm, b, MMIO, 4, MATCH, 1), EEXIST);
	EXPECT_ERRNO(io_eventfd(vm, b, MMIO, 4, 0, 0), EEXIST);	/* a wildcard */
	ASSERT_OK(io_eventfd(vm, a, PORT, 2, PIO, 0));
	EXPECT_ERRNO(io_eventfd(vm, b, PORT, 2, PIO | MATCH, 7), EEXIST);
	EXPECT_OK(io_eventfd(vm, b, PORT, 4, PIO | MATCH, 7));	/* another length */
}

TEST(deassign, "KVM_IOEVENTFD: deassign needs the same file, address, length and value")
{
	struct vm *vm = vm_bare();
	int a = eventfd(0, 0), b = eventfd(0, 0);

	ASSERT_OK(io_eventfd(vm, a, MMIO, 4, MATCH, 1));
	EXPECT_ERRNO(io_eventfd(vm, b, MMIO, 4, MATCH | DEASSIGN, 1), ENOENT);
	EXPECT_ERRNO(io_eventfd(vm, a, MMIO + 4, 4, MATCH | DEASSIGN, 1), ENOENT);
	EXPECT_ERRNO(io_eventfd(vm, a, MMIO, 2, MATCH | DEASSIGN, 1), ENOENT);
	EXPECT_ERRNO(io_eventfd(vm, a, MMIO, 4, MATCH | DEASSIGN, 2), ENOENT);
	EXPECT_ERRNO(io_eventfd(vm, a, MMIO, 4, DEASSIGN, 0), ENOENT);
	EXPECT_ERRNO(io_eventfd(vm, a, MMIO, 4, PIO | MATCH | DEASSIGN, 1), ENOENT);
	EXPECT_OK(io_eventfd(vm, a, MMIO, 4, MATCH | DEASSIGN, 1));
	EXPECT_ERRNO(io_eventfd(vm, a, MMIO, 4, MATCH | DEASSIGN, 1), ENOENT);
	EXPECT_OK(io_eventfd(vm, b, MMIO, 4, MATCH, 1));
}

TEST(many, "hundreds of ioeventfds; ENOSPC at the bus's limit; all go with the VM")
{
	struct vm *vm = vm_bare();
	int e = eventfd(0, 0), i;

	for (i = 0; i < 5000; i++) {
		if (io_eventfd(vm, e, MMIO + i * 8ull, 4, 0, 0) < 0)
			break;
	}
	EXPECT(i >= 500, "%d", i);
	if (i < 5000)
		EXPECT_EQ(errno, ENOSPC);
}

static u64 count_of(int fd)
{
	u64 n = 0;

	if (read(fd, &n, 8) != 8)
		return 0;
	return n;
}

static void g_kick(void)
{
	outw(PORT, 1);		/* no exit for the first two */
	outw(PORT, 1);
	outw(PORT, 2);		/* the value does not match: exit */
	outb(PORT, 1);		/* the length does not match: exit */
	*(volatile u32 *)MMIO = 5;
	*(volatile u32 *)MMIO = 6;	/* exit */
	*(volatile u8 *)(MMIO + 16) = 1;	/* wildcard of any length */
	*(volatile u64 *)(MMIO + 16) = 1;
	*(volatile u16 *)(MMIO + 32) = 99;	/* 2 bytes, any value */
	guest_done();
}

TEST(hit, "guest writes that match are counted, and make no exit; others do")
{
	struct vcpu *v = vm_guest(false, g_kick);
	struct vm *vm = v->vm;
	int pio = eventfd(0, EFD_NONBLOCK), match = eventfd(0, EFD_NONBLOCK);
	int any = eventfd(0, EFD_NONBLOCK), two = eventfd(0, EFD_NONBLOCK);

	ASSERT_OK(io_eventfd(vm, pio, PORT, 2, PIO | MATCH, 1));
	ASSERT_OK(io_eventfd(vm, match, MMIO, 4, MATCH, 5));
	ASSERT_OK(io_eventfd(vm, any, MMIO + 16, 0, 0, 0));
	ASSERT_OK(io_eventfd(vm, two, MMIO + 32, 2, 0, 0));

	vcpu_expect_exit(v, KVM_EXIT_IO);
	EXPECT_EQ(v->run->io.port, PORT);
	EXPECT_EQ(v->run->io.size, 2);
	EXPECT_EQ(count_of(pio), 2);
	vcpu_expect_exit(v, KVM_EXIT_IO);
	EXPECT_EQ(v->run->io.size, 1);
	vcpu_expect_exit(v, KVM_EXIT_MMIO);
	EXPECT_EQ(v->run->mmio.phys_addr, MMIO);
	EXPECT_EQ(v->run->mmio.data[0], 6);
	EXPECT_EQ(count_of(match), 1);
	vcpu_finish(v);
	EXPECT_EQ(count_of(any), 2);
	EXPECT_EQ(count_of(two), 1);
	EXPECT_EQ(count_of(pio), 0);
}

static void g_read_back(void)
{
	guest_sync(*(volatile u32 *)MMIO);
	guest_sync(inw(PORT));
	guest_done();
}

TEST(reads, "an ioeventfd takes writes only: reads of its address exit")
{
	struct vcpu *v = vm_guest(false, g_read_back);
	int e = eventfd(0, EFD_NONBLOCK);

	ASSERT_OK(io_eventfd(v->vm, e, MMIO, 4, 0, 0));
	ASSERT_OK(io_eventfd(v->vm, e, PORT, 2, PIO, 0));
	vcpu_expect_exit(v, KVM_EXIT_MMIO);
	*(u32 *)v->run->mmio.data = 123;
	vcpu_expect_sync(v, 123);
	vcpu_expect_exit(v, KVM_EXIT_IO);
	*(u16 *)((u8 *)v->run + v->run->io.data_offset) = 456;
	vcpu_expect_sync(v, 456);
	EXPECT_EQ(count_of(e), 0);
}

TEST(gone, "after deassign the guest's write exits again")
{
	struct vcpu *v = vm_guest(false, g_kick);
	int e = eventfd(0, EFD_NONBLOCK);

	ASSERT_OK(io_eventfd(v->vm, e, PORT, 2, PIO | MATCH, 1));
	ASSERT_OK(io_eventfd(v->vm, e, PORT, 2, PIO | MATCH | DEASSIGN, 1));
	vcpu_expect_exit(v, KVM_EXIT_IO);
	EXPECT_EQ(*(u16 *)((u8 *)v->run + v->run->io.data_offset), 1);
	EXPECT_EQ(count_of(e), 0);
}

static int zone(struct vm *vm, unsigned long request, u64 addr, u32 size, u32 pio)
{
	struct kvm_coalesced_mmio_zone z = {
		.addr = addr, .size = size, .pio = pio,
	};

	return ioctl(vm->fd, request, &z);
}

static struct kvm_coalesced_mmio_ring *ring_of(struct vcpu *v)
{
	int page = kvm_cap(v->vm->fd, KVM_CAP_COALESCED_MMIO);

	ASSERT(page > 0);
	return (void *)((u8 *)v->run + page * 4096);
}

#define RING_MAX ((4096 - sizeof(struct kvm_coalesced_mmio_ring)) / \
		  sizeof(struct kvm_coalesced_mmio))

static void g_coalesced(void)
{
	*(volatile u8 *)(MMIO + 1) = 0x11;
	*(volatile u16 *)(MMIO + 2) = 0x2222;
	*(volatile u32 *)(MMIO + 4) = 0x44444444;
	*(volatile u64 *)(MMIO + 8) = 0x8888888888888888ul;
	outb(PORT, 0x77);
	guest_sync(1);
	*(volatile u32 *)(MMIO + 0x1000 - 2) = 1;	/* half outside the zone */
	for (u32 i = 0;; i++)
		*(volatile u32 *)MMIO = i;
}

TEST(coalesced, "coalesced MMIO and PIO: writes are in the ring, in order, without exits")
{
	struct vcpu *v = vm_guest(false, g_coalesced);
	struct kvm_coalesced_mmio_ring *ring = ring_of(v);
	bool pio = kvm_cap(v->vm->fd, KVM_CAP_COALESCED_PIO) > 0;

	ASSERT_OK(zone(v->vm, KVM_REGISTER_COALESCED_MMIO, MMIO, 0x1000, 0));
	if (pio)
		ASSERT_OK(zone(v->vm, KVM_REGISTER_COALESCED_MMIO, PORT, 1, 1));
	else
		vcpu_expect_exit(v, KVM_EXIT_IO);
	vcpu_expect_sync(v, 1);
	EXPECT_EQ(ring->first, 0);
	EXPECT_EQ(ring->last, pio ? 5 : 4);
	EXPECT_EQ(ring->coalesced_mmio[0].phys_addr, MMIO + 1);
	EXPECT_EQ(ring->coalesced_mmio[0].len, 1);
	EXPECT_EQ(ring->coalesced_mmio[0].data[0], 0x11);
	EXPECT_EQ(ring->coalesced_mmio[1].len, 2);
	EXPECT_EQ(*(u16 *)ring->coalesced_mmio[1].data, 0x2222);
	EXPECT_EQ(ring->coalesced_mmio[2].len, 4);
	EXPECT_EQ(*(u32 *)ring->coalesced_mmio[2].data, 0x44444444);
	EXPECT_EQ(ring->coalesced_mmio[3].phys_addr, MMIO + 8);
	EXPECT_EQ(ring->coalesced_mmio[3].len, 8);
	EXPECT_EQ(*(u64 *)ring->coalesced_mmio[3].data, 0x8888888888888888ul);
	if (pio) {
		EXPECT_EQ(ring->coalesced_mmio[4].phys_addr, PORT);
		EXPECT_EQ(ring->coalesced_mmio[4].pio, 1);
		EXPECT_EQ(ring->coalesced_mmio[4].data[0], 0x77);
	}
}

TEST(ring_full, "a full coalesced ring makes the write exit, and none is lost")
{
	struct vcpu *v = vm_guest(false, g_coalesced);
	struct kvm_coalesced_mmio_ring *ring = ring_of(v);
	u32 expected = 0, rounds = 0;

	ASSERT_OK(zone(v->vm, KVM_REGISTER_COALESCED_MMIO, MMIO, 0x1000, 0));
	vcpu_expect_exit(v, KVM_EXIT_IO);
	vcpu_expect_sync(v, 1);
	vcpu_expect_exit(v, KVM_EXIT_MMIO);	/* that leaves the zone */
	ring->first = ring->last;
	while (rounds < 4) {
		vcpu_expect_exit(v, KVM_EXIT_MMIO);
		if (v->run->mmio.phys_addr != MMIO)
			continue;	/* the rest of the one above */
		while (ring->first != ring->last) {
			struct kvm_coalesced_mmio *m =
				&ring->coalesced_mmio[ring->first];

			ASSERT_EQ(m->phys_addr, MMIO);
			ASSERT_EQ(*(u32 *)m->data, expected);
			expected++;
			ring->first = (ring->first + 1) % RING_MAX;
		}
		ASSERT_EQ(*(u32 *)v->run->mmio.data, expected);
		expected++;
		rounds++;
	}
	EXPECT(expected > 2 * RING_MAX);
}

TEST(ring_hostile, "indices that user space corrupts in the ring do no harm (CVE-2019-14821)")
{
	static const u32 evil[] = { RING_MAX, RING_MAX + 1, 0x7fffffff, 0x80000000,
				    0xffffffff, 0xfffffffe, 4096 };
	struct vcpu *v = vm_guest(false, g_coalesced);
	struct kvm_coalesced_mmio_ring *ring = ring_of(v);

	ASSERT_OK(zone(v->vm, KVM_REGISTER_COALESCED_MMIO, MMIO, 0x1000, 0));
	vcpu_expect_exit(v, KVM_EXIT_IO);
	vcpu_expect_sync(v, 1);
	vcpu_expect_exit(v, KVM_EXIT_MMIO);
	for (u32 i = 0; i < ARRAY_SIZE(evil); i++) {
		for (u32 j = 0; j < 3; j++) {
			ring->last = j == 1 ? 0 : evil[i];
			ring->first = j == 2 ? 0 : evil[i];
			/* It may spin (never full) or exit, and nothing else. */
			if (vcpu_run_for(v, 20))
				EXPECT_EQ(v->run->exit_reason, KVM_EXIT_MMIO);
		}
	}
}

TEST(zones, "coalesced zones: unregister, bad pio values, too many")
{
	struct vm *vm = vm_bare();
	int i;

	vcpu_bare(vm, 0);
	EXPECT_OK(zone(vm, KVM_REGISTER_COALESCED_MMIO, MMIO, 0x1000, 0));
	EXPECT_OK(zone(vm, KVM_UNREGISTER_COALESCED_MMIO, MMIO, 0x1000, 0));
	EXPECT_OK(zone(vm, KVM_UNREGISTER_COALESCED_MMIO, MMIO, 0x1000, 0));
	EXPECT_ERRNO(zone(vm, KVM_REGISTER_COALESCED_MMIO, MMIO, 0x1000, 2), EINVAL);
	EXPECT_ERRNO(zone(vm, KVM_UNREGISTER_COALESCED_MMIO, MMIO, 0x1000, 2), EINVAL);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_REGISTER_COALESCED_MMIO, NULL), EFAULT);
	for (i = 0; i < 5000; i++) {
		if (zone(vm, KVM_REGISTER_COALESCED_MMIO, MMIO + i * 8ull, 8, 0) < 0)
			break;
	}
	EXPECT(i >= 100);
	if (i < 5000)
		EXPECT_EQ(errno, ENOSPC);
}
