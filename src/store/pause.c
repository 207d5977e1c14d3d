/*-------------------------------------------------------------------------
 *
 * pause.c
 *	  Places where a test can stop a session, make it fail, or crash it.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/pause.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/pause.h"

#ifdef DISKANN_PAUSE_POINTS

#include <signal.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"

static char *pause_at;

void
DiskannInitPause(void)
{
	DefineCustomStringVariable("diskann.pause_at",
							   "Names the place where this session pauses.",
							   "For tests.", &pause_at, "", PGC_USERSET,
							   GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE, NULL, NULL,
							   NULL);
}

void
DiskannPausePoint(const char *name)
{
	Size		length = strlen(name);
	const char *action;

	if (pause_at == NULL || strncmp(pause_at, name, length) != 0 ||
		pause_at[length] != ' ')
		return;
	action = pause_at + length + 1;
	if (strcmp(action, "crash") == 0)
		kill(MyProcPid, SIGKILL);
	else if (strcmp(action, "error") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("stopped at \"%s\"", name)));
	else
	{
		Datum		lock = Int64GetDatum(atoi(action));

		(void) DirectFunctionCall1(pg_advisory_lock_int8, lock);
		(void) DirectFunctionCall1(pg_advisory_unlock_int8, lock);
	}
}

#endif							/* DISKANN_PAUSE_POINTS */
