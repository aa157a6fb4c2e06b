// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers in kvm_run (KVM_CAP_SYNC_REGS): shown at an exit, taken at KVM_RUN.
 */
#include "guest.h"

#define ALL	(KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS)

static void g_count(void)
{
	/* RBX counts the exits that the host sees. */
	asm volatile("mov $0x1234, %%rbx\n"
		     "1: inc %%rbx\n"
		     "in $0x80, %%al\n"
		     "jmp 1b" ::: "rax", "rbx");
}

static struct vcpu *counting(void)
{
	struct vcpu *v = vm_guest(false, g_count);

	if (!kvm_cap(v->vm->kvm, KVM_CAP_SYNC_REGS))
		tap_skip("no KVM_CAP_SYNC_REGS");
	return v;
}

TEST(sync_cap, "KVM_CAP_SYNC_REGS: registers, sregs and events")
{
	struct vcpu *v = counting();

	EXPECT_EQ(kvm_cap(v->vm->kvm, KVM_CAP_SYNC_REGS), ALL);
}

TEST(sync_unknown, "unknown bits in kvm_valid_regs and kvm_dirty_regs are EINVAL")
{
	struct vcpu *v = counting();

	v->run->kvm_valid_regs = ALL + 1;
	EXPECT_ERRNO(vcpu_run_once(v), EINVAL);
	v->run->kvm_valid_regs = 1ull << 63;
	EXPECT_ERRNO(vcpu_run_once(v), EINVAL);
	v->run->kvm_valid_regs = 0;
	v->run->kvm_dirty_regs = 1u << 31;
	EXPECT_ERRNO(vcpu_run_once(v), EINVAL);
	v->run->kvm_dirty_regs = ALL + 1;
	EXPECT_ERRNO(vcpu_run_once(v), EINVAL);
	v->run->kvm_dirty_regs = 0;
	vcpu_expect_exit(v, KVM_EXIT_IO);
}

TEST(sync_show, "kvm_valid_regs: kvm_run shows what KVM_GET_REGS, _SREGS and _VCPU_EVENTS do")
{
	struct vcpu *v = counting();
	struct kvm_sync_regs *s = &v->run->s.regs;
	struct kvm_vcpu_events events;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	v->run->kvm_valid_regs = ALL;
	vcpu_expect_exit(v, KVM_EXIT_IO);
	vcpu_regs(v, &regs);
	vcpu_sregs(v, &sregs);
	ASSERT_OK(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &events));
	EXPECT_EQ(regs.rbx, 0x1235);
	EXPECT(!memcmp(&regs, &s->regs, sizeof(regs)));
	EXPECT(!memcmp(&sregs, &s->sregs, sizeof(sregs)));
	EXPECT(!memcmp(&events, &s->events, sizeof(events)));
}

TEST(sync_show_some, "what kvm_valid_regs does not name stays as it was")
{
	struct vcpu *v = counting();
	struct kvm_sync_regs *s = &v->run->s.regs;

	s->regs.rbx = 0xbad;
	s->sregs.cr0 = 0xbad;
	v->run->kvm_valid_regs = KVM_SYNC_X86_SREGS;
	vcpu_expect_exit(v, KVM_EXIT_IO);
	EXPECT_EQ(s->regs.rbx, 0xbad);
	EXPECT(s->sregs.cr0 & CR0_PG);
	v->run->kvm_valid_regs = 0;
	s->sregs.cr0 = 0xbad;
	vcpu_expect_exit(v, KVM_EXIT_IO);
	EXPECT_EQ(s->sregs.cr0, 0xbad);
}

TEST(sync_take, "kvm_dirty_regs: registers are taken once, and not without it")
{
	struct vcpu *v = counting();
	struct kvm_sync_regs *s = &v->run->s.regs;

	v->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	vcpu_expect_exit(v, KVM_EXIT_IO);
	EXPECT_EQ(s->regs.rbx, 0x1235);
	s->regs.rbx = 100;
	v->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	vcpu_expect_exit(v, KVM_EXIT_IO);
	EXPECT_EQ(s->regs.rbx, 101);
	EXPECT_EQ(v->run->kvm_dirty_regs, 0);
	s->regs.rbx = 200;
	vcpu_expect_exit(v, KVM_EXIT_IO);
	EXPECT_EQ(s->regs.rbx, 102);
	/* taken although nothing is shown */
	v->run->kvm_valid_regs = 0;
	s->regs.rbx = 300;
	v->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	vcpu_expect_exit(v, KVM_EXIT_IO);
	v->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	vcpu_expect_exit(v, KVM_EXIT_IO);
	EXPECT_EQ(s->regs.rbx, 302);
}

TEST(sync_refused, "values that KVM_SET_SREGS or KVM_SET_VCPU_EVENTS refuse are EINVAL")
{
	struct vcpu *v = counting();
	struct kvm_sync_regs *s = &v->run->s.regs;
	struct kvm_sregs sregs;

	v->run->kvm_valid_regs = ALL;
	vcpu_expect_exit(v, KVM_EXIT_IO);
	sregs = s->sregs;
	s->sregs.cr4 |= 1ull << 40;
	v->run->kvm_dirty_regs = KVM_SYNC_X86_SREGS;
	EXPECT_ERRNO(vcpu_run_once(v), EINVAL);
	s->sregs = sregs;
	s->sregs.apic_base ^= 1ull << 60;
	v->run->kvm_dirty_regs = KVM_SYNC_X86_SREGS;
	EXPECT_ERRNO(vcpu_run_once(v), EINVAL);
	s->sregs = sregs;
	s->events.flags = 1u << 31;
	v->run->kvm_dirty_regs = KVM_SYNC_X86_EVENTS;
	EXPECT_ERRNO(vcpu_run_once(v), EINVAL);
	v->run->kvm_dirty_regs = 0;
	vcpu_expect_exit(v, KVM_EXIT_IO);
}

static volatile bool stop;

static void *scribble(void *run)
{
	struct kvm_run *r = run;

	for (u64 i = 0; !stop; i++) {
		r->kvm_dirty_regs = i & ALL;
		r->s.regs.sregs.cr4 ^= CR4_PAE;
		r->s.regs.sregs.cr0 ^= CR0_PG;
		r->s.regs.events.exception.nr = i;
		r->s.regs.events.exception.injected = i >> 3;
		r->s.regs.events.flags = 0;
	}
	return NULL;
}

TEST(sync_race, "kvm_run's registers change while they are taken: what is checked is what is used")
{
	struct vcpu *v = counting();
	pthread_t thread;

	v->run->kvm_valid_regs = ALL;
	vcpu_expect_exit(v, KVM_EXIT_IO);
	ASSERT_EQ(pthread_create(&thread, NULL, scribble, v->run), 0);
	/* Take them and come back: where such a guest would go is nobody's business. */
	v->run->immediate_exit = 1;
	for (int i = 0; i < 5000; i++) {
		struct kvm_vcpu_events events = {};

		vcpu_run_once(v);
		ASSERT_OK(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &events));
		EXPECT(events.exception.nr < 32 || !events.exception.injected);
	}
	stop = true;
	pthread_join(thread, NULL);
}
