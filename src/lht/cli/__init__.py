"""Typer commands and Rich renderers; a command parses, calls one operation and renders its result."""
