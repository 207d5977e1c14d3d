/*-------------------------------------------------------------------------
 *
 * spool.c
 *	  Temporary files for what a build works on.
 *
 * PostgreSQL's BufFile would do much of this, but keeps a buffer of a block
 * for each file, through which small reads at random places, which most of
 * ours are, read and copy 8 kB each; and what one process writes at some place
 * of a shared file others cannot read.  So these files are read and written by
 * system calls of just what is asked for, and only appending is buffered.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/build/spool.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "pgstat.h"
#include "build/spool.h"

/* Appended bytes that one system call writes. */
#define BUFFER_BYTES (64 * 1024)

/* What one system call takes at most: amounts are of type int. */
#define CALL_BYTES (256 * 1024 * 1024)

struct DiskannSpool
{
	File		file;
	uint64		end;			/* where the buffer goes in the file */
	Size		used;			/* bytes in it */
	char	   *buffer;			/* NULL before something is appended */
	MemoryContext context;		/* where it is allocated */
};

/* Allocate the struct in the current memory context. */
static DiskannSpool *
make_spool(File file)
{
	DiskannSpool *spool = palloc0(sizeof(DiskannSpool));

	spool->file = file;
	spool->context = CurrentMemoryContext;
	return spool;
}

DiskannSpool *
DiskannSpoolCreate(SharedFileSet *set, const char *name)
{
	return make_spool(set ? DiskannFileSetCreate(set, name) :
					  OpenTemporaryFile(false));
}

DiskannSpool *
DiskannSpoolOpen(SharedFileSet *set, const char *name)
{
	File		file = DiskannFileSetOpen(set, name, O_RDWR);

	if (file <= 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open temporary file \"%s\": %m", name)));
	return make_spool(file);
}

void
DiskannSpoolClose(DiskannSpool *spool)
{
	Assert(spool->used == 0);
	FileClose(spool->file);
	if (spool->buffer)
		pfree(spool->buffer);
	pfree(spool);
}

/* Offsets are passed on as off_t, which has a sign. */
static inline bool
is_valid_range(uint64 offset, Size size)
{
	return offset <= PG_INT64_MAX && size <= PG_INT64_MAX - offset;
}

/* The system may write, and read, less at a time than it is asked to. */
static void
write_bytes(DiskannSpool *spool, uint64 offset, const void *data, Size size)
{
	char	   *from = unconstify(char *, (const char *) data);

	Assert(is_valid_range(offset, size));
	while (size > 0)
	{
		int			amount = Min(size, CALL_BYTES);
		int			written = FileWrite(spool->file, from, amount, offset,
										WAIT_EVENT_BUFFILE_WRITE);

		if (written <= 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not write to file \"%s\": %m",
							FilePathName(spool->file))));
		from += written;
		offset += written;
		size -= written;
	}
}

void
DiskannSpoolWrite(DiskannSpool *spool, uint64 offset, const void *data,
				  Size size)
{
	/* What is in the buffer could be older and would be written later. */
	Assert(spool->used == 0);
	write_bytes(spool, offset, data, size);
}

void
DiskannSpoolRead(DiskannSpool *spool, uint64 offset, void *data, Size size)
{
	char	   *to = data;

	Assert(is_valid_range(offset, size));
	Assert(spool->used == 0);	/* the file must be complete */
	while (size > 0)
	{
		int			amount = Min(size, CALL_BYTES);
		int			got = FileRead(spool->file, to, amount, offset,
								   WAIT_EVENT_BUFFILE_READ);

		if (got < 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read file \"%s\": %m",
							FilePathName(spool->file))));
		if (got == 0)
			elog(ERROR, "temporary file \"%s\" ends early",
				 FilePathName(spool->file));
		to += got;
		offset += got;
		size -= got;
	}
}

void
DiskannSpoolAppend(DiskannSpool *spool, const void *data, Size size)
{
	const char *from = data;

	if (spool->buffer == NULL)
		spool->buffer = MemoryContextAlloc(spool->context, BUFFER_BYTES);
	while (size > 0)
	{
		Size		n = Min(size, BUFFER_BYTES - spool->used);

		Assert(n > 0);			/* a full buffer has been flushed */

		memcpy(spool->buffer + spool->used, from, n);
		spool->used += n;
		from += n;
		size -= n;
		if (spool->used == BUFFER_BYTES)
			DiskannSpoolFlush(spool);
	}
}

void
DiskannSpoolFlush(DiskannSpool *spool)
{
	if (spool->used > 0)
		write_bytes(spool, spool->end, spool->buffer, spool->used);
	spool->end += spool->used;
	spool->used = 0;
}

void
DiskannSpoolTruncate(DiskannSpool *spool)
{
	Assert(spool->used == 0);
	if (FileTruncate(spool->file, 0, WAIT_EVENT_BUFFILE_TRUNCATE) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not truncate file \"%s\": %m",
						FilePathName(spool->file))));
	spool->end = 0;
}

uint64
DiskannSpoolSize(DiskannSpool *spool)
{
	off_t		size = FileSize(spool->file);

	if (size < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not determine size of temporary file \"%s\": %m",
						FilePathName(spool->file))));
	return size;
}

void *
DiskannSpoolReadAll(DiskannSpool *spool, Size *size)
{
	void	   *data;

	*size = DiskannSpoolSize(spool);
	data = palloc_extended(Max(*size, 1), MCXT_ALLOC_HUGE);
	DiskannSpoolRead(spool, 0, data, *size);
	return data;
}
