"""What `flet build` would do with this project, without Flutter, an SDK or a network.

Runs flet-cli's own code on `[tool.flet]`: entry point, template values, dependencies, excludes, and the
command line of serious_python. Only the steps that need a toolchain are left out. It leans on flet-cli's
internals, which is one reason why the flet packages are locked to one version.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

TARGETS = ("apk", "ipa", "linux", "macos", "windows")
_HOSTS = {"ipa": "Darwin", "macos": "Darwin", "windows": "Windows"}
_ABIS = ["arm64-v8a", "armeabi-v7a", "x86_64"]
# flet-cli fetches this list of bundled Pythons; it takes a file instead from FLET_PYTHON_BUILD_MANIFEST.
_MANIFEST = {
    "default_python_version": "3.14",
    "pythons": {
        short: {"full_version": full, "pyodide_version": pyodide, "android_abis": _ABIS}
        for short, full, pyodide in (
            ("3.12", "3.12.13", "0.27.7"),
            ("3.13", "3.13.14", "0.29.4"),
            ("3.14", "3.14.6", "314.0.6"),
        )
    },
}


@dataclass(frozen=True)
class Plan:
    """What would be built."""

    template: dict[str, Any]
    package_arguments: list[str]
    environment: dict[str, str]

    def values_of(self, option: str) -> list[str]:
        """Values of a repeated option of serious_python's `package` command."""
        pairs = zip(self.package_arguments, self.package_arguments[1:], strict=False)
        return [value for name, value in pairs if name == option]


def plan(project: Path, target: str, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Resolve the build of `project` for `target`; fails the test when flet-cli refuses it."""
    manifest = scratch / "manifest.json"
    manifest.write_text(json.dumps(_MANIFEST))
    monkeypatch.setenv("FLET_PYTHON_BUILD_MANIFEST", str(manifest))

    from flet_cli.commands.build import Command
    from flet_cli.commands.build_base import BaseBuildCommand

    packaged: list[tuple[list[str], dict[str, str]]] = []

    class DryRun(Command):
        def find_flutter_batch(self, name: str) -> str:
            return name

        def flutter_version_valid(self) -> bool:
            return True

        def install_jdk(self) -> None:
            self.env["JAVA_HOME"] = str(scratch)

        def install_android_sdk(self) -> None:
            self.env["ANDROID_HOME"] = str(scratch)

        def update_status(self, status: str) -> None:
            pass

        def cleanup(self, exit_code: int, message: Any = None, **_: object) -> NoReturn:
            pytest.fail(f"flet build {target} refuses the project ({exit_code}): {message}")

        def run(self, args: list[str], cwd: str, env: Any = None, capture_output: bool = True) -> Any:
            if "package" in args:
                packaged.append(([str(arg) for arg in args], dict(env or {})))
                # The step after this one looks for what serious_python would have left here.
                staged = (env or {}).get("SERIOUS_PYTHON_APP")
                Path(staged or self.flutter_dir / "app").mkdir(parents=True, exist_ok=True)
            return SimpleNamespace(returncode=0, stdout="", stderr="")

    parser = argparse.ArgumentParser()
    command = DryRun(parser)  # adds its arguments to the parser
    options = parser.parse_args([target, str(project), "--yes", "--no-rich-output"])
    command.options = options
    command.current_platform = _HOSTS.get(target, "Linux")
    command.live = command.status = SimpleNamespace(update=lambda *_, **__: None)
    BaseBuildCommand.handle(command, options)
    command.initialize_command()
    command.validate_target_platform()
    command.validate_entry_point()
    command.setup_template_data()
    command.flutter_dir.mkdir(parents=True, exist_ok=True)
    command.package_python_app()
    arguments, environment = packaged[0]
    return Plan(command.template_data, arguments, environment)
