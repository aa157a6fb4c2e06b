/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the tests by hand: a machine with a megabyte of memory at address 0, a way
 * to run a few bytes on it, and checks that say where they failed.
 */
#ifndef TEST_UNIT_EMULATOR_DIRECTED_H
#define TEST_UNIT_EMULATOR_DIRECTED_H

#include <stdio.h>

#include "arch-x86/emulator/internal.h"
#include "machine.h"
#include "tests.h"

#define RAM_SIZE	0x100000
#define CODE		0x1000		/* RIP of code, CS base 0 */
#define GDT		0x4000
#define IDT		0x5000
#define TSS		0x6000
#define TSS2		0x6800
#define STACK		0x9000
#define STACK0		0xa000		/* CPL 0's, in the TSS */
#define DATA		0xb000

extern struct machine m;
extern u8 ram[RAM_SIZE];

/**
 * start - a fresh machine
 * @mode: mode.
 * @cpl: privilege level.
 */
void start(enum x86_emulator_mode mode, unsigned int cpl);

/**
 * run - run bytes at CS:RIP
 * @bytes: code.
 * @len: how many.
 *
 * Return: the result.
 */
int run(const u8 *bytes, unsigned int len);

/**
 * run_at - put RIP at CODE, then run()
 * @bytes: code.
 * @len: how many.
 *
 * Return: the result.
 */
int run_at(const u8 *bytes, unsigned int len);

#define BYTES(...)	((const u8[]){ __VA_ARGS__ }), sizeof((const u8[]){ __VA_ARGS__ })
#define RUN(...)	run_at(BYTES(__VA_ARGS__))

/**
 * faults - did the last run end in this fault?
 * @r: its result.
 * @vector: expected.
 * @code: expected error code; -1: none.
 *
 * Return: true if so.
 */
bool faults(int r, unsigned int vector, int code);

/**
 * descriptor - write one to the GDT
 * @index: entry.
 * @base: base.
 * @limit: limit in the descriptor's units.
 * @access: byte 5: P, DPL, S, type.
 * @flags: G, D, L, AVL as bits 3 to 0.
 */
void descriptor(unsigned int index, u32 base, u32 limit, u8 access, u8 flags);

/**
 * gate - write an 8 byte gate
 * @table: GDT or IDT.
 * @index: entry.
 * @selector: code segment or TSS.
 * @offset: entry point.
 * @access: byte 5.
 * @count: parameters.
 */
void gate(unsigned int table, unsigned int index, u16 selector, u32 offset, u8 access,
	  u8 count);

/**
 * protected_tables - GDT with flat segments, IDT and TSS registers
 *
 * 1: code 0, 2: data 0, 3: code 3, 4: data 3, 5: TSS, 6: second TSS, 7: 64 bit
 * code 0, 9: 64 bit code 3; all present, segments of 4 GB.
 */
void protected_tables(void);

void put16(u32 address, u16 value);
void put32(u32 address, u32 value);
void put64(u32 address, u64 value);
u16 get16(u32 address);
u32 get32(u32 address);
u64 get64(u32 address);

/* One check; a test passes if all since the last passes() held. */
void check(bool ok, const char *file, int line, const char *what);
#define CHECK(x)	check(x, __FILE__, __LINE__, #x)

/**
 * passes - end of a test: a line of TAP
 * @what: what was tested.
 */
void passes(const char *what);

/* The files of tests. */
void test_real_mode(void);
void test_protected_mode(void);
void test_system_instructions(void);
void test_past_failures(void);

#endif
