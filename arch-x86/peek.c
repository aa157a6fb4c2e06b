// SPDX-License-Identifier: GPL-2.0-only
/*
 * A look at the intercepted instruction: its bytes, if they can be read without
 * sleeping, and the few encodings that exits are made of (SDM 2A 2.1). A CPU that saves
 * the next RIP and the bytes at an exit needs this for MMIO only. Does nothing that the
 * instruction does, and raises nothing: whatever is unusual is the emulator's.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "arch-x86/peek.h"
#include "arch-x86/regs.h"
#include "arch-x86/vendor_call.h"

#define PEEK_BYTES	16	/* the longest instruction, and one that is never looked at */

/* How code is read: CS.L in long mode, else CS.D. */
enum code_size { CODE16, CODE32, CODE64 };

struct bytes {
	u8 at[PEEK_BYTES];
	unsigned int nr;
	enum code_size code;
};

static enum code_size code_size(struct x86_vcpu *vcpu)
{
	int db, l;

	vendor_call(get_cs_db_l)(vcpu, &db, &l);
	if (l && x86_is_long_mode(vcpu))
		return CODE64;
	/* In real and virtual-8086 mode D is 0 unless the guest has made it otherwise. */
	return db ? CODE32 : CODE16;
}

/* To the end of the page: an instruction that goes on behind it is for the emulator. */
static bool read_bytes(struct x86_vcpu *vcpu, struct bytes *b)
{
	struct x86_fault_info fault;
	u32 access = X86_ACC_FETCH;
	u64 linear;
	gpa_t gpa;
	bool ok;

	b->code = code_size(vcpu);
	linear = x86_rip_read(vcpu);
	if (b->code != CODE64)
		linear = (u32)(linear + vendor_call(get_segment_base)(vcpu, X86_SEG_CS));
	gpa = linear;
	/* Their PDPTEs may have to be read first, and that must not fail. */
	if (x86_is_pae_paging(vcpu) && !x86_reg_available(vcpu, X86_REG_PDPTRS))
		return false;
	pagefault_disable();
	if (x86_is_paging(vcpu)) {
		if (vendor_call(get_cpl)(vcpu) == 3)
			access |= X86_ACC_USER;
		gpa = x86_gva_to_gpa(vcpu, linear, access, &fault);
	}
	b->nr = min_t(unsigned int, PEEK_BYTES, PAGE_SIZE - offset_in_page(gpa));
	ok = gpa != INVALID_GPA && !kvm_vcpu_peek_guest(&vcpu->core, gpa, b->at, b->nr);
	pagefault_enable();
	return ok;
}

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

	*p = (struct x86_peek) { .seg = X86_NR_SEGS };
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

bool x86_peek_insn(struct x86_vcpu *vcpu, struct x86_peek *p)
{
	struct bytes b;

	return read_bytes(vcpu, &b) && decode(&b, p);
}
EXPORT_SYMBOL_GPL(x86_peek_insn);

/* The sum of the address, as far as it says something of the offset: 12 bits. */
unsigned int x86_peek_operand_offset(struct x86_vcpu *vcpu, const struct x86_peek *p)
{
	static const u8 base16[] = { X86_REG_RBX, X86_REG_RBX, X86_REG_RBP, X86_REG_RBP,
				     X86_REG_RSI, X86_REG_RDI, X86_REG_RBP, X86_REG_RBX };
	unsigned int mod = p->modrm >> 6, rm = p->modrm & 7, base = rm;
	unsigned int seg = X86_SEG_DS;
	bool code64 = code_size(vcpu) == CODE64;
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
		} else if (code64 && rm == 5) {
			sum += x86_rip_read(vcpu) + p->length;
		}
	}
	if (p->seg != X86_NR_SEGS)
		seg = p->seg;
	if (!code64 || seg >= X86_SEG_FS)
		sum += vendor_call(get_segment_base)(vcpu, seg);
	return sum & ~PAGE_MASK;
}

u64 x86_peek_next_rip(struct x86_vcpu *vcpu, const struct x86_peek *p)
{
	u64 next = x86_rip_read(vcpu) + p->length;

	return x86_is_64bit_mode(vcpu) ? next : (u32)next;
}
EXPORT_SYMBOL_GPL(x86_peek_next_rip);
