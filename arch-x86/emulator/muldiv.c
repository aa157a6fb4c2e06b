// SPDX-License-Identifier: GPL-2.0-only
/*
 * Multiplication and division. A product or dividend may have 128 bits, which no
 * 32 bit compiler knows: it is built from halves here.
 */
#include "internal.h"
#include "exec.h"

/* 64 x 64 bits to 128. */
static u64 mul64(u64 a, u64 b, u64 *high)
{
	u64 al = (u32)a, ah = a >> 32, bl = (u32)b, bh = b >> 32;
	u64 low = al * bl, mid1 = ah * bl, mid2 = al * bh;
	u64 mid = (low >> 32) + (u32)mid1 + (u32)mid2;

	*high = ah * bh + (mid1 >> 32) + (mid2 >> 32) + (mid >> 32);
	return (u32)low | mid << 32;
}

static u64 imul64(u64 a, u64 b, u64 *high)
{
	u64 low = mul64(a, b, high);

	if ((s64)a < 0)
		*high -= b;
	if ((s64)b < 0)
		*high -= a;
	return low;
}

/*
 * The full product of two values of @size bytes, in two halves of @size bytes
 * each. Returns whether the upper half is significant.
 */
static bool multiply(u64 a, u64 b, unsigned int size, bool sign, u64 *low, u64 *high)
{
	if (sign) {
		a = emul_sign_extend(a, size);
		b = emul_sign_extend(b, size);
		*low = imul64(a, b, high);
	} else {
		*low = mul64(a, b, high);
	}
	if (size < 8) {
		*high = *low >> (8 * size);
		*high &= emul_mask(size);
		*low &= emul_mask(size);
	}
	if (sign)
		return *high != ((*low & emul_sign_bit(size)) ? emul_mask(size) : 0);
	return *high != 0;
}

/* MUL, IMUL (arg 1): RAX times operand to RDX:RAX, or to AX for bytes. */
int exec_mul(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size;
	u64 a = emul_read_reg(ctx, RAX, size), b, low, high;
	bool big;
	int r;

	r = emul_load(ctx, 0, &b);
	if (r != EMUL_OK)
		return r;
	big = multiply(a, b, size, ctx->insn.op->arg, &low, &high);
	if (size == 1) {
		emul_write_reg(ctx, RAX, 2, high << 8 | low);
	} else {
		emul_write_reg(ctx, RAX, size, low);
		emul_write_reg(ctx, RDX, size, high);
	}
	emul_flags_set(ctx, FLAG_CF | FLAG_OF, big);
	return EMUL_OK;
}

/* IMUL with two operands, or three. */
int exec_imul3(struct x86_emulator *ctx)
{
	const struct x86_emulator_decoded *insn = &ctx->insn;
	unsigned int size = insn->operand[0].size;
	u64 a, b, low, high;
	int r;

	r = emul_load(ctx, 1, &a);
	if (r == EMUL_OK)
		r = emul_load(ctx, insn->operand[2].kind ? 2 : 0, &b);
	if (r != EMUL_OK)
		return r;
	emul_flags_set(ctx, FLAG_CF | FLAG_OF, multiply(a, b, size, true, &low, &high));
	return emul_store(ctx, 0, low);
}

int exec_mulx(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size;
	u64 a = emul_read_reg(ctx, RDX, size), b, low, high;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_BMI2))
		return emul_ud(ctx);
	r = emul_load(ctx, 2, &b);
	if (r != EMUL_OK)
		return r;
	multiply(a, b, size, false, &low, &high);
	/* If both name one register, it has the upper half. */
	emul_store(ctx, 1, low);
	return emul_store(ctx, 0, high);
}

/* 128 by 64 bits, bit by bit; false: the quotient needs more than 64. */
static bool div128(u64 *high, u64 *low, u64 divisor)
{
	unsigned int i;

	if (!divisor || *high >= divisor)
		return false;
	if (!*high) {
		u64 remainder;

		*low = div64_u64_rem(*low, divisor, &remainder);
		*high = remainder;
		return true;
	}
	for (i = 0; i < 64; i++) {
		bool carry = *high >> 63;

		*high = *high << 1 | *low >> 63;
		*low <<= 1;
		if (carry || *high >= divisor) {
			*high -= divisor;
			*low |= 1;
		}
	}
	return true;
}

/* Unsigned: quotient to *low, remainder to *high; false is #DE. */
static bool divide(u64 *high, u64 *low, u64 divisor, unsigned int size)
{
	u64 dividend;

	if (size == 8)
		return div128(high, low, divisor);
	dividend = *high << (8 * size) | *low;
	if (!divisor)
		return false;
	*low = div64_u64_rem(dividend, divisor, high);
	return *low <= emul_mask(size);
}

/* Signed, by way of magnitudes. */
static bool divide_signed(u64 *high, u64 *low, u64 divisor, unsigned int size)
{
	u64 mask = emul_mask(size), sign = emul_sign_bit(size);
	bool negative = *high & sign, divisor_negative = divisor & sign;
	bool quotient_negative = negative != divisor_negative;

	if (negative) {
		*low = -*low & mask;
		*high = (~*high + !*low) & mask;
	}
	if (divisor_negative)
		divisor = -divisor & mask;
	if (!divide(high, low, divisor, size))
		return false;
	if (*low > sign - !quotient_negative)
		return false;
	if (quotient_negative)
		*low = -*low;
	if (negative)
		*high = -*high;
	return true;
}

/* DIV, IDIV (arg 1). */
int exec_div(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size;
	u64 low = emul_read_reg(ctx, RAX, size);
	u64 high = size == 1 ? emul_read_reg(ctx, RAX, 2) >> 8 : emul_read_reg(ctx, RDX, size);
	u64 divisor;
	bool ok;
	int r;

	r = emul_load(ctx, 0, &divisor);
	if (r != EMUL_OK)
		return r;
	if (ctx->insn.op->arg)
		ok = divide_signed(&high, &low, divisor, size);
	else
		ok = divide(&high, &low, divisor, size);
	if (!ok)
		return emul_exception(ctx, VEC_DE);
	if (size == 1) {
		emul_write_reg(ctx, RAX, 2, (high & 0xff) << 8 | (low & 0xff));
	} else {
		emul_write_reg(ctx, RAX, size, low);
		emul_write_reg(ctx, RDX, size, high);
	}
	return EMUL_OK;
}
