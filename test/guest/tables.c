// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables that the guest rewrites while it runs on them: entries at every
 * level, tables that map themselves, many address spaces, WP=0, and all of it
 * with hardly any memory for the host's copies (KVM_SET_NR_MMU_PAGES). Shadow
 * paging (kvm_amd.npt=0) is what this is hard for.
 */
#include "guest.h"

#define P	1ull
#define W	2ull
#define U	4ull
#define D	0x40ull
#define PS	0x80ull

/* Tables of the test's own, at 512 GiB of the guest's addresses; pages that tell their number. */
#define VA	0x8000000000ul
#define TABLE(n) (GPA_FREE + (n) * 0x1000ul)
#define PAGE(n)	(0x200000ul + (n) * 0x1000ul)
#define NR_PAGES 256

static volatile u64 *table(unsigned int n) { return (volatile u64 *)TABLE(n); }
static volatile u64 *pml4(void) { return (volatile u64 *)(u64)GPA_PML4; }
static u64 at(u64 va) { return *(volatile u64 *)va; }
static void flush(void) { write_cr3(read_cr3()); }

static void number_pages(void)
{
	for (u64 i = 0; i < NR_PAGES; i++)
		*(volatile u64 *)PAGE(i) = i;
}

/* VA by tables 0 (PDPT), 1 (PD) and 2, whose entries are pages 0, 1, ... */
static void build(void)
{
	number_pages();
	pml4()[1] = TABLE(0) | P | W | U;
	table(0)[0] = TABLE(1) | P | W | U;
	table(1)[0] = TABLE(2) | P | W | U;
	for (u64 i = 0; i < NR_PAGES; i++)
		table(2)[i] = PAGE(i) | P | W | U;
	flush();
}

static void g_levels(void)
{
	build();
	for (u64 i = 0; i < NR_PAGES; i++)
		GUEST_EQ(at(VA + i * 0x1000), i);
	/* the page */
	table(2)[3] = PAGE(7) | P | W | U;
	invlpg(VA + 0x3000);
	GUEST_EQ(at(VA + 0x3000), 7);
	for (u64 i = 0; i < NR_PAGES; i++)
		table(2)[i] = PAGE(NR_PAGES - 1 - i) | P | W | U;
	flush();
	for (u64 i = 0; i < NR_PAGES; i++)
		GUEST_EQ(at(VA + i * 0x1000), NR_PAGES - 1 - i);
	/* the table */
	for (u64 i = 0; i < NR_PAGES; i++)
		table(3)[i] = PAGE(i ^ 1) | P | W | U;
	table(1)[0] = TABLE(3) | P | W | U;
	flush();
	for (u64 i = 0; i < NR_PAGES; i++)
		GUEST_EQ(at(VA + i * 0x1000), i ^ 1);
	/* a large page instead, and back */
	table(1)[0] = 0x200000 | P | W | U | PS;
	flush();
	for (u64 i = 0; i < NR_PAGES; i++)
		GUEST_EQ(at(VA + i * 0x1000), i);
	GUEST_EQ(table(1)[0] & D, 0);
	*(volatile u64 *)(VA + 8) = 1;
	GUEST_EQ(table(1)[0] & D, D);
	table(1)[0] = TABLE(3) | P | W | U;
	flush();
	GUEST_EQ(at(VA), 1);
	/* the directories */
	table(4)[0] = TABLE(2) | P | W | U;
	table(0)[0] = TABLE(4) | P | W | U;
	flush();
	GUEST_EQ(at(VA), NR_PAGES - 1);
	table(5)[0] = TABLE(1) | P | W | U;
	pml4()[1] = TABLE(5) | P | W | U;
	flush();
	GUEST_EQ(at(VA), 1);
	pml4()[1] = 0;
	flush();
	GUEST_EQ(TRY("mov (%0), %%rax", :: "r"(VA) : "rax", "memory"), X86_PF);
	guest_done();
}

TEST(levels, "entries of every level are changed: the new page is seen after the flush")
{
	vcpu_finish(vm_guest(false, g_levels));
}

static void g_rights(void)
{
	build();
	/* rights of all levels together, wherever they are taken away */
	for (int level = 0; level < 4; level++) {
		volatile u64 *e = level == 0 ? &pml4()[1] : &table(level - 1)[0];
		u64 was = *e;

		*e = was & ~W;
		flush();
		GUEST_EQ(at(VA), 0);
		GUEST_EQ(TRY("movq $0, (%0)", :: "r"(VA) : "memory"), X86_PF);
		GUEST_EQ(this_cpu()->error, 3);
		*e = was | 1ull << 63;
		flush();
		GUEST_EQ(TRY("call *%0", :: "r"(VA) : "memory"), X86_PF);
		GUEST_EQ(this_cpu()->error, 0x11);
		*e = was;
		flush();
		GUEST_EQ(TRY("movq $0, (%0)", :: "r"(VA) : "memory"), NO_FAULT);
	}
	guest_done();
}

TEST(rights, "W and NX at every level, given and taken away")
{
	vcpu_finish(vm_guest(false, g_rights));
}

static void g_accessed(void)
{
	build();
	for (int round = 0; round < 3; round++) {
		table(2)[5] = PAGE(5) | P | W | U;
		invlpg(VA + 0x5000);
		GUEST_EQ(at(VA + 0x5000), round ? 77 : 5);
		GUEST_EQ(table(2)[5] & 0x60, 0x20);
		*(volatile u64 *)(VA + 0x5000) = 77;
		GUEST_EQ(table(2)[5] & 0x60, 0x60);
		/* D alone taken back: the next write sets it */
		table(2)[5] &= ~D;
		flush();
		*(volatile u64 *)(VA + 0x5000) = 77;
		GUEST_EQ(table(2)[5] & 0x60, 0x60);
	}
	guest_done();
}

TEST(accessed, "A and D bits, cleared and set again")
{
	vcpu_finish(vm_guest(false, g_accessed));
}

/* Entry 2 of the PML4 is the PML4 itself: all tables appear as pages. */
#define SELF(i3, i2, i1) (2ul << 39 | (u64)(i3) << 30 | (u64)(i2) << 21 | (u64)(i1) << 12)

static void g_self(void)
{
	volatile u64 *pt, *pd, *top;

	build();
	pml4()[2] = GPA_PML4 | P | W;
	flush();
	pt = (volatile u64 *)SELF(1, 0, 0);		/* table 2 */
	pd = (volatile u64 *)SELF(2, 1, 0);		/* table 1 */
	top = (volatile u64 *)(SELF(2, 2, 2) & ~0xffful);
	GUEST_EQ(pt[9] & ~0xfffull, PAGE(9));
	for (u64 i = 0; i < 200; i++) {
		pt[9] = PAGE(i) | P | W | U;
		invlpg(VA + 0x9000);
		GUEST_EQ(at(VA + 0x9000), i);
	}
	/* written through itself: the directory, and the top */
	for (u64 i = 0; i < NR_PAGES; i++)
		table(3)[i] = PAGE(i ^ 2) | P | W | U;
	for (u64 i = 0; i < 50; i++) {
		pd[0] = TABLE(i & 1 ? 3 : 2) | P | W | U;
		flush();
		GUEST_EQ(at(VA + 0x8000), i & 1 ? 10 : 8);
		top[3] = i & 1 ? TABLE(0) | P | W : 0;
		flush();
		GUEST_EQ(TRY("mov (%0), %%rax", :: "r"(3ul << 39) : "rax", "memory"),
			 i & 1 ? NO_FAULT : X86_PF);
	}
	guest_done();
}

TEST(self, "tables that map themselves are written through themselves")
{
	vcpu_finish(vm_guest(false, g_self));
}

static volatile u64 g_seen, g_vector, g_error;

static void g_user_read(void)
{
	g_seen = at(VA + 0x4000);
}

static void g_user_write(void)
{
	g_vector = TRY("movq $1, (%0)", :: "r"(VA + 0x4000) : "memory");
	g_error = this_cpu()->error;
}

static void g_wp(void)
{
	build();
	table(2)[4] = PAGE(4) | P | U;
	flush();
	for (u64 i = 0; i < 20; i++) {
		write_cr0(read_cr0() & ~(u64)CR0_WP);
		*(volatile u64 *)(VA + 0x4000) = 100 + i;
		guest_user(g_user_read);
		GUEST_EQ(g_seen, 100 + i);
		*(volatile u64 *)(VA + 0x4000) = 200 + i;
		guest_user(g_user_write);
		GUEST_EQ(g_vector, X86_PF);
		GUEST_EQ(g_error, 7);
		write_cr0(read_cr0() | CR0_WP);
		GUEST_EQ(TRY("movq $1, (%0)", :: "r"(VA + 0x4000) : "memory"), X86_PF);
		GUEST_EQ(this_cpu()->error, 3);
		GUEST_EQ(at(VA + 0x4000), 200 + i);
	}
	guest_done();
}

TEST(wp, "WP=0: the supervisor writes a user's read-only page, the user reads it and can't")
{
	vcpu_finish(vm_guest(false, g_wp));
}

/* ---- many address spaces, little memory ---------------------------------------- */

#define SPACES	24
static volatile u64 g_turns;
static volatile u64 g_stop;

/* Each has a PML4, PDPT, PD and page table of its own, and shares the rest. */
static void g_spaces(void)
{
	u64 first = 16 + this_cpu()->id * SPACES * 4, home = read_cr3();
	u64 base = this_cpu()->id * 64;

	if (!this_cpu()->id)
		number_pages();
	for (u64 s = 0; s < SPACES; s++) {
		unsigned int t = first + s * 4;

		for (u64 i = 0; i < 512; i++) {
			table(t)[i] = pml4()[i];
			table(t + 1)[i] = table(t + 2)[i] = table(t + 3)[i] = 0;
		}
		table(t)[1] = TABLE(t + 1) | P | W | U;
		table(t + 1)[0] = TABLE(t + 2) | P | W | U;
		table(t + 2)[0] = TABLE(t + 3) | P | W | U;
		for (u64 i = 0; i < 64; i++)
			table(t + 3)[i] = PAGE(base + ((i + s) & 63)) | P | W | U;
	}
	for (u64 turn = 0; turn < g_turns; turn++) {
		u64 s = turn % SPACES, i = turn * 7 & 63;
		unsigned int t = first + s * 4;

		write_cr3(TABLE(t));
		GUEST_EQ(at(VA + i * 0x1000), base + ((i + s) & 63));
		/* moved within the table that it runs on, and back */
		table(t + 3)[i] = PAGE(base + 5) | P | W | U;
		invlpg(VA + i * 0x1000);
		GUEST_EQ(at(VA + i * 0x1000), base + 5);
		table(t + 3)[i] = PAGE(base + ((i + s) & 63)) | P | W | U;
		invlpg(VA + i * 0x1000);
		/* another's table, which it sees when it comes there */
		table(first + ((s + 1) % SPACES) * 4 + 2)[1] =
			turn & 1 ? TABLE(t + 3) | P | W | U : 0;
	}
	write_cr3(home);
	guest_done();
}

static void spaces(unsigned int vcpus, unsigned long pages)
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_mp_state run = { .mp_state = KVM_MP_STATE_RUNNABLE };

	if (pages)
		ASSERT_OK(ioctl(vm->fd, KVM_SET_NR_MMU_PAGES, pages));
	g_turns = 3000;
	for (unsigned int i = 0; i < vcpus; i++) {
		vcpu_long(vcpu_new(vm, i), g_spaces);
		ASSERT_OK(ioctl(vm->vcpus[i]->fd, KVM_SET_MP_STATE, &run));
	}
	for (unsigned int i = 0; i < NR_PAGES; i++)
		memcpy(vm->ram + PAGE(i), &(u64){ i }, sizeof(u64));
	for (unsigned int i = 1; i < vcpus; i++)
		vcpu_start(vm->vcpus[i]);
	vcpu_finish(vm->vcpus[0]);
	for (unsigned int i = 1; i < vcpus; i++)
		vcpu_join(vm->vcpus[i]);
}

TEST_LIMIT(spaces, 60, "24 address spaces in turn, whose tables are rewritten")
{
	spaces(1, 0);
}

TEST_LIMIT(bounded, 90, "the same with the fewest page tables that the host may be asked for")
{
	spaces(1, 64);
}

TEST_LIMIT(bounded_smp, 90, "the same on two vCPUs")
{
	spaces(2, 64);
}

/* ---- hostile -------------------------------------------------------------------- */

/* vCPU 0 uses what the others fill with anything: nobody expects an answer, but an end. */
static void g_hostile(void)
{
	u64 seed = 0x9e3779b97f4a7c15ull * (this_cpu()->id + 1), n;

	if (!this_cpu()->id) {
		for (n = 0; n < g_turns; n++) {
			seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
			if (seed & 1)
				(void)TRY("mov (%0), %%rax", :: "r"(VA + (seed & 0x3fffff8)) :
					  "rax", "memory");
			else
				(void)TRY("mov %0, (%0)", :: "r"(VA + (seed & 0x3fffff8)) :
					  "memory");
			if (!(n & 15))
				flush();
		}
		g_stop = 1;
		guest_done();
	}
	sti();	/* docs/tests.md: a guest that spins */
	while (!g_stop) {
		u64 entry, where;

		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		/* a table, a page, nothing, past all memory, a large page */
		switch (seed >> 60) {
		case 0 ... 5: entry = TABLE(seed >> 8 & 7) | P | W | U; break;
		case 6 ... 11: entry = PAGE(seed >> 8 & 255) | (seed & 0x1e7); break;
		case 12: entry = 0; break;
		case 13: entry = (seed & 0xfffffffffull) | 1ull << 38; break;
		default: entry = 0x200000 | P | W | U | PS; break;
		}
		where = seed >> 20 & 7;
		table(where)[seed >> 30 & (seed & 2 ? 1 : 511)] = entry;
		if (!(seed & 63))
			flush();
		if (!(seed & 30))
			invlpg(VA + (seed >> 9 & 0x3fffff8));
	}
	guest_done();
}

TEST_LIMIT(hostile, 300, "two vCPUs fill the tables of a third with anything")
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_mp_state run = { .mp_state = KVM_MP_STATE_RUNNABLE };
	u64 *top = (u64 *)(vm->ram + GPA_PML4);
	enum guest_event event;

	g_turns = 20000;
	for (unsigned int i = 0; i < 3; i++) {
		vcpu_long(vcpu_new(vm, i), g_hostile);
		ASSERT_OK(ioctl(vm->vcpus[i]->fd, KVM_SET_MP_STATE, &run));
	}
	top[1] = TABLE(0) | P | W | U;
	for (unsigned int i = 1; i < 3; i++)
		vcpu_start(vm->vcpus[i]);
	/* what lies past all memory is for us to answer */
	do {
		event = vcpu_next(vm->vcpus[0]);
	} while (event == GUEST_EXIT && vm->vcpus[0]->run->exit_reason == KVM_EXIT_MMIO);
	EXPECT_EQ(event, GUEST_DONE);
	for (unsigned int i = 1; i < 3; i++)
		vcpu_join(vm->vcpus[i]);
}
