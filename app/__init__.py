"""The application: composes engines, knowledge base and network into a product."""

__version__ = "0.1.0"
"""A phone's bundle holds no metadata of this package, so it stands here, too; see pyproject.toml."""
