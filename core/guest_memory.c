// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies between the kernel and guest memory, through the process's own page
 * tables: by gpa, by a cached range, and compare-and-exchange. Owns the rule
 * that every write marks its page dirty. The frame behind a gfn, for the MMU,
 * is host_page.c's.
 *
 * All of it runs in a thread of the process that the VM belongs to; anything
 * else would write to somebody else's memory, and is refused.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/uaccess.h>

#include "core/arch.h"
#include "core/guest_memory.h"
#include "core/memslot.h"

static bool in_own_process(struct kvm *kvm)
{
	return !WARN_ON_ONCE(current->mm != kvm->mm);
}

/* Bytes of [gpa, gpa + len) that are in the first page. */
static unsigned long first_part(gpa_t gpa, unsigned long len)
{
	return min(len, PAGE_SIZE - offset_in_page(gpa));
}

static void __user *slot_uptr(const struct kvm_memory_slot *slot, gpa_t gpa)
{
	return (void __user *)(kvm_slot_hva(slot, gpa_to_gfn(gpa)) + offset_in_page(gpa));
}

/* ---- by gpa ------------------------------------------------------------ */

/* What fits in a register is one access, as guests expect of an emulated one. */
static bool from_user(void *data, const void __user *uptr, unsigned long len)
{
	switch (len) {
	case 1:
		return get_user(*(u8 *)data, (const u8 __user *)uptr);
	case 2:
		return get_user(*(u16 *)data, (const u16 __user *)uptr);
	case 4:
		return get_user(*(u32 *)data, (const u32 __user *)uptr);
	case 8:
		return get_user(*(u64 *)data, (const u64 __user *)uptr);
	}
	return copy_from_user(data, uptr, len);
}

static bool to_user(void __user *uptr, const void *data, unsigned long len)
{
	switch (len) {
	case 1:
		return put_user(*(const u8 *)data, (u8 __user *)uptr);
	case 2:
		return put_user(*(const u16 *)data, (u16 __user *)uptr);
	case 4:
		return put_user(*(const u32 *)data, (u32 __user *)uptr);
	case 8:
		return put_user(*(const u64 *)data, (u64 __user *)uptr);
	}
	return copy_to_user(uptr, data, len);
}

static int read_slots(struct kvm *kvm, struct kvm_memslots *slots, gpa_t gpa,
		      void *data, unsigned long len)
{
	struct kvm_memory_slot *slot;
	unsigned long part;

	if (!in_own_process(kvm))
		return -EFAULT;
	for (; len; len -= part, gpa += part, data += part) {
		part = first_part(gpa, len);
		slot = kvm_find_slot(slots, gpa_to_gfn(gpa));
		if (!kvm_slot_usable(slot) ||
		    from_user(data, slot_uptr(slot, gpa), part))
			return -EFAULT;
	}
	return 0;
}

static int write_slots(struct kvm *kvm, struct kvm_vcpu *vcpu, struct kvm_memslots *slots,
		       gpa_t gpa, const void *data, unsigned long len)
{
	struct kvm_memory_slot *slot;
	unsigned long part;
	bool failed;

	if (!in_own_process(kvm))
		return -EFAULT;
	for (; len; len -= part, gpa += part) {
		part = first_part(gpa, len);
		slot = kvm_find_slot(slots, gpa_to_gfn(gpa));
		if (!kvm_slot_writable(slot))
			return -EFAULT;
		if (data) {
			failed = to_user(slot_uptr(slot, gpa), data, part);
			data += part;
		} else {
			failed = clear_user(slot_uptr(slot, gpa), part);
		}
		/* also if it failed in the middle: some of it is written */
		kvm_mark_page_dirty(kvm, vcpu, slot, gpa_to_gfn(gpa));
		if (failed)
			return -EFAULT;
	}
	return 0;
}

int kvm_read_guest(struct kvm *kvm, gpa_t gpa, void *data, unsigned long len)
{
	return read_slots(kvm, kvm_memslots(kvm), gpa, data, len);
}
EXPORT_SYMBOL_GPL(kvm_read_guest);

int kvm_write_guest(struct kvm *kvm, gpa_t gpa, const void *data, unsigned long len)
{
	return write_slots(kvm, NULL, kvm_memslots(kvm), gpa, data, len);
}
EXPORT_SYMBOL_GPL(kvm_write_guest);

int kvm_clear_guest(struct kvm *kvm, gpa_t gpa, unsigned long len)
{
	return write_slots(kvm, NULL, kvm_memslots(kvm), gpa, NULL, len);
}
EXPORT_SYMBOL_GPL(kvm_clear_guest);

int kvm_vcpu_read_guest(struct kvm_vcpu *vcpu, gpa_t gpa, void *data, unsigned long len)
{
	return read_slots(vcpu->kvm, kvm_vcpu_memslots(vcpu), gpa, data, len);
}
EXPORT_SYMBOL_GPL(kvm_vcpu_read_guest);

int kvm_vcpu_write_guest(struct kvm_vcpu *vcpu, gpa_t gpa, const void *data, unsigned long len)
{
	return write_slots(vcpu->kvm, vcpu, kvm_vcpu_memslots(vcpu), gpa, data, len);
}
EXPORT_SYMBOL_GPL(kvm_vcpu_write_guest);

int kvm_vcpu_read_guest_atomic(struct kvm_vcpu *vcpu, gpa_t gpa, void *data, unsigned long len)
{
	struct kvm_memory_slot *slot;
	unsigned long left;

	if (first_part(gpa, len) != len || !in_own_process(vcpu->kvm))
		return -EFAULT;
	slot = kvm_vcpu_gfn_to_memslot(vcpu, gpa_to_gfn(gpa));
	if (!kvm_slot_usable(slot))
		return -EFAULT;

	pagefault_disable();
	left = __copy_from_user_inatomic(data, slot_uptr(slot, gpa), len);
	pagefault_enable();
	return left ? -EFAULT : 0;
}
EXPORT_SYMBOL_GPL(kvm_vcpu_read_guest_atomic);

int kvm_vcpu_read_entry(struct kvm_vcpu *vcpu, gpa_t gpa, void *entry, unsigned int len)
{
	struct kvm_memory_slot *slot = kvm_vcpu_gfn_to_memslot(vcpu, gpa_to_gfn(gpa));
	void __user *uptr;

	if (!kvm_slot_usable(slot) || !in_own_process(vcpu->kvm))
		return -EFAULT;
	uptr = slot_uptr(slot, gpa);
	if (len == 8)
		return get_user(*(u64 *)entry, (u64 __user *)uptr);
	return get_user(*(u32 *)entry, (u32 __user *)uptr);
}
EXPORT_SYMBOL_GPL(kvm_vcpu_read_entry);

int kvm_vcpu_peek_guest(struct kvm_vcpu *vcpu, gpa_t gpa, void *data, unsigned int len)
{
	struct kvm_memory_slot *slot = kvm_vcpu_gfn_to_memslot(vcpu, gpa_to_gfn(gpa));
	u64 __user *uptr;
	u64 *to = data;

	if (!kvm_slot_usable(slot) || !in_own_process(vcpu->kvm))
		return -EFAULT;
	uptr = slot_uptr(slot, gpa);
	if (len < 16)
		return __copy_from_user_inatomic(data, uptr, len) ? -EFAULT : 0;
	if (!user_access_begin(uptr, 16))
		return -EFAULT;
	unsafe_get_user(to[0], uptr, fault);
	unsafe_get_user(to[1], uptr + 1, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}
EXPORT_SYMBOL_GPL(kvm_vcpu_peek_guest);

/* ---- compare and exchange ---------------------------------------------- */

/*
 * One size of it: 0 exchanged, 1 not equal (then *old is what was there).
 * The access faults pages in by itself; one that can't be is -EFAULT.
 */
#define CMPXCHG_USER(type, uptr, old, new)				\
({									\
	__label__ fault, done;						\
	int __ret = -EFAULT;						\
									\
	if (!user_access_begin((uptr), sizeof(type)))			\
		goto done;						\
	__ret = !unsafe_try_cmpxchg_user((type __user *)(uptr),		\
					 (type *)(old),			\
					 *(const type *)(new), fault);	\
	user_access_end();						\
	goto done;							\
fault:									\
	user_access_end();						\
	__ret = -EFAULT;						\
done:									\
	__ret;								\
})

int kvm_vcpu_cmpxchg_guest(struct kvm_vcpu *vcpu, gpa_t gpa, void *old,
			   const void *new, int bytes)
{
	struct kvm_memory_slot *slot;
	void __user *uptr;
	int ret;

	if (bytes <= 0 || bytes > 8 || !is_power_of_2(bytes))
		return -EOPNOTSUPP;
	if (!IS_ALIGNED(gpa, bytes) || !in_own_process(vcpu->kvm))
		return -EFAULT;
	slot = kvm_vcpu_gfn_to_memslot(vcpu, gpa_to_gfn(gpa));
	if (!kvm_slot_writable(slot))
		return -EFAULT;
	uptr = slot_uptr(slot, gpa);

	switch (bytes) {
	case 1:
		ret = CMPXCHG_USER(u8, uptr, old, new);
		break;
	case 2:
		ret = CMPXCHG_USER(u16, uptr, old, new);
		break;
	case 4:
		ret = CMPXCHG_USER(u32, uptr, old, new);
		break;
	default:
		ret = CMPXCHG_USER(u64, uptr, old, new);
	}
	/* the CPU's cmpxchg writes in either case (APM 3, CMPXCHG) */
	if (ret >= 0)
		kvm_mark_page_dirty(vcpu->kvm, vcpu, slot, gpa_to_gfn(gpa));
	return ret;
}
EXPORT_SYMBOL_GPL(kvm_vcpu_cmpxchg_guest);

/* ---- a cached range ---------------------------------------------------- */

int kvm_gpa_cache_init(struct kvm *kvm, struct kvm_gpa_cache *ghc, gpa_t gpa, unsigned long len)
{
	struct kvm_memslots *slots = kvm_memslots(kvm);
	struct kvm_memory_slot *slot;
	gfn_t gfn, last;
	gpa_t end;

	ghc->slot = NULL;
	ghc->len = 0;
	if (!len || check_add_overflow(gpa, (gpa_t)len - 1, &end))
		return -EINVAL;

	last = gpa_to_gfn(end);
	slot = kvm_find_slot(slots, gpa_to_gfn(gpa));
	if (!kvm_slot_usable(slot))
		return -EFAULT;
	if (last < kvm_slot_end(slot)) {
		ghc->slot = slot;
		ghc->hva = (unsigned long)slot_uptr(slot, gpa);
	} else {
		/* crosses slots: each access looks them up again */
		for (gfn = kvm_slot_end(slot); gfn <= last; gfn = kvm_slot_end(slot)) {
			slot = kvm_find_slot(slots, gfn);
			if (!kvm_slot_usable(slot))
				return -EFAULT;
		}
	}
	ghc->gpa = gpa;
	ghc->len = len;
	ghc->generation = READ_ONCE(slots->generation);
	return 0;
}
EXPORT_SYMBOL_GPL(kvm_gpa_cache_init);

/* Look the slot up again if slots have changed; and check the access. */
static int cache_validate(struct kvm *kvm, struct kvm_gpa_cache *ghc,
			  unsigned int offset, unsigned long len)
{
	int err;

	if (!ghc->len || offset > ghc->len || len > ghc->len - offset)
		return -EFAULT;
	if (ghc->generation == READ_ONCE(kvm_memslots(kvm)->generation))
		return 0;

	len = ghc->len;
	err = kvm_gpa_cache_init(kvm, ghc, ghc->gpa, len);
	if (err) {
		/* keep what it was for: the memory may come back */
		ghc->len = len;
		ghc->generation = ~0ULL;
		return -EFAULT;
	}
	return 0;
}

int kvm_write_guest_cached(struct kvm *kvm, struct kvm_gpa_cache *ghc, const void *data,
			   unsigned int offset, unsigned long len)
{
	gpa_t gpa = ghc->gpa + offset;
	unsigned long left;
	gfn_t gfn;

	if (cache_validate(kvm, ghc, offset, len) || !in_own_process(kvm))
		return -EFAULT;
	if (!ghc->slot)
		return kvm_write_guest(kvm, gpa, data, len);
	if (!kvm_slot_writable(ghc->slot))
		return -EFAULT;
	if (!len)
		return 0;
	left = copy_to_user((void __user *)ghc->hva + offset, data, len);
	for (gfn = gpa_to_gfn(gpa); gfn <= gpa_to_gfn(gpa + len - 1); gfn++)
		kvm_mark_page_dirty(kvm, NULL, ghc->slot, gfn);
	return left ? -EFAULT : 0;
}
EXPORT_SYMBOL_GPL(kvm_write_guest_cached);

int kvm_read_guest_cached(struct kvm *kvm, struct kvm_gpa_cache *ghc, void *data,
			  unsigned int offset, unsigned long len)
{
	if (cache_validate(kvm, ghc, offset, len) || !in_own_process(kvm))
		return -EFAULT;
	if (!ghc->slot)
		return kvm_read_guest(kvm, ghc->gpa + offset, data, len);
	return copy_from_user(data, (void __user *)ghc->hva + offset, len) ? -EFAULT : 0;
}
EXPORT_SYMBOL_GPL(kvm_read_guest_cached);
