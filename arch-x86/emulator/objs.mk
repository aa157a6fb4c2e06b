# SPDX-License-Identifier: GPL-2.0-only
# The emulator's objects, for Kbuild and for the user-space test.
emulator-y := \
	arch-x86/emulator/decode.o \
	arch-x86/emulator/table_one.o \
	arch-x86/emulator/table_0f.o \
	arch-x86/emulator/table_0f38.o \
	arch-x86/emulator/table_vex.o \
	arch-x86/emulator/execute.o \
	arch-x86/emulator/memory.o \
	arch-x86/emulator/operand.o \
	arch-x86/emulator/alu.o \
	arch-x86/emulator/muldiv.o \
	arch-x86/emulator/shift.o \
	arch-x86/emulator/bit.o \
	arch-x86/emulator/move.o \
	arch-x86/emulator/stack.o \
	arch-x86/emulator/string.o \
	arch-x86/emulator/port_io.o \
	arch-x86/emulator/control.o \
	arch-x86/emulator/descriptor.o \
	arch-x86/emulator/segment.o \
	arch-x86/emulator/far.o \
	arch-x86/emulator/interrupt.o \
	arch-x86/emulator/task.o \
	arch-x86/emulator/syscall.o \
	arch-x86/emulator/system.o \
	arch-x86/emulator/sse_move.o \
	arch-x86/emulator/x87.o
