// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test VMs: files, memory and running. What mode a vCPU is put into is in
 * modes.c.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "guest.h"

#define die(...)	tap_die(__FILE__, __LINE__, __VA_ARGS__)

int kvm_open(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		tap_skip("no /dev/kvm: %s", strerrorname_np(errno));
	return fd;
}

int kvm_cap(int fd, long cap)
{
	return ASSERT_OK(ioctl(fd, KVM_CHECK_EXTENSION, cap));
}

struct vm *vm_bare(void)
{
	struct vm *vm = calloc(1, sizeof(*vm));

	ASSERT(vm);
	vm->kvm = kvm_open();
	vm->fd = ASSERT_OK(ioctl(vm->kvm, KVM_CREATE_VM, 0));
	return vm;
}

int vm_slot(struct vm *vm, u32 slot, u32 flags, u64 gpa, u64 size, void *hva)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r);
}

void *vm_map(struct vm *vm, u32 slot, u64 gpa, u64 size, u32 flags)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ASSERT(p != MAP_FAILED);
	ASSERT_OK(vm_slot(vm, slot, flags, gpa, size, p));
	return p;
}

struct vm *vm_new(void)
{
	struct vm *vm = vm_bare();
	u64 identity = 0xfffbc000;
	void vm_tables(struct vm *vm);

	vm->ram_size = VM_RAM;
	vm->ram = vm_map(vm, 0, 0, VM_RAM, 0);
	ASSERT_OK(ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity));
	ASSERT_OK(ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000ul));
	vm_tables(vm);
	return vm;
}

struct vm *vm_new_irqchip(void)
{
	struct vm *vm = vm_new();

	ASSERT_OK(ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0));
	return vm;
}

void vm_code(struct vm *vm, u64 gpa, const void *code, size_t len)
{
	ASSERT(gpa + len <= vm->ram_size);
	memcpy(vm->ram + gpa, code, len);
}

struct vcpu *vcpu_bare(struct vm *vm, int id)
{
	struct vcpu *v = calloc(1, sizeof(*v));

	ASSERT(v);
	ASSERT(vm->nr_vcpus < MAX_VCPUS);
	v->vm = vm;
	v->id = id;
	v->fd = ASSERT_OK(ioctl(vm->fd, KVM_CREATE_VCPU, (long)id));
	v->run_size = ASSERT_OK(ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	v->run = mmap(NULL, v->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      v->fd, 0);
	ASSERT(v->run != MAP_FAILED);
	vm->vcpus[vm->nr_vcpus++] = v;
	return v;
}

static struct kvm_cpuid2 *get_supported(void)
{
	static struct kvm_cpuid2 *c;
	const int nr = 256;
	int kvm;

	if (c)
		return c;
	kvm = kvm_open();
	c = calloc(1, sizeof(*c) + nr * sizeof(c->entries[0]));
	ASSERT(c);
	c->nent = nr;
	ASSERT_OK(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, c));
	close(kvm);
	return c;
}

const struct kvm_cpuid_entry2 *supported_cpuid(u32 function, u32 index)
{
	struct kvm_cpuid2 *c = get_supported();

	for (u32 i = 0; i < c->nent; i++) {
		if (c->entries[i].function == function &&
		    c->entries[i].index == index)
			return &c->entries[i];
	}
	return NULL;
}

struct kvm_cpuid2 *vcpu_make_cpuid(struct vcpu *vcpu)
{
	struct kvm_cpuid2 *all = get_supported(), *c;
	size_t size = sizeof(*c) + all->nent * sizeof(c->entries[0]);

	c = malloc(size);
	ASSERT(c);
	memcpy(c, all, size);
	for (u32 i = 0; i < c->nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->entries[i];

		if (e->function == 1) {
			e->ebx = (e->ebx & 0x00ffffff) | (u32)vcpu->id << 24;
			e->ecx |= 1u << 31;	/* a hypervisor is there */
		} else if (e->function == 0xb || e->function == 0x1f) {
			e->edx = vcpu->id;
		}
	}
	return c;
}

void vcpu_default_cpuid(struct vcpu *vcpu)
{
	struct kvm_cpuid2 *c = vcpu_make_cpuid(vcpu);

	ASSERT_OK(ioctl(vcpu->fd, KVM_SET_CPUID2, c));
	free(c);
}

void vcpu_deadline_cpuid(struct vcpu *vcpu)
{
	struct kvm_cpuid2 *c = vcpu_make_cpuid(vcpu);

	if (!kvm_cap(vcpu->vm->kvm, KVM_CAP_TSC_DEADLINE_TIMER))
		tap_skip("no KVM_CAP_TSC_DEADLINE_TIMER");
	for (u32 i = 0; i < c->nent; i++)
		if (c->entries[i].function == 1)
			c->entries[i].ecx |= 1u << 24;
	ASSERT_OK(ioctl(vcpu->fd, KVM_SET_CPUID2, c));
	free(c);
}

struct vcpu *vcpu_new(struct vm *vm, int id)
{
	struct vcpu *v = vcpu_bare(vm, id);

	vcpu_default_cpuid(v);
	return v;
}

void vcpu_close(struct vcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_size);
	vcpu->run = NULL;
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	vcpu->fd = -1;
}

void vm_free(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		vcpu_close(vm->vcpus[i]);
		free(vm->vcpus[i]);
	}
	close(vm->fd);
	close(vm->kvm);
	if (vm->ram)
		munmap(vm->ram, vm->ram_size);
	free(vm);
}

struct vcpu *vm_guest(bool irqchip, void (*fn)(void))
{
	struct vm *vm = irqchip ? vm_new_irqchip() : vm_new();
	struct vcpu *v = vcpu_new(vm, 0);

	vcpu_long(v, fn);
	return v;
}

int vcpu_run_once(struct vcpu *vcpu)
{
	return ioctl(vcpu->fd, KVM_RUN, 0);
}

u32 vcpu_run(struct vcpu *vcpu)
{
	int r;

	do {
		r = vcpu_run_once(vcpu);
	} while (r < 0 && (errno == EINTR || errno == EAGAIN));
	if (r < 0) {
		int err = errno;

		vcpu_describe(vcpu);
		die("KVM_RUN failed: %s", strerrorname_np(err));
	}
	return vcpu->run->exit_reason;
}

static void on_alarm(int sig)
{
}

bool vcpu_run_for(struct vcpu *vcpu, unsigned int ms)
{
	/* It repeats, in case the first comes before KVM_RUN has started. */
	struct itimerval t = {
		.it_value.tv_sec = ms / 1000,
		.it_value.tv_usec = ms % 1000 * 1000,
		.it_interval.tv_usec = 10000,
	}, off = {};
	struct sigaction sa = { .sa_handler = on_alarm };
	int r, err;

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
	r = vcpu_run_once(vcpu);
	err = errno;
	setitimer(ITIMER_REAL, &off, NULL);
	if (r < 0 && err != EINTR && err != EAGAIN) {
		vcpu_describe(vcpu);
		die("KVM_RUN failed: %s", strerrorname_np(err));
	}
	return r == 0;
}

const char *exit_name(u32 reason)
{
	static const char *const names[] = {
		"UNKNOWN", "EXCEPTION", "IO", "HYPERCALL", "DEBUG", "HLT",
		"MMIO", "IRQ_WINDOW_OPEN", "SHUTDOWN", "FAIL_ENTRY", "INTR",
		"SET_TPR", "TPR_ACCESS", "S390_SIEIC", "S390_RESET", "DCR",
		"NMI", "INTERNAL_ERROR", "OSI", "PAPR_HCALL", "S390_UCONTROL",
		"WATCHDOG", "S390_TSCH", "EPR", "SYSTEM_EVENT", "S390_STSI",
		"IOAPIC_EOI", "HYPERV", "ARM_NISV", "X86_RDMSR", "X86_WRMSR",
		"DIRTY_RING_FULL", "AP_RESET_HOLD", "X86_BUS_LOCK", "XEN",
	};

	return reason < ARRAY_SIZE(names) ? names[reason] : "(newer)";
}

void vcpu_describe(struct vcpu *vcpu)
{
	struct kvm_sregs s = {};
	struct kvm_regs r = {};
	struct kvm_run *run = vcpu->run;

	ioctl(vcpu->fd, KVM_GET_REGS, &r);
	ioctl(vcpu->fd, KVM_GET_SREGS, &s);
	tap_note("vcpu %d: exit %u (KVM_EXIT_%s) cs:rip %x:%llx (base %llx) rsp %llx rflags %llx",
		 vcpu->id, run->exit_reason, exit_name(run->exit_reason),
		 s.cs.selector, r.rip, s.cs.base, r.rsp, r.rflags);
	tap_note("  rsi %llx rdi %llx rbp %llx r8 %llx r9 %llx r10 %llx",
		 r.rsi, r.rdi, r.rbp, r.r8, r.r9, r.r10);
	tap_note("  rax %llx rcx %llx rdx %llx rbx %llx cr0 %llx cr2 %llx cr3 %llx cr4 %llx efer %llx",
		 r.rax, r.rcx, r.rdx, r.rbx, s.cr0, s.cr2, s.cr3, s.cr4, s.efer);
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		tap_note("  port %x size %u count %u %s", run->io.port,
			 run->io.size, run->io.count,
			 run->io.direction ? "out" : "in");
		break;
	case KVM_EXIT_MMIO:
		tap_note("  mmio %s %llx len %u",
			 run->mmio.is_write ? "write" : "read",
			 run->mmio.phys_addr, run->mmio.len);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		tap_note("  suberror %u ndata %u: %llx %llx %llx %llx",
			 run->internal.suberror, run->internal.ndata,
			 run->internal.data[0], run->internal.data[1],
			 run->internal.data[2], run->internal.data[3]);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		tap_note("  hardware reason 0x%llx",
			 run->fail_entry.hardware_entry_failure_reason);
		break;
	}
}

/* The strings that the guest names are the program's own. */
static void die_of_guest(struct vm *vm)
{
	volatile struct guest_failure *f = IN_GUEST(vm, guest_failure);

	if (f->values)
		tap_die(f->file, f->line, "in the guest: %s: 0x%llx, 0x%llx",
			f->expr, (unsigned long long)f->a,
			(unsigned long long)f->b);
	tap_die(f->file, f->line, "in the guest: %s", f->expr);
}

static void print_note(struct vm *vm)
{
	volatile struct guest_note_args *n = IN_GUEST(vm, guest_note_args);
	char line[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(line, sizeof(line), n->fmt, n->arg[0], n->arg[1], n->arg[2],
		 n->arg[3]);
#pragma GCC diagnostic pop
	tap_note("guest: %s", line);
}

enum guest_event vcpu_next(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct vm *vm = vcpu->vm;

	for (;;) {
		if (vcpu_run(vcpu) != KVM_EXIT_IO ||
		    run->io.direction != KVM_EXIT_IO_OUT)
			return GUEST_EXIT;
		switch (run->io.port) {
		case PORT_DONE:
			return GUEST_DONE;
		case PORT_SYNC:
			vcpu->sync = 0;
			if (vm->has_image)
				vcpu->sync = (*IN_GUEST(vm, guest_cpus))[vcpu->id].sync;
			return GUEST_SYNC;
		case PORT_FAIL:
			if (!vm->has_image) {
				vcpu_describe(vcpu);
				die("the guest reports failure");
			}
			die_of_guest(vm);
			break;
		case PORT_NOTE:
			print_note(vm);
			break;
		default:
			return GUEST_EXIT;
		}
	}
}

void vcpu_finish(struct vcpu *vcpu)
{
	enum guest_event e = vcpu_next(vcpu);

	if (e == GUEST_DONE)
		return;
	vcpu_describe(vcpu);
	if (e == GUEST_SYNC)
		die("the guest is at sync %llu, expected its end",
		    (unsigned long long)vcpu->sync);
	die("the guest exited with KVM_EXIT_%s, expected its end",
	    exit_name(vcpu->run->exit_reason));
}

void vcpu_expect_sync(struct vcpu *vcpu, u64 value)
{
	enum guest_event e = vcpu_next(vcpu);

	if (e == GUEST_SYNC && vcpu->sync == value)
		return;
	vcpu_describe(vcpu);
	die("expected the guest's sync 0x%llx, got %s 0x%llx",
	    (unsigned long long)value,
	    e == GUEST_SYNC ? "sync" : e == GUEST_DONE ? "its end" : "exit",
	    e == GUEST_SYNC ? (unsigned long long)vcpu->sync :
	    (unsigned long long)vcpu->run->exit_reason);
}

void vcpu_expect_exit(struct vcpu *vcpu, u32 reason)
{
	if (vcpu_next(vcpu) == GUEST_EXIT && vcpu->run->exit_reason == reason)
		return;
	vcpu_describe(vcpu);
	die("expected KVM_EXIT_%s, got KVM_EXIT_%s", exit_name(reason),
	    exit_name(vcpu->run->exit_reason));
}

static void *finish_thread(void *arg)
{
	vcpu_finish(arg);
	return NULL;
}

void vcpu_start(struct vcpu *vcpu)
{
	ASSERT(!pthread_create(&vcpu->thread, NULL, finish_thread, vcpu));
}

void vcpu_join(struct vcpu *vcpu)
{
	ASSERT(!pthread_join(vcpu->thread, NULL));
}

struct one_msr {
	struct kvm_msrs h;
	struct kvm_msr_entry e;
};

bool vcpu_try_msr(struct vcpu *vcpu, u32 index, u64 *value)
{
	struct one_msr m = { .h.nmsrs = 1, .e.index = index };

	if (ASSERT_OK(ioctl(vcpu->fd, KVM_GET_MSRS, &m)) != 1)
		return false;
	*value = m.e.data;
	return true;
}

bool vcpu_try_set_msr(struct vcpu *vcpu, u32 index, u64 value)
{
	struct one_msr m = {
		.h.nmsrs = 1, .e.index = index, .e.data = value,
	};

	return ASSERT_OK(ioctl(vcpu->fd, KVM_SET_MSRS, &m)) == 1;
}

u64 vcpu_msr(struct vcpu *vcpu, u32 index)
{
	u64 v = 0;

	ASSERT(vcpu_try_msr(vcpu, index, &v), "MSR 0x%x", index);
	return v;
}

void vcpu_set_msr(struct vcpu *vcpu, u32 index, u64 value)
{
	ASSERT(vcpu_try_set_msr(vcpu, index, value), "MSR 0x%x", index);
}

void vcpu_regs(struct vcpu *vcpu, struct kvm_regs *regs)
{
	ASSERT_OK(ioctl(vcpu->fd, KVM_GET_REGS, regs));
}

void vcpu_set_regs(struct vcpu *vcpu, const struct kvm_regs *regs)
{
	ASSERT_OK(ioctl(vcpu->fd, KVM_SET_REGS, regs));
}

void vcpu_sregs(struct vcpu *vcpu, struct kvm_sregs *sregs)
{
	ASSERT_OK(ioctl(vcpu->fd, KVM_GET_SREGS, sregs));
}

void vcpu_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
	ASSERT_OK(ioctl(vcpu->fd, KVM_SET_SREGS, sregs));
}

bool host_is_tcg(void)
{
	u32 a, b, c, d;

	cpuid(0x40000000, 0, &a, &b, &c, &d);
	return b == 0x54474354 && c == 0x43544743;	/* TCGTCGTCGTCG */
}

bool vendor_is(const char *module)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	return access(path, F_OK) == 0;
}

bool host_is_bochs(void)
{
	char vendor[32] = "";
	int fd = open("/sys/class/dmi/id/bios_vendor", O_RDONLY);

	if (fd >= 0) {
		if (read(fd, vendor, sizeof(vendor) - 1) < 0)
			vendor[0] = 0;
		close(fd);
	}
	return !strncmp(vendor, "The Bochs Project", 17);
}

bool kvm_param(const char *name)
{
	static const char *const modules[] = { "kvm_amd", "kvm_intel", "kvm" };
	char path[128], c = 'N';

	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		int fd;

		snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s",
			 modules[i], name);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		if (read(fd, &c, 1) != 1)
			c = 'N';
		close(fd);
		return c == 'Y' || c == '1';
	}
	return false;
}

void skip_if_forced(const char *why)
{
	if (kvm_param("force_emulation"))
		tap_skip("force_emulation: %s", why);
}

u64 kvm_stat(int owner, const char *name)
{
	int fd = ioctl(owner, KVM_GET_STATS_FD, 0);
	struct kvm_stats_header h;
	u64 value = ~0ull;

	if (fd < 0)
		return value;
	ASSERT_EQ(pread(fd, &h, sizeof(h), 0), sizeof(h));
	for (u32 i = 0; i < h.num_desc; i++) {
		struct {
			struct kvm_stats_desc d;
			char name[128];
		} e = {};
		size_t size = sizeof(e.d) + h.name_size;

		ASSERT(size <= sizeof(e));
		ASSERT_EQ(pread(fd, &e, size, h.desc_offset + i * size), size);
		if (strcmp(e.name, name))
			continue;
		ASSERT_EQ(pread(fd, &value, 8, h.data_offset + e.d.offset), 8);
		break;
	}
	close(fd);
	return value;
}
