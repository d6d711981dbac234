"""Typer commands and how their answers are shown; a command parses, calls one operation and returns an answer.

Nothing that a driver brings is imported here before a command needs it: `lht --help` stays quick.
"""
