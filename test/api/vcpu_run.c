// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_RUN itself: signals, immediate_exit, the shared kvm_run page, interrupt
 * windows, and the exits that end a run.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
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

static void g_syncs(void)
{
	for (u64 i = 0;; i++)
		guest_sync(i);
}

TEST(argument, "KVM_RUN takes no argument")
{
	struct vcpu *v = vm_guest(false, g_syncs);

	EXPECT_ERRNO(ioctl(v->fd, KVM_RUN, 1), EINVAL);
	vcpu_expect_sync(v, 0);
}

TEST(mapping, "the vCPU's file maps up to its size; beyond it there is no memory")
{
	struct vcpu *v = vcpu_new(vm_new(), 0);
	long page = sysconf(_SC_PAGESIZE);
	void *p;

	p = mmap(NULL, v->run_size + page, PROT_READ | PROT_WRITE, MAP_SHARED,
		 v->fd, 0);
	if (p != MAP_FAILED) {
		/* then reading the page beyond must be a SIGBUS: in a child */
		pid_t pid = fork();
		int status;

		if (!pid) {
			volatile u8 c = *((volatile u8 *)p + v->run_size);

			_exit(c * 0);
		}
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	}
	p = mmap(NULL, page, PROT_READ, MAP_SHARED, v->fd, 1ul << 40);
	if (p != MAP_FAILED) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			volatile u8 c = *(volatile u8 *)p;

			_exit(c * 0);
		}
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	}
}

TEST(immediate_exit, "immediate_exit: KVM_RUN returns EINTR without running the guest")
{
	struct vcpu *v = vm_guest(false, g_syncs);
	struct kvm_regs a, b;

	vcpu_expect_sync(v, 0);
	v->run->immediate_exit = 1;
	EXPECT_ERRNO(vcpu_run_once(v), EINTR);	/* completes the OUT */
	vcpu_regs(v, &a);
	EXPECT_ERRNO(vcpu_run_once(v), EINTR);
	vcpu_regs(v, &b);
	EXPECT(!memcmp(&a, &b, sizeof(a)), "the guest has run");
	v->run->immediate_exit = 0;
	vcpu_expect_sync(v, 1);
}

TEST(complete, "immediate_exit completes a pending read before it returns")
{
	void g_read(void);
	struct vcpu *v = vm_guest(false, g_read);
	struct kvm_regs r;

	vcpu_expect_exit(v, KVM_EXIT_IO);
	EXPECT_EQ(v->run->io.direction, KVM_EXIT_IO_IN);
	*(u32 *)((u8 *)v->run + v->run->io.data_offset) = 0xfeedbeef;
	v->run->immediate_exit = 1;
	EXPECT_ERRNO(vcpu_run_once(v), EINTR);
	vcpu_regs(v, &r);
	EXPECT_EQ(r.rax, 0xfeedbeef);
	v->run->immediate_exit = 0;
	vcpu_expect_sync(v, 0xfeedbeef);
}

void g_read(void);
void g_read(void)
{
	guest_sync(inl(0x1234));
	guest_done();
}

static volatile int got_signal;

static void on_signal(int sig)
{
	got_signal++;
}

static void timer(unsigned int ms)
{
	struct itimerval t = { .it_value.tv_usec = ms * 1000 };

	setitimer(ITIMER_REAL, &t, NULL);
}

TEST(signal, "a signal with a handler ends KVM_RUN of a spinning guest with EINTR")
{
	struct vcpu *v = vm_guest(false, g_spin);
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGALRM, &sa, NULL);
	vcpu_expect_sync(v, 1);
	for (int i = 1; i <= 5; i++) {
		timer(20);
		EXPECT_ERRNO(vcpu_run_once(v), EINTR);
		EXPECT_EQ(got_signal, i);
		EXPECT_EQ(v->run->exit_reason, KVM_EXIT_INTR);
	}
}

static int set_mask(struct vcpu *v, u32 len, u64 mask)
{
	struct { struct kvm_signal_mask h; u8 set[8]; } m = { .h.len = len };

	memcpy(m.set, &mask, 8);
	return ioctl(v->fd, KVM_SET_SIGNAL_MASK, &m);
}

TEST(signal_mask, "KVM_SET_SIGNAL_MASK: a blocked signal ends KVM_RUN, unhandled, with EINTR")
{
	struct vcpu *v = vm_guest(false, g_spin);
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t block, pending;

	sigaction(SIGALRM, &sa, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	sigprocmask(SIG_BLOCK, &block, NULL);
	EXPECT_OK(set_mask(v, 8, 0));		/* nothing blocked in the guest */
	vcpu_expect_sync(v, 1);
	timer(20);
	EXPECT_ERRNO(vcpu_run_once(v), EINTR);
	EXPECT_EQ(got_signal, 0);
	sigpending(&pending);
	EXPECT(sigismember(&pending, SIGALRM));
	/* still pending: KVM_RUN does not even start */
	EXPECT_ERRNO(vcpu_run_once(v), EINTR);
	EXPECT_ERRNO(set_mask(v, 4, 0), EINVAL);
	EXPECT_ERRNO(set_mask(v, 16, 0), EINVAL);
	EXPECT_OK(ioctl(v->fd, KVM_SET_SIGNAL_MASK, NULL));	/* off again */
	EXPECT_ERRNO(ioctl(v->fd, KVM_SET_SIGNAL_MASK, (void *)8), EFAULT);
}

static void g_hlt(void)
{
	guest_sync(1);
	for (;;)
		asm volatile("hlt" ::: "memory");
}

TEST(hlt, "HLT without irqchip is KVM_EXIT_HLT, after the instruction")
{
	struct vcpu *v = vm_guest(false, g_hlt);
	struct kvm_regs r;

	vcpu_expect_sync(v, 1);
	vcpu_expect_exit(v, KVM_EXIT_HLT);
	vcpu_regs(v, &r);
	EXPECT_EQ(v->vm->ram[r.rip - 1], 0xf4);
	vcpu_expect_exit(v, KVM_EXIT_HLT);
}

TEST(hlt_signal, "HLT with irqchip sleeps in the kernel; a signal ends it with EINTR")
{
	struct vcpu *v = vm_guest(true, g_hlt);
	struct sigaction sa = { .sa_handler = on_signal };
	struct kvm_mp_state s;
	struct timespec t0, t1;
	double cpu;

	sigaction(SIGALRM, &sa, NULL);
	vcpu_expect_sync(v, 1);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
	timer(500);
	EXPECT_ERRNO(vcpu_run_once(v), EINTR);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
	cpu = (t1.tv_sec - t0.tv_sec) + (t1.tv_nsec - t0.tv_nsec) / 1e9;
	EXPECT(cpu < 0.25, "half a second of HLT took %.3f s of CPU", cpu);
	EXPECT_EQ(v->run->exit_reason, KVM_EXIT_INTR);
	ASSERT_OK(ioctl(v->fd, KVM_GET_MP_STATE, &s));
	EXPECT(s.mp_state == KVM_MP_STATE_HALTED ||
	       s.mp_state == KVM_MP_STATE_RUNNABLE);
}

TEST(shutdown, "a triple fault is KVM_EXIT_SHUTDOWN")
{
	void g_triple(void);
	struct vcpu *v = vm_guest(false, g_triple);

	vcpu_expect_exit(v, KVM_EXIT_SHUTDOWN);
}

void g_triple(void);
void g_triple(void)
{
	struct { u16 limit; u64 base; } __attribute__((packed)) idt = {};

	asm volatile("lidt %0; ud2" :: "m"(idt));
}

static void g_window(void)
{
	cli();
	for (int i = 0; i < 3; i++)
		guest_sync(i);
	sti_nop();
	guest_sync(99);
	guest_done();
}

TEST(window, "request_interrupt_window: KVM_EXIT_IRQ_WINDOW_OPEN once IF is set, not before")
{
	struct vcpu *v = vm_guest(false, g_window);

	v->run->request_interrupt_window = 1;
	for (int i = 0; i < 3; i++) {
		vcpu_expect_sync(v, i);
		EXPECT_EQ(v->run->ready_for_interrupt_injection, 0);
		EXPECT_EQ(v->run->if_flag, 0);
	}
	vcpu_expect_exit(v, KVM_EXIT_IRQ_WINDOW_OPEN);
	EXPECT_EQ(v->run->if_flag, 1);
	EXPECT_EQ(v->run->ready_for_interrupt_injection, 1);
	v->run->request_interrupt_window = 0;
	vcpu_expect_sync(v, 99);
	EXPECT_EQ(v->run->ready_for_interrupt_injection, 1);
}

static void g_inject(void)
{
	guest_handle(0x55, guest_count);
	sti();
	guest_sync(1);
	GUEST_EQ(guest_counts[0x55], 1);
	guest_sync(2);
	GUEST_EQ(guest_counts[0x55], 1);
	guest_done();
}

TEST(inject, "KVM_INTERRUPT delivers its vector once")
{
	struct vcpu *v = vm_guest(false, g_inject);
	struct kvm_interrupt irq = { .irq = 0x55 };

	vcpu_expect_sync(v, 1);
	ASSERT_OK(ioctl(v->fd, KVM_INTERRUPT, &irq));
	vcpu_expect_sync(v, 2);
	vcpu_finish(v);
}

static void g_nmi(void)
{
	guest_handle(X86_NMI, guest_count);
	guest_sync(1);
	GUEST_EQ(guest_counts[X86_NMI], 1);
	guest_done();
}

TEST(nmi, "KVM_NMI is delivered once, with interrupts off too")
{
	struct vcpu *v = vm_guest(false, g_nmi);

	vcpu_expect_sync(v, 1);
	ASSERT_OK(ioctl(v->fd, KVM_NMI, 0));
	vcpu_finish(v);
}

TEST(exit_from_thread, "kvm_run's cr8 and apic_base are current after an exit")
{
	void g_cr8(void);
	struct vcpu *v = vm_guest(false, g_cr8);

	vcpu_expect_sync(v, 1);
	EXPECT_EQ(v->run->cr8, 5);
	EXPECT_EQ(v->run->apic_base & 0xfffff000, 0xfee00000);
	v->run->cr8 = 7;	/* without irqchip, user space may change it */
	vcpu_expect_sync(v, 7);
}

void g_cr8(void);
void g_cr8(void)
{
	write_cr8(5);
	guest_sync(1);
	guest_sync(read_cr8());
	guest_done();
}

TEST(sync_regs, "KVM_CAP_SYNC_REGS: registers in kvm_run, both ways; bad flags EINVAL")
{
	struct vcpu *v = vm_guest(false, g_syncs);
	int cap = kvm_cap(v->vm->kvm, KVM_CAP_SYNC_REGS);
	struct kvm_regs r;

	if (!cap)
		tap_skip("no KVM_CAP_SYNC_REGS");
	v->run->kvm_valid_regs = cap;
	vcpu_expect_sync(v, 0);
	vcpu_regs(v, &r);
	EXPECT(!memcmp(&r, &v->run->s.regs.regs, sizeof(r)));
	v->run->s.regs.regs.r15 = 0x1515;
	v->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	v->run->immediate_exit = 1;
	EXPECT_ERRNO(vcpu_run_once(v), EINTR);
	v->run->immediate_exit = 0;
	vcpu_regs(v, &r);
	EXPECT_EQ(r.r15, 0x1515);
	v->run->kvm_valid_regs = ~0ull;
	EXPECT_ERRNO(vcpu_run_once(v), EINVAL);
	v->run->kvm_valid_regs = 0;
	v->run->kvm_dirty_regs = ~0ull;
	EXPECT_ERRNO(vcpu_run_once(v), EINVAL);
	v->run->kvm_dirty_regs = 0;
	vcpu_expect_sync(v, 1);
}

TEST(bad_state, "KVM_RUN in a state that the CPU refuses ends with an error or an exit")
{
	struct vcpu *v = vm_guest(false, g_syncs);
	struct kvm_regs r;

	vcpu_regs(v, &r);
	r.rflags = ~0ull;	/* VM with long mode, reserved bits */
	r.rip = 0x0080000000000000ull;	/* non-canonical */
	ioctl(v->fd, KVM_SET_REGS, &r);
	if (vcpu_run_for(v, 300))
		EXPECT(v->run->exit_reason == KVM_EXIT_FAIL_ENTRY ||
		       v->run->exit_reason == KVM_EXIT_SHUTDOWN ||
		       v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR ||
		       v->run->exit_reason == KVM_EXIT_IO,
		       "%s", exit_name(v->run->exit_reason));
	else
		tap_note("it spins");
}

TEST(uninitialized, "a vCPU that waits for its INIT does not run; a signal gets it out")
{
	struct vm *vm = vm_new_irqchip();
	struct vcpu *ap;

	vcpu_new(vm, 0);
	ap = vcpu_new(vm, 1);
	EXPECT(!vcpu_run_for(ap, 50));
	EXPECT(!vcpu_run_for(ap, 50));
}

TEST(vcpu_order, "a fresh vCPU without CPUID, memory or mode can be run: it shuts down or errs")
{
	struct vcpu *v = vcpu_bare(vm_new(), 0);

	/* reset vector, no ROM there */
	if (vcpu_run_for(v, 300))
		EXPECT(v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR ||
		       v->run->exit_reason == KVM_EXIT_SHUTDOWN ||
		       v->run->exit_reason == KVM_EXIT_MMIO,
		       "%s", exit_name(v->run->exit_reason));
}
