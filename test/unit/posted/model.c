// SPDX-License-Identifier: GPL-2.0-only
/*
 * One vCPU and those who post interrupts to it, in every order in which their accesses to
 * memory can come. Posting, taking, and what the CPU is told are the modules' own code;
 * the run loop, the kick and the CPU (SDM 3C 29.6) are a few lines here, in the order of
 * arch-x86/run.c and core/request.c. Memory is sequentially consistent: what the barriers
 * are for must be seen by eye.
 *
 * Threads are coroutines that stop before each access. A run is a list of choices; the next
 * run differs in the last one that had an alternative. Where that would be too many, a
 * thread that could go on is interrupted a few times at most.
 *
 * When nobody has anything left to do, every vector must have been delivered.
 */
#include <ucontext.h>

#include "arch-x86/irqchip/lapic.h"

#define MAX_DEPTH	400
#define VCPU		0	/* its thread; the others post */
#define HOST_CPU	1	/* where it runs */

static struct x86_vm vm;
static struct x86_vcpu vcpu;
static struct x86_lapic apic;
static struct x86_posted descriptor __aligned(64);
static char apic_page[4096] __aligned(64);
static struct { int requested; u64 eoi_exits; } told;
static int delivered[256];

/* What the host's interrupt controller and scheduler hold. */
static bool notification, reschedule, sleeping;

/* ---- threads ------------------------------------------------------------------- */

static struct thread {
	ucontext_t context;
	bool done;
	bool (*waits_for)(void);	/* nothing to do until this is true */
	char stack[64 * 1024];
} threads[4];

static ucontext_t scheduler;
static int nr_threads, current;
static bool running;	/* threads; else the main program looks at what they left */

static struct { int chosen, alternatives; } path[MAX_DEPTH];
static int depth, prefix, interruptions, max_interruptions;

/* Its registers are the vCPU's alone, outside of the guest, and TMR is of no interest. */
static bool shared(const volatile void *p)
{
	return (char *)p < (char *)apic.regs || (char *)p >= (char *)apic.regs + sizeof(apic_page);
}

void model_step(const volatile void *p)
{
	if (running && shared(p))
		swapcontext(&threads[current].context, &scheduler);
}

static void wait_until(bool (*condition)(void))
{
	threads[current].waits_for = condition;
	STEP(NULL);
	threads[current].waits_for = NULL;
}

static bool can_run(int i)
{
	return !threads[i].done && (!threads[i].waits_for || threads[i].waits_for());
}

/* Who is next: the one of now is choice 0, so that others are interruptions of it. */
static bool choose(void)
{
	int list[4], n = 0, i;

	if (can_run(current))
		list[n++] = current;
	for (i = 0; i < nr_threads; i++)
		if (i != current && can_run(i) &&
		    (!can_run(current) || interruptions < max_interruptions))
			list[n++] = i;
	if (!n)
		return false;
	if (depth == MAX_DEPTH) {
		printf("# a run does not end\n");
		exit(1);
	}
	if (depth >= prefix)
		path[depth].chosen = 0;
	path[depth].alternatives = n;
	i = list[path[depth++].chosen];
	interruptions += i != current && can_run(current);
	current = i;
	return true;
}

static void start(int i, void (*body)(void))
{
	struct thread *t = &threads[i];

	getcontext(&t->context);
	t->context.uc_stack.ss_sp = t->stack;
	t->context.uc_stack.ss_size = sizeof(t->stack);
	t->context.uc_link = &scheduler;
	t->done = false;
	t->waits_for = NULL;
	makecontext(&t->context, body, 0);
}

/* ---- what the modules' code calls ------------------------------------------------ */

bool x86_force_emulation;
void x86_inject_nmi(struct x86_vcpu *v) { }
void x86_inject_smi(struct x86_vcpu *v) { }
void x86_mmu_unmap_apic_page(struct x86_vm *vm) { }
void lapic_withdraw_pv_eoi(struct x86_lapic *apic) { }
void lapic_error(struct x86_lapic *apic, u32 bit) { }
void lapic_update_ppr(struct x86_lapic *apic) { }
bool lapic_reg_written(struct x86_lapic *apic, u32 reg) { return true; }
void lapic_eoi_done(struct x86_lapic *apic, u8 vec) { }
int x86_irq_deliver(struct x86_vm *vm, struct x86_lapic *src, const struct x86_irq_msg *m) { return 0; }

static void changed(struct x86_vcpu *v) { }
static void set_requested(struct x86_vcpu *v, int vector) { told.requested = vector; }
static void set_in_service(struct x86_vcpu *v, int vector) { }
static void set_eoi_exits(struct x86_vcpu *v, const u64 bitmap[4]) { told.eoi_exits = bitmap[2]; }

const struct x86_vendor_ops *x86_vendor_ops(void)
{
	static const struct x86_apicv_ops apicv = {
		changed, set_requested, set_in_service, set_eoi_exits,
	};
	static const struct x86_vendor_ops ops = { .apicv = &apicv };

	return &ops;
}

const struct x86_vendor_caps *x86_vendor_caps(void)
{
	static const struct x86_vendor_caps caps = { .irq_delivery = true, .irq_posting = true };

	return &caps;
}

int smp_processor_id(void)
{
	return current == VCPU ? HOST_CPU : 0;
}

void __apic_send_IPI_mask(int cpu, int vector)
{
	STEP(NULL);
	notification = true;
}

void kvm_vcpu_kick(struct kvm_vcpu *core)
{
	STEP(NULL);
	if (sleeping) {
		sleeping = false;
		return;
	}
	STEP(NULL);
	if (core->mode == KVM_VCPU_IN_GUEST) {
		core->mode = KVM_VCPU_EXITING;
		STEP(NULL);
		reschedule = smp_processor_id() != HOST_CPU;
	}
}

/* ---- the vCPU --------------------------------------------------------------------- */

/* The guest takes, and ends, all that is in the IRR, if the CPU knows of it. */
static void guest_takes(void)
{
	int vec;

	while (told.requested >= 0 && (vec = lapic_highest(&apic, APIC_IRR)) >= 0) {
		delivered[vec]++;
		__clear_bit(vec & 31, lapic_vec_word(&apic, APIC_IRR, vec));
		told.requested = lapic_highest(&apic, APIC_IRR);
	}
}

static void cpu_takes_posted(void)
{
	unsigned long word;
	unsigned int i, bit;

	notification = false;
	x86_posted_begin(&descriptor);
	for (i = 0; i < ARRAY_SIZE(descriptor.pir); i++) {
		word = x86_posted_take(&descriptor, i);
		for_each_set_bit(bit, &word, BITS_PER_LONG) {
			u8 vec = i * BITS_PER_LONG + bit;

			__set_bit(vec & 31, lapic_vec_word(&apic, APIC_IRR, vec));
		}
	}
	told.requested = lapic_highest(&apic, APIC_IRR);
	guest_takes();
}

static bool interrupted(void) { return notification || reschedule; }
static bool awake(void) { return !sleeping; }

/* In the guest until it is kicked; at once, if @exits: it needs something of the host. */
static void guest(bool exits)
{
	guest_takes();
	for (;;) {
		if (exits)
			STEP(NULL);
		else
			wait_until(interrupted);
		if (reschedule)
			return;
		if (notification && apic.apicv)
			cpu_takes_posted();
		else if (notification || exits)
			return;
	}
}

static void inject(void)
{
	int vec = x86_lapic_ack(&vcpu);

	if (vec >= 0) {
		delivered[vec]++;
		__clear_bit(vec & 31, lapic_vec_word(&apic, APIC_ISR, vec));
		apic.isr_highest = -1;
		/* The window for the next one. */
		vcpu.core.requests |= BIT(X86_REQ_EVENT);
	}
}

static bool called_off(void)
{
	if (x86_posted_outstanding(vcpu.posted))
		x86_lapic_take_outstanding(&vcpu);
	return READ_ONCE(vcpu.core.mode) == KVM_VCPU_EXITING || READ_ONCE(vcpu.core.requests);
}

/* Turns of the outer loop until the guest was entered; @again: twice, by the inner loop. */
static void enter(bool exits, bool again)
{
	for (;;) {
		STEP(NULL);
		vcpu.core.requests &= BIT(X86_REQ_EVENT);	/* all others are done */
		if (vcpu.core.requests) {
			vcpu.core.requests = 0;
			x86_lapic_take_posted(&vcpu);
			if (!apic.apicv)
				inject();
		}
		WRITE_ONCE(vcpu.core.mode, KVM_VCPU_IN_GUEST);
		if (!called_off())
			break;
		WRITE_ONCE(vcpu.core.mode, KVM_VCPU_OUTSIDE_GUEST);
		reschedule = false;
	}
	guest(exits);
	if (again && !called_off())
		guest(true);
	WRITE_ONCE(vcpu.core.mode, KVM_VCPU_OUTSIDE_GUEST);
	/* IRQs on: what comes too late does nothing. */
	STEP(NULL);
	notification = reschedule = false;
}

static void halt(void)
{
	STEP(NULL);
	sleeping = true;
	if (x86_lapic_pending(&vcpu) < 0)
		wait_until(awake);
	sleeping = false;
	vcpu.core.requests |= BIT(X86_REQ_EVENT);
}

static void stay(void)
{
	for (;;)
		enter(false, false);
}

static void life_stays(void) { stay(); }
static void life_exits(void) { enter(true, false); stay(); }
static void life_inner(void) { enter(true, true); stay(); }
static void life_halts(void) { enter(true, false); halt(); stay(); }

/* A debugger has the CPU's delivery switched off, then on again. */
static void life_apicv(void)
{
	enter(true, false);
	vcpu.core.guest_debug = KVM_GUESTDBG_BLOCKIRQ;
	x86_lapic_update_apicv(&vcpu);
	vcpu.core.guest_debug = 0;
	enter(true, false);
	x86_lapic_update_apicv(&vcpu);
	stay();
}

/* It posts to itself, as its timer does, between an exit and the next entry. */
static void life_self(void)
{
	enter(true, false);
	vcpu.core.mode = KVM_VCPU_IN_GUEST;
	lapic_accept(&apic, X86_DM_FIXED, 0x61, false, true);
	if (!called_off())
		guest(true);
	vcpu.core.mode = KVM_VCPU_OUTSIDE_GUEST;
	notification = reschedule = false;
	stay();
}

/* ---- posters --------------------------------------------------------------------- */

static void post(u8 vec, bool level)
{
	lapic_accept(&apic, X86_DM_FIXED, vec, level, true);
	threads[current].done = true;
}

static void posts_41(void) { post(0x41, false); }
static void posts_d1(void) { post(0xd1, false); }
static void posts_level(void) { post(0x71, true); }

/* ---- runs ------------------------------------------------------------------------- */

static void begin(void (*const bodies[])(void))
{
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&apic, 0, sizeof(apic));
	memset(&descriptor, 0, sizeof(descriptor));
	memset(apic_page, 0, sizeof(apic_page));
	memset(delivered, 0, sizeof(delivered));
	vcpu.core.kvm = &vm.core;
	vcpu.core.cpu = HOST_CPU;
	vcpu.apic = &apic;
	vcpu.posted = &descriptor;
	vcpu.apic_base = 0xfee00000 | MSR_IA32_APICBASE_ENABLE;
	apic.vcpu = &vcpu;
	apic.regs = apic_page;
	apic.isr_highest = -1;
	apic.sw_enabled = apic.posts = apic.virtualized = apic.apicv = true;
	apic.apicv_mode = X86_APIC_PAGE;
	told.requested = -1;
	notification = reschedule = sleeping = false;
	for (nr_threads = 0; bodies[nr_threads]; nr_threads++)
		start(nr_threads, bodies[nr_threads]);
	current = VCPU;
	depth = interruptions = 0;
}

static const char *verdict(void (*const bodies[])(void))
{
	int i;

	for (i = 1; bodies[i]; i++) {
		if (bodies[i] == posts_41 && !delivered[0x41])
			return "0x41 is lost";
		if (bodies[i] == posts_d1 && !delivered[0xd1])
			return "0xd1 is lost";
		if (bodies[i] == posts_level && !delivered[0x71])
			return "0x71 is lost";
	}
	if (bodies[0] == life_self && !delivered[0x61])
		return "0x61 is lost";
	if (!sleeping && x86_posted_outstanding(&descriptor))
		return "something is outstanding";
	return NULL;
}

static bool next_path(void)
{
	while (depth && path[depth - 1].chosen + 1 == path[depth - 1].alternatives)
		depth--;
	if (!depth)
		return false;
	path[depth - 1].chosen++;
	prefix = depth;
	return true;
}

static int tests, failures;

static void explore(const char *what, int limit, void (*const bodies[])(void))
{
	const char *wrong = NULL;
	long runs = 0;

	prefix = 0;
	max_interruptions = limit;
	do {
		begin(bodies);
		running = true;
		while (choose())
			swapcontext(&scheduler, &threads[current].context);
		running = false;
		runs++;
		current = VCPU;
		wrong = verdict(bodies);
	} while (!wrong && next_path());
	printf("%s %d - %s: %ld orders\n", wrong ? "not ok" : "ok", ++tests, what, runs);
	if (wrong) {
		printf("# %s, %d steps:", wrong, depth);
		for (int i = 0; i < depth; i++)
			printf(" %d", path[i].chosen);
		printf("\n");
		failures++;
	}
}

/* ---- in one order ----------------------------------------------------------------- */

static bool same;

#define EXPECT_EQ(a, b)								\
do {										\
	long long __a = (a), __b = (b);						\
	if (__a != __b) {							\
		printf("# line %d: %s is %#llx, expected %#llx\n", __LINE__, #a, __a, __b); \
		same = false;							\
	}									\
} while (0)

static int accept(u8 vec, bool level)
{
	return lapic_accept(&apic, X86_DM_FIXED, vec, level, true);
}

static void one_by_one(void)
{
	const u32 *word = (u32 *)&descriptor;

	same = true;
	begin((void (*const[])(void)){ life_stays, NULL });
	current = 1;	/* elsewhere than the vCPU */
	vcpu.core.mode = KVM_VCPU_IN_GUEST;
	/* The guest runs: one IPI for what comes until it is taken; no request, no kick. */
	EXPECT_EQ(accept(0x51, false), 1);
	EXPECT_EQ(notification, true);
	notification = false;
	EXPECT_EQ(accept(0x51, false), 0);
	EXPECT_EQ(accept(0xc7, false), 1);
	EXPECT_EQ(notification, false);
	EXPECT_EQ(vcpu.core.requests, 0);
	EXPECT_EQ(vcpu.core.mode, KVM_VCPU_IN_GUEST);
	EXPECT_EQ(word[2], BIT(0x11));
	EXPECT_EQ(word[6], BIT(7));
	EXPECT_EQ(word[8], 1);
	EXPECT_EQ(x86_lapic_pending(&vcpu), 0xc7);
	/* It has left, and comes back: the thread takes them, and need not go anywhere. */
	x86_lapic_take_outstanding(&vcpu);
	EXPECT_EQ(vcpu.core.requests, 0);
	EXPECT_EQ(told.requested, 0xc7);
	EXPECT_EQ(word[2] | word[6] | word[8], 0);
	/* In the IRR still: merged with that; but told, if that is being delivered just now. */
	EXPECT_EQ(accept(0x51, false), 0);
	EXPECT_EQ(notification, true);
	notification = false;
	x86_lapic_take_outstanding(&vcpu);
	/* Level-triggered: out of the guest, and the CPU is told of the EOI before. */
	EXPECT_EQ(accept(0x92, true), 1);
	EXPECT_EQ(word[4] | word[8], 0);
	EXPECT_EQ(vcpu.core.requests, BIT(X86_REQ_EVENT));
	EXPECT_EQ(vcpu.core.mode, KVM_VCPU_EXITING);
	x86_lapic_take_posted(&vcpu);
	EXPECT_EQ(told.eoi_exits, 1ull << 0x12);
	EXPECT_EQ(told.requested, 0xc7);
	/* On its way out, or elsewhere: by a request. */
	vcpu.core.requests = 0;
	EXPECT_EQ(accept(0x54, false), 1);
	EXPECT_EQ(notification, false);
	EXPECT_EQ(vcpu.core.requests, BIT(X86_REQ_EVENT));
	/* The CPU does not deliver: by injection. */
	apic.apicv = false;
	vcpu.core.requests = 0;
	x86_lapic_take_outstanding(&vcpu);
	EXPECT_EQ(vcpu.core.requests, BIT(X86_REQ_EVENT));
	EXPECT_EQ(word[8], 1);
	x86_lapic_take_posted(&vcpu);
	EXPECT_EQ(lapic_test_vec(&apic, APIC_IRR, 0x54), true);
	EXPECT_EQ(word[8], 0);
	accept(0x55, false);
	lapic_drop_posted(&apic);
	EXPECT_EQ(word[2] | word[8], 0);
	printf("%s %d - who is told of what, and how\n", same ? "ok" : "not ok", ++tests);
	failures += !same;
}

#define EXPLORE(what, limit, ...) \
	explore(what, limit, (void (*const[])(void)){ __VA_ARGS__, NULL })

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..10\n");
	one_by_one();
	EXPLORE("to a guest that stays", 3, life_stays, posts_41);
	EXPLORE("to one that exits", 3, life_exits, posts_41);
	EXPLORE("to one that enters again at once", 3, life_inner, posts_41);
	EXPLORE("to one that halts", 3, life_halts, posts_41);
	EXPLORE("while the CPU's delivery goes off and on", 3, life_apicv, posts_41);
	EXPLORE("level-triggered", 3, life_exits, posts_level);
	EXPLORE("by two", 3, life_exits, posts_41, posts_d1);
	EXPLORE("by two, the same vector, to one that halts", 2, life_halts, posts_41, posts_41);
	EXPLORE("by the vCPU itself and another", 3, life_self, posts_41);
	return failures != 0;
}
