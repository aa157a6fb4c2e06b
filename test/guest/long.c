// SPDX-License-Identifier: GPL-2.0-only
#include "guest.h"
static void g_hello(void)
{
	GUEST_EQ(TRY("ud2", ::: "memory"), X86_UD);
	guest_sync(42);
	guest_note("hi %lld", 5, 0, 0, 0);
	guest_done();
}
TEST(hello, "a function runs in long mode")
{
	struct vcpu *v = vm_guest(false, g_hello);
	vcpu_expect_sync(v, 42);
	vcpu_finish(v);
}
static volatile u64 g_cpl;
static void g_userfn(void)
{
	u64 cs;
	asm volatile("mov %%cs, %0" : "=r"(cs));
	g_cpl = cs & 3;
	if (TRY("hlt", ::: "memory") != X86_GP)
		g_cpl = 99;
}
static void g_user(void)
{
	guest_user(g_userfn);
	GUEST_EQ(g_cpl, 3);
	guest_done();
}
TEST(user, "CPL 3 and back")
{
	vcpu_finish(vm_guest(false, g_user));
}
