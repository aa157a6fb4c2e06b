// SPDX-License-Identifier: GPL-2.0-only
/*
 * The three-byte opcode maps, 0F 38 xx and 0F 3A xx (SDM 2D tables ),
 * without VEX.
 */
#include "table.h"

#define MMX_SSE		PREFIX(D(0, Pq, Qq), D(0, Vx, Wx), U, U)
#define SSE66		PREFIX(U, D(0, Vx, Wx), U, U)
#define SSE66_IMM	PREFIX(U, D(0, Vx, Wx, Ib), U, U)
#define SSE_NP		PREFIX(D(0, Vx, Wx), U, U, U)

const struct x86_emulator_opcode emul_table_0f38[256] = {
	[0x00] = X8(MMX_SSE), X4(MMX_SSE), U, U, U, U,
	[0x10] = SSE66, U, U, U, SSE66, SSE66, U, SSE66,
	[0x18] = U, U, U, U, MMX_SSE, MMX_SSE, MMX_SSE, U,
	[0x20] = X4(SSE66), X2(SSE66), U, U,
	[0x28] = SSE66, SSE66, PREFIX(U, IA(exec_vec_mov, 1, 0, Vx, Mx), U, U), SSE66,
	[0x2c] = U, U, U, U,
	[0x30] = X4(SSE66), X2(SSE66), U, SSE66,
	[0x38] = X8(SSE66),
	[0x40] = SSE66, SSE66, X2(U), X4(U), X8(U),
	[0x50] = X16(U),
	[0x60] = X16(U),
	[0x70] = X16(U),
	[0x80] = PREFIX(U, DN(VMX, 0, OPERAND(REG, NATIVE), Mdq), U, U),
	[0x81] = PREFIX(U, DN(VMX, 0, OPERAND(REG, NATIVE), Mdq), U, U),
	[0x82] = PREFIX(U, ID(exec_invpcid, INVPCID, ROW_PRIV, OPERAND(REG, NATIVE), Mdq), U, U),
	[0x83] = U, X4(U), X8(U),
	[0x90] = X16(U),
	[0xa0] = X16(U),
	[0xb0] = X16(U),
	[0xc0] = X8(U),
	[0xc8] = X4(SSE_NP), X2(SSE_NP), U, SSE66,
	/* D8: AES key locker */
	[0xdb] = SSE66, X4(PREFIX(U, D(0, Vx, Wx), N, U)),
	[0xe0] = X16(U),
	[0xf0] = PREFIX(I(exec_movbe, 0, Gv, Mv), I(exec_movbe, 0, Gv, Mv), U,
			I(exec_crc32, 0, Gy, Eb)),
	[0xf1] = PREFIX(I(exec_movbe, 0, Mv, Gv), I(exec_movbe, 0, Mv, Gv), U,
			I(exec_crc32, 0, Gy, Ev)),
	[0xf5] = N,
	[0xf9] = PREFIX(I(exec_movdiri, 0, My, Gy), N, N, N),
	[0xf6] = PREFIX(N, IA(exec_adx, 0, 0, Gy, Ey), IA(exec_adx, 1, 0, Gy, Ey), U),
};

const struct x86_emulator_opcode emul_table_0f3a[256] = {
	[0x00] = X8(U),
	[0x08] = X4(SSE66_IMM), X2(SSE66_IMM), SSE66_IMM,
	[0x0f] = PREFIX(D(0, Pq, Qq, Ib), D(0, Vx, Wx, Ib), U, U),
	[0x10] = X4(U),
	[0x14] = PREFIX(U, IA(exec_vec_extract, 1, 0, Ed, Vx, Ib), U, U),
		 PREFIX(U, IA(exec_vec_extract, 2, 0, Ed, Vx, Ib), U, U),
	[0x16] = PREFIX(U, I(exec_vec_extract, 0, Ey, Vx, Ib), U, U),
		 PREFIX(U, IA(exec_vec_extract, 4, 0, Ed, Vx, Ib), U, U),
	[0x18] = X8(U),
	[0x20] = PREFIX(U, IA(exec_vec_insert, 1, 0, Vx, Ed, Ib), U, U), SSE66_IMM,
	[0x22] = PREFIX(U, I(exec_vec_insert, 0, Vx, Ey, Ib), U, U), U, X4(U), X8(U),
	[0x30] = X16(U),
	[0x40] = X2(SSE66_IMM), SSE66_IMM, U, SSE66_IMM, U, U, U,
	[0x48] = X8(U),
	[0x50] = X16(U),
	[0x60] = X4(SSE66_IMM), X4(U), X8(U),
	[0x70] = X16(U),
	[0x80] = X16(U),
	[0x90] = X16(U),
	[0xa0] = X16(U),
	[0xb0] = X16(U),
	[0xc0] = X8(U), X4(U),
	[0xcc] = PREFIX(D(0, Vx, Wx, Ib), U, U, U), U,
	[0xce] = SSE66_IMM, SSE66_IMM,
	[0xd0] = X8(U), X4(U), X2(U), U,
	[0xdf] = SSE66_IMM,
	[0xe0] = X16(U),
};
