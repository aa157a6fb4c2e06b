# SPDX-License-Identifier: GPL-2.0-only
# The emulated host in QEMU: an AMD CPU in TCG, which has SVM, or a nested guest of
# this machine's KVM. Sourced by run, which says what each emulator supplies.

emulator_check() {
	: "${mem:=2G}"
	case $accel in
	tcg) [ "$cpu" = amd ] || die "--cpu intel: TCG has no VMX; --emulator bochs has" ;;
	kvm) ;;
	*) die "--accel $accel: tcg or kvm" ;;
	esac
	[ -z "$model" ] || die "--cpu-model is for --emulator bochs"
	# An older TCG loses guests where the host has two CPUs (docs/lab.md).
	[ -n "$qemu" ] || [ "$smp" = 1 ] || [ "$accel" = kvm ] || qemu=$("$LAB/newer-qemu")
	: "${qemu:=qemu-system-x86_64}"
	fetch=
}

emulator_start() {
	local thread=single
	local -a args=(-nodefaults -no-user-config -display none -no-reboot -machine q35
		-smp "$smp" -m "$mem" -device isa-debug-exit,iobase=0xf4,iosize=1
		-serial "file:$work/log" -chardev "stdio,id=out,signal=off" -serial chardev:out
		-kernel "$CACHE/kernels/$release/vmlinux" -initrd "$work/initrd"
		-append "$words console=ttyS0 $append")
	if [ "$accel" = tcg ]; then
		[ "$smp" = 1 ] || thread=multi
		[ -z "$icount" ] || { thread=single; args+=(-icount shift=0,sleep=off); }
		args+=(-accel "tcg,thread=$thread" -cpu max,-la57,+svm,+npt)
	else
		args+=(-accel kvm -cpu host)
	fi
	mkfifo "$work/in"
	# TCG loses an interrupt now and then, on VMRUN and #VMEXIT (docs/lab.md). Any
	# other one brings it back: a byte on the second serial line, four times a second,
	# once that host listens. Counted instructions need none, and shall have none.
	while sleep 0.25; do
		if [ -z "$icount" ] && grep -q 'lab: loading' "$work/log"; then echo; fi
	done >"$work/in" 2>/dev/null & helper=$!
	timeout -k 5 "$timeout" "$qemu" "${args[@]}" \
		<"$work/in" >"$work/out" 2>"$work/said" & emulator_pid=$!
}
