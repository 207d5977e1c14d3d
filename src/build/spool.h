/*-------------------------------------------------------------------------
 *
 * spool.h
 *	  Temporary files for what a build works on.
 *
 * A file is written by appending, or at given places, and read at any place.
 * Nothing is mapped or kept in memory, so that the kernel alone decides what
 * stays there; files count against temp_file_limit and are deleted by whatever
 * ends the build.  With a SharedFileSet all processes of a parallel build may
 * open them by name.
 *
 * All functions here raise an error if a file cannot be read or written, or
 * temp_file_limit is exceeded.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/spool.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_SPOOL_H
#define DISKANN_SPOOL_H

#include "storage/sharedfileset.h"

typedef struct DiskannSpool DiskannSpool;

/*
 * Create a file, open a shared one that somebody else created (for reading and
 * writing), close it.  Allocated in the current context.  set is NULL for a
 * file of this process alone.
 */
extern DiskannSpool *DiskannSpoolCreate(SharedFileSet *set, const char *name);
extern DiskannSpool *DiskannSpoolOpen(SharedFileSet *set, const char *name);
extern void DiskannSpoolClose(DiskannSpool *spool);

/*
 * Append through a buffer; others, and DiskannSpoolRead(), see it after the
 * flush.  One process appends to a file, behind what it has appended before;
 * what was written at offsets does not count.
 */
extern void DiskannSpoolAppend(DiskannSpool *spool, const void *data,
							   Size size);
extern void DiskannSpoolFlush(DiskannSpool *spool);

/*
 * Write or read at an offset, without a buffer.  To read beyond the end is an
 * error; to write beyond it leaves a hole of zeroes.
 */
extern void DiskannSpoolWrite(DiskannSpool *spool, uint64 offset,
							  const void *data, Size size);
extern void DiskannSpoolRead(DiskannSpool *spool, uint64 offset, void *data,
							 Size size);

/* Bytes in the file. */
extern uint64 DiskannSpoolSize(DiskannSpool *spool);

/* Make a file empty that is needed no more, by who has created it. */
extern void DiskannSpoolTruncate(DiskannSpool *spool);

/* Read all of a file into palloc'd memory; *size gets its bytes. */
extern void *DiskannSpoolReadAll(DiskannSpool *spool, Size *size);

#endif							/* DISKANN_SPOOL_H */
