"""The browser and the served laptop that every test of this folder may ask for."""

from __future__ import annotations

from tests.browsing import chromium, context, served

__all__ = ["chromium", "context", "served"]
