/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints, with the names and fields that perf, trace-cmd and people know.
 * Made once, in trace.c.
 */
#if !defined(ARCH_X86_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define ARCH_X86_TRACE_H

#include <linux/tracepoint.h>

#include "arch-x86/x86.h"

#undef TRACE_SYSTEM
#define TRACE_SYSTEM kvm

#ifndef ARCH_X86_TRACE_ONCE
#define ARCH_X86_TRACE_ONCE

#define KVM_ISA_VMX	1
#define KVM_ISA_SVM	2

/* Exit code names of SVM, as perf shows them. */
#define kvm_trace_svm_exits						\
	{ 0x000, "read_cr0" }, { 0x004, "read_cr4" }, { 0x008, "read_cr8" },	\
	{ 0x010, "write_cr0" }, { 0x014, "write_cr4" }, { 0x018, "write_cr8" },	\
	{ 0x041, "excp_db" }, { 0x043, "excp_bp" }, { 0x046, "excp_ud" },	\
	{ 0x051, "excp_ac" }, { 0x052, "excp_mc" },				\
	{ 0x060, "interrupt" }, { 0x061, "nmi" }, { 0x062, "smi" },		\
	{ 0x063, "init" }, { 0x064, "vintr" }, { 0x065, "cr0_sel_write" },	\
	{ 0x06f, "rdpmc" }, { 0x072, "cpuid" }, { 0x073, "rsm" },		\
	{ 0x074, "iret" }, { 0x076, "invd" }, { 0x077, "pause" },		\
	{ 0x078, "hlt" }, { 0x07a, "invlpga" }, { 0x07b, "io" },		\
	{ 0x07c, "msr" }, { 0x07d, "task_switch" }, { 0x07f, "shutdown" },	\
	{ 0x081, "hypercall" }, { 0x089, "wbinvd" }, { 0x08a, "monitor" },	\
	{ 0x08b, "mwait" }, { 0x08d, "xsetbv" }, { 0x400, "npf" }

/* Exit reason names of VMX, likewise (SDM 3D appendix C). */
#define kvm_trace_vmx_exits						\
	{ 0, "EXCEPTION_NMI" }, { 1, "EXTERNAL_INTERRUPT" },		\
	{ 2, "TRIPLE_FAULT" }, { 3, "INIT_SIGNAL" }, { 4, "SIPI_SIGNAL" },	\
	{ 7, "INTERRUPT_WINDOW" }, { 8, "NMI_WINDOW" }, { 9, "TASK_SWITCH" },	\
	{ 10, "CPUID" }, { 12, "HLT" }, { 13, "INVD" }, { 14, "INVLPG" },	\
	{ 15, "RDPMC" }, { 16, "RDTSC" }, { 18, "VMCALL" }, { 19, "VMCLEAR" },	\
	{ 20, "VMLAUNCH" }, { 21, "VMPTRLD" }, { 22, "VMPTRST" }, { 23, "VMREAD" }, \
	{ 24, "VMRESUME" }, { 25, "VMWRITE" }, { 26, "VMOFF" }, { 27, "VMON" },	\
	{ 28, "CR_ACCESS" }, { 29, "DR_ACCESS" }, { 30, "IO_INSTRUCTION" },	\
	{ 31, "MSR_READ" }, { 32, "MSR_WRITE" }, { 33, "INVALID_STATE" },	\
	{ 34, "MSR_LOAD_FAIL" }, { 36, "MWAIT_INSTRUCTION" },			\
	{ 37, "MONITOR_TRAP_FLAG" }, { 39, "MONITOR_INSTRUCTION" },		\
	{ 40, "PAUSE_INSTRUCTION" }, { 41, "MCE_DURING_VMENTRY" },		\
	{ 43, "TPR_BELOW_THRESHOLD" }, { 44, "APIC_ACCESS" },			\
	{ 45, "EOI_INDUCED" }, { 46, "GDTR_IDTR" }, { 47, "LDTR_TR" },		\
	{ 48, "EPT_VIOLATION" }, { 49, "EPT_MISCONFIG" }, { 50, "INVEPT" },	\
	{ 51, "RDTSCP" }, { 52, "PREEMPTION_TIMER" }, { 53, "INVVPID" },	\
	{ 54, "WBINVD" }, { 55, "XSETBV" }, { 56, "APIC_WRITE" }, { 57, "RDRAND" }, \
	{ 58, "INVPCID" }, { 59, "VMFUNC" }, { 60, "ENCLS" }, { 61, "RDSEED" },	\
	{ 62, "PML_FULL" }, { 63, "XSAVES" }, { 64, "XRSTORS" }, { 67, "UMWAIT" }, \
	{ 68, "TPAUSE" }

/* Fill in what kvm_exit shows; in trace.c, since only kvm.ko may ask the vendor. */
void x86_trace_exit_info(struct x86_vcpu *vcpu, u32 *reason, u32 *isa, u64 *info1,
			 u64 *info2, u32 *intr_info, u32 *error_code);
unsigned long x86_trace_rip(struct x86_vcpu *vcpu);
#endif

TRACE_EVENT(kvm_entry,
	TP_PROTO(struct x86_vcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
		__field(unsigned long, rip)
	),
	TP_fast_assign(
		__entry->vcpu_id = vcpu->core.id;
		__entry->rip = x86_trace_rip(vcpu);
	),
	TP_printk("vcpu %u, rip 0x%lx", __entry->vcpu_id, __entry->rip)
);

TRACE_EVENT(kvm_exit,
	TP_PROTO(struct x86_vcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(unsigned int, exit_reason)
		__field(unsigned long, guest_rip)
		__field(u32, isa)
		__field(u64, info1)
		__field(u64, info2)
		__field(u32, intr_info)
		__field(u32, error_code)
		__field(unsigned int, vcpu_id)
	),
	TP_fast_assign(
		__entry->guest_rip = x86_trace_rip(vcpu);
		__entry->vcpu_id = vcpu->core.id;
		x86_trace_exit_info(vcpu, &__entry->exit_reason, &__entry->isa,
				    &__entry->info1, &__entry->info2,
				    &__entry->intr_info, &__entry->error_code);
	),
	TP_printk("vcpu %u reason %s rip 0x%lx info1 0x%016llx info2 0x%016llx intr_info 0x%08x error_code 0x%08x",
		  __entry->vcpu_id,
		  __entry->isa == KVM_ISA_VMX ?
		  __print_symbolic(__entry->exit_reason & 0xffff, kvm_trace_vmx_exits) :
		  __print_symbolic(__entry->exit_reason, kvm_trace_svm_exits),
		  __entry->guest_rip, __entry->info1, __entry->info2,
		  __entry->intr_info, __entry->error_code)
);

TRACE_EVENT(kvm_inj_virq,
	TP_PROTO(unsigned int vector, bool soft, bool reinjected),
	TP_ARGS(vector, soft, reinjected),
	TP_STRUCT__entry(
		__field(unsigned int, vector)
		__field(bool, soft)
		__field(bool, reinjected)
	),
	TP_fast_assign(
		__entry->vector = vector;
		__entry->soft = soft;
		__entry->reinjected = reinjected;
	),
	TP_printk("%s 0x%x%s", __entry->soft ? "Soft/INTn" : "IRQ", __entry->vector,
		  __entry->reinjected ? " [reinjected]" : "")
);

TRACE_EVENT(kvm_smm_transition,
	TP_PROTO(unsigned int vcpu_id, u64 smbase, bool entering),
	TP_ARGS(vcpu_id, smbase, entering),
	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
		__field(u64, smbase)
		__field(bool, entering)
	),
	TP_fast_assign(
		__entry->vcpu_id = vcpu_id;
		__entry->smbase = smbase;
		__entry->entering = entering;
	),
	TP_printk("vcpu %u: %s SMM, smbase 0x%llx", __entry->vcpu_id,
		  __entry->entering ? "entering" : "leaving", __entry->smbase)
);

TRACE_EVENT(kvm_inj_exception,
	TP_PROTO(unsigned int exception, bool has_error, unsigned int error_code,
		 bool reinjected),
	TP_ARGS(exception, has_error, error_code, reinjected),
	TP_STRUCT__entry(
		__field(u8, exception)
		__field(u8, has_error)
		__field(u32, error_code)
		__field(bool, reinjected)
	),
	TP_fast_assign(
		__entry->exception = exception;
		__entry->has_error = has_error;
		__entry->error_code = error_code;
		__entry->reinjected = reinjected;
	),
	TP_printk("#%u (0x%x)%s", __entry->exception,
		  __entry->has_error ? __entry->error_code : 0,
		  __entry->reinjected ? " [reinjected]" : "")
);

/* Port I/O, in and out, to a device of ours or to user space. */
#define KVM_PIO_IN	0
#define KVM_PIO_OUT	1

TRACE_EVENT(kvm_pio,
	TP_PROTO(unsigned int rw, unsigned int port, unsigned int size,
		 unsigned int count, const void *data),
	TP_ARGS(rw, port, size, count, data),
	TP_STRUCT__entry(
		__field(unsigned int, rw)
		__field(unsigned int, port)
		__field(unsigned int, size)
		__field(unsigned int, count)
		__field(unsigned int, val)
	),
	TP_fast_assign(
		__entry->rw = rw;
		__entry->port = port;
		__entry->size = size;
		__entry->count = count;
		__entry->val = 0;
		memcpy(&__entry->val, data, size);
	),
	TP_printk("pio_%s at 0x%x size %d count %d val 0x%x %s",
		  __entry->rw ? "write" : "read", __entry->port, __entry->size,
		  __entry->count, __entry->val, __entry->count > 1 ? "(...)" : "")
);

#define KVM_TRACE_MMIO_READ_UNSATISFIED	0
#define KVM_TRACE_MMIO_READ		1
#define KVM_TRACE_MMIO_WRITE		2

TRACE_EVENT(kvm_mmio,
	TP_PROTO(int type, int len, u64 gpa, const void *data),
	TP_ARGS(type, len, gpa, data),
	TP_STRUCT__entry(
		__field(u32, type)
		__field(u32, len)
		__field(u64, gpa)
		__field(u64, val)
	),
	TP_fast_assign(
		__entry->type = type;
		__entry->len = len;
		__entry->gpa = gpa;
		__entry->val = 0;
		if (data)
			memcpy(&__entry->val, data, min_t(u32, sizeof(__entry->val), len));
	),
	TP_printk("mmio %s len %u gpa 0x%llx val 0x%llx",
		  __print_symbolic(__entry->type, { 0, "unsatisfied-read" },
				   { 1, "read" }, { 2, "write" }),
		  __entry->len, __entry->gpa, __entry->val)
);

TRACE_EVENT(kvm_fast_mmio,
	TP_PROTO(u64 gpa),
	TP_ARGS(gpa),
	TP_STRUCT__entry(
		__field(u64, gpa)
	),
	TP_fast_assign(
		__entry->gpa = gpa;
	),
	TP_printk("fast mmio at gpa 0x%llx", __entry->gpa)
);

TRACE_EVENT(kvm_page_fault,
	TP_PROTO(struct x86_vcpu *vcpu, u64 fault_address, u64 error_code),
	TP_ARGS(vcpu, fault_address, error_code),
	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
		__field(unsigned long, guest_rip)
		__field(u64, fault_address)
		__field(u64, error_code)
	),
	TP_fast_assign(
		__entry->vcpu_id = vcpu->core.id;
		__entry->guest_rip = x86_trace_rip(vcpu);
		__entry->fault_address = fault_address;
		__entry->error_code = error_code;
	),
	TP_printk("vcpu %u rip 0x%lx address 0x%016llx error_code 0x%llx",
		  __entry->vcpu_id, __entry->guest_rip, __entry->fault_address,
		  __entry->error_code)
);

/* After decoding: the bytes fetched, and whether the emulator can't do it. */
TRACE_EVENT(kvm_emulate_insn,
	TP_PROTO(struct x86_vcpu *vcpu, bool failed),
	TP_ARGS(vcpu, failed),
	TP_STRUCT__entry(
		__field(__u64, rip)
		__field(__u8, len)
		__array(__u8, insn, X86_EMULATOR_MAX_INSN_LEN)
		__field(__u8, mode)
		__field(__u8, failed)
	),
	TP_fast_assign(
		__entry->rip = vcpu->emul.rip;
		__entry->len = vcpu->emul.insn.nr_bytes;
		memcpy(__entry->insn, vcpu->emul.insn.bytes, sizeof(__entry->insn));
		__entry->mode = vcpu->emul.mode;
		__entry->failed = failed;
	),
	TP_printk("rip 0x%llx:%s (%s)%s", __entry->rip,
		  __print_hex(__entry->insn, __entry->len),
		  __print_symbolic(__entry->mode, { X86_EMULATOR_REAL, "real" },
				   { X86_EMULATOR_VM86, "vm16" },
				   { X86_EMULATOR_PROT16, "prot16" },
				   { X86_EMULATOR_PROT32, "prot32" },
				   { X86_EMULATOR_PROT64, "prot64" }),
		  __entry->failed ? " failed" : "")
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH arch-x86
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
