"""Random draws without state: the draw at a place of a world is a function of the two.

Each simulation runs in a world of its own, which has a key, and each arc or customer has a
place. What is drawn there does not depend on what was drawn before, so results depend
neither on the order of the work nor on the number of threads, and different seeds can be
compared in the same worlds. The draws are those of SplitMix64 (Steele, Lea, Flood 2014,
doi:10.1145/2660193.2660195).
"""

from __future__ import annotations

from typing import Final, TypeAlias

from scrmkit._sparse import Floats, Ints, NDArray, np


Words: TypeAlias = NDArray[np.uint64]

GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
SECOND: Final = np.uint64(0x94D049BB133111EB)
OTHER: Final = np.uint64(0xD1B54A32D192ED03)  # what turns a key into that of further draws
THIRD: Final = np.uint64(0x8CB92BA72F3D8DD7)
FOURTH: Final = np.uint64(0xABC98388FB8FAC03)
SPREADING: Final = np.uint64(0x2545F4914F6CDD1D)  # what a series of worlds is for
CHOOSING: Final = np.uint64(0x9E6C63D0676A9A99)
JUDGING: Final = np.uint64(0xE7037ED1A0B428DB)
UNIT: Final = 2.0**-53
COARSEST: Final = 13  # how many of 53 bits a limit does without


def new_key(rng: np.random.Generator, *, purpose: np.uint64) -> np.uint64:
    """The key of a series of worlds; other purposes have other worlds, also for one seed."""
    return np.uint64(mix(np.array([rng.integers(2**64, dtype=np.uint64)]) ^ purpose)[0])


def mix(words: Words) -> Words:
    """The output function of SplitMix64."""
    words = (words ^ (words >> np.uint64(30))) * FIRST
    words = (words ^ (words >> np.uint64(27))) * SECOND
    return words ^ (words >> np.uint64(31))


def keys_of(series: np.uint64, worlds: Ints) -> Words:
    """The keys of some worlds of a series."""
    return mix(series + (worlds + 1).astype(np.uint64) * GOLDEN)


def draw(keys: Words, places: Ints) -> Ints:
    """53 random bits for each place of a world, both given as arrays that fit together."""
    bits = mix(keys + (places + 1).astype(np.uint64) * GOLDEN) >> np.uint64(11)
    return bits.astype(np.int64)


def part(keys: Words, places: Ints) -> Floats:
    """The same as a number from 0 to below 1."""
    share: Floats = (draw(keys, places) * UNIT).astype(np.float64, copy=False)
    return share
