"""The rows of churn.py: which come, which go, and what is asked for.

Each kind of rows has ids and vectors, those in the table; replace(), which
returns the ids that go and (ids, vectors) of those that come; and queries().
The same seed makes the same rows.
"""

import gzip

import numpy


def add_cluster_arguments(parser, rows, dims):
    """What Clusters wants to know; these many rows and dimensions if not told."""
    parser.add_argument('--rows', type=int, default=rows,
                        help='in the table when the index is built')
    parser.add_argument('--dims', type=int, default=dims)
    parser.add_argument('--clusters', type=int, default=500)
    parser.add_argument('--spread', type=float, default=.35,
                        help='standard deviation within a cluster')
    parser.add_argument('--separation', type=float, default=1,
                        help='of the centres; below .3 clusters overlap')
    parser.add_argument('--manifold', type=int, default=0,
                        help='dimensions within a cluster; 0: all')
    parser.add_argument('--seed', type=int, default=1)


class Clusters:
    """Made up: normal distributions around centres."""

    def __init__(self, options):
        self.random = numpy.random.default_rng(options.seed)
        self.options = options
        self.dims = options.dims
        self.batch = int(options.rows * options.window)
        self.centres = options.separation * self.normal(options.clusters)
        manifold = max(options.manifold, 1)
        basis = self.normal(options.clusters * manifold)
        basis /= numpy.linalg.norm(basis, axis=1, keepdims=True)
        self.basis = basis.reshape(options.clusters, manifold, self.dims)
        self.fill()
        self.next_id = len(self.vectors)
        self.ids = numpy.arange(self.next_id)

    def normal(self, n):
        return self.random.standard_normal((n, self.dims)).astype('f4')

    def fill(self):
        self.vectors, self.clusters = self.draw(self.options.rows)

    def draw(self, n, clusters=None):
        """n vectors of these clusters, or of any, and which those are."""
        spread, manifold = self.options.spread, self.options.manifold
        which = self.random.integers(0, len(self.centres), n) \
            if clusters is None else self.random.choice(clusters, n)
        if not manifold:
            return self.centres[which] + spread * self.normal(n), which
        vectors = self.centres[which].copy()
        inner = self.random.standard_normal((n, manifold)).astype('f4')
        inner *= spread * (self.dims / manifold) ** .5
        for cluster in numpy.unique(which):
            rows = which == cluster
            vectors[rows] += inner[rows] @ \
                self.basis[cluster % self.options.clusters]
        return vectors, which

    def exchange(self, places, vectors, clusters):
        """Replace the rows at these places by new ones at the end."""
        gone = self.ids[places]
        ids = numpy.arange(self.next_id, self.next_id + len(vectors))
        self.next_id += len(vectors)
        stay = numpy.ones(len(self.ids), bool)
        stay[places] = False
        self.ids = numpy.concatenate([self.ids[stay], ids])
        self.vectors = numpy.concatenate([self.vectors[stay], vectors])
        self.clusters = numpy.concatenate([self.clusters[stay], clusters])
        return gone, (ids, vectors)

    def queries(self):
        return self.draw(self.options.queries)[0]


class Steady(Clusters):
    """Rows by chance go, others of the same clusters come."""

    def replace(self):
        places = self.random.choice(len(self.ids), self.batch, replace=False)
        return self.exchange(places, *self.draw(self.batch))


class Drift(Clusters):
    """A window: the oldest rows go, and the centres move a little."""

    def fill(self):
        self.step = self.normal(self.options.clusters)
        self.step *= .7 / numpy.linalg.norm(self.step, axis=1, keepdims=True)
        wind = self.normal(1)
        self.step += wind * (.35 / numpy.linalg.norm(wind))
        # By how much of a turn of the window; a turn moves them ten steps.
        self.step *= 10 * self.options.window
        parts = []
        while sum(len(part[0]) for part in parts) < self.options.rows:
            parts.append(self.draw(self.batch))
            self.centres += self.step
        self.vectors, self.clusters = map(numpy.concatenate, zip(*parts))

    def replace(self):
        result = self.exchange(numpy.arange(self.batch),
                               *self.draw(self.batch))
        self.centres += self.step
        return result

    def queries(self):
        """Half where rows are, half where new ones will come."""
        half = self.options.queries // 2
        places = self.random.choice(len(self.ids), half, replace=False)
        near = self.vectors[places] + .1 * self.normal(half)
        return numpy.concatenate([near, self.draw(half)[0]])


class Far(Clusters):
    """Whole clusters go, others come, far from all there are."""

    def fill(self):
        super().fill()
        self.live = numpy.arange(self.options.clusters)
        self.newest = self.live

    def replace(self):
        count = max(1, int(self.options.clusters * self.options.window))
        leave = self.random.choice(self.live, count, replace=False)
        away = self.normal(1)
        away *= 60 / numpy.linalg.norm(away)
        self.newest = numpy.arange(len(self.centres), len(self.centres) + count)
        self.live = numpy.concatenate(
            [numpy.setdiff1d(self.live, leave), self.newest])
        self.centres = numpy.concatenate(
            [self.centres, self.options.separation * self.normal(count) + away])
        places = numpy.flatnonzero(numpy.isin(self.clusters, leave))
        return self.exchange(places, *self.draw(len(places), self.newest))

    def queries(self):
        """Half of all clusters, half of those that came last."""
        half = self.options.queries // 2
        return numpy.concatenate([self.draw(half, self.live)[0],
                                  self.draw(half, self.newest)[0]])


class Sorted(Clusters):
    """No churn: an index filled in some order, beside one built."""

    def orders(self):
        """Name, order of the rows, and how many are there before the index."""
        chance = numpy.arange(len(self.ids))
        grouped = numpy.argsort(self.clusters, kind='stable')
        first = int((self.clusters == 0).sum())
        return [('built', chance, len(chance)),
                ('inserted by chance', chance, 0),
                ('inserted by cluster', grouped, 0),
                ('one cluster built', grouped, first)]


def read_vectors(path):
    """A .u8bin, .f16bin, .fbin or .ibin file, gzip'ed or not."""
    opened = gzip.open if path.endswith('.gz') else open
    kinds = {'u8bin': 'u1', 'f16bin': '<f2', 'fbin': '<f4', 'ibin': '<i4'}
    kind = kinds[path.removesuffix('.gz').rsplit('.', 1)[1]]
    with opened(path, 'rb') as file:
        rows, columns = numpy.frombuffer(file.read(8), '<u4')
        return numpy.frombuffer(file.read(), kind).reshape(rows, columns)


class Labels(Clusters):
    """Real vectors, which come and go label by label.

    The labels stand in a random circle, and half of all rows are in the table.
    A label of more rows than are replaced in a cycle counts as several, in the
    order of the file.  One vector in 25 is never inserted, but searched for
    while its label is in the table.
    """

    def __init__(self, options):
        data = read_vectors(options.data)
        data = data[:2 * options.rows].astype('f4')
        labels = self.split_labels(
            read_vectors(options.labels)[:len(data), options.label],
            int(len(data) / 2 * options.window))
        self.random = numpy.random.default_rng(options.seed)
        self.options = options
        self.dims = data.shape[1]
        asked = self.random.random(len(data)) < .04
        self.asked, self.asked_labels = data[asked], labels[asked]
        self.data, self.labels = data[~asked], labels[~asked]
        self.circle = self.random.permutation(numpy.unique(labels))
        self.first = self.last = self.next_id = 0
        self.ids = numpy.zeros(0, int)
        self.vectors = numpy.zeros((0, self.dims), 'f4')
        self.clusters = numpy.zeros(0, int)
        self.exchange(self.ids, *self.come(len(self.data) // 2))
        self.target = len(self.ids)
        self.batch = int(self.target * options.window)

    @staticmethod
    def split_labels(labels, most):
        """Number labels anew, so that none has more than so many rows."""
        result = numpy.zeros(len(labels), int)
        count = 0
        for label in numpy.unique(labels):
            places = numpy.flatnonzero(labels == label)
            result[places] = count + numpy.arange(len(places)) // most
            count += -(-len(places) // most)
        return result

    def come(self, n):
        """The next labels of the circle, until they have n rows."""
        places = numpy.zeros(0, int)
        while len(places) < n:
            label = self.circle[self.last % len(self.circle)]
            self.last += 1
            places = numpy.concatenate(
                [places, numpy.flatnonzero(self.labels == label)])
        return self.data[places], self.labels[places]

    def replace(self):
        leave = []
        places = numpy.zeros(0, int)
        while len(places) < self.batch:
            leave.append(self.circle[self.first % len(self.circle)])
            self.first += 1
            places = numpy.flatnonzero(numpy.isin(self.clusters, leave))
        staying = len(self.ids) - len(places)
        return self.exchange(places, *self.come(self.target - staying))

    def queries(self):
        live = numpy.flatnonzero(numpy.isin(self.asked_labels, self.clusters))
        n = min(len(live), self.options.queries)
        return self.asked[self.random.choice(live, n, replace=False)]


VARIANTS = {'steady': Steady, 'drift': Drift, 'far': Far, 'sorted': Sorted,
            'labels': Labels}


def make_rows(options):
    return VARIANTS[options.variant](options)
