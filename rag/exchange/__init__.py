"""A collection as one file, to keep it or to give it away."""

from rag.exchange.exporting import export_collection
from rag.exchange.form import SUFFIX, Progress
from rag.exchange.importing import Imported, import_collection

__all__ = ["SUFFIX", "Imported", "Progress", "export_collection", "import_collection"]
