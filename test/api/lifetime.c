// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes, threads and file descriptors: another process's ioctls, two
 * threads at one vCPU, closing and killing in the middle of everything.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

static void g_spin(void)
{
	guest_sync(1);
	for (;;)
		cpu_relax();
}

static volatile u64 g_ticks;

static void g_writer(void)
{
	guest_sync(1);
	sti();	/* docs/tests.md: a guest that spins */
	for (;;) {
		for (u64 a = 0x10000000; a < 0x10100000; a += 0x1000)
			*(volatile u64 *)a = ++g_ticks;
	}
}

static void in_child(void (*fn)(void *), void *arg)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		fn(arg);
		_exit(tap_failed());
	}
	ASSERT(pid > 0);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status), "status %x", status);
}

static void other_mm(void *arg)
{
	struct vcpu *v = arg;
	struct kvm_regs r;
	struct kvm_irq_level irq = {};

	EXPECT_ERRNO(ioctl(v->vm->fd, KVM_CREATE_VCPU, 7l), EIO);
	EXPECT_ERRNO(vm_slot(v->vm, 3, 0, 0x20000000, 0x1000, v->vm->ram), EIO);
	EXPECT_ERRNO(ioctl(v->vm->fd, KVM_CHECK_EXTENSION, 0l), EIO);
	EXPECT_ERRNO(ioctl(v->vm->fd, KVM_IRQ_LINE, &irq), EIO);
	EXPECT_ERRNO(ioctl(v->fd, KVM_GET_REGS, &r), EIO);
	EXPECT_ERRNO(ioctl(v->fd, KVM_RUN, 0), EIO);
}

TEST(fork, "after fork the child's ioctls on VM and vCPU fail with EIO, the parent's go on")
{
	void g_syncs(void);
	struct vcpu *v = vm_guest(true, g_syncs);

	vcpu_expect_sync(v, 0);
	in_child(other_mm, v);
	vcpu_expect_sync(v, 1);
}

void g_syncs(void);
void g_syncs(void)
{
	for (u64 i = 0;; i++)
		guest_sync(i);
}

TEST(fork_memory, "fork makes guest memory copy-on-write: the guest stays the parent's")
{
	struct vcpu *v = vm_guest(false, g_syncs);
	u8 *page = v->vm->ram + GPA_DATA;
	int p[2];
	pid_t pid;
	char c;

	vcpu_expect_sync(v, 0);
	ASSERT_OK(pipe(p));
	*page = 1;
	pid = fork();
	if (!pid) {
		ASSERT(read(p[0], &c, 1) == 1);
		_exit(*page == 1 ? 0 : 1);
	}
	for (u64 i = 1; i < 50; i++)
		vcpu_expect_sync(v, i);
	*page = 2;
	ASSERT(write(p[1], "x", 1) == 1);
	int status;

	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	vcpu_expect_sync(v, 50);
}

static void *run_forever(void *arg)
{
	struct vcpu *v = arg;

	vcpu_run_once(v);
	return NULL;
}

static void kick_noop(int sig)
{
}

static pthread_t run_in_thread(struct vcpu *v)
{
	struct sigaction sa = { .sa_handler = kick_noop };
	pthread_t t;

	sigaction(SIGUSR1, &sa, NULL);
	ASSERT(!pthread_create(&t, NULL, run_forever, v));
	usleep(50000);
	return t;
}

static void *get_regs(void *arg)
{
	struct vcpu *v = arg;
	struct kvm_regs r;

	if (ioctl(v->fd, KVM_GET_REGS, &r) < 0 && errno != EINTR)
		return (void *)(long)errno;
	return NULL;
}

TEST(two_threads, "an ioctl on a vCPU that runs in another thread waits until that exits")
{
	struct vcpu *v = vm_guest(false, g_spin);
	pthread_t runner, other;
	void *result = NULL;

	vcpu_expect_sync(v, 1);
	runner = run_in_thread(v);
	ASSERT(!pthread_create(&other, NULL, get_regs, v));
	usleep(50000);
	EXPECT(pthread_tryjoin_np(other, &result) == EBUSY, "it did not wait");
	pthread_kill(runner, SIGUSR1);
	ASSERT(!pthread_join(runner, NULL));
	ASSERT(!pthread_join(other, &result));
	EXPECT(!result, "KVM_GET_REGS: %s", strerrorname_np((long)result));
}

static void *hammer_run(void *arg)
{
	struct vcpu *v = arg;

	for (int i = 0; i < 2000; i++) {
		if (vcpu_run_once(v) < 0 && errno != EINTR)
			return (void *)(long)errno;
	}
	return NULL;
}

static void *hammer_state(void *arg)
{
	struct vcpu *v = arg;
	struct kvm_sregs s;
	struct kvm_regs r;
	struct kvm_fpu f;

	for (int i = 0; i < 1000; i++) {
		if (ioctl(v->fd, KVM_GET_REGS, &r) || ioctl(v->fd, KVM_GET_SREGS, &s) ||
		    ioctl(v->fd, KVM_GET_FPU, &f))
			return (void *)(long)errno;
		ioctl(v->fd, KVM_SET_SREGS, &s);
		ioctl(v->fd, KVM_NMI, 0);
	}
	return NULL;
}

TEST_LIMIT(hammer, 90, "three threads running and reading one vCPU: serialised, no harm")
{
	struct vcpu *v = vm_guest(false, g_syncs);
	pthread_t t[3];
	void *result;

	vcpu_expect_sync(v, 0);
	pthread_create(&t[0], NULL, hammer_run, v);
	pthread_create(&t[1], NULL, hammer_run, v);
	pthread_create(&t[2], NULL, hammer_state, v);
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], &result);
		EXPECT(!result, "thread %d: %s", i, strerrorname_np((long)result));
	}
}

TEST(close_running, "files closed while a thread is in KVM_RUN: the VM lives until it is out")
{
	struct vcpu *v = vm_guest(true, g_spin);
	pthread_t t;

	vcpu_expect_sync(v, 1);
	t = run_in_thread(v);
	close(v->vm->fd);
	close(v->vm->kvm);
	close(v->fd);
	usleep(20000);
	pthread_kill(t, SIGUSR1);
	ASSERT(!pthread_join(t, NULL));
}

TEST(vcpu_outlives, "a vCPU's file keeps its VM: it runs after VM and /dev/kvm are closed")
{
	struct vcpu *v = vm_guest(false, g_syncs);

	vcpu_expect_sync(v, 0);
	close(v->vm->fd);
	close(v->vm->kvm);
	for (u64 i = 1; i < 10; i++)
		vcpu_expect_sync(v, i);
}

TEST(slot_gone, "a slot deleted and set again, under a vCPU that writes to it all the time")
{
	struct vcpu *v = vm_guest(false, g_writer);
	u8 *p = vm_map(v->vm, 1, 0x10000000, 0x100000, 0);
	pthread_t t;

	vcpu_expect_sync(v, 1);
	for (int i = 0; i < 30; i++) {
		t = run_in_thread(v);
		ASSERT_OK(vm_slot(v->vm, 1, 0, 0, 0, NULL));
		/* the writer now exits for MMIO */
		ASSERT(!pthread_join(t, NULL));
		EXPECT_EQ(v->run->exit_reason, KVM_EXIT_MMIO);
		ASSERT_OK(vm_slot(v->vm, 1, 0, 0x10000000, 0x100000, p));
	}
}

TEST_LIMIT(slot_flags, 60, "dirty logging switched on and off under a running writer")
{
	struct vcpu *v = vm_guest(false, g_writer);
	u8 *p = vm_map(v->vm, 1, 0x10000000, 0x100000, 0);
	u64 bitmap[4];
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bitmap };
	pthread_t t;

	vcpu_expect_sync(v, 1);
	t = run_in_thread(v);
	for (int i = 0; i < 50; i++) {
		ASSERT_OK(vm_slot(v->vm, 1, KVM_MEM_LOG_DIRTY_PAGES, 0x10000000,
				  0x100000, p));
		for (int j = 0; j < 5; j++)
			ASSERT_OK(ioctl(v->vm->fd, KVM_GET_DIRTY_LOG, &log));
		ASSERT_OK(vm_slot(v->vm, 1, 0, 0x10000000, 0x100000, p));
	}
	pthread_kill(t, SIGUSR1);
	ASSERT(!pthread_join(t, NULL));
	EXPECT_EQ(v->run->exit_reason, KVM_EXIT_INTR);
}

TEST_LIMIT(memory_moves, 60, "memory dropped, protected and replaced under a running writer: no page is lost")
{
	struct vcpu *v = vm_guest(false, g_writer);
	u8 *p = vm_map(v->vm, 1, 0x10000000, 0x100000, 0);
	volatile u64 *ticks = IN_GUEST(v->vm, g_ticks);
	pthread_t t;
	u64 seen;

	vcpu_expect_sync(v, 1);
	t = run_in_thread(v);
	for (int i = 0; i < 200; i++) {
		switch (i % 3) {
		case 0:
			ASSERT_OK(madvise(p, 0x100000, MADV_DONTNEED));
			break;
		case 1:
			ASSERT(mmap(p + 0x8000, 0x8000, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				    -1, 0) == p + 0x8000);
			break;
		case 2:
			/* move it away and back: other physical pages there */
			ASSERT_OK(madvise(p, 0x1000, MADV_DONTNEED));
			break;
		}
		/* The guest's next writes must land in the new pages. */
		seen = *ticks;
		for (int j = 0; j < 1000 && *ticks < seen + 600; j++)
			usleep(500);
		ASSERT(*ticks >= seen + 600, "the writer stopped");
		ASSERT(*(volatile u64 *)(p + 0x8000) > seen,
		       "a write went to a page that is gone");
	}
	pthread_kill(t, SIGUSR1);
	ASSERT(!pthread_join(t, NULL));
}

static void child_vm(bool threads)
{
	struct vcpu *v = vm_guest(true, g_writer);

	vm_map(v->vm, 1, 0x10000000, 0x100000, KVM_MEM_LOG_DIRTY_PAGES);
	if (threads)
		run_in_thread(v);
	for (;;)
		vcpu_run(v);
}

TEST_LIMIT(killed, 60, "30 processes with a running VM are killed at odd moments")
{
	for (int i = 0; i < 30; i++) {
		pid_t pid = fork();
		int status;

		ASSERT(pid >= 0);
		if (!pid)
			child_vm(i & 1);
		usleep(100 + (i * 7919) % 60000);
		kill(pid, SIGKILL);
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		       "status %x", status);
	}
}

static long module_refs(void)
{
	FILE *f = fopen("/sys/module/kvm/refcnt", "r");
	long n = -1;

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

TEST(refs, "VMs that were closed or killed leave no reference to the module behind")
{
	long before = module_refs();

	if (before < 0)
		tap_skip("kvm is no module here");
	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			vm_guest(true, g_spin);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		vm_free(vm_guest(true, g_spin)->vm);
	}
	for (int i = 0; i < 100 && module_refs() != before; i++)
		usleep(10000);
	EXPECT_EQ(module_refs(), before);
}

TEST(unload, "the module can't be unloaded while a VM or vCPU is open")
{
	struct vm *vm = vm_bare();
	long open;

	vcpu_bare(vm, 0);
	close(vm->fd);
	close(vm->kvm);
	open = module_refs();
	if (open < 0)
		tap_skip("kvm is no module here");
	EXPECT(open > 0);
}

static volatile u64 g_cpu_state[2];

static void g_migrate(void)
{
	u64 x[2] = { 0x1111111111111111, 0x2222222222222222 }, y[2];
	u64 last = 0, now;

	asm volatile("movdqu %0, %%xmm7" :: "m"(x) : "xmm7");
	wrmsr(MSR_LSTAR, 0x123456);
	wrmsr(MSR_KERNEL_GS_BASE, 0x654321);
	for (u64 i = 0; i < 400; i++) {
		now = rdtsc();
		GUEST_ASSERT(now > last);
		last = now;
		asm volatile("movdqu %%xmm7, %0" : "=m"(y));
		GUEST_EQ(y[0], x[0]);
		GUEST_EQ(y[1], x[1]);
		GUEST_EQ(rdmsr(MSR_LSTAR), 0x123456);
		GUEST_EQ(rdmsr(MSR_KERNEL_GS_BASE), 0x654321);
		guest_sync(i);
	}
	guest_done();
}

TEST_LIMIT(migrate, 60, "a vCPU that changes CPUs at each exit keeps registers, MSRs and a TSC that goes on")
{
	struct vcpu *v = vm_guest(false, g_migrate);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	if (cpus < 2)
		tap_skip("one CPU");
	for (u64 i = 0; i < 400; i++) {
		CPU_ZERO(&set);
		CPU_SET(i % cpus, &set);
		ASSERT_OK(sched_setaffinity(0, sizeof(set), &set));
		vcpu_expect_sync(v, i);
	}
	vcpu_finish(v);
}

TEST_LIMIT(irqfd_races, 60, "irqfds assigned, signalled and deassigned from three threads while a vCPU runs")
{
	struct vcpu *v = vm_guest(true, g_spin);
	struct kvm_irqfd f = { .gsi = 5 };
	pthread_t t;
	u64 one = 1;

	vcpu_expect_sync(v, 1);
	t = run_in_thread(v);
	for (int i = 0; i < 300; i++) {
		f.fd = eventfd(0, 0);
		f.flags = 0;
		ASSERT_OK(ioctl(v->vm->fd, KVM_IRQFD, &f));
		ASSERT(write(f.fd, &one, 8) == 8);
		if (i & 1) {
			f.flags = KVM_IRQFD_FLAG_DEASSIGN;
			ASSERT_OK(ioctl(v->vm->fd, KVM_IRQFD, &f));
		}
		close(f.fd);
	}
	pthread_kill(t, SIGUSR1);
	ASSERT(!pthread_join(t, NULL));
}
