/*-------------------------------------------------------------------------
 *
 * usage.c
 *	  How often indexes are used, and what that takes.
 *
 * Counts are in memory that all sessions share, where a session can make such
 * without the library being preloaded; elsewhere each session has its own.  The
 * places are as many as there ever are.  An index has one among those of a
 * bucket, from its first use on; if all are taken, the index that was used
 * least recently loses its counts.  So nothing has to be done when an index is
 * dropped, which might be rolled back: its place is taken sooner or later.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/usage.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "am/usage.h"
#include "common/hashfn.h"
#include "compat.h"
#include "miscadmin.h"
#include "storage/spin.h"
#include "utils/memutils.h"

/*
 * The name of the memory that is shared.  It outlives the library, so what is
 * in it goes by another name once it changes.
 */
#define MEMORY_NAME "diskann usage 1"

#define BUCKETS 32
#define PLACES 16

typedef struct Place
{
	Oid			database;		/* InvalidOid: nobody's yet */
	Oid			index;
	TimestampTz since;			/* its first use */
	TimestampTz used;			/* its last one */
	DiskannUsage usage;
} Place;

typedef struct Bucket
{
	slock_t		mutex;			/* held for some instructions */
	Place		places[PLACES];
} Bucket;

/* Bucket[BUCKETS], or NULL until it is needed. */
static Bucket *buckets = NULL;

static void
init_buckets(void *memory)
{
	Bucket	   *all = memory;

	memset(all, 0, sizeof(Bucket) * BUCKETS);
	for (int i = 0; i < BUCKETS; i++)
		SpinLockInit(&all[i].mutex);
}

bool
DiskannUsageIsShared(void)
{
	return DISKANN_HAS_NAMED_MEMORY && IsUnderPostmaster;
}

static void
make_buckets(void)
{
	if (DiskannUsageIsShared())
		buckets = DiskannNamedMemory(MEMORY_NAME, sizeof(Bucket) * BUCKETS,
									 init_buckets);
	else
	{
		Bucket	   *own = MemoryContextAlloc(TopMemoryContext,
											 sizeof(Bucket) * BUCKETS);

		init_buckets(own);
		buckets = own;
	}
}

static Bucket *
bucket_of(Relation rel)
{
	if (buckets == NULL)
		make_buckets();
	return &buckets[hash_combine(murmurhash32(MyDatabaseId),
								 murmurhash32(RelationGetRelid(rel))) %
					BUCKETS];
}

/* The place of an index, or NULL.  The bucket is locked. */
static Place *
find_place(Bucket *bucket, Relation rel)
{
	for (int i = 0; i < PLACES; i++)
	{
		Place	   *place = &bucket->places[i];

		if (place->index == RelationGetRelid(rel) &&
			place->database == MyDatabaseId)
			return place;
	}
	return NULL;
}

/* Have the place that was used least recently, or never.  Locks as above. */
static Place *
take_place(Bucket *bucket, Relation rel, TimestampTz now)
{
	Place	   *place = &bucket->places[0];

	for (int i = 1; i < PLACES; i++)
	{
		if (bucket->places[i].used < place->used)
			place = &bucket->places[i];
	}
	memset(place, 0, sizeof(Place));
	place->database = MyDatabaseId;
	place->index = RelationGetRelid(rel);
	place->since = now;
	return place;
}

void
DiskannAddUsage(Relation rel, const DiskannUsage *usage)
{
	Bucket	   *bucket = bucket_of(rel);
	TimestampTz now = GetCurrentStatementStartTimestamp();
	Place	   *place;

	SpinLockAcquire(&bucket->mutex);
	place = find_place(bucket, rel);
	if (place == NULL)
		place = take_place(bucket, rel, now);
	place->used = now;
	place->usage.scans += usage->scans;
	place->usage.visits += usage->visits;
	place->usage.compared += usage->compared;
	place->usage.inserts += usage->inserts;
	place->usage.linked += usage->linked;
	SpinLockRelease(&bucket->mutex);
}

bool
DiskannGetUsage(Relation rel, DiskannUsage *usage, TimestampTz *since)
{
	Bucket	   *bucket = bucket_of(rel);
	Place	   *place;
	bool		found;

	SpinLockAcquire(&bucket->mutex);
	place = find_place(bucket, rel);
	found = place != NULL;
	if (found)
	{
		*usage = place->usage;
		*since = place->since;
	}
	SpinLockRelease(&bucket->mutex);
	return found;
}
