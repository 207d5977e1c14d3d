/*-------------------------------------------------------------------------
 *
 * harness.h
 *	  What the tests of kernels share: counting, random numbers, and memory
 *	  that must not be overrun.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/harness.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_TEST_HARNESS_H
#define DISKANN_TEST_HARNESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/kernels.h"

#define LENGTHOF(array) (sizeof(array) / sizeof((array)[0]))

/* Failures shown in full; the rest is only counted. */
#define MAX_SHOWN 20

static long passed = 0;
static long failed = 0;

/* What runs at the moment, for the signal handler. */
static const char *volatile current_table = "none";
static const char *volatile current_kernel = "none";
static volatile size_t current_n = 0;

static inline bool
check(bool ok, const char *what)
{
	if (ok)
		passed++;
	else if (failed++ < MAX_SHOWN)
		printf("FAILED: %s %s, n = %zu: %s\n", current_table, current_kernel,
			   current_n, what);
	return ok;
}

/* A value within tolerance of another; NaN is never within. */
static inline void
check_close(double got, double expected, double tolerance, const char *what)
{
	bool		ok = fabs(got - expected) <= tolerance;

	if (!check(ok, what) && failed <= MAX_SHOWN)
		printf("        got %.9g, expected %.9g, tolerance %.3g\n",
			   got, expected, tolerance);
}

/* Not signal-safe to the letter, but this process is lost anyway. */
static inline void
on_fault(int signo)
{
	printf("FAILED: signal %d in %s %s, n = %zu (access out of bounds?)\n",
		   signo, current_table, current_kernel, current_n);
	printf("%ld passed, %ld failed\n", passed, failed + 1);
	fflush(stdout);
	_exit(1);
}

/* ---------------------------------------------------------------------
 * Random numbers
 * ---------------------------------------------------------------------
 */
static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static inline uint64_t
random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* In (0, 1). */
static inline double
random_uniform(void)
{
	return ((double) (random_bits() >> 11) + 0.5) * 0x1p-53;
}

static inline double
random_normal(void)
{
	double		radius = sqrt(-2.0 * log(random_uniform()));

	return radius * cos(6.283185307179586 * random_uniform());
}

static inline void
random_bytes(uint8_t *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		p[i] = (uint8_t) (random_bits() >> 32);
}

/* ---------------------------------------------------------------------
 * Memory with an inaccessible page before and behind it
 * ---------------------------------------------------------------------
 */
typedef struct Guarded
{
	char	   *start;
	size_t		size;
} Guarded;

static inline Guarded
guarded_create(size_t size)
{
	size_t		page = (size_t) sysconf(_SC_PAGESIZE);
	Guarded		g;
	char	   *p;

	g.size = (size + page - 1) / page * page;
	p = mmap(NULL, g.size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	if (p == MAP_FAILED ||
		mprotect(p + page, g.size, PROT_READ | PROT_WRITE) != 0)
	{
		perror("mmap");
		exit(2);
	}
	g.start = p + page;
	return g;
}

/* A copy of size bytes whose end (or start) touches the guard page. */
static inline void *
guarded_copy(const Guarded *g, bool at_end, const void *data, size_t size)
{
	char	   *p = at_end ? g->start + g->size - size : g->start;

	if (size > 0)
		memcpy(p, data, size);
	return p;
}

static inline void
catch_faults(void)
{
	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	signal(SIGILL, on_fault);
}

/* What main() returns. */
static inline int
report(void)
{
	printf("%ld passed, %ld failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}

#endif							/* DISKANN_TEST_HARNESS_H */
