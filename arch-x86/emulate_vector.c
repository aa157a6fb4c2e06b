// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's vector registers for the emulator.
 *
 * During KVM_RUN the thread's FPU state is the guest's; a schedule may have
 * saved it to memory. With it loaded and locked into this CPU, the CPU's
 * registers are the guest's.
 */
#include <asm/fpu/api.h>

#include "arch-x86/emulate.h"

void emul_fpu_lock(void)
{
	fpregs_lock();
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
}

#define LOW_REGS(OP)	OP(0) OP(1) OP(2) OP(3) OP(4) OP(5) OP(6) OP(7)
#define HIGH_REGS(OP)	OP(8) OP(9) OP(10) OP(11) OP(12) OP(13) OP(14) OP(15)
/* Those that only EVEX names. */
#define EVEX_REGS(OP)	OP(16) OP(17) OP(18) OP(19) OP(20) OP(21) OP(22) OP(23) \
			OP(24) OP(25) OP(26) OP(27) OP(28) OP(29) OP(30) OP(31)

/* Register numbers are part of an instruction's name. Those from 8 exist in 64 bits. */
#define BY_NUMBER(reg, OP)							\
do {										\
	switch (reg) { LOW_REGS(OP) }						\
	if (IS_ENABLED(CONFIG_X86_64))						\
		switch (reg) { HIGH_REGS(OP) }					\
} while (0)

static void read_xmm(unsigned int reg, void *data)
{
	u8 (*mem)[16] = data;

#define OP(n) case n: asm volatile("movdqu %%xmm" #n ", %0" : "=m" (*mem)); break;
	BY_NUMBER(reg, OP);
#undef OP
}

static void read_ymm(unsigned int reg, void *data)
{
	u8 (*mem)[32] = data;

#define OP(n) case n: asm volatile("vmovdqu %%ymm" #n ", %0" : "=m" (*mem)); break;
	BY_NUMBER(reg, OP);
#undef OP
}

/* SSE: the upper bits stay. */
static void write_xmm(unsigned int reg, const void *data)
{
	const u8 (*mem)[16] = data;

#define OP(n) case n: asm volatile("movdqu %0, %%xmm" #n : : "m" (*mem)); break;
	BY_NUMBER(reg, OP);
#undef OP
}

/* VEX.128: the upper bits become 0. */
static void write_vex_xmm(unsigned int reg, const void *data)
{
	const u8 (*mem)[16] = data;

#define OP(n) case n: asm volatile("vmovdqu %0, %%xmm" #n : : "m" (*mem)); break;
	BY_NUMBER(reg, OP);
#undef OP
}

static void write_ymm(unsigned int reg, const void *data)
{
	const u8 (*mem)[32] = data;

#define OP(n) case n: asm volatile("vmovdqu %0, %%ymm" #n : : "m" (*mem)); break;
	BY_NUMBER(reg, OP);
#undef OP
}

/* What EVEX alone reaches: through all 64 bytes; what it writes zeroes the rest. */
static void read_evex(unsigned int reg, void *data, unsigned int len)
{
	u8 mem[64] = {};

#define OP(n) case n: asm volatile("vmovdqu64 %%zmm" #n ", %0" : "=m" (mem)); break;
	if (IS_ENABLED(CONFIG_X86_64))
		switch (reg) { LOW_REGS(OP) HIGH_REGS(OP) EVEX_REGS(OP) }
#undef OP
	memcpy(data, mem, len);
}

static void write_evex(unsigned int reg, const void *data, unsigned int len)
{
	u8 mem[64] = {};

	memcpy(mem, data, len);
#define OP(n) case n: asm volatile("vmovdqu64 %0, %%zmm" #n : : "m" (mem)); break;
	if (IS_ENABLED(CONFIG_X86_64))
		switch (reg) { LOW_REGS(OP) HIGH_REGS(OP) EVEX_REGS(OP) }
#undef OP
}

void emul_read_vector(struct x86_emulator *ctx, unsigned int reg, void *data,
		      unsigned int len)
{
	emul_fpu_lock();
	if (len > 32 || reg > 15)
		read_evex(reg, data, len);
	else if (len <= 16)
		read_xmm(reg, data);
	else
		read_ymm(reg, data);
	fpregs_unlock();
}

void emul_write_vector(struct x86_emulator *ctx, unsigned int reg, const void *data,
		       unsigned int len, bool zero_upper)
{
	emul_fpu_lock();
	if (len > 32 || reg > 15)
		write_evex(reg, data, len);
	else if (len > 16)
		write_ymm(reg, data);
	else if (zero_upper)
		write_vex_xmm(reg, data);
	else
		write_xmm(reg, data);
	fpregs_unlock();
}
