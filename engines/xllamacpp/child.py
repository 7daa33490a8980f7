"""The child process: `python -m engines.xllamacpp.child`; see `engines.llama_cpp.child`."""

from __future__ import annotations

from engines.llama_cpp.child import serve
from engines.xllamacpp.runtime import Runtime

if __name__ == "__main__":
    serve(Runtime)
