// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries made by arch-x86/mmu/spte.h, put into tables by its index, and read by a walk
 * that is written from the manuals: what it finds, and what it may do there, must be what
 * was asked for, and no reserved bit may be set.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arch-x86/mmu/spte.h"
#include "vendor-vmx/vmcs.h"

#define MAXPHYADDR	52
#define R		1
#define W		2
#define X		4
#define NOTHING		(~0ULL)

/* Tables: page n lies at physical address FIRST + n * 4096. */
#define FIRST		0x000f123456789000ULL
static u64 tables[SPTE_MAX_LEVEL][SPTE_ENTRIES];

static int number, failed;

static void result(bool good, const char *text)
{
	failed += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", ++number, text);
}

static u64 *table_at(u64 pa)
{
	u64 n = ((pa & GENMASK_ULL(MAXPHYADDR - 1, 12)) - FIRST) >> 12;

	return n < SPTE_MAX_LEVEL ? tables[n] : NULL;
}

struct found {
	u64 pa;			/* NOTHING: not mapped; or the entry is invalid */
	bool invalid;
	unsigned int rights;
};

/* SDM 3C 29.3.2, tables 29-1 to 29-7; 29.3.3.1 for what is a misconfiguration. */
static struct found walk_ept(u64 eptp, u64 gpa)
{
	struct found f = { NOTHING, false, R | W | X };
	u64 table = eptp;
	int level;

	for (level = (eptp >> 3 & 7) + 1; level; level--) {
		unsigned int shift = 12 + 9 * (level - 1);
		u64 e = table_at(table)[gpa >> shift & 511];
		bool large = e & 0x80;

		if (!(e & (R | W | X)))
			return f;
		f.rights &= e & (R | W | X);
		/* W without R; level 4 and 5 have no pages. */
		f.invalid |= (e & (R | W)) == W || (large && level > 3);
		if (level == 1 || large) {
			unsigned int type = e >> 3 & 7;

			f.invalid |= type != 0 && type != 1 && type != 4 && type != 5 && type != 6;
			f.invalid |= level > 1 && (e & GENMASK_ULL(shift - 1, 12));
			f.pa = (e & GENMASK_ULL(51, shift)) | (gpa & GENMASK_ULL(shift - 1, 0));
			return f;
		}
		f.invalid |= e & GENMASK_ULL(6, 3);
		table = e;
	}
	return f;
}

/* APM 2 5.3 and 15.25.5: every access is a user's. */
static struct found walk_legacy(u64 root, int levels, u64 address)
{
	struct found f = { NOTHING, false, R | W | X };
	u64 table = root;
	int level;

	for (level = levels; level; level--) {
		unsigned int shift = 12 + 9 * (level - 1);
		u64 e = table_at(table)[address >> shift & 511];
		bool large = level > 1 && (e & 0x80);

		if (!(e & 1))
			return f;
		if (!(e & 2))
			f.rights &= ~W;
		if (!(e & 4))
			f.rights = 0;
		if (e >> 63)
			f.rights &= ~X;
		f.invalid |= large && level > 3;
		if (level == 1 || large) {
			f.invalid |= large && (e & GENMASK_ULL(shift - 1, 13));
			f.pa = (e & GENMASK_ULL(51, shift)) |
			       (address & GENMASK_ULL(shift - 1, 0));
			return f;
		}
		table = e;
	}
	return f;
}

/* Maps one page of that level at @gfn to @pfn; the root is table 0. */
static void map(int levels, int level, gfn_t gfn, kvm_pfn_t pfn, bool write, bool exec)
{
	int at = 0, l;

	memset(tables, 0, sizeof(tables));
	for (l = levels; l > level; l--, at++)
		tables[at][spte_index(gfn, l)] = spte_make_table(FIRST + (at + 1) * 4096ULL);
	tables[at][spte_index(gfn, level)] = spte_make_leaf(pfn, level, write, write, exec);
}

static const gfn_t gfns[] = {
	0, 1, 0x1ff, 0x200, 0x3ffff, 0x40000, 0x7ffffff, 0x8000000, 0xfffffffff, 0x123456789,
	/* beyond 48 bits: five levels */
	0x1000000000, 0x1fffffffff, 0x123456789ab, 0x1fffffffffff,
};

static struct found walk(bool ept, u64 root, int levels, u64 gpa)
{
	if (ept)
		return walk_ept(root | VMX_EPTP_WB | VMX_EPTP_WALK(levels), gpa);
	return walk_legacy(root, levels, gpa);
}

static void check(const char *what, enum spte_kind kind, int levels, bool has_ad)
{
	bool ept = kind == SPTE_EPT, good = true, elsewhere = true, valid = true;
	char text[128];
	unsigned int i;
	int level, rights;

	spte_choose_format(kind, has_ad, 0);
	for (i = 0; i < sizeof(gfns) / sizeof(gfns[0]); i++)
	for (level = 1; level <= 3; level++)
	for (rights = 0; rights < 4; rights++) {
		bool write = rights & 1, exec = rights & 2;
		gfn_t gfn = gfns[i] & ~(spte_level_pages(level) - 1);
		kvm_pfn_t pfn = 0x876543210ULL & ~(spte_level_pages(level) - 1);
		u64 last = (gfn + spte_level_pages(level) - 1) << 12 | 0xfff;
		struct found f;

		if (gfn >> (levels * 9))
			continue;
		map(levels, level, gfn, pfn, write, exec);
		f = walk(ept, FIRST, levels, last);
		good &= f.pa == ((pfn + spte_level_pages(level) - 1) << 12 | 0xfff) &&
			f.rights == (R | (write ? W : 0) | (exec ? X : 0));
		valid &= !f.invalid;
		/* The neighbour on either side, and the same place half a root away. */
		elsewhere &= walk(ept, FIRST, levels, last + 1).pa == NOTHING;
		elsewhere &= !gfn || walk(ept, FIRST, levels, (gfn << 12) - 1).pa == NOTHING;
		elsewhere &= walk(ept, FIRST, levels, last ^ 1ULL << (12 + 9 * levels - 1)).pa == NOTHING;
	}
	snprintf(text, sizeof(text), "%s, %d levels%s: pages of 4K, 2M and 1G where they belong, with their rights",
		 what, levels, has_ad ? "" : ", no A and D bits");
	result(good, text);
	snprintf(text, sizeof(text), "%s, %d levels: nothing beside them", what, levels);
	result(elsewhere, text);
	snprintf(text, sizeof(text), "%s, %d levels: no reserved bit, no misconfiguration", what, levels);
	result(valid, text);
}

int main(void)
{
	u64 eptp4 = FIRST | VMX_EPTP_WB | VMX_EPTP_WALK(4);
	u64 eptp5 = FIRST | VMX_EPTP_WB | VMX_EPTP_WALK(5) | VMX_EPTP_AD;

	check("EPT", SPTE_EPT, 4, true);
	check("EPT", SPTE_EPT, 4, false);
	check("EPT", SPTE_EPT, 5, true);
	check("nested tables of AMD", SPTE_NPT, 4, true);
	check("nested tables of AMD", SPTE_NPT, 5, true);
	/* Table 25-9: write-back, levels less one, A and D, and nothing below the address. */
	result((eptp4 & 0xfff) == (6 | 3 << 3) && (eptp5 & 0xfff) == (6 | 4 << 3 | 1 << 6) &&
	       eptp5 >> 12 == FIRST >> 12, "EPTP of four levels and of five");
	printf("1..%d\n", number);
	return failed != 0;
}
