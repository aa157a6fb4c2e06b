/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMX instructions in C (SDM 3C chapter 31). They tell of failure by CF (no
 * current VMCS) or ZF (error number in the VMCS), and raise #UD when VMX is off,
 * which is expected only while the machine goes down.
 */
#ifndef VENDOR_VMX_VMX_OPS_H
#define VENDOR_VMX_VMX_OPS_H

#include <linux/types.h>
#include <asm/asm.h>

#include "vendor-vmx/vmcs.h"

/** vmx_insn_failed() - say once that an instruction failed, unless the machine goes down */
void vmx_insn_failed(const char *what, unsigned long operand);

/*
 * A fault leaves RFLAGS as they were before the instruction: with CF set, it is
 * one more failure, and needs no code of its own.
 */
#define VMX_INSN(insn, failed, outputs, inputs...)			\
	asm volatile("stc\n\t"						\
		     "1: " insn "\n"					\
		     "2:\n\t"						\
		     _ASM_EXTABLE(1b, 2b)				\
		     : "=@ccbe" (failed) outputs : inputs : "memory")

#define VMX_OUT(...)	, __VA_ARGS__

/* Natural width, and what is no wider. */
static __always_inline unsigned long vmcs_read(enum vmcs_field field)
{
	unsigned long value;
	bool failed;

	VMX_INSN("vmread %[field], %[value]", failed, VMX_OUT([value] "=r" (value)),
		 [field] "r" ((unsigned long)field));
	if (unlikely(failed)) {
		vmx_insn_failed("VMREAD", field);
		return 0;
	}
	return value;
}

static __always_inline void vmcs_write(enum vmcs_field field, unsigned long value)
{
	bool failed;

	VMX_INSN("vmwrite %[value], %[field]", failed, ,
		 [field] "r" ((unsigned long)field), [value] "rm" (value));
	if (unlikely(failed))
		vmx_insn_failed("VMWRITE", field);
}

/* 64 bits: a 32 bit host needs two accesses (SDM 3D appendix B.2). */
static __always_inline u64 vmcs_read64(enum vmcs_field field)
{
	if (IS_ENABLED(CONFIG_X86_64))
		return vmcs_read(field);
	return vmcs_read(field) | (u64)vmcs_read(field + 1) << 32;
}

static __always_inline void vmcs_write64(enum vmcs_field field, u64 value)
{
	vmcs_write(field, value);
	if (!IS_ENABLED(CONFIG_X86_64))
		vmcs_write(field + 1, value >> 32);
}

static inline void vmx_vmclear(u64 pa)
{
	bool failed;

	VMX_INSN("vmclear %[pa]", failed, , [pa] "m" (pa));
	if (unlikely(failed))
		vmx_insn_failed("VMCLEAR", pa);
}

static inline void vmx_vmptrld(u64 pa)
{
	bool failed;

	VMX_INSN("vmptrld %[pa]", failed, , [pa] "m" (pa));
	if (unlikely(failed))
		vmx_insn_failed("VMPTRLD", pa);
}

static inline void vmx_invept(unsigned long type, u64 eptp)
{
	struct { u64 eptp, reserved; } operand = { eptp, 0 };
	bool failed;

	VMX_INSN("invept %[operand], %[type]", failed, ,
		 [operand] "m" (operand), [type] "r" (type));
	if (unlikely(failed))
		vmx_insn_failed("INVEPT", type);
}

static inline void vmx_invvpid(unsigned long type, u16 vpid, u64 gva)
{
	struct { u64 vpid, gva; } operand = { vpid, gva };
	bool failed;

	VMX_INSN("invvpid %[operand], %[type]", failed, ,
		 [operand] "m" (operand), [type] "r" (type));
	if (unlikely(failed))
		vmx_insn_failed("INVVPID", type);
}

#endif
