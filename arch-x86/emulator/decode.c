// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes to a decoded instruction: fetch, prefixes, table lookup, ModRM, SIB,
 * displacement, immediates, and what makes an encoding #UD before anything is
 * executed (SDM 2A 2, APM 3 1). Reads no operand and no register.
 */
#include "internal.h"

#define NO_REG	0xff

/* CR0, CR2, CR3, CR4, CR8; all others are #UD (SDM 2B MOV control registers). */
#define VALID_CRS	0x11d

/*
 * Read more of the instruction: to the end of its page, of the segment, or of
 * the 15 bytes, whichever is first. One fetch does for most instructions.
 */
static int fetch_more(struct x86_emulator *ctx)
{
	struct x86_emulator_decoded *insn = &ctx->insn;
	u64 offset = ctx->rip + insn->nr_bytes;
	u32 access = X86_EMULATOR_FETCH | (ctx->cpl == 3 ? X86_EMULATOR_USER : 0);
	u64 linear;
	unsigned int len;
	int r;

	len = X86_EMULATOR_MAX_INSN_LEN - insn->nr_bytes;
	if (!len)
		return emul_gp(ctx, 0);	/* SDM 2A 2.3.11 */

	if (emul_is_64(ctx)) {
		linear = offset;
		if (!emul_canonical(ctx, linear))
			return emul_gp(ctx, 0);
	} else {
		const struct x86_emulator_segment *cs = emul_segment(ctx, CS);

		offset = (u32)offset;
		if (offset > cs->limit)
			return emul_gp(ctx, 0);
		if (len > (u64)cs->limit + 1 - offset)
			len = (u64)cs->limit + 1 - offset;
		linear = (u32)(cs->base + offset);
	}

	if (len > 4096 - (linear & 4095))
		len = 4096 - (linear & 4095);

	r = ctx->ops->read(ctx, linear, insn->bytes + insn->nr_bytes, len, access);
	if (r == EMUL_OK)
		insn->nr_bytes += len;
	return r;
}

/* The next @n (1 to 8) bytes, little endian. */
static int fetch(struct x86_emulator *ctx, unsigned int n, u64 *value)
{
	struct x86_emulator_decoded *insn = &ctx->insn;
	unsigned int i;

	while (insn->length + n > insn->nr_bytes) {
		int r = fetch_more(ctx);

		if (r != EMUL_OK)
			return r;
	}
	*value = 0;
	for (i = 0; i < n; i++)
		*value |= (u64)insn->bytes[insn->length++] << (8 * i);
	return EMUL_OK;
}

static int fetch_byte(struct x86_emulator *ctx, u8 *byte)
{
	u64 value;
	int r = fetch(ctx, 1, &value);

	*byte = value;
	return r;
}

/* The next byte without consuming it. */
static int peek_byte(struct x86_emulator *ctx, u8 *byte)
{
	int r = fetch_byte(ctx, byte);

	if (r == EMUL_OK)
		ctx->insn.length--;
	return r;
}

static void default_sizes(struct x86_emulator *ctx)
{
	struct x86_emulator_decoded *insn = &ctx->insn;

	switch (ctx->mode) {
	case X86_EMULATOR_REAL:
	case X86_EMULATOR_VM86:
	case X86_EMULATOR_PROT16:
		insn->op_size = 2;
		insn->addr_size = 2;
		break;
	case X86_EMULATOR_PROT32:
		insn->op_size = 4;
		insn->addr_size = 4;
		break;
	case X86_EMULATOR_PROT64:
		insn->op_size = 4;
		insn->addr_size = 8;
		break;
	}
}

/*
 * Legacy and REX prefixes; @opcode is the first byte that is none. A REX that
 * isn't last has no effect (SDM 2A 2.2.1).
 */
static int decode_prefixes(struct x86_emulator *ctx, u8 *opcode)
{
	struct x86_emulator_decoded *insn = &ctx->insn;

	for (;;) {
		int r = fetch_byte(ctx, opcode);

		if (r != EMUL_OK)
			return r;

		switch (*opcode) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
			/* Null prefixes in 64 bit mode, even behind FS or GS. */
			if (!emul_is_64(ctx))
				insn->seg_override = (*opcode >> 3) & 3;
			break;
		case 0x64:
		case 0x65:
			insn->seg_override = *opcode & 7;
			break;
		case 0x66:
			insn->opsize_prefix = true;
			break;
		case 0x67:
			insn->addrsize_prefix = true;
			break;
		case 0xf0:
			insn->lock = true;
			break;
		case 0xf2:
		case 0xf3:
			insn->rep = *opcode;
			break;
		default:
			if (!emul_is_64(ctx) || (*opcode & 0xf0) != 0x40)
				return EMUL_OK;
			insn->rex = *opcode;
			continue;
		}
		insn->rex = 0;
	}
}

static const struct x86_emulator_opcode *vex_row(const struct x86_emulator_decoded *insn)
{
	switch (insn->map) {
	case 1:
		return &emul_table_vex_0f[insn->opcode];
	case 2:
		return &emul_table_vex_0f38[insn->opcode];
	case 3:
		return &emul_table_vex_0f3a[insn->opcode];
	}
	return NULL;
}

/*
 * EVEX (SDM 2A 2.7): plain moves only, so no masks, broadcasts and rounding; in 64 bit
 * mode, whose programs' memcpy() uses it.
 */
static int decode_evex(struct x86_emulator *ctx)
{
	static const u8 pp_rep[4] = { 0, 0, 0xf3, 0xf2 };
	struct x86_emulator_decoded *insn = &ctx->insn;
	u64 p;
	u8 p0, p1, p2;
	int r;

	insn->evex = true;
	if (!emul_is_64(ctx))
		return EMUL_UNHANDLEABLE;
	if (insn->opsize_prefix || insn->rep || insn->lock || insn->rex)
		return emul_ud(ctx);
	r = fetch(ctx, 3, &p);
	if (r == EMUL_OK)
		r = fetch_byte(ctx, &insn->opcode);
	if (r != EMUL_OK)
		return r;
	p0 = p;
	p1 = p >> 8;
	p2 = p >> 16;
	insn->map = p0 & 7;
	if ((p0 & 8) || !(p1 & 4))
		return emul_ud(ctx);
	if ((insn->map != 1 && insn->map != 2) || (p2 & 0x97) || (p2 & 0x60) == 0x60)
		return EMUL_UNHANDLEABLE;
	insn->rex = 0x40 | ((~p0 >> 5) & 7) | (p1 & 0x80) >> 4;
	insn->evex_reg = ~p0 & 0x10;
	insn->evex_rm = (insn->rex & 2) << 3;
	insn->vvvv = ((~p1 >> 3) & 15) | ((~p2 & 8) << 1);
	insn->vex = 1 + ((p2 >> 5) & 3);
	insn->opsize_prefix = (p1 & 3) == 1;
	insn->rep = pp_rep[p1 & 3];
	insn->op = insn->map == 1 ? &emul_table_evex_0f[insn->opcode] :
				    &emul_table_evex_0f38[insn->opcode];
	return EMUL_OK;
}

/* A displacement of one byte counts in units of the operand (SDM 2A 2.7.5). */
static void scale_displacement(struct x86_emulator_decoded *insn)
{
	unsigned int i;

	for (i = 0; insn->modrm >> 6 == 1 && i < 4; i++) {
		if (insn->operand[i].kind == X86_EMULATOR_OPERAND_MEMORY)
			insn->displacement *= insn->operand[i].size;
	}
}

/* VEX C4 and C5 (SDM 2A 2.3.5); @opcode says which. */
static int decode_vex(struct x86_emulator *ctx, u8 opcode)
{
	static const u8 pp_rep[4] = { 0, 0, 0xf3, 0xf2 };
	struct x86_emulator_decoded *insn = &ctx->insn;
	u8 p0, p1;
	int r;

	if (insn->opsize_prefix || insn->rep || insn->lock || insn->rex)
		return emul_ud(ctx);

	r = fetch_byte(ctx, &p0);
	if (r != EMUL_OK)
		return r;
	if (opcode == 0xc4) {
		r = fetch_byte(ctx, &p1);
		if (r != EMUL_OK)
			return r;
		insn->map = p0 & 0x1f;
		insn->rex = (~p0 >> 5) & 7;		/* R X B, inverted */
		insn->rex |= (p1 & 0x80) >> 4;		/* W */
	} else {
		p1 = p0;
		insn->map = 1;
		insn->rex = (~p0 >> 5) & 4;
	}
	insn->rex |= 0x40;
	insn->vvvv = (~p1 >> 3) & 15;
	insn->vex = 1 + ((p1 >> 2) & 1);
	insn->opsize_prefix = (p1 & 3) == 1;
	insn->rep = pp_rep[p1 & 3];
	/* Only eight registers; W is ignored, but selects rows. */
	if (!emul_is_64(ctx))
		insn->rex &= 0x48;

	r = fetch_byte(ctx, &insn->opcode);
	if (r != EMUL_OK)
		return r;
	insn->op = vex_row(insn);
	return insn->op ? EMUL_OK : emul_ud(ctx);
}

/* All opcode bytes; sets insn->op to the table's row. */
static int decode_opcode(struct x86_emulator *ctx)
{
	struct x86_emulator_decoded *insn = &ctx->insn;
	u8 next;
	int r;

	r = decode_prefixes(ctx, &insn->opcode);
	if (r != EMUL_OK)
		return r;

	/*
	 * C4, C5 and 62 are LES, LDS and BOUND outside 64 bit mode, unless what
	 * follows would be a register form.
	 */
	if (insn->opcode == 0xc4 || insn->opcode == 0xc5 || insn->opcode == 0x62) {
		bool prefix = emul_is_64(ctx);

		if (!prefix && emul_is_protected(ctx)) {
			r = peek_byte(ctx, &next);
			if (r != EMUL_OK)
				return r;
			prefix = next >= 0xc0;
		}
		if (prefix && insn->opcode == 0x62)
			return decode_evex(ctx);
		if (prefix)
			return decode_vex(ctx, insn->opcode);
	}

	insn->op = &emul_table_one[insn->opcode];
	if (insn->opcode != 0x0f)
		return EMUL_OK;

	r = fetch_byte(ctx, &insn->opcode);
	if (r != EMUL_OK)
		return r;
	insn->map = 1;
	insn->op = &emul_table_0f[insn->opcode];
	if (insn->opcode != 0x38 && insn->opcode != 0x3a)
		return EMUL_OK;

	insn->map = insn->opcode == 0x38 ? 2 : 3;
	r = fetch_byte(ctx, &insn->opcode);
	insn->op = insn->map == 2 ? &emul_table_0f38[insn->opcode] :
				    &emul_table_0f3a[insn->opcode];
	return r;
}

static int need_modrm(struct x86_emulator *ctx)
{
	if (ctx->insn.has_modrm)
		return EMUL_OK;
	ctx->insn.has_modrm = true;
	return fetch_byte(ctx, &ctx->insn.modrm);
}

/* Follow the table's rows to the one that is an instruction. */
static int decode_row(struct x86_emulator *ctx)
{
	struct x86_emulator_decoded *insn = &ctx->insn;
	unsigned int i;
	int r;

	for (;;) {
		switch (insn->op->kind) {
		case OPCODE_INSN:
			return EMUL_OK;
		case OPCODE_UD:
			return emul_ud(ctx);
		case OPCODE_REG:
			r = need_modrm(ctx);
			i = (insn->modrm >> 3) & 7;
			break;
		case OPCODE_MODREG:
			r = need_modrm(ctx);
			i = ((insn->modrm >> 3) & 7) + (insn->modrm >= 0xc0 ? 8 : 0);
			break;
		case OPCODE_RM:
			r = need_modrm(ctx);
			i = insn->modrm & 7;
			break;
		case OPCODE_PREFIX:
			r = EMUL_OK;
			i = insn->rep ? (insn->rep == 0xf3 ? 2 : 3) : insn->opsize_prefix;
			break;
		case OPCODE_MODE:
			r = EMUL_OK;
			i = emul_is_64(ctx);
			break;
		default:
			return EMUL_UNHANDLEABLE;
		}
		if (r != EMUL_OK)
			return r;
		insn->op = &insn->op->sub[i];
	}
}

/* Operand and address size (SDM 1 3.6, APM 3 1.2.2). */
static void decode_sizes(struct x86_emulator *ctx)
{
	struct x86_emulator_decoded *insn = &ctx->insn;
	u32 flags = insn->op->flags;

	if (insn->addrsize_prefix)
		insn->addr_size = insn->addr_size == 4 ? 2 : 4;

	if (emul_is_64(ctx)) {
		bool intel = emul_has(ctx, X86_EMULATOR_FEAT_INTEL);

		if ((flags & ROW_BRANCH64) && (intel || !insn->opsize_prefix))
			insn->op_size = 8;
		else if (insn->rex & 8)
			insn->op_size = 8;
		else if (insn->opsize_prefix)
			insn->op_size = 2;
		else if (flags & ROW_DEF64)
			insn->op_size = 8;
	} else if (insn->opsize_prefix) {
		insn->op_size = insn->op_size == 4 ? 2 : 4;
	}
}

/* 16 bit addressing forms (SDM 2A table 2-1). */
static int decode_mem16(struct x86_emulator *ctx)
{
	static const u8 bases[8] = { RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX };
	static const u8 indexes[8] = {
		RSI, RDI, RSI, RDI, NO_REG, NO_REG, NO_REG, NO_REG,
	};
	struct x86_emulator_decoded *insn = &ctx->insn;
	u8 mod = insn->modrm >> 6, rm = insn->modrm & 7;
	unsigned int disp = mod;
	u64 value;
	int r;

	insn->base = bases[rm];
	insn->index = indexes[rm];
	if (mod == 0 && rm == 6) {
		insn->base = NO_REG;
		disp = 2;
	}
	if (!disp)
		return EMUL_OK;
	r = fetch(ctx, disp, &value);
	insn->displacement = emul_sign_extend(value, disp);
	return r;
}

/* 32 and 64 bit addressing forms (SDM 2A tables 2-2, 2-3). */
static int decode_mem32(struct x86_emulator *ctx)
{
	struct x86_emulator_decoded *insn = &ctx->insn;
	u8 mod = insn->modrm >> 6, rm = insn->modrm & 7;
	unsigned int disp = mod == 2 ? 4 : mod;
	u64 value;
	int r;

	if (rm == 4) {
		r = fetch_byte(ctx, &insn->sib);
		if (r != EMUL_OK)
			return r;
		insn->base = (insn->sib & 7) | (insn->rex & 1) << 3;
		insn->index = ((insn->sib >> 3) & 7) | (insn->rex & 2) << 2;
		insn->scale = insn->sib >> 6;
		if (insn->index == RSP && !(insn->op->flags & ROW_VSIB))
			insn->index = NO_REG;
		if ((insn->sib & 7) == RBP && mod == 0) {
			insn->base = NO_REG;
			disp = 4;
		}
	} else if (rm == RBP && mod == 0) {
		insn->rip_relative = emul_is_64(ctx);
		disp = 4;
	} else {
		insn->base = rm | (insn->rex & 1) << 3;
	}
	if (!disp)
		return EMUL_OK;
	r = fetch(ctx, disp, &value);
	insn->displacement = emul_sign_extend(value, disp);
	return r;
}

static int decode_modrm(struct x86_emulator *ctx)
{
	struct x86_emulator_decoded *insn = &ctx->insn;
	int r = need_modrm(ctx);
	unsigned int i;

	if (r != EMUL_OK || insn->modrm >= 0xc0)
		return r;
	/* MOV CR, DR: registers whatever mod says (SDM 2B MOV control registers). */
	for (i = 0; i < 2; i++) {
		if ((insn->op->operand[i] & 0xff) == WHERE_RM_GPR)
			return EMUL_OK;
	}
	if (insn->op->flags & ROW_VSIB) {
		/* A vector of indexes needs a SIB byte (SDM 2A 2.3.12). */
		if ((insn->modrm & 7) != 4 || insn->addr_size == 2)
			return emul_ud(ctx);
	}
	return insn->addr_size == 2 ? decode_mem16(ctx) : decode_mem32(ctx);
}

static unsigned int operand_size(const struct x86_emulator *ctx, unsigned int spec)
{
	const struct x86_emulator_decoded *insn = &ctx->insn;

	switch (spec >> 8) {
	case SIZE_1:
		return 1;
	case SIZE_2:
		return 2;
	case SIZE_4:
		return 4;
	case SIZE_8:
		return 8;
	case SIZE_10:
		return 10;
	case SIZE_16:
		return 16;
	case SIZE_V:
		return insn->op_size;
	case SIZE_Z:
		return insn->op_size == 2 ? 2 : 4;
	case SIZE_Y:
		return emul_is_64(ctx) && (insn->rex & 8) ? 8 : 4;
	case SIZE_X:
		return insn->vex ? 8 << insn->vex : 16;
	case SIZE_P:
		return insn->op_size + 2;
	case SIZE_2V:
		return insn->modrm >= 0xc0 ? insn->op_size : 2;
	case SIZE_NATIVE:
		return emul_is_64(ctx) ? 8 : 4;
	}
	return 0;
}

/* SP and BP based addresses are in SS, all others in DS (SDM 1 3.7.4). */
static u8 default_segment(const struct x86_emulator_decoded *insn)
{
	if (insn->seg_override >= 0)
		return insn->seg_override;
	return insn->base == RSP || insn->base == RBP ? SS : DS;
}

static void set_gpr_operand(const struct x86_emulator_decoded *insn,
			    struct x86_emulator_operand *operand, u8 reg)
{
	operand->kind = X86_EMULATOR_OPERAND_GPR;
	operand->reg = reg;
	/* Without REX, byte registers 4 to 7 are AH, CH, DH, BH. */
	if (operand->size == 1 && !insn->rex && reg >= 4 && reg < 8) {
		operand->kind = X86_EMULATOR_OPERAND_GPR_HIGH;
		operand->reg = reg - 4;
	}
}

static void set_memory_operand(const struct x86_emulator_decoded *insn,
			       struct x86_emulator_operand *operand)
{
	operand->kind = X86_EMULATOR_OPERAND_MEMORY;
	operand->seg = default_segment(insn);
}

static int fetch_immediate(struct x86_emulator *ctx,
			   struct x86_emulator_operand *operand, bool sign)
{
	int r = fetch(ctx, operand->size, &operand->value);

	operand->kind = X86_EMULATOR_OPERAND_IMMEDIATE;
	if (sign)
		operand->value = emul_sign_extend(operand->value, operand->size);
	return r;
}

/* Operands that ModRM's r/m names: a register of some file, or memory. */
static int decode_rm_operand(struct x86_emulator *ctx, unsigned int where,
			     struct x86_emulator_operand *operand)
{
	struct x86_emulator_decoded *insn = &ctx->insn;
	bool memory = insn->modrm < 0xc0;
	u8 reg = (insn->modrm & 7) | (insn->rex & 1) << 3;

	switch (where) {
	case WHERE_RM_MEM:
		if (!memory)
			return emul_ud(ctx);
		break;
	case WHERE_RM_REG:
	case WHERE_VRM_REG:
	case WHERE_MRM_REG:
		if (memory)
			return emul_ud(ctx);
		break;
	case WHERE_RM_GPR:
		memory = false;
		break;
	}
	if (memory) {
		set_memory_operand(insn, operand);
		return EMUL_OK;
	}
	switch (where) {
	case WHERE_VRM:
	case WHERE_VRM_REG:
		operand->kind = X86_EMULATOR_OPERAND_VECTOR;
		operand->reg = reg | insn->evex_rm;
		break;
	case WHERE_MRM:
	case WHERE_MRM_REG:
		operand->kind = X86_EMULATOR_OPERAND_MMX;
		operand->reg = reg & 7;
		break;
	default:
		set_gpr_operand(insn, operand, reg);
	}
	return EMUL_OK;
}

/* Operands that ModRM's reg field names. */
static int decode_reg_operand(struct x86_emulator *ctx, unsigned int where,
			      struct x86_emulator_operand *operand)
{
	struct x86_emulator_decoded *insn = &ctx->insn;
	u8 field = (insn->modrm >> 3) & 7;
	u8 reg = field | (insn->rex & 4) << 1;

	operand->reg = reg;
	switch (where) {
	case WHERE_REG:
		set_gpr_operand(insn, operand, reg);
		break;
	case WHERE_SEG:
		operand->kind = X86_EMULATOR_OPERAND_SEGMENT;
		operand->reg = field;
		/* CS can be stored (8C), not loaded (8E). */
		if (field > GS || (field == CS && insn->opcode == 0x8e))
			return emul_ud(ctx);
		break;
	case WHERE_CR:
		operand->kind = X86_EMULATOR_OPERAND_CR;
		/* LOCK MOV CR0 is CR8 where REX can't say so (APM 3 MOV CRn). */
		if (insn->lock && reg == 0 && !emul_has(ctx, X86_EMULATOR_FEAT_INTEL)) {
			operand->reg = 8;
			insn->lock = false;
		}
		if (operand->reg > 8 || !((1 << operand->reg) & VALID_CRS))
			return emul_ud(ctx);
		break;
	case WHERE_DR:
		operand->kind = X86_EMULATOR_OPERAND_DR;
		if (reg > 7)
			return emul_ud(ctx);
		break;
	case WHERE_VREG:
		operand->kind = X86_EMULATOR_OPERAND_VECTOR;
		operand->reg |= insn->evex_reg;
		break;
	case WHERE_MREG:
		operand->kind = X86_EMULATOR_OPERAND_MMX;
		operand->reg = field;
		break;
	}
	return EMUL_OK;
}

static int decode_operand(struct x86_emulator *ctx, unsigned int n)
{
	struct x86_emulator_decoded *insn = &ctx->insn;
	struct x86_emulator_operand *operand = &insn->operand[n];
	unsigned int where = insn->op->operand[n] & 0xff;
	u64 value;
	int r;

	operand->size = operand_size(ctx, insn->op->operand[n]);
	switch (where) {
	case WHERE_RM:
	case WHERE_RM_MEM:
	case WHERE_RM_REG:
	case WHERE_RM_GPR:
	case WHERE_VRM:
	case WHERE_VRM_REG:
	case WHERE_MRM:
	case WHERE_MRM_REG:
		return decode_rm_operand(ctx, where, operand);
	case WHERE_REG:
	case WHERE_SEG:
	case WHERE_CR:
	case WHERE_DR:
	case WHERE_VREG:
	case WHERE_MREG:
		return decode_reg_operand(ctx, where, operand);
	case WHERE_OPCODE:
		set_gpr_operand(insn, operand, (insn->opcode & 7) | (insn->rex & 1) << 3);
		return EMUL_OK;
	case WHERE_VVVV:
		set_gpr_operand(insn, operand, emul_vvvv(ctx));
		return EMUL_OK;
	case WHERE_ACC:
		operand->kind = X86_EMULATOR_OPERAND_GPR;
		operand->reg = RAX;
		return EMUL_OK;
	case WHERE_CL:
		operand->kind = X86_EMULATOR_OPERAND_GPR;
		operand->reg = RCX;
		return EMUL_OK;
	case WHERE_DX:
		operand->kind = X86_EMULATOR_OPERAND_GPR;
		operand->reg = RDX;
		return EMUL_OK;
	case WHERE_ONE:
		operand->kind = X86_EMULATOR_OPERAND_IMMEDIATE;
		operand->value = 1;
		return EMUL_OK;
	case WHERE_IMM:
		return fetch_immediate(ctx, operand, false);
	case WHERE_SIMM:
	case WHERE_REL:
		return fetch_immediate(ctx, operand, true);
	case WHERE_MOFFS:
		set_memory_operand(insn, operand);
		r = fetch(ctx, insn->addr_size, &value);
		insn->displacement = value;
		return r;
	case WHERE_FAR:
		operand->kind = X86_EMULATOR_OPERAND_IMMEDIATE;
		r = fetch(ctx, insn->op_size, &operand->value);
		if (r != EMUL_OK)
			return r;
		r = fetch(ctx, 2, &value);
		insn->displacement = value;	/* the selector */
		return r;
	case WHERE_ES:
	case WHERE_CS:
	case WHERE_SS:
	case WHERE_DS:
	case WHERE_FS:
	case WHERE_GS:
		operand->kind = X86_EMULATOR_OPERAND_SEGMENT;
		operand->reg = where - WHERE_ES + ES;
		return EMUL_OK;
	case WHERE_SI:
		operand->kind = X86_EMULATOR_OPERAND_MEMORY;
		operand->seg = insn->seg_override >= 0 ? insn->seg_override : DS;
		operand->reg = RSI;
		return EMUL_OK;
	case WHERE_DI:
		operand->kind = X86_EMULATOR_OPERAND_MEMORY;
		operand->seg = ES;
		operand->reg = RDI;
		return EMUL_OK;
	}
	return EMUL_UNHANDLEABLE;
}

static bool wants_modrm(const struct x86_emulator_opcode *op)
{
	unsigned int i;

	if (op->flags & ROW_MODRM)
		return true;
	for (i = 0; i < 4; i++) {
		switch (op->operand[i] & 0xff) {
		case WHERE_RM:
		case WHERE_RM_MEM:
		case WHERE_RM_REG:
		case WHERE_RM_GPR:
		case WHERE_REG:
		case WHERE_SEG:
		case WHERE_CR:
		case WHERE_DR:
		case WHERE_VREG:
		case WHERE_VRM:
		case WHERE_VRM_REG:
		case WHERE_MREG:
		case WHERE_MRM:
		case WHERE_MRM_REG:
			return true;
		}
	}
	return false;
}

/* Is this opcode undefined in this mode? */
static int check_mode(struct x86_emulator *ctx)
{
	u32 flags = ctx->insn.op->flags;

	if (((flags & ROW_NO64) && emul_is_64(ctx)) ||
	    ((flags & ROW_ONLY64) && !emul_is_64(ctx)) ||
	    ((flags & ROW_PROT) && !emul_is_protected(ctx)))
		return emul_ud(ctx);
	return EMUL_OK;
}

static bool vex_valid(const struct x86_emulator_decoded *insn, u32 flags)
{
	bool vvvv = (flags & ROW_VVVV) ||
		    ((flags & ROW_VVVV_REG) && insn->modrm >= 0xc0);

	if (!vvvv && insn->vvvv)
		return false;
	if (((flags & ROW_L0) && insn->vex != 1) || ((flags & ROW_L1) && insn->vex == 1))
		return false;
	if (((flags & ROW_W0) && (insn->rex & 8)) || ((flags & ROW_W1) && !(insn->rex & 8)))
		return false;
	return true;
}

/* Do these prefixes make it undefined? */
static int check_prefixes(struct x86_emulator *ctx)
{
	const struct x86_emulator_decoded *insn = &ctx->insn;
	u32 flags = insn->op->flags;

	if (insn->lock && (!(flags & ROW_LOCK) ||
			   insn->operand[0].kind != X86_EMULATOR_OPERAND_MEMORY))
		return emul_ud(ctx);
	if (insn->vex)
		return vex_valid(insn, flags) ? EMUL_OK : emul_ud(ctx);
	if (insn->rep && (flags & (ROW_NO_PREFIX | ROW_NO_F3F2)))
		return emul_ud(ctx);
	if (insn->opsize_prefix && (flags & (ROW_NO_PREFIX | ROW_NO66)))
		return emul_ud(ctx);
	return EMUL_OK;
}

void x86_emulator_begin(struct x86_emulator *ctx, const u8 *bytes, unsigned int nr_bytes)
{
	if (nr_bytes > X86_EMULATOR_MAX_INSN_LEN)
		nr_bytes = X86_EMULATOR_MAX_INSN_LEN;
	emul_forget(ctx);
	memset(&ctx->insn, 0, sizeof(ctx->insn));
	if (bytes && nr_bytes) {
		memcpy(ctx->insn.bytes, bytes, nr_bytes);
		ctx->insn.nr_bytes = nr_bytes;
	}
	ctx->io_pending = false;
	ctx->repeating = false;
	ctx->interrupt_shadow = 0;
	ctx->trap_dr6 = 0;
	ctx->exception.nested_page_fault = false;
}

int x86_emulator_decode(struct x86_emulator *ctx)
{
	struct x86_emulator_decoded *insn = &ctx->insn;
	unsigned int i;
	int r;

	insn->seg_override = -1;
	insn->base = NO_REG;
	insn->index = NO_REG;
	default_sizes(ctx);

	r = decode_opcode(ctx);
	if (r != EMUL_OK)
		return r;
	r = decode_row(ctx);
	if (r != EMUL_OK)
		return r;
	r = check_mode(ctx);
	if (r != EMUL_OK)
		return r;
	insn->id = insn->op->id;
	decode_sizes(ctx);
	if (insn->has_modrm || wants_modrm(insn->op)) {
		r = decode_modrm(ctx);
		if (r != EMUL_OK)
			return r;
	}
	for (i = 0; i < 4 && insn->op->operand[i]; i++) {
		r = decode_operand(ctx, i);
		if (r != EMUL_OK)
			return r;
	}
	if (insn->evex)
		scale_displacement(insn);
	return check_prefixes(ctx);
}
