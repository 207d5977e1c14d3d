/*-------------------------------------------------------------------------
 *
 * sort_template.h
 *	  What src/graph uses of PostgreSQL's lib/sort_template.h: the same
 *	  parameters, and qsort() behind them.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/unit/shim/lib/sort_template.h
 *
 *-------------------------------------------------------------------------
 */
#define ST_JOIN_(a, b) a##b
#define ST_JOIN(a, b) ST_JOIN_(a, b)
#define ST_COMPARATOR ST_JOIN(ST_SORT, _compare)

#ifdef ST_DEFINE
static int
ST_COMPARATOR(const void *a, const void *b)
{
	return ST_COMPARE((const ST_ELEMENT_TYPE *) a,
					  (const ST_ELEMENT_TYPE *) b);
}

ST_SCOPE void
ST_SORT(ST_ELEMENT_TYPE *first, size_t n)
{
	qsort(first, n, sizeof(ST_ELEMENT_TYPE), ST_COMPARATOR);
}
#endif

#undef ST_SORT
#undef ST_ELEMENT_TYPE
#undef ST_COMPARE
#undef ST_SCOPE
#undef ST_DEFINE
#undef ST_COMPARATOR
#undef ST_JOIN
#undef ST_JOIN_
