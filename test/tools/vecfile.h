/*-------------------------------------------------------------------------
 *
 * vecfile.h
 *	  Reading the vector files of the benchmark world, and writing vectors
 *	  in the binary formats PostgreSQL receives.
 *
 * Client code, no PostgreSQL header.  Every function that can fail prints the
 * reason to stderr and exits: the programs using this have nothing better to
 * do.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/tools/vecfile.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef VECFILE_H
#define VECFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * U8BIN, F16BIN, FBIN and IBIN: uint32 rows, uint32 columns, then the rows.
 * FVECS: every row is preceded by its int32 length, there is no header.  All
 * little-endian.
 */
typedef enum VecFormat
{
	VEC_UNKNOWN,
	VEC_U8BIN,
	VEC_F16BIN,
	VEC_FBIN,
	VEC_IBIN,
	VEC_FVECS
} VecFormat;

typedef struct VecFile
{
	const char *path;
	FILE	   *fp;
	pid_t		gzip;			/* child that decompresses, or 0 */
	VecFormat	format;
	int64_t		nrows;			/* -1 if the format does not tell */
	int			ncols;
	int64_t		next;			/* number of the row read next */
	bool		length_read;	/* FVECS: length of the next row consumed */
	unsigned char *buf;			/* one row as it is in the file */
} VecFile;

/* How a vector is sent to the server. */
typedef enum VecType
{
	VECTYPE_REAL,				/* real[] */
	VECTYPE_DOUBLE,				/* double precision[] */
	VECTYPE_VECTOR,				/* pgvector's vector */
	VECTYPE_HALFVEC				/* pgvector's halfvec */
} VecType;

/* Prints the message to stderr and exits with status 1. */
extern void vec_fatal(const char *fmt,...)
			__attribute__((format(printf, 1, 2), noreturn));

/* malloc and realloc that do not return NULL. */
extern void *vec_alloc(size_t size);
extern void *vec_realloc(void *p, size_t size);

/* Format by the name's ending (".gz" ignored), or by a name such as "fbin". */
extern VecFormat vec_format(const char *name);

/*
 * Opens path, "-" for stdin; gzip'ed files are recognised by content (stdin
 * is not: put gzip -dc before it).  VEC_UNKNOWN: by the name's ending.
 */
extern void vecfile_open(VecFile *f, const char *path, VecFormat format);
extern void vecfile_close(VecFile *f);

/* Next row, ncols values; false at the end.  _int is for IBIN alone. */
extern bool vecfile_next(VecFile *f, float *out);
extern bool vecfile_next_int(VecFile *f, int32_t *out);
extern void vecfile_skip(VecFile *f, int64_t rows);

/*
 * Reads rows offset .. offset + limit - 1 (limit -1: all that follow) at once.
 * Sets *nrows and *ncols; the caller frees the result.
 */
extern float *vecfile_read_all(const char *path, int64_t offset,
							   int64_t limit, int64_t *nrows, int *ncols);
extern int32_t *vecfile_read_all_int(const char *path, int64_t *nrows,
									 int *ncols);

/* Type by its SQL name; false if it is none of ours. */
extern bool vectype_parse(const char *name, VecType *type);

/* Bytes of a vector in the type's binary format, and the bytes themselves. */
extern size_t vectype_size(VecType type, int ncols);
extern void vectype_encode(VecType type, const float *v, int ncols,
						   unsigned char *out);

/*
 * Binary COPY of (id int4, v type): the file header, one row, the trailer.
 * The row's size includes its framing.
 */
#define COPY_HEADER_SIZE 19
#define COPY_TRAILER_SIZE 2
extern void copy_header(unsigned char *out);
extern void copy_trailer(unsigned char *out);
extern size_t copy_row_size(VecType type, int ncols);
extern void copy_row(VecType type, int32_t id, const float *v, int ncols,
					 unsigned char *out);

#endif							/* VECFILE_H */
