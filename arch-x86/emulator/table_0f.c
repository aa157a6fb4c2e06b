// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two-byte opcode map, 0F xx (SDM 2D table A-3, APM 3 table A-3), without
 * VEX. MMX and SSE arithmetic is here with its length only.
 */
#include "table.h"

/* MMX or SSE2 (66), length only. */
#define MMX_SSE		PREFIX(D(0, Pq, Qq), D(0, Vx, Wx), U, U)
/* PS (none) or PD (66). */
#define PS_PD		PREFIX(D(0, Vx, Wx), D(0, Vx, Wx), U, U)
/* PS, PD, SS, SD. */
#define PS_PD_SS_SD	D(0, Vx, Wx)
/* Shifts by an immediate, in groups 12 and 13: the register forms. */
#define SHIFT_IMM	PREFIX(D(0, Nq, Ib), D(0, Ux, Ib), U, U)
#define HINT		I(exec_nop, ROW_MODRM)

#define GROUP7_MEM \
	ID(exec_store_table, SGDT, 0, M), IDA(exec_store_table, SIDT, 1, 0, M), \
	ID(exec_load_table, LGDT, ROW_PRIV, M), IDA(exec_load_table, LIDT, 1, ROW_PRIV, M), \
	ID(exec_smsw, SMSW, 0, Ewv), \
	PREFIX(U, U, D(0, M) /* RSTORSSP */, U), \
	ID(exec_lmsw, LMSW, 0, Ew), ID(exec_invlpg, INVLPG, ROW_PRIV, Mb)
#define GROUP7_0 \
	RM(N /* ENCLV */, ID(exec_hypercall, VMCALL, ROW_NO_PREFIX), \
	   DN(VMX, ROW_NO_PREFIX), DN(VMX, ROW_NO_PREFIX), DN(VMX, ROW_NO_PREFIX), \
	   N, N, U)
#define GROUP7_1 \
	RM(DN(MONITOR, ROW_NO_PREFIX), DN(MWAIT, ROW_NO_PREFIX), \
	   IA(exec_ac, 0, ROW_NO_PREFIX), IA(exec_ac, 1, ROW_NO_PREFIX), \
	   PREFIX(U, N, U, U), PREFIX(U, N, U, U), PREFIX(U, N, U, U), N)
#define GROUP7_2 \
	RM(ID(exec_xgetbv, XGETBV, ROW_NO_PREFIX), \
	   ID(exec_xsetbv, XSETBV, ROW_NO_PREFIX), U, U, \
	   DN(VMX, ROW_NO_PREFIX), N, N, N)
#define GROUP7_3 \
	RM(DN(VMRUN, 0), ID(exec_hypercall, VMMCALL, 0), DN(VMLOAD, 0), DN(VMSAVE, 0), \
	   DN(STGI, 0), DN(CLGI, 0), DN(SKINIT, 0), DN(INVLPGA, 0))
#define GROUP7_5 \
	RM(N, N, PREFIX(U, U, N, U), U, N, N, N, N)
#define GROUP7_7 \
	RM(I(exec_swapgs, ROW_ONLY64 | ROW_PRIV), ID(exec_rdtscp, RDTSCP, 0), \
	   PREFIX(DN(MONITOR, 0), U, N, U) /* MONITORX */, \
	   DN(MWAIT, ROW_NO_PREFIX) /* MWAITX */, DN(OTHER, 0) /* CLZERO */, \
	   DN(RDPRU, 0), PREFIX(DN(INVLPGB, 0), U, N, N), \
	   PREFIX(DN(TLBSYNC, 0), U, N, N))

const struct x86_emulator_opcode emul_table_0f[256] = {
	/* 00 */
	REG(ID(exec_sldt_str, SLDT, ROW_PROT, Ewv), IDA(exec_sldt_str, STR, 1, ROW_PROT, Ewv),
	    ID(exec_lldt, LLDT, ROW_PROT | ROW_PRIV, Ew),
	    ID(exec_ltr, LTR, ROW_PROT | ROW_PRIV, Ew),
	    IA(exec_verr_verw, 0, ROW_PROT, Ew), IA(exec_verr_verw, 1, ROW_PROT, Ew), U, U),
	MODREG(GROUP7_MEM,
	       GROUP7_0, GROUP7_1, GROUP7_2, GROUP7_3,
	       ID(exec_smsw, SMSW, 0, Ewv), GROUP7_5, ID(exec_lmsw, LMSW, 0, Ew), GROUP7_7),
	I(exec_lar, ROW_PROT, Gv, Ew), I(exec_lsl, ROW_PROT, Gv, Ew),
	U, I(exec_syscall, 0), ID(exec_clts, CLTS, ROW_PRIV), I(exec_sysret, 0),
	ID(exec_wbinvd, INVD, ROW_PRIV),
	PREFIX(ID(exec_wbinvd, WBINVD, ROW_PRIV), ID(exec_wbinvd, WBINVD, ROW_PRIV),
	       ID(exec_wbinvd, WBNOINVD, ROW_PRIV), ID(exec_wbinvd, WBINVD, ROW_PRIV)),
	U, U, U, HINT /* PREFETCHW */, D(0) /* FEMMS */,
	N /* 3DNow! */,
	/* 10 */
	PREFIX(I(exec_vec_mov, 0, Vx, Wx), I(exec_vec_mov, 0, Vx, Wx),
	       I(exec_vec_mov_scalar, 0, Vd, Wd), I(exec_vec_mov_scalar, 0, Vq, Wq)),
	PREFIX(I(exec_vec_mov, 0, Wx, Vx), I(exec_vec_mov, 0, Wx, Vx),
	       I(exec_vec_mov_scalar, 0, Wd, Vd), I(exec_vec_mov_scalar, 0, Wq, Vq)),
	PREFIX(IA(exec_vec_mov_half, 0, 0, Vq, Wq), IA(exec_vec_mov_half, 0, 0, Vq, Mq),
	       IA(exec_vec_dup, 4, 0, Vx, Wx), IA(exec_vec_dup, 8, 0, Vx, Wx)),
	PREFIX(IA(exec_vec_mov_half, 0, 0, Mq, Vq), IA(exec_vec_mov_half, 0, 0, Mq, Vq), U, U),
	PS_PD, PS_PD,
	PREFIX(IA(exec_vec_mov_half, 1, 0, Vq, Wq), IA(exec_vec_mov_half, 1, 0, Vq, Mq),
	       IA(exec_vec_dup, 5, 0, Vx, Wx), U),
	PREFIX(IA(exec_vec_mov_half, 1, 0, Mq, Vq), IA(exec_vec_mov_half, 1, 0, Mq, Vq), U, U),
	HINT, HINT, HINT, HINT, HINT, HINT, HINT, HINT,
	/* 20 */
	ID(exec_mov_from_cr, MOV_FROM_CR, ROW_PRIV, Rn, Cn),
	ID(exec_mov_from_dr, MOV_FROM_DR, ROW_PRIV, Rn, Dn),
	ID(exec_mov_to_cr, MOV_TO_CR, ROW_PRIV, Cn, Rn),
	ID(exec_mov_to_dr, MOV_TO_DR, ROW_PRIV, Dn, Rn),
	U, U, U, U,
	PREFIX(IA(exec_vec_mov, 1, 0, Vx, Wx), IA(exec_vec_mov, 1, 0, Vx, Wx), U, U),
	PREFIX(IA(exec_vec_mov, 1, 0, Wx, Vx), IA(exec_vec_mov, 1, 0, Wx, Vx), U, U),
	D(0, Vx, Wx),
	PREFIX(IA(exec_vec_mov, 1, 0, Mx, Vx), IA(exec_vec_mov, 1, 0, Mx, Vx),
	       N /* SSE4A */, N),
	D(0, Gy, Wx), D(0, Gy, Wx), PS_PD, PS_PD,
	/* 30 */
	ID(exec_wrmsr, WRMSR, ROW_PRIV), ID(exec_rdtsc, RDTSC, 0),
	ID(exec_rdmsr, RDMSR, ROW_PRIV), ID(exec_rdpmc, RDPMC, 0),
	I(exec_sysenter, 0), I(exec_sysexit, 0), U, N /* GETSEC */,
	N, U, N, U, U, U, U, U,
	/* 40 */
	X16(I(exec_cmov, 0, Gv, Ev)),
	/* 50 */
	PREFIX(D(0, Gd, Ux), D(0, Gd, Ux), U, U), PS_PD_SS_SD,
	PREFIX(D(0, Vx, Wx), U, D(0, Vx, Wx), U), PREFIX(D(0, Vx, Wx), U, D(0, Vx, Wx), U),
	PS_PD, PS_PD, PS_PD, PS_PD,
	PS_PD_SS_SD, PS_PD_SS_SD, PS_PD_SS_SD,
	PREFIX(D(0, Vx, Wx), D(0, Vx, Wx), D(0, Vx, Wx), U),
	PS_PD_SS_SD, PS_PD_SS_SD, PS_PD_SS_SD, PS_PD_SS_SD,
	/* 60 */
	X8(MMX_SSE),
	X4(MMX_SSE), X2(PREFIX(U, D(0, Vx, Wx), U, U)),
	PREFIX(I(exec_movd_mmx, 0, Pd, Ey), I(exec_movd_vec, 0, Vd, Ey), U, U),
	PREFIX(I(exec_mmx_mov, 0, Pq, Qq), IA(exec_vec_mov, 1, 0, Vx, Wx),
	       I(exec_vec_mov, 0, Vx, Wx), U),
	/* 70 */
	PREFIX(D(0, Pq, Qq, Ib), D(0, Vx, Wx, Ib), D(0, Vx, Wx, Ib), D(0, Vx, Wx, Ib)),
	REG(U, U, SHIFT_IMM, U, SHIFT_IMM, U, SHIFT_IMM, U),
	REG(U, U, SHIFT_IMM, U, SHIFT_IMM, U, SHIFT_IMM, U),
	REG(U, U, SHIFT_IMM, PREFIX(U, D(0, Ux, Ib), U, U),
	    U, U, SHIFT_IMM, PREFIX(U, D(0, Ux, Ib), U, U)),
	MMX_SSE, MMX_SSE, MMX_SSE, PREFIX(D(0), U, U, U) /* EMMS */,
	PREFIX(DN(VMX, 0, OPERAND(RM, NATIVE), OPERAND(REG, NATIVE)), N, U, N),
	PREFIX(DN(VMX, 0, OPERAND(REG, NATIVE), OPERAND(RM, NATIVE)), N, U, N),
	U, U,
	PREFIX(U, D(0, Vx, Wx), U, D(0, Vx, Wx)), PREFIX(U, D(0, Vx, Wx), U, D(0, Vx, Wx)),
	PREFIX(I(exec_movd_mmx, 0, Ey, Pd), I(exec_movd_vec, 0, Ey, Vd),
	       I(exec_vec_movq, 0, Vq, Wq), U),
	PREFIX(I(exec_mmx_mov, 0, Qq, Pq), IA(exec_vec_mov, 1, 0, Wx, Vx),
	       I(exec_vec_mov, 0, Wx, Vx), U),
	/* 80 */
	X16(I(exec_jcc, ROW_BRANCH64, Jz)),
	/* 90 */
	X16(I(exec_setcc, 0, Eb)),
	/* A0 */
	I(exec_push_seg, ROW_DEF64, SegFS), I(exec_pop_seg, ROW_DEF64, SegFS),
	ID(exec_cpuid, CPUID, 0), IA(exec_bt, 0, 0, Ev, Gv),
	IA(exec_shld_shrd, 0, 0, Ev, Gv, Ib), IA(exec_shld_shrd, 0, 0, Ev, Gv, CL), N, N,
	I(exec_push_seg, ROW_DEF64, SegGS), I(exec_pop_seg, ROW_DEF64, SegGS),
	ID(exec_rsm, RSM, 0), IA(exec_bt, 1, ROW_LOCK, Ev, Gv),
	IA(exec_shld_shrd, 1, 0, Ev, Gv, Ib), IA(exec_shld_shrd, 1, 0, Ev, Gv, CL),
	MODREG(PREFIX(D(0, M), U, U, U), PREFIX(D(0, M), U, U, U),
	       PREFIX(D(0, Md), U, U, U), PREFIX(D(0, Md), U, U, U),
	       PREFIX(D(0, M), U, N, U), PREFIX(D(0, M), U, U, U),
	       PREFIX(D(0, M), I(exec_clflush, 0, Mb), N, U),
	       PREFIX(I(exec_clflush, 0, Mb), I(exec_clflush, 0, Mb), U, U),
	       PREFIX(U, U, IA(exec_fsgsbase, 0, ROW_ONLY64, Ry), U),
	       PREFIX(U, U, IA(exec_fsgsbase, 1, ROW_ONLY64, Ry), U),
	       PREFIX(U, U, IA(exec_fsgsbase, 2, ROW_ONLY64, Ry), U),
	       PREFIX(U, U, IA(exec_fsgsbase, 3, ROW_ONLY64, Ry), U),
	       N,
	       PREFIX(I(exec_nop, ROW_MODRM), U, N, U),
	       PREFIX(I(exec_nop, ROW_MODRM), N, N, N),
	       PREFIX(I(exec_nop, ROW_MODRM), U, U, U)),
	I(exec_imul3, 0, Gv, Ev),
	/* B0 */
	I(exec_cmpxchg, ROW_LOCK, Eb, Gb), I(exec_cmpxchg, ROW_LOCK, Ev, Gv),
	IA(exec_load_far_pointer, X86_EMULATOR_SS, 0, Gv, Mp),
	IA(exec_bt, 2, ROW_LOCK, Ev, Gv),
	IA(exec_load_far_pointer, X86_EMULATOR_FS, 0, Gv, Mp),
	IA(exec_load_far_pointer, X86_EMULATOR_GS, 0, Gv, Mp),
	I(exec_movzx, 0, Gv, Eb), I(exec_movzx, 0, Gv, Ew),
	PREFIX(U, U, I(exec_popcnt, 0, Gv, Ev), U),
	U /* UD1 */,
	REG(U, U, U, U, IA(exec_bt, 0, 0, Ev, Ib), IA(exec_bt, 1, ROW_LOCK, Ev, Ib),
	    IA(exec_bt, 2, ROW_LOCK, Ev, Ib), IA(exec_bt, 3, ROW_LOCK, Ev, Ib)),
	IA(exec_bt, 3, ROW_LOCK, Ev, Gv),
	IA(exec_bit_scan, 0, 0, Gv, Ev), IA(exec_bit_scan, 1, 0, Gv, Ev),
	I(exec_movsx, 0, Gv, Eb), I(exec_movsx, 0, Gv, Ew),
	/* C0 */
	I(exec_xadd, ROW_LOCK, Eb, Gb), I(exec_xadd, ROW_LOCK, Ev, Gv),
	D(0, Vx, Wx, Ib),
	PREFIX(I(exec_mov, 0, My, Gy), U, U, U) /* MOVNTI */,
	PREFIX(D(0, Pq, Ed, Ib), IA(exec_vec_insert, 2, 0, Vx, Ed, Ib), U, U),
	PREFIX(D(0, Gd, Nq, Ib), D(0, Gd, Ux, Ib), U, U),
	PREFIX(D(0, Vx, Wx, Ib), D(0, Vx, Wx, Ib), U, U),
	MODREG(U, I(exec_cmpxchg8b, ROW_LOCK, M), U,
	       PREFIX(D(0, M), U, U, U) /* XRSTORS */, PREFIX(D(0, M), U, U, U) /* XSAVEC */,
	       PREFIX(D(0, M), U, U, U) /* XSAVES */,
	       PREFIX(DN(VMX, 0, Mq), DN(VMX, 0, Mq), DN(VMX, 0, Mq), U),
	       PREFIX(DN(VMX, 0, Mq), U, U, U),
	       U, U, U, U, U, U,
	       PREFIX(DN(RDRAND, 0, Rv), DN(RDRAND, 0, Rv), N, N),
	       PREFIX(DN(RDSEED, 0, Rv), DN(RDSEED, 0, Rv),
		      I(exec_rdpid, 0, OPERAND(RM_REG, NATIVE)), N)),
	X8(I(exec_bswap, 0, Zv)),
	/* D0 */
	PREFIX(U, D(0, Vx, Wx), U, D(0, Vx, Wx)), MMX_SSE, MMX_SSE, MMX_SSE,
	MMX_SSE, MMX_SSE,
	PREFIX(U, I(exec_vec_movq, 0, Wq, Vq), D(0, Ux), D(0, Ux)),
	PREFIX(D(0, Gd, Nq), D(0, Gd, Ux), U, U),
	X8(MMX_SSE),
	/* E0 */
	X4(MMX_SSE), MMX_SSE, MMX_SSE,
	PREFIX(U, D(0, Vx, Wx), D(0, Vx, Wx), D(0, Vx, Wx)),
	PREFIX(I(exec_mmx_mov, 0, Mq, Pq), IA(exec_vec_mov, 1, 0, Mx, Vx), U, U),
	X8(MMX_SSE),
	/* F0 */
	PREFIX(U, U, U, I(exec_vec_mov, 0, Vx, Mx)) /* LDDQU */,
	X4(MMX_SSE), X2(MMX_SSE),
	PREFIX(D(0, Pq, Nq), D(0, Vx, Ux), U, U),
	X4(MMX_SSE), X2(MMX_SSE), MMX_SSE, U /* UD0 */,
};
