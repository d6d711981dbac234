"""Logging in: apps, users, grants, sessions, and what the OAuth endpoints answer about them."""

from __future__ import annotations

from lht.simulator.org.oauth.answers import signature
from lht.simulator.org.oauth.app import App
from lht.simulator.org.oauth.oauth import OAuth
from lht.simulator.org.oauth.people import Login

__all__ = ["App", "Login", "OAuth", "signature"]
