dnl SPDX-License-Identifier: GPL-2.0-only
dnl The machinery of configure: finds the kernel, runs the probes, writes
dnl obj/compat/config.h. The probes themselves are in compat/probes/.

dnl KVM_REFUSE(SENTENCE): this kernel cannot carry us.
AC_DEFUN([KVM_REFUSE], [{
	AS_ECHO(["configure: $1"]) >&2
	AS_ECHO(["$1"]) >&AS_MESSAGE_LOG_FD
	exit 77
}])

dnl KVM_REFUSE_CHECK(SENTENCE): likewise, in the middle of a check.
AC_DEFUN([KVM_REFUSE_CHECK], [{
	AC_MSG_RESULT([no])
	KVM_REFUSE([$1])
}])

dnl Sets KDIR (build folder), KREL (release), KCC (compiler), KMAKEARGS.
AC_DEFUN([KVM_FIND_KERNEL], [
	# autoconf's own clean-up removes core dumps, and gives up at our core/
	trap 'kvm_status=$?; rm -rf conftest* confdefs.h; exit $kvm_status' 0
	AC_MSG_CHECKING([for the kernel to build for])
	kvm_want=$with_kernel
	test -n "$kvm_want" || kvm_want=`uname -r`
	KDIR=
	case $kvm_want in
	*/*)	kvm_dirs=$kvm_want ;;
	*)	kvm_dirs="/lib/modules/$kvm_want/build /usr/src/linux-headers-$kvm_want /usr/src/kernels/$kvm_want" ;;
	esac
	for kvm_d in $kvm_dirs; do
		if test -f "$kvm_d/include/config/auto.conf"; then
			KDIR=`cd "$kvm_d" && pwd -P`
			break
		fi
	done
	if test -z "$KDIR"; then
		AC_MSG_RESULT([none])
		KVM_REFUSE([no headers of kernel $kvm_want were found (looked in: $kvm_dirs); install its headers package, such as linux-headers-$kvm_want, or name another with --with-kernel=.])
	fi
	for kvm_f in Makefile Module.symvers include/generated/autoconf.h; do
		test -s "$KDIR/$kvm_f" ||
			KVM_REFUSE_CHECK([the headers in $KDIR are incomplete: $kvm_f is missing; install the kernel's headers package again.])
	done
	KREL=`sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' "$KDIR/include/generated/utsrelease.h" 2>/dev/null`
	test -n "$KREL" || KREL=`cat "$KDIR/include/config/kernel.release" 2>/dev/null`
	test -n "$KREL" || KVM_REFUSE_CHECK([the headers in $KDIR do not say which kernel they are for.])
	AC_MSG_RESULT([$KREL in $KDIR])

	AC_MSG_CHECKING([for the compiler of that kernel])
	KMAKEARGS=$with_kernel_make
	kvm_named=`sed -n 's/^CC *=.*\(gcc-@<:@0-9@:>@*\) *$/\1/p' "$KDIR/.kernelvariables" 2>/dev/null`
	if test -z "$kvm_named" && grep -q '^CONFIG_CC_IS_GCC=y' "$KDIR/include/config/auto.conf"; then
		kvm_major=`sed -n 's/^CONFIG_GCC_VERSION=\(@<:@0-9@:>@*\)@<:@0-9@:>@@<:@0-9@:>@@<:@0-9@:>@@<:@0-9@:>@$/\1/p' "$KDIR/include/config/auto.conf"`
		kvm_named=gcc-$kvm_major
	fi
	if test -n "$with_kernel_cc"; then
		KCC=$with_kernel_cc
		KMAKEARGS="$KMAKEARGS CC=$KCC"
	elif test -n "$kvm_named" && command -v "$kvm_named" >/dev/null 2>&1; then
		KCC=$kvm_named
		KMAKEARGS="$KMAKEARGS CC=$KCC"
	elif grep -q '^CONFIG_CC_IS_CLANG=y' "$KDIR/include/config/auto.conf"; then
		KCC=clang
		KMAKEARGS="$KMAKEARGS LLVM=1"
	else
		KCC=
		for kvm_cc in gcc gcc-16 gcc-15 gcc-14 gcc-13 gcc-12; do
			command -v $kvm_cc >/dev/null 2>&1 && KCC=$kvm_cc && break
		done
		KMAKEARGS="$KMAKEARGS CC=$KCC"
		test -z "$kvm_named" || kvm_cc_note="the kernel was built with $kvm_named (Debian package $kvm_named), using $KCC"
	fi
	test -n "$KCC" && command -v "$KCC" >/dev/null 2>&1 ||
		KVM_REFUSE_CHECK([no compiler for kernel $KREL: install the package ${kvm_named:-gcc}.])
	AC_MSG_RESULT([$KCC])
	test -z "$kvm_cc_note" || AC_MSG_WARN([$kvm_cc_note])
	AS_IF([test "x$enable_werror" = xyes], [KVM_WERROR=-Werror], [KVM_WERROR=])

	kvm_obj=`pwd`/obj
	kvm_probes=$kvm_obj/probes
	rm -rf "$kvm_probes"
	AS_MKDIR_P(["$kvm_probes"])
	: >"$kvm_probes/list"
	: >"$kvm_probes/symbols"
	: >"$kvm_probes/without"
])

dnl What the kernel's configuration must have.
AC_DEFUN([KVM_CHECK_CONFIG], [
	AC_MSG_CHECKING([whether $KREL can carry KVM as modules])
	kvm_why=`sh "$srcdir/build-aux/fit" "$KREL" "$KDIR"` || KVM_REFUSE_CHECK([$kvm_why])
	AC_MSG_RESULT([yes])
])

dnl KVM_PROBE(NAME, INCLUDES, BODY): HAVE_NAME if INCLUDES and a function with
dnl BODY compile for the kernel.
AC_DEFUN([KVM_PROBE], [
cat >"$kvm_probes/$1.c" <<'_KVM_PROBE_END'
$2
void kvm_probe(void);
void kvm_probe(void)
{
$3
}
_KVM_PROBE_END
echo $1 >>"$kvm_probes/list"
])

dnl KVM_PROBE_SYMBOL(NAME, SYMBOL): HAVE_NAME if the kernel exports SYMBOL.
AC_DEFUN([KVM_PROBE_SYMBOL], [
echo $1 $2 >>"$kvm_probes/symbols"
])

dnl KVM_WITHOUT(NAME, WHAT, WHY): what users miss on a kernel without HAVE_NAME,
dnl for the closing lines.
AC_DEFUN([KVM_WITHOUT], [
echo "$1 $2, because $3" >>"$kvm_probes/without"
])

dnl Compiles all probes at once, in parallel: an object that comes out is a yes.
AC_DEFUN([KVM_RUN_PROBES], [
	AC_MSG_CHECKING([which APIs $KREL has])
	AS_MKDIR_P(["$kvm_obj/compat"])
	echo 'int kvm_probe(void); int kvm_probe(void) { return 0; }' >"$kvm_probes/base.c"
	{
		echo 'OBJECT_FILES_NON_STANDARD := y'
		echo 'ccflags-y += -g0 -Wno-unused -Werror=implicit-function-declaration'
		echo 'ccflags-y += -Werror=incompatible-pointer-types -Werror=int-conversion'
		echo 'always-y := base.o'
		sed 's/.*/always-y += &.o/' "$kvm_probes/list"
	} >"$kvm_probes/Kbuild"
	kvm_jobs=`getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2`
	${MAKE-make} -k -j$kvm_jobs -C "$KDIR" M="$kvm_probes" $KMAKEARGS modules \
		>"$kvm_probes/log" 2>&1 </dev/null
	if test ! -f "$kvm_probes/base.o"; then
		cat "$kvm_probes/log" >&AS_MESSAGE_LOG_FD
		AC_MSG_RESULT([nothing compiles])
		kvm_why=`sed -n '/error\|rror:\|not found\|\*\*\*/{p;q;}' "$kvm_probes/log"`
		KVM_REFUSE([an empty file does not compile for kernel $KREL with $KCC: ${kvm_why:-see config.log}.])
	fi
	{
		echo '/* What this kernel has; made by configure, read by compat/ only. */'
		while read kvm_n; do
			if test -f "$kvm_probes/$kvm_n.o"; then
				echo "#define HAVE_$kvm_n 1"
			else
				echo "/* no $kvm_n */"
			fi
		done <"$kvm_probes/list"
		while read kvm_n kvm_s; do
			if grep -q "	$kvm_s	" "$KDIR/Module.symvers"; then
				echo "#define HAVE_$kvm_n 1"
			else
				echo "/* no $kvm_n */"
			fi
		done <"$kvm_probes/symbols"
	} >"$kvm_probes/config.h"
	cmp -s "$kvm_probes/config.h" "$kvm_obj/compat/config.h" ||
		cp "$kvm_probes/config.h" "$kvm_obj/compat/config.h"
	cat "$kvm_probes/config.h" "$kvm_probes/log" >&AS_MESSAGE_LOG_FD
	touch "$kvm_obj/.configured"
	kvm_yes=`grep -c '^#define' "$kvm_probes/config.h"`
	kvm_no=`grep -c '^/. no' "$kvm_probes/config.h"`
	AC_MSG_RESULT([$kvm_yes, and $kvm_no to be supplied])
])

dnl Exports without which nothing works, whatever the configuration says.
AC_DEFUN([KVM_CHECK_SYMBOLS], [
	for kvm_s in preempt_notifier_register mmu_notifier_register user_return_notifier_register irq_bypass_register_consumer; do
		grep -q "	$kvm_s	" "$KDIR/Module.symvers" ||
			KVM_REFUSE([kernel $KREL does not export $kvm_s, which a hypervisor needs.])
	done
])

AC_DEFUN([KVM_SUMMARY], [
	while read kvm_n kvm_what; do
		grep -q "^#define HAVE_$kvm_n 1" "$kvm_obj/compat/config.h" ||
			AS_ECHO(["configure: on $KREL absent: $kvm_what"])
	done <"$kvm_probes/without"
	AS_ECHO(["configure: kvm-kmod $PACKAGE_VERSION for $KREL with $KCC; now type make"])
])
