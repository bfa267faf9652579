"""The fixture of long documents, for the whole folder."""

from tests.app.capture.long_documents import short

__all__ = ["short"]
