/*-------------------------------------------------------------------------
 *
 * evict.c
 *	  Having the operating system forget the files of a table.
 *
 * That is how an index far larger than memory is modelled by one that is not:
 * what is not in shared buffers comes from storage, at each query anew.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/bench/evict.c
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
add_file(FileList *files, const char *path, int fd)
{
	/* Pages that are not yet written would stay. */
	if (fsync(fd) != 0)
		vec_fatal("could not write out \"%s\": %s", path, strerror(errno));
	files->fds = vec_realloc(files->fds, sizeof(int) * (files->n + 1));
	files->fds[files->n++] = fd;
}

/* All segments of one relation. */
static void
open_segments(FileList *files, const char *path)
{
	for (int segment = 0;; segment++)
	{
		const char *name = segment == 0 ? path :
		format("%s.%d", path, segment);
		int			fd = open(name, O_RDONLY);

		if (fd < 0 && segment > 0 && errno == ENOENT)
			return;
		if (fd < 0)
			vec_fatal("--evict: could not open \"%s\": %s", name,
					  strerror(errno));
		add_file(files, name, fd);
	}
}

/*
 * Opens the files of a table, its TOAST table, and all indexes of both.  The
 * server is to have written everything; nothing may change afterwards.
 */
void
open_files(PGconn *conn, const char *table, FileList *files)
{
	PGresult   *res;

	execute(conn, "CHECKPOINT");
	res = expect(conn, PQexec(conn,
				 format("WITH t AS (SELECT unnest(ARRAY[oid, reltoastrelid]) AS oid"
						"  FROM pg_class WHERE oid = '%s'::regclass)"
						" SELECT current_setting('data_directory') || '/' ||"
						"  pg_relation_filepath(c.oid) FROM pg_class c"
						" WHERE c.oid IN (SELECT oid FROM t UNION ALL"
						"  SELECT indexrelid FROM pg_index"
						"  WHERE indrelid IN (SELECT oid FROM t))",
						table)));
	files->fds = NULL;
	files->n = 0;
	for (int i = 0; i < PQntuples(res); i++)
		open_segments(files, PQgetvalue(res, i, 0));
	PQclear(res);
}

/* After this nothing of the files is in the operating system's cache. */
void
evict_files(const FileList *files)
{
	for (int i = 0; i < files->n; i++)
	{
		int			error = posix_fadvise(files->fds[i], 0, 0,
										  POSIX_FADV_DONTNEED);

		if (error != 0)
			vec_fatal("--evict: %s", strerror(error));
	}
}

void
close_files(FileList *files)
{
	for (int i = 0; i < files->n; i++)
		close(files->fds[i]);
	free(files->fds);
	files->fds = NULL;
	files->n = 0;
}
