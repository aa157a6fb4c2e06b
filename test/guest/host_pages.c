// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page fault meets whatever the process has made of its memory: protection keys, secret
 * memory, a device's, pages to be freed, guarded by userfaultfd, without access, large ones;
 * and memory that changes just then. The process writes its pages first where it can: such
 * pages are taken in the inner loop, which must see what forbids that (core/host_page.c).
 * What the host drops and moves is in memory.c.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define REGION		0x2000000ull	/* 32 MiB on: above the harness's RAM */
#define REGION_SIZE	0x800000ull
#define PAGES		(REGION_SIZE / 4096)
#define SLOT		7
#define STEP		61		/* of pages that a test looks at: all would take long */

/* Address space of a region, aligned so that large pages fit. */
static u8 *reserve(void)
{
	u8 *p = mmap(NULL, REGION_SIZE + 0x200000, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ASSERT(p != MAP_FAILED);
	return (u8 *)(((uintptr_t)p + 0x1fffff) & ~0x1ffffful);
}

static u64 *region(struct vm *vm, int flags, int fd)
{
	void *p = mmap(reserve(), REGION_SIZE, PROT_READ | PROT_WRITE,
		       MAP_FIXED | flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	if (p == MAP_FAILED)
		tap_skip("no such memory on this host: %s", strerrorname_np(errno));
	ASSERT_OK(vm_slot(vm, SLOT, 0, REGION, REGION_SIZE, p));
	return p;
}

/* The process has written all pages: 1000, 1001, ... */
static void number(u64 *mem)
{
	for (u64 n = 0; n < PAGES; n++)
		mem[n * 512] = 1000 + n;
}

/* ---- a guest that accesses what it is told ------------------------------------------ */

static volatile u64 g_page, g_value, g_write;

static void g_serve(void)
{
	for (u64 turn = 1;; turn++) {
		volatile u64 *p;

		guest_sync(turn);
		p = (volatile u64 *)(REGION + g_page * 4096);
		if (g_write)
			*p = g_value;
		else
			g_value = *p;
	}
}

static struct kvm_regs home;	/* before the guest's first instruction */
static bool pending;		/* an access is not done: it would be tried again */

static struct vcpu *server_at(void (*fn)(void))
{
	struct vcpu *v = vm_guest(false, fn);

	vcpu_regs(v, &home);
	pending = true;
	return v;
}

static struct vcpu *server(void)
{
	return server_at(g_serve);
}

/* Let it access: 0, an errno of KVM_RUN, or -1, it has become an MMIO exit. */
static int go(struct vcpu *v)
{
	int r;

	do {
		r = vcpu_run_once(v);
	} while (r < 0 && (errno == EINTR || errno == EAGAIN));
	pending = r < 0;
	if (r < 0)
		return errno;
	if (v->run->exit_reason == KVM_EXIT_MMIO)
		return -1;
	if (v->run->exit_reason != KVM_EXIT_IO || v->run->io.port != PORT_SYNC) {
		vcpu_describe(v);
		tap_die(__FILE__, __LINE__, "the guest's access ends in an exit");
	}
	return 0;
}

static void tell(struct vcpu *v, u64 page, bool write, u64 value)
{
	struct vm *vm = v->vm;

	if (pending) {
		vcpu_set_regs(v, &home);
		ASSERT_EQ(go(v), 0);	/* to its first guest_sync() */
	}
	*IN_GUEST(vm, g_page) = page;
	*IN_GUEST(vm, g_write) = write;
	*IN_GUEST(vm, g_value) = value;
}

static int try_read(struct vcpu *v, u64 page)
{
	tell(v, page, false, 0);
	return go(v);
}

static int try_write(struct vcpu *v, u64 page, u64 value)
{
	tell(v, page, true, value);
	return go(v);
}

static u64 guest_read(struct vcpu *v, u64 page)
{
	ASSERT_EQ(try_read(v, page), 0);
	return *IN_GUEST(v->vm, g_value);
}

static void guest_write(struct vcpu *v, u64 page, u64 value)
{
	ASSERT_EQ(try_write(v, page, value), 0);
}

/* The guest sees the process's memory, and the process the guest's. */
static void same_memory(struct vcpu *v, volatile u64 *mem)
{
	for (u64 n = 0; n < PAGES; n += STEP) {
		EXPECT_EQ(guest_read(v, n), mem[n * 512]);
		guest_write(v, n, 7777 + n);
		EXPECT_EQ(mem[n * 512], 7777 + n);
		mem[n * 512] = n;
		EXPECT_EQ(guest_read(v, n), n);
	}
}

/* ---- what forbids an access ---------------------------------------------------------- */

TEST(protected, "mprotect: none, read, all, of pages that the guest has mapped and has not")
{
	struct vcpu *v = server();
	u64 *mem = region(v->vm, MAP_PRIVATE, -1);

	number(mem);
	guest_write(v, 3, 33);
	for (int i = 0; i < 3; i++) {
		ASSERT_OK(mprotect(mem, REGION_SIZE, PROT_NONE));
		EXPECT_EQ(try_read(v, 3), EFAULT);
		EXPECT_EQ(try_write(v, 100 + i, 1), EFAULT);
		EXPECT_EQ(go(v), EFAULT);
		ASSERT_OK(mprotect(mem, REGION_SIZE, PROT_READ));
		EXPECT_EQ(go(v), EFAULT);
		EXPECT_EQ(guest_read(v, 3), 33);
		EXPECT_EQ(guest_read(v, 200 + i), 1200 + i);
		EXPECT_EQ(try_write(v, 200 + i, 1), EFAULT);
		EXPECT_EQ(try_write(v, 3, 34), EFAULT);
		ASSERT_OK(mprotect(mem, REGION_SIZE, PROT_READ | PROT_WRITE));
		EXPECT_EQ(mem[3 * 512], 33);
		EXPECT_EQ(go(v), 0);
		EXPECT_EQ(mem[3 * 512], 34);
		guest_write(v, 3, 33);
		EXPECT_EQ(guest_read(v, 100 + i), 1100 + i);
	}
	same_memory(v, mem);
}

TEST(readonly, "a read-only slot of memory that the process writes: reads, and MMIO exits")
{
	struct vcpu *v = server();
	u64 *mem = region(v->vm, MAP_PRIVATE, -1);

	number(mem);
	ASSERT_OK(vm_slot(v->vm, SLOT, 0, REGION, 0, mem));
	ASSERT_OK(vm_slot(v->vm, SLOT, KVM_MEM_READONLY, REGION, REGION_SIZE, mem));
	for (u64 n = 0; n < PAGES; n += STEP) {
		EXPECT_EQ(guest_read(v, n), 1000 + n);
		EXPECT_EQ(try_write(v, n, 1), -1);
		EXPECT(v->run->mmio.is_write && v->run->mmio.phys_addr == REGION + n * 4096);
		EXPECT_EQ(mem[n * 512], 1000 + n);
		EXPECT_EQ(go(v), 0);
		mem[n * 512] = n;
		EXPECT_EQ(guest_read(v, n), n);
	}
}

TEST(pkey, "protection keys: those of the vCPU's thread count, when a page is mapped")
{
	struct vcpu *v = server();
	u64 *mem = region(v->vm, MAP_PRIVATE, -1);
	int key = pkey_alloc(0, 0);

	if (key < 0)
		tap_skip("no protection keys on this host");
	madvise(mem, REGION_SIZE, MADV_NOHUGEPAGE);
	number(mem);
	ASSERT_OK(pkey_mprotect(mem, REGION_SIZE, PROT_READ | PROT_WRITE, key));
	guest_write(v, 1, 11);
	ASSERT_OK(pkey_set(key, PKEY_DISABLE_ACCESS));
	EXPECT_EQ(try_read(v, 2), EFAULT);
	EXPECT_EQ(try_write(v, 2, 1), EFAULT);
	ASSERT_OK(pkey_set(key, PKEY_DISABLE_WRITE));
	EXPECT_EQ(go(v), EFAULT);
	EXPECT_EQ(guest_read(v, 2), 1002);
	EXPECT_EQ(try_write(v, 3, 1), EFAULT);
	ASSERT_OK(pkey_set(key, 0));
	EXPECT_EQ(go(v), 0);
	EXPECT_EQ(mem[3 * 512], 1);
	same_memory(v, mem);
}

#define CR4_PKE		(1u << 22)

/* Its own keys 1 to 15 forbid everything: that is of no concern to the host. */
static void g_keys(void)
{
	write_cr4(read_cr4() | CR4_PKE);
	asm volatile("wrpkru" : : "a"(0x55555554), "c"(0), "d"(0));
	g_serve();
}

TEST(pkey_guest, "a guest's own PKRU has no say in what the process may access")
{
	struct vcpu *v;
	int key = pkey_alloc(0, 0);
	u64 *mem;

	if (key < 0 || !CPUID_BIT(supported_cpuid(7, 0), ecx, 3))
		tap_skip("no protection keys on this host, or for guests");
	v = server_at(g_keys);
	mem = region(v->vm, MAP_PRIVATE, -1);
	madvise(mem, REGION_SIZE, MADV_NOHUGEPAGE);
	number(mem);
	ASSERT_OK(pkey_mprotect(mem, REGION_SIZE, PROT_READ | PROT_WRITE, key));
	same_memory(v, mem);
	ASSERT_OK(pkey_set(key, PKEY_DISABLE_ACCESS));
	EXPECT_EQ(try_read(v, 2), EFAULT);
	ASSERT_OK(pkey_set(key, 0));
	EXPECT_EQ(go(v), 0);
	EXPECT_EQ(guest_read(v, 2), 1002);
}

TEST(secret, "secret memory (memfd_secret) is not the guest's to see")
{
	struct vcpu *v = server();
	int fd = syscall(__NR_memfd_secret, 0);
	u64 *mem;

	skip_if_forced("the emulator sees what the process does");
	if (fd < 0 || ftruncate(fd, REGION_SIZE))
		tap_skip("no secret memory on this host");
	mem = region(v->vm, MAP_SHARED, fd);
	for (u64 n = 0; n < 4; n++)
		mem[n * 512] = n;	/* locked memory: not much may be had */
	for (u64 n = 0; n < 4; n++) {
		EXPECT_EQ(try_read(v, n), EFAULT);
		EXPECT_EQ(try_write(v, n, 1), EFAULT);
	}
}

/* Where the BIOS was: on every PC, and no harm is done to it. */
#define ROM		0xf0000
#define ROM_PAGES	16

TEST(device, "memory without pages (/dev/mem: VM_PFNMAP), until it is unmapped")
{
	struct vcpu *v = server();
	int fd = open("/dev/mem", O_RDWR);
	u64 *mem = (u64 *)reserve();

	if (fd < 0 || mmap(mem, ROM_PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			   fd, ROM) == MAP_FAILED)
		tap_skip("no /dev/mem on this host");
	ASSERT_OK(vm_slot(v->vm, SLOT, 0, REGION, ROM_PAGES * 4096, mem));
	for (int i = 0; i < 2; i++)
		for (u64 n = 0; n < ROM_PAGES; n++)
			EXPECT_EQ(guest_read(v, n), mem[n * 512]);
	/* A ROM, or what it was copied to: the write is lost, or done. */
	EXPECT_EQ(try_write(v, 1, mem[512]), 0);
	ASSERT_OK(mprotect(mem, 4096, PROT_READ));
	EXPECT_EQ(try_write(v, 0, mem[0]), EFAULT);
	EXPECT_EQ(try_read(v, 0), 0);
	ASSERT_OK(munmap(mem, ROM_PAGES * 4096));
	for (u64 n = 0; n < ROM_PAGES; n++)
		EXPECT_EQ(try_read(v, n), EFAULT);
}

/* ---- what the host may drop ------------------------------------------------------------- */

TEST(freed, "MADV_FREE: what the guest writes afterwards is kept, whether it had it mapped or not")
{
	struct vcpu *v = server();
	u64 *mem = region(v->vm, MAP_PRIVATE, -1), dropped = 0;

	madvise(mem, REGION_SIZE, MADV_NOHUGEPAGE);
	number(mem);
	for (u64 n = 0; n < 256; n += 2)
		guest_read(v, n);
	ASSERT_OK(madvise(mem, REGION_SIZE, MADV_FREE));
	for (u64 n = 0; n < 512; n += 4)
		guest_write(v, n, 5000 + n);
	/* Reclaim: what is not dirty is dropped. */
	if (madvise(mem, REGION_SIZE, MADV_PAGEOUT))
		tap_skip("no MADV_PAGEOUT on this host");
	for (u64 n = 0; n < 512; n++) {
		u64 val = guest_read(v, n);

		if (n % 4)
			EXPECT(val == 0 || val == 1000 + n, "page %llu: %llu", (long long)n,
			       (long long)val);
		else
			EXPECT_EQ(val, 5000 + n);
		dropped += !val;
	}
	tap_note("%llu of 384 were dropped", (long long)dropped);
	same_memory(v, mem);
}

/* ---- large pages ---------------------------------------------------------------------- */

/* How many pages of 2 MiB the VM maps; without nested paging, none. */
static u64 large(struct vm *vm)
{
	return kvm_stat(vm->fd, "pages_2m");
}

static bool nested_paging(void)
{
	return kvm_param("npt") || kvm_param("ept");
}

TEST(hugetlb, "pages of hugetlbfs are mapped as such, given back, and come anew")
{
	struct vcpu *v = server();
	int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY);
	u64 *mem;

	if (fd < 0 || write(fd, "8", 1) != 1)
		tap_skip("no hugetlbfs on this host");
	mem = region(v->vm, MAP_PRIVATE | MAP_HUGETLB, -1);
	for (u64 n = 0; n < PAGES; n += 512) {
		EXPECT_EQ(guest_read(v, n + 5), 0);
		guest_write(v, n + 5, n);
		EXPECT_EQ(mem[(n + 5) * 512], n);
	}
	/* The harness's own memory may have some, too; the emulator maps nothing. */
	if (nested_paging() && !kvm_param("force_emulation"))
		EXPECT(large(v->vm) >= 4);
	ASSERT_OK(mprotect(mem, 0x200000, PROT_READ));
	EXPECT_EQ(try_write(v, 7, 1), EFAULT);
	EXPECT_EQ(guest_read(v, 5), 0);
	ASSERT_OK(mprotect(mem, 0x200000, PROT_READ | PROT_WRITE));
	number(mem);
	same_memory(v, mem);
	ASSERT(mmap(mem, REGION_SIZE, PROT_READ | PROT_WRITE,
		    MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0) == (void *)mem);
	for (u64 n = 5; n < PAGES; n += 512)
		EXPECT_EQ(guest_read(v, n), 0);
	munmap(mem, REGION_SIZE);
	EXPECT_EQ(try_read(v, 5), EFAULT);
	(void)!write(fd, "0", 1);
}

TEST(transparent, "transparent huge pages: mapped as such, in part taken away, whole again")
{
	struct vcpu *v = server();
	u64 *mem = region(v->vm, MAP_PRIVATE, -1);

	if (madvise(mem, REGION_SIZE, MADV_HUGEPAGE))
		tap_skip("no transparent huge pages on this host");
	number(mem);
	for (u64 n = 0; n < PAGES; n += STEP)
		EXPECT_EQ(guest_read(v, n), 1000 + n);
	tap_note("%llu large pages", (long long)large(v->vm));
	ASSERT_OK(mprotect(mem + 9 * 512, 4096, PROT_NONE));
	EXPECT_EQ(try_read(v, 9), EFAULT);
	EXPECT_EQ(try_write(v, 9, 1), EFAULT);
	for (u64 n = 0; n < PAGES; n += STEP)
		guest_write(v, n, n);
	ASSERT_OK(mprotect(mem + 9 * 512, 4096, PROT_READ));
	EXPECT_EQ(guest_read(v, 9), 1009);
	EXPECT_EQ(try_write(v, 9, 1), EFAULT);
	ASSERT_OK(mprotect(mem + 9 * 512, 4096, PROT_READ | PROT_WRITE));
	EXPECT_EQ(go(v), 0);
	madvise(mem, REGION_SIZE, 25 /* MADV_COLLAPSE */);
	EXPECT_EQ(mem[9 * 512], 1);
	for (u64 n = 0; n < PAGES; n += STEP)
		EXPECT_EQ(guest_read(v, n), n);
	same_memory(v, mem);
}

/* ---- userfaultfd ---------------------------------------------------------------------- */

static int uffd;
static u64 *uffd_mem;
static volatile u64 uffd_missing, uffd_writes;

/* User space that supplies a page, or lets a write go on, when it is asked. */
static void *pager(void *stop)
{
	struct pollfd poll_fds[2] = {
		{ .fd = uffd, .events = POLLIN }, { .fd = *(int *)stop, .events = POLLIN },
	};
	static u64 content[512] __attribute__((aligned(4096)));
	struct uffd_msg msg;

	while (poll(poll_fds, 2, -1) > 0 && !poll_fds[1].revents) {
		u64 page;

		if (read(uffd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		page = msg.arg.pagefault.address & ~4095ull;
		usleep(1000);
		if (msg.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) {
			struct uffdio_writeprotect wp = { .range = { page, 4096 } };

			uffd_writes++;
			/* Nothing has been written yet. */
			EXPECT_EQ(*(u64 *)page, 2000 + (page - (u64)uffd_mem) / 4096);
			ASSERT_OK(ioctl(uffd, UFFDIO_WRITEPROTECT, &wp));
		} else {
			struct uffdio_copy copy = { .dst = page, .src = (u64)content, .len = 4096 };

			uffd_missing++;
			content[0] = 2000 + (page - (u64)uffd_mem) / 4096;
			ASSERT_OK(ioctl(uffd, UFFDIO_COPY, &copy));
		}
	}
	return NULL;
}

TEST(userfault, "userfaultfd: missing pages come from user space, writes wait for it")
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct vcpu *v = server();
	u64 *mem = region(v->vm, MAP_PRIVATE, -1);
	struct uffdio_register reg = {
		.range = { (u64)mem, REGION_SIZE },
		.mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_writeprotect wp = {
		.range = { (u64)mem, REGION_SIZE }, .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	u64 count = (PAGES + STEP - 1) / STEP;
	pthread_t thread;
	int stop[2];

	madvise(mem, REGION_SIZE, MADV_NOHUGEPAGE);
	uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &reg))
		tap_skip("no userfaultfd with write protection on this host");
	uffd_mem = mem;
	ASSERT_OK(pipe(stop));
	ASSERT(!pthread_create(&thread, NULL, pager, &stop[0]));
	for (u64 n = 0; n < PAGES; n += STEP)
		EXPECT_EQ(guest_read(v, n), 2000 + n);
	EXPECT_EQ(uffd_missing, count);
	for (u64 n = 0; n < PAGES; n += STEP)
		mem[n * 512] = 2000 + n;	/* used and written by the process */
	ASSERT_OK(ioctl(uffd, UFFDIO_WRITEPROTECT, &wp));
	for (u64 n = 0; n < PAGES; n += STEP) {
		EXPECT_EQ(guest_read(v, n), 2000 + n);
		EXPECT_EQ(uffd_writes, n / STEP);
		guest_write(v, n, n);
		EXPECT_EQ(mem[n * 512], n);
	}
	EXPECT_EQ(uffd_writes, count);
	/* Gone again: anew, and this time by a write. */
	ASSERT_OK(madvise(mem, REGION_SIZE, MADV_DONTNEED));
	for (u64 n = 0; n < PAGES; n += STEP)
		guest_write(v, n, n);
	EXPECT_EQ(uffd_missing, 2 * count);
	ASSERT_EQ(write(stop[1], "", 1), 1);
	pthread_join(thread, NULL);
	same_memory(v, mem);
}

/* ---- memory that changes just then -------------------------------------------------------- */

#define SPOTS	32
#define SPOT(n)	((n) * STEP)		/* pages */

/*
 * The process says that it begins to change a page, changes it, so that the new one has a
 * higher number, and says that it is done. A guest that finds an old number after that has
 * an old page.
 */
static volatile u64 g_begun[SPOTS], g_done[SPOTS], g_end, g_looks[2];

static void g_watch(void)
{
	sti();	/* docs/tests.md: a guest that spins */
	while (!g_end) {
		for (u64 n = 0; n < SPOTS; n++) {
			volatile u64 *p = (volatile u64 *)(REGION + SPOT(n) * 4096);
			u64 done = g_done[n], seen;

			asm volatile("" ::: "memory");
			/* One of them asks for W. */
			if (this_cpu()->id)
				p[1] = 0;
			seen = *p;
			asm volatile("lock orl $0, (%%rsp)" ::: "memory");
			if (seen < done && g_begun[n] == done) {
				GUEST_EQ(seen, done);
				return;
			}
		}
		g_looks[this_cpu()->id]++;
	}
	guest_done();
}

/* A vCPU that goes on after EFAULT: what the process takes away it gives back. */
static void *run_watch(void *arg)
{
	struct vcpu *v = arg;
	int r;

	for (;;) {
		r = vcpu_run_once(v);
		if (r < 0 && errno != EFAULT && errno != EINTR && errno != EAGAIN)
			tap_die(__FILE__, __LINE__, "KVM_RUN: %s", strerrorname_np(errno));
		if (r < 0)
			continue;
		if (v->run->exit_reason != KVM_EXIT_IO || v->run->io.port != PORT_DONE)
			vcpu_finish(v);	/* says what it is */
		return NULL;
	}
}

static void watched(u64 *mem, void (*change)(volatile u64 *page, u64 value), struct vm *vm,
		    unsigned int rounds)
{
	struct kvm_mp_state run = { .mp_state = KVM_MP_STATE_RUNNABLE };

	number(mem);
	for (int i = 0; i < 2; i++) {
		vcpu_long(vcpu_new(vm, i), g_watch);
		ASSERT_OK(ioctl(vm->vcpus[i]->fd, KVM_SET_MP_STATE, &run));
	}
	for (int i = 0; i < 2; i++)
		ASSERT(!pthread_create(&vm->vcpus[i]->thread, NULL, run_watch, vm->vcpus[i]));
	while ((*IN_GUEST(vm, g_looks))[0] < 2 || (*IN_GUEST(vm, g_looks))[1] < 2)
		usleep(1000);
	for (u64 r = 1; r <= rounds; r++) {
		for (u64 n = 0; n < SPOTS; n++) {
			(*IN_GUEST(vm, g_begun))[n] = 100000 + r;
			__sync_synchronize();
			change(mem + SPOT(n) * 512, 100000 + r);
			__sync_synchronize();
			(*IN_GUEST(vm, g_done))[n] = 100000 + r;
		}
		usleep(500);
	}
	*IN_GUEST(vm, g_end) = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(vm->vcpus[i]->thread, NULL);
	tap_note("%llu and %llu looks", (long long)(*IN_GUEST(vm, g_looks))[0],
		 (long long)(*IN_GUEST(vm, g_looks))[1]);
}

static void *fresh(void *at)
{
	return mmap(at, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);
}

static void change_drop(volatile u64 *page, u64 value)
{
	ASSERT_OK(madvise((void *)page, 4096, MADV_DONTNEED));
	*page = value;
}

static void change_replace(volatile u64 *page, u64 value)
{
	ASSERT(fresh((void *)page) == page);
	*page = value;
}

static void change_unmap(volatile u64 *page, u64 value)
{
	ASSERT_OK(munmap((void *)page, 4096));
	change_replace(page, value);
}

/* Ready before it comes. */
static void change_move(volatile u64 *page, u64 value)
{
	u64 *from = fresh(NULL);

	ASSERT(from != MAP_FAILED);
	*from = value;
	ASSERT(mremap(from, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, page) == page);
}

static void change_protect(volatile u64 *page, u64 value)
{
	ASSERT_OK(mprotect((void *)page, 4096, PROT_NONE));
	ASSERT_OK(mprotect((void *)page, 4096, PROT_READ));
	ASSERT_OK(mprotect((void *)page, 4096, PROT_READ | PROT_WRITE));
	*page = value;
	madvise((void *)page, 4096, MADV_PAGEOUT);
}

#define RACE(id, text, huge)							\
TEST_LIMIT(race_##id, 90, text)							\
{										\
	struct vm *vm = vm_new_irqchip();					\
	u64 *mem = region(vm, MAP_PRIVATE, -1);					\
										\
	madvise(mem, REGION_SIZE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);	\
	watched(mem, change_##id, vm, 100);					\
}

RACE(drop, "MADV_DONTNEED under two vCPUs: neither sees an old page", false)
RACE(replace, "mmap over it: likewise", false)
RACE(unmap, "munmap, then mmap: likewise, but for EFAULT", false)
RACE(move, "mremap of another page over it: likewise", true)
RACE(protect, "mprotect in steps, and paged out: likewise", true)
