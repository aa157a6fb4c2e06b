// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin of QEMU's TCG that counts the instructions which the emulated host's
 * kernel executes, by address, between the marks of test/bench/exits.c: so an exit
 * costs what it costs, whatever the guest in it or the program around it does.
 * Prints at the end "ROW ADDRESS COUNT", the difference of a row's two runs.
 *
 * Declares what it uses of the plugin interface (version 1, QEMU 4.2 to 8): that has
 * no header in most distributions.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marks.h"

#define EXPORT	__attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*exec_cb)(unsigned int vcpu, void *data);
typedef void (*exit_cb)(qemu_plugin_id_t id, void *data);
enum { NO_REGS };		/* enum qemu_plugin_cb_flags */
enum { INLINE_ADD_U64 };	/* enum qemu_plugin_op */

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, trans_cb cb);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, exit_cb cb, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_cb cb,
					    int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op,
						void *ptr, uint64_t imm);

EXPORT int qemu_plugin_version = 1;

/* One address of the kernel's. */
struct place {
	uint64_t addr;
	uint64_t count;		/* so far; QEMU's code adds to it */
	uint64_t before;	/* at the run's start */
	int64_t row;		/* of the row so far */
};

/* In the order of their coming; where one is says the hash, by open addressing, never full. */
#define HASH_BITS	23
#define NR_PLACES	(1 << (HASH_BITS - 1))
static struct place *places;
static uint32_t *hash;		/* index + 1 */
static unsigned int nr_places, row;
static FILE *out;

static struct place *place_of(uint64_t addr)
{
	uint64_t i = (addr * 0x9e3779b97f4a7c15ULL) >> (64 - HASH_BITS);

	while (hash[i] && places[hash[i] - 1].addr != addr)
		i = (i + 1) % (1 << HASH_BITS);
	if (!hash[i]) {
		if (nr_places == NR_PLACES) {
			fprintf(stderr, "count: too many addresses\n");
			exit(1);
		}
		places[nr_places].addr = addr;
		hash[i] = ++nr_places;
	}
	return &places[hash[i] - 1];
}

static void mark(unsigned int vcpu, void *data)
{
	uintptr_t what = (uintptr_t)data;
	unsigned int i;

	for (i = 0; i < nr_places; i++) {
		struct place *p = &places[i];

		switch (what) {
		case MARK_BEGIN:
			p->before = p->count;
			break;
		case MARK_END_ONE:
			p->row -= p->count - p->before;
			break;
		case MARK_END_TWO:
			p->row += p->count - p->before;
			if (p->row)
				fprintf(out, "%u %" PRIx64 " %" PRId64 "\n",
					row, p->addr, p->row);
			p->row = 0;
			break;
		}
	}
	if (what == MARK_END_TWO)
		row++;
}

/* NOPL with a displacement that nobody else would write. */
static int mark_of(struct qemu_plugin_insn *insn)
{
	const uint8_t *b = qemu_plugin_insn_data(insn);
	uint32_t disp;

	if (qemu_plugin_insn_size(insn) != 7 || memcmp(b, "\x0f\x1f\x80", 3))
		return -1;
	memcpy(&disp, b + 3, 4);
	return disp >= MARK_BEGIN && disp <= MARK_END_TWO ? (int)disp : -1;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t addr = qemu_plugin_insn_vaddr(insn);

		if (addr >> 63) {
			qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64,
								   &place_of(addr)->count, 1);
		} else {
			int what = mark_of(insn);

			if (what >= 0)
				qemu_plugin_register_vcpu_insn_exec_cb(insn, mark, NO_REGS,
								       (void *)(uintptr_t)what);
		}
	}
}

static void ended(qemu_plugin_id_t id, void *data)
{
	fclose(out);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	places = calloc(NR_PLACES, sizeof(*places));
	hash = calloc(1 << HASH_BITS, sizeof(*hash));
	out = argc == 1 && !strncmp(argv[0], "out=", 4) ? fopen(argv[0] + 4, "w") : NULL;
	if (!places || !hash || !out) {
		fprintf(stderr, "count: out=FILE\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
