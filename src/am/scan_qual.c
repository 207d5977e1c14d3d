/*-------------------------------------------------------------------------
 *
 * scan_qual.c
 *	  Conditions of the scan's plan node that the index can decide.
 *
 * PostgreSQL makes scan keys of some conditions on columns of an index, and
 * leaves the others to the plan node as its filter: IN and = ANY of columns
 * after the first (before 17), booleans as such (before 16), a value = ANY of
 * an array, and whatever has OR or NOT in it.  The node applies its filter to
 * every row in any case.  But as far as it speaks of columns of the index, a
 * row that does not pass need not be fetched.
 *
 * A condition that could be a scan key becomes what one becomes.  Any other is
 * an expression, to be computed on a tuple of what a node of the graph holds.
 * Within ANDs and ORs, what could be a scan key is replaced by a column of that
 * tuple, which tells whether it may be true: so an expression may speak of
 * columns whose values the index does not have.
 *
 * What is computed here is computed of rows, too, that the query must not see:
 * of dead ones, and before a filter for security has been applied.  So it must
 * have neither errors nor other effects: functions have to be leakproof.
 * Operators of the family are those of an index, and do in a filter what they
 * would do in a scan key.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/am/scan_qual.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/hash.h"
#include "access/stratnum.h"
#include "am/scan_qual.h"
#include "am/wanted.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteManip.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

/* The translation of a filter. */
typedef struct Translator
{
	Relation	rel;
	const DiskannFilters *columns;
	Index		relid;			/* of the table, in the query */
	DiskannCompute compute;		/* with this context */
	void	   *context;
	List	   *expressions;	/* by filter column; NULL: a column of the
								 * table */
	List	   *parts;			/* of DiskannCondition */
	bool		foreign;		/* something was met that is not in the index */
} Translator;

/* ---------- columns ---------- */

static const DiskannFilter *
filter_column(const Translator *translator, int number)
{
	return &translator->columns->filters[number];
}

/* What an expression index has instead of columns, by filter column. */
static List *
index_expressions(const Translator *translator)
{
	const int2vector *attnos = &translator->rel->rd_index->indkey;
	List	   *all = RelationGetIndexExpressions(translator->rel);
	List	   *result = NIL;
	int			next = 0;

	ChangeVarNodes((Node *) all, 1, translator->relid, 0);
	for (int column = 0, i = 0; i < translator->columns->count; column++)
	{
		Node	   *expression = NULL;

		if (attnos->values[column] == 0)
			expression = list_nth(all, next++);
		if (column != filter_column(translator, i)->column)
			continue;
		result = lappend(result, expression);
		i++;
	}
	return result;
}

static const Node *
strip_relabel(const Node *node)
{
	while (IsA(node, RelabelType))
		node = (const Node *) ((const RelabelType *) node)->arg;
	return node;
}

static bool
is_column(const Translator *translator, int number, const Node *node)
{
	int			column = filter_column(translator, number)->column;
	AttrNumber	attno = translator->rel->rd_index->indkey.values[column];
	const Node *expression = list_nth(translator->expressions, number);

	if (expression != NULL)
		return equal(node, strip_relabel(expression));
	return IsA(node, Var) &&
		(Index) ((const Var *) node)->varno == translator->relid &&
		((const Var *) node)->varattno == attno &&
		((const Var *) node)->varlevelsup == 0;
}

/* The filter column that this is; -1: none. */
static int
column_of_node(const Translator *translator, const Node *node)
{
	for (int i = 0; i < translator->columns->count; i++)
	{
		if (is_column(translator, i, node))
			return i;
	}
	return -1;
}

/* ---------- keys ---------- */

/*
 * Is its value the same for all rows, and to be known when a scan starts?
 * While a query is planned that is so of columns of other tables, too.
 */
static bool
is_constant(const Translator *translator, Node *expr)
{
	return !bms_is_member(translator->relid, pull_varnos(NULL, expr)) &&
		!contain_subplans(expr) && !contain_volatile_functions(expr);
}

/*
 * Make the key that tells that a column compares so with the value of an
 * expression; with NULL, if that is not known now.
 */
static ScanKey
make_key(const Translator *translator, int number, int flags,
		 StrategyNumber strategy, Oid type, Oid operator, Oid collation,
		 Expr *expr)
{
	ScanKey		key = palloc(sizeof(ScanKeyData));
	Datum		value;
	bool		isnull;

	if (!translator->compute(expr, translator->context, &value, &isnull))
		isnull = true;
	ScanKeyEntryInitialize(key, flags | (isnull ? SK_ISNULL : 0),
						   filter_column(translator, number)->column + 1,
						   strategy, type, collation, get_opcode(operator),
						   value);
	return key;
}

/* The key of: column operator expression, or operator ANY (expression). */
static ScanKey
key_of_comparison(const Translator *translator, const Node *column,
				  Node *expr, Oid operator, Oid collation, int flags)
{
	int			number = column_of_node(translator, strip_relabel(column));
	const DiskannFilter *filter;
	Oid			family;
	Oid			left;
	Oid			right;
	int			strategy;

	if (number < 0 || !OidIsValid(operator) || !is_constant(translator, expr))
		return NULL;
	filter = filter_column(translator, number);
	family = translator->rel->rd_opfamily[filter->column];
	if (!op_in_opfamily(operator, family) ||
		(OidIsValid(filter->collation) && filter->collation != collation))
		return NULL;
	get_op_opfamily_properties(operator, family, false, &strategy, &left,
							   &right);
	return make_key(translator, number, flags, strategy, right, operator,
					collation, (Expr *) expr);
}

static ScanKey
key_of_operator(const Translator *translator, const OpExpr *op)
{
	ScanKey		key;

	if (list_length(op->args) != 2)
		return NULL;
	key = key_of_comparison(translator, linitial(op->args), lsecond(op->args),
							op->opno, op->inputcollid, 0);
	if (key == NULL)
		key = key_of_comparison(translator, lsecond(op->args),
								linitial(op->args), get_commutator(op->opno),
								op->inputcollid, 0);
	return key;
}

/* The array within a coercion that leaves its elements as they are. */
static const Node *
strip_array_relabel(const Node *node)
{
	node = strip_relabel(node);
	if (IsA(node, ArrayCoerceExpr) &&
		IsA(strip_relabel((Node *) ((const ArrayCoerceExpr *) node)->elemexpr),
			CaseTestExpr))
		return strip_relabel((Node *) ((const ArrayCoerceExpr *) node)->arg);
	return node;
}

/* The key of: expression = ANY (column), if its elements are hashed alike. */
static ScanKey
key_of_element(const Translator *translator, Node *expr, const Node *column,
			   Oid operator, Oid collation)
{
	int			number = column_of_node(translator, strip_array_relabel(column));
	const DiskannFilter *filter;
	Oid			left;
	Oid			right;

	if (number < 0 || !is_constant(translator, expr))
		return NULL;
	filter = filter_column(translator, number);
	if (filter->kind != DISKANN_FILTER_SET ||
		get_op_opfamily_strategy(operator, filter->hash_family) !=
		HTEqualStrategyNumber ||
		(OidIsValid(filter->collation) && filter->collation != collation))
		return NULL;
	op_input_types(operator, &left, &right);
	return make_key(translator, number, 0, DISKANN_STRATEGY_HAS, left,
					operator, collation, (Expr *) expr);
}

static ScanKey
key_of_any(const Translator *translator, const ScalarArrayOpExpr *op)
{
	ScanKey		key;

	if (!op->useOr)
		return NULL;
	key = key_of_comparison(translator, linitial(op->args), lsecond(op->args),
							op->opno, op->inputcollid, SK_SEARCHARRAY);
	if (key == NULL)
		key = key_of_element(translator, linitial(op->args),
							 lsecond(op->args), op->opno, op->inputcollid);
	return key;
}

static ScanKey
key_of_null_test(const Translator *translator, const NullTest *test)
{
	int			number = column_of_node(translator, (Node *) test->arg);
	int			flags = SK_ISNULL | (test->nulltesttype == IS_NULL ?
									 SK_SEARCHNULL : SK_SEARCHNOTNULL);
	ScanKey		key;

	if (number < 0 || test->argisrow)
		return NULL;
	key = palloc(sizeof(ScanKeyData));
	ScanKeyEntryInitialize(key, flags,
						   filter_column(translator, number)->column + 1,
						   InvalidStrategy, InvalidOid, InvalidOid, InvalidOid,
						   (Datum) 0);
	return key;
}

/* A boolean column as such. */
static ScanKey
key_of_boolean(const Translator *translator, const Node *column, bool value)
{
	int			number = column_of_node(translator, column);
	ScanKey		key;

	if (number < 0 || filter_column(translator, number)->type != BOOLOID)
		return NULL;
	key = palloc(sizeof(ScanKeyData));
	ScanKeyEntryInitialize(key, 0,
						   filter_column(translator, number)->column + 1,
						   BTEqualStrategyNumber, BOOLOID, InvalidOid,
						   F_BOOLEQ, BoolGetDatum(value));
	return key;
}

static ScanKey
key_of_boolean_test(const Translator *translator, const BooleanTest *test)
{
	if (test->booltesttype != IS_TRUE && test->booltesttype != IS_FALSE)
		return NULL;
	return key_of_boolean(translator, (Node *) test->arg,
						  test->booltesttype == IS_TRUE);
}

/* The scan key that a condition could be, palloc'd; NULL: none. */
static ScanKey
key_of_condition(const Translator *translator, Node *condition)
{
	switch (nodeTag(condition))
	{
		case T_OpExpr:
			return key_of_operator(translator, (OpExpr *) condition);
		case T_ScalarArrayOpExpr:
			return key_of_any(translator, (ScalarArrayOpExpr *) condition);
		case T_NullTest:
			return key_of_null_test(translator, (NullTest *) condition);
		case T_BooleanTest:
			return key_of_boolean_test(translator, (BooleanTest *) condition);
		case T_BoolExpr:
			if (!is_notclause(condition))
				return NULL;
			return key_of_boolean(translator,
								  (Node *) get_notclausearg(condition), false);
		default:
			return key_of_boolean(translator, condition, true);
	}
}

/* What the key becomes, if the index can tell anything of it; else NULL. */
static DiskannCondition *
take_condition(const Translator *translator, Node *clause)
{
	ScanKey		key = key_of_condition(translator, clause);
	DiskannCondition *condition;

	if (key == NULL)
		return NULL;
	condition = palloc(sizeof(DiskannCondition));
	DiskannConditionStart(condition, translator->columns, key);
	return condition->decidable || condition->never ? condition : NULL;
}

/* ---------- expressions ---------- */

/* A column of the tuple that expressions are computed on. */
static Node *
make_column(AttrNumber attno, Oid type, int32 typmod, Oid collation)
{
	return (Node *) makeVar(1, attno, type, typmod, collation, 0);
}

static Node *
translate_column(const Translator *translator, int number, const Node *node)
{
	return make_column(filter_column(translator, number)->column + 1,
					   exprType(node), exprTypmod(node), exprCollation(node));
}

/*
 * Have an expression read columns of the tuple.  The values of those that are
 * kept as they are can be read.
 */
static Node *
translate_value(Node *node, void *context)
{
	Translator *translator = context;
	int			number;

	if (node == NULL)
		return NULL;
	number = column_of_node(translator, node);
	if (number >= 0 &&
		filter_column(translator, number)->kind == DISKANN_FILTER_VALUE)
		return translate_column(translator, number, node);
	if (IsA(node, Var) || IsA(node, SubPlan) || IsA(node, AlternativeSubPlan))
	{
		translator->foreign = true;
		return node;
	}
	return expression_tree_mutator(node, translate_value, context);
}

/*
 * The same of a condition that the whole may be true without only if another
 * one is: what may be true makes the whole what may be true.
 */
static Node *
translate_condition(Node *clause, Translator *translator)
{
	DiskannCondition *condition;
	List	   *args = NIL;
	ListCell   *lc;

	if (is_orclause(clause) || is_andclause(clause))
	{
		foreach(lc, ((BoolExpr *) clause)->args)
			args = lappend(args, translate_condition(lfirst(lc), translator));
		return (Node *) makeBoolExpr(((BoolExpr *) clause)->boolop, args, -1);
	}
	condition = take_condition(translator, clause);
	if (condition == NULL)
		return translate_value(clause, translator);
	translator->parts = lappend(translator->parts, condition);
	return make_column(RelationGetNumberOfAttributes(translator->rel) +
					   list_length(translator->parts), BOOLOID, -1, InvalidOid);
}

/* The expression that a condition becomes, NULL if it cannot. */
static Node *
translate(Node *clause, Translator *translator)
{
	int			nparts = list_length(translator->parts);
	Node	   *result;

	translator->foreign = false;
	result = translate_condition(clause, translator);
	if (!translator->foreign && !contain_volatile_functions(result) &&
		!contain_leaked_vars(result))
		return result;
	translator->parts = list_truncate(translator->parts, nparts);
	return NULL;
}

/* ---------- planning ---------- */

/*
 * Do signatures tell of an expression, that nodes without some of them do not
 * pass it?  Columns beyond `last` are parts.
 */
static bool
is_sought(const Node *expression, AttrNumber last)
{
	bool		any = is_orclause(expression);
	ListCell   *lc;

	check_stack_depth();
	if (!any && !is_andclause(expression))
		return IsA(expression, Var) &&
			((const Var *) expression)->varattno > last;
	foreach(lc, ((const BoolExpr *) expression)->args)
	{
		if (is_sought(lfirst(lc), last) != any)
			return !any;
	}
	return any;
}

DiskannUse
DiskannScanQualUse(Relation rel, const DiskannFilters *columns, Index relid,
				   Node *clause, DiskannCompute compute, void *context)
{
	Translator	translator = {.rel = rel, .columns = columns, .relid = relid,
	.compute = compute, .context = context};
	Node	   *expression;

	translator.expressions = index_expressions(&translator);
	if (take_condition(&translator, clause))
		return DISKANN_USE_SEEK;
	expression = translate(clause, &translator);
	if (expression == NULL)
		return DISKANN_USE_NONE;
	return is_sought(expression, RelationGetNumberOfAttributes(rel)) ?
		DISKANN_USE_SEEK : DISKANN_USE_REJECT;
}

/* ---------- starting ---------- */

/* The tuple of all columns of the index, and of what parts have come to. */
static TupleTableSlot *
make_slot(const Translator *translator)
{
	TupleDesc	index = RelationGetDescr(translator->rel);
	int			nparts = list_length(translator->parts);
	TupleDesc	desc = CreateTemplateTupleDesc(index->natts + nparts);

	for (int i = 1; i <= index->natts; i++)
		TupleDescCopyEntry(desc, i, index, i);
	for (int i = 1; i <= nparts; i++)
		TupleDescInitEntry(desc, index->natts + i, NULL, BOOLOID, -1, 0);
	return MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
}

void
DiskannScanQualStart(DiskannScanQual *qual, Relation rel,
					 const DiskannFilters *columns, IndexScanState *node)
{
	Translator	translator = {.rel = rel, .columns = columns,
	.compute = DiskannComputeNow, .context = node};
	ListCell   *lc;

	memset(qual, 0, sizeof(DiskannScanQual));
	if (columns->count == 0 || node == NULL)
		return;
	translator.relid = ((Scan *) node->ss.ps.plan)->scanrelid;
	translator.expressions = index_expressions(&translator);
	foreach(lc, node->ss.ps.plan->qual)
	{
		DiskannCondition *condition = take_condition(&translator, lfirst(lc));
		Node	   *expression = condition ? NULL :
			translate(lfirst(lc), &translator);

		if (condition)
			qual->conditions = lappend(qual->conditions, condition);
		else if (expression)
			qual->expressions = lappend(qual->expressions, expression);
	}
	qual->ntaken = list_length(qual->conditions) +
		list_length(qual->expressions);
	if (qual->expressions == NIL)
		return;
	qual->node = node;
	qual->columns = columns;
	qual->parts = translator.parts;
	qual->slot = make_slot(&translator);
	qual->state = ExecInitExprWithParams(make_ands_explicit(qual->expressions),
										 node->ss.ps.ps_ExprContext->ecxt_param_list_info);
}

/* ---------- deciding ---------- */

/* Make the tuple of what a node of the graph holds. */
static void
fill_slot(const DiskannScanQual *qual, const DiskannFilterValues *keys)
{
	TupleTableSlot *slot = qual->slot;
	int			nparts = list_length(qual->parts);
	int			first = slot->tts_tupleDescriptor->natts - nparts;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, first);
	for (int i = 0; i < qual->columns->count; i++)
	{
		const DiskannFilter *filter = &qual->columns->filters[i];

		if (filter->kind != DISKANN_FILTER_VALUE ||
			(keys->nulls & DiskannNullBit(i)))
			continue;
		slot->tts_values[filter->column] = DiskannFilterDatum(filter,
															  &keys->values[i]);
		slot->tts_isnull[filter->column] = false;
	}
	for (int i = 0; i < nparts; i++)
	{
		slot->tts_values[first + i] =
			BoolGetDatum(DiskannConditionPasses(list_nth(qual->parts, i), keys));
		slot->tts_isnull[first + i] = false;
	}
	ExecStoreVirtualTuple(slot);
}

/*
 * The expression is computed as the node itself would: that is waiting for a
 * row, and has nothing in its context of expressions.
 */
bool
DiskannScanQualPasses(const DiskannScanQual *qual,
					  const DiskannFilterValues *keys)
{
	ExprContext *context;
	TupleTableSlot *old;
	bool		isnull;
	Datum		passes;

	if (qual->state == NULL)
		return true;
	fill_slot(qual, keys);
	context = qual->node->ss.ps.ps_ExprContext;
	old = context->ecxt_scantuple;
	context->ecxt_scantuple = qual->slot;
	passes = ExecEvalExprSwitchContext(qual->state, context, &isnull);
	context->ecxt_scantuple = old;
	ResetExprContext(context);
	return !isnull && DatumGetBool(passes);
}

/* ---------- signatures ---------- */

static void seek_expression(const DiskannScanQual *qual, const Node *expression,
							DiskannSignatures *signatures,
							DiskannSought *sought);

/* Anything, in all columns; palloc'd. */
static DiskannSought *
seek_all(const DiskannScanQual *qual)
{
	DiskannSought *sought = palloc(sizeof(DiskannSought) *
								   qual->columns->count);

	for (int i = 0; i < qual->columns->count; i++)
		DiskannSeekAll(&sought[i]);
	return sought;
}

/* One of the arguments has to be true: what any of them seeks, by column. */
static void
seek_any(const DiskannScanQual *qual, const List *args,
		 DiskannSignatures *signatures, DiskannSought *sought)
{
	DiskannSought *all = NULL;
	ListCell   *lc;

	foreach(lc, args)
	{
		DiskannSought *one = seek_all(qual);

		seek_expression(qual, lfirst(lc), signatures, one);
		for (int i = 0; all && i < qual->columns->count; i++)
			DiskannSeekEither(&all[i], &one[i]);
		if (all == NULL)
			all = one;
	}
	for (int i = 0; i < qual->columns->count; i++)
		DiskannSeekBoth(&sought[i], &all[i]);
}

/* What an expression seeks, as far as its ANDs, ORs and parts tell. */
static void
seek_expression(const DiskannScanQual *qual, const Node *expression,
				DiskannSignatures *signatures, DiskannSought *sought)
{
	int			first = qual->slot->tts_tupleDescriptor->natts -
		list_length(qual->parts);
	ListCell   *lc;

	check_stack_depth();
	if (is_orclause(expression))
		seek_any(qual, ((const BoolExpr *) expression)->args, signatures,
				 sought);
	else if (is_andclause(expression))
	{
		foreach(lc, ((const BoolExpr *) expression)->args)
			seek_expression(qual, lfirst(lc), signatures, sought);
	}
	else if (IsA(expression, Var) &&
			 ((const Var *) expression)->varattno > first)
	{
		const DiskannCondition *part =
		list_nth(qual->parts, ((const Var *) expression)->varattno - first - 1);

		DiskannConditionSeek(part, signatures, &sought[part->number]);
	}
}

void
DiskannScanQualSeek(const DiskannScanQual *qual, DiskannSignatures *signatures,
					DiskannSought *sought)
{
	ListCell   *lc;

	foreach(lc, qual->expressions)
		seek_expression(qual, lfirst(lc), signatures, sought);
}
