/*-------------------------------------------------------------------------
 *
 * pause.h
 *	  Places where a test can stop a session, make it fail, or crash it.
 *
 * A place has a name.  Only a library compiled with DISKANN_PAUSE_POINTS has
 * them (make STRICT=1 does that); in others they are nothing at all.  There the
 * setting diskann.pause_at names the place at which this session
 *
 *		waits			'name 7'		until it gets advisory lock 7, which it
 *										gives back at once
 *		fails			'name error'	with an error
 *		crashes			'name crash'	by SIGKILL, which takes the server down
 *
 * A session that waits is seen by the isolation tester as waiting.  A place
 * where a buffer is locked can only be crashed at.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/store/pause.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_PAUSE_H
#define DISKANN_PAUSE_H

#ifdef DISKANN_PAUSE_POINTS

/* Define the setting; to be called once, when the library is loaded. */
extern void DiskannInitPause(void);

extern void DiskannPausePoint(const char *name);

#else

#define DiskannInitPause() ((void) 0)
#define DiskannPausePoint(name) ((void) 0)

#endif							/* DISKANN_PAUSE_POINTS */

#endif							/* DISKANN_PAUSE_H */
