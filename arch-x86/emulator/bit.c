// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single bits and bit fields: BT and its kin, bit scans, POPCNT, BMI1 and BMI2,
 * and CRC32.
 */
#include "internal.h"
#include "exec.h"

enum { BT, BTS, BTR, BTC };

/*
 * The bit offset in a register may be anything: it moves the address of a
 * memory operand, by whole operands (SDM 2A BT, 1 3.1.1.9).
 */
static void move_to_bit(struct x86_emulator *ctx, u64 offset)
{
	struct x86_emulator_operand *operand = &ctx->insn.operand[0];
	s64 bits = emul_sign_extend(offset, operand->size);
	s64 bytes = (bits >> 3) & ~(s64)(operand->size - 1);

	operand->value = (operand->value + bytes) & emul_mask(ctx->insn.addr_size);
}

int exec_bt(struct x86_emulator *ctx)
{
	const struct x86_emulator_decoded *insn = &ctx->insn;
	u64 value, offset, bit, result;
	int r;

	r = emul_load(ctx, 1, &offset);
	if (r != EMUL_OK)
		return r;
	if (insn->operand[0].kind == X86_EMULATOR_OPERAND_MEMORY &&
	    insn->operand[1].kind == X86_EMULATOR_OPERAND_GPR)
		move_to_bit(ctx, offset);
	r = insn->op->arg == BT ? emul_load(ctx, 0, &value) : emul_load_rmw(ctx, &value);
	if (r != EMUL_OK)
		return r;

	bit = 1ull << (offset & (8 * insn->operand[0].size - 1));
	emul_flags_set(ctx, FLAG_CF, value & bit);
	switch (insn->op->arg) {
	case BTS:
		result = value | bit;
		break;
	case BTR:
		result = value & ~bit;
		break;
	case BTC:
		result = value ^ bit;
		break;
	default:
		return EMUL_OK;
	}
	return emul_store_rmw(ctx, value, result, insn->lock);
}

static unsigned int lowest_bit(u64 value)
{
	unsigned int n = 0;

	while (!(value & 1)) {
		value >>= 1;
		n++;
	}
	return n;
}

static unsigned int highest_bit(u64 value)
{
	unsigned int n = 0;

	while (value >>= 1)
		n++;
	return n;
}

/*
 * BSF (arg 0), BSR; with F3, TZCNT and LZCNT where the guest has these. With a
 * source of 0, BSF and BSR leave the destination alone (APM 3; and so do Intel's
 * CPUs).
 */
int exec_bit_scan(struct x86_emulator *ctx)
{
	const struct x86_emulator_decoded *insn = &ctx->insn;
	unsigned int bits = 8 * insn->operand[0].size;
	bool reverse = insn->op->arg;
	u32 feature = reverse ? X86_EMULATOR_FEAT_LZCNT : X86_EMULATOR_FEAT_BMI1;
	u64 value, result;
	int r;

	r = emul_load(ctx, 1, &value);
	if (r != EMUL_OK)
		return r;
	if (insn->rep == 0xf3 && emul_has(ctx, feature)) {
		if (!value)
			result = bits;
		else
			result = reverse ? bits - 1 - highest_bit(value) : lowest_bit(value);
		emul_flags_set(ctx, FLAG_CF, !value);
		emul_flags_set(ctx, FLAG_ZF, !result);
		return emul_store(ctx, 0, result);
	}
	emul_flags_set(ctx, FLAG_ZF, !value);
	if (!value)
		return EMUL_OK;
	return emul_store(ctx, 0, reverse ? highest_bit(value) : lowest_bit(value));
}

int exec_popcnt(struct x86_emulator *ctx)
{
	u64 value, count = 0;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_POPCNT))
		return emul_ud(ctx);
	r = emul_load(ctx, 1, &value);
	if (r != EMUL_OK)
		return r;
	ctx->next_rflags &= ~FLAGS_ARITH;
	emul_flags_set(ctx, FLAG_ZF, !value);
	for (; value; value &= value - 1)
		count++;
	return emul_store(ctx, 0, count);
}

int exec_andn(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size;
	u64 a, b;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_BMI1))
		return emul_ud(ctx);
	r = emul_load(ctx, 1, &a);
	if (r == EMUL_OK)
		r = emul_load(ctx, 2, &b);
	if (r != EMUL_OK)
		return r;
	emul_flags_set(ctx, FLAG_CF | FLAG_OF, false);
	emul_flags_szp(ctx, ~a & b, size);
	return emul_store(ctx, 0, ~a & b);
}

/* BLSR (arg 1), BLSMSK (2), BLSI (3). */
int exec_bls(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size;
	u64 value, result;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_BMI1))
		return emul_ud(ctx);
	r = emul_load(ctx, 1, &value);
	if (r != EMUL_OK)
		return r;
	switch (ctx->insn.op->arg) {
	case 1:
		result = value & (value - 1);
		break;
	case 2:
		result = value ^ (value - 1);
		break;
	default:
		result = value & -value;
		break;
	}
	emul_flags_set(ctx, FLAG_OF, false);
	emul_flags_set(ctx, FLAG_CF, ctx->insn.op->arg == 3 ? value : !value);
	emul_flags_szp(ctx, result, size);
	return emul_store(ctx, 0, result);
}

int exec_bzhi(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size, n;
	u64 value, index;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_BMI2))
		return emul_ud(ctx);
	r = emul_load(ctx, 1, &value);
	if (r == EMUL_OK)
		r = emul_load(ctx, 2, &index);
	if (r != EMUL_OK)
		return r;
	n = index & 0xff;
	if (n < 8 * size)
		value &= (1ull << n) - 1;
	emul_flags_set(ctx, FLAG_OF, false);
	emul_flags_set(ctx, FLAG_CF, n > 8 * size - 1);
	emul_flags_szp(ctx, value, size);
	return emul_store(ctx, 0, value);
}

int exec_bextr(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size, start, length;
	u64 value, control;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_BMI1))
		return emul_ud(ctx);
	r = emul_load(ctx, 1, &value);
	if (r == EMUL_OK)
		r = emul_load(ctx, 2, &control);
	if (r != EMUL_OK)
		return r;
	start = control & 0xff;
	length = (control >> 8) & 0xff;
	value = start < 64 ? value >> start : 0;
	if (length < 64)
		value &= (1ull << length) - 1;
	ctx->next_rflags &= ~FLAGS_ARITH;
	emul_flags_set(ctx, FLAG_ZF, !(value & emul_mask(size)));
	return emul_store(ctx, 0, value);
}

/* PEXT (arg 1), PDEP (arg 0)... by the mask's bits, lowest first. */
int exec_pdep_pext(struct x86_emulator *ctx)
{
	bool extract = ctx->insn.op->arg;
	u64 value, mask, result = 0, to = 1;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_BMI2))
		return emul_ud(ctx);
	r = emul_load(ctx, 1, &value);
	if (r == EMUL_OK)
		r = emul_load(ctx, 2, &mask);
	if (r != EMUL_OK)
		return r;
	for (; mask; mask &= mask - 1, to <<= 1) {
		u64 bit = mask & -mask;

		if (extract && (value & bit))
			result |= to;
		if (!extract && (value & to))
			result |= bit;
	}
	return emul_store(ctx, 0, result);
}

/* CRC-32C, bit reflected (SDM 2A CRC32). */
int exec_crc32(struct x86_emulator *ctx)
{
	u64 value, crc;
	unsigned int i;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_SSE4_2))
		return emul_ud(ctx);
	r = emul_load(ctx, 1, &value);
	if (r == EMUL_OK)
		r = emul_load(ctx, 0, &crc);
	if (r != EMUL_OK)
		return r;
	crc = (u32)crc;
	for (i = 0; i < ctx->insn.operand[1].size; i++) {
		unsigned int bit;

		crc ^= (value >> (8 * i)) & 0xff;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return emul_store(ctx, 0, crc);
}
