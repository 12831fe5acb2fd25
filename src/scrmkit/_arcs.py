"""Arcs that pass something on with a probability, packed for simulations."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from scrmkit._coins import OTHER, UNIT, Words, draw, part
from scrmkit._sparse import Codes, Flags, Ints, Matrix, np, row_of_each, spans, sparse


BITS: Final = 31  # an arc is a word: its probability above its other end, 31 bits each
INDEX: Final = (1 << BITS) - 1
PART: Final = 2.0**-BITS
COARSE: Final = 53 - BITS
WORK: Final = 20_000_000  # customers and arcs that a portion of work may go through
SMALL: Final = int(0.05 / PART)  # below, jumps over arcs are cheaper than a coin for each


def _by_chance(rows: Codes, likely: Ints, n: int) -> Ints:
    """The places of arcs, row by row, the likeliest first, and of equals the first."""
    order = np.argsort(-likely, kind="stable")
    places = np.arange(len(rows))
    counted = sparse.coo_array((order, (rows[order], places)), shape=(n, len(rows))).tocsr()
    return counted.data.astype(np.int64)


@frozen(eq=False)
class Arcs:
    """Arcs with probabilities in steps of 2**-31, the likeliest first in each row.

    Attributes:
        indptr: where the arcs of each row begin.
        heads: where those begin that are jumped over.
        words: the probability and the other end of each arc.
        places: where each arc stood in the matrix.
    """

    indptr: Ints
    heads: Ints
    words: Ints
    places: Ints

    @classmethod
    def of(cls, matrix: Matrix) -> Arcs:
        """The arcs of a matrix of probabilities; those of less than 2**-32 are none."""
        rows, n = row_of_each(matrix), matrix.shape[0]
        likely = np.rint(matrix.data * (1 / PART)).astype(np.int64)
        indptr, ends = matrix.indptr.astype(np.int64), matrix.indices
        places = np.arange(len(likely))
        in_order = (likely[1:] <= likely[:-1]) | (rows[1:] != rows[:-1])
        if not (in_order.all() and (likely > 0).all()):
            places = _by_chance(rows, likely, n)
            places = places[likely[places] > 0]
            rows, likely, ends = rows[places], likely[places], ends[places]
            indptr = np.searchsorted(rows, np.arange(n + 1))
        heads = indptr[:-1] + np.bincount(rows[likely >= SMALL], minlength=n)
        return cls(indptr, heads, (likely << BITS) | ends, places)

    def __len__(self) -> int:
        return len(self.words)

    def ends(self, arcs: Ints) -> Ints:
        """The other ends of some arcs."""
        return self.words[arcs] & INDEX

    def live(self, keys: Words, rows: Ints) -> tuple[Ints, Ints]:
        """The arcs of some rows, each in a world, that are live there: which row, which arc."""
        owner, arc = spans(self.indptr[rows], self.heads[rows])
        live = draw(keys[owner], arc) >> COARSE < self.words[arc] >> BITS
        owners, arcs = [owner[live]], [arc[live]]
        owner, place, end = np.arange(len(rows)), self.heads[rows], self.indptr[rows + 1]
        while len(owner):
            owner, place, end = (column[place < end] for column in (owner, place, end))
            likely = self.words[place] >> BITS
            bits = draw(keys[owner], place)
            skipped = np.log((bits + 1) * UNIT) / np.log1p(-likely * PART)
            inside = skipped < end - place
            owner, place, end, likely = (column[inside] for column in (owner, place, end, likely))
            place = place + skipped[inside].astype(np.int64)
            live = self._is_kept(keys[owner], place, likely)
            owners.append(owner[live])
            arcs.append(place[live])
            place = place + 1
        return np.concatenate(owners), np.concatenate(arcs)

    def _is_kept(self, keys: Words, place: Ints, likely: Ints) -> Flags:
        """Whether arcs are live that were jumped to as if they were as likely as an earlier one."""
        found = self.words[place] >> BITS
        kept: Flags = (found == likely) | (part(keys ^ OTHER, place) * likely < found)
        return kept
