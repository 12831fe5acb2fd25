"""How good or bad an English text sounds, by VADER (Hutto and Gilbert 2014)."""

from functools import cache

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from scrmkit import Interaction
from scrmkit.plugins import Number, lift


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()


@lift(version="vader-3.3", needs=["text"], fields={"polarity": Number(low=-1, high=1)})
def sentiment(interaction: Interaction) -> dict[str, float] | None:
    """From -1 to 1; nothing can be said of a text without letters."""
    text = interaction.text or ""
    if not any(letter.isalpha() for letter in text):
        return None
    return {"polarity": _analyzer().polarity_scores(text)["compound"]}
