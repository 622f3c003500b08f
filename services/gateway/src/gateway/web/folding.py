"""Works out, when a template is compiled, what it says the same on every page of a language.

Translated texts, icons and addresses of assets are a third of what drawing a page took; each language has templates of
its own, compiled when first asked for, in which these are plain text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup


class FoldingEnvironment(Environment):
    """Calls its `fixed` functions while it compiles, wherever their arguments stand in the template."""

    fixed: Mapping[str, Callable[..., str]] = {}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed: nodes.Template = super()._parse(source, name, filename)
        Folding(self.fixed).visit(parsed)
        return parsed


class Folding(NodeTransformer):
    """Puts the answers of calls in their place."""

    def __init__(self, fixed: Mapping[str, Callable[..., str]]) -> None:
        self._fixed = fixed

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802  (the name is Jinja's)
        """A call of a fixed function with texts alone becomes its answer; any other stays."""
        self.generic_visit(node)
        act = self._fixed.get(node.node.name) if isinstance(node.node, nodes.Name) else None
        texts = [one.value for one in node.args if isinstance(one, nodes.Const) and isinstance(one.value, str)]
        plain = len(texts) == len(node.args) and not (node.kwargs or node.dyn_args or node.dyn_kwargs)
        if act is None or not plain:
            return node
        return nodes.MarkSafe(nodes.Const(str(act(*texts)), lineno=node.lineno), lineno=node.lineno)


def fixed_text(translate: Callable[..., str]) -> Callable[..., str]:
    """A translation as `{{ _("…") }}` shows it: safe, with `%%` for a percent sign."""

    def show(*message: str) -> str:
        empty: dict[str, Any] = {}
        return Markup(translate(*message)) % empty

    return show
