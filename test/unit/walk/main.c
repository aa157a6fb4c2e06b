// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk of the guest's page tables against the manuals (SDM 3A chapter 4, APM
 * 2 chapter 5): each line of the table below is one access and the answer that a
 * CPU gives: a gpa, or a #PF with this error code.
 */
#include <stdio.h>
#include <stdlib.h>

#include "shim.h"

#define MEMORY	(16 << 20)

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80 };
#define NX	(1ULL << 63)
#define PWU	(P | W | U)
#define KEY(k)	((u64)(k) << 59)

/* Where the tables are: one of each level, the page at GPA. */
enum { L5 = 0x1000, L4 = 0x2000, L3 = 0x3000, L2 = 0x4000, L1 = 0x5000, GPA = 0x678000 };
#define GVA	0x00c0a05123ULL		/* entries 0, 0, 3, 5, 5 */
#define GVA2	0xc0a05123ULL		/* 2-level: entries 0x302, 0x205 */

static u8 memory[MEMORY];
static gpa_t read_only = INVALID_GPA;	/* a page that can't be written */
static u64 change_at, change_to;	/* another vCPU's store, after the first read */
static unsigned int reads;

int kvm_vcpu_read_guest(struct kvm_vcpu *vcpu, gpa_t gpa, void *data, unsigned long len)
{
	if (gpa >= MEMORY || len > MEMORY - gpa)
		return -EFAULT;
	memcpy(data, memory + gpa, len);
	if (change_at && gpa == change_at) {
		memcpy(memory + gpa, &change_to, len);
		change_at = 0;
	}
	reads++;
	return 0;
}

int kvm_vcpu_read_entry(struct kvm_vcpu *vcpu, gpa_t gpa, void *entry, unsigned int len)
{
	if (gpa % len)
		return -EFAULT;
	return kvm_vcpu_read_guest(vcpu, gpa, entry, len);
}

int kvm_vcpu_cmpxchg_guest(struct kvm_vcpu *vcpu, gpa_t gpa, void *old, const void *new,
			   int bytes)
{
	if (gpa >= MEMORY || (gpa & ~4095ULL) == read_only)
		return -EFAULT;
	if (memcmp(memory + gpa, old, bytes)) {
		memcpy(old, memory + gpa, bytes);
		return 1;
	}
	memcpy(memory + gpa, new, bytes);
	return 0;
}

static void set64(gpa_t table, unsigned int index, u64 entry)
{
	memcpy(memory + table + 8 * index, &entry, 8);
}

static u64 get64(gpa_t table, unsigned int index)
{
	u64 entry;

	memcpy(&entry, memory + table + 8 * index, 8);
	return entry;
}

static void set32(gpa_t table, unsigned int index, u32 entry)
{
	memcpy(memory + table + 4 * index, &entry, 4);
}

static unsigned int number, failures;

static void result(bool ok, const char *what)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++number, what);
	failures += !ok;
}

#define FAULT	0x8000000000000000ULL	/* | error code */

static void expect(struct x86_vcpu *v, const char *what, u64 gva, u32 access, u64 want)
{
	struct x86_fault_info f = {};
	gpa_t gpa = x86_gva_to_gpa(v, gva, access, &f);
	bool ok;

	if (want & FAULT)
		ok = gpa == INVALID_GPA && f.vector == PF_VECTOR && f.error_code_valid &&
		     f.address == gva && f.error_code == (u16)want;
	else
		ok = gpa == want;
	result(ok, what);
	if (!ok)
		printf("# gpa %llx, vector %u, error code %x, address %llx; wanted %llx\n",
		       gpa, f.vector, f.error_code, f.address, want);
}

/* Long mode, everything allowed, all features on; a test takes away. */
static struct x86_vcpu *long_mode(int levels)
{
	static struct x86_vcpu v;

	memset(memory, 0, MEMORY);
	read_only = INVALID_GPA;
	change_at = 0;
	v = (struct x86_vcpu) {
		.cr0 = X86_CR0_PG | X86_CR0_WP,
		.cr3 = levels == 5 ? L5 : L4,
		.cr4 = X86_CR4_PAE | (levels == 5 ? X86_CR4_LA57 : 0),
		.efer = EFER_LMA | EFER_NX,
		.maxphyaddr = 40,
		.gbpages = true,
		.amd = true,
	};
	set64(L5, 0, L4 | PWU);
	set64(L4, 0, L3 | PWU);
	set64(L3, 3, L2 | PWU);
	set64(L2, 5, L1 | PWU);
	set64(L1, 5, GPA | PWU);
	return &v;
}

static void test_long(void)
{
	struct x86_vcpu *v = long_mode(4);
	const u32 user = X86_ACC_USER, write = X86_ACC_WRITE, fetch = X86_ACC_FETCH;

	expect(v, "4 levels: a read finds its page", GVA, 0, GPA + 0x123);
	result(get64(L4, 0) & A && get64(L1, 5) & A && !(get64(L1, 5) & D),
	       "a read sets A at every level, and no D");
	expect(v, "a user's write finds its page", GVA, user | write, GPA + 0x123);
	result(get64(L1, 5) & D && !(get64(L2, 5) & D), "a write sets D in the leaf only");

	set64(L1, 5, 0);
	expect(v, "absent page: P clear", GVA, user | write, FAULT | 6);
	expect(v, "absent page, fetched: I/D set", GVA, fetch, FAULT | 0x10);
	v->efer &= ~EFER_NX;
	expect(v, "absent page, fetched, neither NX nor SMEP: I/D clear", GVA, fetch, FAULT | 0);
	set64(L1, 5, GPA | PWU | NX);
	expect(v, "NX off: bit 63 is reserved", GVA, 0, FAULT | 9);

	v = long_mode(4);
	set64(L2, 5, L1 | PWU | NX);
	expect(v, "NX at a higher level forbids the fetch", GVA, user | fetch, FAULT | 0x15);
	expect(v, "NX does not forbid a read", GVA, user, GPA + 0x123);

	v = long_mode(4);
	set64(L3, 3, L2 | P | W);
	expect(v, "U clear at a higher level: no user", GVA, user, FAULT | 5);
	expect(v, "U clear: a supervisor reads", GVA, 0, GPA + 0x123);
	set64(L3, 3, L2 | P | U);
	expect(v, "W clear at a higher level: no user writes", GVA, user | write, FAULT | 7);
	expect(v, "W clear, WP: no supervisor writes", GVA, write, FAULT | 3);
	v->cr0 &= ~X86_CR0_WP;
	expect(v, "W clear, no WP: a supervisor writes", GVA, write, GPA + 0x123);
	result(!(get64(L3, 3) & D) && get64(L1, 5) & D, "... and D is set");

	v = long_mode(4);
	v->cr4 |= X86_CR4_SMEP;
	expect(v, "SMEP: no supervisor fetches a user's page", GVA, fetch, FAULT | 0x11);
	expect(v, "SMEP: a user does", GVA, user | fetch, GPA + 0x123);
	v->cr4 |= X86_CR4_SMAP;
	expect(v, "SMAP: no supervisor reads a user's page", GVA, 0, FAULT | 1);
	v->rflags = X86_EFLAGS_AC;
	expect(v, "SMAP with AC: it does", GVA, 0, GPA + 0x123);
	expect(v, "SMAP with AC, implicit: it does not", GVA, X86_ACC_IMPLICIT, FAULT | 1);

	v = long_mode(4);
	v->cr4 |= X86_CR4_PKE;
	set64(L1, 5, GPA | PWU | KEY(9));
	v->pkru = 2u << 18;
	expect(v, "protection key, WD: a user reads", GVA, user, GPA + 0x123);
	expect(v, "protection key, WD: no user writes", GVA, user | write, FAULT | 0x27);
	expect(v, "protection key, WD, WP: no supervisor writes", GVA, write, FAULT | 0x23);
	v->cr0 &= ~X86_CR0_WP;
	expect(v, "protection key, WD, no WP: a supervisor writes", GVA, write, GPA + 0x123);
	v->pkru = 1u << 18;
	expect(v, "protection key, AD: nobody reads", GVA, 0, FAULT | 0x21);
	expect(v, "protection key, AD: fetches don't care", GVA, user | fetch, GPA + 0x123);
	set64(L1, 5, GPA | P | W | KEY(9));
	expect(v, "protection key of a supervisor's page: ignored", GVA, 0, GPA + 0x123);
	v->cr4 &= ~X86_CR4_PKE;
	set64(L1, 5, GPA | PWU | KEY(9));
	expect(v, "protection keys off: bits 62:59 are ignored", GVA, user, GPA + 0x123);
}

static void test_large_and_reserved(void)
{
	struct x86_vcpu *v = long_mode(4);

	set64(L2, 5, 0x800000 | PWU | PS);
	expect(v, "2 MiB page", GVA, 0, 0x800000 + (GVA & 0x1fffff));
	set64(L2, 5, 0x800000 | PWU | PS | (1 << 13));
	expect(v, "2 MiB page: bits 20:13 are reserved", GVA, 0, FAULT | 9);
	set64(L2, 5, 0x800000 | PWU | PS | (1 << 12));
	expect(v, "2 MiB page: bit 12 is PAT", GVA, 0, 0x800000 + (GVA & 0x1fffff));
	set64(L3, 3, 0x40000000 | PWU | PS);
	expect(v, "1 GiB page", GVA, 0, 0x40000000 + (GVA & 0x3fffffff));
	set64(L3, 3, 0x40000000 | PWU | PS | (1 << 29));
	expect(v, "1 GiB page: bits 29:13 are reserved", GVA, 0, FAULT | 9);
	v->gbpages = false;
	set64(L3, 3, 0x40000000 | PWU | PS);
	expect(v, "no 1 GiB pages: PS is reserved", GVA, 0, FAULT | 9);

	v = long_mode(4);
	set64(L4, 0, L3 | PWU | PS);
	expect(v, "PS in a PML4E is reserved", GVA, 0, FAULT | 9);
	set64(L4, 0, L3 | PWU | (1 << 8));
	expect(v, "bit 8 of a PML4E is reserved on AMD", GVA, 0, FAULT | 9);
	v->amd = false;
	expect(v, "... and ignored on Intel", GVA, 0, GPA + 0x123);
	v = long_mode(4);
	set64(L1, 5, GPA | PWU | 1ULL << 40);
	expect(v, "bits from MAXPHYADDR on are reserved", GVA, X86_ACC_USER, FAULT | 0xd);
	set64(L1, 5, (GPA | W | U | 1ULL << 40));
	expect(v, "reserved bits of an absent entry don't matter", GVA, 0, FAULT | 0);
	set64(L1, 5, GPA | PWU | 0x7fULL << 52);
	expect(v, "bits 58:52 are ignored", GVA, 0, GPA + 0x123);

	v = long_mode(5);
	expect(v, "5 levels", GVA, 0, GPA + 0x123);
	set64(L5, 0x101, L4 | PWU);
	expect(v, "5 levels: another half", 0x0101ULL << 48 | GVA, 0, GPA + 0x123);
	set64(L5, 0, L4 | PWU | PS);
	expect(v, "PS in a PML5E is reserved", GVA, 0, FAULT | 9);
}

static void test_pae(void)
{
	struct x86_vcpu *v = long_mode(4);

	v->efer = EFER_NX;
	v->cr3 = L3;
	set64(L3, 3, L2 | P);
	set64(L3, 0, P | 1ULL << 40);
	result(!x86_load_pdptrs(v, L3), "PAE: a PDPTE with a reserved bit does not load");
	set64(L3, 0, 1ULL << 40);
	result(x86_load_pdptrs(v, L3 | 0x18), "PAE: an absent PDPTE may have any");
	expect(v, "PAE: found; a PDPTE has no U and no W", GVA, X86_ACC_USER | X86_ACC_WRITE,
	       GPA + 0x123);
	expect(v, "PAE: absent PDPTE", 0x1000, 0, FAULT | 0);
	set64(L3, 3, 0);
	expect(v, "PAE: memory changed, the loaded PDPTE counts", GVA, 0, GPA + 0x123);
	set64(L1, 5, GPA | PWU | 1ULL << 52);
	expect(v, "PAE: bit 52 is reserved", GVA, 0, FAULT | 9);
	set64(L1, 5, GPA | PWU | NX);
	expect(v, "PAE: NX", GVA, X86_ACC_FETCH, FAULT | 0x11);
	set64(L2, 5, 0x800000 | PWU | PS);
	v->cr4 |= X86_CR4_PKE;
	v->pkru = ~0u;
	expect(v, "PAE: 2 MiB page; no protection keys", GVA, X86_ACC_USER,
	       0x800000 + (GVA & 0x1fffff));
}

static void test_two_level(void)
{
	struct x86_vcpu *v = long_mode(4);
	const u32 user = X86_ACC_USER, write = X86_ACC_WRITE;

	v->efer = EFER_NX;	/* does nothing without PAE */
	v->cr4 = 0;
	v->cr3 = L2;
	memset(memory + L2, 0, 0x2000);
	set32(L2, 0x302, L1 | PWU);
	set32(L1, 0x205, GPA | PWU);
	expect(v, "2 levels: found", GVA2, user | write, GPA + 0x123);
	expect(v, "2 levels: fetched; there is no NX", GVA2, X86_ACC_FETCH, GPA + 0x123);
	set32(L1, 0x205, GPA | P | U);
	expect(v, "2 levels: read-only", GVA2, user | write, FAULT | 7);
	set32(L2, 0x302, L1 | PWU | PS);
	expect(v, "2 levels, PSE off: PS is ignored", GVA2, user, GPA + 0x123);
	v->cr4 = X86_CR4_PSE;
	set32(L2, 0x302, 0x800000 | PWU | PS);
	expect(v, "4 MiB page", GVA2, user, 0x800000 + (GVA2 & 0x3fffff));
	set32(L2, 0x302, 0x800000 | PWU | PS | 0x5 << 13);
	expect(v, "PSE36: bits 20:13 are address bits 39:32", GVA2, user,
	       0x500800000ULL + (GVA2 & 0x3fffff));
	set32(L2, 0x302, 0x800000 | PWU | PS | 1 << 21);
	expect(v, "4 MiB page: bit 21 is reserved", GVA2, user, FAULT | 0xd);
	v->maxphyaddr = 36;
	set32(L2, 0x302, 0x800000 | PWU | PS | 1 << 17);
	expect(v, "PSE36 with 36 bits: bits 21:17 are reserved", GVA2, user, FAULT | 0xd);
	v->maxphyaddr = 32;
	set32(L2, 0x302, 0x800000 | PWU | PS | 1 << 13);
	expect(v, "PSE with 32 bits: bits 21:13 are reserved", GVA2, user, FAULT | 0xd);
}

static void test_hostile(void)
{
	struct x86_vcpu *v = long_mode(4);

	v->cr0 = 0;
	expect(v, "paging off: the address is the gpa", 0x123456, X86_ACC_WRITE, 0x123456);

	v = long_mode(4);
	v->cr3 = 0x100000000ULL;
	expect(v, "tables where there is no memory: #PF", GVA, 0, FAULT | 0);
	v = long_mode(4);
	set64(L4, 0, L4 | PWU);
	expect(v, "a table that names itself ends after 4 levels", 0x123, 0, L4 + 0x123);

	v = long_mode(4);
	read_only = L1;
	expect(v, "tables in ROM: A and D can't be set, the access goes on", GVA,
	       X86_ACC_WRITE, GPA + 0x123);

	v = long_mode(4);
	change_at = L1 + 5 * 8;
	change_to = 0x777000 | PWU;
	expect(v, "an entry that changes after it was read: walked again", GVA, 0,
	       0x777000 + 0x123);
	v = long_mode(4);
	change_at = L2 + 5 * 8;
	change_to = 0;
	expect(v, "an entry that goes after it was read: #PF", GVA, 0, FAULT | 0);
	v = long_mode(4);
	set64(L1, 5, GPA | P | W | A);
	expect(v, "a fault leaves D alone", GVA, X86_ACC_USER | X86_ACC_WRITE, FAULT | 7);
	result(!(get64(L1, 5) & D), "... really");

	v = long_mode(4);
	set64(L4, 0, L3 | PWU | A);
	set64(L3, 3, L2 | PWU | A);
	set64(L2, 5, L1 | PWU | A);
	set64(L1, 5, GPA | PWU | A | D);
	reads = 0;
	expect(v, "A and D set already: nothing is written", GVA, X86_ACC_WRITE, GPA + 0x123);
	result(reads == 4, "one read per level");
}

int main(void)
{
	test_long();
	test_large_and_reserved();
	test_pae();
	test_two_level();
	test_hostile();
	printf("1..%u\n", number);
	if (failures)
		printf("# %u of %u failed: arch-x86/mmu/walk.c\n", failures, number);
	return failures != 0;
}
