"""What ratings say of everybody at once: fairness and goodness, and means."""

from __future__ import annotations

from attrs import evolve, frozen

from scrmkit._sparse import STATE, Floats, Ints, Matrix, inverse, np, sparse


PRECISION = 1e-10
_AT_ONCE = 8


@frozen(eq=False)
class FairnessGoodness:
    """The one solution of the equations of fairness and goodness, for a matrix of ratings.

    ``goodness`` is the mean of the ratings that one received, each times the fairness of who
    gave it; ``fairness`` is 1 less half the mean distance of the ratings that one gave from
    the goodness of those who received them. Both are taken in turn until no fairness changes
    by more than 1e-10. Each turn halves the largest change at least (a goodness moves by at
    most the largest change of a fairness, and a fairness by half of the largest change of a
    goodness), so the fairness is off by no more than the last change.

    Attributes:
        matrix: the ratings, rows to columns.
        turned: the same, columns to rows.
        heads: who received each rating of the matrix.
        given: how many each customer gave.
        received: how many each received.
        fairness: from 0 to 1; 1 for who gave none.
        goodness: from -1 to 1; 0 for who received none.
    """

    matrix: Matrix
    turned: Matrix
    heads: Ints
    given: Ints
    received: Ints
    fairness: Floats
    goodness: Floats

    @classmethod
    def of(cls, matrix: Matrix) -> FairnessGoodness:
        """The solution for all the ratings."""
        turned = matrix.T.tocsr()
        given, received = (np.diff(each.indptr).astype(np.int64) for each in (matrix, turned))
        blank = np.ones(len(given))
        made = cls(matrix, turned, matrix.indices.astype(np.int64), given, received, blank, blank)
        fairness, goodness = made._settle(np.ones((len(given), 1)), None)
        return evolve(made, fairness=fairness[:, 0], goodness=goodness[:, 0])

    def without(self, source: Ints, target: Ints, rating: Floats) -> tuple[Floats, Floats]:
        """The fairness of sources and the goodness of targets, each without its own rating."""
        fairness, goodness = np.empty(len(source)), np.empty(len(source))
        size = max(1, min(_AT_ONCE, STATE // max(len(self.heads), 1)))
        for start in range(0, len(source), size):
            some = slice(start, start + size)
            chosen = (source[some], target[some], rating[some])
            each = np.arange(len(chosen[0]))
            begin = np.repeat(self.fairness[:, np.newaxis], len(each), axis=1)
            settled = self._settle(begin, chosen)
            fairness[some] = settled[0][chosen[0], each]
            goodness[some] = settled[1][chosen[1], each]
        return fairness, goodness

    def _settle(
        self, fairness: Floats, left_out: tuple[Ints, Ints, Floats] | None
    ) -> tuple[Floats, Floats]:
        """Fairness and goodness in turn until they rest; each column without a rating, if asked."""
        columns = fairness.shape[1]
        given, received = (
            np.repeat(each[:, np.newaxis], columns, axis=1).astype(np.float64)
            for each in (self.given, self.received)
        )
        each = np.arange(columns)
        if left_out is not None:
            source, target, rating = left_out
            given[source, each] -= 1
            received[target, each] -= 1
        share, half = inverse(received), inverse(2 * given)
        places = np.arange(len(self.heads), dtype=np.int32)
        parts = (np.ones(len(places)), places, self.matrix.indptr)
        adding = sparse.csr_array(parts, shape=(len(self.given), len(places)))
        distance = np.empty((len(places), columns))
        while True:
            goodness = np.asarray(self.turned @ fairness)
            if left_out is not None:
                goodness[target, each] -= rating * fairness[source, each]
            goodness *= share
            np.take(goodness, self.heads, axis=0, out=distance, mode="clip")
            np.subtract(distance, self.matrix.data[:, np.newaxis], out=distance)
            np.abs(distance, out=distance)
            off = np.asarray(adding @ distance)
            if left_out is not None:
                off[source, each] -= np.abs(rating - goodness[target, each])
            before, fairness = fairness, 1.0 - off * half
            if np.abs(fairness - before).max(initial=0.0) <= PRECISION:
                return np.clip(fairness, 0.0, 1.0), np.clip(goodness, -1.0, 1.0)


@frozen(eq=False)
class Means:
    """The plain means of ratings, each without the rating of the pair that is asked for.

    Attributes:
        rows: the positions of who gave each rating.
        columns: the positions of who received it.
        data: the ratings.
        n: how many customers there are.
    """

    rows: Ints
    columns: Ints
    data: Floats
    n: int

    def of_all(self, own: Floats, has: Ints) -> tuple[Floats, Ints]:
        """The mean of all other ratings, and how many they are."""
        count = len(self.data) - has
        return _mean(self.data.sum() - own, count), count

    def received(self, target: Ints, own: Floats, has: Ints) -> tuple[Floats, Ints]:
        """The mean of what the targets received from others, and from how many."""
        count = np.bincount(self.columns, minlength=self.n)[target] - has
        return _mean(np.bincount(self.columns, self.data, self.n)[target] - own, count), count

    def given(self, source: Ints, own: Floats, has: Ints) -> tuple[Floats, Ints]:
        """The mean of what the sources gave to others, and to how many."""
        count = np.bincount(self.rows, minlength=self.n)[source] - has
        return _mean(np.bincount(self.rows, self.data, self.n)[source] - own, count), count

    def both(
        self, source: Ints, target: Ints, own: Floats, has: Ints, shrinkage: float
    ) -> tuple[Floats, Ints]:
        """The mean of all, and how far the target and then the source are off it, shrunk.

        ``c(v) = sum over v's raters of (r - mean) / (shrinkage + their number)``, then
        ``b(u) = sum over those u rated of (r - mean - c) / (shrinkage + their number)``, both
        without the pair's own rating. Leaving that out changes the mean, so ``c`` of
        everybody; the sums of a row over them are linear in the mean and taken apart for that.
        """
        sums = np.bincount(self.columns, self.data, self.n)
        counts = np.bincount(self.columns, minlength=self.n)
        mean, others = self.of_all(own, has)
        c = (sums[target] - own - (counts[target] - has) * mean) / (
            shrinkage + counts[target] - has
        )
        fixed = sums / (shrinkage + counts)  # c(v) is fixed(v) - mean * factor(v)
        factor = counts / (shrinkage + counts)
        of_row = [
            np.bincount(self.rows, part, self.n)[source]
            for part in (self.data - fixed[self.columns], 1.0 - factor[self.columns])
        ]
        rest = of_row[0] - has * (own - fixed[target])
        steady = of_row[1] - has * (1.0 - factor[target])
        given = np.bincount(self.rows, minlength=self.n)[source] - has
        b = (rest - mean * steady) / (shrinkage + given)
        found = np.where(others > 0, np.clip(mean + b + c, -1.0, 1.0), np.nan)
        return found, given + counts[target] - has


def _mean(total: Floats, count: Ints) -> Floats:
    mean = np.clip(total * inverse(count.astype(np.float64)), -1.0, 1.0)
    return np.where(count > 0, mean, np.nan)
