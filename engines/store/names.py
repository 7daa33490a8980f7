"""Names that come from the hub: of repositories and files. They may be hostile, long, or in any script."""

from __future__ import annotations

import re
import unicodedata

from engines.errors import HubAddressInvalid

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_PARTS = re.compile(r"-(\d{5})-of-(\d{5})(?=\.gguf$)", re.IGNORECASE)
_QUANTISATION = re.compile(
    r"(?:^|[-._])((?:I?Q\d(?:_[A-Z0-9]+)*|TQ\d_\d|MXFP4(?:_MOE)?|BF16|F16|F32|FP16|FP32))(?=[-.]|$)",
    re.IGNORECASE,
)
_ON_NO_DISK = '<>:"/\\|?*'
_WINDOWS_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_LONGEST_BYTES = 200


def check_repository(repository: str) -> str:
    """The name of a repository, "owner/name".

    Raises:
        HubAddressInvalid: it is none.
    """
    if not _REPOSITORY.fullmatch(repository) or ".." in repository:
        raise HubAddressInvalid(repository[:80])
    return repository


def check_revision(revision: str) -> str:
    """The name of a branch or tag, or a commit.

    Raises:
        HubAddressInvalid: it is none.
    """
    if not _REVISION.fullmatch(revision) or ".." in revision:
        raise HubAddressInvalid(revision[:80])
    return revision


def parts_of(name: str) -> int:
    """How many files the model has to which this one belongs; 1 for one that is whole."""
    found = _PARTS.search(name)
    return max(1, int(found[2])) if found else 1


def without_part(name: str) -> str:
    """The name that all parts of a model share."""
    return _PARTS.sub("", name)


def quantisation_of(name: str) -> str:
    """The label in a file's name, in capitals, such as Q4_K_M; empty where there is none."""
    found = _QUANTISATION.findall(without_part(name.rpartition("/")[2]).removesuffix(".gguf"))
    return found[-1].upper().replace("FP", "F") if found else ""


def safe_stem(name: str) -> str:
    """A file name without its suffix that every disk takes and that stays in its folder."""
    stem = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    stem = re.sub(r"\.gguf$", "", stem, flags=re.IGNORECASE)
    kept = "".join(
        "_" if letter in _ON_NO_DISK or unicodedata.category(letter) in ("Cc", "Cs", "Cn", "Co") else letter
        for letter in stem
    )
    kept = kept.encode("utf-8", "replace")[:_LONGEST_BYTES].decode("utf-8", "ignore").strip(". ")
    return f"_{kept}" if _WINDOWS_DEVICES.fullmatch(kept) else kept or "model"
