"""Whom to believe, from signed and graded ties."""

from __future__ import annotations


__all__: list[str] = []
