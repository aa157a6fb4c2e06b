/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of a TLB that forgets nothing: configure --enable-tlb-model, for tests. Each
 * vCPU is taken to hold every translation that its tables ever had, until it flushes.
 * Emulators flush at each world switch, so a flush that is missing shows here only.
 *
 *  T1 An entry that names one page comes to name another only when no vCPU can hold
 *     the old one.
 *  T2 What became weaker is flushed, or its flush is requested of each vCPU, before
 *     mmu_lock drops or a table is freed; and before a vCPU enters.
 *  T3 A vCPU enters on a root that is alive, and flushed when it was loaded.
 *  T4 Entries change only where the model is told: by the functions that link, by
 *     those that give W, and by mmu_weaken().
 *
 * Not in the model: what a vendor makes of a flush (ASIDs, VPIDs, other CPUs), and the
 * guest's own translations. Without the option all of this is nothing.
 */
#ifndef ARCH_X86_MMU_TLB_MODEL_H
#define ARCH_X86_MMU_TLB_MODEL_H

#include <linux/kconfig.h>

#include "arch-x86/x86.h"

#define TLB_MODEL	IS_ENABLED(CONFIG_KVM_KMOD_TLB_MODEL)

/** tlb_model_vm_init() / tlb_model_vm_destroy() - 0, -ENOMEM. Sleeps. */
int __tlb_model_vm_init(struct x86_vm *vm);
void __tlb_model_vm_destroy(struct x86_vm *vm);
/** tlb_model_vcpu_create() / tlb_model_vcpu_destroy() - 0, -ENOMEM. Sleeps. */
int __tlb_model_vcpu_create(struct x86_vcpu *vcpu);
void __tlb_model_vcpu_destroy(struct x86_vcpu *vcpu);

/** tlb_model_page_new() - a page of entries, all empty, may be used from here on.
 *  0, -ENOMEM. Sleeps. */
int __tlb_model_page_new(struct x86_vm *vm, const u64 *entries);
/** tlb_model_page_private() - only @vcpu will run on it */
void __tlb_model_page_private(struct x86_vcpu *vcpu, const u64 *entries);
/** tlb_model_page_gone() - it is about to be freed */
void __tlb_model_page_gone(struct x86_vm *vm, const u64 *entries);

/** tlb_model_made() - an entry was filled, or became stronger. Context: mmu_lock, or in the
 *  RCU section in which it was changed. */
void __tlb_model_made(struct x86_vm *vm, const u64 *sptep);
/** tlb_model_weakened() - an entry was @old and has become @new. Context: mmu_lock held
 *  for write since. */
void __tlb_model_weakened(struct x86_vm *vm, const u64 *sptep, u64 old, u64 new);

/** tlb_model_flush_begin() - requests to flush are about to be taken. Its thread. */
void __tlb_model_flush_begin(struct x86_vcpu *vcpu);
/** tlb_model_flush_end() - the vCPU holds nothing, if @all, and runs on mmu.root. */
void __tlb_model_flush_end(struct x86_vcpu *vcpu, bool all);
/** tlb_model_unload() - it runs on nothing, and will flush when it loads a root */
void __tlb_model_unload(struct x86_vcpu *vcpu);

/** tlb_model_enter() - the vCPU is about to enter: T2, T3. Takes mmu_lock. */
void __tlb_model_enter(struct x86_vcpu *vcpu);
/** tlb_model_settled() - all that is weaker is flushed: T2. Context: mmu_lock held for write.
 *  @where: for the report */
void __tlb_model_settled(struct x86_vm *vm, const char *where);
/** tlb_model_agrees() - entries [from, to) of a page are what the model takes them for: T4.
 *  Context: mmu_lock held for write. False: a breach was reported. */
bool __tlb_model_agrees(struct x86_vm *vm, const char *where, const u64 *entries,
			unsigned int from, unsigned int to);

static inline int tlb_model_vm_init(struct x86_vm *vm)
{
	return TLB_MODEL ? __tlb_model_vm_init(vm) : 0;
}

static inline void tlb_model_vm_destroy(struct x86_vm *vm)
{
	if (TLB_MODEL)
		__tlb_model_vm_destroy(vm);
}

static inline int tlb_model_vcpu_create(struct x86_vcpu *vcpu)
{
	return TLB_MODEL ? __tlb_model_vcpu_create(vcpu) : 0;
}

static inline void tlb_model_vcpu_destroy(struct x86_vcpu *vcpu)
{
	if (TLB_MODEL)
		__tlb_model_vcpu_destroy(vcpu);
}

static inline int tlb_model_page_new(struct x86_vm *vm, const u64 *entries)
{
	return TLB_MODEL ? __tlb_model_page_new(vm, entries) : 0;
}

static inline void tlb_model_page_private(struct x86_vcpu *vcpu, const u64 *entries)
{
	if (TLB_MODEL)
		__tlb_model_page_private(vcpu, entries);
}

static inline void tlb_model_page_gone(struct x86_vm *vm, const u64 *entries)
{
	if (TLB_MODEL)
		__tlb_model_page_gone(vm, entries);
}

static inline void tlb_model_made(struct x86_vm *vm, const u64 *sptep)
{
	if (TLB_MODEL)
		__tlb_model_made(vm, sptep);
}

static inline void tlb_model_weakened(struct x86_vm *vm, const u64 *sptep, u64 old, u64 new)
{
	if (TLB_MODEL)
		__tlb_model_weakened(vm, sptep, old, new);
}

static inline void tlb_model_flush_begin(struct x86_vcpu *vcpu)
{
	if (TLB_MODEL)
		__tlb_model_flush_begin(vcpu);
}

static inline void tlb_model_flush_end(struct x86_vcpu *vcpu, bool all)
{
	if (TLB_MODEL)
		__tlb_model_flush_end(vcpu, all);
}

static inline void tlb_model_unload(struct x86_vcpu *vcpu)
{
	if (TLB_MODEL)
		__tlb_model_unload(vcpu);
}

static inline void tlb_model_enter(struct x86_vcpu *vcpu)
{
	if (TLB_MODEL)
		__tlb_model_enter(vcpu);
}

static inline void tlb_model_settled(struct x86_vm *vm, const char *where)
{
	if (TLB_MODEL)
		__tlb_model_settled(vm, where);
}

static inline bool tlb_model_agrees(struct x86_vm *vm, const char *where, const u64 *entries,
				    unsigned int from, unsigned int to)
{
	return !TLB_MODEL || __tlb_model_agrees(vm, where, entries, from, to);
}

#endif
