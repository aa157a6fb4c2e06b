// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VEX encoded maps (SDM 2A 2.3, 2D tables ), as far as
 * instructions that move data, and the general-register ones (BMI1, BMI2); the EVEX
 * encoded ones, as far as plain moves. Rows that are missing are unknown, not undefined.
 */
#include "table.h"

#define ONLY66(row)	PREFIX(U, row, U, U)
#define ONLYNP(row)	PREFIX(row, U, U, U)

const struct x86_emulator_opcode emul_table_vex_0f[256] = {
	[0x10] = PREFIX(I(exec_vec_mov, 0, Vx, Wx), I(exec_vec_mov, 0, Vx, Wx),
			I(exec_vex_mov_scalar, ROW_VVVV_REG, Vd, Wd),
			I(exec_vex_mov_scalar, ROW_VVVV_REG, Vq, Wq)),
	[0x11] = PREFIX(I(exec_vec_mov, 0, Wx, Vx), I(exec_vec_mov, 0, Wx, Vx),
			I(exec_vex_mov_scalar, ROW_VVVV_REG, Wd, Vd),
			I(exec_vex_mov_scalar, ROW_VVVV_REG, Wq, Vq)),
	[0x12] = PREFIX(IA(exec_vec_mov_half, 0, ROW_L0 | ROW_VVVV, Vq, Wq),
			IA(exec_vec_mov_half, 0, ROW_L0 | ROW_VVVV, Vq, Mq),
			IA(exec_vec_dup, 4, 0, Vx, Wx), IA(exec_vec_dup, 8, 0, Vx, Wx)),
	[0x13] = PREFIX(IA(exec_vec_mov_half, 0, ROW_L0, Mq, Vq),
			IA(exec_vec_mov_half, 0, ROW_L0, Mq, Vq), U, U),
	[0x16] = PREFIX(IA(exec_vec_mov_half, 1, ROW_L0 | ROW_VVVV, Vq, Wq),
			IA(exec_vec_mov_half, 1, ROW_L0 | ROW_VVVV, Vq, Mq),
			IA(exec_vec_dup, 5, 0, Vx, Wx), U),
	[0x17] = PREFIX(IA(exec_vec_mov_half, 1, ROW_L0, Mq, Vq),
			IA(exec_vec_mov_half, 1, ROW_L0, Mq, Vq), U, U),
	[0x28] = PREFIX(IA(exec_vec_mov, 1, 0, Vx, Wx), IA(exec_vec_mov, 1, 0, Vx, Wx), U, U),
	[0x29] = PREFIX(IA(exec_vec_mov, 1, 0, Wx, Vx), IA(exec_vec_mov, 1, 0, Wx, Vx), U, U),
	[0x2b] = PREFIX(IA(exec_vec_mov, 1, 0, Mx, Vx), IA(exec_vec_mov, 1, 0, Mx, Vx), U, U),
	[0x6e] = ONLY66(I(exec_movd_vec, ROW_L0, Vd, Ey)),
	[0x6f] = PREFIX(U, IA(exec_vec_mov, 1, 0, Vx, Wx), I(exec_vec_mov, 0, Vx, Wx), U),
	[0x77] = ONLYNP(D(0)),
	[0x7e] = PREFIX(U, I(exec_movd_vec, ROW_L0, Ey, Vd),
			I(exec_vec_movq, ROW_L0, Vq, Wq), U),
	[0x7f] = PREFIX(U, IA(exec_vec_mov, 1, 0, Wx, Vx), I(exec_vec_mov, 0, Wx, Vx), U),
	[0xae] = MODREG(U, U, ONLYNP(D(ROW_L0, Md)), ONLYNP(D(ROW_L0, Md)), U, U, U, U,
			X4(U), X4(U)),
	[0xc4] = ONLY66(IA(exec_vec_insert, 2, ROW_L0 | ROW_VVVV, Vx, Ed, Ib)),
	[0xd6] = ONLY66(I(exec_vec_movq, ROW_L0, Wq, Vq)),
	[0xe7] = ONLY66(IA(exec_vec_mov, 1, 0, Mx, Vx)),
	[0xf0] = PREFIX(U, U, U, I(exec_vec_mov, 0, Vx, Mx)),
};

const struct x86_emulator_opcode emul_table_vex_0f38[256] = {
	[0x18] = ONLY66(IA(exec_vec_broadcast, 4, ROW_W0, Vx, Wd)),
	[0x19] = ONLY66(IA(exec_vec_broadcast, 8, ROW_W0 | ROW_L1, Vx, Wq)),
	[0x1a] = ONLY66(IA(exec_vec_broadcast, 16, ROW_W0 | ROW_L1, Vx, Mdq)),
	[0x2a] = ONLY66(IA(exec_vec_mov, 1, 0, Vx, Mx)),
	[0x58] = ONLY66(IA(exec_vec_broadcast, 4, ROW_W0, Vx, Wd)),
	[0x59] = ONLY66(IA(exec_vec_broadcast, 8, ROW_W0, Vx, Wq)),
	[0x5a] = ONLY66(IA(exec_vec_broadcast, 16, ROW_W0 | ROW_L1, Vx, Mdq)),
	[0x78] = ONLY66(IA(exec_vec_broadcast, 1, ROW_W0, Vx, OPERAND(VRM, 1))),
	[0x79] = ONLY66(IA(exec_vec_broadcast, 2, ROW_W0, Vx, Ww)),
	[0xf2] = ONLYNP(I(exec_andn, ROW_L0 | ROW_VVVV, Gy, By, Ey)),
	[0xf3] = ONLYNP(REG(U, IA(exec_bls, 1, ROW_L0 | ROW_VVVV, By, Ey),
			    IA(exec_bls, 2, ROW_L0 | ROW_VVVV, By, Ey),
			    IA(exec_bls, 3, ROW_L0 | ROW_VVVV, By, Ey), U, U, U, U)),
	[0xf5] = PREFIX(I(exec_bzhi, ROW_L0 | ROW_VVVV, Gy, Ey, By), U,
			IA(exec_pdep_pext, 1, ROW_L0 | ROW_VVVV, Gy, By, Ey),
			IA(exec_pdep_pext, 0, ROW_L0 | ROW_VVVV, Gy, By, Ey)),
	[0xf6] = PREFIX(U, U, U, I(exec_mulx, ROW_L0 | ROW_VVVV, Gy, By, Ey)),
	[0xf7] = PREFIX(I(exec_bextr, ROW_L0 | ROW_VVVV, Gy, Ey, By),
			IA(exec_shift_x, 4, ROW_L0 | ROW_VVVV, Gy, Ey, By),
			IA(exec_shift_x, 7, ROW_L0 | ROW_VVVV, Gy, Ey, By),
			IA(exec_shift_x, 5, ROW_L0 | ROW_VVVV, Gy, Ey, By)),
};

const struct x86_emulator_opcode emul_table_vex_0f3a[256] = {
	[0x14] = ONLY66(IA(exec_vec_extract, 1, ROW_L0, Ed, Vx, Ib)),
	[0x15] = ONLY66(IA(exec_vec_extract, 2, ROW_L0, Ed, Vx, Ib)),
	[0x16] = ONLY66(I(exec_vec_extract, ROW_L0, Ey, Vx, Ib)),
	[0x17] = ONLY66(IA(exec_vec_extract, 4, ROW_L0, Ed, Vx, Ib)),
	[0x18] = ONLY66(IA(exec_vec_insert128, 0, ROW_L1 | ROW_W0 | ROW_VVVV, Vx, Wdq, Ib)),
	[0x19] = ONLY66(IA(exec_vec_extract128, 0, ROW_L1 | ROW_W0, Wdq, Vx, Ib)),
	[0x20] = ONLY66(IA(exec_vec_insert, 1, ROW_L0 | ROW_VVVV, Vx, Ed, Ib)),
	[0x22] = ONLY66(I(exec_vec_insert, ROW_L0 | ROW_VVVV, Vx, Ey, Ib)),
	[0x38] = ONLY66(IA(exec_vec_insert128, 1, ROW_L1 | ROW_W0 | ROW_VVVV, Vx, Wdq, Ib)),
	[0x39] = ONLY66(IA(exec_vec_extract128, 1, ROW_L1 | ROW_W0, Wdq, Vx, Ib)),
	[0xf0] = PREFIX(U, U, U, I(exec_rorx, ROW_L0, Gy, Ey, Ib)),
};

const struct x86_emulator_opcode emul_table_evex_0f[256] = {
	[0x10] = PREFIX(I(exec_vec_mov, ROW_W0, Vx, Wx), I(exec_vec_mov, ROW_W1, Vx, Wx),
			I(exec_vex_mov_scalar, ROW_W0 | ROW_VVVV_REG, Vd, Wd),
			I(exec_vex_mov_scalar, ROW_W1 | ROW_VVVV_REG, Vq, Wq)),
	[0x11] = PREFIX(I(exec_vec_mov, ROW_W0, Wx, Vx), I(exec_vec_mov, ROW_W1, Wx, Vx),
			I(exec_vex_mov_scalar, ROW_W0 | ROW_VVVV_REG, Wd, Vd),
			I(exec_vex_mov_scalar, ROW_W1 | ROW_VVVV_REG, Wq, Vq)),
	[0x28] = PREFIX(IA(exec_vec_mov, 1, ROW_W0, Vx, Wx), IA(exec_vec_mov, 1, ROW_W1, Vx, Wx),
			N, N),
	[0x29] = PREFIX(IA(exec_vec_mov, 1, ROW_W0, Wx, Vx), IA(exec_vec_mov, 1, ROW_W1, Wx, Vx),
			N, N),
	[0x2b] = PREFIX(IA(exec_vec_mov, 1, ROW_W0, Mx, Vx), IA(exec_vec_mov, 1, ROW_W1, Mx, Vx),
			N, N),
	[0x6e] = PREFIX(N, I(exec_movd_vec, ROW_L0, Vd, Ey), N, N),
	[0x6f] = PREFIX(N, IA(exec_vec_mov, 1, 0, Vx, Wx), I(exec_vec_mov, 0, Vx, Wx),
			I(exec_vec_mov, 0, Vx, Wx)),
	[0x7e] = PREFIX(N, I(exec_movd_vec, ROW_L0, Ey, Vd),
			I(exec_vec_movq, ROW_L0 | ROW_W1, Vq, Wq), N),
	[0x7f] = PREFIX(N, IA(exec_vec_mov, 1, 0, Wx, Vx), I(exec_vec_mov, 0, Wx, Vx),
			I(exec_vec_mov, 0, Wx, Vx)),
	[0xd6] = PREFIX(N, I(exec_vec_movq, ROW_L0 | ROW_W1, Wq, Vq), N, N),
	[0xe7] = PREFIX(N, IA(exec_vec_mov, 1, ROW_W0, Mx, Vx), N, N),
};

const struct x86_emulator_opcode emul_table_evex_0f38[256] = {
	[0x2a] = PREFIX(N, IA(exec_vec_mov, 1, ROW_W0, Vx, Mx), N, N),
};
