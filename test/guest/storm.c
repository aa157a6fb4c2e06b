// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile guest: four vCPUs rewrite at random the tables that all of them use
 * (tables that name themselves and each other, devices, reserved bits, large pages, what
 * lies past the end of memory), while the process drops its memory, and slots come and
 * go. Nobody expects an answer of it, but an end, after 15 seconds or STORM (docs/tests.md).
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define P	1ull
#define W	2ull
#define U	4ull
#define PS	0x80ull

#define VCPUS	4
#define VA	0x8000000000ul		/* by entry 1 of the PML4 and table 0 */
#define TABLES	12
#define TABLE(n) (GPA_FREE + (n) * 0x1000ul)
#define PAGES	256
#define PAGE(n)	(0x200000ul + (n) * 0x1000ul)
#define SLOT	7
#define REGION	0x2000000ul		/* in the slot that comes and goes */
#define REGION_SIZE 0x200000ul

static volatile u64 g_stop, g_turns[VCPUS];

static u64 next(u64 *seed)
{
	*seed ^= *seed << 13, *seed ^= *seed >> 7, *seed ^= *seed << 17;
	return *seed * 0x2545f4914f6cdd1dull;
}

/* Nothing that can be written lies below 1 MiB, where the guest's own tables are. */
static u64 random_entry(u64 *seed)
{
	u64 r = next(seed);

	switch (r >> 60) {
	case 0 ... 4: return TABLE((r >> 12) % TABLES) | P | W | U;
	case 5 ... 7: return PAGE(r >> 12 & (PAGES - 1)) | (r & 0x1e7);
	case 8 ... 9: return REGION | (r & (REGION_SIZE - 0x1000)) | (r & 0x167) | P;
	case 10: return REGION | P | W | U | PS;
	case 11: return PAGE(0) | P | W | U | PS;
	case 12: return (r & 2 ? GPA_PML4 : PS) | P | U;
	case 13: return (r & 0xfffffff000ull) | 1ull << 38 | P | W | U;
	case 14: return PAGE(r >> 12 & (PAGES - 1)) | P | W | (r & 2 ? 1ull << 51 : 1ull << 63);
	default: return r & 6 ? 0 : r & 8 ? GPA_NONE | P | W | U : APIC_BASE | P | U;
	}
}

/*
 * Few tables and few entries of each, so that what is written is what is used. Should a
 * page of 1 GiB at 0 be among it, the guest's code, at 4 MiB, stays as it is: TCG maps one
 * whose base is not aligned.
 */
static u64 random_va(u64 *seed)
{
	static const u8 second[4] = { 1, 5, 6, 7 };
	u64 r = next(seed);

	return VA | (r & 3) << 30 | (u64)second[r >> 2 & 3] << 21 | (r >> 4 & 7) << 12 |
	       (r >> 8 & 0xff8);
}

static void use(u64 *seed)
{
	u64 va = random_va(seed), value = random_entry(seed);

	switch (next(seed) & 7) {
	case 0 ... 2:
		(void)TRY("mov (%0), %%rax", :: "r"(va) : "rax", "memory");
		break;
	case 3 ... 5:
		(void)TRY("mov %1, (%0)", :: "r"(va), "r"(value) : "memory");
		break;
	case 6:
		(void)TRY("lock orq $1, (%0)", :: "r"(va) : "memory");
		break;
	case 7: {
		u64 to = va | 0xff0, count = 4;	/* into the next page */

		(void)TRY("rep stosq", : "+D"(to), "+c"(count) : "a"(value) : "memory");
		break;
	}
	}
}

static void g_storm(void)
{
	u64 seed = 0x9e3779b97f4a7c15ull * (this_cpu()->id + 1), turn;

	sti();	/* docs/tests.md: a guest that spins */
	for (turn = 0; !g_stop; turn++) {
		u64 r = next(&seed);
		volatile u64 *table = (volatile u64 *)TABLE((r >> 8) % TABLES);

		table[r >> 16 & (r & 1 ? 7 : 511)] = random_entry(&seed);
		use(&seed);
		use(&seed);
		if (!(r & 0x0e))
			invlpg(random_va(&seed));
		if (!(r & 0x70))
			write_cr3(read_cr3());
		g_turns[this_cpu()->id] = turn;
	}
	guest_done();
}

/* What is no memory reads as a table entry, too. */
static void *run_vcpu(void *arg)
{
	struct vcpu *vcpu = arg;
	struct kvm_run *run = vcpu->run;
	enum guest_event event;
	u64 seed = 1;

	for (;;) {
		u64 value = random_entry(&seed);

		event = vcpu_next(vcpu);
		if (event != GUEST_EXIT || run->exit_reason != KVM_EXIT_MMIO)
			break;
		if (!run->mmio.is_write)
			memcpy(run->mmio.data, &value, sizeof(value));
	}
	if (event != GUEST_DONE) {
		vcpu_describe(vcpu);
		tap_die(__FILE__, __LINE__, "vCPU %d: the guest's part is not over", vcpu->id);
	}
	return NULL;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void storm(struct vm *vm, u8 *region, unsigned int i)
{
	u64 bitmap[REGION_SIZE / 4096 / 64];
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = bitmap };
	u32 logged = i & 16 ? KVM_MEM_LOG_DIRTY_PAGES : 0;

	switch (i % 8) {
	case 0:
		ASSERT_OK(vm_slot(vm, SLOT, 0, REGION, 0, region));
		break;
	case 1:
		ASSERT_OK(vm_slot(vm, SLOT, logged, REGION, REGION_SIZE, region));
		break;
	case 2:
		ASSERT_OK(madvise(region, REGION_SIZE, MADV_DONTNEED));
		break;
	case 3:
		ASSERT_OK(madvise(vm->ram + PAGE(0), PAGES * 4096, MADV_DONTNEED));
		break;
	case 4:
		if (logged)
			ASSERT_OK(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log));
		else
			ASSERT_OK(vm_slot(vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES, REGION,
					  REGION_SIZE, region));
		break;
	case 5:
		ASSERT_OK(ioctl(vm->fd, KVM_SET_NR_MMU_PAGES, i & 8 ? 64 : 1024));
		break;
	case 6:
		ASSERT_OK(madvise(vm->ram + TABLE(0), TABLES * 4096, MADV_DONTNEED));
		break;
	case 7:
		madvise(region, REGION_SIZE, i & 8 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
		break;
	}
}

static void storms(double seconds)
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	double end = now() + seconds;
	u8 *region = mmap(NULL, 2 * REGION_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	u64 *top = (u64 *)(vm->ram + GPA_PML4);

	ASSERT(region != MAP_FAILED);
	region = (u8 *)(((uintptr_t)region + REGION_SIZE - 1) & ~(REGION_SIZE - 1));
	ASSERT_OK(vm_slot(vm, SLOT, 0, REGION, REGION_SIZE, region));
	for (unsigned int i = 0; i < VCPUS; i++) {
		vcpu_long(vcpu_new(vm, i), g_storm);
		ASSERT_OK(ioctl(vm->vcpus[i]->fd, KVM_SET_MP_STATE, &runnable));
	}
	top[1] = TABLE(0) | P | W | U;
	for (unsigned int i = 0; i < VCPUS; i++)
		ASSERT(!pthread_create(&vm->vcpus[i]->thread, NULL, run_vcpu, vm->vcpus[i]));
	for (unsigned int i = 0; now() < end; i++) {
		storm(vm, region, i);
		usleep(3000);
	}
	*IN_GUEST(vm, g_stop) = 1;
	for (unsigned int i = 0; i < VCPUS; i++) {
		vcpu_join(vm->vcpus[i]);
		EXPECT((*IN_GUEST(vm, g_turns))[i] > 10);
		tap_note("vCPU %u: %llu turns", i,
			 (unsigned long long)(*IN_GUEST(vm, g_turns))[i]);
	}
}

TEST_LIMIT(tables, 90, "four vCPUs rewrite their tables at random while memory comes and goes")
{
	const char *seconds = getenv("STORM");

	if (kvm_param("npt") || kvm_param("ept"))
		tap_skip("the host has no part in the guest's tables with nested paging");
	storms(seconds ? atof(seconds) : 15);
}
