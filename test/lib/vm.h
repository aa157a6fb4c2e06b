/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's half of a test VM: creating it, its memory and its vCPUs, putting
 * a vCPU into a mode of the CPU with code to run, and running it until it says
 * something. The guest's half is guest.h.
 *
 * Everything here ends the running test (tap_die) when the unexpected happens,
 * so that a test reads as the steps it is about. A test about an ioctl itself
 * calls ioctl() on the file descriptors.
 */
#ifndef TEST_LIB_VM_H
#define TEST_LIB_VM_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#include "kvm-new.h"
#include "tap.h"

/* Where things are in a test VM's RAM (slot 0, guest physical address 0 on). */
#define GPA_IVT		0x0
#define GPA_GDT		0x1000
#define GPA_IDT		0x2000
#define GPA_TSS		0x3000	/* 0x100 for each vCPU */
#define GPA_CODE	0x8000	/* vm_code(): 16 and 32 bit code blobs */
#define GPA_PML4	0x10000	/* and its PDPT, four PDs: identity, 4 GB */
#define GPA_PAE		0x20000	/* PDPT and four PDs: identity, 4 GB */
#define GPA_PD32	0x28000	/* 4 MB pages: identity, 4 GB */
#define GPA_PT		0x29000	/* vm_split(): up to 7 page tables */
#define GPA_STACKS	0x30000	/* 0x4000 for each vCPU */
#define GPA_DATA	0x80000	/* the test's own, up to 0xa0000 */
#define GPA_FREE	0x100000 /* the test's own, up to 0x400000 */
#define VM_RAM		0x1000000
#define GPA_NONE	0x40000000ull	/* never memory: MMIO */

/* Selectors in the GDT at GPA_GDT; the order suits SYSCALL and SYSRET. */
#define SEL_CODE64	0x08
#define SEL_DATA	0x10
#define SEL_CODE32	0x18
#define SEL_USER32	(0x20 | 3)
#define SEL_USERDATA	(0x28 | 3)
#define SEL_USER64	(0x30 | 3)
#define SEL_CODE16	0x38
#define SEL_DATA16	0x40
#define SEL_TSS		0x50	/* + 0x10 for each vCPU */

/* Ports that guest code speaks to the test with; see guest.h. */
#define PORT_DONE	0x5050
#define PORT_FAIL	0x5051
#define PORT_SYNC	0x5052
#define PORT_NOTE	0x5053

#define MAX_VCPUS	16

struct vm;

struct vcpu {
	struct vm *vm;
	int id;
	int fd;
	struct kvm_run *run;
	size_t run_size;
	u64 sync;		/* value of the last guest_sync() */
	pthread_t thread;
};

struct vm {
	int kvm;		/* /dev/kvm */
	int fd;
	u8 *ram;		/* slot 0, or NULL */
	u64 ram_size;
	bool has_image;
	unsigned int nr_vcpus;
	struct vcpu *vcpus[MAX_VCPUS];
};

/* What vcpu_next() met. */
enum guest_event {
	GUEST_DONE,		/* guest_done() */
	GUEST_SYNC,		/* guest_sync(): vcpu->sync */
	GUEST_EXIT,		/* any other exit: vcpu->run->exit_reason */
};

/**
 * kvm_open() - /dev/kvm; skips the test where there is none.
 */
int kvm_open(void);

/**
 * kvm_cap() - KVM_CHECK_EXTENSION of @cap on /dev/kvm (or on a VM's @fd).
 */
int kvm_cap(int fd, long cap);

/**
 * vm_bare() - a VM with nothing in it: no memory, no vCPU.
 */
struct vm *vm_bare(void);

/**
 * vm_new() - a VM with VM_RAM bytes of RAM at 0: GDT, IDT and page tables as
 * the layout above says, and the TSS address of old Intel CPUs set.
 */
struct vm *vm_new(void);

/**
 * vm_new_irqchip() - vm_new() with PIC, IOAPIC and LAPICs in the kernel.
 */
struct vm *vm_new_irqchip(void);

/**
 * vm_free() - close and unmap everything of @vm.
 */
void vm_free(struct vm *vm);

/**
 * vm_map() - fresh anonymous memory as slot @slot at @gpa; returns its hva.
 * @flags: KVM_MEM_*.
 */
void *vm_map(struct vm *vm, u32 slot, u64 gpa, u64 size, u32 flags);

/**
 * vm_slot() - KVM_SET_USER_MEMORY_REGION as it is: returns what ioctl() does.
 */
int vm_slot(struct vm *vm, u32 slot, u32 flags, u64 gpa, u64 size, void *hva);

/**
 * vm_split() - map the 2 MB around @gva by 4 KB pages in the long mode tables.
 * Returns the page table (512 entries, all present, identity).
 */
u64 *vm_split(struct vm *vm, u64 gva);

/**
 * vm_code() - copy the blob @code to @gpa.
 */
void vm_code(struct vm *vm, u64 gpa, const void *code, size_t len);

/**
 * vcpu_bare() - vCPU @id as KVM_CREATE_VCPU leaves it.
 */
struct vcpu *vcpu_bare(struct vm *vm, int id);

/**
 * vcpu_new() - vCPU @id with all the CPUID that KVM supports.
 */
struct vcpu *vcpu_new(struct vm *vm, int id);

/**
 * vcpu_close() - unmap and close one vCPU's file descriptor.
 */
void vcpu_close(struct vcpu *vcpu);

/**
 * vcpu_default_cpuid() - KVM_SET_CPUID2 with KVM_GET_SUPPORTED_CPUID's answer
 * and the vCPU's own APIC id.
 */
void vcpu_default_cpuid(struct vcpu *vcpu);

/**
 * vcpu_deadline_cpuid() - likewise, with the APIC timer's TSC deadline, which is left to user
 *	space to offer. Without KVM_CAP_TSC_DEADLINE_TIMER the test is skipped.
 */
void vcpu_deadline_cpuid(struct vcpu *vcpu);

/**
 * vcpu_make_cpuid() - the table that vcpu_default_cpuid() sets; malloc'd.
 */
struct kvm_cpuid2 *vcpu_make_cpuid(struct vcpu *vcpu);

/**
 * supported_cpuid() - one leaf of KVM_GET_SUPPORTED_CPUID, or NULL.
 */
const struct kvm_cpuid_entry2 *supported_cpuid(u32 function, u32 index);

/**
 * vcpu_real() - real mode at 0:@ip (CS base 0), stack below 0x7000.
 * vcpu_prot() - flat 32-bit protected mode, no paging.
 * vcpu_paging32() - the same with 4 MB pages; vcpu_pae() - with PAE.
 * vcpu_long() - long mode, at the C function @fn of the guest's image: the
 * test program itself, which is copied to the same addresses in the VM's RAM.
 */
void vcpu_real(struct vcpu *vcpu, u64 ip);
void vcpu_prot(struct vcpu *vcpu, u64 ip);
void vcpu_paging32(struct vcpu *vcpu, u64 ip);
void vcpu_pae(struct vcpu *vcpu, u64 ip);
void vcpu_long(struct vcpu *vcpu, void (*fn)(void));

/**
 * vm_guest() - the usual start of a test: vm_new() or, with @irqchip,
 * vm_new_irqchip(), and one vCPU in long mode at @fn.
 */
struct vcpu *vm_guest(bool irqchip, void (*fn)(void));

/**
 * vcpu_run_once() - one KVM_RUN as it is; returns what ioctl() does.
 */
int vcpu_run_once(struct vcpu *vcpu);

/**
 * vcpu_run() - KVM_RUN until it exits to us with success (EINTR, and EAGAIN when
 * an INIT has come, try again).
 * Returns the exit reason.
 */
u32 vcpu_run(struct vcpu *vcpu);

/**
 * vcpu_run_for() - KVM_RUN, interrupted by a signal after @ms milliseconds.
 * Returns whether the vCPU made an exit before.
 */
bool vcpu_run_for(struct vcpu *vcpu, unsigned int ms);

/**
 * vcpu_next() - run until the guest says something or another exit comes. A
 * guest's failed assertion ends the test with the guest's words.
 */
enum guest_event vcpu_next(struct vcpu *vcpu);

/**
 * vcpu_finish() - run to guest_done(); any other exit fails the test.
 */
void vcpu_finish(struct vcpu *vcpu);

/**
 * vcpu_expect_sync() - run to guest_sync(@value); anything else fails the test.
 */
void vcpu_expect_sync(struct vcpu *vcpu, u64 value);

/**
 * vcpu_expect_exit() - run to an exit for @reason; else fails the test.
 */
void vcpu_expect_exit(struct vcpu *vcpu, u32 reason);

/**
 * vcpu_start() - vcpu_finish() in a thread of its own; vcpu_join() waits.
 */
void vcpu_start(struct vcpu *vcpu);
void vcpu_join(struct vcpu *vcpu);

/**
 * vcpu_describe() - where the vCPU is and why it came out, as tap notes.
 */
void vcpu_describe(struct vcpu *vcpu);

const char *exit_name(u32 reason);

/**
 * vcpu_msr() / vcpu_set_msr() - one MSR through KVM_GET_MSRS, KVM_SET_MSRS.
 * vcpu_try_msr() and vcpu_try_set_msr() return false where it is refused.
 */
u64 vcpu_msr(struct vcpu *vcpu, u32 index);
void vcpu_set_msr(struct vcpu *vcpu, u32 index, u64 value);
bool vcpu_try_msr(struct vcpu *vcpu, u32 index, u64 *value);
bool vcpu_try_set_msr(struct vcpu *vcpu, u32 index, u64 value);

void vcpu_regs(struct vcpu *vcpu, struct kvm_regs *regs);
void vcpu_set_regs(struct vcpu *vcpu, const struct kvm_regs *regs);
void vcpu_sregs(struct vcpu *vcpu, struct kvm_sregs *sregs);
void vcpu_set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs);

/**
 * host_is_tcg() - true where the CPU below us is QEMU's TCG, whose known
 * defects some tests must step around (docs/tests.md lists them).
 */
bool host_is_tcg(void);
/** host_is_bochs() - likewise, Bochs with the BIOS of its own. */
bool host_is_bochs(void);
/** vendor_is() - is that vendor's module ("kvm_amd", "kvm_intel") loaded? */
bool vendor_is(const char *module);

/**
 * kvm_param() - a boolean parameter of kvm, kvm_amd or kvm_intel, such as
 * kvm_param("npt"); false where there is none.
 */
bool kvm_param(const char *name);

/* skip_if_forced() - skips a test of what is not so under force_emulation, and @why. */
void skip_if_forced(const char *why);

/**
 * kvm_stat() - a counter of KVM_GET_STATS_FD; ~0: there is none of that name.
 * @owner: file descriptor of the VM or vCPU
 */
u64 kvm_stat(int owner, const char *name);

/**
 * BLOB() - code for vm_code() in assembly: name and name_end are its bounds.
 * @mode: ".code16", ".code32" or ".code64".
 */
#define BLOB(name, mode, text)						\
	extern const u8 name[], name##_end[];				\
	asm(".pushsection .rodata\n"					\
	    ".globl " #name ", " #name "_end\n" mode "\n"		\
	    #name ":\n" text "\n" #name "_end:\n.code64\n.popsection")
#define BLOB_LEN(name)	((size_t)(name##_end - name))

/* The guest's copy of a global variable of the test program. */
#define IN_GUEST(vm, var)						\
	((volatile __typeof__(var) *)((vm)->ram + (uintptr_t)&(var)))

#define CPUID_BIT(entry, reg, bit)	((entry) && ((entry)->reg >> (bit) & 1))

#endif
