/*-------------------------------------------------------------------------
 *
 * validate.c
 *	  Is an operator class one this access method can use?
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/validate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/amvalidate.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "am/am.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "values/filter.h"
#include "values/row.h"

static bool
complain(const char *family, const char *what)
{
	ereport(INFO,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("operator family \"%s\" of access method %s %s",
					family, "diskann", what)));
	return false;
}

static bool
complain_of_strategy(const char *family, Form_pg_amop op)
{
	return complain(family, psprintf("contains operator %s with invalid strategy number %d",
									 format_operator(op->amopopr),
									 op->amopstrategy));
}

/* One operator: a distance, ordering by a float8 family. */
static bool
validate_operator(const char *family, Form_pg_amop op)
{
	if (op->amopstrategy != DISKANN_STRATEGY_ORDER)
		return complain_of_strategy(family, op);
	if (op->amoppurpose != AMOP_ORDER ||
		!opfamily_can_sort_type(op->amopsortfamily, FLOAT8OID) ||
		!check_amop_signature(op->amopopr, FLOAT8OID, op->amoplefttype,
							  op->amoprighttype))
		return complain(family, psprintf("contains operator %s that is no distance to order by",
										 format_operator(op->amopopr)));
	return true;
}

/*
 * One operator of filter columns: a comparison, with btree's strategies or, of
 * arrays, those after them.
 */
static bool
validate_comparison(const char *family, Form_pg_amop op)
{
	if (op->amopstrategy < 1 || op->amopstrategy > DISKANN_STRATEGY_CONTAINED)
		return complain_of_strategy(family, op);
	if (op->amoppurpose != AMOP_SEARCH ||
		!check_amop_signature(op->amopopr, BOOLOID, op->amoplefttype,
							  op->amoprighttype))
		return complain(family, psprintf("contains operator %s that is no comparison",
										 format_operator(op->amopopr)));
	return true;
}

/*
 * A class of filter columns is one of any type, and has comparisons and no
 * function.
 */
static bool
validate_filters(const char *family, const CatCList *operators,
				 const CatCList *procedures)
{
	bool		result = true;

	for (int i = 0; i < operators->n_members; i++)
		result &= validate_comparison(family,
									  (Form_pg_amop) GETSTRUCT(&operators->members[i]->tuple));
	if (procedures->n_members > 0)
		result = complain(family, "contains a function");
	return result;
}

static bool
validate_type(const char *family, const DiskannSupport *support, Oid type)
{
	if (!support->type->accepts(type))
		return complain(family, psprintf("contains type %s, which its support function cannot read",
										 format_type_be(type)));
	return true;
}

/*
 * The support function, which is for certain types: those of the class itself
 * and of queries.
 */
static bool
validate_procedure(const char *family, Form_pg_amproc proc,
				   const CatCList *operators)
{
	const DiskannSupport *support;
	bool		result;

	if (proc->amprocnum != DISKANN_SUPPORT_PROC)
		return complain(family, psprintf("contains function %s with invalid support number %d",
										 format_procedure(proc->amproc),
										 proc->amprocnum));
	if (!check_amproc_signature(proc->amproc, INTERNALOID, true, 1, 1,
								INTERNALOID))
		return complain(family, psprintf("contains function %s with wrong signature",
										 format_procedure(proc->amproc)));
	support = (const DiskannSupport *)
		DatumGetPointer(OidFunctionCall1(proc->amproc, PointerGetDatum(NULL)));
	result = validate_type(family, support, proc->amproclefttype);
	for (int i = 0; i < operators->n_members; i++)
	{
		Form_pg_amop op = (Form_pg_amop) GETSTRUCT(&operators->members[i]->tuple);

		if (op->amoplefttype == proc->amproclefttype)
			result &= validate_type(family, support, op->amoprighttype);
	}
	return result;
}

/* The class itself needs its support function and one operator. */
static bool
validate_complete(const char *family, Oid familyoid, Oid type)
{
	bool		result = true;

	if (!OidIsValid(get_opfamily_proc(familyoid, type, type,
									  DISKANN_SUPPORT_PROC)))
		result = complain(family, "is missing its support function");
	if (!OidIsValid(get_opfamily_member(familyoid, type, type,
										DISKANN_STRATEGY_ORDER)))
		result = complain(family, "is missing its operator");
	return result;
}

/* A class of vectors. */
static bool
validate_vectors(const char *family, Form_pg_opclass opclass,
				 const CatCList *operators, const CatCList *procedures)
{
	bool		result = true;

	for (int i = 0; i < operators->n_members; i++)
		result &= validate_operator(family,
									(Form_pg_amop) GETSTRUCT(&operators->members[i]->tuple));
	for (int i = 0; i < procedures->n_members; i++)
		result &= validate_procedure(family,
									 (Form_pg_amproc) GETSTRUCT(&procedures->members[i]->tuple),
									 operators);
	return result & validate_complete(family, opclass->opcfamily,
									  opclass->opcintype);
}

/*
 * A class of filter columns: that of any type, or one of its family under
 * another name.
 */
static bool
is_filter_class(Form_pg_opclass opclass)
{
	return opclass->opcintype == ANYELEMENTOID ||
		OidIsValid(get_opfamily_member(opclass->opcfamily, ANYARRAYOID,
									   ANYARRAYOID,
									   DISKANN_STRATEGY_OVERLAPS));
}

bool
diskannvalidate(Oid opclassoid)
{
	HeapTuple	classtup = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclassoid));
	Form_pg_opclass opclass;
	HeapTuple	familytup;
	char	   *family;
	CatCList   *operators;
	CatCList   *procedures;
	bool		result;

	if (!HeapTupleIsValid(classtup))
		elog(ERROR, "cache lookup failed for operator class %u", opclassoid);
	opclass = (Form_pg_opclass) GETSTRUCT(classtup);
	familytup = SearchSysCache1(OPFAMILYOID,
								ObjectIdGetDatum(opclass->opcfamily));
	if (!HeapTupleIsValid(familytup))
		elog(ERROR, "cache lookup failed for operator family %u",
			 opclass->opcfamily);
	family = pstrdup(NameStr(((Form_pg_opfamily) GETSTRUCT(familytup))->opfname));

	operators = SearchSysCacheList1(AMOPSTRATEGY,
									ObjectIdGetDatum(opclass->opcfamily));
	procedures = SearchSysCacheList1(AMPROCNUM,
									 ObjectIdGetDatum(opclass->opcfamily));
	if (is_filter_class(opclass))
		result = validate_filters(family, operators, procedures);
	else
		result = validate_vectors(family, opclass, operators, procedures);
	ReleaseCatCacheList(procedures);
	ReleaseCatCacheList(operators);

	ReleaseSysCache(familytup);
	ReleaseSysCache(classtup);
	return result;
}
