/*-------------------------------------------------------------------------
 *
 * vec2copy.c
 *	  Turns a vector file into PostgreSQL's binary COPY format.
 *
 *	  vec2copy base.u8bin.gz |
 *		psql -c "COPY t (id, v) FROM STDIN (FORMAT binary)"
 *
 * The id of a row is its number in the file, from 0: also with --offset, so
 * that ground truth files stay valid for a part of the rows.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/tools/vec2copy.c
 *
 *-------------------------------------------------------------------------
 */
#include "vecfile.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

typedef struct Options
{
	const char *path;
	VecFormat	format;
	VecType		type;
	int64_t		limit;			/* -1: no limit */
	int64_t		offset;
} Options;

static void
usage(void)
{
	puts("Usage: vec2copy [OPTION]... FILE\n\n"
		 "FILE is a .u8bin, .f16bin, .fbin or .fvecs file, gzip'ed or not,\n"
		 "or - for an uncompressed one on standard input.\n\n"
		 "  --format NAME   u8bin, f16bin, fbin or fvecs (default: by name)\n"
		 "  --type TYPE     real[] (default), double precision[], vector, halfvec\n"
		 "  --double        the same as --type 'double precision[]'\n"
		 "  --limit N       at most N rows\n"
		 "  --offset N      leave out the first N rows");
}

static int64_t
parse_count(const char *arg)
{
	char	   *end;
	long long	n;

	errno = 0;
	n = strtoll(arg, &end, 10);
	if (errno != 0 || end == arg || *end != '\0' || n < 0)
		vec_fatal("vec2copy: not a row count: \"%s\"", arg);
	return n;
}

static void
parse_options(int argc, char **argv, Options *opt)
{
	static const struct option longopts[] = {
		{"format", required_argument, NULL, 'f'},
		{"type", required_argument, NULL, 't'},
		{"double", no_argument, NULL, 'd'},
		{"limit", required_argument, NULL, 'l'},
		{"offset", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}
	};
	int			c;

	while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1)
	{
		switch (c)
		{
			case 'f':
				opt->format = vec_format(optarg);
				if (opt->format == VEC_UNKNOWN)
					vec_fatal("vec2copy: no such format: \"%s\"", optarg);
				break;
			case 't':
				if (!vectype_parse(optarg, &opt->type))
					vec_fatal("vec2copy: no such type: \"%s\"", optarg);
				break;
			case 'd':
				opt->type = VECTYPE_DOUBLE;
				break;
			case 'l':
				opt->limit = parse_count(optarg);
				break;
			case 'o':
				opt->offset = parse_count(optarg);
				break;
			case 'h':
				usage();
				exit(0);
			default:
				exit(2);
		}
	}
	if (optind != argc - 1)
		vec_fatal("vec2copy: exactly one file is needed (see --help)");
	opt->path = argv[optind];
}

static void
write_all(const void *p, size_t size)
{
	if (fwrite(p, 1, size, stdout) != size)
		vec_fatal("vec2copy: could not write: %s", strerror(errno));
}

static void
convert(const Options *opt)
{
	VecFile		f;
	size_t		size;
	float	   *v;
	unsigned char *row;
	unsigned char frame[COPY_HEADER_SIZE];

	vecfile_open(&f, opt->path, opt->format);
	size = copy_row_size(opt->type, f.ncols);
	v = vec_alloc(sizeof(float) * f.ncols);
	row = vec_alloc(size);

	copy_header(frame);
	write_all(frame, COPY_HEADER_SIZE);
	vecfile_skip(&f, opt->offset);
	for (int64_t n = 0; opt->limit < 0 || n < opt->limit; n++)
	{
		if (!vecfile_next(&f, v))
			break;
		copy_row(opt->type, (int32_t) (opt->offset + n), v, f.ncols, row);
		write_all(row, size);
	}
	copy_trailer(frame);
	write_all(frame, COPY_TRAILER_SIZE);
	if (fflush(stdout) != 0)
		vec_fatal("vec2copy: could not write: %s", strerror(errno));

	free(row);
	free(v);
	vecfile_close(&f);
}

int
main(int argc, char **argv)
{
	Options		opt = {.type = VECTYPE_REAL, .limit = -1};

	parse_options(argc, argv, &opt);
	convert(&opt);
	return 0;
}
