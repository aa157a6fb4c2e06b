// SPDX-License-Identifier: GPL-2.0-only
/*
 * No memory: each allocation that an ioctl makes fails once, one after the other
 * (the kernel's fail-nth), and what the ioctl says then is an error that a caller
 * can act on. Nothing may be lost by it: the same call works afterwards on a VM
 * that had it refused, and VMs that were refused half of themselves can be closed.
 *
 * Needs a kernel with fault injection: the lab's debug kernel.
 */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define MOST	2000	/* allocations in one call, at the very most */

static int fail_nth = -1;

static void put(const char *file, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s", file);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		tap_skip("%s: %s", path, strerrorname_np(errno));
	close(fd);
}

static void need_faults(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%ld/fail-nth", syscall(SYS_gettid));
	fail_nth = open(path, O_RDWR);
	if (fail_nth < 0)
		tap_skip("this kernel has no fail-nth");
	/* allocations that may sleep fail, too, and single pages; no stack of each */
	put("failslab/ignore-gfp-wait", "N");
	put("failslab/verbose", "0");
	put("fail_page_alloc/ignore-gfp-wait", "N");
	put("fail_page_alloc/min-order", "0");
	put("fail_page_alloc/verbose", "0");
}

static void fail(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	ASSERT_EQ(pwrite(fail_nth, text, len, 0), len);
}

/* How many allocations were left to go; stops it. */
static unsigned int fed(void)
{
	char text[16] = "";
	unsigned int left;

	ASSERT(pread(fail_nth, text, sizeof(text) - 1, 0) > 0);
	left = atoi(text);
	fail(0);
	return left;
}

struct scene {
	struct vm *vm;
	struct vcpu *v;
	int fd, fd2;
	u64 arg;
	void *mem;
};

/*
 * @set makes a fresh scene, @call is the call; -1 and errno, or not negative.
 * A failed call is tried again in its scene, and must work then.
 */
static void each_failure(void (*set)(struct scene *), long (*call)(struct scene *))
{
	unsigned int n, left, refused = 0, in_spite = 0;

	need_faults();
	for (n = 1; n < MOST; n++) {
		struct scene s = { .fd = -1, .fd2 = -1 };
		long r;
		int e;

		if (set)
			set(&s);
		fail(n);
		r = call(&s);
		e = errno;
		left = fed();
		if (r < 0) {
			refused++;
			EXPECT(e == ENOMEM, "allocation %u failed: %s", n, strerrorname_np(e));
			EXPECT(!left, "%s without a failed allocation", strerrorname_np(e));
			if (call(&s) < 0)
				tap_die(__FILE__, __LINE__, "after failure %u, again: %s", n,
					strerrorname_np(errno));
		} else if (!left) {
			in_spite++;
		}
		if (s.vm)
			vm_free(s.vm);
		if (s.fd >= 0)
			close(s.fd);
		if (s.fd2 >= 0)
			close(s.fd2);
		if (s.mem)
			munmap(s.mem, VM_RAM);
		if (left)
			break;
	}
	tap_note("%u allocations: %u refused, %u done without", n - 1, refused, in_spite);
	EXPECT(n < MOST, "it still wants memory");
}

static void open_kvm(struct scene *s)
{
	s->fd = kvm_open();
}

static long create_vm(struct scene *s)
{
	return s->fd2 = ioctl(s->fd, KVM_CREATE_VM, 0l);
}

TEST_LIMIT(vm, 120, "no memory in KVM_CREATE_VM: ENOMEM, and the next one works")
{
	each_failure(open_kvm, create_vm);
}

static void bare(struct scene *s)
{
	s->vm = vm_bare();
}

static long create_irqchip(struct scene *s)
{
	return ioctl(s->vm->fd, KVM_CREATE_IRQCHIP, 0l);
}

TEST_LIMIT(irqchip, 120, "no memory in KVM_CREATE_IRQCHIP")
{
	each_failure(bare, create_irqchip);
}

static long split_irqchip(struct scene *s)
{
	struct kvm_enable_cap c = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args[0] = 24 };

	return ioctl(s->vm->fd, KVM_ENABLE_CAP, &c);
}

TEST_LIMIT(split, 120, "no memory in KVM_CAP_SPLIT_IRQCHIP")
{
	each_failure(bare, split_irqchip);
}

static void irqchip(struct scene *s)
{
	s->vm = vm_new_irqchip();
}

static long create_pit(struct scene *s)
{
	struct kvm_pit_config c = { .flags = KVM_PIT_SPEAKER_DUMMY };

	return ioctl(s->vm->fd, KVM_CREATE_PIT2, &c);
}

TEST_LIMIT(pit, 120, "no memory in KVM_CREATE_PIT2")
{
	each_failure(irqchip, create_pit);
}

static long create_vcpu(struct scene *s)
{
	return s->fd = ioctl(s->vm->fd, KVM_CREATE_VCPU, 0l);
}

TEST_LIMIT(vcpu, 120, "no memory in KVM_CREATE_VCPU, with an irqchip")
{
	each_failure(irqchip, create_vcpu);
}

TEST_LIMIT(vcpu_plain, 120, "no memory in KVM_CREATE_VCPU, without")
{
	each_failure(bare, create_vcpu);
}

static void memory(struct scene *s)
{
	irqchip(s);
	s->mem = mmap(NULL, VM_RAM, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT(s->mem != MAP_FAILED);
}

static long add_slot(struct scene *s)
{
	return vm_slot(s->vm, 7, KVM_MEM_LOG_DIRTY_PAGES, 0x10000000, VM_RAM, s->mem);
}

TEST_LIMIT(slot, 120, "no memory for a memslot with a dirty log")
{
	each_failure(memory, add_slot);
}

static void slot(struct scene *s)
{
	memory(s);
	ASSERT_OK(vm_slot(s->vm, 7, 0, 0x10000000, VM_RAM, s->mem));
}

static long log_slot(struct scene *s)
{
	return vm_slot(s->vm, 7, KVM_MEM_LOG_DIRTY_PAGES, 0x10000000, VM_RAM, s->mem);
}

TEST_LIMIT(log, 120, "no memory to begin a dirty log")
{
	each_failure(slot, log_slot);
}

static long move_slot(struct scene *s)
{
	return vm_slot(s->vm, 7, 0, 0x20000000, VM_RAM, s->mem);
}

TEST_LIMIT(move, 120, "no memory to move a memslot")
{
	each_failure(slot, move_slot);
}

static long delete_slot(struct scene *s)
{
	return vm_slot(s->vm, 7, 0, 0x10000000, 0, s->mem);
}

TEST_LIMIT(delete, 120, "no memory to delete a memslot")
{
	each_failure(slot, delete_slot);
}

static long route(struct scene *s)
{
	struct { struct kvm_irq_routing h; struct kvm_irq_routing_entry e[2]; } r = {
		.h.nr = 2,
		.e = {
			{ .gsi = 40, .type = KVM_IRQ_ROUTING_MSI,
			  .u.msi = { .address_lo = 0xfee00000, .data = 0x42 } },
			{ .gsi = 4, .type = KVM_IRQ_ROUTING_IRQCHIP,
			  .u.irqchip = { .irqchip = 2, .pin = 4 } },
		},
	};

	return ioctl(s->vm->fd, KVM_SET_GSI_ROUTING, &r);
}

TEST_LIMIT(routing, 120, "no memory in KVM_SET_GSI_ROUTING")
{
	each_failure(irqchip, route);
}

static void eventfds(struct scene *s)
{
	irqchip(s);
	s->fd = eventfd(0, 0);
	s->fd2 = eventfd(0, 0);
}

static long assign_irqfd(struct scene *s)
{
	struct kvm_irqfd f = {
		.fd = s->fd, .gsi = 5, .flags = KVM_IRQFD_FLAG_RESAMPLE, .resamplefd = s->fd2,
	};

	return ioctl(s->vm->fd, KVM_IRQFD, &f);
}

TEST_LIMIT(irqfd, 120, "no memory in KVM_IRQFD with a resample eventfd")
{
	each_failure(eventfds, assign_irqfd);
}

static long assign_ioeventfd(struct scene *s)
{
	struct kvm_ioeventfd e = { .addr = 0xd0000000, .len = 4, .fd = s->fd };

	return ioctl(s->vm->fd, KVM_IOEVENTFD, &e);
}

TEST_LIMIT(ioeventfd, 120, "no memory in KVM_IOEVENTFD")
{
	each_failure(eventfds, assign_ioeventfd);
}

static long coalesce(struct scene *s)
{
	struct kvm_coalesced_mmio_zone z = { .addr = 0xd0000000, .size = 0x1000 };

	return ioctl(s->vm->fd, KVM_REGISTER_COALESCED_MMIO, &z);
}

TEST_LIMIT(coalesced, 120, "no memory in KVM_REGISTER_COALESCED_MMIO")
{
	each_failure(irqchip, coalesce);
}

static void one_vcpu(struct scene *s)
{
	irqchip(s);
	s->v = vcpu_new(s->vm, 0);
}

static long set_cpuid(struct scene *s)
{
	static struct kvm_cpuid2 *table;

	if (!table)
		table = vcpu_make_cpuid(s->v);
	return ioctl(s->v->fd, KVM_SET_CPUID2, table);
}

TEST_LIMIT(cpuid, 120, "no memory in KVM_SET_CPUID2")
{
	struct scene s = {};

	one_vcpu(&s);
	set_cpuid(&s);		/* the table itself, in peace */
	each_failure(one_vcpu, set_cpuid);
}

static long get_set_msrs(struct scene *s)
{
	struct { struct kvm_msrs h; struct kvm_msr_entry e[1]; } m = {
		.h.nmsrs = 1, .e[0].index = 0x10,
	};

	if (ioctl(s->v->fd, KVM_GET_MSRS, &m) != 1)
		return -1;
	return ioctl(s->v->fd, KVM_SET_MSRS, &m) == 1 ? 0 : -1;
}

TEST_LIMIT(msrs, 120, "no memory in KVM_GET_MSRS and KVM_SET_MSRS")
{
	each_failure(one_vcpu, get_set_msrs);
}

static long get_set_xsave(struct scene *s)
{
	struct kvm_xsave x;

	if (ioctl(s->v->fd, KVM_GET_XSAVE, &x) < 0)
		return -1;
	return ioctl(s->v->fd, KVM_SET_XSAVE, &x);
}

TEST_LIMIT(xsave, 120, "no memory in KVM_GET_XSAVE and KVM_SET_XSAVE")
{
	each_failure(one_vcpu, get_set_xsave);
}

static long vfio_device(struct scene *s)
{
	struct kvm_create_device d = { .type = KVM_DEV_TYPE_VFIO };
	int r = ioctl(s->vm->fd, KVM_CREATE_DEVICE, &d);

	if (r < 0 && errno == ENODEV)
		tap_skip("no KVM_DEV_TYPE_VFIO");
	if (!r)
		s->fd = d.fd;
	return r;
}

TEST_LIMIT(device, 120, "no memory in KVM_CREATE_DEVICE")
{
	each_failure(bare, vfio_device);
}

#define FAR	0x10000000ull

static void g_touch(void)
{
	for (u64 n = 0; n < 64; n++)
		*(volatile u64 *)(FAR + n * 0x41000) = n;
	for (u64 n = 0; n < 64; n++)
		GUEST_EQ(*(volatile u64 *)(FAR + n * 0x41000), n);
	outl(0x9999, 1);
	guest_done();
}

/*
 * In KVM_RUN each failed allocation ends the call once, with ENOMEM (EFAULT where
 * the process's own page could not be had), and the guest goes on where it was.
 */
TEST_LIMIT(run, 300, "no memory in KVM_RUN, for tables and for pages: the guest goes on afterwards")
{
	unsigned int n, left = 0, refused = 0;

	need_faults();
	for (n = 1; n < MOST && !left; n += n < 40 ? 1 : 7) {
		struct vcpu *v = vm_guest(true, g_touch);
		void *mem = vm_map(v->vm, 5, FAR, VM_RAM, 0);

		fail(n);
		while (vcpu_run_once(v) < 0) {
			int e = errno;

			left = fed();
			refused++;
			EXPECT(e == ENOMEM || e == EFAULT, "allocation %u: %s", n,
			       strerrorname_np(e));
			if (left)
				tap_die(__FILE__, __LINE__, "%s without a failed allocation",
					strerrorname_np(e));
		}
		left = fed();
		ASSERT_EQ(v->run->exit_reason, KVM_EXIT_IO);
		ASSERT_EQ(v->run->io.port, 0x9999);
		vcpu_finish(v);
		vm_free(v->vm);
		(void)mem;
	}
	tap_note("%u allocations, %u refusals", n - 1, refused);
	EXPECT(refused > 10 && n < MOST, "%u refusals in %u", refused, n);
}
