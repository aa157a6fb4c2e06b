// SPDX-License-Identifier: GPL-2.0-only
/*
 * Large pages that can't be executed (kvm.nx_huge_pages): a fetch splits them, and only a
 * fetch; nothing of it shows in the guest; what was split comes back. nx_lpage_splits
 * and pages_2m say what was done.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define REGION		0x2000000ull	/* above the harness's RAM */
#define LARGE		0x200000ull
#define NR_LARGE	4
#define SLOT		7

/* ---- the parameters ------------------------------------------------------------------ */

#define PARAM_DIR	"/sys/module/kvm/parameters/"

static bool set_param(const char *name, const char *value)
{
	char path[128];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), PARAM_DIR "%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		tap_skip("no %s", path);
	ok = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	close(fd);
	return ok;
}

static void restore(void)
{
	set_param("nx_huge_pages", "auto");
	set_param("nx_huge_pages_recovery_ratio", "60");
	set_param("nx_huge_pages_recovery_period_ms", "0");
}

static void setup(const char *mode, const char *ratio, const char *period)
{
	if (!kvm_param("npt") && !kvm_param("ept"))
		tap_skip("no nested paging: no large pages");
	ASSERT(set_param("nx_huge_pages_recovery_period_ms", period));
	ASSERT(set_param("nx_huge_pages_recovery_ratio", ratio));
	ASSERT(set_param("nx_huge_pages", mode));
}

/* ---- a VM with memory of large pages -------------------------------------------------- */

static u64 splits(struct vm *vm)
{
	return kvm_stat(vm->fd, "nx_lpage_splits");
}

static u64 large(struct vm *vm)
{
	return kvm_stat(vm->fd, "pages_2m");
}

static void *region(struct vm *vm)
{
	u8 *p = mmap(NULL, (NR_LARGE + 1) * LARGE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ASSERT(p != MAP_FAILED);
	p = (u8 *)(((uintptr_t)p + LARGE - 1) & ~(LARGE - 1));
	p = mmap(p, NR_LARGE * LARGE, PROT_READ | PROT_WRITE,
		 MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(p != MAP_FAILED);
	if (madvise(p, NR_LARGE * LARGE, MADV_HUGEPAGE))
		tap_skip("no transparent huge pages on this host");
	memset(p, 0xc3, NR_LARGE * LARGE);	/* RET everywhere */
	ASSERT_OK(vm_slot(vm, SLOT, 0, REGION, NR_LARGE * LARGE, p));
	/* The harness's RAM is not what the counters are about. */
	madvise(vm->ram, vm->ram_size, MADV_NOHUGEPAGE);
	return p;
}

static inline void call(u64 gpa)
{
	((void (*)(void))gpa)();
}

static inline void touch(u64 gpa)
{
	*(volatile u8 *)gpa = 0xc3;
}

static struct vcpu *guest(void (*fn)(void))
{
	struct vcpu *v = vm_guest(false, fn);

	madvise(v->vm->ram, v->vm->ram_size, MADV_NOHUGEPAGE);
	region(v->vm);
	return v;
}

static void g_steps(void)
{
	for (u64 i = 0; i < NR_LARGE; i++)
		touch(REGION + i * LARGE);
	guest_sync(1);
	call(REGION);
	guest_sync(2);
	call(REGION + 5 * 4096);
	touch(REGION + 9 * 4096);
	touch(REGION + LARGE + 9 * 4096);
	guest_sync(3);
	call(REGION + LARGE + 0x1234);
	guest_sync(4);
	/* and again, after what the host has done meanwhile */
	for (u64 i = 0; i < NR_LARGE; i++)
		touch(REGION + i * LARGE);
	guest_sync(5);
	call(REGION);
	guest_sync(6);
	guest_done();
}

TEST(fetch, "a fetch from a large page splits it, data accesses don't; in time it comes back")
{
	struct vcpu *v;
	struct vm *vm;
	u64 s, l;

	setup("force", "0", "0");
	v = guest(g_steps);
	vm = v->vm;
	vcpu_expect_sync(v, 1);
	s = splits(vm);
	l = large(vm);
	if (l < NR_LARGE) {
		restore();
		tap_skip("the host gave %llu large pages", (unsigned long long)l);
	}
	vcpu_expect_sync(v, 2);
	EXPECT_EQ(splits(vm), s + 1);
	EXPECT_EQ(large(vm), l - 1);
	vcpu_expect_sync(v, 3);
	EXPECT_EQ(splits(vm), s + 1);
	EXPECT_EQ(large(vm), l - 1);
	vcpu_expect_sync(v, 4);
	EXPECT_EQ(splits(vm), s + 2);
	EXPECT_EQ(large(vm), l - 2);

	set_param("nx_huge_pages_recovery_period_ms", "20");
	set_param("nx_huge_pages_recovery_ratio", "1");
	for (int i = 0; i < 1000 && splits(vm); i++)
		usleep(10000);
	EXPECT_EQ(splits(vm), 0);
	set_param("nx_huge_pages_recovery_ratio", "0");
	vcpu_expect_sync(v, 5);
	EXPECT_EQ(large(vm), l);
	s = splits(vm);
	vcpu_expect_sync(v, 6);
	EXPECT_EQ(splits(vm), s + 1);
	EXPECT_EQ(large(vm), l - 1);
	vcpu_finish(v);
	restore();
}

static void expect_never_split(struct vcpu *v)
{
	struct vm *vm = v->vm;
	u64 l;

	vcpu_expect_sync(v, 1);
	l = large(vm);
	if (l < NR_LARGE) {
		restore();
		tap_skip("the host gave %llu large pages", (unsigned long long)l);
	}
	for (u64 i = 2; i <= 6; i++)
		vcpu_expect_sync(v, i);
	EXPECT_EQ(splits(vm), 0);
	EXPECT_EQ(large(vm), l);
	vcpu_finish(v);
	restore();
}

TEST(off, "nx_huge_pages=off: a large page stays large when it is executed")
{
	setup("off", "60", "0");
	expect_never_split(guest(g_steps));
}

TEST(disabled, "KVM_CAP_VM_DISABLE_NX_HUGE_PAGES does the same for one VM")
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_VM_DISABLE_NX_HUGE_PAGES };
	struct vm *vm;
	struct vcpu *v;

	setup("force", "60", "0");
	vm = vm_new();
	region(vm);
	ASSERT_OK(ioctl(vm->fd, KVM_ENABLE_CAP, &cap));
	v = vcpu_new(vm, 0);
	vcpu_long(v, g_steps);
	expect_never_split(v);
}

TEST(capability, "KVM_CAP_VM_DISABLE_NX_HUGE_PAGES: bad arguments, rights, order")
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_VM_DISABLE_NX_HUGE_PAGES };
	struct vm *vm = vm_new();

	EXPECT_EQ(kvm_cap(vm->fd, KVM_CAP_VM_DISABLE_NX_HUGE_PAGES), 1);
	EXPECT_EQ(kvm_cap(vm->kvm, KVM_CAP_VM_DISABLE_NX_HUGE_PAGES), 1);
	cap.args[0] = 1;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.args[0] = 0;
	cap.flags = 1;
	EXPECT_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.flags = 0;
	ASSERT_OK(seteuid(65534));
	EXPECT_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EPERM);
	ASSERT_OK(seteuid(0));
	EXPECT_OK(ioctl(vm->fd, KVM_ENABLE_CAP, &cap));
	vcpu_bare(vm, 0);
	EXPECT_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
}

/* ---- while it runs ---------------------------------------------------------------------- */

static volatile u64 g_stop, g_rounds[2];

/* One executes where the other writes: each must get on. */
static void g_busy(void)
{
	u64 me = this_cpu()->id, round;

	sti();	/* docs/tests.md: a guest that spins */
	for (round = 1; !g_stop; round++) {
		for (u64 i = 0; i < NR_LARGE; i++) {
			if (me)
				touch(REGION + i * LARGE + (256 + (round & 255)) * 4096);
			else
				call(REGION + i * LARGE + (round & 255) * 4096);
		}
		g_rounds[me] = round;
	}
	guest_done();
}

static void busy_under(void (*shake)(void), u64 *rounds)
{
	struct vm *vm = vm_new_irqchip();
	struct kvm_mp_state run = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct vcpu *v[2] = { vcpu_new(vm, 0), vcpu_new(vm, 1) };

	region(vm);
	for (int i = 0; i < 2; i++) {
		vcpu_long(v[i], g_busy);
		ASSERT_OK(ioctl(v[i]->fd, KVM_SET_MP_STATE, &run));
	}
	for (int i = 0; i < 2; i++)
		vcpu_start(v[i]);
	shake();
	*IN_GUEST(vm, g_stop) = 1;
	for (int i = 0; i < 2; i++)
		vcpu_join(v[i]);
	memcpy(rounds, (void *)*IN_GUEST(vm, g_rounds), sizeof(g_rounds));
	restore();
}

static void shake_recovery(void)
{
	usleep(2000000);
}

TEST_LIMIT(recovered, 60, "one vCPU executes where another writes, and recovery every 10 ms")
{
	u64 rounds[2];

	setup("force", "1", "10");
	busy_under(shake_recovery, rounds);
	EXPECT(rounds[0] > 2 && rounds[1] > 2, "%llu and %llu rounds",
	       (unsigned long long)rounds[0], (unsigned long long)rounds[1]);
}

static void shake_switch(void)
{
	for (int i = 0; i < 60; i++) {
		set_param("nx_huge_pages", i & 1 ? "off" : "force");
		usleep(10000);
	}
}

TEST_LIMIT(switched, 60, "nx_huge_pages switched on and off 30 times while two vCPUs run")
{
	u64 rounds[2];

	setup("off", "1", "10");
	busy_under(shake_switch, rounds);
	EXPECT(rounds[0] > 2 && rounds[1] > 2);
}

/* ---- what is said about it ---------------------------------------------------------------- */

static void read_line(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, line, size - 1);

	line[n < 0 ? 0 : n] = 0;
	close(fd);
}

TEST(parameter, "nx_huge_pages: values, what it reads, and what the kernel says of itlb_multihit")
{
	static const char vulnerability[] = "/sys/devices/system/cpu/vulnerabilities/itlb_multihit";
	static const char parameter[] = PARAM_DIR "nx_huge_pages";
	bool affected, wanted;
	char line[128], command[1024];

	setup("auto", "60", "0");
	EXPECT(!set_param("nx_huge_pages", "perhaps"));
	EXPECT(!set_param("nx_huge_pages_recovery_ratio", "-1"));
	EXPECT(!set_param("nx_huge_pages_recovery_period_ms", "often"));
	read_line(vulnerability, line, sizeof(line));
	affected = !strncmp(line, "KVM:", 4);
	read_line("/proc/cmdline", command, sizeof(command));
	wanted = affected && !strstr(command, "mitigations=off");
	tap_note("%s", line);
	EXPECT_EQ(kvm_param("nx_huge_pages"), wanted);
	if (affected)
		EXPECT(!strcmp(line, wanted ? "KVM: Mitigation: Split huge pages\n" :
			       "KVM: Vulnerable\n"), "%s", line);
	ASSERT(set_param("nx_huge_pages", "off"));
	read_line(vulnerability, line, sizeof(line));
	if (affected)
		EXPECT(!strcmp(line, "KVM: Vulnerable\n"), "%s", line);
	read_line(parameter, line, sizeof(line));
	EXPECT(!strcmp(line, "N\n"), "%s", line);
	ASSERT(set_param("nx_huge_pages", "force"));
	read_line(parameter, line, sizeof(line));
	EXPECT(!strcmp(line, "Y\n"), "%s", line);
	restore();
}
