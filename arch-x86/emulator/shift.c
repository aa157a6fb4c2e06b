// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rotates and shifts (SDM 2B RCL/RCR/ROL/ROR, SAL/SAR/SHL/SHR, SHLD, SHRD) and
 * their BMI2 forms without flags. OF is defined for counts of 1 only; for others
 * it is computed the same way.
 */
#include "internal.h"
#include "exec.h"

/* The row's arg: the reg field of group 2. */
enum { ROL, ROR, RCL, RCR, SHL, SHR, SAR = 7 };

static bool top(u64 value, unsigned int bits)
{
	return (value >> (bits - 1)) & 1;
}

/* ROL and ROR: @count is not 0, but may be a multiple of the width. */
static u64 rotate(struct x86_emulator *ctx, unsigned int op, u64 value,
		  unsigned int count, unsigned int bits)
{
	u64 mask = emul_mask(bits / 8);
	bool cf;

	count %= bits;
	if (op == ROR)
		count = (bits - count) % bits;
	if (count)
		value = (value << count | value >> (bits - count)) & mask;
	if (op == ROL) {
		cf = value & 1;
		emul_flags_set(ctx, FLAG_OF, top(value, bits) != cf);
	} else {
		cf = top(value, bits);
		emul_flags_set(ctx, FLAG_OF, cf != top(value << 1, bits));
	}
	emul_flags_set(ctx, FLAG_CF, cf);
	return value;
}

/* RCL and RCR, one bit at a time: @bits + 1 bits go round. */
static u64 rotate_carry(struct x86_emulator *ctx, unsigned int op, u64 value,
			unsigned int count, unsigned int bits)
{
	bool cf = ctx->next_rflags & FLAG_CF, out;

	count %= bits + 1;
	if (!count)
		return value;
	while (count--) {
		if (op == RCL) {
			out = top(value, bits);
			value = value << 1 | cf;
		} else {
			out = value & 1;
			value = (value & emul_mask(bits / 8)) >> 1 | (u64)cf << (bits - 1);
		}
		cf = out;
	}
	if (op == RCL)
		emul_flags_set(ctx, FLAG_OF, top(value, bits) != cf);
	else
		emul_flags_set(ctx, FLAG_OF, top(value, bits) != top(value << 1, bits));
	emul_flags_set(ctx, FLAG_CF, cf);
	return value;
}

static u64 shift(struct x86_emulator *ctx, unsigned int op, u64 value,
		 unsigned int count, unsigned int bits)
{
	unsigned int size = bits / 8;
	s64 wide = emul_sign_extend(value, size);
	bool cf = false, of = false;
	u64 result;

	switch (op) {
	case SHL:
		if (count <= bits)
			cf = (value >> (bits - count)) & 1;
		result = value << count;
		of = top(result, bits) != cf;
		break;
	case SHR:
		if (count <= bits)
			cf = (value >> (count - 1)) & 1;
		result = value >> count;
		of = top(value, bits);
		break;
	default:
		cf = (wide >> (count - 1)) & 1;
		result = wide >> count;
		break;
	}
	emul_flags_set(ctx, FLAG_CF, cf);
	emul_flags_set(ctx, FLAG_OF, of);
	emul_flags_set(ctx, FLAG_AF, false);
	emul_flags_szp(ctx, result, size);
	return result;
}

int exec_shift(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size, op = ctx->insn.op->arg;
	u64 value, count, result;
	int r;

	r = emul_load(ctx, 1, &count);
	if (r == EMUL_OK)
		r = emul_load_rmw(ctx, &value);
	if (r != EMUL_OK)
		return r;

	count &= size == 8 ? 63 : 31;
	result = value;
	if (count) {
		if (op == ROL || op == ROR)
			result = rotate(ctx, op, value, count, 8 * size);
		else if (op == RCL || op == RCR)
			result = rotate_carry(ctx, op, value, count, 8 * size);
		else
			result = shift(ctx, op, value, count, 8 * size);
	}
	return emul_store_rmw(ctx, value, result, false);
}

/*
 * SHLD (arg 0), SHRD. A count beyond 16 for 16 bit operands is undefined in
 * the manuals: then Intel's CPUs shift the destination in behind the source,
 * AMD's the source again.
 */
int exec_shld_shrd(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size, bits = 8 * size;
	u64 value, other, count, result;
	bool cf, right = ctx->insn.op->arg;
	int r;

	r = emul_load(ctx, 2, &count);
	if (r == EMUL_OK)
		r = emul_load(ctx, 1, &other);
	if (r == EMUL_OK)
		r = emul_load_rmw(ctx, &value);
	if (r != EMUL_OK)
		return r;

	count &= size == 8 ? 63 : 31;
	if (!count)
		return emul_store_rmw(ctx, value, value, false);

	if (size == 2) {
		u64 last = emul_has(ctx, X86_EMULATOR_FEAT_INTEL) ? value : other, wide;

		if (right) {
			wide = value | other << 16 | last << 32;
			cf = (wide >> (count - 1)) & 1;
			result = wide >> count;
		} else {
			wide = value << 32 | other << 16 | last;
			cf = (wide >> (48 - count)) & 1;
			result = wide << count >> 32;
		}
	} else if (right) {
		cf = (value >> (count - 1)) & 1;
		result = value >> count | other << (bits - count);
	} else {
		cf = (value >> (bits - count)) & 1;
		result = value << count | other >> (bits - count);
	}
	emul_flags_set(ctx, FLAG_CF, cf);
	emul_flags_set(ctx, FLAG_OF, top(value ^ result, bits));
	emul_flags_set(ctx, FLAG_AF, false);
	emul_flags_szp(ctx, result, size);
	return emul_store_rmw(ctx, value, result, false);
}

/* SHLX, SHRX, SARX. */
int exec_shift_x(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size;
	u64 value, count;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_BMI2))
		return emul_ud(ctx);
	r = emul_load(ctx, 1, &value);
	if (r == EMUL_OK)
		r = emul_load(ctx, 2, &count);
	if (r != EMUL_OK)
		return r;
	count &= 8 * size - 1;
	if (ctx->insn.op->arg == SHL)
		value <<= count;
	else if (ctx->insn.op->arg == SHR)
		value >>= count;
	else
		value = emul_sign_extend(value, size) >> count;
	return emul_store(ctx, 0, value);
}

int exec_rorx(struct x86_emulator *ctx)
{
	unsigned int bits = 8 * ctx->insn.operand[0].size;
	u64 value, count;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_BMI2))
		return emul_ud(ctx);
	r = emul_load(ctx, 1, &value);
	if (r == EMUL_OK)
		r = emul_load(ctx, 2, &count);
	if (r != EMUL_OK)
		return r;
	count &= bits - 1;
	if (count)
		value = value >> count | value << (bits - count);
	return emul_store(ctx, 0, value);
}
