/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The boot disk of an emulated host in Bochs: eight sectors that read a flat
 * kernel and an initrd, which lie behind them on the disk, into memory and enter
 * the kernel as PVH does (Xen's docs/misc/pvh.pandoc, public/arch-x86/hvm/start_info.h),
 * or one that has no such entry by the 32-bit boot protocol (Documentation/arch/x86/boot.rst).
 * A BIOS that loads a compressed kernel takes ten times as many instructions.
 * It boots once: when that host resets or panics, it ends Bochs instead.
 *
 * From outside (as --defsym): KERNEL_SECTORS, INITRD_SECTORS, INITRD_SIZE, ENTRY, PVH;
 * and a file "words", the kernel's command line.
 */
	.set	BASE, 0x7c00
	.set	BOOTED, 0x7000		/* no kernel uses the first 64 KiB */
	.set	MAP, 0x9000		/* struct hvm_memmap_table_entry[] */
	.set	PARAMS, 0xa000		/* struct boot_params */
	.set	KERNEL, 16 << 20
	.set	INITRD, 256 << 20
	.set	SECTORS, 8		/* of this file, on the disk */

	.code16
	.globl	_start
_start:	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$BASE, %sp
	ljmpw	$0, $1f
1:	cmpl	$0x746f6f62, BOOTED
	je	end
	movl	$0x746f6f62, BOOTED

	/* The rest of this file (INT 13h, AH=2: CHS 0/0/2 of the first disk). */
	movw	$0x200 + SECTORS - 1, %ax
	movw	$2, %cx
	movw	$0x80, %dx
	movw	$BASE + 512, %bx
	int	$0x13
	jc	end

	/* E820 entries are PVH's, but for the last word, which must be 0. */
	movw	$MAP, %di
	xorl	%ebx, %ebx
2:	movl	$0xe820, %eax
	movl	$0x534d4150, %edx
	movl	$20, %ecx
	int	$0x15
	jc	3f
	movl	$0, 20(%di)
	addw	$24, %di
	incl	memmap_entries
	testl	%ebx, %ebx
	jnz	2b

3:	inb	$0x92, %al		/* address line 20 */
	orb	$2, %al
	outb	%al, $0x92
	lgdtl	gdtr
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$8, $flat

	/* Bochs ends when it reads this word at that port. */
end:	movw	$goodbye, %si
	movw	$8, %cx
	movw	$0x8900, %dx
	rep outsb
	hlt
goodbye: .ascii	"Shutdown"

	.code32
flat:	movl	$16, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$SECTORS, %esi
	movl	$KERNEL, %edi
	movl	$KERNEL_SECTORS, %ebp
	call	read
	movl	$INITRD, %edi
	movl	$INITRD_SECTORS, %ebp
	call	read
	movl	$start_info, %ebx
	movl	$ENTRY, %eax
	.if	!PVH
	/* What a loader fills in of the setup header, and E820. */
	movl	$PARAMS, %edi
	xorl	%eax, %eax
	movl	$1024, %ecx
	rep stosl
	movl	$MAP, %esi
	movl	$PARAMS + 0x2d0, %edi
	movl	memmap_entries, %edx
	movb	%dl, PARAMS + 0x1e8
1:	movl	$5, %ecx
	rep movsl
	addl	$4, %esi
	decl	%edx
	jnz	1b
	movl	$PARAMS, %esi
	movw	$0xaa55, 0x1fe(%esi)
	movl	$0x53726448, 0x202(%esi)
	movw	$0x20c, 0x206(%esi)
	movw	$0x1ff, 0x210(%esi)	/* a loader without a number; LOADED_HIGH */
	movl	$INITRD, 0x218(%esi)
	movl	$INITRD_SIZE, 0x21c(%esi)
	movl	$words, 0x228(%esi)
	movl	$0x37ffffff, 0x22c(%esi)
	movl	$2048, 0x238(%esi)
	xorl	%ebx, %ebx
	xorl	%ebp, %ebp
	movl	$ENTRY, %eax
	.endif
	jmp	*%eax

	/* Reads %ebp sectors from %esi on to %edi: ATA's READ SECTORS EXT. */
read:	movl	$0x8000, %ebx		/* at once, at most */
	cmpl	%ebx, %ebp
	jae	1f
	movl	%ebp, %ebx
1:	movw	$0x1f6, %dx
	movb	$0x40, %al		/* LBA, the first drive */
	outb	%al, %dx
	movw	$0x1f2, %dx
	movb	%bh, %al
	outb	%al, %dx
	incl	%edx
	movl	%esi, %eax
	roll	$8, %eax		/* bits 31..24 of the LBA; the higher ones are 0 */
	outb	%al, %dx
	incl	%edx
	xorl	%eax, %eax
	outb	%al, %dx
	incl	%edx
	outb	%al, %dx
	movw	$0x1f2, %dx
	movb	%bl, %al
	outb	%al, %dx
	movl	%esi, %eax
	movl	$3, %ecx
2:	incl	%edx
	outb	%al, %dx
	shrl	$8, %eax
	loop	2b
	movw	$0x1f7, %dx
	movb	$0x24, %al
	outb	%al, %dx
	addl	%ebx, %esi
	subl	%ebx, %ebp
3:	movw	$0x1f7, %dx
4:	inb	%dx, %al
	andb	$0x88, %al		/* busy, data request */
	cmpb	$0x08, %al
	jne	4b
	movw	$0x1f0, %dx
	movl	$256, %ecx
	rep insw
	decl	%ebx
	jnz	3b
	testl	%ebp, %ebp
	jnz	read
	ret

	.balign	8
gdt:	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cf93000000ffff
gdtr:	.word	. - gdt - 1
	.long	gdt

	.org	510
	.word	0xaa55

	.balign	8
start_info:				/* struct hvm_start_info, version 1 */
	.long	0x336ec578, 1, 0, 1	/* magic, version, flags, nr_modules */
	.long	module, 0, words, 0, 0, 0, MAP, 0	/* modlist, cmdline, rsdp, memmap */
memmap_entries:
	.long	0, 0
module:	.quad	INITRD, INITRD_SIZE, 0, 0
words:	.incbin	"words"
	.byte	0
	.org	SECTORS * 512
