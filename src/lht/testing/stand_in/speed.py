"""Makes the stand-in quicker: fakesnow walks a statement's tree some seventy times, once for each of its rewrites.

Most rewrites leave most statements alone. So the tree is walked once, and again only after a rewrite changed it;
what comes out is what sqlglot's own `transform` gives.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sqlglot.expressions import core

if TYPE_CHECKING:
    from collections.abc import Callable


class _Walked(threading.local):
    """The tree that this thread walked last; `changes` counts the changes of any tree since."""

    changes = 0
    at = -1
    root: Any = None
    nodes: tuple[Any, ...] = ()


_WALKED = _Walked()
EXPRESSION: Any = core.Expression
USUAL: dict[str, Callable[..., Any]] = {
    name: getattr(EXPRESSION, name) for name in ("set", "append", "transform")
}


def walk_once() -> None:
    """Puts the quicker `transform` in sqlglot's place, in this process."""
    EXPRESSION.set, EXPRESSION.append, EXPRESSION.transform = _set, _append, transform


def walk_as_ever() -> None:
    """Undoes `walk_once`."""
    for name, function in USUAL.items():
        setattr(EXPRESSION, name, function)


def _set(self: Any, *args: Any, **kwargs: Any) -> Any:
    _WALKED.changes += 1
    return USUAL["set"](self, *args, **kwargs)


def _append(self: Any, *args: Any, **kwargs: Any) -> Any:
    _WALKED.changes += 1
    return USUAL["append"](self, *args, **kwargs)


def transform(self: Any, fun: Callable[..., Any], *args: Any, copy: bool = True, **kwargs: Any) -> Any:
    """Applies a function to all nodes, as sqlglot's `transform` does."""
    tree = self.copy() if copy else self
    for place, node in enumerate(_nodes(tree)):
        where, before = (node.parent, node.arg_key, node.index), _WALKED.changes
        new = fun(node, *args, **kwargs)
        if new is not node or _WALKED.changes != before:
            return _go_on(tree, place, where, new, lambda later: fun(later, *args, **kwargs))
    return tree


def _nodes(tree: Any) -> tuple[Any, ...]:
    if _WALKED.root is not tree or _WALKED.at != _WALKED.changes:
        _WALKED.nodes = tuple(tree.dfs())
        _WALKED.root, _WALKED.at = tree, _WALKED.changes
    return _WALKED.nodes


def _go_on(
    tree: Any, place: int, where: tuple[Any, Any, Any], changed: Any, fun: Callable[[Any], Any]
) -> Any:
    """Goes through the rest of a tree that has begun to change; `changed` is what became of the node at `place`."""
    root = new = None
    # dfs asks right after this loop's turn, as in sqlglot: what is new then is what became of that node.
    for number, node in enumerate(tree.dfs(prune=lambda seen: seen is not new)):  # noqa: B023
        parent, key, index = where if number == place else (node.parent, node.arg_key, node.index)
        new = node if number < place else changed if number == place else fun(node)
        if number == 0:
            root = new
        elif parent and key and new is not node:
            parent.set(key, new, index)
    return root
