/*-------------------------------------------------------------------------
 *
 * hashfn.h
 *	  What src/graph uses of PostgreSQL's common/hashfn.h.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/shim/common/hashfn.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SHIM_HASHFN_H
#define DISKANN_SHIM_HASHFN_H

/* The finalizer of MurmurHash3, as PostgreSQL has it. */
static inline uint32
murmurhash32(uint32 data)
{
	uint32		h = data;

	h ^= h >> 16;
	h *= 0x85ebca6b;
	h ^= h >> 13;
	h *= 0xc2b2ae35;
	h ^= h >> 16;
	return h;
}

#endif							/* DISKANN_SHIM_HASHFN_H */
