"""Discourse forums for scrmkit."""
