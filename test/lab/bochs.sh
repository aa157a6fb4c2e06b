# SPDX-License-Identifier: GPL-2.0-only
# The emulated host in Bochs: an Intel CPU with VMX, or an AMD one. Sourced by run,
# which says what each emulator supplies. Debian 12's package will do; see
# docs/lab.md for what is odd about it.

# Virtual time is this many instructions a second, whatever they take here.
BOCHS_IPS=100000000

emulator_check() {
	: "${mem:=1536M}"
	[ "$accel" = tcg ] || die "--accel $accel is for --emulator qemu"
	case ${model:=$([ "$cpu" = amd ] && echo ryzen || echo haswell)} in
	penryn)       model=core2_penryn_t9600 ;;
	lynnfield)    model=corei5_lynnfield_750 ;;
	arrandale)    model=corei5_arrandale_m520 ;;
	sandy_bridge) model=corei7_sandy_bridge_2600k ;;
	ivy_bridge)   model=corei7_ivy_bridge_3770k ;;
	haswell)      model=corei7_haswell_4770 ;;
	broadwell)    model=broadwell_ult ;;
	skylake_x)    model=corei7_skylake_x ;;
	cannonlake)   model=corei3_cnl ;;
	icelake)      model=corei7_icelake_u ;;
	esac
	case $mem in
	*G) megabytes=$((${mem%G} * 1024)) ;;
	*)  megabytes=${mem%M} ;;
	esac
	bochs_program=$bochs/bochs bochs_share=/usr/share/bochs fetch=--bochs
	case $bochs in
	package) bochs_program=bochs-bin ;;
	fast) bochs_program=$("$LAB/bochs-build")/bochs || exit 2 ;;
	*) [ -x "$bochs_program" ] || die "--bochs $bochs: no program bochs in it" ;;
	esac
}

# What the packages have no use for here, and what makes them hang: the debugger
# waits for a command; log lines of their speed take a lock twice.
bochs_config() {
	cat <<-RC
	config_interface: textconfig
	display_library: $bochs_display
	memory: guest=$megabytes, host=$((megabytes < 2048 ? megabytes : 2048))
	romimage: file=$bochs_share/BIOS-bochs-latest, options=fastboot
	vgaromimage: file=$bochs_share/VGABIOS-lgpl-latest
	ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
	ata0-master: type=disk, path="$work/disk", mode=flat, cylinders=0, heads=16, spt=63
	boot: disk
	cpu: model=$model, count=$smp, ips=$BOCHS_IPS, reset_on_triple_fault=0, ignore_bad_msrs=1
	clock: sync=none
	com1: enabled=1, mode=file, dev="$work/log"
	com2: enabled=1, mode=file, dev="$work/out"
	pci: enabled=1, chipset=i440fx
	vga: extension=none, update_freq=1
	panic: action=fatal
	error: action=ignore
	info: action=ignore
	debug: action=ignore
	log: -
	RC
	# What the packages have as plugins is built into others.
	[ "$bochs" != package ] ||
		echo "plugin_ctrl: unmapped=true, biosdev=true, extfpuirq=true, speaker=false, gameport=false, parallel=false, iodebug=false"
}

# bochs_disk: the boot sectors, the kernel as it lies in memory, and the initrd.
# The kernel's entry is in its Xen note of type 18 (XEN_ELFNOTE_PHYS32_ENTRY); one of
# i386 has none, or one that faults, and is entered where the ELF header says.
bochs_disk() {
	local vmlinux=$CACHE/kernels/$release/vmlinux flat=$CACHE/kernels/$release/flat entry size pvh=1
	# A self-test that takes a twelfth of the boot.
	local quick=initcall_blacklist=crypto_kdf108_init
	if [ ! -s "$flat" ]; then
		objcopy -O binary "$vmlinux" "$flat.$$"
		mv "$flat.$$" "$flat"
	fi
	case $(arch_of "$release") in
	i386) pvh=0 entry=$(LC_ALL=C readelf -hW "$vmlinux" | awk '/Entry point/ { print $NF }') ;;
	*) entry=$(LC_ALL=C readelf -nW "$vmlinux" | sed -n \
		's/.*Xen .*(0x00000012).*data: \(..\) \(..\) \(..\) \(..\) .*/0x\4\3\2\1/p') ;;
	esac
	[ -n "$entry" ] || die "$vmlinux has no PVH entry"
	size=$(stat -c %s "$work/initrd")
	# Where boot.S puts it, and room to unpack it.
	[ "$megabytes" -ge $((256 + (size >> 19))) ] || die "--mem $mem: too little for $((size >> 20)) MB of files"
	printf '%s' "$words console=ttyS0,115200 tsc_early_khz=$((BOCHS_IPS / 1000)) $quick $append" >"$work/words"
	as --32 -I "$work" --defsym PVH="$pvh" --defsym ENTRY="$entry" --defsym INITRD_SIZE="$size" \
		--defsym KERNEL_SECTORS=$((($(stat -c %s "$flat") + 511) / 512)) \
		--defsym INITRD_SECTORS=$(((size + 511) / 512)) -o "$work/boot.o" "$LAB/boot.S"
	ld -m elf_i386 -Ttext=0x7c00 --oformat=binary -o "$work/disk" "$work/boot.o"
	dd if="$flat" bs=512 conv=sync status=none >>"$work/disk"
	cat "$work/initrd" >>"$work/disk"
	rm "$work/initrd"
	truncate -s %$((512 * 16 * 63)) "$work/disk"
}

emulator_start() {
	local -a apart=() debugger=()
	bochs_display='rfb, options="timeout=0"'
	[ "$bochs" = package ] || bochs_display=nogui
	if [ "$bochs" = package ]; then
		echo c >"$work/continue"
		debugger=(-rc "$work/continue")
	fi
	# Its display listens to the network: to one of its own, if it can have one.
	if unshare -rn true 2>/dev/null; then apart=(unshare -rn); fi
	bochs_disk
	bochs_config >"$work/bochsrc"
	timeout -k 5 "$timeout" ${apart+"${apart[@]}"} "$bochs_program" -q -f "$work/bochsrc" \
		${debugger+"${debugger[@]}"} </dev/null >"$work/said" 2>&1 9>"$work/out" & emulator_pid=$!
	helper=
}
