"""What spreads, and whom to ask first: cascades, reach, seeds, standing ovations."""

from __future__ import annotations


__all__: list[str] = []
