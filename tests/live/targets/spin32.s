# A 32-bit program without a library: says "ready", then spins until its alarm.
	.globl	_start
_start:
	mov	$27, %eax
	mov	$100, %ebx
	int	$0x80
	mov	$4, %eax
	mov	$1, %ebx
	mov	$said, %ecx
	mov	$6, %edx
	int	$0x80
spin32:
	jmp	spin32
	.data
said:	.ascii	"ready\n"
