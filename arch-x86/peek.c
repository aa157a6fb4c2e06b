// SPDX-License-Identifier: GPL-2.0-only
/*
 * A look at the intercepted instruction: its bytes, if they can be read without
 * sleeping, and the few encodings that exits are made of (SDM 2A 2.1). A CPU that saves
 * the next RIP and the bytes at an exit needs this for MMIO only. Does nothing that the
 * instruction does, and raises nothing: whatever is unusual is the emulator's.
 *
 * The last few are remembered. What is remembered is never believed: the guest changes its
 * tables and its code without an exit. It only says where to look, so that each time the
 * same words are read again, and nothing is walked or taken apart if they are the same.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "arch-x86/mmu/walk.h"
#include "arch-x86/peek.h"
#include "arch-x86/regs.h"
#include "arch-x86/vendor_call.h"
#include "core/memslot.h"

#define PEEK_BYTES	16	/* the longest instruction, and one that is never looked at */

/* How code is read: CS.L in long mode, else CS.D. */
enum code_size { CODE16, CODE32, CODE64 };

struct bytes {
	u8 at[PEEK_BYTES];
	unsigned int nr;
	enum code_size code;
};

/* ---- where it is ------------------------------------------------------------------- */

/*
 * All that a fetch's walk and the reading of code depend on, but CR3 and memory: bits of CR0,
 * CR4, EFER at their places, which are different ones, and between them these. CPUID does not
 * change once the vCPU has run.
 */
#define MODE_CR0	X86_CR0_PG
#define MODE_CR4	(X86_CR4_PSE | X86_CR4_PAE | X86_CR4_LA57 | X86_CR4_SMEP)
#define MODE_EFER	(EFER_LMA | EFER_NX)
#define MODE_CODE	3
#define MODE_USER	BIT(2)
#define MODE_VALID	BIT(3)
static_assert(!(MODE_CR0 & MODE_CR4) && !((MODE_CR0 | MODE_CR4) & MODE_EFER) &&
	      !((MODE_CR0 | MODE_CR4 | MODE_EFER) & 15));

static enum code_size code_size(struct x86_vcpu *vcpu)
{
	int db, l;

	vendor_call(get_cs_db_l)(vcpu, &db, &l);
	if (l && x86_is_long_mode(vcpu))
		return CODE64;
	/* In real and virtual-8086 mode D is 0 unless the guest has made it otherwise. */
	return db ? CODE32 : CODE16;
}

static u32 mode_of(struct x86_vcpu *vcpu)
{
	u32 mode = MODE_VALID | code_size(vcpu);

	if (!x86_is_paging(vcpu))
		return mode;
	if (vendor_call(get_cpl)(vcpu) == 3)
		mode |= MODE_USER;
	return mode | MODE_CR0 | (x86_cr4(vcpu) & MODE_CR4) | (vcpu->efer & MODE_EFER);
}

static u64 linear_rip(struct x86_vcpu *vcpu, u32 mode)
{
	u64 rip = x86_rip_read(vcpu);

	if ((mode & MODE_CODE) == CODE64)
		return rip;
	return (u32)(rip + vendor_call(get_segment_base)(vcpu, X86_SEG_CS));
}

/* Do the guest's tables still lead there, and is it still the same? */
static bool same_words(const struct x86_peeked *e)
{
	const u64 __user *const *at = e->entry_at;
	const u64 *was = e->entry, *end = was + e->nr_entries;
	u64 now;

	/* Pointers, since an index would be checked by UBSAN, which must not be called there. */
	if (!user_access_begin(e->bytes_at, PEEK_BYTES))
		return false;
	for (; was < end; was++, at++) {
		unsafe_get_user(now, *at, out);
		if (now != *was)
			goto out;
	}
	unsafe_get_user(now, e->bytes_at, out);
	if (now != e->bytes[0])
		goto out;
	unsafe_get_user(now, e->bytes_at + 1, out);
	if (now != e->bytes[1])
		goto out;
	user_access_end();
	return true;
out:
	user_access_end();
	return false;
}

static bool is_current(struct x86_vcpu *vcpu, const struct x86_peeked *e, u64 linear, u32 mode)
{
	const struct kvm_memslots *slots = kvm_vcpu_memslots(&vcpu->core);
	bool same;

	if (e->linear != linear || e->mode != mode || e->slots != slots ||
	    e->generation != READ_ONCE(slots->generation) ||
	    ((mode & MODE_CR0) && e->cr3 != x86_cr3(vcpu)))
		return false;
	pagefault_disable();
	same = same_words(e);
	pagefault_enable();
	return same;
}

/* Where in the process it is; only what may be read in one piece of memory. */
static const u64 __user *uptr_of(const struct kvm_memslots *slots, gpa_t gpa)
{
	struct kvm_memory_slot *slot = kvm_find_slot((struct kvm_memslots *)slots, gpa_to_gfn(gpa));

	if (!kvm_slot_usable(slot))
		return NULL;
	return (const u64 __user *)(kvm_slot_hva(slot, gpa_to_gfn(gpa)) + offset_in_page(gpa));
}

/* With the bytes in hand. Entries of 4 bytes, and PDPTEs that are no memory, are not worth it. */
static void remember(struct x86_vcpu *vcpu, struct x86_peeked *e, const struct x86_walk *w,
		     u64 linear, u32 mode, const struct bytes *b)
{
	int i;

	if (b->nr < PEEK_BYTES || (w->mode.level && w->mode.level < 4))
		return;
	e->slots = kvm_vcpu_memslots(&vcpu->core);
	e->generation = READ_ONCE(e->slots->generation);
	for (i = 0; i < w->nr_steps; i++) {
		e->entry_at[i] = uptr_of(e->slots, w->steps[i].gpa);
		e->entry[i] = w->steps[i].entry;
		if (!e->entry_at[i])
			return;
	}
	e->nr_entries = w->nr_steps;
	e->bytes_at = uptr_of(e->slots, w->gpa);
	if (!e->bytes_at)
		return;
	memcpy(e->bytes, b->at, PEEK_BYTES);
	e->cr3 = w->mode.level ? w->cr3 : 0;
	e->linear = linear;
	e->mode = mode;
}

/* To the end of the page: an instruction that goes on behind it is for the emulator. */
static bool read_bytes(struct x86_vcpu *vcpu, struct x86_walk *w, u64 linear, u32 mode,
		       struct bytes *b)
{
	struct x86_fault_info fault;
	u32 access = X86_ACC_FETCH | (mode & MODE_USER ? X86_ACC_USER : 0);
	bool ok;

	/* Their PDPTEs may have to be read first, and that must not fail. */
	if (x86_is_pae_paging(vcpu) && !x86_reg_available(vcpu, X86_REG_PDPTRS))
		return false;
	b->code = mode & MODE_CODE;
	b->nr = min_t(unsigned int, PEEK_BYTES, PAGE_SIZE - offset_in_page(linear));
	pagefault_disable();
	x86_walk_init(w, vcpu, &fault);
	ok = !x86_walk(w, linear, access) &&
	     !kvm_vcpu_peek_guest(&vcpu->core, w->gpa, b->at, b->nr);
	pagefault_enable();
	return ok;
}

/* ---- what it is --------------------------------------------------------------------- */

static bool take(const struct bytes *b, struct x86_peek *p, unsigned int size, s32 *value)
{
	s32 v = 0;

	if (p->length + size > b->nr)
		return false;
	memcpy(&v, b->at + p->length, size);
	*value = size == 1 ? (s8)v : size == 2 ? (s16)v : v;
	p->length += size;
	return true;
}

/* ModRM, SIB, displacement (SDM 2A tables 2-1 to 2-3). */
static bool take_modrm(const struct bytes *b, struct x86_peek *p)
{
	unsigned int mod, rm, disp;

	if (p->length + 2 > b->nr)
		return false;
	p->modrm = b->at[p->length++];
	mod = p->modrm >> 6;
	rm = p->modrm & 7;
	if (mod == 3)
		return true;
	p->memory = true;
	if (p->addr16) {
		disp = mod ?: rm == 6 ? 2 : 0;
	} else {
		disp = mod == 1 ? 1 : mod == 2 ? 4 : 0;
		if (rm == 4) {
			p->sib = b->at[p->length++];
			rm = p->sib & 7;
		}
		if (!mod && rm == 5)
			disp = 4;
	}
	return !disp || take(b, p, disp, &p->disp);
}

static bool decode(const struct bytes *b, struct x86_peek *p)
{
	bool opsize = false, addrsize = false;
	unsigned int i;
	s32 imm;
	u8 byte;

	*p = (struct x86_peek) { .seg = X86_NR_SEGS, .code64 = b->code == CODE64 };
	for (i = 0; ; i++) {
		if (i == b->nr)
			return false;
		byte = b->at[i];
		switch (byte) {
		case 0x66:
			opsize = true;
			break;
		case 0x67:
			addrsize = true;
			break;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
			p->seg = (byte >> 3) & 3;
			break;
		case 0x64:
		case 0x65:
			p->seg = byte & 7;
			break;
		case 0x40 ... 0x4f:
			if (b->code != CODE64)
				return false;
			p->rex = byte;
			continue;
		default:
			goto opcode;
		}
		p->rex = 0;	/* one that isn't last has no effect */
	}
opcode:
	p->length = i + 1;
	p->opcode = byte;
	if (byte == 0x0f) {
		if (p->length >= b->nr)
			return false;
		p->opcode = X86_PEEK_0F(b->at[p->length++]);
	}
	p->addr16 = b->code != CODE64 && (b->code == CODE16) != addrsize;
	p->op_size = p->rex & 8 ? 8 : (b->code == CODE16) == opsize ? 4 : 2;

	switch (p->opcode) {
	case 0xf4:				/* HLT */
	case X86_PEEK_0F(0xa2):			/* CPUID */
	case X86_PEEK_0F(0x30):			/* WRMSR */
	case X86_PEEK_0F(0x32):			/* RDMSR */
		break;
	case X86_PEEK_0F(0x01):			/* VMCALL, XSETBV, VMMCALL */
		if (p->length >= b->nr)
			return false;
		p->opcode = X86_PEEK_0F01(b->at[p->length++]);
		if (p->opcode != X86_PEEK_0F01(0xc1) && p->opcode != X86_PEEK_0F01(0xd1) &&
		    p->opcode != X86_PEEK_0F01(0xd9))
			return false;
		break;
	case X86_PEEK_0F(0x20):			/* MOV from CR, to CR: mod is ignored */
	case X86_PEEK_0F(0x22):
		if (p->length >= b->nr)
			return false;
		p->modrm = b->at[p->length++];
		p->op_size = b->code == CODE64 ? 8 : 4;
		break;
	case 0x88:				/* MOV, 8 bits */
	case 0x8a:
	case 0xc6:
		p->op_size = 1;
		fallthrough;
	case 0x89:
	case 0x8b:
	case 0xc7:
	case X86_PEEK_0F(0xb6):			/* MOVZX, MOVSX */
	case X86_PEEK_0F(0xb7):
	case X86_PEEK_0F(0xbe):
	case X86_PEEK_0F(0xbf):
		if (!take_modrm(b, p))
			return false;
		if ((p->opcode & ~1) != 0xc6)
			break;
		if ((p->modrm & 0x38) || !take(b, p, min_t(u8, p->op_size, 4), &imm))
			return false;
		p->imm = imm;
		break;
	default:
		return false;
	}
	return p->length <= X86_EMULATOR_MAX_INSN_LEN;
}

/* Apart: kernels clear what a function has on its stack, and this is much. */
static noinline const struct x86_peek *look(struct x86_vcpu *vcpu, struct x86_peeked *e,
					    u64 linear, u32 mode)
{
	struct x86_walk w;
	struct bytes b;

	e->mode = 0;
	if (!read_bytes(vcpu, &w, linear, mode, &b) || !decode(&b, &e->insn))
		return NULL;
	remember(vcpu, e, &w, linear, mode, &b);
	return &e->insn;
}

const struct x86_peek *x86_peek_insn(struct x86_vcpu *vcpu)
{
	u32 mode = mode_of(vcpu);
	u64 linear = linear_rip(vcpu, mode);
	struct x86_peeked *e = &vcpu->peeked[(linear >> 2) & (X86_NR_PEEKED - 1)];

	if (likely(is_current(vcpu, e, linear, mode)))
		return &e->insn;
	return look(vcpu, e, linear, mode);
}
EXPORT_SYMBOL_GPL(x86_peek_insn);

/* The sum of the address, as far as it says something of the offset: 12 bits. */
unsigned int x86_peek_operand_offset(struct x86_vcpu *vcpu, const struct x86_peek *p)
{
	static const u8 base16[] = { X86_REG_RBX, X86_REG_RBX, X86_REG_RBP, X86_REG_RBP,
				     X86_REG_RSI, X86_REG_RDI, X86_REG_RBP, X86_REG_RBX };
	unsigned int mod = p->modrm >> 6, rm = p->modrm & 7, base = rm;
	unsigned int seg = X86_SEG_DS;
	u32 sum = p->disp;

	if (p->addr16) {
		if (mod || rm != 6) {
			sum += x86_reg_read(vcpu, base16[rm]);
			if (rm < 4)
				sum += x86_reg_read(vcpu, rm & 1 ? X86_REG_RDI : X86_REG_RSI);
			if (base16[rm] == X86_REG_RBP)
				seg = X86_SEG_SS;
		}
	} else {
		if (rm == 4) {
			unsigned int index = ((p->sib >> 3) & 7) | (p->rex & 2) << 2;

			base = p->sib & 7;
			if (index != X86_REG_RSP)
				sum += (u32)x86_reg_read(vcpu, index) << (p->sib >> 6);
		}
		if (mod || base != 5) {
			sum += x86_reg_read(vcpu, base | (p->rex & 1) << 3);
			if (base == X86_REG_RSP || base == X86_REG_RBP)
				seg = X86_SEG_SS;
		} else if (p->code64 && rm == 5) {
			sum += x86_rip_read(vcpu) + p->length;
		}
	}
	if (p->seg != X86_NR_SEGS)
		seg = p->seg;
	if (!p->code64 || seg >= X86_SEG_FS)
		sum += vendor_call(get_segment_base)(vcpu, seg);
	return sum & ~PAGE_MASK;
}

u64 x86_peek_next_rip(struct x86_vcpu *vcpu, const struct x86_peek *p)
{
	u64 next = x86_rip_read(vcpu) + p->length;

	return p->code64 ? next : (u32)next;
}
EXPORT_SYMBOL_GPL(x86_peek_next_rip);

/* ---- MOV --------------------------------------------------------------------------- */

unsigned int x86_peek_access(const struct x86_peek *p, bool write)
{
	bool store = p->opcode == 0x88 || p->opcode == 0x89 || p->opcode == 0xc6 ||
		     p->opcode == 0xc7;

	if (!p->memory || store != write)
		return 0;
	switch (p->opcode) {
	case X86_PEEK_0F(0xb6):
	case X86_PEEK_0F(0xbe):
		return 1;
	case X86_PEEK_0F(0xb7):
	case X86_PEEK_0F(0xbf):
		return 2;
	}
	return p->op_size;
}

/* AH, CH, DH, BH: bytes 1 of registers 0 to 3, without REX (SDM 2A table 2-2). */
static bool is_high_byte(const struct x86_peek *p)
{
	return (p->opcode == 0x88 || p->opcode == 0x8a) && !p->rex && (p->modrm & 0x20);
}

u64 x86_peek_stored(struct x86_vcpu *vcpu, const struct x86_peek *p)
{
	unsigned int reg = x86_peek_reg(p);

	if ((p->opcode & ~1) == 0xc6)
		return p->imm;
	if (is_high_byte(p))
		return x86_reg_read(vcpu, reg & 3) >> 8;
	return x86_reg_read(vcpu, reg);
}

void x86_peek_load(struct x86_vcpu *vcpu, const struct x86_peek *p, u64 val)
{
	unsigned int reg = x86_peek_reg(p);

	switch (p->opcode) {
	case X86_PEEK_0F(0xbe):
		val = (s8)val;
		break;
	case X86_PEEK_0F(0xbf):
		val = (s16)val;
		break;
	}
	if (is_high_byte(p)) {
		reg &= 3;
		x86_reg_write(vcpu, reg, (x86_reg_read(vcpu, reg) & ~0xff00ULL) | (val & 0xff) << 8);
		return;
	}
	x86_write_sized(vcpu, reg, val, p->op_size);
}
