// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addition, subtraction and logic, their flags, and the decimal adjustments
 * (SDM 1 3.4.3.1, SDM 2A to 2C). Flags that the manual leaves undefined are
 * cleared or computed as the CPUs at hand do.
 */
#include "internal.h"
#include "exec.h"

enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };

static bool even_parity(u8 byte)
{
	byte ^= byte >> 4;
	return !((0x6996 >> (byte & 15)) & 1);
}

void emul_flags_szp(struct x86_emulator *ctx, u64 result, unsigned int size)
{
	u64 flags = ctx->next_rflags & ~(FLAG_SF | FLAG_ZF | FLAG_PF);

	if (result & emul_sign_bit(size))
		flags |= FLAG_SF;
	if (!(result & emul_mask(size)))
		flags |= FLAG_ZF;
	if (even_parity(result))
		flags |= FLAG_PF;
	ctx->next_rflags = flags;
}

/* @carries: the carry (or borrow) out of each bit position. */
static void flags_carry(struct x86_emulator *ctx, u64 carries, u64 overflow,
			unsigned int size)
{
	emul_flags_set(ctx, FLAG_CF, carries & emul_sign_bit(size));
	emul_flags_set(ctx, FLAG_AF, carries & 8);
	emul_flags_set(ctx, FLAG_OF, overflow & emul_sign_bit(size));
}

static u64 add(struct x86_emulator *ctx, u64 a, u64 b, bool carry, unsigned int size)
{
	u64 result = a + b + carry;

	flags_carry(ctx, (a & b) | ((a | b) & ~result), (a ^ result) & (b ^ result), size);
	emul_flags_szp(ctx, result, size);
	return result;
}

static u64 sub(struct x86_emulator *ctx, u64 a, u64 b, bool borrow, unsigned int size)
{
	u64 result = a - b - borrow;

	flags_carry(ctx, (~a & b) | ((~a | b) & result), (a ^ b) & (a ^ result), size);
	emul_flags_szp(ctx, result, size);
	return result;
}

static u64 logic(struct x86_emulator *ctx, u64 result, unsigned int size)
{
	flags_carry(ctx, 0, 0, size);
	emul_flags_szp(ctx, result, size);
	return result;
}

u64 emul_alu(struct x86_emulator *ctx, unsigned int op, u64 a, u64 b, unsigned int size)
{
	bool carry = ctx->next_rflags & FLAG_CF;

	switch (op) {
	case ALU_ADD:
		return add(ctx, a, b, false, size);
	case ALU_OR:
		return logic(ctx, a | b, size);
	case ALU_ADC:
		return add(ctx, a, b, carry, size);
	case ALU_SBB:
		return sub(ctx, a, b, carry, size);
	case ALU_AND:
		return logic(ctx, a & b, size);
	case ALU_XOR:
		return logic(ctx, a ^ b, size);
	default:
		return sub(ctx, a, b, false, size);
	}
}

bool emul_condition(u64 rflags, unsigned int cc)
{
	bool sf_ne_of = !(rflags & FLAG_SF) != !(rflags & FLAG_OF);
	bool result = false;

	switch ((cc >> 1) & 7) {
	case 0:
		result = rflags & FLAG_OF;
		break;
	case 1:
		result = rflags & FLAG_CF;
		break;
	case 2:
		result = rflags & FLAG_ZF;
		break;
	case 3:
		result = rflags & (FLAG_CF | FLAG_ZF);
		break;
	case 4:
		result = rflags & FLAG_SF;
		break;
	case 5:
		result = rflags & FLAG_PF;
		break;
	case 6:
		result = sf_ne_of;
		break;
	case 7:
		result = sf_ne_of || (rflags & FLAG_ZF);
		break;
	}
	return result != (cc & 1);
}

int exec_alu(struct x86_emulator *ctx)
{
	unsigned int size = ctx->insn.operand[0].size;
	unsigned int op = ctx->insn.op->arg;
	u64 a, b;
	int r;

	r = emul_load(ctx, 1, &b);
	if (r != EMUL_OK)
		return r;
	if (op == ALU_CMP) {
		r = emul_load(ctx, 0, &a);
		if (r == EMUL_OK)
			emul_alu(ctx, op, a, b, size);
		return r;
	}
	r = emul_load_rmw(ctx, &a);
	if (r != EMUL_OK)
		return r;
	return emul_store_rmw(ctx, a, emul_alu(ctx, op, a, b, size), ctx->insn.lock);
}

int exec_test(struct x86_emulator *ctx)
{
	u64 a, b;
	int r;

	r = emul_load(ctx, 0, &a);
	if (r == EMUL_OK)
		r = emul_load(ctx, 1, &b);
	if (r == EMUL_OK)
		emul_alu(ctx, ALU_AND, a, b, ctx->insn.operand[0].size);
	return r;
}

/* CF stays. */
int exec_inc_dec(struct x86_emulator *ctx)
{
	unsigned int op = ctx->insn.op->arg ? ALU_SUB : ALU_ADD;
	bool carry = ctx->next_rflags & FLAG_CF;
	u64 a, result;
	int r;

	r = emul_load_rmw(ctx, &a);
	if (r != EMUL_OK)
		return r;
	result = emul_alu(ctx, op, a, 1, ctx->insn.operand[0].size);
	emul_flags_set(ctx, FLAG_CF, carry);
	return emul_store_rmw(ctx, a, result, ctx->insn.lock);
}

int exec_not(struct x86_emulator *ctx)
{
	u64 a;
	int r = emul_load_rmw(ctx, &a);

	if (r != EMUL_OK)
		return r;
	return emul_store_rmw(ctx, a, ~a, ctx->insn.lock);
}

int exec_neg(struct x86_emulator *ctx)
{
	u64 a, result;
	int r = emul_load_rmw(ctx, &a);

	if (r != EMUL_OK)
		return r;
	result = emul_alu(ctx, ALU_SUB, 0, a, ctx->insn.operand[0].size);
	return emul_store_rmw(ctx, a, result, ctx->insn.lock);
}

/* ADCX (arg 0): carry in CF; ADOX: in OF; no other flag changes. */
int exec_adx(struct x86_emulator *ctx)
{
	u64 flag = ctx->insn.op->arg ? FLAG_OF : FLAG_CF;
	u64 flags = ctx->next_rflags;
	unsigned int size = ctx->insn.operand[0].size;
	u64 a, b, result;
	bool carry;
	int r;

	if (!emul_has(ctx, X86_EMULATOR_FEAT_ADX))
		return emul_ud(ctx);
	r = emul_load(ctx, 0, &a);
	if (r == EMUL_OK)
		r = emul_load(ctx, 1, &b);
	if (r != EMUL_OK)
		return r;
	result = add(ctx, a, b, flags & flag, size);
	carry = ctx->next_rflags & FLAG_CF;
	ctx->next_rflags = flags;
	emul_flags_set(ctx, flag, carry);
	return emul_store(ctx, 0, result);
}

/* CMC, CLC, STC, CLD, STD; arg is the opcode. */
int exec_flag(struct x86_emulator *ctx)
{
	switch (ctx->insn.op->arg) {
	case 0xf5:
		ctx->next_rflags ^= FLAG_CF;
		break;
	case 0xf8:
		emul_flags_set(ctx, FLAG_CF, false);
		break;
	case 0xf9:
		emul_flags_set(ctx, FLAG_CF, true);
		break;
	case 0xfc:
		emul_flags_set(ctx, FLAG_DF, false);
		break;
	case 0xfd:
		emul_flags_set(ctx, FLAG_DF, true);
		break;
	}
	return EMUL_OK;
}

int exec_daa_das(struct x86_emulator *ctx)
{
	u8 old = emul_read_reg(ctx, RAX, 1), al = old, low = 0;
	bool carry = ctx->next_rflags & FLAG_CF, out = carry;

	if ((old & 15) > 9 || (ctx->next_rflags & FLAG_AF))
		low = 6;
	if (low && ctx->insn.op->arg)
		out |= old < 6;
	if (ctx->insn.op->arg)
		al -= low;
	else
		al += low;
	if (old > 0x99 || carry) {
		al = ctx->insn.op->arg ? al - 0x60 : al + 0x60;
		out = true;
	}
	emul_flags_set(ctx, FLAG_CF, out);
	emul_flags_set(ctx, FLAG_AF, low);
	emul_flags_set(ctx, FLAG_OF, false);
	emul_flags_szp(ctx, al, 1);
	emul_write_reg(ctx, RAX, 1, al);
	return EMUL_OK;
}

int exec_aaa_aas(struct x86_emulator *ctx)
{
	u16 ax = emul_read_reg(ctx, RAX, 2);
	bool adjust = (ax & 15) > 9 || (ctx->next_rflags & FLAG_AF);

	if (adjust)
		ax = ctx->insn.op->arg ? ax - 0x106 : ax + 0x106;
	ax &= 0xff0f;
	emul_flags_szp(ctx, ax, 1);
	emul_flags_set(ctx, FLAG_CF | FLAG_AF, adjust);
	emul_flags_set(ctx, FLAG_OF, false);
	emul_write_reg(ctx, RAX, 2, ax);
	return EMUL_OK;
}

int exec_aam(struct x86_emulator *ctx)
{
	u8 divisor = ctx->insn.operand[0].value;
	u8 al = emul_read_reg(ctx, RAX, 1);

	if (!divisor)
		return emul_exception(ctx, VEC_DE);
	emul_write_reg(ctx, RAX, 2, (al / divisor) << 8 | al % divisor);
	emul_flags_set(ctx, FLAG_CF | FLAG_OF | FLAG_AF, false);
	emul_flags_szp(ctx, al % divisor, 1);
	return EMUL_OK;
}

int exec_aad(struct x86_emulator *ctx)
{
	u16 ax = emul_read_reg(ctx, RAX, 2);
	u8 al = (ax & 0xff) + (ax >> 8) * (u8)ctx->insn.operand[0].value;

	emul_write_reg(ctx, RAX, 2, al);
	emul_flags_set(ctx, FLAG_CF | FLAG_OF | FLAG_AF, false);
	emul_flags_szp(ctx, al, 1);
	return EMUL_OK;
}

int exec_salc(struct x86_emulator *ctx)
{
	emul_write_reg(ctx, RAX, 1, ctx->next_rflags & FLAG_CF ? 0xff : 0);
	return EMUL_OK;
}
