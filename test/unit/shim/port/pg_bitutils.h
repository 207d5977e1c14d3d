/*-------------------------------------------------------------------------
 *
 * pg_bitutils.h
 *	  What src/graph uses of PostgreSQL's port/pg_bitutils.h.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/shim/port/pg_bitutils.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SHIM_PG_BITUTILS_H
#define DISKANN_SHIM_PG_BITUTILS_H

/* The position of the highest bit set, from 0; word is not 0. */
static inline int
pg_leftmost_one_pos32(uint32 word)
{
	return 31 - __builtin_clz(word);
}

#endif							/* DISKANN_SHIM_PG_BITUTILS_H */
