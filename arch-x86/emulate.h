/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the rooms that own the emulator's operations: emulate.c (instructions),
 * emulate_mem.c (memory), emulate_state.c (registers and the rest), io.c (devices
 * and user space). Nobody else includes it.
 */
#ifndef ARCH_X86_EMULATE_H
#define ARCH_X86_EMULATE_H

#include "arch-x86/x86.h"

static inline struct x86_vcpu *emul_vcpu(struct x86_emulator *ctx)
{
	return container_of(ctx, struct x86_vcpu, emul);
}

/* emulate_mem.c */
int vcpu_emul_read(struct x86_emulator *ctx, u64 linear, void *data, unsigned int len, u32 access);
int vcpu_emul_write(struct x86_emulator *ctx, u64 linear, const void *data, unsigned int len,
	       u32 access);
int emul_probe(struct x86_emulator *ctx, u64 linear, unsigned int len, u32 access);
int emul_cmpxchg(struct x86_emulator *ctx, u64 linear, void *old, const void *new,
		 unsigned int len, u32 access);
/** emul_forget_pages() - what REP's iterations have walked to must be walked to again */
void emul_forget_pages(struct x86_vcpu *vcpu);

/* emulate_state.c: all of struct x86_emulator_ops */
extern const struct x86_emulator_ops x86_emul_ops;
/** x86_emul_get_exception() - ctx->exception in the vCPU's form */
struct x86_fault_info x86_emul_get_exception(const struct x86_emulator *ctx);

/** x86_emul_is_hypercall() - is the decoded instruction the hypercall of this vendor's CPUs? */
bool x86_emul_is_hypercall(const struct x86_emulator *ctx);

/* emulate_vector.c */
void emul_read_vector(struct x86_emulator *ctx, unsigned int reg, void *data,
		      unsigned int len);
void emul_write_vector(struct x86_emulator *ctx, unsigned int reg, const void *data,
		       unsigned int len, bool zero_upper);
/** emul_fpu_lock() - the CPU's FPU registers are the guest's until fpregs_unlock() */
void emul_fpu_lock(void);

/* emulate_x87.c */
int emul_x87_pending(struct x86_emulator *ctx);
void emul_x87_load(struct x86_emulator *ctx, unsigned int insn, const void *data);
bool emul_x87_store(struct x86_emulator *ctx, unsigned int insn, void *data, bool commit);
void emul_x87_register(struct x86_emulator *ctx, unsigned int insn, u8 *flags);
u64 emul_read_mmx(struct x86_emulator *ctx, unsigned int reg);
void emul_write_mmx(struct x86_emulator *ctx, unsigned int reg, u64 val);

/* io.c */

/** x86_io_begin() - a new instruction: empty log, empty queues */
void x86_io_begin(struct x86_vcpu *vcpu);

/**
 * x86_io_read() - a read with side effects: from the log of this instruction's
 *	reads, from a device of ours, or from user space
 * @vcpu: the vCPU
 * @addr: gpa, or port
 * @size: of one port access (1, 2, 4); 0: MMIO
 * @data: where it goes
 * @len: bytes; of ports: a multiple of @size
 *
 * Return: CONTINUE; IO_NEEDED: x86_io_exit_read() asks user space; UNHANDLEABLE:
 * the instruction reads more than the log holds. Context: SRCU.
 */
int x86_io_read(struct x86_vcpu *vcpu, u64 addr, unsigned int size, void *data,
		unsigned int len);

/** x86_io_write_mmio() - to a device of ours, or queued for user space.
 *  CONTINUE, UNHANDLEABLE (the queue is full; nothing was done). */
int x86_io_write_mmio(struct x86_vcpu *vcpu, gpa_t gpa, const void *data, unsigned int len);

/** x86_io_write_port() - @count values of @size bytes. Likewise. */
int x86_io_write_port(struct x86_vcpu *vcpu, u16 port, unsigned int size, const void *data,
		      unsigned int count);

/** x86_io_exit_read() - fill kvm_run with the read that is asked. X86_USER. */
int x86_io_exit_read(struct x86_vcpu *vcpu);

/** x86_io_exit_writes() - fill kvm_run with the next write. X86_USER; X86_RESUME if
 *  there is none. */
int x86_io_exit_writes(struct x86_vcpu *vcpu);

#endif
