// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory is the process's memory: what the host does to it (drop, copy on
 * write after fork, huge pages and back, hole punching) shows in the guest at
 * once, and nothing of the guest's is lost. See also test/api/memslot.c.
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define REGION		0x2000000ull	/* 32 MiB on: above the harness's RAM */
#define REGION_SIZE	0x800000ull
#define PAGES		(REGION_SIZE / 4096)
#define SLOT		7

static void *region(struct vm *vm, int fd)
{
	/* aligned to 2 MiB, so that large pages can be used where there are any */
	u8 *p = mmap(NULL, REGION_SIZE + 0x200000, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ASSERT(p != MAP_FAILED);
	p = (u8 *)(((uintptr_t)p + 0x1fffff) & ~0x1ffffful);
	p = mmap(p, REGION_SIZE, PROT_READ | PROT_WRITE,
		 MAP_FIXED | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED), fd, 0);
	ASSERT(p != MAP_FAILED);
	ASSERT_OK(vm_slot(vm, SLOT, 0, REGION, REGION_SIZE, p));
	return p;
}

static inline volatile u64 *page(u64 n)
{
	return (volatile u64 *)(REGION + n * 4096);
}

/* ---- what the host drops -------------------------------------------------- */

static void g_dropped(void)
{
	for (u64 n = 0; n < PAGES; n++)
		*page(n) = n + 1;
	guest_sync(1);
	for (u64 n = 0; n < PAGES; n++)
		GUEST_EQ(*page(n), n >= 100 && n < 700 ? 0 : n + 1);
	for (u64 n = 0; n < PAGES; n++)
		*page(n) = 2 * n;
	guest_done();
}

static void drop_and_check(struct vm *vm, u64 *mem, int fd)
{
	struct vcpu *vcpu = vm->vcpus[0];

	vcpu_expect_sync(vcpu, 1);
	for (u64 n = 0; n < PAGES; n++)
		EXPECT_EQ(mem[n * 512], n + 1);
	if (fd < 0)
		ASSERT_OK(madvise(mem + 100 * 512, 600 * 4096, MADV_DONTNEED));
	else
		ASSERT_OK(madvise(mem + 100 * 512, 600 * 4096, MADV_REMOVE));
	vcpu_finish(vcpu);
	for (u64 n = 0; n < PAGES; n++)
		EXPECT_EQ(mem[n * 512], 2 * n);
}

TEST(dropped, "pages that the process drops (MADV_DONTNEED) are zero in the guest")
{
	struct vcpu *vcpu = vm_guest(false, g_dropped);

	drop_and_check(vcpu->vm, region(vcpu->vm, -1), -1);
}

TEST(huge, "the same in memory of 2 MiB pages, which are split by it")
{
	struct vcpu *vcpu = vm_guest(false, g_dropped);
	void *mem = region(vcpu->vm, -1);

	if (madvise(mem, REGION_SIZE, MADV_HUGEPAGE))
		tap_skip("no transparent huge pages on this host");
	drop_and_check(vcpu->vm, mem, -1);
}

TEST(punched, "a hole punched into a memfd is zero in the guest")
{
	struct vcpu *vcpu = vm_guest(false, g_dropped);
	int fd = memfd_create("guest", 0);

	if (fd < 0 || ftruncate(fd, REGION_SIZE))
		tap_skip("no memfd on this host");
	drop_and_check(vcpu->vm, region(vcpu->vm, fd), fd);
}

/* ---- what the host moves ---------------------------------------------------- */

/* g_stop: by the host; g_rounds: for it. */
static volatile u64 g_stop, g_rounds[2];

#define STRIDE	16	/* all pages would take nested emulation minutes */

/* Each vCPU counts in its half of the pages, and never finds an old value. */
static void g_count(void)
{
	u64 me = this_cpu()->id, round;

	sti();	/* docs/tests.md: a guest that spins */
	for (round = 1; !g_stop; round++) {
		for (u64 n = me * PAGES / 2; n < (me + 1) * PAGES / 2; n += STRIDE) {
			GUEST_EQ(*page(n), round - 1);
			*page(n) = round;
		}
		g_rounds[me] = round;
	}
	guest_done();
}

static void counting_under(void (*shake)(void *mem), bool huge)
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_mp_state run = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct vcpu *v[2] = { vcpu_new(vm, 0), vcpu_new(vm, 1) };
	u64 *mem = region(vm, -1);

	if (huge && madvise(mem, REGION_SIZE, MADV_HUGEPAGE))
		tap_skip("no transparent huge pages on this host");
	for (int i = 0; i < 2; i++) {
		vcpu_long(v[i], g_count);
		ASSERT_OK(ioctl(v[i]->fd, KVM_SET_MP_STATE, &run));
	}
	for (int i = 0; i < 2; i++)
		vcpu_start(v[i]);
	shake(mem);
	*IN_GUEST(vm, g_stop) = 1;
	for (int i = 0; i < 2; i++)
		vcpu_join(v[i]);
	for (u64 n = 0; n < PAGES; n += STRIDE)
		EXPECT_EQ(mem[n * 512], (*IN_GUEST(vm, g_rounds))[n / (PAGES / 2)]);
	EXPECT((*IN_GUEST(vm, g_rounds))[0] > 1);
}

/* A fork makes all pages copy-on-write: each moves at the guest's next write. */
static void shake_fork(void *mem)
{
	for (int i = 0; i < 25; i++) {
		pid_t pid = fork();

		ASSERT(pid >= 0);
		if (!pid) {
			/* keeps the old pages, so that writes to them would show */
			u64 sum[2] = { 0, 0 };

			for (int k = 0; k < 2; k++) {
				for (u64 n = 0; n < PAGES; n += STRIDE)
					sum[k] += ((volatile u64 *)mem)[n * 512];
				usleep(20000);
			}
			_exit(sum[0] == sum[1] ? 0 : 1);
		}
		int status;

		ASSERT(waitpid(pid, &status, 0) == pid);
		EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		       "the guest wrote to pages of a forked child");
	}
}

TEST_LIMIT(forked, 90, "fork while two vCPUs write: they move to new pages, the child's stay")
{
	counting_under(shake_fork, false);
}

TEST_LIMIT(forked_huge, 90, "the same with 2 MiB pages")
{
	counting_under(shake_fork, true);
}

static void shake_advice(void *mem)
{
	for (int i = 0; i < 100; i++) {
		madvise(mem, REGION_SIZE, MADV_COLD);
		madvise(mem, REGION_SIZE, i & 1 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
		madvise(mem, REGION_SIZE, 25 /* MADV_COLLAPSE */);
		madvise(mem, REGION_SIZE, MADV_PAGEOUT);
		madvise(mem, REGION_SIZE, MADV_MERGEABLE);
		madvise(mem, REGION_SIZE, MADV_UNMERGEABLE);
		usleep(5000);
	}
}

TEST_LIMIT(advised, 90, "aged, collapsed to large pages, paged out, split, while two vCPUs write")
{
	counting_under(shake_advice, false);
}

/* ---- what the host takes away ----------------------------------------------- */

TEST_LIMIT(reslot, 60, "a slot deleted and made again 200 times while a vCPU writes to it")
{
	struct vm *vm = vm_new_irqchip();
	struct vcpu *vcpu = vcpu_new(vm, 0);
	u8 *mem = region(vm, -1);
	unsigned int exits = 0;

	vcpu_long(vcpu, g_count);
	for (int i = 0; i < 200; i++) {
		ASSERT_OK(vm_slot(vm, SLOT, 0, REGION, 0, mem));
		ASSERT(vcpu_run_for(vcpu, 1000), "no exit, though the memory is gone");
		ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
		ASSERT_OK(vm_slot(vm, SLOT, i % 3 == 0 ? KVM_MEM_LOG_DIRTY_PAGES : 0,
				  REGION, REGION_SIZE, mem));
		/* the access that was under way ends as user space says */
		if (!vcpu->run->mmio.is_write)
			memcpy(vcpu->run->mmio.data, mem + vcpu->run->mmio.phys_addr - REGION, 8);
		else
			memcpy(mem + vcpu->run->mmio.phys_addr - REGION, vcpu->run->mmio.data, 8);
		vcpu_run_for(vcpu, 5);
		exits++;
	}
	EXPECT_EQ(exits, 200);
}
