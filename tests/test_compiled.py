"""Compiled loops: the same numbers as numpy, whatever the threads, and how they are run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit import _compiled, _neighbourhoods, _paths
from scrmkit._sparse import Matrix, without_loops
from scrmkit.graph import SocialGraph
from scrmkit.influence import brokers, rank
from scrmkit.testing.strategies import graphs


needs_numba = pytest.mark.skipif(
    not _compiled.enabled(), reason="the compiled loops need numba: pip install scrmkit[fast]"
)

SMALL = """
import logging
import numpy as np
from scrmkit._compiled import loops

logging.basicConfig(format="%(name)s %(levelname)s")
room = loops("_path_loops")
assert room._ones(np.uint64(7)) == 3
assert room._row_sum(np.array([0, 2]), np.array([0, 0]), 0, np.ones(1)) == 2
"""


def both(compute: Callable[[], Any]) -> tuple[Any, Any]:
    """What is computed by compiled loops, and without them."""
    with_numba = compute()
    with _compiled.switched_off():
        return with_numba, compute()


def matrix_of(network: nx.Graph[Any]) -> Matrix:
    """The matrix of a network, without loops."""
    return without_loops(SocialGraph.of(network).matrix())


def mutual_of(network: nx.Graph[Any]) -> Matrix:
    """The matrix of both directions of a network together, without loops."""
    return without_loops(SocialGraph.of(network).undirected().matrix())


def planted(*, directed: bool) -> nx.Graph[Any]:
    """Some groups with ties of all weights, one who knows everybody, a chain, and the lonely."""
    network = nx.random_partition_graph([60, 60, 80], 0.15, 0.01, seed=5, directed=directed)
    network.add_edges_from((0, one) for one in range(5, 200))
    nx.add_path(network, range(200, 260))
    network.add_nodes_from(range(260, 270))
    rng = np.random.default_rng(3)
    for a, b in network.edges:
        network.edges[a, b]["weight"] = float(rng.lognormal(sigma=3))
    return network


LARGER = [planted(directed=directed) for directed in (False, True)]


@needs_numba
@given(graphs(max_nodes=12, loops=True), st.data())
def test_paths_are_those_of_numpy(network: nx.Graph[Any], data: Any) -> None:
    """Betweenness and distances from any sources equal numpy, and repeated sources count twice."""
    matrix = matrix_of(network)
    drawn = st.lists(st.integers(0, max(len(network) - 1, 0)), max_size=20 if network else 0)
    sources = np.array(data.draw(drawn), dtype=np.int64)
    ours, theirs = both(lambda: _paths.hop_dependencies(matrix, sources))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
    ours, theirs = both(lambda: _paths.distance_sums(matrix, sources, _paths.hop_distances))
    np.testing.assert_array_equal(ours, theirs)


@needs_numba
@pytest.mark.parametrize("network", LARGER, ids=["undirected", "directed"])
def test_paths_of_a_larger_graph_are_those_of_numpy(network: nx.Graph[Any]) -> None:
    """With levels small and large, forwards and backwards, paths equal numpy."""
    matrix, sources = matrix_of(network), np.arange(0, 270, 2)
    ours, theirs = both(lambda: _paths.hop_dependencies(matrix, sources))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-9)
    ours, theirs = both(lambda: _paths.distance_sums(matrix, sources, _paths.hop_distances))
    np.testing.assert_array_equal(ours, theirs)


@needs_numba
@given(graphs(max_nodes=12, loops=True))
def test_neighbourhoods_are_those_of_numpy(network: nx.Graph[Any]) -> None:
    """Cores, constraint and effective size equal numpy, with and without ties."""
    mutual = mutual_of(network)
    np.testing.assert_array_equal(*both(lambda: _neighbourhoods.core_numbers(mutual)))
    ours, theirs = both(lambda: _neighbourhoods.broker_numbers(mutual))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@needs_numba
@pytest.mark.parametrize("network", LARGER, ids=["undirected", "directed"])
def test_neighbourhoods_of_a_larger_graph_are_by_definition(network: nx.Graph[Any]) -> None:
    """Cores are those of networkx, and constraint and effective size as Burt defines them."""
    simple = SocialGraph.of(network).undirected().to_networkx()
    assert dict(rank(network, method="core")) == nx.core_number(simple)
    weights = mutual_of(network).toarray()
    weights = weights[weights.any(axis=1)][:, weights.any(axis=1)]
    share = weights / weights.sum(axis=1, keepdims=True)
    relative = weights / weights.max(axis=1, keepdims=True)
    constraint = ((share + share @ share) ** 2 * (weights > 0)).sum(axis=1)
    size = ((1 - share @ relative.T) * (weights > 0)).sum(axis=1)
    found = brokers(network).frame.drop_nulls().sort("customer")
    np.testing.assert_allclose(found["constraint"], constraint, rtol=1e-12)
    np.testing.assert_allclose(found["effective_size"], size, rtol=1e-12, atol=1e-12)


@needs_numba
def test_brokers_bear_weights_of_any_size() -> None:
    """Weights from next to nothing to next to the largest number give what numpy gives."""
    network = nx.les_miserables_graph()
    for number, (a, b) in enumerate(network.edges):
        network.edges[a, b]["weight"] = 10.0 ** (number % 9 * 30 - 120)
    mutual = mutual_of(network)
    ours, theirs = both(lambda: _neighbourhoods.broker_numbers(mutual))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


@needs_numba
def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One, two or three cores give the same numbers to the last bit."""
    monkeypatch.setattr(_paths, "_WORK", 30_000)
    monkeypatch.setattr(_paths, "_BITS", 10)
    matrix, sources = matrix_of(LARGER[1]), np.arange(0, 270, 3)
    found = []
    for cores in (1, 2, 3):
        monkeypatch.setattr(_compiled, "_cores", lambda cores=cores: cores)
        between = _paths.hop_dependencies(matrix, sources)
        found.append((between, *_paths.distance_sums(matrix, sources, _paths.hop_distances)))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


@needs_numba
def test_portions_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small portions of sources and rows give the numbers of large ones."""
    matrix, mutual, sources = matrix_of(LARGER[0]), mutual_of(LARGER[0]), np.arange(270)

    def compute() -> list[Any]:
        between = _paths.hop_dependencies(matrix, sources)
        distance = _paths.distance_sums(matrix, sources, _paths.hop_distances)
        return [between, *distance, *_neighbourhoods.broker_numbers(mutual)]

    whole = compute()
    monkeypatch.setattr(_paths, "_WORK", 1)
    monkeypatch.setattr(_neighbourhoods, "_STEPS", 100)
    for some, all_ in zip(compute(), whole, strict=True):
        np.testing.assert_allclose(some, all_, rtol=1e-12)


@needs_numba
def test_loops_do_not_write_what_they_are_given() -> None:
    """A graph's arrays, which cannot be written, do for all loops, and stay as they were."""
    graph = SocialGraph.of(LARGER[0])
    before = [part.copy() for part in (graph.indptr, graph.indices, graph.weights)]
    for method in ("betweenness", "closeness", "core"):
        rank(graph, method=method)
    brokers(graph)
    for part, was in zip((graph.indptr, graph.indices, graph.weights), before, strict=True):
        np.testing.assert_array_equal(part, was)


def test_without_numba_there_are_no_compiled_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where numba is not installed, or is switched off, loops are not entered."""
    with _compiled.switched_off():
        assert not _compiled.enabled()
        with _compiled.switched_off():
            pass
        assert not _compiled.enabled()
    monkeypatch.setattr(_compiled, "_is_installed", lambda: False)
    assert not _compiled.enabled()


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_portions_come_in_order(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made in parallel comes in order, also where the first takes longest."""
    monkeypatch.setattr(_compiled, "_cores", lambda: cores)
    second = threading.Event()

    def make(number: int) -> int:
        if number == 0 and cores > 1:
            assert second.wait(10)
        if number == 1:
            second.set()
        return number * number

    assert list(_compiled.in_parallel(make, 9)) == [number * number for number in range(9)]
    assert list(_compiled.in_parallel(make, 0)) == []


@pytest.mark.parametrize("cores", [1, 2])
def test_what_is_not_begun_is_never_begun(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an error, an interrupt or an early end, nothing more is begun, and no thread stays."""
    monkeypatch.setattr(_compiled, "_cores", lambda: cores)
    threads = threading.active_count()
    for error in (ValueError, KeyboardInterrupt):
        begun: list[int] = []

        def make(number: int, begun: list[int] = begun, error: Any = error) -> int:
            begun.append(number)
            if number == 3:
                raise error
            return number

        with pytest.raises(error):
            list(_compiled.in_parallel(make, 1_000))
        assert max(begun) <= 3 + 2 * cores
        assert threading.active_count() == threads

    begun.clear()
    portions = _compiled.in_parallel(begun.append, 1_000)
    next(portions)
    portions.close()  # type: ignore[attr-defined]
    assert max(begun) <= 2 * cores
    assert threading.active_count() == threads


def compile_in(folder: Path) -> str:
    """What a fresh process logs that compiles two small loops, with this folder as a cache."""
    environment = {name: text for name, text in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SMALL],
        env=environment | {"XDG_CACHE_HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@needs_numba
@pytest.mark.skipif(sys.platform != "linux", reason="XDG_CACHE_HOME is of Linux")
def test_the_first_compilation_is_announced_once(tmp_path: Path) -> None:
    """It is logged once; the next process finds the code in the user's cache, and says nothing."""
    folder = tmp_path / "cache"
    folder.mkdir()
    assert compile_in(folder) == "scrmkit WARNING\n"
    assert list((folder / "scrmkit").rglob("*.nbi"))
    assert compile_in(folder) == ""


@needs_numba
def test_a_cache_that_cannot_be_written_does_not_matter(tmp_path: Path) -> None:
    """Where the cache folder cannot be made, what is compiled is not kept, and works."""
    folder = tmp_path / "cache"
    folder.write_text("a file is where the folder would be")
    assert compile_in(folder) == "scrmkit WARNING\n"
