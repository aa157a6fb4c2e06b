// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who receives an interrupt message: a map from physical and logical
 * destinations to APICs, rebuilt when a guest changes IDs or modes and read
 * under RCU, so that an IPI or an MSI to one vCPU is an array lookup. What the
 * map can't say at once (broadcasts, IDs that collide, mixed logical modes) is
 * answered by asking every APIC, by the rules of SDM 3A 10.6.2.
 *
 * Locks: vm->apic_map_lock, a mutex, before mmu_lock only; taken by vCPU threads and by
 * ioctls that change an APIC.
 */
#include <linux/bitops.h>
#include <linux/nospec.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "arch-x86/irqchip/lapic.h"

/* How the VM's APICs read logical destinations. */
enum logical_mode { LOGICAL_NONE, LOGICAL_FLAT, LOGICAL_CLUSTER, LOGICAL_X2APIC, LOGICAL_MIXED };

/**
 * struct x86_apic_map - immutable once published
 * @rcu: frees it
 * @nr_vcpus: vCPUs that it was made from; another number means: ask everyone
 * @logical_mode: of all APICs, or MIXED
 * @phys_ambiguous: two APICs have the same ID
 * @max_id: last index of @phys
 * @xapic_logical: flat: by bit; cluster: by cluster * 4 + bit
 * @phys: by APIC ID
 */
struct x86_apic_map {
	struct rcu_head rcu;
	int nr_vcpus;
	enum logical_mode logical_mode;
	bool phys_ambiguous;
	u32 max_id;
	struct x86_lapic *xapic_logical[64];
	struct x86_lapic *phys[];
};

/* ---- making it -------------------------------------------------------------------- */

static enum logical_mode lapic_logical_mode(const struct x86_lapic *apic)
{
	if (lapic_x2apic(apic))
		return LOGICAL_X2APIC;
	switch (lapic_reg(apic, APIC_DFR) >> 28) {
	case 0xf:
		return LOGICAL_FLAT;
	case 0x0:
		return LOGICAL_CLUSTER;
	default:
		return LOGICAL_MIXED;
	}
}

static void map_add_logical(struct x86_apic_map *map, struct x86_lapic *apic)
{
	enum logical_mode mode = lapic_logical_mode(apic);
	u32 ldr = lapic_reg(apic, APIC_LDR) >> 24;
	unsigned long bits = mode == LOGICAL_FLAT ? ldr : ldr & 0xf;
	unsigned int base = mode == LOGICAL_FLAT ? 0 : (ldr >> 4) * 4;
	unsigned int bit;

	/* A software-disabled xAPIC whose LDR is not set up has no logical ID. */
	if (mode != LOGICAL_X2APIC && !ldr)
		return;
	if (map->logical_mode == LOGICAL_NONE)
		map->logical_mode = mode;
	if (map->logical_mode != mode) {
		map->logical_mode = LOGICAL_MIXED;
		return;
	}
	if (mode == LOGICAL_X2APIC)
		return;		/* follows from the physical ID */

	for_each_set_bit(bit, &bits, 8) {
		if (map->xapic_logical[base + bit])
			map->logical_mode = LOGICAL_MIXED;
		map->xapic_logical[base + bit] = apic;
	}
}

static struct x86_apic_map *map_build(struct x86_vm *vm)
{
	struct x86_apic_map *map;
	struct kvm_vcpu *vcpu;
	u32 max_id = 255;
	int i;

	kvm_for_each_vcpu(i, vcpu, &vm->core)
		if (x86_vcpu_of(vcpu)->apic)
			max_id = max_t(u32, max_id, vcpu->id);

	map = kvzalloc(struct_size(map, phys, (size_t)max_id + 1), GFP_KERNEL_ACCOUNT);
	if (!map)
		return NULL;
	map->max_id = max_id;

	kvm_for_each_vcpu(i, vcpu, &vm->core) {
		struct x86_lapic *apic = x86_vcpu_of(vcpu)->apic;
		u32 id;

		if (!apic)
			continue;
		map->nr_vcpus++;
		if (!lapic_hw_enabled(apic))
			continue;
		/* The guest (or user space) may be changing it: check. */
		id = lapic_id(apic);
		if (id > max_id || map->phys[id])
			map->phys_ambiguous = true;
		else
			map->phys[id] = apic;
		map_add_logical(map, apic);
	}
	return map;
}

void x86_apic_map_update(struct x86_vm *vm)
{
	struct x86_apic_map *map, *old;

	if (!atomic_read_acquire(&vm->apic_map_dirty))
		return;
	mutex_lock(&vm->apic_map_lock);
	/* Cleared before reading: a change from now on makes it dirty again. */
	if (atomic_xchg(&vm->apic_map_dirty, 0)) {
		map = map_build(vm);
		old = rcu_replace_pointer(vm->apic_map, map,
					  lockdep_is_held(&vm->apic_map_lock));
		/* Without memory there is no map: every message asks everyone. */
		if (old)
			kvfree_rcu(old, rcu);
		lapic_update_page(vm);
	}
	mutex_unlock(&vm->apic_map_lock);
	/* The vectors that the IOAPIC cares about depend on destinations. */
	x86_make_scan_ioapic_request(vm);
}

void x86_apic_map_free(struct x86_vm *vm)
{
	struct x86_apic_map *map = rcu_dereference_protected(vm->apic_map, 1);

	RCU_INIT_POINTER(vm->apic_map, NULL);
	if (map)
		kvfree_rcu(map, rcu);
}

/* The map, if it knows all vCPUs of now. Context: RCU reader. */
static struct x86_apic_map *map_get(struct x86_vm *vm)
{
	struct x86_apic_map *map = rcu_dereference(vm->apic_map);

	if (!map || map->nr_vcpus != atomic_read(&vm->core.online_vcpus))
		return NULL;
	return map;
}

static struct x86_lapic *map_phys(const struct x86_apic_map *map, u32 id)
{
	if (id > map->max_id)
		return NULL;
	return map->phys[array_index_nospec(id, (size_t)map->max_id + 1)];
}

struct x86_lapic *x86_apic_map_find(struct x86_vm *vm, u32 id)
{
	struct x86_apic_map *map = map_get(vm);
	struct kvm_vcpu *vcpu;
	int i;

	if (map && !map->phys_ambiguous)
		return map_phys(map, id);
	kvm_for_each_vcpu(i, vcpu, &vm->core) {
		struct x86_lapic *apic = x86_vcpu_of(vcpu)->apic;

		if (apic && lapic_hw_enabled(apic) && lapic_id(apic) == id)
			return apic;
	}
	return NULL;
}

struct x86_vcpu *x86_vcpu_by_apic_id(struct x86_vm *vm, u32 id)
{
	struct x86_lapic *apic = x86_apic_map_find(vm, id);

	return apic ? apic->vcpu : NULL;
}

/* ---- matching by the book -------------------------------------------------------------- */

/* Is it for all? 0xff where 8 bit destinations are spoken, all ones in x2APIC's. */
static bool dest_is_broadcast(const struct x86_lapic *apic, const struct x86_lapic *src,
			      u32 dest)
{
	if (dest == 0xffffffff)
		return true;
	if (dest != 0xff)
		return false;
	if (src)
		return !lapic_x2apic(src);
	/* IOAPICs and MSIs have 8 bits, unless user space has said otherwise. */
	return !lapic_x2apic(apic) ||
	       !x86_vcpu_vm(apic->vcpu)->x2apic_broadcast_quirk_disabled;
}

static bool match_logical(const struct x86_lapic *apic, u32 dest)
{
	u32 ldr = lapic_reg(apic, APIC_LDR);

	if (lapic_x2apic(apic))
		return ldr >> 16 == dest >> 16 && (ldr & dest & 0xffff);
	if (dest > 0xff)
		return false;
	ldr >>= 24;
	switch (lapic_reg(apic, APIC_DFR) >> 28) {
	case 0xf:
		return ldr & dest;
	case 0x0:
		return ldr >> 4 == dest >> 4 && (ldr & dest & 0xf);
	default:
		return false;
	}
}

bool x86_apic_match(const struct x86_lapic *apic, const struct x86_lapic *src,
		    const struct x86_irq_msg *msg)
{
	switch (msg->shorthand) {
	case X86_DEST_SELF:
		return apic == src;
	case X86_DEST_ALL:
		return true;
	case X86_DEST_ALL_BUT_SELF:
		return apic != src;
	}
	if (dest_is_broadcast(apic, src, msg->dest))
		return true;
	return msg->logical ? match_logical(apic, msg->dest) : lapic_id(apic) == msg->dest;
}

/* ---- delivery ------------------------------------------------------------------------------ */

/* Results add up: -1 nobody, 0 coalesced everywhere, else how many took it. */
static void add_result(int *sum, int one)
{
	if (one < 0)
		return;
	if (*sum < 0)
		*sum = 0;
	*sum += one;
}

static int accept_msg(struct x86_lapic *apic, const struct x86_irq_msg *msg)
{
	return lapic_accept(apic, msg->mode, msg->vector, msg->level, msg->assert);
}

/* Lowest priority: of those that can, the one that has had the fewest. */
static struct x86_lapic *less_busy(struct x86_lapic *best, struct x86_lapic *apic)
{
	if (!READ_ONCE(apic->sw_enabled))
		return best;
	if (!best || atomic_read(&apic->lowest_prio_count) -
		     atomic_read(&best->lowest_prio_count) < 0)
		return apic;
	return best;
}

/*
 * Destinations by the map.
 * Return: how many were put in @dst (at most 16), or -1: the map can't say.
 */
static int map_destinations(const struct x86_apic_map *map, struct x86_lapic *src,
			    const struct x86_irq_msg *msg, struct x86_lapic *dst[16])
{
	unsigned long bits;
	unsigned int bit;
	u32 base;
	int n = 0;

	if (msg->shorthand != X86_DEST_NONE || !map || map->phys_ambiguous ||
	    msg->dest == 0xffffffff || msg->dest == 0xff)
		return -1;

	if (!msg->logical) {
		dst[0] = map_phys(map, msg->dest);
		return dst[0] ? 1 : 0;
	}

	switch (map->logical_mode) {
	case LOGICAL_FLAT:
	case LOGICAL_CLUSTER:
		if (msg->dest > 0xff)
			return 0;
		if (map->logical_mode == LOGICAL_FLAT) {
			bits = msg->dest;
			base = 0;
		} else {
			bits = msg->dest & 0xf;
			base = (msg->dest >> 4) * 4;
		}
		for_each_set_bit(bit, &bits, 8) {
			struct x86_lapic *apic =
				map->xapic_logical[array_index_nospec(base + bit, 64)];

			if (apic)
				dst[n++] = apic;
		}
		return n;
	case LOGICAL_X2APIC:
		bits = msg->dest & 0xffff;
		base = (msg->dest >> 16) << 4;
		for_each_set_bit(bit, &bits, 16) {
			struct x86_lapic *apic = map_phys(map, base + bit);

			if (apic)
				dst[n++] = apic;
		}
		return n;
	default:
		return -1;
	}
}

static int deliver_to(struct x86_lapic *dst[16], int n, const struct x86_irq_msg *msg)
{
	struct x86_lapic *best = NULL;
	int i, sum = -1;

	if (msg->mode != X86_DM_LOWEST) {
		for (i = 0; i < n; i++)
			add_result(&sum, accept_msg(dst[i], msg));
		return sum;
	}
	for (i = 0; i < n; i++)
		best = less_busy(best, dst[i]);
	return best ? accept_msg(best, msg) : -1;
}

static int deliver_slow(struct x86_vm *vm, struct x86_lapic *src,
			const struct x86_irq_msg *msg)
{
	struct x86_lapic *best = NULL;
	struct kvm_vcpu *vcpu;
	int i, sum = -1;

	kvm_for_each_vcpu(i, vcpu, &vm->core) {
		struct x86_lapic *apic = x86_vcpu_of(vcpu)->apic;

		if (!apic || !lapic_hw_enabled(apic) || !x86_apic_match(apic, src, msg))
			continue;
		if (msg->mode == X86_DM_LOWEST)
			best = less_busy(best, apic);
		else
			add_result(&sum, accept_msg(apic, msg));
	}
	return best ? accept_msg(best, msg) : sum;
}

bool x86_irq_deliver_fast(struct x86_vm *vm, struct x86_lapic *src,
			  const struct x86_irq_msg *msg, int *result)
{
	struct x86_lapic *dst[16];
	int n;

	if (msg->shorthand == X86_DEST_SELF) {
		*result = accept_msg(src, msg);
		return true;
	}
	rcu_read_lock();
	n = map_destinations(map_get(vm), src, msg, dst);
	if (n >= 0)
		*result = deliver_to(dst, n, msg);
	rcu_read_unlock();
	return n >= 0;
}

int x86_irq_deliver(struct x86_vm *vm, struct x86_lapic *src, const struct x86_irq_msg *msg)
{
	int result;

	if (x86_irq_deliver_fast(vm, src, msg, &result))
		return result;
	rcu_read_lock();
	result = deliver_slow(vm, src, msg);
	rcu_read_unlock();
	return result;
}
