"""What the code says of itself: each command of the command line, and the glossary."""

import re
from collections.abc import Iterator

import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from sspexplorer.cli import app as command_line
from sspexplorer.glossary import GLOSSARY

PROGRAM = "sspexplorer"


def commands(command=None, name: str = PROGRAM) -> Iterator[tuple[str, object]]:
    """Every command with its full name, those of groups after their group."""
    command = command or typer.main.get_command(command_line)
    yield name, command
    for key in sorted(getattr(command, "commands", {})):
        yield from commands(command.commands[key], f"{name} {key}")


def command_text(name: str, command) -> str:
    """Markdown of a command: what it does, how it is called, and what each option means.

    All of it is what ``--help`` shows.
    """
    context = command.make_context(name, [], resilient_parsing=True)
    usage = command.get_usage(context).removeprefix("Usage: ")
    lines = [f"## {name}", "", as_code(command.help or ""), "", "```text", usage, "```", ""]
    shown = (parameter.get_help_record(context) for parameter in command.params)
    for call, meaning in filter(None, shown):
        lines += [f"`{call}`", f": {as_code(' '.join(meaning.split())) or '–'}", ""]
    return "\n".join(lines)


def as_code(text: str) -> str:
    """Help with the options in it marked as code: two dashes stay two."""
    return re.sub(r"(?<![`\w-])(--[a-z][a-z-]*)", r"`\1`", text)


def glossary_text() -> str:
    """Markdown of the glossary: each term, what it means, and where to read on."""
    parts = ["```{glossary}", ":sorted:", ""]
    for term, entry in GLOSSARY.items():
        parts += [term, f"  {entry.text}", ""]
        parts += [f"  *{entry.reference}*", ""] if entry.reference else []
    return "\n".join([*parts, "```"])


class Commands(SphinxDirective):
    """``{commands}``: the reference of the command line."""

    def run(self) -> list[nodes.Node]:
        """Write it as Markdown, and have that parsed."""
        texts = [command_text(name, command) for name, command in commands()]
        return self.parse_text_to_nodes("\n".join(texts), allow_section_headings=True)


class Glossary(SphinxDirective):
    """``{terms}``: the glossary of the package."""

    def run(self) -> list[nodes.Node]:
        """Write it as Markdown, and have that parsed."""
        return self.parse_text_to_nodes(glossary_text())


def setup(app: Sphinx) -> dict:
    """Register both."""
    app.add_directive("commands", Commands)
    app.add_directive("terms", Glossary)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
