// SPDX-License-Identifier: GPL-2.0-only
/*
 * SSE, AVX and MMX instructions that only move: what drivers use on MMIO. The
 * registers are behind the owner's operations, so that nothing here touches
 * the host's FPU. No arithmetic.
 */
#include "internal.h"
#include "exec.h"

/*
 * May SSE, AVX or AVX-512 be used now (SDM 3A 14.1, SDM 2A 2.4, 2.8)? @feature counts for
 * SSE; of EVEX forms, what they need besides AVX512F.
 */
static int check_vector(struct x86_emulator *ctx, u64 feature)
{
	u64 cr0 = ctx->ops->get_cr(ctx, 0), cr4 = ctx->ops->get_cr(ctx, 4);

	if (ctx->insn.evex) {
		if (!emul_has(ctx, X86_EMULATOR_FEAT_AVX512F | (feature & ~(u64)~0u)) || !(cr4 & CR4_OSXSAVE_BIT) ||
		    (ctx->ops->get_xcr0(ctx) & 0xe6) != 0xe6)
			return emul_ud(ctx);
	} else if (ctx->insn.vex) {
		if (!emul_has(ctx, X86_EMULATOR_FEAT_AVX) || !(cr4 & CR4_OSXSAVE_BIT) ||
		    (ctx->ops->get_xcr0(ctx) & 6) != 6)
			return emul_ud(ctx);
	} else if (!emul_has(ctx, feature) || (cr0 & CR0_EM_BIT) || !(cr4 & CR4_OSFXSR_BIT)) {
		return emul_ud(ctx);
	}
	if (cr0 & CR0_TS_BIT)
		return emul_exception(ctx, VEC_NM);
	return EMUL_OK;
}

static int check_mmx(struct x86_emulator *ctx)
{
	u64 cr0 = ctx->ops->get_cr(ctx, 0);

	if (!emul_has(ctx, X86_EMULATOR_FEAT_MMX) || (cr0 & CR0_EM_BIT))
		return emul_ud(ctx);
	if (cr0 & CR0_TS_BIT)
		return emul_exception(ctx, VEC_NM);
	return emul_x87_check_pending(ctx);
}

/* Read @len bytes of operand @n, a vector register or memory. */
static int load_vector(struct x86_emulator *ctx, unsigned int n, u8 *data, unsigned int len)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[n];

	if (operand->kind == X86_EMULATOR_OPERAND_MEMORY)
		return emul_read(ctx, operand->seg, operand->value, data, len, 0);
	ctx->ops->read_vector(ctx, operand->reg, data, len);
	return EMUL_OK;
}

static int store_memory(struct x86_emulator *ctx, unsigned int n, const u8 *data,
			unsigned int len)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[n];

	return emul_write(ctx, operand->seg, operand->value, data, len);
}

static void store_vector(struct x86_emulator *ctx, unsigned int n, const u8 *data,
			 unsigned int len)
{
	ctx->ops->write_vector(ctx, ctx->insn.operand[n].reg, data, len, ctx->insn.vex);
}

static bool is_memory(const struct x86_emulator *ctx, unsigned int n)
{
	return ctx->insn.operand[n].kind == X86_EMULATOR_OPERAND_MEMORY;
}

/*
 * The aligned forms fault with #GP(0), whatever AC says (SDM 2A table 2-18),
 * and before the segment is looked at.
 */
static int check_aligned(struct x86_emulator *ctx, unsigned int n)
{
	const struct x86_emulator_operand *operand = &ctx->insn.operand[n];
	u64 linear;
	int r;

	r = emul_linear(ctx, operand->seg, operand->value, 0, 0, &linear);
	if (r == EMUL_OK && (linear & (operand->size - 1)))
		return emul_gp(ctx, 0);
	return r;
}

/* Of EVEX forms: the shorter lengths are AVX512VL's, the small elements AVX512BW's. */
static u64 vec_mov_feature(const struct x86_emulator_decoded *insn)
{
	u64 feature = X86_EMULATOR_FEAT_SSE;

	if (insn->vex != 3)
		feature |= X86_EMULATOR_FEAT_AVX512VL;
	if (insn->rep == 0xf2)
		feature |= X86_EMULATOR_FEAT_AVX512BW;
	return feature;
}

/* Whole registers: MOVUPS, MOVDQU, LDDQU; arg 1: MOVAPS, MOVDQA, MOVNT*. */
int exec_vec_mov(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size;
	u8 *data = ctx->wide[0];
	int r;

	r = check_vector(ctx, ctx->insn.evex ? vec_mov_feature(&ctx->insn) :
					       X86_EMULATOR_FEAT_SSE);
	if (r == EMUL_OK && ctx->insn.op->arg && is_memory(ctx, 0))
		r = check_aligned(ctx, 0);
	if (r == EMUL_OK && ctx->insn.op->arg && is_memory(ctx, 1))
		r = check_aligned(ctx, 1);
	if (r == EMUL_OK)
		r = load_vector(ctx, 1, data, size);
	if (r != EMUL_OK)
		return r;
	if (is_memory(ctx, 0))
		return store_memory(ctx, 0, data, size);
	store_vector(ctx, 0, data, size);
	return EMUL_OK;
}

/* MOVSS, MOVSD: memory zeroes what is above, a register leaves it. */
int exec_vec_mov_scalar(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size;
	u8 *data = ctx->wide[0];
	int r;

	r = check_vector(ctx, X86_EMULATOR_FEAT_SSE);
	if (r != EMUL_OK)
		return r;
	memset(data, 0, 16);
	r = load_vector(ctx, 1, data, size);
	if (r != EMUL_OK)
		return r;
	if (is_memory(ctx, 0))
		return store_memory(ctx, 0, data, size);
	store_vector(ctx, 0, data, is_memory(ctx, 1) ? 16 : size);
	return EMUL_OK;
}

/* VMOVSS, VMOVSD: the register form takes the rest from a third register. */
int exec_vex_mov_scalar(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size;
	u8 *data = ctx->wide[0];
	int r;

	r = check_vector(ctx, X86_EMULATOR_FEAT_SSE);
	if (r != EMUL_OK)
		return r;
	memset(data, 0, 16);
	if (!is_memory(ctx, 0) && !is_memory(ctx, 1))
		ctx->ops->read_vector(ctx, emul_vvvv(ctx), data, 16);
	r = load_vector(ctx, 1, data, size);
	if (r != EMUL_OK)
		return r;
	if (is_memory(ctx, 0))
		return store_memory(ctx, 0, data, size);
	store_vector(ctx, 0, data, 16);
	return EMUL_OK;
}

/*
 * MOVLPS, MOVLPD (arg 0), MOVHPS, MOVHPD (arg 1); their register forms cross
 * over: MOVHLPS, MOVLHPS.
 */
int exec_vec_mov_half(struct x86_emulator *ctx)
{
	unsigned int half = ctx->insn.op->arg ? 8 : 0;
	u8 *to = ctx->wide[0], *from = ctx->wide[1];
	int r;

	r = check_vector(ctx, X86_EMULATOR_FEAT_SSE);
	if (r != EMUL_OK)
		return r;
	if (is_memory(ctx, 0)) {
		r = load_vector(ctx, 1, from, 16);
		return r == EMUL_OK ? store_memory(ctx, 0, from + half, 8) : r;
	}
	/* The half that stays is the destination's; of VEX forms another register's. */
	ctx->ops->read_vector(ctx, ctx->insn.vex ? emul_vvvv(ctx) : ctx->insn.operand[0].reg,
			      to, 16);
	if (r == EMUL_OK)
		r = load_vector(ctx, 1, from, is_memory(ctx, 1) ? 8 : 16);
	if (r != EMUL_OK)
		return r;
	memcpy(to + half, is_memory(ctx, 1) ? from : from + (8 - half), 8);
	store_vector(ctx, 0, to, 16);
	return EMUL_OK;
}

/* MOVQ: 8 bytes, zero extended to a register. */
int exec_vec_movq(struct x86_emulator *ctx)
{
	u8 *data = ctx->wide[0];
	int r;

	r = check_vector(ctx, X86_EMULATOR_FEAT_SSE2);
	if (r != EMUL_OK)
		return r;
	memset(data, 0, 16);
	r = load_vector(ctx, 1, data, 8);
	if (r != EMUL_OK)
		return r;
	if (is_memory(ctx, 0))
		return store_memory(ctx, 0, data, 8);
	store_vector(ctx, 0, data, 16);
	return EMUL_OK;
}

/* MOVDDUP (arg 8), MOVSLDUP (arg 4), MOVSHDUP (arg 5): elements doubled. */
int exec_vec_dup(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size, arg = ctx->insn.op->arg, i;
	unsigned int element = arg & ~1u, odd = (arg & 1) * element;
	u8 *from = ctx->wide[1], *to = ctx->wide[0];
	int r;

	r = check_vector(ctx, X86_EMULATOR_FEAT_SSE3);
	if (r == EMUL_OK && !ctx->insn.vex && arg != 8)
		r = is_memory(ctx, 1) ? check_aligned(ctx, 1) : EMUL_OK;
	/* MOVDDUP of 16 bytes reads 8. */
	if (r == EMUL_OK)
		r = load_vector(ctx, 1, from, arg == 8 && size == 16 && is_memory(ctx, 1) ?
				8 : size);
	if (r != EMUL_OK)
		return r;
	for (i = 0; i < size; i += 2 * element) {
		memcpy(to + i, from + i + odd, element);
		memcpy(to + i + element, from + i + odd, element);
	}
	store_vector(ctx, 0, to, size);
	return EMUL_OK;
}

/* VEXTRACTF128, VEXTRACTI128 (arg: AVX2). */
int exec_vec_extract128(struct x86_emulator *ctx)
{
	u8 *data = ctx->wide[0], *half = data + (ctx->insn.operand[2].value & 1) * 16;
	int r;

	r = check_vector(ctx, X86_EMULATOR_FEAT_AVX);
	if (r == EMUL_OK && ctx->insn.op->arg && !emul_has(ctx, X86_EMULATOR_FEAT_AVX2))
		r = emul_ud(ctx);
	if (r != EMUL_OK)
		return r;
	ctx->ops->read_vector(ctx, ctx->insn.operand[1].reg, data, 32);
	if (is_memory(ctx, 0))
		return store_memory(ctx, 0, half, 16);
	store_vector(ctx, 0, half, 16);
	return EMUL_OK;
}

/* VINSERTF128, VINSERTI128 (arg: AVX2): the rest is VEX.vvvv's. */
int exec_vec_insert128(struct x86_emulator *ctx)
{
	u8 *data = ctx->wide[0];
	int r;

	r = check_vector(ctx, X86_EMULATOR_FEAT_AVX);
	if (r == EMUL_OK && ctx->insn.op->arg && !emul_has(ctx, X86_EMULATOR_FEAT_AVX2))
		r = emul_ud(ctx);
	if (r == EMUL_OK)
		r = load_vector(ctx, 1, ctx->wide[1], 16);
	if (r != EMUL_OK)
		return r;
	ctx->ops->read_vector(ctx, emul_vvvv(ctx), data, 32);
	memcpy(data + (ctx->insn.operand[2].value & 1) * 16, ctx->wide[1], 16);
	store_vector(ctx, 0, data, 32);
	return EMUL_OK;
}

/* PEXTRB, PEXTRW, PEXTRD, PEXTRQ, EXTRACTPS: an element to a general register or memory. */
int exec_vec_extract(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.op->arg ? ctx->insn.op->arg : ctx->insn.operand[0].size;
	unsigned int at = (ctx->insn.operand[2].value & (16 / size - 1)) * size;
	u64 value = 0;
	int r;

	r = check_vector(ctx, X86_EMULATOR_FEAT_SSE4_1);
	if (r != EMUL_OK)
		return r;
	ctx->ops->read_vector(ctx, ctx->insn.operand[1].reg, ctx->wide[0], 16);
	memcpy(&value, ctx->wide[0] + at, size);
	/* Zero extended to a register. */
	if (!is_memory(ctx, 0)) {
		emul_write_reg(ctx, ctx->insn.operand[0].reg, 8, value);
		return EMUL_OK;
	}
	return emul_write(ctx, ctx->insn.operand[0].seg, ctx->insn.operand[0].value, &value, size);
}

/* PINSRB, PINSRW, PINSRD, PINSRQ: VEX forms take the rest from VEX.vvvv. */
int exec_vec_insert(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.op->arg ? ctx->insn.op->arg : ctx->insn.operand[1].size;
	unsigned int at = (ctx->insn.operand[2].value & (16 / size - 1)) * size;
	const struct x86_emulator_operand *from = &ctx->insn.operand[1];
	u8 *data = ctx->wide[0];
	u64 value = 0;
	int r;

	r = check_vector(ctx, size == 2 ? X86_EMULATOR_FEAT_SSE2 : X86_EMULATOR_FEAT_SSE4_1);
	if (r != EMUL_OK)
		return r;
	if (is_memory(ctx, 1)) {
		r = emul_read(ctx, from->seg, from->value, &value, size, 0);
		if (r != EMUL_OK)
			return r;
	} else {
		value = emul_read_reg(ctx, from->reg, 8);
	}
	ctx->ops->read_vector(ctx, ctx->insn.vex ? emul_vvvv(ctx) : ctx->insn.operand[0].reg,
			      data, 16);
	memcpy(data + at, &value, size);
	store_vector(ctx, 0, data, 16);
	return EMUL_OK;
}

/* VBROADCAST*, VPBROADCAST*: arg is the element's size. */
int exec_vec_broadcast(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size, element = ctx->insn.op->arg, i;
	bool avx2 = ctx->insn.opcode >= 0x50 || !is_memory(ctx, 1);
	u8 *data = ctx->wide[0];
	int r;

	r = check_vector(ctx, X86_EMULATOR_FEAT_AVX);
	if (r == EMUL_OK && avx2 && !emul_has(ctx, X86_EMULATOR_FEAT_AVX2))
		r = emul_ud(ctx);
	if (r == EMUL_OK)
		r = load_vector(ctx, 1, data, element < 16 && !is_memory(ctx, 1) ? 16 : element);
	if (r != EMUL_OK)
		return r;
	for (i = element; i < size; i += element)
		memcpy(data + i, data, element);
	store_vector(ctx, 0, data, size);
	return EMUL_OK;
}

/* MOVD, MOVQ between a vector and a general register or memory. */
int exec_movd_vec(struct x86_emulator *ctx)
{
	u8 *data = ctx->wide[0];
	u64 value = 0;
	int r;

	r = check_vector(ctx, X86_EMULATOR_FEAT_SSE2);
	if (r != EMUL_OK)
		return r;
	memset(data, 0, 16);
	if (ctx->insn.operand[0].kind == X86_EMULATOR_OPERAND_VECTOR) {
		r = emul_load(ctx, 1, &value);
		if (r != EMUL_OK)
			return r;
		memcpy(data, &value, sizeof(value));
		store_vector(ctx, 0, data, 16);
		return EMUL_OK;
	}
	ctx->ops->read_vector(ctx, ctx->insn.operand[1].reg, data, 16);
	memcpy(&value, data, sizeof(value));
	return emul_store(ctx, 0, value);
}

int exec_movd_mmx(struct x86_emulator *ctx)
{
	u64 value;
	int r = check_mmx(ctx);

	if (r != EMUL_OK)
		return r;
	if (ctx->insn.operand[0].kind == X86_EMULATOR_OPERAND_MMX) {
		r = emul_load(ctx, 1, &value);
		if (r == EMUL_OK)
			ctx->ops->write_mmx(ctx, ctx->insn.operand[0].reg, value);
		return r;
	}
	/* To use a register makes the x87's an MMX state: not if memory faults. */
	r = emul_probe_store(ctx, 0);
	if (r != EMUL_OK)
		return r;
	value = ctx->ops->read_mmx(ctx, ctx->insn.operand[1].reg);
	return emul_store(ctx, 0, value);
}

/* MOVQ, MOVNTQ. */
int exec_mmx_mov(struct x86_emulator *ctx)
{
	u64 value;
	int r = check_mmx(ctx);

	if (r != EMUL_OK)
		return r;
	r = emul_probe_store(ctx, 0);
	if (r != EMUL_OK)
		return r;
	if (ctx->insn.operand[1].kind == X86_EMULATOR_OPERAND_MMX)
		value = ctx->ops->read_mmx(ctx, ctx->insn.operand[1].reg);
	else
		r = emul_load(ctx, 1, &value);
	if (r != EMUL_OK)
		return r;
	if (ctx->insn.operand[0].kind == X86_EMULATOR_OPERAND_MMX) {
		ctx->ops->write_mmx(ctx, ctx->insn.operand[0].reg, value);
		return EMUL_OK;
	}
	return emul_store(ctx, 0, value);
}
