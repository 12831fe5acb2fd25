"""Ties and scores in Polars by hand: the forms beside this folder, for eager and lazy frames."""

from __future__ import annotations

from functools import partial

from by_hand import engagement, ties


TIES = ties.FORMS
SCORES = {
    "three_steps": engagement.score,
    "three_steps_streaming": partial(engagement.score, engine="streaming"),
}
