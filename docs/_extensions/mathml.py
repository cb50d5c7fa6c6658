"""Formulas as MathML, which browsers draw by themselves: no script, no font, no other host."""

from docutils.nodes import SkipNode, math, math_block
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

log = logging.getLogger(__name__)


def mathml(node: math | math_block, *, block: bool) -> str:
    """MathML of a formula; what cannot be translated is a warning, and stays as it is."""
    try:
        return tex2mathml(node.astext(), as_block=block)
    except MathError as error:
        log.warning("A formula cannot be drawn: %s", error, location=node)
        return f"<code>{node.astext()}</code>"


def visit_math(writer: HTML5Translator, node: math) -> None:
    """Write a formula in a line."""
    writer.body.append(mathml(node, block=False))
    raise SkipNode


def visit_block(writer: HTML5Translator, node: math_block) -> None:
    """Write a formula on a line of its own, with its number if it has one."""
    number = f"({get_node_equation_number(writer, node)})" if node["number"] else ""
    writer.body.append(
        f'<div class="formula">{mathml(node, block=True)}<span>{number}</span></div>'
    )
    raise SkipNode


def setup(app: Sphinx) -> dict:
    """Register the renderer; what is skipped is never left."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
