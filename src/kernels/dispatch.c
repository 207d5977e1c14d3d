/*-------------------------------------------------------------------------
 *
 * dispatch.c
 *	  Choice of the kernel table.
 *
 * A table is offered only if both the CPU and the operating system (which has
 * to save the wider registers) support all it uses; __builtin_cpu_supports
 * checks both.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/kernels/dispatch.c
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
