/*-------------------------------------------------------------------------
 *
 * vecfile.c
 *	  Reading the vector files of the benchmark world, and writing vectors
 *	  in the binary formats PostgreSQL receives.
 *
 * Compressed files are read through a gzip process, so that no compression
 * library is needed to build this.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/tools/vecfile.c
 *
 *-------------------------------------------------------------------------
 */
#include "vecfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLOAT4OID 700
#define FLOAT8OID 701

/* Refuse what is surely not a header: PostgreSQL's own limit is far below. */
#define MAX_COLS 1000000

void
vec_fatal(const char *fmt,...)
{
	va_list		ap;

	fflush(stdout);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void *
vec_alloc(size_t size)
{
	return vec_realloc(NULL, size);
}

void *
vec_realloc(void *p, size_t size)
{
	p = realloc(p, size > 0 ? size : 1);
	if (p == NULL)
		vec_fatal("out of memory");
	return p;
}

/*
 * Little-endian and big-endian access, independent of the machine.
 */

static uint32_t
get_le32(const unsigned char *p)
{
	return (uint32_t) p[0] | (uint32_t) p[1] << 8 |
		(uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}

static unsigned char *
put_be16(unsigned char *p, uint16_t v)
{
	*p++ = v >> 8;
	*p++ = v & 0xff;
	return p;
}

static unsigned char *
put_be32(unsigned char *p, uint32_t v)
{
	p = put_be16(p, v >> 16);
	return put_be16(p, v & 0xffff);
}

static unsigned char *
put_be64(unsigned char *p, uint64_t v)
{
	p = put_be32(p, v >> 32);
	return put_be32(p, v & 0xffffffff);
}

static float
float_from_bits(uint32_t bits)
{
	float		f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static uint32_t
bits_from_float(float f)
{
	uint32_t	bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

static float
float_from_half(uint16_t h)
{
	uint32_t	sign = (uint32_t) (h & 0x8000) << 16;
	uint32_t	exponent = (h >> 10) & 0x1f;
	uint32_t	mantissa = h & 0x3ff;

	if (exponent == 0x1f)
		return float_from_bits(sign | 0x7f800000 | mantissa << 13);
	if (exponent == 0)
	{
		/* zero or subnormal: the mantissa counts units of 2^-24 */
		float		f = (float) mantissa * 0x1p-24f;

		return sign ? -f : f;
	}
	return float_from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

/* Round to nearest even; what does not fit becomes infinity. */
static uint16_t
half_from_float(float f)
{
	uint32_t	bits = bits_from_float(f);
	uint16_t	sign = (bits >> 16) & 0x8000;
	uint32_t	magnitude = bits & 0x7fffffff;
	uint32_t	rest;

	if (magnitude > 0x7f800000)
		return sign | 0x7e00;
	if (magnitude >= 0x477ff000)
		return sign | 0x7c00;
	if (magnitude < 0x38800000)
	{
		/*
		 * Subnormal half: adding 0.5 makes the unit of the float 2^-24, so
		 * the processor rounds for us.
		 */
		float		g = float_from_bits(magnitude) + 0.5f;

		return sign | (uint16_t) (bits_from_float(g) - 0x3f000000);
	}
	rest = magnitude - 0x38000000;
	return sign | (uint16_t) ((rest + 0xfff + ((rest >> 13) & 1)) >> 13);
}

/*
 * Files
 */

VecFormat
vec_format(const char *name)
{
	static const struct
	{
		const char *name;
		VecFormat	format;
	}			formats[] = {
		{"u8bin", VEC_U8BIN}, {"f16bin", VEC_F16BIN}, {"fbin", VEC_FBIN},
		{"ibin", VEC_IBIN}, {"fvecs", VEC_FVECS}
	};
	size_t		len = strlen(name);

	if (len > 3 && strcmp(name + len - 3, ".gz") == 0)
		len -= 3;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
	{
		size_t		n = strlen(formats[i].name);

		if (len >= n && memcmp(name + len - n, formats[i].name, n) == 0 &&
			(len == n || name[len - n - 1] == '.'))
			return formats[i].format;
	}
	return VEC_UNKNOWN;
}

static int
element_size(VecFormat format)
{
	switch (format)
	{
		case VEC_U8BIN:
			return 1;
		case VEC_F16BIN:
			return 2;
		default:
			return 4;
	}
}

/* Reads exactly size bytes, or, at a clean end of file, none (false). */
static bool
read_bytes(VecFile *f, void *out, size_t size)
{
	size_t		got = fread(out, 1, size, f->fp);

	if (got == size)
		return true;
	if (ferror(f->fp))
		vec_fatal("could not read \"%s\": %s", f->path, strerror(errno));
	if (got != 0)
		vec_fatal("\"%s\" ends in the middle of a row", f->path);
	return false;
}

/* Replaces f->fp by the output of a gzip reading from it. */
static void
start_gzip(VecFile *f)
{
	int			ends[2];

	/* The descriptor's position is what the child sees, stdio's is not. */
	if (lseek(fileno(f->fp), 0, SEEK_SET) < 0 || pipe(ends) < 0)
		vec_fatal("could not decompress \"%s\": %s", f->path, strerror(errno));
	f->gzip = fork();
	if (f->gzip < 0)
		vec_fatal("could not start a process: %s", strerror(errno));
	if (f->gzip == 0)
	{
		dup2(fileno(f->fp), STDIN_FILENO);
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execlp("gzip", "gzip", "-dc", (char *) NULL);
		perror("gzip");
		_exit(127);
	}
	close(ends[1]);
	fclose(f->fp);
	/* or a later gzip would hold this pipe open */
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	f->fp = fdopen(ends[0], "rb");
	if (f->fp == NULL)
		vec_fatal("could not open a pipe: %s", strerror(errno));
}

static void
open_stream(VecFile *f)
{
	unsigned char magic[2];

	if (strcmp(f->path, "-") == 0)
	{
		f->fp = stdin;
		return;
	}
	f->fp = fopen(f->path, "rb");
	if (f->fp == NULL)
		vec_fatal("could not open \"%s\": %s", f->path, strerror(errno));
	if (fread(magic, 1, 2, f->fp) == 2 &&
		magic[0] == 0x1f && magic[1] == 0x8b)
		start_gzip(f);
	else
		rewind(f->fp);
}

/* FVECS: the length in front of the next row; false at the end. */
static bool
read_row_length(VecFile *f)
{
	unsigned char head[4];

	if (f->length_read)
		return true;
	if (!read_bytes(f, head, sizeof(head)))
		return false;
	if (f->next > 0 && get_le32(head) != (uint32_t) f->ncols)
		vec_fatal("row %lld of \"%s\" has another length than the first",
				  (long long) f->next, f->path);
	f->ncols = (int) get_le32(head);
	f->length_read = true;
	return true;
}

void
vecfile_open(VecFile *f, const char *path, VecFormat format)
{
	unsigned char head[8];

	memset(f, 0, sizeof(*f));
	f->path = path;
	f->format = format != VEC_UNKNOWN ? format : vec_format(path);
	if (f->format == VEC_UNKNOWN)
		vec_fatal("format of \"%s\" is not known", path);
	open_stream(f);
	f->nrows = -1;
	if (f->format == VEC_FVECS)
	{
		if (!read_row_length(f))
			vec_fatal("\"%s\" is empty", path);
	}
	else
	{
		if (!read_bytes(f, head, sizeof(head)))
			vec_fatal("\"%s\" is empty", path);
		f->nrows = get_le32(head);
		f->ncols = (int) get_le32(head + 4);
	}
	if (f->ncols <= 0 || f->ncols > MAX_COLS)
		vec_fatal("\"%s\" is not a %s file", path, "vector");
	f->buf = vec_alloc((size_t) f->ncols * element_size(f->format));
}

void
vecfile_close(VecFile *f)
{
	if (f->fp != stdin)
		fclose(f->fp);
	if (f->gzip > 0)
		waitpid(f->gzip, NULL, 0);	/* may have died of SIGPIPE: no matter */
	free(f->buf);
	memset(f, 0, sizeof(*f));
}

/* Next row into f->buf. */
static bool
read_row(VecFile *f)
{
	if (f->nrows >= 0 && f->next >= f->nrows)
		return false;
	if (f->format == VEC_FVECS && !read_row_length(f))
		return false;
	if (!read_bytes(f, f->buf, (size_t) f->ncols * element_size(f->format)))
		vec_fatal("\"%s\" ends after row %lld", f->path, (long long) f->next);
	f->length_read = false;
	f->next++;
	return true;
}

bool
vecfile_next(VecFile *f, float *out)
{
	if (f->format == VEC_IBIN)
		vec_fatal("\"%s\" holds row numbers, not vectors", f->path);
	if (!read_row(f))
		return false;
	for (int i = 0; i < f->ncols; i++)
	{
		if (f->format == VEC_U8BIN)
			out[i] = f->buf[i];
		else if (f->format == VEC_F16BIN)
			out[i] = float_from_half((uint16_t) (f->buf[2 * i] |
												 f->buf[2 * i + 1] << 8));
		else
			out[i] = float_from_bits(get_le32(f->buf + 4 * i));
	}
	return true;
}

bool
vecfile_next_int(VecFile *f, int32_t *out)
{
	if (f->format != VEC_IBIN)
		vec_fatal("\"%s\" does not hold row numbers", f->path);
	if (!read_row(f))
		return false;
	for (int i = 0; i < f->ncols; i++)
		out[i] = (int32_t) get_le32(f->buf + 4 * i);
	return true;
}

void
vecfile_skip(VecFile *f, int64_t rows)
{
	while (rows-- > 0 && read_row(f))
		;
}

float *
vecfile_read_all(const char *path, int64_t offset, int64_t limit,
				 int64_t *nrows, int *ncols)
{
	VecFile		f;
	float	   *rows = NULL;
	int64_t		n = 0;
	int64_t		room = 0;

	vecfile_open(&f, path, VEC_UNKNOWN);
	vecfile_skip(&f, offset);
	while (limit < 0 || n < limit)
	{
		if (n == room)
		{
			room = room ? 2 * room : 1024;
			rows = vec_realloc(rows, sizeof(float) * room * f.ncols);
		}
		if (!vecfile_next(&f, rows + n * f.ncols))
			break;
		n++;
	}
	*nrows = n;
	*ncols = f.ncols;
	vecfile_close(&f);
	return rows;
}

int32_t *
vecfile_read_all_int(const char *path, int64_t *nrows, int *ncols)
{
	VecFile		f;
	int32_t    *rows;
	int64_t		n = 0;

	vecfile_open(&f, path, VEC_IBIN);
	rows = vec_alloc(sizeof(int32_t) * f.nrows * f.ncols);
	while (vecfile_next_int(&f, rows + n * f.ncols))
		n++;
	*nrows = n;
	*ncols = f.ncols;
	vecfile_close(&f);
	return rows;
}

/*
 * What the server receives
 */

bool
vectype_parse(const char *name, VecType *type)
{
	if (strcmp(name, "real[]") == 0 || strcmp(name, "float4[]") == 0)
		*type = VECTYPE_REAL;
	else if (strcmp(name, "double precision[]") == 0 ||
			 strcmp(name, "float8[]") == 0)
		*type = VECTYPE_DOUBLE;
	else if (strncmp(name, "vector", 6) == 0)
		*type = VECTYPE_VECTOR;
	else if (strncmp(name, "halfvec", 7) == 0)
		*type = VECTYPE_HALFVEC;
	else
		return false;
	return true;
}

size_t
vectype_size(VecType type, int ncols)
{
	switch (type)
	{
		case VECTYPE_REAL:
			return 20 + (size_t) ncols * 8;
		case VECTYPE_DOUBLE:
			return 20 + (size_t) ncols * 12;
		case VECTYPE_VECTOR:
			return 4 + (size_t) ncols * 4;
		case VECTYPE_HALFVEC:
			return 4 + (size_t) ncols * 2;
	}
	return 0;
}

/* As array_recv wants it: one dimension, every element with its length. */
static void
encode_array(VecType type, const float *v, int ncols, unsigned char *p)
{
	p = put_be32(p, 1);			/* dimensions */
	p = put_be32(p, 0);			/* no nulls */
	p = put_be32(p, type == VECTYPE_REAL ? FLOAT4OID : FLOAT8OID);
	p = put_be32(p, (uint32_t) ncols);
	p = put_be32(p, 1);			/* lower bound */
	for (int i = 0; i < ncols; i++)
	{
		if (type == VECTYPE_REAL)
		{
			p = put_be32(p, 4);
			p = put_be32(p, bits_from_float(v[i]));
		}
		else
		{
			double		d = v[i];
			uint64_t	bits;

			memcpy(&bits, &d, sizeof(bits));
			p = put_be32(p, 8);
			p = put_be64(p, bits);
		}
	}
}

void
vectype_encode(VecType type, const float *v, int ncols, unsigned char *out)
{
	if (type == VECTYPE_REAL || type == VECTYPE_DOUBLE)
	{
		encode_array(type, v, ncols, out);
		return;
	}
	out = put_be16(out, (uint16_t) ncols);
	out = put_be16(out, 0);
	for (int i = 0; i < ncols; i++)
	{
		if (type == VECTYPE_VECTOR)
			out = put_be32(out, bits_from_float(v[i]));
		else
			out = put_be16(out, half_from_float(v[i]));
	}
}

void
copy_header(unsigned char *out)
{
	memcpy(out, "PGCOPY\n\377\r\n\0", 11);
	memset(out + 11, 0, 8);
}

void
copy_trailer(unsigned char *out)
{
	put_be16(out, 0xffff);
}

size_t
copy_row_size(VecType type, int ncols)
{
	return 14 + vectype_size(type, ncols);
}

void
copy_row(VecType type, int32_t id, const float *v, int ncols,
		 unsigned char *out)
{
	out = put_be16(out, 2);		/* columns */
	out = put_be32(out, 4);
	out = put_be32(out, (uint32_t) id);
	out = put_be32(out, (uint32_t) vectype_size(type, ncols));
	vectype_encode(type, v, ncols, out);
}
