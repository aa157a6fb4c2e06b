// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segmentation, canonical addresses and the stack: how an instruction's memory
 * accesses become linear ones, and what faults on the way (SDM 3A 5.3 to 5.5,
 * SDM 1 3.3.7). Paging is behind the owner's read() and write().
 */
#include "internal.h"

static unsigned int linear_bits(struct x86_emulator *ctx)
{
	return ctx->ops->get_cr(ctx, 4) & CR4_LA57_BIT ? 57 : 48;
}

static bool canonical_in(u64 linear, unsigned int bits)
{
	return (u64)((s64)(linear << (64 - bits)) >> (64 - bits)) == linear;
}

bool emul_canonical(struct x86_emulator *ctx, u64 linear)
{
	/* Canonical in 48 bits is so in 57: most addresses need no CR4. */
	return canonical_in(linear, 48) || canonical_in(linear, linear_bits(ctx));
}

/*
 * Linear address masking: which bit a tagged data address is extended from;
 * 64: LAM is off for this half (SDM 3A 4.4).
 */
static unsigned int lam_bits(struct x86_emulator *ctx, u64 linear)
{
	u64 cr3;

	if (linear >> 63) {
		if (!(ctx->ops->get_cr(ctx, 4) & CR4_LAM_SUP_BIT))
			return 64;
		return linear_bits(ctx);
	}
	cr3 = ctx->ops->get_cr(ctx, 3);
	if (cr3 & CR3_LAM_U57_BIT)
		return 57;
	return cr3 & CR3_LAM_U48_BIT ? 48 : 64;
}

static bool data_canonical(struct x86_emulator *ctx, u64 *linear, u32 access)
{
	unsigned int bits;
	u64 masked;

	if (emul_canonical(ctx, *linear))
		return true;
	if (access & X86_EMULATOR_IMPLICIT)
		return false;
	bits = lam_bits(ctx, *linear);
	if (bits == 64)
		return false;
	/* Bit 63 stays and must agree with the highest bit that counts. */
	masked = (u64)((s64)(*linear << (64 - bits)) >> (64 - bits));
	if (masked >> 63 != *linear >> 63 || !emul_canonical(ctx, masked))
		return false;
	*linear = masked;
	return true;
}

/* Limit and type of a segment outside 64 bit mode (SDM 3A 5.3, 5.5). */
static bool segment_allows(struct x86_emulator *ctx,
			   const struct x86_emulator_segment *s, u64 offset,
			   unsigned int len, u32 access)
{
	u64 last = offset + (len ? len - 1 : 0);

	if (emul_is_protected(ctx)) {
		bool code = s->type & 8;

		if (s->unusable || !s->s)
			return false;
		if ((access & X86_EMULATOR_WRITE) && (code || !(s->type & 2)))
			return false;
		if (!(access & X86_EMULATOR_WRITE) && code && !(s->type & 2))
			return false;
	}
	if (!(s->type & 8) && (s->type & 4)) {
		/* Expand down: what lies above the limit is valid. */
		return offset > s->limit && last <= (s->db ? 0xffffffffu : 0xffffu);
	}
	return last <= s->limit;
}

/* Alignment check (SDM 3A 6.15, vector 17). */
static int check_alignment(struct x86_emulator *ctx, u64 linear, unsigned int len)
{
	if (!(ctx->rflags & FLAG_AC) || ctx->cpl != 3)
		return EMUL_OK;
	if ((len & (len - 1)) || len > 8 || !(linear & (len - 1)))
		return EMUL_OK;
	if (!(ctx->ops->get_cr(ctx, 0) & CR0_AM_BIT))
		return EMUL_OK;
	return emul_exception_code(ctx, VEC_AC, 0);
}

void emul_watch(struct x86_emulator *ctx, u64 address, unsigned int len, unsigned int types)
{
	static const u8 lengths[4] = { 1, 2, 8, 4 };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		unsigned int field = ctx->watch_dr7 >> (16 + 4 * i);
		u64 size = lengths[(field >> 2) & 3];
		u64 start = ctx->watch_db[i] & ~(size - 1);

		if (!((ctx->watch_dr7 >> (2 * i)) & 3) || !(types & 1 << (field & 3)))
			continue;
		if (start - address < len || address - start < size)
			ctx->next_dr6 |= 1u << i;
	}
}

int emul_linear(struct x86_emulator *ctx, unsigned int seg, u64 offset,
		unsigned int len, u32 access, u64 *linear)
{
	if (emul_is_64(ctx)) {
		u64 last;

		*linear = offset;
		if (seg == FS || seg == GS)
			*linear += emul_segment(ctx, seg)->base;
		if (!len)
			return EMUL_OK;
		last = *linear + len - 1;
		if (!data_canonical(ctx, linear, access))
			goto bad;
		/* What is canonical ends with a page. */
		if ((last ^ *linear) & ~0xfffull && !data_canonical(ctx, &last, access))
			goto bad;
	} else {
		const struct x86_emulator_segment *s = emul_segment(ctx, seg);

		offset = (u32)offset;
		*linear = (u32)(s->base + offset);
		if (len && !segment_allows(ctx, s, offset, len, access))
			goto bad;
	}
	if (!len || (access & X86_EMULATOR_IMPLICIT))
		return EMUL_OK;
	if (ctx->watch_dr7)
		emul_watch(ctx, *linear, len,
			   access & X86_EMULATOR_WRITE ? 1 << 1 | 1 << 3 : 1 << 3);
	return check_alignment(ctx, *linear, len);
bad:
	return emul_exception_code(ctx, seg == SS ? VEC_SS : VEC_GP, 0);
}

static u32 data_access(const struct x86_emulator *ctx, u32 access)
{
	return ctx->cpl == 3 ? access | X86_EMULATOR_USER : access;
}

int emul_read(struct x86_emulator *ctx, unsigned int seg, u64 offset,
	      void *data, unsigned int len, u32 access)
{
	u64 linear;
	int r = emul_linear(ctx, seg, offset, len, access, &linear);

	if (r != EMUL_OK)
		return r;
	return ctx->ops->read(ctx, linear, data, len, data_access(ctx, access));
}

int emul_write(struct x86_emulator *ctx, unsigned int seg, u64 offset,
	       const void *data, unsigned int len)
{
	u64 linear;
	int r = emul_linear(ctx, seg, offset, len, X86_EMULATOR_WRITE, &linear);

	if (r != EMUL_OK)
		return r;
	return ctx->ops->write(ctx, linear, data, len, data_access(ctx, X86_EMULATOR_WRITE));
}

int emul_read_system(struct x86_emulator *ctx, u64 linear, void *data, unsigned int len)
{
	return ctx->ops->read(ctx, linear, data, len, X86_EMULATOR_IMPLICIT);
}

int emul_write_system(struct x86_emulator *ctx, u64 linear, const void *data,
		      unsigned int len)
{
	return ctx->ops->write(ctx, linear, data, len,
			       X86_EMULATOR_WRITE | X86_EMULATOR_IMPLICIT);
}

unsigned int emul_stack_size(struct x86_emulator *ctx)
{
	if (emul_is_64(ctx))
		return 8;
	return emul_segment(ctx, SS)->db ? 4 : 2;
}

void emul_add_rsp(struct x86_emulator *ctx, s64 delta)
{
	unsigned int size = emul_stack_size(ctx);

	emul_write_reg(ctx, RSP, size, x86_emulator_get_gpr(ctx, RSP) + delta);
}

static int probe_slot(struct x86_emulator *ctx, u64 slot, unsigned int size)
{
	u64 linear;
	int r;

	slot &= emul_mask(emul_stack_size(ctx));
	r = emul_linear(ctx, SS, slot, size, X86_EMULATOR_WRITE, &linear);
	if (r != EMUL_OK)
		return r;
	return ctx->ops->probe(ctx, linear, size, data_access(ctx, X86_EMULATOR_WRITE));
}

int emul_probe_push(struct x86_emulator *ctx, unsigned int size)
{
	return probe_slot(ctx, x86_emulator_get_gpr(ctx, RSP) - size, size);
}

int emul_push(struct x86_emulator *ctx, const u64 *values, unsigned int count,
	      unsigned int size)
{
	unsigned int stack = emul_stack_size(ctx);
	unsigned int bytes = count * size, i;
	u64 top = x86_emulator_get_gpr(ctx, RSP);
	u64 low = (top - bytes) & emul_mask(stack);
	u8 frame[64];
	int r;

	if (bytes > sizeof(frame))
		return EMUL_UNHANDLEABLE;

	/* What can't be pushed is found in the order of the pushes; CR2 tells which it was. */
	for (i = 1; i <= count && count > 1; i++) {
		r = probe_slot(ctx, top - i * size, size);
		if (r != EMUL_OK)
			return r;
	}

	/* Little endian: the low bytes of a value are its first. */
	for (i = 0; i < count; i++)
		memcpy(frame + bytes - (i + 1) * size, &values[i], size);

	if (low + bytes - 1 <= emul_mask(stack)) {
		r = emul_write(ctx, SS, low, frame, bytes);
	} else {
		/* Wraps around the end of the stack segment: slot by slot. */
		for (i = 0, r = EMUL_OK; i < count && r == EMUL_OK; i++)
			r = emul_write(ctx, SS, (low + i * size) & emul_mask(stack),
				       frame + i * size, size);
	}
	if (r == EMUL_OK)
		emul_add_rsp(ctx, -(s64)bytes);
	return r;
}

int emul_peek(struct x86_emulator *ctx, unsigned int skip, u64 *value, unsigned int size)
{
	u64 offset = (x86_emulator_get_gpr(ctx, RSP) + skip) & emul_mask(emul_stack_size(ctx));

	*value = 0;
	return emul_read(ctx, SS, offset, value, size, 0);
}
