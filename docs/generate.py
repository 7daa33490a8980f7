"""Write the reference pages that the code itself can tell: commands, settings, options, errors, messages.

`hatch run docs` writes them; `hatch run docs --check` fails when one is out of date or a link leads nowhere.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import importlib
import inspect
import re
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import msgspec
import protocol_pages
import typer
import typer.main

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
ERROR_MODULES = ("engines.errors", "rag.errors", "network.errors", "app.core.errors")
NOTICE = "<!-- Written by `hatch run docs` from {source}; do not edit. -->\n"
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|src=\"([^\"]+)\"")
# Typer carries a click of its own, whose classes are private.
Command = typing.Any
_CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)


def cli_page() -> str:
    """Every command with its arguments and options."""
    from app.cli.commands import cli

    command = typer.main.get_command(cli)
    parts = [NOTICE.format(source="app/cli"), "# The command `dai`\n", f"{command.help}\n"]
    parts.append(
        "Errors are one line on standard error and a non-zero exit status. `--json` prints data. "
        "Messages and errors are in the language chosen in the settings, this help is in English.\n"
    )
    for path, found in _commands("dai", command):
        parts.append(_command_section(path, found))
    return "\n".join(parts)


def _commands(path: str, command: Command) -> Iterator[tuple[str, Command]]:
    children = getattr(command, "commands", {})
    if path != "dai" and (not children or getattr(command, "invoke_without_command", False)):
        yield path, command
    for name, child in children.items():
        yield from _commands(f"{path} {name}", child)


def _command_section(path: str, command: Command) -> str:
    context = typer.Context(command, info_name=path)
    lines = [f"## `{path}`\n", inspect.cleandoc(command.help or "") + "\n"]
    usage = " ".join(command.collect_usage_pieces(context))
    lines.append(f"```\n{path} {usage}\n```\n")
    parameters = [p for p in command.params if p.name != "help"]
    if parameters:
        lines += ["| | | default |", "| --- | --- | --- |"]
    for parameter in parameters:
        if parameter.param_type_name == "argument":
            shown = f"`{parameter.name}`"
        else:
            shown = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
        default = parameter.default
        empty = default is None or default in (False, "", ()) or "Sentinel" in type(default).__name__
        help_text = (getattr(parameter, "help", None) or "").replace("|", "\\|")
        lines.append(f"| {shown} | {help_text} | {'' if empty else f'`{default}`'} |")
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Every setting with its type, its default and its docstring."""
    from app.core import settings

    fields = {field.name: field for field in msgspec.structs.fields(settings.Settings)}
    lines = [
        NOTICE.format(source="app/core/settings.py"),
        "# Settings\n",
        "Kept in `settings.json` in the data folder of DAI ([files](files.md)); change them on the screen "
        "Settings. A value that cannot be used is ignored and its default holds.\n",
        "| setting | values | default | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for name, text in _docstrings_beneath(settings, "Settings").items():
        field = fields[name]
        encoded = msgspec.json.encode(field.default) if field.default is not msgspec.NODEFAULT else b""
        default = f"`{encoded.decode()}`" if encoded else "the system's"
        lines.append(f"| `{name}` | {_values(field.type)} | {default} | {text} |")
    return "\n".join(lines) + "\n"


def options_page() -> str:
    """Every option of models and conversations with its values and its docstring."""
    from app.core import model_options

    kinds = {
        "How answers are written": model_options.AnswerOptions,
        "How a model is put into memory": model_options.ModelOptions,
    }
    lines = [
        NOTICE.format(source="app/core/model_options.py"),
        "# Options of models and conversations\n",
        "What nobody sets is decided by the app's [settings](settings.md), else by the model's maker, else "
        "by the engine. An option of a model is stronger than those, one of a conversation stronger than one "
        "of its model: see [tune a model](../how-to/tune-a-model.md).\n",
    ]
    for title, kind in kinds.items():
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        lines += [f"## {title}\n", "| option | values | meaning |", "| --- | --- | --- |"]
        for name, text in _docstrings_beneath(model_options, kind.__name__).items():
            lines.append(f"| `{name}` | {_values(fields[name].type).removesuffix(', or none')} | {text} |")
        lines.append("")
    return "\n".join(lines)


def _docstrings_beneath(module: ModuleType, class_name: str) -> dict[str, str]:
    """Names of a class's fields with the string that stands beneath each."""
    tree = ast.parse(inspect.getsource(module))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == class_name)
    found: dict[str, str] = {}
    for field, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match below:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    found[field.target.id] = " ".join(text.split())
                case _:
                    raise SystemExit(f"{module.__name__}: the setting {field.target.id} has no docstring")
    return found


def _values(annotation: object) -> str:
    """What a setting may hold, in words."""
    if typing.get_origin(annotation) is typing.Annotated:
        base, meta = typing.get_args(annotation)
        longest = "at most {} of them" if typing.get_origin(base) is tuple else "at most {} characters"
        limits = {"ge": "at least {}", "le": "at most {}", "max_length": longest}
        words = [
            text.format(value) for key, text in limits.items() if (value := getattr(meta, key)) is not None
        ]
        if meta.pattern:
            words.append("an address of the web")
        return ", ".join([_values(base), *words])
    if typing.get_origin(annotation) is typing.Literal:
        return ", ".join(f"`{value}`" for value in typing.get_args(annotation))
    if typing.get_origin(annotation) is tuple:
        return f"list of {_values(typing.get_args(annotation)[0])}"
    if members := [member for member in typing.get_args(annotation) if member is not type(None)]:
        return " or ".join(_values(member) for member in members) + ", or none"
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return " + ".join(field.name for field in msgspec.structs.fields(annotation))
    names = {str: "text", bool: "true, false", int: "whole number", float: "number"}
    return names.get(typing.cast(type, annotation), str(annotation))


def router_page() -> str:
    """Every limit and setting of a router with its docstring."""
    from network.router.http import settings

    lines = [
        NOTICE.format(source="network/router/http/settings.py"),
        "# Settings of a router\n",
        "The numbers are given to `dai router` as `--limit name=number`, with hyphens in the name: "
        "`--limit questions-per-day=500`. The rest are [options of the command](cli.md). How to set one up: "
        "[run a router](../how-to/run-a-router.md).\n",
        "| setting | default | meaning |",
        "| --- | --- | --- |",
    ]
    defaults = {field.name: field.default for field in dataclasses.fields(settings.RouterSettings)}
    for name, text in _docstrings_beneath(settings, "RouterSettings").items():
        default = defaults[name]
        shown = f"`{default:g}`" if type(default) in (int, float) else ""
        lines.append(f"| `{name}` | {shown} | {text} |")
    return "\n".join(lines) + "\n"


def formats_page() -> str:
    """Every kind of documents that can be read."""
    from rag.documents import formats

    lines = [
        NOTICE.format(source="rag/documents/formats.py"),
        "# Formats of documents\n",
        "What a file is, is seen from its content where that says so: a Word document called `.pdf` is read "
        "as a Word document. A [refused file](../how-to/add-documents.md) never stops the others.\n",
        "| format | endings | what is read |",
        "| --- | --- | --- |",
    ]
    for each in formats.FORMATS:
        endings = " ".join(f"`{suffix}`" for suffix in each.suffixes)
        lines.append(f"| {each.name} | {endings} | {each.read} |")
    return "\n".join(lines) + "\n"


def errors_page() -> str:
    """The error trees, and what the user reads for every leaf."""
    words = msgspec.json.decode((ROOT / "locales" / "en.json").read_bytes(), type=dict[str, str])
    lines = [
        NOTICE.format(source="the errors.py of each package"),
        "# Errors\n",
        "Each package has one tree of errors. The app translates the class name into the reader's language "
        "(`errors.…` in `locales/`); the terminal prints the same words.\n",
    ]
    for name in ERROR_MODULES:
        module = importlib.import_module(name)
        tree = inspect.cleandoc(module.__doc__ or "").partition("\n\n")[2]
        lines += [f"## `{name}`\n", f"```\n{tree}\n```\n", "| error | what the user reads |", "| --- | --- |"]
        for class_name, error in inspect.getmembers(module, inspect.isclass):
            if issubclass(error, Exception) and error.__module__ == name:
                text = words.get(f"errors.{class_name}", "").replace("|", "\\|")
                lines.append(f"| `{class_name}` | {text} |")
        lines.append("")
    return "\n".join(lines)


def pages() -> dict[Path, str]:
    """The text of every generated page, by file."""
    texts = {
        "cli.md": cli_page(),
        "settings.md": settings_page(),
        "options.md": options_page(),
        "router.md": router_page(),
        "formats.md": formats_page(),
        "errors.md": errors_page(),
        "messages.md": protocol_pages.messages_page(NOTICE.format(source="network/protocol")),
        "protocol.schema.json": protocol_pages.schema_text(),
        "openapi.json": protocol_pages.openapi_text(),
    }
    return {REFERENCE / name: text for name, text in texts.items()}


def outdated() -> list[Path]:
    """Generated pages whose file says something else."""
    return [
        path
        for path, text in pages().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def markdown_files() -> list[Path]:
    """Every page of the documentation, README and its neighbours included."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "build").rglob("*.md")])


def broken_links() -> list[str]:
    """Links and pictures whose file does not exist; addresses on the web are not asked."""
    found = []
    for page in markdown_files():
        for link in _LINK.finditer(_CODE.sub("", page.read_text(encoding="utf-8"))):
            target = link[1] or link[2]
            file = target.partition("#")[0]
            if "://" in target or target.startswith("mailto:") or not file:
                continue
            if not (page.parent / file).exists():
                found.append(f"{page.relative_to(ROOT)}: {target}")
    return found


def main() -> int:
    """Write the pages, or check them; returns the exit status."""
    parser = argparse.ArgumentParser(description="Write the generated reference pages.")
    parser.add_argument("--check", action="store_true", help="only tell what is out of date")
    stale = outdated()
    if not parser.parse_args().check:
        texts = pages()
        for path in stale:
            path.write_text(texts[path], encoding="utf-8")
        stale = []
    problems = [f"{path.relative_to(ROOT)} is out of date: run `hatch run docs`" for path in stale]
    problems += [f"{link} leads nowhere" for link in broken_links()]
    for problem in problems:
        sys.stderr.write(problem + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
