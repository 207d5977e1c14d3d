/*-------------------------------------------------------------------------
 *
 * kernels.c
 *	  Choice of the kernel table, and half float conversion.
 *
 * A table is offered only if both the CPU and the operating system (which has
 * to save the wider registers) support all it uses; __builtin_cpu_supports
 * checks both.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/kernels/kernels.c
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/kernels_internal.h"

#ifdef DISKANN_KERNELS_X86
#include <cpuid.h>
#endif

typedef struct KernelChoice
{
	const DiskannKernels *table;
	bool		(*runs_here) (void);
} KernelChoice;

/* Valid even before the constructor below has run. */
const DiskannKernels *diskann_kernels = &diskann_kernels_scalar;

static bool
always(void)
{
	return true;
}

#ifdef DISKANN_KERNELS_X86

/*
 * Not all compilers know the name "f16c" in __builtin_cpu_supports.  Its
 * registers are those of AVX, so the CPU flag is enough next to avx2.
 */
static bool
cpu_has_f16c(void)
{
	unsigned int eax;
	unsigned int ebx;
	unsigned int ecx;
	unsigned int edx;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
		return false;
	return (ecx & (1u << 29)) != 0;
}

static bool
avx2_runs_here(void)
{
	/* needed when called before libgcc's own constructor */
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2") &&
		__builtin_cpu_supports("fma") &&
		cpu_has_f16c();
}

static bool
avx512_runs_here(void)
{
	/* avx2 too, because this table borrows functions of that one */
	return avx2_runs_here() &&
		__builtin_cpu_supports("avx512f") &&
		__builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl") &&
		__builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512vnni");
}

#endif							/* DISKANN_KERNELS_X86 */

#ifdef DISKANN_KERNELS_AMX
static bool
amx_runs_here(void)
{
	return avx512_runs_here() && diskann_amx_runs_here();
}
#endif

/* From the slowest to the best. */
static const KernelChoice choices[] = {
	{&diskann_kernels_scalar, always},
#ifdef DISKANN_KERNELS_X86
	{&diskann_kernels_avx2, avx2_runs_here},
	{&diskann_kernels_avx512, avx512_runs_here},
#ifdef DISKANN_KERNELS_AMX
	{&diskann_kernels_amx, amx_runs_here},
#endif
#endif
#ifdef DISKANN_KERNELS_NEON
	/* part of the base architecture */
	{&diskann_kernels_neon, always},
#endif
};

#define NUM_CHOICES ((int) (sizeof(choices) / sizeof(choices[0])))

const DiskannKernels *
diskann_kernels_available(int i)
{
	if (i < 0)
		return NULL;
	for (int c = 0; c < NUM_CHOICES; c++)
	{
		if (choices[c].runs_here() && i-- == 0)
			return choices[c].table;
	}
	return NULL;
}

bool
diskann_kernels_force(const char *name)
{
	bool		automatic = strcmp(name, "auto") == 0;

	for (int c = NUM_CHOICES - 1; c >= 0; c--)
	{
		if (!automatic && strcmp(name, choices[c].table->name) != 0)
			continue;
		if (choices[c].runs_here())
		{
			diskann_kernels = choices[c].table;
			return true;
		}
	}
	return false;
}

/* Runs when the library is loaded, so that no caller has to remember it. */
__attribute__((constructor))
static void
choose_at_load(void)
{
	(void) diskann_kernels_force("auto");
}

/* Shift m right by shift (1..24), rounding to nearest even. */
static uint32_t
shift_round_even(uint32_t m, int shift)
{
	uint32_t	quotient = m >> shift;
	uint32_t	rest = m & ((UINT32_C(1) << shift) - 1);
	uint32_t	tie = UINT32_C(1) << (shift - 1);

	if (rest > tie || (rest == tie && (quotient & 1) != 0))
		quotient++;
	return quotient;
}

/* A NaN keeps the part of its payload that fits, and stays a NaN. */
static uint32_t
half_nan_from_bits(uint32_t x)
{
	uint32_t	payload = (x >> 13) & 0x3ff;

	return 0x7c00 | (payload != 0 ? payload : 0x200);
}

uint16_t
diskann_half_from_float(float f)
{
	uint32_t	x;
	uint32_t	sign;
	uint32_t	half;

	memcpy(&x, &f, sizeof(x));
	sign = (x >> 16) & 0x8000;
	x &= 0x7fffffff;

	if (x > 0x7f800000)
		half = half_nan_from_bits(x);
	else if (x >= 0x477ff000)	/* 65520 and above round to infinity */
		half = 0x7c00;
	else if (x >= 0x38800000)	/* 2^-14, least normal half float */
		half = shift_round_even(x - 0x38000000, 13);
	else if (x > 0x33000000)	/* 2^-25 is a tie, and goes to zero */
		half = shift_round_even((x & 0x7fffff) | 0x800000,
								126 - (int) (x >> 23));
	else
		half = 0;

	return (uint16_t) (sign | half);
}

float
diskann_half_to_float(uint16_t h)
{
	uint32_t	sign = (uint32_t) (h & 0x8000) << 16;
	uint32_t	exponent = (h >> 10) & 0x1f;
	uint32_t	mantissa = h & 0x3ff;
	uint32_t	x;
	float		f;

	if (exponent == 0)
	{
		/* zero or subnormal: exact, the unit is 2^-24 */
		f = (float) mantissa * 0x1p-24f;
		return sign != 0 ? -f : f;
	}
	if (exponent == 31)
		x = 0x7f800000 | (mantissa << 13);
	else
		x = ((exponent + 112) << 23) | (mantissa << 13);
	x |= sign;
	memcpy(&f, &x, sizeof(f));
	return f;
}
