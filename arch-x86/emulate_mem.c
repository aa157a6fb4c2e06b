// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest linear memory for the emulator and for instruction handlers: through the
 * guest's page tables to memory, or to MMIO where there is none. Owns the rule
 * that all pages of an access are translated before any of it is done.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "arch-x86/emulate.h"
#include "arch-x86/io.h"
#include "arch-x86/regs.h"
#include "core/memslot.h"

/* The part of an access that is in one page. */
struct chunk {
	gpa_t gpa;
	unsigned int len;
	bool mmio;
};
#define MAX_CHUNKS	2

/*
 * Instructions whose only memory access is the one that their ModRM (or moffs)
 * names, by opcode: for these the gpa of the fault is the operand's.
 */
static bool one_operand(const struct x86_emulator_decoded *insn)
{
	u8 op = insn->opcode;

	if (insn->map == 0) {
		if (op < 0x40)			/* ADD ... CMP */
			return (op & 7) < 4;
		switch (op) {
		case 0x63:			/* MOVSXD, ARPL */
		case 0x69: case 0x6b:		/* IMUL */
		case 0x80 ... 0x8b:		/* ALU, TEST, XCHG, MOV */
		case 0xa0 ... 0xa3:		/* MOV moffs */
		case 0xc0: case 0xc1: case 0xd0 ... 0xd3: /* shifts */
		case 0xc6: case 0xc7:		/* MOV imm */
		case 0xf6: case 0xf7:		/* TEST, NOT, NEG, MUL, DIV */
			return true;
		case 0xaa: case 0xab:		/* STOS */
		case 0xac: case 0xad:		/* LODS */
			return !insn->rep;
		case 0xfe: case 0xff:		/* INC, DEC; not CALL, JMP, PUSH */
			return ((insn->modrm >> 3) & 7) < 2;
		}
		return false;
	}
	if (insn->map == 1) {
		switch (op) {
		case 0x10: case 0x11: case 0x28: case 0x29: case 0x2b:
		case 0x6e: case 0x6f: case 0x7e: case 0x7f: case 0xe7: /* vector moves */
		case 0x40 ... 0x4f:		/* CMOV */
		case 0xa3: case 0xab: case 0xb3: case 0xba: case 0xbb: /* bits */
		case 0xb0: case 0xb1: case 0xc0: case 0xc1: /* CMPXCHG, XADD */
		case 0xb6: case 0xb7: case 0xbe: case 0xbf: /* MOVZX, MOVSX */
		case 0xc3:			/* MOVNTI */
			return true;
		}
	}
	return false;
}

/* Is the access the one that faulted? Then its gpa is known. */
static bool known_gpa(struct x86_vcpu *vcpu, u64 linear, u32 access)
{
	return vcpu->gpa_available &&
	       !(access & (X86_EMULATOR_FETCH | X86_EMULATOR_IMPLICIT)) &&
	       offset_in_page(linear) == offset_in_page(vcpu->gpa_val) &&
	       (!(access & X86_EMULATOR_WRITE) || vcpu->gpa_write) &&
	       one_operand(&vcpu->emul.insn);
}

static u32 walk_access(u32 access)
{
	return (access & X86_EMULATOR_WRITE ? X86_ACC_WRITE : 0) |
	       (access & X86_EMULATOR_FETCH ? X86_ACC_FETCH : 0) |
	       (access & X86_EMULATOR_USER ? X86_ACC_USER : 0) |
	       (access & X86_EMULATOR_IMPLICIT ? X86_ACC_IMPLICIT : 0);
}

static struct x86_rep_page *rep_page(struct x86_vcpu *vcpu, u32 access)
{
	return &vcpu->rep_page[!!(access & X86_EMULATOR_WRITE)];
}

/*
 * As CPUs, whose TLBs keep it: who changes the tables waits for an interrupt to be taken,
 * which is between two runs of iterations.
 */
static bool kept_gpa(struct x86_vcpu *vcpu, u64 linear, u32 access, gpa_t *gpa)
{
	const struct x86_rep_page *kept = rep_page(vcpu, access);

	*gpa = kept->gpa | offset_in_page(linear);
	return kept->page == linear - offset_in_page(linear) && kept->access == access &&
	       kept->cr3 == x86_cr3(vcpu);
}

static void keep_gpa(struct x86_vcpu *vcpu, u64 linear, u32 access, gpa_t gpa)
{
	if (!vcpu->emul.insn.rep || (access & (X86_EMULATOR_FETCH | X86_EMULATOR_IMPLICIT)))
		return;
	*rep_page(vcpu, access) = (struct x86_rep_page) {
		.page = linear - offset_in_page(linear),
		.gpa = gpa - offset_in_page(gpa),
		.access = access,
		.cr3 = x86_cr3(vcpu),
	};
}

void emul_forget_pages(struct x86_vcpu *vcpu)
{
	vcpu->rep_page[0].page = vcpu->rep_page[1].page = ~0ull;
}

static int translate(struct x86_emulator *ctx, u64 linear, u32 access, gpa_t *gpa)
{
	struct x86_vcpu *vcpu = emul_vcpu(ctx);
	struct x86_fault_info fault;

	if (known_gpa(vcpu, linear, access)) {
		*gpa = vcpu->gpa_val;
		return X86_EMULATOR_CONTINUE;
	}
	if (kept_gpa(vcpu, linear, access, gpa))
		return X86_EMULATOR_CONTINUE;
	*gpa = x86_gva_to_gpa(vcpu, linear, walk_access(access), &fault);
	if (*gpa != INVALID_GPA) {
		keep_gpa(vcpu, linear, access, *gpa);
		return X86_EMULATOR_CONTINUE;
	}
	ctx->exception = (struct x86_emulator_exception) {
		.vector = fault.vector,
		.has_error_code = fault.error_code_valid,
		.error_code = fault.error_code,
		.address = fault.address,
		.nested_page_fault = fault.nested_page_fault,
	};
	return X86_EMULATOR_FAULT;
}

/* Translate all of an access, and see what is there. */
static int split(struct x86_emulator *ctx, u64 linear, unsigned int len, u32 access,
		 struct chunk *chunks)
{
	struct x86_vcpu *vcpu = emul_vcpu(ctx);
	unsigned int n;
	int r;

	for (n = 0; len; n++) {
		struct chunk *c = &chunks[n];
		struct kvm_memory_slot *slot;

		if (n == MAX_CHUNKS)
			return X86_EMULATOR_UNHANDLEABLE;
		r = translate(ctx, linear, access, &c->gpa);
		if (r != X86_EMULATOR_CONTINUE)
			return r;
		c->len = min_t(unsigned int, len, PAGE_SIZE - offset_in_page(linear));
		linear += c->len;
		len -= c->len;

		c->mmio = false;
		slot = kvm_vcpu_gfn_to_memslot(&vcpu->core, gpa_to_gfn(c->gpa));
		if (!slot)
			c->mmio = true;
		else if (!kvm_slot_usable(slot))
			return X86_EMULATOR_RETRY;
		else if (access & X86_EMULATOR_WRITE)
			/* A write to ROM is user space's to see (KVM_MEM_READONLY). */
			c->mmio = slot->flags & KVM_MEM_READONLY;
	}
	if (n < MAX_CHUNKS)
		chunks[n].len = 0;
	return X86_EMULATOR_CONTINUE;
}

/* There is a slot, but the process has nothing behind it; or the slot is going. */
static int lost_memory(struct x86_vcpu *vcpu, gpa_t gpa)
{
	struct kvm_memory_slot *slot = kvm_vcpu_gfn_to_memslot(&vcpu->core, gpa_to_gfn(gpa));

	if (!kvm_slot_usable(slot))
		return X86_EMULATOR_RETRY;
	vcpu->io.error = -EFAULT;
	return X86_EMULATOR_UNHANDLEABLE;
}

static int read_chunk(struct x86_vcpu *vcpu, const struct chunk *c, void *data)
{
	struct kvm_memory_slot *slot;

	if (!c->mmio) {
		if (!kvm_vcpu_read_guest(&vcpu->core, c->gpa, data, c->len))
			return X86_EMULATOR_CONTINUE;
		return lost_memory(vcpu, c->gpa);
	}
	/* The read of a read-modify-write of ROM is an ordinary one. */
	slot = kvm_vcpu_gfn_to_memslot(&vcpu->core, gpa_to_gfn(c->gpa));
	if (kvm_slot_usable(slot) &&
	    !kvm_vcpu_read_guest(&vcpu->core, c->gpa, data, c->len))
		return X86_EMULATOR_CONTINUE;
	return x86_io_read(vcpu, c->gpa, 0, data, c->len);
}

static int write_chunk(struct x86_vcpu *vcpu, const struct chunk *c, const void *data)
{
	if (c->mmio)
		return x86_io_write_mmio(vcpu, c->gpa, data, c->len);
	x86_mmu_guest_writes(&vcpu->mmu, c->gpa);
	if (kvm_vcpu_write_guest(&vcpu->core, c->gpa, data, c->len))
		return lost_memory(vcpu, c->gpa);
	x86_mmu_guest_wrote(vcpu, c->gpa, c->len);
	return X86_EMULATOR_CONTINUE;
}

int vcpu_emul_read(struct x86_emulator *ctx, u64 linear, void *data, unsigned int len, u32 access)
{
	struct x86_vcpu *vcpu = emul_vcpu(ctx);
	struct chunk chunks[MAX_CHUNKS];
	int i, r;

	r = split(ctx, linear, len, access, chunks);
	if (r != X86_EMULATOR_CONTINUE)
		return r;
	for (i = 0; i < MAX_CHUNKS && chunks[i].len; i++) {
		if (chunks[i].mmio && (access & X86_EMULATOR_FETCH))
			return X86_EMULATOR_UNHANDLEABLE;
		r = read_chunk(vcpu, &chunks[i], data);
		if (r != X86_EMULATOR_CONTINUE)
			return r;
		data += chunks[i].len;
	}
	return X86_EMULATOR_CONTINUE;
}

int vcpu_emul_write(struct x86_emulator *ctx, u64 linear, const void *data, unsigned int len,
	       u32 access)
{
	struct x86_vcpu *vcpu = emul_vcpu(ctx);
	struct chunk chunks[MAX_CHUNKS];
	int i, r;

	r = split(ctx, linear, len, access | X86_EMULATOR_WRITE, chunks);
	if (r != X86_EMULATOR_CONTINUE)
		return r;
	for (i = 0; i < MAX_CHUNKS && chunks[i].len; i++) {
		r = write_chunk(vcpu, &chunks[i], data);
		if (r != X86_EMULATOR_CONTINUE)
			return r;
		data += chunks[i].len;
	}
	return X86_EMULATOR_CONTINUE;
}

int emul_probe(struct x86_emulator *ctx, u64 linear, unsigned int len, u32 access)
{
	struct chunk chunks[MAX_CHUNKS];

	return split(ctx, linear, len, access, chunks);
}

/*
 * CMPXCHG16B on guest memory, 16 byte aligned. 0: exchanged; 1: *old is what was
 * there; -EFAULT: not there, or not now. asm goto without outputs, since old
 * compilers have no other: the old value comes and goes by memory.
 */
static int cmpxchg16_user(u64 __user *uptr, u64 *old, const u64 *new)
{
	if (!user_access_begin(uptr, 16))
		return -EFAULT;
	asm goto("movq (%[old]), %%rax\n\t"
		 "movq 8(%[old]), %%rdx\n\t"
		 "movq (%[new]), %%rbx\n\t"
		 "movq 8(%[new]), %%rcx\n"
		 "1: lock cmpxchg16b (%[uptr])\n\t"
		 "movq %%rax, (%[old])\n\t"
		 "movq %%rdx, 8(%[old])\n\t"
		 "jnz %l[differs]\n\t"
		 _ASM_EXTABLE_UA(1b, %l[fault])
		 : : [uptr] "r" (uptr), [old] "r" (old), [new] "r" (new)
		 : "ax", "bx", "cx", "dx", "cc", "memory" : differs, fault);
	user_access_end();
	return 0;
differs:
	user_access_end();
	return 1;
fault:
	user_access_end();
	return -EFAULT;
}

static bool can_cmpxchg16(void)
{
	return IS_ENABLED(CONFIG_X86_64) && boot_cpu_has(X86_FEATURE_CX16);
}

static int cmpxchg16_guest(struct x86_vcpu *vcpu, gpa_t gpa, void *old, const void *new)
{
	struct kvm_memory_slot *slot = kvm_vcpu_gfn_to_memslot(&vcpu->core, gpa_to_gfn(gpa));
	u64 was[2], will[2];
	int r;

	if (!can_cmpxchg16())
		return -EOPNOTSUPP;
	if (!kvm_slot_writable(slot))
		return -EFAULT;
	memcpy(was, old, sizeof(was));
	memcpy(will, new, sizeof(will));
	r = cmpxchg16_user((u64 __user *)(kvm_slot_hva(slot, gpa_to_gfn(gpa)) +
					  offset_in_page(gpa)), was, will);
	if (r < 0)
		return r;
	memcpy(old, was, sizeof(was));
	kvm_mark_page_dirty(vcpu->core.kvm, &vcpu->core, slot, gpa_to_gfn(gpa));
	return r;
}

/*
 * A compare-and-exchange within an aligned window of 8 or 16 bytes that is not
 * itself aligned (a split lock would not be): exchange the whole window.
 */
static int cmpxchg_window(struct x86_vcpu *vcpu, gpa_t gpa, void *old, const void *new,
			  unsigned int len, unsigned int window)
{
	gpa_t base = gpa & ~(gpa_t)(window - 1);
	unsigned int at = gpa - base;
	u8 was[16], will[16];
	int r;

	do {
		if (kvm_vcpu_read_guest(&vcpu->core, base, was, window))
			return -EFAULT;
		if (memcmp(was + at, old, len)) {
			memcpy(old, was + at, len);
			return 1;
		}
		memcpy(will, was, window);
		memcpy(will + at, new, len);
		if (window == 8)
			r = kvm_vcpu_cmpxchg_guest(&vcpu->core, base, was, will, window);
		else
			r = cmpxchg16_guest(vcpu, base, was, will);
		/* The neighbours changed: not our comparison's business. */
		if (r > 0 && signal_pending(current))
			return -EAGAIN;
	} while (r > 0);
	return r;
}

/* Atomic, or -EOPNOTSUPP: more than one window, or 16 bytes where the CPU can't. */
static int cmpxchg_memory(struct x86_vcpu *vcpu, gpa_t gpa, void *old, const void *new,
			  unsigned int len)
{
	if (len <= 8 && IS_ALIGNED(gpa, len))
		return kvm_vcpu_cmpxchg_guest(&vcpu->core, gpa, old, new, len);
	if ((gpa & 7) + len <= 8)
		return cmpxchg_window(vcpu, gpa, old, new, len, 8);
	if ((gpa & 15) + len <= 16 && can_cmpxchg16())
		return cmpxchg_window(vcpu, gpa, old, new, len, 16);
	return -EOPNOTSUPP;
}

int emul_cmpxchg(struct x86_emulator *ctx, u64 linear, void *old, const void *new,
		 unsigned int len, u32 access)
{
	struct x86_vcpu *vcpu = emul_vcpu(ctx);
	struct chunk chunks[MAX_CHUNKS];
	u8 cur[16];
	int r, i, at;

	if (len > sizeof(cur))
		return X86_EMULATOR_UNHANDLEABLE;
	r = split(ctx, linear, len, access | X86_EMULATOR_WRITE, chunks);
	if (r != X86_EMULATOR_CONTINUE)
		return r;

	if (!chunks[1].len && !chunks[0].mmio) {
		x86_mmu_guest_writes(&vcpu->mmu, chunks[0].gpa);
		switch (cmpxchg_memory(vcpu, chunks[0].gpa, old, new, len)) {
		case 0:
			x86_mmu_guest_wrote(vcpu, chunks[0].gpa, len);
			fallthrough;
		case 1:
			return X86_EMULATOR_CONTINUE;
		case -EFAULT:
			return lost_memory(vcpu, chunks[0].gpa);
		case -EAGAIN:
			return X86_EMULATOR_RETRY;
		}
	}

	/*
	 * A split lock of memory: user memory has no such exchange, and another
	 * vCPU must not see half of one. A descriptor's accessed and busy bits are
	 * one byte: a table that lies across gets a read and a write.
	 */
	if (!(access & X86_EMULATOR_IMPLICIT) &&
	    (!chunks[0].mmio || (chunks[1].len && !chunks[1].mmio)))
		return X86_EMULATOR_UNHANDLEABLE;

	/*
	 * MMIO: a read, then a write. The emulator has read it just now: a device
	 * must not see a second read.
	 */
	memcpy(cur, old, len);
	for (i = 0, at = 0; i < MAX_CHUNKS && chunks[i].len; at += chunks[i++].len) {
		if (chunks[i].mmio)
			continue;
		r = read_chunk(vcpu, &chunks[i], cur + at);
		if (r != X86_EMULATOR_CONTINUE)
			return r;
	}
	if (memcmp(cur, old, len)) {
		memcpy(old, cur, len);
		return X86_EMULATOR_CONTINUE;
	}
	for (i = 0, at = 0; i < MAX_CHUNKS && chunks[i].len; at += chunks[i++].len) {
		r = write_chunk(vcpu, &chunks[i], new + at);
		if (r != X86_EMULATOR_CONTINUE)
			return r;
	}
	return X86_EMULATOR_CONTINUE;
}

/* ---- for instruction handlers --------------------------------------------------- */

/* One page of an access. 0 with *gpa; 1 with *fault. */
static int virt_page(struct x86_vcpu *vcpu, u64 gva, u32 access, gpa_t *gpa,
		     struct x86_fault_info *fault)
{
	*gpa = x86_gva_to_gpa(vcpu, gva, access, fault);
	return *gpa == INVALID_GPA;
}

int x86_read_virt(struct x86_vcpu *vcpu, u64 gva, void *data, unsigned int len,
		  u32 access, struct x86_fault_info *fault)
{
	while (len) {
		unsigned int n = min_t(unsigned int, len, PAGE_SIZE - offset_in_page(gva));
		gpa_t gpa;

		if (virt_page(vcpu, gva, access, &gpa, fault))
			return 1;
		if (kvm_vcpu_read_guest(&vcpu->core, gpa, data, n))
			return -EFAULT;
		gva += n;
		data += n;
		len -= n;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(x86_read_virt);

int x86_write_virt(struct x86_vcpu *vcpu, u64 gva, const void *data, unsigned int len,
		   u32 access, struct x86_fault_info *fault)
{
	u64 at;
	gpa_t gpa;

	access |= X86_ACC_WRITE;
	/* All of it can be written, before any of it is. */
	for (at = gva; at < gva + len; at = (at | ~PAGE_MASK) + 1)
		if (virt_page(vcpu, at, access, &gpa, fault))
			return 1;
	while (len) {
		unsigned int n = min_t(unsigned int, len, PAGE_SIZE - offset_in_page(gva));

		if (virt_page(vcpu, gva, access, &gpa, fault))
			return 1;
		x86_mmu_guest_writes(&vcpu->mmu, gpa);
		if (kvm_vcpu_write_guest(&vcpu->core, gpa, data, n))
			return -EFAULT;
		x86_mmu_guest_wrote(vcpu, gpa, n);
		gva += n;
		data += n;
		len -= n;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(x86_write_virt);
