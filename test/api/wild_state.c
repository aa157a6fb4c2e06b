// SPDX-License-Identifier: GPL-2.0-only
/*
 * States that no CPU can be in, set by user space: a few fields of a good state are
 * replaced at random, by values at the edges of what a field may be, and the vCPU is run.
 * Each is refused by its ioctl, or run, or ends in an exit that says why; and the VM goes
 * on afterwards. The host's log is the lab's to watch.
 *
 * WILD=N is the number of states (1500), WILD_SEED=N the first one's seed: a failure says both;
 * WILD_SAY=1 prints each before it is set.
 */
#include "guest.h"

static u64 seed;

static u64 dice(void)
{
	/* splitmix64, which is public domain */
	u64 z = seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static u64 edge(void)
{
	static const u64 edges[] = {
		0, 1, 0xfff, 0x1000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
		GPA_NONE, VM_RAM - 1, 0x7ffffffff000, 0x7fffffffffff, 0x800000000000,
		0xffff800000000000, 0xfffffffffffff000, ~0ull,
	};
	u64 r = dice();

	return r & 1 ? edges[(r >> 1) % ARRAY_SIZE(edges)] : dice() >> (r >> 1 & 63);
}

static u64 flip(u64 value)
{
	return value ^ 1ull << dice() % 64;
}

/* ---- what is replaced ---------------------------------------------------------- */

struct state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debug;
};

static void wild_segment(struct kvm_segment *s)
{
	switch (dice() % 12) {
	case 0: s->base = edge(); break;
	case 1: s->limit = edge(); break;
	case 2: s->selector = edge(); break;
	case 3: s->type = dice() % 16; break;
	case 4: s->dpl = dice() % 4; break;
	case 5: s->present ^= 1; break;
	case 6: s->s ^= 1; break;
	case 7: s->db ^= 1; break;
	case 8: s->l ^= 1; break;
	case 9: s->g ^= 1; break;
	case 10: s->unusable ^= 1; break;
	case 11: s->type = dice(); s->dpl = dice(); s->present = dice(); break;
	}
}

static void wild_system(struct kvm_sregs *s)
{
	struct kvm_segment *segments[] = {
		&s->cs, &s->ds, &s->es, &s->fs, &s->gs, &s->ss, &s->tr, &s->ldt,
	};

	switch (dice() % 16) {
	case 0: s->cr0 = flip(s->cr0); break;
	case 1: s->cr0 ^= 1ull << dice() % 6 | 1ull << 31; break;
	case 2: s->cr3 = edge(); break;
	case 3: s->cr4 = flip(s->cr4); break;
	case 4: s->cr4 ^= 1ull << dice() % 24; break;
	case 5: s->efer ^= 1ull << dice() % 16; break;
	case 6: s->efer = flip(s->efer); break;
	case 7: s->cr8 = edge(); break;
	case 8: s->gdt.base = edge(); s->gdt.limit = edge(); break;
	case 9: s->idt.base = edge(); s->idt.limit = edge(); break;
	case 10: s->interrupt_bitmap[dice() % 4] = 1ull << dice() % 64; break;
	default: wild_segment(segments[dice() % 8]); break;
	}
}

static void wild_event(struct kvm_vcpu_events *e)
{
	switch (dice() % 9) {
	case 0: e->exception.injected = dice(); e->exception.nr = dice() % 40; break;
	case 1: e->exception.has_error_code = dice(); e->exception.error_code = edge(); break;
	case 2: e->interrupt.injected = dice(); e->interrupt.nr = dice(); break;
	case 3: e->interrupt.soft = dice(); break;
	case 4: e->interrupt.shadow = dice(); e->flags |= KVM_VCPUEVENT_VALID_SHADOW; break;
	case 5: e->nmi.injected = dice(); break;
	case 6: e->nmi.masked = dice(); break;
	case 7: e->nmi.pending = dice(); e->flags |= KVM_VCPUEVENT_VALID_NMI_PENDING; break;
	case 8: e->flags = flip(e->flags); break;
	}
}

static void wild(struct state *s)
{
	switch (dice() % 8) {
	case 0: s->regs.rip = edge(); break;
	case 1:
		s->regs.rflags = flip(s->regs.rflags);
		/* Bochs 2.7's single steps outlive an EPT violation (docs/tests.md). */
		if (host_is_bochs())
			s->regs.rflags &= ~(u64)FLAG_TF;
		break;
	case 2: s->regs.rsp = edge(); break;
	case 3: wild_event(&s->events); break;
	case 4: s->debug.dr7 = edge(); s->debug.db[dice() % 4] = edge(); break;
	default: wild_system(&s->sregs); break;
	}
}

/* ---- good states ----------------------------------------------------------------- */

static void g_rest(void)
{
	asm volatile("hlt");
	guest_sync(1);
	guest_done();
}

static void get(struct vcpu *v, struct state *s)
{
	vcpu_regs(v, &s->regs);
	vcpu_sregs(v, &s->sregs);
	ASSERT_OK(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &s->events));
	ASSERT_OK(ioctl(v->fd, KVM_GET_DEBUGREGS, &s->debug));
}

/* True if none was refused. A refusal is EINVAL. */
static bool set(struct vcpu *v, struct state *s)
{
	int refused = 0;

#define SET(request, data) do {							\
	if (ioctl(v->fd, request, data)) {					\
		EXPECT(errno == EINVAL, #request ": %s", strerror(errno));	\
		refused++;							\
	}									\
} while (0)
	SET(KVM_SET_SREGS, &s->sregs);
	SET(KVM_SET_REGS, &s->regs);
	SET(KVM_SET_DEBUGREGS, &s->debug);
	SET(KVM_SET_VCPU_EVENTS, &s->events);
#undef SET
	return !refused;
}

/* Whatever a wild RIP meets is an HLT: nothing spins for long. */
static void fill_with_hlt(struct vm *vm)
{
	static const u8 zeros[0x1000];

	for (u64 gpa = 0; gpa < vm->ram_size; gpa += sizeof(zeros))
		if (!memcmp(vm->ram + gpa, zeros, sizeof(zeros)))
			memset(vm->ram + gpa, 0xf4, sizeof(zeros));
}

static const char *const modes[] = { "real", "protected", "paging", "PAE", "long" };

static void enter_mode(struct vcpu *v, unsigned int mode)
{
	switch (mode) {
	case 0: vcpu_real(v, GPA_CODE); break;
	case 1: vcpu_prot(v, GPA_CODE); break;
	case 2: vcpu_paging32(v, GPA_CODE); break;
	case 3: vcpu_pae(v, GPA_CODE); break;
	case 4: vcpu_long(v, g_rest); break;
	}
}

static void say(u64 round, const char *mode, const struct state *s)
{
	const struct kvm_segment *segments = &s->sregs.cs;

	fprintf(stderr, "%llu %s: rip %llx rsp %llx rflags %llx cr0 %llx cr3 %llx cr4 %llx cr8 %llx efer %llx dr7 %llx\n",
		(unsigned long long)round, mode, s->regs.rip, s->regs.rsp, s->regs.rflags, s->sregs.cr0,
		s->sregs.cr3, s->sregs.cr4, s->sregs.cr8, s->sregs.efer, s->debug.dr7);
	for (int i = 0; i < 8; i++)
		fprintf(stderr, "  %c%c base %llx limit %x selector %x type %x p %u dpl %u db %u s %u l %u g %u unusable %u\n",
			"cdefgstl"[i], "sssssrrd"[i], segments[i].base, segments[i].limit,
			segments[i].selector, segments[i].type, segments[i].present,
			segments[i].dpl, segments[i].db, segments[i].s, segments[i].l,
			segments[i].g, segments[i].unusable);
	fprintf(stderr, "  exception %u %u error %u %x interrupt %u %u soft %u shadow %u nmi %u %u %u flags %x\n",
		s->events.exception.injected, s->events.exception.nr, s->events.exception.has_error_code,
		s->events.exception.error_code, s->events.interrupt.injected, s->events.interrupt.nr,
		s->events.interrupt.soft, s->events.interrupt.shadow, s->events.nmi.injected,
		s->events.nmi.pending, s->events.nmi.masked, s->events.flags);
}

/* What stray pushes may have hit: tables, and the code below 1 MB. */
static u8 kept[0x40000];

static void check_alive(struct vcpu *v, struct state *good)
{
	/* An access that waits for its value is an instruction to be completed first. */
	v->run->immediate_exit = 1;
	for (int i = 0; i < 16 && !vcpu_run_once(v); i++)
		;
	v->run->immediate_exit = 0;
	memcpy(v->vm->ram, kept, sizeof(kept));
	ASSERT(set(v, good), "the good state is refused");
	vcpu_expect_exit(v, KVM_EXIT_HLT);
	vcpu_expect_sync(v, 1);
}

TEST_LIMIT(wild, 240, "states that no CPU can be in: refused, or run to an exit; the VM goes on")
{
	const char *many = getenv("WILD"), *first = getenv("WILD_SEED");
	u64 start = first ? strtoull(first, NULL, 0) : 1, n = many ? strtoull(many, NULL, 0) : 1500;
	struct vm *vm;
	struct vcpu *v;
	u64 refused = 0, failed_entries = 0, errors = 0, kicked = 0;
	struct state good[ARRAY_SIZE(modes)], s;

	if (vendor_is("kvm_amd") && (host_is_tcg() || host_is_bochs()))
		tap_skip("this emulator ends where VMRUN must refuse a state (docs/lab.md)");
	vm = vm_new();
	v = vcpu_new(vm, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(modes); i++) {
		enter_mode(v, i);
		get(v, &good[i]);
	}
	fill_with_hlt(vm);
	memcpy(kept, vm->ram, sizeof(kept));
	for (u64 i = start; i < start + n && !tap_failed(); i++) {
		unsigned int mode;

		seed = i;
		mode = dice() % ARRAY_SIZE(modes);
		s = good[mode];
		for (u64 k = dice() % 3; k < 3; k++)
			wild(&s);
		if (getenv("WILD_SAY"))
			say(i, modes[mode], &s);
		if (!set(v, &s)) {
			refused++;
		} else if (!vcpu_run_for(v, 200)) {
			kicked++;
		} else {
			failed_entries += v->run->exit_reason == KVM_EXIT_FAIL_ENTRY;
			errors += v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR;
		}
		check_alive(v, &good[4]);
		if (tap_failed())
			tap_note("WILD_SEED=%llu WILD=1: %s", (unsigned long long)i, modes[mode]);
	}
	tap_note("%llu states: %llu refused, %llu failed entries, %llu internal errors, %llu had to be kicked",
		 (unsigned long long)n, (unsigned long long)refused, (unsigned long long)failed_entries,
		 (unsigned long long)errors, (unsigned long long)kicked);
}
