// SPDX-License-Identifier: GPL-2.0-only
/*
 * What user space asks of KVM, and what two vCPUs do to each other: as exits.c, with which
 * it shares marks and output, but here a row is a function, run N and twice N times.
 *
 *	ops [ROUNDS]
 *
 * ipi-wake: an IPI to a vCPU that sleeps in HLT, to the moment that it sleeps again: two
 * vCPUs wake each other in turn.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "marks.h"

#define CODE	0x1000		/* of vCPU 0 */
#define CODE_1	0x1800		/* of vCPU 1 */
#define HANDLER	0x2000		/* of interrupt 0x20, vCPU 0's */
#define HANDLER_1 0x2800	/* of interrupt 0x21, vCPU 1's */
#define PAGES	0x1000000	/* memory with a dirty log */
#define NR_PAGES 2000
#define LAPIC	0xfee00000
#define END	0xf4		/* nobody's port: the exit that ends a run */
#define NR_SLOTS 500
#define NR_VCPUS 40

struct vcpu {
	int fd;
	struct kvm_run *run;
};

struct machine {
	int fd;
	unsigned char *memory;
	struct vcpu vcpu[2];
};

static int kvm;

static void need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "ops: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *new_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(p != MAP_FAILED, "mmap");
	madvise(p, size, MADV_NOHUGEPAGE);
	memset(p, 0, size);
	return p;
}

static void set_slot(int vm, unsigned int id, unsigned long long gpa, void *at, size_t size,
		     unsigned int flags)
{
	struct kvm_userspace_memory_region slot = {
		.slot = id, .flags = flags, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (unsigned long)at,
	};

	need(!ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "KVM_SET_USER_MEMORY_REGION");
}

static int new_vm(void)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	need(vm >= 0, "KVM_CREATE_VM");
	need(!ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000), "KVM_SET_TSS_ADDR");
	need(!ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	return vm;
}

static void new_vcpu(struct machine *m, int id)
{
	struct vcpu *v = &m->vcpu[id];

	v->fd = ioctl(m->fd, KVM_CREATE_VCPU, id);
	need(v->fd >= 0, "KVM_CREATE_VCPU");
	v->run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
		      MAP_SHARED, v->fd, 0);
	need(v->run != MAP_FAILED, "kvm_run");
}

static void new_machine(struct machine *m, int vcpus)
{
	int i;

	m->fd = new_vm();
	m->memory = new_memory(0x10000);
	set_slot(m->fd, 0, 0, m->memory, 0x10000, 0);
	for (i = 0; i < vcpus; i++)
		new_vcpu(m, i);
}

static void start_at(struct vcpu *v, unsigned int rip)
{
	struct kvm_regs regs = { .rip = rip, .rflags = 2, .rsp = 0x3000 + 0x800 * (rip == CODE_1) };

	/* The last OUT is still to be completed: leave it behind. */
	v->run->immediate_exit = 1;
	ioctl(v->fd, KVM_RUN, 0);
	v->run->immediate_exit = 0;
	need(!ioctl(v->fd, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

static void run_to_end(struct vcpu *v)
{
	need(!ioctl(v->fd, KVM_RUN, 0), "KVM_RUN");
	if (v->run->exit_reason == KVM_EXIT_IO && v->run->io.port == END)
		return;
	fprintf(stderr, "ops: the guest ended with exit %u\n", v->run->exit_reason);
	exit(1);
}

/* ---- creation ---------------------------------------------------------------- */

static int busy_vm, vcpu_fds[NR_VCPUS];
static void *one_page;

static void vcpu_create_before(unsigned int times)
{
	(void)times;
	busy_vm = new_vm();
}

static void vcpu_create(unsigned int times)
{
	unsigned int i;

	for (i = 0; i < times; i++) {
		vcpu_fds[i] = ioctl(busy_vm, KVM_CREATE_VCPU, i);
		need(vcpu_fds[i] >= 0, "KVM_CREATE_VCPU");
	}
}

static void vcpu_create_after(unsigned int times)
{
	while (times--)
		close(vcpu_fds[times]);
	close(busy_vm);
}

static void add_slots(unsigned int from, unsigned int n)
{
	for (; n--; from++)
		set_slot(busy_vm, from, (unsigned long long)from << 20, one_page, 0x1000, 0);
}

static void memslot_create_before(unsigned int times)
{
	(void)times;
	busy_vm = new_vm();
	add_slots(0, NR_SLOTS);
}

static void memslot_create(unsigned int times)
{
	add_slots(NR_SLOTS, times);
}

static void memslot_create_after(unsigned int times)
{
	(void)times;
	close(busy_vm);
}

/* ---- dirty log --------------------------------------------------------------- */

static struct machine logged;

/* Protected mode, flat */
static void set_flat(struct vcpu *v)
{
	struct kvm_sregs sregs;
	struct kvm_segment data = { .limit = 0xffffffff, .type = 3, .s = 1, .present = 1,
				    .db = 1, .g = 1, .selector = 0x10 };

	need(!ioctl(v->fd, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cr0 = 0x11;
	sregs.ds = sregs.es = sregs.ss = data;
	sregs.cs = data;
	sregs.cs.type = 0xb;
	sregs.cs.selector = 8;
	need(!ioctl(v->fd, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
}

static void write_pages(unsigned int times)
{
	/* mov esi, times; mov edi, PAGES; again: mov [edi], al; add edi, 0x1000; dec esi;
	 * jnz again; out END, al */
	static const char code[] = "\xbe????\xbf\0\0\0\1\x88\x07\x81\xc7\0\x10\0\0\x4e\x75\xf5\xe6\xf4";

	memcpy(logged.memory + CODE, code, sizeof(code) - 1);
	memcpy(logged.memory + CODE + 1, &times, 4);
	start_at(&logged.vcpu[0], CODE);
	run_to_end(&logged.vcpu[0]);
}

static void read_log(unsigned int times)
{
	static unsigned long long bitmap[NR_PAGES / 64 + 1];
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bitmap };
	unsigned int i, dirty = 0;

	need(!ioctl(logged.fd, KVM_GET_DIRTY_LOG, &log), "KVM_GET_DIRTY_LOG");
	for (i = 0; i < sizeof(bitmap) / sizeof(*bitmap); i++)
		dirty += __builtin_popcountll(bitmap[i]);
	if (dirty != times) {
		fprintf(stderr, "ops: %u pages are dirty, not %u\n", dirty, times);
		exit(1);
	}
}

static void all_clean(unsigned int times)
{
	(void)times;
	write_pages(NR_PAGES);
	read_log(NR_PAGES);
}

/* What the row has made dirty is no longer so for the next one. */
static void written(unsigned int times)
{
	read_log(times);
}

/* ---- IPIs -------------------------------------------------------------------- */

static struct machine pair;

#define LAPIC_WRITE(reg, val)	"\x26\x66\xc7\x87" reg val
#define SVR_ON	LAPIC_WRITE("\xf0\0", "\xff\x01\0\0")
#define EOI	LAPIC_WRITE("\xb0\0", "\0\0\0\0")
#define ICR	"\0\x03"

static void *run_second(void *unused)
{
	for (;;)
		need(!ioctl(pair.vcpu[1].fd, KVM_RUN, 0), "KVM_RUN of the second vCPU");
	return unused;
}

static void set_real(struct vcpu *v)
{
	struct kvm_mp_state state = { KVM_MP_STATE_RUNNABLE };
	struct kvm_sregs sregs;

	need(!ioctl(v->fd, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = sregs.cs.selector = 0;
	sregs.es.base = LAPIC;
	need(!ioctl(v->fd, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	need(!ioctl(v->fd, KVM_SET_MP_STATE, &state), "KVM_SET_MP_STATE");
}

/* Each turn is two IPIs and two wake-ups; both vCPUs sleep in between. */
static void ipi_wake(unsigned int times)
{
	/* mov esi, turns; again: IPI 0x21; sti; hlt; cli; dec esi; jnz again; out END, al */
	static const char code[] = SVR_ON LAPIC_WRITE("\x10\x03", "\0\0\0\1") "\x66\xbe????"
		LAPIC_WRITE(ICR, "\x21\x40\0\0") "\xfb\xf4\xfa\x66\x4e\x75\xef\xe6\xf4";
	unsigned int turns = times / 2;

	memcpy(pair.memory + CODE, code, sizeof(code) - 1);
	memcpy(pair.memory + CODE + 22, &turns, 4);
	run_to_end(&pair.vcpu[0]);
}

static void ipi_wake_before(unsigned int times)
{
	(void)times;
	start_at(&pair.vcpu[0], CODE);
}

/* ---- the table --------------------------------------------------------------- */

static const struct row {
	const char *name;
	unsigned int unit;
	void (*before)(unsigned int times);
	void (*op)(unsigned int times);
	void (*after)(unsigned int times);
} rows[] = {
	{ "vcpu-create", NR_VCPUS / 2, vcpu_create_before, vcpu_create, vcpu_create_after },
	{ "memslot-create", 20, memslot_create_before, memslot_create, memslot_create_after },
	{ "dirty-read", NR_PAGES / 2, write_pages, read_log, NULL },
	{ "dirty-fault", NR_PAGES / 2, all_clean, write_pages, written },
	{ "ipi-wake", 200, ipi_wake_before, ipi_wake, NULL },
};

static void setup(void)
{
	static const unsigned short vectors[] = { HANDLER, 0, HANDLER_1, 0 };
	static const char handler[] = EOI "\xcf";
	static const char handler_1[] = EOI LAPIC_WRITE(ICR, "\x20\x40\0\0") "\xcf";
	static const char code_1[] = SVR_ON "\xfb\xf4\xeb\xfd";	/* sti; hlt again and again */
	pthread_t thread;

	kvm = open("/dev/kvm", O_RDWR);
	need(kvm >= 0, "/dev/kvm");
	one_page = new_memory(0x1000);

	new_machine(&logged, 1);
	set_slot(logged.fd, 1, PAGES, new_memory(NR_PAGES * 0x1000), NR_PAGES * 0x1000,
		 KVM_MEM_LOG_DIRTY_PAGES);
	set_flat(&logged.vcpu[0]);

	new_machine(&pair, 2);
	memcpy(pair.memory + 0x20 * 4, vectors, sizeof(vectors));
	memcpy(pair.memory + HANDLER, handler, sizeof(handler) - 1);
	memcpy(pair.memory + HANDLER_1, handler_1, sizeof(handler_1) - 1);
	memcpy(pair.memory + CODE_1, code_1, sizeof(code_1) - 1);
	set_real(&pair.vcpu[0]);
	set_real(&pair.vcpu[1]);
	start_at(&pair.vcpu[1], CODE_1);
	need(!pthread_create(&thread, NULL, run_second, NULL), "pthread_create");
	usleep(100000);		/* until it sleeps */
}

static long long once(const struct row *row, unsigned int times)
{
	struct timespec from, to;

	if (row->before)
		row->before(times);
	clock_gettime(CLOCK_MONOTONIC, &from);
	MARK(MARK_BEGIN);
	row->op(times);
	if (times == row->unit)
		MARK(MARK_END_ONE);
	else
		MARK(MARK_END_TWO);
	clock_gettime(CLOCK_MONOTONIC, &to);
	if (row->after)
		row->after(times);
	return (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1;
	const struct row *row;
	long long one, two;

	setup();
	/* What is done for the first time costs more. */
	write_pages(NR_PAGES);
	read_log(NR_PAGES);
	while (rounds-- > 0) {
		for (row = rows; row < rows + sizeof(rows) / sizeof(*rows); row++) {
			one = once(row, row->unit);
			two = once(row, 2 * row->unit);
			printf("%s %lld %u\n", row->name, (two - one) / row->unit, row->unit);
		}
	}
	return 0;
}
