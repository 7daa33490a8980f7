"""The owner's page: one file without anything from elsewhere, and a policy that lets it be nothing more."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

PAGE = Path(__file__).with_name("admin.html").read_text(encoding="utf-8")


def _hash(tag: str) -> str:
    """The digest by which a browser knows the only script, or the only style, that may run."""
    [text] = re.findall(rf"<{tag}>(.*?)</{tag}>", PAGE, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; script-src {_hash('script')}; style-src {_hash('style')}; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Source: W3C, Content Security Policy Level 3."""
