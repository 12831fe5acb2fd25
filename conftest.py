"""Every example is a test: those of the README, the docs and the docstrings.

A page of the docs is one namespace and runs in a directory of its own. There ``data`` is the
folder of the real data sets, or None where it is absent, and likewise ``django`` and
``pyspark`` (with Java); an example that needs it comes after
``% skip: next if(data is None, reason="...")``. The examples of one docstring see the names of
its module, and nothing of the docstring before.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any


ROOT = Path(__file__).resolve().parent

try:
    from sybil import Document, Example, Sybil
    from sybil.document import PythonDocStringDocument
    from sybil.example import NotEvaluated
    from sybil.parsers.myst import PythonCodeBlockParser, SkipParser
    from sybil.parsers.rest import DocTestParser
except ImportError:  # the core install is tested without its examples
    pass
else:

    class Docstrings(PythonDocStringDocument):
        """The docstrings of a module, each with a copy of the module's namespace."""

        def __init__(self, text: str, path: str) -> None:
            Document.__init__(self, text, path)
            self.push_evaluator(self.import_module)

        def import_module(self, example: Example) -> None:
            """Put the names of the module where the example finds them, once."""
            if not example.namespace:
                parts = Path(self.path).relative_to(ROOT / "src").with_suffix("").parts
                name = ".".join(part for part in parts if part != "__init__")
                example.namespace.update(vars(import_module(name)))
            raise NotEvaluated

        def examples(self) -> Iterator[Example]:
            """The examples in the order of the file."""
            starts = sorted(start for start, _, _ in self.extract_docstrings(self.text))
            spaces: list[dict[str, Any]] = [{} for _ in starts]
            for example in super().examples():
                example.namespace = spaces[bisect_right(starts, example.start) - 1]
                yield example

    def enter(namespace: dict[str, Any]) -> None:
        """Give a page an empty directory and the folder of the real data."""
        folder = Path(os.environ.get("SCRMKIT_DATA") or ROOT.parent / "shared" / "data")
        stack = ExitStack()
        stack.enter_context(chdir(stack.enter_context(tempfile.TemporaryDirectory())))
        namespace.update(
            data=folder.resolve() if folder.is_dir() else None,
            django=find_spec("django"),
            pyspark=find_spec("pyspark") if shutil.which("java") else None,
            _stack=stack,
        )

    def leave(namespace: dict[str, Any]) -> None:
        """Go back to where the tests were started."""
        namespace["_stack"].close()

    FLAGS = ELLIPSIS | NORMALIZE_WHITESPACE

    pytest_collect_file = (
        Sybil(
            path=str(ROOT),
            patterns=["*.md"],
            parsers=[PythonCodeBlockParser(doctest_optionflags=FLAGS), SkipParser()],
            setup=enter,
            teardown=leave,
        )
        + Sybil(
            path=str(ROOT / "src"),
            patterns=["*.py"],
            parsers=[DocTestParser(FLAGS)],
            document_types={".py": Docstrings},
        )
    ).pytest()
