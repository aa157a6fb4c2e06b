// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an exit costs: a guest in real mode does the same thing a thousand and
 * two thousand times, and the difference is the cost of a thousand. Prints
 * "NAME NANOSECONDS" per exit, without the guest's own loop. Where the lab
 * counts instructions (test/lab/run --icount), a nanosecond is an instruction.
 */
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

#define CODE	0x1000
#define MMIO	0xd0000		/* no memory there */
#define END	0xf4		/* nobody's port: the exit that ends a run */

static unsigned char *memory;
static struct kvm_run *run;
static int vcpu;

static void need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "exits: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void setup(void)
{
	struct kvm_userspace_memory_region slot = { .memory_size = 0x10000 };
	struct kvm_ioeventfd event = { .addr = MMIO, .len = 2 };
	struct kvm_sregs sregs;
	int kvm, vm, size;

	kvm = open("/dev/kvm", O_RDWR);
	need(kvm >= 0, "/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	need(vm >= 0, "KVM_CREATE_VM");
	need(!ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000), "KVM_SET_TSS_ADDR");
	need(!ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	memory = mmap(NULL, slot.memory_size, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	slot.userspace_addr = (unsigned long)memory;
	need(!ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "memory");
	event.fd = eventfd(0, EFD_NONBLOCK);
	need(!ioctl(vm, KVM_IOEVENTFD, &event), "KVM_IOEVENTFD");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	need(vcpu >= 0, "KVM_CREATE_VCPU");
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	need(run != MAP_FAILED, "kvm_run");
	need(!ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	sregs.ds.base = MMIO;
	sregs.ds.selector = MMIO >> 4;
	need(!ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
}

/* mov esi, times; again: BODY; dec esi; jnz again; out END, al */
static long long once(const char *body, unsigned int length, unsigned int times)
{
	struct kvm_regs regs = { .rip = CODE, .rflags = 2 };
	unsigned char *p = memory + CODE;
	struct timespec from, to;

	*p++ = 0x66; *p++ = 0xbe;
	memcpy(p, &times, 4); p += 4;
	memcpy(p, body, length); p += length;
	*p++ = 0x66; *p++ = 0x4e;
	*p++ = 0x75; *p = -(int)(length + 4); p++;
	*p++ = 0xe6; *p++ = END;

	need(!ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
	clock_gettime(CLOCK_MONOTONIC, &from);
	need(!ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
	clock_gettime(CLOCK_MONOTONIC, &to);
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != END) {
		fprintf(stderr, "exits: the guest ended with exit %u\n", run->exit_reason);
		exit(1);
	}
	/* The next entry completes the OUT; leave it behind. */
	run->immediate_exit = 1;
	ioctl(vcpu, KVM_RUN, 0);
	run->immediate_exit = 0;
	return (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec;
}

static double cost(const char *body, unsigned int length)
{
	long long one, two;

	once(body, length, 100);
	one = once(body, length, 1000);
	two = once(body, length, 2000);
	return (two - one) / 1000.0;
}

int main(void)
{
	static const struct { const char *name, *body; unsigned int length; } exits[] = {
		{ "cpuid",		"\x66\x31\xc0\x0f\xa2", 5 },
		{ "hypercall",		"\x66\xb8\x01\0\0\0\x0f\x01\xd9", 9 },
		{ "in-kernel-port",	"\xe4\x21", 2 },
		{ "mmio-eventfd",	"\x89\x07", 2 },
	};
	double loop;
	unsigned int i;

	setup();
	loop = cost("\x90", 1);
	for (i = 0; i < sizeof(exits) / sizeof(*exits); i++)
		printf("%s %.0f\n", exits[i].name,
		       cost(exits[i].body, exits[i].length) - loop);
	return 0;
}
