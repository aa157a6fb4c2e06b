// SPDX-License-Identifier: GPL-2.0-only
/*
 * Putting a vCPU into a mode of the CPU: descriptor tables and page tables in
 * the VM's RAM (the layout is in vm.h), segments and control registers by
 * KVM_SET_SREGS.
 */
#include <elf.h>
#include <sys/auxv.h>

#include "guest.h"

#define PTE_P	1ull
#define PTE_W	2ull
#define PTE_U	4ull
#define PTE_PS	0x80ull
#define PTE_ALL	(PTE_P | PTE_W | PTE_U)

void vm_tables(struct vm *vm);

static u64 descriptor(u32 base, u32 limit, u32 type_etc)
{
	/* type_etc: the second dword's bits 23..20 and 15..8 */
	return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 |
	       (u64)type_etc << 32 | (u64)(limit >> 16 & 0xf) << 48 |
	       (u64)(base >> 24) << 56;
}

static void set_gdt(struct vm *vm)
{
	u64 *gdt = (u64 *)(vm->ram + GPA_GDT);

	gdt[SEL_CODE64 / 8] = descriptor(0, 0xfffff, 0xa09b00);
	gdt[SEL_DATA / 8] = descriptor(0, 0xfffff, 0xc09300);
	gdt[SEL_CODE32 / 8] = descriptor(0, 0xfffff, 0xc09b00);
	gdt[SEL_USER32 / 8] = descriptor(0, 0xfffff, 0xc0fb00);
	gdt[SEL_USERDATA / 8] = descriptor(0, 0xfffff, 0xc0f300);
	gdt[SEL_USER64 / 8] = descriptor(0, 0xfffff, 0xa0fb00);
	gdt[SEL_CODE16 / 8] = descriptor(0, 0xffff, 0x009b00);
	gdt[SEL_DATA16 / 8] = descriptor(0, 0xffff, 0x009300);
	for (u32 i = 0; i < MAX_VCPUS; i++)
		gdt[SEL_TSS / 8 + 2 * i] =
			descriptor(GPA_TSS + i * 0x100, 0x67, 0x008900);
}

static u64 stack_top(unsigned int id)
{
	return GPA_STACKS + (id + 1) * 0x4000;
}

static void set_idt64(struct vm *vm)
{
	extern u8 guest_user_return[];
	u64 *idt = (u64 *)(vm->ram + GPA_IDT);

	for (unsigned int i = 0; i < 256; i++) {
		u64 entry = (uintptr_t)guest_trap_stubs + i * 16;
		u64 dpl = i == 3 || i == 4 || i == 0x81 ? 3 : 0;

		if (i == 0x81)
			entry = (uintptr_t)guest_user_return;
		idt[2 * i] = (entry & 0xffff) | (u64)SEL_CODE64 << 16 |
			     (0x8e00ull | dpl << 13) << 32 |
			     (entry >> 16 & 0xffff) << 48;
		idt[2 * i + 1] = entry >> 32;
	}
	for (unsigned int i = 0; i < MAX_VCPUS; i++) {
		u8 *tss = vm->ram + GPA_TSS + i * 0x100;
		u64 rsp0 = stack_top(i) - 0x2000;

		memcpy(tss + 4, &rsp0, 8);
		tss[0x66] = 0x68;	/* no I/O bitmap */
	}
}

void vm_tables(struct vm *vm)
{
	u64 *pml4 = (u64 *)(vm->ram + GPA_PML4), *pdpt = pml4 + 512;
	u64 *pae = (u64 *)(vm->ram + GPA_PAE);
	u32 *pd32 = (u32 *)(vm->ram + GPA_PD32);

	set_gdt(vm);
	pml4[0] = (GPA_PML4 + 0x1000) | PTE_ALL;
	for (u64 i = 0; i < 4; i++) {
		pdpt[i] = (GPA_PML4 + 0x2000 + i * 0x1000) | PTE_ALL;
		pae[i] = (GPA_PAE + 0x1000 + i * 0x1000) | PTE_P;
	}
	for (u64 i = 0; i < 2048; i++) {
		pdpt[512 + i] = i << 21 | PTE_ALL | PTE_PS;
		pae[512 + i] = i << 21 | PTE_ALL | PTE_PS;
	}
	for (u32 i = 0; i < 1024; i++)
		pd32[i] = i << 22 | (u32)(PTE_ALL | PTE_PS);
}

u64 *vm_split(struct vm *vm, u64 gva)
{
	u64 *pd = (u64 *)(vm->ram + GPA_PML4 + 0x2000);
	u64 *pde = &pd[gva >> 21], *pt;
	u64 gpa;

	if (!(*pde & PTE_PS))
		return (u64 *)(vm->ram + (*pde & ~0xfffull));
	for (gpa = GPA_PT; gpa < GPA_STACKS; gpa += 0x1000) {
		pt = (u64 *)(vm->ram + gpa);
		if (!pt[0])
			break;
	}
	ASSERT(gpa < GPA_STACKS, "no page table left");
	for (u64 i = 0; i < 512; i++)
		pt[i] = ((gva & ~0x1fffffull) + (i << 12)) | PTE_ALL;
	*pde = gpa | PTE_ALL;
	return pt;
}

/* The program's own segments, as they are now, to the same addresses. */
static void copy_image(struct vm *vm)
{
	const Elf64_Phdr *ph = (const void *)getauxval(AT_PHDR);
	unsigned long n = getauxval(AT_PHNUM);

	if (vm->has_image)
		return;
	vm->has_image = true;
	for (unsigned int i = 0; i < MAX_VCPUS; i++) {
		guest_cpus[i].self = &guest_cpus[i];
		guest_cpus[i].id = i;
	}
	for (unsigned long i = 0; i < n; i++) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		ASSERT(ph[i].p_vaddr >= 0x400000 &&
		       ph[i].p_vaddr + ph[i].p_memsz <= vm->ram_size,
		       "link test programs with -static -no-pie");
		memcpy(vm->ram + ph[i].p_vaddr, (void *)ph[i].p_vaddr,
		       ph[i].p_memsz);
	}
	set_idt64(vm);
}

static struct kvm_segment data_segment(u16 selector, u8 dpl, bool big)
{
	return (struct kvm_segment) {
		.limit = big ? 0xffffffff : 0xffff, .selector = selector,
		.type = 3, .present = 1, .dpl = dpl, .db = big, .s = 1,
		.g = big,
	};
}

static struct kvm_segment code_segment(u16 selector, bool big, bool l)
{
	struct kvm_segment s = data_segment(selector, 0, big);

	s.type = 11;
	s.l = l;
	s.db = big && !l;
	return s;
}

static void start_at(struct vcpu *vcpu, u64 ip, u64 sp)
{
	struct kvm_regs r = { .rip = ip, .rsp = sp, .rflags = 2 };

	vcpu_set_regs(vcpu, &r);
}

void vcpu_real(struct vcpu *vcpu, u64 ip)
{
	struct kvm_segment data = data_segment(0, 0, false);
	struct kvm_sregs s;

	vcpu_sregs(vcpu, &s);
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.cs = code_segment(0, false, false);
	s.cr0 = CR0_ET;
	s.cr4 = 0;
	s.efer = 0;
	s.idt.base = GPA_IVT;
	s.idt.limit = 0x3ff;
	s.gdt.base = GPA_GDT;
	s.gdt.limit = 0x14f;
	vcpu_set_sregs(vcpu, &s);
	start_at(vcpu, ip, 0x7000);
}

static void protected_mode(struct vcpu *vcpu, u64 ip, u64 cr3, u64 cr4, u64 pg)
{
	struct kvm_segment data = data_segment(SEL_DATA, 0, true);
	struct kvm_sregs s;

	vcpu_sregs(vcpu, &s);
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.cs = code_segment(SEL_CODE32, true, false);
	s.tr = (struct kvm_segment) {
		.base = GPA_TSS + vcpu->id * 0x100, .limit = 0x67, .type = 11,
		.present = 1, .selector = SEL_TSS + vcpu->id * 16,
	};
	s.ldt = (struct kvm_segment) { .unusable = 1, .type = 2 };
	s.gdt.base = GPA_GDT;
	s.gdt.limit = 0x14f;
	s.idt.base = GPA_IDT;
	s.idt.limit = 0x7ff;
	s.efer = 0;
	s.cr3 = cr3;
	s.cr4 = cr4 | CR4_OSFXSR;
	s.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_WP | pg;
	vcpu_set_sregs(vcpu, &s);
	start_at(vcpu, ip, stack_top(vcpu->id));
}

void vcpu_prot(struct vcpu *vcpu, u64 ip)
{
	protected_mode(vcpu, ip, 0, 0, 0);
}

void vcpu_paging32(struct vcpu *vcpu, u64 ip)
{
	protected_mode(vcpu, ip, GPA_PD32, CR4_PSE, CR0_PG);
}

void vcpu_pae(struct vcpu *vcpu, u64 ip)
{
	protected_mode(vcpu, ip, GPA_PAE, CR4_PAE, CR0_PG);
}

void vcpu_long(struct vcpu *vcpu, void (*fn)(void))
{
	struct kvm_segment data = data_segment(SEL_USERDATA, 3, true);
	struct kvm_segment null = data_segment(0, 3, true);
	struct kvm_sregs s;

	copy_image(vcpu->vm);
	vcpu_sregs(vcpu, &s);
	s.ds = s.es = data;
	s.fs = s.gs = null;
	s.ss = data_segment(SEL_DATA, 0, true);
	s.gs.base = (uintptr_t)&guest_cpus[vcpu->id];
	s.cs = code_segment(SEL_CODE64, true, true);
	s.tr = (struct kvm_segment) {
		.base = GPA_TSS + vcpu->id * 0x100, .limit = 0x67, .type = 11,
		.present = 1, .selector = SEL_TSS + vcpu->id * 16,
	};
	s.ldt = (struct kvm_segment) { .unusable = 1, .type = 2 };
	s.gdt.base = GPA_GDT;
	s.gdt.limit = 0x14f;
	s.idt.base = GPA_IDT;
	s.idt.limit = 0xfff;
	s.efer = EFER_LME | EFER_LMA | EFER_NX;
	s.cr3 = GPA_PML4;
	s.cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	s.cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_NE | CR0_WP | CR0_MP;
	vcpu_set_sregs(vcpu, &s);
	/* As after a CALL: the ABI wants rsp + 8 aligned to 16. */
	start_at(vcpu, (uintptr_t)fn, stack_top(vcpu->id) - 8);
}
