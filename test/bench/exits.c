// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an exit costs: a guest does the same thing a thousand and two thousand times,
 * and the difference is the cost of a thousand. Prints "NAME NANOSECONDS 1000": per exit,
 * without the guest's own loop, and how many that was measured with. Marks each run for
 * count.c, which counts instructions instead; rows are in the same order.
 *
 * Then some rows again, as NAME-crowd: in a VM of 64 vCPUs, 64 memory slots and 1000
 * eventfds on each bus.
 *
 *	exits [ROUNDS]
 *
 * ROUNDS: the whole table as often (1).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "marks.h"

#define CODE	0x1000
#define HANDLER	0x2000		/* of interrupt VECTOR */
#define VECTOR	0x20
#define TABLES	0x4000		/* page tables of 64-bit rows: 3 pages */
#define PAGES	0x1000000	/* memory that is mapped anew for each run */
#define PAGES_SIZE 0x1000000
#define MMIO	0xd0000		/* no memory there */
#define LAPIC	0xfee00000
#define IOAPIC	0xfec00000
#define EVENT	0xe0		/* port of an eventfd */
#define CROWD	0x40000000	/* slots, and behind them eventfds, that nobody uses */
#define CROWD_PORT 0x1000
#define USER	0xf0		/* nobody's port */
#define END	0xf4		/* nobody's port: the exit that ends a run */

/* Modes that rows run in. In REAL, DS is at MMIO, ES at LAPIC, FS at IOAPIC. */
enum mode { REAL, X2APIC, LONG };

struct row {
	const char *name;
	enum mode mode;
	const char *body;
	unsigned int length;
	int crowd;		/* once more, in one */
};
#define ROW(name, mode, body) { name, mode, body, sizeof(body) - 1, 0 }
#define GROWS(name, mode, body) { name, mode, body, sizeof(body) - 1, 1 }

static const struct row rows[] = {
	ROW("nothing", REAL, "\x90"),
	GROWS("cpuid", REAL, "\x66\x31\xc0\x0f\xa2"),
	ROW("hypercall", REAL, "\x66\xb8\x01\0\0\0\x0f\x01\xd9"),
	/* PAT */
	ROW("rdmsr", REAL, "\x66\xb9\x77\x02\0\0\x0f\x32"),
	ROW("wrmsr", REAL, "\x66\xb9\x77\x02\0\0\x66\xb8\x06\x04\x07\0\x66\xba\x06\x04\x07\0\x0f\x30"),
	ROW("cr4-write", REAL, "\x66\x31\xc0\x0f\x22\xe0"),
	ROW("cr0-write", REAL, "\x66\xb8\x10\0\0\x60\x0f\x22\xc0"),
	ROW("port-pic", REAL, "\xe4\x21"),
	ROW("port-pit", REAL, "\xe4\x40"),
	GROWS("port-eventfd", REAL, "\xe6\xe0"),
	GROWS("mmio-eventfd", REAL, "\x89\x07"),
	GROWS("mmio-lapic-read", REAL, "\x26\x66\x8b\x47\x30"),
	ROW("mmio-lapic-tpr", REAL, "\x66\x31\xc0\x26\x66\x89\x87\x80\0"),
	ROW("mmio-ioapic", REAL, "\x64\x66\x8b\x07"),
	/* ICR: self, fixed; the handler's EOI is the second exit */
	ROW("self-ipi", REAL, "\x26\x66\xc7\x87\0\x03\x20\0\x04\0"),
	ROW("port-user", REAL, "\xe6\xf0"),
	ROW("mmio-user", REAL, "\x88\x47\x10"),
	/* ICR, self: with interrupts off, so that it stays pending */
	GROWS("x2apic-icr", X2APIC, "\x66\xb9\x30\x08\0\0\x66\xb8\x20\0\x04\0\x66\x31\xd2\xfa\x0f\x30"),
	ROW("x2apic-tpr", X2APIC, "\x66\xb9\x08\x08\0\0\x66\x31\xc0\x66\x31\xd2\x0f\x30"),
	ROW("tsc-deadline", X2APIC, "\x66\xb9\xe0\x06\0\0\x66\xb8\xff\xff\xff\xff\x66\xba\xff\xff\xff\x0f\x0f\x30"),
	ROW("cpuid-64", LONG, "\x31\xc0\x0f\xa2"),
	ROW("rdmsr-64", LONG, "\xb9\x77\x02\0\0\x0f\x32"),
	ROW("mmio-eventfd-64", LONG, "\x66\x41\x89\x02"),	/* mov [r10], ax */
	/* The next page: mov [r11], al; add r11, 0x1000 */
	GROWS("page-fault", LONG, "\x41\x88\x03\x49\x81\xc3\0\x10\0\0"),
	/*
	 * Emulated since the prefix asks for it, 64 bytes from memory to memory; and since
	 * it is MMIO, 16 bytes: mov r8d, esi; mov esi, 0x8000; mov edi, ...; mov ecx, n;
	 * rep movsb; mov esi, r8d
	 */
	ROW("rep-movsb-64", LONG, "\x41\x89\xf0\xbe\0\x80\0\0\xbf\0\x90\0\0\xb9\x40\0\0\0"
				  "\x0f\x0bkvm\xf3\xa4\x44\x89\xc6"),
	ROW("rep-movsb-user-16", LONG, "\x41\x89\xf0\xbe\0\x80\0\0\xbf\0\x01\x0d\0\xb9\x10\0\0\0"
				       "\xf3\xa4\x44\x89\xc6"),
	/* TMICT: 100 us; HLT; the handler's EOI is the third exit */
	ROW("hlt-timer", REAL, "\x26\x66\xc7\x87\x80\x03\x50\xc3\0\0\xf4"),
};

static unsigned char *memory;
static void *pages;
static struct kvm_run *run;
static struct kvm_sregs reset;
static struct kvm_lapic_state reset_apic;
static int vm, vcpu;

static void need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "exits: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void set_cpuid(int kvm)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} cpuid = { .head.nent = 256 };
	unsigned int i;

	need(!ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid), "KVM_GET_SUPPORTED_CPUID");
	/* The APIC's features are user space's to add. */
	for (i = 0; i < cpuid.head.nent; i++)
		if (cpuid.entries[i].function == 1)
			cpuid.entries[i].ecx |= 1 << 21 | 1 << 24;
	need(!ioctl(vcpu, KVM_SET_CPUID2, &cpuid), "KVM_SET_CPUID2");
}

static void add_event(int vm, unsigned long long addr, int len, int flags)
{
	struct kvm_ioeventfd event = { .addr = addr, .len = len, .flags = flags };
	static int fd = -1;

	if (fd < 0)
		fd = eventfd(0, EFD_NONBLOCK);
	event.fd = fd;
	need(!ioctl(vm, KVM_IOEVENTFD, &event), "KVM_IOEVENTFD");
}

/* The VM forgets what it has mapped of them. */
static void unmap_pages(void)
{
	struct kvm_userspace_memory_region slot = {
		.slot = 1, .guest_phys_addr = PAGES, .userspace_addr = (unsigned long)pages,
	};

	ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot);
	slot.memory_size = PAGES_SIZE;
	need(!ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "pages");
}

static void setup(void)
{
	struct kvm_userspace_memory_region slot = { .memory_size = 0x10000 };
	static const char handler[] = "\x26\x66\xc7\x87\xb0\0\0\0\0\0\xcf";	/* EOI, IRET */
	static const unsigned short vector[2] = { HANDLER, 0 };
	unsigned long long *table;
	int kvm, size, i;

	kvm = open("/dev/kvm", O_RDWR);
	need(kvm >= 0, "/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	need(vm >= 0, "KVM_CREATE_VM");
	need(!ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000), "KVM_SET_TSS_ADDR");
	need(!ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	need(!ioctl(vm, KVM_CREATE_PIT2, &(struct kvm_pit_config){ 0 }), "KVM_CREATE_PIT2");
	memory = mmap(NULL, slot.memory_size, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	slot.userspace_addr = (unsigned long)memory;
	need(!ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "memory");
	add_event(vm, MMIO, 2, 0);
	add_event(vm, EVENT, 1, KVM_IOEVENTFD_FLAG_PIO);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	need(vcpu >= 0, "KVM_CREATE_VCPU");
	set_cpuid(kvm);
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	need(run != MAP_FAILED, "kvm_run");
	need(!ioctl(vcpu, KVM_GET_SREGS, &reset), "KVM_GET_SREGS");
	need(!ioctl(vcpu, KVM_GET_LAPIC, &reset_apic), "KVM_GET_LAPIC");

	memcpy(memory + HANDLER, handler, sizeof(handler) - 1);
	memcpy(memory + VECTOR * 4, vector, sizeof(vector));
	table = (void *)(memory + TABLES);
	table[0] = TABLES + 0x1000 + 7;
	table[512] = TABLES + 0x2000 + 7;
	table[1024] = 0x83;		/* the first 2 MiB */
	for (i = PAGES >> 21; i < (PAGES + PAGES_SIZE) >> 21; i++)
		table[1024 + i] = (unsigned long long)i << 21 | 0x83;
	/* Populated, by pages of 4 KiB. */
	pages = mmap(NULL, PAGES_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(pages != MAP_FAILED, "pages");
	madvise(pages, PAGES_SIZE, MADV_NOHUGEPAGE);
	memset(pages, 1, PAGES_SIZE);
}

static void make_crowd(void)
{
	struct kvm_userspace_memory_region slot = {
		.memory_size = 0x1000, .userspace_addr = (unsigned long)memory,
	};
	int i;

	for (i = 2; i < 64; i++) {
		slot.slot = i;
		slot.guest_phys_addr = CROWD + i * 0x2000;
		need(!ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "slots");
	}
	for (i = 1; i < 1000; i++) {
		add_event(vm, CROWD + 0x1000000 + 4 * i, 2, 0);
		add_event(vm, CROWD_PORT + i, 1, KVM_IOEVENTFD_FLAG_PIO);
	}
	for (i = 1; i < 64; i++)
		need(ioctl(vm, KVM_CREATE_VCPU, i) >= 0, "vCPUs");
}

static void set_segment(struct kvm_segment *s, unsigned int base)
{
	s->base = base;
	s->selector = base >> 4;
}

static void set_mode(enum mode mode)
{
	struct kvm_sregs sregs = reset;

	/* Nothing is left of the row before. */
	need(!ioctl(vcpu, KVM_SET_SREGS, &reset), "KVM_SET_SREGS");
	need(!ioctl(vcpu, KVM_SET_LAPIC, &reset_apic), "KVM_SET_LAPIC");
	set_segment(&sregs.cs, 0);
	set_segment(&sregs.ds, MMIO);
	set_segment(&sregs.es, LAPIC);
	set_segment(&sregs.fs, IOAPIC);
	if (mode == X2APIC)
		sregs.apic_base |= 0xc00;
	if (mode == LONG) {
		sregs.cr0 = 0x80000011;
		sregs.cr3 = TABLES;
		sregs.cr4 = 0x20;
		sregs.efer = 0x500;
		sregs.cs.type = 0xb;
		sregs.cs.l = sregs.cs.g = 1;
		sregs.cs.limit = 0xffffffff;
		sregs.ss.base = sregs.ds.base = sregs.es.base = 0;
	}
	need(!ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
}

/* SVR: the local APIC on, in its page or by MSR */
static void enable_apic(enum mode mode)
{
	static const char x1[] = "\x26\x66\xc7\x87\xf0\0\xff\x01\0\0"
				 /* LVTT: one-shot */
				 "\x26\x66\xc7\x87\x20\x03\x20\0\0\0";
	static const char x2[] = "\x66\xb9\x0f\x08\0\0\x66\xb8\xff\x01\0\0\x66\x31\xd2\x0f\x30"
				 /* LVTT: deadlines, masked */
				 "\x66\xb9\x32\x08\0\0\x66\xb8\x20\0\x05\0\x0f\x30";
	struct kvm_regs regs = { .rip = CODE, .rflags = 2 };
	unsigned char *p = memory + CODE;

	if (mode == LONG)
		return;
	if (mode == REAL)
		p = mempcpy(p, x1, sizeof(x1) - 1);
	else
		p = mempcpy(p, x2, sizeof(x2) - 1);
	*p++ = 0xe6; *p++ = END;
	need(!ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
	need(!ioctl(vcpu, KVM_RUN, 0) && run->exit_reason == KVM_EXIT_IO, "the APIC's guest");
}

/* mov esi, times; again: BODY; dec esi; jnz again; out END, al */
static void write_code(const struct row *row, unsigned int times)
{
	unsigned char *p = memory + CODE, *again;

	if (row->mode != LONG)
		*p++ = 0x66;
	*p++ = 0xbe;
	p = mempcpy(p, &times, 4);
	again = p;
	p = mempcpy(p, row->body, row->length);
	if (row->mode != LONG)
		*p++ = 0x66;
	*p++ = 0xff; *p++ = 0xce;
	*p++ = 0x75;
	*p = again - p - 1; p++;
	*p++ = 0xe6; *p++ = END;
}

static long long once(const struct row *row, unsigned int times)
{
	struct kvm_regs regs = { .rip = CODE, .rflags = 0x202, .rsp = 0x3000, .r10 = MMIO,
				 .r11 = PAGES };
	struct timespec from, to;

	write_code(row, times);
	unmap_pages();
	/* The last OUT is still to be completed: leave it behind. */
	run->immediate_exit = 1;
	ioctl(vcpu, KVM_RUN, 0);
	run->immediate_exit = 0;
	need(!ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");

	clock_gettime(CLOCK_MONOTONIC, &from);
	MARK(MARK_BEGIN);
	do {
		need(!ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
	} while (run->exit_reason == KVM_EXIT_MMIO ||
		 (run->exit_reason == KVM_EXIT_IO && run->io.port == USER));
	if (times == 1000)
		MARK(MARK_END_ONE);
	else if (times == 2000)
		MARK(MARK_END_TWO);
	clock_gettime(CLOCK_MONOTONIC, &to);
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != END) {
		fprintf(stderr, "exits: %s: the guest ended with exit %u\n", row->name,
			run->exit_reason);
		exit(1);
	}
	return (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec;
}

static double cost(const struct row *row)
{
	long long one, two;

	set_mode(row->mode);
	enable_apic(row->mode);
	once(row, 100);
	one = once(row, 1000);
	two = once(row, 2000);
	return (two - one) / 1000.0;
}

static void round_of(int crowd)
{
	static double loop;
	unsigned int i;
	double ns;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (crowd && !rows[i].crowd)
			continue;
		ns = cost(&rows[i]);
		if (!i)
			loop = ns;
		printf("%s%s %.0f 1000\n", rows[i].name, crowd ? "-crowd" : "", i ? ns - loop : ns);
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1;
	int i;

	setup();
	for (i = 0; i < rounds; i++)
		round_of(0);
	make_crowd();
	for (i = 0; i < rounds; i++)
		round_of(1);
	return 0;
}
