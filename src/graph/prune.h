/*-------------------------------------------------------------------------
 *
 * prune.h
 *	  Choose the neighbours of a node.
 *
 * RobustPrune of DiskANN (Subramanya et al., NeurIPS 2019, algorithm 2), in
 * the form that remembers how far each candidate has been compared: nothing is
 * compared twice, and most candidates are given up after a few comparisons.
 * They may be made a few at a time, which costs some too many but less each.
 *
 * Why prune at all: of two candidates in about the same direction one is
 * enough, as a search comes from the nearer one to the other.  The slots saved
 * are for other directions.  alpha > 1 keeps some of the others, so that
 * searches get nearer to their goal by a factor at each step.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/graph/prune.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISKANN_PRUNE_H
#define DISKANN_PRUNE_H

/* Most others that a candidate is compared with at a time. */
#define DISKANN_PRUNE_BATCH 4

/* Squared distances between candidate a and some others. */
typedef void (*DiskannPairDistances) (void *arg, int a, const int *others,
									  int n, float *out);

/* How to prune. */
typedef struct DiskannPrune
{
	int			max_degree;		/* most neighbours to choose */
	float		alpha;			/* on squared distances, >= 1 */
	int			batch;			/* others at a time, where that is cheaper */
	DiskannPairDistances distances;
	void	   *arg;
	int			given;			/* so many at the front are chosen already */
} DiskannPrune;

/*
 * Choose at most max_degree of n candidates, given nearest first with their
 * squared distances to the node.  A candidate is occluded by a chosen one if
 * the node is more than alpha times as far from it, in squared distances, as
 * that one is.  The first round admits what is not occluded at alpha = 1, the
 * second what is not at alpha; refill then takes the nearest of the rest, so
 * that no slot is wasted.  The first `given` candidates are edges that stay, at
 * any distances; they occlude others, and count.
 *
 * chosen gets the candidates' numbers in order of admission.  Returns their
 * count.  Scratch memory is palloc'd and freed.
 */
extern int	DiskannRobustPrune(const DiskannPrune *prune, const float *dist,
							   int n, int *chosen);

/*
 * How to see to it that some of a node's edges are value edges: that they lead
 * to kin, nodes of the same value.  A search for rows of one value goes along
 * these, however few rows there are of it.  Candidates are the edges chosen so
 * far, by number, and behind them the nearest kin that are none, nearest first.
 */
typedef struct DiskannKinChoice
{
	int			max_degree;		/* most edges */
	int			wanted;			/* so many of them should lead to kin */
	int			fixed;			/* so many edges at the front stay */
	float		alpha;
	const float *dist;			/* squared distances of candidates */
	const bool *is_kin;			/* are these? */
	DiskannPairDistances distances;
	void	   *arg;
} DiskannKinChoice;

/*
 * Of the kin those missing are chosen by RobustPrune, with the edges to kin
 * given.  They take the places of the longest other edges, which they make up
 * for best: value edges are long, too, if the value is rare.
 *
 * Of nedges edges and nkin kin, chosen gets the numbers of those that are the
 * edges now, kin last, in order of admission.  Returns their count, and in
 * *nchosen how many of them are kin that were no edges before.
 */
extern int	DiskannChooseKin(const DiskannKinChoice *choice, int nedges,
							 int nkin, int *chosen, int *nchosen);

#endif							/* DISKANN_PRUNE_H */
